"""Which code means what for recoverability and space (Oracle Database Error Messages 19c; rules of backup and space).

A number that stands in no row takes the class of its range; a number of no range is 'other'. Companions tell where
something happened ("data file 7: ..."): they make an event only where nothing else of their message did.
"""

from __future__ import annotations

from drydock.oracle_logs.alert_results import Severity

INFO, WARNING, CRITICAL = Severity.INFO, Severity.WARNING, Severity.CRITICAL

_ROWS = (
    ("corrupt_block", CRITICAL, "1578 19566 26041"),
    ("corrupt_block", WARNING, "1498 1499 8102 8103 1410"),
    ("nologging_block", CRITICAL, "26040"),
    ("internal_error", CRITICAL, "600 7445 602"),
    ("internal_error", WARNING, "700 3137 7446"),
    ("archiver_stuck", CRITICAL, "255 257 259 265 266 270 272 16014 16024 16038"),
    ("recovery_area_full", CRITICAL, "19804 19809"),
    ("recovery_area_full", WARNING, "19815"),
    ("write_failed", CRITICAL, "19502 19504"),
    (
        "redo_damaged",
        CRITICAL,
        "305 310 313 314 315 316 317 318 320 321 322 327 333 334 335 336 340 341 342 345 346 348 353 354 355 "
        "356 363 366 367 368 742 752 753",
    ),
    ("control_file", CRITICAL, "201 203 204 205 206 207 208 210 213 214 218 221 224 226 227"),
    ("control_file", WARNING, "202 211 235 258"),
    ("control_file_backup", WARNING, "228 245 1580 1581"),
    (
        "datafile_lost",
        CRITICAL,
        "372 376 1113 1114 1115 1116 1122 1147 1157 1171 1172 1173 1178 1187 1189 1190 1194 1195 1196 1198 "
        "1200 1201 1202 1203 1204 1205 1206 1207 1208 1209 1210 1242 1243 1245 1251 63999",
    ),
    ("datafile_lost", WARNING, "1110 1111 1119 1135 1152 1244 1547"),
    ("io_error", CRITICAL, "15080 15081 27047 27048 27061 27062 27063 27069 27070 27072 27091 27094"),
    (
        "instance_failed",
        CRITICAL,
        "443 446 447 449 470 471 472 473 474 475 476 477 478 479 480 481 482 483 484 485 486 487 488 489 "
        "490 491 492 822 1092 29702 29707 29740 29770 29771",
    ),
    ("instance_failed", WARNING, "445 603 27101 27102 27125 27300 27301 27302 27303"),
    ("io_error", WARNING, "17502 17503 17510 17611 17612"),
    ("hang", CRITICAL, "494 32701"),
    ("hang", WARNING, "239 240 4020 4021 32700"),
    ("asm", CRITICAL, "15038 15040 15041 15042 15063 15066 15078 15130 15131 15196 15335"),
    (
        "space",
        WARNING,
        "59 1144 1237 1536 1537 1628 1629 1630 1631 1632 1650 1651 1652 1653 1654 1655 1656 1658 1659 1680 1683 "
        "1688 1691 1692 1693 1694 3232 3233 3234 3237 12953 25153 60019 60100",
    ),
    ("undo", WARNING, "1545 1552 1555 1562 1594 22924 30012 30013 30019 30027 30036"),
    ("deadlock", WARNING, "60"),
    ("memory", WARNING, "379 384 4030 4031 4036"),
    ("process_limit", WARNING, "18 19 20 21 12516 12518 12519 12520"),
    ("job_failed", WARNING, "12008 12012 12018"),
    ("backup_piece_damaged", CRITICAL, "19563 19583 19597 19598 19599 19600 19612 19870"),
    ("standby_transport", WARNING, "16009 16047 16055 16056 16057 16058 16086 16146 16166 16191 16198 16401"),
    ("standby_recovery", CRITICAL, "1274 10564 10567 10879 16157 16766"),
    ("standby_recovery", WARNING, "283 10458 10560 10561 10562"),
    ("standby_recovery", INFO, "448 16037 16041 16042 16043 16136 16145"),
    ("keystore", CRITICAL, "28361 28362 28365 28374 28417 46658"),
    (
        "statement_failed",
        INFO,
        "271 274 275 279 280 286 288 289 604 900 903 904 905 906 907 911 922 933 936 942 955 959 1013 1031 1033 1089 1100 "
        "1109 1126 1142 1146 1507 1516 1523 1531 1539 1540 1543 1549 1589 2095 2097 3214 16196 65011 65017 65019 "
        "65020",
    ),
    ("session", WARNING, "1591 2054"),
    (
        "session",
        INFO,
        "1 10 24 28 54 609 1000 1001 1012 1017 1034 1035 1045 1403 2049 2050 2063 2068 2391 2396 3111 3113 "
        "3114 3135 3136 12801 12805 12850 24756 24757 25228",
    ),
    (
        "application",
        INFO,
        "1400 1405 1422 1426 1438 1476 1722 1830 1840 1841 1843 1858 1861 2290 2291 2292 4042 4043 4061 4062 "
        "4063 4064 4065 4067 4068 4088 4091 4092 6502 6503 6504 6508 6510 6512 6530 6531 6532 6533 6544 6550 6553 "
        "12899 29400 29913",
    ),
    ("diagnostics", INFO, "12751 32004 65535"),
    ("flashback", CRITICAL, "38760"),
    ("network", INFO, "1041 28546 28547 28576"),
    ("standby", WARNING, "46952"),
)
_RANGES = (
    (300, 399, "redo_damaged", WARNING),
    (12150, 12699, "network", INFO),
    (13600, 13799, "diagnostics", INFO),
    (15000, 15999, "asm", WARNING),
    (16000, 16949, "standby", WARNING),
    (16950, 16959, "diagnostics", INFO),  # SQL tuning and analysis: "time limit interrupt"
    (16960, 16999, "standby", WARNING),
    (19750, 19779, "change_tracking", WARNING),
    (19500, 19999, "backup", WARNING),
    (20000, 20999, "application", INFO),
    (27000, 27299, "io_error", WARNING),
    (28330, 28449, "keystore", WARNING),
    (29700, 29799, "cluster", WARNING),
    (38700, 38899, "flashback", WARNING),
    (48000, 49999, "diagnostics", INFO),
)
_COMPANIONS = (
    "202 312 604 1110 1111 2063 6512 10560 10561 10562 15012 15018 15025 15032 15055 15056 15081 17502 "
    "17503 17510 17611 17612 19624 27037 27040 27041 27054 27056 27086 27300 27301 27302 27303 39094 "
    "48101 6553"
)

BY_NUMBER = {int(n): (name, severity) for name, severity, numbers in _ROWS for n in numbers.split()}
COMPANIONS = frozenset(int(n) for n in _COMPANIONS.split())
NETWORK_OF_A_STANDBY = frozenset({1017, 1031, 1033, 1034, 1041, 1089, 1090, 3113, 3114, 3135, 28547})
"""Numbers that speak of the far side, beside 12150..12699 and 16000..16999, where the archiver or LGWR reports them."""


def class_of(prefix: str, number: int) -> tuple[str, Severity]:
    """Class and severity of a code: `class_of("ORA", 1578)` is ("corrupt_block", CRITICAL)."""
    if prefix in ("TNS", "NL", "NNF", "NNO"):
        return BY_NUMBER.get(number, ("network", INFO)) if 12516 <= number <= 12520 else ("network", INFO)
    if prefix in ("RMAN", "LRM"):
        return "backup", WARNING
    if prefix != "ORA":
        return ("application", INFO) if prefix in ("PLS", "KUP", "SP2") else ("other", WARNING)
    found = BY_NUMBER.get(number) or next(((c, s) for low, high, c, s in _RANGES if low <= number <= high), None)
    return found or ("other", WARNING)


def is_far_side(number: int) -> bool:
    """True for a number that tells of a standby or the way to it, in a line of the archiver."""
    return 12150 <= number <= 12699 or 16000 <= number <= 16999 or number in NETWORK_OF_A_STANDBY

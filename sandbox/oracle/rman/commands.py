"""RMAN's commands as the simulator knows them: a pattern each. What it does not know is a syntax error, as in RMAN."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from sandbox.oracle.rman import reading, reports, restoring
from sandbox.oracle.rman.session import RmanError, RmanSession

Command = Callable[[RmanSession, re.Match[str]], None]
_LOGICAL = r"(?:CHECK LOGICAL ?)?"
_UNTIL = r"(?:UNTIL SCN (?P<scn>\d+) ?)?"
_SPLIT = re.compile(r"'[^']*'|\"[^\"]*\"|#[^\n]*|[;{}]|[^'\"#;{}]+")


def _scn(match: re.Match[str]) -> int | None:
    return int(match["scn"]) if match["scn"] else None


def _keys(match: re.Match[str]) -> list[int]:
    return [int(k) for k in re.findall(r"\d+", match["keys"])]


def _range(match: re.Match[str]) -> restoring.LogRange:
    told = {name: int(value) for name, value in match.groupdict().items() if value}
    if told.get("at"):
        told["first"] = told["last"] = told.pop("at")
    return restoring.LogRange(**told)


_LOGS = (
    r"(?:ALL|SEQUENCE (?P<at>\d+)|SEQUENCE BETWEEN (?P<first>\d+) AND (?P<last>\d+)|"
    r"SCN BETWEEN (?P<first_scn>\d+) AND (?P<last_scn>\d+))"
)
_FROM = r"FROM SEQUENCE (?P<first>\d+)(?: UNTIL SEQUENCE (?P<last>\d+))?"
_FROM_SCN = r"FROM SCN (?P<first_scn>\d+)(?: UNTIL SCN (?P<last_scn>\d+))?"
_OF_THREAD = r"(?: THREAD (?P<thread>\d+))?"
_AUTO = r"(?P<auto>FROM AUTOBACKUP )?"

COMMANDS: tuple[tuple[str, str, Command], ...] = (
    (
        "validate",
        rf"VALIDATE BACKUPSET (?P<keys>\d+(?: ?, ?\d+)*) ?{_LOGICAL}",
        lambda s, m: reading.validate_backupset(s, _keys(m)),
    ),
    ("validate", rf"VALIDATE DATAFILECOPY (?P<key>\d+) ?{_LOGICAL}", lambda s, m: reading.validate_copy(s, int(m["key"]))),
    ("validate", rf"VALIDATE {_LOGICAL}DATABASE ?{_LOGICAL}", lambda s, _: reading.validate_database(s)),
    (
        "restore",
        rf"RESTORE DATABASE {_UNTIL}VALIDATE ?{_LOGICAL}{_UNTIL.replace('scn', 'scn2')}",
        lambda s, m: restoring.restore_database(s, int(m["scn"] or m["scn2"] or 0) or None),
    ),
    (
        "restore",
        rf"RESTORE DATABASE {_UNTIL}PREVIEW ?(?P<summary>SUMMARY)?",
        lambda s, m: restoring.preview(s, _scn(m), bool(m["summary"])),
    ),
    ("restore", rf"RESTORE CONTROLFILE {_AUTO}VALIDATE", lambda s, m: restoring.restore_controlfile(s, bool(m["auto"]))),
    ("restore", rf"RESTORE SPFILE {_AUTO}VALIDATE", lambda s, m: restoring.restore_spfile(s, bool(m["auto"]))),
    ("restore", r"RESTORE CONTROLFILE VALIDATE FROM AUTOBACKUP", lambda s, _: restoring.restore_controlfile(s, True)),
    ("restore", r"RESTORE SPFILE VALIDATE FROM AUTOBACKUP", lambda s, _: restoring.restore_spfile(s, True)),
    *(
        (
            "restore",
            rf"RESTORE ARCHIVELOG {form}{_OF_THREAD} VALIDATE ?{_LOGICAL}",
            lambda s, m: restoring.restore_logs(s, _range(m)),
        )
        for form in (_LOGS, _FROM, _FROM_SCN)
    ),
    ("report", r"REPORT NEED BACKUP", lambda s, _: reports.need_backup(s)),
    ("report", r"REPORT UNRECOVERABLE", lambda s, _: reports.unrecoverable(s)),
    ("crosscheck", r"CROSSCHECK BACKUP", lambda s, _: reports.crosscheck(s)),
    ("list", r"LIST BACKUP SUMMARY", lambda s, _: reports.list_summary(s)),
    ("show", r"SHOW ALL", lambda s, _: reports.show_all(s)),
    ("allocate", r"ALLOCATE CHANNEL .*", lambda s, _: s.channel()),
    ("release", r"RELEASE CHANNEL .*|SET .*|CONFIGURE .*", lambda s, _: None),
)


def split(script: str) -> Iterator[str]:
    """Commands of a script, without comments, semicolons and the braces of RUN."""
    command = ""
    for token in _SPLIT.findall(script):
        if token in ("{", "}", ";"):
            if command.strip() and command.strip().upper() != "RUN":
                yield " ".join(command.split())
            command = ""
        elif not token.startswith("#"):
            command += token
    if command.strip() and command.strip().upper() not in ("EXIT", "QUIT"):
        yield " ".join(command.split())


def known(command: str) -> tuple[str, Callable[[RmanSession], None]]:
    """Name of a command and what it does. Raises RmanError RMAN-00558."""
    for name, pattern, act in COMMANDS:
        if match := re.fullmatch(pattern, command, re.IGNORECASE):
            return name, lambda session, match=match, act=act: act(session, match)
    word = command.split()[0].lower() if command.split() else ""
    raise RmanError(("RMAN-00558", {}), ("RMAN-01009", {"word": word}))

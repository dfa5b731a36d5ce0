"""What RMAN writes, as far as it can be told from ASCII: patterns over bytes, and the few translated words.

Translated words only ever help (they turn an error that was overcome into a warning, or name the language); nothing
that is needed to see a failure depends on them. Layouts: Backup and Recovery Reference, "RMAN Output"; messages by
number: Database Error Messages, RMAN-00550 to RMAN-20507.
"""

from __future__ import annotations

import re

CODE = re.compile(rb"(?<![\w./$#\\'\"=%*|`-])(RMAN|ORA|LRM)-(\d{3,5})(?![\w/-])")
PROMPTS = re.compile(rb"\s*(?:(?:RMAN>|\d{1,4}>)\s?)+")
SHELL_LINE = re.compile(rb"(?:\[?[\w.-]+@[\w.-]+[^$#>]{0,80}[$#>]|[$+%])\s|[A-Z]:\\[^>\s]{0,120}>|\s*(?:#|--(?!-)|rem\s)", re.I)
FOREIGN_TOOL = re.compile(rb"SQL> |SQL\*Plus|SQLcl|DBVERIFY|LSNRCTL|ASMCMD>|Export: Release|Import: Release")
BANNER = re.compile(rb"^\s*(\S.{1,60}?)\s*(?::|\xef\xbc\x9a|\xa3\xba|\x81\x46)\s*Release (\d+(?:\.\d+)+)")
SPOOL_BANNER = re.compile(rb"^\s*Recovery Manager\s?(\d+(?:\.\d+){2,})\s*$")
RMAN_SPEAKS = (
    b"RMAN-00571",
    b"RMAN-00569",
    b"host command complete",
    b"Starting ",
    b"Finished ",
    b"allocated channel",
    b"using channel",
)
CHANNEL_LINE = re.compile(
    rb"(?:channel ([A-Za-z_][\w$#]{0,39})|(?:[Kk]anal |canale? |[\x80-\xff]{2,24} ?)(ORA_(?:DISK|SBT_TAPE)_\d{1,4}))"
    rb" ?: (?!Release )"
)
VERSION = re.compile(rb"^\s*Version (\d+(?:\.\d+)+)\s*$")
DBID = re.compile(rb"(?:(?<![\w$#-])([A-Za-z][\w$#-]{0,29}))?\s?\(DBID=(\d{1,12})")
DASHES = re.compile(rb"\s*-{2,}[- ]*$")
_ELAPSED = re.compile(rb"(?:(?<!\d):|\xef\xbc\x9a|\xa3\xba|\x81\x46)\s{0,2}\d{1,4} ?: ?\d\d ?: ?\d\d$")

WARNING_WORDS = tuple(
    word.encode(page)
    for page, words in {
        "utf-8": ("warning", "warnung", "avertissement", "advert", "aviso", "警告", "경고", "attention"),
        "gb18030": ("警告",),
        "cp932": ("警告",),
        "euc_jp": ("警告",),
        "euc_kr": ("경고",),
    }.items()
    for word in words
)
_WARNING_WORD = re.compile(rb"[^:]*:[\s*]*(?:" + b"|".join(map(re.escape, WARNING_WORDS)) + rb")", re.I)
WARNING_NUMBERS = frozenset(range(6207, 6215)) | {5158, 6060, 6061, 6497, 6554, 6820, 6900, 6901, 6908, 6909, 7553, 7554}
WARNING_NUMBERS |= {8120, 8132, 8137, 8138, 8139, 8187, 8591}
WARNING_ORA = frozenset([19815, 28002, 28011])  # the recovery area fills; the password expires soon
DELETE_SKIPPED = range(6207, 6215)  # one block of lines, one warning
BANNER_NUMBERS = frozenset([569, 571])
PLACE_CODES = frozenset(["RMAN-01006", "RMAN-01007", "RMAN-01008", "ORA-06512", "ORA-01110", "ORA-00312"])
WRAPPERS = frozenset(["RMAN-03002", "RMAN-03009", "RMAN-03015", "RMAN-03013", "RMAN-03014"])

# Numbers that stand for an error even where no banner stands above them (a log that was filtered, or an excerpt).
_ERROR_RANGES = ((550, 568), (570, 570), (578, 699), (1000, 1099), (3000, 3029), (4000, 4099), (5000, 5999))
_ERROR_RANGES += ((10000, 10099), (11000, 11099), (12000, 12013), (20000, 20999))
_ERRORS_AMONG_06000 = {6003, 6004, 6015, 6017, 6018, 6020, 6023, 6024, 6025, 6026, 6031, 6034, 6038, 6053, 6054, 6055}
_ERRORS_AMONG_06000 |= {6056, 6059, 6091, 6094, 6096, 6100, 6101, 6102, 6129, 6132, 6134, 6136, 6160, 6169, 6171, 6172}
_ERRORS_AMONG_06000 |= {6183, 6184, 6189, 6403, 6413, 6428, 6429, 6431, 6433, 6435, 6445, 6457, 6495, 6496, 6500, 6508}
_ERRORS_AMONG_06000 |= {6525, 6571, 6613, 6617, 6726, 6730, 6754, 6760, 6801, 6817, 6823}


def says_warning(line: bytes) -> bool:
    """True where the word warning stands right after the number, as in `RMAN-08120: WARNING: ...`, in any case."""
    return bool(_WARNING_WORD.match(line[:160]))


def stands_for_an_error(number: int) -> bool:
    """True where an RMAN- number is an error by itself; with MSGNO, RMAN numbers its friendly messages too."""
    return number in _ERRORS_AMONG_06000 or any(low <= number <= high for low, high in _ERROR_RANGES)


def is_informational(number: int) -> bool:
    """True for messages that are never an error, so that they end a stack (MSGNO: 03090 starting, 08xxx channels)."""
    return number in (572, 3030, 3031, 3032, 3033, 3034, 3035, 3036, 3090, 3091) or 8000 <= number <= 8999


def _in_pages(*pairs: tuple[str, str]) -> tuple[bytes, ...]:
    return tuple({text.encode(page) for text, pages in pairs for page in ("utf-8", *pages.split())})


def _any_of(words: tuple[bytes, ...]) -> re.Pattern[bytes]:
    return re.compile(b"|".join(map(re.escape, words)))


# RMAN goes on by itself after an error of a channel.
_OVERCOME = _in_pages(
    ("failover", ""),
    ("Failover", ""),
    ("basculement", ""),
    ("故障转移", "gb18030"),
    ("フェイルオーバー", "cp932 euc_jp"),
    ("フェイルオーバ", "cp932 euc_jp"),
    ("장애 조치", "euc_kr"),
    ("페일오버", "euc_kr"),
    ("starting Oracle instance without parameter file", ""),
    ("will be run on another channel", ""),
    ("在其他通道上运行", "gb18030"),
    ("在另一通道上运行", "gb18030"),
    ("別のチャネルで実行", "cp932 euc_jp"),
)
_EXPIRED = _in_pages(
    ("validation failed for archived log", ""),
    ("validation failed for datafile copy", ""),
    ("validation failed for control file copy", ""),
    ("validation failed for backup piece", ""),
    ("对归档日志的验证失败", "gb18030"),
    ("归档日志的验证失败", "gb18030"),
    ("归档日志验证失败", "gb18030"),
    ("アーカイブ・ログの検証に失敗", "cp932 euc_jp"),
    ("Validierung nicht erfolgreich", ""),
    ("échec de la validation", "cp1252"),
    ("fallo en la validación", "cp1252"),
    ("falha na validação", "cp1252"),
)
# A data file of five digits that a backup left out, since it has not changed or was backed up already.
_SKIPPING = _in_pages(
    ("スキップ", "cp932 euc_jp"),
    ("跳过", "gb18030"),
    ("건너", "euc_kr"),
    ("bersprungen", ""),
)
# The name of the program as its own banner gives it, and the line that it ends with.
_ENDS = _in_pages(
    ("Recovery Manager complete", ""),
    ("恢复管理器完成", "gb18030"),
    ("復旧マネージャが完了", "cp932 euc_jp"),
    ("リカバリ・マネージャが完了", "cp932 euc_jp"),
    ("Recovery Managerが完了", "cp932 euc_jp"),
    ("Recovery Manager가 완료", "euc_kr"),
    ("복구 관리자가 완료", "euc_kr"),
    ("Recovery Manager abgeschlossen", ""),
    ("Recovery Manager beendet", ""),
    ("Recovery Manager terminé", "cp1252 cp850"),
    ("Recovery Manager terminado", ""),
    ("Recovery Manager finalizado", ""),
    ("Recovery Manager ha terminado", ""),
    ("Recovery Manager concluído", "cp1252 cp850"),
    ("Recovery Manager completo", ""),
    ("Gestionnaire de récupération terminé", "cp1252 cp850"),
    ("Wiederherstellungsmanager abgeschlossen", ""),
)
PROGRAM = b"Recovery Manager"
OVERCOME = _any_of(_OVERCOME)
_SKIP = b"(?:" + _any_of(_SKIPPING).pattern + b")"
SKIPPED_FILE = re.compile(rb"^(?=[^=/]{0,120}?" + _SKIP + rb")[^=/\d]{0,80}(\d{5})(?!\d)")
EXPIRED_WORDS = _any_of(_EXPIRED)
END = re.compile(rb"\s*(?:" + b"|".join(re.escape(end) for end in (*_ENDS, b"Spooling for log turned off")) + rb")")

_LANGUAGE_WORDS = {
    "zh": ("gb18030", ("通道", "备份", "数据文件", "恢复管理器")),
    "ja": ("cp932", ("チャネル", "データファイル", "ターゲット")),
    "ko": ("cp949", ("채널", "데이터 파일", "대상 데이터베이스")),
    "de": ("cp1252", ("Kanal ", "Datendatei", "wurde beendet", "Zieldatenbank")),
    "pt": ("cp1252", ("banco de dados", "conectado ao banco", "parte de backup", "arquivo de dados de entrada")),
    "es": ("cp1252", ("base de datos", "copia de seguridad", "Empezando", "juego de copias")),
    "fr": ("cp1252", ("fichier de donn", "marrage de", "base de donn", "canal ORA_DISK_1 :")),
    "en": ("cp1252", ("connected to target database", "allocated channel:", "channel ORA_DISK_1:", "Recovery Manager complete.")),
}
LANGUAGE_SIGNS: tuple[tuple[bytes, str, str], ...] = tuple(
    (word.encode(page), language, code_page)
    for language, (code_page, words) in _LANGUAGE_WORDS.items()
    for word in words
    for page in dict.fromkeys(("utf-8", code_page, "euc_jp" if language == "ja" else "utf-8"))
)

# Lines that begin in a way of their own; every other line goes straight on to channels, codes and tables.
_SPECIAL = (
    rb"DBG[A-Z]*:",
    rb"\s*(?:RMAN>|\d{1,4}>)",
    rb"\s*(?:SQL[> *c]|DBVERIFY|LSNRCTL|ASMCMD>|Export: |Import: |Version )",
    rb"\s*Recovery Manager",
    SHELL_LINE.pattern,
    END.pattern,
)
SPECIAL = re.compile(b"|".join(_SPECIAL), re.I)
_SPECIAL_STARTS = (
    *(b"DBG", b"RMAN>", b"SQL", b"DBVERIFY", b"LSNRCTL", b"ASMCMD", b"Export:", b"Import:", b"Version ", b"Recovery Manager"),
    *(b"#", b"--", b"rem ", b"REM ", b"Rem ", b"[", b"$ ", b"+ ", b"% ", b"Gestionnaire", b"Wiederherstellungsm", b"Spooling"),
)


def is_closing_word(rest: bytes) -> bool:
    """True for what may follow the name of the program in its last line, in a language whose banner the log lacks."""
    return len(rest) <= 40 and len(rest.split()) <= 3 and b"(" not in rest and (rest.endswith(b".") or not rest.isascii())


def ends_in_elapsed(line: bytes) -> bool:
    """True for a line that ends with a duration, hh:mm:ss after a colon; a time of day stands after a date."""
    end = line.rstrip()
    return end[-3:-2] in (b":", b" ") and b":" in end[-5:] and bool(_ELAPSED.search(end[-20:]))


def may_be_special(line: bytes) -> bool:
    """A look at a few bytes: most lines of a large log end here."""
    if line[0] > 127:
        return b":" not in line or b">" in line
    return line.lstrip().startswith(_SPECIAL_STARTS) or b"@" in line or b">" in line[:6] or b":\\" in line[:3]

"""Time lines of a text alert log, in every style since 10g and in the languages that Oracle writes them in.

"Mon Jan 01 12:00:00 2018" (up to 12.1, in the language of the instance), "2024-01-01T12:00:00.123456+08:00" (12.2 on),
"2019-09-25 07:51:49.544000 +07:00" (adrci). The answer is ISO 8601 with the zone that was written, or none.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_ISO = re.compile(rb"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:[.,]\d{1,9})?) ?(Z|[+-]\d\d:?\d\d)?(?=[\s:]|$)(.*)", re.DOTALL)
_OLD = re.compile(
    rb"(\S{1,24}) +(\S{1,24}) +(\d{1,2}),? +(\d\d:\d\d:\d\d)(?:\.\d+)?(?: +(?:[A-Z]{2,5}|[+-]\d\d:?\d\d))?"
    rb" +(\d{4})(?=\s|$)(.*)",
    re.DOTALL,
)
_CODE_PAGES = ("utf-8", "cp1252", "gb18030", "cp932", "cp949", "cp1251", "cp850", "cp866", "cp1250")
_MONTHS = (
    "jan gen ene sty oca янв",
    "feb fev lut sub фев",
    "mar maa mrz mrt мар",
    "apr avr abr kwi nis апр",
    "may mai mag maj mei май мая",
    "jun juin giu cze haz июн",
    "jul juil lug lip tem июл",
    "aug aou ago sie agu авг",
    "sep set wrz eyl сен",
    "oct okt ott out paz eki окт",
    "nov lis kas ноя",
    "dec dez dic gru ara дек",
)
_BY_NAME = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
_NUMERALS = {name: number for number, name in enumerate((*"一二三四五六七八九十", "十一", "十二"), 1)}


def parse_time(line: bytes) -> tuple[str, bytes] | None:
    """Time and what stands behind it on the line; None where the line begins with no time.

    A time of an unknown language comes back as it was written.
    """
    line = line.lstrip()
    if line[:1].isdigit():
        return _iso(line)
    match = _OLD.match(line) if len(line) > 18 else None
    if match is None:
        return None
    weekday, month, day, clock, year, rest = match.groups()
    number = _month(month) or (int(month) if not weekday.isascii() and re.fullmatch(rb"0?[1-9]|1[0-2]", month) else None)
    if number is None:
        return None if month.isascii() else (line[: match.start(6)].decode("utf-8", "replace").strip(), rest)
    return f"{year.decode()}-{number:02d}-{int(day):02d}T{clock.decode()}", rest


def _iso(line: bytes) -> tuple[str, bytes] | None:
    match = _ISO.match(line)
    if match is None:
        return None
    date, clock, zone, rest = match.groups()
    return f"{date.decode()}T{clock.decode().replace(',', '.')}{(zone or b'').decode()}", rest


@lru_cache(maxsize=256)
def _month(name: bytes) -> int | None:
    """Number of a month by its short name, tried in every code page that Oracle hosts use."""
    if name[:1].isdigit():  # Chinese, Japanese and Korean write a number before the sign for month
        digits = re.match(rb"\d+", name)
        return int(digits[0]) if digits and 1 <= int(digits[0]) <= 12 and not name.isascii() else None
    for code_page in ("ascii",) if name.isascii() else _CODE_PAGES:
        if found := _named(name.decode(code_page, "replace")):
            return found
    return None


def _named(text: str) -> int | None:
    if text[-1:] in ("月", "월") and text[:-1] in _NUMERALS:
        return _NUMERALS[text[:-1]]
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    letters = plain.rstrip(".,")
    return _BY_NAME.get(letters[:4]) or _BY_NAME.get(letters[:3])

"""Dates in text columns: read, and written back in the very form in which they came.

The forms that Oracle and PostgreSQL systems of our buyers hold: 2024-01-31, 2024/1/31, 2024.01.31, 20240131, 20240131235959,
2024年1月31日, each with a time of day and a time zone behind it or not, 31-JAN-24 and 31-1月 -24 (Oracle's defaults), full-width
digits too. What is none of them is not read.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_YMD = re.compile(r"(\s*)(\d{4})([-/.年]\s?)(\d{1,2})([-/.月]\s?)(\d{1,2})(日?)(?=$|[\sT])(.*)", re.S)
_COMPACT = re.compile(
    r"(\s*)(\d{4})(\d{2})(\d{2})((?:[ T]?\d{2}(?::?\d{2}(?::?\d{2}(?:\.?\d{1,9})?)?)?)?\s*(?:Z|[+-]\d{2}:?\d{2})?\s*)\Z", re.I
)
_ORACLE = re.compile(r"(\s*)(\d{1,2})(-)([A-Za-z]{3}|\d{1,2}月\s?)(-)(\d{4}|\d{2})(?=$|\s)(.*)", re.S)
_TIME = re.compile(
    r"\s*\Z|[ T]\s{0,3}(?:[01]?\d|2[0-4])(?:[:.][0-5]\d(?:[:.][0-6]\d(?:[.,]\d{1,9})?)?)?\s{0,2}(?:AM|PM|上午|下午)?\s{0,2}"
    r"(?:Z|UTC|[+-]\d{1,2}(?::?\d{2})?|[A-Za-z]+/[A-Za-z_]+)?\s*\Z",
    re.I,
)
_WIDE_DIGIT = re.compile("[０-９]")


@dataclass(frozen=True)
class WrittenDate:
    """A date and how it was written. `two_digits`: the century was left out (50 … 99 are 1950 … 1999, as Oracle's RR)."""

    day: date
    template: str  # with {y}, {m}, {d}
    pads: tuple[int, int]
    month_name: str  # "" for digits, else the name as it stood
    two_digits: bool
    wide: bool

    def with_day(self, day: date) -> str:
        """The same text for another day."""
        year = f"{day.year % 100:02d}" if self.two_digits else f"{day.year:04d}"
        month = _named(day.month, self.month_name) if self.month_name else f"{day.month:0{self.pads[0]}d}"
        text = self.template.replace("{y}", year).replace("{m}", month).replace("{d}", f"{day.day:0{self.pads[1]}d}")
        return text.translate(_TO_WIDE) if self.wide else text

    def at_midnight(self) -> WrittenDate:
        """The same form with a time of 0 (12 where it says AM or PM); the zone stays."""
        head, mark, tail = (
            self.template.partition("{d}")
            if self.template.rfind("{d}") > self.template.rfind("{y}")
            else (self.template.partition("{y}"))
        )
        time = _ZONE.search(tail)
        zone = tail[time.start() :] if time else ""
        digits = _DIGIT.sub("0", tail[: len(tail) - len(zone)])
        if _HALVES.search(digits):
            digits = _HALVES.sub(lambda m: {"PM": "AM", "下午": "上午", "pm": "am"}.get(m[0], m[0]), digits)
            digits = re.sub(r"0{1,2}", "12", digits, count=1)
        return replace(self, template=head + mark + digits + zone)


_DIGIT = re.compile("[0-9]")
_ZONE = re.compile(r"(?:Z|UTC|[+-]\d{1,2}(?::?\d{2})?|[A-Za-z]+/[A-Za-z_]+)\s*\Z", re.I)
_HALVES = re.compile("AM|PM|上午|下午", re.I)
_TO_WIDE = {ord("0") + i: chr(0xFF10 + i) for i in range(10)}


def read_date(text: str) -> WrittenDate | None:
    """The date in a text that is a date; None where it is none that there is."""
    if len(text) > 64 or "{" in text:
        return None
    wide = bool(_WIDE_DIGIT.search(text))
    plain = _WIDE_DIGIT.sub(lambda m: unicodedata.normalize("NFKC", m[0]), text) if wide else text
    if not plain.isascii() and not re.fullmatch(r"[\x00-\x7f年月日上下午]*", plain):
        return None
    try:
        return _by_marks(plain, wide) or _compact(plain, wide) or _oracle(plain, wide)
    except ValueError:
        return None


def _by_marks(text: str, wide: bool) -> WrittenDate | None:
    m = _YMD.match(text)
    if not m or not _TIME.match(m[8]):
        return None
    template = f"{m[1]}{{y}}{m[3]}{{m}}{m[5]}{{d}}{m[7]}{m[8]}"
    return WrittenDate(date(int(m[2]), int(m[4]), int(m[6])), template, _pads(m[4], m[6]), "", False, wide)


def _pads(month: str, day: str) -> tuple[int, int]:
    """2024-5-31 has no zeros in front, so neither have its other dates."""
    return (1, 1) if len(month) == 1 or len(day) == 1 else (2, 2)


def _compact(text: str, wide: bool) -> WrittenDate | None:
    m = _COMPACT.match(text)
    if not m:
        return None
    return WrittenDate(date(int(m[2]), int(m[3]), int(m[4])), f"{m[1]}{{y}}{{m}}{{d}}{m[5]}", (2, 2), "", False, wide)


def _oracle(text: str, wide: bool) -> WrittenDate | None:
    m = _ORACLE.match(text)
    if not m or not _TIME.match(m[7].replace(".", ":", 2)):
        return None
    number = m[4].strip().removesuffix("月")
    month = int(number) if number.isdigit() else _MONTHS.index(number.upper()) + 1
    year = int(m[6])
    if len(m[6]) == 2:
        year += 1900 if year >= 50 else 2000
    template = f"{m[1]}{{d}}{m[3]}{{m}}{m[5]}{{y}}{m[7]}"
    return WrittenDate(date(year, month, int(m[2])), template, (2, len(m[2])), m[4], len(m[6]) == 2, wide)


def _named(month: int, like: str) -> str:
    """A month's name as the old one was written: JAN, Jan, jan, `1月 `."""
    if "月" in like:
        return f"{month}月".ljust(len(like))
    name = _MONTHS[month - 1]
    return name if like.isupper() else name.lower() if like.islower() else name.capitalize()

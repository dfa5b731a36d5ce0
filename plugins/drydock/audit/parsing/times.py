"""Times of audit records: every shape that Oracle, PostgreSQL, syslog and the products write, and how their zone is known."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from drydock.audit.parsing.records import Zone


class Moment(NamedTuple):
    """A time in UTC, how its zone is known, and a doubt for people."""

    time: datetime | None
    zone: Zone
    doubt: str = ""
    year_assumed: bool = False


NOWHEN = Moment(None, Zone.NONE)
_ENGLISH = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CHINESE = ("一月", "二月", "三月", "四月", "五月", "六月", "七月", "八月", "九月", "十月", "十一月", "十二月")
_MONTHS = {name: n for names in (_ENGLISH, _CHINESE) for n, name in enumerate(names, 1)} | {f"{n}月": n for n in range(1, 13)}
_HOURS = {"EST": -5, "EDT": -4, "PST": -8, "PDT": -7, "MST": -7, "MDT": -6, "CDT": -5, "CET": 1, "CEST": 2, "MET": 1}
_HOURS |= {"MEST": 2, "EET": 2, "EEST": 3, "WET": 0, "WEST": 1, "MSK": 3, "JST": 9, "KST": 9, "HKT": 8, "SGT": 8}
_HOURS |= {"AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13, "SAST": 2, "BRT": -3, "AKST": -9, "HST": -10}
_UTC_NAMES = frozenset({"UTC", "GMT", "Z", "UCT", "ZULU", "ETC/UTC", "GMT0", "+00"})

_CLOCK = r"(?P<h>\d{1,2})[:.](?P<mi>\d{2})(?:[:.](?P<s>\d{2})(?:[.,:](?P<f>\d{1,9}))?)?"
_HALF = r"(?:\s*(?P<half>[AP]\.?M\.?|上午|下午))?"
_ZONE = r"(?:\s*(?P<zone>Z|[+-]\d{1,2}(?::?\d{2})?(?::\d{2})?|[A-Za-z]{2,5}(?:[+-]\d{1,2})?|[A-Z][A-Za-z_]+/[A-Za-z_/]+))?"
_TAIL = rf"{_CLOCK}{_HALF}{_ZONE}\Z"
_SHAPES = tuple(
    re.compile(shape, re.IGNORECASE)
    for shape in (
        rf"(?P<y>\d{{4}})[-/.年](?P<mo>\d{{1,2}})[-/.月](?P<d>\d{{1,2}})日?(?:T|\s*)(?:{_TAIL}|\Z)",
        rf"(?:[A-Za-z]{{3,9}},?\s+)(?P<mon>[A-Za-z]{{3,9}})\s+(?P<d>\d{{1,2}})\s+{_CLOCK}{_HALF}(?:\s+(?P<zone1>[A-Z]{{3,5}}))?"
        rf"\s+(?P<y>\d{{4}}){_ZONE}\Z",
        rf"(?P<d>\d{{1,2}})[-/ ](?P<mon>[A-Za-z]{{3,9}}|\d{{1,2}}月|[一二三四五六七八九十]+月)\s*[-/ ]\s*(?P<y>\d{{4}}|\d{{2}})"
        rf"(?:[\s:T]+{_TAIL}|\Z)",
        rf"(?:[A-Za-z]{{3}},\s+)?(?P<d>\d{{1,2}})\s+(?P<mon>[A-Za-z]{{3}})\s+(?P<y>\d{{4}})\s+{_TAIL}",
        rf"(?P<mon>[A-Za-z]{{3,9}})\s+(?P<d>\d{{1,2}}),?\s+(?P<y>\d{{4}}),?\s+(?:@\s+)?{_TAIL}",
        rf"(?P<a>\d{{1,2}})[/.-](?P<b>\d{{1,2}})[/.-](?P<y>\d{{4}}|\d{{2}}),?(?:\s+{_TAIL}|\Z)",
        r"(?P<y>\d{4})(?P<mo>\d{2})(?P<d>\d{2})[T ]?(?P<h>\d{2})(?P<mi>\d{2})(?P<s>\d{2})(?:[.,]?(?P<f>\d{1,9}))?"
        r"(?P<zone>Z|[+-]\d{2}:?\d{2})?\Z",
        rf"(?P<mon>[A-Za-z]{{3}})\s+(?P<d>\d{{1,2}})\s+{_TAIL}",
    )
)
_BACKWARDS = re.compile(r" (\d\d:\d\d)([+-])\Z")  # an old Oracle wrote "2013 00:00+"
_EPOCH = re.compile(r"\d{10}(?:\.\d{1,9})?\Z|\d{13}\Z|\d{16}\Z")


def _today() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Clock:
    """How times without zone or year are read: the IANA zone of the option, and the year (None: the newest not in the future)."""

    zone: tzinfo = UTC
    year: int | None = None
    now: Callable[[], datetime] = _today

    def read(self, text: str, is_utc: bool = False) -> Moment:
        """The moment a text tells; `is_utc` where the column is UTC by its definition. NOWHEN where it tells none."""
        text = _BACKWARDS.sub(r" \2\1", text.strip().strip('"').strip())
        return _read(text, is_utc, self) if text else NOWHEN


@lru_cache(maxsize=4096)
def _read(text: str, is_utc: bool, clock: Clock) -> Moment:
    if len(text) > 80:
        return NOWHEN
    try:
        if _EPOCH.match(text):
            whole, _, rest = text.partition(".")
            unit = {10: 1, 13: 1_000, 16: 1_000_000}[len(whole)]
            micro = int(whole) * (1_000_000 // unit) + int(rest[:6].ljust(6, "0") if rest else 0)
            return Moment(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micro), Zone.KNOWN)
        for shape in _SHAPES:
            if found := shape.match(text):
                return _moment(found.groupdict(), is_utc, clock)
    except (ValueError, OverflowError, ZoneInfoNotFoundError):
        pass
    return NOWHEN


def _moment(part: dict[str, str | None], is_utc: bool, clock: Clock) -> Moment:
    month, day, doubt = _month_and_day(part)
    hour = int(part.get("h") or 0)
    if half := (part.get("half") or "").upper().replace(".", ""):
        hour = hour % 12 + (12 if half in ("PM", "下午") else 0)
    clock_part = (hour, int(part.get("mi") or 0), min(int(part.get("s") or 0), 59), int((part.get("f") or "0")[:6].ljust(6, "0")))
    name = part.get("zone") or part.get("zone1") or ""
    if part.get("y"):
        year = int(part["y"] or 0)
        local = datetime(year + 2000 if year < 100 else year, month, day, *clock_part)
        return _placed(local, name, is_utc, clock, doubt)
    local = _newest(month, day, clock_part, clock)
    return _placed(local, name, is_utc, clock, doubt)._replace(year_assumed=True)


_SHORT_YEAR = "a date of three short numbers: read as day, month, year"


def _month_and_day(part: dict[str, str | None]) -> tuple[int, int, str]:
    if part.get("mon"):
        name = (part["mon"] or "").lower()
        if (month := _MONTHS.get(name) or _MONTHS.get(name[:3])) is None:
            raise ValueError(name)
        return month, int(part["d"] or 0), ""
    if part.get("a"):
        a, b = int(part["a"] or 0), int(part["b"] or 0)
        if len(part.get("y") or "") == 2:
            return (b, a, _SHORT_YEAR) if a > 12 or b <= 12 else (a, b, _SHORT_YEAR)
        if a > 12:
            return b, a, ""
        return a, b, "" if b > 12 or a == b else "day and month may be the other way round"
    return int(part["mo"] or 0), int(part["d"] or 0), ""


def _newest(month: int, day: int, clock_part: tuple[int, ...], clock: Clock) -> datetime:
    """In the year of the option, else in the newest year that does not put it into the future (a day of grace)."""
    if clock.year is not None:
        return datetime(clock.year, month, day, *clock_part)
    now = clock.now().replace(tzinfo=None) + timedelta(days=1)
    for year in range(now.year, now.year - 9, -1):
        try:
            local = datetime(year, month, day, *clock_part)
        except ValueError:
            continue  # 29 February
        if local <= now:
            return local
    raise ValueError("no year")


def _placed(local: datetime, name: str, is_utc: bool, clock: Clock, doubt: str) -> Moment:
    if not name:
        here = UTC if is_utc else clock.zone
        return Moment(_utc(local, here), Zone.KNOWN if is_utc else Zone.ASSUMED, doubt)
    if name.upper() in _UTC_NAMES:
        return Moment(local.replace(tzinfo=UTC), Zone.KNOWN, doubt)
    if name[0] in "+-":
        return Moment(_utc(local, _offset(name)), Zone.KNOWN, doubt)
    if "/" in name:
        return Moment(_utc(local, _place(name)), Zone.KNOWN, doubt)
    if local.replace(tzinfo=clock.zone).tzname() == name:
        return Moment(_utc(local, clock.zone), Zone.NAMED, doubt)
    if name.upper() in _HOURS:
        return Moment(_utc(local, timezone(timedelta(hours=_HOURS[name.upper()]))), Zone.NAMED, doubt)
    told = f"the zone name {name} is ambiguous or unknown: read in the zone of --time-zone"
    return Moment(_utc(local, clock.zone), Zone.ASSUMED, "; ".join(filter(None, (doubt, told))))


def _offset(name: str) -> timezone:
    digits = re.sub(r"\D", "", name)
    hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
    delta = timedelta(hours=hours, minutes=minutes)
    return timezone(-delta if name[0] == "-" else delta)


def _utc(local: datetime, zone: tzinfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)


@lru_cache(maxsize=256)
def _place(name: str) -> ZoneInfo:
    """The IANA zone of a name in any case: Oracle writes ASIA/SHANGHAI. Raises ZoneInfoNotFoundError."""
    return ZoneInfo(_place_names().get(name.lower(), name))


@lru_cache(maxsize=1)
def _place_names() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones()}

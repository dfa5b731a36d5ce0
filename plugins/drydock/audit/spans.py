"""The stretches of time that the audit is told of: local days and quarters of a database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

QUARTER = re.compile(r"(\d{4})Q([1-4])\Z")
Span = tuple[datetime, datetime]
"""[begin, end) in UTC."""


class SpanNotYet(ValueError):
    """A day or quarter was asked for that is not over; nothing whole can be said of it."""


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The beginning of a local day, in UTC. A day on which clocks change is 23 or 25 hours long."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def span_of_day(day: date, zone: ZoneInfo) -> Span:
    """The local day, in UTC."""
    return midnight(day, zone), midnight(day + timedelta(days=1), zone)


@dataclass(frozen=True, order=True)
class Quarter:
    """A quarter of the calendar, 1 to 4."""

    year: int
    number: int

    @property
    def first_day(self) -> date:
        return date(self.year, 3 * self.number - 2, 1)

    @property
    def last_day(self) -> date:
        return self.next.first_day - timedelta(days=1)

    @property
    def next(self) -> Quarter:
        return Quarter(self.year + 1, 1) if self.number == 4 else Quarter(self.year, self.number + 1)

    def span(self, zone: ZoneInfo) -> Span:
        """The quarter in the local time of a database, in UTC."""
        return midnight(self.first_day, zone), midnight(self.next.first_day, zone)

    def __str__(self) -> str:
        return f"{self.year}Q{self.number}"


def quarter_of(day: date) -> Quarter:
    """The quarter in which a day lies."""
    return Quarter(day.year, (day.month + 2) // 3)


def quarter_named(text: str) -> Quarter:
    """The quarter that a text such as 2026Q3 names. Raises ValueError."""
    found = QUARTER.match(text.strip().upper())
    if found is None or not 1 <= int(found[1]) <= 9998:
        raise ValueError(f"{text!r} is no quarter; write for example 2026Q3")
    return Quarter(int(found[1]), int(found[2]))


def quarter_ended_by(day: date) -> Quarter | None:
    """The quarter whose last day this is."""
    quarter = quarter_of(day)
    return quarter if day == quarter.last_day else None


def last_whole_day(now: datetime, zone: ZoneInfo, settling: timedelta) -> date:
    """The newest local day that is over, and has settled: its records are written."""
    return (now - settling).astimezone(zone).date() - timedelta(days=1)


def day_wanted(chosen: date | None, interval_start: datetime | None, now: datetime, zone: ZoneInfo, settling: timedelta) -> date:
    """The day that a run is of: the chosen one, else the local day in which its interval begins, else the newest whole day.

    Raises SpanNotYet for a day that is not over.
    """
    newest = last_whole_day(now, zone, settling)
    day = chosen or (interval_start.astimezone(zone).date() if interval_start else newest)
    if day > newest:
        raise SpanNotYet(f"{day} is not over in {zone.key}, or has not settled; choose {newest} or an earlier day")
    return day


def quarter_span(quarter: Quarter, now: datetime, zone: ZoneInfo, settling: timedelta) -> Span:
    """The quarter up to its last whole day, for one that still runs. Raises SpanNotYet where none of its days is over."""
    newest = last_whole_day(now, zone, settling)
    begin, end = quarter.span(zone)
    if newest < quarter.first_day:
        raise SpanNotYet(f"no day of {quarter} is over in {zone.key}; choose {quarter_of(newest)} or an earlier quarter")
    return begin, min(end, span_of_day(newest, zone)[1])


def days_between(begin: datetime, end: datetime, zone: ZoneInfo) -> tuple[date, ...]:
    """The local days of a stretch that begins and ends at midnights."""
    first, last = begin.astimezone(zone).date(), end.astimezone(zone).date()
    return tuple(first + timedelta(days=n) for n in range((last - first).days))


def missed_days(watermark: datetime | None, day: date, zone: ZoneInfo, most: int) -> tuple[date, ...]:
    """The local days before `day` that nobody has collected since the watermark, oldest first, at most so many.

    Without a watermark nothing was ever collected: what lies before the first run is for a backfill.
    """
    if watermark is None:
        return ()
    first = max(watermark.astimezone(zone).date(), day - timedelta(days=most))
    return tuple(first + timedelta(days=n) for n in range((day - first).days))

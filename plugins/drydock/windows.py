"""Low-peak windows of a database as moments: which one is open, which one comes next. Times of day are local to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from drydock.estate import WEEKDAYS, Database
from drydock.verdicts import Model

DAYS_AHEAD = 8  # a window comes at least once a week


class OpenTime(Model):
    """One opening of a window, in UTC. What follows another without a gap is one with it."""

    start: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


def open_now(database: Database, moment: datetime) -> OpenTime | None:
    """The window that is open at that moment, None outside of all."""
    return next((t for t in openings(database, moment) if t.holds(moment)), None)


def next_open(database: Database, moment: datetime) -> OpenTime | None:
    """The window that is open at that moment or opens next; None where none ever opens."""
    return next((t for t in openings(database, moment) if t.end > moment), None)


def openings(database: Database, moment: datetime) -> tuple[OpenTime, ...]:
    """The windows around that moment, from two days before it to a week after it, in order."""
    today = moment.astimezone(database.zone).date()
    days = (today + timedelta(days=n) for n in range(-2, DAYS_AHEAD + 1))
    return tuple(_joined(sorted((t for day in days for t in _of_day(database, day)), key=lambda t: (t.start, t.end))))


def _of_day(database: Database, day: date) -> Iterator[OpenTime]:
    """Windows that open on that day. A clock that is put forward or back makes them shorter or longer."""
    for window in database.low_peak_windows:
        if WEEKDAYS[day.weekday()] in window.days:
            last = day if window.start < window.end else day + timedelta(days=1)
            start, end = (
                datetime.combine(d, t, database.zone).astimezone(UTC) for d, t in ((day, window.start), (last, window.end))
            )
            if start < end:
                yield OpenTime(start=start, end=end)


def _joined(times: list[OpenTime]) -> Iterator[OpenTime]:
    now: OpenTime | None = None
    for t in times:
        if now is None or t.start > now.end:
            if now:
                yield now
            now = t
        else:
            now = OpenTime(start=now.start, end=max(now.end, t.end))
    if now:
        yield now

"""Low-peak windows as moments: over midnight, joined, and in nights whose clock is moved."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from drydock.estate import Database
from drydock.windows import next_open, open_now
from tests.unit import build as b

BERLIN = ZoneInfo("Europe/Berlin")


def with_windows(*windows: dict, zone: str = "Asia/Shanghai") -> Database:
    return b.database(low_peak_windows=list(windows), time_zone=zone)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=b.ZONE)  # the 20th is a Friday


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (at(20, 21, 59), False),
        (at(20, 22), True),
        (at(21, 4, 59), True),
        (at(21, 5), False),
        (at(21, 22), False),
        (at(20, 3), False),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_it_opens(moment: datetime, is_open: bool) -> None:
    database = with_windows({"days": ["fri"], "start": "22:00", "end": "05:00"})
    assert (open_now(database, moment) is not None) is is_open


def test_windows_that_meet_are_one() -> None:
    database = with_windows(
        {"days": ["fri"], "start": "22:00", "end": "00:00"},
        {"days": ["sat"], "start": "00:00", "end": "06:00"},
    )
    found = open_now(database, at(20, 23))
    assert (found.start, found.end) == (at(20, 22), at(21, 6))


def test_the_next_window_is_the_open_one_or_a_later_one() -> None:
    database = with_windows({"days": ["sat"], "start": "01:00", "end": "05:00"})
    assert next_open(database, at(21, 2)).start == at(21, 1)
    assert next_open(database, at(21, 5)).start == at(28, 1)
    assert next_open(database, at(20, 12)).start == at(21, 1)


def test_a_window_in_the_night_in_which_the_clock_is_moved() -> None:
    database = with_windows({"days": ["sun"], "start": "01:00", "end": "04:00"}, zone="Europe/Berlin")
    spring, autumn = datetime(2026, 3, 29, 1, 30, tzinfo=BERLIN), datetime(2026, 10, 25, 1, 30, tzinfo=BERLIN)
    hours = [(w.end - w.start).total_seconds() / 3600 for w in (open_now(database, spring), open_now(database, autumn))]
    assert hours == [2, 4]

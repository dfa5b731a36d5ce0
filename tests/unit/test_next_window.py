"""The window that a plan is made for: over midnight, over a change of clocks, two that touch, none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from drydock.changing.steps import next_window
from drydock.estate import Database
from tests.unit import build as b

SATURDAY = datetime(2026, 11, 21, tzinfo=b.ZONE)  # midnight, local


def database(*windows: tuple[str, str, str], **other: Any) -> Database:
    told = [{"days": days.split(), "start": start, "end": end} for days, start, end in windows]
    return b.database(low_peak_windows=told, **other)


def span(of: Database, now: datetime) -> tuple[datetime, datetime]:
    window = next_window(of, now)
    return window.start.astimezone(of.zone), window.end.astimezone(of.zone)


def test_the_next_window_of_the_week() -> None:
    nightly = database(("sat", "01:00", "05:00"))
    this, hours = SATURDAY + timedelta(hours=1), timedelta(hours=4)
    assert span(nightly, SATURDAY - timedelta(days=1)) == (this, this + hours)
    assert span(nightly, this) == (this, this + hours)
    assert span(nightly, this + timedelta(hours=3, minutes=59)) == (this, this + hours)
    assert span(nightly, this + hours) == (this + timedelta(days=7), this + timedelta(days=7) + hours)


def test_a_window_over_midnight_is_open_on_the_next_day() -> None:
    late = database(("fri", "23:00", "03:00"))
    start = SATURDAY - timedelta(hours=1)
    for now in (start - timedelta(hours=5), start, SATURDAY + timedelta(hours=2)):
        assert span(late, now) == (start, start + timedelta(hours=4))
    assert span(late, SATURDAY + timedelta(hours=3))[0] == start + timedelta(days=7)


def test_windows_that_touch_are_one() -> None:
    two = database(("fri", "22:00", "00:00"), ("sat", "00:00", "04:00"))
    assert span(two, SATURDAY) == (SATURDAY - timedelta(hours=2), SATURDAY + timedelta(hours=4))


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 3), ("2026-10-25", 5), ("2026-06-07", 4)])
def test_a_change_of_clocks_makes_a_night_shorter_or_longer(day: str, hours: int) -> None:
    berlin = database(("sun", "00:00", "04:00"), time_zone="Europe/Berlin")
    window = next_window(berlin, datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(hours=12))
    assert window.end - window.start == timedelta(hours=hours)


def test_the_zone_is_the_database_s_own() -> None:
    nightly = database(("sat", "01:00", "05:00"))
    assert next_window(nightly, SATURDAY).start == datetime(2026, 11, 20, 17, 0, tzinfo=UTC)


def test_a_window_that_never_opens_is_said() -> None:
    never = database(("sat", "01:00", "05:00")).model_copy(update={"low_peak_windows": ()})
    with pytest.raises(LookupError, match="no low-peak window"):
        next_window(never, SATURDAY)

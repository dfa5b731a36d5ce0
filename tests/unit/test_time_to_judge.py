"""As of when a run judges: what was the present when it began stays the present for its late steps."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from drydock.backup.steps import DayNotYet, time_to_judge
from tests.unit.build import database

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime.now(UTC)


def is_now(moment: datetime) -> bool:
    """True for a moment that was taken after this module was loaded, and not in the future."""
    return NOW <= moment <= datetime.now(UTC)


def test_a_run_of_today_judges_the_present():
    assert is_now(time_to_judge(database(), None, NOW - timedelta(minutes=5), NOW))
    assert is_now(time_to_judge(database(), None, None, NOW))


def test_a_late_step_of_a_run_of_today_judges_the_present():
    began_at = NOW - timedelta(hours=30)
    assert is_now(time_to_judge(database(), None, began_at - timedelta(minutes=1), began_at))
    assert is_now(time_to_judge(database(), began_at.astimezone(ZONE).date(), None, began_at))


def test_a_backfill_judges_the_time_of_its_slot():
    slot = NOW - timedelta(days=3)
    assert time_to_judge(database(), None, slot, NOW) == slot


def test_a_chosen_past_day_is_judged_at_its_check_time():
    day = (NOW - timedelta(days=3)).astimezone(ZONE).date()
    assert time_to_judge(database(), day, None, NOW) == datetime(day.year, day.month, day.day, 7, 30, tzinfo=ZONE)


def test_a_day_to_come_is_refused():
    with pytest.raises(DayNotYet, match="2100-01-01 has not come yet"):
        time_to_judge(database(), date(2100, 1, 1), None, NOW)


def test_a_slot_of_the_same_day_that_starts_late_is_the_present():
    noon = datetime(2026, 11, 20, 15, 0, tzinfo=ZONE)
    assert is_now(time_to_judge(database(), None, noon - timedelta(hours=7, minutes=30), noon))


def test_a_weekly_check_judges_no_other_day_than_the_chosen_one():
    weekly = database().model_copy(update={"backup_check": "30 7 * * 0"})
    assert time_to_judge(weekly, date(2026, 11, 18), None, NOW) == datetime(2026, 11, 18, 12, 0, tzinfo=ZONE)
    assert time_to_judge(weekly, date(2026, 11, 15), None, NOW) == datetime(2026, 11, 15, 7, 30, tzinfo=ZONE)

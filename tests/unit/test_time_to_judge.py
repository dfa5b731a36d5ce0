"""As of when a run judges: what was the present when it began stays the present for its late steps."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from drydock.backup.steps import time_to_judge
from tests.unit.build import database

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime.now(UTC)
SECOND = timedelta(seconds=10)


def test_a_run_of_today_judges_the_present():
    assert abs(time_to_judge(database(), None, NOW - timedelta(minutes=5), NOW) - NOW) < SECOND
    assert abs(time_to_judge(database(), None, None, NOW) - NOW) < SECOND


def test_a_late_step_of_a_run_of_today_judges_the_present():
    began_at = NOW - timedelta(hours=30)
    assert abs(time_to_judge(database(), None, began_at - timedelta(minutes=1), began_at) - NOW) < SECOND
    assert abs(time_to_judge(database(), began_at.astimezone(ZONE).date(), None, began_at) - NOW) < SECOND


def test_a_backfill_judges_the_time_of_its_slot():
    slot = NOW - timedelta(days=3)
    assert time_to_judge(database(), None, slot, NOW) == slot


def test_a_chosen_past_day_is_judged_at_its_check_time():
    day = (NOW - timedelta(days=3)).astimezone(ZONE).date()
    assert time_to_judge(database(), day, None, NOW) == datetime(day.year, day.month, day.day, 7, 30, tzinfo=ZONE)


def test_a_day_to_come_is_judged_now():
    assert abs(time_to_judge(database(), date(2100, 1, 1), None, NOW) - NOW) < SECOND

"""Local days and quarters: which one a run is of, and which were missed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from drydock.audit.spans import (
    Quarter,
    SpanNotYet,
    day_wanted,
    days_between,
    missed_days,
    quarter_ended_by,
    quarter_named,
    quarter_of,
    quarter_span,
    span_of_day,
)

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 1, 20, tzinfo=SHANGHAI)
LAG = timedelta(minutes=15)


def test_a_local_day_in_utc() -> None:
    assert span_of_day(date(2026, 11, 21), SHANGHAI) == (
        datetime(2026, 11, 20, 16, tzinfo=UTC),
        datetime(2026, 11, 21, 16, tzinfo=UTC),
    )
    begin, end = span_of_day(date(2026, 3, 29), BERLIN)
    assert end - begin == timedelta(hours=23), "clocks were put forward"


def test_the_day_of_a_run() -> None:
    started = datetime(2026, 11, 20, 1, 20, tzinfo=SHANGHAI).astimezone(UTC)
    assert day_wanted(None, started, NOW, SHANGHAI, LAG) == date(2026, 11, 20), "the local day, not that of UTC"
    assert day_wanted(date(2026, 8, 1), started, NOW, SHANGHAI, LAG) == date(2026, 8, 1)
    assert day_wanted(None, None, NOW, SHANGHAI, LAG) == date(2026, 11, 21)


def test_a_day_that_has_not_settled_is_refused() -> None:
    just_over = datetime(2026, 11, 22, 0, 14, tzinfo=SHANGHAI)
    with pytest.raises(SpanNotYet, match="2026-11-20 or an earlier"):
        day_wanted(date(2026, 11, 21), None, just_over, SHANGHAI, LAG)
    assert day_wanted(date(2026, 11, 21), None, just_over + timedelta(minutes=1), SHANGHAI, LAG) == date(2026, 11, 21)


def test_quarters() -> None:
    assert str(quarter_of(date(2026, 11, 22))) == "2026Q4" and quarter_named(" 2026q3 ") == Quarter(2026, 3)
    assert Quarter(2026, 4).last_day == date(2026, 12, 31) and Quarter(2027, 1).span(SHANGHAI)[0].hour == 16
    ends = [d for d in (date(2026, 1, 1) + timedelta(days=n) for n in range(365)) if quarter_ended_by(d)]
    assert ends == [date(2026, 3, 31), date(2026, 6, 30), date(2026, 9, 30), date(2026, 12, 31)]


@pytest.mark.parametrize("text", ["2026", "2026Q5", "2026Q0", "Q1", "26Q1", "2026Q11", "", "0000Q1", "9999Q4", "2026Q1\n; drop"])
def test_what_is_no_quarter(text: str) -> None:
    with pytest.raises(ValueError, match="2026Q3"):
        quarter_named(text)


def test_a_running_quarter_ends_with_its_last_whole_day() -> None:
    begin, end = quarter_span(Quarter(2026, 4), NOW, SHANGHAI, LAG)
    days = days_between(begin, end, SHANGHAI)
    assert (days[0], days[-1], len(days)) == (date(2026, 10, 1), date(2026, 11, 21), 52)
    assert quarter_span(Quarter(2026, 3), NOW, SHANGHAI, LAG) == Quarter(2026, 3).span(SHANGHAI)
    with pytest.raises(SpanNotYet, match="2026Q4 or an earlier"):
        quarter_span(Quarter(2027, 1), NOW, SHANGHAI, LAG)


def test_days_that_nobody_collected_are_made_up_for() -> None:
    day, zone = date(2026, 11, 21), SHANGHAI
    assert missed_days(None, day, zone, 28) == ()
    assert missed_days(span_of_day(day, zone)[0], day, zone, 28) == ()
    assert missed_days(span_of_day(day, zone)[1], day, zone, 28) == (), "collected already: a run again"
    assert missed_days(span_of_day(date(2026, 11, 18), zone)[1], day, zone, 28) == (date(2026, 11, 19), date(2026, 11, 20))
    assert len(missed_days(datetime(2020, 1, 1, tzinfo=UTC), day, zone, 28)) == 28

"""Silence, clocks, what was not read and what is kept, judged from what was collected: healthy worlds and each damage alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from drydock.audit.health import trail_records, trail_room, trail_state
from drydock.audit.health.trail_parts import Clocks
from drydock.audit.health.trail_room import Room
from drydock.audit.parsing.reading import SPILLOVER
from drydock.audit.policy import AuditPolicy
from drydock.audit.postgres import weaker
from drydock.audit.postgres.trail import rotation_days
from drydock.audit.results import Link, Slice
from drydock.audit.storage.columns import RECORDS
from drydock.calendar import Calendar
from drydock.verdicts import Finding, Status

ZONE = ZoneInfo("Asia/Shanghai")
BEGIN = datetime(2026, 11, 20, tzinfo=ZONE)  # a Friday
END = BEGIN + timedelta(days=1)
POLICY = AuditPolicy()
CALENDAR = Calendar(schema="drydock-calendar/1")
MINUTE = timedelta(minutes=1)


def records(moments: Iterable[tuple[str, datetime]], lag: timedelta | None = None) -> pl.LazyFrame:
    rows = list(moments)
    late = [at + lag if lag is not None else None for _, at in rows]
    given = {"instance": [name for name, _ in rows], "event_time": [at.astimezone(UTC) for _, at in rows], "received_time": late}
    return pl.LazyFrame(given, schema_overrides={n: RECORDS[n] for n in given})


def every(minutes: int, begin: datetime, end: datetime, instance: str = "1") -> list[tuple[str, datetime]]:
    return [(instance, begin + n * minutes * MINUTE) for n in range(int((end - begin) / (minutes * MINUTE)))]


def past(instance: str = "1", days: int = 28, minutes: int = 20, from_hour: int = 0, to_hour: int = 24) -> pl.DataFrame:
    moments: list[tuple[str, datetime]] = []
    for n in range(1, days + 1):
        day = BEGIN - timedelta(days=n)
        moments += every(minutes, day + timedelta(hours=from_hour), day + timedelta(hours=to_hour), instance)
    return trail_records.presence(records(moments), BEGIN - timedelta(days=days), BEGIN)


def gaps(today: list[tuple[str, datetime]], before: pl.DataFrame) -> tuple[Finding, ...]:
    seen = trail_records.presence(records(today), BEGIN, END)
    return trail_records.gaps(POLICY, CALENDAR, ZONE, BEGIN, END, seen, before).findings


def without(moments: list[tuple[str, datetime]], begin_hour: float, end_hour: float) -> list[tuple[str, datetime]]:
    begin, end = BEGIN + timedelta(hours=begin_hour), BEGIN + timedelta(hours=end_hour)
    return [m for m in moments if not begin <= m[1] < end]


def test_a_day_like_the_days_before_has_no_gap() -> None:
    assert gaps(every(20, BEGIN, END), past()) == ()


def test_silence_where_there_always_are_records_is_a_gap() -> None:
    [found] = gaps(without(every(20, BEGIN, END), 3, 5), past())
    assert (found.code, found.status, found.place) == ("trail_gap", Status.WARN, "1 02:40-05:00")
    assert found.values == {"begin": "2026-11-20 02:40", "end": "2026-11-20 05:00", "minutes": 140, "days": 20}


def test_silence_at_the_edges_of_the_day_counts() -> None:
    assert [f.place for f in gaps(without(every(20, BEGIN, END), 0, 2), past())] == ["1 00:00-02:00"]
    assert [f.place for f in gaps(without(every(20, BEGIN, END), 22, 24), past())] == ["1 21:40-00:00"]


def test_silence_that_is_usual_is_none() -> None:
    """At night nobody works, and on one day of the past somebody was late: always is every day."""
    by_day = every(20, BEGIN + timedelta(hours=8), BEGIN + timedelta(hours=20))
    assert gaps(by_day, past(from_hour=8, to_hour=20)) == ()
    late = past(days=27, from_hour=8, to_hour=20)
    odd = trail_records.presence(
        records(every(20, BEGIN - timedelta(days=28) + timedelta(hours=11), BEGIN - timedelta(days=28) + timedelta(hours=20))),
        BEGIN - timedelta(days=28),
        BEGIN,
    )
    assert gaps(without(by_day, 8, 10), pl.concat([odd, late])) == ()


def test_people_who_leave_earlier_are_no_gap_and_a_job_that_does_not_come_is_one() -> None:
    by_day = every(20, BEGIN + timedelta(hours=8), BEGIN + timedelta(hours=20))
    usual = past(from_hour=8, to_hour=20)
    assert gaps(without(by_day, 19.5, 24), usual) == ()
    assert [f.place for f in gaps(without(by_day, 18, 24), usual)] == ["1 17:40-00:00"]
    hourly = every(60, BEGIN, END)
    assert gaps(hourly, past(minutes=60)) == ()
    assert [f.place for f in gaps(without(hourly, 1, 4), past(minutes=60))] == ["1 00:00-04:00"]


def test_an_instance_that_is_silent_the_whole_day_is_told_beside_one_that_is_not() -> None:
    [found] = gaps(every(20, BEGIN, END, "1"), pl.concat([past("1"), past("2")]))
    assert (found.code, found.status, found.place) == ("trail_instance_silent", Status.FAIL, "2")


def test_too_short_a_past_is_told_and_not_judged() -> None:
    [found] = gaps(without(every(20, BEGIN, END), 3, 9), past(days=5))
    assert (found.code, found.status, found.values) == (
        "trail_no_past",
        Status.WARN,
        {"days": 4, "needed": 7},
    )  # one is a Sunday's


def test_nothing_at_all_is_nothing_examined() -> None:
    empty = trail_records.presence(records([]), BEGIN, END)
    assert trail_records.gaps(POLICY, CALENDAR, ZONE, BEGIN, END, empty, empty).examined == 0


def test_a_busy_month_is_a_few_thousand_rows() -> None:
    seen = past(minutes=1)
    assert seen.height == 28 * 24 * 12
    assert seen["records"].sum() == 28 * 24 * 60


def test_two_clocks_of_records() -> None:
    moments = every(20, BEGIN, END)
    assert trail_records.record_clocks(POLICY, records(moments)) == (0, (), {"records_with_two_clocks": 0})
    assert trail_records.record_clocks(POLICY, records(moments, timedelta(seconds=3))).findings == ()
    [found] = trail_records.record_clocks(POLICY, records(moments, timedelta(minutes=8))).findings
    assert (found.code, found.status, found.values["apart_s"]) == ("trail_collector_clock", Status.WARN, 480.0)


def test_the_servers_clock_is_far_only_beyond_what_the_question_took() -> None:
    before, after = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 20, 0, 0, 10, tzinfo=UTC)
    assert Clocks(before, before + timedelta(seconds=4), after).apart_s == 0
    assert Clocks(before, after + timedelta(seconds=61), after).apart_s == 61
    assert Clocks(before, before - timedelta(seconds=61), after).apart_s == -61
    [found] = trail_state.clock(POLICY, Clocks(before, before - timedelta(seconds=61), after)).findings
    assert (found.code, found.status) == ("trail_clock_apart", Status.WARN)


def a_slice(day: date, **changes: object) -> Slice:
    begin = datetime.combine(day, datetime.min.time(), ZONE)
    values = {
        "database": "gz",
        "source": "s",
        "day": day,
        "begin": begin,
        "end": begin + timedelta(days=1),
        "files": (),
        "records": 1,
    }
    return Slice.model_validate(values | {"set_aside": 0} | changes)


def test_spillover_files_are_named() -> None:
    said = (f"a.bin: {SPILLOVER}", "b.csv: Permission denied")  # the other is told by the verdict on collecting
    part = trail_records.unread([a_slice(BEGIN.date(), unread=said)], BEGIN, END)
    assert [(f.code, f.place) for f in part.findings] == [("trail_spill_files", f"a.bin: {SPILLOVER}")]
    assert trail_records.unread([a_slice(BEGIN.date())], BEGIN, END) == (1, (), {"slices": 1, "spillover_files": 0})


def days(first: date, last: date) -> list[Slice]:
    return [a_slice(first + timedelta(days=n)) for n in range((last - first).days + 1)]


def expired(day: date) -> Link:
    return Link(number=1, database="gz", deed="expired", subject={"day": str(day)}, files=(), previous="0" * 64, hash="1")


TODAY = BEGIN.date()


def test_days_in_a_row_are_kept() -> None:
    part = trail_records.retention(POLICY, TODAY, days(TODAY - timedelta(days=40), TODAY), [expired(TODAY - timedelta(days=500))])
    assert (part.findings, part.evidence["days_kept"]) == ((), 41)


def test_a_day_that_is_missing_or_expired_early_is_told() -> None:
    kept = [s for s in days(TODAY - timedelta(days=40), TODAY) if s.day != TODAY - timedelta(days=9)]
    [found] = trail_records.retention(POLICY, TODAY, kept, ()).findings
    assert (found.code, found.status, found.values["days"]) == ("trail_day_missing", Status.WARN, 1)
    early = [expired(TODAY - timedelta(days=n)) for n in (300, 301)]
    [found] = trail_records.retention(POLICY, TODAY, days(TODAY - timedelta(days=40), TODAY), early).findings
    assert (found.code, found.status, found.values["days"]) == ("trail_expired_early", Status.FAIL, 2)


ROOM = {"trail_bytes": 10, "day_bytes": 100.0}


@pytest.mark.parametrize(
    ("free", "code", "status"),
    [(100 * 31, "", Status.PASS), (100 * 29, "trail_full_soon", Status.WARN), (150, "trail_full_soon", Status.FAIL)],
)
def test_days_until_full(free: int, code: str, status: Status) -> None:
    part = trail_room.growth(POLICY, Room(free_bytes=free, **ROOM))
    assert [(f.code, f.status) for f in part.findings] == ([(code, status)] if code else [])


def test_room_that_nobody_sees_is_unknown_and_a_trail_that_does_not_grow_never_full() -> None:
    [found] = trail_room.growth(POLICY, Room(free_bytes=None, **ROOM)).findings
    assert (found.code, found.status) == ("trail_room_unseen", Status.UNKNOWN)
    assert trail_room.growth(POLICY, Room(10, 0.0, 5)).findings == ()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("postgresql-%Y-%m-%d.log", None),
        ("postgresql-%a.log", 7),
        ("postgresql-%H.log", 1),
        ("postgresql.log", 1),
        ("%d.log", 30),
    ],
)
def test_when_a_log_is_written_over(name: str, found: int | None) -> None:
    assert rotation_days(name, datetime(2026, 11, 20, tzinfo=UTC)) == found


@pytest.mark.parametrize(
    ("name", "value", "server", "is_weaker"),
    [
        ("log_statement", "none", "mod", True),
        ("log_statement", "all", "mod", False),
        ("pgaudit.log", "ddl", "ddl, role", True),
        ("pgaudit.log", "all, -misc", "ddl, role", False),
        ("pgaudit.log", "none", "all", True),
        ("log_min_error_statement", "panic", "error", True),
        ("log_min_error_statement", "warning", "error", False),
        ("log_min_duration_statement", "-1", "0", True),
        ("log_min_duration_statement", "5s", "100ms", True),
        ("log_min_duration_statement", "0", "250ms", False),
        ("log_connections", "off", "on", True),
        ("session_preload_libraries", "", "auto_explain", True),
        ("session_preload_libraries", "auto_explain, x", "auto_explain", False),
    ],
)
def test_which_setting_writes_less_down(name: str, value: str, server: str, is_weaker: bool) -> None:
    assert weaker.is_weaker(name, value, {name: server}) is is_weaker


@pytest.mark.parametrize(
    ("declared", "found", "same"),
    [
        ("on", "TRUE", True),
        ("csvlog, stderr", "stderr,csvlog", True),
        ("DB, EXTENDED", "db,extended", True),
        ("ddl", "mod", False),
        ("off", "on", False),
        ("1", "2", False),
    ],
)
def test_what_counts_as_declared(declared: str, found: str, same: bool) -> None:
    assert trail_state.is_same(declared, found) is same


def test_nothing_declared_is_told() -> None:
    part = trail_state.drift(POLICY, {"log_statement": "all"})
    assert [(f.code, f.status) for f in part.findings] == [("trail_not_declared", Status.UNKNOWN)]

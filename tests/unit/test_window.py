"""Restorable windows and the loss of now; no window may reach past a hole in the logs."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.backup.facts import LogRange
from drydock.backup.timelines import Leg, follow, gaps_along
from drydock.backup.window import restorable_windows, rpo_now_s
from tests.unit import build as b


def windows(**changes: Any) -> list[tuple[str, datetime, datetime]]:
    return [(w.set_id, w.start, w.end) for w in restorable_windows(b.survey(**changes))]


def rpo(**changes: Any) -> float | None:
    survey = b.survey(**changes)
    return rpo_now_s(survey, restorable_windows(survey))


def test_a_healthy_archive_is_one_window_from_the_end_of_the_oldest_base() -> None:
    assert windows() == [("set_00", b.SETS[0].finished_at, b.AS_OF - timedelta(minutes=3))]


def test_a_hole_makes_two_windows() -> None:
    first, second = windows(logs=b.logs(b.a_range(0, 1000), b.a_range(1003, b.ALL_SEGMENTS)))
    assert first == ("set_00", b.SETS[0].finished_at, b.archived_at(999))
    assert second == ("set_11", b.SETS[11].finished_at, b.archived_at(b.ALL_SEGMENTS - 1)), "night 10 starts in the hole"


def test_a_damaged_full_backup_takes_its_increments_with_it() -> None:
    damaged = b.with_set(0, problems=(b.a_problem(),))
    assert windows(sets=damaged)[0][:2] == ("set_07", b.SETS[7].finished_at)


def test_without_logs_only_the_ends_of_the_backups_remain() -> None:
    assert windows(sets=b.SETS[:2], logs=None) == [(s.set_id, s.finished_at, s.finished_at) for s in b.SETS[:2]]
    assert rpo(sets=b.SETS[:2], logs=None) == (b.AS_OF - b.SETS[1].finished_at).total_seconds()


def test_a_base_whose_own_logs_are_missing_makes_no_window() -> None:
    assert windows(sets=b.SETS[:1], logs=b.logs(b.a_range(0, 1))) == []
    assert rpo(sets=b.SETS[:1], logs=b.logs(b.a_range(0, 1))) is None
    assert windows(sets=()) == []


def test_a_window_goes_on_over_a_branch() -> None:
    branch = b.position(10) + 5000
    logs = b.logs(b.a_range(0, 1000), b.a_range(1000, 1200, 2), timelines={2: (1, branch)})
    survey = b.survey(sets=b.SETS[:8], logs=logs, target=None)
    (window,) = restorable_windows(survey)
    assert (window.set_id, window.timeline, window.end) == ("set_00", 2, b.archived_at(1199))
    cut = logs.model_copy(update={"ranges": (b.a_range(0, 990), b.a_range(1000, 1200, 2))})
    (window,) = restorable_windows(survey.model_copy(update={"logs": cut}))
    assert (window.timeline, window.end) == (1, b.archived_at(989))


def test_the_server_knows_best_when_its_last_log_was_archived() -> None:
    late = b.archiver(last_archived_at=b.AS_OF - timedelta(minutes=1))
    assert windows(target=b.target(archiver=late))[-1][2] == b.AS_OF - timedelta(minutes=1)
    ahead = b.archiver(last_archived_at=b.AS_OF + timedelta(minutes=9))
    assert windows(target=b.target(archiver=ahead))[-1][2] == b.AS_OF, "never past the moment that is judged"


def idle(**changes: Any) -> dict[str, Any]:
    """A server that archived its last log ten hours ago."""
    moment = b.AS_OF - timedelta(hours=10)
    whole = b.a_range(0, b.ALL_SEGMENTS, last_at=moment)
    target = b.target(**({"archiver": b.archiver(last_archived_at=moment)} | changes))
    return {"logs": b.logs(whole), "target": target}


TEN_HOURS = 36_000.0


def test_the_loss_of_an_idle_server_is_bounded_by_its_archive_timeout() -> None:
    assert rpo() == 180.0
    assert rpo(**idle()) == 300.0


def test_the_bound_needs_the_servers_own_word() -> None:
    ten_hours_ago = b.AS_OF - timedelta(hours=10)
    assert rpo(**idle(position=b.target().position + b.SEGMENT)) == TEN_HOURS, "a whole segment waits"
    assert rpo(**idle(position=None)) == TEN_HOURS
    assert rpo(**idle(archiver=b.archiver(last_archived_at=ten_hours_ago, timeout_s=0))) == TEN_HOURS
    failed = b.archiver(last_archived_at=ten_hours_ago, last_failed_at=b.AS_OF)
    assert rpo(**idle(archiver=failed)) == TEN_HOURS
    assert rpo(**(idle() | {"target": None})) == TEN_HOURS
    assert rpo(**idle(reachable=False)) == TEN_HOURS
    assert rpo(**idle(), surveyed_at=b.AS_OF + timedelta(hours=2)) == TEN_HOURS, "a backfill asks no live server"


def test_a_hole_before_the_newest_logs_is_not_bounded() -> None:
    logs = b.logs(b.a_range(0, 1900), b.a_range(1903, b.ALL_SEGMENTS))
    assert rpo(logs=logs) == (b.AS_OF - b.archived_at(1899)).total_seconds()


def _ranges_of(missing: set[int]) -> tuple[LogRange, ...]:
    """Ranges of all segments but the missing ones."""
    edges = [-1, *sorted(missing), b.ALL_SEGMENTS]
    return tuple(b.a_range(a + 1, c) for a, c in pairwise(edges) if a + 1 < c)


HOLES = st.sets(st.integers(0, b.ALL_SEGMENTS - 1), min_size=1, max_size=12)
BASES = st.sets(st.integers(0, b.NIGHTS - 1), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(HOLES, BASES)
def test_no_window_reaches_past_a_hole(missing: set[int], nights: set[int]) -> None:
    sets = tuple(b.a_set(n, level="full", parent_id=None, parent_position=None) for n in sorted(nights))
    found = restorable_windows(b.survey(sets=sets, logs=b.logs(*_ranges_of(missing)), target=None))
    for window in found:
        night = int(window.set_id[-2:])
        after = [m for m in missing if m >= night * b.SEGMENTS_A_DAY]
        if after:
            assert window.end <= max(b.archived_at(min(after)), window.start)
    covered = {n for n in nights if not any(n * 100 <= m <= n * 100 + 2 for m in missing)}
    assert {w.set_id for w in found} <= {f"set_{n:02}" for n in covered}
    assert bool(found) == bool(covered)


@settings(max_examples=60, deadline=None)
@given(HOLES)
def test_every_missing_segment_lies_in_a_gap_or_behind_the_end(missing: set[int]) -> None:
    logs = b.logs(*(_ranges_of(missing) or (b.a_range(0, 1),)))
    legs = (Leg(1, b.position(0), None),)
    gaps = list(gaps_along(logs, legs))
    in_gaps = {n for g in gaps for n in range(_number(g.first_position), _number(g.end_position))}
    last = max(_number(r.end_position) for r in logs.ranges)
    assert in_gaps == {m for m in missing if m < last}
    assert sum(g.segments(b.SEGMENT) for g in gaps) == len(in_gaps)
    reach = follow(logs, legs)
    assert (_number(reach.end_position) if reach else 0) == min(missing)


def _number(position: int) -> int:
    return (position - b.position(0)) // b.SEGMENT

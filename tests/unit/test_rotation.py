"""What is read when: the newest always, the rest in turn, nothing twice in a day, everything within the period."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.backup.facts import BackupSet, Level, Survey
from drydock.backup.log_pieces import cut_range, log_pieces
from drydock.backup.results import Read, ReadUnit
from drydock.backup.rotation import ReadTask, choose_drill_chain, choose_reads, coverage, drill_is_due
from drydock.policy import BackupPolicy
from tests.unit import build as b

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEWEST_FULL, LAST_NIGHT = "set_14", "set_19"


def choose(reads: tuple[Read, ...] = (), **changes: object) -> tuple[ReadTask, ...]:
    return choose_reads(b.survey(**changes), reads, b.POLICY, b.AS_OF)


def tip() -> str:
    """The newest 64 log segments."""
    return f"{b.name(b.ALL_SEGMENTS - 64)}..{b.name(b.ALL_SEGMENTS - 1)}"


def test_the_newest_full_backup_and_the_newest_logs_come_first() -> None:
    first, night, second = choose(b.read_all(DAY))[:3]
    assert (first.subject, first.reason, first.unit, first.backup_set) == (NEWEST_FULL, "newest", ReadUnit.SET, b.SETS[14])
    assert (night.subject, night.reason) == (LAST_NIGHT, "newest")
    assert (second.subject, second.reason, second.unit) == (tip(), "newest", ReadUnit.LOGS)
    assert (second.log_range.segments, second.total_bytes) == (64, 64 * b.SEGMENT)


def test_what_was_never_read_goes_before_what_was_read_longest_ago() -> None:
    reads = tuple(b.read_of(s, timedelta(days=1 + n / 100)) for n, s in enumerate(b.SETS) if n not in (5, 6))
    order = [(t.subject, t.reason) for t in choose((*reads, b.read_all(DAY)[-1]))[3:]]
    never = [(f"set_{n:02}", "never_read") for n in (5, 6)]
    assert order[:4] == [*never, ("set_18", "longest_unread"), ("set_17", "longest_unread")]


def test_the_sets_that_a_restore_would_take_are_read_before_their_turn_and_once() -> None:
    """Else a day's backup is proved a week later: what is changed by night asks for the proof of the night before."""
    reads = tuple(b.read_of(s, DAY) for s in b.SETS[:17])
    first = [t.subject for t in choose(reads) if t.reason == "newest" and t.unit is ReadUnit.SET]
    assert first == [NEWEST_FULL, "set_17", "set_18", "set_19"]
    done = tuple(b.read_of(s, DAY / 2 + HOUR if n < 19 else HOUR) for n, s in enumerate(b.SETS))
    assert [t.subject for t in choose(done) if t.reason == "newest" and t.unit is ReadUnit.SET] == [NEWEST_FULL]


def test_the_quota_is_the_periods_share_and_is_used_up() -> None:
    tasks = choose(b.read_all(DAY))[3:]
    total = sum(s.total_bytes for s in b.SETS) + b.ALL_SEGMENTS * b.SEGMENT
    quota = total / 7 * 1.15
    read = sum(t.total_bytes for t in tasks)
    assert quota <= read <= quota + 11 * b.GIB
    assert {t.reason for t in tasks} == {"longest_unread"}
    assert sum(t.total_bytes for t in tasks[:-1]) < quota


def test_what_waits_longer_than_the_period_is_read_whatever_the_quota() -> None:
    old = {t.subject for t in choose(b.read_all(8 * DAY))}
    assert old >= {s.set_id for s in b.SETS}


def test_a_second_run_of_the_day_reads_nothing_again() -> None:
    tasks = choose(b.read_all(DAY))
    done = tuple(b.read_of(t.backup_set or t.log_range, HOUR) for t in tasks)
    assert choose((*b.read_all(DAY), *done)) == ()
    assert choose(b.read_all(HOUR)) == ()


def test_only_the_logs_that_came_since_are_read_on_the_same_day() -> None:
    earlier = tuple(b.read_of(s, HOUR) for s in b.SETS)
    logs = b.read_of(b.a_range(0, b.ALL_SEGMENTS - 10), HOUR)
    (task,) = choose((*earlier, logs))
    assert task.subject == f"{b.name(b.ALL_SEGMENTS - 10)}..{b.name(b.ALL_SEGMENTS - 1)}"


def test_logs_are_cut_to_the_quota_on_whole_segments() -> None:
    sets = tuple(b.read_of(s, DAY) for s in b.SETS)
    part = choose(sets)[3]
    assert (part.unit, part.reason) == (ReadUnit.LOGS, "never_read")
    assert part.log_range.first_position % b.SEGMENT == part.log_range.end_position % b.SEGMENT == 0
    assert part.log_range.segments * b.SEGMENT == part.total_bytes < b.ALL_SEGMENTS * b.SEGMENT


def test_an_unfinished_set_is_not_read() -> None:
    unfinished = b.with_set(19, finished_at=None)
    assert "set_19" not in {t.subject for t in choose(b.read_all(8 * DAY, but=["set_19"]), sets=unfinished)}


def test_nothing_there_nothing_chosen() -> None:
    assert choose(sets=(), logs=None) == ()
    assert choose(sets=(), logs=b.logs().model_copy(update={"ranges": ()})) == ()


def test_coverage_counts_bytes_and_sets_of_the_period() -> None:
    found = coverage(b.survey(), b.read_all(8 * DAY), b.POLICY, b.AS_OF)
    assert (found.read_bytes, found.sets_read, found.sets_total) == (0, 0, 20)
    assert found.oldest_unread_s == 8 * 86_400
    half = coverage(b.survey(sets=b.SETS[:2], logs=None), (b.read_of(b.SETS[0], HOUR),), b.POLICY, b.AS_OF)
    assert (half.read_bytes, half.total_bytes) == (b.SETS[0].total_bytes, b.SETS[0].total_bytes + b.SETS[1].total_bytes)
    assert half.oldest_unread_s == (b.AS_OF - b.SETS[1].finished_at).total_seconds()
    assert coverage(b.survey(), b.read_all(), b.POLICY, b.AS_OF).oldest_unread_s is None


def test_pieces_of_logs_know_their_newest_read() -> None:
    old, new = b.read_of(b.a_range(0, 1000), 3 * DAY), b.read_of(b.a_range(500, 700), DAY)
    pieces = log_pieces(b.logs(), (old, new))
    spans = [((p.first_position - b.position(0)) // b.SEGMENT, p.read) for p in pieces]
    assert spans == [(0, old), (500, new), (700, old), (1000, None)]
    assert sum(p.total_bytes for p in pieces) == b.logs().total_bytes
    assert pieces[3].archived_at == pytest.approx(b.archived_at(1000), abs=timedelta(minutes=15))


def test_a_cut_range_has_the_names_of_its_segments() -> None:
    whole = b.a_range(0, b.ALL_SEGMENTS)
    cut = cut_range(whole, b.position(0) + 10 * b.SEGMENT, b.position(0) + 20 * b.SEGMENT, b.SEGMENT)
    assert (cut.first, cut.last, cut.segments, cut.total_bytes) == (b.name(10), b.name(19), 10, 10 * b.SEGMENT)
    assert whole.first_at < cut.first_at < cut.last_at < whole.last_at
    other = whole.model_copy(update={"first": "1_1041_998877.dbf"})
    assert cut_range(other, b.position(1), b.position(2), b.SEGMENT) is other, "names of another engine are not guessed"


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(1, 50), min_size=3, max_size=12), st.integers(2, 10))
def test_every_set_is_read_within_the_period(sizes: list[int], period: int) -> None:
    """Sets of any sizes, read once a day as chosen: none ever waits longer than the period after its first read."""
    policy = BackupPolicy(read_every_days=period)
    sets = tuple(_old_set(n, gib) for n, gib in enumerate(sizes))
    reads: tuple[Read, ...] = ()
    for day in range(3 * period):
        now = b.AS_OF + day * DAY
        survey = Survey(database=b.DATABASE, as_of=now, surveyed_at=now, sets=sets)
        chosen = choose_reads(survey, reads, policy, now)
        assert len(chosen) == len({t.subject for t in chosen})
        reads += tuple(_read_at(t, now) for t in chosen)
        assert coverage(survey, reads, policy, now).oldest_unread_s is None or day < period
    last = {s.set_id: max(r.ended_at for r in reads if r.set_id == s.set_id) for s in sets}
    assert all(b.AS_OF + 3 * period * DAY - at <= (period + 1) * DAY for at in last.values())


def _old_set(night: int, gib: int) -> BackupSet:
    begin = b.FIRST_NIGHT - timedelta(days=30 - night)
    times = {"started_at": begin, "finished_at": begin + HOUR}
    return b.a_set(night, level=Level.FULL, parent_id=None, parent_position=None, total_bytes=gib * b.GIB, **times)


def _read_at(task: ReadTask, now: object) -> Read:
    read = b.read_of(task.backup_set, timedelta())
    return read.model_copy(update={"started_at": now, "ended_at": now + timedelta(minutes=5)})


def test_the_newest_chain_that_was_never_drilled_is_drilled() -> None:
    survey = b.survey()
    assert [s.set_id for s in choose_drill_chain(survey, (), b.AS_OF)] == [f"set_{n}" for n in range(14, 20)]
    after = choose_drill_chain(survey, (b.a_drill(HOUR, set_id="set_19"),), b.AS_OF)
    assert after[-1].set_id == "set_18"
    two = b.survey(sets=b.SETS[:2])
    drilled = (b.a_drill(3 * DAY, set_id="set_00"), b.a_drill(DAY, set_id="set_01"))
    assert [s.set_id for s in choose_drill_chain(two, drilled, b.AS_OF)] == ["set_00"], "drilled longest ago"
    assert choose_drill_chain(b.survey(sets=()), (), b.AS_OF) == ()
    damaged = b.with_set(14, problems=(b.a_problem(),))
    assert choose_drill_chain(b.survey(sets=damaged), (), b.AS_OF)[-1].set_id == "set_13"


def test_a_set_whose_last_drill_failed_is_drilled_again_first() -> None:
    failed = b.a_drill(3 * DAY, [b.a_problem("drill_checksum")], set_id="set_15")
    drills = (failed, b.a_drill(2 * HOUR, set_id="set_19"))
    assert choose_drill_chain(b.survey(), drills, b.AS_OF)[-1].set_id == "set_15"
    assert choose_drill_chain(b.survey(), (*drills, b.a_drill(HOUR, set_id="set_15")), b.AS_OF)[-1].set_id == "set_18"


def test_the_first_drill_is_due_on_any_day_once_there_was_time_for_it() -> None:
    plan = b.plan(drill={"weekday": "sat"}).drill
    assert drill_is_due((), plan, b.POLICY, b.AS_OF, b.ZONE, b.SETS)
    assert not drill_is_due((), plan, b.POLICY, b.AS_OF, b.ZONE, b.SETS[14:]), "six days"
    assert not drill_is_due((b.a_drill(DAY),), plan, b.POLICY, b.AS_OF, b.ZONE, b.SETS)


@pytest.mark.parametrize(
    ("weekday", "drill_days_ago", "due"),
    [("fri", None, True), ("sat", None, False), ("fri", 7, True), ("fri", 0, False), ("sat", 6, False), ("sat", 9, True)],
)
def test_a_drill_is_due_on_its_weekday_and_when_overdue(weekday: str, drill_days_ago: int | None, due: bool) -> None:
    plan = b.plan(drill={"weekday": weekday}).drill
    drills = () if drill_days_ago is None else (b.a_drill(timedelta(days=drill_days_ago, hours=1)),)
    assert drill_is_due(drills, plan, b.POLICY, b.AS_OF, b.ZONE) is due

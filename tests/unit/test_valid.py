"""The verdict *valid*: reads and drills, their findings and their age."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from drydock.backup.results import Depth, Drill, Read
from drydock.backup.valid import distrusted_sets, judge_valid
from drydock.verdicts import Status, Verdict
from tests.unit import build as b

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
YOUNG = b.SETS[14:]  # six days


def judge(reads: tuple[Read, ...] | None = None, drills: tuple[Drill, ...] = (b.a_drill(),), **changes: Any) -> Verdict:
    reads = b.read_all() if reads is None else reads
    return judge_valid(b.survey(**changes), reads, drills, b.plan(), b.POLICY, Depth.BYTES)


def test_everything_read_and_drilled_passes_with_its_figures() -> None:
    verdict = judge()
    assert (verdict.status, verdict.findings) == (Status.PASS, ())
    assert verdict.examined == b.NIGHTS + 1 + 1
    assert verdict.evidence["read_bytes"] == verdict.evidence["total_bytes"] > 0
    assert (verdict.evidence["period_days"], verdict.evidence["sets_read"], verdict.evidence["sets_total"]) == (7, 20, 20)
    assert (verdict.evidence["oldest_unread_days"], verdict.evidence["last_drill_days"]) == (None, 2.0)


def test_findings_of_the_newest_read_of_a_set_count() -> None:
    bad = b.read_of(b.SETS[3], 2 * DAY, [b.a_problem("set_checksum", "set_03/base/5/1259")])
    verdict = judge((*b.read_all(3 * DAY), bad))
    assert b.only(verdict, "set_checksum").place == "set_03/base/5/1259"
    assert verdict.status is Status.FAIL
    assert judge((*b.read_all(HOUR), bad)).findings == (), "a newer read found it good"


def test_reads_of_sets_that_are_gone_or_were_replaced_do_not_count() -> None:
    bad = b.read_of(b.SETS[3], HOUR, [b.a_problem("set_checksum", "set_03/x")])
    assert "set_checksum" not in b.codes(judge((*b.read_all(2 * HOUR), bad), sets=b.without_set(3)))
    replaced = b.with_set(3, finished_at=b.AS_OF - timedelta(minutes=30))
    assert "set_checksum" not in b.codes(judge((*b.read_all(2 * HOUR), bad), sets=replaced))


def test_findings_of_logs_count_until_the_segment_is_read_again_or_expires() -> None:
    whole = b.a_range(0, b.ALL_SEGMENTS)
    bad = b.read_of(whole, 2 * DAY, [b.a_problem("log_damaged", b.name(500))])
    sets = b.read_all()[:-1]
    assert b.only(judge((*sets, bad)), "log_damaged").place == b.name(500)
    assert "log_damaged" not in b.codes(judge((*sets, bad, b.read_of(b.a_range(400, 600), HOUR))))
    assert "log_damaged" in b.codes(judge((*sets, bad, b.read_of(b.a_range(600, 700), HOUR))))
    trimmed = b.logs(b.a_range(501, b.ALL_SEGMENTS))
    assert "log_damaged" not in b.codes(judge((*sets, bad), logs=trimmed))
    elsewhere = b.read_of(whole, DAY, [b.a_problem("log_unreadable", "wal")])
    assert "log_unreadable" in b.codes(judge((*sets, elsewhere))), "a place that is no segment stands"


def test_nothing_read_at_all_is_unknown() -> None:
    verdict = judge((), drills=())
    finding = b.only(verdict, "never_read")
    assert (verdict.status, finding.status, finding.place) == (Status.UNKNOWN, Status.UNKNOWN, "/backup/sets")
    assert finding.values["sets"] == 20
    assert "read_overdue" not in b.codes(verdict)


def test_nothing_there_is_unknown_too() -> None:
    verdict = judge((), drills=(), sets=(), logs=None)
    assert (verdict.status, verdict.examined, verdict.reason) == (Status.UNKNOWN, 0, "nothing_examined")


def test_a_set_that_waits_too_long_is_overdue() -> None:
    old = tuple(b.read_of(s, 8 * DAY) if s.set_id == "set_03" else b.read_of(s, HOUR) for s in b.SETS)
    finding = b.only(judge((*old, b.read_all()[-1])), "read_overdue")
    assert (finding.status, finding.place) == (Status.WARN, "set_03")
    assert finding.values == {"age_days": 8.0, "limit_days": 7, "ever_read": True}


def test_a_new_set_that_was_not_read_yet_is_only_less_coverage() -> None:
    verdict = judge(b.read_all(but=["set_18"]))
    assert (verdict.status, verdict.evidence["sets_read"]) == (Status.PASS, 19)
    assert verdict.evidence["oldest_unread_days"] == pytest.approx(1.2, abs=0.1)
    never = b.only(judge(b.read_all(but=["set_05"])), "read_overdue")
    assert (never.place, never.values["ever_read"]) == ("set_05", False)


def test_logs_that_wait_too_long_are_one_finding() -> None:
    sets = b.read_all()[:-1]
    parts = (b.read_of(b.a_range(0, 200), 9 * DAY), b.read_of(b.a_range(300, b.ALL_SEGMENTS), HOUR))
    finding = b.only(judge((*sets, *parts)), "read_overdue")
    assert (finding.status, finding.place, finding.values["segments"]) == (Status.UNKNOWN, "/backup/wal", 300)
    assert finding.values["age_days"] == pytest.approx(17.25, abs=0.1)


def test_what_waits_twice_as_long_as_it_may_is_not_known_any_more() -> None:
    old = tuple(b.read_of(s, 15 * DAY) if s.set_id == "set_03" else b.read_of(s, HOUR) for s in b.SETS)
    assert b.only(judge((*old, b.read_all()[-1])), "read_overdue").status is Status.UNKNOWN
    assert b.only(judge(b.read_all(but=["set_05"])), "read_overdue").status is Status.UNKNOWN, "14.2 days old, never read"
    assert b.only(judge(drills=(b.a_drill(17 * DAY, set_id="set_02"),)), "drill_overdue").status is Status.UNKNOWN
    assert b.only(judge(drills=(b.a_drill(15 * DAY, set_id="set_02"),)), "drill_overdue").status is Status.WARN
    assert b.only(judge(drills=()), "drill_never").status is Status.UNKNOWN


def test_a_set_that_is_still_being_written_is_not_overdue() -> None:
    unfinished = b.with_set(3, finished_at=None)
    assert "read_overdue" not in b.codes(judge(b.read_all(but=["set_03"]), sets=unfinished))


def test_the_newest_drill_decides() -> None:
    damage = b.a_problem("drill_checksum", "base/5/1259")
    verdict = judge(drills=(b.a_drill(3 * DAY), b.a_drill(DAY, [damage])))
    assert b.codes(verdict) == {"drill_checksum", "drill_failed"}
    assert (b.only(verdict, "drill_failed").place, verdict.status) == ("set_17", Status.FAIL)
    assert judge(drills=(b.a_drill(3 * DAY, [damage]), b.a_drill(DAY))).findings == ()


def test_a_failed_drill_is_not_forgotten_when_another_set_passes() -> None:
    failed = b.a_drill(5 * DAY, [b.a_problem("drill_checksum", "base/5/1259")], set_id="set_13")
    finding = b.only(judge(drills=(failed, b.a_drill(DAY))), "drill_failed")
    assert (finding.status, finding.place, finding.values["problems"]) == (Status.FAIL, "set_13", "drill_checksum")
    again = b.a_drill(HOUR, set_id="set_13")
    assert judge(drills=(failed, b.a_drill(DAY), again)).findings == ()
    assert judge(drills=(failed, b.a_drill(DAY)), sets=b.without_set(13)).findings == (), "it is gone"


def test_a_drill_counts_only_while_its_set_lies_there() -> None:
    verdict = judge((), drills=(b.a_drill(set_id="gone"),), sets=(), logs=None)
    assert (verdict.status, verdict.examined, verdict.reason) == (Status.UNKNOWN, 0, "nothing_examined")
    assert judge(drills=(b.a_drill(set_id="gone"),)).examined == b.NIGHTS + 1
    assert judge(drills=(b.a_drill(30 * HOUR + HOUR, set_id="set_19"),)).examined == b.NIGHTS + 1, "an older set of that name"


def test_sets_are_distrusted_for_lost_bytes_and_for_a_recovery_that_failed() -> None:
    read = b.read_of(b.SETS[3], HOUR, [b.a_problem("set_checksum", "set_03/x")])
    mode = b.read_of(b.SETS[4], HOUR, [b.a_problem("set_mode", "set_04/x")])
    wal = b.read_of(b.SETS[5], HOUR, [b.a_problem("log_damaged", "set_05/pg_wal/x")])
    failed = b.a_drill(DAY, [b.a_problem("drill_failed", "recover")])
    content = b.a_drill(DAY, [b.a_problem("assertion_failed", "orders")], set_id="set_16")
    found = distrusted_sets(b.survey(), (*b.read_all(2 * HOUR), read, mode, wal), (failed, content))
    assert found == {"set_03", "set_17"}
    better = (*b.read_all(2 * HOUR), read, b.read_of(b.SETS[3], timedelta(minutes=5)))
    assert distrusted_sets(b.survey(), better, (failed, b.a_drill(HOUR))) == frozenset()


def test_a_drill_that_tells_its_own_failure_is_not_told_twice() -> None:
    own = b.a_problem("drill_failed", "recover", drill="drydock_drill_0", problems="recover: no log")
    assert b.only(judge(drills=(b.a_drill(DAY, [own]),)), "drill_failed").place == "recover"
    no_room = b.a_problem("drill_space", "/scratch", Status.UNKNOWN)
    assert b.codes(judge(drills=(b.a_drill(DAY, [no_room]),))) == {"drill_space"}


def test_a_drill_that_is_overdue_or_was_never_made() -> None:
    overdue = b.only(judge(drills=(b.a_drill(9 * DAY),)), "drill_overdue")
    assert (overdue.status, overdue.place, overdue.values["age_days"]) == (Status.WARN, b.DATABASE, 9.0)
    never = b.only(judge(drills=(), sets=b.SETS[7:]), "drill_never")
    assert (never.status, never.place) == (Status.WARN, b.DATABASE)
    assert judge(drills=(), sets=YOUNG).findings == (), "there was no time for one yet"

"""The verdict *complete*: pieces that a restore would need, each missing once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from drydock.backup.complete import judge_complete
from drydock.backup.facts import JobState, Level, Tablespace
from drydock.backup.timelines import ancestry
from drydock.estate import Role
from drydock.verdicts import Status, Verdict
from tests.unit import build as b

NEWEST = 19
HALF = b.ALL_SEGMENTS // 2


def judge(plan: Any = None, **changes: Any) -> Verdict:
    return judge_complete(b.survey(**changes), plan or b.plan(), b.POLICY)


def gap_logs(first: int, end: int) -> Any:
    """Logs without the segments from `first` up to `end`."""
    return b.logs(b.a_range(0, first), b.a_range(end, b.ALL_SEGMENTS))


def test_a_healthy_database_passes_with_everything_counted() -> None:
    verdict = judge()
    assert (verdict.status, verdict.findings) == (Status.PASS, ())
    assert verdict.examined == b.NIGHTS + b.ALL_SEGMENTS + 1
    assert (verdict.evidence["usable_chains"], verdict.evidence["newest_full"]) == (20, "set_14")
    assert verdict.evidence["rpo_now_s"] == 180


def test_nothing_at_all_is_never_a_pass() -> None:
    verdict = judge(b.plan(places={"sets": "/backup/sets"}), sets=(), logs=None, target=None)
    assert (verdict.status, b.codes(verdict)) == (Status.FAIL, {"no_full_backup"})


def test_a_problem_of_any_set_is_a_finding_and_says_whether_the_newest_chain_has_it() -> None:
    old = b.only(judge(sets=b.with_set(3, problems=(b.a_problem(place="set_03/base/1"),))), "set_file_missing")
    assert (old.status, old.place, old.values["affects_newest"]) == (Status.FAIL, "set_03/base/1", False)
    new = b.only(judge(sets=b.with_set(15, problems=(b.a_problem(place="set_15/base/1"),))), "set_file_missing")
    assert new.values["affects_newest"] is True


def test_a_set_that_the_job_is_writing_is_not_judged_yet() -> None:
    writing = b.with_set(NEWEST, finished_at=None, problems=(b.a_problem("set_unfinished", status=Status.WARN),))
    running = b.with_run(NEWEST, state=JobState.RUNNING, ended_at=None)
    assert judge(sets=writing, jobs=running).findings == ()
    assert b.codes(judge(sets=writing, jobs=b.job_log(()))) == {"set_unfinished"}


def test_no_usable_full_backup() -> None:
    damaged = tuple(s.model_copy(update={"problems": (b.a_problem(place=s.set_id),)}) for s in b.SETS)
    finding = b.only(judge(sets=damaged), "no_full_backup")
    assert (finding.status, finding.place) == (Status.FAIL, "/backup/sets")
    assert (finding.values["sets"], finding.values["fulls"]) == (20, 3)


def test_a_source_that_cannot_be_read_is_not_an_empty_one() -> None:
    verdict = judge(sets=(), logs=None, problems=(b.a_problem("source_unreadable", "/backup/sets", Status.UNKNOWN),))
    assert (verdict.status, b.codes(verdict)) == (Status.UNKNOWN, {"source_unreadable"})


def test_a_full_backup_that_is_too_old() -> None:
    sets = (*b.SETS[:8], *(b.a_set(n, level=Level.INCREMENTAL, parent_id=f"set_{n - 1:02}") for n in range(8, 20)))
    finding = b.only(judge(sets=sets), "base_too_old")
    assert (finding.place, finding.values["limit_hours"]) == ("set_07", 192)
    assert finding.values["age_hours"] == pytest.approx(293.7)


def test_an_increment_whose_parent_is_gone() -> None:
    finding = b.only(judge(sets=b.without_set(17)), "parent_missing")
    assert (finding.status, finding.place, finding.values["parent"]) == (Status.FAIL, "set_18", "set_17")
    assert finding.values["affects_newest"] is False, "the chain of the newest set breaks further down"
    unknown = b.with_set(18, parent_id=None)
    assert b.only(judge(sets=unknown), "parent_missing").place == "set_18"


def test_a_parent_that_started_too_early_or_too_late_is_none() -> None:
    too_old = b.with_set(18, parent_position=b.position(17) + 41)
    assert b.only(judge(sets=too_old), "parent_missing").place == "set_18"
    ring = b.with_set(18, parent_id="set_19", parent_position=None)
    assert b.only(judge(sets=ring), "parent_missing").place == "set_18"


@pytest.mark.parametrize("changes", [{}, {"target": None}])
def test_a_backup_of_another_database(changes: dict[str, Any]) -> None:
    verdict = judge(sets=b.with_set(NEWEST, system_id="999"), **changes)
    finding = b.only(verdict, "foreign_backup")
    assert (finding.status, finding.place) == (Status.FAIL, "set_19")
    assert (finding.values["system_id"], finding.values["expected"]) == ("999", b.SYSTEM)
    assert verdict.evidence["newest_set"] == "set_18", "it is worth nothing here"


def test_archived_logs_of_another_database() -> None:
    theirs = b.a_range(HALF, b.ALL_SEGMENTS, system_id="999")
    verdict = judge(logs=b.logs(b.a_range(0, HALF, system_id=b.SYSTEM), theirs))
    assert b.only(verdict, "foreign_backup").place == b.name(HALF)
    assert "log_end_missing" in b.codes(verdict), "recovery stops before them"


def test_a_tablespace_that_the_newest_backup_lacks() -> None:
    space = Tablespace(oid=16400, name="archive", location="/ts/archive")
    finding = b.only(judge(target=b.target(tablespaces=(space,))), "tablespace_missing")
    assert (finding.status, finding.place, finding.values["name"]) == (Status.FAIL, "set_19/16400", "archive")
    kept = space.model_copy(update={"place": "/backup/ts/16400"})
    assert judge(target=b.target(tablespaces=(space,)), sets=b.with_set(NEWEST, tablespaces=(kept,))).findings == ()
    lost = judge(sets=b.with_set(NEWEST, tablespaces=(space,)))
    assert b.only(lost, "tablespace_missing").place == "set_19/16400"


def test_a_repository_does_not_list_its_tablespaces() -> None:
    space = Tablespace(oid=16400, name="archive", location="/ts/archive")
    stored = b.with_set(NEWEST, form="repository")
    assert judge(target=b.target(tablespaces=(space,)), sets=stored).findings == ()


def test_a_database_that_is_down() -> None:
    verdict = judge(target=b.target(reachable=False, error="connection refused", archiver=None))
    finding = b.only(verdict, "target_down")
    assert (finding.status, finding.place, finding.values["error"]) == (Status.FAIL, b.DATABASE, "connection refused")
    later = b.AS_OF + timedelta(days=3)
    past = judge(target=b.target(reachable=False), surveyed_at=later)
    assert past.findings == (), "today's outage says nothing of a past day"


# --- archived logs


def test_a_hole_in_the_logs_names_its_place() -> None:
    verdict = judge(logs=gap_logs(HALF, HALF + 3))
    finding = b.only(verdict, "log_gap")
    assert (finding.status, finding.place) == (Status.FAIL, b.name(HALF - 1))
    assert finding.values == {"timeline": 1, "after": b.name(HALF - 1), "before": b.name(HALF + 3), "missing": 3}
    assert verdict.evidence["windows"] == 2


def test_a_thousand_holes_are_told_as_twenty_and_a_count() -> None:
    every_second = (b.a_range(2 * n, 2 * n + 1) for n in range(b.ALL_SEGMENTS // 2))
    verdict = judge(logs=b.logs(*every_second), target=None)
    assert sum(f.code == "log_gap" for f in verdict.findings) <= 40
    assert {f.values["count"] > 100 for f in verdict.findings if f.code == "more_set_problems"} == {True}


def test_a_hole_that_only_an_expired_moment_needs_is_a_warning() -> None:
    assert b.only(judge(logs=gap_logs(150, 151)), "log_gap").status is Status.WARN
    assert b.only(judge(b.plan(retention_days=19), logs=gap_logs(150, 151)), "log_gap").status is Status.FAIL


def test_logs_that_were_trimmed_before_the_retention_are_no_hole() -> None:
    trimmed = b.logs(b.a_range(450, b.ALL_SEGMENTS))  # the base before the retention is night 5
    assert judge(logs=trimmed).findings == ()
    edge = b.only(judge(logs=b.logs(b.a_range(520, b.ALL_SEGMENTS))), "log_gap")
    assert (edge.status, edge.place) == (Status.WARN, "set_05"), "all since the begin of the retention is kept"
    quiet = b.only(judge(logs=b.logs(b.a_range(600, b.ALL_SEGMENTS))), "log_gap")
    assert quiet.status is Status.WARN, "the first log after the begin may come late where the night was quiet"


def test_logs_that_are_gone_inside_the_retention_are_a_hole() -> None:
    short = b.only(judge(logs=b.logs(b.a_range(650, b.ALL_SEGMENTS))), "log_gap")
    assert (short.status, short.place) == (Status.FAIL, "set_05")


def two_fulls(**changes: Any) -> dict[str, Any]:
    """One of 15 days ago, one of 30 hours ago, and of the logs only those of the last 20 hours."""
    ages = (("old", timedelta(days=15), 450), ("new", timedelta(hours=30), 1825))
    sets = tuple(
        b.a_set(0, set_id=i, start_position=b.position(n / 100), stop_position=b.position(n / 100 + 0.02)).model_copy(
            update={"started_at": b.AS_OF - age - timedelta(hours=1), "finished_at": b.AS_OF - age}
        )
        for i, age, n in ages
    )
    return {"sets": sets, "logs": b.logs(b.a_range(1842, b.ALL_SEGMENTS))} | changes


def test_deleted_logs_are_never_only_a_warning_while_nothing_can_be_restored() -> None:
    verdict = judge(**two_fulls())
    assert verdict.evidence["windows"] == 0
    assert b.only(verdict, "log_gap").status is Status.FAIL
    finding = b.only(verdict, "nothing_restorable")
    assert (finding.status, finding.place, finding.values) == (Status.FAIL, b.DATABASE, {"sets": 2, "chains": 2})
    past = judge(**two_fulls(surveyed_at=b.AS_OF + timedelta(days=2)))
    assert "nothing_restorable" in b.codes(past)


def test_sets_that_were_proved_bad_are_not_restored_from() -> None:
    every = frozenset(s.set_id for s in b.SETS)
    verdict = judge_complete(b.survey(), b.plan(), b.POLICY, distrusted=every)
    assert b.codes(verdict) == {"nothing_restorable"}
    assert judge_complete(b.survey(), b.plan(), b.POLICY, distrusted=frozenset({"set_19"})).findings == ()


def test_a_database_that_was_to_be_asked_and_was_not_is_unknown() -> None:
    finding = b.only(judge(target=None, target_expected=True), "target_unasked")
    assert (finding.status, finding.place) == (Status.UNKNOWN, b.DATABASE)
    assert judge(target=None).findings == (), "a shell judges folders without a server"
    assert judge(target_expected=True).findings == ()
    both = judge(**(idle(5) | {"target": None, "target_expected": True}))
    assert b.codes(both) == {"target_unasked", "rpo_unproved"}
    late = judge(target=None, target_expected=True, surveyed_at=b.AS_OF + timedelta(days=2))
    assert "target_unasked" not in b.codes(late)


@pytest.mark.parametrize(("role", "answered"), [(Role.PRIMARY, "standby"), (Role.STANDBY, "primary")])
def test_a_database_of_another_role_than_the_estate_says(role: Role, answered: str) -> None:
    survey = b.survey(target=b.target(role=answered))
    finding = b.only(judge_complete(survey, b.plan(), b.POLICY, role=role), "role_mismatch")
    assert (finding.status, finding.place) == (Status.FAIL, b.DATABASE)
    assert finding.values == {"role": answered, "expected": role.value}
    assert "role_mismatch" not in b.codes(judge_complete(survey, b.plan(), b.POLICY, role=Role(answered)))


def test_a_set_that_is_gone_before_its_time() -> None:
    gone = b.only(judge(sets=b.SETS[:-1], past_sets=b.SETS[-1:]), "set_vanished")
    assert (gone.status, gone.place, gone.values["age_days"]) == (Status.WARN, "set_19", 0.2)
    fulls = tuple(b.a_set(n, level=Level.FULL, parent_id=None, parent_position=None) for n in range(b.NIGHTS))
    newest = b.only(judge(sets=fulls[:-1], past_sets=fulls[-1:]), "set_vanished")
    assert (newest.status, newest.place) == (Status.FAIL, "set_19")
    unseen = (b.a_problem("source_unreadable", "/backup/sets", Status.UNKNOWN),)
    assert "set_vanished" not in b.codes(judge(sets=(), logs=None, past_sets=b.SETS, problems=unseen))


@pytest.mark.parametrize("changes", [{"problems": (b.a_problem(),)}, {"system_id": "999"}, {"finished_at": None}])
def test_what_was_worth_nothing_may_go(changes: dict[str, Any]) -> None:
    assert "set_vanished" not in b.codes(judge(past_sets=(b.a_set(18, set_id="bad", start_position=7, **changes),)))


def test_sets_that_expire_or_move_have_not_vanished() -> None:
    assert "set_vanished" not in b.codes(judge(sets=b.SETS[7:], past_sets=b.SETS[:7])), "the youngest is 13.2 days old"
    moved = b.SETS[18].model_copy(update={"set_id": "elsewhere/set_18"})
    assert judge(past_sets=(moved,)).findings == ()


def test_the_logs_in_which_the_newest_backup_ends_are_missing() -> None:
    ends = 1900  # the newest set runs from segment 1900 to 1902
    verdict = judge(logs=b.logs(b.a_range(0, ends + 1)), target=None)
    finding = b.only(verdict, "log_end_missing")
    assert (finding.status, finding.place) == (Status.FAIL, "set_19")
    assert (finding.values["reached"], finding.values["missing"]) == (b.name(ends), 2)


def test_a_backup_that_ended_this_moment_may_wait_for_its_last_log() -> None:
    fresh = b.with_set(NEWEST, finished_at=b.AS_OF - timedelta(seconds=5))
    survey = b.survey(sets=fresh, logs=b.logs(b.a_range(0, 1901)), target=None)
    assert "log_end_missing" not in b.codes(judge_complete(survey, b.plan(), b.POLICY))


def test_a_log_that_the_server_archived_is_not_there() -> None:
    finding = b.only(judge(logs=b.logs(b.a_range(0, b.ALL_SEGMENTS - 1))), "log_end_missing")
    assert (finding.status, finding.place) == (Status.FAIL, b.name(b.ALL_SEGMENTS - 1))
    assert finding.values["reached"] == b.name(b.ALL_SEGMENTS - 2)


NO_LOGS = b.logs().model_copy(update={"ranges": ()})


@pytest.mark.parametrize(("archive", "code"), [(None, "log_archive_missing"), (NO_LOGS, "log_archive_empty")])
def test_no_archived_logs(archive: Any, code: str) -> None:
    finding = b.only(judge(logs=archive, target=b.target(archiver=b.archiver(last_archived=""))), code)
    assert (finding.status, finding.place) == (Status.FAIL, "/backup/wal")


def test_problems_that_the_survey_saw_in_the_archive_are_told_once() -> None:
    empty = b.logs(problems=(b.a_problem("log_archive_empty", "/backup/wal"),)).model_copy(update={"ranges": ()})
    assert b.only(judge(logs=empty, target=None), "log_archive_empty").place == "/backup/wal"


# --- timelines: the second one branched off in the middle of segment 1000


BRANCH = b.position(10) + 5000


def promoted(**changes: Any) -> dict[str, Any]:
    """A world that was promoted to timeline 2 after ten nights."""
    sets = tuple(s if n < 10 else b.a_set(n, timeline=2) for n, s in enumerate(b.SETS))
    ranges = (b.a_range(0, 1000), b.a_range(1000, b.ALL_SEGMENTS, 2))
    archiver = b.archiver(last_archived=b.name(b.ALL_SEGMENTS - 1, 2))
    values = {
        "sets": sets,
        "logs": b.logs(*ranges, timelines={2: (1, BRANCH)}),
        "target": b.target(timeline=2, archiver=archiver),
    }
    return values | changes


def test_a_promotion_with_its_history_is_healthy() -> None:
    assert judge(**promoted()).findings == ()
    assert judge(**promoted(target=None)).findings == ()


def test_a_timeline_without_its_history() -> None:
    lost = promoted(logs=b.logs(*promoted()["logs"].ranges))
    finding = b.only(judge(**lost), "history_missing")
    assert (finding.status, finding.place, finding.values["timeline"]) == (Status.FAIL, "timeline 2", 2)
    told = lost["logs"].model_copy(update={"problems": (b.a_problem("history_missing", "00000002.history", timeline=2),)})
    assert b.only(judge(**(lost | {"logs": told})), "history_missing").place == "00000002.history"


def test_a_history_that_no_kept_backup_needs_may_be_gone() -> None:
    trimmed = b.logs(
        b.a_range(1400, b.ALL_SEGMENTS, 2), problems=(b.a_problem("history_missing", "00000002.history", timeline=2),)
    )
    young = promoted(sets=promoted()["sets"][14:], logs=trimmed, jobs=b.job_log((b.a_run(b.SETS[19]),), horizon_at=None))
    assert judge(**young).findings == ()
    older = b.logs(b.a_range(0, 1000), *trimmed.ranges, problems=trimmed.problems)
    assert "history_missing" in b.codes(judge(**(young | {"logs": older})))


def test_a_hole_at_the_branch_is_a_hole() -> None:
    cut = promoted(logs=b.logs(b.a_range(0, 995), b.a_range(1000, b.ALL_SEGMENTS, 2), timelines={2: (1, BRANCH)}))
    finding = b.only(judge(**cut), "log_gap")
    assert (finding.place, finding.values["missing"], finding.values["before"]) == (b.name(994), 5, b.name(1000, 2))
    child = promoted(logs=b.logs(b.a_range(0, 1000), b.a_range(1002, b.ALL_SEGMENTS, 2), timelines={2: (1, BRANCH)}))
    finding = b.only(judge(**child), "log_gap")
    assert (finding.values["timeline"], finding.values["missing"], finding.values["before"]) == (2, 2, b.name(1002, 2))


def test_logs_of_a_timeline_that_nothing_leads_to() -> None:
    stray = b.a_range(HALF, HALF + 1, 2)
    finding = b.only(judge(logs=b.logs(b.a_range(0, b.ALL_SEGMENTS), stray)), "timeline_unreachable")
    assert (finding.status, finding.place) == (Status.FAIL, b.name(HALF, 2))
    assert (finding.values["timeline"], finding.values["tip"]) == (2, 1)


def test_a_newest_backup_on_a_branch_that_was_given_up() -> None:
    stayed = promoted(sets=b.SETS[:12])  # nights 10 and 11 ran on timeline 1, after the branch
    logs = b.logs(b.a_range(0, 1150), b.a_range(1000, b.ALL_SEGMENTS, 2), timelines={2: (1, BRANCH)})
    finding = b.only(judge(**(stayed | {"logs": logs})), "timeline_unreachable")
    assert (finding.status, finding.place) == (Status.FAIL, "set_11")


def test_a_forged_history_does_not_run_in_a_ring() -> None:
    assert ancestry({2: (3, 10), 3: (2, 5)}, 3) == ((2, 5), (3, None))


# --- archiver, disk, how far back and forward


def test_archiving_that_is_off() -> None:
    assert b.only(judge(target=b.target(archiver=b.archiver(mode="off"))), "archiver_off").status is Status.FAIL
    assert b.only(judge(target=b.target(archiver=None)), "archiver_off").place == b.DATABASE
    assert "archiver_off" not in b.codes(judge(target=b.target(role="standby", archiver=b.archiver(last_archived_at=None))))


def failing(minutes: float, failed: float = 0.5) -> Any:
    last = b.AS_OF - timedelta(minutes=minutes)
    failed_at = b.AS_OF - timedelta(minutes=failed)
    return b.archiver(last_archived_at=last, last_failed_at=failed_at, last_failed=b.name(b.ALL_SEGMENTS), failed_count=7)


def test_an_archiver_that_fails_without_a_success_is_stalled() -> None:
    finding = b.only(judge(target=b.target(archiver=failing(90))), "archiver_stalled")
    assert (finding.status, finding.place, finding.values["hours"]) == (Status.FAIL, b.DATABASE, 1.5)
    assert (finding.values["last_failed"], finding.values["failed_count"]) == (b.name(b.ALL_SEGMENTS), 7)
    assert "archiver_stalled" not in b.codes(judge(target=b.target(archiver=failing(10))))
    mended = failing(90, failed=120)
    assert "archiver_stalled" not in b.codes(judge(target=b.target(archiver=mended)))


def test_an_archiver_that_hangs_is_stalled_by_its_backlog() -> None:
    hung = b.archiver(last_archived_at=b.AS_OF - timedelta(hours=1))
    behind = b.target().position + 3 * b.SEGMENT
    assert "archiver_stalled" in b.codes(judge(target=b.target(archiver=hung, position=behind)))
    assert "archiver_stalled" not in b.codes(judge(target=b.target(archiver=hung))), "idle: nothing waits"


def test_the_archive_disk() -> None:
    full = b.only(judge(logs=b.logs(free_bytes=100 * 1024**2)), "archive_disk_full")
    assert (full.status, full.place, full.values["free_gib"]) == (Status.FAIL, "/backup/wal", 0.1)
    low = b.only(judge(logs=b.logs(free_bytes=b.GIB)), "archive_disk_low")
    assert (low.status, low.values["daily_gib"]) == (Status.WARN, 1.56)


def idle(hours: float, **changes: Any) -> dict[str, Any]:
    """The last log was archived so long ago."""
    moment = b.AS_OF - timedelta(hours=hours)
    whole = b.a_range(0, b.ALL_SEGMENTS, last_at=moment)
    return {"logs": b.logs(whole), "target": b.target(archiver=b.archiver(last_archived_at=moment, **changes))}


def test_an_idle_server_with_archive_timeout_loses_no_more_than_that() -> None:
    verdict = judge(**idle(5))
    assert (verdict.findings, verdict.evidence["rpo_now_s"]) == ((), 300)


def test_more_would_be_lost_than_allowed() -> None:
    finding = b.only(judge(**idle(5, timeout_s=0)), "rpo_exceeded")
    assert (finding.status, finding.place) == (Status.FAIL, b.DATABASE)
    assert finding.values == {"rpo_minutes": 300, "limit_minutes": 15}


def test_without_the_server_an_idle_hour_cannot_be_told_from_a_lost_one() -> None:
    alone = judge(**(idle(5) | {"target": None}))
    assert b.only(alone, "rpo_unproved").status is Status.WARN
    past = judge(**idle(5), surveyed_at=b.AS_OF + timedelta(days=2))
    assert b.codes(past) == {"rpo_unproved"}


def test_less_history_than_the_retention_asks_for() -> None:
    finding = b.only(judge(sets=b.SETS[14:]), "retention_short")
    assert (finding.status, finding.values["retention_days"]) == (Status.WARN, 14)
    assert finding.values["days"] == pytest.approx(5.2)
    young = b.job_log((b.a_run(s) for s in b.SETS[14:]), horizon_at=b.SETS[14].started_at)
    assert judge(sets=b.SETS[14:], jobs=young).findings == (), "the site has no older history"


def test_a_past_day_before_the_records_is_unknown_and_not_a_failure() -> None:
    survey = b.survey(sets=(), logs=None, target=None)
    past = survey.model_copy(update={"surveyed_at": survey.as_of + timedelta(days=20)})
    verdict = judge_complete(past, b.plan(), b.POLICY)
    assert (verdict.status, b.codes(verdict), verdict.examined) == (Status.UNKNOWN, {"records_horizon"}, 0)

"""The verdict *executed*: planned slots against the job log and the catalogue."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from drydock.backup.executed import judge_executed
from drydock.backup.facts import JobState, Level
from drydock.backup.schedule import due_slots, sets_being_written
from drydock.verdicts import Status, Verdict
from tests.unit import build as b

LAST, BEFORE = 19, 18  # nights of the look-back window of 48 hours: Friday and Thursday
SLOT = "2026-11-20 01:30 incremental"


def judge(plan: object = ..., **changes: object) -> Verdict:
    return judge_executed(b.survey(**changes), b.plan() if plan is ... else plan, b.ZONE, b.POLICY)


def test_healthy_nights_pass_with_their_slots_examined() -> None:
    verdict = judge()
    assert (verdict.status, verdict.examined, verdict.findings) == (Status.PASS, 3, ())
    assert verdict.evidence["slots_with_set"] == 3
    assert verdict.evidence["since"] == "2026-11-15 01:30", "Sunday's full counts until the next one"


def test_a_slot_without_run_and_set_did_not_run() -> None:
    jobs = b.job_log(b.a_run(s) for s in b.SETS[:-1])
    finding = b.only(judge(sets=b.SETS[:-1], jobs=jobs), "job_not_run")
    assert (finding.status, finding.place, finding.values["level"]) == (Status.FAIL, SLOT, "incremental")


def test_a_failed_run_is_a_failure_unless_a_retry_succeeds() -> None:
    failed = b.a_run(b.SETS[LAST], state=JobState.FAILED, set_id="", message="no space left on device")
    jobs = b.job_log([*(b.a_run(s) for s in b.SETS[:-1]), failed])
    finding = b.only(judge(jobs=jobs, sets=b.SETS[:-1]), "job_failed")
    assert (finding.place, finding.values["message"], finding.values["tries"]) == (SLOT, "no space left on device", 1)
    later = timedelta(minutes=10)
    retry = b.a_set(LAST, started_at=b.SETS[LAST].started_at + later, finished_at=b.SETS[LAST].finished_at + later)
    again = b.job_log([*jobs.runs, b.a_run(retry)])
    assert judge(jobs=again, sets=(*b.SETS[:-1], retry)).findings == ()


def test_a_run_without_end_is_too_long_only_after_its_time() -> None:
    running = {"state": JobState.RUNNING, "ended_at": None}
    sets = b.without_set(LAST)
    verdict = judge(jobs=b.with_run(LAST, **running), sets=sets)
    assert verdict.findings == () and verdict.examined == 3, "six hours are allowed and have not passed"
    short = b.plan(plan=[{"level": "incremental", "cron": "30 1 * * *", "may_take_minutes": 90}])
    finding = b.only(judge(short, jobs=b.with_run(LAST, **running), sets=sets), "job_running_too_long")
    assert (finding.place, finding.values["minutes"], finding.values["limit_minutes"]) == (SLOT, 360, 90)


def test_a_late_run_is_told() -> None:
    late = b.a_set(LAST, started_at=b.AS_OF - timedelta(hours=4), finished_at=b.AS_OF - timedelta(hours=3, minutes=55))
    verdict = judge(sets=(*b.SETS[:-1], late), jobs=b.job_log(b.a_run(s) for s in (*b.SETS[:-1], late)))
    assert b.only(verdict, "job_late").values["late_minutes"] == 120
    assert verdict.status is Status.WARN


TWO_PROBLEMS = (b.a_problem("set_file_missing"), b.a_problem("manifest_damaged"))


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        (b.without_set(LAST), "set_absent"),
        (b.with_set(LAST, problems=TWO_PROBLEMS), "manifest_damaged, set_file_missing"),
        (b.with_set(LAST, problems=(b.a_problem("set_unfinished", status=Status.WARN),)), "set_unfinished"),
    ],
)
def test_success_in_the_log_is_contradicted_by_the_set(sets: object, said: str) -> None:
    finding = b.only(judge(sets=sets), "job_success_contradicted")
    assert (finding.status, finding.place) == (Status.FAIL, SLOT)
    assert (finding.values["set_id"], finding.values["problems"]) == ("set_19", said)


def test_a_set_that_expired_or_could_not_be_looked_for_contradicts_nothing() -> None:
    assert judge(sets=b.without_set(LAST), past_sets=(b.SETS[LAST],)).findings == ()
    unreadable = (b.a_problem("source_unreadable", status=Status.UNKNOWN),)
    assert "job_success_contradicted" not in b.codes(judge(sets=(), problems=unreadable))


def test_a_set_that_the_log_does_not_know_is_told() -> None:
    finding = b.only(judge(jobs=b.job_log(b.a_run(s) for s in b.SETS[:-1])), "job_unlogged")
    assert (finding.status, finding.place) == (Status.WARN, "set_19")


def test_a_missing_log_is_unknown_unless_the_catalogue_proves_the_runs() -> None:
    proved = b.only(judge(jobs=None), "job_log_missing")
    assert (proved.status, proved.place, proved.values["unproved"]) == (Status.WARN, "/backup/job.log", 0)
    unproved = b.only(judge(jobs=None, sets=b.SETS[:-1]), "job_log_missing")
    assert (unproved.status, unproved.values["unproved"]) == (Status.UNKNOWN, 1)


def test_an_unreadable_log_is_unknown_and_blames_no_job() -> None:
    blind = b.job_log((), horizon_at=None, problems=(b.a_problem("job_log_unreadable", "/backup/job.log", reason="permission"),))
    verdict = judge(jobs=blind, sets=b.SETS[:-1])
    assert b.codes(verdict) == {"job_log_unreadable"}
    assert verdict.status is Status.UNKNOWN
    assert verdict.findings[0].values["reason"] == "permission"


def test_before_the_horizon_of_the_log_nothing_is_known() -> None:
    young = b.job_log([b.a_run(b.SETS[LAST])], horizon_at=b.a_run(b.SETS[LAST]).started_at)
    verdict = judge(jobs=young, sets=b.without_set(BEFORE))
    finding = b.only(verdict, "job_log_horizon")
    assert (finding.status, finding.place) == (Status.UNKNOWN, "2026-11-19 01:30 incremental")
    assert judge(jobs=young).findings == (), "the set of that night proves the run"


def test_without_any_log_in_the_plan_the_catalogue_alone_is_the_witness() -> None:
    bare = b.plan(places={"sets": "/backup/sets", "logs": "/backup/wal"})
    assert judge(bare, jobs=None).status is Status.PASS
    assert b.only(judge(bare, jobs=None, sets=b.without_set(LAST)), "job_not_run").place == SLOT


@pytest.mark.parametrize(("skew_s", "status"), [(90, Status.WARN), (-400, Status.FAIL)])
def test_the_clock_of_the_database_is_held_against_ours(skew_s: int, status: Status) -> None:
    finding = b.only(judge(target=b.target(clock_at=b.AS_OF + timedelta(seconds=skew_s))), "clock_skew")
    assert (finding.status, finding.place, finding.values["skew_s"]) == (status, b.DATABASE, skew_s)


def test_a_set_outside_of_its_job_shows_clocks_apart() -> None:
    started_at = b.a_set(LAST).started_at - timedelta(minutes=3)
    finding = b.only(judge(sets=b.with_set(LAST, started_at=started_at)), "clock_skew")
    assert (finding.place, finding.values["between"], finding.values["skew_s"]) == ("set_19", "job_log", 178)
    checkpoint = b.a_set(LAST).started_at + timedelta(minutes=3)
    assert judge(sets=b.with_set(LAST, started_at=checkpoint)).findings == (), "a slow first checkpoint is no skew"


def test_a_set_from_the_future_is_a_skew() -> None:
    ahead = {"finished_at": b.AS_OF + timedelta(hours=2)}
    finding = b.only(judge(sets=b.with_set(LAST, **ahead)), "clock_skew")
    assert (finding.status, finding.place, finding.values["between"]) == (Status.FAIL, "set_19", "future")


def test_no_plan_is_unknown() -> None:
    assert b.only(judge(None), "no_plan").status is Status.UNKNOWN
    never = b.plan(plan=[{"level": "full", "cron": "0 0 30 2 *"}])
    assert b.only(judge(never), "no_plan").place == b.DATABASE


def test_planned_log_archiving_is_judged_by_the_archiver() -> None:
    with_logs = b.plan(plan=[*b.plan().plan, {"level": "log", "cron": "*/5 * * * *"}])
    assert (judge(with_logs).status, judge(with_logs).examined) == (Status.PASS, 4)
    stalled = b.archiver(last_archived_at=b.AS_OF - timedelta(hours=2), last_failed="000000010000000100000001")
    stalled = stalled.model_copy(update={"last_failed_at": b.AS_OF, "failed_count": 9})
    finding = b.only(judge(with_logs, target=b.target(archiver=stalled)), "job_failed")
    assert (finding.place, finding.values["tries"]) == ("log", 9)
    assert b.only(judge(with_logs, target=b.target(archiver=b.archiver(mode="off"))), "job_not_run").place == "log"


def test_a_weekly_plan_is_judged_on_every_day() -> None:
    weekly = b.plan(plan=[{"level": "full", "cron": "30 1 * * 0"}])
    verdict = judge(weekly, sets=(b.SETS[14],), jobs=b.job_log([b.a_run(b.SETS[14])]))
    assert (verdict.status, verdict.examined) == (Status.PASS, 1)
    missed = judge(weekly, sets=b.SETS[:8], jobs=b.job_log(b.a_run(s) for s in b.SETS[:8]))
    assert b.only(missed, "job_not_run").place == "2026-11-15 01:30 full"


def test_a_weekly_full_that_was_missed_is_told_until_a_later_one_was_made() -> None:
    missed = b.without_set(14)
    jobs = b.job_log(b.a_run(s) for s in missed)
    assert b.only(judge(sets=missed, jobs=jobs), "job_not_run").place == "2026-11-15 01:30 full"
    begin = b.AS_OF - timedelta(days=3)
    by_hand = b.a_set(14, set_id="by_hand", started_at=begin, finished_at=begin + timedelta(minutes=20))
    made = {"sets": (*missed, by_hand), "jobs": b.job_log([*jobs.runs, b.a_run(by_hand)])}
    assert judge(**made).findings == ()


def test_a_slot_from_before_the_retention_is_not_added() -> None:
    monthly = b.plan(plan=[{"level": "full", "cron": "30 1 1 * *"}, *b.plan().plan[1:]], retention_days=7)
    assert judge(monthly, sets=b.SETS[14:]).findings == (), "the set of the 1st has expired"
    assert judge(monthly, sets=b.SETS[14:]).examined == 2
    late = b.survey(sets=b.SETS[15:], surveyed_at=b.AS_OF + timedelta(days=10))
    backfilled = judge_executed(late, b.plan(), b.ZONE, b.POLICY)
    assert backfilled.examined == 2, "Sunday's full may have expired since the day that is judged"


def test_before_the_first_record_of_a_new_database_nothing_was_due() -> None:
    new = {"sets": b.SETS[LAST:], "jobs": b.job_log([b.a_run(b.SETS[LAST])], horizon_at=None)}
    verdict = judge(**new)
    assert (verdict.status, verdict.examined, verdict.findings) == (Status.PASS, 1, ())
    known = judge(**new, past_sets=b.SETS[:3])
    assert b.codes(known) == {"job_log_horizon"}, "it has a past"
    assert b.codes(judge(sets=(), jobs=b.job_log(()))) == {"job_not_run"}
    blind = judge(sets=b.SETS[LAST:], jobs=None)
    assert b.codes(blind) == {"job_log_missing"}


def test_a_slot_is_not_judged_before_it_may_be_late() -> None:
    soon = b.plan(plan=[{"level": "incremental", "cron": "0 7 * * *", "may_start_late_minutes": 60}])
    slots = due_slots(soon, b.AS_OF - timedelta(hours=48), b.AS_OF, b.ZONE)
    assert [s.place(b.ZONE) for s in slots] == ["2026-11-19 07:00 incremental"]


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        ((2026, 3, 9, 12), ["2026-03-08 07:30 UTC", "2026-03-09 06:30 UTC"]),  # 02:30 does not exist on 8 March
        ((2026, 11, 2, 12), ["2026-11-01 05:30 UTC", "2026-11-02 06:30 UTC"]),  # 01:30 comes twice on 1 November
    ],
)
def test_slots_survive_the_change_of_the_clock(as_of: tuple[int, ...], expected: list[str]) -> None:
    zone = ZoneInfo("America/New_York")
    hour = 2 if as_of[1] == 3 else 1
    plan = b.plan(plan=[{"level": "full", "cron": f"30 {hour} * * *"}])
    now = datetime(*as_of, tzinfo=zone)
    slots = due_slots(plan, now - timedelta(hours=47), now, zone)
    assert [f"{s.at:%Y-%m-%d %H:%M} UTC" for s in slots] == expected


def test_runs_of_two_plan_lines_of_one_level_are_told_apart() -> None:
    twice = b.plan(plan=[{"level": "incremental", "cron": c} for c in ("30 1 * * *", "30 6 * * *")])
    jobs = b.job_log(b.a_run(s) for s in b.SETS)
    slots = due_slots(twice, b.AS_OF - timedelta(hours=24), b.AS_OF, b.ZONE)
    assert [s.place(b.ZONE)[-17:-12] for s in slots] == ["01:30", "06:30"]
    verdict = judge(twice, jobs=jobs)
    assert {f.place for f in verdict.findings} == {f"2026-11-{d} 06:30 incremental" for d in (19, 20)}


def test_the_set_that_a_running_job_writes_is_known() -> None:
    writing = b.a_set(LAST, finished_at=None, problems=(b.a_problem("set_unfinished", status=Status.WARN),))
    running = b.with_run(LAST, state=JobState.RUNNING, ended_at=None)
    survey = b.survey(sets=(*b.SETS[:-1], writing), jobs=running)
    assert sets_being_written(survey, b.plan()) == {"set_19"}
    assert sets_being_written(b.survey(sets=survey.sets), b.plan()) == frozenset()
    assert judge(sets=survey.sets, jobs=running).findings == ()


def test_a_job_names_its_set_by_the_last_part_of_the_path() -> None:
    deep = b.with_set(LAST, set_id="2026/11/set_19")
    assert judge(sets=deep).findings == ()


def test_levels_do_not_stand_for_each_other() -> None:
    full = b.a_set(LAST, level=Level.FULL, parent_id=None, parent_position=None)
    verdict = judge(sets=(*b.SETS[:-1], full), jobs=b.job_log(b.a_run(s) for s in (*b.SETS[:-1], full)))
    assert b.only(verdict, "job_not_run").place == SLOT

"""The verdict *executed* on Oracle: sessions of RMAN against the plan, levels from the sets, and the horizon of the records."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from drydock.backup.oracle.executed import judge_executed
from drydock.verdicts import Status, Verdict
from tests.unit import made_catalogues as m

NEWEST = "2026-11-12 01:00 incremental"


def judge(plan: Any = None, **changes: Any) -> Verdict:
    return judge_executed(m.survey(**changes), plan or m.plan(), m.ZONE, m.POLICY)


def jobs(**changes: Any) -> dict[str, Any]:
    """All jobs, the newest one changed."""
    return {"jobs": tuple(m.a_job(n, **changes) if n == 11 else m.a_job(n) for n in range(m.NIGHTS))}


def test_every_planned_night_ran() -> None:
    verdict = judge()
    assert (verdict.status, verdict.findings) == (Status.PASS, ())
    assert verdict.examined == 3, "two nights of the look-back, and the last level 0 before them"


def test_a_session_is_of_the_level_that_its_sets_have() -> None:
    """INPUT_TYPE is 'DB INCR' for level 0 and 1 alike."""
    weekly = judge(sets=tuple(s for s in m.SETS if s.stamp != 1007), file_backups=tuple(b for b in m.BACKUPS if b.stamp != 1007))
    assert [f.code for f in weekly.findings] == ["job_success_contradicted"]


@pytest.mark.parametrize(
    ("status", "code"),
    [("COMPLETED WITH WARNINGS", None), ("COMPLETED WITH ERRORS", None), ("FAILED", "job_failed"), ("RUNNING", None)],
)
def test_what_the_status_of_a_session_means(status: str, code: str | None) -> None:
    ended = {"ended_at": None, "has_live_session": True} if status == "RUNNING" else {}
    verdict = judge(**jobs(status=status, **ended))
    late = {"job_running_too_long"} if status == "RUNNING" else set()
    assert {f.code for f in verdict.findings} == ({code} if code else late)


def test_errors_that_left_files_without_a_backup_are_a_failure() -> None:
    left = tuple(b for b in m.BACKUPS if (b.file, b.stamp) != (2, 1011))
    found = m.only(judge(file_backups=left, **jobs(status="COMPLETED WITH ERRORS")), "job_failed")
    assert found.values["message"] == "COMPLETED WITH ERRORS: 1 datafiles without a backup (2)"


def test_a_running_session_without_a_session_of_rman_has_crashed() -> None:
    verdict = judge(**jobs(status="RUNNING", ended_at=None, has_live_session=False))
    assert m.only(verdict, "job_failed").place == NEWEST


def test_a_night_without_a_session_and_without_a_set() -> None:
    gone = {"sets": m.without(1011), "jobs": tuple(m.a_job(n) for n in range(11))}
    assert m.told(judge(**gone)) == {"job_not_run": NEWEST}


def test_before_the_horizon_nothing_is_said_to_have_not_run() -> None:
    gone = {"sets": m.without(1011), "jobs": (), "horizon_at": m.night(11) + timedelta(hours=2)}
    found = m.only(judge(**gone), "job_log_horizon")
    assert (found.status, found.place) == (Status.UNKNOWN, NEWEST)
    assert m.only(judge(**gone | {"horizon_at": None}), "job_log_horizon").status is Status.UNKNOWN


def test_a_set_proves_the_run_where_the_record_of_the_session_is_gone() -> None:
    assert judge(jobs=(), horizon_at=m.NOW).findings == ()


def test_before_the_database_was_made_nothing_was_due() -> None:
    young = m.facts(created_at=m.night(10.5))
    bare = {"sets": tuple(s for s in m.SETS if s.stamp in (1011, 2011)), "jobs": (m.a_job(11),), "horizon_at": m.night(10.6)}
    assert judge(facts=young, **bare).findings == ()


def test_a_run_that_took_longer_than_the_plan() -> None:
    found = m.only(judge(**jobs(ended_at=m.night(11) + timedelta(hours=6, minutes=20))), "job_took_too_long")
    assert (found.status, found.values["minutes"]) == (Status.WARN, 381)


LOGS = {"level": "log", "cron": "0 * * * *", "may_start_late_minutes": 30}


def with_logs() -> Any:
    planned = [*m.plan().model_dump(mode="json")["plan"], LOGS]
    return m.plan(plan=planned)


def log_job(hours_ago: float, **changes: Any) -> Any:
    at = m.NOW - timedelta(hours=hours_ago)
    return m.a_job(50, started_at=at, ended_at=at + timedelta(minutes=3), input_type="ARCHIVELOG", **changes)


def test_planned_backups_of_logs() -> None:
    daily = tuple(m.a_job(n) for n in range(m.NIGHTS))
    assert judge(with_logs(), jobs=(*daily, log_job(0.5))).findings == ()
    old = m.log_set(started_at=m.NOW - timedelta(hours=5), completed_at=m.NOW - timedelta(hours=5))
    sets = (*m.SETS[:-1], old)
    assert m.told(judge(with_logs(), sets=sets)) == {"job_not_run": "log"}
    assert m.only(judge(with_logs(), sets=sets, horizon_at=m.NOW), "job_log_horizon").status is Status.UNKNOWN
    failed = judge(with_logs(), sets=sets, jobs=(*daily, log_job(0.5, status="FAILED")))
    assert m.only(failed, "job_failed").place == "log"


def test_sessions_that_nobody_could_ask_for() -> None:
    verdict = judge(jobs=(), unread=("rman_jobs", "rman_statuses"))
    assert (verdict.status, m.told(verdict)) == (Status.UNKNOWN, {"job_log_unreadable": "V$RMAN_BACKUP_JOB_DETAILS"})

"""The record of one run (优化记录), made from the ledger whatever became of the run, and put beside the day's other reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from pathlib import Path

from drydock import settings
from drydock.changing.regrowth import Regrowth, regrowth_lines
from drydock.changing.run import ChangeRun
from drydock.changing.verifying import stop_reason
from drydock.ledger import change_history
from drydock.ledger import history as ledger_history
from drydock.ledger import record as ledger_record
from drydock.ledger.change_weeks import week_lines
from drydock.ledger.connect import transaction
from drydock.outcomes import Outcome, StopReason
from drydock.plans import Plan
from drydock.reporting.document import Language
from drydock.reporting.publish import publish
from drydock.reporting.work_facts import WEEK_DAYS, WorkRecord
from drydock.reporting.work_record import build_work_record

KIND = "work_record"
REGROWTH_DAYS = 366


def report_run(run: ChangeRun) -> tuple[Path, ...]:
    """Write the run's record as docx, html and xlsx; returns the paths. The same facts written again are the same version.

    Raises TimeoutError when another run has been writing the same record for long.
    """
    told = read_record(run, settings.language())
    folder = settings.reports_dir() / run.day.isoformat()
    with ledger_history.day_lock(run.ledger, f"work-report-{run.day}-{run.pipeline}-{run.database.id}"):
        files = publish(build_work_record(told), folder)
        with transaction(run.ledger) as connection:
            for file in files:
                ledger_record.save_report(connection, run.run_id, KIND, run.day, told.language, file, 0, run.database.id)
    ledger_record.add_event(run.ledger, run.run_id, "reported", {"files": len(files)})
    return tuple(sorted(file.path for file in files))


def read_record(run: ChangeRun, language: Language) -> WorkRecord:
    """Everything the ledger knows of the run, as it is now."""
    ledger, run_id = run.ledger, run.run_id
    plan_id, plan = _plan(run)
    outcomes = change_history.outcomes_of_run(ledger, run_id)
    return WorkRecord(
        day=run.day,
        estate=run.configuration.estate,
        database=run.database,
        pipeline=run.pipeline,
        language=language,
        policy=run.policy,
        run_key=run.run_key,
        triggered_by=run.triggered_by,
        dry_run=run.dry_run,
        stop=stop_reason(run) if plan else StopReason.ERROR,
        plan=plan,
        asked=change_history.asked_of(ledger, plan_id) if plan_id else None,
        answer=change_history.answer_of(ledger, plan_id) if plan_id else None,
        outcomes=outcomes,
        statements=change_history.statements_of_run(ledger, run_id),
        answers=change_history.answers_of_run(ledger, run_id),
        verification=change_history.verification_of_run(ledger, run_id),
        regrowth=_regrowth(run),
        week_until=(until := _week_end(run, plan, outcomes)),
        week=week_lines(ledger, until - timedelta(days=WEEK_DAYS), until),
    )


def _plan(run: ChangeRun) -> tuple[int | None, Plan | None]:
    """The run's plan; none where it never made one, or where the one in the ledger is not the one that was hashed."""
    try:
        return change_history.plan_of_run(run.ledger, run.run_id)
    except (change_history.NotRecorded, ValueError):
        return None, None


def _regrowth(run: ChangeRun) -> tuple[Regrowth, ...]:
    since = run.began_at - timedelta(days=REGROWTH_DAYS)
    past = change_history.past_reclaims(run.ledger, run.database.id, since)
    return regrowth_lines(past, change_history.sizes_seen(run.ledger, run.database.id), run.policy, run.now())


def _week_end(run: ChangeRun, plan: Plan | None, outcomes: Sequence[Outcome]) -> datetime:
    """The end of the day of the run's last item, local to the database; of a night without one, of the day it closes.

    A window that never closes says nothing of the day: then it is the run's own.
    """
    ends = [o.ended_at for o in outcomes]
    if not ends and plan and plan.window_end - plan.window_start <= timedelta(days=1):
        ends = [plan.window_end]
    days = [end.astimezone(run.database.zone).date() for end in ends]
    return datetime.combine(max([*days, run.day]) + timedelta(days=1), time(), tzinfo=run.database.zone)

"""The tasks of the pipeline `audit`: a few lines each around `drydock.audit.steps`."""

from __future__ import annotations

import logging
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from drydock.audit.policy import AuditPolicy
from drydock.estate import Database
from drydock.orchestration.audit_review import AskAgain, ReviewPage
from drydock.orchestration.audit_runs import asked_here, open_day_run, open_quarter_run
from drydock.orchestration.notices import DUTY_NOTICE, notice_of_audit, notifiers
from drydock.verdicts import Verdict, worst

if TYPE_CHECKING:
    from drydock.audit.run import AuditRun

log = logging.getLogger(__name__)


def params() -> dict[str, Param]:
    """What a person may choose when triggering a run."""
    return {
        "day": Param(
            None,
            type=["null", "string"],
            format="date",
            title="日期 · Day",
            description="要收集并检测的本地日期；空 = 最近一个完整的日期。The local day to collect; empty: the newest whole day.",
        ),
        "quarter": Param(
            None,
            type=["null", "string"],
            pattern="^[0-9]{4}Q[1-4]$",
            title="季度 · Quarter",
            description="要分析、复核并出报告的季度，例如 2026Q3；只填季度则不收集。"
            "The quarter to analyse, review and report, for example 2026Q3; alone, nothing is collected.",
        ),
        "accept_fewer": Param(
            False,
            type="boolean",
            title="接受更少的记录 · Accept fewer records",
            description="重新读取所选日期时，即使来源记录少于归档也替换归档（须填日期；触发人写入台账与链）。"
            "The chosen day, read again, replaces what is stored even where it has fewer records; needs the day, and tells who "
            "triggered the run.",
        ),
    }


@task(task_display_name="收集 collect", max_active_tis_per_dag=1, execution_timeout=timedelta(hours=6))
def collect(database_id: str) -> list[str]:
    """Read the day's records from every source and seal them in the store; days that were missed before it, too."""
    from drydock.audit import steps

    _, _, asked = asked_here(database_id)
    if asked.day is None:
        skip("只分析季度，不收集。A run of a quarter alone collects nothing.")
    run = open_day_run(database_id, with_rows=True)
    if asked.makes_up:  # neither in a backfill nor for a day that a person chose
        steps.expire_old(run)
    days = steps.days_due(run, asked.makes_up)
    run.store.sweep()
    for day in days:
        steps.collect_day(steps.of_day(run, day), asked.accepted_by)
    return [str(day) for day in days]


@task(task_display_name="汇总 digest", max_active_tis_per_dag=1, execution_timeout=timedelta(hours=2))
def digest(database_id: str, days: list[str]) -> dict[str, int]:
    """Count the records of each collected day by hour, type, object, account, program and host, and by statement."""
    from drydock.audit import steps

    return {day: steps.digest_day(open_day_run(database_id, date.fromisoformat(day))) for day in days}


@task(task_display_name="检测 detect", max_active_tis_per_dag=1, execution_timeout=timedelta(hours=2))
def detect(database_id: str, days: list[str]) -> dict[str, dict[str, int]]:
    """Ask every rule of each collected day; what ledger, tickets, exceptions and reviews explain is counted apart."""
    from drydock.audit import steps

    found = {day: steps.detect_day(open_day_run(database_id, date.fromisoformat(day))) for day in days}
    return {
        day: {"records": d.records, "rules": len(d.rules), "alarms": len(d.alarms), "beyond_budget": d.beyond_budget}
        for day, d in found.items()
    }


@task(task_display_name="判定 judge", execution_timeout=timedelta(minutes=30))
def judge(database_id: str) -> dict[str, str]:
    """Judge the day: was it collected, what is explained by nothing, and can the trail itself be trusted."""
    from drydock.audit import steps

    verdicts = steps.judge_day(open_day_run(database_id, with_rows=True))
    return {v.question: v.status.value for v in verdicts}


@task(task_display_name="分析 analyse", trigger_rule="none_failed", execution_timeout=timedelta(hours=1))
def analyse(database_id: str) -> list[dict[str, Any]]:
    """List what nobody has reviewed in the quarter, page by page, worst first; the whole queue goes into an .xlsx too."""
    from drydock.audit import steps
    from drydock.audit.quarterly.review_page import pages_of

    run, quarter = _quarter_run(database_id)
    waiting = steps.analyse_quarter(run, quarter)
    pages = pages_of([item.pattern for item in waiting])
    log.info("%s %s: %d items wait for a person; %s", database_id, quarter, len(waiting), steps.sheet_path(run, quarter))
    return [{"number": n, "pages": len(pages), "patterns": patterns} for n, patterns in enumerate(pages, 1)]


def review(database: Database, policy: AuditPolicy, pages: Any) -> Any:
    """The mapped task `review`: one question per page of the queue, open for `review_days`, and each for another person."""
    return ReviewPage.partial(
        task_id="review",
        task_display_name="复核 review",
        database_id=database.id,
        doc_md=ReviewPage.__doc__,
        response_timeout=timedelta(days=policy.review_days),
        retries=12,
        retry_policy=AskAgain(),
        map_index_template="{{ task.page['number'] }}/{{ task.page['pages'] }}",
    ).expand(page=pages)


@task(task_display_name="报告 report", trigger_rule="all_done", execution_timeout=timedelta(hours=1))
def report(database_id: str) -> list[str]:
    """Write the quarter's 数据库审计报告, whatever people have answered; returns the paths."""
    run, quarter = _quarter_run(database_id)
    from drydock.audit.quarterly.reports import (
        report_quarter,  # charts and documents: a second that no other task start should pay
    )

    return [str(path) for path in report_quarter(run, quarter)]


@task(
    task_display_name="结论 outcome",
    trigger_rule="all_done",
    execution_timeout=timedelta(minutes=15),
    on_success_callback=notifiers(),
    on_failure_callback=notifiers(),
)
def outcome(database_id: str) -> str:
    """Turn the run red on FAIL or UNKNOWN, and where the quarter's report was not written; one notice leaves from here."""
    context = get_current_context()
    _, database, asked = asked_here(database_id)
    run = open_day_run(database_id) if asked.day else open_quarter_run(database_id)[0]
    verdicts = _verdicts(run, context) if asked.day else None
    context["ti"].xcom_push(key=DUTY_NOTICE, value=notice_of_audit(run, asked, verdicts, context))
    return end(database, asked, verdicts, context)


def _verdicts(run: AuditRun, context: Any) -> tuple[Verdict, ...]:
    """What `judge` of this very run said; () where it did not succeed, whatever an earlier attempt had said."""
    from drydock.audit import steps

    return steps.verdicts_of_day(run) if context["ti"].xcom_pull(task_ids="judge") else ()


def end(database: Database, asked: Any, verdicts: tuple[Verdict, ...] | None, context: Any) -> str:
    """How the run ended, in words. `verdicts` None: it was of a quarter alone. Raises AirflowFailException where it is red."""
    if verdicts is not None and not verdicts:
        raise AirflowFailException("没有判定：见上游任务的日志。Nothing was judged: see the logs of the tasks before.")
    if asked.quarter is not None and not context["ti"].xcom_pull(task_ids="report"):
        raise AirflowFailException("报告没有写成：见 report 任务的日志。The report was not written: see the log of task report.")
    if verdicts is None:
        return str(asked.quarter)
    status = worst(verdicts)
    told = f"{database.id} {asked.day}: {status.value}; " + ", ".join(f"{v.question} {v.status.value}" for v in verdicts)
    if status.is_red:
        codes = sorted({f.code for v in verdicts for f in v.findings if f.effective.is_red})
        reasons = sorted({v.reason for v in verdicts if v.status.is_red and v.reason})
        raise AirflowFailException(f"{told}; {', '.join([*codes, *reasons])}")
    return told


def _quarter_run(database_id: str) -> Any:
    _, _, asked = asked_here(database_id)
    if asked.quarter is None:
        skip("不是季度末，也没有指定季度。Neither the last day of a quarter nor a run for a chosen one.")
    return open_quarter_run(database_id)


def skip(told: str) -> Any:
    """End this task as skipped, with the reason in its log: Airflow itself does not write it there."""
    log.info("SKIPPED: %s", told)
    raise AirflowSkipException(told)

"""The tasks of the pipelines that change something, `reclaim` and `reindex`: a few lines each around `drydock.changing.steps`."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk import BaseOperator, Param, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from drydock.changing import approval_page, steps
from drydock.changing.run import ChangeRun
from drydock.estate import Database
from drydock.ledger import change_history, record
from drydock.messages import question_word
from drydock.orchestration.approval import PlanApproval
from drydock.orchestration.change_runs import open_change_run
from drydock.orchestration.notices import DUTY_NOTICE, notice_of_work, notifiers
from drydock.orchestration.telling import tell, words
from drydock.outcomes import StopReason, Verification
from drydock.plans import Pipeline
from drydock.pools import pool_of
from drydock.verdicts import Status, worst

log = logging.getLogger(__name__)


def params() -> dict[str, Param]:
    """What a person may choose when triggering a run."""
    return {
        "dry_run": Param(
            False,
            type="boolean",
            title="只做计划 · Dry run",
            description="只勘查、列出计划和报告，不询问、不变更。Survey, plan and report; nobody is asked, nothing is changed.",
        ),
        "note": Param(
            None,
            type=["null", "string"],
            maxLength=500,
            title="备注 · Note",
            description="写入本次运行的记录，例如工单号。Kept with the run, for example the number of a ticket.",
        ),
    }


@task(task_display_name="勘查 survey", execution_timeout=timedelta(hours=4))
def survey(database_id: str, pipeline: Pipeline) -> dict[str, int]:
    """Look for what is worth working on, and say why for everything that is left alone; change nothing."""
    run = open_change_run(database_id, pipeline)
    never_in_a_backfill(run)
    record.add_event(run.ledger, run.run_id, "triggered", told_by_person(run))
    found = steps.take_survey(run)
    return {"examined": found.examined, "candidates": len(found.candidates), "left_alone": len(found.left_alone)}


def told_by_person(run: ChangeRun) -> dict[str, Any]:
    """What a person said when starting the run, for the ledger."""
    note = get_current_context()["params"].get("note")
    return {"by": run.triggered_by, "dry_run": run.dry_run, "note": str(note or "")[:500]}


@task(task_display_name="计划 plan", execution_timeout=timedelta(minutes=30))
def plan(database_id: str, pipeline: Pipeline) -> list[dict[str, Any]]:
    """Pack what is worth it into the next window, by this database's own measured rates; one entry per item."""
    made = steps.make_plan(open_change_run(database_id, pipeline))
    items = made.items if made else ()
    return [{"number": item.number, "label": approval_page.label_of(item)} for item in items]


def approve(database: Database, pipeline: Pipeline) -> PlanApproval:
    """The task that asks a person."""
    return PlanApproval(
        pipeline=pipeline,
        database=database,
        task_id="approve",
        task_display_name="审批 approve",
        doc_md=PlanApproval.__doc__,
        retries=2,
    )


class WindowWait(BaseOperator):
    """Wait for the low-peak window of the plan to open, without holding a worker; inside it, end at once.

    Skipped in a dry run and for an empty plan: no work follows then. Whether the window is open, each item asks again.
    """

    def __init__(self, *, pipeline: Pipeline, database_id: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.pipeline, self.database_id = pipeline, database_id

    def execute(self, context: Any) -> str:
        run = open_change_run(self.database_id, self.pipeline)
        _, made = change_history.plan_of_run(run.ledger, run.run_id)
        if run.dry_run or not made.items:
            skip(words("dry_run" if run.dry_run else "nothing_to_do"))
        if made.window_start > datetime.now(UTC):
            log.info("the window opens at %s", made.window_start.astimezone(run.database.zone))
            self.defer(trigger=DateTimeTrigger(moment=made.window_start), method_name="execute_complete")
        return "open"

    def execute_complete(self, context: Any, event: Any = None) -> str:
        return "open"


def window(database: Database, pipeline: Pipeline) -> WindowWait:
    """The task that waits for the low-peak window."""
    return WindowWait(
        pipeline=pipeline,
        database_id=database.id,
        task_id="window",
        task_display_name="等待窗口 window",
        doc_md=WindowWait.__doc__,
    )


def work(database: Database, pipeline: Pipeline, planned: Any) -> Any:
    """The mapped task `work`, one instance per item, one at a time on the database whatever the pipeline."""
    one = task(
        task_id="work",
        task_display_name="执行 work",
        pool=pool_of(database),
        max_active_tis_per_dagrun=1,
        map_index_template="{{ task.op_kwargs['item']['label'] }}",
        execution_timeout=timedelta(hours=24),  # each statement has a deadline of its own, and a second session that ends it
    )(work_one)
    return one.partial(database_id=database.id, pipeline=pipeline).expand(item=planned)


def work_one(database_id: str, pipeline: Pipeline, item: dict[str, Any]) -> dict[str, Any]:
    """Work on one item behind the gate: first what an earlier attempt left, then the item; SKIPPED when the gate is closed."""
    outcome = steps.work_item(open_change_run(database_id, pipeline), item["number"])
    if outcome.status is Status.SKIPPED:
        skip(f"{item['label']}: {words(outcome.reason)}")
    if outcome.status.is_red:
        raise AirflowFailException(f"{item['label']}: {words(outcome.reason)}")
    return {"status": outcome.status.value, "freed_bytes": outcome.freed_bytes, "elapsed_s": round(outcome.elapsed_s, 1)}


@task(task_display_name="核验 verify", trigger_rule="all_done", execution_timeout=timedelta(hours=2))
def verify(database_id: str, pipeline: Pipeline) -> dict[str, Any]:
    """Look at the target again: nothing invalid, unusable or left over, every setting back, bytes smaller."""
    run = open_change_run(database_id, pipeline)
    never_in_a_backfill(run)
    try:
        made = steps.verify_run(run)
    except change_history.NotRecorded as e:  # there is no plan: trying again mends nothing
        raise AirflowFailException(str(e)) from None
    tell(made)
    return {"status": status_of(made).value, "stop": made.stop.value, "done": made.done, "freed_bytes": made.freed_bytes}


@task(task_display_name="报告 report", trigger_rule="all_done", execution_timeout=timedelta(hours=1))
def report(database_id: str, pipeline: Pipeline) -> list[str]:
    """Write the run's 优化记录, whatever happened before; returns the paths."""
    run = open_change_run(database_id, pipeline)
    never_in_a_backfill(run)
    from drydock.changing.reports import report_run  # charts and documents: a second that no other task start should pay

    return [str(path) for path in report_run(run)]


@task(
    task_display_name="结论 outcome",
    trigger_rule="all_done",
    execution_timeout=timedelta(minutes=15),
    on_success_callback=notifiers(),
    on_failure_callback=notifiers(),
)
def outcome(database_id: str, pipeline: Pipeline) -> str:
    """Turn the run red on FAIL or UNKNOWN, after the report was written; one notice per run leaves from here.

    Work that the gate did not let begin, or that nobody approved, is no failure: the run ends green and says why.
    """
    run, context = open_change_run(database_id, pipeline), get_current_context()
    never_in_a_backfill(run)
    made = change_history.verification_of_run(run.ledger, run.run_id) if ended_well("verify", context) else None
    context["ti"].xcom_push(key=DUTY_NOTICE, value=notice_of_work(run, made, context))
    record.add_event(run.ledger, run.run_id, "finished", {"status": status_of(made).value if made else "UNKNOWN"})
    return end(made, context)


def ended_well(task_id: str, context: Any) -> bool:
    """Whether a task of this run gave an answer."""
    return bool(context["ti"].xcom_pull(task_ids=task_id))


def end(made: Verification | None, context: Any) -> str:
    """How the run ended, in words. Raises AirflowFailException where it must be red."""
    if made is None:
        raise AirflowFailException(
            "没有核验：见上游任务的日志，处理后从 verify 起连同下游清除。"
            "Nothing was verified: see the logs of the tasks before, then clear from verify on with what follows."
        )
    told = f"{words(made.why_no_more)}; done {made.done}, skipped {made.skipped}, failed {made.failed}"
    if status_of(made).is_red:
        tell(made)
        raise AirflowFailException(f"{why_red(made)}; {told}")
    if not ended_well("report", context):
        raise AirflowFailException(
            "报告没有写成：见 report 任务的日志，处理后从 report 起清除。"
            "The report was not written: see the log of task report, then clear from report on."
        )
    log.info("%s", told)
    _tell_warnings(made)
    return told


def why_red(made: Verification) -> str:
    """Which questions are red and for which codes, first: a person sees the beginning of the line."""
    red = [v for v in made.verdicts if v.status.is_red]
    asked = "、".join(f"{question_word(v.question, 'zh')} {v.question} {v.status.value}" for v in red)
    codes = ", ".join(sorted({f.code for v in red for f in v.findings if f.effective.is_red}))
    return f"{asked or status_of(made).value}: {codes or 'no finding'}"


def _tell_warnings(made: Verification) -> None:
    """A green run still says what a person should look at."""
    if any(v.status is Status.WARN for v in made.verdicts):
        tell(made)


def status_of(made: Verification) -> Status:
    """What colours the run: the worst verdict; an item that failed, or a run that broke off, is never green."""
    if made.failed or made.stop is StopReason.ERROR:
        return Status.FAIL
    return worst(made.verdicts)


def never_in_a_backfill(run: ChangeRun) -> None:
    """A past night is skipped."""
    if run.is_backfill:
        skip(words("backfill"))


def skip(told: str) -> NoReturn:
    """End this task as skipped, with the reason in its log: Airflow itself does not write it there."""
    log.info("SKIPPED: %s", told)
    raise AirflowSkipException(told)

"""The tasks of the pipeline `masking`: those of the weekly work, with a picture beside it and a delivery after it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import get_current_context, task
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.exceptions import AirflowFailException

from drydock.changing import steps
from drydock.changing.hands import LASTING, ChangeFailed
from drydock.changing.run import ChangeRun, RunRefused, StepSkipped
from drydock.configuration import ConfigurationError, load_masking_policy
from drydock.estate import Database, Engine
from drydock.ledger import change_history, record
from drydock.masking.ciphers.epochs import EpochHasOtherKey, note_keys_gone
from drydock.masking.policies.approval_page import body_of, label_of, subject_of
from drydock.orchestration import changing
from drydock.orchestration.approval import PlanApproval
from drydock.orchestration.change_runs import open_change_run
from drydock.orchestration.changing import skip
from drydock.orchestration.masking_keys import KeyUnusable, key_held, masking_key_of
from drydock.orchestration.masking_sessions import checked_key
from drydock.orchestration.notices import DUTY_NOTICE, notice_of_work, notifiers
from drydock.orchestration.telling import finding_words, words
from drydock.outcomes import Outcome, StopReason
from drydock.plans import Plan
from drydock.pools import pool_of
from drydock.verdicts import Status

if TYPE_CHECKING:
    from drydock.masking.postgres.sessions import Picture

log = logging.getLogger(__name__)

PIPELINE = "masking"
DELIVER, DESTROY = "mask_deliver", "mask_destroy"
AFTERWARDS = (DELIVER, DESTROY)
"""Items of a plan that have tasks of their own."""
LOST = "target_silent"
"""Reason of an outcome of an item that lost its server between two questions of the gate."""
DATA_DOCS = "data_docs"
TRIES = 10
"""Of work and picture: a server that is lost comes back, and what was copied stays."""
CANNOT_RUN = (KeyUnusable, EpochHasOtherKey, ConfigurationError)


@task(task_display_name="勘查 survey", execution_timeout=timedelta(hours=4))
def survey(database_id: str) -> dict[str, int]:
    """Look at key, policy, schema and target before anything is planned; every reason not to begin is told at once."""
    run = open_change_run(database_id, PIPELINE)
    changing.never_in_a_backfill(run)
    try:
        checked_key(run, load_masking_policy(database_id))
        record.add_event(run.ledger, run.run_id, "triggered", changing.told_by_person(run))
        found = steps.take_survey(run)
    except CANNOT_RUN as e:
        raise AirflowFailException(str(e)) from None
    except RunRefused as e:
        raise AirflowFailException("\n".join(map(finding_words, e.findings))) from None
    except ChangeFailed as e:
        _end_where_a_right_is_missing(e)
        raise
    return {"examined": found.examined, "items": len(found.candidates), "left_alone": len(found.left_alone)}


def _end_where_a_right_is_missing(error: ChangeFailed) -> None:
    """Trying again grants nothing. Raises AirflowFailException, which names what must be granted."""
    if error.kind in LASTING:
        raise AirflowFailException(f"{words(LASTING[error.kind])} {error.needs} ({error.code})") from None


@task(task_display_name="计划 plan", execution_timeout=timedelta(minutes=30))
def plan(database_id: str) -> list[dict[str, Any]]:
    """Plan the whole copy, or nothing: one entry for each item that is worked before the copy is verified."""
    made = steps.make_plan(open_change_run(database_id, PIPELINE))
    items = [item for item in made.items if item.candidate.action not in AFTERWARDS] if made else []
    return [{"number": item.number, "label": label_of(item)} for item in items]


class CopyApproval(PlanApproval):
    """Ask a person for a yes to the whole copy: tables, what becomes of their columns, minutes, room, and where it goes.

    There is nothing to choose from: a copy without some of its tables would not be the one that was planned. Who may
    answer: `approval.approvers` of the limits; with four eyes, not who triggered the run.
    """

    def title_of(self, plan: Plan) -> str:
        return subject_of(plan, self.database, load_masking_policy(self.database.id))

    def page_of(self, plan: Plan) -> str:
        return body_of(plan, self.database, load_masking_policy(self.database.id))

    def form(self, plan: Plan) -> ParamsDict:
        return ParamsDict({})

    def chosen(self, plan: Plan, said: dict[str, Any]) -> tuple[int, ...]:
        return tuple(item.number for item in plan.items)


def approve(database: Database) -> CopyApproval:
    """The task that asks a person."""
    told = {"task_id": "approve", "task_display_name": "审批 approve", "doc_md": CopyApproval.__doc__, "retries": 2}
    return CopyApproval(pipeline=PIPELINE, database=database, **told)


@task(
    task_display_name="快照 picture",
    execution_timeout=timedelta(hours=24),  # it ends with the last chunk, or with the window
    retries=TRIES,
    retry_delay=timedelta(seconds=5),
    retry_exponential_backoff=False,
)
def picture(database_id: str) -> dict[str, Any]:
    """Hold one consistent picture of the source while the chunks are copied.

    A lost one is never replaced unnoticed: where the next one shows other rows, the copy begins anew and the ledger says so.
    Of an Oracle source it is an SCN, which is written down; nothing holds it but the undo.
    """
    from drydock.masking.postgres.picture import PictureRefused

    run = open_change_run(database_id, PIPELINE)
    try:
        held = _hold_of(run)(run)
    except StepSkipped as e:
        skip(words(e.reason))
    except (PictureRefused, *CANNOT_RUN) as e:
        raise AirflowFailException(str(e)) from None
    except ChangeFailed as e:
        _end_where_a_right_is_missing(e)
        raise
    return {"generation": held.generation}


def _hold_of(run: ChangeRun) -> Callable[[ChangeRun], Picture]:
    """How the picture of the source is taken, by its engine."""
    if run.database.engine is Engine.ORACLE:
        from drydock.masking.oracle.picture import make_picture

        return make_picture
    from drydock.masking.postgres.picture import hold_picture

    return hold_picture


def work(database: Database, planned: Any) -> Any:
    """The mapped task `work`, one instance per item, one at a time on the database whatever the pipeline."""
    one = task(
        task_id="work",
        task_display_name="复制与脱敏 work",
        pool=pool_of(database),
        max_active_tis_per_dagrun=1,
        map_index_template="{{ task.op_kwargs['item']['label'] }}",
        execution_timeout=timedelta(hours=24),
        retries=TRIES,
    )(work_one)
    return one.partial(database_id=database.id).expand(item=planned)


def work_one(database_id: str, item: dict[str, Any]) -> dict[str, Any]:
    """Work on one item behind the gate: what an attempt that was killed has copied stays, what is missing is copied."""
    return _ended(_worked(open_change_run(database_id, PIPELINE), item["number"]), item["label"])


def _worked(run: ChangeRun, number: int) -> Outcome:
    try:
        return steps.work_item(run, number)
    except CANNOT_RUN as e:
        raise AirflowFailException(str(e)) from None


def _ended(outcome: Outcome, label: str) -> dict[str, Any]:
    if outcome.reason in LASTING.values():
        told = (str(outcome.after[name]) for name in ("needs", "code", "error") if outcome.after.get(name))
        raise AirflowFailException(f"{label}: {words(outcome.reason)} {' '.join(told)}")
    if outcome.reason == LOST:
        raise ConnectionError(f"{label}: {words(outcome.reason)}")  # tried again, as every lost server is
    if outcome.status is Status.SKIPPED:
        skip(f"{label}: {words(outcome.reason)}")
    if outcome.status.is_red:
        raise AirflowFailException(f"{label}: {words(outcome.reason)}")
    return {"status": outcome.status.value, "elapsed_s": round(outcome.elapsed_s, 1)}


@task(task_display_name="交付 deliver", execution_timeout=timedelta(hours=1))
def deliver(database_id: str) -> dict[str, Any]:
    """Let the copy appear under its names, at once, where the ledger says that it was verified without red.

    What Airflow believes of `verify` or `approve` opens nothing.
    """
    return _afterwards(database_id, DELIVER)


@task(task_display_name="销毁 destroy", trigger_rule="all_done", execution_timeout=timedelta(hours=2))
def destroy(database_id: str) -> dict[str, Any]:
    """Remove what the run does not leave behind, whatever happened before: staging, older copies, material of the key.

    A copy that failed its verification stays for a DBA to look at, seen by nobody else, until the next run.
    """
    run = open_change_run(database_id, PIPELINE)
    changing.never_in_a_backfill(run)
    _note_keys(run)
    return _afterwards(database_id, DESTROY)


def _afterwards(database_id: str, action: str) -> dict[str, Any]:
    run = open_change_run(database_id, PIPELINE)
    changing.never_in_a_backfill(run)
    try:
        _, made = change_history.plan_of_run(run.ledger, run.run_id)
    except change_history.NotRecorded as e:  # there is no plan: trying again mends nothing
        skip(str(e))
    item = next((i for i in made.items if i.candidate.action == action), None)
    if item is None:
        skip(words(StopReason.NOTHING_TO_DO.value))
    return _ended(_worked(run, item.number), label_of(item))


def _note_keys(run: ChangeRun) -> None:
    """Where keys of earlier epochs were, and are not any more: observed, never claimed. A key that is away stops nothing here."""
    try:
        key = masking_key_of(load_masking_policy(run.database.id).key)
    except CANNOT_RUN as e:
        log.warning("%s", e)
        return
    for gone in note_keys_gone(run.ledger, run.run_id, key, key_held):
        log.info("the key of epoch %s is gone from connection %s: %s", gone.epoch, gone.connection, gone.observed)


@task(task_display_name="报告 report", trigger_rule="all_done", execution_timeout=timedelta(hours=1))
def report(database_id: str) -> list[str]:
    """Write the run's 脱敏管理服务报告, whatever happened before; returns the paths. XCom `data_docs`: the pages of the check."""
    run = open_change_run(database_id, PIPELINE)
    changing.never_in_a_backfill(run)
    from drydock.masking.reports import data_docs, report_run  # charts and documents: a second that no other task should pay

    paths, docs = [str(path) for path in report_run(run)], [str(path) for path in data_docs(run)]
    for path in (*paths, *docs):
        log.info("%s", path)
    if docs:
        get_current_context()["ti"].xcom_push(key=DATA_DOCS, value=docs[0])
    return paths


@task(
    task_display_name="结论 outcome",
    trigger_rule="all_done",
    execution_timeout=timedelta(minutes=15),
    on_success_callback=notifiers(),
    on_failure_callback=notifiers(),
)
def outcome(database_id: str) -> str:
    """Turn the run red on FAIL or UNKNOWN, and where a copy that was verified was not delivered; one notice leaves from here."""
    run, context = open_change_run(database_id, PIPELINE), get_current_context()
    changing.never_in_a_backfill(run)
    made = change_history.verification_of_run(run.ledger, run.run_id) if changing.ended_well("verify", context) else None
    context["ti"].xcom_push(key=DUTY_NOTICE, value=notice_of_work(run, made, context))
    record.add_event(run.ledger, run.run_id, "finished", {"status": changing.status_of(made).value if made else "UNKNOWN"})
    if reason := why_undelivered(run):
        log.error("没有交付 not delivered%s: %s", quarantine_of(run), words(reason))
    told = changing.end(made, context)
    if made and made.stop is StopReason.DONE and not is_delivered(run):
        raise AirflowFailException(
            "核验合格的副本没有交付：见 deliver 任务的日志，处理后从 deliver 起清除。"
            "A sound copy was not delivered: see the log of deliver, then clear from deliver on."
        )
    return told


def why_undelivered(run: ChangeRun) -> str:
    """The code of why the newest try to deliver left it; empty where it was not tried, or where a person left it."""
    tried = [o for o in change_history.outcomes_of_run(run.ledger, run.run_id) if o.item_key.startswith(f"{DELIVER} ")]
    return tried[-1].reason if tried and tried[-1].reason.startswith("copy_") else ""


def quarantine_of(run: ChangeRun) -> str:
    """Where the copy of the run stands until the next one, for a DBA to look at; empty where that cannot be told."""
    from drydock.masking.postgres.definitions import STAGING

    try:
        target = load_masking_policy(run.database.id).chosen_target()
    except ConfigurationError:
        return ""
    if target.engine is not Engine.POSTGRESQL:
        return f" ({target.id})"
    return f" (隔离于 in quarantine: {target.id}, {target.connection}, {STAGING}_{run.run_id}_*)"


def is_delivered(run: ChangeRun) -> bool:
    """Whether the ledger says that the run's copy was delivered."""
    done = (Status.PASS, Status.WARN)
    outcomes = change_history.outcomes_of_run(run.ledger, run.run_id)
    return any(o.status in done and o.item_key.startswith(f"{DELIVER} ") for o in outcomes)

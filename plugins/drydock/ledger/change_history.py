"""What changing pipelines ask of the ledger: what was planned, answered, begun and done, and what is to be gone on from.

Of several rows on the same thing the newest counts. Nothing here looks at a target.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import AwareDatetime, TypeAdapter
from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from drydock.ledger.change_models import (
    ChangeSurveyRow,
    IntentRow,
    IntentStateRow,
    InterlockAnswerRow,
    ObjectSizeRow,
    OutcomeRow,
    PlanAnswerRow,
    PlanQuestionRow,
    PlanRow,
    StatementEndRow,
    StatementRow,
    VerificationRow,
    WorldRow,
)
from drydock.ledger.connect import Ledger, transaction
from drydock.ledger.models import RunRow
from drydock.outcomes import (
    Answer,
    ApprovalAnswer,
    Measured,
    Outcome,
    PastReclaim,
    PastWork,
    SizeSeen,
    StatementDone,
    StopReason,
    Verification,
)
from drydock.plans import Found, ObjectRef, Plan, WorkItem
from drydock.verdicts import Figure, Model, Status

REPAIR_FAILED = "repair_failed"
"""Reason of an outcome whose object could not be put right: its item stays unfinished."""


class Asked(Model):
    """The newest question on a plan."""

    question_id: int
    asked_at: AwareDatetime
    asked_of: tuple[str, ...]


class StatementRecord(Model):
    """One statement of a run. `done` None: it was begun, and how it ended is not known."""

    statement_id: int
    intent_id: int
    item_key: str
    number: int
    text: str
    put_back: bool
    begun_at: AwareDatetime
    done: StatementDone | None


class AnswerRecord(Model):
    """What one interlock said to one item of a run."""

    item_key: str
    intent_id: int | None
    at: AwareDatetime
    answer: Answer


class NotRecorded(LookupError):
    """A run's step left nothing in the ledger: it did not complete."""


def found_of_run(ledger: Ledger, run_id: int) -> Found:
    """The run's newest survey. Raises NotRecorded when the run has none."""
    found = _newest(ledger, ChangeSurveyRow.found, ChangeSurveyRow.id, ChangeSurveyRow.run_id == run_id)
    if found is None:
        raise NotRecorded(f"run {run_id} has no survey in the ledger: its survey step did not complete")
    return Found.model_validate(found)


def plan_of_run(ledger: Ledger, run_id: int) -> tuple[int, Plan]:
    """Id of the run's newest plan, and the plan. Raises NotRecorded when the run has none.

    Raises ValueError when the plan that comes out has not the hash that went in: then nothing stands on it.
    """
    query = select(PlanRow.id, PlanRow.hash, PlanRow.plan).where(PlanRow.run_id == run_id).order_by(PlanRow.id.desc()).limit(1)
    with transaction(ledger) as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        raise NotRecorded(f"run {run_id} has no plan in the ledger: its plan step did not complete")
    plan = Plan.model_validate(row.plan)
    if plan.hash != row.hash:
        raise ValueError(f"plan {row.id} in the ledger is not the one that was hashed")
    return row.id, plan


def asked_of(ledger: Ledger, plan_id: int) -> Asked | None:
    """The newest question on the plan, None when nobody was asked."""
    fields = (PlanQuestionRow.id.label("question_id"), PlanQuestionRow.asked_at, PlanQuestionRow.asked_of)
    query = select(*fields).where(PlanQuestionRow.plan_id == plan_id).order_by(PlanQuestionRow.id.desc()).limit(1)
    with transaction(ledger) as connection:
        row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Asked.model_validate(dict(row))


def answer_of(ledger: Ledger, plan_id: int) -> ApprovalAnswer | None:
    """The newest answer to the plan's newest question; None while that question has none."""
    newest_question = select(func.max(PlanQuestionRow.id)).where(PlanQuestionRow.plan_id == plan_id).scalar_subquery()
    is_its_answer = PlanAnswerRow.question_id.is_not_distinct_from(newest_question)
    answer = _newest(ledger, PlanAnswerRow.answer, PlanAnswerRow.id, PlanAnswerRow.plan_id == plan_id, is_its_answer)
    return None if answer is None else ApprovalAnswer.model_validate(answer)


def remembered(ledger: Ledger, database: str, pipeline: str, item_key: str) -> dict[str, Figure]:
    """What attempts at that item wrote down, the newest of each name.

    Kept across kills and runs, until an attempt that was begun ended other than by FAIL; SKIPPED by the gate ends nothing.
    """
    finished = select(func.coalesce(func.max(OutcomeRow.intent_id), 0)).where(
        _of_item(OutcomeRow, database, pipeline, item_key), OutcomeRow.status != Status.FAIL.value
    )
    query = (
        select(IntentStateRow.state)
        .join(IntentRow, IntentRow.id == IntentStateRow.intent_id)
        .where(_of_item(IntentRow, database, pipeline, item_key), IntentRow.id > finished.scalar_subquery())
        .order_by(IntentStateRow.id)
    )
    with transaction(ledger) as connection:
        return {name: value for state in connection.execute(query).scalars() for name, value in state.items()}


def _of_item(row: Any, database: str, pipeline: str, item_key: str) -> ColumnElement[bool]:
    return and_(row.database == database, row.pipeline == pipeline, row.item_key == item_key)


def unfinished_items(ledger: Ledger, database: str, pipeline: str) -> tuple[WorkItem, ...]:
    """Items whose newest attempt has no outcome, or could not put its object right; as they were planned, oldest first."""
    newest = (
        select(IntentRow.id, IntentRow.item)
        .ext(distinct_on(IntentRow.item_key))
        .where(IntentRow.database == database, IntentRow.pipeline == pipeline)
        .order_by(IntentRow.item_key, IntentRow.id.desc())
        .subquery("newest")
    )
    is_finished = select(OutcomeRow.id).where(OutcomeRow.intent_id == newest.c.id, OutcomeRow.reason != REPAIR_FAILED).exists()
    with transaction(ledger) as connection:
        items = connection.execute(select(newest.c.item).where(~is_finished).order_by(newest.c.id)).scalars().all()
    return tuple(WorkItem.model_validate(item) for item in items)


def outcomes_of_run(ledger: Ledger, run_id: int) -> tuple[Outcome, ...]:
    """The newest outcome of each item of the run, by its number in the plan."""
    query = select(OutcomeRow.outcome).ext(distinct_on(OutcomeRow.item_key)).where(OutcomeRow.run_id == run_id)
    query = query.order_by(OutcomeRow.item_key, OutcomeRow.id.desc())
    with transaction(ledger) as connection:
        outcomes = [Outcome.model_validate(o) for o in connection.execute(query).scalars()]
    return tuple(sorted(outcomes, key=lambda o: (o.number, o.item_key)))


def finished_in_run(ledger: Ledger, run_id: int, item_key: str) -> Outcome | None:
    """The item's outcome in this run where nothing is left to do; None: not begun, stopped by the gate, or not put right."""
    of_item = (OutcomeRow.run_id == run_id, OutcomeRow.item_key == item_key)
    is_open = or_(
        OutcomeRow.intent_id.is_(None),
        OutcomeRow.reason == REPAIR_FAILED,
        and_(OutcomeRow.status == Status.SKIPPED.value, OutcomeRow.stop != StopReason.DONE.value),
    )
    outcome = _newest(ledger, OutcomeRow.outcome, OutcomeRow.id, *of_item, not_(is_open))
    return None if outcome is None else Outcome.model_validate(outcome)


def begun_in_run(ledger: Ledger, run_id: int) -> tuple[str, ...]:
    """Keys of the items of which an attempt of this run began anything."""
    query = select(IntentRow.item_key).distinct().where(IntentRow.run_id == run_id).order_by(IntentRow.item_key)
    with transaction(ledger) as connection:
        return tuple(connection.execute(query).scalars())


def statements_of_run(ledger: Ledger, run_id: int) -> tuple[StatementRecord, ...]:
    """Every statement that was sent for the run, in the order of sending."""
    fields = (
        StatementRow.id.label("statement_id"),
        *(StatementRow.intent_id, IntentRow.item_key, IntentRow.number),
        *(StatementRow.text, StatementRow.put_back, StatementRow.begun_at, StatementEndRow.done),
    )
    query = (
        select(*fields)
        .join(IntentRow, IntentRow.id == StatementRow.intent_id)
        .outerjoin(StatementEndRow, StatementEndRow.statement_id == StatementRow.id)
        .where(IntentRow.run_id == run_id)
        .order_by(StatementRow.id)
    )
    with transaction(ledger) as connection:
        return tuple(StatementRecord.model_validate(dict(row)) for row in connection.execute(query).mappings())


def answers_of_run(ledger: Ledger, run_id: int) -> tuple[AnswerRecord, ...]:
    """Everything the interlocks said in the run, in the order in which they were asked."""
    own = (InterlockAnswerRow.item_key, InterlockAnswerRow.intent_id, InterlockAnswerRow.at)
    said = [getattr(InterlockAnswerRow, name) for name in Answer.model_fields]
    query = select(*own, *said).where(InterlockAnswerRow.run_id == run_id).order_by(InterlockAnswerRow.id)
    with transaction(ledger) as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    return tuple(
        AnswerRecord(**{c.key: row[c.key] for c in own}, answer=Answer(**{n: row[n] for n in Answer.model_fields}))
        for row in rows
    )


def world_of_run(ledger: Ledger, run_id: int) -> dict[str, Figure] | None:
    """What the target looked like before the run's first item: the oldest one saved; None when no item was begun."""
    query = select(WorldRow.world).where(WorldRow.run_id == run_id).order_by(WorldRow.id).limit(1)
    with transaction(ledger) as connection:
        return connection.execute(query).scalar_one_or_none()


def verification_of_run(ledger: Ledger, run_id: int) -> Verification | None:
    """The run's newest check after the work, None when it was not checked."""
    verification = _newest(ledger, VerificationRow.verification, VerificationRow.id, VerificationRow.run_id == run_id)
    return None if verification is None else Verification.model_validate(verification)


def measured(ledger: Ledger, database: str, since: datetime) -> tuple[Measured, ...]:
    """What items of that database cost since then, both pipelines, oldest first; what was stopped or failed is not whole."""
    fields = [getattr(OutcomeRow, n) for n in Measured.model_fields if n != "is_whole"]
    statuses = [Status.PASS.value, Status.WARN.value]
    is_stopped = or_(OutcomeRow.status == Status.FAIL.value, OutcomeRow.stop != StopReason.DONE.value)
    query = select(*fields, OutcomeRow.status.in_(statuses).label("is_whole")).where(
        OutcomeRow.database == database,
        OutcomeRow.ended_at >= since,
        OutcomeRow.work_bytes.is_not(None),
        or_(OutcomeRow.status.in_(statuses), is_stopped),
    )
    with transaction(ledger) as connection:
        rows = connection.execute(query.order_by(OutcomeRow.ended_at, OutcomeRow.id)).mappings()
        return TypeAdapter(tuple[Measured, ...]).validate_python([dict(row) for row in rows])


def past_reclaims(ledger: Ledger, database: str, since: datetime) -> tuple[PastReclaim, ...]:
    """Objects that became smaller since then, oldest first; also of `reindex`: an index that grows back is told too."""
    with transaction(ledger) as connection:
        rows = connection.execute(_worked(database, since, [getattr(OutcomeRow, n) for n in PastReclaim.model_fields])).mappings()
        return TypeAdapter(tuple[PastReclaim, ...]).validate_python([dict(row) for row in rows])


def _worked(database: str, since: datetime, fields: list[Any]) -> Select[Any]:
    done = OutcomeRow.status.in_([Status.PASS.value, Status.WARN.value])
    is_worked = (OutcomeRow.database == database, OutcomeRow.ended_at >= since, done)
    return select(*fields).where(*is_worked).order_by(OutcomeRow.ended_at, OutcomeRow.id)


def objects_worked(ledger: Ledger, database: str, pipeline: str, since: datetime) -> tuple[ObjectRef, ...]:
    """Objects that the pipeline worked on with success since then, each once, as they were planned last."""
    query = _worked(database, since, [OutcomeRow.object_key, IntentRow.item]).where(OutcomeRow.pipeline == pipeline)
    with transaction(ledger) as connection:
        rows = connection.execute(query.join(IntentRow, IntentRow.id == OutcomeRow.intent_id)).all()
    return tuple({key: WorkItem.model_validate(item).candidate.object for key, item in rows}.values())


def past_work(ledger: Ledger, database: str, since: datetime, but_run: int) -> tuple[PastWork, ...]:
    """Items of both pipelines that ended well since then, oldest first, with what their attempts at that plan wrote down."""
    fields = [getattr(OutcomeRow, n) for n in ("run_id", "intent_id", "pipeline", "item_key", "ended_at")]
    with transaction(ledger) as connection:
        done = connection.execute(_worked(database, since, fields).where(OutcomeRow.run_id != but_run)).all()
        states = (
            select(IntentRow.id, IntentRow.plan_id, IntentRow.item_key, IntentStateRow.state)
            .outerjoin(IntentStateRow, IntentStateRow.intent_id == IntentRow.id)
            .where(IntentRow.run_id.in_({o.run_id for o in done}))
            .order_by(IntentStateRow.id)
        )
        told = connection.execute(states).all() if done else []
    plans = {s.id: s.plan_id for s in told}
    found = []
    for o in done:
        own = [s.state for s in told if (s.plan_id, s.item_key) == (plans.get(o.intent_id), o.item_key) and s.id <= o.intent_id]
        state = {name: value for one in own if one for name, value in one.items()}
        found.append(PastWork(pipeline=o.pipeline, item_key=o.item_key, ended_at=o.ended_at, remembered=state))
    return tuple(found)


def sizes_seen(ledger: Ledger, database: str) -> tuple[SizeSeen, ...]:
    """Sizes that surveys saw of objects that were worked on, oldest first."""
    fields = [getattr(ObjectSizeRow, n) for n in SizeSeen.model_fields]
    query = select(*fields).where(ObjectSizeRow.database == database).order_by(ObjectSizeRow.seen_at, ObjectSizeRow.id)
    with transaction(ledger) as connection:
        rows = connection.execute(query).mappings()
        return TypeAdapter(tuple[SizeSeen, ...]).validate_python([dict(row) for row in rows])


def nights_carried(ledger: Ledger, database: str, pipeline: str, before: date | None = None) -> dict[str, int]:
    """Item key -> how many nights it has been waiting: carried by the last plan, or planned there and not begun.

    `before`: only plans of runs of earlier days count, so that planning again on the same day ages nothing.
    """
    query = select(PlanRow.run_id, PlanRow.plan).join(RunRow, RunRow.id == PlanRow.run_id)
    query = query.where(PlanRow.database == database, PlanRow.pipeline == pipeline)
    query = query if before is None else query.where(RunRow.day < before)
    with transaction(ledger) as connection:
        last = connection.execute(query.order_by(PlanRow.id.desc()).limit(1)).one_or_none()
        if last is None:
            return {}
        begun_keys = set(begun_in_run(connection, last.run_id))
    plan = Plan.model_validate(last.plan)
    waiting = {c.key: c.nights_waiting + 1 for c in plan.carried}
    return waiting | {i.key: i.nights_waiting + 1 for i in plan.items if i.key not in begun_keys}


def _newest(ledger: Ledger, wanted: Any, row_id: Any, *which: Any) -> Any:
    with transaction(ledger) as connection:
        return connection.execute(select(wanted).where(*which).order_by(row_id.desc()).limit(1)).scalar_one_or_none()

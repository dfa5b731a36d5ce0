"""What changing pipelines add to the ledger: one small function per thing, each one transaction, none that changes a row.

Intent before deed, outcome after: what is written here is what a later attempt, in another process, goes on from. Step
events (`models.Event`) are added in the same transaction as the thing that completes the step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

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
from drydock.ledger.models import Event, RunRow
from drydock.ledger.record import add_event
from drydock.outcomes import Answer, ApprovalAnswer, Outcome, StatementDone, Verification
from drydock.plans import Found, Plan, WorkItem
from drydock.verdicts import Figure, worst

SIZE_NAMES = ("total_bytes", "size_bytes", "bytes")
"""Names of an object's size in `Outcome.before` and `after`, best first; else the planned size and `freed_bytes` are taken."""


def save_found(ledger: Ledger, run_id: int, found: Found, sizes: Mapping[str, int] | None = None) -> int:
    """Add a survey and the event `surveyed`; returns its id.

    `sizes`: key of an object that was worked on lately -> its bytes now, for the history of what grew back.
    """
    with transaction(ledger) as connection:
        pipeline, database = _pipeline_and_database(connection, run_id)
        row = insert(ChangeSurveyRow).values(
            run_id=run_id, pipeline=pipeline, database=database, examined=found.examined, found=found
        )
        survey_id = connection.execute(row.returning(ChangeSurveyRow.id)).scalar_one()
        seen = [
            {"survey_id": survey_id, "database": database, "object_key": k, "size_bytes": n} for k, n in (sizes or {}).items()
        ]
        if seen:
            connection.execute(insert(ObjectSizeRow), seen)
        add_event(connection, run_id, Event.SURVEYED, {"examined": found.examined, "candidates": len(found.candidates)})
    return survey_id


def _pipeline_and_database(connection: Connection, run_id: int) -> tuple[str, str]:
    return tuple(connection.execute(select(RunRow.pipeline, RunRow.database).where(RunRow.id == run_id)).one())


def save_plan(ledger: Ledger, run_id: int, plan: Plan) -> int:
    """Add a plan and the event `planned`; returns the plan's id."""
    row = insert(PlanRow).values(
        run_id=run_id,
        pipeline=plan.pipeline,
        database=plan.database,
        hash=plan.hash,
        window_start=plan.window_start,
        window_end=plan.window_end,
        planned_at=plan.planned_at,
        plan=plan,
    )
    with transaction(ledger) as connection:
        plan_id = connection.execute(row.returning(PlanRow.id)).scalar_one()
        detail = {"plan_id": plan_id, "hash": plan.hash, "items": len(plan.items)}
        add_event(connection, run_id, Event.PLANNED, detail)
    return plan_id


def save_asked(ledger: Ledger, plan_id: int, asked_at: datetime, asked_of: Iterable[str] = ()) -> int:
    """Add that the plan was put before people, and the event `asked`: earlier answers count no more. Returns its id."""
    row = insert(PlanQuestionRow).values(plan_id=plan_id, asked_at=asked_at, asked_of=list(asked_of))
    with transaction(ledger) as connection:
        question_id = connection.execute(row.returning(PlanQuestionRow.id)).scalar_one()
        add_event(connection, _run_of_plan(connection, plan_id), Event.ASKED, {"plan_id": plan_id})
    return question_id


def save_answer(ledger: Ledger, plan_id: int, answer: ApprovalAnswer) -> int:
    """Add an answer to a plan and the event `answered`; returns its id.

    It belongs to the newest question that was asked at or before `answer.asked_at`: a late answer to an older question
    does not answer the newer one.
    """
    question = select(PlanQuestionRow.id).where(PlanQuestionRow.plan_id == plan_id, PlanQuestionRow.asked_at <= answer.asked_at)
    row = insert(PlanAnswerRow).values(
        plan_id=plan_id,
        question_id=question.order_by(PlanQuestionRow.id.desc()).limit(1).scalar_subquery(),
        plan_hash=answer.plan_hash,
        decision=answer.decision.value,
        by=answer.by,
        answered_at=answer.answered_at,
        answer=answer,
    )
    with transaction(ledger) as connection:
        answer_id = connection.execute(row.returning(PlanAnswerRow.id)).scalar_one()
        detail = {"plan_id": plan_id, "decision": answer.decision.value, "chosen": len(answer.chosen)}
        add_event(connection, _run_of_plan(connection, plan_id), Event.ANSWERED, detail)
    return answer_id


def _run_of_plan(connection: Connection, plan_id: int) -> int:
    return connection.execute(select(PlanRow.run_id).where(PlanRow.id == plan_id)).scalar_one()


def open_intent(ledger: Ledger, run_id: int, plan_id: int, item: WorkItem) -> int:
    """Write down that work on the item is about to begin, before anything of it is touched; returns the intent's id."""
    with transaction(ledger) as connection:
        pipeline, database = _pipeline_and_database(connection, run_id)
        row = insert(IntentRow).values(
            run_id=run_id,
            plan_id=plan_id,
            pipeline=pipeline,
            database=database,
            item_key=item.key,
            number=item.number,
            item=item,
        )
        return connection.execute(row.returning(IntentRow.id)).scalar_one()


def remember(ledger: Ledger, intent_id: int, state: Mapping[str, Figure]) -> None:
    """Write down what must be set back or be found again, before it is changed."""
    with transaction(ledger) as connection:
        connection.execute(insert(IntentStateRow).values(intent_id=intent_id, state=dict(state)))


def save_answers(ledger: Ledger, run_id: int, intent_id: int | None, item_key: str, answers: Sequence[Answer]) -> None:
    """Add what the interlocks said, in the order in which they were asked."""
    rows = [
        {
            "run_id": run_id,
            "intent_id": intent_id,
            "item_key": item_key,
            "interlock": answer.interlock.value,
            "is_open": answer.is_open,
            "reason": answer.reason,
            "figures": answer.figures,
        }
        for answer in answers
    ]
    if rows:
        with transaction(ledger) as connection:
            connection.execute(insert(InterlockAnswerRow), rows)


def begin_statement(ledger: Ledger, intent_id: int, text: str, put_back: bool = False) -> int:
    """Write down that a statement is about to be sent; `text` has no literals in it. Returns its id."""
    row = insert(StatementRow).values(intent_id=intent_id, text=text, put_back=put_back)
    with transaction(ledger) as connection:
        return connection.execute(row.returning(StatementRow.id)).scalar_one()


def end_statement(ledger: Ledger, statement_id: int, done: StatementDone) -> None:
    """Write down that the statement ended: what it cost, or its error. A statement ends once; again raises IntegrityError."""
    row = insert(StatementEndRow).values(
        statement_id=statement_id,
        elapsed_s=done.elapsed_s,
        wait_s=done.wait_s,
        log_bytes=done.log_bytes,
        error=done.error,
        done=done,
    )
    with transaction(ledger) as connection:
        connection.execute(row)


def save_outcome(ledger: Ledger, run_id: int, intent_id: int | None, outcome: Outcome) -> int:
    """Add what one item did and the event `worked`: its intent, if it had one, is finished. Returns the outcome's id."""
    with transaction(ledger) as connection:
        pipeline, database = _pipeline_and_database(connection, run_id)
        action, _, object_key = outcome.item_key.partition(" ")
        row = insert(OutcomeRow).values(
            run_id=run_id,
            intent_id=intent_id,
            pipeline=pipeline,
            database=database,
            action=action,
            object_key=object_key,
            outcome=outcome,
            **{name: getattr(outcome, name) for name in _SEARCHED},
            **_sizes(connection, intent_id, outcome),
        )
        outcome_id = connection.execute(row.returning(OutcomeRow.id)).scalar_one()
        detail = {"number": outcome.number, "status": outcome.status.value, "reason": outcome.reason}
        add_event(connection, run_id, Event.WORKED, detail)
    return outcome_id


_SEARCHED = (
    *("item_key", "number", "status", "reason", "stop", "freed_bytes", "elapsed_s", "log_bytes", "started_at", "ended_at"),
)


def _sizes(connection: Connection, intent_id: int | None, outcome: Outcome) -> dict[str, Any]:
    """What rates and regrowth are learned from; all null for an item that was not begun."""
    names = ("work_bytes", "formula_log_bytes", "before_bytes", "after_bytes")
    if intent_id is None:
        return dict.fromkeys(names)
    item = connection.execute(select(IntentRow.item).where(IntentRow.id == intent_id)).scalar_one()
    planned = WorkItem.model_validate(item).candidate
    before, after = size_in(outcome.before), size_in(outcome.after)
    before = planned.size_bytes if before is None else before
    after = max(0, before - outcome.freed_bytes) if after is None else after
    return dict(zip(names, (planned.work_bytes, planned.log_bytes, before, after), strict=True))


def size_in(figures: Mapping[str, Figure]) -> int | None:
    """The size of an object among figures of it, in bytes; None where none is told."""
    told = (figures.get(name) for name in SIZE_NAMES)
    return next((int(f) for f in told if isinstance(f, int | float) and not isinstance(f, bool) and f >= 0), None)


def save_world(ledger: Ledger, run_id: int, world: Mapping[str, Figure]) -> None:
    """Add what the target looks like before the first item of the run; of several the oldest counts."""
    with transaction(ledger) as connection:
        connection.execute(insert(WorldRow).values(run_id=run_id, world=dict(world)))


def save_verification(ledger: Ledger, run_id: int, verification: Verification) -> int:
    """Add the check after the work and the event `verified`; returns its id."""
    status = worst(verification.verdicts)
    with transaction(ledger) as connection:
        pipeline, database = _pipeline_and_database(connection, run_id)
        row = insert(VerificationRow).values(
            run_id=run_id,
            pipeline=pipeline,
            database=database,
            status=status.value,
            stop=verification.stop.value,
            verification=verification,
        )
        verification_id = connection.execute(row.returning(VerificationRow.id)).scalar_one()
        detail = {"status": status.value, "stop": verification.stop.value, "freed_bytes": verification.freed_bytes}
        add_event(connection, run_id, Event.VERIFIED, detail)
    return verification_id

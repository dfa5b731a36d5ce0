"""The tables of what is changed: surveys, plans, questions and answers, intents, statements, outcomes, checks after the work.

As in `models`, nothing is ever changed. An intent without an outcome is work that a killed attempt left, a statement
without an end is one that nobody knows the end of, and of several rows on the same thing the newest counts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, get_args

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from drydock.ledger.models import SCHEMA, Base, _id, _now, _one_of, _run
from drydock.outcomes import Decision, Interlock, StopReason
from drydock.plans import Pipeline
from drydock.verdicts import Status

PIPELINES = get_args(Pipeline)
"""`audit`: the cleaning of a trail by the vendor's procedure is planned and worked like any other change."""
SHA256 = "'^[0-9a-f]{64}$'"


def _plan() -> Mapped[int]:
    return mapped_column(ForeignKey(f"{SCHEMA}.plans.id"), comment="plan it belongs to")


def _intent(nullable: bool = False) -> Mapped[Any]:
    return mapped_column(ForeignKey(f"{SCHEMA}.intents.id"), nullable=nullable, comment="work on one item that it belongs to")


class ChangeSurveyRow(Base):
    __tablename__ = "change_surveys"
    __table_args__ = (
        _one_of("pipeline", PIPELINES),
        CheckConstraint("examined >= 0", name="examined"),
        Index(None, "run_id", "id"),
        {"comment": "what was looked at before a change was planned, and what was left alone"},
    )

    id: Mapped[int] = _id()
    run_id: Mapped[int] = _run()
    pipeline: Mapped[str] = mapped_column(comment="reclaim or reindex")
    database: Mapped[str] = mapped_column(comment="id in the estate")
    examined: Mapped[int] = mapped_column(comment="objects that were looked at, also the small ones")
    surveyed_at: Mapped[datetime] = _now("when the survey was complete")
    found: Mapped[dict[str, Any]] = mapped_column(comment="drydock.plans.Found")


class ObjectSizeRow(Base):
    __tablename__ = "object_sizes"
    __table_args__ = (
        CheckConstraint("size_bytes >= 0", name="size_bytes"),
        Index(None, "database", "object_key", "seen_at"),
        {"comment": "sizes of objects that were worked on, as later surveys saw them: what grew back is left alone"},
    )

    id: Mapped[int] = _id()
    survey_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.change_surveys.id"), comment="survey that saw it")
    database: Mapped[str] = mapped_column(comment="id in the estate")
    object_key: Mapped[str] = mapped_column(comment="drydock.plans.ObjectRef.key")
    size_bytes: Mapped[int] = mapped_column(comment="of the object at that time")
    seen_at: Mapped[datetime] = _now("when it was seen")


class PlanRow(Base):
    __tablename__ = "plans"
    __table_args__ = (
        _one_of("pipeline", PIPELINES),
        CheckConstraint(f"hash ~ {SHA256}", name="hash"),
        CheckConstraint("window_start < window_end", name="window"),
        Index(None, "run_id", "id"),
        Index(None, "database", "pipeline", "id"),
        {"comment": "what is to be done in one window, in order; the newest plan of a run counts"},
    )

    id: Mapped[int] = _id()
    run_id: Mapped[int] = _run()
    pipeline: Mapped[str] = mapped_column(comment="reclaim or reindex")
    database: Mapped[str] = mapped_column(comment="id in the estate")
    hash: Mapped[str] = mapped_column(comment="SHA-256 over everything but the moment of planning")
    window_start: Mapped[datetime] = mapped_column(comment="when changes may begin")
    window_end: Mapped[datetime] = mapped_column(comment="when they must have ended")
    planned_at: Mapped[datetime] = mapped_column(comment="when it was planned")
    plan: Mapped[dict[str, Any]] = mapped_column(comment="drydock.plans.Plan")


class PlanQuestionRow(Base):
    __tablename__ = "plan_questions"
    __table_args__ = (
        Index(None, "plan_id", "id"),
        {"comment": "a plan was put before people; asked again, only an answer to the newest question counts"},
    )

    id: Mapped[int] = _id()
    plan_id: Mapped[int] = _plan()
    asked_at: Mapped[datetime] = mapped_column(comment="when it was asked")
    asked_of: Mapped[list[Any]] = mapped_column(comment="user ids of who may answer; empty: everyone with the right to")


class PlanAnswerRow(Base):
    __tablename__ = "plan_answers"
    __table_args__ = (
        _one_of("decision", Decision),
        CheckConstraint(f"plan_hash ~ {SHA256}", name="plan_hash"),
        Index(None, "plan_id", "id"),
        {"comment": "what was answered to a plan, and by whom; the gate reads it itself"},
    )

    id: Mapped[int] = _id()
    plan_id: Mapped[int] = _plan()
    question_id: Mapped[int | None] = mapped_column(
        ForeignKey(f"{SCHEMA}.plan_questions.id"), comment="question it answers; null: nobody was asked"
    )
    plan_hash: Mapped[str] = mapped_column(comment="hash of the plan that was shown")
    decision: Mapped[str] = mapped_column(comment="approved, rejected, no_answer, standing")
    by: Mapped[str] = mapped_column(comment="user id of the person; empty: nobody")
    answered_at: Mapped[datetime] = mapped_column(comment="when it was answered")
    answer: Mapped[dict[str, Any]] = mapped_column(comment="drydock.outcomes.ApprovalAnswer")


class IntentRow(Base):
    __tablename__ = "intents"
    __table_args__ = (
        _one_of("pipeline", PIPELINES),
        Index(None, "run_id", "id"),
        Index(None, "database", "pipeline", "item_key", "id"),
        {"comment": "work on one item is about to begin; without an outcome it is unfinished"},
    )

    id: Mapped[int] = _id()
    run_id: Mapped[int] = _run()
    plan_id: Mapped[int] = _plan()
    pipeline: Mapped[str] = mapped_column(comment="reclaim or reindex")
    database: Mapped[str] = mapped_column(comment="id in the estate")
    item_key: Mapped[str] = mapped_column(comment="drydock.plans.WorkItem.key: action and object, the same in every run")
    number: Mapped[int] = mapped_column(comment="its place in the plan")
    opened_at: Mapped[datetime] = _now("when the work was about to begin")
    item: Mapped[dict[str, Any]] = mapped_column(comment="drydock.plans.WorkItem")


class IntentStateRow(Base):
    __tablename__ = "intent_states"
    __table_args__ = (
        Index(None, "intent_id", "id"),
        {"comment": "what must be set back or found again, written down before it is changed; the newest of each name counts"},
    )

    id: Mapped[int] = _id()
    intent_id: Mapped[int] = _intent()
    state: Mapped[dict[str, Any]] = mapped_column(comment="names and figures, as the pipeline chose them")
    at: Mapped[datetime] = _now("when it was written down")


class InterlockAnswerRow(Base):
    __tablename__ = "interlock_answers"
    __table_args__ = (
        _one_of("interlock", Interlock),
        CheckConstraint("is_open OR reason <> ''", name="closed_with_reason"),
        Index(None, "run_id", "id"),
        {"comment": "what each interlock of the gate said, and the figures it looked at"},
    )

    id: Mapped[int] = _id()
    run_id: Mapped[int] = _run()
    intent_id: Mapped[int | None] = _intent(nullable=True)
    item_key: Mapped[str] = mapped_column(comment="item that was asked for")
    interlock: Mapped[str] = mapped_column(comment="name of the interlock")
    is_open: Mapped[bool] = mapped_column(comment="the change may go on")
    reason: Mapped[str] = mapped_column(comment="message code when closed")
    figures: Mapped[dict[str, Any]] = mapped_column(comment="what it looked at; units in the names")
    at: Mapped[datetime] = _now("when it was asked")


class StatementRow(Base):
    __tablename__ = "statements"
    __table_args__ = (
        Index(None, "intent_id", "id"),
        {"comment": "a statement is about to be sent to a target; without an end its end is not known"},
    )

    id: Mapped[int] = _id()
    intent_id: Mapped[int] = _intent()
    text: Mapped[str] = mapped_column(comment="name of the .sql file and its text, names in, literals out")
    put_back: Mapped[bool] = mapped_column(comment="it sets something back or cleans up")
    begun_at: Mapped[datetime] = _now("when it was about to be sent")


class StatementEndRow(Base):
    __tablename__ = "statement_ends"
    __table_args__ = (
        Index(None, "statement_id", unique=True),
        {"comment": "a statement ended: what it cost, or its error"},
    )

    id: Mapped[int] = _id()
    statement_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.statements.id"), comment="statement that ended")
    elapsed_s: Mapped[float] = mapped_column(comment="seconds from sending to the end")
    wait_s: Mapped[float | None] = mapped_column(comment="of it waiting for locks; null: not known")
    log_bytes: Mapped[int | None] = mapped_column(comment="redo or WAL meanwhile; null: not known")
    error: Mapped[str] = mapped_column(comment="code of the error; empty: it worked")
    done: Mapped[dict[str, Any]] = mapped_column(comment="drydock.outcomes.StatementDone")


class OutcomeRow(Base):
    __tablename__ = "outcomes"
    __table_args__ = (
        _one_of("pipeline", PIPELINES),
        _one_of("status", Status),
        _one_of("stop", StopReason),
        CheckConstraint("status <> 'SKIPPED' OR reason <> ''", name="skipped_with_reason"),
        CheckConstraint("status <> 'PASS' OR intent_id IS NOT NULL", name="passed_with_intent"),
        Index(None, "run_id", "id"),
        Index(None, "intent_id"),
        Index(None, "database", "pipeline", "item_key", "id"),
        Index(None, "database", "ended_at"),
        {"comment": "what one item did; an intent with an outcome is finished"},
    )

    id: Mapped[int] = _id()
    run_id: Mapped[int] = _run()
    intent_id: Mapped[int | None] = _intent(nullable=True)
    pipeline: Mapped[str] = mapped_column(comment="reclaim or reindex")
    database: Mapped[str] = mapped_column(comment="id in the estate")
    item_key: Mapped[str] = mapped_column(comment="drydock.plans.WorkItem.key")
    number: Mapped[int] = mapped_column(comment="its place in the plan")
    action: Mapped[str] = mapped_column(comment="what was done or meant to be done")
    object_key: Mapped[str] = mapped_column(comment="drydock.plans.ObjectRef.key")
    status: Mapped[str] = mapped_column(comment="PASS done, SKIPPED not begun, FAIL stopped or not as promised")
    reason: Mapped[str] = mapped_column(comment="message code: why SKIPPED or FAIL")
    stop: Mapped[str] = mapped_column(comment="why no more was done")
    work_bytes: Mapped[int | None] = mapped_column(comment="what the action read or wrote, as estimated; null: not begun")
    freed_bytes: Mapped[int] = mapped_column(comment="before minus after, may be negative")
    elapsed_s: Mapped[float] = mapped_column(comment="seconds of work")
    log_bytes: Mapped[int] = mapped_column(comment="redo or WAL of the work")
    formula_log_bytes: Mapped[int | None] = mapped_column(comment="redo or WAL by formula; null: no formula, or not begun")
    before_bytes: Mapped[int | None] = mapped_column(comment="size of the object before; null: not begun")
    after_bytes: Mapped[int | None] = mapped_column(comment="size of the object after; null: not begun")
    started_at: Mapped[datetime] = mapped_column(comment="when the item was begun")
    ended_at: Mapped[datetime] = mapped_column(comment="when it ended")
    outcome: Mapped[dict[str, Any]] = mapped_column(comment="drydock.outcomes.Outcome")


class WorldRow(Base):
    __tablename__ = "worlds"
    __table_args__ = (
        Index(None, "run_id", "id"),
        {"comment": "what the target looked like before the first item of a run; the oldest row of a run counts"},
    )

    id: Mapped[int] = _id()
    run_id: Mapped[int] = _run()
    taken_at: Mapped[datetime] = _now("when it was looked at")
    world: Mapped[dict[str, Any]] = mapped_column(comment="names and figures that the check after the work compares")


class VerificationRow(Base):
    __tablename__ = "verifications"
    __table_args__ = (
        _one_of("pipeline", PIPELINES),
        _one_of("status", Status),
        _one_of("stop", StopReason),
        Index(None, "run_id", "id"),
        Index(None, "database", "pipeline", "id"),
        {"comment": "the check after the work, on the target itself; the newest of a run counts"},
    )

    id: Mapped[int] = _id()
    run_id: Mapped[int] = _run()
    pipeline: Mapped[str] = mapped_column(comment="reclaim or reindex")
    database: Mapped[str] = mapped_column(comment="id in the estate")
    status: Mapped[str] = mapped_column(comment="the worst of its verdicts")
    stop: Mapped[str] = mapped_column(comment="why the run did no more")
    verified_at: Mapped[datetime] = _now("when it was checked")
    verification: Mapped[dict[str, Any]] = mapped_column(comment="drydock.outcomes.Verification")


class CopyVerificationRow(Base):
    __tablename__ = "copy_verifications"
    __table_args__ = (
        _one_of("status", Status),
        Index(None, "run_id", "id"),
        Index(None, "database", "id"),
        {"comment": "what the second net said of a masked copy before it was delivered; the newest of a run counts"},
    )

    id: Mapped[int] = _id()
    run_id: Mapped[int] = _run()
    database: Mapped[str] = mapped_column(comment="id of the source in the estate")
    generation: Mapped[int] = mapped_column(comment="picture of the source that the copy was made from, from 1")
    status: Mapped[str] = mapped_column(comment="the worst of its verdicts; FAIL and UNKNOWN are not delivered")
    verified_at: Mapped[datetime] = _now("when it was checked")
    verification: Mapped[dict[str, Any]] = mapped_column(
        comment="drydock.masking.copy_checks.verifying.CopyVerification: counts, no values"
    )

"""What the changing pipelines write down: surveys, plans, questions, answers, intents, statements, outcomes, checks."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003_changes"
down_revision = "0002_questions"
branch_labels = None
depends_on = None

SCHEMA = "drydock"
TABLES = (
    "change_surveys",
    "object_sizes",
    "plans",
    "plan_questions",
    "plan_answers",
    "intents",
    "intent_states",
    "interlock_answers",
    "statements",
    "statement_ends",
    "outcomes",
    "worlds",
    "verifications",
)
EVENTS_BEFORE = ("attempt_started", "surveyed", "read", "drilled", "judged", "reported", "noticed", "finished")
EVENTS_ADDED = ("triggered", "planned", "asked", "answered", "worked", "verified")
EVENTS_NOW = (*EVENTS_BEFORE[:5], *EVENTS_ADDED, *EVENTS_BEFORE[5:])


def upgrade() -> None:
    _allow_events(EVENTS_NOW)
    _create_change_surveys()
    _create_object_sizes()
    _create_plans()
    _create_plan_questions()
    _create_plan_answers()
    _create_intents()
    _create_intent_states()
    _create_interlock_answers()
    _create_statements()
    _create_statement_ends()
    _create_outcomes()
    _create_worlds()
    _create_verifications()


def downgrade() -> None:
    """Not while anything of a change stands in the ledger: history is not dropped."""
    for name in TABLES:
        rows = sa.select(sa.table(name, sa.column("id"), schema=SCHEMA)).limit(1)
        _refuse_history(name, rows)
    events = sa.table("run_events", sa.column("id"), sa.column("event"), schema=SCHEMA)
    _refuse_history("run_events", sa.select(events.c.id).where(events.c.event.in_(EVENTS_ADDED)).limit(1))
    for name in reversed(TABLES):
        op.drop_table(name, schema=SCHEMA)
    _allow_events(EVENTS_BEFORE)


def _refuse_history(name: str, rows: sa.Select[Any]) -> None:
    if op.get_bind().execute(rows).first():
        raise RuntimeError(f"the ledger holds history ({name}) that the older shape cannot hold")


def _allow_events(events: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("run_events_event_check"), "run_events", schema=SCHEMA, type_="check")
    allowed = ", ".join(repr(e) for e in events)
    op.create_check_constraint(op.f("run_events_event_check"), "run_events", f"event IN ({allowed})", schema=SCHEMA)


def _column(name: str, kind: Any, comment: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable, comment=comment)


def _id() -> sa.Column[Any]:
    comment = "grows with the order of insertion"
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment=comment)


def _now(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment=comment)


def _create_change_surveys() -> None:
    op.create_table(
        "change_surveys",
        _id(),
        _column("run_id", sa.BigInteger(), "run that made this row"),
        _column("pipeline", sa.Text(), "reclaim or reindex"),
        _column("database", sa.Text(), "id in the estate"),
        _column("examined", sa.BigInteger(), "objects that were looked at, also the small ones"),
        _now("surveyed_at", "when the survey was complete"),
        _column("found", JSONB(), "drydock.plans.Found"),
        sa.CheckConstraint("examined >= 0", name=op.f("change_surveys_examined_check")),
        sa.CheckConstraint("pipeline IN ('reclaim', 'reindex')", name=op.f("change_surveys_pipeline_check")),
        sa.ForeignKeyConstraint(["run_id"], ["drydock.runs.id"], name="change_surveys_run_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="change_surveys_pkey"),
        schema=SCHEMA,
        comment="what was looked at before a change was planned, and what was left alone",
    )
    op.create_index("change_surveys_run_id_id_idx", "change_surveys", ["run_id", "id"], schema=SCHEMA)


def _create_object_sizes() -> None:
    op.create_table(
        "object_sizes",
        _id(),
        _column("survey_id", sa.BigInteger(), "survey that saw it"),
        _column("database", sa.Text(), "id in the estate"),
        _column("object_key", sa.Text(), "drydock.plans.ObjectRef.key"),
        _column("size_bytes", sa.BigInteger(), "of the object at that time"),
        _now("seen_at", "when it was seen"),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("object_sizes_size_bytes_check")),
        sa.ForeignKeyConstraint(["survey_id"], ["drydock.change_surveys.id"], name="object_sizes_survey_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="object_sizes_pkey"),
        schema=SCHEMA,
        comment="sizes of objects that were worked on, as later surveys saw them: what grew back is left alone",
    )
    op.create_index(
        "object_sizes_database_object_key_seen_at_idx", "object_sizes", ["database", "object_key", "seen_at"], schema=SCHEMA
    )


def _create_plans() -> None:
    op.create_table(
        "plans",
        _id(),
        _column("run_id", sa.BigInteger(), "run that made this row"),
        _column("pipeline", sa.Text(), "reclaim or reindex"),
        _column("database", sa.Text(), "id in the estate"),
        _column("hash", sa.Text(), "SHA-256 over everything but the moment of planning"),
        _column("window_start", sa.DateTime(timezone=True), "when changes may begin"),
        _column("window_end", sa.DateTime(timezone=True), "when they must have ended"),
        _column("planned_at", sa.DateTime(timezone=True), "when it was planned"),
        _column("plan", JSONB(), "drydock.plans.Plan"),
        sa.CheckConstraint("hash ~ '^[0-9a-f]{64}$'", name=op.f("plans_hash_check")),
        sa.CheckConstraint("pipeline IN ('reclaim', 'reindex')", name=op.f("plans_pipeline_check")),
        sa.CheckConstraint("window_start < window_end", name=op.f("plans_window_check")),
        sa.ForeignKeyConstraint(["run_id"], ["drydock.runs.id"], name="plans_run_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="plans_pkey"),
        schema=SCHEMA,
        comment="what is to be done in one window, in order; the newest plan of a run counts",
    )
    op.create_index("plans_database_pipeline_id_idx", "plans", ["database", "pipeline", "id"], schema=SCHEMA)
    op.create_index("plans_run_id_id_idx", "plans", ["run_id", "id"], schema=SCHEMA)


def _create_plan_questions() -> None:
    op.create_table(
        "plan_questions",
        _id(),
        _column("plan_id", sa.BigInteger(), "plan it belongs to"),
        _column("asked_at", sa.DateTime(timezone=True), "when it was asked"),
        _column("asked_of", JSONB(), "user ids of who may answer; empty: everyone with the right to"),
        sa.ForeignKeyConstraint(["plan_id"], ["drydock.plans.id"], name="plan_questions_plan_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="plan_questions_pkey"),
        schema=SCHEMA,
        comment="a plan was put before people; asked again, only an answer to the newest question counts",
    )
    op.create_index("plan_questions_plan_id_id_idx", "plan_questions", ["plan_id", "id"], schema=SCHEMA)


def _create_plan_answers() -> None:
    op.create_table(
        "plan_answers",
        _id(),
        _column("plan_id", sa.BigInteger(), "plan it belongs to"),
        _column("question_id", sa.BigInteger(), "question it answers; null: nobody was asked", nullable=True),
        _column("plan_hash", sa.Text(), "hash of the plan that was shown"),
        _column("decision", sa.Text(), "approved, rejected, no_answer, standing"),
        _column("by", sa.Text(), "user id of the person; empty: nobody"),
        _column("answered_at", sa.DateTime(timezone=True), "when it was answered"),
        _column("answer", JSONB(), "drydock.outcomes.ApprovalAnswer"),
        sa.CheckConstraint(
            "decision IN ('approved', 'rejected', 'no_answer', 'standing')", name=op.f("plan_answers_decision_check")
        ),
        sa.CheckConstraint("plan_hash ~ '^[0-9a-f]{64}$'", name=op.f("plan_answers_plan_hash_check")),
        sa.ForeignKeyConstraint(["question_id"], ["drydock.plan_questions.id"], name="plan_answers_question_id_fkey"),
        sa.ForeignKeyConstraint(["plan_id"], ["drydock.plans.id"], name="plan_answers_plan_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="plan_answers_pkey"),
        schema=SCHEMA,
        comment="what was answered to a plan, and by whom; the gate reads it itself",
    )
    op.create_index("plan_answers_plan_id_id_idx", "plan_answers", ["plan_id", "id"], schema=SCHEMA)


def _create_intents() -> None:
    op.create_table(
        "intents",
        _id(),
        _column("run_id", sa.BigInteger(), "run that made this row"),
        _column("plan_id", sa.BigInteger(), "plan it belongs to"),
        _column("pipeline", sa.Text(), "reclaim or reindex"),
        _column("database", sa.Text(), "id in the estate"),
        _column("item_key", sa.Text(), "drydock.plans.WorkItem.key: action and object, the same in every run"),
        _column("number", sa.BigInteger(), "its place in the plan"),
        _now("opened_at", "when the work was about to begin"),
        _column("item", JSONB(), "drydock.plans.WorkItem"),
        sa.CheckConstraint("pipeline IN ('reclaim', 'reindex')", name=op.f("intents_pipeline_check")),
        sa.ForeignKeyConstraint(["plan_id"], ["drydock.plans.id"], name="intents_plan_id_fkey"),
        sa.ForeignKeyConstraint(["run_id"], ["drydock.runs.id"], name="intents_run_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="intents_pkey"),
        schema=SCHEMA,
        comment="work on one item is about to begin; without an outcome it is unfinished",
    )
    op.create_index(
        "intents_database_pipeline_item_key_id_idx", "intents", ["database", "pipeline", "item_key", "id"], schema=SCHEMA
    )
    op.create_index("intents_run_id_id_idx", "intents", ["run_id", "id"], schema=SCHEMA)


def _create_intent_states() -> None:
    op.create_table(
        "intent_states",
        _id(),
        _column("intent_id", sa.BigInteger(), "work on one item that it belongs to"),
        _column("state", JSONB(), "names and figures, as the pipeline chose them"),
        _now("at", "when it was written down"),
        sa.ForeignKeyConstraint(["intent_id"], ["drydock.intents.id"], name="intent_states_intent_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="intent_states_pkey"),
        schema=SCHEMA,
        comment="what must be set back or found again, written down before it is changed; the newest of each name counts",
    )
    op.create_index("intent_states_intent_id_id_idx", "intent_states", ["intent_id", "id"], schema=SCHEMA)


def _create_interlock_answers() -> None:
    op.create_table(
        "interlock_answers",
        _id(),
        _column("run_id", sa.BigInteger(), "run that made this row"),
        _column("intent_id", sa.BigInteger(), "work on one item that it belongs to", nullable=True),
        _column("item_key", sa.Text(), "item that was asked for"),
        _column("interlock", sa.Text(), "name of the interlock"),
        _column("is_open", sa.Boolean(), "the change may go on"),
        _column("reason", sa.Text(), "message code when closed"),
        _column("figures", JSONB(), "what it looked at; units in the names"),
        _now("at", "when it was asked"),
        sa.CheckConstraint("is_open OR reason <> ''", name=op.f("interlock_answers_closed_with_reason_check")),
        sa.CheckConstraint(
            "interlock IN ('kill_switch', 'action_allowed', 'role', 'window', 'freeze', 'approved', "
            "'backup_proved', 'load', 'budget', 'space', 'alone')",
            name=op.f("interlock_answers_interlock_check"),
        ),
        sa.ForeignKeyConstraint(["intent_id"], ["drydock.intents.id"], name="interlock_answers_intent_id_fkey"),
        sa.ForeignKeyConstraint(["run_id"], ["drydock.runs.id"], name="interlock_answers_run_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="interlock_answers_pkey"),
        schema=SCHEMA,
        comment="what each interlock of the gate said, and the figures it looked at",
    )
    op.create_index("interlock_answers_run_id_id_idx", "interlock_answers", ["run_id", "id"], schema=SCHEMA)


def _create_statements() -> None:
    op.create_table(
        "statements",
        _id(),
        _column("intent_id", sa.BigInteger(), "work on one item that it belongs to"),
        _column("text", sa.Text(), "name of the .sql file and its text, names in, literals out"),
        _column("put_back", sa.Boolean(), "it sets something back or cleans up"),
        _now("begun_at", "when it was about to be sent"),
        sa.ForeignKeyConstraint(["intent_id"], ["drydock.intents.id"], name="statements_intent_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="statements_pkey"),
        schema=SCHEMA,
        comment="a statement is about to be sent to a target; without an end its end is not known",
    )
    op.create_index("statements_intent_id_id_idx", "statements", ["intent_id", "id"], schema=SCHEMA)


def _create_statement_ends() -> None:
    op.create_table(
        "statement_ends",
        _id(),
        _column("statement_id", sa.BigInteger(), "statement that ended"),
        _column("elapsed_s", sa.Float(), "seconds from sending to the end"),
        _column("wait_s", sa.Float(), "of it waiting for locks; null: not known", nullable=True),
        _column("log_bytes", sa.BigInteger(), "redo or WAL meanwhile; null: not known", nullable=True),
        _column("error", sa.Text(), "code of the error; empty: it worked"),
        _column("done", JSONB(), "drydock.outcomes.StatementDone"),
        sa.ForeignKeyConstraint(["statement_id"], ["drydock.statements.id"], name="statement_ends_statement_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="statement_ends_pkey"),
        schema=SCHEMA,
        comment="a statement ended: what it cost, or its error",
    )
    op.create_index("statement_ends_statement_id_idx", "statement_ends", ["statement_id"], unique=True, schema=SCHEMA)


def _create_outcomes() -> None:
    op.create_table(
        "outcomes",
        _id(),
        _column("run_id", sa.BigInteger(), "run that made this row"),
        _column("intent_id", sa.BigInteger(), "work on one item that it belongs to", nullable=True),
        _column("pipeline", sa.Text(), "reclaim or reindex"),
        _column("database", sa.Text(), "id in the estate"),
        _column("item_key", sa.Text(), "drydock.plans.WorkItem.key"),
        _column("number", sa.BigInteger(), "its place in the plan"),
        _column("action", sa.Text(), "what was done or meant to be done"),
        _column("object_key", sa.Text(), "drydock.plans.ObjectRef.key"),
        _column("status", sa.Text(), "PASS done, SKIPPED not begun, FAIL stopped or not as promised"),
        _column("reason", sa.Text(), "message code: why SKIPPED or FAIL"),
        _column("stop", sa.Text(), "why no more was done"),
        *_outcome_figures(),
        _column("started_at", sa.DateTime(timezone=True), "when the item was begun"),
        _column("ended_at", sa.DateTime(timezone=True), "when it ended"),
        _column("outcome", JSONB(), "drydock.outcomes.Outcome"),
        sa.CheckConstraint("status <> 'PASS' OR intent_id IS NOT NULL", name=op.f("outcomes_passed_with_intent_check")),
        sa.CheckConstraint("pipeline IN ('reclaim', 'reindex')", name=op.f("outcomes_pipeline_check")),
        sa.CheckConstraint("status <> 'SKIPPED' OR reason <> ''", name=op.f("outcomes_skipped_with_reason_check")),
        sa.CheckConstraint("status IN ('PASS', 'WARN', 'FAIL', 'SKIPPED', 'UNKNOWN')", name=op.f("outcomes_status_check")),
        sa.CheckConstraint(
            "stop IN ('done', 'nothing_to_do', 'dry_run', 'not_approved', 'no_answer', 'window', 'budget', "
            "'lag', 'load', 'kill_switch', 'interlock', 'backfill', 'error')",
            name=op.f("outcomes_stop_check"),
        ),
        sa.ForeignKeyConstraint(["run_id"], ["drydock.runs.id"], name="outcomes_run_id_fkey"),
        sa.ForeignKeyConstraint(["intent_id"], ["drydock.intents.id"], name="outcomes_intent_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="outcomes_pkey"),
        schema=SCHEMA,
        comment="what one item did; an intent with an outcome is finished",
    )
    op.create_index(
        "outcomes_database_pipeline_item_key_id_idx", "outcomes", ["database", "pipeline", "item_key", "id"], schema=SCHEMA
    )
    op.create_index("outcomes_database_ended_at_idx", "outcomes", ["database", "ended_at"], schema=SCHEMA)
    op.create_index("outcomes_intent_id_idx", "outcomes", ["intent_id"], schema=SCHEMA)
    op.create_index("outcomes_run_id_id_idx", "outcomes", ["run_id", "id"], schema=SCHEMA)


def _outcome_figures() -> list[sa.Column[Any]]:
    return [
        _column("work_bytes", sa.BigInteger(), "what the action read or wrote, as estimated; null: not begun", nullable=True),
        _column("freed_bytes", sa.BigInteger(), "before minus after, may be negative"),
        _column("elapsed_s", sa.Float(), "seconds of work"),
        _column("log_bytes", sa.BigInteger(), "redo or WAL of the work"),
        _column("formula_log_bytes", sa.BigInteger(), "redo or WAL by formula; null: no formula, or not begun", nullable=True),
        _column("before_bytes", sa.BigInteger(), "size of the object before; null: not begun", nullable=True),
        _column("after_bytes", sa.BigInteger(), "size of the object after; null: not begun", nullable=True),
    ]


def _create_worlds() -> None:
    op.create_table(
        "worlds",
        _id(),
        _column("run_id", sa.BigInteger(), "run that made this row"),
        _now("taken_at", "when it was looked at"),
        _column("world", JSONB(), "names and figures that the check after the work compares"),
        sa.ForeignKeyConstraint(["run_id"], ["drydock.runs.id"], name="worlds_run_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="worlds_pkey"),
        schema=SCHEMA,
        comment="what the target looked like before the first item of a run; the oldest row of a run counts",
    )
    op.create_index("worlds_run_id_id_idx", "worlds", ["run_id", "id"], schema=SCHEMA)


def _create_verifications() -> None:
    op.create_table(
        "verifications",
        _id(),
        _column("run_id", sa.BigInteger(), "run that made this row"),
        _column("pipeline", sa.Text(), "reclaim or reindex"),
        _column("database", sa.Text(), "id in the estate"),
        _column("status", sa.Text(), "the worst of its verdicts"),
        _column("stop", sa.Text(), "why the run did no more"),
        _now("verified_at", "when it was checked"),
        _column("verification", JSONB(), "drydock.outcomes.Verification"),
        sa.CheckConstraint("pipeline IN ('reclaim', 'reindex')", name=op.f("verifications_pipeline_check")),
        sa.CheckConstraint("status IN ('PASS', 'WARN', 'FAIL', 'SKIPPED', 'UNKNOWN')", name=op.f("verifications_status_check")),
        sa.CheckConstraint(
            "stop IN ('done', 'nothing_to_do', 'dry_run', 'not_approved', 'no_answer', 'window', 'budget', "
            "'lag', 'load', 'kill_switch', 'interlock', 'backfill', 'error')",
            name=op.f("verifications_stop_check"),
        ),
        sa.ForeignKeyConstraint(["run_id"], ["drydock.runs.id"], name="verifications_run_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="verifications_pkey"),
        schema=SCHEMA,
        comment="the check after the work, on the target itself; the newest of a run counts",
    )
    op.create_index("verifications_database_pipeline_id_idx", "verifications", ["database", "pipeline", "id"], schema=SCHEMA)
    op.create_index("verifications_run_id_id_idx", "verifications", ["run_id", "id"], schema=SCHEMA)

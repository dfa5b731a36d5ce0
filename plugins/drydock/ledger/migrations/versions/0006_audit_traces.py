"""Traces of audit records: who asked for which records and why, and the file that it became."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006_audit_traces"
down_revision = "0005_audit"
branch_labels = None
depends_on = None

SCHEMA = "drydock"
TABLES = ("audit_traces", "audit_trace_ends")
BIG, TEXT, TIME = sa.BigInteger(), sa.Text(), sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_traces()
    _create_trace_ends()


def downgrade() -> None:
    """Not while anybody's trace stands in the ledger: history is not dropped."""
    for name in TABLES:
        table = sa.table(name, sa.column("id"), schema=SCHEMA)
        if op.get_bind().execute(sa.select(table.c.id).limit(1)).first():
            raise RuntimeError(f"the ledger holds history ({name}) that the older shape cannot hold")
    for name in reversed(TABLES):
        op.drop_table(name, schema=SCHEMA)


def _column(name: str, kind: Any, comment: str) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, comment=comment)


def _now(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, TIME, server_default=sa.text("now()"), nullable=False, comment=comment)


def _create(name: str, comment: str, *parts: Any) -> None:
    number = sa.Column("id", BIG, sa.Identity(always=True), nullable=False, comment="grows with the order of insertion")
    op.create_table(name, number, *parts, sa.PrimaryKeyConstraint("id", name=f"{name}_pkey"), schema=SCHEMA, comment=comment)


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"{table}_{name}_check"))


def _create_traces() -> None:
    name = "audit_traces"
    _create(
        name,
        "who asked for which records of the store, written before they were read",
        _column("database", TEXT, "id in the estate"),
        _column("asked_by", TEXT, "user id of the person; at a shell user@host"),
        _column("asked_through", TEXT, "dag, shell"),
        _column("run_key", TEXT, "Airflow run_id; empty at a shell"),
        _column("why", TEXT, "in the person's words"),
        _column("begin", TIME, "first moment that was asked for"),
        _column("end", TIME, "first moment after it"),
        _column("with_statements", sa.Boolean(), "statements as they stood were opened, which may hold data"),
        _column("asked", JSONB(), "drydock.audit.asked.TraceAsked: whose records"),
        _now("asked_at", "when it was asked for"),
        _check(name, "asked_through", "asked_through IN ('dag', 'shell')"),
        _check(name, "who_and_why", "asked_by <> '' AND (why <> '' OR NOT with_statements)"),
        _check(name, "stretch", 'begin < "end"'),
    )
    op.create_index("audit_traces_database_id_idx", name, ["database", "id"], schema=SCHEMA)


def _create_trace_ends() -> None:
    name = "audit_trace_ends"
    _create(
        name,
        "the file that a trace became",
        _column("trace_id", BIG, "trace that was asked for"),
        _column("file", TEXT, "name of the file"),
        _column("sha256", TEXT, "of the file"),
        _column("size_bytes", BIG, "of the file"),
        _column("records", BIG, "records in it"),
        _column("examined", BIG, "records of the stretch; 0: the store holds nothing of it"),
        _now("ended_at", "when it was whole"),
        _check(name, "sha256", "sha256 ~ '^[0-9a-f]{64}$'"),
        _check(name, "counts", "records >= 0 AND examined >= records"),
        sa.ForeignKeyConstraint(["trace_id"], [f"{SCHEMA}.audit_traces.id"], name="audit_trace_ends_trace_id_fkey"),
        sa.UniqueConstraint("trace_id", name="audit_trace_ends_trace_id_key"),
    )

"""Masked copies: a third pipeline among those that change, what happens in its runs, and what its second net said."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004_masking"
down_revision = "0003_changes"
branch_labels = None
depends_on = None

SCHEMA = "drydock"
OF_PIPELINES = ("change_surveys", "plans", "intents", "outcomes", "verifications")
PIPELINES_BEFORE, PIPELINE_ADDED = ("reclaim", "reindex"), "masking"
EVENTS_BEFORE = (
    *(
        "attempt_started",
        "surveyed",
        "read",
        "drilled",
        "judged",
        "triggered",
        "planned",
        "asked",
        "answered",
        "worked",
        "verified",
    ),
    *("reported", "noticed", "finished"),
)
EVENTS_ADDED = (
    *("masking_picture", "masking_verified", "masking_delivered", "masking_destroyed"),
    *("masking_key_seen", "masking_key_changed", "masking_key_gone"),
)
EVENTS_NOW = (*EVENTS_BEFORE[:11], *EVENTS_ADDED, *EVENTS_BEFORE[11:])


def upgrade() -> None:
    _allow("run_events", "event", EVENTS_NOW)
    for name in OF_PIPELINES:
        _allow(name, "pipeline", (*PIPELINES_BEFORE, PIPELINE_ADDED))
    _create_copy_verifications()


def downgrade() -> None:
    """Not while anything of a masked copy stands in the ledger: history is not dropped."""
    _refuse_history("copy_verifications")
    _refuse_history("run_events", "event", EVENTS_ADDED)
    for name in OF_PIPELINES:
        _refuse_history(name, "pipeline", (PIPELINE_ADDED,))
    op.drop_table("copy_verifications", schema=SCHEMA)
    for name in OF_PIPELINES:
        _allow(name, "pipeline", PIPELINES_BEFORE)
    _allow("run_events", "event", EVENTS_BEFORE)


def _refuse_history(name: str, column: str = "", values: tuple[str, ...] = ()) -> None:
    table = sa.table(name, sa.column("id"), *([sa.column(column)] if column else []), schema=SCHEMA)
    rows = sa.select(table.c.id).limit(1)
    if op.get_bind().execute(rows.where(table.c[column].in_(values)) if column else rows).first():
        raise RuntimeError(f"the ledger holds history ({name}) that the older shape cannot hold")


def _allow(name: str, column: str, values: tuple[str, ...]) -> None:
    constraint = op.f(f"{name}_{column}_check")
    op.drop_constraint(constraint, name, schema=SCHEMA, type_="check")
    op.create_check_constraint(constraint, name, f"{column} IN ({', '.join(map(repr, values))})", schema=SCHEMA)


def _column(name: str, kind: Any, comment: str, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, comment=comment, **more)


def _create_copy_verifications() -> None:
    op.create_table(
        "copy_verifications",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="grows with the order of insertion"),
        _column("run_id", sa.BigInteger(), "run that made this row"),
        _column("database", sa.Text(), "id of the source in the estate"),
        _column("generation", sa.BigInteger(), "picture of the source that the copy was made from, from 1"),
        _column("status", sa.Text(), "the worst of its verdicts; FAIL and UNKNOWN are not delivered"),
        _column("verified_at", sa.DateTime(timezone=True), "when it was checked", server_default=sa.text("now()")),
        _column("verification", JSONB(), "drydock.masking.copy_checks.verifying.CopyVerification: counts, no values"),
        sa.CheckConstraint(
            "status IN ('PASS', 'WARN', 'FAIL', 'SKIPPED', 'UNKNOWN')", name=op.f("copy_verifications_status_check")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["drydock.runs.id"], name="copy_verifications_run_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="copy_verifications_pkey"),
        schema=SCHEMA,
        comment="what the second net said of a masked copy before it was delivered; the newest of a run counts",
    )
    op.create_index("copy_verifications_database_id_idx", "copy_verifications", ["database", "id"], schema=SCHEMA)
    op.create_index("copy_verifications_run_id_id_idx", "copy_verifications", ["run_id", "id"], schema=SCHEMA)

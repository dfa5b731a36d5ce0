"""Reads may be questions: what was asked of RMAN about no single set (control file, NEED BACKUP), or why it could not be."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_questions"
down_revision = "0001_first"
branch_labels = None
depends_on = None

SCHEMA = "drydock"
BEFORE = {"units": "'set', 'logs'", "unit": "set or logs", "subject": "set_id, or FIRST..LAST segment names"}
NOW = {
    "units": "'set', 'logs', 'question'",
    "unit": "set, logs or question",
    "subject": "set_id, FIRST..LAST segment names, or the question",
}


def upgrade() -> None:
    _allow(NOW, BEFORE)


def downgrade() -> None:
    """Not while a question stands in the ledger: history is not dropped."""
    reads = sa.table("reads", sa.column("id"), sa.column("unit"), schema=SCHEMA)
    if op.get_bind().execute(sa.select(reads.c.id).where(reads.c.unit == "question").limit(1)).first():
        raise RuntimeError("the ledger holds history (reads) that the older shape cannot hold")
    _allow(BEFORE, NOW)


def _allow(shape: dict[str, str], old: dict[str, str]) -> None:
    op.drop_constraint(op.f("reads_unit_check"), "reads", schema=SCHEMA, type_="check")
    op.create_check_constraint(op.f("reads_unit_check"), "reads", f"unit IN ({shape['units']})", schema=SCHEMA)
    for name in ("unit", "subject"):
        comments = {"comment": shape[name], "existing_comment": old[name]}
        op.alter_column("reads", name, schema=SCHEMA, existing_type=sa.Text(), existing_nullable=False, **comments)

"""Audit trails: the chain of the store, its slices, what rules found in a day, what people said, the trail's own health."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005_audit"
down_revision = "0004_masking"
branch_labels = None
depends_on = None

SCHEMA = "drydock"
TABLES = (
    *("audit_links", "audit_slices", "audit_slice_ends", "audit_detections"),
    *("audit_hits", "audit_reviews", "audit_trails"),
)
OF_PIPELINES = ("change_surveys", "plans", "intents", "outcomes", "verifications")
PIPELINES_BEFORE, PIPELINE_ADDED = ("reclaim", "reindex", "masking"), "audit"
EVENTS_BEFORE = (
    *("attempt_started", "surveyed", "read", "drilled", "judged", "triggered", "planned", "asked", "answered", "worked"),
    *("verified", "masking_picture", "masking_verified", "masking_delivered", "masking_destroyed", "masking_key_seen"),
    *("masking_key_changed", "masking_key_gone", "reported", "noticed", "finished"),
)
EVENTS_ADDED = ("collected", "digested", "detected", "analysed", "reviewed", "purged")
EVENTS_NOW = (*EVENTS_BEFORE[:-3], *EVENTS_ADDED, *EVENTS_BEFORE[-3:])
STATUSES = ("PASS", "WARN", "FAIL", "SKIPPED", "UNKNOWN")
BIG, TEXT, TIME = sa.BigInteger(), sa.Text(), sa.DateTime(timezone=True)
SHA256 = "'^[0-9a-f]{64}$'"


def upgrade() -> None:
    _allow("run_events", "event", EVENTS_NOW)
    for name in OF_PIPELINES:
        _allow(name, "pipeline", (*PIPELINES_BEFORE, PIPELINE_ADDED))
    _create_links()
    _create_slices()
    _create_slice_ends()
    _create_detections()
    _create_hits()
    _create_reviews()
    _create_trails()


def downgrade() -> None:
    """Not while anything of an audit trail stands in the ledger: history is not dropped."""
    for name in TABLES:
        _refuse_history(name)
    _refuse_history("run_events", "event", EVENTS_ADDED)
    for name in OF_PIPELINES:
        _refuse_history(name, "pipeline", (PIPELINE_ADDED,))
    for name in reversed(TABLES):
        op.drop_table(name, schema=SCHEMA)
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
    op.create_check_constraint(constraint, name, f"{column} IN ({_listed(values)})", schema=SCHEMA)


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(map(repr, values))


def _column(name: str, kind: Any, comment: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable, comment=comment)


def _now(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, TIME, server_default=sa.text("now()"), nullable=False, comment=comment)


def _run_and_database() -> list[sa.Column[Any]]:
    return [_column("run_id", BIG, "run that made this row"), _column("database", TEXT, "id in the estate")]


def _create(name: str, comment: str, *parts: Any, **leads_to: str) -> None:
    """The table with its number; `leads_to`: column -> table whose id it holds."""
    number = sa.Column("id", BIG, sa.Identity(always=True), nullable=False, comment="grows with the order of insertion")
    keys = [
        sa.ForeignKeyConstraint([column], [f"{SCHEMA}.{table}.id"], name=f"{name}_{column}_fkey")
        for column, table in leads_to.items()
    ]
    own = sa.PrimaryKeyConstraint("id", name=f"{name}_pkey")
    op.create_table(name, number, *parts, *keys, own, schema=SCHEMA, comment=comment)


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"{table}_{name}_check"))


def _index(table: str, *columns: str) -> None:
    op.create_index(f"{table}_{'_'.join(columns)}_idx", table, list(columns), schema=SCHEMA)


def _create_links() -> None:
    deeds = ("sealed", "replaced", "kept", "withdrawn", "purged", "expired")
    _create(
        "audit_links",
        "the chain of a database: what was done to its store, each entry with the hash of the one before",
        *_run_and_database(),
        _column("number", BIG, "from 1, without gaps"),
        _column("deed", TEXT, "sealed, replaced, kept, withdrawn, purged, expired"),
        _column("previous", TEXT, "hash of the entry before; 64 zeros for the first"),
        _column("hash", TEXT, "SHA-256 of the entry"),
        _column("link", JSONB(), "drydock.audit.results.Link"),
        _now("at", "when it was done"),
        _check("audit_links", "deed", f"deed IN ({_listed(deeds)})"),
        _check("audit_links", "number", "number >= 1"),
        _check("audit_links", "previous", f"previous ~ {SHA256}"),
        _check("audit_links", "hash", f"hash ~ {SHA256}"),
        sa.UniqueConstraint("database", "number", name="audit_links_database_number_key"),
        sa.UniqueConstraint("database", "previous", name="audit_links_database_previous_key"),
        run_id="runs",
    )
    _index("audit_links", "run_id")


def _create_slices() -> None:
    _create(
        "audit_slices",
        "closed stretches of sources that stand in the store; visible while no row of audit_slice_ends names them",
        _column("run_id", BIG, "run that made this row"),
        _column("link_id", BIG, "entry of the chain that made it"),
        _column("database", TEXT, "id in the estate"),
        _column("source", TEXT, "id of the source in the policy; _digest for digests of a day"),
        _column("piece", TEXT, "name of the file that was read; empty for a view"),
        _column("day", sa.Date(), "local day of the database"),
        _column("begin", TIME, "first moment of the stretch"),
        _column("end", TIME, "first moment after it"),
        _column("records", BIG, "records in it"),
        _column("set_aside", BIG, "pieces that no reader understood"),
        _column("slice", JSONB(), "drydock.audit.results.Slice: files with their hashes, counts, doubts"),
        _check("audit_slices", "stretch", 'begin < "end"'),
        _check("audit_slices", "counts", "records >= 0 AND set_aside >= 0"),
        run_id="runs",
        link_id="audit_links",
    )
    _index("audit_slices", "database", "begin", "id")
    _index("audit_slices", "database", "source", "end")
    _index("audit_slices", "run_id")
    _index("audit_slices", "link_id")


def _create_slice_ends() -> None:
    _create(
        "audit_slice_ends",
        "a slice that counts no more: another one took its place, or it is past its retention",
        _column("slice_id", BIG, "slice that ended"),
        _column("link_id", BIG, "entry of the chain that ended it"),
        sa.UniqueConstraint("slice_id", name="audit_slice_ends_slice_id_key"),
        slice_id="audit_slices",
        link_id="audit_links",
    )
    _index("audit_slice_ends", "link_id")


def _create_detections() -> None:
    _create(
        "audit_detections",
        "what all rules found in a day; the newest of a day counts",
        *_run_and_database(),
        _column("day", sa.Date(), "local day of the database"),
        _column("begin", TIME, "first moment that was looked at"),
        _column("end", TIME, "first moment after it"),
        _column("records", BIG, "records that were looked at"),
        _column("detection", JSONB(), "drydock.audit.results.Detection"),
        _now("detected_at", "when it was complete"),
        _check("audit_detections", "stretch", 'begin < "end"'),
        _check("audit_detections", "records", "records >= 0"),
        run_id="runs",
    )
    _index("audit_detections", "database", "day", "id")
    _index("audit_detections", "run_id")


def _create_hits() -> None:
    severities, explained = ("info", "low", "medium", "high", "critical"), ("drydock", "ticket", "exception", "reviewed")
    _create(
        "audit_hits",
        "what one rule found about one subject; those of the newest detection of a day count",
        _column("detection_id", BIG, "detection it belongs to"),
        _column("database", TEXT, "id in the estate"),
        _column("rule", TEXT, "id of the rule"),
        _column("severity", TEXT, "how soon a person should look"),
        _column("pattern", TEXT, "rule and subject: the same on every day"),
        _column("account", TEXT, "database account; empty: not told"),
        _column("explained", TEXT, "why it needs nobody; null: unexplained", nullable=True),
        _column("first_at", TIME, "first record"),
        _column("last_at", TIME, "last record"),
        _column("hit", JSONB(), "drydock.audit.results.Hit: counts, no values"),
        _check("audit_hits", "severity", f"severity IN ({_listed(severities)})"),
        _check("audit_hits", "explained", f"explained IN ({_listed(explained)})"),
        detection_id="audit_detections",
    )
    _index("audit_hits", "detection_id", "id")
    _index("audit_hits", "database", "pattern")


def _create_reviews() -> None:
    _create(
        "audit_reviews",
        "what a named person said of a pattern; the newest counts",
        _column("database", TEXT, "id in the estate"),
        _column("pattern", TEXT, "drydock.audit.results.Hit.pattern, or that of a statement"),
        _column("disposal", TEXT, "normal, exception, incident"),
        _column("reviewer", TEXT, "user id of the person"),
        _column("reason", TEXT, "in the person's words"),
        _column("until", sa.Date(), "last day of an exception; null: no end", nullable=True),
        _column("reviewed_at", TIME, "when it was said"),
        _now("saved_at", "when it was saved"),
        _column("review", JSONB(), "drydock.audit.results.Review"),
        _check("audit_reviews", "disposal", f"disposal IN ({_listed(('normal', 'exception', 'incident'))})"),
        _check("audit_reviews", "who_and_why", "reviewer <> '' AND reason <> ''"),
    )
    _index("audit_reviews", "database", "pattern", "id")


def _create_trails() -> None:
    _create(
        "audit_trails",
        "health of the trail itself on a day: the newest of a day counts",
        *_run_and_database(),
        _column("day", sa.Date(), "local day of the database"),
        _column("status", TEXT, "the worst of its verdicts"),
        _now("judged_at", "when it was judged"),
        _column("verdicts", JSONB(), "list of drydock.verdicts.Verdict"),
        _check("audit_trails", "status", f"status IN ({_listed(STATUSES)})"),
        run_id="runs",
    )
    _index("audit_trails", "database", "day", "id")
    _index("audit_trails", "run_id")

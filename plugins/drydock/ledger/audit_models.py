"""The tables of the audit trail's analysis: the chain of deeds, slices of the store, detections, hits, reviews, trail health.

As in `models`, nothing is ever changed. A slice is visible while no row of `audit_slice_ends` names it; of several rows on
the same day or pattern the newest counts. No statement and no value of the database's own data stands here.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from drydock.audit.results import Disposal, Explained, Severity
from drydock.ledger.models import SCHEMA, Base, _id, _now, _one_of, _run
from drydock.verdicts import Status

SHA256 = "'^[0-9a-f]{64}$'"
DEEDS = ("sealed", "replaced", "kept", "withdrawn", "purged", "expired")


class AuditLinkRow(Base):
    __tablename__ = "audit_links"
    __table_args__ = (
        _one_of("deed", DEEDS),
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint(f"previous ~ {SHA256}", name="previous"),
        CheckConstraint(f"hash ~ {SHA256}", name="hash"),
        UniqueConstraint("database", "number"),
        UniqueConstraint("database", "previous"),
        Index(None, "run_id"),
        {"comment": "the chain of a database: what was done to its store, each entry with the hash of the one before"},
    )

    id: Mapped[int] = _id()
    run_id: Mapped[int] = _run()
    database: Mapped[str] = mapped_column(comment="id in the estate")
    number: Mapped[int] = mapped_column(comment="from 1, without gaps")
    deed: Mapped[str] = mapped_column(comment="sealed, replaced, kept, withdrawn, purged, expired")
    previous: Mapped[str] = mapped_column(comment="hash of the entry before; 64 zeros for the first")
    hash: Mapped[str] = mapped_column(comment="SHA-256 of the entry")
    link: Mapped[dict[str, Any]] = mapped_column(comment="drydock.audit.results.Link")
    at: Mapped[datetime] = _now("when it was done")


class AuditSliceRow(Base):
    __tablename__ = "audit_slices"
    __table_args__ = (
        CheckConstraint('begin < "end"', name="stretch"),
        CheckConstraint("records >= 0 AND set_aside >= 0", name="counts"),
        Index(None, "database", "begin", "id"),
        Index(None, "database", "source", "end"),
        Index(None, "run_id"),
        Index(None, "link_id"),
        {"comment": "closed stretches of sources that stand in the store; visible while no row of audit_slice_ends names them"},
    )

    id: Mapped[int] = _id()
    run_id: Mapped[int] = _run()
    link_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.audit_links.id"), comment="entry of the chain that made it")
    database: Mapped[str] = mapped_column(comment="id in the estate")
    source: Mapped[str] = mapped_column(comment="id of the source in the policy; _digest for digests of a day")
    piece: Mapped[str] = mapped_column(comment="name of the file that was read; empty for a view")
    day: Mapped[date] = mapped_column(comment="local day of the database")
    begin: Mapped[datetime] = mapped_column(comment="first moment of the stretch")
    end: Mapped[datetime] = mapped_column(comment="first moment after it")
    records: Mapped[int] = mapped_column(comment="records in it")
    set_aside: Mapped[int] = mapped_column(comment="pieces that no reader understood")
    slice: Mapped[dict[str, Any]] = mapped_column(comment="drydock.audit.results.Slice: files with their hashes, counts, doubts")


class AuditSliceEndRow(Base):
    __tablename__ = "audit_slice_ends"
    __table_args__ = (
        UniqueConstraint("slice_id"),
        Index(None, "link_id"),
        {"comment": "a slice that counts no more: another one took its place, or it is past its retention"},
    )

    id: Mapped[int] = _id()
    slice_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.audit_slices.id"), comment="slice that ended")
    link_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.audit_links.id"), comment="entry of the chain that ended it")


class AuditDetectionRow(Base):
    __tablename__ = "audit_detections"
    __table_args__ = (
        CheckConstraint('begin < "end"', name="stretch"),
        CheckConstraint("records >= 0", name="records"),
        Index(None, "database", "day", "id"),
        Index(None, "run_id"),
        {"comment": "what all rules found in a day; the newest of a day counts"},
    )

    id: Mapped[int] = _id()
    run_id: Mapped[int] = _run()
    database: Mapped[str] = mapped_column(comment="id in the estate")
    day: Mapped[date] = mapped_column(comment="local day of the database")
    begin: Mapped[datetime] = mapped_column(comment="first moment that was looked at")
    end: Mapped[datetime] = mapped_column(comment="first moment after it")
    records: Mapped[int] = mapped_column(comment="records that were looked at")
    detection: Mapped[dict[str, Any]] = mapped_column(comment="drydock.audit.results.Detection")
    detected_at: Mapped[datetime] = _now("when it was complete")


class AuditHitRow(Base):
    __tablename__ = "audit_hits"
    __table_args__ = (
        _one_of("severity", Severity),
        _one_of("explained", Explained),
        Index(None, "detection_id", "id"),
        Index(None, "database", "pattern"),
        {"comment": "what one rule found about one subject; those of the newest detection of a day count"},
    )

    id: Mapped[int] = _id()
    detection_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.audit_detections.id"), comment="detection it belongs to")
    database: Mapped[str] = mapped_column(comment="id in the estate")
    rule: Mapped[str] = mapped_column(comment="id of the rule")
    severity: Mapped[str] = mapped_column(comment="how soon a person should look")
    pattern: Mapped[str] = mapped_column(comment="rule and subject: the same on every day")
    account: Mapped[str] = mapped_column(comment="database account; empty: not told")
    explained: Mapped[str | None] = mapped_column(comment="why it needs nobody; null: unexplained")
    first_at: Mapped[datetime] = mapped_column(comment="first record")
    last_at: Mapped[datetime] = mapped_column(comment="last record")
    hit: Mapped[dict[str, Any]] = mapped_column(comment="drydock.audit.results.Hit: counts, no values")


class AuditReviewRow(Base):
    __tablename__ = "audit_reviews"
    __table_args__ = (
        _one_of("disposal", Disposal),
        CheckConstraint("reviewer <> '' AND reason <> ''", name="who_and_why"),
        Index(None, "database", "pattern", "id"),
        {"comment": "what a named person said of a pattern; the newest counts"},
    )

    id: Mapped[int] = _id()
    database: Mapped[str] = mapped_column(comment="id in the estate")
    pattern: Mapped[str] = mapped_column(comment="drydock.audit.results.Hit.pattern, or that of a statement")
    disposal: Mapped[str] = mapped_column(comment="normal, exception, incident")
    reviewer: Mapped[str] = mapped_column(comment="user id of the person")
    reason: Mapped[str] = mapped_column(comment="in the person's words")
    until: Mapped[date | None] = mapped_column(comment="last day of an exception; null: no end")
    reviewed_at: Mapped[datetime] = mapped_column(comment="when it was said")
    saved_at: Mapped[datetime] = _now("when it was saved")
    review: Mapped[dict[str, Any]] = mapped_column(comment="drydock.audit.results.Review")


class AuditTrailRow(Base):
    __tablename__ = "audit_trails"
    __table_args__ = (
        _one_of("status", Status),
        Index(None, "database", "day", "id"),
        Index(None, "run_id"),
        {"comment": "health of the trail itself on a day: the newest of a day counts"},
    )

    id: Mapped[int] = _id()
    run_id: Mapped[int] = _run()
    database: Mapped[str] = mapped_column(comment="id in the estate")
    day: Mapped[date] = mapped_column(comment="local day of the database")
    status: Mapped[str] = mapped_column(comment="the worst of its verdicts")
    judged_at: Mapped[datetime] = _now("when it was judged")
    verdicts: Mapped[list[Any]] = mapped_column(comment="list of drydock.verdicts.Verdict")


class AuditTraceRow(Base):
    __tablename__ = "audit_traces"
    __table_args__ = (
        _one_of("asked_through", ("dag", "shell")),
        CheckConstraint("asked_by <> '' AND (why <> '' OR NOT with_statements)", name="who_and_why"),
        CheckConstraint('begin < "end"', name="stretch"),
        Index(None, "database", "id"),
        {"comment": "who asked for which records of the store, written before they were read"},
    )

    id: Mapped[int] = _id()
    database: Mapped[str] = mapped_column(comment="id in the estate")
    asked_by: Mapped[str] = mapped_column(comment="user id of the person; at a shell user@host")
    asked_through: Mapped[str] = mapped_column(comment="dag, shell")
    run_key: Mapped[str] = mapped_column(comment="Airflow run_id; empty at a shell")
    why: Mapped[str] = mapped_column(comment="in the person's words")
    begin: Mapped[datetime] = mapped_column(comment="first moment that was asked for")
    end: Mapped[datetime] = mapped_column(comment="first moment after it")
    with_statements: Mapped[bool] = mapped_column(comment="statements as they stood were opened, which may hold data")
    asked: Mapped[dict[str, Any]] = mapped_column(comment="drydock.audit.asked.TraceAsked: whose records")
    asked_at: Mapped[datetime] = _now("when it was asked for")


class AuditTraceEndRow(Base):
    __tablename__ = "audit_trace_ends"
    __table_args__ = (
        CheckConstraint(f"sha256 ~ {SHA256}", name="sha256"),
        CheckConstraint("records >= 0 AND examined >= records", name="counts"),
        UniqueConstraint("trace_id"),
        {"comment": "the file that a trace became"},
    )

    id: Mapped[int] = _id()
    trace_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.audit_traces.id"), comment="trace that was asked for")
    file: Mapped[str] = mapped_column(comment="name of the file")
    sha256: Mapped[str] = mapped_column(comment="of the file")
    size_bytes: Mapped[int] = mapped_column(comment="of the file")
    records: Mapped[int] = mapped_column(comment="records in it")
    examined: Mapped[int] = mapped_column(comment="records of the stretch; 0: the store holds nothing of it")
    ended_at: Mapped[datetime] = _now("when it was whole")

"""What the pipeline `audit` asks of the ledger: what is visible in the store, what was found, what people said of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from drydock.audit.asked import TraceAsked
from drydock.audit.results import Detection, Hit, Link, Review, Slice
from drydock.ledger.audit_models import (
    AuditDetectionRow,
    AuditHitRow,
    AuditLinkRow,
    AuditReviewRow,
    AuditSliceEndRow,
    AuditSliceRow,
    AuditTraceEndRow,
    AuditTraceRow,
    AuditTrailRow,
)
from drydock.ledger.connect import Ledger, transaction
from drydock.verdicts import Verdict

DIGEST = "_digest"
"""Source of the slices that hold a day's digest; no source of a policy can have such an id."""


class StoredSlice(NamedTuple):
    """A visible slice: its row, the number of the entry of the chain that made it, the run that did."""

    slice_id: int
    number: int
    run_id: int
    slice: Slice


def links_of(ledger: Ledger, database: str) -> tuple[Link, ...]:
    """The chain of a database as it was written down, by number."""
    query = select(AuditLinkRow.link).where(AuditLinkRow.database == database).order_by(AuditLinkRow.number)
    with transaction(ledger) as connection:
        return tuple(Link.model_validate(link) for link in connection.execute(query).scalars())


class RawLink(NamedTuple):
    """An entry as the ledger has it, whatever became of it; `fits`: its columns say the same as its document."""

    number: int
    document: dict[str, Any]
    fits: bool


class RawSlice(NamedTuple):
    """A slice's row as the ledger has it; `number`: of the entry that made it."""

    number: int
    document: dict[str, Any]
    fits: bool
    is_ended: bool


def raw_links(ledger: Ledger, database: str) -> tuple[RawLink, ...]:
    """The rows of the chain, not judged."""
    names = ("number", "deed", "previous", "hash", "database")
    query = select(AuditLinkRow.link, *(getattr(AuditLinkRow, name) for name in names))
    with transaction(ledger) as connection:
        rows = connection.execute(query.where(AuditLinkRow.database == database).order_by(AuditLinkRow.number)).all()
    told = ((r, r.link if isinstance(r.link, dict) else {}) for r in rows)
    return tuple(RawLink(r.number, link, all(link.get(name) == getattr(r, name) for name in names)) for r, link in told)


def raw_slices(ledger: Ledger, database: str) -> tuple[RawSlice, ...]:
    """The rows of slices, ended ones too, not judged."""
    fields = (AuditSliceRow, AuditLinkRow.number, _is_ended().label("is_ended"))
    query = select(*fields).join(AuditLinkRow, AuditLinkRow.id == AuditSliceRow.link_id)
    with transaction(ledger) as connection, Session(connection) as session:
        rows = session.execute(query.where(AuditLinkRow.database == database)).all()
        return tuple(RawSlice(number, row.slice, _fits(row), is_ended) for row, number, is_ended in rows)


def _fits(row: AuditSliceRow) -> bool:
    """True where the columns that are searched say the same as the document."""
    told = row.slice if isinstance(row.slice, dict) else {}
    plain = all(told.get(name) == getattr(row, name) for name in ("database", "source", "piece", "records", "set_aside"))
    try:
        times = all(datetime.fromisoformat(told[name]) == getattr(row, name) for name in ("begin", "end"))
    except (KeyError, TypeError, ValueError):
        return False
    return plain and times and told.get("day") == row.day.isoformat()


def slices_between(ledger: Ledger, database: str, begin: datetime, end: datetime, source: str | None = None) -> tuple[Slice, ...]:
    """The visible slices of sources (not the digests) that overlap [begin, end), by time, source and piece."""
    found = slices_stored(ledger, database, begin, end, source)
    return tuple(s.slice for s in found if source is not None or s.slice.source != DIGEST)


def slices_stored(
    ledger: Ledger, database: str, begin: datetime | None = None, end: datetime | None = None, source: str | None = None
) -> tuple[StoredSlice, ...]:
    """All visible slices, digests among them, that overlap [begin, end); None: without that bound."""
    which = [AuditSliceRow.database == database, ~_is_ended()]
    which += [AuditSliceRow.end > begin] if begin is not None else []
    which += [AuditSliceRow.begin < end] if end is not None else []
    which += [AuditSliceRow.source == source] if source is not None else []
    fields = (AuditSliceRow.id, AuditLinkRow.number, AuditSliceRow.run_id, AuditSliceRow.slice)
    query = select(*fields).join(AuditLinkRow, AuditLinkRow.id == AuditSliceRow.link_id).where(*which)
    query = query.order_by(AuditSliceRow.begin, AuditSliceRow.source, AuditSliceRow.piece, AuditSliceRow.id)
    with transaction(ledger) as connection:
        return tuple(StoredSlice(*row[:3], Slice.model_validate(row[3])) for row in connection.execute(query))


def timeless_slices(ledger: Ledger, database: str, source: str) -> tuple[Slice, ...]:
    """The visible slices of a source whose files have no time at all, by day."""
    told = AuditSliceRow.slice
    has_none = and_(told["first_at"].astext.is_(None), told["head"].astext != "")
    query = select(told).where(AuditSliceRow.database == database, AuditSliceRow.source == source, has_none, ~_is_ended())
    with transaction(ledger) as connection:
        rows = connection.execute(query.order_by(AuditSliceRow.day, AuditSliceRow.id)).scalars()
        return tuple(s for s in map(Slice.model_validate, rows) if s.records or s.set_aside)


def paths_on(ledger: Ledger, database: str, day: date) -> frozenset[str]:
    """Paths of the visible files of a local day."""
    query = select(AuditSliceRow.slice["files"]).where(AuditSliceRow.database == database, AuditSliceRow.day == day)
    with transaction(ledger) as connection:
        listed = connection.execute(query.where(~_is_ended())).scalars().all()
    return frozenset(file["path"] for files in listed for file in files)


def _is_ended() -> ColumnElement[bool]:
    return select(AuditSliceEndRow.id).where(AuditSliceEndRow.slice_id == AuditSliceRow.id).exists()


def watermark(ledger: Ledger, database: str, source: str) -> datetime | None:
    """Until when the source was collected: the latest end of its slices, expired ones too; None: never collected."""
    query = select(func.max(AuditSliceRow.end)).where(AuditSliceRow.database == database, AuditSliceRow.source == source)
    with transaction(ledger) as connection:
        return connection.execute(query).scalar_one()


def detections_between(ledger: Ledger, database: str, begin: datetime, end: datetime) -> tuple[Detection, ...]:
    """The newest detection of each day that overlaps [begin, end), by day."""
    newest = _newest_detections(database, begin, end).subquery()
    query = select(newest.c.detection).order_by(newest.c.day)
    with transaction(ledger) as connection:
        return tuple(Detection.model_validate(d) for d in connection.execute(query).scalars())


def hits_between(ledger: Ledger, database: str, begin: datetime, end: datetime) -> tuple[Hit, ...]:
    """The hits of those detections, by day and in the order in which they were saved."""
    newest = _newest_detections(database, begin, end).subquery()
    query = select(AuditHitRow.hit).join(newest, newest.c.id == AuditHitRow.detection_id).order_by(newest.c.day, AuditHitRow.id)
    with transaction(ledger) as connection:
        return tuple(Hit.model_validate(hit) for hit in connection.execute(query).scalars())


def _newest_detections(database: str, begin: datetime, end: datetime) -> Select[Any]:
    fields = (AuditDetectionRow.id, AuditDetectionRow.day, AuditDetectionRow.detection)
    overlaps = and_(AuditDetectionRow.end > begin, AuditDetectionRow.begin < end)
    query = select(*fields).ext(distinct_on(AuditDetectionRow.day)).where(AuditDetectionRow.database == database, overlaps)
    return query.order_by(AuditDetectionRow.day, AuditDetectionRow.id.desc())


def reviews_of(ledger: Ledger, database: str) -> dict[str, Review]:
    """Pattern -> the newest word on it."""
    query = select(AuditReviewRow.review).ext(distinct_on(AuditReviewRow.pattern)).where(AuditReviewRow.database == database)
    query = query.order_by(AuditReviewRow.pattern, AuditReviewRow.id.desc())
    with transaction(ledger) as connection:
        reviews = [Review.model_validate(review) for review in connection.execute(query).scalars()]
    return {review.pattern: review for review in reviews}


def trails_between(ledger: Ledger, database: str, first: date, last: date) -> dict[date, tuple[Verdict, ...]]:
    """Day -> the newest verdicts on the trail's own health, both days included."""
    query = select(AuditTrailRow.day, AuditTrailRow.verdicts).ext(distinct_on(AuditTrailRow.day))
    query = query.where(AuditTrailRow.database == database, AuditTrailRow.day.between(first, last))
    query = query.order_by(AuditTrailRow.day, AuditTrailRow.id.desc())
    with transaction(ledger) as connection:
        return {row.day: tuple(Verdict.model_validate(v) for v in row.verdicts) for row in connection.execute(query)}


class TraceTold(NamedTuple):
    """A trace that was asked for, and the file that it became; `sha256` None: it was not made, or not to its end."""

    trace_id: int
    asked_at: datetime
    asked: TraceAsked
    file: str | None
    sha256: str | None
    records: int | None


def traces_of(ledger: Ledger, database: str) -> tuple[TraceTold, ...]:
    """Who asked for records of the store, oldest first."""
    ends = (AuditTraceEndRow.file, AuditTraceEndRow.sha256, AuditTraceEndRow.records)
    query = select(AuditTraceRow.id, AuditTraceRow.asked_at, AuditTraceRow.asked, *ends)
    query = query.outerjoin(AuditTraceEndRow, AuditTraceEndRow.trace_id == AuditTraceRow.id)
    query = query.where(AuditTraceRow.database == database).order_by(AuditTraceRow.id)
    with transaction(ledger) as connection:
        return tuple(TraceTold(*row[:2], TraceAsked.model_validate(row[2]), *row[3:]) for row in connection.execute(query))

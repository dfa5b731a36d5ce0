"""What the pipeline `audit` adds to the ledger: deeds on the store, detections, reviews, the trail's health.

Each function is one transaction, and none changes a row. A slice is visible from the commit that seals it to the commit that
ends it: there is no moment in which both it and the one in its place count, or neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select

from drydock.audit.asked import TraceAsked
from drydock.audit.results import Detection, Hit, Link, Review, Slice, StoredFile
from drydock.audit.storage.links import FIRST, link_hash, ranges_of, slice_subject
from drydock.ledger.audit_history import StoredSlice, slices_stored
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
from drydock.ledger.bounds import bounded
from drydock.ledger.connect import Ledger, lock_key, transaction
from drydock.ledger.models import Event, RunRow
from drydock.ledger.record import add_event
from drydock.verdicts import Figure, Verdict, worst

MOST_ENDED = 40
"""Slices that one entry ends at most: their numbers fit into its text."""


class _Added(NamedTuple):
    row_id: int
    link: Link


def seal(
    ledger: Ledger, run_id: int, slice: Slice, instead_of: Sequence[StoredSlice] | None = None, deed: str = "", why: str = ""
) -> Link:
    """Make a slice visible, in the place of others, and add the entry of the chain; all or nothing.

    `instead_of`: the slices that end with it; None: the visible one of the same source, piece and stretch. Raises
    ValueError where one of them ended already: then another run was there first.
    """
    with transaction(ledger) as connection:
        _lock(connection, slice.database)
        ended = _same(connection, slice) if instead_of is None else tuple(instead_of)
        subject = slice_subject(slice) | {"ends": ranges_of([e.number for e in ended])} | ({"why": why} if why else {})
        added = _add_link(connection, run_id, slice.database, deed or ("replaced" if ended else "sealed"), subject, slice.files)
        row = insert(AuditSliceRow).values(run_id=run_id, link_id=added.row_id, slice=slice, **_searched(slice))
        connection.execute(row)
        _end(connection, added.row_id, ended)
    return added.link


def _searched(slice: Slice) -> dict[str, object]:
    return {name: getattr(slice, name) for name in ("database", "source", "piece", "day", "begin", "end", "records", "set_aside")}


def _same(connection: Connection, slice: Slice) -> tuple[StoredSlice, ...]:
    found = slices_stored(connection, slice.database, slice.begin, slice.end, slice.source)
    wanted = (slice.piece, slice.begin, slice.end)
    return tuple(s for s in found if (s.slice.piece, s.slice.begin, s.slice.end) == wanted)


def _lock(connection: Connection, database: str) -> None:
    """Entries of one database are numbered one after the other."""
    connection.execute(select(func.pg_advisory_xact_lock(lock_key(f"audit-link:{database}"))))


def _add_link(
    connection: Connection, run_id: int, database: str, deed: str, subject: Mapping[str, Figure], files: Sequence[StoredFile]
) -> _Added:
    newest = select(AuditLinkRow.number, AuditLinkRow.hash).where(AuditLinkRow.database == database)
    last = connection.execute(newest.order_by(AuditLinkRow.number.desc()).limit(1)).one_or_none()
    number, previous = (last.number + 1, last.hash) if last else (1, FIRST)
    told = Link(
        number=number, database=database, deed=deed, subject=dict(subject), files=tuple(files), previous=previous, hash=FIRST
    )
    link = told.model_copy(update={"hash": link_hash(number, database, deed, told.subject, told.files, previous)})
    row = insert(AuditLinkRow).values(
        run_id=run_id, database=database, number=number, deed=deed, previous=previous, hash=link.hash, link=link
    )
    return _Added(connection.execute(row.returning(AuditLinkRow.id)).scalar_one(), link)


def _end(connection: Connection, link_id: int, ended: Sequence[StoredSlice]) -> None:
    if len(ended) > MOST_ENDED:
        raise ValueError(f"one entry ends {MOST_ENDED} slices at most, not {len(ended)}")
    gone = select(AuditSliceEndRow.slice_id).where(AuditSliceEndRow.slice_id.in_([e.slice_id for e in ended]))
    if ended and (first := connection.execute(gone.limit(1)).scalar_one_or_none()) is not None:
        raise ValueError(f"slice {first} ended already: another run replaced it")
    if ended:
        connection.execute(insert(AuditSliceEndRow), [{"slice_id": e.slice_id, "link_id": link_id} for e in ended])


def end_slices(ledger: Ledger, run_id: int, deed: str, ended: Sequence[StoredSlice], subject: Mapping[str, Figure]) -> Link:
    """Let slices of one database, MOST_ENDED at most, count no more (`withdrawn`, `expired`); the entry lists their files."""
    database, files = ended[0].slice.database, [file for e in ended for file in e.slice.files]
    with transaction(ledger) as connection:
        _lock(connection, database)
        told = {**subject, "ends": ranges_of([e.number for e in ended])}
        added = _add_link(connection, run_id, database, deed, told, files)
        _end(connection, added.row_id, ended)
    return added.link


def note_deed(
    ledger: Ledger, run_id: int, database: str, deed: str, subject: Mapping[str, Figure], files: Sequence[StoredFile] = ()
) -> Link:
    """Add an entry that ends nothing, for example that a source was purged after its slices were verified."""
    with transaction(ledger) as connection:
        _lock(connection, database)
        return _add_link(connection, run_id, database, deed, subject, files).link


def save_detection(ledger: Ledger, run_id: int, day: date, detection: Detection, hits: Sequence[Hit]) -> int:
    """Add what all rules found in a day, all hits of it and the event `detected`; in the place of that day's before."""
    row = insert(AuditDetectionRow).values(
        run_id=run_id,
        database=detection.database,
        day=day,
        begin=detection.begin,
        end=detection.end,
        records=detection.records,
        detection=detection,
    )
    with transaction(ledger) as connection:
        detection_id = connection.execute(row.returning(AuditDetectionRow.id)).scalar_one()
        told = [_hit_row(detection_id, detection.database, hit) for hit in hits]
        if told:
            connection.execute(insert(AuditHitRow), told)
        detail = {"records": detection.records, "hits": len(told), "alarms": len(detection.alarms)}
        add_event(connection, run_id, Event.DETECTED, detail)
    return detection_id


def _hit_row(detection_id: int, database: str, hit: Hit) -> dict[str, object]:
    return {
        "detection_id": detection_id,
        "database": database,
        "rule": hit.rule,
        "severity": hit.severity.value,
        "pattern": hit.pattern,
        "account": hit.subject.account,
        "explained": hit.explained.value if hit.explained else None,
        "first_at": hit.first_at,
        "last_at": hit.last_at,
        "hit": hit,
    }


def save_review(ledger: Ledger, review: Review) -> int:
    """Add a person's word on a pattern; returns its id."""
    told = review.model_dump(include={"database", "pattern", "reviewer", "reason", "until", "reviewed_at"})
    row = insert(AuditReviewRow).values(**told, disposal=review.disposal.value, review=review)
    with transaction(ledger) as connection:
        return connection.execute(row.returning(AuditReviewRow.id)).scalar_one()


def save_trail(ledger: Ledger, run_id: int, day: date, verdicts: Sequence[Verdict]) -> int:
    """Add the trail's own health on a day and the event `judged`; in the place of that day's before."""
    status = worst(verdicts)
    told = [bounded(verdict) for verdict in verdicts]
    with transaction(ledger) as connection:
        database = connection.execute(select(RunRow.database).where(RunRow.id == run_id)).scalar_one()
        row = insert(AuditTrailRow).values(run_id=run_id, database=database, day=day, status=status.value, verdicts=told)
        trail_id = connection.execute(row.returning(AuditTrailRow.id)).scalar_one()
        add_event(connection, run_id, Event.JUDGED, {"status": status.value, "verdicts": len(told)})
    return trail_id


def save_trace_asked(ledger: Ledger, asked: TraceAsked) -> int:
    """Add who is about to read which records; returns its id."""
    names = {"database", "asked_by", "asked_through", "run_key", "why", "begin", "end", "with_statements"}
    row = insert(AuditTraceRow).values(**asked.model_dump(include=names), asked=asked)
    with transaction(ledger) as connection:
        return connection.execute(row.returning(AuditTraceRow.id)).scalar_one()


def save_trace_made(ledger: Ledger, trace_id: int, file: str, sha256: str, size_bytes: int, records: int, examined: int) -> None:
    """Add the file that it became."""
    told = {"trace_id": trace_id, "file": file, "sha256": sha256, "size_bytes": size_bytes}
    with transaction(ledger) as connection:
        connection.execute(insert(AuditTraceEndRow).values(**told, records=records, examined=examined))

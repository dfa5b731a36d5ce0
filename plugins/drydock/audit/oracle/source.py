"""Reads the trails of Oracle through their views, stretch by stretch by the record's own UTC time: counted first, then read.

A statement's text is fetched with its record, turned into a fingerprint and let go; values of binds are never fetched. The
watermark is the pipeline's: a stretch is read whole or not at all. Sources: Database Reference 19c, UNIFIED_AUDIT_TRAIL,
DBA_AUDIT_TRAIL, DBA_FGA_AUDIT_TRAIL; Security Guide 19c on EVENT_TIMESTAMP_UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from drydock.audit.collection.framing import batches_of
from drydock.audit.oracle.versions import ask_by_version
from drydock.audit.parsing.fields import Place, held_of, record_of
from drydock.audit.parsing.records import AuditRecord, Kind, Piece, Zone
from drydock.audit.parsing.times import Clock, Moment
from drydock.audit.policy import AuditSource, SourceKind
from drydock.audit.results import Batch
from drydock.verdicts import clean_text

if TYPE_CHECKING:
    from drydock.audit.run import AuditRun

MOST_ROWS = 50_000  # of one answer of the database: a stretch with more is halved
SHORTEST = timedelta(milliseconds=1)
TIMES = ("event_timestamp_utc", "event_time_utc")
RENAMED = {"current_username": "CURRENT_USER", "comment_text": "COMMENT_TEXT"}
TEXT_FORM = "%Y-%m-%d %H:%M:%S.%f"
Read = Callable[[], Iterator[Batch]]


@dataclass(frozen=True)
class View:
    """One view: its name as the piece of a slice, the files that count and read it, the dialect of its records."""

    piece: str
    count: str
    records: str
    dialect: str
    has_zone: bool = True  # its time is a TIMESTAMP WITH TIME ZONE; without one it is in UTC

    def binds(self, begin: datetime, end: datetime) -> dict[str, str]:
        if self.has_zone:
            return {"begin_at": f"{utc_text(begin)} +00:00", "end_at": f"{utc_text(end)} +00:00"}
        return {"begin_utc": utc_text(begin), "end_utc": utc_text(end)}


UNIFIED = (View("unified_audit_trail", "unified_count", "unified_records", "unified", has_zone=False),)
TRADITIONAL = (
    View("dba_audit_trail", "standard_count", "standard_records", "dba_audit_trail"),
    View("dba_fga_audit_trail", "fga_count", "fga_records", "fga"),
)


class TrailMoved(Exception):
    """A stretch gave other numbers of records each time it was counted and read: it has not settled, or somebody cleans it."""

    def __init__(self, piece: str, counted: int, read: int) -> None:
        super().__init__(f"{piece}: {counted} records counted, {read} read")


@dataclass(frozen=True)
class OracleTrailSource:
    """The views of one source of a policy on one database (contract: drydock.audit.collection.collecting.TrailSource)."""

    source: AuditSource
    run: AuditRun

    @property
    def id(self) -> str:
        return self.source.id

    @property
    def views(self) -> tuple[View, ...]:
        return UNIFIED if self.source.kind is SourceKind.ORACLE_UNIFIED else TRADITIONAL

    def pieces(self, begin: datetime, end: datetime) -> Iterable[tuple[str, Read]]:
        """One piece per view, by the same name every time: what is read again replaces what was read before."""
        views = self.views if self.run.rows is not None else ()
        return [(view.piece, partial(self._read, view, begin, end)) for view in views]

    def unread(self) -> tuple[str, ...]:
        """Without a session the views themselves."""
        return () if self.run.rows is not None else tuple(f"{view.piece}: no connection" for view in self.views)

    def _read(self, view: View, begin: datetime, end: datetime) -> Iterator[Batch]:
        """What the view holds of [begin, end). Raises TrailMoved, and what the session raises."""
        step = timedelta(minutes=self.run.policy.slice_minutes)
        while begin < end:
            until = min(begin + step, end)
            for a, b, counted in self._stretches(view, begin, until):
                pieces = map(partial(piece_of, view.dialect), self._rows(view, a, b, counted))
                yield from batches_of(pieces, view.piece, a, b)
            begin = until

    def _stretches(self, view: View, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, int]]:
        """Parts of a stretch that are not empty and small enough for one answer, as far as they can be cut; with their counts."""
        counted = self._count(view, begin, end)
        if counted > MOST_ROWS and end - begin > SHORTEST:
            middle = begin + (end - begin) / 2
            yield from self._stretches(view, begin, middle)
            yield from self._stretches(view, middle, end)
        elif counted:
            yield begin, end, counted

    def _rows(self, view: View, begin: datetime, end: datetime, counted: int) -> list[dict[str, Any]]:
        """As many rows as were counted; what came in between is told by a second count."""
        rows = self._asked(view, view.records, begin, end)
        if len(rows) != counted and len(rows) != self._count(view, begin, end):
            raise TrailMoved(view.piece, counted, len(rows))
        return rows

    def _count(self, view: View, begin: datetime, end: datetime) -> int:
        return int(self._asked(view, view.count, begin, end)[0]["records"])

    def _asked(self, view: View, name: str, begin: datetime, end: datetime) -> list[dict[str, Any]]:
        assert self.run.rows is not None
        return ask_by_version(self.run.rows, name, view.binds(begin, end))


def utc_text(moment: datetime) -> str:
    """As the binds of the files want it."""
    return moment.astimezone(UTC).strftime(TEXT_FORM)


def piece_of(dialect: str, row: Mapping[str, Any]) -> Piece:
    """A row of a view as a piece with its record; text that cannot be kept as it is never stops the stretch."""
    return Piece(Kind.RECORD, line=0, lines=0, offset=0, size=0, record=record_of_row(dialect, row))


def record_of_row(dialect: str, row: Mapping[str, Any]) -> AuditRecord:
    """The record of a row, by the same words for columns that a file with these headings is read by."""
    at = next(row[name] for name in TIMES if name in row)
    moment = Moment(at.replace(tzinfo=UTC), Zone.KNOWN) if at is not None else Moment(None, Zone.NONE)
    held = held_of(_fields(row))
    facts = {"format": "oracle_view", "source": "oracle", "dialect": dialect, "moment": moment}
    record = record_of(held, Place(0, 0, 0), Clock(UTC), **facts)
    return record.model_copy(update={"binds_present": bool(row["has_binds"])})


def _fields(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in row.items():
        if value is not None and name != "has_binds" and name not in TIMES:
            yield RENAMED.get(name, name.upper()), text_of(value)


def text_of(value: object) -> str:
    """A value of the driver as its column would be printed: whole numbers without a point."""
    if isinstance(value, Decimal):
        return str(int(value)) if value == value.to_integral_value() else str(value)
    return value if isinstance(value, str) else str(clean_text(str(value)))


__all__ = ["OracleTrailSource", "TrailMoved", "piece_of", "record_of_row", "utc_text"]

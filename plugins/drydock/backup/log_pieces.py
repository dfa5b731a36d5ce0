"""Which part of the archived logs was read back when: ranges cut along the reads that covered them.

Reads and ranges are compared by timeline and position. Cutting a range gives new names to its first and last segment;
that needs the engine's naming, so ranges of an engine whose names are not known here stay whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from drydock.backup.facts import LogArchive, LogRange
from drydock.backup.postgres.wal import SEGMENT_NAME, is_segment_bytes, segment_at
from drydock.backup.results import Read, ReadUnit


@dataclass(frozen=True)
class LogPiece:
    """A part of one range with the newest read that covered all of it; None: never read."""

    log_range: LogRange
    first_position: int
    end_position: int
    read: Read | None

    @property
    def total_bytes(self) -> int:
        """Stored bytes, in proportion to the positions."""
        length = max(self.log_range.end_position - self.log_range.first_position, 1)
        return self.log_range.total_bytes * (self.end_position - self.first_position) // length

    @property
    def archived_at(self) -> datetime:
        """About when its first segment was archived: in proportion between the ends of the range."""
        length = max(self.log_range.end_position - self.log_range.first_position, 1)
        share = (self.first_position - self.log_range.first_position) / length
        return self.log_range.first_at + (self.log_range.last_at - self.log_range.first_at) * share


def log_pieces(logs: LogArchive | None, reads: Iterable[Read]) -> tuple[LogPiece, ...]:
    """All archived logs, cut so that each piece has one newest read; in order of timeline and position."""
    newest_first = sorted((r for r in reads if r.unit is ReadUnit.LOGS), key=lambda r: r.ended_at, reverse=True)
    pieces = [piece for r in (logs.ranges if logs else ()) for piece in _pieces_of(r, newest_first)]
    return tuple(sorted(pieces, key=lambda p: (p.log_range.timeline, p.first_position)))


def _pieces_of(log_range: LogRange, newest_first: list[Read]) -> list[LogPiece]:
    open_parts = [(log_range.first_position, log_range.end_position)]
    pieces: list[LogPiece] = []
    for read in newest_first:
        if not open_parts:
            break
        if read.timeline == log_range.timeline and read.first_position is not None and read.end_position is not None:
            covered, open_parts = _cover(open_parts, read.first_position, read.end_position)
            pieces += [LogPiece(log_range, first, end, read) for first, end in covered]
    return pieces + [LogPiece(log_range, first, end, None) for first, end in open_parts]


def _cover(parts: list[tuple[int, int]], first: int, end: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Split parts into what lies inside `first`..`end` and what does not."""
    inside = [(max(a, first), min(b, end)) for a, b in parts]
    outside = [piece for a, b in parts for piece in ((a, min(b, first)), (max(a, end), b))]
    return [p for p in inside if p[0] < p[1]], [p for p in outside if p[0] < p[1]]


def can_cut(log_range: LogRange, segment_bytes: int) -> bool:
    """True where the names of segments inside the range can be told from positions."""
    return is_segment_bytes(segment_bytes) and SEGMENT_NAME.fullmatch(log_range.first) is not None


def cut_range(log_range: LogRange, first_position: int, end_position: int, segment_bytes: int) -> LogRange:
    """The part of a range from one position to another, on whole segments; all of it where it cannot be cut."""
    first = max(first_position // segment_bytes * segment_bytes, log_range.first_position)
    end = min(-(-end_position // segment_bytes) * segment_bytes, log_range.end_position)
    if not can_cut(log_range, segment_bytes) or (first, end) == (log_range.first_position, log_range.end_position):
        return log_range
    piece = LogPiece(log_range, first, end, None)
    values = {
        "first": segment_at(log_range.timeline, first, segment_bytes).name(segment_bytes),
        "last": segment_at(log_range.timeline, end - 1, segment_bytes).name(segment_bytes),
        "first_position": first,
        "end_position": end,
        "segments": max(1, (end - first) // segment_bytes),
        "total_bytes": piece.total_bytes,
        "first_at": piece.archived_at,
        "last_at": log_range.last_at if end == log_range.end_position else LogPiece(log_range, end, end, None).archived_at,
    }
    return log_range.model_copy(update=values)

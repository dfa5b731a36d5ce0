"""Which rows a chunk of an Oracle table reads: ranges of ROWID over its extents, as they were listed after the SCN was taken.

A range runs from the first row of an extent to the last one that its last block could hold. MOVE, SHRINK, row movement and
TRUNCATE between the list and the reading invalidate it: `Segment.stamp` is compared at the end.

Sources: Database Reference 19c, DBA_EXTENTS, DBA_OBJECTS; Concepts 19c, "Rowid Format"; PL/SQL Packages 19c, DBMS_ROWID.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from drydock.verdicts import Model

_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
LAST_ROW = 32_767
BIGFILE = 1024
"""RELATIVE_FNO of a bigfile tablespace, whose ROWIDs name no file."""


class RowidRange(Model):
    """Both ends belong to it."""

    low: str
    high: str
    bytes: int


class Segment(Model):
    """A table without partitions, a partition or a subpartition, and the object that its ROWIDs name."""

    partition: str
    data_object_id: int
    changed_at: datetime

    @property
    def stamp(self) -> tuple[str, int, datetime]:
        """Another one means that its rows may be elsewhere now."""
        return self.partition, self.data_object_id, self.changed_at


class Chunk(Model):
    """What one task reads: ranges of one segment."""

    segment: Segment
    ranges: tuple[RowidRange, ...]

    @property
    def bytes(self) -> int:
        return sum(r.bytes for r in self.ranges)


def rowid(data_object_id: int, relative_file: int, block: int, row: int) -> str:
    """An extended ROWID, 18 characters. Raises ValueError for a number that does not fit its place.

    In a bigfile tablespace the file is 1024 in DBA_EXTENTS and takes no bits: all 32 belong to the block.
    """
    if relative_file == BIGFILE:
        file, block = divmod(_checked("block", block, 32), 1 << 22)
    else:
        file, block = _checked("file", relative_file, 10), _checked("block", block, 22)
    told = ((_checked("object", data_object_id, 32), 6), (file, 3), (block, 6), (_checked("row", row, 16), 3))
    return "".join(_written(value, count) for value, count in told)


def _checked(name: str, value: int, bits: int) -> int:
    if not 0 <= value < 1 << bits:
        raise ValueError(f"{name} number {value} of a ROWID does not fit {bits} bits")
    return value


def _written(value: int, count: int) -> str:
    """Digits of six bits each, the highest first."""
    return "".join(_DIGITS[(value >> 6 * place) & 63] for place in reversed(range(count)))


def segments_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, Segment]:
    """Rows of `segments.sql` by partition; what has no segment yet holds no rows."""
    found = {}
    for row in rows:
        if row["data_object_id"] is not None:
            name = row["partition"] or ""
            found[name] = Segment(partition=name, data_object_id=int(row["data_object_id"]), changed_at=row["changed_at"])
    return found


def chunks_of(segments: Mapping[str, Segment], extents: Sequence[Mapping[str, Any]], chunk_bytes: int) -> tuple[Chunk, ...]:
    """Ranges of each segment in the order of the list, put together up to `chunk_bytes`; one extent is never split.

    Raises LookupError for an extent of a segment that is not known: the table was changed between the two questions.
    """
    by_segment: dict[str, list[RowidRange]] = defaultdict(list)
    for row in extents:
        name = row["partition"] or ""
        if name not in segments:
            raise LookupError(f"an extent of the segment {name[:40]!a} came or changed meanwhile")
        by_segment[name].append(range_of(segments[name], row))
    return tuple(chunk for name, ranges in by_segment.items() for chunk in _packed(segments[name], ranges, chunk_bytes))


def range_of(segment: Segment, row: Mapping[str, Any]) -> RowidRange:
    """From the first row of an extent (a row of `extents.sql`) to the last one that it could hold."""
    file, first, last = int(row["relative_file"]), int(row["block"]), int(row["block"]) + int(row["blocks"]) - 1
    low, high = rowid(segment.data_object_id, file, first, 0), rowid(segment.data_object_id, file, last, LAST_ROW)
    return RowidRange(low=low, high=high, bytes=int(row["bytes"]))


def _packed(segment: Segment, ranges: Sequence[RowidRange], chunk_bytes: int) -> Iterable[Chunk]:
    held: list[RowidRange] = []
    for one in ranges:
        if held and sum(r.bytes for r in held) + one.bytes > chunk_bytes:
            yield Chunk(segment=segment, ranges=tuple(held))
            held = []
        held.append(one)
    if held:
        yield Chunk(segment=segment, ranges=tuple(held))

"""COPY's binary format in Python: blocks into rows of fields, and rows into blocks. The reference of the compiled kernel.

Format (PostgreSQL manual, "COPY", binary format): a signature of 11 bytes, 32 bits of flags, the length of a head extension
and the extension; for each row 16 bits that tell how many fields, for each field 32 bits of length (-1: NULL) and its bytes;
-1 in place of the number of fields ends it. Blocks may end anywhere.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from drydock.masking.kernel.work import BadStream

SIGNATURE = b"PGCOPY\n\xff\r\n\0"
HEAD = SIGNATURE + bytes(8)
TRAILER = b"\xff\xff"
BATCH_ROWS = 16_384
BATCH_BYTES = 8 << 20
"""A batch ends with the row that reaches one of them: the same rows each time, as noise with bounds for sums needs."""
_FIELDS_OF_BATCH = 400_000
_FEWEST_ROWS = 256


QUICK_ROWS = 1024
"""Of a batch that Python has no part in: what it holds then stays in the cache of the processor."""


def batch_rows(columns: int, *, quick: bool = False) -> int:
    """Rows of a batch: fewer of wide tables, so that memory stays flat."""
    return min(QUICK_ROWS if quick else BATCH_ROWS, max(_FEWEST_ROWS, _FIELDS_OF_BATCH // max(columns, 1)))


Row = list[bytes | None]
_FIELDS, _LENGTH = struct.Struct(">h"), struct.Struct(">i")


class RowReader:
    """Takes blocks, gives batches of rows."""

    def __init__(self, columns: int) -> None:
        self._columns, self._most_rows = columns, batch_rows(columns)
        self._waiting = bytearray()
        self._at_head, self._ended = True, False
        self._rows: list[Row] = []
        self._batch_bytes = 0

    def take(self, block: bytes | memoryview) -> Iterator[list[Row]]:
        """Batches that are full with this block. Raises BadStream."""
        self._waiting += block
        place = self._head() if self._at_head else 0
        while not self._at_head and not self._ended:
            after = self._row(place)
            if after is None:
                break
            self._batch_bytes += after - place
            place = after
            if len(self._rows) >= self._most_rows or self._batch_bytes >= BATCH_BYTES:
                yield self._batch()
        if self._ended and place < len(self._waiting):
            raise BadStream("bytes after the end")
        del self._waiting[:place]

    def end(self) -> list[Row]:
        """The last batch. Raises BadStream where the stream was cut."""
        if not self._ended or self._waiting:
            raise BadStream("it ended in the middle")
        return self._batch()

    def _batch(self) -> list[Row]:
        rows, self._rows, self._batch_bytes = self._rows, [], 0
        return rows

    def _head(self) -> int:
        """Where the first row begins; 0 while the head is not whole."""
        size = len(HEAD)
        if self._waiting[:11] != SIGNATURE[: len(self._waiting)]:
            raise BadStream("no binary COPY")
        if len(self._waiting) < size:
            return 0
        flags, extension = struct.unpack_from(">Ii", self._waiting, 11)
        if flags or extension < 0:
            raise BadStream("a binary COPY of an unknown sort")
        if len(self._waiting) < size + extension:
            return 0
        self._at_head = False
        return size + extension

    def _row(self, place: int) -> int | None:
        """Where the row at this place ends; None while it is not whole."""
        data = self._waiting
        if place + 2 > len(data):
            return None
        (count,) = _FIELDS.unpack_from(data, place)
        place += 2
        if count == -1:
            self._ended = True
            return place
        if count != self._columns:
            raise BadStream(f"a row of {count} columns, not {self._columns}")
        row: Row = []
        for _ in range(count):
            if place + 4 > len(data):
                return None
            (size,) = _LENGTH.unpack_from(data, place)
            place += 4
            if size < -1:
                raise BadStream("a field of a negative length")
            if size > 0 and place + size > len(data):
                return None
            row.append(None if size == -1 else bytes(data[place : place + size]))
            place += max(0, size)
        self._rows.append(row)
        return place


def written(rows: list[Row]) -> bytes:
    """Rows as they are sent, without head and trailer."""
    parts: list[bytes] = []
    for row in rows:
        parts.append(_FIELDS.pack(len(row)))
        for field in row:
            if field is None:
                parts.append(b"\xff\xff\xff\xff")
            else:
                parts += (_LENGTH.pack(len(field)), field)
    return b"".join(parts)

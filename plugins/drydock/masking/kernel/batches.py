"""Batches of rows in the memory of the compiled kernel: read, masked column by column, written."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Sequence

import numpy as np

from drydock.masking.kernel.codecs import Raw
from drydock.masking.kernel.programs import Program
from drydock.masking.kernel.rows import BATCH_BYTES, batch_rows
from drydock.masking.kernel.structures import Step
from drydock.masking.kernel.work import BadStream
from drydock.masking.values.column_maskers import ColumnMasker

log = logging.getLogger(__name__)

SOURCE, TARGET = -8, -9  # as kernel.h numbers errors
_ERRORS = {
    -2: "no binary COPY",
    -3: "a binary COPY of an unknown sort",
    -4: "a row of another number of columns",
    -5: "a field of a negative length",
    -6: "bytes after the end",
    -7: "it ended in the middle",
    -10: "its compiled kernel moves a value without an end",
}
_CHECKED_ROWS = 64
_NO_ROWS = np.empty(0, np.int64)


class SideFailed(RuntimeError):
    """libpq reported an error on one side; its connection knows which."""

    def __init__(self, code: int) -> None:
        self.side = "source" if code == SOURCE else "target"
        super().__init__(self.side)


def good(answer: int) -> int:
    """What a call of the kernel gave. Raises BadStream, SideFailed, MemoryError."""
    if answer >= 0:
        return answer
    if answer in (SOURCE, TARGET):
        raise SideFailed(answer)
    if answer == -1:
        raise MemoryError("no memory for a batch of rows")
    raise BadStream(_ERRORS[answer])


class Batches:
    """One stream's rows, a batch at a time. Not for two threads."""

    def __init__(self, library: ctypes.CDLL, columns: int, *, quick: bool = False) -> None:
        self.library, self.rows = library, 0
        self.handle = library.dk_open(columns, batch_rows(columns, quick=quick), BATCH_BYTES)
        if not self.handle:
            raise MemoryError("no memory for a stream")
        self._left = np.zeros(batch_rows(columns), np.uint8)
        self.left_at = self._left.ctypes.data

    def close(self) -> None:
        if self.handle:
            self.library.dk_close(self.handle)
            self.handle = None

    def read(self, connection: int, get: int, release: int) -> int:
        """The next batch of a connection in COPY OUT. Raises as `good`."""
        self.rows = good(self.library.dk_read(self.handle, connection, get, release))
        return self.rows

    def take(self, block: bytes, is_last: bool = True) -> int:
        """The batch that these bytes fill, with those before them."""
        self.rows = good(self.library.dk_batch_of(self.handle, block, len(block), is_last))
        return self.rows

    def write(self, connection: int | None, put: int) -> None:
        """The batch to a connection in COPY IN."""
        good(self.library.dk_write(self.handle, connection, put))

    @property
    def is_last(self) -> bool:
        return bool(self.library.dk_at_end(self.handle))

    @property
    def bytes_in(self) -> int:
        return self.library.dk_bytes_in(self.handle)

    @property
    def bytes_out(self) -> int:
        return self.library.dk_bytes_out(self.handle)

    def run(self, program: Program, column: int) -> tuple[int, np.ndarray]:
        """Mask a column; how many were NULL, and the rows that are left to Python."""
        answer = program.call(self.handle, column, program.address, self.left_at)
        if answer < 1 << 32:
            return good(answer), _NO_ROWS
        return answer & 0xFFFFFFFF, self.left()

    def left(self) -> np.ndarray:
        """The rows that the last program left to Python."""
        return np.flatnonzero(self._left[: self.rows])

    def constant(self, column: int, value: bytes | None) -> int:
        """One constant for all that is not NULL; how many were NULL."""
        return good(self.library.dk_constant(self.handle, column, value or b"", -1 if value is None else len(value)))

    def fields(self, column: int, rows: np.ndarray, masked: bool = False) -> list[bytes | None]:
        """Some rows of a column, as they came or as they go."""
        rows = np.ascontiguousarray(rows, np.int64)
        sizes = np.empty(rows.size, np.int64)
        where = (self.handle, masked, column, rows.ctypes.data, rows.size)
        joined = ctypes.create_string_buffer(max(1, self.library.dk_sizes(*where, sizes.ctypes.data)))
        self.library.dk_copy(*where, ctypes.addressof(joined))
        whole, place, out = joined.raw, 0, list[bytes | None]()
        for size in sizes.tolist():
            out.append(None if size < 0 else whole[place : place + size])
            place += max(0, size)
        return out

    def put(self, column: int, rows: np.ndarray, fields: Raw) -> None:
        """New bytes for some rows of a column."""
        rows = np.ascontiguousarray(rows, np.int64)
        sizes = np.array([-1 if field is None else len(field) for field in fields], np.int64)
        joined = b"".join(field for field in fields if field is not None)
        where = (self.handle, column, rows.ctypes.data, rows.size)
        good(self.library.dk_replace(*where, sizes.ctypes.data, joined))


class BatchColumn:
    """One ruled column of such a stream: by its program, what that leaves by Python."""

    def __init__(
        self, place: int, masker: ColumnMasker, others: Sequence[int], program: Program | None, twin: ColumnMasker
    ) -> None:
        self.place, self.masker, self._others, self.program = place, masker, others, program
        self._twin: ColumnMasker | None = twin if program else None

    @property
    def by_columns_alone(self) -> bool:
        """Whether the size of batches tells Python nothing: it masks no column of them as a whole."""
        return self.program is not None or self._is_constant

    @property
    def _is_constant(self) -> bool:
        return self.masker.suppresses or self.masker.replaces_by_constant

    def mask(self, batches: Batches) -> None:
        """This column of the batch."""
        if self._is_constant:
            value = None if self.masker.suppresses else self.masker.constant()
            self._count(batches.rows, batches.constant(self.place, value))
        elif self.program is None or not batches.rows:
            self._by_python(batches, np.arange(batches.rows))
        else:
            nulls, left = batches.run(self.program, self.place)
            if self._twin is None or self._agrees(batches, left):
                self._count(batches.rows - left.size, nulls)
                self._by_python(batches, left)
            else:
                self._by_python(batches, np.arange(batches.rows))

    def step(self) -> Step:
        """What C does to it; of a column that goes `by_columns_alone`."""
        if self.program is not None:
            return Step(ctypes.cast(self.program.call, ctypes.c_void_p), self.program.address, None, 0, self.place)
        value = None if self.masker.suppresses else self.masker.constant()
        return Step(None, None, value, -1 if value is None else len(value), self.place)

    def by_python_what_is_left(self, batches: Batches) -> None:
        """The rows that its program left."""
        self._by_python(batches, batches.left())

    def _count(self, rows: int, nulls: int) -> None:
        self.masker.nulls += nulls
        self.masker.masked += rows - nulls

    def _by_python(self, batches: Batches, rows: np.ndarray) -> None:
        if rows.size:
            beside = [batches.fields(other, rows) for other in self._others]
            batches.put(self.place, rows, self.masker.fields(batches.fields(self.place, rows), beside))

    def _agrees(self, batches: Batches, left: np.ndarray) -> bool:
        """Some rows of the first batch are masked both ways; where they differ, Python masks the column."""
        twin, self._twin = self._twin, None
        assert twin is not None
        rows = np.setdiff1d(np.arange(batches.rows), left)[:_CHECKED_ROWS]
        beside = [batches.fields(other, rows) for other in self._others]
        if twin.fields(batches.fields(self.place, rows), beside) == batches.fields(self.place, rows, masked=True):
            return True
        log.error("%s: the compiled kernel and Python disagree; Python masks it", self.masker.work.place)
        assert self.program is not None
        self.program.free()
        self.program = None
        return False

    @property
    def unknown_shapes(self) -> int:
        return self.masker.unknown_shapes + (self.program.unknown() if self.program else 0)

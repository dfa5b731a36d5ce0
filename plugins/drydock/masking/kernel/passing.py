"""Whole batches in C: the rest of a stream once every column goes by a program or a constant, without Python between them."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

from drydock.masking.kernel.batches import BatchColumn, Batches, good
from drydock.masking.kernel.libpq import Functions
from drydock.masking.kernel.structures import Sides, Step


class Passing:
    """The two sides of a stream and what is done between them; what a program leaves is done by Python and the batch goes on."""

    def __init__(self, batches: Batches, columns: Sequence[BatchColumn], source: int, target: int, libpq: Functions) -> None:
        self._batches, self._columns = batches, columns
        self._steps = (Step * len(columns))(*(column.step() for column in columns))
        self._sides = Sides(source, target, libpq.get_copy_data, libpq.free_memory, libpq.put_copy_data)
        self._at = ctypes.c_int32(-1)

    def some(self, most: int) -> int:
        """Move rows until a batch reaches `most`, or all that are left; how many. Raises as `good`, and Unmaskable."""
        rows = self._call(most)
        while self._at.value >= 0:
            self._columns[self._at.value].by_python_what_is_left(self._batches)
            self._at.value += 1
            rows += self._call(most - rows)
        return rows

    def _call(self, most: int) -> int:
        b, at = self._batches, ctypes.byref(self._at)
        came = b.library.dk_pass(b.handle, ctypes.byref(self._sides), self._steps, len(self._steps), most, b.left_at, at)
        for step, column in zip(self._steps, self._columns, strict=True):
            column.masker.masked += step.masked
            column.masker.nulls += step.nulls
            step.masked = step.nulls = 0
        b.rows = b.library.dk_rows(b.handle)
        return good(came)

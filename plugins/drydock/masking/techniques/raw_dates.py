"""Date and time columns of NumPy and Arrow as whole numbers since 1970, of any unit, so that nothing finer is lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

EPOCH_DAY = date(1970, 1, 1).toordinal()
_PER_DAY = {"D": 1, "h": 24, "m": 1440, "s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


@dataclass(frozen=True)
class RawDates:
    """`numbers` (int64) since 1970, 0 where null; `per_day` of them make a day. With a time zone they are of UTC."""

    numbers: np.ndarray
    nulls: np.ndarray
    per_day: int

    @property
    def first_day(self) -> int:
        return max(1 - EPOCH_DAY, -((1 << 63) - 1) // self.per_day + 1)

    @property
    def last_day(self) -> int:
        return min(date.max.toordinal() - EPOCH_DAY, ((1 << 63) - 1) // self.per_day - 1)

    def like(self, column: Any, numbers: np.ndarray, nulls: np.ndarray) -> Any:
        """Numbers as a column of the same type."""
        if isinstance(column, np.ndarray):
            out = numbers.astype(column.dtype)
            out[nulls] = np.datetime64("NaT")
            return out
        narrow = pa.array(numbers.astype(np.int32) if pa.types.is_date32(column.type) else numbers, mask=nulls)
        return (
            narrow.cast(column.type)
            if pa.types.is_date32(column.type)
            else pa.array(numbers, pa.int64(), mask=nulls).cast(column.type)
        )


def raw_dates(column: Any) -> RawDates | None:
    """None where the column is no array of dates of NumPy or Arrow."""
    if isinstance(column, np.ndarray) and column.dtype.kind == "M":
        unit, step = np.datetime_data(column.dtype)
        if unit not in _PER_DAY or step != 1:
            return None
        nulls = np.isnat(column)
        return RawDates(np.where(nulls, 0, column.astype(np.int64)), nulls, _PER_DAY[unit])
    if not isinstance(column, pa.Array | pa.ChunkedArray):
        return None
    sort = column.type
    if not (pa.types.is_timestamp(sort) or pa.types.is_date(sort)):
        return None
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
        column = column if isinstance(column, pa.Array) else pa.concat_arrays(column.chunks)
    unit = "D" if pa.types.is_date32(sort) else "ms" if pa.types.is_date64(sort) else sort.unit
    nulls = column.is_null().to_numpy(zero_copy_only=False)
    whole = column.cast(pa.int32()).cast(pa.int64()) if pa.types.is_date32(sort) else column.cast(pa.int64())
    return RawDates(whole.fill_null(0).to_numpy(zero_copy_only=False), nulls, _PER_DAY[unit])

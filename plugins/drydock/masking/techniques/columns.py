"""Columns as techniques take and give them: lists, NumPy arrays, Arrow arrays, Series of polars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

Column = Sequence[Any] | np.ndarray | pa.Array | pa.ChunkedArray | pl.Series


def values_of(column: Column) -> list[Any]:
    """The values in Python's types; null is None (and NaT). Dates of nanoseconds keep them as datetime64."""
    if isinstance(column, pa.Array | pa.ChunkedArray):
        return column.to_pylist()
    if isinstance(column, pl.Series):
        return column.to_list()
    if isinstance(column, np.ndarray):
        return [None if _is_nat(v) else v for v in column.tolist()] if column.dtype.kind != "M" else _of_dates(column)
    return list(column)


def _of_dates(column: np.ndarray) -> list[Any]:
    finest = column.astype("datetime64[us]") if np.datetime_data(column.dtype)[0] in ("ns", "ps", "fs", "as") else column
    return [None if v is None else v for v in finest.tolist()]


def _is_nat(value: Any) -> bool:
    return isinstance(value, np.datetime64) and bool(np.isnat(value))


def like(column: Column, values: list[Any]) -> Any:
    """The values in the sort of column they came from; of another type where they no longer fit its own."""
    if isinstance(column, pa.Array | pa.ChunkedArray):
        try:
            return pa.array(values, type=column.type)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            return pa.array(values)
    if isinstance(column, pl.Series):
        try:
            return pl.Series(column.name, values, dtype=column.dtype, strict=True)
        except (TypeError, pl.exceptions.PolarsError):
            return pl.Series(column.name, values, strict=False)
    if isinstance(column, np.ndarray):
        return _as_numpy(column, values)
    return values


def _as_numpy(column: np.ndarray, values: list[Any]) -> np.ndarray:
    if column.dtype.kind == "M":
        return np.array(values, dtype=column.dtype)
    try:
        out = np.array(values, dtype=column.dtype if column.dtype.kind in "OUif" else object)
    except (TypeError, ValueError, OverflowError):
        return np.array(values, dtype=object)
    if out.dtype.kind == "U" and any(v is None or len(str(v)) > out.dtype.itemsize // 4 for v in values):
        return np.array(values, dtype=object)
    return out

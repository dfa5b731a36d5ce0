"""Schemas of the parts of the store, and how frames become Parquet."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Set
from types import TracebackType
from typing import IO, Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from drydock.audit.collection.coded import TEXTS, Coded, one_chunk
from drydock.audit.results import Part
from drydock.audit.storage.columns import ACTIVITY, EXEMPLARS, RECORDS, STATEMENT_USE, STATEMENTS

SET_ASIDE: dict[str, pl.DataType | type[pl.DataType]] = {
    "file": pl.String,
    "line": pl.Int64,
    "lines": pl.Int64,
    "offset": pl.Int64,  # byte, in the text as it was read
    "size": pl.Int64,  # bytes
    "reason": pl.String,
    "sha256": pl.String,  # first 16 digits
}
"""Pieces that no reader understood, without their text."""

SCHEMAS = {
    Part.RECORDS: RECORDS,
    Part.STATEMENTS: STATEMENTS,
    Part.EXEMPLARS: EXEMPLARS,
    Part.ACTIVITY: ACTIVITY,
    Part.STATEMENT_USE: STATEMENT_USE,
    Part.SET_ASIDE: SET_ASIDE,
}
COMPRESSION, LEVEL = "zstd", 1
_OLD = pl.CompatLevel.oldest()


def arrow_schema(part: Part) -> pa.Schema:
    """The part's columns as Parquet has them."""
    return pl.DataFrame(schema=SCHEMAS[part]).to_arrow(compat_level=_OLD).schema


class Hashing:
    """A file that is being written, with SHA-256 and size of what went into it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._hash, self.size_bytes = file, hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        self._file.write(data)
        self._hash.update(data)
        self.size_bytes += memoryview(data).nbytes
        return memoryview(data).nbytes

    def tell(self) -> int:
        return self.size_bytes

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        """The file is closed by who opened it."""

    @property
    def closed(self) -> bool:
        return False

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


_BOUNDED = ("event_time", "first_at", "last_at", "hour")
"""Columns that questions are bounded by: only they need the least and greatest of each row group."""
_DIFFERENT = frozenset({"statement", "normalised"})
"""Texts that hardly repeat."""
NUMBERED = pa.dictionary(pa.int32(), pa.large_string())


def _repeating(schema: Mapping[str, Any]) -> list[str]:
    """Columns that are written as numbers of their different values."""
    texts = [name for name, kind in schema.items() if kind == pl.String and name not in _DIFFERENT]
    return texts + [f"{name}.list.element" for name, kind in schema.items() if kind == pl.List(pl.String)]


def written_schema(part: Part) -> pa.Schema:
    """The same with the numbers of the texts that repeat: as they are handed over, not as the file tells them.

    Texts of records are never unknown, at most empty; the file need not say so for each row.
    """
    names, full = set(_repeating(SCHEMAS[part])), set(TEXTS) if part is Part.RECORDS else set()
    return pa.schema(pa.field(field.name, _written(field, names), field.name not in full) for field in arrow_schema(part))


def _written(field: pa.Field, repeating: Set[str]) -> pa.DataType:
    if field.name in repeating:
        return NUMBERED
    return pa.large_list(NUMBERED) if pa.types.is_large_list(field.type) else field.type


def _numbered(frame: pl.DataFrame, schema: pa.Schema) -> pa.Table:
    """A frame as a table of `schema`. Raises polars' ColumnNotFoundError, pyarrow.ArrowInvalid."""
    columns = (frame[field.name] if field.nullable else frame[field.name].fill_null("") for field in schema)
    return pa.Table.from_arrays(
        [_array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )


def _array(series: pl.Series, kind: pa.DataType) -> pa.Array:
    array = one_chunk(series.to_arrow(compat_level=_OLD))
    if kind == NUMBERED:
        return array.cast(NUMBERED.value_type).dictionary_encode()
    if pa.types.is_large_list(kind):
        array = array.cast(pa.large_list(NUMBERED.value_type))
        ends = np.concatenate([[0], np.cumsum(array.value_lengths().fill_null(0).to_numpy(zero_copy_only=False))])
        mask = array.is_null() if array.null_count else None
        return pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), array.flatten().dictionary_encode(), mask=mask)
    return array.cast(kind)


class ParquetFile:
    """Frames into one Parquet file, a row group each; memory holds one frame."""

    def __init__(self, file: IO[bytes], part: Part) -> None:
        self.hashing, self.rows, self._schema = Hashing(file), 0, written_schema(part)
        self._writer = pq.ParquetWriter(
            self.hashing,
            self._schema,
            compression=COMPRESSION,
            compression_level=LEVEL,
            use_dictionary=_repeating(SCHEMAS[part]),
            write_statistics=[name for name in _BOUNDED if name in SCHEMAS[part]] or False,
            store_schema=False,
        )

    def add(self, rows: pl.DataFrame | Coded) -> None:
        """Raises pyarrow.ArrowInvalid or polars' ColumnNotFoundError where a frame has not the part's columns."""
        if rows.height:
            table = rows.arrow(self._schema) if isinstance(rows, Coded) else _numbered(rows, self._schema)
            self._writer.write_table(table)
            self.rows += rows.height

    def __enter__(self) -> ParquetFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._writer.close()

"""Batches into staging tables: by direct path load on Oracle, by COPY on PostgreSQL.

A direct path load commits by itself, so a chunk that was cut off may have left rows: each chunk has a staging table (or
partition) of its own, which is emptied before the chunk is tried again. What direct path refuses goes in by array insert.

Sources: python-oracledb 26.1, direct_path_load; OCI Programmer's Guide 19c, Direct Path Load Interface; PostgreSQL manual, COPY.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from struct import error as StructError
from struct import pack
from typing import Any

import oracledb
import psycopg
import pyarrow as pa
from psycopg import sql

from drydock.masking.kernel.codecs import codec_of
from drydock.masking.kernel.work import ColumnWork, Unmaskable
from drydock.masking.oracle.equivalents import postgres_equivalent
from drydock.masking.oracle.rows import values_of

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + pack(">ii", 0, 0)
_TRAILER = pack(">h", -1)
_NULL = pack(">i", -1)
_DAY_S = 86_400


Told = Callable[[int], None]


def load_oracle(
    connection: oracledb.Connection, owner: str, table: str, batches: Iterable[pa.Table], told: Told = lambda rows: None
) -> int:
    """Load batches into an empty staging table; returns the rows. Raises oracledb.Error; then the table is emptied first."""
    rows = 0
    for batch in batches:
        connection.direct_path_load(owner, table, batch.column_names, batch)
        rows += batch.num_rows
        told(rows)
    return rows


def load_postgres(
    connection: psycopg.Connection[Any],
    write: sql.Composed,
    works: Sequence[ColumnWork],
    batches: Iterable[pa.Table],
    told: Told = lambda rows: None,
) -> int:
    """Load batches by COPY (FORMAT binary) in the caller's transaction; returns the rows. Raises psycopg.Error, Unmaskable."""
    writers, rows = [_writer(work) for work in works], 0
    with connection.cursor() as cursor, cursor.copy(write) as copy:
        copy.write(_SIGNATURE)
        for batch in batches:
            copy.write(_tuples([write_one(batch.column(n)) for n, write_one in enumerate(writers)]))
            rows += batch.num_rows
            told(rows)
        copy.write(_TRAILER)
    return rows


def _tuples(columns: Sequence[Sequence[bytes]]) -> bytes:
    count = pack(">h", len(columns))
    return b"".join(count + b"".join(fields) for fields in zip(*columns, strict=True))


def _writer(work: ColumnWork) -> Callable[[pa.ChunkedArray], list[bytes]]:
    """Fields of one column as COPY wants them, their length first. Raises Unmaskable for a type that cannot be written."""
    kind = postgres_equivalent(work.type)
    if kind.name == "interval":
        return lambda column: [_NULL if v is None else _interval(work, Decimal(v)) for v in values_of(column)]
    codec = codec_of(kind)
    if codec is None:
        raise Unmaskable(work.place, "copy", f"{work.type.name} cannot be written as {kind.name}")
    encoded = codec.encoded

    def fields(column: pa.ChunkedArray) -> list[bytes]:
        try:
            raw = encoded(values_of(column))
        except (Unmaskable, MemoryError):
            raise
        except Exception as e:  # its text would hold the value
            raise Unmaskable(work.place, "copy", type(e).__name__) from None
        return [_NULL if field is None else pack(">i", len(field)) + field for field in raw]

    return fields


def _interval(work: ColumnWork, size: Decimal) -> bytes:
    """A field of so many seconds or months: microseconds, days and months as PostgreSQL keeps them apart. Raises Unmaskable."""
    is_months = work.type.name.startswith("INTERVAL YEAR")
    days = 0 if is_months else int(size / _DAY_S)
    rest = 0 if is_months else int((size - days * _DAY_S).scaleb(6).to_integral_value())
    try:
        return pack(">iqii", 16, rest, days, int(size) if is_months else 0)
    except StructError:
        raise Unmaskable(work.place, "copy", "an interval longer than PostgreSQL's longest") from None


def undo_is_enough(shortest_s: float, expected_s: float) -> bool:
    """Whether queries at one SCN will find their undo to the end: expected time below 70 % of what was held lately."""
    return expected_s < 0.7 * shortest_s

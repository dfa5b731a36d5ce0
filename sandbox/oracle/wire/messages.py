"""What a server answers: the messages of a response, each beginning with a byte that names it.

A response ends with ERROR (also where all went well: number 0) or with STATUS. ERROR carries the cursor's number, the
position in the statement, the rows processed and, for an array with batch errors, one code, offset and text per bad row.
ORA-01403 in the ERROR of a fetch says that the rows are at their end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.oracle.backend import Column
from sandbox.oracle.wire.columns import describe_column
from sandbox.oracle.wire.ttc import NULL, sb, sized, twice_sized, ub

PROTOCOL, DATA_TYPES, FUNCTION, ERROR, ROW_HEADER, ROW_DATA, PARAMETER, STATUS = 1, 2, 3, 4, 6, 7, 8, 9
IO_VECTOR, LOB_DATA, DESCRIBE, PIGGYBACK, ONE_WAY = 11, 14, 16, 17, 26
IN_TRANSACTION = 2
DIRECTION_IN, DIRECTION_IN_OUT = 32, 48
NO_DATA_FOUND, ARRAY_ERRORS = 1403, 24381


@dataclass(frozen=True)
class BatchError:
    """A row of an array that failed: its offset in the array, from 0."""

    code: int
    offset: int
    message: str


def error(
    status: int,
    code: int = 0,
    message: str = "",
    cursor: int = 0,
    rows: int = 0,
    position: int = 0,
    batch: Sequence[BatchError] = (),
) -> bytes:
    """The ERROR message, in the form of 19c. `rows`: rows fetched or changed so far."""
    head = bytes([ERROR]) + ub(status) + ub(1) + ub(0) + ub(code if code < 65536 else 0) + ub(0) + ub(0) + ub(cursor)
    flags = sb(min(position, 32767)) + bytes(6)
    rowid = ub(0) + ub(0) + NULL + ub(0) + ub(0)
    rest = ub(0) + NULL + NULL + ub(0) + ub(0) + ub(0)
    text = sized((message + "\n").encode()) if code else b""
    return head + flags + rowid + rest + _batch(batch) + ub(code) + ub(rows) + text


def _batch(batch: Sequence[BatchError]) -> bytes:
    if not batch:
        return ub(0) + ub(0) + ub(0)
    codes = ub(len(batch)) + b"\1" + b"".join(ub(bad.code) for bad in batch)
    offsets = ub(len(batch)) + b"\1" + b"".join(ub(bad.offset) for bad in batch)
    texts = [(bad.message + "\n").encode() for bad in batch]
    return codes + offsets + ub(len(batch)) + b"\1" + b"".join(ub(len(text)) + sized(text) + b"\0\0" for text in texts)


def status(state: int) -> bytes:
    return bytes([STATUS]) + ub(state) + ub(1)


def described(columns: Sequence[Column]) -> bytes:
    """The description of a result, without the byte that names the message: as it stands within a REF CURSOR too."""
    parts = [describe_column(column, place) for place, column in enumerate(columns, 1)]
    return ub(1) + ub(len(columns)) + (b"\0" if columns else b"") + b"".join(parts) + ub(0) * 6


def describe(columns: Sequence[Column]) -> bytes:
    return bytes([DESCRIBE]) + NULL + described(columns)


def row_header() -> bytes:
    return bytes([ROW_HEADER, 0]) + ub(0) * 6


def io_vector(directions: Sequence[int]) -> bytes:
    """Which binds of a PL/SQL block come back. A bind that comes back is called IN OUT: its value is always sent."""
    count = len(directions)
    return bytes([IO_VECTOR, 0]) + ub(count % 256) + ub(count // 256) + ub(1) + ub(0) + ub(0) + ub(0) + bytes(directions)


def row_counts(counts: Sequence[int]) -> bytes:
    """Rows changed by each row of an array (arraydmlrowcounts)."""
    return bytes([PARAMETER]) + ub(0) * 4 + ub(len(counts)) + b"".join(ub(count) for count in counts)


def key_values(pairs: dict[str, str], flags: dict[str, int] | None = None) -> bytes:
    """A PARAMETER message of the logon: keys and values, each with flags (of AUTH_VFR_DATA: the verifier's type)."""
    entries = (twice_sized(key) + twice_sized(value) + ub((flags or {}).get(key, 0)) for key, value in pairs.items())
    return bytes([PARAMETER]) + ub(len(pairs)) + b"".join(entries)

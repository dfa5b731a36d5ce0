"""Oracle's type numbers, and for each type how a value of it is written into a row and read from a bind.

A client may ask for a column in another type than it was described with (a "define"): a CLOB as LONG, so that the text
comes within the row. The number asked for decides the form on the wire.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from sandbox.oracle.backend import Column, Lob, OracleError, OraType, YearMonth
from sandbox.oracle.wire import values
from sandbox.oracle.wire.lobs import CHUNK_SIZE, LobStore
from sandbox.oracle.wire.ttc import LENGTHS, NULL, Malformed, Reader, decoded, sized, twice_sized, ub

VARCHAR, NUMBER, INTEGER, LONG, ROWID, DATE, RAW, LONG_RAW = 1, 2, 3, 8, 11, 12, 23, 24
CHAR, BINARY_FLOAT, BINARY_DOUBLE, CURSOR, CLOB, BLOB = 96, 100, 101, 102, 112, 113
TIMESTAMP, TIMESTAMP_TZ, INTERVAL_YM, INTERVAL_DS, UROWID, TIMESTAMP_LTZ, BOOLEAN = 180, 181, 182, 183, 208, 231, 252
UTF8, NATIONAL_FORM = 873, 2
ESCAPE = 0xFD

NUMBER_OF: dict[OraType, int] = {
    OraType.VARCHAR2: VARCHAR,
    OraType.CHAR: CHAR,
    OraType.NUMBER: NUMBER,
    OraType.LONG: LONG,
    OraType.DATE: DATE,
    OraType.RAW: RAW,
    OraType.ROWID: ROWID,
    OraType.BINARY_FLOAT: BINARY_FLOAT,
    OraType.BINARY_DOUBLE: BINARY_DOUBLE,
    OraType.TIMESTAMP: TIMESTAMP,
    OraType.TIMESTAMP_TZ: TIMESTAMP_TZ,
    OraType.TIMESTAMP_LTZ: TIMESTAMP_LTZ,
    OraType.INTERVAL_DS: INTERVAL_DS,
    OraType.INTERVAL_YM: INTERVAL_YM,
    OraType.CLOB: CLOB,
    OraType.BLOB: BLOB,
    OraType.BOOLEAN: BOOLEAN,
    OraType.CURSOR: CURSOR,
}
TYPE_OF = {number: kind for kind, number in NUMBER_OF.items()} | {
    INTEGER: OraType.NUMBER,
    LONG_RAW: OraType.RAW,
    UROWID: OraType.ROWID,
}
CHARACTER_TYPES = {VARCHAR, CHAR, LONG, CLOB}
FIXED_BYTES = {
    NUMBER: 22, DATE: 7, ROWID: 18, BINARY_FLOAT: 4, BINARY_DOUBLE: 8, TIMESTAMP: 11, TIMESTAMP_TZ: 13, TIMESTAMP_LTZ: 11,
    INTERVAL_DS: 11, INTERVAL_YM: 5, CLOB: 4000, BLOB: 4000, BOOLEAN: 4, CURSOR: 4, LONG: 0,
}  # fmt: skip
LOB_TYPES = {CLOB, BLOB}

LARGEST_FAST = 10**38
BROKEN = (ValueError, IndexError, OverflowError, ArithmeticError, struct.error)
"""What reading bytes that are no value of their type may raise."""

Writer = Callable[[Any], bytes]


@dataclass(frozen=True)
class BindType:
    """What the client says of one bind (or define): type number, size in bytes, array or not, character form."""

    number: int
    size: int
    is_array: bool
    form: int

    @property
    def ora_type(self) -> OraType:
        """Raises OracleError 3115 for a type that the simulator does not know (objects, JSON, VECTOR, BFILE)."""
        if self.number not in TYPE_OF:
            raise OracleError(3115, f"unsupported network datatype or representation: {self.number}")
        return TYPE_OF[self.number]


def describe_column(column: Column, position: int) -> bytes:
    """One column of a description. A size of 0 would tell the client that the column is NULL in every row."""
    number = NUMBER_OF[column.type]
    is_text = number in CHARACTER_TYPES
    size = FIXED_BYTES.get(number, max(column.size, 1))
    scale = column.scale if number == NUMBER else 6 if number in (TIMESTAMP, TIMESTAMP_TZ, TIMESTAMP_LTZ) else 0
    head = bytes([number, 0, column.precision & 0xFF, scale & 0xFF]) + ub(size) + ub(0) + ub(0) + ub(0) + ub(0)
    charset = (ub(UTF8) + b"\1" if is_text else NULL + NULL) + ub(size if number in (VARCHAR, CHAR) else 0) + ub(0)
    return head + charset + bytes([column.nullable, 0]) + twice_sized(column.name) + ub(0) + ub(0) + ub(position) + ub(0)


def write_text(value: Any) -> bytes:
    """VARCHAR2, CHAR: UTF-8; the empty string is NULL."""
    if value is None or value == "":
        return NULL
    if type(value) is not str:
        value = _as_text(value)
    raw = value.encode()
    return LENGTHS[len(raw)] + raw if len(raw) <= 252 else sized(raw)


def _as_text(value: Any) -> str:
    if isinstance(value, Lob):
        return _as_text(value.data)
    return value.hex().upper() if isinstance(value, bytes) else str(value)


def _raw_of(value: Any) -> bytes:
    value = value.data if isinstance(value, Lob) else value
    return bytes.fromhex(value) if isinstance(value, str) else bytes(value)


def _or_null(write: Callable[[Any], bytes]) -> Writer:
    return lambda value: NULL if value is None else sized(write(value))


def write_number(value: Any) -> bytes:
    if value is None:
        return NULL
    if type(value) is int and 0 < value < LARGEST_FAST:
        raw = values.whole_number_out(value)
    else:
        raw = values.number_out(value if type(value) is int else values.as_number(value))
    return LENGTHS[len(raw)] + raw


def write_long(value: Any) -> bytes:
    """LONG: text, then indicator and return code."""
    return write_text(value) + b"\0\0"


def write_long_raw(value: Any) -> bytes:
    return (sized(_raw_of(value)) if value else NULL) + b"\0\0"


def write_rowid(value: Any) -> bytes:
    """A rowid in a row: a length that only says "not NULL", then its parts as integers."""
    if not value:
        return NULL
    item, file, block, slot = values.rowid_parts(value)
    return b"\x0e" + ub(item) + ub(file) + b"\0" + ub(block) + ub(slot)


def write_boolean(value: Any) -> bytes:
    return bytes([ESCAPE, 1]) if value is None else b"\2\1\1" if value else b"\1\0"


def lob_writer(store: LobStore, is_temporary: bool = False) -> Writer:
    """A LOB in a row: length of the locator, length of the LOB, chunk size, locator."""

    def write(value: Any) -> bytes:
        if value is None:
            return NULL
        locator, stored = store.put(value.data if isinstance(value, Lob) else value, is_temporary)
        return ub(len(locator)) + ub(stored.length) + ub(CHUNK_SIZE) + sized(locator)

    return write


def zone_writer(zone: tzinfo) -> Writer:
    """TIMESTAMP WITH LOCAL TIME ZONE: shown in the zone of the session, without an offset."""

    def write(value: datetime) -> bytes:
        local = value.astimezone(zone).replace(tzinfo=None) if getattr(value, "tzinfo", None) else value
        return values.timestamp_out(local)

    return _or_null(write)


WRITERS: dict[int, Writer] = {
    VARCHAR: write_text,
    CHAR: write_text,
    NUMBER: write_number,
    INTEGER: write_number,
    LONG: write_long,
    LONG_RAW: write_long_raw,
    ROWID: write_rowid,
    RAW: lambda value: sized(_raw_of(value)) if value else NULL,
    DATE: _or_null(values.date_out),
    TIMESTAMP: _or_null(values.timestamp_out),
    TIMESTAMP_TZ: _or_null(values.timestamp_tz_out),
    INTERVAL_DS: _or_null(values.interval_ds_out),
    INTERVAL_YM: _or_null(values.interval_ym_out),
    BINARY_DOUBLE: _or_null(lambda value: values.double_out(float(value))),
    BINARY_FLOAT: _or_null(lambda value: values.float_out(float(value))),
    BOOLEAN: write_boolean,
}


def column_writer(number: int, store: LobStore, zone: tzinfo) -> Writer:
    """How a value of this type is written into a row. Raises OracleError 3115 for a type the simulator does not know."""
    if number in LOB_TYPES:
        return lob_writer(store)
    if number == TIMESTAMP_LTZ:
        return zone_writer(zone)
    if number not in WRITERS:
        raise OracleError(3115, f"unsupported network datatype or representation: {number}")
    return WRITERS[number]


def out_writer(number: int, store: LobStore, zone: tzinfo) -> Writer:
    """As `column_writer`, for the value of an OUT bind: rowids and LONG come as plain text or bytes there."""
    if number in (ROWID, UROWID, LONG):
        return write_text
    if number == LONG_RAW:
        return WRITERS[RAW]
    return lob_writer(store, is_temporary=True) if number in LOB_TYPES else column_writer(number, store, zone)


def read_bind(reader: Reader, bind: BindType, store: LobStore) -> Any:
    """One value of a bind as the Backend takes it."""
    if bind.number in LOB_TYPES:
        locator = reader.twice_sized()
        return store.get(locator).as_lob() if locator else None
    if bind.number == CURSOR:
        return reader.number() if reader.u8() else None
    if bind.number == BOOLEAN:
        return _read_boolean(reader)
    raw = reader.sized()
    if raw is None:
        return None
    try:
        return READERS[bind.number](raw) if bind.number in READERS else text_in(raw, bind.form)
    except BROKEN as error:
        raise Malformed(f"a bind of type {bind.number} with bytes that are none") from error


def _read_boolean(reader: Reader) -> bool | None:
    length = reader.u8()
    if length == ESCAPE:
        reader.u8()
        return None
    return bool(length) and reader.raw(length)[-1] == 1


def text_in(raw: bytes, form: int) -> str:
    """Text of a bind: UTF-8, or UTF-16 in the national character set. Raises Malformed for bytes that are no UTF-8."""
    return raw.decode("utf-16-be", errors="replace") if form == NATIONAL_FORM else decoded(raw)


READERS: dict[int, Callable[[bytes], int | float | date | timedelta | YearMonth | bytes | Any]] = {
    NUMBER: values.number_in,
    INTEGER: values.number_in,
    DATE: values.datetime_in,
    TIMESTAMP: values.datetime_in,
    TIMESTAMP_TZ: values.datetime_in,
    TIMESTAMP_LTZ: values.datetime_in,
    INTERVAL_DS: values.interval_ds_in,
    INTERVAL_YM: values.interval_ym_in,
    BINARY_DOUBLE: values.floating_in,
    BINARY_FLOAT: values.floating_in,
    RAW: bytes,
    LONG_RAW: bytes,
}

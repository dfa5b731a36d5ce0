"""What a client asks, parsed from the stream: EXECUTE with binds and their types, and the piggybacks before a request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.oracle.wire.columns import VARCHAR, BindType, read_bind
from sandbox.oracle.wire.cursors import Cursor, Kind
from sandbox.oracle.wire.lobs import LobStore
from sandbox.oracle.wire.messages import ROW_DATA
from sandbox.oracle.wire.ttc import Malformed, Reader, decoded

PARSE, BIND, DEFINE, EXECUTE, FETCH, COMMIT = 0x01, 0x08, 0x10, 0x20, 0x40, 0x100
DESCRIBE, BATCH_ERRORS = 0x20000, 0x80000
WANTS_ROW_COUNTS, SCROLLABLE = 0x4000, 0x02
IS_ARRAY = 0x40
LONGEST_STRING = 32767
MOST_BINDS, MOST_ROWS, MOST_CURSORS, MOST_ELEMENTS = 65535, 1 << 24, 1 << 20, 1 << 24
END_TO_END = ("client_identifier", "module", "action", "client_info", "dbop")


@dataclass
class ExecuteRequest:
    """A full EXECUTE. `rows_wanted`: rows to fetch with the answer; `executions`: rows of the array of binds."""

    options: int
    cursor: int
    sql: str | None
    rows_wanted: int
    bind_count: int
    define_count: int
    executions: int = 1
    flags: int = 0
    types: list[BindType] = field(default_factory=list)


def execute_request(reader: Reader) -> ExecuteRequest:
    """Reads up to the types of binds or defines, which are read here too; the rows of values come after them.

    Fields in order: options, cursor, statement (pointer, length), vector of 13, prefetch, longest LONG, binds (pointer,
    count), application context, defines (pointer, count), registration, object lists, row counts of an array, SQL
    signature and SQL ID (12.2), chunk ids (12.2.0.2); then the statement and the vector."""
    options, cursor = reader.number(), reader.number()
    has_sql = reader.u8()
    reader.skip("nbnbbn")
    rows_wanted = reader.count(1 << 32, "rows to prefetch")
    reader.skip("nb")
    bind_count = reader.count(MOST_BINDS, "binds")
    reader.skip("bbbbbb")
    define_count = reader.count(MOST_BINDS, "defines")
    reader.skip("nbbbnbnn" + "bnb" + "bnbnb" + "bn")
    sql = decoded(reader.sized()) if has_sql else None
    vector = [reader.number() for _ in range(13)]
    request = ExecuteRequest(options, cursor, sql, rows_wanted, bind_count, define_count, max(vector[1], 1), vector[9])
    if request.executions > MOST_ROWS:
        raise Malformed(f"an array of {request.executions} rows")
    request.types = [bind_type(reader) for _ in range(define_count or bind_count)]
    return request


def bind_type(reader: Reader) -> BindType:
    """One bind's description: type, flags, precision, scale, size, elements, prefetch, object type, character set."""
    number, flags = reader.u8(), reader.u8()
    reader.raw(2)
    size = reader.number()
    reader.skip("nnvnn")
    form = reader.u8()
    reader.skip("nn")
    return BindType(number or VARCHAR, size, bool(flags & IS_ARRAY), form)


def bind_rows(reader: Reader, cursor: Cursor, executions: int, lobs: LobStore) -> list[list[Any]]:
    """The rows of values, each after a ROW_DATA byte. Values longer than a string may be come last in their row, except
    in PL/SQL; binds after RETURNING INTO have no value."""
    sent = [place for place in range(len(cursor.binds)) if place not in cursor.returned]
    if not sent:
        return [[None] * len(cursor.binds)] * executions
    is_long = [cursor.kind is not Kind.PLSQL and not bind.is_array and bind.size > LONGEST_STRING for bind in cursor.binds]
    order = sorted(sent, key=lambda place: is_long[place])
    return [_bind_row(reader, cursor.binds, order, lobs) for _ in range(executions)]


def _bind_row(reader: Reader, binds: list[BindType], order: list[int], lobs: LobStore) -> list[Any]:
    if reader.u8() != ROW_DATA:
        raise Malformed("no row of binds where one must be")
    row: list[Any] = [None] * len(binds)
    for place in order:
        bind = binds[place]
        if bind.is_array:
            row[place] = [read_bind(reader, bind, lobs) for _ in range(reader.count(MOST_ELEMENTS, "elements"))]
        else:
            row[place] = read_bind(reader, bind, lobs)
    return row


def end_to_end(reader: Reader) -> dict[str, str]:
    """Client identifier, module, action, client info and operation, as far as they were set; '' for one taken away."""
    reader.skip("bbn")
    lengths: dict[str, int] = {}
    for name, after in zip(END_TO_END, ("", "", "bnbn", "bnbn", ""), strict=True):
        is_set, length = reader.u8(), reader.number()
        lengths |= {name: length} if is_set else {}
        reader.skip(after)
    return {name: decoded(reader.sized()) if length else "" for name, length in lengths.items()}


def cursors_to_close(reader: Reader) -> list[int]:
    reader.u8()
    return [reader.number() for _ in range(reader.count(MOST_CURSORS, "cursors"))]


def application_context(reader: Reader) -> None:
    """Keys and values of a context namespace; read past, nothing here looks at them."""
    reader.skip("bnb")
    pairs = reader.count(MOST_BINDS, "context values")
    reader.skip("nb")
    reader.sized()
    for _ in range(pairs):
        reader.skip("vvn")


@dataclass(frozen=True)
class LobRequest:
    """An operation on a LOB. `amount` is 0 where none was sent; `data` is what to write."""

    operation: int
    locator: bytes
    offset: int
    kind: int
    amount: int
    sends_amount: bool
    data: bytes


def lob_request(reader: Reader) -> LobRequest:
    """Reads a LOB operation; for CREATE_TEMP `offset` is the character form and `kind` the type number."""
    reader.u8()
    locator_bytes = reader.count(1024, "bytes of a locator")
    reader.skip("bnnnbbb")
    operation = reader.number()
    reader.raw(2)
    offset, kind, sends_amount = reader.number(), reader.number(), bool(reader.u8())
    reader.raw(6)
    locator, data = reader.raw(locator_bytes), b""
    if operation == 0x0110:
        reader.number()
    if operation == 0x0040:
        if reader.u8() != 14:
            raise Malformed("no data where a LOB is written")
        data = reader.sized() or b""
    return LobRequest(operation, locator, offset, kind, reader.number() if sends_amount else 0, sends_amount, data)


def lobs_to_free(reader: Reader, locator_bytes: int) -> list[bytes]:
    """The piggyback that frees temporary LOBs: locators one after another. Raises Malformed for any other operation."""
    reader.u8()
    total = reader.count(1 << 26, "bytes of locators")
    reader.skip("bnnnbbbnbnnnb" + "bnbnbn")
    return [reader.raw(locator_bytes) for _ in range(total // locator_bytes)]

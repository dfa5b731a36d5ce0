"""Direct path load: three functions of TTC. PREPARE names table and columns, LOAD_STREAM brings rows, OP ends the load.

FINISH stores and commits the rows, ABORT forgets them (OCI Programmer's Guide, chapter "Direct Path Load Interface"). A row
comes as one or more pieces, each of up to 255 segments; a value longer than a piece goes on in the next one. The rows are
kept until FINISH and then go into the table by ordinary inserts: the simulator has no blocks written past the buffer cache
here, only the result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sandbox.oracle.backend import Backend, Bind, Column, OracleError, OraType
from sandbox.oracle.wire import columns, messages
from sandbox.oracle.wire.columns import NATIONAL_FORM, NUMBER_OF, READERS
from sandbox.oracle.wire.ttc import CHUNKED, NULL_LENGTH, Malformed, Reader, decoded, ub

PREPARE, LOAD_STREAM, OPERATION = 128, 129, 130
ABORT, FINISH = 1, 2
TABLE, SCHEMA, COLUMN = 1, 3, 4
FAST_ROW, FIRST, LAST, GOES_ON, GOES_ON_FROM_BEFORE = 0x20, 0x08, 0x04, 0x01, 0x02
CURSOR_PLACE, MOST_NAMES, MOST_LOAD_BYTES = 3, 4096, 1 << 30
PLAIN = re.compile(r"[A-Za-z][\w$#]*\Z", re.ASCII)


def as_name(name: str) -> str:
    """A name as a statement holds it: plain ones without quotes, as the client meant them."""
    return name if PLAIN.match(name) else '"' + name.replace('"', '""') + '"'


@dataclass
class Load:
    """One load: where to, the columns, and the rows that came so far."""

    table: str
    columns: Sequence[Column]
    names: list[str]
    rows: list[list[Any]] = field(default_factory=list)


@dataclass
class DirectPath:
    """The loads of one session by number. `run` makes a call on the backend and tells what fails as an OracleError."""

    backend: Backend
    run: Callable[[Callable[[], Any]], Any]
    loads: dict[int, Load] = field(default_factory=dict)
    numbers: count[int] = field(default_factory=lambda: count(1))

    def read(self, function: int, reader: Reader) -> Callable[[], bytes]:
        """Reads one of the three requests; gives what is to be done."""
        return {PREPARE: self._read_prepare, LOAD_STREAM: self._read_stream, OPERATION: self._read_operation}[function](reader)

    def _read_prepare(self, reader: Reader) -> Callable[[], bytes]:
        reader.skip("nb")
        keywords = reader.count(MOST_NAMES, "names")
        reader.u8()
        values = reader.count(MOST_NAMES, "values")
        reader.raw(6)
        named: dict[int, list[str]] = {}
        for _ in range(keywords):
            reader.skip("nn")
            name = decoded(reader.sized())
            named.setdefault(reader.number(), []).append(name)
        reader.skip("n" * values)
        if not all(key in named for key in (TABLE, SCHEMA, COLUMN)):
            raise Malformed("a direct path load without table, schema or columns")
        return lambda: self._prepared(f"{as_name(named[SCHEMA][0])}.{as_name(named[TABLE][0])}", named[COLUMN])

    def _prepared(self, table: str, names: list[str]) -> bytes:
        listed = ", ".join(as_name(name) for name in names)
        found = self.run(lambda: self.backend.describe(f"select {listed} from {table}"))
        if not found:
            raise OracleError(942, "table or view does not exist")
        number = next(self.numbers)
        self.loads[number] = Load(table, found, names)
        described = b"".join(columns.describe_column(column, place) for place, column in enumerate(found, 1))
        outputs = b"".join(ub(number if place == CURSOR_PLACE else 0) for place in range(CURSOR_PLACE + 1))
        return bytes([messages.PARAMETER]) + ub(len(found)) + described + ub(0) + ub(CURSOR_PLACE + 1) + outputs + self._done()

    def _done(self) -> bytes:
        return messages.status(messages.IN_TRANSACTION if self.backend.in_transaction else 0)

    def _load(self, number: int) -> Load:
        if number not in self.loads:
            raise OracleError(1001, "invalid cursor")
        return self.loads[number]

    def _read_stream(self, reader: Reader) -> Callable[[], bytes]:
        load = self._load(reader.number())
        reader.u8()
        size = reader.count(MOST_LOAD_BYTES, "bytes to load")
        reader.skip("nbnbb")
        load.rows += rows_of_pieces(reader.raw(size), load.columns)
        return lambda: bytes([messages.PARAMETER]) + ub(0) + self._done()

    def _read_operation(self, reader: Reader) -> Callable[[], bytes]:
        operation, number = reader.number(), reader.number()
        reader.skip("bnbb")
        return lambda: self._ended(self.loads.pop(number, None), operation)

    def _ended(self, load: Load | None, operation: int) -> bytes:
        if load and operation == FINISH:
            self.run(lambda: self._store(load))
        return bytes([messages.PARAMETER]) + ub(0) + self._done()

    def _store(self, load: Load) -> None:
        listed = ", ".join(as_name(name) for name in load.names)
        places = ", ".join(f":{place}" for place in range(1, len(load.names) + 1))
        statement = f"insert /*+ append */ into {load.table} ({listed}) values ({places})"
        try:
            for row in load.rows:
                binds = [Bind(column.type, value, column.size) for column, value in zip(load.columns, row, strict=True)]
                self.backend.execute(statement, binds)
        except OracleError:
            self.backend.rollback()
            raise
        self.backend.commit()


def rows_of_pieces(data: bytes, described: Sequence[Column]) -> list[list[Any]]:
    """The rows of one stream. Raises Malformed where the pieces do not add up to rows of these columns."""
    reader, rows, row = Reader(data, _no_more), [], []
    goes_on = False
    while reader.position < len(data):
        flags = reader.u8()
        if flags & FAST_ROW:
            reader.u16()
        if flags & FIRST:
            row = []
        for place in range(reader.u8()):
            segment = _segment(reader)
            if place == 0 and goes_on and flags & GOES_ON_FROM_BEFORE:
                row[-1] = (row[-1] or b"") + (segment or b"")
            else:
                row.append(segment)
        goes_on = bool(flags & GOES_ON)
        if flags & LAST:
            if len(row) != len(described):
                raise Malformed(f"a row of {len(row)} values for {len(described)} columns")
            rows.append([_value(column.type, raw) for column, raw in zip(described, row, strict=True)])
    return rows


def _no_more() -> bytes:
    raise Malformed("a piece that is cut off")


def _segment(reader: Reader) -> bytes | None:
    length = reader.u8()
    if length in (0, NULL_LENGTH):
        return None
    return reader.raw(reader.u16() if length == CHUNKED else length)


def _value(kind: OraType, raw: bytes | None) -> Any:
    """A value as the Backend takes it; a CLOB comes in the national character set, UTF-16."""
    if raw is None:
        return None
    number = NUMBER_OF[kind]
    try:
        if number in READERS:
            return READERS[number](raw)
        return raw if kind is OraType.BLOB else columns.text_in(raw, NATIONAL_FORM if kind is OraType.CLOB else 1)
    except columns.BROKEN as error:
        raise Malformed(f"a value of {kind.value} with bytes that are none") from error

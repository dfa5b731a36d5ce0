"""A small backend for tests of the wire: statements with a name, no SQL engine. What a statement does stands in `toy`."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from sandbox.oracle.backend import Bind, Column, Lob, OracleError, OraType, Result, SessionEnded, YearMonth

N, V = OraType.NUMBER, OraType.VARCHAR2
EAST = timezone(timedelta(hours=8))
ROWS = [("一", 1), ("two", None), ("", 3)]
BIG_TEXT = "长文😀" * 20_000
BIG_BYTES = bytes(range(256)) * 300
ALL_TYPES: list[tuple[str, OraType, Any]] = [
    ("V", V, "naïve 中文 😀"),
    ("C", OraType.CHAR, "ab  "),
    ("N38", N, Decimal("12345678901234567890123456789012345678")),
    ("NEG", N, Decimal("-0.000123")),
    ("NBIG", N, Decimal("1E+125")),
    ("D", OraType.DATE, datetime(2026, 11, 22, 13, 14, 15)),
    ("OLD", OraType.DATE, datetime(1, 1, 1)),
    ("TS", OraType.TIMESTAMP, datetime(1999, 12, 31, 23, 59, 59, 123456)),
    ("TZ", OraType.TIMESTAMP_TZ, datetime(2026, 1, 1, 8, 0, 0, 1, tzinfo=EAST)),
    ("LTZ", OraType.TIMESTAMP_LTZ, datetime(2026, 1, 1, 0, 0, tzinfo=UTC)),
    ("DS", OraType.INTERVAL_DS, timedelta(days=-3, hours=-4, minutes=-5, seconds=-6, microseconds=-7)),
    ("YM", OraType.INTERVAL_YM, YearMonth(-3, -4)),
    ("R", OraType.RAW, b"\x00\xff" * 200),
    ("L", OraType.LONG, "x" * 70_000),
    ("RID", OraType.ROWID, "AAAR3sAAEAAAACXAAA"),
    ("BF", OraType.BINARY_FLOAT, 1.5),
    ("BD", OraType.BINARY_DOUBLE, -1e300),
]
LOADED: list[tuple[str, OraType, Any]] = [
    ("ID", N, 7),
    ("NAME", V, "中文"),
    ("D", OraType.DATE, datetime(2026, 1, 2, 3, 4, 5)),
    ("R", OraType.RAW, b"\0\1" * 500),
    ("C", OraType.CLOB, "长😀" * 60_000),
    ("B", OraType.BLOB, bytes(range(256)) * 700),
    ("N", N, None),
]


@dataclass
class ToyAccounts:
    """One service, a few users; keeps what the wire told it."""

    passwords: dict[str, str] = field(default_factory=lambda: {"SCOTT": "tiger:'中", "Lower": "x"})
    clients: list[dict[str, str]] = field(default_factory=list)
    backends: list[Toy] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def password_of(self, user: str) -> str | None:
        if user == "LOCKED":
            raise OracleError(28000, "The account is locked.")
        return self.passwords.get(user)

    def service_exists(self, service: str) -> bool:
        return service.lower() in ("toy", "toysid")

    def open_session(self, user: str, service: str, client: dict[str, str]) -> tuple[Toy, int, int]:
        with self.lock:
            self.clients.append({**client, "user": user, "service": service})
            self.backends.append(Toy(self))
            return self.backends[-1], 100 + len(self.backends), 7


class Toy:
    """Backend by name of the statement; `table` is one column of numbers that are unique, with rollback."""

    def __init__(self, accounts: ToyAccounts) -> None:
        self.accounts, self.attributes, self.in_transaction = accounts, {}, False
        self.table: dict[Any, None] = {}
        self.committed: dict[Any, None] = {}
        self.seen: list[tuple[str, list[Any]]] = []
        self.stop, self.is_closed, self.is_killed, self.executing = threading.Event(), False, False, threading.Event()
        self.thousand = threading.Event()

    def describe(self, sql: str) -> Sequence[Column] | None:
        if "from toy." in sql:
            return [Column(name, kind) for name, kind, _ in LOADED] if "loaded" in sql else None
        return [Column("A", V, 30), Column("B", N, precision=10, scale=2, nullable=False)] if sql.startswith("select") else None

    def execute(self, sql: str, binds: Sequence[Bind]) -> Result:
        if self.is_killed:
            raise SessionEnded
        self.stop.clear()
        self.seen.append((sql, list(binds)))
        for pattern, answer in ANSWERS:
            found = pattern.match(sql)
            if found:
                return answer(self, binds, *found.groups())
        raise OracleError(942, "table or view does not exist", 14)

    def insert(self, value: Any) -> Result:
        if value in self.table:
            raise OracleError(1, "unique constraint (TOY.PK) violated")
        if isinstance(value, int) and value < 0:
            raise OracleError(2290, "check constraint (TOY.CK) violated")
        self.table[value] = None
        if len(self.table) == 1000:
            self.thousand.set()
        self.in_transaction = True
        return Result(rowcount=1)

    def sleep(self, seconds: float) -> Result:
        self.executing.set()
        if self.stop.wait(seconds):
            raise OracleError(1013, "user requested cancel of current operation")
        return Result([Column("A", N)], [(1,)])

    def commit(self) -> None:
        self.committed, self.in_transaction = dict(self.table), False

    def rollback(self) -> None:
        self.table, self.in_transaction = dict(self.committed), False

    def cancel(self) -> None:
        self.stop.set()

    def close(self) -> None:
        self.is_closed = True


def echo(_: Toy, binds: Sequence[Bind]) -> Result:
    """One row with every bind's value, of the bind's type."""
    return Result([Column(f"C{i}", b.type, max(b.size, 1)) for i, b in enumerate(binds)], [tuple(b.value for b in binds)])


def kill(toy: Toy, _: Sequence[Bind], place: str) -> Result:
    toy.accounts.backends[int(place)].is_killed = True
    return Result()


def many(toy: Toy, _: Sequence[Bind], count: str) -> Result:
    def rows() -> Iterator[tuple[int, str]]:
        for number in range(int(count)):
            if number == 1000:
                toy.thousand.set()
            yield number, f"name {number}"

    return Result([Column("ID", N), Column("NAME", V, 40)], rows())


def money(_: Toy, __: Sequence[Bind], count: str) -> Result:
    return Result([Column("SUM", N, precision=12, scale=2)], [(Decimal(i) / 100,) for i in range(int(count))])


def typed(_: Toy, __: Sequence[Bind]) -> Result:
    columns = [Column(name, kind) for name, kind, _ in ALL_TYPES]
    return Result(columns, [tuple(value for _, _, value in ALL_TYPES), (None,) * len(columns)])


def lobs(_: Toy, __: Sequence[Bind]) -> Result:
    columns = [Column("ID", N), Column("C", OraType.CLOB), Column("B", OraType.BLOB)]
    return Result(columns, [(1, Lob(BIG_TEXT), Lob(BIG_BYTES)), (2, None, None), (3, Lob("short"), Lob(b"\1\2"))])


def cursors(_: Toy, __: Sequence[Bind]) -> Result:
    inner = Result([Column("ID", N), Column("T", V, 20)], [(i, f"row {i}") for i in range(250)])
    return Result(outs={0: inner})


def boom(_: Toy, __: Sequence[Bind]) -> Result:
    raise KeyError("a defect")


def fail_late(_: Toy, __: Sequence[Bind]) -> Result:
    def rows() -> Any:
        yield from ((i,) for i in range(500))
        raise OracleError(1555, "snapshot too old")

    return Result([Column("ID", N)], rows())


Answer = Callable[..., Result]
NAMED: list[tuple[str, Answer]] = [
    (r"select echo", echo),
    (r"select \* from rows", lambda toy, b: Result([Column("A", V, 30), Column("B", N)], ROWS)),
    (r"select many (\d+)", many),
    (r"select money (\d+)", money),
    (r"select types", typed),
    (r"select lobs", lobs),
    (r"select late", fail_late),
    (r"select boom", boom),
    (r"select sleep ([\d.]+)", lambda toy, b, s: toy.sleep(float(s))),
    (r"select table", lambda toy, b: Result([Column("ID", N)], [(v,) for v in toy.table])),
    (r"select dead", lambda toy, b: (_ for _ in ()).throw(SessionEnded())),
    (r"insert /\*\+ append \*/ into toy\.", lambda toy, b: toy.insert(b[0].value)),
    (r"insert into t .*returning", lambda toy, b: (toy.insert(b[0].value), Result(rowcount=1, outs={1: [b[0].value * 2]}))[1]),
    (r"insert into t", lambda toy, b: toy.insert(b[0].value)),
    (r"insert /\*\+ append \*/ into t ", lambda toy, b: Result(rowcount=1)),
    (r"update t .*returning", lambda toy, b: Result(rowcount=2, outs={1: [1, 2], 2: ["a", None]})),
    (r"update t", lambda toy, b: Result(rowcount=len(toy.table))),
    (r"alter session", lambda toy, b: Result()),
    (r"create table", lambda toy, b: Result()),
    (r"begin kill (\d+)", kill),
    (r"begin double", lambda toy, b: Result(outs={1: b[0].value * 2, 2: f"<{b[2].value}>"})),
    (r"begin null", lambda toy, b: Result()),
    (r"begin :\w+ := plus", lambda toy, b: Result(outs={0: b[1].value + b[2].value})),
    (r"begin inc\(", lambda toy, b: Result(outs={1: b[0].value + 1})),
    (r"begin get_lines", lambda toy, b: Result(outs={0: ["one", None, "三"], 1: 3})),
    (r"begin takes", lambda toy, b: Result(outs={1: sum(b[0].value)})),
    (r"begin length", lambda toy, b: Result(outs={1: len(b[0].value.data)})),
    (r"begin open", cursors),
    (r"begin big", lambda toy, b: Result(outs={0: Lob(BIG_TEXT)})),
    (r"begin long text", lambda toy, b: Result(outs={0: "x" * 100})),
]
ANSWERS = [(re.compile(pattern, re.DOTALL | re.IGNORECASE), answer) for pattern, answer in NAMED]

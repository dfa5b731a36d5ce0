"""The Oracle engine against the bare driver, and what the judgement of Oracle catalogues costs.

    python -m bench oracle_engine [--small]

Both sides ask the same statements with the same settings (rows of one round trip, exact numbers, timeout), over TCP, of
the simulator's wire with constant answers (`bench.oracle_server`, a process of its own). The engine gives rows by name
and checks before each question that the target may be asked it; python-oracledb gives tuples. "The client alone" is a
server that wrote its rows before the turn and costs next to nothing, as no server does: what a dict costs over a tuple
shows there undiluted. The catalogues stand in `bench.oracle_catalogues`.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import oracledb
import pyarrow as pa

from bench import oracle_catalogues
from bench.measures import Line, take_turns, tell, timed
from bench.oracle_server import BULK, NUMBERS, PASSWORD, QUESTION, ROWS, SERVICE, USER
from drydock import settings
from drydock.engines.oracle import (
    ARRAY_ROWS,
    FIRST_ROWS,
    OracleEndpoint,
    OracleSession,
    RunIdentity,
    SessionLimits,
    fetch_batches,
    fetch_rows,
    open_session,
)
from drydock.engines.oracle_frames import fetch_frame

LEAST_SPEED = 0.9  # of the bare driver's
LARGEST_RATIO = round(1 / LEAST_SPEED, 2)  # the same as a ratio of times
QUESTIONS_AT_ONCE = 25
ROUNDS, SMALL = 41, 15  # short ones: what else the machine does then falls on both sides
BATCH_ROWS = 10_000
Pair = tuple[Callable[[], Any], Callable[[], Any]]
DECLARED = replace(BULK, statement=NUMBERS, columns=dict.fromkeys(("t", "c", "b"), "it"))


def measure(small: bool) -> list[Line]:
    """The engine on the wire, then the catalogues."""
    return [*_wire_lines(SMALL if small else ROUNDS), *oracle_catalogues.measure(small)]


@contextmanager
def _server(*options: str) -> Iterator[OracleEndpoint]:
    env = os.environ | {"PYTHONPATH": f"{settings.home()}:{settings.home() / 'plugins'}"}
    command = [sys.executable, "-m", "bench.oracle_server", *options]
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield OracleEndpoint("127.0.0.1", int(process.stdout.readline()), SERVICE, USER, PASSWORD)
        process.stdin.close()  # ends it


@contextmanager
def _sides(*options: str) -> Iterator[tuple[OracleSession, _Bare]]:
    """The engine's session and the bare driver's, on one server."""
    with _server(*options) as endpoint, open_session(endpoint.connect, RunIdentity("bench", "bench")) as session:
        with endpoint.connect() as connection:
            connection.call_timeout = round(SessionLimits().call_timeout_s * 1000)
            yield session, _Bare(connection)


def _wire_lines(rounds: int) -> Iterator[Line]:
    few = max(5, rounds // 3)
    tell("oracle_engine: the engine and the bare driver, in turns")
    with _sides() as sides:
        yield _line("one question of one row", "round trips/s", QUESTIONS_AT_ONCE, 10 * rounds, _one(*sides))
        yield _line(f"fetch_rows, {ROWS} rows of 9 columns", "rows/s", ROWS, few, _all(*sides))
        yield _line(f"fetch_batches, {ROWS} rows", "rows/s", ROWS, few, _batches(*sides))
        yield _line(f"Arrow frame, {ROWS} rows, numbers without precision", "rows/s", ROWS, few, _exact(*sides))
    with _sides("kept") as sides:
        yield _line(f"fetch_rows, {ROWS} rows, the client alone", "rows/s", ROWS, rounds, _all(*sides), None)
        yield _line(f"fetch_batches, {ROWS} rows, the client alone", "rows/s", ROWS, rounds, _batches(*sides), None)
        yield _line(f"Arrow frame, {ROWS} rows, the client alone", "rows/s", ROWS, rounds, _frame(*sides))


def _line(what: str, unit: str, count: int, rounds: int, pair: Pair, limit: float | None = LARGEST_RATIO) -> Line:
    ours, bare = pair
    if ours() != bare():  # the first time also fills the caches of driver and server
        raise RuntimeError(f"{what}: the engine and the bare driver do not read the same")
    ours_s, bare_s = (statistics.median(s) for s in take_turns(rounds, lambda: timed(ours), lambda: timed(bare)))
    told = f"{count / ours_s:,.0f} {unit}", f"python-oracledb alone {count / bare_s:,.0f}"
    return Line(what, *told, ours_s / bare_s, "x the time", rounds, limit)


class _Bare:
    """python-oracledb alone, asked as the engine asks it."""

    def __init__(self, connection: oracledb.Connection) -> None:
        self.connection = connection

    @contextmanager
    def asked(self, statement: str, array_rows: int) -> Iterator[oracledb.Cursor]:
        with self.connection.cursor() as cursor:
            cursor.arraysize, cursor.prefetchrows = array_rows, FIRST_ROWS + 1
            cursor.execute(statement, fetch_lobs=False, fetch_decimals=True)
            yield cursor

    def one(self) -> list[tuple[Any, ...]]:
        """As short as it can be written: `asked` would cost it a microsecond."""
        with self.connection.cursor() as cursor:
            cursor.arraysize, cursor.prefetchrows = FIRST_ROWS, FIRST_ROWS + 1
            cursor.execute(QUESTION.statement, fetch_lobs=False, fetch_decimals=True)
            return cursor.fetchall()

    def batches(self) -> Iterator[list[tuple[Any, ...]]]:
        with self.asked(BULK.statement, ARRAY_ROWS) as cursor:
            while batch := cursor.fetchmany(BATCH_ROWS):
                yield batch

    def columns(self) -> pa.Table:
        """Exact numbers without a declared precision, the way that is left to Arrow: rows, turned."""
        columns: list[list[Any]] = [[] for _ in BULK.columns]
        for batch in self.batches():
            for column, values in zip(columns, zip(*batch, strict=True), strict=True):
                column.extend(values)
        return pa.table({name: pa.array(values) for name, values in zip(BULK.columns, columns, strict=True)})


def _one(session: OracleSession, bare: _Bare) -> Pair:
    def ours() -> int:
        return sum(len(fetch_rows(session, QUESTION)) for _ in range(QUESTIONS_AT_ONCE))

    def alone() -> int:
        return sum(len(bare.one()) for _ in range(QUESTIONS_AT_ONCE))

    return ours, alone


def _all(session: OracleSession, bare: _Bare) -> Pair:
    def alone() -> int:
        with bare.asked(BULK.statement, ARRAY_ROWS) as cursor:
            return len(cursor.fetchall())

    return lambda: len(fetch_rows(session, BULK)), alone


def _batches(session: OracleSession, bare: _Bare) -> Pair:
    return (
        lambda: [len(batch) for batch in fetch_batches(session, BULK, rows=BATCH_ROWS)],
        lambda: [len(batch) for batch in bare.batches()],
    )


def _frame(session: OracleSession, bare: _Bare) -> Pair:
    def alone() -> pa.Table:
        table = pa.table(bare.connection.fetch_df_all(NUMBERS, fetch_decimals=True))
        return table.rename_columns([name.lower() for name in table.column_names])

    return lambda: fetch_frame(session, DECLARED), alone


def _exact(session: OracleSession, bare: _Bare) -> Pair:
    return lambda: fetch_frame(session, BULK), bare.columns

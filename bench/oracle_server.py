"""The listener of `bench.oracle_engine`, in a process of its own: the simulator's wire with constant answers.

    python -m bench.oracle_server [kept]     tells its port on standard output and serves until its standard input ends

No SQL engine stands behind it: the server is to cost little, or the time of both clients would be its own. With `kept` it
even writes a page of rows once and sends the same bytes ever after, so that what is measured is the client alone.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from drydock.sqlfiles import sql_file
from sandbox.oracle.backend import Bind, Column, OraType, Result
from sandbox.oracle.server import OracleServer
from sandbox.oracle.wire import session
from sandbox.oracle.wire.calls import Calls
from sandbox.oracle.wire.cursors import Cursor

USER, PASSWORD, SERVICE = "BENCH", "Bench-1", "bench"
ROWS = 20_000
QUESTION = sql_file("oracle", "session", "instance")  # one row
BULK = sql_file("oracle", "backup", "archived_logs")  # the longest answer of a survey
NUMBERS = "SELECT thread#, first_change#, blocks FROM v$archived_log"  # the bare driver asks it; see bench.oracle_engine
NUMBER, TEXT, DATE = OraType.NUMBER, OraType.VARCHAR2, OraType.DATE
BEGIN = datetime(2026, 11, 1)


def question() -> Result:
    kinds = {"instance": NUMBER, "started_at": DATE}
    columns = [Column(name.upper(), kinds.get(name, TEXT), 64) for name in QUESTION.columns]
    return Result(columns, [(1, "GZMAIN1", "19.0.0.0.0", "OPEN", BEGIN)])


def bulk() -> Result:
    """Archived logs; as in V$ARCHIVED_LOG no NUMBER tells its precision."""
    columns = [Column(name.upper(), DATE if name.endswith("_at") else NUMBER) for name in BULK.columns]
    return Result(columns, [_log(n) for n in range(ROWS)])


def _log(number: int) -> tuple[Any, ...]:
    at, scn = BEGIN + timedelta(seconds=90 * number), 10**10 + 70_001 * number
    return 1 + number % 4, 1_920_977, 4_711 + number, scn, scn + 70_001, at, at + timedelta(seconds=90), 209_715_200, number % 2


def numbers() -> Result:
    """The same figures where the precision of each NUMBER is declared, so that Arrow can hold them as decimals."""
    columns = [Column(name, NUMBER, precision=precision, scale=0) for name, precision in (("T", 4), ("C", 16), ("B", 18))]
    return Result(columns, [(row[0], row[3], row[7]) for row in map(_log, range(ROWS))])


class Constant:
    """A session (contract: sandbox.oracle.backend.Backend) that knows its answers by heart."""

    answers = {QUESTION.statement: question(), BULK.statement: bulk(), NUMBERS: numbers()}

    def __init__(self) -> None:
        self.attributes: dict[str, str] = {}
        self.in_transaction = False

    def describe(self, sql: str) -> Sequence[Column] | None:
        return self.answers[sql.strip()].columns

    def execute(self, sql: str, binds: Sequence[Bind]) -> Result:
        return self.answers.get(sql) or Result()  # else ALTER SESSION

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def cancel(self) -> None: ...

    def close(self) -> None: ...


class ConstantAccounts:
    """One user (contract: sandbox.oracle.backend.Accounts)."""

    def password_of(self, user: str) -> str | None:
        return PASSWORD if user == USER else None

    def service_exists(self, service: str) -> bool:
        return service == SERVICE

    def open_session(self, user: str, service: str, client: dict[str, str]) -> tuple[Constant, int, int]:
        return Constant(), 41, 1041


class PageCalls(Calls):
    """Writes each page of rows once, whoever asks for it."""

    pages: dict[tuple[str, int, int], tuple[bytes, int]] = {}

    def _written_rows(self, cursor: Cursor, wanted: int) -> tuple[bytes, int]:
        page = cursor.sql, cursor.fetched, wanted
        if page not in self.pages:
            cursor.rows = islice(Constant.answers[cursor.sql].rows, cursor.fetched, None)
            self.pages[page] = super()._written_rows(cursor, wanted)
        return self.pages[page]


def main(is_kept: bool) -> None:
    if is_kept:
        session.Calls = PageCalls
    with OracleServer(ConstantAccounts()) as server:
        print(server.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main("kept" in sys.argv[1:])

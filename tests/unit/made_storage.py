"""How tests ask a simulated database about its storage, and small things they plant."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.oracle.backend import OracleError, OraType
from sandbox.oracle.model import making
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.segments import Segment
from sandbox.oracle.model.storage import Storage, storage_of
from sandbox.oracle.model.stored import StoredTable
from sandbox.oracle.model.tables import TableColumn, UniqueKey, tables_of
from sandbox.oracle.sessions import DatabaseAccounts, SqlBackend

COLUMNS = (
    TableColumn("ID", OraType.NUMBER, precision=18, scale=0),
    TableColumn("D", OraType.DATE),
    TableColumn("NAME", OraType.VARCHAR2, 200, comment="名称"),
)


ROWS = 60_000


def logged_on(database: OracleDatabase, user: str = "MAINT") -> SqlBackend:
    accounts = database.parts.setdefault("accounts of the test", DatabaseAccounts(database))
    return accounts.open_session(user, database.service, {})[0]


def rows(backend: SqlBackend, sql: str) -> list[tuple[Any, ...]]:
    return list(backend.execute(sql, []).rows)


def one(backend: SqlBackend, sql: str) -> Any:
    [[value]] = rows(backend, sql)
    return value


def run(backend: SqlBackend, *statements: str) -> None:
    for sql in statements:
        backend.execute(sql, [])


def code_of(backend: SqlBackend, sql: str) -> int:
    with pytest.raises(OracleError) as refused:
        backend.execute(sql, [])
    return refused.value.code


def segment_of(table: StoredTable, piece: str = "") -> Segment:
    return making.leaf_of(table, piece).segment


def in_thread(action: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Runs beside the test; what it gave, or the error it raised."""
    result: list[Any] = []

    def work() -> None:
        try:
            result.append(action())
        except OracleError as error:
            result.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread, result


def until(condition: Callable[[], Any], seconds: float = 60.0) -> None:
    ends_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends_at, "waited in vain"
        time.sleep(0.005)


def drop_index(table: StoredTable, kind: str, **more: Any) -> Callable[[Storage], None]:
    return lambda storage: making.add_index(storage, table, "ODD", ["UPPER(NAME)"], kind=kind, **more)


def usable(table: StoredTable) -> dict[str, bool]:
    return {f"{i.name} {p.name}".strip(): p.is_usable for i in table.indexes for p in i.pieces}


def real_table(database: OracleDatabase) -> StoredTable:
    """R: a user table whose rows are really there."""
    tables_of(database).create("APP", "R", COLUMNS, keys=(UniqueKey("R_PK", ("ID",), True),)).plant(
        [(n, None, f"row {n}" + "x" * 100) for n in range(500)]
    )
    return storage_of(database).table("APP", "R")

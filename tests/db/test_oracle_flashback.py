"""Flashback queries and ranges of ROWID on the simulator, through the real driver: what a copy of one SCN stands on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import oracledb
import pytest

from sandbox.oracle import worlds
from sandbox.oracle.backend import OraType
from sandbox.oracle.model.database import Account, OracleDatabase
from sandbox.oracle.model.real_rows import adopt_tables
from sandbox.oracle.model.storage import storage_of
from sandbox.oracle.model.tables import Table, TableColumn, tables_of
from sandbox.oracle.server import OracleServer
from sandbox.oracle.sessions import DatabaseAccounts

AT_SCN = "SELECT a, b FROM app.t AS OF SCN :scn ORDER BY a"


@pytest.fixture
def simulated() -> OracleDatabase:
    database = worlds.plain(3)
    database.accounts["APP"] = Account("APP", "pass", {"CREATE SESSION", "SELECT ON SYS.V_$DATABASE"})
    database.accounts["READER"] = Account("READER", "pass", {"CREATE SESSION", "SELECT ON APP.T"})
    table = tables_of(database).create(
        "APP", "T", [TableColumn("A", OraType.NUMBER), TableColumn("B", OraType.VARCHAR2, size=20)]
    )
    table.plant([(n, f"row {n}") for n in range(300)])
    adopt_tables(storage_of(database))
    return database


@pytest.fixture
def server(simulated: OracleDatabase) -> Iterator[OracleServer]:
    with OracleServer(DatabaseAccounts(simulated)) as running:
        yield running


def log_on(simulated: OracleDatabase, server: OracleServer, user: str = "APP") -> oracledb.Connection:
    return oracledb.connect(user=user, password="pass", dsn=f"127.0.0.1:{server.port}/{simulated.service}")


def scn_of(connection: oracledb.Connection) -> int:
    return int(connection.cursor().execute("SELECT current_scn FROM v$database").fetchone()[0])


def test_rows_as_they_were(simulated: OracleDatabase, server: OracleServer) -> None:
    with log_on(simulated, server) as connection:
        cursor = connection.cursor()
        first = scn_of(connection)
        before = cursor.execute(AT_SCN, scn=first).fetchall()
        cursor.execute("UPDATE app.t SET b = 'changed' WHERE a < 10")
        cursor.execute("DELETE FROM app.t WHERE a >= 290")
        cursor.execute("INSERT INTO app.t (a, b) VALUES (1000, 'new')")
        assert cursor.execute(AT_SCN, scn=scn_of(connection)).fetchall() == before, "not committed yet"
        connection.commit()
        second = scn_of(connection)
        assert second > first
        cursor.execute("DELETE FROM app.t")
        connection.commit()
        assert cursor.execute(AT_SCN, scn=first).fetchall() == before
        then = cursor.execute(AT_SCN, scn=second).fetchall()
        assert len(then) == 291 and then[0] == (0, "changed") and then[-1] == (1000, "new")
        assert cursor.execute("SELECT count(*) FROM app.t").fetchone() == (0,)


def test_what_the_undo_no_longer_holds(simulated: OracleDatabase, server: OracleServer) -> None:
    with log_on(simulated, server) as connection:
        scn = scn_of(connection)
        undo = storage_of(simulated).undo
        assert undo is not None
        undo.active_blocks = undo.space.blocks
        simulated.clock.advance(timedelta(seconds=undo.tuned_retention_s + 60))
        with pytest.raises(oracledb.DatabaseError, match="ORA-01555"):
            connection.cursor().execute(AT_SCN, scn=scn).fetchall()


def test_an_scn_that_never_was(simulated: OracleDatabase, server: OracleServer) -> None:
    with log_on(simulated, server) as connection, pytest.raises(oracledb.DatabaseError, match="ORA-08181"):
        connection.cursor().execute(AT_SCN, scn=scn_of(connection) + 10**9).fetchall()


def test_ddl_since_then(simulated: OracleDatabase, server: OracleServer) -> None:
    with log_on(simulated, server) as connection:
        scn = scn_of(connection)
        simulated.clock.advance(timedelta(seconds=30))
        storage_of(simulated).tables["APP", "T"].changed_at = simulated.clock.now()
        with pytest.raises(oracledb.DatabaseError, match="ORA-01466"):
            connection.cursor().execute(AT_SCN, scn=scn).fetchall()


def test_reading_is_not_enough_to_look_back(simulated: OracleDatabase, server: OracleServer) -> None:
    with log_on(simulated, server, "READER") as connection, pytest.raises(oracledb.DatabaseError, match="ORA-01031"):
        connection.cursor().execute(AT_SCN, scn=2_000_000).fetchall()


def test_ranges_of_rowid_meet_every_row_once(simulated: OracleDatabase, server: OracleServer) -> None:
    """ROWIDs compare by block and row: the letters of their digits have another order."""
    question = "SELECT t.a FROM app.t t WHERE t.ROWID BETWEEN CHARTOROWID(:low) AND CHARTOROWID(:high)"
    with log_on(simulated, server) as connection:
        cursor = connection.cursor()
        rowids = [row[0] for row in cursor.execute("SELECT ROWID FROM app.t ORDER BY a").fetchall()]
        table = tables_of(simulated).by_name["APP", "T"]
        assert rowids == planted_order(table)
        met = []
        for start in range(0, len(rowids), 37):
            low, high = rowids[start], rowids[min(start + 36, len(rowids) - 1)]
            met += [int(row[0]) for row in cursor.execute(question, low=low, high=high).fetchall()]
        assert sorted(met) == list(range(300))


def planted_order(table: Table) -> list[str]:
    return [rowid for rowid, _ in sorted(table.rows.items(), key=lambda pair: pair[1][0])]

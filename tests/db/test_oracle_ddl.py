"""Every statement that the product's builders make for storage, through the real driver over TCP, with its effect."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import oracledb
import pytest

from drydock import settings
from drydock.engines import oracle_statements as built
from drydock.engines.oracle_statements import Segment, Statement
from sandbox.oracle.backend import OracleError, OraType
from sandbox.oracle.model import making
from sandbox.oracle.model.database import Account, OracleDatabase
from sandbox.oracle.model.locks import plant_lock
from sandbox.oracle.model.storage import storage_of
from sandbox.oracle.model.stored import Partitioning, StoredTable
from sandbox.oracle.model.tables import TableColumn
from sandbox.oracle.sessions import DatabaseAccounts, open_simulator

OWNER, TABLE, PLAIN = "App", "Decl; '报关'", "H"
COLUMNS = (TableColumn("ID", OraType.NUMBER, precision=18, scale=0), TableColumn("NAME", OraType.VARCHAR2, 300))
ROWS = 60_000
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def database() -> OracleDatabase:
    """A partitioned table and a plain one, six rows of ten deleted."""
    database = OracleDatabase("SHOP", 7, service="shop")
    database.accounts[OWNER] = Account(OWNER, "x", set())
    database.accounts["MAINT"] = Account("MAINT", "secret", {"CREATE SESSION", "DBA"})
    storage = storage_of(database)
    table = making.add_table(storage, OWNER, TABLE, COLUMNS, partitioning=Partitioning("RANGE", ("ID",)))
    making.add_partition(storage, table, "p 1")
    making.add_partition(storage, table, "P2")
    making.add_index(storage, table, "Ix", ["NAME"], is_local=True)
    plain = making.add_table(storage, OWNER, PLAIN, COLUMNS, row_movement=True)
    making.add_index(storage, plain, "H_IX", ["NAME"])
    for one, piece in ((table, "p 1"), (table, "P2"), (plain, "")):
        making.grow(storage, one, ROWS, piece)
        making.delete(storage, one, 0.6, piece)
    return database


@pytest.fixture
def connection(database: OracleDatabase) -> Iterator[oracledb.Connection]:
    with (
        open_simulator(database) as server,
        oracledb.connect(user="MAINT", password="secret", dsn=f"127.0.0.1:{server.port}/shop") as connection,
    ):
        yield connection


@pytest.fixture
def run(connection: oracledb.Connection) -> Run:
    """Runs a statement as the engine does; gives its OUT values."""

    def execute(statement: Statement) -> dict[str, Any]:
        with closing(connection.cursor()) as cursor:
            outs = {name: cursor.var(int) for name in statement.outs}
            cursor.execute(statement.text, {**statement.binds, **outs})
            return {name: var.getvalue() for name, var in outs.items()}

    return execute


def refused(action: Callable[[], Any]) -> int:
    with pytest.raises(oracledb.Error) as error:
        action()
    return error.value.args[0].code


def stored(database: OracleDatabase, name: str) -> StoredTable:
    return storage_of(database).table(OWNER, name)


def test_every_statement_of_the_product_is_among_those_tested_here() -> None:
    files = {p.stem for p in (settings.include_dir() / "sql" / "oracle" / "statements").glob("*.sql")}
    assert files == {
        *("gather_table_stats", "index_coalesce", "index_degree", "index_logging", "index_partition_coalesce"),
        *("index_partition_rebuild", "index_rebuild", "partition_move", "partition_shrink", "row_movement"),
        *("space_usage", "table_move", "table_shrink"),
        *("has_row", "lob_move", "lob_partition_move", "lob_partition_shrink", "lob_shrink", "partition_deallocate"),
        *("partition_shrink_check", "partition_truncate", "securefile_usage", "table_deallocate", "table_shrink_check"),
        *("unused_space", "index_shrink", "create_index_cost"),
    }


def test_space_usage_row_movement_and_shrink_of_a_partition(database: OracleDatabase, run: Run) -> None:
    part = Segment(OWNER, TABLE, "p 1")
    usage = run(built.space_usage(part, "TABLE PARTITION"))
    assert usage["fs3_blocks"] + usage["fs4_blocks"] > 800
    assert usage["fs3_bytes"] == usage["fs3_blocks"] * 8192
    assert refused(lambda: run(built.shrink(part, compact=True))) == 10636
    run(built.row_movement(part, enabled=True))
    run(built.shrink(part, compact=True))
    packed = run(built.space_usage(part, "TABLE PARTITION"))
    assert packed["fs4_blocks"] > 0.55 * sum(packed[f"{f}_blocks"] for f in built.SPACE_FIGURES)
    run(built.shrink(part, cascade=True))
    assert run(built.space_usage(part, "TABLE PARTITION"))["fs4_blocks"] == 0
    run(built.row_movement(part, enabled=False))
    assert stored(database, TABLE).row_movement is False


def test_shrink_and_move_of_a_table(database: OracleDatabase, run: Run) -> None:
    segment = stored(database, PLAIN).pieces[0].segment
    before = segment.blocks
    run(built.shrink(Segment(OWNER, PLAIN)))
    assert segment.blocks < before / 2
    run(built.move(Segment(OWNER, PLAIN), online=True))
    assert stored(database, PLAIN).pieces[0].segment.data_object_id != segment.data_object_id
    run(built.move(Segment(OWNER, PLAIN), online=False))
    assert stored(database, PLAIN).indexes[0].is_unusable
    assert refused(lambda: run(built.coalesce(Segment(OWNER, "H_IX")))) == 1502


def test_move_of_a_partition(database: OracleDatabase, run: Run) -> None:
    table = stored(database, TABLE)
    for online, update in ((False, True), (True, True), (False, False)):
        number = table.pieces[0].segment.data_object_id
        run(built.move(Segment(OWNER, TABLE, "p 1"), online=online, update_indexes=update, degree=4))
        assert table.pieces[0].segment.data_object_id != number
        assert table.indexes[0].is_unusable is not update
    assert refused(lambda: run(built.move(Segment(OWNER, TABLE, "P9"), online=True))) == 2149


def test_indexes(database: OracleDatabase, run: Run) -> None:
    index, whole = Segment(OWNER, "Ix", "P2"), Segment(OWNER, "H_IX")
    piece, plain = stored(database, TABLE).indexes[0].pieces[1], stored(database, PLAIN).indexes[0]
    before = piece.segment.used_blocks
    run(built.coalesce(index))
    assert piece.segment.used_blocks < before / 2
    assert run(built.space_usage(index, "INDEX PARTITION"))["fs2_blocks"] == before - piece.segment.used_blocks
    blocks = piece.segment.blocks
    run(built.rebuild(index, online=True))
    assert piece.segment.blocks < blocks / 2
    run(built.coalesce(whole))
    run(built.rebuild(whole, online=False, degree=8))
    assert plain.degree == "8"
    run(built.index_degree(whole, None))
    run(built.index_logging(whole, logging=False))
    assert (plain.degree, plain.pieces[0].is_logging) == ("1", False)
    run(built.index_logging(whole, logging=True))
    assert refused(lambda: run(built.rebuild(Segment(OWNER, "Ix"), online=True))) == 14086


def test_the_room_of_an_index_comes_from_statistics(run: Run) -> None:
    run(built.gather_table_stats(Segment(OWNER, TABLE)))
    cost = run(built.create_index_cost(Segment(OWNER, TABLE), ["ID"]))
    assert 0 < cost["used_bytes"] < cost["alloc_bytes"]


def test_gather_table_stats(database: OracleDatabase, connection: oracledb.Connection, run: Run) -> None:
    run(built.gather_table_stats(Segment(OWNER, TABLE, "p 1"), granularity="PARTITION", degree=2, cascade=True))
    query = "select partition_name, num_rows from dba_tab_statistics where table_name = :t order by 1"
    with closing(connection.cursor()) as cursor:
        found = dict(cursor.execute(query, [TABLE]).fetchall())
        assert found == {"p 1": ROWS * 0.4, "P2": None, None: None}
    run(built.gather_table_stats(Segment(OWNER, TABLE)))
    assert stored(database, TABLE).statistics.rows == ROWS * 0.8


def test_a_call_timeout_ends_a_shrink_and_keeps_its_work(
    database: OracleDatabase, connection: oracledb.Connection, run: Run
) -> None:
    storage = storage_of(database)
    storage.pace.step_blocks, storage.pace.real_s_per_step = 20, 0.05
    segment = stored(database, PLAIN).pieces[0].segment
    total, connection.call_timeout = segment.blocks_to_pack, 400
    with pytest.raises(oracledb.Error, match="DPY-4024"):
        run(built.shrink(Segment(OWNER, PLAIN), compact=True))
    time.sleep(0.1)
    left = segment.blocks_to_pack
    assert 0 < left < total
    storage.pace.real_s_per_step, connection.call_timeout = 0, 0
    run(built.shrink(Segment(OWNER, PLAIN)))
    assert segment.blocks_to_pack <= 1


def test_the_lock_timeout_of_the_session_is_kept(database: OracleDatabase, connection: oracledb.Connection, run: Run) -> None:
    lock = plant_lock(database, OWNER, PLAIN)
    assert refused(lambda: run(built.row_movement(Segment(OWNER, PLAIN), enabled=False))) == 54
    with closing(connection.cursor()) as cursor:
        cursor.execute("alter session set ddl_lock_timeout = 5")
    threading.Timer(0.2, lock.session.backend.rollback).start()
    run(built.row_movement(Segment(OWNER, PLAIN), enabled=False))


def test_a_killed_rebuild_answers_8104_until_it_is_cleaned(database: OracleDatabase, run: Run) -> None:
    storage = storage_of(database)
    storage.pace.real_s_per_step = 5.0
    index = Segment(OWNER, "H_IX")

    def kill() -> None:
        victim = next(s for s in database.sessions.values() if s.backend.is_working)
        victim.is_killed = True
        victim.backend.cancel()

    threading.Timer(0.3, kill).start()
    assert refused(lambda: run(built.rebuild(index, online=True))) == 28
    [journal] = [o for o in storage.leftovers if o.kind == "JOURNAL"]
    storage.pace.real_s_per_step = 0
    other = DatabaseAccounts(database).open_session("MAINT", "shop", {})[0]
    with pytest.raises(OracleError, match="ORA-08104"):
        other.execute(built.rebuild(index, online=True).text, [])
    other.execute(f"declare c boolean; begin c := dbms_repair.online_index_clean({journal.of_id}); end;", [])
    other.execute(built.rebuild(index, online=True).text, [])

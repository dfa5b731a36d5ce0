"""The simulator's MOVE, TRUNCATE and index DDL: each effect and each refusal by name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sandbox.oracle.backend import Bind, OracleError, OraType
from sandbox.oracle.model import making
from sandbox.oracle.model.files import MIB
from sandbox.oracle.model.locks import plant_lock, release
from sandbox.oracle.model.storage import Storage
from sandbox.oracle.model.stored import StoredTable
from sandbox.oracle.sessions import SqlBackend
from tests.unit.made_storage import (
    COLUMNS,
    code_of,
    drop_index,
    logged_on,
    one,
    rows,
    run,
    segment_of,
    usable,
)

pytest_plugins = ["tests.unit.stored_fixtures"]


@pytest.mark.parametrize("options", ["update indexes", "online update indexes parallel 4"])
def test_move_partition_keeps_indexes_where_it_says_so(
    options: str, storage: Storage, table: StoredTable, backend: SqlBackend
) -> None:
    making.delete(storage, table, 0.6, "P1")
    segment = segment_of(table, "P1")
    before, number, held = segment.blocks, segment.data_object_id, segment.rows
    run(backend, f"alter table app.t move partition p1 {options}")
    moved = segment_of(table, "P1")
    assert (moved.rows, moved.data_object_id == number) == (held, False)
    assert moved.blocks <= before * 0.5
    assert set(usable(table).values()) == {True}


@pytest.mark.parametrize("options", ["", " online"])
def test_move_without_update_leaves_indexes_unusable(options: str, table: StoredTable, backend: SqlBackend) -> None:
    run(backend, "alter table app.t move partition p1" + options)
    assert usable(table) == {"T_IX P0": True, "T_IX P1": False, "T_IX P2": True, "T_PK": False}
    assert code_of(backend, "alter index app.t_pk coalesce") == 1502
    run(backend, "alter table app.t modify partition p1 rebuild unusable local indexes", "alter index app.t_pk rebuild online")
    assert set(usable(table).values()) == {True}


def test_move_of_an_empty_partition_harms_no_index(storage: Storage, table: StoredTable, backend: SqlBackend) -> None:
    making.delete(storage, table, 1.0, "P1")
    run(backend, "alter table app.t move partition p1")
    assert set(usable(table).values()) == {True}


def test_a_partitioned_table_is_not_moved_as_a_whole(table: StoredTable, backend: SqlBackend) -> None:
    assert code_of(backend, "alter table app.t move") == 14511
    assert code_of(backend, "alter table app.t move online") == 14808


@pytest.mark.parametrize("online", [False, True])
def test_move_table(online: bool, storage: Storage, plain: StoredTable, backend: SqlBackend) -> None:
    making.delete(storage, plain, 0.6)
    before = segment_of(plain).blocks
    run(backend, "alter table app.h move" + " online" * online)
    assert segment_of(plain).blocks <= before * 0.5
    assert set(usable(plain).values()) == {online}


def test_move_compress_and_to_another_tablespace(storage: Storage, plain: StoredTable, backend: SqlBackend) -> None:
    from sandbox.oracle.model.storage import add_file, add_space

    add_file(storage, add_space(storage, "ARCHIVE"), 64 * MIB)
    before = segment_of(plain).blocks
    run(backend, "alter table app.h move tablespace archive row store compress advanced")
    assert (segment_of(plain).space.name, segment_of(plain).blocks < 0.6 * before) == ("ARCHIVE", True)
    assert rows(backend, "select compression, compress_for from dba_tables") == [("ENABLED", "ADVANCED")]
    assert code_of(backend, "alter table app.h move tablespace nosuch") == 959


ONLINE_REFUSALS: dict[str, tuple[int, Callable[[Storage, StoredTable], Any]]] = {
    "index-organized": (14808, lambda s, t: setattr(t, "is_iot", True)),
    "object type": (14808, lambda s, t: setattr(t, "has_object_type", True)),
    "domain index": (14808, lambda s, t: drop_index(t, "DOMAIN")(s)),
    "bitmap join index": (14808, lambda s, t: drop_index(t, "BITMAP", is_join=True)(s)),
    "too many segments": (14813, lambda s, t: setattr(s, "online_move_limit", 1)),
    "not open": (14810, lambda s, t: s.database.parts.update(open_mode="READ ONLY")),
    "SE2": (439, lambda s, t: setattr(s.database, "edition", "SE2")),
    "12.1": (1735, lambda s, t: setattr(s.database, "version", "12.1.0.2.0")),
}


@pytest.mark.parametrize("name", ONLINE_REFUSALS)
def test_move_online_refuses(name: str, storage: Storage, plain: StoredTable, backend: SqlBackend) -> None:
    code, plant = ONLINE_REFUSALS[name]
    plant(storage, plain)
    number = segment_of(plain).data_object_id
    assert code_of(backend, "alter table app.h move online") == code
    assert segment_of(plain).data_object_id == number


def test_move_without_room_is_1652_and_leaves_nothing(storage: Storage, plain: StoredTable, backend: SqlBackend) -> None:
    file = plain.pieces[0].space.files[0]
    file.free = [(file.free[0][0], 200)]
    assert code_of(backend, "alter table app.h move") == 1652
    assert file.free_blocks == 200
    assert set(usable(plain).values()) == {True}


@pytest.mark.parametrize(("quota", "code"), [(0, 1950), (1_000_000, 1536)])
def test_quotas(quota: int, code: int, plain: StoredTable, backend: SqlBackend) -> None:
    plain.pieces[0].space.quotas["APP"] = quota
    assert code_of(backend, "alter table app.h move") == code


@pytest.mark.parametrize("is_killed", [False, True])
def test_an_interrupted_move_is_undone(is_killed: bool, storage: Storage, plain: StoredTable, backend: SqlBackend) -> None:
    number, storage.pace.step_blocks = segment_of(plain).data_object_id, 100

    def interrupt(session: Any, name: str, done: int, of: int) -> None:
        if done >= 300:
            session.is_killed = is_killed
            session.backend.cancel()

    storage.pace.before_step = interrupt
    assert code_of(backend, "alter table app.h move") == (28 if is_killed else 1013)
    other = logged_on(storage.database)
    kinds = "select segment_type from dba_segments where segment_type = 'TEMPORARY'"
    assert rows(other, kinds) == ([("TEMPORARY",)] if is_killed else [])
    storage.database.clock.advance(timedelta(minutes=6))
    assert rows(other, kinds) == [], "SMON has cleaned up"
    assert segment_of(plain).data_object_id == number


def test_truncate_partition(storage: Storage, table: StoredTable, backend: SqlBackend) -> None:
    run(backend, "alter table app.t truncate partition p1 update indexes")
    assert (segment_of(table, "P1").rows, segment_of(table, "P1").blocks) == (0, 8)
    assert rows(backend, "select orphaned_entries, status from dba_indexes where index_name = 'T_PK'") == [("YES", "VALID")]
    key = storage.index("APP", "T_PK").pieces[0].segment
    assert key.rows == 3 * 60_000, "entries of rows that are gone"
    run(backend, "alter index app.t_pk coalesce cleanup", "alter table app.t truncate partition p2")
    assert key.rows == 2 * 60_000
    assert usable(table)["T_PK"] is False
    run(backend, "begin dbms_stats.flush_database_monitoring_info; end;")
    truncated = rows(backend, "select partition_name from dba_tab_modifications where truncated = 'YES'")
    assert sorted(truncated, key=str) == [("P1",), ("P2",), (None,)]


def test_truncate_of_a_referenced_table_is_2266(storage: Storage, table: StoredTable, backend: SqlBackend) -> None:
    child = making.add_table(storage, "APP", "CHILD", COLUMNS)
    foreign = making.add_key(storage, child, "CHILD_FK", ["ID"], "R", refers_to=("APP", "T_PK"))
    assert code_of(backend, "alter table app.t truncate partition p1") == 2266
    foreign.is_enabled = False
    run(backend, "truncate table app.t", "alter table app.t drop partition p0")
    assert table.rows == 0
    assert [p.name for p in table.pieces] == ["P1", "P2"]


def test_rebuild_packs_and_refreshes_statistics(storage: Storage, plain: StoredTable, backend: SqlBackend) -> None:
    making.delete(storage, plain, 0.6)
    run(backend, "begin dbms_stats.gather_table_stats('APP', 'H'); end;")
    leaves = "select leaf_blocks from dba_indexes where index_name = 'H_IX'"
    before = one(backend, leaves)
    run(backend, "alter index app.h_ix rebuild online parallel 4 nologging")
    assert one(backend, leaves) < before * 0.5
    shown = "select trim(degree), logging from dba_indexes where index_name = 'H_IX'"
    assert rows(backend, shown) == [("4", "NO")], "degree and logging stay"
    run(backend, "alter index app.h_ix noparallel", "alter index app.h_ix logging")
    assert rows(backend, shown) == [("1", "YES")]


def test_coalesce_empties_leaves_and_keeps_the_segment(storage: Storage, table: StoredTable, backend: SqlBackend) -> None:
    making.delete(storage, table, 0.6, "P1")
    piece = table.indexes[0].pieces[1]
    before, leaves = piece.segment.blocks, piece.segment.used_blocks
    run(backend, "alter index app.t_ix modify partition p1 coalesce")
    assert (piece.segment.blocks, piece.segment.usage()["fs2"]) == (before, leaves - piece.segment.used_blocks)
    assert piece.segment.used_blocks < leaves * 0.45
    run(backend, "alter index app.t_ix modify partition p1 shrink space")
    assert piece.segment.blocks < before * 0.5


def test_a_global_partitioned_index(storage: Storage, table: StoredTable, backend: SqlBackend) -> None:
    index = making.add_index(storage, table, "G", ["ID"], partitions=["G1", "G2"])
    making.delete(storage, table, 0.5)
    assert [p.segment.rows for p in index.pieces] == [45_000, 45_000]
    assert rows(backend, "select locality, partition_count from dba_part_indexes where index_name = 'G'") == [("GLOBAL", 2)]
    assert code_of(backend, "alter index app.g rebuild") == 14086
    run(backend, "alter table app.t move partition p1")
    states = "select partition_name, partition_position, status from dba_ind_partitions where index_name = 'G' order by 2"
    assert rows(backend, states) == [("G1", 1, "UNUSABLE"), ("G2", 2, "UNUSABLE")]
    run(backend, "alter index app.g rebuild partition g1", "alter index app.g rebuild partition g2 online")
    assert rows(backend, states) == [("G1", 1, "USABLE"), ("G2", 2, "USABLE")]
    assert [p.segment.rows for p in index.pieces] == [45_000, 45_000]


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("alter index app.t_ix rebuild", 14086),
        ("alter index app.t_ix rebuild partition nosuch", 2149),
        ("alter index app.nosuch rebuild", 1418),
        ("alter index app.t_pk rebuild partition p1", 14501),
        ("alter index app.t_pk rebuild sideways", 922),
        ("alter table app.nosuch move", 942),
        ("alter table app.t move partition nosuch", 2149),
        ("alter table app.t shrink space quickly", 922),
        ("drop index app.t_pk", 2429),
    ],
)
def test_names_and_options_that_are_not_there(sql: str, code: int, table: StoredTable, backend: SqlBackend) -> None:
    assert code_of(backend, sql) == code


def test_rebuild_needs_temp_and_unique_rows(storage: Storage, plain: StoredTable, backend: SqlBackend) -> None:
    index = storage.index("APP", "H_PK")
    index.has_duplicates = True
    assert code_of(backend, "alter index app.h_pk rebuild") == 1452
    storage.temp_used_blocks = storage.temp.blocks - 10
    with pytest.raises(OracleError, match=r"ORA-01652.*tablespace TEMP"):
        run(backend, "alter index app.h_ix rebuild")


def test_se2_has_no_partitions_and_no_online(
    storage: Storage, table: StoredTable, plain: StoredTable, backend: SqlBackend
) -> None:
    storage.database.edition = "SE2"
    assert code_of(backend, "alter table app.t move partition p1") == 439
    assert code_of(backend, "alter index app.h_ix rebuild online") == 439
    assert code_of(backend, "alter index app.t_ix rebuild partition p1") == 439
    run(backend, "alter index app.h_ix rebuild", "alter table app.h shrink space")


def killed_rebuild(storage: Storage, backend: SqlBackend) -> int:
    """A session killed in the middle of an online rebuild of H_IX; the index's object id."""

    def kill(session: Any, name: str, done: int, of: int) -> None:
        session.is_killed = True
        session.backend.cancel()

    storage.pace.before_step = kill
    assert code_of(backend, "alter index app.h_ix rebuild online") == 28
    storage.pace.before_step = None
    return storage.index("APP", "H_IX").object_id


def test_a_killed_online_rebuild_leaves_a_journal_until_it_is_cleaned(
    storage: Storage, plain: StoredTable, backend: SqlBackend
) -> None:
    number, other = killed_rebuild(storage, backend), logged_on(storage.database)
    journal = f"select count(*) from dba_objects where object_name = 'SYS_JOURNAL_{number}'"
    assert one(other, journal) == 1
    for sql in ("rebuild", "rebuild online"):
        assert code_of(other, f"alter index app.h_ix {sql}") == 8104
    lock = plant_lock(storage.database, "APP", "H")
    cleaned = "begin :r := sys.diutil.bool_to_int(dbms_repair.online_index_clean(:o, dbms_repair.lock_wait)); end;"
    binds = [Bind(OraType.NUMBER, None), Bind(OraType.NUMBER, number)]
    assert other.execute(cleaned, binds).outs == {0: 0}, "a transaction holds the table"
    release(storage, lock)
    assert other.execute(cleaned, binds).outs == {0: 1}
    assert one(other, journal) == 0
    run(other, "alter index app.h_ix rebuild online")


def test_smon_cleans_a_journal_within_the_hour(storage: Storage, plain: StoredTable, backend: SqlBackend) -> None:
    killed_rebuild(storage, backend)
    storage.database.clock.advance(timedelta(minutes=61))
    other = logged_on(storage.database)
    assert one(other, "select count(*) from dba_objects where object_name like 'SYS_JOURNAL%'") == 0
    run(other, "alter index app.h_ix rebuild online")


def test_a_cancelled_online_rebuild_cleans_up_after_itself(storage: Storage, plain: StoredTable, backend: SqlBackend) -> None:
    storage.pace.before_step = lambda session, name, done, of: session.backend.cancel()
    assert code_of(backend, "alter index app.h_ix rebuild online") == 1013
    storage.pace.before_step = None
    assert storage.leftovers == []
    assert storage.temp_used_blocks == 0
    run(backend, "alter index app.h_ix rebuild online")


def test_unusable_and_visible(storage: Storage, plain: StoredTable, backend: SqlBackend) -> None:
    run(backend, "alter index app.h_ix unusable", "alter index app.h_ix invisible")
    shown = "select status, visibility, segment_created from dba_indexes where index_name = 'H_IX'"
    assert rows(backend, shown) == [("UNUSABLE", "INVISIBLE", "NO")]
    run(backend, "alter index app.h_ix rebuild", "alter index app.h_ix visible")
    assert rows(backend, shown) == [("VALID", "VISIBLE", "YES")]

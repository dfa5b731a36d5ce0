"""The simulator's storage: each effect and each refusal of the DDL, the packages and the locks, by name."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from sandbox.oracle import registry
from sandbox.oracle.backend import Bind, OracleError, OraType
from sandbox.oracle.model import making, statistics
from sandbox.oracle.model.building import ENDS_AT, Shape, new_database
from sandbox.oracle.model.database import Account, OracleDatabase
from sandbox.oracle.model.files import MIB
from sandbox.oracle.model.locks import EXCLUSIVE, plant_lock, release
from sandbox.oracle.model.operations import add_standby
from sandbox.oracle.model.repository import repository_of
from sandbox.oracle.model.segments import Segment, Space, SpaceFile
from sandbox.oracle.model.storage import Storage, storage_of
from sandbox.oracle.model.stored import Partitioning, StoredTable
from sandbox.oracle.model.tables import TableColumn, UniqueKey, tables_of
from sandbox.oracle.sessions import DatabaseAccounts, SqlBackend
from sandbox.oracle.sql.dictionary import view_named
from sandbox.oracle.worlds_storage import gain, storage_world

COLUMNS = (
    TableColumn("ID", OraType.NUMBER, precision=18, scale=0),
    TableColumn("D", OraType.DATE),
    TableColumn("NAME", OraType.VARCHAR2, 200, comment="名称"),
)
ROWS = 60_000


@pytest.fixture
def database() -> OracleDatabase:
    database = OracleDatabase("SIM", 1, service="sim")
    for name, privileges in {
        "APP": {"CREATE SESSION"},
        "MAINT": {"CREATE SESSION", "DBA"},
        "READER": {"CREATE SESSION", "SELECT APP.T"},
    }.items():
        database.accounts[name] = Account(name, "x", privileges)
    return database


@pytest.fixture
def storage(database: OracleDatabase) -> Storage:
    return storage_of(database)


@pytest.fixture
def table(storage: Storage) -> StoredTable:
    """T: partitions P0 to P2 with 60,000 rows each, a local index, a global primary key."""
    table = making.add_table(storage, "APP", "T", COLUMNS, partitioning=Partitioning("RANGE", ("D",)))
    for n in range(3):
        making.add_partition(storage, table, f"P{n}", f"TO_DATE('2026-0{n + 2}-01')")
    making.add_index(storage, table, "T_IX", ["NAME"], is_local=True)
    making.add_key(storage, table, "T_PK", ["ID"])
    for n in range(3):
        making.grow(storage, table, ROWS, f"P{n}")
    statistics.gather(storage, table)
    return table


@pytest.fixture
def plain(storage: Storage) -> StoredTable:
    """H: a table without partitions, 60,000 rows, two indexes, row movement on."""
    table = making.add_table(storage, "APP", "H", COLUMNS, row_movement=True)
    making.add_index(storage, table, "H_IX", ["NAME"])
    making.add_key(storage, table, "H_PK", ["ID"])
    making.grow(storage, table, ROWS)
    return table


def logged_on(database: OracleDatabase, user: str = "MAINT") -> SqlBackend:
    accounts = database.parts.setdefault("accounts of the test", DatabaseAccounts(database))
    return accounts.open_session(user, database.service, {})[0]


@pytest.fixture
def backend(database: OracleDatabase) -> SqlBackend:
    return logged_on(database)


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


def until(condition: Callable[[], Any], seconds: float = 5.0) -> None:
    ends_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends_at, "waited in vain"
        time.sleep(0.005)


# --- blocks and rows ---


@pytest.mark.parametrize("seed", range(25))
def test_blocks_and_rows_are_conserved_whatever_happens(seed: int) -> None:
    rng = random.Random(seed)
    size = rng.choice([0, 0, MIB])
    space = Space("U", files=[SpaceFile(1, "f", 20_000, free=[(128, 19_872)])], is_assm=rng.random() < 0.8, uniform_bytes=size)
    kind, row_bytes = rng.choice(["TABLE", "INDEX"]), rng.choice([20, 87, 400, 3000, 9000])
    segment = Segment("A", "T", "", kind, space, 1, row_bytes, rng.choice([0, 10, 30]))
    segment.grow(1)
    for turn in rng.choices("iadwplt", k=25):
        before, count = segment.rows, rng.randrange(1, 5000)
        match turn:
            case "i" | "a":
                assert segment.rows + segment.insert(count, turn == "a") >= before
            case "d" | "w":
                assert segment.delete(int(before * rng.random()), turn == "w") == before - segment.rows
            case "p":
                segment.pack(count)
            case "l":
                segment.lower_hwm()
            case "t":
                segment.trim()
        held = sum(b.blocks * b.rows for b in segment.bins)
        assert abs(held - segment.rows) < max(2, 0.002 * segment.rows)
        assert sum(segment.usage().values()) == segment.data_blocks <= segment.hwm_blocks <= segment.blocks
        assert segment.blocks + space.free_blocks == 19_872


def test_deletes_leave_the_high_water_mark_and_inserts_fill_the_holes(storage: Storage, plain: StoredTable) -> None:
    segment = segment_of(plain)
    hwm = segment.hwm_blocks
    making.delete(storage, plain, 0.6)
    usage = segment.usage()
    assert segment.hwm_blocks == hwm
    assert usage["fs3"] > usage["full"] == 0
    assert usage["fs4"] > 0
    making.grow(storage, plain, int(ROWS * 0.6))
    assert segment.hwm_blocks <= hwm + 1
    assert segment.usage()["full"] > 0.98 * segment.data_blocks


def test_a_direct_path_load_leaves_the_holes(storage: Storage, plain: StoredTable) -> None:
    making.delete(storage, plain, 0.6)
    hwm = segment_of(plain).hwm_blocks
    making.grow(storage, plain, 20_000, above_hwm=True)
    assert segment_of(plain).hwm_blocks > hwm + 200


def test_pctfree_is_not_waste(storage: Storage) -> None:
    table = making.add_table(storage, "APP", "W", COLUMNS)
    table.attributes.pct_free = 30
    making.grow(storage, table, ROWS)
    usage = segment_of(table).usage()
    assert usage["full"] >= segment_of(table).data_blocks - 1


def test_extents_grow_as_autoallocate_does(storage: Storage, plain: StoredTable) -> None:
    sizes = [e.blocks * 8 for e in segment_of(plain).extents]
    assert sizes[:16] == [64] * 16
    assert set(sizes[16:]) == {1024}


# --- views ---


def test_every_view_gives_only_columns_of_the_dictionary(
    database: OracleDatabase, storage: Storage, table: StoredTable, backend: SqlBackend
) -> None:
    composite = making.add_table(storage, "APP", "C", COLUMNS, partitioning=Partitioning("RANGE", ("D",), "", "HASH", ("ID",)))
    making.add_partition(storage, composite, "C1")
    making.add_index(storage, composite, "C_FX", ["UPPER(NAME)"], kind="FUNCTION-BASED NORMAL", is_local=True)
    making.add_lob(storage, composite, "NAME")
    for n in range(2):
        making.add_partition(storage, composite, f"C1_S{n}", parent="C1")
        making.grow(storage, composite, 500, f"C1_S{n}")
    statistics.gather(storage, composite)
    making.delete(storage, composite, 0.5)
    statistics.flush(storage)
    composite.preferences["INCREMENTAL"] = "TRUE"
    plant_lock(database, "APP", "T", piece="P0")
    run(backend, "alter table app.t move partition p1")
    assert rows(backend, "select value from v$mystat") != []
    empty = {"V$OBJECT_USAGE", "V$TEMPSEG_USAGE"}
    ours = [n for n, f in registry.VIEWS.items() if f.__module__.startswith("sandbox.oracle.views_storage")]
    for name in ours:
        known = {c.name for c in view_named(name).columns}
        given = [set(row) for row in registry.VIEWS[name](database)]
        assert bool(given) != (name in empty), name
        assert [row - known for row in given if row - known] == [], name
        assert len({frozenset(row) for row in given}) <= 2, name
    assert len(ours) == 41


def test_the_dictionary_describes_what_is_there(backend: SqlBackend, table: StoredTable) -> None:
    assert rows(backend, "select partitioned, tablespace_name, num_rows from dba_tables") == [("YES", None, 3 * ROWS)]
    assert one(backend, "select sum(num_rows) from dba_tab_partitions where table_name = 'T'") == 3 * ROWS
    assert one(backend, "select comments from dba_col_comments where column_name = 'NAME'") == "名称"
    assert one(backend, "select status from dba_indexes where index_name = 'T_IX'") == "N/A"
    assert one(backend, "select count(*) from dba_segments where owner = 'APP'") == 7
    assert (
        rows(
            backend,
            "select s.segment_name from dba_segments s where s.blocks <> (select sum(e.blocks) from dba_extents e "
            "where e.segment_name = s.segment_name and nvl(e.partition_name, '-') = nvl(s.partition_name, '-'))",
        )
        == []
    )
    total = "select sum(bytes) from {} where tablespace_name = 'USERS'"
    used, free, size = (one(backend, total.format(v)) for v in ("dba_segments", "dba_free_space", "dba_data_files"))
    assert size - free == used + MIB, "but for the head of the file"
    assert one(backend, "select constraint_type from dba_constraints where constraint_name = 'T_PK'") == "P"


def test_free_runs_and_extents_never_overlap(storage: Storage, table: StoredTable, backend: SqlBackend) -> None:
    making.delete(storage, table, 0.7)
    run(backend, "alter table app.t enable row movement", "alter table app.t shrink space cascade")
    making.grow(storage, table, ROWS, "P1")
    runs = rows(backend, "select block_id, blocks from dba_extents union all select block_id, blocks from dba_free_space")
    runs.sort()
    assert all(a + n <= b for (a, n), (b, _) in pairwise(runs))


# --- SHRINK ---


def test_shrink_packs_and_gives_space_back(storage: Storage, table: StoredTable, backend: SqlBackend) -> None:
    making.delete(storage, table, 0.6, "P1")
    segment, free = segment_of(table, "P1"), one(backend, "select sum(blocks) from dba_free_space")
    before, number, expected = segment.blocks, segment.data_object_id, gain(segment)
    run(backend, "alter table app.t enable row movement", "alter table app.t modify partition p1 shrink space compact")
    assert (segment.blocks, segment.usage()["fs4"]) == (before, pytest.approx(segment.data_blocks * 0.6, rel=0.01))
    run(backend, 'ALTER TABLE "APP"."T" MODIFY PARTITION "P1" SHRINK SPACE')
    freed = before - segment.blocks
    assert freed * 8192 == pytest.approx(expected, rel=0.05)
    assert one(backend, "select sum(blocks) from dba_free_space") == free + freed
    assert segment.data_object_id == number, "a shrink keeps the segment"
    assert {p.is_usable for i in table.indexes for p in i.pieces} == {True}
    assert one(backend, "select row_movement from dba_tables") == "ENABLED", "it stays as DDL left it"


def test_shrink_cascade_takes_the_indexes_too(storage: Storage, plain: StoredTable, backend: SqlBackend) -> None:
    making.delete(storage, plain, 0.6)
    blocks = [i.pieces[0].segment.blocks for i in plain.indexes]
    run(backend, "alter table app.h shrink space")
    assert [i.pieces[0].segment.blocks for i in plain.indexes] == blocks
    run(backend, "alter table app.h shrink space cascade")
    assert all(i.pieces[0].segment.blocks < was * 0.6 for i, was in zip(plain.indexes, blocks, strict=True))


def test_a_cancelled_compact_keeps_what_is_done(storage: Storage, plain: StoredTable, backend: SqlBackend) -> None:
    making.delete(storage, plain, 0.6)
    segment = segment_of(plain)
    total, storage.pace.step_blocks = segment.blocks_to_pack, 50

    def cancel(session: Any, name: str, done: int, of: int) -> None:
        if done >= 200:
            session.backend.cancel()

    storage.pace.before_step = cancel
    assert code_of(backend, "alter table app.h shrink space compact") == 1013
    assert segment.blocks_to_pack == pytest.approx(total - 200, abs=2)
    assert one(backend, "select sofar from v$session_longops") == 200
    storage.pace.before_step = None
    run(backend, "alter table app.h shrink space compact")
    assert segment.blocks_to_pack <= 1


def drop_index(table: StoredTable, kind: str, **more: Any) -> Callable[[Storage], None]:
    return lambda storage: making.add_index(storage, table, "ODD", ["UPPER(NAME)"], kind=kind, **more)


REFUSALS: dict[str, tuple[int, Callable[[Storage, StoredTable], Any]]] = {
    "row movement off": (10636, lambda s, t: setattr(t, "row_movement", False)),
    "manual segment space": (10635, lambda s, t: setattr(segment_of(t).space, "is_assm", False)),
    "compressed": (10635, lambda s, t: setattr(t.attributes, "compression", "BASIC")),
    "function-based index": (10631, lambda s, t: drop_index(t, "FUNCTION-BASED NORMAL")(s)),
    "domain index": (10631, lambda s, t: drop_index(t, "DOMAIN")(s)),
    "bitmap join index": (10664, lambda s, t: drop_index(t, "BITMAP", is_join=True)(s)),
    "LONG column": (10662, lambda s, t: setattr(t, "has_long", True)),
    "on-commit view": (10652, lambda s, t: setattr(t, "on_commit_view", "MV")),
    "rowid view": (10663, lambda s, t: setattr(t, "rowid_view", "MV")),
    "cluster": (10653, lambda s, t: setattr(t, "cluster", "C")),
    "temporary": (10654, lambda s, t: setattr(t, "is_temporary", True)),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_shrink_refuses(name: str, storage: Storage, plain: StoredTable, backend: SqlBackend) -> None:
    code, plant = REFUSALS[name]
    plant(storage, plain)
    making.delete(storage, plain, 0.5)
    before = segment_of(plain).blocks
    assert code_of(backend, "alter table app.h shrink space check") == code
    assert code_of(backend, "alter table app.h shrink space") == code
    assert segment_of(plain).blocks == before


def test_shrink_check_says_10655_and_changes_nothing(storage: Storage, plain: StoredTable, backend: SqlBackend) -> None:
    making.delete(storage, plain, 0.5)
    before = segment_of(plain).usage()
    assert code_of(backend, "alter table app.h shrink space check") == 10655
    assert segment_of(plain).usage() == before


def test_securefile_lobs_shrink_from_21c_on(storage: Storage, plain: StoredTable, backend: SqlBackend) -> None:
    making.add_lob(storage, plain, "NAME")
    making.grow(storage, plain, 50_000)
    making.delete(storage, plain, 0.8)
    lob, statement = plain.pieces[0].lobs["NAME"], "alter table app.h modify lob (name) (shrink space)"
    before = lob.blocks
    assert code_of(backend, statement) == 10635
    storage.database.version = "21.3.0.0.0"
    run(backend, statement)
    assert lob.blocks < before / 2


def test_shrink_writes_redo_and_a_session_sees_its_own(storage: Storage, plain: StoredTable, backend: SqlBackend) -> None:
    making.delete(storage, plain, 0.6)
    run(backend, "alter table app.h shrink space")
    mine = "select s.value from v$mystat s join v$statname n on n.statistic# = s.statistic# where n.name = 'redo size'"
    assert one(backend, mine) > 2_000_000
    assert one(logged_on(storage.database), mine) == 0


def test_shrink_without_undo_is_30036(storage: Storage, plain: StoredTable, backend: SqlBackend) -> None:
    making.delete(storage, plain, 0.6)
    storage.undo.active_blocks = storage.undo.space.blocks - 10
    assert code_of(backend, "alter table app.h shrink space compact") == 30036
    assert one(backend, "select max(nospaceerrcnt) from v$undostat") == 1


def test_deallocate_gives_back_only_what_lies_above_the_mark(storage: Storage, table: StoredTable, backend: SqlBackend) -> None:
    segment = segment_of(table, "P2")
    segment.grow(segment.data_blocks + 5000)
    making.delete(storage, table, 0.9, "P2")
    hwm = segment.hwm_blocks
    run(backend, "alter table app.t modify partition p2 deallocate unused")
    assert hwm <= segment.blocks < hwm + 8
    assert segment.hwm_blocks == hwm


# --- MOVE and TRUNCATE ---


def usable(table: StoredTable) -> dict[str, bool]:
    return {f"{i.name} {p.name}".strip(): p.is_usable for i in table.indexes for p in i.pieces}


@pytest.mark.parametrize("options", ["update indexes", "online", "online update indexes parallel 4"])
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


def test_move_without_update_leaves_indexes_unusable(table: StoredTable, backend: SqlBackend) -> None:
    run(backend, "alter table app.t move partition p1")
    assert usable(table) == {"T_IX P0": True, "T_IX P1": False, "T_IX P2": True, "T_PK": False}
    assert code_of(backend, "alter index app.t_pk coalesce") == 1502
    run(backend, "alter table app.t modify partition p1 rebuild unusable local indexes", "alter index app.t_pk rebuild online")
    assert set(usable(table).values()) == {True}


def test_move_of_an_empty_partition_harms_no_index(storage: Storage, table: StoredTable, backend: SqlBackend) -> None:
    making.delete(storage, table, 1.0, "P1")
    run(backend, "alter table app.t move partition p1")
    assert set(usable(table).values()) == {True}


def test_move_table_is_14511_for_a_partitioned_one(table: StoredTable, backend: SqlBackend) -> None:
    assert code_of(backend, "alter table app.t move online") == 14511


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
    run(backend, "alter index app.t_pk coalesce cleanup", "alter table app.t truncate partition p2")
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


# --- indexes ---


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
    run(logged_on(storage.database), "alter index app.h_ix rebuild online")


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


# --- locks ---


def real_table(database: OracleDatabase) -> StoredTable:
    """R: a user table whose rows are really there."""
    tables_of(database).create("APP", "R", COLUMNS, keys=(UniqueKey("R_PK", ("ID",), True),)).plant(
        [(n, None, f"row {n}" + "x" * 100) for n in range(500)]
    )
    return storage_of(database).table("APP", "R")


def test_ddl_meets_a_row_lock(database: OracleDatabase, backend: SqlBackend) -> None:
    real_table(database)
    writer = logged_on(database, "APP")
    writer.execute("update r set name = 'y' where id = 1", [])
    assert code_of(backend, "alter table app.r enable row movement") == 54
    assert rows(backend, "select locked_mode, oracle_username from v$locked_object") == [(3, "APP")]
    assert one(backend, "select count(*) from v$transaction") == 1
    run(backend, "alter session set ddl_lock_timeout = 1")
    started = time.monotonic()
    assert code_of(backend, "alter table app.r move") == 54
    assert 0.9 < time.monotonic() - started < 2.5
    threading.Timer(0.2, writer.commit).start()
    run(backend, "alter table app.r move")


def test_ddl_that_waits_is_seen_and_can_be_cancelled(database: OracleDatabase, plain: StoredTable, backend: SqlBackend) -> None:
    lock = plant_lock(database, "APP", "H", age=timedelta(minutes=30))
    run(backend, "alter session set ddl_lock_timeout = 60")
    thread, result = in_thread(lambda: run(backend, "alter table app.h shrink space"))
    other = logged_on(database)
    until(lambda: rows(other, "select sid from v$lock where request > 0"))
    blocker = "select blocking_session from v$session where sid = " + str(backend.session.sid)
    assert rows(other, blocker) == [(lock.session.sid,)]
    assert one(other, "select (sysdate - start_date) * 1440 from v$transaction") > 29.9
    backend.cancel()
    thread.join(5)
    assert result[0].code == 1013


def test_an_online_move_waits_for_old_transactions_beyond_any_timeout(
    database: OracleDatabase, plain: StoredTable, backend: SqlBackend
) -> None:
    lock = plant_lock(database, "APP", "H")
    thread, result = in_thread(lambda: run(backend, "alter table app.h move online"))
    time.sleep(0.15)
    assert thread.is_alive(), "DDL_LOCK_TIMEOUT 0 does not bound it"
    release(storage_of(database), lock)
    thread.join(5)
    assert result == [None]


def test_killing_the_holder_frees_the_lock(database: OracleDatabase, plain: StoredTable, backend: SqlBackend) -> None:
    holder = plant_lock(database, "APP", "H", EXCLUSIVE).session
    assert code_of(backend, "alter table app.h shrink space compact") == 54
    run(backend, f"alter system kill session '{holder.sid},{holder.serial}'", "alter table app.h shrink space compact")


def test_dml_waits_for_an_offline_move_and_not_for_an_online_one(database: OracleDatabase, backend: SqlBackend) -> None:
    real_table(database)
    storage = storage_of(database)
    storage.pace.real_s_per_step = 0.3
    for online, waited in ((" online", False), ("", True)):
        writer, started = logged_on(database, "APP"), time.monotonic()
        thread, result = in_thread(lambda move=online: run(backend, "alter table app.r move" + move))
        until(lambda: any(o.is_running for o in storage.operations))
        if waited:  # the offline move left the unique index unusable behind it
            assert code_of(writer, "insert into r values (1001, null, 'new')") == 1502
        else:
            run(writer, "insert into r values (1000, null, 'new')")
        assert (time.monotonic() - started > 0.25) is waited
        writer.commit()
        thread.join(5)
        assert result == [None]


# --- statistics, packages ---


def test_statistics_become_stale_once_monitoring_is_flushed(storage: Storage, table: StoredTable, backend: SqlBackend) -> None:
    making.delete(storage, table, 0.3, "P1")
    stale = "select partition_name, stale_stats from dba_tab_statistics where table_name = 'T' order by partition_name"
    assert [s for _, s in rows(backend, stale)] == ["NO"] * 4
    run(backend, "begin dbms_stats.flush_database_monitoring_info; end;")
    assert dict(rows(backend, stale)) == {"P0": "NO", "P1": "YES", "P2": "NO", None: "NO"}
    assert one(backend, "select deletes from dba_tab_modifications where partition_name = 'P1'") == ROWS * 0.3
    run(backend, "begin dbms_stats.gather_table_stats('app', 't', partname => 'P1', granularity => 'PARTITION'); end;")
    assert dict(rows(backend, stale))["P1"] == "NO"
    assert rows(backend, "select * from dba_tab_modifications where partition_name = 'P1'") == []


def test_monitoring_flushes_itself_with_time(storage: Storage, table: StoredTable, backend: SqlBackend) -> None:
    making.delete(storage, table, 0.3, "P1")
    storage.database.clock.advance(timedelta(hours=4))
    assert one(backend, "select deletes from dba_tab_modifications where partition_name = 'P1'") == ROWS * 0.3


def test_locked_and_missing_statistics(storage: Storage, plain: StoredTable, backend: SqlBackend) -> None:
    assert one(backend, "select stale_stats from dba_tab_statistics") is None
    run(backend, "begin dbms_stats.lock_table_stats('APP', 'H'); end;")
    gather = "begin dbms_stats.gather_table_stats('APP', 'H'{}); end;"
    assert code_of(backend, gather.format("")) == 20005
    run(backend, gather.format(", force => true"))
    assert rows(backend, "select num_rows, stattype_locked from dba_tab_statistics") == [(ROWS, "ALL")]
    assert code_of(backend, "begin dbms_stats.gather_table_stats('APP', 'NOSUCH'); end;") == 20000


def test_unused_space_tells_what_lies_above_the_mark(storage: Storage, plain: StoredTable, backend: SqlBackend) -> None:
    segment = segment_of(plain)
    segment.grow(segment.data_blocks + 4000)
    block = "begin dbms_space.unused_space('APP', 'H', 'TABLE', :a, :b, :c, :d, :e, :f, :g); end;"
    outs = backend.execute(block, [Bind(OraType.NUMBER, None)] * 7).outs
    assert (outs[0], outs[2]) == (segment.blocks, segment.unused_blocks)
    assert outs[2] >= 4000
    assert outs[1] == outs[0] * 8192


@pytest.mark.parametrize(
    ("name", "kind", "partition", "code"),
    [
        ("H", "TABLE", "", 10614),
        ("NOSUCH", "TABLE", "", 942),
        ("NOSUCH", "INDEX", "", 1418),
        ("H", "SEQUENCE", "", 3200),
        ("T", "TABLE", "", 3204),
        ("T", "TABLE PARTITION", "", 3205),
        ("T", "TABLE PARTITION", "P9", 2149),
    ],
)
def test_space_usage_refuses(
    name: str, kind: str, partition: str, code: int, table: StoredTable, plain: StoredTable, backend: SqlBackend
) -> None:
    segment_of(plain).space.is_assm = name != "H"
    names = [f"{c}_{u}" for c in ("unformatted", "fs1", "fs2", "fs3", "fs4", "full") for u in ("blocks", "bytes")]
    block = f"begin dbms_space.space_usage('APP', '{name}', '{kind}', {', '.join(':' + n for n in names)}, '{partition}'); end;"
    with pytest.raises(OracleError) as refused:
        backend.execute(block, [Bind(OraType.NUMBER, None)] * 12)
    assert refused.value.code == code


def test_create_index_cost_comes_from_statistics(storage: Storage, table: StoredTable, backend: SqlBackend) -> None:
    block = "begin dbms_space.create_index_cost('create index app.n on app.t (name, id)', :u, :a); end;"
    outs = backend.execute(block, [Bind(OraType.NUMBER, None)] * 2).outs
    assert outs[1] > outs[0] > 10_000_000


def test_who_may_do_what(database: OracleDatabase, table: StoredTable) -> None:
    reader, owner = logged_on(database, "READER"), logged_on(database, "APP")
    assert code_of(reader, "alter table app.t enable row movement") == 1031
    assert code_of(reader, "alter index app.t_pk noparallel") == 1031
    database.accounts["READER"].privileges.add("ALTER APP.T")
    run(reader, "alter table app.t enable row movement")
    run(owner, "alter table t disable row movement", "alter index t_pk noparallel")
    database.accounts["READER"].privileges = {"CREATE SESSION"}
    assert code_of(reader, "alter table app.t enable row movement") == 942
    assert code_of(reader, "begin dbms_stats.flush_database_monitoring_info; end;") == 20000
    assert code_of(reader, "begin :r := 1; :r := dbms_repair.online_index_clean(1); end;") in (1008, 6550)


# --- rows that are really there ---


def test_real_rows_feed_the_model_and_get_new_rowids(database: OracleDatabase, backend: SqlBackend) -> None:
    stored = real_table(database)
    assert stored.rows == 500
    run(backend, "insert into app.r select id + 1000, d, name from app.r", "delete from app.r where id < 100")
    assert stored.rows == 500, "not committed yet"
    backend.commit()
    assert stored.rows == 900 == one(backend, "select count(*) from app.r")
    run(backend, "begin dbms_stats.gather_table_stats('APP', 'R'); end;")
    assert rows(backend, "select num_rows, stale_stats from dba_tab_statistics where table_name = 'R'") == [(900, "NO")]
    before = one(backend, "select rowid from app.r where id = 200")
    run(backend, "alter table app.r move online")
    assert one(backend, "select rowid from app.r where id = 200") != before
    assert one(backend, "select count(*) from app.r") == 900
    run(backend, "truncate table app.r")
    assert (stored.rows, one(backend, "select count(*) from app.r")) == (0, 0)


def test_dml_and_unusable_indexes(database: OracleDatabase, backend: SqlBackend) -> None:
    stored = real_table(database)
    run(backend, "alter table app.r move")
    assert code_of(backend, "insert into app.r values (9999, null, 'a')") == 1502
    run(backend, "alter index app.r_pk rebuild")
    making.add_index(storage_of(database), stored, "R_IX", ["NAME"])
    run(backend, "alter index app.r_ix unusable", "insert into app.r values (9999, null, 'a')")
    run(backend, "alter session set skip_unusable_indexes = false")
    assert code_of(backend, "insert into app.r values (9998, null, 'a')") == 1502
    run(backend, "alter table app.r read only")
    assert code_of(backend, "delete from app.r") == 12081


def test_dml_without_undo_is_30036(database: OracleDatabase, backend: SqlBackend) -> None:
    real_table(database)
    undo = storage_of(database).undo
    undo.active_blocks = undo.space.blocks
    assert code_of(backend, "update app.r set name = 'z'") == 30036


@pytest.mark.parametrize(("has_index", "code"), [(False, 1653), (True, 1654)])
def test_a_full_tablespace(has_index: bool, code: int, storage: Storage, plain: StoredTable) -> None:
    file = storage.spaces["USERS"].files[0]
    file.free = [(file.free[0][0], 300)]
    plain.indexes = plain.indexes if has_index else []
    with pytest.raises(OracleError) as refused:
        making.grow(storage, plain, 20_000 if has_index else 200_000)
    assert refused.value.code == code
    assert file.free_blocks < 128


# --- redo, recovery area, standby, clock ---


@pytest.fixture
def served() -> OracleDatabase:
    """A database with a recovery area, and H in it."""
    database = new_database(3, Shape(spaces={"USERS": (8.0,)}, log_bytes=64 * MIB), ENDS_AT)
    database.accounts["MAINT"] = Account("MAINT", "x", {"CREATE SESSION", "DBA"})
    for datafile in repository_of(database).living_files():
        datafile.used_blocks = 256
    storage = storage_of(database)
    table = making.add_table(storage, "APP", "H", COLUMNS, row_movement=True)
    making.add_index(storage, table, "H_IX", ["NAME"])
    making.grow(storage, table, 2_000_000)
    return database


def test_a_move_fills_logs_and_the_standby_falls_behind(served: OracleDatabase) -> None:
    repository, backend = repository_of(served), logged_on(served)
    add_standby(repository, "GZMAIN_S", apply_lag_s=3)
    before = len(repository.disk_logs)
    run(backend, "alter table app.h move online")
    grown = len(repository.disk_logs) - before
    assert grown >= 4
    assert repository.data_guard.apply_lag_s > 3
    served.clock.advance(timedelta(minutes=30))
    storage_of(served)
    assert repository.data_guard.apply_lag_s == 3


def test_a_full_recovery_area_stops_the_archiver_until_there_is_room(served: OracleDatabase) -> None:
    repository, backend, asking = repository_of(served), logged_on(served), logged_on(served)
    repository.recovery_area.limit_bytes = 100 * MIB
    thread, result = in_thread(lambda: run(backend, "alter table app.h move"))
    error = "select error from v$archive_dest_status where dest_id = 1"
    until(lambda: (one(asking, error) or "").startswith("ORA-19809"))
    with pytest.raises(OracleError, match="ORA-00257"):
        logged_on(served)
    assert thread.is_alive(), "the session hangs and gets no error"
    repository.recovery_area.limit_bytes = 100_000 * MIB
    thread.join(5)
    assert result == [None]
    assert not one(asking, error)
    logged_on(served)


def test_a_session_that_hangs_on_the_archiver_can_be_cancelled(served: OracleDatabase) -> None:
    repository, backend = repository_of(served), logged_on(served)
    repository.recovery_area.limit_bytes = 100 * MIB
    thread, result = in_thread(lambda: run(backend, "alter table app.h move"))
    until(lambda: served.parts.get("archiver_stuck"))
    backend.cancel()
    thread.join(5)
    assert result[0].code == 1013
    assert not any(s.kind == "TEMPORARY" for s in storage_of(served).segments())


def test_nologging_counts_only_where_nothing_forces_logging(served: OracleDatabase) -> None:
    repository, backend = repository_of(served), logged_on(served)
    mine = "select value from v$mystat"
    run(backend, "alter index app.h_ix rebuild nologging")
    assert one(backend, mine) < 2 * MIB
    assert any(f.unrecoverable_at for f in repository.files_of("USERS"))
    repository.force_logging = True
    run(backend, "alter index app.h_ix rebuild nologging")
    assert one(backend, mine) > 40 * MIB


def test_work_takes_the_models_time(served: OracleDatabase) -> None:
    storage, backend = storage_of(served), logged_on(served)
    storage.pace.mb_per_s, before = 10.0, served.clock.now()
    size = segment_of(storage.table("APP", "H")).total_bytes / MIB
    run(backend, "alter table app.h move")
    assert (served.clock.now() - before).total_seconds() == pytest.approx(size / 10, rel=0.1)
    assert one(backend, "select elapsed_seconds from v$session_longops where opname = 'Table/Index Move'") > 10


def test_datafiles_are_resized_down_to_their_last_extent(served: OracleDatabase) -> None:
    backend = logged_on(served)
    number = repository_of(served).files_of("USERS")[0].file
    assert code_of(backend, f"alter database datafile {number} resize 100M") == 3297
    run(backend, f"alter database datafile {number} resize 2G")
    assert one(backend, f"select bytes from dba_data_files where file_id = {number}") == 2048 * MIB
    assert repository_of(served).file(number).blocks == 262_144


# --- the world ---


def test_the_world_has_the_waste_that_it_tells() -> None:
    world = storage_world(7, days=0.2)
    backend = logged_on_world(world.database)
    storage = storage_of(world.database)
    assert one(backend, "select count(*) from dba_tables where owner = 'GZ_MAIN'") == 8
    truth = world.truth("DEC_HEAD", "P202508")
    segment = segment_of(storage.table("GZ_MAIN", "DEC_HEAD"), "P202508")
    before = segment.total_bytes
    table = 'alter table gz_main."DEC_HEAD" '
    run(backend, table + "enable row movement", table + "modify partition p202508 shrink space")
    assert before - segment.total_bytes == pytest.approx(truth.reclaimable_bytes, rel=0.05)
    assert {t.action for t in world.truths} == {"shrink", "move", "deallocate", "truncate", "rebuild", "gather", "leave"}
    run(backend, "alter table gz_main.dec_list enable row movement")
    assert code_of(backend, "alter table gz_main.dec_list modify partition p202510 shrink space check") == 10631
    assert code_of(backend, "alter table gz_main.ent_corp_reg shrink space check") == 10635


def logged_on_world(database: OracleDatabase) -> SqlBackend:
    database.accounts["MAINT"] = Account("MAINT", "x", {"CREATE SESSION", "DBA"})
    return logged_on(database)


def test_the_same_seed_gives_the_same_world() -> None:
    one_world, other = storage_world(3, "SE2", days=0.1), storage_world(3, "SE2", days=0.1)
    assert one_world.truths == other.truths != storage_world(4, "SE2", days=0.1).truths
    assert {t.partition for t in one_world.truths} == {""}


def test_views_over_many_segments_are_built_once_per_change(storage: Storage, backend: SqlBackend) -> None:
    table = making.add_table(storage, "APP", "BIG", COLUMNS, partitioning=Partitioning("RANGE", ("D",)))
    for n in range(1000):
        making.add_partition(storage, table, f"P{n}")
        making.grow(storage, table, 10, f"P{n}")
    assert one(backend, "select count(*) from dba_segments") == 1000
    started = time.monotonic()
    for _ in range(5):
        assert one(backend, "select sum(blocks) from dba_segments where owner = 'APP'") == 8000
    assert time.monotonic() - started < 1.0

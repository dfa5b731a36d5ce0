"""The simulator's storage: blocks and rows, views, SHRINK, statistics and packages, each effect and each refusal by name."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from sandbox.oracle import registry
from sandbox.oracle.backend import Bind, OracleError, OraType
from sandbox.oracle.model import making, statistics
from sandbox.oracle.model.database import Account, OracleDatabase
from sandbox.oracle.model.files import MIB
from sandbox.oracle.model.locks import plant_lock
from sandbox.oracle.model.segments import Segment
from sandbox.oracle.model.spaces import Space, SpaceFile
from sandbox.oracle.model.storage import Storage, storage_of
from sandbox.oracle.model.stored import Partitioning, StoredTable
from sandbox.oracle.sessions import SqlBackend
from sandbox.oracle.sql.dictionary import view_named
from sandbox.oracle.worlds_storage import gain, storage_world
from tests.unit.made_storage import (
    COLUMNS,
    ROWS,
    code_of,
    drop_index,
    logged_on,
    one,
    rows,
    run,
    segment_of,
)

pytest_plugins = ["tests.unit.stored_fixtures"]


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


def test_every_view_gives_only_columns_of_the_dictionary(
    database: OracleDatabase, storage: Storage, table: StoredTable, backend: SqlBackend
) -> None:
    composite = making.add_table(storage, "APP", "C", COLUMNS, partitioning=Partitioning("RANGE", ("D",), "", "HASH", ("ID",)))
    making.add_partition(storage, composite, "C1")
    making.add_index(storage, composite, "C_FX", ["UPPER(NAME)"], kind="FUNCTION-BASED NORMAL", is_local=True, accesses=3)
    making.add_lob(storage, composite, "NAME")
    for n in range(2):
        making.add_partition(storage, composite, f"C1_S{n}", parent="C1")
        making.grow(storage, composite, 500, f"C1_S{n}")
    statistics.gather(storage, composite)
    making.delete(storage, composite, 0.5)
    statistics.flush(storage)
    composite.preferences["INCREMENTAL"] = "TRUE"
    roles = {"log_group": "G", "policy": "P", "queue": "RAW", "flashback_archive": "F", "container_of": "M"}
    composite.roles |= roles | {"immutable": "16", "blockchain": "16"}
    composite.on_commit_view, composite.rowid_view, composite.has_long, database.parts["captures"] = "MV1", "MV2", True, ["OGG"]
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
    assert len(ours) == 53


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
    started = time.process_time()  # whatever else the machine does
    for _ in range(5):
        assert one(backend, "select sum(blocks) from dba_segments where owner = 'APP'") == 8000
    assert time.process_time() - started < 1.0

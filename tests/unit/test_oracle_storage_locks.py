"""Locks, real rows, redo and time in the simulator's storage: each effect and each refusal by name."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest

from sandbox.oracle.backend import OracleError
from sandbox.oracle.model import making
from sandbox.oracle.model.building import add_tablespace
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.files import MIB
from sandbox.oracle.model.locks import EXCLUSIVE, plant_lock, release
from sandbox.oracle.model.operations import add_standby, drop_tablespace
from sandbox.oracle.model.repository import repository_of
from sandbox.oracle.model.storage import Storage, storage_of
from sandbox.oracle.model.stored import StoredTable
from sandbox.oracle.sessions import SqlBackend
from tests.unit.made_storage import (
    code_of,
    in_thread,
    logged_on,
    one,
    real_table,
    rows,
    run,
    segment_of,
    until,
)

pytest_plugins = ["tests.unit.stored_fixtures"]


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
    assert time.monotonic() - started > 0.9
    run(backend, "alter session set ddl_lock_timeout = 60")
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
    thread.join(60)
    assert result[0].code == 1013


def test_an_online_move_waits_for_old_transactions_beyond_any_timeout(
    database: OracleDatabase, plain: StoredTable, backend: SqlBackend
) -> None:
    lock = plant_lock(database, "APP", "H")
    thread, result = in_thread(lambda: run(backend, "alter table app.h move online"))
    time.sleep(0.15)
    assert thread.is_alive(), "DDL_LOCK_TIMEOUT 0 does not bound it"
    release(storage_of(database), lock)
    thread.join(60)
    assert result == [None]


def test_killing_the_holder_frees_the_lock(database: OracleDatabase, plain: StoredTable, backend: SqlBackend) -> None:
    holder = plant_lock(database, "APP", "H", EXCLUSIVE).session
    assert code_of(backend, "alter table app.h shrink space compact") == 54
    run(backend, f"alter system kill session '{holder.sid},{holder.serial}'", "alter table app.h shrink space compact")


def test_dml_waits_for_an_offline_move_and_not_for_an_online_one(database: OracleDatabase, backend: SqlBackend) -> None:
    real_table(database)
    storage, goes_on = storage_of(database), threading.Event()
    storage.pace.before_step = lambda *_: goes_on.wait(60)
    writer = logged_on(database, "APP")
    thread, result = in_thread(lambda: run(backend, "alter table app.r move online"))
    until(lambda: any(o.is_running for o in storage.operations))
    run(writer, "insert into r values (1000, null, 'new')")
    assert thread.is_alive(), "the insert did not wait for the move"
    writer.commit()
    goes_on.set()
    thread.join(60)
    assert result == [None]
    goes_on.clear()
    thread, result = in_thread(lambda: run(backend, "alter table app.r move"))
    until(lambda: any(o.is_running for o in storage.operations))
    waiter, codes = in_thread(lambda: code_of(writer, "insert into r values (1001, null, 'new')"))
    waiter.join(0.15)
    assert waiter.is_alive() and codes == []
    goes_on.set()
    thread.join(60)
    waiter.join(60)
    assert (result, codes) == ([None], [1502]), "the move left the unique index unusable behind it"


def started(storage: Storage, backend: SqlBackend, sql: str) -> tuple[threading.Thread, list[Any]]:
    """A statement that is at work in another thread, 0.3 s for each step."""
    storage.pace.real_s_per_step = 0.3
    thread, result = in_thread(lambda: run(backend, sql))
    until(lambda: any(o.is_running for o in storage.operations))
    return thread, result


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("alter table app.h move online", "alter table app.h move online"),
        ("alter table app.h move online", "alter table app.h enable row movement"),
        ("alter index app.h_ix rebuild online", "alter table app.h move"),
        ("alter table app.h move", "alter index app.h_ix rebuild"),
    ],
)
def test_two_changes_of_one_table_do_not_meet(
    first: str, second: str, storage: Storage, plain: StoredTable, backend: SqlBackend
) -> None:
    thread, result = started(storage, backend, first)
    assert code_of(logged_on(storage.database), second) == 54
    thread.join(60)
    assert result == [None]
    storage.pace.real_s_per_step = 0


def test_rows_changed_during_an_online_move_are_neither_lost_nor_doubled(database: OracleDatabase, backend: SqlBackend) -> None:
    stored, writer = real_table(database), logged_on(database, "APP")
    thread, result = started(storage_of(database), backend, "alter table app.r move online")
    run(writer, "insert into r select id + 1000, d, name from r where id < 50", "delete from r where id >= 400 and id < 500")
    writer.commit()
    thread.join(60)
    assert result == [None]
    assert one(writer, "select count(*) from r") == stored.rows == segment_of(stored).rows == 450
    assert rows(writer, "select id from r where rowid = (select rowid from r where id = 1001)") == [(1001,)]


def test_a_compact_beside_an_open_transaction_loses_nothing(database: OracleDatabase, backend: SqlBackend) -> None:
    stored, writer = real_table(database), logged_on(database, "APP")
    run(backend, "alter table app.r enable row movement", "delete from app.r where id < 250")
    backend.commit()
    run(writer, "update r set name = 'mine' where id = 300")
    run(backend, "alter table app.r shrink space compact")
    writer.commit()
    assert rows(backend, "select count(*), count(decode(name, 'mine', 1)) from app.r") == [(250, 1)]
    before = one(backend, "select rowid from app.r where id = 300")
    run(backend, "alter table app.r shrink space")
    assert one(backend, "select rowid from app.r where id = 300") != before
    assert stored.rows == 250


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
    thread.join(60)
    assert result == [None]
    assert not one(asking, error)
    logged_on(served)


def test_a_session_that_hangs_on_the_archiver_can_be_cancelled(served: OracleDatabase) -> None:
    repository, backend = repository_of(served), logged_on(served)
    repository.recovery_area.limit_bytes = 100 * MIB
    thread, result = in_thread(lambda: run(backend, "alter table app.h move"))
    until(lambda: served.parts.get("archiver_stuck"))
    backend.cancel()
    thread.join(60)
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


def test_files_follow_the_control_file(served: OracleDatabase) -> None:
    repository, backend = repository_of(served), logged_on(served)
    sizes = "select d.bytes - v.bytes from dba_data_files d full join v$datafile v on v.file# = d.file_id"
    repository.files_of("USERS")[0].blocks += 12_800
    add_tablespace(repository, "NEW_DATA", (1.0,))
    assert rows(backend, sizes) == [(0,)] * 5
    drop_tablespace(repository, "NEW_DATA")
    assert one(backend, "select count(*) from dba_data_files") == 4
    assert rows(backend, "select 1 from dba_tablespaces where tablespace_name = 'NEW_DATA'") == []
    free = "select sum(bytes) from dba_free_space where tablespace_name = 'USERS'"
    before = one(backend, free)
    repository.files_of("USERS")[0].blocks += 128
    assert one(backend, free) == before + MIB

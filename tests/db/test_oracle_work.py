"""The sessions that change an Oracle database, on the simulator: the lock for changes, figures, deadlines, what is told."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from drydock.changing.hands import ChangeFailed, GateClosed
from drydock.engines.oracle import OracleEndpoint, RunIdentity
from drydock.engines.oracle_gate_figures import RECOVERY_AREA, Declared, _archives, standby_lags
from drydock.engines.oracle_statements import Segment, Statement, compose, kill_session, row_movement, unused_space
from drydock.engines.oracle_work import OracleEyes, OracleTarget, lock_id
from drydock.estate import Engine
from drydock.gate import stop_of
from drydock.outcomes import Interlock, StopReason
from drydock.plans import ObjectKind, ObjectRef
from drydock.settings import include_dir
from drydock.sqlfiles import parse_sql_file, sql_file, statements
from sandbox.oracle import worlds
from sandbox.oracle.model.archiving import switch_log
from sandbox.oracle.model.database import Account, OracleDatabase, ScriptedError
from sandbox.oracle.model.locks import EXCLUSIVE, plant_lock, release
from sandbox.oracle.model.operations import add_standby, fail_destination
from sandbox.oracle.model.repository import repository_of
from sandbox.oracle.model.storage import storage_of
from sandbox.oracle.model.storage_work import resume_archiving
from sandbox.oracle.server import OracleServer
from sandbox.oracle.sessions import DatabaseAccounts
from tests.faults.gate_world import GateWorld, gate_world
from tests.unit import build as b
from tests.unit.made_storage import real_table

BOUNDS = {"lock_wait_s": 1, "deadline_s": 20.0}
TABLE = Segment("APP", "R")
IDENTITY = RunIdentity("reclaim.work", "r1")


def granted(name: str) -> set[str]:
    texts = statements(parse_sql_file(include_dir() / "sql" / "oracle" / "grants" / f"{name}.sql"))
    return {re.sub(r"\s+TO\s+&account$", "", text.removeprefix("GRANT ")) for text in texts}


@pytest.fixture(scope="module")
def simulated() -> OracleDatabase:
    found = worlds.plain(7)
    found.accounts["WORK"] = Account("WORK", "pass", granted("session") | granted("gate") | {"ALTER ANY TABLE", "ANALYZE ANY"})
    found.accounts["DOG"] = Account("DOG", "pass", granted("watchdog"))
    found.accounts["BARE"] = Account("BARE", "pass", {"CREATE SESSION"})
    found.accounts.setdefault("APP", Account("APP", "pass", {"CREATE SESSION"}))
    real_table(found)
    return found


@pytest.fixture(scope="module")
def server(simulated: OracleDatabase) -> Iterator[OracleServer]:
    with OracleServer(DatabaseAccounts(simulated)) as running:
        yield running


def connect_as(simulated: OracleDatabase, server: OracleServer, account: str):
    return OracleEndpoint("127.0.0.1", server.port, simulated.service, account, "pass").connect


@pytest.fixture
def target(simulated: OracleDatabase, server: OracleServer) -> Iterator[OracleTarget]:
    made = opened(simulated, server)
    yield made
    made.close()


def opened(simulated: OracleDatabase, server: OracleServer, account: str = "WORK") -> OracleTarget:
    dog = connect_as(simulated, server, "DOG")
    return OracleTarget(b.database(engine="oracle"), connect_as(simulated, server, account), IDENTITY, watchdog_connect=dog)


def sleeping(seconds: int) -> Statement:
    """A block of a test that takes its time."""
    file = sql_file("oracle", "gate", "take_change_lock")
    return Statement(file, f"BEGIN dbms_lock.sleep({seconds}); END;")


def test_a_change_tells_what_it_cost(target: OracleTarget) -> None:
    assert target.take_change_lock()
    done = target.send(row_movement(TABLE, enabled=True), **BOUNDS)
    assert done.error == ""
    assert done.log_bytes is not None and done.log_bytes >= 0
    assert done.statement == 'row_movement: ALTER TABLE "APP"."R" ENABLE ROW MOVEMENT'


def test_one_change_lock(simulated: OracleDatabase, server: OracleServer, target: OracleTarget) -> None:
    assert target.take_change_lock()
    assert target.take_change_lock()
    second = opened(simulated, server)
    assert not second.take_change_lock()
    target.close()
    assert any(second.take_change_lock() or time.sleep(0.1) for _ in range(100)), "it outlived its session"
    second.close()


def test_the_lock_is_kept_over_a_commit(simulated: OracleDatabase, server: OracleServer, target: OracleTarget) -> None:
    assert target.take_change_lock()
    target.session.connection.commit()
    second = opened(simulated, server)
    assert not second.take_change_lock()
    second.close()


def test_without_the_grant_there_is_no_lock(simulated: OracleDatabase, server: OracleServer) -> None:
    bare = opened(simulated, server, "BARE")
    with pytest.raises(ChangeFailed) as failed:
        bare.take_change_lock()
    assert failed.value.code == "ORA-06550"
    with pytest.raises(ChangeFailed) as failed:
        bare.figures()
    assert failed.value.kind == "privilege"
    bare.close()


def test_a_refused_logon_is_told(simulated: OracleDatabase, server: OracleServer) -> None:
    endpoint = OracleEndpoint("127.0.0.1", server.port, simulated.service, "WORK", "wrong")
    with pytest.raises(ChangeFailed) as failed:
        OracleEyes(b.database(engine="oracle"), endpoint.connect, IDENTITY)
    assert (failed.value.code, failed.value.retry) == ("ORA-01017", False)


def test_the_figures_of_a_primary_at_rest(target: OracleTarget) -> None:
    told = target.figures()
    assert (told.role, told.open_mode, told.waiting_sessions, told.longest_transaction_s) == ("primary", "read_write", 0, 0)
    assert (told.has_standby, told.standby_lag_s, told.beside) == (False, None, ())
    assert told.sessions_per_core is not None
    assert told.recovery_area_free_bytes is None or told.recovery_area_free_bytes > 0


def test_an_old_transaction_is_seen(simulated: OracleDatabase, target: OracleTarget) -> None:
    lock = plant_lock(simulated, "APP", "R", EXCLUSIVE, age=timedelta(hours=2))
    assert 7199 <= target.figures().longest_transaction_s <= 7260
    release(storage_of(simulated), lock)
    assert target.figures().longest_transaction_s == 0


def test_a_statement_past_its_deadline_is_cancelled(target: OracleTarget) -> None:
    target.take_change_lock()
    with pytest.raises(ChangeFailed) as failed:
        target.send(sleeping(30), lock_wait_s=1, deadline_s=0.2)
    assert (failed.value.code, failed.value.done.error, failed.value.retry) == ("ORA-01013", "ORA-01013", False)
    assert [i.how for i in target.watchdog.interventions] == ["cancel_sql"]
    assert failed.value.done.elapsed_s < 5
    assert target.send(row_movement(TABLE, enabled=False), **BOUNDS).error == ""


def test_a_killed_session_has_lost_the_lock_and_is_renewed(
    simulated: OracleDatabase, server: OracleServer, target: OracleTarget
) -> None:
    assert target.take_change_lock()
    killer = connect_as(simulated, server, "DOG")()
    told = target.session.connection
    with killer.cursor() as cursor:
        cursor.execute(kill_session(told.session_id, told.serial_num).text)
    killer.close()
    with pytest.raises(ChangeFailed) as failed:
        target.send(row_movement(TABLE, enabled=True), **BOUNDS)
    assert failed.value.code in ("ORA-00028", "DPY-1001", "change_lock_lost")
    target.rows("session", "own_session")  # a read logs on anew, where the lock is not held
    with pytest.raises(ChangeFailed, match="change_lock_lost"):
        target.send(row_movement(TABLE, enabled=True), **BOUNDS)
    assert target.renew()
    assert target.send(row_movement(TABLE, enabled=True), **BOUNDS).error == ""


def test_a_lock_that_is_not_had_may_be_tried_for_again(simulated: OracleDatabase, target: OracleTarget) -> None:
    simulated.scripted_errors.append(ScriptedError("ENABLE ROW MOVEMENT", 54, "resource busy and acquire with NOWAIT specified"))
    with pytest.raises(ChangeFailed) as failed:
        target.send(row_movement(TABLE, enabled=True), **BOUNDS)
    assert (failed.value.code, failed.value.kind, failed.value.retry) == ("ORA-00054", "wait_and_retry", True)


def test_there_is_no_transaction_of_several_changes(target: OracleTarget) -> None:
    with pytest.raises(ChangeFailed, match="no_transaction"), target.transaction():
        raise AssertionError("nothing is done inside")


def test_eyes_ask_only_what_only_reads(simulated: OracleDatabase, server: OracleServer) -> None:
    eyes = OracleEyes(b.database(engine="oracle"), connect_as(simulated, server, "WORK"), IDENTITY)
    assert eyes.ask(unused_space(TABLE, "TABLE"))["total_blocks"] > 0
    with pytest.raises(ValueError, match="only hands"):
        eyes.ask(row_movement(TABLE, enabled=True))
    file = sql_file("oracle", "gate", "take_change_lock")
    with pytest.raises(ValueError, match="only hands"):
        eyes.ask(Statement(file, compose(file)))
    eyes.close()


def test_the_lock_of_masking_is_seen(simulated: OracleDatabase, server: OracleServer, target: OracleTarget) -> None:
    other = connect_as(simulated, server, "WORK")()
    with other.cursor() as cursor:
        cursor.execute(
            "BEGIN :a := dbms_lock.request(:id, dbms_lock.x_mode, 0, FALSE); END;",
            {"a": cursor.var(int), "id": lock_id("masking")},
        )
    assert target.figures().beside == ("masking_running",)
    other.close()
    assert target.figures().beside == ()


def night_on(target: OracleTarget, monkeypatch: pytest.MonkeyPatch) -> GateWorld:
    """The healthy world of the gate, with this target in it, and room for archived logs of a small site."""
    world = gate_world(monkeypatch)
    world.set_database(engine=Engine.ORACLE)
    world.set_item({"object": ObjectRef(kind=ObjectKind.TABLE, owner="APP", name="R"), "needed_bytes": 10**6}, log_bytes=10**6)
    world.set_policy(min_archive_free_bytes=10**6)
    world.target = target
    return world


def test_every_interlock_is_open_on_a_healthy_primary(target: OracleTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    world = night_on(target, monkeypatch)
    answers = world.ask()
    assert [(a.interlock.value, a.reason, a.figures) for a in answers if not a.is_open] == []
    assert answers[8].figures["archive_free_bytes"] > 0
    assert answers[9].figures["free_bytes"] > 10**6
    hands = world.hands()
    hands.change(row_movement(TABLE, enabled=True))
    hands.put_back(row_movement(TABLE, enabled=False))
    assert [(s.put_back, s.done.error) for s in world.ledger.statements] == [(False, ""), (True, "")]


def test_interlocks_close_on_what_oracle_says(
    simulated: OracleDatabase, server: OracleServer, target: OracleTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = night_on(target, monkeypatch)
    lock = plant_lock(simulated, "APP", "R", EXCLUSIVE, age=timedelta(hours=2))
    assert world.ask()[-1].reason == "old_transaction"
    release(storage_of(simulated), lock)
    world.set_policy(min_archive_free_bytes=10**15)
    assert world.ask()[-1].reason == "archive_full"
    world.set_policy(min_archive_free_bytes=0)
    world.set_item({"needed_bytes": 10**18})
    assert world.ask()[-1].reason == "space_short"
    world.set_item({"needed_bytes": 0})
    other = opened(simulated, server)
    assert other.take_change_lock()
    assert world.ask()[-1].reason == "other_change_running"
    other.close()
    bare = opened(simulated, server, "BARE")
    world.target = bare
    assert (world.ask()[-1].interlock, world.ask()[-1].reason) == (Interlock.ROLE, "privilege_missing")
    bare.close()


def test_the_gate_is_closed_while_logs_wait_for_the_archiver(
    simulated: OracleDatabase, target: OracleTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, repository = night_on(target, monkeypatch), repository_of(simulated)
    world.set_policy(min_archive_free_bytes=10**6, catch_up_wait_s=0)
    group = next(g for g in repository.threads[0].groups if g.status == "INACTIVE")
    group.archived = False
    answer = world.ask()[-1]
    assert (answer.reason, answer.figures["logs_waiting"], answer.figures["archivers_down"]) == ("archiver_busy", 1, 0)
    group.status = "CLEARING"
    assert world.ask()[-1].is_open, "what an operator clears is archived by nobody"
    group.archived, group.status = True, "INACTIVE"
    fail_destination(repository)
    assert world.ask()[-1].reason == "archiver_down"
    repository.log_mode = "NOARCHIVELOG"
    assert (target.figures().archivers_down, target.figures().logs_waiting) == (0, 0), "nothing is archived there at all"
    repository.log_mode = "ARCHIVELOG"
    resume_archiving(repository)
    assert world.ask()[-1].is_open


@dataclass(frozen=True)
class Destinations:
    """What the two files of the gate say that tell of archived logs: the places, and the disk groups that can be seen."""

    places: tuple[str, ...]
    groups: tuple[tuple[str, int], ...] = (("DATA", 5), ("FRA", 70))

    def rows(self, _: str, name: str) -> list[dict[str, object]]:
        assert name == "disk_groups"
        return [{"name": group, "free_bytes": free} for group, free in self.groups]

    def seen(self, told: int | None, folder: str = "/u03/arch") -> tuple[int | None, int]:
        standby = {"target": "STANDBY", "destination": "/of/the/standby"}
        targets = [*({"target": "LOCAL", "destination": p} for p in self.places), standby]
        return _archives(self, targets, Declared(folder, told))


def test_the_room_of_every_archive_is_known_or_counted_as_unseen() -> None:
    """A folder does not show in any view: only the estate's declared place tells its room (backup.places.logs)."""
    assert Destinations((RECOVERY_AREA,)).seen(None) == (None, 0), "the area has a figure of its own"
    assert Destinations(("/u03/arch",)).seen(None) == (None, 1)
    assert Destinations(("/u03/arch",)).seen(900) == (900, 0)
    assert Destinations((RECOVERY_AREA, "/u03/arch", "/u03/arch")).seen(None) == (None, 1)
    assert Destinations(("+FRA/arch", "/u03/arch")).seen(None) == (70, 1)
    assert Destinations(("+fra",)).seen(None) == (70, 0)
    assert Destinations(("+fra", "+GONE")).seen(900) == (70, 1)


def test_the_declared_folder_tells_the_room_of_no_other_folder() -> None:
    """Of two folders on two disks the other one may be full: it stays unseen, whatever the declared one tells."""
    assert Destinations(("/u03/arch", "/u04/arch")).seen(900) == (900, 1)
    assert Destinations(("/u03/arch/", "/u03/arch")).seen(900) == (900, 0), "a slash at the end makes no other folder"
    assert Destinations(("/u03/arch", "/u04/arch")).seen(900, "/backup/logs") == (900, 2)
    assert Destinations(("/u03/arch",)).seen(900, "/backup/logs") == (900, 1), "where backups keep logs is another disk"
    assert Destinations((RECOVERY_AREA,)).seen(900, "/backup/logs") == (900, 0)


def test_a_standby_is_behind_by_the_logs_that_it_lacks() -> None:
    t0 = b.AS_OF
    here = {"dest": 1, "target": "LOCAL", "status": "VALID", "destination": "/a", "thread": 1, "applied_until": None}
    there = {"dest": 2, "target": "STANDBY", "status": "VALID", "destination": "sby", "thread": 1, "archived_until": t0}
    rows = [here | {"archived_until": t0}, there | {"applied_until": t0 - timedelta(seconds=40)}]
    assert standby_lags(rows) == [40.0]
    assert standby_lags([rows[0], there | {"applied_until": t0}]) == [0.0]
    assert standby_lags([rows[0], there | {"applied_until": None}]) == [None]
    assert standby_lags([rows[0], there | {"applied_until": t0, "status": "ERROR"}]) == [None]
    assert standby_lags(rows[:1]) == []


def test_a_standby_is_seen(simulated: OracleDatabase, target: OracleTarget) -> None:
    add_standby(repository_of(simulated), "sby")
    told = target.figures()
    assert told.has_standby is True


def test_a_standby_that_falls_twice_as_far_behind_stops_the_item(
    simulated: OracleDatabase, target: OracleTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, repository = night_on(target, monkeypatch), repository_of(simulated)
    world.set_policy(min_archive_free_bytes=10**6, catch_up_wait_s=0)
    monkeypatch.setattr("drydock.interlocks.FIGURES_FRESH_S", -1.0)
    if not any(d.target == "STANDBY" for d in repository.destinations):
        add_standby(repository, "sby")

    def ship(applied: str) -> None:
        """Two minutes go by, a log is full, shipped, and applied or not."""
        simulated.clock.advance(timedelta(seconds=120))
        switch_log(repository, repository.threads[0], repository.now)
        for log in (one for one in repository.archived_logs if one.standby_dest):
            log.applied = "YES"
        log.applied = applied

    ship("YES")
    hands = world.hands()
    hands.change(row_movement(TABLE, enabled=True))
    ship("NO")
    with pytest.raises(GateClosed) as closed:
        hands.change(row_movement(TABLE, enabled=False))
    answer = closed.value.answer
    assert (answer.reason, answer.figures["lag_at_start_s"]) == ("standby_lag_doubled", 0)
    assert (stop_of(answer), 119 <= answer.figures["standby_lag_s"] <= 130) == (StopReason.LAG, True)
    hands.put_back(row_movement(TABLE, enabled=False))
    ship("YES")
    assert world.ask()[-1].is_open

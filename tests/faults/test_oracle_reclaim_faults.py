"""Reclaim on Oracle while things go wrong: the session is killed or cut at every statement, the worker dies, locks are held,
space runs out, objects change. Afterwards every setting is back, no index is unusable, and nothing was done twice."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from drydock.changing.hands import ChangeFailed, GateClosed
from drydock.engines.oracle_statements import Statement
from drydock.outcomes import Outcome
from drydock.plans import Candidate, Found
from drydock.reclaim.oracle import doing
from drydock.reclaim.oracle import trade as trade_module
from drydock.reclaim.oracle.trade import OracleReclaim
from drydock.verdicts import Status
from sandbox.oracle.model import making
from sandbox.oracle.model.database import OracleDatabase, ScriptedError
from sandbox.oracle.model.locks import EXCLUSIVE, plant_lock, release
from sandbox.oracle.model.repository import repository_of
from sandbox.oracle.model.segments import Segment
from sandbox.oracle.model.storage import storage_of
from sandbox.oracle.model.stored import StoredTable
from sandbox.oracle.sessions import open_simulator
from tests.oracle import reclaim_yard as y
from tests.thorough import points

JOIN = {"kind": "BITMAP", "is_join": True}
FUNCTION = {"kind": "FUNCTION-BASED NORMAL"}
PART = "p 1"
ANY_ERROR = (ChangeFailed, GateClosed)


class WorkerDied(BaseException):
    """The process is no more: nothing that it would still do happens."""


def holes(database: OracleDatabase) -> StoredTable:
    return y.add_parted(database, y.HOLES)


def under_function(database: OracleDatabase) -> StoredTable:
    table = y.add_parted(database, y.HOLES)
    making.add_index(storage_of(database), table, "F X", ["UPPER(NAME)"], is_local=True, **FUNCTION)
    return table


def many_indexes(database: OracleDatabase) -> StoredTable:
    table = y.add_parted(database, y.HOLES)
    for n in range(3):
        making.add_index(storage_of(database), table, f"X{n}", ["NAME"], is_local=True, **(JOIN if n == 0 else {}))
    return table


def emptied(database: OracleDatabase) -> StoredTable:
    return y.add_parted(database, y.HOLES, gone=1.0)


WORLDS: dict[str, Callable[[OracleDatabase], StoredTable]] = {
    "shrink": holes,
    "move_online": under_function,
    "move": many_indexes,
    "truncate": emptied,
}


@dataclass
class Place:
    """One world with its listener and what is remembered over all attempts."""

    database: OracleDatabase
    table: StoredTable
    server: Any
    candidate: Candidate
    memory: y.Memory = field(default_factory=y.Memory)
    trade: OracleReclaim = field(default_factory=lambda: OracleReclaim(slice_s=5, pause=lambda _: None))

    @property
    def segment(self) -> Segment:
        segment = self.table.pieces[0].segment
        assert segment
        return segment

    @contextmanager
    def hands(self, **more: Any) -> Iterator[y.Hands]:
        session = y.session_of(self.database, self.server.port)
        try:
            yield y.Hands(session, item=y.item_of(self.candidate), memory=self.memory, **more)
        finally:
            session.close()

    def attempt(self, **more: Any) -> Outcome:
        """As the steps do it: what is left of an earlier attempt is put right, then the item is done."""
        with self.hands(**more) as hands:
            repaired = self.trade.repair(hands)
            return self.trade.work(hands).model_copy(update={"repaired": repaired})

    def sent(self, word: str) -> int:
        """How many statements with the word worked."""
        return sum(word in s.statement and not s.error for s in self.memory.statements)

    def is_unharmed(self) -> bool:
        return not self.table.row_movement and not any(i.is_unusable for i in self.table.indexes) and self.table.degree == "1"


@cache
def surveyed(action: str) -> Found:
    """What a survey finds in the world of an action: the same seed gives the same objects each time."""
    database = fresh(action)
    with open_simulator(database) as server:
        eyes = y.Eyes(y.session_of(database, server.port))
        found = y.surveyed(eyes, database)
        eyes.close()
    assert [c.action for c in found.candidates] == [action]
    return found


def fresh(action: str) -> OracleDatabase:
    database = y.small_database(app_gib=0.06)
    WORLDS[action](database)
    return database


@contextmanager
def place(action: str) -> Iterator[Place]:
    database = fresh(action)
    with open_simulator(database) as server:
        table = storage_of(database).table(y.OWNER, y.HOLES)
        yield Place(database, table, server, surveyed(action).candidates[0])


# --- killed and cut at every statement ---------------------------------------------------------------------------------


def kill(spot: Place) -> None:
    """ALTER SYSTEM KILL SESSION for every session of ours."""
    for state in list(spot.database.sessions.values()):
        state.is_killed = True
        state.backend.cancel()
        state.backend.rollback()


def cut(spot: Place) -> None:
    for sid in list(spot.database.sessions):
        spot.server.cut(sid)


@dataclass
class Fault:
    """At statement `number`, before or after it: the session is killed or cut, or the worker dies."""

    number: int
    when: str
    what: str
    has_struck: bool = False

    def strike(self, spot: Place) -> None:
        self.has_struck = True
        if self.what == "killed":
            kill(spot)
        else:
            cut(spot)
        if self.what == "worker":
            raise WorkerDied

    def more(self, spot: Place) -> dict[str, Any]:
        def at(when: str) -> Callable[[int, Statement], None]:
            def act(number: int, statement: Statement) -> None:
                if self.what == "worker" and self.has_struck:
                    raise WorkerDied
                if (number, when) == (self.number, self.when):
                    self.strike(spot)

            return act

        return {"before_each": at("before"), "after_each": at("after")}


STATEMENTS = {"shrink": 6, "move_online": 2, "move": 7, "truncate": 2}
FAULTS = [(when, what) for when in ("before", "after") for what in ("killed", "cut", "worker")]
PLACES = [(action, n) for action, count in STATEMENTS.items() for n in range(1, count + 1)]
SEED, POINTS, USUAL_POINTS = 20261122, 60, 20


def sixty() -> list[tuple[str, int, str, str]]:
    """Sixty of all the points, by seed: each statement has some, and each fault is among them."""
    rng, found = random.Random(SEED), {place: [] for place in PLACES}
    while sum(map(len, found.values())) < POINTS:
        for faults in found.values():
            if sum(map(len, found.values())) < POINTS:
                faults.append(rng.choice([f for f in FAULTS if f not in faults]))
    return [(*at, *fault) for at, faults in found.items() for fault in faults]


CHOSEN = points(sixty(), USUAL_POINTS, kind=lambda point: point[:2])


def test_there_are_enough_points() -> None:
    assert len(set(sixty())) == POINTS
    for chosen in (sixty(), CHOSEN):
        assert {(action, n) for action, n, *_ in chosen} == set(PLACES)
        assert {(when, what) for *_, when, what in chosen} == set(FAULTS)


@pytest.mark.parametrize("action", list(STATEMENTS))
def test_without_a_fault(action: str) -> None:
    with place(action) as spot:
        outcome = spot.attempt()
        assert outcome.status is Status.PASS and outcome.freed_bytes > 1024**2
        assert len(spot.memory.statements) == STATEMENTS[action] and spot.is_unharmed()


@pytest.mark.parametrize(("action", "number", "when", "what"), CHOSEN, ids=["-".join(map(str, point)) for point in CHOSEN])
def test_stopped_at_every_statement(action: str, number: int, when: str, what: str) -> None:
    with place(action) as spot:
        rows = spot.table.rows
        fault = Fault(number, when, what)
        try:
            spot.attempt(**fault.more(spot))
        except (*ANY_ERROR, WorkerDied):
            pass
        assert fault.has_struck
        outcome = spot.attempt()
        told = (outcome.reason, outcome.repaired, [(s.statement[:80], s.error) for s in spot.memory.statements])
        assert outcome.status is Status.PASS, told
        assert spot.is_unharmed(), told
        assert spot.sent(" MOVE ") <= 1 and spot.sent(" TRUNCATE ") <= 1, told
        assert outcome.before["bytes"] == spot.candidate.size_bytes and spot.table.rows == rows, told
        assert outcome.after["bytes"] == spot.segment.total_bytes < spot.candidate.size_bytes, told


@pytest.mark.parametrize("what", [kill, cut])
@pytest.mark.parametrize("action", ["shrink", "move_online", "move"])
def test_stopped_in_the_middle_of_a_statement(action: str, what: Callable[[Place], None]) -> None:
    with place(action) as spot:
        storage = storage_of(spot.database)
        storage.pace.step_blocks = 64
        storage.pace.before_step = lambda session, name, done, total: what(spot) if total // 3 < done < total // 2 else None
        with pytest.raises(ANY_ERROR):
            spot.attempt()
        storage.pace.before_step = None
        packed = spot.segment.blocks_to_pack
        outcome = spot.attempt()
        assert outcome.status is Status.PASS and spot.is_unharmed() and spot.sent(" MOVE ") <= 1
        assert action != "shrink" or packed < spot.segment.capacity * spot.candidate.size_bytes, "what was packed stays packed"


# --- what was left is found and put right -------------------------------------------------------------------------------


def test_row_movement_is_set_back_by_the_next_attempt() -> None:
    with place("shrink") as spot:
        with pytest.raises(WorkerDied):
            spot.attempt(**Fault(3, "after", "worker").more(spot))
        assert spot.table.row_movement, "the worker died before it could set it back"
        with spot.hands() as hands:
            assert spot.trade.repair(hands) == ("row_movement_restored",)
            assert spot.trade.repair(hands) == ()
        assert spot.is_unharmed()


def test_indexes_of_a_broken_off_move_are_rebuilt() -> None:
    with place("move") as spot:
        with pytest.raises(WorkerDied):
            spot.attempt(**Fault(1, "after", "worker").more(spot))
        assert any(i.is_unusable for i in spot.table.indexes)
        with spot.hands() as hands:
            assert spot.trade.repair(hands) == ("indexes_rebuilt",)
        assert spot.is_unharmed()


def test_an_index_that_was_unusable_before_is_left_so() -> None:
    with place("move") as spot:
        old = spot.table.indexes[0].pieces[1]
        old.is_usable = False
        storage_of(spot.database).touch()
        outcome = spot.attempt()
        assert outcome.status is Status.PASS and not old.is_usable
        assert all(p.is_usable for i in spot.table.indexes for p in i.pieces if p is not old)


def test_where_too_many_are_unusable_nothing_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    with place("move") as spot:
        for piece in spot.table.indexes[0].pieces:
            piece.is_usable = False
        storage_of(spot.database).touch()
        count = len(spot.table.indexes[0].pieces)
        monkeypatch.setattr(doing, "LONGEST_LIST", count - 1)
        monkeypatch.setattr(trade_module, "LONGEST_LIST", count - 1)
        outcome = spot.attempt()
        assert (outcome.status, outcome.reason) == (Status.SKIPPED, "too_many_unusable") and spot.memory.statements == []
        # and an attempt that began before they were counted rebuilds none of them: nobody knows which ones it left
        spot.memory.state |= {"rewriting": "1:2"}
        with spot.hands() as hands:
            assert spot.trade.repair(hands) == ()
        assert not any(piece.is_usable for piece in spot.table.indexes[0].pieces) and spot.memory.statements == []


def test_a_week_that_failed_does_not_tell_how_things_were_in_the_next() -> None:
    with place("move") as spot:
        with pytest.raises(WorkerDied):
            spot.attempt(**Fault(1, "before", "worker").more(spot))
        spot.memory.state |= {"before_bytes": 5}
        old = spot.table.indexes[0].pieces[1]
        old.is_usable = False  # by a colleague, in the week between
        storage_of(spot.database).touch()
        outcome = spot.attempt(plan_id=2)
        assert outcome.status is Status.PASS and not old.is_usable and outcome.repaired == ()
        assert outcome.before["bytes"] == spot.candidate.size_bytes and outcome.before["unusable_indexes"] == 1
        assert all(p.is_usable for i in spot.table.indexes for p in i.pieces if p is not old)


# --- locks --------------------------------------------------------------------------------------------------------------


def test_a_lock_that_is_held_fails_the_item_and_harms_nothing() -> None:
    with place("shrink") as spot:
        lock = plant_lock(spot.database, y.OWNER, y.HOLES)
        with pytest.raises(ChangeFailed) as failed:
            spot.attempt()
        assert (failed.value.code, failed.value.kind) == ("ORA-00054", "wait_and_retry") and spot.is_unharmed()
        release(storage_of(spot.database), lock)
        assert spot.attempt().status is Status.PASS


def test_a_lock_that_comes_in_the_middle_leaves_row_movement_for_the_repair() -> None:
    with place("shrink") as spot:
        locks: list[Any] = []

        def lock(number: int, statement: Statement) -> None:
            if number == 4:
                locks.append(plant_lock(spot.database, y.OWNER, y.HOLES, EXCLUSIVE))

        with pytest.raises(ChangeFailed, match="ORA-00054"):
            spot.attempt(before_each=lock)
        assert spot.table.row_movement
        release(storage_of(spot.database), locks[0])
        outcome = spot.attempt()
        assert outcome.status is Status.PASS and outcome.repaired == ("row_movement_restored",) and spot.is_unharmed()


def test_an_old_transaction_keeps_an_online_move_from_beginning() -> None:
    with place("move_online") as spot:
        plant_lock(spot.database, y.OWNER, y.HOLES, age=timedelta(minutes=20))
        outcome = spot.attempt()
        assert (outcome.status, outcome.reason) == (Status.SKIPPED, "old_transaction_on_table")
        assert spot.memory.statements == []


# --- space, undo, recovery area -----------------------------------------------------------------------------------------


def fill(spot: Place) -> None:
    """Another session takes all that is free in the tablespace."""
    space = spot.segment.space
    for file in space.files:
        file.free = []
    storage_of(spot.database).touch()


def test_a_tablespace_without_room_is_not_begun() -> None:
    with place("move_online") as spot:
        fill(spot)
        outcome = spot.attempt()
        assert (outcome.status, outcome.reason) == (Status.SKIPPED, "tablespace_too_small") and spot.memory.statements == []


def test_a_tablespace_that_fills_up_meanwhile() -> None:
    with place("move_online") as spot:
        kept = [(f, f.free) for f in spot.segment.space.files]
        with pytest.raises(ChangeFailed) as failed:
            spot.attempt(before_each=lambda number, statement: fill(spot))
        assert (failed.value.code, failed.value.kind) == ("ORA-01652", "needs_space") and spot.is_unharmed()
        for file, free in kept:
            file.free = free
        storage_of(spot.database).touch()
        assert spot.attempt().status is Status.PASS and spot.sent(" MOVE ") == 1


def test_undo_that_runs_out() -> None:
    with place("shrink") as spot:
        undo = storage_of(spot.database).undo
        undo.active_blocks = undo.space.blocks
        with pytest.raises(ChangeFailed) as failed:
            spot.attempt()
        assert failed.value.code == "ORA-30036" and spot.is_unharmed()
        undo.active_blocks = 0
        assert spot.attempt().status is Status.PASS


def test_a_full_recovery_area_stops_the_slices_when_the_gate_closes() -> None:
    with place("shrink") as spot:
        repository = repository_of(spot.database)
        repository.threads[0].log_bytes = 1024**2
        repository.recovery_area.limit_bytes = 1
        storage_of(spot.database).pace.step_blocks = 20
        spot.trade.slice_s, before = 0.1, spot.segment.blocks_to_pack
        with pytest.raises(GateClosed):
            spot.attempt(closes_at=6)
        assert spot.is_unharmed(), "row movement is set back also when the gate is closed"
        compacts = [s for s in spot.memory.statements if "COMPACT" in s.statement]
        assert len(compacts) == 3 and {s.error for s in compacts} <= {"ORA-01013", "DPY-4024"}
        assert 0 < spot.segment.blocks_to_pack < before, "what the slices did is kept"


@pytest.mark.parametrize(("closes_at", "error"), [(4, GateClosed), (99, ChangeFailed)])
def test_a_slice_that_ends_early_is_the_window_or_a_person(closes_at: int, error: type[Exception]) -> None:
    with place("shrink") as spot:
        pace = storage_of(spot.database).pace
        pace.step_blocks, pace.real_s_per_step = 20, 0.03
        with pytest.raises(error):
            spot.attempt(closes_at=closes_at, left_s=0.1)
        assert spot.is_unharmed() and sum("COMPACT" in s.statement for s in spot.memory.statements) == 1


def test_an_error_of_the_recovery_area_is_told_by_its_code() -> None:
    with place("shrink") as spot:
        spot.database.scripted_errors.append(ScriptedError("SHRINK SPACE COMPACT", 19809, "limit exceeded for recovery files"))
        with pytest.raises(ChangeFailed) as failed:
            spot.attempt()
        assert (failed.value.code, failed.value.kind) == ("ORA-19809", "needs_space") and spot.is_unharmed()


# --- the object, the database -------------------------------------------------------------------------------------------


def test_a_partition_that_is_gone_or_another() -> None:
    with place("shrink") as spot:
        storage = storage_of(spot.database)
        piece = spot.table.pieces[0]
        spot.table.pieces.remove(piece)
        storage.touch()
        with spot.hands() as hands:
            assert spot.trade.is_same(hands, hands.item) == "object_gone"
            assert spot.trade.repair(hands) == () and spot.trade.work(hands).reason == "object_gone"
        making.add_partition(storage, spot.table, PART, space="APP_DATA")
        making.grow(storage, spot.table, 30_000, PART)
        with spot.hands() as hands:
            assert spot.trade.is_same(hands, hands.item) == "object_gone", "the same name, another object"
        assert spot.memory.statements == []


def test_an_object_that_somebody_else_rewrote() -> None:
    with place("move_online") as spot:
        spot.segment.data_object_id += 1000
        storage_of(spot.database).touch()
        outcome = spot.attempt()
        assert (outcome.status, outcome.reason) == (Status.SKIPPED, "object_rewritten") and spot.memory.statements == []


def test_what_an_older_plan_wrote_down_does_not_count() -> None:
    with place("move_online") as spot:
        spot.memory.state = {
            "before_identity": "1:2",
            "before_bytes": 5,
            "before_blocks": 1,
            "rewriting": "1:2",
            "plan_id": 1,
        }
        outcome = spot.attempt()
        assert outcome.status is Status.PASS and spot.sent(" MOVE ") == 1 and outcome.freed_bytes > 1024**2


def test_an_index_made_since_the_plan_forbids_the_shrink() -> None:
    with place("shrink") as spot:
        making.add_index(
            storage_of(spot.database), spot.table, "F X", ["UPPER(NAME)"], kind="FUNCTION-BASED NORMAL", is_local=True
        )
        outcome = spot.attempt()
        assert (outcome.status, outcome.reason, outcome.before) == (Status.SKIPPED, "shrink_refused", {"error": "ORA-10631"})
        assert spot.is_unharmed()


def test_rows_that_came_since_the_plan_are_not_truncated() -> None:
    with place("truncate") as spot:
        making.grow(storage_of(spot.database), spot.table, 1, PART)
        assert spot.attempt().reason == "partition_not_empty"
        making.delete(storage_of(spot.database), spot.table, 1.0, PART)
        plant_lock(spot.database, y.OWNER, y.HOLES)
        assert spot.attempt().reason == "table_in_use" and spot.memory.statements == []


def test_a_database_that_became_a_standby() -> None:
    with place("shrink") as spot:
        text = "database or pluggable database open for read-only access"
        spot.database.scripted_errors.append(ScriptedError("ALTER TABLE", 16000, text, times=99))
        with pytest.raises(ChangeFailed) as failed:
            spot.attempt()
        assert failed.value.code == "ORA-16000" and not spot.table.row_movement


def test_statistics_that_are_locked_or_fail_do_not_fail_the_work() -> None:
    with place("shrink") as spot:
        spot.table.lock_kind = "ALL"
        storage_of(spot.database).touch()
        outcome = spot.attempt()
        assert outcome.status is Status.PASS and outcome.after["statistics_gathered"] is None
    with place("shrink") as spot:
        spot.database.scripted_errors.append(ScriptedError("gather_table_stats", 20000, "unable to analyze"))
        outcome = spot.attempt()
        assert outcome.status is Status.PASS and outcome.after["statistics_gathered"] is False
        with spot.hands() as hands:
            found = {f.code for f in spot.trade.verify(hands, [outcome], spot.trade.world(hands))}
        assert found == {"statistics_not_gathered"}


def test_the_check_after_the_work_sees_what_went_wrong() -> None:
    with place("shrink") as spot, spot.hands() as hands:
        before = spot.trade.world(hands)
        outcome = spot.trade.work(hands)
        assert spot.trade.verify(hands, [outcome], before) == []
        spot.table.row_movement = True
        spot.table.indexes[0].pieces[0].is_usable = False
        making.add_key(storage_of(spot.database), spot.table, "K", ["ID"]).is_enabled = False
        making.grow(storage_of(spot.database), spot.table, 40_000, PART)
        storage_of(spot.database).touch()
        found = {f.code: f.place for f in spot.trade.verify(hands, [outcome], before)}
        assert found.keys() == {"row_movement_left", "new_unusable_index", "constraint_weakened", "space_came_back"}
        assert found["new_unusable_index"] == f"{y.OWNER}.{y.HOLES} I.{PART}"

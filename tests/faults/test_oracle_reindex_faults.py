"""Index rebuild on Oracle while things go wrong: the session is killed or cut at every statement, the worker dies, locks are
held, space runs out, indexes go. Afterwards degree and logging are back, no index is unusable, and nothing was done twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from drydock.changing.hands import ChangeFailed, GateClosed
from drydock.engines.oracle_statements import Statement, StatementRefused, online_index_clean
from drydock.outcomes import Outcome
from drydock.plans import Candidate
from drydock.reindex.oracle.trade import OracleReindex
from drydock.verdicts import Status
from sandbox.oracle.model.database import OracleDatabase, ScriptedError
from sandbox.oracle.model.locks import EXCLUSIVE, plant_lock, release
from sandbox.oracle.model.storage import storage_of
from sandbox.oracle.model.stored import Index
from sandbox.oracle.sessions import open_simulator
from tests.oracle import reclaim_yard as y
from tests.oracle import reindex_yard as r
from tests.thorough import points

ANY_ERROR = (ChangeFailed, GateClosed)
TABLE = "T'; DROP TABLE x; --报"
PARALLEL = r.POLICY.model_copy(update={"rebuild_degree": 4})
LONG_LOCKS = r.POLICY.model_copy(update={"allow_long_locks": True})


class WorkerDied(BaseException):
    """The process is no more: nothing that it would still do happens."""


@dataclass(frozen=True)
class World:
    """How an index is damaged, what is done about it, and how many statements that takes."""

    action: str
    statements: int
    edition: str = "EE"
    density: float = 0.3
    is_broken: bool = False
    is_local: bool = False
    is_queue: bool = False
    policy: Any = r.POLICY


WORLDS = {
    "online": World("rebuild_online", 2, policy=PARALLEL),
    "partition": World("rebuild_online", 2, is_local=True, policy=PARALLEL),
    "unusable": World("rebuild_online", 2, density=1.0, is_broken=True, policy=PARALLEL),
    "offline": World("rebuild", 1, edition="SE2", density=1.0, is_broken=True, policy=LONG_LOCKS),
    "shrink": World("shrink_index", 2, edition="SE2"),
    "coalesce": World("coalesce", 1, is_queue=True),
}


def fresh(name: str) -> tuple[OracleDatabase, Index]:
    """The world, with a second index that nobody touches."""
    world = WORLDS[name]
    database = y.small_database(world.edition, app_gib=0.1)
    table = r.add_parted(database, TABLE) if world.is_local else r.add_table(database, TABLE)
    index = r.add_index(database, table, r.SPARSE, world.density, is_local=world.is_local, grows_right=world.is_queue)
    r.add_index(database, table, "OTHER", columns=["ID"], is_unique=True)
    if world.is_queue:
        r.flow(database, table)
    if world.is_broken:
        r.break_index(database, index)
    return database, index


@cache
def planned(name: str) -> Candidate:
    """What a survey finds in a world: the same seed gives the same objects each time."""
    database, _ = fresh(name)
    with open_simulator(database) as server:
        eyes = y.Eyes(y.session_of(database, server.port))
        found = r.surveyed(eyes, database, WORLDS[name].policy)
        eyes.close()
    candidate = r.candidate_of(found, r.SPARSE, r.PART if WORLDS[name].is_local else "")
    assert candidate.action == WORLDS[name].action
    return candidate


@dataclass
class Place:
    """One world with its listener and what is remembered over all attempts."""

    name: str
    database: OracleDatabase
    index: Index
    server: Any
    candidate: Candidate
    memory: y.Memory = field(default_factory=y.Memory)
    trade: OracleReindex = field(default_factory=lambda: OracleReindex(slice_s=5, pause=lambda _: None))
    worked: list[str] = field(default_factory=list)

    @contextmanager
    def hands(self, **more: Any) -> Iterator[y.Hands]:
        session, then = y.session_of(self.database, self.server.port), more.pop("after_each", lambda number, statement: None)

        def after(number: int, statement: Statement) -> None:
            self.worked.append(statement.text)
            then(number, statement)

        try:
            yield y.Hands(session, item=y.item_of(self.candidate), memory=self.memory, after_each=after, **more)
        finally:
            session.close()

    def attempt(self, **more: Any) -> Outcome:
        """As the steps do it: what is left of an earlier attempt is put right, then the item is done."""
        with self.hands(**more) as hands:
            repaired = self.trade.repair(hands)
            return self.trade.work(hands).model_copy(update={"repaired": repaired})

    def sent(self, word: str) -> int:
        """How many statements with the word worked, whether we were told or not."""
        return sum(word in text for text in self.worked)

    @property
    def journals(self) -> list[Any]:
        return [o for o in storage_of(self.database).leftovers if o.kind == "JOURNAL"]

    def is_unharmed(self) -> bool:
        """Every index usable, set as it was, and no journal."""
        indexes = self.index.table.indexes
        kept = all(i.degree == "1" and all(p.is_logging for p in i.pieces) for i in indexes)
        return kept and not any(i.is_unusable for i in indexes) and not self.journals


@contextmanager
def place(name: str) -> Iterator[Place]:
    database, index = fresh(name)
    with open_simulator(database) as server:
        yield Place(name, database, index, server, planned(name))


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

    def more(self, spot: Place) -> dict[str, Any]:
        def at(when: str) -> Callable[[int, Statement], None]:
            def act(number: int, statement: Statement) -> None:
                if self.what == "worker" and self.has_struck:
                    raise WorkerDied
                if (number, when) == (self.number, self.when):
                    self.has_struck = True
                    (kill if self.what == "killed" else cut)(spot)
                    if self.what == "worker":
                        raise WorkerDied

            return act

        return {"before_each": at("before"), "after_each": at("after")}


FAULTS = [("before", "killed"), ("before", "worker"), ("after", "killed"), ("after", "cut"), ("after", "worker")]
PLACES = [(name, n) for name, world in WORLDS.items() for n in range(1, world.statements + 1)]
EVERY_POINT = [(*at, *fault) for at in PLACES for fault in FAULTS]
CHOSEN = points(EVERY_POINT, 17, kind=lambda point: point[:2])
EVERY_MIDDLE = [(name, what) for name in WORLDS if name != "offline" for what in (kill, cut)]
IN_THE_MIDDLE = points(EVERY_MIDDLE, 5, kind=lambda point: point[0])


def test_there_are_enough_points() -> None:
    assert len(EVERY_POINT) + len(EVERY_MIDDLE) >= 60
    assert {(name, n) for name, n, *_ in CHOSEN} == set(PLACES) and {(when, what) for *_, when, what in CHOSEN} == set(FAULTS)
    assert {name for name, _ in IN_THE_MIDDLE} == set(WORLDS) - {"offline"} and {what for _, what in IN_THE_MIDDLE} == {kill, cut}


@pytest.mark.parametrize("name", list(WORLDS))
def test_without_a_fault(name: str) -> None:
    with place(name) as spot:
        outcome = spot.attempt()
        assert (outcome.status, outcome.reason, outcome.repaired) == (Status.PASS, "", ())
        assert len(spot.memory.statements) == WORLDS[name].statements
        assert not WORLDS[name].is_local or spot.index.pieces[1].segment.used_blocks > 500, "the other partition is its own item"
        assert spot.is_unharmed()


@pytest.mark.parametrize(("name", "number", "when", "what"), CHOSEN, ids=["-".join(map(str, point)) for point in CHOSEN])
def test_stopped_at_every_statement(name: str, number: int, when: str, what: str) -> None:
    with place(name) as spot:
        fault = Fault(number, when, what)
        try:
            spot.attempt(**fault.more(spot))
        except (*ANY_ERROR, WorkerDied):
            pass
        assert fault.has_struck
        outcome = spot.attempt()
        told = (outcome.reason, outcome.repaired, [(s.statement[:80], s.error) for s in spot.memory.statements])
        assert outcome.status is Status.PASS and spot.is_unharmed(), told
        assert spot.sent(" REBUILD ") <= 1, told
        assert outcome.before["bytes"] == (0 if WORLDS[name].is_broken else spot.candidate.size_bytes), told


@pytest.mark.parametrize(("name", "what"), IN_THE_MIDDLE)
def test_stopped_in_the_middle_of_a_statement(name: str, what: Callable[[Place], None]) -> None:
    with place(name) as spot:
        storage = storage_of(spot.database)
        storage.pace.step_blocks = 16 if name != "unusable" else 1
        struck: list[int] = []

        def strike(session: Any, operation: str, done: int, total: int) -> None:
            if not struck and (done > total // 3 or name == "unusable"):
                struck.append(done)
                what(spot)

        storage.pace.before_step = strike
        with pytest.raises(ANY_ERROR):
            spot.attempt()
        storage.pace.before_step = None
        assert struck
        outcome = spot.attempt()
        assert (outcome.status, spot.is_unharmed()) == (Status.PASS, True), (outcome.reason, outcome.repaired)
        assert spot.sent(" REBUILD ") <= 1


# --- what was left is found and put right -------------------------------------------------------------------------------


def broken_off(spot: Place) -> None:
    """The worker is cut off in the middle of an online rebuild: its journal stays."""
    storage = storage_of(spot.database)
    storage.pace.step_blocks = 16
    storage.pace.before_step = lambda session, name, done, total: kill(spot) if done else None
    with pytest.raises(ANY_ERROR):
        spot.attempt()
    storage.pace.before_step = None
    assert len(spot.journals) == 1


def test_the_journal_of_a_killed_rebuild_is_cleaned_by_its_own_number() -> None:
    with place("online") as spot:
        broken_off(spot)
        other = spot.index.table.indexes[1]
        storage = storage_of(spot.database)
        foreign = type(spot.journals[0])(
            "JOURNAL", other.owner, "SYS_JOURNAL_1", 9, 1, spot.journals[0].since, other.table, other
        )
        storage.leftovers.append(foreign)
        storage.touch()
        with spot.hands() as hands:
            assert spot.trade.repair(hands) == ("journal_cleaned",) and spot.trade.repair(hands) == ()
        assert spot.journals == [foreign], "only our own: the journal of another index is not ours"
        storage.leftovers.remove(foreign)
        storage.touch()
        assert spot.attempt().status is Status.PASS and spot.is_unharmed()
        assert not any("DROP" in s.statement.replace(TABLE, "").replace(y.OWNER, "") for s in spot.memory.statements)


def test_a_journal_that_cannot_be_cleaned_is_tried_for_a_few_times() -> None:
    with place("online") as spot:
        broken_off(spot)
        lock = plant_lock(spot.database, y.OWNER, TABLE)
        before = len(spot.memory.statements)
        outcome = spot.attempt()
        assert (outcome.status, outcome.reason) == (Status.SKIPPED, "being_built")
        assert len(spot.memory.statements) - before == 6, "three tries in the repair, three before the work"
        with spot.hands() as hands:
            failed = outcome.model_copy(update={"status": Status.FAIL})
            assert {f.code for f in spot.trade.verify(hands, [failed], spot.trade.world(hands))} == {"journal_left"}
        release(storage_of(spot.database), lock)
        assert spot.attempt().status is Status.PASS and spot.is_unharmed()


def test_a_rebuild_of_somebody_else_is_left_alone() -> None:
    with place("online") as spot:
        broken_off(spot)
        spot.journals[0].is_live = True
        spot.memory = y.Memory()
        outcome = spot.attempt()
        assert (outcome.status, outcome.reason) == (Status.SKIPPED, "being_built") and spot.memory.statements == []
        with spot.hands() as hands:
            found = r.surveyed(hands, spot.database)
        assert r.left_of(found, r.SPARSE).reason == "being_built"
        spot.journals[0].is_live, spot.journals[0].since = False, spot.database.clock.now() - timedelta(days=2)
        storage_of(spot.database).touch()


def test_no_number_that_means_all_indexes_can_be_asked_for() -> None:
    for number in (0, -1, None):
        with pytest.raises(StatementRefused):
            online_index_clean(number)  # type: ignore[arg-type]


@pytest.mark.parametrize(("degree", "logging"), [("8", True), ("DEFAULT", False), ("1", False)])
def test_degree_and_logging_are_set_back_as_they_were(degree: str, logging: bool) -> None:
    with place("online") as spot:
        spot.index.degree, spot.index.pieces[0].is_logging = degree, logging
        storage_of(spot.database).touch()
        with pytest.raises(WorkerDied):
            spot.attempt(**Fault(1, "after", "worker").more(spot))
        assert spot.index.degree == "4", "the worker died before it could set it back"
        spot.index.pieces[0].is_logging = not logging
        storage_of(spot.database).touch()
        with spot.hands() as hands:
            assert spot.trade.repair(hands) == ("degree_restored", "logging_restored")
        assert (spot.index.degree, spot.index.pieces[0].is_logging) == (degree, logging)
        outcome = spot.attempt()
        assert outcome.status is Status.PASS and spot.sent(" REBUILD ") == 1 and outcome.freed_bytes > 0


# --- locks, space, duplicates -------------------------------------------------------------------------------------------


def test_a_lock_that_is_held_fails_the_item_and_harms_nothing() -> None:
    with place("shrink") as spot:
        lock = plant_lock(spot.database, y.OWNER, TABLE, EXCLUSIVE)
        with pytest.raises(ChangeFailed) as failed:
            spot.attempt()
        assert (failed.value.code, failed.value.kind) == ("ORA-00054", "wait_and_retry") and spot.is_unharmed()
        release(storage_of(spot.database), lock)
        assert spot.attempt().status is Status.PASS


def test_an_old_transaction_keeps_an_online_rebuild_from_beginning() -> None:
    with place("online") as spot:
        plant_lock(spot.database, y.OWNER, TABLE, age=timedelta(minutes=20))
        outcome = spot.attempt()
        assert (outcome.status, outcome.reason) == (Status.SKIPPED, "old_transaction_on_table")
        assert spot.memory.statements == []


def test_a_tablespace_that_fills_up_meanwhile() -> None:
    with place("online") as spot:
        space = spot.index.pieces[0].space
        kept = [(f, f.free) for f in space.files]

        def fill(number: int, statement: Statement) -> None:
            for file in space.files:
                file.free = []

        with pytest.raises(ChangeFailed) as failed:
            spot.attempt(before_each=fill)
        assert (failed.value.code, failed.value.kind) == ("ORA-01652", "needs_space") and spot.is_unharmed()
        for file, free in kept:
            file.free = free
        assert spot.attempt().status is Status.PASS and spot.sent(" REBUILD ") == 1


def test_real_duplicates_stop_the_item_and_no_value_is_told() -> None:
    with place("offline") as spot:
        spot.index.is_unique = spot.index.has_duplicates = True
        outcome = spot.attempt()
        assert (outcome.status, outcome.reason) == (Status.FAIL, "unique_violation")
        assert outcome.after["status"] == "UNUSABLE" and spot.sent(" REBUILD ") == 0
        assert [s.error for s in spot.memory.statements] == ["ORA-01452"]
        spot.index.has_duplicates = False
        assert spot.attempt().status is Status.PASS and spot.is_unharmed()


def test_an_error_that_nobody_expects_leaves_the_settings_as_they_were() -> None:
    with place("online") as spot:
        spot.database.scripted_errors.append(ScriptedError("REBUILD", 16000, "open for read-only access"))
        with pytest.raises(ChangeFailed) as failed:
            spot.attempt()
        assert failed.value.code == "ORA-16000" and spot.is_unharmed()


# --- the index, the database --------------------------------------------------------------------------------------------


def test_an_index_that_is_gone_or_another() -> None:
    with place("online") as spot:
        storage, table = storage_of(spot.database), spot.index.table
        table.indexes.remove(spot.index)
        storage.touch()
        with spot.hands() as hands:
            assert spot.trade.is_same(hands, hands.item) == "object_gone"
            assert spot.trade.repair(hands) == () and spot.trade.work(hands).reason == "object_gone"
            assert spot.trade.sizes(hands, [spot.candidate.object]) == {}
        r.add_index(spot.database, table, r.SPARSE, 0.3)
        with spot.hands() as hands:
            assert spot.trade.is_same(hands, hands.item) == "object_gone", "the same name, another index"
        assert spot.memory.statements == []


def test_an_index_that_somebody_else_rebuilt() -> None:
    with place("online") as spot:
        spot.index.pieces[0].segment.data_object_id += 1000
        storage_of(spot.database).touch()
        outcome = spot.attempt()
        assert (outcome.status, outcome.reason) == (Status.SKIPPED, "object_rewritten") and spot.memory.statements == []


def test_an_index_that_became_unusable_since_the_plan() -> None:
    with place("coalesce") as spot:
        spot.index.pieces[0].is_usable = False
        storage_of(spot.database).touch()
        outcome = spot.attempt()
        assert (outcome.status, outcome.reason) == (Status.SKIPPED, "became_unusable") and spot.memory.statements == []


def test_what_an_older_plan_wrote_down_does_not_count() -> None:
    with place("online") as spot:
        spot.memory.state = {"before_identity": "1:2", "before_bytes": 5, "rebuilding": "1:2", "planned_bytes": 5}
        outcome = spot.attempt()
        assert outcome.status is Status.PASS and spot.sent(" REBUILD ") == 1 and outcome.freed_bytes > 1024**2


def test_what_a_failed_week_wrote_down_at_the_same_size_does_not_count_either() -> None:
    """The plan is another one, though index and size are the same: its settings are those of today."""
    with place("online") as spot:
        with pytest.raises(WorkerDied):
            spot.attempt(**Fault(1, "before", "worker").more(spot))
        assert spot.memory.state["before_degree"] == "1" and spot.memory.state["plan_id"] == 1
        spot.index.degree = "2"  # by a colleague, in the week between; our own degree never came to be
        spot.memory.state |= {"rebuilding": ""}
        storage_of(spot.database).touch()
        outcome = spot.attempt(plan_id=2)
        assert outcome.status is Status.PASS and (outcome.before["degree"], spot.index.degree) == ("2", "2")
        assert spot.memory.state["plan_id"] == 2 and outcome.repaired == ()


def test_the_check_after_the_work_sees_what_went_wrong() -> None:
    with place("online") as spot, spot.hands() as hands:
        before = spot.trade.world(hands)
        outcome = spot.trade.work(hands)
        assert spot.trade.verify(hands, [outcome], before) == []
        spot.index.degree = "16"
        spot.index.table.indexes[1].pieces[0].is_usable = False
        spot.index.pieces[0].segment.grow(2000)
        storage_of(spot.database).touch()
        found = {f.code: f.place for f in spot.trade.verify(hands, [outcome], before)}
        assert found.keys() == {"index_new_unusable", "index_changed", "index_not_smaller"}
        assert found["index_new_unusable"] == f"{y.OWNER}.OTHER"
        spot.index.table.indexes.remove(spot.index)
        storage_of(spot.database).touch()
        assert "index_missing" in {f.code for f in spot.trade.verify(hands, [outcome], before)}

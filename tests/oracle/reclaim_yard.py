"""Hands without a gate, for tests of the Oracle trades: a real session over TCP, a memory that outlives it, faults on call.

What the gate would keep in the ledger stands in `Memory`: a new attempt gets new hands with the same memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import oracledb

from drydock.changing.hands import ChangeFailed, GateClosed, SurveyContext, TargetFigures
from drydock.engines.oracle import OracleEndpoint, OracleSession, RunIdentity, SessionLimits, execute, fetch_rows, open_session
from drydock.engines.oracle_admission import NotForThisTarget
from drydock.engines.oracle_errors import classify, code_of
from drydock.engines.oracle_statements import Statement
from drydock.outcomes import Answer, Interlock, StatementDone
from drydock.plans import Candidate, Estimate, Found, WorkItem
from drydock.policy import ChangePolicy, ReclaimPolicy
from drydock.reclaim.oracle.trade import OracleReclaim
from drydock.sqlfiles import sql_file
from drydock.verdicts import Figure
from sandbox.oracle.backend import OraType
from sandbox.oracle.model import making, statistics
from sandbox.oracle.model.building import Shape
from sandbox.oracle.model.database import Account, OracleDatabase
from sandbox.oracle.model.repository import repository_of
from sandbox.oracle.model.storage import Storage, storage_of
from sandbox.oracle.model.stored import Partitioning, StoredTable
from sandbox.oracle.model.tables import TableColumn
from sandbox.oracle.worlds import lived

YES_OF_A_CHECK = "ORA-10655"
ACCOUNT, PASSWORD = "DRYDOCK_DO", "pass"
LIMITS = SessionLimits(call_timeout_s=20, lock_wait_s=0, attempts=1, pause_s=0.01)


@dataclass
class Memory:
    """What the ledger keeps of one item, over all attempts."""

    state: dict[str, Figure] = field(default_factory=dict)
    statements: list[StatementDone] = field(default_factory=list)


@dataclass
class Eyes:
    """Reads of the product's files on one session."""

    session: OracleSession
    database: Any = None

    def rows(self, pipeline: str, name: str, binds: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        return self._asked(lambda: fetch_rows(self.session, sql_file("oracle", pipeline, name), binds))

    def ask(self, statement: Statement) -> dict[str, Any]:
        if not statement.only_reads:
            raise ValueError("it may change something")
        return self._asked(lambda: execute(self.session, statement))

    def figures(self) -> TargetFigures:
        return TargetFigures()

    def close(self) -> None:
        self.session.close()

    def _asked(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except oracledb.Error as e:
            raise failure(e) from e
        except NotForThisTarget as e:
            raise ChangeFailed("", "not_for_this_target", retry=False) from e


@dataclass
class Hands(Eyes):
    """Changes too. `before_each(number, statement)` may raise, kill or change the world; numbers go on over all statements."""

    item: WorkItem = None  # type: ignore[assignment]
    plan_id: int = 1
    memory: Memory = field(default_factory=Memory)
    before_each: Callable[[int, Statement], None] = lambda number, statement: None
    after_each: Callable[[int, Statement], None] = lambda number, statement: None
    closes_at: int = 1 << 30
    left_s: float | None = None
    policy: ChangePolicy = field(default_factory=ChangePolicy)
    sent: int = 0

    def change(
        self,
        *statements: Statement,
        deadline_s: float | None = None,
        lock_wait_s: float | None = None,
        together: bool = False,
        tries: int = 1,
    ) -> tuple[StatementDone, ...]:
        done = []
        for statement in statements:
            self.ask_gate()
            done.append(self._sent(statement, deadline_s, put_back=False))
        return tuple(done)

    def put_back(
        self, *statements: Statement, lock_wait_s: float | None = None, deadline_s: float | None = None
    ) -> tuple[StatementDone, ...]:
        return tuple(self._sent(s, None, put_back=True) for s in statements)

    def ask_gate(self) -> None:
        if self.sent + 1 >= self.closes_at:
            raise GateClosed(Answer(interlock=Interlock.WINDOW, is_open=False, reason="outside_window"))

    def remember(self, **state: Figure) -> None:
        self.memory.state |= state

    def remembered(self) -> dict[str, Figure]:
        return dict(self.memory.state)

    def progress(self, text: str, ratio: float | None = None) -> None:
        pass

    def _sent(self, statement: Statement, deadline_s: float | None, put_back: bool) -> StatementDone:
        self.sent += 1
        began_at, began, error = datetime.now(UTC), time.monotonic(), ""
        try:
            self.before_each(self.sent, statement)
            bounds = [s for s in (deadline_s, None if put_back else self.left_s) if s is not None]
            execute(self.session, statement, timeout_s=min(bounds, default=None))
            self.after_each(self.sent, statement)
        except oracledb.Error as e:
            error = code_of(e)
            if error == YES_OF_A_CHECK:
                self.after_each(self.sent, statement)
            raise failure(e) from e
        except BaseException:
            error = "cut_off"
            raise
        finally:
            done = StatementDone(
                statement=statement.text[:200],
                started_at=began_at,
                elapsed_s=time.monotonic() - began,
                error=error,
                put_back=put_back,
            )
            self.memory.statements.append(done)
        return done


def failure(error: oracledb.Error) -> ChangeFailed:
    told = classify(error)
    return ChangeFailed(code_of(error), told.kind, told.retry, error)


def session_of(database: OracleDatabase, port: int) -> OracleSession:
    endpoint = OracleEndpoint("127.0.0.1", port, database.service, ACCOUNT, PASSWORD)
    return open_session(endpoint.connect, RunIdentity("reclaim.work", "test"), limits=LIMITS)


def item_of(candidate: Candidate, number: int = 1) -> WorkItem:
    return WorkItem(number=number, candidate=candidate, estimate=Estimate(expected_s=1, worst_s=2, log_bytes=0, runs=0))


OWNER = "App; DROP USER x--"
HOLES, BIG = "Decl; '报关'", "H"
COLUMNS = (
    TableColumn("ID", OraType.NUMBER, precision=18, scale=0),
    TableColumn("NAME", OraType.VARCHAR2, 300),
    TableColumn("BODY", OraType.CLOB),
)
ROWS = 30_000
POLICY = ReclaimPolicy(
    floor_bytes=1024**2, min_freed_bytes=2 * 1024**2, allow_long_locks=True, allow_truncate=True, still_loading_days=7
)
ONE_KEY = Partitioning("RANGE", ("ID",))


def small_database(edition: str = "EE", version: str = "19.25.0.0.0", app_gib: float = 0.5) -> OracleDatabase:
    """A database that lived for minutes, with two tablespaces for an application and an account that may do everything."""
    shape = Shape("GZR", edition=edition, version=version, spaces={"APP_DATA": (app_gib,), "APP_IDX": (1.0,)})
    database = lived(3, shape, days=0.02)
    for datafile in repository_of(database).living_files():
        if datafile.tablespace.name in shape.spaces:
            datafile.used_blocks = 128
    is_ee = edition == "EE"
    database.options |= {"Partitioning": is_ee, "Online Index Build": is_ee, "Online Redefinition": is_ee}
    database.accounts[ACCOUNT] = Account(ACCOUNT, PASSWORD, {"CREATE SESSION", "DBA"})
    return database


def add_parted(database: OracleDatabase, name: str, gone: float = 0.6, **more: Any) -> StoredTable:
    """A table of two partitions with a local index and a global key; of the first a share of the rows is deleted."""
    storage = storage_of(database)
    table = making.add_table(storage, OWNER, name, COLUMNS, partitioning=ONE_KEY, space="APP_DATA", **more)
    for part in ("p 1", "P2"):
        making.add_partition(storage, table, part, space="APP_DATA")
    making.add_index(storage, table, f"{name} I", ["NAME"], is_local=True)
    making.add_index(storage, table, f"{name} PK", ["ID"], is_unique=True, space="APP_IDX")
    making.grow(storage, table, ROWS, "p 1")
    making.grow(storage, table, ROWS // 4, "P2")
    ended(storage, table, gone, "p 1")
    return table


def add_plain(database: OracleDatabase, name: str, gone: float = 0.6, **more: Any) -> StoredTable:
    storage = storage_of(database)
    table = making.add_table(storage, OWNER, name, COLUMNS, space="APP_DATA", **more)
    making.add_index(storage, table, f"{name} I", ["NAME"])
    making.grow(storage, table, ROWS)
    ended(storage, table, gone)
    return table


def ended(storage: Storage, table: StoredTable, gone: float, piece: str = "") -> None:
    """Statistics as of before, and then a share of the rows deleted."""
    statistics.gather(storage, table)
    if gone:
        making.delete(storage, table, gone, piece)
    statistics.flush(storage)


def surveyed(eyes: Eyes, database: OracleDatabase, policy: ReclaimPolicy = POLICY) -> Found:
    context = SurveyContext(None, policy, database.clock.now())  # type: ignore[arg-type]
    return OracleReclaim().find_candidates(eyes, context)


def candidate_of(found: Found, name: str, partition: str = "") -> Candidate:
    return next(c for c in found.candidates if (c.object.parent or c.object.name, c.object.partition) == (name, partition))

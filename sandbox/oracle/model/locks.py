"""Table locks: held by transactions, by DDL at work and by sessions that a test plants (Concepts 19c, "Automatic Locks in DDL").

Modes are those of V$LOCK: 2 row share, 3 row exclusive, 4 share, 5 share row exclusive, 6 exclusive.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.oracle.backend import OracleError
from sandbox.oracle.model.database import OracleDatabase, SessionState
from sandbox.oracle.model.storage import Storage, storage_of
from sandbox.oracle.model.stored import Index, StoredTable

ROW_SHARE, ROW_EXCLUSIVE, SHARE, SHARE_ROW_EXCLUSIVE, EXCLUSIVE = 2, 3, 4, 5, 6
COMPATIBLE = {2: {2, 3, 4, 5}, 3: {2, 3}, 4: {2, 4}, 5: {2}, 6: set()}
POLL_S = 0.02
FIRST_PLANTED_SID = 900
_planted = itertools.count(FIRST_PLANTED_SID)


@dataclass(eq=False)
class Lock:
    """A TM lock on a table, or on one of its pieces; with `is_transaction` its holder has a TX lock too."""

    session: SessionState
    table: StoredTable
    piece: str
    mode: int
    since: datetime
    is_transaction: bool = False
    is_online: bool = False  # of an online operation: no second one on the same piece
    is_active: bool = True
    waits_for: Any = None


@dataclass(eq=False)
class Waiting:
    """A session that waits for a lock: a row of V$LOCK with REQUEST."""

    session: SessionState
    table: StoredTable
    mode: int
    since: datetime


@dataclass
class PlantedBackend:
    """Stands where a planted session's backend would: it can be killed, and then its locks go."""

    locks: list[Lock] = field(default_factory=list)
    storage: Storage | None = None
    is_working: bool = False

    def cancel(self) -> None:
        """It runs nothing."""

    def rollback(self) -> None:
        for lock in list(self.locks):
            release(self.storage, lock)


def plant_lock(
    database: OracleDatabase,
    owner: str,
    name: str,
    mode: int = ROW_EXCLUSIVE,
    piece: str = "",
    user: str = "APP",
    age: timedelta = timedelta(),
) -> Lock:
    """A session that holds a lock on a table, as one with an open transaction does; `release` ends it."""
    with database.lock:
        storage, now = storage_of(database), database.clock.now()
        sid = next(_planted)
        client = {"program": "JDBC Thin Client", "machine": "app01", "osuser": "app", "terminal": "unknown"}
        session = SessionState(sid, sid + 10_000, user, database.service, now - age, client)
        lock = Lock(session, storage.table(owner, name), piece, mode, now - age, is_transaction=True)
        session.backend = PlantedBackend([lock], storage)
        database.sessions[sid] = session
        storage.locks.append(lock)
        storage.touch()
    return lock


def release(storage: Storage, lock: Lock) -> None:
    """The lock goes; a planted session with it."""
    with storage.database.lock:
        lock.is_active = False
        if lock in storage.locks:
            storage.locks.remove(lock)
        if isinstance(lock.session.backend, PlantedBackend):
            storage.database.sessions.pop(lock.session.sid, None)
        storage.touch()


def transactions(database: OracleDatabase) -> Iterator[Any]:
    """The open transactions of sessions that are logged on."""
    for session in database.sessions.values():
        transaction = getattr(session.backend, "transaction", None)
        if transaction is not None and transaction.is_active:
            yield transaction


def touched(transaction: Any, table: StoredTable) -> bool:
    if table.real is None:
        return False
    return id(table.real) in transaction.changes or any(t is table.real for t, _ in transaction.locked)


def holders(
    storage: Storage, table: StoredTable, piece: str, mode: int, session: SessionState, is_online: bool = False
) -> Iterator[Any]:
    """Locks and transactions of other sessions that a lock of this mode has to wait for."""
    for lock in storage.locks:
        overlaps = not (piece and lock.piece) or piece == lock.piece
        clashes = lock.mode not in COMPATIBLE[mode] or (is_online and lock.is_online)
        if lock.table is table and lock.session is not session and overlaps and clashes:
            yield lock
    if ROW_EXCLUSIVE not in COMPATIBLE[mode]:
        yield from (t for t in transactions(storage.database) if t.session is not session and touched(t, table))


def is_held(storage: Storage, table: StoredTable) -> bool:
    """Whether a transaction is open on the table."""
    return any(lock.table is table for lock in storage.locks) or any(touched(t, table) for t in transactions(storage.database))


def guard(storage: Storage, table: StoredTable, session: SessionState, verb: str) -> Lock | None:
    """Before DML on real rows: ORA-12081 (read only), ORA-01502 (an unusable unique index), ORA-30036 (no undo), or the
    lock of a DDL to wait for. Non-unique unusable indexes are skipped, as SKIP_UNUSABLE_INDEXES says (Reference 19c)."""
    if table.attributes.is_read_only:
        raise OracleError(12081, f'update operation not allowed on table "{table.owner}"."{table.name}"')
    for index in table.indexes:
        if index.is_unusable and (index.is_unique or skips_none(session)):
            raise unusable(index)
    if storage.undo.free_blocks < 1:
        storage.undo.no_space_errors += 1
        raise no_undo(storage)
    return next((h for h in holders(storage, table, "", ROW_EXCLUSIVE, session) if isinstance(h, Lock)), None)


def skips_none(session: SessionState) -> bool:
    return getattr(session.backend, "settings", {}).get("SKIP_UNUSABLE_INDEXES") == "FALSE"


def unusable(index: Index) -> OracleError:
    return OracleError(1502, f"index '{index.owner}.{index.name}' or partition of such index is in unusable state")


def no_undo(storage: Storage) -> OracleError:
    return OracleError(30036, f"unable to extend segment by 8 in undo tablespace '{storage.undo.space.name}'")


def lock_timeout_s(database: OracleDatabase, session: SessionState) -> float:
    """DDL_LOCK_TIMEOUT of the session, else of the instance; 0 unless set (Reference 19c)."""
    return float(session.backend.settings.get("DDL_LOCK_TIMEOUT") or database.parameters.get("ddl_lock_timeout", 0))


def stopped(session: SessionState) -> OracleError | None:
    """ORA-00028 for a session that is killed, ORA-01013 for a statement that is cancelled."""
    if session.is_killed:
        return OracleError(28, "your session has been killed")
    if session.backend.stop.is_set():
        return OracleError(1013, "user requested cancel of current operation")
    return None


def acquire(
    storage: Storage,
    session: SessionState,
    table: StoredTable,
    piece: str,
    mode: int,
    seconds: float | None,
    is_online: bool = False,
) -> Lock:
    """Waits so many real seconds (None: for ever), then ORA-00054; a cancel or kill ends the wait at once."""
    ends_at = None if seconds is None else time.monotonic() + seconds
    waiting = Waiting(session, table, mode, storage.database.clock.now())
    try:
        while True:
            with storage.database.lock:
                holder = next(holders(storage, table, piece, mode, session, is_online), None)
                if holder is None:
                    lock = Lock(session, table, piece, mode, storage.database.clock.now(), is_online=is_online)
                    storage.locks.append(lock)
                    storage.touch()
                    return lock
                wait_for(storage, session, waiting, holder)
            if refusal := stopped(session):
                raise refusal
            if ends_at is not None and time.monotonic() >= ends_at:
                raise OracleError(54, "resource busy and acquire with NOWAIT specified or timeout expired")
            time.sleep(POLL_S)
    finally:
        wait_for(storage, session, waiting, None)


def wait_for(storage: Storage, session: SessionState, waiting: Waiting, holder: Any) -> None:
    """V$SESSION shows the blocker, V$LOCK the request."""
    with storage.database.lock:
        session.backend.transaction.waits_for = holder
        if holder is not None and waiting not in storage.waiting:
            storage.waiting.append(waiting)
            storage.touch()
        elif holder is None and waiting in storage.waiting:
            storage.waiting.remove(waiting)
            storage.touch()


@contextmanager
def held(
    storage: Storage, session: SessionState, table: StoredTable, piece: str, mode: int, seconds: float | None = 0.0
) -> Iterator[Lock]:
    """A lock for the length of a block."""
    lock = acquire(storage, session, table, piece, mode, seconds)
    try:
        yield lock
    finally:
        release(storage, lock)


@contextmanager
def online(storage: Storage, session: SessionState, table: StoredTable, piece: str) -> Iterator[None]:
    """An online operation waits for the transactions that are open, and DDL_LOCK_TIMEOUT does not bound it; then it holds a
    lock that lets DML pass and other DDL wait."""
    release(storage, acquire(storage, session, table, piece, SHARE, None))
    lock = acquire(storage, session, table, piece, ROW_SHARE, lock_timeout_s(storage.database, session), is_online=True)
    try:
        yield
    finally:
        release(storage, lock)


@contextmanager
def at_rest(storage: Storage, session: SessionState, table: StoredTable, piece: str) -> Iterator[None]:
    """The end of an online operation: once more it waits for open transactions, however long, and for a moment none begins."""
    with held(storage, session, table, piece, SHARE, None), storage.database.lock:
        yield

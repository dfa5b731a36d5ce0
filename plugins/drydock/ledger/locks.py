"""Locks between processes, held by a session of the ledger: a killed process lets go of its locks with its session.

PostgreSQL manual, Explicit Locking: Advisory Locks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, func, select

from drydock.ledger.connect import Ledger, lock_key

LONGEST_WAIT_S = 600


@contextmanager
def lock_session(ledger: Ledger) -> Iterator[Connection | None]:
    """A session for locks alone, closed at the end of the block: with it goes what it still holds. None on a connection:

    its transaction is the caller's, and one process alone works with it.
    """
    if isinstance(ledger, Connection):
        yield None
        return
    with ledger.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        session.detach()
        session.execute(select(func.set_config("statement_timeout", f"{LONGEST_WAIT_S}s", False)))
        yield session


@contextmanager
def held(session: Connection | None, name: str) -> Iterator[None]:
    """Hold the lock of that name in a session of `lock_session`. Raises OperationalError after LONGEST_WAIT_S."""
    if session is None:
        yield
        return
    session.execute(select(func.pg_advisory_lock(lock_key(name))))
    try:
        yield
    finally:
        session.execute(select(func.pg_advisory_unlock(lock_key(name))))


@contextmanager
def locked(ledger: Ledger, name: str, is_shared: bool = False, waits: bool = True) -> Iterator[bool]:
    """Hold the lock of that name; False where it is not to be waited for and another session has it.

    Raises sqlalchemy's OperationalError after LONGEST_WAIT_S.
    """
    call = f"pg_{'advisory' if waits else 'try_advisory'}_lock{'_shared' if is_shared else ''}"
    with lock_session(ledger) as session:
        got = session is None or session.execute(select(getattr(func, call)(lock_key(name)))).scalar_one()
        yield waits or bool(got)

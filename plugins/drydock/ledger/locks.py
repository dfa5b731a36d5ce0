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
def locked(ledger: Ledger, name: str, is_shared: bool = False, waits: bool = True) -> Iterator[bool]:
    """Hold the lock of that name; False where it is not to be waited for and another session has it.

    On a connection nothing is locked: its transaction is the caller's, and one process alone works with it. Raises
    sqlalchemy's OperationalError after LONGEST_WAIT_S.
    """
    if isinstance(ledger, Connection):
        yield True
        return
    call = f"pg_{'advisory' if waits else 'try_advisory'}_lock{'_shared' if is_shared else ''}"
    with ledger.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        session.detach()  # a session of its own: closing it lets go of the lock, whatever happened
        session.execute(select(func.set_config("statement_timeout", f"{LONGEST_WAIT_S}s", False)))
        got = session.execute(select(getattr(func, call)(lock_key(name)))).scalar_one()
        yield waits or bool(got)

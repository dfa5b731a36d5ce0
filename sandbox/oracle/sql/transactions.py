"""Transactions: a session's own changes lie beside the committed rows until it commits (Concepts 19c, "Transactions").

A changed row is locked by ROWID; another session waits for it, or has ORA-00054 where it will not wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from sandbox.oracle.backend import OracleError
from sandbox.oracle.model.database import OracleDatabase, SessionState
from sandbox.oracle.model.tables import Row, Table, UniqueKey

POLL_S = 0.02


class Transaction:
    """One session's transaction; the object lives as long as the session."""

    def __init__(self, database: OracleDatabase, session: SessionState) -> None:
        self.database, self.session = database, session
        self.changes: dict[int, tuple[Table, dict[str, Row | None]]] = {}
        self.locked: list[tuple[Table, str]] = []
        self.claimed: list[tuple[Table, tuple[str, tuple[Any, ...]]]] = []
        self.written: dict[tuple[int, str, tuple[Any, ...]], str] = {}
        self.waits_for: Transaction | None = None
        self.started_at: datetime | None = None

    @property
    def is_active(self) -> bool:
        return bool(self.changes or self.locked)

    def changes_of(self, table: Table) -> Mapping[str, Row | None]:
        return self.changes.get(id(table), (table, {}))[1]

    def visible(self, table: Table) -> dict[str, Row]:
        """The rows of a table as this transaction sees them."""
        own = self.changes_of(table)
        return {k: v for k, v in {**table.rows, **own}.items() if v is not None} if own else table.rows

    def keep(self, table: Table, changes: Mapping[str, Row | None]) -> None:
        """Takes over what one statement changed. The caller holds the database's lock and the rows'."""
        if not changes:
            return
        self.started_at = self.started_at or self.database.clock.now()
        self.changes.setdefault(id(table), (table, {}))[1].update(changes)
        for key in table.keys:
            places = [table.position(name) for name in key.columns]
            for rowid, row in changes.items():
                if row is not None:
                    values = tuple(row[p] for p in places)
                    table.claims[key.name, values] = self
                    self.written[id(table), key.name, values] = rowid
                    self.claimed.append((table, (key.name, values)))

    def has_key(self, table: Table, key: UniqueKey, values: tuple[Any, ...], changes: Mapping[str, Row | None]) -> bool:
        """Whether another row that this transaction sees has the key, once `changes` are made."""
        own, places = self.changes_of(table), [table.position(name) for name in key.columns]
        written = self.written.get((id(table), key.name, values))
        for rowid in filter(None, (table.holder_of(key, values), written)):
            if rowid in changes:
                continue
            row = own.get(rowid, table.rows.get(rowid))
            if row is not None and tuple(row[p] for p in places) == values:
                return True
        return False

    def mark(self) -> Any:
        """A point to which `back_to` returns: what a block had not yet done."""
        return {k: (table, dict(own)) for k, (table, own) in self.changes.items()}, len(self.claimed), dict(self.written)

    def back_to(self, mark: Any) -> None:
        with self.database.lock:
            self.changes, kept, self.written = mark
            for table, claim in self.claimed[kept:]:
                table.claims.pop(claim, None)
            del self.claimed[kept:]

    def take(self, table: Table, rowids: Iterable[str]) -> Transaction | None:
        """Locks rows for this transaction; returns the transaction in the way, with nothing locked, where there is one."""
        wanted = list(rowids)
        for rowid in wanted:
            holder = table.locks.get(rowid)
            if holder is not None and holder is not self:
                return holder
        for rowid in wanted:
            if table.locks.setdefault(rowid, self) is self:
                self.locked.append((table, rowid))
        self.started_at = self.started_at or (self.database.clock.now() if self.locked else None)
        return None

    def wait(self, holder: Transaction, is_stopped: Callable[[], bool], seconds: float | None) -> None:
        """Waits until `holder` has ended; ORA-00060 for a circle, ORA-01013 when cancelled, ORA-30006 after `seconds`."""
        self.waits_for = holder
        ends_at = None if seconds is None else time.monotonic() + seconds
        try:
            if self.is_in_circle():
                raise OracleError(60, "deadlock detected while waiting for resource")
            while holder.is_active:
                if is_stopped():
                    raise OracleError(1013, "user requested cancel of current operation")
                if ends_at is not None and time.monotonic() > ends_at:
                    raise OracleError(30006, "resource busy; acquire with WAIT timeout expired")
                time.sleep(POLL_S)
        finally:
            self.waits_for = None

    def claim_table(self, table: Table, is_stopped: Callable[[], bool], seconds: float) -> None:
        """What DDL needs: nobody else has changed or locked a row. Waits `seconds` (DDL_LOCK_TIMEOUT), then ORA-00054."""
        ends_at = time.monotonic() + seconds
        while holder := next((h for h in (*table.locks.values(), *table.claims.values()) if h is not self), None):
            if is_stopped():
                raise OracleError(1013, "user requested cancel of current operation")
            if time.monotonic() >= ends_at:
                raise OracleError(54, "resource busy and acquire with NOWAIT specified or timeout expired")
            self.waits_for = holder
            time.sleep(POLL_S)
        self.waits_for = None

    def is_in_circle(self) -> bool:
        at = self.waits_for
        while at is not None:
            if at is self:
                return True
            at = at.waits_for
        return False

    def commit(self) -> None:
        with self.database.lock:
            for table, changes in self.changes.values():
                table.apply(changes)
            self.end()

    def rollback(self) -> None:
        with self.database.lock:
            self.end()

    def end(self) -> None:
        for table, rowid in self.locked:
            table.locks.pop(rowid, None)
        for table, claim in self.claimed:
            table.claims.pop(claim, None)
        self.locked.clear()
        self.claimed.clear()
        self.written.clear()
        self.changes.clear()
        self.started_at = None

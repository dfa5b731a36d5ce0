"""Sessions on Oracle for work: `OracleEyes` look, `OracleTarget` changes, watched from a second session.

The change lock is a user lock of DBMS_LOCK: it is of the session, so a session that was renewed has lost it, and then
nothing more is sent. DDL commits by itself: there is no transaction of several changes. A statement that failed is told by
its code alone, since the words of a server may hold values of the data.

Sources: PL/SQL Packages and Types Reference 19c, DBMS_LOCK; SQL Language Reference 19c, ALTER SESSION (DDL_LOCK_TIMEOUT).
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import oracledb

from drydock.changing.hands import ChangeFailed, Row, TargetFigures, naming_right
from drydock.engines.oracle import Connect, LogonFailed, OracleSession, RunIdentity, execute, fetch_rows, open_session
from drydock.engines.oracle_admission import NotForThisTarget
from drydock.engines.oracle_errors import classify, code_of
from drydock.engines.oracle_gate_figures import oracle_target_figures, room_for
from drydock.engines.oracle_statements import Statement, compose
from drydock.engines.oracle_watchdog import Watchdog
from drydock.estate import Database
from drydock.outcomes import StatementDone
from drydock.plans import Candidate
from drydock.sqlfiles import sql_file
from drydock.verdicts import clean_text

HIGHEST_LOCK_ID = 1073741823
CHANGE_LOCK = "change"
LOCK_TAKEN, LOCK_IS_MINE = 0, 4
LONGEST_LOCK_WAIT_S = 1_000_000
GRACE_S = 30.0  # after the deadline, before the driver itself breaks the call
LOOK_TIMEOUT_S = 3600.0  # of a block that reads a whole segment
MAY_RETRY = ("ORA-00054", "ORA-04021", "ORA-00060")  # a lock that was not had, a deadlock: nothing was changed


@dataclass
class OracleEyes:
    """A session that asks read files and blocks that only read. `archive_free_bytes`: of a folder that SQL cannot see."""

    database: Database
    connect: Connect = field(repr=False)
    identity: RunIdentity
    archive_free_bytes: Callable[[], int | None] = field(default=lambda: None, repr=False, kw_only=True)
    session: OracleSession = field(init=False, repr=False)

    def __post_init__(self) -> None:
        with told_apart():
            self.session = self._log_on()

    def rows(self, pipeline: str, name: str, binds: Mapping[str, Any] | None = None) -> list[Row]:
        """Rows of a read file. Raises ChangeFailed."""
        file = sql_file("oracle", pipeline, name)
        with naming_right(file), told_apart():
            return fetch_rows(self.session, file, binds)

    def ask(self, statement: Statement) -> Row:
        """OUT values of a block that only reads. Raises ChangeFailed; ValueError for one that may change something."""
        if not statement.only_reads:
            raise ValueError(f"{statement.file.name} may change something: only hands may send it")
        with told_apart():
            return execute(self.session, statement, timeout_s=LOOK_TIMEOUT_S)

    def figures(self) -> TargetFigures:
        return oracle_target_figures(self, lock_id("masking"), self.database.backup.places.logs, self.archive_free_bytes)

    def free_bytes_for(self, candidate: Candidate) -> int | None:
        """Room where the object lies: free extents and what its files may grow; the least of its tablespaces."""
        return room_for(self, candidate.object)

    def close(self) -> None:
        self.session.close()

    def _log_on(self) -> OracleSession:
        return open_session(self.connect, self.identity, attested=frozenset(self.database.licences))


@dataclass
class OracleTarget(OracleEyes):
    """The session that changes. `watchdog_connect` logs on as the account that may cancel; None: the driver breaks the call."""

    watchdog_connect: Connect | None = field(default=None, repr=False)
    watchdog: Watchdog = field(init=False, repr=False)
    locked_in: oracledb.Connection | None = field(init=False, default=None, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.watchdog = Watchdog(self.session, self.watchdog_connect or self.connect)

    def take_change_lock(self) -> bool:
        """Take the one lock for changes of this database, at once or not at all. Raises ChangeFailed."""
        if self.locked_in is not None and self.locked_in is self.session.connection:
            return True
        file = sql_file("oracle", "gate", "take_change_lock")
        request = Statement(file, compose(file), {"id": lock_id(CHANGE_LOCK)}, {"answer": Decimal})
        with told_apart():
            answer = int(execute(self.session, request)["answer"])
        self.locked_in = self.session.connection if answer in (LOCK_TAKEN, LOCK_IS_MINE) else None
        return self.locked_in is not None

    def send(self, statement: Statement, *, lock_wait_s: float, deadline_s: float) -> StatementDone:
        """Run one change, once, cancelled from a second session at the deadline. Raises ChangeFailed, with what it cost."""
        began_at, began = datetime.now(UTC), time.monotonic()
        before = self._cost()  # a question may have logged on anew
        if self.locked_in is not None and self.locked_in is not self.session.connection:
            raise ChangeFailed("change_lock_lost", "locked", retry=False)
        error: ChangeFailed | None = None
        try:
            with told_apart():
                self._wait_for_locks(lock_wait_s)
                with self.watchdog.watching(statement.text, deadline_s):
                    execute(self.session, statement, timeout_s=deadline_s + GRACE_S)
        except ChangeFailed as e:
            error = e
        elapsed_s = time.monotonic() - began
        redo, waited = _difference(before, self._cost())
        done = StatementDone(
            statement=self.text_of(statement),
            started_at=began_at,
            elapsed_s=elapsed_s,
            wait_s=waited,
            log_bytes=None if redo is None else int(redo),
            error=error.code if error else "",
        )
        if error:
            error.done = done
            raise error
        return done

    @contextmanager
    def transaction(self, *, repeatable: bool = False) -> Iterator[None]:
        """DDL commits by itself. Raises ChangeFailed."""
        raise ChangeFailed("no_transaction", "engine", retry=False)
        yield

    def text_of(self, statement: Statement) -> str:
        """The file's name and its text: names in, binds out, cleaned, bounded."""
        return str(clean_text(f"{statement.file.name}: {' '.join(statement.text.split())}"))

    def renew(self) -> bool:
        """Log on anew where the session has died, and take the change lock again; True while it is held."""
        if not self.session.connection.is_healthy():
            self.session.close()
            with told_apart():
                self.session = self._log_on()
            self.watchdog = Watchdog(self.session, self.watchdog_connect or self.connect)
        return self.take_change_lock()

    def _wait_for_locks(self, seconds: float) -> None:
        whole = min(max(1, math.ceil(seconds)), LONGEST_LOCK_WAIT_S)
        with self.session.connection.cursor() as cursor:
            cursor.execute(compose(sql_file("oracle", "session", "set_lock_wait"), {"seconds": str(whole)}))

    def _cost(self) -> tuple[oracledb.Connection, Row] | None:
        """What the session has cost so far; None where nobody tells: a grant is missing, or it is dead."""
        connection = self.session.connection
        if not connection.is_healthy():
            return None
        try:
            return connection, self.rows("gate", "own_cost")[0]
        except ChangeFailed:
            return None


def lock_id(name: str) -> int:
    """The number of a user lock, the same in every release: 0 to 1073741823 are for applications."""
    return int.from_bytes(hashlib.sha256(f"drydock:{name}".encode()).digest()[:8], "big") % (HIGHEST_LOCK_ID + 1)


@contextmanager
def told_apart() -> Iterator[None]:
    """Tell an error of driver or engine as ChangeFailed, without the server's words: they may hold values of the data."""
    try:
        yield
    except LogonFailed as e:
        failed = ChangeFailed(e.code, e.error_class.kind, retry=False)
    except NotForThisTarget as e:
        failed = ChangeFailed(f"not_for_this_{e.reason}", "not_for_this_target", retry=False)
    except oracledb.Error as e:
        code = code_of(e)
        failed = ChangeFailed(code or "unknown", classify(e).kind, retry=code in MAY_RETRY)
    else:
        return
    raise failed from None


def _difference(
    before: tuple[oracledb.Connection, Row] | None, after: tuple[oracledb.Connection, Row] | None
) -> tuple[float | None, float | None]:
    """Redo bytes and seconds of waiting between two answers of one session; None where either is not known."""
    if before is None or after is None or before[0] is not after[0]:
        return None, None
    names = ("redo_bytes", "waited_s")
    pairs = [(before[1][n], after[1][n]) for n in names]
    redo, waited = (None if a is None or b is None else max(0.0, float(b - a)) for a, b in pairs)
    return redo, waited

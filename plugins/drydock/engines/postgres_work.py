"""Sessions on PostgreSQL for work: `PostgresEyes` look, `PostgresTarget` changes, watched from a second session.

A target is two sessions of the same account. The one that changes holds the change lock and does nothing else; the other
one looks, measures (waiting, WAL) and cancels, so that no question of ours ever takes a snapshot, waits or fails inside a
change. Both are found dead soon: the server probes them and looks for its client while a statement runs. A statement that
failed is told by its SQLSTATE alone: the words of a server may hold values of the data.

Sources: PostgreSQL manual, Client Connection Defaults; Connections and Authentication (TCP keepalives,
client_connection_check_interval); Explicit Locking; libpq, Database Connection Control Functions.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from drydock.changing.hands import ChangeFailed, Row, TargetFigures, naming_right
from drydock.engines.errors import ErrorClass
from drydock.engines.postgres import LOGIN_REFUSED, UNREACHABLE, Endpoint, classify, fetch_rows, logon_needs
from drydock.engines.postgres_abreast import Abreast
from drydock.engines.postgres_figures import server_figures
from drydock.engines.postgres_statements import LONGEST_NAME_BYTES, Statement, shown_text, statement
from drydock.engines.postgres_watch import Watch
from drydock.estate import Database
from drydock.ledger.connect import lock_key
from drydock.outcomes import StatementDone
from drydock.sqlfiles import sql_file

log = logging.getLogger(__name__)

CHANGE_LOCK = "change"
CONNECT_TIMEOUT_S = 10
QUESTION_TIMEOUT_S = 60
LOOK_TIMEOUT_S = 3600  # of a question that reads a whole object: pgstattuple, amcheck
LOOK_LOCK_WAIT_S = 5  # a look waits no longer for somebody's lock: sizes and definitions are behind it too
LONGEST_TIMEOUT_MS = 2**31 - 1
GRACE_S = 30.0  # after the deadline, before the server ends a statement that nobody cancelled
CUT = "08006"  # connection_failure: what a cut connection is told as, where the server had no word left

# a client that is gone is noticed: between statements by TCP within a minute, while one runs within ten seconds
SERVER_PROBES = "-c tcp_keepalives_idle=20 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3 -c tcp_user_timeout=60000"
CLIENT_CHECK_MS = 10_000
CLIENT_PROBES: dict[str, Any] = {
    "keepalives": 1,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60000,
}
# what ALTER DATABASE or ALTER ROLE may have set and the work does not bear. Under another isolation a statement goes on with
# the snapshot from before its lock was had; a session that waits hours for its turn is no idle one; texts of definitions must
# come back as they went. Left as it is: default_transaction_read_only, by which a site keeps us out (the gate looks at it);
# session_replication_role, which not every account may set and which no trigger or check of ours depends on; search_path, in
# which the site keeps its extensions: what changes something names its schemas, and functions of ours have their own
SESSION_OPTIONS = (
    r"-c default_transaction_isolation=read\ committed -c default_transaction_deferrable=off"
    " -c idle_in_transaction_session_timeout=0 -c idle_session_timeout=0"
    " -c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1 -c transform_null_equals=off"
)
# the planner takes recursion over the catalogue for costly, and compiles for tens of milliseconds what runs for one
NO_COMPILER = "-c jit=off"
FIRST_WITH_TRANSACTION_TIMEOUT = 170000  # earlier ones refuse a connection that names it
Session = psycopg.Connection[dict[str, Any]]


@dataclass(frozen=True)
class Places:
    """What SQL cannot tell of a server and the worker perhaps can: free bytes of its disks, its cores.

    None: not known. Without cores the host counts as one of a single core, which closes the gate sooner and never later.
    """

    cores: int | None = None
    free_bytes: Callable[[], int | None] = lambda: None
    archive_free_bytes: Callable[[], int | None] = lambda: None


@dataclass
class PostgresEyes:
    """A session that can only read. `run` names it in pg_stat_activity."""

    database: Database
    endpoint: Endpoint = field(repr=False)
    run: str = ""
    places: Places = Places()
    session: Session = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.session = open_reading(self.endpoint, self.run)

    def rows(self, pipeline: str, name: str, binds: Mapping[str, Any] | None = None) -> list[Row]:
        """Rows of a read file. Raises ChangeFailed."""
        file = sql_file("postgresql", pipeline, name)
        with naming_right(file), told_apart():
            return fetch_rows(self.session, file, binds)

    def ask(self, statement: Statement) -> Row:
        """Raises ValueError: a question of PostgreSQL is a read file."""
        raise ValueError(f"{statement.file.name}: PostgreSQL has no block that answers")

    def figures(self) -> TargetFigures:
        return server_figures(self, [self.session.info.backend_pid], self.places)

    def close(self) -> None:
        self.session.close()


@dataclass
class PostgresTarget(PostgresEyes):
    """The two sessions that a database is changed with: `session` looks, `work` changes and holds the change lock.

    `rows` are asked of the one that looks: inside a transaction they show what stood before it.
    """

    work: Session = field(init=False, repr=False)
    watch: Watch = field(init=False, repr=False)
    beside: list[Session] = field(init=False, default_factory=list, repr=False)
    is_locked: bool = field(init=False, default=False)
    _told_position: int = field(init=False, default=0, repr=False)
    _telling: threading.Lock = field(init=False, default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            with told_apart():
                self.work = _open_work(self.endpoint, self.run)
        except BaseException:
            self.session.close()
            raise
        self.watch = Watch(self.session)

    def figures(self) -> TargetFigures:
        own = [s.info.backend_pid for s in (self.session, self.work, *self.beside) if not s.closed]
        return server_figures(self, own, self.places)

    def take_change_lock(self) -> bool:
        """Take the one lock for changes of this database, at once or not at all. Raises ChangeFailed."""
        if self.is_locked and not self.work.closed:
            return True  # a second one of the same session would have to be given back twice
        file = sql_file("postgresql", "gate", "take_change_lock")
        with told_apart():
            self.is_locked = bool(fetch_rows(self.work, file, {"key": lock_key(CHANGE_LOCK)})[0]["is_taken"])
        return self.is_locked

    def send(self, statement: Statement, *, lock_wait_s: float, deadline_s: float) -> StatementDone:
        """Run one change, once. Past `deadline_s` the other session cancels it, and ends the session if that does not help.

        Raises ChangeFailed, whose `done` tells what it cost until then.
        """
        return self._send_on(self.work, statement, lock_wait_s, deadline_s)

    @contextmanager
    def transaction(self, *, repeatable: bool = False) -> Iterator[None]:
        """The changes sent inside are done all or none; `repeatable`: all see the database as the first one did.

        Raises ChangeFailed.
        """
        with told_apart():
            self.work.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ if repeatable else None
            try:
                with self.work.transaction():
                    yield
            finally:
                if not self.work.closed:
                    self.work.isolation_level = None

    @contextmanager
    def abreast(self, sessions: int) -> Iterator[Abreast]:
        """For changes that run side by side, on so many sessions or as many as the server has room for; none runs any more
        afterwards. Left with an error, what still runs is cancelled. The change lock stays with one of them.
        """
        side = None
        try:
            self._open_beside(sessions - 1)
            side = Abreast([self.work, *self.beside], self._send_on)
            yield side
        except BaseException:
            if side:
                side.stop()
            raise
        finally:
            if side:
                side.close()
            while self.beside:
                self.beside.pop().close()

    def _open_beside(self, most: int) -> None:
        """Log on; what has no room goes one after another, as without."""
        try:
            for _ in range(most):
                self.beside.append(_open_work(self.endpoint, self.run))
        except psycopg.Error as e:
            log.warning("no further session, so changes go one after another: %s", classify(e).kind)

    def text_of(self, statement: Statement) -> str:
        return shown_text(statement)

    def renew(self) -> bool:
        """Log on anew where a session has died, and take the change lock again; True while it is held. Raises ChangeFailed."""
        if self.session.closed:
            self.session = open_reading(self.endpoint, self.run)
            self.watch = Watch(self.session)
            self._told_position = 0  # another server may have taken over, whose count is behind
        if self.work.closed:
            self.is_locked = False
            with told_apart():
                self.work = _open_work(self.endpoint, self.run)
        return self.take_change_lock()

    def close(self) -> None:
        self.work.close()
        super().close()

    def _send_on(self, session: Session, statement: Statement, lock_wait_s: float, deadline_s: float) -> StatementDone:
        """As `send`, on that session. Of what runs beside it all WAL is counted, that of both but once: by who ends first."""
        began_at, began = datetime.now(UTC), time.monotonic()
        before = self.watch.log_position()
        error, wait_s = self._run(session, statement, lock_wait_s, deadline_s)
        elapsed_s = time.monotonic() - began
        done = StatementDone(
            statement=shown_text(statement),
            started_at=began_at,
            elapsed_s=elapsed_s,
            wait_s=wait_s,
            log_bytes=self._written_since(before),
            error=error.code if error else "",
        )
        if error:
            error.done = done
            raise error
        return done

    def _written_since(self, before: int | None) -> int | None:
        """Bytes of WAL since that position which were not told before; None where nobody tells."""
        after = self.watch.log_position()
        if before is None or after is None:
            return None
        with self._telling:
            since, self._told_position = max(before, self._told_position), max(after, self._told_position)
        return max(0, after - since)

    def _run(
        self, session: Session, told: Statement, lock_wait_s: float, deadline_s: float
    ) -> tuple[ChangeFailed | None, float | None]:
        """The error, if there was one, and how long the statement waited for locks."""
        waited = None
        try:
            with told_apart():
                self._bound(session, lock_wait_s, deadline_s + GRACE_S)
                with self.watch.watching(session, deadline_s) as seen:
                    waited = seen
                    session.execute(told.composed, told.binds or None)
        except ChangeFailed as e:
            return e, waited.wait_s if waited else None
        return None, waited.wait_s

    def _bound(self, session: Session, lock_wait_s: float, statement_s: float) -> None:
        """Bound the next statement by the server's own clocks, in one way there and back. A SET takes no snapshot."""
        limits = {"set_lock_timeout": lock_wait_s, "set_statement_timeout": statement_s}
        texts = [
            statement("gate", name, {"milliseconds": min(max(1, round(s * 1000)), LONGEST_TIMEOUT_MS)}).composed
            for name, s in limits.items()
        ]
        session.execute(sql.SQL("; ").join(texts))


def _open_work(endpoint: Endpoint, run: str) -> Session:
    """The session that changes. A server that cannot look for its client does without. Raises psycopg.Error."""
    session = _connect(endpoint, run, QUESTION_TIMEOUT_S)
    if session.info.server_version >= FIRST_WITH_TRANSACTION_TIMEOUT:
        session.execute(statement("gate", "set_no_transaction_timeout").composed)
    try:
        session.execute(statement("gate", "set_client_check", {"milliseconds": CLIENT_CHECK_MS}).composed)
    except psycopg.errors.InvalidParameterValue:
        log.warning("the server cannot look for its client while a statement runs: locks of a dead worker last longer")
    return session


def open_changing(endpoint: Endpoint, run: str) -> Session:
    """A session that changes, outside of a target: for processes that work for one. Raises psycopg.Error."""
    return _open_work(endpoint, run)


def open_reading(endpoint: Endpoint, run: str) -> Session:
    """A session that can only read; the server's own setting of that stays visible. Raises ChangeFailed."""
    with told_apart():
        session = _connect(endpoint, run, LOOK_TIMEOUT_S, f"-c lock_timeout={LOOK_LOCK_WAIT_S}s {NO_COMPILER}")
        session.execute(statement("gate", "set_read_only").composed)
        return session


@contextmanager
def told_apart() -> Iterator[None]:
    """Tell an error of the driver as ChangeFailed, without the server's words: they may hold values of the data."""
    try:
        yield
    except psycopg.Error as e:
        failed = _failed(e)
    else:
        return
    raise failed from None


def _failed(error: psycopg.Error) -> ChangeFailed:
    found = classify(error)
    if error.sqlstate is None and isinstance(error, psycopg.InterfaceError):
        found = UNREACHABLE  # the session was closed before
    code = error.sqlstate or (CUT if found is UNREACHABLE else found.kind)
    failed = ChangeFailed(code, found.kind, _may_retry(found))
    failed.needs = logon_needs(error) if found is LOGIN_REFUSED else ""
    return failed


def _may_retry(found: ErrorClass) -> bool:
    """A change that was cut off is never simply sent again: what became of it is looked up first."""
    return found.retry and found.kind in ("locked", "conflict")


def _connect(endpoint: Endpoint, run: str, statement_timeout_s: int, more_options: str = "") -> Session:
    return psycopg.connect(
        host=endpoint.host,
        port=endpoint.port,
        user=endpoint.user,
        password=endpoint.password,
        dbname=endpoint.dbname,
        autocommit=True,
        application_name=f"drydock/{run}"[:LONGEST_NAME_BYTES],
        connect_timeout=CONNECT_TIMEOUT_S,
        options=f"-c statement_timeout={statement_timeout_s}s {SESSION_OPTIONS} {SERVER_PROBES} {more_options}",
        row_factory=dict_row,
        **CLIENT_PROBES,
    )

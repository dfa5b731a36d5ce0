"""Oracle through python-oracledb: log on, set the session up, ask, and change. Knows no Airflow.

A session is made from a function that connects: Airflow's OracleHook in the product (`orchestration.connections`), an
`OracleEndpoint` elsewhere. Reads are asked again where the error's class allows it; changes and refused logons never.
Numbers come as Decimal, always, so that no key loses a digit; LOBs come as text or bytes (python-oracledb User Guide,
Fetching; Tuning).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import oracledb
import stamina

from drydock.engines.oracle_admission import TargetRights, admit, edition_of, version_of
from drydock.engines.oracle_errors import classify, code_of, may_ask_again, may_log_on_again
from drydock.engines.oracle_rows import RowMaker, row_maker
from drydock.engines.oracle_statements import Statement, compose
from drydock.estate import Licence
from drydock.sqlfiles import SqlFile, SqlFileInvalid, check_binds, sql_file

MODULE = PROGRAM = "drydock"
"""What V$SESSION shows as MODULE and PROGRAM, and the audit trail as CLIENT_PROGRAM_NAME (thin mode; an Oracle Client tells the
name of the interpreter)."""
LONGEST_ATTRIBUTE = 64  # bytes of ACTION and CLIENT_IDENTIFIER (PL/SQL Packages Reference 19c, DBMS_APPLICATION_INFO)
EXPIRE_TIME_MINUTES = 2  # a probe this often keeps firewalls from forgetting the connection
FIRST_ROWS = 100  # with the answer to the question itself: most have fewer, and room for more costs time in every call
ARRAY_ROWS = 1000  # in each round trip after it

Row = dict[str, Any]
Answer = TypeVar("Answer")
Connect = Callable[[], oracledb.Connection]


@dataclass(frozen=True)
class OracleEndpoint:
    """Where a database answers and as whom, for use without Airflow; the password never shows in a repr."""

    host: str
    port: int
    service: str
    user: str
    password: str = field(repr=False)

    def connect(self) -> oracledb.Connection:
        """Log on once. Raises oracledb.Error."""
        return oracledb.connect(
            user=self.user,
            password=self.password,
            host=self.host,
            port=self.port,
            service_name=self.service,
            expire_time=EXPIRE_TIME_MINUTES,
        )


@dataclass(frozen=True)
class RunIdentity:
    """What V$SESSION shows of us: `action` is the step (backup.survey), `run` the run that it belongs to."""

    action: str
    run: str


@dataclass(frozen=True)
class SessionLimits:
    """Bounds of every call of a session: seconds of one round trip, of a DDL lock, tries of a read and their pause."""

    call_timeout_s: float = 60
    lock_wait_s: int = 10
    attempts: int = 3
    pause_s: float = 0.5


class LogonFailed(Exception):
    """The database did not let us in. `code` is ORA-01017, DPY-6005, ...; `may_pass`: no password was sent yet."""

    def __init__(self, error: oracledb.Error) -> None:
        self.code, self.error_class, self.may_pass = code_of(error), classify(error), may_log_on_again(error)
        super().__init__(f"no logon: {self.code or type(error).__name__} ({self.error_class.kind})")


@dataclass
class OracleSession:
    """One session of one run. `rights` decides which files may be asked; `attested`: packs the owner says are licensed."""

    connect: Connect = field(repr=False)
    identity: RunIdentity
    limits: SessionLimits
    attested: frozenset[Licence]
    connection: oracledb.Connection = field(init=False, repr=False)
    rights: TargetRights = field(init=False, repr=False)
    refusal: LogonFailed | None = field(init=False, repr=False, default=None)
    timeout_s: float | None = field(init=False, repr=False, default=None)  # of the last call, where it was not the session's own
    makers: dict[int, tuple[SqlFile, RowMaker]] = field(init=False, repr=False, default_factory=dict)  # by identity of the file

    @property
    def version(self) -> tuple[int, ...]:
        return self.rights.version

    def close(self) -> None:
        """End the session; what is dead already stays so."""
        try:
            self.connection.close()
        except oracledb.Error:  # nothing is lost: a read leaves nothing behind, a change has been committed or failed
            return

    def __enter__(self) -> OracleSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_session(
    connect: Connect, identity: RunIdentity, *, limits: SessionLimits | None = None, attested: frozenset[Licence] = frozenset()
) -> OracleSession:
    """Log on and set the session up. A listener that is not there yet is tried again, a refused logon never.

    Raises LogonFailed; oracledb.Error when the set-up fails.
    """
    oracledb.defaults.program = PROGRAM
    session = OracleSession(connect, identity, limits or SessionLimits(), attested)
    for attempt in _attempts(session):
        with attempt:
            _log_on(session)
    return session


def fetch_rows(
    session: OracleSession, file: SqlFile, binds: Mapping[str, Any] | None = None, *, timeout_s: float | None = None
) -> list[Row]:
    """The rows of a read file, by column name. Asked again after an error whose class allows it, on a new session if need be.

    `timeout_s`: of one round trip, where the session's own limit does not fit. Raises NotForThisTarget, SqlFileInvalid,
    LogonFailed, oracledb.Error.
    """
    _check_read(session, file, binds)

    def ask() -> list[Row]:
        with _ask(session, file, binds, timeout_s) as cursor:
            return _all_rows(cursor)

    return _retried(session, ask)


def fetch_batches(
    session: OracleSession,
    file: SqlFile,
    binds: Mapping[str, Any] | None = None,
    *,
    rows: int = 10_000,
    timeout_s: float | None = None,
) -> Iterator[list[Row]]:
    """The rows of a read file in lists of at most `rows`. Tried again only until the first list is out: no row comes twice.

    Raises as fetch_rows.
    """
    _check_read(session, file, binds)

    def ask() -> tuple[oracledb.Cursor, list[Row]]:
        cursor = _ask(session, file, binds, timeout_s)
        cursor.arraysize = min(rows, ARRAY_ROWS)
        return cursor, cursor.fetchmany(rows)

    cursor, batch = _retried(session, ask)
    with cursor:
        while batch:
            yield batch
            batch = cursor.fetchmany(rows)


def read_with(
    session: OracleSession,
    file: SqlFile,
    binds: Mapping[str, Any] | None,
    ask: Callable[[oracledb.Connection], Answer],
    *,
    timeout_s: float | None = None,
) -> Answer:
    """What `ask` gets out of a connection for a read file, under the same guards and retries as fetch_rows."""
    _check_read(session, file, binds)

    def limited() -> Answer:
        _limit(session, timeout_s)
        return ask(session.connection)

    return _retried(session, limited)


def execute(session: OracleSession, statement: Statement, *, timeout_s: float | None = None) -> dict[str, Any]:
    """Run one change, once: whatever the error, it is never repeated. Returns the values of its OUT binds.

    Raises NotForThisTarget, oracledb.Error.
    """
    admit(statement.file, session.rights)
    _limit(session, timeout_s)
    with session.connection.cursor() as cursor:
        outs = {name: cursor.var(kind) for name, kind in statement.outs.items()}
        cursor.execute(statement.text, {**statement.binds, **outs}, fetch_lobs=False, fetch_decimals=True)
        return {name: variable.getvalue() for name, variable in outs.items()}


def _log_on(session: OracleSession) -> None:
    """Log on, unless this session was refused before: a pipeline of many questions would lock the account."""
    if session.refusal:
        raise session.refusal
    session.makers.clear()  # what answers now may be of another version
    try:
        session.connection = session.connect()
    except oracledb.Error as e:
        failed = LogonFailed(e)
        session.refusal = None if failed.may_pass else failed
        raise failed from e
    try:
        _set_up(session)
    except BaseException:
        session.close()
        raise


def _set_up(session: OracleSession) -> None:
    """Name the run, fix what depends on client or server, bound every call. The names travel with the first statement."""
    connection, limits = session.connection, session.limits
    connection.call_timeout = _milliseconds(limits.call_timeout_s)
    session.timeout_s = None
    connection.module = MODULE
    connection.action = _attribute(session.identity.action)
    connection.client_identifier = _attribute(session.identity.run)
    session.rights = TargetRights(
        version_of(connection.version), session.attested, partial(_edition, session), partial(_pack_access, session)
    )
    with connection.cursor() as cursor:
        cursor.execute(compose(sql_file("oracle", "session", "set_language")))
        cursor.execute(compose(sql_file("oracle", "session", "set_lock_wait"), {"seconds": str(int(limits.lock_wait_s))}))


def _attempts(session: OracleSession, already: int = 0) -> Iterator[Any]:
    """The tries that are left; those made already are followed by a pause first."""
    pause_s, left = session.limits.pause_s, session.limits.attempts - already
    if left < 1:
        return iter(())
    time.sleep(pause_s if already else 0)
    return stamina.retry_context(
        on=_may_try_again,
        attempts=left,
        timeout=None,
        wait_initial=pause_s,
        wait_jitter=pause_s,
        wait_max=pause_s * 8,
    )


def _retried(session: OracleSession, ask: Callable[[], Answer]) -> Answer:
    """What a read gives; asked again, on a new session if need be, where the class of its error allows it."""
    try:
        return ask()  # no machinery around what nearly always works at once
    except oracledb.Error as e:
        if not _may_try_again(e):
            raise
        error = e
    for attempt in _attempts(session, already=1):
        with attempt:
            _revive(session)
            return ask()
    raise error


def _may_try_again(error: Exception) -> bool:
    return error.may_pass if isinstance(error, LogonFailed) else may_ask_again(error)


def _revive(session: OracleSession) -> None:
    if not session.connection.is_healthy():
        session.close()
        _log_on(session)


def _ask(session: OracleSession, file: SqlFile, binds: Mapping[str, Any] | None, timeout_s: float | None) -> oracledb.Cursor:
    _limit(session, timeout_s)
    cursor = session.connection.cursor()
    try:
        cursor.arraysize, cursor.prefetchrows = FIRST_ROWS, FIRST_ROWS + 1
        cursor.execute(file.statement, dict(binds) if binds else None, fetch_lobs=False, fetch_decimals=True)
        if (known := session.makers.get(id(file))) is None:
            _check_columns(cursor, file)  # a statement names its own columns: once in a session is enough
            known = session.makers[id(file)] = file, row_maker(tuple(file.columns))
        cursor.rowfactory = known[1]
    except BaseException:
        cursor.close()
        raise
    return cursor


def _limit(session: OracleSession, timeout_s: float | None) -> None:
    """Bound the round trips to come; nothing to do where the last call was bound alike. A connection that was cut is left as
    it is, and its next call says so: python-oracledb 26.1 ends the whole process (SIGSEGV) when its time limit is set."""
    if timeout_s != session.timeout_s and session.connection.is_healthy():
        session.connection.call_timeout = _milliseconds(timeout_s or session.limits.call_timeout_s)
        session.timeout_s = timeout_s


def _all_rows(cursor: oracledb.Cursor) -> list[Row]:
    first = cursor.fetchmany(FIRST_ROWS + 1)
    if len(first) <= FIRST_ROWS:
        return first
    cursor.arraysize = ARRAY_ROWS  # read at each round trip
    return first + cursor.fetchall()


def _check_columns(cursor: oracledb.Cursor, file: SqlFile) -> None:
    """Raise SqlFileInvalid where the names of the columns are not those of the header."""
    names = [column.name.lower() for column in cursor.description]
    if names != list(file.columns):
        raise SqlFileInvalid(f"{file.path}: the header tells of {list(file.columns)}, the database returns {names}")


def _check_read(session: OracleSession, file: SqlFile, binds: Mapping[str, Any] | None) -> None:
    if not binds and not file.binds and id(file) in session.makers:
        return  # this session has answered it before
    if file.kind != "read":
        raise SqlFileInvalid(f"{file.path}: kind {file.kind!r} is not asked with fetch")
    check_binds(file, (binds or {}).keys())
    admit(file, session.rights)


def _edition(session: OracleSession) -> str:
    rows = _rows_or_none(session, "banner")
    return next((edition for row in rows if (edition := edition_of(row["banner"]))), "")


def _pack_access(session: OracleSession) -> str:
    rows = _rows_or_none(session, "parameters")
    return next((row["value"] or "" for row in rows if row["name"] == "control_management_pack_access"), "")


def _rows_or_none(session: OracleSession, name: str) -> list[Row]:
    """The rows, or none where a grant is missing: what cannot be known is not assumed."""
    try:
        return fetch_rows(session, sql_file("oracle", "session", name))
    except oracledb.Error as e:
        if classify(e).kind != "privilege":
            raise
        return []


def _attribute(text: str) -> str:
    return text.encode("utf-8")[:LONGEST_ATTRIBUTE].decode("utf-8", "ignore")


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))

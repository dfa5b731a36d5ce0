"""Sessions of the simulated database: who logs on, and what each request does to the model."""

from __future__ import annotations

import importlib
import itertools
import pkgutil
import re
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any

import sandbox.oracle
from sandbox.oracle import accounts_control, packages, session_control, views_session  # noqa: F401 - they register what they know
from sandbox.oracle.backend import Bind, Column, OracleError, Result, SessionEnded
from sandbox.oracle.model.auditing import auditing_of
from sandbox.oracle.model.database import OracleDatabase, SessionState
from sandbox.oracle.model.flashback import rows_at
from sandbox.oracle.model.storage_work import archiver_is_stuck
from sandbox.oracle.model.tables import Table, tables_of
from sandbox.oracle.sql import plsql, statements  # noqa: F401 - blocks register their verbs
from sandbox.oracle.sql.dialect import parsed
from sandbox.oracle.sql.dictionary import may_read, may_use, view_named
from sandbox.oracle.sql.dml import select_for_update
from sandbox.oracle.sql.engine import Running
from sandbox.oracle.sql.errors import missing_privilege, no_such_table
from sandbox.oracle.sql.lexer import first_words, scan
from sandbox.oracle.sql.relations import Relation, of_rows, of_table, of_view
from sandbox.oracle.sql.statement import compiled_query, compiler, described, placed, run
from sandbox.oracle.sql.transactions import Transaction

QUERIES = {"SELECT", "WITH"}
MESSAGES_OF_STATUS = {"LOCKED": (28000, "the account is locked"), "EXPIRED": (28001, "the password has expired")}


@cache
def load_parts() -> None:
    """Imports each module here that registers views, packages or statements, known by the beginning of its name."""
    for module in pkgutil.iter_modules(sandbox.oracle.__path__):
        if module.name.startswith(("views_", "packages_", "statements_")):
            importlib.import_module(f"sandbox.oracle.{module.name}")


class DatabaseAccounts:
    """Who may log on to the database (contract: sandbox.oracle.backend.Accounts)."""

    def __init__(self, database: OracleDatabase) -> None:
        load_parts()
        self.database = database
        self.sids, self.serials = itertools.count(20), itertools.count(1001)

    def password_of(self, user: str) -> str | None:
        account = self.database.accounts.get(user)
        if account is None:
            return None
        for word, (code, message) in MESSAGES_OF_STATUS.items():
            if word in account.status.upper():
                raise OracleError(code, message)
        return account.password

    def service_exists(self, service: str) -> bool:
        known = {self.database.service, self.database.name, self.database.unique_name} - {""}
        return service.upper() in {k.upper() for k in known}

    def open_session(self, user: str, service: str, client: dict[str, str]) -> tuple[SqlBackend, int, int]:
        """A session for a user who may have one; without CREATE SESSION it is ORA-01045."""
        held = {p.upper() for p in self.database.accounts[user].privileges}
        if user != "SYS" and not held & {"CREATE SESSION", "CONNECT", "DBA", "SYSDBA"}:
            raise OracleError(1045, f"user {user} lacks CREATE SESSION privilege; logon denied")
        if user != "SYS" and archiver_is_stuck(self.database):
            raise OracleError(257, "archiver error. Connect internal only, until freed.")
        with self.database.lock:
            sid, serial = next(self.sids), next(self.serials)
            state = SessionState(sid, serial, user, service, self.database.clock.now(), dict(client))
            state.backend = SqlBackend(self.database, state)
            self.database.sessions[sid] = state
            write_down(self.database, state, "LOGON")
        return state.backend, sid, serial


class SqlBackend:
    """One session (contract: sandbox.oracle.backend.Backend)."""

    def __init__(self, database: OracleDatabase, session: SessionState) -> None:
        self.database, self.session = database, session
        self.attributes = session.attributes
        self.settings: dict[str, str] = {}
        self.transaction = Transaction(database, session)
        self.output: list[str] | None = None
        self.is_working = self.was_told = False
        self.stop = threading.Event()
        self.running: Running | None = None

    @property
    def in_transaction(self) -> bool:
        return self.transaction.is_active

    def describe(self, sql: str) -> Sequence[Column] | None:
        """Columns of a query, its names and grants judged as for a run."""
        if (first_words(scan(sql).text.lstrip(" (\n\t"), 1) or [""])[0] not in QUERIES:
            return None
        tree, scanned = parsed(sql)
        with self.database.lock:
            c = compiler(self.database, self.session, scanned, [], self.relation_of, is_described=True)
            return described(compiled_query(c, tree))

    def execute(self, sql: str, binds: Sequence[Bind]) -> Result:
        """One statement of any sort. A killed session is told so once, with ORA-00028."""
        self.check_alive()
        self.stop.clear()
        self.scripted(sql)
        self.is_working = True
        try:
            return statements.dispatch(self, sql, binds)
        finally:
            self.is_working = False
            if self.session.is_killed:
                self.rollback()
                self.check_alive()

    def query(self, sql: str, binds: Sequence[Bind]) -> Result:
        """A SELECT on the engine. The model is locked while its rows are read, not while they are computed on."""
        tree, scanned = parsed(sql)
        given = placed(scanned.names, binds)
        if tree.args.get("locks"):
            select_for_update(self, tree, lambda: compiler(self.database, self.session, scanned, given, self.relation_of))
        with self.database.lock:
            c = compiler(self.database, self.session, scanned, given, self.relation_of)
            compiled = compiled_query(c, tree)
            running = self.start()
        try:
            return run(c, compiled, running)
        finally:
            self.running = None

    def start(self) -> Running:
        """An engine statement that `cancel` reaches."""
        self.running = Running()
        if self.stop.is_set():
            self.running.cancel()
        return self.running

    def relation_of(self, owner: str, name: str, scn: int | None = None) -> Relation:
        """The relation behind a name, now or at an SCN, if this user may see it; ORA-00942 otherwise."""
        table = self.table(owner, name)
        if table is not None:
            if scn is None:
                return of_table(self.database, table, self.transaction.changes_of(table))
            if not may_use(self.database, self.session.user, table, "FLASHBACK"):
                raise missing_privilege()
            return of_rows(self.database, table, rows_at(self.database, table, scn))
        if scn is not None:
            raise OracleError(1031, "insufficient privileges")
        view = view_named(name) if owner in ("", "SYS", "PUBLIC") else None
        is_public = view is not None and not (owner == "SYS" and name.startswith(("V$", "GV$")))
        if not is_public or not may_read(self.database, self.session.user, view):
            raise no_such_table()
        self.database.parts["asking_session"] = self.session  # views of the own session, V$MYSTAT, are about it
        return of_view(self.database, view)

    def schema(self) -> str:
        return self.attributes.get("current_schema") or self.session.user

    def table(self, owner: str, name: str, verb: str = "SELECT") -> Table | None:
        """A user table that this session may use; ORA-00942 where it may not see it, ORA-01031 where only `verb` is missing."""
        found = tables_of(self.database).find(owner or self.schema(), name)
        if found is None:
            return None
        user = self.session.user
        if may_use(self.database, user, found, verb):
            return found
        if verb != "SELECT" and may_use(self.database, user, found, "SELECT"):
            raise missing_privilege()
        raise no_such_table()

    def claim_table(self, table: Table) -> None:
        """For DDL on a table: waits DDL_LOCK_TIMEOUT seconds (0 unless set) for others' changes, then ORA-00054."""
        seconds = float(self.settings.get("DDL_LOCK_TIMEOUT") or self.database.parameters.get("ddl_lock_timeout", 0))
        self.transaction.claim_table(table, self.stop.is_set, seconds)

    def check_alive(self) -> None:
        if self.session.is_killed:
            if self.was_told:
                raise SessionEnded
            self.was_told = True
            raise OracleError(28, "your session has been killed")

    def scripted(self, sql: str) -> None:
        """Errors that a test asked for, each as often as it said."""
        with self.database.lock:
            for script in self.database.scripted_errors:
                if script.times > 0 and re.search(script.pattern, sql, re.IGNORECASE | re.DOTALL):
                    script.times -= 1
                    raise OracleError(script.code, script.message)

    def commit(self) -> None:
        self.transaction.commit()

    def rollback(self) -> None:
        self.transaction.rollback()

    def cancel(self) -> None:
        self.stop.set()
        if running := self.running:
            running.cancel()

    def close(self) -> None:
        self.transaction.rollback()
        with self.database.lock:
            if self.database.sessions.pop(self.session.sid, None):
                write_down(self.database, self.session, "LOGOFF")


def write_down(database: OracleDatabase, session: SessionState, action: str) -> None:
    """A record of the audit trail, where this database audits real sessions."""
    if write := auditing_of(database).write_session:
        write(session, action)


def open_simulator(database: OracleDatabase, **options: Any) -> Any:
    """The database behind a TCP port: an OracleServer, as sandbox.oracle.server makes it."""
    from sandbox.oracle.server import OracleServer

    return OracleServer(DatabaseAccounts(database), **options)

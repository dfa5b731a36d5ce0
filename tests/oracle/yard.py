"""What the suite makes on a server and takes away again: accounts with exactly the grants files, a tablespace, a schema.

Everything it makes begins with DRYDOCK_TEST_ (accounts of a CDB root with C##DRYDOCK_TEST_, as common users must), and nothing
else is ever changed or dropped. What a run that was killed left behind goes at the start of the next one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

import oracledb

from drydock.engines.oracle import OracleEndpoint, OracleSession, RunIdentity, SessionLimits, open_session
from drydock.engines.oracle_admission import version_of
from drydock.engines.oracle_errors import code_of
from drydock.estate import Licence
from drydock.settings import include_dir
from drydock.sqlfiles import parse_sql_file, statements
from tests.oracle import schema
from tests.oracle.live_target import LiveTarget, ServerFacts

PREFIX = "DRYDOCK_TEST_"
COMMON_PREFIX = f"C##{PREFIX}"
TABLESPACE = f"{PREFIX}DATA"
NEW_IN_12 = ("V_$CONTAINERS", "V_$NONLOGGED_BLOCK")
GAP_WORDS = "the simulator has no meaning for"
LIMITS = SessionLimits(call_timeout_s=120, lock_wait_s=1, pause_s=0.1)
IDENTITY = RunIdentity("oracle.suite", "make test-oracle")
DROP_TRIES, DROP_PAUSE_S = 20, 0.5

Rows = list[tuple[Any, ...]]


def is_gap(error: BaseException) -> bool:
    """True for what only our simulator says: it does not know this statement or package (yet)."""
    text = str(error)
    return GAP_WORDS in text or ("PLS-00201" in text and "'DBMS_" in text)


def ask(connection: oracledb.Connection, sql: str, *binds: Any) -> Rows:
    with closing(connection.cursor()) as cursor:
        return cursor.execute(sql, list(binds)).fetchall()


def run(connection: oracledb.Connection, sql: str) -> None:
    with closing(connection.cursor()) as cursor:
        cursor.execute(sql)


def grants_files() -> dict[str, list[str]]:
    """The grants of each pipeline, as its file has them."""
    folder = include_dir() / "sql" / "oracle" / "grants"
    return {path.stem: statements(parse_sql_file(path)) for path in sorted(folder.glob("*.sql"))}


def facts_of(connection: oracledb.Connection) -> ServerFacts:
    """What the server says of itself. Raises oracledb.Error."""
    version = version_of(connection.version)
    [(name, role, log_mode)] = ask(connection, "SELECT name, database_role, log_mode FROM v$database")
    [(is_cdb, container)] = (
        ask(connection, "SELECT cdb, sys_context('USERENV', 'CON_NAME') FROM v$database") if version >= (12,) else [("NO", "")]
    )
    foreign = "SELECT COUNT(*) FROM dba_users WHERE oracle_maintained = 'N' AND INSTR(username, 'DRYDOCK_TEST_') = 0"
    return ServerFacts(
        version=version,
        banner=ask(connection, "SELECT banner FROM v$version WHERE banner LIKE 'Oracle%'")[0][0],
        name=name,
        role=role,
        log_mode=log_mode,
        is_cdb=is_cdb == "YES",
        container=container or "",
        options=frozenset(name for (name,) in ask(connection, "SELECT parameter FROM v$option WHERE value = 'TRUE'")),
        foreign_accounts=int(ask(connection, foreign)[0][0]) if version >= (12,) else 0,
        is_simulator=_is_simulator(connection),
    )


def _is_simulator(connection: oracledb.Connection) -> bool:
    """Only our simulator has this package. Any answer but Oracle's refusal counts as a simulator."""
    with closing(connection.cursor()) as cursor:
        try:
            cursor.execute("BEGIN drydock_simulator.tell(:words); END;", words=cursor.var(str))
        except oracledb.Error as e:
            return "PLS-00201" not in str(e)
    return True


@dataclass
class Yard:
    """One prepared server. `gaps`: what could not be made, by the name of the step, with the server's words."""

    target: LiveTarget
    admin: oracledb.Connection = field(repr=False)
    facts: ServerFacts
    password: str = field(repr=False, default_factory=lambda: f"A{token_hex(10)}_1")
    gaps: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, OracleSession] = field(default_factory=dict, repr=False)

    def account(self, what: str) -> str:
        return f"{COMMON_PREFIX if self.facts.is_root else PREFIX}{what.upper()}"

    @property
    def owner(self) -> str:
        return self.account("owner")

    def endpoint(self, what: str) -> OracleEndpoint:
        return OracleEndpoint(self.target.host, self.target.port, self.target.service, self.account(what), self.password)

    def open(self, what: str) -> OracleSession:
        """A session of the product as an account; the caller closes it."""
        attested = frozenset({Licence.DIAGNOSTICS_PACK}) if self.target.has_packs else frozenset()
        return open_session(self.endpoint(what).connect, IDENTITY, limits=LIMITS, attested=attested)

    def session(self, what: str) -> OracleSession:
        """The one session of an account that tests share."""
        if what not in self.sessions:
            self.sessions[what] = self.open(what)
        return self.sessions[what]

    @contextmanager
    def connection(self, what: str) -> Iterator[oracledb.Connection]:
        """A plain connection of its own."""
        with closing(self.endpoint(what).connect()) as made:
            yield made

    def can(self, step: str) -> bool:
        return step not in self.gaps

    def grants(self, pipeline: str) -> list[str]:
        """The grants of a pipeline that this server can take, rendered for its account."""
        fitting = [text for text in grants_files()[pipeline] if not self.why_not_granted(text)]
        return [text.replace("&account", self.account(pipeline)) for text in fitting]

    def why_not_granted(self, grant: str) -> str:
        """Why a grant of the files is left out here; '' for most."""
        if "DBA_HIST_" in grant and not self.target.has_packs:
            return "nobody attests the Diagnostics Pack (DRYDOCK_ORACLE_PACKS=yes)"
        if "PERFSTAT." in grant and not self.has_statspack:
            return "Statspack is not installed"
        if self.facts.version < (12,) and any(name in grant for name in NEW_IN_12):
            return "the view comes with 12.1"
        return ""

    @property
    def has_statspack(self) -> bool:
        return bool(ask(self.admin, "SELECT 1 FROM dba_users WHERE username = 'PERFSTAT'"))

    def attempt(self, step: str, act: Callable[[], None]) -> None:
        """Does one step; what a simulator does not know is kept as a gap, all else is an error. Raises oracledb.Error."""
        try:
            act()
        except oracledb.Error as e:
            if not (self.facts.is_simulator and is_gap(e)):
                raise
            self.gaps[step] = str(e).splitlines()[0]

    def close(self) -> None:
        for session in self.sessions.values():
            session.close()
        self.sessions.clear()
        self.admin.close()


def make_yard(target: LiveTarget, admin: oracledb.Connection, facts: ServerFacts) -> Yard:
    """Clean, then make everything. The caller has passed the gate. Raises oracledb.Error."""
    yard = Yard(target, admin, facts)
    clean(yard)
    for what in (*grants_files(), "owner", "bare"):
        _make_account(yard, what)
    for pipeline in grants_files():
        for grant in yard.grants(pipeline):
            run(admin, grant)
    for privilege in ("CREATE SESSION", "CREATE TABLE", "CREATE SEQUENCE"):
        run(admin, f"GRANT {privilege} TO {yard.owner}")
    run(admin, f"GRANT CREATE SESSION TO {yard.account('bare')}")
    _make_room(yard)
    if facts.is_simulator:
        _plant_schema(yard)
        return yard
    with yard.connection("owner") as owner:
        for step in schema.steps(facts):
            _make_step(yard, owner, step)
    return yard


def clean(yard: Yard) -> list[str]:
    """Drops every account and tablespace with the prefix, after ending their sessions; returns their names."""
    admin = yard.admin
    users = [name for (name,) in ask(admin, "SELECT username FROM dba_users") if name.startswith((PREFIX, COMMON_PREFIX))]
    for user in users:
        end_sessions(admin, user)
        _drop_account(admin, user)
    spaces = ask(admin, "SELECT tablespace_name FROM dba_tablespaces")
    mine = [name for (name,) in spaces if name.startswith(PREFIX)]
    for name in mine:
        run(admin, f"DROP TABLESPACE {_plain(name)} INCLUDING CONTENTS AND DATAFILES")
    return users + mine


def end_sessions(admin: oracledb.Connection, user: str) -> None:
    """Kill every session of one of our accounts."""
    _plain(user)
    found = ask(admin, "SELECT sid, serial#, inst_id FROM gv$session WHERE username = :1", user)
    for sid, serial, instance in found:
        with suppress(oracledb.Error):  # it may be gone by now
            run(admin, f"ALTER SYSTEM KILL SESSION '{sid},{serial},@{instance}' IMMEDIATE")


def _drop_account(admin: oracledb.Connection, user: str) -> None:
    for _ in range(DROP_TRIES):
        try:
            return run(admin, f"DROP USER {_plain(user)} CASCADE")
        except oracledb.Error as e:
            if code_of(e) != "ORA-01940":  # a killed session lives on until its process has seen it
                raise
            time.sleep(DROP_PAUSE_S)
            end_sessions(admin, user)
    raise RuntimeError(f"{user} is still logged on")


def _plain(name: str) -> str:
    """The name, which must be one of ours: the last lock before a DROP."""
    if not re.fullmatch(r"(?:C##)?DRYDOCK_TEST_[A-Z0-9_]{1,15}", name):
        raise RuntimeError(f"{name!r} is not a name of this suite; nothing is dropped")
    return name


def _make_account(yard: Yard, what: str) -> None:
    everywhere = " CONTAINER = ALL" if yard.facts.is_root else ""
    run(yard.admin, f'CREATE USER {yard.account(what)} IDENTIFIED BY "{yard.password}"{everywhere}')


def _make_room(yard: Yard) -> None:
    """A small tablespace beside the first datafile, and quota in it for the owner."""
    [(first,)] = ask(yard.admin, "SELECT name FROM v$datafile WHERE file# = (SELECT MIN(file#) FROM v$datafile)")
    [(is_managed,)] = ask(yard.admin, "SELECT MAX(value) FROM v$parameter WHERE name = 'db_create_file_dest'")
    here = " CONTAINER = CURRENT" if yard.facts.is_root else ""
    room = f"CREATE TABLESPACE {TABLESPACE} DATAFILE {new_file(first, bool(is_managed))} AUTOEXTEND ON NEXT 8M MAXSIZE 256M"
    yard.attempt("tablespace", lambda: run(yard.admin, room))
    quota = f"ALTER USER {yard.owner} QUOTA UNLIMITED ON {TABLESPACE}{here}"
    yard.attempt("quota", lambda: run(yard.admin, quota))


def new_file(first: str, is_managed: bool) -> str:
    """Name and size of our datafile: in the same disk group or folder as the database's first one, or where Oracle puts it."""
    if is_managed:
        return "SIZE 48M"
    if first.startswith("+"):
        return f"'{first.split('/')[0]}' SIZE 48M"
    folder = first[: max(first.rfind("/"), first.rfind("\\")) + 1].replace("'", "''")
    return f"'{folder}drydock_test_data.dbf' SIZE 48M REUSE"


def _plant_schema(yard: Yard) -> None:
    """The simulator has no CREATE TABLE; it is told to put the same tables into its model. What it leaves out is a gap."""
    with closing(yard.admin.cursor()) as cursor:
        planted = cursor.var(str)
        cursor.execute("BEGIN drydock_simulator.plant(:owner, :steps); END;", owner=yard.owner, steps=planted)
    known = planted.getvalue().split(",")
    for step in schema.steps(yard.facts):
        if step.name not in known:
            yard.gaps[step.name] = "nothing like it is in its model"


def _make_step(yard: Yard, owner: oracledb.Connection, step: schema.Step) -> None:
    missing = [name for name in step.needs if not yard.can(name)]
    if missing:
        yard.gaps[step.name] = f"needs {missing[0]}: {yard.gaps[missing[0]]}"
        return

    def act() -> None:
        for sql in step.sql:
            run(owner, sql)
        owner.commit()

    yard.attempt(step.name, act)

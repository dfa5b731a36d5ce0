"""A simulated database whose auditing is as it should be, and a run of the pipeline audit on it; tests damage the one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from drydock.audit.policy import AuditPolicy
from drydock.engines.oracle import OracleEndpoint, OracleSession, RunIdentity, SessionLimits, fetch_rows, open_session
from drydock.settings import include_dir
from drydock.sqlfiles import parse_sql_file, sql_file, statements
from sandbox.oracle.model.auditing import Auditing, Policy, auditing_of, take_room
from sandbox.oracle.model.building import Shape
from sandbox.oracle.model.database import Account, Clock, OracleDatabase
from sandbox.oracle.server import OracleServer
from sandbox.oracle.sessions import DatabaseAccounts
from sandbox.oracle.worlds import lived

LOOKER, PURGER = "DRYDOCK_LOOK", "DRYDOCK_PURGE"
PASSWORD = "pass"
LIMITS = SessionLimits(call_timeout_s=20, pause_s=0.01)
ACTIONS = ["LOGON", "LOGOFF", "GRANT", "CREATE USER", ("UPDATE", "GZ_MAIN", "DECLARATIONS")]
DECLARED = {
    "option Unified Auditing": "TRUE",
    "audit_trail": "NONE",
    "policy GZ_CORE": "BY USER ALL USERS success failure",
    "policy ORA_SECURECONFIG": "BY USER ALL USERS success failure",
}
TABLES = ("DECLARATIONS", "CONTAINERS", "DUTIES")


def granted(pipeline: str) -> set[str]:
    """The privileges that the grants file of a pipeline gives, no more."""
    texts = statements(parse_sql_file(include_dir() / "sql" / "oracle" / "grants" / f"{pipeline}.sql"))
    return {re.sub(r"\s+TO\s+&account$", "", text.removeprefix("GRANT ")) for text in texts}


def audited_database(records: int = 240) -> OracleDatabase:
    """One day of records up to now, two policies, room for years, and nobody who could alter the trail unseen."""
    database = lived(5, Shape("GZA", spaces={"AUDIT_TRAIL": (8.0,)}), days=0.02, ends_at=datetime.now(UTC).replace(microsecond=0))
    database.clock = Clock()  # what lived a while is ahead of the machine
    database.options["Unified Auditing"] = True
    database.parameters |= {"audit_trail": "NONE", "audit_sys_operations": "TRUE", "audit_file_dest": "/u01/adump"}
    database.accounts[LOOKER] = Account(LOOKER, PASSWORD, granted("audit"))
    database.accounts[PURGER] = Account(PURGER, PASSWORD, granted("audit_purge"))
    database.accounts["APP"] = Account("APP", PASSWORD, {"CREATE SESSION"})
    trail = auditing_of(database)
    trail.policies = [Policy("GZ_CORE", ACTIONS), Policy("ORA_SECURECONFIG", ["ALTER SYSTEM", "DROP USER"])]
    now = database.clock.now()
    trail.unified = [unified_row(n, now - timedelta(hours=23) + n * timedelta(hours=22) / records) for n in range(records)]
    take_room(database, 50_000, "AUDIT_TRAIL")
    return database


def unified_row(number: int, at: datetime, **more: Any) -> dict[str, Any]:
    """A record of the unified trail as a busy application makes them."""
    action = ("SELECT", "UPDATE", "LOGON")[number % 3]
    table = TABLES[number % len(TABLES)]
    text = {"SELECT": f"select * from gz_main.{table} where id = {number}", "UPDATE": f"update gz_main.{table} set a={number}"}
    row = {
        "AUDIT_TYPE": "Standard", "SESSIONID": 1000 + number // 10, "PROXY_SESSIONID": 0, "OS_USERNAME": "tomcat",
        "USERHOST": "app01", "TERMINAL": "unknown", "INSTANCE_ID": 1, "DBID": 4711, "DBUSERNAME": "APP", "CURRENT_USER": "APP",
        "AUTHENTICATION_TYPE": "(TYPE=(DATABASE));(CLIENT ADDRESS=((ADDRESS=(PROTOCOL=tcp)(HOST=10.1.2.3)(PORT=5151))));",
        "CLIENT_PROGRAM_NAME": "JDBC Thin Client", "ENTRY_ID": number % 10 + 1, "STATEMENT_ID": number + 1,
        "EVENT_TIMESTAMP_UTC": at, "ACTION_NAME": action, "RETURN_CODE": 0, "OS_PROCESS": "4242", "SCN": 10**12 + number,
        "UNIFIED_AUDIT_POLICIES": "GZ_CORE",
    }  # fmt: skip
    if action != "LOGON":
        row |= {"OBJECT_SCHEMA": "GZ_MAIN", "OBJECT_NAME": table, "SQL_TEXT": text[action], "SQL_BINDS": " #1(3):secret"}
    return row | more


@dataclass
class AuditYard:
    """The database and its server; `session` is the looking account's."""

    database: OracleDatabase
    server: OracleServer
    session: OracleSession

    @property
    def trail(self) -> Auditing:
        return auditing_of(self.database)

    def rows(self, name: str, binds: Mapping[str, Any]) -> list[dict[str, Any]]:
        return fetch_rows(self.session, sql_file("oracle", "audit", name), binds)

    def opened(self, account: str) -> OracleSession:
        return opened(self.database, self.server, account)

    def policy(self, **changes: Any) -> AuditPolicy:
        values = {"sources": [{"id": "unified", "kind": "oracle_unified"}], "declared_trail": DECLARED}
        values |= {"administrators": ["SYSTEM"], "trail_guardians": [PURGER]}
        return AuditPolicy.model_validate(values | changes)


def opened(database: OracleDatabase, server: OracleServer, account: str) -> OracleSession:
    endpoint = OracleEndpoint("127.0.0.1", server.port, database.service, account, PASSWORD)
    return open_session(endpoint.connect, RunIdentity("audit.trail", "test"), limits=LIMITS)


@contextmanager
def audit_yard(database: OracleDatabase) -> Iterator[AuditYard]:
    with OracleServer(DatabaseAccounts(database)) as server, opened(database, server, LOOKER) as session:
        yield AuditYard(database, server, session)

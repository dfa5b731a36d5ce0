"""Views of the instance and its sessions (Database Reference 19c): what any part of the product asks first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from sandbox.oracle.model.database import OracleDatabase, SessionState
from sandbox.oracle.model.repository import has_repository, repository_of
from sandbox.oracle.registry import view

Rows = Iterable[Mapping[str, Any]]
BANNER = {"EE": "Enterprise Edition", "SE2": "Standard Edition 2", "XE": "Express Edition"}
UPTIME = timedelta(days=30)


@view("DUAL")
def dual(database: OracleDatabase) -> Rows:
    return [{"DUMMY": "X"}]


def archiver_state(database: OracleDatabase) -> str:
    """FAILED: it could not write its last log where this database keeps its logs; it tries again by itself."""
    places = repository_of(database).destinations if has_repository(database) else ()
    return "FAILED" if any(d.error and d.target != "STANDBY" for d in places) else "STARTED"


@view("V$INSTANCE")
def instance(database: OracleDatabase) -> Rows:
    is_standby = database.parts.get("open_mode", "").startswith("MOUNTED")
    return [
        {
            "INSTANCE_NUMBER": 1,
            "INSTANCE_NAME": database.parameters.get("instance_name", database.name),
            "HOST_NAME": database.parameters.get("host_name", "simulator"),
            "VERSION": f"{database.version.split('.')[0]}.0.0.0.0",
            "VERSION_LEGACY": f"{database.version.split('.')[0]}.0.0.0.0",
            "VERSION_FULL": database.version,
            "STARTUP_TIME": database.parts.get("started_at") or database.sysdate() - UPTIME,
            "STATUS": "MOUNTED" if is_standby else "OPEN",
            "PARALLEL": "NO",
            "THREAD#": 1,
            "ARCHIVER": archiver_state(database),
            "LOGINS": "ALLOWED",
            "SHUTDOWN_PENDING": "NO",
            "DATABASE_STATUS": "ACTIVE",
            "INSTANCE_ROLE": "PRIMARY_INSTANCE",
            "ACTIVE_STATE": "NORMAL",
            "BLOCKED": "NO",
            "CON_ID": 0,
            "INSTANCE_MODE": "REGULAR",
            "EDITION": database.edition,
            "DATABASE_TYPE": "SINGLE",
        }
    ]


@view("V$VERSION")
def version(database: OracleDatabase) -> Rows:
    release = database.version.split(".")[0]
    name = f"Oracle Database {release}c {BANNER.get(database.edition, database.edition)} Release {release}.0.0.0.0 - Production"
    return [{"BANNER": name, "BANNER_FULL": f"{name}\nVersion {database.version}", "BANNER_LEGACY": name, "CON_ID": 0}]


def parameter_rows(database: OracleDatabase) -> Rows:
    return [
        {
            "NUM": number,
            "NAME": name,
            "TYPE": 3 if value.isdigit() else 2,
            "VALUE": value,
            "DISPLAY_VALUE": value,
            "ISDEFAULT": "FALSE",
            "ISSES_MODIFIABLE": "FALSE",
            "ISSYS_MODIFIABLE": "IMMEDIATE",
            "ISMODIFIED": "FALSE",
            "CON_ID": 0,
        }
        for number, (name, value) in enumerate(sorted(database.parameters.items()), 1)
    ]


view("V$PARAMETER")(parameter_rows)
view("V$SYSTEM_PARAMETER")(parameter_rows)


@view("V$OPTION")
def option(database: OracleDatabase) -> Rows:
    return [{"PARAMETER": name, "VALUE": "TRUE" if on else "FALSE", "CON_ID": 0} for name, on in database.options.items()]


def session_row(database: OracleDatabase, session: SessionState) -> Mapping[str, Any]:
    """A row of V$SESSION: the session that asks is ACTIVE, one that waits for a row names its blocker."""
    transaction = getattr(session.backend, "transaction", None)
    blocker = transaction.waits_for.session if transaction and transaction.waits_for else None
    return {
        "SADDR": session.sid.to_bytes(8, "big"),
        "SID": session.sid,
        "SERIAL#": session.serial,
        "AUDSID": session.sid * 1000 + session.serial,
        "USERNAME": session.user,
        "SCHEMANAME": session.attributes.get("current_schema") or session.user,
        "STATUS": "KILLED" if session.is_killed else "ACTIVE" if getattr(session.backend, "is_working", False) else "INACTIVE",
        "SERVER": "DEDICATED",
        "OSUSER": session.client.get("osuser"),
        "MACHINE": session.client.get("machine"),
        "TERMINAL": session.client.get("terminal"),
        "PROGRAM": session.client.get("program"),
        "TYPE": "USER",
        "MODULE": session.attributes.get("module"),
        "ACTION": session.attributes.get("action"),
        "CLIENT_INFO": session.attributes.get("client_info"),
        "CLIENT_IDENTIFIER": session.attributes.get("client_identifier"),
        "LOGON_TIME": database.local(session.logged_on_at),
        "SERVICE_NAME": session.service,
        "BLOCKING_SESSION": blocker and blocker.sid,
        "BLOCKING_SESSION_STATUS": "VALID" if blocker else "NO HOLDER",
        "CON_ID": 0,
    }


@view("V$SESSION")
def sessions(database: OracleDatabase) -> Rows:
    return [session_row(database, session) for session in database.sessions.values()]


@view("DBA_USERS")
def users(database: OracleDatabase) -> Rows:
    return [
        {
            "USERNAME": account.name,
            "USER_ID": 100 + number if account.name != "SYS" else 0,
            "ACCOUNT_STATUS": account.status,
            "DEFAULT_TABLESPACE": "USERS",
            "TEMPORARY_TABLESPACE": "TEMP",
            "PROFILE": "DEFAULT",
            "ORACLE_MAINTAINED": "Y" if account.name in ("SYS", "SYSTEM", "AUDSYS") else "N",
            "AUTHENTICATION_TYPE": "PASSWORD",
        }
        for number, account in enumerate(database.accounts.values())
    ]


@view("V$ACTIVE_INSTANCES")
def active_instances(database: OracleDatabase) -> Rows:
    """Each instance of the cluster; one without RAC has a row too."""
    name, host = database.parameters.get("instance_name", database.name), database.parameters.get("host_name", "simulator")
    return [{"INST_NUMBER": 1, "INST_NAME": f"{host}:{name}", "CON_ID": 0}]


@view("V$OSSTAT")
def host_figures(database: OracleDatabase) -> Rows:
    """The host's figures; a test plants others as `parts["osstat"]`, by STAT_NAME."""
    figures = {"NUM_CPUS": 8, "LOAD": 1, "PHYSICAL_MEMORY_BYTES": 64 * 2**30} | database.parts.get("osstat", {})
    return [{"STAT_NAME": name, "VALUE": value, "OSSTAT_ID": n, "CON_ID": 0} for n, (name, value) in enumerate(figures.items())]

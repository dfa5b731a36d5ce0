"""DBMS_AUDIT_MGMT: the vendor's way to clean a trail (PL/SQL Packages and Types Reference 19c, DBMS_AUDIT_MGMT)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.oracle.backend import OracleError
from sandbox.oracle.model.auditing import FINE_GRAINED, STANDARD, UNIFIED, auditing_of
from sandbox.oracle.model.database import OracleDatabase, SessionState
from sandbox.oracle.registry import procedure
from sandbox.oracle.sql.dictionary import holds
from sandbox.oracle.sql.errors import unsupported

Args = dict[str, Any]
TRAILS = {"AUDIT_TRAIL_AUD_STD": 1, "AUDIT_TRAIL_FGA_STD": 2, "AUDIT_TRAIL_DB_STD": 3, "AUDIT_TRAIL_UNIFIED": 51}
CONTAINERS = {"CONTAINER_CURRENT": 1, "CONTAINER_ALL": 2}
NAMES = {1: STANDARD, 2: FINE_GRAINED, 51: UNIFIED}
PACKAGE = "DBMS_AUDIT_MGMT"

for word, number in (TRAILS | CONTAINERS).items():
    procedure(f"{PACKAGE}.{word}")(lambda database, session, args, number=number: number)


def check_right(database: OracleDatabase, session: SessionState) -> None:
    """EXECUTE on the package, AUDIT_ADMIN or SYSDBA; else PLS-00201."""
    wanted = (f"EXECUTE ON {PACKAGE}", f"EXECUTE ON SYS.{PACKAGE}", f"EXECUTE {PACKAGE}", "AUDIT_ADMIN")
    if not any(holds(database, session.user, privilege) for privilege in wanted):
        raise OracleError(6550, f"line 1, column 7:\nPLS-00201: identifier '{PACKAGE}' must be declared")


@procedure(f"{PACKAGE}.SET_LAST_ARCHIVE_TIMESTAMP", "AUDIT_TRAIL_TYPE LAST_ARCHIVE_TIME RAC_INSTANCE_NUMBER CONTAINER")
def set_last_archive_timestamp(database: OracleDatabase, session: SessionState, args: Args) -> None:
    """Says until when the trail is archived, in UTC. ORA-46250 for a trail that it does not know."""
    check_right(database, session)
    with database.lock:
        until: datetime = args["LAST_ARCHIVE_TIME"]
        from datetime import UTC

        auditing_of(database).marks[named(args)] = until.replace(tzinfo=UTC) if until.tzinfo is None else until


@procedure(f"{PACKAGE}.CLEAN_AUDIT_TRAIL", "AUDIT_TRAIL_TYPE USE_LAST_ARCH_TIMESTAMP CONTAINER DATABASE_ID CONTAINER_GUID")
def clean_audit_trail(database: OracleDatabase, session: SessionState, args: Args) -> None:
    """Removes what is older than the mark; USE_LAST_ARCH_TIMESTAMP => FALSE removes everything, and no mark removes nothing.

    ORA-46258 for a traditional trail without INIT_CLEANUP.
    """
    check_right(database, session)
    if args.get("USE_LAST_ARCH_TIMESTAMP") is None:
        args["USE_LAST_ARCH_TIMESTAMP"] = True
    with database.lock:
        trail = auditing_of(database)
        if named(args) != UNIFIED and named(args) not in trail.made_ready:
            raise OracleError(46258, "Cleanup not initialized for the audit trail")
        until = trail.marks.get(named(args)) if args["USE_LAST_ARCH_TIMESTAMP"] else None
        if args["USE_LAST_ARCH_TIMESTAMP"] and until is None:
            return
        trail.clean(named(args), until)


def named(args: Args) -> str:
    number = int(args["AUDIT_TRAIL_TYPE"])
    if number not in (*NAMES, *TRAILS.values()):
        raise OracleError(46250, "Invalid value for argument 'AUDIT_TRAIL_TYPE'")
    if number not in NAMES:
        raise unsupported(f"cleaning the trail of type {number}")
    return NAMES[number]

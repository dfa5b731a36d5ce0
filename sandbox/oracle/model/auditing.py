"""What a simulated database audits and what it has written down: policies, the three trails, spillover files, marks, jobs.

A record is a row of its view, by the columns of the dictionary; EVENT_TIMESTAMP_UTC and EXTENDED_TIMESTAMP are aware or naive UTC
moments. The trail's room is a tablespace of the storage, if one is planted (`take_room`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.oracle.backend import OraType
from sandbox.oracle.model import making
from sandbox.oracle.model.database import OracleDatabase, SessionState
from sandbox.oracle.model.storage import storage_of
from sandbox.oracle.model.tables import TableColumn

PART = "auditing"
UNIFIED, STANDARD, FINE_GRAINED = "UNIFIED AUDIT TRAIL", "STANDARD AUDIT TRAIL", "FGA AUDIT TRAIL"
ROLES = frozenset({"DBA", "AUDIT_ADMIN", "AUDIT_VIEWER", "SELECT_CATALOG_ROLE", "RESOURCE", "CONNECT", "SYSDBA"})
OWNER, TABLE = "AUDSYS", "AUD$UNIFIED"

Row = dict[str, Any]


@dataclass
class Policy:
    """A unified audit policy that is enabled. `actions`: AUDIT_OPTION, or (AUDIT_OPTION, owner, object) of an object action."""

    name: str
    actions: list[str | tuple[str, str, str]]
    option: str = "BY USER"
    entities: list[str] = field(default_factory=lambda: ["ALL USERS"])
    on_success: bool = True
    on_failure: bool = True
    condition: str = "NONE"


@dataclass
class CleanupJob:
    name: str
    keeps_unarchived: bool = True
    is_enabled: bool = True
    audit_trail: str = UNIFIED


@dataclass
class Auditing:
    """The whole. `roles`: grants among roles beyond what accounts hold; `marks`: trail -> archived until; `made_ready`:
    the trails that INIT_CLEANUP was run for."""

    policies: list[Policy] = field(default_factory=list)
    statement_options: list[tuple[str, str, str]] = field(default_factory=list)
    unified: list[Row] = field(default_factory=list)
    spilled: list[Row] = field(default_factory=list)
    standard: list[Row] = field(default_factory=list)
    fine_grained: list[Row] = field(default_factory=list)
    marks: dict[str, datetime] = field(default_factory=dict)
    made_ready: set[str] = field(default_factory=set)
    jobs: list[CleanupJob] = field(default_factory=list)
    role_grants: list[tuple[str, str]] = field(default_factory=list)
    role_privileges: list[tuple[str, str]] = field(default_factory=list)
    password_file: list[str] = field(default_factory=lambda: ["SYS"])
    write_session: Callable[[SessionState, str], None] | None = None  # writes down a real LOGON or LOGOFF

    def clean(self, trail: str, until: datetime | None) -> int:
        """Remove what is older than `until` (None: all), in the trail and in its files; returns how many records went."""
        lists = {UNIFIED: ("unified", "spilled"), STANDARD: ("standard",), FINE_GRAINED: ("fine_grained",)}[trail]
        went = 0
        for name in lists:
            rows: list[Row] = getattr(self, name)
            kept = [r for r in rows if until is not None and at(r) >= until]
            went += len(rows) - len(kept)
            setattr(self, name, kept)
        return went


def auditing_of(database: OracleDatabase) -> Auditing:
    return database.parts.setdefault(PART, Auditing())


def at(row: Row) -> datetime:
    """When a record was made, aware."""
    moment = row.get("EVENT_TIMESTAMP_UTC") or row.get("EXTENDED_TIMESTAMP") or row.get("EVENT_TIMESTAMP")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def take_room(database: OracleDatabase, rows: int, space: str, name: str = TABLE) -> None:
    """The trail's table with so many rows in a tablespace of the storage."""
    storage = storage_of(database)
    columns = (TableColumn("SQL_TEXT", OraType.CLOB), TableColumn("EVENT_TIMESTAMP", OraType.TIMESTAMP))
    making.add_table(storage, OWNER, name, columns, space=space)
    making.grow(storage, storage.table(OWNER, name), rows)

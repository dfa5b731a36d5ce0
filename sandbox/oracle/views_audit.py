"""Views of auditing and of who may alter it (Database Reference 19c; the unified trail's table and files by its view's text)."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from datetime import UTC

from sandbox.oracle.model.auditing import FINE_GRAINED, ROLES, STANDARD, UNIFIED, Auditing, Row, at, auditing_of
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.registry import view


def naive(row: Row) -> Row:
    """Times of TIMESTAMP(6) columns without a zone, in UTC."""
    moment = at(row).astimezone(UTC).replace(tzinfo=None)
    return row | {"EVENT_TIMESTAMP_UTC": moment, "EVENT_TIMESTAMP": moment}


class SameRows:
    """The very rows of a trail, held so that no other row can take the place of one: the version of their columns."""

    def __init__(self, release: str, *lists: list[Row]) -> None:
        self.release, self.rows = release, tuple(row for rows in lists for row in rows)

    def __eq__(self, other: object) -> bool:
        alike = isinstance(other, SameRows) and (self.release, len(self.rows)) == (other.release, len(other.rows))
        return alike and all(map(operator.is_, self.rows, other.rows))

    def __hash__(self) -> int:
        return len(self.rows)


def unified_version(database: OracleDatabase) -> SameRows:
    trail = auditing_of(database)
    return SameRows(database.version, trail.unified, trail.spilled)


@view("UNIFIED_AUDIT_TRAIL", unified_version)
def unified_audit_trail(database: OracleDatabase) -> Iterator[Row]:
    """Records of the table and of the files, as the view's text has both; EVENT_TIMESTAMP_UTC comes with 19c."""
    trail, has_utc = auditing_of(database), int(database.version.split(".")[0]) >= 19
    for row in (*trail.unified, *trail.spilled):
        yield naive(row) if has_utc else naive(row) | {"EVENT_TIMESTAMP_UTC": None}


@view("V$UNIFIED_AUDIT_TRAIL")
def spilled_records(database: OracleDatabase) -> Iterator[Row]:
    for row in auditing_of(database).spilled:
        told = {name: row.get(name) for name in ("SESSIONID", "ENTRY_ID", "STATEMENT_ID")}
        yield told | {"EVENT_TIMESTAMP": at(row).astimezone(UTC).replace(tzinfo=None)}


@view("DBA_AUDIT_TRAIL")
def dba_audit_trail(database: OracleDatabase) -> Iterator[Row]:
    for row in auditing_of(database).standard:
        yield row | {"TIMESTAMP": database.local(at(row))}


@view("DBA_FGA_AUDIT_TRAIL")
def dba_fga_audit_trail(database: OracleDatabase) -> Iterator[Row]:
    for row in auditing_of(database).fine_grained:
        yield row | {"TIMESTAMP": database.local(at(row))}


@view("AUDIT_UNIFIED_ENABLED_POLICIES")
def enabled_policies(database: OracleDatabase) -> Iterator[Row]:
    for policy in auditing_of(database).policies:
        for entity in policy.entities:
            row = {"POLICY_NAME": policy.name, "ENABLED_OPTION": policy.option, "ENTITY_NAME": entity, "ENTITY_TYPE": "USER"}
            yield row | {"SUCCESS": "YES" if policy.on_success else "NO", "FAILURE": "YES" if policy.on_failure else "NO"}


@view("AUDIT_UNIFIED_POLICIES")
def policies(database: OracleDatabase) -> Iterator[Row]:
    for policy in auditing_of(database).policies:
        for action in policy.actions:
            name, owner, target = (action, "NONE", "NONE") if isinstance(action, str) else action
            row = {"POLICY_NAME": policy.name, "AUDIT_CONDITION": policy.condition, "CONDITION_EVAL_OPT": "NONE"}
            row |= {"AUDIT_OPTION": name, "AUDIT_OPTION_TYPE": "STANDARD ACTION" if target == "NONE" else "OBJECT ACTION"}
            row |= {"OBJECT_SCHEMA": owner, "OBJECT_NAME": target, "OBJECT_TYPE": "NONE", "COMMON": "NO", "INHERITED": "NO"}
            yield row | {"AUDIT_ONLY_TOPLEVEL": "NO", "ORACLE_SUPPLIED": "NO"}


@view("DBA_STMT_AUDIT_OPTS")
def statement_options(database: OracleDatabase) -> Iterator[Row]:
    """(option, success, failure) of everybody."""
    for option, success, failure in auditing_of(database).statement_options:
        yield {"USER_NAME": None, "PROXY_NAME": None, "AUDIT_OPTION": option, "SUCCESS": success, "FAILURE": failure}


@view("DBA_AUDIT_MGMT_LAST_ARCH_TS")
def archive_marks(database: OracleDatabase) -> Iterator[Row]:
    for trail, until in auditing_of(database).marks.items():
        row = {"AUDIT_TRAIL": trail, "RAC_INSTANCE": 0, "LAST_ARCHIVE_TS": until}
        yield row | {"DATABASE_ID": database.dbid, "CONTAINER_GUID": "0" * 32}


@view("DBA_AUDIT_MGMT_CONFIG_PARAMS")
def configuration(database: OracleDatabase) -> Iterator[Row]:
    """The interval of a trail is there once INIT_CLEANUP was run for it."""
    for trail in (STANDARD, FINE_GRAINED, UNIFIED):
        yield {"PARAMETER_NAME": "DB AUDIT CLEAN BATCH SIZE", "PARAMETER_VALUE": "10000", "AUDIT_TRAIL": trail}
    for trail in sorted(auditing_of(database).made_ready):
        yield {"PARAMETER_NAME": "DEFAULT CLEAN UP INTERVAL", "PARAMETER_VALUE": "24", "AUDIT_TRAIL": trail}


@view("DBA_AUDIT_MGMT_CLEANUP_JOBS")
def cleanup_jobs(database: OracleDatabase) -> Iterator[Row]:
    for job in auditing_of(database).jobs:
        row = {"JOB_NAME": job.name, "JOB_STATUS": "ENABLED" if job.is_enabled else "DISABLED", "AUDIT_TRAIL": job.audit_trail}
        row |= {"JOB_FREQUENCY": "FREQ=HOURLY;INTERVAL=24", "JOB_CONTAINER": "CURRENT"}
        yield row | {"USE_LAST_ARCHIVE_TIMESTAMP": "YES" if job.keeps_unarchived else "NO"}


@view("V$PWFILE_USERS")
def password_file(database: OracleDatabase) -> Iterator[Row]:
    for name in auditing_of(database).password_file:
        yield {"USERNAME": name, "SYSDBA": "TRUE", "SYSOPER": "TRUE", "SYSBACKUP": "FALSE", "ACCOUNT_STATUS": "OPEN", "CON_ID": 0}


def held(database: OracleDatabase) -> Iterator[tuple[str, str]]:
    """(account, what it holds) with one spelling of blanks; SYS holds all and needs no grant."""
    for account in database.accounts.values():
        for privilege in sorted(account.privileges):
            yield account.name, " ".join(privilege.upper().split())


def trail_of(database: OracleDatabase) -> Auditing:
    return auditing_of(database)


@view("DBA_ROLE_PRIVS")
def role_privileges(database: OracleDatabase) -> Iterator[Row]:
    trail = trail_of(database)
    roles = ROLES | {role for pair in trail.role_grants for role in pair} | {role for role, _ in trail.role_privileges}
    given = [(who, what) for who, what in held(database) if what in roles] + trail.role_grants
    for who, what in given:
        yield {"GRANTEE": who, "GRANTED_ROLE": what, "ADMIN_OPTION": "NO", "DEFAULT_ROLE": "YES"}


@view("DBA_SYS_PRIVS")
def system_privileges(database: OracleDatabase) -> Iterator[Row]:
    given = [(who, what) for who, what in held(database) if what not in ROLES and " ON " not in f" {what} "]
    for who, what in (*given, *((role, what) for role, what in trail_of(database).role_privileges if " ON " not in what)):
        yield {"GRANTEE": who, "PRIVILEGE": what, "ADMIN_OPTION": "NO"}


@view("DBA_TAB_PRIVS")
def object_privileges(database: OracleDatabase) -> Iterator[Row]:
    given = [*held(database), *trail_of(database).role_privileges]
    for who, what in given:
        privilege, on, target = what.partition(" ON ")
        if on:
            owner, _, name = target.rpartition(".")
            row = {"GRANTEE": who, "OWNER": owner or "SYS", "TABLE_NAME": name, "GRANTOR": "SYS", "PRIVILEGE": privilege}
            yield row | {"GRANTABLE": "NO", "TYPE": "PACKAGE" if privilege == "EXECUTE" else "TABLE"}

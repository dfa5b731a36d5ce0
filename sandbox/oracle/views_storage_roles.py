"""What tables are beside tables: queue tables, masters and containers of materialized views, mined, guarded, archived ones.

A test plants it as `StoredTable.roles`; capture processes as `database.parts["captures"]` (Database Reference 19c, DBA_MVIEWS,
DBA_LOG_GROUPS, DBA_POLICIES, DBA_QUEUE_TABLES, DBA_FLASHBACK_ARCHIVE_TABLES, DBA_CAPTURE; 21c, DBA_IMMUTABLE_TABLES).
"""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.storage import Storage
from sandbox.oracle.model.stored import StoredTable
from sandbox.oracle.registry import view
from sandbox.oracle.views_storage_tables import Row, storage_view


def having(storage: Storage, role: str) -> Iterator[tuple[StoredTable, str]]:
    for table in storage.tables.values():
        if role in table.roles:
            yield table, table.roles[role]


@storage_view("DBA_LOG_GROUPS")
def dba_log_groups(storage: Storage) -> Iterator[Row]:
    for table, name in having(storage, "log_group"):
        row = {"OWNER": table.owner, "LOG_GROUP_NAME": name, "TABLE_NAME": table.name, "ALWAYS": "ALWAYS"}
        yield row | {"LOG_GROUP_TYPE": "ALL COLUMN LOGGING", "GENERATED": "USER NAME"}


@storage_view("DBA_POLICIES")
def dba_policies(storage: Storage) -> Iterator[Row]:
    for table, name in having(storage, "policy"):
        row = {"OBJECT_OWNER": table.owner, "OBJECT_NAME": table.name, "POLICY_NAME": name, "ENABLE": "YES", "SEL": "YES"}
        yield row | {"POLICY_GROUP": "SYS_DEFAULT", "PF_OWNER": table.owner, "FUNCTION": "ONLY_OWN"}


@storage_view("DBA_QUEUE_TABLES")
def dba_queue_tables(storage: Storage) -> Iterator[Row]:
    for table, payload in having(storage, "queue"):
        yield {"OWNER": table.owner, "QUEUE_TABLE": table.name, "TYPE": payload or "RAW", "RECIPIENTS": "SINGLE"}


@storage_view("DBA_FLASHBACK_ARCHIVE_TABLES")
def dba_flashback_archive_tables(storage: Storage) -> Iterator[Row]:
    for table, name in having(storage, "flashback_archive"):
        row = {"OWNER_NAME": table.owner, "TABLE_NAME": table.name, "FLASHBACK_ARCHIVE_NAME": name}
        yield row | {"ARCHIVE_TABLE_NAME": f"SYS_FBA_HIST_{table.object_id}", "STATUS": "ENABLED"}


def views(storage: Storage) -> Iterator[tuple[str, str, str, str, str]]:
    """(owner, view, its container, REFRESH_MODE, its master) of each materialized view."""
    for table, name in having(storage, "container_of"):
        yield table.owner, name, table.name, "DEMAND", ""
    for table in storage.tables.values():
        if table.on_commit_view:
            yield table.owner, table.on_commit_view, table.on_commit_view, "COMMIT", table.name
        if table.rowid_view:
            yield table.owner, table.rowid_view, table.rowid_view, "DEMAND", table.name


@storage_view("DBA_MVIEWS")
def dba_mviews(storage: Storage) -> Iterator[Row]:
    for owner, name, container, mode, _ in views(storage):
        row = {"OWNER": owner, "MVIEW_NAME": name, "CONTAINER_NAME": container, "REFRESH_MODE": mode}
        yield row | {"REFRESH_METHOD": "FAST", "BUILD_MODE": "IMMEDIATE", "STALENESS": "FRESH", "COMPILE_STATE": "VALID"}


@storage_view("DBA_MVIEW_DETAIL_RELATIONS")
def dba_mview_detail_relations(storage: Storage) -> Iterator[Row]:
    for owner, name, _, _, master in views(storage):
        if master:
            row = {"OWNER": owner, "MVIEW_NAME": name, "DETAILOBJ_OWNER": owner, "DETAILOBJ_NAME": master}
            yield row | {"DETAILOBJ_TYPE": "TABLE", "DETAILOBJ_ALIAS": master, "DETAILOBJ_PCT": "N"}


@storage_view("DBA_MVIEW_LOGS")
def dba_mview_logs(storage: Storage) -> Iterator[Row]:
    """A view by ROWID refreshes fast from a log with ROWIDs."""
    for table in storage.tables.values():
        if table.rowid_view:
            row = {"LOG_OWNER": table.owner, "MASTER": table.name, "LOG_TABLE": f"MLOG$_{table.name}"}
            yield row | {"ROWIDS": "YES", "PRIMARY_KEY": "NO", "SEQUENCE": "NO", "INCLUDE_NEW_VALUES": "NO"}


def kept_for_ever(storage: Storage, role: str) -> Iterator[Row]:
    for table, days in having(storage, role):
        row = {"SCHEMA_NAME": table.owner, "TABLE_NAME": table.name, "ROW_RETENTION": int(days) if days else None}
        yield row | {"ROW_RETENTION_LOCKED": "YES", "TABLE_INACTIVITY_RETENTION": 16}


@storage_view("DBA_IMMUTABLE_TABLES")
def dba_immutable_tables(storage: Storage) -> Iterator[Row]:
    yield from kept_for_ever(storage, "immutable")


@storage_view("DBA_BLOCKCHAIN_TABLES")
def dba_blockchain_tables(storage: Storage) -> Iterator[Row]:
    for row in kept_for_ever(storage, "blockchain"):
        yield row | {"HASH_ALGORITHM": "SHA2_512"}


@view("DBA_CAPTURE")
def dba_capture(database: OracleDatabase) -> Iterator[Row]:
    for name in database.parts.get("captures", ()):
        yield {"CAPTURE_NAME": name, "STATUS": "ENABLED", "CAPTURE_TYPE": "LOCAL", "PURPOSE": "GoldenGate Capture"}

"""What forbids a method, told by the dictionary before any DDL: one function for each method, each gives codes.

Sources: SQL Language Reference 19c, ALTER TABLE, "Restrictions on the shrink_clause", "Restrictions on Moving Tables",
ONLINE; Error Messages 19c, ORA-10631 to ORA-10664, ORA-14808 to ORA-14813; Licensing Information User Manual 19c.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from drydock.engines.oracle_names import NameRefused, quote_name
from drydock.reclaim.oracle.facts import Piece, TableFacts, TargetFacts

ONLINE_PARTITION_SINCE, ONLINE_TABLE_SINCE, SECUREFILE_SHRINK_SINCE = (12, 1), (12, 2), (21,)
SUPPLEMENTAL_ALLOWED_SINCE = (12, 2)
LOADING_SHARE = 0.01  # of the rows that came since statistics were gathered
CLOCK_SLACK = timedelta(days=1)  # times of the dictionary are those of the host
SYSTEM_SCHEMAS = frozenset(
    {
        *("SYS", "SYSTEM", "OUTLN", "DBSNMP", "SYSMAN", "MGMT_VIEW", "APPQOSSYS", "AUDSYS", "CTXSYS", "DIP", "DVF", "DVSYS"),
        *("EXFSYS", "GGSYS", "GSMADMIN_INTERNAL", "GSMCATUSER", "GSMUSER", "LBACSYS", "MDDATA", "MDSYS", "OJVMSYS", "OLAPSYS"),
        *("ORACLE_OCM", "ORDDATA", "ORDPLUGINS", "ORDSYS", "OWBSYS", "REMOTE_SCHEDULER_AGENT", "SI_INFORMTN_SCHEMA"),
        *("SYSBACKUP", "SYSDG", "SYSKM", "SYSRAC", "WMSYS", "XDB", "XS$NULL", "PERFSTAT"),
    }
)
"""Schemas of Oracle for versions that do not mark them (11.2), and Statspack's."""
# what is true of a whole table, in the order in which it is told
FORBIDDEN_MARKS = (
    *("queue_table", "view_container", "immutable_table", "flashback_archived", "in_memory", "has_policy"),
    *("table_is_replicated",),
)


def why_never(table: TableFacts, piece: Piece, target: TargetFacts, system: frozenset[str]) -> str:
    """The code of what keeps this segment out of reclaim altogether; '' for none."""
    found = [
        ("system_schema", piece.owner in system or piece.owner in SYSTEM_SCHEMAS),
        ("in_recycle_bin", table.is_dropped or piece.segment.startswith("BIN$")),
        ("clustered_table", piece.type == "CLUSTER" or bool(table.cluster)),
        ("nested_table", piece.type == "NESTED TABLE" or table.is_nested),
        ("object_table", not table.is_known),
        ("temporary_table", table.is_temporary),
        ("index_organized", bool(table.iot_type)),
        *((mark, mark in table.marks) for mark in FORBIDDEN_MARKS),
        ("read_only_data", table.is_read_only or piece.is_read_only or piece.tablespace.status != "ONLINE"),
        ("reference_partitioned", table.partitioning == "REFERENCE"),
        ("no_partitioning", bool(piece.partition) and not target.has_partitioning),
        ("name_refused", not may_be_named(piece)),
    ]
    return next((code for code, is_so in found if is_so), "")


def why_growing(table: TableFacts, piece: Piece, now: datetime, loading_days: int) -> str:
    """still_loading or newest_interval where a partition is being filled; '' else."""
    if not piece.partition:
        return ""
    if table.interval and piece.position == table.last_position:
        return "newest_interval"
    s = piece.statistics
    since = now.replace(tzinfo=None) - timedelta(days=loading_days) - CLOCK_SLACK
    is_recent = s.changed_at is not None and s.changed_at >= since
    return "still_loading" if is_recent and s.inserts > LOADING_SHARE * max(1, s.rows or 0) else ""


def may_be_named(piece: Piece) -> bool:
    """Whether all names can stand in a statement: a quoted name holds no double quote."""
    try:
        for name in filter(None, (piece.owner, piece.table, piece.segment, piece.partition, piece.column)):
            quote_name(name)
    except NameRefused:
        return False
    return bool(piece.owner and piece.table)


def against_shrink(table: TableFacts, piece: Piece, target: TargetFacts) -> tuple[str, ...]:
    """Why SHRINK SPACE would be refused."""
    if piece.is_lob:
        found = [
            ("manual_space", not piece.tablespace.is_assm),
            ("securefile_before_21", piece.is_securefile and target.version < SECUREFILE_SHRINK_SINCE),
        ]
        return tuple(code for code, is_so in found if is_so)
    found = [
        ("manual_space", not piece.tablespace.is_assm),
        ("compressed_data", piece.is_compressed),
        ("long_column", table.has_long),
        ("function_based_index", any(i.is_function_based for i in table.indexes)),
        ("bitmap_join_index", any(i.is_join for i in table.indexes)),
        ("domain_index", any(i.type == "DOMAIN" for i in table.indexes)),
        ("on_commit_view", "on_commit_view" in table.marks),
        ("rowid_view", "rowid_view" in table.marks),
    ]
    return tuple(code for code, is_so in found if is_so)


def against_online_move(table: TableFacts, piece: Piece, target: TargetFacts) -> tuple[str, ...]:
    """Why MOVE ... ONLINE would be refused."""
    since = ONLINE_PARTITION_SINCE if piece.partition else ONLINE_TABLE_SINCE
    found = [
        ("online_not_in_edition", not target.has_online),
        ("online_not_in_version", target.version < since),
        ("domain_index", any(i.type == "DOMAIN" for i in table.indexes)),
        ("bitmap_join_index", any(i.is_join for i in table.indexes)),
        ("object_type_column", table.has_object_type),
        ("long_column", table.has_long),
        ("rowid_view", "rowid_view" in table.marks),
        ("supplemental_logging", target.mines_redo and target.version < SUPPLEMENTAL_ALLOWED_SINCE),
    ]
    return tuple(code for code, is_so in found if is_so)


def against_move(table: TableFacts, target: TargetFacts, allow_long_locks: bool) -> tuple[str, ...]:
    """Why a MOVE that keeps writers away is not done."""
    found = [
        ("edition_without_move", target.edition != "EE"),
        ("long_column", table.has_long),
        ("domain_index", any(i.type == "DOMAIN" for i in table.indexes)),
        ("rowid_view", "rowid_view" in table.marks),
        ("needs_long_lock", not allow_long_locks),
    ]
    return tuple(code for code, is_so in found if is_so)


def against_truncate(table: TableFacts, piece: Piece, allow_truncate: bool) -> tuple[str, ...]:
    """Why an empty partition is not truncated."""
    found = [
        ("truncate_not_allowed", not allow_truncate),
        ("not_a_partition", not piece.partition or piece.is_lob),
        ("key_is_referred_to", table.referring_keys > 0),
        ("domain_index", any(i.type == "DOMAIN" for i in table.indexes)),
    ]
    return tuple(code for code, is_so in found if is_so)

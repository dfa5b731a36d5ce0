"""DBMS_SPACE, DBMS_STATS and DBMS_REPAIR over the model's storage (PL/SQL Packages and Types Reference 19c)."""

from __future__ import annotations

import re
from typing import Any

from sandbox.oracle.accounts_control import NAME, plain
from sandbox.oracle.backend import OracleError
from sandbox.oracle.ddl import has_grants, owner_and_name
from sandbox.oracle.model import statistics
from sandbox.oracle.model.database import OracleDatabase, SessionState
from sandbox.oracle.model.making import ROWID_BYTES, column_bytes
from sandbox.oracle.model.rebuilding import clean
from sandbox.oracle.model.segments import SPACE_CLASSES, Segment
from sandbox.oracle.model.storage import Storage, storage_of
from sandbox.oracle.model.stored import Changes, StoredTable
from sandbox.oracle.registry import procedure
from sandbox.oracle.sql.dictionary import holds
from sandbox.oracle.sql.errors import missing_privilege, no_such_table

Args = dict[str, Any]
SEGMENT = "SEGMENT_OWNER SEGMENT_NAME SEGMENT_TYPE"
FIGURES = " ".join(f"{c.upper()}_{unit}" for c in SPACE_CLASSES for unit in ("BLOCKS", "BYTES"))
SECUREFILE_FIGURES = " ".join(
    f"{c}_{unit}" for c in ("SEGMENT_SIZE", "USED", "EXPIRED", "UNEXPIRED") for unit in ("BLOCKS", "BYTES")
)
UNUSED_FIGURES = "TOTAL_BLOCKS TOTAL_BYTES UNUSED_BLOCKS UNUSED_BYTES LAST_USED_EXTENT_FILE_ID LAST_USED_EXTENT_BLOCK_ID"
KINDS = {"LOB": ("LOBSEGMENT",), "LOB PARTITION": ("LOB PARTITION",)}
PARTITIONED = {"TABLE": "TABLE PARTITION", "INDEX": "INDEX PARTITION", "LOB": "LOB PARTITION"}


def segment_named(database: OracleDatabase, session: SessionState, args: Args) -> tuple[Storage, Segment]:
    """The segment that the arguments name. ANALYZE ANY is needed for one of another owner. ORA-03200 (type), ORA-03204 and
    ORA-03205 (partition wanted), ORA-00942 or ORA-01418 (no such segment), ORA-02149 (no such partition)."""
    storage, owner, name = storage_of(database), args["SEGMENT_OWNER"], args["SEGMENT_NAME"]
    kind, partition = str(args["SEGMENT_TYPE"]).upper(), args.get("PARTITION_NAME") or ""
    if session.user != owner and not holds(database, session.user, "ANALYZE ANY"):
        raise missing_privilege() if has_grants(database, session.user, owner, name) else no_such_table()
    if kind.split(" ")[0] not in ("TABLE", "INDEX", "LOB", "CLUSTER"):
        raise OracleError(3200, "the segment type specification is invalid")
    if "PARTITION" in kind and not partition:
        raise OracleError(3205, "partition name is required when partitioned type is specified")
    named = [s for s in storage.segments() if (s.owner, s.name) == (owner, name)]
    if not named:
        raise OracleError(1418, "specified index does not exist") if kind.startswith("INDEX") else no_such_table()
    if "PARTITION" not in kind and named[0].partition:
        raise OracleError(3204, "the segment type specification should indicate partitioning")
    found = [s for s in named if s.partition == partition and s.kind in KINDS.get(kind, (kind,))]
    if not found:
        raise OracleError(2149, "Specified partition does not exist") if partition else no_such_table()
    return storage, found[0]


@procedure("DBMS_SPACE.SPACE_USAGE", f"{SEGMENT} {FIGURES} PARTITION_NAME {SECUREFILE_FIGURES}")
def space_usage(database: OracleDatabase, session: SessionState, args: Args) -> Args:
    """Blocks below the high-water mark by class. ORA-10614 without automatic segment space management. The overload for
    SecureFiles gives used, expired and unexpired blocks."""
    with database.lock:
        _, segment = segment_named(database, session, args)
        if not segment.space.is_assm:
            raise OracleError(10614, "Operation not allowed on this segment")
        size = segment.space.block_bytes
        if "USED_BLOCKS" in args:
            blocks = {
                "SEGMENT_SIZE": segment.blocks,
                "USED": segment.used_blocks,
                "EXPIRED": segment.data_blocks - segment.used_blocks,
                "UNEXPIRED": 0,
            }
        else:
            blocks = {word.upper(): count for word, count in segment.usage().items()}
        return {f"{w}_BLOCKS": n for w, n in blocks.items()} | {f"{w}_BYTES": n * size for w, n in blocks.items()}


@procedure("DBMS_SPACE.UNUSED_SPACE", f"{SEGMENT} {UNUSED_FIGURES} LAST_USED_BLOCK PARTITION_NAME")
def unused_space(database: OracleDatabase, session: SessionState, args: Args) -> Args:
    """What lies above the high-water mark, and where the mark is."""
    with database.lock:
        _, segment = segment_named(database, session, args)
        left, last = segment.hwm_blocks, segment.extents[0]
        for last in segment.extents:
            if left <= last.blocks:
                break
            left -= last.blocks
        size = segment.space.block_bytes
        return {
            "TOTAL_BLOCKS": segment.blocks,
            "TOTAL_BYTES": segment.total_bytes,
            "UNUSED_BLOCKS": segment.unused_blocks,
            "UNUSED_BYTES": segment.unused_blocks * size,
            "LAST_USED_EXTENT_FILE_ID": last.file,
            "LAST_USED_EXTENT_BLOCK_ID": last.block,
            "LAST_USED_BLOCK": left,
        }


@procedure("DBMS_SPACE.CREATE_INDEX_COST", "DDL USED_BYTES ALLOC_BYTES PLAN_TABLE")
def create_index_cost(database: OracleDatabase, session: SessionState, args: Args) -> Args:
    """From the table's statistics, not from its rows: bytes of the keys, and bytes that the segment would take. The statement
    is explained, so whoever may not run it gets ORA-01031."""
    match = re.fullmatch(
        rf"\s*CREATE\s+(?:UNIQUE\s+|BITMAP\s+)?INDEX\s+(?:{NAME}\.)?{NAME}\s+ON\s+(?P<table>(?:{NAME}\.)?{NAME})\s*"
        r"\((?P<columns>[^)]*)\).*",
        str(args["DDL"]),
        re.IGNORECASE | re.DOTALL,
    )
    if not match:
        raise OracleError(20000, "the statement is no CREATE INDEX")
    with database.lock:
        table = storage_of(database).table(*owner_and_name(session, match["table"]))
        if session.user != table.owner and not holds(database, session.user, "CREATE ANY INDEX"):
            raise missing_privilege()
        known = {c.name: column_bytes(c) for c in table.columns}
        key = sum(known.get(plain(c.strip()), 12.0) for c in match["columns"].split(","))
        gathered = table.statistics or (table.pieces[0].statistics if table.pieces else None)
        rows = gathered.rows if gathered else 0
        used = int(rows * key)
        return {"USED_BYTES": used, "ALLOC_BYTES": -(-int(rows * (key + ROWID_BYTES + 3) / 0.88) // 65536) * 65536}


def stats_name(session: SessionState, value: str | None) -> str:
    """DBMS_STATS takes names as an identifier is written: in double quotes as they are, else in upper case."""
    return plain(value.strip()) if value else session.user


def stats_table(database: OracleDatabase, session: SessionState, args: Args) -> tuple[Storage, StoredTable]:
    """ORA-20000 where it is not there, or is another's and ANALYZE ANY is missing."""
    storage = storage_of(database)
    owner, name = stats_name(session, args.get("OWNNAME")), stats_name(session, args["TABNAME"])
    table = storage.tables.get((owner, name))
    if table is None or (session.user != owner and not holds(database, session.user, "ANALYZE ANY")):
        text = f'Unable to analyze TABLE "{owner}"."{name}", insufficient privileges or does not exist'
        raise OracleError(20000, text)
    return storage, table


GATHERED = (
    "ESTIMATE_PERCENT BLOCK_SAMPLE METHOD_OPT DEGREE GRANULARITY CASCADE STATTAB STATID STATOWN NO_INVALIDATE STATTYPE FORCE"
)


@procedure("DBMS_STATS.GATHER_TABLE_STATS", f"OWNNAME TABNAME PARTNAME {GATHERED} CONTEXT OPTIONS")
def gather_table_stats(database: OracleDatabase, session: SessionState, args: Args) -> None:
    """FORCE gathers locked statistics too. CASCADE not said: the indexes too, as AUTO_CASCADE does for stale ones."""
    with database.lock:
        storage, table = stats_table(database, session, args)
        kept, forced = table.lock_kind, args.get("FORCE") is True
        partition = stats_name(session, args["PARTNAME"]) if args.get("PARTNAME") else ""
        granularity = str(args.get("GRANULARITY") or "AUTO").upper()
        table.lock_kind = "" if forced else kept
        try:
            statistics.gather(storage, table, partition, granularity, args.get("CASCADE") is not False)
        finally:
            table.lock_kind = kept


@procedure("DBMS_STATS.GATHER_INDEX_STATS", "OWNNAME INDNAME PARTNAME ESTIMATE_PERCENT")
def gather_index_stats(database: OracleDatabase, session: SessionState, args: Args) -> None:
    with database.lock:
        storage = storage_of(database)
        owner, name = stats_name(session, args.get("OWNNAME")), stats_name(session, args["INDNAME"])
        index = next((i for i in storage.indexes() if (i.owner, i.name) == (owner, name)), None)
        if index is None:
            raise OracleError(20000, f'INDEX "{owner}"."{name}" does not exist or insufficient privileges')
        if index.table.lock_kind:
            raise OracleError(38029, "object statistics are locked")
        statistics.gather_index(storage, index)
        storage.touch()


@procedure("DBMS_STATS.FLUSH_DATABASE_MONITORING_INFO")
def flush_monitoring(database: OracleDatabase, session: SessionState, args: Args) -> None:
    """Needs ANALYZE ANY (ORA-20000)."""
    if not holds(database, session.user, "ANALYZE ANY"):
        raise OracleError(20000, "Insufficient privileges")
    with database.lock:
        statistics.flush(storage_of(database))


@procedure("DBMS_STATS.LOCK_TABLE_STATS", "OWNNAME TABNAME STATTYPE")
def lock_table_stats(database: OracleDatabase, session: SessionState, args: Args) -> None:
    with database.lock:
        storage, table = stats_table(database, session, args)
        table.lock_kind = str(args.get("STATTYPE") or "ALL")
        storage.touch()


@procedure("DBMS_STATS.UNLOCK_TABLE_STATS", "OWNNAME TABNAME STATTYPE")
def unlock_table_stats(database: OracleDatabase, session: SessionState, args: Args) -> None:
    with database.lock:
        storage, table = stats_table(database, session, args)
        table.lock_kind = ""
        storage.touch()


@procedure("DBMS_STATS.DELETE_TABLE_STATS", "OWNNAME TABNAME PARTNAME")
def delete_table_stats(database: OracleDatabase, session: SessionState, args: Args) -> None:
    with database.lock:
        storage, table = stats_table(database, session, args)
        if table.lock_kind:
            raise OracleError(20005, f"object statistics are locked (stattype = {table.lock_kind})")
        table.statistics = None
        for piece in statistics.everything(table):
            piece.statistics, piece.flushed = None, Changes()
        storage.touch()


@procedure("DBMS_STATS.SET_TABLE_PREFS", "OWNNAME TABNAME PNAME PVALUE")
def set_table_prefs(database: OracleDatabase, session: SessionState, args: Args) -> None:
    with database.lock:
        storage, table = stats_table(database, session, args)
        table.preferences[str(args["PNAME"]).upper()] = str(args["PVALUE"])
        storage.touch()


@procedure("DBMS_REPAIR.ONLINE_INDEX_CLEAN", "OBJECT_ID WAIT_FOR_LOCK")
def online_index_clean(database: OracleDatabase, session: SessionState, args: Args) -> bool:
    """TRUE when nothing is left of the interrupted build, FALSE while a transaction holds the table. Without an object it
    takes all indexes. Belongs to SYS: others need EXECUTE or the DBA role (PLS-00201 otherwise, as for any package)."""
    if not (holds(database, session.user, "EXECUTE DBMS_REPAIR") or holds(database, session.user, "EXECUTE ANY PROCEDURE")):
        raise OracleError(6550, "line 1, column 7:\nPLS-00201: identifier 'DBMS_REPAIR' must be declared")
    with database.lock:
        return clean(storage_of(database), int(args.get("OBJECT_ID") or 0))


@procedure("DIUTIL.BOOL_TO_INT", "B")
def bool_to_int(database: OracleDatabase, session: SessionState, args: Args) -> int | None:
    """A BOOLEAN as 1 or 0, for clients that take no BOOLEAN."""
    return None if args["B"] is None else int(args["B"])


for _name, _value in {"ALL_INDEX_ID": 0, "LOCK_NOWAIT": 0, "LOCK_WAIT": 1}.items():
    procedure(f"DBMS_REPAIR.{_name}")(lambda database, session, args, value=_value: value)
for _name, _value in {"AUTO_SAMPLE_SIZE": 0, "AUTO_CASCADE": None, "AUTO_DEGREE": 32768}.items():
    procedure(f"DBMS_STATS.{_name}")(lambda database, session, args, value=_value: value)

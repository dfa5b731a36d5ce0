"""Tables, partitions and their statistics in the dictionary (Database Reference 19c)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.statistics import changed, everything, is_stale, stale_percent
from sandbox.oracle.model.storage import Storage, storage_of
from sandbox.oracle.model.stored import Attributes, Changes, Partitioning, Piece, Statistics, StoredTable
from sandbox.oracle.registry import view

Row = dict[str, Any]


def storage_view(name: str) -> Callable[[Callable[[Storage], Iterator[Row]]], Callable[[Storage], Iterator[Row]]]:
    """Registers a view over the storage; its rows are built once per change of the storage."""

    def register(function: Callable[[Storage], Iterator[Row]]) -> Callable[[Storage], Iterator[Row]]:
        def rows(database: OracleDatabase) -> list[Row]:
            with database.lock:
                return list(function(storage_of(database)))

        rows.__doc__, rows.__module__ = function.__doc__, function.__module__
        view(name, version=lambda database: storage_of(database).version)(rows)
        return function

    return register


def yes(value: object) -> str:
    return "YES" if value else "NO"


def enabled(value: object) -> str:
    return "ENABLED" if value else "DISABLED"


def compression(attributes: Attributes) -> Row:
    return {"COMPRESSION": enabled(attributes.compression), "COMPRESS_FOR": attributes.compression or None}


def figures(storage: Storage, statistics: Statistics | None) -> Row:
    """Statistics columns that every table view has; NULL where nothing was gathered."""
    known = statistics
    return {
        "NUM_ROWS": known and known.rows,
        "BLOCKS": known and known.blocks,
        "EMPTY_BLOCKS": 0 if known else None,
        "AVG_SPACE": 0 if known else None,
        "CHAIN_CNT": 0 if known else None,
        "AVG_ROW_LEN": known and known.row_bytes,
        "SAMPLE_SIZE": known and known.rows,
        "LAST_ANALYZED": known and storage.database.local(known.at),
    }


def physical(attributes: Attributes, has_segment: bool) -> Row:
    """Storage attributes of something with a segment."""
    return {
        "PCT_FREE": attributes.pct_free,
        "INI_TRANS": 1,
        "MAX_TRANS": 255,
        "INITIAL_EXTENT": 65536,
        "NEXT_EXTENT": 1048576,
        "LOGGING": yes(attributes.is_logging),
        "BUFFER_POOL": "DEFAULT",
        "FLASH_CACHE": "DEFAULT",
        "CELL_FLASH_CACHE": "DEFAULT",
        "GLOBAL_STATS": "YES",
        "USER_STATS": "NO",
        "SEGMENT_CREATED": yes(has_segment),
        **compression(attributes),
    }


PHYSICAL_NULLS = ("PCT_FREE", "INI_TRANS", "MAX_TRANS", "INITIAL_EXTENT", "NEXT_EXTENT", "LOGGING", "COMPRESSION", "COMPRESS_FOR")


@storage_view("DBA_TABLES")
def dba_tables(storage: Storage) -> Iterator[Row]:
    """A partitioned table has no tablespace and no physical attributes here: they are its partitions'."""
    for table in storage.tables.values():
        own = physical(table.attributes, any(p.segment for p in table.leaves()))
        if table.is_partitioned:
            own |= dict.fromkeys(PHYSICAL_NULLS)
        statistics = table.statistics if table.is_partitioned else table.pieces[0].statistics
        yield {
            "OWNER": table.owner,
            "TABLE_NAME": table.name,
            "TABLESPACE_NAME": None if table.is_partitioned or table.is_iot else table.space_name,
            "CLUSTER_NAME": table.cluster or None,
            "STATUS": "VALID",
            **own,
            **figures(storage, statistics),
            "DEGREE": f"{table.degree:>10}",
            "INSTANCES": f"{1:>10}",
            "CACHE": f"{'N':>5}",
            "TABLE_LOCK": "ENABLED",
            "PARTITIONED": yes(table.is_partitioned),
            "IOT_TYPE": "IOT" if table.is_iot else None,
            "TEMPORARY": "Y" if table.is_temporary else "N",
            "SECONDARY": "N",
            "NESTED": yes(table.is_nested),
            "ROW_MOVEMENT": enabled(table.row_movement),
            "SKIP_CORRUPT": "DISABLED",
            "MONITORING": "YES",
            "DEPENDENCIES": "DISABLED",
            "DROPPED": yes(table.is_dropped),
            "READ_ONLY": yes(table.attributes.is_read_only),
            "RESULT_CACHE": "DEFAULT",
            "CLUSTERING": "NO",
            "INMEMORY": enabled(table.is_inmemory),
            "EXTERNAL": yes(table.is_external),
        }
    yield from journals(storage)


def journals(storage: Storage) -> Iterator[Row]:
    """Journal tables of online rebuilds at work or broken off: index-organized, of the owner of the index."""
    for leftover in storage.leftovers:
        if leftover.kind in ("JOURNAL", "MOVE"):
            iot = "IOT" if leftover.kind == "JOURNAL" else None
            yield {"OWNER": leftover.owner, "TABLE_NAME": leftover.name, "STATUS": "VALID", "IOT_TYPE": iot, "PARTITIONED": "NO"}


def partitions(storage: Storage) -> Iterator[tuple[StoredTable, Partitioning, Piece]]:
    for table in storage.tables.values():
        if table.partitioning:
            for piece in table.pieces:
                yield table, table.partitioning, piece


def piece_row(storage: Storage, table: StoredTable, piece: Piece) -> Row:
    composite = bool(piece.children)
    row = {
        "TABLE_OWNER": table.owner,
        "TABLE_NAME": table.name,
        "HIGH_VALUE": piece.high_value,
        "HIGH_VALUE_LENGTH": len(piece.high_value),
        "TABLESPACE_NAME": piece.space.name,
        **physical(piece.attributes, piece.segment),
        **figures(storage, piece.statistics),
        "INTERVAL": yes(piece.is_interval),
        "INDEXING": "ON",
        "READ_ONLY": yes(piece.attributes.is_read_only),
        "INMEMORY": enabled(table.is_inmemory),
    }
    return row | {"SEGMENT_CREATED": "N/A"} if composite else row


@storage_view("DBA_TAB_PARTITIONS")
def dba_tab_partitions(storage: Storage) -> Iterator[Row]:
    for table, _, piece in partitions(storage):
        yield {
            **piece_row(storage, table, piece),
            "COMPOSITE": yes(piece.children),
            "PARTITION_NAME": piece.name,
            "SUBPARTITION_COUNT": len(piece.children),
            "PARTITION_POSITION": piece.position,
            "IS_NESTED": "NO",
        }


@storage_view("DBA_TAB_SUBPARTITIONS")
def dba_tab_subpartitions(storage: Storage) -> Iterator[Row]:
    for table, _, piece in partitions(storage):
        for child in piece.children:
            yield {
                **piece_row(storage, table, child),
                "PARTITION_NAME": piece.name,
                "SUBPARTITION_NAME": child.name,
                "PARTITION_POSITION": piece.position,
                "SUBPARTITION_POSITION": child.position,
            }


@storage_view("DBA_PART_TABLES")
def dba_part_tables(storage: Storage) -> Iterator[Row]:
    for table in storage.tables.values():
        if how := table.partitioning:
            foreign = next((c.name for c in table.constraints if c.kind == "R"), None)
            yield {
                "OWNER": table.owner,
                "TABLE_NAME": table.name,
                "PARTITIONING_TYPE": how.kind,
                "SUBPARTITIONING_TYPE": how.sub_kind,
                "PARTITION_COUNT": 1048575 if how.interval else len(table.pieces),
                "PARTITIONING_KEY_COUNT": len(how.columns),
                "SUBPARTITIONING_KEY_COUNT": len(how.sub_columns),
                "STATUS": "VALID",
                "DEF_TABLESPACE_NAME": table.space_name,
                "DEF_PCT_FREE": table.attributes.pct_free,
                "DEF_LOGGING": yes(table.attributes.is_logging),
                "DEF_COMPRESSION": enabled(table.attributes.compression or table.new_partitions_compressed),
                "REF_PTN_CONSTRAINT_NAME": foreign if how.kind == "REFERENCE" else None,
                "INTERVAL": how.interval or None,
                "IS_NESTED": "NO",
            }


@storage_view("DBA_PART_KEY_COLUMNS")
def dba_part_key_columns(storage: Storage) -> Iterator[Row]:
    for table in storage.tables.values():
        keys = table.partitioning.columns if table.partitioning else ()
        owners = [(table.name, "TABLE", keys)] if keys else []
        for index in table.indexes:
            if index.is_partitioned:
                owners.append((index.name, "INDEX", keys if index.is_local else index.columns[:1]))
        for name, kind, columns in owners:
            for position, column in enumerate(columns, 1):
                row = {"OWNER": table.owner, "NAME": name, "OBJECT_TYPE": kind}
                yield row | {"COLUMN_NAME": column, "COLUMN_POSITION": position}


@storage_view("DBA_TAB_STATISTICS")
def dba_tab_statistics(storage: Storage) -> Iterator[Row]:
    """A row for the table and for each partition and subpartition. STALE_STATS from flushed changes only."""
    for table in storage.tables.values():
        whole = Changes()
        for piece in table.pieces:
            whole.add(changed(piece))
        own = table.statistics if table.is_partitioned else table.pieces[0].statistics
        yield statistics_row(storage, table, None, own, whole) | {"OBJECT_TYPE": "TABLE"}
        for piece in everything(table) if table.is_partitioned else ():
            row = statistics_row(storage, table, piece, piece.statistics, changed(piece))
            yield row | {"OBJECT_TYPE": "SUBPARTITION" if piece.parent else "PARTITION"}


def statistics_row(
    storage: Storage, table: StoredTable, piece: Piece | None, statistics: Statistics | None, changes: Changes
) -> Row:
    stale = is_stale(statistics, changes, stale_percent(table))
    parent = table.piece(piece.parent) if piece and piece.parent else piece
    return {
        "OWNER": table.owner,
        "TABLE_NAME": table.name,
        "PARTITION_NAME": parent and parent.name,
        "PARTITION_POSITION": parent and parent.position,
        "SUBPARTITION_NAME": piece.name if piece and piece.parent else None,
        "SUBPARTITION_POSITION": piece.position if piece and piece.parent else None,
        **figures(storage, statistics),
        "GLOBAL_STATS": yes(statistics),
        "USER_STATS": "NO",
        "STATTYPE_LOCKED": (piece.lock_kind if piece else "") or table.lock_kind or None,
        "STALE_STATS": None if stale is None else yes(stale),
        "SCOPE": "SHARED",
    }


@storage_view("DBA_TAB_MODIFICATIONS")
def dba_tab_modifications(storage: Storage) -> Iterator[Row]:
    """Changes that were flushed: of the table, and of each partition and subpartition."""
    for table in storage.tables.values():
        whole, at = Changes(), None
        for leaf in table.leaves():
            whole.add(leaf.flushed)
            at = max(filter(None, (at, leaf.flushed_at)), default=None)
        if whole:
            yield change_row(storage, table, None, whole, at)
        for piece in everything(table) if table.is_partitioned else ():
            own = changed(piece)
            if own:
                at = max((p.flushed_at for p in piece.leaves() if p.flushed_at), default=None)
                yield change_row(storage, table, piece, own, at)


def change_row(storage: Storage, table: StoredTable, piece: Piece | None, changes: Changes, at: Any) -> Row:
    return {
        "TABLE_OWNER": table.owner,
        "TABLE_NAME": table.name,
        "PARTITION_NAME": piece and (piece.parent or piece.name),
        "SUBPARTITION_NAME": piece.name if piece and piece.parent else None,
        "INSERTS": changes.inserts,
        "UPDATES": changes.updates,
        "DELETES": changes.deletes,
        "TIMESTAMP": storage.database.local(at),
        "TRUNCATED": yes(changes.is_truncated),
        "DROP_SEGMENTS": 0,
    }


@storage_view("DBA_TAB_STAT_PREFS")
def dba_tab_stat_prefs(storage: Storage) -> Iterator[Row]:
    for table in storage.tables.values():
        for name, value in table.preferences.items():
            row = {"OWNER": table.owner, "TABLE_NAME": table.name}
            yield row | {"PREFERENCE_NAME": name, "PREFERENCE_VALUE": value}

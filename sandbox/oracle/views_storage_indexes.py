"""Indexes, their partitions, columns and statistics in the dictionary (Database Reference 19c)."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.oracle.model.making import column_bytes
from sandbox.oracle.model.statistics import changed, is_stale, stale_percent
from sandbox.oracle.model.storage import Storage
from sandbox.oracle.model.stored import FUNCTION_BASED, Changes, Index, IndexPiece, Statistics
from sandbox.oracle.views_storage_tables import Row, storage_view, yes


def leaf_figures(storage: Storage, statistics: Statistics | None) -> Row:
    known = statistics
    return {
        "BLEVEL": known and known.blevel,
        "LEAF_BLOCKS": known and known.leaf_blocks,
        "DISTINCT_KEYS": known and known.distinct_keys,
        "AVG_LEAF_BLOCKS_PER_KEY": 1 if known else None,
        "AVG_DATA_BLOCKS_PER_KEY": 1 if known else None,
        "CLUSTERING_FACTOR": known and known.clustering_factor,
        "NUM_ROWS": known and known.rows,
        "SAMPLE_SIZE": known and known.rows,
        "LAST_ANALYZED": known and storage.database.local(known.at),
    }


def summed(index: Index) -> Statistics | None:
    """Of a partitioned index: the sums of its partitions, once all of them have statistics."""
    own = [p.statistics for p in index.pieces if p.segment]
    if not own or any(s is None for s in own):
        return None
    first = min(own, key=lambda s: s.at)
    total = Statistics(sum(s.rows for s in own), sum(s.blocks for s in own), first.row_bytes, first.at)
    total.leaf_blocks, total.distinct_keys = sum(s.leaf_blocks for s in own), sum(s.distinct_keys for s in own)
    total.blevel, total.clustering_factor = max(s.blevel for s in own), sum(s.clustering_factor for s in own)
    return total


def physical(index: Index, piece: IndexPiece | None) -> Row:
    return {
        "TABLESPACE_NAME": piece and piece.space.name,
        "PCT_FREE": index.pct_free if piece else None,
        "INI_TRANS": 2,
        "MAX_TRANS": 255,
        "INITIAL_EXTENT": 65536 if piece else None,
        "NEXT_EXTENT": 1048576 if piece else None,
        "LOGGING": yes(piece.is_logging) if piece else None,
        "COMPRESSION": "ENABLED" if index.is_compressed else "DISABLED",
        "BUFFER_POOL": "DEFAULT",
        "USER_STATS": "NO",
        "GLOBAL_STATS": "YES",
    }


@storage_view("DBA_INDEXES")
def dba_indexes(storage: Storage) -> Iterator[Row]:
    """STATUS of a partitioned index is N/A: its partitions have their own."""
    for index in storage.indexes():
        piece = None if index.is_partitioned else index.pieces[0]
        is_function = index.kind.startswith(FUNCTION_BASED)
        yield {
            "OWNER": index.owner,
            "INDEX_NAME": index.name,
            "INDEX_TYPE": index.kind,
            "TABLE_OWNER": index.table.owner,
            "TABLE_NAME": index.table.name,
            "TABLE_TYPE": "TABLE",
            "UNIQUENESS": "UNIQUE" if index.is_unique else "NONUNIQUE",
            **physical(index, piece),
            **leaf_figures(storage, piece.statistics if piece else summed(index)),
            "STATUS": "N/A" if piece is None else "VALID" if piece.is_usable else "UNUSABLE",
            "DEGREE": index.degree,
            "INSTANCES": "1",
            "PARTITIONED": yes(index.is_partitioned),
            "TEMPORARY": "N",
            "GENERATED": "Y" if index.is_generated else "N",
            "SECONDARY": "N",
            "DOMIDX_STATUS": "VALID" if index.kind == "DOMAIN" else None,
            "FUNCIDX_STATUS": "ENABLED" if is_function else None,
            "JOIN_INDEX": yes(index.is_join),
            "DROPPED": "NO",
            "VISIBILITY": "VISIBLE" if index.is_visible else "INVISIBLE",
            "SEGMENT_CREATED": "N/A" if piece is None else yes(piece.segment),
            "ORPHANED_ENTRIES": yes(any(p.has_orphans for p in index.pieces)),
            "INDEXING": "FULL",
        }


def parts(storage: Storage) -> Iterator[tuple[Index, IndexPiece]]:
    for index in storage.indexes():
        if index.is_partitioned:
            for piece in index.pieces:
                yield index, piece


def part_row(storage: Storage, index: Index, piece: IndexPiece) -> Row:
    return {
        "INDEX_OWNER": index.owner,
        "INDEX_NAME": index.name,
        "HIGH_VALUE": piece.high_value,
        "HIGH_VALUE_LENGTH": len(piece.high_value),
        "STATUS": "USABLE" if piece.is_usable else "UNUSABLE",
        **physical(index, piece),
        **leaf_figures(storage, piece.statistics),
        "INTERVAL": yes(piece.of and piece.of.is_interval),
        "SEGMENT_CREATED": yes(piece.segment),
    }


@storage_view("DBA_IND_PARTITIONS")
def dba_ind_partitions(storage: Storage) -> Iterator[Row]:
    """A partition with subpartitions has STATUS N/A."""
    seen: set[tuple[int, str]] = set()
    for index, piece in parts(storage):
        if not piece.parent:
            row = {"PARTITION_POSITION": piece.position, "ORPHANED_ENTRIES": yes(piece.has_orphans)}
            row |= {"COMPOSITE": "NO", "PARTITION_NAME": piece.name, "SUBPARTITION_COUNT": 0}
            yield part_row(storage, index, piece) | row
        elif (index.object_id, piece.parent) not in seen:
            seen.add((index.object_id, piece.parent))
            count = sum(p.parent == piece.parent for p in index.pieces)
            row = part_row(storage, index, piece) | leaf_figures(storage, None)
            row |= {"COMPOSITE": "YES", "PARTITION_NAME": piece.parent, "SUBPARTITION_COUNT": count, "STATUS": "N/A"}
            yield row | {"SEGMENT_CREATED": "N/A"} | place(index, piece.parent)


def place(index: Index, partition: str) -> Row:
    position = next((p.position for p in index.table.pieces if p.name == partition), 1)
    orphans = any(p.has_orphans for p in index.pieces if partition in (p.name, p.parent))
    return {"PARTITION_POSITION": position, "ORPHANED_ENTRIES": yes(orphans)}


@storage_view("DBA_IND_SUBPARTITIONS")
def dba_ind_subpartitions(storage: Storage) -> Iterator[Row]:
    for index, piece in parts(storage):
        if piece.parent:
            yield {
                **part_row(storage, index, piece),
                "PARTITION_NAME": piece.parent,
                "SUBPARTITION_NAME": piece.name,
                "PARTITION_POSITION": place(index, piece.parent)["PARTITION_POSITION"],
                "SUBPARTITION_POSITION": piece.position,
            }


@storage_view("DBA_PART_INDEXES")
def dba_part_indexes(storage: Storage) -> Iterator[Row]:
    for index in storage.indexes():
        how = index.table.partitioning
        if index.is_partitioned and how:
            keys = how.columns if index.is_local else index.columns[:1]
            is_prefixed = index.columns[: len(keys)] == keys
            yield {
                "OWNER": index.owner,
                "INDEX_NAME": index.name,
                "TABLE_NAME": index.table.name,
                "PARTITIONING_TYPE": how.kind if index.is_local else "RANGE",
                "SUBPARTITIONING_TYPE": how.sub_kind if index.is_local else "NONE",
                "PARTITION_COUNT": len(index.table.pieces) if index.is_local else len(index.pieces),
                "PARTITIONING_KEY_COUNT": len(keys),
                "SUBPARTITIONING_KEY_COUNT": len(how.sub_columns),
                "LOCALITY": "LOCAL" if index.is_local else "GLOBAL",
                "ALIGNMENT": "PREFIXED" if is_prefixed else "NON_PREFIXED",
                "DEF_PCT_FREE": index.pct_free,
                "INTERVAL": how.interval or None,
            }


def column_name(index: Index, position: int, column: str) -> str:
    """An expression has a hidden column of its own."""
    known = {c.name for c in index.table.columns}
    return column if not index.kind.startswith(FUNCTION_BASED) or column in known else f"SYS_NC{position + 60:05d}$"


@storage_view("DBA_IND_COLUMNS")
def dba_ind_columns(storage: Storage) -> Iterator[Row]:
    for index in storage.indexes():
        sizes = {c.name: c.size for c in index.table.columns}
        for position, column in enumerate(index.columns, 1):
            yield {
                "INDEX_OWNER": index.owner,
                "INDEX_NAME": index.name,
                "TABLE_OWNER": index.table.owner,
                "TABLE_NAME": index.table.name,
                "COLUMN_NAME": column_name(index, position, column),
                "COLUMN_POSITION": position,
                "COLUMN_LENGTH": sizes.get(column, 0),
                "CHAR_LENGTH": sizes.get(column, 0),
                "DESCEND": "ASC",
            }


@storage_view("DBA_IND_EXPRESSIONS")
def dba_ind_expressions(storage: Storage) -> Iterator[Row]:
    for index in storage.indexes():
        for position, column in enumerate(index.columns, 1):
            if column_name(index, position, column) != column:
                row = {"INDEX_OWNER": index.owner, "INDEX_NAME": index.name, "TABLE_OWNER": index.table.owner}
                row |= {"TABLE_NAME": index.table.name, "COLUMN_EXPRESSION": column}
                yield row | {"COLUMN_POSITION": position}


@storage_view("DBA_IND_STATISTICS")
def dba_ind_statistics(storage: Storage) -> Iterator[Row]:
    """A row for the index and for each of its partitions and subpartitions."""
    for index in storage.indexes():
        whole = Changes()
        for piece in index.table.pieces:
            whole.add(changed(piece))
        yield statistics_row(storage, index, None, summed(index), whole)
        for piece in index.pieces if index.is_partitioned else ():
            own = changed(piece.of) if piece.of else whole
            yield statistics_row(storage, index, piece, piece.statistics, own)


@storage_view("DBA_INDEX_USAGE")
def dba_index_usage(storage: Storage) -> Iterator[Row]:
    """Only indexes that a query has used since tracking counts (12.2), as far as a test planted it."""
    for index in storage.indexes():
        if index.accesses:
            row = {"OBJECT_ID": index.object_id, "NAME": index.name, "OWNER": index.owner}
            row |= {"TOTAL_ACCESS_COUNT": index.accesses, "TOTAL_EXEC_COUNT": index.accesses}
            yield row | {"LAST_USED": index.used_at and storage.database.local(index.used_at)}


def statistics_row(
    storage: Storage, index: Index, piece: IndexPiece | None, statistics: Statistics | None, changes: Changes
) -> Row:
    stale = is_stale(statistics, changes, stale_percent(index.table))
    partition = piece and (piece.parent or piece.name)
    return {
        "OWNER": index.owner,
        "INDEX_NAME": index.name,
        "TABLE_OWNER": index.table.owner,
        "TABLE_NAME": index.table.name,
        "PARTITION_NAME": partition,
        "PARTITION_POSITION": piece and (place(index, partition)["PARTITION_POSITION"] if piece.parent else piece.position),
        "SUBPARTITION_NAME": piece.name if piece and piece.parent else None,
        "SUBPARTITION_POSITION": piece.position if piece and piece.parent else None,
        "OBJECT_TYPE": "INDEX" if piece is None else "SUBPARTITION" if piece.parent else "PARTITION",
        **leaf_figures(storage, statistics),
        "GLOBAL_STATS": yes(statistics),
        "USER_STATS": "NO",
        "STATTYPE_LOCKED": index.table.lock_kind or None,
        "STALE_STATS": None if stale is None else yes(stale),
        "SCOPE": "SHARED",
    }


def key_bytes(index: Index) -> float:
    """Sum of AVG_COL_LEN of the key columns."""
    known = {c.name: column_bytes(c) for c in index.table.columns}
    return sum(known.get(c, 12.0) for c in index.columns)

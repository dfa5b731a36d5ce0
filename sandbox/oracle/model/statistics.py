"""Optimizer statistics and the monitoring of changes (PL/SQL Packages Reference 19c, DBMS_STATS; SQL Tuning Guide 19c)."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sandbox.oracle.backend import OracleError
from sandbox.oracle.model.segments import Segment
from sandbox.oracle.model.storage import Storage
from sandbox.oracle.model.stored import Changes, Index, IndexPiece, Piece, Statistics, StoredTable

STALE_PERCENT = 10
LEAVES_PER_BRANCH = 350


def everything(table: StoredTable) -> Iterator[Piece]:
    """Partitions and subpartitions, or the one piece of a table without."""
    for piece in table.pieces:
        yield piece
        yield from piece.children


def flush(storage: Storage) -> None:
    """DBMS_STATS.FLUSH_DATABASE_MONITORING_INFO: what was counted in memory becomes visible."""
    now = storage.flushed_at = storage.database.clock.now()
    for table in storage.tables.values():
        for piece in table.leaves():
            if piece.pending:
                piece.flushed.add(piece.pending)
                piece.pending, piece.flushed_at = Changes(), now
    storage.touch()


def changed(piece: Piece) -> Changes:
    """What is visible of a piece, its subpartitions summed."""
    total = Changes()
    for leaf in piece.leaves():
        total.add(leaf.flushed)
    return total


def is_stale(statistics: Statistics | None, changes: Changes, stale_percent: float) -> bool | None:
    """None without statistics. More than STALE_PERCENT changed, or truncated."""
    if statistics is None:
        return None
    return changes.is_truncated or changes.total > statistics.rows * stale_percent / 100


def stale_percent(table: StoredTable) -> float:
    return float(table.preferences.get("STALE_PERCENT", STALE_PERCENT))


def measured(storage: Storage, segments: list[Segment], row_bytes: float) -> Statistics:
    """What a gathering finds: rows, and blocks below the high-water mark."""
    rows = sum(s.rows for s in segments)
    blocks = sum(s.data_blocks for s in segments)
    return Statistics(rows, blocks, round(row_bytes) if rows else 0, storage.database.clock.now())


def gather_piece(storage: Storage, table: StoredTable, piece: Piece) -> None:
    piece.statistics = measured(storage, [p.segment for p in piece.leaves() if p.segment], table.row_bytes)
    for leaf in piece.leaves():
        leaf.flushed, leaf.pending = Changes(), Changes()


def gather(storage: Storage, table: StoredTable, partition: str = "", granularity: str = "AUTO", cascade: bool = True) -> None:
    """GATHER_TABLE_STATS. Raises ORA-20005 for locked statistics, ORA-20000 for a partition that is not there."""
    piece = table.piece(partition) if partition else None
    if partition and piece is None:
        raise OracleError(20000, f'Unable to analyze TABLE "{table.owner}"."{table.name}" {partition}, does not exist')
    if table.lock_kind or (piece and piece.lock_kind):
        raise OracleError(20005, f"object statistics are locked (stattype = {table.lock_kind or piece.lock_kind})")
    flush(storage)
    wanted = {"ALL", "AUTO", "GLOBAL", "GLOBAL AND PARTITION"}
    if granularity != "GLOBAL" or not table.is_partitioned:
        for one in [piece, *piece.children] if piece else list(everything(table)):
            if not one.lock_kind:
                gather_piece(storage, table, one)
    if granularity in wanted and table.is_partitioned:
        table.statistics = measured(storage, [p.segment for p in table.leaves() if p.segment], table.row_bytes)
    table.columns_gathered_at = storage.database.clock.now()
    if cascade:
        for index in table.indexes:
            gather_index(storage, index, piece)
    storage.touch()


def gather_index(storage: Storage, index: Index, of: Piece | None = None) -> None:
    """Of all its pieces, or of those of one piece of the table. An unusable one keeps what it had."""
    leaves = set(map(id, of.leaves())) if of else None
    for piece in index.pieces:
        if piece.segment and piece.is_usable and (leaves is None or piece.of is None or id(piece.of) in leaves):
            piece.statistics = measured_index(storage, index, piece)


def measured_index(storage: Storage, index: Index, piece: IndexPiece) -> Statistics:
    """LEAF_BLOCKS are blocks with entries; empty ones are off the tree."""
    segment = piece.segment
    leaves = segment.used_blocks
    table_blocks = sum(p.segment.data_blocks for p in index.table.leaves() if p.segment and piece.of in (None, p))
    blevel = 0 if leaves <= 1 else math.ceil(math.log(leaves, LEAVES_PER_BRANCH))
    rows = segment.rows * (500 if index.kind == "BITMAP" else 1)
    distinct = rows if index.is_unique else max(1, rows // 20) if rows else 0
    clustering = max(table_blocks, rows // 4 if not index.grows_right else table_blocks)
    now = storage.database.clock.now()
    return Statistics(segment.rows, segment.data_blocks, round(index.entry_bytes), now, leaves, distinct, blevel, clustering)

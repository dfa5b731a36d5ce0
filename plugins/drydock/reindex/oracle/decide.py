"""Decides for each piece of an index whether it is worth work, and which. The default is: leave it, and say why.

Neither age nor depth counts. What counts: it is unusable; or fresh statistics say that a fresh build would take less than a
share of its leaf blocks, and counted blocks (DBMS_SPACE) say so too. Never ANALYZE of its structure: that stops all writers.
Sources: Administrator's Guide 19c, "Managing Indexes", "Coalescing or Rebuilding"; Licensing Manual 19c (online rebuild: EE).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from drydock.engines.oracle_names import NameRefused, quote_name
from drydock.plans import Candidate, LeftAlone, LockKind, evidence
from drydock.policy import ReindexPolicy
from drydock.reclaim.oracle.restrictions import SYSTEM_SCHEMAS
from drydock.reindex.oracle.expected import expected_leaf_blocks, fresh_bytes
from drydock.reindex.oracle.facts import Counted, IndexPiece, TableFacts, TargetFacts
from drydock.verdicts import Figure

LOG_FACTOR = 1.1  # redo of a build: every new block once, and its headers
JOURNAL_FACTOR = 1.1  # an online build keeps a journal of the changes meanwhile
UNBUILT_ENTRY_BYTES = 32  # of an unusable index nobody knows the size: key and pointer of a row
REDO_PER_MERGED_BYTE = 2.5
REDO_OF_DICTIONARY_BYTES = 1024**2
RISING = 2.0  # clustering factor against the blocks of the table: below, keys come in the order of the rows
FLOWS_ALIKE = 0.5  # of a queue as much leaves as comes, within this share
CLOCK_SLACK = timedelta(days=1)  # times of the dictionary are those of the host
HIGHEST_WEIGHT = 5.0


@dataclass(frozen=True)
class Context:
    """What a decision knows beside the index."""

    target: TargetFacts
    policy: ReindexPolicy
    now: datetime
    system: frozenset[str] = frozenset()
    regrown: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Sparse:
    """An index beside its fresh self, in blocks."""

    expected: int
    counted: Counted

    @property
    def ratio(self) -> float:
        return round(self.expected / max(1, self.counted.total), 4)

    @property
    def wasted(self) -> int:
        return max(0, self.counted.total - self.expected)

    @property
    def is_mostly_empty(self) -> bool:
        """The waste is whole blocks without an entry rather than room inside blocks."""
        return self.counted.empty * 2 >= self.wasted


def why_never(piece: IndexPiece, context: Context) -> str:
    """What keeps this index out altogether; '' for none."""
    found = [
        ("system_schema", piece.owner in context.system or piece.owner in SYSTEM_SCHEMAS),
        ("in_recycle_bin", piece.is_dropped or piece.name.startswith("BIN$")),
        ("temporary_table", piece.is_temporary),
        ("index_organized", piece.type.startswith("IOT")),
        ("not_btree", piece.type in ("DOMAIN", "CLUSTER") or piece.is_join),
        ("read_only_data", piece.space.status != "ONLINE"),
        ("no_partitioning", bool(piece.partition) and not context.target.has_partitioning),
        ("name_refused", not may_be_named(piece)),
    ]
    return next((code for code, is_so in found if is_so), "")


def may_be_named(piece: IndexPiece) -> bool:
    """Whether all names can stand in a statement: a quoted name holds no double quote."""
    try:
        for name in filter(None, (piece.owner, piece.name, piece.partition)):
            quote_name(name)
    except NameRefused:
        return False
    return True


def why_not_judged(piece: IndexPiece, context: Context) -> str:
    """Why statistics say nothing of a usable index, or nothing that matters; '' where it is worth the next question."""
    oldest = context.now.replace(tzinfo=None) - timedelta(days=context.policy.statistics_max_age_days) - CLOCK_SLACK
    found = [
        ("not_btree", piece.type == "BITMAP"),
        ("reverse_key_index", piece.type.endswith("/REV")),
        ("compressed_index", piece.is_compressed),
        ("no_statistics", piece.leaf_blocks is None or piece.entries is None or piece.analyzed_at is None),
        ("below_floor", (piece.leaf_blocks or 0) < context.policy.min_leaf_blocks),
        ("index_statistics_old", piece.analyzed_at is not None and piece.analyzed_at < oldest),
    ]
    return next((code for code, is_so in found if is_so), "")


def guess(piece: IndexPiece, table: TableFacts, context: Context) -> int | LeftAlone:
    """Leaf blocks of a fresh build where they are so few that blocks should be counted; else why it is left alone."""
    if piece.has_journal:
        return left(piece, "being_built")
    expected = expected_leaf_blocks(piece, table)
    if expected is None:
        return left(piece, "function_index_unknown" if piece.is_function_based else "no_statistics")
    ratio = expected / max(1, piece.leaf_blocks or 0)
    if ratio >= context.policy.max_density_ratio:
        return left(piece, "dense_enough", expected_blocks=expected, ratio=round(ratio, 4))
    return left(piece, "regrows", expected_blocks=expected) if piece.ref.key in context.regrown else expected


def decide(piece: IndexPiece, table: TableFacts, sparse: Sparse, context: Context) -> Candidate | LeftAlone:
    """What is done with an index that statistics call sparse, once its blocks are counted."""
    figures = measured(piece, sparse)
    would_free = sparse.wasted * piece.space.block_bytes
    if sparse.ratio >= context.policy.max_density_ratio or sparse.wasted == 0:
        return left(piece, "dense_enough", would_free, **figures)
    if piece.is_never_used:
        return left(piece, "never_used", would_free, **figures)
    is_queue = is_rising(piece, table) and flows_through(piece)
    if is_queue and sparse.is_mostly_empty:
        return left(piece, "fifo", would_free, **figures)
    action = action_of(piece, is_queue, context.target)
    is_merged = is_queue and action == "coalesce"
    reason = "queue_sparse" if is_merged else "right_hand_growth" if is_rising(piece, table) else "mass_delete"
    if not action:
        return left(piece, "no_method_in_edition", would_free, **figures)
    return _candidate(piece, action, reason, figures, sparse, context)


def is_rising(piece: IndexPiece, table: TableFacts) -> bool:
    """Whether keys come in the order in which rows come: those of a sequence or a time."""
    blocks, factor = table.blocks, piece.clustering_factor
    return bool(blocks) and factor is not None and factor <= RISING * blocks


def flows_through(piece: IndexPiece) -> bool:
    """A queue: about as many rows leave as come."""
    come, go = piece.changes.inserts, piece.changes.deletes
    return min(come, go) > 0 and min(come, go) >= FLOWS_ALIKE * max(come, go)


def action_of(piece: IndexPiece, is_queue: bool, target: TargetFacts) -> str:
    """A subpartition can only be rebuilt, a partition not shrunk, a function-based index not shrunk (SQL Reference)."""
    if is_queue and not piece.is_subpartition:
        return "coalesce"
    if target.has_online:
        return "rebuild_online"
    if piece.partition or piece.is_function_based:
        return "" if piece.is_subpartition else "coalesce"
    return "shrink_index"


def urgent(piece: IndexPiece, table_rows: int | None, context: Context) -> Candidate | LeftAlone:
    """An unusable or corrupt index goes before everything that only saves space: online, or in the agreed window.

    REBUILD without ONLINE may read the old index, and carry what is corrupt over; ONLINE reads the table, and so does any
    rebuild of an unusable one.
    """
    if piece.has_journal:
        return left(piece, "being_built")
    if piece.trouble == "corrupt" and not context.target.has_online:
        return left(piece, "corrupt_offline_only")
    if not context.target.has_online and not context.policy.allow_long_locks:
        return left(piece, "needs_long_lock")
    entries = piece.entries if piece.entries is not None else table_rows or 0
    built = max(piece.bytes, math.ceil(entries * (piece.key_bytes or UNBUILT_ENTRY_BYTES)), piece.space.block_bytes)
    online = context.target.has_online
    return Candidate(
        object=piece.ref,
        action="rebuild_online" if online else "rebuild",
        reason=piece.trouble,
        evidence=evidence(
            status=piece.trouble.upper(),
            table=piece.table,
            unique=piece.is_unique,
            tablespace=piece.space.name,
            entries=piece.entries,
            **_degree(online, context),
        ),
        size_bytes=max(piece.bytes, built),
        work_bytes=2 * built,
        freed_bytes=0,
        log_bytes=math.ceil(built * LOG_FACTOR) + REDO_OF_DICTIONARY_BYTES,
        needed_bytes=math.ceil(built * (JOURNAL_FACTOR if online else 1.0)),
        lock=LockKind.SHORT if online else LockKind.WRITERS,
        use_weight=use_weight(max(piece.physical_reads, piece.accesses)),
        first=True,
    )


def with_cost(candidate: Candidate, alloc_bytes: int, analyzed_at: datetime | None) -> Candidate:
    """With the room that DBMS_SPACE.CREATE_INDEX_COST asks for, where that is more than the formula says. It is as old as the
    statistics of the table, so it never makes the room smaller."""
    online = candidate.action == "rebuild_online"
    told = evidence(
        cost_bytes=alloc_bytes, cost_statistics_of=analyzed_at.isoformat(timespec="seconds") if analyzed_at else "never gathered"
    )
    needed = max(candidate.needed_bytes, math.ceil(alloc_bytes * (JOURNAL_FACTOR if online else 1.0)))
    return candidate.model_copy(update={"needed_bytes": needed, "evidence": {**candidate.evidence, **told}})


def left(piece: IndexPiece, reason: str, would_free_bytes: int = 0, **figures: Figure) -> LeftAlone:
    """An index that is left alone, with the figures behind it."""
    told = evidence(table=piece.table, leaf_blocks=piece.leaf_blocks, blevel=piece.blevel, **figures)
    told |= {"status": piece.trouble.upper()} if piece.trouble else {}
    return LeftAlone(object=piece.ref, reason=reason, evidence=told, would_free_bytes=would_free_bytes)


def measured(piece: IndexPiece, sparse: Sparse) -> dict[str, Figure]:
    """The figures behind a verdict on blocks."""
    return {
        "expected_blocks": sparse.expected,
        "used_blocks": sparse.counted.used,
        "empty_blocks": sparse.counted.empty,
        "ratio": sparse.ratio,
        "entries": piece.entries_now,
        "deletes_since": piece.changes.deletes,
        "inserts_since": piece.changes.inserts,
        "analyzed_at": piece.analyzed_at.isoformat(timespec="seconds") if piece.analyzed_at else None,
    }


def _candidate(
    piece: IndexPiece, action: str, reason: str, figures: dict[str, Figure], sparse: Sparse, context: Context
) -> Candidate:
    fresh, wasted = fresh_bytes(piece, sparse.expected), sparse.wasted * piece.space.block_bytes
    is_build = action == "rebuild_online"
    merged = min(wasted, fresh)
    redo = math.ceil(fresh * LOG_FACTOR if is_build else merged * REDO_PER_MERGED_BYTE) + REDO_OF_DICTIONARY_BYTES
    told = {"table": piece.table, "tablespace": piece.space.name, "leaf_blocks": piece.leaf_blocks, "blevel": piece.blevel}
    return Candidate(
        object=piece.ref,
        action=action,
        reason=reason,
        evidence=evidence(**told, **figures, physical_reads=piece.physical_reads, **_degree(is_build, context)),
        size_bytes=piece.bytes,
        work_bytes=piece.bytes + (fresh if is_build else 0),
        freed_bytes=0 if action == "coalesce" else wasted,  # coalesced blocks stay with the index
        log_bytes=redo,
        needed_bytes=math.ceil(fresh * JOURNAL_FACTOR) if is_build else 0,
        lock=LockKind.NONE if action == "coalesce" else LockKind.SHORT,
        is_resumable=not is_build,
        use_weight=use_weight(max(piece.physical_reads, piece.accesses)),
    )


def _degree(is_online: bool, context: Context) -> dict[str, Figure]:
    """The degree of an online rebuild, as it is planned and approved; it is set back after it."""
    degree = context.policy.rebuild_degree
    return {"degree": degree} if is_online and degree > 1 else {}


def use_weight(reads: int) -> float:
    """What a byte of it buys beside the space: 1 for what is never read from disk."""
    return round(min(HIGHEST_WEIGHT, 1 + math.log10(1 + max(0, reads)) / 2), 2)

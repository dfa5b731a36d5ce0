"""Decides for each index whether it is worth rebuilding. The default is: leave it, and say why.

What counts is pages: those that the index has against those that a fresh build would take (leaf density against the fill
factor, pages without any entry). An age or a depth is no reason. A density measured before VACUUM can only be too high,
since dead entries still fill their pages: a sparse index is believed at once, a dense one only when its table has few dead
rows. Sources: rules of index rebuild (expected against actual leaf blocks); PostgreSQL manual, pgstattuple, Routine
Reindexing; measurements with PostgreSQL 15 and 18 (density 89.9 before VACUUM, 36.1 after).
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from drydock.plans import Candidate, LeftAlone, LockKind
from drydock.policy import ReindexPolicy
from drydock.reindex.postgres.facts import Density, IndexRow, Looked, Soundness, SurveyFacts
from drydock.verdicts import Figure, Model

REBUILD, DROP_LEFTOVER = "reindex_concurrently", "drop_leftover_index"
UNBUILT_ROW_BYTES = 32  # of an index that was never finished nobody knows the size: key and pointer of a row
LOG_FACTOR = 1.1  # WAL of a build: every new page once, and its headers
PASSED_THROUGH = 2.0  # rows that came in, against those that fit into the file: above, its pages are used again and again
ROWS_OF_A_PAGE = 300  # where the table is empty, and nothing else tells how many fitted
HIGHEST_WEIGHT = 5.0


class Sparse(Model):
    """An index beside its fresh self: pages it has, pages it needs."""

    pages: int
    needed_pages: int
    without_entries: int
    ratio: float
    freed_bytes: int


def compare(index: IndexRow, density: Density, block_bytes: int) -> Sparse:
    """Put the measured pages beside those of a fresh build."""
    pages = max(1, density.index_bytes // block_bytes)
    needed = min(density.needed_pages(index.fillfactor), pages)
    return Sparse(
        pages=pages,
        needed_pages=needed,
        without_entries=density.empty_pages + density.deleted_pages,
        ratio=round(needed / pages, 4),
        freed_bytes=(pages - needed) * block_bytes,
    )


def decide(
    index: IndexRow, looked: Looked, policy: ReindexPolicy, facts: SurveyFacts, now: datetime, regrown: frozenset[str]
) -> Candidate | LeftAlone:
    """What to do with one index, with the evidence; leaving it alone is the default."""
    if index.is_busy and not index.is_valid:
        return left(index, "being_built")
    if index.is_leftover:
        return leftover(index)
    if not index.is_valid:
        return left(index, "exclusion_constraint") if index.is_exclusion else urgent(index, "unusable", facts)
    if looked.soundness is Soundness.CORRUPT:
        return left(index, "exclusion_constraint") if index.is_exclusion else urgent(index, "corrupt", facts)
    if index.method != "btree":
        return left(index, "not_btree", method=index.method)
    if is_below_floor(index, policy, facts):
        return left(index, "below_floor", floor_bytes=floor_bytes(policy, facts))
    if looked.density is None:
        return left(index, looked.why_not or "not_measured")
    sparse = compare(index, looked.density, facts.block_bytes)
    if sparse.ratio >= policy.max_density_ratio:
        return _dense(index, looked.density, sparse, policy)
    return _sparse(index, looked.density, sparse, policy, facts, now, regrown)


def is_below_floor(index: IndexRow, policy: ReindexPolicy, facts: SurveyFacts) -> bool:
    """Too small to be worth a look at its pages."""
    return index.index_bytes < floor_bytes(policy, facts)


def floor_bytes(policy: ReindexPolicy, facts: SurveyFacts) -> int:
    return max(policy.floor_bytes, policy.min_leaf_blocks * facts.block_bytes)


def is_unused(index: IndexRow, policy: ReindexPolicy, facts: SurveyFacts, now: datetime) -> bool:
    """No query of this server read it for as long as the policy asks, and the counters reach back that far."""
    since = timedelta(days=policy.unused_after_days)
    if index.serves_rules or not index.is_valid or now - facts.counted_since < since:
        return False
    return index.scans == 0 or (index.last_scan_at is not None and now - index.last_scan_at >= since)


def left(index: IndexRow, reason: str, would_free_bytes: int = 0, **figures: Figure) -> LeftAlone:
    evidence = {"size_bytes": index.index_bytes, "table": index.table_name, **figures}
    return LeftAlone(object=index.ref, reason=reason, evidence=evidence, would_free_bytes=would_free_bytes)


def leftover(index: IndexRow) -> Candidate:
    """An invalid `_ccnew` or `_ccold` is of no use to anybody: dropped, never rebuilt."""
    return Candidate(
        object=index.ref,
        action=DROP_LEFTOVER,
        reason="leftover_index",
        evidence={"size_bytes": index.index_bytes, "table": index.table_name},
        size_bytes=index.index_bytes,
        work_bytes=index.index_bytes,
        freed_bytes=index.index_bytes,
        log_bytes=0,
        lock=LockKind.NONE,
        first=True,
    )


def urgent(index: IndexRow, reason: str, facts: SurveyFacts) -> Candidate:
    """An index that serves nobody, or serves wrong rows: before everything that only saves space."""
    built = max(index.index_bytes, max(index.table_rows, index.live_rows, 0) * UNBUILT_ROW_BYTES, facts.block_bytes)
    evidence: dict[str, Figure] = {"size_bytes": index.index_bytes, "table": index.table_name, "expected_bytes": built}
    return _rebuild(index, reason, evidence, built_bytes=built, freed_bytes=0, facts=facts, first=True)


def _dense(index: IndexRow, density: Density, sparse: Sparse, policy: ReindexPolicy) -> LeftAlone:
    figures = measured(index, density, sparse)
    if not _is_counted(index):
        return left(index, "statistics_old", **figures)
    dead = index.dead_rows / max(1, index.live_rows + index.dead_rows)
    if sparse.ratio * (1 - dead) < policy.max_density_ratio:  # what VACUUM would take out may make it sparse
        return left(index, "vacuum_first", **figures)
    return left(index, "dense_enough", would_free_bytes=sparse.freed_bytes, **figures)


def _is_counted(index: IndexRow) -> bool:
    """False where the counters of the table were lost: nothing tells whether it holds dead rows."""
    return index.table_rows <= 0 or index.last_vacuum_at is not None or bool(index.live_rows or index.dead_rows)


def _sparse(
    index: IndexRow,
    density: Density,
    sparse: Sparse,
    policy: ReindexPolicy,
    facts: SurveyFacts,
    now: datetime,
    regrown: frozenset[str],
) -> Candidate | LeftAlone:
    figures = measured(index, density, sparse)
    reason = _why_left(index, sparse, policy, facts, now, regrown)
    if reason:
        return left(index, reason, would_free_bytes=sparse.freed_bytes, **figures)
    built = sparse.needed_pages * facts.block_bytes
    return _rebuild(index, _class_of(index, sparse), figures, built_bytes=built, freed_bytes=sparse.freed_bytes, facts=facts)


def _why_left(
    index: IndexRow, sparse: Sparse, policy: ReindexPolicy, facts: SurveyFacts, now: datetime, regrown: frozenset[str]
) -> str:
    if index.ref.key in regrown:
        return "regrows"
    if index.is_busy:
        return "being_built"
    if index.is_exclusion:
        return "exclusion_constraint"
    if is_unused(index, policy, facts, now):
        return "never_used"
    return "fifo" if _is_queue(index, sparse) else ""


def _is_queue(index: IndexRow, sparse: Sparse) -> bool:
    """A queue: deleted at the left, filled at the right; the pages without entries are those that it uses next.

    Told by more rows having passed through than the file can hold, while most of the waste is whole pages.
    """
    rows = max(index.live_rows, index.table_rows)
    holds_rows = rows / sparse.ratio if rows > 0 else sparse.pages * ROWS_OF_A_PAGE
    whole_pages = sparse.without_entries * 2 >= sparse.pages - sparse.needed_pages
    return whole_pages and index.deletes > 0 and index.inserts >= PASSED_THROUGH * holds_rows


def _class_of(index: IndexRow, sparse: Sparse) -> str:
    """Space inside leaves of a rising key is never filled again; other space is what a large delete left behind."""
    inside_leaves = sparse.without_entries * 2 < sparse.pages - sparse.needed_pages
    return "right_hand_growth" if index.is_rising and inside_leaves else "mass_delete"


def measured(index: IndexRow, density: Density, sparse: Sparse) -> dict[str, Figure]:
    """The figures behind a verdict on pages."""
    return {
        "density_percent": density.density_percent,
        "expected_percent": index.fillfactor,
        "pages": sparse.pages,
        "needed_pages": sparse.needed_pages,
        "pages_without_entries": sparse.without_entries,
        "pages_ratio": sparse.ratio,
        "dead_rows": index.dead_rows,
        "live_rows": index.live_rows,
        "vacuumed_at": index.last_vacuum_at.isoformat(timespec="seconds") if index.last_vacuum_at else None,
    }


def _rebuild(
    index: IndexRow,
    reason: str,
    evidence: dict[str, Figure],
    *,
    built_bytes: int,
    freed_bytes: int,
    facts: SurveyFacts,
    first: bool = False,
) -> Candidate:
    """One REINDEX CONCURRENTLY: it reads the table twice, writes the new index beside the old one, and sorts it."""
    days = max(1.0, (facts.clock_at - facts.counted_since).total_seconds() / 86400)
    return Candidate(
        object=index.ref,
        action=REBUILD,
        reason=reason,
        evidence={"size_bytes": index.index_bytes, "table": index.table_name, "scans": index.scans, **evidence},
        size_bytes=index.index_bytes,
        work_bytes=index.index_bytes + index.table_bytes,
        freed_bytes=freed_bytes,
        log_bytes=math.ceil(built_bytes * LOG_FACTOR),
        needed_bytes=2 * built_bytes,
        lock=LockKind.NONE,
        use_weight=round(min(HIGHEST_WEIGHT, 1 + math.log10(1 + index.scans / days)), 1),
        first=first,
    )

"""Decides what to do with one table, from figures alone; leaving it alone is the default, and always has its reason.

The cheapest way that gives the space back: VACUUM where the end of the table is empty; REPACK (CONCURRENTLY) from
PostgreSQL 19; the online copy; VACUUM (FULL) only where the policy allows long locks and a person names the item.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from drydock.plans import Candidate, LeftAlone, LockKind
from drydock.policy import ReclaimPolicy
from drydock.reclaim.postgres.facts import Measured, Server, TableRow, fresh_bytes
from drydock.verdicts import Figure

VACUUM, COPY, REPACK, FULL = "vacuum_truncate", "online_copy", "repack_concurrently", "vacuum_full"
FIRST_WITH_COPY, FIRST_WITH_REPACK = 150000, 190000
ROW_HEADER_BYTES = 24
SHORT_LIST_SHARE = 0.5  # of the policy's least waste: what statistics or a quick measure tell less of is not looked at closer
TAIL_SHARE = 0.5  # of the waste at the end of the table: then VACUUM alone gives most of it back
LOG_FACTOR = 1.1  # WAL of a rewrite: every new page once, and its headers
SCANS_THAT_COUNT = 100
KINDS = {"f": "foreign_table", "m": "materialized_view"}
PERSISTENCE = {"t": "temporary_table", "u": "unlogged_table"}


def left(table: TableRow, reason: str, would_free_bytes: int = 0, **figures: Figure) -> LeftAlone:
    """One line of what is not worked."""
    evidence: dict[str, Figure] = {"total_bytes": table.total_bytes, **figures}
    return LeftAlone(object=table.ref, reason=reason, evidence=evidence, would_free_bytes=would_free_bytes)


def sort_out(table: TableRow, policy: ReclaimPolicy, now: datetime, regrown: frozenset[str]) -> LeftAlone | None:
    """Left alone by the dictionary alone, before anything is measured; None: go on looking."""
    if reason := KINDS.get(table.kind) or PERSISTENCE.get(table.persistence):
        return left(table, reason)
    if table.is_of_extension:
        return left(table, "of_extension")
    if table.access_method != "heap":
        return left(table, "access_method", method=table.access_method)
    if table.total_bytes < policy.floor_bytes:
        return left(table, "below_floor", floor_bytes=policy.floor_bytes)
    if not table.is_ours:
        return left(table, "not_owner")
    if table.ref.key in regrown:
        return left(table, "regrows")
    if is_loading(table, policy, now):
        return left(table, "still_loading", inserted_since_vacuum=table.inserted_since_vacuum)
    return None


def is_loading(table: TableRow, policy: ReclaimPolicy, now: datetime) -> bool:
    """A partition into which rows came within the policy's days, as far as it is certain: since a vacuum that is not older.

    PostgreSQL keeps no time of the last insert. Where no vacuum ran in these days nothing is proved, and it is not loading.
    """
    since = now - timedelta(days=policy.still_loading_days)
    vacuumed = table.last_vacuum_at is not None and table.last_vacuum_at >= since
    return table.is_partition and vacuumed and table.inserted_since_vacuum > 0


def estimated_waste_ratio(table: TableRow, block_bytes: int) -> float | None:
    """What statistics alone tell; None: they tell nothing, and the table is measured."""
    if table.table_rows < 0 or table.row_bytes is None or not table.heap_bytes or table.last_analyze_at is None:
        return None
    rows = int(table.table_rows)
    needed = fresh_bytes(int(rows * (table.row_bytes + ROW_HEADER_BYTES)), rows, table.fillfactor, block_bytes)
    dead = table.dead_rows / max(1, table.live_rows + table.dead_rows)
    toast_share = table.toast_bytes / (table.heap_bytes + table.toast_bytes)  # of which statistics tell nothing
    return max(0.0, 1 - needed / table.heap_bytes, dead, toast_share)


def is_worth(measured: Measured, policy: ReclaimPolicy, share: float = 1.0) -> bool:
    """Enough would come back; `share` of the policy's limits."""
    enough = measured.waste_bytes >= policy.min_freed_bytes * share
    return enough and measured.waste_ratio >= policy.min_waste_ratio * share


def decide(
    table: TableRow, measured: Measured, tail_bytes: int, obstacle: str, server: Server, policy: ReclaimPolicy
) -> Candidate | LeftAlone:
    """The way for a table that is worth it. `obstacle`: why it cannot be copied; empty: nothing stands in the way."""
    if tail_bytes >= policy.min_freed_bytes and tail_bytes >= TAIL_SHARE * measured.waste_bytes:
        return candidate(table, VACUUM, measured, policy, tail_bytes=tail_bytes)
    if server.server_version_num >= FIRST_WITH_REPACK and server.repack_slots and table.has_identity_index:
        return candidate(table, REPACK, measured, policy)
    obstacle = obstacle or why_no_copy(server)
    if not obstacle:
        return candidate(table, COPY, measured, policy)
    if policy.allow_long_locks:
        return candidate(table, FULL, measured, policy, why_no_copy=obstacle)
    return left(table, obstacle, measured.waste_bytes, **figures(measured))


def why_no_copy(server: Server) -> str:
    """What of the whole database keeps every table from being copied."""
    if server.server_version_num < FIRST_WITH_COPY:
        return "version_too_old"
    if not server.may_create:
        return "may_not_create"
    if server.event_triggers:
        return "event_triggers"
    return "publishes_all_tables" if server.publications_of_all else ""


def candidate(table: TableRow, action: str, measured: Measured, policy: ReclaimPolicy, **more: Figure) -> Candidate:
    """The line of the plan: figures, lock, and what it costs."""
    rewrites = action != VACUUM
    tail = more.get("tail_bytes")
    written = measured.fresh_bytes + table.indexes_bytes
    return Candidate(
        object=table.ref,
        action=action,
        reason="waste" if rewrites else "empty_tail",
        evidence={**figures(measured), **limits(policy), "parent": table.parent, **more},
        size_bytes=table.total_bytes,
        work_bytes=measured.read_bytes + table.indexes_bytes,
        freed_bytes=measured.waste_bytes if rewrites else int(tail or 0),
        log_bytes=int(written * LOG_FACTOR) if rewrites else None,
        needed_bytes=written if rewrites else 0,
        lock=LockKind.ALL if action == FULL else LockKind.SHORT,
        needs_naming=action == FULL,
        use_weight=1.0 + min(1.0, table.scans / SCANS_THAT_COUNT),
    )


def figures(measured: Measured) -> dict[str, Figure]:
    """The evidence of a measurement."""
    return {
        "read_bytes": measured.read_bytes,
        "live_bytes": measured.live_bytes,
        "dead_bytes": measured.dead_bytes,
        "fresh_bytes": measured.fresh_bytes,
        "waste_ratio": round(measured.waste_ratio, 4),
        "is_exact": measured.is_exact,
    }


def limits(policy: ReclaimPolicy) -> dict[str, Figure]:
    """The policy's limits, so that the work judges by the same ones when it measures again."""
    return {"limit_ratio": policy.min_waste_ratio, "limit_bytes": policy.min_freed_bytes}

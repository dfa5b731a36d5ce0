"""The decision table: what is done with one segment, from what is known of it. Knows no database.

In this order: an empty partition is truncated where policy and a person allow it; unused extents are given back; holes are
packed by SHRINK, which is cheapest to stop and works in every edition; else the segment is written anew, online where edition
and version allow, in the window where the policy allows long locks; else it is left alone with the reason.
"""

from __future__ import annotations

from drydock.plans import Candidate, LeftAlone, LockKind, evidence
from drydock.policy import ReclaimPolicy
from drydock.reclaim.oracle import estimate
from drydock.reclaim.oracle.estimate import Gain
from drydock.reclaim.oracle.facts import Piece, TableFacts, TargetFacts
from drydock.reclaim.oracle.restrictions import against_move, against_online_move, against_shrink, against_truncate
from drydock.verdicts import Figure

TINY_BYTES, MANY_INDEXES = 128 * 1024**2, 4
"""A partition this small with so many indexes is moved without them, and they are rebuilt after it."""
SMALL_WORK_BYTES = 1024**2  # what a change of the dictionary alone is counted as


def enough(freed_bytes: int, piece: Piece, policy: ReclaimPolicy) -> bool:
    """Worth the work: at least a share of the segment, and at least a floor."""
    return freed_bytes >= policy.min_freed_bytes and freed_bytes >= policy.min_waste_ratio * piece.bytes


def decide(
    piece: Piece, table: TableFacts, gain: Gain, target: TargetFacts, policy: ReclaimPolicy, is_empty: bool = False
) -> Candidate | LeftAlone:
    """What is done with a piece, or why nothing. `is_empty`: a probe found no row in it."""
    truncate = against_truncate(table, piece, policy.allow_truncate)
    if is_empty and not truncate and enough(gain.total_bytes, piece, policy):
        return _candidate(piece, table, gain, target, "truncate", "partition_empty")
    if not enough(gain.total_bytes, piece, policy):
        return left(piece, "not_enough_waste", gain)
    if enough(gain.above_bytes, piece, policy) and not enough(gain.below_bytes, piece, policy):
        return _given_back(piece, table, gain, target)
    if not policy_needs_it(piece, policy):
        return left(piece, "space_not_needed", gain, free_share=round(piece.tablespace.free_share, 3))
    return _packed(piece, table, gain, target, policy)


def _given_back(piece: Piece, table: TableFacts, gain: Gain, target: TargetFacts) -> Candidate | LeftAlone:
    """Only unused extents. Those of a LOB come back with its shrink, or stay: no MOVE is worth them."""
    if not piece.is_lob:
        return _candidate(piece, table, gain, target, "deallocate", "space_above_mark")
    if against_shrink(table, piece, target):
        return left(piece, "lob_space_above_mark", gain)
    return _candidate(piece, table, gain, target, "shrink_lob", "space_above_mark")


def policy_needs_it(piece: Piece, policy: ReclaimPolicy) -> bool:
    """Whether anybody gains: the tablespace needs room, or full scans read the holes."""
    return piece.scans > 0 or piece.tablespace.free_share <= policy.roomy_ratio


def _packed(piece: Piece, table: TableFacts, gain: Gain, target: TargetFacts, policy: ReclaimPolicy) -> Candidate | LeftAlone:
    shrink = against_shrink(table, piece, target)
    if not shrink:
        return _candidate(piece, table, gain, target, "shrink_lob" if piece.is_lob else "shrink", "holes_below_mark")
    online = against_online_move(table, piece, target)
    if not online:
        return _candidate(piece, table, gain, target, "move_online", "holes_below_mark", shrink=shrink[0])
    move = against_move(table, target, policy.allow_long_locks)
    if not move:
        return _candidate(piece, table, gain, target, "move", "holes_below_mark", shrink=shrink[0], online=online[0])
    if enough(gain.above_bytes, piece, policy) and not piece.is_lob:
        return _candidate(piece, table, gain, target, "deallocate", "space_above_mark", shrink=shrink[0])
    return left(piece, _telling(shrink, online, move), gain, shrink=shrink[0], online=online[0], move=move[0])


def _telling(shrink: tuple[str, ...], online: tuple[str, ...], move: tuple[str, ...]) -> str:
    """Of all that stands in the way, what a person could change; else what forbids the method that comes nearest."""
    return "needs_long_lock" if move == ("needs_long_lock",) else shrink[0]


def left(piece: Piece, reason: str, gain: Gain | None = None, **figures: Figure) -> LeftAlone:
    """A segment that is left alone, with the figures behind it."""
    told = evidence(size_bytes=piece.bytes, **_figures(gain), **figures)
    return LeftAlone(object=piece.ref, reason=reason, evidence=told, would_free_bytes=gain.total_bytes if gain else 0)


def _figures(gain: Gain | None) -> dict[str, Figure]:
    if gain is None:
        return {}
    return {
        "free_below_bytes": gain.below_bytes,
        "likely_below_bytes": gain.likely_bytes,
        "free_above_bytes": gain.above_bytes,
        "measured_by": gain.source,
    }


def _candidate(
    piece: Piece, table: TableFacts, gain: Gain, target: TargetFacts, action: str, reason: str, **why_not: Figure
) -> Candidate:
    """`why_not`: what spoke against the methods that would have come first."""
    cost = _cost(piece, table, gain, action)
    return Candidate(
        object=piece.ref,
        action=action,
        reason=reason,
        evidence=evidence(
            **_figures(gain),
            scans=piece.scans,
            indexes=len(table.indexes),
            tablespace=piece.tablespace.name,
            segment_partition=piece.segment_partition,
            rebuilds=action == "move" and rebuilds_after(piece, table),
            **{f"not_{name}": why for name, why in why_not.items()},
        ),
        size_bytes=piece.bytes,
        freed_bytes=gain.above_bytes if action == "deallocate" else gain.total_bytes,
        lock=LockKind.WRITERS if action == "move" else LockKind.SHORT,
        is_resumable=action in ("shrink", "shrink_lob"),
        needs_naming=action == "truncate" or (target.captures > 0 and action != "deallocate"),
        use_weight=estimate.use_weight(piece.scans),
        **cost,
    )


def rebuilds_after(piece: Piece, table: TableFacts) -> bool:
    """Whether a MOVE leaves the indexes unusable, to be rebuilt after it: always for a whole table."""
    return not piece.partition or (piece.bytes <= TINY_BYTES and len(table.indexes) >= MANY_INDEXES)


def _cost(piece: Piece, table: TableFacts, gain: Gain, action: str) -> dict[str, int]:
    """What the action reads or writes, its redo, and the room that it needs beside the old segment."""
    if action in ("truncate", "deallocate"):
        return {"work_bytes": SMALL_WORK_BYTES, "log_bytes": estimate.REDO_OF_DICTIONARY_BYTES, "needed_bytes": 0}
    if action in ("shrink", "shrink_lob"):
        redo = estimate.redo_of_shrink(gain, 0 if piece.is_lob else len(table.indexes))
        return {"work_bytes": piece.bytes, "log_bytes": redo, "needed_bytes": 0}
    written = estimate.new_bytes(piece, gain) + piece.table_bytes + estimate.index_bytes(piece, table.indexes)
    return {
        "work_bytes": piece.bytes + piece.table_bytes + written,
        "log_bytes": estimate.redo_of_move(written),
        "needed_bytes": written,
    }


def without_doubles(found: list[Candidate | LeftAlone]) -> list[Candidate | LeftAlone]:
    """Of one table: a MOVE of a LOB writes the table's own segment anew too, a TRUNCATE of a partition takes its LOBs along."""
    chosen = [c for c in found if isinstance(c, Candidate)]
    emptied = {c.object.partition for c in chosen if c.action == "truncate"}
    moved = {c.object.partition for c in chosen if c.object.column and c.action in ("move", "move_online")} - emptied
    kept: list[Candidate | LeftAlone] = []
    for one in found:
        if isinstance(one, Candidate) and one.object.column and one.object.partition in emptied:
            kept.append(_left_to(one, "emptied_with_table"))
        elif isinstance(one, Candidate) and not one.object.column and one.object.partition in moved:
            kept.append(_left_to(one, "moved_with_lob"))
        else:
            kept.append(one)
    return kept


def _left_to(candidate: Candidate, reason: str) -> LeftAlone:
    told = evidence(size_bytes=candidate.size_bytes, action=candidate.action)
    return LeftAlone(object=candidate.object, reason=reason, evidence=told, would_free_bytes=candidate.freed_bytes)

"""MOVE: the segment is written anew, all or nothing, online where that may be; else writers wait, or indexes are rebuilt after.

Sources: SQL Language Reference 19c, move_table_clause, move_table_partition; VLDB and Partitioning Guide 19c, "Moving
Partitions and Subpartitions".
"""

from __future__ import annotations

from drydock.changing.hands import GateClosed, Row
from drydock.engines import oracle_statements as statements
from drydock.engines.oracle_statements import Segment
from drydock.outcomes import Outcome
from drydock.plans import ObjectKind
from drydock.reclaim.oracle.cleanup_jobs import Gap, told_for_job, wait_for_gap
from drydock.reclaim.oracle.doing import (
    FREE_SPACE_FACTOR,
    LOCK_TRIES,
    OLD_TRANSACTION_S,
    Work,
    finished,
    new_unusable,
    old_transaction_s,
    skipped,
)
from drydock.reclaim.oracle.reading import PIPELINE, read_indexes, read_tablespaces
from drydock.reclaim.oracle.sort_room import why_no_sort
from drydock.verdicts import Figure


def move(work: Work) -> Outcome:
    """Write the piece anew, once: where an earlier attempt came to its end, only what follows it is done."""
    if work.place.identity == work.before["identity"]:
        refused = why_not_now(work)
        if refused:
            return refused
        online = work.item.candidate.action == "move_online"
        gap = wait_for_gap(work, PIPELINE) if online else Gap(None)
        if isinstance(gap, Outcome):
            return gap
        work.hands.remember(rewriting=work.place.identity)
        with told_for_job(gap):
            work.change(statement_of(work), deadline_s=gap.deadline_s, tries=LOCK_TRIES)
    rebuild_unusable(work)
    return finished(work)


def why_not_now(work: Work) -> Outcome | None:
    """No room in a tablespace, for the segment, its indexes or their sorts, or an old transaction that an online move would
    wait for with no end."""
    built = built_indexes(work)
    spaces = read_tablespaces(work.hands)
    for name, needed in needed_bytes(work, built).items():
        free = spaces[name].room_bytes if name in spaces else 0
        if free < needed:
            told: dict[str, Figure] = {"tablespace": name, "needed_bytes": needed, "free_bytes": free}
            return skipped(work.hands, "tablespace_too_small", work.started_at, **told)
    if refused := why_no_sort(work, PIPELINE, max((size for _, size in built), default=0)):
        return refused
    age_s = old_transaction_s(work.hands, work.place)
    if age_s > OLD_TRANSACTION_S:
        return skipped(work.hands, "old_transaction_on_table", work.started_at, age_s=age_s)
    return None


def built_indexes(work: Work) -> list[tuple[str, int]]:
    """Tablespace and bytes of each index that the move writes anew: all of a table's, of a partition the local ones."""
    indexes = read_indexes(work.hands, work.place.table)
    if not work.place.target.partition:
        return [(i.tablespace, i.bytes) for i in indexes if i.bytes]
    return [(i.tablespace, i.largest_bytes) for i in indexes if i.is_local and i.largest_bytes]


def needed_bytes(work: Work, built: list[tuple[str, int]]) -> dict[str, int]:
    """Tablespace -> room that must be there. What the plan counted is for the segment's own, its indexes with it."""
    found = {work.place.tablespace: work.item.candidate.needed_bytes * FREE_SPACE_FACTOR}
    for name, size in built:
        if name != work.place.tablespace:
            found[name] = found.get(name, 0) + size * FREE_SPACE_FACTOR
    return {name: int(needed) for name, needed in found.items()}


def statement_of(work: Work) -> statements.Statement:
    """MOVE as the plan chose it. Never NOLOGGING and never PARALLEL: both would stay on the object."""
    candidate, target = work.item.candidate, work.place.target
    online = candidate.action == "move_online"
    keeps_indexes = bool(target.partition) and not candidate.evidence.get("rebuilds")
    if candidate.object.kind is ObjectKind.LOB:
        column, space = candidate.object.column, work.place.tablespace
        return statements.move_lob(target, column, space, online=online, update_indexes=keeps_indexes)
    return statements.move(target, online=online, update_indexes=keeps_indexes)


def rebuild_unusable(work: Work) -> None:
    """Make every index usable that the move left unusable: also after the gate has closed, for nobody can write until then."""
    for row in new_unusable(work):
        statement = rebuild_of(row)
        try:
            work.change(statement, tries=LOCK_TRIES)
        except GateClosed:
            work.put_back(statement)


def rebuild_of(row: Row) -> statements.Statement:
    """REBUILD of one unusable index or piece: offline, since an unusable index serves nobody."""
    index = Segment(row["owner"], row["name"], row["partition"] or "", row["is_sub"] == "YES")
    return statements.rebuild(index, online=False)

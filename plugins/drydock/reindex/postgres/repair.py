"""Finds what broken off rebuilds left on an index's table, and drops it: invalid `_ccnew` and `_ccold` indexes.

`_ccnew` is a new index that never took over; `_ccold` the old one after the new one did. Both are invalid, serve no query,
and cost every writer. What somebody works on at this moment is not touched, nor anything valid, whatever its name.
Source: PostgreSQL manual, REINDEX, Rebuilding Indexes Concurrently.
"""

from __future__ import annotations

from drydock.changing.hands import Eyes, Hands
from drydock.engines.postgres_statements import statement
from drydock.plans import ObjectRef
from drydock.reindex.postgres.decide import DROP_LEFTOVER
from drydock.reindex.postgres.facts import PIPELINE, is_transient_name_of
from drydock.verdicts import Model

DROPPED = "leftover_index_dropped"


class Leftover(Model):
    """One invalid index with a name of REINDEX CONCURRENTLY, of `leftovers.sql`."""

    name: str
    name_bytes: int
    is_busy: bool


def leftovers_of(eyes: Eyes, index: ObjectRef, is_leftover_itself: bool = False) -> tuple[Leftover, ...]:
    """The leftovers of one index; of an item that is a leftover, that one alone. Raises ChangeFailed."""
    binds = {"schema": index.owner, "index_name": index.name, "table_name": index.parent}
    rows = eyes.rows(PIPELINE, "leftovers", binds)
    found = [Leftover(**row) for row in rows]
    if is_leftover_itself:
        return tuple(one for one in found if one.name == index.name)
    return tuple(one for one in found if is_transient_name_of(one.name, one.name_bytes, index.name))


def drop_leftovers(hands: Hands, wait_s: float) -> int:
    """Drop the leftovers of the item's index that nobody works on; how many there were. Raises ChangeFailed."""
    candidate = hands.item.candidate
    index = candidate.object
    idle = [one for one in leftovers_of(hands, index, candidate.action == DROP_LEFTOVER) if not one.is_busy]
    for one in idle:
        hands.put_back(statement(PIPELINE, "drop_leftover", {"index": (index.owner, one.name)}), lock_wait_s=wait_s)
    return len(idle)


def repair(hands: Hands, wait_s: float) -> tuple[str, ...]:
    """Put right what earlier attempts left; the code of it once for each. Raises ChangeFailed."""
    if hands.item.candidate.action == DROP_LEFTOVER:
        return ()  # the work itself, and not done before its turn
    return (DROPPED,) * drop_leftovers(hands, wait_s)

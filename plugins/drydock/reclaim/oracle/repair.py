"""What earlier attempts on an item left behind, put right: from what they wrote down, and the dictionary alone."""

from __future__ import annotations

from collections.abc import Callable

from drydock.changing.hands import Hands
from drydock.engines import oracle_statements as statements
from drydock.reclaim.oracle.doing import not_among, place_of, put_back, unusable_of
from drydock.reclaim.oracle.move import rebuild_of
from drydock.reclaim.oracle.reading import PIPELINE


def repair(hands: Hands, pause: Callable[[float], None]) -> tuple[str, ...]:
    """Set row movement back, rebuild what a broken off move left unusable. Codes of what was found; safe to repeat.

    A broken off MOVE leaves a temporary segment that SMON removes, one that ran ONLINE also a journal that Oracle cleans up
    by itself (Administrator's Guide 19c). Raises ChangeFailed.
    """
    known = hands.remembered()
    place = place_of(hands, hands.item.candidate.object) if known else None
    if place is None:
        return ()
    found = []
    if known.get("row_movement") == "DISABLED":
        now = hands.rows(PIPELINE, "table_now", place.table)
        if now and now[0]["row_movement"] == "ENABLED":
            put_back(hands, statements.row_movement(place.target, enabled=False), pause)
            found.append("row_movement_restored")
        hands.remember(row_movement="")
    if known.get("rewriting") == place.identity:
        hands.remember(rewriting="")  # it was not written anew after all, so no index became unusable by us
    elif known.get("rewriting"):
        before = set(str(known.get("unusable_before") or "").split())
        rows = unusable_of(hands, place.target.owner, place.target.name)
        fresh = not_among(rows, before, int(known.get("unusable_count") or 0))
        for row in fresh:
            put_back(hands, rebuild_of(row), pause)
        found += ["indexes_rebuilt"] if fresh else []
    return tuple(found)

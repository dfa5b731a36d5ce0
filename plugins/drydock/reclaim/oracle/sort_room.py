"""Room for the sort of an index build: where it runs out after a MOVE, indexes stay unusable until somebody makes room."""

from __future__ import annotations

import math

from drydock.changing.hands import Eyes
from drydock.outcomes import Outcome
from drydock.reclaim.oracle.doing import Work, skipped

SORT_FACTOR = 1.3  # of what is built


def sort_room_bytes(eyes: Eyes, pipeline: str) -> int | None:
    """Free bytes of the temporary tablespace of the session; None where it is a group of them. Raises ChangeFailed."""
    rows = eyes.rows(pipeline, "sort_room")
    return int(rows[0]["free_bytes"]) if rows and rows[0]["free_bytes"] is not None else None


def why_no_sort(work: Work, pipeline: str, built_bytes: int) -> Outcome | None:
    """SKIPPED where the largest index that is built could not be sorted."""
    needed, free = math.ceil(built_bytes * SORT_FACTOR), sort_room_bytes(work.hands, pipeline)
    if free is None or free >= needed:
        return None
    return skipped(work.hands, "sort_room_too_small", work.started_at, needed_bytes=needed, free_bytes=free)

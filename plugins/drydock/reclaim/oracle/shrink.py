"""SHRINK: rows move to the front in slices, the gate asked between them; then the high-water mark falls in a short step.

What a stopped SHRINK SPACE COMPACT has done is kept, so a slice is simply stopped at its end (SQL Language Reference 19c,
shrink_clause). Row movement is allowed for it, and set back as it was found.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from drydock.changing.hands import ChangeFailed
from drydock.engines import oracle_statements as statements
from drydock.outcomes import Outcome
from drydock.reclaim.oracle.doing import LOCK_TRIES, Work, finished, old_transaction_s, skipped
from drydock.reclaim.oracle.quiet import wait_for_quiet
from drydock.reclaim.oracle.reading import PIPELINE

CAN_BE_SHRUNK = "ORA-10655"
BROKEN = ("fatal", "transient", "wait_and_retry", "needs_space", "locked")
"""Classes of errors that say nothing about the object."""
STOPPED = ("ORA-01013", "DPY-4024")
CANCEL_SINCE = (18,)
"""Before 18c a statement can only be stopped with its session: there it runs in one piece."""
MOST_SLICES = 2000
NEARLY = 0.9


def shrink(work: Work) -> Outcome:
    """A table, partition or subpartition. Raises GateClosed, ChangeFailed: what was packed stays packed."""
    target = work.place.target
    with rows_may_move(work):
        refused = why_not(work)
        if refused:
            return skipped(work.hands, "shrink_refused", work.started_at, error=refused)
        in_slices(work, statements.shrink(target, compact=True))
        if too_busy := wait_for_quiet(work, lambda: old_transaction_s(work.hands, work.place)):
            return too_busy
        work.change(statements.shrink(target), tries=LOCK_TRIES)
    return finished(work)


def shrink_lob(work: Work) -> Outcome:
    """The segment of a LOB; no row of the table moves. Raises GateClosed, ChangeFailed.

    Its extents are given back while it goes on, and writers wait for a moment each time (SecureFiles and Large Objects
    Developer's Guide 23ai, "About Manual SecureFiles Shrink"): there is no last step, so it begins at a quiet moment.
    """
    if too_busy := wait_for_quiet(work, lambda: old_transaction_s(work.hands, work.place)):
        return too_busy
    in_slices(work, statements.shrink_lob(work.place.target, work.place.ref.column))
    return finished(work)


def why_not(work: Work) -> str:
    """Ask SHRINK SPACE CHECK: '' when the answer is ORA-10655, else the code that it gave; no answer at all is a no."""
    try:
        work.change(statements.shrink_check(work.place.target))
    except ChangeFailed as e:
        if e.retry or e.kind in BROKEN:
            raise
        return "" if e.code == CAN_BE_SHRUNK else e.code or "unknown"
    return "no answer"


def in_slices(work: Work, statement: statements.Statement) -> None:
    """Run a statement whose work is kept when it is stopped, a slice at a time. Raises GateClosed between slices."""
    deadline_s = work.slice_s if work.version >= CANCEL_SINCE else None
    for number in range(1, MOST_SLICES + 1):
        began = time.monotonic()
        try:
            work.change(statement, deadline_s=deadline_s)
            return
        except ChangeFailed as e:
            if e.code not in STOPPED or deadline_s is None:
                raise
            if time.monotonic() - began < NEARLY * deadline_s:  # by the window's end, or by a person
                why_not(work)  # goes through the gate, and changes nothing: it raises GateClosed where the window is over
                raise
            work.dones += [e.done] if e.done else []
        work.hands.progress(f"slice {number} done")
    raise ChangeFailed("too_many_slices", "unknown", retry=False)


@contextmanager
def rows_may_move(work: Work) -> Iterator[None]:
    """Row movement on for the length of a block. It is written down first, so that a later attempt sets it back."""
    found = work.hands.rows(PIPELINE, "table_now", work.place.table)
    if not found:
        raise ChangeFailed("ORA-00942", "object_not_eligible", retry=False)
    work.before["row_movement"] = found[0]["row_movement"]
    if found[0]["row_movement"] == "ENABLED":
        yield
        return
    work.hands.remember(row_movement="DISABLED")
    try:
        work.change(statements.row_movement(work.place.target, enabled=True), tries=LOCK_TRIES)
        yield
    except BaseException:
        with suppress(ChangeFailed):  # the first error is told; what could not be set back now is repaired by the next attempt
            set_row_movement_back(work)
        raise
    set_row_movement_back(work)


def set_row_movement_back(work: Work) -> None:
    work.put_back(statements.row_movement(work.place.target, enabled=False))
    work.hands.remember(row_movement="")

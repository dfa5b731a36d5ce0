"""The quiet moment before the last step of a SHRINK: it takes an exclusive lock, and everybody who writes queues behind it.

What was packed stays packed, so the step can wait: while a transaction on the table is older than a lock may be waited for,
the lock would only be asked for in vain, with all others standing behind us. A younger one mostly ends within that time.
Source: SQL Language Reference 19c, shrink_clause (COMPACT); Database Reference 19c, V$LOCKED_OBJECT, V$TRANSACTION.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from drydock.outcomes import Outcome
from drydock.reclaim.oracle.doing import Work, redo_written, skipped

EACH_WAIT_S = 10.0
NO_QUIET = "no_quiet_moment"


def wait_for_quiet(work: Work, oldest_s: Callable[[], int]) -> Outcome | None:
    """Wait until no transaction on the table is older than a lock is waited for; else why the last step is left for later.

    `oldest_s`: age of the oldest transaction on the table, in seconds. The gate is asked all the while, so the wait ends
    with the window. The wait is no part of what the work took. Raises GateClosed, ChangeFailed.
    """
    policy, waited_s, began = work.hands.policy, 0.0, time.monotonic()
    while (age_s := oldest_s()) > policy.lock_wait_s:
        if waited_s >= policy.quiet_wait_minutes * 60:
            told = skipped(work.hands, NO_QUIET, work.started_at, age_s=age_s, waited_s=round(waited_s))
            cost = {"log_bytes": redo_written(work.dones), "elapsed_s": time.monotonic() - work.began}
            return told.model_copy(update=cost)
        work.hands.ask_gate()
        work.pause(EACH_WAIT_S)
        waited_s += EACH_WAIT_S
    work.began += time.monotonic() - began
    return None

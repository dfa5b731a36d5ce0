"""Keeps online builds and moves away from Oracle's own hourly job that cleans up after such builds.

The job SYS.CLEANUP_ONLINE_IND_BUILD takes away what a dead build left. Where it begins while one is at work, it has taken
extents of the living one too: the build ends well, and later statements fail with ORA-08102, for entries are missing (seen by
DBAs from 12.1 to 19.6). So nothing online begins that would not end before the job, and what is late is stopped before it.
Source: Database Reference 19c, DBA_SCHEDULER_JOBS.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from drydock.changing.hands import ChangeFailed, Eyes
from drydock.outcomes import Outcome
from drydock.reclaim.oracle.doing import Work, skipped

RESERVE_S = 60.0  # from the end of the work to the job
OVERDUE_S = 3600.0  # a job that is overdue for longer is not run at all: no job processes
LONGEST_WAIT_S = 600.0
EACH_WAIT_S = 15.0
IN_THE_WAY = "cleanup_job_in_the_way"
STOPPED_FOR_IT = "stopped_for_cleanup_job"
CANCELLED = ("ORA-01013", "DPY-4024")
NEARLY = 0.9


@dataclass(frozen=True)
class Gap:
    """Seconds until a clean-up job comes, 0 while one is at work or due; None: none comes."""

    seconds: float | None

    def is_enough(self, expected_s: float) -> bool:
        return self.seconds is None or self.seconds >= expected_s + RESERVE_S

    @property
    def deadline_s(self) -> float | None:
        """When what begins now must have ended."""
        return None if self.seconds is None else self.seconds - RESERVE_S


def read_gap(eyes: Eyes, pipeline: str) -> Gap:
    """How long until the next clean-up job. Raises ChangeFailed: where it cannot be asked, nothing online begins."""
    found = []
    for row in eyes.rows(pipeline, "cleanup_jobs"):
        if row["state"] == "RUNNING":
            found.append(0.0)
        elif row["next_s"] is not None and float(row["next_s"]) > -OVERDUE_S:
            found.append(max(0.0, float(row["next_s"])))
    return Gap(min(found, default=None))


def wait_for_gap(work: Work, pipeline: str) -> Gap | Outcome:
    """A gap in which the item fits, waited for where the job comes soon; else why the item is not done.

    The wait is no part of what the work took: rates are learned from that.
    """
    expected_s, waited_s = work.item.estimate.expected_s, 0.0
    while not (gap := read_gap(work.hands, pipeline)).is_enough(expected_s):
        if (gap.seconds or 0.0) > LONGEST_WAIT_S or waited_s >= LONGEST_WAIT_S:
            return skipped(work.hands, IN_THE_WAY, work.started_at, next_job_s=gap.seconds, expected_s=expected_s)
        work.pause(EACH_WAIT_S)
        waited_s += EACH_WAIT_S
    work.began = time.monotonic()
    return gap


@contextmanager
def told_for_job(gap: Gap) -> Iterator[None]:
    """A statement inside that was cancelled as the gap ended is told by that, not by ORA-01013, which a person, the end of the
    window or a time limit give too. Raises ChangeFailed, of a class of its own."""
    began = time.monotonic()
    try:
        yield
    except ChangeFailed as e:
        lasted_s = e.done.elapsed_s if e.done else time.monotonic() - began
        if e.code not in CANCELLED or gap.deadline_s is None or lasted_s < NEARLY * gap.deadline_s:
            raise
        told = ChangeFailed(e.code, STOPPED_FOR_IT, retry=False, cause=e)
        told.done = e.done
        raise told from e

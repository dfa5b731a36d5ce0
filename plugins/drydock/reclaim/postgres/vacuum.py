"""The ways that are one statement of PostgreSQL itself: VACUUM, VACUUM (FULL), REPACK (CONCURRENTLY).

REPACK is new in PostgreSQL 19 (manual, REPACK; it does by the log of changes what `online_copy` does by a trigger). It could
not be run where Drydock was made, for want of such a server: its statement is rendered, and was compared with the synopsis
of the manual only. It asks for an index as replica identity and for a free slot (max_repack_replication_slots), keeps the
table's number, hence views and all else; it is not MVCC-safe, so a transaction with an older snapshot may find no rows.
"""

from __future__ import annotations

from drydock.outcomes import Outcome
from drydock.reclaim.postgres import deeds
from drydock.reclaim.postgres.course import Course, sizes
from drydock.reclaim.postgres.decide import FULL, VACUUM
from drydock.reclaim.postgres.facts import table_now
from drydock.verdicts import Status


def run_one(course: Course) -> Outcome:
    """Do the item, or tell why not. Raises GateClosed, ChangeFailed; each statement does all or nothing."""
    action, table = course.hands.item.candidate.action, course.object
    now = table_now(course.hands, table)
    if now is None:
        return course.ended(Status.SKIPPED, "object_gone")
    past = course.hands.remembered()
    if now.identity != table.identity:
        return _of_earlier_attempt(course, past) if past.get("before_identity") == table.identity else _rewritten(course)
    course.before = sizes(now)
    course.hands.remember(**{f"before_{k}": v for k, v in course.before.items()})
    done = course.note(course.hands.change(deeds.on_table(action, table.owner, table.name)))
    if action == FULL:
        course.wait_at_most(done.elapsed_s)
    return course.done()


def _rewritten(course: Course) -> Outcome:
    return course.ended(Status.SKIPPED, "object_rewritten")


def _of_earlier_attempt(course: Course, past: dict) -> Outcome:
    """The statement ended and we were killed before it was written down. VACUUM alone never makes another file."""
    if course.hands.item.candidate.action == VACUUM:
        return _rewritten(course)
    course.before = {k.removeprefix("before_"): v for k, v in past.items() if k.startswith("before_")}
    return course.done()

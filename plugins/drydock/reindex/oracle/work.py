"""Does one item: a rebuild, a coalesce or a shrink of one index or one piece of it.

REBUILD writes a new segment beside the old one, all or nothing; ONLINE (EE) keeps a journal of the changes meanwhile and waits
for transactions that are open at its ends. COALESCE and SHRINK keep what they have done when they are stopped. No clause asks
for NOLOGGING ever, and degree and logging are as they were found at the end.
Source: SQL Language Reference 19c, ALTER INDEX; VLDB and Partitioning Guide 19c, "Rebuilding Index Partitions" (ORA-14086).
"""

from __future__ import annotations

from contextlib import suppress

from drydock.changing.hands import ChangeFailed
from drydock.engines import oracle_statements as statements
from drydock.outcomes import Outcome
from drydock.reclaim.oracle.cleanup_jobs import Gap, told_for_job, wait_for_gap
from drydock.reclaim.oracle.doing import LOCK_TRIES, Work, object_id, skipped
from drydock.reclaim.oracle.shrink import in_slices
from drydock.reclaim.oracle.sort_room import why_no_sort
from drydock.reindex.oracle.doing import OLD_TRANSACTION_S, finished, old_transaction_s, settings_back
from drydock.reindex.oracle.facts import PIPELINE, UNUSABLE
from drydock.reindex.oracle.repair import clean, is_leftover, journal_age_s

DUPLICATES, BEING_BUILT = "ORA-01452", "ORA-08104"


def rebuild(work: Work) -> Outcome:
    """Write the piece anew, once: where an earlier attempt came to its end, only what follows it is done."""
    target = work.place.target
    if work.place.identity == work.before["identity"]:
        refused = why_not_now(work)
        if refused:
            return refused
        online = work.item.candidate.action == "rebuild_online"
        gap = wait_for_gap(work, PIPELINE) if online else Gap(None)
        if isinstance(gap, Outcome):
            return gap
        work.hands.remember(rebuilding=work.place.identity)
        reason = _built(work, gap)
        if reason == "being_built":
            return skipped(work.hands, reason, work.started_at)
        if reason:
            settings_back(work.hands, target, work.pause)
            return finished(work, reason)
    settings_back(work.hands, target, work.pause)
    return finished(work)


def _built(work: Work, gap: Gap) -> str:
    """Send the rebuild; '' when it worked, else the reason of an outcome. Raises GateClosed, ChangeFailed."""
    online = work.item.candidate.action == "rebuild_online"
    statement = statements.rebuild(work.place.target, online=online, degree=degree_asked(work))
    try:
        with told_for_job(gap):
            work.change(statement, deadline_s=gap.deadline_s, tries=1 if online else LOCK_TRIES)
    except ChangeFailed as e:
        if e.code == DUPLICATES:
            return "unique_violation"
        if e.code == BEING_BUILT:
            return "being_built"
        with suppress(ChangeFailed):  # the first error is told; what could not be put right now is repaired by the next attempt
            settings_back(work.hands, work.place.target, work.pause)
        raise
    return ""


def degree_asked(work: Work) -> int | None:
    """The degree that the plan chose; None: as the index has it."""
    asked = work.item.candidate.evidence.get("degree")
    return asked if isinstance(asked, int) and asked > 1 else None


def why_not_now(work: Work) -> Outcome | None:
    """A journal that cannot be cleaned, no room to sort, or an old transaction that an online rebuild would wait for."""
    number = int(object_id(work.place.identity))
    age_s = journal_age_s(work.hands, number)
    if age_s is not None and not (is_leftover(work.hands, age_s) and clean(work.hands, number, work.pause)):
        return skipped(work.hands, "being_built", work.started_at)
    if refused := why_no_sort(work, PIPELINE, work.item.candidate.needed_bytes):
        return refused
    age_s = old_transaction_s(work.hands, work.place.target)
    if age_s > OLD_TRANSACTION_S:
        return skipped(work.hands, "old_transaction_on_table", work.started_at, age_s=age_s)
    return None


def coalesce(work: Work) -> Outcome:
    """Merge neighbouring leaves, a slice at a time; the emptied blocks stay with the index."""
    if work.before["status"] == UNUSABLE:
        return skipped(work.hands, "became_unusable", work.started_at)
    in_slices(work, statements.coalesce(work.place.target))
    return finished(work)


def shrink_index(work: Work) -> Outcome:
    """Pack the leaves in slices, then let the high-water mark fall in a short step."""
    if work.before["status"] == UNUSABLE:
        return skipped(work.hands, "became_unusable", work.started_at)
    in_slices(work, statements.shrink_index(work.place.target, compact=True))
    work.change(statements.shrink_index(work.place.target), tries=LOCK_TRIES)
    return finished(work)

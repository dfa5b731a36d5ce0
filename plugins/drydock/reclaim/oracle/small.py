"""The deeds of a moment: give unused extents back, and empty what is empty."""

from __future__ import annotations

from drydock.engines import oracle_statements as statements
from drydock.outcomes import Outcome
from drydock.reclaim.oracle.doing import LOCK_TRIES, Work, finished, skipped
from drydock.reclaim.oracle.reading import PIPELINE


def deallocate(work: Work) -> Outcome:
    """DEALLOCATE UNUSED: what lies above the high-water mark. Raises GateClosed, ChangeFailed."""
    work.change(statements.deallocate_unused(work.place.target), tries=LOCK_TRIES)
    return finished(work)


def truncate(work: Work) -> Outcome:
    """TRUNCATE of a partition that holds no row at this moment and that no transaction touches.

    No flashback brings rows back, so it is asked again right before. A row that is committed between probe and TRUNCATE
    would be lost: therefore a person must choose the item, and no transaction may be open on the table.
    """
    if work.place.identity == work.before["identity"]:
        if int(work.hands.ask(statements.has_row(work.place.target))["found"]):
            return skipped(work.hands, "partition_not_empty", work.started_at)
        if work.hands.rows(PIPELINE, "transactions", work.place.table):
            return skipped(work.hands, "table_in_use", work.started_at)
        work.hands.remember(rewriting=work.place.identity)
        work.change(statements.truncate_partition(work.place.target))
    return finished(work)

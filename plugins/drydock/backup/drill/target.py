"""To which moment a drill recovers: by turns to a point in time, and to the end of the logs.

The end of the logs is what a lost server needs; a point in time is what a wrong DELETE needs, and its recovery can fail
where the other works (PostgreSQL manual, "Continuous Archiving and Point-in-Time Recovery": recovery_target_time).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from drydock.backup.chains import Chain
from drydock.backup.facts import Survey
from drydock.backup.results import Drill
from drydock.backup.window import spans

SHORTEST_SPAN = timedelta(minutes=1)  # between less than this no moment is surely after the backup and before the last log


def choose_target_time(survey: Survey, chain: Chain, drills: Iterable[Drill]) -> datetime | None:
    """The moment for the next drill of `chain`; None: the end of the logs, also where no logs span a point in time.

    `drills`: past drills of this database in any order. A kind of drill that failed is made again until it passes, so
    that the other kind does not cover it up. The same survey and drills give the same moment: the middle between the
    end of the chain and its last log.
    """
    last = max(drills, key=lambda d: d.ended_at, default=None)
    if last is None:
        return None
    was_to_the_end = last.target_time is None
    return _middle(survey, chain) if was_to_the_end == last.passed else None


def _middle(survey: Survey, chain: Chain) -> datetime | None:
    span = next((s for s in spans(survey) if chain and s.base.set_id == chain[-1].set_id), None)
    if span is None or span.reach is None or span.base.finished_at is None:
        return None
    start, end = span.base.finished_at, min(span.reach.last_range.last_at, survey.as_of)
    return start + (end - start) / 2 if end - start >= SHORTEST_SPAN else None

"""Expiry of the store by the policy: whole days after `retention_months`, statements as they stood after `exemplars_kept_days`.

What goes is written down in the chain before its files go; counts of findings and reviews stay in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby

from drydock.audit.results import Link, Part
from drydock.audit.run import AuditRun
from drydock.audit.spans import midnight
from drydock.ledger import audit_history
from drydock.ledger.audit_history import StoredSlice
from drydock.ledger.audit_record import MOST_ENDED

EXEMPLARS_PAST = "statements as they stood are past their days"


def expire(run: AuditRun) -> tuple[Link, ...]:
    """Let go of what is past its time, by the run's moment; returns the entries of the chain. Run again it does nothing."""
    today = run.now.astimezone(run.database.zone).date()
    first_kept = months_before(today, run.policy.retention_months)
    with_statements = today - timedelta(days=run.policy.exemplars_kept_days)
    return (*_expire_days(run, first_kept), *_expire_exemplars(run, first_kept, with_statements))


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier; the last day of that month where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def _expire_days(run: AuditRun, first_kept: date) -> Iterator[Link]:
    """One entry of the chain per day, or several where it has many slices."""
    for day, slices in groupby(_older(run, first_kept), key=lambda s: s.slice.day):
        for part in _parts(list(slices)):
            records = sum(s.slice.records for s in part if s.slice.source != audit_history.DIGEST)
            yield run.store.end(run.run_id, "expired", part, {"day": day.isoformat(), "records": records, "slices": len(part)})


def _parts(slices: Sequence[StoredSlice]) -> Iterator[Sequence[StoredSlice]]:
    for start in range(0, len(slices), MOST_ENDED):
        yield slices[start : start + MOST_ENDED]


def _expire_exemplars(run: AuditRun, first_kept: date, with_statements: date) -> Iterator[Link]:
    """The same slices without the statements as they stood."""
    for stored in _older(run, with_statements):
        kept = tuple(file for file in stored.slice.files if file.part is not Part.EXEMPLARS)
        if stored.slice.day >= first_kept and len(kept) < len(stored.slice.files):
            without = stored.slice.model_copy(update={"files": kept})
            yield run.store.seal(run.run_id, without, (stored,), why=EXEMPLARS_PAST)


def _older(run: AuditRun, first_kept: date) -> list[StoredSlice]:
    """Visible slices of days before that one, by day."""
    end = midnight(first_kept, run.database.zone)
    found = audit_history.slices_stored(run.ledger, run.database.id, None, end)
    return sorted((s for s in found if s.slice.day < first_kept), key=lambda s: (s.slice.day, s.number))

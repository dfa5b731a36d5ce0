"""Until when the unified trail of a database is archived beyond doubt: whole days, no hole, hashes and counts that agree."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from drydock.audit.chain import check_chain
from drydock.audit.collecting import IN_ANOTHER
from drydock.audit.oracle.source import UNIFIED
from drydock.audit.policy import SourceKind
from drydock.audit.results import Slice
from drydock.audit.spans import span_of_day
from drydock.audit.trail_parts import ask
from drydock.ledger import audit_history
from drydock.verdicts import Figure, Model, Status

if TYPE_CHECKING:
    from drydock.audit.run import AuditRun

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
[VIEW] = UNIFIED


class Archived(Model):
    """What may be cleaned: everything before `until`. None: nothing, `reason` says why (a message code)."""

    until: datetime | None = None
    reason: str = ""
    days: int = 0
    records: int = 0
    chain: str = ""
    figures: dict[str, Figure] = {}


def archived_until(run: AuditRun) -> Archived:
    """What the policy lets be cleaned and the store, the chain and the database agree on. Raises NotAsked."""
    sources = [s.id for s in run.policy.sources if s.kind is SourceKind.ORACLE_UNIFIED]
    if not run.policy.purge_source or not sources:
        return Archived(reason="trail_purge_off")
    oldest = ask(run, "oldest_record")[0]["oldest_at"]
    if oldest is None:
        return Archived(reason="trail_purge_nothing")
    covered = _covered(run, sources[0], oldest.replace(tzinfo=UTC))
    if not covered:
        return Archived(reason="trail_purge_uncollected", figures={"oldest": f"{oldest:%Y-%m-%d %H:%M}"})
    kept_from = run.now - timedelta(days=run.policy.purge.keep_days)
    due = [s for s in covered if s.end <= kept_from]
    if not due:
        return Archived(reason="trail_purge_nothing", figures={"keep_days": run.policy.purge.keep_days})
    return _agreed(run, due)


def _covered(run: AuditRun, source: str, oldest: datetime) -> list[Slice]:
    """Whole local days in a row, from the one that holds the trail's oldest record."""
    slices = audit_history.slices_between(run.ledger, run.database.id, oldest, run.now, source)
    whole = [s for s in slices if s.piece == VIEW.piece and (s.begin, s.end) == span_of_day(s.day, run.database.zone)]
    days = {s.begin: s for s in whole}
    found: list[Slice] = []
    at = next((s.begin for s in whole if s.begin <= oldest < s.end), None)
    while at is not None and at in days:
        found.append(days[at])
        at = days[at].end
    return found


def _agreed(run: AuditRun, due: list[Slice]) -> Archived:
    """The days, where every file has its hash and the database still counts what was stored."""
    verdict = check_chain(run.store)
    if verdict.status is not Status.PASS:
        return Archived(
            reason="trail_purge_store_unsure", figures={"store": verdict.status.value, "findings": len(verdict.findings)}
        )
    for s in due:
        counted, stored = count(run, s.begin, s.end), s.records + s.doubts.get(IN_ANOTHER, 0)
        if counted != stored:
            return Archived(reason="trail_purge_counts", figures={"day": str(s.day), "counted": counted, "stored": stored})
    newest = str(verdict.evidence.get("newest_hash", ""))
    return Archived(until=due[-1].end.astimezone(UTC), days=len(due), records=_records(due), chain=newest)


def _records(slices: Iterable[Slice]) -> int:
    return sum(s.records for s in slices)


def count(run: AuditRun, begin: datetime, end: datetime) -> int:
    """Records of the unified trail in [begin, end), as the reading account sees them. Raises NotAsked."""
    return int(ask(run, VIEW.count, VIEW.binds(begin, end))[0]["records"])


__all__ = ["LONG_AGO", "Archived", "archived_until", "count"]

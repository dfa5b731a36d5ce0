"""Until when a trail of a database is archived beyond doubt: whole days, no hole, hashes and counts that agree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from drydock.audit.collection.collecting import IN_ANOTHER
from drydock.audit.health.trail_parts import ask
from drydock.audit.oracle.source import TRADITIONAL, UNIFIED, View
from drydock.audit.policy import SourceKind
from drydock.audit.results import Slice
from drydock.audit.spans import span_of_day
from drydock.audit.storage.chain import check_chain
from drydock.ledger import audit_history
from drydock.plans import ObjectKind, ObjectRef
from drydock.verdicts import Figure, Model, Status

if TYPE_CHECKING:
    from drydock.audit.run import AuditRun

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
IN_FILES = ("OS", "XML")
"""Values of the parameter AUDIT_TRAIL with which records go to files of each host, beyond what a count can prove."""


@dataclass(frozen=True)
class CleanedTrail:
    """A trail that the vendor's package can clean, and how it is asked. `ready`: INIT_CLEANUP must have been run for it."""

    name: str  # in DBA_AUDIT_MGMT_LAST_ARCH_TS
    table: ObjectRef
    source: SourceKind
    view: View
    oldest: str
    mark: str
    clean: str
    ready: bool = False


def _table(owner: str, name: str) -> ObjectRef:
    return ObjectRef(kind=ObjectKind.TABLE, owner=owner, name=name)


UNIFIED_TRAIL = CleanedTrail(
    "UNIFIED AUDIT TRAIL", _table("AUDSYS", "AUD$UNIFIED"), SourceKind.ORACLE_UNIFIED, UNIFIED[0],
    "oldest_record", "mark_archived", "clean_archived",
)  # fmt: skip
STANDARD_TRAIL = CleanedTrail(
    "STANDARD AUDIT TRAIL", _table("SYS", "AUD$"), SourceKind.ORACLE_TRADITIONAL, TRADITIONAL[0],
    "standard_oldest", "mark_standard", "clean_standard", ready=True,
)  # fmt: skip
FGA_TRAIL = CleanedTrail(
    "FGA AUDIT TRAIL", _table("SYS", "FGA_LOG$"), SourceKind.ORACLE_TRADITIONAL, TRADITIONAL[1],
    "fga_oldest", "mark_fga", "clean_fga", ready=True,
)  # fmt: skip
TRAILS = (UNIFIED_TRAIL, STANDARD_TRAIL, FGA_TRAIL)
FILES = _table("SYS", "AUDIT_FILE_DEST")
"""Stands for the files of the operating system, which Drydock never cleans."""


class Archived(Model):
    """What may be cleaned: everything before `until`. None: nothing, `reason` says why (a message code)."""

    until: datetime | None = None
    reason: str = ""
    days: int = 0
    records: int = 0
    chain: str = ""
    figures: dict[str, Figure] = {}


def trails_of(run: AuditRun) -> tuple[CleanedTrail, ...]:
    """The trails that the policy's sources read; the unified one where it reads none, to say that."""
    kinds = {s.kind for s in run.policy.sources}
    return tuple(t for t in TRAILS if t.source in kinds) or (UNIFIED_TRAIL,)


def goes_to_files(run: AuditRun) -> str:
    """The value of AUDIT_TRAIL where records of traditional auditing go to files; "" where they do not. Raises NotAsked."""
    told = {row["name"]: (row["value"] or "").upper() for row in ask(run, "parameters")}.get("audit_trail", "")
    return told if told.split(",")[0].strip() in IN_FILES else ""


def archived_until(run: AuditRun, trail: CleanedTrail = UNIFIED_TRAIL) -> Archived:
    """What the policy lets be cleaned and the store, the chain and the database agree on. Raises NotAsked."""
    sources = [s.id for s in run.policy.sources if s.kind is trail.source]
    if not run.policy.purge_source or not sources:
        return Archived(reason="trail_purge_off")
    oldest = ask(run, trail.oldest)[0]["oldest_at"]
    if oldest is None:
        return Archived(reason="trail_purge_nothing")
    if trail.ready and trail.name not in {row["audit_trail"] for row in ask(run, "cleanup_ready")}:
        return Archived(reason="trail_purge_not_ready", figures={"trail": trail.name})
    covered = _covered(run, trail, sources[0], oldest.replace(tzinfo=UTC))
    if not covered:
        return Archived(reason="trail_purge_uncollected", figures={"oldest": f"{oldest:%Y-%m-%d %H:%M}"})
    kept_from = run.now - timedelta(days=run.policy.purge.keep_days)
    due = [s for s in covered if s.end <= kept_from]
    if not due:
        return Archived(reason="trail_purge_nothing", figures={"keep_days": run.policy.purge.keep_days})
    return _agreed(run, trail, due)


def _covered(run: AuditRun, trail: CleanedTrail, source: str, oldest: datetime) -> list[Slice]:
    """Whole local days in a row, from the one that holds the trail's oldest record."""
    slices = audit_history.slices_between(run.ledger, run.database.id, oldest, run.now, source)
    whole = [s for s in slices if s.piece == trail.view.piece and (s.begin, s.end) == span_of_day(s.day, run.database.zone)]
    days = {s.begin: s for s in whole}
    found: list[Slice] = []
    at = next((s.begin for s in whole if s.begin <= oldest < s.end), None)
    while at is not None and at in days:
        found.append(days[at])
        at = days[at].end
    return found


def _agreed(run: AuditRun, trail: CleanedTrail, due: list[Slice]) -> Archived:
    """The days, where every file has its hash and the database still counts what was stored."""
    verdict = check_chain(run.store)
    if verdict.status is not Status.PASS:
        return Archived(
            reason="trail_purge_store_unsure", figures={"store": verdict.status.value, "findings": len(verdict.findings)}
        )
    for s in due:
        counted, stored = count(run, s.begin, s.end, trail), s.records + s.doubts.get(IN_ANOTHER, 0)
        if counted != stored:
            return Archived(reason="trail_purge_counts", figures={"day": str(s.day), "counted": counted, "stored": stored})
    newest = str(verdict.evidence.get("newest_hash", ""))
    return Archived(until=due[-1].end.astimezone(UTC), days=len(due), records=_records(due), chain=newest)


def _records(slices: Iterable[Slice]) -> int:
    return sum(s.records for s in slices)


def count(run: AuditRun, begin: datetime, end: datetime, trail: CleanedTrail = UNIFIED_TRAIL) -> int:
    """Records of a trail in [begin, end), as the reading account sees them. Raises NotAsked."""
    return int(ask(run, trail.view.count, trail.view.binds(begin, end))[0]["records"])


__all__ = ["FILES", "LONG_AGO", "TRAILS", "UNIFIED_TRAIL", "Archived", "CleanedTrail", "archived_until", "count", "goes_to_files"]

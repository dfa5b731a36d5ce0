"""The health of an audit trail: verdicts of their own, beside what the records tell.

What is so now (settings, clocks, guardians, room) is asked of the database; a day that is long past is not judged by it. The
rest is judged by what was collected of that day: silence, sources, what was not read, what is kept, and the store itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from drydock.audit.health import trail_records, trail_state
from drydock.audit.health.trail_parts import Look, NotAsked, Part, not_asked, stored, told
from drydock.audit.health.trail_room import folder_of, open_files
from drydock.audit.policy import SourceKind
from drydock.audit.results import Part as StorePart
from drydock.audit.results import Slice
from drydock.audit.storage.chain import check_chain
from drydock.estate import Engine
from drydock.ledger import audit_history
from drydock.verdicts import Finding, Status, Verdict, judge, skip

if TYPE_CHECKING:
    from drydock.audit.run import AuditRun

PAST_HOURS = 36  # a stretch that ended longer ago says nothing of how the database is set up now
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def judge_trail(run: AuditRun) -> tuple[Verdict, ...]:
    """Every verdict on the trail of one database for one stretch of time. A question that cannot be asked is UNKNOWN."""
    look = look_of(run)
    today = run.now.astimezone(run.database.zone).date()
    return (*_of_now(run, look), *_of_records(run, look), check_chain(run.store, today))


def look_of(run: AuditRun) -> Look:
    """How this run's engine is asked."""
    if run.database.engine is Engine.ORACLE:
        from drydock.audit.oracle.trail import OracleLook

        return OracleLook(run)
    from drydock.audit.postgres.trail import PostgresLook

    return PostgresLook(run)


def _of_now(run: AuditRun, look: Look) -> tuple[Verdict, ...]:
    questions: dict[str, Callable[[], Part]] = {
        "trail_on": look.on,
        "trail_drift": lambda: trail_state.drift(run.policy, look.settings()),
        "trail_growth": look.growth,
        "trail_guardians": lambda: _guardians(run, look),
    }
    if is_past(run):
        return tuple(skip(question, "trail_of_now_only") for question in (*questions, "trail_clock"))
    asked = (_verdict(question, told(answer)) for question, answer in questions.items())
    return (*asked, _verdict("trail_clock", *_clocks(run, look)))


def is_past(run: AuditRun) -> bool:
    """True where the stretch ended so long ago that the state of today says nothing of it."""
    return run.now - run.end > timedelta(hours=PAST_HOURS)


def _verdict(question: str, *parts: Part) -> Verdict:
    evidence = {name: value for part in parts for name, value in part.evidence.items()}
    return judge(question, sum(p.examined for p in parts), [f for p in parts for f in p.findings], **evidence)


def _clocks(run: AuditRun, look: Look) -> tuple[Part, Part]:
    def of_records() -> Part:
        return trail_records.record_clocks(run.policy, run.store.scan(StorePart.RECORDS, run.begin, run.end))

    return told(lambda: trail_state.clock(run.policy, look.clocks())), stored(of_records)


def _guardians(run: AuditRun, look: Look) -> Part:
    accounts = trail_state.guardians(run.policy, look.guardians(), look.account())
    return accounts._replace(findings=accounts.findings + tuple(_open_files(run)))


def _open_files(run: AuditRun) -> list[Finding]:
    """Folders and files of the log that others may write, where the worker sees them."""
    found = []
    for source in (s for s in run.policy.sources if s.kind is SourceKind.FILES):
        folder = folder_of(source, os.environ)
        if folder is None or not folder.is_dir():
            continue
        if names := open_files(folder, source.names):
            values = {"files": len(names), "first": names[0]}
            found.append(Finding(code="trail_files_open", status=Status.WARN, place=str(folder), values=values))
    return found


def _of_records(run: AuditRun, look: Look) -> tuple[Verdict, ...]:
    seen = _Seen(run)
    read, kept = trail_records.unread(seen.slices, run.begin, run.end), _retention(run, seen)
    if is_past(run):
        return _gaps(run, seen), _verdict("trail_spillover", read), _verdict("trail_retention", kept)
    return (
        _gaps(run, seen),
        _verdict("trail_spillover", read, told(look.spilled)),
        _verdict("trail_retention", kept, told(look.kept)),
    )


@dataclass(frozen=True)
class _Seen:
    """What the ledger and the store hold of the stretch and of the time before it."""

    run: AuditRun

    @cached_property
    def slices(self) -> tuple[Slice, ...]:
        return audit_history.slices_between(self.run.ledger, self.run.database.id, LONG_AGO, self.run.end)

    def presence(self, begin: datetime, end: datetime) -> pl.DataFrame:
        return trail_records.presence(self.run.store.scan(StorePart.RECORDS, begin, end), begin, end)


def _gaps(run: AuditRun, seen: _Seen) -> Verdict:
    def silence() -> Part:
        past = seen.presence(run.begin - timedelta(days=run.policy.baseline_days), run.begin)
        today, zone = seen.presence(run.begin, run.end), run.database.zone
        return trail_records.gaps(run.policy, run.configuration.calendar, zone, run.begin, run.end, today, past)

    return _verdict("trail_gaps", stored(silence))


def _retention(run: AuditRun, seen: _Seen) -> Part:
    links = audit_history.links_of(run.ledger, run.database.id)
    return trail_records.retention(run.policy, run.day, seen.slices, links)


__all__ = ["NotAsked", "is_past", "judge_trail", "look_of", "not_asked"]

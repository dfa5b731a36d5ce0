"""What changed from one day's judgements to the next: the first thing a report tells.

A finding that is no longer seen is closed only where its question was answered today. Where it was not (SKIPPED, or
UNKNOWN with nothing examined), the finding is told as not checked again: silence is not a repair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from drydock.backup.results import Judgement
from drydock.verdicts import Finding, Model, Status, Verdict

FirstSeen = Mapping[str, Mapping[tuple[str, str], date]]


class OpenFinding(Model):
    """A finding of one database, with the question it belongs to and the day it was first seen."""

    database: str
    question: str
    finding: Finding
    since: date
    is_new: bool = False


class VerdictChange(Model):
    database: str
    question: str
    before: Status
    after: Status


class Changes(Model):
    """The difference between two days. `compared` maps each database to the day it was compared with."""

    new: tuple[OpenFinding, ...] = ()
    closed: tuple[OpenFinding, ...] = ()
    unchecked: tuple[OpenFinding, ...] = ()
    verdicts: tuple[VerdictChange, ...] = ()
    not_judged: tuple[str, ...] = ()
    compared: dict[str, date] = {}

    @property
    def is_empty(self) -> bool:
        return not (self.new or self.closed or self.unchecked or self.verdicts or self.not_judged)


def list_open_findings(
    today: Mapping[str, Judgement], previous: Mapping[str, Judgement], first_seen: FirstSeen
) -> tuple[OpenFinding, ...]:
    """Every finding of today: worst first, and new before known within one weight.

    New is what is open since today. A finding that `first_seen` does not know is known where the judgement before held it.
    """
    found = [_open(j, v, f, previous.get(d), first_seen.get(d, {})) for d, j, v, f in _each_finding(today)]
    return tuple(sorted(found, key=lambda o: (-o.finding.effective.weight, not o.is_new)))


def compare_days(
    today: Mapping[str, Judgement], previous: Mapping[str, Judgement], first_seen: FirstSeen, databases: Sequence[str]
) -> Changes:
    """What is new, closed, not checked again, judged otherwise or not judged at all, of these `databases`."""
    both = [d for d in databases if d in today and d in previous]
    gone = [o for d in databases if d in previous for o in _gone(today.get(d), previous[d], first_seen.get(d, {}))]
    return Changes(
        new=tuple(o for o in list_open_findings(today, previous, first_seen) if o.is_new),
        closed=tuple(o for o in gone if _was_answered(today.get(o.database), o.question)),
        unchecked=tuple(o for o in gone if not _was_answered(today.get(o.database), o.question)),
        verdicts=tuple(c for d in both for c in _verdict_changes(today[d], previous[d])),
        not_judged=tuple(d for d in databases if d not in today),
        compared={d: previous[d].day for d in both},
    )


def _each_finding(judgements: Mapping[str, Judgement]) -> list[tuple[str, Judgement, Verdict, Finding]]:
    return [(d, j, v, f) for d, j in judgements.items() for v in j.verdicts for f in v.findings]


def _open(
    judgement: Judgement, verdict: Verdict, finding: Finding, before: Judgement | None, seen: Mapping[tuple[str, str], date]
) -> OpenFinding:
    """`seen` decides where it knows the finding; else the judgement before does."""
    was_there = before is not None and finding.key in {f.key for f in before.findings}
    since = min(seen.get(finding.key, before.day if was_there else judgement.day), judgement.day)
    return OpenFinding(
        database=judgement.database, question=verdict.question, finding=finding, since=since, is_new=since == judgement.day
    )


def _gone(today: Judgement | None, before: Judgement, seen: Mapping[tuple[str, str], date]) -> list[OpenFinding]:
    still = {f.key for f in today.findings} if today else set()
    return [
        OpenFinding(database=before.database, question=v.question, finding=f, since=min(seen.get(f.key, before.day), before.day))
        for v in before.verdicts
        for f in v.findings
        if f.key not in still
    ]


def _was_answered(judgement: Judgement | None, question: str) -> bool:
    if judgement is None:
        return False
    verdict = next(v for v in judgement.verdicts if v.question == question)
    return verdict.examined > 0 and verdict.status is not Status.SKIPPED


def _verdict_changes(today: Judgement, before: Judgement) -> list[VerdictChange]:
    pairs = zip(today.verdicts, before.verdicts, strict=True)
    return [
        VerdictChange(database=today.database, question=now.question, before=then.status, after=now.status)
        for now, then in pairs
        if now.status is not then.status
    ]

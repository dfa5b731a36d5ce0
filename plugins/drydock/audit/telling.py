"""Two verdicts of a day beside the health of the trail: was it collected, and does something wait for a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from drydock.audit.collection.collecting import FEWER
from drydock.audit.policy import AuditPolicy
from drydock.audit.results import Detection, Hit, Severity, Slice
from drydock.verdicts import Finding, Status, Verdict, judge

MOST_UNREAD = 20
STATUS_OF = {Severity.CRITICAL: Status.FAIL, Severity.HIGH: Status.FAIL}
"""An unexplained hit of these turns the run red; of any other it is told as WARN."""


def judge_collected(policy: AuditPolicy, database: str, slices: Sequence[Slice]) -> Verdict:
    """Whether the records of the day are in the store. A source that gave nothing, or no source at all, is UNKNOWN."""
    findings = (*_sources(policy, database, slices), *_unread(slices))
    records, aside = sum(s.records for s in slices), sum(s.set_aside for s in slices)
    return judge("collected", records, findings, records=records, set_aside=aside, slices=len(slices))


def _sources(policy: AuditPolicy, database: str, slices: Sequence[Slice]) -> Iterator[Finding]:
    if not policy.sources:
        yield Finding(code="audit_no_source", status=Status.UNKNOWN, place=database)
    for source in policy.sources:
        own = [s for s in slices if s.source == source.id]
        if not sum(s.records for s in own):
            yield Finding(code="audit_source_empty", status=Status.UNKNOWN, place=source.id, values={"slices": len(own)})
        if aside := sum(s.set_aside for s in own):
            size = sum(s.set_aside_bytes for s in own)
            yield Finding(code="audit_set_aside", status=Status.WARN, place=source.id, values={"pieces": aside, "bytes": size})
        if fewer := sum(s.doubts.get(FEWER, 0) for s in own):
            yield Finding(code="audit_source_cut", status=Status.WARN, place=source.id, values={"records": fewer})


def _unread(slices: Sequence[Slice]) -> Iterator[Finding]:
    told = list(dict.fromkeys(what for s in slices for what in s.unread))
    for what in told[:MOST_UNREAD]:
        yield Finding(code="audit_unread", status=Status.FAIL, place=what)
    if len(told) > MOST_UNREAD:
        yield Finding(code="audit_unread_more", status=Status.FAIL, values={"files": len(told) - MOST_UNREAD})


def judge_alarms(database: str, detections: Iterable[Detection]) -> Verdict:
    """What of the day is explained by nothing. A day on which no rule ran is UNKNOWN."""
    found = tuple(detections)
    findings = [_alarm(hit) for d in found for hit in d.alarms]
    beyond, not_run = sum(d.beyond_budget for d in found), {rule: why for d in found for rule, why in d.not_run.items()}
    if beyond:
        findings.append(Finding(code="audit_beyond_budget", status=Status.WARN, place=database, values={"hits": beyond}))
    if not found:
        findings.append(Finding(code="audit_not_detected", status=Status.UNKNOWN, place=database))
    asked = sum(len(d.rules) for d in found)
    told = {"rules": asked, "not_run": len(not_run), "records": sum(d.records for d in found), "beyond_budget": beyond}
    explained = sum(count for d in found for count in d.explained.values())
    return judge("alarms", asked, findings, **told, explained=explained, alarms=sum(len(d.alarms) for d in found))


def _alarm(hit: Hit) -> Finding:
    status, who = STATUS_OF.get(hit.severity, Status.WARN), hit.subject
    place = " · ".join(filter(None, (who.account, who.program, who.client, who.action, who.object)))
    values = {"rule": hit.rule, "severity": hit.severity.value, "records": hit.records, "first_at": str(hit.first_at)}
    return Finding(code="audit_alarm", status=status, place=place or hit.rule, values=values | {"pattern": hit.pattern})

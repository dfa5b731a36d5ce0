"""What a quarter finds, each with its figures; the report draws its advice from these and from nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import groupby

from drydock.audit.policy import AuditPolicy
from drydock.audit.quarterly.quarter_model import AuditQuarter, DayLine
from drydock.audit.results import Disposal, Severity
from drydock.verdicts import Finding, Status

SOON = timedelta(days=30)
GRAVE = (Severity.HIGH, Severity.CRITICAL)
MOST_NAMED = 8


def find_in_quarter(quarter: AuditQuarter, policy: AuditPolicy) -> tuple[Finding, ...]:
    """All findings, worst first."""
    found = [f for look in LOOKS for f in look(quarter, policy)]
    return tuple(sorted(found, key=lambda f: (-f.status.weight, f.code, f.place)))


def _named(days: Sequence[DayLine]) -> str:
    """The days, those in a row as one span; at most so many spans."""
    runs = groupby(enumerate(line.day for line in days), lambda told: told[1].toordinal() - told[0])
    spans = [[day for _, day in some] for _, some in runs]
    told = [str(own[0]) if len(own) == 1 else f"{own[0]} – {own[-1]}" for own in spans]
    return ", ".join(told[:MOST_NAMED]) + (f" (+{len(told) - MOST_NAMED})" if len(told) > MOST_NAMED else "")


def _collected(quarter: AuditQuarter, policy: AuditPolicy) -> Iterator[Finding]:
    told = {"first": str(quarter.first), "last": str(quarter.last), "total_days": len(quarter.days)}
    if not quarter.sources:
        yield Finding(code="audit_quarter_no_source", status=Status.UNKNOWN, place=quarter.database, values=told)
    if not quarter.records and not quarter.collected:
        yield Finding(code="audit_quarter_empty", status=Status.FAIL, place=quarter.database, values=told)
        return
    missing = [day for day in quarter.days if not day.slices]
    part = [day for day in quarter.days if day.slices and not day.is_covered]
    for code, status, days in (
        ("audit_quarter_days_missing", Status.UNKNOWN, missing),
        ("audit_quarter_days_in_part", Status.WARN, part),
        ("audit_quarter_not_digested", Status.UNKNOWN, [d for d in quarter.days if d.records > d.digested]),
        ("audit_quarter_not_detected", Status.UNKNOWN, [d for d in quarter.days if d.slices and not d.is_detected]),
    ):
        if days:
            yield Finding(code=code, status=status, values=told | {"days": len(days), "which": _named(days)})


def _left_aside(quarter: AuditQuarter, policy: AuditPolicy) -> Iterator[Finding]:
    if pieces := quarter.set_aside:
        told = {"pieces": pieces, "bytes": sum(d.set_aside_bytes for d in quarter.days), "records": quarter.collected}
        yield Finding(code="audit_quarter_set_aside", status=Status.WARN, values=told)
    if unread := [day for day in quarter.days if day.unread]:
        told = {"files": sum(d.unread for d in unread), "days": len(unread), "which": _named(unread)}
        yield Finding(code="audit_quarter_unread", status=Status.FAIL, values=told)


def _trail(quarter: AuditQuarter, policy: AuditPolicy) -> Iterator[Finding]:
    total = {"total_days": len(quarter.days)}
    if bad := [d for d in quarter.days if d.trail is Status.FAIL]:
        yield Finding(
            code="audit_quarter_trail_unwell", status=Status.FAIL, values=total | {"days": len(bad), "which": _named(bad)}
        )
    if silent := [d for d in quarter.days if d.trail in (None, Status.UNKNOWN)]:
        told = total | {"days": len(silent), "which": _named(silent)}
        yield Finding(code="audit_quarter_trail_not_judged", status=Status.UNKNOWN, values=told)


def _store(quarter: AuditQuarter, policy: AuditPolicy) -> Iterator[Finding]:
    """A store that is not as it was sealed: every figure of the report may be wrong."""
    store = quarter.store
    if store is not None and store.status is Status.FAIL:
        told = {"findings": len(store.findings), "which": ", ".join(f.place for f in store.findings[:MOST_NAMED])}
        yield Finding(code="audit_quarter_store_altered", status=Status.FAIL, place=quarter.database, values=told)
    elif store is None or store.status is Status.UNKNOWN:
        yield Finding(code="audit_quarter_store_not_proved", status=Status.UNKNOWN, place=quarter.database)


def _people(quarter: AuditQuarter, policy: AuditPolicy) -> Iterator[Finding]:
    incidents = [line for line in quarter.patterns if line.review and line.review.disposal is Disposal.INCIDENT]
    if incidents:
        told = {"patterns": len(incidents), "records": sum(line.item.records for line in incidents)}
        yield Finding(code="audit_quarter_incidents", status=Status.FAIL, values=told)
    if waiting := quarter.unreviewed:
        grave = sum(line.item.severity in GRAVE for line in waiting)
        told = {"patterns": len(waiting), "total": len(quarter.patterns), "grave": grave}
        yield Finding(code="audit_quarter_unreviewed", status=Status.FAIL if grave else Status.WARN, values=told)
    if statements := quarter.unreviewed_statements:
        told = {"statements": len(statements), "total": len(quarter.top)}
        yield Finding(code="audit_quarter_statements_unreviewed", status=Status.WARN, values=told)
    for line in quarter.with_word(Disposal.EXCEPTION):
        if line.review and line.review.until and line.review.until - quarter.today <= SOON:
            told = {"until": str(line.review.until), "reviewer": line.review.reviewer, "rule": line.item.rule or "statement"}
            yield Finding(code="audit_quarter_exception_ends", status=Status.WARN, place=line.item.pattern, values=told)


def _important(quarter: AuditQuarter, policy: AuditPolicy) -> Iterator[Finding]:
    if not quarter.important.objects:
        yield Finding(code="audit_quarter_nothing_important", status=Status.UNKNOWN, place=quarter.database)
    elif unexplained := quarter.important.unexplained:
        told = {"events": unexplained, "total": len(quarter.important.lines), "records": quarter.important.records}
        yield Finding(code="audit_quarter_important_unexplained", status=Status.FAIL, values=told)


def _off_hours(quarter: AuditQuarter, policy: AuditPolicy) -> Iterator[Finding]:
    heat = quarter.heat
    if heat.accounts.records:
        told = {"records": heat.accounts.records, "total": heat.records, "accounts": heat.accounts.values}
        yield Finding(code="audit_quarter_off_hours", status=Status.WARN, values=told)


def _rules(quarter: AuditQuarter, policy: AuditPolicy) -> Iterator[Finding]:
    for line in quarter.rules:
        if line.switched_off:
            told = {"why": line.switched_off}
            yield Finding(code="audit_quarter_rule_off", status=Status.WARN, place=line.rule, values=told)
    unasked = sorted(line.rule for line in quarter.rules if line.not_run and not line.switched_off)
    if unasked:
        which = ", ".join(unasked[:MOST_NAMED]) + (f" (+{len(unasked) - MOST_NAMED})" if len(unasked) > MOST_NAMED else "")
        told = {"rules": len(unasked), "total": len(quarter.rules), "which": which}
        yield Finding(code="audit_quarter_rules_not_run", status=Status.WARN, values=told)


LOOKS: tuple[Callable[[AuditQuarter, AuditPolicy], Iterator[Finding]], ...] = (
    _collected,
    _left_aside,
    _trail,
    _store,
    _people,
    _important,
    _off_hours,
    _rules,
)

"""The quarter of one database as 数据库审计报告 tells it, from the store's digests and the ledger."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from drydock.audit.detection.important import important_objects
from drydock.audit.policy import AuditPolicy
from drydock.audit.quarterly.quarter_counts import (
    counts_by,
    day_lines,
    digested_by_day,
    failed_by,
    heat_map,
    important_changes,
    week_lines,
    with_deeds,
)
from drydock.audit.quarterly.quarter_findings import find_in_quarter
from drydock.audit.quarterly.quarter_model import (
    AuditQuarter,
    Counts,
    DayLine,
    Important,
    ImportantLine,
    PatternLine,
    RuleLine,
    TraceLine,
    TracingExample,
    TrailLine,
)
from drydock.audit.quarterly.review import finding_items, in_order, statement_items, word_on
from drydock.audit.quarterly.tracing import Wanted, matching
from drydock.audit.results import Detection, Disposal, Hit, Part, Review, Severity
from drydock.audit.spans import days_between
from drydock.audit.storage.columns import OBJECT
from drydock.calendar import Calendar
from drydock.estate import Database, Engine
from drydock.verdicts import Status, Verdict

if TYPE_CHECKING:
    from drydock.audit.detection.rules import Rule
    from drydock.audit.storage.store import Store
    from drydock.ledger.connect import Ledger

OF_THE_DAY = ("collected", "alarms")
"""Verdicts that stand beside those on the trail itself (`drydock.audit.telling`); here they are told by their own figures."""
AROUND = timedelta(minutes=5)
"""Before and after the event that is followed through the records."""
MOST_TRACED = 15
MOST_IMPORTANT = 2_000
CHANGES_OF_IMPORTANT = ("important_change", "important_dropped")
"""Rules of changes of important data."""


def quarter_of(
    ledger: Ledger,
    store: Store,
    database: Database,
    policy: AuditPolicy,
    begin: datetime,
    end: datetime,
    today: date,
    calendar: Calendar,
    rules: Sequence[Rule] = (),
    chain: Verdict | None = None,
) -> AuditQuarter:
    """All that the report says of [begin, end), local midnights. `rules`: what was asked; `chain`: of `check_chain`."""
    from drydock.ledger import audit_history

    hits = audit_history.hits_between(ledger, database.id, begin, end)
    detections = audit_history.detections_between(ledger, database.id, begin, end)
    reviews = audit_history.reviews_of(ledger, database.id)
    activity = with_deeds(store.scan(Part.ACTIVITY, begin, end))
    uses, texts = (store.scan(part, begin, end) for part in (Part.STATEMENT_USE, Part.STATEMENTS))
    patterns = reviewed_lines(finding_items(database.id, hits, database.zone), reviews, today)
    trails = _trails(ledger, database, (begin, end))
    days = _days(ledger, database, policy, (begin, end), hits, detections, activity, trails)
    what = {"database": database.id, "engine": database.engine.value, "zone": database.time_zone, "today": today}
    what |= {"first": days[0].day, "last": days[-1].day}
    quarter = AuditQuarter(
        **what,
        sources=tuple(source.id for source in policy.sources),
        days=days,
        **_counts(activity),
        **_of_activity(activity, database, policy, calendar, [line.day for line in days], hits),
        top=reviewed_lines(statement_items(database.id, uses, texts, database.zone), reviews, today),
        patterns=patterns,
        rules=rule_lines(rules, policy, database.engine, detections, hits, patterns),
        example=_example(store, patterns),
        trail=trail_lines(trails),
        store=chain,
    )
    return quarter.model_copy(update={"findings": find_in_quarter(quarter, policy)})


def _trails(ledger: Ledger, database: Database, span: tuple[datetime, datetime]) -> dict[date, tuple[Verdict, ...]]:
    """The verdicts of each day on the trail itself."""
    from drydock.ledger import audit_history

    days = days_between(*span, database.zone)
    told = audit_history.trails_between(ledger, database.id, days[0], days[-1])
    return {day: tuple(v for v in verdicts if v.question not in OF_THE_DAY) for day, verdicts in told.items()}


def trail_lines(trails: Mapping[date, Sequence[Verdict]]) -> tuple[TrailLine, ...]:
    """Each question with how many days have which answer."""
    counted: dict[str, Counter[Status]] = {}
    for verdicts in trails.values():
        for verdict in verdicts:
            counted.setdefault(verdict.question, Counter())[verdict.status] += 1
    return tuple(TrailLine(question=question, days=dict(days)) for question, days in sorted(counted.items()))


def _days(
    ledger: Ledger,
    database: Database,
    policy: AuditPolicy,
    span: tuple[datetime, datetime],
    hits: Sequence[Hit],
    detections: Sequence[Detection],
    activity: pl.LazyFrame,
    trails: Mapping[date, Sequence[Verdict]],
) -> tuple[DayLine, ...]:
    """A line for every day, from the slices, detections and verdicts of the ledger and the records of the digest."""
    from drydock.ledger import audit_history

    slices = audit_history.slices_between(ledger, database.id, *span)
    statuses = {day: [v.status for v in verdicts] for day, verdicts in trails.items()}
    digested = digested_by_day(activity, database.time_zone)
    sources = tuple(source.id for source in policy.sources)
    return day_lines(database, sources, span, slices, detections, hits, statuses, digested)


def _of_activity(
    activity: pl.LazyFrame, database: Database, policy: AuditPolicy, calendar: Calendar, days: Sequence[date], hits: Sequence[Hit]
) -> dict[str, Any]:
    """Weeks, hours and changes of important data, by the digest."""
    return {
        "weeks": week_lines(activity, days, database.time_zone),
        "heat": heat_map(activity, policy, calendar, database.time_zone),
        "important": _important(activity, database.id, policy, hits),
    }


def _counts(activity: pl.LazyFrame) -> dict[str, Counts]:
    columns = {"deeds": "deed", "actions": "action", "accounts": "account", "programs": "program", "clients": "client"}
    told = {name: counts_by(activity, pl.col(column)) for name, column in columns.items()}
    failed = {"failures": "return_code", "failed_accounts": "account", "failed_clients": "client"}
    told |= {name: failed_by(activity, pl.col(column)) for name, column in failed.items()}
    return told | {"objects": counts_by(activity, OBJECT)}


def reviewed_lines(items: Iterable, reviews: Mapping[str, Review], today: date) -> tuple[PatternLine, ...]:
    """The items in the order of the queue, each with the word that closes it today."""
    ordered = in_order(items, reviews, today)
    return tuple(PatternLine(item=i, review=word_on(i, reviews, today)) for i in ordered)


def _important(activity: pl.LazyFrame, database: str, policy: AuditPolicy, hits: Sequence[Hit]) -> Important:
    objects = important_objects(database, policy)
    counted = important_changes(activity, objects)
    own = [hit for hit in hits if hit.rule in CHANGES_OF_IMPORTANT]
    own.sort(key=lambda h: (h.explained is not None, h.first_at))
    lines = tuple(
        ImportantLine(
            subject=hit.subject,
            first_at=hit.first_at,
            last_at=hit.last_at,
            records=hit.records,
            rows=hit.rows,
            explained=hit.explained,
            explanation=hit.explanation,
        )
        for hit in own[:MOST_IMPORTANT]
    )
    return Important(objects=len(objects), records=counted.records, by_object=counted, lines=lines)


def rule_lines(
    rules: Sequence[Rule],
    policy: AuditPolicy,
    engine: Engine,
    detections: Sequence[Detection],
    hits: Sequence[Hit],
    patterns: Sequence[PatternLine],
) -> tuple[RuleLine, ...]:
    """A line for every rule of this engine that is known, was asked or could not be; what waits for people comes first."""
    known = {rule.id: rule for rule in rules}
    asked = Counter(rule for d in detections for rule in d.rules)
    not_run: dict[str, Counter[str]] = {}
    for detection in reversed(detections):
        for name, why in detection.not_run.items():
            if name not in known or engine in known[name].engines:
                _count_reason(not_run.setdefault(name, Counter()), why)
    found: dict[str, list[Hit]] = {}
    for hit in hits:
        found.setdefault(hit.rule, []).append(hit)
    own_rules = (rule.id for rule in rules if engine in rule.engines)
    lines = []
    for name in {*own_rules, *asked, *not_run, *found, *policy.switched_off}:
        own = [p for p in patterns if p.item.rule == name]
        why = {"not_run": dict(not_run.get(name, {})), "switched_off": policy.switched_off.get(name, "")}
        lines.append(_rule_line(name, known.get(name), asked[name], found.get(name, []), own).model_copy(update=why))
    return tuple(sorted(lines, key=lambda line: (-line.unreviewed, -line.hits, -line.severity.weight, line.rule)))


def _rule_line(name: str, rule: Rule | None, days_asked: int, hits: Sequence[Hit], patterns: Sequence[PatternLine]) -> RuleLine:
    """The counts of one rule; one whose file is gone has its id for a name and the worst severity that it found."""
    worst = max((h.severity for h in hits), key=lambda s: s.weight, default=Severity.INFO)
    return RuleLine(
        rule=name,
        name_zh=rule.name_zh if rule else name,
        name_en=rule.name_en if rule else name,
        severity=rule.severity if rule else worst,
        days_asked=days_asked,
        hits=len(hits),
        explained=Counter(h.explained for h in hits if h.explained),
        patterns=len(patterns),
        unreviewed=sum(p.review is None for p in patterns),
        words=Counter(p.review.disposal for p in patterns if p.review),
    )


def _count_reason(days: Counter[str], why: str) -> None:
    """The same reason with other figures is the same reason: the newest is told."""
    shape = re.sub(r"\d+", "#", why)
    days[next((known for known in days if re.sub(r"\d+", "#", known) == shape), why)] += 1


def choose_example(patterns: Sequence[PatternLine]) -> PatternLine | None:
    """The worst incident, else the worst alarm that nobody closed, else the worst pattern at all."""

    def rank(line: PatternLine) -> tuple[bool, bool, int, int, str]:
        is_incident = line.review is not None and line.review.disposal is Disposal.INCIDENT
        return is_incident, line.review is None, line.item.severity.weight, line.item.records, line.item.pattern

    return max(patterns, key=rank, default=None)


def _example(store: Store, patterns: Sequence[PatternLine]) -> TracingExample | None:
    """The records around the chosen event that its subject wrote."""
    line = choose_example(patterns)
    if line is None:
        return None
    subject = line.item.subject
    begin, end = (line.item.first_at - AROUND).astimezone(UTC), (line.item.last_at + AROUND).astimezone(UTC)
    object_name = "" if subject.account or subject.client else subject.object
    wanted = Wanted(account=subject.account, host="" if subject.account else subject.client, object=object_name)
    within = pl.col("event_time").is_between(begin, end, closed="both")
    records = store.scan(Part.RECORDS, begin, end).filter(within & matching(wanted))
    count = records.select(pl.len()).collect(engine="streaming").item()
    first = _around_event(records, line)
    fingerprints = [f for f in first["fingerprint"].unique().to_list() if f]
    texts = store.scan(Part.STATEMENTS, begin, end).filter(pl.col("fingerprint").is_in(fingerprints))
    statements = texts.select("fingerprint", "normalised").unique("fingerprint", keep="any").collect(engine="streaming")
    return TracingExample(
        is_incident=line.review is not None and line.review.disposal is Disposal.INCIDENT,
        line=line,
        begin=begin,
        end=end,
        records=count,
        lines=tuple(_trace_line(row) for row in first.iter_rows(named=True)),
        statements=dict(sorted(statements.iter_rows())),
    )


def _around_event(records: pl.LazyFrame, line: PatternLine) -> pl.DataFrame:
    """A few records of the event itself, by time; where its object is known, those that touch it come before all others."""
    name = line.item.subject.object
    touches = matching(Wanted(object=name)) if name else pl.lit(False)
    first, last = (moment.astimezone(UTC) for moment in (line.item.first_at, line.item.last_at))
    during = pl.col("event_time").is_between(first, last, closed="both")
    ranked = records.with_columns(touches.alias("touches"), during.alias("during"))
    chosen = ranked.sort("touches", "during", "event_time", "line", descending=[True, True, False, False]).head(MOST_TRACED)
    return chosen.collect(engine="streaming").sort("event_time", "line")


def _trace_line(row: Mapping[str, object]) -> TraceLine:
    told = {name: row[name] or "" for name in ("account", "program", "client", "os_user", "action", "return_code", "fingerprint")}
    name = ".".join(str(part) for part in (row["object_schema"], row["object_name"]) if part)
    objects = row["objects"] or []
    return TraceLine(at=row["event_time"], object=name or ", ".join(objects[:3]), **told)

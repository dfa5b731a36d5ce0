"""The chapters of the audit report on what stood out: important data, off hours, bulk, new clients, failures, alarms, tracing."""

from __future__ import annotations

from collections.abc import Iterator

from drydock.audit.quarterly.quarter_counts import matches
from drydock.audit.quarterly.quarter_model import ImportantLine, PatternLine, RuleLine, TraceLine
from drydock.audit.results import Disposal, Explained, Severity
from drydock.messages import next_step
from drydock.reporting import audit_charts
from drydock.reporting.audit_facts import AuditRecordBook, statement_cell, what, who, words_of
from drydock.reporting.backup_findings import heading_of
from drydock.reporting.document import Block, Cell, Chart, Entry, Heading, Paragraph, Turn
from drydock.reporting.tables import COUNT, MOMENT, TEXT, Spec
from drydock.verdicts import Finding

RULES_OF = {
    "ar_bulk": ("bulk_important_read", "whole_table_read", "wide_reading", "export_tool"),
    "ar_clients": ("new_way", "unapproved_*", "shared_account", "dormant_account", "proxy_session", "identity_switched"),
    "ar_failures": (
        "failed_logon_burst",
        "password_spray",
        "logon_after_failures",
        "account_locked",
        "repeated_failure",
        "probing",
    ),
}
"""Chapter -> shell patterns of the rules that are told there; all of them stand among the alarms too."""
RULES_OF_HOURS = ("off_hours", "ddl_outside_window", "change_in_freeze")


def important_blocks(record: AuditRecordBook) -> Iterator[Block]:
    """Changes of important data, and what explains each."""
    important, word = record.quarter.important, record.word
    yield Heading(level=1, text=word("ar_important"))
    if not important.objects:
        yield Paragraph(text=word("ar_nothing_important"), style="strong")
        return
    yield Paragraph(text=word("ar_important_text", objects=important.objects, records=f"{important.records:,}"))
    events = len(important.lines)
    rows: list[tuple[Cell, ...]] = [(word("ar_unexplained"), record.part(important.unexplained, events))]
    rows += [
        (record.coded("explained", e.value), record.part(sum(line.explained is e for line in important.lines), events))
        for e in Explained
    ]
    yield from record.table("ar_matched", (("figure", TEXT, 2), ("value", TEXT, 2)), rows)
    yield from record.counts("ar_important_objects", important.by_object)
    spec: Spec = (("ar_first", MOMENT, 1.4), ("ar_who", TEXT, 2), ("ar_what", TEXT, 2), ("ar_records", COUNT, 0.9))
    spec += (("ar_rows", COUNT, 0.9), ("ar_match", TEXT, 2))
    yield from record.table("ar_important_events", spec, [important_row(record, line) for line in important.lines])


def important_row(record: AuditRecordBook, line: ImportantLine) -> tuple[Cell, ...]:
    s = line.subject
    names = (" · ".join(filter(None, some)) for some in ((s.account, s.program, s.client, s.os_user), (s.action, s.object)))
    return (record.local(line.first_at), *names, line.records, line.rows, record.explained(line.explained, line.explanation))


def hours_blocks(record: AuditRecordBook, working: tuple[int, int]) -> Iterator[Block]:
    """When: the hours of the week as a picture, and who came outside working hours."""
    heat, word = record.quarter.heat, record.word
    yield Heading(level=1, text=word("ar_hours"))
    if not heat.records:
        yield Paragraph(text=word("ar_no_records"), style="strong")
        return
    told = {"off": record.part(heat.off_hours, heat.records), "allowed": record.part(heat.off_hours_allowed, heat.off_hours)}
    hours = f"{working[0]:02d}:00–{working[1]:02d}:00"
    yield Paragraph(text=word("ar_hours_text", hours=hours, zone=record.quarter.zone, **told))
    rows = [f"{word(f'ar_weekday_{n}')} {sum(row):,}" for n, row in enumerate(heat.cells, start=1)]
    yield Chart(
        png=audit_charts.heat_chart(heat, working, record.language),
        alt=word("chart_alt", rows=record.joined(rows)),
        caption=word("ar_chart_heat"),
        source=word("ar_source_digest"),
    )
    yield from record.counts("ar_off_hours_accounts", heat.accounts)
    asked = [rule for rule in record.quarter.rules if rule.rule in RULES_OF_HOURS]
    yield Paragraph(text=word("ar_chapter_rules", rules=_asked_text(record, asked)))
    yield from pattern_table(record, "ar_off_hours_patterns", record.quarter.patterns_of(RULES_OF_HOURS))


def chapter_blocks(record: AuditRecordBook, chapter: str) -> Iterator[Block]:
    """A chapter of patterns that some rules found; rules that were not asked are named, so that "none" is not read as well."""
    word, rules = record.word, RULES_OF[chapter]
    yield Heading(level=1, text=word(chapter))
    known = [rule for rule in record.quarter.rules if matches(rule.rule, rules)]
    yield Paragraph(text=word("ar_chapter_rules", rules=_asked_text(record, known)))
    if chapter == "ar_failures":
        quarter = record.quarter
        yield Paragraph(text=word("ar_failures_text", failed=record.part(quarter.failed, quarter.records)))
        for key, counts in (("ar_by_code", quarter.failures), ("ar_failed_accounts", quarter.failed_accounts)):
            yield from record.counts(key, counts)
        yield from record.counts("ar_failed_clients", quarter.failed_clients)
    yield from pattern_table(record, chapter, record.quarter.patterns_of(r.rule for r in known))


def _asked_text(record: AuditRecordBook, rules: list[RuleLine]) -> str:
    """Each rule with the days on which it was asked."""
    days = len(record.quarter.days)
    return record.joined(
        [f"{record.rule_name(r.rule)} {record.part(r.days_asked, days)}" for r in sorted(rules, key=lambda r: r.rule)]
    )


def pattern_table(record: AuditRecordBook, caption: str, lines: tuple[PatternLine, ...]) -> Iterator[Block]:
    spec: Spec = (("ar_severity", TEXT, 0.7), ("ar_rule", TEXT, 1.6), ("ar_who", TEXT, 2), ("ar_what", TEXT, 1.8))
    spec += (("ar_records", COUNT, 0.8), ("ar_days", COUNT, 0.6), ("ar_word", TEXT, 1.2), ("ar_reviewer", TEXT, 1.4))
    yield from record.table(caption, spec, [pattern_row(record, line) for line in lines])


def pattern_row(record: AuditRecordBook, line: PatternLine) -> tuple[Cell, ...]:
    item = line.item
    said = (record.review(line.review), record.reviewer(line.review))
    told = (record.severity(item.severity), record.rule_name(item.rule), who(item), what(item, record.language))
    return (*told, item.records, item.occasions, *said)


def alarm_blocks(record: AuditRecordBook) -> Iterator[Block]:
    """Every rule with its hits and what people said; risk levels as a picture; rules that were not asked."""
    quarter, word = record.quarter, record.word
    yield Turn(landscape=True)
    yield Heading(level=1, text=word("ar_alarms_chapter"))
    days = sum(bool(d.is_detected) for d in quarter.days)
    text = {"hits": f"{quarter.hits:,}", "explained": record.part(quarter.explained, quarter.hits)}
    yield Paragraph(text=word("ar_alarms_text", days=record.part(days, len(quarter.days)), **text))
    beyond = sum(d.beyond_budget for d in quarter.days)
    yield Paragraph(text=word("ar_budget_text", alarms=f"{sum(d.alarms for d in quarter.days):,}", beyond=f"{beyond:,}"))
    levels = [(s, words_of(tuple(p for p in quarter.patterns if p.item.severity is s))) for s in reversed(Severity)]
    if quarter.patterns:
        told = [f"{record.severity(s)} {sum(words.values())}" for s, words in levels]
        yield Chart(
            png=audit_charts.risk_chart(levels, record.language),
            alt=word("chart_alt", rows=record.joined(told)),
            caption=word("ar_chart_risk"),
            source=word("ar_source_ledger"),
        )
    yield from record.table("ar_rules", RULE_SPEC, rule_rows(record), most=80)
    yield from pattern_table(record, "ar_patterns", quarter.patterns)
    yield Heading(level=2, text=word("ar_not_asked"))
    yield from record.table(
        "ar_not_asked", (("ar_rule", TEXT, 2), ("ar_days", TEXT, 1.2), ("work_why", TEXT, 5)), _not_asked(record)
    )
    yield Turn(landscape=False)


RULE_SPEC: Spec = (
    ("ar_rule", TEXT, 2.6),
    ("ar_severity", TEXT, 0.8),
    ("ar_asked", TEXT, 1.6),
    ("ar_hits", COUNT, 0.8),
    ("ar_explained", COUNT, 0.9),
    ("ar_pattern_count", COUNT, 0.8),
    ("ar_word_normal", COUNT, 0.9),
    ("ar_word_exception", COUNT, 0.9),
    ("ar_word_incident", COUNT, 0.9),
    ("ar_unreviewed_word", COUNT, 0.9),
)


def rule_rows(record: AuditRecordBook) -> list[tuple[Cell, ...]]:
    """A row per rule, of the columns RULE_SPEC."""
    days = len(record.quarter.days)
    rows: list[tuple[Cell, ...]] = []
    for r in record.quarter.rules:
        words = (r.words.get(d, 0) for d in (Disposal.NORMAL, Disposal.EXCEPTION, Disposal.INCIDENT))
        name = f"{record.rule_name(r.rule)} ({r.rule})"
        counts = (r.hits, sum(r.explained.values()), r.patterns, *words, r.unreviewed)
        rows.append((name, record.severity(r.severity), record.part(r.days_asked, days), *counts))
    return rows


def _not_asked(record: AuditRecordBook) -> list[tuple[Cell, ...]]:
    total, rows = len(record.quarter.days), []
    for r in record.quarter.rules:
        name = f"{record.rule_name(r.rule)} ({r.rule})"
        if r.switched_off:
            rows.append((name, record.part(total - r.days_asked, total), record.word("ar_off", why=r.switched_off)))
        rows += [(name, record.part(days, total), record.reason(why)) for why, days in r.not_run.items() if not r.switched_off]
    return rows


def example_blocks(record: AuditRecordBook) -> Iterator[Block]:
    """One event followed through the records, chosen by rule and not by hand."""
    example, word = record.quarter.example, record.word
    yield Heading(level=1, text=word("ar_example"))
    yield Paragraph(text=word("ar_example_rule"))
    if example is None:
        yield Paragraph(text=word("ar_no_example"))
        return
    line = example.line
    spec: Spec = (("figure", TEXT, 1), ("value", TEXT, 4))
    rows: list[tuple[Cell, ...]] = [
        (word("ar_chosen"), word("ar_chosen_incident" if example.is_incident else "ar_chosen_alarm")),
        (word("ar_rule"), f"{record.rule_name(line.item.rule)} ({record.severity(line.item.severity)})"),
        (word("ar_who"), who(line.item)),
        (word("ar_what"), what(line.item, record.language)),
        (word("evidence"), record.evidence(line.item)),
        (word("ar_word"), record.review(line.review)),
        (word("ar_reviewer"), record.reviewer(line.review)),
        (word("ar_span"), " – ".join(f"{t:%Y-%m-%d %H:%M:%S}" for m in (example.begin, example.end) if (t := record.local(m)))),
        (word("ar_traced"), record.part(len(example.lines), example.records)),
        (word("ar_command"), record.tracing_command),
    ]
    yield from record.table("ar_example", spec, rows)
    spec = (
        ("ar_time", TEXT, 1.5),
        ("ar_who", TEXT, 2.2),
        ("ar_what", TEXT, 2),
        ("ar_code", TEXT, 0.8),
        ("ar_statement", TEXT, 3),
    )
    yield from record.table("ar_timeline", spec, [_trace_row(record, t, example.statements) for t in example.lines])


def _trace_row(record: AuditRecordBook, line: TraceLine, statements: dict[str, str]) -> tuple[Cell, ...]:
    at = record.local(line.at)
    names = (
        " · ".join(filter(None, n)) for n in ((line.account, line.program, line.client, line.os_user), (line.action, line.object))
    )
    return (f"{at:%m-%d %H:%M:%S}" if at else "", *names, line.return_code, statement_cell(statements.get(line.fingerprint, "")))


def advice_blocks(record: AuditRecordBook) -> Iterator[Block]:
    """Every finding with what to do about it; there is no advice that no finding asks for."""
    yield Heading(level=1, text=record.word("ar_advice"))
    yield Paragraph(text=record.word("ar_advice_text"))
    found = [_entry(record, finding) for finding in record.quarter.findings]
    yield from found or [Paragraph(text=record.word("ar_no_findings"))]


def _entry(record: AuditRecordBook, finding: Finding) -> Entry:
    language = record.language
    lines = (
        (record.word("next_step"), next_step(finding.code, language) or record.word("none")),
        (record.word("runbook"), heading_of(finding.code, language) or record.word("none")),
    )
    return Entry(status=finding.effective, text=record.finding(finding), lines=lines)

"""The data annex of the audit report: every row behind its figures. Statements without literals, never values of data."""

from __future__ import annotations

from collections.abc import Iterator

from drydock.messages import next_step
from drydock.reporting.audit_chapters import day_row, statement_rows
from drydock.reporting.audit_events import RULE_SPEC, important_row, rule_rows
from drydock.reporting.audit_facts import AuditRecordBook
from drydock.reporting.document import Cell, Table
from drydock.reporting.tables import BYTES, COUNT, DAY, MOMENT, SHARE, STATUS, TEXT, Spec

DIMENSIONS = ("deeds", "actions", "accounts", "objects", "programs", "clients", "failures", "failed_accounts", "failed_clients")


def audit_sheets(record: AuditRecordBook) -> tuple[Table, ...]:
    """Days, counts, hours, statements, patterns, rules, important events, the traced event, findings."""
    return (
        _days(record),
        _counts(record),
        _hours(record),
        _statements(record),
        _patterns(record),
        record.sheet(
            "ar_sheet_rules", tuple((key, kind, 18 if kind is TEXT else 10) for key, kind, _ in RULE_SPEC), rule_rows(record)
        ),
        _important(record),
        _traced(record),
        _findings(record),
    )


def _days(record: AuditRecordBook) -> Table:
    spec: Spec = (("day", DAY, 12), ("ar_covered", TEXT, 24), ("ar_records", COUNT, 14), ("ar_digested", COUNT, 14))
    spec += (("ar_set_aside", COUNT, 12), ("ar_unread", COUNT, 12), ("ar_detected", TEXT, 10), ("ar_trail", STATUS, 12))
    spec += (("ar_aside_bytes", BYTES, 16), ("ar_hits", COUNT, 10), ("ar_alarms", COUNT, 10), ("ar_beyond", COUNT, 12))
    days = record.quarter.days
    rows = [(*day_row(record, d), d.set_aside_bytes, d.hits, d.alarms, d.beyond_budget) for d in days]
    return record.sheet("ar_sheet_days", spec, rows)


def _counts(record: AuditRecordBook) -> Table:
    spec: Spec = (("ar_dimension", TEXT, 20), ("ar_value", TEXT, 40), ("ar_records", COUNT, 14), ("ar_of", COUNT, 14))
    spec += (("ar_share", SHARE, 10), ("ar_failed", COUNT, 12), ("ar_rows", COUNT, 14))
    rows: list[tuple[Cell, ...]] = []
    for name in DIMENSIONS:
        counts = getattr(record.quarter, name)
        kind, total = record.word(f"ar_dimension_{name}"), counts.records
        for c in counts.lines:
            shown = record.value(c.name, "deed" if name == "deeds" else "")
            rows.append((kind, shown, c.records, total, c.records / total if total else None, c.failures, c.rows))
        if counts.rest:
            others = record.word("ar_others", n=counts.values - len(counts.lines))
            rows.append((kind, others, counts.rest, total, counts.rest / total, None, None))
    return record.sheet("ar_sheet_counts", spec, rows)


def _hours(record: AuditRecordBook) -> Table:
    spec: Spec = (("ar_weekday", TEXT, 10), ("ar_hour", COUNT, 10), ("ar_records", COUNT, 14))
    cells = enumerate(record.quarter.heat.cells, start=1)
    rows = [(record.word(f"ar_weekday_{day}"), hour, n) for day, row in cells for hour, n in enumerate(row)]
    return record.sheet("ar_sheet_hours", spec, rows)


def _statements(record: AuditRecordBook) -> Table:
    spec: Spec = (("ar_rank", COUNT, 8), ("ar_statement", TEXT, 80), ("ar_executions", COUNT, 14), ("ar_accounts", TEXT, 20))
    spec += (("ar_days", COUNT, 8), ("ar_failed", COUNT, 10), ("ar_word", TEXT, 20), ("ar_reviewer", TEXT, 30))
    spec += (("ar_fingerprint", TEXT, 20), ("ar_first", MOMENT, 18), ("ar_last", MOMENT, 18), ("evidence", TEXT, 30))
    told = zip(statement_rows(record, on_paper=False), record.quarter.top, strict=True)
    rows = [
        (*row, i.subject.fingerprint, record.local(i.first_at), record.local(i.last_at), record.evidence(i))
        for row, i in ((row, line.item) for row, line in told)
    ]
    return record.sheet("ar_sheet_statements", spec, rows)


def _patterns(record: AuditRecordBook) -> Table:
    spec: Spec = (("ar_pattern", TEXT, 20), ("ar_severity", TEXT, 8), ("ar_rule", TEXT, 24))
    spec += tuple((f"ar_{name}", TEXT, 20) for name in SUBJECT)
    spec += (("ar_records", COUNT, 10), ("ar_days", COUNT, 8), ("ar_first", MOMENT, 18), ("ar_last", MOMENT, 18))
    spec += (("evidence", TEXT, 50), ("ar_word", TEXT, 20), ("ar_reviewer", TEXT, 40))
    return record.sheet("ar_sheet_patterns", spec, list(_pattern_rows(record)))


SUBJECT = ("account", "program", "client", "os_user", "action", "object", "fingerprint")


def _pattern_rows(record: AuditRecordBook) -> Iterator[tuple[Cell, ...]]:
    for line in record.quarter.patterns:
        i = line.item
        subject = (getattr(i.subject, name) for name in SUBJECT)
        counts = (i.records, i.occasions, record.local(i.first_at), record.local(i.last_at), record.evidence(i))
        said = (record.review(line.review), record.reviewer(line.review))
        yield (i.pattern, record.severity(i.severity), record.rule_name(i.rule), *subject, *counts, *said)


def _important(record: AuditRecordBook) -> Table:
    spec: Spec = (("ar_first", MOMENT, 18), ("ar_who", TEXT, 40), ("ar_what", TEXT, 40), ("ar_records", COUNT, 10))
    spec += (("ar_rows", COUNT, 12), ("ar_match", TEXT, 40), ("ar_last", MOMENT, 18))
    lines = record.quarter.important.lines
    rows = [(*important_row(record, line), record.local(line.last_at)) for line in lines]
    return record.sheet("ar_sheet_important", spec, rows)


def _traced(record: AuditRecordBook) -> Table:
    spec: Spec = (
        ("ar_time", MOMENT, 18),
        *((f"ar_{name}", TEXT, 20) for name in (*SUBJECT[:-1], "code")),
        ("ar_statement", TEXT, 80),
    )
    example = record.quarter.example
    rows: list[tuple[Cell, ...]] = []
    for t in example.lines if example else ():
        told = (t.account, t.program, t.client, t.os_user, t.action, t.object, t.return_code)
        rows.append((record.local(t.at), *told, example.statements.get(t.fingerprint, "") if example else ""))
    return record.sheet("ar_sheet_traced", spec, rows)


def _findings(record: AuditRecordBook) -> Table:
    spec: Spec = (
        ("verdict", STATUS, 12),
        ("problem", TEXT, 80),
        ("place", TEXT, 30),
        ("next_step", TEXT, 60),
        ("code", TEXT, 36),
    )
    language = record.language
    rows = [(f.effective.value, record.finding(f), f.place, next_step(f.code, language), f.code) for f in record.quarter.findings]
    return record.sheet("ar_sheet_findings", spec, rows)

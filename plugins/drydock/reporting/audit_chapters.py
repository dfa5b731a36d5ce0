"""The first chapters of the audit report: what was collected, how much, of which kind, the most frequent statements."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from drydock.audit.quarterly.quarter_model import DayLine
from drydock.messages import question_word
from drydock.reporting import audit_charts
from drydock.reporting.audit_facts import AuditRecordBook, statement_cell
from drydock.reporting.document import Block, Cell, Chart, Heading, Paragraph, Turn
from drydock.reporting.figures import status_text
from drydock.reporting.tables import COUNT, STATUS, TEXT, Spec
from drydock.verdicts import Status


def scope_blocks(record: AuditRecordBook) -> Iterator[Block]:
    """What is audited, from which sources, and how whole each day is."""
    quarter, word = record.quarter, record.word
    yield Heading(level=1, text=word("ar_scope"))
    yield Paragraph(text=word("ar_basis_text"))
    spec: Spec = (("figure", TEXT, 1.2), ("value", TEXT, 3))
    yield from record.table("ar_scope", spec, list(_scope_rows(record)))
    yield Heading(level=2, text=word("ar_health"))
    yield Paragraph(
        text=word("ar_health_text", whole=record.part(quarter.whole_days, len(quarter.days)), aside=f"{quarter.set_aside:,}")
    )
    yield Chart(
        png=audit_charts.days_chart(quarter.days, record.language),
        alt=word("chart_alt", rows=record.joined([f"{d.day} {audit_charts.day_mark(d)}" for d in quarter.days])),
        caption=word("ar_chart_days"),
        source=word("ar_source_ledger"),
    )
    spec = (("ar_days_of", TEXT, 1.4), ("ar_covered", TEXT, 1.6), ("ar_records", COUNT, 1.2), ("ar_digested", COUNT, 1.2))
    spec += (("ar_set_aside", COUNT, 1), ("ar_unread", COUNT, 1), ("ar_detected", TEXT, 0.8), ("ar_trail", STATUS, 1))
    yield from record.table("ar_days_not_whole", spec, gap_rows(record))
    yield from _trail_blocks(record)


def is_good(day: DayLine) -> bool:
    """Whole, nothing left aside, and a trail that was seen well."""
    return day.is_whole and not day.set_aside and day.digested >= day.records and day.trail in (Status.PASS, Status.WARN)


def _trail_blocks(record: AuditRecordBook) -> Iterator[Block]:
    """The questions about the trail itself with the days of each answer, and the seal of the store."""
    quarter, word, total = record.quarter, record.word, len(record.quarter.days)
    yield Heading(level=2, text=word("ar_trail_health"))
    statuses = (Status.PASS, Status.WARN, Status.FAIL, Status.UNKNOWN, Status.SKIPPED)
    columns = tuple((f"ar_status_{status.value.lower()}", TEXT, 1.0) for status in statuses)
    rows: list[tuple[Cell, ...]] = [
        (question_word(line.question, record.language), *(f"{line.days.get(s, 0)} / {total}" for s in statuses))
        for line in quarter.trail
    ]
    yield from record.table("ar_trail_health", (("question", TEXT, 2), *columns), rows)
    if (store := quarter.store) is not None:
        told = {
            name: f"{int(str(store.evidence.get(name) or 0)):,}" for name in ("entries", "files", "files_hashed", "newest_entry")
        }
        status = status_text(store.status, record.language)
        yield Paragraph(text=word("ar_store_text", status=status, **told))
        yield Paragraph(text=word("ar_store_hash", hash=store.evidence.get("newest_hash") or word("none")), style="note")


def gap_rows(record: AuditRecordBook) -> list[tuple[Cell, ...]]:
    """A row for each day with a gap; days in a row of which nothing is known at all are one."""
    days = [day for day in record.quarter.days if not is_good(day)]
    rows: list[tuple[Cell, ...]] = []
    for (is_unknown, _), some in groupby(enumerate(days), lambda told: (_is_unknown(told[1]), told[1].day.toordinal() - told[0])):
        own = [day for _, day in some]
        if is_unknown and len(own) > 1:
            covered = record.part(0, round(sum(d.day_s for d in own) / 60))
            span = record.word("ar_days_span", first=own[0].day, last=own[-1].day, n=len(own))
            rows.append((span, covered, 0, 0, 0, 0, record.word("no"), Status.UNKNOWN.value))
        else:
            rows += [(str(d.day), *day_row(record, d)[1:]) for d in own]
    return rows


def _is_unknown(day: DayLine) -> bool:
    return not (day.slices or day.digested or day.is_detected or day.trail)


def day_row(record: AuditRecordBook, day: DayLine) -> tuple[Cell, ...]:
    covered = record.part(round(day.covered_s / 60), round(day.day_s / 60))
    detected = record.word("yes" if day.is_detected else "no")
    trail = (day.trail or Status.UNKNOWN).value
    return (day.day, covered, day.records, day.digested, day.set_aside, day.unread, detected, trail)


def _scope_rows(record: AuditRecordBook) -> Iterator[tuple[Cell, ...]]:
    quarter, word = record.quarter, record.word
    yield word("database"), f"{record.name} ({quarter.database})"
    yield word("ar_engine"), quarter.engine
    yield word("platform"), record.database.platform
    yield word("owner"), record.database.owner
    yield word("cover_contract"), record.estate.contract
    yield word("ar_quarter"), f"{record.label} ({record.period}; {quarter.zone})"
    yield word("ar_sources"), record.joined(list(quarter.sources))
    yield word("ar_whole_days"), record.part(quarter.whole_days, len(quarter.days))
    yield word("ar_collected"), f"{quarter.collected:,}"
    yield word("ar_counted"), record.part(quarter.records, quarter.collected)
    yield word("ar_set_aside"), f"{quarter.set_aside:,}"
    asked = [rule for rule in quarter.rules if rule.days_asked]
    yield word("ar_rules_asked"), record.part(len(asked), len(quarter.rules))


def volume_blocks(record: AuditRecordBook) -> Iterator[Block]:
    """How much: by week, account, object, program and client."""
    quarter, word = record.quarter, record.word
    yield Heading(level=1, text=word("ar_volume"))
    if not quarter.records:
        yield Paragraph(text=word("ar_no_records"), style="strong")
        return
    spec: Spec = (("ar_week", TEXT, 1.6), ("ar_whole_days", TEXT, 1.4), ("ar_records", COUNT, 1.3), ("ar_per_day", COUNT, 1.2))
    spec += (("ar_hits", COUNT, 1), ("ar_alarms", COUNT, 1))
    yield from record.table("ar_by_week", spec, list(_week_rows(record)))
    for key, counts in (("ar_by_account", quarter.accounts), ("ar_by_object", quarter.objects)):
        yield from record.counts(key, counts)
    for key, counts in (("ar_by_program", quarter.programs), ("ar_by_client", quarter.clients)):
        yield from record.counts(key, counts)


def _week_rows(record: AuditRecordBook) -> Iterator[tuple[Cell, ...]]:
    for week in record.quarter.weeks:
        days = [d for d in record.quarter.days if week.first <= d.day <= week.last]
        records = sum(d.records for d in days)
        whole = record.part(sum(d.is_whole for d in days), len(days))
        shown = f"{week.first:%m-%d} – {week.last:%m-%d}"
        yield shown, whole, records, records // len(days), sum(d.hits for d in days), sum(d.alarms for d in days)


def mix_blocks(record: AuditRecordBook) -> Iterator[Block]:
    """Of which kind: deeds by week as a picture, deeds and actions as tables."""
    quarter, word = record.quarter, record.word
    yield Heading(level=1, text=word("ar_mix"))
    if not quarter.records:
        yield Paragraph(text=word("ar_no_records"), style="strong")
        return
    told = [f"{record.coded('deed', c.name)} {c.records:,}" for c in quarter.deeds.lines]
    if any(week.deeds for week in quarter.weeks):
        yield Chart(
            png=audit_charts.deeds_chart(quarter.weeks, record.language),
            alt=word("chart_alt", rows=record.joined(told)),
            caption=word("ar_chart_deeds"),
            source=word("ar_source_digest"),
        )
    yield from record.counts("ar_by_deed", quarter.deeds, "deed")
    yield from record.counts("ar_by_action", quarter.actions)


def statement_blocks(record: AuditRecordBook) -> Iterator[Block]:
    """The most frequent statements, with what a person said of each."""
    quarter, word = record.quarter, record.word
    yield Turn(landscape=True)
    yield Heading(level=1, text=word("ar_statements"))
    waiting = len(quarter.unreviewed_statements)
    yield Paragraph(text=word("ar_statements_text", waiting=record.part(waiting, len(quarter.top))))
    spec: Spec = (("ar_rank", COUNT, 0.5), ("ar_statement", TEXT, 5), ("ar_executions", COUNT, 1.1), ("ar_accounts", TEXT, 1.3))
    spec += (("ar_days", COUNT, 0.6), ("ar_failed", COUNT, 0.7), ("ar_word", TEXT, 1.5), ("ar_reviewer", TEXT, 1.6))
    yield from record.table("ar_statements", spec, statement_rows(record, on_paper=True))
    yield Paragraph(text=word("ar_statements_note"), style="note")
    yield Turn(landscape=False)


def statement_rows(record: AuditRecordBook, on_paper: bool) -> list[tuple[Cell, ...]]:
    """Rank, text, executions, account, days, failures, word, reviewer; statements have no literals."""
    rows: list[tuple[Cell, ...]] = []
    for rank, line in enumerate(record.quarter.top, start=1):
        item = line.item
        account = item.subject.account or record.word("ar_several", n=item.evidence.get("accounts", 0))
        text = statement_cell(item.text) if on_paper else item.text
        failures = int(str(item.evidence.get("failures", 0) or 0))
        said = (record.review(line.review), record.reviewer(line.review))
        rows.append((rank, text or item.subject.fingerprint, item.records, account, item.occasions, failures, *said))
    return rows

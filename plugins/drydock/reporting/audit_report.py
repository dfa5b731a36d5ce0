"""The quarterly audit report (数据库审计报告): what was collected and counted, what stood out, what people said, what waits.

How many findings nobody has reviewed stands on the first page. A quarter without records says so and is never good. Nothing is
signed here: author, reviewer, owner of the data, buyer and the human auditor sign on paper.
"""

from __future__ import annotations

from collections.abc import Iterator

from drydock.audit.results import Disposal
from drydock.reporting.audit_chapters import mix_blocks, scope_blocks, statement_blocks, volume_blocks
from drydock.reporting.audit_events import (
    RULES_OF,
    advice_blocks,
    alarm_blocks,
    chapter_blocks,
    example_blocks,
    hours_blocks,
    important_blocks,
)
from drydock.reporting.audit_facts import AuditRecordBook
from drydock.reporting.audit_sheets import audit_sheets
from drydock.reporting.document import Block, Document, Heading, KeyFigure, KeyFigures, Paragraph, number_headings
from drydock.reporting.figures import status_text
from drydock.reporting.frame import closing_blocks, frame_document
from drydock.reporting.tables import STATUS, TEXT, Spec
from drydock.verdicts import Status

ROLES = ("mr_role_author", "role_reviewer", "mr_role_data_owner", "role_buyer", "ar_role_auditor")
MOST_ON_FIRST_PAGE = 8


def build_audit_report(record: AuditRecordBook, working: tuple[int, int] = (8, 20)) -> Document:
    """The report as a document; `working`: hours of working days. Same facts, same document."""
    language, sheets = record.language, audit_sheets(record)
    blocks = (
        *scope_blocks(record),
        *volume_blocks(record),
        *mix_blocks(record),
        *statement_blocks(record),
        *important_blocks(record),
        *hours_blocks(record, working),
        *(block for chapter in RULES_OF for block in chapter_blocks(record, chapter)),
        *alarm_blocks(record),
        *example_blocks(record),
        *advice_blocks(record),
        *closing_blocks(ROLES, sheets, language),
    )
    document = frame_document(
        "audit_report",
        record.quarter.today,
        record.estate,
        language,
        status=record.quarter.status,
        summary=tuple(_summary(record)),
        blocks=number_headings(blocks, language),
        sheets=sheets,
    )
    told = {"subtitle": f"{record.name} · {record.label}", "time_zone": record.quarter.zone, "period": record.label}
    return document.model_copy(update={**told, "name": f"{record.word('audit_report')}_{record.database.id}"})


def _summary(record: AuditRecordBook) -> Iterator[Block]:
    quarter, word = record.quarter, record.word
    yield Heading(level=1, text=word("ar_summary"))
    status = status_text(quarter.status, record.language)
    yield Paragraph(text=word("ar_verdict", status=status, database=record.name, period=record.period), style="strong")
    waiting = record.part(len(quarter.unreviewed), len(quarter.patterns))
    statements = record.part(len(quarter.unreviewed_statements), len(quarter.top))
    yield Paragraph(text=word("ar_unreviewed_text", patterns=waiting, statements=statements), style="strong")
    if not quarter.records:
        yield Paragraph(text=word("ar_empty"), style="strong")
    if quarter.today <= quarter.last:
        yield Paragraph(text=word("ar_running", last=quarter.last, on=quarter.today), style="strong")
    yield KeyFigures(figures=tuple(_key_figures(record)))
    spec: Spec = (("verdict", STATUS, 1), ("problem", TEXT, 6))
    rows = [(f.effective.value, record.finding(f)) for f in quarter.findings]
    yield from record.table("ar_findings", spec, rows, most=MOST_ON_FIRST_PAGE)
    yield Paragraph(text=word("ar_summary_note", zone=quarter.zone), style="note")


def _key_figures(record: AuditRecordBook) -> Iterator[KeyFigure]:
    quarter, word, part = record.quarter, record.word, record.part
    waiting, total = len(quarter.unreviewed), len(quarter.patterns)
    incidents = len(quarter.with_word(Disposal.INCIDENT))
    important, off = quarter.important, quarter.heat.accounts.records
    yield KeyFigure(label=word("cover_status"), value=status_text(quarter.status, record.language), status=quarter.status)
    yield KeyFigure(label=word("ar_unreviewed"), value=_pair(waiting, total), status=Status.WARN if waiting else None)
    yield KeyFigure(label=word("ar_incidents"), value=_pair(incidents, total), status=Status.FAIL if incidents else None)
    yield KeyFigure(label=word("ar_counted"), value=part(quarter.records, quarter.collected))
    yield KeyFigure(label=word("ar_whole_days"), value=part(quarter.whole_days, len(quarter.days)))
    told = _pair(important.unexplained, len(important.lines)) if important.objects else word("unknown")
    yield KeyFigure(label=word("ar_important_open"), value=told, status=Status.FAIL if important.unexplained else None)
    yield KeyFigure(label=word("ar_off_hours"), value=part(off, quarter.heat.records))
    yield KeyFigure(label=word("ar_explained_hits"), value=part(quarter.explained, quarter.hits))


def _pair(some: int, whole: int) -> str:
    """Numerator and denominator, short enough for a mark of its status."""
    return f"{some:,} / {whole:,}"

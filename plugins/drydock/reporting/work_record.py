"""The record of one run of the weekly work (优化记录): what was planned, who said yes, what was done and what came of it.

Order of reading: the result, plan and answer, the items, pictures, estimate against actual, what was not begun, carried
or left alone, regrowth, the week, findings, sign-off and the data annex. A run that never made a plan, or was never
checked, is UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Iterator

from drydock.messages import question_word
from drydock.reporting.document import Block, Document, Heading, KeyFigure, KeyFigures, Paragraph, number_headings
from drydock.reporting.figure_words import figures_text
from drydock.reporting.figures import bytes_text, duration_text, status_text
from drydock.reporting.frame import closing_blocks, frame_document
from drydock.reporting.tables import COUNT, STATUS, TEXT, Spec, make_table
from drydock.reporting.work_chapters import (
    carried_blocks,
    chart_blocks,
    finding_blocks,
    left_blocks,
    plan_blocks,
    regrowth_blocks,
    week_blocks,
)
from drydock.reporting.work_checks import approved_text
from drydock.reporting.work_facts import WorkRecord, fixed_or_code, reason_words
from drydock.reporting.work_items import estimate_blocks, item_blocks, skipped_blocks
from drydock.reporting.work_sheets import work_sheets
from drydock.verdicts import Status

ROLES = ("role_operator", "role_reviewer", "role_buyer")


def build_work_record(record: WorkRecord) -> Document:
    """The record as a document. Same facts, same document."""
    language, sheets = record.language, work_sheets(record)
    blocks = (
        *plan_blocks(record),
        *item_blocks(record),
        *chart_blocks(record),
        *estimate_blocks(record),
        *skipped_blocks(record),
        *carried_blocks(record),
        *left_blocks(record),
        *regrowth_blocks(record),
        *week_blocks(record),
        *finding_blocks(record),
        *closing_blocks(ROLES, sheets, language),
    )
    document = frame_document(
        "work_record",
        record.day,
        record.estate,
        language,
        status=record.status,
        summary=tuple(_summary(record)),
        blocks=number_headings(blocks, language),
        sheets=sheets,
    )
    about = f"{record.word(f'pipeline_{record.pipeline}')}_{record.database.id}"
    told = {
        "subtitle": f"{record.name} · {record.word(f'pipeline_{record.pipeline}')} · {record.period}",
        "time_zone": record.zone,
    }
    return document.model_copy(update={**told, "name": f"{record.word('work_record')}_{about}"})


def _summary(record: WorkRecord) -> Iterator[Block]:
    yield Heading(level=1, text=record.word("work_summary"))
    stop = fixed_or_code(f"stop_{record.stop.value}", record.stop.value, record.language)
    status = status_text(record.status, record.language)
    yield Paragraph(text=record.word("work_verdict", status=status, database=record.name, stop=stop), style="strong")
    yield from (Paragraph(text=record.word(key), style="strong") for key in _warnings(record))
    yield _key_figures(record)
    yield Paragraph(text=f"{record.word('work_approved')}{record.word('colon')}{approved_text(record)}")
    spec: Spec = (("question", TEXT, 1.2), ("verdict", STATUS, 0.9), ("examined", COUNT, 0.7), ("evidence", TEXT, 4))
    yield make_table(record.word("work_verdicts"), spec, _verdict_rows(record), record.period, record.language)
    yield Paragraph(text=record.word("work_summary_note", zone=record.zone), style="note")


def _warnings(record: WorkRecord) -> Iterator[str]:
    """What a reader must not miss: no plan, no check, what the survey could not look for, a dry run, nothing done."""
    if record.plan is None:
        yield "work_no_plan"
    elif record.verification is None:
        yield "work_not_verified"
    if record.plan is not None and record.plan.figures.get("corrupt") == "not_readable":
        yield "work_corrupt_unread"
    if record.dry_run:
        yield "work_dry_run"
    elif record.plan is not None and not record.begun:
        yield "work_none_begun"


def _key_figures(record: WorkRecord) -> KeyFigures:
    failed = [o for o in record.outcomes if o.status in (Status.FAIL, Status.UNKNOWN)]
    begun = [o for o in record.outcomes if o.item_key in record.begun]
    planned, carried = len(record.items), len(record.plan.carried) if record.plan else 0
    freed, spent = sum(o.freed_bytes for o in begun), sum(o.elapsed_s for o in begun)
    told = [
        ("cover_status", status_text(record.status, record.language), record.status),
        ("work_key_done", f"{len(record.done)} / {planned}", None),
        ("work_key_failed", f"{len(failed):,}", Status.FAIL if failed else None),
        ("work_key_carried", f"{carried:,}", None),
        ("work_freed", bytes_text(freed), None),
        ("work_spent", duration_text(spent, record.language), None),
        ("work_logs", bytes_text(sum(o.log_bytes for o in begun)), None),
    ]
    return KeyFigures(figures=tuple(KeyFigure(label=record.word(k), value=v, status=s) for k, v, s in told))


def _verdict_rows(record: WorkRecord) -> list[tuple[str | int, ...]]:
    if record.verification is None:
        return [(record.word("work_findings"), Status.UNKNOWN.value, 0, record.word("work_not_verified"))]
    rows = []
    for v in record.verification.verdicts:
        why = reason_words(v.reason, record.language)
        told = record.joined([t for t in (why, figures_text(v.evidence, record.language) if v.evidence else "") if t])
        rows.append((question_word(v.question, record.language), v.status.value, v.examined, told))
    return rows

"""The quarterly summary of masking as a document: one line for each database, those without a copy named first."""

from __future__ import annotations

from collections.abc import Iterator

from drydock.estate import Estate
from drydock.masking.summary import CopyLine, QuarterRecord
from drydock.messages import message, next_step, question_word
from drydock.reporting.backup_findings import heading_of
from drydock.reporting.day_record import name_of
from drydock.reporting.document import (
    Block,
    Cell,
    Document,
    Entry,
    Heading,
    KeyFigure,
    KeyFigures,
    Paragraph,
    Turn,
    number_headings,
)
from drydock.reporting.figure_words import figures_text
from drydock.reporting.figures import share_text, status_text
from drydock.reporting.frame import closing_blocks, frame_document
from drydock.reporting.masking_report import ROLES
from drydock.reporting.tables import COUNT, DAY, STATUS, TEXT, Spec, make_table
from drydock.reporting.words import word
from drydock.verdicts import Finding, Status


def build_masking_summary(told: QuarterRecord, estate: Estate) -> Document:
    """The summary as a document. Same facts, same document."""
    language, names = told.language, {d.id: name_of(d, told.language) for d in estate.databases}
    period = f"{told.quarter.first} – {told.quarter.last}"
    sheets = (_verdicts(told, names, period),)
    blocks = (
        *_copies(told, names, period),
        *_questions(told, names, period),
        *_findings(told, names),
        *closing_blocks(ROLES, sheets, language),
    )
    document = frame_document(
        "masking_summary",
        told.on,
        estate,
        language,
        status=told.verdict.status,
        summary=tuple(_summary(told, names, period)),
        blocks=number_headings(blocks, language),
        sheets=sheets,
    )
    return document.model_copy(update={"subtitle": str(told.quarter), "period": str(told.quarter)})


def _summary(told: QuarterRecord, names: dict[str, str], period: str) -> Iterator[Block]:
    language = told.language
    yield Heading(level=1, text=word("ms_summary", language, quarter=told.quarter))
    verdict = told.verdict
    counts = {"delivered": len(told.delivered), "databases": len(told.databases), "period": period}
    yield Paragraph(text=word("ms_verdict", language, status=status_text(verdict.status, language), **counts), style="strong")
    if not told.delivered:
        yield Paragraph(text=word("ms_empty", language), style="strong")
    if told.missing:
        missing = [names.get(line.database, line.database) for line in told.missing]
        yield Paragraph(text=word("ms_missing", language, names=word("separator", language).join(missing)), style="strong")
    if not told.is_over:
        yield Paragraph(text=word("ms_running", language, last=told.quarter.last, on=told.on))
    rows = sum(line.rows or 0 for line in told.delivered)
    owed = [line for line in told.delivered if line.database in told.databases]
    shares = f"{len(owed)} / {len(told.databases)} ({share_text(len(owed), len(told.databases), language)})"
    figures = (
        KeyFigure(label=word("cover_status", language), value=status_text(verdict.status, language), status=verdict.status),
        KeyFigure(
            label=word("ms_delivered", language), value=shares, status=Status.FAIL if told.missing and told.is_over else None
        ),
        KeyFigure(label=word("mr_rows", language), value=f"{rows:,}"),
        KeyFigure(label=word("ms_runs", language), value=f"{sum(line.runs for line in told.lines):,}"),
    )
    yield KeyFigures(figures=figures)
    yield Paragraph(text=word("ms_note", language), style="note")


def _copies(told: QuarterRecord, names: dict[str, str], period: str) -> Iterator[Block]:
    language = told.language
    yield Turn(landscape=True)
    yield Heading(level=1, text=word("ms_copies", language))
    spec: Spec = (("database", TEXT, 2.6), ("ms_state", TEXT, 1.6), ("ms_day", DAY, 1.2), ("mr_target", TEXT, 1.4))
    spec += (
        ("mr_tables", COUNT, 0.8),
        ("mr_rows", COUNT, 1.2),
        ("mr_smallest_k", COUNT, 0.8),
        ("verdict", STATUS, 1),
        ("ms_runs", COUNT, 0.8),
    )
    yield make_table(word("ms_copies", language), spec, [_copy_row(told, names, line) for line in told.lines], period, language)
    yield Paragraph(text=word("ms_copies_note", language), style="note")
    yield Turn(landscape=False)


def _copy_row(told: QuarterRecord, names: dict[str, str], line: CopyLine) -> tuple[Cell, ...]:
    state = word(f"ms_state_{line.state}", told.language)
    if line.database not in told.databases:
        state = f"{state} ({word('ms_without_policy', told.language)})"
    figures = (line.target, line.tables, line.rows, line.smallest_k, line.status.value, line.runs)
    return (names.get(line.database, line.database), state, line.day, *figures)


def _questions(told: QuarterRecord, names: dict[str, str], period: str) -> Iterator[Block]:
    yield Heading(level=1, text=word("ms_questions", told.language))
    yield _verdicts(told, names, period)


def _verdicts(told: QuarterRecord, names: dict[str, str], period: str):
    """Every verdict on every copy that was looked at."""
    language = told.language
    spec: Spec = (("database", TEXT, 26), ("question", TEXT, 18), ("verdict", STATUS, 12), ("examined", COUNT, 12))
    rows = [
        (
            *(
                names.get(line.database, line.database),
                question_word(v.question, language),
                v.status.value,
                v.examined,
                len(v.findings),
            ),
            figures_text(v.evidence, language) if v.evidence else "",
        )
        for line in told.lines
        for v in line.verdicts
    ]
    return make_table(
        word("ms_questions", language), (*spec, ("mr_findings", COUNT, 10), ("evidence", TEXT, 40)), rows, period, language
    )


def _findings(told: QuarterRecord, names: dict[str, str]) -> Iterator[Block]:
    yield Heading(level=1, text=word("mr_problems", told.language))
    yield from [_entry(told, names, f) for f in told.findings()] or [Paragraph(text=word("ms_no_problems", told.language))]


def _entry(told: QuarterRecord, names: dict[str, str], finding: Finding) -> Entry:
    language = told.language
    lines = (
        (word("place", language), names.get(finding.place, finding.place) or word("none", language)),
        (word("next_step", language), next_step(finding.code, language) or word("none", language)),
        (word("runbook", language), heading_of(finding.code, language) or word("none", language)),
    )
    return Entry(status=finding.effective, text=message(finding, language), lines=lines)

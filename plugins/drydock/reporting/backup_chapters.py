"""The backup record's result at a glance and its charts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from drydock.backup.results import QUESTIONS, Judgement
from drydock.messages import question_word
from drydock.reporting import charts
from drydock.reporting.answers import coverage_text, restorable_text, rpo_text, rto_text
from drydock.reporting.day_record import DayRecord
from drydock.reporting.document import Block, Cell, Chart, Column, Heading, KeyFigure, KeyFigures, Kind, Paragraph, Table, Turn
from drydock.reporting.figures import status_text
from drydock.reporting.words import word
from drydock.verdicts import Status

ROWS_PER_CHART = 16


def glance_blocks(record: DayRecord) -> Iterator[Block]:
    """Key figures, the wide table with a row per database, and the databases by verdict."""
    language = record.language
    yield Turn(landscape=True)
    yield Heading(level=1, text=word("glance", language))
    yield _key_figures(record)
    yield _glance_table(record)
    yield Paragraph(text=word("glance_note", language, zone=record.zone), style="note")
    yield _count_table(record)
    yield Turn(landscape=False)


def _key_figures(record: DayRecord) -> KeyFigures:
    language, changes = record.language, record.changes
    accepted = sum(1 for o in record.open_findings if o.finding.acknowledged)
    told = [
        ("cover_status", status_text(record.status, language), record.status),
        ("key_judged", f"{len(record.judged)} / {len(record.ids)}", None),
        ("key_new", f"{len(changes.new):,}", None),
        ("key_closed", f"{len(changes.closed):,}", None),
        ("key_open", f"{len(record.open_findings):,}", None),
        ("key_accepted", f"{accepted:,}", None),
    ]
    return KeyFigures(figures=tuple(KeyFigure(label=word(k, language), value=v, status=s) for k, v, s in told))


def _count_table(record: DayRecord) -> Table:
    """How many databases have which answer, question by question; a database not judged counts as UNKNOWN."""
    language = record.language
    missing = len(record.ids) - len(record.judged)
    rows: list[tuple[Cell, ...]] = []
    for at, question in enumerate(QUESTIONS):
        counted = Counter(j.verdicts[at].status for j in record.judged) + Counter({Status.UNKNOWN: missing})
        rows.append((question_word(question, language), *(counted.get(s, 0) for s in Status), len(record.ids)))
    caption = word("glance_counts", language)
    columns = (
        Column(title=word("question", language), width=2.2),
        *(Column(title=status_text(s, language), kind=Kind.COUNT) for s in Status),
        Column(title=word("total", language), kind=Kind.COUNT),
    )
    return Table(columns=columns, rows=tuple(rows), caption=caption, period=record.period)


def _glance_table(record: DayRecord) -> Table:
    language = record.language
    columns = (
        Column(title=word("database", language), width=2.4),
        *(Column(title=question_word(q, language), kind=Kind.STATUS, width=1.4) for q in QUESTIONS),
        Column(title=word("restorable", language), width=2.4),
        Column(title=word("rpo", language), width=1.7),
        Column(title=word("rto", language), width=2.2),
        Column(title=word("coverage", language), width=2.4),
    )
    rows = tuple(_glance_row(record, d) for d in record.ids)
    return Table(columns=columns, rows=rows, caption=word("glance_table", language), period=record.period)


def _glance_row(record: DayRecord, database: str) -> tuple[Cell, ...]:
    language, judgement = record.language, record.judgements.get(database)
    if judgement is None:
        return (record.names[database], *["UNKNOWN"] * 4, *[word("unknown", language)] * 4)
    return (
        record.names[database],
        *(v.status.value for v in judgement.verdicts),
        restorable_text(judgement, record.zone, language),
        rpo_text(judgement, language),
        rto_text(judgement, language),
        coverage_text(judgement.coverage, language),
    )


def chart_blocks(record: DayRecord) -> Iterator[Block]:
    """Restorable windows and coverage, sixteen databases to a picture."""
    language = record.language
    yield Heading(level=1, text=word("charts", language))
    if not record.judged:
        yield Paragraph(text=word("chart_nothing", language))
    for part in _parts(record.judged):
        yield Chart(
            png=charts.restorable_chart(part, language, record.names, record.zone),
            alt=_alt(record, [restorable_text(j, record.zone, language) for j in part], part),
            caption=word("chart_restorable_caption", language, day=record.day),
            source=word("chart_source_backup", language),
        )
    for part in _parts(record.judged):
        yield Chart(
            png=charts.coverage_chart(part, language, record.names),
            alt=_alt(record, [coverage_text(j.coverage, language) for j in part], part),
            caption=word("chart_coverage_caption", language, days=_coverage_days(part)),
            source=word("chart_source_backup", language),
        )


def _parts(judged: Sequence[Judgement]) -> list[Sequence[Judgement]]:
    return [judged[i : i + ROWS_PER_CHART] for i in range(0, len(judged), ROWS_PER_CHART)]


def _alt(record: DayRecord, answers: Iterable[str], part: Sequence[Judgement]) -> str:
    rows = [f"{record.names[j.database]} {told}" for j, told in zip(part, answers, strict=True)]
    return word("chart_alt", record.language, rows=word("separator", record.language).join(rows))


def _coverage_days(part: Sequence[Judgement]) -> str:
    return "/".join(str(d) for d in sorted({j.coverage.period_days for j in part if j.coverage})) or "-"

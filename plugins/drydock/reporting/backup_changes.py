"""The first page of the backup record: what changed since the check before."""

from __future__ import annotations

from collections.abc import Iterable

from drydock.messages import message, question_word
from drydock.reporting.changes import OpenFinding
from drydock.reporting.day_record import DayRecord
from drydock.reporting.document import Block, Cell, Heading, Paragraph, Table
from drydock.reporting.figures import status_text
from drydock.reporting.tables import COUNT, DAY, STATUS, TEXT, Spec, make_table
from drydock.reporting.words import word


def change_page(record: DayRecord) -> tuple[Block, ...]:
    """Verdict of the day, what it is compared with, the list of changes, and each kind of change that there is."""
    language = record.language
    head: tuple[Block, ...] = (Heading(level=1, text=word("changes", language)), *_opening(record))
    if not record.judged:
        return (*head, *_overview(record))
    if record.changes.is_empty and record.changes.compared:
        return (*head, Paragraph(text=word("changes_none", language), style="strong"), *_overview(record))
    return (*head, *_overview(record), *_details(record))


def _opening(record: DayRecord) -> tuple[Block, ...]:
    language, judged, total = record.language, len(record.judged), len(record.ids)
    told = word(
        "changes_verdict",
        language,
        status=status_text(record.status, language),
        total=total,
        judged=judged,
        missing=total - judged,
    )
    if not judged:
        return (Paragraph(text=told), Paragraph(text=word("changes_nothing_judged", language), style="strong"))
    return (Paragraph(text=told), Paragraph(text=_compared_text(record)))


def _compared_text(record: DayRecord) -> str:
    compared = record.changes.compared
    if not compared:
        return word("changes_no_previous", record.language)
    days = ", ".join(sorted({d.isoformat() for d in compared.values()}))
    return word("changes_compared", record.language, days=days, n=len(compared))


def _overview(record: DayRecord) -> tuple[Block, ...]:
    """Five lines: how many changes of each kind and in which databases; a kind without any prints "none"."""
    language, changes = record.language, record.changes
    kinds: list[tuple[str, list[str]]] = [
        ("change_new", [o.database for o in changes.new]),
        ("change_closed", [o.database for o in changes.closed]),
        ("change_verdicts", [c.database for c in changes.verdicts]),
        ("change_not_judged", list(changes.not_judged)),
        ("change_unchecked", [o.database for o in changes.unchecked]),
    ]
    rows = [(word(k, language), len(where) or None, _names(record, where)) for k, where in kinds]
    spec: Spec = (("change_item", TEXT, 3.2), ("change_count", COUNT, 1), ("change_where", TEXT, 5))
    return (make_table(word("changes_overview", language), spec, rows, record.period, language),)


def _names(record: DayRecord, databases: Iterable[str]) -> str:
    return word("separator", record.language).join(record.names.get(d, d) for d in dict.fromkeys(databases))


def _details(record: DayRecord) -> Iterable[Block]:
    changes = record.changes
    if changes.new:
        yield _new_table(record)
    if changes.verdicts:
        yield _verdict_table(record)
    if changes.closed:
        yield findings_table(record, "change_closed", changes.closed)
    if changes.not_judged:
        yield _not_judged_table(record)
    if changes.unchecked:
        yield findings_table(record, "change_unchecked", changes.unchecked)


def _new_table(record: DayRecord) -> Table:
    """New findings in one line each; what to do about them stands in the chapter of findings."""
    spec: Spec = (("database", TEXT, 2.2), ("verdict", STATUS, 1.4), ("problem", TEXT, 5), ("place", TEXT, 3))
    rows = [_finding_row(record, o)[:-1] for o in record.changes.new]
    return make_table(word("change_new", record.language), spec, rows, record.period, record.language)


def findings_table(record: DayRecord, caption: str, findings: Iterable[OpenFinding]) -> Table:
    """Findings in one line each: database, verdict, sentence, place, first day."""
    spec: Spec = (
        ("database", TEXT, 2),
        ("verdict", STATUS, 1.2),
        ("problem", TEXT, 4),
        ("place", TEXT, 2.4),
        ("since", DAY, 1.5),
    )
    rows = [_finding_row(record, o) for o in findings]
    return make_table(word(caption, record.language), spec, rows, record.period, record.language)


def _finding_row(record: DayRecord, o: OpenFinding) -> tuple[Cell, ...]:
    told = message(o.finding, record.language)
    return (record.names.get(o.database, o.database), o.finding.effective.value, told, o.finding.place, o.since)


def _verdict_table(record: DayRecord) -> Table:
    language = record.language
    spec: Spec = (("database", TEXT, 3), ("question", TEXT, 2), ("verdict_before", STATUS, 1.5), ("verdict_today", STATUS, 1.5))
    rows = [
        (record.names[c.database], question_word(c.question, language), c.before.value, c.after.value)
        for c in record.changes.verdicts
    ]
    return make_table(word("change_verdicts", language), spec, rows, record.period, language)


def _not_judged_table(record: DayRecord) -> Table:
    language, told = record.language, word("not_judged_text", record.language)
    spec: Spec = (("database", TEXT, 3), ("verdict", STATUS, 1.5), ("reason", TEXT, 5), ("owner", TEXT, 1.5))
    rows = [(record.names[d], "UNKNOWN", told, record.owner(d)) for d in record.changes.not_judged]
    return make_table(word("change_not_judged", language), spec, rows, record.period, language)

"""The backup record's chapter of evidence: per database, the figures behind each verdict and every restorable window."""

from __future__ import annotations

from collections.abc import Iterator

from drydock.backup.results import Judgement
from drydock.messages import question_word, reason_text, status_word
from drydock.reporting.answers import window_cells
from drydock.reporting.day_record import DayRecord
from drydock.reporting.document import Block, Heading, Paragraph, Table
from drydock.reporting.drill_sheets import drill_status
from drydock.reporting.figures import duration_text, evidence_text, moment_text
from drydock.reporting.tables import COUNT, MOMENT, SECONDS, STATUS, TEXT, Spec, make_table
from drydock.reporting.words import word
from drydock.verdicts import Verdict


def evidence_blocks(record: DayRecord) -> Iterator[Block]:
    """Per database: the figures behind each verdict, and every restorable window."""
    language = record.language
    yield Heading(level=1, text=word("evidence_chapter", language))
    for database in record.ids:
        yield Heading(level=2, text=record.names[database])
        judgement = record.judgements.get(database)
        if judgement is None:
            yield Paragraph(text=word("not_judged_text", language))
        else:
            yield Paragraph(text=_evidence_line(record, judgement))
            yield _evidence_table(record, judgement)
            yield _window_table(record, judgement)


def _evidence_line(record: DayRecord, judgement: Judgement) -> str:
    language = record.language
    return word(
        "evidence_line",
        language,
        as_of=moment_text(record.local(judgement.as_of)),
        judged_at=moment_text(record.local(judgement.judged_at)),
        depth=word(f"depth_{judgement.depth.value}", language),
        owner=record.owner(judgement.database) or word("none", language),
        drill=_drill_text(record, judgement),
    )


def _drill_text(record: DayRecord, judgement: Judgement) -> str:
    language, drill = record.language, judgement.last_drill
    if drill is None:
        return word("none", language)
    told = {"when": moment_text(record.local(drill.started_at)), "result": status_word(drill_status(drill), language)}
    if drill.is_rehearsal:
        return word("drill_line_rehearsal", language, **told)
    return word("drill_line", language, **told, recovery=duration_text(drill.recovery_s, language))


def _evidence_table(record: DayRecord, judgement: Judgement) -> Table:
    language = record.language
    spec: Spec = (("question", TEXT, 1.4), ("verdict", STATUS, 1.5), ("examined", COUNT, 0.9), ("findings_count", COUNT, 0.9))
    rows = [
        (question_word(v.question, language), v.status.value, v.examined, len(v.findings), _evidence_cell(v, language))
        for v in judgement.verdicts
    ]
    caption = word("evidence_table", language, database=record.names[judgement.database])
    return make_table(caption, (*spec, ("evidence", TEXT, 6)), rows, record.period, language)


def _evidence_cell(verdict: Verdict, language: str) -> str:
    lines = [word("reason_line", language, reason=reason_text(verdict.reason, language))] if verdict.reason else []
    return "\n".join(lines + [evidence_text(field, value, language) for field, value in verdict.evidence.items()])


def _window_table(record: DayRecord, judgement: Judgement) -> Table:
    language = record.language
    spec: Spec = (("restorable_from", MOMENT, 2.5), ("restorable_to", MOMENT, 2.5), ("restorable_length", SECONDS, 1.6))
    spec += (("set_id", TEXT, 3), ("timeline", COUNT, 0.9))
    caption = word("evidence_windows", language, database=record.names[judgement.database])
    rows = [window_cells(w, record.zone) for w in judgement.restorable]
    return make_table(caption, spec, rows, record.period, language)

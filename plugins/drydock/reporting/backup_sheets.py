"""The rows behind the backup record, one sheet each, for the data annex (.xlsx)."""

from __future__ import annotations

from drydock.backup.facts import BackupSet
from drydock.backup.results import Drill, Judgement
from drydock.messages import message, next_step, question_word, reason_text
from drydock.reporting.answers import window_cells
from drydock.reporting.changes import OpenFinding
from drydock.reporting.day_record import DayRecord
from drydock.reporting.document import Cell, Table
from drydock.reporting.drill_sheets import DRILL_SPEC, drill_cells
from drydock.reporting.tables import BYTES, COUNT, DAY, MOMENT, SECONDS, SHARE, STATUS, TEXT, Spec, make_table
from drydock.reporting.words import label_of, word

WHERE: Spec = (("day", DAY, 12), ("database_id", TEXT, 20), ("database", TEXT, 28))


def backup_sheets(record: DayRecord) -> tuple[Table, ...]:
    """All sheets of the day; a sheet without rows is kept, so that its absence is not taken for a fault."""
    drills = {j.database: j.last_drill for j in record.judged if j.last_drill}
    return (
        _verdict_sheet(record),
        _finding_sheet(record),
        _window_sheet(record),
        _coverage_sheet(record),
        _set_sheet(record),
        _drill_sheet(record, drills),
        _evidence_sheet(record),
    )


def _where(record: DayRecord, database: str) -> tuple[Cell, ...]:
    return (record.day, database, record.names.get(database, database))


def _verdict_sheet(record: DayRecord) -> Table:
    spec: Spec = (*WHERE, ("platform", TEXT, 28), ("question", TEXT, 12), ("verdict", STATUS, 10), ("examined", COUNT, 10))
    spec += (
        ("findings_count", COUNT, 10),
        ("reason", TEXT, 40),
        ("as_of", MOMENT, 18),
        ("judged_at", MOMENT, 18),
        ("owner", TEXT, 12),
    )
    rows = [row for d in record.ids for row in _verdict_rows(record, d)]
    return make_table(word("sheet_verdicts", record.language), spec, rows, record.period, record.language)


def _verdict_rows(record: DayRecord, database: str) -> list[tuple[Cell, ...]]:
    language, judgement = record.language, record.judgements.get(database)
    head, owner = (*_where(record, database), record.platform(database)), record.owner(database)
    if judgement is None:
        missing = ("UNKNOWN", 0, 0, word("not_judged_text", language), None, None, owner)
        return [(*head, question_word(q, language), *missing) for q in ("executed", "complete", "valid", "normal")]
    times = (record.local(judgement.as_of), record.local(judgement.judged_at))
    return [
        (
            *head,
            question_word(v.question, language),
            v.status.value,
            v.examined,
            len(v.findings),
            _reason(v.reason, language),
            *times,
            owner,
        )
        for v in judgement.verdicts
    ]


def _reason(code: str, language: str) -> str:
    return reason_text(code, language) if code else ""


def _finding_sheet(record: DayRecord) -> Table:
    spec: Spec = (*WHERE, ("question", TEXT, 12), ("code", TEXT, 24), ("verdict", STATUS, 10), ("verdict_own", STATUS, 12))
    spec += (("is_new", TEXT, 8), ("since", DAY, 12), ("age_days", COUNT, 10), ("problem", TEXT, 60), ("place", TEXT, 50))
    spec += (("next_step", TEXT, 60), ("owner", TEXT, 12), ("approver", TEXT, 12), ("reason", TEXT, 30), ("review_by", DAY, 12))
    rows = [_finding_row(record, o) for o in record.open_findings]
    return make_table(word("sheet_findings", record.language), spec, rows, record.period, record.language)


def _finding_row(record: DayRecord, o: OpenFinding) -> tuple[Cell, ...]:
    language, f, word_of = record.language, o.finding, o.finding.acknowledged
    accepted = (word_of.approver, word_of.reason, word_of.review_by) if word_of else (None, None, None)
    return (
        *_where(record, o.database),
        question_word(o.question, language),
        f.code,
        f.effective.value,
        f.status.value,
        o.is_new,
        o.since,
        record.age_days(o),
        message(f, language),
        f.place,
        next_step(f.code, language),
        record.owner(o.database),
        *accepted,
    )


def _window_sheet(record: DayRecord) -> Table:
    spec: Spec = (*WHERE, ("restorable_from", MOMENT, 18), ("restorable_to", MOMENT, 18), ("restorable_length", SECONDS, 14))
    spec += (("set_id", TEXT, 36), ("timeline", COUNT, 10))
    rows = [(*_where(record, j.database), *window_cells(w, record.zone)) for j in record.judged for w in j.restorable]
    return make_table(word("sheet_windows", record.language), spec, rows, record.period, record.language)


def _coverage_sheet(record: DayRecord) -> Table:
    spec: Spec = (*WHERE, ("coverage_share", SHARE, 10), ("coverage_read", BYTES, 18), ("coverage_total", BYTES, 18))
    spec += (("coverage_sets_read", COUNT, 12), ("coverage_sets_total", COUNT, 12), ("coverage_days", COUNT, 12))
    spec += (
        ("coverage_oldest", SECONDS, 14),
        ("rpo_now", SECONDS, 14),
        ("rpo_limit", SECONDS, 14),
        ("rto_forecast", SECONDS, 14),
    )
    spec += (("rto_limit", SECONDS, 14), ("rto_basis", COUNT, 14), ("rto_error", SHARE, 12))
    rows = [(*_where(record, j.database), *_coverage_cells(j), *_limit_cells(j)) for j in record.judged]
    return make_table(word("sheet_coverage", record.language), spec, rows, record.period, record.language)


def _coverage_cells(judgement: Judgement) -> tuple[Cell, ...]:
    c = judgement.coverage
    if c is None:
        return (None,) * 7
    share = c.read_bytes / c.total_bytes if c.total_bytes else None
    return (share, c.read_bytes, c.total_bytes, c.sets_read, c.sets_total, c.period_days, c.oldest_unread_s)


def _limit_cells(judgement: Judgement) -> tuple[Cell, ...]:
    rto = judgement.rto
    forecast = (
        (rto.seconds, judgement.rto_limit_s, rto.basis, rto.error_ratio) if rto else (None, judgement.rto_limit_s, None, None)
    )
    return (judgement.rpo_now_s, judgement.rpo_limit_s, *forecast)


def _set_sheet(record: DayRecord) -> Table:
    spec: Spec = (*WHERE, ("set_id", TEXT, 36), ("level", TEXT, 10), ("parent", TEXT, 36), ("started_at", MOMENT, 18))
    spec += (("finished_at", MOMENT, 18), ("size", BYTES, 18), ("files", COUNT, 10), ("timeline", COUNT, 10), ("usable", TEXT, 8))
    spec += (("place", TEXT, 60),)
    rows = [_set_row(record, d, s) for d in record.ids for s in record.sets.get(d, ())]
    return make_table(word("sheet_sets", record.language), spec, rows, record.period, record.language)


def _set_row(record: DayRecord, database: str, s: BackupSet) -> tuple[Cell, ...]:
    times = (record.local(s.started_at), record.local(s.finished_at))
    level = word(f"level_{s.level.value}", record.language)
    head = (*_where(record, database), s.set_id, level, s.parent_id, *times)
    return (*head, s.total_bytes, s.files, s.timeline, s.is_usable, s.place)


def _drill_sheet(record: DayRecord, drills: dict[str, Drill]) -> Table:
    rows = [(*_where(record, d), *drill_cells(drill, record.zone)) for d, drill in drills.items()]
    return make_table(word("sheet_drills", record.language), (*WHERE, *DRILL_SPEC), rows, record.period, record.language)


def _evidence_sheet(record: DayRecord) -> Table:
    spec: Spec = (*WHERE, ("question", TEXT, 12), ("figure", TEXT, 30), ("value", TEXT, 30))
    rows = [
        (*_where(record, j.database), question_word(v.question, record.language), label_of(field, record.language), value)
        for j in record.judged
        for v in j.verdicts
        for field, value in v.evidence.items()
    ]
    return make_table(word("sheet_evidence", record.language), spec, rows, record.period, record.language)

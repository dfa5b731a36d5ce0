"""The data annex of a work record: every row behind it, raw figures, foreign names cleaned."""

from __future__ import annotations

import json
from collections.abc import Iterable

from drydock.changing.regrowth import Regrowth
from drydock.plans import LeftAlone, ObjectRef
from drydock.reporting.document import Cell, Table
from drydock.reporting.figure_words import figures_text
from drydock.reporting.figures import moment_text
from drydock.reporting.tables import BYTES, COUNT, MOMENT, SECONDS, STATUS, TEXT, Spec, make_table
from drydock.reporting.work_checks import approved_text, plan_check_text, undo_text
from drydock.reporting.work_facts import (
    WorkRecord,
    code_words,
    fixed_or_code,
    object_text,
    place_text,
    reason_words,
    size_of,
)
from drydock.verdicts import Status

ITEM_SPEC: Spec = (
    ("work_number", COUNT, 8),
    ("work_object", TEXT, 44),
    ("work_partition", TEXT, 20),
    ("work_class", TEXT, 28),
    ("code", TEXT, 22),
    ("work_reason", TEXT, 40),
    ("work_figures", TEXT, 50),
    ("work_lock", TEXT, 18),
    ("work_expected", SECONDS, 12),
    ("work_worst", SECONDS, 12),
    ("work_runs", COUNT, 10),
    ("work_would_free", BYTES, 16),
    ("work_logs_expected", BYTES, 16),
    ("work_nights", COUNT, 10),
    ("work_result", STATUS, 10),
    ("work_why", TEXT, 40),
    ("started_at", MOMENT, 18),
    ("finished_at", MOMENT, 18),
    ("work_elapsed", SECONDS, 12),
    ("work_size_before", BYTES, 16),
    ("work_size_after", BYTES, 16),
    ("work_freed", BYTES, 16),
    ("work_logs", BYTES, 16),
    ("work_wait", SECONDS, 12),
    ("work_plan_check", TEXT, 50),
    ("work_undo", TEXT, 40),
    ("work_approved", TEXT, 40),
)


def work_sheets(record: WorkRecord) -> tuple[Table, ...]:
    """Items, statements, answers of interlocks, carried, left alone, notes, regrowth, week."""
    left, notes = (record.plan.left_alone, record.plan.notes) if record.plan else ((), ())
    carried: Spec = (("work_object", TEXT, 44), ("work_class", TEXT, 28), ("work_would_free", BYTES, 16))
    carried += (("work_expected", SECONDS, 12), ("work_nights", COUNT, 10), ("work_why", TEXT, 50))
    long: Spec = (("work_object", TEXT, 44), ("work_why", TEXT, 50), ("work_figures", TEXT, 60), ("work_would_free", BYTES, 16))
    grown: Spec = (("work_object", TEXT, 44), ("work_reclaimed_at", TEXT, 18), ("work_freed", BYTES, 16))
    grown += (("work_regrown_early", BYTES, 18), ("work_regrown_late", BYTES, 18), ("work_left_from_now", TEXT, 14))
    return (
        _sheet(record, "work_sheet_items", ITEM_SPEC, _item_rows(record)),
        _statements(record),
        _answers(record),
        _sheet(record, "work_sheet_carried", carried, carried_rows(record)),
        _sheet(record, "work_sheet_left", long, left_rows(record, left)),
        _sheet(record, "work_sheet_notes", long, left_rows(record, notes)),
        _sheet(record, "work_sheet_regrowth", grown, regrowth_rows(record)),
        _week(record),
    )


def _sheet(record: WorkRecord, caption: str, spec: Spec, rows: Iterable[tuple[Cell, ...]]) -> Table:
    return make_table(record.word(caption), spec, rows, record.period, record.language)


def _item_rows(record: WorkRecord) -> list[tuple[Cell, ...]]:
    language, rows = record.language, []
    for item in record.items:
        c, e, o = item.candidate, item.estimate, record.outcome_of.get(item.key)
        planned = (item.number, object_text(c.object), c.object.partition, code_words("action", c.action, language), c.reason)
        planned += (reason_words(c.reason, language, c.evidence), figures_text(c.evidence, language))
        planned += (code_words("lock", c.lock.value, language), e.expected_s, e.worst_s, e.runs, c.freed_bytes, e.log_bytes)
        became: tuple[Cell, ...] = (None,) * 8
        status, why = (Status.UNKNOWN if item.key in record.begun else Status.SKIPPED), record.word("work_no_outcome")
        if o is not None:
            status, why = o.status, reason_words(o.reason, language, {**o.before, **o.after})
            times = (record.local(o.started_at), record.local(o.ended_at), o.elapsed_s)
            became = (*times, size_of(o.before), size_of(o.after), o.freed_bytes, o.log_bytes, o.longest_wait_s)
        told = (plan_check_text(record, o), undo_text(record, item), approved_text(record, item))
        rows.append((*planned, item.nights_waiting, status.value, why, *became, *told))
    return rows


def _statements(record: WorkRecord) -> Table:
    spec: Spec = (
        ("work_number", COUNT, 8),
        ("started_at", MOMENT, 18),
        ("work_statement", TEXT, 90),
        ("work_put_back", TEXT, 10),
    )
    spec += (("work_elapsed", SECONDS, 12), ("work_wait", SECONDS, 12), ("work_logs", BYTES, 16), ("work_error", TEXT, 14))
    rows = []
    for s in record.statements:
        done = s.done
        cost = (done.elapsed_s, done.wait_s, done.log_bytes, done.error) if done else (None, None, None, record.word("unknown"))
        rows.append((s.number, record.local(s.begun_at), s.text, record.word("yes" if s.put_back else "no"), *cost))
    return _sheet(record, "work_sheet_statements", spec, rows)


def _answers(record: WorkRecord) -> Table:
    spec: Spec = (("work_object", TEXT, 44), ("work_asked", MOMENT, 18), ("work_interlock", TEXT, 18), ("work_open", TEXT, 8))
    spec += (("work_why", TEXT, 50), ("work_figures", TEXT, 60))
    places = {i.key: f"{i.number} {place_text(i.candidate.object)}" for i in record.items}
    rows = [
        (
            places.get(a.item_key, a.item_key),
            record.local(a.at),
            fixed_or_code(f"interlock_{a.answer.interlock.value}", a.answer.interlock.value, record.language),
            record.word("yes" if a.answer.is_open else "no"),
            reason_words(a.answer.reason, record.language, a.answer.figures),
            figures_text(a.answer.figures, record.language),
        )
        for a in record.answers
    ]
    return _sheet(record, "work_sheet_answers", spec, rows)


def carried_rows(record: WorkRecord) -> list[tuple[Cell, ...]]:
    """Object, action, bytes, expected seconds, nights, why: most benefit first, as they were planned."""
    return [
        (
            place_text(c.candidate.object),
            code_words("action", c.candidate.action, record.language),
            c.candidate.freed_bytes,
            c.estimate.expected_s,
            c.nights_waiting,
            reason_words(c.reason, record.language),
        )
        for c in (record.plan.carried if record.plan else ())
    ]


def left_rows(record: WorkRecord, left: Iterable[LeftAlone]) -> list[tuple[Cell, ...]]:
    """Object, why, figures, bytes that would come back: the most first."""
    ordered = sorted(left, key=lambda x: (-x.would_free_bytes, x.object.key))
    return [
        (
            place_text(x.object),
            reason_words(x.reason, record.language, x.evidence),
            figures_text(x.evidence, record.language),
            x.would_free_bytes,
        )
        for x in ordered
    ]


def regrowth_rows(record: WorkRecord) -> list[tuple[Cell, ...]]:
    """Object, when, freed, grown back after the first and second span, left alone: the newest first."""
    newest = sorted(record.regrowth, key=lambda g: (g.reclaimed_at, g.object_key), reverse=True)
    return [_regrowth_row(record, g) for g in newest]


def _regrowth_row(record: WorkRecord, grown: Regrowth) -> tuple[Cell, ...]:
    at = record.local(grown.reclaimed_at)
    bytes_back = (grown.freed_bytes, grown.early_regrown_bytes, grown.late_regrown_bytes)
    return (
        place_of_key(grown.object_key),
        moment_text(at) if at else "",
        *bytes_back,
        record.word("yes" if grown.has_regrown else "no"),
    )


def place_of_key(key: str) -> str:
    """The object that a key names, for a person's eyes."""
    kind, owner, name, partition, column = json.loads(key)
    return place_text(ObjectRef(kind=kind, owner=owner, name=name, partition=partition, column=column))


def _week(record: WorkRecord) -> Table:
    spec: Spec = (("database_id", TEXT, 24), ("work_pipeline", TEXT, 16), ("work_done", COUNT, 10), ("work_failed", COUNT, 10))
    spec += (("work_freed", BYTES, 18), ("work_spent", SECONDS, 14), ("work_logs", BYTES, 18))
    rows = [(w.database, w.pipeline, w.done, w.failed, w.freed_bytes, w.elapsed_s, w.log_bytes) for w in record.week]
    return _sheet(record, "work_sheet_week", spec, rows)

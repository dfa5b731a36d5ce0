"""The items of a run in its record: the table of all, one entry for each that was begun, and what was not begun with its why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from drydock.messages import next_step
from drydock.outcomes import Outcome
from drydock.plans import ObjectKind, ObjectRef, WorkItem
from drydock.reporting.backup_findings import heading_of
from drydock.reporting.document import Block, Cell, Entry, Heading, Paragraph, Turn
from drydock.reporting.figure_words import figures_text
from drydock.reporting.figures import bytes_text, duration_text, moment_text
from drydock.reporting.tables import BYTES, COUNT, SECONDS, STATUS, TEXT, Spec
from drydock.reporting.work_checks import approved_text, plan_check_text, undo_text
from drydock.reporting.work_facts import (
    MOST_ITEM_ROWS,
    WorkRecord,
    code_words,
    fixed_or_code,
    long_table,
    object_text,
    place_text,
    reason_words,
    short_place,
    size_of,
)
from drydock.verdicts import Status, clean_text

OWN_FUNCTIONS = "function_*"
"""What a copy sets up in a schema of its own, one file per function: told as one class, each stands in the annex."""
MOST_ENTRIES = 60
"""Items told in full on paper; all of them are rows of the tables and of the annex."""


def item_blocks(record: WorkRecord) -> Iterator[Block]:
    """The wide table of all items, then each begun item in full."""
    yield Turn(landscape=True)
    yield Heading(level=1, text=record.word("work_items"))
    spec: Spec = (("work_number", COUNT, 0.7), ("work_object", TEXT, 3), ("work_partition", TEXT, 1.2), ("work_class", TEXT, 1.9))
    spec += (("work_reason", TEXT, 2.4), ("work_size_before", BYTES, 1.1), ("work_size_after", BYTES, 1.1))
    spec += (("work_freed", BYTES, 1.1), ("work_elapsed", SECONDS, 1.1), ("work_result", STATUS, 1.1), ("work_why", TEXT, 2))
    yield Paragraph(text=record.word("work_items_note"), style="note")
    yield from long_table(record, "work_items", spec, [_row(record, item) for item in record.items], MOST_ITEM_ROWS)
    yield Turn(landscape=False)
    yield Heading(level=1, text=record.word("work_each"))
    begun = [i for i in record.items if i.key in record.begun]
    yield from [_entry(record, item) for item in begun[:MOST_ENTRIES]] or [Paragraph(text=record.word("work_none_begun"))]
    if len(begun) > MOST_ENTRIES:
        yield Paragraph(text=record.word("work_more_in_annex", n=len(begun) - MOST_ENTRIES), style="note")


def _row(record: WorkRecord, item: WorkItem) -> tuple[Cell, ...]:
    language, ref, outcome = record.language, item.candidate.object, record.outcome_of.get(item.key)
    head = (item.number, *_object_and_partition(record, ref), code_words("action", item.candidate.action, language))
    reason = reason_words(item.candidate.reason, language, item.candidate.evidence)
    if outcome is None or item.key not in record.begun:
        why = reason_words(outcome.reason, language) if outcome else record.word("work_no_outcome")
        status = Status.SKIPPED if outcome else _without_outcome(record, item)
        return (*head, reason, item.candidate.size_bytes, None, None, None, status.value, why)
    before = size_of(outcome.before)
    figures = (before if before is not None else item.candidate.size_bytes, size_of(outcome.after), outcome.freed_bytes)
    return (*head, reason, *figures, outcome.elapsed_s, outcome.status.value, _why(record, outcome))


def _object_and_partition(record: WorkRecord, ref: ObjectRef) -> tuple[str, str]:
    """A partition that is a table of its own (PostgreSQL) stands under its own name, and tells whose part it is."""
    if ref.kind is ObjectKind.PARTITION and not ref.partition and ref.parent and ref.parent != ref.name:
        return short_place(ref), record.word("work_part_of", table=str(clean_text(ref.parent)))
    return object_text(ref), ref.partition


def _without_outcome(record: WorkRecord, item: WorkItem) -> Status:
    """An item that was begun and has no outcome is not known; one that nothing was done of was left."""
    return Status.UNKNOWN if item.key in record.begun else Status.SKIPPED


def _why(record: WorkRecord, outcome: Outcome) -> str:
    return reason_words(outcome.reason, record.language, {**outcome.before, **outcome.after})


def _entry(record: WorkRecord, item: WorkItem) -> Entry:
    outcome = record.outcome_of.get(item.key)
    status = outcome.status if outcome else Status.UNKNOWN
    action = code_words("action", item.candidate.action, record.language)
    text = f"{item.number}. {place_text(item.candidate.object)}{record.word('colon')}{action}"
    return Entry(status=status, text=text, lines=tuple(_lines(record, item, outcome)))


def _lines(record: WorkRecord, item: WorkItem, outcome: Outcome | None) -> Iterator[tuple[str, str]]:
    language, word = record.language, record.word
    reason = reason_words(item.candidate.reason, language, item.candidate.evidence)
    yield word("work_reason"), f"{reason} [{figures_text(item.candidate.evidence, language)}]"
    yield word("work_window"), _when(record, outcome)
    yield word("work_statements"), statement_classes(record, item)
    if outcome is None:
        yield word("work_result"), word("work_no_outcome")
    else:
        yield word("work_before"), figures_text(outcome.before, language)
        yield word("work_after"), figures_text(outcome.after, language)
        yield word("work_came_back"), _gain(record, item, outcome)
        if outcome.reason:
            yield word("work_why"), f"{_why(record, outcome)} ({stop_words(record, outcome)})"
        if outcome.repaired:
            yield word("work_repaired"), record.joined([reason_words(code, language) for code in outcome.repaired])
    yield word("work_plan_check"), plan_check_text(record, outcome)
    yield word("work_undo"), undo_text(record, item)
    yield word("work_approved"), approved_text(record, item)


def stop_words(record: WorkRecord, outcome: Outcome) -> str:
    return fixed_or_code(f"stop_{outcome.stop.value}", outcome.stop.value, record.language)


def _when(record: WorkRecord, outcome: Outcome | None) -> str:
    plan = record.plan
    moments = (plan.window_start, plan.window_end) if plan else ()
    window = " – ".join(moment_text(at) for m in moments if (at := record.local(m)))
    if outcome is None:
        return window
    began, ended = (moment_text(at) for m in (outcome.started_at, outcome.ended_at) if (at := record.local(m)))
    return record.word("work_when", window=window, began=began, ended=ended)


def statement_classes(record: WorkRecord, item: WorkItem) -> str:
    """The SQL files that were sent for the item, how often, and how many of them put something back."""
    counts: dict[str, int] = {}
    for statement in record.of_item(item.key):
        name = statement.text.split(":", 1)[0].split("\n", 1)[0].strip()
        name = OWN_FUNCTIONS if name.startswith("function_") else name
        name = f"{name} ({record.word('work_put_back')})" if statement.put_back else name
        counts[name] = counts.get(name, 0) + 1
    return record.joined([name if n == 1 else f"{name} × {n}" for name, n in counts.items()])


def _gain(record: WorkRecord, item: WorkItem, outcome: Outcome) -> str:
    wait, bound = outcome.longest_wait_s, "≤ " if outcome.after.get("wait_is_bound") else ""
    return record.word(
        "work_gain",
        freed=bytes_text(outcome.freed_bytes),
        planned=bytes_text(item.candidate.freed_bytes),
        elapsed=duration_text(outcome.elapsed_s, record.language),
        logs=bytes_text(outcome.log_bytes),
        wait=record.word("unknown") if wait is None else f"{bound}{wait * 1000:,.0f} ms",
    )


def estimate_blocks(record: WorkRecord) -> Iterator[Block]:
    """What was expected and what it was: seconds, bytes, logs. What is off teaches the next plan."""
    yield Heading(level=1, text=record.word("work_estimates"))
    spec: Spec = (
        ("work_number", COUNT, 0.7),
        ("work_object", TEXT, 3),
        ("work_expected", SECONDS, 1.1),
        ("work_worst", SECONDS, 1.1),
    )
    spec += (
        ("work_elapsed", SECONDS, 1.1),
        ("work_runs", COUNT, 0.9),
        ("work_logs_expected", BYTES, 1.1),
        ("work_logs", BYTES, 1.1),
    )
    rows = [
        _estimate_row(item, o) for item in record.items if (o := record.outcome_of.get(item.key)) and item.key in record.begun
    ]
    yield from long_table(record, "work_estimates", spec, rows, MOST_ITEM_ROWS)
    yield Paragraph(text=_estimate_sum(record, rows), style="note")


def _estimate_row(item: WorkItem, outcome: Outcome) -> tuple[Cell, ...]:
    e = item.estimate
    figures = (e.expected_s, e.worst_s, outcome.elapsed_s, e.runs, e.log_bytes, outcome.log_bytes)
    return (item.number, place_text(item.candidate.object), *figures)


def _estimate_sum(record: WorkRecord, rows: list[tuple[Cell, ...]]) -> str:
    if not rows:
        return record.word("work_none_begun")
    expected, actual = sum(float(r[2] or 0) for r in rows), sum(float(r[4] or 0) for r in rows)
    cold = sum(1 for r in rows if not r[5])
    share = f"{actual / expected:.0%}" if expected else record.word("not_applicable")
    told = {"expected": duration_text(expected, record.language), "actual": duration_text(actual, record.language)}
    return record.word("work_estimates_sum", share=share, n=len(rows), cold=cold, **told)


def skipped_blocks(record: WorkRecord) -> Iterator[Block]:
    """Items of the plan that nothing was done of, with the interlock that was closed and the figures it looked at."""
    yield Heading(level=1, text=record.word("work_skipped"))
    spec: Spec = (("work_number", COUNT, 0.7), ("work_object", TEXT, 2.6), ("work_interlock", TEXT, 1.3))
    spec += (("work_why", TEXT, 2.6), ("work_figures", TEXT, 3.4))
    left = [item for item in record.items if item.key not in record.begun]
    yield from long_table(record, "work_skipped", spec, [_skipped_row(record, item) for item in left], MOST_ITEM_ROWS)
    yield from _what_to_do(record, left)


def _what_to_do(record: WorkRecord, left: Sequence[WorkItem]) -> Iterator[Entry]:
    """Each reason once: how many items it kept from beginning, the next step, and where more of it is written."""
    reasons = Counter(o.reason for i in left if (o := record.outcome_of.get(i.key)) and o.reason)
    for reason, n in reasons.most_common():
        lines = (
            (record.word("next_step"), next_step(reason, record.language) or record.word("none")),
            (record.word("runbook"), heading_of(reason, record.language) or record.word("none")),
        )
        text = record.word("work_left_so", why=reason_words(reason, record.language), n=n)
        yield Entry(status=Status.SKIPPED, text=text, lines=lines)


def _skipped_row(record: WorkRecord, item: WorkItem) -> tuple[Cell, ...]:
    outcome = record.outcome_of.get(item.key)
    head = (item.number, place_text(item.candidate.object))
    if last := record.closed_of.get(item.key):
        interlock = fixed_or_code(f"interlock_{last.interlock.value}", last.interlock.value, record.language)
        why = reason_words(last.reason, record.language, last.figures)
        return (*head, interlock, why, figures_text(last.figures, record.language))
    why = reason_words(outcome.reason, record.language) if outcome else record.word("work_no_outcome")
    return (*head, record.word("work_not_asked"), why, record.word("none"))

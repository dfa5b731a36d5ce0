"""The other chapters of a work record: plan and answer, pictures, what was carried or left, regrowth, the week, findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from drydock.messages import message, next_step
from drydock.outcomes import Interlock
from drydock.reporting import work_charts
from drydock.reporting.backup_findings import heading_of
from drydock.reporting.day_record import name_of
from drydock.reporting.document import Block, Cell, Chart, Entry, Heading, Paragraph
from drydock.reporting.figure_words import figures_text
from drydock.reporting.figures import bytes_text, duration_text, moment_text
from drydock.reporting.tables import BYTES, COUNT, SECONDS, TEXT, Spec, make_table
from drydock.reporting.work_charts import LoadSeen, SizeBar, Span
from drydock.reporting.work_checks import approved_text
from drydock.reporting.work_facts import WorkRecord, fixed_or_code, long_table, reason_words, short_place, size_of
from drydock.reporting.work_sheets import carried_rows, left_rows, regrowth_rows
from drydock.verdicts import Finding

ROWS_PER_CHART, MOST_CHARTS = 14, 3
"""Objects in one picture, and pictures of one kind: those that gained most, and the items that came first."""


def plan_blocks(record: WorkRecord) -> Iterator[Block]:
    """What was planned, what it may cost, and who answered what and when."""
    yield Heading(level=1, text=record.word("work_plan"))
    plan = record.plan
    if plan is None:
        yield Paragraph(text=record.word("work_no_plan"), style="strong")
        return
    spec: Spec = (("figure", TEXT, 1.2), ("value", TEXT, 3))
    yield make_table(record.word("work_plan"), spec, list(_plan_rows(record)), record.period, record.language)


def _plan_rows(record: WorkRecord) -> Iterator[tuple[Cell, ...]]:
    plan, word, language = record.plan, record.word, record.language
    assert plan is not None
    start, end = (moment_text(at) for m in (plan.window_start, plan.window_end) if (at := record.local(m)))
    budget = plan.budget
    planned = (len(plan.items), duration_text(plan.expected_s, language), bytes_text(plan.freed_bytes))
    yield word("work_run"), record.run_key
    yield word("work_triggered"), record.triggered_by or word("work_by_schedule")
    yield word("work_window"), f"{start} – {end} ({record.zone})"
    yield word("work_hash"), plan.hash
    yield word("work_planned"), word("work_planned_text", items=planned[0], minutes=planned[1], freed=planned[2])
    costs = (duration_text(budget.window_s, language), bytes_text(budget.log_bytes), budget.items)
    yield word("work_budget"), word("work_budget_text", window=costs[0], logs=costs[1], items=costs[2])
    counts = {"examined": plan.examined, "carried": len(plan.carried), "left": len(plan.left_alone), "notes": len(plan.notes)}
    yield word("work_looked_at"), word("work_looked_at_text", **counts)
    asked = record.local(record.asked.asked_at) if record.asked else None
    yield word("work_asked"), moment_text(asked) if asked else word("work_nobody_asked")
    yield word("work_approved"), approved_text(record)
    chosen = ", ".join(str(n) for n in record.answer.chosen) if record.answer else ""
    yield word("work_chosen"), chosen or word("none")
    yield word("work_stopped"), fixed_or_code(f"stop_{record.stop.value}", record.stop.value, language)


def chart_blocks(record: WorkRecord) -> Iterator[Block]:
    """Bytes before and after by object, and the window's timeline with the load; in words where there is nothing to draw."""
    yield Heading(level=1, text=record.word("work_pictures"))
    bars = _bars(record)[: ROWS_PER_CHART * MOST_CHARTS]
    for at in range(0, len(bars), ROWS_PER_CHART):
        part = bars[at : at + ROWS_PER_CHART]
        rows = [f"{b.label} {bytes_text(b.before_bytes)} → {bytes_text(b.after_bytes)}" for b in part]
        yield Chart(
            png=work_charts.sizes_chart(part, record.language),
            alt=record.word("chart_alt", rows=record.joined(rows)),
            caption=record.word("work_chart_sizes", day=record.day),
            source=record.word("work_chart_source"),
        )
    yield from _timelines(record)
    if not bars and not record.statements:
        yield Paragraph(text=record.word("work_chart_nothing"))


def _bars(record: WorkRecord) -> list[SizeBar]:
    sides = [(i, o, size_of(o.before), size_of(o.after)) for i in record.items if (o := record.outcome_of.get(i.key))]
    known = [(i, b, a) for i, o, b, a in sides if b is not None and a is not None and i.key in record.begun]
    return [SizeBar(short_place(i.candidate.object), b, a) for i, b, a in sorted(known, key=lambda k: (k[2] - k[1], k[0].number))]


def _timelines(record: WorkRecord) -> Iterator[Block]:
    keys = [i.key for i in record.items if record.of_item(i.key)][: ROWS_PER_CHART * MOST_CHARTS]
    plan = record.plan
    if plan is None or not keys:
        return
    labels = {i.key: f"{i.number} {short_place(i.candidate.object)}" for i in record.items}
    for at in range(0, len(keys), ROWS_PER_CHART):
        part = keys[at : at + ROWS_PER_CHART]
        spans = [s for row, key in enumerate(part) for s in _spans(record, row, key)]
        loads = _loads(record)
        drawn = ([labels[k] for k in part], spans, loads, (plan.window_start, plan.window_end))
        rows = [f"{labels[k]} {len(record.of_item(k))}" for k in part]
        yield Chart(
            png=work_charts.timeline_chart(*drawn, record.policy.max_sessions_per_core, record.language, record.zone),
            alt=record.word("work_chart_timeline_alt", rows=record.joined(rows), loads=len(loads)),
            caption=record.word("work_chart_timeline"),
            source=record.word("work_chart_source"),
        )


def _spans(record: WorkRecord, row: int, key: str) -> list[Span]:
    ended = [(s, s.done) for s in record.of_item(key) if s.done]
    return [
        Span(
            row,
            done.started_at,
            done.started_at + timedelta(seconds=done.elapsed_s),
            "failed" if done.error else "put_back" if s.put_back else "work",
        )
        for s, done in ended
    ]


def _loads(record: WorkRecord) -> list[LoadSeen]:
    """What the interlocks saw all night, also for items that they kept from beginning."""
    told = [(a, a.answer.figures.get("sessions_per_core")) for a in record.answers if a.answer.interlock is Interlock.LOAD]
    return [LoadSeen(a.at, float(f)) for a, f in told if isinstance(f, int | float)]


def carried_blocks(record: WorkRecord) -> Iterator[Block]:
    """Why the run did no more, and what waits for the next night."""
    yield Heading(level=1, text=record.word("work_carried"))
    stop = fixed_or_code(f"stop_{record.stop.value}", record.stop.value, record.language)
    yield Paragraph(text=record.word("work_stopped_text", stop=stop), style="strong")
    spec: Spec = (("work_object", TEXT, 3), ("work_class", TEXT, 1.7), ("work_would_free", BYTES, 1.1))
    spec += (("work_expected", SECONDS, 1.1), ("work_nights", COUNT, 0.8), ("work_why", TEXT, 2.6))
    yield from long_table(record, "work_carried", spec, carried_rows(record))


def left_blocks(record: WorkRecord) -> Iterator[Block]:
    """Every candidate that was left alone, counted by reason and listed; then the notes, which are never work."""
    plan = record.plan
    yield Heading(level=1, text=record.word("work_left"))
    left = plan.left_alone if plan else ()
    counted = Counter(x.reason for x in left)
    freed = {code: sum(x.would_free_bytes for x in left if x.reason == code) for code in counted}
    rows = [(reason_words(c, record.language), n, freed[c]) for c, n in sorted(counted.items(), key=lambda p: (-p[1], p[0]))]
    spec: Spec = (("work_why", TEXT, 4), ("change_count", COUNT, 1), ("work_would_free", BYTES, 1.2))
    yield make_table(record.word("work_left_counts"), spec, rows, record.period, record.language)
    long: Spec = (("work_object", TEXT, 3), ("work_why", TEXT, 2.6), ("work_figures", TEXT, 3), ("work_would_free", BYTES, 1.1))
    yield from long_table(record, "work_left", long, left_rows(record, left))
    yield Heading(level=1, text=record.word("work_notes"))
    yield Paragraph(text=record.word("work_notes_text"), style="note")
    yield from long_table(record, "work_notes", long, left_rows(record, plan.notes if plan else ()))


def regrowth_blocks(record: WorkRecord) -> Iterator[Block]:
    """What came of earlier work: bytes that grew back after 7 and 30 days, and what is left alone because of it."""
    early, late = record.policy.regrowth_days
    yield Heading(level=1, text=record.word("work_regrowth"))
    spec: Spec = (("work_object", TEXT, 3), ("work_reclaimed_at", TEXT, 1.4), ("work_freed", BYTES, 1.1))
    spec += (("work_regrown_early", BYTES, 1.2), ("work_regrown_late", BYTES, 1.2), ("work_left_from_now", TEXT, 1))
    yield from long_table(record, "work_regrowth", spec, regrowth_rows(record))
    ratio = f"{record.policy.regrowth_ratio:.0%}"
    yield Paragraph(text=record.word("work_regrowth_note", early=early, late=late, ratio=ratio), style="note")


def week_blocks(record: WorkRecord) -> Iterator[Block]:
    """Bytes back and minutes spent in the seven days to the run's, by database."""
    yield Heading(level=1, text=record.word("work_week"))
    names = {d.id: name_of(d, record.language) for d in record.estate.databases}
    spec: Spec = (("database", TEXT, 2.6), ("work_pipeline", TEXT, 1.3), ("work_done", COUNT, 0.8), ("work_failed", COUNT, 0.8))
    spec += (("work_freed", BYTES, 1.2), ("work_spent", SECONDS, 1.2), ("work_logs", BYTES, 1.2))
    rows = [
        (
            names.get(w.database, w.database),
            record.word(f"pipeline_{w.pipeline}"),
            w.done,
            w.failed,
            w.freed_bytes,
            w.elapsed_s,
            w.log_bytes,
        )
        for w in record.week
    ]
    yield make_table(record.word("work_week"), spec, rows, record.word("work_week_period", day=record.week_day), record.language)
    freed, spent = sum(w.freed_bytes for w in record.week), sum(w.elapsed_s for w in record.week)
    told = {"freed": bytes_text(freed), "spent": duration_text(spent, record.language)}
    yield Paragraph(text=record.word("work_week_sum", n=len({w.database for w in record.week}), **told))


def finding_blocks(record: WorkRecord) -> Iterator[Block]:
    """What the check after the work found."""
    yield Heading(level=1, text=record.word("work_findings"))
    if record.verification is None:
        yield Paragraph(text=record.word("work_not_verified"), style="strong")
        return
    found = [_entry(record, f) for v in record.verification.verdicts for f in v.findings]
    yield from found or [Paragraph(text=record.word("work_no_findings"))]


def _entry(record: WorkRecord, finding: Finding) -> Entry:
    language = record.language
    lines = (
        (record.word("place"), finding.place or record.word("none")),
        (record.word("evidence"), figures_text(finding.values, language)),
        (record.word("next_step"), next_step(finding.code, language) or record.word("none")),
        (record.word("runbook"), heading_of(finding.code, language) or record.word("none")),
    )
    return Entry(status=finding.effective, text=message(finding, language), lines=lines)

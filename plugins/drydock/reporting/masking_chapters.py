"""The first chapters of the report on a masked copy: basis, scope, catalogue, policy, and the record of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from drydock.masking.policies.policy import ResolvedRule, SubsetRule, Technique
from drydock.masking.values.kinds import all_kinds
from drydock.plans import WorkItem
from drydock.reporting import masking_charts
from drydock.reporting.document import Block, Cell, Chart, Heading, Paragraph, Turn
from drydock.reporting.figures import duration_text, moment_text
from drydock.reporting.masking_facts import MaskingRecord
from drydock.reporting.tables import BYTES, COUNT, DAY, SECONDS, TEXT, Spec, make_table
from drydock.reporting.work_checks import approved_text
from drydock.reporting.work_facts import DONE, code_words, fixed_or_code, long_table, reason_words
from drydock.verdicts import Status, clean_text

MOST_KINDS = 30
NO_KIND = ""


def basis_blocks(record: MaskingRecord) -> Iterator[Block]:
    """On what grounds: contract, standards, the confirmed policy, the plan and who said yes."""
    yield Heading(level=1, text=record.word("mr_basis"))
    yield Paragraph(text=record.word("mr_basis_text"))
    spec: Spec = (("figure", TEXT, 1.2), ("value", TEXT, 3))
    yield make_table(record.word("mr_basis"), spec, list(_basis_rows(record)), record.period, record.language)


def _basis_rows(record: MaskingRecord) -> Iterator[tuple[Cell, ...]]:
    word, plan, policy = record.word, record.plan, record.masking
    yield word("cover_contract"), record.estate.contract
    yield word("work_run"), record.run_key
    yield word("work_triggered"), record.triggered_by or word("work_by_schedule")
    yield word("mr_purpose"), policy.purpose if policy else word("unknown")
    reviews = sorted({f"{r.reviewer} {r.reviewed}" for r in record.rules if r.is_confirmed})
    yield word("mr_confirmed_by"), record.joined(reviews)
    yield word("mr_policy_digest"), _digest(record)
    if plan is None:
        yield word("work_plan"), word("work_no_plan")
        return
    start, end = (moment_text(at) for m in (plan.window_start, plan.window_end) if (at := record.local(m)))
    yield word("work_window"), f"{start} – {end} ({record.zone})"
    yield word("work_hash"), plan.hash
    yield word("work_approved"), approved_text(record)


def _digest(record: MaskingRecord) -> str:
    planned = str(record.plan.figures.get("policy_digest", "")) if record.plan else ""
    if not planned:
        return record.word("unknown")
    return planned if record.policy_is_planned else f"{planned} ({record.word('mr_policy_changed')})"


def scope_blocks(record: MaskingRecord) -> Iterator[Block]:
    """From where to where, which tables with how many rows and columns, and what is not in the copy."""
    yield Heading(level=1, text=record.word("mr_scope"))
    if record.masking is None:
        yield Paragraph(text=record.word("mr_no_policy"), style="strong")
        return
    spec: Spec = (("figure", TEXT, 1.2), ("value", TEXT, 3))
    yield make_table(record.word("mr_from_to"), spec, list(_from_to(record)), record.period, record.language)
    spec = (("work_object", TEXT, 3), ("mr_columns_masked", COUNT, 1), ("mr_columns_kept", COUNT, 1))
    spec += (("mr_rows_in", COUNT, 1.1), ("mr_rows_out", COUNT, 1.1))
    yield from long_table(record, "mr_tables", (*spec, ("mr_remark", TEXT, 2.4)), table_rows(record))
    rows: list[tuple[Cell, ...]] = [(name, why) for name, why in record.masking.left_out.items()]
    yield from long_table(record, "mr_left_out", (("work_object", TEXT, 3), ("work_why", TEXT, 5)), rows)


def _from_to(record: MaskingRecord) -> Iterator[tuple[Cell, ...]]:
    policy, word = record.masking, record.word
    assert policy is not None
    target = policy.chosen_target()
    yield word("mr_source"), f"{record.name} ({policy.database}); {', '.join(policy.source.schemas)}"
    yield (
        word("mr_target"),
        f"{target.id} ({fixed_or_code(f'mr_environment_{target.environment}', target.environment, record.language)})",
    )
    others = [t.id for t in policy.targets if t.id != target.id]
    yield word("mr_allowed"), record.joined([target.id, *others])
    yield (
        word("mr_subset"),
        record.joined([_subset_text(record, rule) for rule in policy.subset]) if policy.subset else word("mr_all_rows"),
    )
    yield word("mr_verified_share"), f"{policy.verified_percent:g}%"


def _subset_text(record: MaskingRecord, rule: SubsetRule) -> str:
    """What starts the subset; the values of chosen rows are told as a number."""
    days = word_of_days(record, rule)
    if rule.by == "percentage":
        return record.word("mr_subset_percent", table=rule.table, percent=f"{rule.percent:g}")
    if rule.by == "rows":
        return record.word("mr_subset_rows", table=rule.table, column=rule.column, n=len(rule.values))
    return record.word("mr_subset_dates", table=rule.table, column=rule.column, days=days)


def word_of_days(record: MaskingRecord, rule: SubsetRule) -> str:
    if rule.newest_days is not None:
        return record.word("days", n=rule.newest_days)
    return f"{rule.since or '…'} – {rule.until or '…'}"


def table_rows(record: MaskingRecord) -> list[tuple[Cell, ...]]:
    """Each table of the policy: columns that are masked and kept, rows of the source and of the copy, and what is special."""
    policy, rows, wanted = record.masking, [], record.rows_wanted
    counted = record.copy.rows if record.copy else {}
    for name, rules in policy.tables.items() if policy else ():
        changing = sum(rule.technique is not Technique.KEEP for rule in rules.columns.values())
        kept = len(rules.keep) + len(rules.columns) - changing
        remark = record.word("mr_structure_only") if rules.structure_only else ""
        out = 0 if rules.structure_only else counted.get(name)
        rows.append((name, changing, kept, None if rules.structure_only else wanted.get(name), out, remark))
    return rows


def catalogue_blocks(record: MaskingRecord) -> Iterator[Block]:
    """What is sensitive: kinds with their columns, classes and levels. Counts, never values."""
    yield Heading(level=1, text=record.word("mr_catalogue"))
    yield Paragraph(
        text=record.word("mr_catalogue_text", n=len(record.rules), kinds=len({r.kind for r in record.rules if r.kind}))
    )
    if not record.rules:
        yield Paragraph(text=record.word("mr_no_rules"), style="strong")
        return
    spec: Spec = (("mr_kind", TEXT, 2.2), ("mr_class", TEXT, 2.2), ("mr_level", TEXT, 1.6), ("mr_columns", COUNT, 1))
    counts = Counter((r.kind or NO_KIND, r.rule.class_, r.rule.level) for r in record.rules)
    rows = [(kind_word(record, kind), *_graded(record, class_, level), n) for (kind, class_, level), n in counts.most_common()]
    yield from long_table(record, "mr_catalogue", spec, rows)
    bars = kind_bars(record)[:MOST_KINDS]
    yield Chart(
        png=masking_charts.kinds_chart(bars, record.language),
        alt=record.word("chart_alt", rows=record.joined([f"{name} {masked} + {kept}" for name, masked, kept in bars])),
        caption=record.word("mr_chart_kinds"),
        source=record.word("mr_source_columns"),
    )


def kind_bars(record: MaskingRecord) -> list[tuple[str, int, int]]:
    """Kind, columns that change, columns that are kept with a reason; the most columns first."""
    masked = Counter(r.kind or NO_KIND for r in record.rules if r.technique is not Technique.KEEP)
    kept = Counter(r.kind or NO_KIND for r in record.rules if r.technique is Technique.KEEP)
    ordered = sorted({*masked, *kept}, key=lambda kind: (-masked[kind] - kept[kind], kind))
    return [(kind_word(record, kind), masked[kind], kept[kind]) for kind in ordered]


def kind_word(record: MaskingRecord, kind: str) -> str:
    known = all_kinds().get(kind)
    if known is None:
        return record.word("mr_no_kind") if kind == NO_KIND else fixed_or_code(f"mr_kind_{kind}", kind, record.language)
    return known.name_zh if record.language == "zh" else known.name_en


def _graded(record: MaskingRecord, class_: str, level: str) -> tuple[str, str]:
    return (
        fixed_or_code(f"mr_class_{class_.replace('-', '_')}", class_, record.language),
        fixed_or_code(f"mr_level_{level}", level, record.language),
    )


def policy_blocks(record: MaskingRecord) -> Iterator[Block]:
    """What becomes of each column, and who confirmed it; joins, quasi-identifiers and exceptions that were declared."""
    yield Turn(landscape=True)
    yield Heading(level=1, text=record.word("mr_policy"))
    counts = Counter(r.technique for r in record.rules)
    told = [f"{technique_word(record, t)} {n}" for t, n in counts.most_common()]
    kept = sum(len(rules.keep) for rules in record.masking.tables.values()) if record.masking else 0
    yield Paragraph(text=record.word("mr_policy_text", techniques=record.joined(told), kept=kept))
    spec: Spec = (("mr_table", TEXT, 2.4), ("mr_column", TEXT, 1.8), ("mr_kind", TEXT, 1.6), ("mr_level", TEXT, 1.2))
    spec += (("mr_technique", TEXT, 1.5), ("mr_parameters", TEXT, 2.2), ("mr_domain", TEXT, 1.5))
    spec += (("mr_reviewer", TEXT, 1.1), ("mr_reviewed", DAY, 1.2))
    yield from long_table(record, "mr_policy_columns", spec, [_policy_row(record, rule) for rule in record.rules])
    yield Paragraph(text=record.word("mr_policy_note"), style="note")
    yield from _declared(record)
    yield Turn(landscape=False)


def _policy_row(record: MaskingRecord, rule: ResolvedRule) -> tuple[Cell, ...]:
    head = (
        rule.table,
        rule.column,
        kind_word(record, rule.kind or NO_KIND),
        _graded(record, rule.rule.class_, rule.rule.level)[1],
    )
    told = (technique_word(record, rule.technique), parameters_text(record, rule), rule.join_domain)
    return (*head, *told, rule.reviewer or record.word("mr_unconfirmed"), rule.reviewed)


def technique_word(record: MaskingRecord, technique: Technique) -> str:
    return record.word(f"mr_technique_{technique.value}")


def parameters_text(record: MaskingRecord, rule: ResolvedRule) -> str:
    """What the technique was told, as the policy file writes it; the constant of `replace` is told as given, not shown."""
    p = rule.parameters
    told = [f"{name}: {'…' if name == 'value' else _parameter(getattr(p, name))}" for name in p.given()]
    return ", ".join([*told, *([rule.rule.reason] if rule.rule.reason else [])])


def _parameter(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_parameter, value)) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def _declared(record: MaskingRecord) -> Iterator[Block]:
    policy = record.masking
    if policy is None:
        return
    joins: list[tuple[Cell, ...]] = [
        (f"{j.child} ({', '.join(j.columns)})", f"{j.parent} ({', '.join(j.parent_columns)})") for j in policy.joins
    ]
    yield from long_table(record, "mr_joins", (("mr_child", TEXT, 3), ("mr_parent", TEXT, 3)), joins)
    sets: list[tuple[Cell, ...]] = [
        (q.id, q.table, ", ".join(q.columns), q.k, ", ".join(q.sensitive), q.l_diversity) for q in policy.quasi_identifiers
    ]
    spec: Spec = (("mr_set", TEXT, 1.4), ("mr_table", TEXT, 2), ("mr_columns", TEXT, 2.4), ("mr_k", COUNT, 0.7))
    yield from long_table(record, "mr_sets", (*spec, ("mr_sensitive", TEXT, 1.6), ("mr_l", COUNT, 0.7)), sets)
    carried: list[tuple[Cell, ...]] = [(str(clean_text(place)), why) for place, why in policy.carried_over.items()]
    yield from long_table(record, "mr_carried_over", (("place", TEXT, 3), ("work_why", TEXT, 4)), carried)


def run_blocks(record: MaskingRecord) -> Iterator[Block]:
    """What was done: items by action, chunks and rows, seconds, kills and what went on after them, who approved."""
    yield Heading(level=1, text=record.word("mr_run"))
    if record.plan is None:
        yield Paragraph(text=record.word("work_no_plan"), style="strong")
        return
    spec: Spec = (("figure", TEXT, 1.4), ("value", TEXT, 3))
    yield make_table(record.word("mr_run"), spec, list(_run_rows(record)), record.period, record.language)
    spec = (("work_class", TEXT, 2.2), ("mr_items", COUNT, 0.8), ("work_done", COUNT, 0.8), ("work_failed", COUNT, 0.8))
    spec += (("mr_rows", COUNT, 1.2), ("mr_bytes", BYTES, 1.1), ("work_elapsed", SECONDS, 1.1))
    rows = [_action_row(record, action) for action in dict.fromkeys(i.candidate.action for i in record.items)]
    yield make_table(record.word("mr_steps"), spec, rows, record.period, record.language)
    yield Paragraph(text=record.word("mr_steps_note"), style="note")
    yield from _counted(record)
    yield from _not_done(record)


def _counted(record: MaskingRecord) -> Iterator[Block]:
    """Each masked column with its technique: rows of its table, and what the streams counted of its values."""
    spec: Spec = (("mr_table", TEXT, 2.4), ("mr_column", TEXT, 1.8), ("mr_technique", TEXT, 1.5), ("mr_rows", COUNT, 1.1))
    spec += (("mr_counted_masked", COUNT, 1.1), ("mr_counted_nulls", COUNT, 1.1), ("mr_counted_unknown", COUNT, 1.1))
    rows = [_counted_row(record, rule) for rule in record.masked]
    yield from long_table(record, "mr_counted", spec, rows)
    uncounted = sum(1 for row in rows if row[4] is None or row[4] + row[5] != row[3])  # type: ignore[operator]
    if uncounted:
        yield Paragraph(text=record.word("mr_counted_partly", n=uncounted), style="note")


def _counted_row(record: MaskingRecord, rule: ResolvedRule) -> tuple[Cell, ...]:
    rows = record.copy.rows.get(rule.table) if record.copy else None
    masked, nulls, unknown = record.counts_of(rule) or (None, None, None)
    return rule.table, rule.column, technique_word(record, rule.technique), rows, masked, nulls, unknown


def _run_rows(record: MaskingRecord) -> Iterator[tuple[Cell, ...]]:
    word, begun = record.word, [o for o in record.outcomes if o.item_key in record.begun]
    starts, ends = [o.started_at for o in begun], [o.ended_at for o in begun]
    if starts and (first := record.local(min(starts))) and (last := record.local(max(ends))):
        yield word("mr_when"), word("from_to", start=moment_text(first), end=moment_text(last))
    chunks = record.items_of("mask_chunk")
    done = sum(1 for i in chunks if i.key in record.outcome_of and record.outcome_of[i.key].status in DONE)
    yield word("mr_chunks"), f"{done:,} / {len(chunks):,}"
    yield word("mr_rows"), f"{record.copied_rows:,}" if record.copied_rows is not None else word("unknown")
    if record.ways:
        ways = [word("mr_way_numpy" if "numpy" in way else "mr_way_compiled", why=why) for way, why in record.ways]
        yield word("mr_way"), record.joined(ways)
    yield word("mr_worked_s"), duration_text(sum(o.elapsed_s for o in begun), record.language)
    yield word("mr_pictures"), word("mr_pictures_text", pictures=record.pictures, generations=record.generations)
    yield word("mr_resumed"), f"{record.resumed:,} / {len(record.begun):,}"
    yield (
        word("mr_statements"),
        f"{sum(1 for s in record.statements if s.done and not s.done.error):,} / {len(record.statements):,}",
    )
    yield word("work_stopped"), fixed_or_code(f"stop_{record.stop.value}", record.stop.value, record.language)


def _action_row(record: MaskingRecord, action: str) -> tuple[Cell, ...]:
    items = record.items_of(action)
    outcomes = [record.outcome_of[i.key] for i in items if i.key in record.outcome_of]
    failed = sum(o.status in (Status.FAIL, Status.UNKNOWN) for o in outcomes)
    rows = sum(n for o in outcomes if isinstance(n := o.after.get("rows_of_item"), int))
    told = rows if action == "mask_chunk" else None
    done = sum(o.status in DONE for o in outcomes)
    size = sum(i.candidate.size_bytes for i in items) or None
    return (
        code_words("action", action, record.language),
        len(items),
        done,
        failed,
        told,
        size,
        sum(o.elapsed_s for o in outcomes),
    )


def _not_done(record: MaskingRecord) -> Iterator[Block]:
    """Each item that failed or was not done, with its reason."""
    left = [i for i in record.items if i.key not in record.outcome_of or record.outcome_of[i.key].status not in DONE]
    spec: Spec = (("work_number", COUNT, 0.7), ("work_class", TEXT, 1.8), ("work_object", TEXT, 2.4), ("work_why", TEXT, 3.4))
    yield from long_table(record, "mr_not_done", spec, [_left_row(record, item) for item in left])
    carried = (
        [(code_words("action", c.candidate.action, record.language), c.reason) for c in record.plan.carried]
        if record.plan
        else []
    )
    if carried:
        reasons = Counter(reason for _, reason in carried)
        told = [f"{reason_words(reason, record.language)} × {n}" for reason, n in reasons.most_common()]
        yield Paragraph(text=record.word("mr_not_planned", n=len(carried), why=record.joined(told)), style="strong")


def _left_row(record: MaskingRecord, item: WorkItem) -> tuple[Cell, ...]:
    outcome, ref = record.outcome_of.get(item.key), item.candidate.object
    why = (
        reason_words(outcome.reason, record.language, {**outcome.before, **outcome.after})
        if outcome
        else record.word("work_no_outcome")
    )
    if outcome and (last := record.closed_of.get(item.key)):
        why = reason_words(last.reason, record.language, last.figures) or why
    place = str(clean_text(".".join(p for p in (ref.owner, ref.name) if p)))
    return item.number, code_words("action", item.candidate.action, record.language), place, why or record.word("unknown")

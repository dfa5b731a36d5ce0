"""The last chapters of the report on a masked copy: safety of the run, state of the data, problems and advice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from drydock.ledger.models import Event
from drydock.messages import message, next_step, question_word
from drydock.outcomes import Outcome, StopReason
from drydock.reporting.backup_findings import heading_of
from drydock.reporting.document import Block, Cell, Entry, Heading, Paragraph
from drydock.reporting.figure_words import figures_text
from drydock.reporting.figures import moment_text
from drydock.reporting.masking_facts import DELIVERING, DESTROYING, MaskingRecord
from drydock.reporting.masking_places import place_words
from drydock.reporting.masking_verified import all_verdicts, doubtful
from drydock.reporting.tables import COUNT, TEXT, Spec, make_table
from drydock.reporting.work_facts import DONE, fixed_or_code, long_table, place_text, reason_words
from drydock.verdicts import Finding, Status

MOST_ENTRIES, MOST_ALIKE, MOST_NAMED = 40, 4, 40


def safety_blocks(record: MaskingRecord) -> Iterator[Block]:
    """The key by its fingerprint, who may read the copy, what was destroyed, and which interlocks were asked."""
    yield Heading(level=1, text=record.word("mr_safety"))
    spec: Spec = (("figure", TEXT, 1.4), ("value", TEXT, 3))
    yield make_table(record.word("mr_safety"), spec, list(_safety_rows(record)), record.period, record.language)
    yield Paragraph(text=record.word("mr_safety_note"), style="note")
    asked = Counter(a.answer.interlock.value for a in record.answers)
    closed = Counter(a.answer.interlock.value for a in record.answers if not a.answer.is_open)
    rows: list[tuple[Cell, ...]] = [
        (fixed_or_code(f"interlock_{name}", name, record.language), n, closed[name]) for name, n in asked.items()
    ]
    spec = (("work_interlock", TEXT, 2), ("mr_asked", COUNT, 1), ("mr_closed", COUNT, 1))
    yield from long_table(record, "mr_interlocks", spec, rows)


def _safety_rows(record: MaskingRecord) -> Iterator[tuple[Cell, ...]]:
    word, policy, seen = record.word, record.masking, record.key_seen
    unknown = word("unknown")
    yield word("mr_key_epoch"), str(seen.detail.get("epoch")) if seen else unknown
    yield word("mr_key_fingerprint"), str(seen.detail.get("fingerprint")) if seen else unknown
    yield word("mr_key_family"), str(seen.detail.get("family")) if seen else unknown
    yield word("mr_key_place"), str(seen.detail.get("connection")) if seen else unknown
    gone = [
        f"{e.detail.get('epoch')} ({moment_text(at)})"
        for e in record.events_of(Event.MASKING_KEY_GONE)
        if (at := record.local(e.at))
    ]
    yield word("mr_keys_gone"), record.joined(gone)
    if any(record.events_of(Event.MASKING_KEY_CHANGED)):
        yield word("mr_key_changed"), word("mr_key_changed_text")
    yield word("mr_accounts"), f"{policy.source.connection} → {policy.chosen_target().connection}" if policy else unknown
    yield word("mr_readers"), (record.joined(list(policy.chosen_target().readers)) if policy else unknown)
    yield word("mr_destroyed"), _destroyed(record)
    yield word("mr_statements"), f"{len(record.statements):,}"


def _destroyed(record: MaskingRecord) -> str:
    outcome = record.outcome_with(DESTROYING)
    if outcome is None:
        return record.word("mr_not_destroyed_yet")
    figures = {name: outcome.after.get(name, 0) for name in ("dropped", "left")}
    at = record.local(outcome.ended_at)
    key = "mr_destroyed_text" if outcome.status in DONE and not figures["left"] else "mr_destroyed_part"
    told = record.word(key, at=moment_text(at) if at else "", **figures)
    return f"{told} {record.word('mr_quarantine_kept')}" if outcome.after.get("quarantined") else told


def state_blocks(record: MaskingRecord) -> Iterator[Block]:
    """Where the copy is now, from which moment of the source, and how many rows it has."""
    yield Heading(level=1, text=record.word("mr_state"))
    yield Paragraph(text=state_text(record), style="strong")
    spec: Spec = (("figure", TEXT, 1.4), ("value", TEXT, 3))
    yield make_table(record.word("mr_state"), spec, list(_state_rows(record)), record.period, record.language)


def state_text(record: MaskingRecord) -> str:
    """One sentence: delivered, or not and why."""
    outcome = record.outcome_with(DELIVERING)
    why = _why_not(record, outcome)
    target = record.masking.target if record.masking else record.word("unknown")
    return record.word(f"mr_state_{record.state}", target=target, why=why)


def _why_not(record: MaskingRecord, outcome: Outcome | None) -> str:
    if outcome is not None and outcome.reason:
        return reason_words(outcome.reason, record.language, {**outcome.before, **outcome.after})
    if record.plan is not None and not record.plan.items:
        return record.word("mr_nothing_planned")
    red = [question_word(v.question, record.language) for v in all_verdicts(record) if v.status is Status.FAIL]
    if red and record.stop is StopReason.DONE:
        return record.word("mr_red_questions", questions=record.joined(red))
    return fixed_or_code(f"stop_{record.stop.value}", record.stop.value, record.language)


def _state_rows(record: MaskingRecord) -> Iterator[tuple[Cell, ...]]:
    word = record.word
    outcome, world = record.outcome_with(DELIVERING), record.copy
    at = record.local(outcome.ended_at) if outcome and outcome.status in DONE else None
    yield word("mr_target"), record.masking.target if record.masking else word("unknown")
    yield word("mr_delivered_at"), moment_text(at) if at else word("mr_not_delivered")
    pictures = list(record.events_of(Event.MASKING_PICTURE))
    taken = record.local(pictures[-1].at) if pictures else None
    yield word("mr_picture_at"), moment_text(taken) if taken else word("unknown")
    yield word("mr_identity"), str(pictures[-1].detail.get("identity", "")) if pictures else word("unknown")
    yield word("mr_tables"), f"{len(world.rows):,}" if world else word("unknown")
    yield word("mr_rows"), f"{record.copied_rows:,}" if record.copied_rows is not None else word("unknown")
    yield word("mr_generation"), f"{record.generation}" if record.generation is not None else word("unknown")
    yield word("mr_valid_until"), word("mr_valid_until_text")


def problem_blocks(record: MaskingRecord) -> Iterator[Block]:
    """Findings with what to do, what the plan noted, and what is lacking for a better answer."""
    yield Heading(level=1, text=record.word("mr_problems"))
    yield from list(_findings(record)) or [Paragraph(text=record.word("mr_no_problems"))]
    notes = record.plan.notes if record.plan else ()
    rows: list[tuple[Cell, ...]] = [
        (place_text(n.object), reason_words(n.reason, record.language, {"place": n.object.name, **n.evidence})) for n in notes
    ]
    yield from long_table(record, "mr_notes", (("place", TEXT, 2.4), ("mr_note", TEXT, 4)), rows)
    yield Heading(level=2, text=record.word("mr_advice"))
    for key in advice(record):
        yield Paragraph(text=record.word(key))


def _findings(record: MaskingRecord) -> Iterator[Block]:
    """Each finding; of many that say the same of many places the first ones, and how many more there are."""
    alike: dict[tuple[str, str, Status], list[Finding]] = {}
    for verdict in all_verdicts(record):
        for found in verdict.findings:
            alike.setdefault((verdict.question, found.code, found.effective), []).append(found)
    for (question, _, _), some in list(alike.items())[:MOST_ENTRIES]:
        yield from (_entry(record, question, found) for found in some[:MOST_ALIKE])
        if len(some) > MOST_ALIKE:
            places = [place_words(f.place, record.language) for f in some[MOST_ALIKE:] if f.place]
            told = record.joined([*places[:MOST_NAMED], *(["…"] if len(places) > MOST_NAMED else [])])
            yield Paragraph(text=record.word("mr_more_alike", n=len(some) - MOST_ALIKE, places=told), style="note")


def _entry(record: MaskingRecord, question: str, finding: Finding) -> Entry:
    language = record.language
    lines = (
        (record.word("question"), question_word(question, language)),
        (record.word("place"), finding.place or record.word("none")),
        (record.word("evidence"), figures_text(finding.values, language)),
        (record.word("next_step"), next_step(finding.code, language) or record.word("none")),
        (record.word("runbook"), heading_of(finding.code, language) or record.word("none")),
    )
    return Entry(status=finding.effective, text=message(finding, language), lines=lines)


def advice(record: MaskingRecord) -> Iterator[str]:
    """Keys of the words that say what would make the next report tell more, or the copy safer."""
    policy, copy = record.masking, record.copy
    if record.state != "delivered":
        yield "mr_advice_again"
    if policy is not None and policy.reidentification_threshold is None:
        yield "mr_advice_threshold"
    if policy is not None and not policy.quasi_identifiers:
        yield "mr_advice_sets"
    if policy is not None and not policy.canaries:
        yield "mr_advice_canaries"
    if policy is not None and policy.verified_percent < 100:
        yield "mr_advice_share"
    if copy is not None and copy.residual is not None and doubtful(copy.residual.reading):
        yield "mr_advice_unread"
    if record.outcome_with(DESTROYING) is None or record.outcome_with(DESTROYING).status is not Status.PASS:  # type: ignore[union-attr]
        yield "mr_advice_destroy"
    yield "mr_advice_epoch"

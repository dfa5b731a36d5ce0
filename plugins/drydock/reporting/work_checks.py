"""What the record says of one item beside its figures: who approved it, how it would be undone, and whether plans changed."""

from __future__ import annotations

from collections.abc import Mapping

from drydock.estate import Engine
from drydock.outcomes import Decision, Outcome
from drydock.plans import WorkItem
from drydock.reporting.figure_words import figures_text
from drydock.reporting.figures import moment_text
from drydock.reporting.words import load_words
from drydock.reporting.work_facts import WorkRecord, reason_words
from drydock.verdicts import Figure

OPTIMIZER_FIGURES = (
    *("leaf_blocks", "leaf_pages", "blevel", "tree_level", "clustering_factor", "distinct_keys", "num_rows", "blocks"),
    *("avg_leaf_density", "density_ratio", "leaf_fragmentation", "reltuples", "relpages", "last_analyzed"),
)
"""Figures that an optimizer reads from: where before and after tell them, a change of theirs may change a plan."""


def approved_text(record: WorkRecord, item: WorkItem | None = None) -> str:
    """Who said yes and when: a person, or the standing approval with the name of who granted it. Nobody is told as nobody."""
    answer = record.answer
    if answer is None:
        return record.word("work_dry_run_asks_nobody" if record.dry_run else "work_nobody_asked")
    at = record.local(answer.answered_at)
    when = moment_text(at) if at else ""
    if answer.decision is Decision.STANDING:
        return record.word("work_by_standing", granted=_granted_by(record, item), when=when)
    if answer.decision is Decision.NO_ANSWER:
        return record.word("work_no_answer", when=when)
    by = f"{answer.by_name} ({answer.by})" if answer.by_name and answer.by_name != answer.by else answer.by
    key = "work_approved_by" if answer.decision is Decision.APPROVED else "work_rejected_by"
    if item is not None and answer.decision is Decision.APPROVED and item.number not in answer.chosen:
        key = "work_not_chosen_by"
    return record.word(key, by=by or record.word("unknown"), when=when)


def _granted_by(record: WorkRecord, item: WorkItem | None) -> str:
    """Names behind the standing approvals of the item's action, or of all chosen items."""
    chosen = record.answer.chosen if record.answer else ()
    actions = {item.candidate.action} if item else {i.candidate.action for i in record.items if i.number in chosen}
    granted = {
        record.word("work_granted", by=s.granted_by, on=s.granted_on, until=s.valid_until)
        for s in record.policy.approval.standing
        if s.action in actions
    }
    return record.joined(sorted(granted))


def undo_text(record: WorkRecord, item: WorkItem) -> str:
    """How the change would be undone. An action that nobody wrote this for says so."""
    key = f"undo_{item.candidate.action}"
    return record.word(key if key in load_words() else "undo_unknown")


def plan_check_text(record: WorkRecord, outcome: Outcome | None) -> str:
    """Whether statements changed their plans; where no plan was compared, that and why, and what was compared instead."""
    if outcome is None or outcome.item_key not in record.begun:
        return record.word("work_plans_untouched")
    if isinstance(compared := outcome.after.get("plans_compared"), int) and compared > 0:
        return record.word("work_plans_compared", n=compared, changed=outcome.after.get("plans_changed", 0))
    told = str(outcome.after.get("plans_not_compared") or "")
    why = reason_words(told, record.language) if told else record.word(_why_not_compared(record))
    instead = optimizer_changes(outcome, record.language)
    return record.word("work_plans_not_compared", why=why, instead=instead or record.word("work_plans_nothing_instead"))


def _why_not_compared(record: WorkRecord) -> str:
    if record.database.engine is Engine.POSTGRESQL:
        return "work_plans_postgresql"
    return "work_plans_oracle_index" if record.pipeline == "reindex" else "work_plans_oracle_table"


def optimizer_changes(outcome: Outcome, language: str) -> str:
    """What the optimizer reads, before → after, where both sides are known; empty where nothing is."""
    both = [n for n in OPTIMIZER_FIGURES if n in outcome.before and n in outcome.after]
    shown = (f"{_one(n, outcome.before, language)} → {_value(n, outcome.after, language)}" for n in both)
    return "; ".join(shown)


def _one(name: str, figures: Mapping[str, Figure], language: str) -> str:
    return figures_text({name: figures[name]}, language)


def _value(name: str, figures: Mapping[str, Figure], language: str) -> str:
    return figures_text({name: figures[name]}, language).split("：" if language == "zh" else ": ", 1)[1]

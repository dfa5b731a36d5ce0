"""The check after the work: was everything done, is the target unharmed, and was anything gained. And why the run did no more."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from drydock.changing.approvals import why_void
from drydock.changing.hands import ChangeFailed, JudgingTrade, WatchingTrade
from drydock.changing.run import ChangeRun, refuse_backfill
from drydock.changing.trades import trade_of
from drydock.ledger import change_history as history
from drydock.ledger import change_record as record
from drydock.outcomes import Outcome, StopReason, Verification, Watched
from drydock.plans import ObjectRef, Plan, WorkItem
from drydock.verdicts import Figure, Finding, Status, Verdict, judge, skip

log = logging.getLogger(__name__)

QUESTIONS = ("worked", "unharmed", "gained")
DONE = (Status.PASS, Status.WARN)
WATCHED_DAYS = 8  # a week, and the night that the next weekly run takes
DELIVERY = "mask_deliver"
AFTER_THE_CHECK = (DELIVERY, "mask_destroy")
"""Actions of items that are worked after the check, because of what it says."""
GAINED_LITTLE = 0.5  # of the bytes that were planned to come back
STOPS_A_RUN = (
    *(StopReason.KILL_SWITCH, StopReason.NO_ANSWER, StopReason.NOT_APPROVED, StopReason.WINDOW, StopReason.BUDGET),
    *(StopReason.LAG, StopReason.LOAD, StopReason.ERROR, StopReason.INTERLOCK),
)
"""Of several reasons the first of these is the run's."""


@dataclass(frozen=True)
class Worked:
    """What became of a run's plan, by item key.

    `begun`: items of which anything was touched, or may have been. `void`: why the answer opens nothing, of the plan;
    `closed`: items that it does not open.
    """

    plan: Plan
    outcomes: Mapping[str, Outcome]
    begun: frozenset[str]
    void: str
    closed: frozenset[str]

    @property
    def missing(self) -> tuple[WorkItem, ...]:
        """Items without an outcome that were begun, or should have been: nobody knows what became of them."""
        without = (i for i in self.plan.items if i.key not in self.outcomes and i.candidate.action not in AFTER_THE_CHECK)
        return tuple(i for i in without if i.key in self.begun or i.key not in self.closed)

    @cached_property
    def items(self) -> Mapping[str, WorkItem]:
        """By key: an item has another number where the run was planned again."""
        return {i.key: i for i in self.plan.items}

    @cached_property
    def timely(self) -> tuple[Outcome, ...]:
        """Without those of items that wait for the check and were tried before the work was over: they stopped nothing."""
        work = [o for o in self.outcomes.values() if self.items[o.item_key].candidate.action not in AFTER_THE_CHECK]
        over_at = max((o.ended_at for o in work), default=None)
        after = [o for o in self.outcomes.values() if o not in work]
        return (*work, *(o for o in after if over_at is None or o.started_at >= over_at or o.status is not Status.SKIPPED))

    @property
    def is_delivered(self) -> bool:
        """Whether the item that hands over what was checked is done."""
        return any(self.items[o.item_key].candidate.action == DELIVERY for o in self.of_status(*DONE))

    def of_status(self, *statuses: Status) -> tuple[Outcome, ...]:
        return tuple(o for o in self.outcomes.values() if o.status in statuses)


def verify_run(run: ChangeRun) -> Verification:
    """Look at the target again and at what was done; saved in the ledger. Raises StepSkipped, NotRecorded without a plan.

    What was delivered after its check is not looked at again: it does not stand any more where it was checked.
    """
    refuse_backfill(run)
    worked, stop = _load(run), stop_reason(run)
    if (checked := history.verification_of_run(run.ledger, run.run_id)) and worked.is_delivered:
        log.info("%s: delivered already, the check before it counts", run.database.id)
        return checked
    done = worked.of_status(*DONE)
    failed = len(worked.of_status(Status.FAIL, Status.UNKNOWN)) + len(worked.missing)
    verification = Verification(
        verdicts=(*_verdicts(run, worked, stop), *_watched(run)),
        stop=stop,
        freed_bytes=sum(o.freed_bytes for o in worked.outcomes.values()),
        elapsed_s=sum(o.elapsed_s for o in worked.outcomes.values()),
        done=len(done),
        skipped=len(worked.plan.items) - _ended(worked) - len(worked.missing),
        failed=failed,
    )
    record.save_verification(run.ledger, run.run_id, verification)
    return verification


def _ended(worked: Worked) -> int:
    """Items that are no skipped ones: done, failed, or of those that are worked only after the check."""
    ended = {o.item_key for o in worked.of_status(*DONE, Status.FAIL, Status.UNKNOWN)}
    return sum(i.key in ended or i.candidate.action in AFTER_THE_CHECK for i in worked.plan.items)


def stop_reason(run: ChangeRun) -> StopReason:
    """Why the run did no more than it did. Raises LookupError where it has no plan."""
    if run.is_backfill:
        return StopReason.BACKFILL
    worked = _load(run)
    if run.dry_run:
        return StopReason.DRY_RUN
    if not worked.plan.items:
        return StopReason.NOTHING_TO_DO
    stops = {o.stop for o in worked.timely if not _is_left_by_person(o)}
    stops |= {StopReason.ERROR} if worked.missing or worked.of_status(Status.FAIL, Status.UNKNOWN) else set()
    if worked.of_status(*DONE):
        stops -= {StopReason.INTERLOCK}  # that one item had to be left: the others went on
    elif not stops & set(STOPS_A_RUN):
        stops |= {_stop_of_void(worked.void)} if worked.void else {o.stop for o in worked.outcomes.values()}
    return next((s for s in STOPS_A_RUN if s in stops), StopReason.DONE)


def _is_left_by_person(outcome: Outcome) -> bool:
    """A person answered, and did not choose this item: that stops no run."""
    return outcome.reason in ("item_not_chosen", "needs_naming")


def _stop_of_void(reason: str) -> StopReason:
    return StopReason.NO_ANSWER if reason == "no_answer" else StopReason.NOT_APPROVED


def _load(run: ChangeRun) -> Worked:
    plan_id, plan = history.plan_of_run(run.ledger, run.run_id)
    keys = {i.key for i in plan.items}
    outcomes = {o.item_key: o for o in history.outcomes_of_run(run.ledger, run.run_id) if o.item_key in keys}
    begun = frozenset(history.begun_in_run(run.ledger, run.run_id))
    answer, now = history.answer_of(run.ledger, plan_id), run.now().astimezone(run.database.zone)
    said = (plan, answer, run.policy, now, run.triggered_by)
    closed = frozenset(i.key for i in plan.items if why_void(*said, number=i.number))
    return Worked(plan, outcomes, begun, why_void(*said), closed)


def _verdicts(run: ChangeRun, worked: Worked, stop: StopReason) -> tuple[Verdict, ...]:
    if not worked.plan.examined:
        return tuple(judge(question, 0, ()) for question in QUESTIONS)
    if stop in (StopReason.DRY_RUN, StopReason.NOTHING_TO_DO):
        planned = {"items": len(worked.plan.items), "carried": len(worked.plan.carried)}
        first = judge("worked", worked.plan.examined, (), **planned)
        first = first if stop is StopReason.NOTHING_TO_DO else skip("worked", stop.value, **planned)
        return (first, *(skip(question, stop.value) for question in QUESTIONS[1:]))
    trade = trade_of(run.pipeline, run.database.engine)
    if isinstance(trade, JudgingTrade):
        return _everything_done(worked, stop), *_judged(run, worked, trade)
    return _everything_done(worked, stop), _unharmed(run, worked), _gained(worked)


def _judged(run: ChangeRun, worked: Worked, trade: JudgingTrade) -> tuple[Verdict, ...]:
    """What the trade itself asks of its work; SKIPPED where nothing was touched, UNKNOWN where it cannot be looked at."""
    touched = [o for o in worked.outcomes.values() if o.item_key in worked.begun]
    if not touched:
        return (skip("copied", "nothing_changed"),)
    try:
        with closing(run.open_eyes()) as eyes:
            return tuple(trade.verdicts(eyes, touched))
    except ChangeFailed as e:
        values = {"error": e.code, "error_kind": e.kind}
        lost = Finding(code="target_not_checked", status=Status.UNKNOWN, place=run.database.id, values=values)
        return (judge("copied", len(touched), (lost,)),)


def _everything_done(worked: Worked, stop: StopReason) -> Verdict:
    """FAIL for what failed, UNKNOWN for what nobody knows the end of; SKIPPED where nothing was begun."""
    counts = {
        "items": len(worked.plan.items),
        "done": len(worked.of_status(*DONE)),
        "skipped": len(worked.of_status(Status.SKIPPED)),
        "carried": len(worked.plan.carried),
    }
    findings = [*_failures(worked), *(_lost(i) for i in worked.missing)]
    if not findings and not counts["done"]:
        return skip("worked", _reason_of_none(worked, stop), **counts)
    return judge("worked", len(worked.plan.items), findings, **counts)


def _reason_of_none(worked: Worked, stop: StopReason) -> str:
    """The commonest reason of the items; of a plan that nobody opened, why its answer opens nothing."""
    reasons = [o.reason for o in worked.outcomes.values() if o.reason] or [worked.void or stop.value]
    return max(sorted(set(reasons)), key=reasons.count)


def _failures(worked: Worked) -> Iterator[Finding]:
    for outcome in worked.of_status(Status.FAIL, Status.UNKNOWN, Status.WARN):
        item = worked.items[outcome.item_key]
        told = {k: v for k, v in outcome.after.items() if "error" in k or k.startswith("repair")}
        values = {"action": item.candidate.action, "number": item.number, "reason": outcome.reason, **told}
        code = outcome.reason or "item_failed"
        yield Finding(code=code, status=outcome.status, place=place_of(item.candidate.object), values=values)


def _lost(item: WorkItem) -> Finding:
    values = {"action": item.candidate.action, "number": item.number}
    return Finding(code="item_without_outcome", status=Status.UNKNOWN, place=place_of(item.candidate.object), values=values)


def place_of(ref: ObjectRef) -> str:
    """An object as a person names it; foreign text, cleaned where it is shown."""
    names = (ref.owner, ref.parent if ref.column else "", ref.name, ref.partition, ref.column)
    return ".".join(n for n in names if n)


def _unharmed(run: ChangeRun, worked: Worked) -> Verdict:
    """The target itself, compared with what it was before the first item; SKIPPED where nothing was touched."""
    before = history.world_of_run(run.ledger, run.run_id)
    touched = [o for o in worked.outcomes.values() if o.item_key in worked.begun]
    examined = len(worked.begun)
    if before is None or not examined:
        return skip("unharmed", "nothing_changed")
    trade = trade_of(run.pipeline, run.database.engine)
    try:
        with closing(run.open_eyes()) as eyes:
            findings: Sequence[Finding] = trade.verify(eyes, touched, before)
    except ChangeFailed as e:
        values = {"error": e.code, "error_kind": e.kind}
        findings = [Finding(code="target_not_checked", status=Status.UNKNOWN, place=run.database.id, values=values)]
    return judge("unharmed", examined, findings).model_copy(update={"evidence": dict(before)})


def _watched(run: ChangeRun) -> Iterator[Verdict]:
    """How statements do on what earlier runs worked on, for a week; nothing where there is no such object.

    Statements that nobody parsed anew are counted as not compared: where that is so of all of them, the question is SKIPPED.
    """
    trade = trade_of(run.pipeline, run.database.engine)
    since = run.now() - timedelta(days=WATCHED_DAYS)
    past = history.past_work(run.ledger, run.database.id, since, run.run_id) if isinstance(trade, WatchingTrade) else ()
    if not past:
        return
    try:
        with closing(run.open_eyes()) as eyes:
            seen = trade.watch(eyes, past)
    except ChangeFailed as e:
        values = {"error": e.code, "error_kind": e.kind}
        unseen = Finding(code="statements_not_watched", status=Status.UNKNOWN, place=run.database.id, values=values)
        seen = Watched(compared=0, not_compared=0, findings=(unseen,))
    told: dict[str, Figure] = {"objects": len(past), "compared": seen.compared, "not_compared": seen.not_compared}
    is_told = seen.compared or seen.findings
    yield judge("watched", seen.compared, seen.findings, **told) if is_told else skip("watched", "no_statement_compared", **told)


def _gained(worked: Worked) -> Verdict:
    """Bytes that really came back against what was planned, and minutes against what was thought possible."""
    done = worked.of_status(*DONE)
    if not done:
        return skip("gained", "nothing_changed")
    pairs = [(worked.items[o.item_key], o) for o in done]
    evidence = {
        "freed_bytes": sum(o.freed_bytes for o in done),
        "planned_freed_bytes": sum(i.candidate.freed_bytes for i, _ in pairs),
        "elapsed_s": round(sum(o.elapsed_s for o in done), 1),
        "expected_s": round(sum(i.estimate.expected_s for i, _ in pairs), 1),
    }
    return judge("gained", len(done), _disappointments(pairs), **evidence)


def _disappointments(pairs: Iterable[tuple[WorkItem, Outcome]]) -> Iterator[Finding]:
    for item, outcome in pairs:
        planned, place = item.candidate.freed_bytes, place_of(item.candidate.object)
        values = {"number": item.number, "freed_bytes": outcome.freed_bytes, "planned_bytes": planned}
        if planned and outcome.freed_bytes < GAINED_LITTLE * planned:
            yield Finding(code="gained_little", status=Status.WARN, place=place, values=values)
        if outcome.elapsed_s > item.estimate.worst_s > 0:
            times = {"elapsed_s": round(outcome.elapsed_s, 1), "worst_s": round(item.estimate.worst_s, 1)}
            yield Finding(code="slower_than_worst", status=Status.WARN, place=place, values={"number": item.number} | times)

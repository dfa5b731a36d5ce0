"""Work on one item of a plan, behind the gate: what an earlier attempt left is put right first, then the item is done.

Nothing is taken from the caller but the item's number. Plan and answer are read from the ledger, and an item that this run
has finished is not done again, so an attempt that was killed is continued by running it again.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

import stamina
from sqlalchemy.exc import OperationalError

from drydock import gate
from drydock.changing.hands import LASTING, ChangeFailed, GateClosed, Hands, Target, Trade
from drydock.changing.run import ChangeRun, refuse_backfill
from drydock.changing.trades import trade_of
from drydock.ledger import change_history as history
from drydock.ledger import change_record as record
from drydock.ledger.change_history import REPAIR_FAILED
from drydock.outcomes import Answer, Outcome, StopReason
from drydock.plans import Plan, WorkItem
from drydock.verdicts import Figure, Status

log = logging.getLogger(__name__)

FAILURES = {
    "locked": "lock_not_had",
    "wait_and_retry": "lock_not_had",
    "timeout": "deadline_passed",
    "interrupted": "deadline_passed",
    "disk_full": "disk_filled",
    "needs_space": "disk_filled",
    "read_only": "target_read_only",
    **LASTING,
    "unreachable": "session_lost",
    "transient": "session_lost",
    "shut_down": "session_lost",
    "stopped_for_cleanup_job": "stopped_for_cleanup_job",
    "picture_missing": "picture_missing",
    "picture_gone": "picture_missing",
    "source_changed": "masking_source_changed",
}
"""What the engines call an error -> the reason that an outcome gives; all others: statement_failed."""


@dataclass(frozen=True)
class Job:
    """One item of one run, and since when it is being worked."""

    run: ChangeRun
    plan_id: int
    plan: Plan
    item: WorkItem
    trade: Trade
    began_at: datetime


def work_item(run: ChangeRun, number: int) -> Outcome:
    """Do one item of the run's plan, or say why not; saved in the ledger. Raises StepSkipped in a backfill.

    Raises LookupError where there is no such plan or item, and whatever is neither a closed gate nor a failed statement:
    then no outcome stands in the ledger, and the next attempt goes on from there.
    """
    refuse_backfill(run)
    plan_id, plan = history.plan_of_run(run.ledger, run.run_id)
    item = plan.item(number)
    if finished := _finished(run, plan_id, item):
        log.info("%s, item %d: finished in this run already", run.database.id, number)
        return finished
    job = Job(run, plan_id, plan, item, trade_of(run.pipeline, run.database.engine), run.now())
    if run.dry_run:
        return _save(job, None, _outcome(job, Status.SKIPPED, "dry_run", StopReason.DRY_RUN))
    try:
        target = run.open_target()
    except GateClosed as e:
        record.save_answers(run.ledger, run.run_id, None, item.key, (e.answer,))
        return _save(job, None, _outcome(job, Status.SKIPPED, e.answer.reason, gate.stop_of(e.answer)))
    except ChangeFailed as e:
        return _save(job, None, _failed(job, e, "" if e.kind in LASTING else "target_unreachable"))
    with closing(target):
        return _behind_gate(job, target)


def _finished(run: ChangeRun, plan_id: int, item: WorkItem) -> Outcome | None:
    """The item's outcome where this run is done with it; what failed is tried again only after a newer yes to the plan."""
    finished = history.finished_in_run(run.ledger, run.run_id, item.key)
    if finished and finished.status.is_red:
        answer = history.answer_of(run.ledger, plan_id)
        return None if answer and answer.answered_at > finished.ended_at else finished
    return finished


def _behind_gate(job: Job, target: Target) -> Outcome:
    """The change lock is taken by the last of the interlocks and lives as long as the target's session."""
    answers = gate.ask_all(job.run, job.plan_id, job.plan, job.item, target)
    if closed := next((a for a in answers if not a.is_open), None):
        return _not_begun(job, target, closed)
    if finished := _finished(job.run, job.plan_id, job.item):
        return finished  # by another process, while this one waited for the lock
    try:
        _save_world(job, target)
        hands = gate.open_hands(job.run, job.plan_id, job.plan, job.item, target, answers)
    except GateClosed as e:
        return _not_begun(job, target, e.answer)
    except ChangeFailed as e:
        return _save(job, None, _failed(job, e))
    return _save(job, hands.intent_id, _worked(job, hands, target))


def _save_world(job: Job, target: Target) -> None:
    """Before the first item of the run, whatever attempt comes to it."""
    if history.world_of_run(job.run.ledger, job.run.run_id) is None:
        record.save_world(job.run.ledger, job.run.run_id, job.trade.world(target))


def _not_begun(job: Job, target: Target, closed: Answer) -> Outcome:
    """SKIPPED; what an earlier attempt left is put right all the same, where only putting back is allowed."""
    skipped = _closed(job, closed)
    if not _is_unfinished(job):
        return _save(job, None, skipped)
    try:
        hands = gate.open_hands_to_put_back(job.run, job.plan_id, job.plan, job.item, target)
    except GateClosed:
        return _save(job, None, skipped)  # it stays unfinished: the next run begins with it
    repaired, failed = _repair(job, hands)
    return _save(job, hands.intent_id, failed or skipped.model_copy(update={"repaired": repaired, "ended_at": job.run.now()}))


def _closed(job: Job, answer: Answer) -> Outcome:
    """SKIPPED; of a right that is missing or a logon that is refused, with what must be granted."""
    told = answer.figures if answer.reason in LASTING.values() else {}
    return _outcome(job, Status.SKIPPED, answer.reason, gate.stop_of(answer), dict(told))


def _is_unfinished(job: Job) -> bool:
    unfinished = history.unfinished_items(job.run.ledger, job.run.database.id, job.run.pipeline)
    return any(i.key == job.item.key for i in unfinished)


def _worked(job: Job, hands: Hands, target: Target) -> Outcome:
    """Repair, make sure that the object is still the one that was planned, then work."""
    repaired, failed = _repair(job, hands)
    if failed:
        return failed
    try:
        changed = job.trade.is_same(target, job.item)
        outcome = _outcome(job, Status.SKIPPED, changed) if changed else job.trade.work(hands)
    except GateClosed as e:
        outcome = _closed(job, e.answer)
        return _after_repair(job, hands, outcome, repaired)
    except ChangeFailed as e:
        return _after_repair(job, hands, _failed(job, e), repaired)
    own = {"item_key": job.item.key, "number": job.item.number, "repaired": (*repaired, *outcome.repaired)}
    if not outcome.reason and outcome.status not in (Status.PASS, Status.WARN):
        own["reason"] = "item_failed"
    return outcome.model_copy(update=own)


def _after_repair(job: Job, hands: Hands, outcome: Outcome, repaired: Sequence[str]) -> Outcome:
    """The outcome of what was stopped in the middle, once its object is put right; where it cannot be, that is what is told."""
    mended, failed = _repair(job, hands)
    told = {**outcome.after, **failed.after} if failed else outcome.after
    changes = {"repaired": (*repaired, *mended), "ended_at": job.run.now(), "after": told}
    return (failed or outcome).model_copy(update=changes)


def _repair(job: Job, hands: Hands) -> tuple[tuple[str, ...], Outcome | None]:
    """Codes of what was put right, and the outcome to end with where it could not be."""
    try:
        return tuple(job.trade.repair(hands)), None
    except GateClosed as e:
        after = {"repair_closed_by": e.answer.interlock.value, "repair_closed_reason": e.answer.reason}
        return (), _outcome(job, Status.FAIL, REPAIR_FAILED, gate.stop_of(e.answer), after)
    except ChangeFailed as e:
        after = {"repair_error": e.code, "repair_error_kind": e.kind}
        return (), _outcome(job, Status.FAIL, REPAIR_FAILED, StopReason.ERROR, after)


def _failed(job: Job, error: ChangeFailed, reason: str = "") -> Outcome:
    after: dict[str, Figure] = {"error": error.code, "error_kind": error.kind}
    after |= {"needs": error.needs} if error.needs else {}
    return _outcome(job, Status.FAIL, reason or FAILURES.get(error.kind, "statement_failed"), StopReason.ERROR, after)


def _outcome(
    job: Job, status: Status, reason: str, stop: StopReason = StopReason.DONE, after: dict[str, Figure] | None = None
) -> Outcome:
    now = job.run.now()
    return Outcome(
        item_key=job.item.key,
        number=job.item.number,
        status=status,
        reason=reason,
        stop=stop,
        after=after or {},
        elapsed_s=max(0.0, (now - job.began_at).total_seconds()),
        started_at=job.began_at,
        ended_at=now,
    )


@stamina.retry(on=OperationalError, attempts=6, timeout=120.0)
def _save(job: Job, intent_id: int | None, outcome: Outcome) -> Outcome:
    """Hours of work may hang on this row: a ledger that is away for a moment does not lose it."""
    record.save_outcome(job.run.ledger, job.run.run_id, intent_id, outcome)
    log.info("%s, item %d: %s %s", job.run.database.id, job.item.number, outcome.status.value, outcome.reason)
    return outcome

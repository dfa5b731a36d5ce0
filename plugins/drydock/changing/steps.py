"""The steps of the pipelines that change something, each complete in itself, none knowing the scheduler.

Every step reads what it needs from the ledger and writes what it did before it returns, so a step that was killed is
simply run again. In a backfill every step raises StepSkipped before anything is asked: a past night cannot be worked.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta

from drydock.changing.approvals import Ask, who_must_answer
from drydock.changing.hands import Eyes, MeasuringTrade, SurveyContext, TargetFigures, Trade
from drydock.changing.packing import Packed, night_budget, pack
from drydock.changing.rates import Rates
from drydock.changing.regrowth import regrown
from drydock.changing.run import ChangeRun, RunRefused, StepSkipped, refuse_backfill
from drydock.changing.trades import trade_of
from drydock.changing.verifying import stop_reason, verify_run
from drydock.changing.whole import PLANNED_WHOLE, pack_whole
from drydock.changing.working import work_item
from drydock.estate import Database
from drydock.ledger import change_history as history
from drydock.ledger import change_record as record
from drydock.outcomes import ApprovalAnswer, Decision
from drydock.plans import Budget, Candidate, Found, LeftAlone, Plan, WorkItem
from drydock.policy import ChangePolicy
from drydock.verdicts import Figure
from drydock.windows import OpenTime, next_open

__all__ = [
    "StepSkipped",
    "make_plan",
    "needs_person",
    "next_window",
    "record_answer",
    "record_asked",
    "record_no_answer",
    "stop_reason",
    "take_survey",
    "verify_run",
    "work_item",
]

log = logging.getLogger(__name__)

REGROWTH_SEEN_DAYS = 31  # sizes of what was worked are looked at for this long after it
MEASURED_DAYS = 400
HISTORY_DAYS = 5 * 366
MOST_CANDIDATES, MOST_LISTED = 10_000, 5_000  # what one row of the ledger keeps; the smallest are counted and left off
ROOM = "archive_room_bytes"


def take_survey(run: ChangeRun) -> Found:
    """Look at the target and save what was found, with the sizes now of what was worked on in the last weeks.

    Raises RunRefused, after it was saved, where what was found forbids any plan.
    """
    refuse_backfill(run)
    run.open_attempt()
    trade, now = trade_of(run.pipeline, run.database.engine), run.now()
    with closing(run.open_eyes()) as eyes:
        found = _bounded(trade.find_candidates(eyes, _context(run, now)))
        sizes = _sizes_now(run, trade, eyes, found, now)
        room = _archive_room(eyes.figures(), run.policy)
    found = found if room is None else found.model_copy(update={"figures": {**found.figures, ROOM: room}})
    record.save_found(run.ledger, run.run_id, found, sizes)
    log.info("%s: %d examined, %d candidates", run.database.id, found.examined, len(found.candidates))
    _refuse_if_wrong(found)
    return found


def _refuse_if_wrong(found: Found) -> None:
    """Raises RunRefused where the survey found what nothing may be planned with."""
    if found.refused:
        raise RunRefused(found.refused)


def _context(run: ChangeRun, now: datetime) -> SurveyContext:
    past = history.past_reclaims(run.ledger, run.database.id, now - timedelta(days=HISTORY_DAYS))
    grew = regrown(past, history.sizes_seen(run.ledger, run.database.id), run.policy, now)
    return SurveyContext(database=run.database, policy=run.policy, now=now, regrown=grew)


def _sizes_now(run: ChangeRun, trade: Trade, eyes: Eyes, found: Found, now: datetime) -> Mapping[str, int]:
    """Bytes of the objects that were worked on lately: as the trade measures them, else as far as the survey tells."""
    since = now - timedelta(days=REGROWTH_SEEN_DAYS)
    worked = history.objects_worked(run.ledger, run.database.id, run.pipeline, since)
    seen = {c.object.key: c.size_bytes for c in found.candidates}
    seen |= {x.object.key: size for x in found.left_alone if (size := record.size_in(x.evidence)) is not None}
    seen |= trade.sizes(eyes, worked) if worked and isinstance(trade, MeasuringTrade) else {}
    return {o.key: seen[o.key] for o in worked if o.key in seen}


def _archive_room(figures: TargetFigures, policy: ChangePolicy) -> int | None:
    """Bytes of redo or WAL that the archive has room for, where that is less than a night may cost anyway."""
    free = [f for f in (figures.archive_free_bytes, figures.recovery_area_free_bytes) if f is not None]
    room = int((min(free) - policy.min_archive_free_bytes) / policy.archive_free_factor) if free else policy.max_log_bytes
    return max(0, room) if room < policy.max_log_bytes else None


def _bounded(found: Found) -> Found:
    """What one row can hold: of a fleet of small objects the smallest are left off, and counted."""
    left_off = {
        "candidates_left_off": len(found.candidates) - MOST_CANDIDATES,
        "left_alone_left_off": len(found.left_alone) - MOST_LISTED,
        "notes_left_off": len(found.notes) - MOST_LISTED,
    }
    if all(n <= 0 for n in left_off.values()):
        return found
    best = sorted(found.candidates, key=lambda c: (not c.first, -c.freed_bytes * c.use_weight, c.key))
    changes = {
        "candidates": tuple(best[:MOST_CANDIDATES]),
        "left_alone": _largest(found.left_alone),
        "notes": _largest(found.notes),
        "figures": found.figures | {name: n for name, n in left_off.items() if n > 0},
    }
    return found.model_copy(update=changes)


def _largest(lines: Sequence[LeftAlone]) -> tuple[LeftAlone, ...]:
    return tuple(sorted(lines, key=lambda x: (-x.would_free_bytes, x.object.key))[:MOST_LISTED])


def next_window(database: Database, now: datetime) -> OpenTime:
    """The low-peak window that is open or opens next. Raises LookupError where none ever opens."""
    window = next_open(database, now)
    if window is None:
        raise LookupError(f"no low-peak window of {database.id} ever opens")
    return window


def make_plan(run: ChangeRun) -> Plan:
    """Pack what was found into the next window and save the plan; an equal plan of this run is given again, not saved anew.

    What an earlier attempt left unfinished comes first. Outside of a window the same survey and history give the same hash.
    """
    refuse_backfill(run)
    found, now = history.found_of_run(run.ledger, run.run_id), run.now()
    _refuse_if_wrong(found)
    window = next_window(run.database, now)
    budget = _budget(window, now, found, run.policy)
    plan = _plan(run, found, window, budget, _packed(run, found, window, budget))
    if (made := _newest_plan(run)) and made.hash == plan.hash:
        return made
    record.save_plan(run.ledger, run.run_id, plan)
    return plan


def _newest_plan(run: ChangeRun) -> Plan | None:
    try:
        return history.plan_of_run(run.ledger, run.run_id)[1]
    except history.NotRecorded:
        return None


def _budget(window: OpenTime, now: datetime, found: Found, policy: ChangePolicy) -> Budget:
    """Of an open window whole minutes count, so that planning again a second later plans the same."""
    left_s = (window.end - max(now, window.start)).total_seconds()
    window_s = left_s if now <= window.start else left_s // 60 * 60
    room = found.figures.get(ROOM)
    return night_budget(window_s, policy, room if isinstance(room, int) else None)


def _packed(run: ChangeRun, found: Found, window: OpenTime, budget: Budget) -> Packed:
    since = window.start - timedelta(days=MEASURED_DAYS)
    rates = Rates.learn(history.measured(run.ledger, run.database.id, since), window.end)
    if run.pipeline in PLANNED_WHOLE:
        return pack_whole(found.candidates, rates.estimate_all(found.candidates), budget, run.policy)
    unfinished = [i.candidate for i in history.unfinished_items(run.ledger, run.database.id, run.pipeline)]
    candidates = _repairs_first(unfinished, found.candidates)
    nights = history.nights_carried(run.ledger, run.database.id, run.pipeline, before=run.day)
    packed = pack(candidates, rates.estimate_all(candidates), nights, budget, run.policy)
    return _with_all_repairs(packed, {c.key for c in unfinished})


def _repairs_first(unfinished: Iterable[Candidate], found: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Unfinished items before all others: as the survey sees them now, else as they were planned."""
    by_key = {c.key: c for c in found}
    repairs = {c.key: _as_repair(by_key.get(c.key, c)) for c in unfinished}
    return (*repairs.values(), *(c for c in found if c.key not in repairs))


def _as_repair(candidate: Candidate) -> Candidate:
    return candidate.model_copy(update={"first": True, "evidence": {**candidate.evidence, "unfinished": True}})


def _with_all_repairs(packed: Packed, keys: Collection[str]) -> Packed:
    """Unfinished items are planned also where they do not fit: the gate then lets them only put back what was left."""
    unfit = [c for c in packed.carried if c.key in keys]
    told = [(c.candidate, c.estimate, c.nights_waiting) for c in (*unfit, *packed.items)]
    items = [
        WorkItem(number=n, candidate=candidate, estimate=estimate, nights_waiting=nights)
        for n, (candidate, estimate, nights) in enumerate(told, start=1)
    ]
    return Packed(items=tuple(items), carried=tuple(c for c in packed.carried if c.key not in keys)) if unfit else packed


def _plan(run: ChangeRun, found: Found, window: OpenTime, budget: Budget, packed: Packed) -> Plan:
    left_off = len(packed.carried) - MOST_LISTED
    figures: dict[str, Figure] = found.figures | ({"carried_left_off": left_off} if left_off > 0 else {})
    return Plan(
        pipeline=run.pipeline,
        database=run.database.id,
        window_start=window.start,
        window_end=window.end,
        budget=budget,
        items=packed.items,
        carried=packed.carried[:MOST_LISTED],
        left_alone=found.left_alone,
        notes=found.notes,
        examined=found.examined,
        figures=figures,
        planned_at=run.now(),
    )


def needs_person(run: ChangeRun) -> Ask:
    """Whom to ask about the run's plan. Where nobody need be asked, what the policy stands for is written down as its answer."""
    refuse_backfill(run)
    plan_id, plan = history.plan_of_run(run.ledger, run.run_id)
    now = run.now().astimezone(run.database.zone)
    ask = who_must_answer(plan, run.policy, now.date())
    if run.dry_run:
        return ask.model_copy(update={"needs_person": False, "items_standing": ()})
    if not ask.needs_person and ask.items_standing:
        _record_standing(run, plan_id, plan, ask.items_standing, now)
    return ask


def _record_standing(run: ChangeRun, plan_id: int, plan: Plan, numbers: tuple[int, ...], now: datetime) -> None:
    known = history.answer_of(run.ledger, plan_id)
    if known and (known.decision, known.chosen) == (Decision.STANDING, numbers):
        return
    times = {"asked_at": now, "answered_at": now}
    answer = ApprovalAnswer(plan_hash=plan.hash, decision=Decision.STANDING, chosen=numbers, **times)
    record.save_answer(run.ledger, plan_id, answer)


def record_asked(run: ChangeRun) -> None:
    """Write down that people are asked now about the run's newest plan; what was answered before counts no more."""
    refuse_backfill(run)
    plan_id, _ = history.plan_of_run(run.ledger, run.run_id)
    record.save_asked(run.ledger, plan_id, run.now(), run.policy.approval.approvers)


def record_answer(run: ChangeRun, *, approved: bool, chosen: Sequence[int] = (), by: str, by_name: str = "") -> ApprovalAnswer:
    """Write down what a person answered to the newest question on the run's plan.

    Raises LookupError where nobody was asked about it: a plan that was made anew while a person looked at the one before
    is not the one that he answered.
    """
    return _record(run, Decision.APPROVED if approved else Decision.REJECTED, tuple(chosen) if approved else (), by, by_name)


def record_no_answer(run: ChangeRun) -> ApprovalAnswer:
    """Write down that nobody answered in time."""
    return _record(run, Decision.NO_ANSWER, (), "", "")


def _record(run: ChangeRun, decision: Decision, chosen: tuple[int, ...], by: str, by_name: str) -> ApprovalAnswer:
    refuse_backfill(run)
    plan_id, plan = history.plan_of_run(run.ledger, run.run_id)
    asked, now = history.asked_of(run.ledger, plan_id), run.now()
    if asked is None and decision is not Decision.NO_ANSWER:
        raise LookupError(f"plan {plan_id} was never shown to anybody: the answer is to another one")
    asked_at = asked.asked_at if asked else now
    said = {"plan_hash": plan.hash, "decision": decision, "chosen": chosen, "by": by, "by_name": by_name}
    answer = ApprovalAnswer(**said, asked_at=asked_at, answered_at=now)
    record.save_answer(run.ledger, plan_id, answer)
    return answer

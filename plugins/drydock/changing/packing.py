"""Which candidates one night takes, and in which order: the most benefit that surely fits.

Benefit = freed bytes x use weight x (1 + ageing x nights waited). An item may start only while its worst case fits what is
left of the window, when all before it took their expected time; the expected times together fill the planned share of
the window; redo or WAL and the number of items stay inside the night's budget. `choosing.py` solves that; this module
says what is eligible, in which stages it is chosen, in which order it is worked and why the rest is carried. Work that
keeps what is done when it is stopped (a shrink in slices) and is longer than a window is taken in parts.

Stages, each into what the one before left: items that are `first` (unusable indexes); the item that waited longest, once
it waited OVERDUE_NIGHTS; all others; what a person must name, where nobody is asked. So nothing starves that fits a night
alone: once overdue, only what waited as long or longer goes before it, one each night, and later arrivals never do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from drydock.changing.choosing import Room, choose
from drydock.changing.ordering import work_order
from drydock.changing.rates import no_collection
from drydock.plans import Budget, Candidate, Carried, Estimate, WorkItem
from drydock.policy import ApprovalMode, ChangePolicy
from drydock.verdicts import Model

CARRIED = TypeAdapter(tuple[Carried, ...])
OVERDUE_NIGHTS = 8
"""Nights an item waits at most before the oldest of those that waited as long gets a sure place, one each night."""
LEAST_BENEFIT = 1.0
"""So that what frees nothing (an index that is only worn) still counts and ages."""


class Packed(Model):
    """What one night takes, in working order, and what it leaves, most benefit first."""

    items: tuple[WorkItem, ...]
    carried: tuple[Carried, ...]


@dataclass(frozen=True)
class _Load:
    """The candidates as columns, in the order of their keys. `planned`: what this night would take of each."""

    candidates: Sequence[Candidate]
    estimates: Sequence[Estimate]
    planned: Sequence[Estimate]
    nights: NDArray[np.int64]
    expected_s: NDArray[np.float64]
    worst_s: NDArray[np.float64]
    log_bytes: NDArray[np.float64]
    benefit: NDArray[np.float64]


def night_budget(window_s: float, policy: ChangePolicy, log_bytes: int | None = None) -> Budget:
    """What one night may cost: the window less its reserve; the policy's logs, or fewer where there is less room."""
    left_s = max(0.0, window_s - policy.window_reserve_minutes * 60)
    logs = policy.max_log_bytes if log_bytes is None else min(policy.max_log_bytes, log_bytes)
    return Budget(window_s=left_s, log_bytes=max(0, logs), items=policy.max_items)


def pack(
    candidates: Sequence[Candidate],
    estimates: Sequence[Estimate],
    nights: Mapping[str, int],
    budget: Budget,
    policy: ChangePolicy,
) -> Packed:
    """Choose and order one night's work. `estimates` beside `candidates`; `nights` by WorkItem.key, 0 where not known.

    The same facts give the same answer in whatever order they come: ties are decided by key. Of two candidates with the
    same key the second is not looked at.
    """
    with no_collection():
        load = _columns(candidates, estimates, nights, budget, policy)
        return _packed(load, _choose_in_stages(load, budget, policy), budget)


def _packed(load: _Load, chosen: Sequence[int], budget: Budget) -> Packed:
    items = tuple(
        WorkItem(
            number=number,
            candidate=load.candidates[i],
            estimate=load.planned[i],
            nights_waiting=int(load.nights[i]),
        )
        for number, i in enumerate(chosen, start=1)
    )
    return Packed(items=items, carried=_carry(load, chosen, budget))


def _columns(
    candidates: Sequence[Candidate],
    estimates: Sequence[Estimate],
    nights: Mapping[str, int],
    budget: Budget,
    policy: ChangePolicy,
) -> _Load:
    keyed: dict[str, int] = {}
    for i, candidate in enumerate(candidates):
        keyed.setdefault(f"{candidate.action} {candidate.object.key}", i)
    order = sorted(keyed)
    found, beside = [candidates[keyed[k]] for k in order], [estimates[keyed[k]] for k in order]
    planned = list(beside)
    for i, candidate in enumerate(found):
        if candidate.is_resumable:
            planned[i] = _part_of_it(beside[i], budget, policy)
    waited = np.array([nights.get(k, 0) for k in order], dtype=np.int64) if nights else np.zeros(len(order), dtype=np.int64)
    plain = np.array([c.freed_bytes * c.use_weight for c in found], dtype=float)
    whole_s, expected_s = (np.array([e.expected_s for e in side], dtype=float) for side in (beside, planned))
    share = np.divide(expected_s, whole_s, out=np.ones_like(whole_s), where=whole_s > 0)
    return _Load(
        candidates=found,
        estimates=beside,
        planned=planned,
        nights=waited,
        expected_s=expected_s,
        worst_s=np.maximum(expected_s, np.array([e.worst_s for e in planned], dtype=float)),
        log_bytes=np.array([e.log_bytes for e in planned], dtype=float),
        benefit=np.maximum(plain * share, LEAST_BENEFIT) * (1 + policy.ageing_per_night * waited),
    )


def _part_of_it(estimate: Estimate, budget: Budget, policy: ChangePolicy) -> Estimate:
    """What a night takes of work that is longer than a window and keeps what is done when it is stopped: half the window.

    Such work may be stopped at any moment, so its part has no worse case. All else is taken whole or not at all.
    """
    if estimate.worst_s <= budget.window_s:
        return estimate
    part_s = min(estimate.expected_s, budget.window_s * policy.window_share / 2)
    share = part_s / estimate.expected_s if estimate.expected_s else 1.0
    return Estimate(expected_s=part_s, worst_s=part_s, log_bytes=math.ceil(estimate.log_bytes * share), runs=estimate.runs)


def _choose_in_stages(load: _Load, budget: Budget, policy: ChangePolicy) -> list[int]:
    """Places of what is chosen, in working order."""
    first = np.array([c.first for c in load.candidates], dtype=bool)
    named = np.array([c.needs_naming for c in load.candidates], dtype=bool)
    last = named & (policy.approval.mode is ApprovalMode.STANDING)
    room = Room(budget.window_s, budget.window_s * policy.window_share, float(budget.log_bytes), budget.items)
    chosen = _stage(load, first & ~last, room)
    chosen += _overdue(load, ~first & ~named, _left(load, chosen, room))
    for stage in (~first & ~last, last):
        stage[chosen] = False
        chosen += _stage(load, stage, _left(load, chosen, room))
    return chosen


def _left(load: _Load, chosen: list[int], room: Room) -> Room:
    return room.without(load.expected_s[chosen].sum(), load.log_bytes[chosen].sum(), len(chosen))


def _overdue(load: _Load, stage: NDArray[np.bool_], room: Room) -> list[int]:
    """The one that waited longest of those that are overdue and fit, if any; ties by key."""
    due = np.flatnonzero(stage & (load.nights >= OVERDUE_NIGHTS)).tolist()
    fits = [i for i in due if room.takes(load.expected_s[i], load.worst_s[i], load.log_bytes[i])]
    return [max(fits, key=lambda i: (load.nights[i], -i))] if fits else []


def _stage(load: _Load, stage: NDArray[np.bool_], room: Room) -> list[int]:
    places = np.flatnonzero(stage)
    columns = (load.expected_s[places], load.worst_s[places], load.log_bytes[places], load.benefit[places])
    picked = choose(*columns, room)
    order = work_order(*(column[picked] for column in (columns[0], columns[1], columns[3])), room)
    return [int(places[picked[n]]) for n in order]


def _carry(load: _Load, chosen: Sequence[int], budget: Budget) -> tuple[Carried, ...]:
    """All that was not chosen, each with why: most benefit first, ties by key."""
    taken = np.zeros(len(load.candidates), dtype=bool)
    taken[list(chosen)] = True
    reasons, nights = _reasons(load, taken, budget).tolist(), load.nights.tolist()
    left = np.flatnonzero(~taken)
    return CARRIED.validate_python(
        [
            {"candidate": load.candidates[i], "estimate": load.estimates[i], "nights_waiting": nights[i], "reason": reasons[i]}
            for i in left[np.argsort(-load.benefit[left], kind="stable")].tolist()
        ]
    )


def _reasons(load: _Load, taken: NDArray[np.bool_], budget: Budget) -> NDArray[np.str_]:
    """Why each is not taken: what can never fit first, then what was full."""
    logs_left = budget.log_bytes - load.log_bytes[taken].sum()
    conditions = [
        load.worst_s > budget.window_s,
        load.log_bytes > budget.log_bytes,
        np.full(len(taken), int(taken.sum()) >= budget.items),
        load.log_bytes > logs_left,
    ]
    return np.select(conditions, ["longer_than_window", "log_above_budget", "items_full", "log_budget_full"], "window_full")

"""Which candidates one night takes, and in which order: the most benefit that surely fits.

Benefit = freed bytes x use weight x (1 + ageing x nights waited); what frees nothing counts by its use alone. An item may
start only while its worst case fits what is left of the window, when all before it took their expected time; the expected
times together fill the planned share of the window; redo or WAL and the number of items stay inside the night's budget.
`choosing.py` solves that; this module says what is eligible, in which stages it is chosen, in which order it is worked and
why the rest is carried. Work that keeps what is done when it is stopped (a shrink in slices) and is longer than a window is
taken in parts.

Stages, each into what the one before left: what is urgent, by what it buys (`Candidate.urgency`: an unusable UNIQUE index,
other unusable ones, corrupt ones, leftovers; no bytes come back of most of them); the item that waited longest, once
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
    """The candidates as columns, in the order of their keys. `planned`: what this night takes of those that go in parts."""

    candidates: Sequence[Candidate]
    estimates: Sequence[Estimate]
    planned: Mapping[int, Estimate]
    urgency: NDArray[np.int64]
    named: NDArray[np.bool_]
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
            estimate=load.planned.get(i, load.estimates[i]),
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
    facts = [(c.key, c.freed_bytes * c.use_weight, c.urgency, c.needs_naming, c.is_resumable, c.use_weight) for c in candidates]
    order = sorted({fact[0]: i for i, fact in reversed(list(enumerate(facts)))}.items())
    places = [i for _, i in order]
    whole = np.array([(e.expected_s, e.worst_s, e.log_bytes) for e in estimates], dtype=float).reshape(-1, 3)[places]
    planned = {n: _part_of_it(estimates[i], budget, policy) for n, i in enumerate(places) if facts[i][4]}
    part = whole.copy()
    for n, estimate in planned.items():
        part[n] = (estimate.expected_s, estimate.worst_s, estimate.log_bytes)
    share = np.divide(part[:, 0], whole[:, 0], out=np.ones(len(places)), where=whole[:, 0] > 0)
    waited = np.array([nights.get(key, 0) for key, _ in order], dtype=np.int64)
    plain = np.array([facts[i][1] for i in places], dtype=float)
    least = LEAST_BENEFIT * np.array([facts[i][5] for i in places], dtype=float)
    return _Load(
        candidates=[candidates[i] for i in places],
        estimates=[estimates[i] for i in places],
        planned=planned,
        urgency=np.array([facts[i][2] for i in places], dtype=np.int64),
        named=np.array([facts[i][3] for i in places], dtype=bool),
        nights=waited,
        expected_s=part[:, 0],
        worst_s=np.maximum(part[:, 0], part[:, 1]),
        log_bytes=part[:, 2],
        benefit=np.maximum(plain * share, np.maximum(least, LEAST_BENEFIT)) * (1 + policy.ageing_per_night * waited),
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
    first, named = load.urgency > 0, load.named
    last = named & (policy.approval.mode is ApprovalMode.STANDING)
    room = Room(budget.window_s, budget.window_s * policy.window_share, float(budget.log_bytes), budget.items)
    chosen: list[int] = []
    for urgency in sorted(set(load.urgency[first].tolist()), reverse=True):
        chosen += _stage(load, (load.urgency == urgency) & ~last, _left(load, chosen, room))
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
    """All that was not chosen, each with why: most urgent first, then most benefit, ties by key."""
    taken = np.zeros(len(load.candidates), dtype=bool)
    taken[list(chosen)] = True
    reasons, nights = _reasons(load, taken, budget).tolist(), load.nights.tolist()
    left = np.flatnonzero(~taken)
    return CARRIED.validate_python(
        [
            {"candidate": load.candidates[i], "estimate": load.estimates[i], "nights_waiting": nights[i], "reason": reasons[i]}
            for i in left[np.lexsort((-load.benefit[left], -load.urgency[left]))].tolist()
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

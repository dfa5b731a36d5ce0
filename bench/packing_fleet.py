"""A simulated fleet for `bench/packing.py`: objects that fill with waste, windows, and work that takes what it takes.

Everything random comes from the number of the database and the seed, so a run can be repeated. The planner sees only what
the product would see: sizes, waste, and how long its own finished runs took.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from drydock.changing.packing import Packed, night_budget, pack
from drydock.changing.rates import DEFAULTS, MIB, Rates
from drydock.outcomes import Measured
from drydock.plans import Budget, Candidate, Estimate, LockKind, ObjectKind, ObjectRef, WorkItem
from drydock.policy import ChangePolicy

GIB = 1024**3
ACTIONS = ("online_copy", "shrink", "move_online", "vacuum_truncate")
FIRST_NIGHT = datetime(2026, 1, 3, 1, tzinfo=UTC)
NOISE, SLOW_SHARE, SLOWEST = 0.2, 0.03, 2.5
"""Seconds vary by this (log), and this share of runs is slower by up to that factor: a cold cache, a neighbour."""
LEAST_WASTE_RATIO = 0.2


@dataclass
class Segment:
    """One object: live bytes, waste, and how much waste a week adds."""

    candidate_name: str
    action: str
    live_bytes: int
    waste_bytes: int
    waste_per_week: int


@dataclass
class Database:
    """One database of the fleet with what only nature knows: its true rates."""

    chance: random.Random
    segments: list[Segment]
    window_s: float
    policy: ChangePolicy
    mib_per_s: dict[str, float]
    fixed_s: dict[str, float]
    measured: list[Measured] = field(default_factory=list)
    nights: dict[str, int] = field(default_factory=dict)

    def true_s(self, candidate: Candidate) -> float:
        """Seconds without noise: large objects run at four fifths of the rate of small ones."""
        rate = self.mib_per_s[candidate.action] * (0.8 if candidate.work_bytes > 8 * GIB else 1.0)
        return self.fixed_s[candidate.action] + candidate.work_bytes / MIB / rate


@dataclass(frozen=True)
class Night:
    """One night of one database: what was planned with what it was planned from, and what came of it."""

    candidates: list[Candidate]
    estimates: list[Estimate]
    benefit_nights: dict[str, int]
    budget: Budget
    policy: ChangePolicy
    packed: Packed
    overrun_s: float
    freed_bytes: int
    longest_wait: int


def make_database(number: int, seed: int) -> Database:
    """A database whose waste is more than its windows can take in half of all cases."""
    chance = random.Random(f"{seed}-{number}")
    count = min(150, max(8, int(chance.lognormvariate(3.5, 0.6))))
    logs = chance.choice((100, 400, 1600)) * GIB
    return Database(
        chance=chance,
        segments=[_segment(n, chance) for n in range(count)],
        window_s=chance.choice((2, 3, 4, 6)) * 3600,
        policy=ChangePolicy(max_log_bytes=logs, max_items=chance.choice((20, 200))),
        mib_per_s={action: DEFAULTS[action].mib_per_s * chance.lognormvariate(1.4, 0.5) for action in ACTIONS},
        fixed_s={action: chance.uniform(1, 15) for action in ACTIONS},
    )


def _segment(number: int, chance: random.Random) -> Segment:
    live_bytes = int(min(400.0, chance.lognormvariate(2.0, 1.5)) * GIB)
    share = chance.lognormvariate(-2.8, 0.8)
    return Segment(
        f"t{number}", chance.choice(ACTIONS), live_bytes, int(live_bytes * chance.uniform(0, 0.6)), int(live_bytes * share)
    )


def live(database: Database, weeks: int, knows: bool = False) -> Iterator[Night]:
    """The nights of a year, one each week. `knows`: the planner is told the true seconds and noise (the all-knowing peer)."""
    for week in range(weeks):
        began_at = FIRST_NIGHT + timedelta(weeks=week)
        for segment in database.segments:
            grown = segment.waste_bytes + segment.waste_per_week
            segment.waste_bytes = min(grown, 3 * segment.live_bytes)
        yield _one_night(database, began_at, knows)


def _one_night(database: Database, began_at: datetime, knows: bool) -> Night:
    candidates = [_candidate(s) for s in database.segments if s.waste_bytes >= LEAST_WASTE_RATIO * (s.live_bytes + s.waste_bytes)]
    takes_s = {c.object.name: _noisy(database, c) for c in candidates}
    if knows:
        estimates = [_told(takes_s[c.object.name], c) for c in candidates]
    else:
        rates = Rates.learn(database.measured, began_at)
        estimates = [rates.estimate(c) for c in candidates]
    budget = night_budget(database.window_s, database.policy)
    nights, packed = dict(database.nights), pack(candidates, estimates, database.nights, budget, database.policy)
    done, ended_s = _work(database, packed, takes_s.__getitem__, budget, began_at)
    late_s = max(0.0, ended_s - database.window_s)
    database.nights = {key: nights.get(key, 0) + 1 for key in map(_key, candidates) if key not in done}
    return Night(
        candidates, estimates, nights, budget, database.policy, packed, late_s, sum(done.values()), _longest_wait(packed)
    )


def _longest_wait(packed: Packed) -> int:
    """Nights that anything waited until now of all that fits a night alone."""
    waits = [c.nights_waiting for c in packed.carried if c.reason not in ("longer_than_window", "log_above_budget")]
    return max([*waits, *(i.nights_waiting for i in packed.items)], default=0)


def _noisy(database: Database, candidate: Candidate) -> float:
    chance = database.chance
    slow = chance.uniform(1.2, SLOWEST) if chance.random() < SLOW_SHARE else 1.0
    return database.true_s(candidate) * chance.lognormvariate(0, NOISE) * slow


def _told(seconds: float, candidate: Candidate) -> Estimate:
    return Estimate(expected_s=seconds, worst_s=seconds, log_bytes=candidate.log_bytes or 0, runs=1)


def _candidate(segment: Segment) -> Candidate:
    size = segment.live_bytes + segment.waste_bytes
    return Candidate(
        object=ObjectRef(kind=ObjectKind.TABLE, owner="app", name=segment.candidate_name),
        action=segment.action,
        reason="holes_below_high_water",
        size_bytes=size,
        work_bytes=size,
        freed_bytes=segment.waste_bytes,
        log_bytes=int(segment.live_bytes * 1.1),
        lock=LockKind.SHORT,
    )


def _key(candidate: Candidate) -> str:
    return f"{candidate.action} {candidate.object.key}"


def _work(
    database: Database, packed: Packed, takes_s: Callable[[str], float], budget: Budget, began_at: datetime
) -> tuple[dict[str, int], float]:
    """Work the plan as the gate lets it: an item starts only while its worst case fits what is left. Freed bytes by key."""
    done: dict[str, int] = {}
    now_s = 0.0
    for item in packed.items:
        if now_s + item.estimate.worst_s <= budget.window_s:
            seconds = takes_s(item.candidate.object.name)
            now_s += seconds
            done[item.key] = item.candidate.freed_bytes
            database.measured.append(_measured(item, seconds, began_at + timedelta(seconds=now_s)))
    gone = {item.candidate.object.name for item in packed.items if item.key in done}
    for segment in database.segments:
        segment.waste_bytes = 0 if segment.candidate_name in gone else segment.waste_bytes
    return done, now_s


def _measured(item: WorkItem, elapsed_s: float, ended_at: datetime) -> Measured:
    candidate = item.candidate
    logs = candidate.log_bytes or 0
    return Measured(
        action=candidate.action,
        work_bytes=candidate.work_bytes,
        freed_bytes=candidate.freed_bytes,
        elapsed_s=elapsed_s,
        log_bytes=logs,
        formula_log_bytes=logs,
        ended_at=ended_at,
    )

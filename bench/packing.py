"""How good and how fast the packing of a night is: simulated fleets over a year, and 100,000 candidates at once.

    python -m bench packing [--small]

*Benefit* is what a plan is worth by its own figures (freed bytes x use x ageing), beside the exact optimum of the same
night: a mixed integer program that HiGHS solves; where it does not finish, its upper bound stands, so the ratio is never
flattered. The rule that the longest waiting item goes first is ours alone, and its cost is in the ratio. *Bytes back in a
year* stands beside a planner that is told all seconds before. Windows must never be overrun, whatever the noise.
"""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from bench.measures import Line, tell
from bench.packing_fleet import FIRST_NIGHT, GIB, Night, live, make_database
from drydock.changing.packing import LEAST_BENEFIT, night_budget, pack
from drydock.changing.rates import Rates
from drydock.outcomes import Measured
from drydock.plans import Candidate, LockKind, ObjectKind, ObjectRef
from drydock.policy import ChangePolicy

FLEETS, SMALL_FLEETS = (13, 100, 1000), (4, 13)
WEEKS, SMALL_WEEKS = 52, 16
SOLVED_EACH = 120
"""Nights of each fleet that are solved exactly, evenly spread over databases and weeks."""
SOLVE_S = 10.0
KNOWING_FLEET = 100
"""The all-knowing peer lives with fleets up to this many databases."""
LEAST_REACHED = 0.95
CANDIDATES, SMALL_CANDIDATES = (10_000, 100_000), (2_000, 10_000)
LONGEST_PLANNING_S = 2.0
ROUNDS = 3


@dataclass(frozen=True)
class Year:
    """What became of one database in the simulated time."""

    nights: int
    overruns: int
    freed_bytes: int
    knowing_bytes: int
    longest_wait: int
    pairs: tuple[tuple[float, float], ...]
    """(benefit of ours, optimum) of the nights that were solved exactly"""


def measure(small: bool) -> list[Line]:
    """Fleets of growing size, then planning time."""
    weeks, lines = (SMALL_WEEKS if small else WEEKS), []
    for count in SMALL_FLEETS if small else FLEETS:
        tell(f"packing: {count} databases, {weeks} weeks")
        lines += fleet_lines(count, weeks)
    return [*lines, *planning_lines(SMALL_CANDIDATES if small else CANDIDATES)]


def fleet_lines(count: int, weeks: int) -> list[Line]:
    """One fleet: benefit against the optimum, windows overrun, the longest wait, bytes back in the time."""
    with ProcessPoolExecutor(max_workers=len(os.sched_getaffinity(0)), initializer=_be_silent) as pool:
        tasks = [(number, weeks, max(1, count * weeks // SOLVED_EACH), count <= KNOWING_FLEET) for number in range(count)]
        years = list(pool.map(live_a_year, tasks, chunksize=max(1, count // 40)))
    pairs = [pair for year in years for pair in year.pairs]
    ours, best = sum(p[0] for p in pairs), sum(p[1] for p in pairs)
    worst = min((p[0] / p[1] for p in pairs), default=1.0)
    nights, freed = sum(y.nights for y in years), sum(y.freed_bytes for y in years)
    of = f"{count} databases, {weeks} weeks"
    knowing = sum(y.knowing_bytes for y in years)
    back = Line(f"bytes back, {of}", f"{freed / GIB:.0f} GiB", f"all-knowing {knowing / GIB:.0f} GiB", knowing / freed, "x", 1)
    told = f"{ours / best:.4f} of it, worst night {worst:.4f}"
    return [
        Line(f"benefit of a night, {of}", told, "exact optimum (HiGHS)", best / ours, "x", len(pairs), 1 / LEAST_REACHED),
        Line(f"windows overrun, {of}", f"{nights} nights", "", sum(y.overruns for y in years), "windows", 1, 0),
        Line(f"longest wait, {of}", "", "", max(y.longest_wait for y in years), "weeks", 1),
        *([back] if knowing else []),
    ]


def _be_silent() -> None:
    """HiGHS prints from below Python; standard output is for the table alone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def live_a_year(task: tuple[int, int, int, bool]) -> Year:
    """One database in a process of its own: number, weeks, one in how many nights is solved exactly, and with the peer or not."""
    number, weeks, solve_every, with_peer = task
    nights = list(live(make_database(number, seed=4), weeks))
    solved = [night for week, night in enumerate(nights) if (number * weeks + week) % solve_every == 0]
    peer = live(make_database(number, seed=4), weeks, knows=True) if with_peer else ()
    return Year(
        nights=len(nights),
        overruns=sum(night.overrun_s > 0 for night in nights),
        freed_bytes=sum(night.freed_bytes for night in nights),
        knowing_bytes=sum(night.freed_bytes for night in peer),
        longest_wait=max(night.longest_wait for night in nights),
        pairs=tuple((benefit_of(night), optimum_of(night)) for night in solved if night.candidates),
    )


def _benefits(night: Night) -> dict[str, float]:
    grows = night.policy.ageing_per_night
    return {
        c.object.name: max(LEAST_BENEFIT, c.freed_bytes * c.use_weight)
        * (1 + grows * night.benefit_nights.get(f"{c.action} {c.object.key}", 0))
        for c in night.candidates
    }


def benefit_of(night: Night) -> float:
    """What the plan is worth."""
    benefits = _benefits(night)
    return sum(benefits[item.candidate.object.name] for item in night.packed.items) or LEAST_BENEFIT


def optimum_of(night: Night) -> float:
    """What the best plan is worth, or an upper bound of it.

    One 0/1 variable for each candidate in the order of latest ends; the expected ends of the chosen are bounded by those.
    """
    window_s, planned_s = night.budget.window_s, night.budget.window_s * night.policy.window_share
    rows = []
    for candidate, estimate, benefit in zip(night.candidates, night.estimates, _benefits(night).values(), strict=True):
        due = min(planned_s, window_s - estimate.worst_s + estimate.expected_s)
        if candidate.object and estimate.expected_s <= due and estimate.log_bytes <= night.budget.log_bytes:
            rows.append((due, estimate.expected_s, float(estimate.log_bytes), benefit))
    if not rows:
        return LEAST_BENEFIT
    due, length, logs, benefit = (np.array(column) for column in zip(*sorted(rows), strict=True))
    ends = np.tril(np.tile(length, (len(due), 1)))
    slack = np.maximum(0.0, ends.sum(axis=1) - due)
    limits = [
        LinearConstraint(ends + np.diag(slack), ub=due + slack),
        LinearConstraint(logs / night.budget.log_bytes, ub=1.0),
        LinearConstraint(np.ones(len(due)), ub=night.budget.items),
    ]
    scale = benefit.max()
    solved = milp(
        -benefit / scale, integrality=np.ones(len(due)), bounds=Bounds(0, 1), constraints=limits, options={"time_limit": SOLVE_S}
    )
    bound = solved.mip_dual_bound if solved.mip_dual_bound is not None else -benefit.sum() / scale
    return float(max(-bound, 0.0) * scale) or LEAST_BENEFIT


def planning_lines(counts: Sequence[int]) -> list[Line]:
    """Learn from 200 runs, estimate and pack: the time for one database with very many candidates."""
    lines, each_s = [], []
    for count in counts:
        found, measured, policy = make_candidates(count), make_runs(), ChangePolicy()
        seconds = [processor_s(lambda f=found, m=measured, p=policy: plan_once(f, m, p)) for _ in range(ROUNDS)]
        median_s = statistics.median(seconds)
        each_s.append(median_s / count)
        limit = LONGEST_PLANNING_S if count == max(CANDIDATES) else None
        lines.append(
            Line(f"plan {count} candidates", f"{count / median_s:.0f} a second", "", median_s, "s of processor", ROUNDS, limit)
        )
    told = f"{each_s[0] * 1e6:.1f}, then {each_s[-1] * 1e6:.1f} us each"
    return [*lines, Line(f"plan from {counts[0]} to {counts[-1]}", told, "", each_s[-1] / each_s[0], "times linear", ROUNDS)]


def processor_s(work: Callable[[], None]) -> float:
    """Seconds of the processor that one call takes: nothing in it waits, and what else the machine does is left out."""
    began = time.process_time()
    work()
    return time.process_time() - began


def plan_once(found: list[Candidate], measured: list[Measured], policy: ChangePolicy) -> None:
    """What a survey's end costs: rates, estimates, the packed night."""
    rates = Rates.learn(measured, datetime.now(UTC))
    pack(found, rates.estimate_all(found), {}, night_budget(4 * 3600, policy), policy)


def make_candidates(count: int) -> list[Candidate]:
    """Partitions from 64 MiB to 64 GiB, by a fixed sequence."""
    sizes = [int(2 ** (26 + 10 * math.modf(n * 0.6180339887)[0])) for n in range(count)]
    return [
        Candidate(
            object=ObjectRef(kind=ObjectKind.PARTITION, owner="app", name="head", partition=f"p{n}"),
            action=("online_copy", "move_online", "shrink")[n % 3],
            reason="holes_below_high_water",
            size_bytes=size,
            work_bytes=size,
            freed_bytes=int(size * (0.2 + 0.6 * math.modf(n * 0.7548776662)[0])),
            lock=LockKind.SHORT,
        )
        for n, size in enumerate(sizes)
    ]


def make_runs() -> list[Measured]:
    """200 finished runs."""
    return [
        Measured(action=("online_copy", "move_online", "shrink")[n % 3], work_bytes=(n + 1) * 2**27, freed_bytes=0,
                 elapsed_s=3 + (n + 1) * 1.2, log_bytes=n * 2**27, ended_at=FIRST_NIGHT)
        for n in range(200)
    ]  # fmt: skip

"""How long an item takes on this database: learned from its own finished runs, never from another database's.

The line. Seconds = fixed + seconds per byte x work_bytes, for each action. With enough runs of different sizes the slope is
Theil's and Sen's (the median of the slopes of all pairs; Sen, JASA 63, 1968), here with weights, and the fixed part the
median of what is left: up to 29 % of wild runs do not move it. With few runs, or runs of one size, it is the default line
made longer or shorter by the median of actual over default. A size class (factor 8) that is always slower or faster than
the line gets its own factor, drawn to 1 while it has few runs: small objects come from memory, large ones from disk.

The worst case. The spread of log(actual / line), its largest value and the number of runs n decide. That the next run is
slower than the slowest of n has the chance 1/(n+1) (order statistics), so the margin shrinks with n, and it grows again
for an object larger than any that was measured. Runs that were stopped count as at least as long as they took.

Redo and WAL: the formula that came with the candidate (or bytes x the action's factor) times what was really written over
what the formula had said, the upper quartile of recent runs: too much is harmless, too little fills a disk.
"""

from __future__ import annotations

import gc
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from drydock.outcomes import Measured
from drydock.plans import Candidate, Estimate

MIB = 1024**2
ESTIMATES = TypeAdapter(list[Estimate])

HALF_LIFE_DAYS = 56.0
"""A run of eight weeks ago counts half: databases grow, disks change."""
NEWEST_RUNS = 120
"""Of one action; older ones are not looked at. All pairs of them are 7,140 slopes."""
LINE_RUNS, LINE_SPAN = 6, 3.0
"""A line of its own needs this many runs, the largest this many times the smallest."""
COLD_MULTIPLE = 4.0
"""Worst case over expected where nothing was ever measured."""
CLASS_BITS = 3
"""Sizes within a factor of 2 to this power are one class."""
CLASS_RUNS = 3.0
"""A size class has this many runs' worth of doubt against its own factor."""
LEAST_SPREAD, SPREADS = 0.12, 5.0
"""Runs that look equal may still differ by this (log of a ratio); the worst case is this many spreads away."""
TAIL = 1.3
"""One run in some hundreds is slower than all before it (a cold cache, a neighbour): `bench/packing.py` sets this margin."""


@dataclass(frozen=True)
class Default:
    """Safe figures of an action that was never measured here: slow, so that a first night does too little."""

    mib_per_s: float
    fixed_s: float
    log_per_byte: float


DEFAULTS: Mapping[str, Default] = {
    # PostgreSQL; rewrites were measured at 100 to 150 MB/s on a plain server, a fifth of it is taken
    "vacuum_truncate": Default(30, 5, 0.3),
    "online_copy": Default(20, 15, 1.2),
    "repack_concurrently": Default(20, 15, 1.2),
    "vacuum_full": Default(30, 5, 1.2),
    "reindex_concurrently": Default(15, 10, 1.2),
    "reindex": Default(25, 5, 1.2),
    "drop_leftover_index": Default(1000, 5, 0.001),
    # masking: rows through a stream in Python or compiled; the work of finishing is indexes and ANALYZE
    "mask_tables": Default(1000, 5, 0.01),
    "mask_chunk": Default(20, 3, 1.3),
    "mask_finish": Default(15, 3, 0.6),
    "mask_links": Default(50, 3, 0.001),
    "mask_deliver": Default(1000, 3, 0.001),
    "mask_destroy": Default(1000, 3, 0.001),
    # Oracle; redo by the formulas of rules b.4: shrink with three indexes, moves with theirs
    "deallocate": Default(500, 5, 0.01),
    "shrink": Default(5, 10, 2.5 + 0.7 * 3),
    "shrink_lob": Default(5, 10, 1.1),
    "move_online": Default(20, 15, 1.1),
    "move": Default(30, 5, 1.1),
    "truncate": Default(1000, 10, 0.001),
    "coalesce": Default(10, 5, 1.0),
    "shrink_index": Default(10, 5, 1.0),
    "rebuild_online": Default(15, 10, 1.1),
    "rebuild": Default(25, 5, 1.1),
    "purge_trail": Default(20, 10, 1.0),  # whole partitions are dropped; rows of a part of one are deleted, with their redo
}
UNKNOWN_ACTION = Default(5, 30, 4.6)
"""An action without figures is taken for the slowest and heaviest."""


@dataclass(frozen=True)
class ActionRates:
    """What was learned of one action. Factors by size class; `log_factor` None: no run wrote it down."""

    fixed_s: float
    s_per_byte: float
    runs: int
    worst_factor: float
    largest_bytes: int
    class_factors: Mapping[int, float] = field(default_factory=dict)
    log_factor: float = 1.0

    def expected_s(self, work_bytes: int) -> float:
        line = self.fixed_s + self.s_per_byte * work_bytes
        return line * self.class_factors.get(size_class(work_bytes), 1.0) if self.class_factors else line

    def worst_over_expected(self, work_bytes: int) -> float:
        """Further out than anything measured, the doubt grows to that of a cold start."""
        if work_bytes <= self.largest_bytes:
            return self.worst_factor
        beyond = work_bytes / max(1, self.largest_bytes)
        return self.worst_factor * min(COLD_MULTIPLE, 1.0 + 0.5 * math.log2(beyond))


@dataclass(frozen=True)
class Rates:
    """The rates of one database at one moment."""

    actions: Mapping[str, ActionRates]

    @classmethod
    def learn(cls, measured: Iterable[Measured], now: datetime) -> Rates:
        """Rates from what was measured until `now`, in any order; the same runs give the same rates."""
        by_action: dict[str, list[Measured]] = defaultdict(list)
        for run in measured:
            if run.ended_at <= now:
                by_action[run.action].append(run)
        return cls({action: _learn_action(action, runs, now) for action, runs in sorted(by_action.items())})

    def estimate(self, candidate: Candidate) -> Estimate:
        """Expected and worst seconds and log bytes of a candidate; `runs` 0 says that they are defaults."""
        return Estimate(**self._figures(candidate))

    def estimate_all(self, candidates: Iterable[Candidate]) -> list[Estimate]:
        """The same for very many."""
        with no_collection():
            return ESTIMATES.validate_python([self._figures(c) for c in candidates])

    def _figures(self, candidate: Candidate) -> dict[str, float]:
        action, work_bytes, log_bytes = candidate.action, candidate.work_bytes, candidate.log_bytes
        rates = self.actions.get(action) or cold(action)
        expected_s = rates.expected_s(work_bytes)
        formula = work_bytes * _default(action).log_per_byte if log_bytes is None else log_bytes
        return {
            "expected_s": expected_s,
            "worst_s": expected_s * rates.worst_over_expected(work_bytes),
            "log_bytes": math.ceil(formula * rates.log_factor),
            "runs": rates.runs,
        }


@contextmanager
def no_collection() -> Iterator[None]:
    """A hundred thousand results are made and none is garbage: looking for garbage among them would double the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@cache
def cold(action: str) -> ActionRates:
    """The safe defaults of an action that this database never did: any size is as doubtful as another."""
    default = DEFAULTS.get(action, UNKNOWN_ACTION)
    return ActionRates(default.fixed_s, 1 / (default.mib_per_s * MIB), 0, COLD_MULTIPLE, largest_bytes=2**63)


def size_class(work_bytes: int) -> int:
    """Sizes within a factor of eight: below 8 MiB is 0, below 64 MiB is 1, below 512 MiB is 2, ..."""
    return max(0, (work_bytes // MIB).bit_length() - 1) // CLASS_BITS


def _default(action: str) -> Default:
    return DEFAULTS.get(action, UNKNOWN_ACTION)


def _learn_action(action: str, runs: Sequence[Measured], now: datetime) -> ActionRates:
    newest = sorted(runs, key=lambda run: (run.ended_at, run.work_bytes, run.elapsed_s))[-NEWEST_RUNS:]
    whole = [run for run in newest if run.is_whole]
    if not whole:
        return _cold_but_warned(action, newest)
    sizes = np.array([run.work_bytes for run in whole], dtype=float)
    seconds = np.array([max(run.elapsed_s, 1e-3) for run in whole])
    weights = np.array([0.5 ** ((now - run.ended_at).total_seconds() / 86400 / HALF_LIFE_DAYS) for run in whole])
    fixed_s, s_per_byte = _line(action, sizes, seconds, weights)
    factors = _class_factors(sizes, seconds / (fixed_s + s_per_byte * sizes), weights)
    learned = ActionRates(fixed_s, s_per_byte, len(whole), 1.0, int(sizes.max()), factors, _log_factor(action, whole, weights))
    return ActionRates(**(vars(learned) | {"worst_factor": _worst_factor(learned, newest, len(whole))}))


def _cold_but_warned(action: str, stopped: Sequence[Measured]) -> ActionRates:
    """Nothing was ever finished: the defaults, their worst case no better than what was seen."""
    rates = cold(action)
    seen = max(run.elapsed_s / rates.expected_s(run.work_bytes) for run in stopped)
    return ActionRates(**(vars(rates) | {"worst_factor": max(COLD_MULTIPLE, 2 * seen)}))


def _line(
    action: str, sizes: NDArray[np.float64], seconds: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, float]:
    """Fixed seconds and seconds per byte; the default line, scaled, where the runs cannot draw one."""
    if len(sizes) >= LINE_RUNS and sizes.max() >= LINE_SPAN * max(1.0, sizes.min()):
        first, second = np.triu_indices(len(sizes), k=1)
        apart = sizes[second] - sizes[first]
        kept = apart != 0
        slopes = (seconds[second] - seconds[first])[kept] / apart[kept]
        slope = weighted_quantile(slopes, (weights[first] * weights[second])[kept] * np.abs(apart[kept]), 0.5)
        if slope > 0:
            return max(0.05, weighted_quantile(seconds - slope * sizes, weights, 0.5)), slope
    default = DEFAULTS.get(action, UNKNOWN_ACTION)
    s_per_byte = 1 / (default.mib_per_s * MIB)
    scale = weighted_quantile(seconds / (default.fixed_s + s_per_byte * sizes), weights, 0.5)
    return default.fixed_s * scale, s_per_byte * scale


def _class_factors(sizes: NDArray[np.float64], ratios: NDArray[np.float64], weights: NDArray[np.float64]) -> dict[int, float]:
    """By how much each size class is off the line, drawn to 1 by the doubt of few runs."""
    classes = np.array([size_class(int(size)) for size in sizes])
    factors = {}
    for number in sorted(set(classes.tolist())):
        here = classes == number
        trust = here.sum() / (here.sum() + CLASS_RUNS)
        factors[number] = float(weighted_quantile(ratios[here], weights[here], 0.5) ** trust)
    return factors


def _worst_factor(rates: ActionRates, runs: Sequence[Measured], whole: int) -> float:
    """Worst case over expected. At least the slowest run seen, at least some spreads, margins for few runs and for the tail.

    No worse than a cold start, unless a run was.
    """
    off = np.array([math.log(max(run.elapsed_s, 1e-3) / rates.expected_s(run.work_bytes)) for run in runs])
    finished = off[[run.is_whole for run in runs]]
    middle = np.median(finished)
    spread = max(LEAST_SPREAD, 1.4826 * float(np.median(np.abs(finished - middle))))
    slowest = float(max(off.max(), SPREADS * spread))
    careful = math.exp(slowest) * (1 + 2 / (whole + 1)) * TAIL
    return max(1.2, min(COLD_MULTIPLE, careful), math.exp(off.max()) * TAIL)


def _log_factor(action: str, runs: Sequence[Measured], weights: NDArray[np.float64]) -> float:
    """What was written over what the formula said: upper quartile, with one run's worth of belief in the formula."""
    per_byte = _default(action).log_per_byte
    said = np.array([run.work_bytes * per_byte if run.formula_log_bytes is None else run.formula_log_bytes for run in runs])
    written = np.array([run.log_bytes for run in runs], dtype=float)
    known = (said > 0) & (written > 0)
    if not known.any():
        return 1.0
    learned = weighted_quantile(written[known] / said[known], weights[known], 0.75)
    return float((known.sum() * learned + 1.0) / (known.sum() + 1))


def weighted_quantile(values: NDArray[np.float64], weights: NDArray[np.float64], share: float) -> float:
    """The smallest value with at least `share` of all weight at or below it."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, share * total[-1])])

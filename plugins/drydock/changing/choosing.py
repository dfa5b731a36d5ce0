"""The most benefit that fits one night: a knapsack over time with latest starts, a budget of logs and a number of items.

Two ways, the better answer counts. *Greedy* takes by benefit per cost, the cost a mixture of time, logs and places in
which the scarce one weighs more (Lagrange multipliers, several mixtures tried); near the optimum when many items fit.
*Table* is the pseudo-polynomial recurrence of Lawler and Moore (Management Science 16, 1969) for the weighted number of late
jobs on a grid of the window, logs and places priced in; near the optimum when few large items fit. Both look at a core of
the candidates that any mixture likes best, which keeps 100,000 candidates cheap: beyond it nothing can be worth a place.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]

GRID = 3000
"""Steps of the window in the table."""
CORE = 400
"""Candidates that each mixture brings into the core; at most four times the items a night may have."""
TABLE = 600
"""Candidates that the table looks at."""
PRICES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 1.0), (1.0, 1.0, 0.0), (1.0, 0.0, 1.0), (1.0, 0.3, 0.3))
"""Mixtures of (time, logs, places)."""
NEARLY = 1e-6


@dataclass(frozen=True)
class Room:
    """What is left of a night. `window_s`: until when work may go on at worst; `planned_s`: how much is planned."""

    window_s: float
    planned_s: float
    log_bytes: float
    items: int

    def takes(self, expected_s: float, worst_s: float, log_bytes: float) -> bool:
        """True when that item alone fits."""
        return self.items > 0 and worst_s <= self.window_s and expected_s <= self.planned_s and log_bytes <= self.log_bytes

    def without(self, expected_s: float, log_bytes: float, items: int) -> Room:
        return Room(self.window_s - expected_s, self.planned_s - expected_s, self.log_bytes - log_bytes, self.items - items)


def due_at(expected_s: Column, worst_s: Column, room: Room) -> Column:
    """When each item must be expected to end at the latest: started then, its worst case ends with the window."""
    return np.minimum(room.window_s - worst_s + expected_s, room.planned_s)


@dataclass(frozen=True)
class Load:
    """The candidates as columns; `share` is what each costs of time, logs and places, as a share of the room (n x 3)."""

    expected_s: Column
    log_bytes: Column
    benefit: Column
    due: Column
    share: Column

    @cached_property
    def lists(self) -> tuple[list[float], ...]:
        """Seconds, logs, benefit and latest end as lists, which are faster to look up one by one."""
        return tuple(column.tolist() for column in (self.expected_s, self.log_bytes, self.benefit, self.due))


class Night:
    """A set that fits, kept in the order of latest ends, and how much later each of them may still be pushed."""

    def __init__(self, load: Load, room: Room) -> None:
        self.columns, self.room = load.lists, room
        self.line: list[tuple[float, int]] = []
        self.taken: set[int] = set()
        self.log_left, self.benefit = room.log_bytes, 0.0
        self._settle()

    def _settle(self) -> None:
        lengths = self.columns[0]
        self.began = list(accumulate((lengths[i] for _, i in self.line), initial=0.0))
        spare = (due - end for (due, _), end in zip(reversed(self.line), reversed(self.began), strict=False))
        self.push = list(accumulate(spare, min, initial=math.inf))[::-1]

    def add(self, place: int) -> bool:
        """Take it if it still fits with all others; says whether it was taken."""
        length, logs, benefit, due = (column[place] for column in self.columns)
        if len(self.line) >= self.room.items or logs > self.log_left:
            return False
        at = bisect_left(self.line, (due, place))
        if self.began[at] + length > due + NEARLY or self.push[at] + NEARLY < length:
            return False
        self.line.insert(at, (due, place))
        self.taken.add(place)
        self.log_left -= logs
        self.benefit += benefit
        self._settle()
        return True

    def fill(self, places: Iterable[int]) -> Night:
        for place in places:
            if place not in self.taken:
                self.add(place)
        return self

    @property
    def places(self) -> list[int]:
        return sorted(self.taken)


def choose(expected_s: Column, worst_s: Column, log_bytes: Column, benefit: Column, room: Room) -> list[int]:
    """Places of the chosen, ascending."""
    due = due_at(expected_s, worst_s, room)
    fits = (expected_s <= due + NEARLY) & (log_bytes <= room.log_bytes)
    places = np.flatnonzero(fits)
    if not len(places) or room.items <= 0 or room.planned_s <= 0:
        return []
    share = np.stack(
        [expected_s / room.planned_s, log_bytes / max(1.0, room.log_bytes), np.full(len(due), 1 / room.items)], axis=1
    )
    prices = [np.array(p) for p in PRICES]
    prices.append(_scarcity(share[places], benefit[places]))
    core = _core(places, [benefit[places] / _cost(share[places], p) for p in prices], room)
    load = Load(expected_s[core], log_bytes[core], benefit[core], due[core], share[core])
    best = _best_night(load, room, prices)
    return [int(core[i]) for i in best.places]


def _cost(share: Column, price: Column) -> Column:
    return np.maximum(share @ price, 1e-12)


def _scarcity(share: Column, benefit: Column) -> Column:
    """Prices of time, logs and places at which about one room full is worth taking: the relaxed problem's multipliers."""
    price = np.full(3, benefit.sum() / max(1.0, share.sum()))
    for turn in range(40):
        used = share[benefit > share @ price].sum(axis=0)
        price = np.maximum(price * np.clip(used, 0.25, 4.0) ** (0.5 / (1 + turn / 10)), 1e-12)
    return price


def _core(places: NDArray[np.int64], scores: list[Column], room: Room) -> NDArray[np.int64]:
    """The best by any mixture."""
    most = max(CORE, 2 * room.items)
    if len(places) <= most:
        return places
    return np.unique(np.concatenate([places[np.argsort(-score, kind="stable")[:most]] for score in scores]))


def _best_night(load: Load, room: Room, prices: list[Column]) -> Night:
    """The best of all ways, the first of equals; each is filled up with whatever still fits."""
    orders = [np.argsort(-load.benefit / _cost(load.share, p), kind="stable").tolist() for p in prices]
    orders.append(np.argsort(-load.benefit, kind="stable").tolist())
    nights = [Night(load, room).fill(orders[-1])]
    if len(nights[0].taken) == len(load.benefit):
        return nights[0]
    nights += [Night(load, room).fill(order) for order in orders[:-1]]
    scarce = orders[len(prices) - 1]
    for taken in _tables(load, room, prices[-1], np.array(sorted(scarce[:TABLE]))):
        nights.append(Night(load, room).fill([*taken, *scarce]))
    return max(nights, key=lambda night: night.benefit)


def _tables(load: Load, room: Room, price: Column, places: NDArray[np.int64]) -> Iterator[list[int]]:
    """Choices of the table: seconds rounded up and to the nearest step, logs and places at no, at full and at twice the price."""
    for factor in (0.0, 1.0, 2.0):
        worth = load.benefit[places] - factor * (load.share[places, 1:] @ price[1:])
        for rounding in (np.ceil, np.rint):
            taken = _table(load, room, places, worth, rounding)
            yield sorted(taken, key=lambda i: (-load.benefit[i] / max(load.expected_s[i], 1e-9), i))


def _table(load: Load, room: Room, places: NDArray[np.int64], worth: Column, rounding: np.ufunc) -> list[int]:
    """Lawler's and Moore's recurrence: the most worth that ends at each step, items in the order of latest ends."""
    step = room.planned_s / GRID
    line = np.argsort(load.due[places], kind="stable")
    steps = rounding(load.expected_s[places] / step).astype(np.int64)
    latest = np.minimum(GRID, np.floor(load.due[places] / step + NEARLY).astype(np.int64))
    best = np.full(GRID + 1, -np.inf)
    best[0] = 0.0
    took = np.zeros((len(line), GRID + 1), dtype=bool)
    for row, n in enumerate(line.tolist()):
        first, last = steps[n], latest[n]
        if worth[n] > 0 and first <= last:
            with_it = best[: last - first + 1] + worth[n]
            better = with_it > best[first : last + 1]
            took[row, first : last + 1] = better
            best[first : last + 1] = np.where(better, with_it, best[first : last + 1])
    return [int(places[n]) for n in _walk_back(took, steps, line.tolist(), int(np.argmax(best)))]


def _walk_back(took: NDArray[np.bool_], steps: NDArray[np.int64], line: list[int], at: int) -> Iterator[int]:
    for row in range(len(line) - 1, -1, -1):
        if took[row, at]:
            yield line[row]
            at -= int(steps[line[row]])

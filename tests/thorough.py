"""How many points of an exhaustive run are met: a fixed part in `make test`, all of them in `make test-thorough`."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

T = TypeVar("T")
VARIABLE = "DRYDOCK_THOROUGH"
SEED = 20261122


def is_thorough() -> bool:
    return os.environ.get(VARIABLE, "") not in ("", "0")


def points(all_points: Sequence[T], usual: int, kind: Callable[[T], Hashable] | None = None) -> Sequence[T]:
    """About `usual` of the points in their order, the same ones at every call, spread over all of them; all when thorough.

    The first and the last are always among them, and with `kind` at least one point of each kind: more than `usual` then if need
    be. Raises ValueError when `usual` is below 2, since that is no part that could meet both ends.
    """
    if usual < 2:
        raise ValueError("a part of less than two points does not meet both ends")
    if is_thorough() or len(all_points) <= usual:
        return all_points
    chosen = _of_each_kind(all_points, kind) if kind else set()
    for place in _spread(len(all_points), usual):
        if len(chosen) >= usual:
            break
        chosen.add(place)
    chosen |= {0, len(all_points) - 1}
    return [all_points[place] for place in sorted(chosen)]


def _of_each_kind(all_points: Sequence[T], kind: Callable[[T], Hashable]) -> set[int]:
    """One place per kind, drawn: not always the first, which often lies at the very beginning."""
    places: dict[Hashable, list[int]] = {}
    for place, point in enumerate(all_points):
        places.setdefault(kind(point), []).append(place)
    draw = random.Random(SEED)
    return {draw.choice(of_kind) for of_kind in places.values()}


def _spread(count: int, usual: int) -> list[int]:
    """Both ends, then one drawn place of each of `usual - 2` equal stretches between them, in drawn order."""
    draw = random.Random(SEED)
    stretches = usual - 2
    edges = [1 + (count - 2) * n // max(stretches, 1) for n in range(stretches + 1)]
    between = [draw.randrange(edges[n], edges[n + 1]) for n in range(stretches)]
    draw.shuffle(between)
    return [0, count - 1, *between]

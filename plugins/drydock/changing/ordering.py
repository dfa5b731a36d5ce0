"""In which order the chosen items of a night are worked: best benefit per minute first, as far as every worst case fits.

Each item has a latest start: the end of the window less its worst case. That a set can be worked at all is seen by the
order of latest ends (worst case replaced by expected time), which is best where any order is (Jackson 1955: earliest due
date). What pays more is then drawn forward while no other loses its place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drydock.changing.choosing import Room, due_at


def work_order(
    expected_s: NDArray[np.float64], worst_s: NDArray[np.float64], benefit: NDArray[np.float64], room: Room
) -> list[int]:
    """Places in working order. The items fit together (`choosing.choose`); earlier places win ties."""
    due = due_at(expected_s, worst_s, room)
    line = np.argsort(due, kind="stable")
    rank = np.empty(len(line), dtype=np.int64)
    rank[np.argsort(-benefit / np.maximum(expected_s, 1e-9), kind="stable")] = np.arange(len(line))
    order: list[int] = []
    began = 0.0
    while len(line):
        spare = due[line] - (began + np.cumsum(expected_s[line]))
        before = np.concatenate(([np.inf], np.minimum.accumulate(spare)[:-1]))
        may = np.flatnonzero(before >= expected_s[line] - 1e-9)
        place = int(may[np.argmin(rank[line[may]])])
        order.append(int(line[place]))
        began += float(expected_s[line[place]])
        line = np.delete(line, place)
    return order

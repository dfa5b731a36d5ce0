"""Plans that are worked whole or not at all: a masked copy without some of its tables is not the one that was asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence

from drydock.changing.packing import Packed
from drydock.plans import Budget, Candidate, Carried, Estimate, Pipeline, WorkItem
from drydock.policy import ChangePolicy

PLANNED_WHOLE: tuple[Pipeline, ...] = ("masking",)
"""What an earlier run of these left unfinished is not gone on with: the next run begins anew and clears it away."""


def pack_whole(candidates: Sequence[Candidate], estimates: Sequence[Estimate], budget: Budget, policy: ChangePolicy) -> Packed:
    """All of them in their order where they fit the window and the night's budget together; else none, and why."""
    pairs = list(zip(candidates, estimates, strict=True))
    if reason := _why_not(estimates, budget, policy):
        return Packed(items=(), carried=tuple(Carried(candidate=c, estimate=e, reason=reason) for c, e in pairs))
    items = (WorkItem(number=n, candidate=c, estimate=e) for n, (c, e) in enumerate(pairs, start=1))
    return Packed(items=tuple(items), carried=())


def _why_not(estimates: Sequence[Estimate], budget: Budget, policy: ChangePolicy) -> str:
    expected_s = math.fsum(e.expected_s for e in estimates)
    longest_s = max((e.worst_s for e in estimates), default=0.0)
    if expected_s > budget.window_s * policy.window_share or longest_s > budget.window_s:
        return "copy_does_not_fit"
    if sum(e.log_bytes for e in estimates) > budget.log_bytes:
        return "copy_writes_too_much"
    return "copy_has_too_many_items" if len(estimates) > budget.items else ""

"""What grew back after it was made smaller: left alone from then on, and told with its bytes after 7 and 30 days.

Space that fills again within weeks was working space, not waste: taking it away costs the window, redo and the extents
that are allocated again (rules of Oracle operation, b.1.5). Sizes come from the weekly surveys, so a day is met to within
half a week.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime, Field

from drydock.outcomes import PastReclaim, SizeSeen
from drydock.policy import ChangePolicy
from drydock.verdicts import Model

NEAR = timedelta(days=3, hours=12)
"""A weekly survey sees the size of a day at most this far from it."""


class Regrowth(Model):
    """One object, its last reclaim, and what came of it. Sizes are None where no survey saw the object about that day."""

    object_key: str
    reclaimed_at: AwareDatetime
    before_bytes: int = Field(ge=0)
    after_bytes: int = Field(ge=0)
    early_bytes: int | None = Field(None, ge=0, description="size after the first number of policy.regrowth_days")
    late_bytes: int | None = Field(None, ge=0, description="size after the second")
    has_regrown: bool = Field(description="seen back above the limit within the second number of days: left alone")

    @property
    def freed_bytes(self) -> int:
        return self.before_bytes - self.after_bytes

    @property
    def early_regrown_bytes(self) -> int | None:
        return None if self.early_bytes is None else self.early_bytes - self.after_bytes

    @property
    def late_regrown_bytes(self) -> int | None:
        return None if self.late_bytes is None else self.late_bytes - self.after_bytes


def regrown(
    past_reclaims: Iterable[PastReclaim], sizes: Iterable[SizeSeen], policy: ChangePolicy, now: datetime
) -> frozenset[str]:
    """Keys (ObjectRef.key) of what grew back after its last reclaim: candidates to leave alone, reason `regrows`."""
    return frozenset(line.object_key for line in regrowth_lines(past_reclaims, sizes, policy, now) if line.has_regrown)


def regrowth_lines(
    past_reclaims: Iterable[PastReclaim], sizes: Iterable[SizeSeen], policy: ChangePolicy, now: datetime
) -> tuple[Regrowth, ...]:
    """One line for each object that was ever made smaller, by key; what was seen after `now` does not count."""
    seen: dict[str, list[SizeSeen]] = defaultdict(list)
    for size in sizes:
        if size.seen_at <= now:
            seen[size.object_key].append(size)
    return tuple(_line(last, seen[key], policy) for key, last in sorted(_last_of_each(past_reclaims, now).items()))


def _last_of_each(past: Iterable[PastReclaim], now: datetime) -> Mapping[str, PastReclaim]:
    last: dict[str, PastReclaim] = {}
    for reclaim in past:
        held = last.get(reclaim.object_key)
        if reclaim.ended_at <= now and reclaim.after_bytes < reclaim.before_bytes:
            last[reclaim.object_key] = reclaim if held is None or held.ended_at < reclaim.ended_at else held
    return last


def _line(past: PastReclaim, seen: Sequence[SizeSeen], policy: ChangePolicy) -> Regrowth:
    later = [size for size in seen if size.seen_at > past.ended_at]
    early, late = (_size_after(later, past.ended_at + timedelta(days=days)) for days in policy.regrowth_days)
    judged_until = past.ended_at + timedelta(days=policy.regrowth_days[1])
    limit = _limit_bytes(past, policy.regrowth_ratio)
    return Regrowth(
        object_key=past.object_key,
        reclaimed_at=past.ended_at,
        before_bytes=past.before_bytes,
        after_bytes=past.after_bytes,
        early_bytes=early,
        late_bytes=late,
        has_regrown=any(size.seen_at <= judged_until and size.size_bytes >= limit for size in later),
    )


def _limit_bytes(past: PastReclaim, ratio: float) -> float:
    """From this size on it is back: the share of what it was; of what was freed, where less than the rest was freed.

    Without the second, an object that lost a tenth would stand above the limit the moment its reclaim ends.
    """
    limit = ratio * past.before_bytes
    return limit if past.after_bytes < limit else past.after_bytes + ratio * (past.before_bytes - past.after_bytes)


def _size_after(seen: Sequence[SizeSeen], day: datetime) -> int | None:
    """The size seen nearest to that day, if any was seen near it."""
    near = [size for size in seen if abs(size.seen_at - day) <= NEAR]
    return min(near, key=lambda size: (abs(size.seen_at - day), size.seen_at)).size_bytes if near else None

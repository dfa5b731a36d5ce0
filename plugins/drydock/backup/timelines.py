"""The way of recovery through the archived logs: from a base backup along timelines to the end of the archive.

A timeline branches off its parent at a position that its history tells; recovery replays the parent up to there and then
the child, whose first segment begins with a copy of the parent's (PostgreSQL manual, "Timelines"; an Oracle incarnation
branches at its RESETLOGS_CHANGE#). Positions are compared, never names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest

from drydock.backup.chains import live_target, own_logs, own_sets
from drydock.backup.facts import LogArchive, LogRange, Survey


@dataclass(frozen=True)
class Leg:
    """The part of one timeline that recovery replays. `end_position` None: to the end of the archive."""

    timeline: int
    first_position: int
    end_position: int | None


@dataclass(frozen=True)
class Gap:
    """Logs that recovery needs and that are not there. `after`, `before`: neighbouring segments, empty at an end."""

    timeline: int
    after: str
    before: str
    first_position: int
    end_position: int

    def segments(self, segment_bytes: int) -> int:
        """Whole segments that are missing, at least 1."""
        first, end = self.first_position // segment_bytes, -(-self.end_position // segment_bytes)
        return max(1, end - first)


@dataclass(frozen=True)
class Reach:
    """How far recovery gets without a gap: the last range that it can use."""

    timeline: int
    end_position: int
    last_range: LogRange


def tip_timeline(survey: Survey) -> int | None:
    """The timeline that the database is on: as it says itself, else the newest that left any trace."""
    target = live_target(survey)
    if target and target.timeline:
        return target.timeline
    seen = {s.timeline for s in own_sets(survey) if s.timeline}
    if survey.logs:
        seen |= {r.timeline for r in own_logs(survey).ranges} | set(survey.logs.timelines)
    return max(seen, default=None)


def ancestry(timelines: Mapping[int, tuple[int, int]], tip: int) -> tuple[tuple[int, int | None], ...]:
    """(timeline, position where the next one branched off) from the oldest known ancestor to `tip` (its end is None)."""
    path: list[tuple[int, int | None]] = [(tip, None)]
    while path[0][0] in timelines:
        parent, branch = timelines[path[0][0]]
        if parent >= path[0][0]:  # a history never names a younger parent; a forged one must not run in a ring
            break
        path.insert(0, (parent, branch))
    return tuple(path)


def legs_to_tip(logs: LogArchive, timeline: int, start: int, stop: int, tip: int) -> tuple[Leg, ...]:
    """The legs from a base backup (positions `start`..`stop`) to `tip`; () where no path leads there."""
    path = ancestry(logs.timelines, tip)
    at = next((i for i, (t, _) in enumerate(path) if t == timeline), None)
    if at is None or (path[at][1] is not None and stop > path[at][1]):
        return ()
    begins = [start, *(end for _, end in path[at:-1])]
    return tuple(Leg(t, begin, end) for begin, (t, end) in zip(begins, path[at:], strict=True))


def ranges_on(logs: LogArchive, leg: Leg) -> list[LogRange]:
    """Ranges that hold a part of the leg, in order."""
    found = [r for r in logs.ranges if r.timeline == leg.timeline and r.end_position > leg.first_position]
    if leg.end_position is not None:
        found = [r for r in found if r.first_position < leg.end_position]
    return sorted(found, key=lambda r: r.first_position)


def follow(logs: LogArchive, legs: tuple[Leg, ...]) -> Reach | None:
    """How far recovery along `legs` gets before the first missing log; None where not even the first one is there."""
    reach = None
    for leg, following in zip_longest(legs, legs[1:]):
        cursor = leg.first_position
        for log_range in ranges_on(logs, leg):
            if log_range.first_position > cursor:
                return reach
            cursor = max(cursor, log_range.end_position)
            reach = Reach(leg.timeline, cursor, log_range)
        joint = _joint(logs, following)
        if joint is None or cursor < joint.first_position:
            return reach
    return reach


def gaps_along(logs: LogArchive, legs: tuple[Leg, ...]) -> Iterator[Gap]:
    """Every hole in the logs along `legs`. What lies after the last archived segment of the last leg is no gap."""
    for leg, following in zip_longest(legs, legs[1:]):
        cursor, after = leg.first_position, ""
        for log_range in ranges_on(logs, leg):
            if log_range.first_position > cursor:
                yield Gap(leg.timeline, after, log_range.first, cursor, log_range.first_position)
            cursor, after = max(cursor, log_range.end_position), log_range.last
        if following is not None:
            joint = _joint(logs, following)
            needed = joint.first_position if joint else leg.end_position
            if needed - cursor >= logs.segment_bytes:  # less than that is in the child's copy of the last segment
                yield Gap(leg.timeline, after, joint.first if joint else "", cursor, needed)


def _joint(logs: LogArchive, leg: Leg | None) -> LogRange | None:
    """The range of a leg that holds its very first position."""
    if leg is None:
        return None
    return next((r for r in ranges_on(logs, leg) if r.first_position <= leg.first_position), None)

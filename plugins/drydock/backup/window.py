"""Which moments can be restored to, and how much would be lost now.

A moment can be restored to when a usable chain of base backups ended before it and every archived log from the start of
the chain's last set up to it is there (PostgreSQL manual, "Continuous Archiving and Point-in-Time Recovery"; Oracle:
rules of recovery from CHECKPOINT_CHANGE# on). The end of a window is when its last log was archived.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from drydock.backup.chains import Chain, live_target, own_logs, usable_chains
from drydock.backup.facts import Archiver, BackupSet, LogArchive, LogRange, Survey, TargetState
from drydock.backup.results import TimeWindow
from drydock.backup.timelines import Leg, Reach, follow, legs_to_tip, tip_timeline


@dataclass(frozen=True)
class Span:
    """What one chain can be recovered to. `reach` None: only to its own end, without archived logs."""

    base: BackupSet
    reach: Reach | None


def restorable_windows(survey: Survey, distrusted: frozenset[str] = frozenset()) -> tuple[TimeWindow, ...]:
    """Windows of time, any moment of which can be restored to; oldest first, the last one reaches furthest.

    Chains whose logs run to the same end make one window, from the oldest of them on. Chains with a set of
    `distrusted`, which reads or drills proved bad, make none.
    """
    oldest: dict[tuple[int, object], Span] = {}
    for span in spans(survey, distrusted):
        end = (span.reach.timeline, span.reach.end_position) if span.reach else (0, span.base.set_id)
        oldest.setdefault(end, span)
    windows = [_window(span, survey) for span in oldest.values()]
    return tuple(sorted(windows, key=lambda w: (w.end, w.start)))


def spans(survey: Survey, distrusted: frozenset[str] = frozenset()) -> tuple[Span, ...]:
    """What each usable chain can be recovered to, oldest chain first. Chains whose own end is not covered are left out."""
    found = (_span(chain, survey) for chain in usable_chains(survey, distrusted))
    return tuple(s for s in found if s)


def _span(chain: Chain, survey: Survey) -> Span | None:
    base, logs = chain[-1], own_logs(survey)
    if logs is None:
        return Span(base, None)
    reach = follow(logs, base_legs(base, logs, tip_timeline(survey)))
    covered = reach is not None and base.stop_position is not None and reach.end_position >= base.stop_position
    return Span(base, reach) if covered else None


def base_legs(base: BackupSet, logs: LogArchive, tip: int | None) -> tuple[Leg, ...]:
    """The way from a base backup to the tip; where none leads there, to the end of its own timeline."""
    if base.timeline is None or base.start_position is None:
        return ()
    start, stop = base.start_position, base.stop_position or base.start_position
    to_tip = legs_to_tip(logs, base.timeline, start, stop, tip) if tip else ()
    return to_tip or (Leg(base.timeline, start, None),)


def _window(span: Span, survey: Survey) -> TimeWindow:
    base = span.base
    if span.reach is None:
        return TimeWindow(start=base.finished_at, end=base.finished_at, set_id=base.set_id, timeline=base.timeline or 0)
    end = min(_archived_at(span.reach.last_range, survey), survey.as_of)
    end = max(end, base.finished_at)  # the logs up to the end of the backup are there, whenever they were archived
    return TimeWindow(start=base.finished_at, end=end, set_id=base.set_id, timeline=span.reach.timeline)


def _archived_at(log_range: LogRange, survey: Survey) -> datetime:
    """When the last segment of a range was archived: as the server says where it is that very segment, else its file time."""
    target = live_target(survey)
    archiver = target.archiver if target else None
    if archiver and archiver.last_archived_at and archiver.last_archived == log_range.last:
        return max(archiver.last_archived_at, log_range.last_at)
    return log_range.last_at


def rpo_now_s(survey: Survey, windows: tuple[TimeWindow, ...], distrusted: frozenset[str] = frozenset()) -> float | None:
    """Seconds of work that would be lost if the database were gone at `as_of`; None where nothing can be restored.

    `distrusted` is for rules that look at the logs themselves: here `windows` were made without those sets.

    An idle server archives nothing, so the age of the newest log overstates the loss. Where the server itself shows a
    healthy archiver, archive_timeout and no backlog, no more than archive_timeout is at risk.
    """
    if not windows:
        return None
    age_s = max(0.0, (survey.as_of - windows[-1].end).total_seconds())
    timeout_s = bounded_loss_s(survey, windows)
    return age_s if timeout_s is None else min(age_s, float(timeout_s))


def bounded_loss_s(survey: Survey, windows: tuple[TimeWindow, ...]) -> int | None:
    """archive_timeout where the server shows that no older change waits to be archived; None where it does not show it."""
    target = live_target(survey)
    tip = _tip_range(survey, windows)
    if target is None or tip is None or not is_archiving(target) or target.archiver.timeout_s <= 0:
        return None
    return target.archiver.timeout_s if backlog_bytes(target, survey.logs, tip) < survey.logs.segment_bytes else None


def _tip_range(survey: Survey, windows: tuple[TimeWindow, ...]) -> LogRange | None:
    """The last range of the newest window's timeline; None where that window ends before it, at a gap."""
    logs = own_logs(survey)
    ranges = [r for r in logs.ranges if r.timeline == windows[-1].timeline] if logs else []
    tip = max(ranges, key=lambda r: r.end_position, default=None)
    return tip if tip and min(tip.last_at, survey.as_of) <= windows[-1].end else None


def backlog_bytes(target: TargetState, logs: LogArchive, tip: LogRange) -> float:
    """Bytes of log written since the end of the last archived segment; infinite where that cannot be told."""
    if target.position is None or target.position < tip.end_position:
        return float("inf")
    return target.position - tip.end_position


def is_archiving(target: TargetState) -> bool:
    """True when the server's own archiver runs and its last try was a success."""
    archiver = target.archiver
    if archiver is None or is_off(archiver) or archiver.last_archived_at is None:
        return False
    return archiver.last_failed_at is None or archiver.last_failed_at <= archiver.last_archived_at


def is_off(archiver: Archiver) -> bool:
    """True for archive_mode = off (Oracle: NOARCHIVELOG)."""
    return archiver.mode.lower() in ("", "off", "noarchivelog")

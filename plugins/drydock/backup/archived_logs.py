"""Findings about archived logs for the verdict *complete*: holes, missing ends, timelines without a path, the archiver.

Sources: PostgreSQL manual, "Continuous Archiving and Point-in-Time Recovery" and "The Cumulative Statistics System"
(pg_stat_archiver); for Oracle the same questions are asked of V$ARCHIVED_LOG and V$ARCHIVE_DEST_STATUS.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from drydock.backup.chains import (
    age_h,
    finished_sets,
    foreign_logs,
    is_live,
    live_target,
    own_logs,
    own_sets,
    own_system_id,
    usable_chains,
)
from drydock.backup.facts import Archiver, BackupSet, LogArchive, LogRange, Survey, TargetState
from drydock.backup.folding import fold_findings
from drydock.backup.timelines import Gap, Leg, ancestry, follow, gaps_along, legs_to_tip, ranges_on, tip_timeline
from drydock.backup.window import backlog_bytes, base_legs, is_archiving, is_off
from drydock.estate import BackupPlan
from drydock.policy import BackupPolicy
from drydock.verdicts import Finding, Status

DAY_S = 86_400.0
GIB = 1024**3

RETENTION_SLACK = timedelta(days=1)  # a daily clean-up, and a quiet night at its edge, leave the window this much shorter


def log_findings(survey: Survey, plan: BackupPlan, policy: BackupPolicy) -> Iterator[Finding]:
    """All that is wrong with the archived logs. Nothing where the plan has no archive."""
    if plan.places.logs is None and survey.logs is None:
        return
    yield from archiver_findings(survey, policy)
    if survey.logs is None:
        if not any(p.code.startswith("source_") for p in survey.problems):
            yield Finding(code="log_archive_missing", status=Status.FAIL, place=plan.places.logs or "")
        return
    yield from (p for p in survey.logs.problems if p.code != "history_missing" or _needs_history(p, survey))
    yield from _disk_findings(survey.logs, policy) if is_live(survey) else ()
    yield from (_foreign(r, own_system_id(survey)) for r in foreign_logs(survey))
    logs = own_logs(survey)
    if not logs.ranges:
        yield Finding(code="log_archive_empty", status=Status.FAIL, place=logs.place)
        return
    yield from _timeline_findings(survey, logs)
    yield from fold_findings(_gap_findings(survey, logs, plan.retention_days), logs.place, "more_set_problems")
    yield from _end_findings(survey, logs, timedelta(seconds=policy.clock_skew_warn_s))


def _needs_history(problem: Finding, survey: Survey) -> bool:
    """True where a base or log of an older timeline is kept, from which the missing history would lead on."""
    timeline = problem.values.get("timeline")
    kept = {s.timeline for s in own_sets(survey)} | {r.timeline for r in survey.logs.ranges}
    return timeline is None or any(t is not None and t < timeline for t in kept)


def _foreign(log_range: LogRange, own: str | None) -> Finding:
    values = {"system_id": log_range.system_id, "expected": own}
    return Finding(code="foreign_backup", status=Status.FAIL, place=log_range.first, values=values)


def _gap_findings(survey: Survey, logs: LogArchive, retention_days: int) -> Iterator[Finding]:
    """FAIL for a hole after the base that retention relies on, WARN for an older one that an older base still needs."""
    tip = tip_timeline(survey)
    bases = [b for b in _bases(survey) if b.start_position is not None and b.timeline is not None]
    anchor = _retention_base(bases, survey, retention_days)
    if anchor is None:
        return
    told = set()
    legs = base_legs(anchor, logs, tip)
    trimmed_to = None if anchor is bases[-1] else _trimmed_to(logs, legs, _must_be_kept_since(survey, retention_days))
    for gap in gaps_along(logs, legs):
        told.add((gap.timeline, gap.end_position))
        trimmed = trimmed_to is not None and gap.end_position <= trimmed_to
        yield _gap(gap, logs, Status.WARN if trimmed else Status.FAIL, anchor)
    for gap in gaps_along(logs, base_legs(bases[0], logs, tip)):
        if gap.after and (gap.timeline, gap.end_position) not in told:
            yield _gap(gap, logs, Status.WARN, bases[0])


def _must_be_kept_since(survey: Survey, retention_days: int) -> datetime:
    return survey.as_of - timedelta(days=retention_days) + RETENTION_SLACK


def _trimmed_to(logs: LogArchive, legs: tuple[Leg, ...], begin: datetime) -> int | None:
    """Where the kept logs of the way begin, when all since `begin` is kept: what lies before was trimmed, not lost."""
    first = next((r for leg in legs for r in ranges_on(logs, leg)), None)
    return first.first_position if first and first.first_at <= begin else None


def _bases(survey: Survey) -> list[BackupSet]:
    """Base backups to recover from, oldest first; damaged ones only where there are no others."""
    return [chain[-1] for chain in usable_chains(survey)] or list(finished_sets(own_sets(survey)))


def _retention_base(bases: list[BackupSet], survey: Survey, retention_days: int) -> BackupSet | None:
    """The base from which the oldest moment inside the retention is restored: the newest before it, else the oldest."""
    before = [b for b in bases if _is_before_retention(b, survey, retention_days)]
    return before[-1] if before else (bases[0] if bases else None)


def _is_before_retention(base: BackupSet, survey: Survey, retention_days: int) -> bool:
    return base.finished_at <= survey.as_of - timedelta(days=retention_days)


def _gap(gap: Gap, logs: LogArchive, status: Status, base: BackupSet) -> Finding:
    values = {
        "timeline": gap.timeline,
        "after": gap.after or base.set_id,
        "before": gap.before,
        "missing": gap.segments(logs.segment_bytes),
    }
    return Finding(code="log_gap", status=status, place=gap.after or base.set_id, values=values)


def _end_findings(survey: Survey, logs: LogArchive, on_its_way: timedelta) -> Iterator[Finding]:
    """Logs that must have been archived by now: those the newest base ends in, and those the server says it archived.

    What was finished within `on_its_way`, by which clocks may differ, need not be seen yet.
    """
    newest = (_bases(survey) or [None])[-1]
    known = newest and None not in (newest.timeline, newest.start_position, newest.stop_position)
    if known and survey.as_of - newest.finished_at > on_its_way:
        reach = follow(logs, base_legs(newest, logs, tip_timeline(survey)))
        ranges = [r for r in logs.ranges if r.timeline == newest.timeline]
        last = max(ranges, key=lambda r: r.end_position, default=None)
        ends_before = last is None or last.end_position < newest.stop_position  # else the hole is told as log_gap
        if ends_before and (reach is None or reach.end_position < newest.stop_position):
            yield _end_missing(newest, last, logs)
            return
    yield from _lost_after_archiving(survey, logs, on_its_way)


def _lost_after_archiving(survey: Survey, logs: LogArchive, on_its_way: timedelta) -> Iterator[Finding]:
    target = live_target(survey)
    archiver = target.archiver if target else None
    if not archiver or not archiver.last_archived_at or survey.as_of - archiver.last_archived_at <= on_its_way:
        return
    last = max(logs.ranges, key=lambda r: r.last)
    if len(archiver.last_archived) == len(last.last) and archiver.last_archived > last.last:
        values = {"reached": last.last, "needed": archiver.last_archived, "timeline": last.timeline, "missing": None}
        yield Finding(code="log_end_missing", status=Status.FAIL, place=archiver.last_archived, values=values)


def _end_missing(newest: BackupSet, last: LogRange | None, logs: LogArchive) -> Finding:
    reached = max(last.end_position if last else 0, newest.start_position or 0)
    gap = Gap(newest.timeline or 0, last.last if last else "", "", reached, newest.stop_position)
    values = {
        "reached": gap.after,
        "needed": newest.set_id,
        "timeline": gap.timeline,
        "missing": gap.segments(logs.segment_bytes),
    }
    return Finding(code="log_end_missing", status=Status.FAIL, place=newest.set_id, values=values)


def _timeline_findings(survey: Survey, logs: LogArchive) -> Iterator[Finding]:
    """Timelines that recovery cannot pass from one to the next."""
    tip = tip_timeline(survey)
    path = ancestry(logs.timelines, tip)
    known = {timeline for timeline, _ in path}
    cut = [b for b in _bases(survey) if b.timeline and b.timeline < path[0][0]]
    told = {p.values.get("timeline") for p in logs.problems if p.code == "history_missing"}
    if cut and path[0][0] not in told:
        values = {"timeline": path[0][0], "set_id": cut[-1].set_id}
        yield Finding(code="history_missing", status=Status.FAIL, place=f"timeline {path[0][0]}", values=values)
    yield from _newest_base_off_path(survey, logs, tip, path[0][0])
    for log_range in logs.ranges:
        if log_range.timeline not in known and log_range.timeline not in logs.timelines and log_range.timeline > path[0][0]:
            yield _stray_logs(log_range, tip)


def _newest_base_off_path(survey: Survey, logs: LogArchive, tip: int, root: int) -> Iterator[Finding]:
    """The newest base began on a branch that was given up: nothing leads from it to the present timeline."""
    newest = (_bases(survey) or [None])[-1]
    if newest is None or newest.timeline is None or newest.start_position is None or newest.timeline < root:
        return
    if not legs_to_tip(logs, newest.timeline, newest.start_position, newest.stop_position or newest.start_position, tip):
        values = {"timeline": newest.timeline, "tip": tip}
        yield Finding(code="timeline_unreachable", status=Status.FAIL, place=newest.set_id, values=values)


def _stray_logs(log_range: LogRange, tip: int) -> Finding:
    status = Status.FAIL if log_range.timeline > tip else Status.WARN
    values = {"timeline": log_range.timeline, "tip": tip}
    return Finding(code="timeline_unreachable", status=status, place=log_range.first, values=values)


def _disk_findings(logs: LogArchive, policy: BackupPolicy) -> Iterator[Finding]:
    """A full archive disk stops the archiver and then, with the log disk full, the database."""
    if logs.free_bytes is None:
        return
    day_bytes = daily_log_bytes(logs)
    values = {"free_gib": round(logs.free_bytes / GIB, 2), "daily_gib": round(day_bytes / GIB, 2)}
    if logs.free_bytes < policy.archive_free_min_bytes:
        values["limit_gib"] = round(policy.archive_free_min_bytes / GIB, 2)
        yield Finding(code="archive_disk_full", status=Status.FAIL, place=logs.place, values=values)
    elif logs.free_bytes < day_bytes * policy.archive_free_warn_ratio:
        yield Finding(code="archive_disk_low", status=Status.WARN, place=logs.place, values=values)


def daily_log_bytes(logs: LogArchive) -> float:
    """Mean bytes of log archived in a day, over all that lies there; a shorter history counts as one day."""
    if not logs.ranges:
        return 0.0
    span = max(r.last_at for r in logs.ranges) - min(r.first_at for r in logs.ranges)
    return logs.total_bytes / max(span.total_seconds() / DAY_S, 1.0)


def archiver_findings(survey: Survey, policy: BackupPolicy) -> Iterator[Finding]:
    """What the server says of its own archiver. A standby archives nothing unless it is told to, so it is not asked."""
    target = live_target(survey)
    if target is None or not archives_itself(target):
        return
    if target.archiver is None or is_off(target.archiver):
        mode = target.archiver.mode if target.archiver else ""
        yield Finding(code="archiver_off", status=Status.FAIL, place=survey.database, values={"mode": mode or "off"})
    elif _is_stalled(survey, target, policy):
        yield _stalled(survey, target.archiver)


def archives_itself(target: TargetState) -> bool:
    """True for a primary, and for a standby with archive_mode = always."""
    return target.role != "standby" or (target.archiver is not None and target.archiver.mode == "always")


def _is_stalled(survey: Survey, target: TargetState, policy: BackupPolicy) -> bool:
    """No success for too long, while the last try failed or finished segments wait."""
    archiver = target.archiver
    limit = timedelta(minutes=policy.archiver_stalled_minutes)
    if archiver.last_archived_at and survey.as_of - archiver.last_archived_at <= limit:
        return False
    if archiver.last_failed_at and not is_archiving(target):
        return True
    return archiver.last_archived_at is not None and _waits(survey.logs, target)


def _waits(logs: LogArchive | None, target: TargetState) -> bool:
    """True when at least one whole segment after the last archived one is written and not archived."""
    tip = max((r for r in logs.ranges), key=lambda r: r.end_position, default=None) if logs else None
    if tip is None or target.position is None or tip.last != target.archiver.last_archived:
        return False
    return logs.segment_bytes < backlog_bytes(target, logs, tip) < float("inf")


def _stalled(survey: Survey, archiver: Archiver) -> Finding:
    since = archiver.last_archived_at
    values = {
        "last_archived": archiver.last_archived,
        "hours": age_h(since, survey.as_of) if since else None,
        "last_failed": archiver.last_failed,
        "failed_count": archiver.failed_count,
    }
    return Finding(code="archiver_stalled", status=Status.FAIL, place=survey.database, values=values)

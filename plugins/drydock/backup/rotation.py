"""What to read back today, which chain to drill, and how much of everything was read lately.

Every day: the newest full backup, the newest log segments, whatever waits longer than `read_every_days`, and of all the
rest a quota that reads everything once in that time: what was never read first, then the longest unread. A set that
does not fit is read when it is first in line, however big; so each day at least the quota is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from drydock.backup.chains import Chain, finished_sets, usable_chains
from drydock.backup.facts import BackupSet, Level, LogArchive, LogRange, Survey
from drydock.backup.log_pieces import LogPiece, can_cut, cut_range, log_pieces
from drydock.backup.results import Coverage, Drill, Read, ReadUnit
from drydock.estate import WEEKDAYS, DrillPlan
from drydock.policy import BackupPolicy
from drydock.verdicts import Status

NOT_AGAIN_WITHIN = timedelta(hours=12)  # what one run read, a second run of the same day does not read again


@dataclass(frozen=True)
class ReadTask:
    """One unit to read back: a set, or a run of log segments. `reason`: newest, never_read or longest_unread."""

    unit: ReadUnit
    subject: str
    total_bytes: int
    reason: str
    backup_set: BackupSet | None = None
    log_range: LogRange | None = None


@dataclass(frozen=True)
class Unread:
    """How long one set or piece of log has been waiting. `since`: its last read, else when it came to be."""

    task: ReadTask
    since: datetime
    is_read: bool


def set_reads(sets: Iterable[BackupSet], reads: Iterable[Read]) -> dict[str, Read]:
    """The newest read of each set that lies there, by set_id. A read from before the set was finished is of another one."""
    newest: dict[str, Read] = {}
    finished = {s.set_id: s.finished_at for s in sets}
    for read in sorted((r for r in reads if r.unit is ReadUnit.SET), key=lambda r: r.ended_at):
        key = read.set_id or read.subject
        if key in finished and not (finished[key] and read.started_at < finished[key]):
            newest[key] = read
    return newest


def set_drills(sets: Iterable[BackupSet], drills: Iterable[Drill]) -> dict[str, Drill]:
    """The newest drill of each set that lies there, by set_id. A drill from before the set was finished is of another one."""
    finished = {s.set_id: s.finished_at for s in sets}
    newest: dict[str, Drill] = {}
    for drill in sorted(drills, key=lambda d: d.ended_at):
        made_at = finished.get(drill.set_id)
        if drill.set_id in finished and not (made_at and drill.started_at < made_at):
            newest[drill.set_id] = drill
    return newest


def unread_items(survey: Survey, reads: Iterable[Read]) -> tuple[Unread, ...]:
    """Every set and piece of log with how long it has been waiting; never-read first, then longest waiting first."""
    reads = tuple(reads)
    by_set = set_reads(survey.sets, reads)
    items = [_unread_set(s, by_set.get(s.set_id), survey.as_of) for s in survey.sets]
    items += [_unread_piece(p, survey.logs) for p in log_pieces(survey.logs, reads)]
    return tuple(sorted(items, key=lambda i: (i.is_read, i.since, i.task.subject)))


def _unread_set(backup_set: BackupSet, read: Read | None, as_of: datetime) -> Unread:
    since = read.ended_at if read else backup_set.finished_at or backup_set.started_at or as_of
    reason = "longest_unread" if read else "never_read"
    task = ReadTask(ReadUnit.SET, backup_set.set_id, backup_set.total_bytes, reason, backup_set=backup_set)
    return Unread(task, since, read is not None)


def _unread_piece(piece: LogPiece, logs: LogArchive) -> Unread:
    log_range = cut_range(piece.log_range, piece.first_position, piece.end_position, logs.segment_bytes)
    reason = "longest_unread" if piece.read else "never_read"
    since = piece.read.ended_at if piece.read else piece.archived_at
    return Unread(_log_task(log_range, reason), since, piece.read is not None)


def _log_task(log_range: LogRange, reason: str) -> ReadTask:
    subject = f"{log_range.first}..{log_range.last}"
    return ReadTask(ReadUnit.LOGS, subject, log_range.total_bytes, reason, log_range=log_range)


def coverage(survey: Survey, reads: Iterable[Read], policy: BackupPolicy, as_of: datetime) -> Coverage:
    """Bytes and sets read within the last `read_every_days`, over all that lies there, and the longest unread age."""
    items = unread_items(survey, reads)
    period = timedelta(days=policy.read_every_days)
    fresh = [i.task for i in items if i.is_read and as_of - i.since <= period]
    waiting = [i.since for i in items if not i.is_read or as_of - i.since > period]
    return Coverage(
        period_days=policy.read_every_days,
        read_bytes=sum(t.total_bytes for t in fresh),
        total_bytes=sum(i.task.total_bytes for i in items),
        sets_read=sum(1 for t in fresh if t.unit is ReadUnit.SET),
        sets_total=len(survey.sets),
        oldest_unread_s=max(0.0, (as_of - min(waiting)).total_seconds()) if waiting else None,
    )


def choose_reads(survey: Survey, reads: Iterable[Read], policy: BackupPolicy, as_of: datetime) -> tuple[ReadTask, ...]:
    """What to read back in this run, in this order; nothing that was read within the last 12 hours."""
    reads = tuple(reads)
    needed = _newest_sets(survey) | _newest_chain(survey)
    newest = _newest_sets(survey) | _unread(_newest_chain(survey), reads)
    tip = newest_logs(survey.logs, policy.newest_log_segments)
    just_read = [r for r in reads if as_of - r.started_at < NOT_AGAIN_WITHIN]
    always = list(_unless_just_read(survey, newest, tip, just_read))
    total_bytes = sum(s.total_bytes for s in survey.sets) + (survey.logs.total_bytes if survey.logs else 0)
    quota_bytes = total_bytes / policy.read_every_days * policy.read_quota_factor
    quota_bytes -= sum(_rest_bytes(r, survey, needed, tip) for r in just_read)
    queue = _queue(survey, reads, newest, tip, timedelta(days=policy.read_every_days))
    return (*always, *_within_quota(queue, quota_bytes, survey.logs))


def _newest_sets(survey: Survey) -> dict[str, BackupSet]:
    """Sets that are read every day, by set_id: those that the survey names, else the newest full."""
    if survey.newest_ids:
        by_id = {s.set_id: s for s in finished_sets(survey.sets)}
        return {i: by_id[i] for i in survey.newest_ids if i in by_id}
    fulls = finished_sets(s for s in survey.sets if s.level is Level.FULL)
    return {s.set_id: s for s in fulls[-1:]}


def _newest_chain(survey: Survey) -> dict[str, BackupSet]:
    """What a restore would take today, by set_id. Where the survey names what is read every day, that holds it already."""
    return {} if survey.newest_ids else {s.set_id: s for s in next(reversed(usable_chains(survey)), ())}


def _unread(chain: dict[str, BackupSet], reads: Iterable[Read]) -> dict[str, BackupSet]:
    """Those that were never read back: last night's incremental cannot wait for its turn, the day's proof stands on it."""
    known = set_reads(chain.values(), reads)
    return {set_id: made for set_id, made in chain.items() if set_id not in known}


def newest_logs(logs: LogArchive | None, segments: int) -> LogRange | None:
    """The newest log segments, at most so many; None where there are no logs."""
    if logs is None or not logs.ranges:
        return None
    last = max(logs.ranges, key=lambda r: (r.timeline, r.end_position))
    return cut_range(last, last.end_position - segments * logs.segment_bytes, last.end_position, logs.segment_bytes)


def _unless_just_read(
    survey: Survey, newest: dict[str, BackupSet], tip: LogRange | None, just_read: list[Read]
) -> Iterator[ReadTask]:
    """The newest sets and the newest logs, or what of them has come since the last read."""
    done = set_reads(newest.values(), just_read)
    for made in newest.values():
        if made.set_id not in done:
            yield ReadTask(ReadUnit.SET, made.set_id, made.total_bytes, "newest", backup_set=made)
    if tip:
        only_tip = survey.logs.model_copy(update={"ranges": (tip,)})
        for piece in log_pieces(only_tip, just_read):
            if piece.read is None:
                part = cut_range(tip, piece.first_position, piece.end_position, survey.logs.segment_bytes)
                yield _log_task(part, "newest")


def _rest_bytes(read: Read, survey: Survey, newest: dict[str, BackupSet], tip: LogRange | None) -> int:
    """Bytes of a read that count against the quota: what is read every day anyway does not."""
    is_newest = (read.set_id or read.subject) in newest
    same = tip is not None and read.timeline == tip.timeline and read.end_position is not None
    return 0 if is_newest or (same and read.end_position > tip.first_position) else read.read_bytes


def _queue(
    survey: Survey, reads: tuple[Read, ...], newest: dict[str, BackupSet], tip: LogRange | None, period: timedelta
) -> Iterator[tuple[ReadTask, bool]]:
    """All else, in the order in which it is due, and whether it waits longer than the period."""
    for item in unread_items(survey, reads):
        task: ReadTask | None = item.task
        is_newest = task.backup_set is not None and task.subject in newest
        just_read = item.is_read and item.since >= survey.as_of - NOT_AGAIN_WITHIN
        if is_newest or just_read or is_unfinished(task):
            continue
        if tip and task.log_range and task.log_range.timeline == tip.timeline:
            task = _before(task, tip.first_position, survey.logs)
        if task:
            yield task, survey.as_of - item.since > period


def is_unfinished(task: ReadTask) -> bool:
    """True for a set without an end: still being written, or left behind, which the survey tells."""
    return task.backup_set is not None and task.backup_set.finished_at is None


def _before(task: ReadTask, position: int, logs: LogArchive) -> ReadTask | None:
    """The part of a log task before a position; None where nothing of it lies there."""
    log_range = task.log_range
    if log_range.first_position >= position:
        return None
    return _log_task(cut_range(log_range, log_range.first_position, position, logs.segment_bytes), task.reason)


def _within_quota(queue: Iterable[tuple[ReadTask, bool]], quota_bytes: float, logs: LogArchive | None) -> Iterator[ReadTask]:
    """Tasks until the quota is used up, and all that waits too long. The last may go over it; logs are cut to what is left."""
    left = quota_bytes
    for task, is_overdue in queue:
        if left <= 0 and not is_overdue:
            continue
        too_much = task.log_range and not is_overdue and task.total_bytes > left
        if too_much and can_cut(task.log_range, logs.segment_bytes):
            task = _first_part(task, left, logs)
        left -= task.total_bytes
        yield task


def _first_part(task: ReadTask, left_bytes: float, logs: LogArchive) -> ReadTask:
    log_range = task.log_range
    per_segment = max(log_range.total_bytes / max(log_range.segments, 1), 1)
    segments = max(1, -(-int(left_bytes) // int(per_segment)))
    end = log_range.first_position + segments * logs.segment_bytes
    return _log_task(cut_range(log_range, log_range.first_position, end, logs.segment_bytes), task.reason)


def choose_drill_chain(survey: Survey, drills: Iterable[Drill], as_of: datetime) -> Chain:
    """The chain to restore, full first; () if none.

    The newest whose last drill failed, else the newest that was never drilled, else the one drilled longest ago.
    """
    last = set_drills(survey.sets, (d for d in drills if d.started_at <= as_of))
    chains = usable_chains(survey)
    failed = [c for c in chains if c[-1].set_id in last and _has_failed(last[c[-1].set_id])]
    fresh = failed or [c for c in chains if c[-1].set_id not in last]
    return fresh[-1] if fresh else min(chains, key=lambda c: last[c[-1].set_id].started_at, default=())


def _has_failed(drill: Drill) -> bool:
    return any(f.status is Status.FAIL for f in drill.findings)


def drill_is_due(
    drills: Iterable[Drill],
    plan: DrillPlan,
    policy: BackupPolicy,
    as_of: datetime,
    zone: ZoneInfo,
    sets: Iterable[BackupSet] = (),
) -> bool:
    """True on the drill's weekday unless one was made that day, and on any day once one is overdue.

    It is overdue when the last one, or where none was ever made the oldest of `sets`, is older than `drill_every_days`.
    """
    today = as_of.astimezone(zone).date()
    made = [d.started_at for d in drills]
    if any(m.astimezone(zone).date() >= today for m in made):
        return False
    oldest = finished_sets(sets)[:1]
    since = max(made) if made else (oldest[0].finished_at if oldest else as_of)
    return as_of - since > timedelta(days=policy.drill_every_days) or WEEKDAYS[today.weekday()] == plan.weekday

"""The customer's backup plan in time: which jobs were due, and which log entries and sets belong to each.

Cron expressions are local time of the database. A time that the clock skips in spring stands for the moment after the
jump, one that comes twice in autumn for the first (as cron does).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, croniter

from drydock.backup.facts import BackupSet, JobRun, JobState, Level, Survey
from drydock.estate import BackupPlan, PlannedJob

EARLY = timedelta(minutes=5)  # a job may start this much before its slot: clocks of two hosts
FAR = timedelta(days=400)


@dataclass(frozen=True)
class Slot:
    """One planned start. What started from `opens_at` until `closes_at` belongs to it."""

    job: PlannedJob
    at: datetime
    opens_at: datetime
    closes_at: datetime

    def latest_start(self) -> datetime:
        return self.at + timedelta(minutes=self.job.may_start_late_minutes)

    def holds(self, level: Level, moment: datetime) -> bool:
        return level is self.job.level and self.opens_at <= moment < self.closes_at

    def place(self, zone: ZoneInfo) -> str:
        """Where to look: local time and level."""
        return f"{self.at.astimezone(zone):%Y-%m-%d %H:%M} {self.job.level.value}"


def due_slots(
    plan: BackupPlan, since: datetime, as_of: datetime, zone: ZoneInfo, kept_since: datetime | None = None
) -> tuple[Slot, ...]:
    """Slots of base backups that must have started by `as_of`, oldest first. Log archiving has no slots.

    Those from `since` on, and of a level that has none there the last due one, so that a weekly full that was missed is
    told until a later one was made: no older than `kept_since`, before which sets expire (None: the retention before
    `as_of`). Where there are none at all, the last due one of each job, however old.
    """
    jobs = [j for j in plan.plan if j.level is not Level.LOG]
    window = _slots_since(jobs, since, as_of, zone)
    last = [at for j in jobs if (at := last_due(j, as_of, zone))]
    if not window:
        return _newest_of_each(_slots_since(jobs, min(last), as_of, zone)) if last else ()
    kept_since = kept_since or as_of - timedelta(days=plan.retention_days)
    begin = min((at for at in last if kept_since <= at < since), default=since)
    newest = {s.job.level: s for s in _slots_since(jobs, begin, as_of, zone)}
    return (*sorted((s for s in newest.values() if s.at < since), key=lambda s: s.at), *window)


def _slots_since(jobs: Iterable[PlannedJob], begin: datetime, as_of: datetime, zone: ZoneInfo) -> tuple[Slot, ...]:
    slots: list[Slot] = []
    for level in (Level.FULL, Level.INCREMENTAL):
        starts = sorted((s for j in jobs if j.level is level for s in _starts(j, begin, as_of, zone)), key=lambda s: s[0])
        slots += _spaced(starts)
    return tuple(sorted((s for s in slots if s.latest_start() <= as_of), key=lambda s: (s.at, s.job.level)))


def _spaced(starts: list[tuple[datetime, PlannedJob]]) -> Iterator[Slot]:
    """Slots of one level: each lasts until the next one opens."""
    end = (starts[-1][0] + FAR, None) if starts else None
    opens_at = starts[0][0] - EARLY if starts else None
    for (at, job), (following, _) in pairwise([*starts, end] if end else []):
        closes_at = following - min(EARLY, (following - at) / 2)
        yield Slot(job, at, opens_at, closes_at)
        opens_at = closes_at


def _starts(job: PlannedJob, begin: datetime, as_of: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, PlannedJob]]:
    """Planned starts from `begin` on, up to and with the first one after `as_of`."""
    walk = croniter(job.cron, _wall(begin, zone) - timedelta(hours=2, seconds=1))
    last = None
    while last is None or last <= as_of:
        try:
            at = _aware(walk.get_next(datetime), zone)
        except CroniterBadDateError:  # an expression such as 30 February: valid, and never due
            return
        if at >= begin and at != last:
            last = at
            yield at, job


def last_due(job: PlannedJob, as_of: datetime, zone: ZoneInfo) -> datetime | None:
    due = as_of - timedelta(minutes=job.may_start_late_minutes)
    walk = croniter(job.cron, _wall(due, zone) + timedelta(seconds=1))
    try:
        return _aware(walk.get_prev(datetime), zone)
    except CroniterBadDateError:
        return None


def _newest_of_each(slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    newest = {slot.job: slot for slot in slots}
    return tuple(sorted(newest.values(), key=lambda s: s.at))


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _aware(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment of a local time. fold=0: the first of two; a skipped one keeps the offset from before the jump."""
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def runs_of(slot: Slot, runs: Iterable[JobRun]) -> tuple[JobRun, ...]:
    """Entries of the job log that belong to a slot, oldest first: the last one decides, earlier ones were tries."""
    return tuple(sorted((r for r in runs if slot.holds(r.level, r.started_at)), key=lambda r: r.started_at))


def sets_of(slot: Slot, sets: Iterable[BackupSet]) -> tuple[BackupSet, ...]:
    """Base backups that were started for a slot."""
    return tuple(s for s in sets if s.started_at and slot.holds(s.level, s.started_at))


def set_of_run(run: JobRun, sets: Iterable[BackupSet], as_of: datetime) -> BackupSet | None:
    """The set that a job made: by the name in the log (the last part of a set's path is enough), else by level and time."""
    if run.set_id:
        return next((s for s in sets if run.set_id in (s.set_id, s.set_id.rsplit("/", 1)[-1])), None)
    begin, end = run.started_at - EARLY, (run.ended_at or as_of) + EARLY
    same = (s for s in sets if s.level is run.level and s.started_at and begin <= s.started_at <= end)
    return min(same, key=lambda s: abs(s.started_at - run.started_at), default=None)


def may_take(level: Level, plan: BackupPlan) -> timedelta:
    """How long a job of that level may run: the longest of its planned ones, else the plan's default."""
    limits = [j.may_take_minutes for j in plan.plan if j.level is level]
    return timedelta(minutes=max(limits, default=PlannedJob.model_fields["may_take_minutes"].default))


def is_overdue(run: JobRun, plan: BackupPlan, as_of: datetime) -> bool:
    """True for a run without an end for longer than its job may take."""
    return run.state is JobState.RUNNING and as_of - run.started_at > may_take(run.level, plan)


def sets_being_written(survey: Survey, plan: BackupPlan) -> frozenset[str]:
    """set_ids of unfinished sets that the job log says are being made at `as_of`, within the time they may take."""
    runs = survey.jobs.runs if survey.jobs else ()
    running = [r for r in runs if r.state is JobState.RUNNING and not is_overdue(r, plan, survey.as_of)]
    young = [s for s in survey.sets if s.finished_at is None]
    return frozenset(found.set_id for r in running if (found := set_of_run(r, young, survey.as_of)))

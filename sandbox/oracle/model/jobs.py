"""Time passes: the customer's planned RMAN jobs run, redo is switched, retention deletes, records age.

A job is a generator that yields the moments at which its next piece of work is done; `live` runs all of them in the order
of time, so that a log backup can run while the weekly level 0 is still writing. What has not ended when `live` ends goes on
in the next call: a RUNNING session is just that.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sandbox.oracle.model.archiving import archive_log_current, run_redo
from sandbox.oracle.model.backing_up import Manner, Run, autobackup, back_up_files, back_up_logs, begin_session, end_session
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.files import Datafile
from sandbox.oracle.model.recovery_area import make_room, space_warnings
from sandbox.oracle.model.redo import ArchivedLog
from sandbox.oracle.model.repository import Repository, repository_of
from sandbox.oracle.model.repository_copies import merge_and_increment
from sandbox.oracle.model.repository_upkeep import age_records, delete_logs, delete_obsolete

EVERY_DAY = frozenset(range(7))
SUNDAY = 6
Work = Iterator[datetime]


@dataclass(frozen=True)
class PlannedJob:
    """One line of the customer's scheduler. Times are the host's local ones; `every_minutes` overrules hour and minute."""

    command: str  # level0, level1, full, merge, logs
    weekdays: frozenset[int] = EVERY_DAY
    hour: int = 1
    minute: int = 0
    every_minutes: int = 0
    command_id: str = ""
    plus_logs: bool = True
    manner: Manner | None = None


@dataclass(frozen=True)
class Plan:
    """The customer's backup plan. `keep_log_hours`: logs on disk that are backed up and older are deleted; None: never."""

    jobs: tuple[PlannedJob, ...]
    manner: Manner = field(default_factory=Manner)
    keep_log_hours: float | None = 24
    delete_obsolete: bool = True
    policy: str = "TO RECOVERY WINDOW OF 8 DAYS"


def weekly_plan(log_minutes: int = 30, level0_days: frozenset[int] = frozenset({SUNDAY}), **options: object) -> Plan:
    """Level 0 on some nights, level 1 on the others, archived logs between: the plan most sites have."""
    jobs = [PlannedJob("level0", level0_days, command_id="LEVEL0")]
    if level0_days != EVERY_DAY:
        jobs.append(PlannedJob("level1", EVERY_DAY - level0_days, command_id="LEVEL1"))
    if log_minutes:
        jobs.append(PlannedJob("logs", every_minutes=log_minutes, minute=7, command_id="ARCHLOG"))
    return Plan(tuple(jobs), **options)


def live(database: OracleDatabase, days: float, plan: Plan | None = None) -> None:
    """Let `days` pass on the database's clock. A new `plan` replaces the one that was there."""
    repository = repository_of(database)
    live_until(database, repository.now + timedelta(days=days), plan)


def live_until(database: OracleDatabase, moment: datetime, plan: Plan | None = None) -> None:
    """Let time pass up to a moment; nothing happens where it is past already."""
    repository = repository_of(database)
    with database.lock:
        if plan is not None:
            follow(repository, plan)
        while repository.agenda and repository.agenda[0][0] <= moment:
            take_turn(repository)
        run_redo(repository, moment)
        if moment > database.clock.now():
            repository.move_clock(moment)
        repository.lived_until = max(moment, repository.lived_until)


def catch_up(database: OracleDatabase) -> None:
    """Live up to the database's own clock, which runs with the machine's: for a simulator that stays up for days."""
    live_until(database, database.clock.now())


def take_turn(repository: Repository) -> None:
    """Whatever is next on the agenda; it says when it wants to go on."""
    at, _, work = heapq.heappop(repository.agenda)
    run_redo(repository, at)
    repository.lived_until = max(repository.lived_until, at)
    resume_at = next(work, None)
    if resume_at is not None:
        add_work(repository, max(resume_at, at), work)


def add_work(repository: Repository, at: datetime, work: Work) -> None:
    repository.turns += 1
    heapq.heappush(repository.agenda, (at, repository.turns, work))


def follow(repository: Repository, plan: Plan) -> None:
    """Put a plan's jobs and the daily round on the agenda, in place of an earlier plan's. Running jobs go on."""
    repository.plan = plan
    if plan.policy:
        repository.configuration["RETENTION POLICY"] = plan.policy
    for job in plan.jobs:
        add_work(repository, repository.lived_until, recurring(repository, plan, job))
    add_work(repository, repository.lived_until, daily_round(repository, plan))


def occurrences(repository: Repository, job: PlannedJob, since: datetime) -> Iterator[datetime]:
    """The moments of a planned job after `since`."""
    if job.every_minutes:
        step = timedelta(minutes=job.every_minutes)
        first = since.replace(minute=job.minute % 60, second=0, microsecond=0)
        while first <= since:
            first += step
        while True:
            yield first
            first += step
    day = since.astimezone(repository.database.zone).replace(hour=job.hour, minute=job.minute, second=0, microsecond=0)
    while True:
        if day > since and day.weekday() in job.weekdays:
            yield day.astimezone(since.tzinfo)
        day += timedelta(days=1)


def recurring(repository: Repository, plan: Plan, job: PlannedJob) -> Work:
    """Starts the job at each of its moments, while its plan is the one followed."""
    for moment in occurrences(repository, job, repository.lived_until):
        yield moment
        if repository.plan is not plan:
            return
        add_work(repository, moment, run_job(repository, moment, job, plan))


def daily_round(repository: Repository, plan: Plan) -> Work:
    """Five past midnight: files grow, records age, the recovery area is looked after."""
    for moment in occurrences(repository, PlannedJob("round", hour=0, minute=5), repository.lived_until):
        yield moment
        if repository.plan is not plan:
            return
        for datafile in repository.living_files():
            if not datafile.is_standing_still:
                grow(datafile)
        age_records(repository, moment)
        make_room(repository)
        list(space_warnings(repository, moment))


def grow(datafile: Datafile) -> None:
    """One day's growth; the file is extended by tenths when it is nearly full."""
    datafile.used_blocks += max(1, int(datafile.used_blocks * datafile.growth_per_day))
    if datafile.used_blocks > datafile.blocks * 0.97:
        datafile.blocks = int(datafile.used_blocks * 1.1) // 128 * 128


def run_job(repository: Repository, at: datetime, job: PlannedJob, plan: Plan) -> Work:
    """One run of a planned job: its session from beginning to end."""
    run = begin_session(repository, at + timedelta(seconds=4), job.command_id, job.manner or plan.manner)
    if job.command == "logs":
        yield from log_part(run, plan)
    else:
        yield from data_part(run, job, plan)
    yield from autobackup(run)
    if job.command != "logs" and plan.delete_obsolete:
        delete_obsolete(repository, run.at)
    end_session(run)


def data_part(run: Run, job: PlannedJob, plan: Plan) -> Work:
    """BACKUP DATABASE PLUS ARCHIVELOG: logs, datafiles, and the logs made meanwhile."""
    logs = job.plus_logs and run.repository.log_mode == "ARCHIVELOG"
    if logs:
        yield from log_part(run, plan, deleting=False)
    files = files_to_back_up(run)
    if job.command == "merge":
        yield from merge_and_increment(run, files)
    else:
        yield from back_up_files(run, files, {"level0": 0, "level1": 1, "full": None}[job.command])
    if logs:
        yield from log_part(run, plan)


def files_to_back_up(run: Run) -> list[Datafile]:
    """BACKUP DATABASE leaves out excluded tablespaces and, where told, offline files and read-only ones that have a backup."""
    chosen = []
    for datafile in run.repository.living_files():
        known = run.repository.latest_base.get(datafile.file)
        has_good = known is not None and known.checkpoint_scn == datafile.stop_scn
        skipped = run.manner.skip_readonly and datafile.is_standing_still and has_good
        if datafile.tablespace.is_included and datafile.status not in ("RECOVER", "SYSOFF") and not skipped:
            chosen.append(datafile)
    return chosen


def log_part(run: Run, plan: Plan, deleting: bool = True) -> Work:
    """ALTER SYSTEM ARCHIVE LOG CURRENT, BACKUP ARCHIVELOG NOT BACKED UP, DELETE of older ones that are backed up."""
    repository = run.repository
    at = max(run.at, repository.lived_until)
    yield at
    if not repository.is_standby:
        archive_log_current(repository, at)
    run.at = at + timedelta(seconds=2)
    yield run.at
    yield from back_up_logs(run, logs_to_back_up(repository))
    if deleting and plan.keep_log_hours is not None:
        limit = run.at - timedelta(hours=plan.keep_log_hours)
        backed = {g.key for g in repository.disk_logs if g.backup_count}
        old = [g for g in repository.disk_logs if g.next_at <= limit and g.key in backed]
        if old:
            delete_logs(repository, old)


def logs_to_back_up(repository: Repository) -> list[ArchivedLog]:
    """One copy on disk of each log that was never backed up."""
    wanted: dict[tuple[int, int, int], ArchivedLog] = {}
    backed = {g.key for g in repository.disk_logs if g.backup_count}
    for log in repository.disk_logs:
        if log.key not in backed and log.is_live and log.on_disk:
            wanted.setdefault(log.key, log)
    return list(wanted.values())


def take_backup(database: OracleDatabase, command: str = "level0", manner: Manner | None = None, **options: object) -> None:
    """Run one RMAN job now and let time pass until it has ended. `command` as in PlannedJob."""
    repository = repository_of(database)
    plan = repository.plan or weekly_plan()
    job = PlannedJob(command, command_id=str(options.pop("command_id", "")), manner=manner or plan.manner, **options)
    do_now(database, run_job(repository, repository.now.replace(microsecond=0), job, replace(plan, delete_obsolete=False)))


def do_now(database: OracleDatabase, work: Work) -> None:
    """Run one piece of work to its end, with everything else that falls into its time."""
    repository = repository_of(database)
    ended: list[bool] = []
    with database.lock:
        add_work(repository, repository.now, _tell_end(work, lambda: ended.append(True)))
        while not ended:
            take_turn(repository)
        repository.move_clock(max(repository.lived_until, database.clock.now()))


def _tell_end(work: Work, call: Callable[[], None]) -> Work:
    yield from work
    call()

"""The verdict *executed* on Oracle: V$RMAN_BACKUP_JOB_DETAILS as the job's log, levels taken from the sets themselves.

One row is one RMAN session, and its INPUT_TYPE is the heaviest thing in it: "DB INCR" tells neither level 0 nor 1. Before the
record horizon, a new control file or a change of role the answer is UNKNOWN, never "did not run" (Oracle Database Reference,
V$RMAN_BACKUP_JOB_DETAILS; Backup and Recovery User's Guide, "Monitoring RMAN").
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from drydock.backup import executed as neutral
from drydock.backup.facts import BackupSet, JobLog, JobRun, JobState, Level, Survey
from drydock.backup.oracle.catalogue import OracleCatalogue, RmanJob
from drydock.backup.oracle.file_chains import Repository
from drydock.backup.oracle.neutral import CONTROL_FILE
from drydock.backup.schedule import EARLY, due_slots, last_due, may_take
from drydock.estate import BackupPlan, PlannedJob
from drydock.policy import BackupPolicy
from drydock.verdicts import Finding, Status, Verdict, judge

PLACE = "V$RMAN_BACKUP_JOB_DETAILS"
LOG_ONLY = ("ARCHIVELOG",)
NO_DATA = ("ARCHIVELOG", "CONTROLFILE", "SPFILE", "BACKUPSET")
CRASHED = "RUNNING, and no session of rman is there"
MINUTE = timedelta(minutes=1)
JobKey = tuple[int, int]


@dataclass(frozen=True)
class Jobs:
    """The sessions of RMAN, each with the sets that it made."""

    survey: Survey
    plan: BackupPlan
    zone: ZoneInfo

    @property
    def catalogue(self) -> OracleCatalogue:
        return self.survey.catalogue

    @property
    def now(self) -> datetime:
        return self.catalogue.facts.sysdate_at

    @cached_property
    def made(self) -> dict[JobKey, list[BackupSet]]:
        """Sets by session: as V$RMAN_STATUS tells it, else by time."""
        sessions = {s.set_id: (s.session_recid, s.session_stamp) for s in self.catalogue.sets}
        known = {(j.session_recid, j.session_stamp) for j in self.catalogue.jobs}
        found: dict[JobKey, list[BackupSet]] = defaultdict(list)
        for made in self.survey.sets:
            key = sessions.get(made.set_id)
            key = key if key in known else self._by_time(made)
            if key:
                found[key].append(made)
        return found

    @cached_property
    def starts(self) -> list[datetime]:
        return [j.started_at for j in self.catalogue.jobs]

    def _by_time(self, made: BackupSet) -> JobKey | None:
        """The last session that began before a set and had not ended; one that makes logs makes no datafiles."""
        if made.started_at is None:
            return None
        at = bisect_right(self.starts, made.started_at)
        for job in reversed(self.catalogue.jobs[max(0, at - 8) : at]):
            fits = (job.input_type not in NO_DATA) or made.level is Level.LOG or made.form == CONTROL_FILE
            if fits and (job.ended_at is None or job.ended_at >= made.started_at):
                return job.session_recid, job.session_stamp
        return None

    def sets_of(self, job: RmanJob) -> list[BackupSet]:
        return self.made.get((job.session_recid, job.session_stamp), [])

    def level_of(self, job: RmanJob) -> Level | None:
        """What most of its datafiles were backed up at; where it made none, what it was to make. None: no datafiles."""
        data = [s for s in self.sets_of(job) if s.level is not Level.LOG and s.form != CONTROL_FILE]
        held = Counter()
        for made in [s for s in data if s.form != "copy"] or data:  # a copy may just have been rolled forward
            held[made.level] += made.files
        if held:
            return held.most_common(1)[0][0]
        if job.input_type in NO_DATA:
            return None
        return Level.FULL if job.input_type.endswith("FULL") else self._planned(job)

    def _planned(self, job: RmanJob) -> Level:
        """The level of the planned start that lies nearest: 'DB INCR' tells neither 0 nor 1."""
        around = due_slots(self.plan, job.started_at - timedelta(days=2), job.started_at + timedelta(days=1), self.zone)
        near = min(around, key=lambda s: abs(s.at - job.started_at), default=None)
        return near.job.level if near else Level.INCREMENTAL

    def state_of(self, job: RmanJob) -> tuple[JobState, str]:
        """How it ended, and in which words. WARNINGS are no failure; ERRORS are one where files were left without a backup."""
        if job.status.startswith("RUNNING"):
            return (JobState.FAILED, CRASHED) if job.has_live_session is False else (JobState.RUNNING, job.status)
        if job.status == "COMPLETED WITH ERRORS":
            missed = self._missed(job)
            told = f"{job.status}: {len(missed)} datafiles without a backup ({', '.join(map(str, missed[:10]))})"
            return (JobState.FAILED, told) if missed else (JobState.SUCCEEDED, job.status)
        return (JobState.FAILED if job.status == "FAILED" else JobState.SUCCEEDED), job.status

    def _missed(self, job: RmanJob) -> list[int]:
        """Datafiles that no usable backup was made of while the job ran; none for a job that makes logs only."""
        if job.input_type in NO_DATA:
            return [] if self.sets_of(job) else [0]
        end, missed = job.ended_at or self.now, []
        for number, chains in self.repository.chains.items():
            done = (k.backup.completed_at for k in chains.links)
            if not chains.needs_no_redo and not any(at and job.started_at <= at <= end + EARLY for at in done):
                missed.append(number)
        return missed

    @cached_property
    def repository(self) -> Repository:
        return Repository(self.catalogue)

    @cached_property
    def log(self) -> JobLog:
        """The sessions that back up datafiles, as a job log."""
        runs = tuple(r for j in self.catalogue.jobs if (r := self._run(j)))
        return JobLog(place=PLACE, horizon_at=self.catalogue.horizon_at, runs=runs)

    def replaced(self) -> tuple[BackupSet, ...]:
        """Stand-ins for the sets of jobs that RMAN deleted since: a newer run, or a copy they were rolled into, replaces them."""
        rolled = any(s.form == "copy" for s in self.survey.sets)
        runs = self.log.runs
        newest = {r.level: r.started_at for r in runs}  # oldest first: the last one stays
        gone = (r for r in runs if r.state is JobState.SUCCEEDED and not r.set_id and r.ended_at)
        return tuple(_stand_in(r) for r in gone if rolled or r.started_at < newest[r.level])

    def _run(self, job: RmanJob) -> JobRun | None:
        level = self.level_of(job)
        if level is None:
            return None
        state, message = self.state_of(job)
        mine = [s for s in self.sets_of(job) if s.level is level and s.form != CONTROL_FILE]
        worst = next((s for s in mine if s.problems), mine[0] if mine else None)
        times = {"started_at": job.started_at, "ended_at": job.ended_at}
        return JobRun(level=level, state=state, **times, set_id=worst.set_id if worst else "", message=message)


def _stand_in(run: JobRun) -> BackupSet:
    name = f"deleted-{run.started_at:%Y%m%dT%H%M%S}"
    times = {"started_at": run.started_at, "finished_at": run.ended_at}
    return BackupSet(set_id=name, level=run.level, place=PLACE, form="deleted", **times)


def judge_executed(survey: Survey, plan: BackupPlan | None, zone: ZoneInfo, policy: BackupPolicy) -> Verdict:
    """The verdict *executed* of one survey that has a catalogue. Examined: due slots, and one for each planned job of logs."""
    if plan is None:
        return neutral.judge_executed(survey, plan, zone, policy)
    jobs = Jobs(survey, plan, zone)
    if {"rman_jobs", "rman_statuses"} <= set(survey.catalogue.unread):
        values = {"slots": 0, "unproved": 0}
        blind = Finding(code="job_log_unreadable", status=Status.UNKNOWN, place=PLACE, values=values)
        return judge("executed", 0, [blind])
    data = tuple(s for s in survey.sets if s.level is not Level.LOG and s.form != CONTROL_FILE)
    past = (*(s for s in survey.past_sets if s.form != CONTROL_FILE), *jobs.replaced())
    told = survey.model_copy(update={"jobs": jobs.log, "sets": data, "past_sets": past, "logs": None, "as_of": jobs.now})
    base = neutral.judge_executed(told, plan, zone, policy)
    planned = [j for j in plan.plan if j.level is Level.LOG]
    slow = _slow_findings(told.jobs, plan, jobs.now - timedelta(hours=policy.look_back_hours))
    found = [f for f in base.findings if f.code != "no_plan" or not planned]
    findings = (*found, *slow, *(f for j in planned for f in _log_findings(j, jobs)))
    return judge("executed", base.examined + len(planned), findings, **base.evidence)


def _slow_findings(log: JobLog, plan: BackupPlan, since: datetime) -> Iterator[Finding]:
    """Runs that ended well, after longer than the plan allows."""
    for run in log.runs:
        limit = may_take(run.level, plan)
        if run.started_at >= since and run.ended_at and run.state is JobState.SUCCEEDED and run.ended_at - run.started_at > limit:
            took = run.ended_at - run.started_at
            values = {"minutes": round(took / MINUTE), "limit_minutes": round(limit / MINUTE), "level": run.level.value}
            values |= {"started": f"{run.started_at:%Y-%m-%d %H:%M}"}
            place = f"{run.started_at:%Y-%m-%d %H:%M} {run.level.value}"
            yield Finding(code="job_took_too_long", status=Status.WARN, place=place, values=values)


def _log_findings(planned: PlannedJob, jobs: Jobs) -> Iterator[Finding]:
    """Was the last due backup of logs made, and did the newest one end well? Any session that backs up logs counts."""
    due = last_due(planned, jobs.now, jobs.zone)
    if due is None:
        return
    ours = [j for j in jobs.catalogue.jobs if _makes_logs(j, jobs)]
    made = [s.started_at for s in jobs.survey.sets if s.level is Level.LOG and s.started_at]
    slot = f"{due.astimezone(jobs.zone):%Y-%m-%d %H:%M}"
    values = {"slot": slot, "level": Level.LOG.value}
    if max([*(j.started_at for j in ours), *made], default=due - timedelta(days=400)) < due - EARLY:
        horizon = jobs.catalogue.horizon_at
        if horizon is None or horizon > due:
            values |= {"since": f"{horizon.astimezone(jobs.zone):%Y-%m-%d %H:%M}" if horizon else ""}
            yield Finding(code="job_log_horizon", status=Status.UNKNOWN, place=Level.LOG.value, values=values)
        else:
            yield Finding(code="job_not_run", status=Status.FAIL, place=Level.LOG.value, values=values)
    elif ours and jobs.state_of(ours[-1])[0] is JobState.FAILED:
        tries = [jobs.state_of(j)[0] for j in ours if j.started_at >= due - EARLY]
        values |= {"message": jobs.state_of(ours[-1])[1], "tries": max(len(tries), 1)}
        yield Finding(code="job_failed", status=Status.FAIL, place=Level.LOG.value, values=values)


def _makes_logs(job: RmanJob, jobs: Jobs) -> bool:
    return job.input_type in LOG_ONLY or any(s.level is Level.LOG for s in jobs.sets_of(job))

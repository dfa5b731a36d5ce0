"""The verdict *executed*: did every planned job run, in time, and does what it left bear its own log out?

The plan is held against two witnesses, the customer's job log and the catalogue of sets. A log that says SUCCESS over a
set that is not there is contradicted; where neither witness reaches back to a slot, the answer is UNKNOWN. Method: Oracle
V$RMAN_BACKUP_JOB_DETAILS and its record horizon; for PostgreSQL the job's own log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from drydock.backup.archived_logs import archiver_findings
from drydock.backup.chains import is_live, live_target
from drydock.backup.facts import BackupSet, JobLog, JobRun, JobState, Level, Survey
from drydock.backup.schedule import Slot, due_slots, is_overdue, may_take, runs_of, set_of_run, sets_of
from drydock.estate import BackupPlan
from drydock.policy import BackupPolicy
from drydock.verdicts import Figure, Finding, Status, Verdict, judge

BLIND = ("job_log_missing", "job_log_unreadable")  # problems of a log that then tells nothing
LONGEST_MESSAGE = 200


@dataclass(frozen=True)
class Records:
    """What there is to judge by: the plan's slots, the log, and all sets ever seen."""

    survey: Survey
    plan: BackupPlan
    policy: BackupPolicy
    zone: ZoneInfo

    @property
    def since(self) -> datetime:
        """Begin of the look-back window."""
        return self.survey.as_of - timedelta(hours=self.policy.look_back_hours)

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """Due slots; those before the very first record of a database that has no past here were not due yet."""
        kept_since = max(self.survey.as_of, self.survey.surveyed_at) - timedelta(days=self.plan.retention_days)
        due = due_slots(self.plan, self.since, self.survey.as_of, self.zone, kept_since)
        return tuple(s for s in due if not self._is_before_its_time(s)) or due

    def _is_before_its_time(self, slot: Slot) -> bool:
        blind = _source_is_blind(self.survey) or (self.wants_log and self.log is None)
        if self.survey.catalogue:
            created_at = self.survey.catalogue.facts.created_at
            return created_at is not None and slot.at < created_at
        if blind or self.survey.past_sets or not is_live(self.survey):
            return False
        runs = self.log.runs if self.log else ()
        records = [m for m in (self.horizon_at, *(s.started_at for s in self.sets), *(r.started_at for r in runs)) if m]
        known = runs_of(slot, runs) or sets_of(slot, self.sets)
        return not known and slot.at < min(records, default=slot.at)

    @cached_property
    def sets(self) -> tuple[BackupSet, ...]:
        seen = {s.set_id for s in self.survey.sets}
        return (*self.survey.sets, *(s for s in self.survey.past_sets if s.set_id not in seen))

    @cached_property
    def log(self) -> JobLog | None:
        """The job log where it can be read."""
        jobs = self.survey.jobs
        return jobs if jobs and not any(p.code in BLIND for p in jobs.problems) else None

    @cached_property
    def horizon_at(self) -> datetime | None:
        """Since when the records tell of every job: the log's beginning, without any log the oldest set."""
        if self.log:
            return self.log.horizon_at or min((r.started_at for r in self.log.runs), default=None)
        return min((s.started_at for s in self.sets if s.started_at), default=None)

    @property
    def wants_log(self) -> bool:
        return self.plan.places.job_log is not None or self.survey.jobs is not None

    def local(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M}"


def judge_executed(survey: Survey, plan: BackupPlan | None, zone: ZoneInfo, policy: BackupPolicy) -> Verdict:
    """The verdict *executed* of one survey; `zone` is the database's. Examined: due slots, and the archiver if planned."""
    if plan is None:
        return judge("executed", 0, [Finding(code="no_plan", status=Status.UNKNOWN, place=survey.database)])
    records = Records(survey, plan, policy, zone)
    archiving = _archiving_examined(records)
    findings = [
        *(f for slot in records.slots for f in _slot_findings(slot, records)),
        *_log_findings(records),
        *_unlogged_sets(records),
        *_skew_findings(records),
        *(_archiving_findings(records) if archiving else ()),
    ]
    if not records.slots and not archiving:
        findings.append(Finding(code="no_plan", status=Status.UNKNOWN, place=survey.database))
    return judge("executed", len(records.slots) + archiving, findings, **_evidence(records))


def _evidence(records: Records) -> dict[str, Figure]:
    log = records.log
    proved = sum(1 for s in records.slots if sets_of(s, records.sets))
    return {
        "slots": len(records.slots),
        "slots_with_set": proved,
        "since": records.local(records.slots[0].at) if records.slots else "",
        "log_runs": len(log.runs) if log else 0,
        "log_since": records.local(records.horizon_at) if log and records.horizon_at else "",
        "unread_lines": log.unread_lines if log else 0,
    }


def _slot_findings(slot: Slot, records: Records) -> Iterator[Finding]:
    runs = runs_of(slot, records.log.runs) if records.log else ()
    if runs:
        yield from _run_findings(slot, runs, records)
    elif not sets_of(slot, records.sets):
        yield from _unproved_slot(slot, records)


def _unproved_slot(slot: Slot, records: Records) -> Iterator[Finding]:
    """Neither log nor catalogue knows of a run: it did not run, or the records do not reach back to it."""
    if records.wants_log and records.log is None:
        return  # told once, for the log
    if _source_is_blind(records.survey) and records.log is None:
        return
    begins = records.horizon_at
    if begins is None or begins > slot.at:
        values = {"slot": records.local(slot.at), "level": slot.job.level.value, "since": records.local(begins) if begins else ""}
        yield Finding(code="job_log_horizon", status=Status.UNKNOWN, place=slot.place(records.zone), values=values)
    else:
        yield _at_slot("job_not_run", Status.FAIL, slot, records)


def _run_findings(slot: Slot, runs: tuple[JobRun, ...], records: Records) -> Iterator[Finding]:
    last = runs[-1]
    if last.state is JobState.FAILED:
        yield _at_slot("job_failed", Status.FAIL, slot, records, message=last.message[:LONGEST_MESSAGE], tries=len(runs))
    elif is_overdue(last, records.plan, records.survey.as_of):
        limit = may_take(last.level, records.plan)
        values = {"minutes": _minutes(records.survey.as_of - last.started_at), "limit_minutes": _minutes(limit)}
        yield _at_slot("job_running_too_long", Status.FAIL, slot, records, **values)
    elif last.state is JobState.SUCCEEDED:
        yield from _contradiction(slot, last, records)
    if runs[0].started_at > slot.latest_start() and slot.at >= records.since:
        values = {"late_minutes": _minutes(runs[0].started_at - slot.at), "limit_minutes": slot.job.may_start_late_minutes}
        yield _at_slot("job_late", Status.WARN, slot, records, **values)


def _minutes(span: timedelta) -> int:
    return round(span.total_seconds() / 60)


def _contradiction(slot: Slot, run: JobRun, records: Records) -> Iterator[Finding]:
    """The log says SUCCESS: is the set there, and did the survey find nothing against it?"""
    if _source_is_blind(records.survey):
        return
    made = set_of_run(run, records.sets, records.survey.as_of)
    if made is None:
        yield _at_slot("job_success_contradicted", Status.FAIL, slot, records, set_id=run.set_id, problems="set_absent")
        return
    codes = sorted({p.code for p in made.obstacles if p.status is not Status.UNKNOWN})  # not to know is no contradiction
    if codes and any(s.set_id == made.set_id for s in records.survey.sets):
        values = {"set_id": made.set_id, "problems": ", ".join(codes)}
        yield _at_slot("job_success_contradicted", Status.FAIL, slot, records, **values)


def _at_slot(code: str, status: Status, slot: Slot, records: Records, **values: Figure) -> Finding:
    told = {"slot": records.local(slot.at), "level": slot.job.level.value} | values
    return Finding(code=code, status=status, place=slot.place(records.zone), values=told)


def _source_is_blind(survey: Survey) -> bool:
    return any(p.code.startswith("source_") for p in survey.problems) or bool(
        survey.catalogue and not survey.catalogue.knows_sets
    )


def _log_findings(records: Records) -> Iterator[Finding]:
    """Problems of the log itself. A blind log is UNKNOWN, or WARN where the catalogue proves every slot."""
    jobs = records.survey.jobs
    problems = jobs.problems if jobs else ()
    if jobs is None and records.wants_log:
        problems = (Finding(code="job_log_missing", status=Status.UNKNOWN, place=records.plan.places.job_log or ""),)
    unproved = [s for s in records.slots if not sets_of(s, records.sets)]
    for problem in problems:
        if problem.code in BLIND:
            values = problem.values | {"slots": len(records.slots), "unproved": len(unproved)}
            status = Status.UNKNOWN if unproved or not records.slots else Status.WARN
            problem = problem.model_copy(update={"status": status, "values": values})
        yield problem


def _unlogged_sets(records: Records) -> Iterator[Finding]:
    """Sets of the look-back window that a log which reaches back to them does not know."""
    if not records.log or not records.horizon_at or records.survey.catalogue:
        return  # RMAN writes down every session itself
    begin = max(records.since, records.horizon_at)
    logged = {s.set_id for r in records.log.runs if (s := set_of_run(r, records.sets, records.survey.as_of))}
    for backup_set in records.survey.sets:
        if backup_set.started_at and backup_set.started_at >= begin and backup_set.set_id not in logged:
            values = {"started": records.local(backup_set.started_at), "level": backup_set.level.value}
            yield Finding(code="job_unlogged", status=Status.WARN, place=backup_set.set_id, values=values)


def _skew_findings(records: Records) -> Iterator[Finding]:
    """Clocks that disagree: target and Drydock, job log and set, and anything from the future."""
    target = live_target(records.survey)
    if target and target.clock_at and target.asked_at:
        skew_s = (target.clock_at - target.asked_at).total_seconds()
        yield from _skew(records.survey.database, "target", skew_s, records.policy)
    logged_by = _runs_by_set(records)
    for backup_set in records.survey.sets:
        ahead_s = _ahead_s(backup_set, max(records.survey.as_of, records.survey.surveyed_at))
        if ahead_s > records.policy.clock_skew_warn_s:
            yield from _skew(backup_set.set_id, "future", ahead_s, records.policy)
        elif run := logged_by.get(backup_set.set_id):
            yield from _skew(backup_set.set_id, "job_log", _log_skew_s(backup_set, run), records.policy)


def _runs_by_set(records: Records) -> dict[str, JobRun]:
    """The successful job that made each set; of several that may have, the one that started nearest to it."""
    made_by: dict[str, JobRun] = {}
    runs = [r for r in records.log.runs if r.state is JobState.SUCCEEDED] if records.log else []
    for run in runs:
        made = set_of_run(run, records.survey.sets, records.survey.as_of)
        if made is None or made.started_at is None:
            continue
        other = made_by.get(made.set_id)
        if other is None or abs(run.started_at - made.started_at) < abs(other.started_at - made.started_at):
            made_by[made.set_id] = run
    return made_by


def _ahead_s(backup_set: BackupSet, now: datetime) -> float:
    """Seconds by which a set lies in the future."""
    moments = [m for m in (backup_set.started_at, backup_set.finished_at) if m]
    return max([0.0, *((m - now).total_seconds() for m in moments)])


def _log_skew_s(made: BackupSet, run: JobRun) -> float:
    """By how much a set lies outside of the job that made it. It may start late: the first checkpoint takes its time."""
    before = run.started_at - made.started_at if made.started_at else timedelta()
    ends = [m for m in (made.started_at, made.finished_at) if m and run.ended_at]
    after = max((m - run.ended_at for m in ends), default=timedelta())
    return max(before, after, timedelta()).total_seconds()


def _skew(place: str, between: str, skew_s: float, policy: BackupPolicy) -> Iterator[Finding]:
    if abs(skew_s) > policy.clock_skew_warn_s:
        status = Status.FAIL if abs(skew_s) > policy.clock_skew_fail_s else Status.WARN
        values = {"between": between, "skew_s": round(skew_s), "limit_s": policy.clock_skew_warn_s}
        yield Finding(code="clock_skew", status=status, place=place, values=values)


def _archiving_examined(records: Records) -> int:
    """1 where log archiving is planned and the server or the archive shows how it goes."""
    planned = any(j.level is Level.LOG for j in records.plan.plan)
    target, logs = live_target(records.survey), records.survey.logs
    return int(planned and bool((target and target.archiver) or (logs and logs.ranges)))


def _archiving_findings(records: Records) -> Iterable[Finding]:
    """Planned log archiving that the server says is off or fails."""
    for finding in archiver_findings(records.survey, records.policy):
        code = "job_not_run" if finding.code == "archiver_off" else "job_failed"
        told = finding.values
        message = " ".join(str(told[k]) for k in ("mode", "last_failed") if told.get(k))
        values = {"slot": "", "level": Level.LOG.value, "message": message, "tries": told.get("failed_count")}
        yield Finding(code=code, status=Status.FAIL, place=Level.LOG.value, values=values)

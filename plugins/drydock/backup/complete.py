"""The verdict *complete*: is every piece there that a restore to now would need?

Base backups with all their files, labels, manifests and tablespaces, whole chains of increments, archived logs without
a hole, room for the next ones, and a database that is there to ask. Method: Oracle Backup and Recovery User's Guide,
"Reporting on RMAN Operations"; PostgreSQL manual, "Continuous Archiving and Point-in-Time Recovery".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from drydock.backup.archived_logs import RETENTION_SLACK, archives_itself, log_findings
from drydock.backup.chains import (
    age_h,
    finished_sets,
    foreign_sets,
    is_live,
    live_target,
    newest_chain_ids,
    own_sets,
    own_system_id,
    parent_of,
    usable_chains,
)
from drydock.backup.facts import BackupSet, Level, Survey
from drydock.backup.results import TimeWindow
from drydock.backup.schedule import sets_being_written
from drydock.backup.window import restorable_windows, rpo_now_s
from drydock.estate import BackupPlan, Role
from drydock.policy import BackupPolicy
from drydock.verdicts import Finding, Status, Verdict, judge


def judge_complete(
    survey: Survey,
    plan: BackupPlan,
    policy: BackupPolicy,
    *,
    role: Role | None = None,
    distrusted: frozenset[str] = frozenset(),
) -> Verdict:
    """The verdict *complete* of one survey. Examined: sets, log segments, and the database where it answered.

    `role`: what the estate says the database is; None is not compared. `distrusted`: set_ids that were proved bad.
    """
    windows = restorable_windows(survey, distrusted)
    if _is_before_the_records(survey):
        return judge("complete", 0, [*survey.problems, _records_horizon(survey, plan)])
    findings = [
        *survey.problems,
        *target_findings(survey, role),
        *_set_findings(survey, plan),
        *_base_findings(survey, plan, policy),
        *log_findings(survey, plan, policy),
        *vanished_findings(survey, plan),
        *_reach_findings(survey, plan, windows),
        *(() if windows else _nothing_restorable(survey, policy)),
    ]
    segments = survey.logs.segments if survey.logs else 0
    examined = len(survey.sets) + segments + (1 if live_target(survey) else 0)
    evidence = _evidence(survey, windows) | {"log_segments": segments}
    return judge("complete", examined, distinct(findings), **evidence)


def _is_before_the_records(survey: Survey) -> bool:
    """True for a past day of which no full backup is left: what lay there then, retention may have removed since.

    A damaged one is left, and told as what it is.
    """
    return not is_live(survey) and not any(s.level is Level.FULL for s in own_sets(survey))


def _records_horizon(survey: Survey, plan: BackupPlan) -> Finding:
    values = {"day": survey.as_of.date().isoformat(), "sets": len(survey.sets)}
    return Finding(code="records_horizon", status=Status.UNKNOWN, place=plan.places.sets, values=values)


def distinct(findings: Iterable[Finding]) -> list[Finding]:
    """One finding per code and place: the survey and the judgement may see the same thing."""
    found: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        found.setdefault(finding.key, finding)
    return list(found.values())


def _evidence(survey: Survey, windows: tuple[TimeWindow, ...]) -> dict[str, str | int | float | None]:
    chains = usable_chains(survey)
    rpo_s = rpo_now_s(survey, windows)
    return {
        "sets": len(survey.sets),
        "usable_chains": len(chains),
        "newest_set": chains[-1][-1].set_id if chains else "",
        "newest_full": chains[-1][0].set_id if chains else "",
        "total_bytes": sum(s.total_bytes for s in survey.sets),
        "log_bytes": survey.logs.total_bytes if survey.logs else 0,
        "windows": len(windows),
        "rpo_now_s": None if rpo_s is None else round(rpo_s),
    }


def target_findings(survey: Survey, role: Role | None) -> Iterator[Finding]:
    """A database that does not answer, was not asked, or has another role than the estate says."""
    target = survey.target
    if not is_live(survey):
        return
    if target is None:
        if survey.target_expected:
            yield Finding(code="target_unasked", status=Status.UNKNOWN, place=survey.database)
    elif not target.reachable:
        yield Finding(code="target_down", status=Status.FAIL, place=survey.database, values={"error": target.error})
    elif role and target.role and target.role != role.value:
        values = {"role": target.role, "expected": role.value}
        yield Finding(code="role_mismatch", status=Status.FAIL, place=survey.database, values=values)


def _set_findings(survey: Survey, plan: BackupPlan) -> Iterator[Finding]:
    """What is wrong with each set that lies there. One that the job is writing this moment is not judged yet."""
    writing = sets_being_written(survey, plan)
    newest = newest_chain_ids(survey)
    by_id = {s.set_id: s for s in survey.sets}
    foreign = {s.set_id for s in foreign_sets(survey)}
    for backup_set in survey.sets:
        if backup_set.set_id in writing:
            continue
        yield from _affecting(backup_set.problems, backup_set.set_id in newest)
        if backup_set.set_id in foreign:
            values = {"system_id": backup_set.system_id, "expected": own_system_id(survey)}
            yield Finding(code="foreign_backup", status=Status.FAIL, place=backup_set.set_id, values=values)
        elif backup_set.level is Level.INCREMENTAL and parent_of(backup_set, by_id) is None:
            values = {"parent": backup_set.parent_id or "", "affects_newest": backup_set.set_id in newest}
            yield Finding(code="parent_missing", status=Status.FAIL, place=backup_set.set_id, values=values)


def _affecting(problems: Iterable[Finding], affects_newest: bool) -> Iterator[Finding]:
    for problem in problems:
        yield problem.model_copy(update={"values": problem.values | {"affects_newest": affects_newest}})


def _base_findings(survey: Survey, plan: BackupPlan, policy: BackupPolicy) -> Iterator[Finding]:
    """Is there a full backup at all, young enough, and with every tablespace?"""
    if any(p.code.startswith("source_") for p in survey.problems):
        return
    chains = usable_chains(survey)
    fulls = finished_sets(c[0] for c in chains)
    if not fulls:
        yield _no_full_backup(survey, plan)
        return
    age = survey.as_of - fulls[-1].finished_at
    if age > timedelta(hours=policy.base_max_age_hours):
        values = {"age_hours": age_h(fulls[-1].finished_at, survey.as_of), "limit_hours": policy.base_max_age_hours}
        yield Finding(code="base_too_old", status=Status.FAIL, place=fulls[-1].set_id, values=values)
    yield from _tablespace_findings(survey, chains[-1][-1])


def _no_full_backup(survey: Survey, plan: BackupPlan) -> Finding:
    """FAIL; UNKNOWN where a full lies there and all that is against it is that it cannot be looked into."""
    fulls = [s for s in survey.sets if s.level is Level.FULL]
    closed = any(s.obstacles and all(p.status is Status.UNKNOWN for p in s.obstacles) for s in fulls)
    status = Status.UNKNOWN if closed else Status.FAIL
    values = {"sets": len(survey.sets), "fulls": len(fulls)}
    return Finding(code="no_full_backup", status=status, place=plan.places.sets, values=values)


def _tablespace_findings(survey: Survey, newest: BackupSet) -> Iterator[Finding]:
    if newest.form == "repository" and not newest.tablespaces:
        return  # a repository keeps them without listing them in its records
    target = live_target(survey)
    kept = {t.oid for t in newest.tablespaces if t.place}
    wanted = {t.oid: t for t in (*newest.tablespaces, *(target.tablespaces if target else ()))}
    for oid, tablespace in sorted(wanted.items()):
        if oid not in kept:
            values = {"name": tablespace.name or str(oid), "oid": oid, "location": tablespace.location}
            yield Finding(code="tablespace_missing", status=Status.FAIL, place=f"{newest.set_id}/{oid}", values=values)


def _nothing_restorable(survey: Survey, policy: BackupPolicy) -> Iterator[Finding]:
    """Sound sets lie there, yet none of them can be recovered. Where there are none, no_full_backup tells it."""
    on_its_way = timedelta(seconds=policy.clock_skew_warn_s)  # the last log of a backup that ended this moment
    chains = [c for c in usable_chains(survey) if survey.as_of - c[-1].finished_at > on_its_way]
    if chains:
        values = {"sets": len(survey.sets), "chains": len(chains)}
        yield Finding(code="nothing_restorable", status=Status.FAIL, place=survey.database, values=values)


def vanished_findings(survey: Survey, plan: BackupPlan) -> Iterator[Finding]:
    """Sound sets of earlier surveys that went before their time: FAIL for the newest full, else WARN."""
    if not is_live(survey) or any(p.code.startswith("source_") for p in survey.problems):
        return
    own, present = own_system_id(survey), {(s.timeline, s.start_position) for s in survey.sets}
    known = finished_sets((*survey.past_sets, *survey.sets))
    newest_full = next((s.set_id for s in reversed(known) if s.level is Level.FULL), None)
    kept_since = survey.as_of - timedelta(days=plan.retention_days) + RETENTION_SLACK
    for gone in finished_sets(survey.past_sets):
        moved = gone.start_position is not None and (gone.timeline, gone.start_position) in present
        foreign = None not in (own, gone.system_id) and gone.system_id != own
        if gone.finished_at > kept_since and gone.is_usable and not moved and not foreign:
            values = {"level": gone.level.value, "age_days": _days(survey.as_of - gone.finished_at)}
            values |= {"retention_days": plan.retention_days}
            status = Status.FAIL if gone.set_id == newest_full else Status.WARN
            yield Finding(code="set_vanished", status=status, place=gone.set_id, values=values)


def _days(span: timedelta) -> float:
    return round(span / timedelta(days=1), 1)


def _reach_findings(survey: Survey, plan: BackupPlan, windows: tuple[TimeWindow, ...]) -> Iterator[Finding]:
    """Does the restorable time reach far enough forward (RPO) and back (retention)?"""
    rpo_s, limit_s = rpo_now_s(survey, windows), plan.rpo_minutes * 60
    if rpo_s is not None and rpo_s > limit_s:
        values = {"rpo_minutes": round(rpo_s / 60), "limit_minutes": plan.rpo_minutes}
        code, status = ("rpo_exceeded", Status.FAIL) if _knows_loss(survey) else ("rpo_unproved", Status.WARN)
        yield Finding(code=code, status=status, place=survey.database, values=values)
    wanted = survey.as_of - timedelta(days=plan.retention_days)
    begins = min((w.start for w in windows), default=None)
    if begins and begins > wanted + RETENTION_SLACK and _is_older_than(survey, wanted):
        values = {"days": _days(survey.as_of - begins), "retention_days": plan.retention_days}
        yield Finding(code="retention_short", status=Status.WARN, place=survey.database, values=values)


def _knows_loss(survey: Survey) -> bool:
    """False where only the server could have told an idle hour from a lost one, and it did not."""
    target = live_target(survey)
    return survey.logs is None or (target is not None and archives_itself(target))


def _is_older_than(survey: Survey, moment: datetime) -> bool:
    """True when the job log shows that backups were made before `moment`, so that they should still be there."""
    jobs = survey.jobs
    starts = [r.started_at for r in jobs.runs] + ([jobs.horizon_at] if jobs.horizon_at else []) if jobs else []
    return bool(starts) and min(starts) < moment

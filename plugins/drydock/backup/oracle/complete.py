"""The verdict *complete* by RMAN's records: is every piece there that a restore to now would need?

Repository arithmetic per datafile, thread, control file and spfile, never the word of a job (Oracle Backup and Recovery
User's Guide, "Reporting on RMAN Operations").
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from drydock.backup.archived_logs import RETENTION_SLACK
from drydock.backup.chains import is_live
from drydock.backup.complete import distinct, target_findings, vanished_findings
from drydock.backup.facts import Level, Survey
from drydock.backup.folding import fold_findings
from drydock.backup.oracle.alerts import complete_alerts
from drydock.backup.oracle.datafile_findings import RECORDS, datafile_findings
from drydock.backup.oracle.file_chains import Repository
from drydock.backup.oracle.needs import Needs
from drydock.backup.oracle.neutral import CONTROL_FILE
from drydock.backup.oracle.redo_findings import LOGS, redo_findings
from drydock.backup.oracle.safety_findings import safety_findings
from drydock.backup.oracle.window import restorable_windows, rpo_now_s, thread_losses
from drydock.backup.results import TimeWindow
from drydock.estate import BackupPlan, Role
from drydock.policy import BackupPolicy
from drydock.verdicts import Figure, Finding, Status, Verdict, judge

DAY = timedelta(days=1)


def judge_complete(
    survey: Survey,
    plan: BackupPlan,
    policy: BackupPolicy,
    *,
    role: Role | None = None,
    distrusted: frozenset[str] = frozenset(),
) -> Verdict:
    """The verdict *complete* of one survey that has a catalogue. Examined: datafiles, sets, and spans of logs."""
    needs = Needs(survey, Repository(survey.catalogue, distrusted), plan, policy)
    windows = restorable_windows(survey, distrusted)
    findings = [
        *survey.problems,
        *target_findings(survey, role),
        *fold_findings(_set_findings(needs), plan.places.sets, "more_set_problems"),
        *datafile_findings(needs, policy),
        *fold_findings(redo_findings(needs), survey.database, "more_set_problems"),
        *safety_findings(needs),
        *_vanished(needs),
        *_reach_findings(needs, windows),
    ]
    findings += complete_alerts(survey, {f.code for f in findings})
    catalogue = survey.catalogue
    examined = len(catalogue.datafiles) + len(catalogue.sets) + len(catalogue.log_spans)
    return judge("complete", examined, distinct(findings), **_evidence(needs, windows))


def _evidence(needs: Needs, windows: tuple[TimeWindow, ...]) -> dict[str, Figure]:
    catalogue, rpo_s = needs.repository.catalogue, rpo_now_s(needs.survey, windows, needs.repository.distrusted)
    chains = needs.repository.chains.values()
    return {
        "datafiles": len(catalogue.datafiles),
        "datafiles_protected": sum(1 for c in chains if c.links),
        "sets": len(catalogue.sets),
        "total_bytes": sum(s.total_bytes for s in needs.survey.sets),
        "archived_logs": sum(s.logs for s in catalogue.log_spans if s.is_kept),
        "threads": len(catalogue.threads),
        "redo_since_scn": needs.redo_since,
        "windows": len(windows),
        "rpo_now_s": None if rpo_s is None else round(rpo_s),
    }


def _set_findings(needs: Needs) -> Iterator[Finding]:
    """Sets with pieces that RMAN does not believe in: FAIL, or WARN for what no moment of the retention needs."""
    limit = needs.obsolete_before
    newest = [s.finished_at for s in needs.survey.sets if s.set_id in needs.newest_ids and s.finished_at]
    for made in needs.survey.sets:
        for problem in made.problems:
            is_obsolete = bool(limit and made.finished_at and made.finished_at < limit)
            affects = not newest or (made.finished_at is not None and made.finished_at >= min(newest))
            update = {"values": problem.values | {"affects_newest": affects}}
            yield problem.model_copy(update=update | ({"status": Status.WARN} if is_obsolete else {}))


def _vanished(needs: Needs) -> Iterator[Finding]:
    """Sets of earlier surveys that went before their time.

    Left out: copies and the increments that are rolled into them, control files and logs, which expire by other rules; and
    a control file that was made anew, which forgets what still lies there.
    """
    survey, facts = needs.survey, needs.repository.catalogue.facts
    rolled = any(s.form == "copy" for s in (*survey.sets, *survey.past_sets))
    kept = [s for s in survey.past_sets if s.form == "backupset" and not (rolled and s.level is Level.INCREMENTAL)]
    if facts.controlfile_created_at:
        kept = [s for s in kept if s.finished_at and s.finished_at > facts.controlfile_created_at]
    told = survey.model_copy(update={"past_sets": tuple(kept), "problems": ()})
    if needs.answered(*RECORDS):
        yield from vanished_findings(told.model_copy(update={"sets": _data_sets(survey)}), needs.plan)


def _data_sets(survey: Survey) -> tuple:
    return tuple(s for s in survey.sets if s.form != CONTROL_FILE)


def _reach_findings(needs: Needs, windows: tuple[TimeWindow, ...]) -> Iterator[Finding]:
    """Does the restorable time reach far enough forward (RPO) and back (retention)?"""
    survey = needs.survey
    if not needs.answered(*RECORDS, *LOGS):
        return
    if not windows:
        yield from _nothing_restorable(needs)
        return
    yield from _loss_findings(needs, windows)
    if needs.repository.catalogue.facts.log_mode == "NOARCHIVELOG":
        return  # one moment is all there is
    wanted = needs.retention_since
    reaching = [w.start for w in windows if w.end > wanted]  # an archival backup of last year is no retention
    begins, horizon = min(reaching, default=windows[-1].start), needs.repository.catalogue.horizon_at
    if begins > wanted + RETENTION_SLACK and horizon and horizon < wanted and is_live(survey):
        values = {"days": round((needs.now - begins) / DAY, 1), "retention_days": needs.plan.retention_days}
        yield Finding(code="retention_short", status=Status.WARN, place=survey.database, values=values)


def _nothing_restorable(needs: Needs) -> Iterator[Finding]:
    """Every file has a backup, yet no moment can be restored to. Where one has none, that is what is told."""
    chains = needs.repository.chains
    if chains and all(c.links or f in needs.young for f, c in chains.items()):
        values = {"sets": len(needs.survey.sets), "chains": 1}
        yield Finding(code="nothing_restorable", status=Status.FAIL, place=needs.survey.database, values=values)


def _loss_findings(needs: Needs, windows: tuple[TimeWindow, ...]) -> Iterator[Finding]:
    """RPO by the worst thread: told once, with its number."""
    limit_s = needs.plan.rpo_minutes * 60
    if needs.repository.catalogue.facts.log_mode == "NOARCHIVELOG":
        losses = ((0, rpo_now_s(needs.survey, windows)),)
    else:
        losses = thread_losses(needs.repository)
    thread, loss_s = max(losses, key=lambda x: x[1], default=(0, 0.0))
    if loss_s > limit_s:
        values = {"rpo_minutes": round(loss_s / 60), "limit_minutes": needs.plan.rpo_minutes, "thread": thread}
        yield Finding(code="rpo_exceeded", status=Status.FAIL, place=needs.survey.database, values=values)

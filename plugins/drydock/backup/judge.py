"""One database, one day: the four verdicts composed, accepted findings marked, and the answer in words and numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from types import ModuleType

from drydock.backup import complete, executed, normal, window
from drydock.backup.facts import Survey
from drydock.backup.oracle import complete as oracle_complete
from drydock.backup.oracle import executed as oracle_executed
from drydock.backup.oracle import normal as oracle_normal
from drydock.backup.oracle import window as oracle_window
from drydock.backup.oracle.valid import with_corruption
from drydock.backup.results import Depth, Drill, Forecast, Judgement, Read
from drydock.backup.rotation import coverage
from drydock.backup.valid import distrusted_sets, judge_valid, newest_drill
from drydock.estate import BackupPlan, Database
from drydock.policy import BackupPolicy
from drydock.verdicts import Finding, Status, Verdict, judge
from drydock.waivers import Waiver, apply_waivers, expired_waivers

PIPELINE = "backup"


def judge_day(
    database: Database,
    survey: Survey,
    reads: Iterable[Read],
    drills: Iterable[Drill],
    forecast: Forecast | None,
    policy: BackupPolicy,
    waivers: Iterable[Waiver],
    is_workday: Callable[[date], bool],
    depth: Depth,
    judged_at: datetime,
) -> Judgement:
    """Judge one survey; the day is the local date of its `as_of`. The same arguments give the same judgement.

    `reads` and `drills`: this database's history up to now, in any order.
    """
    plan, zone, reads, drills = database.backup, database.zone, tuple(reads), tuple(drills)
    rules, day, distrusted = rules_for(survey), survey.as_of.astimezone(zone).date(), distrusted_sets(survey, reads, drills)
    windows = rules.window.restorable_windows(survey, distrusted)
    valid = with_corruption(judge_valid(survey, reads, drills, plan, policy, depth), survey)
    verdicts = (
        rules.executed.judge_executed(survey, plan, zone, policy),
        rules.complete.judge_complete(survey, plan, policy, role=database.role, distrusted=distrusted),
        _with_slow_recovery(valid, forecast, plan),
        rules.normal.judge_normal(survey, policy, is_workday, zone),
    )
    return Judgement(
        database=database.id,
        day=day,
        as_of=survey.as_of,
        judged_at=judged_at,
        depth=depth,
        **_with_waivers(verdicts, waivers, database.id, day),
        restorable=windows,
        rpo_now_s=rules.window.rpo_now_s(survey, windows, distrusted),
        **_limits(plan),
        rto=forecast,
        coverage=coverage(survey, reads, policy, survey.as_of),
        last_drill=newest_drill(drills),
    )


def _limits(plan: BackupPlan) -> dict[str, float]:
    return {"rpo_limit_s": plan.rpo_minutes * 60.0, "rto_limit_s": plan.rto_minutes * 60.0}


@dataclass(frozen=True)
class Rules:
    """The modules that answer: the same questions, asked of files and positions or of RMAN's repository."""

    executed: ModuleType
    complete: ModuleType
    normal: ModuleType
    window: ModuleType


BY_FILES = Rules(executed, complete, normal, window)
BY_REPOSITORY = Rules(oracle_executed, oracle_complete, oracle_normal, oracle_window)


def rules_for(survey: Survey) -> Rules:
    """By RMAN's repository where the survey has it, else by what lies there."""
    return BY_REPOSITORY if survey.catalogue else BY_FILES


def _with_slow_recovery(valid: Verdict, forecast: Forecast | None, plan: BackupPlan) -> Verdict:
    """Tells of a forecast from this database's own drills above the promised RTO; safe defaults accuse nobody."""
    if forecast is None or forecast.is_default or forecast.seconds <= plan.rto_minutes * 60:
        return valid
    values = {"forecast_minutes": round(forecast.seconds / 60, 1), "limit_minutes": plan.rto_minutes, "drills": forecast.basis}
    slow = Finding(code="rto_exceeded", status=Status.WARN, place="drill", values=values)
    return judge(valid.question, valid.examined, (*valid.findings, slow), **valid.evidence)


def _with_waivers(verdicts: Iterable[Verdict], waivers: Iterable[Waiver], database: str, day: date) -> dict[str, Verdict]:
    """The verdicts by question, with accepted findings marked; *complete* tells of waivers whose date has passed."""
    ours = tuple(w for w in waivers if w.pipeline == PIPELINE)
    marked = {v.question: apply_waivers(v, ours, database, day) for v in verdicts}
    if expired := expired_waivers(ours, PIPELINE, database, day):
        told = marked["complete"]
        marked["complete"] = judge(told.question, told.examined, (*told.findings, *expired), **told.evidence)
    return marked

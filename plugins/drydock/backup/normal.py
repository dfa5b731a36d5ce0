"""The verdict *normal*: does the newest backup look like its own past?

Size, duration and file count of the newest set of each level are held against the median of earlier sets of the same
level on the same kind of day. A value is abnormal only when it is far off in both measures: in median absolute
deviations, which a steady history makes small, and as a share of the median, which it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from statistics import median
from zoneinfo import ZoneInfo

from drydock.backup.chains import finished_sets, own_system_id
from drydock.backup.facts import BackupSet, Level, Survey
from drydock.policy import BackupPolicy
from drydock.verdicts import Figure, Finding, Status, Verdict, judge, skip

SMALLEST_SPREAD = 0.01  # of the median: a history of equal values must not make one byte a deviation
IsWorkday = Callable[[date], bool]


@dataclass(frozen=True)
class Measure:
    """One thing measured of a set. `noise`: a difference below this says nothing."""

    code: str
    name: str
    noise: float
    of: Callable[[BackupSet], float]


MEASURES = (
    Measure("size_abnormal", "bytes", 8 * 1024 * 1024, lambda s: s.total_bytes),
    Measure("duration_abnormal", "duration_s", 60.0, lambda s: (s.finished_at - s.started_at).total_seconds()),
    Measure("files_abnormal", "files", 20, lambda s: s.files),
)


def judge_normal(survey: Survey, policy: BackupPolicy, is_workday: IsWorkday, zone: ZoneInfo) -> Verdict:
    """The verdict *normal* of one survey. Examined: newest sets with enough history; SKIPPED where none has."""
    evidence: dict[str, Figure] = {"needed_runs": policy.normal_min_runs}
    findings: list[Finding] = []
    examined = 0
    for level in (Level.FULL, Level.INCREMENTAL):
        newest, past = _newest_and_past(survey, level, is_workday, zone)
        evidence[f"{level.value}_runs"] = len(past)
        if newest and len(past) >= policy.normal_min_runs:
            examined += 1
            evidence |= {f"{level.value}_{m.name}": round(m.of(newest)) for m in MEASURES}
            evidence |= {f"{level.value}_median_{m.name}": round(_center(m, past)) for m in MEASURES}
            findings += _deviations(newest, past, policy)
    if not examined:
        return skip("normal", "history_short", **evidence)
    return judge("normal", examined, findings, **evidence)


def _newest_and_past(
    survey: Survey, level: Level, is_workday: IsWorkday, zone: ZoneInfo
) -> tuple[BackupSet | None, tuple[BackupSet, ...]]:
    """The newest finished set of a level, and the good ones before it on the same kind of day."""
    present = [s for s in _measurable(survey, survey.sets) if s.level is level]
    if not present:
        return None, ()
    newest, kind = present[-1], is_workday(_day(present[-1], zone))
    known = {s.set_id: s for s in (*survey.past_sets, *survey.sets)}
    past = [s for s in _measurable(survey, known.values()) if s.level is level and s.is_usable]
    earlier = (s for s in past if s.started_at < newest.started_at and s.set_id != newest.set_id)
    return newest, tuple(s for s in earlier if is_workday(_day(s, zone)) is kind)


def _measurable(survey: Survey, sets: Iterable[BackupSet]) -> list[BackupSet]:
    """Finished sets of this database with a known start, oldest first."""
    own = own_system_id(survey)
    return [s for s in finished_sets(sets) if s.started_at and (s.system_id is None or own is None or s.system_id == own)]


def _day(backup_set: BackupSet, zone: ZoneInfo) -> date:
    return backup_set.started_at.astimezone(zone).date()


def _center(measure: Measure, past: Iterable[BackupSet]) -> float:
    return median(measure.of(s) for s in past)


def _deviations(newest: BackupSet, past: tuple[BackupSet, ...], policy: BackupPolicy) -> Iterator[Finding]:
    for measure in MEASURES:
        value, center = measure.of(newest), _center(measure, past)
        spread = max(median(abs(measure.of(s) - center) for s in past), SMALLEST_SPREAD * center)
        limit = max(policy.normal_mad_factor * spread, policy.normal_min_ratio * center, measure.noise)
        if abs(value - center) > limit:
            values = {
                "level": newest.level.value,
                measure.name: round(value),
                f"median_{measure.name}": round(center),
                "change_percent": round(100 * (value - center) / center) if center else None,
                "runs": len(past),
            }
            yield Finding(code=measure.code, status=Status.WARN, place=newest.set_id, values=values)

"""Builds one healthy world for the tests of the judgement: twenty nights of one database, nothing wrong with any of them.

Full backups on Sundays, increments on the other nights, all at 01:30 in Shanghai; a log archive without a gap; a job log
that knows every set; a database that answers. Tests change what they want to see found.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from drydock.backup.facts import (
    Archiver,
    BackupSet,
    JobLog,
    JobRun,
    JobState,
    Level,
    LogArchive,
    LogRange,
    Survey,
    TargetState,
)
from drydock.backup.postgres.wal import segment_at
from drydock.backup.results import Drill, Phase, Read, ReadUnit
from drydock.estate import BackupPlan, Database
from drydock.messages import message
from drydock.policy import BackupPolicy
from drydock.verdicts import Finding, Status, Verdict

ZONE = ZoneInfo("Asia/Shanghai")
AS_OF = datetime(2026, 11, 20, 7, 30, tzinfo=ZONE)  # a Friday
FIRST_NIGHT = datetime(2026, 11, 1, 1, 30, tzinfo=ZONE)  # a Sunday
NIGHTS = 20
SEGMENT = 16 * 1024 * 1024
SEGMENTS_A_DAY = 100
DATABASE = "gz_main"
SYSTEM = "7441556812345678901"
GIB = 1024**3
POLICY = BackupPolicy()
UNWORDED = {"set_file_missing", "set_checksum", "log_damaged"}  # findings of others, made up here without their figures


def is_workday(day: date) -> bool:
    return day.weekday() < 5


def plan(**changes: Any) -> BackupPlan:
    values = {
        "source": "pg_basebackup",
        "places": {"sets": "/backup/sets", "logs": "/backup/wal", "job_log": "/backup/job.log"},
        "plan": [{"level": "full", "cron": "30 1 * * 0"}, {"level": "incremental", "cron": "30 1 * * 1-6"}],
        "retention_days": 14,
        "rpo_minutes": 15,
        "rto_minutes": 240,
    }
    return BackupPlan.model_validate(values | changes)


def database(**changes: Any) -> Database:
    values = {
        "id": DATABASE,
        "name_zh": "主库",
        "name_en": "Main",
        "platform": "main",
        "engine": "postgresql",
        "connection": "db_main",
        "role": "primary",
        "owner": "dba",
        "low_peak_windows": [{"days": ["sat"], "start": "01:00", "end": "05:00"}],
        "backup": plan(),
    }
    return Database.model_validate(values | changes)


def position(night: float) -> int:
    """Where the log stood so many nights after the first."""
    return int((1000 + night * SEGMENTS_A_DAY) * SEGMENT)


def a_set(night: int, **changes: Any) -> BackupSet:
    """The set of one night (0 is the first): full on Sundays, else an increment on the night before."""
    full = night % 7 == 0
    started_at = FIRST_NIGHT + timedelta(days=night, seconds=2)
    values = {
        "set_id": f"set_{night:02}",
        "level": Level.FULL if full else Level.INCREMENTAL,
        "parent_id": None if full else f"set_{night - 1:02}",
        "parent_position": None if full else position(night - 1) + 40,
        "place": f"/backup/sets/set_{night:02}",
        "system_id": SYSTEM,
        "timeline": 1,
        "start_position": position(night) + 40,
        "stop_position": position(night) + 2 * SEGMENT + 300,
        "started_at": started_at,
        "finished_at": started_at + timedelta(minutes=20 if full else 4, seconds=night % 3),
        "total_bytes": (10 * GIB if full else GIB) + night * 1024,
        "files": 2000 + night,
    }
    return BackupSet.model_validate(values | changes)


def a_run(made: BackupSet, **changes: Any) -> JobRun:
    """The line of the job log for a set."""
    values = {
        "level": made.level,
        "state": JobState.SUCCEEDED,
        "started_at": made.started_at - timedelta(seconds=2),
        "ended_at": made.finished_at + timedelta(seconds=1) if made.finished_at else None,
        "set_id": made.set_id,
    }
    return JobRun.model_validate(values | changes)


def a_range(first: int, end: int, timeline: int = 1, **changes: Any) -> LogRange:
    """Log segments from number `first` up to, without, `end` (counted from the first night's position)."""
    start, stop = position(0) + first * SEGMENT, position(0) + end * SEGMENT
    values = {
        "timeline": timeline,
        "first": segment_at(timeline, start, SEGMENT).name(SEGMENT),
        "last": segment_at(timeline, stop - 1, SEGMENT).name(SEGMENT),
        "first_position": start,
        "end_position": stop,
        "segments": end - first,
        "total_bytes": (end - first) * SEGMENT,
        "first_at": archived_at(first),
        "last_at": archived_at(end - 1),
    }
    return LogRange.model_validate(values | changes)


def archived_at(segment: int) -> datetime:
    """Segments are archived evenly, the last one three minutes before AS_OF."""
    span = AS_OF - timedelta(minutes=3) - FIRST_NIGHT
    return FIRST_NIGHT + span * (segment / (ALL_SEGMENTS - 1))


ALL_SEGMENTS = int(((AS_OF - FIRST_NIGHT) / timedelta(days=1)) * SEGMENTS_A_DAY)
SETS = tuple(a_set(n) for n in range(NIGHTS))


def logs(*ranges: LogRange, **changes: Any) -> LogArchive:
    whole = ranges or (a_range(0, ALL_SEGMENTS),)
    values = {"place": "/backup/wal", "segment_bytes": SEGMENT, "ranges": whole, "free_bytes": 500 * GIB}
    return LogArchive.model_validate(values | changes)


def name(segment: int, timeline: int = 1) -> str:
    """Name of a log segment by its number in this world."""
    return segment_at(timeline, position(0) + segment * SEGMENT, SEGMENT).name(SEGMENT)


def job_log(runs: Iterable[JobRun] | None = None, **changes: Any) -> JobLog:
    known = tuple(a_run(s) for s in SETS) if runs is None else tuple(runs)
    values = {"place": "/backup/job.log", "horizon_at": FIRST_NIGHT, "runs": known}
    return JobLog.model_validate(values | changes)


def archiver(**changes: Any) -> Archiver:
    values = {
        "mode": "on",
        "timeout_s": 300,
        "archived_count": ALL_SEGMENTS,
        "last_archived": name(ALL_SEGMENTS - 1),
        "last_archived_at": AS_OF - timedelta(minutes=3),
    }
    return Archiver.model_validate(values | changes)


def target(**changes: Any) -> TargetState:
    values = {
        "reachable": True,
        "system_id": SYSTEM,
        "version": "18.6",
        "role": "primary",
        "timeline": 1,
        "position": position(0) + ALL_SEGMENTS * SEGMENT + 5000,
        "clock_at": AS_OF + timedelta(seconds=1),
        "asked_at": AS_OF,
        "archiver": archiver(),
    }
    return TargetState.model_validate(values | changes)


def survey(**changes: Any) -> Survey:
    """The healthy survey, with what the test changes."""
    values = {
        "database": DATABASE,
        "as_of": AS_OF,
        "surveyed_at": AS_OF + timedelta(seconds=5),
        "sets": SETS,
        "logs": logs(),
        "jobs": job_log(),
        "target": target(),
    }
    return Survey.model_validate(values | changes)


def with_set(night: int, **changes: Any) -> tuple[BackupSet, ...]:
    """All sets, that of one night changed."""
    return tuple(a_set(n, **changes) if n == night else s for n, s in enumerate(SETS))


def without_set(*nights: int) -> tuple[BackupSet, ...]:
    return tuple(s for n, s in enumerate(SETS) if n not in nights)


def with_run(night: int, **changes: Any) -> JobLog:
    """The job log, the line of one night changed."""
    return job_log(a_run(s, **changes) if n == night else a_run(s) for n, s in enumerate(SETS))


def a_problem(code: str = "set_file_missing", place: str = "x", status: Status = Status.FAIL, **values: Any) -> Finding:
    return Finding(code=code, status=status, place=place, values=values)


def read_of(made: BackupSet | LogRange, age: timedelta, findings: Iterable[Finding] = ()) -> Read:
    """A read of a set or range that ended so long before AS_OF."""
    times = {"started_at": AS_OF - age - timedelta(minutes=1), "ended_at": AS_OF - age, "findings": tuple(findings)}
    if isinstance(made, BackupSet):
        about = {"unit": ReadUnit.SET, "subject": made.set_id, "set_id": made.set_id, "files": made.files}
        return Read(**about, read_bytes=made.total_bytes, **times)
    about = {"unit": ReadUnit.LOGS, "subject": f"{made.first}..{made.last}", "files": made.segments}
    about |= {"timeline": made.timeline, "first_position": made.first_position, "end_position": made.end_position}
    return Read(**about, read_bytes=made.total_bytes, **times)


def read_all(age: timedelta = timedelta(hours=1), but: Iterable[str] = ()) -> tuple[Read, ...]:
    """Everything was read so long ago, the named sets were not."""
    left_out = set(but)
    return (*(read_of(s, age) for s in SETS if s.set_id not in left_out), read_of(a_range(0, ALL_SEGMENTS), age))


def a_drill(age: timedelta = timedelta(days=2), findings: Iterable[Finding] = (), set_id: str = "set_17") -> Drill:
    ended_at = AS_OF - age
    return Drill(
        drill_id="drydock_drill_ab12cd34",
        set_id=set_id,
        started_at=ended_at - timedelta(minutes=30),
        ended_at=ended_at,
        phases=(Phase(name="restore", elapsed_s=600.0), Phase(name="recover", elapsed_s=60.0)),
        findings=tuple(findings),
    )


def codes(verdict: Verdict) -> set[str]:
    return {f.code for f in verdict.findings}


def only(verdict: Verdict, code: str) -> Finding:
    """The one finding of that code. What it says must name no figure that it does not have."""
    found = [f for f in verdict.findings if f.code == code]
    assert len(found) == 1, f"{code}: {[(f.code, f.place) for f in verdict.findings]}"
    assert code in UNWORDED or not any("‹" in message(found[0], language) for language in ("zh", "en"))
    return found[0]


def utc(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=UTC)

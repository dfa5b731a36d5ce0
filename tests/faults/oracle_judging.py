"""Judges a simulated Oracle database as the pipeline does: the product's SQL on the simulator, the survey, the four verdicts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from drydock.backup.facts import Survey
from drydock.backup.judge import judge_day
from drydock.backup.oracle.survey import Rows, ViewUnreadable, survey_oracle
from drydock.backup.results import Depth, Drill, Judgement, Read, ReadUnit
from drydock.estate import BackupPlan, Database
from drydock.policy import BackupPolicy
from drydock.settings import include_dir
from drydock.sqlfiles import parse_sql_file, sql_file, statements
from sandbox.oracle import views_backup
from sandbox.oracle.backend import OracleError
from sandbox.oracle.model.database import Account, OracleDatabase
from sandbox.oracle.model.jobs import EVERY_DAY, PlannedJob
from sandbox.oracle.model.repository import Repository, repository_of
from sandbox.oracle.sessions import DatabaseAccounts
from sandbox.oracle.views_backup_rows import standing_still

ACCOUNT = "DRYDOCK_LOOK"
LEVELS = {"level0": "full", "full": "full", "level1": "incremental", "merge": "incremental", "logs": "log"}
POLICY = BackupPolicy()
VIEWS = views_backup  # imported for what it registers


def granted(name: str = "backup") -> set[str]:
    """The privileges of the looking account: those of a grants file, no more."""
    found = statements(parse_sql_file(include_dir() / "sql" / "oracle" / "grants" / f"{name}.sql"))
    lines = (re.sub(r"\s+TO\s+&account$", "", line).removeprefix("GRANT ") for line in found)
    return {line.replace(" ON SYS.", " ") for line in lines}


def simulator_rows(database: OracleDatabase) -> Rows:
    """The product's own SQL files, run by the simulator's engine in this process."""
    database.accounts.setdefault(ACCOUNT, Account(ACCOUNT, "x", granted()))
    backend, _, _ = DatabaseAccounts(database).open_session(ACCOUNT, database.service, {})

    def rows(name: str) -> list[dict[str, Any]]:
        try:
            result = backend.execute(sql_file("oracle", "backup", name).statement, [])
        except OracleError as e:
            raise ViewUnreadable(str(e)) from e
        names = [c.name.lower() for c in result.columns]
        return [dict(zip(names, row, strict=True)) for row in result.rows]

    return rows


def estate_entry(database: OracleDatabase) -> Database:
    """The estate's entry of a simulated database: its plan as the customer's scheduler has it."""
    repository = repository_of(database)
    values = {
        "id": "gz_main_sim",
        "name_zh": "模拟库",
        "name_en": "Simulated",
        "platform": "main",
        "engine": "oracle",
        "connection": "db_sim",
        "role": "standby" if "STANDBY" in repository.role else "primary",
        "time_zone": database.time_zone,
        "owner": "dba",
        "low_peak_windows": [{"days": ["sat"], "start": "01:00", "end": "05:00"}],
        "backup": backup_plan(repository),
    }
    return Database.model_validate(values)


def backup_plan(repository: Repository) -> BackupPlan:
    jobs = repository.plan.jobs
    pause = max((j.every_minutes for j in jobs), default=0) or 24 * 60
    window = re.search(r"WINDOW OF (\d+) DAYS", repository.plan.policy or "")
    values = {
        "source": "rman",
        "places": {"sets": "/backup/sets"},
        "plan": [{"level": LEVELS[j.command], "cron": cron_of(j)} for j in jobs],
        "retention_days": int(window[1]) if window else 1,
        "rpo_minutes": pause + 30,
        "rto_minutes": 100_000,
    }
    return BackupPlan.model_validate(values)


def cron_of(job: PlannedJob) -> str:
    if job.every_minutes >= 60:
        return f"{job.minute % 60} */{job.every_minutes // 60} * * *"
    if job.every_minutes:
        return f"{job.minute % job.every_minutes}/{job.every_minutes} * * * *"
    days = "*" if job.weekdays == EVERY_DAY else ",".join(str((d + 1) % 7) for d in sorted(job.weekdays))
    return f"{job.minute} {job.hour} * * {days}"


def survey_of(database: OracleDatabase, rows: Rows | None = None) -> Survey:
    now = database.clock.now
    with standing_still(database):
        return survey_oracle(estate_entry(database), rows or simulator_rows(database), now(), now)


def read_all(survey: Survey) -> tuple[Read, ...]:
    """As if every set had been read an hour ago and found good."""
    times = {"started_at": survey.as_of - timedelta(minutes=1), "ended_at": survey.as_of}
    return tuple(
        Read(unit=ReadUnit.SET, subject=s.set_id, set_id=s.set_id, read_bytes=s.total_bytes, files=s.files, **times)
        for s in survey.sets
    )


def drilled(survey: Survey) -> tuple[Drill, ...]:
    """A drill of this morning that went well."""
    at = survey.as_of - timedelta(minutes=30)
    newest = survey.sets[-1].set_id if survey.sets else "none"
    return (Drill(drill_id="drydock_drill_ab12cd34", set_id=newest, started_at=at, ended_at=survey.as_of),)


def judged(database: OracleDatabase, survey: Survey | None = None, is_workday: Callable[[Any], bool] | None = None) -> Judgement:
    """The judgement of a simulated database, everything of it read back and drilled."""
    survey = survey or survey_of(database)
    is_workday = is_workday or (lambda day: day.weekday() < 5)
    rest = (POLICY, (), is_workday, Depth.BYTES, _judged_at(survey))
    return judge_day(estate_entry(database), survey, read_all(survey), drilled(survey), None, *rest)


def _judged_at(survey: Survey) -> datetime:
    return survey.as_of + timedelta(seconds=10)

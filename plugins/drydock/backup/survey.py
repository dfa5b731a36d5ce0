"""Looks at one database's backups: sets, archived logs, the job's own log, and the database itself.

Nothing is read but names, sizes, labels and heads of files, and a few rows of the server's own statistics. What cannot
be looked at is in the survey as a finding or as an unreachable target; only a programming error is raised.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import psycopg

from drydock.backup.facts import Archiver, BackupSet, JobLog, LogArchive, Survey, Tablespace, TargetState
from drydock.backup.job_log import read_job_log
from drydock.backup.regular_files import is_gone
from drydock.backup.source import BackupSource, SourceUnreadable
from drydock.engines.postgres import Endpoint, classify, connect, fetch_rows
from drydock.estate import Database
from drydock.sqlfiles import sql_file
from drydock.verdicts import Finding, Status

log = logging.getLogger(__name__)

ATTEMPTS = 3
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 4.0
CONNECT_TIMEOUT_S, STATEMENT_TIMEOUT_S = 5, 30

T = TypeVar("T")


def survey_database(
    database: Database,
    source: BackupSource,
    endpoint: Endpoint | None,
    as_of: datetime,
    past_sets: Sequence[BackupSet] = (),
) -> Survey:
    """Everything known at `as_of`. Without an endpoint the database is not asked (a backfill, or a shell without it)."""
    problems: list[Finding] = []
    plan = database.backup
    sets = _look(lambda: source.survey_sets(as_of), plan.places.sets, problems) or ()
    logs = _survey_logs(source, plan.places.logs, as_of, problems)
    return Survey(
        database=database.id,
        as_of=as_of,
        surveyed_at=datetime.now(UTC),
        sets=sets,
        logs=logs,
        jobs=_survey_jobs(database, as_of),
        target=survey_target(endpoint) if endpoint else None,
        past_sets=tuple(past_sets),
        problems=tuple(problems),
    )


def survey_target(endpoint: Endpoint) -> TargetState:
    """The database's own facts, asked up to three times; one that is down is `reachable=False` with the reason."""
    import stamina  # brings an event loop of its own along: a tenth of a second that only this question should cost

    pauses = {"wait_initial": FIRST_WAIT_S, "wait_max": LONGEST_WAIT_S, "timeout": None}
    ask = stamina.retry(on=_is_passing, attempts=ATTEMPTS, **pauses)(_ask_target)
    try:
        return ask(endpoint)
    except psycopg.Error as e:
        kind = classify(e).kind
        log.warning("%s:%s cannot be asked (%s): %s", endpoint.host, endpoint.port, kind, e)
        return TargetState(reachable=False, error=f"{kind}: {str(e).strip()}")


def _is_passing(error: Exception) -> bool:
    return isinstance(error, psycopg.Error) and classify(error).retry


def _ask_target(endpoint: Endpoint) -> TargetState:
    timeouts = {"statement_timeout_s": STATEMENT_TIMEOUT_S, "connect_timeout_s": CONNECT_TIMEOUT_S}
    with connect(endpoint, purpose="backup survey", **timeouts) as connection:
        before = datetime.now(UTC)
        identity = _rows(connection, "server_identity")[0]
        after = datetime.now(UTC)
        return TargetState(
            reachable=True,
            asked_at=before + (after - before) / 2,  # the server read its clock somewhere between
            archiver=Archiver(**_rows(connection, "archiver_state")[0]),
            total_bytes=_rows(connection, "database_bytes")[0]["total_bytes"],
            tablespaces=tuple(Tablespace(**row) for row in _rows(connection, "tablespaces")),
            **identity,
        )


def _rows(connection: psycopg.Connection[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return fetch_rows(connection, sql_file("postgresql", "backup", name))


def _survey_logs(source: BackupSource, place: str | None, as_of: datetime, problems: list[Finding]) -> LogArchive | None:
    """The archive; None without a finding where the folder is not there, which the judge tells as log_archive_missing."""
    return _look(lambda: None if place and is_gone(place) else source.survey_logs(as_of), place or "", problems)


def _survey_jobs(database: Database, as_of: datetime) -> JobLog | None:
    place = database.backup.places.job_log
    return read_job_log(Path(place), database.zone, as_of) if place else None


def _look(question: Callable[[], T], place: str, problems: list[Finding]) -> T | None:
    try:
        return question()
    except (SourceUnreadable, OSError) as e:
        problems.append(Finding(code="source_unreadable", status=Status.UNKNOWN, place=place, values={"reason": str(e)}))
        return None

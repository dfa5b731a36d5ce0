"""What is added to the ledger: one small function per thing, each one transaction, none that changes a row.

A function that completes a step adds the event of that step in the same transaction, so a killed attempt leaves a step
either done or not begun. Reads and reports come many to a step: their event is added by `add_event` after the last one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import BigInteger, Connection, DateTime, Insert, ScalarSelect, cast, column, func, insert, literal, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

from drydock.backup.facts import Survey
from drydock.backup.results import Drill, Judgement, Read
from drydock.ledger.bounds import bounded
from drydock.ledger.connect import Ledger, lock_key, transaction
from drydock.ledger.history import OpenRun, events_done
from drydock.ledger.models import (
    BackupSetRow,
    DrillRow,
    Event,
    FindingRow,
    JudgementRow,
    ReadRow,
    ReportRow,
    RunEventRow,
    RunRow,
    SurveyRow,
    VerdictRow,
)
from drydock.verdicts import Figure, Verdict


class WrittenFile(Protocol):
    """A report on disk, as its writer describes it."""

    path: Path
    format: str
    sha256: str
    bytes: int


def open_run(ledger: Ledger, pipeline: str, database: str, day: date, run_key: str) -> OpenRun:
    """The run of that key: opened by the first attempt, found again with what it has done by every later one.

    Attempts that race get the same run and different attempt numbers. After `finished` a new attempt starts over.
    """
    with transaction(ledger) as connection:
        connection.execute(select(func.pg_advisory_xact_lock(lock_key(f"run:{pipeline}:{database}:{run_key}"))))
        new = postgresql.insert(RunRow).values(pipeline=pipeline, database=database, day=day, run_key=run_key)
        connection.execute(new.on_conflict_do_nothing())
        same = (RunRow.pipeline == pipeline, RunRow.database == database, RunRow.run_key == run_key)
        run_id, opened_day = connection.execute(select(RunRow.id, RunRow.day).where(*same)).one()
        attempt = 1 + connection.execute(select(_newest_attempt(run_id))).scalar_one()
        done = events_done(connection, run_id)
        _insert_event(connection, run_id, Event.ATTEMPT_STARTED, {}, attempt)
    return OpenRun(run_id=run_id, attempt=attempt, day=opened_day, done=done)


def add_event(ledger: Ledger, run_id: int, event: Event | str, detail: Mapping[str, Figure] | None = None) -> None:
    """Add one event to the run's newest attempt. Raises ValueError when `event` is not one of models.Event."""
    with transaction(ledger) as connection:
        _insert_event(connection, run_id, Event(event), detail or {})


def _newest_attempt(run_id: int) -> ScalarSelect[int]:
    of_run = select(func.coalesce(func.max(RunEventRow.attempt), 0)).where(RunEventRow.run_id == run_id)
    return of_run.scalar_subquery()


def _insert_event(
    connection: Connection, run_id: int, event: Event, detail: Mapping[str, Figure], attempt: int | None = None
) -> None:
    number = _newest_attempt(run_id) if attempt is None else attempt
    connection.execute(insert(RunEventRow).values(run_id=run_id, event=event.value, attempt=number, detail=dict(detail)))


def save_survey(ledger: Ledger, run_id: int, survey: Survey) -> int:
    """Add a survey, the sets in it that are new or changed, and the event `surveyed`; returns the survey's id."""
    row = insert(SurveyRow).values(
        run_id=run_id,
        database=survey.database,
        as_of=survey.as_of,
        surveyed_at=survey.surveyed_at,
        survey=bounded(survey),
    )
    with transaction(ledger) as connection:
        survey_id = connection.execute(row.returning(SurveyRow.id)).scalar_one()
        connection.execute(_insert_changed_sets(survey_id))
        _insert_event(connection, run_id, Event.SURVEYED, {"sets": len(survey.sets)})
    return survey_id


def _insert_changed_sets(survey_id: int) -> Insert:
    """INSERT of the survey's sets that are not equal to what was last known of them at the survey's `as_of`."""
    element = func.jsonb_array_elements(SurveyRow.survey["sets"]).table_valued(column("value", JSONB), joins_implicitly=True)
    seen = element.c.value
    set_id = seen["set_id"].astext
    known = (
        select(BackupSetRow.backup_set)
        .where(BackupSetRow.database == SurveyRow.database, BackupSetRow.set_id == set_id)
        .where(BackupSetRow.as_of <= SurveyRow.as_of)
        .order_by(BackupSetRow.as_of.desc(), BackupSetRow.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    times = [cast(seen[name].astext, DateTime(timezone=True)) for name in ("finished_at", "started_at")]
    made_at = func.coalesce(*times, SurveyRow.as_of)
    rows = select(SurveyRow.id, SurveyRow.database, set_id, SurveyRow.as_of, made_at, seen)
    rows = rows.where(SurveyRow.id == literal(survey_id, BigInteger), known.is_distinct_from(seen))
    return insert(BackupSetRow).from_select(["survey_id", "database", "set_id", "as_of", "made_at", "backup_set"], rows)


def save_read(ledger: Ledger, run_id: int, database: str, read: Read) -> None:
    """Add one unit that was read back."""
    with transaction(ledger) as connection:
        connection.execute(insert(ReadRow).values(run_id=run_id, database=database, **dict(bounded(read))))


def save_drill(ledger: Ledger, run_id: int, database: str, drill: Drill) -> None:
    """Add a restore drill and the event `drilled`. Saving the same `drill_id` again adds nothing but the event."""
    row = postgresql.insert(DrillRow).values(
        run_id=run_id,
        database=database,
        drill_id=drill.drill_id,
        set_id=drill.set_id,
        started_at=drill.started_at,
        ended_at=drill.ended_at,
        passed=drill.passed,
        drill=bounded(drill),
    )
    with transaction(ledger) as connection:
        connection.execute(row.on_conflict_do_nothing())
        _insert_event(connection, run_id, Event.DRILLED, {"drill_id": drill.drill_id, "passed": drill.passed})


def save_judgement(ledger: Ledger, run_id: int, judgement: Judgement) -> int:
    """Add a judgement with its verdicts, findings and the event `judged`, all or nothing; returns the judgement's id."""
    judgement = bounded(judgement)
    row = insert(JudgementRow).values(
        run_id=run_id,
        database=judgement.database,
        day=judgement.day,
        as_of=judgement.as_of,
        judged_at=judgement.judged_at,
        depth=judgement.depth.value,
        status=judgement.status.value,
        judgement=judgement,
    )
    with transaction(ledger) as connection:
        judgement_id = connection.execute(row.returning(JudgementRow.id)).scalar_one()
        for verdict in judgement.verdicts:
            _insert_verdict(connection, judgement_id, verdict)
        detail = {"judgement_id": judgement_id, "status": judgement.status.value}
        _insert_event(connection, run_id, Event.JUDGED, detail)
    return judgement_id


def _insert_verdict(connection: Connection, judgement_id: int, verdict: Verdict) -> None:
    row = insert(VerdictRow).values(
        judgement_id=judgement_id,
        question=verdict.question,
        status=verdict.status.value,
        examined=verdict.examined,
        reason=verdict.reason,
        evidence=verdict.evidence,
    )
    verdict_id = connection.execute(row.returning(VerdictRow.id)).scalar_one()
    findings = [
        {**dict(f), "status": f.status.value, "effective": f.effective.value, "verdict_id": verdict_id} for f in verdict.findings
    ]
    if findings:
        connection.execute(insert(FindingRow), findings)


def save_report(
    ledger: Ledger,
    run_id: int | None,
    kind: str,
    day: date,
    language: str,
    file: WrittenFile,
    judgement_until: int = 0,
    database: str | None = None,
) -> None:
    """Add a report that lies complete on disk. `database` None: it tells of all databases of the estate.

    `judgement_until`: id of the newest judgement that it tells of.
    """
    row = insert(ReportRow).values(
        run_id=run_id,
        kind=kind,
        day=day,
        judgement_until=judgement_until,
        database=database,
        language=language,
        format=file.format,
        path=str(file.path),
        sha256=file.sha256,
        bytes=file.bytes,
        made_at=datetime.now(UTC),
    )
    with transaction(ledger) as connection:
        connection.execute(row)

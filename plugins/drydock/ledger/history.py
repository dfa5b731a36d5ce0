"""What is asked of the ledger. Of several rows on the same thing the newest counts; the others stay as its history."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from psycopg.errors import QueryCanceled
from sqlalchemy import Engine, Select, Subquery, column, func, select
from sqlalchemy.dialects.postgresql import JSONB, distinct_on
from sqlalchemy.exc import OperationalError

from drydock.backup.facts import BackupSet, Survey
from drydock.backup.results import Drill, Judgement, Read
from drydock.ledger.connect import Ledger, lock_key, transaction
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


@dataclass(frozen=True)
class OpenRun:
    """A run as an attempt finds it: `done` names the steps that earlier attempts completed."""

    run_id: int
    attempt: int
    day: date
    done: frozenset[str]


@dataclass(frozen=True)
class ReportFile:
    """A report that was handed out."""

    kind: str
    day: date
    database: str | None
    language: str
    format: str
    path: Path
    sha256: str
    bytes: int
    made_at: datetime
    run_id: int | None
    judgement_until: int


def find_run(ledger: Ledger, pipeline: str, database: str, run_key: str) -> int | None:
    """Id of the run of that key, None when no attempt has opened it yet."""
    same = (RunRow.pipeline == pipeline, RunRow.database == database, RunRow.run_key == run_key)
    with transaction(ledger) as connection:
        return connection.execute(select(RunRow.id).where(*same)).scalar_one_or_none()


def events_done(ledger: Ledger, run_id: int) -> frozenset[str]:
    """Names of the steps that the run completed since it was opened or, where it was finished and begun anew, since then."""
    finished = select(func.coalesce(func.max(RunEventRow.id), 0))
    finished = finished.where(RunEventRow.run_id == run_id, RunEventRow.event == Event.FINISHED.value)
    events = select(RunEventRow.event).distinct().where(RunEventRow.run_id == run_id, RunEventRow.id > finished.scalar_subquery())
    with transaction(ledger) as connection:
        return frozenset(connection.execute(events).scalars()) - {Event.ATTEMPT_STARTED.value}


def load_survey(ledger: Ledger, run_id: int) -> Survey:
    """The run's newest survey. Raises LookupError when the run has none."""
    query = select(SurveyRow.survey).where(SurveyRow.run_id == run_id).order_by(SurveyRow.id.desc()).limit(1)
    with transaction(ledger) as connection:
        survey = connection.execute(query).scalar_one_or_none()
    if survey is None:
        raise LookupError(f"run {run_id} has no survey in the ledger: its survey step did not complete")
    return Survey.model_validate(survey)


def surveyed_as_of(ledger: Ledger, run_id: int) -> datetime | None:
    """As of when the run's newest survey looked; None when it has none."""
    query = select(SurveyRow.as_of).where(SurveyRow.run_id == run_id).order_by(SurveyRow.id.desc()).limit(1)
    with transaction(ledger) as connection:
        return connection.execute(query).scalar_one_or_none()


def survey_of_day(ledger: Ledger, database: str, day: date) -> Survey | None:
    """The newest survey of the runs of that day, or None when the database was not surveyed for it."""
    query = (
        select(SurveyRow.survey)
        .join(RunRow, RunRow.id == SurveyRow.run_id)
        .where(SurveyRow.database == database, RunRow.day == day)
        .order_by(SurveyRow.id.desc())
        .limit(1)
    )
    with transaction(ledger) as connection:
        survey = connection.execute(query).scalar_one_or_none()
    return None if survey is None else Survey.model_validate(survey)


def past_sets(
    ledger: Ledger, database: str, until: datetime, limit_days: int, present: Collection[str] | None = None
) -> tuple[BackupSet, ...]:
    """Sets that were surveyed up to `until`, made in the `limit_days` before it, and are no longer there; oldest first.

    Each set as it was last seen, once. `present` are the ids of the sets that are there; None: those of the newest
    survey. Pass them where a new survey is being made, or a set that went since the last survey is not yet past.
    """
    known = _known_sets(database, until)
    gone = known.c.set_id.not_in(_sets_of_newest_survey(database, until) if present is None else list(present))
    young = known.c.made_at > until - timedelta(days=limit_days)
    query = select(known.c.backup_set).where(young, gone).order_by(known.c.made_at, known.c.set_id)
    with transaction(ledger) as connection:
        return tuple(BackupSet.model_validate(s) for s in connection.execute(query).scalars())


def _known_sets(database: str, until: datetime) -> Subquery:
    return (
        select(BackupSetRow.set_id, BackupSetRow.made_at, BackupSetRow.backup_set)
        .ext(distinct_on(BackupSetRow.set_id))
        .where(BackupSetRow.database == database, BackupSetRow.as_of <= until)
        .order_by(BackupSetRow.set_id, BackupSetRow.as_of.desc(), BackupSetRow.id.desc())
        .subquery("known")
    )


def _sets_of_newest_survey(database: str, until: datetime) -> Select[tuple[str]]:
    newest = (
        select(SurveyRow.survey["sets"].label("sets"))
        .where(SurveyRow.database == database, SurveyRow.as_of <= until)
        .order_by(SurveyRow.as_of.desc(), SurveyRow.id.desc())
        .limit(1)
        .subquery("newest")
    )
    element = func.jsonb_array_elements(newest.c.sets).table_valued(column("value", JSONB), joins_implicitly=True)
    return select(element.c.value["set_id"].astext).select_from(newest, element)


def reads_of(ledger: Ledger, database: str, since: datetime, until: datetime) -> tuple[Read, ...]:
    """Reads that ended from `since` to `until`, both included, oldest first."""
    return _reads(ledger, ReadRow.database == database, ReadRow.ended_at.between(since, until))


def reads_of_run(ledger: Ledger, run_id: int) -> tuple[Read, ...]:
    """What this run has read back already, oldest first: a later attempt need not read it again."""
    return _reads(ledger, ReadRow.run_id == run_id)


def last_read_of_run(ledger: Ledger, run_id: int) -> Read | None:
    """What this run has written down last, whenever it was read: the times come from another host, in whole seconds."""
    newest = select(ReadRow.id).where(ReadRow.run_id == run_id).order_by(ReadRow.id.desc()).limit(1)
    return next(iter(_reads(ledger, ReadRow.id == newest.scalar_subquery())), None)


def _reads(ledger: Ledger, *which: object) -> tuple[Read, ...]:
    fields = [getattr(ReadRow, name) for name in Read.model_fields]
    query = select(*fields).where(*which).order_by(ReadRow.ended_at, ReadRow.id)
    with transaction(ledger) as connection:
        return tuple(Read.model_validate(dict(row)) for row in connection.execute(query).mappings())


def drills_of(ledger: Ledger, database: str, until: datetime, limit: int) -> tuple[Drill, ...]:
    """The newest `limit` drills that ended up to `until`, newest first."""
    query = select(DrillRow.drill).where(DrillRow.database == database, DrillRow.ended_at <= until)
    query = query.order_by(DrillRow.ended_at.desc(), DrillRow.id.desc()).limit(limit)
    with transaction(ledger) as connection:
        return tuple(Drill.model_validate(d) for d in connection.execute(query).scalars())


def drill_of_run(ledger: Ledger, run_id: int) -> Drill | None:
    """The newest drill that this run has made, None when it has made none since it was opened or last finished."""
    if Event.DRILLED.value not in events_done(ledger, run_id):
        return None
    query = select(DrillRow.drill).where(DrillRow.run_id == run_id).order_by(DrillRow.id.desc()).limit(1)
    with transaction(ledger) as connection:
        drill = connection.execute(query).scalar_one_or_none()
    return None if drill is None else Drill.model_validate(drill)


def load_judgement(ledger: Ledger, judgement_id: int) -> Judgement:
    """The judgement of that id. Raises LookupError when there is none."""
    query = select(JudgementRow.judgement).where(JudgementRow.id == judgement_id)
    with transaction(ledger) as connection:
        judgement = connection.execute(query).scalar_one_or_none()
    if judgement is None:
        raise LookupError(f"there is no judgement {judgement_id} in the ledger")
    return Judgement.model_validate(judgement)


def judgement_of(ledger: Ledger, run_id: int) -> Judgement | None:
    """The run's newest judgement, or None when it has not judged."""
    query = select(JudgementRow.judgement).where(JudgementRow.run_id == run_id).order_by(JudgementRow.id.desc()).limit(1)
    with transaction(ledger) as connection:
        judgement = connection.execute(query).scalar_one_or_none()
    return None if judgement is None else Judgement.model_validate(judgement)


def judgement_ids_of_day(ledger: Ledger, day: date) -> dict[str, tuple[int, int]]:
    """Database id -> ids of its first and newest judgement of that day."""
    ids = (func.min(JudgementRow.id), func.max(JudgementRow.id))
    query = select(JudgementRow.database, *ids).where(JudgementRow.day == day).group_by(JudgementRow.database)
    with transaction(ledger) as connection:
        return {database: (first, newest) for database, first, newest in connection.execute(query)}


def judgements_of_day(ledger: Ledger, day: date) -> dict[str, Judgement]:
    """Database id -> the newest judgement of that day; databases that were not judged are absent."""
    query = (
        select(JudgementRow.database, JudgementRow.judgement)
        .ext(distinct_on(JudgementRow.database))
        .where(JudgementRow.day == day)
        .order_by(JudgementRow.database, JudgementRow.id.desc())
    )
    return _judgements(ledger, query)


def previous_judgements(ledger: Ledger, day: date, databases: Iterable[str]) -> dict[str, Judgement]:
    """Database id -> the newest judgement of the last day before `day` that was judged at all."""
    query = (
        select(JudgementRow.database, JudgementRow.judgement)
        .ext(distinct_on(JudgementRow.database))
        .where(JudgementRow.day < day, JudgementRow.database.in_(list(databases)))
        .order_by(JudgementRow.database, JudgementRow.day.desc(), JudgementRow.id.desc())
    )
    return _judgements(ledger, query)


def _judgements(ledger: Ledger, query: Select[tuple[str, dict]]) -> dict[str, Judgement]:
    with transaction(ledger) as connection:
        return {database: Judgement.model_validate(judgement) for database, judgement in connection.execute(query)}


def first_seen(ledger: Ledger, database: str, until: date | None = None) -> dict[tuple[str, str], date]:
    """(code, place) of each finding that is still open -> the day since when every answer to its question has shown it.

    Open is what the newest answer to a question shows. A day that was not judged, or on which the question was not
    answered (SKIPPED, nothing examined), closes nothing: nobody saw the finding gone. `until`: as it stood on that day.
    """
    answers = _answers(database, until)
    finding = (
        select(answers.c.question, FindingRow.code, FindingRow.place, answers.c.day, answers.c.nth_back)
        .distinct()
        .join(answers, answers.c.id == FindingRow.verdict_id)
        .subquery("finding")
    )
    same = (finding.c.question, finding.c.code, finding.c.place)
    nth_shown = func.row_number().over(partition_by=same, order_by=finding.c.nth_back).label("nth_shown")
    shown = select(finding, nth_shown).subquery("shown")
    # counted backwards, the nth showing is in the nth answer as long as no answer between is without it
    query = select(shown.c.code, shown.c.place, func.min(shown.c.day)).where(shown.c.nth_shown == shown.c.nth_back)
    with transaction(ledger) as connection:
        return {(code, place): day for code, place, day in connection.execute(query.group_by(shown.c.code, shown.c.place))}


def _answers(database: str, until: date | None) -> Subquery:
    """The verdicts that answered their question, of the newest judgement of each day, counted backwards per question."""
    newest = select(JudgementRow.id, JudgementRow.day).ext(distinct_on(JudgementRow.day)).where(JudgementRow.database == database)
    if until is not None:
        newest = newest.where(JudgementRow.day <= until)
    days = newest.order_by(JudgementRow.day, JudgementRow.id.desc()).subquery("newest_of_day")
    nth_back = func.row_number().over(partition_by=VerdictRow.question, order_by=days.c.day.desc()).label("nth_back")
    answers = select(VerdictRow.id, VerdictRow.question, days.c.day, nth_back)
    # a verdict gives a reason exactly where it has no answer: SKIPPED, or UNKNOWN without a finding
    return answers.join(days, days.c.id == VerdictRow.judgement_id).where(VerdictRow.reason == "").subquery("answers")


def reports_of_day(ledger: Ledger, day: date) -> tuple[ReportFile, ...]:
    """The newest file of each kind, database, language and format that tells of that day."""
    same = (ReportRow.kind, ReportRow.database, ReportRow.language, ReportRow.format)
    fields = [getattr(ReportRow, name) for name in ReportFile.__dataclass_fields__]
    query = select(*fields).ext(distinct_on(*same)).where(ReportRow.day == day).order_by(*same, ReportRow.id.desc())
    with transaction(ledger) as connection:
        return tuple(ReportFile(**{**row, "path": Path(row["path"])}) for row in connection.execute(query).mappings())


@contextmanager
def day_lock(engine: Engine, name: str, wait_s: int = 600) -> Iterator[None]:
    """Hold the lock of that name: one writer of a day's report at a time, over all workers.

    The lock lives in a session of its own and ends with it, also when the process is killed (PostgreSQL manual,
    Explicit Locking: Advisory Locks). Raises TimeoutError when another holds it for `wait_s`.
    """
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as session:
        session.detach()  # closed at the end and not given back to the pool, where it would keep the lock
        session.execute(select(func.set_config("statement_timeout", f"{wait_s}s", False)))
        try:
            session.execute(select(func.pg_advisory_lock(lock_key(name))))
        except OperationalError as e:
            if not isinstance(e.orig, QueryCanceled):
                raise
            raise TimeoutError(f"another run has held the lock {name!r} for {wait_s} s") from e
        yield

"""The tables of the ledger. Whole results are kept as JSONB, and beside them the columns that are searched.

Nothing is ever changed: there is no state column. What a run has done are its events, and of several rows on the same
thing the newest counts. All times are `timestamptz`, all sizes bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity, Index, MetaData, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import Text

from drydock.backup.results import QUESTIONS, Depth, ReadUnit
from drydock.settings import LANGUAGES
from drydock.verdicts import Status

SCHEMA = "drydock"
FORMATS = ("docx", "html", "xlsx")


class Event(StrEnum):
    """What may happen in a run. The step that an event names is complete when the event stands in the ledger."""

    ATTEMPT_STARTED = "attempt_started"
    SURVEYED = "surveyed"
    READ = "read"
    DRILLED = "drilled"
    JUDGED = "judged"
    TRIGGERED = "triggered"
    PLANNED = "planned"
    ASKED = "asked"
    ANSWERED = "answered"
    WORKED = "worked"
    VERIFIED = "verified"
    MASKING_PICTURE = "masking_picture"
    MASKING_VERIFIED = "masking_verified"
    MASKING_DELIVERED = "masking_delivered"
    MASKING_DESTROYED = "masking_destroyed"
    MASKING_KEY_SEEN = "masking_key_seen"
    MASKING_KEY_CHANGED = "masking_key_changed"
    MASKING_KEY_GONE = "masking_key_gone"
    COLLECTED = "collected"
    DIGESTED = "digested"
    DETECTED = "detected"
    ANALYSED = "analysed"
    REVIEWED = "reviewed"
    PURGED = "purged"
    REPORTED = "reported"
    NOTICED = "noticed"
    FINISHED = "finished"


class Base(DeclarativeBase):
    metadata = MetaData(
        schema=SCHEMA,
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ck": "%(table_name)s_%(constraint_name)s_check",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        },
    )
    type_annotation_map = {int: BigInteger, str: Text, datetime: DateTime(timezone=True), dict[str, Any]: JSONB, list[Any]: JSONB}


def _id() -> Mapped[int]:
    return mapped_column(Identity(always=True), primary_key=True, comment="grows with the order of insertion")


def _run(nullable: bool = False) -> Mapped[Any]:
    return mapped_column(ForeignKey(f"{SCHEMA}.runs.id"), nullable=nullable, comment="run that made this row")


def _now(comment: str) -> Mapped[datetime]:
    return mapped_column(server_default=func.now(), comment=comment)


def _one_of(column: str, allowed: Iterable[str]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(str(a)) for a in allowed)})", name=column)


class RunRow(Base):
    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("pipeline", "database", "run_key"),
        {"comment": "one run of one pipeline on one database; found again by every attempt"},
    )

    id: Mapped[int] = _id()
    pipeline: Mapped[str] = mapped_column(comment="backup, reclaim, …")
    database: Mapped[str] = mapped_column(comment="id in the estate")
    day: Mapped[date] = mapped_column(comment="the day that is judged or worked, local to the database")
    run_key: Mapped[str] = mapped_column(comment="Airflow run_id, or a name of its own outside Airflow")
    opened_at: Mapped[datetime] = _now("when the first attempt opened the run")


class RunEventRow(Base):
    __tablename__ = "run_events"
    __table_args__ = (
        _one_of("event", Event),
        Index(None, "run_id", "id"),
        Index(
            "run_events_one_start_per_attempt",
            "run_id",
            "attempt",
            unique=True,
            postgresql_where=text("event = 'attempt_started'"),
        ),
        {"comment": "what happened in a run, in order; a run without `finished` at its end is unfinished"},
    )

    id: Mapped[int] = _id()
    run_id: Mapped[int] = _run()
    event: Mapped[str] = mapped_column(comment="the step that is complete")
    attempt: Mapped[int] = mapped_column(comment="1 for the first opening of the run, 2 for the next, …")
    detail: Mapped[dict[str, Any]] = mapped_column(comment="figures of the event; never a value of the database's own data")
    at: Mapped[datetime] = _now("when the event was recorded")


class SurveyRow(Base):
    __tablename__ = "surveys"
    __table_args__ = (
        Index(None, "run_id", "id"),
        Index(None, "database", "as_of", "id"),
        {"comment": "what lay there before any byte of it was read"},
    )

    id: Mapped[int] = _id()
    run_id: Mapped[int] = _run()
    database: Mapped[str] = mapped_column(comment="id in the estate")
    as_of: Mapped[datetime] = mapped_column(comment="the time whose state is told")
    surveyed_at: Mapped[datetime] = mapped_column(comment="when it was looked at")
    survey: Mapped[dict[str, Any]] = mapped_column(comment="drydock.backup.facts.Survey")


class BackupSetRow(Base):
    __tablename__ = "backup_sets"
    __table_args__ = (
        Index("backup_sets_newest_idx", "database", "set_id", "as_of", "id"),
        {"comment": "every backup set ever surveyed: a row when it was first seen, and one whenever it looked different"},
    )

    id: Mapped[int] = _id()
    survey_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.surveys.id"), comment="survey that saw it so first")
    database: Mapped[str] = mapped_column(comment="id in the estate")
    set_id: Mapped[str] = mapped_column(comment="directory name or repository label")
    as_of: Mapped[datetime] = mapped_column(comment="as_of of that survey")
    made_at: Mapped[datetime] = mapped_column(comment="when the set was finished, else started, else first seen")
    backup_set: Mapped[dict[str, Any]] = mapped_column(comment="drydock.backup.facts.BackupSet")


class JudgementRow(Base):
    __tablename__ = "judgements"
    __table_args__ = (
        _one_of("depth", Depth),
        _one_of("status", Status),
        Index(None, "run_id", "id"),
        Index(None, "database", "day", "id"),
        Index(None, "day", "database", "id"),
        {"comment": "one database, one day: the newest row of a day counts, the others are its history"},
    )

    id: Mapped[int] = _id()
    run_id: Mapped[int] = _run()
    database: Mapped[str] = mapped_column(comment="id in the estate")
    day: Mapped[date] = mapped_column(comment="the day that was judged, local to the database")
    as_of: Mapped[datetime] = mapped_column(comment="the time whose state was judged")
    judged_at: Mapped[datetime] = mapped_column(comment="when it was judged")
    depth: Mapped[str] = mapped_column(comment="how far the run went: records, bytes, drill")
    status: Mapped[str] = mapped_column(comment="the worst of the four verdicts")
    judgement: Mapped[dict[str, Any]] = mapped_column(comment="drydock.backup.results.Judgement")


class VerdictRow(Base):
    __tablename__ = "verdicts"
    __table_args__ = (
        _one_of("question", QUESTIONS),
        _one_of("status", Status),
        CheckConstraint("examined >= 0", name="examined"),
        CheckConstraint("status <> 'PASS' OR examined > 0", name="pass_examined_something"),
        UniqueConstraint("judgement_id", "question"),
        {"comment": "the four answers of a judgement, never folded into one"},
    )

    id: Mapped[int] = _id()
    judgement_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.judgements.id"), comment="judgement it belongs to")
    question: Mapped[str] = mapped_column(comment="executed, complete, valid, normal")
    status: Mapped[str] = mapped_column(comment="after acknowledgements")
    examined: Mapped[int] = mapped_column(comment="how many things were looked at; none is UNKNOWN")
    reason: Mapped[str] = mapped_column(comment="message code: why SKIPPED or UNKNOWN without a finding")
    evidence: Mapped[dict[str, Any]] = mapped_column(comment="the figures behind the answer")


class FindingRow(Base):
    __tablename__ = "findings"
    __table_args__ = (
        _one_of("status", Status),
        _one_of("effective", Status),
        Index(None, "verdict_id"),
        {"comment": "the things that were wrong, each with its place"},
    )

    id: Mapped[int] = _id()
    verdict_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.verdicts.id"), comment="verdict it belongs to")
    code: Mapped[str] = mapped_column(comment="message code")
    status: Mapped[str] = mapped_column(comment="before acknowledgement")
    effective: Mapped[str] = mapped_column(comment="after acknowledgement")
    place: Mapped[str] = mapped_column(comment="where to look")
    values: Mapped[dict[str, Any]] = mapped_column(comment="fills the message")
    acknowledged: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB(none_as_null=True), comment="who accepted it, why, until when"
    )


class ReadRow(Base):
    __tablename__ = "reads"
    __table_args__ = (
        _one_of("unit", ReadUnit),
        Index(None, "database", "ended_at"),
        Index(None, "run_id"),
        {"comment": "backup sets and log ranges of which every byte was read back"},
    )

    id: Mapped[int] = _id()
    run_id: Mapped[int] = _run()
    database: Mapped[str] = mapped_column(comment="id in the estate")
    unit: Mapped[str] = mapped_column(comment="set, logs or question")
    subject: Mapped[str] = mapped_column(comment="set_id, FIRST..LAST segment names, or the question")
    set_id: Mapped[str] = mapped_column(comment="empty for logs")
    timeline: Mapped[int | None] = mapped_column(comment="timeline of the logs")
    first_position: Mapped[int | None] = mapped_column(comment="first log position that was read")
    end_position: Mapped[int | None] = mapped_column(comment="first log position after what was read")
    read_bytes: Mapped[int] = mapped_column(comment="bytes read")
    files: Mapped[int] = mapped_column(comment="files read")
    started_at: Mapped[datetime] = mapped_column(comment="when reading began")
    ended_at: Mapped[datetime] = mapped_column(comment="when reading ended")
    findings: Mapped[list[Any]] = mapped_column(comment="list of drydock.verdicts.Finding")


class DrillRow(Base):
    __tablename__ = "drills"
    __table_args__ = (
        UniqueConstraint("database", "drill_id"),
        Index(None, "database", "ended_at"),
        Index(None, "run_id"),
        {"comment": "restore drills: what was restored, how long each step took, what was found"},
    )

    id: Mapped[int] = _id()
    run_id: Mapped[int] = _run()
    database: Mapped[str] = mapped_column(comment="id in the estate")
    drill_id: Mapped[str] = mapped_column(comment="name of the scratch area")
    set_id: Mapped[str] = mapped_column(comment="newest set of the restored chain")
    started_at: Mapped[datetime] = mapped_column(comment="when the drill began")
    ended_at: Mapped[datetime] = mapped_column(comment="when the drill ended")
    passed: Mapped[bool] = mapped_column(comment="no finding that is FAIL or UNKNOWN")
    drill: Mapped[dict[str, Any]] = mapped_column(comment="drydock.backup.results.Drill")


class ReportRow(Base):
    __tablename__ = "reports"
    __table_args__ = (
        _one_of("language", LANGUAGES),
        _one_of("format", FORMATS),
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
        Index(None, "day", "kind", "id"),
        {"comment": "files that were handed out, with their SHA-256; the newest row of a kind, day and format counts"},
    )

    id: Mapped[int] = _id()
    run_id: Mapped[int | None] = _run(nullable=True)
    kind: Mapped[str] = mapped_column(comment="backup_record, drill_record, …")
    day: Mapped[date] = mapped_column(comment="the day it tells of")
    judgement_until: Mapped[int] = mapped_column(BigInteger, comment="id of the newest judgement that it tells of; 0: none")
    database: Mapped[str | None] = mapped_column(comment="null: all databases of the estate")
    language: Mapped[str] = mapped_column(comment="zh or en")
    format: Mapped[str] = mapped_column(comment="docx, html or xlsx")
    path: Mapped[str] = mapped_column(comment="where the file was written")
    sha256: Mapped[str] = mapped_column(comment="hexadecimal digest of the file")
    bytes: Mapped[int] = mapped_column(comment="size of the file")
    made_at: Mapped[datetime] = mapped_column(comment="when the file was complete")

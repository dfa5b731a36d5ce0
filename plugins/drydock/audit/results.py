"""Result models of the pipeline `audit`: slices, hits, alarms, what explains them and what people said of them."""

from __future__ import annotations

import hashlib
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from pydantic import AwareDatetime, Field

from drydock.audit.parsing.records import SetAside
from drydock.verdicts import CleanFigure, CleanText, Model

if TYPE_CHECKING:
    import polars as pl

    from drydock.audit.collection.coded import Coded


class Part(StrEnum):
    """What a file of the store holds; names of folders."""

    RECORDS = "records"
    STATEMENTS = "statements"
    EXEMPLARS = "exemplars"
    ACTIVITY = "activity"
    STATEMENT_USE = "statement_use"
    SET_ASIDE = "set_aside"


class StoredFile(Model):
    """One file of the store."""

    part: Part
    path: str = Field(description="below the store's root, with slashes")
    sha256: str
    size_bytes: int
    rows: int


class Slice(Model):
    """What one closed stretch [begin, end) of one source of one database became. Visible only once it is in the ledger."""

    database: str
    source: str = Field(description="id of the source in the policy")
    piece: CleanText = Field("", description="name of the file that was read; empty for a view")
    day: date = Field(description="local day of the database")
    begin: AwareDatetime
    end: AwareDatetime
    files: tuple[StoredFile, ...]
    records: int
    set_aside: int = Field(description="pieces that no reader understood; counted, hashed, never dropped")
    set_aside_bytes: int = 0
    unread: tuple[CleanText, ...] = Field((), description="files that were named and could not be read, with the reason")
    doubts: dict[str, int] = Field(default_factory=dict, description="what a person should know, with how many records")
    first_at: AwareDatetime | None = Field(None, description="time of the earliest record; empty: no record has a time")
    last_at: AwareDatetime | None = Field(None, description="time of the latest record")
    head: str = Field("", description="how the file is known again under another name: bytes of its beginning, and their SHA-256")
    members: tuple[str, ...] = Field((), description="of a piece of many small files: how each of them begins, hashed")


class Link(Model):
    """One entry of the chain of a database: sealed slices and digests in the order in which they were written."""

    number: int = Field(ge=1)
    database: str
    deed: str = Field(description="sealed, replaced, kept, withdrawn, purged, expired")
    subject: dict[str, CleanFigure] = Field(description="what was done to which slice or day")
    files: tuple[StoredFile, ...]
    previous: str = Field(description="hash of the entry before; 64 zeros for the first")
    hash: str = Field(description="SHA-256 over all of the above, canonical JSON")


class Batch(NamedTuple):
    """A stretch of what a source holds, in the stored form; frames of the schemas of `drydock.audit.storage.columns`."""

    rows: pl.DataFrame | Coded
    statements: pl.DataFrame
    exemplars: pl.DataFrame
    set_aside: tuple[SetAside, ...] = ()
    doubts: dict[str, int] = {}

    @property
    def records(self) -> pl.DataFrame:
        """The rows with their texts."""
        return frame_of(self.rows)


def frame_of(rows: pl.DataFrame | Coded) -> pl.DataFrame:
    """Rows of the stored form with their texts, however they are held."""
    return rows.frame() if hasattr(rows, "frame") else rows


class Severity(StrEnum):
    """How soon a person should look. `weight` orders."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def weight(self) -> int:
        return list(Severity).index(self)


class Subject(Model):
    """Who did what to what, as far as a rule tells it. "" where it does not."""

    account: CleanText = ""
    program: CleanText = ""
    client: CleanText = ""
    os_user: CleanText = ""
    action: CleanText = ""
    object: CleanText = Field("", description="schema.name")
    fingerprint: CleanText = ""


class Explained(StrEnum):
    """Why a hit needs nobody."""

    DRYDOCK = "drydock"  # a change that the ledger knows
    TICKET = "ticket"
    EXCEPTION = "exception"  # of the rule's file or the policy
    REVIEWED = "reviewed"  # a person closed the same pattern


class Hit(Model):
    """What one rule found about one subject in one interval; bursts are folded: `records` of them, first to last."""

    rule: str
    severity: Severity
    subject: Subject
    first_at: AwareDatetime
    last_at: AwareDatetime
    records: int = Field(ge=0)
    rows: int | None = None
    score: float = Field(0.0, description="outlier score where a baseline judged it")
    evidence: dict[str, CleanFigure] = Field(default_factory=dict, description="counts, hours, thresholds; never values of data")
    explained: Explained | None = None
    explanation: CleanText = Field("", description="run and item, ticket number, exception id, review id")

    @property
    def pattern(self) -> str:
        """What makes two hits of different days the same: rule and subject, 16 hexadecimal digits."""
        told = "\x1f".join([self.rule, *self.subject.model_dump().values()])
        return hashlib.sha256(told.encode()).hexdigest()[:16]


class Detection(Model):
    """What all rules found in one interval of one database."""

    database: str
    begin: AwareDatetime
    end: AwareDatetime
    records: int = Field(description="records that were looked at")
    rules: dict[str, int] = Field(description="rule -> hits, of every rule that ran, 0 included")
    not_run: dict[str, CleanText] = Field(default_factory=dict, description="rule -> why it could not be asked")
    alarms: tuple[Hit, ...] = Field((), description="unexplained, worst first, at most the day's budget")
    beyond_budget: int = Field(0, description="unexplained hits that the budget left out; they stand in the queue")
    explained: dict[Explained, int] = Field(default_factory=dict)


class Disposal(StrEnum):
    """What a named person says of a pattern."""

    NORMAL = "normal"  # 正常业务
    EXCEPTION = "exception"  # 经批准的例外, until a date
    INCIDENT = "incident"  # 安全事件


class QueueItem(Model):
    """One line of the work-off queue: a pattern of hits, or a frequent statement."""

    pattern: str
    database: str
    kind: str = Field(description="finding or statement")
    rule: str = ""
    severity: Severity = Severity.INFO
    subject: Subject
    text: str = Field("", description="the normalised statement, where there is one")
    first_at: AwareDatetime
    last_at: AwareDatetime
    records: int
    occasions: int = Field(description="days on which it was seen")
    evidence: dict[str, CleanFigure] = Field(default_factory=dict)


NOT_LISTED = "hits_not_listed"
"""Evidence of the hit that stands for all that a rule found beyond its list: nobody can say of them all that they are known."""


class Review(Model):
    """A person's word on one pattern. The newest counts; an exception that is past its date counts no more."""

    pattern: str
    database: str
    disposal: Disposal
    reviewer: CleanText
    reason: CleanText = Field(min_length=2)
    until: date | None = Field(None, description="last day of an exception")
    reviewed_at: AwareDatetime

"""What a changing pipeline means to do, before any of it is done: candidates, items with their estimates, a plan with a hash.

A plan is shown to a person, approved by its hash, and worked item by item. What was looked at and left alone stands in
it too, each with its reason. Names are foreign text: they are never pasted into a statement and always shown cleaned.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from functools import cached_property
from json.encoder import encode_basestring_ascii
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from drydock.verdicts import CleanFigure, Figure, Finding, Model

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,63}$")]
"""The key of a text in `include/messages/`."""

Pipeline = Literal["reclaim", "reindex", "masking", "audit"]


class ObjectKind(StrEnum):
    TABLE = "table"
    PARTITION = "partition"
    SUBPARTITION = "subpartition"
    LOB = "lob"
    INDEX = "index"
    INDEX_PARTITION = "index_partition"
    INDEX_SUBPARTITION = "index_subpartition"
    DATAFILE = "datafile"
    CHUNK = "chunk"
    """a range of pages of one relation; `partition` names the relation where it is a partition, `column` the pages"""
    COPY = "copy"
    """a masked copy as a whole: `owner` is the target of the policy, `name` the database it is a copy of"""


class LockKind(StrEnum):
    """What other sessions feel while the item is worked."""

    NONE = "none"
    """readers and writers go on; a lock that conflicts with DDL only"""
    SHORT = "short"
    """everybody waits for a moment (milliseconds, bounded by a lock timeout)"""
    WRITERS = "writers"
    """writers wait for the whole time"""
    ALL = "all"
    """readers and writers wait for the whole time"""


class ObjectRef(Model):
    """One object of a target. Names exactly as the dictionary has them: hostile text, quoted by the engine only.

    `owner` is the schema. `parent` is the table of an index, partition or LOB. `identity` tells whether the object is
    still the very one that was surveyed: PostgreSQL oid:relfilenode, Oracle OBJECT_ID:DATA_OBJECT_ID.
    """

    kind: ObjectKind
    owner: str
    name: str
    partition: str = ""
    parent: str = ""
    column: str = Field("", description="column of a LOB; pages of a chunk")
    identity: str = ""

    @property
    def key(self) -> str:
        """Names the object in ledger and plan; stays the same when it is rewritten. Not for a person's eyes."""
        parts = (self.kind, self.owner, self.name, self.partition, self.column)
        return f"[{', '.join(map(encode_basestring_ascii, parts))}]"  # as json.dumps, five times as fast: keys are asked often


class Piece(Model):
    """Pages of one relation of a table, as a part of an item that works on several. `end_page` -1: to the end."""

    root_schema: str
    root_table: str
    schema_name: str
    name: str
    first_page: int = Field(0, ge=0)
    end_page: int = -1
    pages: int = Field(0, ge=0, description="that it had when it was planned")

    @property
    def place(self) -> tuple[str, str, int]:
        return self.schema_name, self.name, self.first_page


URGENCIES = {"corrupt": 2, "unusable": 3}


class Candidate(Model):
    """An object worth working on, and how: what a decision table chose, before anybody knows how long it takes."""

    object: ObjectRef
    action: Code = Field(description="vacuum_truncate, online_copy, shrink, move_online, rebuild_online, …")
    reason: Code
    evidence: dict[str, CleanFigure] = Field(default_factory=dict, description="the figures behind reason and action")
    size_bytes: int = Field(ge=0, description="of the object now, with what the action must also touch")
    work_bytes: int = Field(ge=0, description="what the action reads or writes: what its time grows with")
    freed_bytes: int = Field(ge=0, description="expected to come back; the lower bound where there are two")
    log_bytes: int | None = Field(None, ge=0, description="redo or WAL by formula; None: from the measured rate alone")
    needed_bytes: int = Field(0, ge=0, description="free space that must exist while it is worked")
    lock: LockKind
    is_resumable: bool = Field(False, description="work done so far is kept when it is stopped")
    needs_naming: bool = Field(False, description="worked only when a person chose this very item (truncate, VACUUM FULL)")
    use_weight: float = Field(1.0, ge=0, description="what a byte of it buys beside the space: scans and reads, 1 = plain")
    first: bool = Field(False, description="goes before everything that only saves space: an unusable index")
    pieces: tuple[Piece, ...] = Field(
        (), description="what it works on where that is more than the object, which is the first of it"
    )

    @property
    def key(self) -> str:
        """Names the work in the ledger: the same object and action in every run."""
        return f"{self.action} {self.object.key}"

    @property
    def urgency(self) -> int:
        """What it buys beside space, 0 for nothing: 1 goes before what saves space; 2 a corrupt index, that fails or lies;
        3 an unusable one, that no query can use; 4 an unusable UNIQUE one: on Oracle nothing can be written to its table
        (ORA-01502, whatever SKIP_UNUSABLE_INDEXES says)."""
        if not self.first:
            return 0
        return URGENCIES.get(self.reason, 1) + (self.reason == "unusable" and self.evidence.get("unique") is True)


class LeftAlone(Model):
    """A candidate that will not be worked, and why."""

    object: ObjectRef
    reason: Code
    evidence: dict[str, CleanFigure] = Field(default_factory=dict)
    would_free_bytes: int = Field(0, ge=0)


class Found(Model):
    """What a survey came to. `examined` counts all objects of the kind that were looked at, also the small ones."""

    examined: int = Field(ge=0)
    candidates: tuple[Candidate, ...] = ()
    left_alone: tuple[LeftAlone, ...] = ()
    notes: tuple[LeftAlone, ...] = Field((), description="lines for the report that are never work: unused, duplicate, resizable")
    figures: dict[str, CleanFigure] = Field(default_factory=dict, description="of the target, for the report; units in names")
    refused: tuple[Finding, ...] = Field((), description="why nothing at all may be planned: each is red")


class Estimate(Model):
    """How long an item takes on this database. `worst_s` decides whether it may still start."""

    expected_s: float = Field(ge=0)
    worst_s: float = Field(ge=0)
    log_bytes: int = Field(ge=0)
    runs: int = Field(ge=0, description="measured runs behind it; 0: safe defaults")


class WorkItem(Model):
    """One line of a plan. `number` is its place, from 1; `nights_waiting` how often it was carried over."""

    number: int = Field(ge=1)
    candidate: Candidate
    estimate: Estimate
    nights_waiting: int = Field(0, ge=0)

    @property
    def key(self) -> str:
        """Names the item in the ledger: the same object and action in every run."""
        return self.candidate.key


class Carried(Model):
    """What is worth doing and does not fit tonight: next time it is a night older."""

    candidate: Candidate
    estimate: Estimate
    nights_waiting: int = Field(0, ge=0)
    reason: Code

    @property
    def key(self) -> str:
        return self.candidate.key


class Budget(Model):
    """What one night may cost."""

    window_s: float = Field(ge=0, description="of the low-peak window that can be used")
    log_bytes: int = Field(ge=0, description="redo or WAL")
    items: int = Field(ge=0)


class Plan(Model):
    """What is to be done in one window on one database, in this order. The same facts give the same hash."""

    pipeline: Pipeline
    database: str
    window_start: AwareDatetime
    window_end: AwareDatetime
    budget: Budget
    items: tuple[WorkItem, ...] = ()
    carried: tuple[Carried, ...] = ()
    left_alone: tuple[LeftAlone, ...] = ()
    notes: tuple[LeftAlone, ...] = ()
    examined: int = Field(0, ge=0)
    figures: dict[str, CleanFigure] = Field(default_factory=dict)
    planned_at: AwareDatetime

    @cached_property
    def hash(self) -> str:
        """SHA-256 (hexadecimal) over everything but the moment of planning."""
        told = self.model_dump(mode="json", exclude={"planned_at"})
        return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=True).encode()).hexdigest()

    @property
    def freed_bytes(self) -> int:
        return sum(i.candidate.freed_bytes for i in self.items)

    @property
    def expected_s(self) -> float:
        return sum(i.estimate.expected_s for i in self.items)

    def item(self, number: int) -> WorkItem:
        """The item at that place. Raises KeyError."""
        for i in self.items:
            if i.number == number:
                return i
        raise KeyError(f"the plan has no item {number}")


def evidence(**figures: Figure) -> dict[str, Figure]:
    """Figures of a candidate, units in the names."""
    return figures

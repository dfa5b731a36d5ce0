"""One run of the weekly work, as the builders of its record look at it. Names of objects are foreign text: shown cleaned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from drydock.changing.regrowth import Regrowth
from drydock.estate import Database, Estate
from drydock.ledger.change_history import AnswerRecord, Asked, StatementRecord
from drydock.ledger.change_weeks import WeekLine
from drydock.messages import fill, reason_text
from drydock.outcomes import Answer, ApprovalAnswer, Outcome, StopReason, Verification
from drydock.plans import ObjectRef, Pipeline, Plan, WorkItem
from drydock.policy import ChangePolicy
from drydock.reporting.answers import local
from drydock.reporting.day_record import name_of
from drydock.reporting.document import Block, Cell, Language, Paragraph
from drydock.reporting.tables import Spec, make_table
from drydock.reporting.words import load_words, word
from drydock.verdicts import Figure, Status, clean_text, worst

DONE = (Status.PASS, Status.WARN)
WEEK_DAYS = 7
MOST_ROWS, MOST_ITEM_ROWS = 40, 200
"""Rows of long tables on paper, and of those with a row for each item; the annex has all."""


@dataclass(frozen=True)
class WorkRecord:
    """What a work record is built from: everything the ledger knows of one run. `plan` None: the run never came so far."""

    day: date
    estate: Estate
    database: Database
    pipeline: Pipeline
    language: Language
    policy: ChangePolicy
    run_key: str
    triggered_by: str
    dry_run: bool
    stop: StopReason
    plan: Plan | None = None
    asked: Asked | None = None
    answer: ApprovalAnswer | None = None
    outcomes: tuple[Outcome, ...] = ()
    statements: tuple[StatementRecord, ...] = ()
    answers: tuple[AnswerRecord, ...] = ()
    verification: Verification | None = None
    regrowth: tuple[Regrowth, ...] = ()
    week: tuple[WeekLine, ...] = ()
    week_until: datetime | None = None
    """Where the week ends: the midnight after its last day"""

    @property
    def name(self) -> str:
        return name_of(self.database, self.language)

    @property
    def period(self) -> str:
        return self.day.isoformat()

    @property
    def zone(self) -> str:
        return self.database.time_zone

    @property
    def items(self) -> tuple[WorkItem, ...]:
        return self.plan.items if self.plan else ()

    @cached_property
    def outcome_of(self) -> Mapping[str, Outcome]:
        return {o.item_key: o for o in self.outcomes}

    @cached_property
    def begun(self) -> frozenset[str]:
        """Keys of items that sent a statement, or were told to have cost time."""
        sent = {s.item_key for s in self.statements}
        return frozenset(sent | {o.item_key for o in self.outcomes if o.status is not Status.SKIPPED})

    @property
    def done(self) -> tuple[Outcome, ...]:
        return tuple(o for o in self.outcomes if o.status in DONE)

    @property
    def status(self) -> Status:
        """Of the check after the work, as the run is coloured; one that was not checked, or has no plan, proves nothing."""
        if self.plan is None or self.verification is None:
            return Status.UNKNOWN
        is_broken = self.verification.failed or self.verification.stop is StopReason.ERROR
        return Status.FAIL if is_broken else worst(self.verification.verdicts)

    @property
    def week_day(self) -> date:
        """The last day of the week that is summed up."""
        return (self.week_until - timedelta(microseconds=1)).date() if self.week_until else self.day

    def local(self, moment: datetime | None) -> datetime | None:
        return local(moment, self.zone) if moment else None

    @cached_property
    def _sent(self) -> Mapping[str, list[StatementRecord]]:
        sent: dict[str, list[StatementRecord]] = {}
        for statement in self.statements:
            sent.setdefault(statement.item_key, []).append(statement)
        return sent

    def of_item(self, key: str) -> tuple[StatementRecord, ...]:
        """The statements of an item, in the order of sending."""
        return tuple(self._sent.get(key, ()))

    @cached_property
    def closed_of(self) -> Mapping[str, Answer]:
        """Item key -> the last answer of an interlock that was closed to it."""
        return {a.item_key: a.answer for a in self.answers if not a.answer.is_open}

    def word(self, key: str, **values: object) -> str:
        return word(key, self.language, **values)

    def joined(self, parts: list[str]) -> str:
        return self.word("separator").join(parts) or self.word("none")


def object_text(ref: ObjectRef) -> str:
    """An object as a person names it, without its partition; the table of an index or a LOB in brackets."""
    name = ".".join(p for p in (ref.owner, ref.name) if p)
    inside = ".".join(p for p in (ref.parent if ref.parent != ref.name else "", ref.column) if p)
    return str(clean_text(f"{name} ({inside})" if inside else name))


def place_text(ref: ObjectRef) -> str:
    """An object on one line, its partition after a slash."""
    return str(clean_text(f"{object_text(ref)} / {ref.partition}" if ref.partition else object_text(ref)))


def short_place(ref: ObjectRef) -> str:
    """An object by its own name and partition alone, for a place with little room."""
    name = ".".join(p for p in (ref.owner, ref.name) if p)
    return str(clean_text(f"{name} / {ref.partition}" if ref.partition else name))


def reason_words(code: str, language: str, figures: Mapping[str, Figure] | None = None) -> str:
    """Why, in words, figures filled in; the bare code where it has no words; nothing where there is no reason."""
    return str(clean_text(fill(reason_text(code, language), figures or {}, language))) if code else ""


def code_words(kind: str, code: str, language: str) -> str:
    """The words of `<kind>_<code>` of the messages, else the code."""
    told = reason_text(f"{kind}_{code}", language)
    return code if told == f"{kind}_{code}" else told


def fixed_or_code(key: str, code: str, language: str) -> str:
    """A fixed word of the reports, or the code that has none."""
    return word(key, language) if key in load_words() else code


def size_of(figures: Mapping[str, Figure]) -> int | None:
    """Bytes of the object among its figures; None where they tell none."""
    for name in ("total_bytes", "size_bytes", "index_bytes", "bytes", "heap_bytes", "segment_bytes"):
        if isinstance(told := figures.get(name), int) and not isinstance(told, bool):
            return told
    return None


def long_table(
    record: WorkRecord, caption: str, spec: Spec, rows: list[tuple[Cell, ...]], most: int = MOST_ROWS
) -> Iterator[Block]:
    """A table of at most so many rows on paper, and how many more the annex has."""
    yield make_table(record.word(caption), spec, rows[:most], record.period, record.language)
    if len(rows) > most:
        yield Paragraph(text=record.word("work_more_in_annex", n=len(rows) - most), style="note")

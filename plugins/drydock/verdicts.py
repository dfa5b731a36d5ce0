"""What Drydock says of what it looked at: verdicts made of findings, each with its evidence.

A verdict answers one question about one database. It is never a bare light: it carries how many things were
examined, what was found, where, and the figures behind it. Nothing examined is UNKNOWN, never PASS.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

LONGEST_TEXT = 500  # characters of foreign text (log lines, names, error messages) that one field may carry

Figure = str | int | float | bool | None


class Status(StrEnum):
    """The five answers. `weight` orders them: the worst finding decides a verdict."""

    PASS = "PASS"
    WARN = "WARN"
    FAIL = "FAIL"
    SKIPPED = "SKIPPED"
    UNKNOWN = "UNKNOWN"

    @property
    def weight(self) -> int:
        return {"SKIPPED": 0, "PASS": 1, "WARN": 2, "UNKNOWN": 3, "FAIL": 4}[self.value]

    @property
    def is_red(self) -> bool:
        """True where a DAG run must not end green."""
        return self in (Status.FAIL, Status.UNKNOWN)


def clean_text(value: object) -> object:
    """Make foreign text safe to log, store and print: no control or bidirectional characters, bounded length."""
    if not isinstance(value, str):
        return value
    # nothing of what is printable is of category C; most text is, and is not looked at letter by letter
    kept = value if value.isprintable() else "".join(c if unicodedata.category(c)[0] != "C" else " " for c in value)
    return kept if len(kept) <= LONGEST_TEXT else kept[: LONGEST_TEXT - 1] + "…"


CleanText = Annotated[str, BeforeValidator(clean_text)]
CleanFigure = Annotated[Figure, BeforeValidator(clean_text)]


class Model(BaseModel):
    """Base of all result models: closed (an unknown field is an error) and frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Pydantic's, but for what was worked out from the fields before: that is worked out anew where a field changes."""
        copied = super().model_copy(update=update, deep=deep)
        for name in copied.__dict__.keys() - type(self).model_fields.keys() if update else ():
            del copied.__dict__[name]
        return copied


class Acknowledgement(Model):
    """A person's word that a known loss is accepted until a date (an entry of `exceptions.yaml`)."""

    id: str
    approver: CleanText
    reason: CleanText
    review_by: date


class Finding(Model):
    """One thing wrong. `code` names its text in `include/messages/`, `place` says where to look."""

    code: str
    status: Status
    place: CleanText = ""
    values: dict[str, CleanFigure] = Field(default_factory=dict, description="fills the message; units in the names")
    acknowledged: Acknowledgement | None = None

    @property
    def effective(self) -> Status:
        """The status after acknowledgement: an accepted loss is still told, as WARN."""
        return Status.WARN if self.acknowledged and self.status.is_red else self.status

    @property
    def key(self) -> tuple[str, str]:
        """What makes two findings of different days the same finding."""
        return (self.code, self.place)


class Verdict(Model):
    """The answer to one question, with how many things were examined and the figures behind it."""

    question: str
    status: Status
    examined: int = Field(ge=0)
    findings: tuple[Finding, ...] = ()
    evidence: dict[str, CleanFigure] = Field(default_factory=dict)
    reason: CleanText = Field("", description="message code: why SKIPPED or UNKNOWN without a finding")


def judge(question: str, examined: int, findings: Iterable[Finding], **evidence: Figure) -> Verdict:
    """Fold findings into one verdict: the worst effective status decides; nothing examined is UNKNOWN."""
    found = tuple(sorted(findings, key=lambda f: (-f.effective.weight, f.code, f.place)))
    statuses = [f.effective for f in found] + ([Status.PASS] if examined else [Status.UNKNOWN])
    status = max(statuses, key=lambda s: s.weight)
    reason = "" if examined or found else "nothing_examined"
    return Verdict(question=question, status=status, examined=examined, findings=found, evidence=evidence, reason=reason)


def skip(question: str, reason: str, **evidence: Figure) -> Verdict:
    """A question that was not asked, and why (`reason` is a message code)."""
    return Verdict(question=question, status=Status.SKIPPED, examined=0, evidence=evidence, reason=reason)


def worst(verdicts: Iterable[Verdict]) -> Status:
    """The status that decides the colour of a run; no verdict at all is UNKNOWN."""
    return max((v.status for v in verdicts), key=lambda s: s.weight, default=Status.UNKNOWN)

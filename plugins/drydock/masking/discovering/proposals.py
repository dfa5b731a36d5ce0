"""What discovery says of a column: a kind with its confidence and evidence. Counts and column names, never a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from drydock.masking.values.kinds import Level
from drydock.verdicts import Model


@dataclass(frozen=True)
class ColumnSample:
    """A column as the dictionary and a sample of rows show it; values of any type, None for null."""

    name: str
    comment: str
    data_type: str
    values: Sequence[Any]


class Evidence(Model):
    """Counts of values (rows), not of distinct ones, unless the name says so."""

    rows: int = 0
    non_empty: int = 0
    placeholders: int = Field(0, description="NULL, N/A, -, 无 and the like written as text")
    matched: int = Field(0, description="values that fit the kind's pattern")
    check_passed: int = Field(0, description="of these, values with the right check digit, dates, areas")
    distinct_estimate: int = 0
    longest_characters: int = 0
    name_hint: tuple[str, ...] = Field((), description="kinds that the column's name points to")
    comment_hint: tuple[str, ...] = ()
    decided_by: str = Field("", description="check digit, structure, words, name; empty where nothing was proposed")


class FoundInside(Model):
    """A kind that hides in values of a column that is not (only) of that kind."""

    kind: str
    values: int = Field(description="values that hold it at least once")
    occurrences: int
    share: float = Field(description="of the non-empty values")
    forms: dict[str, int] = Field(description="values by where it stood: whole, text, json, array, xml")


class Proposal(Model):
    """A column with the kind that is proposed for it, or none."""

    column: str
    position: int = Field(description="from 1")
    kind: str | None = None
    confidence: float = Field(0.0, ge=0.0, le=1.0)
    evidence: Evidence
    found_inside: tuple[FoundInside, ...] = ()
    sensitive: bool = False
    level_hint: Level | None = None
    technique: str | None = Field(None, description="suggested to the person who writes the policy")

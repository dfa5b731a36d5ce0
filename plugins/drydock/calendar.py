"""Working days, freezes and key periods (`include/config/calendar.yaml`).

China moves working days around holidays (调休), so a weekday alone does not tell a working day: the table of holidays
and make-up days does.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, field_validator, model_validator

from drydock.estate import Slug
from drydock.verdicts import Model


class Period(Model):
    """A named span of days, both ends included."""

    name_zh: str
    name_en: str
    first: date
    last: date
    databases: tuple[Slug, ...] = Field((), description="empty: all databases")

    @model_validator(mode="after")
    def _ordered(self) -> Period:
        if self.last < self.first:
            raise ValueError(f"last ({self.last}) is before first ({self.first})")
        return self

    def holds(self, day: date) -> bool:
        return self.first <= day <= self.last


class Calendar(Model):
    schema_: Literal["drydock-calendar/1"] = Field(alias="schema")
    freezes: tuple[Period, ...] = Field((), description="no change runs (封网, promotions)")
    key_periods: tuple[Period, ...] = Field((), description="重保 and attack-defence drills: no change runs, checks go on")
    holidays: tuple[Period, ...] = ()
    makeup_days: tuple[date, ...] = Field((), description="weekend days that are worked")

    @field_validator("holidays")
    @classmethod
    def _of_everybody(cls, holidays: tuple[Period, ...]) -> tuple[Period, ...]:
        if any(h.databases for h in holidays):
            raise ValueError("a holiday is a holiday for all; leave out databases, or write a freeze")
        return holidays

    def is_workday(self, day: date) -> bool:
        if day in self.makeup_days:
            return True
        return day.weekday() < 5 and not any(p.holds(day) for p in self.holidays)

"""Dates and times moved by one keyed number of days for each subject.

All dates of a person (or firm, or ship) move together: their order and the time between them stay, in all tables and runs of
a key epoch, since the number of days depends on nothing but the subject, the key and the policy. Times of day stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import numpy as np
from pydantic import Field, model_validator

from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.techniques.columns import Column, like, values_of
from drydock.masking.techniques.draws import Draws, name_of
from drydock.masking.techniques.raw_dates import EPOCH_DAY, RawDates, raw_dates
from drydock.masking.techniques.written_dates import read_date
from drydock.verdicts import Model

_FIRST, _LAST = date.min, date.max
_RR_FIRST, _RR_LAST = date(1950, 1, 1), date(2049, 12, 31)
_NEVER = (date(1, 1, 1), date(9999, 12, 31))


class ShiftPolicy(Model):
    """How far and which way. `last`: no date passes it; offsets then go back in time only, so that nothing must be cut."""

    days: int = Field(180, ge=1, le=36_500, description="the offset is one of -days … days, never 0")
    weeks: bool = Field(False, description="whole weeks only: the day of the week stays")
    last: date | None = Field(None, description="no date after this one")
    past_last: Literal["clip", "null", "allow"] = Field("clip", description="dates that passed `last` before: onto it, or null")
    unreadable: Literal["null", "refuse"] = Field("null", description="texts that are no date")
    kept: tuple[date, ...] = Field(_NEVER, description="dates that stand for never or always: they stay")

    @model_validator(mode="after")
    def _has_a_week(self) -> ShiftPolicy:
        if self.weeks and self.days < 7:
            raise ValueError("whole weeks need days of 7 or more")
        return self

    @property
    def backwards(self) -> bool:
        return self.last is not None and self.past_last != "allow"


class ShiftReport(Model):
    """Counts only. `clipped`: set onto the last date, or onto the first or last that a type or form can hold."""

    values: int
    shifted: int
    kept: int
    clipped: int
    past_last: int
    unreadable: int
    without_subject: int


class NotADate(ValueError):
    """A value of a date column is no date; the text says its place, not the value."""


class Shifter:
    """One policy under one key and join domain (that of the subject's column)."""

    def __init__(self, key: MaskingKey, join_domain: str, policy: ShiftPolicy | None = None) -> None:
        self._policy = policy or ShiftPolicy()
        self._draws = Draws(key, join_domain, "days to shift by")
        self._counts: dict[str, int] = dict.fromkeys(ShiftReport.model_fields, 0)

    def offsets(self, subjects: list[str]) -> np.ndarray:
        """Days for each subject (int64): uniform over -days … days without 0, over -days … -1 where nothing may pass `last`."""
        policy = self._policy
        step = 7 if policy.weeks else 1
        reach = policy.days // step
        if policy.backwards:
            return -step * (self._draws.below(subjects, reach) + 1)
        drawn = self._draws.below(subjects, 2 * reach) - reach
        return step * np.where(drawn >= 0, drawn + 1, drawn)

    def values(self, column: Column, subjects: Column) -> Any:
        """The column moved, of the same sort and type; null stays null, the empty text empty.

        A row without a subject moves by a number of its own value. Raises NotADate where the policy refuses what is none;
        ValueError where the columns differ in length.
        """
        if len(column) != len(subjects):
            raise ValueError(f"{len(column)} dates for {len(subjects)} subjects")
        self._counts["values"] += len(column)
        if (raw := raw_dates(column)) is not None:
            days = self._days(raw.numbers.tolist(), raw.nulls.tolist(), values_of(subjects))
            return raw.like(column, *self._moved_raw(raw, np.array(days, np.int64)))
        dates = values_of(column)
        days = self._days(dates, [v is None for v in dates], values_of(subjects))
        return like(column, [self._moved(i, v, n) for i, (v, n) in enumerate(zip(dates, days, strict=True))])

    def report(self) -> ShiftReport:
        """What was done since the start."""
        return ShiftReport.model_validate(self._counts)

    def _days(self, dates: list[Any], nulls: list[bool], subjects: list[Any]) -> list[int]:
        """Each distinct subject is drawn once."""
        whose = [name_of(s) for s in subjects]
        self._counts["without_subject"] += sum(s is None and not null for s, null in zip(whose, nulls, strict=True))
        names = [f"v{v}" if s is None else f"s{s}" for v, s in zip(dates, whose, strict=True)]
        distinct = list(dict.fromkeys(names))
        by_name: Mapping[str, int] = dict(zip(distinct, self.offsets(distinct).tolist(), strict=True))
        return [by_name[name] for name in names]

    def _moved_raw(self, raw: RawDates, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers since 1970 moved, and which are null: what `_limited` does, for all at once."""
        policy, old = self._policy, raw.numbers // raw.per_day
        live = ~raw.nulls
        kept = live & np.isin(old, [day.toordinal() - EPOCH_DAY for day in policy.kept])
        limit = policy.last.toordinal() - EPOCH_DAY if policy.backwards and policy.last else raw.last_day
        moving = live & ~kept
        target = np.where(moving, old + days, old)
        late = moving & (target > limit) & policy.backwards
        nulls = raw.nulls | (late if policy.past_last == "null" else False)
        held = np.where(moving, np.clip(target, raw.first_day, limit), old)
        self._counts["kept"] += int(kept.sum())
        self._counts["past_last"] += int(late.sum())
        self._counts["clipped"] += int((moving & ~nulls & (held != target)).sum())
        self._counts["shifted"] += int((moving & ~nulls).sum())
        return raw.numbers + (held - old) * raw.per_day, nulls

    def _moved(self, place: int, value: Any, days: int) -> Any:
        if value is None or value == "":
            return value
        if isinstance(value, datetime):
            return self._moved_time(value, days)
        if isinstance(value, date):
            return self._limited(value, days, _FIRST, _LAST)
        written = read_date(value) if isinstance(value, str) else None
        if written is None:
            return self._unreadable(place)
        bounds = (_RR_FIRST, _RR_LAST) if written.two_digits else (_FIRST, _LAST)
        day = self._limited(written.day, days, *bounds)
        return None if day is None else written.with_day(day)

    def _moved_time(self, value: datetime, days: int) -> datetime | None:
        """With a time zone the instant moves by whole days and is told in the same zone; without, the day moves."""
        if value.date() in self._policy.kept:
            self._counts["kept"] += 1
            return value
        zone = value.tzinfo
        plain = value if zone is None else value.astimezone(UTC)
        day = self._limited(
            plain.date(), days, _FIRST + timedelta(days=zone is not None), _LAST - timedelta(days=zone is not None)
        )
        if day is None:
            return None
        moved = datetime.combine(day, plain.timetz())
        return moved if zone is None else moved.astimezone(zone)

    def _limited(self, day: date, days: int, first: date, last: date) -> date | None:
        policy = self._policy
        if day in policy.kept:
            self._counts["kept"] += 1
            return day
        number = day.toordinal() + days
        limit = policy.last.toordinal() if policy.backwards and policy.last else last.toordinal()
        if number > limit and policy.backwards:
            self._counts["past_last"] += 1
            if policy.past_last == "null":
                return None
        held = min(max(number, first.toordinal()), min(limit, last.toordinal()))
        self._counts["clipped"] += held != number
        self._counts["shifted"] += 1
        return date.fromordinal(held)

    def _unreadable(self, place: int) -> None:
        if self._policy.unreadable == "refuse":
            raise NotADate(f"value {place + 1} of the batch is no date in a form that is known")
        self._counts["unreadable"] += 1

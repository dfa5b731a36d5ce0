"""Values made coarser, so that many rows share one: dates, addresses, area codes, postcodes, phones, codes, numbers.

No key: the coarser value is public knowledge of the finer one, and what protects is how many rows share it (measure k over the
declared columns). Null stays null, the empty text empty. What cannot be read becomes null, never itself, and is counted.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import pairwise
from math import isfinite
from typing import Any, Literal

import numpy as np

from drydock.masking.techniques.columns import Column, like, values_of
from drydock.masking.techniques.raw_dates import EPOCH_DAY, raw_dates
from drydock.masking.techniques.written_dates import read_date
from drydock.masking.values.divisions import Level, area_code, division_of
from drydock.masking.values.folding import folded
from drydock.verdicts import Model

Period = Literal["day", "month", "quarter", "year", "decade"]
Number = int | Decimal | Fraction
_MOST_DIGITS = 60
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?\Z")


class Generalised(Model):
    """What became of a column. `unreadable`: values that became null, since they are none of what the column should hold."""

    column: Any
    unreadable: int


def _each(column: Column, change: Callable[[Any], Any]) -> Generalised:
    """Every distinct value changed once; `change` gives None for what it cannot read."""
    known: dict[Any, Any] = {}
    out, unreadable = [], 0
    for value in values_of(column):
        if value is None or value == "":
            out.append(value)
            continue
        key = (type(value), str(value))
        if key not in known:
            known[key] = change(value)
        out.append(known[key])
        unreadable += known[key] is None
    return Generalised(column=like(column, out), unreadable=unreadable)


# ---- dates


def dates(column: Column, to: Period = "day", bottom: date | None = None, top: date | None = None) -> Generalised:
    """Each date as the first day of its month, quarter, year or decade (`day`: as itself), of the same type, at midnight.

    What lies before `bottom` or after `top` is taken for that day first (a birth before 1936 for one in 1936). Raises
    ValueError for bounds in wrong order.
    """
    if bottom is not None and top is not None and bottom > top:
        raise ValueError("the bottom lies after the top")
    raw = raw_dates(column)
    if raw is None:
        return _each(column, lambda value: _start(value, to, bottom, top))
    low, high = (None if day is None else day.toordinal() - EPOCH_DAY for day in (bottom, top))
    days = np.clip(raw.numbers // raw.per_day, low, high) if low is not None or high is not None else raw.numbers // raw.per_day
    return Generalised(
        column=raw.like(column, np.maximum(_first_days(days, to), raw.first_day) * raw.per_day, raw.nulls), unreadable=0
    )


def _first_days(days: np.ndarray, to: Period) -> np.ndarray:
    """Days since 1970, each to the first of its period."""
    if to == "day":
        return days
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    size = {"month": 1, "quarter": 3, "year": 12, "decade": 120}[to]
    since = 1970 % 10 * 12 if to == "decade" else 0
    return ((months + since) // size * size - since).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def _first_day(day: date, to: Period, bottom: date | None, top: date | None) -> date:
    day = max(day, bottom) if bottom else day
    day = min(day, top) if top else day
    if to == "day":
        return day
    year = max(1, day.year - day.year % 10) if to == "decade" else day.year
    month = day.month if to == "month" else (day.month - 1) // 3 * 3 + 1 if to == "quarter" else 1
    return date(year, month, 1)


def _start(value: Any, to: Period, bottom: date | None, top: date | None) -> Any:
    if isinstance(value, datetime):
        return datetime.combine(_first_day(value.date(), to, bottom, top), time(), value.tzinfo)
    if isinstance(value, date):
        return _first_day(value, to, bottom, top)
    written = read_date(value) if isinstance(value, str) else None
    return None if written is None else written.at_midnight().with_day(_first_day(written.day, to, bottom, top))


# ---- numbers


def exact(value: Any) -> Number | None:
    """A number without rounding; None for what is none (NaN, infinity, words). Text numbers may be full-width."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, Decimal | float):
        if isinstance(value, float):
            return Fraction(value) if isfinite(value) else None
        return value if value.is_finite() and abs(value.adjusted()) <= _MOST_DIGITS else None
    text = folded(str(value))
    return Decimal(text) if _NUMBER.match(text) else None


def numbers(column: Column, step: Number | None = None, bottom: Number | None = None, top: Number | None = None) -> Generalised:
    """Numbers down to a multiple of `step`; what lies below `bottom` or above `top` becomes the bound (ages from 90 on: top=90).

    Texts that hold a number keep its places. Raises ValueError for a step that is not above 0, and for bounds in wrong order.
    """
    width, low, high = (None if n is None else Fraction(exact(n)) for n in (step, bottom, top))  # type: ignore[arg-type]
    if width is not None and width <= 0:
        raise ValueError("a step is above 0")
    if low is not None and high is not None and low > high:
        raise ValueError("the bottom lies above the top")

    def coarser(value: Any) -> Any:
        number = exact(value)
        if number is None:
            return None
        new = Fraction(number)
        new = new if high is None else min(new, high)
        new = new if width is None else new // width * width
        new = new if low is None else max(new, low)
        return _like_number(value, new)

    return _each(column, coarser)


def buckets(column: Column, edges: Sequence[Number], show: Literal["label", "lower", "middle"] = "label") -> Generalised:
    """Numbers as the bucket they lie in: [edge, next edge), and one bucket below the first and one from the last edge on.

    `lower` and `middle` keep numbers (the open buckets show their only edge). Raises ValueError for edges that do not rise.
    """
    exact_edges = [exact(e) for e in edges]
    if not edges or any(e is None for e in exact_edges) or any(a >= b for a, b in pairwise(exact_edges)):  # type: ignore[operator]
        raise ValueError("edges must be numbers that rise, at least one")

    def bucket(value: Any) -> Any:
        number = exact(value)
        if number is None:
            return None
        place = bisect_right(exact_edges, number)  # type: ignore[type-var]
        if show == "label":
            return _label(edges, place)
        shown = edges[max(0, place - 1)]
        if show == "middle" and 0 < place < len(edges):
            return _like_number(value, (Fraction(exact_edges[place - 1]) + Fraction(exact_edges[place])) / 2)  # type: ignore[arg-type]
        return _like_number(value, Fraction(exact(shown)))  # type: ignore[arg-type]

    return _each(column, bucket)


def labels(edges: Sequence[Number]) -> tuple[str, ...]:
    """The labels of all buckets, from the lowest to the highest."""
    return tuple(_label(edges, place) for place in range(len(edges) + 1))


def _label(edges: Sequence[Number], place: int) -> str:
    if place == 0:
        return f"<{edges[0]}"
    return f">={edges[-1]}" if place == len(edges) else f"{edges[place - 1]}..<{edges[place]}"


def _like_number(value: Any, number: Fraction) -> Any:
    """A number in the type of a value: whole numbers round down, decimals and texts keep their places."""
    if isinstance(value, int):
        return number.numerator // number.denominator
    if isinstance(value, float):
        return float(number)
    places = _places(value)
    scaled = number * 10**places
    whole = Decimal(scaled.numerator // scaled.denominator).scaleb(-places)
    return whole if isinstance(value, Decimal) else f"{whole:f}"


def _places(value: Any) -> int:
    try:
        exponent = (value if isinstance(value, Decimal) else Decimal(folded(str(value)))).as_tuple().exponent
    except InvalidOperation:
        return 0
    return max(0, -exponent) if isinstance(exponent, int) else 0


# ---- codes


def codes(column: Column, kept: int) -> Generalised:
    """The first characters of a code, a `*` for each of the others: its length stays."""
    if kept < 1:
        raise ValueError("at least one character is kept")
    return _each(column, lambda value: value[:kept] + "*" * (len(value) - kept) if isinstance(value, str) else None)


# ---- places


def addresses(column: Column, to: Level = "district") -> Generalised:
    """The division's name, 广东省广州市天河区, from what the address tells; null where it tells none."""
    return _each(column, lambda value: division_of(str(value), to)[1] or None)


def area_codes(column: Column, to: Level = "city") -> Generalised:
    """Six digits of a division with zeros past the level: 440106 becomes 440100."""

    def coarser(value: Any) -> Any:
        code = area_code(str(value), to)
        return (int(code) if isinstance(value, int) else code) if code else None

    return _each(column, coarser)


def postcodes(column: Column, kept: Literal[2, 3, 4] = 2) -> Generalised:
    """Six digits with zeros past the kept ones: 2 keep the province, 3 the postal area, 4 the city or county."""

    def coarser(value: Any) -> Any:
        code = folded(str(value), separators=True)
        if isinstance(value, int):
            code = code.zfill(6)
        if not re.fullmatch(r"[0-9]{6}", code):
            return None
        new = code[:kept].ljust(6, "0")
        return int(new) if isinstance(value, int) else new

    return _each(column, coarser)


def phone_areas(column: Column) -> Generalised:
    """The area code of a landline, 020; the first three digits of a mobile number; null for all else."""

    def area(value: Any) -> str | None:
        digits = re.sub(r"[^0-9]", "", folded(str(value)))
        digits = re.sub(r"\A(?:00)?86(?=1[3-9][0-9]{9}\Z|0?[1-9])", "", digits)
        if re.fullmatch(r"1[3-9][0-9]{9}", digits):
            return digits[:3]
        if not re.match(r"0[1-9][0-9]{8,}", digits):
            return None
        return digits[:3] if digits[1] in "12" else digits[:4]

    return _each(column, area)

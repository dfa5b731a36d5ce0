"""The linkage attack, piece by piece: people of an auxiliary table against all delivered rows, memory as large as the former.

The attacker knows how the copy was coarsened (policies are no secret), so what he knows is coarsened alike before he compares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import polars as pl

from drydock.masking.verification.reidentification import PERSON, ROWS
from drydock.masking.verification.results import LinkageResult

Coarser = Callable[[pl.Expr], pl.Expr]
_QUARTER = 3
NEAR = 1e-9  # of a step: a multiple of 0.1 divided by 0.1 may lie a little below a whole number


class Attack:
    """`known`: column `person` and what is known of each, as texts; `coarser`: column -> how both sides are made alike."""

    def __init__(self, table: str, known: pl.DataFrame, coarser: Mapping[str, Coarser]) -> None:
        self.table, self.coarser = table, dict(coarser)
        self._people = known.unique(PERSON).select(PERSON, *self._made_alike())
        self._fits = pl.DataFrame({PERSON: [], ROWS: [], "right": []}, {PERSON: pl.String, ROWS: pl.Int64, "right": pl.Int64})
        self._rows = 0

    def add(self, delivered: pl.DataFrame) -> None:
        """Delivered rows; their column `person` is the truth, at which only the judge of the attack looks."""
        rows = delivered.select(pl.col(PERSON).alias("truth"), *self._made_alike())
        pairs = self._people.join(rows, on=list(self.coarser), nulls_equal=True)
        right = (pl.col("truth") == pl.col(PERSON)).cast(pl.Int64).sum().alias("right")
        fits = pairs.group_by(PERSON).agg(pl.len().cast(pl.Int64).alias(ROWS), right)
        both = pl.concat([self._fits, fits])
        self._fits = both.group_by(PERSON).agg(pl.col(ROWS).sum(), pl.col("right").sum())
        self._rows += len(delivered)

    def result(self) -> LinkageResult:
        """What was reached with all rows that were added."""
        unique = self._fits.filter(pl.col(ROWS) == 1)
        expected = float((self._fits["right"] / self._fits[ROWS]).sum()) if len(self._fits) else 0.0
        people = len(self._people)
        return LinkageResult(
            table=self.table,
            columns=tuple(self.coarser),
            targets=people,
            unique_matches=len(unique),
            correct=int(unique["right"].sum()),
            expected_correct=expected,
            correct_share=expected / people if people else 0.0,
            guessing_share=1 / self._rows if self._rows else 0.0,
        )

    def _made_alike(self) -> list[pl.Expr]:
        return [coarse(pl.col(name)).alias(name) for name, coarse in self.coarser.items()]


def as_it_is(text: pl.Expr) -> pl.Expr:
    return text


def first_letters(count: int) -> Coarser:
    """Of a code, or of a date as text (4: its year, 7: its month, 10: its day, 3: its decade)."""
    return lambda text: text.str.slice(0, count)


def quarter(text: pl.Expr) -> pl.Expr:
    """Year and number of the quarter."""
    month = text.str.slice(5, 2).cast(pl.Int32, strict=False)
    return text.str.slice(0, 4) + ((month - 1) // _QUARTER).cast(pl.String)


def up_to(pattern: str) -> Coarser:
    """What a pattern's first group takes of a text (an address up to its district); the whole where it does not fit."""
    return lambda text: pl.coalesce(text.str.extract(pattern), text)


def held_to(coarse: Coarser, bottom: date | None, top: date | None) -> Coarser:
    """Dates as texts, those beyond an end taken for it first."""

    def held(text: pl.Expr) -> pl.Expr:
        day = text.str.slice(0, 10)
        ends = (pl.lit(None if end is None else end.isoformat(), pl.String) for end in (bottom, top))
        low, high = (pl.coalesce(end, day) for end in ends)
        return coarse(pl.when(day < low).then(low).when(day > high).then(high).otherwise(day)).name.keep()

    return held


def numbers(step: float | None, bottom: float | None, top: float | None) -> Coarser:
    """The upper end first, then down to a multiple of the step, then the lower end: delivered numbers stay as they are."""

    def coarse(text: pl.Expr) -> pl.Expr:
        number = text.cast(pl.Float64, strict=False).clip(upper_bound=top)
        number = number if step is None else (number / step + NEAR).floor() * step
        return number.clip(lower_bound=bottom).round(9)

    return coarse


def digits(count: int, of: int) -> Coarser:
    """The first digits of so many; numbers have lost the zeros before them."""
    return lambda text: text.str.strip_chars().str.zfill(of).str.slice(0, count)


def phone_area(text: pl.Expr) -> pl.Expr:
    """The area code of a landline, the first three digits of a mobile number; what is as short already stays."""
    bare = text.str.replace_all(r"[^0-9]", "").str.replace(r"^(?:00)?86(1[3-9][0-9]{9}|0?[1-9][0-9]{8,})$", "$1")
    mobile, large, small = r"^(1[3-9][0-9])[0-9]{8}$", r"^(0[12][0-9])[0-9]{7,}$", r"^(0[3-9][0-9]{2})[0-9]{6,}$"
    return pl.coalesce(bare.str.extract(mobile), bare.str.extract(large), bare.str.extract(small), bare)


def edges(lower: tuple[float, ...]) -> Coarser:
    """Which bucket; those below the first edge are of the first."""

    def bucket(text: pl.Expr) -> pl.Expr:
        number = text.cast(pl.Float64, strict=False)
        return pl.sum_horizontal((number >= edge).cast(pl.Int32) for edge in sorted(lower)[1:])

    return bucket


def labelled_edges(lower: tuple[float, ...]) -> Coarser:
    """Which bucket, of a number or of its label: `<100`, `100..<500`, `>=500`."""

    def bucket(text: pl.Expr) -> pl.Expr:
        least = pl.coalesce(text.str.extract(r"^>=(.+)$"), text.str.extract(r"^(.+)\.\.<"), text).cast(pl.Float64, strict=False)
        number = pl.when(text.str.starts_with("<")).then(-float("inf")).otherwise(least)
        return pl.sum_horizontal((number >= edge).cast(pl.Int32) for edge in lower).name.keep()

    return bucket

"""The linkage attack, piece by piece: people of an auxiliary table against all delivered rows, memory as large as the former.

The attacker knows how the copy was coarsened (policies are no secret), so what he knows is coarsened alike before he compares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from drydock.masking.verification.reidentification import PERSON, ROWS
from drydock.masking.verification.results import LinkageResult

Coarser = Callable[[pl.Expr], pl.Expr]
_QUARTER = 3


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


def steps(step: float) -> Coarser:
    return lambda text: (text.cast(pl.Float64, strict=False) / step).floor()


def edges(lower: tuple[float, ...]) -> Coarser:
    """Which bucket; those below the first edge are of the first."""

    def bucket(text: pl.Expr) -> pl.Expr:
        number = text.cast(pl.Float64, strict=False)
        return pl.sum_horizontal((number >= edge).cast(pl.Int32) for edge in sorted(lower)[1:])

    return bucket

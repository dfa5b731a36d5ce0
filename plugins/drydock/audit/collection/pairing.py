"""PostgreSQL logs an execution twice where log_statement and auto_explain are both on: its text at the beginning, its plan at the
end. Both are one record: the plan's row stays, for it tells objects, rows and duration.

A plan belongs to the newest statement of its session that has the same fingerprint and no plan yet; plans of statements inside
functions come between and stay rows of their own.
"""

from __future__ import annotations

from datetime import datetime

import polars as pl

from drydock.audit.collection.coded import Coded
from drydock.audit.results import frame_of

TEXT, PLAN = "log_statement", "auto_explain"
EARLY = "began before the day: counted on the day before too, by its text"
MOST_WAITING = 100_000
"""Statements whose plan may still come, one of a session at most; beyond that the oldest wait no more."""


class Pairs:
    """Makes one row of the two, across the frames of one file. Memory: the last statement of every session that is open.

    `begin`: of the day. A statement that began before it and ended in it has its text on the day before: both days count it.
    """

    def __init__(self, begin: datetime | None = None) -> None:
        self._begin, self._early = begin, set[str]()
        self._waiting: pl.DataFrame | None = None
        self._has_plans = False
        self.made = 0

    def feed(self, read: pl.DataFrame | Coded) -> pl.DataFrame | Coded:
        """The rows that are settled: those that were read without what waits, and what waited before."""
        self._has_plans = self._has_plans or _has_plans(read)
        if not self._has_plans:
            return read
        frame = frame_of(read)
        rows = frame if self._waiting is None else pl.concat([self._waiting, frame])
        told = _told(rows)
        self._note_early(told)
        is_doubled = pl.col("_row").is_in(told.filter(pl.col("_is_pair"))["_text_row"].implode())
        left = told.with_columns(is_doubled.alias("_is_doubled"))
        self.made += int(left["_is_doubled"].sum())
        is_last = (pl.col("_row") == pl.col("_text_row").last().over("session_id")) & (pl.col("session_id") != "")
        left = left.with_columns((is_last & ~pl.col("_is_doubled")).fill_null(False).alias("_waits"))
        waits = left.filter(pl.col("_waits"))
        if waits.height > MOST_WAITING:
            first = waits["_row"][waits.height - MOST_WAITING]
            left = left.with_columns((pl.col("_waits") & (pl.col("_row") >= first)).alias("_waits"))
            waits = left.filter(pl.col("_waits"))
        self._waiting = waits.select(frame.columns)
        return left.filter(~pl.col("_is_doubled") & ~pl.col("_waits")).select(frame.columns)

    def _note_early(self, told: pl.DataFrame) -> None:
        """Sessions with a plan of a statement that began before the day: one statement of each at most."""
        if self._begin is not None:
            began_at = pl.col("event_time") - pl.duration(microseconds=pl.col("duration_ms") * 1000)
            alone = (pl.col("dialect") == PLAN) & ~pl.col("_is_pair") & pl.col("_text_row").is_null()
            early = told.filter((alone & (began_at < self._begin)).fill_null(False))
            self._early |= set(early["session_id"])

    @property
    def early(self) -> int:
        """Statements whose text stands on the day before."""
        return len(self._early)

    def rest(self) -> pl.DataFrame | None:
        """Statements whose plan never came."""
        waiting, self._waiting = self._waiting, None
        return waiting


def _has_plans(rows: pl.DataFrame | Coded) -> bool:
    return rows.has("dialect", PLAN) if isinstance(rows, Coded) else bool((rows["dialect"] == PLAN).any())


def _told(rows: pl.DataFrame) -> pl.DataFrame:
    """Beside each row: the newest statement of its session before it (or itself), and whether it is the plan of that."""
    is_text = pl.col("dialect") == TEXT
    numbered = rows.with_row_index("_row").with_columns(
        pl.when(is_text).then(pl.col("_row")).alias("_text_row"),
        pl.when(is_text).then(pl.col("fingerprint")).alias("_text_print"),
    )
    filled = numbered.with_columns(pl.col("_text_row", "_text_print").forward_fill().over("session_id"))
    fits = (pl.col("dialect") == PLAN) & (pl.col("_text_print") == pl.col("fingerprint")) & (pl.col("session_id") != "")
    is_pair = (fits & (pl.col("fingerprint") != "")).fill_null(False)
    first = filled.with_columns(is_pair.alias("_is_pair"))
    is_first = pl.struct("_text_row", "_is_pair").is_first_distinct()
    return first.with_columns((pl.col("_is_pair") & is_first).alias("_is_pair"))

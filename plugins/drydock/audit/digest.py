"""The digest of a stretch of records: who did what to what, by hour; and who used which statement, first and last.

polars' streaming engine, one question after the other: asked together it would keep the records that both need. Memory grows
with the number of different answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from drydock.audit.columns import ACTIVITY, STATEMENT_USE

_MEASURED = ("hour", "records", "rows")
_WHO = [name for name in ACTIVITY if name not in _MEASURED]
_USED_BY = ["fingerprint", "account", "program"]


def digest(records: pl.LazyFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Frames of the schemas ACTIVITY and STATEMENT_USE, sorted; records without a time have no hour.

    `rows` is null where no record of the group tells any.
    """
    activity, use = (query.collect(engine="streaming") for query in (_activity(records), _use(records)))
    return _shaped(activity, ACTIVITY), _shaped(use, STATEMENT_USE)


def _shaped(frame: pl.DataFrame, schema: Mapping[str, Any]) -> pl.DataFrame:
    return frame.select(pl.col(name).cast(kind) for name, kind in schema.items())


def _told(name: str) -> pl.Expr:
    """The sum of what is told; null where nothing is."""
    return pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name)


def _activity(records: pl.LazyFrame) -> pl.LazyFrame:
    hour = pl.col("event_time").dt.truncate("1h").alias("hour")
    grouped = records.group_by(hour, *_WHO).agg(pl.len().alias("records"), _told("rows"))
    return grouped.sort("hour", *_WHO, nulls_last=True)


def _use(records: pl.LazyFrame) -> pl.LazyFrame:
    grouped = (
        records.filter(pl.col("fingerprint") != "")
        .group_by(_USED_BY)
        .agg(
            pl.len().alias("records"),
            pl.col("succeeded").eq(False).sum().alias("failures"),
            _told("rows"),
            _told("duration_ms"),
            pl.col("event_time").min().alias("first_at"),
            pl.col("event_time").max().alias("last_at"),
        )
    )
    return grouped.sort(_USED_BY)

"""Distributions before and after, for the pictures of the report: how many rows of source and copy lie in each bin.

A bin tells at least LEAST rows on either side, or none: neighbours are put together until it does, so that no picture tells of
a few people. Of large tables the first rows that the server gives are looked at, as many on both sides. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import polars as pl

from drydock.masking.policies.parameters import DATE_STEPS
from drydock.masking.policies.policy import MaskingPolicyFile, ResolvedRule, Technique
from drydock.masking.policies.schema import Column, Schema, Table
from drydock.masking.verification.reidentification import table_frames
from drydock.masking.verification.results import Bin, Distribution
from drydock.masking.verification.target import Connection

LEAST = 20
Frames = Callable[..., Iterator[pl.DataFrame]]
MOST_ROWS, MOST_COLUMNS = 100_000, 12
TECHNIQUES = (Technique.NOISE, Technique.BUCKETS, Technique.SHIFT, Technique.GENERALISE)
_STEPS = [step * 10**power for power in range(16) for step in (1, 2, 5)]
EDGES = np.array([*(-step for step in reversed(_STEPS)), 0, *_STEPS], np.float64)
MONTHS = np.arange(0, 12 * 10_000 + 1, dtype=np.float64)
"""Since the year 0: months of dates are counted, and told by months, years or five years, as far as they lie apart"""
STEPS = ((36, 1), (30 * 12, 12))
FIVE_YEARS = 60


def spread(
    policy: MaskingPolicyFile,
    schema: Schema,
    source: Connection,
    copy: Connection,
    staging: Mapping[str, str],
    *,
    known: Frames = table_frames,
    copied: Frames = table_frames,
) -> tuple[Distribution, ...]:
    """The distributions of at most MOST_COLUMNS numbers and dates whose technique promises to keep theirs roughly.

    `known`, `copied`: how rows of the source and of the copy are read. Raises what they raise.
    """
    found = []
    for table, columns in _chosen(policy, schema):
        names = [column.name for column in columns]
        there = (staging.get(table.schema_name, table.schema_name), table.name)
        before = _counts(partial(known, source), (table.schema_name, table.name), columns)
        after = _counts(partial(copied, copy), there, columns)
        for name, column in zip(names, columns, strict=True):
            rule = policy.changes(table.key, name)
            is_coarse = rule is not None and rule.technique is Technique.GENERALISE
            found.append(_distribution(table.key, column, before[name], after[name], is_coarse))
    return tuple(found)


def _chosen(policy: MaskingPolicyFile, schema: Schema) -> Iterator[tuple[Table, list[Column]]]:
    left = MOST_COLUMNS
    for key, rules in policy.tables.items():
        table = schema.by_key.get(key)
        if table is None or rules.structure_only:
            continue
        ruled = ((table.by_name[name], policy.changes(key, name)) for name in rules.columns if name in table.by_name)
        columns = [column for column, rule in ruled if rule is not None and _is_spread(column, rule)][:left]
        left -= len(columns)
        if columns:
            yield table, columns


def _is_spread(column: Column, rule: ResolvedRule) -> bool:
    if column.generated or rule.technique not in TECHNIQUES or column.type.family not in ("number", "date"):
        return False
    codes = rule.parameters.area_code or rule.parameters.postcode_digits
    return not codes and (rule.technique is not Technique.GENERALISE or rule.parameters.to in (None, *DATE_STEPS))


def _counts(frames: Frames, relation: tuple[str, str], columns: Sequence[Column]) -> dict[str, tuple[np.ndarray, int, int]]:
    """For each column the rows in each bin, the rows that were looked at, and those without a value."""
    sums = {column.name: [np.zeros(_edges(column).size + 1, np.int64), 0, 0] for column in columns}
    for frame in frames(relation, [column.name for column in columns], most=MOST_ROWS):
        for column in columns:
            texts = frame[column.name]
            values = (_months(texts) if column.type.family == "date" else texts.cast(pl.Float64, strict=False)).drop_nulls()
            places = np.searchsorted(_edges(column), values.to_numpy(), side="right")
            known = sums[column.name]
            known[0] = known[0] + np.bincount(places, minlength=_edges(column).size + 1)
            known[1] += len(texts)
            known[2] += texts.null_count()
    return {name: (counts, rows, nulls) for name, (counts, rows, nulls) in sums.items()}


def _months(dates: pl.Series) -> pl.Series:
    year, month = (dates.str.slice(at, size).cast(pl.Float64, strict=False) for at, size in ((0, 4), (5, 2)))
    return year * 12 + month - 1


def _edges(column: Column) -> np.ndarray:
    return MONTHS if column.type.family == "date" else EDGES


def by_months(before: np.ndarray, after: np.ndarray, is_coarse: bool) -> tuple[str, tuple[Bin, ...]]:
    """`month` with bins in months since the year 0, where all lie within three years; else `year` with bins in years, which
    `is_coarse` dates (made years or quarters) are always told in."""
    used = np.flatnonzero(before + after)
    apart = int(used[-1] - used[0]) if used.size else 0
    step = next((step for most, step in STEPS if apart < most and not (is_coarse and step == 1)), FIVE_YEARS)
    edges = MONTHS[::step]
    old, new = (np.bincount(np.maximum(used - 1, 0) // step + 1, side[used], edges.size + 1) for side in (before, after))
    bins = bins_of(edges if step == 1 else edges / 12, old.astype(np.int64), new.astype(np.int64))
    return ("month" if step == 1 else "year"), bins


def _distribution(
    table: str, column: Column, before: tuple[np.ndarray, int, int], after: tuple[np.ndarray, int, int], is_coarse: bool
) -> Distribution:
    is_date = column.type.family == "date"
    measure, bins = by_months(before[0], after[0], is_coarse) if is_date else ("amount", bins_of(EDGES, before[0], after[0]))
    return Distribution(
        table=table,
        column=column.name,
        measure=measure,
        least=LEAST,
        before_rows=before[1],
        after_rows=after[1],
        before_nulls=before[2],
        after_nulls=after[2],
        bins=bins,
    )


def bins_of(edges: np.ndarray, before: np.ndarray, after: np.ndarray) -> tuple[Bin, ...]:
    """Neighbouring bins put together until each side has LEAST rows or none; what is left at the end joins the last bin."""
    made: list[Bin] = []
    first, old, new = 0, 0, 0
    for place in np.flatnonzero(before + after).tolist():
        first = place if old + new == 0 else first
        old, new = old + int(before[place]), new + int(after[place])
        if _is_many(old) and _is_many(new):
            made.append(_bin(edges, first, place, old, new))
            first, old, new = 0, 0, 0
    if old + new and made:
        last = made.pop()
        old, new = old + last.before, new + last.after
        made.append(Bin(low=last.low, high=_high(edges, int(np.flatnonzero(before + after)[-1])), before=old, after=new))
    while len(made) > 1 and not (_is_many(made[-1].before) and _is_many(made[-1].after)):
        last, prior = made.pop(), made.pop()
        made.append(Bin(low=prior.low, high=last.high, before=prior.before + last.before, after=prior.after + last.after))
    return tuple(made) if made and _is_many(made[-1].before) and _is_many(made[-1].after) else ()


def _is_many(rows: int) -> bool:
    return rows == 0 or rows >= LEAST


def _bin(edges: np.ndarray, first: int, last: int, before: int, after: int) -> Bin:
    return Bin(low=float(edges[first - 1]) if first else None, high=_high(edges, last), before=before, after=after)


def _high(edges: np.ndarray, place: int) -> float | None:
    return float(edges[place]) if place < edges.size else None

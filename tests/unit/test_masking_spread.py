"""Distributions for pictures: every row is in a bin, and no bin tells of a few people."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest

from drydock.masking.copy_checks import verifying_spread as spread
from drydock.reporting.masking_charts import bin_label
from tests.unit.masking_policy_samples import a_policy, healthy_schema


@pytest.mark.parametrize("seed", range(40))
def test_bins_hold_all_rows_and_never_a_few(seed: int) -> None:
    draw = np.random.default_rng(seed)
    edges = np.arange(20.0)
    before, after = (draw.integers(0, 1 + seed * 3, 21) * (draw.random(21) < 0.6) for _ in range(2))
    bins = spread.bins_of(edges, before, after)
    if not bins:
        assert any(0 < int(side.sum()) < spread.LEAST for side in (before, after)) or not (before + after).any()
        return
    assert (sum(b.before for b in bins), sum(b.after for b in bins)) == (before.sum(), after.sum())
    assert all(n == 0 or n >= spread.LEAST for b in bins for n in (b.before, b.after))
    bounds = [(b.low, b.high) for b in bins]
    assert all(a[1] is not None and b[0] is not None and a[1] <= b[0] for a, b in itertools.pairwise(bounds))


def test_dates_far_apart_are_told_by_years_then_by_five() -> None:
    counts = np.zeros(spread.MONTHS.size + 1, np.int64)
    for year, expected in ((2003, (1990, 1991)), (2029, (1990, 1995))):
        counts[[1990 * 12 + 3, year * 12 + 1]] = 40
        measure, bins = spread.by_months(counts, counts, False)
        assert (measure, (bins[0].low, bins[0].high), bins[0].before) == ("year", expected, 40)
    assert spread.by_months(counts * 0, counts * 0, False) == ("month", ())


def test_what_is_counted_comes_from_both_sides() -> None:
    """Noise, buckets, a shift and a year are looked at; names, addresses and pseudonyms are not. NULL is told apart."""
    asked = []

    def frames(connection: str, relation: tuple[str, str], columns: list[str], *, most: int) -> list[pl.DataFrame]:
        asked.append((connection, relation, tuple(columns), most))
        values = {"born_on": ["1971-05-01", "1972-01-01 00:00:00"] * 30, "paid_at": ["2026-01-02 03:04:05"] * 60}
        return [pl.DataFrame({name: [*values.get(name, ["12.50", "-3", "0"] * 20), None] for name in columns})]

    staging = {"app": "drydock_staging_1_1"}
    found = spread.spread(a_policy(), healthy_schema(), "source", "copy", staging, known=frames, copied=frames)  # type: ignore[arg-type]
    assert [(d.table, d.column, d.measure) for d in found] == [
        ("app.people", "born_on", "year"),
        ("app.people", "income", "amount"),
        ("app.orders", "amount", "amount"),
        ("app.payments", "paid_at", "month"),
    ]
    assert {(side, schema) for side, (schema, _), _, _ in asked} == {("source", "app"), ("copy", "drydock_staging_1_1")}
    born, income = found[:2]
    assert (born.before_rows, born.before_nulls) == (61, 1)
    assert [(b.low, b.high, b.before, b.after) for b in born.bins] == [(1971, 1972, 30, 30), (1972, 1973, 30, 30)]
    assert [(b.low, b.high, b.before) for b in found[3].bins] == [(2026 * 12, 2026 * 12 + 1, 60)]
    assert (bin_label(found[3].bins[0], "month"), bin_label(born.bins[0], "year")) == ("2026-01", "1971 … < 1972")
    assert [(b.low, b.high, b.before) for b in income.bins] == [(-5, -2, 20), (0, 1, 20), (10, 20, 20)]

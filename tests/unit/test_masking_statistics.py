"""What a statistician does to a copy without the key: the figures that docs/masking-crypto.md tells, reckoned again.

Where a figure grows worse than the page says, the page or the technique must change.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.policies.policy import ResolvedRule
from drydock.masking.policies.technique_policies import noise_policy
from drydock.masking.techniques import pseudonyms
from drydock.masking.techniques.noise import NoisePolicy, Noiser
from drydock.masking.techniques.shift import Shifter, ShiftPolicy
from tests.unit.masking_policy_samples import a_policy

SECRET = bytes(range(32))
KEY = MaskingKey(epoch="2026Q4", secret=SECRET)
YEARS = (date(2023, 1, 1), date(2026, 1, 1))
# the State Council's calendar: holidays (first day, how many), and the Saturdays and Sundays worked instead
OFF = {
    2023: "0101/2 0121/7 0405/1 0429/5 0622/3 0929/8",
    2024: "0101/1 0210/8 0404/3 0501/5 0608/3 0915/3 1001/7",
    2025: "0101/1 0128/8 0404/3 0501/5 0531/3 1001/8",
}
WORKED = {
    2023: "0128 0129 0423 0506 0625 1007 1008",
    2024: "0204 0218 0407 0428 0511 0914 0929 1012",
    2025: "0126 0208 0427 0928 1011",
}


def working_days() -> np.ndarray:
    """Of each day of the years whether offices worked."""
    works = np.is_busday(np.arange(*(np.datetime64(day) for day in YEARS)))

    def place(year: int, day: str) -> int:
        return (date(year, int(day[:2]), int(day[2:4])) - YEARS[0]).days

    for year in OFF:
        for day, _, length in (holiday.partition("/") for holiday in OFF[year].split()):
            works[place(year, day) : place(year, day) + int(length)] = False
        works[[place(year, day) for day in WORKED[year].split()]] = True
    return works


def subjects_undone(dates_each: int, subjects: int = 80, **policy: object) -> float:
    """The share of subjects whose offset is the only one under which all their dates are working days of the years."""
    works, draw = working_days(), np.random.default_rng(dates_each)
    told = ShiftPolicy(days=180, **policy)
    offsets = Shifter(KEY, "people", told).offsets([f"s{n}" for n in range(subjects)])
    possible = np.array([n for n in range(-180, 181) if n and (not told.weeks or n % 7 == 0)])
    undone = 0
    for offset in offsets:
        shifted = draw.choice(np.flatnonzero(works), dates_each) + offset
        guessed = shifted[:, None] - possible
        fits = ((guessed >= 0) & (guessed < works.size)).all(axis=0)
        fits[fits] = works[guessed[:, fits]].all(axis=0)
        assert offset in possible[fits]
        undone += fits.sum() == 1
    return undone / subjects


@pytest.mark.parametrize(
    ("dates_each", "least", "most"), [(1, 0, 0.02), (10, 0.02, 0.25), (20, 0.3, 0.6), (50, 0.9, 1), (100, 0.98, 1)]
)
def test_dates_of_one_subject_tell_how_far_they_were_shifted(dates_each: int, least: float, most: float) -> None:
    """Whoever has dozens of dates on working days is undone, by the calendar alone: the page tells it."""
    assert least <= subjects_undone(dates_each) <= most


def test_whole_weeks_do_not_hide_better() -> None:
    assert subjects_undone(50, weeks=True) > 0.85


def error_after(epochs: int, rows: int = 1_000) -> float:
    """Median error of an amount reckoned from copies of so many epochs, as a share of it; noise of 5 %."""
    amounts = [Decimal(n) for n in range(10_000, 10_000 + rows)]
    low, high = np.zeros(rows), np.full(rows, np.inf)
    for epoch in range(epochs):
        key = MaskingKey(epoch=f"e{epoch}", secret=SECRET)
        seen = np.array(Noiser(key, "t", NoisePolicy(amount_share=Decimal("0.05"))).values(amounts, amounts).column, float)
        low, high = np.maximum(low, seen / 1.05), np.minimum(high, seen / 0.95)
    exact = np.array(amounts, float)
    return float(np.median(np.abs((low + high) / 2 - exact) / exact))


def test_noise_is_worn_off_by_more_epochs_and_not_by_more_runs_of_one() -> None:
    amounts = [Decimal(n) for n in range(10_000, 10_200)]
    runs = {tuple(Noiser(KEY, "t").values(amounts, amounts).column) for _ in range(3)}
    assert len(runs) == 1
    assert 0.02 < error_after(1) < 0.03
    assert 0.006 < error_after(4) < 0.010
    assert 0.0015 < error_after(12) < 0.004


def shares(rule: ResolvedRule, amounts: list[Decimal]) -> np.ndarray:
    """By what share each row of a table moved; rows are named 0, 1, 2 …"""
    moved = Noiser(KEY, rule.join_domain, noise_policy(rule, 2)).values(amounts, list(range(len(amounts)))).column
    return np.array([float((new - old) / old) for old, new in zip(amounts, moved, strict=True)])


def test_rows_of_one_number_in_two_tables_move_apart() -> None:
    """Seen to fail while noise had one domain: row 7 of all tables moved by one share, and a known amount undid the others."""
    of_orders = "technique: noise, parameters: {percent: 10}"
    policy = a_policy(("technique: buckets, parameters: {edges: [0, 100, 1000]}", of_orders))
    rules = [policy.rule(*place) for place in (("app.people", "income"), ("app.orders", "amount"))]
    one, other = (shares(rule, [Decimal("1000.00") + n for n in range(500)]) for rule in rules if rule)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.2


def test_a_group_of_one_row_hardly_moves() -> None:
    """Its sum stays, so it stays: the page tells it."""
    amounts, policy = [Decimal("1000.00")] * 300, NoisePolicy(amount_share=Decimal("0.05"), sum_share=Decimal("0.001"))
    for rows, least, most in ((1, 0, 1), (20, 10, 30)):
        moved = Noiser(KEY, "t", policy).values(amounts, list(range(300)), [n // rows for n in range(300)]).column
        assert least <= float(np.median([abs(new - 1000) for new in moved])) <= most


def test_whole_numbers_under_the_reciprocal_of_the_share_stay() -> None:
    """At 5 % a count of 19 cannot move by one: the page tells it."""
    counts = list(range(1, 40))
    moved = Noiser(KEY, "t", NoisePolicy(amount_share=Decimal("0.05"), minor_digits=0)).values(counts, counts)
    assert moved.fixed == 19 and moved.column[:19] == counts[:19]
    assert moved.column[19:] != counts[19:]


def test_how_often_a_value_occurs_names_the_commonest() -> None:
    """Values drawn by Zipf's law, matched by rank with a list of the same people from elsewhere."""
    size, rows = 5_000, 200_000
    chance = 1 / np.arange(1, size + 1)
    draws = [np.random.default_rng(seed).choice(size, rows, p=chance / chance.sum()) for seed in (1, 2)]
    real = [f"{n:07}" for n in range(1_000_000, 1_000_000 + size)]
    masked = np.array(pseudonyms("order_no", real, KEY))
    owner = dict(zip(masked.tolist(), real, strict=True))
    seen, known = Counter(masked[draws[0]].tolist()).most_common(), Counter(draws[1].tolist()).most_common()
    named = sum(n for (value, n), (guess, _) in zip(seen, known, strict=False) if owner[value] == real[guess])
    assert [owner[value] for value, _ in seen[:10]] == [real[guess] for guess, _ in known[:10]]
    assert 0.3 < named / rows < 0.6


def test_area_band_and_a_shifted_birth_date_single_people_out_in_small_copies() -> None:
    """Whoever knows area and birth date looks for ids of that area and decade whose shifted date lies within 180 days."""

    def alone(people: int) -> float:
        draw, found = np.random.default_rng(people), list[int]()
        offsets = Shifter(KEY, "people", ShiftPolicy(days=180)).offsets([f"p{n}" for n in range(people)])
        for _ in range(20):
            born = draw.integers(0, 365 * 60, people)
            near = (np.abs((born + offsets)[None, :] - born[:, None]) <= 180) & (born[None, :] // 3653 == born[:, None] // 3653)
            found += near.sum(axis=1).tolist()
        return float((np.array(found) == 1).mean())

    assert 0.5 < alone(33) < 0.7  # of one county, in a copy of 100,000 people
    assert alone(333) < 0.03

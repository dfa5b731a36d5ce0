"""Rates are learned from this database's own runs; few runs, odd runs and no runs end on the safe side."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.actions import ACTIONS
from drydock.changing.rates import COLD_MULTIPLE, DEFAULTS, HALF_LIFE_DAYS, MIB, Rates, size_class, weighted_quantile
from drydock.outcomes import Measured
from drydock.plans import Candidate, Estimate, LockKind, ObjectKind, ObjectRef

NOW = datetime(2026, 11, 22, 1, tzinfo=UTC)


def a_run(mib: float, elapsed_s: float, days_ago: float = 7, action: str = "online_copy", **more: object) -> Measured:
    ended_at = NOW - timedelta(days=days_ago)
    plain = {"freed_bytes": 0, "log_bytes": 0}
    return Measured(action=action, work_bytes=int(mib * MIB), elapsed_s=elapsed_s, ended_at=ended_at, **(plain | more))


def estimate_of(runs: list[Measured], mib: float = 1000, action: str = "online_copy", log_bytes: int | None = None) -> Estimate:
    ref, work_bytes = ObjectRef(kind=ObjectKind.TABLE, owner="a", name="t"), int(mib * MIB)
    candidate = Candidate(
        object=ref, action=action, reason="holes", size_bytes=work_bytes, work_bytes=work_bytes, freed_bytes=1,
        log_bytes=log_bytes, lock=LockKind.SHORT,
    )  # fmt: skip
    return Rates.learn(runs, NOW).estimate(candidate)


def test_a_cold_start_takes_safe_defaults_and_says_so() -> None:
    cold = estimate_of([])
    assert (cold.runs, cold.expected_s) == (0, 15 + 1000 / 20)
    assert cold.worst_s == COLD_MULTIPLE * cold.expected_s
    assert cold.log_bytes == pytest.approx(1.2 * 1000 * MIB, abs=1)
    assert estimate_of([], log_bytes=777).log_bytes == 777


def test_many_are_estimated_as_one_by_one() -> None:
    rates = Rates.learn([a_run(mib, mib / 90 + 1, days_ago=mib / 100) for mib in range(100, 1100, 100)], NOW)
    ref = ObjectRef(kind=ObjectKind.TABLE, owner="a", name="t")
    plain = {"object": ref, "reason": "holes", "size_bytes": 1, "freed_bytes": 1, "lock": LockKind.SHORT}
    found = [
        Candidate(action=a, work_bytes=n * MIB, **plain) for n, a in ((5, "online_copy"), (9000, "online_copy"), (1, "shrink"))
    ]
    assert rates.estimate_all(found) == [rates.estimate(c) for c in found]


def test_an_unknown_action_is_taken_for_the_slowest() -> None:
    unknown = estimate_of([], action="never_heard_of")
    assert all(unknown.expected_s >= estimate_of([], action=action).expected_s for action in DEFAULTS)


def test_rates_of_one_action_teach_nothing_of_another() -> None:
    assert estimate_of([a_run(1000, 5, action="shrink")]).runs == 0


def test_one_run_scales_the_default_line_and_keeps_much_doubt() -> None:
    learned = estimate_of([a_run(1000, 6.5)])
    assert (learned.runs, round(learned.expected_s, 2)) == (1, 6.5)
    assert learned.worst_s >= 2 * learned.expected_s


def test_many_runs_draw_their_own_line() -> None:
    chance = random.Random(4)
    runs = [a_run(mib, (3 + mib / 120) * chance.lognormvariate(0, 0.05), days_ago=n) for n, mib in enumerate(range(50, 3000, 60))]
    for mib in (100, 1000, 2800):
        learned = estimate_of(runs, mib)
        assert learned.expected_s == pytest.approx(3 + mib / 120, rel=0.15)
        assert 1.2 <= learned.worst_s / learned.expected_s <= 2.6


def test_one_wild_run_moves_the_worst_case_and_not_the_expected() -> None:
    runs = [a_run(mib, mib / 100, days_ago=n) for n, mib in enumerate(range(100, 2100, 100))]
    wild = [*runs, a_run(1000, 100, days_ago=3)]
    assert estimate_of(wild).expected_s == pytest.approx(10, rel=0.1)
    assert estimate_of(wild).worst_s >= 100


def test_the_margin_shrinks_with_every_run() -> None:
    over = [estimate_of([a_run(1000, 10, days_ago=d) for d in range(1, n)]) for n in (2, 4, 10, 40)]
    ratios = [e.worst_s / e.expected_s for e in over]
    assert ratios == sorted(ratios, reverse=True)
    assert 2 < ratios[-1] < 2.6 and ratios[0] == COLD_MULTIPLE


def test_beyond_anything_measured_the_doubt_grows_again() -> None:
    runs = [a_run(mib, mib / 100, days_ago=mib / 100) for mib in range(100, 1100, 100)]
    near, far = estimate_of(runs, 1000), estimate_of(runs, 16_000)
    assert far.worst_s / far.expected_s >= 2.0 * near.worst_s / near.expected_s


def test_newer_runs_count_more() -> None:
    old = [a_run(1000, 10, days_ago=4 * HALF_LIFE_DAYS + n) for n in range(8)]
    new = [a_run(1000, 30, days_ago=n) for n in range(4)]
    assert estimate_of([*old, *new]).expected_s == pytest.approx(30, rel=0.05)


def test_a_size_class_that_is_always_slower_gets_its_own_factor() -> None:
    small = [a_run(10, 1 + 10 / 400, days_ago=n) for n in range(1, 20)]
    large = [a_run(4000 + 10 * n, 1 + (4000 + 10 * n) / 50, days_ago=n) for n in range(1, 12)]
    learned = [estimate_of([*small, *large], mib).expected_s for mib in (10, 4000)]
    assert learned == [pytest.approx(1.025, rel=0.25), pytest.approx(81, rel=0.1)]
    assert [size_class(int(mib * MIB)) for mib in (0, 7, 8, 63, 64, 4096)] == [0, 0, 1, 1, 2, 4]


def test_what_was_stopped_was_at_least_that_long() -> None:
    only_stopped = estimate_of([a_run(1000, 4000, is_whole=False)])
    assert (only_stopped.runs, only_stopped.worst_s >= 8000) == (0, True)
    runs = [a_run(1000, 10, days_ago=d) for d in range(2, 9)]
    assert estimate_of([*runs, a_run(1000, 500, is_whole=False)]).worst_s >= 500


def test_logs_follow_the_formula_as_it_was_found_wrong() -> None:
    runs = [a_run(100, 10, days_ago=d, log_bytes=300, formula_log_bytes=100) for d in range(1, 20)]
    assert estimate_of(runs, log_bytes=1000).log_bytes == pytest.approx(2900, rel=0.02)
    assert estimate_of([a_run(100, 10, log_bytes=0, formula_log_bytes=100)], log_bytes=1000).log_bytes == 1000


def test_runs_of_the_future_and_their_order_are_nothing() -> None:
    runs = [a_run(mib, mib / 90 + 1, days_ago=mib / 100) for mib in range(100, 1100, 100)]
    assert estimate_of(runs[::-1]) == estimate_of(runs) == estimate_of([*runs, a_run(500, 9999, days_ago=-1)])


lists_of_runs = st.lists(
    st.tuples(st.floats(0, 10**6), st.floats(0, 10**6), st.floats(0, 400), st.booleans(), st.integers(0, 10**12)), max_size=30
)


@settings(max_examples=60, deadline=None)
@given(lists_of_runs, st.floats(0, 10**7))
def test_whatever_was_measured_an_estimate_is_a_sane_figure(figures, mib) -> None:
    runs = [a_run(size, took, days_ago=d, is_whole=whole, log_bytes=log) for size, took, d, whole, log in figures]
    learned = estimate_of(runs, mib)
    assert 0 < learned.expected_s < learned.worst_s < float("inf")
    assert learned.runs == sum(r.is_whole for r in runs)


def test_a_weighted_quantile_counts_weights() -> None:
    import numpy as np

    assert weighted_quantile(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 5.0]), 0.5) == 2.0
    assert weighted_quantile(np.array([1.0, 9.0]), np.array([1.0, 3.0]), 0.2) == 1.0


def test_every_action_has_its_safe_figures() -> None:
    assert set(DEFAULTS) == {name for by_engine in ACTIONS.values() for names in by_engine.values() for name in names}

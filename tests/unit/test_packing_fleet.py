"""A small simulated fleet, as `python -m bench packing` lives it: no window overrun, near the optimum."""

from __future__ import annotations

import itertools

import pytest

from bench.packing import (
    LEAST_REACHED,
    benefit_of,
    fleet_lines,
    make_candidates,
    make_runs,
    optimum_of,
    plan_once,
    planning_lines,
)
from bench.packing_fleet import live, make_database
from drydock.changing.packing import Packed
from drydock.policy import ChangePolicy


@pytest.fixture(scope="module")
def nights() -> list:
    return list(itertools.chain.from_iterable(live(make_database(number, seed=4), 8) for number in range(3)))


def test_no_window_is_overrun_and_the_benefit_is_near_the_optimum(nights: list) -> None:
    assert [night.overrun_s for night in nights if night.overrun_s] == []
    reached = [(benefit_of(night), optimum_of(night)) for night in nights[::3]]
    assert sum(ours for ours, _ in reached) >= LEAST_REACHED * sum(best for _, best in reached)
    assert all(ours <= best * 1.0001 for ours, best in reached)


def test_a_poor_plan_would_be_seen(nights: list) -> None:
    busy = max(nights, key=lambda night: len(night.packed.items))
    poor = type(busy)(**(vars(busy) | {"packed": Packed(items=busy.packed.items[-1:], carried=())}))
    assert benefit_of(poor) < LEAST_REACHED * optimum_of(busy)


def test_the_same_seed_lives_the_same_year(nights: list) -> None:
    again = list(live(make_database(0, seed=4), 8))
    assert [night.freed_bytes for night in again] == [night.freed_bytes for night in nights[:8]]


def test_the_benchmark_tells_what_it_promises() -> None:
    (plan, growth) = planning_lines((200, 400))[1:]
    assert (plan.what, growth.what) == ("plan 400 candidates", "plan from 200 to 400")
    assert [line.held for line in fleet_lines(1, 2)] == [True] * 4
    plan_once(make_candidates(10), make_runs(), ChangePolicy())

"""The part of an exhaustive run that `make test` meets."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.thorough import VARIABLE, points


@pytest.fixture(autouse=True)
def usual_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.mark.parametrize(("count", "usual"), [(3, 2), (10, 3), (100, 7), (1001, 40), (41, 40)])
def test_a_part_is_fixed_in_order_and_spread(count: int, usual: int) -> None:
    part = list(points(range(count), usual))
    assert part == list(points(range(count), usual)) == sorted(set(part))
    assert len(part) == usual and (part[0], part[-1]) == (0, count - 1)
    assert max(b - a for a, b in pairwise(part)) <= 2 * -(-count // max(usual - 2, 1))


def test_every_kind_is_met_even_a_rare_one() -> None:
    kinds = ["plain"] * 500 + ["rare"] + ["plain"] * 300 + ["other"] * 2
    part = points(list(enumerate(kinds)), 5, kind=lambda point: point[1])
    assert {kind for _, kind in part} == {"plain", "rare", "other"} and len(part) <= 7


def test_more_kinds_than_usual_are_all_met() -> None:
    assert len(points(range(20), 4, kind=lambda n: n)) == 20


def test_few_points_are_all_met() -> None:
    assert list(points("abc", 5)) == ["a", "b", "c"] and list(points([], 5)) == []


def test_a_thorough_run_meets_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "1")
    assert points(range(100), 7) == range(100)
    monkeypatch.setenv(VARIABLE, "0")
    assert len(points(range(100), 7)) == 7


def test_one_point_is_no_part() -> None:
    with pytest.raises(ValueError):
        points(range(9), 1)

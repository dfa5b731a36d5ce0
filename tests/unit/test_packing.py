"""One night's work: what surely fits, the most of it, in a sensible order, and nothing waits for ever."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import combinations, permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.changing.packing import OVERDUE_NIGHTS, Packed, night_budget, pack
from drydock.changing.rates import Rates
from drydock.plans import Budget, Candidate, Estimate, LockKind, ObjectKind, ObjectRef, WorkItem
from drydock.policy import ApprovalMode, ApprovalPolicy, ChangePolicy

POLICY = ChangePolicy(window_share=1.0)
HOUR = Budget(window_s=3600, log_bytes=10**12, items=100)


def a_candidate(name: str, freed_bytes: int = 1000, **more: object) -> Candidate:
    ref = ObjectRef(kind=ObjectKind.TABLE, owner="app", name=name)
    plain = {"action": "online_copy", "reason": "holes", "size_bytes": freed_bytes, "work_bytes": freed_bytes}
    return Candidate(object=ref, freed_bytes=freed_bytes, lock=LockKind.SHORT, **(plain | more))


def an_estimate(expected_s: float, worst_s: float = 0.0, log_bytes: int = 0) -> Estimate:
    return Estimate(expected_s=expected_s, worst_s=worst_s or expected_s, log_bytes=log_bytes, runs=3)


def names(packed: Packed) -> list[str]:
    return [i.candidate.object.name for i in packed.items]


def reasons(packed: Packed) -> dict[str, str]:
    return {c.candidate.object.name: c.reason for c in packed.carried}


def key_of(candidate: Candidate) -> str:
    return WorkItem(number=1, candidate=candidate, estimate=an_estimate(1)).key


def packed_of(*lines: tuple[Candidate, Estimate], budget: Budget = HOUR, policy: ChangePolicy = POLICY, **nights: int) -> Packed:
    by_key = {key_of(c): nights.get(c.object.name, 0) for c, _ in lines}
    return pack([c for c, _ in lines], [e for _, e in lines], by_key, budget, policy)


def assert_it_fits(packed: Packed, budget: Budget, policy: ChangePolicy) -> None:
    began = 0.0
    for number, item in enumerate(packed.items, start=1):
        assert item.number == number
        assert began + item.estimate.worst_s <= budget.window_s + 0.01
        began += item.estimate.expected_s
    assert began <= budget.window_s * policy.window_share + 0.01
    assert sum(i.estimate.log_bytes for i in packed.items) <= budget.log_bytes
    assert len(packed.items) <= budget.items


def test_what_fits_is_taken_best_per_minute_first() -> None:
    packed = packed_of(
        (a_candidate("slow", 1000), an_estimate(1000)),
        (a_candidate("good", 900), an_estimate(100)),
        (a_candidate("poor", 10), an_estimate(500)),
    )
    assert names(packed) == ["good", "slow", "poor"]
    assert packed.carried == ()


def test_the_better_half_goes_when_not_all_fits() -> None:
    packed = packed_of(*((a_candidate(f"t{n}", 100 + n), an_estimate(1000)) for n in range(5)))
    assert sorted(names(packed)) == ["t2", "t3", "t4"]
    assert reasons(packed) == {"t1": "window_full", "t0": "window_full"}


def test_nothing_starts_whose_worst_case_does_not_fit() -> None:
    long = (a_candidate("long", 10**6), an_estimate(100, 3601))
    late = (a_candidate("late", 10), an_estimate(100, 3600))
    packed = packed_of(long, late, (a_candidate("quick", 10**5), an_estimate(100)))
    assert names(packed) == ["late", "quick"]  # late may only start at once
    assert reasons(packed) == {"long": "longer_than_window"}


def test_what_keeps_its_work_is_taken_in_parts_when_it_is_longer_than_a_window() -> None:
    huge = a_candidate("huge", 10**6, is_resumable=True), an_estimate(36_000, 90_000, 1000)
    whole = a_candidate("whole", 10**6), an_estimate(36_000, 90_000, 1000)
    packed = packed_of(huge, whole, (a_candidate("small", 10**5), an_estimate(600)))
    assert [(i.candidate.object.name, i.estimate.expected_s, i.estimate.worst_s) for i in packed.items] == [
        ("small", 600, 600),
        ("huge", 1800, 1800),
    ]
    assert packed.items[1].estimate.log_bytes == 50
    assert [(c.candidate.object.name, c.estimate.expected_s) for c in packed.carried] == [("whole", 36_000)]
    fits = packed_of((huge[0], an_estimate(1000, 3600)))
    assert fits.items[0].estimate.expected_s == 1000, "what fits is taken whole"


def test_the_planned_share_of_the_window_is_kept() -> None:
    policy = ChangePolicy(window_share=0.5)
    packed = packed_of(*((a_candidate(f"t{n}"), an_estimate(1000)) for n in range(4)), policy=policy)
    assert len(packed.items) == 1


def test_logs_and_places_are_budgets_too() -> None:
    lines = [(a_candidate(f"t{n}", 100 + n), an_estimate(10, 10, 60)) for n in range(3)]
    assert reasons(packed_of(*lines, budget=HOUR.model_copy(update={"log_bytes": 130}))) == {"t0": "log_budget_full"}
    assert reasons(packed_of(*lines, budget=HOUR.model_copy(update={"items": 2}))) == {"t0": "items_full"}
    assert set(reasons(packed_of(*lines, budget=HOUR.model_copy(update={"log_bytes": 59}))).values()) == {"log_above_budget"}


def test_unusable_indexes_go_before_everything() -> None:
    broken = (a_candidate("broken", 0, first=True), an_estimate(3000))
    packed = packed_of((a_candidate("fat", 10**9), an_estimate(1000)), broken, (a_candidate("thin", 5), an_estimate(500)))
    assert names(packed) == ["broken", "thin"]


def test_of_what_is_urgent_the_choice_goes_by_what_it_buys() -> None:
    """Nothing comes back of any of them: who stops writers goes before who stops queries, however long it takes."""
    lines = [
        (a_candidate(name, 0, first=True, reason=reason, evidence={"unique": unique}, use_weight=weight), an_estimate(seconds))
        for name, reason, unique, weight, seconds in [
            *((f"small{n}", "unusable", False, 3.0, 60) for n in range(40)),
            ("read", "unusable", False, 9.0, 600),
            ("bad", "corrupt", True, 9.0, 60),
            ("key", "unusable", True, 1.0, 1500),
        ]
    ]
    left = (a_candidate("old", 10**9, first=True, reason="leftover_index"), an_estimate(60))
    packed = packed_of(*lines, left, (a_candidate("fat", 10**12), an_estimate(60)))
    assert names(packed)[0] == "key" and "fat" not in names(packed) and "bad" not in names(packed)
    assert len(names(packed)) == 36, "the rest of the hour is for the small ones"
    assert [c.candidate.object.name for c in packed.carried][-3:] == ["bad", "old", "fat"]
    evening = HOUR.model_copy(update={"window_s": 1600})
    assert names(packed_of(*lines, budget=evening))[:2] == ["key", "small0"]
    two = [line for line in lines if line[0].object.name in ("read", "small7")]
    assert names(packed_of(*two, budget=HOUR.model_copy(update={"items": 1}))) == ["read"], "its use is what it buys"


def test_use_and_waiting_raise_the_benefit() -> None:
    lines = [(a_candidate("plain", 100), an_estimate(3600)), (a_candidate("used", 60, use_weight=2.0), an_estimate(3600))]
    assert names(packed_of(*lines)) == ["used"]
    assert names(packed_of(*lines, plain=1)) == ["plain"]


def test_what_a_person_must_name_takes_no_room_where_nobody_is_asked() -> None:
    lines = [(a_candidate("full", 10**9, needs_naming=True), an_estimate(3600)), (a_candidate("plain", 5), an_estimate(1800))]
    assert names(packed_of(*lines)) == ["full"]
    nobody = ChangePolicy(window_share=1.0, approval=ApprovalPolicy(mode=ApprovalMode.STANDING))
    assert names(packed_of(*lines, policy=nobody)) == ["plain"]


def test_a_night_without_room_or_work_is_empty() -> None:
    assert packed_of() == Packed(items=(), carried=())
    none = Budget(window_s=0, log_bytes=0, items=0)
    assert reasons(packed_of((a_candidate("t"), an_estimate(1)), budget=none)) == {"t": "longer_than_window"}


def test_the_budget_of_a_night_keeps_the_reserve_and_the_smaller_log() -> None:
    assert night_budget(3600, POLICY) == Budget(window_s=3000, log_bytes=POLICY.max_log_bytes, items=200)
    assert night_budget(100, POLICY, 7) == Budget(window_s=0, log_bytes=7, items=200)


sizes = st.lists(
    st.tuples(st.integers(1, 50), st.floats(1, 4), st.integers(0, 40), st.integers(1, 100), st.booleans()), min_size=1, max_size=6
)


def lines_of(figures: list[tuple[int, float, int, int, bool]], may_be_first: bool = True) -> list[tuple[Candidate, Estimate]]:
    return [
        (a_candidate(f"t{n}", freed, first=first and may_be_first), an_estimate(length, length * worse, log))
        for n, (length, worse, log, freed, first) in enumerate(figures)
    ]


@settings(max_examples=60, deadline=None)
@given(sizes, st.integers(10, 120), st.integers(0, 100), st.integers(1, 5), st.randoms(use_true_random=False))
def test_it_always_fits_and_the_order_of_the_facts_is_nothing(figures, window_s, log_bytes, items, chance) -> None:
    lines, budget = lines_of(figures), Budget(window_s=window_s, log_bytes=log_bytes, items=items)
    packed = packed_of(*lines, budget=budget)
    assert_it_fits(packed, budget, POLICY)
    assert len(packed.items) + len(packed.carried) == len(lines)
    flags = [i.candidate.first for i in packed.items]
    assert flags == sorted(flags, reverse=True)
    chance.shuffle(lines)
    assert packed_of(*lines, budget=budget) == packed


def best_by_trying(lines: list[tuple[Candidate, Estimate]], budget: Budget) -> int:
    """The most benefit of any set that some order fits: every set, every order."""
    best = 0
    for count in range(len(lines) + 1):
        for chosen in combinations(lines, count):
            freed = sum(c.freed_bytes for c, _ in chosen)
            within = count <= budget.items and sum(e.log_bytes for _, e in chosen) <= budget.log_bytes
            if freed > best and within and any(_order_fits(order, budget.window_s) for order in permutations(chosen)):
                best = freed
    return best


def _order_fits(order: tuple[tuple[Candidate, Estimate], ...], window_s: float) -> bool:
    began = 0.0
    for _, estimate in order:
        if began + estimate.worst_s > window_s:
            return False
        began += estimate.expected_s
    return True


@settings(max_examples=40, deadline=None)
@given(sizes, st.integers(10, 120), st.integers(20, 100), st.integers(1, 5))
def test_small_nights_reach_the_optimum(figures, window_s, log_bytes, items) -> None:
    lines, budget = lines_of(figures, may_be_first=False), Budget(window_s=window_s, log_bytes=log_bytes, items=items)
    packed = packed_of(*lines, budget=budget)
    assert sum(i.candidate.freed_bytes for i in packed.items) >= 0.8 * best_by_trying(lines, budget)


@settings(max_examples=10, deadline=None)
@given(st.integers(10, 60), st.lists(st.integers(0, 30), max_size=6), st.integers(1, 10**9))
def test_nothing_starves_that_fits_alone(length, waiting, worth) -> None:
    """Every night brings a new window full of work that pays a billion times more; still it is reached."""
    assert any("poor" in names(packed) for packed in nights_of_riches(length, waiting, worth))


def nights_of_riches(length: int, waiting: list[int], worth: int) -> Iterator[Packed]:
    """As many nights as it may take, each after what the one before left."""
    budget = Budget(window_s=60, log_bytes=1, items=10)
    poor = (a_candidate("poor", 1), an_estimate(length))
    others = [(a_candidate(f"older{n}", 2), an_estimate(60)) for n in range(len(waiting))]
    nights = {key_of(c): waited for (c, _), waited in zip(others, waiting, strict=True)}
    for night in range(OVERDUE_NIGHTS + len(waiting) + 2):
        rich = [(a_candidate(f"rich{night}_{n}", 10**9 * worth), an_estimate(6)) for n in range(10)]
        lines = [poor, *others, *rich]
        packed = pack([c for c, _ in lines], [e for _, e in lines], nights, budget, POLICY)
        yield packed
        nights = {key_of(c.candidate): c.nights_waiting + 1 for c in packed.carried}
        others = [line for line in others if key_of(line[0]) in nights]


def test_a_hundred_thousand_candidates_are_planned_in_seconds() -> None:
    found = [a_candidate(f"t{n}", 10**6 + n * 7919 % 10**9) for n in range(10_000)]
    rates = Rates.learn([], datetime.now(UTC))
    began = time.process_time()
    packed = pack(found, rates.estimate_all(found), {}, HOUR, POLICY)
    assert time.process_time() - began < 2  # a tenth of the candidates; the benchmark measures all of them
    assert_it_fits(packed, HOUR, POLICY)

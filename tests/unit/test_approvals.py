"""Nothing is open unless it is told open: answers, standing approvals, four eyes, and items that a person must name."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.changing.approvals import Ask, items_within_limits, items_within_standing, who_must_answer, why_void
from drydock.outcomes import ApprovalAnswer, Decision
from drydock.plans import Budget, Candidate, Estimate, LockKind, ObjectKind, ObjectRef, Plan, WorkItem
from drydock.policy import ApprovalMode, ApprovalPolicy, ChangePolicy, StandingApproval

NOW = datetime(2026, 11, 21, 23, tzinfo=UTC)
TODAY = NOW.date()
GB = 10**9


def an_item(
    number: int, action: str = "shrink", size_bytes: int = GB, worst_s: float = 60, needs_naming: bool = False
) -> WorkItem:
    ref = ObjectRef(kind=ObjectKind.TABLE, owner="app", name=f"t{number}")
    candidate = Candidate(
        object=ref, action=action, reason="holes", size_bytes=size_bytes, work_bytes=1, freed_bytes=1, lock=LockKind.SHORT,
        needs_naming=needs_naming,
    )  # fmt: skip
    return WorkItem(number=number, candidate=candidate, estimate=Estimate(expected_s=1, worst_s=worst_s, log_bytes=0, runs=0))


def a_plan(*items: WorkItem, database: str = "db") -> Plan:
    begin = NOW + timedelta(hours=2)
    budget = Budget(window_s=3600, log_bytes=1, items=10)
    return Plan(
        pipeline="reclaim", database=database, window_start=begin, window_end=begin + timedelta(hours=4), budget=budget,
        items=items, planned_at=NOW - timedelta(hours=9),
    )  # fmt: skip


def a_standing(action: str = "shrink", **more: object) -> StandingApproval:
    plain = {"max_bytes_each": 2 * GB, "max_minutes_each": 5, "max_items": 10, "granted_by": "li"}
    days = {"granted_on": date(2026, 1, 1), "valid_until": date(2026, 12, 31)}
    return StandingApproval(action=action, **(plain | days | more))


def a_policy(mode: ApprovalMode = ApprovalMode.ALWAYS, *standing: StandingApproval, **more: object) -> ChangePolicy:
    return ChangePolicy(approval=ApprovalPolicy(mode=mode, standing=standing, **more))


def an_answer(
    plan: Plan, *chosen: int, decision: Decision = Decision.APPROVED, by: str = "wang", **more: object
) -> ApprovalAnswer:
    times = {"asked_at": NOW - timedelta(hours=8), "answered_at": NOW - timedelta(hours=3)}
    return ApprovalAnswer(**({"plan_hash": plan.hash, "decision": decision, "chosen": chosen, "by": by} | times | more))


PLAN = a_plan(an_item(1), an_item(2, needs_naming=True), an_item(3))
ALWAYS = a_policy()


def test_a_yes_of_a_person_opens_what_was_chosen() -> None:
    answer = an_answer(PLAN, 1, 2)
    assert [why_void(PLAN, answer, ALWAYS, NOW, "zhao", n) for n in (None, 1, 2, 3)] == ["", "", "", "item_not_chosen"]
    assert why_void(PLAN, an_answer(PLAN, 1), ALWAYS, NOW, "zhao", 2) == "needs_naming"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (None, "not_approved"),
        (an_answer(a_plan(an_item(1)), 1), "plan_changed"),
        (an_answer(PLAN, 1, decision=Decision.REJECTED), "rejected"),
        (an_answer(PLAN, 1, decision=Decision.NO_ANSWER), "no_answer"),
        (an_answer(PLAN, 1, answered_at=NOW - timedelta(hours=72, seconds=1)), "answer_too_old"),
        (an_answer(PLAN, 1, answered_at=NOW + timedelta(minutes=6)), "answer_too_old"),
        (an_answer(PLAN, 1, by=""), "not_approved"),
        (an_answer(PLAN, 1, by="Zhao"), "four_eyes"),
        (an_answer(PLAN, 1, by="17", by_name="zhao"), "four_eyes"),
        (an_answer(PLAN, 1, decision=Decision.STANDING), "standing_ended"),
    ],
)
def test_an_answer_that_opens_nothing_says_why(answer: ApprovalAnswer | None, why: str) -> None:
    assert why_void(PLAN, answer, ALWAYS, NOW, "zhao", 1) == why


def test_one_changed_figure_is_another_plan() -> None:
    answer = an_answer(PLAN, 1)
    changed = PLAN.model_copy(update={"items": (an_item(1, size_bytes=GB + 1), *PLAN.items[1:])})
    assert why_void(Plan.model_validate(changed.model_dump()), answer, ALWAYS, NOW, "", 1) == "plan_changed"
    assert why_void(a_plan(*PLAN.items, database="other"), answer, ALWAYS, NOW, "", 1) == "plan_changed"


def test_who_may_answer_and_whether_four_eyes_are_wanted() -> None:
    listed = a_policy(approvers=("li", "wang"))
    assert why_void(PLAN, an_answer(PLAN, 1), listed, NOW, "", 1) == ""
    assert why_void(PLAN, an_answer(PLAN, 1, by="sun"), listed, NOW, "", 1) == "not_an_approver"
    assert why_void(PLAN, an_answer(PLAN, 1), a_policy(four_eyes=False), NOW, "wang", 1) == ""
    assert why_void(PLAN, an_answer(PLAN, 1), ALWAYS, NOW, "", 1) == ""  # the schedule started it


def test_limits_of_a_standing_approval() -> None:
    plan = a_plan(
        an_item(1), an_item(2, action="move"), an_item(3, size_bytes=3 * GB), an_item(4, worst_s=301),
        an_item(5, needs_naming=True), an_item(6), an_item(7),
    )  # fmt: skip
    assert items_within_limits(plan, a_policy(ApprovalMode.STANDING, a_standing()), TODAY) == (1, 6, 7)
    assert items_within_limits(plan, a_policy(ApprovalMode.STANDING, a_standing(max_items=2)), TODAY) == (1, 6)
    two = a_policy(ApprovalMode.STANDING, a_standing(max_items=1), a_standing("move"))
    assert items_within_limits(plan, two, TODAY) == (1, 2)
    for days in ({"valid_until": TODAY - timedelta(days=1)}, {"granted_on": TODAY + timedelta(days=1)}):
        assert items_within_limits(plan, a_policy(ApprovalMode.STANDING, a_standing(**days)), TODAY) == ()


def test_who_is_asked() -> None:
    small, mixed = a_plan(an_item(1)), a_plan(an_item(1), an_item(2, size_bytes=9 * GB))
    deadline = small.window_end - timedelta(minutes=10)
    expected = {
        (ApprovalMode.ALWAYS, "small"): (True, ()),
        (ApprovalMode.ALWAYS, "mixed"): (True, ()),
        (ApprovalMode.ABOVE_LIMITS, "small"): (False, (1,)),
        (ApprovalMode.ABOVE_LIMITS, "mixed"): (True, ()),
        (ApprovalMode.STANDING, "small"): (False, (1,)),
        (ApprovalMode.STANDING, "mixed"): (False, (1,)),
    }
    for (mode, which), (asks, standing) in expected.items():
        plan, policy = {"small": small, "mixed": mixed}[which], a_policy(mode, a_standing())
        assert who_must_answer(plan, policy, TODAY) == Ask(needs_person=asks, items_standing=standing, deadline=deadline)
    assert not who_must_answer(a_plan(), ALWAYS, TODAY).needs_person


def test_a_standing_approval_is_judged_again_when_work_begins() -> None:
    policy = a_policy(ApprovalMode.STANDING, a_standing())
    answer = an_answer(PLAN, 1, 2, 3, decision=Decision.STANDING, by="")
    assert [why_void(PLAN, answer, policy, NOW, "zhao", n) for n in (None, 1, 2, 3)] == ["", "", "needs_naming", ""]
    shrunk = a_policy(ApprovalMode.STANDING, a_standing(max_bytes_each=1))
    assert [why_void(PLAN, answer, shrunk, NOW, "", n) for n in (None, 1)] == ["standing_ended", "standing_ended"]
    assert why_void(PLAN, an_answer(PLAN, 1, decision=Decision.STANDING), policy, NOW, "", 3) == "item_not_chosen"


items = st.lists(st.tuples(st.sampled_from(["shrink", "move"]), st.integers(1, 3 * GB), st.booleans()), min_size=1, max_size=5)
standings = st.lists(st.builds(a_standing, st.sampled_from(["shrink", "move"]), max_items=st.integers(1, 5)), max_size=3)


@settings(max_examples=100, deadline=None)
@given(
    items,
    standings,
    st.sampled_from(ApprovalMode),
    st.sampled_from(Decision),
    st.sets(st.integers(1, 6)),
    st.sampled_from(["", "wang", "zhao"]),
    st.booleans(),
)
def test_nothing_opens_what_must_be_named_but_a_person_who_chose_it(
    figures, standing, mode, decision, chosen, by, four_eyes
) -> None:
    plan = a_plan(*(an_item(n, action, size, needs_naming=named) for n, (action, size, named) in enumerate(figures, start=1)))
    policy = a_policy(mode, *standing, four_eyes=four_eyes)
    assert not set(items_within_standing(plan, policy, TODAY)) & {i.number for i in plan.items if i.candidate.needs_naming}
    answer = an_answer(plan, *chosen, decision=decision, by=by)
    for item in plan.items:
        is_open = why_void(plan, answer, policy, NOW, "zhao", item.number) == ""
        by_a_person = decision is Decision.APPROVED and item.number in chosen and by != "" and not (four_eyes and by == "zhao")
        covered = decision is Decision.STANDING and item.number in items_within_standing(plan, policy, TODAY)
        assert is_open == (by_a_person or (covered and item.number in chosen))
        assert not (is_open and item.candidate.needs_naming) or by_a_person

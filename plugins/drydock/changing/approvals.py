"""Who has to say yes to a plan, and whether a recorded answer still opens anything. Nothing here asks anybody.

The gate judges the recorded answer by these functions itself, before each item, whatever a scheduler believes. Everything
is closed unless it is told open: no answer, an older plan, an older answer, the wrong person, an item that nobody chose.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from pydantic import AwareDatetime

from drydock.outcomes import ApprovalAnswer, Decision
from drydock.plans import Plan, WorkItem
from drydock.policy import ApprovalMode, ChangePolicy, StandingApproval
from drydock.verdicts import Model

CLOCKS_APART = timedelta(minutes=5)
"""An answer may be this much younger than now: the clocks of Airflow and of the worker differ."""


class Ask(Model):
    """Whether a person must answer, what may be worked without one, and when an answer comes too late."""

    needs_person: bool
    items_standing: tuple[int, ...] = ()
    deadline: AwareDatetime


def who_must_answer(plan: Plan, policy: ChangePolicy, today: date) -> Ask:
    """Whom to ask. An empty plan needs nobody; `today` is the date at the database (its time zone).

    The deadline is the end of the window less what is kept free for putting things back: an answer after it opens nothing.
    """
    standing = items_within_standing(plan, policy, today)
    asks = policy.approval.mode is not ApprovalMode.STANDING and len(standing) < len(plan.items)
    deadline = plan.window_end - timedelta(minutes=policy.window_reserve_minutes)
    return Ask(needs_person=asks, items_standing=standing, deadline=deadline)


def items_within_standing(plan: Plan, policy: ChangePolicy, today: date) -> tuple[int, ...]:
    """Numbers of the items that may be worked although nobody is asked.

    `always`: none. `above_limits`: all of them, or none as soon as one is above. `standing`: those within the limits.
    """
    if policy.approval.mode is ApprovalMode.ALWAYS:
        return ()
    covered = items_within_limits(plan, policy, today)
    if policy.approval.mode is ApprovalMode.ABOVE_LIMITS and len(covered) < len(plan.items):
        return ()
    return covered


def items_within_limits(plan: Plan, policy: ChangePolicy, today: date) -> tuple[int, ...]:
    """Numbers of the items that a standing approval covers today; never one that must be named by a person."""
    covered: set[int] = set()
    for standing in policy.approval.standing:
        if standing.granted_on <= today <= standing.valid_until:
            within = [i.number for i in plan.items if i.number not in covered and _is_within(i, standing)]
            covered.update(within[: standing.max_items])
    return tuple(sorted(covered))


def _is_within(item: WorkItem, standing: StandingApproval) -> bool:
    return (
        item.candidate.action == standing.action
        and not item.candidate.needs_naming
        and item.candidate.size_bytes <= standing.max_bytes_each
        and item.estimate.worst_s <= standing.max_minutes_each * 60
    )


def why_void(
    plan: Plan,
    answer: ApprovalAnswer | None,
    policy: ChangePolicy,
    now: datetime,
    triggered_by: str,
    number: int | None = None,
) -> str:
    """Why the answer opens nothing: a message code, or empty when it holds. With `number`: for that item.

    `now` in the time zone of the database, since standing approvals end with a day there. `triggered_by`: user id of the
    person who started the run, empty when the schedule did.
    """
    if answer is None:
        return "not_approved"
    if answer.plan_hash != plan.hash:
        return "plan_changed"
    if why := _why_not_said(answer):
        return why
    if not -CLOCKS_APART <= now - answer.answered_at <= timedelta(hours=policy.approval.valid_hours):
        return "answer_too_old"
    if answer.decision is Decision.STANDING:
        return _why_standing_ended(plan, answer, policy, now.date(), number)
    return _why_not_by(answer, policy, triggered_by) or _why_not_chosen(plan, answer, number)


def _why_not_said(answer: ApprovalAnswer) -> str:
    match answer.decision:
        case Decision.APPROVED | Decision.STANDING:
            return ""
        case Decision.REJECTED:
            return "rejected"
        case Decision.NO_ANSWER:
            return "no_answer"
    return "not_approved"


def _why_not_by(answer: ApprovalAnswer, policy: ChangePolicy, triggered_by: str) -> str:
    """A yes needs a person, one who may give it, and with four eyes not the one who started the run."""
    names = {name.casefold() for name in (answer.by, answer.by_name) if name}
    if not answer.by:
        return "not_approved"
    if policy.approval.approvers and names.isdisjoint(a.casefold() for a in policy.approval.approvers):
        return "not_an_approver"
    if policy.approval.four_eyes and triggered_by and triggered_by.casefold() in names:
        return "four_eyes"
    return ""


def _why_not_chosen(plan: Plan, answer: ApprovalAnswer, number: int | None) -> str:
    if number is None or number in answer.chosen:
        return ""
    return "needs_naming" if _must_be_named(plan, number) else "item_not_chosen"


def _why_standing_ended(plan: Plan, answer: ApprovalAnswer, policy: ChangePolicy, today: date, number: int | None) -> str:
    """A standing approval is asked again each time: it ends, and its limits are changed, while a plan waits."""
    still = items_within_standing(plan, policy, today)
    if number is None:
        return "" if set(answer.chosen) & set(still) else "standing_ended"
    if _must_be_named(plan, number):
        return "needs_naming"
    if number not in answer.chosen:
        return "item_not_chosen"
    return "" if number in still else "standing_ended"


def _must_be_named(plan: Plan, number: int) -> bool:
    return any(i.candidate.needs_naming for i in plan.items if i.number == number)

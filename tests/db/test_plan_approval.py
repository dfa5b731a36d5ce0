"""The task `approve` itself, from question to gate: the real operator on a real ledger, and then the work that follows.

What a browser or Airflow's API makes of an answer arrives as the event of `execute_complete`. Through the scheduler, the
API and a browser: tests/e2e. Every hole of the approval at the gate alone: tests/faults/test_gate.py.
"""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from drydock.changing import steps
from drydock.ledger import change_history as history
from drydock.outcomes import StopReason
from tests.db.test_change_steps import EVENING, NOW, Night, configured, new_night

ASKED_BY, OTHER = "zhao", "li_wei"
APPROVE, REJECT = ["批准 Approve"], ["拒绝 Reject"]


@pytest.fixture
def night(ledger: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Night:
    """A plan of two items, made by a run that `zhao` triggered."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    made = new_night(ledger, monkeypatch)
    made.values |= {"triggered_by": ASKED_BY}
    made.plan()
    return made


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the operator sent to Airflow to be shown."""
    seen: list[dict[str, Any]] = []
    place = "airflow.providers.standard.operators.hitl.upsert_hitl_detail"
    monkeypatch.setattr(place, lambda **shown: seen.append(shown))
    return seen


def approval(night: Night, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Any:
    """The task as the DAG has it; each call of it opens the run anew, as a new process does."""
    from drydock.orchestration import approval as module

    monkeypatch.setattr(module, "open_change_run", lambda *_: night.run(**{"now": EVENING, **changes}))
    return module.PlanApproval(pipeline="reclaim", database=night.values["database"], task_id="approve")


def ask(task: Any) -> None:
    from airflow.sdk.exceptions import TaskAwaitingInput

    with pytest.raises(TaskAwaitingInput):
        task.execute({"task_instance": SimpleNamespace(id="ti")})


def event(options: list[str], by: str | None, items: list[str] | None = None) -> dict[str, Any]:
    """As Airflow hands over an answer; `by` None: nobody answered, and it chose the default."""
    who = {"id": by, "name": by.upper()} if by else None
    said = {"items": items} if items is not None else {}
    return {"chosen_options": options, "params_input": said, "responded_at": EVENING, "responded_by_user": who}


def answered(night: Night, monkeypatch: pytest.MonkeyPatch, told: dict[str, Any]) -> Any:
    """Ask, and let the answer arrive in a task of its own. What the operator raises or skips opens nothing, and is let be."""
    ask(approval(night, monkeypatch))
    task = approval(night, monkeypatch)
    monkeypatch.setattr(task, "skip", lambda **_: None)
    return task.execute_complete({"ti": None, "task": task, "dag_run": None, "task_instance": SimpleNamespace(id="ti")}, told)


@pytest.mark.parametrize(
    ("by", "approvers", "why", "shown"),
    [
        (ASKED_BY, [], "触发者与批准者为同一人", "能打开本页的任何人，但触发本次运行的 `zhao` 除外"),
        (ASKED_BY.upper(), ["Zhao", "wang"], "触发者与批准者为同一人", "`Zhao`、`wang`，但触发本次运行的 `zhao` 除外"),
        (OTHER, ["wang"], "不在策略列出的批准人之中", "`wang`，但"),
    ],
)
def test_the_yes_of_the_wrong_person_is_written_down_and_the_right_one_asked_again(
    night: Night, asked: list, monkeypatch: pytest.MonkeyPatch, caplog: Any, by: str, approvers: list, why: str, shown: str
) -> None:
    from airflow.sdk.exceptions import TaskAwaitingInput

    night.values["configuration"] = configured(night.values["database"], approval={"approvers": approvers})
    with pytest.raises(TaskAwaitingInput), caplog.at_level("INFO"):
        answered(night, monkeypatch, event(APPROVE, by, ["1", "2"]))
    assert why in caplog.text and shown in asked[0]["body"], "the log and the page tell the person"
    assert len(asked) == 2 and {o.reason for o in night.work()} == {"not_approved"} and night.toy.sent == []
    answered(night, monkeypatch, event(APPROVE, "wang", ["1", "2"]))
    assert [o.reason for o in night.work()] == ["", ""], "and the yes of the right one counts"


def test_who_may_not_say_yes_is_not_asked(night: Night, asked: list, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow then takes no answer of him at all; where he is the only approver he is asked, so that somebody can say no."""
    night.values["configuration"] = configured(night.values["database"], approval={"approvers": ["ZHAO", "wang"]})
    ask(approval(night, monkeypatch))
    night.values["configuration"] = configured(night.values["database"], approval={"approvers": ["zhao"]})
    ask(approval(night, monkeypatch))
    assert [[user["id"] for user in page["assigned_users"]] for page in asked] == [["wang"], ["zhao"]]


@pytest.mark.parametrize(
    ("options", "by", "items", "reasons"),
    [
        (APPROVE, OTHER, ["1", "2"], ["", ""]),
        (APPROVE, OTHER, None, ["", ""]),  # through REST, without the form: what the form would have shown
        (APPROVE, OTHER, ["2"], ["item_not_chosen", ""]),
        (APPROVE, OTHER, [], ["item_not_chosen"] * 2),
        (APPROVE, OTHER, ["99", "x", "2; drop"], ["item_not_chosen"] * 2),
        (REJECT, OTHER, ["1", "2"], ["rejected"] * 2),
        (REJECT, ASKED_BY, ["1", "2"], ["rejected"] * 2),
        (REJECT, None, None, ["no_answer"] * 2),
        (APPROVE, None, ["1", "2"], ["no_answer"] * 2),  # an answer without a person is nobody's
    ],
)
def test_what_an_answer_opens(
    night: Night, asked: list, monkeypatch: pytest.MonkeyPatch, options: list, by: str | None, items: list | None, reasons: list
) -> None:
    answered(night, monkeypatch, event(options, by, items))
    assert [o.reason for o in night.work()] == reasons
    assert bool(night.toy.sent) is ("" in reasons)
    assert len(asked) == 1 and "计划指纹" in asked[0]["body"] and asked[0]["options"] == [*APPROVE, *REJECT]


def test_the_triggering_person_may_answer_where_the_policy_wants_two_eyes_only(
    night: Night, asked: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    night.values["configuration"] = configured(night.values["database"], approval={"four_eyes": False})
    answered(night, monkeypatch, event(APPROVE, ASKED_BY, ["1", "2"]))
    assert [o.reason for o in night.work()] == ["", ""]


def test_only_the_approvers_of_the_policy_are_asked_and_count(night: Night, asked: list, monkeypatch: pytest.MonkeyPatch) -> None:
    night.values["configuration"] = configured(night.values["database"], approval={"approvers": ["wang"]})
    answered(night, monkeypatch, event(APPROVE, "wang", ["1", "2"]))
    assert asked[0]["assigned_users"] == [{"id": "wang", "name": "wang"}]
    night.values["configuration"] = configured(night.values["database"], approval={"approvers": ["li"]})
    assert {o.reason for o in night.work()} == {"not_an_approver"}, "who was taken off the list meanwhile opens nothing"


def test_marking_the_task_as_success_writes_no_answer(night: Night, asked: list, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked, then set to success by hand: `execute_complete` never runs. So it is for a task that was cleared."""
    ask(approval(night, monkeypatch))
    assert {o.reason for o in night.work()} == {"not_approved"}
    answered(night, monkeypatch, event(APPROVE, OTHER, ["1", "2"]))
    ask(approval(night, monkeypatch))  # cleared: asked anew, and the answer of before counts no more
    assert {o.reason for o in night.work()} == {"not_approved"} and night.toy.sent == []


def test_an_answer_to_one_run_opens_no_other(night: Night, asked: list, monkeypatch: pytest.MonkeyPatch) -> None:
    answered(night, monkeypatch, event(APPROVE, OTHER, ["1", "2"]))
    night.next_week()
    night.plan()
    assert {o.reason for o in night.work()} == {"not_approved"} and night.toy.sent == []


def test_an_answer_to_a_plan_that_changed_is_refused(night: Night, asked: list, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(approval(night, monkeypatch))
    night.toy.tables["orders"].bytes += 2
    night.plan()
    with pytest.raises(LookupError, match="never shown"):
        approval(night, monkeypatch).execute_complete({}, event(APPROVE, OTHER, ["1", "2"]))
    assert {o.reason for o in night.work()} == {"not_approved"} and night.toy.sent == []


def test_an_answer_older_than_the_policy_allows_opens_nothing(night: Night, asked: list, monkeypatch: pytest.MonkeyPatch) -> None:
    night.values["configuration"] = configured(night.values["database"], approval={"valid_hours": 9})
    answered(night, monkeypatch, event(APPROVE, OTHER, ["1", "2"]))  # ten hours before the work
    assert {o.reason for o in night.work()} == {"answer_too_old"} and night.toy.sent == []


def test_after_the_window_nobody_is_asked_and_that_is_the_reason(
    night: Night, asked: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    over = night.planned.window_end - timedelta(seconds=1)
    with pytest.raises(AirflowSkipException, match="窗口结束前没有人答复"):
        approval(night, monkeypatch, now=over).execute({})
    made = steps.verify_run(night.run(now=over))
    assert (asked, made.stop, night.toy.sent) == ([], StopReason.NO_ANSWER, [])


def test_in_a_dry_run_nobody_is_asked(night: Night, asked: list, monkeypatch: pytest.MonkeyPatch) -> None:
    told = approval(night, monkeypatch, dry_run=True).execute({})
    plan_id, _ = history.plan_of_run(night.ledger, night.run().run_id)
    assert (told["asked"], asked, history.asked_of(night.ledger, plan_id)) == (False, [], None)
    assert {o.reason for o in night.work(now=NOW)} == {"not_approved"}, "and its plan opens nothing in a real run of that name"

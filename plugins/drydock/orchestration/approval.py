"""The task `approve`: shows the plan, asks a person, and writes question and answer to the ledger.

What Airflow keeps of the answer opens nothing. Each item of work reads the ledger itself (`drydock.gate`), so that this
task may be marked as success, cleared, or answered in another run, and no change follows from it.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Param
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.exceptions import AirflowSkipException

from drydock.changing import approval_page, steps
from drydock.estate import Database
from drydock.ledger import change_history
from drydock.messages import reason_text
from drydock.orchestration.change_runs import open_change_run
from drydock.plans import Pipeline, Plan

log = logging.getLogger(__name__)

SHORTEST_ASK_S = 1.0
ITEMS, NOTE = "items", "note"


class PlanApproval(ApprovalOperator):
    """Ask a person for a yes to the plan of this run, and to which of its items, until the window closes.

    Nobody is asked in a dry run, for an empty plan, or where a standing approval of the policy covers the items. No answer
    in time is no work. Who may answer: `approval.approvers` of the policy; with four eyes, not who triggered the run.
    """

    APPROVE = "批准 Approve"
    REJECT = "拒绝 Reject"

    def __init__(self, *, pipeline: Pipeline, database: Database, **arguments: Any) -> None:
        super().__init__(subject="…", body="…", defaults=[self.REJECT], **arguments)
        self.pipeline, self.database = pipeline, database

    def execute(self, context: Any) -> Any:
        run = open_change_run(self.database.id, self.pipeline)
        _, plan = change_history.plan_of_run(run.ledger, run.run_id)
        ask = steps.needs_person(run)
        if not ask.needs_person:
            return {"asked": False, "standing": list(ask.items_standing)}
        self.response_timeout = ask.deadline - run.now()
        if self.response_timeout < timedelta(seconds=SHORTEST_ASK_S):
            steps.record_no_answer(run)
            raise AirflowSkipException(_words("no_answer"))
        self._show(plan, run.policy.approval.approvers)
        steps.record_asked(run)
        return super().execute(context)

    def _show(self, plan: Plan, approvers: tuple[str, ...]) -> None:
        self.subject = self.title_of(plan)
        self.body = self.page_of(plan)
        self.params = self.form(plan)
        self.assigned_users = [{"id": name, "name": name} for name in approvers] or None

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        run = open_change_run(self.database.id, self.pipeline)
        _, plan = change_history.plan_of_run(run.ledger, run.run_id)
        self.params = self.form(plan)
        who = event.get("responded_by_user") or {}
        if "error" in event or not who.get("id"):
            steps.record_no_answer(run)
        else:
            self._record(run, plan, event, who)
        return super().execute_complete(context, event)

    def _record(self, run: Any, plan: Plan, event: dict[str, Any], who: dict[str, str]) -> None:
        approved = event.get("chosen_options") == [self.APPROVE]
        chosen = self.chosen(plan, event.get("params_input") or {}) if approved else ()
        steps.record_answer(run, approved=approved, chosen=chosen, by=who["id"], by_name=who.get("name") or who["id"])

    def title_of(self, plan: Plan) -> str:
        """One line for the list of required actions."""
        return approval_page.subject_of(plan, self.database)

    def page_of(self, plan: Plan) -> str:
        """What is shown, as Markdown."""
        return approval_page.body_of(plan, self.database)

    def form(self, plan: Plan) -> ParamsDict:
        """What may be chosen."""
        return form_of(plan)

    def chosen(self, plan: Plan, said: dict[str, Any]) -> tuple[int, ...]:
        """The items that a yes is for; without the form (an answer through REST) those that it would have shown as chosen."""
        return approval_page.chosen_numbers(plan, said.get(ITEMS, approval_page.default_choice(plan)))


def form_of(plan: Plan) -> ParamsDict:
    """The choice of items, in which those are chosen that need not be named."""
    labels = approval_page.choices(plan)
    choice = Param(
        approval_page.default_choice(plan),
        type="array",
        examples=list(labels),
        values_display=labels,
        title="执行哪些项 · Items to work on",
        description_md="默认选中全部可不点名的项；带 ★ 的项须点名选上。Items with ★ must be chosen by name.",
        source="task",
    )
    return ParamsDict({ITEMS: choice})


def _words(code: str) -> str:
    return f"{reason_text(code, 'zh')} · {reason_text(code, 'en')}"

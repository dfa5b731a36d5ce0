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
from drydock.changing.approvals import why_void
from drydock.changing.run import ChangeRun
from drydock.estate import Database
from drydock.ledger import change_history
from drydock.orchestration.change_runs import open_change_run
from drydock.orchestration.telling import words
from drydock.outcomes import ApprovalAnswer
from drydock.plans import Pipeline, Plan

log = logging.getLogger(__name__)

SHORTEST_ASK_S = 1.0
ITEMS, NOTE = "items", "note"
ASKED_AGAIN = ("four_eyes", "not_an_approver")
"""A yes of the wrong person is written down and opens nothing: the right one is asked for, until the window closes."""


class PlanApproval(ApprovalOperator):
    """Ask a person for a yes to the plan of this run, and to which of its items, until the window closes.

    Nobody is asked in a dry run, for an empty plan, or where a standing approval of the policy covers the items. No answer
    in time is no work. Who may answer: `approval.approvers` of the policy; with four eyes, not who triggered the run. A yes
    of anybody else is written down, and the question is asked again.
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
            raise AirflowSkipException(words("no_answer"))
        self._show(plan, run)
        steps.record_asked(run)
        log.info("计划 plan %s…: 等待答复至 asked until %s", plan.hash[:16], ask.deadline.astimezone(self.database.zone))
        log.info("%s", self.who_may(run))
        return super().execute(context)

    def _show(self, plan: Plan, run: ChangeRun) -> None:
        self.subject = self.title_of(plan)
        self.body = f"{self.who_may(run)}\n\n{self.page_of(plan)}"
        self.params = self.form(plan)
        self.assigned_users = [{"id": name, "name": name} for name in may_answer(run)] or None

    @staticmethod
    def who_may(run: ChangeRun) -> str:
        """One line of the page: whose yes counts. Airflow itself takes an answer from anybody where nobody is named."""
        named = "、".join(map(approval_page.name_cell, run.policy.approval.approvers))
        told = f"**谁可以批准：** {named or '能打开本页的任何人'}"
        if not (run.policy.approval.four_eyes and run.triggered_by):
            return told + "。"
        return f"{told}，但触发本次运行的 {approval_page.name_cell(run.triggered_by)} 除外（双人复核）；其批准无效，会再次询问。"

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        run = open_change_run(self.database.id, self.pipeline)
        _, plan = change_history.plan_of_run(run.ledger, run.run_id)
        self.params = self.form(plan)
        who = event.get("responded_by_user") or {}
        if "error" in event or not who.get("id"):
            steps.record_no_answer(run)
        elif (void := self._why_nobodys(run, plan, self._record(run, plan, event, who))) in ASKED_AGAIN:
            log.warning("%s: %s", who["id"], words(void))
            return self.execute(context)
        return super().execute_complete(context, event)

    def _record(self, run: ChangeRun, plan: Plan, event: dict[str, Any], who: dict[str, str]) -> ApprovalAnswer:
        approved = event.get("chosen_options") == [self.APPROVE]
        chosen = self.chosen(plan, event.get("params_input") or {}) if approved else ()
        log.info("答复 answered by %s: %s", who["id"], self.APPROVE if approved else self.REJECT)
        return steps.record_answer(run, approved=approved, chosen=chosen, by=who["id"], by_name=who.get("name") or who["id"])

    @staticmethod
    def _why_nobodys(run: ChangeRun, plan: Plan, answer: ApprovalAnswer) -> str:
        """Why the answer opens nothing, as the gate will say it of each item; empty where it holds."""
        return why_void(plan, answer, run.policy, run.now().astimezone(run.database.zone), run.triggered_by)

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


def may_answer(run: ChangeRun) -> tuple[str, ...]:
    """The approvers of the policy without the one whose yes would not count; all of them where that leaves nobody."""
    named = run.policy.approval.approvers
    if not run.policy.approval.four_eyes:
        return named
    return tuple(name for name in named if name.casefold() != run.triggered_by.casefold()) or named


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

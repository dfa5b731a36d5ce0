"""The task `review`: shows a page of the queue, asks a person, and writes each answer to the ledger.

What Airflow keeps of the answer closes nothing: queue and report read the ledger, so that this task may be marked as success,
cleared or run into its time limit, and every item that no named person closed is still told as unreviewed.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param, RetryDecision, RetryPolicy
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.exceptions import AirflowSkipException

from drydock import settings
from drydock.configuration import load_notices
from drydock.orchestration.audit_runs import open_quarter_run

if TYPE_CHECKING:
    from drydock.audit.quarterly.review_page import Page
    from drydock.audit.run import AuditRun
    from drydock.audit.spans import Quarter

log = logging.getLogger(__name__)


class AskAgain(RetryPolicy):
    """An answer that cannot be taken is asked for again at once; any other trouble waits as every task does."""

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        from drydock.audit.quarterly.review_page import AnswerInvalid

        if isinstance(exception, AnswerInvalid):
            return RetryDecision.retry(delay=timedelta(seconds=1), reason=str(exception))
        return RetryDecision.default()


class ReviewPage(HITLOperator):
    """Ask a person for a word on each pattern of one page of the quarter's queue: normal business, approved exception, incident.

    Only what is written to the ledger with the person's name counts. An answer that cannot be taken records nothing, says why
    in the log, and the page is asked again. Who may answer: `reviewers` of the policy.
    """

    RECORD = "登记 Record"
    LATER = "以后再说 Later"

    def __init__(self, *, database_id: str, page: dict[str, Any], **arguments: Any) -> None:
        super().__init__(subject="…", body="…", options=[self.RECORD, self.LATER], defaults=[self.LATER], **arguments)
        self.database_id, self.page = database_id, page

    def execute(self, context: Any) -> Any:
        from drydock.audit.quarterly.review_page import (  # documents: no parse of the DAG file should pay for them
            body_of,
            subject_of,
        )

        run, quarter = open_quarter_run(self.database_id)
        page = page_of(run, quarter, self.page)
        if len(page.closed) == len(page.items):
            log.info("SKIPPED: every item of this page is reviewed already")
            raise AirflowSkipException("本页均已复核。Every item of this page is reviewed already.")
        self.subject, self.body = subject_of(page, run.database, str(quarter)), body_of(page, run.database)
        self.params = form_of(page)
        self.assigned_users = [{"id": name, "name": name} for name in run.policy.reviewers] or None
        return super().execute(context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        from drydock.audit import steps
        from drydock.audit.quarterly.review_page import answers_of

        run, quarter = open_quarter_run(self.database_id)
        page = page_of(run, quarter, self.page)
        self.params = form_of(page)
        who = event.get("responded_by_user") or {}
        if "error" not in event and event.get("chosen_options") == [self.RECORD]:
            reviews = answers_of(page, event.get("params_input") or {}, reviewer_of(who, run), datetime.now(UTC))
            recorded = steps.record_reviews(run, reviews)
            log.info("%d items closed by %s", recorded, who.get("id"))
        return super().execute_complete(context, event)

    def validate_params_input(self, params_input: Any) -> None:
        """Nothing more: `answers_of` took what it knows, and a page that was shown earlier may have had more items."""


def reviewer_of(who: dict[str, Any], run: AuditRun) -> str:
    """The person's id. Raises AnswerInvalid for nobody, and for one who may not review."""
    from drydock.audit.quarterly.review_page import AnswerInvalid

    name = str(who.get("id") or "").strip()
    if not name:
        raise AnswerInvalid("没有姓名的答复不作数。An answer without a person is nobody's: nothing was recorded")
    if run.policy.reviewers and name not in run.policy.reviewers:
        raise AnswerInvalid(f"{name!r} is not one of the reviewers of the policy: nothing was recorded")
    return name


def page_of(run: AuditRun, quarter: Quarter, page: dict[str, Any]) -> Page:
    """The page's items as they stand now, in the order in which they were listed, and which of them are closed meanwhile."""
    from drydock.audit import steps
    from drydock.audit.quarterly.review_page import Page

    waiting = {item.pattern for item in steps.waiting_of(run)}
    items = {item.pattern: item for item in steps.queue_of(run)}
    found = tuple(items[pattern] for pattern in page["patterns"] if pattern in items)
    closed = frozenset(item.pattern for item in found) - waiting
    sheet, base = steps.sheet_path(run, quarter), load_notices().reports_base_url.rstrip("/")
    url = f"{base}/{quote(sheet.relative_to(settings.reports_dir()).as_posix())}" if base else ""
    return Page(page["number"], page["pages"], len(waiting), found, closed, str(sheet), url)


def form_of(page: Page) -> ParamsDict:
    """One choice per item, and the reason and the last day that the answer is for."""
    from drydock.audit.quarterly.review_page import CHOICES, LATER, LONGEST_REASON, REASON, UNTIL, disposal_field, label_of

    fields = {
        disposal_field(item): Param(
            LATER, type="string", enum=list(CHOICES), values_display=CHOICES, title=label_of(n, item), source="task"
        )
        for n, item in enumerate(page.items, 1)
    }
    reason = Param(
        None,
        type=["null", "string"],
        maxLength=LONGEST_REASON,
        title="理由 · Reason",
        description_md="对本次选中的各项均适用；有一项选中即必填。For all items that are chosen; needed where one is.",
        source="task",
    )
    until = Param(
        None,
        type=["null", "string"],
        format="date",
        title="例外有效期至 · Exception until",
        description_md="仅用于“经批准的例外”。For approved exceptions alone.",
        source="task",
    )
    return ParamsDict(fields | {REASON: reason, UNTIL: until})

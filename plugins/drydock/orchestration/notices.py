"""One notice per run, through Airflow's notifiers: mail, and the robots of 企业微信 and 钉钉.

Channels stand in `include/config/notices.yaml`; addresses and tokens stand in Airflow Connections. A task pushes
the finished text to XCom before it ends, so a notifier only sends.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.sdk import BaseHook, BaseNotifier

from drydock import messages, settings
from drydock.backup.results import Judgement
from drydock.backup.steps import BackupRun
from drydock.changing.run import ChangeRun
from drydock.configuration import ConfigurationError, load_notices
from drydock.ledger import change_history
from drydock.notices import Channel
from drydock.outcomes import Verification
from drydock.reporting.audit_notice import AuditTold, build_audit_notice
from drydock.reporting.notice import Notice, build_failure_notice, build_notice
from drydock.reporting.work_notice import WorkTold, build_work_notice
from drydock.verdicts import Status, Verdict

if TYPE_CHECKING:
    from drydock.audit.run import AuditRun
    from drydock.orchestration.audit_runs import Asked

log = logging.getLogger(__name__)

DUTY_NOTICE = "notice"
SEND_TIMEOUT_S = 10.0
PULL = "{{ (ti.xcom_pull(task_ids=ti.task_id, key='" + DUTY_NOTICE + "') or {}).get('%s', '') }}"


def notice_of(run: BackupRun | None, judgement: Judgement | None, database_id: str, context: Any) -> dict[str, str]:
    """The notice of one run as plain strings: subject, text, markdown, status."""
    file, url = load_notices(), _run_url(context)
    if run is None or judgement is None:
        notice = build_failure_notice(database_id, settings.language(), url, file.runbook_base_url)
    else:
        paths = [Path(p) for p in context["ti"].xcom_pull(task_ids="report") or ()]
        notice = build_notice(judgement, run.database, settings.language(), paths, url, file.runbook_base_url)
    return _as_strings(notice)


def _as_strings(notice: Notice) -> dict[str, str]:
    return {"subject": notice.subject, "text": notice.text, "markdown": notice.markdown, "status": notice.status.value}


def _run_url(context: Any) -> str:
    dag_run = context["dag_run"]
    return f"{load_notices().console_url.rstrip('/')}/dags/{dag_run.dag_id}/runs/{dag_run.run_id}"


def notice_of_problems(lines: list[str], count: int, context: Any) -> dict[str, str]:
    """The notice of a configuration check: how many problems, and the first of them with file, line and fix."""
    status = Status.FAIL if count else Status.PASS
    subject = f"[{messages.status_word(status, settings.language())}] configuration: {count} problem(s)"
    text = "\n".join([subject, *lines, str(context["dag_run"].run_id)])
    return {"subject": subject, "text": text, "markdown": text.replace("<", "‹").replace(">", "›"), "status": status.value}


def notice_of_work(run: ChangeRun, made: Verification | None, context: Any) -> dict[str, str]:
    """The notice of a run that was to change something: what was done, why it stopped, and what to do about what is wrong."""
    file, outcomes = load_notices(), change_history.outcomes_of_run(run.ledger, run.run_id)
    told = WorkTold(run.pipeline, run.database, run.day, made, outcomes)
    paths = [Path(p) for p in context["ti"].xcom_pull(task_ids="report") or ()]
    return _as_strings(build_work_notice(told, settings.language(), paths, _run_url(context), file.runbook_base_url))


def notice_of_audit(run: AuditRun, asked: Asked, verdicts: tuple[Verdict, ...] | None, context: Any) -> dict[str, str]:
    """The notice of a run of the audit: the day's verdicts and alarms, and what of a quarter waits for a review."""
    file, waiting = load_notices(), None
    if asked.quarter is not None:
        from drydock.audit import steps
        from drydock.orchestration.audit_runs import open_quarter_run

        waiting = len(steps.waiting_of(open_quarter_run(run.database.id)[0]))
    span = " ".join(str(part) for part in (asked.day, asked.quarter) if part is not None)
    told = AuditTold(run.database, span, verdicts, waiting)
    paths = [Path(p) for p in context["ti"].xcom_pull(task_ids="report") or ()]
    return _as_strings(build_audit_notice(told, settings.language(), paths, _run_url(context), file.runbook_base_url))


def notifiers() -> list[BaseNotifier]:
    """One notifier per configured channel, for the task whose notice it sends. A wrong file is told by its own DAG."""
    try:
        return [_notifier(channel) for channel in load_notices().channels]
    except ConfigurationError:
        return []


def _notifier(channel: Channel) -> BaseNotifier:
    if channel.kind == "smtp":
        return MailNotifier(channel)
    return RobotNotifier(channel)


def _is_wanted(channel: Channel, context: Any) -> bool:
    notice = context["ti"].xcom_pull(task_ids=context["ti"].task_id, key=DUTY_NOTICE) or {}
    return notice.get("status", "UNKNOWN") in [s.value for s in channel.on]


class MailNotifier(SmtpNotifier):
    """Mail through the channel's SMTP connection, for the statuses that the channel asks for."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(
            to=list(channel.recipients),
            subject=PULL % "subject",
            html_content="<pre>" + PULL.replace(" }}", " | e }}") % "text" + "</pre>",
            smtp_conn_id=channel.connection,
        )
        self.channel = channel

    def notify(self, context: Any) -> None:
        if _is_wanted(self.channel, context):
            super().notify(context)


class RobotNotifier(BaseNotifier):
    """A webhook robot. The connection's host is the URL, its password the key that the robot's address carries."""

    template_fields = ("subject", "markdown")

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self.channel = channel
        self.subject = PULL % "subject"
        self.markdown = PULL % "markdown"

    def notify(self, context: Any) -> None:
        if not _is_wanted(self.channel, context):
            return
        body = robot_message(self.channel, self.subject, self.markdown)
        _post(_robot_url(self.channel), body, self.channel.connection)


def _post(url: str, body: dict[str, Any], connection: str) -> None:
    """Send, and say what the robot answered without its address: the address carries the robot's key."""
    try:
        answer = httpx.post(url, json=body, timeout=SEND_TIMEOUT_S)
    except httpx.HTTPError as e:
        raise RuntimeError(f"the robot of {connection} cannot be reached: {type(e).__name__}") from None
    told = answer.json() if answer.is_success and answer.content else {}
    if not answer.is_success or told.get("errcode", 0) != 0:  # both robots answer 200 with an error code in the body
        raise RuntimeError(f"the robot of {connection} refused: HTTP {answer.status_code}, errcode {told.get('errcode')}")


def _robot_url(channel: Channel) -> str:
    """Full address from the connection: `host` holds scheme, host and path; the secret key is the password."""
    c = BaseHook.get_connection(channel.connection)
    key = {"wecom": "key", "dingtalk": "access_token"}.get(channel.kind)
    return f"{c.host}?{key}={c.password}" if key and c.password else str(c.host)


def robot_message(channel: Channel, subject: str, markdown: str) -> dict[str, Any]:
    """The body each kind of robot takes (WeCom and DingTalk: markdown messages; generic: subject and markdown)."""
    if channel.kind == "wecom":
        return {"msgtype": "markdown", "markdown": {"content": markdown}}
    if channel.kind == "dingtalk":
        return {"msgtype": "markdown", "markdown": {"title": subject, "text": markdown}}
    return {"subject": subject, "markdown": markdown}

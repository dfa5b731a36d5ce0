"""Who is told of a run, by which channel, and of which verdicts (`include/config/notices.yaml`).

One message per run. Addresses and tokens of the channels are Airflow connections; here stand only their ids. Sending:
`drydock.orchestration`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from drydock.estate import Slug
from drydock.verdicts import Model, Status

Email = Annotated[str, StringConstraints(pattern=r"^[^@\s,;<>]+@[^@\s,;<>]+$", max_length=254)]
WebAddress = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$", max_length=500)]


class RobotKind(StrEnum):
    """Which message a webhook understands: 企业微信, 钉钉, or plain JSON."""

    WECOM = "wecom"
    DINGTALK = "dingtalk"
    GENERIC = "generic"


class SmtpChannel(Model):
    """Mail through an Airflow connection of type SMTP."""

    connection: Slug = Field("smtp_default", description="Airflow connection id of the mail server")
    recipients: tuple[Email, ...] = Field(min_length=1)


class RobotChannel(Model):
    """A group robot: an HTTP POST to the webhook that the connection holds."""

    kind: RobotKind
    connection: Slug = Field(description="Airflow connection id that holds the webhook address")


class Channels(Model):
    smtp: SmtpChannel | None = None
    robots: tuple[RobotChannel, ...] = ()


class Notices(Model):
    """`include/config/notices.yaml`. Without a channel nobody is told, and nothing fails."""

    schema_: Literal["drydock-notices/1"] = Field(alias="schema")
    channels: Channels = Channels()
    on: tuple[Status, ...] = Field(
        (Status.FAIL, Status.UNKNOWN, Status.WARN), description="a run is told when its worst verdict is one of these"
    )
    runbook_base_url: WebAddress | None = Field(None, description="address of the folder docs/runbooks/, for links")
    console_url: WebAddress | None = Field(None, description="address of the Airflow UI as people reach it, for links")

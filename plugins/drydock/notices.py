"""Who is told of a run, by which channel, and of which verdicts (`include/config/notices.yaml`).

One message per run. Addresses and keys of the channels are Airflow connections; here stand only their ids. Sending:
`drydock.orchestration`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from drydock.estate import Slug
from drydock.verdicts import Model, Status

Email = Annotated[str, StringConstraints(pattern=r"^[^@\s,;<>]+@[^@\s,;<>]+$", max_length=254)]
WebAddress = Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=500)]
OptionalWebAddress = Annotated[str, StringConstraints(pattern=r"^(https?://\S+)?$", max_length=500)]


class Channel(Model):
    """Mail, or the group robot of 企业微信 (wecom), 钉钉 (dingtalk) or anything that takes JSON (generic)."""

    kind: Literal["smtp", "wecom", "dingtalk", "generic"]
    connection: Slug = Field(description="Airflow connection id of the mail server or of the webhook")
    recipients: tuple[Email, ...] = Field((), description="mail addresses, for smtp")
    on: tuple[Status, ...] = Field(
        (Status.FAIL, Status.UNKNOWN, Status.WARN),
        min_length=1,
        description="a run is told when its worst verdict is one of these",
    )

    @model_validator(mode="after")
    def _has_recipients(self) -> Channel:
        if (self.kind == "smtp") != bool(self.recipients):
            raise ValueError("smtp needs recipients, and only smtp has them: a robot writes to its own group")
        return self


class Notices(Model):
    """`include/config/notices.yaml`. Without a channel nobody is told, and nothing fails."""

    schema_: Literal["drydock-notices/1"] = Field(alias="schema")
    channels: tuple[Channel, ...] = ()
    runbook_base_url: OptionalWebAddress = Field("", description="address of the folder docs/runbooks/, for links")
    reports_base_url: OptionalWebAddress = Field("", description="address of the folder of reports, for links; empty: paths")
    console_url: WebAddress = Field("http://127.0.0.1:8080", description="the Airflow UI as people reach it, for links")

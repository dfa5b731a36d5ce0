"""What the newest part of an alert log said, small enough to be kept with a survey. Result models only, no logic."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from drydock.verdicts import CleanText, Model


class AlertMatter(Model):
    """All events of one class of the day, worst code first; classes and severities are those of docs/read-alert.md."""

    kind: str
    severity: str = Field(description="warning or critical")
    codes: tuple[str, ...] = Field((), description="the first 5; empty where Oracle printed none")
    count: int = Field(ge=1)
    last: CleanText = Field("", description="as written in the log; empty where no time stood above it")
    line: CleanText = Field("", description="the first line of the worst code")
    percent: float | None = Field(None, description="of the recovery area: the fullest that it was")


class AlertState(Model):
    """The alert log from `since` on. A log of whose end nothing is younger says nothing: `messages` is 0."""

    since: AwareDatetime
    messages: int = Field(0, ge=0, description="time stamps in it")
    is_partial: bool = Field(False, description="the part that was fetched does not reach back to `since`")
    matters: tuple[AlertMatter, ...] = ()

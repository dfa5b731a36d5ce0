"""What the alert log said: events with how often and when. Result models only."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from drydock.verdicts import CleanText, Model


class Severity(StrEnum):
    """How much an event matters to recoverability and space.

    critical: data, redo or the way back to them is lost or about to be, or the instance stopped without being asked.
    warning: a statement, a backup or a standby suffered, or will if nobody looks. info: worth knowing, nothing to do.
    """

    NONE = "none"
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def weight(self) -> int:
        return ["none", "info", "warning", "critical"].index(self.value)


class AlertEvent(Model):
    """All lines of one class and code, folded. Times are ISO 8601 as written, with a zone where the log has one."""

    class_: CleanText = Field(alias="class", description="docs/read-alert.md lists the classes")
    code: str | None = Field(description="ORA-00257, TNS-12535, ...; null where Oracle printed none")
    severity: Severity
    count: int = Field(ge=1)
    first: CleanText | None = Field(description="null where no time stood above the line")
    last: CleanText | None
    line_number: int = Field(ge=1, description="of the first one, counted from 1")
    line: CleanText = Field(description="the first one, without control characters, cut to 500 characters")
    percent: float | None = Field(None, description="ORA-19815: the fullest that the recovery area was")
    containers: tuple[CleanText, ...] = Field((), description="names of PDBs, where the log names them")


class AlertLog(Model):
    """One alert log. `messages` counts what was examined: with 0 the stream was no alert log, and `severity` says nothing."""

    severity: Severity
    codes: tuple[str, ...] = Field(description="every code that Oracle reported, in order of first appearance")
    events: tuple[AlertEvent, ...] = Field(description="in order of first appearance")
    format: str = Field(description="text, xml, mixed, or none")
    messages: int = Field(ge=0, description="time stamps of a text log, <msg> elements of an XML log")
    lines: int = Field(ge=0)
    first: CleanText | None = Field(description="first time in the log")
    last: CleanText | None
    is_cut: bool = Field(False, description="more kinds of events than are kept apart; the rest is counted under class 'other'")

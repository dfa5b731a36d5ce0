"""The body of `drydock read-alert`: a file or standard input in, JSON or lines for people out."""

from __future__ import annotations

import sys
from pathlib import Path

from drydock.oracle_logs.alert_log import read_alert_log
from drydock.oracle_logs.alert_results import AlertEvent, AlertLog, Severity
from drydock.verdicts import clean_text

CALM, CRITICAL, NOTHING_READ = 0, 1, 2
STANDARD_INPUT = "-"


def read(place: str) -> AlertLog:
    """The alert log at a path, or on standard input for "-". Raises OSError where it cannot be read."""
    if place == STANDARD_INPUT:
        return read_alert_log(sys.stdin.buffer)
    with Path(place).open("rb") as file:
        return read_alert_log(file)


def as_json(log: AlertLog) -> str:
    """The result model by its documented names (docs/read-alert.md)."""
    return log.model_dump_json(by_alias=True, indent=2)


def as_text(log: AlertLog) -> str:
    """One line per event, worst first."""
    if not log.messages and not log.events:
        return "no alert log: no time stamp and no <msg> found"
    events = sorted(log.events, key=lambda e: (-e.severity.weight, e.line_number))
    return "\n".join(str(clean_text(line)) for line in [f"severity: {log.severity.value}", *map(_event_line, events)])


def _event_line(event: AlertEvent) -> str:
    kind = f"{event.severity.value:8} {event.class_:20} {event.code or '-':10}"
    return f"{kind} {event.count:>7} x  {event.first} .. {event.last}  {event.line}"


def exit_code(log: AlertLog) -> int:
    """0 for none, info and warning, 1 for critical, 2 where nothing of an alert log was found."""
    if not log.messages and not log.events:
        return NOTHING_READ
    return CRITICAL if log.severity is Severity.CRITICAL else CALM

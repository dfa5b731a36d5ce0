"""How much of a result the ledger keeps: every list of findings is cut to a length that a person could still read."""

from __future__ import annotations

from typing import TypeVar

from drydock.verdicts import Finding, Model

MOST_FINDINGS = 200

M = TypeVar("M", bound=Model)


def bounded(model: M) -> M:
    """The same result with every list of findings in it, at any depth, cut by `cut_findings`."""
    changes = {name: cut for name, value in model if (cut := _bounded_value(value)) is not value}
    return model.model_copy(update=changes) if changes else model


def cut_findings(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The worst MOST_FINDINGS at most; the last of them then tells how many were left off and how bad the worst of those was."""
    if len(findings) <= MOST_FINDINGS:
        return findings
    ordered = sorted(findings, key=lambda f: -f.effective.weight)
    kept, left = ordered[: MOST_FINDINGS - 1], ordered[MOST_FINDINGS - 1 :]
    values = {"left_off": len(left), "total": len(findings)}
    return (*kept, Finding(code="findings_left_off", status=left[0].effective, values=values))


def _bounded_value(value: object) -> object:
    if isinstance(value, Model):
        return bounded(value)
    if not isinstance(value, tuple) or not value or not isinstance(value[0], Model):
        return value
    if isinstance(value[0], Finding):
        return cut_findings(value)
    items = tuple(bounded(v) for v in value)
    return items if any(new is not old for new, old in zip(items, value, strict=True)) else value

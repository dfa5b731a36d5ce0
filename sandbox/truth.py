"""What Drydock must find in the sandbox: the planted verdict of each database, with which the demo compares."""

from __future__ import annotations

from dataclasses import dataclass

from drydock.verdicts import Status

from sandbox.clusters import TARGETS
from sandbox.faults import FAULTY


@dataclass(frozen=True)
class Planted:
    """The status and the red findings' codes of one verdict."""

    status: Status
    codes: frozenset[str] = frozenset()


SOUND = Planted(Status.PASS)
HEALTHY: dict[str, Planted | None] = {"executed": SOUND, "complete": SOUND, "valid": SOUND, "normal": SOUND}
TRUTH: dict[str, dict[str, Planted | None]] = dict.fromkeys(TARGETS, HEALTHY) | {
    FAULTY: {
        "executed": Planted(Status.FAIL, frozenset({"job_not_run"})),
        "complete": Planted(Status.FAIL, frozenset({"set_file_missing"})),
        "valid": None,
        "normal": None,
    },
}
"""Database -> question -> what is planted; None: not planted, not compared."""

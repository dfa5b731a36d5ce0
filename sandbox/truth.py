"""What Drydock must find in the sandbox: the planted verdict of each database, with which the demo compares."""

from __future__ import annotations

from dataclasses import dataclass

from drydock.verdicts import Status
from sandbox.clusters import TARGETS
from sandbox.faults import FAULTY
from sandbox.oracle.target import DATABASE as ORACLE


@dataclass(frozen=True)
class Planted:
    """The right statuses, and the red findings' codes, of one verdict; `follows`: codes that some days add, with FAIL."""

    statuses: tuple[Status, ...]
    codes: frozenset[str] = frozenset()
    follows: frozenset[str] = frozenset()

    def is_told_by(self, status: Status, found: frozenset[str]) -> bool:
        if extra := found - self.codes:
            return status is Status.FAIL and extra <= self.follows
        return status in self.statuses and found == self.codes


SOUND = Planted((Status.PASS,))
# nine days hold too few past runs of some levels on some kinds of day: then the question is skipped, and says so
LIKE_ITS_PAST = Planted((Status.PASS, Status.SKIPPED))
HEALTHY: dict[str, Planted] = {"executed": SOUND, "complete": SOUND, "valid": SOUND, "normal": LIKE_ITS_PAST}
TRUTH: dict[str, dict[str, Planted]] = dict.fromkeys(TARGETS, HEALTHY) | {
    FAULTY: {
        "executed": Planted((Status.FAIL,), frozenset({"job_not_run", "job_success_contradicted"})),
        # Monday's job does not run: until Tuesday's the damaged set is Sunday's full, and the one before is eight days old
        "complete": Planted((Status.FAIL,), frozenset({"set_file_missing"}), follows=frozenset({"base_too_old"})),
        "valid": Planted((Status.FAIL,), frozenset({"set_file_unreadable"})),
        "normal": LIKE_ITS_PAST,
    },
    # every record of it is sound and RMAN ends with 0: only what it prints of the blocks tells
    # once an incremental was made on top of the damaged full, it hangs in the air, and the full before is more than a week old
    ORACLE: HEALTHY
    | {"complete": Planted((Status.PASS,), follows=frozenset({"base_too_old", "parent_missing"}))}
    | {"valid": Planted((Status.FAIL,), frozenset({"rman_corrupt_blocks"}))},
}
"""Database -> question -> what is planted."""

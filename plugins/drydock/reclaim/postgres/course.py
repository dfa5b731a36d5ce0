"""One item's way: what was before, what it cost, and the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from drydock.changing.hands import Hands
from drydock.outcomes import Outcome, StatementDone, StopReason
from drydock.plans import ObjectRef
from drydock.reclaim.postgres.facts import TableNow, table_now
from drydock.verdicts import Figure, Status


@dataclass
class Course:
    """What is known of the item while it is worked.

    `longest_wait_s`: the longest that a lock of ours kept others out, or where `is_bound`, what it was at most: a try that was
    cut off tells how long all of it took, not when its lock was asked for. `locks`: of the take-over, by the server's clock.
    `told`: what else the outcome tells.
    """

    hands: Hands
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    before: dict[str, Figure] = field(default_factory=dict)
    dones: list[StatementDone] = field(default_factory=list)
    longest_wait_s: float = 0.0
    is_bound: bool = False
    locks: dict[str, Figure] = field(default_factory=dict)
    told: dict[str, Figure] = field(default_factory=dict)

    @property
    def object(self) -> ObjectRef:
        return self.hands.item.candidate.object

    def note(self, dones: Sequence[StatementDone]) -> StatementDone:
        """Remember what statements cost; returns the last."""
        self.dones += dones
        return dones[-1]

    def wait_at_most(self, seconds: float, *, is_measured: bool = False) -> None:
        """Others waited this long, or at most this long."""
        if seconds > self.longest_wait_s:
            self.longest_wait_s, self.is_bound = seconds, not is_measured

    def figure(self, name: str, otherwise: float = 0) -> float:
        """A number of the plan's evidence."""
        value = self.hands.item.candidate.evidence.get(name)
        return value if isinstance(value, int | float) else otherwise

    def done(self, **after: Figure) -> Outcome:
        """PASS, as the table is now; FAIL where it is gone."""
        now = table_now(self.hands, self.object)
        if now is None:
            return self.ended(Status.FAIL, "object_gone")
        return self.ended(Status.PASS, after={**sizes(now), **after})

    def ended(
        self, status: Status, reason: str = "", stop: StopReason = StopReason.DONE, after: dict[str, Figure] | None = None
    ) -> Outcome:
        """The outcome with all that was noted."""
        bound: dict[str, Figure] = {"wait_is_bound": True} if self.is_bound else {}
        ended_at, after = datetime.now(UTC), {**(after or {}), **self.told, **self.locks, **bound}
        totals = [side.get("total_bytes") for side in (self.before, after)]
        freed = totals[0] - totals[1] if isinstance(totals[0], int) and isinstance(totals[1], int) else 0
        return Outcome(
            item_key=self.hands.item.key,
            number=self.hands.item.number,
            status=status,
            reason=reason,
            stop=stop,
            before=self.before,
            after=after,
            freed_bytes=freed,
            elapsed_s=(ended_at - self.began_at).total_seconds(),
            log_bytes=sum(d.log_bytes or 0 for d in self.dones),
            longest_wait_s=self.longest_wait_s,
            started_at=self.began_at,
            ended_at=ended_at,
        )


def sizes(now: TableNow) -> dict[str, Figure]:
    """Bytes and identity of a table at one moment."""
    return {
        "identity": now.identity,
        "heap_bytes": now.heap_bytes,
        "toast_bytes": now.toast_bytes,
        "indexes_bytes": now.indexes_bytes,
        "total_bytes": now.total_bytes,
    }

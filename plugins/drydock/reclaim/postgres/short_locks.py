"""Locks that others would wait behind: asked for briefly, again and again, each time a little longer.

Who waits for ACCESS EXCLUSIVE makes everybody who comes later wait too. So the first tries wait for thirty milliseconds
only, which no writer feels; a table that is never free for that long gets longer ones, up to the policy's limit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from drydock.changing.hands import ChangeFailed

LOCK_NOT_HAD = ("locked", "conflict")


@dataclass(frozen=True)
class Patience:
    """How often a short lock is tried for. Seconds. The last try waits as long as the policy allows."""

    tries: int = 30
    first_wait_s: float = 0.03
    most_wait_s: float = 1.0
    growth: float = 1.2
    first_pause_s: float = 0.1
    most_pause_s: float = 10.0

    def waits(self) -> Iterator[tuple[float | None, float]]:
        """How long to wait for the lock (None: as the policy says), and how long to pause when it was not had."""
        for n in range(self.tries):
            wait_s = min(self.first_wait_s * self.growth**n, self.most_wait_s)
            pause_s = min(self.first_pause_s * (1.4 ** min(n, 20)), self.most_pause_s)
            yield (None if n == self.tries - 1 else wait_s), pause_s


def with_short_lock(attempt: Callable[[float | None], None], patience: Patience) -> None:
    """Try until the lock is had. Raises the last ChangeFailed when it never was, and every other one at once."""
    last: ChangeFailed | None = None
    for wait_s, pause_s in patience.waits():
        try:
            attempt(wait_s)
        except ChangeFailed as e:
            if e.kind not in LOCK_NOT_HAD:
                raise
            last = e
        else:
            return
        time.sleep(pause_s)
    if last:
        raise last

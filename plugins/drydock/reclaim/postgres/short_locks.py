"""Locks that others would wait behind: asked for briefly, again and again, each time a little longer.

Who waits for ACCESS EXCLUSIVE makes everybody who comes later wait too. So the first tries wait for thirty milliseconds
only, which no writer feels; a table that is never free for that long gets longer ones, up to the policy's limit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from drydock.changing.hands import ChangeFailed
from drydock.policy import ChangePolicy

LOCK_NOT_HAD = ("locked", "conflict")


@dataclass(frozen=True)
class Patience:
    """How often a short lock is tried for, and how long. Seconds. The last try waits as long as the policy allows.

    `tries` and `longest_wait_s` are the policy's (`lock_tries`, `lock_wait_s`) wherever a gate is: see `under`.
    """

    tries: int = 30
    longest_wait_s: float = 2.0
    first_wait_s: float = 0.03
    most_wait_s: float = 1.0
    growth: float = 1.2
    first_pause_s: float = 0.1
    most_pause_s: float = 10.0

    def under(self, policy: ChangePolicy) -> Patience:
        """The same patience, within what the policy allows."""
        return replace(self, tries=policy.lock_tries, longest_wait_s=policy.lock_wait_s)

    def waits(self) -> Iterator[tuple[float | None, float]]:
        """How long to wait for the lock (None: as the policy says), and how long to pause when it was not had."""
        for n in range(self.tries):
            wait_s = min(self.first_wait_s * self.growth**n, self.most_wait_s, self.longest_wait_s)
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

"""The SCN clock and the load curve of one simulated database: both follow the same seeded business day.

SCNs grow with load and with time, and never fall within one incarnation (Oracle Database Concepts, "System Change Number").
"""

from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)
# share of the mean load in each local hour: quiet at night, two office peaks
BUSINESS_DAY = (
    *(0.35, 0.30, 0.25, 0.25, 0.30, 0.40, 0.60, 0.90, 1.50, 2.00, 2.10, 1.80),
    *(1.20, 1.50, 1.90, 2.00, 1.90, 1.60, 1.10, 0.90, 0.80, 0.70, 0.55, 0.40),
)
WEEKEND_SHARE = 0.6


@dataclass
class ScnClock:
    """SCN by moment and back. `started_at` is whole UTC hours; the curve is drawn hour by hour, as far as it is needed."""

    seed: int
    started_at: datetime
    zone: ZoneInfo
    first_scn: int = 1_500_000
    scn_per_s: float = 40.0
    jumps: list[tuple[datetime, int]] = field(default_factory=list)  # (moment, what to add from then on): open resetlogs
    _loads: list[float] = field(default_factory=list)
    _scns: list[int] = field(default_factory=list)
    _random: random.Random = field(default_factory=random.Random, repr=False)

    def __post_init__(self) -> None:
        self.started_at = self.started_at.replace(minute=0, second=0, microsecond=0)
        self._random.seed(f"scn {self.seed}")
        self._scns.append(self.first_scn)

    def _draw(self, hours: int) -> None:
        while len(self._loads) <= hours:
            local = (self.started_at + len(self._loads) * HOUR).astimezone(self.zone)
            share = BUSINESS_DAY[local.hour] * (WEEKEND_SHARE if local.weekday() >= 5 else 1.0)
            load = share * self._random.uniform(0.8, 1.25)
            self._loads.append(load)
            self._scns.append(self._scns[-1] + int(3600 * self.scn_per_s * load))

    def hours_at(self, moment: datetime) -> float:
        """Hours since the clock began."""
        return max(0.0, (moment - self.started_at).total_seconds() / 3600)

    def work_between(self, since: datetime, until: datetime) -> float:
        """Seconds at mean load that do the same work as this span."""
        begin, end, total = self.hours_at(since), self.hours_at(until), 0.0
        self._draw(int(end))
        while begin < end:
            hour = int(begin)
            step = min(end, hour + 1.0) - begin
            total += step * 3600 * self._loads[hour]
            begin += step
        return total

    def when_done(self, since: datetime, work_s: float, latest: datetime) -> datetime:
        """When so many seconds of mean load are done, at the latest at `latest`; whole seconds."""
        begin, end = self.hours_at(since), self.hours_at(latest)
        while begin < end:
            hour = int(begin)
            self._draw(hour)
            step = min(end, hour + 1.0) - begin
            done = step * 3600 * self._loads[hour]
            if done >= work_s:
                begin += work_s / 3600 / self._loads[hour]
                return self.started_at + timedelta(seconds=int(begin * 3600))
            work_s, begin = work_s - done, begin + step
        return latest.replace(microsecond=0)

    def at(self, moment: datetime) -> int:
        """The SCN that the database had at a moment. Before the first hour: the first SCN."""
        seconds = max(0.0, (moment - self.started_at).total_seconds())
        hours = int(seconds // 3600)
        self._draw(hours)
        raw = self._scns[hours] + int((seconds - hours * 3600) * self.scn_per_s * self._loads[hours])
        return raw + sum(step for since, step in self.jumps if moment >= since)

    def moment_of(self, scn: int) -> datetime:
        """The moment of an SCN of the current incarnation, for an SCN that the curve has reached."""
        raw = scn - sum(step for _, step in self.jumps)
        hours = max(0, min(bisect_right(self._scns, raw) - 1, len(self._loads) - 1))
        rate = self.scn_per_s * self._loads[hours]
        return self.started_at + hours * HOUR + timedelta(seconds=(raw - self._scns[hours]) / rate)

    def go_back_to(self, scn: int, moment: datetime) -> None:
        """From `moment` on the SCNs go on from `scn`: an incomplete recovery and OPEN RESETLOGS."""
        self.jumps.append((moment, scn - self.at(moment)))


def stamp_of(local: datetime) -> int:
    """The whole number that RMAN makes of a local DATE (SET_STAMP, STAMP): months of 31 days since 1988, then seconds."""
    days = ((local.year - 1988) * 12 + local.month - 1) * 31 + local.day - 1
    return ((days * 24 + local.hour) * 60 + local.minute) * 60 + local.second

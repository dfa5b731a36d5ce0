"""Small states beside the repository: keystore, recovery area, archive destinations, and how fast logs are made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from drydock.backup.oracle.catalogue import ArchiveDest, RecoveryArea
from drydock.backup.oracle.records import Row, Times, text, whole

HOURS_KEPT = 7 * 24
LAG = re.compile(r"\+?(\d+) (\d+):(\d+):(\d+)(?:\.\d+)?")
MIB = 1024 * 1024


def keystore_status(rows: Iterable[Row]) -> str:
    """OPEN where any keystore is; else the first status; NONE where no keystore is configured."""
    found = [text(row["status"]) for row in rows]
    return "OPEN" if "OPEN" in found else next((s for s in found if s.startswith("OPEN")), found[0] if found else "NONE")


def recovery_area(ask: Callable[[str], list[Row]]) -> RecoveryArea | None:
    """The fast recovery area, and where it lies on ASM the room that its disk group really has."""
    rows = ask("recovery_area")
    if not rows:
        return None
    name = text(rows[0]["name"])
    numbers = {n: whole(rows[0][n]) for n in ("limit_bytes", "used_bytes", "reclaimable_bytes")}
    group = name.lstrip("+").split("/", 1)[0].upper() if name.startswith("+") else ""
    free = [whole(r["usable_mb"]) * MIB for r in (ask("disk_groups") if group else ()) if text(r["name"]).upper() == group]
    return RecoveryArea(name=name, **numbers, device_free_bytes=free[0] if free else None)


def standby_lag_s(rows: Iterable[Row]) -> int | None:
    """The worse of both lags in seconds; None where neither is told."""
    found = [m for row in rows if (m := LAG.fullmatch(text(row["lag"]).strip()))]
    return max((((int(d) * 24 + int(h)) * 60 + int(m)) * 60 + int(s) for d, h, m, s in (f.groups() for f in found)), default=None)


def archive_dests(rows: Iterable[Row]) -> tuple[ArchiveDest, ...]:
    names = ("status", "destination", "error")
    return tuple(ArchiveDest(dest=whole(r["dest"]), **{n: text(r[n]) for n in names}) for r in rows)


def archived_hours(rows: Iterable[Row], now: datetime, times: Times) -> tuple[int, ...]:
    """Archived bytes of each of the last 168 hours, oldest first; an hour without a log is 0. () where there is no log."""
    made = {times.at(row["hour_at"]): whole(row["archived_bytes"]) for row in rows}
    if not made:
        return ()
    last = now.replace(minute=0, second=0, microsecond=0)
    hours = (last - timedelta(hours=h) for h in range(HOURS_KEPT - 1, -1, -1))
    return tuple(made.get(hour, 0) for hour in hours)

"""The fast recovery area: what fills it, what of that could go, and the alerts that the alert log shows.

Backup and Recovery User's Guide, "Maintaining the Fast Recovery Area": reclaimable is what the retention policy no longer
needs or what has been backed up elsewhere. A guaranteed restore point forbids what these figures promise; they do not say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sandbox.oracle.model.repository import Repository
from sandbox.oracle.model.repository_upkeep import delete_logs, obsolete_sets

WARNING_PERCENT, CRITICAL_PERCENT = 85, 97
CONTROLFILE_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True)
class Usage:
    """One line of V$RECOVERY_AREA_USAGE, in bytes."""

    kind: str
    used_bytes: int = 0
    reclaimable_bytes: int = 0
    files: int = 0


def usages(repository: Repository) -> list[Usage]:
    """The eight kinds of V$RECOVERY_AREA_USAGE, in its order."""
    area = repository.recovery_area
    if area is None:
        return []
    return [
        Usage("CONTROL FILE", CONTROLFILE_BYTES, 0, 1),
        Usage("REDO LOG"),
        _logs(repository),
        _pieces(repository),
        _copies(repository),
        Usage("FLASHBACK LOG", area.flashback_bytes, 0, 2 if area.flashback_bytes else 0),
        Usage("FOREIGN ARCHIVED LOG", area.foreign_bytes, 0, area.foreign_files),
        Usage("AUXILIARY DATAFILE COPY"),
    ]


def _logs(repository: Repository) -> Usage:
    logs = [g for g in repository.disk_logs if g.in_fra and g.on_disk]
    backed = backed_up_logs(repository)
    free = sum(g.total_bytes for g in logs if g.key in backed)
    return Usage("ARCHIVED LOG", sum(g.total_bytes for g in logs), free, len(logs))


def backed_up_logs(repository: Repository) -> set[tuple[int, int, int]]:
    """Keys of the logs that an available set holds."""
    return {r.log.key for s in repository.kept_sets if s.kind == "L" and s.is_available for r in s.logs}


def _pieces(repository: Repository) -> Usage:
    pieces = [(p, s) for s in repository.kept_sets for p in s.pieces if p.in_fra and p.status == "A"]
    doomed = {id(s) for s in obsolete_sets(repository, repository.now)}
    free = sum(p.total_bytes for p, s in pieces if id(s) in doomed)
    return Usage("BACKUP PIECE", sum(p.total_bytes for p, _ in pieces), free, len(pieces))


def _copies(repository: Repository) -> Usage:
    copies = [c for c in repository.copies if c.in_fra and c.status == "A"]
    return Usage("IMAGE COPY", sum(c.total_bytes for c in copies), 0, len(copies))


def totals(repository: Repository) -> tuple[int, int, int]:
    """(used, reclaimable, files) of the whole area."""
    lines = usages(repository)
    return sum(u.used_bytes for u in lines), sum(u.reclaimable_bytes for u in lines), sum(u.files for u in lines)


def used_bytes(repository: Repository) -> int:
    """What the area holds, without the longer question of what could go."""
    logs = sum(g.total_bytes for g in repository.disk_logs if g.in_fra and g.on_disk)
    pieces = sum(p.total_bytes for s in repository.kept_sets for p in s.pieces if p.in_fra and p.status == "A")
    copies = sum(c.total_bytes for c in repository.copies if c.in_fra and c.status == "A")
    area = repository.recovery_area
    return CONTROLFILE_BYTES + logs + pieces + copies + (area.flashback_bytes + area.foreign_bytes if area else 0)


def fit(repository: Repository, used_share: float = 0.6) -> None:
    """Set the limit so that this share is used now, in whole GiB as a DBA would (a world's finishing touch)."""
    used, _, _ = totals(repository)
    gib = 1024**3
    repository.recovery_area.limit_bytes = max(2, int(used / used_share / gib) + 1) * gib
    repository.database.parameters["db_recovery_file_dest_size"] = str(repository.recovery_area.limit_bytes)


def make_room(repository: Repository) -> None:
    """When the area is full, Oracle itself deletes archived logs that have been backed up, oldest first."""
    area = repository.recovery_area
    if area is None or used_bytes(repository) <= area.limit_bytes * 0.9:
        return
    used = used_bytes(repository)
    backed = backed_up_logs(repository)
    doomed = []
    for log in repository.disk_logs:
        if used > area.limit_bytes * 0.8 and log.in_fra and log.key in backed:
            doomed.append(log)
            used -= log.total_bytes
    delete_logs(repository, doomed)


def space_warnings(repository: Repository, at: datetime) -> Iterator[str]:
    """Write ORA-19815 to the alert log as the area passes 85 % and 97 %, not counting what is reclaimable."""
    area = repository.recovery_area
    if area is None or 100 * used_bytes(repository) < WARNING_PERCENT * area.limit_bytes:
        return
    used, free, _ = totals(repository)
    percent = 100 * (used - free) / area.limit_bytes
    if percent >= WARNING_PERCENT:
        left = max(0, area.limit_bytes - used + free)
        text = f"db_recovery_file_dest_size of {area.limit_bytes} bytes is {percent:.2f}% used, and has {left}"
        text += " remaining bytes available."
        repository.tell(at, f"ORA-19815: WARNING: {text}", "ORA-19815", "WARNING")
        yield text

"""How fast a trail grows and when its room is full, from figures of any engine."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from drydock.audit.health.trail_parts import Part
from drydock.audit.policy import AuditPolicy, AuditSource, SourceKind
from drydock.verdicts import Finding, Status

FULL_NOW_DAYS = 2
"""Nearer than this is FAIL: a weekend."""
WRITABLE = stat.S_IWGRP | stat.S_IWOTH


class Room(NamedTuple):
    """Bytes of the trail, a day's growth and what is free for it; None where nobody tells."""

    trail_bytes: int
    day_bytes: float | None
    free_bytes: int | None
    place: str = ""

    @property
    def days_left(self) -> float | None:
        if self.free_bytes is None or self.day_bytes is None:
            return None
        return self.free_bytes / self.day_bytes if self.day_bytes > 0 else float("inf")


def growth(policy: AuditPolicy, room: Room) -> Part:
    """Days until the room is full against the policy; room that nobody sees is UNKNOWN."""
    days = room.days_left
    evidence = {"trail_bytes": room.trail_bytes, "free_bytes": room.free_bytes}
    evidence["bytes_per_day"] = None if room.day_bytes is None else round(room.day_bytes)
    evidence["days_until_full"] = None if days is None or days == float("inf") else round(days, 1)
    if days is None:
        missing = "free space" if room.free_bytes is None else "growth"
        return Part(
            0,
            (Finding(code="trail_room_unseen", status=Status.UNKNOWN, place=room.place, values={"missing": missing}),),
            evidence,
        )
    if days >= policy.days_until_full:
        return Part(1, (), evidence)
    status = Status.FAIL if days < FULL_NOW_DAYS else Status.WARN
    values = {"days_left": round(days, 1), "limit_days": policy.days_until_full, "free_bytes": room.free_bytes}
    return Part(1, (Finding(code="trail_full_soon", status=status, place=room.place, values=values),), evidence)


def folders(policy: AuditPolicy, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Folders of the policy's sources of files, with ${VARIABLES} filled in; those that cannot be are left out."""
    found = (folder_of(source, environment) for source in policy.sources if source.kind is SourceKind.FILES)
    return tuple(path for path in found if path is not None)


def folder_of(source: AuditSource, environment: Mapping[str, str]) -> Path | None:
    text = source.folder
    for name, value in environment.items():
        text = text.replace(f"${{{name}}}", value)
    return None if "${" in text else Path(text)


def free_bytes(folder: Path) -> int | None:
    """Free bytes of the disk of a folder; None where it is not seen here."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def open_files(folder: Path, names: tuple[str, ...]) -> list[str]:
    """The folder and its files (by the source's patterns) that others than their owner may write. Raises OSError."""
    found = [str(folder)] if folder.stat().st_mode & WRITABLE and not folder.stat().st_mode & stat.S_ISVTX else []
    files = sorted(path for path in folder.iterdir() if any(path.match(name) for name in names) and path.is_file())
    return found + [path.name for path in files if path.stat().st_mode & WRITABLE]

"""Runs of backups: the sets that one job made, put together by the session that made them, else by their times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from drydock.backup.facts import BackupSet, Level

GAP = timedelta(minutes=30)  # sets of one level that begin this soon after the last one ended belong to the same run


@dataclass(frozen=True)
class BackupRun:
    """Sets of one level that were made together, oldest first."""

    level: Level
    sets: tuple[BackupSet, ...]

    @property
    def started_at(self) -> datetime:
        return self.sets[0].started_at

    @property
    def finished_at(self) -> datetime:
        return max(s.finished_at for s in self.sets)


def backup_runs(sets: Iterable[BackupSet], level: Level) -> tuple[BackupRun, ...]:
    """Runs of one level, oldest first; sets without both times are left out."""
    known = sorted((s for s in sets if s.level is level and s.started_at and s.finished_at), key=lambda s: s.started_at)
    return tuple(BackupRun(level, tuple(group)) for group in _groups(known))


def _groups(sets: Iterable[BackupSet]) -> Iterator[list[BackupSet]]:
    group: list[BackupSet] = []
    until: datetime | None = None
    for made in sets:
        if group and made.started_at > until + GAP:
            yield group
            group = []
        until = made.finished_at if not group else max(until, made.finished_at)
        group.append(made)
    if group:
        yield group


def as_one_set(run: BackupRun) -> BackupSet:
    """A run told as one set: its bytes, datafiles and whole time. It is usable when every set of it is."""
    problems = tuple(p for s in run.sets for p in s.problems)
    update = {
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "total_bytes": sum(s.total_bytes for s in run.sets),
        "files": sum(s.files for s in run.sets),
        "problems": problems,
    }
    return run.sets[0].model_copy(update=update)

"""How faults are registered, and what plants look for: the newest set of a level, the runs of a job, logs of some hours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.redo import ArchivedLog
from sandbox.oracle.model.repository import Repository, repository_of
from sandbox.oracle.model.repository_records import BackupSet, Session
from sandbox.oracle.model.repository_upkeep import delete_set

Plant = Callable[[OracleDatabase], None]


@dataclass(frozen=True)
class FaultFacts:
    """One named fault. `world`: the healthy world it is planted in; `days_before`: so long before that world's end."""

    name: str
    plant: Plant
    world: str = "plain"
    days_before: float = 0.0


CATALOGUE: dict[str, FaultFacts] = {}


def fault(world: str = "plain", days_before: float = 0.0) -> Callable[[Callable[[Repository], None]], Plant]:
    """Registers a plant that works on a repository; its docstring says what a DBA would see and what is to be found."""

    def register(function: Callable[[Repository], None]) -> Plant:
        def plant(database: OracleDatabase) -> None:
            with database.lock:
                function(repository_of(database))

        plant.__doc__, plant.__name__ = function.__doc__, function.__name__
        CATALOGUE[function.__name__] = FaultFacts(function.__name__, plant, world, days_before)
        return plant

    return register


def sets_of_level(repository: Repository, level: int | None) -> list[BackupSet]:
    """Kept sets of datafiles of a level, oldest first; archival ones left out."""
    return [
        s for s in repository.kept_sets if s.kind in "DI" and s.level == level and not s.keep and any(f.file for f in s.files)
    ]


def newest_run(repository: Repository, command_id: str) -> Session:
    """The newest session of a planned job. Raises LookupError where the world has none."""
    for session in reversed(repository.sessions):
        if session.command_id == command_id:
            return session
    raise LookupError(f"no session {command_id} in this world")


def sets_of(repository: Repository, session: Session) -> list[BackupSet]:
    return [s for s in repository.sets if s.session is session]


def newest_level0(repository: Repository) -> list[BackupSet]:
    """The sets of the newest level 0, one session's."""
    sets = sets_of_level(repository, 0)
    return [s for s in sets if s.session is sets[-1].session]


def log_sets(repository: Repository) -> list[BackupSet]:
    return [s for s in repository.kept_sets if s.kind == "L" and not s.keep]


def autobackups(repository: Repository) -> list[BackupSet]:
    return [s for s in repository.kept_sets if s.is_autobackup]


def remove_sets(repository: Repository, doomed: Iterable[BackupSet]) -> None:
    """As if these sets had never been made: no record, no file, and nothing builds on them."""
    doomed = list(doomed)
    gone = {id(s) for s in doomed}
    repository.sets = [s for s in repository.sets if id(s) not in gone]
    repository.kept_sets = [s for s in repository.kept_sets if id(s) not in gone]
    _forget_parents(repository, {id(r) for s in doomed for r in s.files})


def _forget_parents(repository: Repository, records: set[int]) -> None:
    """The next level 1 builds on what is left: the newest record of each file whose parent is among `records`."""
    left = sorted((s for s in repository.sets if not s.is_deleted), key=lambda s: s.completed_at)
    for known, levels in ((repository.latest, (0, 1)), (repository.latest_base, (0,))):
        newest = {r.file: r for s in left if s.level in levels for r in s.files}
        for file in [f for f, r in known.items() if id(r) in records]:
            if file in newest:
                known[file] = newest[file]
            else:
                del known[file]


def delete_sets(repository: Repository, doomed: Iterable[BackupSet]) -> None:
    """As RMAN's DELETE BACKUPSET: records say D."""
    for backup in doomed:
        delete_set(backup)
    repository.kept_sets = [s for s in repository.kept_sets if not s.is_deleted]


def logs_between(repository: Repository, from_hours: float, to_hours: float, thread: int = 1) -> list[ArchivedLog]:
    """Local logs of a thread that ended between so many hours ago and so many, oldest first."""
    since, until = repository.now - timedelta(hours=from_hours), repository.now - timedelta(hours=to_hours)
    logs = [g for g in repository.archived_logs if g.thread == thread and not g.standby_dest]
    return [g for g in logs if since <= g.next_at <= until and g.incarnation is repository.incarnation]


def lose_logs(repository: Repository, logs: list[ArchivedLog]) -> None:
    """These logs are nowhere any more: not on disk and in no set. Rows of V$ARCHIVED_LOG stay, as deleted ones."""
    keys = {g.key for g in logs}
    for backup in repository.sets:
        if backup.kind == "L":
            backup.logs = [r for r in backup.logs if r.log.key not in keys]
    remove_sets(repository, [s for s in repository.sets if s.kind == "L" and not s.logs])
    for log in repository.archived_logs:
        if log.key in keys and not log.standby_dest:
            log.delete()
    repository.disk_logs = [g for g in repository.disk_logs if g.status == "A" and g.name]

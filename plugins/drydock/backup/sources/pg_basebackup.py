"""Backups made by pg_basebackup: folders in plain or tar format, full and incremental, beside a folder of archived logs."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from drydock.backup.facts import BackupSet, Level, LogArchive, LogRange
from drydock.backup.postgres.manifest import FILE_NAME as MANIFEST
from drydock.backup.postgres.restoring import restore_chain
from drydock.backup.postgres.set_evidence import SetPlace
from drydock.backup.postgres.set_files import LABEL, problem
from drydock.backup.postgres.set_reading import read_set
from drydock.backup.postgres.set_survey import survey_set
from drydock.backup.postgres.tar_archive import ARCHIVE_NAME
from drydock.backup.postgres.wal import BackupHistory
from drydock.backup.postgres.wal_archive import read_backup_histories, scan_archive
from drydock.backup.postgres.wal_reading import read_logs
from drydock.backup.regular_files import is_gone, read_patiently
from drydock.backup.results import Read
from drydock.backup.source import Progress, SourceGone, SourceUnreadable, no_progress
from drydock.estate import Places
from drydock.verdicts import Finding

DEEPEST_FOLDER = 3  # sets may lie in folders by kind or date below the place of the sets


class PgBasebackupSource:
    """The BackupSource of pg_basebackup (PostgreSQL manual, "pg_basebackup" and "Continuous Archiving").

    `zone` is the database's time zone: labels are dated by abbreviations, which mean nothing without it.
    """

    def __init__(self, places: Places, zone: ZoneInfo) -> None:
        self._sets = Path(places.sets)
        self._logs = Path(places.logs) if places.logs else None
        self._owner = places.owner
        self._zone = zone

    def survey_sets(self, as_of: datetime) -> tuple[BackupSet, ...]:
        """All base backups that were there at `as_of`, oldest first. Raises SourceUnreadable."""
        histories = read_backup_histories(self._logs, self._zone) if self._logs else []
        try:
            roots = list(_find_roots(self._sets, os.path.realpath(self._sets)))
            found = [s for root in roots if (s := self._survey_set(root, histories, as_of))]
        except OSError as e:
            raise SourceUnreadable(f"{e.filename or self._sets}: {e.strerror or e}") from e
        present = [s for s in found if _was_there(s, as_of)]
        return tuple(sorted(_link_parents(present), key=lambda s: (_age_key(s), s.set_id)))

    def survey_logs(self, as_of: datetime) -> LogArchive | None:
        """The archived logs that were there at `as_of`. Raises SourceUnreadable."""
        return scan_archive(self._logs, as_of) if self._logs else None

    def read_set(self, backup_set: BackupSet, progress: Progress = no_progress) -> Read:
        """Read every byte of a set, compare it with its manifest and check the records of its WAL."""
        if not backup_set.place:
            raise SourceGone(backup_set.set_id)  # the survey has told of it
        return read_set(backup_set, self._place(Path(backup_set.place)), progress)

    def read_logs(self, log_range: LogRange, progress: Progress = no_progress) -> Read:
        """Check every record of a run of archived segments."""
        if self._logs is None:
            raise SourceUnreadable("this plan has no place of archived logs")
        return read_logs(self._logs, log_range, progress)

    def restore(self, chain: tuple[BackupSet, ...], data_dir: Path, progress: Progress = no_progress) -> int:
        """Put a chain (full first) into `data_dir`; tablespaces go to `<data_dir>.tblspc/<oid>`. Returns the bytes.

        Raises RestoreFailed, OSError.
        """
        return restore_chain(chain, data_dir, progress)

    def fetch_log_command(self) -> str:
        """A restore_command: copies a segment from the archive, also one that was compressed with gzip."""
        if self._logs is None:
            return "false"
        # in a restore_command a percent sign of the path itself is written twice
        file = shlex.quote(str(self._logs.absolute()).replace("%", "%%")) + "/%f"
        copy, unpack = f'cp {file} "%p"', f'gzip -dc {file}.gz > "%p"'
        return f"if [ -f {file} ]; then {copy}; elif [ -f {file}.gz ]; then {unpack}; else exit 1; fi"

    def _survey_set(self, root: Path, histories: Sequence[BackupHistory], as_of: datetime) -> BackupSet | None:
        """One set; None where it expired while it was looked at."""
        place = self._place(root)
        try:
            found = read_patiently(partial(survey_set, place, histories, as_of))
        except PermissionError as e:
            found = _closed_set(place, problem("set_mode", place.set_id, mode=e.strerror or ""))
        except OSError as e:
            found = _closed_set(place, problem("set_file_unreadable", place.set_id, reason=e.strerror or str(e)))
        return None if found.problems and is_gone(root) else found

    def _place(self, root: Path) -> SetPlace:
        set_id = root.name if root == self._sets else str(root.relative_to(self._sets))
        return SetPlace(root, set_id, self._sets, self._zone, self._owner, self._logs is not None)


def _closed_set(place: SetPlace, reason: Finding) -> BackupSet:
    """A set of which nothing is known but why it cannot be looked at."""
    return BackupSet(set_id=place.set_id, level=Level.FULL, place=str(place.root), problems=(reason,))


def _find_roots(folder: Path, home: str, depth: int = 0) -> Iterator[Path]:
    """Folders that are base backups, and those that cannot be listed. Raises OSError for the first folder only.

    A link to another set in the same place (`latest`) is not a set of its own.
    """
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda e: e.name)
    except OSError:
        if depth == 0:
            raise
        if not is_gone(folder):
            yield folder
        return
    if _looks_like_set({e.name for e in found}):
        yield folder
    elif depth < DEEPEST_FOLDER:
        for entry in found:
            if _may_hold_sets(entry, home):
                yield from _find_roots(Path(entry.path), home, depth + 1)


def _may_hold_sets(entry: os.DirEntry[str], home: str) -> bool:
    if not entry.is_dir() or entry.name == "lost+found" or entry.name.startswith((".", "PG_")):
        return False
    return not (entry.is_symlink() and os.path.realpath(entry.path).startswith(home + "/"))


def _looks_like_set(names: set[str]) -> bool:
    if names & {MANIFEST, f"{MANIFEST}.tmp", LABEL} or {"global", "base"} <= names:
        return True
    return any((match := ARCHIVE_NAME.fullmatch(n)) and match[1] == "base" for n in names)


def _was_there(backup_set: BackupSet, as_of: datetime) -> bool:
    moment = backup_set.finished_at or backup_set.started_at
    return moment is None or moment <= as_of


def _age_key(backup_set: BackupSet) -> float:
    moment = backup_set.finished_at or backup_set.started_at
    return moment.timestamp() if moment else 0.0


def _link_parents(sets: Sequence[BackupSet]) -> Iterator[BackupSet]:
    """An increment names its parent by the position and timeline where that one started; a usable one is preferred."""
    for s in sets:
        if s.level is not Level.INCREMENTAL or s.parent_position is None:
            yield s
            continue
        candidates = [p for p in sets if p.set_id != s.set_id and p.start_position == s.parent_position]
        candidates = [p for p in candidates if s.system_id is None or p.system_id in (None, s.system_id)]
        candidates.sort(key=lambda p: (not p.is_usable, p.form != s.form, p.set_id))
        yield s.model_copy(update={"parent_id": candidates[0].set_id if candidates else None})

"""Where backups come from, behind one small protocol. The kinds that there are: `drydock.backup.sources`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from drydock.backup.facts import BackupSet, LogArchive, LogRange
from drydock.backup.results import Read

Progress = Callable[[int], None]
"""Called with the bytes read since the last call."""


def no_progress(_read_bytes: int) -> None:
    """Progress that nobody watches."""


class SourceUnreadable(Exception):
    """The place of the backups cannot be looked at at all (missing, no permission, not mounted)."""


class SourceGone(Exception):
    """A set, or a run of log segments, that is not there any more: it expired between the survey and the reading."""


class SourceUnsupported(Exception):
    """A kind of backup that this version cannot look at."""


class RestoreFailed(Exception):
    """A chain could not be put together; the text ends with what the failing program said."""


class BackupSource(Protocol):
    """What the pipeline asks of a kind of backup. `as_of` hides what was not there yet at that time (backfill)."""

    def survey_sets(self, as_of: datetime) -> tuple[BackupSet, ...]:
        """All base backups, oldest first. Raises SourceUnreadable."""
        ...

    def survey_logs(self, as_of: datetime) -> LogArchive | None:
        """The archived logs, or None where the plan has none. Raises SourceUnreadable."""
        ...

    def read_set(self, backup_set: BackupSet, progress: Progress = no_progress) -> Read:
        """Read every byte of one set and compare it with its checksums. Raises SourceGone."""
        ...

    def read_logs(self, log_range: LogRange, progress: Progress = no_progress) -> Read:
        """Read every byte of one run of log segments and check every record. Raises SourceGone."""
        ...

    def restore(self, chain: tuple[BackupSet, ...], data_dir: Path, progress: Progress = no_progress) -> int:
        """Put the chain (full first) into an empty folder; returns the restored bytes."""
        ...

    def fetch_log_command(self) -> str:
        """The restore_command with which a copy fetches archived logs."""
        ...

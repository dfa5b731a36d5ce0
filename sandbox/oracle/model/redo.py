"""Incarnations, redo threads with their groups, and archived logs of a simulated database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

LOG_BLOCK_BYTES = 512


@dataclass(slots=True)
class Incarnation:
    """A row of V$DATABASE_INCARNATION. `resetlogs_id` is what %r in a log's name gives."""

    number: int
    resetlogs_scn: int
    resetlogs_at: datetime
    resetlogs_id: int
    prior_number: int = 0
    prior_resetlogs_scn: int = 0
    prior_resetlogs_at: datetime | None = None
    status: str = "CURRENT"  # CURRENT, PARENT, ORPHAN


@dataclass(slots=True)
class RedoGroup:
    """A row of V$LOG. A group that waits to be archived: `archived` False with status ACTIVE or INACTIVE."""

    group: int
    total_bytes: int
    members: tuple[str, ...]
    sequence: int = 0
    archived: bool = True
    status: str = "UNUSED"  # CURRENT, ACTIVE, INACTIVE, UNUSED, CLEARING
    first_scn: int = 0
    first_at: datetime | None = None
    next_scn: int = 0
    next_at: datetime | None = None


@dataclass(slots=True)
class RedoThread:
    """A row of V$THREAD with its groups. `sequence` is the current log's; `opened_scn`/`closed_scn` of an instance's life."""

    number: int
    instance: str
    groups: list[RedoGroup] = field(default_factory=list)
    is_open: bool = True
    enabled: str = "PUBLIC"  # PUBLIC, PRIVATE, DISABLED
    sequence: int = 1
    first_scn: int = 0
    first_at: datetime | None = None
    last_redo_scn: int = 0
    last_redo_at: datetime | None = None
    opened_at: datetime | None = None
    closed_scn: int = 0
    closed_at: datetime | None = None
    enabled_scn: int = 0
    redo_bytes_per_s: float = 300_000.0
    log_bytes: int = 512 * 1024 * 1024
    switch_at: datetime | None = None  # when the current log will be full

    @property
    def current(self) -> RedoGroup:
        return next(g for g in self.groups if g.status == "CURRENT")


@dataclass(slots=True)
class ArchivedLog:
    """A row of V$ARCHIVED_LOG. `name` None: deleted by RMAN, or (never deleted) cleared before it was archived.

    `on_disk`, `is_unreadable` and `corrupt_blocks` are the physical truth, which no view tells.
    """

    recid: int
    stamp: int
    name: str | None
    dest: int
    thread: int
    sequence: int
    incarnation: Incarnation
    first_scn: int
    first_at: datetime
    next_scn: int
    next_at: datetime
    blocks: int
    completed_at: datetime
    archived: bool = True
    applied: str = "NO"
    status: str = "A"  # A available, D deleted, U unavailable, X expired
    standby_dest: bool = False
    in_fra: bool = True
    backup_count: int = 0
    creator: str = "ARCH"
    end_of_redo_type: str = ""
    on_disk: bool = True
    is_unreadable: bool = False
    corrupt_blocks: int = 0
    key: tuple[int, int, int] = field(init=False)  # THREAD#, RESETLOGS_CHANGE#, SEQUENCE#: the same log wherever it lies

    def __post_init__(self) -> None:
        self.key = self.thread, self.incarnation.resetlogs_scn, self.sequence

    @property
    def total_bytes(self) -> int:
        return self.blocks * LOG_BLOCK_BYTES

    @property
    def is_live(self) -> bool:
        """RMAN believes in this file on disk."""
        return self.status == "A" and self.name is not None and self.archived and not self.standby_dest

    def delete(self) -> None:
        """As RMAN's DELETE: file gone, row kept with NAME null (Backup and Recovery Reference, "DELETE")."""
        self.name, self.status, self.on_disk = None, "D", False

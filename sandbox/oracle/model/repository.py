"""The backup side of one simulated database: what its control file records, what lies on the media, and the clock of both.

`repository_of(database)` finds it. Made by `sandbox.oracle.model.building`, changed by the other modules beside this one.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.files import BlockRange, Container, Datafile, Tablespace
from sandbox.oracle.model.redo import ArchivedLog, Incarnation, RedoThread
from sandbox.oracle.model.repository_records import BackupSet, DatafileCopy, FileInSet, Session
from sandbox.oracle.model.scn import ScnClock, stamp_of

if TYPE_CHECKING:
    from sandbox.oracle.model.jobs import Plan

PART = "backup"


@dataclass(slots=True)
class ArchiveDestination:
    """A row of V$ARCHIVE_DEST and V$ARCHIVE_DEST_STATUS in use. `target` STANDBY: a service name, not a folder."""

    dest: int
    destination: str
    target: str = "PRIMARY"
    status: str = "VALID"
    error: str = ""
    in_fra: bool = False
    failed_at: datetime | None = None
    failures: int = 0


@dataclass(slots=True)
class RestorePoint:
    """A row of V$RESTORE_POINT."""

    name: str
    scn: int
    created_at: datetime
    incarnation: int
    is_guaranteed: bool = False
    is_preserved: bool = False
    storage_bytes: int = 0


@dataclass(slots=True)
class Wallet:
    """A row of V$ENCRYPTION_WALLET."""

    path: str = "/etc/oracle/wallets/"
    status: str = "OPEN"  # OPEN, OPEN_NO_MASTER_KEY, CLOSED, NOT_AVAILABLE
    kind: str = "AUTOLOGIN"
    con_id: int = 0


@dataclass(slots=True)
class RecoveryFiles:
    """The fast recovery area: its limit, and what lies in it besides logs, pieces and copies."""

    name: str
    limit_bytes: int
    flashback_bytes: int = 0
    foreign_bytes: int = 0
    foreign_files: int = 0


@dataclass(slots=True)
class DataGuard:
    """A row pair of V$DATAGUARD_STATS on a standby, or the far side's figures on a primary. Lags in whole seconds."""

    transport_lag_s: int = 0
    apply_lag_s: int = 3
    primary: str = ""


@dataclass(slots=True)
class AlertEvent:
    """One line or block of the alert log that is not a log switch."""

    at: datetime
    text: str
    code: str = ""  # ORA-19815 and the like, empty where Oracle prints none
    level: str = "UNKNOWN"


@dataclass
class Repository:
    """Everything about the backups of one database."""

    database: OracleDatabase
    seed: int
    scn: ScnClock
    created_at: datetime
    lived_until: datetime
    random: random.Random
    role: str = "PRIMARY"
    open_mode: str = "READ WRITE"
    log_mode: str = "ARCHIVELOG"
    force_logging: bool = False
    flashback_on: bool = False
    change_tracking: str = ""  # the tracking file's name; empty: disabled
    controlfile_created_at: datetime | None = None
    controlfile_type: str = "CURRENT"
    protection_mode: str = "MAXIMUM PERFORMANCE"
    standby_became_primary_scn: int = 0
    host: str = "dbhost01"
    started_at: datetime | None = None
    keep_days: int = 7
    containers: list[Container] = field(default_factory=list)
    tablespaces: list[Tablespace] = field(default_factory=list)
    datafiles: list[Datafile] = field(default_factory=list)
    incarnations: list[Incarnation] = field(default_factory=list)
    threads: list[RedoThread] = field(default_factory=list)
    archived_logs: list[ArchivedLog] = field(default_factory=list)
    sets: list[BackupSet] = field(default_factory=list)
    copies: list[DatafileCopy] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    configuration: dict[str, str] = field(default_factory=dict)  # V$RMAN_CONFIGURATION: NAME -> VALUE, not the defaults
    destinations: list[ArchiveDestination] = field(default_factory=list)
    recovery_area: RecoveryFiles | None = None
    restore_points: list[RestorePoint] = field(default_factory=list)
    corrupt_blocks: list[BlockRange] = field(default_factory=list)
    nonlogged_blocks: list[BlockRange] = field(default_factory=list)
    wallets: list[Wallet] = field(default_factory=list)
    data_guard: DataGuard | None = None
    asm_groups: dict[str, tuple[int, int]] = field(default_factory=dict)  # V$ASM_DISKGROUP: name -> (total, usable) MB
    unmounted: set[str] = field(default_factory=set)  # path prefixes that nobody can read now
    events: list[AlertEvent] = field(default_factory=list)
    plan: Plan | None = None
    next_recid: Counter[str] = field(default_factory=Counter)
    slots: dict[str, int] = field(default_factory=lambda: {"set": 409, "log": 896, "session": 141, "copy": 409})
    latest: dict[int, FileInSet] = field(default_factory=dict)  # FILE# -> newest level 0 or 1, what a differential builds on
    latest_base: dict[int, FileInSet] = field(default_factory=dict)  # FILE# -> newest level 0
    disk_logs: list[ArchivedLog] = field(default_factory=list)  # logs not deleted: an index of archived_logs
    kept_sets: list[BackupSet] = field(default_factory=list)  # sets not deleted: an index of sets
    agenda: list[tuple[datetime, int, Any]] = field(default_factory=list)  # what is to happen next, a heap
    turns: int = 0
    offsets: dict[int, timedelta] = field(default_factory=dict, repr=False)

    @property
    def incarnation(self) -> Incarnation:
        """The current one."""
        return next(i for i in reversed(self.incarnations) if i.status == "CURRENT")

    @property
    def now(self) -> datetime:
        """The database's clock, or what was lived up to where that is later (while a past is being made)."""
        return max(self.database.clock.now(), self.lived_until)

    @property
    def is_standby(self) -> bool:
        return self.role != "PRIMARY"

    def stamp(self, moment: datetime) -> int:
        return stamp_of(self.local(moment))

    def local(self, moment: datetime | None) -> datetime | None:
        """As `database.local`, for very many moments in UTC: the zone is asked once for each quarter of an hour."""
        if moment is None or moment.tzinfo is not UTC:
            return self.database.local(moment)
        quarter = (moment.toordinal() * 24 + moment.hour) * 4 + moment.minute // 15
        offset = self.offsets.get(quarter)
        if offset is None:
            offset = self.offsets[quarter] = moment.astimezone(self.database.zone).utcoffset()
        return (moment + offset).replace(tzinfo=None, microsecond=0)

    def recid(self, section: str) -> int:
        """The next RECID of a section of the control file."""
        self.next_recid[section] += 1
        return self.next_recid[section]

    def living_files(self) -> list[Datafile]:
        return [f for f in self.datafiles if not f.is_dropped]

    def file(self, number: int) -> Datafile:
        """The living datafile of a FILE#. Raises KeyError."""
        for datafile in reversed(self.datafiles):
            if datafile.file == number and not datafile.is_dropped:
                return datafile
        raise KeyError(number)

    def tablespace(self, name: str) -> Tablespace:
        """The living tablespace of a name, in the root first. Raises KeyError."""
        for tablespace in self.tablespaces:
            if tablespace.name == name and not tablespace.is_dropped:
                return tablespace
        raise KeyError(name)

    def files_of(self, tablespace: str) -> list[Datafile]:
        return [f for f in self.living_files() if f.tablespace.name == tablespace]

    def available_sets(self) -> Iterator[BackupSet]:
        return (s for s in self.sets if s.is_available)

    def disk_folder_is_mounted(self, path: str) -> bool:
        return not any(path.startswith(prefix) for prefix in self.unmounted)

    def tell(self, at: datetime, text: str, code: str = "", level: str = "UNKNOWN") -> None:
        """Write to the alert log."""
        self.events.append(AlertEvent(at, text, code, level))

    def move_clock(self, moment: datetime) -> None:
        """Set the database's clock to a moment; time that passed on the machine since is kept."""
        self.database.clock.advance(moment - self.database.clock.now())
        self.lived_until = moment


def repository_of(database: OracleDatabase) -> Repository:
    """The backup side of a database. Raises KeyError where none was built."""
    return database.parts[PART]


def has_repository(database: OracleDatabase) -> bool:
    return PART in database.parts


def days(number: float) -> timedelta:
    return timedelta(days=number)

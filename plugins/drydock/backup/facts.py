"""What a survey of one database's backups returns. Engine-neutral: RMAN pieces and SCNs fit as base backups and LSNs do.

Positions are whole numbers in the engine's own log order (PostgreSQL: LSN in bytes; Oracle: SCN). A log segment is one
WAL file or one archived redo log; its number orders it within its timeline (Oracle: SEQUENCE# within THREAD# and
incarnation). All times are aware.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, Field

from drydock.backup.oracle.alert_state import AlertState
from drydock.backup.oracle.catalogue import OracleCatalogue
from drydock.verdicts import CleanText, Finding, Model

UNFINISHED = "set_unfinished"
# wrong, and told as such, yet no obstacle to a restore
NO_OBSTACLE = frozenset({"set_file_extra", "set_owner", "set_owner_unknown", "set_mode"})


class Level(StrEnum):
    FULL = "full"
    INCREMENTAL = "incremental"
    LOG = "log"


class Tablespace(Model):
    """A tablespace that lives outside the data directory. `place` is where its files are kept in the backup."""

    oid: int
    name: CleanText = ""
    location: CleanText = Field(description="path on the source host")
    place: CleanText = Field("", description="path in the backup, empty when it is not in it")


class BackupSet(Model):
    """One base backup as it lies there. `problems` is what the survey saw without reading any data byte."""

    set_id: CleanText = Field(description="directory name or repository label, unique in its source")
    level: Level
    parent_id: CleanText | None = Field(None, description="set that an incremental builds on; None when it is not there")
    parent_position: int | None = Field(None, description="start position of the parent; None for a full")
    place: CleanText = Field(description="path of the set")
    form: CleanText = Field("plain", description="plain, tar or repository")
    system_id: CleanText | None = None
    timeline: int | None = None
    start_position: int | None = None
    stop_position: int | None = None
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    total_bytes: int = 0
    restored_bytes: int | None = Field(
        None, description="bytes of its files unpacked, where known and not total_bytes; of a repository those of a restore"
    )
    files: int = 0
    tablespaces: tuple[Tablespace, ...] = ()
    problems: tuple[Finding, ...] = ()

    @property
    def obstacles(self) -> tuple[Finding, ...]:
        """What the survey saw that forbids a restore from this set or, where it is UNKNOWN, may forbid it."""
        return tuple(p for p in self.problems if _is_obstacle(p))

    @property
    def is_usable(self) -> bool:
        """True when nothing that the survey saw forbids a restore from this set."""
        return not self.obstacles


def _is_obstacle(problem: Finding) -> bool:
    kind = problem.values.get("kind", problem.code)  # a folded finding tells what it stands for
    return kind == UNFINISHED or (problem.status.is_red and kind not in NO_OBSTACLE)


class LogRange(Model):
    """A run of log segments of one timeline without a gap."""

    timeline: int
    first: CleanText
    last: CleanText
    first_position: int
    end_position: int = Field(description="first position after the range")
    segments: int
    total_bytes: int
    first_at: AwareDatetime
    last_at: AwareDatetime
    system_id: CleanText | None = None


class LogArchive(Model):
    """The archived logs of one database."""

    place: CleanText
    segment_bytes: int
    ranges: tuple[LogRange, ...] = ()
    timelines: dict[int, tuple[int, int]] = Field(
        default_factory=dict, description="timeline -> (parent timeline, position where it branched off)"
    )
    free_bytes: int | None = Field(None, description="free space on the archive's file system")
    problems: tuple[Finding, ...] = ()

    @property
    def segments(self) -> int:
        return sum(r.segments for r in self.ranges)

    @property
    def total_bytes(self) -> int:
        return sum(r.total_bytes for r in self.ranges)


class JobState(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    RUNNING = "running"


class JobRun(Model):
    """One run of the customer's backup job, as its own log tells it."""

    level: Level
    state: JobState
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    set_id: CleanText = ""
    message: CleanText = ""


class JobLog(Model):
    """The customer's backup log. Before `horizon_at` it says nothing."""

    place: CleanText
    horizon_at: AwareDatetime | None = None
    runs: tuple[JobRun, ...] = ()
    unread_lines: int = 0
    problems: tuple[Finding, ...] = ()


class Archiver(Model):
    """How the server itself says its log archiving goes."""

    mode: CleanText
    timeout_s: int = Field(0, description="archive_timeout; 0 means that only a full segment is archived")
    archived_count: int = 0
    failed_count: int = 0
    last_archived: CleanText = ""
    last_archived_at: AwareDatetime | None = None
    last_failed: CleanText = ""
    last_failed_at: AwareDatetime | None = None


class TargetState(Model):
    """The database itself at the time of the survey; `error` says why it could not be asked."""

    reachable: bool
    error: CleanText = ""
    system_id: CleanText | None = None
    version: CleanText = ""
    role: CleanText = Field("", description="primary or standby")
    timeline: int | None = None
    position: int | None = None
    clock_at: AwareDatetime | None = None
    asked_at: AwareDatetime | None = Field(None, description="Drydock's clock when clock_at was read")
    archiver: Archiver | None = None
    total_bytes: int | None = None
    tablespaces: tuple[Tablespace, ...] = ()


class Survey(Model):
    """Everything known about one database's backups at `as_of`, before any byte of them is read."""

    database: str
    as_of: AwareDatetime
    surveyed_at: AwareDatetime
    sets: tuple[BackupSet, ...] = ()
    logs: LogArchive | None = None
    jobs: JobLog | None = None
    target: TargetState | None = None
    target_expected: bool = Field(False, description="True where the database was to be asked, so that no answer tells something")
    newest_ids: tuple[CleanText, ...] = Field((), description="sets to read back every day; empty: the newest full")
    catalogue: OracleCatalogue | None = Field(None, description="RMAN's repository, where it is the source of all this")
    alerts: AlertState | None = Field(None, description="the last day of an Oracle alert log; None where nobody could read it")
    past_sets: tuple[BackupSet, ...] = Field((), description="sets seen in earlier surveys and since expired: the history")
    problems: tuple[Finding, ...] = ()

"""What RMAN's repository says, as read from the control file through V$ views. Result models only, no logic.

SCNs are whole numbers. All times are aware: the database host's local DATEs, put into the database's time zone by the
survey. A backup set is known by (SET_STAMP, SET_COUNT) and a datafile by (FILE#, CREATION_CHANGE#): RECID and BS_KEY
change when a control file is rebuilt (Oracle Database Reference 19c; Backup and Recovery User's Guide, ch. 12).
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, Field

from drydock.verdicts import CleanText, Model


class SetKind(StrEnum):
    """V$BACKUP_SET.BACKUP_TYPE, and image copies beside it."""

    FULL = "D"  # full, or level 0 where the level says so
    INCREMENTAL = "I"
    LOG = "L"
    COPY = "C"  # an image copy of one datafile (V$DATAFILE_COPY), told as a set of one piece


class Piece(Model):
    """One copy of one piece (V$BACKUP_PIECE), or one datafile copy."""

    piece: int
    copy_number: int = 1
    handle: CleanText = ""
    status: str = Field(description="A available, X expired, U unavailable, D deleted")
    device: CleanText = "DISK"
    total_bytes: int = 0
    is_encrypted: bool = False
    is_compressed: bool = False
    in_fra: bool = False
    tag: CleanText = ""
    completed_at: AwareDatetime | None = None


class RmanSet(Model):
    """One backup set with all copies of all its pieces."""

    stamp: int
    count: int
    recid: int = Field(description="the key that RMAN's VALIDATE BACKUPSET takes today; never a key of the ledger")
    kind: SetKind
    level: int | None = Field(None, description="0, 1, or None for a full or a log backup")
    pieces_expected: int = 1
    is_multi_section: bool = False
    has_controlfile: bool = False
    has_spfile: bool = False
    keep: bool = False
    session_recid: int | None = None
    session_stamp: int | None = None
    started_at: AwareDatetime | None = None
    completed_at: AwareDatetime | None = None
    pieces: tuple[Piece, ...] = ()

    @property
    def set_id(self) -> str:
        """The ledger's name of it, the same for ever: DBID stands beside it in the ledger's database column."""
        return f"{'copy' if self.kind is SetKind.COPY else 'set'}-{self.stamp}-{self.count}"

    @property
    def available_pieces(self) -> frozenset[int]:
        return frozenset(p.piece for p in self.pieces if p.status == "A")

    @property
    def is_available(self) -> bool:
        """True when every piece 1..n has a copy that RMAN believes in."""
        return self.available_pieces >= set(range(1, self.pieces_expected + 1))

    @property
    def total_bytes(self) -> int:
        """Bytes of one available copy of each piece."""
        return sum({p.piece: p.total_bytes for p in self.pieces if p.status == "A"}.values())


class FileBackup(Model):
    """One datafile in one set or copy (V$BACKUP_DATAFILE, V$DATAFILE_COPY). File 0 is the control file."""

    stamp: int
    count: int
    is_copy: bool = False
    file: int
    creation_scn: int
    resetlogs_scn: int
    level: int | None = None
    incremental_scn: int = Field(0, description="INCREMENTAL_CHANGE#: holds what changed since; 0 for a full or level 0")
    checkpoint_scn: int
    checkpoint_at: AwareDatetime | None = None
    fuzzy_scn: int = Field(0, description="ABSOLUTE_FUZZY_CHANGE#")
    completed_at: AwareDatetime | None = None
    blocks: int = 0
    datafile_blocks: int = 0
    blocks_read: int = 0
    block_bytes: int = 8192
    used_change_tracking: bool = False
    corrupt_blocks: int = Field(0, description="MARKED_CORRUPT + MEDIA_CORRUPT + LOGICALLY_CORRUPT")


class LogSpan(Model):
    """A run of archived logs of one thread and incarnation with consecutive SEQUENCE#, all kept in the same way.

    Where: on disk (a live row of V$ARCHIVED_LOG) and in the available sets of `set_ids`, sorted. A span that is kept nowhere
    is told as well: its rows say at which SCN the missing logs end.
    """

    thread: int
    resetlogs_scn: int
    first_sequence: int
    last_sequence: int
    first_scn: int
    next_scn: int
    first_at: AwareDatetime
    next_at: AwareDatetime
    total_bytes: int = 0
    on_disk: bool = False
    set_ids: tuple[str, ...] = Field((), description="available backup sets that hold every log of the span")

    @property
    def is_kept(self) -> bool:
        return self.on_disk or bool(self.set_ids)

    @property
    def logs(self) -> int:
        return self.last_sequence - self.first_sequence + 1


class Datafile(Model):
    """V$DATAFILE with its tablespace and container."""

    file: int
    creation_scn: int
    created_at: AwareDatetime | None = None
    name: CleanText
    tablespace: CleanText
    container: CleanText = Field("", description="name of the PDB; empty outside of a CDB")
    status: str = Field("ONLINE", description="SYSTEM, ONLINE, OFFLINE, RECOVER, SYSOFF")
    enabled: str = Field("READ WRITE", description="READ WRITE, READ ONLY, DISABLED, UNKNOWN")
    checkpoint_scn: int = 0
    stop_scn: int | None = Field(None, description="LAST_CHANGE#: nothing is changed in it since; None while it is being changed")
    total_bytes: int = 0
    in_database_backup: bool = Field(True, description="V$TABLESPACE.INCLUDED_IN_DATABASE_BACKUP")
    unrecoverable_scn: int = 0
    unrecoverable_at: AwareDatetime | None = None


class Incarnation(Model):
    """V$DATABASE_INCARNATION."""

    number: int
    resetlogs_scn: int
    resetlogs_at: AwareDatetime
    prior_resetlogs_scn: int = 0
    status: str = Field(description="CURRENT, PARENT, ORPHAN")


class RedoThread(Model):
    """V$THREAD, with the redo groups that wait to be archived (V$LOG)."""

    thread: int
    is_open: bool
    is_enabled: bool
    sequence: int = Field(description="the current log, not archived yet")
    last_redo_at: AwareDatetime | None = None
    groups: int = 0
    unarchived_groups: int = 0


class RmanJob(Model):
    """V$RMAN_BACKUP_JOB_DETAILS: one RMAN session."""

    session_recid: int
    session_stamp: int
    command_id: CleanText = ""
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    status: str
    input_type: CleanText = ""
    input_bytes: int = 0
    output_bytes: int = 0
    elapsed_s: float = 0
    has_live_session: bool | None = Field(None, description="for RUNNING: a session of program rman exists")


class RecoveryArea(Model):
    """V$RECOVERY_FILE_DEST."""

    name: CleanText
    limit_bytes: int
    used_bytes: int
    reclaimable_bytes: int
    device_free_bytes: int | None = Field(None, description="room really left on its disk group or disk; None: not known")


class ArchiveDest(Model):
    """V$ARCHIVE_DEST_STATUS of a destination in use."""

    dest: int
    status: str
    destination: CleanText = Field("", description="folder, disk group, service, or USE_DB_RECOVERY_FILE_DEST; empty: not known")
    error: CleanText = ""


class CorruptBlocks(Model):
    """V$DATABASE_BLOCK_CORRUPTION, V$NONLOGGED_BLOCK, V$BACKUP_CORRUPTION or V$COPY_CORRUPTION."""

    view: str
    file: int
    block: int
    blocks: int
    kind: CleanText
    scn: int = 0
    set_id: str = ""


class DatabaseFacts(Model):
    """V$DATABASE and V$INSTANCE, and what RMAN is configured for."""

    dbid: int
    name: CleanText
    unique_name: CleanText
    version: CleanText = ""
    edition: CleanText = ""
    role: str = "PRIMARY"
    open_mode: str = "READ WRITE"
    log_mode: str = "ARCHIVELOG"
    is_cdb: bool = False
    current_scn: int
    resetlogs_scn: int
    sysdate_at: AwareDatetime = Field(description="the database's own clock, in the same query")
    created_at: AwareDatetime | None = None
    controlfile_created_at: AwareDatetime | None = None
    role_changed_at: AwareDatetime | None = None
    keep_days: int = Field(7, description="CONTROL_FILE_RECORD_KEEP_TIME")
    has_spfile: bool = Field(True, description="False where the instance was started from a text parameter file")
    force_logging: bool = False
    block_change_tracking: bool = False
    rman_configuration: dict[str, str] = Field(default_factory=dict, description="V$RMAN_CONFIGURATION: what is not default")
    keystore_status: str = Field("", description="V$ENCRYPTION_WALLET.STATUS; empty: none")


class OracleCatalogue(Model):
    """The repository of one database at one moment."""

    facts: DatabaseFacts
    horizon_at: AwareDatetime | None = Field(None, description="before it the control file's records say nothing")
    incarnations: tuple[Incarnation, ...] = ()
    datafiles: tuple[Datafile, ...] = ()
    threads: tuple[RedoThread, ...] = ()
    sets: tuple[RmanSet, ...] = ()
    file_backups: tuple[FileBackup, ...] = ()
    log_spans: tuple[LogSpan, ...] = ()
    jobs: tuple[RmanJob, ...] = ()
    recovery_area: RecoveryArea | None = None
    archive_dests: tuple[ArchiveDest, ...] = ()
    guaranteed_restore_points: tuple[CleanText, ...] = ()
    corrupt_blocks: tuple[CorruptBlocks, ...] = ()
    archived_bytes_per_hour: tuple[int, ...] = Field((), description="of the last 7 days, one figure per hour")
    standby_lag_s: int | None = Field(None, description="the worse of transport and apply lag, on a standby; None: not known")
    hides_containers: bool = Field(False, description="True where the account sees not all containers: the seed is missing")
    unread: tuple[str, ...] = Field((), description="questions (names of SQL files) that were not answered")

    @property
    def knows_sets(self) -> bool:
        """True where the questions about sets and what they hold were all answered."""
        return not {"backup_sets", "backup_pieces", "backup_datafiles", "datafile_copies"} & set(self.unread)

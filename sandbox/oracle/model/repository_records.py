"""RMAN's records in the control file: backup sets with pieces and contents, copies, sessions; and the truth on the media.

A record says what RMAN believes (`status`); `on_disk`, `corrupt_blocks`, `kept_bytes` and `is_unreadable` say what lies
there. Only reading commands find the difference: CROSSCHECK existence and header, VALIDATE every block
(Backup and Recovery User's Guide, "Maintaining RMAN Backups and Repository Records", "Validating Database Files and Backups").
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sandbox.oracle.model.files import BlockRange, Datafile
from sandbox.oracle.model.redo import ArchivedLog, Incarnation


@dataclass(slots=True)
class Piece:
    """A row of V$BACKUP_PIECE. `kept_bytes`: what is left of a truncated piece; `corrupt_blocks`: (FILE#, BLOCK#) in it."""

    recid: int
    stamp: int
    piece: int
    copy: int
    handle: str
    total_bytes: int
    started_at: datetime
    completed_at: datetime
    device: str = "DISK"  # DISK, SBT_TAPE
    tag: str = ""
    status: str = "A"  # A available, D deleted, X expired, U unavailable
    is_compressed: bool = False
    is_encrypted: bool = False
    in_fra: bool = False
    media: str = ""
    on_disk: bool = True
    is_unreadable: bool = False
    kept_bytes: int | None = None
    corrupt_blocks: list[tuple[int, int]] = field(default_factory=list)

    def delete(self) -> None:
        """As RMAN's DELETE: the piece is gone and its record says D."""
        self.status, self.on_disk = "D", False


@dataclass(slots=True)
class FileInSet:
    """A row of V$BACKUP_DATAFILE; file 0 is the control file and has no datafile."""

    recid: int
    stamp: int
    file: int
    creation_scn: int
    created_at: datetime | None
    incarnation: Incarnation
    checkpoint_scn: int
    checkpoint_at: datetime
    completed_at: datetime
    level: int | None = None
    incremental_scn: int = 0
    fuzzy_scn: int = 0
    blocks: int = 0
    datafile_blocks: int = 0
    blocks_read: int = 0
    block_bytes: int = 8192
    used_change_tracking: bool = False
    marked_corrupt: int = 0
    media_corrupt: int = 0
    logically_corrupt: int = 0
    section_blocks: int = 0
    con_id: int = 0
    controlfile_type: str = ""  # B backup, S standby
    datafile: Datafile | None = None
    corruption: list[BlockRange] = field(default_factory=list)  # V$BACKUP_CORRUPTION, let through by MAXCORRUPT


@dataclass(slots=True)
class LogInSet:
    """A row of V$BACKUP_REDOLOG."""

    recid: int
    stamp: int
    log: ArchivedLog


@dataclass(slots=True)
class SpfileInSet:
    """A row of V$BACKUP_SPFILE."""

    recid: int
    stamp: int
    modified_at: datetime
    total_bytes: int
    completed_at: datetime


@dataclass(slots=True)
class BackupSet:
    """A row of V$BACKUP_SET; known for ever by (`stamp`, `count`), today by `recid`."""

    recid: int
    stamp: int
    count: int
    kind: str  # D full or level 0, I level 1, L archived logs
    session: Session | None
    started_at: datetime
    completed_at: datetime
    level: int | None = None
    pieces_expected: int = 1
    is_multi_section: bool = False
    keep: bool = False
    keep_until: datetime | None = None
    keep_options: str = ""
    block_bytes: int = 8192
    input_bytes: int = 0
    con_id: int = 0
    pieces: list[Piece] = field(default_factory=list)
    files: list[FileInSet] = field(default_factory=list)
    logs: list[LogInSet] = field(default_factory=list)
    spfiles: list[SpfileInSet] = field(default_factory=list)

    @property
    def has_controlfile(self) -> bool:
        return any(f.file == 0 for f in self.files)

    @property
    def is_autobackup(self) -> bool:
        return self.has_controlfile and len(self.files) == 1 and bool(self.session) and self.kind == "D"

    @property
    def is_available(self) -> bool:
        """Every piece 1..n has a copy that RMAN believes in."""
        return {p.piece for p in self.pieces if p.status == "A"} >= set(range(1, self.pieces_expected + 1))

    @property
    def is_deleted(self) -> bool:
        return all(p.status == "D" for p in self.pieces)

    @property
    def total_bytes(self) -> int:
        """Bytes of one copy of each piece."""
        return sum({p.piece: p.total_bytes for p in self.pieces}.values())

    @property
    def tag(self) -> str:
        return self.pieces[0].tag if self.pieces else ""


@dataclass(slots=True)
class DatafileCopy:
    """A row of V$DATAFILE_COPY: an image copy of one datafile, or (file 0) of the control file."""

    recid: int
    stamp: int
    content: FileInSet
    name: str
    tag: str
    session: Session | None
    status: str = "A"
    in_fra: bool = False
    on_disk: bool = True
    is_unreadable: bool = False
    corrupt_blocks: list[tuple[int, int]] = field(default_factory=list)

    @property
    def total_bytes(self) -> int:
        return self.content.datafile_blocks * self.content.block_bytes

    def delete(self) -> None:
        self.status, self.on_disk = "D", False


@dataclass(slots=True)
class Step:
    """A row of V$RMAN_STATUS below the session: one command, or an autobackup within it."""

    recid: int
    stamp: int
    operation: str
    started_at: datetime
    ended_at: datetime | None
    status: str = "COMPLETED"
    object_type: str = ""
    input_bytes: int = 0
    output_bytes: int = 0
    device: str = "DISK"
    row_type: str = "COMMAND"
    row_level: int = 1


@dataclass(slots=True)
class Session:
    """One RMAN session: a row of V$RMAN_BACKUP_JOB_DETAILS and the session row of V$RMAN_STATUS."""

    recid: int
    stamp: int
    command_id: str
    started_at: datetime
    ended_at: datetime | None
    status: str = "COMPLETED"
    input_type: str = ""
    device: str = "DISK"
    input_bytes: int = 0
    output_bytes: int = 0
    autobackups: int = 0
    is_optimized: bool = False
    steps: list[Step] = field(default_factory=list)
    output: list[str] = field(default_factory=list)

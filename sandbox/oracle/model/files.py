"""Containers, tablespaces and datafiles of a simulated database, as its control file knows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

BLOCK_BYTES = 8192
MIB = 1024 * 1024
GIB = 1024 * MIB
ROOT, SEED = 1, 2  # CON_ID of CDB$ROOT and PDB$SEED


@dataclass(slots=True)
class Container:
    """A row of V$CONTAINERS. A database that is no CDB has one of CON_ID 0."""

    con_id: int
    name: str
    dbid: int
    open_mode: str = "READ WRITE"
    created_scn: int = 0


@dataclass(slots=True)
class Tablespace:
    """A row of V$TABLESPACE. `is_included`: INCLUDED_IN_DATABASE_BACKUP, set by RMAN's CONFIGURE EXCLUDE."""

    number: int
    name: str
    con_id: int = 0
    is_included: bool = True
    is_bigfile: bool = False
    is_encrypted: bool = False
    is_dropped: bool = False


@dataclass(slots=True)
class Datafile:
    """A row of V$DATAFILE with what its header and its blocks are. SCNs are numbers, moments are aware.

    `stop_scn` is LAST_CHANGE#: set where the file stands still (read-only, offline, read-only PDB), and then its
    checkpoint and that of each backup of it stay at this SCN.
    """

    file: int
    tablespace: Tablespace
    name: str
    creation_scn: int
    created_at: datetime
    blocks: int
    used_blocks: int
    con_id: int = 0
    relative_file: int = 0
    status: str = "ONLINE"  # SYSTEM, ONLINE, OFFLINE, RECOVER, SYSOFF
    enabled: str = "READ WRITE"  # READ WRITE, READ ONLY, DISABLED
    checkpoint_scn: int = 0
    checkpoint_at: datetime | None = None
    stop_scn: int | None = None
    stop_at: datetime | None = None
    unrecoverable_scn: int = 0
    unrecoverable_at: datetime | None = None
    first_nonlogged_scn: int = 0
    first_nonlogged_at: datetime | None = None
    recover_error: str = ""
    block_bytes: int = BLOCK_BYTES
    churn_per_day: float = 0.02  # share of its used blocks that change in a day
    growth_per_day: float = 0.001
    is_dropped: bool = False

    @property
    def total_bytes(self) -> int:
        return self.blocks * self.block_bytes

    @property
    def is_standing_still(self) -> bool:
        return self.stop_scn is not None

    @property
    def directory(self) -> str:
        return self.name.rpartition("/")[0]


@dataclass(slots=True)
class BlockRange:
    """Corrupt or nonlogged blocks of a file: V$DATABASE_BLOCK_CORRUPTION, V$NONLOGGED_BLOCK, V$BACKUP_CORRUPTION."""

    file: int
    block: int
    blocks: int = 1
    scn: int = 0
    kind: str = "CHECKSUM"  # ALL ZERO, FRACTURED, CHECKSUM, CORRUPT, LOGICAL
    found_at: datetime | None = None
    con_id: int = 0

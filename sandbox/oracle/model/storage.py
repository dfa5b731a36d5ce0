"""The storage of one simulated database: tablespaces, tables, indexes; made from what the other parts know, changed by DDL.

`storage_of(database)` finds it and first brings it up to the clock and to the tables that were planted since. Every change
ends with `touch`, so that views are built once per change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.oracle.backend import OracleError
from sandbox.oracle.model.database import OracleDatabase, SessionState
from sandbox.oracle.model.files import Datafile, Tablespace
from sandbox.oracle.model.repository import has_repository, repository_of
from sandbox.oracle.model.segments import Segment
from sandbox.oracle.model.spaces import KIB, Space, SpaceFile
from sandbox.oracle.model.stored import Index, Sequence, StoredTable
from sandbox.oracle.model.tables import tables_of

PART = "storage"
TEMP_BLOCKS, UNDO_BLOCKS, LONE_BLOCKS = 131_072, 76_800, 1_310_720  # where no repository says: 1 GiB, 600 MiB, 10 GiB
FIRST_FREE_BLOCK = 128
AUTO_FLUSH = timedelta(hours=3)
SMON_JOURNALS, SMON_TEMPORARY = timedelta(hours=1), timedelta(minutes=5)


@dataclass(slots=True)
class Pace:
    """How fast DDL works. `mb_per_s` on the model's clock, 0: in no time; `real_s_per_step`: seconds that a step really
    takes; `before_step(session, operation, done, total)` lets a test act in the middle of it."""

    mb_per_s: float = 0.0
    real_s_per_step: float = 0.0
    step_blocks: int = 4096
    before_step: Callable[[SessionState, str, int, int], None] | None = None


@dataclass(slots=True)
class Undo:
    """The undo tablespace. `active_blocks`: held by transactions that a test plants; `retention_s`: UNDO_RETENTION."""

    space: Space
    active_blocks: int = 0
    unexpired_blocks: int = 0
    retention_s: int = 900
    blocks_per_s: float = 2.0
    longest_query_s: int = 600
    no_space_errors: int = 0
    too_old_errors: int = 0

    @property
    def free_blocks(self) -> int:
        """Expired and never used ones; unexpired ones are stolen when needed (no RETENTION GUARANTEE)."""
        return max(0, self.space.blocks - self.active_blocks)

    @property
    def tuned_retention_s(self) -> int:
        """TUNED_UNDORETENTION of a file of fixed size: what its blocks hold at this rate (ADM, "Managing Undo")."""
        return max(self.retention_s, int(0.85 * self.free_blocks / max(self.blocks_per_s, 0.01)))


@dataclass(slots=True)
class Leftover:
    """What a killed session left: a journal table of an index, or a temporary segment. SMON removes it by and by."""

    kind: str  # JOURNAL, TEMPORARY, MOVE
    owner: str
    name: str
    object_id: int
    of_id: int
    since: datetime
    table: StoredTable
    index: Index | None = None
    segment: Segment | None = None
    is_live: bool = False  # its session is still at work


@dataclass(slots=True)
class LongOperation:
    """A row of V$SESSION_LONGOPS."""

    session: SessionState
    name: str
    target: str
    total: int
    started_at: datetime
    done: int = 0
    updated_at: datetime | None = None
    temp_blocks: int = 0
    is_running: bool = True


@dataclass
class Storage:
    """Everything about segments. `redo_of`: bytes by SID, what V$SESSTAT shows as 'redo size'."""

    database: OracleDatabase
    spaces: dict[str, Space] = field(default_factory=dict)
    tables: dict[tuple[str, str], StoredTable] = field(default_factory=dict)
    sequences: list[Sequence] = field(default_factory=list)
    undo: Undo | None = None
    pace: Pace = field(default_factory=Pace)
    locks: list[Any] = field(default_factory=list)
    waiting: list[Any] = field(default_factory=list)
    leftovers: list[Leftover] = field(default_factory=list)
    operations: list[LongOperation] = field(default_factory=list)
    redo_of: dict[int, int] = field(default_factory=dict)
    unarchived_bytes: int = 0
    standby_mb_per_s: float = 50.0
    lag_base_s: int | None = None
    lag_extra_s: float = 0.0
    settled_at: datetime | None = None
    flushed_at: datetime | None = None
    temp_used_blocks: int = 0
    cancel_leaves_journal: bool = False
    online_move_limit: int = 1 << 20  # table segments x index segments, above it ORA-14813
    version: int = 0

    def touch(self) -> None:
        self.version += 1

    @property
    def temp(self) -> Space:
        return next(s for s in self.spaces.values() if s.contents == "TEMPORARY")

    def indexes(self) -> Iterator[Index]:
        for table in self.tables.values():
            yield from table.indexes

    def segments(self) -> Iterator[Segment]:
        for table in self.tables.values():
            yield from table.segments()
        yield from (o.segment for o in self.leftovers if o.segment)

    def table(self, owner: str, name: str) -> StoredTable:
        """Raises ORA-00942."""
        if (owner, name) not in self.tables:
            raise OracleError(942, "table or view does not exist")
        return self.tables[owner, name]

    def index(self, owner: str, name: str) -> Index:
        """Raises ORA-01418."""
        found = next((i for i in self.indexes() if (i.owner, i.name) == (owner, name)), None)
        if found is None:
            raise OracleError(1418, "specified index does not exist")
        return found

    def space(self, name: str) -> Space:
        """Raises ORA-00959."""
        if name not in self.spaces:
            raise OracleError(959, f"tablespace '{name}' does not exist")
        return self.spaces[name]

    def default_space(self) -> Space:
        """USERS, or the first for tables."""
        known = [s for s in self.spaces.values() if s.contents == "PERMANENT" and s.name not in ("SYSTEM", "SYSAUX")]
        return self.spaces.get("USERS") or known[0]

    def new_object_id(self) -> int:
        tables = tables_of(self.database)
        tables.last_object_id += 1
        return tables.last_object_id


def storage_of(database: OracleDatabase) -> Storage:
    """The storage of a database; made at first use, and settled up to now at each."""
    storage = database.parts.get(PART)
    with database.lock:
        if storage is None:
            storage = database.parts[PART] = Storage(database)
            add_spaces(storage)
        settle(storage)
    return storage


def add_spaces(storage: Storage) -> None:
    """Tablespaces as the control file has them; a lone database without one gets USERS, and every one TEMP and UNDO."""
    if has_repository(storage.database):
        sync_spaces(storage)
    else:
        lone_file = SpaceFile(4, "/u02/oradata/users01.dbf", LONE_BLOCKS, free=[(FIRST_FREE_BLOCK, LONE_BLOCKS - 128)])
        add_space(storage, "USERS", [lone_file], number=4)
    if not any(s.name.startswith("UNDO") for s in storage.spaces.values()):
        undo_file = SpaceFile(3, "/u02/oradata/undotbs01.dbf", UNDO_BLOCKS, free=[(128, UNDO_BLOCKS - 128)])
        add_space(storage, "UNDOTBS1", [undo_file], number=2)
    undo = next(s for s in storage.spaces.values() if s.name.startswith("UNDO"))
    undo.contents = "UNDO"
    storage.undo = Undo(undo)
    temp_file = SpaceFile(1, "/u02/oradata/temp01.dbf", TEMP_BLOCKS, free=[(128, TEMP_BLOCKS - 128)])
    add_space(storage, "TEMP", [temp_file], number=3).contents = "TEMPORARY"


def sync_spaces(storage: Storage) -> None:
    """Tablespaces and files as the control file has them now: new ones come, dropped ones go, grown ones have more room.

    A CDB's are those of its first pluggable database, the one that the product works in.
    """
    repository = repository_of(storage.database)
    own = next((c.con_id for c in repository.containers if c.con_id > 2), repository.containers[0].con_id)
    known = {id(f.datafile): (space, f) for space in storage.spaces.values() for f in space.files if f.datafile}
    for datafile in repository.datafiles:
        space, file = known.get(id(datafile), (None, None))
        if datafile.is_dropped and file:
            space.files.remove(file)
            if not space.files:
                del storage.spaces[space.name]
        elif file and datafile.blocks > file.blocks:
            file.give(file.blocks, datafile.blocks - file.blocks)
            file.blocks = datafile.blocks
        elif not file and not datafile.is_dropped and datafile.con_id == own:
            space_of(storage, datafile.tablespace).files.append(file_of(datafile))
        else:
            continue
        storage.touch()


def space_of(storage: Storage, tablespace: Tablespace) -> Space:
    if tablespace.name not in storage.spaces:
        more = {"is_bigfile": tablespace.is_bigfile, "is_encrypted": tablespace.is_encrypted}
        add_space(storage, tablespace.name, number=tablespace.number, **more)
    return storage.spaces[tablespace.name]


def file_of(datafile: Datafile) -> SpaceFile:
    """A datafile's space: what is used now belongs to segments that the model does not tell apart."""
    start = min(datafile.blocks, max(FIRST_FREE_BLOCK, datafile.used_blocks))
    free = [(start, datafile.blocks - start)] if datafile.blocks > start else []
    return SpaceFile(datafile.file, datafile.name, datafile.blocks, datafile=datafile, free=free)


def add_space(storage: Storage, name: str, files: list[SpaceFile] | None = None, number: int = 0, **more: Any) -> Space:
    """Plants a tablespace. `more`: is_assm, uniform_bytes, block_bytes, status ..."""
    space = Space(name, number or len(storage.spaces) + 5, files=files or [], **more)
    storage.spaces[name] = space
    storage.touch()
    return space


def add_file(storage: Storage, space: Space, total_bytes: int, max_bytes: int = 0) -> SpaceFile:
    """Plants a file of a tablespace that no control file knows."""
    number = 1 + max((f.number for s in storage.spaces.values() for f in s.files if s.contents != "TEMPORARY"), default=4)
    blocks = total_bytes // space.block_bytes
    name = f"/u02/oradata/{space.name.lower()}{len(space.files) + 1:02d}.dbf"
    file = SpaceFile(number, name, blocks, max_bytes // space.block_bytes, free=[(FIRST_FREE_BLOCK, blocks - FIRST_FREE_BLOCK)])
    space.files.append(file)
    storage.touch()
    return file


def settle(storage: Storage) -> None:
    """Brings the storage up to the clock: tables planted or dropped meanwhile, monitoring flushed, SMON's work, the lag."""
    from sandbox.oracle.model import real_rows, statistics

    now = storage.database.clock.now()
    real_rows.adopt_tables(storage)
    if has_repository(storage.database):
        sync_spaces(storage)
    if storage.settled_at is None:
        storage.settled_at = storage.flushed_at = now
        return
    if now - storage.flushed_at >= AUTO_FLUSH:
        statistics.flush(storage)
    if storage.leftovers:
        clean_leftovers(storage, now)
    catch_up_standby(storage, now)
    storage.settled_at = now


def clean_leftovers(storage: Storage, now: datetime) -> None:
    """SMON removes temporary segments within minutes and, every hour, journals of tables that no transaction touches
    (Administrator's Guide; PL/SQL Packages Reference 19c, DBMS_REPAIR.ONLINE_INDEX_CLEAN)."""
    for leftover in list(storage.leftovers):
        age = now - leftover.since
        if age >= (SMON_TEMPORARY if leftover.kind == "TEMPORARY" else SMON_JOURNALS):
            remove_leftover(storage, leftover)


def remove_leftover(storage: Storage, leftover: Leftover) -> bool:
    """False where a transaction holds the table."""
    from sandbox.oracle.model.locks import is_held

    if leftover.is_live or (leftover.kind != "TEMPORARY" and is_held(storage, leftover.table)):
        return False
    if leftover.segment:
        leftover.segment.drop()
    storage.leftovers.remove(leftover)
    storage.touch()
    return True


def catch_up_standby(storage: Storage, now: datetime) -> None:
    """The standby applies what an operation wrote while time passes."""
    if storage.lag_extra_s <= 0 or not has_repository(storage.database):
        return
    guard = repository_of(storage.database).data_guard
    storage.lag_extra_s = max(0.0, storage.lag_extra_s - (now - storage.settled_at).total_seconds())
    if guard and storage.lag_base_s is not None:
        guard.apply_lag_s = storage.lag_base_s + int(storage.lag_extra_s)


def new_segment(
    storage: Storage, owner: str, name: str, partition: str, kind: str, space: Space, row_bytes: float, pct_free: int
) -> Segment:
    """A segment with its first extent. Raises ORA-01950 or ORA-01536 (quota), ORA-01652 (no room)."""
    check_quota(storage, owner, space, 64 * KIB)
    segment = Segment(owner, name, partition, kind, space, storage.new_object_id(), max(row_bytes, 1.0), pct_free)
    if not segment.grow(1):
        raise no_room(space)
    return segment


def no_room(space: Space, blocks: int = 128) -> OracleError:
    return OracleError(1652, f"unable to extend temp segment by {blocks} in tablespace {space.name}")


def check_quota(storage: Storage, owner: str, space: Space, more_bytes: int) -> None:
    """Quotas of the owner, not of who runs the statement (Security Guide, "Tablespace Quotas")."""
    quota = space.quotas.get(owner, -1)
    if quota == 0:
        raise OracleError(1950, f"no privileges on tablespace '{space.name}'")
    if quota > 0:
        used = sum(s.total_bytes for s in storage.segments() if s.owner == owner and s.space is space)
        if used + more_bytes > quota:
            raise OracleError(1536, f"space quota exceeded for tablespace '{space.name}'")


def full(segment: Segment) -> OracleError:
    """The error of a segment that cannot grow."""
    blocks, space = segment.space.next_extent_blocks(len(segment.extents)), segment.space.name
    what = f"{segment.owner}.{segment.name}" + (f" partition {segment.partition}" if segment.partition else "")
    if segment.is_index:
        code, word = (1683 if segment.partition else 1654), "index"
    elif segment.kind.startswith("LOB"):
        code, word = 1691, "lob segment"
    else:
        code, word = (1688 if segment.partition else 1653), "table"
    return OracleError(code, f"unable to extend {word} {what} by {blocks} in tablespace {space}")

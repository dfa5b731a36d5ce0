"""A schema like the Guangzhou main platform's, with waste of known size, and the truth about each object beside it.

Tables, columns, comments and indexes are those of `sandbox/domain/sandbox_tables.yaml`; rows are counted, not kept. The same
seed gives the same world. Everything in it is simulated data.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from datetime import date, timedelta

from sandbox.oracle.backend import OraType
from sandbox.oracle.model import making, statistics
from sandbox.oracle.model.building import ENDS_AT, Shape
from sandbox.oracle.model.database import Account, OracleDatabase
from sandbox.oracle.model.files import MIB
from sandbox.oracle.model.repository import repository_of
from sandbox.oracle.model.segments import Bin, Segment
from sandbox.oracle.model.storage import Storage, add_file, add_space, storage_of
from sandbox.oracle.model.stored import Attributes, Index, IndexPiece, Partitioning, StoredTable
from sandbox.oracle.model.tables import TableColumn
from sandbox.oracle.worlds import lived
from sandbox.tables import Table, catalog

OWNER, PLATFORM = "GZ_MAIN", "gz-main"
DATA, INDEXES, MANUAL = "GZ_MAIN_DATA", "GZ_MAIN_IDX", "GZ_OLD"
SPACES = {"USERS": (0.5,), DATA: (30.0, 30.0, 10.0), INDEXES: (20.0,), MANUAL: (4.0,)}
ORACLE_TYPE = re.compile(r"(\w+)(?:\((\d+)(?:,(\d+))?\))?")
MONTHS = 12
DAILY_ROWS = {"dec_head": 15_000, "dec_list": 67_000, "dec_container": 9_000, "dec_receipt": 60_000}
DAILY_ROWS |= {"mft_bill": 30_000, "mft_container": 48_000, "exch_msg_log": 90_000}
CORPORATIONS = 71_200


@dataclass(frozen=True)
class Truth:
    """What is true of one segment. `action`: what a careful DBA would do (shrink, move, deallocate, truncate, rebuild,
    gather, leave); `reclaimable_bytes`: what the tablespace would get back, from the rows that are there."""

    name: str
    partition: str
    action: str
    reason: str
    reclaimable_bytes: int = 0


@dataclass
class StorageWorld:
    database: OracleDatabase
    truths: list[Truth] = field(default_factory=list)

    def truth(self, name: str, partition: str = "") -> Truth:
        """Raises StopIteration for an object of which nothing was planted: it is healthy."""
        return next(t for t in self.truths if (t.name, t.partition) == (name, partition))


def storage_world(seed: int, edition: str = "EE", scale: float = 1.0, days: float = 2.0) -> StorageWorld:
    """A database with backups that lived some days, and the platform's schema in it. SE2 has no partitions."""
    shape = Shape("GZMAIN", edition=edition, spaces=SPACES)
    database = lived(seed, shape, ends_at=ENDS_AT, days=days)
    database.options |= {"Partitioning": edition == "EE", "Online Index Build": edition == "EE"}
    database.options["Online Redefinition"] = edition == "EE"
    for datafile in repository_of(database).living_files():
        if datafile.tablespace.name in (DATA, INDEXES, MANUAL):
            datafile.used_blocks = 128
    database.accounts.setdefault(OWNER, Account(OWNER, "", {"CREATE SESSION"}, "LOCKED"))
    return plant_schema(database, seed, scale)


def plant_schema(database: OracleDatabase, seed: int = 7, scale: float = 1.0) -> StorageWorld:
    """Puts the schema into a database; tablespaces that it lacks are made, as small as the rows are fewer."""
    world, rng = StorageWorld(database), random.Random(f"storage {seed}")
    with database.lock:
        storage = storage_of(database)
        for name, sizes in SPACES.items():
            if name not in storage.spaces:
                space = add_space(storage, name)
                for size in sizes:
                    add_file(storage, space, int(size * min(1.0, scale) * 1024 * MIB))
        if MANUAL in storage.spaces:
            storage.spaces[MANUAL].is_assm = False
        is_partitioned = database.options.get("Partitioning", database.edition != "SE2")
        for table in catalog().of_platform(PLATFORM):
            plant_table(storage, table, rng, scale, is_partitioned)
        gather_all(storage)
        for plant in (*PLANTS, *(PARTITION_PLANTS if is_partitioned else ())):
            plant(storage, world)
        storage.touch()
    return world


def column_of(name: str, text: str, comment: str) -> TableColumn:
    """A column from the YAML's Oracle type."""
    word, size, scale = ORACLE_TYPE.fullmatch(text).groups()
    if word == "NUMBER":
        return TableColumn(name, OraType.NUMBER, 22, int(size or 0), int(scale or 0) if size else -127, comment=comment)
    return TableColumn(name, OraType[word], int(size or 4000), comment=comment)


def month_starts(now: date) -> list[date]:
    """First days of the last months, the current one last."""
    first, found = now.replace(day=1), []
    for _ in range(MONTHS):
        found.append(first)
        first = (first - timedelta(days=1)).replace(day=1)
    return found[::-1]


def bound(day: date) -> str:
    return f"TO_DATE(' {day} 00:00:00', 'SYYYY-MM-DD HH24:MI:SS', 'NLS_CALENDAR=GREGORIAN')"


def plant_table(storage: Storage, table: Table, rng: random.Random, scale: float, is_partitioned: bool) -> StoredTable:
    columns = [column_of(c.name.upper(), c.type, c.comment_zh) for c in table.columns]
    how = table.partitioning if is_partitioned else None
    split = Partitioning("RANGE", (how.column.upper(),), "NUMTOYMINTERVAL(1,'MONTH')") if how else None
    space = MANUAL if table.name == "ent_corp_reg" else DATA
    attributes = Attributes(pct_free=30 if table.name == "dec_receipt" else 10)
    stored = making.add_table(
        storage,
        OWNER,
        table.name.upper(),
        columns,
        space=space,
        partitioning=split,
        comment=table.comment_zh,
        attributes=attributes,
    )
    months = month_starts(storage.database.sysdate().date())
    for month in months if split else ():
        after = (month + timedelta(days=31)).replace(day=1)
        making.add_partition(storage, stored, f"P{month:%Y%m}", bound(after), space=DATA, is_interval=month >= months[-2])
    if table.name == "exch_msg_log":
        making.add_lob(storage, stored, next((c.name for c in columns if c.type is OraType.CLOB), columns[-1].name))
    fill(storage, table, stored, rng, scale)
    plant_indexes(storage, table, stored)
    return stored


def fill(storage: Storage, table: Table, stored: StoredTable, rng: random.Random, scale: float) -> None:
    """A month of rows for each partition, the current one to the middle."""
    daily = DAILY_ROWS.get(table.name)
    if daily is None:
        making.grow(storage, stored, int(CORPORATIONS * scale))
        return
    for piece in list(stored.leaves()):
        days = 14 if piece is stored.pieces[-1] and piece.name else 30 if piece.name else 90
        making.grow(storage, stored, max(1, int(daily * days * scale * rng.uniform(0.9, 1.1))), piece.name)


def plant_indexes(storage: Storage, table: Table, stored: StoredTable) -> None:
    """The primary key is global, as the platform has it; other indexes are local."""
    making.add_index(storage, stored, f"PK_{stored.name}", [table.primary_key[0].upper()], space=INDEXES, is_unique=True)
    making.add_key(storage, stored, f"PK_{stored.name}", [table.primary_key[0].upper()])
    for index in table.indexes:
        columns = [c.upper() for c in index.columns]
        name = "_".join(["UK" if index.unique else "IX", stored.name, *columns])
        local = stored.is_partitioned and not index.unique
        making.add_index(storage, stored, name, columns, space=INDEXES, is_unique=index.unique, is_local=local)


def gather_all(storage: Storage) -> None:
    """Statistics of last night; monitoring is flushed."""
    for table in storage.tables.values():
        if table.owner == OWNER:
            statistics.gather(storage, table)


def table_of(storage: Storage, name: str) -> StoredTable:
    return storage.table(OWNER, name)


def gain(segment: Segment) -> int:
    """Bytes that packing and lowering the high-water mark give back."""
    return (segment.data_blocks - segment.packed_blocks + segment.unused_blocks) * segment.space.block_bytes


def tell(world: StorageWorld, segment: Segment, action: str, reason: str) -> None:
    reclaimable = 0 if action == "leave" else gain(segment)
    world.truths.append(Truth(segment.name, segment.partition, action, reason, reclaimable))


def holes_in_old_months(storage: Storage, world: StorageWorld) -> None:
    """Two months of declarations (all of them where there are no partitions) were archived without their space: holes
    everywhere, nothing stands against a shrink."""
    table = table_of(storage, "DEC_HEAD")
    for piece in table.pieces[1:3] or table.pieces:
        making.delete(storage, table, 0.6, piece.name)
        tell(world, piece.segment, "shrink", "60 % deleted row by row, ASSM, no function-based index")


def holes_under_function_index(storage: Storage, world: StorageWorld) -> None:
    """A function-based index forbids SHRINK; MOVE ONLINE works."""
    table = table_of(storage, "DEC_LIST")
    making.add_index(storage, table, "FX_DEC_LIST_CODE", ["SUBSTR(CODE_TS,1,4)"], kind="FUNCTION-BASED NORMAL", is_local=True)
    piece = table.pieces[3]
    making.delete(storage, table, 0.55, piece.name)
    tell(world, piece.segment, "move", "55 % deleted; a function-based index forbids SHRINK (ORA-10631)")


def emptied_messages(storage: Storage, world: StorageWorld) -> None:
    """Message log with a LOB: an emptied month, and one of which nine tenths went block by block."""
    table = table_of(storage, "EXCH_MSG_LOG")
    making.delete(storage, table, 1.0, table.pieces[0].name)
    tell(world, table.pieces[0].segment, "truncate", "no row is left; its blocks are below the high-water mark")
    making.delete(storage, table, 0.9, table.pieces[1].name, whole_blocks=True)
    tell(world, table.pieces[1].segment, "shrink", "90 % deleted; SecureFile LOB is not shrunk with it before 21c")


def unused_extents(storage: Storage, world: StorageWorld) -> None:
    """Extents that were allocated ahead and never used: above the high-water mark."""
    segment = table_of(storage, "MFT_CONTAINER").pieces[4].segment
    segment.grow(segment.data_blocks + 600 * MIB // segment.space.block_bytes)
    tell(world, segment, "deallocate", "unused extents above the high-water mark")


def wide_free_blocks(storage: Storage, world: StorageWorld) -> None:
    """PCTFREE 30 looks like waste and is none."""
    tell(world, table_of(storage, "DEC_RECEIPT").pieces[5].segment, "leave", "PCTFREE 30: the free part of each block is wanted")


def still_loading(storage: Storage, world: StorageWorld) -> None:
    """The current month: a correction took much away this morning, and rows keep coming."""
    table = table_of(storage, "MFT_BILL")
    piece = table.pieces[-1]
    making.delete(storage, table, 0.5, piece.name)
    making.grow(storage, table, int(piece.rows * 0.2), piece.name)
    statistics.flush(storage)
    tell(world, piece.segment, "leave", "the partition is being loaded, its holes fill again")


def manual_space(storage: Storage, world: StorageWorld) -> None:
    """A table in a tablespace with free lists: SHRINK is refused with ORA-10635."""
    table = table_of(storage, "ENT_CORP_REG")
    making.delete(storage, table, 0.5)
    tell(world, table.pieces[0].segment, "move", "half deleted; manual segment space management forbids SHRINK (ORA-10635)")


def bloat(storage: Storage, index: Index, piece: IndexPiece, density: float) -> None:
    """Leaves as after years of inserts and deletes: so full on average. Their number grows with the extents."""
    segment = piece.segment
    rows = segment.capacity * density
    blocks = int(segment.rows / rows)
    if segment.grow(blocks):
        segment.bins = [Bin(blocks, segment.rows / blocks)]
    statistics.gather_index(storage, index)


def bloated_index(storage: Storage, world: StorageWorld) -> None:
    """The key of the receipts: leaves one third full, statistics fresh."""
    index = storage.index(OWNER, "PK_DEC_RECEIPT")
    bloat(storage, index, index.pieces[0], 0.33)
    tell(world, index.pieces[0].segment, "rebuild", "leaves are one third full")


def unusable_index(storage: Storage, world: StorageWorld) -> None:
    """One piece of an index is unusable since a move without UPDATE INDEXES."""
    index = next(i for i in table_of(storage, "MFT_BILL").indexes if not i.is_unique)
    piece = index.pieces[0]
    piece.is_usable = False
    world.truths.append(Truth(index.name, piece.name, "rebuild", "unusable"))


def never_analysed(storage: Storage, world: StorageWorld) -> None:
    """No statistics at all: nothing can be said of it from them."""
    table = table_of(storage, "DEC_CONTAINER")
    table.statistics = None
    for piece in statistics.everything(table):
        piece.statistics = None
    world.truths.append(Truth(table.name, "", "gather", "never analysed"))


PLANTS = (manual_space, bloated_index, unusable_index, never_analysed, holes_in_old_months)
PARTITION_PLANTS = (
    holes_under_function_index,
    emptied_messages,
    unused_extents,
    wide_free_blocks,
    still_loading,
)

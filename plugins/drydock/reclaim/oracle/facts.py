"""What a survey knows of an Oracle target: of the database, a tablespace, a table, one segment of it, and its blocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from drydock.engines.oracle_statements import Segment
from drydock.plans import ObjectKind, ObjectRef

KINDS = {
    "TABLE": ObjectKind.TABLE,
    "TABLE PARTITION": ObjectKind.PARTITION,
    "TABLE SUBPARTITION": ObjectKind.SUBPARTITION,
    "NESTED TABLE": ObjectKind.TABLE,
    "CLUSTER": ObjectKind.TABLE,
}
LOB_TYPES = {"LOBSEGMENT": "LOB", "LOB PARTITION": "LOB PARTITION", "LOB SUBPARTITION": "LOB SUBPARTITION"}
"""SEGMENT_TYPE of DBA_SEGMENTS -> what DBMS_SPACE calls it"""


@dataclass(frozen=True)
class TargetFacts:
    """Of the database. `mines_redo`: supplemental logging is on; `captures`: enabled capture processes, and one more where
    keys or all columns of every table are logged, for whoever reads the redo (LogMiner, Debezium)."""

    version: tuple[int, ...] = (19,)
    edition: str = "EE"
    has_partitioning: bool = True
    has_online: bool = True
    mines_redo: bool = False
    captures: int = 0


@dataclass(frozen=True)
class Tablespace:
    name: str
    block_bytes: int = 8192
    is_assm: bool = True
    status: str = "ONLINE"
    file_bytes: int = 0
    growable_bytes: int = 0
    free_bytes: int = 0

    @property
    def room_bytes(self) -> int:
        """Free now, and what its files may still grow."""
        return self.free_bytes + self.growable_bytes

    @property
    def free_share(self) -> float:
        total = self.file_bytes + self.growable_bytes
        return self.room_bytes / total if total else 0.0


@dataclass(frozen=True)
class IndexFacts:
    """`bytes`: of all its segments; `largest_bytes`: of the largest one, what one partition of it may take."""

    owner: str
    name: str
    type: str = "NORMAL"
    is_join: bool = False
    is_local: bool = False
    bytes: int = 0
    largest_bytes: int = 0
    tablespace: str = ""

    @property
    def is_function_based(self) -> bool:
        return self.type.startswith("FUNCTION-BASED")


@dataclass(frozen=True)
class Statistics:
    """Optimizer statistics of a piece, and what changed since; None: never gathered."""

    rows: int | None = None
    blocks: int | None = None
    row_bytes: int | None = None
    analyzed_at: datetime | None = None
    inserts: int = 0
    deletes: int = 0
    is_truncated: bool = False
    changed_at: datetime | None = None

    @property
    def rows_now(self) -> int | None:
        """Rows as far as the changes since tell. None without statistics."""
        if self.rows is None:
            return None
        return max(0, (0 if self.is_truncated else self.rows - self.deletes) + self.inserts)


@dataclass(frozen=True)
class TableFacts:
    """Of one table: what forbids a method, by dictionary."""

    owner: str
    name: str
    is_known: bool = True
    """False: not in DBA_TABLES, an object table"""
    cluster: str = ""
    iot_type: str = ""
    is_temporary: bool = False
    is_nested: bool = False
    is_dropped: bool = False
    is_partitioned: bool = False
    row_movement: bool = False
    is_read_only: bool = False
    partitioning: str = ""
    interval: str = ""
    def_compression: bool = False
    marks: frozenset[str] = frozenset()
    """codes of what the whole table is: queue_table, view_container, table_is_replicated, …"""
    has_long: bool = False
    has_object_type: bool = False
    indexes: tuple[IndexFacts, ...] = ()
    referring_keys: int = 0
    last_position: int = 0
    has_lobs: bool = False


@dataclass(frozen=True)
class Piece:
    """One segment of a table or of a LOB of it. `partition` is the table's, `segment_partition` the segment's own name."""

    type: str
    owner: str
    table: str
    segment: str
    tablespace: Tablespace
    bytes: int
    blocks: int
    partition: str = ""
    segment_partition: str = ""
    is_subpartition: bool = False
    column: str = ""
    is_securefile: bool = False
    pct_free: int = 10
    is_compressed: bool = False
    position: int = 0
    is_interval: bool = False
    is_read_only: bool = False
    statistics: Statistics = field(default_factory=Statistics)
    scans: int = 0
    table_bytes: int = 0
    """of a LOB: the piece of the table that a MOVE of it writes anew too"""

    @property
    def is_lob(self) -> bool:
        return bool(self.column)

    @property
    def kind(self) -> ObjectKind:
        return ObjectKind.LOB if self.is_lob else KINDS.get(self.type, ObjectKind.TABLE)

    @property
    def target(self) -> Segment:
        """The table, partition or subpartition that a statement names."""
        return Segment(self.owner, self.table, self.partition, self.is_subpartition)

    @property
    def asked(self) -> tuple[Segment, str]:
        """The segment and its type, as DBMS_SPACE wants them."""
        return Segment(self.owner, self.segment, self.segment_partition), LOB_TYPES.get(self.type, self.type)

    @property
    def ref(self) -> ObjectRef:
        """How plan and ledger name it."""
        return ObjectRef(
            kind=self.kind,
            owner=self.owner,
            name=self.segment,
            partition=self.partition,
            parent=self.table if self.is_lob or self.partition else "",
            column=self.column,
        )


@dataclass(frozen=True)
class Usage:
    """Blocks of a segment: below the high-water mark by how full they are, and above it."""

    unformatted: int = 0
    fs1: int = 0
    fs2: int = 0
    fs3: int = 0
    fs4: int = 0
    full: int = 0
    unused: int = 0

    @property
    def with_rows(self) -> int:
        return self.fs1 + self.fs2 + self.fs3 + self.fs4 + self.full

    @property
    def looks_empty(self) -> bool:
        """No block that must hold a row: a class of blocks with 75 to 100 % free may hold none."""
        return self.fs1 + self.fs2 + self.fs3 + self.full == 0


def usage_of(answer: dict[str, Any], unused: dict[str, Any]) -> Usage:
    """From the OUT values of space_usage and unused_space."""
    counted = {name: int(answer.get(f"{name}_blocks") or 0) for name in ("unformatted", "fs1", "fs2", "fs3", "fs4", "full")}
    return Usage(**counted, unused=int(unused.get("unused_blocks") or 0))


def securefile_usage_of(answer: dict[str, Any], unused: dict[str, Any]) -> Usage:
    """From the second form of SPACE_USAGE: expired blocks are free, unexpired ones are kept for who still reads them."""
    kept = int(answer.get("used_blocks") or 0) + int(answer.get("unexpired_blocks") or 0)
    return Usage(unformatted=int(answer.get("expired_blocks") or 0), full=kept, unused=int(unused.get("unused_blocks") or 0))

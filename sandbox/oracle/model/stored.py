"""What has storage: tables with partitions, LOBs and indexes, their statistics and the changes since (Concepts 19c)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.oracle.model.segments import Segment
from sandbox.oracle.model.spaces import Space
from sandbox.oracle.model.tables import Table, TableColumn

FUNCTION_BASED = "FUNCTION-BASED"


@dataclass(slots=True)
class Statistics:
    """Optimizer statistics as gathered once. An index uses the second line too."""

    rows: int
    blocks: int
    row_bytes: int
    at: datetime
    leaf_blocks: int = 0
    distinct_keys: int = 0
    blevel: int = 0
    clustering_factor: int = 0


@dataclass(slots=True)
class Changes:
    """DML since the last gathering. DBA_TAB_MODIFICATIONS shows `flushed` ones only."""

    inserts: int = 0
    updates: int = 0
    deletes: int = 0
    is_truncated: bool = False

    def add(self, other: Changes) -> None:
        self.inserts += other.inserts
        self.updates += other.updates
        self.deletes += other.deletes
        self.is_truncated = self.is_truncated or other.is_truncated

    @property
    def total(self) -> int:
        return self.inserts + self.updates + self.deletes

    def __bool__(self) -> bool:
        return bool(self.total or self.is_truncated)


@dataclass(slots=True)
class Attributes:
    """What is said of a segment and stays so until DDL changes it."""

    pct_free: int = 10
    is_logging: bool = True
    compression: str = ""  # '' none, BASIC, ADVANCED, QUERY HIGH ...
    is_read_only: bool = False


@dataclass(eq=False, slots=True)
class Piece:
    """A table without partitions, a partition, or a subpartition. A partition with `children` has no segment of its own.

    `upper`: the upper bound of a range, for rows that are really there; `high_value`: as the dictionary writes it.
    """

    name: str = ""
    parent: str = ""
    position: int = 0
    high_value: str = ""
    upper: Any = None
    is_interval: bool = False
    object_id: int = 0
    space: Space | None = None
    segment: Segment | None = None
    attributes: Attributes = field(default_factory=Attributes)
    statistics: Statistics | None = None
    pending: Changes = field(default_factory=Changes)
    flushed: Changes = field(default_factory=Changes)
    flushed_at: datetime | None = None
    lobs: dict[str, Segment] = field(default_factory=dict)
    children: list[Piece] = field(default_factory=list)
    lock_kind: str = ""  # STATTYPE_LOCKED

    @property
    def rows(self) -> int:
        return sum(p.rows for p in self.children) if self.children else self.segment.rows if self.segment else 0

    def leaves(self) -> Iterator[Piece]:
        if self.children:
            for child in self.children:
                yield from child.leaves()
        else:
            yield self


@dataclass(slots=True)
class Partitioning:
    """How a table is divided. `interval`: the expression of INTERVAL, '' where there is none."""

    kind: str  # RANGE, LIST, HASH, REFERENCE
    columns: tuple[str, ...]
    interval: str = ""
    sub_kind: str = "NONE"
    sub_columns: tuple[str, ...] = ()


@dataclass(slots=True)
class LobColumn:
    """A LOB column with storage of its own; the segments are in the pieces."""

    column: str
    segment_name: str
    index_name: str
    is_securefile: bool = True
    chunk_bytes: int = 8192
    object_id: int = 0
    chunks_per_row: float = 0.02  # most values are short and stay in the row


@dataclass(slots=True)
class Constraint:
    """P, U, R or C. `columns` of the table; R refers to (owner, name) of a key."""

    name: str
    kind: str
    columns: tuple[str, ...]
    refers_to: tuple[str, str] | None = None
    index_name: str = ""
    condition: str = ""
    is_enabled: bool = True
    is_generated: bool = False


@dataclass(slots=True)
class Sequence:
    """A sequence; `column` (table, column) and `generation` of one that an identity column draws from."""

    owner: str
    name: str
    last_number: int = 1
    minimum: int = 1
    maximum: int = 10**28 - 1
    increment: int = 1
    cycles: bool = False
    cache: int = 20
    column: tuple[str, str] | None = None
    generation: str = "BY DEFAULT"  # ALWAYS


@dataclass(eq=False, slots=True)
class IndexPiece:
    """An index without partitions (name ''), or one partition or subpartition; `of` is the table's piece of a local one."""

    name: str = ""
    parent: str = ""
    position: int = 0
    high_value: str = ""
    object_id: int = 0
    space: Space | None = None
    segment: Segment | None = None
    is_usable: bool = True
    statistics: Statistics | None = None
    is_logging: bool = True
    has_orphans: bool = False
    of: Piece | None = None


@dataclass(eq=False)
class Index:
    """An index. `columns`: names, or expressions for a function-based one; a descending column is one too."""

    owner: str
    name: str
    table: StoredTable
    columns: tuple[str, ...]
    kind: str = "NORMAL"  # NORMAL/REV, BITMAP, FUNCTION-BASED NORMAL, DOMAIN, IOT - TOP
    is_unique: bool = False
    is_local: bool = False
    is_join: bool = False
    object_id: int = 0
    pieces: list[IndexPiece] = field(default_factory=list)
    degree: str = "1"
    is_visible: bool = True
    is_compressed: bool = False
    pct_free: int = 10
    entry_bytes: float = 20.0
    created_at: datetime | None = None
    changed_at: datetime | None = None
    has_duplicates: bool = False  # a unique index over rows that are not: ORA-01452 at its next build
    grows_right: bool = False  # keys only grow: what is deleted on the left is not filled again
    is_generated: bool = False
    accesses: int = 0  # by queries, what index usage tracking has counted
    used_at: datetime | None = None

    @property
    def is_partitioned(self) -> bool:
        return bool(self.pieces and self.pieces[0].name)

    @property
    def is_unusable(self) -> bool:
        return any(not p.is_usable for p in self.pieces)


@dataclass(eq=False)
class StoredTable:
    """A table with its storage. `real`: the user table whose rows are really there, if it has any."""

    owner: str
    name: str
    object_id: int
    columns: tuple[TableColumn, ...] = ()
    pieces: list[Piece] = field(default_factory=list)
    partitioning: Partitioning | None = None
    attributes: Attributes = field(default_factory=Attributes)
    row_bytes: float = 100.0
    row_movement: bool = False
    degree: str = "1"
    is_iot: bool = False
    is_temporary: bool = False
    is_inmemory: bool = False
    is_nested: bool = False
    is_external: bool = False
    cluster: str = ""
    has_object_type: bool = False
    has_long: bool = False
    on_commit_view: str = ""  # an ON COMMIT materialized view on it
    rowid_view: str = ""  # a materialized view by ROWID
    roles: dict[str, str] = field(default_factory=dict)
    """what it is beside a table, by name: log_group, policy, queue, flashback_archive, container_of, immutable, blockchain,
    redaction, invisible, virtual"""
    new_partitions_compressed: bool = False
    is_dropped: bool = False  # in the recycle bin
    comment: str = ""
    indexes: list[Index] = field(default_factory=list)
    lobs: list[LobColumn] = field(default_factory=list)
    constraints: list[Constraint] = field(default_factory=list)
    statistics: Statistics | None = None  # of the whole, where it has partitions
    lock_kind: str = ""
    preferences: dict[str, str] = field(default_factory=dict)
    created_at: datetime | None = None
    changed_at: datetime | None = None
    real: Table | None = None
    columns_gathered_at: datetime | None = None
    piece_of: dict[str, Piece] = field(default_factory=dict)  # ROWID of each real row -> where it is

    @property
    def is_partitioned(self) -> bool:
        return self.partitioning is not None

    @property
    def rows(self) -> int:
        return sum(p.rows for p in self.pieces)

    @property
    def space_name(self) -> str:
        return next((p.space.name for p in self.leaves() if p.space), "")

    def leaves(self) -> Iterator[Piece]:
        for piece in self.pieces:
            yield from piece.leaves()

    def piece(self, name: str) -> Piece | None:
        """The partition or subpartition of a name."""
        for piece in self.pieces:
            for one in (piece, *piece.children):
                if one.name == name and name:
                    return one
        return None

    def segments(self) -> Iterator[Segment]:
        """All segments: of the rows, of LOBs, of indexes."""
        for piece in self.leaves():
            if piece.segment:
                yield piece.segment
            yield from piece.lobs.values()
        for index in self.indexes:
            yield from (p.segment for p in index.pieces if p.segment)

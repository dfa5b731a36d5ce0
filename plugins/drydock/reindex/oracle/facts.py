"""What a survey knows of an Oracle index: of the index, one piece of it, its keys, its table, and its counted blocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from drydock.engines.oracle_statements import Segment
from drydock.plans import ObjectKind, ObjectRef

PIPELINE = "reindex"
UNUSABLE = "UNUSABLE"


@dataclass(frozen=True)
class TargetFacts:
    """Of the database. `has_online`: REBUILD ONLINE may be used (Enterprise Edition)."""

    version: tuple[int, ...] = (19,)
    edition: str = "EE"
    has_online: bool = True
    has_partitioning: bool = True


@dataclass(frozen=True)
class Space:
    """A tablespace."""

    name: str
    block_bytes: int = 8192
    is_assm: bool = True
    status: str = "ONLINE"


@dataclass(frozen=True)
class Changes:
    """Rows that came and went since the statistics, as far as Oracle has flushed it."""

    inserts: int = 0
    deletes: int = 0
    is_truncated: bool = False


@dataclass(frozen=True)
class TableFacts:
    """The table of an index. `blocks`, `rows`: statistics; None: never gathered."""

    rows: int | None = None
    blocks: int | None = None
    is_partitioned: bool = False
    analyzed_at: datetime | None = None


@dataclass(frozen=True)
class IndexPiece:
    """An index without partitions, or one partition or subpartition. Statistics are None where never gathered."""

    owner: str
    name: str
    table_owner: str
    table: str
    space: Space
    partition: str = ""
    is_subpartition: bool = False
    type: str = "NORMAL"
    is_unique: bool = False
    is_local: bool = False
    is_temporary: bool = False
    is_dropped: bool = False
    is_join: bool = False
    is_compressed: bool = False
    is_unusable: bool = False
    is_corrupt: bool = False
    pct_free: int = 10
    degree: str = "1"
    entries: int | None = None
    leaf_blocks: int | None = None
    blevel: int | None = None
    clustering_factor: int | None = None
    analyzed_at: datetime | None = None
    object_id: int = 0
    identity: str = ""
    bytes: int = 0
    physical_reads: int = 0
    key_bytes: float | None = None
    columns: tuple[str, ...] = ()
    changes: Changes = field(default_factory=Changes)
    has_journal: bool = False
    is_never_used: bool = False
    accesses: int = 0

    @property
    def kind(self) -> ObjectKind:
        if not self.partition:
            return ObjectKind.INDEX
        return ObjectKind.INDEX_SUBPARTITION if self.is_subpartition else ObjectKind.INDEX_PARTITION

    @property
    def target(self) -> Segment:
        return Segment(self.owner, self.name, self.partition, self.is_subpartition)

    @property
    def ref(self) -> ObjectRef:
        """How plan and ledger name it."""
        return ObjectRef(
            kind=self.kind,
            owner=self.owner,
            name=self.name,
            partition=self.partition,
            parent=self.table,
            identity=self.identity,
        )

    @property
    def trouble(self) -> str:
        """Why it goes before everything that only saves space; '' for a sound one. What is unusable has no blocks any more."""
        return "unusable" if self.is_unusable else "corrupt" if self.is_corrupt else ""

    @property
    def is_function_based(self) -> bool:
        return self.type.startswith("FUNCTION-BASED")

    @property
    def entries_now(self) -> int | None:
        """Entries as far as the changes since the statistics tell."""
        if self.entries is None:
            return None
        return max(0, (0 if self.changes.is_truncated else self.entries - self.changes.deletes) + self.changes.inserts)


@dataclass(frozen=True)
class Counted:
    """Blocks of an index below its high-water mark, as DBMS_SPACE counted them. `empty` ones will be used again."""

    used: int = 0
    empty: int = 0

    @property
    def total(self) -> int:
        return self.used + self.empty


def counted_of(answer: dict[str, Any]) -> Counted:
    """From the OUT values of space_usage: of an index fs2 counts the blocks without an entry, `full` those with entries."""
    figures = {name: int(answer.get(f"{name}_blocks") or 0) for name in ("unformatted", "fs1", "fs2", "fs3", "fs4", "full")}
    return Counted(used=figures["full"] + figures["fs1"] + figures["fs3"] + figures["fs4"], empty=figures["fs2"])


def segment_type(piece: Segment) -> str:
    """What DBMS_SPACE calls it."""
    return "INDEX" if not piece.partition else "INDEX SUBPARTITION" if piece.is_subpartition else "INDEX PARTITION"

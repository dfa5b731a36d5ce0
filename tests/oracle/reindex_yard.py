"""Indexes of every kind and state on the simulator, for tests of the index rebuild on Oracle."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from drydock.changing.hands import SurveyContext
from drydock.plans import Candidate, Found, LeftAlone
from drydock.policy import ReindexPolicy
from drydock.reindex.oracle.trade import OracleReindex
from sandbox.oracle.backend import OraType
from sandbox.oracle.model import making, statistics
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.storage import storage_of
from sandbox.oracle.model.stored import Index, StoredTable
from sandbox.oracle.model.tables import TableColumn
from sandbox.oracle.worlds_storage import bloat
from tests.oracle import reclaim_yard as y

OWNER = y.OWNER
COLUMNS = (
    TableColumn("ID", OraType.NUMBER, precision=18, scale=0),
    TableColumn("NAME", OraType.VARCHAR2, 100),
    TableColumn("报' \"; --".replace('"', ""), OraType.VARCHAR2, 100),
)
ROWS = 20_000
POLICY = ReindexPolicy(min_leaf_blocks=40, statistics_max_age_days=14)
SPARSE, PART = "I; 'x'--报", "p 1"


def add_table(database: OracleDatabase, name: str, rows: int = ROWS, **more: Any) -> StoredTable:
    """A plain table with fresh statistics, and no index yet."""
    storage = storage_of(database)
    table = making.add_table(storage, OWNER, name, COLUMNS, space="APP_DATA", **more)
    making.grow(storage, table, rows)
    statistics.gather(storage, table)
    return table


def add_parted(database: OracleDatabase, name: str) -> StoredTable:
    storage = storage_of(database)
    table = making.add_table(storage, OWNER, name, COLUMNS, space="APP_DATA", partitioning=y.ONE_KEY)
    for part in (PART, "P2"):
        making.add_partition(storage, table, part, space="APP_DATA")
        making.grow(storage, table, ROWS, part)
    statistics.gather(storage, table)
    return table


def add_index(database: OracleDatabase, table: StoredTable, name: str, density: float = 1.0, **more: Any) -> Index:
    """An index on the name, its leaves so full on average, statistics fresh."""
    storage = storage_of(database)
    index = making.add_index(storage, table, name, more.pop("columns", ["NAME"]), space=more.pop("space", "APP_IDX"), **more)
    for piece in index.pieces if density < 1.0 else ():
        bloat(storage, index, piece, density)
    statistics.gather_index(storage, index)
    storage.touch()
    return index


def age_statistics(database: OracleDatabase, index: Index, days: int) -> None:
    for piece in index.pieces:
        if piece.statistics:
            piece.statistics.at -= timedelta(days=days)
    storage_of(database).touch()


def break_index(database: OracleDatabase, index: Index, piece: int = 0) -> None:
    """UNUSABLE, as ALTER INDEX ... UNUSABLE leaves it: its segment is given back."""
    broken = index.pieces[piece]
    broken.is_usable = False
    if broken.segment:
        broken.segment.drop()
        broken.segment = None
    storage_of(database).touch()


def surveyed(eyes: y.Eyes, database: OracleDatabase, policy: ReindexPolicy = POLICY, **more: Any) -> Found:
    context = SurveyContext(None, policy, database.clock.now(), **more)  # type: ignore[arg-type]
    return OracleReindex().find_candidates(eyes, context)


def candidate_of(found: Found, name: str, partition: str = "") -> Candidate:
    return next(c for c in found.candidates if (c.object.name, c.object.partition) == (name, partition))


def left_of(found: Found, name: str, partition: str = "") -> LeftAlone:
    return next(o for o in found.left_alone if (o.object.name, o.object.partition) == (name, partition))


@dataclass
class Settings:
    """What must be as it was: of each index its degree, logging, and what is unusable."""

    told: dict[str, tuple[Any, ...]] = field(default_factory=dict)


def flow(database: OracleDatabase, table: StoredTable) -> None:
    """Since the statistics as many rows left as came, as in a queue; its index was left nearly empty inside its leaves."""
    storage = storage_of(database)
    for piece in table.leaves():
        piece.pending.inserts += 9000
        piece.pending.deletes += 9000
    statistics.flush(storage)

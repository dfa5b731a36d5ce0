"""What the survey reads of a server and its tables, as models; and what a fresh table would need."""

from __future__ import annotations

import math
from datetime import datetime

from drydock.changing.hands import ChangeFailed, Eyes
from drydock.plans import ObjectKind, ObjectRef
from drydock.verdicts import Model

PIPELINE = "reclaim"
LOOK_LOCK_WAIT = "500ms"
PAGE_HEADER_BYTES = 24
POINTER_BYTES = 4  # of each row on its page
ALIGNMENT_BYTES = 4  # rows begin at multiples of 8 bytes: half of that on average


class Server(Model):
    """What a survey stands on."""

    server_version_num: int
    block_bytes: int
    has_pgstattuple: bool
    may_create: bool
    event_triggers: int
    publications_of_all: int
    repack_slots: int


class TableRow(Model):
    """One table, partition or what looks like one, with its sizes and the statistics of it."""

    table_oid: int
    filenode: int
    schema_: str
    name: str
    parent_schema: str
    parent: str
    kind: str
    persistence: str
    is_partition: bool
    access_method: str
    heap_bytes: int
    toast_bytes: int
    indexes_bytes: int
    total_bytes: int
    toast_oid: int
    table_rows: float
    fillfactor: int
    live_rows: int
    dead_rows: int
    inserted_since_vacuum: int
    scans: int
    last_vacuum_at: datetime | None
    last_analyze_at: datetime | None
    row_bytes: float | None
    is_of_extension: bool
    is_ours: bool
    has_identity_index: bool

    @property
    def ref(self) -> ObjectRef:
        kind = ObjectKind.PARTITION if self.is_partition else ObjectKind.TABLE
        identity = f"{self.table_oid}:{self.filenode}"
        return ObjectRef(kind=kind, owner=self.schema_, name=self.name, parent=self.parent, identity=identity)


class TableNow(Model):
    """A table at this moment, found by its name."""

    table_oid: int
    filenode: int
    heap_bytes: int
    toast_bytes: int
    indexes_bytes: int
    total_bytes: int
    fillfactor: int
    toast_oid: int
    block_bytes: int

    @property
    def identity(self) -> str:
        return f"{self.table_oid}:{self.filenode}"


class Measured(Model):
    """What a table and its TOAST table hold, measured in their pages. Bytes of main forks."""

    read_bytes: int
    live_bytes: int
    dead_bytes: int
    fresh_bytes: int
    """of the same rows, written anew"""
    is_exact: bool

    @property
    def waste_bytes(self) -> int:
        return max(0, self.read_bytes - self.fresh_bytes)

    @property
    def waste_ratio(self) -> float:
        return self.waste_bytes / self.read_bytes if self.read_bytes else 0.0


def tables_of(eyes: Eyes) -> list[TableRow]:
    """Every table of the user schemas, the largest first. Raises ChangeFailed."""
    return [TableRow(schema_=row.pop("schema"), **row) for row in eyes.rows(PIPELINE, "tables")]


def table_now(eyes: Eyes, ref: ObjectRef) -> TableNow | None:
    """What the name leads to now; None: to no table. Raises ChangeFailed."""
    rows = eyes.rows(PIPELINE, "table_now", {"schema": ref.owner, "name": ref.name})
    return TableNow(**rows[0]) if rows else None


def fresh_bytes(live_bytes: int, live_rows: int, fillfactor: int, block_bytes: int) -> int:
    """Pages that these rows fill when they are written anew (PostgreSQL manual, Database Page Layout), in bytes."""
    room = (block_bytes - PAGE_HEADER_BYTES) * fillfactor / 100
    return math.ceil((live_bytes + live_rows * (POINTER_BYTES + ALIGNMENT_BYTES)) / room) * block_bytes


def measure(eyes: Eyes, table: TableRow | TableNow, block_bytes: int, *, exactly: bool) -> Measured:
    """Measure a table and its TOAST table. Raises ChangeFailed, among others where the lock is not had in time."""
    question = "measure_exactly" if exactly else "measure_quickly"
    parts = [(table.table_oid, table.fillfactor)]
    parts += [(table.toast_oid, 100)] if table.toast_oid and table.toast_bytes else []
    sums = [0, 0, 0, 0]
    for oid, fillfactor in parts:
        found = eyes.rows(PIPELINE, question, {"table": oid, "lock_wait": LOOK_LOCK_WAIT})
        if not found:
            raise ChangeFailed("42P01", "statement", False)
        row = found[0]
        needed = fresh_bytes(int(row["live_bytes"]), int(row["live_rows"]), fillfactor, block_bytes)
        for i, n in enumerate((row["read_bytes"], row["live_bytes"], row["dead_bytes"], needed)):
            sums[i] += int(n)
    read, live, dead, fresh = sums
    return Measured(read_bytes=read, live_bytes=live, dead_bytes=dead, fresh_bytes=min(fresh, read), is_exact=exactly)


def empty_tail_bytes(eyes: Eyes, table: TableRow | TableNow, block_bytes: int, least_bytes: int) -> int:
    """Bytes at the end of a table in which nobody sees a row, found by halving; less than `least_bytes` is told as 0."""
    pages = table.heap_bytes // block_bytes
    low, high = 0, pages  # every row lies before page `high`
    step = max(1, least_bytes // block_bytes // 8)
    if pages * block_bytes < least_bytes or not _is_empty(eyes, table, pages - least_bytes // block_bytes):
        return 0
    high = pages - least_bytes // block_bytes
    while high - low > step:
        middle = (low + high) // 2
        if _is_empty(eyes, table, middle):
            high = middle
        else:
            low = middle
    return (pages - high) * block_bytes


def _is_empty(eyes: Eyes, table: TableRow | TableNow, page: int) -> bool:
    rows = eyes.rows(PIPELINE, "tail_is_empty", {"table": table.table_oid, "page": page})
    return bool(rows) and bool(rows[0]["is_empty"])

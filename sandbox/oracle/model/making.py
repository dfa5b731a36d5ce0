"""Tables, partitions, LOBs and indexes as CREATE statements would leave them, and rows that come and go by number."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from sandbox.oracle.backend import OraType
from sandbox.oracle.model import storage as st
from sandbox.oracle.model.spaces import Space
from sandbox.oracle.model.storage import Storage
from sandbox.oracle.model.stored import (
    Attributes,
    Constraint,
    Index,
    IndexPiece,
    LobColumn,
    Partitioning,
    Piece,
    StoredTable,
)
from sandbox.oracle.model.tables import TableColumn

ROWID_BYTES, GLOBAL_ROWID_BYTES, ENTRY_HEADER_BYTES = 6, 10, 2
COMPRESSED_TO = {"": 1.0, "BASIC": 0.45, "ADVANCED": 0.5}


def column_bytes(column: TableColumn) -> float:
    """Mean length of a column's values, with its length byte, where nothing is known of them."""
    if column.type is OraType.NUMBER:
        return 2 + min(column.precision or 10, 22) / 2
    if column.type in (OraType.VARCHAR2, OraType.CHAR, OraType.RAW):
        return 1 + (column.size if column.type is OraType.CHAR else min(column.size, 400) * 0.45)
    return {OraType.DATE: 8, OraType.TIMESTAMP: 12, OraType.CLOB: 40, OraType.BLOB: 40}.get(column.type, 14)


def row_bytes_of(columns: Sequence[TableColumn]) -> float:
    return 3 + sum(column_bytes(c) for c in columns)


def table_kind(table: StoredTable, piece: Piece) -> str:
    return "TABLE SUBPARTITION" if piece.parent else "TABLE PARTITION" if piece.name else "TABLE"


def add_table(
    storage: Storage,
    owner: str,
    name: str,
    columns: Iterable[TableColumn] = (),
    *,
    space: Space | str = "",
    partitioning: Partitioning | None = None,
    row_bytes: float = 0.0,
    attributes: Attributes | None = None,
    **more: Any,
) -> StoredTable:
    """Plants a table without rows. `more`: any field of StoredTable. Partitions come by `add_partition`."""
    now = storage.database.clock.now()
    kept = tuple(columns)
    table = StoredTable(
        owner, name, more.pop("object_id", 0) or storage.new_object_id(), kept, created_at=now, changed_at=now, **more
    )
    table.partitioning, table.row_bytes = partitioning, row_bytes or (row_bytes_of(kept) if kept else 100.0)
    table.attributes = attributes or table.attributes
    if partitioning is None:
        table.pieces.append(Piece(object_id=table.object_id, space=named_space(storage, space), attributes=table.attributes))
    storage.tables[owner, name] = table
    storage.touch()
    return table


def named_space(storage: Storage, space: Space | str) -> Space:
    return space if isinstance(space, Space) else storage.space(space) if space else storage.default_space()


def add_partition(
    storage: Storage,
    table: StoredTable,
    name: str,
    high_value: str = "MAXVALUE",
    *,
    parent: str = "",
    space: Space | str = "",
    upper: Any = None,
    is_interval: bool = False,
    attributes: Attributes | None = None,
) -> Piece:
    """Plants a partition, or with `parent` a subpartition of it, without a segment until rows come."""
    home = table.piece(parent).children if parent else table.pieces
    own = attributes or Attributes(table.attributes.pct_free, table.attributes.is_logging, table.attributes.compression)
    piece = Piece(name, parent, len(home) + 1, high_value, upper, is_interval, storage.new_object_id(), attributes=own)
    piece.space = named_space(storage, space)
    home.append(piece)
    if parent:
        table.piece(parent).segment = None
    for index in table.indexes:
        if index.is_local:
            index.pieces.append(local_piece(storage, index, piece))
    storage.touch()
    return piece


def local_piece(storage: Storage, index: Index, piece: Piece) -> IndexPiece:
    return IndexPiece(piece.name, piece.parent, piece.position, piece.high_value, storage.new_object_id(), piece.space, of=piece)


def add_lob(storage: Storage, table: StoredTable, column: str, is_securefile: bool = True) -> LobColumn:
    """Plants storage of a LOB column: a segment for each piece that has rows."""
    number = storage.new_object_id()
    lob = LobColumn(column, f"SYS_LOB{number:010d}C00001$$", f"SYS_IL{number:010d}C00001$$", is_securefile, object_id=number)
    table.lobs.append(lob)
    for piece in table.leaves():
        if piece.segment:
            ensure_lob(storage, table, piece, lob)
    storage.touch()
    return lob


def ensure_lob(storage: Storage, table: StoredTable, piece: Piece, lob: LobColumn) -> None:
    if lob.column not in piece.lobs:
        kind = "LOB PARTITION" if piece.name else "LOBSEGMENT"
        segment = st.new_segment(storage, table.owner, lob.segment_name, piece.name, kind, piece.space, lob.chunk_bytes - 300, 0)
        piece.lobs[lob.column] = segment


def ensure_segment(storage: Storage, table: StoredTable, piece: Piece) -> None:
    """A segment comes with the first row (deferred segment creation, Administrator's Guide 19c)."""
    if piece.segment is None:
        shrunk = COMPRESSED_TO.get(piece.attributes.compression, 0.3)
        piece.segment = st.new_segment(
            storage,
            table.owner,
            table.name,
            piece.name,
            table_kind(table, piece),
            piece.space,
            table.row_bytes * shrunk,
            piece.attributes.pct_free,
        )
    for lob in table.lobs:
        ensure_lob(storage, table, piece, lob)


def add_index(
    storage: Storage,
    table: StoredTable,
    name: str,
    columns: Sequence[str],
    *,
    space: Space | str = "",
    partitions: Sequence[str] = (),
    **more: Any,
) -> Index:
    """Plants an index over the rows that are there. `partitions`: of a global partitioned one, equally filled; `more`: any
    field of Index; `entry_bytes` follows from the columns."""
    now = storage.database.clock.now()
    index = Index(table.owner, name, table, tuple(columns), created_at=now, changed_at=now, **more)
    index.object_id = storage.new_object_id()
    if "entry_bytes" not in more:
        index.entry_bytes = entry_bytes_of(table, index)
    if index.is_local:
        index.pieces = [local_piece(storage, index, p) for p in table.leaves()]
    else:
        own = named_space(storage, space or table.space_name)
        index.pieces = [
            IndexPiece(part, "", n, object_id=storage.new_object_id(), space=own) for n, part in enumerate(partitions, 1)
        ] or [IndexPiece(object_id=index.object_id, space=own)]
    table.indexes.append(index)
    for piece in index.pieces:
        rows = due_rows(index, piece)
        if rows or not index.is_local:
            build_piece(storage, index, piece, rows)
    storage.touch()
    return index


def due_rows(index: Index, piece: IndexPiece) -> int:
    """Rows whose entries belong into a piece: those of its partition, or an equal share of all."""
    if piece.of:
        return piece.of.rows
    return split(index.table.rows, len(index.pieces))[index.pieces.index(piece)]


def split(rows: int, parts: int) -> list[int]:
    """As equal as whole numbers can be."""
    return [rows // parts + (n < rows % parts) for n in range(parts)]


def entry_bytes_of(table: StoredTable, index: Index) -> float:
    """Key columns, ROWID (10 bytes in a global index of a partitioned table), header, and a byte where not unique."""
    known = {c.name: column_bytes(c) for c in table.columns}
    rowid = GLOBAL_ROWID_BYTES if table.is_partitioned and not index.is_local else ROWID_BYTES
    return sum(known.get(c, 12.0) for c in index.columns) + rowid + ENTRY_HEADER_BYTES + (not index.is_unique)


def index_kind(piece: IndexPiece) -> str:
    return "INDEX SUBPARTITION" if piece.parent else "INDEX PARTITION" if piece.name else "INDEX"


def build_piece(storage: Storage, index: Index, piece: IndexPiece, rows: int) -> None:
    """A fresh segment with packed leaves. Raises ORA-01652."""
    entries = rows if index.kind != "BITMAP" else math.ceil(rows / 500)
    size = index.entry_bytes * (0.6 if index.is_compressed else 1.0)
    segment = st.new_segment(storage, index.owner, index.name, piece.name, index_kind(piece), piece.space, size, index.pct_free)
    if segment.insert(entries):
        segment.drop()
        raise st.no_room(piece.space)
    if piece.segment:
        piece.segment.drop()
    piece.segment, piece.is_usable, piece.has_orphans = segment, True, False


def add_key(storage: Storage, table: StoredTable, name: str, columns: Sequence[str], kind: str = "P", **more: Any) -> Constraint:
    """Plants a primary or unique key with its index, or a foreign key (`refers_to`)."""
    constraint = Constraint(name, kind, tuple(columns), **more)
    if kind in "PU":
        constraint.index_name = constraint.index_name or name
        if not any(i.name == constraint.index_name for i in table.indexes):
            add_index(storage, table, constraint.index_name, columns, is_unique=True)
    table.constraints.append(constraint)
    storage.touch()
    return constraint


def grow(storage: Storage, table: StoredTable, rows: int, piece: str = "", above_hwm: bool = False) -> None:
    """Rows come into a table or one of its pieces, its indexes and LOBs follow. Raises ORA-01653 and the like when full."""
    target = leaf_of(table, piece)
    ensure_segment(storage, table, target)
    st.check_quota(storage, table.owner, target.space, 0)
    missing = target.segment.insert(rows, above_hwm)
    target.pending.inserts += rows - missing
    for lob in table.lobs:
        target.lobs[lob.column].insert(math.ceil((rows - missing) * lob.chunks_per_row))
    for index in table.indexes:
        enter(storage, index, target, rows - missing)
    storage.touch()
    if missing:
        raise st.full(target.segment)


def leaf_of(table: StoredTable, name: str) -> Piece:
    found = table.piece(name) if name else None
    return next((found or table.pieces[0]).leaves()) if found or table.pieces else Piece()


def entries_of(index: Index, piece: Piece, rows: int) -> list[tuple[IndexPiece, int]]:
    """Where so many entries of a table's piece are: in its own piece of a local index, else spread over all."""
    if index.is_local:
        return [(p, rows) for p in index.pieces if p.of is piece]
    return list(zip(index.pieces, split(rows, len(index.pieces)), strict=True))


def enter(storage: Storage, index: Index, piece: Piece, rows: int) -> None:
    """New entries; an unusable index is not maintained. Raises ORA-01654 when full."""
    for place, share in entries_of(index, piece, rows):
        if not place.is_usable or share <= 0:
            continue
        if place.segment is None:
            build_piece(storage, index, place, 0)
        if place.segment.insert(share if index.kind != "BITMAP" else math.ceil(share / 500), index.grows_right):
            raise st.full(place.segment)


def delete(storage: Storage, table: StoredTable, share: float = 1.0, piece: str = "", whole_blocks: bool = False) -> int:
    """A share of the rows goes; blocks stay below the high-water mark. `whole_blocks`: rows that lay together, as an old
    month does; else holes everywhere. Returns the rows deleted."""
    gone = 0
    for target in leaf_of(table, piece).leaves() if piece else table.leaves():
        if target.segment:
            gone += delete_rows(storage, table, target, round(target.segment.rows * share), whole_blocks)
    storage.touch()
    return gone


def delete_rows(storage: Storage, table: StoredTable, target: Piece, rows: int, whole_blocks: bool = False) -> int:
    share = rows / max(1, target.segment.rows)
    went = target.segment.delete(rows, whole_blocks)
    target.pending.deletes += went
    for lob in target.lobs.values():
        lob.delete(round(lob.rows * share), whole_blocks)
    for index in table.indexes:
        for place, share in entries_of(index, target, went):
            if place.segment and place.is_usable:
                entries = share if index.kind != "BITMAP" else share // 500
                place.segment.delete(entries, whole_blocks and index.grows_right)
    return went

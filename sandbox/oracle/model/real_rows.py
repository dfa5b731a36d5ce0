"""User tables whose rows are really there: their storage is made at first sight and follows each commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sandbox.oracle.backend import Lob
from sandbox.oracle.model.flashback import keep_undo
from sandbox.oracle.model.locks import guard
from sandbox.oracle.model.making import add_key, add_table, delete_rows, ensure_segment, grow
from sandbox.oracle.model.storage import Storage
from sandbox.oracle.model.stored import Piece, StoredTable
from sandbox.oracle.model.tables import ROWS_PER_BLOCK, Row, Table, rowid_text, tables_of


def adopt_tables(storage: Storage) -> None:
    """User tables planted or created since get storage; dropped ones lose it."""
    known = tables_of(storage.database).by_name
    for key, table in list(known.items()):
        stored = storage.tables.get(key)
        if stored is None:
            adopt(storage, table)
        elif stored.real is None:
            attach(storage, stored, table)
    for key, stored in list(storage.tables.items()):
        if stored.real is not None and known.get(key) is not stored.real:
            for segment in stored.segments():
                segment.drop()
            del storage.tables[key]
            storage.touch()


def adopt(storage: Storage, table: Table) -> StoredTable:
    """Storage for a user table that has none: a heap in the default tablespace, an index for each key."""
    stored = add_table(storage, table.owner, table.name, table.columns, object_id=table.object_id, comment=table.comment)
    attach(storage, stored, table)
    for key in table.keys:
        add_key(storage, stored, key.name, key.columns, "P" if key.is_primary else "U")
    return stored


def attach(storage: Storage, stored: StoredTable, table: Table) -> None:
    """From now on the storage follows the rows of a user table, which gets its ROWIDs here."""
    stored.real, stored.columns = table, table.columns
    keep_undo(storage, table)
    table.object_id = stored.object_id
    stored.piece_of = {rowid: piece_for(stored, row) for rowid, row in table.rows.items()}
    sample = list(table.rows.values())[:50]
    if sample:
        stored.row_bytes = 3 + sum(value_bytes(v) for row in sample for v in row) / len(sample)
        for piece, rows in by_piece(stored, table.rows.values()).items():
            grow(storage, stored, rows, piece)
    table.next_rowid = lambda: next_rowid(storage, stored)
    table.on_write.append(lambda session, verb: guard(storage, stored, session, verb))
    table.on_commit.append(lambda _, changes: follow(storage, stored, changes))


def value_bytes(value: Any) -> int:
    if value is None:
        return 1
    data = value.data if isinstance(value, Lob) else value
    return 8 if isinstance(data, datetime) else 1 + len(data if isinstance(data, bytes) else str(data).encode())


def piece_for(stored: StoredTable, row: Row) -> Piece:
    """The piece of a row, by the upper bounds of a range; the first one where there are none."""
    if stored.partitioning and stored.real:
        value = row[stored.real.position(stored.partitioning.columns[0])]
        for piece in stored.pieces:
            if piece.upper is not None and value is not None and value < piece.upper:
                return next(piece.leaves())
        return next(stored.pieces[-1].leaves())
    return next(stored.leaves())


def by_piece(stored: StoredTable, rows: Iterable[Row]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for row in rows:
        name = piece_for(stored, row).name
        counted[name] = counted.get(name, 0) + 1
    return counted


def follow(storage: Storage, stored: StoredTable, changes: Mapping[str, Row | None]) -> None:
    """A commit on the real rows: as many come, go or change here, in the same pieces."""
    came: Counter[Piece] = Counter()
    went: Counter[Piece] = Counter()
    for rowid, row in changes.items():
        piece = stored.piece_of.get(rowid)
        if row is None:
            if piece is not None:
                went[stored.piece_of.pop(rowid)] += 1
        elif piece is None:
            stored.piece_of[rowid] = piece_for(stored, row)
            came[stored.piece_of[rowid]] += 1
        else:
            piece.pending.updates += 1
    for piece, rows in went.items():
        delete_rows(storage, stored, piece, rows)
    for piece, rows in came.items():
        grow(storage, stored, rows, piece.name)
    storage.touch()


def next_rowid(storage: Storage, stored: StoredTable) -> str:
    """A ROWID inside the first segment's extents, so that ranges of DBA_EXTENTS hold all rows."""
    piece = next(stored.leaves())
    ensure_segment(storage, stored, piece)
    table, segment = stored.real, piece.segment
    table.issued += 1
    ordinal, slot = divmod(table.issued, ROWS_PER_BLOCK)
    while segment.blocks <= ordinal + 4 and segment.grow(segment.blocks + 1):
        pass
    place = min(ordinal + 4, segment.blocks - 1)
    for extent in segment.extents:
        if place < extent.blocks:
            return rowid_text(segment.data_object_id, extent.file, extent.block + place, slot)
        place -= extent.blocks
    raise LookupError(f"{stored.name} has no extent")


def renew_rowids(stored: StoredTable) -> None:
    """New ROWIDs for all rows of a user table, after a move or a shrink (Concepts 19c, "Rowid Format")."""
    table, rows = stored.real, list(stored.real.rows.values())
    table.issued = 0
    table.rows = {table.next_rowid(): row for row in rows}
    table.indexed.clear()
    table.version += 1
    stored.piece_of = {rowid: piece_for(stored, row) for rowid, row in table.rows.items()}

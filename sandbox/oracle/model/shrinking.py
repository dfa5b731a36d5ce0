"""SHRINK SPACE, COALESCE and DEALLOCATE UNUSED (SQL Language Reference 19c, shrink_clause, deallocate_unused_clause).

COMPACT moves rows in steps and keeps what is done when it is cancelled; the high-water mark falls in a short step at the
end, under an exclusive lock. Refusals: SQL Reference, "Restrictions on the shrink_clause"; the codes beside it are those of
public error output, and of the message list where none was found (10652, 10653, 10654, 10662, 10663, 10664).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from sandbox.oracle.backend import OracleError
from sandbox.oracle.model.database import SessionState
from sandbox.oracle.model.locks import EXCLUSIVE, ROW_EXCLUSIVE, held, lock_timeout_s, touched, transactions, unusable
from sandbox.oracle.model.real_rows import renew_rowids
from sandbox.oracle.model.segments import Segment
from sandbox.oracle.model.storage import Storage
from sandbox.oracle.model.storage_work import begin, finish, step, use_undo, write_redo
from sandbox.oracle.model.stored import FUNCTION_BASED, Index, IndexPiece, Piece, StoredTable

REDO_PER_MOVED_BYTE, REDO_PER_INDEX = 2.5, 0.7  # a first guess, to be corrected by measurements on servers
SECUREFILE_SHRINK_RELEASE = 21


def refusal(storage: Storage, table: StoredTable, pieces: Iterable[Piece]) -> OracleError | None:
    """Why SHRINK SPACE would not run on these pieces; None where it would. ALTER TABLE ... SHRINK SPACE CHECK asks it."""
    if table.cluster:
        return OracleError(10653, "Table is in a cluster")
    if table.is_temporary or table.is_external:
        return OracleError(10654, "Table is of type temporary or external")
    for piece in pieces:
        space = piece.segment.space if piece.segment else piece.space
        if not space.is_assm or piece.attributes.compression:
            return OracleError(10635, "Invalid segment or tablespace type")
    if not table.row_movement and not table.is_iot:
        return OracleError(10636, "ROW MOVEMENT is not enabled")
    if table.has_long:
        return OracleError(10662, "Segment has long columns")
    if table.on_commit_view:
        return OracleError(10652, "Object has on-commit materialized views")
    if table.rowid_view:
        return OracleError(10663, "Object has rowid based materialized views")
    if any(i.is_join for i in table.indexes):
        return OracleError(10664, "Table has bitmap join indexes")
    if any(i.kind.startswith(FUNCTION_BASED) or i.kind == "DOMAIN" for i in table.indexes):
        return OracleError(10631, "SHRINK clause should not be specified for this object")
    bad = next((i for i in table.indexes if i.is_unique and i.is_unusable), None)
    return unusable(bad) if bad else None


def shrink_table(
    storage: Storage, session: SessionState, table: StoredTable, pieces: list[Piece], compact: bool, cascade: bool
) -> None:
    """Piece by piece: rows move under row locks, then each high-water mark falls under an exclusive lock for a moment."""
    with storage.database.lock:
        if reason := refusal(storage, table, pieces):
            raise reason
    for piece in pieces:
        if piece.segment is None:
            continue
        with held(storage, session, table, piece.name, ROW_EXCLUSIVE, lock_timeout_s(storage.database, session)):
            pack(storage, session, piece.segment, f"{table.owner}.{table.name}", len(table.indexes), "Segment Shrink")
        if not compact:
            with held(storage, session, table, piece.name, EXCLUSIVE, lock_timeout_s(storage.database, session)):
                lower(storage, piece.segment)
        if cascade:
            shrink_dependents(storage, session, table, piece, compact)
    with storage.database.lock:
        if table.real is not None and not any(touched(t, table) for t in transactions(storage.database)):
            renew_rowids(table)  # rows that a transaction holds stay where they are
        storage.touch()


def shrink_dependents(storage: Storage, session: SessionState, table: StoredTable, piece: Piece, compact: bool) -> None:
    """CASCADE: LOB segments of the old kind, and the index pieces of this piece."""
    for lob in table.lobs:
        if not lob.is_securefile or release_of(storage) >= SECUREFILE_SHRINK_RELEASE:
            shrink_segment(storage, session, piece.lobs[lob.column], compact)
    for index in table.indexes:
        for place in index.pieces:
            if place.segment and place.is_usable and (place.of is piece or not index.is_local):
                shrink_segment(storage, session, place.segment, compact)


def release_of(storage: Storage) -> int:
    return int(storage.database.version.split(".")[0])


def shrink_segment(storage: Storage, session: SessionState, segment: Segment, compact: bool) -> None:
    pack(storage, session, segment, f"{segment.owner}.{segment.name}", 0, "Segment Shrink")
    if not compact:
        lower(storage, segment)


def shrink_lob(
    storage: Storage, session: SessionState, table: StoredTable, column: str, compact: bool, pieces: Iterable[Piece]
) -> None:
    """ALTER TABLE ... MODIFY LOB (c) (SHRINK SPACE): SecureFiles only from 21c on (ORA-10635 before)."""
    lob = next((o for o in table.lobs if o.column == column), None)
    if lob is None:
        raise OracleError(904, f'"{column}": invalid identifier')
    if lob.is_securefile and release_of(storage) < SECUREFILE_SHRINK_RELEASE:
        raise OracleError(10635, "Invalid segment or tablespace type")
    with held(storage, session, table, "", ROW_EXCLUSIVE, lock_timeout_s(storage.database, session)):
        for piece in pieces:
            if column in piece.lobs:
                shrink_segment(storage, session, piece.lobs[column], compact)


def pack(storage: Storage, session: SessionState, segment: Segment, target: str, indexes: int, name: str) -> None:
    """Moves rows towards the front, step by step. Each step is a transaction of its own: undo of one step, redo as written."""
    operation = begin(storage, session, name, target, segment.blocks_to_pack)
    try:
        while segment.blocks_to_pack:
            blocks = min(storage.pace.step_blocks, segment.blocks_to_pack)
            step(storage, operation, blocks, segment.space.block_bytes)
            with storage.database.lock:
                use_undo(storage, math.ceil(blocks / 2))
                moved = segment.pack(blocks)
                storage.touch()
            if not moved:
                return
            write_redo(storage, session, moved * segment.row_bytes * (REDO_PER_MOVED_BYTE + REDO_PER_INDEX * indexes))
    finally:
        finish(storage, operation)


def lower(storage: Storage, segment: Segment) -> None:
    with storage.database.lock:
        segment.lower_hwm()
        storage.touch()


def deallocate(storage: Storage, session: SessionState, table: StoredTable, pieces: Iterable[Piece]) -> None:
    """DEALLOCATE UNUSED: only what lies above the high-water mark, the indexes' too for a table as a whole."""
    with held(storage, session, table, "", EXCLUSIVE, lock_timeout_s(storage.database, session)), storage.database.lock:
        for piece in pieces:
            for segment in filter(None, (piece.segment, *piece.lobs.values())):
                segment.trim()
        storage.touch()


def check_index_pieces(index: Index, pieces: Iterable[IndexPiece]) -> None:
    if any(not p.is_usable for p in pieces):
        raise unusable(index)


def coalesce(storage: Storage, session: SessionState, index: Index, pieces: list[IndexPiece]) -> None:
    """Neighbouring leaves are merged; the emptied ones stay in the segment for later. Online, and resumable."""
    check_index_pieces(index, pieces)
    for piece in pieces:
        if piece.segment:
            pack(storage, session, piece.segment, f"{index.owner}.{index.name}", 0, "Index Coalesce")
    with storage.database.lock:
        index.changed_at = storage.database.clock.now()


def shrink_index(storage: Storage, session: SessionState, index: Index, pieces: list[IndexPiece], compact: bool) -> None:
    """ALTER INDEX ... SHRINK SPACE: needs automatic segment space management; not for bitmap join or domain indexes."""
    check_index_pieces(index, pieces)
    if any(p.segment and not p.segment.space.is_assm for p in pieces) or index.kind == "DOMAIN" or index.is_join:
        raise OracleError(10635, "Invalid segment or tablespace type")
    for piece in pieces:
        if piece.segment:
            pack(storage, session, piece.segment, f"{index.owner}.{index.name}", 0, "Segment Shrink")
        if piece.segment and not compact:
            mode, seconds = EXCLUSIVE, lock_timeout_s(storage.database, session)
            with held(storage, session, index.table, piece.name, mode, seconds):
                lower(storage, piece.segment)

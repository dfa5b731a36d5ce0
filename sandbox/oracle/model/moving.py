"""MOVE and TRUNCATE of tables and partitions (SQL Language Reference 19c, move_table_clause, truncate_partition_subpart).

A move is all or nothing: the new segment is written beside the old one. A killed session leaves a temporary segment, or
with ONLINE journal objects, that SMON removes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sandbox.oracle.backend import OracleError
from sandbox.oracle.model import making
from sandbox.oracle.model import storage as st
from sandbox.oracle.model.database import SessionState
from sandbox.oracle.model.locks import EXCLUSIVE, at_rest, held, lock_timeout_s, online
from sandbox.oracle.model.real_rows import renew_rowids
from sandbox.oracle.model.segments import Segment
from sandbox.oracle.model.spaces import Space
from sandbox.oracle.model.storage import Leftover, LongOperation, Storage
from sandbox.oracle.model.storage_work import begin, finish, step, write_direct
from sandbox.oracle.model.stored import Changes, Index, Piece, StoredTable


@dataclass(frozen=True)
class Move:
    """What a MOVE asks for. `compression`: None leaves it as it is, '' is NOCOMPRESS; `lob`: a LOB column that moves too."""

    online: bool = False
    update_indexes: bool = False
    space: Space | None = None
    degree: int | None = None
    compression: str | None = None
    lob: str = ""
    lob_space: Space | None = None


def check_move(storage: Storage, table: StoredTable, piece: Piece, move: Move) -> None:
    """ORA-14808 (not a heap table, object types, domain or bitmap join indexes), ORA-14813 (too many segments), ORA-14810
    (database not open read-write); ORA-14257 for a partition that has subpartitions."""
    if piece.children:
        raise OracleError(14257, "cannot move a partition that has subpartitions; move its subpartitions")
    if table.has_long:
        raise OracleError(997, "illegal use of LONG datatype")
    if table.cluster:
        raise OracleError(1773, "may not specify MOVE for a clustered table")
    if not move.online:
        return
    is_odd = table.is_iot or table.has_object_type or table.is_temporary
    if is_odd or any(i.kind == "DOMAIN" or i.is_join for i in table.indexes):
        raise OracleError(14808, "table does not support ONLINE MOVE TABLE or ONLINE MOVE PARTITION")
    if sum(1 for _ in table.leaves()) * sum(len(i.pieces) for i in table.indexes) > storage.online_move_limit:
        raise OracleError(14813, "ONLINE MOVE PARTITION or ONLINE MOVE TABLE has too many table and index segments")
    if storage.database.parts.get("open_mode", "READ WRITE") != "READ WRITE":
        raise OracleError(14810, "ONLINE MOVE PARTITION is not supported unless the database is open normally")


def move_piece(storage: Storage, session: SessionState, table: StoredTable, piece: Piece, move: Move) -> None:
    """Writes one piece anew. Offline under an exclusive lock for the whole time; online waits for open transactions at both
    ends, however long they take."""
    with storage.database.lock:
        check_move(storage, table, piece, move)
    had_rows = piece.rows > 0
    with standing(storage, session, table, piece, move):
        fresh = rewritten(storage, session, table, piece, move) if piece.segment else None
        lob = rewritten_lob(storage, session, table, piece, move, fresh) if move.lob else None
        ending = at_rest(storage, session, table, piece.name) if move.online else storage.database.lock
        try:
            with ending:
                swap(storage, table, piece, fresh, move)
                if lob:
                    piece.lobs[move.lob].drop()
                    piece.lobs[move.lob] = lob
                if had_rows:
                    after_move(storage, table, piece, move)
                storage.touch()
        except OracleError:
            abandon(storage, session, table, fresh, "MOVE" if move.online else "TEMPORARY")
            abandon(storage, session, table, lob, "TEMPORARY")
            raise


def rewritten_lob(
    storage: Storage, session: SessionState, table: StoredTable, piece: Piece, move: Move, beside: Segment | None
) -> Segment | None:
    """The LOB's new segment (SQL Language Reference 19c, LOB_storage_clause of MOVE). ORA-00904 for no LOB column."""
    old, fresh = piece.lobs.get(move.lob), None
    try:
        with storage.database.lock:
            if not any(lob.column == move.lob for lob in table.lobs):
                raise OracleError(904, f'"{move.lob}": invalid identifier')
            if old is None:
                return None
            space = move.lob_space or old.space
            fresh = st.new_segment(storage, old.owner, old.name, old.partition, old.kind, space, old.row_bytes, old.pct_free)
        operation = begin(storage, session, "Table/Index Move", f"{old.owner}.{old.name}", old.data_blocks)
        try:
            copy_rows(storage, session, operation, old, fresh, piece.attributes.is_logging)
        finally:
            finish(storage, operation)
    except OracleError:
        abandon(storage, session, table, fresh, "TEMPORARY")
        abandon(storage, session, table, beside, "TEMPORARY")
        raise
    return fresh


def standing(
    storage: Storage, session: SessionState, table: StoredTable, piece: Piece, move: Move
) -> AbstractContextManager[object]:
    if move.online:
        return online(storage, session, table, piece.name)
    return held(storage, session, table, piece.name, EXCLUSIVE, lock_timeout_s(storage.database, session))


def rewritten(storage: Storage, session: SessionState, table: StoredTable, piece: Piece, move: Move) -> Segment:
    """The new segment. Those of LOBs stay where they are: a MOVE leaves LOBs alone unless told otherwise."""
    old, space = piece.segment, move.space or piece.segment.space
    compression = piece.attributes.compression if move.compression is None else move.compression
    row_bytes = table.row_bytes * making.COMPRESSED_TO.get(compression, 0.3)
    operation = begin(storage, session, "Table/Index Move", f"{table.owner}.{table.name}", old.data_blocks)
    fresh = None
    try:
        with storage.database.lock:
            fresh = st.new_segment(
                storage, table.owner, table.name, piece.name, old.kind, space, row_bytes, piece.attributes.pct_free
            )
        copy_rows(storage, session, operation, old, fresh, piece.attributes.is_logging)
    except OracleError:
        abandon(storage, session, table, fresh, "MOVE" if move.online else "TEMPORARY")
        raise
    finally:
        finish(storage, operation)
    return fresh


def copy_rows(
    storage: Storage, session: SessionState, operation: LongOperation, old: Segment, fresh: Segment, is_logging: bool
) -> None:
    """Rows go over in steps of the source's blocks. Raises ORA-01652 where the target has no room."""
    left = old.data_blocks
    while left > 0 or fresh.rows < old.rows:
        blocks = min(storage.pace.step_blocks, max(left, 1))
        step(storage, operation, blocks, old.space.block_bytes)
        with storage.database.lock:
            before, left = fresh.data_blocks, left - blocks
            due = old.rows if left <= 0 else math.floor(old.rows * (1 - left / old.data_blocks))
            st.check_quota(storage, fresh.owner, fresh.space, 0)
            if fresh.insert(max(0, due - fresh.rows), above_hwm=not fresh.bins):
                raise st.no_room(fresh.space, fresh.space.next_extent_blocks(len(fresh.extents)))
            written = fresh.data_blocks - before
        write_direct(storage, session, fresh, written, is_logging)


def abandon(storage: Storage, session: SessionState, table: StoredTable, fresh: Segment | None, kind: str) -> None:
    """The half-written segment goes at once, or stays for SMON where the session was killed."""
    if fresh is None:
        return
    with storage.database.lock:
        if not session.is_killed:
            fresh.drop()
        else:
            fresh.kind = "TEMPORARY"
            name = f"{fresh.extents[0].file}.{fresh.extents[0].block}"
            if kind == "MOVE":
                name = f"SYS_RMTAB$$_H{table.object_id}"
            fresh.name, fresh.partition = name, ""
            now = storage.database.clock.now()
            storage.leftovers.append(
                Leftover(kind, table.owner, name, storage.new_object_id(), table.object_id, now, table, segment=fresh)
            )
        storage.touch()


def swap(storage: Storage, table: StoredTable, piece: Piece, fresh: Segment | None, move: Move) -> None:
    """The new segment takes the old one's place, with a DATA_OBJECT_ID of its own."""
    if move.compression is not None:
        piece.attributes.compression = move.compression
    if move.space:
        piece.space = move.space
    if fresh:
        follow_meanwhile(fresh, piece.segment.rows)
        piece.segment.drop()
        piece.segment = fresh
    table.changed_at = storage.database.clock.now()
    if table.real is not None and fresh:
        renew_rowids(table)


def follow_meanwhile(fresh: Segment, rows: int) -> None:
    """What DML did to the old segment during an online operation is done to the new one from the journal."""
    if rows > fresh.rows:
        fresh.insert(rows - fresh.rows)
    fresh.delete(max(0, fresh.rows - rows))


def after_move(storage: Storage, table: StoredTable, piece: Piece, move: Move) -> None:
    """Indexes are kept with UPDATE INDEXES, else UNUSABLE; those of an index-organized table stay usable (VLDB Guide 12.1,
    "About Moving Partitions and Subpartitions", whose table makes no exception for ONLINE). A whole table that is moved
    ONLINE keeps them without more words (12.2 New Features; public output)."""
    for index in table.indexes:
        for place in index.pieces:
            if index.is_local and place.of is not piece:
                continue
            if move.update_indexes or (move.online and not table.is_partitioned):
                if place.is_usable and (index.is_local or not table.is_partitioned):
                    making.build_piece(storage, index, place, piece.rows)
            elif not table.is_iot:
                place.is_usable = False


def truncate(
    storage: Storage, session: SessionState, table: StoredTable, pieces: Iterable[Piece], update_indexes: bool, reuse: bool
) -> None:
    """All rows of the pieces go, with their space unless REUSE STORAGE. Global indexes become UNUSABLE or, with UPDATE
    INDEXES, keep orphaned entries (VLDB Guide, "Asynchronous Global Index Maintenance")."""
    pieces = list(pieces)
    with storage.database.lock:
        check_references(storage, table)
    place = pieces[0].name if len(pieces) == 1 else ""
    with held(storage, session, table, place, EXCLUSIVE, lock_timeout_s(storage.database, session)), storage.database.lock:
        had_rows = any(p.rows for p in pieces)
        for piece in pieces:
            empty_piece(storage, table, piece, reuse)
        is_whole = not table.is_partitioned or len(pieces) == sum(1 for _ in table.leaves())
        for index in table.indexes:
            truncate_index(storage, index, pieces, is_whole, update_indexes, had_rows)
        if table.real is not None and is_whole:
            table.real.apply(dict.fromkeys(table.real.rows))
        table.changed_at = storage.database.clock.now()
        storage.touch()


def check_references(storage: Storage, table: StoredTable) -> None:
    """ORA-02266 where an enabled foreign key of another table refers to a key of this one."""
    keys = {(table.owner, c.name) for c in table.constraints if c.kind in "PU"}
    for other in storage.tables.values():
        for constraint in other.constraints:
            if other is not table and constraint.kind == "R" and constraint.is_enabled and constraint.refers_to in keys:
                raise OracleError(2266, "unique/primary keys in table referenced by enabled foreign keys")


def empty_piece(storage: Storage, table: StoredTable, piece: Piece, reuse: bool) -> None:
    for segment in filter(None, (piece.segment, *piece.lobs.values())):
        segment.rows, segment.bins, segment.unformatted = 0, [], 0
        segment.data_object_id = storage.new_object_id()
        if not reuse:
            segment.trim()
    piece.pending = Changes(deletes=piece.pending.deletes, is_truncated=True)


def truncate_index(
    storage: Storage, index: Index, pieces: list[Piece], is_whole: bool, update_indexes: bool, had_rows: bool
) -> None:
    for place in index.pieces:
        if is_whole or (index.is_local and place.of in pieces):
            making.build_piece(storage, index, place, 0)
        elif not index.is_local and had_rows:
            place.is_usable = place.is_usable and update_indexes
            place.has_orphans = place.has_orphans or update_indexes


def drop_partition(storage: Storage, session: SessionState, table: StoredTable, piece: Piece, update_indexes: bool) -> None:
    """DROP PARTITION: as a truncation, and the partition is gone. ORA-14083 for the only one."""
    if len(table.pieces) == 1:
        raise OracleError(14083, "cannot drop the only partition of a partitioned table")
    truncate(storage, session, table, list(piece.leaves()), update_indexes, False)
    with storage.database.lock:
        doomed = set(map(id, piece.leaves()))
        for leaf in piece.leaves():
            for segment in filter(None, (leaf.segment, *leaf.lobs.values())):
                segment.drop()
        for index in table.indexes:
            for place in [p for p in index.pieces if id(p.of) in doomed]:
                if place.segment:
                    place.segment.drop()
                index.pieces.remove(place)
        table.pieces.remove(piece)
        storage.touch()

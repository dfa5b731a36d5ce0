"""ALTER INDEX ... REBUILD (SQL Language Reference 19c, rebuild_clause): old and new segment stand side by side, all or nothing.

ONLINE keeps a journal table SYS_JOURNAL_<object id>. Where the session is killed, it stays, and the index answers ORA-08104
until SMON or DBMS_REPAIR.ONLINE_INDEX_CLEAN has removed it (PL/SQL Packages Reference 19c).
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sandbox.oracle.backend import OracleError
from sandbox.oracle.model import making, statistics
from sandbox.oracle.model import storage as st
from sandbox.oracle.model.database import SessionState
from sandbox.oracle.model.locks import SHARE, at_rest, held, lock_timeout_s, online
from sandbox.oracle.model.moving import abandon, follow_meanwhile
from sandbox.oracle.model.segments import Segment
from sandbox.oracle.model.spaces import Space
from sandbox.oracle.model.storage import Leftover, LongOperation, Storage
from sandbox.oracle.model.storage_work import begin, finish, step, write_direct
from sandbox.oracle.model.stored import Index, IndexPiece

SORT_FACTOR = 1.3


@dataclass(frozen=True)
class Rebuild:
    """What a REBUILD asks for. `degree` and `logging` stay on the index afterwards."""

    online: bool = False
    degree: str | None = None
    logging: bool | None = None
    space: Space | None = None
    is_reverse: bool | None = None


def journal_of(storage: Storage, index: Index) -> Leftover | None:
    return next((o for o in storage.leftovers if o.kind == "JOURNAL" and o.index is index), None)


def being_built(piece_id: int) -> OracleError:
    return OracleError(8104, f"this index object {piece_id} is being online built or rebuilt")


def check_rebuild(storage: Storage, index: Index, piece: IndexPiece) -> None:
    if journal := journal_of(storage, index):
        raise being_built(journal.of_id)
    if index.kind == "IOT - TOP":
        raise OracleError(28650, "Primary index on an IOT cannot be rebuilt")
    entries = entries_due(index, piece)
    needed = math.ceil(entries * index.entry_bytes * SORT_FACTOR / storage.temp.block_bytes)
    if needed > storage.temp.blocks - storage.temp_used_blocks:
        raise st.no_room(storage.temp)


def entries_due(index: Index, piece: IndexPiece) -> int:
    if piece.segment and piece.is_usable and not piece.has_orphans:
        return piece.segment.rows
    rows = making.due_rows(index, piece)
    return rows if index.kind != "BITMAP" else math.ceil(rows / 500)


def rebuild(storage: Storage, session: SessionState, index: Index, piece: IndexPiece, asked: Rebuild) -> None:
    """Writes one piece anew. Raises ORA-08104, ORA-28650, ORA-01652 (temp or tablespace), ORA-01452 (duplicates)."""
    with storage.database.lock:
        check_rebuild(storage, index, piece)
    journal = open_journal(storage, index, piece) if asked.online else None
    try:
        with standing(storage, session, index, piece, asked):
            fresh = built(storage, session, index, piece, asked)
            change_over(storage, session, index, piece, fresh, asked)
    except OracleError:
        if journal and not session.is_killed and not storage.cancel_leaves_journal:
            close_journal(storage, journal)
        elif journal:
            journal.is_live, journal.since = False, storage.database.clock.now()
        raise
    if journal:
        close_journal(storage, journal)


def standing(
    storage: Storage, session: SessionState, index: Index, piece: IndexPiece, asked: Rebuild
) -> AbstractContextManager[object]:
    """A share lock keeps DML away from an offline rebuild; an online one waits for what is open."""
    place = piece.of.name if piece.of else ""
    if asked.online:
        return online(storage, session, index.table, place)
    return held(storage, session, index.table, place, SHARE, lock_timeout_s(storage.database, session))


def change_over(storage: Storage, session: SessionState, index: Index, piece: IndexPiece, fresh: Segment, asked: Rebuild) -> None:
    place = piece.of.name if piece.of else ""
    ending = at_rest(storage, session, index.table, place) if asked.online else storage.database.lock
    try:
        with ending:
            follow_meanwhile(fresh, entries_due(index, piece))
            swap(storage, index, piece, fresh, asked)
    except OracleError:
        abandon(storage, session, index.table, fresh, "TEMPORARY")
        raise


def open_journal(storage: Storage, index: Index, piece: IndexPiece) -> Leftover:
    with storage.database.lock:
        now, of_id = storage.database.clock.now(), piece.object_id or index.object_id
        journal = Leftover(
            "JOURNAL", index.owner, f"SYS_JOURNAL_{of_id}", storage.new_object_id(), of_id, now, index.table, index
        )
        journal.is_live = True
        storage.leftovers.append(journal)
        storage.touch()
    return journal


def close_journal(storage: Storage, journal: Leftover) -> None:
    with storage.database.lock:
        if journal in storage.leftovers:
            storage.leftovers.remove(journal)
        storage.touch()


def built(storage: Storage, session: SessionState, index: Index, piece: IndexPiece, asked: Rebuild) -> Segment:
    """The new segment with packed leaves; TEMP holds the sort while it is made."""
    entries, space = entries_due(index, piece), asked.space or piece.space
    blocks = max(piece.segment.data_blocks if piece.segment else 1, 1)
    operation = begin(storage, session, "Index Build", f"{index.owner}.{index.name}", blocks)
    fresh = None
    try:
        with storage.database.lock:
            operation.temp_blocks = math.ceil(entries * index.entry_bytes * SORT_FACTOR / storage.temp.block_bytes)
            storage.temp_used_blocks += operation.temp_blocks
            size = index.entry_bytes * (0.6 if index.is_compressed else 1.0)
            fresh = st.new_segment(
                storage, index.owner, index.name, piece.name, making.index_kind(piece), space, size, index.pct_free
            )
        load(storage, session, operation, fresh, entries, blocks, asked, piece)
        if index.has_duplicates and index.is_unique:
            raise OracleError(1452, "cannot CREATE UNIQUE INDEX; duplicate keys found")
    except OracleError:
        abandon(storage, session, index.table, fresh, "TEMPORARY")
        raise
    finally:
        finish(storage, operation)
    return fresh


def load(
    storage: Storage,
    session: SessionState,
    operation: LongOperation,
    fresh: Segment,
    entries: int,
    blocks: int,
    asked: Rebuild,
    piece: IndexPiece,
) -> None:
    """Entries go in by steps. Raises ORA-01652 where the tablespace has no room."""
    left, is_logging = blocks, piece.is_logging if asked.logging is None else asked.logging
    while left > 0:
        step(storage, operation, min(left, storage.pace.step_blocks), fresh.space.block_bytes)
        left -= storage.pace.step_blocks
        with storage.database.lock:
            before = fresh.data_blocks
            due = entries if left <= 0 else math.floor(entries * (1 - left / blocks))
            if fresh.insert(max(0, due - fresh.rows)):
                raise st.no_room(fresh.space, fresh.space.next_extent_blocks(len(fresh.extents)))
            written = fresh.data_blocks - before
        write_direct(storage, session, fresh, written, is_logging)


def swap(storage: Storage, index: Index, piece: IndexPiece, fresh: Segment, asked: Rebuild) -> None:
    """The new segment serves; statistics of the index are refreshed with it unless they are locked."""
    if piece.segment:
        piece.segment.drop()
    piece.segment, piece.space, piece.is_usable, piece.has_orphans = fresh, fresh.space, True, False
    if asked.degree is not None:
        index.degree = asked.degree
    if asked.logging is not None:
        piece.is_logging = asked.logging
    if asked.is_reverse is not None:
        index.kind = "NORMAL/REV" if asked.is_reverse else "NORMAL"
    index.changed_at = storage.database.clock.now()
    if not index.table.lock_kind:
        piece.statistics = statistics.measured_index(storage, index, piece)
    storage.touch()


def clean(storage: Storage, object_id: int) -> bool:
    """ONLINE_INDEX_CLEAN of one index, or of all with 0: True where nothing is left of it, False where a transaction holds
    the table."""
    wanted = [o for o in storage.leftovers if o.kind == "JOURNAL" and object_id in (0, o.of_id, o.index.object_id)]
    removed = [st.remove_leftover(storage, o) for o in wanted]
    return all(removed)

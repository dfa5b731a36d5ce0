"""Locks, transactions, long operations, temporary space and redo of sessions (Database Reference 19c)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.oracle.model.database import OracleDatabase, SessionState
from sandbox.oracle.model.locks import ROW_EXCLUSIVE, Lock, touched, transactions
from sandbox.oracle.model.repository import has_repository, repository_of
from sandbox.oracle.model.storage import Storage, storage_of
from sandbox.oracle.model.stored import StoredTable
from sandbox.oracle.packages_locks import user_locks
from sandbox.oracle.registry import view
from sandbox.oracle.views_storage_tables import Row

REDO_SIZE, REDO_SIZE_NAME, REDO_CLASS = 288, "redo size", 2
ASKING = "asking_session"
"""Key of `database.parts` under which the session stands that runs a statement: V$MYSTAT is about it alone."""


def address(session: SessionState) -> bytes:
    return session.sid.to_bytes(8, "big")


def slot(session: SessionState) -> Row:
    """A transaction's number in its undo segment, made of the session's."""
    return {"XIDUSN": 1 + session.sid % 10, "XIDSLOT": session.sid % 34, "XIDSQN": session.serial}


def all_locks(storage: Storage) -> Iterator[tuple[SessionState, StoredTable, int, Any]]:
    """(session, table, mode, since) of each TM lock: planted ones, DDL's, and those of open transactions."""
    for lock in storage.locks:
        yield lock.session, lock.table, lock.mode, lock.since
    for transaction in transactions(storage.database):
        for table in storage.tables.values():
            if touched(transaction, table):
                yield transaction.session, table, ROW_EXCLUSIVE, transaction.started_at


def open_transactions(storage: Storage) -> Iterator[tuple[SessionState, Any, int]]:
    """(session, since, rows changed) of each transaction."""
    for lock in storage.locks:
        if lock.is_transaction:
            yield lock.session, lock.since, 1
    for transaction in transactions(storage.database):
        yield transaction.session, transaction.started_at, max(1, len(transaction.locked))


@view("V$LOCKED_OBJECT")
def locked_object(database: OracleDatabase) -> Iterator[Row]:
    for session, table, mode, _ in all_locks(storage_of(database)):
        yield {
            **slot(session),
            "OBJECT_ID": table.object_id,
            "SESSION_ID": session.sid,
            "ORACLE_USERNAME": session.user,
            "OS_USER_NAME": session.client.get("osuser"),
            "PROCESS": "1234",
            "LOCKED_MODE": mode,
            "CON_ID": 0,
        }


@view("V$TRANSACTION")
def transaction_rows(database: OracleDatabase) -> Iterator[Row]:
    for session, since, rows in open_transactions(storage_of(database)):
        start = database.local(since)
        yield {
            "ADDR": address(session)[::-1],
            **slot(session),
            "STATUS": "ACTIVE",
            "START_TIME": start.strftime("%m/%d/%y %H:%M:%S"),
            "START_DATE": start,
            "SES_ADDR": address(session),
            "USED_UBLK": max(1, rows // 40),
            "USED_UREC": rows,
            "START_SCN": repository_of(database).scn.at(since) if has_repository(database) else None,
            "CON_ID": 0,
        }


@view("V$LOCK")
def lock_rows(database: OracleDatabase) -> Iterator[Row]:
    """TM, TX and user locks, and requests of those that wait."""
    storage, now = storage_of(database), database.clock.now()
    wanted = {id(w.table) for w in storage.waiting}
    for session, table, mode, since in all_locks(storage):
        blocks = int(id(table) in wanted and session not in [w.session for w in storage.waiting])
        yield lock_row(session, "TM", table.object_id, mode, 0, (now - since).total_seconds(), blocks)
    for session, since, _ in open_transactions(storage):
        yield lock_row(session, "TX", session.sid << 16, 6, 0, (now - since).total_seconds(), 0)
    for waiting in storage.waiting:
        seconds = (now - waiting.since).total_seconds()
        yield lock_row(waiting.session, "TM", waiting.table.object_id, 0, waiting.mode, seconds, 0)
    for lock in user_locks(database):
        yield lock_row(lock.session, "UL", lock.id, lock.mode, 0, (now - lock.since).total_seconds(), 0)


def lock_row(session: SessionState, kind: str, number: int, mode: int, request: int, seconds: float, blocks: int) -> Row:
    return {
        "ADDR": address(session),
        "KADDR": address(session),
        "SID": session.sid,
        "TYPE": kind,
        "ID1": number,
        "ID2": 0 if kind == "TM" else session.serial,
        "LMODE": mode,
        "REQUEST": request,
        "CTIME": int(seconds),
        "BLOCK": blocks,
        "CON_ID": 0,
    }


@view("V$SESSION_LONGOPS")
def longops(database: OracleDatabase) -> Iterator[Row]:
    """SOFAR equals TOTALWORK once an operation has ended well."""
    for operation in storage_of(database).operations:
        seconds = int(((operation.updated_at or operation.started_at) - operation.started_at).total_seconds())
        left = operation.total - operation.done
        yield {
            "SID": operation.session.sid,
            "SERIAL#": operation.session.serial,
            "OPNAME": operation.name,
            "TARGET": operation.target,
            "SOFAR": operation.done,
            "TOTALWORK": operation.total,
            "UNITS": "Blocks",
            "START_TIME": database.local(operation.started_at),
            "LAST_UPDATE_TIME": database.local(operation.updated_at),
            "TIME_REMAINING": seconds * left // operation.done if operation.done else None,
            "ELAPSED_SECONDS": seconds,
            "MESSAGE": f"{operation.name}: {operation.target} : {operation.done} out of {operation.total} Blocks done",
            "USERNAME": operation.session.user,
            "CON_ID": 0,
        }


@view("V$TEMPSEG_USAGE")
def tempseg_usage(database: OracleDatabase) -> Iterator[Row]:
    """Sorts of index builds at work."""
    storage = storage_of(database)
    for operation in storage.operations:
        if operation.is_running and operation.temp_blocks:
            yield {
                "USERNAME": operation.session.user,
                "USER": operation.session.user,
                "SESSION_ADDR": address(operation.session),
                "SESSION_NUM": operation.session.serial,
                "TABLESPACE": storage.temp.name,
                "CONTENTS": "TEMPORARY",
                "SEGTYPE": "SORT",
                "SEGFILE#": storage.temp.files[0].number,
                "EXTENTS": -(-operation.temp_blocks // 128),
                "BLOCKS": operation.temp_blocks,
                "CON_ID": 0,
            }


@view("V$OBJECT_USAGE")
def object_usage(database: OracleDatabase) -> Iterator[Row]:
    """No index is monitored in the simulator."""
    yield from ()


@view("V$STATNAME")
def statname(database: OracleDatabase) -> Iterator[Row]:
    yield {"STATISTIC#": REDO_SIZE, "NAME": REDO_SIZE_NAME, "CLASS": REDO_CLASS, "DISPLAY_NAME": REDO_SIZE_NAME, "CON_ID": 0}


@view("V$SESSTAT")
def sesstat(database: OracleDatabase) -> Iterator[Row]:
    written = storage_of(database).redo_of
    for sid in database.sessions:
        yield {"SID": sid, "STATISTIC#": REDO_SIZE, "VALUE": written.get(sid, 0), "CON_ID": 0}


@view("V$MYSTAT")
def mystat(database: OracleDatabase) -> Iterator[Row]:
    """Of the session that asks."""
    session = database.parts.get(ASKING)
    if session is not None:
        yield {
            "SID": session.sid,
            "STATISTIC#": REDO_SIZE,
            "VALUE": storage_of(database).redo_of.get(session.sid, 0),
            "CON_ID": 0,
        }


__all__ = ["ASKING", "Lock"]

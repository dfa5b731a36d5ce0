"""Rows of a user table as they were at an SCN, from what the model's undo still holds (Flashback Query).

Every commit has an SCN of its own, above all that anybody was told before it. Sources: Development Guide 19c, "Using
Oracle Flashback Query"; Concepts 19c, "Multiversion Read Consistency"; messages ORA-01466, ORA-01555, ORA-08181.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sandbox.oracle.backend import OracleError
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.repository import has_repository, repository_of
from sandbox.oracle.model.storage import Storage, storage_of
from sandbox.oracle.model.stored import StoredTable
from sandbox.oracle.model.tables import Row, Table

UNDO_RETENTION_S = 900


def keep_undo(storage: Storage, table: Table) -> None:
    """From now on each commit leaves what was there before it."""
    if not table.keeps_undo:
        table.keeps_undo = True
        table.on_commit.append(lambda table, _: stamp(storage.database, table))


def stamp(database: OracleDatabase, table: Table) -> None:
    """Gives the newest commit its SCN, and lets go of what the undo no longer holds."""
    if not has_repository(database):
        table.undo.clear()  # a database without a control file has no SCNs to ask for
        return
    table.undo[-1] = (next_scn(database), table.undo[-1][1])
    horizon = horizon_of(database)
    while table.undo and table.undo[0][0] < horizon:
        table.undo.pop(0)


def next_scn(database: OracleDatabase) -> int:
    """An SCN above the one that V$DATABASE tells at this moment; it tells this one from now on."""
    clock, now = repository_of(database).scn, database.clock.now()
    since, step = clock.jumps[-1] if clock.jumps else (None, 0)
    if since == now:
        clock.jumps[-1] = (now, step + 1)
    else:
        clock.jumps.append((now, 1))
    return clock.at(now)


def horizon_of(database: OracleDatabase) -> int:
    """The oldest SCN that every table can still be read at."""
    undo = storage_of(database).undo
    kept_s = undo.tuned_retention_s if undo else UNDO_RETENTION_S
    return repository_of(database).scn.at(database.clock.now() - timedelta(seconds=kept_s))


def rows_at(database: OracleDatabase, table: Table, scn: int) -> Mapping[str, Row]:
    """The rows at an SCN. Raises OracleError 1466, 1555, 8181."""
    clock = repository_of(database).scn
    if scn > clock.at(database.clock.now()) or scn <= 0:
        raise OracleError(8181, "specified number is not a valid system change number")
    if scn < horizon_of(database):
        raise OracleError(1555, 'snapshot too old: rollback segment number 4 with name "_SYSSMU4$" too small')
    stored = storage_of(database).tables.get((table.owner, table.name))
    if stored is not None and _was_changed(database, stored, scn):
        raise OracleError(1466, "unable to read data - table definition has changed")
    rows = dict(table.rows)
    for at, before in reversed(table.undo):
        if at <= scn:
            break
        for rowid, row in before.items():
            if row is None:
                rows.pop(rowid, None)
            else:
                rows[rowid] = row
    return rows


def _was_changed(database: OracleDatabase, stored: StoredTable, scn: int) -> bool:
    """DDL since then that flashback cannot look behind. What is as old as the table itself does not count."""
    if stored.changed_at is None or stored.changed_at == stored.created_at:
        return False
    return repository_of(database).scn.at(stored.changed_at) > scn

"""What the DDL statements share: names as they are written, who may alter what, and options that the edition lacks."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sandbox.oracle.accounts_control import NAME, OBJECT, plain
from sandbox.oracle.backend import OracleError
from sandbox.oracle.model.database import OracleDatabase, SessionState
from sandbox.oracle.model.storage import Storage, storage_of
from sandbox.oracle.model.stored import Index, IndexPiece, Piece, StoredTable
from sandbox.oracle.sql.dictionary import holds, privileges_of
from sandbox.oracle.sql.errors import missing_privilege, no_such_table

TABLE = rf"ALTER\s+TABLE\s+(?P<table>{OBJECT})\s+"
INDEX = rf"ALTER\s+INDEX\s+(?P<index>{OBJECT})\s+"
PARTITIONING, ONLINE_INDEX, ONLINE_MOVE = "Partitioning", "Online Index Build", "Online Redefinition"


def owner_and_name(session: SessionState, text: str) -> tuple[str, str]:
    parts = [plain(part) for part in re.findall(NAME, text)]
    return (parts[0], parts[1]) if len(parts) == 2 else (session.backend.schema(), parts[0])


def has_grants(database: OracleDatabase, user: str, owner: str, name: str) -> bool:
    """Whether the user has any grant on an object, so that it exists for them."""
    return any(p.endswith((f" {owner}.{name}", " ANY TABLE")) for p in privileges_of(database.accounts[user]))


def may_alter(database: OracleDatabase, user: str, table: StoredTable, privilege: str) -> bool:
    if user == table.owner or holds(database, user, privilege):
        return True
    granted = {f"ALTER {table.owner}.{table.name}", f"ALTER ON {table.owner}.{table.name}"}
    return privilege == "ALTER ANY TABLE" and bool(granted & privileges_of(database.accounts[user]))


def table_named(
    database: OracleDatabase, session: SessionState, text: str, privilege: str = "ALTER ANY TABLE"
) -> tuple[Storage, StoredTable]:
    """ORA-00942 where it is not there or not to be seen, ORA-01031 where only the privilege is missing."""
    storage = storage_of(database)
    with database.lock:
        owner, name = owner_and_name(session, text)
        table = storage.table(owner, name)
        if not may_alter(database, session.user, table, privilege):
            raise missing_privilege() if has_grants(database, session.user, owner, name) else no_such_table()
        return storage, table


def index_named(
    database: OracleDatabase, session: SessionState, text: str, privilege: str = "ALTER ANY INDEX"
) -> tuple[Storage, Index]:
    """ORA-01418 where there is none, ORA-01031 without the privilege."""
    storage = storage_of(database)
    with database.lock:
        index = storage.index(*owner_and_name(session, text))
        if session.user != index.owner and not holds(database, session.user, privilege):
            raise missing_privilege()
        return storage, index


def require(database: OracleDatabase, option: str) -> None:
    """ORA-00439 where V$OPTION says FALSE; options that nobody planted follow the edition (Licensing Manual 19c)."""
    if not database.options.get(option, database.edition != "SE2"):
        raise OracleError(439, f"feature not enabled: {option}")


def require_release(database: OracleDatabase, release: float) -> None:
    """ORA-01735 for a clause that this release does not know."""
    first, second, *_ = (*database.version.split("."), "0")
    if int(first) + int(second) / 10 < release:
        raise OracleError(1735, "invalid ALTER TABLE option")


def pieces_of(database: OracleDatabase, table: StoredTable, partition: str | None) -> list[Piece]:
    """The leaves of a partition, or of the whole table. ORA-00439 without the option, ORA-14501 for a table that is not
    partitioned, ORA-02149 for a partition that is not there."""
    if partition is None:
        return list(table.leaves())
    return list(piece_named(database, table, partition).leaves())


def piece_named(database: OracleDatabase, table: StoredTable, partition: str) -> Piece:
    require(database, PARTITIONING)
    if not table.is_partitioned:
        raise OracleError(14501, "object is not partitioned")
    piece = table.piece(plain(partition))
    if piece is None:
        raise OracleError(2149, "Specified partition does not exist")
    return piece


def index_pieces_of(database: OracleDatabase, index: Index, partition: str | None) -> list[IndexPiece]:
    """One piece of an index by its name, or all of them. ORA-14501 and ORA-02149 as for a table."""
    if partition is None:
        return index.pieces
    require(database, PARTITIONING)
    if not index.is_partitioned:
        raise OracleError(14501, "object is not partitioned")
    name = plain(partition)
    found = [p for p in index.pieces if name in (p.name, p.parent)]
    if not found:
        raise OracleError(2149, "Specified partition does not exist")
    return found


def options(text: str | None, known: Iterable[str]) -> dict[str, str]:
    """The clauses of a statement, each by its first word: `known` are patterns with at most one group. ORA-00922 for what
    is left over."""
    left, found = (text or "").strip(), {}
    while left:
        for pattern in known:
            if match := re.match(rf"{pattern}(?=\s|$)\s*", left, re.IGNORECASE):
                word = match[0].split()[0].upper()
                if word in found:
                    raise OracleError(922, "missing or invalid option")
                found[word] = next((g for g in match.groups() if g), "") or ""
                left = left[match.end() :]
                break
        else:
            raise OracleError(922, "missing or invalid option")
    return found

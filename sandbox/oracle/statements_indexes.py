"""ALTER INDEX, DROP INDEX and the size of a datafile (SQL Language Reference 19c)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.oracle.accounts_control import NAME, OBJECT, plain
from sandbox.oracle.backend import Bind, OracleError, Result
from sandbox.oracle.ddl import INDEX, ONLINE_INDEX, index_named, index_pieces_of, options, require
from sandbox.oracle.model import shrinking
from sandbox.oracle.model.database import OracleDatabase, SessionState
from sandbox.oracle.model.locks import EXCLUSIVE, held, lock_timeout_s
from sandbox.oracle.model.making import due_rows
from sandbox.oracle.model.rebuilding import Rebuild, being_built, journal_of, rebuild
from sandbox.oracle.model.storage import Storage, storage_of
from sandbox.oracle.model.stored import Index
from sandbox.oracle.registry import statement
from sandbox.oracle.sql.dictionary import holds
from sandbox.oracle.sql.errors import missing_privilege

REBUILD_OPTIONS = (
    "ONLINE",
    r"PARALLEL(?:\s+(\d+))?",
    "NOPARALLEL",
    "NOLOGGING",
    "LOGGING",
    rf"TABLESPACE\s+({NAME})",
    "REVERSE",
    "NOREVERSE",
    r"COMPRESS(?:\s+\w+)*",
    "NOCOMPRESS",
)
Match = re.Match[str]
Binds = Sequence[Bind]


@statement(INDEX + rf"REBUILD\s+(?P<sub>SUB)?PARTITION\s+(?P<partition>{NAME})(?P<options>.*)")
def rebuild_partition(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    """ORA-14287 for a partition that has subpartitions: each of those is rebuilt on its own."""
    storage, index = index_named(database, session, match["index"])
    pieces = index_pieces_of(database, index, match["partition"])
    if pieces[0].name != plain(match["partition"]):
        raise OracleError(14287, "cannot REBUILD a partition of a Composite Range partitioned index")
    rebuild(storage, session, index, pieces[0], asked_rebuild(database, storage, match["options"]))
    return Result()


@statement(INDEX + r"REBUILD(?P<options>\s.*)?")
def rebuild_index(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    """ORA-14086 for a partitioned index as a whole."""
    storage, index = index_named(database, session, match["index"])
    asked = asked_rebuild(database, storage, match["options"])
    if index.is_partitioned:
        raise OracleError(14086, "a partitioned index may not be rebuilt as a whole")
    rebuild(storage, session, index, index.pieces[0], asked)
    return Result()


def asked_rebuild(database: OracleDatabase, storage: Storage, text: str | None) -> Rebuild:
    """ONLINE is refused with ORA-00439 where the edition lacks it (Licensing Manual 19c, "Online Index Rebuild")."""
    asked = options(text, REBUILD_OPTIONS)
    if "ONLINE" in asked:
        require(database, ONLINE_INDEX)
    space = storage.space(plain(asked["TABLESPACE"])) if "TABLESPACE" in asked else None
    degree = "1" if "NOPARALLEL" in asked else (asked["PARALLEL"] or "DEFAULT") if "PARALLEL" in asked else None
    logging = True if "LOGGING" in asked else False if "NOLOGGING" in asked else None
    is_reverse = True if "REVERSE" in asked else False if "NOREVERSE" in asked else None
    return Rebuild("ONLINE" in asked, degree, logging, space, is_reverse)


@statement(INDEX + rf"(?:MODIFY\s+(?P<sub>SUB)?PARTITION\s+(?P<partition>{NAME})\s+)?COALESCE(?:\s+CLEANUP)?\s*")
def coalesce(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    """COALESCE CLEANUP also takes orphaned entries of a global index away (12.1)."""
    storage, index = index_named(database, session, match["index"])
    pieces = index_pieces_of(database, index, match["partition"])
    shrinking.coalesce(storage, session, index, pieces)
    if re.search(r"CLEANUP\s*$", match[0], re.IGNORECASE):
        with database.lock:
            for piece in [p for p in pieces if p.has_orphans]:
                piece.has_orphans = False
                piece.segment.delete(max(0, piece.segment.rows - due_rows(index, piece)))
            storage.touch()
    return Result()


@statement(INDEX + rf"(?:MODIFY\s+(?P<sub>SUB)?PARTITION\s+(?P<partition>{NAME})\s+)?SHRINK\s+SPACE(?P<options>(?:\s+\w+)*)\s*")
def shrink(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    asked = options(match["options"], ("COMPACT", "CASCADE"))
    storage, index = index_named(database, session, match["index"])
    pieces = index_pieces_of(database, index, match["partition"])
    shrinking.shrink_index(storage, session, index, pieces, "COMPACT" in asked)
    return Result()


def index_attribute(storage: Storage, session: SessionState, index: Index, **changes: object) -> None:
    database = storage.database
    with held(storage, session, index.table, "", EXCLUSIVE, lock_timeout_s(database, session)), database.lock:
        for name, value in changes.items():
            setattr(index, name, value)
        index.changed_at = database.clock.now()
        storage.touch()


@statement(INDEX + r"(?:PARALLEL(?:\s*\(?\s*(?:DEGREE\s+)?(?P<degree>\d+|DEFAULT)\s*\)?)?|(?P<off>NOPARALLEL))\s*")
def degree(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    """It stays until it is set back."""
    storage, index = index_named(database, session, match["index"])
    index_attribute(storage, session, index, degree="1" if match["off"] else (match["degree"] or "DEFAULT").upper())
    return Result()


@statement(INDEX + r"(?P<what>LOGGING|NOLOGGING|VISIBLE|INVISIBLE)\s*")
def flag(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    storage, index = index_named(database, session, match["index"])
    word = match["what"].upper()
    if word.endswith("VISIBLE"):
        index_attribute(storage, session, index, is_visible=word == "VISIBLE")
        return Result()
    index_attribute(storage, session, index)
    with database.lock:
        for piece in index.pieces:
            piece.is_logging = word == "LOGGING"
        storage.touch()
    return Result()


@statement(INDEX + rf"(?:MODIFY\s+(?P<sub>SUB)?PARTITION\s+(?P<partition>{NAME})\s+)?UNUSABLE(?:\s+(ONLINE|IMMEDIATE))?\s*")
def make_unusable(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    """An unusable piece gives its segment back (from 11.2 on; SQL Reference, ALTER INDEX, UNUSABLE)."""
    storage, index = index_named(database, session, match["index"])
    pieces = index_pieces_of(database, index, match["partition"])
    index_attribute(storage, session, index)
    with database.lock:
        for piece in pieces:
            piece.is_usable = False
            if piece.segment:
                piece.segment.drop()
                piece.segment = None
        storage.touch()
    return Result()


@statement(rf"DROP\s+INDEX\s+(?P<index>{OBJECT})(?:\s+(?P<online>ONLINE|FORCE))*\s*")
def drop_index(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    """ORA-08104 while a journal is left, ORA-02429 for an index that enforces a key."""
    storage, index = index_named(database, session, match["index"], "DROP ANY INDEX")
    if journal := journal_of(storage, index):
        raise being_built(journal.of_id)
    if any(c.index_name == index.name and c.kind in "PU" for c in index.table.constraints):
        raise OracleError(2429, "cannot drop index used for enforcement of unique/primary key")
    index_attribute(storage, session, index)
    with database.lock:
        for piece in index.pieces:
            if piece.segment:
                piece.segment.drop()
        index.table.indexes.remove(index)
        storage.touch()
    return Result()


@statement(r"ALTER\s+DATABASE\s+DATAFILE\s+(?:(?P<number>\d+)|'(?P<name>[^']+)')\s+RESIZE\s+(?P<size>\d+)(?P<unit>[KMGT]?)\s*")
def resize(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    """ORA-03297 where extents lie beyond the wanted size, ORA-01565 for no such file."""
    if not holds(database, session.user, "ALTER DATABASE"):
        raise missing_privilege()
    storage = storage_of(database)
    with database.lock:
        for space in storage.spaces.values():
            for file in space.files:
                if match["name"] == file.name or (match["number"] and int(match["number"]) == file.number):
                    wanted = int(match["size"]) * 1024 ** " KMGT".index(match["unit"].upper() or " ") // space.block_bytes
                    resize_file(file, wanted)
                    storage.touch()
                    return Result()
    raise OracleError(1565, f"error in identifying file '{match['name'] or match['number']}'")


def resize_file(file: object, wanted: int) -> None:
    """The tail that goes must be free."""
    if wanted > file.blocks:
        file.give(file.blocks, wanted - file.blocks)
    elif wanted < file.blocks:
        start, length = file.free[-1] if file.free else (file.blocks, 0)
        if start + length != file.blocks or start > wanted:
            raise OracleError(3297, "file contains used data beyond requested RESIZE value")
        file.free[-1:] = [(start, wanted - start)] if wanted > start else []
    file.resize(wanted)

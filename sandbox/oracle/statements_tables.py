"""ALTER TABLE and TRUNCATE as far as storage goes (SQL Language Reference 19c)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.oracle.accounts_control import NAME, OBJECT, plain
from sandbox.oracle.backend import Bind, Column, OracleError, OraType, Result
from sandbox.oracle.ddl import (
    ONLINE_MOVE,
    PARTITIONING,
    TABLE,
    options,
    owner_and_name,
    piece_named,
    pieces_of,
    require,
    require_release,
    table_named,
)
from sandbox.oracle.model import moving, shrinking
from sandbox.oracle.model.database import OracleDatabase, SessionState
from sandbox.oracle.model.locks import EXCLUSIVE, held, lock_timeout_s
from sandbox.oracle.model.moving import Move
from sandbox.oracle.model.rebuilding import Rebuild, rebuild
from sandbox.oracle.model.storage import Storage, storage_of
from sandbox.oracle.model.stored import StoredTable
from sandbox.oracle.registry import statement
from sandbox.oracle.sql.dictionary import may_use
from sandbox.oracle.sql.errors import no_such_table

PARALLEL = r"PARALLEL(?:\s+(\d+))?"
MOVE_OPTIONS = (
    "ONLINE",
    r"UPDATE\s+(?:GLOBAL\s+)?INDEXES",
    PARALLEL,
    "NOPARALLEL",
    rf"TABLESPACE\s+({NAME})",
    r"(?:ROW\s+STORE\s+)?COMPRESS(?:\s+(?:BASIC|ADVANCED|FOR\s+OLTP))?",
    "NOCOMPRESS",
    "NOLOGGING",
    "LOGGING",
)
Match = re.Match[str]
Binds = Sequence[Bind]


@statement(TABLE + rf"(?:MODIFY\s+(?P<sub>SUB)?PARTITION\s+(?P<partition>{NAME})\s+)?SHRINK\s+SPACE(?P<options>(?:\s+\w+)*)\s*")
def shrink(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    """SHRINK SPACE [COMPACT] [CASCADE] [CHECK]. CHECK changes nothing and answers with an error always: ORA-10655 where the
    segment can be shrunk (MOS 1132163.1, not in the manual)."""
    asked = options(match["options"], ("COMPACT", "CASCADE", "CHECK"))
    storage, table = table_named(database, session, match["table"])
    pieces = pieces_of(database, table, match["partition"])
    if "CHECK" in asked:
        with database.lock:
            raise shrinking.refusal(storage, table, pieces) or OracleError(10655, "Segment can be shrunk")
    shrinking.shrink_table(storage, session, table, pieces, "COMPACT" in asked, "CASCADE" in asked)
    return Result()


LOB = rf"LOB\s*\(\s*(?P<column>{NAME})\s*\)\s*"


@statement(
    TABLE + rf"MODIFY\s+(?:(?P<sub>SUB)?PARTITION\s+(?P<partition>{NAME})\s+)?{LOB}"
    r"\(\s*SHRINK\s+SPACE(?P<options>(?:\s+\w+)*)\s*\)\s*"
)
def shrink_lob(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    """The LOB of the whole table, or of one partition."""
    asked = options(match["options"], ("COMPACT", "CASCADE"))
    storage, table = table_named(database, session, match["table"])
    pieces = pieces_of(database, table, match["partition"])
    shrinking.shrink_lob(storage, session, table, plain(match["column"]), "COMPACT" in asked, pieces)
    return Result()


LOB_STORAGE = re.compile(
    rf"\s*{LOB}STORE\s+AS\s+(?:SECUREFILE\s+|BASICFILE\s+)?\(\s*TABLESPACE\s+(?P<tablespace>{NAME})\s*\)", re.IGNORECASE
)


@statement(TABLE + rf"MOVE\s+(?P<sub>SUB)?PARTITION\s+(?P<partition>{NAME})(?P<options>.*)")
def move_partition(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    """One partition. ONLINE from 12.1 on."""
    storage, table = table_named(database, session, match["table"])
    piece = piece_named(database, table, match["partition"])
    move = asked_move(database, storage, match["options"], 12.1)
    moving.move_piece(storage, session, table, piece, move)
    return Result()


@statement(TABLE + r"MOVE(?P<options>\s.*)?")
def move_table(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    """The whole table. ONLINE from 12.2 on. A partitioned one is ORA-14511, with ONLINE ORA-14808 (public output)."""
    storage, table = table_named(database, session, match["table"])
    move = asked_move(database, storage, match["options"], 12.2)
    if table.is_partitioned and not move.online:
        raise OracleError(14511, "cannot perform operation on a partitioned object")
    if move.update_indexes:
        require_release(database, 12.2)
    if table.is_partitioned:
        raise OracleError(14808, "table does not support ONLINE MOVE TABLE")
    moving.move_piece(storage, session, table, table.pieces[0], move)
    return Result()


def asked_move(database: OracleDatabase, storage: Storage, text: str | None, online_since: float) -> Move:
    """ONLINE is refused with ORA-00439 where the edition lacks it."""
    lob = LOB_STORAGE.search(text or "")
    asked = options(LOB_STORAGE.sub(" ", text or ""), MOVE_OPTIONS)
    if "ONLINE" in asked:
        require_release(database, online_since)
        require(database, ONLINE_MOVE)
    compression = None
    if word := next((w for w in ("COMPRESS", "ROW", "NOCOMPRESS") if w in asked), ""):
        compression = "" if word == "NOCOMPRESS" else "ADVANCED" if re.search("ADVANCED|OLTP", text, re.I) else "BASIC"
    if compression and database.edition == "SE2":
        raise OracleError(439, "feature not enabled: Basic Compression")
    space = storage.space(plain(asked["TABLESPACE"])) if "TABLESPACE" in asked else None
    degree = int(asked["PARALLEL"]) if asked.get("PARALLEL") else None
    lob_space = storage.space(plain(lob["tablespace"])) if lob and lob["tablespace"] else None
    column = plain(lob["column"]) if lob else ""
    return Move("ONLINE" in asked, "UPDATE" in asked, space, degree, compression, column, lob_space)


@statement(TABLE + rf"(?:MODIFY\s+(?:SUB)?PARTITION\s+(?P<partition>{NAME})\s+)?DEALLOCATE\s+UNUSED(?:\s+KEEP\s+\d+[KMG]?)?\s*")
def deallocate(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    storage, table = table_named(database, session, match["table"])
    shrinking.deallocate(storage, session, table, pieces_of(database, table, match["partition"]))
    return Result()


@statement(TABLE + r"(?P<state>ENABLE|DISABLE)\s+ROW\s+MOVEMENT\s*")
def row_movement(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    storage, table = table_named(database, session, match["table"])
    table_attribute(storage, session, table, row_movement=match["state"].upper() == "ENABLE")
    return Result()


def table_attribute(storage: Storage, session: SessionState, table: StoredTable, **changes: object) -> None:
    """A change of the definition: an exclusive lock for a moment; it stays until other DDL changes it."""
    database = storage.database
    with held(storage, session, table, "", EXCLUSIVE, lock_timeout_s(database, session)), database.lock:
        for name, value in changes.items():
            setattr(table, name, value)
        table.changed_at = database.clock.now()
        storage.touch()


@statement(TABLE + r"(?:PARALLEL(?:\s*\(?\s*(?:DEGREE\s+)?(?P<degree>\d+|DEFAULT)\s*\)?)?|(?P<off>NOPARALLEL))\s*")
def table_degree(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    storage, table = table_named(database, session, match["table"])
    table_attribute(storage, session, table, degree="1" if match["off"] else (match["degree"] or "DEFAULT").upper())
    return Result()


@statement(TABLE + r"(?P<what>LOGGING|NOLOGGING|READ\s+ONLY|READ\s+WRITE)\s*")
def table_flag(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    storage, table = table_named(database, session, match["table"])
    table_attribute(storage, session, table)
    word = " ".join(match["what"].upper().split())
    with database.lock:
        for attributes in (table.attributes, *(p.attributes for p in table.leaves())):
            if word.endswith("LOGGING"):
                attributes.is_logging = word == "LOGGING"
            else:
                attributes.is_read_only = word == "READ ONLY"
        storage.touch()
    return Result()


@statement(TABLE + rf"MODIFY\s+PARTITION\s+(?P<partition>{NAME})\s+REBUILD\s+UNUSABLE\s+LOCAL\s+INDEXES\s*")
def rebuild_local(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    """Each unusable local piece of the partition, one after another, offline."""
    storage, table = table_named(database, session, match["table"])
    leaves = pieces_of(database, table, match["partition"])
    for index in [i for i in table.indexes if i.is_local]:
        for piece in [p for p in index.pieces if p.of in leaves and not p.is_usable]:
            rebuild(storage, session, index, piece, Rebuild())
    return Result()


@statement(rf"SELECT COUNT\(\*\) FROM (?P<table>{OBJECT})(?: (?:SUB)?PARTITION ?\( ?(?P<partition>{NAME}) ?\))? WHERE ROWNUM = 1")
def row_probe(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    """Whether there is a row, also in tables whose rows are only counted. ORA-00942 for who may not read the table."""
    storage = storage_of(database)
    table = storage.table(*owner_and_name(session, match["table"]))
    if not may_use(database, session.user, table, "SELECT"):
        raise no_such_table()
    pieces = pieces_of(database, table, match["partition"])
    return Result((Column("COUNT(*)", OraType.NUMBER),), [(min(1, sum(p.rows for p in pieces)),)])


STORAGE = r"(?:\s+(?:DROP|(?P<reuse>REUSE))(?:\s+ALL)?\s+STORAGE)?"
UPDATE = r"(?P<update>\s+UPDATE\s+(?:GLOBAL\s+)?INDEXES)?"


@statement(TABLE + rf"TRUNCATE\s+(?:SUB)?PARTITION\s+(?P<partition>{NAME}){STORAGE}{UPDATE}\s*")
def truncate_partition(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    """DROP ANY TABLE for a table of someone else."""
    storage, table = table_named(database, session, match["table"], "DROP ANY TABLE")
    pieces = pieces_of(database, table, match["partition"])
    moving.truncate(storage, session, table, pieces, bool(match["update"]), bool(match["reuse"]))
    return Result()


@statement(rf"TRUNCATE\s+TABLE\s+(?P<table>{OBJECT}){STORAGE}\s*")
def truncate_table(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    storage, table = table_named(database, session, match["table"], "DROP ANY TABLE")
    moving.truncate(storage, session, table, list(table.leaves()), False, bool(match["reuse"]))
    return Result()


@statement(TABLE + rf"DROP\s+PARTITION\s+(?P<partition>{NAME}){UPDATE}\s*")
def drop_partition(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    require(database, PARTITIONING)
    storage, table = table_named(database, session, match["table"], "DROP ANY TABLE")
    piece = piece_named(database, table, match["partition"])
    moving.drop_partition(storage, session, table, piece, bool(match["update"]))
    return Result()

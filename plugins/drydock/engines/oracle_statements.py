"""Changes as values: a closed list of statements, each rendered from its file with quoted names and known keywords.

No caller gives text that becomes part of a statement: names go through `oracle_names`, numbers are whole and bounded,
everything else is an enumerated keyword. Texts in PL/SQL are binds. The templates are `include/sql/oracle/statements`
and `include/sql/oracle/watchdog`; what they render to was accepted by an Oracle grammar (tests/sql/goldens).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from drydock.engines.oracle_names import qualified, quote_name, text_literal
from drydock.sqlfiles import SqlFile, check_binds, sql_file

HIGHEST_DEGREE = 128
NEVER_MADE = "DRYDOCK$COST"  # name of the index in a statement that is only explained
HIGHEST_SESSION_NUMBER = 2**32 - 1
SPACE_FIGURES = ("unformatted", "fs1", "fs2", "fs3", "fs4", "full")
SEGMENT_TYPES = (
    "TABLE",
    "TABLE PARTITION",
    "TABLE SUBPARTITION",
    "INDEX",
    "INDEX PARTITION",
    "INDEX SUBPARTITION",
    "CLUSTER",
    "LOB",
    "LOB PARTITION",
    "LOB SUBPARTITION",
)
SECUREFILE_FIGURES = ("segment_size", "used", "expired", "unexpired")
UNUSED_FIGURES = (
    *("total_blocks", "total_bytes", "unused_blocks", "unused_bytes"),
    *("last_used_extent_file_id", "last_used_extent_block_id", "last_used_block"),
)

Granularity = Literal["ALL", "AUTO", "GLOBAL", "GLOBAL AND PARTITION", "PARTITION", "SUBPARTITION"]
_PLACE = re.compile(r"\{([a-z_]+)\}")
_SQL_ID = re.compile(r"[0-9a-z]{13}")


class StatementRefused(ValueError):
    """An argument that no statement may carry; the text names it."""


@dataclass(frozen=True)
class Segment:
    """A table or index, or one partition or subpartition of it; names exactly as in the dictionary."""

    owner: str
    name: str
    partition: str = ""
    is_subpartition: bool = False

    @property
    def quoted(self) -> str:
        return qualified(self.owner, self.name)

    @property
    def part(self) -> dict[str, str]:
        """The parts `level` and `partition` of a statement about one partition."""
        return {"level": "SUBPARTITION" if self.is_subpartition else "PARTITION", "partition": quote_name(self.partition)}


@dataclass(frozen=True)
class Statement:
    """One statement with its binds. `outs`: Python types of the binds that the database fills. `only_reads`: it changes
    nothing, so a session that only looks may send it too (`Eyes.ask`)."""

    file: SqlFile
    text: str
    binds: dict[str, Any] = field(default_factory=dict)
    outs: dict[str, type] = field(default_factory=dict)
    only_reads: bool = False


def compose(file: SqlFile, parts: Mapping[str, str] | None = None) -> str:
    """The statement with `{name}` filled in, each once and never looked at again. Raises SqlFileInvalid for wrong parts.

    Only for this package: `parts` must come out of its quoting functions or be a keyword.
    """
    places = set(_PLACE.findall(file.statement))
    check_binds(file, {*(file.binds.keys() - places), *(parts or {})})
    filled = _PLACE.sub(lambda match: (parts or {})[match[1]], file.statement)
    return filled.strip()


def row_movement(table: Segment, *, enabled: bool) -> Statement:
    """Shrinking needs row movement; set it back as it was found."""
    return _statement("row_movement", table=table.quoted, state="ENABLE" if enabled else "DISABLE")


def shrink(table: Segment, *, compact: bool = False, cascade: bool = False) -> Statement:
    """Pack a table or one partition. `compact`: leave the high-water mark; `cascade`: its indexes and LOBs too."""
    options = _words(compact and "COMPACT", cascade and "CASCADE")
    if table.partition:
        return _statement("partition_shrink", table=table.quoted, **table.part, options=options)
    return _statement("table_shrink", table=table.quoted, options=options)


def move(table: Segment, *, online: bool, update_indexes: bool = False, degree: int | None = None) -> Statement:
    """Write a table or one partition anew. `update_indexes`: keep the indexes of a partition usable; a whole table is moved
    online, or its indexes are rebuilt after it. Raises StatementRefused.
    """
    if update_indexes and not table.partition:
        raise StatementRefused("UPDATE INDEXES is for the move of a partition")
    options = _words(online and "ONLINE", update_indexes and "UPDATE INDEXES", _degree(degree))
    if table.partition:
        return _statement("partition_move", table=table.quoted, **table.part, options=options)
    return _statement("table_move", table=table.quoted, options=options)


def shrink_check(table: Segment) -> Statement:
    """Ask whether SHRINK SPACE would run. It changes nothing and always ends with an error: ORA-10655 is the yes."""
    if table.partition:
        return _statement("partition_shrink_check", table=table.quoted, **table.part)
    return _statement("table_shrink_check", table=table.quoted)


def deallocate_unused(table: Segment) -> Statement:
    """Give back what lies above the high-water mark of a table or one partition."""
    if table.partition:
        return _statement("partition_deallocate", table=table.quoted, **table.part)
    return _statement("table_deallocate", table=table.quoted)


def truncate_partition(table: Segment) -> Statement:
    """Take all rows of one partition away, its indexes kept usable. Raises StatementRefused for a whole table."""
    if not table.partition:
        raise StatementRefused("TRUNCATE is for one partition, never for a table")
    return _statement("partition_truncate", table=table.quoted, **table.part)


def shrink_lob(table: Segment, column: str) -> Statement:
    """Pack the segment of a LOB column, of a table or one partition; SecureFiles from 21c on."""
    if table.partition:
        return _statement("lob_partition_shrink", table=table.quoted, **table.part, column=quote_name(column))
    return _statement("lob_shrink", table=table.quoted, column=quote_name(column))


def move_lob(table: Segment, column: str, tablespace: str, *, online: bool, update_indexes: bool = False) -> Statement:
    """Write a LOB column anew, in the same tablespace, and with it the table or partition that it belongs to."""
    parts = {"table": table.quoted, "column": quote_name(column), "tablespace": quote_name(tablespace)}
    if table.partition:
        options = _words(update_indexes and "UPDATE INDEXES", online and "ONLINE")
        return _statement("lob_partition_move", **parts, **table.part, options=options)
    return _statement("lob_move", **parts, online="ONLINE" if online else "")


def rebuild(index: Segment, *, online: bool, degree: int | None = None) -> Statement:
    """Write an index or one partition of it anew."""
    options = _words(online and "ONLINE", _degree(degree))
    if index.partition:
        return _statement("index_partition_rebuild", index=index.quoted, **index.part, options=options)
    return _statement("index_rebuild", index=index.quoted, options=options)


def coalesce(index: Segment) -> Statement:
    """Merge neighbouring leaf blocks of an index or one partition of it."""
    if index.partition:
        return _statement("index_partition_coalesce", index=index.quoted, partition=quote_name(index.partition))
    return _statement("index_coalesce", index=index.quoted)


def shrink_index(index: Segment, *, compact: bool = False) -> Statement:
    """Pack an index. `compact`: leave the high-water mark. Raises StatementRefused for a partition, which has no such clause."""
    if index.partition:
        raise StatementRefused("SHRINK SPACE is for an index as a whole")
    return _statement("index_shrink", index=index.quoted, options=_words(compact and "COMPACT"))


def online_index_clean(object_id: int) -> Statement:
    """Remove what an interrupted online rebuild of this one index left. The OUT value `cleaned` is 0 or 1."""
    if not isinstance(object_id, int) or object_id <= 0:  # 0 would be all indexes
        raise StatementRefused(f"object_id {object_id!r} names no index")
    file = sql_file("oracle", "reindex", "online_index_clean")
    return Statement(file, compose(file), {"object_id": object_id}, {"cleaned": Decimal})


def index_degree(index: Segment, degree: int | Literal["DEFAULT"] | None) -> Statement:
    """Set the degree of an index back; None: NOPARALLEL, DEFAULT: PARALLEL without a number."""
    text = "PARALLEL" if degree == "DEFAULT" else _degree(degree) or "NOPARALLEL"
    return _statement("index_degree", index=index.quoted, degree=text)


def index_logging(index: Segment, *, logging: bool) -> Statement:
    """Set the logging of an index back."""
    return _statement("index_logging", index=index.quoted, logging="LOGGING" if logging else "NOLOGGING")


def gather_table_stats(
    table: Segment, *, granularity: Granularity = "AUTO", degree: int | None = None, cascade: bool = False
) -> Statement:
    """Gather the statistics of a table or one partition; DBMS_STATS takes names in double quotes as they are."""
    _degree(degree)
    return _block(
        "gather_table_stats",
        {"cascade": "TRUE" if cascade else "FALSE"},
        {
            "owner": quote_name(table.owner),
            "name": quote_name(table.name),
            "partition": quote_name(table.partition) if table.partition else None,
            "granularity": granularity,
            "degree": degree,
        },
    )


def space_usage(segment: Segment, segment_type: str) -> Statement:
    """Count blocks by how full they are. The OUT values are <figure>_blocks and <figure>_bytes of SPACE_FIGURES."""
    if segment_type not in SEGMENT_TYPES:
        raise StatementRefused(f"segment type {segment_type[:40]!a}, allowed are {', '.join(SEGMENT_TYPES)}")
    return _asked("space_usage", segment, segment_type, [f"{f}_{unit}" for f in SPACE_FIGURES for unit in ("blocks", "bytes")])


def securefile_usage(segment: Segment, segment_type: str) -> Statement:
    """Blocks of a SecureFiles LOB segment. The OUT values are <figure>_blocks and <figure>_bytes of SECUREFILE_FIGURES."""
    if not segment_type.startswith("LOB") or segment_type not in SEGMENT_TYPES:
        raise StatementRefused(f"segment type {segment_type[:40]!a} is no LOB")
    figures = [f"{figure}_{unit}" for figure in SECUREFILE_FIGURES for unit in ("blocks", "bytes")]
    return _asked("securefile_usage", segment, segment_type, figures)


def unused_space(segment: Segment, segment_type: str) -> Statement:
    """What lies above the high-water mark. The OUT values are UNUSED_FIGURES."""
    if segment_type not in SEGMENT_TYPES:
        raise StatementRefused(f"segment type {segment_type[:40]!a}, allowed are {', '.join(SEGMENT_TYPES)}")
    return _asked("unused_space", segment, segment_type, UNUSED_FIGURES)


def create_index_cost(table: Segment, columns: Sequence[str]) -> Statement:
    """Ask how much space an index over these columns would take, by statistics. The OUT values are used_bytes and alloc_bytes.

    The block puts a statement together from quoted names; DBMS_SPACE explains it and never runs it. Raises StatementRefused
    without a column.
    """
    if not columns:
        raise StatementRefused("an index has a column")
    binds = {"index": qualified(table.owner, NEVER_MADE), "table": table.quoted, "keys": ", ".join(map(quote_name, columns))}
    file = sql_file("oracle", "statements", "create_index_cost")
    return Statement(file, compose(file), binds, dict.fromkeys(("used_bytes", "alloc_bytes"), Decimal), only_reads=True)


def has_row(table: Segment) -> Statement:
    """Does a table or one partition hold a row? The OUT value `found` is 0 or 1."""
    place = f"{table.part['level']} ({table.part['partition']})" if table.partition else ""
    file = sql_file("oracle", "statements", "has_row")
    text = compose(file, {"table": table.quoted, "place": place})
    return Statement(file, text, {}, {"found": Decimal}, only_reads=True)


def cancel_sql(sid: int, serial: int, instance: int | None = None, sql_id: str = "") -> Statement:
    """Cancel what a session runs (18c and later). With `sql_id` only that statement, should the session be past it."""
    if sql_id and not _SQL_ID.fullmatch(sql_id):
        raise StatementRefused(f"SQL_ID {sql_id[:40]!a}; it has 13 characters of 0-9 and a-z")
    parts = [*_session(sid, serial, instance), *([sql_id] if sql_id else [])]
    return _statement("cancel_sql", pipeline="watchdog", session=text_literal(", ".join(parts)))


def kill_session(sid: int, serial: int, instance: int | None = None) -> Statement:
    """End a session."""
    return _statement("kill_session", pipeline="watchdog", session=text_literal(",".join(_session(sid, serial, instance))))


def _session(sid: int, serial: int, instance: int | None) -> list[str]:
    numbers = [_number("sid", sid), _number("serial", serial)]
    return [*numbers, *([f"@{_number('instance', instance)}"] if instance is not None else [])]


def _number(what: str, value: int) -> str:
    if not isinstance(value, int) or not 0 <= value <= HIGHEST_SESSION_NUMBER:
        raise StatementRefused(f"{what} {value!r} is not a whole number that a session can have")
    return str(int(value))


def _degree(degree: int | None) -> str:
    if degree is None:
        return ""
    if not isinstance(degree, int) or not 1 <= degree <= HIGHEST_DEGREE:
        raise StatementRefused(f"degree {degree!r} is not a whole number from 1 to {HIGHEST_DEGREE}")
    return f"PARALLEL {int(degree)}"


def _words(*words: str | Literal[False]) -> str:
    return " ".join(word for word in words if word)


def _asked(name: str, segment: Segment, segment_type: str, figures: Iterable[str]) -> Statement:
    """A block of DBMS_SPACE about one segment."""
    quote_name(segment.owner), quote_name(segment.name)  # binds, yet no name that no object can have
    file = sql_file("oracle", "statements", name)
    binds = {"owner": segment.owner, "name": segment.name, "type": segment_type, "partition": segment.partition or None}
    return Statement(file, compose(file), binds, dict.fromkeys(figures, Decimal), only_reads=True)


def _statement(name: str, *, pipeline: str = "statements", **parts: str) -> Statement:
    file = sql_file("oracle", pipeline, name)
    return Statement(file, compose(file, parts))


def _block(name: str, parts: Mapping[str, str], binds: dict[str, Any]) -> Statement:
    file = sql_file("oracle", "statements", name)
    return Statement(file, compose(file, parts), binds)

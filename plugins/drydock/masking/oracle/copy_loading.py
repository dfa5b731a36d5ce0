"""One part of a chunk from Oracle to Oracle: read at the SCN, masked, loaded by direct path into a piece, taken over at once.

A direct path load commits by itself, so it goes into a piece of its own, which is emptied before it is filled. Then, in one
transaction, its rows are put into their table and the part is written down: a part is in the copy once or not at all.

Sources: python-oracledb 26.1, direct_path_load; OCI Programmer's Guide 19c, Direct Path Load Interface.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import oracledb
import pyarrow as pa

from drydock.changing.hands import ChangeFailed
from drydock.engines.oracle_errors import code_of
from drydock.engines.oracle_statements import Statement
from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.oracle import copy_statements as st
from drydock.masking.oracle.piece_columns import piece_columns, with_zones
from drydock.masking.oracle.rows import masked_batches
from drydock.masking.oracle.streams import PICTURE_GONE, Counted, OracleRows
from drydock.sqlfiles import SqlFile, sql_file

LONGEST_ARRAY = 1000
REFUSED = ("ORA-26019", "ORA-39778")
"""A type of column that direct path does not load."""


@dataclass(frozen=True)
class DirectRows(OracleRows):
    """The copying of one part to Oracle. `into`: owner and table; `piece`: the table that it is loaded into first."""

    piece: str = ""
    file: SqlFile = field(default_factory=lambda: sql_file("oracle", st.FOLDER, "rows_take"))


def copy_to_oracle(
    source: oracledb.Connection, copy: oracledb.Connection, work: DirectRows, key: MaskingKey, deadline_s: float = math.inf
) -> None:
    """Copy one part, whole or not at all. Raises ChangeFailed (picture_gone, timeout), oracledb.Error, Unmaskable."""
    began, counted, (owner, table) = time.monotonic(), Counted(work, deadline_s), work.into
    if _generation(copy, work.run_id) != work.generation:
        raise ChangeFailed(PICTURE_GONE, PICTURE_GONE, retry=False)
    _run(copy, st.empty_table(owner, work.piece))
    batches = masked_batches(source, work.question, work.ranges, work.scn, with_zones(work.works), key)
    columns = piece_columns(work.works)
    for batch in counted.through(batches):
        load_piece(copy, owner, work.piece, batch.rename_columns([c.name for c in columns]))
    part = {name: getattr(work.part, name) for name in ("schema_name", "name", "first_page", "end_page")}
    figures = {"rows_copied": counted.rows, "bytes_copied": counted.bytes, "elapsed_s": round(time.monotonic() - began, 3)}
    try:
        taken = {c.into: c.taken for c in columns if c.into}
        _run(copy, st.take_rows(owner, table, work.piece, tuple(taken), tuple(taken.values())))
        _run(copy, st.written("part_add", run_id=work.run_id, generation=work.generation, **part, **figures))
        copy.commit()
    except BaseException:
        copy.rollback()
        raise
    _run(copy, st.empty_table(owner, work.piece))
    work.done.append(counted.counts())


def load_piece(copy: oracledb.Connection, owner: str, piece: str, batch: pa.Table) -> str:
    """Load a batch; returns how: by direct path, or where it refuses a type, by array insert. Raises oracledb.Error."""
    try:
        copy.direct_path_load(owner, piece, batch.column_names, batch)
    except (oracledb.DatabaseError, TypeError) as e:
        if not _is_refused(e):
            raise
        insert = st.insert_rows(owner, piece, batch.column_names)
        with copy.cursor() as cursor:
            for some in batch.to_batches(max_chunksize=LONGEST_ARRAY):
                cursor.executemany(insert.text, list(zip(*(c.to_pylist() for c in some.columns), strict=True)))
        copy.commit()
        return "array"
    return "direct"


def _is_refused(error: Exception) -> bool:
    """Direct path takes no such type, which is told before a row is sent: by the driver, or by the server."""
    if isinstance(error, (TypeError, oracledb.NotSupportedError, oracledb.ProgrammingError)):
        return True
    return code_of(error) in REFUSED


def _generation(copy: oracledb.Connection, run_id: int) -> int:
    with copy.cursor() as cursor:
        rows = cursor.execute(st.own_question(st.RUNS, ("run_id", "generation"))).fetchall()
    return next((int(generation) for run, generation in rows if int(run) == run_id), 0)


def _run(copy: oracledb.Connection, told: Statement) -> None:
    with copy.cursor() as cursor:
        cursor.execute(told.text, told.binds or None)

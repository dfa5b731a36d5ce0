"""One part of a chunk from Oracle to PostgreSQL, as one statement of the gate: read at the SCN, masked, written by COPY.

Rows and the row that says that the part is there are written in one transaction of the copy, so a part is copied once or not.
What goes wrong is told by its code and class alone: the words of a server may hold values.

Sources: Error Messages 19c (ORA-01466, ORA-01555, ORA-08103, ORA-08181, ORA-22924); Development Guide 19c, Flashback Query.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import oracledb
import pyarrow as pa

from drydock.changing.hands import ChangeFailed
from drydock.engines import oracle_work
from drydock.engines.postgres_statements import Columns, statement
from drydock.engines.postgres_work import Session
from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.kernel.work import ColumnWork, StreamCounts, Unmaskable
from drydock.masking.oracle.chunks import RowidRange
from drydock.masking.oracle.loading import load_postgres
from drydock.masking.oracle.rows import masked_batches
from drydock.masking.postgres.sessions import send
from drydock.plans import Piece
from drydock.sqlfiles import SqlFile, sql_file
from drydock.verdicts import clean_text

PIPELINE = "masking"
PICTURE_GONE, SOURCE_CHANGED = "picture_gone", "source_changed"
GONE = ("ORA-01555", "ORA-08180", "ORA-08181", "ORA-22924")
"""The undo, or of LOBs what their segment keeps, holds the SCN no more: the copy begins anew at another one."""
CHANGED = ("ORA-01466", "ORA-08103", "ORA-01410")
"""Somebody changed a table meanwhile: no other SCN mends that within this plan."""
TOLD_EVERY_S = 15.0


@dataclass(frozen=True)
class OracleRows:
    """The copying of one part. `question`: rows of one range, with the binds scn, low, high. `into`: schema and table."""

    run_id: int
    generation: int
    scn: int
    part: Piece
    question: str = field(repr=False)
    ranges: tuple[RowidRange, ...]
    works: tuple[ColumnWork, ...]
    into: tuple[str, str]
    columns: tuple[str, ...]
    """names of the copy, in the order of `works`"""
    told: Callable[[int], None] = field(default=lambda rows: None, compare=False, repr=False)
    file: SqlFile = field(default_factory=lambda: sql_file("postgresql", PIPELINE, "write_rows"))
    done: list[StreamCounts] = field(default_factory=list, compare=False, repr=False)

    @property
    def shown(self) -> str:
        """What a person reads in the ledger: names, extents and SCN, no condition of a subset."""
        part = f"{self.part.schema_name}.{self.part.name} extents {self.part.first_page} to {self.part.end_page}"
        return str(clean_text(f"{self.file.name}: generation {self.generation}, SCN {self.scn}: {part}"))


class Counted:
    """Counts batches on their way: rows, bytes, and how many values of ruled columns are not NULL; ends them at the deadline."""

    def __init__(self, work: OracleRows, deadline_s: float) -> None:
        self.work, self.rows, self.bytes, self._told_at = work, 0, 0, 0.0
        self._ends = time.monotonic() + deadline_s
        self.masked: Counter[str] = Counter()
        self.nulls: Counter[str] = Counter()
        self._ruled = [n for n, w in enumerate(work.works) if w.rule is not None]

    def through(self, batches: Iterator[pa.Table]) -> Iterator[pa.Table]:
        """The same batches. Raises ChangeFailed past the deadline."""
        for batch in batches:
            if time.monotonic() > self._ends:
                raise ChangeFailed("deadline", "timeout", retry=False)
            for n in self._ruled:
                name, nulls = self.work.works[n].name, batch.column(n).null_count
                self.nulls[name] += nulls
                self.masked[name] += batch.num_rows - nulls
            self.rows += batch.num_rows
            self.bytes += batch.nbytes
            if time.monotonic() - self._told_at > TOLD_EVERY_S:
                self._told_at = time.monotonic()
                self.work.told(self.rows)
            yield batch

    def counts(self) -> StreamCounts:
        told = {"masked": dict(self.masked), "nulls": dict(self.nulls)}
        return StreamCounts(rows=self.rows, bytes_in=self.bytes, bytes_out=self.bytes, **told)  # type: ignore[arg-type]


def copy_to_postgres(
    source: oracledb.Connection, target: Session, work: OracleRows, key: MaskingKey, deadline_s: float = math.inf
) -> None:
    """Copy one part, whole or not at all.

    Raises ChangeFailed (picture_gone, timeout), psycopg.Error, oracledb.Error, Unmaskable.
    """
    began, counted = time.monotonic(), Counted(work, deadline_s)
    run = {"run_id": work.run_id, "generation": work.generation}
    with target.transaction():
        if send(target, statement(PIPELINE, "hold_generation", binds=run)).fetchone() is None:
            raise ChangeFailed(PICTURE_GONE, PICTURE_GONE, retry=False)
        write = statement(PIPELINE, "write_rows", {"table": work.into, "columns": Columns(work.columns)}).composed
        batches = masked_batches(source, work.question, work.ranges, work.scn, work.works, key)
        load_postgres(target, write, work.works, counted.through(batches))
        told = {name: getattr(work.part, name) for name in ("schema_name", "name", "first_page", "end_page")}
        figures = {"rows": counted.rows, "bytes": counted.bytes, "elapsed_s": time.monotonic() - began}
        send(target, statement(PIPELINE, "add_part", binds={**run, **told, **figures}))
    work.done.append(counted.counts())


@contextmanager
def source_told_apart() -> Iterator[None]:
    """Errors of the source as ChangeFailed, an SCN that is gone and a changed table by classes of their own."""
    try:
        with oracle_work.told_apart():
            yield
    except ChangeFailed as e:
        kind = PICTURE_GONE if e.code in GONE else SOURCE_CHANGED if e.code in CHANGED else e.kind
        failed = ChangeFailed(e.code, kind, retry=False)
    except Unmaskable as e:
        failed = ChangeFailed("unmaskable", "statement", retry=False)
        failed.add_note(str(e))
    else:
        return
    raise failed from None


__all__ = ["CHANGED", "GONE", "PICTURE_GONE", "SOURCE_CHANGED", "OracleRows", "copy_to_postgres", "source_told_apart"]

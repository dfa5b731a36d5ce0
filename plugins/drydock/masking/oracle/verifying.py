"""The second net over a copy that came from Oracle: what is searched is the copy on PostgreSQL, what for is read from Oracle.

The source is read at the SCN of the copy, or where the undo no longer holds it, as it is now, and that is told. The suites of
great-expectations are asked of the copy; their bounds are figures of the source (`asked_figures`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import oracledb
import polars as pl
import pyarrow as pa

from drydock.engines.postgres import Endpoint, connect
from drydock.engines.postgres_statements import statement
from drydock.masking.copy_checks.expectations_copy import expect, places_of
from drydock.masking.copy_checks.verifying import PURPOSE, CopyVerification, scope_of
from drydock.masking.copy_checks.verifying_net import net_of
from drydock.masking.copy_checks.verifying_people import measure
from drydock.masking.copy_checks.verifying_spread import spread
from drydock.masking.oracle.asked_figures import OracleFigures, Side
from drydock.masking.oracle.rows import BATCH_ROWS, whole_question
from drydock.masking.oracle.streams import source_told_apart
from drydock.masking.oracle.translating import Translated, copy_name
from drydock.masking.policies.fitness_scope import finding
from drydock.masking.policies.policy import Canary as PlantedCanary
from drydock.masking.policies.schema import Schema, Table, object_name
from drydock.masking.verification import residual, semijoin
from drydock.masking.verification.blocks import Block, clean
from drydock.masking.verification.net import Caught, Net, Searches
from drydock.masking.verification.originals import Originals
from drydock.masking.verification.target import Connection, Progress, read_all
from drydock.verdicts import Finding, Status, Verdict, judge


@dataclass(frozen=True)
class SourceRows:
    """Rows of the source under the names of the copy. `scn` None: as they are now."""

    connection: oracledb.Connection
    whole: Translated
    scn: int | None
    renamed: Callable[[str], str] = copy_name
    """name in the source -> name in the copy"""
    conditions: Mapping[str, str] = field(default_factory=dict, repr=False)
    """table of the source -> which of its rows a subset took, on the alias t"""

    def under(self, renamed: Callable[[str], str]) -> SourceRows:
        """The same rows under other names."""
        return replace(self, renamed=renamed)

    @property
    def asked_figures(self) -> OracleFigures:
        """The source by the keys of tables in the copy's policy."""
        sides = {
            object_name(self.renamed(t.schema_name), self.renamed(t.name)): Side(
                t.schema_name, t.name, {self.renamed(c.name): c for c in t.columns}, self.conditions.get(t.key, "")
            )
            for t in self.whole.source.tables
        }
        return OracleFigures(self.connection, sides, self.scn)

    @cached_property
    def tables(self) -> dict[tuple[str, str], Table]:
        """Schema and name in the copy -> table of the source."""
        return {(self.renamed(t.schema_name), self.renamed(t.name)): t for t in self.whole.source.tables}

    @cached_property
    def places(self) -> dict[str, tuple[Table, str]]:
        """As the net tells places of the copy -> table and column of the source."""
        found = {}
        for (schema, name), table in self.tables.items():
            found |= {f"{schema}.{name}.{self.renamed(c.name)}": (table, c.name) for c in table.columns}
        return found

    def columns(self, table: Table, names: Sequence[str]) -> Iterator[pa.Table]:
        """Batches of some columns. Raises ChangeFailed."""
        types = {name: table.by_name[name].type for name in names}
        question = whole_question(table.schema_name, table.name, names, self.scn, types=types)
        binds = {} if self.scn is None else {"scn": self.scn}
        with source_told_apart():
            for frame in self.connection.fetch_df_batches(question, binds or None, size=BATCH_ROWS, fetch_decimals=True):
                yield pa.table(frame)

    def texts(self, place: str) -> Iterator[bytes]:
        """All values of a place as lines. Raises LookupError for a place that the source has not, ChangeFailed."""
        if place not in self.places:
            raise LookupError(f"the source has no column {place}")
        table, name = self.places[place]
        for batch in self.columns(table, [name]):
            yield b"".join(clean(as_bytes(v)) + b"\n" for v in batch.column(0).to_pylist() if v is not None)

    def frames(
        self, source: object, relation: tuple[str, str], columns: Sequence[str], *, most: int | None = None
    ) -> Iterator[pl.DataFrame]:
        """As `reidentification.table_frames`: columns as texts, of so many rows. Raises ChangeFailed."""
        table, left = self.tables[relation], most
        there = {self.renamed(c.name): c.name for c in table.columns}
        for batch in self.columns(table, [there[name] for name in columns]):
            rows = batch if left is None else batch.slice(0, left)
            texts = {
                n: [None if v is None else as_bytes(v).decode() for v in rows.column(i).to_pylist()]
                for i, n in enumerate(columns)
            }
            yield pl.DataFrame(texts, schema=dict.fromkeys(columns, pl.String))
            left = None if left is None else left - rows.num_rows
            if left == 0:
                return

    def planted(self, subject: PlantedCanary, schema: Schema, source: object) -> Mapping[str, str]:
        """Values of a planted subject, under the names of the copy. Raises ChangeFailed."""
        mine = next(c for c in self.whole.source_policy.canaries if c.id == subject.id)
        table = self.whole.source.by_key.get(mine.table)
        if table is None or not {*mine.columns, *mine.key} <= set(table.by_name):
            return {}
        question = whole_question(table.schema_name, table.name, mine.columns, self.scn, tuple(mine.key))
        binds = {f"k{n}": value for n, value in enumerate(mine.key.values())} | ({} if self.scn is None else {"scn": self.scn})
        with source_told_apart(), self.connection.cursor() as cursor:
            rows = cursor.execute(question, binds, fetch_lobs=False, fetch_decimals=True).fetchall()
        if len(rows) != 1:
            return {}
        return {self.renamed(n): as_bytes(v).decode() for n, v in zip(mine.columns, rows[0], strict=True) if v is not None}


def as_bytes(value: Any) -> bytes:
    """A value as the text that the copy shows for it."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, Decimal):
        return f"{value:f}".encode()
    return str(value).encode("utf-8", "surrogatepass")


def verify_from_oracle(
    rows: SourceRows, copy: Endpoint, staging: Mapping[str, str], parts: Mapping[str, int], now: datetime, folder: Path | None
) -> CopyVerification:
    """Verify the copy in the schemas of `staging` (schema's lasting name -> where it stands now). `parts`: table of the copy ->
    rows that were copied; `folder`: the run's. Raises psycopg.Error, ChangeFailed, LookupError."""
    began, whole = time.monotonic(), rows.whole
    policy, schema = whole.policy, whole.schema
    with closing(connect(copy, purpose=PURPOSE, statement_timeout_s=0)) as delivered:
        net = net_of(policy, schema, delivered, rows.planted)
        scope = scope_of(policy, staging, delivered)
        caught = cast_with(net, rows, lambda progress: read_all(delivered, progress, scope))
        leaks = caught.verdicts[1].status is Status.FAIL
        people, told = measure(policy, schema, delivered, delivered, staging, direct_identifiers_left=leaks, known=rows.frames)
        counted = count_copy(whole, delivered, staging, parts)
        places = places_of(policy, schema, staging, parts, {}, same_moment=rows.scn is not None)
        expected, kept = expect(policy, schema, staging, places, rows.asked_figures, copy, delivered, folder)
        distributions = spread(policy, schema, delivered, delivered, staging, known=rows.frames)
    return CopyVerification(
        database=policy.database,
        target=policy.target,
        verified_at=now,
        snapshot="" if rows.scn is None else str(rows.scn),
        **dict(caught),
        verdicts=(*caught.verdicts, told, counted, kept),
        rows=dict(parts),
        reidentification=people,
        expectations=expected,
        distributions=distributions,
        elapsed_s=time.monotonic() - began,
    )


def cast_with(net: Net, rows: SourceRows, read: Callable[[Progress], Iterator[Block]]) -> Caught:
    """As `verification.net.cast`, with originals from Oracle; `read`: all of the copy. Raises ChangeFailed, psycopg.Error."""
    with semijoin.sides_for(net.originals) as (sides, folder):
        _fill(net, rows, sides)
        progress, searches = Progress(), Searches(net, sides.wanted(), folder)
        for block in read(progress):
            searches.add(block)
        return searches.result(net, sides, progress)


def _fill(net: Net, rows: SourceRows, sides: Originals) -> None:
    """The originals of the source, hashed. What stands inside of free text is found by pattern."""
    for column in net.originals:
        if not column.inside:
            sides.add_texts(column.name, rows.texts(column.name))
    for place in dict.fromkeys(column.inside for column in net.originals if column.inside):
        names = {column.kind: column.name for column in net.originals if column.inside == place}
        for text in rows.texts(place):
            for kind, values in residual.values_inside(Block((place,), text), names):
                sides.add(names[kind], values)


def count_copy(whole: Translated, copy: Connection, staging: Mapping[str, str], parts: Mapping[str, int]) -> Verdict:
    """Rows that stand in the copy against rows that its parts brought; of tables without parts none may be there."""
    found: list[Finding] = []
    for key, table in whole.schema.by_key.items():
        relation = (staging[table.schema_name], table.name)
        there = int(copy.execute(statement("masking", "count_rows", {"table": relation}).composed).fetchall()[0]["rows"])
        if there != parts.get(key, 0):
            found.append(finding("masking_rows_missing", key, there=parts.get(key, 0), copied=there))
    return judge("counted", len(whole.schema.tables), found, rows=sum(parts.values()))

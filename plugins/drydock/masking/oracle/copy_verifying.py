"""The second net over a copy that stands on Oracle: every column of every table of its account, and its definitions.

What is searched and how is that of `masking.verification`; here the copy is read. Statistics hold values of the copy's own rows
and are not read; expectations are asked by questions of our own (`expected_on_copy`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import oracledb
import polars as pl
import pyarrow as pa

from drydock.engines.oracle_work import OracleEyes
from drydock.masking.copy_checks.expectations_copy import places_of
from drydock.masking.copy_checks.verifying import CopyVerification
from drydock.masking.copy_checks.verifying_net import net_of
from drydock.masking.copy_checks.verifying_people import measure
from drydock.masking.copy_checks.verifying_spread import spread
from drydock.masking.oracle.asked_figures import OracleFigures, Side
from drydock.masking.oracle.copy_building import as_made, in_characters
from drydock.masking.oracle.copy_sessions import owner_of
from drydock.masking.oracle.expected_on_copy import CopySide, expect_on_oracle
from drydock.masking.oracle.reading import read_oracle_schema
from drydock.masking.oracle.rows import BATCH_ROWS, whole_question
from drydock.masking.oracle.streams import source_told_apart
from drydock.masking.oracle.verifying import SourceRows, as_bytes, cast_with
from drydock.masking.policies import schema as s
from drydock.masking.policies.fitness_scope import finding
from drydock.masking.verification.blocks import Block, block_of, clean, opened
from drydock.masking.verification.target import Progress
from drydock.verdicts import Finding, Status, Verdict, judge


@dataclass(frozen=True)
class CopyOnOracle:
    """The account of a copy. `told_as`: table -> schema of the source, under which its places are told."""

    connection: oracledb.Connection
    owner: str
    schema: s.Schema
    told_as: Mapping[str, str]

    def blocks(self, progress: Progress) -> Iterator[Block]:
        """Definitions first, then all rows. Raises ChangeFailed."""
        texts = [text for table in self.schema.tables for text in self._texts(table)]
        if texts:
            yield _counted(block_of(texts), progress)
        for table in self.schema.tables:
            columns = [c.name for c in table.columns]
            places = tuple(f"{self._told(table)}.{name}" for name in columns)
            progress.places.update(places)
            for batch in self.batches(table.name, columns):
                yield _counted(Block(places, _rows_text(batch), of_rows=True), progress)

    def batches(self, table: str, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Raises ChangeFailed."""
        types = {c.name: c.type for t in self.schema.tables if t.name == table for c in t.columns}
        question = whole_question(self.owner, table, columns, None, types=types)
        with source_told_apart():
            for frame in self.connection.fetch_df_batches(question, size=BATCH_ROWS, fetch_decimals=True):
                if (batch := pa.table(frame)).num_rows:
                    yield batch

    def frames(
        self, copy: object, relation: tuple[str, str], columns: Sequence[str], *, most: int | None = None
    ) -> Iterator[pl.DataFrame]:
        """As `reidentification.table_frames`. Raises ChangeFailed."""
        left = most
        for batch in self.batches(relation[1], columns):
            rows = batch if left is None else batch.slice(0, left)
            values = (rows.column(n).to_pylist() for n in range(len(columns)))
            texts = {n: [None if v is None else as_bytes(v).decode() for v in of] for n, of in zip(columns, values, strict=True)}
            yield pl.DataFrame(texts, schema=dict.fromkeys(columns, pl.String))
            left = None if left is None else left - rows.num_rows
            if left == 0:
                return

    @property
    def side(self) -> CopySide:
        """Its tables by their keys in the policy, under which figures of them are asked: of the columns that hold values."""
        made = as_made(self.schema)
        tables = {s.object_name(self.told_as[t.name], t.name): t for t in made.tables if t.name in self.told_as}
        sides = {key: Side(self.owner, t.name, t.by_name) for key, t in tables.items()}
        return CopySide(OracleFigures(self.connection, sides), tables)

    @cached_property
    def rows(self) -> dict[str, int]:
        """Table -> rows; none of Drydock's own."""
        found = {}
        for table in self.schema.tables:
            if table.name in self.told_as:
                first = table.columns[0].name
                found[table.name] = sum(batch.num_rows for batch in self.batches(table.name, [first]))
        return found

    def _told(self, table: s.Table) -> str:
        return f"{self.told_as.get(table.name, self.owner)}.{table.name}"

    def _texts(self, table: s.Table) -> Iterator[tuple[str, bytes]]:
        """Every text of a definition, with its place."""
        place = self._told(table)
        yield f"name of {place}", table.name.encode()
        yield f"comment on {place}", table.comment.encode()
        for column in table.columns:
            yield f"name of {place}.{column.name}", column.name.encode()
            yield f"comment on {place}.{column.name}", column.comment.encode()
            yield f"default of {place}.{column.name}", column.default.encode()
        for check in table.checks:
            yield f"constraint {self.told_as.get(table.name, self.owner)}.{check.name}", check.expression.encode()


def _rows_text(batch: pa.Table) -> bytes:
    columns = [[_cell(v) for v in batch.column(n).to_pylist()] for n in range(batch.num_columns)]
    return b"".join(b"\t".join(row) + b"\n" for row in zip(*columns, strict=True))


def _cell(value: Any) -> bytes:
    if value is None:
        return b""
    return clean(opened(value) if isinstance(value, bytes) else as_bytes(value))


def _counted(block: Block, progress: Progress) -> Block:
    progress.places.update(block.places)
    progress.read_bytes += len(block.text)
    progress.cells += len(block.places) * max(block.text.count(b"\n"), 1)
    return block


def verify_on_oracle(
    rows: SourceRows, copy: OracleEyes, parts: Mapping[str, int], now: datetime, folder: Path | None
) -> CopyVerification:
    """Verify the copy in the account of `copy`. `parts`: table of the source -> rows that were copied.

    Raises ChangeFailed, LookupError.
    """
    began, policy, schema, owner = time.monotonic(), rows.whole.source_policy, rows.whole.source, owner_of(copy)
    told_as = {t.name: t.schema_name for key, t in schema.by_key.items() if key in policy.tables}
    there = read_oracle_schema(lambda name, binds: copy.rows("masking", name, binds or None), (owner,))
    delivered = CopyOnOracle(copy.session.connection, owner, there, told_as)
    net = net_of(policy, schema, None, rows.planted)  # type: ignore[arg-type]
    caught = cast_with(net, rows, delivered.blocks)
    leaks = caught.verdicts[1].status is Status.FAIL
    frames = {"known": rows.frames, "copied": delivered.frames}
    people, told = measure(policy, schema, None, None, {}, direct_identifiers_left=leaks, **frames)  # type: ignore[arg-type]
    places = places_of(policy, as_made(in_characters(schema, there.encoding)), {}, parts, {}, same_moment=rows.scn is not None)
    expected, kept = expect_on_oracle(
        policy, in_characters(schema, there.encoding), places, rows.asked_figures, delivered.side, folder
    )
    distributions = spread(policy, schema, None, None, {}, **frames)  # type: ignore[arg-type]
    return CopyVerification(
        database=policy.database,
        target=policy.target,
        verified_at=now,
        snapshot="" if rows.scn is None else str(rows.scn),
        **dict(caught),
        verdicts=(*caught.verdicts, told, _counts(rows, delivered, parts), kept),
        rows=dict(parts),
        reidentification=people,
        expectations=expected,
        distributions=distributions,
        elapsed_s=time.monotonic() - began,
    )


def _counts(rows: SourceRows, copy: CopyOnOracle, parts: Mapping[str, int]) -> Verdict:
    """Rows that stand in the copy against rows that its parts brought."""
    found: list[Finding] = []
    tables = {t.name: key for key, t in rows.whole.source.by_key.items() if key in rows.whole.source_policy.tables}
    for name, key in tables.items():
        there = copy.rows.get(name, -1)
        if there != parts.get(key, 0):
            found.append(finding("masking_rows_missing", key, there=parts.get(key, 0), copied=there))
    return judge("counted", len(tables), found, rows=sum(parts.values()))

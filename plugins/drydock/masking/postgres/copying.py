"""Work on a chunk: every part up to it that the copy has not yet is copied from the living picture, however often that takes.

What is there is told by the copy itself, in the table that the copying transactions write to. Where the picture is another
one than that of the tables, these are emptied first and all of it is missing. So a kill anywhere is gone on from, and after
the last chunk every part of one generation is there once.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from drydock.changing.hands import ChangeFailed, Hands, Row
from drydock.engines.postgres_statements import statement
from drydock.masking.ciphers.keys import MaskingKey, derive
from drydock.masking.kernel.work import ColumnWork, StreamCounts, works_of
from drydock.masking.policies.schema import Schema, Table, object_name
from drydock.masking.policies.subset import Selection, selections
from drydock.masking.postgres.building import empty_staging
from drydock.masking.postgres.chunks import parts_until
from drydock.masking.postgres.definitions import staging_names
from drydock.masking.postgres.scope import scope_of
from drydock.masking.postgres.sessions import PIPELINE, Given, Picture
from drydock.masking.postgres.streams import MaskedCopy, PartWork, StreamJob
from drydock.masking.postgres_schema import read_postgres_schema
from drydock.outcomes import StatementDone
from drydock.plans import Piece
from drydock.policy import MaskingLimits
from drydock.verdicts import Figure

log = logging.getLogger(__name__)

TRIES = 5
COUNTED = ("masked", "nulls", "unknown_shapes")
PAUSE_S = 0.5
LOST = ("unreachable", "shut_down", "starting", "transient")
"""Classes of errors of a server that is gone or coming back, as PostgreSQL's and Oracle's are called."""
ENDED = ("ORA-00028",)
"""Codes of a session that somebody ended: of PostgreSQL it is in the class shut_down."""
PASSING = (*LOST, "resources", "picture_gone", "conflict", "interrupted")
"""Classes of errors after which missing parts are simply copied again: nothing of them is in the copy."""


class AttemptLost(RuntimeError):
    """The server of the copy is gone, or comes back: this attempt ends without an outcome, and the next one goes on."""


@dataclass
class Copying:
    """The copying of all missing parts up to one item."""

    hands: Hands
    given: Given
    dones: list[StatementDone] = field(default_factory=list)
    counts: list[tuple[str, StreamCounts]] = field(default_factory=list)
    """of each part that was copied: its table, and what the stream counted"""
    generations: int = 0
    tries: int = 0

    def until(self, number: int) -> tuple[Piece, ...]:
        """Copy what is missing up to that item; returns all parts. Raises GateClosed, ChangeFailed."""
        parts, gone = parts_until(self.given.facts.plan(), number), ""
        failed: ChangeFailed | None = None
        for _ in range(TRIES):
            missing = self.missing(parts)
            if not missing:
                return parts
            picture = self._picture(gone)
            try:
                if not self._is_of(picture):
                    self._new_generation(picture)
                    missing = parts
                self._copy(missing, picture)
            except ChangeFailed as e:
                if e.kind not in PASSING and e.code not in ENDED:
                    raise
                failed, gone = e, picture.snapshot if e.kind == "picture_gone" else ""
                self.tries += 1
                log.warning("%s: parts are copied again after %s (%s)", self.given.policy.database, e.code, e.kind)
                time.sleep(PAUSE_S)
        raise failed or ChangeFailed("parts_missing", "statement", retry=False)

    def missing(self, parts: Sequence[Piece]) -> tuple[Piece, ...]:
        """The parts that the copy has not, of the picture that its tables are filled from."""
        there = {(row["schema_name"], row["name"], row["first_page"]) for row in self.there()}
        return tuple(part for part in parts if part.place not in there)

    def there(self) -> list[Row]:
        """The parts that the copy has. Raises ChangeFailed."""
        generation = self._now()["generation"]
        return [row for row in self._rows("parts_now") if row["generation"] == generation]

    def generation(self) -> int:
        """The picture that the tables are filled from; 0: none yet."""
        return int(self._now()["generation"])

    def told(self) -> dict[str, Figure]:
        """What the outcome says: sums over all columns, never a value."""
        sums: Counter[str] = Counter()
        for _, counts in self.counts:
            sums.update(rows=counts.rows, bytes_in=counts.bytes_in, bytes_out=counts.bytes_out)
            for name in ("masked", "nulls", "unknown_shapes"):
                sums[name] += sum(getattr(counts, name).values())
        ways = {counts.way for _, counts in self.counts}
        told: dict[str, Figure] = {**sums, **self._by_column(), "tries": self.tries, "new_generations": self.generations}
        why = sorted({counts.why_not_compiled for _, counts in self.counts} - {""})
        said: dict[str, Figure] = {"why_not_compiled": why[0]} if why else {}
        return told | ({"way": ", ".join(sorted(ways)), **said} if ways else {})

    def _by_column(self) -> dict[str, Figure]:
        """Of each ruled column: values that were masked, NULLs that stayed, values of no known shape."""
        sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for table, counts in self.counts:
            for column in counts.masked:
                told = {name: getattr(counts, name).get(column, 0) for name in COUNTED}
                sums[column_figure(table, column)].update(told)
        return {name: " ".join(str(told[one]) for one in COUNTED) for name, told in sums.items()}

    def count(self, part: Piece, done: Sequence[StreamCounts]) -> None:
        """Note what the streams counted of a part."""
        self.counts += [(object_name(part.root_schema, part.root_table), counts) for counts in done]

    def _now(self) -> Row:
        rows = self._rows("run_now")
        return rows[0] if rows else {"generation": 0, "xids": "", "identity": ""}

    def _rows(self, name: str) -> list[Row]:
        return self.hands.rows(PIPELINE, name, {"run_id": self.given.facts.run_id})

    def _is_of(self, picture: Picture) -> bool:
        now = self._now()
        told = (picture.generation, picture.xids, picture.identity)
        return (now["generation"], now["xids"], now["identity"]) == told

    def _picture(self, gone: str) -> Picture:
        """The newest picture that is not known to be gone. Raises ChangeFailed where none comes in time."""
        limits = self.hands.policy
        wait_s = limits.picture_wait_s if isinstance(limits, MaskingLimits) else 0.0
        give_up_at = time.monotonic() + wait_s
        while True:
            picture = self.given.facts.picture()
            if picture is not None and picture.snapshot != gone:
                return picture
            if time.monotonic() > give_up_at:
                raise ChangeFailed("picture_missing", "picture_missing", retry=False)
            time.sleep(PAUSE_S)

    def _new_generation(self, picture: Picture) -> None:
        """Empty all tables and forget all parts, together: then nothing of another picture is in the copy."""
        run = {"run_id": self.given.facts.run_id}
        binds = {**run, "generation": picture.generation, "xids": picture.xids, "identity": picture.identity}
        names = staging_names(self.given.policy.source.schemas, self.given.facts.run_id)
        emptied = (statement(PIPELINE, "forget_parts", binds=run), *empty_staging(self.given.policy, self.schema, names))
        self.dones += self.hands.change(
            statement(PIPELINE, "set_generation", binds=binds),
            *(emptied if self.generation() else ()),  # before the first picture no part can have been copied
            together=True,
            tries=self.hands.policy.lock_tries,
        )
        self.generations += 1
        self.counts.clear()  # of rows that are not there any more

    def _copy(self, parts: Sequence[Piece], picture: Picture) -> None:
        """Send the parts to the streams, as one change of the gate."""
        facts, streams = self.given.facts, self.hands.item.candidate.evidence.get("streams")
        jobs = tuple(
            StreamJob(run_id=facts.run_id, generation=picture.generation, snapshot=picture.snapshot, part=self._work(part))
            for part in parts
        )

        def told(rows: int, ratio: float) -> None:
            self.hands.progress(f"{rows} rows", ratio)

        copy = MaskedCopy(jobs, streams if isinstance(streams, int) else 2, told)
        try:
            self.dones += self.hands.change(copy)
        finally:
            of_place = {part.place[:2]: part for part in parts}
            for job, counts in copy.done:
                self.count(of_place[job.part.schema_name, job.part.name], [counts])

    @cached_property
    def schema(self) -> Schema:
        """Of the source, as it is: the picture has seen that it is the one that was planned."""
        source = self.given.source()
        return read_postgres_schema(lambda name, binds: source.rows(PIPELINE, name, binds), self.given.policy.source.schemas)

    @cached_property
    def _chosen(self) -> dict[str, Selection]:
        return selections(self.given.policy, self.schema, self.given.facts.day, subset_seed(self.given.key))

    def _work(self, part: Piece) -> PartWork:
        key = object_name(part.root_schema, part.root_table)
        table, names = self.schema.by_key[key], staging_names(self.given.policy.source.schemas, self.given.facts.run_id)
        into = (part.root_schema, part.root_table) if self._moves(table) else (part.schema_name, part.name)
        scope = scope_of(self.given.policy, self.schema, names)
        chosen = self._chosen.get(key)
        return PartWork(
            schema_name=part.schema_name,
            name=part.name,
            first_page=part.first_page,
            end_page=part.end_page,
            into=scope.to(into),
            columns=self._columns(key),
            chosen=chosen.where if chosen else "",
        )

    def _moves(self, table: Table) -> bool:
        """Rows may belong to another partition once they are masked: then they are written to the table above."""
        divided = table.partitioning
        if divided is None:
            return False
        ruled = {c.name for c in table.columns if self.given.policy.changes(table.key, c.name)}
        return bool(ruled) and (divided.has_expression or any(ruled & set(columns) for _, columns in divided.divided_by))

    def _columns(self, key: str) -> tuple[ColumnWork, ...]:
        works = works_of(self.given.policy, self.schema.by_key[key])
        oids = {(schema, column): oid for (schema, column), oid in self._elements.items() if schema == key}
        return tuple(w.model_copy(update={"element_oid": oids[key, w.name]}) if (key, w.name) in oids else w for w in works)

    @cached_property
    def _elements(self) -> dict[tuple[str, str], int]:
        """Table and column of arrays of the user's types -> number of the elements' type in the copy."""
        names = staging_names(self.given.policy.source.schemas, self.given.facts.run_id)
        source = self.given.source().rows(PIPELINE, "user_elements", {"schemas": list(names)})
        types = self.hands.rows(
            PIPELINE, "element_types", {"schemas": [*names.values(), *{r["element_schema"] for r in source} - {None}]}
        )
        oids = {(row["schema_name"], row["name"]): row["type_oid"] for row in types}
        found = {}
        for row in source:
            place = (names.get(row["element_schema"], row["element_schema"]), row["element"])
            if place in oids:
                found[object_name(row["schema_name"], row["table_name"]), row["column_name"]] = oids[place]
        return found


def column_figure(table: str, column: str) -> str:
    """The name of the figure of an outcome that holds a column's counts (COUNTED, with blanks between)."""
    return f"column {table}.{column}"


def subset_seed(key: MaskingKey) -> int:
    """What percentages of a subset are drawn by: the same rows as long as the epoch's key is the same."""
    return int.from_bytes(derive(key, "subset", "seed", 8), "big") >> 1

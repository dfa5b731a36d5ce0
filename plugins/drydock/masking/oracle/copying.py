"""Work on a chunk from Oracle: as `postgres.copying`, with an SCN in place of a held snapshot.

Where the undo no longer holds the SCN, the next try takes another one and the copy begins anew. Where a table was changed
meanwhile, nothing mends that: the copy ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from drydock.changing.hands import ChangeFailed
from drydock.engines.oracle_work import OracleEyes
from drydock.masking.kernel.work import ColumnWork, works_of
from drydock.masking.oracle.chunks import Segment, segments_of
from drydock.masking.oracle.picture import PIPELINE
from drydock.masking.oracle.pieces import Extents, extents_by_segment, ranges_of, segment_name
from drydock.masking.oracle.rows import rows_question
from drydock.masking.oracle.sessions import GivenOracle, OracleMaskingEyes, SourcePicture
from drydock.masking.oracle.streams import SOURCE_CHANGED, OracleRows
from drydock.masking.oracle.translating import Translated, copy_name, table_name
from drydock.masking.policies.schema import Schema, Table, object_name
from drydock.masking.policies.subset import Selection, selections
from drydock.masking.postgres.copying import Copying, subset_seed
from drydock.masking.postgres.definitions import staging_names
from drydock.masking.postgres.picture import PictureRefused
from drydock.masking.postgres.sessions import Picture
from drydock.plans import Piece


@dataclass
class OracleCopying(Copying):
    """The copying of all missing parts up to one item; `schema` is that of the copy."""

    _listed: dict[str, tuple[dict[str, Segment], Extents]] = field(default_factory=dict)

    @property
    def of_oracle(self) -> GivenOracle:
        return cast(GivenOracle, self.given)

    @cached_property
    def whole(self) -> Translated:
        return self.of_oracle.translated()

    @cached_property
    def schema(self) -> Schema:  # type: ignore[override]
        return self.whole.schema

    @property
    def eyes(self) -> OracleMaskingEyes:
        return cast(OracleMaskingEyes, cast(OracleEyes, self.given.source()))

    def selected(self, table: Table) -> str:
        """The condition of the subset on a table of the source, alias t; empty: all rows."""
        chosen = self._selections.get(table.key)
        return chosen.where if chosen else ""

    @cached_property
    def _selections(self) -> dict[str, Selection]:
        told = self.of_oracle
        return selections(told.source_policy, self.whole.source, told.facts.day, subset_seed(told.key))

    def _picture(self, gone: str) -> Picture:
        """The newest one; in place of one that is gone, a new SCN is taken here. Raises ChangeFailed."""
        if not gone:
            return super()._picture(gone)
        try:
            return self.of_oracle.take_picture(gone)
        except PictureRefused as e:
            raise ChangeFailed("picture_refused", "picture_missing", retry=False, cause=e) from None

    def _copy(self, parts: Sequence[Piece], picture: Picture) -> None:
        """Each part as a change of its own, so that the gate is asked before each."""
        assert isinstance(picture, SourcePicture)
        self._listed.clear()
        for number, part in enumerate(parts):
            rows = self._rows_of(part, picture, len(parts), number)
            self.dones += self.hands.change(rows)
            self.count(part, rows.done)

    def _rows_of(self, part: Piece, picture: SourcePicture, count: int, number: int) -> OracleRows:
        """The change that copies a part. Raises ChangeFailed."""
        table = self.whole.source.by_key[object_name(part.root_schema, part.root_table)]
        schema, name = table_name(table)
        names = staging_names(self.given.policy.source.schemas, self.given.facts.run_id)
        told = self._rows_into(part, picture, (names[schema], name))
        columns = tuple(copy_name(c) for c in told.pop("columns"))
        return OracleRows(**told, columns=columns, told=lambda rows: self.hands.progress(f"{rows} rows", number / count))

    def _rows_into(self, part: Piece, picture: SourcePicture, into: tuple[str, str]) -> dict[str, Any]:
        """What a copy on any engine is told of a part, by the names of the source."""
        table = self.whole.source.by_key[object_name(part.root_schema, part.root_table)]
        works = self._works(table)
        segments, extents = self._segments(table)
        try:
            ranges = ranges_of(part, segments, extents)
        except LookupError:
            raise ChangeFailed("segment_changed", SOURCE_CHANGED, retry=False) from None
        names = [w.name for w in works]
        return {
            "run_id": self.given.facts.run_id,
            "generation": picture.generation,
            "scn": picture.scn,
            "part": part,
            "question": rows_question(
                *(table.schema_name, table.name, names, self.selected(table)), {w.name: w.type for w in works}, self._zones(works)
            ),
            "ranges": ranges,
            "works": works,
            "into": into,
            "columns": tuple(names),
        }

    def _works(self, table: Table) -> tuple[ColumnWork, ...]:
        return works_of(self.of_oracle.source_policy, table)

    def _zones(self, works: Sequence[ColumnWork]) -> Sequence[str]:
        """Columns whose time zone the copy can hold."""
        return ()

    def _segments(self, table: Table) -> tuple[dict[str, Segment], Extents]:
        """Segments and extents of a table, listed once for an attempt: after the SCN was taken. Raises ChangeFailed."""
        if table.key not in self._listed:
            named = {"owner": table.schema_name, "name": table.name}
            segments = segments_of(self.eyes.rows(PIPELINE, "segments", named))
            extents = extents_by_segment(table, self.eyes.rows(PIPELINE, "extents", named))
            self._listed[table.key] = ({segment_name(table, name or None): s for name, s in segments.items()}, extents)
        return self._listed[table.key]

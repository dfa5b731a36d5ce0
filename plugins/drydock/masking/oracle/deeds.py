"""What the items of a copy from Oracle do beside those of one from PostgreSQL: rows are counted, and the source looked at again.

The pieces of a finishing item have the names of the copy, those of a chunk the names of the source.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from drydock.changing.hands import ChangeFailed
from drydock.masking.oracle.copying import OracleCopying
from drydock.masking.oracle.picture import changed_since
from drydock.masking.oracle.rows import count_question
from drydock.masking.oracle.sessions import SourcePicture
from drydock.masking.oracle.streams import PICTURE_GONE, source_told_apart
from drydock.masking.policies.fitness_scope import finding
from drydock.masking.policies.schema import Table, object_name
from drydock.masking.postgres.chunks import parts_until
from drydock.masking.postgres.deeds import CopyBroken, Deed
from drydock.plans import Piece


@dataclass
class OracleDeed(Deed):
    """One item of a copy whose source is Oracle, while it is worked."""

    @cached_property
    def copying(self) -> OracleCopying:  # type: ignore[override]
        return OracleCopying(self.hands, self.given)

    @cached_property
    def source_tables(self) -> dict[str, Table]:
        """Key of a table in the copy -> the table in the source."""
        whole = self.copying.whole
        return {whole.keys[key]: table for key, table in whole.source.by_key.items()}

    @cached_property
    def copied(self) -> Counter[str]:
        """Key of a table in the source -> rows that its parts brought."""
        roots = {p.place[:2]: object_name(p.root_schema, p.root_table) for p in parts_until(self.plan, len(self.plan.items))}
        rows: Counter[str] = Counter()
        for row in self.copying.there():
            rows[roots[row["schema_name"], row["name"]]] += row["rows"]
        return rows

    def before_finish(self, piece: Piece) -> None:
        """Rows at the SCN against rows that came. An SCN that is gone by now is told, and nothing was compared."""
        table = self.source_tables[object_name(piece.root_schema, piece.root_table)]
        if self.copying.of_oracle.source_policy.tables[table.key].structure_only:
            return
        try:
            there = self._counted(table)
        except ChangeFailed as e:
            if e.kind != PICTURE_GONE:
                raise
            self.told[f"not_counted {table.key}"] = e.code
            return
        copied = self.copied[table.key]
        self.told[f"counted {table.key}"] = there
        if there != copied:
            raise CopyBroken([finding("masking_rows_missing", table.key, there=there, copied=copied)])

    def _counted(self, table: Table) -> int:
        picture = cast(SourcePicture, self.given.facts.picture())
        question = count_question(table.schema_name, table.name, self.copying.selected(table))
        with source_told_apart(), self.copying.eyes.session.connection.cursor() as cursor:
            return int(cursor.execute(question, {"scn": picture.scn}).fetchone()[0])

    def before_links(self) -> None:
        """No table of the source was moved, emptied or altered since the SCN: ranges of ROWID met all its rows."""
        picture = cast(SourcePicture, self.given.facts.picture())
        changed = changed_since(self.copying.eyes, picture)
        if changed:
            raise CopyBroken(finding("masking_source_changed", key, scn=picture.scn) for key in changed)

"""What each item of a copy from Oracle to Oracle does, after all that is missing before it.

The copy stands in the schema of one account under the names of the source. Nobody has a right on it until it is delivered:
then all grants are given in one transaction. What an earlier copy left there goes first, since two cannot have one name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from drydock.engines.oracle_statements import Segment, Statement, gather_table_stats
from drydock.masking.kernel.work import ColumnWork
from drydock.masking.oracle import copy_statements as st
from drydock.masking.oracle.copy_building import OracleBuild, Present, in_characters
from drydock.masking.oracle.copy_loading import DirectRows
from drydock.masking.oracle.copying import OracleCopying
from drydock.masking.oracle.deeds import OracleDeed
from drydock.masking.oracle.numbering import Draw, Ends
from drydock.masking.oracle.piece_columns import zoned
from drydock.masking.oracle.sessions import SourcePicture
from drydock.masking.policies.schema import Table, object_name
from drydock.masking.postgres import deeds
from drydock.masking.postgres.chunks import FINISH
from drydock.masking.postgres.sessions import Picture
from drydock.outcomes import Outcome, StopReason
from drydock.plans import Piece
from drydock.verdicts import Status

PIPELINE = st.PIPELINE


@dataclass
class DirectCopying(OracleCopying):
    """The copying of all missing parts up to one item, into an account on Oracle."""

    @cached_property
    def build(self) -> OracleBuild:
        """Raises ChangeFailed."""
        told, encoding = self.of_oracle, self.hands.rows(PIPELINE, "server")[0]["character_set"]
        return OracleBuild(told.owner, told.source_policy, in_characters(self.whole.source, encoding or ""))

    def _new_generation(self, picture: Picture) -> None:
        """No transaction holds these together: the picture is written down last, so that a kill between begins anew."""
        emptied = (st.written("parts_forget"), *self.build.empty()) if self.generation() else ()
        binds = {"generation": picture.generation, "xids": picture.xids, "identity": picture.identity}
        told = st.written("generation_set", run_id=self.given.facts.run_id, **binds)
        self.dones += self.hands.change(*emptied, told)
        self.generations += 1

    def _zones(self, works: Sequence[ColumnWork]) -> Sequence[str]:
        return zoned(works)

    def _rows_of(self, part: Piece, picture: SourcePicture, count: int, number: int) -> DirectRows:
        table = self.whole.source.by_key[object_name(part.root_schema, part.root_table)]
        plain = self._rows_into(part, picture, (self.build.owner, table.name))
        return DirectRows(
            **plain, piece=self.build.piece_of(table), told=lambda rows: self.hands.progress(f"{rows} rows", number / count)
        )


@dataclass
class OracleCopyDeed(OracleDeed):
    """One item of a copy on Oracle, while it is worked."""

    @cached_property
    def copying(self) -> DirectCopying:  # type: ignore[override]
        return DirectCopying(self.hands, self.given)

    @cached_property
    def source_tables(self) -> dict[str, Table]:
        return dict(self.copying.whole.source.by_key)

    @property
    def build(self) -> OracleBuild:
        return self.copying.build

    def worked(self, action: str) -> Outcome:
        return DEEDS[action](self) if action in DEEDS else super().worked(action)

    def there(self) -> Present:
        """What the account has by now. Raises ChangeFailed."""
        binds = {"owner": self.build.owner}
        names = {
            what: frozenset(row["name"] for row in self.hands.rows(PIPELINE, what, binds))
            for what in ("tables", "indexes", "constraints", "sequences")
        }
        return Present(**names)

    def ends(self, draw: Draw) -> Ends:
        """The least and the greatest number of a column in the copy. Raises ChangeFailed."""
        (row,) = self.hands.rows(PIPELINE, "ends", {"table": draw.table.name, "column": draw.column.name})
        return Ends(row["least"], row["most"])

    def send(self, statements: Iterable[Statement]) -> None:
        self.change(statements)  # type: ignore[arg-type]


def make_tables(deed: OracleCopyDeed) -> Outcome:
    """Machinery, then empty tables. What an earlier run left is dropped first, its grants with it."""
    run_id, build = deed.given.facts.run_id, deed.build
    deed.send(build.machinery(deed.there()))
    left = 0
    if not deed.hands.rows(PIPELINE, "run_now", {"run_id": run_id}):
        dropped = tuple(build.drop_all(deed.there()))
        left = len(dropped)
        deed.send((*dropped, st.written("parts_forget"), st.written("runs_forget"), st.written("run_add", run_id=run_id)))
    deed.send(build.create(deed.there()))
    deed.told |= {"tables": len(build.tables), "left_overs_dropped": left}
    return deed.ended()


def copy_chunk(deed: OracleCopyDeed) -> Outcome:
    """The chunk, and every earlier one that is missing."""
    _ready(deed)
    return deeds.chunk_copied(deed)


def _ready(deed: OracleCopyDeed) -> None:
    if not deed.is_done("mask_tables"):
        make_tables(deed)


def _complete(deed: OracleCopyDeed) -> None:
    _ready(deed)
    deed.copying.until(len(deed.plan.items))


def finish(deed: OracleCopyDeed) -> Outcome:
    """Keys, checks, indexes, comments and statistics of the item's tables, once all rows are there."""
    _complete(deed)
    _finish(deed, deed.hands.item.candidate.pieces)
    return deed.ended()


def _finish(deed: OracleCopyDeed, pieces: Sequence[Piece]) -> None:
    present = deed.there()
    for piece in pieces:
        deed.before_finish(piece)
        table = deed.source_tables[object_name(piece.root_schema, piece.root_table)]
        deed.send(deed.build.finish(table, present))
        deed.send((gather_table_stats(Segment(deed.build.owner, table.name), cascade=True),))


def link(deed: OracleCopyDeed) -> Outcome:
    """Foreign keys and sequences, once every table is finished; pieces go."""
    _complete(deed)
    if not deed.is_done(FINISH):
        _finish(deed, [p for i in deed.plan.items if i.candidate.action == FINISH for p in i.candidate.pieces])
    deed.before_links()
    deed.send(deed.build.link(deed.there(), deed.ends))
    deed.send(deed.build.clear_pieces(deed.there()))
    return deed.ended()


def hand_over(deed: OracleCopyDeed) -> Outcome:
    """All grants in one transaction; only of what the second net has seen in this generation and found nothing red in."""
    if not deed.is_done("mask_links"):
        return deed.ended(Status.SKIPPED, "copy_not_complete", StopReason.INTERLOCK)
    generation = deed.copying.generation()
    if why := deed.given.facts.why_undelivered(generation):
        return deed.ended(Status.SKIPPED, why, StopReason.INTERLOCK)
    readers = deed.given.policy.chosen_target().readers
    names = [table.name for table in deed.build.tables]
    deed.send((st.deliver(deed.build.owner, names, readers),) if readers else ())
    deed.told |= {"generation": generation, "tables": len(names), "readers": len(readers)}
    return deed.ended()


def clear_away(deed: OracleCopyDeed) -> Outcome:
    """Pieces go. A copy that was not delivered stays, seen by nobody else, until the next run."""
    is_delivered = deed.is_done("mask_deliver")
    gone = tuple(deed.build.clear_pieces(deed.there()))
    deed.send(gone)
    deed.told |= {"dropped": len(gone), "left": 0, "quarantined": not is_delivered}
    return deed.ended()


DEEDS = {
    "mask_tables": make_tables,
    "mask_chunk": copy_chunk,
    "mask_finish": finish,
    "mask_links": link,
    "mask_deliver": hand_over,
    "mask_destroy": clear_away,
}

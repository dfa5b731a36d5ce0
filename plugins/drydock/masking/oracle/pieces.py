"""Chunks of an Oracle source for the plan: extents of its segments, counted from 0 in the order of their numbers.

ROWIDs are made of them only after the SCN was taken (`chunks`). An extent that is added meanwhile comes last, and the last
piece of a segment is open; what frees or rewrites extents shows in the stamps of the picture. A segment is named here by the
object name of its table, with that of its partition.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from drydock.masking.oracle.chunks import RowidRange, Segment, range_of
from drydock.masking.policies.schema import Table, object_name
from drydock.masking.postgres.chunks import TO_THE_END, chunk_of, packed
from drydock.plans import Candidate, Piece

Extents = Mapping[str, Sequence[Mapping[str, Any]]]
"""Name of a segment -> rows of `extents.sql`, in their order."""
ONE_STREAM = 1


def segment_name(table: Table, partition: str | None) -> str:
    return object_name(table.name, partition) if partition else object_name(table.name)


def extents_by_segment(table: Table, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Rows of `extents.sql` of one table. A table without segments has one name and no extents: rows may come yet."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        found[segment_name(table, row["partition"])].append(row)
    return dict(found) or {segment_name(table, None): []}


def chunk_candidates(tables: Sequence[tuple[Table, Extents]], chunk_bytes: int, most: int) -> tuple[Candidate, ...]:
    """The chunks of all tables; where they would be more than `most`, each is made larger."""
    pieces = [
        cut for table, extents in tables for name in sorted(extents) for cut in _cuts(table, name, extents[name], chunk_bytes)
    ]
    chunks = list(packed(pieces, chunk_bytes))
    if len(chunks) > most:
        return chunk_candidates(tables, chunk_bytes * 2, most)
    partitions = {
        (t.schema_name, name): rows[0]["partition"] or "" for t, extents in tables for name, rows in extents.items() if rows
    }
    return tuple(_named(chunk_of(chunk, "", ONE_STREAM), partitions) for chunk in chunks)


def _named(chunk: Candidate, partitions: Mapping[tuple[str, str], str]) -> Candidate:
    """The chunk under the names of its first piece: schema, table, and partition where there is one."""
    first = chunk.pieces[0]
    identity = f"{first.schema_name}.{first.name}"
    partition = partitions.get((first.schema_name, first.name), "")
    return chunk.model_copy(update={"object": chunk.object.model_copy(update={"partition": partition, "identity": identity})})


def _cuts(table: Table, name: str, extents: Sequence[Mapping[str, Any]], chunk_bytes: int) -> Iterator[tuple[Piece, int]]:
    """Neighbouring extents up to the size of a chunk; one extent is never cut."""
    first, size = 0, 0
    for at, row in enumerate(extents):
        if size and size + int(row["bytes"]) > chunk_bytes:
            yield _piece(table, name, first, at), size
            first, size = at, 0
        size += int(row["bytes"])
    last = _piece(table, name, first, len(extents))
    yield last.model_copy(update={"end_page": TO_THE_END}), size


def _piece(table: Table, name: str, first: int, end: int) -> Piece:
    root = {"root_schema": table.schema_name, "root_table": table.name}
    place = {"schema_name": table.schema_name, "name": name}
    return Piece(**root, **place, first_page=first, end_page=end, pages=end - first)


def ranges_of(piece: Piece, segments: Mapping[str, Segment], extents: Extents) -> tuple[RowidRange, ...]:
    """The ROWIDs of a piece, by segments and extents as they are after the SCN. Raises LookupError for a segment without
    a number: the table was changed meanwhile."""
    end = None if piece.end_page == TO_THE_END else piece.end_page
    rows = extents.get(piece.name, ())[piece.first_page : end]
    if rows and piece.name not in segments:
        raise LookupError("a segment came or changed meanwhile")
    return tuple(range_of(segments[piece.name], row) for row in rows)

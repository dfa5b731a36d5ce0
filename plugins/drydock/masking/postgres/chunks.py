"""Chunks: pages of the relations of a source, cut and packed by bytes for the plan, and their parts for the streams.

A large relation is cut into ranges of pages, small ones are packed together into one chunk. The last range of a relation is
open: rows that came after the survey and before the picture are in it. A plan's chunks can be worked from the plan alone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from drydock.masking.policies.schema import Table
from drydock.plans import Candidate, LockKind, ObjectKind, ObjectRef, Piece, Plan
from drydock.verdicts import Figure, Model

CHUNK, FINISH = "mask_chunk", "mask_finish"
REASON = "masking_rows_to_copy"
TO_THE_END = -1
LOG_PER_BYTE = 1.3  # rows of a heap with their headers; full pages after a checkpoint are not written for new ones


class Leaf(Model):
    """One relation that holds rows of a table: the table itself, or a partition at the lowest level."""

    root_schema: str
    root_table: str
    schema_name: str
    name: str
    identity: str
    pages: int
    total_bytes: int
    index_bytes: int
    estimated_rows: int


def chunks_of(leaves: Sequence[Leaf], chunk_bytes: int, streams: int, most: int) -> tuple[Candidate, ...]:
    """The chunks of all relations; where they would be more than `most`, each is made larger.

    Every relation is in one, also an empty one: it may have rows when the picture is taken.
    """
    pieces = [cut for leaf in leaves for cut in _cuts(leaf, chunk_bytes)]
    chunks = list(packed(pieces, chunk_bytes))
    if len(chunks) > most:
        return chunks_of(leaves, chunk_bytes * 2, streams, most)
    identities = {(leaf.schema_name, leaf.name): leaf.identity for leaf in leaves}
    return tuple(chunk_of(chunk, identities[chunk[0][0].schema_name, chunk[0][0].name], streams) for chunk in chunks)


def _cuts(leaf: Leaf, chunk_bytes: int) -> Iterator[tuple[Piece, int]]:
    """Ranges of a relation with their bytes."""
    count = max(1, min(math.ceil(leaf.total_bytes / chunk_bytes), leaf.pages))
    ends = [leaf.pages * n // count for n in range(count + 1)]
    names = {name: getattr(leaf, name) for name in ("root_schema", "root_table", "schema_name", "name")}
    for n, (first, end) in enumerate(pairwise(ends), start=1):
        piece = Piece(**names, first_page=first, end_page=TO_THE_END if n == count else end, pages=end - first)
        yield piece, leaf.total_bytes * (end - first) // max(1, leaf.pages)


def packed(pieces: Sequence[tuple[Piece, int]], chunk_bytes: int) -> Iterator[list[tuple[Piece, int]]]:
    """Neighbours together, as long as they are no more than one chunk."""
    chunk: list[tuple[Piece, int]] = []
    for piece, size in pieces:
        if chunk and sum(s for _, s in chunk) + size > chunk_bytes:
            yield chunk
            chunk = []
        chunk.append((piece, size))
    if chunk:
        yield chunk


def chunk_of(pieces: Sequence[tuple[Piece, int]], identity: str, streams: int) -> Candidate:
    """The item that copies these pieces; each has its bytes beside it."""
    size = sum(s for _, s in pieces)
    figures: dict[str, Figure] = {"streams": streams, "relations": len({p.place[:2] for p, _ in pieces})}
    return Candidate(
        object=_ref(pieces[0][0], identity),
        action=CHUNK,
        reason=REASON,
        evidence={**figures, "pages": sum(p.pages for p, _ in pieces)},
        size_bytes=size,
        work_bytes=size,
        freed_bytes=0,
        log_bytes=round(size * LOG_PER_BYTE),
        lock=LockKind.NONE,
        pieces=tuple(p for p, _ in pieces),
    )


def _ref(piece: Piece, identity: str) -> ObjectRef:
    is_root = (piece.root_schema, piece.root_table) == (piece.schema_name, piece.name)
    elsewhere = "" if piece.schema_name == piece.root_schema else f" {piece.schema_name}"
    return ObjectRef(
        kind=ObjectKind.CHUNK,
        owner=piece.root_schema,
        name=piece.root_table,
        partition="" if is_root else piece.name,
        column=f"{piece.first_page}-{'' if piece.end_page < 0 else piece.end_page}{elsewhere}",
        identity=identity,
    )


def finishes_of(tables: Sequence[Table], leaves: Sequence[Leaf], chunk_bytes: int, most: int) -> tuple[Candidate, ...]:
    """The finishing of all tables, small ones together."""
    sizes: Counter[tuple[str, str]] = Counter()
    for leaf in leaves:
        sizes[leaf.root_schema, leaf.root_table] += leaf.total_bytes + leaf.index_bytes
    pieces = [(_whole(table), sizes[table.schema_name, table.name]) for table in tables]
    groups = list(packed(pieces, chunk_bytes))
    if len(groups) > most:
        return finishes_of(tables, leaves, chunk_bytes * 2, most)
    return tuple(_finish(group) for group in groups)


def _whole(table: Table) -> Piece:
    names = {"root_schema": table.schema_name, "root_table": table.name}
    return Piece(**names, schema_name=table.schema_name, name=table.name)


def _finish(pieces: Sequence[tuple[Piece, int]]) -> Candidate:
    size, first = sum(s for _, s in pieces), pieces[0][0]
    return Candidate(
        object=ObjectRef(kind=ObjectKind.TABLE, owner=first.root_schema, name=first.root_table),
        action=FINISH,
        reason=REASON,
        evidence={"tables": len(pieces)},
        size_bytes=size,
        work_bytes=size,
        freed_bytes=0,
        lock=LockKind.NONE,
        pieces=tuple(p for p, _ in pieces),
    )


def parts_of(candidate: Candidate) -> Iterator[Piece]:
    """The parts of a chunk: its pieces, or where it has a single one, as many ranges of that as there are streams."""
    if len(candidate.pieces) != 1:
        yield from candidate.pieces
        return
    piece, streams = candidate.pieces[0], candidate.evidence["streams"]
    count = max(1, min(streams if isinstance(streams, int) else 1, piece.pages))
    cuts = [piece.first_page + piece.pages * n // count for n in range(count)]
    for first, end in zip(cuts, [*cuts[1:], piece.end_page], strict=True):
        yield piece.model_copy(update={"first_page": first, "end_page": end, "pages": max(0, end - first)})


def parts_until(plan: Plan, number: int) -> tuple[Piece, ...]:
    """The parts of every chunk of the plan up to that item."""
    chunks = (i.candidate for i in plan.items if i.candidate.action == CHUNK and i.number <= number)
    return tuple(part for chunk in chunks for part in parts_of(chunk))

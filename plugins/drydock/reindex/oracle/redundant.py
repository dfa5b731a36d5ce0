"""Indexes that a person should ask about: never used, or the same as another. Lines of the report, never work, never a drop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import replace

from drydock.plans import LeftAlone
from drydock.reindex.oracle.decide import left
from drydock.reindex.oracle.facts import IndexPiece

Key = tuple[str, str]
Columns = tuple[str, ...]


def unused_notes(pieces: Iterable[IndexPiece]) -> Iterator[LeftAlone]:
    """Indexes that no query used as far as is tracked, each once."""
    unused = {(p.owner, p.name): p for p in pieces if p.is_never_used}
    for piece in unused.values():
        yield left(_whole(piece), "unused")


def redundant_notes(keys: Mapping[Key, Columns], pieces: Iterable[IndexPiece], plain: Set[Key]) -> Iterator[LeftAlone]:
    """Indexes with the columns of another one, or with its first columns. `plain`: B-trees.

    Of two that are the same the one with the later name is told. A unique index keeps a rule, so it is never told.
    """
    named = {(p.owner, p.name): p for p in pieces if not p.is_unique and p.type == "NORMAL"}
    for index, piece in named.items():
        columns = keys.get(index, ())
        others = sorted(k for k in keys if k != index and k in plain and columns)
        same = [k for k in others if keys[k] == columns]
        longer = [k for k in others if len(keys[k]) > len(columns) and keys[k][: len(columns)] == columns]
        if any(k not in named or k < index for k in same):
            yield left(_whole(piece), "duplicate", same_as=".".join(same[0]))
        elif longer:
            yield left(_whole(piece), "prefix_duplicate", longer=longer[0][1])


def _whole(piece: IndexPiece) -> IndexPiece:
    return replace(piece, partition="", is_subpartition=False)

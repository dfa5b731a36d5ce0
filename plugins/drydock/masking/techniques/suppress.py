"""Values taken away: null, a constant, or a small valid document in place of a large object.

Nothing of the value is left, so no key is needed and nothing can be undone. Null stays null, so that which rows have no value
is still seen; `null` hides that too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from drydock.masking.techniques.columns import Column, like, values_of
from drydock.masking.techniques.stand_ins import NOTE, sort_of, stand_in
from drydock.verdicts import Model


class Replaced(Model):
    """`sorts`: what the objects were, by their first bytes; `longer`: objects under the size of the smallest valid document."""

    column: Any
    sorts: Mapping[str, int]
    longer: int


def null(column: Column) -> Any:
    """Null for every value."""
    return like(column, [None] * len(column))


def constant(column: Column, value: Any) -> Any:
    """One value for all; null stays null."""
    return like(column, [None if v is None else value for v in values_of(column)])


def replace_objects(column: Column, keep_size: bool = False) -> Replaced:
    """Large objects (bytes, or text) replaced by valid ones of the same type that hold nothing; empty ones stay empty.

    With `keep_size` each has as many bytes (characters of a text) as before, where a valid document can be that small. Raises
    TypeError for values that are neither bytes nor text.
    """
    sorts: Counter[str] = Counter()
    longer, out = 0, []
    for value in values_of(column):
        new = _replaced(value, keep_size, sorts)
        longer += bool(keep_size and value is not None and len(new) > len(value))
        out.append(new)
    return Replaced(column=like(column, out), sorts=dict(sorts), longer=longer)


def _replaced(value: Any, keep_size: bool, sorts: Counter[str]) -> Any:
    if value is None or (isinstance(value, str | bytes | bytearray | memoryview) and not len(value)):
        return value
    if isinstance(value, str):
        sorts["text"] += 1
        return NOTE.ljust(len(value))[: len(value)] if keep_size else NOTE
    if not isinstance(value, bytes | bytearray | memoryview):
        raise TypeError(f"a {type(value).__name__} is no large object")
    raw = bytes(value)
    sorts[sort_of(raw)] += 1
    return stand_in(raw, keep_size)

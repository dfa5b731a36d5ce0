"""What the source is asked of a table, and the copy after it, as values that each engine writes in its own SQL."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

What = Literal[
    "rows",
    "present",
    "filled",
    "distinct",
    "total",
    "total_distance",
    "mean_moment",
    "letters",
    "at_least",
    "matching",
    "wrong",
    "present_share",
    "matching_share",
    "repeated",
    "odd_columns",
    "odd_types",
]


class Aggregate(NamedTuple):
    """One figure of a table.

    rows; present: not NULL; filled: neither NULL nor an empty large object; distinct; total; total_distance: of the distances
    from zero; mean_moment: in seconds since 1970; letters: a number made of all
    texts, whatever their order; at_least, matching, wrong: values from `told` on, of the form `told`, with a wrong check digit of
    the kind `told`; present_share of all rows, matching_share of those present; repeated: combinations of
    the columns `told` that stand there twice; odd_columns, odd_types: columns that are missing or too many, of another type.
    """

    what: What
    column: str = ""
    told: Any = None


class Link(NamedTuple):
    """Columns that refer to a table of the policy."""

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    as_text: bool = False
    """types that do not compare, a number with a text: compared as they are written"""


class _Unasked:
    def __repr__(self) -> str:
        return "UNASKED"


UNASKED: Any = _Unasked()
"""In place of a figure that an engine has no way to ask for: the distinct values of a large object."""

"""Tables from a short specification: one line per column instead of one object."""

from __future__ import annotations

from collections.abc import Iterable

from drydock.reporting.document import Cell, Column, Kind, Table
from drydock.reporting.words import word

Spec = tuple[tuple[str, Kind, float], ...]
"""Columns: key of the title's word, kind, width (relative on paper, characters in the data annex)."""

TEXT, STATUS, COUNT, BYTES = Kind.TEXT, Kind.STATUS, Kind.COUNT, Kind.BYTES
SECONDS, SHARE, MOMENT, DAY = Kind.SECONDS, Kind.SHARE, Kind.MOMENT, Kind.DAY


def make_table(
    caption: str, spec: Spec, rows: Iterable[tuple[Cell, ...]], period: str, language: str, folded: bool = False
) -> Table:
    """A table whose column titles are fixed words. Raises KeyError for an unknown word, ValidationError for ragged rows."""
    columns = tuple(Column(title=word(key, language), kind=kind, width=width) for key, kind, width in spec)
    return Table(columns=columns, rows=tuple(rows), caption=caption, period=period, folded=folded)

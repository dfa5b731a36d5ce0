"""The columns of a piece: what direct path load fills for one table, and how its table takes each value over.

Their names are our own (C0, C1, ...), so that no name of the source has to pass the load's own way of naming. Where a type is
none that data frames carry exactly, the piece holds what the rows were read as (`rows.rows_question`) and the INSERT converts it:
a moment with a zone as its moment in UTC, and beside it, where the column keeps its values, the zone (Z0, ...); an interval as a
number of seconds or months; XML and JSON as text.

Sources: SQL Language Reference 19c, FROM_TZ, Datetime Expressions (AT TIME ZONE), CAST, NUMTODSINTERVAL, NUMTOYMINTERVAL,
Inserting XMLType; SQL Language Reference 21c, JSON (constructor).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from drydock.engines.oracle_names import quote_name
from drydock.masking.kernel.work import ColumnWork
from drydock.masking.oracle import copy_statements as st
from drydock.masking.oracle.types import plain_type
from drydock.masking.policies.schema import DataType

ZONED, LOCAL = "TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH LOCAL TIME ZONE"
ZONE_TYPE = DataType(name="VARCHAR2(64 CHAR)", family="text", length=64)
"""Longer than any name of a region."""
_READ_AS = {
    ZONED: ("TIMESTAMP(9)", "FROM_TZ({}, '+00:00')"),
    LOCAL: ("TIMESTAMP(9)", "CAST(FROM_TZ({}, '+00:00') AS TIMESTAMP WITH LOCAL TIME ZONE)"),
    "INTERVAL DAY TO SECOND": ("NUMBER(38, 9)", "NUMTODSINTERVAL({}, 'SECOND')"),
    "INTERVAL YEAR TO MONTH": ("NUMBER(38, 9)", "NUMTOYMINTERVAL({}, 'MONTH')"),
    "XMLTYPE": ("CLOB", "CASE WHEN {0} IS NOT NULL THEN XMLTYPE({0}) END"),
    "JSON": ("CLOB", "CASE WHEN {0} IS NOT NULL THEN JSON({0}) END"),
}


class PieceColumn(NamedTuple):
    """`into`: the column of the table, empty for a zone; `taken`: the expression over the piece that gives its value."""

    name: str
    type: str
    into: str
    taken: str


def zoned(works: Sequence[ColumnWork]) -> tuple[str, ...]:
    """Columns whose zone is read beside them: those that keep their values. What is masked is a moment in UTC."""
    return tuple(w.name for w in works if w.rule is None and plain_type(w.type.name) == ZONED)


def piece_columns(works: Sequence[ColumnWork]) -> tuple[PieceColumn, ...]:
    """In the order of the rows' question: the table's columns, then zones. Raises TypeRefused."""
    names = zoned(works)
    zones = {name: quote_name(f"Z{n}") for n, name in enumerate(names)}
    made = [_column(n, work, zones.get(work.name, "")) for n, work in enumerate(works)]
    return (*made, *(PieceColumn(f"Z{n}", ZONE_TYPE.name, "", "") for n, _ in enumerate(names)))


def _column(number: int, work: ColumnWork, zone: str) -> PieceColumn:
    name = f"C{number}"
    kind, taken = _READ_AS.get(plain_type(work.type.name), ("", "{}"))
    text = taken.format(quote_name(name))
    if zone:
        text = f"CASE WHEN {zone} IS NOT NULL THEN {text} AT TIME ZONE {zone} END"
    return PieceColumn(name, kind or st.type_text(work.type), work.name, text)


def with_zones(works: Sequence[ColumnWork]) -> tuple[ColumnWork, ...]:
    """The works of a part with one more for each zone that is read."""
    return (*works, *(ColumnWork(name=f"zone of {name}", type=ZONE_TYPE) for name in zoned(works)))


def piece_text(columns: Sequence[PieceColumn]) -> str:
    """Names and types, as CREATE TABLE takes them."""
    return ", ".join(f"{quote_name(c.name)} {c.type}" for c in columns)

"""Rows of the model as columns for the engine: only the columns that a statement names are built.

A view whose registration names a version (`registry.VERSIONS`) keeps its columns until that version changes; so do user
tables, whose version changes with each commit.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from sandbox.oracle import registry
from sandbox.oracle.backend import Lob, OraType, YearMonth
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.tables import Table, TableColumn
from sandbox.oracle.sql.dictionary import View
from sandbox.oracle.sql.errors import unsupported
from sandbox.oracle.sql.kinds import KIND_OF, Kind, fitted, microseconds, whole

LOG = logging.getLogger(__name__)
ARROW = {
    Kind.DOUBLE: pa.float64(),
    Kind.STR: pa.string(),
    Kind.CLOB: pa.string(),
    Kind.LONG: pa.string(),
    Kind.RAW: pa.binary(),
    Kind.BLOB: pa.binary(),
    Kind.DATE: pa.timestamp("us"),
    Kind.TS: pa.timestamp("us"),
    Kind.TZ: pa.timestamp("us"),
    Kind.DS: pa.int64(),
    Kind.YM: pa.int64(),
    Kind.DEC: pa.decimal128(38, 18),
}
ROWID = TableColumn("ROWID", OraType.ROWID, size=18)


def held_text(value: Any) -> str | None:
    value = value.data if isinstance(value, Lob) else value
    return None if value is None or value == "" else str(value)


def held_bytes(value: Any) -> bytes | None:
    value = value.data if isinstance(value, Lob) else value
    return bytes(value) if value else None


def held_span(value: Any) -> int | None:
    if isinstance(value, YearMonth):
        return value.years * 12 + value.months
    return microseconds(value) if isinstance(value, timedelta) else value


def held_time(database: OracleDatabase, kind: Kind) -> Callable[[Any], datetime | None]:
    def convert(value: datetime | None) -> datetime | None:
        if value is None:
            return None
        if kind is Kind.TZ:
            aware = value if value.tzinfo else value.replace(tzinfo=database.zone)
            return aware.astimezone(UTC).replace(tzinfo=None)
        naive = value.astimezone(database.zone).replace(tzinfo=None) if value.tzinfo else value
        return naive.replace(microsecond=0) if kind is Kind.DATE else naive

    return convert


def number_array(values: list[Any]) -> tuple[pa.Array, Kind]:
    """Whole numbers as BIGINT where they fit, else of 38 digits; any fraction makes the column decimal."""
    if {type(v) for v in values} <= {int, bool, type(None)}:  # a Decimal would be cut to a whole number without a word
        with suppress(pa.ArrowInvalid, OverflowError):
            return pa.array(values, type=pa.int64()), Kind.INT
    exact = [None if v is None else Decimal(str(v)) if isinstance(v, float) else Decimal(v) for v in values]
    if all(v is None or whole(v) for v in exact):
        return pa.array(exact, type=pa.decimal128(38, 0)), Kind.INT
    return pa.array([None if v is None else fitted(v) for v in exact], type=ARROW[Kind.DEC]), Kind.DEC


def array_of(database: OracleDatabase, column: TableColumn, values: list[Any]) -> tuple[pa.Array, Kind]:
    """A column's values as the engine holds them, and the kind that came of it."""
    kind = KIND_OF[column.type]
    if kind is Kind.INT:
        return number_array(values)
    if kind in (Kind.DATE, Kind.TS, Kind.TZ):
        values = list(map(held_time(database, kind), values))
    elif kind in (Kind.DS, Kind.YM):
        values = [held_span(v) for v in values]
    elif kind in (Kind.RAW, Kind.BLOB):
        values = [held_bytes(v) for v in values]
    elif kind is not Kind.DOUBLE:
        values = [held_text(v) for v in values]
    return pa.array(values, type=ARROW[kind]), kind


class Relation:
    """A view or table as one statement sees it. `column` builds one column at its first use."""

    def __init__(
        self, database: OracleDatabase, columns: Sequence[TableColumn], take: Callable[[str], list[Any]], length: int
    ) -> None:
        self.database, self.take, self.length = database, take, length
        self.columns = {c.name: c for c in columns}
        self.places = {name: place for place, name in enumerate(self.columns)}
        self.arrays: dict[str, tuple[pa.Array, Kind]] = {}

    def kind(self, name: str) -> Kind:
        if name not in self.arrays:
            self.arrays[name] = array_of(self.database, self.columns[name], self.take(name))
        return self.arrays[name][1]

    def said(self, name: str) -> str:
        """A column's name in the engine: by place, since the engine takes "n" and "N" for the same."""
        return f"k{self.places[name]}"

    def arrow(self) -> pa.Table:
        """The columns used so far; a constant one where none was, so that the rows can be counted."""
        arrays = {self.said(name): array for name, (array, _) in list(self.arrays.items())}
        return pa.table(arrays or {" ": pa.nulls(self.length, pa.int8())})


def check_columns(view: View, rows: Sequence[Mapping[str, Any]]) -> None:
    """A registered view must not give what Oracle has not: its author would test against an invention."""
    names = {c.name for c in view.columns} | {"INST_ID", "CON_ID"}
    strange = set(rows[0]) - names if rows else set()
    if strange:
        raise unsupported(f"{view.base} with the columns {sorted(strange)}, which the dictionary does not have")


def view_rows(database: OracleDatabase, view: View) -> list[Mapping[str, Any]]:
    function = registry.VIEWS.get(view.name) or registry.VIEWS.get(view.base)
    if function is None:
        LOG.warning("%s has no rows in the simulator: nothing registered them", view.name)
    rows: Iterable[Mapping[str, Any]] = function(database) if function else ()
    rows = rows if isinstance(rows, list) else list(rows)
    check_columns(view, rows)
    return rows


def of_view(database: OracleDatabase, view: View) -> Relation:
    """A view's relation, from the cache where its version says that nothing changed."""
    version = registry.VERSIONS.get(view.name) or registry.VERSIONS.get(view.base)
    cache: dict[str, tuple[Any, Relation]] = database.parts.setdefault("relations", {})
    now = version(database) if version else None
    if version and view.name in cache and cache[view.name][0] == now:
        return cache[view.name][1]
    rows = view_rows(database, view)
    fallback = 1 if view.name.startswith("GV$") else 0

    def take(name: str) -> list[Any]:
        if name == "INST_ID":
            return [row.get(name, fallback) for row in rows]
        return [row.get(name, 0 if name == "CON_ID" else None) for row in rows]

    relation = Relation(database, view.columns, take, len(rows))
    if version:
        cache[view.name] = (now, relation)
    return relation


def of_rows(database: OracleDatabase, table: Table, rows: Mapping[str, tuple]) -> Relation:
    """A user table's relation over the rows that a session sees, ROWID included."""
    places = {c.name: n for n, c in enumerate(table.columns)}

    def take(name: str) -> list[Any]:
        if name == "ROWID":
            return list(rows)
        place = places[name]
        return [row[place] for row in rows.values()]

    return Relation(database, (*table.columns, ROWID), take, len(rows))


def of_table(database: OracleDatabase, table: Table, changes: Mapping[str, tuple | None]) -> Relation:
    """The committed rows with a transaction's own changes over them."""
    if changes:
        merged = {rowid: row for rowid, row in {**table.rows, **changes}.items() if row is not None}
        return of_rows(database, table, merged)
    cache: dict[Any, tuple[Any, Relation]] = database.parts.setdefault("relations", {})
    key, now = (table.owner, table.name), (table.object_id, table.version, len(table.columns))
    if key not in cache or cache[key][0] != now:
        cache[key] = (now, of_rows(database, table, dict(table.rows)))
    return cache[key][1]

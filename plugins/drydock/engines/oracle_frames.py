"""Bulk data as Arrow tables, without a digit lost.

The driver makes a NUMBER of declared precision a decimal128, but one without precision a double, whatever is asked for
(python-oracledb User Guide, Data Frame Type Mapping). A result that has such a column is made into a table here, from
Decimals: slower, and exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import oracledb
import pyarrow as pa

from drydock.engines.oracle import OracleSession, fetch_batches, read_with
from drydock.sqlfiles import SqlFile, SqlFileInvalid


def fetch_frame(
    session: OracleSession, file: SqlFile, binds: Mapping[str, Any] | None = None, *, timeout_s: float | None = None
) -> pa.Table:
    """All rows of a read file as one Arrow table; numbers are decimals. Raises as oracle.fetch_rows; pyarrow.ArrowInvalid."""

    def ask(connection: oracledb.Connection) -> pa.Table | None:
        if not _numbers_are_declared(connection, file):
            return None
        return pa.table(connection.fetch_df_all(file.statement, dict(binds or {}), fetch_decimals=True))

    table = read_with(session, file, binds, ask, timeout_s=timeout_s)
    return _from_rows(session, file, binds, timeout_s) if table is None else _renamed(table, file)


def _numbers_are_declared(connection: oracledb.Connection, file: SqlFile) -> bool:
    """True when every NUMBER of the result has a declared precision. Describes the statement, does not run it."""
    with connection.cursor() as cursor:
        # another text than the one that is run: the driver's statement cache would keep the types of this description, doubles
        cursor.parse(f"{file.statement}\n")
        numbers = [column for column in cursor.description if column.type_code is oracledb.DB_TYPE_NUMBER]
    return all(column.precision for column in numbers)


def _renamed(table: pa.Table, file: SqlFile) -> pa.Table:
    names = [name.lower() for name in table.column_names]
    if names != list(file.columns):
        raise SqlFileInvalid(f"{file.path}: the header tells of {list(file.columns)}, the database returns {names}")
    return table.rename_columns(names)


def _from_rows(session: OracleSession, file: SqlFile, binds: Mapping[str, Any] | None, timeout_s: float | None) -> pa.Table:
    columns: dict[str, list[Any]] = {name: [] for name in file.columns}
    for batch in fetch_batches(session, file, binds, timeout_s=timeout_s):
        for name, values in columns.items():
            values.extend(row[name] for row in batch)
    return pa.table({name: pa.array(values) for name, values in columns.items()})

"""Bulk data as Arrow tables, without a digit lost.

The driver makes a NUMBER of declared precision a decimal128, but one without precision a double, whatever is asked for
(python-oracledb User Guide, Data Frame Type Mapping). A result that has such a column is made into a table here, from
Decimals: slower, and exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from drydock.engines.oracle import OracleSession, declared_numbers, fetch_batches, prepare_read
from drydock.sqlfiles import SqlFile, SqlFileInvalid


def fetch_frame(
    session: OracleSession, file: SqlFile, binds: Mapping[str, Any] | None = None, *, timeout_s: float | None = None
) -> pa.Table:
    """All rows of a read file as one Arrow table; numbers are decimals. Raises as oracle.fetch_rows; pyarrow.ArrowInvalid."""
    prepare_read(session, file, binds, timeout_s)
    if not declared_numbers(session, file):
        return _from_rows(session, file, binds, timeout_s)
    frame = session.connection.fetch_df_all(file.statement, dict(binds or {}), fetch_decimals=True)
    table = pa.table(frame)
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

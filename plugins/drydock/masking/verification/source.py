"""Reads the source's sensitive columns, for the semi-join: values as bytes, NULL left out, nothing kept."""

from __future__ import annotations

from collections.abc import Iterator

from drydock.masking.verification.blocks import Block
from drydock.masking.verification.scope import columns_of
from drydock.masking.verification.target import Connection, Progress, prepare, read_table


def column_values(connection: Connection, name: str) -> Iterator[bytes]:
    """All values of `schema.table.column` (over all partitions). Raises LookupError where there is no such column or it
    cannot be read: a source that was not read must never look like one without originals."""
    for block in column_blocks(connection, name):
        yield from filter(None, block.text.split(b"\n"))


def column_blocks(connection: Connection, name: str) -> Iterator[Block]:
    """The same as blocks. Raises LookupError."""
    prepare(connection)
    columns = columns_of(connection)
    found = [c for c in columns if f"{c['place_schema']}.{c['place_table']}.{c['column_name']}" == name]
    if not found:
        raise LookupError(f"the source has no column {name}")
    for column in found:
        progress = Progress()
        relation = (column["schema_name"], column["table_name"])
        yield from read_table(connection, relation, [(column["column_name"], name)], progress)
        if progress.unread:
            raise LookupError(f"the source column {name} cannot be read: {progress.unread[name]}")

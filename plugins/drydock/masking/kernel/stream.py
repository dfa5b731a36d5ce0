"""`copy_stream`: rows of a source into a target, ruled columns masked on the way. Transactions belong to the caller.

No clear value of a ruled column leaves this process: what cannot be masked ends the stream with an error by name.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Literal

import psycopg
from psycopg import sql

from drydock.masking.column_maskers import ColumnMasker
from drydock.masking.kernel.rows import HEAD, TRAILER, Row, RowReader, written
from drydock.masking.kernel.work import BadStream, ColumnWork, CopyFailed, StreamCounts
from drydock.masking.keys import MaskingKey

log = logging.getLogger(__name__)

Told = Callable[[StreamCounts], None]
ENCODINGS = ("UTF8", "SQL_ASCII")


def copy_stream(
    source: psycopg.Connection,
    read: sql.Composed,
    target: psycopg.Connection,
    write: sql.Composed,
    columns: Sequence[ColumnWork],
    key: MaskingKey,
    told: Callable[[StreamCounts], None] = lambda counts: None,
) -> StreamCounts:
    """Run both COPY commands (FORMAT binary, of these columns in this order); `told` hears the counts after each batch.

    Raises Unmaskable, BadStream, CopyFailed (a psycopg.OperationalError with the SQLSTATE of the side that failed), and
    whatever `told` raises, which ends the stream. After an error both transactions are the caller's to roll back.
    """
    for connection, side in ((source, "source"), (target, "target")):
        _check_encoding(connection, side)
    return _in_python(source, read, target, write, _Maskers(columns, key), told)


def _check_encoding(connection: psycopg.Connection, side: str) -> None:
    """Texts are masked as UTF-8; other bytes would be read as other characters."""
    name = connection.info.parameter_status("client_encoding")
    if name not in ENCODINGS:
        raise BadStream(f"the session of the {side} speaks {name}; connect with client_encoding=UTF8")


class _Maskers:
    """What masks the columns of one stream, and its counts."""

    def __init__(self, columns: Sequence[ColumnWork], key: MaskingKey) -> None:
        self.columns = tuple(columns)
        by_name: Mapping[str, ColumnWork] = {column.name: column for column in columns}
        places = {column.name: place for place, column in enumerate(columns)}
        self.ruled = [
            (place, ColumnMasker(column, key, by_name), [places[name] for name in column.beside])
            for place, column in enumerate(columns)
            if column.rule is not None
        ]

    def mask(self, rows: list[Row]) -> None:
        """In place; what a column looks at beside itself is read before anything is masked."""
        beside = {place: [row[place] for row in rows] for _, _, others in self.ruled for place in others}
        for place, column, others in self.ruled:
            new = column.fields([row[place] for row in rows], [beside[other] for other in others])
            for row, field in zip(rows, new, strict=True):
                row[place] = field

    def counts(self, rows: int, bytes_in: int, bytes_out: int, **more: object) -> StreamCounts:
        of = {column.work.name: column for _, column, _ in self.ruled}
        return StreamCounts(
            rows=rows,
            bytes_in=bytes_in,
            bytes_out=bytes_out,
            masked={name: column.masked for name, column in of.items()},
            nulls={name: column.nulls for name, column in of.items()},
            unknown_shapes={name: column.unknown_shapes for name, column in of.items()},
            **more,
        )


def _in_python(
    source: psycopg.Connection,
    read: sql.Composed,
    target: psycopg.Connection,
    write: sql.Composed,
    maskers: _Maskers,
    told: Told,
) -> StreamCounts:
    """The reference: every row a list of Python."""
    rows = bytes_in = bytes_out = 0
    batches = _batches(source, read, RowReader(len(maskers.columns)))
    with closing(batches), told_of("target"), target.cursor() as writing, writing.copy(write) as out:
        out.write(HEAD)
        for batch, size in batches:
            maskers.mask(batch)
            text = written(batch)
            out.write(text)
            rows, bytes_in, bytes_out = rows + len(batch), bytes_in + size, bytes_out + len(text)
            told(maskers.counts(rows, bytes_in, bytes_out))
        out.write(TRAILER)
    return maskers.counts(rows, bytes_in, bytes_out)


def _batches(source: psycopg.Connection, read: sql.Composed, reader: RowReader) -> Iterator[tuple[list[Row], int]]:
    """Batches of rows with the bytes that they came in."""
    size = 0
    with told_of("source"), source.cursor() as cursor, cursor.copy(read) as blocks:
        for block in blocks:
            size += len(block)
            for batch in reader.take(block):
                yield batch, size
                size = 0
        yield reader.end(), size


@contextmanager
def told_of(side: Literal["source", "target"]) -> Iterator[None]:
    """Errors of psycopg as those of one side, without the server's text."""
    try:
        yield
    except CopyFailed:
        raise
    except psycopg.Error as e:
        raise CopyFailed(side, e) from None

"""`copy_stream`: rows of a source into a target, ruled columns masked on the way. Transactions belong to the caller.

No clear value of a ruled column leaves this process: what cannot be masked ends the stream with an error by name. Where the
compiled kernel is there, it reads, splits, masks and writes; else Python and NumPy do. Both give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any, Literal

import psycopg
from psycopg import sql
from psycopg.pq import ExecStatus

from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.kernel import compiled, libpq
from drydock.masking.kernel.arrays import OtherOid
from drydock.masking.kernel.batches import BatchColumn, Batches, SideFailed
from drydock.masking.kernel.passing import Passing
from drydock.masking.kernel.programs import program_of
from drydock.masking.kernel.rows import BATCH_ROWS, HEAD, TRAILER, Row, RowReader, written
from drydock.masking.kernel.work import BadStream, ColumnWork, CopyFailed, StreamCounts
from drydock.masking.values.column_maskers import ColumnMasker

Told = Callable[[StreamCounts], None]
ENCODINGS = ("UTF8", "SQL_ASCII")
NO_LIBPQ = "it is not known which libpq psycopg uses"


def copy_stream(
    source: psycopg.Connection,
    read: sql.Composed,
    target: psycopg.Connection,
    write: sql.Composed,
    columns: Sequence[ColumnWork],
    key: MaskingKey,
    told: Told = lambda counts: None,
    *,
    compile_it: bool = True,
) -> StreamCounts:
    """Run both COPY commands (FORMAT binary, of these columns in this order); `told` hears the counts after each batch.

    Raises Unmaskable, BadStream, CopyFailed (a psycopg.OperationalError with the SQLSTATE of the side that failed), and
    whatever `told` raises, which ends the stream. After an error both transactions are the caller's to roll back.
    """
    for connection, side in ((source, "source"), (target, "target")):
        _check_encoding(connection, side)
    loaded = compiled.load() if compile_it else compiled.Loaded(None, "not asked for")
    maskers = Maskers(columns, key)
    try:
        if loaded.library is not None and libpq.functions() is not None:
            return _in_c(loaded.library, source, read, target, write, maskers, _heard(told))
        maskers.why_not_compiled = loaded.why_not or NO_LIBPQ
        return _in_python(source, read, target, write, maskers, _heard(told))
    except _HearerFailed as e:
        raise e.error from None


class _HearerFailed(Exception):
    """What `told` raised: kept apart from errors of the two sides, which may be of the same class."""

    def __init__(self, error: Exception) -> None:
        super().__init__(type(error).__name__)
        self.error = error


def _heard(told: Told) -> Told:
    def hear(counts: StreamCounts) -> None:
        try:
            told(counts)
        except Exception as e:
            raise _HearerFailed(e) from None

    return hear


def _check_encoding(connection: psycopg.Connection, side: str) -> None:
    """Texts are masked as UTF-8; other bytes would be read as other characters."""
    name = connection.info.parameter_status("client_encoding")
    if name not in ENCODINGS:
        raise BadStream(f"the session of the {side} speaks {name}; connect with client_encoding=UTF8")


class Maskers:
    """What masks the columns of one stream, and its counts."""

    def __init__(self, columns: Sequence[ColumnWork], key: MaskingKey) -> None:
        self.columns, self.key = tuple(columns), key
        self.by_name = {column.name: column for column in columns}
        self.places = {column.name: place for place, column in enumerate(columns)}
        self.ruled = [
            (place, self.of(column), [self.places[name] for name in column.beside])
            for place, column in enumerate(columns)
            if column.rule is not None
        ]
        self.rewritten = [
            (place, OtherOid(column.element_oid))
            for place, column in enumerate(columns)
            if column.rule is None and column.element_oid is not None
        ]
        self.compiled: tuple[BatchColumn, ...] = ()
        self.why_not_compiled = ""

    def of(self, column: ColumnWork) -> ColumnMasker:
        """A masker of one of the columns."""
        return ColumnMasker(column, self.key, self.by_name)

    def mask(self, rows: list[Row]) -> None:
        """In place; what a column looks at beside itself is read before anything is masked."""
        beside = {place: [row[place] for row in rows] for _, _, others in self.ruled for place in others}
        for place, column, others in self.ruled:
            _put(rows, place, column.fields([row[place] for row in rows], [beside[other] for other in others]))
        for place, other in self.rewritten:
            _put(rows, place, other.fields([row[place] for row in rows]))

    def counts(self, rows: int, bytes_in: int, bytes_out: int, way: Literal["compiled", "numpy"]) -> StreamCounts:
        of = {column.work.name: column for _, column, _ in self.ruled}
        programs = {column.masker.work.name: column for column in self.compiled if column.program is not None}
        return StreamCounts(
            rows=rows,
            bytes_in=bytes_in,
            bytes_out=bytes_out,
            masked={name: column.masked for name, column in of.items()},
            nulls={name: column.nulls for name, column in of.items()},
            unknown_shapes={name: programs.get(name, column).unknown_shapes for name, column in of.items()},
            way=way,
            compiled_columns=tuple(programs),
            why_not_compiled=self.why_not_compiled,
        )


def _put(rows: list[Row], place: int, fields: Sequence[bytes | None]) -> None:
    for row, field in zip(rows, fields, strict=True):
        row[place] = field


# ---- compiled


def _in_c(
    library: Any,
    source: psycopg.Connection,
    read: sql.Composed,
    target: psycopg.Connection,
    write: sql.Composed,
    maskers: Maskers,
    told: Told,
) -> StreamCounts:
    """Rows stay in the memory of C; psycopg starts and ends both commands."""
    programs = {place: program_of(library, c.work, maskers.key, maskers.places, maskers.by_name) for place, c, _ in maskers.ruled}
    maskers.compiled = tuple(
        BatchColumn(place, masker, others, programs[place], maskers.of(masker.work)) for place, masker, others in maskers.ruled
    )
    try:
        quick = all(column.by_columns_alone for column in maskers.compiled)
        with closing(Batches(library, len(maskers.columns), quick=quick)) as batches:
            with told_of("target"), target.cursor() as writing, writing.copy(write) as out:
                out.write(HEAD)
                counts = _moved(batches, source, read, target, maskers, told)
                out.write(TRAILER)
            return counts
    finally:
        for column in maskers.compiled:
            if column.program is not None:
                column.program.free()


def _moved(
    batches: Batches,
    source: psycopg.Connection,
    read: sql.Composed,
    target: psycopg.Connection,
    maskers: Maskers,
    told: Told,
) -> StreamCounts:
    """Every batch of the source through the maskers into the target, whose COPY is open."""
    rows, heard, passing = 0, 0, None
    with told_of("source"), source.cursor() as cursor, cursor.copy(read), _waiting(target):
        while True:
            with _sides_told(batches, source):
                more = passing.some(heard + BATCH_ROWS - rows) if passing else _one_batch(batches, source, target, maskers)
            rows += more
            if batches.is_last or rows - heard >= BATCH_ROWS:
                told(counts := maskers.counts(rows, batches.bytes_in, batches.bytes_out, "compiled"))
                heard = rows
            if batches.is_last:
                return counts
            passing = passing or _passing(batches, source, target, maskers)


def _one_batch(batches: Batches, source: psycopg.Connection, target: psycopg.Connection, maskers: Maskers) -> int:
    """Read, masked column by column with Python's twins beside the first one, written; its rows."""
    found, (at_source, at_target) = _libpq(), _pointers(source, target)
    rows = batches.read(at_source, found.get_copy_data, found.free_memory)
    for column in maskers.compiled:
        column.mask(batches)
    for place, other in maskers.rewritten:
        other.rewrite(batches, place)
    batches.write(at_target, found.put_copy_data)
    return rows


def _passing(batches: Batches, source: psycopg.Connection, target: psycopg.Connection, maskers: Maskers) -> Passing | None:
    """None where Python has a part in every batch."""
    if maskers.rewritten or not all(column.by_columns_alone for column in maskers.compiled):
        return None
    return Passing(batches, maskers.compiled, *_pointers(source, target), _libpq())


def _libpq() -> libpq.Functions:
    found = libpq.functions()
    assert found is not None
    return found


def _pointers(source: psycopg.Connection, target: psycopg.Connection) -> tuple[int, int]:
    at_source, at_target = source.pgconn.pgconn_ptr, target.pgconn.pgconn_ptr
    assert at_source is not None and at_target is not None
    return at_source, at_target


@contextmanager
def _sides_told(batches: Batches, source: psycopg.Connection) -> Iterator[None]:
    """With the last batch what the server says of the whole COPY is taken, so that the session can go on.

    libpq ends the data of a COPY that failed as that of a whole one: what the server says goes before what is missing.
    """
    try:
        yield
    except SideFailed as e:
        if e.side == "target":
            raise CopyFailed("target", psycopg.OperationalError("the connection was lost")) from None
        _end(source)
        raise psycopg.OperationalError("the source ended COPY without an error") from None
    except BadStream:
        if batches.is_last:
            _end(source)
        raise
    if batches.is_last:
        _end(source)


@contextmanager
def _waiting(connection: psycopg.Connection) -> Iterator[None]:
    """Let libpq wait for the server to take what is sent, or it would keep all of it in memory; psycopg waits by itself."""
    connection.pgconn.nonblocking = 0
    try:
        yield
    finally:
        with suppress(psycopg.Error):  # of a session that was lost, which another error tells
            connection.pgconn.nonblocking = 1


def _end(connection: psycopg.Connection) -> None:
    """Take the results of a COPY OUT that was read to its end. Raises psycopg.Error where the server ended it with one."""
    failed = None
    while result := connection.pgconn.get_result():
        if result.status != ExecStatus.COMMAND_OK:
            failed = failed or result
            if result.status == ExecStatus.COPY_OUT:
                break
    if failed is not None:
        raise psycopg.errors.error_from_result(failed)


# ---- Python


def _in_python(
    source: psycopg.Connection,
    read: sql.Composed,
    target: psycopg.Connection,
    write: sql.Composed,
    maskers: Maskers,
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
            told(maskers.counts(rows, bytes_in, bytes_out, "numpy"))
        out.write(TRAILER)
    return maskers.counts(rows, bytes_in, bytes_out, "numpy")


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

"""Reads all of a delivered PostgreSQL copy: every column by COPY, every definition, every large object, in blocks.

Memory: one block (and one row, which may be longer). Nothing is written anywhere. What cannot be read is told as Unread.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from drydock.engines.postgres import fetch_rows
from drydock.masking.verification.blocks import Block, block_of, opened, unescape, with_binary_opened
from drydock.masking.verification.results import Reading, Unread
from drydock.masking.verification.scope import WHOLE, Part, Scope, parts_of
from drydock.sqlfiles import sql_file

BLOCK_BYTES = 4 << 20
OVERLAP_BYTES = 4096  # of two pieces of a large object, so that no value is cut in two
AS_TEXT = sql.SQL("{}::text")
WHOLE_NUMBER = sql.SQL("CASE WHEN {0} = trunc({0}) THEN {0}::text END")
SERVER_IS_GONE = ("08", "57", "53")  # classes of SQLSTATE after which nothing more can be read: the whole run is repeated

Connection = psycopg.Connection[dict[str, Any]]


@dataclass
class Progress:
    """What has been read so far; filled while the blocks are drawn."""

    began_s: float = field(default_factory=time.monotonic)
    places: set[str] = field(default_factory=set)
    cells: int = 0
    read_bytes: int = 0
    unread: dict[str, str] = field(default_factory=dict)

    def absorb(self, other: Progress) -> None:
        """Take in what another process read."""
        self.places |= other.places
        self.cells += other.cells
        self.read_bytes += other.read_bytes
        self.unread.update(other.unread)

    def result(self) -> Reading:
        """The reading as it stands; a place that was read only in part counts as unread."""
        unread = tuple(Unread(place=place, reason=reason) for place, reason in sorted(self.unread.items()))
        read = len(self.places - set(self.unread))
        elapsed = time.monotonic() - self.began_s
        return Reading(places=read, cells=self.cells, read_bytes=self.read_bytes, elapsed_s=elapsed, unread=unread)


def prepare(connection: Connection) -> None:
    """Make the session read whole tables or fail, in UTF-8, without a time limit."""
    fetch_rows(connection, sql_file("postgresql", "verification", "session"))


def read_all(connection: Connection, progress: Progress, scope: Scope = WHOLE) -> Iterator[Block]:
    """Every block of the database: definitions first, then large objects, then tables. Raises psycopg.OperationalError."""
    prepare(connection)
    yield from read_definitions(connection, progress, scope)
    yield from read_large_objects(connection, progress)
    parts, unread = parts_of(connection, scope)
    progress.unread.update({u.place: u.reason for u in unread})
    for part in parts:
        yield from read_part(connection, part, progress, scope)


def read_definitions(connection: Connection, progress: Progress, scope: Scope = WHOLE) -> Iterator[Block]:
    """Definitions as blocks of one row; several texts may share a place (enum labels)."""
    texts, size = [], 0
    file = sql_file("postgresql", "verification", "definitions")
    for row in fetch_rows(connection, file, {"left_out": list(scope.left_out)}):
        text = (row["text"] or "").encode()
        texts.append((scope.told(row["place"] or "?"), text))
        size += len(text)
        if size > BLOCK_BYTES:
            yield _counted(block_of(texts), progress)
            texts, size = [], 0
    if texts:
        yield _counted(block_of(texts), progress)


def read_large_objects(connection: Connection, progress: Progress) -> Iterator[Block]:
    """Large objects piece by piece, pieces overlapping."""
    part = sql_file("postgresql", "verification", "large_object_part")
    for row in fetch_rows(connection, sql_file("postgresql", "verification", "large_objects")):
        place = f"large object {row['number']}"
        if not row["may_read"]:
            progress.unread[place] = "unread_privilege"
            continue
        skipped = 0
        while True:
            asked = {"number": row["number"], "skipped": skipped, "piece_bytes": BLOCK_BYTES}
            piece = bytes(fetch_rows(connection, part, asked)[0]["piece"])
            yield _counted(block_of([(place, opened(piece))]), progress, len(piece))
            if len(piece) < BLOCK_BYTES:
                break
            skipped += BLOCK_BYTES - OVERLAP_BYTES


def read_table(
    connection: Connection, relation: tuple[str, str], names: Sequence[tuple[str, str]], progress: Progress
) -> Iterator[Block]:
    """One table's columns, given as (name, place). A refusal in the middle makes all of them unread."""
    return read_part(connection, Part(relation, tuple(names)), progress)


def read_part(connection: Connection, part: Part, progress: Progress, scope: Scope = WHOLE) -> Iterator[Block]:
    """The rows of one part. A refusal in the middle makes all its places unread. Raises psycopg.Error for a lost server."""
    try:
        for rows in _copied(connection, _statement_of(part, scope)):
            yield _counted(with_binary_opened(Block(part.places, unescape(rows), of_rows=True)), progress, len(rows))
    except psycopg.Error as error:
        if (error.sqlstate or "08")[:2] in SERVER_IS_GONE:
            raise
        code = "unread_privilege" if isinstance(error, psycopg.errors.InsufficientPrivilege) else "unread_error"
        progress.unread.update(dict.fromkeys(part.places, code))
    progress.places.update(part.places)


def _statement_of(part: Part, scope: Scope) -> sql.Composed:
    names, whole = [name for name, _ in part.columns], part.whole_numbers
    if scope.share < 1 and not part.is_sequence:
        more = {"percent": sql.Literal(100 * scope.share), "seed": sql.Literal(scope.seed)}
        return _statement("copy_sample", part.relation, names, more, whole)
    if part.is_whole:
        return _statement("copy_out", part.relation, names, {}, whole)
    ends = {"first": sql.Literal(f"({part.first},0)"), "behind": sql.Literal(f"({part.behind},0)")}
    return _statement("copy_part", part.relation, names, ends, whole)


def _statement(
    file: str,
    relation: tuple[str, str],
    columns: Sequence[str],
    more: dict[str, sql.Composable],
    whole: frozenset[str] = frozenset(),
) -> sql.Composed:
    forms = (WHOLE_NUMBER if name in whole else AS_TEXT for name in columns)
    texts = sql.SQL(", ").join(form.format(sql.Identifier(name)) for form, name in zip(forms, columns, strict=True))
    text = sql_file("postgresql", "verification", file).statement
    return sql.SQL(text).format(columns=texts, relation=sql.Identifier(*relation), **more)


def copied_pieces(
    connection: Connection, relation: tuple[str, str], columns: Sequence[str], *, most: int | None = None
) -> Iterator[bytes]:
    """Whole rows in COPY's text format, partitions included, about BLOCK_BYTES at a time. Raises psycopg.Error."""
    if most is not None:
        return _copied(connection, _statement("copy_first", relation, columns, {"most": sql.Literal(most)}))
    return _copied(connection, _statement("copy_whole", relation, columns, {}))


def _copied(connection: Connection, statement: sql.Composed) -> Iterator[bytes]:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        yield from _pieces(copy)


def _pieces(copy: psycopg.Copy) -> Iterator[bytes]:
    """Whole rows, put together to blocks: the server sends one message per row."""
    rows: list[bytes] = []
    size = 0
    for row in copy:
        rows.append(row)
        size += len(row)
        if size >= BLOCK_BYTES:
            yield b"".join(rows)
            rows, size = [], 0
    if rows:
        yield b"".join(rows)


def _counted(block: Block, progress: Progress, read_bytes: int | None = None) -> Block:
    progress.places.update(block.places)
    progress.read_bytes += len(block.text) if read_bytes is None else read_bytes
    progress.cells += len(block.places) * max(block.text.count(b"\n"), 1)
    return block

"""Audit records out of any stream: each line is given to the reader that knows it, by its content and not by a file's name.

Every line belongs to a record, to known noise or to a piece set aside: the lines of all pieces together are the lines of the
input. Memory does not grow with the input.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from drydock.audit.parsing import json_lines, oracle_blocks, oracle_xml, postgres_logs, tables
from drydock.audit.parsing.blocks import Context, aside, noise
from drydock.audit.parsing.lines import Line, Lines
from drydock.audit.parsing.mappings import Mapping
from drydock.audit.parsing.records import AuditRecord, Kind, Piece
from drydock.audit.parsing.times import Clock

SPILLOVER = "a spillover file of unified auditing (.bin): only the database reads it, DBMS_AUDIT_MGMT.LOAD_UNIFIED_AUDIT_FILES"
SPILLOVER_MARKS = (b"ANG Spillover Audit File", b"ORAAUDNG")
_MOST_DEPTH = 2


def pieces(stream: BinaryIO, clock: Clock, mapping: Mapping | None = None) -> Iterator[Piece]:
    """The pieces of a stream, in its order. Raises only what reading the stream raises (OSError)."""
    lines = Lines(stream)
    yield from _pieces(lines, Context(clock, mapping), depth=0)
    if lines.trouble:
        yield Piece(Kind.SET_ASIDE, _line_after(lines), 0, 0, 0, why=lines.trouble)


def _line_after(lines: Lines) -> int:
    return lines.number + 1


def _pieces(lines: Lines, context: Context, depth: int) -> Iterator[Piece]:
    first = lines.peek()
    if first is not None and any(mark in first.text[:4096] for mark in SPILLOVER_MARKS):
        yield from _spillover(lines)
        return
    while (line := lines.peek()) is not None:
        yield from next_pieces(line, lines, context, depth)


def next_pieces(line: Line, lines: Lines, context: Context, depth: int = 0) -> Iterator[Piece]:
    """The pieces that begin on `line`, which is the next of `lines`. A reader that fails loses none of them."""
    covered = 0
    try:
        for piece in _next(line, lines, context, depth):
            covered += piece.lines
            yield piece
            context.is_after_broken = piece.kind is Kind.SET_ASIDE and piece.why == _BROKEN
    except (ValueError, LookupError, TypeError, ArithmeticError, AssertionError, RecursionError) as e:
        yield _stumbled(line, lines, covered, e)


def _stumbled(first: Line, lines: Lines, covered: int, error: Exception) -> Piece:
    """What a reader could not cope with, set aside: a fault of the reader, and still no line is lost."""
    if (following := lines.peek()) is not None and following.number == first.number:
        lines.take()
        following = lines.peek()
    after = lines.number + 1 if following is None else following.number
    told = aside([first], f"a reader failed here ({type(error).__name__}): please report it")
    size = first.size if following is None else following.offset - first.offset
    return told._replace(line=first.number + covered, lines=max(after - first.number - covered, 0), size=size)


def _spillover(lines: Lines) -> Iterator[Piece]:
    """All lines of a binary file as one piece; its hash is that of its first line."""
    told, count, size = aside([lines.take()], SPILLOVER), 1, 0
    while (line := lines.peek()) is not None:
        count, size = count + 1, size + line.size
        lines.take()
    yield told._replace(lines=count, size=told.size + size)


_BROKEN = "begins with a time like a line of a log, and no severity follows"


def _next(line: Line, lines: Lines, context: Context, depth: int) -> Iterable[Piece]:
    """The pieces that begin on the next line. Takes at least that line."""
    text = line.text
    if line.is_cut:
        return [aside([lines.take()], "a line longer than 64 MB")]
    if not text.strip(b" \t\r\f\v\0\x1a"):
        return [noise([lines.take()], "an empty line")]

    def inner(cell: bytes, outer: Context) -> AuditRecord | str | None:
        return _inside(cell, outer, depth)

    if context.table is not None:
        table = tables.table_of(text, context) if tables.may_be_header(text, context.table) else None
        if table is not None and table.names != context.table.names:
            return tables.read_header(lines, context, table)
        if row := tables.read_row(lines, context, inner):
            return row
    return _by_format(text, lines, context, inner)


def _by_format(text: bytes, lines: Lines, context: Context, inner: tables.Inner) -> Iterable[Piece]:
    if json_lines.is_json(text):
        return json_lines.read_json(lines, context, inner)
    if postgres_logs.is_sure_csv_row(text):  # before what looks for Oracle's marks: a statement may hold them
        return postgres_logs.read_csv(lines, context)
    if oracle_xml.is_xml(text) or oracle_xml.is_embedded(text):
        return oracle_xml.read_xml(lines, context)
    if oracle_blocks.is_syslog(text):
        return oracle_blocks.read_syslog(lines, context)
    if postgres_logs.is_csv_row(text):
        return postgres_logs.read_csv(lines, context)
    if postgres_logs.is_stderr(text):
        return postgres_logs.read_stderr(lines, context)
    if oracle_blocks.is_block(text):
        return oracle_blocks.read_aud(lines, context)
    if context.table is not None:
        return [tables.why_no_row(lines, context)]
    if oracle_blocks.is_banner(text):
        return oracle_blocks.read_banner(lines, context)
    if table := tables.table_of(text, context):
        return tables.read_header(lines, context, table)
    return [_unknown(lines)]


def _unknown(lines: Lines) -> Piece:
    line = lines.take()
    if tables.is_foot(line.text):
        return noise([line], "foot or rule of a spooled CSV")
    if oracle_blocks.is_other_syslog(line.text):
        return noise([line], "a syslog line of another program")
    if postgres_logs.is_broken(line.text):
        return aside([line], _BROKEN)
    return aside([line], "no known format begins so")


def _inside(cell: bytes, context: Context, depth: int) -> AuditRecord | str | None:
    """The one record that a cell holds in the database's own format, or the noise that it is."""
    if depth >= _MOST_DEPTH or len(cell) < 20:
        return None
    own = dataclasses.replace(context, table=None, banner={}, is_after_broken=False)
    found = list(_pieces(Lines(io.BytesIO(cell)), own, depth + 1))
    if record := next((piece.record for piece in found if piece.record is not None), None):
        return record
    return found[0].why if found and all(piece.kind is Kind.NOISE for piece in found) else None

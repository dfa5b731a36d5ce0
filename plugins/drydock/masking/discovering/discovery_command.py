"""The body of `drydock discover`: a CSV file or standard input in, a proposal per column out.

Every row is looked at, batch by batch, so memory stays flat. What is told of the file and of the columns are counts and the
header's names: never a value.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from pydantic import Field

from drydock.masking.discovering.csv_header import SAMPLE_ROWS, column_names, is_header
from drydock.masking.discovering.csv_rows import NO_DELIMITER, Row, RowFacts, row_batches
from drydock.masking.discovering.csv_text import CHUNK_BYTES, NotText, TextFacts, text_lines
from drydock.masking.discovering.discovery import found_inside, new_profile, proposal
from drydock.masking.discovering.profiles import ColumnProfile
from drydock.masking.discovering.proposals import FoundInside, Proposal
from drydock.verdicts import Model, clean_text

FOUND, NOTHING_EXAMINED = 0, 2
CLOSED_PIPE = 141  # as a shell tells of SIGPIPE
CANNOT_WRITE = 74  # EX_IOERR of sysexits.h
STANDARD_INPUT = "-"
MOST_COLUMNS = 5_000


class FileFacts(Model):
    """The file as it was read. Rows do not count the header."""

    rows: int = Field(description="data rows; every one of them was looked at unless a limit was asked for")
    rows_looked_at: int
    columns: int
    read_bytes: int
    encoding: str
    has_byte_order_mark: bool
    delimiter: str = Field(description="empty: one column")
    has_header: bool
    blank_lines: int
    short_rows: int = Field(description="rows with fewer fields than columns")
    long_rows: int = Field(description="rows with more; the fields beyond are looked at too, see found_beyond")
    lines_read_without_quotes: int = Field(description="lines inside a quote that was never closed, read again one by one")
    cut_lines: int
    unreadable_characters: int
    nul_characters: int
    found_beyond: tuple[FoundInside, ...] = Field((), description="kinds in fields beyond the last column")


class Discovery(Model):
    """What `drydock discover` prints."""

    file: FileFacts
    columns: tuple[Proposal, ...]


class _Table:
    """Profiles of all columns of one file, and what its rows told beside."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.profiles: list[ColumnProfile] = []
        self.beyond = new_profile("")
        self.has_header = False
        self.rows = self.short_rows = self.long_rows = 0

    def begin(self, first: Row, below: list[Row]) -> None:
        first = first[:MOST_COLUMNS]
        self.has_header = is_header(first, below)
        self.names = column_names(first, self.has_header)
        self.profiles = [new_profile(name if self.has_header else "") for name in self.names]

    def add(self, rows: list[Row]) -> None:
        self.rows += len(rows)
        width = len(self.names)
        if any(len(row) != width for row in rows):
            beyond: Row = []
            rows = [self._fitted(row, width, beyond) for row in rows]
            self.beyond.add(beyond)
        for profile, values in zip(self.profiles, zip(*rows, strict=True), strict=True):
            profile.add(values)

    def _fitted(self, row: Row, width: int, beyond: Row) -> Row:
        if len(row) > width:
            self.long_rows += 1
            beyond += filter(None, row[width:])
            return row[:width]
        self.short_rows += len(row) < width
        return row + [""] * (width - len(row))


def discover(place: str, most_rows: int | None = None) -> Discovery:
    """Read the file at a path, or standard input for "-". Raises OSError, and NotText for a file that is no text."""
    with _opened(place) as stream:
        text, lines, table = TextFacts(), RowFacts(), _Table()
        batches = row_batches(text_lines(iter(partial(stream.read, CHUNK_BYTES), b""), text), lines)
        for rows in _data(batches, table):
            if most_rows is not None and table.rows + len(rows) >= most_rows:
                table.add(rows[: most_rows - table.rows])
                break
            table.add(rows)
        return _answer(text, lines, table)


@contextmanager
def _opened(place: str) -> Iterator[BinaryIO]:
    if place == STANDARD_INPUT:
        if sys.stdin is None:
            raise OSError(errno.EBADF, "it is closed")
        yield sys.stdin.buffer
    else:
        with Path(place).open("rb") as file:
            yield file


def _data(batches: Iterator[list[Row]], table: _Table) -> Iterator[list[Row]]:
    """The batches without the header; the first one decides whether there is one."""
    first = next(batches, None)
    if first is None:
        return
    table.begin(first[0], first[1 : SAMPLE_ROWS + 1])
    rest = first[1:] if table.has_header else first
    yield from chain([rest] if rest else [], batches)


def _answer(text: TextFacts, lines: RowFacts, table: _Table) -> Discovery:
    facts = FileFacts(
        rows=table.rows,
        rows_looked_at=table.rows,
        columns=len(table.names),
        read_bytes=text.read_bytes,
        encoding=text.encoding,
        has_byte_order_mark=text.has_mark,
        delimiter="" if lines.delimiter == NO_DELIMITER else lines.delimiter,
        has_header=table.has_header,
        blank_lines=lines.blank_lines,
        short_rows=table.short_rows,
        long_rows=table.long_rows,
        lines_read_without_quotes=lines.lines_read_without_quotes,
        cut_lines=text.cut_lines,
        unreadable_characters=text.unreadable_characters,
        nul_characters=text.nul_characters,
        found_beyond=found_inside(table.beyond, None) if table.beyond.informative else (),
    )
    named = zip(table.names, table.profiles, strict=True)
    return Discovery(file=facts, columns=tuple(proposal(name, n, profile) for n, (name, profile) in enumerate(named, 1)))


def exit_code(answer: Discovery) -> int:
    """0 where values were looked at, 2 where there was nothing to look at."""
    return FOUND if any(column.evidence.non_empty for column in answer.columns) else NOTHING_EXAMINED


def heed_interrupts() -> None:
    """polars takes SIGINT over when it is imported, and a waiting read then starts again: Ctrl-C must end that too."""
    signal.signal(signal.SIGINT, signal.getsignal(signal.SIGINT))


def why_unreadable(place: str, error: OSError | NotText) -> str:
    """One clear line about a file that cannot be read."""
    name = "standard input" if place == STANDARD_INPUT else repr(place)
    if isinstance(error, NotText):
        return f"{name} is {error}"
    return f"cannot read {name}: {error.strerror or error}; name a CSV file, or - for standard input"


def tell(text: str, code: int) -> int:
    """Write the answer to standard output and hand back the exit code; a reader that went away is no error to shout about."""
    if sys.stdout is None:
        return _cannot_write("it is closed")
    try:
        sys.stdout.buffer.write(text.encode(sys.stdout.encoding or "utf-8", errors="replace") + b"\n")
        sys.stdout.flush()
    except OSError as e:
        _hush_standard_output()
        return CLOSED_PIPE if isinstance(e, BrokenPipeError) else _cannot_write(e.strerror or str(e))
    return code


def _hush_standard_output() -> None:
    """What is left in Python's buffer goes nowhere, so that its own last flush is quiet."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _cannot_write(why: str) -> int:
    if sys.stderr is not None:
        sys.stderr.write(f"drydock: cannot write to standard output: {why}\n")
    return CANNOT_WRITE


def as_json(answer: Discovery) -> str:
    """ASCII only, so that any console can print it and no name of a column can steer a terminal."""
    document = answer.model_dump(mode="json")
    for column in document["columns"]:
        column["name"] = column.pop("column")
    document["columns"] = [{"name": column["name"], **column} for column in document["columns"]]
    return json.dumps(document, ensure_ascii=True, indent=2)


def as_text(answer: Discovery) -> str:
    """A line per column for people: kind, confidence, evidence and what hides inside."""
    facts = answer.file
    delimiter = {"\t": "tab", "": "none"}.get(facts.delimiter, facts.delimiter)
    head = (
        f"{facts.rows_looked_at} rows looked at, {facts.columns} columns, {facts.encoding or 'empty'}, delimiter {delimiter}, "
        f"{'with' if facts.has_header else 'without'} header, {facts.short_rows} short and {facts.long_rows} long rows"
    )
    if not facts.rows:
        head += "\nnothing was examined: the file has no data rows"
    return "\n".join([head, *map(_line, answer.columns)])


def _line(column: Proposal) -> str:
    name = _padded(str(clean_text(column.column)), 32)
    evidence = column.evidence
    inside = ", ".join(f"{f.kind} in {f.values}" for f in column.found_inside)
    counts = f"{evidence.check_passed}/{evidence.non_empty}" if column.kind else f"-/{evidence.non_empty}"
    sign = "!" if column.sensitive else " "
    kind = column.kind or (f"({column.level_hint})" if column.level_hint == "organisation" and not inside else "-")
    sure = f"{column.confidence:.2f}" if column.kind else "    "
    return f"{sign}{column.position:>4} {name} {kind:16} {sure} {counts:>16} {evidence.decided_by:12} {inside}".rstrip()


def _padded(text: str, width: int) -> str:
    """Cut or filled to so many columns of a terminal: a Chinese character takes two."""
    widths = [2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text]
    while sum(widths) > width:
        widths.pop()
    return text[: len(widths)] + " " * (width - sum(widths))

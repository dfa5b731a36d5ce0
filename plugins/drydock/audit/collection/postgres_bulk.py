"""csvlog and jsonlog of PostgreSQL by the kernel, in blocks: the same records as the careful reader, many times faster.

The kernel reads rows of sure shape; what else begins a line is read by the careful reader, from there on until rows of sure shape
begin again, and so is the content of single rows that needs more than the kernel knows (plans, sessions, secrets, tautologies).
Without a compiler the careful reader reads all of it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from drydock.audit.collection.framing import batches_of
from drydock.audit.collection.postgres_frames import Stretch, batch_of
from drydock.audit.kernel.compiled import Kernel, LogRows, load
from drydock.audit.parsing import reading
from drydock.audit.parsing.blocks import Context
from drydock.audit.parsing.lines import Lines
from drydock.audit.parsing.postgres_logs import is_sure_csv_row
from drydock.audit.parsing.records import Piece
from drydock.audit.parsing.times import Clock
from drydock.audit.results import Batch

BLOCK_BYTES = 16 * 1024 * 1024
MOST_HELD = 64 * 1024 * 1024  # bytes of one row; a longer one is the careful reader's
LEAST_CAREFUL = 256 * 1024  # bytes that the careful reader takes before the kernel is tried again
_HEAD = 4096
_NOTHING = np.zeros(0, np.uint8)
_OTHER = (b"\x1f\x8b", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\x28\xb5\x2f\xfd")


def is_bulk(path: Path) -> bool:
    """True for a plain file that begins with a row of csvlog or jsonlog. Raises OSError."""
    with path.open("rb") as stream:
        return sort_of(stream.read(_HEAD)) != ""


def sort_of(head: bytes) -> str:
    """csv or json where a file that begins so is one for the kernel; empty for any other."""
    first = head.split(b"\n", 1)[0]
    if head.startswith(_OTHER) or any(mark in head for mark in reading.SPILLOVER_MARKS):
        return ""
    if is_sure_csv_row(first):
        return "csv"
    return "json" if first.startswith(b'{"timestamp":"') else ""


def bulk_batches(
    path: Path,
    begin: datetime,
    end: datetime,
    zone: tzinfo,
    dated: datetime | None = None,
    name: str | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[Batch]:
    """The batches of what belongs to [begin, end), in the order of the file, for a file of any sort.

    `dated` as in `framing.batches_of`; `name`: of the file as records tell it, its own where None. Raises OSError.
    """
    clock, told = Clock(zone), path.name if name is None else name
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
        stream.seek(0)
        sort, kernel = sort_of(head), load().kernel
        if not sort or kernel is None:
            yield from batches_of(reading.pieces(stream, clock), told, begin, end, dated=dated)
            return
        yield from _Bulk(stream, kernel, sort == "json", Stretch(told, begin, end, clock, dated), block_bytes).batches()


class _Read(NamedTuple):
    """Rows of the kernel, the bytes that it was given, and whether the file ends with them."""

    rows: LogRows
    data: np.ndarray
    is_last: bool

    @property
    def rest(self) -> np.ndarray:
        """What the kernel left over."""
        return self.data[self.rows.consumed :]

    @property
    def is_stuck(self) -> bool:
        """True where the kernel stands before something that it does not surely understand."""
        return len(self.rest) > 0 and (not self.rows.is_short or len(self.rest) > MOST_HELD)


@dataclass
class _Bulk:
    """Where the reading of one file stands: at byte `offset`, the first of the line of number `line`."""

    stream: BinaryIO
    kernel: Kernel
    is_json: bool
    stretch: Stretch
    block_bytes: int
    offset: int = 0
    line: int = 1

    def batches(self) -> Iterator[Batch]:
        """The next rows are read while those before become frames."""
        with ThreadPoolExecutor(1) as ahead:
            coming: Future[_Read] | None = ahead.submit(self.read, _NOTHING)
            while coming is not None:
                read, line = coming.result(), self.line
                self.offset += read.rows.consumed
                self.line += read.rows.lines
                is_over = read.is_stuck or (read.is_last and not len(read.rest))
                coming = None if is_over else ahead.submit(self.read, read.rest)
                yield from batch_of(read.rows, read.data, line, self.stretch)
                if read.is_stuck:
                    has_more = yield from self.careful()
                    coming = ahead.submit(self.read, _NOTHING) if has_more else None

    def read(self, rest: np.ndarray) -> _Read:
        """The rows of the next block, which begins with what the one before left over."""
        data = np.empty(len(rest) + self.block_bytes, np.uint8)
        data[: len(rest)] = rest
        size = self.stream.readinto(data[len(rest) :].data)  # type: ignore[attr-defined]
        data, is_last = data[: len(rest) + size], size < self.block_bytes
        return _Read(self.kernel.read(data, is_last, self.is_json), data, is_last)

    def careful(self) -> Generator[Batch, None, bool]:
        """What the careful reader makes of the file from here on, until rows of sure shape follow or the file ends: False."""
        self.stream.seek(self.offset)
        lines = Lines.rest(self.stream, self.line, self.offset)
        yield from self.stretch.batches(self.pieces(lines))
        following = lines.peek()
        if following is not None:
            self.offset, self.line = following.offset, following.number
            self.stream.seek(self.offset)
        return following is not None

    def pieces(self, lines: Lines) -> Iterator[Piece]:
        context, most = Context(self.stretch.clock), self.offset + LEAST_CAREFUL
        while (line := lines.peek()) is not None:
            is_plain = context.table is None and not context.banner and not context.wasted
            if line.offset >= most and is_plain and sort_of(line.text) == ("json" if self.is_json else "csv"):
                return
            yield from reading.next_pieces(line, lines, context)

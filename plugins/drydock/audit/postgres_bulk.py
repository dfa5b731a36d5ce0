"""csvlog and jsonlog of PostgreSQL by the kernel, in blocks: the same records as the careful reader, many times faster.

The kernel reads rows of sure shape; what else begins a line is read by the careful reader, from there on until rows of sure shape
begin again, and so is the content of single rows that needs more than the kernel knows (plans, sessions, secrets, tautologies).
Without a compiler the careful reader reads all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import BinaryIO

from drydock.audit import reading
from drydock.audit.blocks import Context
from drydock.audit.framing import batches_of
from drydock.audit.kernel.compiled import Kernel, LogRows, load
from drydock.audit.lines import Lines
from drydock.audit.postgres_frames import Stretch, frame_of
from drydock.audit.postgres_logs import is_sure_csv_row
from drydock.audit.records import Piece
from drydock.audit.results import Batch
from drydock.audit.times import Clock

BLOCK_BYTES = 16 * 1024 * 1024
MOST_HELD = 64 * 1024 * 1024  # bytes of one row; a longer one is the careful reader's
LEAST_CAREFUL = 256 * 1024  # bytes that the careful reader takes before the kernel is tried again
_HEAD = 4096
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


@dataclass
class _Bulk:
    """Where the reading of one file stands."""

    stream: BinaryIO
    kernel: Kernel
    is_json: bool
    stretch: Stretch
    block_bytes: int
    data: bytes = b""  # from byte `offset` of the file on; its first line has the number `line`
    offset: int = 0
    line: int = 1
    is_last: bool = False

    def batches(self) -> Iterator[Batch]:
        """The next rows are read while those before become frames."""
        with ThreadPoolExecutor(1) as ahead:
            self.fill()
            coming = self.begin_reading(ahead)
            while coming is not None:
                rows, data, line = coming.result(), self.data, self.line
                is_stuck = self.passed(rows)
                coming = None if is_stuck else self.begin_reading(ahead)
                yield from frame_of(rows, data, line, self.stretch)
                if is_stuck:
                    yield from self.careful()
                    self.fill()
                    coming = self.begin_reading(ahead)

    def begin_reading(self, ahead: ThreadPoolExecutor) -> Future[LogRows] | None:
        return ahead.submit(self.kernel.read, self.data, self.is_last, self.is_json) if self.data else None

    def passed(self, rows: LogRows) -> bool:
        """Go behind these rows; True where the kernel stands before something that it does not surely understand."""
        self.data = self.data[rows.consumed :]
        self.offset += rows.consumed
        self.line += rows.lines
        if self.data and (not rows.is_short or len(self.data) > MOST_HELD):
            return True
        self.fill()
        return False

    def fill(self) -> None:
        block = self.stream.read(self.block_bytes)
        self.is_last = len(block) < self.block_bytes
        self.data += block

    def careful(self) -> Iterator[Batch]:
        """What the careful reader makes of the file from here on, until rows of sure shape follow or the file ends."""
        self.stream.seek(self.offset)
        lines = Lines.rest(self.stream, self.line, self.offset)
        yield from self.stretch.batches(self.pieces(lines))
        following = lines.peek()
        self.is_last = following is None
        self.data = b""
        if following is not None:
            self.offset, self.line = following.offset, following.number
            self.stream.seek(self.offset)

    def pieces(self, lines: Lines) -> Iterator[Piece]:
        context, most = Context(self.stretch.clock), self.offset + LEAST_CAREFUL
        while (line := lines.peek()) is not None:
            is_plain = context.table is None and not context.banner and not context.wasted
            if line.offset >= most and is_plain and sort_of(line.text) == ("json" if self.is_json else "csv"):
                return
            yield from reading.next_pieces(line, lines, context)

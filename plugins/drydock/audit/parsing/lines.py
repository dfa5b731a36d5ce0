"""From bytes to lines with their positions: compression, UTF-16, lines of bounded length, looking ahead and stepping back."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

READ_BYTES = 256 * 1024
LONGEST_LINE = 64 * 1024 * 1024  # bytes; a statement of 1 MB fits many times
_GZIP = b"\x1f\x8b"
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class Line(NamedTuple):
    """One line: number from 1, byte where it begins, its bytes without the end, its length with the end."""

    number: int
    offset: int
    text: bytes
    size: int
    is_cut: bool = False  # longer than LONGEST_LINE; the rest was read and is counted in `size`


class Lines:
    """The lines of a stream. Memory holds what was looked at ahead, and no more."""

    def __init__(self, stream: BinaryIO) -> None:
        self.trouble = ""  # why reading ended early, for people
        self.number = 0  # of the line read last
        self._ahead: deque[Line] = deque()
        self._source = _split(_plain(stream, self))

    @classmethod
    def rest(cls, stream: BinaryIO, number: int, offset: int) -> Lines:
        """The lines of a plain text from a place inside it on: the stream stands at line `number`, byte `offset`."""
        made = cls(io.BytesIO())
        made.number = number - 1
        made._source = _split(_blocks(stream), number, offset)
        return made

    def peek(self, position: int = 0) -> Line | None:
        """The line that is `position` lines ahead, or None at the end."""
        while len(self._ahead) <= position:
            line = next(self._source, None)
            if line is None:
                return None
            self.number = line.number
            self._ahead.append(line)
        return self._ahead[position]

    def take(self) -> Line:
        """The next line. Raises IndexError at the end."""
        if not self._ahead and self.peek() is None:
            raise IndexError("no line left")
        return self._ahead.popleft()

    def give_back(self, lines: Sequence[Line]) -> None:
        self._ahead.extendleft(reversed(lines))


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    while block := stream.read(READ_BYTES):
        yield block


def _first(blocks: Iterator[bytes], wanted: int) -> bytes:
    head = b""
    while len(head) < wanted and (block := next(blocks, b"")):
        head += block
    return head


class _Joined:
    """A stream of blocks, with `read` for gzip."""

    def __init__(self, head: bytes, blocks: Iterator[bytes]) -> None:
        self._held, self._blocks = head, blocks

    def read(self, size: int = -1) -> bytes:
        while not self._held:
            self._held = next(self._blocks, b"")
            if not self._held:
                return b""
        size = len(self._held) if size < 0 else size
        taken, self._held = self._held[:size], self._held[size:]
        return taken


def _plain(stream: BinaryIO, owner: Lines) -> Iterator[bytes]:
    blocks = _blocks(stream)
    head = _first(blocks, 4)
    if head[:2] == _GZIP:
        inner = _unzipped(_Joined(head, blocks), owner)
        yield from _as_utf8(_first(inner, 4), inner)
    else:
        yield from _as_utf8(head, blocks)


def _unzipped(joined: _Joined, owner: Lines) -> Iterator[bytes]:
    try:
        with gzip.GzipFile(fileobj=joined) as file:  # type: ignore[arg-type]
            yield from _blocks(file)  # type: ignore[arg-type]
    except (EOFError, gzip.BadGzipFile, zlib.error) as e:
        owner.trouble = f"the gzip data ends or breaks here: {e}"


def _as_utf8(head: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    encoding = _UTF16.get(head[:2])
    if encoding is None:
        yield head.removeprefix(codecs.BOM_UTF8)
        yield from blocks
        return
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    yield decoder.decode(head[2:]).encode()
    for block in blocks:
        yield decoder.decode(block).encode()
    yield decoder.decode(b"", final=True).encode()


class _Long:
    """A line that came in several blocks; what goes beyond LONGEST_LINE is counted and let go."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = self.kept = 0

    def add(self, part: bytes) -> None:
        self.size += len(part)
        part = part[: LONGEST_LINE - self.kept]
        self.kept += len(part)
        if part:
            self.parts.append(part)

    def line(self, number: int, offset: int) -> Line:
        text = b"".join(self.parts)
        is_cut = self.size > self.kept
        return Line(number, offset, text if is_cut else _without_end(text), self.size, is_cut)


def _without_end(text: bytes) -> bytes:
    text = text[:-1] if text.endswith(b"\n") else text
    return text[:-1] if text.endswith(b"\r") else text


def _split(blocks: Iterator[bytes], number: int = 1, offset: int = 0) -> Iterator[Line]:
    long = _Long()
    for block in blocks:
        start = 0
        while (end := block.find(b"\n", start) + 1) > 0:
            if long.size:
                long.add(block[start:end])
                line = long.line(number, offset)
                long = _Long()
            else:
                line = Line(number, offset, _without_end(block[start:end]), end - start)
            yield line
            number, offset, start = number + 1, offset + line.size, end
        if start < len(block):
            long.add(block[start:])
    if long.size:
        yield long.line(number, offset)

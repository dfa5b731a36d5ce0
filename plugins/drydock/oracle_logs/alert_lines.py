"""From bytes to messages: lines of bounded length, times, and the text inside an ADR log.xml.

log.xml is no XML document: it has no root, its end may be cut, and `<` may stand in texts of old releases. So it is read
tag by tag (Oracle Database Administrator's Guide 19c, "Diagnosing and Resolving Problems": alert log in XML and text).

Most lines of a large log say nothing. Their shape (digits turned to 0, addresses and generated names left out) is kept as
soon as the reader has found nothing in it, and the next line of that shape costs one look-up. Times are told only where a
line follows that is not skipped.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator
from enum import Enum
from typing import BinaryIO, NamedTuple

from drydock.oracle_logs.alert_times import parse_time

READ_BYTES = 256 * 1024
LONGEST_LINE_BYTES = 16 * 1024  # what is looked at of one line
LONGEST_HEADER_BYTES = 16 * 1024  # of one <msg ...> with its <attr> elements
LONGEST_QUIET_BYTES, MOST_QUIET = 400, 4_000  # some 2 MB at most
SHAPE = bytes.maketrans(b"123456789", b"000000000")

_RANDOM = re.compile(rb"0x[0A-Fa-f]+|o0_mf_\w+|\b[0A-F]{16,}\b|\b[0a-f]{16,}\b")  # addresses, SCNs, names by OMF, GUIDs of PDBs
_XML_START = re.compile(rb"\s*<(?:msg\s+[\w:]+=|msg\s*$|txt>)")
_TAGS = re.compile(rb"(<msg(?=[\s>]|$)|</msg>|<txt/?>|</txt>)")
_ATTRIBUTE = re.compile(rb"""\b(time|prob_key|con_name)=(?:'([^']*)'|"([^"]*)")""")


class Kind(Enum):
    """What a step of the log is."""

    TIME = "time"
    LINE = "line"
    PROBLEM = "problem"  # prob_key of a <msg>: 'ORA 600 [kdsgrp1]'
    CONTAINER = "container"  # con_name of a <msg>
    END = "end"  # of a <msg>


class Step(NamedTuple):
    kind: Kind
    number: int  # of the line in the file, from 1
    data: bytes
    shape: bytes = b""  # of a line


class Watch:
    """What the reader and the lines tell each other: what may be skipped, and what was counted all the same."""

    def __init__(self) -> None:
        self.quiet: set[bytes] = {b"", b"\r"}
        self.is_open = False  # the reader wants each line: a statement goes on, or a line waits for the next
        self.messages = self.xml_messages = self.lines = 0
        self.first = self.last = b""  # times, as they stand in the log

    def hush(self, shape: bytes) -> None:
        """Skip lines of this shape from now on."""
        if len(shape) <= LONGEST_QUIET_BYTES:
            if len(self.quiet) >= MOST_QUIET:
                self.quiet.clear()
                self.quiet.update((b"", b"\r"))
            self.quiet.add(shape)

    def skips(self, shape: bytes) -> bytes | None:
        """None for a line that may be skipped; else its shape without what is random in it."""
        if shape in self.quiet and not self.is_open:
            return None
        plain = _RANDOM.sub(b"0", shape)
        return None if plain in self.quiet and not self.is_open else plain

    def begin(self, time: bytes) -> None:
        self.messages += 1
        self.first, self.last = self.first or time, time


def steps(stream: BinaryIO, watch: Watch) -> Iterator[Step]:
    """The log as times and lines of text; one XML message gives TIME, LINE..., END. Memory does not grow with the log.

    Skips what `watch` knows to be quiet, and a time or an end where only such lines stand before the next.
    """
    text, xml, quiet, number = _TextReader(watch), _XmlReader(watch), watch.quiet, 0
    for lines in _batches(stream):
        shapes = b"\n".join(lines).translate(SHAPE).split(b"\n") if lines else []
        for line, shape in zip(lines, shapes, strict=True):
            number += 1
            if xml.is_inside:
                yield from xml.read(number, line)
            elif shape in quiet and not watch.is_open:
                continue
            elif b"<" in line and _XML_START.match(line):
                yield from text.flush()
                yield from xml.read(number, _tidy(line))
            else:
                yield from text.read(number, line, shape)
    yield from text.flush()
    yield from xml.close(number)
    watch.lines = number


class _TextReader:
    """Lines of a text log. A time is told only before a line that is told, so that quiet stretches cost little."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.times: set[bytes] = set()  # shapes of lines that are a time and nothing else
        self.pending: Step | None = None

    def read(self, number: int, line: bytes, shape: bytes) -> Iterator[Step]:
        if shape in self.times:
            yield from self._time(number, line)
        elif b":00:00" in shape and (found := parse_time(_tidy(line))):
            if line.isascii() and not found[1].strip() and len(self.times) < MOST_QUIET and len(line) <= LONGEST_QUIET_BYTES:
                self.times.add(shape)
            yield from self._time(number, found[0].encode())
            if found[1].strip():
                rest = found[1].lstrip(b" :")
                yield from self._line(number, rest, rest.translate(SHAPE))
        else:
            yield from self._line(number, line, shape)

    def _time(self, number: int, time: bytes) -> Iterator[Step]:
        self.watch.begin(time)
        self.pending = Step(Kind.TIME, number, time)
        if self.watch.is_open:
            yield from self.flush()

    def _line(self, number: int, line: bytes, shape: bytes) -> Iterator[Step]:
        plain = self.watch.skips(shape)
        if plain is not None:
            yield from self.flush()
            yield Step(Kind.LINE, number, _tidy(line), plain)

    def flush(self) -> Iterator[Step]:
        """The time that waits to be told."""
        if self.pending:
            pending, self.pending = self.pending, None
            yield pending


class _XmlReader:
    """Where in a <msg> the stream stands."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.is_inside = False
        self.header: bytes | None = None  # collected while a <msg> or its attributes are read
        self.in_text = False
        self.pending: list[Step] = []  # time and container of a message of which no line was told yet

    def read(self, number: int, line: bytes) -> Iterator[Step]:
        line = _tidy(line)
        for token in _TAGS.split(line) if b"<" in line else (line,):
            if token[:1] == b"<" and _TAGS.fullmatch(token):
                yield from self._tag(number, token)
            elif self.in_text:
                yield from self._text(number, token)
            elif self.header is not None and len(self.header) < LONGEST_HEADER_BYTES:
                self.header += token + b" "
        self.is_inside = self.in_text or self.is_inside

    def _text(self, number: int, token: bytes) -> Iterator[Step]:
        parts = [token]
        if b"&" in token:
            parts = html.unescape(token.decode("latin-1")).encode("latin-1", "replace").split(b"\n")
        for part in parts:
            plain = self.watch.skips(part.translate(SHAPE))
            if plain is not None:
                yield from self._flush()
                yield Step(Kind.LINE, number, part, plain)

    def _tag(self, number: int, tag: bytes) -> Iterator[Step]:
        yield from self._begin(number)
        if tag == b"<msg":
            if self.in_text:  # the message before was cut
                yield from self._end(number)
            self.header, self.is_inside, self.in_text = b"", True, False
        elif tag == b"<txt>":
            self.in_text = True
        elif tag == b"</txt>":
            self.in_text = False
        elif tag == b"</msg>":
            self.in_text = self.is_inside = False
            yield from self._end(number)

    def _begin(self, number: int) -> Iterator[Step]:
        """Tell what the attributes say, once they are all there."""
        if self.header is None:
            return
        found = {name: html.unescape((a or b).decode("latin-1")) for name, a, b in _ATTRIBUTE.findall(self.header)}
        self.header = None
        time = found.get(b"time", "").encode("latin-1", "replace")
        self.watch.begin(time)
        self.pending = [Step(Kind.TIME, number, time)]
        for name, kind in ((b"con_name", Kind.CONTAINER), (b"prob_key", Kind.PROBLEM)):
            if found.get(name):
                self.pending.append(Step(kind, number, found[name].encode("latin-1", "replace")))
        if self.watch.is_open or b"prob_key" in found:
            yield from self._flush()

    def _flush(self) -> Iterator[Step]:
        pending, self.pending = self.pending, []
        yield from pending

    def _end(self, number: int) -> Iterator[Step]:
        self.watch.xml_messages += 1
        if not self.pending:
            yield Step(Kind.END, number, b"")
        self.pending = []

    def close(self, number: int) -> Iterator[Step]:
        """The log was cut inside a message."""
        if self.is_inside:
            yield from self._begin(number)
            yield from self._end(number)


def _batches(stream: BinaryIO) -> Iterator[list[bytes]]:
    """Lines as they came with each chunk, without their line feeds; of a longer one the first LONGEST_LINE_BYTES."""
    rest, is_overlong = b"", False
    for chunk in _chunks(stream):  # zero bytes stand where a log was cut while the instance held it open
        *lines, rest = (rest + chunk.replace(b"\0", b"")).split(b"\n")
        if is_overlong and lines:
            del lines[0]
            is_overlong = False
        if len(rest) > LONGEST_LINE_BYTES:
            if not is_overlong:
                lines.append(rest[:LONGEST_LINE_BYTES])
            rest, is_overlong = b"", True
        yield lines
    if rest and not is_overlong:
        yield [rest]


def _tidy(line: bytes) -> bytes:
    return line[:LONGEST_LINE_BYTES].rstrip(b"\r")


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    """Bytes as they are, without a byte order mark; UTF-16 turned into UTF-8."""
    start = b""
    while len(start) < 3 and (more := stream.read(READ_BYTES)):
        start += more
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        decoder = codecs.getincrementaldecoder("utf-16")("replace")
        yield decoder.decode(start).encode("utf-8", "replace")
        while chunk := stream.read(READ_BYTES):
            yield decoder.decode(chunk).encode("utf-8", "replace")
        return
    yield start.removeprefix(codecs.BOM_UTF8)
    while chunk := stream.read(READ_BYTES):
        yield chunk

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
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import BinaryIO, NamedTuple

from drydock.oracle_logs.alert_times import parse_time

READ_BYTES = 256 * 1024
LONGEST_LINE_BYTES = 16 * 1024  # what is looked at of one line
LONGEST_HEADER_BYTES = 16 * 1024  # of one <msg ...> with its <attr> elements
LONGEST_QUIET_BYTES, MOST_QUIET = 400, 4_000  # of each kind, some 2 MB at most
SHAPE = bytes.maketrans(b"123456789", b"000000000")

_RANDOM = (  # addresses and SCNs, names by OMF, GUIDs of PDBs in names of files: a sign of each, and the pattern
    (b"0x", re.compile(rb"0x[0A-Fa-f]+")),
    (b"o0_mf_", re.compile(rb"o0_mf_\w+")),
    (b"/", re.compile(rb"/[0A-F]{32}/")),
)
_KANA = re.compile(rb"(?:[\x82\x83][\x40-\xf1]){3}")
_CJK_PAIRS = re.compile(rb"[\x81-\xfe][\x81-\xfe]")
_XML_START = re.compile(rb"\s*<(?:msg\s+[\w:]+=|msg\s*$|txt>)")
_TAGS = re.compile(rb"(<msg(?=[\s>]|$)|</msg>|<txt/?>|</txt>)")
_PLAIN_HEADER = re.compile(rb"\s+time='([\d:.T+-]+)'")
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
        self.plain: set[bytes] = set()  # shapes that tell nothing, without what is random in them
        self.quiet: set[bytes] = {b"", b"\r"}  # and as they stood in the log, where that came twice: may be lost
        self.once: set[bytes] = set()  # as they stood in the log, where it came once
        self.is_open = False  # the reader wants each line: a statement goes on, or a line waits for the next
        self.messages = self.xml_messages = self.lines = 0
        self.first = self.last = b""  # times, as they stand in the log
        self.latest, self.turns = b"", 0  # the time read last, and how often it became another

    def hush(self, plain: bytes) -> None:
        """Skip lines of this shape from now on; never one that may be a time or a tag elsewhere."""
        if b":00:00" not in plain and b"<" not in plain:
            _keep(plain, self.plain)

    def skips(self, shape: bytes) -> bytes | None:
        """None for a line that may be skipped; else its shape without what is random in it."""
        if shape in self.quiet and not self.is_open:
            return None
        plain = shape
        for sign, pattern in _RANDOM:
            if sign in plain:
                plain = pattern.sub(b"0", plain)
        if plain not in self.plain or self.is_open:
            return plain
        _keep(shape, self.quiet if shape in self.once else self.once)
        return None

    def begin(self, time: bytes) -> None:
        self.turn(time)
        self.first, self.last = self.first or time, time

    def turn(self, time: bytes) -> None:
        self.messages += 1
        if time != self.latest:
            self.latest, self.turns = time, self.turns + 1


def _keep(shape: bytes, known: set[bytes]) -> None:
    if len(shape) <= LONGEST_QUIET_BYTES:
        if len(known) >= MOST_QUIET:
            known.clear()
        known.add(shape)


def steps(stream: BinaryIO, watch: Watch) -> Iterator[Step]:
    """The log as times and lines of text; one XML message gives TIME, LINE..., END. Memory does not grow with the log.

    Skips what `watch` knows to be quiet, and a time or an end where only such lines stand before the next.
    """
    text, number = _TextReader(watch), 0
    xml = _XmlReader(watch, text)
    quiet, times = watch.quiet, text.times
    for lines in _batches(stream):
        for line, shape in zip(lines, _shapes(lines), strict=True):
            number += 1
            if xml.is_inside:
                yield from xml.read(number, line)
            elif watch.is_open:
                yield from _slowly(number, line, shape, text, xml)
            elif shape in times:
                text.pending = line
                watch.turn(line)
            elif shape not in quiet and (b":00:00" in shape or b"<" in shape or watch.skips(shape) is not None):
                yield from _slowly(number, line, shape, text, xml)
    yield from text.flush(number)
    yield from xml.close(number)
    watch.lines = number


def _shapes(lines: list[bytes]) -> list[bytes]:
    return b"\n".join(lines).translate(SHAPE).split(b"\n") if lines else []


def _slowly(number: int, line: bytes, shape: bytes, text: _TextReader, xml: _XmlReader) -> Iterable[Step]:
    if b"<" in line and _XML_START.match(line):
        return xml.read(number, line)
    return text.read(number, _tidy(line), shape)


class _TextReader:
    """Lines of a text log. A time is told only before a line that is told, so that quiet stretches cost little."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.times: set[bytes] = set()  # shapes of lines that are a time and nothing else
        self.pending = b""

    def read(self, number: int, line: bytes, shape: bytes) -> Iterator[Step]:
        if b":00:00" not in shape or (found := parse_time(line)) is None:
            yield from self._line(number, line, shape)
            return
        time, rest = found
        yield from self.flush(number)
        self.pending = time.encode() if rest.strip() else line
        self.watch.turn(self.pending)
        if self.watch.is_open or not self.watch.first:
            yield from self.flush(number)
        if rest.strip():
            yield from self._line(number, rest.lstrip(b" :"), rest.lstrip(b" :").translate(SHAPE))
        elif line.isascii():
            _keep(shape, self.times)

    def _line(self, number: int, line: bytes, shape: bytes) -> Iterator[Step]:
        plain = self.watch.skips(shape)
        if plain is not None:
            yield from self.flush(number)
            yield Step(Kind.LINE, number, line, plain)

    def flush(self, number: int) -> Iterator[Step]:
        """The time that waits to be told."""
        if self.pending:
            time, self.pending = self.pending, b""
            self.watch.first, self.watch.last = self.watch.first or time, time
            yield Step(Kind.TIME, number, time)


class _XmlReader:
    """Where in a <msg> the stream stands."""

    def __init__(self, watch: Watch, text: _TextReader) -> None:
        self.watch = watch
        self.text = text  # for the time of a line outside of a message
        self.is_inside = False
        self.header: bytes | None = None  # collected while a <msg> or its attributes are read
        self.in_text = False
        self.pending: list[Step] = []  # time and container of a message of which no line was told yet

    def read(self, number: int, line: bytes) -> Iterable[Step]:
        if b"<" not in line:
            if self.in_text:
                return self._text(number, _tidy(line))
            if self.header is not None and len(self.header) < LONGEST_HEADER_BYTES:
                self.header += _tidy(line) + b" "
            return ()
        ending = line.strip()
        if ending == b"</txt>" and self.header is None:
            self.in_text = False
            return ()
        if ending == b"</msg>" and self.header is None:
            self.in_text = self.is_inside = False
            return self._end(number)
        return self._tags(number, _tidy(line))

    def _tags(self, number: int, line: bytes) -> list[Step]:
        found: list[Step] = []
        for at, token in enumerate(_TAGS.split(line)):
            if at % 2:
                found += self._tag(number, token)
            elif self.in_text:
                found += self._text(number, token)
            elif self.header is not None and len(self.header) < LONGEST_HEADER_BYTES:
                self.header += token + b" "
        self.is_inside = self.in_text or self.is_inside
        return found

    def _text(self, number: int, token: bytes) -> Sequence[Step]:
        if token.translate(SHAPE) in self.watch.quiet and not self.watch.is_open:
            return ()
        parts, found = [token], []
        if b"&" in token:
            parts = html.unescape(token.decode("latin-1")).encode("latin-1", "replace").split(b"\n")
        for part in parts:
            plain = self.watch.skips(part.translate(SHAPE))
            if plain is not None:
                found += [*self._flush(number), Step(Kind.LINE, number, part, plain)]
        return found

    def _tag(self, number: int, tag: bytes) -> Sequence[Step]:
        found = self._begin(number) if self.header is not None else []
        if tag == b"<msg":
            if self.in_text:  # the message before was cut
                found += self._end(number)
            self.header, self.is_inside, self.in_text = b"", True, False
        elif tag == b"<txt>":
            self.in_text = True
        elif tag == b"</txt>":
            self.in_text = False
        elif tag == b"</msg>":
            self.in_text = self.is_inside = False
            found += self._end(number)
        return found

    def _begin(self, number: int) -> list[Step]:
        """Tell what the attributes say, once they are all there."""
        header, self.header = self.header or b"", None
        if (plain := _PLAIN_HEADER.match(header)) and b"con_name" not in header and b"prob_key" not in header:
            self.watch.begin(plain[1])
            self.text.pending, self.pending = b"", [Step(Kind.TIME, number, plain[1])]
            return self._flush(number) if self.watch.is_open else []
        found = {name: html.unescape((a or b).decode("latin-1")) for name, a, b in _ATTRIBUTE.findall(header)}
        time = found.get(b"time", "").encode("latin-1", "replace")
        self.watch.begin(time)
        self.text.pending, self.pending = b"", [Step(Kind.TIME, number, time)]
        for name, kind in ((b"con_name", Kind.CONTAINER), (b"prob_key", Kind.PROBLEM)):
            if found.get(name):
                self.pending.append(Step(kind, number, found[name].encode("latin-1", "replace")))
        return self._flush(number) if self.watch.is_open or b"prob_key" in found else []

    def _flush(self, number: int) -> list[Step]:
        if not self.pending:
            return list(self.text.flush(number))
        pending, self.pending = self.pending, []
        return pending

    def _end(self, number: int) -> list[Step]:
        self.watch.xml_messages += 1
        if not self.pending:
            return [Step(Kind.END, number, b"")]
        self.text.pending, self.pending = self.pending[0].data, []  # a line of text may follow
        return []

    def close(self, number: int) -> list[Step]:
        """The log was cut inside a message."""
        if not self.is_inside:
            return []
        return [*(self._begin(number) if self.header is not None else []), *self._end(number)]


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


def readable(line: bytes) -> str:
    """A line for people: UTF-8, else the code page that its bytes look like (Japanese, Chinese, Western European)."""
    try:
        return line.decode("utf-8").strip()
    except UnicodeDecodeError:
        code_page = "cp932" if _KANA.search(line) else "gb18030" if _CJK_PAIRS.search(line) else "cp1252"
        return line.decode(code_page, "replace").strip()

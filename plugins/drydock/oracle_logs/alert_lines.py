"""From bytes to messages: lines of bounded length, times, and the text inside an ADR log.xml.

log.xml is no XML document: it has no root, its end may be cut, and `<` may stand in texts of old releases. So it is read
tag by tag (Oracle Database Administrator's Guide 19c, "Diagnosing and Resolving Problems": alert log in XML and text).
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
SHAPE = bytes.maketrans(b"123456789", b"000000000")
LONGEST_HEADER_BYTES = 16 * 1024  # of one <msg ...> with its <attr> elements

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


def steps(stream: BinaryIO) -> Iterator[Step]:
    """The log as times and lines of text; one XML message gives TIME, LINE..., END. Memory does not grow with the log."""
    xml, number = _XmlReader(), 1
    for number, line in enumerate(_lines(stream), 1):
        if xml.is_inside or (line.lstrip()[:1] == b"<" and _XML_START.match(line)):
            yield from xml.read(number, line)
        elif b":00:00" in line.translate(SHAPE) and (found := parse_time(line)):
            yield Step(Kind.TIME, number, found[0].encode())
            if found[1].strip():
                yield Step(Kind.LINE, number, found[1].lstrip(b" :"))
        else:
            yield Step(Kind.LINE, number, line)
    yield from xml.close(number)


class _XmlReader:
    """Where in a <msg> the stream stands."""

    def __init__(self) -> None:
        self.header: bytes | None = None  # collected while a <msg> or its attributes are read
        self.in_text = False
        self.in_message = False

    @property
    def is_inside(self) -> bool:
        return self.in_message or self.in_text

    def read(self, number: int, line: bytes) -> Iterator[Step]:
        for token in _TAGS.split(line):
            if _TAGS.fullmatch(token):
                yield from self._tag(number, token)
            elif self.in_text:
                for part in html.unescape(token.decode("latin-1")).encode("latin-1", "replace").split(b"\n"):
                    yield Step(Kind.LINE, number, part)
            elif self.header is not None and len(self.header) < LONGEST_HEADER_BYTES:
                self.header += token + b" "

    def _tag(self, number: int, tag: bytes) -> Iterator[Step]:
        yield from self._begin(number)
        if tag == b"<msg":
            if self.in_text:  # the message before was cut
                yield Step(Kind.END, number, b"")
            self.header, self.in_message, self.in_text = b"", True, False
        elif tag == b"<txt>":
            self.in_text = True
        elif tag == b"</txt>":
            self.in_text = False
        elif tag == b"</msg>":
            self.in_text = self.in_message = False
            yield Step(Kind.END, number, b"")

    def _begin(self, number: int) -> Iterator[Step]:
        """Tell what the attributes say, once they are all there."""
        if self.header is None:
            return
        found = {name: html.unescape((a or b).decode("latin-1")) for name, a, b in _ATTRIBUTE.findall(self.header)}
        self.header = None
        yield Step(Kind.TIME, number, found.get(b"time", "").encode("latin-1", "replace"))
        for name, kind in ((b"con_name", Kind.CONTAINER), (b"prob_key", Kind.PROBLEM)):
            if found.get(name):
                yield Step(kind, number, found[name].encode("latin-1", "replace"))

    def close(self, number: int) -> Iterator[Step]:
        """The log was cut inside a message."""
        if self.is_inside:
            yield from self._begin(number)
            yield Step(Kind.END, number, b"")


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines without their ends; of a longer one the first LONGEST_LINE_BYTES."""
    rest, is_overlong = b"", False
    for chunk in _chunks(stream):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if not is_overlong:
                yield _tidy(line)
            is_overlong = False
        if len(rest) > LONGEST_LINE_BYTES:
            if not is_overlong:
                yield _tidy(rest)
            rest, is_overlong = b"", True
    if rest and not is_overlong:
        yield _tidy(rest)


def _tidy(line: bytes) -> bytes:
    """Zero bytes stand where a log was cut while the instance held it open."""
    return line[:LONGEST_LINE_BYTES].replace(b"\0", b"").rstrip(b"\r")


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

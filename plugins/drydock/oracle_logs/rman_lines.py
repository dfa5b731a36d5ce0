"""Bytes of a log into lines, in constant memory, whatever the encoding.

RMAN writes in the language and code page of its client (Globalization Support Guide, NLS_LANG), Windows shells add
UTF-16. Lines stay bytes: everything that is looked for is ASCII, and no code page of the six languages uses the bytes
below 0x40 (digits, `:`, `=`, `;`, newline) inside a character.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

CHUNK_BYTES = 1 << 18
LONGEST_LINE_BYTES = 1 << 11  # what follows in a longer line is dropped: handles have at most 513 bytes
SNIFFED_BYTES = 4096
UTF16_NUL_SHARE = 0.3  # of every second byte: text that is mostly ASCII
LONGEST_PREFIX = 160
PASSWORD = re.compile(rb"(?<![\w$#])([A-Za-z][\w$#]{0,29})/[^\s/@'\"]+@")

_LINE_END = re.compile(rb"\r+\n?")
_COLLECTOR = re.compile(
    rb"""(?:
        \[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?\s?(?:Z|[+-]\d\d:?\d\d|UTC)?\]?  # ISO time, as collectors write it
        |(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\s[\s\d]\d\s\d\d:\d\d:\d\d\s\S+\s[\w./-]+(?:\[\d+\])?:  # syslog
        |\[?(?:INFO|DEBUG|NOTICE|stdout|stderr)\]?[ :](?=.)
    )
    (?:\s?\{[^}]*\})?  # Airflow names its source file
    (?:\s?[|:-]?\s?\[?(?:INFO|DEBUG|ERROR|WARN(?:ING)?|NOTICE|stdout|stderr)\]?)?
    (?:\s?[|:-](?!-))?[ ]?""",
    re.X,
)
_ANCHOR = re.compile(rb"RMAN-00571: ={9}|RMAN-00569: ={9}|Recovery Manager: Release \d")
_MAY_BE_PREFIX = re.compile(rb"(?!\s*(?:#|--|//|\*|;|rem\s|echo\s|print|grep|DBG))(?![^\n]*>[^\n]*>)(?!.*(?:RMAN|\d)>)", re.I)
_WORDS = re.compile(rb"[A-Za-z0-9]+|[^A-Za-z0-9]")
_QUOTE_END = re.compile(rb"[\"'],?\s*$")
_CHANGING = frozenset(
    b"Mon Tue Wed Thu Fri Sat Sun Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
    b" INFO DEBUG ERROR WARN WARNING NOTICE Info Error Warning stdout stderr".split()
)
_COLLECTOR_STARTS = frozenset(b"[0123456789JFMASONDIs")


def read_lines(stream: BinaryIO | Iterable[bytes]) -> Iterator[list[bytes]]:
    """Lines without their ends, as they came with each chunk. Holds one chunk; the lines do not depend on the chunks."""
    rest = b""
    for chunk in _normal_ends(_transcoded(_chunks(stream))):
        *lines, rest = (rest + chunk).split(b"\n")
        rest = rest[:LONGEST_LINE_BYTES]
        if lines and len(max(lines, key=len)) > LONGEST_LINE_BYTES:
            lines = [line[:LONGEST_LINE_BYTES] for line in lines]
        yield lines
    if rest:
        yield [rest]


def _chunks(stream: BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    read = getattr(stream, "read", None)
    if read is None:
        yield from stream
        return
    while chunk := read(CHUNK_BYTES):
        yield chunk


def _transcoded(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """UTF-16 and UTF-32 as UTF-8; a mark of UTF-8 and NUL bytes taken out; everything else as it is."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= SNIFFED_BYTES:
            break
    encoding, mark_bytes = _sniff(head[:SNIFFED_BYTES])
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace") if encoding else None
    for chunk in _first(head[mark_bytes:], chunks):
        text = decoder.decode(chunk).encode("utf-8", "replace") if decoder else chunk
        yield text.replace(b"\0", b"") if b"\0" in text else text


def _first(head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from chunks


def _sniff(head: bytes) -> tuple[str | None, int]:
    """Encoding to transcode from (None: none) and the length of the mark in front."""
    if head.startswith(codecs.BOM_UTF8):
        return None, 3
    if head.startswith(codecs.BOM_UTF32_LE) and len(head) >= 8:
        return "utf-32-le", 4
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16-le" if head[:1] == b"\xff" else "utf-16-be"), 2
    pairs = len(head) // 2
    if pairs < 8:
        return None, 0
    even, odd = head[0 : 2 * pairs : 2].count(0) / pairs, head[1 : 2 * pairs : 2].count(0) / pairs
    if max(even, odd) > UTF16_NUL_SHARE and min(even, odd) < UTF16_NUL_SHARE / 6:
        return ("utf-16-le" if odd > even else "utf-16-be"), 0
    return None, 0


def _normal_ends(chunks: Iterator[bytes]) -> Iterator[bytes]:
    r"""A run of `\r`, with or without `\n`, as one `\n`; one at the end of a chunk waits for what follows it."""
    held = b""
    for chunk in chunks:
        text = held + chunk
        held = b"\r" if text.endswith(b"\r") else b""
        text = text.rstrip(b"\r")
        yield _LINE_END.sub(b"\n", text) if b"\r" in text else text
    if held:
        yield b"\n"


def without_collector(line: bytes) -> bytes:
    """The line without the time and level that a log collector put before it."""
    if line[0] not in _COLLECTOR_STARTS:
        return line
    found = _COLLECTOR.match(line)
    return line[found.end() :] if found else line


class Wrapper:
    """The prefix that a wrapper puts before each line of RMAN, learned from the first banner that stands behind one.

    Digits, days, months and levels in it may change from line to line. Comments, prompts and debug lines that hold a
    banner are no prefix.
    """

    def __init__(self) -> None:
        self.prefix: re.Pattern[bytes] | None = None
        self._quoted = False

    def strip(self, line: bytes) -> bytes:
        """The line without the prefix, as it is where it has none. Never fails."""
        if self.prefix is None:
            if b": ==" not in line and b": Release " not in line:
                return line
            self._learn(line)
            if self.prefix is None:
                return line
        found = self.prefix.match(line)
        if found is None:
            return line
        rest = line[found.end() :]
        return _QUOTE_END.sub(b"", rest) if self._quoted else rest

    def strip_known(self, line: bytes) -> bytes | None:
        """The line without the prefix; None where the line could teach one, or has an end that must go too."""
        if self.prefix is None:
            return None if b": ==" in line or b": Release " in line else line
        found = None if self._quoted else self.prefix.match(line)
        return line[found.end() :] if found else None

    def _learn(self, line: bytes) -> None:
        found = _ANCHOR.search(line)
        prefix = line[: found.start()] if found else b""
        if not prefix.strip() or len(prefix) > LONGEST_PREFIX or not _MAY_BE_PREFIX.match(prefix):
            return
        kept = prefix.rstrip(b" ")
        words = (b"\\w+" if any(b in b"0123456789" for b in w) or w in _CHANGING else re.escape(w) for w in _WORDS.findall(kept))
        self.prefix = re.compile(b"".join(words) + b" {0,%d}" % (len(prefix) - len(kept)))
        self._quoted = kept.endswith((b'"', b"'"))


def as_text(line: bytes, code_page: str | None = None) -> str:
    """The line for a person: UTF-8 if it is, else the code page of the log's language, else with replacements."""
    kept = PASSWORD.sub(rb"\1/***@", line)
    for encoding in ("utf-8", code_page):
        if encoding:
            try:
                return kept.decode(encoding).rstrip()
            except UnicodeDecodeError:
                continue
    return kept.decode("cp1252", "replace").rstrip()

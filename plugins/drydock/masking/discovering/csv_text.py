"""Bytes of a file of unknown encoding as lines of text: UTF-8 and UTF-16 with and without a mark, GB 18030; memory stays flat.

Nothing is raised for bytes that no encoding explains: they become U+FFFD and are counted. Python's csv module reads NUL as
text; it is taken out here, for it splits numbers in files that were padded.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

CHUNK_BYTES = 1 << 20
LONGEST_LINE = 32 << 20  # characters; what is longer is cut
UNREADABLE = "\ufffd"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_OTHER_FORMATS = {
    b"PK\x03\x04": "a ZIP or XLSX file: unpack it, or save the sheet as CSV",
    b"\x1f\x8b": "a gzip file: pipe it through `gzip -dc` and name - as the file",
    b"BZh": "a bzip2 file: pipe it through `bzip2 -dc` and name - as the file",
    b"\xfd7zXZ": "an xz file: pipe it through `xz -dc` and name - as the file",
    b"\xd0\xcf\x11\xe0": "an old XLS file: save the sheet as CSV",
    b"PAR1": "a Parquet file: write it as CSV first",
    b"%PDF-": "a PDF file: discovery reads CSV",
}


class NotText(ValueError):
    """The bytes are those of another kind of file; the message says which and what to do."""


@dataclass
class TextFacts:
    """What was learnt of the bytes while they were read."""

    encoding: str = ""
    has_mark: bool = False
    read_bytes: int = 0
    unreadable_characters: int = 0
    nul_characters: int = 0
    cut_lines: int = 0


def text_lines(chunks: Iterable[bytes], facts: TextFacts) -> Iterator[str]:
    """Lines with their ends, however the text is encoded. Raises NotText for a file that is no text."""
    rest, is_old_mac = "", None
    for text in _texts(chunks, facts):
        if is_old_mac is None:
            is_old_mac = "\r" in text and "\n" not in text
        parts = (rest + (text.replace("\r", "\n") if is_old_mac else text)).split("\n")
        rest = parts.pop()
        for part in parts:
            yield part + "\n"
        if len(rest) > LONGEST_LINE:
            facts.cut_lines += 1
            yield rest + "\n"
            rest = ""
    if rest:
        yield rest


def _texts(chunks: Iterable[bytes], facts: TextFacts) -> Iterator[str]:
    decoder = None
    for chunk in chunks:
        if not facts.read_bytes:
            _refuse_other_formats(chunk)
            decoder, chunk = _by_mark(chunk, facts)
        facts.read_bytes += len(chunk)
        if decoder is None and not chunk.isascii():
            decoder = _decoder(guess_encoding(chunk), facts)
        yield _cleaned(decoder.decode(chunk) if decoder else chunk.decode("ascii"), facts)
    if decoder:
        yield _cleaned(decoder.decode(b"", True), facts)
    facts.encoding = facts.encoding or "ascii"


def _cleaned(text: str, facts: TextFacts) -> str:
    if UNREADABLE in text:
        facts.unreadable_characters += text.count(UNREADABLE)
    if "\0" in text:
        facts.nul_characters += text.count("\0")
        text = text.replace("\0", "")
    return text


def _refuse_other_formats(chunk: bytes) -> None:
    found = next((what for magic, what in _OTHER_FORMATS.items() if chunk.startswith(magic)), None)
    if found:
        raise NotText(found)


def _by_mark(chunk: bytes, facts: TextFacts) -> tuple[codecs.IncrementalDecoder | None, bytes]:
    """The decoder that a byte order mark, or the pattern of NULs of UTF-16 without one, asks for."""
    for mark, encoding in _MARKS:
        if chunk.startswith(mark):
            facts.has_mark, facts.read_bytes = True, len(mark)
            return _decoder(encoding, facts), chunk[len(mark) :]
    encoding = _wide_encoding(chunk[:4096])
    return (_decoder(encoding, facts) if encoding else None), chunk


def _wide_encoding(head: bytes) -> str:
    """UTF-16 without a mark: every second byte of its ASCII letters is NUL."""
    even, odd = head[0::2], head[1::2]
    if len(odd) < 8:
        return ""
    in_even, in_odd = even.count(0) / len(even), odd.count(0) / len(odd)
    if in_odd > 0.1 and in_even < 0.01:
        return "utf-16-le"
    return "utf-16-be" if in_even > 0.1 and in_odd < 0.01 else ""


def _decoder(encoding: str, facts: TextFacts) -> codecs.IncrementalDecoder:
    facts.encoding = encoding
    return codecs.getincrementaldecoder(encoding)(errors="replace")


def guess_encoding(chunk: bytes) -> str:
    """UTF-8 or GB 18030 for the first bytes that are not ASCII; a chunk may end inside a character."""
    if _decodes(chunk, "utf-8"):
        return "utf-8"
    if _decodes(chunk, "gb18030") or _errors(chunk, "gb18030") * 4 < _errors(chunk, "utf-8"):
        return "gb18030" if not _is_mostly_utf8(chunk) else "utf-8"
    return "utf-8"


def _is_mostly_utf8(chunk: bytes) -> bool:
    """A few broken bytes in a text of UTF-8: GB 18030 would explain them too, and make nonsense of the rest."""
    text = chunk.decode("utf-8", errors="replace")
    good = sum(c > "\x7f" and c != UNREADABLE for c in text)
    return good > 9 * text.count(UNREADABLE)


def _decodes(chunk: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)(errors="strict").decode(chunk)
    except UnicodeDecodeError:
        return False
    return True


def _errors(chunk: bytes, encoding: str) -> int:
    return chunk.decode(encoding, errors="replace").count(UNREADABLE)

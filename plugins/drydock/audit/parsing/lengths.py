"""Fields with a length before the value: `ACTION :[7] 'CONNECT'`, `USERID:[5] "SCOTT"`; and `DBUSER:"SCOTT"` without.

The length counts bytes of the value (some releases: characters). It is honoured where a quote and the end of the field stand
where it says; a text that was made anonymous has wrong lengths, and then the first quote that ends a field ends the value.
A value may hold quotes, line ends and whole imitated records: where its length agrees, none of them is looked at.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_NAME = re.compile(rb"\s*([A-Z][A-Za-z0-9_$# ]{0,40}?)\s*:\s*(?:\[(\d{0,9})\]\s*:?\s*)?(['\"])")
_PLAIN = rb"(?:DATABASE USER|PRIVILEGE|OSPRIV|CLIENT USER|CLIENT TERMINAL|STATUS|DBID)\s*:"  # names whose values may stand bare
_BARE = re.compile(
    rb"\s*([A-Z][A-Z0-9_$# ]{0,40}?)\s*:(?!\s*[\['\"])[ \t]*"
    rb"([^\s'\"][^\r\n'\"]{0,2000}?(?=\s*(?:[\r\n]|\Z)|\s+" + _PLAIN + rb")|(?=[\r\n]|\Z))"
)
_NEXT = (
    rb"(?=\s*\Z|,?\s+[A-Z][A-Za-z0-9_$# ]{0,40}?\s*:\s*(?:\[\d{0,9}\]\s*:?\s*)?['\"]|\s*\n[A-Z][A-Z0-9_$# ]{0,40}?\s*:|\s+"
    + _PLAIN
    + rb")"
)
_ENDS = {quote: re.compile(re.escape(quote) + _NEXT) for quote in (b"'", b'"')}
_BOUNDARY = re.compile(rb",?[ \t]*(?:\r?\n|\Z)|,?\s+[A-Z][A-Za-z0-9_$# ]{0,40}?\s*:")


class Fields(NamedTuple):
    """What was read: names and values in order, where reading stopped, and what was odd."""

    found: list[tuple[str, bytes]]
    end: int
    needs: int = 0  # the buffer must be at least so long before the last value can be judged by its length
    is_open: bool = False  # a value began and no quote ends it
    broken_lengths: int = 0


def read_fields(data: bytes, start: int, may_grow: bool) -> Fields:
    """All fields from `start` on. With `may_grow`, a value whose length points beyond the data is asked for, not guessed."""
    found: list[tuple[str, bytes]] = []
    at, broken = start, 0
    while True:
        name = _NAME.match(data, at)
        if name is None:
            bare = _BARE.match(data, at)
            if bare is None or (not found and not bare[2]):
                return Fields(found, at, broken_lengths=broken)
            found.append((bare[1].decode("latin-1"), bare[2].strip()))
            at = bare.end()
            continue
        begin = name.end()
        end = _by_length(data, begin, name)
        if end is None and may_grow and name[2] and begin + int(name[2]) >= len(data):
            return Fields(found, at, needs=begin + int(name[2]) + 1, broken_lengths=broken)
        if end is None:
            closing = _ENDS[name[3]].search(data, begin)
            broken += bool(name[2]) and (closing is not None or begin + int(name[2]) < len(data))
            if closing is None:
                found.append((name[1].decode("latin-1"), data[begin:]))
                return Fields(found, len(data), is_open=True, broken_lengths=broken)
            end = closing.start()
        found.append((name[1].decode("latin-1"), data[begin:end]))
        at = end + 1
        if data[at : at + 1] == b",":
            at += 1


def _by_length(data: bytes, begin: int, name: re.Match[bytes]) -> int | None:
    """Where the value ends if its length is right, else None."""
    if not name[2]:
        return None
    length, quote = int(name[2]), name[3]
    if _is_end(data, begin + length, quote):
        return begin + length
    piece = data[begin : begin + 4 * length + 4]
    if piece.isascii():
        return None
    for encoding in ("utf-8", "gb18030"):
        end = begin + len(piece.decode(encoding, "ignore")[:length].encode(encoding, "ignore"))
        if _is_end(data, end, quote):
            return end
    return None


def _is_end(data: bytes, at: int, quote: bytes) -> bool:
    return data[at : at + 1] == quote and _BOUNDARY.match(data, at + 1) is not None

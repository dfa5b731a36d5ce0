"""The unit that all searches read: some rows of one table as bytes, cells parted by tabs, rows by newlines.

Inside a cell, newline and return stand as VT and tab as FF, so that one byte tells where a cell ends. NULL reads
as an empty cell.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drydock.masking.verification.packed import opened

CELL_END, ROW_END = 0x09, 0x0A
LINE_INSIDE, TAB_INSIDE = b"\x0b", b"\x0c"

_HEX_CELL = re.compile(rb"\\x[0-9a-f]*")


@dataclass(frozen=True)
class Block:
    """`places[i]` names column i; `text` holds whole rows, each of len(places) cells and ended by a newline.
    `of_rows`: they are data of a table."""

    places: tuple[str, ...]
    text: bytes
    of_rows: bool = False


def clean(value: bytes) -> bytes:
    """A value as the inside of a cell."""
    return value.replace(b"\n", LINE_INSIDE).replace(b"\r", LINE_INSIDE).replace(b"\t", TAB_INSIDE)


def block_of(texts: Sequence[tuple[str, bytes]]) -> Block:
    """One row, in which every text has a place of its own."""
    return Block(tuple(place for place, _ in texts), b"\t".join(clean(text) for _, text in texts) + b"\n")


def unescape(copied: bytes) -> bytes:
    """COPY's text format without its escapes (PostgreSQL manual, COPY, Text Format)."""
    if b"\\" not in copied:
        return copied
    text = copied.replace(b"\\\\", b"\x00")  # NUL cannot occur in a text of PostgreSQL
    for escaped, meant in ((b"\\n", LINE_INSIDE), (b"\\r", LINE_INSIDE), (b"\\t", TAB_INSIDE), (b"\\N", b"")):
        text = text.replace(escaped, meant)
    for letter in (b"\\b", b"\\f", b"\\v"):
        text = text.replace(letter, b" ")
    return text.replace(b"\x00", b"\\")


def with_binary_opened(block: Block) -> Block:
    """Binary cells (`\\x...`) as the texts they may hold: as they are, without the NULs of UTF-16, unpacked."""
    if b"\\x" not in block.text:
        return block
    text = _HEX_CELL.sub(lambda m: clean(opened(_from_hex(m[0][2:]))), block.text)
    return Block(block.places, text, block.of_rows)


def cell_ends(text: np.ndarray) -> np.ndarray:
    """Offsets of the bytes that end a cell."""
    return np.flatnonzero((text == CELL_END) | (text == ROW_END))


def _from_hex(digits: bytes) -> bytes:
    return bytes.fromhex(digits[: len(digits) & ~1].decode())

"""Texts that stand in a transport coding: runs of base64 and of hexadecimal digits, opened beside the run.

A run is opened where what comes out could be a value: text in UTF-8 or UTF-16, or packed text. Runs are found by arrays of
bytes; only those with small and capital letters mixed, or with hexadecimal digits alone, are tried one by one.
"""

from __future__ import annotations

import binascii
import re
from functools import lru_cache

import numpy as np

from drydock.masking.verification.blocks import LINE_INSIDE, Block, clean
from drydock.masking.verification.packed import MARK, opened, texts_of, unpacked

SHORTEST_BASE64 = 12  # letters: nine bytes, a name of three Chinese letters
SHORTEST_HEX = 22  # digits: eleven bytes, a phone; a shorter run is a number that is searched as it stands
LINES = (64, 76)  # letters of a full line of base64 (PEM; MIME and PostgreSQL's encode)
TRIED = 1 << 16  # runs whose answer is remembered: names of fields come again in every row

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_HEX = b"0123456789abcdefABCDEF"
_SAYS = re.compile(rb"[0-9]{7}|[0-9A-Za-z ._@-]{9}")
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_LINE_ENDS = str.maketrans("\t\r\n", "   ")
_EVEN = 4  # letters of base64 that are three bytes


def _table(letters: bytes) -> np.ndarray:
    table = np.zeros(256, bool)
    table[list(letters)] = True
    return table


_IS_CODE, _IS_HEX = _table(_ALPHABET), _table(_HEX)
_IS_UPPER, _IS_LOWER = _table(_ALPHABET[:26]), _table(_ALPHABET[26:52])


def with_codings_opened(block: Block) -> Block:
    """The block with each run that says something opened behind it, in the same cell."""
    text, pieces, done, before, line = block.text, [], 0, 0, b""
    for begin, end in _runs(text):
        joins = line and text[before:begin].strip(LINE_INSIDE) == b""
        run = line + text[begin:end] if joins else text[begin:end]
        said = _said(run)
        if said:
            pieces += [text[done:end], MARK, clean(said)]
            done = end
        line = run if end - begin in LINES else b""
        before = end
    return Block(block.places, b"".join([*pieces, text[done:]]), block.of_rows) if pieces else block


def _runs(text: bytes) -> list[tuple[int, int]]:
    """Ends of the runs that may be a coding."""
    letters = np.frombuffer(text, np.uint8)
    is_code = np.concatenate([[False], _IS_CODE[letters], [False]])
    edges = np.flatnonzero(is_code[1:] != is_code[:-1])
    begins, ends = edges[::2], edges[1::2]
    long = ends - begins >= SHORTEST_BASE64
    begins, ends = begins[long], ends[long]
    if not len(begins):
        return []
    sizes = ends - begins
    firsts = np.cumsum(sizes) - sizes
    inside = letters[np.arange(sizes.sum()) + np.repeat(begins - firsts, sizes)]
    digits, upper, lower = (np.add.reduceat(table[inside], firsts, dtype=np.int32) for table in (_IS_HEX, _IS_UPPER, _IS_LOWER))
    is_hex = (digits >= sizes - 1) & (sizes >= SHORTEST_HEX)  # all but the x of 0x
    chosen = is_hex | ((upper > 0) & (lower > 0))
    return list(zip(begins[chosen].tolist(), ends[chosen].tolist(), strict=True))


@lru_cache(maxsize=TRIED)
def _said(run: bytes) -> bytes:
    """What a run is the coding of; empty where that is nothing that could be read."""
    bare = run[2:] if run[:2] in (b"0x", b"0X") else run
    if len(bare) % 2 == 0 and not bare.strip(_HEX):
        found = _readable(bytes.fromhex(bare.decode()))
        if found:
            return found
    return _readable(_from_base64(run))


def _from_base64(run: bytes) -> bytes:
    cut = run if len(run) % _EVEN != 1 else run[:-1]
    try:
        return binascii.a2b_base64(cut.translate(_TO_STANDARD) + b"=" * (-len(cut) % _EVEN))
    except binascii.Error:
        return b""


def _readable(value: bytes) -> bytes:
    """The value with the texts it may hold, if it reads as a text or is packed."""
    try:
        if value.decode().translate(_LINE_ENDS).isprintable():
            return value
    except UnicodeDecodeError:
        pass
    if unpacked(value):
        return opened(value)
    found = texts_of(value)
    return found if _SAYS.search(found) else b""

"""Folds a block so that one value has one form: upper case, half width, plain digits, escapes of JSON and XML opened.

Method: the bytes are classed by a table; runs of one class are tokens; tokens with only soft bytes between them (spaces,
hyphens, dots, line breaks, commas of thousands) form a group. A text that was broken up is a span of neighbouring tokens of
one group.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from drydock.masking.verification.blocks import LINE_INSIDE, Block, cell_ends

HARD, SOFT, DIGIT, LETTER, WIDE = range(5)
MOST_TOKENS = 24  # a value broken up into more pieces is not put together
SOFT_BYTES = b" -_./@+()\x0b\x0c"

_ESCAPED = re.compile(rb"\\u([0-9A-Fa-f]{4})|&#(?:[xX]([0-9A-Fa-f]{1,6})|([0-9]{1,7}));|%([2-7][0-9A-Fa-f])|\\([nrt/])")
_LINE_TAG = re.compile(rb"<[bB][rR] ?/?>")
_OTHER_DIGITS = {
    chr(number).encode(): str(unicodedata.digit(chr(number))).encode()
    for first, behind in ((0xB2, 0xBA), (0x660, 0x66A), (0x6F0, 0x6FA), (0x2070, 0x208A), (0x2460, 0x2469), (0x24EA, 0x24EB))
    for number in range(first, behind)
    if unicodedata.digit(chr(number), None) is not None
} | {chr(0x1D7CE + number).encode(): str(number % 10).encode() for number in range(50)}
_OTHER_LEADS = (
    b"\xc2\xb2",
    b"\xc2\xb3",
    b"\xc2\xb9",
    b"\xd9",
    b"\xdb",
    b"\xe2\x81",
    b"\xe2\x82",
    b"\xe2\x91",
    b"\xe2\x93",
    b"\xf0\x9d\x9f",
)
_OTHER_DIGIT = re.compile(b"|".join(_OTHER_DIGITS))
_TO_UPPER = bytes.maketrans(b"abcdefghijklmnopqrstuvwxyz", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _classes() -> np.ndarray:
    table = np.full(256, HARD, np.uint8)
    table[list(SOFT_BYTES)] = SOFT
    table[list(b"0123456789")] = DIGIT
    table[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")] = LETTER
    table[128:] = WIDE
    return table


CLASSES = _classes()


@dataclass(frozen=True)
class Folded:
    """`text` is the folded block; `kept` its digits, letters and wide bytes; tokens are runs of one class in `kept`."""

    places: tuple[str, ...]
    text: np.ndarray
    kept: np.ndarray
    position: np.ndarray  # of each kept byte in text
    starts: np.ndarray  # of each token in kept
    lengths: np.ndarray
    classes: np.ndarray
    groups: np.ndarray  # number of hard bytes before the token: equal where only soft bytes lie between
    ends: np.ndarray  # of cells, in text

    @cached_property
    def cells(self) -> np.ndarray:
        """The cell of each token, counted from 0 through the block."""
        return np.searchsorted(self.ends, self.position[self.starts]).astype(np.int64)

    @cached_property
    def columns(self) -> np.ndarray:
        return (self.cells % len(self.places)).astype(np.int32)

    @cached_property
    def digits_before(self) -> np.ndarray:
        """Digits among the first n kept bytes."""
        return _running(CLASSES[self.kept] == DIGIT)

    @cached_property
    def wide_before(self) -> np.ndarray:
        return _running(self.kept >= 128)

    @cached_property
    def is_alnum(self) -> np.ndarray:
        """Of each byte of text, and False after the last."""
        classes = CLASSES[self.text]
        return np.append((classes == DIGIT) | (classes == LETTER), False)


@dataclass(frozen=True)
class Spans:
    """Slices of `kept`, each from the start of token `first` to the end of token `last`."""

    first: np.ndarray
    last: np.ndarray
    lengths: np.ndarray


def fold(block: Block) -> Folded:
    """Raises nothing: any bytes can be folded."""
    text = _narrow(np.frombuffer(_plain(_unescaped(block.text)).translate(_TO_UPPER), np.uint8))
    classes = CLASSES[text]
    classes[_thousands(text)] = SOFT
    is_kept = classes >= DIGIT
    position = np.flatnonzero(is_kept)
    kept, kept_classes = text[position], classes[position]
    begins = np.empty(len(position), bool)
    begins[:1] = True
    begins[1:] = (kept_classes[1:] != kept_classes[:-1]) | (position[1:] - position[:-1] != 1)
    starts = np.flatnonzero(begins)
    hard = np.cumsum(classes == HARD, dtype=np.int32)
    return Folded(
        places=block.places,
        text=text,
        kept=kept,
        position=position,
        starts=starts,
        lengths=np.diff(np.append(starts, len(kept))),
        classes=kept_classes[starts],
        groups=hard[position[starts]],
        ends=cell_ends(text),
    )


def spans(folded: Folded, wanted: np.ndarray, *, only: np.ndarray | None = None) -> Iterator[Spans]:
    """All spans whose length n has wanted[n]; `only` says which tokens may begin one. Work: tokens by tokens joined."""
    longest = len(wanted) - 1
    lengths, groups, count = folded.lengths, folded.groups, len(folded.starts)
    first = np.flatnonzero(lengths <= longest if only is None else only & (lengths <= longest))
    total = lengths[first]
    for joined in range(MOST_TOKENS):
        fits = np.flatnonzero(wanted[total])
        if len(fits):
            yield Spans(first[fits], first[fits] + joined, total[fits])
        following = first + joined + 1
        alive = np.flatnonzero(following < count)
        alive = alive[groups[following[alive]] == groups[first[alive]]]
        total = total[alive] + lengths[following[alive]]
        short = np.flatnonzero(total <= longest)
        first, total = first[alive[short]], total[short]
        if not len(first):
            return


def gather(kept: np.ndarray, starts: np.ndarray, length: int) -> np.ndarray:
    """Slices of one length as a matrix."""
    if not len(starts):
        return np.empty((0, length), np.uint8)
    return np.lib.stride_tricks.sliding_window_view(kept, length)[starts]


def _running(mask: np.ndarray) -> np.ndarray:
    counts = np.zeros(len(mask) + 1, np.int32)
    np.cumsum(mask, out=counts[1:])
    return counts


def normal(value: bytes) -> bytes:
    """One value as the folding leaves it: only its digits, letters and wide bytes."""
    return fold(Block(("",), value.replace(b"\n", b" ").replace(b"\t", b" ") + b"\n")).kept.tobytes()


def _thousands(text: np.ndarray) -> np.ndarray:
    """Commas that part a number into thousands: three digits follow, and no fourth."""
    at = np.flatnonzero(text[:-4] == ord(",")) if len(text) > 4 else np.empty(0, np.int64)
    is_digit = CLASSES[text] == DIGIT if len(at) else np.empty(0, bool)
    for offset, wanted in ((-1, True), (1, True), (2, True), (3, True), (4, False)):
        at = at[is_digit[at + offset] == wanted]
    return at


def _plain(text: bytes) -> bytes:
    """Digits of other alphabets and forms (superscript, subscript, circled, Arabic, mathematical) as those of ASCII."""
    if not any(lead in text for lead in _OTHER_LEADS):
        return text
    return _OTHER_DIGIT.sub(lambda found: _OTHER_DIGITS[found[0]], text)


def _unescaped(text: bytes) -> bytes:
    if any(mark in text for mark in (b"<br", b"<BR")):
        text = _LINE_TAG.sub(LINE_INSIDE, text)
    if b"\\" not in text and b"&#" not in text and b"%" not in text:
        return text
    return _ESCAPED.sub(_meant, text)


def _meant(found: re.Match[bytes]) -> bytes:
    by_json, by_hex, by_number, by_url, control = found.groups()
    if control:
        return b"\x0b"
    code = int(by_json or by_hex or by_url, 16) if by_json or by_hex or by_url else int(by_number)
    if 0xD800 <= code < 0xE000 or code > 0x10FFFF:
        return b" "
    return b" " if code < 0x20 else chr(code).encode()


def _narrow(text: np.ndarray) -> np.ndarray:
    """Full-width letters and marks as ASCII, spaces and dashes of other alphabets as plain ones, invisible ones dropped."""
    if not (text == 0xEF).any() and not (text == 0xE2).any() and not (text == 0xE3).any() and not (text == 0xC2).any():
        return text
    text = text.copy()
    drop: list[np.ndarray] = []
    _narrow_full_width(text, drop)
    _narrow_marks(text, drop)
    if not drop:
        return text
    keep = np.ones(len(text), bool)
    keep[np.concatenate(drop)] = False
    return text[keep]


def _narrow_full_width(text: np.ndarray, drop: list[np.ndarray]) -> None:
    """U+FF01 to U+FF5E is EF BC 81 to EF BD 9E; U+FEFF (EF BB BF) marks byte order."""
    at = np.flatnonzero(text[:-2] == 0xEF)
    second, third = text[at + 1], text[at + 2]
    for lead, base, least, most in ((0xBC, 0x21, 0x81, 0xBF), (0xBD, 0x60, 0x80, 0x9E)):
        here = at[(second == lead) & (third >= least) & (third <= most)]
        letters = text[here + 2] - least + base
        small = (letters >= 97) & (letters <= 122)
        text[here] = np.where(small, letters - 32, letters)
        drop += [here + 1, here + 2]
    bom = at[(second == 0xBB) & (third == 0xBF)]
    drop += [bom, bom + 1, bom + 2]


def _narrow_marks(text: np.ndarray, drop: list[np.ndarray]) -> None:
    at = np.flatnonzero(text[:-2] == 0xE2)
    second, third = text[at + 1], text[at + 2]
    is_bullet = (second == 0x80) & (third == 0xA2)
    is_dash = is_bullet | ((second == 0x80) & (third >= 0x80) & (third <= 0x95))  # cut short, it takes nothing of what follows
    dash = at[is_dash | ((second == 0x88) & (third == 0x92)) | ((second == 0x81) & (third == 0xA0))]
    wide_space = np.flatnonzero((text[:-2] == 0xE3) & (text[1:-1] == 0x80) & (text[2:] == 0x80))
    quotes = at[(second == 0x80) & (third >= 0x98) & (third <= 0xA6) & ~is_bullet]
    dot = np.flatnonzero((text[:-2] == 0xE3) & (text[1:-1] == 0x83) & (text[2:] == 0xBB))  # the middle dot of names
    three = np.flatnonzero((text[:-2] == 0xE3) & (text[1:-1] == 0x80) & (text[2:] > 0x80) & (text[2:] <= 0x9F))  # 、。《》【】
    for here, meant in ((dash, "-"), (wide_space, "-"), (dot, "-"), (quotes, '"'), (three, ",")):
        text[here] = ord(meant)
        drop += [here + 1, here + 2]
    narrow = np.flatnonzero((text[:-1] == 0xC2) & np.isin(text[1:], (0xA0, 0xAD, 0xB7)))
    text[narrow] = ord("-")
    drop.append(narrow + 1)

"""Characters as masking sees them: width and case laid aside, each in a class, and what a pseudonym never changes.

A pseudonym keeps the class of every character: digits stay digits, letters letters, Han characters Han characters. Marks,
blanks and control characters are kept as they are; every other character is of some class and is hidden. The ranges are
written down here and not taken from `unicodedata`, since a new Unicode version must not change the pseudonyms of an epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

KEPT = 0
DIGIT, LETTER, COMMON_HAN = 1, 2, 3
_HIGHEST = 0x110000
_WIDE_FIRST, _WIDE_LAST, _WIDE_STEP, _WIDE_BLANK = 0xFF01, 0xFF5E, 0xFEE0, 0x3000
_CASE_STEP = 0x20

_KEPT = (
    (0x0000, 0x002F),
    (0x003A, 0x0040),
    (0x005B, 0x0060),
    (0x007B, 0x00A0),
    (0x00A1, 0x00A9),
    (0x00AB, 0x00B1),
    (0x00B4, 0x00B8),
    (0x00BB, 0x00BB),
    (0x00BF, 0x00BF),
    (0x2000, 0x206F),
    (0x3000, 0x3004),
    (0x3008, 0x3020),
    (0x3030, 0x3030),
    (0x30FB, 0x30FB),
    (0xFE00, 0xFE1F),
    (0xFE30, 0xFE6F),
    (0xFEFF, 0xFEFF),
    (0xFF5F, 0xFF65),
    (0xFFF9, 0xFFFD),
)
_BYTES = ((0xDC80, 0xDCFF),)  # bytes that were not text (PEP 383)
# classes after digits, letters and common Han: the first range that holds a character decides
_OTHERS = (
    ((0x4E00, 0x9FFF), (0x3400, 0x4DBF)),  # Han characters that are not common
    ((0x20000, 0x2A6DF), (0x2A700, 0x2EBEF), (0x30000, 0x323AF), (0x2F800, 0x2FA1F)),
    ((0xAC00, 0xD7A3),),  # Hangul
    ((0x3041, 0x3096), (0x30A1, 0x30FA)),  # kana
    ((0x00C0, 0x00D6), (0x00D8, 0x00DE)),  # capital Latin letters with marks
    ((0x00E0, 0x00F6), (0x00F8, 0x00FF)),  # small ones
    ((0x0391, 0x03A1), (0x03A3, 0x03A9)),  # Greek, capital and small
    ((0x03B1, 0x03C9),),
    ((0x0410, 0x042F),),  # Cyrillic, capital and small
    ((0x0430, 0x044F),),
    ((0x0660, 0x0669), (0x06F0, 0x06F9), (0x0966, 0x096F)),  # digits of other scripts
    ((0x2460, 0x249B), (0x2160, 0x217F)),  # numbers in circles, Roman numerals
    _BYTES,
    ((0xD800, 0xDC7F), (0xDD00, 0xDFFF)),  # halves of surrogate pairs
    ((0x1F300, 0x1FAFF),),  # pictures
    ((0x0080, 0x07FF),),  # all others by the number of their bytes in UTF-8
    ((0x0800, 0xFFFF),),
    ((0x10000, 0x10FFFF),),
)
NOT_TEXT = COMMON_HAN + 1 + _OTHERS.index(_BYTES)


@dataclass(frozen=True)
class Alphabet:
    """Every code point's class and rank in it, and the way back: `symbols[first[c] + rank]`."""

    class_of: np.ndarray
    rank_of: np.ndarray
    sizes: np.ndarray
    first: np.ndarray
    symbols: np.ndarray


@cache
def alphabet() -> Alphabet:
    """Built once: 7 MB."""
    class_of = np.zeros(_HIGHEST, np.uint8)
    rank_of = np.zeros(_HIGHEST, np.uint32)
    free = np.ones(_HIGHEST, bool)
    members: list[np.ndarray] = [_take(free, _KEPT)]
    digits, letters = _take(free, ((0x30, 0x39),)), _take(free, ((0x41, 0x5A),))
    common = common_han()
    free[common] = False
    members += [digits, letters, common, *(_take(free, ranges) for ranges in _OTHERS)]
    for number, codes in enumerate(members):
        class_of[codes] = number
        rank_of[codes] = np.arange(codes.size)
    sizes = np.array([1, *(codes.size for codes in members[1:])], np.uint64)
    first = np.cumsum([0, *(codes.size for codes in members[:-1])]).astype(np.int64)
    return Alphabet(class_of, rank_of, sizes, first, np.concatenate(members).astype(np.uint32))


def _take(free: np.ndarray, ranges: tuple[tuple[int, int], ...]) -> np.ndarray:
    """The code points of the ranges that no class before has taken; they are taken now."""
    codes = np.concatenate([np.arange(a, b + 1) for a, b in ranges])
    codes = codes[free[codes]]
    free[codes] = False
    return codes


@cache
def common_han() -> np.ndarray:
    """The 3,755 characters of the first level of GB 2312, in its order (of their readings)."""
    rows = (bytes([0xA1 + row - 1, 0xA1 + cell - 1]) for row in range(16, 56) for cell in range(1, 95))
    text = b"".join(rows)[: 2 * 3755].decode("gb2312")
    return np.array([ord(c) for c in text], np.uint32)


@dataclass(frozen=True)
class Form:
    """What was laid aside: where characters were full-width, and where letters were small. None where nowhere."""

    wide: np.ndarray | None
    small: np.ndarray | None


def fold(codes: np.ndarray) -> tuple[np.ndarray, Form]:
    """Code points (rows x length) in half-width and capital letters, and the form to put back with `restore`."""
    wide = small = None
    if codes.dtype != np.uint8:
        is_wide = (codes >= _WIDE_FIRST) & (codes <= _WIDE_LAST)
        if is_wide.any():
            wide = is_wide
            codes = np.where(is_wide, codes - _WIDE_STEP, codes)
    is_small = (codes >= ord("a")) & (codes <= ord("z"))
    if is_small.any():
        small = is_small
        codes = np.where(is_small, codes - _CASE_STEP, codes).astype(codes.dtype)
    return codes, Form(wide, small)


def is_alphanumeric(codes: np.ndarray) -> np.ndarray:
    """Digits and capital letters among codes of 8 bits."""
    return ((codes - np.uint8(48)) < 10) | ((codes - np.uint8(65)) < 26)


def restore(codes: np.ndarray, form: Form) -> np.ndarray:
    """The inverse of `fold`: exact, since a pseudonym keeps the class of every character."""
    if form.small is not None:
        codes = codes + form.small * np.array(_CASE_STEP, codes.dtype)
    if form.wide is not None:
        codes = codes + form.wide * np.array(_WIDE_STEP, codes.dtype)
    return codes


def to_matrix(values: list[str], length: int) -> np.ndarray:
    """Values of one length as code points: uint8 where all is ASCII, else uint32 (rows x length)."""
    text = "".join(values)
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), np.uint8).reshape(len(values), length)
    raw = text.encode("utf-32-le", "surrogatepass")
    return np.frombuffer(raw, np.uint32).reshape(len(values), length)


def to_values(codes: np.ndarray) -> list[str]:
    """The inverse of `to_matrix`."""
    rows, length = codes.shape
    if codes[:, -1].all():  # NumPy would drop NUL at the end of a text
        return np.ascontiguousarray(codes, np.uint32).view(f"U{length}").ravel().tolist()
    raw = np.ascontiguousarray(codes).tobytes()
    text = raw.decode("ascii") if codes.dtype == np.uint8 else raw.decode("utf-32-le", "surrogatepass")
    return [text[at : at + length] for at in range(0, rows * length, length)]

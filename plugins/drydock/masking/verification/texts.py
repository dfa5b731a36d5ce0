"""Kinds whose marks carry them (@, dots, colons) or that stand among Chinese letters: plates, mail, addresses, IP, MAC."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from drydock.masking.verification.folding import DIGIT, LETTER, WIDE, Folded

_MAIL = re.compile(rb"@[A-Z0-9](?:[A-Z0-9-]{0,62}\.)+[A-Z]{2,24}(?![A-Z0-9])")
_BEFORE_AT = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-")
_MAC = re.compile(rb"[0-9A-F]{2}([:-])[0-9A-F]{2}(?:\1[0-9A-F]{2}){4}(?![0-9A-F:-])")
_HEX_BEFORE = frozenset(bytes([b]) for b in b"0123456789ABCDEF:-")
QUAD_LETTERS = 13  # of an IPv4 address as it is compared
_AREA = "(?:省|自治区|市|区|县|镇|乡)"
_ROAD = "(?:路|街|道|巷|村|弄|里|苑|大厦|号|栋|幢|室|楼)"
_HAN = "[\u4e00-\u9fff]"
_ADDRESS = re.compile(f"(?<={_HAN}{{2}}){_AREA}[\u4e00-\u9fff0-9A-Z-]{{1,30}}?{_ROAD}[\u4e00-\u9fff0-9A-Z-]{{0,12}}\\d")
_PLATE_PLACES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领"
_PLATE_CODES = np.array(sorted(int.from_bytes(p.encode(), "big") for p in _PLATE_PLACES))
_PLATE_ENDS = np.array(sorted(int.from_bytes(p.encode(), "big") for p in "挂学警港澳"))


def text_hits(folded: Folded) -> Iterator[tuple[str, np.ndarray]]:
    """Kind, and the offsets in `folded.text` where a text of it was found."""
    raw = folded.text.tobytes()
    yield "email", _mails(raw)
    yield "ipv4", _addresses_of_networks(folded)
    yield "mac", _macs(folded.text, raw)
    yield "plate", _plates(folded)
    yield "address", _addresses(folded, raw)


def _mails(raw: bytes) -> np.ndarray:
    found = [m.start() for m in _MAIL.finditer(raw) if m.start() and raw[m.start() - 1] in _BEFORE_AT]
    return np.array(found, np.int64)


def _macs(text: np.ndarray, raw: bytes) -> np.ndarray:
    """Five equal marks, three bytes apart; only there letters are looked at."""
    if len(text) < 17:
        return np.empty(0, np.int64)
    mark = (text == ord(":")) | (text == ord("-"))
    marks = [mark[2 + 3 * n : len(text) - 14 + 3 * n] for n in range(5)]
    at = np.flatnonzero(marks[0] & marks[1] & marks[2] & marks[3] & marks[4]).tolist()
    return np.array([a for a in at if _MAC.match(raw, a) and raw[a - 1 : a] not in _HEX_BEFORE], np.int64)


def _addresses_of_networks(folded: Folded) -> np.ndarray:
    return folded.position[folded.starts[dotted_quads(folded)[0]]]


def dotted_quads(folded: Folded) -> tuple[np.ndarray, np.ndarray]:
    """Four short numbers with single dots between them, and none before or after: first tokens, numbers (4 by hits)."""
    starts, lengths = folded.position[folded.starts], folded.lengths
    if len(starts) < 4:
        return np.empty(0, np.int64), np.empty((4, 0), np.int64)
    short = (folded.classes == DIGIT) & (lengths <= 3)
    ends = starts + lengths
    dotted = np.zeros(len(starts), bool)
    is_dot = folded.text[np.minimum(ends[:-1], len(folded.text) - 1)] == ord(".")
    dotted[:-1] = short[:-1] & short[1:] & (starts[1:] - ends[:-1] == 1) & is_dot
    before = np.concatenate([[False], dotted[:-1]])
    first = np.flatnonzero(dotted[:-3] & dotted[1:-2] & dotted[2:-1] & ~dotted[3:] & ~before[:-3])
    numbers = np.stack([_small_number(folded, first + i) for i in range(4)]) if len(first) else np.empty((4, 0), np.int64)
    good = (numbers <= 255).all(axis=0)
    return first[good], numbers[:, good]


def written_quads(numbers: np.ndarray) -> np.ndarray:
    """Addresses as a matrix of letters that no other text has by chance: twelve digits behind an I."""
    written = np.full((numbers.shape[1], QUAD_LETTERS), ord("I"), np.uint8)
    for part in range(4):
        for place, power in enumerate((100, 10, 1)):
            written[:, 1 + 3 * part + place] = numbers[part] // power % 10 + 48
    return written


def _small_number(folded: Folded, tokens: np.ndarray) -> np.ndarray:
    value = np.zeros(len(tokens), np.int64)
    for place in range(3):
        at = folded.starts[tokens] + place
        inside = place < folded.lengths[tokens]
        value = np.where(inside, value * 10 + folded.kept[np.minimum(at, len(folded.kept) - 1)] - 48, value)
    return value


def _wide_letter(text: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The three bytes before `at` as one number."""
    at = np.maximum(at, 3)
    return (text[at - 3].astype(np.int64) << 16) | (text[at - 2].astype(np.int64) << 8) | text[at - 1]


def _plates(folded: Folded) -> np.ndarray:
    """A letter and five or six letters or digits behind the short name of a province (GA 36); hyphen or dot allowed."""
    starts = folded.position[folded.starts]
    after_wide = np.flatnonzero((folded.classes == LETTER) & np.concatenate([[False], folded.classes[:-1] == WIDE]))
    begin = starts[after_wide]
    code = _wide_letter(folded.text, begin)
    begin = begin[np.isin(code, _PLATE_CODES)]
    return np.array([at - 3 for at in begin if _is_plate(folded.text[at : at + 12].tobytes())], np.int64)


def _is_plate(after: bytes) -> bool:
    letters = re.match(rb"[A-Z][-. \xc2\xb7]{0,2}([A-HJ-NP-Z0-9]{4,6})", after)
    if not letters:
        return False
    serial, rest = letters[1], after[letters.end() :]
    enough = sum(48 <= b <= 57 for b in serial) >= 2
    if len(serial) == 4:
        return enough and int.from_bytes(rest[:3], "big") in _PLATE_ENDS
    return enough and not rest[:1].isalnum()


def _addresses(folded: Folded, raw: bytes) -> np.ndarray:
    if not any(mark.encode() in raw for mark in ("路", "街", "道", "号", "室", "巷", "村")):
        return np.empty(0, np.int64)
    text = raw.decode("utf-8", "replace")
    found = [m.start() for m in _ADDRESS.finditer(text)]
    if not found:
        return np.empty(0, np.int64)
    begins = np.flatnonzero((folded.text & 0xC0) != 0x80)  # where each letter begins, if the block is good UTF-8
    return begins[np.minimum(found, len(begins) - 1)]

"""Where sensitive values stand inside a longer text: what `inside.scan` counts, with places, for whoever must replace it.

A scrubber errs on the other side than discovery: what looks like an id with a wrong digit is found too, numbers may be cut by
blanks, hyphens and line breaks anywhere, and long runs that nothing knows are found as UNKNOWN. Where finds overlap, those
without gaps go first, then the longer; what is left over of a find that yields is UNKNOWN, so that no half of it stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from drydock.masking.discovering.inside import AFTER_WORDS, ANY_WORD, CARD_BINS, HOUSE, PAIR, PATTERNS, kind_of_pair, names_in
from drydock.masking.discovering.reading import Reading
from drydock.masking.values import checks
from drydock.masking.values.folding import folded
from drydock.masking.values.kinds import all_kinds
from drydock.masking.values.places import place_names

UNKNOWN = "unknown"
_SURE, _GAPPED, _WRONG, _WORDS = range(4)  # which finds go first

_G = r"(?:[ \t-]{0,3}|[ \t]{0,4}\r?\n[ \t]{0,8})"
_D = rf"{_G}\d"
_END = r"(?![0-9A-Z])"
_EXTENSION = r" ?(?:转|-|X|EXT\.?|分机) ?\d{1,6}"
_GAPPED_PATTERNS = {
    "cn_id": rf"(?<!\d)[1-9](?:{_D}){{5}}{_G}(?:1{_G}[89]|2{_G}0)(?:{_D}){{9}}{_G}\d?[\dX]{_END}",
    "bank_card": rf"(?<![0-9A-Z])[4569](?:{_D}){{15,18}}{_END}",
    "mobile": rf"(?<![0-9A-Z])(?:\+?(?:00)?86{_G})?1{_G}[3-9](?:{_D}){{9}}{_END}",
}
_GAPPED_USCC = re.compile(
    rf"(?<![0-9A-Z])[0-9A-HJ-NPQRTUWXY]{_G}[0-9A-HJ-NPQRTUWXY](?:{_D}){{6}}(?:{_G}[0-9A-HJ-NPQRTUWXY]){{10}}{_END}"
)
_AREA = rf"(?:(?:\+?86{_G})?\(?0\d{{2,3}}|(?:\+|00)86{_G}\(?(?:10|2\d|[3-9]\d{{2}}))\)?"
_LANDLINE = re.compile(rf"(?<![0-9A-Z-]){_AREA}{_G}[2-8](?:{_D}){{6,7}}(?:{_EXTENSION})?{_END}")
_GAPPED_KINDS = {kind: re.compile(pattern) for kind, pattern in _GAPPED_PATTERNS.items()}
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领"
_PLATE = re.compile(
    rf"[{_PROVINCES}] ?[A-HJ-NP-Z](?:[·•-]?|[ ·•-]{{1,3}}(?=[A-Z]{{0,3}}\d))"
    rf"(?:[A-HJ-NP-Z0-9]{{5,6}}|[A-HJ-NP-Z0-9]{{4}}[挂学警港澳]){_END}"
)
MARKS_OF_MOBILE = "./_,*"
_DOTTED_MOBILE = re.compile(rf"(?<![0-9A-Z])1[3-9]\d([{MARKS_OF_MOBILE}])\d{{4}}\1\d{{4}}{_END}")
# the digits that a text must have in a row, gaps left out, for the kind to be looked for
_FEWEST_DIGITS = {
    "cn_id": 17,
    "uscc": 6,
    "ceb_invt_no": 8,
    "entry_id": 18,
    "bank_card": 16,
    "container": 6,
    "mobile": 11,
    "hkid": 6,
}
_GLUED_MOBILE = re.compile(r"(?<!\d)(?:0{0,2}86)?1[3-9]\d{9}(?!\d)")
_DATE = re.compile(
    r"(?<![0-9])(?:19|20)\d{2}[-/.年](?:0?[1-9]|1[0-2])[-/.月](?:0?[1-9]|[12]\d|3[01])(?![0-9])日?"
    r"(?:[T ]{0,2}\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9}(?![0-9]))?)?)?"
)
_LONG_OR_GROUPED = re.compile(r"[0-9A-Z]{5}|[0-9][ \t\r\n-]+[0-9]")
_UUID = re.compile(r"(?<![0-9A-Z])[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}(?![0-9A-Z])")
_GROUPS = re.compile(r"(?<!\d)\d++(?:(?:[ \t-]{1,3}|[ \t]{0,4}\r?\n[ \t]{0,8})\d++)+")
_DIGIT = re.compile(r"[0-9]")
_ROW = re.compile(r"\d(?:[ \t\r\n()-]{0,6}\d){3,}")
_LETTER_OR_DIGIT = re.compile(r"[0-9A-Z]+")
_NO_DIGITS = re.compile(r"[^0-9]+")
# an id with a wrong digit is still an id, as its column has it
_SHAPE_IS_ENOUGH = {"cn_id": re.compile(r"[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX]\Z")}


_NUMBER_OF_KIND = {kind: number for number, kind in enumerate((UNKNOWN, *all_kinds()), 1)}


class Find(NamedTuple):
    """A slice of the folded text."""

    start: int
    end: int
    kind: str


class Limits(NamedTuple):
    """From how many characters on a run that nothing knows is found; 0: never."""

    digits: int = 6
    mixed: int = 8
    letters: int = 24
    groups: int = 9
    keeps_dates: bool = True


def find(reading: Reading, limits: Limits) -> list[Find]:
    """What stands in the text, in its order, nothing twice."""
    text = reading.folded
    ranked = list(_pairs(reading)) if ":" in text or "=" in text else []
    ranked += _numbers(text)
    if "@" in text:
        ranked += [(_SURE, Find(*m.span(), "email")) for m in PATTERNS["email"].finditer(text)]
    if ANY_WORD.search(text):
        ranked += _after_words(text)
    if not text.isascii():
        ranked += _words(text)
    return _resolved(text, ranked, limits)


def _numbers(text: str) -> Iterator[tuple[int, Find]]:
    if not text.isascii():
        yield from _checked(text, "plate", _PLATE, _SURE)
    if not _DIGIT.search(text):
        return
    rows = [m[0] for m in _ROW.finditer(text)]
    longest = max((sum(map(str.isdigit, row)) for row in rows), default=0)
    for kind, fewest in _FEWEST_DIGITS.items():
        if longest >= fewest and (kind != "hkid" or "(" in text):
            yield from _checked(text, kind, PATTERNS[kind], _SURE)
    if longest >= 9:
        yield from _checked(text, "landline", _LANDLINE, _SURE)
    if longest >= _FEWEST_DIGITS["uscc"]:
        yield from _checked(text, "uscc", _GAPPED_USCC, _GAPPED)
    if longest >= 10 and not all(map(str.isdigit, rows)):
        for kind, pattern in _GAPPED_KINDS.items():
            yield from _checked(text, kind, pattern, _GAPPED)
    if any(text.count(mark) >= 2 for mark in MARKS_OF_MOBILE):
        yield from ((_GAPPED, Find(*m.span(), "mobile")) for m in _DOTTED_MOBILE.finditer(text))
    if longest >= 11:
        yield from ((_GAPPED, Find(*m.span(), "mobile")) for m in _GLUED_MOBILE.finditer(text))
    if text.count(".") >= 3:
        yield from _checked(text, "ipv4", PATTERNS["ipv4"], _SURE)
    if text.count(":") >= 5 or text.count("-") >= 5:
        yield from _checked(text, "mac", PATTERNS["mac"], _SURE)


def _checked(text: str, kind: str, pattern: re.Pattern[str], rank: int) -> Iterator[tuple[int, Find]]:
    separators = all_kinds()[kind].separators
    for match in pattern.finditer(text):
        value = folded(match[0], separators or rank == _GAPPED).replace("\n", "")
        if kind == "mobile":
            value = value.replace(".", "")
        if checks.passes_check(kind, value) and (kind != "bank_card" or CARD_BINS.match(value)):
            if kind == "uscc" and not checks.is_valid(kind, value):
                yield _WRONG, Find(*match.span(), kind)  # given out by hand, or a list number that passes by chance
                continue
            yield rank if rank == _GAPPED or not _has_gaps(match[0]) else _GAPPED, Find(*match.span(), kind)
        elif kind in _SHAPE_IS_ENOUGH and _SHAPE_IS_ENOUGH[kind].match(value):
            yield _WRONG, Find(*match.span(), kind)


def _has_gaps(text: str) -> bool:
    return any(c in text for c in " \t\r\n")


def _after_words(text: str) -> Iterator[tuple[int, Find]]:
    for kind, pattern in AFTER_WORDS.items():
        for match in pattern.finditer(text):
            if checks.is_valid(kind, match[1]):
                yield (_WORDS if kind in ("order_no", "bill_no") else _SURE), Find(*match.span(1), kind)


def _pairs(reading: Reading) -> Iterator[tuple[int, Find]]:
    """`联系人：张三`, `tel=138…`; where the source is one for one, its case tells the words of a key apart."""
    text = reading.folded
    if reading.spans is None:
        text = reading.source.replace("：", ":").replace("＝", "=")
    for match in PAIR.finditer(text):
        kind = kind_of_pair(match[1], match[2])
        if kind:
            yield (_WORDS if kind in ("name", "address", "order_no", "bill_no") else _SURE), Find(*match.span(2), kind)


def _words(text: str) -> Iterator[tuple[int, Find]]:
    if HOUSE.search(text):
        for match in PATTERNS["address"].finditer(text):
            yield _WORDS, Find(match.start() + _before_place(match[0]), match.end(), "address")
    yield from ((_WORDS, Find(start, end, "name")) for start, end in names_in(text))


def _before_place(text: str) -> int:
    """How many characters stand before the first division that there is: 请送到 before 广东省."""
    for start in range(min(12, len(text) - 2)):
        if any(text[start : start + size] in place_names() for size in range(3, 9)):
            return start
    return 0


def _resolved(text: str, ranked: list[tuple[int, Find]], limits: Limits) -> list[Find]:
    """`taken`: for each character the number of the kind that took it, so that a text of many finds costs time in proportion."""
    taken, whose, out = bytearray(len(text)), bytearray(len(text)), list[Find]()

    def take(start: int, end: int, kind: str) -> None:
        taken[start:end] = b"\1" * (end - start)
        whose[start:end] = bytes([_NUMBER_OF_KIND[kind]]) * (end - start)
        out.append(Find(start, end, kind))

    for rank, (start, end, kind) in sorted(ranked, key=lambda r: (r[0], r[1].start - r[1].end, r[1].start)):
        first = taken.find(1, start, end)
        if first < 0:
            take(start, end, kind)
        elif rank == _WORDS:
            piece = max(_free(taken, start, end), key=lambda s: s[1] - s[0], default=(0, 0))
            if piece[1] - piece[0] >= 2:
                take(*piece, kind)
        elif whose[first] != _NUMBER_OF_KIND[kind]:  # +86 before a phone that was found by itself may stay
            for piece in list(_free(taken, start, end)):
                for match in _LETTER_OR_DIGIT.finditer(text, *piece):
                    take(*match.span(), UNKNOWN)
    for one in _unknown(text, taken, limits):
        out.append(one)
    return sorted(out)


def _free(taken: bytearray, start: int, end: int) -> Iterator[tuple[int, int]]:
    """What no find has taken of a slice."""
    while start < end:
        start = taken.find(0, start, end)
        if start < 0:
            return
        stop = taken.find(1, start, end)
        stop = end if stop < 0 else stop
        yield start, stop
        start = stop


def _unknown(text: str, taken: bytearray, limits: Limits) -> Iterable[Find]:
    """Runs of digits and letters that are too long to stay, where no find and no date has taken them."""
    masked = bytearray(taken)
    for match in _DATE.finditer(text):
        if not limits.keeps_dates and masked.find(1, *match.span()) < 0:
            yield Find(*match.span(), UNKNOWN)
        masked[match.start() : match.end()] = b"\1" * len(match[0])
    if not _LONG_OR_GROUPED.search(text) and min(filter(None, limits[:3]), default=9) > 4:
        return
    for match in _UUID.finditer(text):
        if limits.mixed and masked.find(1, *match.span()) < 0:
            masked[match.start() : match.end()] = b"\1" * len(match[0])
            yield Find(*match.span(), UNKNOWN)
    if limits.groups:
        yield from _long_groups(text, masked, limits.groups)
    for match in _runs(min(filter(None, limits[:3]), default=0)).finditer(text):
        for start, end in list(_free(masked, *match.span())):
            if _is_long(text[start:end], limits):
                yield Find(start, end, UNKNOWN)


@cache
def _runs(shortest: int) -> re.Pattern[str]:
    return re.compile(f"[0-9A-Z]{{{shortest},}}" if shortest else "(?!)")


def _long_groups(text: str, masked: bytearray, fewest: int) -> Iterator[Find]:
    for match in _GROUPS.finditer(text):
        for start, end in list(_free(masked, *match.span())):
            if sum(c.isdigit() for c in text[start:end]) >= fewest:
                masked[start:end] = b"\1" * (end - start)
                yield Find(start, end, UNKNOWN)


def _is_long(run: str, limits: Limits) -> bool:
    if limits.digits and max(map(len, _NO_DIGITS.split(run))) >= limits.digits:
        return True
    has_digit = bool(_DIGIT.search(run))
    if has_digit and not run.isdigit():
        return bool(limits.mixed) and len(run) >= limits.mixed
    return not has_digit and bool(limits.letters) and len(run) >= limits.letters

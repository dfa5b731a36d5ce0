"""A text as a search for sensitive values reads it, and the way back: which characters of the source stand for which.

`folding.folded` lays width, case and invisible characters aside and forgets where they were. Whoever must write a new value
into the text needs to know: here each folded character keeps its place in the source. Digits of other scripts, Chinese
numerals in long rows and escapes (`\\u0031`, `&#49;`, `%31`, `\\n`) are read as the character that they stand for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_DASHES = re.compile(r"[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
_INVISIBLE = re.compile(
    r"[\u0000-\u0008\u000e-\u001f\u007f\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|&#x([0-9a-fA-F]{1,6});|&#([0-9]{1,7});|%([2-7][0-9a-fA-F])|\\([nrt])|&(nbsp);")
_HAN_DIGITS = ("零一二三四五六七八九", "〇一二三四五六七八九", "零壹贰叁肆伍陆柒捌玖")
_TO_DIGIT = {c: str(i) for row in _HAN_DIGITS for i, c in enumerate(row)} | {"○": "0", "幺": "1", "两": "2"}
_ANY_HAN = "".join(_TO_DIGIT)
_HAN_NUMBER = re.compile(f"[{_ANY_HAN}](?:(?:[ -]?[{_ANY_HAN}]){{10,}}|[{_ANY_HAN}]{{6,}})")
_MIXED_NUMBER = re.compile(f"[0-9{_ANY_HAN}]{{11,}}")
_DIGITS_ALONE = re.compile("[0-9]{6}")  # a number of its own beside words: 13800138000一楼
_HAN_DIGIT = re.compile(f"[{_ANY_HAN}]")
_LINE_ENDS = "\u000b\u000c\u0085\u2028\u2029"
_BLANKS = {"n": "\n", "r": "\r", "t": "\t"}
_WIDE_FIRST, _WIDE_LAST, _WIDE_STEP = "\uff01", "\uff5e", 0xFEE0


class _Folds(dict[int, str]):
    """Code point to what is read for it; each is worked out once."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if _INVISIBLE.match(character):
            folded = ""
        elif character in _LINE_ENDS:
            folded = "\n"
        elif character.isdecimal():
            folded = str(unicodedata.decimal(character))
        else:
            folded = _DASHES.sub("-", unicodedata.normalize("NFKC", character).upper())
        self[code] = folded
        return folded


_FOLDS = _Folds()


@dataclass(frozen=True)
class Reading:
    """`spans`: for each folded character the slice of the source it stands for; None where they are one for one."""

    source: str
    folded: str
    spans: Sequence[tuple[int, int]] | None

    def source_span(self, start: int, end: int) -> tuple[int, int]:
        """The slice of the source that a slice of the folded text stands for; empty slices are not asked for."""
        if self.spans is None:
            return start, end
        return self.spans[start][0], self.spans[end - 1][1]

    def rewritten(self, start: int, end: int, new: Sequence[str]) -> str:
        """The source of a slice with one new character (capital, half-width) for each folded one; width and case stay."""
        if self.spans is None:
            old = self.source[start:end]
            if old.isascii() and old == self.folded[start:end]:
                return "".join(new)
            return "".join(s if n == f else respelt(s, n) for s, f, n in zip(old, self.folded[start:end], new, strict=True))
        return self._rewritten_by_spans(start, end, new)

    def _rewritten_by_spans(self, start: int, end: int, new: Sequence[str]) -> str:
        out, at, place = [], start, self.source_span(start, end)[0]
        while at < end:
            span, stop = self.spans[at], at + 1  # type: ignore[index]
            while stop < end and self.spans[stop] == span:  # type: ignore[index]
                stop += 1
            fresh, old = "".join(new[at - start : stop - start]), self.source[span[0] : span[1]]
            out.append(self.source[place : span[0]])  # what is invisible in between
            out.append(old if fresh == self.folded[at:stop] else respelt(old, fresh))
            at, place = stop, span[1]
        return "".join(out)


def read(text: str) -> Reading:
    """The text folded, with the way back."""
    if text.isascii() and text.isprintable() and not ("\\" in text or "&#" in text or "&nbsp;" in text or "%" in text):
        return Reading(text, text.upper(), None)
    if not _ESCAPE.search(text) and not _INVISIBLE.search(text):
        folded = text.translate(_FOLDS)
        if len(folded) == len(text):
            return Reading(text, _with_digits(folded), None)
    return _read_slowly(text)


def _read_slowly(text: str) -> Reading:
    """Character by character, for texts with escapes, invisible characters or such as stand for several."""
    folded: list[str] = []
    spans: list[tuple[int, int]] = []
    place = 0
    for match in _ESCAPE.finditer(text):
        _read_plain(text, place, match.start(), folded, spans)
        character = _escaped(match)
        for one in _FOLDS[ord(character)] if character else match[0].upper():
            folded.append(one)
            spans.append(match.span())
        place = match.end()
    _read_plain(text, place, len(text), folded, spans)
    return Reading(text, _with_digits("".join(folded)), spans)


def _read_plain(text: str, start: int, end: int, folded: list[str], spans: list[tuple[int, int]]) -> None:
    for place in range(start, end):
        for one in _FOLDS[ord(text[place])]:
            folded.append(one)
            spans.append((place, place + 1))


def _escaped(match: re.Match[str]) -> str:
    if match[5]:
        return _BLANKS[match[5]]
    if match[6]:
        return " "
    code = int(match[3]) if match[3] else int(match[1] or match[2] or match[4], 16)
    return chr(code) if code <= 0x10FFFF else ""


def _with_digits(folded: str) -> str:
    """Chinese numerals as digits where they spell a number out: seven in a row, or eleven with gaps or digits between."""
    if folded.isascii():
        return folded
    folded = _HAN_NUMBER.sub(_as_digits, folded)
    return _MIXED_NUMBER.sub(lambda m: m[0] if _DIGITS_ALONE.search(m[0]) else _as_digits(m), folded)


def _as_digits(match: re.Match[str]) -> str:
    return _HAN_DIGIT.sub(lambda d: _TO_DIGIT[d[0]], match[0])


def respelt(old: str, new: str) -> str:
    """New characters in the width and case of the old one; numerals stay numerals."""
    if len(old) != 1 or len(new) != 1:
        return new
    if old in _TO_DIGIT and new.isdigit():
        return next((row for row in _HAN_DIGITS if old in row), _HAN_DIGITS[0])[int(new)]
    if old.islower():
        new = new.lower()
    return chr(ord(new) + _WIDE_STEP) if _WIDE_FIRST <= old <= _WIDE_LAST and "!" <= new <= "~" else new

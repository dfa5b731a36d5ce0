"""Telephone numbers: mobile numbers keep their first three digits, landlines their area code, both the country's 86.

Columns of telephones hold both sorts, so both kinds know both. An extension is moved by itself, under a tweak of its number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from drydock.masking.ciphers.blockciphers import BlockCipher
from drydock.masking.ciphers.feistel import permute
from drydock.masking.techniques.options import Options
from drydock.masking.techniques.shapes import Shape, Stays, Template, all_digits, label, tweaks_of

EXTENSION_MARKS = {"转": 0x81}  # as a symbol of 8 bits, see `catalogue.SYMBOLS`
_COUNTRY = ("", "f:8 f:6 ", "f:0*2 f:8 f:6 ")
_LANDLINES = {  # by the digits of the area code; an earlier one goes before a later one
    "k:0 k:12 k:0-9 p:2-8 p:0-9*7": 3,  # 010 and 02x with eight digits
    "k:0 k:1-9 k:0-9*2 p:2-8 p:0-9*6": 4,
    "k:0 k:3-9 k:0-9 p:2-8 p:0-9*7": 3,
    "k:0 k:1-9 k:0-9*2 p:2-8 p:0-9*7": 4,
    "k:0 k:1-9 k:0-9 p:2-8 p:0-9*6": 3,
}
_WITHOUT_ZERO = (  # of the area code, as it is dialled from abroad: +86 20 8312 3456
    "k:1 k:0 p:2-8 p:0-9*7",
    "k:2 k:0-9 p:2-8 p:0-9*7",
    "k:3-9 k:0-9*2 p:2-8 p:0-9*6",
    "k:3-9 k:0-9*2 p:2-8 p:0-9*7",
)
_ABROAD = tuple(Template("landline", c + text, unwritten="0") for c in _COUNTRY[1:] for text in _WITHOUT_ZERO)
_MOBILES = tuple(Template("mobile", country + "k:1 k:3-9 k:0-9 p:0-9*8") for country in _COUNTRY)
_LONGEST_EXTENSION = 6
_TAIL = re.compile(rf"-(x{{1,{_LONGEST_EXTENSION}}})$")


@dataclass(frozen=True)
class Extended:
    """A landline, a mark that is a letter (or none), and an extension of `digits` digits."""

    number: Template
    mark: bool
    digits: int

    @property
    def length(self) -> int:
        return self.number.length + self.mark + self.digits

    def fits(self, codes: np.ndarray) -> np.ndarray:
        """The number fits, X or 转 stands after it where a mark must, and digits follow."""
        at = self.number.length
        good = all_digits(codes[:, at + self.mark :]) & self.number.fits(codes[:, :at])
        return good & ((codes[:, at] == ord("X")) | (codes[:, at] == EXTENSION_MARKS["转"])) if self.mark else good

    def mask(self, cipher: BlockCipher, codes: np.ndarray, stays: Stays | None = None) -> np.ndarray:
        """Number and extension each moved by itself. `stays` may ask for the number only: any extension fits."""
        new, at = codes.copy(), self.number.length

        def number_stays(numbers: np.ndarray) -> np.ndarray:
            rest = np.broadcast_to(codes[:1, at:], (numbers.shape[0], codes.shape[1] - at))
            return stays is None or stays(np.concatenate((numbers, rest), axis=1))

        new[:, :at] = self.number.mask(cipher, codes[:, :at], number_stays if stays else None)
        digits = codes[:, at + self.mark :]
        extension = np.zeros(codes.shape[0], np.uint64)
        for j in range(self.digits):
            extension = extension * np.uint64(10) + (digits[:, j] - 48)
        moved = permute(cipher, 10**self.digits, extension, tweaks_of(label("extension"), codes[:, :at]))
        for j in range(codes.shape[1] - 1, at + self.mark - 1, -1):
            new[:, j] = moved % np.uint64(10) + np.uint64(48)
            moved = moved // np.uint64(10)
        return new


def phone_shapes(form: str, options: Options) -> tuple[Shape, ...]:
    """The shapes of numbers with these marks: a last part of up to six digits after a hyphen may be an extension."""
    length = form.count("x")
    tail = _TAIL.search(form)
    after = len(tail[1]) if tail else 0
    landlines = _landlines(form)
    marked = [Extended(n, True, length - n.length - 1) for n in landlines if 1 <= length - n.length - 1 <= _LONGEST_EXTENSION]
    plain = [Extended(n, False, after) for n in landlines if after and n.length + after == length]
    return (*marked, *plain, *(number for number in (*_MOBILES, *landlines) if number.length == length))


def _landlines(form: str) -> list[Template]:
    """Those whose area code ends where a mark says so, or all where none does."""
    runs = [len(run) for run in re.findall("x+", form)]
    abroad = runs[1:] if runs[:1] == [2] else [runs[0] - 2, *runs[1:]] if runs else []
    farther = runs[1:] if runs[:1] == [4] else [runs[0] - 4, *runs[1:]] if runs else []
    out = []
    for country, parts in zip(_COUNTRY, (runs, abroad, farther), strict=True):
        area = parts[0] if len(parts) > 1 and parts[0] in (3, 4) else None
        out += [Template("landline", country + text) for text, digits in _LANDLINES.items() if area in (None, digits)]
    return [*out, *_ABROAD]

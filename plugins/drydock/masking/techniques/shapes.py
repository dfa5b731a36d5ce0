"""Shapes: what a right value of a kind looks like, place by place, and how it is moved to another right value.

A shape works on a matrix of uint8, one row for each value without its separators, in capital half-width letters; it is quick
where the columns are contiguous (Fortran order). Its texts
are counted: those with the same kept places and the same classes are the numbers below a size, FF1 moves the number, and the
new number is spelled again. A check character is not counted: it is set so that it is off by as much as before, 0 for a right
one. A check character keeps its class too (the walk goes on until it does), so that an X stays an X and a small x a small x.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np

from drydock.masking.ciphers.blockciphers import BlockCipher
from drydock.masking.ciphers.feistel import permute

Stays = Callable[[np.ndarray], np.ndarray]  # rows of codes -> may they stay?
_TOKEN = re.compile(r"([kfpc]):(\S+?)(?:\*(\d+))?$")
_NO_VALUE = 255
_DIGITS = "0123456789"
_FOLD = np.uint64(0x100000001B3)


class Shape(Protocol):
    """`length` characters; `fits` tells which rows are of the shape, `mask` moves rows that are."""

    @property
    def length(self) -> int: ...

    def fits(self, codes: np.ndarray) -> np.ndarray: ...

    def mask(self, cipher: BlockCipher, codes: np.ndarray, stays: Stays | None = None) -> np.ndarray: ...


@dataclass(frozen=True)
class Check:
    """A check character: its place, its symbols in the order of their values, and the right value for rows of codes.

    A symbol that is none of these is no check character, and is kept.
    """

    at: int
    symbols: str
    right: Callable[[np.ndarray], np.ndarray]

    @cached_property
    def values(self) -> np.ndarray:
        table = np.full(256, _NO_VALUE, np.uint8)
        table[np.frombuffer(self.symbols.encode(), np.uint8)] = np.arange(len(self.symbols))
        return table

    @cached_property
    def codes(self) -> np.ndarray:
        return np.frombuffer(self.symbols.encode(), np.uint8)

    def off(self, codes: np.ndarray) -> np.ndarray:
        """By how much the characters are off; -1 where there is no check character."""
        value = self.values.take(codes[:, self.at]).astype(np.int64)
        return np.where(value == _NO_VALUE, -1, (value - self.right(codes)) % len(self.symbols))

    def put(self, codes: np.ndarray, off: np.ndarray) -> np.ndarray:
        """Set the characters in place; True for those whose class did not change."""
        old = codes[:, self.at].copy()
        new = self.codes.take((self.right(codes) + off) % len(self.symbols))
        codes[:, self.at] = np.where(off < 0, old, new)
        return is_digit(old) == is_digit(codes[:, self.at])

    @property
    def has_letters(self) -> bool:
        return not self.symbols.isdigit()


def is_digit(codes: np.ndarray) -> np.ndarray:
    return (codes - np.uint8(48)) < 10


def all_digits(codes: np.ndarray) -> np.ndarray:
    """Rows of nothing but digits."""
    good = np.ones(codes.shape[0], bool)
    for j in range(codes.shape[1]):
        good &= is_digit(codes[:, j])
    return good


def label(name: str) -> int:
    """64 bits that tell tweaks of one shape from those of another."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def tweaks_of(start: int, codes: np.ndarray) -> np.ndarray:
    """Tweaks of 64 bits from a start and the kept characters of each row (rows x any); collisions do no harm."""
    tweaks = np.full(codes.shape[0], start, np.uint64)
    for j in range(codes.shape[1]):
        tweaks *= _FOLD
        tweaks += codes[:, j]
    return tweaks


@dataclass(frozen=True)
class _Place:
    """One place: its mode (k kept, f kept and no part of the tweak, p permuted, c check) and what may stand there."""

    mode: str
    symbols: str

    @cached_property
    def digits(self) -> str:
        return "".join(c for c in self.symbols if c in _DIGITS)

    @cached_property
    def letters(self) -> str:
        return "".join(c for c in self.symbols if c not in _DIGITS)

    @cached_property
    def span(self) -> tuple[int, int] | None:
        """First and last code where the symbols are one unbroken range: told by arithmetic, quicker than by a table."""
        codes = sorted(ord(c) for c in self.symbols)
        return (codes[0], codes[-1]) if codes[-1] - codes[0] + 1 == len(codes) else None

    @cached_property
    def _allowed(self) -> np.ndarray:
        table = np.zeros(256, bool)
        table[[ord(c) for c in self.symbols]] = True
        return table

    def allows(self, column: np.ndarray) -> np.ndarray:
        """Which of the codes may stand here."""
        if self.span:
            return (column - np.uint8(self.span[0])) <= self.span[1] - self.span[0]
        return self._allowed.take(column)

    @property
    def one_class(self) -> bool:
        return not self.digits or not self.letters

    @cached_property
    def _ranks(self) -> np.ndarray:
        """Of each symbol among those of its class."""
        table = np.zeros(256, np.uint64)
        for symbols in (self.digits, self.letters):
            table[[ord(c) for c in symbols]] = np.arange(len(symbols))
        return table

    def ranks(self, column: np.ndarray) -> np.ndarray:
        """Of each code among the symbols of its class, as uint64."""
        if self.span and self.one_class:
            return (column - np.uint8(self.span[0])).astype(np.uint64)
        return self._ranks.take(column)

    @cached_property
    def _radices(self) -> np.ndarray:
        table = np.ones(256, np.uint64)
        table[[ord(c) for c in self.digits]] = len(self.digits)
        table[[ord(c) for c in self.letters]] = len(self.letters)
        return table

    def radices(self, column: np.ndarray) -> np.ndarray | int:
        """How many symbols each code's class has; a number where the place knows one class only."""
        return len(self.symbols) if self.one_class else self._radices.take(column)

    @cached_property
    def _spelled(self) -> np.ndarray:
        """Symbols of letters by rank, those of digits from 128 on."""
        table = np.zeros(256, np.uint8)
        table[: len(self.letters)] = [ord(c) for c in self.letters]
        table[128 : 128 + len(self.digits)] = [ord(c) for c in self.digits]
        return table

    def spelled(self, ranks: np.ndarray, old: np.ndarray) -> np.ndarray:
        """The codes of these ranks in the classes of the old codes."""
        if self.span and self.one_class:
            return ranks.astype(np.uint8) + np.uint8(self.span[0])
        if self.one_class:
            return self._spelled.take(ranks.astype(np.intp) + (128 if self.digits else 0))
        return self._spelled.take(ranks.astype(np.intp) + is_digit(old) * 128)


def expanded(symbols: str) -> str:
    """`0-9A-C` as `0123456789ABC`; characters above 127 stand for what a kind puts there."""
    return re.sub(r"(.)-(.)", lambda m: "".join(map(chr, range(ord(m[1]), ord(m[2]) + 1))), symbols)


def _places(text: str) -> tuple[_Place, ...]:
    out: list[_Place] = []
    for token in text.split():
        m = _TOKEN.match(token)
        assert m, token
        out += [_Place(m[1], expanded(m[2]))] * int(m[3] or 1)
    return tuple(out)


@dataclass(frozen=True)
class Template:
    """A shape written as places: `k:1 k:3-9 k:0-9 p:0-9*8`; modes as in `_Place`. `also` is what else must hold.

    `settled`: what `also` asks cannot change, since it is about kept places and by how much check characters are off.
    `unwritten`: kept characters that stand before the first in other shapes of the name and are left out in this one: the
    tweak has them, so that both are moved alike.
    """

    name: str
    text: str
    checks: tuple[Check, ...] = ()
    also: Stays | None = field(default=None, compare=False)
    settled: bool = False
    unwritten: str = ""

    @cached_property
    def start(self) -> int:
        """What the tweak begins with."""
        return int(tweaks_of(label(self.name), np.frombuffer(self.unwritten.encode(), np.uint8)[None, :])[0])

    @cached_property
    def places(self) -> tuple[_Place, ...]:
        return _places(self.text)

    @cached_property
    def _moved(self) -> list[int]:
        return [j for j, place in enumerate(self.places) if place.mode == "p"]

    @cached_property
    def _kept(self) -> list[int]:
        return [j for j, place in enumerate(self.places) if place.mode == "k"]

    @property
    def length(self) -> int:
        return len(self.places)

    def fits(self, codes: np.ndarray) -> np.ndarray:
        """True for rows of the shape."""
        good = np.ones(codes.shape[0], bool)
        for j, place in enumerate(self.places):
            good &= place.allows(codes[:, j])
        if self.also is not None:
            rows = np.flatnonzero(good)
            good[rows] = self.also(codes[rows])
        return good

    def mask(self, cipher: BlockCipher, codes: np.ndarray, stays: Stays | None = None) -> np.ndarray:
        """The rows, all of which fit, moved to other rows that fit and that `stays` lets stay."""
        codes = np.asfortranarray(codes)
        numbers, size = self._counted(codes)
        tweaks = tweaks_of(self.start, codes[:, self._kept]) if self._kept else self.start
        offs = [check.off(codes) for check in self.checks]
        asked = None if self.settled else self.also

        def good(numbers: np.ndarray, rows: np.ndarray) -> np.ndarray:
            new, fine = self._spelled(numbers, np.asfortranarray(codes[rows]), [off[rows] for off in offs])
            for holds in (asked, stays):
                fine = fine if holds is None else fine & holds(new)
            return fine

        walks = stays is not None or asked is not None or any(check.has_letters for check in self.checks)
        moved = permute(cipher, size, numbers, tweaks, good if walks else None)
        return self._spelled(moved, codes, offs)[0]

    def _counted(self, codes: np.ndarray) -> tuple[np.ndarray, int | np.ndarray]:
        """Every row's number, and the size of its domain: one for all where all places know one class only."""
        numbers, size = np.zeros(codes.shape[0], np.uint64), 1
        for j in self._moved:
            place, column = self.places[j], codes[:, j]
            radix = place.radices(column)
            numbers *= np.uint64(radix) if isinstance(radix, int) else radix
            numbers += place.ranks(column)
            size = size * radix
        if isinstance(size, np.ndarray) and size.size and (size == size[0]).all():
            size = int(size[0])
        return numbers, size

    def _spelled(self, numbers: np.ndarray, old: np.ndarray, offs: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """The rows of the numbers, and which of them kept the class of every check character."""
        new = old.copy(order="F")
        for j in reversed(self._moved):
            place, column = self.places[j], old[:, j]
            radix = place.radices(column)
            rest = numbers // (np.uint64(radix) if isinstance(radix, int) else radix)
            new[:, j] = place.spelled(numbers - rest * radix, column)
            numbers = rest
        fine = np.ones(new.shape[0], bool)
        for check, off in zip(self.checks, offs, strict=True):
            fine &= check.put(new, off)
        return new, fine

    def sizes(self) -> tuple[int, int]:
        """The smallest and the largest domain, over the classes that places may have (check characters not counted)."""
        smallest = largest = 1
        for j in self._moved:
            classes = [len(c) for c in (self.places[j].digits, self.places[j].letters) if c]
            smallest, largest = smallest * min(classes), largest * max(classes)
        return smallest, largest


@dataclass(frozen=True)
class Inside:
    """Another shape from a place on, within a longer one whose other places are kept: digits, `0-9` unless told."""

    inner: Shape
    at: int
    around: Template

    @property
    def length(self) -> int:
        return self.around.length

    def fits(self, codes: np.ndarray) -> np.ndarray:
        """True where the whole and the inner part fit."""
        good = self.around.fits(codes)
        rows = np.flatnonzero(good)
        good[rows] = self.inner.fits(codes[rows, self.at : self.at + self.inner.length])
        return good

    def mask(self, cipher: BlockCipher, codes: np.ndarray, stays: Stays | None = None) -> np.ndarray:
        """The inner part moved; everything else kept, and no part of the tweak."""
        if stays is not None:
            raise NotImplementedError("a shape within another one comes first among its kind's shapes")
        new, part = codes.copy(), slice(self.at, self.at + self.inner.length)
        new[:, part] = self.inner.mask(cipher, codes[:, part])
        return new

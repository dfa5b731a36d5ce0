"""E-mail addresses and IPv4 addresses: shapes whose places depend on their own marks (`@`, dots)."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from drydock.masking.ciphers.blockciphers import BlockCipher
from drydock.masking.ciphers.feistel import permute
from drydock.masking.techniques.generic import permute_classes
from drydock.masking.techniques.options import Options
from drydock.masking.techniques.shapes import Stays, all_digits, is_digit, label, tweaks_of

_EMAIL_FORM = re.compile(r"[x._%+-]+@(x[x-]*(?:\.[x-]*x)*)\.(x{2,24})")
_SECOND_LEVEL = ("COM", "NET", "ORG", "GOV", "EDU", "AC", "CO", "MIL")


@dataclass(frozen=True)
class Email:
    """Local part and domain moved within their classes, the domain alike wherever it stands; the last label is kept.

    `public_suffix`: of the shape are only those whose last label but one is com, net, org … under two letters; it is kept too.
    """

    local: int
    labels: tuple[int, ...]
    public_suffix: bool
    options: Options

    @property
    def length(self) -> int:
        return self.local + sum(self.labels)

    @property
    def _kept(self) -> int:
        return self.labels[-1] + (self.labels[-2] if self.public_suffix else 0)

    def fits(self, codes: np.ndarray) -> np.ndarray:
        """Letters and digits, letters in the last label, with or without a public suffix before it."""
        good = (is_digit(codes) | ((codes >= 65) & (codes <= 90))).all(axis=1)
        good &= ~is_digit(codes[:, -self.labels[-1] :]).any(axis=1)
        return good & (self._has_suffix(codes) == self.public_suffix)

    def _has_suffix(self, codes: np.ndarray) -> np.ndarray:
        """Is the last label but one a public one, under a label of two letters?"""
        if len(self.labels) < 3 or self.labels[-1] != 2:
            return np.zeros(codes.shape[0], bool)
        end = self.length - self.labels[-1]
        second = codes[:, end - self.labels[-2] : end]
        names = [np.frombuffer(name.encode(), np.uint8) for name in _SECOND_LEVEL if len(name) == self.labels[-2]]
        found = np.zeros(codes.shape[0], bool)
        for name in names:
            found |= (second == name).all(axis=1)
        return found

    def mask(self, cipher: BlockCipher, codes: np.ndarray, stays: Stays | None = None) -> np.ndarray:
        """The rows, all of which fit: the local part under a tweak of its whole domain. The other shape is never reached."""
        new, end = codes.copy(), self.length - self._kept
        domain, suffix = slice(self.local, end), codes[:, end:]

        def still(part: np.ndarray, rows: np.ndarray) -> np.ndarray:
            trial = codes[rows].copy()
            trial[:, domain] = part
            return self._has_suffix(trial) == self.public_suffix

        if self.options.email_domain == "mask":
            tweaks = tweaks_of(label("e-mail domain"), suffix)
            new[:, domain] = permute_classes(cipher, codes[:, domain], tweaks, still)
        tweaks = tweaks_of(label("e-mail local part"), codes[:, self.local :])
        new[:, : self.local] = permute_classes(cipher, codes[:, : self.local], tweaks)
        return new


def email_shapes(form: str, options: Options) -> tuple[Email, ...]:
    """The shapes of addresses with these marks (`x` for any other character); none where it is no address."""
    m = _EMAIL_FORM.fullmatch(form)
    local = form.partition("@")[0].count("x")
    if not m or not local or form.partition("@")[0][0] == "." or ".." in form:
        return ()
    labels = tuple(part.count("x") for part in (*m[1].split("."), m[2]))
    return tuple(Email(local, labels, public, options) for public in (True, False) if len(labels) > 2 or not public)


@dataclass(frozen=True)
class Ipv4:
    """Four numbers from 0 to 255; each keeps the number of its digits. `lengths`: digits of each."""

    lengths: tuple[int, ...]
    keep_network: bool

    @property
    def length(self) -> int:
        return sum(self.lengths)

    @property
    def _places(self) -> list[tuple[int, int, int, int]]:
        """First place, digits, smallest number and how many, for each of the four."""
        ends = np.cumsum((0, *self.lengths))
        ranges = {1: (0, 10), 2: (10, 90), 3: (100, 156)}
        return [(int(at), n, *ranges[n]) for at, n in zip(ends, self.lengths, strict=False)]

    def fits(self, codes: np.ndarray) -> np.ndarray:
        """Digits that give numbers of the range, without zeros before them."""
        good = all_digits(codes)
        for number, (_, _, low, count) in zip(self._numbers(codes), self._places, strict=True):
            good &= (number >= low) & (number < low + count)
        return good

    def sizes(self) -> tuple[int, ...]:
        """How many addresses share a set."""
        size = 1
        for _, _, _, count in self._places[2 if self.keep_network else 0 :]:
            size *= count
        return (size,)

    def _numbers(self, codes: np.ndarray) -> list[np.ndarray]:
        out = []
        for at, n, _, _ in self._places:
            number = np.zeros(codes.shape[0], np.int64)
            for j in range(at, at + n):
                number = number * 10 + codes[:, j] - 48
            out.append(number)
        return out

    def mask(self, cipher: BlockCipher, codes: np.ndarray, stays: Stays | None = None) -> np.ndarray:
        """The rows, all of which fit, moved as one number."""
        assert stays is None
        first = 2 if self.keep_network else 0
        total, size = np.zeros(codes.shape[0], np.uint64), 1
        for number, (_, _, low, count) in list(zip(self._numbers(codes), self._places, strict=True))[first:]:
            total = total * np.uint64(count) + (number - low).astype(np.uint64)
            size *= count
        tweaks = tweaks_of(label(f"ipv4 {first}"), codes[:, : sum(self.lengths[:first])])
        moved = permute(cipher, size, total, tweaks).astype(np.int64)
        new = codes.copy()
        for at, n, low, count in reversed(self._places[first:]):
            number = moved % count + low
            moved = moved // count
            for j in range(at + n - 1, at - 1, -1):
                new[:, j] = number % 10 + 48
                number = number // 10
        return new


def ipv4_shapes(form: str, options: Options) -> tuple[Ipv4, ...]:
    """The shape of addresses with dots in these places; none where it is no address."""
    parts = form.split(".")
    if len(parts) != 4 or not all(part in ("x", "xx", "xxx") for part in parts):
        return ()
    return (Ipv4(tuple(len(part) for part in parts), options.network == "keep"),)

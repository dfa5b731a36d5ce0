"""Format-preserving encryption: FF1 of NIST SP 800-38G Rev. 1, one value at a time and over NumPy batches.

`ff1_encrypt` and `ff1_decrypt` are the reference over numeral strings, checked against NIST's sample vectors.
A whole number below M goes as a numeral string: of 2 numerals of radix ceil(sqrt(M)) up to 2^32, else of 4 of radix
ceil(M^(1/4)), and walks the cycle until it falls below M. `permute` does that for a batch, with one call of the block cipher
for each round; `permute_one` is its reference. Domains under 1,000,000, which FF1 does not admit, get the same network with
more rounds (as FFX does for short strings), as docs/masking-crypto.md says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, isqrt, log2

import numpy as np

from drydock.masking.ciphers.blockciphers import BLOCK_BYTES, BlockCipher

FF1_ROUNDS = 10
SMALLEST_FF1_DOMAIN = 1_000_000  # SP 800-38G Rev. 1: radix^minlen
LARGEST_DOMAIN = 1 << 63
TWEAK_BYTES = 8

Accept = Callable[[np.ndarray, np.ndarray], np.ndarray]  # (numbers, their places in the batch) -> may they stay?


def ff1_encrypt(cipher: BlockCipher, radix: int, numerals: Sequence[int], tweak: bytes, rounds: int = FF1_ROUNDS) -> list[int]:
    """Algorithm 7 of SP 800-38G over numerals 0 … radix-1. Raises ValueError for numerals that cannot be encrypted."""
    return _ff1(cipher, radix, numerals, tweak, range(rounds))


def ff1_decrypt(cipher: BlockCipher, radix: int, numerals: Sequence[int], tweak: bytes, rounds: int = FF1_ROUNDS) -> list[int]:
    """Algorithm 8 of SP 800-38G: what `ff1_encrypt` was given."""
    return _ff1(cipher, radix, numerals, tweak, range(rounds - 1, -1, -1))


def _ff1(cipher: BlockCipher, radix: int, numerals: Sequence[int], tweak: bytes, order: range) -> list[int]:
    """Both directions: the order of the rounds tells which. Names as in the standard."""
    n, t = len(numerals), len(tweak)
    if not 2 <= radix <= 1 << 16 or n < 2 or not all(0 <= x < radix for x in numerals):
        raise ValueError("FF1 takes at least 2 numerals, of a radix from 2 to 65536")
    u, v = n // 2, n - n // 2
    b = ceil(ceil(v * log2(radix)) / 8)
    d = 4 * ceil(b / 4) + 4
    p = _first_block(radix, u, n, t, len(order))
    padding = bytes((-t - b - 1) % 16)
    backwards = order.step < 0
    left, right = _number(numerals[:u], radix), _number(numerals[u:], radix)
    for i in order:
        source, moved = (left, right) if backwards else (right, left)
        q = tweak + padding + bytes([i]) + source.to_bytes(b, "big")
        y = int.from_bytes(_stream(cipher, cipher.last_of_chain(p + q), d), "big")
        modulus = radix ** (u if i % 2 == 0 else v)
        new = (moved - y if backwards else moved + y) % modulus
        left, right = (new, source) if backwards else (source, new)
    return _numerals(left, radix, u) + _numerals(right, radix, v)


def _first_block(radix: int, u: int, n: int, t: int, rounds: int) -> bytes:
    head = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([rounds, u % 256])
    return head + n.to_bytes(4, "big") + t.to_bytes(4, "big")


def _stream(cipher: BlockCipher, r: bytes, length: int) -> bytes:
    """The first bytes of R || CIPH(R xor [1]) || CIPH(R xor [2]) …"""
    out, j = r, 0
    while len(out) < length:
        j += 1
        out += cipher.encrypt_block((int.from_bytes(r, "big") ^ j).to_bytes(BLOCK_BYTES, "big"))
    return out[:length]


def _number(numerals: Sequence[int], radix: int) -> int:
    total = 0
    for x in numerals:
        total = total * radix + x
    return total


def _numerals(number: int, radix: int, length: int) -> list[int]:
    out = []
    for _ in range(length):
        number, x = divmod(number, radix)
        out.append(x)
    return out[::-1]


@dataclass(frozen=True)
class Layout:
    """How numbers below a size are cut for the network: `half` = radix^(n/2) is the size of each half."""

    radix: int
    length: int
    half: int
    number_bytes: int
    rounds: int


@lru_cache(maxsize=4096)
def layout(size: int) -> Layout:
    """The numeral string for numbers below `size` (1 … 2^63). Raises ValueError outside of that."""
    if not 1 <= size <= LARGEST_DOMAIN:
        raise ValueError(f"no domain of {size} numbers")
    length = 2 if size <= 1 << 32 else 4
    radix = isqrt(max(size, 2) - 1) + 1
    radix = radix if length == 2 else isqrt(radix - 1) + 1
    v = length // 2
    return Layout(radix, length, radix**v, ceil(ceil(v * log2(radix)) / 8), rounds_for(size))


def rounds_for(size: int) -> int:
    """10 as in FF1 from a million numbers on; under that 24, and 36 under 10,000 (FFX too takes more for shorter strings)."""
    if size >= SMALLEST_FF1_DOMAIN:
        return FF1_ROUNDS
    return 24 if size >= 10_000 else 36


def permute_one(cipher: BlockCipher, size: int, number: int, tweak: bytes) -> int:
    """The reference of `permute`: a number below `size` under a tweak of 8 bytes, by `ff1_encrypt` and cycle walking."""
    cut = layout(size)
    while True:
        numerals = ff1_encrypt(cipher, cut.radix, _numerals(number, cut.radix, cut.length), tweak, cut.rounds)
        number = _number(numerals, cut.radix)
        if number < size:
            return number


def permute(
    cipher: BlockCipher,
    size: int | np.ndarray | tuple[Sequence[int], np.ndarray],
    numbers: np.ndarray,
    tweaks: int | np.ndarray,
    accept: Accept | None = None,
) -> np.ndarray:
    """Each of the numbers (uint64, below its size) under its tweak of 64 bits, walked until it is below the size and accepted.

    `size`: one for all, one for each row, or the distinct ones with the place of each row's among them.
    `accept` must hold for every number given, and must not depend on anything but the number and what stays as it is in the
    row: then the result is a permutation of what is accepted.
    """
    out = numbers.astype(np.uint64)
    if out.size == 0:
        return out
    rows = np.arange(out.size) if accept else None
    return _walk(cipher, _Sizes(cipher, size), out, np.asarray(tweaks, np.uint64), accept, rows)


def _walk(
    cipher: BlockCipher, sizes: _Sizes, out: np.ndarray, tweaks: np.ndarray, accept: Accept | None, rows: np.ndarray | None
) -> np.ndarray:
    """All rows once, then those again that may not stay: fewer and fewer."""
    left: np.ndarray | None = None  # places still walking; None = all
    while True:
        now = out if left is None else out[left]
        of_now = sizes if left is None else sizes.take(left)
        went = _network(cipher, of_now, now, tweaks if left is None or tweaks.ndim == 0 else tweaks[left])
        again = went >= of_now.size
        if accept is not None:
            inside = np.flatnonzero(~again)
            places = inside if left is None else left[inside]
            again[inside[~accept(went[inside], rows[places])]] = True
        if left is None:
            out = went
            left = np.flatnonzero(again)
        else:
            out[left] = went
            left = left[again]
        if left.size == 0:
            return out


class _Sizes:
    """Size, half and first block for a batch: one of each, or one per row where sizes differ between rows."""

    def __init__(self, cipher: BlockCipher, size: int | np.ndarray | tuple[Sequence[int], np.ndarray]) -> None:
        if isinstance(size, tuple):
            distinct, self._which = size
        else:
            distinct, self._which = ([size], None) if isinstance(size, int) else np.unique(size, return_inverse=True)
        cuts = [layout(int(s)) for s in distinct]
        first = [_first_block(c.radix, c.length // 2, c.length, TWEAK_BYTES, c.rounds) for c in cuts]
        chained = b"".join(cipher.encrypt_block(block) for block in first)
        self._chained = np.frombuffer(chained, ">u8").astype(np.uint64).reshape(-1, 2)
        self._half = np.array([c.half for c in cuts], np.uint64)
        self._shift = np.array([8 * c.number_bytes for c in cuts], np.uint64)
        self._rounds = np.array([c.rounds for c in cuts])
        self._size = np.array([int(s) for s in distinct], np.uint64)
        self._select()

    def _select(self) -> None:
        which = self._which if self._which is not None else 0
        self.size, self.half, self.shift = self._size[which], self._half[which], self._shift[which]
        self.high, self.low = self._chained[which, 0], self._chained[which, 1]
        self.rounds = self._rounds[which]

    def take(self, rows: np.ndarray) -> _Sizes:
        """The same for some of the rows."""
        if self._which is None:
            return self
        part = object.__new__(_Sizes)
        part.__dict__.update(self.__dict__)
        part._which = self._which[rows]
        part._select()
        return part


def _network(cipher: BlockCipher, sizes: _Sizes, numbers: np.ndarray, tweaks: np.ndarray) -> np.ndarray:
    """Once through the network: rounds of FF1 with a tweak of 8 bytes, where Q fills exactly one block."""
    most = int(np.max(sizes.rounds))
    if most != int(np.min(sizes.rounds)):
        return _by_rounds(cipher, sizes, numbers, tweaks)
    half, low, shift = sizes.half, sizes.low, sizes.shift
    left, right = np.divmod(numbers, half)
    blocks = np.empty((numbers.size, 2), np.uint64)
    high = (tweaks ^ sizes.high).byteswap()
    blocks[:, 0] = high
    for i in range(most):
        np.bitwise_xor(right, (np.uint64(i) << shift) ^ low, out=blocks[:, 1])
        blocks[:, 1].byteswap(inplace=True)
        moved = cipher.encrypt(blocks)[:, 0].byteswap()
        moved %= half
        moved += left
        moved = np.where(moved >= half, moved - half, moved)
        left, right = right, moved
    return left * half + right


def _by_rounds(cipher: BlockCipher, sizes: _Sizes, numbers: np.ndarray, tweaks: np.ndarray) -> np.ndarray:
    """Rows whose sizes ask for different numbers of rounds, one number of rounds after the other."""
    out = np.empty_like(numbers)
    for rounds in np.unique(sizes.rounds):
        rows = np.flatnonzero(sizes.rounds == rounds)
        out[rows] = _network(cipher, sizes.take(rows), numbers[rows], tweaks if tweaks.ndim == 0 else tweaks[rows])
    return out

"""Any text: every character moved within its class, all together as one number or one wide string.

What no shape of a kind knows is masked wholly by this; bill and order numbers are masked by this alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import ceil, log2

import numpy as np

from drydock.masking.ciphers.blockciphers import BlockCipher
from drydock.masking.ciphers.feistel import permute
from drydock.masking.ciphers.wide import permute_wide
from drydock.masking.values.characters import alphabet

Guard = Callable[[np.ndarray, np.ndarray], np.ndarray]  # (new codes, their rows) -> may they stay?
TWEAK = 0x67656E65726963  # "generic"
_LONGEST_NUMBER = 18  # characters; 19 of the smallest class (ten digits) pass 2^63
_PORTION = 1 << 18  # characters of long strings that are masked at a time
_FINE = 1024  # sizes of domains are compared in whole 1/1024 bits, so that no rounding can differ between machines
MOST_BITS = 63 * _FINE


@cache
def bits() -> np.ndarray:
    """Of each class, the bits of one of its characters."""
    return np.array([ceil(log2(int(size)) * _FINE) for size in alphabet().sizes])


def permute_classes(
    cipher: BlockCipher, codes: np.ndarray, tweaks: int | np.ndarray = TWEAK, guard: Guard | None = None
) -> np.ndarray:
    """Code points (rows x length, none of them kept) moved within their classes: a permutation of what the guard lets stay.

    The guard must let every row stay that was given. Up to 2^63 texts of the same classes the row is a number for FF1, past
    that a string for the wide network.
    """
    if codes.shape[0] == 0 or codes.shape[1] == 0:
        return codes
    if codes.shape[1] > _LONGEST_NUMBER:
        return _in_portions(cipher, codes, np.asarray(tweaks, np.uint64), guard)
    codes = np.asfortranarray(codes)
    classes = alphabet().class_of.take(codes)
    needed = np.zeros(codes.shape[0], np.int64)
    for j in range(codes.shape[1]):
        needed += bits().take(classes[:, j])
    fits = needed <= MOST_BITS
    tweaks = np.asarray(tweaks, np.uint64)
    if fits.all():
        return _as_numbers(cipher, codes, classes, tweaks, guard)
    if not fits.any():
        return _as_strings(cipher, codes, classes, tweaks, guard)
    out = codes.copy()
    for rows, way in ((np.flatnonzero(fits), _as_numbers), (np.flatnonzero(~fits), _as_strings)):
        of_rows = tweaks if tweaks.ndim == 0 else tweaks[rows]
        out[rows] = way(cipher, codes[rows], classes[rows], of_rows, _for_rows(guard, rows))
    return out


def _in_portions(cipher: BlockCipher, codes: np.ndarray, tweaks: np.ndarray, guard: Guard | None) -> np.ndarray:
    """Long strings, so many rows at a time that memory stays flat."""
    out, step = np.empty_like(codes), max(1, _PORTION // codes.shape[1])
    for first in range(0, codes.shape[0], step):
        rows = np.arange(first, min(first + step, codes.shape[0]))
        part, of_rows = codes[rows], tweaks if tweaks.ndim == 0 else tweaks[rows]
        out[rows] = _as_strings(cipher, part, alphabet().class_of.take(part), of_rows, _for_rows(guard, rows))
    return out


def _for_rows(guard: Guard | None, rows: np.ndarray) -> Guard | None:
    return None if guard is None else lambda new, places: guard(new, rows[places])


def _as_numbers(
    cipher: BlockCipher, codes: np.ndarray, classes: np.ndarray, tweaks: np.ndarray, guard: Guard | None
) -> np.ndarray:
    """Mixed-radix numbers through FF1."""
    letters, columns = alphabet(), range(codes.shape[1])
    numbers = np.zeros(codes.shape[0], np.uint64)
    sizes = np.ones(codes.shape[0], np.uint64)
    radices = [letters.sizes.take(classes[:, j]) for j in columns]
    for j in columns:
        numbers *= radices[j]
        numbers += letters.rank_of.take(codes[:, j])
        sizes *= radices[j]
    size = int(sizes[0]) if (sizes == sizes[0]).all() else sizes

    def spelled(numbers: np.ndarray, rows: np.ndarray | slice) -> np.ndarray:
        out = np.empty((numbers.size, codes.shape[1]), codes.dtype, order="F")
        for j in reversed(columns):
            radix = radices[j][rows]
            rest = numbers // radix
            rank = (numbers - rest * radix).astype(np.int64)
            out[:, j] = letters.symbols.take(letters.first.take(classes[rows, j]) + rank)
            numbers = rest
        return out

    accept = None if guard is None else lambda numbers, rows: guard(spelled(numbers, rows), rows)
    return spelled(permute(cipher, size, numbers, tweaks, accept), slice(None))


def _as_strings(
    cipher: BlockCipher, codes: np.ndarray, classes: np.ndarray, tweaks: np.ndarray, guard: Guard | None
) -> np.ndarray:
    """Strings through the wide network, those again that may not stay."""
    letters = alphabet()
    out, rows = codes.copy(), np.arange(codes.shape[0])
    while rows.size:
        of_rows = classes[rows]
        ranks = letters.rank_of[out[rows]].astype(np.uint64)
        new = permute_wide(cipher, letters.sizes[of_rows], ranks, tweaks if tweaks.ndim == 0 else tweaks[rows])
        out[rows] = letters.symbols[letters.first[of_rows] + new.astype(np.int64)].astype(codes.dtype)
        rows = rows[:0] if guard is None else rows[~guard(out[rows], rows)]
    return out

"""All texts of a block that could be one of the values looked for: whole cells, spans of tokens, windows of long numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from drydock.masking.verification.folding import DIGIT, WIDE, Folded, gather, spans
from drydock.masking.verification.hashes import LONGEST_QUICK

LONGEST_SPAN = 48  # kept bytes; longer values (addresses) are looked for as whole cells and whole groups
LONGEST_NUMBER = 1 << 16  # digits of one token in which windows are cut
NAME_BYTES = (6, 9, 12)  # two to four Chinese letters
SHAPES = NUMERIC, MIXED, CHINESE = range(3)


@dataclass(frozen=True)
class Candidates:
    """Texts of one length at `starts` of the kept bytes, beginning in `tokens`. `inside`: cut out of a longer text."""

    tokens: np.ndarray
    starts: np.ndarray
    length: int
    inside: bool


def candidates(folded: Folded, lengths: np.ndarray, names: np.ndarray) -> Iterator[Candidates]:
    """`lengths[n]`: values of n kept bytes are looked for; `names[n]`: Chinese ones among them, also within sentences."""
    short = lengths[: LONGEST_SPAN + 1]
    for found in spans(folded, short):
        for length in np.flatnonzero(np.bincount(found.lengths)).tolist():
            tokens = found.first[found.lengths == length]
            yield Candidates(tokens, folded.starts[tokens], length, inside=False)
    yield from _whole(folded, lengths)
    yield from _windows(folded, short, names)


def shapes(folded: Folded, starts: np.ndarray, length: int) -> np.ndarray:
    """NUMERIC, MIXED or CHINESE for each text."""
    wide = folded.wide_before[starts + length] - folded.wide_before[starts]
    digits = folded.digits_before[starts + length] - folded.digits_before[starts]
    return np.where(wide > 0, CHINESE, np.where(digits == length, NUMERIC, MIXED))


def texts(folded: Folded, starts: np.ndarray, length: int) -> np.ndarray:
    """The texts as a matrix, as far as the quick hash looks."""
    return gather(folded.kept, starts, min(length, LONGEST_QUICK))


def _whole(folded: Folded, lengths: np.ndarray) -> Iterator[Candidates]:
    """Whole cells and whole groups that are too long for spans; where both are the same, once."""
    if not len(folded.starts):
        return
    marks = (folded.cells, folded.groups)
    begins = [np.flatnonzero(np.concatenate([[True], m[1:] != m[:-1]])) for m in marks]
    sizes = [np.diff(np.append(folded.starts[b], len(folded.kept))) for b in begins]
    tokens, size = np.concatenate(begins), np.concatenate(sizes)
    fits = (size < len(lengths)) & (size > LONGEST_SPAN)
    fits[fits] = lengths[size[fits]]
    for length in np.flatnonzero(np.bincount(size[fits])).tolist():
        chosen = np.unique(tokens[fits & (size == length)])
        yield Candidates(chosen, folded.starts[chosen], length, inside=False)


def _windows(folded: Folded, lengths: np.ndarray, names: np.ndarray) -> Iterator[Candidates]:
    long_numbers = (folded.classes == DIGIT) & (folded.lengths <= LONGEST_NUMBER)
    for length in np.flatnonzero(lengths).tolist():
        if length >= 7:
            yield from _cut(folded, long_numbers & (folded.lengths > length), length, 1)
    for length in NAME_BYTES:
        if length < len(names) and names[length]:
            yield from _cut(folded, (folded.classes == WIDE) & (folded.lengths > length), length, 3)


def _cut(folded: Folded, chosen: np.ndarray, length: int, step: int) -> Iterator[Candidates]:
    tokens = np.flatnonzero(chosen)
    starts, sizes = folded.starts[tokens], folded.lengths[tokens]
    if not len(starts):
        return
    counts = (sizes - length) // step + 1
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    yield Candidates(np.repeat(tokens, counts), np.repeat(starts, counts) + offsets * step, length, inside=True)

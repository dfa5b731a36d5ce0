"""Which texts of digits are whole numbers, and of which types: the sets that no pseudonym leaves where numbers stand in a domain.

A number of a column and the same number written in a text column get one pseudonym, and that fits into the column: it has as
many digits, no zero in front, and lies below the bounds of smallint, integer and bigint below which the number lay.
"""

from __future__ import annotations

import numpy as np

from drydock.masking.values.characters import DIGIT, KEPT, alphabet, fold

BOUNDS = (2**15 - 1, 2**15, 2**31 - 1, 2**31, 2**63 - 1, 2**63)
"""Greatest values of smallint, integer and bigint, and their least ones without the sign."""
ALONE = (1, 3, 5)
"""Sets of one number each (32768, 2147483648, 9223372036854775808): it stays itself, else it would not fit as a negative."""
NO_NUMBER, ZEROS_FIRST = -2, -1


def sizes_of_numbers(codes: np.ndarray) -> np.ndarray:
    """For each row of code points (rows x length) how many of BOUNDS its number passes; what is none is told apart.

    NO_NUMBER where a character is neither a digit nor a mark, or there is no digit; ZEROS_FIRST for 007.
    """
    folded, _ = fold(codes)
    classes = alphabet().class_of.take(folded)
    is_digit = classes == DIGIT
    count = is_digit.sum(axis=1)
    digits = np.where(is_digit, folded.astype(np.int64) - ord("0"), 0)
    first = np.take_along_axis(digits, is_digit.argmax(axis=1)[:, None], axis=1)[:, 0]
    sizes = np.zeros(codes.shape[0], np.int64)
    for bound in BOUNDS:
        sizes += _is_above(digits, is_digit, count, bound)
    sizes[(first == 0) & (count > 1)] = ZEROS_FIRST
    sizes[~(is_digit | (classes == KEPT)).all(axis=1) | (count == 0)] = NO_NUMBER
    return sizes


def _is_above(digits: np.ndarray, is_digit: np.ndarray, count: np.ndarray, bound: int) -> np.ndarray:
    """Rows whose digits, marks left out, are a number above the bound: longer, or greater at the first place that differs."""
    limit = np.array([int(c) for c in str(bound)], np.int64)
    above = count > limit.size
    rows = np.flatnonzero(count == limit.size)
    if rows.size:
        same = digits[rows][is_digit[rows]].reshape(rows.size, limit.size)
        differs = same != limit
        place = differs.argmax(axis=1)
        above[rows] = differs.any(axis=1) & (same[np.arange(rows.size), place] > limit[place])
    return above

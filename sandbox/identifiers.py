"""Numbers with check digits, made by the hundred thousand: whole columns at a time, as NumPy matrices of ASCII codes.

A body is a uint8 matrix of n rows and w characters; `*_check` answers the n check characters, `checked` puts them at the
end, and `as_text` makes a string column of it without a Python object per row. All numbers are made up, but have the
right shape; where a planted fault asks for it, `spoiled` makes the last character a wrong one.

Sources of the methods: GB 11643-1999 (resident id), GB 32100-2015 and GB 11714-1997 (unified social credit code and the
organisation code inside it), ISO/IEC 7812-1 annex B (Luhn, bank cards), ISO 6346 (containers), IMO resolution A.1117(30).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import pyarrow as pa

DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100 leaves out I, O, S, V and Z
CN_ID_CHECKS = "10X98765432"  # by remainder, GB 11643
# ISO 6346: letters count from 10 and skip the multiples of 11
CONTAINER_VALUES = dict(zip(LETTERS, (v for v in range(10, 39) if v % 11), strict=True))

Matrix = np.ndarray  # uint8, n rows of w ASCII codes


def text_matrix(texts: Sequence[str]) -> Matrix:
    """Texts of one length as a matrix of ASCII codes."""
    return np.frombuffer("".join(texts).encode("ascii"), dtype=np.uint8).reshape(len(texts), len(texts[0]))


def number_matrix(numbers: np.ndarray, width: int, alphabet: str = DIGITS) -> Matrix:
    """Whole numbers written with `width` characters of `alphabet`, most significant first."""
    base = len(alphabet)
    powers = base ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return _codes(alphabet)[(np.asarray(numbers, dtype=np.int64)[:, None] // powers) % base]


def joined(*parts: Matrix | str) -> Matrix:
    """Matrices and constant texts side by side; at least one part is a matrix."""
    count = next(len(part) for part in parts if not isinstance(part, str))
    return np.hstack([np.tile(text_matrix([part]), (count, 1)) if isinstance(part, str) else part for part in parts])


def as_text(matrix: Matrix) -> pl.Series:
    """The rows as one string column; the matrix's own bytes become the column's buffer."""
    rows, width = matrix.shape
    offsets = np.arange(0, (rows + 1) * width, width, dtype=np.int64)
    characters = pa.py_buffer(np.ascontiguousarray(matrix))
    return pl.Series(pl.from_arrow(pa.LargeStringArray.from_buffers(rows, pa.py_buffer(offsets), characters)))


def cn_id_check(bodies: Matrix) -> np.ndarray:
    """Check characters of 17-digit bodies: ISO 7064 MOD 11-2."""
    weights = [2**power % 11 for power in range(17, 0, -1)]
    return _codes(CN_ID_CHECKS)[_weighted(bodies, DIGITS, weights) % 11]


def org_code_check(bodies: Matrix) -> np.ndarray:
    """Check characters of 8-character organisation codes: 11 - sum mod 11, 10 is written X and 11 is written 0."""
    rest = _weighted(bodies, DIGITS + LETTERS, [3, 7, 9, 10, 5, 8, 4, 2]) % 11
    return _codes("0X987654321")[rest]


def uscc_check(bodies: Matrix) -> np.ndarray:
    """Check characters of 17-character bodies: weights 3^i mod 31."""
    rest = _weighted(bodies, USCC_ALPHABET, [3**power % 31 for power in range(17)]) % 31
    return _codes(USCC_ALPHABET)[-rest % 31]


def luhn_check(bodies: Matrix) -> np.ndarray:
    """Check digits of card numbers: every second digit from the right is doubled and its digits added."""
    digits = bodies.astype(np.int64) - ord("0")
    doubled = digits[:, ::-1][:, ::2] * 2
    rest = np.where(doubled > 9, doubled - 9, doubled).sum(axis=1) + digits[:, ::-1][:, 1::2].sum(axis=1)
    return _codes(DIGITS)[-rest % 10]


def container_check(bodies: Matrix) -> np.ndarray:
    """Check digits of owner code (3 letters), category letter and 6 digits: weights 2^i, mod 11, and 10 is written 0."""
    values = np.zeros(256, dtype=np.int64)
    values[_codes(DIGITS)] = np.arange(10)
    values[_codes("".join(CONTAINER_VALUES))] = list(CONTAINER_VALUES.values())
    return _codes(DIGITS)[values[bodies] @ (2 ** np.arange(10)) % 11 % 10]


def imo_check(bodies: Matrix) -> np.ndarray:
    """Check digits of 6-digit ship numbers: weights 7 down to 2, mod 10."""
    return _codes(DIGITS)[_weighted(bodies, DIGITS, [7, 6, 5, 4, 3, 2]) % 10]


def checked(bodies: Matrix, checks: np.ndarray) -> Matrix:
    """Bodies with their check characters at the end."""
    return np.hstack([bodies, checks[:, None]])


def spoiled(numbers: Matrix, faulty: np.ndarray) -> Matrix:
    """A copy in which the last character of the `faulty` rows is a wrong digit (the next one, round the clock)."""
    last = numbers[:, -1]
    wrong = np.where((last >= ord("0")) & (last < ord("9")), last + 1, ord("0")).astype(np.uint8)
    out = numbers.copy()
    out[faulty, -1] = wrong[faulty]
    return out


def _codes(alphabet: str) -> np.ndarray:
    return np.frombuffer(alphabet.encode("ascii"), dtype=np.uint8)


def _weighted(bodies: Matrix, alphabet: str, weights: Sequence[int]) -> np.ndarray:
    values = np.zeros(256, dtype=np.int64)
    values[_codes(alphabet)] = np.arange(len(alphabet))
    return values[bodies] @ np.array(weights)

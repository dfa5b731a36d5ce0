"""The check digits of `checks.py` over whole columns at once, as NumPy matrices of ASCII codes.

Each function takes folded values that fit the kind's pattern and answers an array of truth; `passes` picks the function, and
goes value by value for kinds that have none. A test holds both ways equal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import numpy as np

from drydock.masking.values import checks
from drydock.masking.values.checks import PROVINCES, USCC_ALPHABET

_ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CONTAINER = "0123456789A BCDEFGHIJK LMNOPQRSTU VWXYZ"
_PROVINCES = np.array([f"{n:02d}" in PROVINCES for n in range(100)])
_PROVINCES_OR_CENTRE = np.array([f"{n:02d}" in PROVINCES | {"10"} for n in range(100)])
_LONGEST_CARD = 19


def passes(kind_id: str, values: Sequence[str]) -> np.ndarray:
    """One truth per value: has it the right check digit, dates and areas of the kind?"""
    if not values:
        return np.zeros(0, dtype=bool)
    whole_column = _COLUMNS.get(kind_id)
    if whole_column:
        return whole_column(values)
    return np.fromiter((checks.passes_check(kind_id, v) for v in values), dtype=bool, count=len(values))


def _codes(values: Sequence[str], width: int) -> np.ndarray:
    return np.frombuffer("".join(values).encode("ascii"), dtype=np.uint8).reshape(len(values), width)


def _figures(codes: np.ndarray, alphabet: str) -> np.ndarray:
    """The place of each character in the alphabet; 0 for what is not in it."""
    places = np.zeros(256, dtype=np.int64)
    letters = np.frombuffer(alphabet.encode("ascii"), dtype=np.uint8)
    places[letters] = np.arange(len(letters))
    return places[codes]


def _number(digits: np.ndarray) -> np.ndarray:
    return digits @ 10 ** np.arange(digits.shape[1] - 1, -1, -1)


def _cn_ids(values: Sequence[str]) -> np.ndarray:
    codes = _codes(values, 18)
    figures = _figures(codes, "0123456789X")
    weights = np.array([2**power % 11 for power in range(17, -1, -1)])
    return (figures @ weights % 11 == 1) & _PROVINCES[_number(figures[:, :2])] & _real_dates(figures[:, 6:14])


def _real_dates(digits: np.ndarray) -> np.ndarray:
    years, months, days = (_number(digits[:, a:b]) for a, b in ((0, 4), (4, 6), (6, 8)))
    leap = ((years % 4 == 0) & (years % 100 != 0)) | (years % 400 == 0)
    lengths = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])[np.clip(months, 0, 12)]
    longest = lengths + ((months == 2) & leap)
    tomorrow = int((date.today() + timedelta(days=1)).strftime("%Y%m%d"))
    real = (months >= 1) & (months <= 12) & (days >= 1) & (days <= longest)
    return real & (years >= checks.FIRST_YEAR) & (_number(digits) <= tomorrow)


def _usccs(values: Sequence[str]) -> np.ndarray:
    figures = _figures(_codes(values, 18), USCC_ALPHABET)
    weights = np.array([3**power % 31 for power in range(17)])
    areas = figures[:, 2] * 10 + figures[:, 3]
    return ((figures[:, :17] @ weights + figures[:, 17]) % 31 == 0) & _PROVINCES_OR_CENTRE[areas]


def _org_codes(values: Sequence[str]) -> np.ndarray:
    codes = _codes(values, 9)
    rest = _figures(codes[:, :8], _ALNUM) @ np.array([3, 7, 9, 10, 5, 8, 4, 2]) % 11
    return np.frombuffer(b"0X987654321", dtype=np.uint8)[rest] == codes[:, 8]


def _cards(values: Sequence[str]) -> np.ndarray:
    lengths = np.fromiter(map(len, values), dtype=np.int64, count=len(values))
    short = [v if len(v) <= _LONGEST_CARD else "1" for v in values]
    figures = _figures(_codes([v.zfill(_LONGEST_CARD) for v in short], _LONGEST_CARD), "0123456789")[:, ::-1]
    doubled = figures[:, 1::2] * 2
    total = figures[:, ::2].sum(axis=1) + np.where(doubled > 9, doubled - 9, doubled).sum(axis=1)
    varied = np.fromiter((len(set(v)) > 1 for v in values), dtype=bool, count=len(values))
    return (total % 10 == 0) & varied & (lengths >= 16) & (lengths <= _LONGEST_CARD)


def _containers(values: Sequence[str]) -> np.ndarray:
    codes = _codes(values, 11)
    figures = _figures(codes, _CONTAINER)
    return (figures[:, :10] @ 2 ** np.arange(10)) % 11 % 10 == figures[:, 10]


def _imo_numbers(values: Sequence[str]) -> np.ndarray:
    figures = _figures(_codes([v[-7:] for v in values], 7), "0123456789")
    return (figures[:, :6] @ np.arange(7, 1, -1) % 10 == figures[:, 6]) & (figures.sum(axis=1) > 0)


_COLUMNS: dict[str, Callable[[Sequence[str]], np.ndarray]] = {
    "cn_id": _cn_ids,
    "uscc": _usccs,
    "org_code": _org_codes,
    "bank_card": _cards,
    "container": _containers,
    "imo": _imo_numbers,
}

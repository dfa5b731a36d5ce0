"""Value patterns and check digits, written from the standards a second time and worked on matrices of bytes.

Each pattern gets texts of one length as a matrix (rows by letters, upper case) and answers two masks: right structure, and
right check digit as well. Sources: GB 11643 (resident id), GB 32100 (social credit code), ISO/IEC 7812 (Luhn), ISO 6346.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

PROVINCES = (11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62)
MORE_PROVINCES = (63, 64, 65, 71, 81, 82, 83, 91)
USCC_LETTERS = b"0123456789ABCDEFGHJKLMNPQRTUWXY"
REGISTRIES = b"123456789ANYG"  # first letter of a social credit code: who registered it
Masks = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Pattern:
    """`check_chance`: a wrong text passes the check digit (1.0: there is none); `shape_chance`: random text has the structure."""

    kind: str
    lengths: tuple[int, ...]
    test: Callable[[np.ndarray], Masks]
    shape_chance: float
    check_chance: float
    digits_only: bool = False
    joins: bool = False  # also put together over spaces, hyphens and line breaks


def _lookup(values: bytes | tuple[int, ...], size: int = 256) -> np.ndarray:
    table = np.zeros(size, bool)
    table[list(values)] = True
    return table


_PROVINCE = _lookup(PROVINCES + MORE_PROVINCES, 100)
_REGISTRY = _lookup(REGISTRIES)
_USCC_VALUE = np.full(256, -1, np.int64)
_USCC_VALUE[list(USCC_LETTERS)] = np.arange(len(USCC_LETTERS))
_DAYS = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] + [0] * 87)
_ISO_VALUE = np.zeros(256, np.int64)
_ISO_VALUE[48:58] = np.arange(10)
_ISO_VALUE[65:91] = [n for n in range(10, 40) if n % 11][:26]


def _digits(matrix: np.ndarray) -> np.ndarray:
    return matrix.astype(np.int64) - 48


def _number(digits: np.ndarray, first: int, last: int) -> np.ndarray:
    return digits[:, first:last] @ (10 ** np.arange(last - first - 1, -1, -1, dtype=np.int64))


def _are_digits(matrix: np.ndarray) -> np.ndarray:
    return ((matrix >= 48) & (matrix <= 57)).all(axis=1)


def _are_letters(matrix: np.ndarray) -> np.ndarray:
    return ((matrix >= 65) & (matrix <= 90)).all(axis=1)


def _real_day(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> np.ndarray:
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    month = np.clip(month, 0, 99)
    return (day >= 1) & (day <= _DAYS[month]) & ~((month == 2) & (day == 29) & ~leap)


def _cn_id(matrix: np.ndarray) -> Masks:
    is_id = _are_digits(matrix[:, :17]) & (((matrix[:, 17] >= 48) & (matrix[:, 17] <= 57)) | (matrix[:, 17] == 88))
    digits = np.where(is_id[:, None], _digits(matrix), 0)
    year = _number(digits, 6, 10)
    good = is_id & _PROVINCE[_number(digits, 0, 2)] & (year >= 1900) & (year <= 2035)
    good &= _real_day(year, _number(digits, 10, 12), _number(digits, 12, 14))
    weights = np.array([pow(2, 17 - i, 11) for i in range(17)])
    expected = (12 - digits[:, :17] @ weights % 11) % 11
    last = np.where(matrix[:, 17] == 88, 10, digits[:, 17])
    return good, good & (expected == last)


def _cn_id15(matrix: np.ndarray) -> Masks:
    digits = _digits(matrix)
    good = _PROVINCE[_number(digits, 0, 2)]
    good &= _real_day(1900 + _number(digits, 6, 8), _number(digits, 8, 10), _number(digits, 10, 12))
    return good, good


def _uscc(matrix: np.ndarray) -> Masks:
    values = _USCC_VALUE[matrix]
    good = (values >= 0).all(axis=1) & _REGISTRY[matrix[:, 0]] & _are_digits(matrix[:, 2:8])
    area = np.where(good[:, None], _digits(matrix[:, 2:4]), 0)
    good &= _PROVINCE[_number(area, 0, 2)] | (_number(area, 0, 2) == 10)  # 10: registered with the State itself
    weights = np.array([pow(3, i, 31) for i in range(17)])
    return good, good & ((31 - values[:, :17] @ weights % 31) % 31 == values[:, 17])


def _bank_card(matrix: np.ndarray) -> Masks:
    digits = _digits(matrix)
    two = _number(digits, 0, 2)
    good = (two == 62) | (two == 60) | (two // 10 == 4) | ((two >= 51) & (two <= 55)) | (two // 10 == 9)
    doubled = digits[:, -2::-2] * 2
    total = (doubled - 9 * (doubled > 9)).sum(axis=1) + digits[:, -1::-2].sum(axis=1)
    return good, good & (total % 10 == 0)


def _mobile(matrix: np.ndarray) -> Masks:
    digits = _digits(matrix[:, -11:])
    good = (digits[:, 0] == 1) & (digits[:, 1] >= 3)
    if matrix.shape[1] == 13:
        good &= (matrix[:, 0] == 56) & (matrix[:, 1] == 54)  # 86
    return good, good


def _entry_id(matrix: np.ndarray) -> Masks:
    digits = _digits(matrix)
    year = _number(digits, 4, 8)
    good = (year >= 1990) & (year <= 2039) & (digits[:, 8] <= 1)
    return good, good


def _ceb_invt_no(matrix: np.ndarray) -> Masks:
    good = _are_digits(matrix[:, :8]) & _are_digits(matrix[:, 9:]) & ((matrix[:, 8] == 73) | (matrix[:, 8] == 69))
    good &= (matrix[:, 4] == 50) & (matrix[:, 5] == 48)
    return good, good


def _travel(matrix: np.ndarray) -> Masks:
    """Passports and permits: no check digit is printed on them."""
    one = np.isin(matrix[:, 0], list(b"EGCWHM")) & _are_digits(matrix[:, 1:])
    two = np.isin(matrix[:, 0], list(b"ECDSP")) & _are_letters(matrix[:, 1:2]) & _are_digits(matrix[:, 2:])
    good = one | two if matrix.shape[1] == 9 else np.isin(matrix[:, 0], list(b"HM")) & _are_digits(matrix[:, 1:])
    return good, good


def _hkid(matrix: np.ndarray) -> Masks:
    letters = matrix.shape[1] - 7
    last_is_right = ((matrix[:, -1] >= 48) & (matrix[:, -1] <= 57)) | (matrix[:, -1] == 65)
    good = _are_letters(matrix[:, :letters]) & _are_digits(matrix[:, letters:-1]) & last_is_right
    values = np.where(matrix >= 65, matrix.astype(np.int64) - 55, _digits(matrix))
    values = np.hstack([np.full((len(matrix), 2 - letters), 36), values])
    return good, good & (values @ np.array([9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0)


def _container(matrix: np.ndarray) -> Masks:
    good = _are_letters(matrix[:, :4]) & np.isin(matrix[:, 3], list(b"UJZ")) & _are_digits(matrix[:, 4:])
    total = _ISO_VALUE[matrix[:, :10]] @ (2 ** np.arange(10))
    return good, good & (total % 11 % 10 == _ISO_VALUE[matrix[:, 10]])


PATTERNS = (
    Pattern("cn_id", (18,), _cn_id, 0.36 * 0.0136 * 0.0366, 1 / 11, joins=True),
    Pattern("uscc", (18,), _uscc, 0.31, 1 / 31, joins=True),
    Pattern("bank_card", (16, 17, 18, 19), _bank_card, 0.27, 0.1, digits_only=True, joins=True),
    Pattern("entry_id", (18,), _entry_id, 0.001, 1.0, digits_only=True),
    Pattern("ceb_invt_no", (18,), _ceb_invt_no, 0.001, 1.0),
    Pattern("cn_id15", (15,), _cn_id15, 0.36 * 0.0366, 1.0, digits_only=True),
    Pattern("mobile", (11, 13), _mobile, 0.07, 1.0, digits_only=True, joins=True),
    Pattern("travel_document", (9, 11), _travel, 0.01, 1.0),
    Pattern("hkid", (8, 9), _hkid, 0.01, 1 / 11, joins=True),
    Pattern("container", (11,), _container, 0.01, 1 / 11, joins=True),
)
BY_TEXT = ("email", "ipv4", "mac", "plate", "address")  # kinds that need the marks between their letters
WITHOUT_PATTERN = ("name", "order_no", "bill_no", "credential", "tax_no", "customs_reg", "org_code", "tw_permit", "landline")

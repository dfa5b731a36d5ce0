"""Right check digits for whole matrices of uint8 codes; the standards are named, the code shares nothing with `checks.py`."""

from __future__ import annotations

import numpy as np

from drydock.masking.techniques.shapes import Check

USCC_SYMBOLS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def _value_table(values: dict[str, int]) -> np.ndarray:
    table = np.zeros(256, np.int32)
    for symbol, value in values.items():
        table[ord(symbol)] = value
    return table


_ALPHANUMERIC = _value_table({c: i for i, c in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")})
_USCC = _value_table({c: i for i, c in enumerate(USCC_SYMBOLS)})
# ISO 6346: 10, 12, 13 … without the multiples of 11
_CONTAINER = _value_table(
    {str(d): d for d in range(10)} | dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", (n for n in range(10, 40) if n % 11), strict=False))
)


def weighed(codes: np.ndarray, start: int, weights: tuple[int, ...], values: np.ndarray | None = None) -> np.ndarray:
    """The sum of value times weight from a place on; without a table of values the codes are digits."""
    total = np.zeros(codes.shape[0], np.int32)
    for j, weight in enumerate(weights, start):
        column = codes[:, j].astype(np.int32) if values is None else values.take(codes[:, j])
        total += column * np.int32(weight)
    return total - 48 * sum(weights) if values is None else total


ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_USCC_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))


def resident_id() -> Check:
    """GB 11643 (ISO 7064 MOD 11-2), at place 17."""
    return Check(17, "0123456789X", lambda codes: (12 - weighed(codes, 0, ID_WEIGHTS) % 11) % 11)


def organisation(first: int) -> Check:
    """GB 11714 over eight characters from `first` on."""
    right = lambda codes: -weighed(codes, first, _ORG_WEIGHTS, _ALPHANUMERIC) % 11  # noqa: E731
    return Check(first + 8, "0123456789X", right)


def social_credit() -> Check:
    """GB 32100: mod 31 over seventeen characters."""
    return Check(17, USCC_SYMBOLS, lambda codes: -weighed(codes, 0, _USCC_WEIGHTS, _USCC) % 31)


def luhn(length: int) -> Check:
    """ISO/IEC 7812-1, annex B, in the last place."""

    def right(codes: np.ndarray) -> np.ndarray:
        total = np.zeros(codes.shape[0], np.int32)
        for j in range(length - 1):
            digit = codes[:, j] - np.uint8(48)
            total += digit if (length - j) % 2 else digit * np.uint8(2) - np.uint8(9) * (digit > 4)
        return -total % 10

    return Check(length - 1, "0123456789", right)


def imo(first: int) -> Check:
    """IMO A.1117(30): weights 7 to 2, mod 10."""
    return Check(first + 6, "0123456789", lambda codes: weighed(codes, first, (7, 6, 5, 4, 3, 2)) % 10)


def container_sum(codes: np.ndarray) -> np.ndarray:
    """ISO 6346: powers of 2."""
    return weighed(codes, 0, tuple(2**i for i in range(10)), _CONTAINER)


def container() -> Check:
    """ISO 6346: mod 11, 10 is written 0."""
    return Check(10, "0123456789", lambda codes: container_sum(codes) % 11 % 10)


def hong_kong_id(letters: int) -> Check:
    """Weights 9 to 2, a blank before a single letter counts 36; A stands for 10."""
    weights = tuple(range(9, 1, -1))[2 - letters :]
    blank = 36 * 9 * (2 - letters)
    return Check(6 + letters, "0123456789A", lambda codes: -(weighed(codes, 0, weights, _ALPHANUMERIC) + blank) % 11)


def air_waybill() -> Check:
    """IATA: the last digit is the serial of seven digits mod 7."""
    weights = tuple(10**i for i in range(6, -1, -1))
    return Check(10, "0123456", lambda codes: weighed(codes, 3, weights) % 7)

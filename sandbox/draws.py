"""Random columns for the sandbox's rows: drawn from a seed, whole columns at a time, the same on every machine.

Shares are planted exactly: `chosen` marks round(rows * share) rows, not a coin toss per row.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import polars as pl

from sandbox import identifiers

DAY_S = 86_400


def generator(seed: int, *labels: object) -> np.random.Generator:
    """The random numbers of one seed and one purpose; other labels give independent numbers."""
    return np.random.default_rng([seed, zlib.crc32(repr(labels).encode())])


def pick(rng: np.random.Generator, values: Sequence | pl.Series, rows: int, shares: Sequence[float] | None = None) -> pl.Series:
    """`rows` of the values, drawn with replacement; `shares` (adding up to 1) makes some likelier."""
    column = values if isinstance(values, pl.Series) else pl.Series(list(values))
    return column.gather(rng.choice(len(column), rows, p=shares))


def chosen(rng: np.random.Generator, rows: int, share: float) -> np.ndarray:
    """A mask with exactly round(rows * share) true places."""
    mask = np.zeros(rows, dtype=bool)
    mask[rng.permutation(rows)[: round(rows * share)]] = True
    return mask


def amounts(rng: np.random.Generator, rows: int, low: float, high: float, decimals: int = 2) -> pl.Series:
    """Amounts from low to high, small ones more often than large ones, as trade has them."""
    unit = 10**decimals
    drawn = low + (high - low) * rng.random(rows) ** 3
    return pl.Series((drawn * unit).round() / unit)


def numbered(prefix: str, numbers: np.ndarray | pl.Series, width: int) -> pl.Series:
    """Texts such as T0000000042."""
    return identifiers.as_text(identifiers.joined(prefix, identifiers.number_matrix(np.asarray(numbers), width)))


def random_numbers(rng: np.random.Generator, rows: int, width: int) -> identifiers.Matrix:
    """Random digits, `width` of them per row."""
    return identifiers.number_matrix(rng.integers(0, 10**width, rows), width)


def guids(rng: np.random.Generator, rows: int) -> pl.Series:
    """Random UUIDs (version 4, RFC 9562) in their 36-character form."""
    raw = rng.integers(0, 256, (rows, 16), dtype=np.uint8)
    raw[:, 6] = raw[:, 6] & 0x0F | 0x40
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80
    halves = np.stack([raw >> 4, raw & 0x0F], axis=2).reshape(rows, 32)
    hexadecimal = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)[halves]
    parts = [hexadecimal[:, low:high] for low, high in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))]
    return identifiers.as_text(identifiers.joined(parts[0], "-", parts[1], "-", parts[2], "-", parts[3], "-", parts[4]))


def containers(rng: np.random.Generator, serials: np.ndarray, faulty_share: float) -> pl.Series:
    """Container numbers of made-up owners, distinct among 999,983 consecutive serials; a share has a wrong check digit."""
    owners = identifiers.text_matrix(["TSTU", "TEXU", "TCEU", "TQNU"])[serials % 4]
    bodies = identifiers.joined(owners, identifiers.number_matrix(serials * 7919 % 999_983, 6))
    numbers = identifiers.checked(bodies, identifiers.container_check(bodies))
    return identifiers.as_text(identifiers.spoiled(numbers, chosen(rng, len(serials), faulty_share)))


def seconds(numbers: np.ndarray) -> np.ndarray:
    """Spans of that many seconds (fractions count down to the millisecond)."""
    return (np.asarray(numbers) * 1000).astype("timedelta64[ms]")


def days(numbers: np.ndarray) -> np.ndarray:
    """Spans of that many days."""
    return seconds(np.asarray(numbers) * DAY_S)


def clock_times_s(rng: np.random.Generator, rows: int, hour_weights: Sequence[float], before_s: int = DAY_S) -> np.ndarray:
    """Seconds since midnight, busy hours more often, all before `before_s`."""
    weights = np.asarray(hour_weights, dtype=float)
    hours = rng.choice(24, rows, p=weights / weights.sum())
    return np.minimum(hours * 3600 + rng.integers(0, 3600, rows), before_s - 1)


def repeats(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For details of heads: the head's row number of each detail, and the detail's own number within its head, from 0."""
    heads = np.repeat(np.arange(len(counts)), counts)
    starts = np.cumsum(counts) - counts
    return heads, np.arange(len(heads)) - starts[heads]

"""What chance alone brings: the Poisson bound of a count, the number of distinct hashes, the size of a kind's domain."""

from __future__ import annotations

import math

import numpy as np

ONCE_IN_A_MILLION = 1e-6
EXACT_UP_TO = 700.0  # beyond it exp(-mean) is no number any more

# values that a kind can take where nothing of it is kept: counted from the standards' formats
DOMAIN_SIZES: dict[str, float] = {
    "cn_id": 3000 * 120 * 365.25 * 1000,  # areas, years, days, serials; the check digit follows
    "cn_id15": 3000 * 100 * 365.25 * 1000,
    "uscc": 30 * 3000 * 31**8,
    "org_code": 36**8,
    "customs_reg": 10**5 * 9 * 36**4,
    "entry_id": 10**4 * 30 * 2 * 10**9,
    "ceb_invt_no": 10**4 * 30 * 2 * 10**9,
    "bank_card": 10**12,
    "mobile": 7 * 10**9,
    "landline": 300 * 7 * 10**6,
    "passport": 4 * 10**8,
    "hkmo_permit": 2 * 10**8,
    "hr_permit": 2 * 10**8,
    "hkid": 700 * 10**6,
    "plate": 31 * 24 * 34**5,
    "container": 26**3 * 10**6,
    "mmsi": 6 * 10**8,
    "ipv4": 2**32,
    "mac": 2**48,
}


def poisson_bound(mean: float, alpha: float = ONCE_IN_A_MILLION) -> int:
    """The least n with P(X > n) <= alpha for X of a Poisson law; where mean is large by the normal law, corrected."""
    if mean <= 0:
        return 0
    if mean > EXACT_UP_TO:
        z = _normal_quantile(alpha)
        return math.ceil(mean + z * math.sqrt(mean) + (z * z + 2) / 6 + 1)
    term = math.exp(-mean)
    left, n = -math.expm1(-mean), 0  # left = P(X > n)
    while left > alpha and n < 4 * EXACT_UP_TO:
        n += 1
        term *= mean / n
        left = _tail(mean, n, term)
    return n


def _tail(mean: float, n: int, term: float) -> float:
    """P(X > n) summed upwards from the term of n, so that nothing cancels."""
    total, at = 0.0, n
    while True:
        at += 1
        term *= mean / at
        total += term
        if at > mean and term < total * 1e-12 + 1e-300:
            return total


def _normal_quantile(alpha: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(1 - alpha)


class Distinct:
    """How many distinct 64-bit hashes went in, from the `kept` least of them (k minimum values; error about 1/sqrt(kept))."""

    def __init__(self, kept: int = 1024) -> None:
        self.kept = kept
        self.least = np.empty(0, np.uint64)

    def add(self, hashes: np.ndarray) -> None:
        if len(self.least) == self.kept:
            hashes = hashes[hashes < self.least[-1]]
        while len(hashes) > 16 * self.kept:  # the least alone are looked at, as long as they are enough
            part = np.unique(np.partition(hashes, 8 * self.kept)[: 8 * self.kept])
            if len(part) < self.kept:
                break
            hashes = part
        if len(hashes):
            self.least = np.unique(np.concatenate([self.least, hashes]))[: self.kept]

    @property
    def count(self) -> int:
        if len(self.least) < self.kept:
            return len(self.least)
        return int((self.kept - 1) / ((float(self.least[-1]) + 1) / 2**64))

"""Digests of names, so that figures of the ledger may hold which objects were unsound before a run, however many they were.

One figure holds a bounded text, so the digests of a list are spread over as many figures as they need.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

from drydock.verdicts import Figure

IN_ONE_FIGURE = 50  # digests of 8 digits and a blank: 450 characters
MOST_NAMES = 10_000
"""Names of one list that are remembered; above it nothing can be said of which ones are new."""


def fingerprint(*name: str | None) -> str:
    """Eight hexadecimal digits of a name and its parts."""
    return sha256("\0".join(part or "" for part in name).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def digests_of(word: str, names: Sequence[Sequence[str | None]]) -> dict[str, Figure]:
    """Figures of a list: `<word>_count`, and `<word>_names`, `<word>_2_names`, … with the digests; these not above MOST_NAMES."""
    told: dict[str, Figure] = {f"{word}_count": len(names)}
    if len(names) > MOST_NAMES:
        return told
    found = sorted({fingerprint(*name) for name in names})
    for start in range(0, max(1, len(found)), IN_ONE_FIGURE):
        told[_figure(word, start // IN_ONE_FIGURE + 1)] = " ".join(found[start : start + IN_ONE_FIGURE])
    return told


def digests_in(word: str, figures: Mapping[str, Figure]) -> frozenset[str] | None:
    """The digests that `digests_of` told; None where there were too many to be told, or nobody looked."""
    found: set[str] = set()
    number = 1
    while (told := figures.get(_figure(word, number))) is not None:
        found.update(str(told).split())
        number += 1
    count = figures.get(f"{word}_count")
    is_whole = number > 1 and isinstance(count, int) and (count == 0 or bool(found))
    return frozenset(found) if is_whole else None


def _figure(word: str, number: int) -> str:
    return f"{word}_names" if number == 1 else f"{word}_{number}_names"

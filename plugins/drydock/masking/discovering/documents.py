"""What stands in a batch of JSON, array and XML values: each key or tag is looked at as if it were a column.

That makes keys hints and lets shares decide where a check digit alone passes by chance, and it is many times as fast as
reading leaf by leaf.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from drydock.masking.discovering import whole
from drydock.masking.discovering.hints import STRONG, Hints, name_hints
from drydock.masking.discovering.inside import CHANCE, scan
from drydock.masking.discovering.structures import leaves
from drydock.masking.values.folding import without_surrogates

MOST_KEYS = 300  # further keys are looked at together, without hints
DEEPEST_TEXT = 2  # JSON in a text of JSON
NEEDS_HINT = whole.ONLY_BY_NAME | {"customs_reg", "org_code", "imo", "mmsi", "hkid", "passport", "tax_no"}


@dataclass
class DocumentsSeen:
    """values_with: (kind, form) -> places of the values that hold the kind; plain: places of values that are plain text."""

    values_with: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    occurrences: Counter[str] = field(default_factory=Counter)
    chances: Counter[str] = field(default_factory=Counter)
    plain: list[int] = field(default_factory=list)


def look_into_documents(documents: Sequence[str]) -> DocumentsSeen:
    """Take the values apart and judge their leaves key by key."""
    seen = DocumentsSeen()
    by_key: dict[str, list[tuple[int, str]]] = defaultdict(list)
    forms = np.zeros(len(documents), dtype="<U5")
    for place, document in enumerate(documents):
        forms[place], parts = leaves(document)
        if not parts:
            seen.plain.append(place)
        _sort_by_key(by_key, place, parts, 0)
    holders: dict[str, list[np.ndarray]] = defaultdict(list)
    for key, entries in by_key.items():
        places = np.fromiter((place for place, _ in entries), dtype=np.int64, count=len(entries))
        for kind, hits in _kinds_of(key, [text for _, text in entries], seen.chances):
            seen.occurrences[kind] += len(hits)
            holders[kind].append(places[hits])
    for kind, parts in holders.items():
        holding = np.unique(np.concatenate(parts))
        for form in np.unique(forms[holding]):
            seen.values_with[kind, str(form)] = holding[forms[holding] == form]
    return seen


def _sort_by_key(by_key: dict[str, list[tuple[int, str]]], place: int, parts: Iterable[tuple[str, str]], depth: int) -> None:
    for key, text in parts:
        if len(text) < 2:
            continue
        if text[0] in "{[<" and depth < DEEPEST_TEXT:
            inner = leaves(text)[1]
            if inner:
                _sort_by_key(by_key, place, inner, depth + 1)
                continue
        by_key[key if key in by_key or len(by_key) < MOST_KEYS else ""].append((place, without_surrogates(text)))


def _kinds_of(key: str, texts: list[str], chances: Counter[str]) -> list[tuple[str, np.ndarray]]:
    """(kind, places of the texts that hold it) for the texts under one key."""
    raw = pl.Series("raw", texts, dtype=pl.String)
    frame = pl.DataFrame({"raw": raw, "value": whole.folded_column(raw), "count": np.ones(len(raw), dtype=np.int64)})
    hints = name_hints(key) if key else {}
    seen = whole.look(frame, hints)
    found = [(kind, places) for kind, places in seen.right.items() if len(places) and _accepted(kind, seen, hints)]
    if hints.get("name") == STRONG and len(seen.right.get("latin_name", ())):
        found.append(("name", seen.right["latin_name"]))
    if hints.get("credential") == STRONG:
        return [("credential", np.arange(len(texts)))]
    explained = seen.explained.to_numpy().copy()
    for _, places in found:
        explained[places] = True
    return found + _scanned(frame, explained, chances)


def _accepted(kind: str, seen: whole.Seen, hints: Hints) -> bool:
    if kind in NEEDS_HINT or kind == "name":
        return hints.get(kind) == STRONG and not (kind in NEEDS_HINT and _better_than(kind, seen))
    if kind == "latin_name":
        return False
    return whole.is_beyond_chance(kind, seen.passed[kind], seen.classes, seen.digit_lengths)


def _better_than(kind: str, seen: whole.Seen) -> bool:
    """A kind that values prove takes the place of one that only the key's name gives."""
    return any(
        seen.passed[other] >= 0.5 * seen.passed[kind]
        and whole.is_beyond_chance(other, seen.passed[other], seen.classes, seen.digit_lengths)
        for other in seen.right
        if other not in NEEDS_HINT and other not in ("name", "latin_name", "address")
    )


def _scanned(frame: pl.DataFrame, explained: np.ndarray, chances: Counter[str]) -> list[tuple[str, np.ndarray]]:
    rest = frame.with_row_index("place").filter(~pl.Series(explained))
    texts = rest.filter(whole.is_suspicious(rest["value"]))
    holders: dict[str, list[int]] = defaultdict(list)
    for place, raw in texts.select("place", "raw").iter_rows():
        for kind, times in scan(raw).items():
            if kind.endswith(CHANCE):
                chances[kind] += times
            else:
                holders[kind].append(place)
    return [(kind, np.array(places, dtype=np.int64)) for kind, places in holders.items()]

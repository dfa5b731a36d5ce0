"""Entries of the chain of a database's store: how they are spelt and hashed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from drydock.audit.results import Slice, StoredFile
from drydock.verdicts import Figure, Model

FIRST = "0" * 64
"""What the first entry has as the hash of the one before."""


def canonical(value: object) -> bytes:
    """JSON of one spelling: sorted names, no blanks, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def link_hash(
    number: int, database: str, deed: str, subject: Mapping[str, Figure], files: Sequence[StoredFile], previous: str
) -> str:
    """SHA-256 of an entry, over all that it says and the hash of the entry before."""
    told = {
        "number": number,
        "database": database,
        "deed": deed,
        "subject": dict(subject),
        "files": [file.model_dump(mode="json") for file in files],
        "previous": previous,
    }
    return hash_of(told)


def hash_of(document: Mapping[str, object]) -> str:
    """SHA-256 of a document in its one spelling."""
    return hashlib.sha256(canonical(document)).hexdigest()


def model_hash(model: Model) -> str:
    """SHA-256 of a result model in its one spelling."""
    return hash_of(model.model_dump(mode="json"))


def slice_subject(slice: Slice) -> dict[str, Figure]:
    """What an entry says of a slice, with the hash of the whole of it."""
    told = slice.model_dump(mode="json", include={"source", "piece", "day", "begin", "end", "records", "set_aside"})
    return told | {"slice": model_hash(slice)}


def ranges_of(numbers: Sequence[int]) -> str:
    """Numbers in short: 1-3,7."""
    spans: list[list[int]] = []
    for number in sorted(set(numbers)):
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def numbers_of(ranges: str) -> set[int]:
    """The numbers of `ranges_of`. Raises ValueError where it is none."""
    spans = [part.split("-") for part in ranges.split(",") if part]
    if any(len(span) > 2 or int(span[-1]) - int(span[0]) > 10_000_000 for span in spans):
        raise ValueError(f"no ranges: {ranges[:80]!r}")
    return {n for span in spans for n in range(int(span[0]), int(span[-1]) + 1)}

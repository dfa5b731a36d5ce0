"""The source's side of the semi-join: values folded, hashed, and written away; beside them decoys that measure chance."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path

import numpy as np
from pydantic import Field

from drydock.masking.verification.blocks import Block, clean
from drydock.masking.verification.candidates import CHINESE, MIXED, NUMERIC
from drydock.masking.verification.chance import DOMAIN_SIZES
from drydock.masking.verification.folding import fold
from drydock.masking.verification.hashes import Buckets, Filter, Keys
from drydock.verdicts import Model

LONGEST = 4096  # kept bytes of a value; a longer one (a document) is no identifier and is told as unread by the caller
SHORTEST = 4  # kept bytes; shorter values (a digit, two letters) stand everywhere
BATCH = 50_000  # values folded at once
DECOYS_PER_VALUE = 4
MOST_DECOYS = 400_000


class Original(Model):
    """A sensitive source column, or what stands inside of its texts."""

    name: str = Field(description="schema.table.column, as findings tell it")
    kind: str
    free_size: float | None = Field(None, description="values that masked ones are drawn from, where the policy knows better")
    kept: tuple[tuple[int, int], ...] = Field((), description="slices that the policy keeps: chance is among values alike there")
    fixed: int | None = Field(None, description="letters of a value that do not vary; all others count as one of ten: for codes")
    only: str = Field("", description="pattern: other values of the column are no originals (already as coarse as masked ones)")
    inside: str = Field("", description="the free text column in which values of the kind are sought by pattern")


@dataclass(frozen=True)
class Wanted:
    """All that a process needs to search a target: no value, and nothing that tells one without the keys."""

    keys: Keys
    lengths: np.ndarray
    names: np.ndarray
    filter: Filter


class Originals:
    """Owners are numbered: 2n is column n, 2n + 1 its decoys."""

    def __init__(self, columns: Iterable[Original], folder: Path, keys: Keys) -> None:
        self.columns = list(columns)
        self._numbers = {column.name: at for at, column in enumerate(self.columns)}
        self.keys = keys
        self.records = Buckets(folder, "source")
        self.lengths = np.zeros(LONGEST + 1, bool)
        self.names = np.zeros(LONGEST + 1, bool)
        self._shapes: dict[int, set[tuple[int, int]]] = {}
        self._strata: dict[int, Counter[bytes]] = {}
        self._distinct: Counter[int] | None = None
        self.hashed = 0
        self.left_out = 0

    def add(self, name: str, values: Iterable[bytes]) -> None:
        """Hash all values of one column (UTF-8, NULLs left out). Too short and too long ones are left out."""
        owner = 2 * self._numbers[name]
        rest, pool = iter(values), _Pool()
        only = re.compile(self.columns[owner // 2].only)
        while batch := list(islice(rest, BATCH)):
            batch = [value for value in batch if only.search(value.decode("utf-8", "replace"))] if only.pattern else batch
            normal = set(_variants(self.columns[owner // 2].kind, self._normal(batch)))
            self._write(owner, list(normal))
            pool.add(normal)
        if not self.has_domain(owner):
            self._write(owner + 1, sorted(_decoys(pool.values)))

    def wanted(self) -> Wanted:
        """What the target is searched by, of all values written so far."""
        found = Filter(self.records.records)
        for records in self.records.each():
            found.add(records["quick"])
        return Wanted(self.keys, self.lengths, self.names, found)

    def column(self, owner: int) -> Original:
        return self.columns[owner // 2]

    def is_decoy(self, owner: int) -> bool:
        return owner % 2 == 1

    def decoy_of(self, owner: int) -> int:
        return owner + 1

    def shapes(self, owner: int) -> set[tuple[int, int]]:
        """(length, NUMERIC, MIXED or CHINESE) of its values."""
        return self._shapes.get(owner, set())

    def values(self, owner: int) -> int:
        """Distinct values."""
        if self._distinct is None:
            self._distinct = Counter()
            for records in self.records.each():
                owners, counts = np.unique(records["owner"], return_counts=True)
                self._distinct.update(dict(zip(owners.tolist(), counts.tolist(), strict=True)))
        return self._distinct[owner]

    def distinct_values(self, name: str) -> int:
        return self.values(2 * self._numbers[name])

    def crowding(self, owner: int) -> float:
        """Originals a candidate can meet: all of them, or on average those that share its kept part."""
        strata = self._strata.get(owner)
        if not strata:
            return float(self.values(owner))
        total = sum(strata.values())
        return sum(n * n for n in strata.values()) / total * self.values(owner) / total  # a value may count once a batch

    def _normal(self, values: list[bytes]) -> Iterator[bytes]:
        """Each value as the folding of the target leaves it."""
        folded = fold(Block(("",), b"".join(clean(value) + b"\n" for value in values)))
        ends = np.searchsorted(folded.position, folded.ends).tolist()
        kept, begin = folded.kept.tobytes(), 0
        for end in ends:
            if SHORTEST <= end - begin <= LONGEST:
                yield kept[begin:end]
            elif end > begin:
                self.left_out += 1
            begin = end

    def has_domain(self, owner: int) -> bool:
        """Its kind's values can be counted; else chance is measured by decoys."""
        column = self.columns[owner // 2]
        return bool(column.free_size or column.fixed is not None or column.kind in DOMAIN_SIZES)

    def _write(self, owner: int, values: list[bytes]) -> None:
        """Values grouped by length, hashed, appended."""
        kept = self.column(owner).kept
        for length, group in groupby(sorted(values, key=len), len):
            some = list(group)
            matrix = np.frombuffer(b"".join(some), np.uint8).reshape(len(some), length)
            macs = np.fromiter(map(self.keys.mac, some), np.uint64, len(some))
            self.records.add(owner, macs, self.keys.quick(matrix))
            self._note(owner, length, matrix)
            if kept and not self.is_decoy(owner):
                parts = (b"".join(value[a:b] for a, b in kept) for value in some)
                self._strata.setdefault(owner, Counter()).update(parts)
        self.hashed += len(values)

    def _note(self, owner: int, length: int, matrix: np.ndarray) -> None:
        self.lengths[length] = True
        has_wide, is_number = (matrix >= 128).any(axis=1), ((matrix >= 48) & (matrix <= 57)).all(axis=1)
        found = np.unique(np.where(has_wide, CHINESE, np.where(is_number, NUMERIC, MIXED))).tolist()
        self._shapes.setdefault(owner, set()).update((length, shape) for shape in found)
        self.names[length] |= CHINESE in found and self.column(owner).kind == "name"


class _Pool:
    """A sample of values, of which decoys are made."""

    def __init__(self) -> None:
        self.values: set[bytes] = set()

    def add(self, values: set[bytes]) -> None:
        room = MOST_DECOYS - len(self.values)
        if room > 0:
            self.values.update(islice(values, room))


def _variants(kind: str, values: Iterable[bytes]) -> Iterator[bytes]:
    """A value, and without the country's code where it is a phone."""
    for value in values:
        yield value
        if kind == "mobile" and len(value) == 13 and value.startswith(b"86"):
            yield value[2:]


def _decoys(values: set[bytes]) -> set[bytes]:
    """Values that the source does not hold, put together from a head of one and a tail of another (a name: family and given)."""
    pool = sorted(values)
    shuffle = random.Random(len(pool))
    found: set[bytes] = set()
    for _ in range(DECOYS_PER_VALUE):
        tails = shuffle.sample(pool, len(pool))
        found.update(_head(a) + _tail(b) for a, b in zip(pool, tails, strict=True))
    return {decoy for decoy in found - values if len(decoy) <= LONGEST}


def _cut_at(value: bytes) -> int:
    return 3 if value[:1] >= b"\xe0" and len(value) <= 12 else len(value) // 2


def _head(value: bytes) -> bytes:
    return value[: _cut_at(value)]


def _tail(value: bytes) -> bytes:
    return value[_cut_at(value) :]

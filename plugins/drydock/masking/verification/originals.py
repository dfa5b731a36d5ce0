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
from drydock.masking.verification.folding import fold, gather
from drydock.masking.verification.hashes import Buckets, Filter, Keys
from drydock.masking.verification.texts import QUAD_LETTERS, dotted_quads, written_quads
from drydock.verdicts import Model

LONGEST = 4096  # kept bytes of a value; a longer one (a document) is no identifier and is told as unread by the caller
SHORTEST = 4  # kept bytes; shorter values (a digit, two letters) stand everywhere
BATCH = 50_000  # values folded at once
DECOYS_PER_VALUE = 4
MOST_DECOYS = 400_000
QUAD_SIZES = {1: 10, 2: 90, 3: 156}
"""Digits of a number of an IPv4 address -> such numbers"""


class Original(Model):
    """A sensitive source column, or what stands inside of its texts."""

    name: str = Field(description="schema.table.column, as findings tell it")
    kind: str
    free_size: float | None = Field(None, description="values that masked ones are drawn from, where the policy knows better")
    kept: tuple[tuple[int, int], ...] = Field((), description="slices that the policy keeps: chance is among values alike there")
    letters: int | None = Field(
        None, description="letters that one can become, where every place keeps its class: sets then follow from the values"
    )
    letters_kept: dict[int, int] = Field(default_factory=dict, description="length -> letters that stay beside the kept slices")
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
    quads: bool = False
    """IPv4 addresses are among them: compared as addresses, as a number of seven digits may be the same without its dots"""


class Originals:
    """Owners are numbered: 2n is column n, 2n + 1 its decoys."""

    def __init__(self, columns: Iterable[Original], folder: Path, keys: Keys) -> None:
        self.columns = list(columns)
        self._numbers = {column.name: at for at, column in enumerate(self.columns)}
        self.keys = keys
        self.records = Buckets(folder, "source")
        self.lengths = np.zeros(LONGEST + 1, bool)
        self.names = np.zeros(LONGEST + 1, bool)
        self.quads = False
        self._shapes: dict[int, set[tuple[int, int]]] = {}
        self._strata: dict[int, Counter[bytes]] = {}
        self._sizes: dict[bytes, float] = {}
        self._distinct: Counter[int] | None = None
        self.hashed = 0
        self.left_out = 0
        self._left_out: Counter[str] = Counter()

    def add(self, name: str, values: Iterable[bytes]) -> None:
        """Hash all values of one column (UTF-8, NULLs left out). Too short and too long ones are left out."""
        rest = iter(values)
        batches = iter(lambda: list(islice(rest, BATCH)), [])
        self.add_texts(name, (b"".join(clean(value) + b"\n" for value in batch) for batch in batches))

    def add_texts(self, name: str, texts: Iterable[bytes]) -> None:
        """The same of a column's values in texts, a line for each (blocks of this column alone)."""
        owner = 2 * self._numbers[name]
        column, pool, has_domain = self.column(owner), _Pool(), self.has_domain(owner)
        before = self.left_out
        for text in texts:
            for matrix in self._matrices(column.kind, _lines_with(column.only, text) if column.only else text):
                self._write(owner, matrix)
                if not has_domain:
                    pool.add(matrix)
        self._left_out[name] += self.left_out - before
        if not has_domain:
            for matrix in _by_length(_decoys(pool.values)):
                self._write(owner + 1, matrix)

    def wanted(self) -> Wanted:
        """What the target is searched by, of all values written so far."""
        found = Filter(self.records.records)
        for records in self.records.each():
            found.add(records["quick"])
        return Wanted(self.keys, self.lengths, self.names, found, self.quads)

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

    def has_only_odd_sizes(self, name: str) -> bool:
        """It holds values, and none that could be looked for: a digit stands everywhere."""
        return not self.distinct_values(name) and self._left_out[name] > 0

    def met_by_one(self, owner: int, size: float) -> float:
        """Originals that one candidate meets by chance, on average: those that share its kept part, in the set of that part.

        `size`: of a set, where it does not follow from the values.
        """
        strata = self._strata.get(owner)
        if not strata:
            return self.values(owner) / size
        column = self.column(owner)
        total, by_class = sum(strata.values()), column.letters is not None or column.kind == "ipv4"
        met = sum(n * n / (self._sizes[part] if by_class else size) for part, n in strata.items())
        return met / total * self.values(owner) / total  # a value may count once a batch

    def _matrices(self, kind: str, text: bytes) -> Iterator[np.ndarray]:
        """The values as the folding of the target leaves them, those of one length together; phones also without 86."""
        folded = fold(Block(("",), text))
        ends = np.searchsorted(folded.position, folded.ends)
        begins = np.concatenate([[0], ends[:-1]])
        sizes = ends - begins
        if kind == "ipv4":
            first, numbers = dotted_quads(folded)
            sizes[folded.cells[first]] = 0  # a line is a cell; what is no address is compared as other texts are
            yield written_quads(numbers)
        fits = (sizes >= SHORTEST) & (sizes <= LONGEST)
        self.left_out += int(((sizes > 0) & ~fits).sum())
        for length in np.flatnonzero(np.bincount(sizes[fits])).tolist():
            matrix = gather(folded.kept, begins[sizes == length], length)
            yield matrix
            if kind == "mobile" and length == 13 and (abroad := (matrix[:, 0] == 56) & (matrix[:, 1] == 54)).any():
                yield matrix[abroad][:, 2:]

    def has_domain(self, owner: int) -> bool:
        """Its kind's values can be counted; else chance is measured by decoys."""
        column = self.columns[owner // 2]
        return bool(column.free_size or column.fixed is not None or column.kind in DOMAIN_SIZES)

    def _write(self, owner: int, matrix: np.ndarray) -> None:
        """Values of one length: each once, hashed, appended."""
        if not len(matrix):
            return
        quick, first = np.unique(self.keys.quick(matrix), return_index=True)
        matrix = matrix[first]
        self.records.add(owner, self.keys.macs(matrix), quick)
        self._note(owner, matrix.shape[1], matrix)
        column, is_quads = self.column(owner), self._are_quads(owner, matrix)
        if (column.kept or is_quads) and not self.is_decoy(owner):
            parts = self._by_digits(matrix) if is_quads else self._kept_parts(column, matrix)
            parts = np.ascontiguousarray(parts)
            found, counts = np.unique(parts.view(f"V{parts.shape[1]}").ravel(), return_counts=True)
            names = (part.tobytes() for part in found)
            self._strata.setdefault(owner, Counter()).update(dict(zip(names, counts.tolist(), strict=True)))
        self.hashed += len(matrix)

    def _are_quads(self, owner: int, matrix: np.ndarray) -> bool:
        return self.column(owner).kind == "ipv4" and matrix.shape[1] == QUAD_LETTERS and bool((matrix[:, 0] == ord("I")).all())

    def _kept_parts(self, column: Original, matrix: np.ndarray) -> np.ndarray:
        return self._by_class(column, matrix) if column.letters else np.hstack([matrix[:, a:b] for a, b in column.kept])

    def _by_digits(self, matrix: np.ndarray) -> np.ndarray:
        """How many digits each number of an address has, which its pseudonym keeps. Notes the sets' sizes."""
        digits = matrix[:, 1:].reshape(len(matrix), 4, 3) > 48
        parts = np.where(digits[:, :, 0], 3, np.where(digits[:, :, 1], 2, 1)).astype(np.uint8)
        for part in np.unique(parts, axis=0):
            self._sizes[part.tobytes()] = float(np.prod([QUAD_SIZES[number] for number in part.tolist()]))
        return parts

    def _by_class(self, column: Original, matrix: np.ndarray) -> np.ndarray:
        """What tells the set of each value: a place that stays as it is, any other as its class. Notes the sets' sizes."""
        moved = np.ones(matrix.shape[1], bool)
        for a, b in column.kept:
            moved[a:b] = False
        digits = (matrix >= 48) & (matrix <= 57) & moved
        letters = (matrix >= 65) & (matrix <= 90) & moved  # folding leaves capitals; a Han character stays
        parts = np.where(digits, 48, np.where(letters, 65, matrix)).astype(np.uint8)
        staying = column.letters_kept.get(matrix.shape[1], 0)
        varying = np.maximum(letters.sum(axis=1) - staying, 0)
        for part, d, v in {(row.tobytes(), int(d), int(v)) for row, d, v in zip(parts, digits.sum(axis=1), varying, strict=True)}:
            self._sizes[part] = 10.0**d * float(column.letters or 1) ** v
        return parts

    def _note(self, owner: int, length: int, matrix: np.ndarray) -> None:
        if self._are_quads(owner, matrix):
            self.quads = True
        else:
            self.lengths[length] = True
        has_wide, is_number = (matrix >= 128).any(axis=1), ((matrix >= 48) & (matrix <= 57)).all(axis=1)
        found = np.unique(np.where(has_wide, CHINESE, np.where(is_number, NUMERIC, MIXED))).tolist()
        self._shapes.setdefault(owner, set()).update((length, shape) for shape in found)
        self.names[length] |= CHINESE in found and self.column(owner).kind == "name"


class _Pool:
    """A sample of values, of which decoys are made."""

    def __init__(self) -> None:
        self.values: set[bytes] = set()

    def add(self, matrix: np.ndarray) -> None:
        room = MOST_DECOYS - len(self.values)
        if room > 0:
            self.values.update(row.tobytes() for row in matrix[:room])


def _lines_with(pattern: str, text: bytes) -> bytes:
    wanted, lines = re.compile(pattern), re.findall(rb"[^\n]*\n", text)
    return b"".join(line for line in lines if wanted.search(line[:-1].decode("utf-8", "replace")))


def _by_length(values: Iterable[bytes]) -> Iterator[np.ndarray]:
    for length, group in groupby(sorted(values, key=lambda value: (len(value), value)), len):
        some = list(group)
        yield np.frombuffer(b"".join(some), np.uint8).reshape(len(some), length)


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

"""Keyed semi-join: does any original of a sensitive source column stand anywhere in the target?

Source values are folded and hashed under keys made for this run; so is every text of the target that could be one of
them. Only numbers of hits come out. Masked values share the domain of the originals, so some hit by chance: their expected
number follows from the sizes of domain and sets, or from decoys where no domain can be counted (names, addresses, mail).

Cost: linear in the bytes of the target and of the source columns; disk 20 bytes a source value and about a 64th of that a
candidate; memory one bit table (8 bytes a source value, at most 512 MB) and one of 64 buckets.
"""

from __future__ import annotations

import secrets
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from drydock.masking.verification.blocks import Block
from drydock.masking.verification.candidates import MIXED, SHAPES, candidates, shapes, texts
from drydock.masking.verification.chance import DOMAIN_SIZES, ONCE_IN_A_MILLION, Distinct, poisson_bound
from drydock.masking.verification.folding import Folded, fold, gather
from drydock.masking.verification.hashes import BUCKETS, Buckets, Keys
from drydock.masking.verification.originals import Original, Originals, Wanted
from drydock.masking.verification.residual import STATISTICS, unread_findings
from drydock.masking.verification.results import JoinCount, Semijoin
from drydock.masking.verification.target import Progress
from drydock.masking.verification.texts import QUAD_LETTERS, dotted_quads, written_quads
from drydock.verdicts import Finding, Status, Verdict, judge

MOST_RECORDS = 20_000_000  # of one place; a place that needs more cannot be told apart
FALSE_ALARM = 1e-3  # of a healthy copy, over all pairs of column and place in which chance could bring a hit
BLIND_SHARE = 0.05  # of a column's originals; where chance may bring more, a small leak is not seen
INSIDE = " (inside longer text)"


class Target:
    """The target's side of the join: takes blocks, keeps counts of shapes and the records that passed the filter."""

    def __init__(self, wanted: Wanted, folder: Path) -> None:
        self.wanted, self.keys = wanted, wanted.keys
        self.found = [Buckets(folder, f"target-{secrets.token_hex(4)}-")]
        self.numbers = [np.arange(0)]  # of each of them: places in its records -> places here; of the first one as they are
        self.places: dict[str, int] = {}
        self.distinct: dict[tuple[int, int, int], Distinct] = {}
        self.records: Counter[int] = Counter()
        self.cut: set[str] = set()
        self.of_rows: set[str] = set()
        self.hashed = 0

    def add(self, block: Block, folded: Folded | None = None) -> None:
        """Search one block."""
        folded = folded or fold(block)
        if not len(folded.starts):
            return
        self.of_rows.update(block.places if block.of_rows else ())
        for some in candidates(folded, self.wanted.lengths, self.wanted.names):
            quick = self.keys.quick(texts(folded, some.starts, some.length))
            may = self.wanted.filter.may_hold(quick)
            group = folded.columns[some.tokens] * len(SHAPES) + shapes(folded, some.starts, some.length)
            order = np.argsort(group.astype(np.int16) if len(folded.places) < 9000 else group, kind="stable")  # by radix
            ends = np.cumsum(np.bincount(group))
            for number, (begin, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
                if end > begin:
                    here = order[begin:end]
                    place = self._place(folded.places[number // len(SHAPES)] + (INSIDE if some.inside else ""))
                    self._note(place, (some.length, number % len(SHAPES)), quick[here])
                    passed = here[may[here]]
                    self._record(place, quick[passed], partial(gather, folded.kept, length=some.length), some.starts[passed])
        if self.wanted.quads:
            self._add_quads(folded)

    def _add_quads(self, folded: Folded) -> None:
        """IPv4 addresses, as addresses."""
        first, numbers = dotted_quads(folded)
        matrix, columns = written_quads(numbers), folded.columns[first]
        quick = self.keys.quick(matrix)
        may = self.wanted.filter.may_hold(quick)
        for column in np.unique(columns).tolist():
            here = np.flatnonzero(columns == column)
            place, passed = self._place(folded.places[column]), here[may[here]]
            self._note(place, (QUAD_LETTERS, MIXED), quick[here])
            self._record(place, quick[passed], lambda at: matrix[at], passed)

    def _note(self, place: int, shape: tuple[int, int], quick: np.ndarray) -> None:
        self.distinct.setdefault((place, *shape), Distinct()).add(quick)

    def absorb(self, other: Target) -> None:
        """Take in what another process found, with the same keys."""
        numbers = np.array([self._place(name) for name in other.places], np.uint32)
        self.found.append(other.found[0])
        self.numbers.append(numbers)
        for (place, *shape), distinct in other.distinct.items():
            self.distinct.setdefault((int(numbers[place]), *shape), Distinct()).add(distinct.least)
        self.records.update({int(numbers[place]): count for place, count in other.records.items()})
        self.cut |= other.cut
        self.of_rows |= other.of_rows
        self.hashed += other.hashed

    def recorded(self, bucket: int) -> np.ndarray:
        """The records of one bucket, each place and MAC once."""
        parts = [self.found[0].read(bucket)]
        for found, numbers in zip(self.found[1:], self.numbers[1:], strict=True):
            part = found.read(bucket)
            part["owner"] = numbers[part["owner"]]
            parts.append(part)
        return np.unique(np.concatenate(parts)) if len(parts) > 1 else parts[0]

    def result(self, sides: Originals, progress: Progress, kept: Mapping[tuple[str, str], str]) -> Semijoin:
        """Join what was recorded with the originals."""
        counts = _counts(sides, self, kept)
        for place in self.cut:
            progress.unread[place] = "unread_too_many"
        nothing = [c.name for c in sides.columns if not c.inside and not sides.distinct_values(c.name)]
        return Semijoin(
            reading=progress.result(),
            columns=len(sides.columns),
            empty_columns=tuple(name for name in nothing if not sides.has_only_odd_sizes(name)),
            short_columns=tuple(name for name in nothing if sides.has_only_odd_sizes(name)),
            left_out=sides.left_out,
            hashed=sides.hashed + self.hashed,
            counts=counts,
        )

    def _place(self, name: str) -> int:
        return self.places.setdefault(name, len(self.places))

    def _record(self, place: int, quick: np.ndarray, texts_at: Callable[[np.ndarray], np.ndarray], at: np.ndarray) -> None:
        """What passed the filter: its quick hashes, and how their texts are found."""
        if not len(at):
            return
        unique, first = np.unique(quick, return_index=True)
        if self.records[place] + len(unique) > MOST_RECORDS:
            self.cut.add(next(name for name, number in self.places.items() if number == place))
            return
        self.found[0].add(place, self.keys.macs(texts_at(at[first])), unique)
        self.records[place] += len(unique)
        self.hashed += len(unique)


def join(
    originals: Sequence[Original],
    source: Mapping[str, Iterable[bytes]],
    blocks: Iterable[Block],
    progress: Progress,
    *,
    kept: Mapping[tuple[str, str], str] | None = None,
) -> Semijoin:
    """`source` gives the values of each column of `originals`; `kept`: (source, place) to the policy entry that
    lets the originals be there."""
    with sides_for(originals) as (sides, folder):
        for column in originals:
            sides.add(column.name, source[column.name])
        target = Target(sides.wanted(), folder)
        for block in blocks:
            target.add(block)
        return target.result(sides, progress, kept or {})


@contextmanager
def sides_for(originals: Sequence[Original]) -> Iterator[tuple[Originals, Path]]:
    """The source's side, still without values, and a folder whose files are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="drydock-semijoin-") as name:
        yield Originals(originals, Path(name), Keys()), Path(name)


def verdict(result: Semijoin) -> Verdict:
    """FAIL for each pair of column and place with more originals than chance brings; excepted ones by their policy's name."""
    findings = [f for f in map(_finding, result.counts) if f]
    findings += [Finding(code="no_originals", status=Status.UNKNOWN, place=name) for name in result.empty_columns]
    findings += [Finding(code="originals_too_short", status=Status.WARN, place=name) for name in result.short_columns]
    findings += unread_findings(result.reading)
    examined = (result.columns - len(result.empty_columns) - len(result.short_columns)) * min(result.reading.cells, 1)
    excepted = sum(c.hits for c in result.counts if c.excepted_by)
    return judge(
        "originals",
        examined,
        findings,
        columns=result.columns,
        places=result.reading.places,
        excepted_hits=excepted,
        values_left_out=result.left_out,
        excepted_by=", ".join(sorted({c.excepted_by for c in result.counts if c.excepted_by})),
        hits_by_chance=sum(c.hits for c in result.counts if not c.excepted_by and c.hits <= c.bound),
    )


def _finding(count: JoinCount) -> Finding | None:
    values = {
        "source": count.source,
        "hits": count.hits,
        "originals": count.originals,
        "expected": round(count.expected, 3),
        "bound": count.bound,
    }
    if count.excepted_by:
        return None
    if count.hits > count.bound:
        return Finding(code="originals_in_copy", status=Status.FAIL, place=count.place, values=values)
    if count.bound > 1 and count.bound > BLIND_SHARE * count.originals:
        return Finding(code="chance_hides_originals", status=Status.WARN, place=count.place, values=values)
    return None


def _counts(sides: Originals, target: Target, kept: Mapping[tuple[str, str], str]) -> tuple[JoinCount, ...]:
    hits = _hits(sides.records, target)
    names = {number: name for name, number in target.places.items()}
    alpha = _alpha(sides, target)
    found = []
    for (owner, place), number in sorted(hits.items()):
        if sides.is_decoy(owner):
            continue
        column, where = sides.column(owner), names[place]
        candidates_here = _candidates_like(sides, target, owner, place)
        expected = _by_fixed(sides, target, owner, place)
        if expected is None:
            expected = _expected(sides, owner, candidates_here, hits.get((sides.decoy_of(owner), place), 0))
        found.append(
            JoinCount(
                source=column.name,
                place=where,
                hits=number,
                originals=sides.distinct_values(column.name),
                candidates=candidates_here,
                expected=expected,
                bound=0 if _is_never_drawn(sides, target, owner, where) else poisson_bound(expected, alpha),
                excepted_by=_excepted(kept, column.name, where.removesuffix(INSIDE)),
            )
        )
    return tuple(found)


def _is_never_drawn(sides: Originals, target: Target, owner: int, place: str) -> bool:
    """A definition holds no pseudonyms: a number of a known form that stands there is no chance.

    Gathered statistics do: they are values of the copy's own rows.
    """
    is_of_rows = place.removesuffix(INSIDE) in target.of_rows or place.startswith(STATISTICS)
    return not is_of_rows and sides.has_domain(owner)


def _excepted(kept: Mapping[tuple[str, str], str], column: str, place: str) -> str:
    return kept.get((column, place)) or kept.get(("", place), "")


def _alpha(sides: Originals, target: Target) -> float:
    """The chance of a false alarm that one pair may have: shared among the pairs that can meet at all (Bonferroni)."""
    places: dict[tuple[int, int], int] = Counter((length, kind) for _, length, kind in target.distinct)
    pairs = sum(places[shape] for owner in range(0, 2 * len(sides.columns), 2) for shape in sides.shapes(owner))
    return max(ONCE_IN_A_MILLION, FALSE_ALARM / max(pairs, 1))


def _hits(source: Buckets, target: Target) -> Counter[tuple[int, int]]:
    """Distinct MACs that both sides hold, by (owner in the source, place in the target), one bucket in memory at a time."""
    hits: Counter[tuple[int, int]] = Counter()
    for number in range(BUCKETS):
        ours, theirs = source.read(number), target.recorded(number)
        ours = ours[np.argsort(ours["mac"], kind="stable")]
        left, right = (np.searchsorted(ours["mac"], theirs["mac"], side) for side in ("left", "right"))
        matched = np.flatnonzero(right > left)
        pairs = [(owner, int(theirs["owner"][at])) for at in matched for owner in ours["owner"][left[at] : right[at]].tolist()]
        hits.update(pairs)
    return hits


def _candidates_like(sides: Originals, target: Target, owner: int, place: int) -> int:
    return sum(target.distinct[place, *shape].count for shape in sides.shapes(owner) if (place, *shape) in target.distinct)


def _by_fixed(sides: Originals, target: Target, owner: int, place: int) -> float | None:
    """For codes: each letter that varies counts as one of ten, which is the most that chance can bring. None for other kinds."""
    fixed = sides.column(owner).fixed
    if fixed is None:
        return None
    found = [
        (target.distinct[place, *shape].count, shape[0]) for shape in sides.shapes(owner) if (place, *shape) in target.distinct
    ]
    return float(sum(count * sides.values(owner) / 10 ** max(length - fixed, 1) for count, length in found))


def _expected(sides: Originals, owner: int, candidates_here: int, decoy_hits: int) -> float:
    """Mean number of distinct originals met by chance."""
    column, originals = sides.column(owner), sides.values(owner)
    size = column.free_size or DOMAIN_SIZES.get(column.kind)
    if size and (column.letters or column.kind == "ipv4" or all(kind <= MIXED for _, kind in sides.shapes(owner))):
        return candidates_here * sides.met_by_one(owner, size)
    decoys = sides.values(sides.decoy_of(owner))
    return (decoy_hits + 0.5) * originals / decoys if decoys else candidates_here * originals / 2**64

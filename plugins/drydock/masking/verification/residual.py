"""Scan of a delivered copy by value patterns and check digits. It counts; values are never kept.

A masked copy holds valid pseudonyms by design, so a hit where the policy declares the kind says nothing. A kind in a place that
the policy says nothing about was never masked there: that is what this scan is for. Originals are found by the semi-join.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

import numpy as np

from drydock.masking.verification.blocks import Block
from drydock.masking.verification.chance import poisson_bound
from drydock.masking.verification.folding import LETTER, Folded, fold, gather, spans
from drydock.masking.verification.patterns import PATTERNS, WITHOUT_PATTERN, Pattern
from drydock.masking.verification.results import KindCount, Reading, Residual
from drydock.masking.verification.target import Connection, Progress, read_all
from drydock.masking.verification.texts import text_hits
from drydock.verdicts import Finding, Status, Verdict, judge

ALPHA = 1e-4  # by chance one place in ten thousand goes beyond the bound
ENOUGH_TO_JUDGE = 20  # texts of the right structure from which the share of right check digits speaks
STATISTICS = "gathered statistics of "
MOBILE_GROUPS = {(3, 4, 4), (3, 8), (7, 4), (3, 3, 5), (4, 7)}

_WANTED = np.zeros(20, bool)
_WANTED[sorted({n for p in PATTERNS for n in p.lengths})] = True


class Tally:
    """Counts by (kind, place): texts of the right length, of the right structure, with the right check digit."""

    def __init__(self) -> None:
        self.candidates: Counter[tuple[str, str]] = Counter()
        self.shaped: Counter[tuple[str, str]] = Counter()
        self.hits: Counter[tuple[str, str]] = Counter()
        self.of_rows: set[str] = set()

    def add(self, block: Block, folded: Folded | None = None) -> None:
        """Count what stands in one block."""
        folded = folded or fold(block)
        self.of_rows.update(block.places if block.of_rows else ())
        for kind, at in text_hits(folded):
            columns = np.searchsorted(folded.ends, at) % len(folded.places)
            self._count(self.candidates, kind, folded.places, columns)
            self._count(self.shaped, kind, folded.places, columns)
            self._count(self.hits, kind, folded.places, columns)
        for pattern, first, last, length in _candidates(folded):
            shaped, valid = pattern.test(gather(folded.kept, folded.starts[first], length))
            if pattern.kind == "mobile":
                grouped = _grouped_as_phone(folded, first, last, shaped)
                shaped, valid = grouped, grouped
            columns = folded.columns[first]
            self._count(self.candidates, pattern.kind, folded.places, columns)
            self._count(self.shaped, pattern.kind, folded.places, columns[shaped])
            self._count(self.hits, pattern.kind, folded.places, columns[valid])

    def _count(self, counter: Counter[tuple[str, str]], kind: str, places: tuple[str, ...], columns: np.ndarray) -> None:
        if len(columns):
            for column, number in enumerate(np.bincount(columns, minlength=len(places)).tolist()):
                if number:
                    counter[kind, places[column]] += number

    def absorb(self, other: Tally) -> None:
        """Take in what another process counted."""
        for ours, theirs in ((self.candidates, other.candidates), (self.shaped, other.shaped), (self.hits, other.hits)):
            ours.update(theirs)
        self.of_rows |= other.of_rows

    def counts(self, declared: Mapping[str, Collection[str]]) -> tuple[KindCount, ...]:
        """All kinds that were hit, with what chance would bring."""
        return tuple(self._one(kind, place, hits, declared) for (kind, place), hits in sorted(self.hits.items()))

    def _one(self, kind: str, place: str, hits: int, declared: Mapping[str, Collection[str]]) -> KindCount:
        pattern = next((p for p in PATTERNS if p.kind == kind), None)
        candidates, shaped = self.candidates[kind, place], self.shaped[kind, place]
        expected = candidates * pattern.shape_chance * pattern.check_chance if pattern else 0.0
        if pattern and pattern.check_chance < 1 and shaped >= ENOUGH_TO_JUDGE:
            expected = max(expected, shaped * pattern.check_chance)
        is_declared = kind in _kinds_of(place, declared)
        bound = poisson_bound(expected, ALPHA)
        return KindCount(
            kind=kind,
            place=place,
            hits=hits,
            candidates=candidates,
            expected=expected,
            bound=bound,
            declared=is_declared,
            of_rows=place in self.of_rows or place.startswith(STATISTICS),  # samples of rows are as rows are
        )


def values_inside(block: Block, kinds: Collection[str]) -> Iterator[tuple[str, list[bytes]]]:
    """Texts of the kinds, right check digits and all, that stand in a block: kind and values."""
    folded = fold(block)
    for pattern, first, last, length in _candidates(folded):
        if pattern.kind not in kinds:
            continue
        texts = gather(folded.kept, folded.starts[first], length)
        valid = pattern.test(texts)[1]
        if pattern.kind == "mobile":
            valid = _grouped_as_phone(folded, first, last, valid)
        yield pattern.kind, [row.tobytes() for row in texts[valid]]


def scan(blocks: Iterable[Block], progress: Progress, declared: Mapping[str, Collection[str]]) -> Residual:
    """Scan blocks; `declared` maps a place to the kinds that its policy names (free text: the kinds scrubbed inside)."""
    tally = Tally()
    for block in blocks:
        tally.add(block)
    return Residual(reading=progress.result(), counts=tally.counts(declared))


def scan_database(connection: Connection, declared: Mapping[str, Collection[str]]) -> Residual:
    """Scan a whole PostgreSQL database. Raises psycopg.OperationalError where the connection ends."""
    progress = Progress()
    return scan(read_all(connection, progress), progress, declared)


def verdict(residual: Residual) -> Verdict:
    """FAIL where a kind stands that no policy declares; outside rows and samples of them (a comment) no chance is granted."""
    findings = [found for count in residual.counts for found in _finding(count, residual.counts)]
    findings += unread_findings(residual.reading)
    reading = residual.reading
    cells = reading.cells if reading.places else 0
    return judge(
        "residual",
        cells,
        findings,
        places=reading.places,
        read_bytes=reading.read_bytes,
        unread=len(reading.unread),
        kinds_found=len({c.kind for c in residual.counts}),
        kinds_without_pattern=", ".join(WITHOUT_PATTERN),
    )


def unread_findings(reading: Reading) -> list[Finding]:
    """One finding for each place that should have been read; types that cannot hold a value are no fault."""
    return [
        Finding(code="place_not_read", status=Status.UNKNOWN, place=unread.place, values={"why": unread.reason})
        for unread in reading.unread
        if unread.reason != "unread_type"
    ]


def _finding(count: KindCount, all_counts: tuple[KindCount, ...]) -> Iterator[Finding]:
    if not count.is_found:
        return
    values = {"kind": count.kind, "hits": count.hits, "candidates": count.candidates, "expected": round(count.expected, 3)}
    covered = any(c.place == count.place and c.declared and c.hits >= count.hits for c in all_counts)
    yield Finding(code="kind_not_declared", status=Status.WARN if covered else Status.FAIL, place=count.place, values=values)


def _kinds_of(place: str, declared: Mapping[str, Collection[str]]) -> Collection[str]:
    return declared.get(place.removeprefix(STATISTICS), ())


def _candidates(folded: Folded) -> Iterator[tuple[Pattern, np.ndarray, np.ndarray, int]]:
    """Spans that stand alone: whole in one piece (letters may flank a number), or put together with clean ends."""
    may_begin = folded.classes <= LETTER
    for found in spans(folded, _WANTED, only=may_begin):
        begin = folded.starts[found.first]
        digits = folded.digits_before[begin + found.lengths] - folded.digits_before[begin]
        wide = folded.wide_before[begin + found.lengths] - folded.wide_before[begin]
        pieces = _in_one_piece(folded, begin, found.lengths)
        clean = _clean_ends(folded, begin, found.lengths)
        alone = np.where(pieces & (found.first == found.last), True, clean) & (wide == 0) & (digits * 2 >= found.lengths)
        for length in np.flatnonzero(np.bincount(found.lengths[alone])).tolist():
            chosen = np.flatnonzero(alone & (found.lengths == length))
            whole, only_digits = pieces[chosen], digits[chosen] == length
            for pattern in PATTERNS:
                if length in pattern.lengths:
                    fits = chosen[(whole | pattern.joins) & (only_digits | (not pattern.digits_only))]
                    yield pattern, found.first[fits], found.last[fits], length


def _in_one_piece(folded: Folded, begin: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    return folded.position[begin + lengths - 1] - folded.position[begin] == lengths - 1


def _clean_ends(folded: Folded, begin: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """No letter or digit right before or after."""
    is_alnum = folded.is_alnum
    before, after = folded.position[begin] - 1, folded.position[begin + lengths - 1] + 1
    return ~is_alnum[np.where(before < 0, len(folded.text), before)] & ~is_alnum[after]


def _grouped_as_phone(folded: Folded, first: np.ndarray, last: np.ndarray, shaped: np.ndarray) -> np.ndarray:
    """Of numbers put together, only those parted as people part phones, digit by digit, or over a line's end."""
    good = shaped.copy()
    for at in np.flatnonzero(shaped & (first != last)):
        sizes = tuple(folded.lengths[first[at] : last[at] + 1].tolist())
        sizes = sizes[1:] if sizes[0] == 2 else sizes  # 86
        begin, end = folded.position[folded.starts[first[at]]], folded.position[folded.starts[last[at]]]
        broken = bool((folded.text[begin:end] == 0x0B).any())
        good[at] = sizes in MOBILE_GROUPS or set(sizes) == {1} or broken
    return good

"""Canaries: subjects planted in the source with values that exist nowhere else, searched everywhere in the target.

Every form of every value is searched in the bytes as they came, and the folded value in the folded text. One pass over the bytes
finds the places where the first letters of any form stand (a bit table of them); only these are compared letter by letter.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from pydantic import Field

from drydock.masking.verification.blocks import Block, cell_ends
from drydock.masking.verification.encodings import encodings
from drydock.masking.verification.folding import Folded, fold, normal
from drydock.masking.verification.residual import unread_findings
from drydock.masking.verification.results import Canaries, CanaryCount
from drydock.masking.verification.target import Progress
from drydock.verdicts import Finding, Model, Status, Verdict, judge

SHORTEST = 6  # bytes of a value: two Chinese letters
TABLE_BITS = 20
_ODD = np.uint64(0x9E3779B97F4A7C15)
Found = tuple[str, str, str, str]  # subject, field, encoding, place


class Canary(Model):
    """One planted value. Subject and field are labels for the report; they must not tell the value."""

    subject: str
    field: str
    value: str = Field(min_length=2, repr=False)


class Anchors:
    """Finds where one of many byte texts stands. Texts of eight and more bytes are told by eight, the others by four."""

    def __init__(self, texts: Iterable[bytes]) -> None:
        self._texts: dict[bytes, list[bytes]] = defaultdict(list)
        self._tables: dict[int, np.ndarray] = {}
        for text in sorted(set(texts)):
            size = 8 if len(text) >= 8 else 4
            self._texts[text[:size]].append(text)
            table = self._tables.setdefault(size, np.zeros(1 << TABLE_BITS, bool))
            table[self._slots(text[:size], size)] = True

    def search(self, data: bytes) -> list[tuple[int, bytes]]:
        """(offset, text) of all that stand in the data."""
        found = []
        for size, table in self._tables.items():
            if len(data) >= size:
                for at in np.flatnonzero(table[self._slots(data, size)]).tolist():
                    found += [(at, text) for text in self._texts.get(data[at : at + size], ()) if data.startswith(text, at)]
        return found

    @staticmethod
    def _slots(data: bytes, size: int) -> np.ndarray:
        words = np.ndarray((len(data) - size + 1,), f"<u{size}", data, strides=(1,)).astype(np.uint64)
        return (words * _ODD) >> np.uint64(64 - TABLE_BITS)


class Search:
    """Counts canaries by place. Raises ValueError for a value too short to be told from chance."""

    def __init__(self, canaries: Sequence[Canary]) -> None:
        self._planted = len(canaries)
        self._named: dict[bytes, list[tuple[str, str, str]]] = defaultdict(list)
        self._folded: dict[bytes, list[tuple[str, str, str]]] = defaultdict(list)
        for canary in canaries:
            folded = normal(canary.value.encode())
            if len(folded) < SHORTEST:
                raise ValueError(f"the canary {canary.subject}/{canary.field} is too short to be told from chance")
            for name, forms in encodings(canary.value).items():
                for form in forms:
                    self._named[form].append((canary.subject, canary.field, name))
            self._folded[folded].append((canary.subject, canary.field, "folded"))
        self._raw_anchors, self._folded_anchors = Anchors(self._named), Anchors(self._folded)
        self.found: Counter[Found] = Counter()

    def add(self, block: Block, folded: Folded | None = None) -> None:
        """Search one block, as it came and folded."""
        self._count(block, self._raw_anchors.search(block.text), cell_ends(np.frombuffer(block.text, np.uint8)), self._named)
        folded = folded or fold(block)
        within = []
        for at, text in self._folded_anchors.search(folded.kept.tobytes()):
            first, last = np.searchsorted(folded.starts, [at, at + len(text) - 1], side="right") - 1
            if folded.groups[first] == folded.groups[last]:  # not put together over the end of a text
                within.append((int(folded.position[at]), text))
        self._count(block, within, folded.ends, self._folded)

    def result(self, progress: Progress, missing: tuple[str, ...], kept: Mapping[tuple[str, str], str]) -> Canaries:
        """What was found so far; `missing`: labels of canaries that the source does not hold."""
        counts = tuple(_one(found, hits, kept) for found, hits in sorted(self.found.items()))
        return Canaries(reading=progress.result(), planted=self._planted, not_in_source=missing, counts=counts)

    def _count(
        self, block: Block, hits: list[tuple[int, bytes]], ends: np.ndarray, names: Mapping[bytes, list[tuple[str, str, str]]]
    ) -> None:
        for at, text in hits:
            place = block.places[int(np.searchsorted(ends, at)) % len(block.places)]
            for named in names[text]:
                self.found[*named, place] += 1


def search(
    canaries: Sequence[Canary],
    blocks: Iterable[Block],
    progress: Progress,
    *,
    source: Iterable[Block] | None = None,
    kept: Mapping[tuple[str, str], str] | None = None,
) -> Canaries:
    """Search the target; with `source`, first see that each canary is really planted there. `kept` maps (field, place) to the
    policy entry that lets the value stand there."""
    missing = not_planted(canaries, source) if source is not None else ()
    looking = Search(canaries)
    for block in blocks:
        looking.add(block)
    return looking.result(progress, missing, kept or {})


def verdict(result: Canaries) -> Verdict:
    """FAIL for each place where a canary came through, one finding a place and subject; the codings are counted together."""
    findings = [Finding(code="canary_not_planted", status=Status.UNKNOWN, place=label) for label in result.not_in_source]
    groups: dict[tuple[str, str], list[CanaryCount]] = defaultdict(list)
    for count in result.counts:
        if not count.excepted_by:
            groups[count.place, count.subject].append(count)
    for (place, subject), counts in groups.items():
        values = {
            "subject": subject,
            "fields": ", ".join(sorted({c.field for c in counts})),
            "encodings": ", ".join(sorted({c.encoding for c in counts})),
            "hits": max(c.hits for c in counts),
        }
        findings.append(Finding(code="canary_in_copy", status=Status.FAIL, place=place, values=values))
    findings += unread_findings(result.reading)
    examined = (result.planted - len(result.not_in_source)) * min(result.reading.cells, 1)
    excepted = ", ".join(sorted({c.excepted_by for c in result.counts if c.excepted_by}))
    return judge("canaries", examined, findings, planted=result.planted, places=result.reading.places, excepted_by=excepted)


def _one(found: Found, hits: int, kept: Mapping[tuple[str, str], str]) -> CanaryCount:
    subject, field, encoding, place = found
    excepted = kept.get((field, place)) or kept.get(("", place), "")
    return CanaryCount(subject=subject, field=field, encoding=encoding, place=place, hits=hits, excepted_by=excepted)


def not_planted(canaries: Sequence[Canary], source: Iterable[Block]) -> tuple[str, ...]:
    """Labels of the canaries that the source does not hold."""
    looking = Search(canaries)
    for block in source:
        looking.add(block)
    seen = {(subject, field) for subject, field, _, _ in looking.found}
    return tuple(f"{c.subject}/{c.field}" for c in canaries if (c.subject, c.field) not in seen)

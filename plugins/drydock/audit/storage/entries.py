"""The two copies of a chain, the ledger's rows and the lines of its file, held against each other entry by entry."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from drydock.audit.storage import links
from drydock.audit.storage.store_files import number_of
from drydock.ledger.audit_history import RawLink
from drydock.verdicts import Finding, Status

LEDGER, FILE = "ledger", "chain.jsonl"
Entry = dict[str, Any]


@dataclass(frozen=True)
class Entries:
    """What both copies say, by number; a line that is no entry has the number 0."""

    ledger: dict[int, RawLink]
    lines: tuple[tuple[int, Entry | None], ...]
    is_unfinished: bool  # a writer may have died before its lines

    @classmethod
    def of(cls, rows: Iterable[RawLink], text: bytes, is_unfinished: bool) -> Entries:
        """Of the ledger's rows and the file's text."""
        if is_unfinished and not text.endswith(b"\n"):
            text = text[: text.rfind(b"\n") + 1]  # the line in which the writer died
        known, written = {row.number: row for row in rows}, text.splitlines()
        most = max(known, default=0) + len(written)  # a line with a larger number is none: nobody counts that far
        numbers = [number if number <= most else 0 for number in map(number_of, written)]
        return cls(known, tuple(zip(numbers, map(_parsed, written), strict=True)), is_unfinished)

    @cached_property
    def told(self) -> set[int]:
        """All numbers that either copy has."""
        return self.ledger.keys() | {number for number, _ in self.lines if number}

    @cached_property
    def last_line(self) -> int:
        """The largest number of a line."""
        return max((number for number, _ in self.lines), default=0)

    @cached_property
    def trusted(self) -> dict[int, Entry]:
        """Number -> what is said of it by a copy that fits its own hash; the ledger's goes before the file's."""
        of_file = {number: entry for number, entry in self.lines if entry is not None and holds(entry)}
        of_file.pop(0, None)
        return of_file | {n: row.document for n, row in self.ledger.items() if row.fits and holds(row.document)}

    @property
    def newest(self) -> Entry:
        """The last entry; empty where there is none."""
        return self.ledger[max(self.ledger)].document if self.ledger else {}


def _parsed(line: bytes) -> Entry | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def holds(entry: Entry) -> bool:
    """True where an entry has the hash that it should have, and says what entries say."""
    told = {name: value for name, value in entry.items() if name != "hash"}
    if told.keys() != {"number", "database", "deed", "subject", "files", "previous"} or links.hash_of(told) != entry.get("hash"):
        return False
    files = told["files"] if isinstance(told["files"], list) else [None]
    is_listed = all(isinstance(f, dict) and {"path", "sha256", "size_bytes"} <= f.keys() for f in files)
    return is_listed and isinstance(told["subject"], dict)


def entry_findings(entries: Entries) -> Iterator[Finding]:
    """What does not fit: each with the copy and the number of the entry."""
    by_number: dict[int, list[Entry | None]] = {}
    for number, entry in entries.lines:
        by_number.setdefault(number, []).append(entry)
    last = max(entries.told, default=0)
    for number in range(1, last + 1):
        yield from _of_ledger(entries, number)
        yield from _of_file(entries, number, by_number.get(number, []))
    for count in [len(by_number[0])] if 0 in by_number else []:
        yield _finding("chain_entry_changed", FILE, 0, lines=count)
    yield from _order(entries)


def _of_ledger(entries: Entries, number: int) -> Iterator[Finding]:
    row, before = entries.ledger.get(number), entries.ledger.get(number - 1)
    if row is None:
        yield _finding("chain_entry_missing", LEDGER, number)
    elif not row.fits or not holds(row.document):
        yield _finding("chain_entry_changed", LEDGER, number)
    elif row.document["previous"] != (before.document.get("hash") if before else links.FIRST) and (before or number == 1):
        yield _finding("chain_forked", LEDGER, number)


def _of_file(entries: Entries, number: int, found: list[Entry | None]) -> Iterator[Finding]:
    row = entries.ledger.get(number)
    if not found:
        if not (entries.is_unfinished and number > entries.last_line):
            yield _finding("chain_entry_missing", FILE, number)
        return
    if any(entry is None or not holds(entry) for entry in found):
        yield _finding("chain_entry_changed", FILE, number)
    elif len(found) > 1 or (row is not None and row.fits and found[0].get("hash") != row.document.get("hash")):
        yield _finding("chain_forked", FILE, number, lines=len(found))


def _order(entries: Entries) -> Iterator[Finding]:
    """Lines that stand before one with a smaller number."""
    numbers = [number for number, _ in entries.lines if number]
    seen = Counter(numbers)
    for this, following in pairwise(numbers):
        if following < this and seen[following] == 1:
            yield _finding("chain_reordered", FILE, following, stands_after=this)


def _finding(code: str, copy: str, number: int, **values: int) -> Finding:
    return Finding(code=code, status=Status.FAIL, place=f"{copy}, entry {number}", values=values)

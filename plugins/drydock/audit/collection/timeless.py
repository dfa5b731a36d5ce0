"""Files in which no record has a time: what is new in them since the day before belongs to the day that is collected.

A log whose prefix tells no time grows all day long. Its records are counted from its beginning: those that other days have stored
are passed over, and where later days have some, no more than the day itself had.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from drydock.audit.results import Batch, Slice


class Share(NamedTuple):
    """Which of a file's records and pieces set aside are a day's: so many passed over, so many taken (None: all that follow)."""

    passed: int
    taken: int | None
    aside_passed: int
    aside_taken: int | None


def share_of(day_slices: Iterable[Slice], earlier: Iterable[Slice], later: Iterable[Slice]) -> Share:
    """The share of a day, by what it, the days before and the days after have stored of the same file."""
    own, before, is_last = tuple(day_slices), tuple(earlier), not tuple(later)
    return Share(
        sum(s.records for s in before),
        None if is_last else sum(s.records for s in own),
        sum(s.set_aside for s in before),
        None if is_last else sum(s.set_aside for s in own),
    )


def only(batches: Iterable[Batch], share: Share) -> Iterator[Batch]:
    """That share of the batches of a file, in its order."""
    at, aside_at = 0, 0
    for batch in batches:
        height, pieces = batch.rows.height, len(batch.set_aside)
        records = batch.records[_within(share.passed, share.taken, at, height)]
        aside = batch.set_aside[_within(share.aside_passed, share.aside_taken, aside_at, pieces)]
        at, aside_at = at + height, aside_at + pieces
        told = {doubt: min(count, records.height) for doubt, count in batch.doubts.items() if records.height}
        yield batch._replace(rows=records, set_aside=aside, doubts=told)


def _within(passed: int, taken: int | None, at: int, length: int) -> slice:
    first = min(max(passed - at, 0), length)
    return slice(first, length if taken is None else min(max(passed + taken - at, first), length))

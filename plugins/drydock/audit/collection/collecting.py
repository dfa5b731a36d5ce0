"""Collecting: closed stretches of sources into the store, each record once and none missed, whatever is killed in between.

A stretch is a local day of the database from its beginning, up to its end or to what has settled. Reading a stretch again
replaces what was stored of the same pieces; a piece that has fewer records now than were stored (the source was purged, or cut)
takes nothing away: what is stored is kept, and told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Protocol, runtime_checkable

from drydock.audit.collection.doubles import Doubles
from drydock.audit.collection.stretch import Stretch, Told
from drydock.audit.collection.timeless import only, share_of
from drydock.audit.results import Batch, Slice
from drydock.audit.run import AuditRun
from drydock.audit.spans import span_of_day
from drydock.ledger import audit_history
from drydock.ledger.audit_history import StoredSlice
from drydock.ledger.locks import locked
from drydock.verdicts import clean_text

FEWER = "the source holds fewer records now than were stored: the stored ones are kept"
IN_ANOTHER = "stands in another piece of the source too: counted once"
MOST_UNREAD = 500  # named; more are counted
KEPT = "kept"


class TrailSource(Protocol):
    """A place where audit records lie, and how its parts are read."""

    @property
    def id(self) -> str: ...

    def pieces(self, begin: datetime, end: datetime) -> Iterable[tuple[str, Callable[[], Iterator[Batch]]]]:
        """Names of the parts that may hold records of [begin, end), and how each is read. A name is not empty."""
        ...

    def unread(self) -> tuple[str, ...]:
        """What was named and could not be read, with the reason; complete once the pieces were read."""
        ...


@runtime_checkable
class Renaming(Protocol):
    """A source whose pieces may change their names, as files do that are rotated."""

    def head(self, piece: str) -> str:
        """How the piece is known again: `Slice.head`."""
        ...

    def is_timeless(self, piece: str) -> bool:
        """True where no record of the piece has a time."""
        ...

    def members(self, piece: str) -> tuple[str, ...]:
        """How its files are known again where it is many of them: `Slice.members`."""
        ...

    def is_same(self, piece: str, stored: Slice) -> bool:
        """True where the piece holds all of what was stored so, and perhaps more."""
        ...


def collect(run: AuditRun, source: TrailSource, begin: datetime, end: datetime, accepted_by: str = "") -> tuple[Slice, ...]:
    """Read what the source holds of the local days that overlap [begin, end), and seal it; what was stored of it is replaced.

    `accepted_by`: the person who accepts fewer records than are stored, and knows why; the chain tells it. Raises what the
    source raises when it cannot be reached.
    """
    sealed: list[Slice] = []
    with run.store.writing():
        for day in _days(run, begin, end):
            with locked(
                run.ledger, f"audit-collect:{run.database.id}:{source.id}:{day}"
            ):  # two runs of a day, one after the other
                sealed += _Day(run, source, day, accepted_by).collect()
    return tuple(sealed)


def _days(run: AuditRun, begin: datetime, end: datetime) -> list[date]:
    zone = run.database.zone
    first, last = begin.astimezone(zone).date(), (end - timedelta(microseconds=1)).astimezone(zone).date()
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


class _Day:
    """One local day of one source."""

    def __init__(self, run: AuditRun, source: TrailSource, day: date, accepted_by: str) -> None:
        self.run, self.source, self.day, self.accepted_by = run, source, day, accepted_by
        self.begin, end = span_of_day(day, run.database.zone)
        settled = run.now - timedelta(minutes=run.policy.settling_lag_minutes)
        self.end = end
        self.stored = self._stored()
        self.end = min(end, max([settled, *(s.slice.end for s in self.stored)]))
        self.trouble: list[str] = []
        self.made: list[Slice] = []

    def _stored(self) -> tuple[StoredSlice, ...]:
        return audit_history.slices_stored(self.run.ledger, self.run.database.id, self.begin, self.end, self.source.id)

    def collect(self) -> list[Slice]:
        """The slices that were sealed; none of a day that has not settled yet."""
        if self.end <= self.begin:
            return []
        for name, read in self.source.pieces(self.begin, self.end):
            self._piece(name, read)
        self._summary()
        return self.made

    def _piece(self, name: str, read: Callable[[], Iterator[Batch]]) -> None:
        """Read and seal one piece; where it could not be read to its end, nothing of it is stored and it is named unread."""
        replaced = self._replaced_by(name)
        others = [*self.made, *(s.slice for s in self.stored if s not in replaced)]
        known = isinstance(self.source, Renaming)
        told = {"head": self.source.head(name), "members": self.source.members(name)} if known else {}  # type: ignore[attr-defined]
        with Stretch(self.run.store, self.source.id, name, self.day, self.begin) as stretch:
            try:
                stretch.take(self._batches(name, read), Doubles(self.run.store, others))
            except SourceStopped as e:
                self.trouble.append(f"{name}: {e}")
                stretch.give_up()
                return
        slice = self._slice(name, stretch.told).model_copy(update=told)
        self._seal(slice, stretch.told.doubled, replaced)

    def _batches(self, name: str, read: Callable[[], Iterator[Batch]]) -> Iterator[Batch]:
        """What the piece holds of this day."""
        source = self.source
        if not isinstance(source, Renaming) or not source.is_timeless(name):
            return _read(read)
        told = audit_history.timeless_slices(self.run.ledger, self.run.database.id, source.id)
        stored = [s for s in told if source.is_same(name, s)]
        earlier, later = [s for s in stored if s.day < self.day], [s for s in stored if s.day > self.day]
        return only(_read(read), share_of((s for s in stored if s.day == self.day), earlier, later))

    def _replaced_by(self, name: str) -> list[StoredSlice]:
        inside = [s for s in self.stored if self.begin <= s.slice.begin and s.slice.end <= self.end and s.slice.piece]
        if not isinstance(self.source, Renaming):
            return [s for s in inside if s.slice.piece == name]
        return [s for s in inside if self.source.is_same(name, s.slice)]

    def _slice(self, piece: str, told: Told, unread: Sequence[str] = ()) -> Slice:
        doubts = Counter(told.doubts) + Counter({IN_ANOTHER: told.doubled})
        return Slice(
            database=self.run.database.id,
            source=self.source.id,
            piece=piece,
            day=self.day,
            begin=self.begin,
            end=self.end,
            files=tuple(told.files),
            records=told.records,
            set_aside=told.set_aside,
            set_aside_bytes=told.set_aside_bytes,
            unread=tuple(unread),
            doubts={str(clean_text(doubt)): count for doubt, count in doubts.items() if count},
            first_at=told.first_at,
            last_at=told.last_at,
        )

    def _seal(self, slice: Slice, doubled: int, replaced: Sequence[StoredSlice]) -> None:
        """Seal it in the place of those, or keep the richest of those in its place."""
        deed, why, ended = "", "", tuple(replaced)
        richest = max(replaced, key=lambda s: s.slice.records, default=None)
        if richest is not None and slice.records + doubled < richest.slice.records:
            missing = richest.slice.records - slice.records
            if self.accepted_by:
                why = f"{missing} records fewer than were stored: accepted by {clean_text(self.accepted_by)}"
            else:
                self.run.store.discard(slice.files)
                slice = richest.slice.model_copy(update={"doubts": richest.slice.doubts | {FEWER: missing}})
                deed, ended = KEPT, (richest,)
        self.run.store.seal(self.run.run_id, slice, ended, deed, why)
        self.stored = tuple(s for s in self.stored if s not in ended)
        self.made.append(slice)

    def _summary(self) -> None:
        """Seal what was not read, and that the day was looked at where no piece was found."""
        unread = [str(clean_text(told)) for told in (*self.source.unread(), *self.trouble)]
        if len(unread) > MOST_UNREAD:
            unread = [*unread[:MOST_UNREAD], f"and {len(unread) - MOST_UNREAD} more"]
        before = [s for s in self.stored if not s.slice.piece]
        if unread or not self.made:
            self._seal(self._slice("", Told(), unread), 0, before)
        elif before:
            self.run.store.end(self.run.run_id, "withdrawn", before, {"source": self.source.id, "day": str(self.day)})


class SourceStopped(Exception):
    """A source could not be read to its end; the text says why."""


def _read(read: Callable[[], Iterator[Batch]]) -> Iterator[Batch]:
    """The batches; trouble of the source is told apart from trouble of the store."""
    try:
        yield from read()
    except OSError as e:
        raise SourceStopped(e.strerror or type(e).__name__) from e

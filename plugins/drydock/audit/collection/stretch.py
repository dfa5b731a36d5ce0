"""From batches to the files of one slice: memory holds a few batches, and one line for every fingerprint.

Records are written beside what comes after them is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime
from types import TracebackType

import polars as pl

from drydock.audit.collection.coded import Coded
from drydock.audit.collection.completing import completed
from drydock.audit.collection.doubles import Doubles
from drydock.audit.collection.framing import used
from drydock.audit.collection.pairing import EARLY, Pairs
from drydock.audit.results import Batch, Part, StoredFile
from drydock.audit.storage.columns import EXEMPLARS, STATEMENTS
from drydock.audit.storage.frames import SET_ASIDE, ParquetFile
from drydock.audit.storage.store import Store
from drydock.audit.storage.store_files import file_name

_COMPACT_AT = 50_000  # rows of statements that are held before they are folded
_MOST_WAITING = 2  # batches that wait to be written, the one at work among them


@dataclass
class Told:
    """What a slice became."""

    files: list[StoredFile] = field(default_factory=list)
    records: int = 0
    set_aside: int = 0
    set_aside_bytes: int = 0
    doubled: int = 0
    doubts: Counter[str] = field(default_factory=Counter)
    first_at: datetime | None = None
    last_at: datetime | None = None


class Folded:
    """Frames with few different keys, folded whenever they grow."""

    def __init__(self, schema: dict[str, pl.DataType | type[pl.DataType]], fold: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        self._fold, self._frames, self._rows, self._limit = fold, [pl.DataFrame(schema=schema)], 0, _COMPACT_AT

    def add(self, frame: pl.DataFrame) -> None:
        if frame.height:
            self._frames.append(_alone(frame))
            self._rows += frame.height
        if self._rows > self._limit:
            self._frames = [self.whole()]
            self._rows = self._frames[0].height
            self._limit = max(_COMPACT_AT, 2 * self._rows)

    def whole(self) -> pl.DataFrame:
        return self._fold(pl.concat(self._frames))


def _alone(frame: pl.DataFrame) -> pl.DataFrame:
    """A copy that does not hold the buffers of the batch it was cut from: a view of one statement keeps all texts of a batch."""
    return pl.DataFrame(frame.to_arrow(compat_level=pl.CompatLevel.oldest()), schema_overrides=frame.schema)


def _first(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.unique("fingerprint", keep="first", maintain_order=True)


def _summed(frame: pl.DataFrame) -> pl.DataFrame:
    sums = (pl.col("records").sum(), pl.col("first_at").min(), pl.col("last_at").max())
    return frame.group_by("fingerprint", maintain_order=True).agg(*sums)


_USED = {name: kind for name, kind in STATEMENTS.items() if name in ("fingerprint", "records", "first_at", "last_at")}


class RecordsLost(Exception):
    """Records went missing between reading and storing: a fault of Drydock, and nothing is sealed."""


class Stretch:
    """The files of one slice while they are written. A block that ends with an error leaves none."""

    def __init__(self, store: Store, source: str, piece: str, day: date, begin: datetime) -> None:
        self.store, self.piece, self.day, self.prefix = store, piece, day, file_name(source, begin)
        self.begin, self.told = begin, Told()
        self._open: dict[Part, tuple[ParquetFile, Callable[[], StoredFile]]] = {}
        self._stack = ExitStack()
        self._writing: list[Future[None]] = []
        self._statements, self._uses, self._exemplars = (
            Folded(STATEMENTS, _first),
            Folded(_USED, _summed),
            Folded(EXEMPLARS, _first),
        )

    def __enter__(self) -> Stretch:
        self._stack.__enter__()
        self._beside = ThreadPoolExecutor(1)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop_writing()
        self._stack.__exit__(kind, error, trace)
        if kind is None:
            self.told.files = [tell() for _, tell in self._open.values()]

    def give_up(self) -> None:
        """Leave nothing."""
        self._stop_writing()
        self._stack.close()
        self.store.discard([tell() for _, tell in self._open.values()])
        self._open = {}

    def take(self, batches: Iterator[Batch], doubles: Doubles) -> None:
        """Write all batches down. Raises what reading raises."""
        pairs, read = Pairs(self.begin), 0
        for batch in batches:
            read += batch.rows.height
            self._statements.add(batch.statements)
            self._exemplars.add(batch.exemplars)
            self._aside(batch)
            self.told.doubts.update(batch.doubts)
            self._records(doubles.without(pairs.feed(completed(batch))))
        if (waited := pairs.rest()) is not None:
            self._records(doubles.without(waited))
        if pairs.early:
            self.told.doubts[EARLY] += pairs.early
        self.told.doubled = doubles.left_out
        if read != (kept := self.told.records + doubles.left_out + pairs.made):
            raise RecordsLost(f"{self.piece}: {read} records were read and {kept} accounted for")
        self._await_written(0)
        self._end()

    def _records(self, rows: pl.DataFrame | Coded) -> None:
        if not rows.height:
            return
        file = self._file(Part.RECORDS)
        self._await_written(_MOST_WAITING - 1)
        self._writing.append(self._beside.submit(file.add, rows))
        self._uses.add(used(rows))
        self.told.records += rows.height
        first, last = rows["event_time"].min(), rows["event_time"].max()
        if first is not None:
            self.told.first_at = min(self.told.first_at or first, first)
            self.told.last_at = max(self.told.last_at or last, last)

    def _await_written(self, most: int) -> None:
        """Wait until no more than so many batches are left to be written. Raises what writing raised."""
        while len(self._writing) > most:
            self._writing.pop(0).result()

    def _stop_writing(self) -> None:
        """Let the writing end before its file is closed."""
        self._beside.shutdown(wait=True, cancel_futures=True)

    def _aside(self, batch: Batch) -> None:
        if batch.set_aside:
            rows = [{"file": self.piece, **piece.model_dump()} for piece in batch.set_aside]
            self._file(Part.SET_ASIDE).add(pl.DataFrame(rows, schema=SET_ASIDE))
            self.told.set_aside += len(rows)
            self.told.set_aside_bytes += sum(piece.size for piece in batch.set_aside)

    def _end(self) -> None:
        uses = self._uses.whole()
        if not uses.height:
            return
        facts = self._statements.whole().drop("records", "first_at", "last_at")
        self._file(Part.STATEMENTS).add(uses.join(facts, on="fingerprint", how="left", maintain_order="left"))
        stood = self._exemplars.whole().join(uses, on="fingerprint", how="semi", maintain_order="left")
        if stood.height:
            self._file(Part.EXEMPLARS).add(stood)

    def _file(self, part: Part) -> ParquetFile:
        """The part's file, made when its first rows come."""
        if part not in self._open:
            self._open[part] = self._stack.enter_context(self.store.writer(part, self.day, self.prefix))
        return self._open[part][0]

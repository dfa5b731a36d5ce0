"""The same record in two files is one: what stands in another piece of the same source and time is not written again.

Compared is all that a row says but for file and line, where it names its session and its time; rows without them are only known
again by their file (`file_source`). csvlog, jsonlog and pgaudit number what a session does: equal executions of one moment
are told apart. Within one piece every row counts: what a server wrote twice was done twice.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
import pyarrow.parquet as pq

from drydock.audit.collection.coded import Coded
from drydock.audit.results import Part, Slice, frame_of
from drydock.audit.storage.columns import RECORDS
from drydock.audit.storage.store import Store

_TOLD = [name for name in RECORDS if name not in ("file", "line", "received_time")]
_LISTS = ("objects", "policies", "marks")


ROWS_AT_ONCE = 100_000


class Doubles:
    """Rows of other pieces, read only where their times overlap with those of a frame."""

    def __init__(self, store: Store, others: Iterable[Slice]) -> None:
        self._store, self._others = store, [s for s in others if s.first_at is not None and s.records]
        self._known: dict[str, pl.Series] = {}
        self.left_out = 0

    def without(self, rows: pl.DataFrame | Coded) -> pl.DataFrame | Coded:
        """The rows that no other piece has."""
        first, last = rows["event_time"].min(), rows["event_time"].max()
        overlapping = [o for o in self._others if first is not None and o.first_at <= last and o.last_at >= first]
        if not overlapping:
            return rows
        frame = frame_of(rows)
        known = pl.concat([self._keys_in(path) for other in overlapping for path in _records_of(self._store, other)])
        kept = frame.filter(~keys_of(frame).is_in(known.implode()).fill_null(False))
        self.left_out += frame.height - kept.height
        return kept

    def _keys_in(self, path: str) -> pl.Series:
        if path not in self._known:
            with pq.ParquetFile(path) as file:
                parts = [keys_of(pl.DataFrame(rows)).drop_nulls() for rows in file.iter_batches(ROWS_AT_ONCE)]
            self._known[path] = pl.concat(parts) if parts else pl.Series("key", [], dtype=pl.UInt64)
        return self._known[path]


def _records_of(store: Store, slice: Slice) -> tuple[str, ...]:
    return tuple(store.local(file) for file in slice.files if file.part is Part.RECORDS)


def keys_of(frame: pl.DataFrame) -> pl.Series:
    """A hash of what each row says, null where it names no session or no time. Good within one process."""
    lists = [pl.col(name).list.join("\x1f", ignore_nulls=True) for name in _LISTS]
    rows = frame.select(*(name for name in _TOLD if name not in _LISTS), *lists)
    is_known = (frame["session_id"] != "") & frame["event_time"].is_not_null()
    hashes = rows.hash_rows(seed=6)
    return pl.select(pl.when(is_known).then(hashes).alias("key"))["key"]

"""The store of a database's audit records: Parquet files that count only while the ledger says so.

A file is written under a name that nothing had before, with a mark beside it (`<root>/<database>/marks/`) that says: a killed
writer may have left this. Then the ledger's commit makes it visible, in one moment with the end of what it replaces; then the
chain's line is written, the replaced files go, the marks go. What a kill leaves in between is put right when the store is next
opened for writing, by the marks alone: a file that somebody else put there has none, and is told by `check_chain`.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from sqlalchemy import Connection

from drydock import settings
from drydock.audit.results import Link, Part, Slice, StoredFile
from drydock.audit.storage.frames import SCHEMAS, ParquetFile
from drydock.audit.storage.links import canonical
from drydock.audit.storage.store_files import created, day_of, fetched, file_name, number_of, remove, through
from drydock.ledger import audit_history, audit_record
from drydock.ledger.audit_history import DIGEST, StoredSlice
from drydock.ledger.connect import Ledger
from drydock.ledger.locks import held, lock_session, locked
from drydock.verdicts import Figure

if TYPE_CHECKING:
    from drydock.audit.run import AuditRun

CHAIN, MARKS, CHAIN_MARK = "chain.jsonl", "marks", "chain"
PRIVATE = frozenset({Part.EXEMPLARS})
"""Parts with statements as they stood: only the account that collects, and whom it lets, may read them."""


class Store:
    """The files of one database below `root`, a pathlib.Path or an object storage path of the same shape."""

    def __init__(self, root: Any, database: str, ledger: Ledger) -> None:
        self.root, self.database, self.ledger = root, database, ledger
        self._session: Connection | None = None  # for the locks of deeds, while the store is held for writing
        self.cache = settings.state_dir() / "audit_cache"

    @property
    def folder(self) -> Any:
        return self.root / self.database

    def at(self, path: str) -> Any:
        """The place of a stored file's path."""
        place = self.root
        for part in path.split("/"):
            place = place / part
        return place

    # writing

    def write(self, part: Part, day: date, name: str, frames: pl.DataFrame | Iterable[pl.DataFrame]) -> StoredFile:
        """Write one file, not visible yet. `name` begins its name; frames have the part's columns."""
        with self.writer(part, day, name) as (parquet, told):
            for frame in [frames] if isinstance(frames, pl.DataFrame) else frames:
                parquet.add(frame)
        return told()

    @contextmanager
    def writer(self, part: Part, day: date, name: str) -> Iterator[tuple[ParquetFile, Callable[[], StoredFile]]]:
        """A file to add frames to, and what tells of it once the block has ended."""
        nonce = hashlib.sha256(uuid.uuid4().bytes).hexdigest()[:8]
        path = f"{self.database}/{part}/day={day.isoformat()}/{name}-{nonce}.parquet"
        self._mark(path)
        with created(self.at(path), is_private=part in PRIVATE) as file, ParquetFile(file, part) as parquet:
            yield parquet, lambda: _told(part, path, parquet)

    def _mark(self, name: str) -> None:
        folder = self.folder / MARKS
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / name.replace("/", "|")).open("wb"):
            pass

    def _unmark(self, names: Iterable[str]) -> None:
        for name in names:
            remove(self.folder / MARKS / name.replace("/", "|"))

    # deeds

    def seal(
        self, run_id: int, slice: Slice, instead_of: Sequence[StoredSlice] | None = None, deed: str = "", why: str = ""
    ) -> Link:
        """Make a slice visible in the place of others (None: the visible one of the same source, piece and stretch)."""
        ended = self._same(slice) if instead_of is None else tuple(instead_of)
        kept = {file.path for file in slice.files}
        if missing := sorted(path for path in kept if not self.at(path).exists()):
            raise FileNotFoundError(f"a slice cannot be sealed without its files: {missing[0]}")
        return self._done(lambda ledger: audit_record.seal(ledger, run_id, slice, ended, deed, why), ended, kept)

    def end(self, run_id: int, deed: str, ended: Sequence[StoredSlice], subject: Mapping[str, Figure]) -> Link:
        """Let slices count no more, and remove their files; `audit_record.MOST_ENDED` at once."""
        return self._done(lambda ledger: audit_record.end_slices(ledger, run_id, deed, ended, subject), ended, set())

    def note(self, run_id: int, deed: str, subject: Mapping[str, Figure], files: Sequence[StoredFile] = ()) -> Link:
        """Add an entry that ends nothing, for example `purged`."""
        return self._done(lambda ledger: audit_record.note_deed(ledger, run_id, self.database, deed, subject, files), (), set())

    def _same(self, slice: Slice) -> tuple[StoredSlice, ...]:
        found = audit_history.slices_stored(self.ledger, self.database, slice.begin, slice.end, slice.source)
        wanted = (slice.piece, slice.begin, slice.end)
        return tuple(s for s in found if (s.slice.piece, s.slice.begin, s.slice.end) == wanted)

    def _done(self, deed: Callable[[Ledger], Link], ended: Sequence[StoredSlice], kept: set[str]) -> Link:
        """A deed in its order: marks, the ledger's commit, the chain's line, files that count no more, marks."""
        gone = [file.path for e in ended for file in e.slice.files if file.path not in kept]
        with self._turn():
            self._finish_chain()
            for name in (*gone, CHAIN_MARK):
                self._mark(name)
            link = deed(self.ledger)
            self._append([link])
            self._unmark([*kept, CHAIN_MARK])
            self._remove_files(gone)
        return link

    def _append(self, links: Sequence[Link]) -> None:
        with (self.folder / CHAIN).open("ab") as file:
            file.write(b"".join(canonical(link.model_dump(mode="json")) + b"\n" for link in links))
            through(file)

    def discard(self, files: Iterable[StoredFile]) -> None:
        """Remove files that were written and are not to be sealed."""
        self._remove_files([file.path for file in files])

    def _remove_files(self, paths: Iterable[str]) -> None:
        for path in paths:
            remove(self.at(path))
            self._unmark([path])

    # what a kill left

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the store while files are written that the ledger does not know yet; left-overs of kills are swept before."""
        self.sweep()
        with locked(self.ledger, f"audit-writers:{self.database}", is_shared=True), lock_session(self.ledger) as session:
            self._session, before = session, self._session
            try:
                yield
            finally:
                self._session = before

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One deed at a time on one database, in all processes."""
        name = f"audit-deed:{self.database}"
        if self._session is not None:
            with held(self._session, name):
                yield
        else:
            with locked(self.ledger, name):
                yield

    def sweep(self) -> int:
        """Put right what a killed writer left; returns how many files went. Nothing while another writer is at work."""
        with self._turn():
            self._finish_chain()
        with locked(self.ledger, f"audit-writers:{self.database}", waits=False) as is_alone:
            left = [name for name in self.marks() if name != CHAIN_MARK] if is_alone else []
            gone = [path for path in left if self._is_own(path) and path not in self._visible_on(day_of(path))]
            self._remove_files(gone)
            self._unmark(left)
        return len(gone)

    def marks(self) -> tuple[str, ...]:
        """Paths that a writer has begun and not ended, and CHAIN_MARK."""
        folder = self.folder / MARKS
        return tuple(sorted(place.name.replace("|", "/") for place in folder.iterdir())) if folder.exists() else ()

    def _is_own(self, path: str) -> bool:
        return path.startswith(f"{self.database}/") and ".." not in path and day_of(path) is not None

    def _visible_on(self, day: date | None) -> frozenset[str]:
        return audit_history.paths_on(self.ledger, self.database, day) if day else frozenset()

    def _finish_chain(self) -> None:
        """Lines that a killed writer did not write any more, in the order of the ledger."""
        if not (self.folder / MARKS / CHAIN_MARK).exists():
            return
        whole, _, cut = self.chain_text().rpartition(b"\n")
        if cut:
            with (self.folder / CHAIN).open("wb") as file:
                file.write(whole + b"\n" if whole else b"")
        last = max((number_of(line) for line in whole.splitlines()), default=0)
        self._append([link for link in audit_history.links_of(self.ledger, self.database) if link.number > last])
        self._unmark([CHAIN_MARK])

    def chain_text(self) -> bytes:
        """The chain's file as it stands; empty where there is none."""
        place = self.folder / CHAIN
        if not place.exists():
            return b""
        with place.open("rb") as file:
            return file.read()

    # reading

    def paths(self, part: Part, begin: datetime, end: datetime) -> list[str]:
        """The visible files that overlap [begin, end), as local paths."""
        found = audit_history.slices_stored(self.ledger, self.database, begin, end)
        return [self.local(file) for s in found for file in s.slice.files if file.part is part]

    def local(self, file: StoredFile) -> str:
        """The path of a stored file on this machine; what lies in object storage is fetched once."""
        place = self.at(file.path)
        return str(place) if isinstance(place, Path) else str(fetched(place, file, self.cache))

    def scan(self, part: Part, begin: datetime, end: datetime) -> pl.LazyFrame:
        """Rows of the visible files; records of [begin, end) only, and those without a time. An empty frame where none is."""
        paths = self.paths(part, begin, end)
        if not paths:
            return pl.LazyFrame(schema=SCHEMAS[part])
        rows = pl.scan_parquet(paths, glob=False, hive_partitioning=False)
        when, first, last = pl.col("event_time"), begin.astimezone(UTC), end.astimezone(UTC)
        return rows.filter(when.is_null() | when.is_between(first, last, closed="left")) if part is Part.RECORDS else rows


def _told(part: Part, path: str, parquet: ParquetFile) -> StoredFile:
    written = parquet.hashing
    return StoredFile(part=part, path=path, sha256=written.sha256, size_bytes=written.size_bytes, rows=parquet.rows)


def keep_digest(run: AuditRun, activity: pl.DataFrame, statement_use: pl.DataFrame) -> Link:
    """Keep the digest of the run's stretch, in the place of the one before."""
    store = run.store
    with store.writing(), locked(run.ledger, f"audit-collect:{store.database}:{DIGEST}:{run.day}"):
        name = file_name(DIGEST, run.begin)
        files = [
            store.write(part, run.day, name, frame)
            for part, frame in ((Part.ACTIVITY, activity), (Part.STATEMENT_USE, statement_use))
        ]
        slice = Slice(
            database=store.database,
            source=DIGEST,
            day=run.day,
            begin=run.begin,
            end=run.end,
            files=tuple(files),
            records=int(activity["records"].sum()),
            set_aside=0,
        )
        before = audit_history.slices_stored(run.ledger, store.database, run.begin, run.end, DIGEST)
        inside = [s for s in before if run.begin <= s.slice.begin and s.slice.end <= run.end]
        return store.seal(run.run_id, slice, inside[: audit_record.MOST_ENDED])

"""Log files in a folder as a source: which of them belong to a stretch of time, which are copies of others, how each is read.

A file is chosen by its contents' first time and by when it was last written, not by its name. Files are known again by how they
begin, so a rotated or compressed file takes the place of what was stored of it under its old name.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from drydock import settings
from drydock.audit.collection import log_files
from drydock.audit.collection.framing import batches_of, batches_of_files
from drydock.audit.collection.log_files import Copies, head_of, is_spillover, opened, plain_path
from drydock.audit.collection.postgres_bulk import bulk_batches, is_bulk
from drydock.audit.collection.small_files import holds, is_small, members_of, pack_name, with_name
from drydock.audit.parsing.mappings import Mapping, MappingError, read_mapping
from drydock.audit.parsing.postgres_logs import is_sure_csv_row
from drydock.audit.parsing.reading import SPILLOVER, pieces
from drydock.audit.parsing.records import Piece
from drydock.audit.parsing.times import Clock
from drydock.audit.policy import AuditSource
from drydock.audit.results import Batch, Slice
from drydock.estate import Database
from drydock.verdicts import clean_text

CLOCKS_APART = timedelta(hours=1)
"""Of the host that writes the files and the one that tells when they were written; also how far lines may be out of order."""
MOST_FILES = 200_000


IN_ORDER = ("postgres_", "oracle_aud", "oracle_syslog", "oracle_xml")
"""Formats that a server writes line by line as time goes on; exports may have any order."""


class LogFile(NamedTuple):
    """A file as it was found."""

    name: str  # below the source's folder, with slashes; safe to print
    path: Path
    written_at: datetime


class FilesSource:
    """The log files of one folder, below it too."""

    def __init__(self, source: AuditSource, database: Database) -> None:
        """Raises MappingError, OSError where the policy's mapping file cannot be used."""
        self.id, self._names = source.id, source.names
        self._folder = Path(source.folder)
        self._mapping = _mapping_of(source.mapping)
        clock = Clock(ZoneInfo(source.zone or database.time_zone))
        self._clock = self._mapping.clock(clock) if self._mapping else clock
        self._unread: list[str] = []
        self._paths: dict[str, Path] = {}
        self._packs: dict[str, list[tuple[LogFile, datetime]]] = {}
        self._timeless: set[str] = set()

    def pieces(self, begin: datetime, end: datetime) -> Iterator[tuple[str, Callable[[], Iterator[Batch]]]]:
        """The files that may hold records of [begin, end), oldest first; of copies the longest."""
        self._unread, self._paths, self._packs, self._timeless = [], {}, {}, set()
        chosen = [file for file in self._files() if file.written_at >= begin - CLOCKS_APART and self._is_readable(file)]
        copies = Copies((file.name, file.path) for file in chosen)
        for file in chosen:
            if file.name in copies.left_out:
                continue
            try:
                first, form = self._first_time(file)
                is_of_pack = first is not None and is_small(file.path, form)
            except OSError as e:
                self._note(e)
                continue
            if first is not None and form.startswith(IN_ORDER) and first >= end + CLOCKS_APART:
                continue
            if first is not None and is_of_pack:
                self._packs.setdefault(pack_name(first), []).append((file, first))
                continue
            self._paths[file.name] = file.path
            if first is None:
                self._timeless.add(file.name)
            dated = first or min(file.written_at, end - timedelta(microseconds=1))
            yield file.name, self._reader(file, begin, end, dated)
        for name in sorted(self._packs):
            yield name, self._pack_reader(name, begin, end)

    def unread(self) -> tuple[str, ...]:
        """Files and folders that could not be read, with the reason."""
        return tuple(self._unread)

    def head(self, piece: str) -> str:
        """How the file begins: the number of bytes that were looked at, and their SHA-256; "" for many files."""
        try:
            return head_of(self._paths[piece]) if piece in self._paths else ""
        except OSError:
            return ""

    def is_timeless(self, piece: str) -> bool:
        """True for a file in which no record has a time."""
        return piece in self._timeless

    def members(self, piece: str) -> tuple[str, ...]:
        """How each of many files begins; () for one."""
        return members_of(file.path for file, _ in self._packs.get(piece, ()))

    def is_same(self, piece: str, stored: Slice) -> bool:
        """True where the file begins with what was stored (it may have grown), or all files of what was stored are here."""
        if piece in self._packs:
            return holds(piece, self.members(piece), stored)
        if not stored.head:
            return stored.piece == piece
        try:
            return log_files.begins_with(self._paths[piece], stored.head)
        except OSError:
            return False

    def _files(self) -> list[LogFile]:
        found = sorted(self._listed(), key=lambda file: (file.written_at, file.name))
        if len(found) > MOST_FILES:
            self._unread.append(f"{len(found) - MOST_FILES} files: more than {MOST_FILES} lie in the folder")
        return found[-MOST_FILES:]

    def _listed(self) -> Iterator[LogFile]:
        """Regular files of the wanted names, each once, however many links lead to it."""
        seen: set[tuple[int, int]] = set()
        if not self._folder.is_dir():
            self._unread.append(f"{self._folder}: no such folder")
            return
        for folder, _, names in os.walk(self._folder, onerror=self._note):
            for name in names:
                path = Path(folder, name)
                told = path.relative_to(self._folder).as_posix()
                if not any(fnmatchcase(n.lower(), p.lower()) for p in self._names for n in (told, name)):
                    continue
                try:
                    state = path.stat()
                except OSError as e:
                    self._note(e)
                    continue
                if stat.S_ISREG(state.st_mode) and state.st_size and (state.st_dev, state.st_ino) not in seen:
                    seen.add((state.st_dev, state.st_ino))
                    yield LogFile(_safe(told), path, datetime.fromtimestamp(state.st_mtime, UTC))

    def _note(self, error: OSError) -> None:
        self._unread.append(f"{_safe(str(error.filename or ''))}: {error.strerror or type(error).__name__}")

    def _is_readable(self, file: LogFile) -> bool:
        try:
            if is_spillover(file.path):
                self._unread.append(f"{file.name}: {SPILLOVER}")
                return False
        except OSError as e:
            self._unread.append(f"{file.name}: {e.strerror or type(e).__name__}")
            return False
        return True

    def _first_time(self, file: LogFile) -> tuple[datetime | None, str]:
        """The first time in the file, and the format of its record; (None, "") where no record has one."""
        with opened(file.path) as stream:
            records = (piece.record for piece in self._pieces(stream) if piece.record)
            first = next((record for record in records if record.event_time is not None), None)
        return (first.event_time, first.format) if first else (None, "")

    def _pieces(self, stream: log_files.Stream) -> Iterator[Piece]:
        yield from pieces(stream, self._clock, self._mapping)  # type: ignore[arg-type]
        if stream.trouble:
            yield stream.broken_piece()

    def _reader(self, file: LogFile, begin: datetime, end: datetime, dated: datetime) -> Callable[[], Iterator[Batch]]:
        def read() -> Iterator[Batch]:
            with plain_path(file.path, is_bulk_head) as plain:
                if self._mapping is None and plain is not None and is_bulk(plain):
                    yield from bulk_batches(plain, begin, end, self._clock.zone, dated, file.name)
                    return
            with opened(file.path) as stream:
                yield from batches_of(self._pieces(stream), file.name, begin, end, dated=dated)

        return read

    def _pack_reader(self, name: str, begin: datetime, end: datetime) -> Callable[[], Iterator[Batch]]:
        def files() -> Iterator[tuple[str, Iterator[Piece], datetime | None]]:
            for file, first in self._packs[name]:
                try:
                    with opened(file.path) as stream:
                        pieces = list(self._pieces(stream))
                except OSError as e:
                    self._unread.append(f"{file.name}: {e.strerror or type(e).__name__}")
                    continue
                yield file.name, with_name(file.name, pieces), first

        return lambda: batches_of_files(files(), begin, end)


def is_bulk_head(head: bytes) -> bool:
    """True for the beginning of csvlog or jsonlog: worth unpacking for the bulk reader."""
    return is_sure_csv_row(head.split(b"\n", 1)[0]) or head.startswith(b'{"timestamp":"')


def _mapping_of(slug: str | None) -> Mapping | None:
    if slug is None:
        return None
    path = settings.include_dir() / "audit" / "mappings" / f"{slug}.yaml"
    if not path.exists():
        raise MappingError(f"no mapping {slug!r} in include/audit/mappings")
    return read_mapping(path)


def _safe(name: str) -> str:
    """A file's name that can be printed and stored, whatever bytes it has."""
    return str(clean_text(name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")))

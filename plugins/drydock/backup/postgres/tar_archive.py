"""Base backups in tar format: `base.tar`, one `<oid>.tar` for each tablespace, `pg_wal.tar`; plain or gzip.

Members are read one after the other in a stream of fixed size; only an uncompressed archive can be listed without
reading it. Source: PostgreSQL manual, "pg_basebackup" (--format=tar) and "Tar file format" of the tarfile module.
"""

from __future__ import annotations

import os
import re
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from drydock.backup.postgres.backup_label import LONGEST_LABEL_BYTES
from drydock.backup.postgres.set_files import LABEL, TABLESPACE_DIR, WAL_DIR
from drydock.backup.regular_files import open_regular

ARCHIVE_NAME = re.compile(r"(base|pg_wal|\d{1,10})\.tar(\.gz|\.lz4|\.zst|\.bz2|\.xz)?")
BASE_ARCHIVE = "base.tar"
TABLESPACE_MAP = "tablespace_map"
READABLE_SUFFIXES = ("", ".gz")
BUFFER_BYTES = 1024 * 1024
DAMAGE = (tarfile.TarError, zlib.error, EOFError)
TAR_BLOCK_BYTES = 512
END_OF_ARCHIVE_BYTES = 2 * TAR_BLOCK_BYTES
GZIP_WBITS = 31
SMALLEST_GZIP_BYTES = 20


class TarDamaged(ValueError):
    """An archive that ends early or is no tar archive."""


@dataclass(frozen=True)
class TarFile:
    """One archive of a set. `kind` is base, pg_wal or the OID of a tablespace."""

    path: Path
    kind: str
    suffix: str
    size_bytes: int

    @property
    def is_readable(self) -> bool:
        return self.suffix in READABLE_SUFFIXES

    @property
    def prefix(self) -> str:
        """Where its members stand in the data directory."""
        return {"base": "", "pg_wal": f"{WAL_DIR}/"}.get(self.kind, f"{TABLESPACE_DIR}/{self.kind}/")


def list_archives(folder: Path) -> dict[str, TarFile]:
    """The archives of a set by kind. Raises OSError."""
    found = {}
    for path in sorted(folder.iterdir()):
        if (match := ARCHIVE_NAME.fullmatch(path.name)) and path.is_file() and not path.is_symlink():
            found[match[1]] = TarFile(path, match[1], match[2] or "", path.stat().st_size)
    return found


def members(archive: TarFile) -> Iterator[tuple[str, tarfile.TarInfo, MemberStream | None]]:
    """(path in the data directory, member, stream of a regular file) of each member; each must be read before the next.

    Raises TarDamaged, also where the end of the archive is missing, and OSError.
    """
    with open_regular(archive.path) as raw:
        source = _TailKeeper(raw if not archive.suffix else GzipStream(raw))
        try:
            with tarfile.open(fileobj=source, mode="r|", bufsize=BUFFER_BYTES) as tar:
                for member in tar:
                    stream = MemberStream(tar.extractfile(member), archive) if member.isreg() else None
                    yield archive.prefix + member.name.removeprefix("./").rstrip("/"), member, stream
            source.drain()
        except DAMAGE as e:
            raise TarDamaged(f"{archive.path.name}: {e}") from e
    if source.tail != bytes(END_OF_ARCHIVE_BYTES):
        raise TarDamaged(f"{archive.path.name}: ends without an end-of-archive block")


def list_members(archive: TarFile) -> dict[str, int]:
    """Path -> size of the regular files of an uncompressed archive, by seeking from header to header.

    Raises TarDamaged where a member reaches past the end of the file, OSError.
    """
    sizes: dict[str, int] = {}
    try:
        with open_regular(archive.path) as raw, tarfile.open(fileobj=raw, mode="r:") as tar:
            for member in tar:
                if member.isreg():
                    sizes[archive.prefix + member.name.removeprefix("./")] = member.size
                if member.offset_data + member.size > archive.size_bytes:
                    raise TarDamaged(f"{archive.path.name}: truncated in {member.name[:100]}")
    except tarfile.TarError as e:
        raise TarDamaged(f"{archive.path.name}: {e}") from e
    return sizes


def read_small_files(archive: TarFile) -> dict[str, str]:
    """`backup_label` and `tablespace_map`, which the server puts at the head of base.tar. Raises TarDamaged, OSError."""
    texts: dict[str, str] = {}
    with closing(members(archive)) as found:
        for path, _, stream in found:
            if stream and path not in (LABEL, TABLESPACE_MAP):
                break
            if stream:
                texts[path] = stream.read(LONGEST_LABEL_BYTES).decode("utf-8", "replace")
    return texts


def read_first_bytes(archive: TarFile, size: int) -> bytes:
    """The first bytes of the first regular file in an archive; empty where there is none. Raises TarDamaged, OSError."""
    with closing(members(archive)) as found:
        for _, _, stream in found:
            if stream:
                return stream.read(size)
    return b""


def gzip_is_truncated(archive: TarFile) -> bool:
    """True when the length in the last bytes of a gzip file is not that of a tar archive, which is whole blocks.

    Cuts are seen this way without reading the file; that all is well is only known after reading it.
    """
    if archive.size_bytes < SMALLEST_GZIP_BYTES:
        return True
    with open_regular(archive.path) as file:
        file.seek(-4, os.SEEK_END)
        return int.from_bytes(file.read(4), "little") % TAR_BLOCK_BYTES != 0


class MemberStream:
    """The bytes of one regular file in an archive."""

    def __init__(self, stream: IO[bytes], archive: TarFile) -> None:
        self._stream, self._archive = stream, archive

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, none at the end. Raises TarDamaged, OSError."""
        try:
            return self._stream.read(size)
        except DAMAGE as e:
            raise TarDamaged(f"{self._archive.path.name}: {e}") from e


class GzipStream:
    """A gzip file as a stream of bytes, in pieces of 1 MiB; also of several members one after the other (RFC 1952)."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._inflate = zlib.decompressobj(wbits=GZIP_WBITS)
        self._packed = b""
        self._ready = bytearray()
        self._at_end = False

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; fewer only at the end. Raises zlib.error, and EOFError for a file that ends early."""
        while len(self._ready) < size and not self._at_end:
            self._fill()
        piece = bytes(memoryview(self._ready)[:size])
        del self._ready[:size]
        return piece

    def _fill(self) -> None:
        packed = self._packed or self._raw.read(BUFFER_BYTES)
        if not packed:
            self._ready += self._inflate.flush()
            if not self._inflate.eof:
                raise EOFError("gzip data end early")
            self._at_end = True
            return
        if self._inflate.eof:
            packed = packed.lstrip(b"\0")  # padding after a member
            if packed:
                self._inflate = zlib.decompressobj(wbits=GZIP_WBITS)
        self._ready += self._inflate.decompress(packed, BUFFER_BYTES) if packed else b""
        self._packed = self._inflate.unconsumed_tail or (self._inflate.unused_data if packed else b"")


class _TailKeeper:
    """A stream that remembers its last bytes: tarfile takes an early end of the file for the end of the archive."""

    def __init__(self, source: BinaryIO | GzipStream) -> None:
        self._source = source
        self.tail = b""

    def read(self, size: int) -> bytes:
        piece = self._source.read(size)
        kept = piece[-END_OF_ARCHIVE_BYTES:]
        self.tail = (self.tail + kept)[-END_OF_ARCHIVE_BYTES:]
        return piece

    def drain(self) -> None:
        while self.read(BUFFER_BYTES):
            pass

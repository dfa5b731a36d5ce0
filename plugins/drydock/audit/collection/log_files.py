"""Log files on disk: compressed or not, how they begin, and which are copies of others."""

from __future__ import annotations

import hashlib
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby, pairwise
from pathlib import Path
from types import TracebackType
from typing import IO

import pyarrow as pa

from drydock.audit.parsing.reading import SPILLOVER_MARKS
from drydock.audit.parsing.records import Kind, Piece

HEAD_BYTES = 64 * 1024
SHORT_HEAD_BYTES = 4 * 1024
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_BREAKS = (EOFError, zlib.error, pa.ArrowException)
_AT_ONCE = 16 * 1024
"""Bytes of compressed data that are taken at once: where it breaks, no more than these are lost with what they hold."""


class _Unzipped:
    """gzip, one member after the other, up to the very place where it breaks."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._inner, self._raw = file, zlib.decompressobj(31), b""

    def read(self, size: int = -1) -> bytes:
        """Raises EOFError, zlib.error where the data ends or breaks."""
        while True:
            if self._inner.eof:
                self._raw = self._inner.unused_data.lstrip(b"\0") or self._file.read(_AT_ONCE).lstrip(b"\0")
                if not self._raw:
                    return b""
                self._inner = zlib.decompressobj(31)
            raw = self._inner.unconsumed_tail or self._raw or self._file.read(_AT_ONCE)
            self._raw = b""
            if not raw:
                raise EOFError("it ends before its end was marked")
            if data := self._inner.decompress(raw, max(size, 0)):
                return data


class Stream:
    """A log file as plain bytes. Compressed data that breaks off ends it, and is told in `trouble`."""

    def __init__(self, path: Path) -> None:
        self.trouble, self.size = "", 0
        self._file = path.open("rb")
        kind = self._file.read(4)
        self._file.seek(0)
        self._plain, self._at_once = self._file, HEAD_BYTES * 16
        if kind.startswith(_GZIP):
            self._plain = _Unzipped(self._file)  # type: ignore[assignment]
        elif kind == _ZSTD:
            self._plain = pa.CompressedInputStream(pa.PythonFile(self._file, mode="r"), "zstd")
            self._at_once = _AT_ONCE

    def read(self, size: int = -1) -> bytes:
        """Raises OSError of the disk."""
        if self.trouble:
            return b""
        try:
            data = self._plain.read(min(size, self._at_once) if size >= 0 else size)
        except _BREAKS as e:
            self.trouble = f"the compressed data ends or breaks here: {e}"
            return b""
        except OSError as e:
            if e.errno is not None:
                raise
            self.trouble = f"the compressed data ends or breaks here: {e}"  # pyarrow says so of broken zstd
            return b""
        self.size += len(data)
        return data

    def broken_piece(self) -> Piece:
        """What stands for the rest of a file whose compressed data breaks off."""
        return Piece(Kind.SET_ASIDE, 0, 0, self.size, 0, why=self.trouble)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()


def opened(path: Path) -> Stream:
    """The file as plain bytes. Raises OSError."""
    return Stream(path)


def is_compressed(path: Path) -> bool:
    """True for gzip and zstd. Raises OSError."""
    with path.open("rb") as file:
        kind = file.read(4)
    return kind.startswith(_GZIP) or kind == _ZSTD


@contextmanager
def plain_path(path: Path, is_wanted: Callable[[bytes], bool]) -> Iterator[Path | None]:
    """A path to the plain bytes of a file: its own, or that of an unpacked copy without a name, for the block's time.

    None where the file is packed and not wanted by its first bytes, breaks off, or finds no room to be unpacked. Raises OSError.
    """
    if not is_compressed(path):
        yield path
        return
    copy = _unpacked(path) if is_wanted(first_bytes(path, SHORT_HEAD_BYTES)) else None
    if copy is None:
        yield None
        return
    with copy:
        yield Path(f"/proc/self/fd/{copy.fileno()}")


def _unpacked(path: Path) -> IO[bytes] | None:
    """The plain bytes in a file that has no name and is gone with this process."""
    copy: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed by who asked
    try:
        with opened(path) as stream:
            while block := stream.read(HEAD_BYTES * 16):
                copy.write(block)
        copy.flush()
    except OSError:
        copy.close()
        return None
    if stream.trouble or not Path(f"/proc/self/fd/{copy.fileno()}").exists():
        copy.close()
        return None
    return copy


def is_spillover(path: Path) -> bool:
    """True for a file that only the Oracle database reads. Raises OSError."""
    with path.open("rb") as file:
        first = file.read(SHORT_HEAD_BYTES)
    return any(mark in first for mark in SPILLOVER_MARKS)


def first_bytes(path: Path, wanted: int) -> bytes:
    """The first bytes of the plain text, fewer where it is shorter. Raises OSError."""
    parts, got = [], 0
    with opened(path) as stream:
        while got < wanted and (part := stream.read(wanted - got)):
            parts.append(part)
            got += len(part)
    return b"".join(parts)


def head_of(path: Path) -> str:
    """How a file begins: `<bytes>:<SHA-256 of them>`; "" for an empty one. Raises OSError."""
    first = first_bytes(path, HEAD_BYTES)
    return f"{len(first)}:{hashlib.sha256(first).hexdigest()}" if first else ""


def begins_with(path: Path, head: str) -> bool:
    """True where the file begins with the bytes that have that head. Raises OSError."""
    size, _, digest = head.partition(":")
    if not size.isdigit():
        return False
    first = first_bytes(path, int(size))
    return len(first) == int(size) and hashlib.sha256(first).hexdigest() == digest


class Copies:
    """Files whose whole text another one begins with: the same lines, which are to be read once.

    Sorted by their first bytes, a file that another begins with stands right before one that begins with it.
    """

    def __init__(self, files: Iterable[tuple[str, Path]]) -> None:
        self.left_out: dict[str, str] = {}  # name -> name of the file that holds all of it
        heads = sorted(((self._first(path), name, path) for name, path in files), key=lambda h: (h[0], h[1]))
        for head, files_alike in groupby(heads, key=lambda h: h[0]):
            alike = [(name, path) for _, name, path in files_alike] if head else []
            self._among(alike) if len(head) == SHORT_HEAD_BYTES else self._all_but_last(alike)
        for (head, name, _), (longer, other, _) in pairwise(heads):
            if len(head) < SHORT_HEAD_BYTES and head and longer.startswith(head):
                self.left_out.setdefault(name, other)

    def _first(self, path: Path) -> bytes:
        """Nothing of a file that cannot be read: whoever reads it next will say so."""
        try:
            return first_bytes(path, SHORT_HEAD_BYTES)
        except OSError:
            return b""

    def _all_but_last(self, alike: list[tuple[str, Path]]) -> None:
        for name, _ in alike[:-1]:
            self.left_out[name] = alike[-1][0]

    def _among(self, alike: list[tuple[str, Path]]) -> None:
        """Files that begin alike and are longer than was looked at: each against those that are left."""
        kept: list[tuple[str, Path]] = []
        for name, path in alike:
            for number, (other, other_path) in enumerate(kept):
                shorter = _which_is_within(path, other_path)
                if shorter == 0:
                    self.left_out[name] = other
                    break
                if shorter == 1:
                    self.left_out[other] = name
                    kept[number] = (name, path)
                    break
            else:
                kept.append((name, path))


def _which_is_within(first: Path, second: Path) -> int | None:
    """0 where the second begins with all of the first, 1 the other way round, None where they differ or cannot be read."""
    try:
        return _compared(first, second)
    except OSError:
        return None


def _compared(first: Path, second: Path) -> int | None:
    with opened(first) as one, opened(second) as two:
        while True:
            a, b = _block(one), _block(two)
            size = min(len(a), len(b))
            if a[:size] != b[:size]:
                return None
            if len(a) < HEAD_BYTES or len(b) < HEAD_BYTES:
                return 0 if len(a) <= len(b) else 1


def _block(stream: Stream) -> bytes:
    parts, got = [], 0
    while got < HEAD_BYTES and (part := stream.read(HEAD_BYTES - got)):
        parts.append(part)
        got += len(part)
    return b"".join(parts)

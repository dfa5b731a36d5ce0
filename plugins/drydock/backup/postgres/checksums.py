"""The checksums of a backup manifest, computed at the speed of the disk.

CRC-32C runs in C with the processor's own instruction; the SHA-2 family is OpenSSL's. Both let other threads run
meanwhile. Each thread reads into one piece of 256 KiB that stays in the processor's cache between reading and summing.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from typing import Protocol

import crc32c

from drydock.backup.regular_files import open_descriptor

log = logging.getLogger(__name__)

PIECE_BYTES = 256 * 1024

if not crc32c.hardware_based:
    log.warning("CRC-32C is computed without the processor's instruction here: reading backups takes several times as long")


class _Pieces(threading.local):
    """One piece of memory for each thread; a new one for each read costs as much as the sum of it."""

    def __init__(self) -> None:
        self.piece = memoryview(bytearray(PIECE_BYTES))


_OWN = _Pieces()


class Hasher(Protocol):
    def update(self, piece: bytes | memoryview, /) -> None: ...

    def hexdigest(self) -> str: ...


class Crc32c:
    """CRC-32C as a manifest prints it: its four bytes in the order in which they lie in memory."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, piece: bytes | memoryview, /) -> None:
        self._value = crc32c.crc32c(piece, self._value)

    def hexdigest(self) -> str:
        return self._value.to_bytes(4, "little").hex()


class NoChecksum:
    """For files that have nothing to be compared with: they are only read."""

    def update(self, piece: bytes | memoryview, /) -> None:
        pass

    def hexdigest(self) -> str:
        return ""


def new_hasher(algorithm: str) -> Hasher:
    """An empty checksum of one of `manifest.ALGORITHMS`."""
    if algorithm == "CRC32C":
        return Crc32c()
    return NoChecksum() if algorithm == "NONE" else hashlib.new(algorithm.lower())


def hash_file(path: str, algorithm: str, expected_bytes: int) -> tuple[int, str]:
    """Size and checksum (hex) of what is read from a regular file. Raises OSError.

    `expected_bytes` only saves work: most files are small, and end with the read that brings them.
    """
    hasher, piece = new_hasher(algorithm), _OWN.piece
    size = 0
    fd = open_descriptor(path)
    try:
        while got := os.readv(fd, [piece]):
            hasher.update(piece[:got])
            size += got
            if got < PIECE_BYTES and size >= expected_bytes:
                break
    finally:
        os.close(fd)
    return size, hasher.hexdigest()

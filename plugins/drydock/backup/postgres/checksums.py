"""The checksums of a backup manifest, computed at the speed of the disk.

CRC-32C runs in C with the processor's own instruction; the SHA-2 family is OpenSSL's. Pieces of 256 KiB stay in the
processor's cache between reading and summing.
"""

from __future__ import annotations

import hashlib
import logging
import os
from typing import Protocol

import google_crc32c

from drydock.backup.regular_files import open_descriptor

log = logging.getLogger(__name__)

PIECE_BYTES = 256 * 1024

if google_crc32c.implementation != "c":
    log.warning("google-crc32c runs in pure Python here: reading backups will take hours instead of minutes")


class Hasher(Protocol):
    def update(self, piece: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


class Crc32c:
    """CRC-32C as a manifest prints it: its four bytes in the order in which they lie in memory."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, piece: bytes, /) -> None:
        self._value = google_crc32c.extend(self._value, piece)

    def hexdigest(self) -> str:
        return self._value.to_bytes(4, "little").hex()


class NoChecksum:
    """For files that have nothing to be compared with: they are only read."""

    def update(self, piece: bytes, /) -> None:
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
    hasher = new_hasher(algorithm)
    size, wanted = 0, min(expected_bytes + 1, PIECE_BYTES)
    fd = open_descriptor(path)
    try:
        while piece := os.read(fd, wanted):
            hasher.update(piece)
            size += len(piece)
            if len(piece) < wanted and size >= expected_bytes:
                break
            wanted = PIECE_BYTES
    finally:
        os.close(fd)
    return size, hasher.hexdigest()

"""`backup_manifest`: what a base backup consists of, in the words of the program that made it.

Source: PostgreSQL manual, "Backup Manifest Format" (versions 1 and 2). The manifest ends with a SHA-256 of all its
bytes up to its last line; a manifest whose own checksum is wrong is believed in nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drydock.backup.postgres.backup_label import parse_lsn
from drydock.backup.regular_files import open_regular

FILE_NAME = "backup_manifest"
VERSIONS = (1, 2)
USUAL_SEGMENT = 16 * 1024 * 1024
LARGEST_BYTES = 512 * 1024 * 1024  # some three million files; more is no manifest and would only fill the memory
ALGORITHMS = {"NONE": 0, "CRC32C": 8, "SHA224": 56, "SHA256": 64, "SHA384": 96, "SHA512": 128}  # hex digits

_HEX = re.compile(r"[0-9a-fA-F]*")


class ManifestDamaged(ValueError):
    """The manifest cannot be believed; the text says why."""


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """One file. `path` is relative to the data directory; bytes that are no UTF-8 are kept as surrogate escapes."""

    path: str
    size_bytes: int
    algorithm: str
    checksum: str


@dataclass(frozen=True)
class WalRange:
    """Log that a restore of this backup needs: from `start` to `end` on one timeline."""

    timeline: int
    start_position: int
    end_position: int


@dataclass(frozen=True)
class Manifest:
    version: int
    system_id: str | None
    files: dict[str, ManifestFile]
    wal_ranges: tuple[WalRange, ...]

    @property
    def total_bytes(self) -> int:
        return sum(f.size_bytes for f in self.files.values())

    @property
    def wal_bytes(self) -> int:
        """Bytes of the segments that its WAL ranges lie in, which it does not list; for segments of the usual size."""
        return sum(
            (r.end_position // USUAL_SEGMENT - r.start_position // USUAL_SEGMENT + 1) * USUAL_SEGMENT for r in self.wal_ranges
        )

    @property
    def stop_position(self) -> int | None:
        return max((r.end_position for r in self.wal_ranges), default=None)


def read_manifest(path: Path) -> Manifest:
    """Read and verify a manifest. Raises ManifestDamaged, also for one of more than 512 MiB; NotRegular, OSError."""
    with open_regular(path) as file:
        if (size := file.seek(0, os.SEEK_END)) > LARGEST_BYTES:
            raise ManifestDamaged(f"{size} bytes long: not a manifest")
        file.seek(0)
        raw = file.read()
    return parse_manifest(raw)


def parse_manifest(raw: bytes) -> Manifest:
    """A manifest from its bytes, after its own checksum was found right. Raises ManifestDamaged."""
    declared = _verify_checksum(raw)
    try:
        content = json.loads(raw)
        version = content["PostgreSQL-Backup-Manifest-Version"]
        if version not in VERSIONS:
            raise ManifestDamaged(f"version {version!r}, known are {', '.join(map(str, VERSIONS))}")
        if content["Manifest-Checksum"] != declared:
            raise ManifestDamaged("more than one Manifest-Checksum")
        system_id = str(int(content["System-Identifier"])) if version >= 2 else None
        ranges = tuple(_wal_range(r) for r in content["WAL-Ranges"])
        return Manifest(version, system_id, _files(content["Files"]), ranges)
    except ManifestDamaged:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
        raise ManifestDamaged(f"not a backup manifest: {e!r}"[:200]) from e


def is_safe_path(path: str) -> bool:
    """True for a path that stays inside the backup: relative, no '..' or empty part, and one that a file can have."""
    if "\0" in path or not {"", ".", ".."}.isdisjoint(path.split("/")):
        return False
    if path.isascii():
        return True
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return True


def _verify_checksum(raw: bytes) -> str:
    """The last line holds the SHA-256 of everything before it; returns it in hex."""
    if not raw.endswith(b"\n"):
        raise ManifestDamaged("does not end with a line end: truncated")
    start = raw.rfind(b"\n", 0, -1) + 1
    try:
        declared = json.loads(b"{" + raw[start:])["Manifest-Checksum"]
    except (ValueError, KeyError, RecursionError) as e:
        raise ManifestDamaged("the last line holds no Manifest-Checksum") from e
    actual = hashlib.sha256(memoryview(raw)[:start]).hexdigest()
    if not isinstance(declared, str) or not hmac.compare_digest(declared.lower().encode(), actual.encode()):
        raise ManifestDamaged("its own checksum does not match: it was changed after the backup")
    return declared


def _files(rows: list[dict[str, Any]]) -> dict[str, ManifestFile]:
    files: dict[str, ManifestFile] = {}
    for row in rows:
        file = _file(row)
        if file.path in files:
            raise ManifestDamaged(f"lists {file.path[:100]!r} twice")
        files[file.path] = file
    return files


def _file(row: dict[str, Any]) -> ManifestFile:
    encoded = row.get("Encoded-Path")
    path = bytes.fromhex(encoded).decode("utf-8", "surrogateescape") if encoded is not None else row["Path"]
    size, algorithm, checksum = row["Size"], row.get("Checksum-Algorithm", "NONE"), row.get("Checksum", "")
    if not isinstance(path, str) or not is_safe_path(path):
        raise ManifestDamaged(f"path {str(path)[:100]!r} leads out of the backup")
    if type(size) is not int or size < 0:
        raise ManifestDamaged(f"size {size!r} of {path[:100]!r}")
    if len(checksum) != ALGORITHMS.get(algorithm, -1) or not _HEX.fullmatch(checksum):
        raise ManifestDamaged(f"checksum of {path[:100]!r} is not one of {algorithm!r}")
    return ManifestFile(path, size, algorithm, checksum.lower())


def _wal_range(row: dict[str, Any]) -> WalRange:
    found = WalRange(int(row["Timeline"]), parse_lsn(row["Start-LSN"]), parse_lsn(row["End-LSN"]))
    if found.end_position < found.start_position:
        raise ManifestDamaged("a WAL range ends before it starts")
    return found

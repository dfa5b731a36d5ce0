"""What can happen to backups on a disk, done to the copy of a case and never to the world itself.

A case shares its files with its world, so a file is made the case's own before it is changed.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import crc32c

from sandbox.backup_job import BackupPlaces

FIRST_USER_OID = 16384


def user_files(set_dir: Path) -> list[str]:
    """Files of users' tables and indexes that hold data, by their path in a plain set; largest first."""
    found = [p for p in (set_dir / "base").glob("*/*") if p.stat().st_size and _is_user_file(p)]
    return [str(p.relative_to(set_dir)) for p in sorted(found, key=lambda p: (-p.stat().st_size, str(p)))]


def _is_user_file(path: Path) -> bool:
    return path.name.isdigit() and int(path.name) >= FIRST_USER_OID


def own(path: Path) -> Path:
    """Make a shared file the case's own, so that the world it came from stays as it is; returns the path."""
    folder, copy = path.parent.stat(), path.with_name(f".{path.name}.own")
    shutil.copy2(path, copy)
    copy.replace(path)
    os.utime(path.parent, ns=(folder.st_atime_ns, folder.st_mtime_ns))
    return path


def fingerprints(places: BackupPlaces) -> dict[str, tuple[int, ...]]:
    """Mode, owner, time and content of every file of sets and logs: of a world that tests share, they stay as they are."""
    found = {}
    for path in (p for folder in (places.sets, places.wal) for p in folder.rglob("*") if p.is_file()):
        status = path.stat()
        found[str(path)] = (status.st_mode, status.st_uid, status.st_mtime_ns, crc32c.crc32c(path.read_bytes()))
    return found


@contextmanager
def timeless(path: Path) -> Iterator[Path]:
    """A file of one's own to change; its time stays."""
    status = own(path).stat()
    yield path
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def flip_byte(path: Path, offset: int) -> None:
    """Change one byte and nothing else."""
    with timeless(path), path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 0xFF]))


def truncate(path: Path, size_bytes: int) -> None:
    with timeless(path):
        os.truncate(path, size_bytes)


def write(path: Path, content: bytes) -> None:
    """Put something else into a file."""
    with timeless(path):
        path.write_bytes(content)


def copy_over(source: Path, path: Path) -> None:
    """Put one file in the place of another, with the time of the source."""
    path.unlink(missing_ok=True)
    shutil.copy2(source, path)


def gzip_file(path: Path) -> Path:
    """Compress a file as `gzip` does, with the time of the old one; returns the new path."""
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes(), 1))
    shutil.copystat(path, packed)
    remove(path)
    return packed


def remove(*paths: Path) -> None:
    """Remove files or folders; the time of the folder that they were in stays."""
    for path in paths:
        status = path.parent.stat()
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        os.utime(path.parent, ns=(status.st_atime_ns, status.st_mtime_ns))


def segments(places: BackupPlaces) -> list[str]:
    """Names of the archived segments, oldest first."""
    return sorted(p.name for p in places.wal.iterdir() if len(p.name) == 24)


def start_segment(set_dir: Path) -> str:
    """The segment that a set begins in, as its label says."""
    first_line = (set_dir / "backup_label").read_text().splitlines()[0]
    return first_line.rpartition("(file ")[2].rstrip(")")


def edit_manifest(set_dir: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """Change a manifest and give it a right checksum of its own again, as somebody who hides a fault would."""
    path = set_dir / "backup_manifest"
    content = json.loads(path.read_bytes())
    edit(content)
    del content["Manifest-Checksum"]
    body = json.dumps(content, indent=0)[:-2].encode() + b",\n"
    write(path, body + f'"Manifest-Checksum": "{hashlib.sha256(body).hexdigest()}"}}\n'.encode())


def match_manifest(set_dir: Path, name: str) -> None:
    """Let the manifest agree with a file as it is now."""
    data = (set_dir / name).read_bytes()
    checksum = crc32c.crc32c(data).to_bytes(4, "little").hex()  # CRC32C stands in a manifest byte by byte

    def edit(content: dict[str, Any]) -> None:
        (entry,) = (e for e in content["Files"] if e["Path"] == name)
        assert entry["Checksum-Algorithm"] == "CRC32C"
        entry |= {"Size": len(data), "Checksum": checksum}

    edit_manifest(set_dir, edit)


def edit_tar(path: Path, edit: Callable[[tarfile.TarInfo, bytes], bytes | None]) -> None:
    """Write an archive anew with each regular member's bytes edited; None leaves the member out. The time stays."""
    out = io.BytesIO()
    with tarfile.open(path, "r:") as old, tarfile.open(fileobj=out, mode="w") as new:
        for member in old:
            stream = old.extractfile(member) if member.isreg() else None
            if stream is None:
                new.addfile(member)
            elif (data := edit(member, stream.read())) is not None:
                member.size = len(data)
                new.addfile(member, io.BytesIO(data))
    write(path, out.getvalue())


def forget_lines(log: Path, *words: str) -> None:
    """Take the lines that name any of these words out of a job log."""
    kept = [line for line in log.read_text().splitlines() if not any(w in line for w in words)]
    write_lines(log, kept)


def write_lines(log: Path, lines: list[str]) -> None:
    write(log, "".join(f"{line}\n" for line in lines).encode())

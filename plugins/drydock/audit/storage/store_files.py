"""Files of the store on a disk or in object storage: made, made durable, removed, fetched; and their names."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any

from drydock.audit.results import StoredFile

READ_BYTES = 1024 * 1024
_DAY = re.compile(r"/day=(\d{4}-\d\d-\d\d)/[^/]+\Z")


class StoredFileChanged(Exception):
    """A file of the store is not the one that was written; the text names it."""


@contextmanager
def created(place: Any, is_private: bool) -> Iterator[IO[bytes]]:
    """A new file, durable when the block has ended and gone where it failed; `is_private`: for this account alone."""
    if isinstance(place, Path):
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if is_private else 0o755)
        handle = os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600 if is_private else 0o640)
        opened = os.fdopen(handle, "wb")
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        opened = place.open("wb")
    try:
        with opened as file:
            yield file
            through(file)
        if isinstance(place, Path):
            sync_folder(place.parent)
    except BaseException:
        remove(place)
        raise


def through(file: IO[bytes]) -> None:
    """Down to the disk, where there is one."""
    file.flush()
    try:
        os.fsync(file.fileno())
    except (AttributeError, OSError):  # object storage is durable when the file is closed
        return


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(place: Any) -> None:
    """Remove a file; one that is gone already is no error."""
    try:
        place.unlink()
    except FileNotFoundError:
        return


def hash_of(place: Any) -> tuple[str, int]:
    """SHA-256 and size of a file as it stands. Raises OSError."""
    digest, size = hashlib.sha256(), 0
    with place.open("rb") as file:
        while block := file.read(READ_BYTES):
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size


def fetched(place: Any, file: StoredFile, cache: Path) -> Path:
    """A copy of a file of object storage on this machine, checked by its hash. Raises StoredFileChanged, OSError."""
    copy = cache / file.sha256[:2] / f"{file.sha256}.parquet"
    if copy.exists():
        return copy
    copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = copy.with_suffix(f".{os.getpid()}")
    with place.open("rb") as source, created(part, is_private=True) as target:
        shutil.copyfileobj(source, target, READ_BYTES)
    if hash_of(part)[0] != file.sha256:
        remove(part)
        raise StoredFileChanged(f"{file.path} is not the file that was written")
    part.replace(copy)
    return copy


def file_name(source: str, begin: datetime) -> str:
    """What the names of a stretch's files begin with."""
    return f"{source}-{begin.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def day_of(path: str) -> date | None:
    """The local day that a stored file's path tells; None where it is no such path."""
    found = _DAY.search(path)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def number_of(line: bytes) -> int:
    """The number of a line of the chain's file; 0 where it has none."""
    try:
        told = json.loads(line)
    except ValueError:
        return 0
    number = told.get("number") if isinstance(told, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else 0

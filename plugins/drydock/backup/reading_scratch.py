"""Scratch space of a read. What fails there is our own trouble and never says anything about a backup."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from drydock import settings
from drydock.backup.scratch import Scratch, ScratchTooSmall, close_scratch, make_scratch, name_scratch
from drydock.verdicts import Finding, Status

log = logging.getLogger(__name__)


class ScratchUnusable(Exception):
    """The scratch area cannot be made or written."""

    def __init__(self, reason: str, free_bytes: int) -> None:
        super().__init__(reason)
        self.free_bytes = free_bytes

    def finding(self, place: str, needed_bytes: int) -> Finding:
        """`read_space` for what was not read for want of so many bytes."""
        values = {"needed_bytes": needed_bytes, "free_bytes": self.free_bytes, "reason": str(self)}
        return Finding(code="read_space", status=Status.UNKNOWN, place=place, values=values)


@contextmanager
def reading_scratch(needed_bytes: int) -> Iterator[Path]:
    """A folder for so many bytes that is gone afterwards. Raises ScratchUnusable."""
    root = settings.scratch_dir()
    area = name_scratch(root)
    try:
        _make(area, root, needed_bytes)
        yield area.path
    finally:
        try:
            close_scratch(area)
        except OSError as e:
            log.warning("scratch area %s stays behind: %s", area.path, e)  # the next sweep removes it


def _make(area: Scratch, root: Path, needed_bytes: int) -> None:
    try:
        make_scratch(area, needed_bytes, 1.0)
    except ScratchTooSmall as e:
        raise ScratchUnusable("not enough space", e.free_bytes) from e
    except OSError as e:
        raise ScratchUnusable(e.strerror or str(e), _free_bytes(root)) from e


class ScratchFile:
    """A new file in a scratch area. Opening, writing and closing raise ScratchUnusable, so that no OSError of ours is
    ever taken for one of the backup that is read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._ours():
            self._file = path.open("wb", buffering=0)

    def write(self, piece: bytes) -> None:
        rest = memoryview(piece)
        with self._ours():
            while rest:
                rest = rest[self._file.write(rest) :]

    def close(self) -> None:
        with self._ours():
            self._file.close()

    def __enter__(self) -> ScratchFile:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @contextmanager
    def _ours(self) -> Iterator[None]:
        try:
            yield
        except OSError as e:
            raise ScratchUnusable(e.strerror or str(e), _free_bytes(self._path.parent)) from e


def link_in_scratch(link: Path, target: Path) -> None:
    """A file that needs no unpacking, as a link. Raises ScratchUnusable."""
    try:
        link.symlink_to(target)
    except OSError as e:
        raise ScratchUnusable(e.strerror or str(e), _free_bytes(link.parent)) from e


def _free_bytes(folder: Path) -> int:
    with suppress(OSError):
        return shutil.disk_usage(folder).free
    return 0

"""A moved clock for real servers: libfaketime, loaded into a server and the programs that it starts.

The clock is an offset in a small file that every process under the clock reads at each look, so that days pass while
the server runs on. Only the wall clock moves; the monotonic one, on which timeouts stand, does not.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo

WHEEL = "libfaketime"
LIBRARY = Path("vendor") / "libfaketime" / "src" / "libfaketime.so.1"
SHARED_MEMORY = Path("/dev/shm")
ZONE = ZoneInfo("Asia/Shanghai")


class ClockMissing(Exception):
    """libfaketime is not installed here; the text says how to get it."""


def find_library() -> Path:
    """The preload library of the wheel. The wheel is not imported: its import changes the process. Raises ClockMissing."""
    spec = find_spec(WHEEL)
    places = spec.submodule_search_locations if spec else None
    library = Path(places[0]) / LIBRARY if places else None
    if library is None or not library.is_file():
        raise ClockMissing("the sandbox lives its past days under a moved clock: `pip install libfaketime` (Linux only)")
    return library


class MovedClock:
    """A wall clock that stands some way from the real one and goes at the same pace."""

    def __init__(self, file: Path, zone: ZoneInfo = ZONE) -> None:
        self.file = file.absolute()
        self.zone = zone
        self.offset = timedelta(0)
        # beside the file: a server's account may not reach into the folder where Python keeps the library
        self._library = self.file.with_name(LIBRARY.name)
        shutil.copyfile(find_library(), self._library)

    def move_to(self, moment: datetime) -> None:
        """Set the clock, for everything that runs under it, to an aware time."""
        self.offset = moment - datetime.now(UTC)
        unfinished = self.file.with_name(self.file.name + ".new")
        unfinished.write_text(f"{self.offset.total_seconds():+.6f}\n", encoding="ascii")
        unfinished.replace(self.file)  # at once: a reader must never see half an offset

    def now(self) -> datetime:
        return (datetime.now(UTC) + self.offset).astimezone(self.zone)

    def environment(self) -> dict[str, str]:
        """Variables that put a program, and all that it starts, under this clock."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "TZ": self.zone.key,
        }

    def date_files(self, paths: Iterable[os.PathLike[str]]) -> None:
        """Give files and folders that were written since the last move the times that this clock showed then.

        The kernel stamps files with the real time, whatever a program is told. A file is taken to be new while its time
        of modification is still that of its inode's last change: setting the one moves them apart, so that nothing is
        moved twice.
        """
        for path in paths:
            status = os.lstat(path)
            if abs(status.st_mtime - status.st_ctime) < 1.0:
                moved = status.st_mtime + self.offset.total_seconds()
                os.utime(path, (moved, moved), follow_symlinks=False)


def sweep_shared_memory() -> None:
    """Remove what libfaketime leaves behind of processes that are gone; of those that live, nothing."""
    for memory in SHARED_MEMORY.glob("faketime_shm_*"):
        pid = memory.name.rpartition("_")[2]
        if not Path("/proc", pid).exists():
            with suppress(PermissionError):  # another user's
                memory.unlink(missing_ok=True)  # before the semaphore: the library takes one without the other for an error
                (SHARED_MEMORY / f"sem.faketime_sem_{pid}").unlink(missing_ok=True)

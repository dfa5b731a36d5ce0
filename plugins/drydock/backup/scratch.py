"""Scratch areas of restore drills: a folder with a fixed prefix and random hex that is always gone afterwards.

An area is `drydock-drill-<8 hex>` below a root folder. Its owner file is locked (flock) by the process that made it
for as long as that process lives, so an area whose lock can be taken has no owner any more, whatever ended it, also
when the owner ran in another container on the same file system. Nothing that does not carry exactly such a name is
ever removed, and no symbolic link is followed.

Only the standard library is imported here: the guardian loads this module and must start at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import re
import secrets
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

PREFIX = "drydock-drill-"
AREA_NAME = re.compile(r"drydock-drill-[0-9a-f]{8}")
OWNER_FILE = "owner"
COMBINE = "pg_combinebackup"  # is started with the area as its working directory
UNOWNED_GRACE_S = 60.0  # an area without its owner file may be a moment old
STOP_SERVER_S = 10.0  # an immediate shutdown gets this long before SIGKILL
REMOVE_S = 60.0  # orphaned writers end when their folder goes; so long is waited for the last of them

log = logging.getLogger(__name__)


class ScratchTooSmall(Exception):
    """The file system of the scratch root cannot hold the drill. Carries the figures."""

    def __init__(self, root: Path, free_bytes: int, needed_bytes: int) -> None:
        super().__init__(f"{root}: {free_bytes} bytes free, {needed_bytes} needed")
        self.root, self.free_bytes, self.needed_bytes = root, free_bytes, needed_bytes


class NotAScratchArea(Exception):
    """A path that must not be removed: its name or its kind is not that of a scratch area."""


@dataclass
class Scratch:
    """A scratch area, named before it is made: an interrupt can come between any two steps, and its end must know the name.

    `lock_fd` holds the lock on the owner file from `make_scratch` until `close_scratch`.
    """

    path: Path
    lock_fd: int | None = None

    @property
    def drill_id(self) -> str:
        return self.path.name

    @property
    def data_dir(self) -> Path:
        return self.path / "data"


def name_scratch(root: Path) -> Scratch:
    """A new area below `root`, of which nothing is made yet; whoever makes it has seen to `close_scratch` before."""
    return Scratch(root.resolve() / f"{PREFIX}{secrets.token_hex(4)}")


def make_scratch(scratch: Scratch, needed_bytes: int, factor: float) -> None:
    """Make the area (0700) after asking for `needed_bytes * factor` of free space, which is then reserved.

    What living areas have reserved and not yet written is not free. Raises ScratchTooSmall before anything is made,
    OSError when the root cannot be written.
    """
    root = scratch.path.parent
    root.mkdir(mode=0o711, parents=True, exist_ok=True)
    wanted_bytes = int(needed_bytes * factor)
    with _one_at_a_time(root):
        free_bytes = max(shutil.disk_usage(root).free - _promised_bytes(root), 0)
        if free_bytes < wanted_bytes:
            raise ScratchTooSmall(root, free_bytes, wanted_bytes)
        scratch.path.mkdir(mode=0o700)
        scratch.lock_fd = _take_ownership(scratch.path, wanted_bytes)


def close_scratch(scratch: Scratch) -> None:
    """Stop what still runs in the area, remove it and let go of its lock, however far it was made.

    Raises OSError when something stays.
    """
    try:
        remove_area(scratch.path)
    finally:
        if scratch.lock_fd is not None:
            os.close(scratch.lock_fd)


def sweep_scratch(root: Path) -> list[str]:
    """Remove the areas below `root` whose owner is dead; returns their names. Never raises for one bad area."""
    swept = []
    for path in sorted(root.iterdir()) if root.is_dir() else []:
        if not is_area(path):
            continue
        with _abandoned(path) as abandoned:
            if abandoned:
                log.warning("removing scratch area %s: its owner is gone", path)
                try:
                    remove_area(path)
                    swept.append(path.name)
                except OSError as e:
                    log.error("scratch area %s could not be removed: %s", path, e)
    return swept


def is_area(path: Path) -> bool:
    """True for a real folder (not a link) whose name is exactly prefix and eight hex digits."""
    return is_area_name(path) and path.is_dir() and not path.is_symlink()


def is_area_name(path: Path) -> bool:
    """Whether an area may be made here."""
    return AREA_NAME.fullmatch(path.name) is not None


def remove_area(path: Path) -> None:
    """Stop the servers and writers of an area and remove it. Gone already is fine.

    Raises NotAScratchArea for any other path, OSError (TimeoutError) when the area does not go away.
    """
    if not path.is_symlink() and not path.exists():
        return
    if not is_area(path):
        raise NotAScratchArea(str(path))
    stop_servers(path)
    give_up_at = time.monotonic() + REMOVE_S
    while path.exists():
        kill_writers(path)
        shutil.rmtree(path, onerror=_open_up)
        if path.exists() and time.monotonic() > give_up_at:
            raise TimeoutError(f"{path} is still being written to")


def stop_servers(area: Path) -> None:
    """Stop every PostgreSQL process that runs from a data directory inside the area (immediate, then SIGKILL).

    A server process is known by its working directory, which is its data directory, so no stale pid file can
    point at a stranger.
    """
    if not (running := _servers(area)):
        return
    _signal(running, signal.SIGQUIT)
    if not _wait_until(lambda: not _servers(area), STOP_SERVER_S):
        _signal(_servers(area), signal.SIGKILL)
        _wait_until(lambda: not _servers(area), STOP_SERVER_S)


def kill_writers(area: Path) -> None:
    """Kill the processes (orphans of a restore) that hold a file of the area open for writing, or are about to."""
    writers = [pid for pid in _pids() if pid != os.getpid() and _is_writer(pid, area)]
    _signal(writers, signal.SIGKILL)
    _wait_until(lambda: not any(_is_writer(pid, area) for pid in writers), STOP_SERVER_S)


@contextlib.contextmanager
def _one_at_a_time(root: Path) -> Iterator[None]:
    """Between asking for space and reserving it nobody else may ask: the root folder itself is locked."""
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _promised_bytes(root: Path) -> int:
    """What the living areas below `root` have reserved beyond what they have written so far."""
    promised_bytes = 0
    for path in filter(is_area, root.iterdir()):
        with _abandoned(path) as abandoned:
            if not abandoned:
                promised_bytes += max(_reserved_bytes(path) - _written_bytes(path), 0)
    return promised_bytes


def _reserved_bytes(area: Path) -> int:
    """As its owner file says; 0 for one that cannot be read."""
    try:
        return int(json.loads((area / OWNER_FILE).read_text())["reserved_bytes"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _written_bytes(area: Path) -> int:
    """Bytes on disk below an area that is being written to meanwhile."""
    written_bytes = 0
    for folder, _, names in os.walk(area):
        for name in names:
            with contextlib.suppress(OSError):
                written_bytes += (Path(folder) / name).lstat().st_blocks * 512
    return written_bytes


def _take_ownership(path: Path, reserved_bytes: int) -> int:
    """Write the owner file and lock it. The descriptor is not inherited by programs that the drill starts."""
    fd = os.open(path / OWNER_FILE, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    owner = {"pid": os.getpid(), "started_ticks": process_start_ticks(os.getpid()), "created_at": datetime.now(UTC).isoformat()}
    owner["reserved_bytes"] = reserved_bytes
    os.write(fd, json.dumps(owner).encode())
    return fd


@contextlib.contextmanager
def _abandoned(path: Path) -> Iterator[bool]:
    """Whether nobody owns the area; while inside, nobody else can sweep it either."""
    try:
        fd = os.open(path / OWNER_FILE, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        yield _age_s(path) > UNOWNED_GRACE_S
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(fd)


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _open_up(_function: object, name: str, error: object) -> None:
    """rmtree could not remove something: a file that came or went meanwhile is met again, a closed folder is opened."""
    if not isinstance(error, tuple) or not isinstance(error[1], OSError):
        return
    if isinstance(error[1], PermissionError):
        with contextlib.suppress(OSError):
            for folder in (Path(name).parent, Path(name)):
                if folder.is_dir() and not folder.is_symlink():
                    folder.chmod(0o700)
    elif not isinstance(error[1], FileNotFoundError):
        time.sleep(0.02)


def process_start_ticks(pid: int) -> int | None:
    """Start time of a process in clock ticks since boot (proc(5), field 22 of stat); None when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    return int(stat.rsplit(")", 1)[1].split()[19])


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _servers(area: Path) -> list[int]:
    """PostgreSQL processes whose working directory lies in the area; zombies have none."""
    return [pid for pid in _pids() if _lies_below(_link(pid, "cwd"), area) and _runs(pid, "postgres")]


def _runs(pid: int, program: str) -> bool:
    """By the name of its program, which also holds when the file was replaced by an upgrade ('postgres (deleted)')."""
    return Path(_link(pid, "exe")).name.split(" ")[0] == program


def _is_writer(pid: int, area: Path) -> bool:
    """pg_combinebackup reads for a while before it makes its folders, and with them an area that was removed meanwhile."""
    return _writes_below(pid, area) or (_lies_below(_link(pid, "cwd"), area) and _runs(pid, COMBINE))


def _writes_below(pid: int, area: Path) -> bool:
    """Whether the process holds a file below the area open with write access (proc(5), fdinfo)."""
    try:
        descriptors = [entry.name for entry in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return False
    return any(_lies_below(_link(pid, f"fd/{fd}"), area) and _is_writable(pid, fd) for fd in descriptors)


def _is_writable(pid: int, fd: str) -> bool:
    try:
        info = Path(f"/proc/{pid}/fdinfo/{fd}").read_text()
    except OSError:
        return False
    flags = re.search(r"^flags:\s*([0-7]+)$", info, re.MULTILINE)
    return flags is not None and int(flags[1], 8) & os.O_ACCMODE != os.O_RDONLY


def _link(pid: int, name: str) -> str:
    try:
        return str(Path(f"/proc/{pid}/{name}").readlink())
    except OSError:
        return ""


def _lies_below(target: str, area: Path) -> bool:
    """`target` as /proc shows it: a removed folder ends in ' (deleted)'."""
    return target == str(area) or target.startswith(f"{area}/") or target == f"{area} (deleted)"


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    give_up_at = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.02)
    return True

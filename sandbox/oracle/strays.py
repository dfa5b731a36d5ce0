"""What may outlive a simulated host: jobs of `drydock-rman` and connections of sshd lead sessions of their own.

Each is known by the files of that host in its command line, or by a process above it that is: a person's shell or editor
in the folder is nobody's stray.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable
from pathlib import Path

from sandbox.processes import start_time_of

Process = tuple[int, str]
"""Process id and start time: the same id may be given to somebody else meanwhile."""


def processes_of(host: Path) -> set[Process]:
    """sshd of a host's folder, its connections, `drydock-rman`, rman, and all below them; not this process."""
    parents = {pid: parent for pid in _pids() if (parent := _parent(pid)) is not None}
    found = {pid for pid in parents if _belongs(pid, host)}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return {(pid, started) for pid in found - {os.getpid()} if (started := start_time_of(pid))}


def kill_all(host: Path, known: Iterable[Process] = ()) -> list[int]:
    """kill -9 of all that belongs to a host, and of what was known to before; returns the ids.

    Looked for until none is left: one that is killed may just have made another.
    """
    killed: list[int] = []
    found = set(known) | processes_of(host)
    while found:
        killed += [pid for pid, started in found if _kill(pid, started)]
        found = processes_of(host)
    return killed


def _kill(pid: int, started: str) -> bool:
    if start_time_of(pid) != started:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return True


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _parent(pid: int) -> int | None:
    """Field 4 of /proc/PID/stat; None for a process that is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def _belongs(pid: int, host: Path) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return False
    if "sandbox.oracle.host" in words:
        return str(host) in words
    if f"-f {host}/sshd_config " in " ".join(words):  # sshd puts a title of one word in the place of its arguments
        return True
    return str(host / "drydock-rman.conf") in words or any(word.startswith(f"cmdfile={host}/") for word in words)

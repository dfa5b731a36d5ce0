"""Processes that outlive a call: started in sessions of their own, written down, and stopped by name later.

Each one leaves `<state>/run/<name>.json` with its pid and start time, so that a later `make demo` or `make clean` finds
what an earlier one left behind, and never signals a stranger that got the same pid.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

STOP_WAIT_S = 12.0


def start_time_of(pid: int) -> str | None:
    """Start time of a process in clock ticks since boot (field 22 of /proc/PID/stat); None when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[19]


def start(run_dir: Path, name: str, arguments: list[str], env: dict[str, str], log: Path, cwd: Path) -> int:
    """Start one process in its own session with its output in `log`; returns the pid."""
    run_dir.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        process = subprocess.Popen(
            arguments, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    process.returncode = 0  # it is meant to outlive this object; stop_all() ends it
    (run_dir / f"{name}.json").write_text(json.dumps({"pid": process.pid, "started": start_time_of(process.pid)}))
    return process.pid


def running(run_dir: Path) -> dict[str, int]:
    """Names and pids of the written-down processes that still run."""
    found = {}
    for file in sorted(run_dir.glob("*.json")):
        with contextlib.suppress(ValueError, KeyError):
            known = json.loads(file.read_text())
            if start_time_of(known["pid"]) == known["started"]:
                found[file.stem] = known["pid"]
    return found


def stop_all(run_dir: Path) -> list[str]:
    """Stop every written-down process and its session: first politely, then not. Returns the names."""
    alive = running(run_dir)
    sessions = {pid: _members(pid) for pid in alive.values()}
    for pid in alive.values():
        _signal_group(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_WAIT_S
    while time.monotonic() < deadline and any(start_time_of(p) for pid in alive.values() for p in _members(pid)):
        time.sleep(0.1)
    for pid, members in sessions.items():
        for member in members | _members(pid):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(member, signal.SIGKILL)
    _reap()
    for file in run_dir.glob("*.json"):
        file.unlink(missing_ok=True)
    return sorted(alive)


def _members(session: int) -> set[int]:
    """All processes of a session (field 6 of /proc/PID/stat): LocalExecutor's workers are orphans when it dies."""
    members = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                if (entry / "stat").read_text().rpartition(")")[2].split()[3] == str(session):
                    members.add(int(entry.name))
    return members


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass

"""Processes that outlive a call: started in sessions of their own, written down, and stopped by name later.

Each one leaves `<state>/run/<name>.json` with its pid, start time and working directory, so that a later `make demo` or
`make clean` finds what an earlier one left behind, and never signals a stranger that got the same pid. What is stopped is
the whole session: when Airflow's scheduler is killed, its LocalExecutor workers live on and wait for it for ever.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

STOP_WAIT_S = 12.0
PARENT, SESSION = 1, 3  # fields 4 and 6 of /proc/PID/stat


def start_time_of(pid: int) -> str | None:
    """Start time of a process in clock ticks since boot (field 22 of /proc/PID/stat); None when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[19]


def children_of(pid: int) -> list[int]:
    """Process ids of what a process has started and not yet waited for (field 4 of /proc/PID/stat)."""
    return [child for child in _pids() if _field_of(child, PARENT) == pid]


def start(run_dir: Path, name: str, arguments: list[str], env: dict[str, str], log: Path, cwd: Path) -> int:
    """Start one process in its own session with its output in `log`; returns the pid.

    What is left of an earlier process of that name is stopped first.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    stop(run_dir, [name])
    with log.open("ab") as out:
        process = subprocess.Popen(
            arguments, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    process.returncode = 0  # it is meant to outlive this object; stop() ends it
    known = {"pid": process.pid, "started": start_time_of(process.pid), "cwd": str(cwd)}
    (run_dir / f"{name}.json").write_text(json.dumps(known))
    return process.pid


def running(run_dir: Path) -> dict[str, int]:
    """Names and pids of the written-down processes that still run."""
    return {name: known["pid"] for name, known in _written_down(run_dir).items() if _is_alive(known)}


def left_behind(run_dir: Path) -> dict[str, set[int]]:
    """Names of written-down processes -> all that still runs in their sessions, also when they themselves are gone."""
    sessions = {name: _session(known) for name, known in _written_down(run_dir).items()}
    return {name: pids for name, pids in sessions.items() if pids}


def stop_all(run_dir: Path) -> list[str]:
    """Stop every written-down process and its session. Returns the names."""
    return stop(run_dir, _written_down(run_dir))


def stop(run_dir: Path, names: Iterable[str]) -> list[str]:
    """Stop these processes and their sessions: first politely, then not. Returns the names of what still ran."""
    known = {name: entry for name, entry in _written_down(run_dir).items() if name in set(names)}
    sessions = {name: _session(entry) for name, entry in known.items()}
    for entry in known.values():
        if _is_alive(entry):
            _signal_group(entry["pid"], signal.SIGTERM)
    deadline = time.monotonic() + STOP_WAIT_S
    while time.monotonic() < deadline and any(_is_alive(entry) for entry in known.values()):
        time.sleep(0.1)
    for entry in known.values():
        for pid in _session(entry):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
    _reap()
    for name in known:
        (run_dir / f"{name}.json").unlink(missing_ok=True)
    return sorted(name for name, pids in sessions.items() if pids)


def _written_down(run_dir: Path) -> dict[str, dict[str, Any]]:
    """Name -> pid, started, cwd of every process that was started and not stopped."""
    found = {}
    for file in sorted(run_dir.glob("*.json")):
        with contextlib.suppress(ValueError):  # a file that is being written
            found[file.stem] = json.loads(file.read_text())
    return found


def _is_alive(known: Mapping[str, Any]) -> bool:
    return known["started"] is not None and start_time_of(known["pid"]) == known["started"]


def _session(known: Mapping[str, Any]) -> set[int]:
    """All processes of the session that a written-down process leads or led.

    The kernel gives a process id to nobody else while a session has it for its name, but a session that has ended leaves
    it free: of a session without its leader, only what works in the directory that was written down is ours.
    """
    members = {pid for pid in _pids() if _session_of(pid) == known["pid"]}
    if _is_alive(known):
        return members
    return {pid for pid in members - {known["pid"]} if _cwd(pid) == known["cwd"]}


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _session_of(pid: int) -> int | None:
    return _field_of(pid, SESSION)


def _field_of(pid: int, field: int) -> int | None:
    """A number of /proc/PID/stat, counted after the name; None for a process that is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[field])


def _cwd(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/cwd").readlink())
    except OSError:
        return ""


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass

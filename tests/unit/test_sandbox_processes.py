"""Processes of the sandbox that outlive a call: found again, stopped with their whole session, strangers left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox import processes

WITH_CHILD = ["/bin/sh", "-c", "sleep 600 & echo $! > child; wait"]


def start(folder: Path, arguments: list[str] = WITH_CHILD, name: str = "leader") -> int:
    return processes.start(folder / "run", name, arguments, dict(os.environ), folder / "log", folder)


def child_of(folder: Path) -> int:
    wait_until(lambda: (folder / "child").exists() and (folder / "child").read_text().strip().isdigit())
    return int((folder / "child").read_text())


def is_running(pid: int) -> bool:
    return processes.start_time_of(pid) is not None


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def kill_leader(folder: Path) -> int:
    """kill -9 of the process alone; returns its child, which lives on."""
    pid, child = processes.running(folder / "run")["leader"], child_of(folder)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: "leader" not in processes.running(folder / "run"))
    assert is_running(child)
    return child


def test_a_process_is_stopped_with_its_children(tmp_path: Path) -> None:
    pid, child = start(tmp_path), child_of(tmp_path)
    assert processes.running(tmp_path / "run") == {"leader": pid}
    assert processes.stop_all(tmp_path / "run") == ["leader"]
    wait_until(lambda: not is_running(pid) and not is_running(child))
    assert processes.stop_all(tmp_path / "run") == []


def test_children_of_a_killed_process_are_stopped(tmp_path: Path) -> None:
    start(tmp_path)
    child = kill_leader(tmp_path)
    assert processes.left_behind(tmp_path / "run") == {"leader": {child}}
    assert processes.stop_all(tmp_path / "run") == ["leader"]
    wait_until(lambda: not is_running(child))


def test_a_new_start_clears_up_after_a_killed_one_and_leaves_others_alone(tmp_path: Path) -> None:
    other = start(tmp_path, ["/bin/sleep", "600"], "other")
    start(tmp_path)
    child = kill_leader(tmp_path)
    (tmp_path / "child").unlink()
    pid = start(tmp_path)
    wait_until(lambda: not is_running(child))
    assert processes.running(tmp_path / "run") == {"leader": pid, "other": other}
    assert processes.stop_all(tmp_path / "run") == ["leader", "other"]


@pytest.mark.parametrize(
    "known", ['{"pid": %d, "started": "1", "cwd": "/nowhere"}', '{"pid": %d, "started": null, "cwd": "/"}', ""]
)
def test_a_stranger_with_the_same_process_id_is_never_signalled(tmp_path: Path, known: str) -> None:
    stranger = subprocess.Popen(["/bin/sleep", "600"], start_new_session=True)
    try:
        (tmp_path / "leader.json").write_text(known % stranger.pid if known else "{")
        assert processes.running(tmp_path) == {} and processes.stop_all(tmp_path) == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()

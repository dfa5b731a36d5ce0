"""One sandbox and one Airflow for the whole tier: first `make demo`'s program cold, then warm with the UI up."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from drydock.engines.postgres_server import free_port
from sandbox import airflow_server, demo
from sandbox.airflow_server import AirflowServer
from sandbox.clusters import Sandbox
from sandbox.stop import stop_everything

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class DemoRun:
    """What one call of the demo said, how it ended, and which processes and scratch areas it left."""

    output: str
    returncode: int
    left_running: tuple[str, ...]
    left_behind: tuple[str, ...]


@dataclass(frozen=True)
class Voyage:
    """A sandbox with its Airflow, both up."""

    sandbox: Sandbox
    server: AirflowServer


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state folder of this session's own; everything that still runs in it is stopped at the end."""
    folder = tmp_path_factory.mktemp("voyage")
    patch = pytest.MonkeyPatch()
    patch.setenv("DRYDOCK_STATE", str(folder))
    patch.setenv("DRYDOCK_ESTATE", "sandbox")
    patch.setenv("DRYDOCK_PORT", str(free_port()))
    try:
        yield folder
    finally:
        stop_everything(folder)
        patch.undo()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def cold_demo(state: Path) -> DemoRun:
    """`make demo` on a machine where nothing was made yet, not in a terminal."""
    env = os.environ | {"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}"}
    arguments = [sys.executable, "-m", "sandbox.demo"]
    done = subprocess.run(
        arguments, env=env, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False
    )
    areas = tuple(str(area) for area in (state / "scratch").glob("drydock-drill-*"))
    return DemoRun(done.stdout + done.stderr, done.returncode, tuple(processes_with(str(state))), areas)


def processes_with(text: str) -> list[str]:
    """Command lines of running processes that mention `text`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found += [line] if text in line else []
    return found


@pytest.fixture(scope="session")
def voyage(cold_demo: DemoRun, state: Path) -> Iterator[Voyage]:
    """The same sandbox started warm, with the UI up."""
    assert cold_demo.returncode == 0, cold_demo.output[-4000:]
    sandbox, server = demo.set_up(Console(quiet=True))
    try:
        yield Voyage(sandbox, server)
    finally:
        airflow_server.stop(server)

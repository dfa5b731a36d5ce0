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

import psycopg
import pytest
from rich.console import Console
from sqlalchemy import Engine

from drydock.engines.postgres_server import free_port
from drydock.ledger.connect import ledger_engine, ledger_url_from
from sandbox import airflow_server, demo
from sandbox.airflow_server import AirflowServer
from sandbox.clusters import AIRFLOW_DB, LEDGER_DB, META, Sandbox
from sandbox.stop import stop_everything

ROOT = Path(__file__).parents[2]
WORKER_WAITS_S = "2"  # for RMAN, before it lets go of the task


@dataclass(frozen=True)
class DemoRun:
    """What one call of the demo said and asked, how it ended, and which processes, scratch areas, jobs and sockets it left."""

    output: str
    returncode: int
    left_running: tuple[str, ...]
    left_behind: tuple[str, ...]
    left_of_oracle: tuple[str, ...] = ()
    asked_of_rman: tuple[str, ...] = ()


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
    target = demo.oracle_target(state)
    jobs = (*target.host.spool.glob("dd-*"), *target.host.spool.glob(".new.*"), *(p for p in [target.socket] if p.exists()))
    asked = tuple((target.folder / "asked").read_text().splitlines()) if (target.folder / "asked").exists() else ()
    running = tuple(processes_with(str(state)))
    return DemoRun(done.stdout + done.stderr, done.returncode, running, areas, tuple(map(str, jobs)), asked)


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
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DRYDOCK_RMAN_WAIT_S", WORKER_WAITS_S)
        sandbox, server = demo.set_up(Console(quiet=True))
        try:
            yield Voyage(sandbox, server)
        finally:
            airflow_server.stop(server)


@pytest.fixture(scope="session")
def ledger(voyage: Voyage) -> Iterator[Engine]:
    e = voyage.sandbox.endpoint(META, "drydock_ledger", LEDGER_DB)
    engine = ledger_engine(ledger_url_from(e.host, e.port, e.user, e.password, e.dbname))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def metadata(voyage: Voyage) -> Iterator[psycopg.Connection]:
    e = voyage.sandbox.endpoint(META, "airflow", AIRFLOW_DB)
    login = {"host": e.host, "port": e.port, "user": e.user, "password": e.password, "dbname": e.dbname}
    with psycopg.connect(**login, autocommit=True) as session:
        yield session

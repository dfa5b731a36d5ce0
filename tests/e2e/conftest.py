"""One sandbox and one Airflow for the whole tier: first `make demo`'s program cold, then warm with the UI up.

They end with the last test of the tier: the same process goes on with other tests, and an Airflow takes its share of a core.
"""

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
ENDING = contextlib.ExitStack()
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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    try:
        return (yield)
    finally:
        if nextitem is None or nextitem.path.parent != item.path.parent:
            ENDING.close()


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder of this session's own; everything that still runs in it is stopped at the end."""
    folder = tmp_path_factory.mktemp("voyage")
    patch = ENDING.enter_context(pytest.MonkeyPatch.context())
    ENDING.callback(shutil.rmtree, folder, ignore_errors=True)
    ENDING.callback(stop_everything, folder)
    patch.setenv("DRYDOCK_STATE", str(folder))
    patch.setenv("DRYDOCK_ESTATE", "sandbox")
    patch.setenv("DRYDOCK_PORT", str(free_port()))
    return folder


@pytest.fixture(scope="session")
def cold_demo(state: Path) -> DemoRun:
    """`make demo` on a machine where nothing was made yet, not in a terminal."""
    env = os.environ | {"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}"}
    arguments = [sys.executable, "-m", "sandbox.demo"]
    done = subprocess.run(
        arguments, env=env, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=850, check=False
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
def voyage(cold_demo: DemoRun, state: Path) -> Voyage:
    """The same sandbox started warm, with the UI up."""
    assert cold_demo.returncode == 0, cold_demo.output[-4000:]
    ENDING.enter_context(pytest.MonkeyPatch.context()).setenv("DRYDOCK_RMAN_WAIT_S", WORKER_WAITS_S)
    sandbox, server = demo.set_up(Console(quiet=True))
    ENDING.callback(airflow_server.stop, server)
    return Voyage(sandbox, server)


@pytest.fixture(scope="session")
def ledger(voyage: Voyage) -> Engine:
    e = voyage.sandbox.endpoint(META, "drydock_ledger", LEDGER_DB)
    engine = ledger_engine(ledger_url_from(e.host, e.port, e.user, e.password, e.dbname))
    ENDING.callback(engine.dispose)
    return engine


@pytest.fixture(scope="session")
def metadata(voyage: Voyage) -> psycopg.Connection:
    e = voyage.sandbox.endpoint(META, "airflow", AIRFLOW_DB)
    login = {"host": e.host, "port": e.port, "user": e.user, "password": e.password, "dbname": e.dbname}
    return ENDING.enter_context(psycopg.connect(**login, autocommit=True))

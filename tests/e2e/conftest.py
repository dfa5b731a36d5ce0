"""One sandbox and one Airflow for the whole tier: those of `make demo`, called in a terminal, where it stays up until Ctrl-C.

They end with the last test of the tier: the same process goes on with other tests, and an Airflow takes its share of a core.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine

from drydock.engines.postgres_server import free_port
from drydock.ledger.connect import ledger_engine, ledger_url_from
from sandbox import demo
from sandbox.airflow_server import AirflowServer
from sandbox.clusters import AIRFLOW_DB, LEDGER_DB, META, Sandbox, open_sandbox
from sandbox.oracle.target import Target
from sandbox.stop import stop_everything

ROOT = Path(__file__).parents[2]
ENDING = contextlib.ExitStack()
WORKER_WAITS_S = "4"  # for RMAN, before it lets go of the task
SHOWN_WITHIN_S, ENDED_WITHIN_S = 850.0, 120.0
STAYS_UP = "The UI stays up until Ctrl-C"
ROWS, COLUMNS = 60, 240  # of the terminal: no line is broken
CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


@dataclass
class Terminal:
    """A program in a terminal of its own, and what it has said there so far."""

    process: subprocess.Popen[bytes]
    master: int
    said: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):  # how a terminal says that nobody writes to it any more
            while piece := os.read(self.master, 65536):
                self.said += piece

    @property
    def output(self) -> str:
        """Without the codes that colour and move."""
        return CONTROLS.sub("", self.said.decode(errors="replace"))

    def wait_for(self, words: str, wait_s: float) -> bool:
        """False when the program ends, or the time, before the words come."""
        deadline = time.monotonic() + wait_s
        while words.encode() not in self.said and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.2)
        return words in self.output

    def end(self, wait_s: float = ENDED_WITHIN_S) -> int | None:
        """Ctrl-C, and how it ended; None when it had to be killed."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(wait_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None


@dataclass(frozen=True)
class DemoRun:
    """The demo after it has shown its results, while its UI is up: what it said, and what its runs left and asked for."""

    terminal: Terminal
    stays_up: bool
    output: str
    left_behind: tuple[str, ...]
    left_of_oracle: tuple[str, ...]
    asked_of_rman: tuple[str, ...]


@dataclass(frozen=True)
class Ended:
    """The demo after Ctrl-C: how it ended, and which processes, scratch areas, jobs of RMAN and sockets it left."""

    returncode: int | None
    output: str
    left_running: tuple[str, ...]
    left_behind: tuple[str, ...]
    left_of_oracle: tuple[str, ...]


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


def pytest_sessionfinish() -> None:
    """Also after Ctrl-C in the middle of a fixture, which no teardown follows."""
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
    patch.setenv("DRYDOCK_RMAN_WAIT_S", WORKER_WAITS_S)
    return folder


@pytest.fixture(scope="session")
def cold_demo(state: Path) -> DemoRun:
    """`make demo` in a terminal, on a machine where nothing was made yet, until its UI waits for a person."""
    terminal = ENDING.enter_context(demo_in_a_terminal())
    stays_up = terminal.wait_for(STAYS_UP, SHOWN_WITHIN_S)
    target = demo.oracle_target(state)
    asked = tuple((target.folder / "asked").read_text().splitlines()) if (target.folder / "asked").exists() else ()
    return DemoRun(terminal, stays_up, terminal.output, areas_in(state), jobs_of(target), asked)


@contextlib.contextmanager
def demo_in_a_terminal() -> Iterator[Terminal]:
    """Ctrl-C at the end, if nobody has typed it before."""
    env = os.environ | {"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}", "TERM": "xterm"}
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    arguments = [sys.executable, "-m", "sandbox.demo"]
    process = subprocess.Popen(arguments, env=env, cwd=ROOT, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    terminal = Terminal(process, master)
    try:
        yield terminal
    finally:
        if process.poll() is None:
            terminal.end()
        os.close(master)


@pytest.fixture(scope="session")
def ended_demo(cold_demo: DemoRun, state: Path) -> Ended:
    """The same demo after Ctrl-C. Tests that ask for it are the last of the tier (tests/conftest.py)."""
    returncode = cold_demo.terminal.end()
    target = demo.oracle_target(state)
    sockets = tuple(str(path) for path in [target.socket] if path.exists())
    running, output = tuple(processes_with(str(state))), cold_demo.terminal.output
    return Ended(returncode, output, running, areas_in(state), (*jobs_of(target), *sockets))


def areas_in(state: Path) -> tuple[str, ...]:
    return tuple(str(area) for area in (state / "scratch").glob("drydock-drill-*"))


def jobs_of(target: Target) -> tuple[str, ...]:
    """What lies in the place where RMAN's jobs are kept."""
    return tuple(str(path) for pattern in ("dd-*", ".new.*") for path in target.host.spool.glob(pattern))


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
    """The demo's sandbox and Airflow, which stay up."""
    assert cold_demo.stays_up, cold_demo.output[-4000:]
    sandbox = open_sandbox(state)
    return Voyage(sandbox, demo.airflow_of(sandbox, demo.port(), ROOT / "dags"))


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

"""`make demo`: everything set up, the sandbox's backups judged through a real Airflow, verdicts and reports shown.

In a terminal the UI stays up until Ctrl-C, which stops every process that was started and leaves the data: the next
`make demo` starts warm. Elsewhere it ends by itself, with 0 when every run ended and each verdict is the planted one.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
from rich.console import Console

from drydock import settings
from drydock.backup.results import QUESTIONS, Judgement
from drydock.configuration import load_estate
from drydock.engines.postgres_server import ServerError
from drydock.ledger import history
from drydock.ledger.connect import ledger_engine, ledger_url_from
from sandbox import airflow_server, progress
from sandbox.accounts import COPYING_ACCOUNT, LOOKING_ACCOUNT, READING_ACCOUNT, WORKING_ACCOUNT
from sandbox.airflow_server import USER, AirflowNotReady, AirflowServer
from sandbox.build import build_sandbox, is_current, migrate_ledger
from sandbox.clusters import (
    AIRFLOW_DB,
    COPIED,
    COPIES,
    KEYS,
    LEDGER_DB,
    META,
    TARGETS,
    Sandbox,
    SandboxMissing,
    copy_dbname,
    open_sandbox,
    start_all,
    target_dbname,
)
from sandbox.oracle.target import DATABASE, Target, is_same_past, prepare_target, start_target
from sandbox.progress import RunsTookTooLong
from sandbox.stop import stop_everything
from sandbox.verdict_table import differences, finding_lines, verdict_table

DEFAULT_PORT = 8080
NEEDED_BYTES = 2 * 1024**3
PARSE_WAIT_S = 120
WIDTH_OF_A_LOG = 140
RUNS_WAIT_S = 600
GOOD, WRONG, STOPPED = 0, 1, 130


class CannotStart(Exception):
    """Something that a person must mend first; the text is one line with the fix."""


def main() -> int:
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDTH_OF_A_LOG)
    began = time.monotonic()
    os.environ["DRYDOCK_ESTATE"] = "sandbox"  # the demo's truth is the sandbox's, whatever estate the shell has chosen
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    try:
        stop_everything(settings.state_dir())
        return run_demo(console, began)
    except (CannotStart, AirflowNotReady, RunsTookTooLong, ServerError) as e:
        console.print(f"drydock: {e}")
        return WRONG
    except httpx.HTTPError as e:
        console.print(
            f"drydock: Airflow does not answer ({type(e).__name__}); see the logs in {settings.state_dir() / 'airflow' / 'logs'}"
        )
        return WRONG
    except OSError as e:
        console.print(f"drydock: {e.strerror or e}: {e.filename or settings.state_dir()}")
        return WRONG
    except KeyboardInterrupt:
        return STOPPED
    finally:
        stop_everything(settings.state_dir())


def run_demo(console: Console, began: float) -> int:
    """Set up, run, show; returns the exit code."""
    check_machine(settings.state_dir(), port())
    sandbox, server = set_up(console)
    say(console, began, f"Airflow is up at {server.url}")
    with airflow_server.client(server) as api:
        states = run_checks(api, console)
    say(console, began, "every run has ended")
    good = show_results(sandbox, server, states, console)
    say(console, began, "each verdict is the planted one" if good else "some verdicts are NOT the planted ones")
    if sys.stdin.isatty() and sys.stdout.isatty():
        wait_for_person(console)
    return GOOD if good else WRONG


def port() -> int:
    return int(os.environ.get("DRYDOCK_PORT") or DEFAULT_PORT)


def check_machine(state: Path, airflow_port: int) -> None:
    """What would fail later in a worse way. Raises CannotStart."""
    state.mkdir(parents=True, exist_ok=True)
    free_bytes = shutil.disk_usage(state).free
    if free_bytes < NEEDED_BYTES:
        raise CannotStart(f"the disk of {state} has {free_bytes / 1e9:.1f} GB free and 2 GB are needed; free some space")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", airflow_port))
        except OSError as e:
            raise CannotStart(f"port {airflow_port} is in use; choose another: DRYDOCK_PORT=8090 make demo") from e


def set_up(console: Console) -> tuple[Sandbox, AirflowServer]:
    """The sandbox's databases and Airflow, from what is there already where it still holds."""
    state = settings.state_dir()
    sandbox = warm_sandbox(state)
    if sandbox is None:
        console.print("Building the sandbox: three databases, nine days of backups ...")
        for folder in ("airflow", "oracle"):
            shutil.rmtree(state / folder, ignore_errors=True)
        sandbox = build_sandbox(state, say=lambda line: console.print(f"  {line}"))
    console.print("Starting the simulator of an Oracle database: listener, sshd, rman ...")
    start_target(oracle_target(state), state / "oracle" / "run")
    server = airflow_of(sandbox, port(), settings.home() / "dags")
    console.print("Starting Airflow: scheduler, API server, DAG processor, triggerer ...")
    airflow_server.migrate(server)
    airflow_server.start(server)
    airflow_server.wait_ready(server)
    return sandbox, server


def warm_sandbox(state: Path) -> Sandbox | None:
    """The sandbox of an earlier call, running again; None where there is none, a night has passed, or its past is another.

    The ledger remembers the simulator's backups: should its code live another past now, they would all seem to be gone.
    """
    try:
        sandbox = open_sandbox(state)
    except SandboxMissing:
        return None
    if not is_current(sandbox, datetime.now(UTC)) or not is_same_past(state / "oracle" / DATABASE):
        return None
    start_all(sandbox)
    migrate_ledger(sandbox)
    return sandbox


def oracle_target(state: Path) -> Target:
    return prepare_target(state / "oracle" / DATABASE)


def airflow_of(sandbox: Sandbox, airflow_port: int, dags_dir: Path) -> AirflowServer:
    """The Airflow of a sandbox: its metadata database, and a connection per target and for the ledger."""
    endpoints = {f"db_{name}": sandbox.endpoint(name, LOOKING_ACCOUNT, target_dbname(name)) for name in TARGETS}
    endpoints |= {f"work_{name}": sandbox.endpoint(name, WORKING_ACCOUNT, target_dbname(name)) for name in TARGETS}
    endpoints |= {f"read_{name}": sandbox.endpoint(name, READING_ACCOUNT, target_dbname(name)) for name in TARGETS}
    endpoints |= {f"copy_{name}": sandbox.endpoint(COPIES, COPYING_ACCOUNT, copy_dbname(name)) for name in COPIED}
    endpoints["drydock_ledger"] = sandbox.endpoint(META, "drydock_ledger", LEDGER_DB)
    connections = {name: airflow_server.postgres_connection(endpoint) for name, endpoint in endpoints.items()}
    connections |= {name: airflow_server.key_connection(key) for name, key in sandbox.passwords[KEYS].items()}
    connections |= oracle_target(sandbox.state).connections()
    metadata = sandbox.endpoint(META, "airflow", AIRFLOW_DB)
    return airflow_server.open_airflow(sandbox.state / "airflow", airflow_port, metadata, connections, dags_dir)


def run_checks(api, console: Console) -> dict[str, str]:
    """Trigger every backup DAG at full depth, and watch until all have ended."""
    dag_ids = [f"backup__{database.id}" for database in load_estate().databases]
    progress.wait_for_dags(api, dag_ids, PARSE_WAIT_S)
    runs = [progress.trigger(api, dag_id, {"depth": "drill"}) for dag_id in dag_ids]
    return progress.watch(api, runs, console, RUNS_WAIT_S)


def judgements_of(sandbox: Sandbox, day: date) -> dict[str, Judgement]:
    endpoint = sandbox.endpoint(META, "drydock_ledger", LEDGER_DB)
    engine = ledger_engine(ledger_url_from(endpoint.host, endpoint.port, endpoint.user, endpoint.password, endpoint.dbname))
    try:
        return history.judgements_of_day(engine, day)
    finally:
        engine.dispose()


def show_results(sandbox: Sandbox, server: AirflowServer, states: dict[str, str], console: Console) -> bool:
    """The verdict table, reports, URL and login; True when everything is as planted."""
    day = datetime.now(load_estate().databases[0].zone).date()
    judgements = judgements_of(sandbox, day)
    console.print(verdict_table(judgements, load_estate()))
    for line in finding_lines(judgements, settings.language()):
        console.print(line, markup=False)
    wrong = differences(judgements, states)
    for line in wrong:
        console.print(f"  not as planted: {line}")
    folder = settings.reports_dir() / day.isoformat()
    console.print("Reports:", *(f"  {path}" for path in sorted(folder.glob("*"))), sep="\n")
    console.print(f"Airflow: {server.url}   login: {USER} / {server.password}")
    return not wrong and all(set(QUESTIONS) == {v.question for v in j.verdicts} for j in judgements.values())


def wait_for_person(console: Console) -> None:
    console.print("The UI stays up until Ctrl-C; the data stays after it.")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        console.print("\nStopping ...")


def say(console: Console, began: float, line: str) -> None:
    console.print(f"[{time.monotonic() - began:5.0f} s] {line}", markup=False)


if __name__ == "__main__":
    sys.exit(main())

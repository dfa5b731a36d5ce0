"""The scheduler, and the workers of tasks, are killed (kill -9) while runs go through a real Airflow.

A killed scheduler is started again as a service manager would: what is left of its session is stopped first. Airflow
finds the tasks of the dead one and runs them again; the run ends with the planted verdict, and nothing is left behind.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from rich.console import Console
from sqlalchemy import Engine, func, select

from drydock.backup.scratch import PREFIX
from drydock.ledger import history
from drydock.ledger.connect import ledger_engine, ledger_url_from
from drydock.ledger.models import DrillRow, JudgementRow, RunEventRow
from sandbox import airflow_server, processes, progress
from sandbox.clusters import AIRFLOW_DB, LEDGER_DB, META
from sandbox.progress import TriggeredRun
from sandbox.verdict_table import differences
from tests.e2e.conftest import Voyage
from tests.leftovers import reports_in, wait_for_nothing_left

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

DATABASE, OTHER = "gz_market", "gz_main"
WAIT_S = 240.0
POLL_S = 0.02
ORDER = (None, "scheduled", "queued", "running", "success")  # a task's way; a task that was reset begins anew
DEATHS = [
    ("survey", "queued"),
    ("survey", "running"),
    ("survey", "success"),
    ("read", "running"),
    ("read", "success"),
    ("drill", "queued"),
    ("drill", "running"),
    ("judge", "running"),
    ("report", "running"),
    ("outcome", "running"),
]
FINISHED_BY_AN_ORPHAN = ("judge", "running")  # its worker is left alone until it is done


@pytest.fixture(scope="module")
def api(voyage: Voyage) -> Iterator[httpx.Client]:
    with airflow_server.client(voyage.server) as client:
        progress.wait_for_dags(client, [f"backup__{d}" for d in (DATABASE, OTHER)], 120)
        yield client


@pytest.fixture(scope="module")
def ledger(voyage: Voyage) -> Iterator[Engine]:
    e = voyage.sandbox.endpoint(META, "drydock_ledger", LEDGER_DB)
    engine = ledger_engine(ledger_url_from(e.host, e.port, e.user, e.password, e.dbname))
    yield engine
    engine.dispose()


class Tasks:
    """The task instances of a run as Airflow's metadata database has them this moment."""

    def __init__(self, session: psycopg.Connection, run: TriggeredRun) -> None:
        self.session, self.run = session, run

    def look(self, task: str) -> tuple[str | None, int | None, int]:
        """State, process id and number of the try of one task."""
        wanted = (self.run.dag_id, self.run.run_id, task)
        question = "select state, pid, try_number from task_instance where dag_id = %s and run_id = %s and task_id = %s"
        row = self.session.execute(question, wanted).fetchone()
        return row or (None, None, 0)

    def wait_for(self, task: str, state: str) -> None:
        """Until the task is in that state; in a later one when the state passed too quickly to be seen."""
        wait_until(lambda: rank(self.look(task)[0]) >= rank(state), f"{task} is never {state}")

    def kill(self, task: str) -> None:
        """kill -9 of the process of a running task."""
        pid = self.look(task)[1]
        assert pid is not None
        os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def metadata(voyage: Voyage) -> Iterator[psycopg.Connection]:
    e = voyage.sandbox.endpoint(META, "airflow", AIRFLOW_DB)
    login = {"host": e.host, "port": e.port, "user": e.user, "password": e.password, "dbname": e.dbname}
    with psycopg.connect(**login, autocommit=True) as session:
        yield session


def rank(state: str | None) -> int:
    """How far a task in that state has come."""
    return ORDER.index(state) if state in ORDER else 0


def wait_until(is_so: Callable[[], bool], else_text: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < deadline, else_text
        time.sleep(POLL_S)


def wait_for_scratch_area(state: Path) -> None:
    wait_until(lambda: any((state / "scratch").glob(f"{PREFIX}*")), "the drill does not begin")


def test_a_scheduler_killed_ten_times_loses_nothing(
    api: httpx.Client, voyage: Voyage, metadata: psycopg.Connection, ledger: Engine, state: Path
) -> None:
    run = progress.trigger(api, f"backup__{DATABASE}", {"depth": "drill"})
    tasks, dead = Tasks(metadata, run), []
    for task, task_state in DEATHS:
        tasks.wait_for(task, task_state)
        if (task, task_state) == ("drill", "running"):
            wait_for_scratch_area(state)
        dead.append(kill_scheduler(voyage))
        if (task, task_state) == FINISHED_BY_AN_ORPHAN:
            tasks.wait_for(task, "success")
        airflow_server.start_component(voyage.server, "scheduler")
    states = progress.watch(api, [run], Console(quiet=True), WAIT_S)
    assert_ended_as_planted(ledger, run, states)
    assert tasks.look(FINISHED_BY_AN_ORPHAN[0])[2] == 1
    assert_nothing_left(state, dead)


def test_a_killed_worker_is_found_and_its_task_tried_again(
    api: httpx.Client, metadata: psycopg.Connection, ledger: Engine, state: Path
) -> None:
    """The LocalExecutor worker above a task, and the process of a task itself, in the middle of their work."""
    runs = [progress.trigger(api, f"backup__{d}", {"depth": "drill"}) for d in (DATABASE, OTHER)]
    above, below = (Tasks(metadata, run) for run in runs)
    above.wait_for("read", "running")
    orphan = above.look("read")[1]
    os.kill(parent_of(orphan), signal.SIGKILL)
    below.wait_for("drill", "running")
    wait_for_scratch_area(state)
    below.kill("drill")
    below.wait_for("outcome", "running")
    below.kill("outcome")
    states = progress.watch(api, runs, Console(quiet=True), WAIT_S)
    for run in runs:
        assert_ended_as_planted(ledger, run, states)
    assert above.look("read")[2] == below.look("drill")[2] == below.look("outcome")[2] == 2
    assert not Path(f"/proc/{orphan}").exists()
    assert_nothing_left(state, [])


def parent_of(pid: int) -> int:
    """Field 4 of /proc/PID/stat."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def kill_scheduler(voyage: Voyage) -> int:
    """kill -9 of the scheduler alone: its LocalExecutor workers live on. Returns its session."""
    pid = processes.running(voyage.server.run_dir)["scheduler"]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: "scheduler" not in processes.running(voyage.server.run_dir), "the scheduler lives on")
    return pid


def assert_ended_as_planted(ledger: Engine, run: TriggeredRun, states: dict[str, str]) -> None:
    """The planted verdict and colour; however often it was judged, the same was said; one drill, one end."""
    database = run.dag_id.removeprefix("backup__")
    run_id = history.find_run(ledger, "backup", database, run.run_id)
    judgement = history.judgement_of(ledger, run_id)
    assert [line for line in differences({database: judgement}, states) if line.startswith(f"{database}:")] == []
    with ledger.connect() as connection:
        said = select(JudgementRow.status).where(JudgementRow.run_id == run_id)
        assert set(connection.execute(said).scalars()) == {judgement.status.value}
        drills = select(func.count()).select_from(DrillRow).where(DrillRow.run_id == run_id)
        assert connection.execute(drills).scalar_one() == 1
        events = select(RunEventRow.event).where(RunEventRow.run_id == run_id).order_by(RunEventRow.id)
        assert list(connection.execute(events).scalars())[-1] == "finished"


def assert_nothing_left(state: Path, sessions: list[int]) -> None:
    assert wait_for_nothing_left(state / "scratch") == []
    reports = reports_in(state / "reports")
    assert reports and sorted(p for p in (state / "reports").rglob("*") if p.is_file()) == reports
    assert [pid for pid in sessions if members_of(pid)] == []


def members_of(session: int) -> list[int]:
    """Processes of a session whose leader was killed."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if session_of(pid) == session]


def session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None

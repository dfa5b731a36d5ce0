"""The scheduler, and the workers of tasks, are killed (kill -9) while runs go through a real Airflow.

A killed scheduler is started again as a service manager would: what is left of its session is stopped first. Airflow
finds the tasks of the dead one and runs them again; the run ends with the planted verdict, and nothing is left behind.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from rich.console import Console
from sqlalchemy import Engine, func, select

from drydock import settings
from drydock.backup.scratch import PREFIX
from drydock.ledger import history
from drydock.ledger.models import DrillRow, JudgementRow, RunEventRow
from sandbox import airflow_server, progress
from sandbox.airflow_server import AirflowServer
from sandbox.progress import TriggeredRun
from sandbox.verdict_table import differences
from tests.e2e.conftest import Voyage
from tests.e2e.seeing import WAIT_S, Tasks, kill_component, wait_until
from tests.leftovers import reports_in, wait_for_nothing_left

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

DATABASE, OTHER = "gz_market", "gz_main"


@pytest.fixture(scope="module")
def api(voyage: Voyage) -> Iterator[httpx.Client]:
    with airflow_server.client(voyage.server) as client:
        progress.wait_for_dags(client, [f"backup__{d}" for d in (DATABASE, OTHER)], 120)
        yield client


def wait_for_scratch_area(state: Path) -> None:
    wait_until(lambda: any((state / "scratch").glob(f"{PREFIX}*")), "the drill does not begin")


class Deaths:
    """Kills the scheduler and starts it again; `sessions` are those of the dead ones."""

    def __init__(self, server: AirflowServer) -> None:
        self.server, self.sessions = server, list[int]()

    def happen(self, before_the_next: Callable[[], None] = lambda: None) -> None:
        self.sessions.append(kill_component(self.server, "scheduler"))
        before_the_next()
        airflow_server.start_component(self.server, "scheduler")
        wait_until(lambda: not any(map(works_at_home, members_of(self.sessions[-1]))), "a task of the dead one lives on")


def test_a_scheduler_killed_at_ten_points_loses_nothing(
    api: httpx.Client, voyage: Voyage, metadata: psycopg.Connection, ledger: Engine, state: Path
) -> None:
    """Six deaths: most come when two runs are each at a point of their own; a task that is running is held there."""
    deaths = Deaths(voyage.server)
    ahead = Tasks(metadata, progress.trigger(api, f"backup__{OTHER}", {"depth": "drill"}))
    ahead.hold("survey")
    after = Tasks(metadata, progress.trigger(api, f"backup__{DATABASE}", {"depth": "drill"}))
    after.wait_for("survey", "queued")
    deaths.happen()
    after.hold("survey")
    ahead.hold("read")
    after.let_go("survey")
    after.wait_for("survey", "success")
    deaths.happen()
    after.hold("read")
    ahead.wait_for("drill", "running")
    wait_for_scratch_area(state)
    ahead.hold("drill")
    after.let_go("read")
    after.wait_for("read", "success")
    deaths.happen()
    after.wait_for("drill", "queued")
    deaths.happen()
    after.hold("drill")
    ahead.hold("report")
    after.let_go("drill")
    after.wait_for("judge", "running")
    deaths.happen(lambda: after.wait_for("judge", "success"))  # its worker, an orphan, is left alone until it is done
    ahead.wait_for("outcome", "running")
    deaths.happen()
    states = progress.watch(api, [after.run, ahead.run], Console(quiet=True), WAIT_S)
    for tasks in (after, ahead):
        assert_ended_as_planted(ledger, tasks.run, states)
    assert after.look("judge")[2] == 1, "what an orphan finished is not done again"
    assert (
        ahead.look("survey")[2] > 1 and ahead.look("read")[2] > 1 and ahead.look("drill")[2] > 1 and ahead.look("report")[2] > 1
    )
    assert_nothing_left(state, deaths.sessions)


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


def works_at_home(pid: int) -> bool:
    """True for Airflow's own, which were killed with it but may still be dying; servers of a drill work in its scratch area."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == settings.home()
    except OSError:
        return False


def session_of(pid: int) -> int | None:
    """Field 6 of /proc/PID/stat; None for a process that is gone, or dead and only not yet waited for by the demo above it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[3])

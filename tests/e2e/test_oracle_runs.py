"""The Oracle simulator's runs through a real scheduler and triggerer: what waits, what is killed, and what a person ends.

One question to RMAN is held back by the simulator, so that the task `read` has to wait for it.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from rich.console import Console
from sqlalchemy import Engine

from drydock.backup.results import ReadUnit
from drydock.ledger import history
from sandbox import airflow_server, demo, progress
from sandbox.oracle.target import DATABASE, Target
from sandbox.progress import TriggeredRun
from sandbox.verdict_table import differences
from tests.e2e.conftest import Voyage
from tests.e2e.seeing import WAIT_S, Tasks, kill_component, wait_until
from tests.leftovers import is_whole

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

DAG = f"backup__{DATABASE}"
HELD = "RESTORE SPFILE VALIDATE"  # asked in every run, and none before it takes long
FREE_WITHIN_S = 60.0  # its run ends long after that
STOPPED_WITHIN_S = 120.0  # a busy machine: a triggerer's first question took 23 s there


@pytest.fixture(scope="module")
def api(voyage: Voyage) -> Iterator[httpx.Client]:
    with airflow_server.client(voyage.server) as client:
        progress.wait_for_dags(client, [DAG], 120)
        yield client


@pytest.fixture
def target(voyage: Voyage) -> Iterator[Target]:
    """The simulator, holding one question back."""
    target = demo.oracle_target(voyage.sandbox.state)
    (target.folder / "hold").write_text(HELD)
    yield target
    (target.folder / "hold").unlink(missing_ok=True)


@pytest.fixture
def held(target: Target, api: httpx.Client, metadata: psycopg.Connection) -> Tasks:
    """A run whose task `read` waits for the question that is held back, and has let go of its worker."""
    (target.folder / "asked").unlink(missing_ok=True)
    tasks = Tasks(metadata, progress.trigger(api, DAG, {"depth": "bytes"}))
    wait_until(lambda: tasks.look("read")[0] == "deferred", "read is never deferred")
    assert asked(target)[HELD] == 1 and len(rman_processes(target)) == 1
    return tasks


def asked(target: Target) -> Counter[str]:
    """How often each command came to RMAN."""
    return Counter((target.folder / "asked").read_text().splitlines())


def rman_processes(target: Target) -> list[str]:
    """Ids of the rman processes that work for this host."""
    pattern = f"sandbox.oracle.rman .*cmdfile={target.host.spool}/"
    return subprocess.run(["pgrep", "-f", pattern], capture_output=True, text=True, check=False).stdout.split()


def triggerer_of(metadata: psycopg.Connection, run: TriggeredRun) -> int | None:
    """The job id of the triggerer that looks after the run's deferred task."""
    question = "select g.triggerer_id from task_instance i join trigger g on g.id = i.trigger_id where i.run_id = %s"
    row = metadata.execute(question, (run.run_id,)).fetchone()
    return row[0] if row else None


def wait_for_trigger(voyage: Voyage, run: TriggeredRun, attempt: int = 1) -> None:
    """Until a triggerer has begun to wait: Airflow tells nobody of an act that comes before; a job has its deadline for that."""
    folder = voyage.server.home / "logs" / "tasks" / f"dag_id={run.dag_id}" / f"run_id={run.run_id}" / "task_id=read"
    pattern = f"attempt={attempt}.log.trigger.*"
    wait_until(lambda: any("starting" in p.read_text() for p in folder.glob(pattern)), "no trigger starts")


def clear(api: httpx.Client, run: TriggeredRun, **how: object) -> None:
    wanted = {"dry_run": False, "dag_run_id": run.run_id, "task_ids": ["read"], "only_failed": False} | how
    api.post(f"/dags/{run.dag_id}/clearTaskInstances", json=wanted).raise_for_status()


def test_a_waiting_task_holds_no_worker_and_outlives_triggerer_scheduler_and_a_clear(
    held: Tasks, target: Target, api: httpx.Client, voyage: Voyage, metadata: psycopg.Connection, ledger: Engine
) -> None:
    slots = api.get("/pools/backup_reads").json()
    assert (slots["running_slots"], slots["queued_slots"], slots["deferred_slots"]) == (0, 0, 1)
    wait_until(lambda: not Path(f"/proc/{held.look('read')[1]}").exists(), "its process stays", FREE_WITHIN_S)
    wait_until(lambda: triggerer_of(metadata, held.run), "no triggerer looks after it")
    before = triggerer_of(metadata, held.run)
    for component in ("triggerer", "scheduler"):
        kill_component(voyage.server, component)
    for component in ("triggerer", "scheduler"):
        airflow_server.start_component(voyage.server, component)
    assert held.look("read")[0] == "deferred" and len(rman_processes(target)) == 1
    wait_until(lambda: triggerer_of(metadata, held.run) not in (before, None), "no triggerer takes the waiting over")
    wait_for_trigger(voyage, held.run)
    clear(api, held.run)
    wait_until(lambda: held.look("read")[::2] == ("deferred", 2), "the second try does not wait")
    assert asked(target)[HELD] == 1 and len(rman_processes(target)) == 1, "the second try attaches"
    assert_ends_as_planted(api, target, held.run, ledger)
    assert set(asked(target).values()) == {1}


def test_marking_a_waiting_task_failed_stops_rman_and_a_clear_asks_again(
    held: Tasks, target: Target, api: httpx.Client, voyage: Voyage, ledger: Engine
) -> None:
    wait_for_trigger(voyage, held.run)
    path = f"/dags/{DAG}/dagRuns/{held.run.run_id}/taskInstances/read"
    api.patch(path, json={"new_state": "failed"}).raise_for_status()
    wait_until(lambda: not rman_processes(target), "RMAN goes on unseen", STOPPED_WITHIN_S)
    clear(api, held.run, include_downstream=True)
    wait_until(lambda: asked(target)[HELD] == 2, "what was stopped is not asked again")
    assert_ends_as_planted(api, target, held.run, ledger)
    again = {command for command, times in asked(target).items() if times != 1}
    assert again == {HELD} or held.look("read")[2] > 2, "a try more than the clear asked for: Airflow lost a worker meanwhile"


def assert_ends_as_planted(api: httpx.Client, target: Target, run: TriggeredRun, ledger: Engine) -> None:
    """Let the held question go: the run ends red with the planted codes, its report is there, and nothing is left over there."""
    (target.folder / "hold").unlink()
    states = progress.watch(api, [run], Console(quiet=True), WAIT_S)
    run_id = history.find_run(ledger, "backup", DATABASE, run.run_id)
    judgement = history.judgement_of(ledger, run_id)
    assert states[DAG] == "failed" and progress.task_states(api, run)["report"] == "success"
    assert [line for line in differences({DATABASE: judgement}, states) if line.startswith(f"{DATABASE} ")] == []
    reads = Counter((r.unit, r.subject) for r in history.reads_of_run(ledger, run_id))
    assert reads[ReadUnit.QUESTION, "restore-spfile-validate"] == 1 and set(reads.values()) == {1}
    reports = [r for r in history.reports_of_day(ledger, judgement.day) if r.path.exists()]
    assert reports and all(is_whole(r) for r in reports)
    assert list(target.host.spool.glob("dd-*")) == [] and rman_processes(target) == []

"""Backup DAGs of Oracle databases: the same family, whose `read` and `drill` let go of the worker while RMAN works."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TASKS = ["survey", "read", "drill", "judge", "prove", "report", "outcome"]

PARSE = f"""
import json, socket
def refuse(*_a, **_k):
    raise AssertionError("parsing opened a connection")
socket.socket.connect = socket.create_connection = refuse
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(dag_folder={str(ROOT / "dags")!r})
told = {{}}
for dag_id, dag in bag.dags.items():
    if dag_id.startswith("backup__"):
        told[dag_id] = {{
            "tags": sorted(dag.tags),
            "tasks": {{
                t.task_id: [type(t).__name__, t.task_display_name, sorted(t.upstream_task_ids), t.pool, t.retries,
                            t.execution_timeout is not None, bool(t.doc_md), t.owner]
                for t in dag.tasks
            }},
        }}
import sys
heavy = [m for m in ("paramiko", "asyncssh", "drydock.backup.oracle.survey") if m in sys.modules]
print("TOLD" + json.dumps([{{str(k): str(v) for k, v in bag.import_errors.items()}}, told, heavy]))
"""


@pytest.fixture(scope="module")
def guangzhou() -> tuple[dict, dict, list]:
    """Import errors, the DAGs of the estate `guangzhou` as plain facts, and heavy modules that parsing loaded."""
    env = os.environ | {"DRYDOCK_ESTATE": "guangzhou", "PYTHONPATH": str(ROOT / "plugins")}
    done = subprocess.run([sys.executable, "-c", PARSE], env=env, capture_output=True, text=True, check=False)
    line = next((x for x in done.stdout.splitlines() if x.startswith("TOLD")), None)
    assert line, done.stdout[-1000:] + done.stderr[-2000:]
    return tuple(json.loads(line[4:]))


def test_an_oracle_estate_parses_without_a_connection(guangzhou: tuple) -> None:
    errors, dags, _ = guangzhou
    assert errors == {} and len(dags) == 13
    assert all("oracle" in d["tags"] for d in dags.values())


def test_the_family_has_one_shape(guangzhou: tuple) -> None:
    for dag in guangzhou[1].values():
        tasks = dag["tasks"]
        assert sorted(tasks) == sorted(TASKS)
        upstream = {name: facts[2] for name, facts in tasks.items()}
        assert upstream == {
            "survey": [],
            "read": ["survey"],
            "drill": ["read"],
            "judge": ["drill"],
            "prove": ["judge"],
            "report": ["judge"],
            "outcome": ["report"],
        }


def test_read_and_drill_ask_rman_and_keep_their_names(guangzhou: tuple) -> None:
    for dag in guangzhou[1].values():
        kinds = {name: dag["tasks"][name][:2] for name in ("read", "drill")}
        assert kinds == {"read": ["RmanRead", "读回 read"], "drill": ["RmanDrill", "恢复演练 drill"]}
        for name in ("read", "drill"):
            _, _, _, pool, retries, is_bounded, has_docs, owner = dag["tasks"][name]
            assert (pool, retries, is_bounded, has_docs, owner) == ("backup_reads", 2, True, True, "gz-dba")


def test_parsing_loads_no_ssh(guangzhou: tuple) -> None:
    assert guangzhou[2] == []


class FarSide:
    """Remembers what was said; every job runs until `ended` is set."""

    place = "here"

    def __init__(self) -> None:
        self.said: list[str] = []
        self.closed = 0

    def run(self, words: str) -> Any:
        from drydock.rman.far_side import Answer

        self.said.append(words)
        return Answer(0, f"version=1\njob={words.split()[1]}\nstate=running\n".encode())

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def step(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A `read` whose next answers a test gives: waits, or None for the end."""
    from drydock.backup.oracle.rman_steps import StepState
    from drydock.orchestration import backup, rman

    found = SimpleNamespace(far_side=FarSide(), waits=[], states=[])
    host = SimpleNamespace(ssh_connection="ssh_x")
    database = SimpleNamespace(backup=SimpleNamespace(rman=host))
    run = SimpleNamespace(far_side=found.far_side, database=database)
    monkeypatch.setattr(backup, "open_backup_run", lambda _id, with_far_side: run)
    monkeypatch.setenv("DRYDOCK_RMAN_WAIT_S", "0")

    class Step(rman.RmanOperator):
        def advance(self, _run: Any, state: StepState) -> tuple[StepState, Any]:
            found.states.append(state)
            return StepState(began=(*state.began, f"job{len(found.states)}")), found.waits.pop(0)

        def result(self, _run: Any) -> dict[str, Any]:
            return {"units": 3}

    found.operator = Step(task_id="read", database_id="gz")
    return found


def a_wait(deadline_s: int = 600) -> Any:
    from drydock.backup.oracle.rman_steps import Wait
    from drydock.rman.questions import QuestionKind, ask, make_job

    return Wait(job=make_job("gz", "run", "ORCL", ask(QuestionKind.PREVIEW), deadline_s))


def deferred(call: Any) -> Any:
    from airflow.sdk.exceptions import TaskDeferred

    with pytest.raises(TaskDeferred) as caught:
        call()
    return caught.value


def back_with(told: Any, state: str) -> dict[str, Any]:
    """The event of a deferral's trigger."""
    return {"state": state, "memory": told.trigger.serialize()[1]["memory"]}


def test_a_running_job_gives_the_worker_back_for_a_bounded_time(step: SimpleNamespace) -> None:
    import time

    step.waits = [a_wait(deadline_s=600)]
    told = deferred(lambda: step.operator.execute({}))
    path, arguments = told.trigger.serialize()
    assert path == "drydock.orchestration.rman.RmanJobTrigger"
    assert arguments["ssh_connection"] == "ssh_x" and arguments["job_id"].startswith("dd-")
    assert 600 < arguments["until"] - time.time() < 1200, "no waiting without an end"
    assert timedelta(seconds=600) < told.timeout < timedelta(hours=1)
    assert told.method_name == "resume" and not told.kwargs and json.dumps(arguments)
    assert step.far_side.closed == 1, "no connection is kept open by nobody"


def test_resuming_goes_on_with_what_was_remembered(step: SimpleNamespace) -> None:
    step.waits = [a_wait(), None]
    told = deferred(lambda: step.operator.execute({}))
    assert step.operator.resume({}, back_with(told, "done")) == {"units": 3}
    assert step.states[1].began == ("job1",)


def test_resuming_believes_the_far_side_and_not_the_event(step: SimpleNamespace) -> None:
    step.waits = [a_wait(), a_wait()]
    told = deferred(lambda: step.operator.execute({}))
    again = deferred(lambda: step.operator.resume({}, back_with(told, "unreachable")))
    assert again.trigger.serialize()[1]["job_id"] == told.trigger.serialize()[1]["job_id"] is not None


def test_where_another_job_holds_the_database_only_time_is_waited_for(step: SimpleNamespace) -> None:
    from drydock.backup.oracle.rman_steps import Wait

    step.waits = [Wait(seconds=30.0)]
    _, arguments = deferred(lambda: step.operator.execute({})).trigger.serialize()
    assert arguments["job_id"] is None and arguments["seconds"] == 30.0


def test_a_step_killed_on_the_worker_stops_its_job(step: SimpleNamespace) -> None:
    step.waits = [a_wait()]
    deferred(lambda: step.operator.execute({}))
    step.operator.on_kill()
    assert step.far_side.said[-1].startswith("stop dd-")


def test_airflow_tells_a_trigger_when_a_person_ends_its_task() -> None:
    """What `on_kill` of the trigger stands on: Airflow 3.3 has it, and calls it for a person's act only."""
    from airflow.triggers.base import BaseTrigger

    from drydock.orchestration.rman import RmanJobTrigger

    assert RmanJobTrigger.on_kill is not BaseTrigger.on_kill
    assert RmanJobTrigger.cleanup is BaseTrigger.cleanup, "cleanup also runs when a triggerer restarts: a job must survive that"


@pytest.mark.parametrize("state", ["failed", "success", "skipped", "unknown"])
def test_a_job_is_stopped_when_its_task_is_over(monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    assert killed_in(monkeypatch, state)


@pytest.mark.parametrize("state", [None, "scheduled", "running", "deferred"])
def test_a_job_is_not_stopped_under_a_task_that_goes_on(monkeypatch: pytest.MonkeyPatch, state: str | None) -> None:
    """Airflow also calls `on_kill` for a cleared task, and for a trigger that another triggerer has now."""
    assert not killed_in(monkeypatch, state)


def test_a_job_is_stopped_however_often_airflow_cancels_the_trigger_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow's own triggerer: it cancels in each round what has not ended yet, and with it an on_kill that takes longer."""
    import asyncio

    from airflow.jobs.triggerer_job_runner import TriggerRunner

    from drydock.orchestration import rman

    connection = far_connection(monkeypatch, "failed", connects_in_s=0.5, failures=1)
    monkeypatch.setattr(rman, "STOP_AGAIN_AFTER_S", (0.1,))

    async def rounds() -> None:
        runner, trigger = TriggerRunner(), rman.RmanJobTrigger("ssh_x", "dd-somejob", 60.0, 0.0)
        trigger.task_instance = None
        waiting = asyncio.create_task(runner.run_trigger(1, trigger))
        runner.triggers[1] = {"task": waiting, "is_watcher": False, "name": "made", "events": 0}
        await asyncio.sleep(0.1)
        while not waiting.done():
            runner.to_cancel.append(1)
            await runner.cancel_triggers()
            await asyncio.sleep(0.1)
        assert connection.said == "" and len(rman.STOPPING) == 1, "on_kill itself was cancelled"
        await asyncio.gather(*rman.STOPPING)

    asyncio.run(rounds())
    assert connection.said == "stop dd-somejob" and not rman.STOPPING


def killed_in(monkeypatch: pytest.MonkeyPatch, state: str | None) -> bool:
    """Whether on_kill stops the job while the task is in that state; `unknown`: Airflow does not say."""
    import asyncio

    from drydock.orchestration import rman

    connection = far_connection(monkeypatch, state)
    asyncio.run(rman.RmanJobTrigger("ssh_x", "dd-somejob", 1.0, 0.0).on_kill())
    assert connection.said in ("", "stop dd-somejob")
    return bool(connection.said)


def far_connection(monkeypatch: pytest.MonkeyPatch, state: str | None, connects_in_s: float = 0.0, failures: int = 0) -> Any:
    """A far side that keeps what it was told, and a task in that state."""
    import asyncio

    from drydock.orchestration import rman

    class Connection:
        said = ""

        async def __aenter__(self) -> Connection:
            return self

        async def __aexit__(self, *_error: object) -> None:
            return None

        async def run(self, words: str, **_named: object) -> Any:
            self.said = words
            return SimpleNamespace(exit_status=0, stdout=b"version=1\njob=dd-somejob\nstate=stopped\n", stderr=b"")

    connection, refusals = Connection(), [OSError("no route")] * failures

    async def connect(_self: Any) -> Connection:
        await asyncio.sleep(connects_in_s)
        if refusals:
            raise refusals.pop()
        return connection

    def told(_task: Any) -> str | None:
        if state == "unknown":
            raise ConnectionError("no API")
        return state

    monkeypatch.setattr(rman.RmanJobTrigger, "_connect", connect)
    monkeypatch.setattr(rman, "state_of_task", told)
    return connection


def test_the_dag_file_stays_a_table_of_contents() -> None:
    tree = ast.parse((ROOT / "dags/backup.py").read_text(encoding="utf-8"))
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.If)], "which engine does what is decided in orchestration"

"""The sandbox's Airflow, without one: when its database is made ready, and which runs are asked after."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from rich.console import Console

from drydock.engines.postgres import Endpoint
from sandbox import airflow_component, airflow_server, progress
from sandbox.airflow_server import AirflowNotReady, AirflowServer, open_airflow
from sandbox.progress import TriggeredRun

ROOT = Path(__file__).parents[2]
PREPARED = "db migrate + pools import"


@pytest.fixture
def server(tmp_path: Path) -> AirflowServer:
    return open_airflow(tmp_path / "airflow", 8080, Endpoint("127.0.0.1", 5432, "airflow", "p", "airflow"), {}, tmp_path / "dags")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that were run. `fails` in place of one makes the next fail."""
    asked: list[str] = []

    def run(command: list[str], **_how: object) -> subprocess.CompletedProcess[str]:
        failed = asked[-1:] == ["fails"]
        asked.append(" ".join(command[3:8]))
        return subprocess.CompletedProcess(command, int(failed), "", "no such database")

    monkeypatch.setattr(airflow_server.subprocess, "run", run)
    return asked


def test_a_warm_start_makes_nothing_ready_again(server: AirflowServer, asked: list[str]) -> None:
    for _ in range(2):
        airflow_server.migrate(server)
    assert asked == [PREPARED]


def test_after_a_failure_or_with_another_airflow_it_is_made_ready_again(
    server: AirflowServer, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked.append("fails")
    with pytest.raises(AirflowNotReady, match="no such database"):
        airflow_server.migrate(server)
    airflow_server.migrate(server)
    monkeypatch.setattr(airflow_server, "version", lambda _name: "4.0.0")
    airflow_server.migrate(server)
    assert asked == ["fails", PREPARED, PREPARED, PREPARED]


def test_a_run_that_has_ended_is_not_asked_after_again(monkeypatch: pytest.MonkeyPatch) -> None:
    states = {"quick": iter(["success"]), "slow": iter(["running", "running", "failed"])}

    def get(path: str) -> SimpleNamespace:
        told = {"task_instances": [{"task_id": "survey", "state": "success"}]}
        return SimpleNamespace(
            json=lambda: told if path.endswith("taskInstances") else {"state": next(states[path.split("/")[2]])}
        )

    monkeypatch.setattr(progress, "POLL_S", 0.0)
    runs = [TriggeredRun(name, "r") for name in states]
    assert progress.watch(SimpleNamespace(get=get), runs, Console(quiet=True), 60) == {"quick": "success", "slow": "failed"}


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What a stand-in of Airflow's command line was called with."""
    called: list[list[str]] = []
    airflow, main = ModuleType("airflow"), ModuleType("airflow.__main__")
    main.main = lambda: called.append(sys.argv[1:])
    monkeypatch.setitem(sys.modules, "airflow", airflow)
    monkeypatch.setitem(sys.modules, "airflow.__main__", main)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    return called


def test_a_module_that_cannot_be_imported_ahead_does_not_stop_the_scheduler(
    called: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(airflow_component.FORKING, "scheduler", ("drydock.no_such_module", "drydock.verdicts"))
    monkeypatch.setattr(sys, "argv", ["airflow_component", "scheduler"])
    airflow_component.main()
    assert called == [["scheduler"]] and "drydock.no_such_module is not imported ahead" in capsys.readouterr().err


def test_every_module_of_ours_that_is_imported_ahead_exists() -> None:
    names = {name for modules in airflow_component.FORKING.values() for name in modules if name.startswith("drydock")}
    assert len(names) > 10
    assert [name for name in names if not (ROOT / "plugins" / f"{name.replace('.', '/')}.py").is_file()] == []


def test_several_commands_in_one_process(called: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["airflow_component", "db", "migrate", "+", "pools", "import", "a+b"])
    airflow_component.main()
    assert called == [["db", "migrate"], ["pools", "import", "a+b"]]

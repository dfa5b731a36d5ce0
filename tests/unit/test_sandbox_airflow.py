"""The sandbox's Airflow, without one: when its database is made ready, and which runs are asked after."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from drydock.engines.postgres import Endpoint
from sandbox import airflow_server, progress
from sandbox.airflow_component import commands_in
from sandbox.airflow_server import AirflowNotReady, AirflowServer, open_airflow
from sandbox.progress import TriggeredRun

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


def test_commands_with_a_plus_between_them() -> None:
    assert commands_in(["scheduler"]) == [["scheduler"]]
    assert commands_in(["db", "migrate", "+", "pools", "import", "a+b"]) == [["db", "migrate"], ["pools", "import", "a+b"]]

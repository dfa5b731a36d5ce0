"""Triggering DAGs through Airflow's REST API and showing live how they go."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import stamina
from rich.console import Console
from rich.live import Live
from rich.table import Table

POLL_S = 1.0
ENDED = ("success", "failed")
SIGNS = {"success": "✔", "failed": "✘", "running": "▶", "queued": "…", "scheduled": "…", "skipped": "–", "up_for_retry": "↻"}
TASKS = ("survey", "read", "drill", "judge", "prove", "report", "outcome")


class RunsTookTooLong(Exception):
    """Some DAG runs did not end in time; the message names them."""


@dataclass(frozen=True)
class TriggeredRun:
    dag_id: str
    run_id: str


@stamina.retry(on=httpx.TransportError, attempts=5, timeout=180.0)
def ask(api: httpx.Client, path: str) -> httpx.Response:
    """What the API says there. One answer that does not come in time on a busy machine is asked for again."""
    return api.get(path)


def wait_for_dags(api: httpx.Client, dag_ids: list[str], wait_s: float) -> None:
    """Wait until the DAG processor has parsed every DAG. Raises RunsTookTooLong naming what is missing."""
    deadline = time.monotonic() + wait_s
    missing = list(dag_ids)
    while missing and time.monotonic() < deadline:
        missing = [d for d in missing if ask(api, f"/dags/{d}").status_code != 200]
        if missing:
            time.sleep(POLL_S)
    if missing:
        errors = [e["filename"] for e in ask(api, "/importErrors").json().get("import_errors", [])]
        raise RunsTookTooLong(f"Airflow did not parse {', '.join(missing)}; import errors: {', '.join(errors) or 'none'}")


def trigger(api: httpx.Client, dag_id: str, conf: dict) -> TriggeredRun:
    """Trigger one run through the scheduler, as a person would in the UI."""
    answer = api.post(f"/dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": conf})
    answer.raise_for_status()
    return TriggeredRun(dag_id, answer.json()["dag_run_id"])


def watch(api: httpx.Client, runs: list[TriggeredRun], console: Console, wait_s: float) -> dict[str, str]:
    """Show every task of every run until all have ended; returns the state per DAG. Raises RunsTookTooLong."""
    deadline, states, tasks = time.monotonic() + wait_s, {}, {}
    show = _live(console) if console.is_terminal else _lines(console)
    with show as tell:
        while True:
            for r in (r for r in runs if states.get(r.dag_id) not in ENDED):
                states[r.dag_id] = ask(api, f"/dags/{r.dag_id}/dagRuns/{r.run_id}").json()["state"]
                tasks[r.dag_id] = task_states(api, r)
            tell(tasks, states)
            if all(s in ENDED for s in states.values()):
                return states
            if time.monotonic() > deadline:
                late = [dag_id for dag_id, state in states.items() if state not in ENDED]
                raise RunsTookTooLong(f"not ended after {wait_s:.0f} s: {', '.join(late)}")
            time.sleep(POLL_S)


def task_states(api: httpx.Client, run: TriggeredRun) -> dict[str, str]:
    rows = ask(api, f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances").json()["task_instances"]
    return {row["task_id"]: row["state"] or "" for row in rows}


class _live:
    """A table that is drawn anew in place, for a terminal."""

    def __init__(self, console: Console) -> None:
        self.live = Live(console=console, refresh_per_second=4)

    def __enter__(self) -> Callable:
        self.live.__enter__()
        return lambda tasks, states: self.live.update(progress_table(tasks, states))

    def __exit__(self, *error: object) -> None:
        self.live.__exit__(*error)


class _lines:
    """One line per change, for a log file."""

    def __init__(self, console: Console) -> None:
        self.console, self.told = console, {}

    def __enter__(self) -> Callable:
        return self._tell

    def __exit__(self, *_error: object) -> None:
        return None

    def _tell(self, tasks: dict[str, dict[str, str]], _states: dict[str, str]) -> None:
        for dag_id, by_task in tasks.items():
            for name in TASKS:
                state = by_task.get(name, "")
                if state and self.told.get((dag_id, name)) != state and state not in ("scheduled", "queued"):
                    self.console.print(f"  {dag_id:<20} {name:<8} {state}")
                    self.told[dag_id, name] = state


def progress_table(tasks: dict[str, dict[str, str]], states: dict[str, str]) -> Table:
    table = Table(box=None, header_style="bold")
    for column in ("DAG", *TASKS, "run"):
        table.add_column(column)
    for dag_id, by_task in tasks.items():
        marks = [SIGNS.get(by_task.get(name, ""), by_task.get(name, "") or "·") for name in TASKS]
        table.add_row(dag_id, *marks, states[dag_id])
    return table

"""Looking at the sandbox's Airflow from outside while it runs, and killing parts of it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable

import psycopg

from sandbox import processes
from sandbox.airflow_server import AirflowServer
from sandbox.processes import start_time_of
from sandbox.progress import TriggeredRun

WAIT_S = 240.0
POLL_S = 0.02
API_POLL_S = 1.0  # an answer of the API server takes 20 ms of a core, and who asks without a pause takes one core for it
ORDER = (None, "scheduled", "queued", "running", "success")  # a task's way; a task that was reset begins anew


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

    def hold(self, task: str) -> None:
        """Keep a running task where it is (SIGSTOP), until `let_go`: others can come to their places meanwhile."""
        wait_until(lambda: rank(self.look(task)[0]) > rank("running") or self._is_alive(task), f"{task} is never running")
        self._signal(task, signal.SIGSTOP)

    def let_go(self, task: str) -> None:
        self._signal(task, signal.SIGCONT)

    def _signal(self, task: str, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):  # it was quicker
            os.kill(self.look(task)[1], number)

    def _is_alive(self, task: str) -> bool:
        """False, too, for the process of an earlier try that was killed and is not yet found out."""
        state, pid, _try = self.look(task)
        return state == "running" and pid is not None and start_time_of(pid) is not None

    def kill(self, task: str) -> None:
        """kill -9 of the process of a running task."""
        pid = self.look(task)[1]
        assert pid is not None
        os.kill(pid, signal.SIGKILL)


def rank(state: str | None) -> int:
    """How far a task in that state has come."""
    return ORDER.index(state) if state in ORDER else 0


def wait_until(is_so: Callable[[], bool], else_text: str, wait_s: float = WAIT_S, poll_s: float = POLL_S) -> None:
    deadline = time.monotonic() + wait_s
    while not is_so():
        assert time.monotonic() < deadline, else_text
        time.sleep(poll_s)


def wait_until_told(is_so: Callable[[], bool], else_text: str, wait_s: float = WAIT_S) -> None:
    """The same where the API is asked."""
    wait_until(is_so, else_text, wait_s, API_POLL_S)


def kill_component(server: AirflowServer, name: str) -> int:
    """kill -9 of one component alone: the processes below it live on. Returns its session."""
    pid = processes.running(server.run_dir)[name]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: name not in processes.running(server.run_dir), f"the {name} lives on")
    return pid

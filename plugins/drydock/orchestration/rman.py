"""The tasks `read` and `drill` of Oracle databases: they start RMAN on its host, let go of the worker, and come back.

What the provider's own remote job operator gets wrong does not happen here. The far side writes an exit code on every path
and knows a dead job from a running one; a retry or a clear attaches to the job that runs, by an id made of database, run and
question; marking the task failed stops RMAN, clearing it attaches to it; and nothing is waited for without an end.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from airflow.sdk import BaseOperator
from airflow.triggers.base import BaseTrigger, TriggerEvent

from drydock import settings

log = logging.getLogger(__name__)

SHORTEST_POLL_S, LONGEST_POLL_S = 1.0, 10.0
COMMAND_TIMEOUT_S = 60.0
LAST_LOOK_S = 300.0  # past the job's deadline and the far side's grace
BELT_S = 1800.0  # the trigger ends by itself; should it not, Airflow ends it
STATE_TIMEOUT_S = 120.0  # the first question of a triggerer to Airflow's API loads that API: half a minute on a busy machine
STOP_AGAIN_AFTER_S = (2.0, 10.0, 30.0)  # for a host that does not answer when its job is to end
STOPPING: set[asyncio.Future[None]] = set()
"""What stops jobs this moment: an event loop itself keeps no hold of its tasks."""
OVER = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})
"""States of a task that nobody waits for any more."""


class RmanJobTrigger(BaseTrigger):
    """Looks at a job until it has ended, or waits some seconds where there is no job. Nothing is decided here.

    `until`: Unix time after which it is not waited for. `memory`: what the task wants to know again when it comes back, handed
    over in the event, since `dag.test` forgets the arguments of a deferral. A connection that breaks is made again. A host key
    that is not the known one, or a refused login, ends the waiting: the task meets it too, and tells it.
    """

    def __init__(
        self, ssh_connection: str, job_id: str | None, seconds: float, until: float, memory: dict[str, Any] | None = None
    ) -> None:
        super().__init__()
        self.ssh_connection, self.job_id, self.seconds, self.until = ssh_connection, job_id, seconds, until
        self.memory = memory or {}

    def serialize(self) -> tuple[str, dict[str, Any]]:
        names = ("ssh_connection", "job_id", "seconds", "until", "memory")
        return "drydock.orchestration.rman.RmanJobTrigger", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        await asyncio.sleep(self.seconds)  # also lets the task's deferral be written down before it ends
        state = await self._watch() if self.job_id else "again"
        yield TriggerEvent({"state": state, "memory": self.memory})

    async def _watch(self) -> str:
        """The job's state once it does not run; `unreachable` or `refused` where it cannot be seen."""
        import asyncssh

        asyncssh.set_log_level("WARNING")
        while time.time() < self.until:
            try:
                return await self._watch_connected()
            except (asyncssh.HostKeyNotVerifiable, asyncssh.PermissionDenied) as e:
                log.warning("%s: %s", self.ssh_connection, e)
                return "refused"
            except (asyncssh.Error, OSError, TimeoutError) as e:
                log.warning("%s: connection lost (%s); it is made again", self.ssh_connection, e)
            await asyncio.sleep(self.seconds)
        return "unreachable"

    async def _watch_connected(self) -> str:
        async with await self._connect() as connection:
            while time.time() < self.until:
                state = await self._say(connection, "status")
                if state != "running":
                    return state
                await asyncio.sleep(self.seconds)
        return "overdue"

    async def _connect(self) -> Any:
        from airflow.providers.ssh.hooks.ssh import SSHHookAsync

        return await asyncio.wait_for(SSHHookAsync(ssh_conn_id=self.ssh_connection).get_conn(), COMMAND_TIMEOUT_S)

    async def _say(self, connection: Any, verb: str) -> str:
        """The job's state, or the code of what was refused. Raises OSError for a connection that was cut meanwhile."""
        from drydock.rman.far_side import Answer, RmanTrouble
        from drydock.rman.jobs import read_status

        done = await connection.run(f"{verb} {self.job_id}", encoding=None, timeout=COMMAND_TIMEOUT_S)
        if done.exit_status is None or done.exit_status < 0:
            raise ConnectionResetError("cut before the answer came")
        try:
            return read_status(Answer(done.exit_status, done.stdout or b"", done.stderr or b""), self.ssh_connection).state.value
        except RmanTrouble as trouble:
            return trouble.code

    async def on_kill(self) -> None:
        """A person marked the task failed or succeeded: RMAN must not go on unseen.

        Airflow calls it for a cleared task too, whose next attempt attaches to the job and would find it stopped; and when
        it gave the trigger to another triggerer, since this one looked dead. In both the task is not over, and RMAN goes on.

        Airflow 3.3 promises half a minute, but cancels the trigger anew with every round of its loop, each second, and on_kill
        with it. So the job is stopped by a task of its own, which goes on when on_kill cannot.
        """
        if self.job_id is None:
            return
        stopping = asyncio.ensure_future(self._stop_in_the_end())
        STOPPING.add(stopping)
        stopping.add_done_callback(STOPPING.discard)
        await asyncio.shield(stopping)

    async def _stop_in_the_end(self) -> None:
        """Nobody else will stop the job before its deadline, so a host that does not answer is asked again."""
        import asyncssh

        for pause_s in (0.0, *STOP_AGAIN_AFTER_S):
            await asyncio.sleep(pause_s)
            try:
                await self._stop_unless_awaited()
                break
            except (asyncssh.Error, OSError, TimeoutError) as e:
                log.warning("RMAN job %s could not be stopped on %s: %s", self.job_id, self.ssh_connection, e)

    async def _stop_unless_awaited(self) -> None:
        connecting = asyncio.ensure_future(self._connect())  # beside the question to Airflow, which takes as long
        is_awaited = await self._is_awaited()
        async with await connecting as connection:
            if not is_awaited:
                log.info("RMAN job %s was stopped with its task: %s", self.job_id, await self._say(connection, "stop"))

    async def _is_awaited(self) -> bool:
        """Whether the task goes on without this trigger. Where Airflow does not say, it does not."""
        try:
            state = await asyncio.wait_for(asyncio.to_thread(state_of_task, self.task_instance), STATE_TIMEOUT_S)
        except Exception as e:  # whatever Airflow's API says no with: a job is stopped rather than forgotten
            log.warning("RMAN job %s: the state of its task is not known (%s: %s)", self.job_id, type(e).__name__, e)
            return False
        log.info("RMAN job %s: its task is now %s", self.job_id, state)
        return state not in OVER


def state_of_task(task: Any) -> str | None:
    """The state of a task instance this moment; None for one that was cleared. Raises what Airflow raises, KeyError for none."""
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    states = RuntimeTaskInstance.get_task_states(dag_id=task.dag_id, task_ids=[task.task_id], run_ids=[task.run_id])
    return states[task.run_id][task.task_id]


class RmanOperator(BaseOperator):
    """One step of the backup check that asks RMAN; subclasses say which. The ledger holds what came of it."""

    def __init__(self, *, database_id: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.database_id = database_id
        self._asked: tuple[Any, str] | None = None

    def execute(self, context: Any) -> dict[str, Any]:
        return self._go_on(None)

    def resume(self, context: Any, event: dict[str, Any]) -> dict[str, Any]:
        """Called when the trigger has something to tell. What has become of the job, the far side is asked again."""
        log.info("back from waiting: %s", event.get("state"))
        return self._go_on(event.get("memory"))

    def advance(self, run: Any, state: Any) -> tuple[Any, Any]:
        raise NotImplementedError

    def result(self, run: Any) -> dict[str, Any]:
        raise NotImplementedError

    def _go_on(self, known: dict[str, Any] | None) -> dict[str, Any]:
        from drydock.backup.oracle.rman_steps import remembered
        from drydock.orchestration.backup import open_backup_run

        state = remembered(known)
        run = open_backup_run(self.database_id, with_far_side=True)
        try:
            wait = None
            while True:
                state, wait = self.advance(run, state)
                self._asked = (run.far_side, wait.job.job_id) if wait and wait.job else None
                if wait is None:
                    return self.result(run)
                if not _ends_soon(run.far_side, wait):
                    break
        finally:
            if run.far_side is not None:
                run.far_side.close()
        self._let_go(run, state, wait)
        raise AssertionError("defer() does not return")

    def _let_go(self, run: Any, state: Any, wait: Any) -> None:
        """Give the worker back until the job has ended."""
        from drydock.backup.oracle.rman_steps import GRACE_S

        left_s = (wait.job.deadline_s + GRACE_S + LAST_LOOK_S) if wait.job else wait.seconds + LAST_LOOK_S
        connection, job_id = run.database.backup.rman.ssh_connection, wait.job.job_id if wait.job else None
        pause_s = min(max(SHORTEST_POLL_S, settings.rman_wait_s()), LONGEST_POLL_S) if wait.job else wait.seconds
        memory = state.model_dump(mode="json")
        trigger = RmanJobTrigger(connection, job_id, pause_s, time.time() + left_s, memory)
        timeout = timedelta(seconds=left_s + BELT_S)
        self.defer(trigger=trigger, method_name="resume", timeout=timeout)

    def on_kill(self) -> None:
        """The task was ended by a person while it held a worker: its job ends too."""
        from drydock.rman.jobs import stop_job

        if self._asked is not None:
            far_side, job_id = self._asked
            stop_job(far_side, job_id)


def _ends_soon(far_side: Any, wait: Any) -> bool:
    """Wait a little for the job; True when it has ended, so that nobody needs to be called back."""
    from drydock.backup.oracle.rman_steps import is_running
    from drydock.rman.far_side import RmanTrouble
    from drydock.rman.jobs import look_at_job

    if wait.job is None:
        return False
    until, pause_s = time.monotonic() + settings.rman_wait_s(), 0.2
    while time.monotonic() < until:
        time.sleep(pause_s)
        pause_s = min(1.5 * pause_s, 2.0)
        try:
            if not is_running(look_at_job(far_side, wait.job.job_id), wait.job):
                return True
        except RmanTrouble:
            return True  # going on meets it again, and tells it
    return False


class RmanRead(RmanOperator):
    """Read back, by RMAN on the database's host, every set that is new or due in the rotation."""

    def advance(self, run: Any, state: Any) -> tuple[Any, Any]:
        from drydock.backup.oracle.rman_steps import advance_reads

        return advance_reads(run, state)

    def result(self, run: Any) -> dict[str, Any]:
        from drydock.backup.oracle.rman_steps import reads_made

        reads = reads_made(run)
        return {"units": len(reads), "read_bytes": sum(r.read_bytes for r in reads)}


class RmanDrill(RmanOperator):
    """Rehearse a restore by RMAN when the rotation or a person asks for it: all is read that it would choose."""

    def advance(self, run: Any, state: Any) -> tuple[Any, Any]:
        from drydock.backup.oracle.rman_drill import advance_drill

        return advance_drill(run, state)

    def result(self, run: Any) -> dict[str, Any]:
        from drydock.ledger.history import drill_of_run

        made = drill_of_run(run.ledger, run.run_id)
        return {"made": made is not None, "passed": made.passed if made else None, "set": made.set_id if made else None}

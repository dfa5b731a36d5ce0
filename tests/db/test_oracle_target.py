"""The sandbox's Oracle target as `make demo` starts and stops it: what it answers, what it holds back, what it leaves."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import paramiko
import pytest

from drydock.rman.far_side import RmanTrouble
from drydock.rman.jobs import JobState, forget_job, look_at_job, start_job
from drydock.rman.questions import QuestionKind, RmanJob, ask, make_job
from drydock.rman.ssh import SshFarSide
from sandbox import processes
from sandbox.oracle import strays
from sandbox.oracle.target import PROCESS, SID, Target, is_same_past, prepare_target, start_target, stop_target

PATIENCE_S = 20.0


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("target") / "gz_main_sim"
    made = prepare_target(folder, born_at=datetime.now(UTC) - timedelta(hours=1))
    yield made
    stop_target(folder, run_dir(made))


@pytest.fixture
def running(target: Target) -> Target:
    if PROCESS not in processes.running(run_dir(target)):
        start_target(target, run_dir(target))
    return target


@pytest.fixture
def far_side(running: Target) -> Iterator[SshFarSide]:
    with SshFarSide(lambda: connect(running), "target") as side:
        yield side


def run_dir(target: Target) -> Path:
    return target.folder.parent / "run"


def connect(target: Target) -> paramiko.SSHClient:
    client = paramiko.SSHClient()
    client.get_host_keys().add(f"[127.0.0.1]:{target.ssh_port}", "ssh-ed25519", paramiko.PKey.from_type_string(*key_of(target)))
    key = paramiko.Ed25519Key.from_private_key(io.StringIO(target.host.user_key.read_text()))
    client.connect("127.0.0.1", target.ssh_port, pkey=key, look_for_keys=False, allow_agent=False)
    return client


def key_of(target: Target) -> tuple[str, bytes]:
    import base64

    kind, key = target.host.host_key.split()
    return kind, base64.b64decode(key)


def a_job(name: str, kind: QuestionKind = QuestionKind.SPFILE) -> RmanJob:
    return make_job("gz_main_sim", name, SID, ask(kind), 600)


def wait_until(is_so: Callable[[], object], else_text: str) -> None:
    give_up_at = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < give_up_at, else_text
        time.sleep(0.05)


def test_a_held_command_waits_and_every_command_is_written_down(target: Target, far_side: SshFarSide) -> None:
    hold, asked = target.folder / "hold", target.folder / "asked"
    hold.write_text("SPFILE\n")
    job, other = a_job("held"), a_job("not held", QuestionKind.NEED_BACKUP)
    start_job(far_side, job)
    wait_until(lambda: asked.exists() and "RESTORE SPFILE VALIDATE" in asked.read_text(), "it is never asked")
    with pytest.raises(RmanTrouble, match="rman_busy"):
        start_job(far_side, other)
    assert look_at_job(far_side, job.job_id).state is JobState.RUNNING
    hold.unlink()
    wait_until(lambda: look_at_job(far_side, job.job_id).state is JobState.DONE, "it goes on when it is no longer held")
    assert asked.read_text().splitlines() == ["RESTORE SPFILE VALIDATE"]
    forget_job(far_side, job.job_id)


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_nothing_runs_on_and_no_socket_stays(target: Target, far_side: SshFarSide, how: str) -> None:
    """Also when a job is under way, which leads a session of its own, and a connection is open."""
    (target.folder / "hold").write_text("SPFILE\n")
    job = a_job(how)
    start_job(far_side, job)
    wait_until(lambda: processes_naming(f"cmdfile=.*{job.job_id}"), "no rman is seen")
    mine = strays.processes_of(target.folder / "host")
    bystander = subprocess.Popen(["sleep", "60"], cwd=target.folder)
    try:
        if how == "killed":
            os.kill(processes.running(run_dir(target))[PROCESS], signal.SIGKILL)
        assert len(mine) >= 4, "sshd, its connection, the runner and rman"
        assert stop_target(target.folder, run_dir(target))
        wait_until(lambda: not any(processes.start_time_of(pid) == started for pid, started in mine), "something lives on")
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
        (target.folder / "hold").unlink()
    assert strays.processes_of(target.folder / "host") == set()
    assert processes_naming(str(target.folder)) == [] and not target.socket.exists()


def test_a_second_start_knows_the_same_backups_and_the_lost_job(target: Target, far_side: SshFarSide) -> None:
    """After the deaths above. What was under way is told as lost, and the instance is free."""
    again = prepare_target(target.folder)
    assert (again.port, again.ssh_port, again.born_at) == (target.port, target.ssh_port, target.born_at)
    try:
        assert look_at_job(far_side, a_job("killed").job_id).state is not JobState.RUNNING
    except RmanTrouble as trouble:  # the host died before anything of it was on the disk
        assert trouble.code == "rman_lost"
    job = a_job("after")
    start_job(far_side, job)
    wait_until(lambda: look_at_job(far_side, job.job_id).state is JobState.DONE, "the instance is not free")


def test_another_past_than_the_remembered_one_is_noticed(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after an update of the simulator: the ledger would miss every backup that it knows."""
    assert is_same_past(target.folder)
    assert not is_same_past(target.folder.parent / "nothing")
    monkeypatch.setattr("sandbox.oracle.target.LOG_HOURS", (4, 16))
    assert not is_same_past(target.folder)


def processes_naming(text: str) -> list[str]:
    """Process ids and command lines."""
    found = subprocess.run(["pgrep", "-a", "-r", "R,S,D", "-f", text], capture_output=True, text=True, check=False).stdout
    return [line for line in found.splitlines() if int(line.split()[0]) != os.getpid()]

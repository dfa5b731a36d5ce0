"""The whole way to RMAN over SSH: Airflow's connection, the provider's hooks, a real sshd with a forced command, the script."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from sqlalchemy import Engine

from drydock.backup.oracle import rman_steps
from drydock.engines.postgres_server import free_port
from drydock.estate import RmanHost
from drydock.rman.far_side import RmanTrouble
from drydock.rman.jobs import JobState, look_at_job, say_hello, start_job, stop_job
from drydock.rman.questions import QuestionKind, ask, make_job
from sandbox.oracle.host import OracleHost, cut_connections, real_sshd, start_host, stop_host
from tests.faults.rman_yard import SID, RmanYard

SLOW = "sleep 300\n"


@pytest.fixture(scope="module", params=["sshd", "asyncssh"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, ledger: Engine) -> Iterator[tuple]:
    """A yard behind a real SSH server: Debian's sshd, and the one of asyncssh that stands in where none is installed."""
    if request.param == "sshd" and not real_sshd():
        pytest.skip("sshd is not installed")
    host_name = RmanHost(ssh_connection="ssh_yard", sid=SID)
    yard = RmanYard(tmp_path_factory.mktemp("ssh") / "host", ledger, f"ssh_{request.param}", host_name).prepare()
    yard.survey()
    host = start_host(yard.folder, free_port(), prefer_real=request.param == "sshd")
    yield yard, host
    stop_host(host)


@pytest.fixture
def yard(server: tuple) -> RmanYard:
    server[0].behave("")
    (server[0].home / "asked").unlink(missing_ok=True)
    return server[0]


@pytest.fixture
def host(server: tuple, monkeypatch: pytest.MonkeyPatch) -> OracleHost:
    monkeypatch.setenv("AIRFLOW_CONN_SSH_YARD", server[1].connection())
    return server[1]


def far_side(yard: RmanYard) -> Any:
    from drydock.orchestration.ssh import far_side_of

    return far_side_of(yard.database)


def job_of(key: str, kind: QuestionKind = QuestionKind.PREVIEW) -> Any:
    return make_job("ssh", f"{key} {time.monotonic_ns()}", SID, ask(kind), 60)


def settled(side: Any, job: Any) -> JobState:
    until = time.monotonic() + 20
    while (state := look_at_job(side, job.job_id).state) is JobState.RUNNING and time.monotonic() < until:
        time.sleep(0.1)
    return state


def test_the_pipeline_reads_back_over_ssh(yard: RmanYard, host: OracleHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rman_steps, "DAILY", (QuestionKind.SPFILE,))
    with far_side(yard) as yard.far_side:
        assert say_hello(yard.far_side).sids == (SID,)
        survey = yard.survey("over_ssh")
        assert set(survey.newest_ids) <= {r.set_id for r in yard.read("over_ssh")}
        assert yard.told("over_ssh") == {}


def test_the_key_can_do_nothing_else(yard: RmanYard, host: OracleHost) -> None:
    with far_side(yard) as side:
        for words in ("id", "bash -i", "rman target /", "cat /etc/passwd", "hello; id"):
            answer = side.run(words)
            assert answer.exit_code == 64 and b"uid=" not in answer.out and b"root:" not in answer.out


def test_a_cut_connection_is_made_again_and_the_job_is_not_started_twice(
    yard: RmanYard, host: OracleHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drydock.rman.ssh.FIRST_WAIT_S", 0.05)
    yard.behave("sleep 0.5\n")
    job = job_of("cut")
    with far_side(yard) as side:
        assert start_job(side, job).state is JobState.RUNNING
        if host.sshd:
            assert cut_connections(host) >= 1
        else:
            side._client.get_transport().sock.close()
        assert start_job(side, job).state in (JobState.RUNNING, JobState.DONE)
        assert settled(side, job) is JobState.DONE
    assert yard.asked() == ["RESTORE DATABASE PREVIEW;"]


def refused(yard: RmanYard) -> RmanTrouble:
    with pytest.raises(RmanTrouble) as trouble:
        far_side(yard).run("hello")
    return trouble.value


def other_key() -> str:
    return " ".join(asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode().split()[:2])


def test_a_host_with_another_key_is_not_talked_to(yard: RmanYard, host: OracleHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SSH_YARD", host.connection(host_key=other_key()))
    assert refused(yard).code == "rman_host_key"
    assert asyncio.run(event_of(yard)) == "refused"


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ({"host_key": None}, "no known_hosts"),
        ({"host_key": None, "no_host_key_check": "true"}, "no_host_key_check is on"),
        ({"allow_host_key_change": "true"}, "allow_host_key_change is on"),
    ],
)
def test_a_connection_that_would_trust_anybody_is_refused(
    yard: RmanYard, host: OracleHost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, extra: dict, says: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW_CONN_SSH_YARD", host.connection(**extra))
    trouble = refused(yard)
    assert trouble.code == "rman_host_key" and says in trouble.values["reason"] and "host_key" in trouble.values["reason"]


def test_a_host_in_known_hosts_is_talked_to(
    yard: RmanYard, host: OracleHost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/known_hosts").write_text(f"[127.0.0.1]:{host.port} {host.host_key}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW_CONN_SSH_YARD", host.connection(host_key=None))
    with far_side(yard) as side:
        assert say_hello(side).sids == (SID,)


def test_a_key_that_is_not_authorized_is_a_refused_login(
    yard: RmanYard, host: OracleHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_private_key("openssh").decode()
    monkeypatch.setenv("AIRFLOW_CONN_SSH_YARD", host.connection(private_key=stranger))
    assert refused(yard).code == "rman_login"
    assert asyncio.run(event_of(yard)) == "refused"


def test_nobody_there_and_nobody_named(yard: RmanYard, host: OracleHost, monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.loads(host.connection()) | {"port": free_port()}
    monkeypatch.setenv("AIRFLOW_CONN_SSH_YARD", json.dumps(told))
    monkeypatch.setattr("drydock.rman.ssh.FIRST_WAIT_S", 0.01)
    monkeypatch.setattr("drydock.rman.ssh.LONGEST_WAIT_S", 0.02)
    assert refused(yard).code == "rman_unreachable"
    monkeypatch.delenv("AIRFLOW_CONN_SSH_YARD")
    assert "is not defined" in refused(yard).values["reason"]


async def event_of(yard: RmanYard, job_id: str = "dd-nothing-there", for_s: float = 20.0) -> str:
    """What the trigger says when it has nothing more to wait for."""
    trigger = trigger_of(job_id, for_s)
    async for event in trigger.run():
        assert event.payload["memory"] == {"began": [job_id]}
        return event.payload["state"]
    return "nothing"


def trigger_of(job_id: str, for_s: float = 20.0) -> Any:
    from drydock.orchestration.rman import RmanJobTrigger

    return RmanJobTrigger("ssh_yard", job_id, 0.1, time.time() + for_s, {"began": [job_id]})


def test_the_trigger_waits_for_the_end_through_a_cut_connection(yard: RmanYard, host: OracleHost) -> None:
    yard.behave("sleep 1.2\n" if host.sshd else "sleep 0.3\n")
    job, cuts = job_of("trigger"), []
    with far_side(yard) as side:
        start_job(side, job)
    cutter = threading.Thread(target=cut_once, args=(host, cuts))
    cutter.start()
    assert asyncio.run(event_of(yard, job.job_id)) == "done"
    cutter.join()
    assert cuts or not host.sshd
    assert yard.asked() == ["RESTORE DATABASE PREVIEW;"]


def cut_once(host: OracleHost, cuts: list[int]) -> None:
    """Cut the trigger's connection a moment after it was made. The one process of asyncssh cannot be cut so."""
    until = time.monotonic() + 20
    while host.sshd and not cuts and time.monotonic() < until:
        time.sleep(0.3)
        cuts += [n for n in (cut_connections(host),) if n]


def test_the_trigger_tells_a_lost_job_and_does_not_wait_for_ever(yard: RmanYard, host: OracleHost) -> None:
    assert asyncio.run(event_of(yard)) == "rman_lost"
    yard.behave(SLOW)
    job = job_of("overdue")
    with far_side(yard) as side:
        start_job(side, job)
        assert asyncio.run(event_of(yard, job.job_id, for_s=0.5)) == "overdue"
        stop_job(side, job.job_id)


def test_a_task_that_a_person_ends_takes_its_rman_with_it(yard: RmanYard, host: OracleHost) -> None:
    yard.behave(SLOW)
    job = job_of("killed")
    with far_side(yard) as side:
        start_job(side, job)
        asyncio.run(trigger_of(job.job_id).on_kill())
        assert look_at_job(side, job.job_id).state is JobState.STOPPED
    left = subprocess.run(["pgrep", "-r", "R,S,D", "-f", job.job_id], capture_output=True, text=True, check=False).stdout
    assert left == ""


def test_a_trigger_survives_its_own_serialization() -> None:
    from drydock.orchestration.rman import RmanJobTrigger

    path, arguments = trigger_of("dd-some-job-id").serialize()
    assert path == "drydock.orchestration.rman.RmanJobTrigger" and RmanJobTrigger(**arguments).serialize() == (path, arguments)
    json.dumps(arguments)

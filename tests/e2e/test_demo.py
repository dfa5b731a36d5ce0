"""`make demo` from nothing: runs through the real scheduler, the planted verdicts, the reports, and a clean end.

Its Airflow stays up for the rest of the tier; what is asked of its end comes last.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from drydock.configuration import load_estate
from sandbox import demo
from sandbox.stop import stop_everything
from tests.e2e.conftest import ROOT, DemoRun, Ended, processes_with

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_it_shows_the_planted_verdicts_and_stays_up(cold_demo: DemoRun) -> None:
    assert cold_demo.stays_up, cold_demo.output[-4000:]
    assert "each verdict is the planted one" in cold_demo.output and cold_demo.terminal.process.poll() is None


def test_it_shows_verdicts_reports_url_and_login(cold_demo: DemoRun, state: Path) -> None:
    databases = ("gz_main ", "gz_cbec", "gz_market", "gz_main_sim")
    codes = ("job_not_run", "set_file_missing", "rman_corrupt_blocks")
    for word in (*databases, *codes, "simulator of an Oracle database", "http://127.0.0.1:", "login: dba / "):
        assert word in cold_demo.output
    reports = sorted((state / "reports").rglob("*"))
    assert {p.suffix for p in reports if p.is_file()} == {".docx", ".html", ".xlsx"}
    for path in reports:
        if path.is_file():
            assert path.name in cold_demo.output.replace("\n", "")


def test_its_runs_leave_no_scratch_area_and_no_job_of_rman(cold_demo: DemoRun) -> None:
    assert (cold_demo.left_behind, cold_demo.left_of_oracle) == ((), ())


def test_each_command_came_to_rman_once(cold_demo: DemoRun) -> None:
    """But for those that both `read` and `drill` have to ask: control file and spfile."""
    times = Counter(cold_demo.asked_of_rman)
    assert len(times) >= 10
    assert {command for command, count in times.items() if count > 1} <= {
        "RESTORE CONTROLFILE VALIDATE",
        "RESTORE SPFILE VALIDATE",
    }
    assert max(times.values()) <= 2


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = {"DRYDOCK_PORT": str(taken.getsockname()[1]), "DRYDOCK_STATE": str(tmp_path)}
        env = os.environ | settings | {"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}"}
        done = subprocess.run(
            [sys.executable, "-m", "sandbox.demo"], env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    assert done.returncode == 1
    assert len(lines) == 1 and "is in use; choose another" in lines[0], lines


def test_without_a_terminal_it_ends_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last step alone: nobody is waited for where nobody can type Ctrl-C."""
    for name in ("check_machine", "say", "wait_for_person"):
        monkeypatch.setattr(demo, name, lambda *_args, called=name: said.append(called))
    said: list[str] = []
    monkeypatch.setattr(demo, "set_up", lambda _console: (None, SimpleNamespace(url="")))
    monkeypatch.setattr(demo.airflow_server, "client", lambda _server: contextlib.nullcontext())
    monkeypatch.setattr(demo, "run_checks", lambda *_args: {})
    for is_good, code in ((True, demo.GOOD), (False, demo.WRONG)):
        monkeypatch.setattr(demo, "show_results", lambda *_args, good=is_good: good)
        assert demo.run_demo(Console(quiet=True), 0.0) == code
    assert "say" in said and "wait_for_person" not in said
    screen = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr(demo, "sys", SimpleNamespace(stdin=screen, stdout=screen))
    assert demo.run_demo(Console(quiet=True), 0.0) == demo.WRONG and said.count("wait_for_person") == 1


def test_ctrl_c_ends_it_well_and_leaves_nothing(ended_demo: Ended) -> None:
    """After all the runs, and all the deaths, of the tier."""
    assert ended_demo.returncode == 0, ended_demo.output[-4000:]
    assert (ended_demo.left_running, ended_demo.left_behind, ended_demo.left_of_oracle) == ((), (), ())


def test_the_next_call_finds_all_that_was_made(ended_demo: Ended, state: Path) -> None:
    before = (state / "sandbox.json").read_bytes()
    sandbox = demo.warm_sandbox(state)
    try:
        assert sandbox is not None and (state / "sandbox.json").read_bytes() == before
        judgements = demo.judgements_of(sandbox, datetime.now(load_estate().databases[0].zone).date())
        assert set(judgements) == {database.id for database in load_estate().databases}
    finally:
        stop_everything(state)
    assert processes_with(str(state)) == []

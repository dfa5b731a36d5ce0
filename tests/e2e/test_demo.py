"""`make demo` from nothing: runs through the real scheduler, the planted verdicts, the reports, and a clean end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, DemoRun

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_it_ends_well(cold_demo: DemoRun) -> None:
    assert cold_demo.returncode == 0, cold_demo.output[-4000:]
    assert "each verdict is the planted one" in cold_demo.output


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


def test_it_leaves_no_process_and_no_scratch_area(cold_demo: DemoRun) -> None:
    assert (cold_demo.left_running, cold_demo.left_behind) == ((), ())


def test_it_leaves_no_job_of_rman_and_no_socket(cold_demo: DemoRun) -> None:
    assert cold_demo.left_of_oracle == ()


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

"""`python -m tests`: what fails beside others is run again alone, named, and never hidden when it fails twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHAKY = """
from pathlib import Path
import pytest

@pytest.mark.parametrize("text", ["a::b [c]", "报\\n"])
def test_shaky(text):
    seen = Path(f"seen_{len(text)}")
    seen.touch(exist_ok=False) if not seen.exists() else None
    seen.write_text(seen.read_text() + "x")
    assert len(seen.read_text()) > 1

def test_steady():
    pass
"""
BROKEN = "def test_broken():\n    assert False\n"


def run_in(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "tests", "-p", "no:cacheprovider", "-n", "0", *more]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(("broken", "code"), [("", 0), (BROKEN, 1)])
def test_what_passes_alone_is_named_and_what_fails_twice_fails(tmp_path: Path, broken: str, code: int) -> None:
    (tmp_path / "test_it.py").write_text(SHAKY + broken)
    done = run_in(tmp_path)
    assert done.returncode == code, done.stdout + done.stderr
    kept = (tmp_path / ".drydock" / "unsteady.txt").read_text()
    assert kept.count("test_shaky[") == 2 and "test_broken" not in kept and "test_steady" not in kept
    assert done.stdout.count("UNSTEADY") == 1


def test_many_at_once_are_not_tried_again(tmp_path: Path) -> None:
    many = "import pytest\n@pytest.mark.parametrize('n', range(7))\ndef test_it(n):\n    assert False\n"
    (tmp_path / "test_it.py").write_text(many)
    done = run_in(tmp_path)
    assert done.returncode == 1 and "run again" not in done.stdout and "7 failed" in done.stdout


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_file_that_cannot_be_read_fails_the_run(tmp_path: Path, processes: str) -> None:
    (tmp_path / "test_it.py").write_text(SHAKY)
    (tmp_path / "test_unread.py").write_text("import no_such_module\n")
    done = run_in(tmp_path, "-n", processes, "--continue-on-collection-errors")
    assert done.returncode != 0 and "UNSTEADY" not in done.stdout, done.stdout

"""`python -m drydock judge-backup` as a DBA types it: what it prints, how it ends, and that a stop leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from drydock import settings
from sandbox.world import World
from tests.faults.damage import flip_byte, user_files
from tests.faults.judging import Case, case_of
from tests.leftovers import wait_for_nothing_left

GOOD, FAILED, UNKNOWN, BAD_USAGE = 0, 1, 2, 64


def command(*options: object) -> list[str]:
    return [sys.executable, "-m", "drydock", "judge-backup", *map(str, options)]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(settings.home() / "plugins")}


def judge(*options: object) -> tuple[int, dict, str]:
    """Exit code, what was printed as JSON, and what was said beside it."""
    done = subprocess.run(
        command(*options, "--json"), env=environment(), capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def options_of(case: Case) -> list[object]:
    return [case.places.sets, "--wal", case.places.wal]


def codes(judgement: dict, question: str) -> set[str]:
    return {finding["code"] for finding in judgement[question]["findings"]}


def test_sound_backups_with_a_drill(chain_world: World, tmp_path: Path) -> None:
    case, scratch = case_of(chain_world, tmp_path / "case"), tmp_path / "scratch"
    scratch.mkdir()
    code, judgement, _ = judge(*options_of(case), "--drill", "--scratch", scratch)
    assert code == GOOD
    assert judgement["valid"]["status"] == "PASS" and judgement["complete"]["status"] == "PASS"
    assert judgement["coverage"]["read_bytes"] == judgement["coverage"]["total_bytes"] > 0
    assert judgement["last_drill"]["findings"] == [] and judgement["restorable"]
    assert wait_for_nothing_left(scratch) == []


def test_a_flipped_byte_is_a_failure(chain_world: World, tmp_path: Path) -> None:
    case = case_of(chain_world, tmp_path / "case")
    flip_byte(case.set_dir(0) / user_files(case.set_dir(0))[0], 5000)
    code, judgement, _ = judge(*options_of(case))
    assert code == FAILED and judgement["valid"]["status"] == "FAIL"
    assert codes(judgement, "valid") == {"set_checksum"}


def test_an_empty_folder_is_unknown_or_failed_and_never_good(tmp_path: Path) -> None:
    code, judgement, _ = judge(tmp_path)
    assert code == FAILED and codes(judgement, "complete") == {"no_full_backup"}
    assert judgement["valid"]["status"] == "UNKNOWN"


def test_a_wrong_call_is_one_line(tmp_path: Path) -> None:
    code, _, said = judge(tmp_path / "nowhere")
    assert code == BAD_USAGE and len(said.strip().splitlines()) == 1 and "nowhere" in said


def test_a_person_who_stops_it_waits_little_and_finds_nothing_left(chain_world: World, tmp_path: Path) -> None:
    case, scratch = case_of(chain_world, tmp_path / "case"), tmp_path / "scratch"
    scratch.mkdir()
    running = subprocess.Popen(
        command(*options_of(case), "--drill", "--scratch", scratch), env=environment(), start_new_session=True
    )
    while not list(scratch.iterdir()):
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    assert running.wait(60) == 130
    assert wait_for_nothing_left(scratch) == []

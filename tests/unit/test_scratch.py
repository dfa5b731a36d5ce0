"""Scratch areas: made only with space, removed only by their exact name, gone after any death of their owner."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from drydock.backup import scratch
from drydock.backup.guardian import GuardianNotStarted, start_guardian

OWNER = """
import sys, time
from pathlib import Path
from drydock.backup.guardian import start_guardian
from drydock.backup.scratch import make_scratch, name_scratch
area = name_scratch(Path(sys.argv[1]))
if sys.argv[2] == "guarded":
    start_guardian(area.path)
make_scratch(area, 0, 1.0)
print(area.path, flush=True)
time.sleep(600)
"""


def open_area(root: Path, needed_bytes: int, factor: float) -> scratch.Scratch:
    area = scratch.name_scratch(root)
    scratch.make_scratch(area, needed_bytes, factor)
    return area


def start_owner(root: Path, how: str) -> tuple[subprocess.Popen, Path]:
    env = os.environ | {"PYTHONPATH": str(Path(scratch.__file__).parents[2])}
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(root), how], stdout=subprocess.PIPE, text=True, env=env)
    with owner.stdout:
        return owner, Path(owner.stdout.readline().strip())


def kill(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()


def wait_until(condition, timeout_s: float = 60) -> bool:
    give_up_at = time.monotonic() + timeout_s
    while not (met := condition()) and time.monotonic() < give_up_at:
        time.sleep(0.02)
    return bool(met)


def guardians_of(area: Path) -> list[int]:
    return [pid for pid in scratch._pids() if str(area).encode() in _command_line(pid).split(b"\0")]


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_an_area_is_private_named_and_owned(tmp_path):
    area = open_area(tmp_path / "scratch", 1000, 1.2)
    owner = json.loads((area.path / "owner").read_text())
    assert scratch.AREA_NAME.fullmatch(area.drill_id) and area.path.stat().st_mode & 0o777 == 0o700
    assert (owner["pid"], owner["started_ticks"]) == (os.getpid(), scratch.process_start_ticks(os.getpid()))
    scratch.close_scratch(area)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_too_little_space_is_said_with_figures_before_anything_is_made(tmp_path):
    with pytest.raises(scratch.ScratchTooSmall) as e:
        open_area(tmp_path / "scratch", 10**18, 1.5)
    assert e.value.needed_bytes == 15 * 10**17 and 0 < e.value.free_bytes < 10**18
    assert list((tmp_path / "scratch").iterdir()) == []


def test_two_areas_cannot_be_promised_the_same_space(tmp_path):
    free_bytes = shutil.disk_usage(tmp_path).free
    first = open_area(tmp_path, int(free_bytes * 0.6), 1.0)
    with pytest.raises(scratch.ScratchTooSmall) as e:
        open_area(tmp_path, int(free_bytes * 0.6), 1.0)
    assert e.value.free_bytes < free_bytes * 0.5
    scratch.close_scratch(first)
    scratch.close_scratch(open_area(tmp_path, int(free_bytes * 0.6), 1.0))


def test_what_an_area_has_written_is_not_counted_twice(tmp_path):
    first = open_area(tmp_path, 10_000_000, 1.0)
    assert abs(scratch._promised_bytes(tmp_path) - 10_000_000) < 100_000
    with (first.path / "file").open("wb") as file:
        file.write(os.urandom(8_000_000))
        os.fsync(file.fileno())  # until then it may have no blocks yet
    assert abs(scratch._promised_bytes(tmp_path) - 2_000_000) < 100_000
    scratch.close_scratch(first)


def test_a_dead_area_holds_no_space_back(tmp_path):
    owner, area = start_owner(tmp_path, "unguarded")
    kill(owner)
    (area / "owner").write_text(json.dumps({"reserved_bytes": 10**18}))
    scratch.close_scratch(open_area(tmp_path, 1000, 1.0))
    assert scratch.sweep_scratch(tmp_path) == [area.name]


def test_the_sweep_leaves_living_areas_and_removes_dead_ones(tmp_path):
    mine = open_area(tmp_path, 0, 1.0)
    owner, theirs = start_owner(tmp_path, "unguarded")
    (theirs / "data").mkdir()
    (theirs / "data" / "file").write_bytes(b"x" * 1000)
    assert scratch.sweep_scratch(tmp_path) == []
    kill(owner)
    assert scratch.sweep_scratch(tmp_path) == [theirs.name]
    assert [p.name for p in tmp_path.iterdir()] == [mine.drill_id]
    scratch.close_scratch(mine)


def test_an_area_without_owner_file_is_left_for_its_first_minute(tmp_path):
    young, old = tmp_path / "drydock-drill-00000001", tmp_path / "drydock-drill-00000002"
    young.mkdir()
    old.mkdir()
    os.utime(old, (time.time() - 3600,) * 2)
    assert scratch.sweep_scratch(tmp_path) == [old.name]
    assert young.exists()


@pytest.mark.parametrize(
    "name", ["drydock-drill-", "drydock-drill-0000000", "drydock-drill-0000000g", "drydock-drill-000000011", "x"]
)
def test_nothing_with_another_name_is_ever_removed(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    os.utime(folder, (0, 0))
    assert scratch.sweep_scratch(tmp_path) == []
    with pytest.raises(scratch.NotAScratchArea):
        scratch.remove_area(folder)
    assert folder.is_dir()


def test_symbolic_links_are_refused_and_never_followed(tmp_path):
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    (treasure / "gold").write_text("x")
    link = tmp_path / "drydock-drill-0000000a"
    link.symlink_to(treasure)
    assert scratch.sweep_scratch(tmp_path) == []
    with pytest.raises(scratch.NotAScratchArea):
        scratch.remove_area(link)
    area = open_area(tmp_path, 0, 1.0)
    (area.path / "pg_tblspc").symlink_to(treasure)
    scratch.close_scratch(area)
    assert (treasure / "gold").exists() and not area.path.exists()


def test_sweeping_a_missing_root_is_nothing(tmp_path):
    assert scratch.sweep_scratch(tmp_path / "none") == []


def test_an_orphan_that_still_writes_is_ended_and_a_reader_is_not(tmp_path):
    area = open_area(tmp_path, 0, 1.0)
    (area.path / "log").write_text("x")
    code = "import sys,time; f=open(sys.argv[1], sys.argv[2]); print(flush=True); time.sleep(600)"
    writer, reader = (
        subprocess.Popen([sys.executable, "-c", code, str(area.path / "log"), mode], stdout=subprocess.PIPE)
        for mode in ("a", "r")
    )
    for process in (writer, reader):
        with process.stdout:
            process.stdout.readline()
    scratch.close_scratch(area)
    assert writer.wait(timeout=60) == -signal.SIGKILL
    assert reader.poll() is None and not area.path.exists()
    kill(reader)


def test_the_guardian_removes_the_area_when_its_owner_is_killed(tmp_path):
    owner, area = start_owner(tmp_path, "guarded")
    assert len(guardians_of(area)) == 1
    kill(owner)
    assert wait_until(lambda: not area.exists())
    assert wait_until(lambda: not guardians_of(area))


def test_the_guardian_is_outside_the_owners_session_and_holds_no_file_of_it(tmp_path):
    owner, area = start_owner(tmp_path, "guarded")
    (guardian,) = guardians_of(area)
    assert os.getsid(guardian) != os.getsid(owner.pid) and os.getpgid(guardian) != os.getpgid(owner.pid)
    assert f"\nPPid:\t{owner.pid}\n" not in Path(f"/proc/{guardian}/status").read_text()
    descriptors = {p.name: str(p.readlink()) for p in Path(f"/proc/{guardian}/fd").iterdir()}
    assert descriptors.keys() == {"0", "1", "2"} and descriptors["1"] == descriptors["2"] == "/dev/null"
    kill(owner)
    assert wait_until(lambda: not area.exists())


def test_the_guardian_leaves_at_once_after_a_normal_end(tmp_path):
    area = open_area(tmp_path, 0, 1.0)
    pipe = start_guardian(area.path)
    scratch.close_scratch(area)
    os.close(pipe)
    assert wait_until(lambda: not guardians_of(area.path))


def test_the_guardian_of_an_area_that_was_never_made_ends_with_its_drill(tmp_path):
    area = scratch.name_scratch(tmp_path)
    pipe = start_guardian(area.path)
    assert len(guardians_of(area.path)) == 1
    os.close(pipe)
    assert wait_until(lambda: not guardians_of(area.path)) and list(tmp_path.iterdir()) == []


def test_a_program_that_is_about_to_restore_into_the_area_is_ended(tmp_path):
    """pg_combinebackup first reads, and then makes its folders with all that lead to them."""
    area = open_area(tmp_path, 0, 1.0)
    program = tmp_path / scratch.COMBINE
    shutil.copy("/bin/sleep", program)
    reading = subprocess.Popen([program, "600"], cwd=area.path)
    elsewhere = subprocess.Popen([program, "600"], cwd=tmp_path)
    scratch.close_scratch(area)
    assert reading.wait(timeout=60) == -signal.SIGKILL and elsewhere.poll() is None
    kill(elsewhere)


def test_the_guardian_refuses_anything_but_a_scratch_area(tmp_path):
    with pytest.raises(GuardianNotStarted, match="usage"):
        start_guardian(tmp_path)

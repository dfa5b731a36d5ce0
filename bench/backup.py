"""Drydock's whole verification of a backup against the same raw tools run by hand, in the same run.

    python -m bench backup [--small]

Whole: `python -m drydock judge-backup --drill`, from the start of its process to its exit: survey, every byte of sets
and logs, restore, recovery, pages, structure, judgement. By hand: `bench.backup_by_hand`. Reading: every byte of sets
and logs, against `cat` of the same files into nothing and against the tools. Files are pushed out of the page cache
before each turn; a disk that caches by itself, as that of a virtual machine may, stays as warm as it is for all.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.backup_by_hand import drill_by_hand, read_by_hand
from bench.backup_data import Backups, make_backups
from bench.measures import Line, compare, take_turns, tell, timed
from drydock import settings
from drydock.backup.facts import BackupSet, LogArchive
from drydock.backup.source import BackupSource
from drydock.backup.sources.pg_basebackup import PgBasebackupSource
from drydock.estate import Places

GIGABYTES_AND_ROUNDS = ((1.0, 3), (2.0, 1), (4.0, 1))  # of the cluster; turns of each side
SMALL = ((0.25, 3), (0.5, 1))
READ_ROUNDS = 3
LARGEST_RATIO = 1.10
JUDGED_FROM_BYTES = 1e9  # of less, the half second in which a process starts is a good part
LARGEST_MEMORY_GROWTH = 1.10
FILES_AT_ONCE = 1000
MOSTLY = 0.5
# prints its own peak of memory at the end; that of its children is theirs (proc(5), VmHWM)
COMMAND = """
import re, sys
from pathlib import Path
from drydock.cli import main
code = main(sys.argv[1:])
sys.stderr.write(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
sys.exit(code)
"""


@dataclass
class Measured:
    """All that was measured on one size."""

    total_bytes: int
    drydock_s: list[float]
    by_hand_s: list[float]
    peak_bytes: int
    steps: list[str]

    @property
    def gigabytes(self) -> float:
        return self.total_bytes / 1e9


def measure(small: bool) -> list[Line]:
    """Back up a cluster of each size, measure, remove all."""
    home = settings.state_dir() / "bench" / f"backup-{os.getpid()}"
    sizes: list[Measured] = []
    lines: list[Line] = []
    try:
        for gigabytes, rounds in SMALL if small else GIGABYTES_AND_ROUNDS:
            tell(f"backup: backing up a cluster of {gigabytes:g} GB")
            backups = make_backups(home / f"{gigabytes:g}", gigabytes)
            shutil.rmtree(home / f"{gigabytes:g}" / "data")
            lines += _reading_lines(backups)
            sizes.append(_measure_whole(backups, rounds, home))
            lines += _whole_lines(sizes[-1])
            shutil.rmtree(home / f"{gigabytes:g}")
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return [*lines, *_growth_lines(sizes[0], sizes[-1])]


def _reading_lines(backups: Backups) -> Iterator[Line]:
    """Reading alone, without the start of a process: bytes per second against a bare read, and against the tools."""
    tell(f"backup: reading {backups.total_bytes / 1e9:.2f} GB")

    source = PgBasebackupSource(Places(sets=str(backups.sets), logs=str(backups.wal)), ZoneInfo("UTC"))
    sets, logs = source.survey_sets(datetime.now(UTC)), source.survey_logs(datetime.now(UTC))

    def cold(work: Callable[[], object]) -> float:
        backups.evict()
        return timed(work)

    backups.evict()
    state = "cold" if backups.cached_share() < MOSTLY else "warm: this file system keeps its cache"
    ours_s, bare_s, by_hand_s = take_turns(
        READ_ROUNDS,
        lambda: cold(lambda: _read_all(source, sets, logs)),
        lambda: cold(lambda: _read_bare(backups)),
        lambda: cold(lambda: read_by_hand(backups)),
    )
    what = f"read every byte of {backups.total_bytes / 1e9:.2f} GB, {state}"
    for name, seconds in (("cat", bare_s), ("pg_verifybackup and pg_waldump", by_hand_s)):
        line = compare(what, ours_s, name, seconds)
        yield Line(
            what,
            f"{backups.total_bytes / 1e6 / statistics.median(ours_s):.0f} MB/s",
            f"{name} {backups.total_bytes / 1e6 / statistics.median(seconds):.0f} MB/s",
            line.result,
            "x the time",
            line.rounds,
        )


def _read_all(source: BackupSource, sets: Sequence[BackupSet], logs: LogArchive) -> None:
    """Everything, as the task `read` reads it."""
    reads = [source.read_set(s) for s in sets] + [source.read_logs(r) for r in logs.ranges]
    found = [finding for read in reads for finding in read.findings]
    if found or not all(read.read_bytes for read in reads):
        raise RuntimeError(f"sound backups were not read as sound: {found}")


def _read_bare(backups: Backups) -> None:
    files = [str(path) for path in backups.files]
    for first in range(0, len(files), FILES_AT_ONCE):
        subprocess.run(["cat", "--", *files[first : first + FILES_AT_ONCE]], check=True, stdout=subprocess.DEVNULL)


def _measure_whole(backups: Backups, rounds: int, home: Path) -> Measured:
    tell(f"backup: whole verification of {backups.total_bytes / 1e9:.2f} GB, {rounds} x Drydock and by hand")
    measured = Measured(backups.total_bytes, [], [], 0, [])
    (home / "scratch").mkdir(exist_ok=True)

    def drydock() -> float:
        backups.evict()
        return timed(lambda: _judge(backups, home / "scratch", measured))

    def by_hand() -> float:
        backups.evict()
        return timed(lambda: _verify_by_hand(backups, home / "hand", measured))

    measured.drydock_s, measured.by_hand_s = take_turns(rounds, drydock, by_hand)
    for step in measured.steps:
        tell(f"backup:   {step}")
    return measured


def _judge(backups: Backups, scratch: Path, measured: Measured) -> None:
    """The command as a DBA types it; raises RuntimeError unless it finds the backups sound and drilled."""
    options = ["judge-backup", str(backups.sets), "--wal", str(backups.wal), "--drill", "--json", "--scratch", str(scratch)]
    env = os.environ | {"PYTHONPATH": str(settings.home() / "plugins")}
    done = subprocess.run([sys.executable, "-c", COMMAND, *options], env=env, capture_output=True, text=True, check=False)
    drill = json.loads(done.stdout)["last_drill"] if done.returncode == 0 else None
    if drill is None or drill["findings"]:
        raise RuntimeError(f"sound backups were not judged sound: {done.stdout[-2000:]} {done.stderr[-2000:]}")
    measured.peak_bytes = max(measured.peak_bytes, int(done.stderr.split()[-1]) * 1024)
    measured.steps.append("Drydock  " + ", ".join(f"{p['name']} {p['elapsed_s']:.2f} s" for p in drill["phases"]))


def _verify_by_hand(backups: Backups, area: Path, measured: Measured) -> None:
    steps = {"read": timed(lambda: read_by_hand(backups)), **drill_by_hand(backups, area)}
    measured.steps.append("by hand  " + ", ".join(f"{name} {elapsed_s:.2f} s" for name, elapsed_s in steps.items()))


def _whole_lines(m: Measured) -> Iterator[Line]:
    what = f"whole verification of {m.gigabytes:.2f} GB, drill included"
    limit = LARGEST_RATIO if m.total_bytes >= JUDGED_FROM_BYTES else None
    yield compare(what, m.drydock_s, "the raw tools by hand", m.by_hand_s, limit)


def _growth_lines(first: Measured, last: Measured) -> Iterator[Line]:
    """How time and memory grow with the bytes: 1.00 is linear for time, and flat for memory."""
    between = f"from {first.gigabytes:.2f} to {last.gigabytes:.2f} GB"
    per_gb = [statistics.median(m.drydock_s) / m.gigabytes for m in (first, last)]
    by_hand_per_gb = [statistics.median(m.by_hand_s) / m.gigabytes for m in (first, last)]
    ours, by_hand = per_gb[1] / per_gb[0], by_hand_per_gb[1] / by_hand_per_gb[0]
    told = f"{per_gb[0]:.1f}, then {per_gb[1]:.1f} s/GB"
    yield Line(f"time {between}", told, f"the raw tools by hand {by_hand:.2f}", ours, "times linear", len(last.drydock_s))
    memory = f"{first.peak_bytes / 1e6:.0f}, then {last.peak_bytes / 1e6:.0f} MB"
    growth = last.peak_bytes / first.peak_bytes
    yield Line(f"peak memory {between}", memory, "flat", growth, "x", len(last.drydock_s), LARGEST_MEMORY_GROWTH)

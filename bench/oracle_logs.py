"""The readers of RMAN logs and alert logs as streams: bytes per second, and memory that does not grow.

    python -m bench oracle_logs [--small]

The logs are made here: years of nightly backups and validations in one file, and an alert log of a busy instance with
an error now and then. The floor is the same file line by line with one pattern for codes. Every turn is a process of its
own; the files lie in the page cache for all.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bench.measures import Line, take_turns, tell
from drydock import settings

MEGABYTES, SMALL = (20, 200), (5, 20)
ROUNDS = 3
LARGEST_MEMORY_GROWTH = 1.1
KEPT_NIGHTS = 100  # then the names of pieces come back: what the reader remembers of them has a bound of its own
BEGIN = datetime(2024, 1, 1, 1, 0)
BAR = "RMAN-00571: ==========================================================="


def measure(small: bool) -> list[Line]:
    """Write both logs in two sizes, read them in turns, remove them."""
    home = settings.state_dir() / "bench" / f"logs-{os.getpid()}"
    home.mkdir(parents=True)
    try:
        return [line for kind in NIGHTS for line in _lines(kind, home, SMALL if small else MEGABYTES)]
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _lines(kind: str, home: Path, megabytes: tuple[int, int]) -> Iterator[Line]:
    first, last = (_written(home / f"{kind}_{size}.log", NIGHTS[kind], size * 10**6) for size in megabytes)
    tell(f"oracle_logs: reading {kind} logs")
    peaks = {path: _read(kind, path)["peak_bytes"] for path in (first, last)}
    ours_s, floor_s = take_turns(ROUNDS, lambda: _read(kind, last)["elapsed_s"], lambda: _read("floor", last)["elapsed_s"])
    ours, floor = statistics.median(ours_s), statistics.median(floor_s)
    size_mb = last.stat().st_size / 1e6
    told = f"{size_mb / ours:.0f} MB/s", f"each line, one pattern {size_mb / floor:.0f} MB/s"
    yield Line(f"read {size_mb:.0f} MB of {kind} log", *told, ours / floor, "x the time", ROUNDS)
    told = f"{peaks[first] / 1e6:.0f}, then {peaks[last] / 1e6:.0f} MB", "flat"
    what = f"peak memory from {megabytes[0]} to {megabytes[1]} MB of {kind} log"
    yield Line(what, *told, peaks[last] / peaks[first], "x", 1, LARGEST_MEMORY_GROWTH)


def _written(path: Path, night: Callable[[int, datetime], str], least_bytes: int) -> Path:
    """Night after night until the file is as large as that."""
    with path.open("w", encoding="ascii") as out:
        number = 0
        while out.tell() < least_bytes:
            out.write("".join(night(n, BEGIN + timedelta(days=n)) for n in range(number, number + 20)))
            number += 20
    return path


def _read(kind: str, path: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.oracle_log_reading", kind, str(path)]
    env = os.environ | {"PYTHONPATH": f"{settings.home()}:{settings.home() / 'plugins'}"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    if not told["seen"] or told["seen"] == ["UNKNOWN", 0, 0]:
        raise RuntimeError(f"{path} was not read as a log of {kind}: {told['seen']}")
    return told


def rman_night(number: int, at: datetime) -> str:
    """One session: a level 1 of 40 files, its pieces validated, one error in a hundred nights."""
    told = f"{at:%d-%b-%y}".upper()
    lines = [f"\nRecovery Manager: Release 19.0.0.0.0 - Production on {at:%a %b %d %H:%M:%S %Y}\n"]
    lines += ["connected to target database: GZMAIN (DBID=1234567890)\n", f"Starting backup at {told}"]
    lines += [f"allocated channel: ORA_DISK_{n}\nchannel ORA_DISK_{n}: SID={30 + n} device type=DISK" for n in (1, 2)]
    for file in range(1, 41, 4):
        lines += ["channel ORA_DISK_1: starting incremental level 1 datafile backup set"]
        lines += [f"input datafile file number={file + n:05d} name=/u02/oradata/gzmain/app_{file + n:02d}.dbf" for n in range(4)]
        lines += [f"channel ORA_DISK_1: starting piece 1 at {told}", f"channel ORA_DISK_1: finished piece 1 at {told}"]
        lines += [f"piece handle=/backup/gz_{number % KEPT_NIGHTS}_{file}_1 tag=TAG{at:%Y%m%dT%H%M%S} comment=NONE"]
        lines += ["channel ORA_DISK_1: backup set complete, elapsed time: 00:00:25"]
    lines += [f"Finished backup at {told}\n", f"Starting restore at {told}", "using channel ORA_DISK_1\n"]
    for file in range(1, 41, 4):
        lines += ["channel ORA_DISK_1: starting validation of datafile backup set"]
        lines += [f"channel ORA_DISK_1: reading from backup piece /backup/gz_{number % KEPT_NIGHTS}_{file}_1"]
        lines += [f"channel ORA_DISK_1: piece handle=/backup/gz_{number % KEPT_NIGHTS}_{file}_1 tag=TAG{at:%Y%m%dT%H%M%S}"]
        lines += [
            "channel ORA_DISK_1: restored backup piece 1",
            "channel ORA_DISK_1: validation complete, elapsed time: 00:00:07",
        ]
    lines += [f"Finished restore at {told}\n", *(_error(number) if number % 100 == 99 else ()), "\nRecovery Manager complete.\n"]
    return "\n".join(lines)


def _error(number: int) -> list[str]:
    names = "RMAN-00569: =============== ERROR MESSAGE STACK FOLLOWS ==============="
    failed = "RMAN-03002: failure of backup command at 01/01/2024 01:00:00"
    return [BAR, names, BAR, failed, f'ORA-19502: write error on file "/backup/gz_{number}_1_1", block number 128']


def alert_night(number: int, at: datetime) -> str:
    """A day of an instance: 400 log switches, an extent that finds no room, a deadlock."""
    lines: list[str] = []
    for switch in range(400):
        sequence, stamp = number * 400 + switch, f"{at + timedelta(seconds=200 * switch):%Y-%m-%dT%H:%M:%S}.123456+08:00"
        lines += [stamp, f"Thread 1 advanced to log sequence {sequence} (LGWR switch)"]
        lines += [f"  Current log# {sequence % 4 + 1} seq# {sequence} mem# 0: /u02/oradata/gzmain/redo{sequence % 4 + 1:02d}.log"]
        lines += [
            stamp,
            f"ARC2 (PID:{20_000 + switch}): Archived Log entry {sequence} added for T-1.S-{sequence} ID 0x4996 LAD:1",
        ]
    lines += [stamp, "ORA-1653: unable to extend table APP.ORDERS by 8192 in tablespace APP_01"]
    lines += [stamp, "ORA-00060: Deadlock detected. See Note 60.1 at My Oracle Support for Troubleshooting ORA-60 Errors."]
    return "\n".join(lines) + "\n"


NIGHTS: dict[str, Callable[[int, datetime], str]] = {"rman": rman_night, "alert": alert_night}

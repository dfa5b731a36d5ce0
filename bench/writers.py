"""Writers beside a piece of work: pgbench at a hundred transactions a second, and how long each of them waited.

Beside it, what the host of a virtual machine took from its processors meanwhile: no server and no pgbench runs then.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.reclaim import Server

JOBS = 2  # threads of pgbench, each with a log
AFTER_S = 0.3  # what was dropped keeps the disk busy for a moment more
STAT = Path("/proc/stat")
LOOK_EVERY_S, TICK_S = 0.005, 0.01  # at stolen time, which the kernel counts in ticks
WRITES = "\\set id random(1, {most})\nUPDATE bench SET b = b + 1 WHERE id = 5 * :id;\n"


@dataclass(frozen=True)
class Waits:
    """Of the writers' transactions beside one piece of work: how many, how many of them lost processor time to the host.

    A virtual machine whose host is busy stands still for tens of milliseconds now and then, its server and its pgbench too.
    """

    asked: int
    stolen: int
    longest_ms: float
    undisturbed_ms: float


def waits_beside(server: Server, rows: int, prepare: Callable[[], None], work: Callable[[], None]) -> Waits:
    """Four clients together ask for a hundred transactions a second: those that waited while the work went on.

    A latency is counted from when the transaction was due, so that those which a long one held up count too.
    """
    prepare()
    (server.place / "writes.sql").write_text(WRITES.format(most=rows // 5))
    for old in server.place.glob("waits.*"):
        old.unlink()
    limits = ["--rate=100", "--client=4", f"--jobs={JOBS}", "--time=3600", "--no-vacuum", "--log", "--log-prefix=waits"]
    writers = server.program("pgbench", *limits, "--file=writes.sql", "bench")
    time.sleep(1)
    try:
        with _watched_steal() as seen:
            began = time.time()
            work()
            ended = time.time()
            _wait_until_written(server.place, ended + AFTER_S)
    finally:
        writers.terminate()  # a job that a shell put in the background inherits that it ignores SIGINT
        writers.wait()
    return waits_of([line for lines in _logs(server.place) for line in lines], began, ended, seen)


def waits_of(lines: list[list[str]], began: float, ended: float, seen: list[tuple[float, float]]) -> Waits:
    """Of what pgbench wrote down, the transactions that were going on while the work was, or its wake."""
    spans = [(int(line[4]) + int(line[5]) / 1e6, int(line[2]) / 1e6) for line in lines]
    beside = [(end - long_s, end) for end, long_s in spans if end >= began and end - long_s <= ended + AFTER_S]
    clean = [end - due for due, end in beside if not _stolen(seen, due, end)]
    longest_s = max(end - due for due, end in beside)
    return Waits(len(beside), len(beside) - len(clean), longest_s * 1000, max(clean, default=0.0) * 1000)


def stolen_s() -> float:
    """Seconds that the host ever took from this machine's processors, all of them together: Linux, proc(5), /proc/stat."""
    if not STAT.exists():
        return 0.0
    return int(STAT.read_text().split("\n", 1)[0].split()[8]) * TICK_S


@contextmanager
def _watched_steal() -> Iterator[list[tuple[float, float]]]:
    """What the host had taken at each moment."""
    seen: list[tuple[float, float]] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK_EVERY_S):
            seen.append((time.time(), stolen_s()))

    threading.Thread(target=look, daemon=True).start()
    try:
        yield seen
    finally:
        over.set()


def _stolen(seen: list[tuple[float, float]], begin: float, end: float) -> bool:
    """Whether the host took time between the last look before and the first one after. Nothing seen: it is not known to have."""
    first, last = bisect_left(seen, (begin - TICK_S,)) - 1, bisect_left(seen, (end + TICK_S,))
    return bool(seen) and seen[max(0, first)][1] < seen[min(last, len(seen) - 1)][1]


def _logs(place: Path) -> list[list[list[str]]]:
    """The whole lines of each log of pgbench: client, transaction, microseconds, file, epoch, its microseconds, lag."""
    texts = [f.read_text() for f in place.glob("waits.*")]
    return [[line.split() for line in text.splitlines(keepends=True) if line.endswith("\n")] for text in texts]


def _wait_until_written(place: Path, moment: float) -> None:
    """pgbench writes its log block by block, and what it has not written is lost with it: the take-over comes last."""
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        logs = _logs(place)
        if len(logs) == JOBS and all(log and int(log[-1][4]) > moment for log in logs):
            return
        time.sleep(0.2)
    raise RuntimeError("pgbench wrote nothing down for a minute")

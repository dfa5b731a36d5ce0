"""What every benchmark shares: one line per result, rounds that take turns, and the facts of the machine.

A machine is never quite idle, so a figure alone says little. What is compared is measured in the same run, in turns
(A B, then B A), and by its median; only the ratio of the two should be read.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

HEAD = ("what", "ours", "peer or floor", "result", "target", "n")


@dataclass(frozen=True)
class Line:
    """One result. `peer`: the same work done by something else, or the floor that the machine sets; with its figure.

    `result` is what counts (a ratio, milliseconds for each), `limit` what it may be at most; None where it only informs.
    """

    what: str
    ours: str
    peer: str
    result: float
    unit: str
    rounds: int
    limit: float | None = None

    @property
    def held(self) -> bool:
        return self.limit is None or self.result <= self.limit

    @property
    def cells(self) -> tuple[str, ...]:
        """The line as the columns of `HEAD`."""
        target = "" if self.limit is None else f"at most {self.limit:g}" + ("" if self.held else " MISSED")
        return (self.what, self.ours, self.peer, f"{self.result:.2f} {self.unit}", target, str(self.rounds))


def compare(what: str, ours_s: Sequence[float], peer: str, peer_s: Sequence[float], limit: float | None = None) -> Line:
    """The ratio of two medians of elapsed seconds."""
    ours, other = statistics.median(ours_s), statistics.median(peer_s)
    return Line(what, f"{ours:.2f} s", f"{peer} {other:.2f} s", ours / other, "x", len(ours_s), limit)


def take_turns(rounds: int, *works: Callable[[], float]) -> list[list[float]]:
    """Elapsed seconds of each piece of work in each round. Works time themselves; every other round runs them backwards."""
    elapsed_s: list[list[float]] = [[] for _ in works]
    for number in range(rounds):
        turn = list(zip(elapsed_s, works, strict=True))
        for seconds, work in turn if number % 2 == 0 else reversed(turn):
            seconds.append(work())
    return elapsed_s


def timed(work: Callable[[], object]) -> float:
    """Elapsed seconds of one call."""
    began_at = time.perf_counter()
    work()
    return time.perf_counter() - began_at


def tell(text: str) -> None:
    """Progress, on standard error: standard output holds the table alone."""
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", file=sys.stderr, flush=True)


def table(lines: Sequence[Line]) -> str:
    """All results as a Markdown table, which also reads well in a terminal."""
    rows = [HEAD, *(line.cells for line in lines)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(HEAD))]
    texts = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([texts[0], rule, *texts[1:]])


def machine_facts(folder: Path) -> str:
    """One line on where and when the figures were measured. `folder`: where the data of the benchmarks lies."""
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    device, kind = _file_system(folder)
    parts = [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"{len(os.sched_getaffinity(0))} cores ({_processor()})",
        f"{memory_bytes / 2**30:.0f} GiB memory",
        f"{kind} on {device}, {shutil.disk_usage(folder).free / 1e9:.0f} GB free",
        f"Linux {platform.release()}, Python {platform.python_version()}",
        f"load of the last minute {os.getloadavg()[0]:.1f}",
    ]
    return " · ".join(parts)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _file_system(folder: Path) -> tuple[str, str]:
    """Device and kind of the file system that holds a folder: the longest mount point that leads to it (proc_mounts(5)).

    `discard` is told, since a file system mounted with it lets a commit wait while a large file goes (bench/README.md).
    """
    path = str(folder.resolve())
    mounts = [line.split()[:4] for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()]
    inside = [mount for mount in mounts if f"{path}/".startswith(mount[1].rstrip("/") + "/")]
    device, _, kind, options = max(inside, key=lambda mount: len(mount[1]))
    return device, kind + (" with discard" if "discard" in options.split(",") else "")

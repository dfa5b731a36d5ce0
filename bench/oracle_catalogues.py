"""What survey and judgement of Oracle catalogues cost, and how that grows with backup sets and archived logs.

Part of `python -m bench oracle_engine`. Simulated databases are asked with the product's SQL once, and the rows kept in
files: how long the simulator takes is not measured. `bench.oracle_judging` then surveys and judges them, in a process of
its own for each turn, so that memory is its own as well.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench.measures import Line, tell
from drydock import settings
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.worlds import big, healthy_worlds
from tests.faults.oracle_judging import estate_entry, simulator_rows, survey_of

DATABASES = 13
DAYS, SMALL_DAYS = (6, 60), (3, 12)  # of `big`: some 200 sets and 1,800 archived logs each
ROUNDS, SMALL = 5, 3
LARGEST_GROWTH = 1.3
LONGEST_S = 10.0  # of 13 catalogues
SEED = 1


@dataclass
class Catalogue:
    """One database's rows in a folder; `items`: backup sets and archived logs."""

    folder: Path
    sets: int
    logs: int
    judging_s: list[float] = field(default_factory=list)
    added_bytes: list[int] = field(default_factory=list)
    peak_bytes: int = 0

    @property
    def items(self) -> int:
        return self.sets + self.logs


def measure(small: bool) -> list[Line]:
    """Keep the rows of all databases, judge them, remove all."""
    home = settings.state_dir() / "bench" / f"oracle-{os.getpid()}"
    rounds = SMALL if small else ROUNDS
    try:
        worlds = list(healthy_worlds().items())
        step = len(worlds) // DATABASES
        tell(f"oracle_engine: asking {DATABASES} simulated databases")
        many = [_keep(build(SEED), home / name) for name, build in worlds[: step * DATABASES : step]]
        lines = [_many_line(many, rounds)]
        days = SMALL_DAYS if small else DAYS
        tell(f"oracle_engine: asking databases of {days[0]} and {days[1]} days")
        sizes = [_keep(big(SEED, days=n), home / f"{n}_days") for n in days]
        for number in range(rounds):
            for size in sizes if number % 2 == 0 else reversed(sizes):
                _judge_alone(size)
        return [*lines, *_growth_lines(*sizes)]
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _keep(database: OracleDatabase, folder: Path) -> Catalogue:
    """Ask all that a survey asks and keep the rows; every number as a Decimal, as the driver gives it."""
    folder.mkdir(parents=True)
    ask, counts = simulator_rows(database), {}

    def kept(name: str) -> list[dict[str, Any]]:
        rows = [{column: _as_driver(value) for column, value in row.items()} for row in ask(name)]
        counts[name] = len(rows)
        (folder / name).write_bytes(pickle.dumps(rows))
        return rows

    survey = survey_of(database, kept)
    (folder / "entry").write_bytes(pickle.dumps((estate_entry(database), survey.as_of)))
    return Catalogue(folder, counts["backup_sets"], counts["archived_logs"])


def _as_driver(value: Any) -> Any:
    return Decimal(value) if isinstance(value, int | float) else value


def _run(rounds: int, folders: list[Path]) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.oracle_judging", str(rounds), *map(str, folders)]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": _path()}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the catalogues were not judged: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def _path() -> str:
    return f"{settings.home()}:{settings.home() / 'plugins'}"


def _judge_alone(size: Catalogue) -> None:
    told = _run(1, [size.folder])
    size.judging_s += told["judging_s"]
    size.added_bytes.append(told["peak_bytes"] - told["base_bytes"])
    size.peak_bytes = max(size.peak_bytes, told["peak_bytes"])


def _many_line(many: list[Catalogue], rounds: int) -> Line:
    told = _run(rounds, [one.folder for one in many])
    judging_s, loading_s = statistics.median(told["judging_s"]), statistics.median(told["loading_s"])
    what = f"survey and judge {len(many)} catalogues in one run, {sum(one.items for one in many)} sets and logs"
    floor = f"their rows as objects {loading_s:.2f} s"
    return Line(what, f"{told['peak_bytes'] / 1e6:.0f} MB at most", floor, judging_s, "s", rounds, LONGEST_S)


def _growth_lines(first: Catalogue, last: Catalogue) -> Iterator[Line]:
    """For each set and log: 1.00 is linear."""
    between = f"from {first.sets} sets and {first.logs} logs to {last.sets} and {last.logs}"
    rounds = len(first.judging_s)
    medians = [statistics.median(one.judging_s) for one in (first, last)]
    each_s = [seconds / one.items for seconds, one in zip(medians, (first, last), strict=True)]
    told = f"{medians[0]:.2f}, then {medians[1]:.2f} s"
    yield Line(f"survey and judge {between}", told, "", each_s[1] / each_s[0], "times linear", rounds, LARGEST_GROWTH)
    added = [statistics.median(one.added_bytes) / one.items for one in (first, last)]
    told = f"{first.peak_bytes / 1e6:.0f}, then {last.peak_bytes / 1e6:.0f} MB"
    yield Line(f"peak memory {between}", told, "", added[1] / added[0], "times linear", rounds, LARGEST_GROWTH)

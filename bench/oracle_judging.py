"""One process of `bench.oracle_catalogues`: surveys and judges databases whose rows lie in files; no simulator is loaded.

    python -m bench.oracle_judging ROUNDS FOLDER...     prints one JSON object

A folder holds `entry` (estate entry and moment) and the rows of each question, all pickled. Rows are loaded when they are
asked for, as they would come over the wire, and the time of loading is told apart.
"""

from __future__ import annotations

import json
import pickle
import re
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from drydock.backup.facts import Survey
from drydock.backup.judge import judge_day
from drydock.backup.oracle.survey import survey_oracle
from drydock.backup.results import Depth, Drill, Read, ReadUnit
from drydock.estate import Database
from drydock.policy import BackupPolicy

POLICY = BackupPolicy()


class RowsOfFiles:
    """The rows of each question (contract: drydock.backup.oracle.survey.Rows), and the seconds that it took to load them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.loading_s = folder, 0.0

    def __call__(self, name: str) -> list[dict[str, Any]]:
        began_at = time.perf_counter()
        rows = pickle.loads((self.folder / name).read_bytes())
        self.loading_s += time.perf_counter() - began_at
        return rows


def judged(folder: Path) -> tuple[float, float]:
    """Seconds of survey and judgement, and of loading. Raises RuntimeError unless the database was found sound."""
    database, as_of = pickle.loads((folder / "entry").read_bytes())
    rows = RowsOfFiles(folder)
    began_at = time.perf_counter()
    survey = survey_oracle(database, rows, as_of, lambda: as_of)
    survey_s = time.perf_counter() - began_at - rows.loading_s
    return survey_s + _judge(database, survey, as_of), rows.loading_s


def _judge(database: Database, survey: Survey, as_of: datetime) -> float:
    """Every set read back and a drill that went well stand beside the catalogue."""
    times = {"started_at": as_of - timedelta(minutes=1), "ended_at": as_of}
    reads = [
        Read(unit=ReadUnit.SET, subject=s.set_id, set_id=s.set_id, read_bytes=s.total_bytes, files=s.files, **times)
        for s in survey.sets
    ]
    drill = Drill(drill_id="drydock_drill_ab12cd34", set_id=survey.sets[-1].set_id, **times)
    began_at = time.perf_counter()
    judged_at = as_of + timedelta(seconds=10)
    found = judge_day(database, survey, reads, [drill], None, POLICY, (), lambda day: day.weekday() < 5, Depth.BYTES, judged_at)
    elapsed_s = time.perf_counter() - began_at
    if found.findings or not found.restorable or not found.complete.examined:
        raise RuntimeError(f"sound backups were not judged sound: {found.findings[:3]}")
    return elapsed_s


def memory_bytes(figure: str) -> int:
    """VmHWM (the peak) or VmRSS of this process (proc(5))."""
    return int(re.search(rf"{figure}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024


def main(arguments: list[str]) -> None:
    rounds, *folders = arguments
    base_bytes = memory_bytes("VmRSS")
    elapsed = [[judged(Path(folder)) for folder in folders] for _ in range(int(rounds))]
    told = {
        "judging_s": [sum(judging_s for judging_s, _ in one) for one in elapsed],
        "loading_s": [sum(loading_s for _, loading_s in one) for one in elapsed],
        "peak_bytes": memory_bytes("VmHWM"),
        "base_bytes": base_bytes,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])

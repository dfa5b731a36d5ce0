"""How fast a configuration loads: databases per second at 100 and 1,000 databases, and how the time grows.

    PYTHONPATH=plugins python -m bench.configuration [COUNT ...]

`cold` is the whole command `python -m drydock check` in a new process, `load` is `load_all` alone, and the floor is the
same file composed by libyaml alone. Target: an estate of 1,000 databases checks in under 2 s, cold.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml
from drydock import settings
from drydock.configuration import load_all

COUNTS = (100, 1000)
ROUNDS = 3

HEAD = """schema: drydock-estate/1
name_zh: 基准
name_en: Benchmark
platforms:
  - {id: fleet, name_zh: 船队}
databases:
"""
# Every database writes its plan in full and has a schedule of its own, which is the slow case.
DATABASE = """  - id: db_{n}
    name_zh: 数据库{n}
    name_en: Database {n}
    platform: fleet
    engine: postgresql
    connection: db_{n}
    role: primary
    time_zone: Asia/Shanghai
    owner: dba
    low_peak_windows:
      - days: [sat, sun]
        start: '01:00'
        end: '05:00'
    allowed_actions: []
    backup:
      source: pg_basebackup
      places:
        sets: ${{DRYDOCK_STATE}}/backups/db_{n}/sets
        logs: ${{DRYDOCK_STATE}}/backups/db_{n}/wal
        job_log: ${{DRYDOCK_STATE}}/backups/db_{n}/backup.log
      plan:
        - {{level: full, cron: '{minute} {hour} * * 0'}}
        - {{level: incremental, cron: '{minute} {hour} * * 1-6'}}
        - {{level: log, cron: '*/15 * * * *'}}
      retention_days: 14
      rpo_minutes: 60
      rto_minutes: 240
      drill:
        weekday: sat
        dbname: app
        assertions:
          - {{name: rows, kind: row_count, table: app.head, at_least: 1}}
          - {{name: newest, kind: newest_row, table: app.head, column: made_at, no_older_than_hours: 48}}
          - {{name: keys, kind: foreign_keys, table: app.line}}
    backup_check: '{minute} 7 * * *'
"""


def write_estate(path: Path, count: int) -> None:
    """An estate of `count` databases that is valid."""
    databases = (DATABASE.format(n=n, minute=n % 60, hour=n // 60 % 24) for n in range(count))
    path.write_text(HEAD + "".join(databases), encoding="utf-8")


def best_of(work: Callable[[], object]) -> float:
    """Shortest elapsed seconds of some rounds."""
    elapsed: list[float] = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        elapsed.append(time.perf_counter() - started)
    return min(elapsed)


def check_cold() -> None:
    """The command as a DBA types it."""
    subprocess.run([sys.executable, "-m", "drydock", "check", "--estate", "fleet"], check=True, stdout=subprocess.DEVNULL)


def measure(folder: Path, count: int) -> float:
    """Load an estate of `count` databases with all other files; print the line and return the cold seconds."""
    path = folder / "estate" / "fleet.yaml"
    write_estate(path, count)
    text = path.read_text(encoding="utf-8")
    cold_s, load_s = best_of(check_cold), best_of(lambda: load_all("fleet"))
    floor_s = best_of(lambda: yaml.compose(text, Loader=yaml.CSafeLoader))
    print(f"{count:6} databases  cold {cold_s:.3f} s  load {load_s:.3f} s  {count / load_s:6.0f} databases/s", end="  ")
    print(f"{load_s / floor_s:.2f} x libyaml alone ({floor_s:.3f} s)")
    return cold_s


def main(counts: tuple[int, ...]) -> None:
    shipped = settings.config_dir()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "estate").mkdir()
        for file in ("backup", "calendar", "exceptions", "notices"):
            (folder / f"{file}.yaml").write_text((shipped / f"{file}.yaml").read_text(encoding="utf-8"), encoding="utf-8")
        os.environ["DRYDOCK_CONFIG"] = name
        times = [measure(folder, count) for count in counts]
    growth = times[-1] / times[0] / (counts[-1] / counts[0])
    print(f"cold growth from {counts[0]} to {counts[-1]}: {growth:.2f} times linear")


if __name__ == "__main__":
    main(tuple(int(a) for a in sys.argv[1:]) or COUNTS)

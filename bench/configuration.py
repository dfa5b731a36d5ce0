"""How fast a configuration loads: databases per second at 100 and 1,000 databases, and how the time grows.

    python -m bench configuration [--small]

`cold` is the whole command `python -m drydock check` in a new process, `load` is `load_all` alone, and the floor is the
same file composed by libyaml alone. Target: an estate of 1,000 databases checks in under 2 s, cold.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from bench.measures import Line, compare, take_turns, tell, timed
from drydock import settings
from drydock.configuration import load_all

COUNTS, SMALL = (100, 1000), (10, 100)
ROUNDS = 3
LONGEST_CHECK_S = 2.0  # for 1,000 databases

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


def measure(small: bool) -> list[Line]:
    """Check estates of growing size, with the other files as they are shipped."""
    with shipped_configuration() as folder:
        return _measure_counts(folder, SMALL if small else COUNTS)


@contextmanager
def shipped_configuration() -> Iterator[Path]:
    """A folder with the shipped configuration whose only estate, the one in force, is yet to be written: `fleet`."""
    shipped, before = settings.config_dir(), {name: os.environ.get(name) for name in ("DRYDOCK_CONFIG", "DRYDOCK_ESTATE")}
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "estate").mkdir()
        for file in ("backup", "calendar", "exceptions", "notices"):
            (Path(name) / f"{file}.yaml").write_text((shipped / f"{file}.yaml").read_text(encoding="utf-8"), encoding="utf-8")
        os.environ |= {"DRYDOCK_CONFIG": name, "DRYDOCK_ESTATE": "fleet"}
        try:
            yield Path(name)
        finally:
            for variable, value in before.items():
                os.environ.pop(variable, None)
                os.environ |= {variable: value} if value is not None else {}


def _measure_counts(folder: Path, counts: tuple[int, ...]) -> list[Line]:
    lines, cold_each = [], []
    for count in counts:
        tell(f"configuration: {count} databases")
        path = folder / "estate" / "fleet.yaml"
        write_estate(path, count)
        text = path.read_text(encoding="utf-8")
        cold_s, load_s, floor_s = take_turns(
            ROUNDS,
            lambda: timed(check_cold),
            lambda: timed(lambda: load_all("fleet")),
            lambda text=text: timed(lambda: yaml.compose(text, Loader=yaml.CSafeLoader)),
        )
        cold_each.append(statistics.median(cold_s) / count)
        target_s = LONGEST_CHECK_S if count == 1000 else None
        told = f"{count / statistics.median(load_s):.0f} databases/s once loaded"
        lines.append(Line(f"check {count} databases, cold", told, "", statistics.median(cold_s), "s", ROUNDS, target_s))
        lines.append(compare(f"load {count} databases", load_s, "libyaml composes the file", floor_s))
    told = f"{1000 * cold_each[0]:.1f}, then {1000 * cold_each[-1]:.1f} ms each"
    growth = cold_each[-1] / cold_each[0]
    return [*lines, Line(f"check from {counts[0]} to {counts[-1]}", told, "", growth, "times linear", ROUNDS)]


def check_cold() -> None:
    """The command as a DBA types it."""
    subprocess.run([sys.executable, "-m", "drydock", "check", "--estate", "fleet"], check=True, stdout=subprocess.DEVNULL)

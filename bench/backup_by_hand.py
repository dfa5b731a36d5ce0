"""The whole verification of a backup as a DBA does it by hand, with nothing but PostgreSQL's own programs.

Every step that Drydock takes is here, with the same options and the same settings of the copy, one after the other.
Source: PostgreSQL manual, "pg_verifybackup", "pg_waldump", "pg_combinebackup", "pg_checksums", "pg_amcheck".
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from bench.backup_data import Backups
from drydock.backup.drill.checks import JOBS
from drydock.backup.drill.restored_copy import HARMLESS
from drydock.engines.postgres_server import LOCALHOST, PostgresServer

STOP_S = 300.0
START_S = 600.0


def read_by_hand(backups: Backups) -> None:
    """pg_verifybackup for each set, which also checks the set's own WAL, then pg_waldump over the archive."""
    for folder in backups.chain:
        run_tool(backups, "pg_verifybackup", "--quiet", str(folder))
    run_tool(backups, "pg_waldump", "--quiet", f"--path={backups.wal}", backups.segments[0], backups.segments[-1])


def drill_by_hand(backups: Backups, area: Path) -> dict[str, float]:
    """Combine, recover to the end of the logs, check pages, check structure, clear up; returns seconds of each step."""
    steps: dict[str, float] = {}
    data_dir = area / "data"
    area.mkdir(mode=0o700)
    began_at = time.perf_counter()

    def step(name: str) -> None:
        nonlocal began_at
        steps[name] = time.perf_counter() - began_at
        began_at = time.perf_counter()

    run_tool(backups, "pg_combinebackup", "--no-sync", f"--output={data_dir}", *map(str, backups.chain))
    step("restore")
    _configure(data_dir, backups.wal)
    server = PostgresServer(backups.binaries, data_dir)
    try:
        server.start()
        server.wait_ready(START_S, states=("ready",))
        step("recover")
        server.stop(STOP_S)
        run_tool(backups, "pg_checksums", "--check", "-D", str(data_dir))
        step("pages")
        server.start()
        server.wait_ready(START_S)
        login = {"PGHOST": LOCALHOST, "PGPORT": str(server.port), "PGUSER": "postgres"}
        run_tool(backups, "pg_amcheck", "--all", "--install-missing", f"--jobs={JOBS}", "--heapallindexed", env=login)
        step("structure")
    finally:
        server.stop(STOP_S)
        shutil.rmtree(area)
    step("clear up")
    return steps


def run_tool(backups: Backups, name: str, *options: str, env: dict[str, str] | None = None) -> None:
    """One program of PostgreSQL; raises subprocess.CalledProcessError: a check that fails measures nothing."""
    command = [str(backups.binaries.tool(name)), *options]
    subprocess.run(command, check=True, capture_output=True, env={"PATH": os.defpath, "LC_ALL": "C"} | (env or {}))


def _configure(data_dir: Path, wal: Path) -> None:
    """Archive recovery with the settings that Drydock gives its own copy, and a login without a password."""
    settings = HARMLESS | {"restore_command": f'cp "{wal}/%f" "%p"'}
    (data_dir / "postgresql.conf").write_text("".join(f"{name} = '{value}'\n" for name, value in settings.items()))
    (data_dir / "postgresql.auto.conf").write_text("")
    (data_dir / "pg_hba.conf").write_text(f"host all all {LOCALHOST}/32 trust\n")
    (data_dir / "recovery.signal").write_text("")

"""Backups to measure on: pgbench's tables in a real server, a full and an incremental pg_basebackup, archived WAL.

A cluster of one gigabyte gives about 1.3 GB of backups: the full set, the increment and the WAL of two batch jobs that
change a twentieth of all rows each. The server is gone when the backups are there.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import secrets
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from drydock.engines.postgres_binaries import Binaries, find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, initialise

CHANGE_SQL = Path(__file__).parent / "sql" / "change_accounts.sql"
SCALE_PER_GB = 65  # of pgbench; one is 15 MB of tables and indexes
ROWS_PER_SCALE = 100_000
CHANGED_SHARE = 0.05  # of all rows, before the increment and again after it
PARTITIONS = 8
ARCHIVE_S = 60
QUICK = {"fsync": "off", "autovacuum": "off", "shared_buffers": "256MB", "max_wal_size": "16GB"}
PROBE_FILES = 64


@dataclass(frozen=True)
class Backups:
    """One full set, one increment on it, and the archive."""

    binaries: Binaries
    sets: Path
    wal: Path

    @property
    def chain(self) -> tuple[Path, Path]:
        """Full, increment."""
        return self.sets / "full", self.sets / "incremental"

    @property
    def segments(self) -> list[str]:
        """Names of the archived segments, in order."""
        return sorted(p.name for p in self.wal.iterdir() if len(p.name) == 24)

    @property
    def files(self) -> list[Path]:
        """Every file of the sets and the archive."""
        return sorted(p for folder in (self.sets, self.wal) for p in folder.rglob("*") if p.is_file())

    @property
    def total_bytes(self) -> int:
        return sum(p.stat().st_size for p in self.files)

    def evict(self) -> None:
        """Push the files out of the page cache, so that the next reader meets the disk (posix_fadvise(2), needs no root)."""
        for path in self.files:
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def cached_share(self) -> float:
        """Of some of the files, the share of pages that are in memory (mincore(2)): about 0 after `evict` where that works."""
        some = [path for path in self.files[:: max(len(self.files) // PROBE_FILES, 1)] if path.stat().st_size]
        in_memory = [flag & 1 for path in some for flag in _page_flags(path)]
        return sum(in_memory) / len(in_memory)


def _page_flags(path: Path) -> bytes:
    """One byte for each page of a file, whose lowest bit says whether the page is in memory."""
    size = path.stat().st_size
    flags = ctypes.create_string_buffer(-(-size // mmap.PAGESIZE))
    # a private mapping that may be written is the one whose address ctypes gives; nothing is written
    with path.open("rb") as file, mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY) as mapped:
        first = ctypes.c_char.from_buffer(mapped)
        code = ctypes.CDLL(None).mincore(ctypes.c_void_p(ctypes.addressof(first)), ctypes.c_size_t(size), flags)
        del first  # or the mapping cannot be closed
    return flags.raw if code == 0 else b"\1"


def make_backups(root: Path, gigabytes: float) -> Backups:
    """Load tables, take both sets, change rows before and after the increment, archive all WAL."""
    backups = Backups(find_binaries(), root / "sets", root / "wal")
    for folder in (backups.sets, backups.wal):
        folder.mkdir(parents=True)
    scale = max(round(gigabytes * SCALE_PER_GB), 1)
    password = secrets.token_hex(8)
    initialise(backups.binaries, root / "data", password=password)
    server = PostgresServer(backups.binaries, root / "data")
    try:
        # without a reader of WAL a table that was just made is loaded without any
        _start(server, {"wal_level": "minimal", "max_wal_senders": "0"})
        load = ["pgbench", "--initialize", "--quiet", f"--scale={scale}", f"--partitions={PARTITIONS}", "postgres"]
        _run(server, password, *load)
        server.stop()
        archive = {"archive_mode": "on", "archive_command": f'cp "%p" "{backups.wal}/%f"', "summarize_wal": "on"}
        _start(server, {"wal_level": "replica", **archive})
        _take_sets(server, password, backups, scale)
    finally:
        server.stop()
    os.sync()  # pages that wait to be written could not be evicted
    return backups


def _start(server: PostgresServer, settings: dict[str, str]) -> None:
    server.start(options=QUICK | settings)
    server.wait_ready()


def _take_sets(server: PostgresServer, password: str, backups: Backups, scale: int) -> None:
    full, incremental = backups.chain
    take = ["pg_basebackup", "--checkpoint=fast", "--no-sync"]
    _run(server, password, *take, "-D", str(full))
    for first, folder in ((0.2, incremental), (0.6, None)):
        rows = scale * ROWS_PER_SCALE
        bounds = ["-v", f"first={int(first * rows)}", "-v", f"last={int((first + CHANGED_SHARE) * rows)}"]
        _run(server, password, "psql", "-X", "-q", "-d", "postgres", *bounds, "-f", str(CHANGE_SQL))
        if folder:
            _run(server, password, *take, "-D", str(folder), "--incremental", str(full / "backup_manifest"))
    _wait_for(
        _run(server, password, "psql", "-X", "-At", "-d", "postgres", "-c", "select pg_walfile_name(pg_switch_wal())"), backups
    )


def _wait_for(segment: str, backups: Backups) -> None:
    deadline = time.monotonic() + ARCHIVE_S
    while segment not in backups.segments:
        if time.monotonic() > deadline:
            raise TimeoutError(f"segment {segment} is not archived after {ARCHIVE_S} s")
        time.sleep(0.05)


def _run(server: PostgresServer, password: str, program: str, *options: str) -> str:
    """One of PostgreSQL's client programs as superuser; returns what it printed."""
    env = {"PATH": os.defpath, "PGHOST": LOCALHOST, "PGPORT": str(server.port), "PGUSER": "postgres", "PGPASSWORD": password}
    command = [str(server.binaries.tool(program)), *options]
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout.strip()

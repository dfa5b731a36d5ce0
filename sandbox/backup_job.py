"""The customer's backup job, as found at many sites: pg_basebackup at night, logs archived by the server, a text log.

Drydock looks at what this job leaves behind and never at the job itself.
Source of the method: PostgreSQL manual, "Continuous Archiving and Point-in-Time Recovery (PITR)".
"""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg

from drydock.backup.facts import Level
from drydock.engines.postgres_binaries import Binaries
from drydock.engines.postgres_server import LOCALHOST, give_to_server, server_environment
from sandbox.clock import MovedClock

Form = Literal["plain", "tar"]
BACKUP_TIMEOUT_S = 900
FIRST_WITH_INCREMENTAL = 17
LONGEST_MESSAGE = 300


@dataclass(frozen=True)
class BackupPlaces:
    """Where the backups of one database lie."""

    root: Path

    @property
    def sets(self) -> Path:
        return self.root / "sets"

    @property
    def wal(self) -> Path:
        return self.root / "wal"

    @property
    def log(self) -> Path:
        return self.root / "backup.log"

    @property
    def tablespaces(self) -> Path:
        """Plain sets keep tablespaces beside the sets: `tablespaces/<set>/<name>`; `pg_tblspc/<oid>` of the set points there."""
        return self.root / "tablespaces"

    def make(self) -> None:
        for folder in (self.sets, self.wal):
            folder.mkdir(parents=True, exist_ok=True)
        give_to_server(self.wal)


def archive_settings(wal: Path, timeout_s: int) -> dict[str, str]:
    """Server settings that archive logs into `wal`: never over an existing file, and whole or not at all."""
    folder = shlex.quote(str(wal.absolute())).replace("%", "%%")
    copy = f"test ! -f {folder}/%f && cp %p {folder}/.%f.part && mv {folder}/.%f.part {folder}/%f"
    return {"wal_level": "replica", "archive_mode": "on", "archive_command": copy, "archive_timeout": str(timeout_s)}


@dataclass
class BackupJob:
    """The job of one database. `clock` is its clock; `password` that of the account `user`, which may replicate.

    It logs on to `dbname` to ask where the tablespaces lie.
    """

    binaries: Binaries
    places: BackupPlaces
    port: int
    user: str
    password: str
    clock: MovedClock
    form: Form = "plain"
    checksums: str = "CRC32C"
    dbname: str = "postgres"

    def run(self, level: Level) -> str | None:
        """Take one backup as the plan says and log it; returns the set's name, None when it failed."""
        name = f"{level}_{self.clock.now():%Y%m%dT%H%M%S}"
        self._log(level, "START", name)
        done = self._take(level, self.places.sets / name)
        if done.returncode != 0:
            self._log(level, "FAILED", f"{name} {' '.join(done.stderr.split())[-LONGEST_MESSAGE:]}")
            return None
        size_bytes = sum(map(_size_bytes, self._entries_of(name)))
        self._log(level, "SUCCESS", f"{name} {size_bytes} bytes")
        self.clock.date_files(self._entries_of(name))
        return name

    def date_logs(self) -> None:
        """Date the logs that were archived since the clock was last moved."""
        self.clock.date_files(p for p in self.places.wal.iterdir() if not p.name.startswith("."))

    def newest_set(self) -> Path | None:
        """The set that the next incremental builds on: the newest that has a manifest."""
        sets = [p for p in self.places.sets.iterdir() if (p / "backup_manifest").is_file()]
        return max(sets, key=lambda p: p.name.partition("_")[2], default=None)

    def _take(self, level: Level, place: Path) -> subprocess.CompletedProcess[str]:
        args = [self.binaries.tool("pg_basebackup"), "-h", LOCALHOST, "-p", str(self.port), "-U", self.user, "--no-password"]
        args += ["-D", place, "--checkpoint=fast", "--no-sync", f"--manifest-checksums={self.checksums}", f"--format={self.form}"]
        if level is Level.INCREMENTAL:
            parent = self.newest_set()
            args.append(f"--incremental={parent / 'backup_manifest' if parent else 'missing'}")
        if self.form == "plain":
            kept = self.places.tablespaces / place.name
            args += [f"--tablespace-mapping={_mapping(location, kept / name)}" for name, location in self._tablespaces()]
        return subprocess.run(
            args,
            env=server_environment({**self.clock.environment(), "PGPASSWORD": self.password}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=BACKUP_TIMEOUT_S,
            check=False,
        )

    def _tablespaces(self) -> list[tuple[str, str]]:
        """Name and location of the tablespaces outside the data directory."""
        with self.connect(self.dbname) as connection:
            rows = connection.execute(
                "select spcname, pg_tablespace_location(oid) from pg_tablespace where pg_tablespace_location(oid) <> ''"
            )
            return [(str(name), str(location)) for name, location in rows]

    def connect(self, dbname: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=LOCALHOST, port=self.port, user=self.user, password=self.password, dbname=dbname, autocommit=True
        )

    def _entries_of(self, name: str) -> Iterator[os.DirEntry[str] | Path]:
        """Everything of one set, folders after what is in them."""
        for place in (self.places.sets / name, self.places.tablespaces / name):
            if place.exists():
                yield from _entries(place)
                yield place

    def _log(self, level: Level, event: str, text: str) -> None:
        with self.places.log.open("a", encoding="utf-8") as log:
            log.write(f"{self.clock.now().isoformat(timespec='seconds')} {level} {event} {text}\n")


def _entries(place: Path | os.DirEntry[str]) -> Iterator[os.DirEntry[str]]:
    # scandir and not pathlib: a set has thousands of files, and a sandbox thirty sets
    with os.scandir(place) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _entries(entry)
            yield entry


def _size_bytes(file: os.PathLike[str]) -> int:
    status = os.lstat(file)
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def _mapping(old: str, new: Path) -> str:
    """One --tablespace-mapping; an equals sign in a path is escaped as the manual of pg_basebackup says."""
    return "{}={}".format(old.replace("=", r"\="), str(new).replace("=", r"\="))


def wait_until(is_so: Callable[[], bool], timeout_s: float, else_text: str) -> None:
    """Poll until it is so. Raises TimeoutError."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{else_text} after {timeout_s:.0f} s")
        time.sleep(0.01)

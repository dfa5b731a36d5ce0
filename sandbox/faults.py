"""The faults that are planted in the backups of gz_cbec. The truth that follows from them: `truth.py`.

In one of the last two nights the backup job did not run at all: no line in its log, no set. In the other it ran and its
log says SUCCESS, but one data file of the set has since been lost.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from drydock.backup.facts import Level
from sandbox.backup_job import BackupPlaces
from sandbox.past import Night

FAULTY = "gz_cbec"
FIRST_USER_OID = 16384  # databases and tables of users are numbered from here on


def unrun_nights(database: str, nights: Sequence[Night]) -> tuple[Night, ...]:
    """The nights in which the database's job does not run at all: of the last two, one that was not to take a full.

    A full that is not taken makes the newest one too old as well; what is planted shall not depend on the weekday.
    """
    if database != FAULTY:
        return ()
    return tuple(n for n in (nights[-2], nights[-1]) if n.level is Level.INCREMENTAL)[:1]


def lose_files(database: str, places: BackupPlaces, newest_set: str) -> tuple[str, ...]:
    """Lose what is to be lost of the newest set; returns the paths in the set."""
    return (remove_data_file(places.sets / newest_set),) if database == FAULTY else ()


def remove_data_file(place: Path) -> str:
    """Remove the largest file of a user's table from a plain set; returns its path in the set. Raises ValueError if none."""
    entries = json.loads((place / "backup_manifest").read_text(encoding="utf-8"))["Files"]
    files = {e["Path"]: e["Size"] for e in entries if "Path" in e and _is_user_data(e["Path"])}
    if not files:
        raise ValueError(f"{place} holds no data file of a user's table")
    victim = max(files, key=lambda path: (files[path], path))
    (place / victim).unlink()
    return victim


def _is_user_data(path: str) -> bool:
    parts = path.split("/")
    number = parts[-1].removeprefix("INCREMENTAL.")
    of_user = len(parts) == 3 and parts[0] == "base" and int(parts[1]) >= FIRST_USER_OID
    return of_user and number.isdigit() and int(number) >= FIRST_USER_OID

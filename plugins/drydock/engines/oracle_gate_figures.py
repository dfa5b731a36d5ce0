"""The figures of an Oracle target that the interlocks judge, from the files of `include/sql/oracle/gate` and `session`.

A standby is behind by what its applied logs lack of the newest log of each thread: 0 while it has applied every log that
was archived. Free space for archived logs is that of the recovery area and the disk groups that a local destination
names; a plain folder does not show in any view, so whoever can see it tells (`places.logs` of the estate), for that one
folder only: another destination is another disk. A destination whose room nobody can tell is counted: a full one would
stop the database, whatever room the others have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Any, NamedTuple

from drydock.changing.hands import Eyes, Row, TargetFigures
from drydock.plans import ObjectRef

RECOVERY_AREA = "USE_DB_RECOVERY_FILE_DEST"
STANDBY_TARGETS = ("STANDBY", "REMOTE")
OPEN_MODES = {"READ WRITE": "read_write", "MOUNTED": "mounted"}
BESIDE = {
    "backups": "backup_running",
    "statistics": "statistics_running",
    "maintenance": "maintenance_running",
    "masking": "masking_running",
}


class Declared(NamedTuple):
    """The folder of archived logs that the estate declares, and its free bytes; None: none, or not to be seen from here."""

    folder: str | None
    free_bytes: int | None


def oracle_target_figures(eyes: Eyes, masking_id: int, folder: str | None, free_bytes: Callable[[], int | None]) -> TargetFigures:
    """All figures at this moment; `folder`, `free_bytes`: the estate's `places.logs` and its room.

    Raises ChangeFailed: what a missing grant hides is not known, and closes the gate.
    """
    base, load = eyes.rows("session", "database")[0], eyes.rows("session", "load")[0]
    activity, targets = eyes.rows("gate", "activity")[0], eyes.rows("gate", "archive_targets")
    beside = eyes.rows("gate", "running_beside", {"masking_id": masking_id})[0]
    lags, (archive_free, unseen) = standby_lags(targets), _archives(eyes, targets, Declared(folder, free_bytes()))
    return TargetFigures(
        role=_role(base["role"]),
        open_mode=OPEN_MODES.get(base["open_mode"] or "", "read_only" if base["open_mode"] else ""),
        sessions_per_core=float(load["active_sessions"]) / float(load["cpus"]) if load["cpus"] else None,
        longest_transaction_s=float(activity["oldest_transaction_s"] or 0),
        waiting_sessions=int(activity["waiting_sessions"]),
        archive_free_bytes=archive_free,
        archives_unseen=unseen,
        recovery_area_free_bytes=_recovery_area_free(eyes, targets),
        has_standby=bool(lags),
        standby_lag_s=None if not lags or None in lags else max(lags),
        beside=tuple(code for column, code in BESIDE.items() if beside[column]),
    )


def standby_lags(targets: Sequence[Row]) -> list[float | None]:
    """Seconds that each thread of each standby is behind; None: not shipped to now, or nothing applied in a week."""
    newest: dict[Any, datetime] = {}
    for row in targets:
        if row["archived_until"] is not None:
            newest[row["thread"]] = max(row["archived_until"], newest.get(row["thread"], row["archived_until"]))
    standbys = [row for row in targets if row["target"] in STANDBY_TARGETS]
    return [_lag_s(row, newest.get(row["thread"])) for row in standbys]


def _lag_s(row: Row, newest: datetime | None) -> float | None:
    if row["status"] != "VALID" or newest is None or row["applied_until"] is None:
        return None
    return max(0.0, (newest - row["applied_until"]).total_seconds())


def _role(told: str | None) -> str:
    return "primary" if told == "PRIMARY" else "standby" if told else ""


def _local(targets: Sequence[Row]) -> list[str]:
    return [str(row["destination"]) for row in targets if row["target"] not in STANDBY_TARGETS]


def _recovery_area_free(eyes: Eyes, targets: Sequence[Row]) -> int | None:
    """What may still be written, what can be deleted counted as free; None where no local destination is the area."""
    if RECOVERY_AREA not in _local(targets):
        return None
    areas = [row for row in eyes.rows("session", "recovery_area") if row["name"]]
    return int(areas[0]["limit_bytes"] - areas[0]["used_bytes"] + areas[0]["reclaimable_bytes"]) if areas else None


def _archives(eyes: Eyes, targets: Sequence[Row], told: Declared) -> tuple[int | None, int]:
    """The least free space of disk groups and folders that logs are archived to, and of how many it is not known."""
    places = [d for d in dict.fromkeys(_local(targets)) if d != RECOVERY_AREA]
    names = {d[1:].split("/")[0].upper() for d in places if d.startswith("+")}
    rows = eyes.rows("gate", "disk_groups") if names else []
    free = {row["name"].upper(): int(row["free_bytes"]) for row in rows if row["name"].upper() in names}
    folders = {PurePath(d) for d in places if not d.startswith("+")}
    seen = {PurePath(told.folder)} if told.folder and told.free_bytes is not None else set()
    known = [*free.values(), *([] if told.free_bytes is None else [told.free_bytes])]
    return min(known, default=None), len(names - set(free)) + len(folders - seen)


def room_for(eyes: Eyes, ref: ObjectRef) -> int | None:
    """Room in the tablespaces of an object's segments, the least of them; None for what has no segment."""
    rows = eyes.rows("gate", "segment_room", {"owner": ref.owner, "name": ref.name, "partition": ref.partition or None})
    return min((int((row["free_bytes"] or 0) + (row["growth_bytes"] or 0)) for row in rows), default=None)

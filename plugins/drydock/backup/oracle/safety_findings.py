"""Findings about what a restore needs beside datafiles and redo: control file, spfile, keystore; and room for what comes.

Sources: Oracle Backup and Recovery User's Guide, "Control File and Server Parameter File Autobackups", "Maintaining the Fast
Recovery Area"; Database Reference, V$RMAN_CONFIGURATION, V$ENCRYPTION_WALLET, V$RECOVERY_FILE_DEST.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from drydock.backup.oracle.catalogue import OracleCatalogue, RecoveryArea
from drydock.backup.oracle.datafile_findings import RECORDS
from drydock.backup.oracle.file_chains import set_id_of
from drydock.backup.oracle.needs import Needs
from drydock.verdicts import Finding, Status

FRA_WARN, FRA_FAIL = 80.0, 90.0  # percent
FRA_SPARE = timedelta(hours=4)  # more than the longest time between two backups of logs
AUTOBACKUP = "CONTROLFILE AUTOBACKUP"
SNAPSHOT = "SNAPSHOT CONTROLFILE NAME"
IN_AREA = "USE_DB_RECOVERY_FILE_DEST"
NO_KEY = "OPEN_NO_MASTER_KEY"  # open, and nothing in it to decrypt with
GIB = 1024**3


def safety_findings(needs: Needs) -> Iterator[Finding]:
    """Control file, spfile, autobackup, keystore and recovery area. What could not be asked is told elsewhere."""
    if needs.answered(*RECORDS):
        yield from _control_file(needs)
        yield from _spfile(needs)
    if needs.answered("rman_configuration"):
        yield from _autobackup(needs)
        yield from _snapshot(needs)
    if needs.answered("keystore"):
        yield from _keystore(needs)
    yield from _recovery_area(needs)


def _control_file(needs: Needs) -> Iterator[Finding]:
    """The newest copy must be younger than the datafile backups that it is to describe."""
    known = needs.repository.control_files
    data = [c.newest.backup for c in needs.repository.chains.values() if c.newest and not _is_in_making(needs, c.newest.backup)]
    if not data:
        return
    if not known:
        yield Finding(code="controlfile_missing", status=Status.FAIL, place=needs.survey.database)
        return
    last = max(data, key=lambda b: b.checkpoint_scn)
    if known[-1].checkpoint_scn < last.checkpoint_scn:
        values = {"scn": known[-1].checkpoint_scn, "needed_scn": last.checkpoint_scn, "set_id": set_id_of(last)}
        yield Finding(code="controlfile_older", status=Status.FAIL, place=set_id_of(known[-1]), values=values)


def _is_in_making(needs: Needs, backup: object) -> bool:
    """True for a backup of the job that runs this moment: its control file comes last."""
    live = [
        j.started_at
        for j in needs.repository.catalogue.jobs
        if j.status.startswith("RUNNING") and j.has_live_session is not False
    ]
    return bool(live) and backup.completed_at is not None and backup.completed_at >= min(live)


def _spfile(needs: Needs) -> Iterator[Finding]:
    has_spfile = needs.repository.catalogue.facts.has_spfile
    if not has_spfile or not needs.answered("spfile_backups") or not needs.repository.chains:
        return
    bad = needs.repository.distrusted
    if not any(s.has_spfile and s.is_available and s.set_id not in bad for s in needs.repository.catalogue.sets):
        yield Finding(code="spfile_missing", status=Status.FAIL, place=needs.survey.database)


def _autobackup(needs: Needs) -> Iterator[Finding]:
    """Without a row of its own it is off up to release 12.1 and on from 12.2 on."""
    facts = needs.repository.catalogue.facts
    setting = facts.rman_configuration.get(AUTOBACKUP, "")
    is_on = setting.upper() == "ON" if setting else _release(facts.version) >= (12, 2)
    if not is_on:
        values = {"setting": setting or "default", "version": facts.version}
        yield Finding(code="autobackup_off", status=Status.WARN, place=needs.survey.database, values=values)


def _snapshot(needs: Needs) -> Iterator[Finding]:
    """RAC from 11.2 on: every instance must see the snapshot control file (ORA-00245); by default it is in one node's home."""
    catalogue = needs.repository.catalogue
    threads = sum(1 for t in catalogue.threads if t.is_enabled)
    if threads > 1 and SNAPSHOT not in catalogue.facts.rman_configuration:
        yield Finding(
            code="snapshot_controlfile_local", status=Status.WARN, place=needs.survey.database, values={"threads": threads}
        )


def _release(version: str) -> tuple[int, ...]:
    """'12.2.0.1.0' as (12, 2); a version that is not told counts as a new one."""
    parts = [int(p) for p in version.split(".")[:2] if p.isdigit()]
    return tuple(parts) or (99,)


def _keystore(needs: Needs) -> Iterator[Finding]:
    """Encrypted pieces that could not be read now, for a reason that is not theirs."""
    catalogue = needs.repository.catalogue
    locked = [s.set_id for s in catalogue.sets if any(p.is_encrypted and p.status == "A" for p in s.pieces)]
    status = catalogue.facts.keystore_status
    if locked and (not status.startswith("OPEN") or status == NO_KEY):
        values = {"status": status or "NONE", "sets": len(locked)}
        yield Finding(code="keystore_closed", status=Status.FAIL, place=needs.survey.database, values=values)


def _recovery_area(needs: Needs) -> Iterator[Finding]:
    catalogue = needs.repository.catalogue
    area = catalogue.recovery_area
    if area is None:
        return
    held = 0 if _holds_back(catalogue) else area.reclaimable_bytes
    room = area.limit_bytes if area.device_free_bytes is None else area.used_bytes + area.device_free_bytes
    percent = 100 * (area.used_bytes - held) / max(min(area.limit_bytes, room), 1)
    free = max(0, _free_bytes(area, held))
    hours, wanted = _hours_left(catalogue, free), _hours_wanted(needs)
    values = {
        "percent": round(percent, 1),
        "free_gib": round(free / GIB, 1),
        "hours": hours,
        "wanted_hours": wanted,
        "restore_points": len(catalogue.guaranteed_restore_points),
    }
    if percent >= FRA_FAIL or (hours is not None and wanted is not None and hours < wanted):
        yield Finding(code="fra_critical", status=Status.FAIL, place=area.name, values=values)
    elif percent >= FRA_WARN:
        yield Finding(code="fra_high", status=Status.WARN, place=area.name, values=values)
    elif area.limit_bytes > room:
        values = {"limit_gib": round(area.limit_bytes / GIB, 1), "room_gib": round(room / GIB, 1)}
        yield Finding(code="fra_beyond_disk", status=Status.WARN, place=area.name, values=values)


def _holds_back(catalogue: OracleCatalogue) -> bool:
    """True where what counts as reclaimable is not: a guaranteed restore point, or a standby that does not get its logs."""
    broken = any(d.error or d.status == "ERROR" for d in catalogue.archive_dests if d.dest > 1)
    return bool(catalogue.guaranteed_restore_points) or broken


def _free_bytes(area: RecoveryArea, reclaimable: int) -> int:
    """Room under the limit, and no more than the device really has."""
    under_limit = area.limit_bytes - area.used_bytes + reclaimable
    return under_limit if area.device_free_bytes is None else min(under_limit, area.device_free_bytes + reclaimable)


def _hours_left(catalogue: OracleCatalogue, free_bytes: int) -> float | None:
    """How long the room lasts at the rate of a busy hour (95th percentile); None where logs go elsewhere or none are made."""
    dests = [d.destination for d in catalogue.archive_dests if d.destination]
    area = catalogue.recovery_area.name
    if dests and not any(d == IN_AREA or d.startswith(area) for d in dests):
        return None
    figures = sorted(catalogue.archived_bytes_per_hour)
    busy = figures[math.ceil(0.95 * len(figures)) - 1] if figures else 0
    return round(free_bytes / busy, 1) if busy else None


def _hours_wanted(needs: Needs) -> float | None:
    """The longest time of the last week between two backups of logs, and four hours; None where there were not two."""
    since = needs.now - timedelta(days=7)
    made: list[datetime] = sorted(
        s.completed_at for s in needs.repository.catalogue.sets if s.kind == "L" and s.completed_at and s.completed_at > since
    )
    longest = max((b - a for a, b in pairwise(made)), default=None)
    return round((longest + FRA_SPARE) / timedelta(hours=1), 1) if longest else None

"""What makes records go: retention, deletion, the control file's horizon, its re-creation, and a crosscheck.

Backup and Recovery User's Guide, "Maintaining RMAN Backups and Repository Records"; Reference, CONTROL_FILE_RECORD_KEEP_TIME.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sandbox.oracle.model.redo import ArchivedLog
from sandbox.oracle.model.repository import Repository
from sandbox.oracle.model.repository_records import BackupSet, FileInSet, Piece

DISK = "DISK"


def kept_from(repository: Repository, at: datetime) -> dict[int, FileInSet]:
    """FILE# -> the oldest base that the retention policy still needs. A file without one is not in it."""
    policy = repository.configuration.get("RETENTION POLICY", "TO REDUNDANCY 1")
    if "NONE" in policy:
        return {}
    number = int("".join(c for c in policy if c.isdigit()) or 1)
    bases = all_bases(repository)
    kept: dict[int, FileInSet] = {}
    for datafile in repository.living_files():
        records = [r for r in bases.get(datafile.file, []) if r.creation_scn == datafile.creation_scn]
        if "WINDOW" in policy:
            records = [r for r in records if r.checkpoint_at <= at - timedelta(days=number)][-1:] or records
        elif len(records) >= number:
            records = records[-number:]
        if records:
            kept[datafile.file] = records[0]
    return kept


def all_bases(repository: Repository) -> dict[int, list[FileInSet]]:
    """FILE# -> records of available level 0, full and copies, oldest first: archival (KEEP) backups count for no policy."""
    bases: dict[int, list[FileInSet]] = {}
    for backup in repository.kept_sets:
        if backup.kind == "D" and not backup.keep and backup.is_available:
            for record in backup.files:
                bases.setdefault(record.file, []).append(record)
    for copy in repository.copies:
        if copy.status == "A":
            bases.setdefault(copy.content.file, []).append(copy.content)
    for records in bases.values():
        records.sort(key=lambda r: r.completed_at)
    return bases


def obsolete_sets(repository: Repository, at: datetime) -> list[BackupSet]:
    """Sets that REPORT OBSOLETE lists: older than what every file in them is kept from; logs and control files by all."""
    kept = kept_from(repository, at)
    if not kept:
        return []
    moving = [r.checkpoint_at for r in kept.values() if not (r.datafile and r.datafile.is_standing_still)]
    unsaved = [f for f in repository.living_files() if f.file not in kept and f.tablespace.is_included]
    floor = min([*moving, *(f.created_at for f in unsaved)], default=min(r.completed_at for r in kept.values()))
    return [s for s in repository.kept_sets if not s.keep and is_obsolete(repository, s, kept, floor)]


def is_obsolete(repository: Repository, backup: BackupSet, kept: dict[int, FileInSet], floor: datetime) -> bool:
    if backup.kind == "L":
        return all(r.log.next_at <= floor for r in backup.logs)
    for record in backup.files:
        base = kept.get(record.file)
        limit = floor if record.file == 0 or base is None else base.completed_at
        if record.completed_at >= limit:
            return False
    return True


def delete_obsolete(repository: Repository, at: datetime) -> list[BackupSet]:
    """DELETE NOPROMPT OBSOLETE: pieces leave the media, their records say D."""
    doomed = obsolete_sets(repository, at)
    for backup in doomed:
        delete_set(backup)
    repository.kept_sets = [s for s in repository.kept_sets if not s.is_deleted]
    return doomed


def delete_set(backup: BackupSet) -> None:
    for piece in backup.pieces:
        piece.delete()


def delete_logs(repository: Repository, logs: Sequence[ArchivedLog]) -> None:
    """DELETE ARCHIVELOG or DELETE INPUT: the rows stay, with NAME null."""
    for log in logs:
        log.delete()
    repository.disk_logs = [log for log in repository.disk_logs if log.status == "A" and log.name is not None]


def age_records(repository: Repository, at: datetime) -> None:
    """Circularly reused records: a full section loses records older than the keep time, else it grows (Reference).

    A section is only full when its slots are; a quiet database keeps records far longer than the keep time.
    """
    horizon = at - timedelta(days=repository.keep_days)
    repository.sets = aged(repository, "set", repository.sets, horizon)
    repository.sessions = aged(repository, "session", repository.sessions, horizon)
    repository.archived_logs = aged(repository, "log", repository.archived_logs, horizon)
    known = {id(s) for s in repository.sets}
    repository.kept_sets = [s for s in repository.kept_sets if id(s) in known]


def aged(repository: Repository, section: str, records: list, horizon: datetime) -> list:
    """The records that stay in a section."""
    excess = len(records) - repository.slots[section]
    if excess <= 0:
        return records
    gone = 0
    while gone < excess and ended_at(records[gone]) < horizon:
        gone += 1
    repository.slots[section] = max(repository.slots[section], len(records) - gone)
    return records[gone:]


def ended_at(record: object) -> datetime:
    return getattr(record, "completed_at", None) or getattr(record, "ended_at", None) or record.started_at


def forget_everything_before(repository: Repository, moment: datetime) -> None:
    """Records older than a moment have been overwritten, whatever the slots: a horizon that a busy section reached."""
    repository.sets = [s for s in repository.sets if s.completed_at >= moment]
    repository.kept_sets = [s for s in repository.kept_sets if s.completed_at >= moment]
    repository.archived_logs = [g for g in repository.archived_logs if g.completed_at >= moment]
    repository.disk_logs = [g for g in repository.disk_logs if g.completed_at >= moment]
    repository.sessions = [s for s in repository.sessions if s.started_at >= moment]
    repository.copies = [c for c in repository.copies if c.content.completed_at >= moment]


def recreate_controlfile(repository: Repository, at: datetime | None = None) -> None:
    """CREATE CONTROLFILE: RMAN's records and configuration are gone, the files on the media are not.

    Administrator's Guide, "Creating Control Files"; CONTROLFILE_CREATED is now, RECIDs begin again.
    """
    at = at or repository.now
    forget_everything_before(repository, at)
    repository.configuration.clear()
    repository.controlfile_created_at = at
    for section in ("set", "piece", "file", "redo", "spfile", "log", "session", "copy", "set_count"):
        repository.next_recid[section] = 0
    repository.incarnations = repository.incarnations[-1:]
    repository.incarnations[0].number = 1
    repository.incarnations[0].prior_number = 0


def piece_state(repository: Repository, piece: Piece) -> str:
    """What reading a piece would find: ok, missing, truncated, unreadable, corrupt, no key."""
    if not piece.on_disk or not repository.disk_folder_is_mounted(piece.handle):
        return "missing"
    if piece.is_unreadable:
        return "unreadable"
    if piece.kept_bytes is not None and piece.kept_bytes < piece.total_bytes:
        return "truncated"
    if piece.corrupt_blocks:
        return "corrupt"
    is_open = any(w.status == "OPEN" for w in repository.wallets)
    return "no key" if piece.is_encrypted and not is_open else "ok"


def crosscheck(repository: Repository) -> tuple[int, int]:
    """CROSSCHECK BACKUP and COPY: looks for existence and header only, sets status X or A. Returns (available, expired)."""
    available = expired = 0
    for backup in repository.sets:
        for piece in backup.pieces:
            if piece.status in "AX":
                piece.status = "X" if piece_state(repository, piece) in ("missing", "unreadable") else "A"
                available, expired = available + (piece.status == "A"), expired + (piece.status == "X")
    for log in repository.archived_logs:
        if log.status in "AX" and log.name and not log.standby_dest:
            log.status = "A" if log.on_disk and repository.disk_folder_is_mounted(log.name) else "X"
            available, expired = available + (log.status == "A"), expired + (log.status == "X")
    return available, expired

"""What a DBA or an application does to a database, as far as its backups feel it. Moments default to now.

Each function names the page whose behaviour it follows (B&R: Backup and Recovery User's Guide; ADM: Administrator's Guide).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from sandbox.oracle.model.backing_up import autobackup, back_up_files, back_up_logs, begin_session, end_session
from sandbox.oracle.model.building import add_tablespace
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.files import BlockRange, Datafile
from sandbox.oracle.model.jobs import Plan, do_now, weekly_plan
from sandbox.oracle.model.repository import ArchiveDestination, DataGuard, Repository, RestorePoint, Wallet, repository_of


def make_read_only(repository: Repository, tablespace: str, at: datetime | None = None) -> list[Datafile]:
    """ALTER TABLESPACE ... READ ONLY: a last checkpoint, then the files stand still (ADM, "Using Read-Only Tablespaces")."""
    at = at or repository.now
    for datafile in repository.files_of(tablespace):
        datafile.enabled, datafile.stop_scn, datafile.stop_at = "READ ONLY", repository.scn.at(at), at
    return repository.files_of(tablespace)


def take_tablespace_offline(repository: Repository, tablespace: str, at: datetime | None = None) -> None:
    """ALTER TABLESPACE ... OFFLINE NORMAL: checkpointed, needs no recovery (ADM, "Taking Tablespaces Offline")."""
    at = at or repository.now
    for datafile in repository.files_of(tablespace):
        datafile.status, datafile.enabled = "OFFLINE", "DISABLED"
        datafile.stop_scn, datafile.stop_at = repository.scn.at(at), at


def drop_datafile_offline(repository: Repository, file: int, at: datetime | None = None) -> Datafile:
    """ALTER DATABASE DATAFILE n OFFLINE [FOR DROP]: no checkpoint, so the file needs recovery for ever after (ADM)."""
    at = at or repository.now
    datafile = repository.file(file)
    datafile.status = "RECOVER"
    datafile.checkpoint_scn, datafile.checkpoint_at = repository.scn.at(at - timedelta(minutes=10)), at - timedelta(minutes=10)
    return datafile


def drop_tablespace(repository: Repository, name: str) -> tuple[int, ...]:
    """DROP TABLESPACE ... INCLUDING CONTENTS AND DATAFILES: its FILE# are free for other files. Returns them."""
    files = repository.files_of(name)
    for datafile in files:
        datafile.is_dropped = True
    repository.tablespace(name).is_dropped = True
    return tuple(f.file for f in files)


def recreate_tablespace(repository: Repository, name: str, at: datetime | None = None) -> list[Datafile]:
    """Drop a tablespace and create it again: the same FILE#, another CREATION_CHANGE# (Reference, "V$DATAFILE")."""
    old = repository.files_of(name)
    con_id = old[0].con_id
    numbers = drop_tablespace(repository, name)
    sizes = tuple(f.total_bytes / 1024**3 for f in old)
    return add_tablespace(repository, name, sizes, con_id, at or repository.now, files=numbers)


def load_nologging(repository: Repository, file: int, at: datetime | None = None) -> None:
    """A direct-path load without redo: UNRECOVERABLE_TIME moves (B&R, "Report Unrecoverable"). FORCE LOGGING prevents it."""
    if repository.force_logging:
        return
    at = at or repository.now
    datafile = repository.file(file)
    datafile.unrecoverable_scn, datafile.unrecoverable_at = repository.scn.at(at), at


def restore_without_redo(repository: Repository, file: int, block: int = 4096, blocks: int = 128) -> None:
    """A recovery went over a nologging load: its blocks are nonlogged, ORA-26040 when read (Reference, "V$NONLOGGED_BLOCK")."""
    datafile, at = repository.file(file), repository.now - timedelta(hours=6)
    scn = repository.scn.at(at)
    datafile.first_nonlogged_scn, datafile.first_nonlogged_at = scn, at
    repository.nonlogged_blocks.append(BlockRange(file, block, blocks, scn, found_at=at, con_id=datafile.con_id))


def find_corrupt_blocks(repository: Repository, file: int, block: int, blocks: int = 1, kind: str = "CHECKSUM") -> None:
    """A reader met corrupt blocks: a row of V$DATABASE_BLOCK_CORRUPTION and the alert log's block (B&R, "Validating")."""
    datafile = repository.file(file)
    scn = repository.scn.at(repository.now - timedelta(hours=2)) if kind != "ALL ZERO" else 0
    repository.corrupt_blocks.append(BlockRange(file, block, blocks, scn, kind, repository.now, datafile.con_id))
    text = f"Corrupt block relative dba: 0x{(datafile.relative_file << 22) + block:08x} (file {file}, block {block})"
    repository.tell(repository.now, f"{text}\n{CORRUPT_WORDS.get(kind, 'Bad check value')} found during user buffer read")


CORRUPT_WORDS = {"FRACTURED": "Fractured block", "ALL ZERO": "Completely zero block"}


def create_restore_point(repository: Repository, name: str, guaranteed: bool = False, at: datetime | None = None) -> RestorePoint:
    """CREATE RESTORE POINT [GUARANTEE FLASHBACK DATABASE] (B&R, "Using Normal and Guaranteed Restore Points")."""
    at = at or repository.now
    point = RestorePoint(name, repository.scn.at(at), at, repository.incarnation.number, guaranteed, guaranteed)
    if guaranteed and repository.recovery_area:
        point.storage_bytes = 2 * 1024**3
        repository.recovery_area.flashback_bytes = max(repository.recovery_area.flashback_bytes, point.storage_bytes)
    repository.restore_points.append(point)
    return point


def back_up_for_ever(database: OracleDatabase, tag: str = "YEAR_END") -> None:
    """BACKUP DATABASE KEEP FOREVER RESTORE POINT: an archival backup with just the logs that make it consistent (B&R, ch. 9)."""
    repository = repository_of(database)
    plan = repository.plan or weekly_plan()
    do_now(database, _archival(repository, plan, tag))


def _archival(repository: Repository, plan: Plan, tag: str) -> Iterator[datetime]:
    start = repository.lived_until
    run = begin_session(repository, start, tag, replace(plan.manner, max_piece_bytes=0))
    yield from back_up_files(run, repository.living_files(), None, tag=tag, keep=True)
    create_restore_point(repository, tag, at=run.at)
    needed = [g for g in repository.disk_logs if g.next_at > start]
    counts = {id(g): g.backup_count for g in needed}
    yield from back_up_logs(run, needed)
    for log in needed:  # the ordinary log backups take these logs as if there were no archival copy
        log.backup_count = counts[id(log)]
    yield from autobackup(run)
    for backup in run.sets:
        backup.keep, backup.keep_options = True, "LOGS" if backup.kind == "L" else "NOLOGS"
    end_session(run)


def add_standby(repository: Repository, unique_name: str, apply_lag_s: int = 3) -> None:
    """LOG_ARCHIVE_DEST_2 to a physical standby: each log has a second row with STANDBY_DEST YES (Data Guard Concepts)."""
    repository.destinations.append(ArchiveDestination(2, unique_name.lower(), target="STANDBY"))
    repository.data_guard = DataGuard(0, apply_lag_s, repository.database.unique_name)


def become_standby(repository: Repository, primary: str, apply_lag_s: int = 3, open_mode: str = "MOUNTED") -> None:
    """This control file is a physical standby's: backups taken here are known only here (Data Guard Concepts, ch. 12)."""
    repository.role, repository.open_mode = "PHYSICAL STANDBY", open_mode
    repository.database.parts["open_mode"] = open_mode  # V$INSTANCE asks for it there
    repository.data_guard = DataGuard(0, apply_lag_s, primary)
    for log in repository.archived_logs:
        log.applied = "YES"


def add_wallet(repository: Repository, status: str = "OPEN") -> Wallet:
    """A software keystore (Advanced Security Guide, "Managing the Keystore")."""
    wallet = Wallet(f"/etc/oracle/wallets/{repository.database.name.lower()}/", status)
    repository.wallets.append(wallet)
    return wallet


def unmount(repository: Repository, folder: str) -> None:
    """The file system below `folder` is gone for the moment: everything on it is missing, nothing is lost."""
    repository.unmounted.add(folder)


def mount(repository: Repository, folder: str) -> None:
    repository.unmounted.discard(folder)


def fail_destination(
    repository: Repository, dest: int = 1, code: int = 19809, text: str = "limit exceeded for recovery files"
) -> None:
    """The archiver cannot write: V$ARCHIVE_DEST_STATUS.ERROR, groups wait (ADM, "Managing Archived Redo Log Files")."""
    destination = next(d for d in repository.destinations if d.dest == dest)
    destination.status, destination.error = "ERROR", f"ORA-{code:05d}: {text}"
    destination.failed_at, destination.failures = repository.now, destination.failures + 1
    name = repository.database.name
    lines = [f"ARC0: Error {code} Creating archive log file", destination.error, f"ORACLE Instance {name} - Archival Error"]
    repository.tell(repository.now, "\n".join(lines), f"ORA-{code:05d}", "SEVERE")


def hold_groups(repository: Repository, thread_number: int = 1) -> None:
    """Groups fill while nothing is archived, until all but the current one wait: the next switch would hang."""
    thread = next(t for t in repository.threads if t.number == thread_number)
    waiting = sorted((g for g in thread.groups if g.status != "CURRENT"), key=lambda g: g.sequence)
    at, scn = thread.first_at, thread.first_scn
    current = thread.current
    for index, group in enumerate([*waiting, current]):  # the logs since thread.sequence, none of them archived
        ends = at + timedelta(seconds=20)
        group.sequence, group.first_scn, group.first_at = thread.sequence + index, scn, at
        group.archived, group.status = False, "ACTIVE"
        scn, at = repository.scn.at(ends) + index + 1, ends
        group.next_scn, group.next_at = scn, at
    current.status, current.next_scn, current.next_at = "CURRENT", 0, None
    thread.sequence, thread.first_scn, thread.first_at = current.sequence, current.first_scn, current.first_at

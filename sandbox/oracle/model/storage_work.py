"""Work that takes time and writes redo: steps that can be cancelled, the archiver that has no room, the standby that lags.

An operation that fills the recovery area stops the archiver (ORA-19809 in V$ARCHIVE_DEST_STATUS and the alert log); its
session hangs until there is room or it is cancelled, and new sessions get ORA-00257 (Administrator's Guide 19c, "Managing
Archived Redo Log Files"; Backup and Recovery User's Guide 19c, "Responding to a Full Fast Recovery Area").
"""

from __future__ import annotations

import time
from datetime import timedelta

from sandbox.oracle.model import archiving, jobs, operations
from sandbox.oracle.model.database import OracleDatabase, SessionState
from sandbox.oracle.model.files import MIB
from sandbox.oracle.model.locks import POLL_S, no_undo, stopped
from sandbox.oracle.model.recovery_area import make_room, used_bytes
from sandbox.oracle.model.redo import LOG_BLOCK_BYTES
from sandbox.oracle.model.repository import Repository, has_repository, repository_of
from sandbox.oracle.model.segments import Segment
from sandbox.oracle.model.storage import LongOperation, Storage

STUCK = "archiver_stuck"
DEFAULT_LOG_BYTES = 512 * MIB


def begin(storage: Storage, session: SessionState, name: str, target: str, total: int) -> LongOperation:
    operation = LongOperation(session, name, target, max(1, total), storage.database.clock.now())
    with storage.database.lock:
        storage.operations.append(operation)
        del storage.operations[:-200]
        storage.touch()
    return operation


def finish(storage: Storage, operation: LongOperation) -> None:
    with storage.database.lock:
        operation.is_running = False
        storage.temp_used_blocks -= operation.temp_blocks
        operation.temp_blocks = 0
        operation.updated_at = storage.database.clock.now()
        storage.touch()


def step(storage: Storage, operation: LongOperation, blocks: int, block_bytes: int) -> None:
    """One step's time passes. Raises ORA-01013 when cancelled, ORA-00028 when killed."""
    pace, session = storage.pace, operation.session
    if pace.before_step:
        pace.before_step(session, operation.name, operation.done, operation.total)
    if pace.real_s_per_step:
        session.backend.stop.wait(pace.real_s_per_step)
    if refusal := stopped(session):
        raise refusal
    with storage.database.lock:
        operation.done = min(operation.total, operation.done + blocks)
        if pace.mb_per_s:
            pass_time(storage, blocks * block_bytes / MIB / pace.mb_per_s)
        operation.updated_at = storage.database.clock.now()
        storage.touch()


def pass_time(storage: Storage, seconds: float) -> None:
    """The model's clock goes on, and with it backups and log switches."""
    storage.database.clock.advance(timedelta(seconds=seconds))
    if has_repository(storage.database):
        jobs.catch_up(storage.database)


def use_undo(storage: Storage, blocks: int) -> None:
    """Raises ORA-30036 where the undo tablespace has not so many blocks that no active transaction holds."""
    if blocks > storage.undo.free_blocks:
        storage.undo.no_space_errors += 1
        raise no_undo(storage)


def write_redo(storage: Storage, session: SessionState, redo_bytes: float) -> None:
    """Redo of an operation: logs fill, are switched and archived; the standby falls behind what it can apply."""
    with storage.database.lock:
        storage.redo_of[session.sid] = storage.redo_of.get(session.sid, 0) + int(redo_bytes)
        storage.unarchived_bytes += int(redo_bytes)
        repository = repository_of(storage.database) if has_repository(storage.database) else None
        if repository is None or repository.log_mode != "ARCHIVELOG":
            return
        fall_behind(storage, repository, redo_bytes)
    while storage.unarchived_bytes >= log_bytes(repository):
        with storage.database.lock:
            is_done = archive_full_log(storage, repository)
        if not is_done:
            wait_for_room(storage, session, repository)


def log_bytes(repository: Repository) -> int:
    return repository.threads[0].log_bytes if repository.threads else DEFAULT_LOG_BYTES


def fall_behind(storage: Storage, repository: Repository, redo_bytes: float) -> None:
    guard = repository.data_guard
    if guard is None or not any(d.target == "STANDBY" for d in repository.destinations):
        return
    if storage.lag_extra_s <= 0:
        storage.lag_base_s = guard.apply_lag_s
    storage.lag_extra_s += redo_bytes / (storage.standby_mb_per_s * MIB)
    guard.apply_lag_s = storage.lag_base_s + int(storage.lag_extra_s)


def has_room(repository: Repository, wanted_bytes: int) -> bool:
    """Whether the recovery area takes one more log; what is backed up may go first."""
    area = repository.recovery_area
    if area is None or not any(d.in_fra for d in repository.destinations):
        return True
    if used_bytes(repository) + wanted_bytes > area.limit_bytes:
        make_room(repository)
    return used_bytes(repository) + wanted_bytes <= area.limit_bytes


def archive_full_log(storage: Storage, repository: Repository) -> bool:
    """Switches one full log and archives it; False, with the archiver stopped, where there is no room."""
    thread = next(t for t in repository.threads if t.is_open)
    size = log_bytes(repository)
    if not has_room(repository, size):
        if STUCK not in storage.database.parts:
            storage.database.parts[STUCK] = True
            operations.fail_destination(repository)
            operations.hold_groups(repository, thread.number)
        return False
    if storage.database.parts.pop(STUCK, None):
        resume_archiving(repository)
    jobs.catch_up(storage.database)
    before = len(repository.archived_logs)
    archiving.switch_log(repository, thread, repository.now)
    for log in repository.archived_logs[before:]:
        log.blocks = size // LOG_BLOCK_BYTES
    storage.unarchived_bytes -= size
    return True


def archiver_is_stuck(database: OracleDatabase) -> bool:
    """Whether new sessions are held off (ORA-00257). Where there is room again, archiving goes on first."""
    with database.lock:
        if database.parts.get(STUCK) and has_room(repository_of(database), log_bytes(repository_of(database))):
            del database.parts[STUCK]
            resume_archiving(repository_of(database))
        return bool(database.parts.get(STUCK))


def resume_archiving(repository: Repository) -> None:
    """There is room again: the groups that waited are archived."""
    for destination in repository.destinations:
        if destination.error.startswith("ORA-19809"):
            destination.status, destination.error = "VALID", ""
    for thread in repository.threads:
        for group in sorted(thread.groups, key=lambda g: g.sequence):
            if not group.archived and group.status != "CURRENT" and group.next_at:
                archiving.archive(repository, thread, group, group.next_at)
                group.archived, group.status = True, "INACTIVE"


def wait_for_room(storage: Storage, session: SessionState, repository: Repository) -> None:
    """The session hangs, "log file switch (archiving needed)", until there is room. Raises ORA-01013 or ORA-00028."""
    while True:
        if refusal := stopped(session):
            raise refusal
        with storage.database.lock:
            if has_room(repository, log_bytes(repository)):
                return
        time.sleep(POLL_S)


def is_logged(storage: Storage, segment: Segment, wants_logging: bool) -> bool:
    """NOLOGGING counts only where neither the database nor the tablespace forces logging (SQL Reference, logging_clause)."""
    forced = has_repository(storage.database) and repository_of(storage.database).force_logging
    return wants_logging or forced or segment.space.is_force_logging


def write_direct(storage: Storage, session: SessionState, segment: Segment, blocks: int, wants_logging: bool) -> None:
    """Redo of blocks written by direct path: all of them, or next to nothing, and then the file is unrecoverable."""
    if is_logged(storage, segment, wants_logging):
        write_redo(storage, session, 1.1 * blocks * segment.space.block_bytes)
        return
    write_redo(storage, session, blocks * 40)
    if has_repository(storage.database):
        for file in {e.file for e in segment.extents}:
            operations.load_nologging(repository_of(storage.database), file)

"""Faults of archived logs and redo: gaps, threads without logs, logs that only a count remembers, archivers that stand."""

from __future__ import annotations

from sandbox.oracle.model.operations import fail_destination, hold_groups
from sandbox.oracle.model.redo import ArchivedLog
from sandbox.oracle.model.repository import Repository
from sandbox.oracle.planting import delete_sets, fault, log_sets, logs_between, lose_logs, remove_sets


@fault()
def log_gap_in_the_middle(repository: Repository) -> None:
    """Two logs of this morning are nowhere. Expect: a gap; recovery ends before it from any older backup."""
    lose_logs(repository, logs_between(repository, 6, 5)[:2])


@fault()
def log_gap_at_the_end(repository: Repository) -> None:
    """The logs of the last six hours were deleted without a backup. Expect: recovery ends six hours ago."""
    lose_logs(repository, logs_between(repository, 6, -1))


@fault()
def log_deleted_but_counted(repository: Repository) -> None:
    """The sets with some logs of this morning were deleted, the logs too; BACKUP_COUNT still says 1. Expect: a gap."""
    doomed = [s for s in log_sets(repository) if any(r.log in logs_between(repository, 6, 5) for r in s.logs)]
    logs = [r.log for s in doomed for r in s.logs]
    delete_sets(repository, doomed)
    _delete_rows(repository, logs)


@fault()
def log_set_expired(repository: Repository) -> None:
    """A set of logs of this morning is EXPIRED and the logs are gone from disk. Expect: a gap."""
    doomed = [s for s in log_sets(repository) if any(r.log in logs_between(repository, 7, 6) for r in s.logs)]
    for backup in doomed:
        for piece in backup.pieces:
            piece.status, piece.on_disk = "X", False
    _delete_rows(repository, [r.log for s in doomed for r in s.logs])


@fault()
def log_gone_from_disk(repository: Repository) -> None:
    """A log that no set holds yet was removed by hand; its row says A. Expect: RMAN-06059 at the next log backup."""
    log = next(g for g in reversed(repository.disk_logs) if not g.backup_count and g.is_live)
    log.on_disk = False


@fault()
def log_cleared(repository: Repository) -> None:
    """ALTER DATABASE CLEAR UNARCHIVED LOGFILE: a row with NAME null that was never deleted. Expect: a gap."""
    logs = logs_between(repository, 5, 4)[:1]
    lose_logs(repository, logs)
    for log in logs:
        log.status, log.name, log.backup_count = "A", None, 0


@fault(world="primary_with_standby")
def log_only_at_standby(repository: Repository) -> None:
    """Local copies of three logs are gone and in no set; the rows with STANDBY_DEST YES still say A. Expect: a gap."""
    lose_logs(repository, logs_between(repository, 5, 4)[:3])


@fault(world="rac")
def open_thread_without_logs(repository: Repository) -> None:
    """Thread 2 is open, but its logs of the last two days are nowhere. Expect: thread 2 lacks logs up to its last redo."""
    logs = logs_between(repository, 48, -1, thread=2)
    lose_logs(repository, logs)
    keys = {g.key for g in logs}
    repository.archived_logs = [g for g in repository.archived_logs if g.key not in keys]


@fault(world="rac")
def gap_in_second_thread(repository: Repository) -> None:
    """One log of thread 2 is nowhere, thread 1 has all. Expect: a gap in thread 2."""
    lose_logs(repository, logs_between(repository, 8, 7, thread=2)[:1])


@fault()
def no_log_backups(repository: Repository) -> None:
    """Hourly log backups stopped after last night's job; the logs lie on disk. Expect: restorable, RPO exceeded (15 hours)."""
    logs = {g.key for g in logs_between(repository, 14.5, -1)}
    doomed = [s for s in log_sets(repository) if s.logs and all(r.log.key in logs for r in s.logs)]
    sessions = {id(s.session) for s in doomed if s.session and s.session.command_id == "ARCHLOG"}
    doomed += [s for s in repository.sets if id(s.session) in sessions and s not in doomed]
    remove_sets(repository, doomed)
    repository.sessions = [s for s in repository.sessions if id(s) not in sessions]
    _put_back_on_disk(repository, [g for g in repository.archived_logs if g.key in logs])


@fault()
def log_backup_without_input(repository: Repository) -> None:
    """The last three log backups read nothing while redo was made. Expect: log backup with 0 input."""
    for session in [s for s in repository.sessions if s.command_id == "ARCHLOG"][-3:]:
        doomed = [s for s in repository.sets if s.session is session and s.kind == "L"]
        logs = [r.log for s in doomed for r in s.logs]
        remove_sets(repository, doomed)
        _put_back_on_disk(repository, logs)
        session.input_bytes = 0
        for step in session.steps:
            if step.object_type == "ARCHIVELOG":
                step.input_bytes = step.output_bytes = 0


@fault()
def archiver_error(repository: Repository) -> None:
    """LOG_ARCHIVE_DEST_1 fails with ORA-19502 on a full disk. Expect: the destination's error."""
    fail_destination(repository, code=19502, text="write error on file, block number  (block size=512)")


@fault()
def groups_wait_for_archiving(repository: Repository) -> None:
    """All redo groups but the current one wait to be archived. Expect: the archiver hangs or will at once."""
    fail_destination(repository, code=257, text="Archiver error. Connect AS SYSDBA only until resolved.")
    hold_groups(repository)


@fault()
def noarchivelog(repository: Repository) -> None:
    """The database was put into NOARCHIVELOG mode. Expect: no recovery after the last backup is possible."""
    repository.log_mode = "NOARCHIVELOG"
    for destination in repository.destinations:
        destination.status = "INACTIVE"


def _delete_rows(repository: Repository, logs: list[ArchivedLog]) -> None:
    keys = {g.key for g in logs}
    for log in repository.archived_logs:
        if log.key in keys and not log.standby_dest:
            log.delete()
    repository.disk_logs = [g for g in repository.disk_logs if g.status == "A" and g.name]


def _put_back_on_disk(repository: Repository, logs: list[ArchivedLog]) -> None:
    """As if these logs had never been backed up nor deleted."""
    known = {id(g) for g in repository.disk_logs}
    for log in logs:
        log.backup_count, log.status, log.on_disk = 0, "A", True
        folder = f"{repository.database.parameters.get('db_recovery_file_dest') or '/u04/arch'}/{repository.database.unique_name}"
        log.name = log.name or f"{folder}/archivelog/{log.thread}_{log.sequence}_{log.incarnation.resetlogs_id}.arc"
        if id(log) not in known:
            repository.disk_logs.append(log)

"""Redo threads and groups, archived logs on disk and in sets, archive destinations, standby lag."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.oracle.model.redo import LOG_BLOCK_BYTES, ArchivedLog
from sandbox.oracle.model.repository import Repository
from sandbox.oracle.views_backup_rows import Row, backup_view, yes

LAST_SCN = 2**64 - 1  # NEXT_CHANGE# of a current log: 18446744073709551615


@backup_view("V$THREAD")
def v_thread(repository: Repository) -> Iterable[Row]:
    local = repository.local
    for thread in repository.threads:
        now = repository.now
        yield {
            "THREAD#": thread.number,
            "STATUS": "OPEN" if thread.is_open else "CLOSED",
            "ENABLED": thread.enabled,
            "GROUPS": len(thread.groups),
            "INSTANCE": thread.instance,
            "OPEN_TIME": local(thread.opened_at),
            "CURRENT_GROUP#": thread.current.group,
            "SEQUENCE#": thread.sequence,
            "CHECKPOINT_CHANGE#": thread.first_scn,
            "CHECKPOINT_TIME": local(thread.first_at),
            "ENABLE_CHANGE#": thread.enabled_scn,
            "ENABLE_TIME": local(repository.created_at),
            "DISABLE_CHANGE#": thread.closed_scn if thread.enabled == "DISABLED" else 0,
            "DISABLE_TIME": local(thread.closed_at) if thread.enabled == "DISABLED" else None,
            "LAST_REDO_SEQUENCE#": thread.sequence if thread.is_open else thread.sequence - 1,
            "LAST_REDO_CHANGE#": repository.scn.at(now) if thread.is_open else thread.last_redo_scn,
            "LAST_REDO_TIME": local(now if thread.is_open else thread.last_redo_at),
            "CON_ID": 0,
        }


@backup_view("V$LOG")
def v_log(repository: Repository) -> Iterable[Row]:
    local = repository.local
    for thread in repository.threads:
        for group in thread.groups:
            is_current = group.status == "CURRENT"
            yield {
                "GROUP#": group.group,
                "THREAD#": thread.number,
                "SEQUENCE#": group.sequence,
                "BYTES": group.total_bytes,
                "BLOCKSIZE": LOG_BLOCK_BYTES,
                "MEMBERS": len(group.members),
                "ARCHIVED": yes(group.archived),
                "STATUS": group.status,
                "FIRST_CHANGE#": group.first_scn,
                "FIRST_TIME": local(group.first_at),
                "NEXT_CHANGE#": LAST_SCN if is_current else group.next_scn,
                "NEXT_TIME": None if is_current else local(group.next_at),
                "CON_ID": 0,
            }


@backup_view("V$LOGFILE")
def v_logfile(repository: Repository) -> Iterable[Row]:
    for thread in repository.threads:
        for group in thread.groups:
            for member in group.members:
                yield {"GROUP#": group.group, "TYPE": "ONLINE", "MEMBER": member, "IS_RECOVERY_DEST_FILE": "NO", "CON_ID": 0}


def log_columns(repository: Repository, log: ArchivedLog) -> dict[str, Any]:
    """What every view of archived redo says of one log."""
    local = repository.local
    return {
        "THREAD#": log.thread,
        "SEQUENCE#": log.sequence,
        "RESETLOGS_CHANGE#": log.incarnation.resetlogs_scn,
        "RESETLOGS_TIME": local(log.incarnation.resetlogs_at),
        "FIRST_CHANGE#": log.first_scn,
        "FIRST_TIME": local(log.first_at),
        "NEXT_CHANGE#": log.next_scn,
        "CON_ID": 0,
    }


@backup_view("V$LOG_HISTORY")
def v_log_history(repository: Repository) -> Iterable[Row]:
    for log in repository.archived_logs:
        if not log.standby_dest:
            yield {"RECID": log.recid, "STAMP": log.stamp, **log_columns(repository, log)}


@backup_view("V$ARCHIVED_LOG")
def v_archived_log(repository: Repository) -> Iterable[Row]:
    local = repository.local
    for log in repository.archived_logs:
        row = log_columns(repository, log)
        row.update(
            {
                "RECID": log.recid,
                "STAMP": log.stamp,
                "NAME": log.name,
                "DEST_ID": log.dest,
                "RESETLOGS_ID": log.incarnation.resetlogs_id,
                "NEXT_TIME": local(log.next_at),
                "BLOCKS": log.blocks,
                "BLOCK_SIZE": LOG_BLOCK_BYTES,
                "CREATOR": log.creator,
                "REGISTRAR": "RFS" if repository.is_standby else log.creator,
                "STANDBY_DEST": yes(log.standby_dest),
                "ARCHIVED": yes(log.archived),
                "APPLIED": log.applied,
                "DELETED": yes(log.status == "D"),
                "STATUS": log.status,
                "COMPLETION_TIME": local(log.completed_at),
                "DICTIONARY_BEGIN": "NO",
                "DICTIONARY_END": "NO",
                "END_OF_REDO": yes(log.end_of_redo_type in ("SWITCHOVER", "TERMINAL", "ACTIVATION")),
                "BACKUP_COUNT": log.backup_count,
                "ARCHIVAL_THREAD#": log.thread,
                "IS_RECOVERY_DEST_FILE": yes(log.in_fra),
                "COMPRESSED": "NO",
                "FAL": "NO",
                "END_OF_REDO_TYPE": log.end_of_redo_type or None,
            }
        )
        yield row


@backup_view("V$BACKUP_REDOLOG")
def v_backup_redolog(repository: Repository) -> Iterable[Row]:
    local = repository.local
    for backup in repository.sets:
        for record in backup.logs:
            yield {
                **log_columns(repository, record.log),
                "RECID": record.recid,
                "STAMP": record.stamp,
                "SET_STAMP": backup.stamp,
                "SET_COUNT": backup.count,
                "NEXT_TIME": local(record.log.next_at),
                "BLOCKS": record.log.blocks,
                "BLOCK_SIZE": LOG_BLOCK_BYTES,
                "TERMINAL": yes(record.log.end_of_redo_type),
            }


@backup_view("V$ARCHIVE_DEST")
def v_archive_dest(repository: Repository) -> Iterable[Row]:
    for destination in repository.destinations:
        yield {
            "DEST_ID": destination.dest,
            "DEST_NAME": f"LOG_ARCHIVE_DEST_{destination.dest}",
            "STATUS": destination.status,
            "BINDING": "OPTIONAL" if destination.target == "STANDBY" else "MANDATORY",
            "NAME_SPACE": "SYSTEM",
            "TARGET": destination.target,
            "ARCHIVER": "LGWR" if destination.target == "STANDBY" else "ARCH",
            "SCHEDULE": "ACTIVE",
            "DESTINATION": destination.destination,
            "FAIL_DATE": repository.local(destination.failed_at),
            "FAILURE_COUNT": destination.failures,
            "ERROR": destination.error or None,
            "VALID_NOW": "YES" if destination.status == "VALID" else "UNKNOWN",
            "CON_ID": 0,
        }


@backup_view("V$ARCHIVE_DEST_STATUS")
def v_archive_dest_status(repository: Repository) -> Iterable[Row]:
    thread = repository.threads[0]
    for destination in repository.destinations:
        is_standby = destination.target == "STANDBY"
        yield {
            "DEST_ID": destination.dest,
            "DEST_NAME": f"LOG_ARCHIVE_DEST_{destination.dest}",
            "STATUS": destination.status,
            "TYPE": "PHYSICAL" if is_standby else "LOCAL",
            "DATABASE_MODE": "MOUNTED-STANDBY" if is_standby else "OPEN",
            "RECOVERY_MODE": "MANAGED REAL TIME APPLY" if is_standby else "IDLE",
            "DESTINATION": destination.destination,
            "ARCHIVED_THREAD#": thread.number,
            "ARCHIVED_SEQ#": thread.sequence - 1,
            "ERROR": destination.error or None,
            "SRL": yes(is_standby),
            "GAP_STATUS": "NO GAP" if is_standby and not destination.error else None,
            "CON_ID": 0,
        }


@backup_view("V$DATAGUARD_STATS")
def v_dataguard_stats(repository: Repository) -> Iterable[Row]:
    """Rows only on a standby, as in Oracle; the value is an interval in text."""
    if not repository.is_standby or repository.data_guard is None:
        return
    now = repository.local(repository.now)
    lags = {"transport lag": repository.data_guard.transport_lag_s, "apply lag": repository.data_guard.apply_lag_s}
    for name, lag_s in lags.items():
        days, rest = divmod(lag_s, 86400)
        yield {
            "SOURCE_DBID": repository.database.dbid,
            "SOURCE_DB_UNIQUE_NAME": repository.data_guard.primary,
            "NAME": name,
            "VALUE": f"+{days:02d} {rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}",
            "UNIT": "day(2) to second(0) interval",
            "TIME_COMPUTED": f"{now:%m/%d/%Y %H:%M:%S}",
            "DATUM_TIME": f"{now:%m/%d/%Y %H:%M:%S}",
            "CON_ID": 0,
        }

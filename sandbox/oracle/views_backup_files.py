"""V$DATABASE, incarnations, containers, tablespaces, datafiles and what is wrong with their blocks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sandbox.oracle.model.files import BlockRange
from sandbox.oracle.model.repository import Repository
from sandbox.oracle.views_backup_rows import Row, backup_view, checkpoint_of, container_of, resetlogs, yes


@backup_view("V$DATABASE")
def v_database(repository: Repository) -> Iterable[Row]:
    database, incarnation, local = repository.database, repository.incarnation, repository.local
    yield {
        "DBID": database.dbid,
        "NAME": database.name,
        "DB_UNIQUE_NAME": database.unique_name or database.name,
        "CREATED": local(repository.created_at),
        **resetlogs(repository, incarnation),
        "PRIOR_RESETLOGS_CHANGE#": incarnation.prior_resetlogs_scn,
        "PRIOR_RESETLOGS_TIME": local(incarnation.prior_resetlogs_at),
        "LOG_MODE": repository.log_mode,
        "CHECKPOINT_CHANGE#": min(
            (checkpoint_of(repository, f)[0] for f in repository.living_files() if f.stop_scn is None), default=0
        ),
        "CONTROLFILE_TYPE": "STANDBY" if repository.is_standby else repository.controlfile_type,
        "CONTROLFILE_CREATED": local(repository.controlfile_created_at),
        "CONTROLFILE_TIME": local(repository.now),
        "OPEN_RESETLOGS": "NOT ALLOWED",
        "OPEN_MODE": repository.open_mode,
        "PROTECTION_MODE": repository.protection_mode,
        "DATABASE_ROLE": repository.role,
        "FORCE_LOGGING": yes(repository.force_logging),
        "SUPPLEMENTAL_LOG_DATA_MIN": database.parts.get("supplemental_log_data_min", "NO"),
        "SUPPLEMENTAL_LOG_DATA_ALL": database.parts.get("supplemental_log_data_all", "NO"),
        "FLASHBACK_ON": yes(repository.flashback_on),
        "PLATFORM_ID": 13,
        "PLATFORM_NAME": "Linux x86 64-bit",
        "LAST_OPEN_INCARNATION#": incarnation.number,
        "RECOVERY_TARGET_INCARNATION#": incarnation.number,
        "CURRENT_SCN": repository.scn.at(applied_at(repository)),
        "STANDBY_BECAME_PRIMARY_SCN": repository.standby_became_primary_scn,
        "PRIMARY_DB_UNIQUE_NAME": repository.data_guard.primary if repository.is_standby and repository.data_guard else None,
        "CDB": yes(database.is_cdb),
        "CON_ID": 0,
        "CON_DBID": database.dbid,
    }


def applied_at(repository: Repository) -> datetime:
    """The moment whose SCN the database has: a standby is behind by its apply lag."""
    lag_s = repository.data_guard.apply_lag_s if repository.is_standby and repository.data_guard else 0
    return max(repository.created_at, repository.now - timedelta(seconds=lag_s))


@backup_view("V$DATABASE_INCARNATION")
def v_database_incarnation(repository: Repository) -> Iterable[Row]:
    for incarnation in repository.incarnations:
        yield {
            "INCARNATION#": incarnation.number,
            **resetlogs(repository, incarnation),
            "PRIOR_RESETLOGS_CHANGE#": incarnation.prior_resetlogs_scn,
            "PRIOR_RESETLOGS_TIME": repository.local(incarnation.prior_resetlogs_at),
            "STATUS": incarnation.status,
            "RESETLOGS_ID": incarnation.resetlogs_id,
            "PRIOR_INCARNATION#": incarnation.prior_number,
            "CON_ID": 0,
        }


@backup_view("V$CONTAINERS")
def v_containers(repository: Repository) -> Iterable[Row]:
    for container in repository.containers:
        yield {
            "CON_ID": container.con_id,
            "DBID": container.dbid,
            "CON_UID": container.dbid,
            "NAME": container.name,
            "OPEN_MODE": container.open_mode,
            "RESTRICTED": "NO",
        }


@backup_view("V$TABLESPACE")
def v_tablespace(repository: Repository) -> Iterable[Row]:
    for tablespace in repository.tablespaces:
        if not tablespace.is_dropped:
            yield {
                "TS#": tablespace.number,
                "NAME": tablespace.name,
                "INCLUDED_IN_DATABASE_BACKUP": yes(tablespace.is_included),
                "BIGFILE": yes(tablespace.is_bigfile),
                "FLASHBACK_ON": "YES",
                "ENCRYPT_IN_BACKUP": None,
                "CON_ID": container_of(repository, tablespace.con_id),
            }


@backup_view("V$DATAFILE")
def v_datafile(repository: Repository) -> Iterable[Row]:
    local = repository.local
    for file in repository.living_files():
        scn, at = checkpoint_of(repository, file)
        yield {
            "FILE#": file.file,
            "CREATION_CHANGE#": file.creation_scn,
            "CREATION_TIME": local(file.created_at),
            "TS#": file.tablespace.number,
            "RFILE#": file.relative_file,
            "STATUS": file.status,
            "ENABLED": file.enabled,
            "CHECKPOINT_CHANGE#": scn,
            "CHECKPOINT_TIME": local(at),
            "UNRECOVERABLE_CHANGE#": file.unrecoverable_scn,
            "UNRECOVERABLE_TIME": local(file.unrecoverable_at),
            "LAST_CHANGE#": file.stop_scn,
            "LAST_TIME": local(file.stop_at),
            "OFFLINE_CHANGE#": 0,
            "ONLINE_CHANGE#": 0,
            "BYTES": file.total_bytes,
            "BLOCKS": file.blocks,
            "CREATE_BYTES": file.total_bytes,
            "BLOCK_SIZE": file.block_bytes,
            "NAME": file.name,
            "PLUGGED_IN": 0,
            "FIRST_NONLOGGED_SCN": file.first_nonlogged_scn,
            "FIRST_NONLOGGED_TIME": local(file.first_nonlogged_at),
            "CON_ID": container_of(repository, file.con_id),
        }


@backup_view("V$DATAFILE_HEADER")
def v_datafile_header(repository: Repository) -> Iterable[Row]:
    local = repository.local
    for file in repository.living_files():
        scn, at = checkpoint_of(repository, file)
        offline = file.status in ("OFFLINE", "RECOVER", "SYSOFF")
        yield {
            "FILE#": file.file,
            "STATUS": "OFFLINE" if offline else "ONLINE",
            "ERROR": file.recover_error or None,
            "RECOVER": "YES" if file.status == "RECOVER" else "NO",
            "FUZZY": yes(file.stop_scn is None),
            "CREATION_CHANGE#": file.creation_scn,
            "CREATION_TIME": local(file.created_at),
            "TABLESPACE_NAME": file.tablespace.name,
            "TS#": file.tablespace.number,
            "RFILE#": file.relative_file,
            **resetlogs(repository, repository.incarnation),
            "CHECKPOINT_CHANGE#": scn,
            "CHECKPOINT_TIME": local(at),
            "BYTES": file.total_bytes,
            "BLOCKS": file.blocks,
            "NAME": file.name,
            "CON_ID": container_of(repository, file.con_id),
            "ENCRYPTED": yes(file.tablespace.is_encrypted),
        }


@backup_view("V$RECOVER_FILE")
def v_recover_file(repository: Repository) -> Iterable[Row]:
    for file in repository.living_files():
        if file.status in ("RECOVER", "SYSOFF") or file.recover_error:
            scn, at = checkpoint_of(repository, file)
            state = "OFFLINE" if file.status in ("RECOVER", "SYSOFF") else "ONLINE"
            yield {
                "FILE#": file.file,
                "ONLINE": state,
                "ONLINE_STATUS": state,
                "ERROR": file.recover_error or None,
                "CHANGE#": scn,
                "TIME": repository.local(at),
                "CON_ID": container_of(repository, file.con_id),
            }


@backup_view("V$BLOCK_CHANGE_TRACKING")
def v_block_change_tracking(repository: Repository) -> Iterable[Row]:
    yield {
        "STATUS": "ENABLED" if repository.change_tracking else "DISABLED",
        "FILENAME": repository.change_tracking or None,
        "BYTES": 11_599_872 if repository.change_tracking else None,
        "CON_ID": 0,
    }


def corruption(repository: Repository, blocks: BlockRange) -> dict[str, Any]:
    return {
        "FILE#": blocks.file,
        "BLOCK#": blocks.block,
        "BLOCKS": blocks.blocks,
        "CON_ID": container_of(repository, blocks.con_id),
    }


@backup_view("V$DATABASE_BLOCK_CORRUPTION")
def v_database_block_corruption(repository: Repository) -> Iterable[Row]:
    for blocks in repository.corrupt_blocks:
        yield {**corruption(repository, blocks), "CORRUPTION_CHANGE#": blocks.scn, "CORRUPTION_TYPE": blocks.kind}


@backup_view("V$NONLOGGED_BLOCK")
def v_nonlogged_block(repository: Repository) -> Iterable[Row]:
    for blocks in repository.nonlogged_blocks:
        yield {
            **corruption(repository, blocks),
            "NONLOGGED_START_CHANGE#": blocks.scn,
            "NONLOGGED_START_TIME": repository.local(blocks.found_at),
            "NONLOGGED_END_CHANGE#": blocks.scn,
            "NONLOGGED_END_TIME": repository.local(blocks.found_at),
            **resetlogs(repository, repository.incarnation),
            "REASON": "UNKNOWN",
        }

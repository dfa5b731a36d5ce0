"""V$BACKUP_SET and its parts, image copies, corruption let into backups, the recovery area, restore points, the keystore."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.oracle.model.recovery_area import totals, usages
from sandbox.oracle.model.repository import Repository
from sandbox.oracle.model.repository_records import BackupSet, FileInSet
from sandbox.oracle.views_backup_rows import Row, backup_view, container_of, resetlogs, yes


def set_columns(repository: Repository, backup: BackupSet) -> dict[str, Any]:
    """What V$BACKUP_SET and V$BACKUP_SET_DETAILS have in common."""
    local = repository.local
    return {
        "RECID": backup.recid,
        "STAMP": repository.stamp(backup.completed_at),
        "SET_STAMP": backup.stamp,
        "SET_COUNT": backup.count,
        "BACKUP_TYPE": backup.kind,
        "CONTROLFILE_INCLUDED": yes(backup.has_controlfile),
        "INCREMENTAL_LEVEL": backup.level,
        "PIECES": backup.pieces_expected,
        "START_TIME": local(backup.started_at),
        "COMPLETION_TIME": local(backup.completed_at),
        "ELAPSED_SECONDS": elapsed_s(backup),
        "BLOCK_SIZE": backup.block_bytes,
        "KEEP": yes(backup.keep),
        "KEEP_UNTIL": local(backup.keep_until),
        "KEEP_OPTIONS": backup.keep_options or None,
        "CON_ID": container_of(repository, backup.con_id),
    }


def elapsed_s(record: Any) -> int:
    return int((record.completed_at - record.started_at).total_seconds())


@backup_view("V$BACKUP_SET")
def v_backup_set(repository: Repository) -> Iterable[Row]:
    for backup in repository.sets:
        yield {**set_columns(repository, backup), "INPUT_FILE_SCAN_ONLY": "NO", "MULTI_SECTION": yes(backup.is_multi_section)}


@backup_view("V$BACKUP_SET_DETAILS")
def v_backup_set_details(repository: Repository) -> Iterable[Row]:
    for backup in repository.sets:
        session, pieces = backup.session, backup.pieces
        live = [p for p in pieces if p.status != "D"]
        if pieces and not live:  # the view's detail is of what is still there
            continue
        output_bytes = sum(p.total_bytes for p in live)
        yield {
            **set_columns(repository, backup),
            "SESSION_KEY": session and session.recid,
            "SESSION_RECID": session and session.recid,
            "SESSION_STAMP": session and session.stamp,
            "BS_KEY": backup.recid,
            "DEVICE_TYPE": pieces[0].device if pieces else None,
            "COMPRESSED": yes(any(p.is_compressed for p in pieces)),
            "ENCRYPTED": yes(any(p.is_encrypted for p in pieces)),
            "NUM_COPIES": max((p.copy for p in pieces), default=0),
            "OUTPUT_BYTES": output_bytes,
            "ORIGINAL_INPUT_BYTES": backup.input_bytes,
            "COMPRESSION_RATIO": round(backup.input_bytes / output_bytes, 3) if output_bytes else 1,
            "STATUS": "A" if backup.is_available else "X" if any(p.status == "X" for p in pieces) else "O",
            "BACKED_BY_OSB": "NO",
        }


@backup_view("V$BACKUP_PIECE")
def v_backup_piece(repository: Repository) -> Iterable[Row]:
    local = repository.local
    for backup in repository.sets:
        step = session_step(backup)
        for piece in backup.pieces:
            yield {
                "RECID": piece.recid,
                "STAMP": piece.stamp,
                "SET_STAMP": backup.stamp,
                "SET_COUNT": backup.count,
                "PIECE#": piece.piece,
                "COPY#": piece.copy,
                "DEVICE_TYPE": piece.device,
                "HANDLE": piece.handle,
                "MEDIA": piece.media or None,
                "CONCUR": yes(piece.device == "DISK"),
                "TAG": piece.tag,
                "STATUS": piece.status,
                "START_TIME": local(piece.started_at),
                "COMPLETION_TIME": local(piece.completed_at),
                "ELAPSED_SECONDS": elapsed_s(piece),
                "DELETED": yes(piece.status == "D"),
                "BYTES": piece.total_bytes,
                "IS_RECOVERY_DEST_FILE": yes(piece.in_fra),
                "RMAN_STATUS_RECID": step and step.recid,
                "RMAN_STATUS_STAMP": step and step.stamp,
                "COMPRESSED": yes(piece.is_compressed),
                "ENCRYPTED": yes(piece.is_encrypted),
                "BACKED_BY_OSB": "NO",
                "CON_ID": container_of(repository, backup.con_id),
            }


def session_step(backup: BackupSet) -> Any:
    """The command that wrote a set: the last of its session that had begun by then."""
    steps = [s for s in backup.session.steps if s.started_at <= backup.started_at] if backup.session else []
    return steps[-1] if steps else None


def file_columns(repository: Repository, record: FileInSet) -> dict[str, Any]:
    """What V$BACKUP_DATAFILE and V$DATAFILE_COPY have in common."""
    local = repository.local
    return {
        "FILE#": record.file,
        "CREATION_CHANGE#": record.creation_scn,
        "CREATION_TIME": local(record.created_at),
        **resetlogs(repository, record.incarnation),
        "INCREMENTAL_LEVEL": record.level,
        "CHECKPOINT_CHANGE#": record.checkpoint_scn,
        "CHECKPOINT_TIME": local(record.checkpoint_at),
        "ABSOLUTE_FUZZY_CHANGE#": record.fuzzy_scn,
        "MARKED_CORRUPT": record.marked_corrupt,
        "MEDIA_CORRUPT": record.media_corrupt,
        "LOGICALLY_CORRUPT": record.logically_corrupt,
        "BLOCK_SIZE": record.block_bytes,
        "OLDEST_OFFLINE_RANGE": 0,
        "COMPLETION_TIME": local(record.completed_at),
        "CONTROLFILE_TYPE": record.controlfile_type or None,
        "CON_ID": container_of(repository, record.con_id),
    }


@backup_view("V$BACKUP_DATAFILE")
def v_backup_datafile(repository: Repository) -> Iterable[Row]:
    for backup in repository.sets:
        for record in backup.files:
            yield {
                **file_columns(repository, record),
                "RECID": record.recid,
                "STAMP": record.stamp,
                "SET_STAMP": backup.stamp,
                "SET_COUNT": backup.count,
                "INCREMENTAL_CHANGE#": record.incremental_scn,
                "DATAFILE_BLOCKS": record.datafile_blocks,
                "BLOCKS": record.blocks,
                "BLOCKS_READ": record.blocks_read,
                "USED_CHANGE_TRACKING": yes(record.used_change_tracking),
                "USED_OPTIMIZATION": "NO",
                "SECTION_SIZE": record.section_blocks,
                "BACKED_BY_PDB": "NO",
            }


@backup_view("V$BACKUP_SPFILE")
def v_backup_spfile(repository: Repository) -> Iterable[Row]:
    local = repository.local
    for backup in repository.sets:
        for record in backup.spfiles:
            yield {
                "RECID": record.recid,
                "STAMP": record.stamp,
                "SET_STAMP": backup.stamp,
                "SET_COUNT": backup.count,
                "MODIFICATION_TIME": local(record.modified_at),
                "BYTES": record.total_bytes,
                "COMPLETION_TIME": local(record.completed_at),
                "DB_UNIQUE_NAME": repository.database.unique_name or repository.database.name,
                "CON_ID": 0,
            }


@backup_view("V$DATAFILE_COPY")
def v_datafile_copy(repository: Repository) -> Iterable[Row]:
    for copy in repository.copies:
        step = copy.session.steps[0] if copy.session and copy.session.steps else None
        yield {
            **file_columns(repository, copy.content),
            "RECID": copy.recid,
            "STAMP": copy.stamp,
            "NAME": None if copy.status == "D" else copy.name,
            "TAG": copy.tag,
            "RFILE#": copy.content.datafile.relative_file if copy.content.datafile else 0,
            "RECOVERY_FUZZY_CHANGE#": 0,
            "ONLINE_FUZZY": "NO",
            "BACKUP_FUZZY": "NO",
            "BLOCKS": copy.content.datafile_blocks,
            "DELETED": yes(copy.status == "D"),
            "STATUS": copy.status,
            "KEEP": "NO",
            "SCANNED": "NO",
            "IS_RECOVERY_DEST_FILE": yes(copy.in_fra),
            "RMAN_STATUS_RECID": step and step.recid,
            "RMAN_STATUS_STAMP": step and step.stamp,
        }


@backup_view("V$BACKUP_CORRUPTION")
def v_backup_corruption(repository: Repository) -> Iterable[Row]:
    number = 0
    for backup in repository.sets:
        for blocks in (b for record in backup.files for b in record.corruption):
            number += 1
            yield {
                "RECID": number,
                "STAMP": repository.stamp(backup.completed_at),
                "SET_STAMP": backup.stamp,
                "SET_COUNT": backup.count,
                "PIECE#": 1,
                "FILE#": blocks.file,
                "BLOCK#": blocks.block,
                "BLOCKS": blocks.blocks,
                "CORRUPTION_CHANGE#": blocks.scn,
                "MARKED_CORRUPT": yes(blocks.kind != "LOGICAL"),
                "CORRUPTION_TYPE": blocks.kind,
                "CON_ID": container_of(repository, blocks.con_id),
            }


@backup_view("V$COPY_CORRUPTION")
def v_copy_corruption(repository: Repository) -> Iterable[Row]:
    number = 0
    for copy in repository.copies:
        for blocks in copy.content.corruption:
            number += 1
            yield {
                "RECID": number,
                "STAMP": copy.stamp,
                "COPY_RECID": copy.recid,
                "COPY_STAMP": copy.stamp,
                "FILE#": blocks.file,
                "BLOCK#": blocks.block,
                "BLOCKS": blocks.blocks,
                "CORRUPTION_CHANGE#": blocks.scn,
                "MARKED_CORRUPT": yes(blocks.kind != "LOGICAL"),
                "CORRUPTION_TYPE": blocks.kind,
                "CON_ID": container_of(repository, blocks.con_id),
            }


@backup_view("V$RECOVERY_FILE_DEST")
def v_recovery_file_dest(repository: Repository) -> Iterable[Row]:
    area = repository.recovery_area
    if area is None:
        return
    used, free, files = totals(repository)
    yield {
        "NAME": area.name,
        "SPACE_LIMIT": area.limit_bytes,
        "SPACE_USED": used,
        "SPACE_RECLAIMABLE": free,
        "NUMBER_OF_FILES": files,
        "CON_ID": 0,
    }


@backup_view("V$RECOVERY_AREA_USAGE")
def v_recovery_area_usage(repository: Repository) -> Iterable[Row]:
    limit = repository.recovery_area.limit_bytes if repository.recovery_area else 1
    for line in usages(repository):
        yield {
            "FILE_TYPE": line.kind,
            "PERCENT_SPACE_USED": round(100 * line.used_bytes / limit, 2),
            "PERCENT_SPACE_RECLAIMABLE": round(100 * line.reclaimable_bytes / limit, 2),
            "NUMBER_OF_FILES": line.files,
            "CON_ID": 0,
        }


@backup_view("V$ASM_DISKGROUP")
def v_asm_diskgroup(repository: Repository) -> Iterable[Row]:
    for number, (name, (total_mb, usable_mb)) in enumerate(repository.asm_groups.items(), start=1):
        yield {
            "GROUP_NUMBER": number,
            "NAME": name,
            "STATE": "CONNECTED",
            "TYPE": "EXTERN",
            "TOTAL_MB": total_mb,
            "FREE_MB": usable_mb,
            "USABLE_FILE_MB": usable_mb,
            "CON_ID": 0,
        }


@backup_view("V$RESTORE_POINT")
def v_restore_point(repository: Repository) -> Iterable[Row]:
    for point in repository.restore_points:
        yield {
            "SCN": point.scn,
            "DATABASE_INCARNATION#": point.incarnation,
            "GUARANTEE_FLASHBACK_DATABASE": yes(point.is_guaranteed),
            "STORAGE_SIZE": point.storage_bytes,
            "TIME": repository.local(point.created_at),
            "PRESERVED": yes(point.is_preserved),
            "NAME": point.name,
            "PDB_RESTORE_POINT": "NO",
            "CON_ID": 0,
        }


@backup_view("V$ENCRYPTION_WALLET")
def v_encryption_wallet(repository: Repository) -> Iterable[Row]:
    for wallet in repository.wallets:
        yield {
            "WRL_TYPE": "FILE",
            "WRL_PARAMETER": wallet.path,
            "STATUS": wallet.status,
            "WALLET_TYPE": wallet.kind,
            "WALLET_ORDER": "SINGLE",
            "KEYSTORE_MODE": "NONE",
            "FULLY_BACKED_UP": "NO",
            "CON_ID": wallet.con_id,
        }

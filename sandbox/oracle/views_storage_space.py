"""Segments, extents, tablespaces, files, free space and undo (Database Reference 19c)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.segments import Segment
from sandbox.oracle.model.spaces import KIB, Space, SpaceFile
from sandbox.oracle.model.storage import Storage, storage_of
from sandbox.oracle.registry import view
from sandbox.oracle.views_storage_tables import Row, storage_view, yes

UNDO_SLOT = timedelta(minutes=10)
UNDO_SLOTS = 576  # four days
SEGMENT_STATISTICS = {"physical reads": 4, "segment scans": 9}


def of_segment(segment: Segment) -> Row:
    return {
        "OWNER": segment.owner,
        "SEGMENT_NAME": segment.name,
        "PARTITION_NAME": segment.partition or None,
        "SEGMENT_TYPE": segment.kind,
        "TABLESPACE_NAME": segment.space.name,
    }


@storage_view("DBA_SEGMENTS")
def dba_segments(storage: Storage) -> Iterator[Row]:
    """Only what has extents: an empty partition may have no segment yet."""
    for segment in storage.segments():
        if segment.extents:
            first = segment.extents[0]
            yield {
                **of_segment(segment),
                "SEGMENT_SUBTYPE": "ASSM" if segment.space.is_assm else "MSSM",
                "HEADER_FILE": first.file,
                "HEADER_BLOCK": first.block + 2,
                "BYTES": segment.total_bytes,
                "BLOCKS": segment.blocks,
                "EXTENTS": len(segment.extents),
                "INITIAL_EXTENT": 64 * KIB,
                "NEXT_EXTENT": 1024 * KIB,
                "MIN_EXTENTS": 1,
                "MAX_EXTENTS": 2147483645,
                "MAX_SIZE": 2147483645,
                "RELATIVE_FNO": first.file,
                "BUFFER_POOL": "DEFAULT",
                "INMEMORY": "DISABLED",
            }


@storage_view("DBA_EXTENTS")
def dba_extents(storage: Storage) -> Iterator[Row]:
    for segment in storage.segments():
        base = of_segment(segment)
        for number, extent in enumerate(segment.extents):
            size = extent.blocks * segment.space.block_bytes
            row = {"EXTENT_ID": number, "FILE_ID": extent.file, "BLOCK_ID": extent.block, "BYTES": size}
            yield {**base, **row, "BLOCKS": extent.blocks, "RELATIVE_FNO": extent.file}


@storage_view("DBA_TABLESPACES")
def dba_tablespaces(storage: Storage) -> Iterator[Row]:
    for space in storage.spaces.values():
        uniform = bool(space.uniform_bytes) or space.contents == "TEMPORARY"
        yield {
            "TABLESPACE_NAME": space.name,
            "BLOCK_SIZE": space.block_bytes,
            "INITIAL_EXTENT": space.uniform_bytes or 64 * KIB,
            "NEXT_EXTENT": space.uniform_bytes or None,
            "MIN_EXTENTS": 1,
            "MAX_SIZE": 2147483645,
            "STATUS": space.status,
            "CONTENTS": space.contents,
            "LOGGING": "LOGGING" if space.is_logging else "NOLOGGING",
            "FORCE_LOGGING": yes(space.is_force_logging),
            "EXTENT_MANAGEMENT": "LOCAL",
            "ALLOCATION_TYPE": "UNIFORM" if uniform else "SYSTEM",
            "PLUGGED_IN": "NO",
            "SEGMENT_SPACE_MANAGEMENT": "AUTO" if space.is_assm and space.contents == "PERMANENT" else "MANUAL",
            "DEF_TAB_COMPRESSION": "DISABLED",
            "RETENTION": "NOGUARANTEE" if space.contents == "UNDO" else "NOT APPLY",
            "BIGFILE": yes(space.is_bigfile),
            "PREDICATE_EVALUATION": "HOST",
            "ENCRYPTED": yes(space.is_encrypted),
        }


def file_row(space: Space, file: SpaceFile) -> Row:
    size = space.block_bytes
    return {
        "FILE_NAME": file.name,
        "FILE_ID": file.number,
        "TABLESPACE_NAME": space.name,
        "BYTES": file.blocks * size,
        "BLOCKS": file.blocks,
        "STATUS": "ONLINE" if space.contents == "TEMPORARY" else "AVAILABLE",
        "RELATIVE_FNO": file.number,
        "AUTOEXTENSIBLE": yes(file.max_blocks),
        "MAXBYTES": file.max_blocks * size,
        "MAXBLOCKS": file.max_blocks,
        "INCREMENT_BY": file.increment if file.max_blocks else 0,
        "USER_BYTES": (file.blocks - 128) * size,
        "USER_BLOCKS": file.blocks - 128,
    }


@storage_view("DBA_DATA_FILES")
def dba_data_files(storage: Storage) -> Iterator[Row]:
    for space in storage.spaces.values():
        if space.contents != "TEMPORARY":
            for file in space.files:
                yield file_row(space, file) | {"ONLINE_STATUS": "SYSTEM" if space.name == "SYSTEM" else "ONLINE"}


@storage_view("DBA_TEMP_FILES")
def dba_temp_files(storage: Storage) -> Iterator[Row]:
    for file in storage.temp.files:
        yield file_row(storage.temp, file) | {"SHARED": "SHARED"}


@storage_view("DBA_FREE_SPACE")
def dba_free_space(storage: Storage) -> Iterator[Row]:
    """Free runs of tablespaces that hold objects; undo and temporary ones are not told here."""
    for space in storage.spaces.values():
        for file in space.files if space.contents == "PERMANENT" else ():
            for start, length in file.free:
                row = {"TABLESPACE_NAME": space.name, "FILE_ID": file.number, "BLOCK_ID": start}
                yield row | {"BYTES": length * space.block_bytes, "BLOCKS": length, "RELATIVE_FNO": file.number}


def used_blocks(storage: Storage, space: Space) -> int:
    if space.contents == "TEMPORARY":
        return storage.temp_used_blocks
    if space.contents == "UNDO":
        return storage.undo.active_blocks + storage.undo.unexpired_blocks
    return space.blocks - space.free_blocks


@storage_view("DBA_TABLESPACE_USAGE_METRICS")
def dba_tablespace_usage_metrics(storage: Storage) -> Iterator[Row]:
    """In blocks; the size counts what the files may still grow to."""
    for space in storage.spaces.values():
        size = sum(max(f.blocks, f.max_blocks) for f in space.files)
        used = used_blocks(storage, space)
        row = {"TABLESPACE_NAME": space.name, "USED_SPACE": used, "TABLESPACE_SIZE": size}
        yield row | {"USED_PERCENT": round(100 * used / size, 8) if size else 0}


@view("V$UNDOSTAT")
def undostat(database: OracleDatabase) -> Iterator[Row]:
    """Slots of ten minutes, four days of them; what happened in the current one stands in the first row."""
    storage = storage_of(database)
    undo, end = storage.undo, database.sysdate()
    begin = end.replace(minute=end.minute // 10 * 10, second=0)
    for slot in range(UNDO_SLOTS):
        yield {
            "BEGIN_TIME": begin,
            "END_TIME": end,
            "UNDOTSN": undo.space.number,
            "UNDOBLKS": int(undo.blocks_per_s * (end - begin).total_seconds()),
            "TXNCOUNT": int(3 * (end - begin).total_seconds()),
            "MAXQUERYLEN": undo.longest_query_s,
            "MAXCONCURRENCY": 4,
            "UNXPSTEALCNT": 0,
            "EXPSTEALCNT": 0,
            "SSOLDERRCNT": 0 if slot else undo.too_old_errors,
            "NOSPACEERRCNT": 0 if slot else undo.no_space_errors,
            "ACTIVEBLKS": undo.active_blocks,
            "UNEXPIREDBLKS": undo.unexpired_blocks,
            "EXPIREDBLKS": max(0, undo.free_blocks - undo.unexpired_blocks),
            "TUNED_UNDORETENTION": undo.tuned_retention_s,
            "CON_ID": 0,
        }
        begin, end = begin - UNDO_SLOT, begin


@storage_view("V$SEGMENT_STATISTICS")
def v_segment_statistics(storage: Storage) -> Iterator[Row]:
    """What was read of a segment since the instance started, as far as a test planted it."""
    for segment in storage.segments():
        for name, value in (("physical reads", segment.physical_reads), ("segment scans", segment.scans)):
            yield {
                "OWNER": segment.owner,
                "OBJECT_NAME": segment.name,
                "SUBOBJECT_NAME": segment.partition or None,
                "TABLESPACE_NAME": segment.space.name,
                "TS#": segment.space.number,
                "DATAOBJ#": segment.data_object_id,
                "OBJECT_TYPE": segment.kind,
                "STATISTIC_NAME": name,
                "STATISTIC#": SEGMENT_STATISTICS[name],
                "VALUE": value,
                "CON_ID": 0,
            }

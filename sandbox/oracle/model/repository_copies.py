"""Image copies and their daily merge with a level 1: RECOVER COPY ... WITH TAG, BACKUP ... FOR RECOVER OF COPY.

Backup and Recovery User's Guide, "Incrementally Updating Backups". A merge writes a new record with the level 1's checkpoint
and deletes the old one; the first run makes level 0 copies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sandbox.oracle.model.archiving import omf_ending
from sandbox.oracle.model.backing_up import Run, back_up_files, begin_step, end_step, file_record, remember
from sandbox.oracle.model.files import Datafile
from sandbox.oracle.model.repository import Repository
from sandbox.oracle.model.repository_records import DatafileCopy, FileInSet

MERGE_TAG = "INCR_UPDATE"


def copy_of(repository: Repository, datafile: Datafile, tag: str = MERGE_TAG) -> DatafileCopy | None:
    """The newest available copy of a file with a tag."""
    for copy in reversed(repository.copies):
        same = copy.content.file == datafile.file and copy.content.creation_scn == datafile.creation_scn
        if same and copy.status == "A" and copy.tag == tag:
            return copy
    return None


def copy_files(run: Run, files: Sequence[Datafile], tag: str = MERGE_TAG) -> Iterator[datetime]:
    """BACKUP AS COPY INCREMENTAL LEVEL 0, one file after another."""
    step = begin_step(run, "BACKUP", "DB INCR")
    run.session.input_type = "DB INCR"
    for datafile in files:
        record = file_record(run, datafile, 0, run.at)
        ends = run.at + timedelta(seconds=1 + datafile.total_bytes // run.manner.bytes_per_s // run.manner.channels)
        yield ends
        record.completed_at = run.at = ends
        add_copy(run, record, datafile, tag, copy_name(run, datafile))
        run.session.input_bytes += datafile.total_bytes
        run.session.output_bytes += datafile.total_bytes
    end_step(run, step)


def copy_name(run: Run, datafile: Datafile) -> str:
    repository = run.repository
    unique = repository.database.unique_name or repository.database.name
    if run.manner.folder:
        return f"{run.manner.folder}/data_D-{repository.database.name}_I-{repository.database.dbid}_FNO-{datafile.file}"
    name = f"o1_mf_{datafile.tablespace.name.lower()}_{omf_ending(repository)}_.dbf"
    return f"{repository.recovery_area.name}/{unique}/datafile/{name}"


def add_copy(run: Run, record: FileInSet, datafile: Datafile, tag: str, name: str) -> DatafileCopy:
    """The record of a finished copy."""
    repository = run.repository
    stamp = repository.stamp(record.completed_at)
    copy = DatafileCopy(repository.recid("copy"), stamp, record, name, tag, run.session, in_fra=run.manner.in_fra)
    repository.copies.append(copy)
    remember(repository, record)
    return copy


def merge(run: Run, files: Sequence[Datafile]) -> Iterator[datetime]:
    """RECOVER COPY OF DATABASE WITH TAG: yesterday's level 1 goes into the copies."""
    step = begin_step(run, "RECOVER", "")
    repository = run.repository
    for datafile in files:
        copy, increment = copy_of(repository, datafile), repository.latest.get(datafile.file)
        if copy is None or increment is None or increment.level != 1:
            continue
        ends = run.at + timedelta(seconds=2 + increment.blocks * increment.block_bytes // run.manner.bytes_per_s)
        yield ends
        run.at = ends
        merged = replace(
            copy.content,
            checkpoint_scn=increment.checkpoint_scn,
            checkpoint_at=increment.checkpoint_at,
            fuzzy_scn=increment.fuzzy_scn,
            completed_at=ends,
            datafile_blocks=increment.datafile_blocks,
        )
        name = copy.name
        copy.status = "D"  # its file lives on under the new record
        add_copy(run, merged, datafile, MERGE_TAG, name)
        repository.latest[datafile.file] = merged
    end_step(run, step)


def merge_and_increment(run: Run, files: Sequence[Datafile]) -> Iterator[datetime]:
    """The daily pair of commands; files without a copy get one."""
    yield from merge(run, files)
    new = [f for f in files if copy_of(run.repository, f) is None]
    if new:
        yield from copy_files(run, new)
    changed = [f for f in files if f not in new]
    if changed:
        yield from back_up_files(run, changed, 1, tag=MERGE_TAG)

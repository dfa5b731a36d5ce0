"""RMAN at work: how one session writes backup sets of datafiles, archived logs, control file and spfile.

Backup and Recovery User's Guide, "RMAN Backup Concepts" (sets, pieces, multisection, duplexing, incremental levels) and
"Backing Up the Database". A set gets its SET_STAMP and SET_COUNT when it begins and its records when it is complete.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.oracle.model.archiving import data_folder, omf_ending
from sandbox.oracle.model.database import SessionState
from sandbox.oracle.model.files import MIB, Datafile
from sandbox.oracle.model.redo import ArchivedLog
from sandbox.oracle.model.repository import Repository
from sandbox.oracle.model.repository_records import BackupSet, FileInSet, LogInSet, Piece, Session, SpfileInSet, Step

CONTROLFILE_BLOCKS = 1100
CONTROLFILE_BLOCK_BYTES = 16384
SPFILE_BYTES = 3584
U_LETTERS = "0123456789abcdefghijklmnopqrstuv"


@dataclass(frozen=True)
class Manner:
    """How the customer's RMAN writes. `folder` empty: the recovery area. Rates in bytes/s of one channel."""

    device: str = "DISK"
    folder: str = ""
    channels: int = 2
    files_per_set: int = 8
    copies: int = 1
    max_piece_bytes: int = 0
    section_bytes: int = 0
    is_compressed: bool = False
    is_encrypted: bool = False
    skip_readonly: bool = False
    autobackup: bool = True
    cumulative: bool = False
    bytes_per_s: int = 150 * MIB
    ratio: float = 1.0  # bytes written per byte of blocks

    @property
    def in_fra(self) -> bool:
        return self.device == "DISK" and not self.folder


@dataclass
class Run:
    """One RMAN session while it runs. `at`: how far it has come."""

    repository: Repository
    session: Session
    manner: Manner
    at: datetime
    sets: list[BackupSet] = field(default_factory=list)


def begin_session(repository: Repository, at: datetime, command_id: str, manner: Manner) -> Run:
    """A new row of V$RMAN_BACKUP_JOB_DETAILS, RUNNING. Without SET COMMAND ID RMAN makes one of the start time."""
    local = at.astimezone(repository.database.zone)
    session = Session(
        recid=repository.recid("session"),
        stamp=repository.stamp(at),
        command_id=command_id or local.strftime("%Y-%m-%dT%H:%M:%S"),
        started_at=at,
        ended_at=None,
        status="RUNNING",
        device=manner.device,
    )
    repository.sessions.append(session)
    sid = 1000 + session.recid % 60_000
    client = {"program": f"rman@{repository.host} (TNS V1-V3)", "machine": repository.host, "osuser": "oracle"}
    repository.database.sessions[sid] = SessionState(sid, session.recid % 65_536, "SYS", "SYS$USERS", at, client)
    return Run(repository, session, manner, at)


def end_session(run: Run, status: str = "COMPLETED") -> None:
    """The session ends where its last step ended."""
    run.session.ended_at, run.session.status = run.at, status
    run.repository.database.sessions.pop(1000 + run.session.recid % 60_000, None)


def begin_step(run: Run, operation: str, object_type: str, row_level: int = 1) -> Step:
    """A command of the session: a row of V$RMAN_STATUS."""
    repository = run.repository
    row_type = "COMMAND" if row_level == 1 else "RECURSIVE OPERATION"
    step = Step(repository.recid("session"), repository.stamp(run.at), operation, run.at, None, "RUNNING", object_type)
    step.row_type, step.row_level, step.device = row_type, row_level, run.manner.device
    run.session.steps.append(step)
    return step


def end_step(run: Run, step: Step) -> None:
    step.ended_at, step.status = run.at, "COMPLETED"


def tag_of(run: Run, at: datetime) -> str:
    return f"TAG{at.astimezone(run.repository.database.zone):%Y%m%dT%H%M%S}"


def handle(run: Run, backup: BackupSet, piece: int, copy: int, tag: str, letters: str) -> str:
    """An OMF name in the recovery area, else %U: the set's count and stamp in 8 letters, piece and copy."""
    repository, manner = run.repository, run.manner
    unique = repository.database.unique_name or repository.database.name
    local = backup.started_at.astimezone(repository.database.zone)
    if letters == "s" and not manner.in_fra:
        number = repository.recid(f"autobackup {local:%Y%m%d}") - 1
        name = f"c-{repository.database.dbid}-{local:%Y%m%d}-{number:02x}"
    elif manner.in_fra:
        kind = "autobackup" if letters == "s" else "backupset"
        middle = f"s_{backup.stamp}" if letters == "s" else f"{letters}_{tag}"
        return f"{repository.recovery_area.name}/{unique}/{kind}/{local:%Y_%m_%d}/o1_mf_{middle}_{omf_ending(repository)}_.bkp"
    else:
        name = f"{u_name(backup)}_{piece}_{copy}"
    folder = manner.folder if copy == 1 else f"{manner.folder}{copy}"  # each copy of a duplexed set has its own place
    return f"{folder}/{name}" if folder else name


def u_name(backup: BackupSet) -> str:
    """An 8-letter name of (count, stamp), unique as %u is; the letters are this simulator's, not RMAN's."""
    number = (backup.count << 30) ^ backup.stamp
    letters = []
    while number and len(letters) < 8:
        number, digit = divmod(number, 32)
        letters.append(U_LETTERS[digit])
    return "".join(reversed(letters)).rjust(8, "0")


def begin_set(run: Run, kind: str, at: datetime, level: int | None = None) -> BackupSet:
    repository = run.repository
    return BackupSet(
        recid=0,
        stamp=repository.stamp(at),
        count=repository.recid("set_count"),
        kind=kind,
        session=run.session,
        started_at=at,
        completed_at=at,
        level=level,
    )


def finish_set(run: Run, backup: BackupSet, written_bytes: int, completed_at: datetime, tag: str, letters: str) -> None:
    """Write the records of a complete set: every copy of every piece, then the set."""
    repository = run.repository
    backup.completed_at, backup.recid = completed_at, repository.recid("set")
    limit = 0 if letters == "s" else run.manner.max_piece_bytes
    if not backup.is_multi_section:
        backup.pieces_expected = math.ceil(written_bytes / limit) if limit else 1
    for number in range(1, backup.pieces_expected + 1):
        share = written_bytes // backup.pieces_expected
        for copy in range(1, (1 if letters == "s" else run.manner.copies) + 1):  # an autobackup is never duplexed
            backup.pieces.append(new_piece(run, backup, number, copy, share, tag, letters))
    repository.sets.append(backup)
    repository.kept_sets.append(backup)
    run.sets.append(backup)
    run.session.input_bytes += backup.input_bytes
    run.session.output_bytes += backup.total_bytes
    for step in run.session.steps[-1:]:
        step.input_bytes += backup.input_bytes
        step.output_bytes += backup.total_bytes


def new_piece(run: Run, backup: BackupSet, number: int, copy: int, total_bytes: int, tag: str, letters: str) -> Piece:
    span = (backup.completed_at - backup.started_at) / backup.pieces_expected
    started_at = (backup.started_at + span * (number - 1)).replace(microsecond=0)
    completed_at = backup.completed_at if number == backup.pieces_expected else (started_at + span).replace(microsecond=0)
    return Piece(
        recid=run.repository.recid("piece"),
        stamp=run.repository.stamp(completed_at),
        piece=number,
        copy=copy,
        handle=handle(run, backup, number, copy, tag, letters),
        total_bytes=max(8192, total_bytes // 8192 * 8192),
        started_at=started_at,
        completed_at=completed_at,
        device=run.manner.device,
        tag=tag,
        is_compressed=run.manner.is_compressed,
        is_encrypted=run.manner.is_encrypted,
        in_fra=run.manner.in_fra,
        media=f"VOL{backup.count % 900:03d}" if run.manner.device == "SBT_TAPE" else "",
    )


def split(files: Sequence[Datafile], manner: Manner) -> list[list[Datafile]]:
    """Which files go into which set: one container each, large files of a section size alone, the rest dealt to channels."""
    groups: list[list[Datafile]] = []
    for con_id in sorted({f.con_id for f in files}):
        mine = [f for f in files if f.con_id == con_id]
        large = [f for f in mine if manner.section_bytes and f.total_bytes > manner.section_bytes]
        rest = sorted((f for f in mine if f not in large), key=lambda f: -f.used_blocks)
        groups += [[f] for f in large]
        per_set = max(1, min(manner.files_per_set, math.ceil(len(rest) / manner.channels)))
        sets = max(1, math.ceil(len(rest) / per_set)) if rest else 0
        groups += [rest[i::sets] for i in range(sets)]
    return groups


def changed_blocks(run: Run, datafile: Datafile, since: datetime | None, until: datetime) -> int:
    """Blocks of a file that changed between two moments: its churn, at most all that are used."""
    if since is None or datafile.is_standing_still:
        return 1
    passed = max(0.0, (until - since) / timedelta(days=1))
    share = 1 - math.exp(-datafile.churn_per_day * passed)
    return max(8, int(datafile.used_blocks * share * run.repository.random.uniform(0.85, 1.15)))


def file_record(run: Run, datafile: Datafile, level: int | None, at: datetime) -> FileInSet:
    """What V$BACKUP_DATAFILE will say of one file backed up at `at`.

    Level 1 without a level 0 takes all blocks changed since the file was created (B&R User's Guide, "Incremental Backups"):
    INCREMENTAL_CHANGE# is then CREATION_CHANGE#.
    """
    repository = run.repository
    still = datafile.is_standing_still
    scn, checked = (datafile.stop_scn, datafile.stop_at) if still else (repository.scn.at(at), at)
    record = FileInSet(0, 0, datafile.file, datafile.creation_scn, datafile.created_at, repository.incarnation, scn, checked, at)
    record.level, record.datafile, record.con_id, record.block_bytes = level, datafile, datafile.con_id, datafile.block_bytes
    record.datafile_blocks = datafile.blocks
    if level == 1:
        describe_increment(run, record, datafile, at)
    else:
        record.blocks, record.blocks_read = datafile.used_blocks, datafile.blocks
    return record


def describe_increment(run: Run, record: FileInSet, datafile: Datafile, at: datetime) -> None:
    known = run.repository.latest_base if run.manner.cumulative else run.repository.latest
    parent = known.get(datafile.file)
    if parent and parent.creation_scn == datafile.creation_scn:
        record.incremental_scn = parent.checkpoint_scn
        record.blocks = changed_blocks(run, datafile, parent.checkpoint_at, at)
    else:
        record.incremental_scn, record.blocks = datafile.creation_scn, datafile.used_blocks
    record.used_change_tracking = bool(run.repository.change_tracking)
    record.blocks_read = min(datafile.blocks, record.blocks * 2 + 64) if record.used_change_tracking else datafile.blocks


def back_up_files(
    run: Run, files: Sequence[Datafile], level: int | None, tag: str = "", keep: bool = False
) -> Iterator[datetime]:
    """BACKUP [INCREMENTAL LEVEL n] of datafiles on the manner's channels; yields the moments at which sets complete."""
    repository, manner = run.repository, run.manner
    step = begin_step(run, "BACKUP", "DB FULL" if level is None else "DB INCR")
    run.session.input_type = "DB FULL" if level is None else "DB INCR"
    tag = tag or tag_of(run, run.at)
    free_at = [run.at] * manner.channels
    done: list[tuple[datetime, int, BackupSet, int, int]] = []
    for group in split(files, manner):
        channel = free_at.index(min(free_at))
        sectioned = bool(manner.section_bytes and group[0].total_bytes > manner.section_bytes)
        backup, read_bytes, written_bytes = file_set(run, group, level, free_at[channel], sectioned)
        width = manner.channels if sectioned else 1
        ends = free_at[channel] + timedelta(seconds=3 + int(read_bytes / manner.bytes_per_s / width))
        free_at = [max(ends, m) for m in free_at] if sectioned else [ends if i == channel else m for i, m in enumerate(free_at)]
        done.append((ends, backup.count, backup, read_bytes, written_bytes))
    for ends, _, backup, _, written_bytes in sorted(done, key=lambda d: d[:2]):
        yield ends
        record_files(run, backup, ends)
        backup.keep, backup.keep_options = keep, "LOGS" if keep else ""
        finish_set(run, backup, written_bytes, ends, tag, "nnndf" if level is None else f"nnnd{level}")
        run.at = max(run.at, ends)
    end_step(run, step)
    repository.lived_until = max(repository.lived_until, run.at)


def file_set(run: Run, group: list[Datafile], level: int | None, at: datetime, sectioned: bool) -> tuple[BackupSet, int, int]:
    """A begun set of some files, with the bytes to be read and to be written."""
    backup = begin_set(run, "I" if level == 1 else "D", at, level)
    backup.files = [file_record(run, f, level, at) for f in group]
    backup.con_id = group[0].con_id
    if sectioned:
        backup.is_multi_section = True
        backup.pieces_expected = math.ceil(group[0].total_bytes / run.manner.section_bytes)
        backup.files[0].section_blocks = run.manner.section_bytes // group[0].block_bytes
    backup.input_bytes = sum(r.datafile_blocks * r.block_bytes for r in backup.files)
    read_bytes = sum(r.blocks_read * r.block_bytes for r in backup.files)
    written_bytes = int(sum((r.blocks + 1) * r.block_bytes for r in backup.files) * run.manner.ratio)
    return backup, read_bytes, written_bytes


def record_files(run: Run, backup: BackupSet, at: datetime) -> None:
    """The file records of a set that is complete: fuzzy up to the last change that was read."""
    repository = run.repository
    for record in backup.files:
        record.recid, record.stamp, record.completed_at = repository.recid("file"), repository.stamp(at), at
        if record.datafile and not record.datafile.is_standing_still and record.blocks > 64:
            middle = record.checkpoint_at + (at - record.checkpoint_at) * 0.8
            record.fuzzy_scn = max(repository.scn.at(middle), record.checkpoint_scn + 1)
        if record.level is not None or record.file == 0:
            remember(repository, record)


def remember(repository: Repository, record: FileInSet) -> None:
    """The newest level 0 and 1 of each file: what the next incremental builds on."""
    if record.level == 0:
        repository.latest_base[record.file] = record
    if record.level in (0, 1):
        repository.latest[record.file] = record


def back_up_logs(run: Run, logs: Sequence[ArchivedLog]) -> Iterator[datetime]:
    """BACKUP ARCHIVELOG of these logs, dealt to the channels by thread and size; yields when sets complete."""
    if not logs:
        return
    step = begin_step(run, "BACKUP", "ARCHIVELOG")
    run.session.input_type = run.session.input_type or "ARCHIVELOG"
    tag = tag_of(run, run.at)
    for chunk in log_chunks(logs):
        read_bytes = sum(log.total_bytes for log in chunk)
        backup = begin_set(run, "L", run.at)
        backup.block_bytes, backup.input_bytes = 512, read_bytes
        ends = run.at + timedelta(seconds=1 + int(read_bytes / run.manner.bytes_per_s / run.manner.channels))
        yield ends
        stamp = run.repository.stamp(ends)
        for log in chunk:
            backup.logs.append(LogInSet(run.repository.recid("redo"), stamp, log))
            log.backup_count += 1
        finish_set(run, backup, int(read_bytes * run.manner.ratio) + 2048, ends, tag, "annnn")
        run.at = ends
    end_step(run, step)


def log_chunks(logs: Sequence[ArchivedLog], most_bytes: int = 32 * 1024**3, most: int = 64) -> Iterator[list[ArchivedLog]]:
    """Logs in sets of limited size (FILESPERSET's default for archived logs is 64), by thread and sequence."""
    chunk: list[ArchivedLog] = []
    chunk_bytes = 0
    for log in sorted(logs, key=lambda g: (g.incarnation.resetlogs_scn, g.thread, g.sequence)):
        if chunk and (len(chunk) >= most or chunk_bytes + log.total_bytes > most_bytes):
            yield chunk
            chunk, chunk_bytes = [], 0
        chunk.append(log)
        chunk_bytes += log.total_bytes
    yield chunk


def autobackup(run: Run) -> Iterator[datetime]:
    """Control file and spfile autobackup: one set of one piece, after the data (B&R User's Guide)."""
    if not run.manner.autobackup:
        return
    step = begin_step(run, "CONTROL FILE AND SPFILE AUTOBACK", "", row_level=2)
    repository = run.repository
    backup = begin_set(run, "D", run.at)
    ends = run.at + timedelta(seconds=3)
    yield ends
    add_controlfile(run, backup, run.at, ends)
    if repository.database.parameters.get("spfile"):
        add_spfile(run, backup, ends)
    written = CONTROLFILE_BLOCKS * CONTROLFILE_BLOCK_BYTES + SPFILE_BYTES
    finish_set(run, backup, written, ends, tag_of(run, run.at), "s")
    run.session.autobackups += 1
    run.at = ends
    end_step(run, step)


def add_controlfile(run: Run, backup: BackupSet, at: datetime, ends: datetime) -> None:
    """The control file's record in a set: FILE# 0, checkpoint of the moment it was read."""
    repository = run.repository
    scn = repository.scn.at(at)
    record = FileInSet(repository.recid("file"), repository.stamp(ends), 0, 0, None, repository.incarnation, scn, at, ends)
    record.blocks = record.datafile_blocks = record.blocks_read = CONTROLFILE_BLOCKS
    record.block_bytes, record.controlfile_type = CONTROLFILE_BLOCK_BYTES, "S" if repository.is_standby else "B"
    backup.files.append(record)
    backup.input_bytes += CONTROLFILE_BLOCKS * CONTROLFILE_BLOCK_BYTES


def add_spfile(run: Run, backup: BackupSet, ends: datetime) -> None:
    repository = run.repository
    modified_at = repository.started_at or repository.created_at
    backup.spfiles.append(SpfileInSet(repository.recid("spfile"), repository.stamp(ends), modified_at, SPFILE_BYTES, ends))


def same_file_system(repository: Repository) -> str:
    """A folder beside the datafiles."""
    return f"{data_folder(repository)}/backup"

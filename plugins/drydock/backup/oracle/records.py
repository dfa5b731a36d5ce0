"""Rows of the V$ views as the models of the catalogue. Whole numbers come as int or Decimal, times as local DATEs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from drydock.backup.oracle.catalogue import (
    CorruptBlocks,
    DatabaseFacts,
    Datafile,
    FileBackup,
    Incarnation,
    Piece,
    RedoThread,
    RmanJob,
    RmanSet,
    SetKind,
)

Row = dict[str, Any]
LOGON_SLACK = timedelta(minutes=5)  # a session of RMAN logs on before its first command; two clocks of one RAC may differ
WORST_FIRST = ("FAILED", "RUNNING WITH ERRORS", "RUNNING WITH WARNINGS", "RUNNING", "COMPLETED WITH ERRORS")


def whole(value: object) -> int:
    """A NUMBER as a whole number; NULL is 0."""
    return int(value) if value is not None else 0


def text(value: object) -> str:
    """A VARCHAR2; NULL is empty, as in Oracle."""
    return "" if value is None else str(value)


def optional(value: object) -> int | None:
    return None if value is None else int(value)


@dataclass(frozen=True)
class Times:
    """Puts the database host's local times into its zone."""

    zone: ZoneInfo

    def at(self, value: datetime | None) -> datetime | None:
        return value if value is None or value.tzinfo else value.replace(tzinfo=self.zone)

    def with_session(self, job: RmanJob, oldest_logon_at: datetime | None) -> RmanJob:
        """A RUNNING job, with the word whether a session of RMAN is there that is old enough to be its own."""
        if not job.status.startswith("RUNNING"):
            return job
        lives = oldest_logon_at is not None and oldest_logon_at <= job.started_at + LOGON_SLACK
        return job.model_copy(update={"has_live_session": lives})


def database_facts(row: Row, configuration: Iterable[Row], times: Times) -> DatabaseFacts:
    """V$DATABASE and what stands beside it."""
    names = ("name", "unique_name", "version", "role", "open_mode", "log_mode")
    return DatabaseFacts(
        **{name: text(row[name]) for name in names},
        dbid=whole(row["dbid"]),
        current_scn=whole(row["current_scn"]),
        resetlogs_scn=whole(row["resetlogs_scn"]),
        sysdate_at=times.at(row["sysdate_at"]),
        created_at=times.at(row["created_at"]),
        controlfile_created_at=times.at(row["controlfile_created_at"]),
        role_changed_at=times.at(row["role_changed_at"]),
        keep_days=whole(row["keep_days"]),
        has_spfile=row["spfile"] is not None,
        force_logging=row["force_logging"] == "YES",
        block_change_tracking=row["change_tracking"] == "ENABLED",
        rman_configuration={text(r["name"]): text(r["setting"]) for r in configuration},
    )


def incarnation(row: Row, times: Times) -> Incarnation:
    """One row of V$DATABASE_INCARNATION."""
    return Incarnation(
        number=whole(row["incarnation"]),
        resetlogs_scn=whole(row["resetlogs_scn"]),
        resetlogs_at=times.at(row["resetlogs_at"]),
        prior_resetlogs_scn=whole(row["prior_resetlogs_scn"]),
        status=text(row["status"]),
    )


def datafile(row: Row, times: Times) -> Datafile:
    """One row of V$DATAFILE with its tablespace; the container is named only in a CDB."""
    in_cdb = row.get("cdb") == "YES"
    return Datafile(
        file=whole(row["file_number"]),
        creation_scn=whole(row["creation_scn"]),
        created_at=times.at(row["created_at"]),
        name=text(row["file_name"]),
        tablespace=text(row["tablespace"]),
        container=text(row["container"]) if in_cdb else "",
        status=text(row["status"]),
        enabled=text(row["enabled"]),
        checkpoint_scn=whole(row["checkpoint_scn"]),
        stop_scn=optional(row["stop_scn"]),
        total_bytes=whole(row["total_bytes"]),
        in_database_backup=row["in_database_backup"] != "NO",
        unrecoverable_scn=whole(row["unrecoverable_scn"]),
        unrecoverable_at=times.at(row["unrecoverable_at"]),
    )


def redo_thread(row: Row, times: Times) -> RedoThread:
    """One row of V$THREAD with its groups."""
    return RedoThread(
        thread=whole(row["thread"]),
        is_open=row["status"] == "OPEN",
        is_enabled=row["enabled"] != "DISABLED",
        sequence=whole(row["sequence_number"]),
        last_redo_at=times.at(row["last_redo_at"]),
        groups=whole(row["group_count"]),
        unarchived_groups=whole(row["unarchived_groups"]),
    )


def rman_sets(
    sets: Iterable[Row], pieces: Iterable[Row], spfiles: Iterable[Row], statuses: Iterable[Row], times: Times
) -> tuple[RmanSet, ...]:
    """Every set of which a piece is left, oldest first, with the session that made it where V$RMAN_STATUS tells."""
    by_set: dict[tuple[int, int], list[Piece]] = defaultdict(list)
    sessions = {(whole(r["recid"]), whole(r["stamp"])): r for r in statuses}
    made_by: dict[tuple[int, int], Row] = {}
    for row in pieces:
        key = (whole(row["set_stamp"]), whole(row["set_count"]))
        by_set[key].append(_piece(row, times))
        if session := sessions.get((whole(row["status_recid"]), whole(row["status_stamp"]))):
            made_by[key] = session
    with_spfile = {(whole(r["set_stamp"]), whole(r["set_count"])) for r in spfiles}
    found = []
    for row in sets:
        key = (whole(row["set_stamp"]), whole(row["set_count"]))
        if key in by_set:
            found.append(_rman_set(row, tuple(by_set[key]), key in with_spfile, made_by.get(key), times))
    return tuple(sorted(found, key=lambda s: (s.stamp, s.count)))


def _rman_set(row: Row, pieces: tuple[Piece, ...], has_spfile: bool, session: Row | None, times: Times) -> RmanSet:
    return RmanSet(
        stamp=whole(row["set_stamp"]),
        count=whole(row["set_count"]),
        recid=whole(row["recid"]),
        kind=SetKind(row["backup_type"]),
        level=optional(row["incremental_level"]),
        pieces_expected=whole(row["pieces"]),
        is_multi_section=row["multi_section"] == "YES",
        has_controlfile=text(row["controlfile_included"]) not in ("", "NO"),
        has_spfile=has_spfile,
        keep=row["keep"] == "YES",
        session_recid=optional(session["session_recid"]) if session else None,
        session_stamp=optional(session["session_stamp"]) if session else None,
        started_at=times.at(row["started_at"]),
        completed_at=times.at(row["completed_at"]),
        pieces=pieces,
    )


def _piece(row: Row, times: Times) -> Piece:
    return Piece(
        piece=whole(row["piece"]),
        copy_number=whole(row["copy_number"]),
        handle=text(row["handle"]),
        status=text(row["status"]),
        device=text(row["device"]),
        total_bytes=whole(row["total_bytes"]),
        is_encrypted=row["encrypted"] == "YES",
        is_compressed=row["compressed"] == "YES",
        in_fra=row["in_fra"] == "YES",
        tag=text(row["tag"]),
        completed_at=times.at(row["completed_at"]),
    )


def file_backup(row: Row, times: Times) -> FileBackup:
    """One row of V$BACKUP_DATAFILE."""
    numbers = ("creation_scn", "resetlogs_scn", "incremental_scn", "checkpoint_scn", "fuzzy_scn", "blocks", "datafile_blocks")
    return FileBackup(
        **{name: whole(row[name]) for name in (*numbers, "blocks_read", "block_bytes", "corrupt_blocks")},
        stamp=whole(row["set_stamp"]),
        count=whole(row["set_count"]),
        file=whole(row["file_number"]),
        level=optional(row["incremental_level"]),
        checkpoint_at=times.at(row["checkpoint_at"]),
        completed_at=times.at(row["completed_at"]),
        used_change_tracking=row["used_change_tracking"] == "YES",
    )


def file_copy(row: Row, times: Times) -> tuple[RmanSet, FileBackup]:
    """An image copy: told as a set of one piece, known by its stamp and FILE#, and what it holds."""
    numbers = ("creation_scn", "resetlogs_scn", "checkpoint_scn", "fuzzy_scn", "blocks", "block_bytes", "corrupt_blocks")
    stamp, file, done_at = whole(row["stamp"]), whole(row["file_number"]), times.at(row["completed_at"])
    total_bytes = whole(row["blocks"]) * whole(row["block_bytes"])
    where = {"handle": text(row["handle"]), "status": text(row["status"]), "tag": text(row["tag"])}
    piece = Piece(piece=1, **where, total_bytes=total_bytes, in_fra=row["in_fra"] == "YES", completed_at=done_at)
    named = {"stamp": stamp, "count": file}
    made = RmanSet(
        **named,
        recid=whole(row["recid"]),
        kind=SetKind.COPY,
        level=optional(row["incremental_level"]),
        has_controlfile=file == 0,
        started_at=done_at,  # when it was begun is not recorded; a copy that is rolled forward was begun long ago
        completed_at=done_at,
        pieces=(piece,),
    )
    held = FileBackup(
        **{name: whole(row[name]) for name in numbers},
        **named,
        is_copy=True,
        file=file,
        level=optional(row["incremental_level"]),
        checkpoint_at=times.at(row["checkpoint_at"]),
        completed_at=done_at,
        datafile_blocks=whole(row["blocks"]),
    )
    return made, held


def job_from_details(row: Row, times: Times) -> RmanJob:
    """One row of V$RMAN_BACKUP_JOB_DETAILS."""
    return RmanJob(
        session_recid=whole(row["session_recid"]),
        session_stamp=whole(row["session_stamp"]),
        command_id=text(row["command_id"]),
        started_at=times.at(row["started_at"]),
        ended_at=times.at(row["ended_at"]),
        status=text(row["status"]),
        input_type=text(row["input_type"]),
        input_bytes=whole(row["input_bytes"]),
        output_bytes=whole(row["output_bytes"]),
        elapsed_s=float(row["elapsed_s"] or 0),
    )


def jobs_from_statuses(statuses: Iterable[Row], times: Times) -> Iterator[RmanJob]:
    """The same jobs out of V$RMAN_STATUS: commands of one session together, the worst status of them."""
    commands: dict[tuple[int, int], list[Row]] = defaultdict(list)
    for row in statuses:
        commands[whole(row["session_recid"]), whole(row["session_stamp"])].append(row)
    for (recid, stamp), rows in commands.items():
        backups = [r for r in rows if text(r["operation"]).startswith("BACKUP")] or rows
        heaviest = max(backups, key=lambda r: whole(r["input_bytes"]))
        ends = [times.at(r["ended_at"]) for r in backups]
        statuses_met = {text(r["status"]) for r in backups}
        yield RmanJob(
            session_recid=recid,
            session_stamp=stamp,
            command_id=text(heaviest["command_id"]),
            started_at=min(times.at(r["started_at"]) for r in backups),
            ended_at=None if None in ends else max(ends),
            status=next((s for s in WORST_FIRST if s in statuses_met), max(statuses_met)),
            input_type=text(heaviest["object_type"]),
            input_bytes=sum(whole(r["input_bytes"]) for r in backups),
            output_bytes=sum(whole(r["output_bytes"]) for r in backups),
        )


def corrupt_rows(view: str, rows: Iterable[Row]) -> Iterator[CorruptBlocks]:
    """Rows of one of the four views; those of backups name the set or copy that carries them."""
    for row in rows:
        set_id = ""
        if "set_stamp" in row:
            set_id = f"set-{whole(row['set_stamp'])}-{whole(row['set_count'])}"
        elif "copy_stamp" in row:
            set_id = f"copy-{whole(row['copy_stamp'])}-{whole(row['file_number'])}"
        yield CorruptBlocks(
            view=view,
            file=whole(row["file_number"]),
            block=whole(row["block_number"]),
            blocks=whole(row["blocks"]),
            kind=text(row.get("corruption_type", "NOLOGGING")),
            scn=whole(row["corruption_scn"]),
            set_id=set_id,
        )

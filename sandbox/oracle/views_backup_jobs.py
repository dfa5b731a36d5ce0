"""RMAN sessions and configuration, and how far the control file's records reach."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.oracle.model.repository import Repository
from sandbox.oracle.model.repository_records import Session, Step
from sandbox.oracle.views_backup_rows import Row, backup_view, yes

MIB = 1024 * 1024


def displayed(total_bytes: float) -> str:
    """Bytes as Oracle's _DISPLAY columns write them, such as '  1.46G'."""
    value, unit = float(total_bytes), ""
    for unit in ("", "K", "M", "G", "T"):
        if value < 1024 or unit == "T":
            break
        value /= 1024
    return f"{value:8.2f}{unit}"


@backup_view("V$RMAN_BACKUP_JOB_DETAILS")
def v_rman_backup_job_details(repository: Repository) -> Iterable[Row]:
    for session in repository.sessions:
        if session.input_type:
            yield job_row(repository, session)


def job_row(repository: Repository, session: Session) -> dict[str, Any]:
    local = repository.local
    ended_at = session.ended_at or repository.now
    elapsed_s = max(1, int((ended_at - session.started_at).total_seconds()))
    return {
        "SESSION_KEY": session.recid,
        "SESSION_RECID": session.recid,
        "SESSION_STAMP": session.stamp,
        "COMMAND_ID": session.command_id,
        "START_TIME": local(session.started_at),
        "END_TIME": local(session.ended_at),
        "INPUT_BYTES": session.input_bytes,
        "OUTPUT_BYTES": session.output_bytes,
        "OUTPUT_DEVICE_TYPE": session.device,
        "AUTOBACKUP_COUNT": session.autobackups,
        "AUTOBACKUP_DONE": yes(session.autobackups),
        "BACKED_BY_OSB": "NO",
        "STATUS": session.status,
        "INPUT_TYPE": session.input_type,
        "OPTIMIZED": yes(session.is_optimized),
        "ELAPSED_SECONDS": elapsed_s,
        "COMPRESSION_RATIO": session.input_bytes / session.output_bytes if session.output_bytes else 1,
        "INPUT_BYTES_PER_SEC": session.input_bytes / elapsed_s,
        "OUTPUT_BYTES_PER_SEC": session.output_bytes / elapsed_s,
        "INPUT_BYTES_DISPLAY": displayed(session.input_bytes),
        "OUTPUT_BYTES_DISPLAY": displayed(session.output_bytes),
        "TIME_TAKEN_DISPLAY": f"{elapsed_s // 3600:02d}:{elapsed_s % 3600 // 60:02d}:{elapsed_s % 60:02d}",
        "CON_ID": 0,
    }


@backup_view("V$RMAN_STATUS")
def v_rman_status(repository: Repository) -> Iterable[Row]:
    for session in repository.sessions:
        top = Step(session.recid, session.stamp, "RMAN", session.started_at, session.ended_at, session.status)
        top.row_type, top.row_level, top.device = "SESSION", 0, ""
        top.input_bytes, top.output_bytes = session.input_bytes, session.output_bytes
        for step in (top, *session.steps):
            yield status_row(repository, session, step)


def status_row(repository: Repository, session: Session, step: Step) -> dict[str, Any]:
    return {
        "RECID": step.recid,
        "STAMP": step.stamp,
        "PARENT_RECID": None if step.row_level == 0 else session.recid,
        "PARENT_STAMP": None if step.row_level == 0 else session.stamp,
        "SESSION_RECID": session.recid,
        "SESSION_STAMP": session.stamp,
        "ROW_LEVEL": step.row_level,
        "ROW_TYPE": step.row_type,
        "COMMAND_ID": session.command_id,
        "OPERATION": step.operation,
        "STATUS": step.status,
        "MBYTES_PROCESSED": step.input_bytes / MIB,
        "START_TIME": repository.local(step.started_at),
        "END_TIME": repository.local(step.ended_at),
        "INPUT_BYTES": step.input_bytes,
        "OUTPUT_BYTES": step.output_bytes,
        "OPTIMIZED": yes(session.is_optimized),
        "OBJECT_TYPE": step.object_type or None,
        "OUTPUT_DEVICE_TYPE": step.device or None,
        "CON_ID": 0,
    }


@backup_view("V$RMAN_OUTPUT")
def v_rman_output(repository: Repository) -> Iterable[Row]:
    number = 0
    for session in repository.sessions:
        for line in session.output:
            number += 1
            yield {
                "RECID": number,
                "STAMP": session.stamp,
                "SESSION_KEY": session.recid,
                "SESSION_RECID": session.recid,
                "SESSION_STAMP": session.stamp,
                "OUTPUT": line,
                "CON_ID": 0,
            }


@backup_view("V$RMAN_CONFIGURATION")
def v_rman_configuration(repository: Repository) -> Iterable[Row]:
    for number, (name, value) in enumerate(repository.configuration.items(), start=1):
        yield {"CONF#": number, "NAME": name.split(" #")[0], "VALUE": value, "CON_ID": 0}


@backup_view("V$CONTROLFILE_RECORD_SECTION")
def v_controlfile_record_section(repository: Repository) -> Iterable[Row]:
    """Sections whose records are reused: how many slots there are and how many are taken."""
    sections = {
        "BACKUP SET": (repository.slots["set"], len(repository.sets)),
        "ARCHIVED LOG": (repository.slots["log"], len(repository.archived_logs)),
        "RMAN STATUS": (repository.slots["session"], len(repository.sessions)),
        "DATAFILE COPY": (repository.slots["copy"], len(repository.copies)),
    }
    for name, (slots, used) in sections.items():
        yield {"TYPE": name, "RECORDS_TOTAL": slots, "RECORDS_USED": used, "CON_ID": 0}

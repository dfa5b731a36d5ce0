"""Jobs on the far side: start or attach, look, fetch what RMAN printed, stop, forget."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import BinaryIO

from drydock.rman.far_side import SCRIPT_REFUSED, SCRIPT_VERSION, Answer, FarSide, RmanTrouble
from drydock.rman.questions import RmanJob
from drydock.verdicts import CleanText, Model

LINE = re.compile(rb"^([a-z_-]{1,40})=([^\n]{0,2000})$", re.MULTILINE)
LONGEST_ANSWER_BYTES = 64 * 1024

TAIL_BYTES = 4 * 1024 * 1024  # what the far side sends of the end of an alert log

REFUSALS = {
    "sid": "rman_sid",
    "home": "rman_sid",
    "busy": "rman_busy",
    "spool": "rman_spool_full",
    "spool_full": "rman_spool_full",
    "canary": "rman_canary",
    "unknown_job": "rman_lost",
}
"""The far side's error words as finding codes; all others mean that the script there is not the one expected."""


class JobState(StrEnum):
    """`done` says that RMAN ended by itself, whatever it said. All after it: it did not."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    DEADLINE = "deadline"
    SPOOL_FULL = "spool_full"
    LOST = "lost"
    FORGOTTEN = "forgotten"

    @property
    def trouble(self) -> str:
        """Finding code of a job that has ended without an answer."""
        names = {JobState.STOPPED: "rman_stopped", JobState.DEADLINE: "rman_hung", JobState.SPOOL_FULL: "rman_spool_full"}
        return names.get(self, "rman_lost")


class JobStatus(Model):
    """What the far side says of a job."""

    job_id: str
    state: JobState
    exit_code: int | None = None
    why: CleanText = ""
    log_bytes: int = 0
    elapsed_s: int = 0
    ended_ago_s: int = 0


class Hello(Model):
    """What the far side says of itself."""

    version: str
    host: CleanText = ""
    sids: tuple[str, ...] = ()
    running: tuple[str, ...] = ()
    spool_free_mb: int = 0


def say_hello(far_side: FarSide) -> Hello:
    """Who is there. Raises RmanTrouble."""
    pairs = _pairs(_run(far_side, "hello"), far_side)
    every = {key: tuple(v for k, v in pairs if k == key) for key, _ in pairs}
    free = every.get("spool_free_mb", ("0",))[0]
    return Hello(
        version=SCRIPT_VERSION,
        host=every.get("host", ("",))[0],
        sids=every.get("sid", ()),
        running=every.get("running", ()),
        spool_free_mb=int(free) if free.isdigit() else 0,
    )


def start_job(far_side: FarSide, job: RmanJob) -> JobStatus:
    """Start a job, or attach to it where the far side knows it: it is never started twice. Raises RmanTrouble."""
    return _status(far_side, f"start {job.job_id} {job.sid} {job.deadline_s} {job.question.words}")


def look_at_job(far_side: FarSide, job_id: str) -> JobStatus:
    """Raises RmanTrouble; rman_lost where the far side does not know the job."""
    return _status(far_side, f"status {job_id}")


def stop_job(far_side: FarSide, job_id: str) -> JobStatus:
    """Kill RMAN and all that it started. Raises RmanTrouble."""
    return _status(far_side, f"stop {job_id}")


def forget_job(far_side: FarSide, job_id: str) -> None:
    """Remove the spool of an ended job; one that is not there is forgotten already. Raises RmanTrouble."""
    _status(far_side, f"forget {job_id}")


def fetch_log(far_side: FarSide, status: JobStatus, into: BinaryIO) -> int:
    """Append all that an ended job's RMAN printed, part by part; returns the bytes. Raises RmanTrouble."""
    offset = 0
    while offset < status.log_bytes:
        part = _run(far_side, f"log {status.job_id} {offset}").out
        if not part:
            raise RmanTrouble("rman_script", expected=f"{status.log_bytes} bytes", found=f"{offset} bytes", host=far_side.place)
        into.write(part)
        offset += len(part)
    return offset


def fetch_alert_tail(far_side: FarSide, sid: str) -> bytes:
    """The end of an instance's alert log, at most TAIL_BYTES. Raises RmanTrouble: also for a host that may not read it."""
    return _run(far_side, f"alert {sid} tail").out


def ask_free_bytes(far_side: FarSide, sid: str, folder: str) -> int:
    """Room on the file system of a folder. Raises RmanTrouble."""
    told = dict(_parse(_run(far_side, f"space {sid} {folder}").out))
    if told.get("version") != SCRIPT_VERSION or not told.get("free_kb", "").isdigit():
        raise RmanTrouble("rman_script", expected=SCRIPT_VERSION, found=told.get("version", "—"), host=far_side.place)
    return int(told["free_kb"]) * 1024


def parse_status(out: bytes, place: str) -> JobStatus:
    """The status in an answer. Raises RmanTrouble rman_script for anything else."""
    told = dict(_parse(out))
    if told.get("version") != SCRIPT_VERSION:
        raise RmanTrouble("rman_script", expected=SCRIPT_VERSION, found=told.get("version", "—"), host=place)
    try:
        return JobStatus(
            job_id=told["job"],
            state=JobState(told["state"]),
            exit_code=int(told["exit"]) if "exit" in told else None,
            why=told.get("why", ""),
            log_bytes=int(told.get("log_bytes", 0)),
            elapsed_s=int(told.get("elapsed_s", 0)),
            ended_ago_s=int(told.get("ended_ago_s", 0)),
        )
    except (KeyError, ValueError) as e:
        raise RmanTrouble("rman_script", expected=SCRIPT_VERSION, found=f"unreadable: {e}", host=place) from e


def read_status(answer: Answer, place: str) -> JobStatus:
    """The status in an answer, or RmanTrouble for what was refused."""
    return parse_status(_granted(answer, place).out, place)


def _status(far_side: FarSide, words: str) -> JobStatus:
    return read_status(far_side.run(words), far_side.place)


def _run(far_side: FarSide, words: str) -> Answer:
    return _granted(far_side.run(words), far_side.place)


def _granted(answer: Answer, place: str) -> Answer:
    if answer.exit_code != 0:
        raise _refusal(answer, place)
    return answer


def _refusal(answer: Answer, place: str) -> RmanTrouble:
    """What the far side refused, as a finding code; anything that is not its own refusal is another script."""
    word = dict(_parse(answer.out)).get("error", "")
    told = (answer.err or answer.out).decode("utf-8", "replace").strip()[-300:]
    if answer.exit_code == SCRIPT_REFUSED and word in REFUSALS:
        return RmanTrouble(REFUSALS[word], reason=told, host=place)
    found = f"{word or f'exit code {answer.exit_code}'}: {told}"
    return RmanTrouble("rman_script", expected=SCRIPT_VERSION, found=found, host=place)


def _pairs(answer: Answer, far_side: FarSide) -> list[tuple[str, str]]:
    pairs = _parse(answer.out)
    found = dict(pairs).get("drydock-rman")
    if found != SCRIPT_VERSION:
        raise RmanTrouble("rman_script", expected=SCRIPT_VERSION, found=found or "—", host=far_side.place)
    return pairs


def _parse(out: bytes) -> list[tuple[str, str]]:
    return [(k.decode("ascii"), v.decode("utf-8", "replace")) for k, v in LINE.findall(out[:LONGEST_ANSWER_BYTES])]

"""The questions that Drydock asks RMAN, and the name of the job in which each is asked.

A question is a word and arguments of the fixed list that `deploy/oracle/drydock-rman` knows; that script writes the RMAN
command. One question is one RMAN process: a command file stops at its first error, and what is asked in one process
cannot hide behind the error of another (Backup and Recovery User's Guide, "Validating Database Files and Backups").
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated

from pydantic import Field, PositiveInt, StringConstraints

from drydock.verdicts import Model

LONGEST_DEADLINE_S = 9_999_999  # the far side takes seven digits

Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._/+%@=,:#$-]+$")]


class QuestionKind(StrEnum):
    """The words of the far side."""

    VALIDATE_BACKUPSET = "validate-backupset"
    VALIDATE_COPY = "validate-copy"
    RESTORE_VALIDATE = "restore-validate"
    CONTROLFILE = "restore-controlfile-validate"
    SPFILE = "restore-spfile-validate"
    ARCHIVED_LOGS = "restore-archivelog-validate"
    PREVIEW = "preview"
    NEED_BACKUP = "need-backup"
    UNRECOVERABLE = "unrecoverable"
    CROSSCHECK = "crosscheck"


class RmanQuestion(Model):
    """One question with its arguments."""

    kind: QuestionKind
    arguments: tuple[Word, ...] = ()

    @property
    def words(self) -> str:
        return " ".join((self.kind.value, *self.arguments))


class RmanJob(Model):
    """One question asked of one instance: the far side knows it by `job_id` until it is told to forget it."""

    job_id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{7,63}$")
    sid: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,29}$")
    question: RmanQuestion
    deadline_s: PositiveInt = Field(description="the far side kills an RMAN that runs longer")


def validate_set(key: int, check_logical: bool) -> RmanQuestion:
    """Read one backup set whole. One key each: a missing key in a list ends the command before any set is read."""
    return RmanQuestion(kind=QuestionKind.VALIDATE_BACKUPSET, arguments=(str(key), *_logical(check_logical)))


def validate_copy(key: int, check_logical: bool) -> RmanQuestion:
    return RmanQuestion(kind=QuestionKind.VALIDATE_COPY, arguments=(str(key), *_logical(check_logical)))


def restore_validate(check_logical: bool) -> RmanQuestion:
    return RmanQuestion(kind=QuestionKind.RESTORE_VALIDATE, arguments=_logical(check_logical))


def validate_logs(first: int, last: int, thread: int) -> RmanQuestion:
    return RmanQuestion(kind=QuestionKind.ARCHIVED_LOGS, arguments=(str(first), str(last), str(thread)))


def crosscheck(canary: str) -> RmanQuestion:
    """Look for every piece that the records name; refused over there unless the canary piece is there. Marks, never deletes."""
    return RmanQuestion(kind=QuestionKind.CROSSCHECK, arguments=(canary,))


def ask(kind: QuestionKind) -> RmanQuestion:
    """A question without arguments."""
    return RmanQuestion(kind=kind)


def _logical(check_logical: bool) -> tuple[str, ...]:
    return ("logical",) if check_logical else ()


def make_job(database_id: str, run_key: str, sid: str, question: RmanQuestion, deadline_s: float) -> RmanJob:
    """The same database, run and question always give the same job id, so that a retry finds what is running."""
    told = "\0".join((database_id, run_key, question.words)).encode()
    job_id = f"dd-{hashlib.sha256(told).hexdigest()[:32]}"
    return RmanJob(job_id=job_id, sid=sid, question=question, deadline_s=min(max(1, round(deadline_s)), LONGEST_DEADLINE_S))

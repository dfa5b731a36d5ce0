"""What an answer of RMAN proves: one set read back, one question answered, one rehearsal of a restore.

Nothing of a log is believed before the DBID that RMAN printed is the expected one (a clone may answer under the same SID),
and no success word is: a set counts as read when RMAN says that it read it, with all its pieces. RMAN's exit code alone
says nothing either way (Backup and Recovery User's Guide, "Validating Database Files and Backups").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from tempfile import SpooledTemporaryFile

from pydantic import AwareDatetime

from drydock.backup.oracle.catalogue import OracleCatalogue, RmanSet, SetKind
from drydock.backup.results import Read, ReadUnit
from drydock.oracle_logs.rman import read_rman_log
from drydock.oracle_logs.rman_results import RmanLog
from drydock.rman.far_side import FarSide, RmanTrouble
from drydock.rman.jobs import JobStatus, fetch_log
from drydock.rman.questions import QuestionKind, RmanJob, RmanQuestion
from drydock.verdicts import Finding, Model, Status

IN_MEMORY_BYTES = 8 * 1024 * 1024
MOST_SHOWN = 8
MOST_EXPIRED = 0.2  # more than this share gone at once looks like a share that is not mounted

NOT_ASKED = frozenset(
    [f"ORA-{n:05d}" for n in (1017, 1031, 1033, 1034, 1089, 3113, 3114, 3135, 4031, 12170, 12514, 12537, 12541, 12547)]
    + [f"ORA-{n}" for n in (19573, 27101)]
    + [f"RMAN-{n:05d}" for n in (4005, 4006, 4014, 6403, 10038, 20033)]
)
"""Codes of an instance or a session, not of a backup (Database Error Messages): the question was not asked to its end."""
NO_KEY = frozenset({"ORA-28365", "ORA-28353", "ORA-19913", "ORA-28374"})
"""The keystore is closed or has not the key: the piece may be sound (Backup and Recovery User's Guide, "Encrypted Backups")."""


class RmanAnswer(Model):
    """One question, what RMAN said, and when. `elapsed_s`: as the far side measured it."""

    question: RmanQuestion
    log: RmanLog
    exit_code: int | None
    started_at: AwareDatetime
    ended_at: AwareDatetime
    elapsed_s: float


def collect_answer(far_side: FarSide, job: RmanJob, status: JobStatus, dbid: int, now: datetime) -> RmanAnswer:
    """Fetch and read the log of a job that is done. Raises RmanTrouble rman_wrong_database, rman_not_answered."""
    with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as spool:
        fetch_log(far_side, status, spool)
        spool.seek(0)
        log = read_rman_log(spool)
    if log.dbid is None:
        words = ", ".join(log.codes[:MOST_SHOWN]) or f"exit code {status.exit_code}"
        raise RmanTrouble("rman_not_answered", sid=job.sid, question=job.question.words, reason=words)
    if log.dbid != dbid:
        raise RmanTrouble("rman_wrong_database", sid=job.sid, expected=dbid, found=log.dbid)
    return RmanAnswer(
        question=job.question,
        log=log,
        exit_code=status.exit_code,
        started_at=now - timedelta(seconds=status.ended_ago_s + status.elapsed_s),
        ended_at=now - timedelta(seconds=status.ended_ago_s),
        elapsed_s=status.elapsed_s,
    )


def findings_of(answer: RmanAnswer, place: str, wanted: RmanSet | None = None) -> tuple[Finding, ...]:
    """What is wrong with what was asked for. `wanted`: the set whose pieces must have been read; None: at least one set.

    An UNKNOWN among them says that the question has no answer yet.
    """
    return tuple(_findings(answer, place, wanted))


def _findings(answer: RmanAnswer, place: str, wanted: RmanSet | None) -> Iterator[Finding]:
    log, words = answer.log, answer.question.words
    codes, failed = ", ".join(log.codes[:MOST_SHOWN]), log.verdict in ("FAIL", "UNKNOWN")
    if log.corrupt_blocks:
        values = {"blocks": log.corrupt_blocks, "files": _shown(log.datafiles_failed), "question": words}
        yield Finding(code="rman_corrupt_blocks", status=Status.FAIL, place=place, values=values)
    elif failed and set(log.codes) & NO_KEY:
        yield _unknown("rman_keystore", place, codes=codes, question=words)
    elif failed and set(log.codes) & NOT_ASKED:
        yield _unknown("rman_not_answered", place, question=words, reason=codes)
    elif log.verdict == "FAIL":
        values = {"codes": codes or ", ".join(log.reasons), "question": words, "evidence": _evidence(log)}
        yield Finding(code="rman_read_failed", status=Status.FAIL, place=place, values=values)
    elif not log.complete or answer.exit_code != 0 or (log.verdict == "UNKNOWN" and _units_read(answer)):
        yield _unknown("rman_cut_off", place, question=words, exit_code=answer.exit_code, evidence=_evidence(log))
    else:
        yield from _doubts(answer, place, wanted)


def _doubts(answer: RmanAnswer, place: str, wanted: RmanSet | None) -> Iterator[Finding]:
    """RMAN ended well: did it read what it was asked to read?"""
    log, words = answer.log, answer.question.words
    if not _units_read(answer):
        yield _unknown("rman_nothing_read", place, question=words)
    elif wanted is not None and (read := _pieces_read(log, wanted)) < max(wanted.pieces_expected, 1):
        yield _unknown("rman_pieces_short", place, question=words, found=read, expected=wanted.pieces_expected)
    if log.datafiles_skipped:
        values = {"files": _shown(log.datafiles_skipped), "question": words}
        yield Finding(code="rman_files_skipped", status=Status.WARN, place=place, values=values)
    elif log.verdict == "WARN":
        values = {"warnings": _shown((*log.warnings, *log.codes)) or ", ".join(log.reasons), "question": words}
        yield Finding(code="rman_read_warned", status=Status.WARN, place=place, values=values)


def _pieces_read(log: RmanLog, wanted: RmanSet) -> int:
    """Pieces of this very set that RMAN names as read: its key of the survey may be another set's by now (a new control file)."""
    if log.pieces_read > len(log.pieces):
        return log.pieces_read  # more than the reader names
    named = set(log.pieces)
    return len({p.piece for p in wanted.pieces if p.handle in named})


def _units_read(answer: RmanAnswer) -> int:
    """Sets read to their end; for copies and archived logs, which are in no set, what was scanned of them."""
    log = answer.log
    match answer.question.kind:
        case QuestionKind.VALIDATE_COPY:
            return log.sets_read + len(log.datafiles_read)
        case QuestionKind.ARCHIVED_LOGS:
            return log.sets_read + log.archived_logs_read
        case _:
            return log.sets_read


def _unknown(code: str, place: str, **values: object) -> Finding:
    return Finding(code=code, status=Status.UNKNOWN, place=place, values=values)


def _evidence(log: RmanLog) -> str:
    return " | ".join(line.text for line in log.evidence[-3:])


def _shown(items: Iterable[object]) -> str:
    listed = [str(i) for i in items]
    return ", ".join(listed[:MOST_SHOWN]) + (f" (+{len(listed) - MOST_SHOWN})" if len(listed) > MOST_SHOWN else "")


def read_of_set(answer: RmanAnswer, rman_set: RmanSet) -> tuple[Read | None, tuple[Finding, ...]]:
    """The Read of one set; or None and why, where RMAN did not say what it read: such a set stays unread."""
    findings = findings_of(answer, rman_set.set_id, None if rman_set.kind is SetKind.COPY else rman_set)
    unknown = tuple(f for f in findings if f.status is Status.UNKNOWN)
    if unknown:
        return None, unknown
    return (
        Read(
            unit=ReadUnit.SET,
            subject=rman_set.set_id,
            set_id=rman_set.set_id,
            read_bytes=rman_set.total_bytes,
            files=rman_set.pieces_expected,
            started_at=answer.started_at,
            ended_at=answer.ended_at,
            findings=findings,
        ),
        (),
    )


def is_gone(answer: RmanAnswer) -> bool:
    """True where the records have no piece under this key any more: deleted since they were surveyed (RMAN-06160)."""
    return "RMAN-06160" in answer.log.codes and not answer.log.sets_read


def disagreements(answer: RmanAnswer, catalogue: OracleCatalogue, place: str) -> tuple[Finding, ...]:
    """Files that RMAN wants backed up and that the arithmetic of the catalogue believes covered: one of the two is wrong."""
    if answer.log.codes or not answer.log.complete or answer.exit_code != 0:
        values = {"question": answer.question.words, "exit_code": answer.exit_code, "evidence": _evidence(answer.log)}
        return (Finding(code="rman_cut_off", status=Status.UNKNOWN, place=place, values=values),)
    covered = _recoverable_files(catalogue) if answer.question.kind is QuestionKind.UNRECOVERABLE else _backed_up(catalogue)
    wanted = set(answer.log.files_need_backup)
    if not wanted & covered:
        return ()
    values = {"files": _shown(sorted(wanted & covered)), "question": answer.question.words}
    return (Finding(code="rman_disagrees", status=Status.WARN, place=place, values=values),)


def expired_pieces(answer: RmanAnswer, place: str) -> tuple[Finding, ...]:
    """What a crosscheck did not find. So many missing at once that a share may be away is UNKNOWN, not a loss."""
    log = answer.log
    if log.codes or not log.complete or not log.crosschecked or answer.exit_code != 0:
        return (
            _unknown("rman_cut_off", place, question=answer.question.words, exit_code=answer.exit_code, evidence=_evidence(log)),
        )
    if not log.expired:
        return ()
    status = Status.UNKNOWN if log.expired > MOST_EXPIRED * log.crosschecked else Status.WARN
    values = {"expired": log.expired, "looked_for": log.crosschecked}
    return (Finding(code="rman_expired", status=status, place=place, values=values),)


def _newest_backups(catalogue: OracleCatalogue) -> dict[int, int]:
    """FILE# -> checkpoint SCN of its newest backup in an available set, of the file that has this number today."""
    available = {(s.stamp, s.count) for s in catalogue.sets if s.is_available}
    created = {d.file: d.creation_scn for d in catalogue.datafiles}
    newest: dict[int, int] = {}
    for b in catalogue.file_backups:
        if (b.stamp, b.count) in available and created.get(b.file) == b.creation_scn:
            newest[b.file] = max(newest.get(b.file, 0), b.checkpoint_scn)
    return newest


def _backed_up(catalogue: OracleCatalogue) -> set[int]:
    return set(_newest_backups(catalogue))


def _recoverable_files(catalogue: OracleCatalogue) -> set[int]:
    newest = _newest_backups(catalogue)
    return {d.file for d in catalogue.datafiles if d.file in newest and d.unrecoverable_scn <= newest[d.file]}


def read_of_question(subject: str, findings: Iterable[Finding], started_at: datetime, ended_at: datetime) -> Read:
    """What was asked besides sets, and what came of it: the newest of a subject counts."""
    return Read(
        unit=ReadUnit.QUESTION,
        subject=subject,
        read_bytes=0,
        files=0,
        started_at=started_at,
        ended_at=ended_at,
        findings=tuple(findings),
    )

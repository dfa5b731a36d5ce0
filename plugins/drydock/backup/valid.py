"""The verdict *valid*: were the bytes read back, lately enough, and did they prove good?

What counts is the newest read of each set and of each piece of log, and the newest restore drill: only a drill proves
that a recovery works (PostgreSQL manual, "pg_verifybackup"; Oracle: RESTORE ... VALIDATE reads, a test restore proves).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from drydock.backup.chains import finished_sets
from drydock.backup.facts import NO_OBSTACLE, LogArchive, Survey
from drydock.backup.folding import fold_findings
from drydock.backup.log_pieces import LogPiece, log_pieces
from drydock.backup.results import Depth, Drill, Read, ReadUnit
from drydock.backup.rotation import Unread, coverage, is_unfinished, set_drills, set_reads, unread_items
from drydock.estate import BackupPlan
from drydock.policy import BackupPolicy
from drydock.verdicts import Figure, Finding, Status, Verdict, judge

DAY = timedelta(days=1)


def judge_valid(
    survey: Survey, reads: Iterable[Read], drills: Iterable[Drill], plan: BackupPlan, policy: BackupPolicy, depth: Depth
) -> Verdict:
    """The verdict *valid* of one survey, from the reads and drills known up to this judgement.

    Examined: sets and pieces of log that were ever read back, and sets that were drilled. What is gone does not count.
    """
    reads, drills = tuple(reads), tuple(drills)
    by_set, pieces = set_reads(survey.sets, reads), log_pieces(survey.logs, reads)
    items = unread_items(survey, reads)
    examined = len(by_set) + sum(1 for p in pieces if p.read) + len(set_drills(survey.sets, drills))
    findings = [
        *(f for read in by_set.values() for f in read.findings),
        *_log_findings(pieces, reads, survey.logs),
        *_question_findings(reads),
        *_never_read(items, plan),
        *fold_findings(_overdue_findings(survey, items, policy), plan.places.sets, "more_read_problems"),
        *_drill_findings(survey, drills, policy),
    ]
    evidence = _evidence(survey, reads, drills, policy) | {"depth": depth.value}
    return judge("valid", examined, findings, **evidence)


def _evidence(survey: Survey, reads: tuple[Read, ...], drills: tuple[Drill, ...], policy: BackupPolicy) -> dict[str, Figure]:
    found = coverage(survey, reads, policy, survey.as_of)
    last = newest_drill(drills)
    return {
        "read_bytes": found.read_bytes,
        "total_bytes": found.total_bytes,
        "period_days": found.period_days,
        "sets_read": found.sets_read,
        "sets_total": found.sets_total,
        "oldest_unread_days": None if found.oldest_unread_s is None else round(found.oldest_unread_s / DAY.total_seconds(), 1),
        "last_drill_days": None if last is None else _days(survey.as_of - last.ended_at),
        "last_drill_set": last.set_id if last else "",
    }


def newest_drill(drills: Iterable[Drill]) -> Drill | None:
    return max(drills, key=lambda d: d.ended_at, default=None)


def distrusted_sets(survey: Survey, reads: Iterable[Read], drills: Iterable[Drill]) -> frozenset[str]:
    """set_ids that cannot be restored from: the newest read found bytes lost, or the newest drill did not recover.

    A drill that recovered and then found something wrong in the copy says that it can be restored.
    """
    read = {i for i, r in set_reads(survey.sets, reads).items() if any(_is_loss(f) for f in r.findings)}
    drilled = {i for i, d in set_drills(survey.sets, drills).items() if any(f.code == "drill_failed" for f in _failures(d))}
    return frozenset(read | drilled)


def _is_loss(finding: Finding) -> bool:
    """True for lost bytes of the set itself; the logs inside of it lie in the archive as well."""
    kind = str(finding.values.get("kind", finding.code))
    return finding.status is Status.FAIL and kind not in NO_OBSTACLE and not kind.startswith("log_")


def _failures(drill: Drill) -> tuple[Finding, ...]:
    return tuple(f for f in drill.findings if f.status is Status.FAIL)


def _log_findings(pieces: Iterable[LogPiece], reads: tuple[Read, ...], logs: LogArchive | None) -> Iterator[Finding]:
    """Findings of reads that are still the newest of some piece, each once, unless its segment is gone or was read again."""
    newest = {id(p.read): p.read for p in pieces if p.read and p.read.findings}
    for read in newest.values():
        for finding in read.findings:
            if not _is_superseded(finding, read, reads, logs):
                yield finding


def _question_findings(reads: Iterable[Read]) -> Iterator[Finding]:
    """What came of the newest answer to each question."""
    newest = {r.subject: r for r in sorted(reads, key=lambda r: r.ended_at) if r.unit is ReadUnit.QUESTION}
    for read in newest.values():
        yield from read.findings


def _is_superseded(finding: Finding, read: Read, reads: tuple[Read, ...], logs: LogArchive | None) -> bool:
    """True where the segment that a finding names lies in no range any more, or in a newer read. Names order segments."""
    name = finding.place.rsplit("/", 1)[-1]
    ranges = [(r.first, r.last) for r in logs.ranges] if logs else []
    newer = [r.subject.partition("..")[::2] for r in reads if r.timeline == read.timeline and r.ended_at > read.ended_at]
    if not ranges or len(name) != len(ranges[0][0]):
        return False  # the place is not a segment: the finding stands
    return not any(a <= name <= b for a, b in ranges) or any(a <= name <= b for a, b in newer)


def _never_read(items: tuple[Unread, ...], plan: BackupPlan) -> Iterator[Finding]:
    """UNKNOWN where nothing of all that lies there was ever read."""
    if items and not any(i.is_read for i in items):
        values = {"sets": sum(1 for i in items if i.task.backup_set), "total_bytes": sum(i.task.total_bytes for i in items)}
        yield Finding(code="never_read", status=Status.UNKNOWN, place=plan.places.sets, values=values)


def _overdue_findings(survey: Survey, items: tuple[Unread, ...], policy: BackupPolicy) -> Iterator[Finding]:
    """One for each set that waits too long, and one for all logs that do."""
    if not any(i.is_read for i in items):
        return  # told as never_read
    as_of, place = survey.as_of, survey.logs.place if survey.logs else ""
    late = [i for i in items if as_of - i.since > timedelta(days=policy.read_every_days) and not is_unfinished(i.task)]
    for item in late:
        if item.task.backup_set:
            values = {"age_days": _days(as_of - item.since), "limit_days": policy.read_every_days, "ever_read": item.is_read}
            status = _overdue(as_of - item.since, policy.read_every_days)
            yield Finding(code="read_overdue", status=status, place=item.task.subject, values=values)
    pieces = [i for i in late if i.task.log_range]
    if pieces:  # one finding for all logs: where they are cut changes from day to day
        waited = as_of - min(i.since for i in pieces)
        values = {"age_days": _days(waited), "limit_days": policy.read_every_days}
        values |= {"segments": sum(i.task.log_range.segments for i in pieces), "ever_read": all(i.is_read for i in pieces)}
        yield Finding(code="read_overdue", status=_overdue(waited, policy.read_every_days), place=place, values=values)


def _overdue(waited: timedelta, limit_days: int) -> Status:
    """WARN; UNKNOWN beyond twice the period: what was proved so long ago, or never, proves nothing of today."""
    return Status.UNKNOWN if waited > 2 * limit_days * DAY else Status.WARN


def _days(span: timedelta) -> float:
    return round(max(span, timedelta()) / DAY, 1)


def _drill_findings(survey: Survey, drills: tuple[Drill, ...], policy: BackupPolicy) -> Iterator[Finding]:
    last = newest_drill(drills)
    if last is None:
        yield from _never_drilled(survey, policy)
        return
    yield from last.findings
    if _failures(last) and all(f.code != "drill_failed" for f in last.findings):
        yield _failed_drill(last)
    for set_id, drill in sorted(set_drills(survey.sets, drills).items()):
        if set_id != last.set_id and _failures(drill):  # a later drill of another set does not make this one good
            yield _failed_drill(drill)
    waited = survey.as_of - last.ended_at
    if waited > policy.drill_every_days * DAY:
        values = {"age_days": _days(waited), "limit_days": policy.drill_every_days}
        status = _overdue(waited, policy.drill_every_days)
        yield Finding(code="drill_overdue", status=status, place=survey.database, values=values)


def _failed_drill(drill: Drill) -> Finding:
    told = {str(f.values.get("problems") or f.code) for f in drill.findings if f.status.is_red}
    values = {"drill": drill.drill_id, "problems": ", ".join(sorted(told))}
    return Finding(code="drill_failed", status=Status.FAIL, place=drill.set_id, values=values)


def _never_drilled(survey: Survey, policy: BackupPolicy) -> Iterator[Finding]:
    """No drill yet is worth a word once there was time for one."""
    sets = finished_sets(survey.sets)
    waited = survey.as_of - sets[0].finished_at if sets else timedelta()
    if waited > policy.drill_every_days * DAY:
        status, values = _overdue(waited, policy.drill_every_days), {"limit_days": policy.drill_every_days}
        yield Finding(code="drill_never", status=status, place=survey.database, values=values)

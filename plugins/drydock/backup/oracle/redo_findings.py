"""Findings about redo: archived logs by thread, incarnation and sequence, and the archiver that makes them.

Sources: Oracle Database Reference, V$ARCHIVED_LOG, V$BACKUP_REDOLOG, V$THREAD, V$LOG, V$ARCHIVE_DEST_STATUS; Backup and
Recovery User's Guide, "RMAN Data Recovery Concepts".
"""

from __future__ import annotations

from collections.abc import Iterator

from drydock.backup.oracle.catalogue import RedoThread
from drydock.backup.oracle.log_runs import Gap, ThreadLogs, is_closed, thread_logs, waiting_logs
from drydock.backup.oracle.needs import Needs
from drydock.verdicts import Finding, Status

LOGS = ("archived_logs", "backup_redologs", "threads", "incarnations", "backup_sets", "backup_pieces")
BROKEN_DEST = ("ERROR", "BAD PARAM", "FULL")
DEFERRED = "DEFERRED"  # switched off by its DBA; the error of its last try may stay


def redo_findings(needs: Needs) -> Iterator[Finding]:
    """All that is wrong with redo. Nothing about logs where their records could not be read: that is told already."""
    catalogue = needs.repository.catalogue
    if catalogue.facts.log_mode == "NOARCHIVELOG":
        values = {"mode": "NOARCHIVELOG"}
        yield Finding(code="archiver_off", status=Status.FAIL, place=needs.survey.database, values=values)
        return
    yield from _archiver(needs)
    yield from _standby(needs)
    if not needs.answered(*LOGS):
        return
    threads = {t.thread: t for t in catalogue.threads}
    for logs in thread_logs(needs.repository):
        yield from _thread_findings(needs, logs, threads.get(logs.thread))


def _archiver(needs: Needs) -> Iterator[Finding]:
    for dest in needs.repository.catalogue.archive_dests:
        if dest.status in BROKEN_DEST or (dest.error and dest.status != DEFERRED):
            values = {"status": dest.status, "error": dest.error}
            yield Finding(code="archive_dest_failed", status=Status.FAIL, place=f"dest {dest.dest}", values=values)
    if needs.repository.catalogue.facts.role != "PRIMARY":
        return  # the online logs of a standby are cleared and wait for its change of role
    for thread in needs.repository.catalogue.threads:
        if not is_closed(thread) and thread.unarchived_groups >= max(thread.groups - 1, 2):
            values = {"groups": thread.groups, "unarchived": thread.unarchived_groups}
            status = Status.FAIL if thread.unarchived_groups >= thread.groups else Status.WARN  # one may wait for a moment
            yield Finding(code="log_groups_waiting", status=status, place=f"thread {thread.thread}", values=values)


def _standby(needs: Needs) -> Iterator[Finding]:
    """Backups taken on a standby hold what it has: its lag is lost with the primary."""
    lag_s, limit = needs.repository.catalogue.standby_lag_s, needs.plan.rpo_minutes
    if lag_s is not None and lag_s > limit * 60:
        values = {"lag_minutes": round(lag_s / 60), "limit_minutes": limit}
        yield Finding(code="standby_lagging", status=Status.FAIL, place=needs.survey.database, values=values)


def _thread_findings(needs: Needs, logs: ThreadLogs, thread: RedoThread | None) -> Iterator[Finding]:
    since = needs.redo_since
    if not logs.runs:
        values = {"thread": logs.thread, "last_redo": f"{thread.last_redo_at:%Y-%m-%d %H:%M}" if thread.last_redo_at else ""}
        yield Finding(code="log_thread_missing", status=Status.FAIL, place=f"thread {logs.thread}", values=values)
        return
    if since is not None and logs.runs[0].first_scn > since:
        first = logs.runs[0]
        yield _gap_finding(needs, logs.thread, first.resetlogs_scn, 0, first.first_sequence, None, Status.FAIL)
    for gap in logs.gaps:
        if status := _gap_status(needs, gap):
            yield _gap_finding(needs, gap.thread, gap.resetlogs_scn, gap.after, gap.before, gap.missing, status)
    if thread and not logs.is_closed:
        yield from _end_missing(needs, logs, thread)


def _gap_status(needs: Needs, gap: Gap) -> Status | None:
    """FAIL for a hole in the way to now or to a moment of the retention, WARN for one that an older base still needs."""
    if needs.redo_since is not None and gap.end_scn > needs.redo_since:
        return Status.FAIL
    if needs.oldest_base is None or gap.end_scn <= needs.oldest_base:
        return None
    return Status.FAIL if gap.end_at > needs.retention_since else Status.WARN


def _gap_finding(
    needs: Needs, thread: int, resetlogs_scn: int, after: int, before: int, missing: int | None, status: Status
) -> Finding:
    values = {
        "timeline": _named(needs, thread, resetlogs_scn),
        "after": str(after) if after else "",
        "before": str(before),
        "missing": missing,
    }
    place = f"thread {thread} sequence {after + 1 if after else before - 1}"
    return Finding(code="log_gap", status=status, place=place, values=values)


def _named(needs: Needs, thread: int, resetlogs_scn: int) -> str:
    """An incarnation and a thread in one word: '2 / thread 1'."""
    known = needs.repository.lineage.get(resetlogs_scn)
    return f"{known[0].number if known else '?'} / thread {thread}"


def _end_missing(needs: Needs, logs: ThreadLogs, thread: RedoThread) -> Iterator[Finding]:
    """Logs that were archived by now, for the current one is further on, and that are kept nowhere."""
    last, current = logs.runs[-1], needs.repository.catalogue.facts.resetlogs_scn
    reached = last.last_sequence if last.resetlogs_scn == current else 0  # RESETLOGS counts from 1 again
    missing = thread.sequence - 1 - reached - waiting_logs(thread)
    if missing > 0:
        values = {"reached": str(reached), "needed": str(thread.sequence - 1), "missing": missing}
        values |= {"timeline": _named(needs, logs.thread, current)}
        place = f"thread {logs.thread} sequence {reached + 1}"
        yield Finding(code="log_end_missing", status=Status.FAIL, place=place, values=values)

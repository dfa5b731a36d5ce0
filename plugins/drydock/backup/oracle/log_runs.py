"""Archived logs as a way of recovery: runs without a missing sequence per thread, and what all threads cover together.

A run is told by SEQUENCE#, never by SCN: a thread of RAC that was closed leaves a hole of SCNs in which no redo was made.
Logs of a closed thread are not asked for beyond its last one. What an incarnation archived after its child branched off
leads nowhere and is left out (Oracle Backup and Recovery User's Guide, "Database Incarnations").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from drydock.backup.oracle.catalogue import LogSpan, RedoThread
from drydock.backup.oracle.file_chains import Repository

FOR_EVER = float("inf")


@dataclass(frozen=True)
class Run:
    """Redo of one thread (or of all) without a gap, from `first_scn` up to, without, `end_scn`."""

    first_scn: float
    end_scn: float
    end_at: datetime | None = None  # None: the end is open, no redo is made any more
    resetlogs_scn: int = 0
    first_sequence: int = 0
    last_sequence: int = 0


@dataclass(frozen=True)
class Gap:
    """Missing sequences of one thread. `after`, `before`: the sequences beside it that are kept; 0: none."""

    thread: int
    resetlogs_scn: int
    after: int
    before: int
    missing: int
    end_scn: float
    end_at: datetime


@dataclass(frozen=True)
class ThreadLogs:
    """What is kept of one thread's redo."""

    thread: int
    is_closed: bool
    runs: tuple[Run, ...]
    gaps: tuple[Gap, ...]


def thread_logs(repository: Repository) -> tuple[ThreadLogs, ...]:
    """Runs and gaps of every thread that has logs, or should have."""
    by_thread: dict[int, list[LogSpan]] = defaultdict(list)
    for span in repository.catalogue.log_spans:
        if found := clipped(span, repository):
            by_thread[span.thread].append(found)
    threads = {t.thread: t for t in repository.catalogue.threads}
    return tuple(_of_thread(n, by_thread[n], threads.get(n), repository) for n in sorted({*by_thread, *threads}))


def clipped(span: LogSpan, repository: Repository) -> LogSpan | None:
    """A span on the way to the current incarnation, without the sets that are distrusted; None for one off the way."""
    known = repository.lineage.get(span.resetlogs_scn)
    if known is None or (known[1] is not None and span.first_scn >= known[1]):
        return None
    if repository.distrusted.isdisjoint(span.set_ids):
        return span
    return span.model_copy(update={"set_ids": tuple(i for i in span.set_ids if i not in repository.distrusted)})


def is_closed(thread: RedoThread | None) -> bool:
    """True for a thread that makes no redo: closed, disabled, or known only by its old logs."""
    return thread is None or not (thread.is_open and thread.is_enabled)


def _of_thread(number: int, spans: list[LogSpan], thread: RedoThread | None, repository: Repository) -> ThreadLogs:
    runs: list[Run] = []
    gaps: list[Gap] = []
    last: LogSpan | None = None  # the span before, kept or lost
    is_lost = False
    for span in sorted(spans, key=lambda s: (s.resetlogs_scn, s.first_sequence)):
        joins = last is not None and _joins(last, span)
        if not span.is_kept:
            is_lost = True
        elif runs and joins and not is_lost:
            runs[-1] = replace(
                runs[-1],
                end_scn=span.next_scn,
                end_at=span.next_at,
                resetlogs_scn=span.resetlogs_scn,
                last_sequence=span.last_sequence,
            )
        else:
            gaps += [_gap(runs[-1], span)] if runs else []
            runs.append(_begun(span, last if joins else None, repository))
            is_lost = False
        last = span
    closed = is_closed(thread)
    if closed or (not runs and _awaits_no_log(thread, last, repository)):
        gaps += [_lost_end(runs[-1], last)] if runs and is_lost else []
        runs = _open_ended(runs, last, is_lost)
    return ThreadLogs(number, closed, tuple(runs), tuple(gaps))


def waiting_logs(thread: RedoThread) -> int:
    """Logs before the current one that are not archived yet."""
    return max(thread.unarchived_groups - 1, 0)


def _awaits_no_log(thread: RedoThread, last: LogSpan | None, repository: Repository) -> bool:
    """True for an open thread that has archived nothing since its last known log: one that was opened a moment ago."""
    is_current = last is not None and last.resetlogs_scn == repository.catalogue.facts.resetlogs_scn
    return thread.sequence - 1 - waiting_logs(thread) <= (last.last_sequence if is_current else 0)


def _joins(last: LogSpan, span: LogSpan) -> bool:
    """True when nothing can lie between two spans: consecutive sequences, or a new incarnation that the old one reaches."""
    if last.resetlogs_scn == span.resetlogs_scn:
        return span.first_sequence == last.last_sequence + 1
    return span.first_sequence == 1 and last.next_scn >= span.resetlogs_scn - 1  # RESETLOGS takes an SCN of its own


def _begun(span: LogSpan, before: LogSpan | None, repository: Repository) -> Run:
    """A new run. Where the lost logs before it are known, it covers from their end on; a first log from the beginning."""
    first_scn: float = before.next_scn if before else span.first_scn
    if before is None and span.first_sequence == 1:
        first_scn = 0 if repository.lineage[span.resetlogs_scn][0].prior_resetlogs_scn == 0 else span.resetlogs_scn
    sequences = {"first_sequence": span.first_sequence, "last_sequence": span.last_sequence}
    return Run(min(first_scn, span.first_scn), span.next_scn, span.next_at, span.resetlogs_scn, **sequences)


def _open_ended(runs: list[Run], last: LogSpan | None, is_lost: bool) -> list[Run]:
    """Runs of a closed thread: nothing is missing after its last log."""
    if last is None:
        return [Run(0, FOR_EVER)]
    if is_lost:
        return [*runs, Run(last.next_scn, FOR_EVER, None, last.resetlogs_scn, last.last_sequence + 1, last.last_sequence)]
    return [*runs[:-1], replace(runs[-1], end_scn=FOR_EVER, end_at=None)]


def _lost_end(run: Run, last: LogSpan) -> Gap:
    """The hole after the last kept log of a thread whose end is known: without it no recovery gets beyond."""
    same = run.resetlogs_scn == last.resetlogs_scn
    missing = last.last_sequence - (run.last_sequence if same else 0)
    end = last.last_sequence + 1, max(missing, 1), last.next_scn, last.next_at
    return Gap(last.thread, last.resetlogs_scn, run.last_sequence if same else 0, *end)


def _gap(run: Run, span: LogSpan) -> Gap:
    same = run.resetlogs_scn == span.resetlogs_scn
    missing = span.first_sequence - (run.last_sequence if same else 0) - 1
    after = run.last_sequence if same else 0
    return Gap(span.thread, span.resetlogs_scn, after, span.first_sequence, max(missing, 1), span.first_scn, span.first_at)


def stretches(threads: Iterable[ThreadLogs]) -> tuple[Run, ...]:
    """What all threads cover together, oldest first; () where an open thread has nothing."""
    common: tuple[Run, ...] | None = None
    for thread in threads:
        common = thread.runs if common is None else _common(common, thread.runs)
    return common or ()


def _common(ours: tuple[Run, ...], theirs: tuple[Run, ...]) -> tuple[Run, ...]:
    found, i, k = [], 0, 0
    while i < len(ours) and k < len(theirs):
        a, b = ours[i], theirs[k]
        first, nearer = max(a.first_scn, b.first_scn), min((a, b), key=lambda r: r.end_scn)
        if first < nearer.end_scn:
            ends = [m for r in (a, b) if r.end_scn < FOR_EVER and (m := r.end_at)]
            end_at = nearer.end_at if nearer.end_at else min(ends, default=None)
            found.append(replace(nearer, first_scn=first, end_at=end_at))
        i, k = (i + 1, k) if a.end_scn <= b.end_scn else (i, k + 1)
    return tuple(found)

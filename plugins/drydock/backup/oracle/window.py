"""Which moments can be restored to, and how much would be lost now, by the SCNs of RMAN's records.

A moment can be restored to when every datafile has a backup with its checkpoint inside one stretch of redo without a gap,
and the moment comes after all of them are consistent and before the stretch ends (Oracle Backup and Recovery User's Guide,
"RMAN Data Recovery Concepts"). What is at risk now is what no backup of a log holds: V$BACKUP_REDOLOG, the worst thread.
"""

from __future__ import annotations

from datetime import datetime

from drydock.backup.facts import Survey
from drydock.backup.oracle.catalogue import Datafile, LogSpan, RedoThread
from drydock.backup.oracle.file_chains import FileChains, Link, Repository, set_id_of
from drydock.backup.oracle.log_runs import Run, clipped, is_closed, stretches, thread_logs
from drydock.backup.results import TimeWindow


def restorable_windows(survey: Survey, distrusted: frozenset[str] = frozenset()) -> tuple[TimeWindow, ...]:
    """Windows of time, any moment of which can be restored to; oldest first. Without archiving: moments of cold backups."""
    catalogue = survey.catalogue
    if catalogue is None or not catalogue.datafiles:
        return ()
    repository = Repository(catalogue, distrusted)
    if catalogue.facts.log_mode == "NOARCHIVELOG":
        return _cold(repository)
    found = (_window(run, repository) for run in stretches(thread_logs(repository)))
    return tuple(sorted((w for w in found if w), key=lambda w: (w.end, w.start)))


def _window(run: Run, repository: Repository) -> TimeWindow | None:
    chosen = _start_links(run, repository)
    if not chosen or max(k.end_scn for k in chosen) > run.end_scn:
        return None
    last = max(chosen, key=lambda k: _done_at(k, repository))
    start, end = _done_at(last, repository), run.end_at or repository.catalogue.facts.sysdate_at
    number = repository.lineage[run.resetlogs_scn][0].number if run.resetlogs_scn in repository.lineage else 0
    return TimeWindow(start=start, end=max(start, end), set_id=set_id_of(last.backup), timeline=number)


def _start_links(run: Run, repository: Repository) -> list[Link]:
    """The oldest backup of each file with which the redo of a run can be used; [] where a file has none.

    A file that was made after the oldest of them needs none: recovery makes it anew from the redo.
    """
    links = {c.datafile: start_link(c, run) for c in repository.chains.values()}
    oldest = min((k.backup.checkpoint_scn for k in links.values() if k and k.backup.checkpoint_scn >= run.first_scn), default=0)
    needed = [k for f, k in links.items() if f.creation_scn <= oldest or not oldest]
    return [] if None in needed else needed


def start_link(chains: FileChains, run: Run) -> Link | None:
    """The oldest backup of a file from which the redo of a run leads on; one that stands still needs none."""
    return chains.frozen or chains.first_from(int(run.first_scn))


def _done_at(link: Link, repository: Repository) -> datetime:
    """When a backup was done; of a file that stands still, since when it does."""
    backup = link.backup
    chains = repository.chains.get(backup.file)
    if chains and chains.frozen == link and backup.checkpoint_at:
        return backup.checkpoint_at
    return backup.completed_at or backup.checkpoint_at or repository.catalogue.facts.sysdate_at


def _cold(repository: Repository) -> tuple[TimeWindow, ...]:
    """One moment, where the newest backups of all files have one checkpoint; a file that stands still has an older one."""
    chains = repository.chains.values()
    newest = [c.newest for c in chains]
    moving = {c.newest.backup.checkpoint_scn for c in chains if c.newest and not c.needs_no_redo}
    if not newest or None in newest or len(moving) > 1:
        return ()
    last = max(newest, key=lambda k: _done_at(k, repository))
    at = _done_at(last, repository)
    return (TimeWindow(start=at, end=at, set_id=set_id_of(last.backup), timeline=0),)


def young_files(repository: Repository, newest_run_at: datetime | None) -> tuple[Datafile, ...]:
    """Files without a backup that were made since the newest run of backups began: their redo is their backup."""
    bare = (c.datafile for c in repository.chains.values() if not c.links)
    return tuple(f for f in bare if newest_run_at and f.created_at and f.created_at >= newest_run_at)


def rpo_now_s(survey: Survey, windows: tuple[TimeWindow, ...], distrusted: frozenset[str] = frozenset()) -> float | None:
    """Seconds of work that would be lost if the host were gone now; None where nothing can be restored.

    By the worst thread: since the end of the newest log in a backup that counts, unless no redo was made after it. Where no
    log is in any backup: since the first one that lies on disk alone.
    """
    if not windows or survey.catalogue is None:
        return None
    if survey.catalogue.facts.log_mode == "NOARCHIVELOG":
        return max(0.0, (survey.catalogue.facts.sysdate_at - windows[-1].end).total_seconds())
    return max((loss for _, loss in thread_losses(Repository(survey.catalogue, distrusted))), default=None)


def thread_losses(repository: Repository) -> tuple[tuple[int, float], ...]:
    """(thread, seconds of its redo that are in no backup) of the threads that have any, or make it.

    A closed thread that left logs on disk alone counts: they are lost with the host. One of which no log is known does not.
    """
    spans = [s for span in repository.catalogue.log_spans if (s := clipped(span, repository))]
    losses = (
        (t, _unsaved_since(t, [s for s in spans if s.thread == t.thread], repository)) for t in repository.catalogue.threads
    )
    now = repository.catalogue.facts.sysdate_at
    return tuple((t.thread, max(0.0, (now - since).total_seconds())) for t, since in losses if since)


def _unsaved_since(thread: RedoThread, spans: list[LogSpan], repository: Repository) -> datetime | None:
    """Since when redo of a thread is in no backup; now where it makes none, None where it has none to lose."""
    chains = repository.chains.values()
    needed = min((c.newest.backup.checkpoint_scn for c in chains if c.newest and not c.needs_no_redo), default=0)
    saved_at = max((s.next_at for s in spans if s.set_ids), default=None)
    bare = [s for s in spans if s.on_disk and not s.set_ids and s.next_scn > needed and (not saved_at or s.next_at > saved_at)]
    if is_closed(thread) and not bare:
        return None
    if saved_at and thread.last_redo_at and thread.last_redo_at <= saved_at:
        return repository.catalogue.facts.sysdate_at
    return saved_at or min((s.first_at for s in bare), default=None)

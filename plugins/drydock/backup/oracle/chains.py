"""What a restore of the whole database would read now, in the words of the neutral judgement: one chain of sets."""

from __future__ import annotations

from drydock.backup.facts import BackupSet, Level, Survey
from drydock.backup.oracle.file_chains import Repository, set_id_of
from drydock.backup.oracle.log_runs import Run, stretches, thread_logs


def newest_chain(survey: Survey, distrusted: frozenset[str] = frozenset()) -> tuple[BackupSet, ...]:
    """All sets of the newest chain of every datafile, full ones first; () where a file has none that counts."""
    repository = Repository(survey.catalogue, distrusted)
    chains, runs = repository.chains, stretches(thread_logs(repository))
    if not chains or any(not c.links and not _is_in_redo(c.datafile.creation_scn, runs) for c in chains.values()):
        return ()
    wanted = {set_id_of(b) for c in chains.values() if c.newest for b in c.newest.chain()}
    found = [s for s in survey.sets if s.set_id in wanted and s.finished_at]
    return tuple(sorted(found, key=lambda s: (s.level is not Level.FULL, s.finished_at, s.set_id)))


def _is_in_redo(creation_scn: int, runs: tuple[Run, ...]) -> bool:
    """True for a file so young that all its redo is kept."""
    return bool(runs) and runs[-1].first_scn <= creation_scn <= runs[-1].end_scn


def redo_bytes(survey: Survey) -> int:
    """Bytes of archived log that a recovery to now would replay after the newest chain."""
    chains = Repository(survey.catalogue).chains.values()
    since = min((c.newest.backup.checkpoint_scn for c in chains if c.newest and not c.needs_no_redo), default=0)
    return sum(s.total_bytes for s in survey.catalogue.log_spans if s.is_kept and s.next_scn > since)

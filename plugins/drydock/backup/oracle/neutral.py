"""RMAN's sets in the words that all engines share: what the rotation, the reports and the history of sizes know of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from drydock.backup.facts import BackupSet, Level
from drydock.backup.oracle.catalogue import OracleCatalogue, RmanSet, SetKind
from drydock.backup.oracle.file_chains import Repository, key_of, set_id_of
from drydock.verdicts import Finding, Status

CONTROL_FILE = "controlfile"
"""The form of a set that holds no datafile: a control file or spfile, mostly an autobackup."""


def neutral_sets(catalogue: OracleCatalogue) -> tuple[BackupSet, ...]:
    """One BackupSet for each set and datafile copy, oldest first. A piece that is not available is a problem of it."""
    files = Counter(key_of(b) for b in catalogue.file_backups if b.file)
    incarnations = {i.resetlogs_scn: i.number for i in catalogue.incarnations}
    born = {key_of(b): incarnations.get(b.resetlogs_scn) for b in catalogue.file_backups}
    logs = Counter(i for span in catalogue.log_spans for i in span.set_ids for _ in range(span.logs))
    dbid = str(catalogue.facts.dbid)
    found = []
    for made in catalogue.sets:
        key = (made.kind is SetKind.COPY, made.stamp, made.count)
        held = logs[made.set_id] if made.kind is SetKind.LOG else files[key]
        found.append(_neutral(made, held, born.get(key), dbid))
    return tuple(found)


def _neutral(made: RmanSet, held: int, timeline: int | None, dbid: str) -> BackupSet:
    first = made.pieces[0] if made.pieces else None
    return BackupSet(
        set_id=made.set_id,
        level=level_of(made),
        place=first.handle if first else made.set_id,
        form=form_of(made, held),
        system_id=dbid,
        timeline=timeline,
        started_at=made.started_at,
        finished_at=made.completed_at,
        total_bytes=made.total_bytes,
        files=held,
        problems=tuple(piece_problems(made)),
    )


def level_of(made: RmanSet) -> Level:
    if made.kind is SetKind.LOG:
        return Level.LOG
    return Level.INCREMENTAL if made.level == 1 or (made.kind is SetKind.INCREMENTAL and made.level != 0) else Level.FULL


def form_of(made: RmanSet, files: int) -> str:
    """What kind of set it is: copy, logs, backupset, or one that holds no datafile."""
    if made.kind is SetKind.COPY:
        return "copy" if files else CONTROL_FILE
    if made.kind is SetKind.LOG:
        return "logs"
    return "backupset" if files else CONTROL_FILE


def piece_problems(made: RmanSet) -> Iterable[Finding]:
    """FAIL for a set of which a piece has no available copy."""
    if made.is_available:
        return
    missing = sorted(set(range(1, made.pieces_expected + 1)) - made.available_pieces)
    states = {p.piece: p.status for p in made.pieces}
    told = ", ".join(f"{n}:{states.get(n, '-')}" for n in missing[:20])
    values = {"pieces": told, "missing": len(missing), "expected": made.pieces_expected}
    yield Finding(code="piece_missing", status=Status.FAIL, place=made.set_id, values=values)


def newest_ids(catalogue: OracleCatalogue) -> tuple[str, ...]:
    """Sets to read back every day: the newest level 0 of each file, control file, spfile, and newest logs of each thread."""
    repository = Repository(catalogue)
    bases = (c.newest_base for c in repository.chains.values())
    found = {set_id_of(b): None for b in bases if b}
    found |= {set_id_of(b): None for b in repository.control_files[-1:]}
    spfiles = [s for s in catalogue.sets if s.has_spfile and s.is_available]
    found |= {s.set_id: None for s in spfiles[-1:]}
    newest = {}
    for span in catalogue.log_spans:
        if span.set_ids and (span.thread not in newest or span.next_scn > newest[span.thread].next_scn):
            newest[span.thread] = span
    found |= {span.set_ids[-1]: None for span in newest.values()}
    return tuple(found)

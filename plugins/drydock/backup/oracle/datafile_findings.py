"""Findings about datafiles: each must have a backup that counts, with a chain that leads somewhere.

Sources: Oracle Backup and Recovery User's Guide, "Reporting on RMAN Operations" (REPORT NEED BACKUP, REPORT UNRECOVERABLE),
"Incremental Backups", "Database Incarnations".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from drydock.backup.chains import age_h
from drydock.backup.folding import fold_findings
from drydock.backup.oracle.catalogue import Datafile, FileBackup
from drydock.backup.oracle.file_chains import FileChains, key_of, set_id_of
from drydock.backup.oracle.needs import Needs
from drydock.backup.oracle.neutral import CONTROL_FILE
from drydock.policy import BackupPolicy
from drydock.verdicts import Finding, Status

LEVEL0_WITHIN = timedelta(hours=24)  # after RESETLOGS or a change of role
RECORDS = ("backup_sets", "backup_pieces", "backup_datafiles", "datafile_copies", "datafiles", "datafiles_by_container")


def datafile_findings(needs: Needs, policy: BackupPolicy) -> Iterator[Finding]:
    """All that is wrong with datafiles. Nothing where the records themselves could not be read: that is told already."""
    if needs.repository.catalogue.hides_containers:
        yield Finding(code="containers_hidden", status=Status.UNKNOWN, place=needs.survey.database)
    yield from _left_out(needs)
    if not needs.answered(*RECORDS) or not needs.repository.wanted:
        return
    if all(c.newest_base is None for c in needs.repository.chains.values()):
        yield _no_full_backup(needs)
        yield from fold_findings(_off_lineage(needs), needs.survey.database, "more_set_problems")
        return
    place = needs.survey.database
    yield from fold_findings(_file_findings(needs), place, "more_set_problems")
    yield from fold_findings(_orphan_findings(needs), place, "more_set_problems")
    yield from _too_old(needs, policy)
    yield from _base_missing(needs)
    yield from fold_findings(_off_lineage(needs), place, "more_set_problems")


def _no_full_backup(needs: Needs) -> Finding:
    """FAIL; UNKNOWN where the control file is younger than the database and may have lost the records."""
    sets = needs.survey.sets
    if any(needs.records_are_lost(f.created_at) for f in needs.repository.wanted):
        day = (needs.now - timedelta(hours=needs.policy.base_max_age_hours)).date().isoformat()
        values = {"day": day, "sets": len(sets)}
        return Finding(code="records_horizon", status=Status.UNKNOWN, place=needs.survey.database, values=values)
    values = {"sets": len(sets), "fulls": sum(1 for s in sets if s.level == "full" and s.form != CONTROL_FILE)}
    return Finding(code="no_full_backup", status=Status.FAIL, place=needs.plan.places.sets, values=values)


def _left_out(needs: Needs) -> Iterator[Finding]:
    """Tablespaces that database backups leave out on purpose, and files that are offline: told, never judged."""
    excluded = {(f.container, f.tablespace) for f in needs.repository.catalogue.datafiles if not f.in_database_backup}
    for container, tablespace in sorted(excluded):
        values = {"tablespace": tablespace, "container": container}
        yield Finding(code="tablespace_excluded", status=Status.WARN, place=_joined(container, tablespace), values=values)
    for f in needs.repository.given_up:
        values = _about(f) | {"status": f.status}
        yield Finding(code="datafile_offline", status=Status.WARN, place=f"file {f.file}", values=values)


def _joined(container: str, tablespace: str) -> str:
    return f"{container}:{tablespace}" if container else tablespace


def _about(f: Datafile) -> dict[str, str]:
    return {"name": f.name, "tablespace": _joined(f.container, f.tablespace)}


def _file_findings(needs: Needs) -> Iterator[Finding]:
    for chains in needs.repository.chains.values():
        f = chains.datafile
        if chains.newest is None:
            yield _unprotected(needs, f)
        elif _is_unrecoverable(chains):
            at = f.unrecoverable_at
            values = _about(f) | {"since": f"{at:%Y-%m-%d %H:%M}" if at else "", "set_id": set_id_of(chains.newest.backup)}
            yield Finding(code="datafile_unrecoverable", status=Status.FAIL, place=f"file {f.file}", values=values)


def _unprotected(needs: Needs, f: Datafile) -> Finding:
    """FAIL; UNKNOWN where records are lost; WARN for a file younger than the newest run, which its redo still saves."""
    values = _about(f) | {"because": _because(needs, f)}
    status = Status.UNKNOWN if needs.records_are_lost(f.created_at) else Status.FAIL
    status = Status.WARN if f.file in needs.young else status
    return Finding(code="datafile_unprotected", status=status, place=f"file {f.file}", values=values)


def _because(needs: Needs, f: Datafile) -> str:
    """Why no backup of a file counts: pieces, incarnation, no_base, reused or none."""
    repository = needs.repository
    own = repository.by_file.get((f.file, f.creation_scn), ())
    if not own:
        is_reused = any(file == f.file for file, _ in repository.by_file)
        return "reused" if is_reused else ("young" if f.file in needs.young else "none")
    if any(repository.is_usable(b) for b in own):
        return "no_base"
    return "pieces" if any(repository.leads_here(b) for b in own) else "incarnation"


def _is_unrecoverable(chains: FileChains) -> bool:
    """True when data went into the file without redo after the newest backup of it."""
    f, newest = chains.datafile, chains.newest.backup
    if f.unrecoverable_scn:
        return f.unrecoverable_scn > newest.checkpoint_scn
    return bool(f.unrecoverable_at and newest.completed_at and f.unrecoverable_at > newest.completed_at)


def _orphan_findings(needs: Needs) -> Iterator[Finding]:
    """Level 1 sets, whole themselves, that no available backup leads to; each set once, and none that is obsolete."""
    told: dict[str, tuple[FileBackup, Datafile]] = {}
    for chains in needs.repository.chains.values():
        for backup in (b for b in chains.orphans if not _is_obsolete(needs, b)):
            told.setdefault(set_id_of(backup), (backup, chains.datafile))
    for set_id, (backup, f) in sorted(told.items()):
        newest = needs.repository.chains[f.file].newest
        affects = newest is None or backup.checkpoint_scn > newest.backup.checkpoint_scn
        status = Status.UNKNOWN if needs.records_are_lost(f.created_at) else Status.FAIL
        values = {"parent": f"SCN {backup.incremental_scn}", "affects_newest": affects}
        yield Finding(code="parent_missing", status=status, place=set_id, values=values)


def _is_obsolete(needs: Needs, backup: FileBackup) -> bool:
    """True for what no moment of the retention needs."""
    limit = needs.obsolete_before
    return bool(limit and backup.completed_at and backup.completed_at < limit)


def _too_old(needs: Needs, policy: BackupPolicy) -> Iterator[Finding]:
    """The oldest of the newest level 0 backups; a read-only file needs no newer one."""
    bases = [b for c in needs.repository.chains.values() if (b := c.newest_base) and not c.needs_no_redo]
    oldest = min((b for b in bases if b.completed_at), key=lambda b: b.completed_at, default=None)
    if oldest and needs.now - oldest.completed_at > timedelta(hours=policy.base_max_age_hours):
        values = {"age_hours": age_h(oldest.completed_at, needs.now), "limit_hours": policy.base_max_age_hours}
        yield Finding(code="base_too_old", status=Status.FAIL, place=set_id_of(oldest), values=values)


def _base_missing(needs: Needs) -> Iterator[Finding]:
    """After RESETLOGS or a change of role a new level 0 of every file is asked for within 24 hours."""
    facts, lineage = needs.repository.catalogue.facts, needs.repository.lineage
    current = lineage.get(facts.resetlogs_scn)
    if current and len(lineage) > 1 and needs.now - current[0].resetlogs_at > LEVEL0_WITHIN:
        bare = [c for c in _based(needs) if not _has_base(c, lambda b: b.resetlogs_scn == facts.resetlogs_scn)]
        yield from _level0(needs, bare, "resetlogs", f"{current[0].resetlogs_at:%Y-%m-%d %H:%M}")
    changed_at = facts.role_changed_at
    if changed_at and needs.now - changed_at > LEVEL0_WITHIN:
        bare = [c for c in _based(needs) if not _has_base(c, lambda b: b.completed_at and b.completed_at > changed_at)]
        yield from _level0(needs, bare, "role", f"{changed_at:%Y-%m-%d %H:%M}")


def _based(needs: Needs) -> Iterator[FileChains]:
    return (c for c in needs.repository.chains.values() if c.links and not c.needs_no_redo)


def _has_base(chains: FileChains, counts: object) -> bool:
    return any(counts(k.backup) for k in chains.links if k.below is None)


def _level0(needs: Needs, bare: list[FileChains], why: str, since: str) -> Iterator[Finding]:
    if bare:
        values = {"files": len(bare), "since": since, "because": why}
        yield Finding(code="base_missing", status=Status.FAIL, place=needs.survey.database, values=values)


def _off_lineage(needs: Needs) -> Iterator[Finding]:
    """Sets of an incarnation that leads nowhere and that would be the newest: FAIL where no level 0 is left that counts."""
    repository = needs.repository
    current = repository.lineage.get(repository.catalogue.facts.resetlogs_scn)
    if current is None:
        return
    bases = (b.completed_at for c in repository.chains.values() if (b := c.newest_base) and b.completed_at)
    newest = max(bases, default=None)
    numbers = {i.resetlogs_scn: i.number for i in repository.catalogue.incarnations}
    told = set()
    for backup in repository.catalogue.file_backups:
        late = backup.completed_at and (newest is None or backup.completed_at > newest)
        if late and key_of(backup) not in told and key_of(backup) in repository.sets and not repository.leads_here(backup):
            told.add(key_of(backup))
            status = Status.WARN if newest else Status.FAIL
            values = {"timeline": numbers.get(backup.resetlogs_scn), "tip": current[0].number}
            yield Finding(code="timeline_unreachable", status=status, place=set_id_of(backup), values=values)

"""Per datafile: which backups count, and from which of them a restore would begin.

A backup of a file counts when file number, creation SCN and incarnation agree and every piece of its set is there. On a
level 0 or an image copy a level 1 can be applied when its INCREMENTAL_CHANGE# is no higher than the CHECKPOINT_CHANGE# of
what was restored before it (Oracle Backup and Recovery User's Guide, "Incremental Backups"; Database Reference,
V$BACKUP_DATAFILE). Everything here is linear in the records, but for one sort.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from drydock.backup.oracle.catalogue import Datafile, FileBackup, Incarnation, OracleCatalogue, RmanSet

OFFLINE = ("OFFLINE", "RECOVER", "SYSOFF")
READ_ONLY = "READ ONLY"
SEED = "PDB$SEED"
SetKey = tuple[bool, int, int]


def key_of(backup: FileBackup) -> SetKey:
    """The set or copy that holds it."""
    return backup.is_copy, backup.stamp, backup.count


def set_id_of(backup: FileBackup) -> str:
    """The ledger's name of the set or copy that holds it."""
    return f"{'copy' if backup.is_copy else 'set'}-{backup.stamp}-{backup.count}"


@dataclass(frozen=True)
class Link:
    """A backup of one file that a restore can end with, and the one it is applied to (None: a full, level 0 or copy)."""

    backup: FileBackup
    below: Link | None = None

    @property
    def end_scn(self) -> int:
        """From here on the restored file is consistent."""
        return max(self.backup.checkpoint_scn, self.backup.fuzzy_scn)

    def chain(self) -> tuple[FileBackup, ...]:
        """The backups to restore, the lowest first."""
        found, link = [self.backup], self.below
        while link:
            found.append(link.backup)
            link = link.below
        return tuple(reversed(found))


@dataclass(frozen=True)
class FileChains:
    """All links of one datafile by checkpoint, and the level 1 backups that nothing leads to."""

    datafile: Datafile
    links: tuple[Link, ...] = ()
    orphans: tuple[FileBackup, ...] = ()
    on_primary: bool = True

    @cached_property
    def scns(self) -> list[int]:
        return [link.backup.checkpoint_scn for link in self.links]

    @property
    def newest(self) -> Link | None:
        """What a restore to now begins with: the least redo to apply."""
        return self.links[-1] if self.links else None

    @property
    def newest_base(self) -> FileBackup | None:
        """The newest level 0, full or copy."""
        return next((link.backup for link in reversed(self.links) if link.below is None), None)

    @cached_property
    def frozen(self) -> Link | None:
        """The oldest backup of the file as it stands, where it stands still: no redo is needed after it."""
        return self.first_from(self.datafile.checkpoint_scn) if self.stands_still else None

    @property
    def stands_still(self) -> bool:
        """True for a file that nothing is written to: read-only, offline, or of a container that is not open for writing.

        Of the last LAST_CHANGE# tells (null while a file is being changed), but not on a standby, which changes by recovery.
        A checkpoint that has not moved for hours tells nothing: an open file gets one with the next switch of the log.
        """
        f = self.datafile
        return (
            (f.stop_scn is not None and self.on_primary) or f.enabled == READ_ONLY or f.status in OFFLINE or f.container == SEED
        )

    @property
    def needs_no_redo(self) -> bool:
        """True for a file that stands still and has a backup of just that."""
        return self.frozen is not None

    def first_from(self, scn: int) -> Link | None:
        """The oldest link whose checkpoint is not below an SCN."""
        at = bisect_left(self.scns, scn)
        return self.links[at] if at < len(self.links) else None


@dataclass(frozen=True)
class Repository:
    """The catalogue, indexed. `distrusted`: sets of which a read proved that they cannot be restored."""

    catalogue: OracleCatalogue
    distrusted: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def sets(self) -> dict[SetKey, RmanSet]:
        return {(s.kind == "C", s.stamp, s.count): s for s in self.catalogue.sets}

    @cached_property
    def lineage(self) -> dict[int, tuple[Incarnation, int | None]]:
        """resetlogs SCN -> (incarnation, SCN at which its child took over; None: the current one)."""
        ours_last = sorted(self.catalogue.incarnations, key=lambda i: i.status != "ORPHAN")  # of two that begin at one SCN
        by_scn = {i.resetlogs_scn: i for i in ours_last}
        found, scn, end = {}, self.catalogue.facts.resetlogs_scn, None
        while scn in by_scn and scn not in found:
            found[scn] = (by_scn[scn], end)
            end, scn = scn, by_scn[scn].prior_resetlogs_scn
        return found

    def is_usable(self, backup: FileBackup) -> bool:
        """True when its set is whole and trusted, and its incarnation leads to the current one."""
        made = self.sets.get(key_of(backup))
        return made is not None and made.is_available and made.set_id not in self.distrusted and self.leads_here(backup)

    def leads_here(self, backup: FileBackup) -> bool:
        known = self.lineage.get(backup.resetlogs_scn)
        if not self.lineage:  # incarnations could not be read: no backup is refused for what is not known
            return True
        if known is None or (backup.completed_at and backup.completed_at < known[0].resetlogs_at):
            return False  # of an orphan, which may have begun at the same SCN before
        return known[1] is None or max(backup.checkpoint_scn, backup.fuzzy_scn) <= known[1]

    @cached_property
    def by_file(self) -> dict[tuple[int, int], list[FileBackup]]:
        """All records of each (FILE#, CREATION_CHANGE#)."""
        found: dict[tuple[int, int], list[FileBackup]] = defaultdict(list)
        for backup in self.catalogue.file_backups:
            found[backup.file, backup.creation_scn].append(backup)
        return found

    @cached_property
    def chains(self) -> dict[int, FileChains]:
        """By file number, of every datafile that a restore of the database would need."""
        return {f.file: chains for f in self.wanted if (chains := self._chains(f)) and not self._is_given_up(chains)}

    @cached_property
    def given_up(self) -> tuple[Datafile, ...]:
        """Files that are offline and have no backup from after that: dropped, or waiting for recovery."""
        return tuple(f for f in self.wanted if f.file not in self.chains)

    @staticmethod
    def _is_given_up(chains: FileChains) -> bool:
        return chains.datafile.status in OFFLINE and not chains.needs_no_redo

    @cached_property
    def wanted(self) -> tuple[Datafile, ...]:
        """All datafiles but those that are left out of database backups on purpose."""
        return tuple(f for f in self.catalogue.datafiles if f.in_database_backup)

    def _chains(self, datafile: Datafile) -> FileChains:
        backups = self.by_file.get((datafile.file, datafile.creation_scn), ())
        links, orphans = link_up(b for b in backups if self.is_usable(b))
        return FileChains(datafile, links, orphans, self.catalogue.facts.role == "PRIMARY")

    @cached_property
    def control_files(self) -> tuple[FileBackup, ...]:
        """Usable backups of the control file, oldest first."""
        found = (b for (file, _), backups in self.by_file.items() if file == 0 for b in backups)
        return tuple(sorted((b for b in found if self.is_usable(b)), key=lambda b: b.checkpoint_scn))


def link_up(backups: Iterable[FileBackup]) -> tuple[tuple[Link, ...], tuple[FileBackup, ...]]:
    """Links by checkpoint, and the level 1 backups that have no available predecessor.

    A cumulative level 1 is applied to the newest level 0, a differential one to what came last before it. A level 1 that
    holds all since the file was made is as good as a level 0: so RMAN takes a file that is new since the last one.
    """
    links: list[Link] = []
    orphans: list[FileBackup] = []
    base: Link | None = None  # the newest level 0 or copy
    last: Link | None = None  # the newest backup that a level 1 can be applied to
    for backup in sorted(backups, key=lambda b: (b.checkpoint_scn, b.level == 1, b.stamp, b.count)):
        if backup.level == 1 and backup.incremental_scn > backup.creation_scn:
            below = next((k for k in (base, last) if k and k.backup.checkpoint_scn >= backup.incremental_scn), None)
            if below is None:
                orphans.append(backup)
                continue
            last = Link(backup, below)
            links.append(last)
        else:
            links.append(Link(backup))
            if backup.level is not None or backup.is_copy:
                base = last = links[-1]
    return tuple(links), tuple(orphans)

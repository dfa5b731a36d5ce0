"""What a restore would need: the sets of the newest chains, the SCN from which redo is asked for, and what is obsolete."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from drydock.backup.facts import Level, Survey
from drydock.backup.oracle.file_chains import FileChains, Repository, set_id_of
from drydock.backup.oracle.neutral import CONTROL_FILE
from drydock.backup.oracle.runs import backup_runs
from drydock.backup.oracle.window import young_files
from drydock.estate import BackupPlan
from drydock.policy import BackupPolicy


@dataclass(frozen=True)
class Needs:
    """One survey with its repository, seen from what must be restorable."""

    survey: Survey
    repository: Repository
    plan: BackupPlan
    policy: BackupPolicy

    @property
    def now(self) -> datetime:
        """The database's own clock: all its times are held against it, never against Drydock's."""
        return self.repository.catalogue.facts.sysdate_at

    @property
    def retention_since(self) -> datetime:
        return self.now - timedelta(days=self.plan.retention_days)

    @cached_property
    def newest_run_at(self) -> datetime | None:
        """When the newest run of datafile backups began."""
        data = [s for s in self.survey.sets if s.form != CONTROL_FILE]
        starts = [r[-1].started_at for lv in (Level.FULL, Level.INCREMENTAL) if (r := backup_runs(data, lv))]
        return max(starts, default=None)

    @cached_property
    def young(self) -> frozenset[int]:
        return frozenset(f.file for f in young_files(self.repository, self.newest_run_at))

    @cached_property
    def newest_ids(self) -> frozenset[str]:
        """set_ids that a restore to now would read."""
        chains = (c.newest.chain() for c in self.repository.chains.values() if c.newest)
        return frozenset(set_id_of(b) for chain in chains for b in chain)

    @cached_property
    def redo_since(self) -> int | None:
        """The SCN from which a recovery to now needs redo; None where no file needs any."""
        return min((s for c in self.repository.chains.values() if (s := self._redo_of(c)) is not None), default=None)

    def _redo_of(self, chains: FileChains) -> int | None:
        if chains.newest is None:
            return chains.datafile.creation_scn if chains.datafile.file in self.young else None
        return None if chains.needs_no_redo else chains.newest.backup.checkpoint_scn

    @cached_property
    def oldest_base(self) -> int | None:
        """The lowest checkpoint of what is kept by the retention.

        Archival backups (KEEP) have their own logs, and a file that stands still needs none, however old its backup.
        """
        moving = (c for c in self.repository.chains.values() if not c.needs_no_redo)
        kept = (k for c in moving for k in c.links if not self._is_archival(k.backup))
        return min((k.backup.checkpoint_scn for k in kept if k.below is None), default=None)

    def _is_archival(self, backup: object) -> bool:
        made = self.repository.sets.get((backup.is_copy, backup.stamp, backup.count))
        return made is not None and made.keep

    @cached_property
    def obsolete_before(self) -> datetime | None:
        """What was completed before this is not needed for any moment of the retention; None: nothing is obsolete."""
        oldest: datetime | None = None
        for chains in self.repository.chains.values():
            bases = [k.backup.completed_at for k in chains.links if k.below is None and k.backup.completed_at]
            before = [at for at in bases if at <= self.retention_since]
            created_at = chains.datafile.created_at
            if not before and created_at and created_at > self.retention_since:
                continue  # of a file so young there can be no older one
            if not before:
                return None
            oldest = max(before) if oldest is None else min(oldest, max(before))
        return oldest

    def records_are_lost(self, since: datetime | None) -> bool:
        """True where the records may once have told of a backup of a file made at `since`, and do not reach back to it.

        The control file was made anew, or it keeps records for less time than a level 0 may be old and they have aged out.
        """
        if since is None:
            return False
        facts, horizon = self.repository.catalogue.facts, self.repository.catalogue.horizon_at
        created_at, oldest = facts.controlfile_created_at, self.now - timedelta(hours=self.policy.base_max_age_hours)
        is_new = created_at is not None and created_at > max(oldest, since + timedelta(hours=1))
        kept_since = self.now - timedelta(days=facts.keep_days)
        return is_new or (kept_since > oldest and horizon is not None and horizon > oldest and since < kept_since)

    def answered(self, *questions: str) -> bool:
        return not set(questions) & set(self.repository.catalogue.unread)

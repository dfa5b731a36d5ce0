"""Which base backups belong to this database and can be restored: chains of a full and its increments.

An increment is worth nothing without every set below it (PostgreSQL manual, "pg_combinebackup"; Oracle Backup and
Recovery User's Guide, "Incremental Backups"), and a set of another database is worth nothing here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from drydock.backup.facts import BackupSet, Level, LogArchive, LogRange, Survey, TargetState
from drydock.backup.oracle.chains import newest_chain

LIVE_FOR = timedelta(hours=1)  # facts of the present that are this much younger than `as_of` still describe it

Chain = tuple[BackupSet, ...]
"""Full first, then its increments, each the parent of the next."""


def is_live(survey: Survey) -> bool:
    """True when what the server and the file system said at the survey describes `as_of` too (False in a backfill)."""
    return survey.surveyed_at - survey.as_of <= LIVE_FOR


def live_target(survey: Survey) -> TargetState | None:
    """The database's own facts where it answered and they describe `as_of`."""
    target = survey.target
    return target if target and target.reachable and is_live(survey) else None


def finished_sets(sets: Iterable[BackupSet]) -> tuple[BackupSet, ...]:
    """Sets with a known end, oldest end first."""
    return tuple(sorted((s for s in sets if s.finished_at), key=lambda s: (s.finished_at, s.set_id)))


def own_system_id(survey: Survey) -> str | None:
    """The system identifier that backups must carry: the database's own, else that of most sets (of equally many, the newest)."""
    target = live_target(survey)
    if target and target.system_id:
        return target.system_id
    known = [s.system_id for s in finished_sets((*survey.past_sets, *survey.sets)) if s.system_id]
    counts = Counter(reversed(known))
    return counts.most_common(1)[0][0] if counts else None


def foreign_sets(survey: Survey) -> tuple[BackupSet, ...]:
    """Sets whose system identifier is known and is not this database's."""
    own = own_system_id(survey)
    return tuple(s for s in survey.sets if s.system_id and own and s.system_id != own)


def own_sets(survey: Survey) -> tuple[BackupSet, ...]:
    """Sets that are not foreign, in the order of the survey."""
    foreign = {s.set_id for s in foreign_sets(survey)}
    return tuple(s for s in survey.sets if s.set_id not in foreign)


def foreign_logs(survey: Survey) -> tuple[LogRange, ...]:
    """Ranges of archived log whose system identifier is known and is not this database's."""
    own, ranges = own_system_id(survey), survey.logs.ranges if survey.logs else ()
    return tuple(r for r in ranges if r.system_id and own and r.system_id != own)


def own_logs(survey: Survey) -> LogArchive | None:
    """The archive without foreign logs: recovery stops at them."""
    foreign = foreign_logs(survey)
    if not foreign or survey.logs is None:
        return survey.logs
    return survey.logs.model_copy(update={"ranges": tuple(r for r in survey.logs.ranges if r not in foreign)})


def parent_of(backup_set: BackupSet, by_id: Mapping[str, BackupSet]) -> BackupSet | None:
    """The set an increment builds on; None where it is not there, or its positions say that it cannot be the parent."""
    parent = by_id.get(backup_set.parent_id or "")
    if parent is None or parent.start_position is None:
        return parent
    too_old = backup_set.parent_position is not None and parent.start_position < backup_set.parent_position
    too_new = backup_set.start_position is not None and parent.start_position >= backup_set.start_position
    return None if too_old or too_new else parent


def chain_of(last: BackupSet, by_id: Mapping[str, BackupSet]) -> Chain:
    """The whole chain that ends in `last`, damaged sets included; () where a parent is missing or chains run in a ring."""
    chain = [last]
    while chain[0].level is not Level.FULL:
        parent = parent_of(chain[0], by_id)
        if parent is None or any(parent.set_id == s.set_id for s in chain):
            return ()
        chain.insert(0, parent)
    return tuple(chain)


def usable_chains(survey: Survey, distrusted: frozenset[str] = frozenset()) -> tuple[Chain, ...]:
    """Chains of this database that the survey found nothing against, by the end of their last set, oldest first.

    `distrusted`: set_ids of which a read or a drill proved that they cannot be restored (`valid.distrusted_sets`). Where
    RMAN's repository tells it, one chain: all sets that a restore of the database to now would read.
    """
    if survey.catalogue:
        chain = newest_chain(survey, distrusted)
        return (chain,) if chain else ()
    sets = finished_sets(s for s in own_sets(survey) if s.is_usable and s.set_id not in distrusted)
    by_id = {s.set_id: s for s in sets}
    chains = (chain_of(s, by_id) for s in sets if s.level is not Level.LOG)
    return tuple(c for c in chains if c)


def newest_chain_ids(survey: Survey) -> frozenset[str]:
    """set_ids of the newest set and of all it builds on, whether usable or not."""
    sets = finished_sets(own_sets(survey)) or own_sets(survey)
    if not sets:
        return frozenset()
    by_id = {s.set_id: s for s in survey.sets}
    return frozenset(s.set_id for s in chain_of(sets[-1], by_id) or (sets[-1],))


def age_h(moment: datetime, as_of: datetime) -> float:
    """Hours from `moment` to `as_of`, one decimal."""
    return round((as_of - moment).total_seconds() / 3600, 1)

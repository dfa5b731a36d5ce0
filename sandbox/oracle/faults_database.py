"""Faults of the database itself: nologging loads, corrupt blocks, files offline, incarnations, horizon, space, standby lag."""

from __future__ import annotations

from datetime import timedelta

from sandbox.oracle.model.archiving import open_resetlogs
from sandbox.oracle.model.jobs import take_backup
from sandbox.oracle.model.operations import (
    create_restore_point,
    drop_datafile_offline,
    fail_destination,
    find_corrupt_blocks,
    load_nologging,
    restore_without_redo,
)
from sandbox.oracle.model.recovery_area import backed_up_logs, fit, space_warnings, totals
from sandbox.oracle.model.repository import Repository
from sandbox.oracle.model.repository_upkeep import delete_logs, forget_everything_before, recreate_controlfile
from sandbox.oracle.planting import delete_sets, fault, sets_of_level


@fault()
def nologging_after_backup(repository: Repository) -> None:
    """A direct-path load without redo three hours ago. Expect: the file is unrecoverable since, though all else is green."""
    load_nologging(repository, 5, repository.now - timedelta(hours=3))


@fault()
def database_blocks_corrupt(repository: Repository) -> None:
    """V$DATABASE_BLOCK_CORRUPTION lists fractured and checksum blocks. Expect: corrupt blocks in the live files."""
    find_corrupt_blocks(repository, 5, 20_481, 4, "FRACTURED")
    find_corrupt_blocks(repository, 7, 771, 1, "CHECKSUM")


@fault()
def blocks_nonlogged(repository: Repository) -> None:
    """V$NONLOGGED_BLOCK lists 128 blocks. Expect: nonlogged blocks (ORA-26040)."""
    restore_without_redo(repository, 5)


@fault(days_before=0.5)
def file_needs_recovery(repository: Repository) -> None:
    """A datafile fell offline twelve hours ago after a write error; V$RECOVER_FILE has it. Expect: file needs recovery."""
    datafile = drop_datafile_offline(repository, 6)
    repository.tell(repository.now, f"KCF: read, write or open error, block=0x2a3 online=1\n        file=6 '{datafile.name}'")


@fault()
def records_aged_out(repository: Repository) -> None:
    """Busy sections and CONTROL_FILE_RECORD_KEEP_TIME 1: the week-end's level 0 has no record any more. Expect: UNKNOWN for
    what lies before the horizon, never "did not run"."""
    repository.keep_days = 1
    repository.database.parameters["control_file_record_keep_time"] = "1"
    forget_everything_before(repository, repository.now - timedelta(days=1))


@fault(days_before=0.25)
def controlfile_recreated(repository: Repository) -> None:
    """CREATE CONTROLFILE six hours ago: no records from before, configuration gone. Expect: UNKNOWN, and a new backup needed."""
    recreate_controlfile(repository)


@fault(days_before=0.2)
def wrong_incarnation(repository: Repository) -> None:
    """The only level 0 left was taken in an incarnation that was left again. Expect: no backup of a living incarnation."""
    before = repository.scn.at(repository.now - timedelta(minutes=30))
    open_resetlogs(repository)
    doomed = sets_of_level(repository, 0) + sets_of_level(repository, 1)
    take_backup(repository.database, "level0")
    delete_sets(repository, doomed)
    open_resetlogs(repository, until_scn=before)


@fault(days_before=1.4)
def resetlogs_without_level0(repository: Repository) -> None:
    """OPEN RESETLOGS 34 hours ago, soon after the weekly level 0, and no level 0 since. Expect: a level 0 is due."""
    open_resetlogs(repository)


@fault()
def recovery_area_at_97_percent(repository: Repository) -> None:
    """The recovery area is 97 % full after what is reclaimable. Expect: critical, with hours left."""
    _fill(repository, 0.97)
    list(space_warnings(repository, repository.now))


@fault(world="backlog_in_recovery_area")
def recovery_area_held_by_restore_point(repository: Repository) -> None:
    """A guaranteed restore point of nine days ago; the area is 98 % full, what it calls reclaimable must stay.
    Expect: critical, reclaimable is not counted, the restore point is named."""
    create_restore_point(repository, "BEFORE_UPGRADE", guaranteed=True, at=repository.now - timedelta(days=9))
    repository.recovery_area.flashback_bytes = 30 * 1024**3
    fit(repository, 0.999)
    used, _, _ = totals(repository)
    repository.recovery_area.limit_bytes = int(used / 0.98)


@fault()
def recovery_area_full(repository: Repository) -> None:
    """ORA-19809, ORA-19804: nothing more fits, the archiver stands. Expect: critical, destination in error."""
    _fill(repository, 1.0)
    list(space_warnings(repository, repository.now))
    fail_destination(repository)


@fault(world="standby_side")
def standby_lags(repository: Repository) -> None:
    """The standby whose backups count applies redo nine hours late. Expect: the lag, and an RPO that is worse by it."""
    repository.data_guard.apply_lag_s = repository.data_guard.transport_lag_s = 9 * 3600


@fault(world="primary_with_standby")
def standby_destination_failed(repository: Repository) -> None:
    """Log shipping to the standby fails with ORA-12541. Expect: the destination's error; local archiving is well."""
    fail_destination(repository, dest=2, code=12541, text="TNS:no listener")


def _fill(repository: Repository, share: float) -> None:
    """The area is this full, and Oracle has already deleted the logs that it could."""
    backed = backed_up_logs(repository)
    delete_logs(repository, [g for g in repository.disk_logs if g.in_fra and g.key in backed])
    used, _, _ = totals(repository)
    repository.recovery_area.limit_bytes = int(used / share)
    repository.database.parameters["db_recovery_file_dest_size"] = str(int(used / share))

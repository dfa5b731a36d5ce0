"""Healthy worlds that differ in the database itself and its past: RAC, containers, resetlogs, files that came and went."""

from __future__ import annotations

from datetime import timedelta

from sandbox.oracle.model.archiving import close_thread, open_resetlogs, open_thread
from sandbox.oracle.model.building import Shape, add_tablespace
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.files import MIB
from sandbox.oracle.model.jobs import Manner, take_backup, weekly_plan
from sandbox.oracle.model.operations import (
    add_standby,
    back_up_for_ever,
    create_restore_point,
    drop_datafile_offline,
    drop_tablespace,
    load_nologging,
    make_read_only,
    recreate_tablespace,
    take_tablespace_offline,
)
from sandbox.oracle.model.repository import ArchiveDestination, Repository
from sandbox.oracle.planting import remove_sets
from sandbox.oracle.worlds import LOG_PAUSE_MIN, World, world

WORLDS: dict[str, World] = {}
NOTED: dict[str, World] = {}
What = dict[str, object]
RAC = Shape("GZRAC", threads=2)


def healthy(build):
    """Registers a healthy world under its function's name."""
    WORLDS[build.__name__] = world(build)
    return build


def noted(build):
    """Registers a restorable world that deserves a note."""
    NOTED[build.__name__] = world(build)
    return build


@healthy
def rac() -> What:
    """Two instances, two threads."""
    return {"shape": RAC}


@healthy
def rac_closed_thread() -> What:
    """The second instance is down for three days: its thread has no logs and lacks none."""
    return {"shape": RAC, "acts": ((3, lambda database, repository: close_thread(repository, 2)),)}


@healthy
def rac_thread_reopened() -> What:
    """The second instance was down for two days: an SCN hole between two consecutive sequences."""
    acts = ((6, lambda _, repository: close_thread(repository, 2)), (4, lambda _, repository: open_thread(repository, 2)))
    return {"shape": RAC, "acts": acts}


@healthy
def containers() -> What:
    """A CDB with PDB$SEED, whose files stand still, and two PDBs."""
    return {"shape": Shape("GZCDB", pdbs=("ERP", "HR"))}


@healthy
def containers_on_rac() -> What:
    """A CDB with one PDB on two instances."""
    return {"shape": Shape("GZCRAC", pdbs=("ERP",), threads=2)}


@healthy
def read_only_old_backup() -> What:
    """A tablespace read-only for a month, backed up once since and then skipped."""

    def freeze(database: OracleDatabase, repository: Repository) -> None:
        make_read_only(repository, "USERS")
        take_backup(database, "level0")

    plan = weekly_plan(240, manner=Manner(skip_readonly=True), policy="TO RECOVERY WINDOW OF 8 DAYS")
    return {"shape": Shape(keep_days=60), "plan": plan, "days": 35, "acts": ((32, freeze),)}


@healthy
def resetlogs_three_days_ago() -> What:
    """OPEN RESETLOGS three days ago, and a new level 0 right after it."""

    def reset(database: OracleDatabase, repository: Repository) -> None:
        open_resetlogs(repository)
        take_backup(database, "level0")

    return {"acts": ((3, reset),)}


@healthy
def point_in_time_recovery() -> What:
    """Recovered to two hours before, opened with RESETLOGS, new level 0: the SCN went back, later logs lie on a dead branch."""

    def recover(database: OracleDatabase, repository: Repository) -> None:
        open_resetlogs(repository, until_scn=repository.scn.at(repository.now - timedelta(hours=2)))
        take_backup(database, "level0")

    return {"acts": ((3, recover),)}


@healthy
def dropped_tablespace() -> What:
    """A tablespace was dropped: backups hold a file that is no more."""
    return {"acts": ((4, lambda _, repository: drop_tablespace(repository, "USERS")),)}


@healthy
def file_number_used_again() -> What:
    """A tablespace dropped and created anew under the same FILE#, and backed up since."""

    def again(database: OracleDatabase, repository: Repository) -> None:
        recreate_tablespace(repository, "USERS")
        take_backup(database, "level0")

    return {"acts": ((4, again),)}


@healthy
def tablespace_offline_normal() -> What:
    """A tablespace offline, checkpointed and backed up since."""
    return {"acts": ((9, lambda _, repository: take_tablespace_offline(repository, "USERS")),)}


@healthy
def new_file_since_level0() -> What:
    """A tablespace made after the last level 0: its level 1 holds all blocks since its creation."""
    return {"acts": ((3, lambda _, repository: add_tablespace(repository, "NEW_DATA", (1.0,))),)}


@healthy
def nologging_before_backup() -> What:
    """A direct-path load without redo, five days ago; every night since has backed the file up."""
    return {"acts": ((5, lambda _, repository: load_nologging(repository, 5)),)}


@healthy
def completed_with_warnings() -> What:
    """Jobs end COMPLETED WITH WARNINGS since logs not yet applied on the standby were not deleted (RMAN-08120)."""

    def warn(database: OracleDatabase, repository: Repository) -> None:
        for session in repository.sessions[-40:]:
            session.status = "COMPLETED WITH WARNINGS"
            session.output.append("RMAN-08120: warning: archived log not deleted, not yet applied by standby")

    return {"at_birth": lambda _, repository: add_standby(repository, "GZMAIN_SB"), "acts": ((0, warn),)}


@healthy
def pfile() -> What:
    """Started from a text parameter file: there is no spfile to back up."""
    return {"shape": Shape(has_spfile=False)}


@healthy
def autobackup_by_default() -> What:
    """No CONTROLFILE AUTOBACKUP row: ON by default from 12.2."""
    return {"shape": Shape(autobackup_row=False)}


@healthy
def old_release() -> What:
    """11.2.0.4 with its autobackup row, weekly level 0."""
    return {"shape": Shape("GZOLD", version="11.2.0.4.0")}


@healthy
def small() -> What:
    """A few hundred megabytes and hardly any redo."""
    shape = Shape("GZTINY", spaces={"USERS": (0.1,)}, redo_bytes_per_s=2_000, log_bytes=50 * MIB, scn_per_s=2)
    return {"shape": shape}


@healthy
def huge() -> What:
    """Six terabytes: the level 0 runs for hours while log backups go on."""
    spaces = {f"APP_{n:02d}": (200.0,) * 5 for n in range(6)}
    manner = Manner(channels=4, section_bytes=64 * 1024**3, bytes_per_s=400 * MIB)
    return {"shape": Shape("GZHUGE", spaces=spaces, redo_bytes_per_s=600_000), "plan": weekly_plan(LOG_PAUSE_MIN, manner=manner)}


@healthy
def archival_with_restore_point() -> What:
    """KEEP FOREVER with a restore point: months-old sets and a few logs that belong to no window."""

    def keep(database: OracleDatabase, repository: Repository) -> None:
        back_up_for_ever(database)

    return {"shape": Shape(keep_days=90), "plan": weekly_plan(240), "days": 50, "acts": ((45, keep),)}


@healthy
def normal_restore_point() -> What:
    """A restore point without a guarantee binds nothing."""
    return {"acts": ((2, lambda _, repository: create_restore_point(repository, "BEFORE_RELEASE") and None),)}


@healthy
def first_day() -> What:
    """Created yesterday, with its first level 0."""
    return {"days": 1.2}


@healthy
def two_local_destinations() -> What:
    """Every log is archived twice: two rows of one sequence, with two names."""

    def second(database: OracleDatabase, repository: Repository) -> None:
        repository.destinations.append(ArchiveDestination(2, "/u04/arch"))

    return {"at_birth": second}


@healthy
def summer_time() -> What:
    """A host in a zone with summer time, in the week in which the clocks changed."""
    return {"shape": Shape("BERLIN", time_zone="Europe/Berlin")}


@noted
def offline_dropped_file() -> What:
    """A file taken offline for drop ten days ago, in RECOVER ever since: left out of the judgement, and told."""
    return {"acts": ((10, lambda _, repository: drop_datafile_offline(repository, 4) and None),)}


@noted
def excluded_tablespace() -> What:
    """CONFIGURE EXCLUDE FOR TABLESPACE USERS: left out by will, and told."""

    def exclude(database: OracleDatabase, repository: Repository) -> None:
        repository.tablespace("USERS").is_included = False

    return {"at_birth": exclude}


@noted
def failed_then_repeated() -> What:
    """One night's level 1 failed and was run again by hand an hour later."""

    def fail(database: OracleDatabase, repository: Repository) -> None:
        failed = [s for s in repository.sessions if s.command_id == "LEVEL1"][-1]
        remove_sets(repository, [s for s in repository.sets if s.session is failed and s.kind != "L"])
        failed.status = "FAILED"
        take_backup(database, "level1", command_id="LEVEL1")

    return {"acts": ((0.5, fail),)}

"""Healthy worlds that differ in how the customer backs up: devices, levels, sets, copies, keys, policies."""

from __future__ import annotations

from sandbox.oracle.model.building import Shape
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.files import GIB, MIB
from sandbox.oracle.model.jobs import EVERY_DAY, SUNDAY, Manner, Plan, PlannedJob, weekly_plan
from sandbox.oracle.model.operations import add_standby, add_wallet, become_standby
from sandbox.oracle.model.repository import Repository
from sandbox.oracle.worlds import LOG_PAUSE_MIN, World, world

WORLDS: dict[str, World] = {}
What = dict[str, object]


def healthy(build):
    """Registers a healthy world under its function's name."""
    WORLDS[build.__name__] = world(build)
    return build


@healthy
def plain() -> What:
    """One instance, level 0 on Sundays, level 1 on the other nights, logs each hour, all in the recovery area."""
    return {}


@healthy
def daily_level0() -> What:
    """A level 0 every night and nothing else but logs."""
    return {"plan": weekly_plan(LOG_PAUSE_MIN, EVERY_DAY, policy="TO RECOVERY WINDOW OF 3 DAYS"), "days": 9}


@healthy
def daily_full() -> What:
    """BACKUP DATABASE without a level, each night: restorable, and no base of any level 1."""
    jobs = (PlannedJob("full", command_id="FULL"), PlannedJob("logs", every_minutes=LOG_PAUSE_MIN, minute=7))
    return {"plan": Plan(jobs, policy="TO REDUNDANCY 3"), "days": 9}


@healthy
def cumulative_level1() -> What:
    """Cumulative level 1: each holds all since the level 0, so the chain is never longer than two."""
    return {"plan": weekly_plan(LOG_PAUSE_MIN, manner=Manner(cumulative=True))}


@healthy
def level0_twice_a_week() -> What:
    """Level 0 on Wednesdays and Sundays."""
    return {"plan": weekly_plan(LOG_PAUSE_MIN, frozenset({2, SUNDAY}))}


@healthy
def multi_section() -> What:
    """SECTION SIZE 1G: a file in several pieces of one set."""
    return {"plan": weekly_plan(LOG_PAUSE_MIN, manner=Manner(section_bytes=GIB, channels=4))}


@healthy
def multi_piece() -> What:
    """MAXPIECESIZE 2G: sets of several pieces."""
    return {"plan": weekly_plan(LOG_PAUSE_MIN, manner=Manner(max_piece_bytes=2 * GIB))}


@healthy
def duplexed() -> What:
    """Two copies of every piece, on two file systems."""
    return {"plan": weekly_plan(LOG_PAUSE_MIN, manner=Manner(copies=2, folder="/backup/gzmain"))}


@healthy
def compressed() -> What:
    """AS COMPRESSED BACKUPSET to a folder of its own."""
    return {"plan": weekly_plan(LOG_PAUSE_MIN, manner=Manner(is_compressed=True, ratio=0.22, folder="/backup/gzmain"))}


@healthy
def image_copies_merged() -> What:
    """Incrementally updated image copies: yesterday's level 1 merged, today's made."""
    jobs = (PlannedJob("merge", command_id="MERGE"), PlannedJob("logs", every_minutes=LOG_PAUSE_MIN, minute=7))
    return {"plan": Plan(jobs, policy="TO REDUNDANCY 1")}


@healthy
def tape() -> What:
    """All backups on tape through a media manager; logs on disk for a day."""
    return {"plan": weekly_plan(LOG_PAUSE_MIN, manner=Manner(device="SBT_TAPE", bytes_per_s=90 * MIB))}


@healthy
def encrypted() -> What:
    """Transparent encryption with an open keystore."""
    return {
        "plan": weekly_plan(LOG_PAUSE_MIN, manner=Manner(is_encrypted=True)),
        "at_birth": lambda database, repository: add_wallet(repository),
    }


@healthy
def standard_edition() -> What:
    """SE2: one channel, no change tracking, so each level 1 reads all blocks."""
    shape = Shape("GZSE2", edition="SE2")
    return {"shape": shape, "plan": weekly_plan(LOG_PAUSE_MIN, manner=Manner(channels=1))}


@healthy
def redundancy_policy() -> What:
    """RETENTION POLICY TO REDUNDANCY 2."""
    return {"plan": weekly_plan(LOG_PAUSE_MIN, policy="TO REDUNDANCY 2")}


@healthy
def logs_every_quarter_hour() -> What:
    """Archived logs backed up every 15 minutes, on a busy database."""
    return {"shape": Shape("GZBUSY", redo_bytes_per_s=900_000), "plan": weekly_plan(15), "days": 10}


@healthy
def logs_deleted_after_backup() -> What:
    """DELETE INPUT: no log stays on disk once it is backed up."""
    return {"plan": weekly_plan(LOG_PAUSE_MIN, keep_log_hours=0)}


@healthy
def backlog_in_recovery_area() -> What:
    """Logs are left to the recovery area: it looks full, and most of it is reclaimable."""
    return {
        "plan": weekly_plan(LOG_PAUSE_MIN, keep_log_hours=None, manner=Manner(folder="/backup/gzmain")),
        "used_share": 0.93,
    }


@healthy
def no_recovery_area() -> What:
    """No recovery area at all: logs and backups in folders."""
    shape = Shape(fra_folder="", archive_folder="/u04/arch")
    return {"shape": shape, "plan": weekly_plan(LOG_PAUSE_MIN, manner=Manner(folder="/backup/gzmain"))}


@healthy
def on_asm() -> What:
    """Files in disk group DATA, recovery area in FRA."""

    def groups(database: OracleDatabase, repository: Repository) -> None:
        repository.asm_groups = {"DATA": (2_000_000, 1_400_000), "FRA": (3_000_000, 2_200_000)}

    return {"shape": Shape(data_folder="+DATA", fra_folder="+FRA"), "at_birth": groups}


@healthy
def standby_side() -> What:
    """Backups are taken on the physical standby, and this is it."""
    shape = Shape(unique_name="GZMAIN_SB", tracks_changes=False)
    return {"shape": shape, "at_birth": lambda database, repository: become_standby(repository, "GZMAIN")}


@healthy
def primary_with_standby() -> What:
    """A primary that ships its logs: each has a second row with STANDBY_DEST YES, which is no file here."""
    return {"at_birth": lambda database, repository: add_standby(repository, "GZMAIN_SB")}

"""Builds the sandbox: clusters, accounts, rows, the lived past with its backups, and the planted faults."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event

from psycopg import sql

from drydock.engines.postgres_binaries import find_binaries
from drydock.engines.postgres_server import LOCALHOST, initialise
from drydock.ledger.connect import ledger_url_from
from drydock.ledger.migrate import migrate
from sandbox.accounts import grant_auditing, grant_copying, grant_looking, grant_reading, grant_working
from sandbox.audit_logging import make_log_folder, write_logging
from sandbox.backup_job import BackupJob
from sandbox.canaries import plant_canaries
from sandbox.clock import ZONE, MovedClock
from sandbox.clusters import (
    ACCOUNTS,
    AIRFLOW_DB,
    COPIED,
    COPIES,
    LEDGER_DB,
    META,
    TARGETS,
    Sandbox,
    cluster_dir,
    copy_dbname,
    log_dir,
    new_sandbox,
    start_all,
    stop_clusters,
    target_dbname,
    target_settings,
)
from sandbox.faults import lose_files, unrun_nights
from sandbox.load import DEFAULT_DAYS, DEFAULT_SCALES, day_changes, load_platform
from sandbox.past import Connection, DayChange, LivedServer, Night, live_past, plan_nights
from sandbox.tables import owner_name, schema_name

DAYS = 9
SEED = 20261120
WAL_SEGMENT_MB = 1  # a segment per switch: small ones, or nine days of a quiet database fill the disk
LOADED_BEFORE_FIRST_BACKUP = timedelta(hours=2)
ROWS_PER_MOMENT = 150
ACCOUNT_RIGHTS = {"backup_job": "replication"}
MEASURING = ("pgstattuple", "amcheck")  # what a site's DBA installs for the weekly work
MAINTAINERS = "drydock_maintainer"  # the group that the ledger's migration lets add and read

Say = Callable[[str], None]
"""Told what was done, one line each."""


class BuildStopped(Exception):
    """The build of one target ended because the build of the whole did."""


def build_sandbox(
    state: Path,
    *,
    days: int = DAYS,
    size: float = 1.0,
    seed: int = SEED,
    say: Say = lambda _line: None,
) -> Sandbox:
    """Build the whole sandbox anew in `state` and leave it running with the real clock.

    `days`: nights that the backup job has run, up to now. `size`: of the loaded tables, times their default.
    What was built there before is stopped and removed first.
    """
    remove_sandbox(state)
    sandbox = new_sandbox(state)
    nights = plan_nights(datetime.now(UTC), days)
    stopping = Event()
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        try:
            targets = [pool.submit(build_target, sandbox, name, nights, size, seed, say, stopping) for name in TARGETS]
            build_meta(sandbox)
            build_copies(sandbox)
            for target in targets:
                target.result()
        except BaseException:  # Ctrl-C, too: nothing is left running
            stopping.set()
            stop_clusters(state)
            raise
    sandbox.built_at, sandbox.last_night = datetime.now(ZONE), nights[-1].at
    sandbox.save()
    start_all(sandbox)
    return sandbox


def remove_sandbox(state: Path) -> None:
    """Stop and remove what was built in `state`, finished or not."""
    stop_clusters(state)
    for folder in ("clusters", "backups"):
        shutil.rmtree(state / folder, ignore_errors=True)
    for file in ("sandbox.json", "secrets.json"):
        (state / file).unlink(missing_ok=True)


def is_current(sandbox: Sandbox, now: datetime) -> bool:
    """True while no planned night has passed since the sandbox was built: after that, its truth no longer holds."""
    return sandbox.last_night == plan_nights(now, 1)[-1].at


def build_meta(sandbox: Sandbox) -> None:
    """The cluster of Airflow's metadata and of the ledger, both empty but in their newest shape; left running."""
    _initialise(sandbox, META)
    start_all(sandbox, [META])
    with sandbox.connect(META) as connection:
        _create_accounts(connection, sandbox, META)
        _create_database(connection, AIRFLOW_DB, owner="airflow")
        _create_database(connection, LEDGER_DB, owner="postgres")
        migrate_ledger(sandbox)
        connection.execute(sql.SQL("grant {} to {}").format(sql.Identifier(MAINTAINERS), sql.Identifier("drydock_ledger")))


def build_copies(sandbox: Sandbox) -> None:
    """The cluster that masked copies go to: an empty database for each source; left running."""
    _initialise(sandbox, COPIES)
    start_all(sandbox, [COPIES])
    with sandbox.connect(COPIES) as connection:
        _create_accounts(connection, sandbox, COPIES)
        for name in COPIED:
            _create_database(connection, copy_dbname(name), owner="postgres")
    for name in COPIED:
        grant_copying(find_binaries(), sandbox.ports[COPIES], sandbox.passwords[COPIES]["postgres"], copy_dbname(name))


def migrate_ledger(sandbox: Sandbox) -> None:
    """Bring the ledger to its newest shape, as its owner."""
    password = sandbox.passwords[META]["postgres"]
    migrate(ledger_url_from(LOCALHOST, sandbox.ports[META], "postgres", password, LEDGER_DB))


def build_target(
    sandbox: Sandbox, database: str, nights: Sequence[Night], size: float, seed: int, say: Say, stopping: Event
) -> None:
    """One target: rows loaded and days lived under the moved clock, faults planted; left stopped.

    Raises BuildStopped at the next moment of a day once `stopping` is set.
    """
    _initialise(sandbox, database)
    write_logging(cluster_dir(sandbox.state, database) / "data")
    make_log_folder(log_dir(sandbox.state, database))
    lived = _lived_server(sandbox, database)
    conninfo = sandbox.conninfo(database, lived.dbname)
    try:
        lived.move_to(nights[0].at - LOADED_BEFORE_FIRST_BACKUP)
        with sandbox.connect(database) as connection:
            _create_accounts(connection, sandbox, database)
            grant_looking(find_binaries(), lived.job.port, lived.password)
            grant_auditing(find_binaries(), lived.job.port, lived.password)
            _create_database(connection, lived.dbname, owner="postgres")
        rows = _load(conninfo, database, nights[0].at, size, seed)
        with sandbox.connect(database, lived.dbname) as connection:
            for extension in MEASURING:
                connection.execute(sql.SQL("create extension {}").format(sql.Identifier(extension)))
            plant_canaries(connection, database)
        owner = owner_name(TARGETS[database])
        grant_working(find_binaries(), lived.job.port, lived.password, lived.dbname, owner)
        grant_reading(find_binaries(), lived.job.port, lived.password, lived.dbname, schema_name(TARGETS[database]), owner)
        say(f"{database}: {rows} rows loaded")
        sets = _live(lived, database, nights, partial(_receive_rows, conninfo, database, seed, stopping))
    finally:
        lived.stop()
    lost = lose_files(database, lived.job.places, sets[-1])
    say(f"{database}: {len(sets)} backups taken" + (f"; lost from {sets[-1]}: {', '.join(lost)}" if lost else ""))


def _load(conninfo: str, database: str, first_backup: datetime, size: float, seed: int) -> int:
    """Load the platform's rows up to the day before the first backup; returns how many."""
    platform = TARGETS[database]
    last_day = first_backup.astimezone(ZONE).date() - timedelta(days=1)
    first_day = last_day - timedelta(days=DEFAULT_DAYS - 1)
    return sum(load_platform(conninfo, platform, DEFAULT_SCALES[platform] * size, seed, first_day, last_day).values())


def _live(lived: LivedServer, database: str, nights: Sequence[Night], change: DayChange) -> list[str]:
    """Live the days up to this very moment; returns the names of the sets."""
    sets = live_past(lived, nights, datetime.now(UTC), change, unrun_nights(database, nights))
    lived.live(datetime.now(UTC), change)
    return sets


def _receive_rows(conninfo: str, database: str, seed: int, stopping: Event, moment: datetime) -> None:
    """Rows of the day before: their times are spread over the whole of it, and none may lie in the future."""
    if stopping.is_set():
        raise BuildStopped(database)
    day_changes(conninfo, TARGETS[database], moment.astimezone(ZONE).date() - timedelta(days=1), seed, ROWS_PER_MOMENT)


def _lived_server(sandbox: Sandbox, database: str) -> LivedServer:
    binaries, places = find_binaries(), sandbox.places(database)
    places.make()
    clock = MovedClock(cluster_dir(sandbox.state, database) / "clock")
    passwords = sandbox.passwords[database]
    job = BackupJob(binaries, places, sandbox.ports[database], "backup_job", passwords["backup_job"], clock)
    # while days pass in moments, logs are closed by the day's moments alone, and no vacuum runs in between
    quiet = target_settings(sandbox, database, archive_timeout_s=0) | {"autovacuum": "off"}
    return LivedServer(sandbox.server(database), job, passwords["postgres"], target_dbname(database), quiet)


def _initialise(sandbox: Sandbox, cluster: str) -> None:
    place = cluster_dir(sandbox.state, cluster)
    place.mkdir(parents=True, exist_ok=True)
    initialise(
        find_binaries(),
        place / "data",
        password=sandbox.passwords[cluster]["postgres"],
        wal_segment_mb=16 if cluster in (META, COPIES) else WAL_SEGMENT_MB,
    )


def _create_accounts(connection: Connection, sandbox: Sandbox, cluster: str) -> None:
    for account in ACCOUNTS[cluster]:
        if account != "postgres":
            statement = sql.SQL("create role {} login {} password {}").format(
                sql.Identifier(account),
                sql.SQL(ACCOUNT_RIGHTS.get(account, "")),
                sql.Literal(sandbox.passwords[cluster][account]),
            )
            connection.execute(statement)


def _create_database(connection: Connection, name: str, owner: str) -> None:
    statement = sql.SQL("create database {} owner {}").format(sql.Identifier(name), sql.Identifier(owner))
    connection.execute(statement)

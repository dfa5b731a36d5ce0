"""Small worlds for tests: a tiny real cluster with lived days, real sets, real archived logs and a job log, in seconds.

world = build_world(tmp_path, days=3)
places = world.copy_backups(tmp_path / "damaged")     # a copy of its own, to flip bytes in
...
world.close()
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from secrets import token_hex
from typing import Literal

import psycopg
from psycopg import sql

from drydock.backup.facts import Level
from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_binaries import Binaries, find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, free_port, give_to_server, initialise
from sandbox.accounts import LOOKING_ACCOUNT, grant_looking
from sandbox.backup_job import FIRST_WITH_INCREMENTAL, BackupJob, BackupPlaces, Form, archive_settings
from sandbox.clock import ZONE, MovedClock
from sandbox.past import BACKUP_AT, Connection, LivedServer, Night, live_past

SQL_DIR = Path(__file__).parent / "sql"
DBNAME = "world"
LAST_DAY = date(2026, 11, 20)
ROWS = 200
CHANGED_ROWS = 20
TEMPLATE_SEGMENT_MB = 1
PASSWORD = token_hex(12)  # one for all worlds of a process, since they are copied from one template
QUICK = {
    "shared_buffers": "8MB",
    "max_connections": "20",
    "fsync": "off",
    "autovacuum": "off",
    "timezone": ZONE.key,
    "log_timezone": ZONE.key,
    "max_wal_senders": "4",
}
After = Literal["stopped", "past", "present"]


@dataclass
class World:
    """A cluster and its backups. Times are in Shanghai; the server runs only while something was asked of it."""

    root: Path
    binaries: Binaries
    lived: LivedServer
    nights: tuple[Night, ...]
    seed: int
    sets: list[str] = field(default_factory=list)

    @property
    def places(self) -> BackupPlaces:
        return self.lived.job.places

    @property
    def data_dir(self) -> Path:
        return self.lived.server.data_dir

    @property
    def endpoint(self) -> Endpoint:
        """Where the looking account, with the pipeline's own grants and no more, finds the running server."""
        return Endpoint(LOCALHOST, self.lived.job.port, LOOKING_ACCOUNT, PASSWORD, DBNAME)

    @property
    def now(self) -> datetime:
        """What the world's clock shows."""
        return self.lived.job.clock.now()

    def connect(self) -> Connection:
        """A superuser's connection to the running server."""
        return self.lived.connect()

    def change_rows(self, moment: datetime) -> str:
        """Add rows to each table at a moment and archive the log; returns the segment's name."""
        return self.lived.live(moment, self.add_some_rows)

    def add_some_rows(self, _moment: datetime) -> None:
        with self.connect() as connection:
            add_rows(connection, CHANGED_ROWS, self.seed)

    def back_up(self, level: Level, moment: datetime) -> str | None:
        """One more run of the backup job; returns the set's name, None when it failed."""
        name = self.lived.back_up(Night(moment, level))
        self.sets += filter(None, [name])
        return name

    def switch_log(self, moment: datetime) -> str:
        """Close the current log segment at a moment; returns the name of the archived segment."""
        self.lived.move_to(moment)
        return self.lived.switch_log()

    def start_in_present(self) -> None:
        """Let the server run on with the real clock, archiving every minute."""
        self.lived.stop()
        settings = QUICK | archive_settings(self.places.wal, timeout_s=60) | _summaries(self.binaries)
        self.lived.server.start(self.lived.job.port, settings)
        self.lived.server.wait_ready()

    def copy_backups(self, dest: Path, *, shared: bool = False) -> BackupPlaces:
        """A full copy of sets, logs and job log, with nothing shared, links to tablespaces included.

        `shared`: files are hard links, ten times as quick; they may be removed or replaced, and never changed in place.
        """
        subprocess.run(["cp", "-al" if shared else "-a", "--", str(self.places.root), str(dest)], check=True)
        for link in dest.glob("sets/*/pg_tblspc/*"):
            target, folder = dest / link.readlink().relative_to(self.places.root), link.parent.stat()
            link.unlink()
            link.symlink_to(target)
            os.utime(link.parent, ns=(folder.st_atime_ns, folder.st_mtime_ns))
        return BackupPlaces(dest)

    def close(self) -> None:
        self.lived.stop()


def build_world(
    root: Path,
    *,
    days: int = 3,
    database_rows: int = ROWS,
    tablespace: bool = False,
    form: Form = "plain",
    binaries: Binaries | None = None,
    seed: int = 1,
    last_day: date = LAST_DAY,
    after: After = "stopped",
    own_identity: bool = False,
    nights: Sequence[Night] = (),
    wal_segment_mb: int = 1,
) -> World:
    """A world whose job ran at 01:30 on `days` nights up to `last_day`: one full, then incrementals (fulls before 17).

    Rows change at four moments of each day up to the morning of `last_day`; `database_rows=0` leaves all tables empty.
    `nights` are other runs of the job, the last of them before that morning. `after` says how the server is left. Worlds
    of one process share a system identifier unless `own_identity`.
    """
    binaries = binaries or find_binaries()
    runs = tuple(nights) or _nights(last_day, days, binaries.major)
    world = _found_world(root, binaries, form, seed, runs, own_identity, wal_segment_mb)
    try:
        _live_days(world, database_rows, tablespace, last_day)
        if after == "present":
            world.start_in_present()
    except BaseException:
        world.close()
        raise
    if after == "stopped":
        world.close()
    return world


def _live_days(world: World, database_rows: int, tablespace: bool, last_day: date) -> None:
    """Fill the tables before the first night, and live up to the last morning."""
    world.lived.move_to(world.nights[0].at - timedelta(hours=2))
    with world.connect() as connection:
        if tablespace:
            _add_tablespace(connection, world.root / "spc")
        add_rows(connection, database_rows, world.seed)
    until = datetime.combine(last_day, BACKUP_AT, ZONE) + timedelta(hours=6)
    world.sets = live_past(world.lived, world.nights, until, world.add_some_rows if database_rows else None)


def _found_world(
    root: Path, binaries: Binaries, form: Form, seed: int, nights: tuple[Night, ...], own_identity: bool, wal_segment_mb: int
) -> World:
    """A world on its first day: a cluster with empty tables that has not yet run."""
    root = root.absolute()
    root.mkdir(parents=True, exist_ok=True)
    own = own_identity or wal_segment_mb != TEMPLATE_SEGMENT_MB
    source = _make_template(binaries, root / "template", wal_segment_mb, lean=False) if own else _template(binaries)
    subprocess.run(["cp", "-a", "--", str(source / "data"), str(root / "data")], check=True)
    places = BackupPlaces(root / "backups")
    places.make()
    job = BackupJob(binaries, places, free_port(), "backup_job", PASSWORD, MovedClock(root / "clock"), form, dbname=DBNAME)
    settings = QUICK | archive_settings(places.wal, timeout_s=0) | _summaries(binaries)
    lived = LivedServer(PostgresServer(binaries, root / "data"), job, PASSWORD, DBNAME, settings)
    return World(root, binaries, lived, nights, seed)


def _nights(last_day: date, days: int, major: int) -> tuple[Night, ...]:
    later = Level.INCREMENTAL if major >= FIRST_WITH_INCREMENTAL else Level.FULL
    ats = [datetime.combine(last_day - timedelta(days=back), BACKUP_AT, ZONE) for back in reversed(range(days))]
    return tuple(Night(at, later if n else Level.FULL) for n, at in enumerate(ats))


def _summaries(binaries: Binaries) -> dict[str, str]:
    return {"summarize_wal": "on"} if binaries.major >= FIRST_WITH_INCREMENTAL else {}


def add_rows(connection: Connection, rows: int, seed: int) -> None:
    """Add rows to every table of a world; `t.at` is the server's time."""
    connection.execute((SQL_DIR / "world_rows.sql").read_bytes(), {"rows": rows, "seed": seed})


def _add_tablespace(connection: Connection, location: Path) -> None:
    location.mkdir(mode=0o700)
    give_to_server(location)
    connection.execute(sql.SQL("create tablespace spc location {}").format(sql.Literal(str(location))))
    connection.execute("alter table t set tablespace spc")


@cache
def _template(binaries: Binaries) -> Path:
    """A cluster with a world's accounts and empty tables, made once per process and copied for each world."""
    place = Path(tempfile.mkdtemp(prefix="drydock-template-"))
    place.chmod(0o755)
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return _make_template(binaries, place, TEMPLATE_SEGMENT_MB, lean=True)


def _make_template(binaries: Binaries, place: Path, wal_segment_mb: int, lean: bool) -> Path:
    """`lean`: of the databases that initdb makes only template1 is left, so that a set has half as many files."""
    place.mkdir(parents=True, exist_ok=True)
    initialise(binaries, place / "data", password=PASSWORD, wal_segment_mb=wal_segment_mb)
    server = PostgresServer(binaries, place / "data")
    server.start(options=QUICK)
    try:
        server.wait_ready()
        _make_accounts(server.port)
        grant_looking(binaries, server.port, PASSWORD)
        _make_database(server.port, lean)
    finally:
        server.stop()
    return place


def _connect_to(port: int, dbname: str) -> Connection:
    return psycopg.connect(host=LOCALHOST, port=port, user="postgres", password=PASSWORD, dbname=dbname, autocommit=True)


def _make_accounts(port: int) -> None:
    with _connect_to(port, "postgres") as connection:
        connection.execute((SQL_DIR / "world_accounts.sql").read_bytes())
        for role in ("backup_job", LOOKING_ACCOUNT):
            connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(PASSWORD)))


def _make_database(port: int, lean: bool) -> None:
    with _connect_to(port, "template1") as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(DBNAME)))
        if lean:
            connection.execute("alter database template0 is_template false")
            connection.execute("drop database template0")
            connection.execute("drop database postgres")
    with _connect_to(port, DBNAME) as connection:
        connection.execute((SQL_DIR / "world.sql").read_bytes())

"""A real pgBackRest repository of a real PostgreSQL 15: looked at, read back, damaged, and drilled."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from drydock.backup.drill.course import run_drill
from drydock.backup.facts import Level
from drydock.backup.results import Drill
from drydock.backup.source import SourceUnreadable
from drydock.backup.sources.pgbackrest import PgBackRestSource
from drydock.engines.postgres_binaries import BinariesMissing, find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, free_port, give_to_server, initialise
from drydock.estate import Database, Places
from drydock.policy import BackupPolicy
from drydock.verdicts import Status
from sandbox.clock import ZONE
from tests.leftovers import wait_for_nothing_left

PASSWORD = "of the test"
NEWEST_KNOWN = 15  # Debian's pgbackrest 2.45 knows PostgreSQL up to 15
NOW = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass
class Repository:
    """A repository with its configuration file."""

    root: Path

    @property
    def path(self) -> Path:
        return self.root / "repo"

    @property
    def archive(self) -> Path:
        return next((self.path / "archive" / "demo").glob("15-1/*"))

    def write_configuration(self, data_dir: Path, port: int) -> None:
        for name in ("repo", "lock"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        lines = ["[global]", f"repo1-path={self.path}", f"lock-path={self.root / 'lock'}", "compress-type=none"]
        lines += ["start-fast=y", "repo1-retention-full=9", "log-level-file=off", "log-level-console=warn"]
        lines += ["[demo]", f"pg1-path={data_dir}", f"pg1-port={port}", "pg1-user=postgres"]
        (self.root / "pgbackrest.conf").write_text("\n".join(lines) + "\n")

    def run(self, *arguments: str) -> None:
        command = ["pgbackrest", f"--config={self.root / 'pgbackrest.conf'}", "--stanza=demo", *arguments]
        env = os.environ | {"PGHOST": LOCALHOST, "PGPASSWORD": PASSWORD}
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def source(self) -> PgBackRestSource:
        return PgBackRestSource(Places(sets=str(self.root / "pgbackrest.conf"), stanza="demo"), ZONE)

    def copy(self, root: Path) -> Repository:
        root.mkdir()
        shutil.copytree(self.path, root / "repo")
        copied = Repository(root)
        copied.write_configuration(root / "nowhere", 1)  # production is not at hand in a drill
        return copied


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """One full and one incremental backup with a tablespace, and archived logs before, between and after them."""
    if shutil.which("pgbackrest") is None:
        pytest.skip("pgbackrest is not installed here")
    try:
        binaries = find_binaries(NEWEST_KNOWN)
    except BinariesMissing:
        pytest.skip("PostgreSQL 15 is not installed here")
    root = tmp_path_factory.mktemp("pgbackrest")
    initialise(binaries, root / "data", password=PASSWORD, wal_segment_mb=1)
    repository, server, port = Repository(root), PostgresServer(binaries, root / "data"), free_port()
    repository.write_configuration(root / "data", port)
    give_to_server(root)
    push = f"pgbackrest --config={root / 'pgbackrest.conf'} --stanza=demo archive-push %p"
    server.start(port, {"archive_mode": "on", "archive_command": push, "wal_level": "replica", "fsync": "off"})
    try:
        server.wait_ready()
        live(repository, port, root)
    finally:
        server.stop()
    yield repository


def live(repository: Repository, port: int, root: Path) -> None:
    repository.run("stanza-create")
    login = {"host": LOCALHOST, "port": port, "user": "postgres", "password": PASSWORD, "dbname": "postgres"}
    with psycopg.connect(**login, autocommit=True) as connection:
        (root / "spc").mkdir(mode=0o700)
        give_to_server(root / "spc")
        connection.execute(f"create tablespace spc location '{root / 'spc'}'")
        connection.execute("create table head (id int primary key) tablespace spc")
        connection.execute("create table line (id int references head, at timestamptz default clock_timestamp())")
        add_rows(connection, 1)
        repository.run("--type=full", "backup")
        add_rows(connection, 1001)
        repository.run("--type=incr", "backup")
        for first in (2001, 3001, 4001):
            add_rows(connection, first)
        last = connection.execute("select pg_walfile_name(pg_switch_wal())").fetchone()[0]
        while not list(repository.archive.glob(f"{last}-*")):
            connection.execute("select pg_sleep(0.02)")


def add_rows(connection: psycopg.Connection, first: int) -> None:
    connection.execute("insert into head select g from generate_series(%s::int, %s) g", (first, first + 999))
    connection.execute("insert into line select g from generate_series(%s::int, %s) g", (first, first + 999))
    connection.execute("select pg_switch_wal()")


@pytest.fixture
def repository(original: Repository, tmp_path: Path) -> Repository:
    return original.copy(tmp_path / "copied")


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def drill(repository: Repository, scratch: Path, target_time: datetime | None = None) -> Drill:
    source = repository.source()
    database = Database(
        id="gz_main",
        name_zh="主库",
        name_en="Main",
        platform="main",
        engine="postgresql",
        connection="gz_main",
        role="primary",
        owner="dba",
        low_peak_windows=({"days": ("mon",), "start": "01:00", "end": "05:00"},),
        backup={
            "source": "pgbackrest",
            "places": {"sets": str(repository.root / "pgbackrest.conf"), "stanza": "demo"},
            "plan": ({"level": "full", "cron": "30 1 * * *"},),
            "retention_days": 7,
            "rpo_minutes": 60,
            "rto_minutes": 60,
            "drill": {
                "assertions": (
                    {"name": "all_rows", "kind": "row_count", "table": "head", "at_least": 5000},
                    {"name": "lines_have_heads", "kind": "foreign_keys", "table": "line"},
                    {"name": "rows_new", "kind": "newest_row", "table": "line", "column": "at", "no_older_than_hours": 1},
                )
            },
        },
    )
    result = run_drill(
        database,
        source,
        source.survey_sets(NOW),
        target_time=target_time,
        forecast=None,
        policy=BackupPolicy(),
        scratch_root=scratch,
    )
    assert wait_for_nothing_left(scratch) == []
    return result


def test_a_healthy_repository_is_surveyed_and_read_back(repository: Repository):
    source = repository.source()
    full, increment = source.survey_sets(NOW)
    assert (full.level, increment.level, increment.parent_id) == (Level.FULL, Level.INCREMENTAL, full.set_id)
    assert full.problems == increment.problems == () and full.restored_bytes > 20_000_000
    logs = source.survey_logs(NOW)
    (log_range,) = logs.ranges
    assert logs.segment_bytes == 1024 * 1024 and logs.problems == ()
    assert log_range.first_position <= full.start_position < increment.start_position < log_range.end_position
    told: list[int] = []
    reads = [
        source.read_set(full, told.append),
        source.read_set(increment, told.append),
        source.read_logs(log_range, told.append),
    ]
    assert [r.findings for r in reads] == [(), (), ()] and all(r.files > 0 for r in reads)
    assert told == [full.total_bytes, increment.total_bytes, log_range.total_bytes]


def test_nothing_is_there_before_it_was_made(repository: Repository):
    source = repository.source()
    full, increment = source.survey_sets(NOW)
    assert source.survey_sets(full.finished_at) in ((full,), (full, increment))  # two backups may end in one second
    assert source.survey_sets(full.started_at - timedelta(seconds=5)) == ()
    assert source.survey_logs(full.started_at - timedelta(days=1)).ranges == ()


def test_a_flipped_byte_in_a_set_is_read(repository: Repository):
    source = repository.source()
    full, _ = source.survey_sets(NOW)
    damaged = repository.path / "backup" / "demo" / full.set_id / "pg_data" / "base" / "1" / "1255"
    flip(damaged)
    findings = source.read_set(full).findings
    assert [(f.code, f.place) for f in findings] == [("set_checksum", f"{full.set_id}/pg_data/base/1/1255")]


def test_a_missing_file_of_the_full_is_charged_to_the_increment_too(repository: Repository):
    source = repository.source()
    full, increment = source.survey_sets(NOW)
    (repository.path / "backup" / "demo" / full.set_id / "pg_data" / "base" / "1" / "1255").unlink()
    for backup_set in (full, increment):
        (finding,) = source.read_set(backup_set).findings
        assert (finding.code, finding.values["reason"]) == ("set_file_unreadable", "not there")


def test_a_set_that_only_the_catalogue_knows_has_no_manifest(repository: Repository):
    source = repository.source()
    _, increment = source.survey_sets(NOW)
    shutil.rmtree(repository.path / "backup" / "demo" / increment.set_id)
    _, surveyed = source.survey_sets(NOW)
    assert [p.code for p in surveyed.problems] == ["manifest_missing"] and not surveyed.is_usable
    read = source.read_set(surveyed)
    assert [f.code for f in read.findings] == ["manifest_missing"] and (read.files, read.read_bytes) == (0, 0)


def test_a_damaged_log_and_a_gap_are_named(repository: Repository):
    source = repository.source()
    names = sorted(p.name[:24] for p in repository.archive.iterdir() if "-" in p.name)
    flip(next(repository.archive.glob(f"{names[1]}-*")))
    next(repository.archive.glob(f"{names[3]}-*")).unlink()
    first, second = source.survey_logs(NOW).ranges
    assert (first.first, first.last, second.first) == (names[0], names[2], names[4])
    assert [(f.code, f.place) for f in source.read_logs(first).findings] == [("log_damaged", names[1])]
    assert source.read_logs(second).findings == ()


@pytest.mark.parametrize("broken", ["no repository", "no configuration", "no stanza"])
def test_what_cannot_be_looked_at_says_why(repository: Repository, broken: str):
    source = repository.source()
    if broken == "no repository":
        shutil.rmtree(repository.path)
    elif broken == "no configuration":
        (repository.root / "pgbackrest.conf").unlink()
    else:
        source = PgBackRestSource(Places(sets=str(repository.root / "pgbackrest.conf")), ZONE)
    with pytest.raises(SourceUnreadable, match=r"missing stanza path|unable to open missing file|no stanza"):
        source.survey_sets(NOW)


def test_a_healthy_chain_passes_the_drill(repository: Repository, tmp_path: Path):
    result = drill(repository, tmp_path / "scratch")
    assert result.findings == () and result.assertions == 3
    assert [p.name for p in result.phases] == ["restore", "recover", "pages", "structure", "content"]
    assert result.replayed_bytes > 1_000_000 and len(result.chain) == 2


def test_a_lost_log_fails_the_drill(repository: Repository, tmp_path: Path):
    logs = sorted(p for p in repository.archive.iterdir() if "-" in p.name)
    logs[-3].unlink()
    result = drill(repository, tmp_path / "scratch")
    assert {f.code for f in result.findings} >= {"assertion_failed"} and not result.passed


def test_a_set_without_manifest_fails_the_drill(repository: Repository, tmp_path: Path):
    for manifest in (repository.path / "backup" / "demo").glob("*I/backup.manifest*"):
        manifest.unlink()
    (finding,) = drill(repository, tmp_path / "scratch").findings
    assert (finding.code, finding.status, finding.place) == ("drill_failed", Status.FAIL, "restore")

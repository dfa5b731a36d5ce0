"""Restore drills on real backups: a healthy chain passes, every fault is named, and nothing is ever left behind."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import crc32c
import psycopg
import pytest

from drydock.backup.chains import Chain
from drydock.backup.drill import restored_copy
from drydock.backup.drill.course import run_drill
from drydock.backup.drill.target import choose_target_time
from drydock.backup.facts import Level, LogArchive
from drydock.backup.results import Drill
from drydock.backup.scratch import sweep_scratch
from drydock.backup.source import RestoreFailed, SourceUnreadable
from drydock.backup.sources.pg_basebackup import PgBasebackupSource
from drydock.backup.survey import survey_database
from drydock.engines.postgres_binaries import BinariesMissing, find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, initialise, run_as_server
from drydock.estate import BackupPlan, Database, Places
from drydock.policy import BackupPolicy
from drydock.verdicts import Finding, Status
from sandbox.backup_job import BackupPlaces
from sandbox.clock import ZONE
from sandbox.past import DAY_MOMENTS
from sandbox.world import LAST_DAY, World, build_world
from tests.faults.damage import fingerprints, own
from tests.leftovers import left_behind, wait_for_nothing_left

LAST_CHANGE = datetime.combine(LAST_DAY, DAY_MOMENTS[0], ZONE)
STALE, SEEN = LAST_CHANGE - timedelta(days=3), ("at", "local_at", "day")
PHASES = ["restore", "recover", "pages", "structure", "content"]
ASSERTIONS = (
    {"name": "rows_there", "kind": "row_count", "table": "public.t", "at_least": 200},
    {"name": "rows_new", "kind": "newest_row", "table": "t", "column": "at", "no_older_than_hours": 24},
    {"name": "lines_have_heads", "kind": "foreign_keys", "table": "line"},
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A full and an increment, with log archived before, between and after them. Tests damage copies only."""
    world = build_world(tmp_path_factory.mktemp("world") / "world", days=2)
    before = fingerprints(world.places)
    yield world
    assert fingerprints(world.places) == before, "damaged by a test that did not own its file"


@pytest.fixture(scope="module")
def unsound_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A database that is wrong in itself: an orphan, an empty table, an index that lost its rows, odd names."""
    lived = build_world(tmp_path_factory.mktemp("world") / "unsound", days=1, after="past", seed=2)
    with lived.connect() as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("insert into line (head_id, line_no, amount) values (-1, 1, 0), (-2, 1, 0)")
        connection.execute("create table seen (at timestamptz, local_at timestamp, day date)")
        connection.execute("insert into seen values (%s, %s, %s)", (STALE, STALE.replace(tzinfo=None), STALE.date()))
        connection.execute("insert into seen values ('2099-01-01', '2099-01-01', '2099-01-01')")
        connection.execute("create table never_filled (id int)")
        connection.execute("create function turn(int) returns int immutable language sql as 'select $1'")
        connection.execute("create table turned as select i from generate_series(1, 500) i")
        connection.execute("create index turned_by_function on turned (turn(i))")
        connection.execute("create or replace function turn(int) returns int immutable language sql as 'select -$1'")
        connection.execute('create table "Par""ent" ("k ;--" bigint, "K2" text, primary key ("k ;--", "K2"))')
        connection.execute('create table child (a int, b text, foreign key (a, b) references "Par""ent")')
        connection.execute("insert into child values (1, 'x'), (1, null), (null, null), (null, 'y')")
    lived.switch_log(LAST_CHANGE + timedelta(minutes=1))
    lived.close()
    return lived


@pytest.fixture
def places(world: World, tmp_path: Path) -> BackupPlaces:
    """A copy to be damaged. Its files are shared with the world until `own` makes one its own."""
    return world.copy_backups(tmp_path / "backups", shared=True)


def make_database(places: BackupPlaces, *assertions: dict, dbname: str = "world") -> Database:
    return Database(
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
            "source": "pg_basebackup",
            "places": {"sets": str(places.sets), "logs": str(places.wal)},
            "plan": ({"level": "full", "cron": "30 1 * * *"},),
            "retention_days": 7,
            "rpo_minutes": 60,
            "rto_minutes": 60,
            "drill": {"dbname": dbname, "assertions": assertions},
        },
    )


def without_logs(plan: BackupPlan) -> BackupPlan:
    return plan.model_copy(update={"places": plan.places.model_copy(update={"logs": None})})


def source_of(places: BackupPlaces) -> PgBasebackupSource:
    return PgBasebackupSource(Places(sets=str(places.sets), logs=str(places.wal)), ZONE)


def drill(places: BackupPlaces, scratch: Path, *assertions: dict, source=None, policy=None, **more) -> Drill:
    """Drill the newest chain; the scratch root must be empty afterwards, and no server may run from it."""
    usual = source_of(places)
    chain = newest_chain(usual)
    result = run_drill(
        make_database(places, *assertions),
        source or usual,
        chain,
        target_time=more.get("target_time"),
        forecast=None,
        policy=policy or BackupPolicy(),
        scratch_root=scratch,
        wants_assertions=more.get("wants_assertions", bool(assertions)),
    )
    assert wait_for_nothing_left(scratch) == []
    return result


def newest_chain(source: PgBasebackupSource) -> Chain:
    sets = source.survey_sets(datetime.now(UTC))
    return tuple(sets) if sets[-1].level is Level.INCREMENTAL else (sets[-1],)


def of_code(findings: tuple[Finding, ...], code: str) -> list[Finding]:
    return [f for f in findings if f.code == code]


def flip(path: Path, offset: int) -> None:
    with own(path).open("r+b") as file:
        file.seek(offset)
        (byte,) = file.read(1)
        file.seek(offset)
        file.write(bytes([byte ^ 0x10]))


def test_a_healthy_chain_passes_every_phase(world: World, places: BackupPlaces, tmp_path: Path):
    result = drill(places, tmp_path / "scratch", *ASSERTIONS)
    assert result.findings == () and result.passed
    assert [p.name for p in result.phases] == PHASES
    assert list(result.chain) == world.sets and result.set_id == world.sets[-1]
    assert abs(result.recovered_to - LAST_CHANGE) < timedelta(minutes=1)
    assert result.assertions == 3 and result.replayed_bytes > 0 and result.restored_bytes > 12_000_000
    assert all(p.elapsed_s > 0 for p in result.phases)
    assert {p.name: p.work_bytes > 1_000_000 for p in result.phases if p.name in ("pages", "structure")} == {
        "pages": True,
        "structure": True,
    }


def test_recovery_to_a_point_in_time_stops_there(places: BackupPlaces, tmp_path: Path):
    target = LAST_CHANGE - timedelta(hours=1)
    young = {"name": "old", "kind": "newest_row", "table": "t", "column": "at", "no_older_than_hours": 1}
    result = drill(places, tmp_path / "scratch", ASSERTIONS[0], young, target_time=target)
    assert result.recovered_to < target and result.target_time == target
    (finding,) = result.findings  # rows of the last change are not there: the newest row is of the evening before
    assert (finding.code, finding.values["assertion"]) == ("assertion_failed", "old")
    assert finding.values["found"] == "max(at) = 2026-11-19 21:00 +0800"


def test_the_moment_that_the_turns_choose_is_reached(world: World, places: BackupPlaces, tmp_path: Path):
    source = source_of(places)
    survey = survey_database(make_database(places), source, None, LAST_CHANGE + timedelta(days=1))
    chain = survey.sets[:1]
    before = Drill(drill_id="drydock-drill-00000000", set_id="x", started_at=LAST_CHANGE, ended_at=LAST_CHANGE)
    assert choose_target_time(survey, chain, ()) is None
    target = choose_target_time(survey, chain, (before,))
    assert chain[0].finished_at < target < survey.logs.ranges[-1].last_at
    options = {"forecast": None, "policy": BackupPolicy(), "scratch_root": tmp_path / "scratch"}
    result = run_drill(make_database(places, ASSERTIONS[0]), source, chain, target_time=target, **options)
    assert result.findings == () and result.target_time == target
    assert chain[0].finished_at <= result.recovered_to < target < LAST_CHANGE


def test_a_target_after_the_last_commit_is_reached_when_later_logs_are_there(places: BackupPlaces, tmp_path: Path):
    newest = max(places.wal.iterdir())
    later = LAST_CHANGE + timedelta(hours=3)
    os.utime(own(newest), (later.timestamp(), later.timestamp()))
    result = drill(places, tmp_path / "scratch", target_time=LAST_CHANGE + timedelta(hours=2))
    assert result.findings == () and abs(result.recovered_to - LAST_CHANGE) < timedelta(minutes=1)


def test_logs_that_end_before_the_target_fail_the_drill(places: BackupPlaces, tmp_path: Path):
    for segment in sorted(p for p in places.wal.iterdir() if len(p.name) == 24)[-2:]:  # the last may hold no change
        segment.unlink()
    result = drill(places, tmp_path / "scratch", *ASSERTIONS, target_time=LAST_CHANGE)
    (finding,) = result.findings
    assert (finding.code, finding.status, finding.place) == ("drill_failed", Status.FAIL, "recover")
    assert "recovery ended before configured recovery target was reached" in finding.values["problems"]
    assert [p.name for p in result.phases] == ["restore", "recover"] and result.recovered_to is None


def test_a_log_that_the_last_backup_needs_is_missing(places: BackupPlaces, tmp_path: Path):
    for log in places.wal.iterdir():
        log.unlink()
    for log in places.sets.glob("*/pg_wal/0*"):
        log.unlink()
    unread, failed = drill(places, tmp_path / "scratch").findings
    assert (unread.code, unread.values["reason"]) == ("drill_logs_unread", "there is no log")
    assert (failed.code, failed.status, failed.place) == ("drill_failed", Status.FAIL, "recover")


class HiddenLogsSource(PgBasebackupSource):
    """The share with the archived logs is away for as long as the drill takes."""

    def survey_logs(self, as_of: datetime) -> LogArchive | None:
        raise SourceUnreadable("/logs: Input/output error")

    def fetch_log_command(self) -> str:
        return "exit 1"


@pytest.mark.parametrize("target", [None, LAST_CHANGE - timedelta(hours=1)])
def test_a_drill_that_cannot_see_the_logs_does_not_pass(places: BackupPlaces, tmp_path: Path, target: datetime | None):
    source = HiddenLogsSource(Places(sets=str(places.sets), logs=str(places.wal)), ZONE)
    result = drill(places, tmp_path / "scratch", ASSERTIONS[0], source=source, target_time=target)
    (finding,) = result.findings
    assert (finding.code, finding.status, finding.place) == ("drill_logs_unread", Status.UNKNOWN, str(places.wal))
    assert finding.values == {"reason": "/logs: Input/output error"} and result.target_time is None and not result.passed


class ShortArchiveSource(PgBasebackupSource):
    """Lists all logs, and cannot fetch the last of them."""

    def fetch_log_command(self) -> str:
        newest = self.survey_logs(datetime.now(UTC)).ranges[-1].last
        return f"[ %f != {newest} ] && {{ {super().fetch_log_command()}; }}"


def test_a_single_log_that_was_not_replayed_is_told(places: BackupPlaces, tmp_path: Path):
    source = ShortArchiveSource(Places(sets=str(places.sets), logs=str(places.wal)), ZONE)
    (finding,) = drill(places, tmp_path / "scratch", ASSERTIONS[0], source=source).findings
    assert (finding.code, finding.status) == ("drill_ended_early", Status.FAIL)
    assert 1024 * 1024 < finding.values["missing_bytes"] < 2 * 1024 * 1024


def test_logs_that_fail_before_an_idle_target_are_told(world: World, places: BackupPlaces, tmp_path: Path):
    shutil.rmtree(places.sets / world.sets[-1])
    logs = sorted(p for p in places.wal.iterdir() if len(p.name) == 24)
    logs[-4].unlink()
    result = drill(places, tmp_path / "scratch", target_time=LAST_CHANGE - timedelta(minutes=1))
    (finding,) = result.findings  # a later log is there, so recovery goes on to the end, which it does not reach
    assert (finding.code, finding.status) == ("drill_ended_early", Status.FAIL)


def test_recovery_that_stops_at_a_gap_is_told(world: World, places: BackupPlaces, tmp_path: Path):
    shutil.rmtree(places.sets / world.sets[-1])  # from the full on there are logs enough to lose one in their middle
    logs = sorted(p for p in places.wal.iterdir() if len(p.name) == 24)
    logs[-4].unlink()
    (finding,) = drill(places, tmp_path / "scratch").findings
    assert (finding.code, finding.status) == ("drill_ended_early", Status.FAIL)
    assert finding.values["missing_bytes"] >= 3 * 1024 * 1024


def test_a_damaged_page_is_found_though_the_manifest_was_edited_to_match(places: BackupPlaces, tmp_path: Path):
    name = damage_page_and_edit_manifest(places)
    result = drill(places, tmp_path / "scratch", *ASSERTIONS)
    (finding,) = of_code(result.findings, "drill_checksum")
    assert finding.values == {"file": name, "block": 3, "blocks": 1} and finding.status is Status.FAIL
    structure = of_code(result.findings, "drill_structure")
    assert structure and "pg_description" in structure[0].values["object"] and not result.passed


def damage_page_and_edit_manifest(places: BackupPlaces) -> str:
    """Flip a byte in a catalogue table that nobody writes to, in the full backup; returns the file's name."""
    (full, _) = sorted(places.sets.iterdir())
    path = max(full.glob("base/*/2609"), key=lambda p: int(p.parent.name))
    flip(path, 3 * 8192 + 4000)
    name = str(path.relative_to(full))
    manifest = full / "backup_manifest"
    lines = manifest.read_text().splitlines()
    checksum = crc32c.crc32c(path.read_bytes()).to_bytes(4, "little").hex()
    at = next(i for i, line in enumerate(lines) if f'"{name}"' in line)
    row = json.loads(lines[at].rstrip(","))
    lines[at] = lines[at].replace(row["Checksum"], checksum)
    body = "\n".join(lines[:-1]) + "\n"
    own(manifest).write_text(body + f'"Manifest-Checksum": "{hashlib.sha256(body.encode()).hexdigest()}"}}\n')
    verified = subprocess.run(
        [find_binaries().tool("pg_verifybackup"), "-n", full], env={"LC_ALL": "C"}, capture_output=True, text=True
    )
    assert verified.returncode == 0, verified.stderr
    return name


def test_wrong_rows_are_found_by_what_was_declared(unsound_world: World, tmp_path: Path):
    declared = (
        {"name": "lines_have_heads", "kind": "foreign_keys", "table": "line"},
        {"name": "odd_names", "kind": "foreign_keys", "table": "child"},
        {"name": "filled", "kind": "row_count", "table": "never_filled", "at_least": 1},
        {"name": "rightly_empty", "kind": "row_count", "table": "never_filled", "at_least": 0},
        {"name": "no_keys", "kind": "foreign_keys", "table": "never_filled"},
        {"name": "gone", "kind": "row_count", "table": "elsewhere.none", "at_least": 0},
        {"name": "a_view", "kind": "row_count", "table": "pg_catalog.pg_stat_activity", "at_least": 0},
        {"name": "no_time", "kind": "newest_row", "table": "t", "column": "id", "no_older_than_hours": 1},
        *({"name": f"only_{c}", "kind": "newest_row", "table": "seen", "column": c, "no_older_than_hours": 24} for c in SEEN),
        *({"name": f"well_{c}", "kind": "newest_row", "table": "seen", "column": c, "no_older_than_hours": 96} for c in SEEN),
        {"name": "no_column", "kind": "newest_row", "table": "t", "column": "none", "no_older_than_hours": 1},
    )
    result = drill(unsound_world.places, tmp_path / "scratch", *declared)
    failed = {f.values["assertion"]: (f.status.value, f.values["found"]) for f in of_code(result.findings, "assertion_failed")}
    assert failed == {
        "lines_have_heads": ("FAIL", "orphans = 2"),
        "odd_names": ("FAIL", "orphans = 1"),
        "filled": ("FAIL", "rows = 0"),
        "no_keys": ("UNKNOWN", "foreign keys = 0"),
        "gone": ("FAIL", "no such table"),
        "a_view": ("UNKNOWN", "relkind = v, foreign tables below it = 0"),
        "only_at": ("FAIL", f"max(at) = {STALE:%Y-%m-%d %H:%M %z}"),
        "only_local_at": ("FAIL", f"max(local_at) = {STALE:%Y-%m-%d %H:%M %z}"),
        "only_day": ("FAIL", f"max(day) = {STALE:%Y-%m-%d} 23:59 +0800"),
        "no_time": ("FAIL", "cannot cast type bigint to timestamp with time zone"),
        "no_column": ("FAIL", 'column "none" does not exist'),
    }
    (index,) = of_code(result.findings, "drill_structure")
    assert index.values["object"] == 'btree index "world.public.turned_by_function"' and result.assertions == 15


def test_a_database_that_is_not_in_the_copy_fails_the_content(places: BackupPlaces, tmp_path: Path):
    database = make_database(places, *ASSERTIONS, dbname="nowhere")
    source = source_of(places)
    chain = newest_chain(source)
    result = run_drill(
        database, source, chain, target_time=None, forecast=None, policy=BackupPolicy(), scratch_root=tmp_path / "scratch"
    )
    assert {f.place for f in of_code(result.findings, "drill_failed")} == {"content"}
    assert 'database "nowhere" does not exist' in result.findings[0].values["problems"] and result.assertions == 0


def test_a_copy_never_does_what_its_own_settings_say(world: World, places: BackupPlaces, tmp_path: Path):
    shutil.rmtree(places.sets / world.sets[-1])
    trace = tmp_path / "trace"
    settings = f"""archive_mode = always
archive_command = 'touch {trace}'
restore_command = 'touch {trace}'
archive_cleanup_command = 'touch {trace}'
recovery_end_command = 'touch {trace}'
primary_conninfo = 'host=127.0.0.1 port=1'
shared_preload_libraries = 'not_here'
listen_addresses = '*'
hba_file = '/dev/null'
"""
    for name in ("postgresql.conf", "postgresql.auto.conf"):
        with own(places.sets / world.sets[0] / name).open("a") as file:
            file.write(settings)
    (places.sets / world.sets[0] / "standby.signal").touch()
    own(places.sets / world.sets[0] / "pg_hba.conf").write_text("host all all 0.0.0.0/0 trust\n")
    assert drill(places, tmp_path / "scratch", *ASSERTIONS).findings == ()
    assert not trace.exists()


class LinkingSource(PgBasebackupSource):
    """Restores by hard links, as a hurried source might: the copy would write into the backup."""

    def restore(self, chain: Chain, data_dir: Path, progress: Callable[[int], None] = lambda _: None) -> int:
        subprocess.run(["cp", "-al", f"{chain[0].place}/.", data_dir], check=True)
        return 1


class SymlinkedTablespaceSource(PgBasebackupSource):
    """Leaves a tablespace where the production server has it."""

    def restore(self, chain: Chain, data_dir: Path, progress: Callable[[int], None] = lambda _: None) -> int:
        subprocess.run(["cp", "-a", f"{chain[0].place}/.", data_dir], check=True)
        (data_dir / "pg_tblspc" / "16400").symlink_to("/var")
        return 1


class HangingSource(PgBasebackupSource):
    """Does not come back, and its child goes on writing."""

    def restore(self, chain: Chain, data_dir: Path, progress: Callable[[int], None] = lambda _: None) -> int:
        with (data_dir / "file").open("w") as file:
            subprocess.run(["sleep", "600"], stdout=file, check=True)
        return 1


@pytest.mark.parametrize(
    ("kind", "reason"), [(LinkingSource, "is a hard link"), (SymlinkedTablespaceSource, "leads out of the scratch area")]
)
def test_a_copy_that_reaches_outside_is_not_started(world: World, tmp_path: Path, kind, reason: str):
    places = world.copy_backups(tmp_path / "backups")  # nothing shared: the drill is given links into it
    source = kind(Places(sets=str(places.sets), logs=str(places.wal)), ZONE)
    before = {p: p.stat().st_mtime_ns for p in places.sets.rglob("*")}
    (finding,) = drill(places, tmp_path / "scratch", source=source).findings
    assert (finding.code, finding.place) == ("drill_failed", "recover") and reason in finding.values["problems"]
    assert {p: p.stat().st_mtime_ns for p in places.sets.rglob("*")} == before, "the backup itself is untouched"


def test_a_restore_that_hangs_is_given_up(places: BackupPlaces, tmp_path: Path):
    source = HangingSource(Places(sets=str(places.sets), logs=str(places.wal)), ZONE)
    policy = BackupPolicy.model_construct(**BackupPolicy().model_dump() | {"drill_timeout_minutes": 0.01})
    (finding,) = drill(places, tmp_path / "scratch", source=source, policy=policy).findings
    assert (finding.code, finding.status, finding.place) == ("drill_failed", Status.UNKNOWN, "restore")


class FullDiskSource(PgBasebackupSource):
    """The drill's own disk fills up, as an exception of ours or as the text of a program."""

    error: Exception

    def restore(self, chain: Chain, data_dir: Path, progress: Callable[[int], None] = lambda _: None) -> int:
        raise self.error


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/scratch/data/base/1/2"),
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), "/scratch/data/base/1/2"),
        RestoreFailed('pg_combinebackup: error: could not write to file "base/1/2": No space left on device'),
    ],
)
def test_a_full_disk_of_ours_says_nothing_about_the_backup(places: BackupPlaces, tmp_path: Path, error: Exception):
    source = FullDiskSource(Places(sets=str(places.sets), logs=str(places.wal)), ZONE)
    source.error = error
    (finding,) = drill(places, tmp_path / "scratch", source=source).findings
    assert (finding.code, finding.status, finding.place) == ("drill_failed", Status.UNKNOWN, "restore")


class KilledServers:
    """Single-user servers that a signal ends before they say a word, so many times."""

    def __init__(self, times: int) -> None:
        self.left, self.killed = times, 0

    def __call__(self, args: list[str | Path], **more) -> subprocess.CompletedProcess[str]:
        if "--single" in args and self.killed < self.left:
            self.killed += 1
            args = ["/bin/sh", "-c", "kill -9 $$"]
        return run_as_server(args, **more)


def test_a_server_that_was_killed_is_started_once_more(places: BackupPlaces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(restored_copy, "run_as_server", servers := KilledServers(times=1))
    assert drill(places, tmp_path / "scratch").findings == ()
    assert servers.killed == 1


def test_a_server_that_is_always_killed_fails_the_drill(places: BackupPlaces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(restored_copy, "run_as_server", KilledServers(times=99))
    (finding,) = drill(places, tmp_path / "scratch").findings
    assert (finding.code, finding.place) == ("drill_failed", "structure")
    assert "signal 9" in finding.values["problems"]


def test_without_space_nothing_is_begun(places: BackupPlaces, tmp_path: Path):
    policy = BackupPolicy(scratch_free_factor=1e9)
    result = drill(places, tmp_path / "scratch", policy=policy)
    (finding,) = result.findings
    assert (finding.code, finding.status) == ("drill_space", Status.UNKNOWN)
    assert finding.values["needed_bytes"] > finding.values["free_bytes"] > 0 and result.phases == ()


def test_a_restore_that_fails_is_a_finding(places: BackupPlaces, tmp_path: Path):
    chain = newest_chain(source_of(places))
    shutil.rmtree(chain[0].place)
    database = make_database(places)
    result = run_drill(
        database,
        source_of(places),
        chain,
        target_time=None,
        forecast=None,
        policy=BackupPolicy(),
        scratch_root=tmp_path / "scratch",
        wants_assertions=False,
    )
    (finding,) = result.findings
    assert (finding.code, finding.status, finding.place) == ("drill_failed", Status.FAIL, "restore")
    assert wait_for_nothing_left(tmp_path / "scratch") == []


@pytest.fixture(scope="module")
def world_15(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    try:
        binaries = find_binaries(15)
    except BinariesMissing:
        pytest.skip("PostgreSQL 15 is not installed here")
    yield build_world(tmp_path_factory.mktemp("world") / "w15", days=1, binaries=binaries, tablespace=True)


def test_an_older_major_version_with_a_tablespace_passes(world_15: World, tmp_path: Path):
    result = drill(world_15.places, tmp_path / "scratch", *ASSERTIONS)
    assert result.findings == () and [p.name for p in result.phases] == PHASES


@pytest.fixture
def plain_places(tmp_path: Path) -> BackupPlaces:
    """A full backup, complete in itself, of a cluster without checksums whose collation has changed since."""
    places, data_dir, password = BackupPlaces(tmp_path / "plain"), tmp_path / "data", "of the test"
    places.sets.mkdir(parents=True)
    initialise(find_binaries(), data_dir, password=password, checksums=False)
    server = PostgresServer(find_binaries(), data_dir)
    login = {"host": LOCALHOST, "port": server.start(options={"fsync": "off"}), "user": "postgres", "password": password}
    try:
        server.wait_ready()
        with psycopg.connect(**login, dbname="postgres", autocommit=True) as connection:
            connection.execute("update pg_database set datcollversion = 'older' where datname = 'postgres'")
        command = [find_binaries().tool("pg_basebackup"), "-D", places.sets / "one", "-c", "fast", "-h", LOCALHOST]
        env = {"PGPASSWORD": password}
        subprocess.run([*command, "-p", str(server.port), "-U", "postgres", "--no-sync"], env=env, check=True)
    finally:
        server.stop()
    return places


def test_a_drill_that_was_to_prove_content_and_was_told_none_says_so(plain_places: BackupPlaces, tmp_path: Path):
    places = BackupPlaces(plain_places.root)
    source = PgBasebackupSource(Places(sets=str(places.sets)), ZONE)
    database = make_database(places, dbname="postgres")
    database = database.model_copy(update={"backup": without_logs(database.backup)})
    chain, options = source.survey_sets(datetime.now(UTC)), {"target_time": None, "forecast": None, "policy": BackupPolicy()}
    result = run_drill(database, source, chain, **options, scratch_root=tmp_path / "scratch")
    (finding,) = of_code(result.findings, "drill_no_assertions")
    assert (finding.status, finding.place, finding.values) == (Status.WARN, "gz_main", {"database": "gz_main"})
    assert result.passed


def test_what_could_not_be_checked_is_said_and_is_no_fault(plain_places: BackupPlaces, tmp_path: Path):
    source = PgBasebackupSource(Places(sets=str(plain_places.sets)), ZONE)
    database = make_database(plain_places, dbname="postgres")
    chain = source.survey_sets(datetime.now(UTC))
    scratch = tmp_path / "scratch"
    database = database.model_copy(update={"backup": without_logs(database.backup)})
    options = {"target_time": None, "forecast": None, "policy": BackupPolicy(), "wants_assertions": False}
    result = run_drill(database, source, chain, **options, scratch_root=scratch)
    assert {(f.code, f.status) for f in result.findings} == {
        ("drill_pages_off", Status.SKIPPED),
        ("drill_indexes_off", Status.SKIPPED),
    }
    assert result.passed and result.assertions == 0 and result.recovered_to == chain[0].finished_at
    assert of_code(result.findings, "drill_indexes_off")[0].values == {"databases": "postgres"}


def test_a_scratch_root_that_cannot_be_made_is_told(places: BackupPlaces, tmp_path: Path):
    (tmp_path / "file").touch()
    chain = newest_chain(source_of(places))
    root = tmp_path / "file" / "scratch"
    result = run_drill(
        make_database(places, *ASSERTIONS),
        source_of(places),
        chain,
        target_time=None,
        forecast=None,
        policy=BackupPolicy(),
        scratch_root=root,
    )
    (finding,) = result.findings
    assert (finding.code, finding.status) == ("drill_failed", Status.UNKNOWN) and "Not a directory" in finding.values["problems"]


KILLED = """
import json, logging, os, signal, sys, threading
from pathlib import Path
sys.path[:0] = json.loads(sys.argv[1])
from tests.db.test_drill import ASSERTIONS, BackupPolicy, guardians_of, make_database, newest_chain, run_drill, source_of
from sandbox.backup_job import BackupPlaces

def kill():
    if sys.argv[5] == "guardian too":
        for pid in guardians_of(Path(sys.argv[3])):
            os.kill(pid, signal.SIGKILL)
    if sys.argv[5] == "whole group":
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)

class Killer(logging.Handler):
    def emit(self, record):
        if record.getMessage().endswith(f"drill phase {sys.argv[4]} begins"):
            threading.Timer(0.0 if sys.argv[4] == "content" else 0.02, kill).start()

logging.getLogger("drydock").addHandler(Killer())
logging.getLogger("drydock").setLevel(logging.INFO)
places = BackupPlaces(Path(sys.argv[2]))
source = source_of(places)
run_drill(make_database(places, *ASSERTIONS), source, newest_chain(source), target_time=None, forecast=None,
          policy=BackupPolicy(), scratch_root=Path(sys.argv[3]))
"""


def guardians_of(scratch: Path) -> list[int]:
    lines = [line.partition(" ") for line in left_behind(scratch) if "drydock.backup.guardian" in line]
    return [int(pid) for pid, _, _ in lines]


def kill_drill(world: World, scratch: Path, phase: str, how: str) -> None:
    """Run a drill in a process group of its own that kills itself shortly after a phase began."""
    root = Path(__file__).resolve().parents[2]
    paths = json.dumps([str(root / "plugins"), str(root)])
    command = [sys.executable, "-c", KILLED, paths, str(world.places.root), str(scratch), phase, how]
    killed = subprocess.run(command, capture_output=True, text=True, start_new_session=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr


@pytest.mark.parametrize(("phase", "how"), [*((p, "drill") for p in PHASES), ("structure", "whole group")])
def test_a_killed_drill_leaves_nothing(world: World, tmp_path: Path, phase: str, how: str):
    scratch = tmp_path / "scratch"
    kill_drill(world, scratch, phase, how)
    assert wait_for_nothing_left(scratch) == []


def test_the_next_sweep_clears_up_when_the_guardian_died_as_well(world: World, tmp_path: Path):
    scratch = tmp_path / "scratch"
    kill_drill(world, scratch, "structure", "guardian too")
    (area,) = [p.name for p in scratch.iterdir()]
    assert sweep_scratch(scratch) == [area]
    assert wait_for_nothing_left(scratch) == []

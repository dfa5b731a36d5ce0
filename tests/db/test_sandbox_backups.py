"""The sandbox's backups are what a customer's job leaves: real sets and logs with the times of the days they tell of."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from drydock.backup.facts import Level
from drydock.engines.postgres import connect
from drydock.engines.postgres_binaries import BinariesMissing, find_binaries
from drydock.engines.postgres_server import PostgresServer
from sandbox.build import build_sandbox, is_current, remove_sandbox
from sandbox.clock import ZONE, MovedClock
from sandbox.clusters import CLUSTERS, TARGETS, SandboxMissing, cluster_dir, new_sandbox, open_sandbox, target_dbname
from sandbox.faults import FAULTY, remove_data_file, unrun_nights
from sandbox.oracle.target import DATABASE as ORACLE
from sandbox.past import day_moments, plan_nights
from sandbox.truth import TRUTH
from sandbox.world import CHANGED_ROWS, PASSWORD, ROWS, World, build_world

SETS = ["full_20261118T013000", "incremental_20261119T013000", "incremental_20261120T013000"]
CHANGES = 9  # four moments on two days, one on the last morning


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = build_world(tmp_path_factory.mktemp("world"), tablespace=True)
    yield world
    world.close()


def segments(places_wal: Path) -> list[int]:
    """Numbers of the archived segments of one megabyte, in order."""
    return [int(p.name[8:16], 16) * 4096 + int(p.name[16:], 16) for p in sorted(places_wal.iterdir()) if len(p.name) == 24]


def complaint_of(place: Path) -> str:
    """What pg_verifybackup has to say against a set; nothing when it is sound."""
    tool = find_binaries().tool("pg_verifybackup")
    done = subprocess.run([tool, place], capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def restore(world: World, sets: list[str], data_dir: Path, **options: str) -> PostgresServer:
    """Combine a chain, recover it from the archive, and leave it running."""
    newest = world.places.sets / sets[-1]
    moves = [f"--tablespace-mapping={link.readlink()}={data_dir}_spc" for link in newest.glob("pg_tblspc/*")]
    tool = world.binaries.tool("pg_combinebackup")
    subprocess.run([tool, "--no-sync", "-o", data_dir, *moves, *(world.places.sets / s for s in sets)], check=True)
    (data_dir / "recovery.signal").touch()
    server = PostgresServer(world.binaries, data_dir)
    fetch = {"restore_command": f"cp '{world.places.wal}/%f' %p", "archive_mode": "off", "fsync": "off", "hot_standby": "off"}
    server.start(options={**fetch, "recovery_target_action": "promote", **options})
    server.wait_ready(states=["ready"])
    return server


def rows_of(server: PostgresServer) -> int:
    login = {"host": "127.0.0.1", "port": server.port, "user": "postgres", "password": PASSWORD, "dbname": "world"}
    with psycopg.connect(**login) as connection:
        row = connection.execute("select count(*) from t").fetchone()
        return int(row[0]) if row else -1


def test_the_log_tells_every_run_with_the_times_of_its_day(world: World) -> None:
    lines = world.places.log.read_text().splitlines()
    assert world.sets == SETS
    assert lines[0] == "2026-11-18T01:30:00+08:00 full START full_20261118T013000"
    told = [line.split()[1:4] for line in lines]
    assert told == [[s.partition("_")[0], event, s] for s in SETS for event in ("START", "SUCCESS")]
    size_bytes = int(lines[1].split()[4])
    assert 12_000_000 < size_bytes < 40_000_000
    assert lines[1].endswith(" bytes")


def test_sets_and_logs_bear_the_times_of_their_day(world: World) -> None:
    night = at("2026-11-19T01:30:00").timestamp()
    for path in (world.places.sets / SETS[1]).rglob("*"):
        assert night <= path.lstat().st_mtime < night + 60, path
    newest = max(world.places.wal.iterdir(), key=lambda p: p.stat().st_mtime)
    assert 0 <= newest.stat().st_mtime - at("2026-11-20T07:25:00").timestamp() < 60
    label = (world.places.sets / SETS[1] / "backup_label").read_text()
    assert "START TIME: 2026-11-19 01:30:0" in label
    assert "INCREMENTAL FROM LSN: " in label


def test_the_archive_has_no_gap_and_nothing_unfinished(world: World) -> None:
    numbers = segments(world.places.wal)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len(numbers) >= CHANGES + len(SETS)
    assert not list(world.places.wal.glob(".*"))


def test_every_set_is_sound_for_postgresql_itself(world: World) -> None:
    for name in SETS:
        assert complaint_of(world.places.sets / name) == ""


def test_a_chain_restores_and_recovers_to_the_end_of_the_archive(world: World, tmp_path: Path) -> None:
    server = restore(world, SETS, tmp_path / "copy")
    try:
        assert rows_of(server) == ROWS + CHANGES * CHANGED_ROWS
    finally:
        server.stop()


def test_a_chain_recovers_to_a_time_of_a_lived_day(world: World, tmp_path: Path) -> None:
    server = restore(world, SETS[:2], tmp_path / "copy", recovery_target_time="2026-11-19 12:00:00+08")
    try:
        assert rows_of(server) == ROWS + 6 * CHANGED_ROWS
    finally:
        server.stop()


def test_a_copy_shares_nothing_with_the_original(world: World, tmp_path: Path) -> None:
    places = world.copy_backups(tmp_path / "copy")
    link = next((places.sets / SETS[0]).glob("pg_tblspc/*"))
    assert link.readlink().is_relative_to(tmp_path / "copy")
    victim = next(p for p in link.rglob("*") if p.is_file() and p.stat().st_size)
    original = world.places.root / victim.resolve().relative_to(places.root)
    before = original.read_bytes()
    victim.write_bytes(b"damaged")
    assert original.read_bytes() == before
    assert original.stat().st_mtime < at("2026-11-19T00:00:00").timestamp()


def test_a_tar_set_holds_its_archives_and_its_manifest(tmp_path: Path) -> None:
    world = build_world(tmp_path, days=2, form="tar", database_rows=0)
    names = {p.name for p in (world.places.sets / world.sets[1]).iterdir()}
    assert names == {"base.tar", "pg_wal.tar", "backup_manifest"}
    assert world.places.log.read_text().count("SUCCESS") == 2


def test_versions_without_incremental_backups_take_fulls(tmp_path: Path) -> None:
    try:
        old = next(find_binaries(major) for major in (15, 16, 14) if _is_there(major))
    except StopIteration:
        pytest.skip("no PostgreSQL 14 to 16 on this machine")
    world = build_world(tmp_path, days=2, binaries=old)
    assert world.sets == ["full_20261119T013000", "full_20261120T013000"]


def _is_there(major: int) -> bool:
    try:
        return find_binaries(major).major == major
    except BinariesMissing:
        return False


def test_a_failing_backup_is_logged_as_failed_and_leaves_no_set(tmp_path: Path) -> None:
    world = build_world(tmp_path, days=1)
    shutil.rmtree(world.places.sets / world.sets[0])
    try:
        assert world.back_up(Level.INCREMENTAL, at("2026-11-20T20:00:00")) is None
        last = world.places.log.read_text().splitlines()[-1]
    finally:
        world.close()
    assert last.startswith("2026-11-20T20:00:00+08:00 incremental FAILED incremental_20261120T200000 ")
    assert not list(world.places.sets.iterdir())


def test_a_world_goes_on_living_and_then_in_the_present(tmp_path: Path) -> None:
    world = build_world(tmp_path, days=1, after="past", own_identity=True)
    try:
        assert abs(world.now - at("2026-11-20T07:25:00")) < timedelta(minutes=1)
        segment = world.change_rows(at("2026-11-20T09:00:00"))
        assert abs((world.places.wal / segment).stat().st_mtime - at("2026-11-20T09:00:00").timestamp()) < 60
        switched = world.switch_log(at("2026-11-20T09:10:00"))  # its own note of running transactions may have closed one more
        assert switched >= segment
        again = [world.lived.switch_log() for _ in range(4)]  # such a note may come between two as well, but not between all
        assert any(one == other for one, other in itertools.pairwise([switched, *again]))
        assert world.back_up(Level.INCREMENTAL, at("2026-11-20T10:00:00")) == "incremental_20261120T100000"
        world.start_in_present()
        with connect(world.endpoint, purpose="test") as connection:
            row = connection.execute("select now()").fetchone()
        assert row and abs(row["now"] - datetime.now(UTC)) < timedelta(minutes=1)
    finally:
        world.close()
    assert not world.lived.server.is_running()


def test_files_are_dated_once(tmp_path: Path) -> None:
    clock = MovedClock(tmp_path / "clock")
    clock.move_to(at("2026-11-01T00:00:00"))
    file = tmp_path / "file"
    file.touch()
    clock.date_files([file])
    clock.date_files([file])
    assert abs(file.stat().st_mtime - at("2026-11-01T00:00:00").timestamp()) < 5


@pytest.mark.parametrize(
    ("now", "newest"), [("2026-11-22T06:00:00", 22), ("2026-11-22T02:28:00", 21), ("2026-11-22T02:29:00", 22)]
)
def test_the_plan_ends_with_the_last_finished_night(now: str, newest: int) -> None:
    nights = plan_nights(at(now), 9)
    assert nights[-1].at == at(f"2026-11-{newest}T01:30:00")
    assert nights[0].level is Level.FULL
    assert nights[0].at == nights[1].at - timedelta(hours=5, minutes=30)
    assert {n.at.weekday() for n in nights[1:] if n.level is Level.FULL} == {6}
    assert len(nights) == 10


def test_a_day_has_its_moments_between_two_times() -> None:
    moments = list(day_moments(at("2026-11-19T20:00:00"), at("2026-11-20T08:00:00")))
    assert moments == [at("2026-11-19T21:00:00"), at("2026-11-20T07:25:00")]


def test_faults_are_planted_where_the_truth_says(world: World, tmp_path: Path) -> None:
    nights = plan_nights(at("2026-11-22T06:00:00"), 9)
    assert [n.at for n in unrun_nights(FAULTY, nights)] == [at("2026-11-21T01:30:00")]
    on_monday = plan_nights(at("2026-11-23T06:00:00"), 9)
    assert [n.at for n in unrun_nights(FAULTY, on_monday)] == [at("2026-11-23T01:30:00")], "a full is never left out"
    assert unrun_nights("gz_main", nights) == ()
    assert set(TRUTH) == {*TARGETS, ORACLE}
    places = world.copy_backups(tmp_path / "copy")
    lost = remove_data_file(places.sets / SETS[2])
    assert lost.startswith("base/")
    assert lost in complaint_of(places.sets / SETS[2])


def test_the_sandbox_remembers_its_ports_and_hides_its_passwords(tmp_path: Path) -> None:
    with pytest.raises(SandboxMissing, match=r"sandbox\.build"):
        open_sandbox(tmp_path)
    sandbox = new_sandbox(tmp_path)
    sandbox.built_at, sandbox.last_night = at("2026-11-22T06:00:00"), at("2026-11-22T01:30:00")
    sandbox.save()
    again = open_sandbox(tmp_path)
    assert again == sandbox
    assert len(set(again.ports.values())) == len(CLUSTERS)
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert again.passwords["gz_main"]["drydock"] not in (tmp_path / "sandbox.json").read_text() + repr(again)
    assert is_current(again, at("2026-11-23T01:00:00"))
    assert not is_current(again, at("2026-11-23T02:30:00"))


@pytest.mark.slow
def test_the_whole_sandbox_is_built_and_runs_in_the_present(tmp_path: Path) -> None:
    sandbox = build_sandbox(tmp_path, days=3, size=0.02)
    try:
        for database in TARGETS:
            places = sandbox.places(database)
            sets = sorted(places.sets.iterdir(), key=lambda p: p.name.partition("_")[2])
            assert len(sets) == (3 if database == FAULTY else 4)
            done = subprocess.run(
                [find_binaries().tool("pg_verifybackup"), sets[-1]], capture_output=True, text=True, check=False
            )
            assert (done.returncode == 0) == (database != FAULTY), done.stderr
            with sandbox.connect(database, target_dbname(database)) as connection:
                row = connection.execute("select now(), last_archived_time, failed_count from pg_stat_archiver").fetchone()
            assert row and abs(row[0] - datetime.now(UTC)) < timedelta(minutes=1)
            assert row[0] - row[1] < timedelta(minutes=5)
            assert row[2] == 0
        assert is_current(open_sandbox(tmp_path), datetime.now(UTC))
    finally:
        remove_sandbox(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_build_that_is_broken_off_leaves_nothing_running(tmp_path: Path) -> None:
    def break_off(_line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_sandbox(tmp_path, days=3, size=0.02, say=break_off)
    assert not any(PostgresServer(find_binaries(), cluster_dir(tmp_path, c) / "data").is_running() for c in CLUSTERS)
    with pytest.raises(SandboxMissing):
        open_sandbox(tmp_path)

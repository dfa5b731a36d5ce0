"""The survey and the reading of real backups: a sound world without a finding, and each damage by name, place and status.

One world is lived once; every test that damages something works on a copy of its backups.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from drydock.backup.facts import BackupSet, Level
from drydock.backup.postgres.restoring import tablespaces_dir
from drydock.backup.postgres.wal_archive import scan_archive
from drydock.backup.source import RestoreFailed, SourceGone, SourceUnreadable
from drydock.backup.sources.pg_basebackup import PgBasebackupSource
from drydock.backup.survey import survey_target
from drydock.engines.postgres import Endpoint, classify, connect, fetch_rows
from drydock.engines.postgres_binaries import BinariesMissing, find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, free_port, give_to_server
from drydock.estate import Places
from drydock.sqlfiles import SqlFileInvalid, all_sql_files, parse_sql_file, sql_file
from drydock.verdicts import Finding, Status
from sandbox.backup_job import BackupPlaces
from sandbox.clock import ZONE
from sandbox.world import World, build_world
from tests.faults.damage import fingerprints, own

MIB = 1024 * 1024
AS_ROOT = os.geteuid() == 0


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two nights in plain format and two sets in tar format (full, incremental), with a tablespace; still running."""
    world = build_world(tmp_path_factory.mktemp("world"), days=2, tablespace=True, after="past")
    world.lived.job.form = "tar"
    for level in (Level.FULL, Level.INCREMENTAL):
        world.back_up(level, world.now + timedelta(minutes=5))
    world.start_in_present()
    before = fingerprints(world.places)
    yield world
    assert before.items() <= fingerprints(world.places).items(), "damaged by a test that did not own its file"
    world.close()


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRYDOCK_STATE", str(tmp_path / "state"))


@pytest.fixture
def places(world: World, tmp_path: Path) -> BackupPlaces:
    """A copy of the world's backups, to be damaged: its files are shared with the world until `own` makes one its own."""
    return world.copy_backups(tmp_path / "backups", shared=True)


def source_of(places: BackupPlaces, **changed: str | None) -> PgBasebackupSource:
    return PgBasebackupSource(Places(**{"sets": str(places.sets), "logs": str(places.wal)} | changed), ZONE)


def look(places: BackupPlaces, **changed: str | None) -> dict[str, BackupSet]:
    """The sets by what they are: full, incremental, tar, tar incremental."""
    sets = source_of(places, **changed).survey_sets(datetime.now(UTC))
    return {f"{s.form} {s.level}".removeprefix("plain ").removesuffix(" full"): s for s in sets}


def told(findings: tuple[Finding, ...]) -> list[tuple[str, str, Status]]:
    return [(f.code, f.place, f.status) for f in findings]


def data_file(backup_set: BackupSet, smallest: int = 16384) -> Path:
    """A relation file of the set with some content."""
    files = sorted(p for p in Path(backup_set.place).glob("base/*/*") if p.stat().st_size >= smallest and "INCR" not in p.name)
    return files[len(files) // 2]


def flip(path: Path, offset: int) -> None:
    """Change one byte and nothing else, not even the time of the file."""
    times = own(path).stat()
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x55]))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def reseal(root: Path, change: Callable[[dict], None]) -> None:
    """Change a manifest and give it a right checksum again."""
    path = root / "backup_manifest"
    content = json.loads(path.read_bytes())
    change(content)
    del content["Manifest-Checksum"]
    body = (json.dumps(content)[:-1] + ",\n").encode()
    own(path).write_bytes(body + b'"Manifest-Checksum": "%s"}\n' % hashlib.sha256(body).hexdigest().encode())


# ---- what is sound -------------------------------------------------------------------------------------------------


def test_a_sound_world_has_no_finding(world: World) -> None:
    sets = look(world.places)
    assert [s.problems for s in sets.values()] == [(), (), (), ()]
    for full, incremental in (("full", "incremental"), ("tar", "tar incremental")):
        parent, child = sets[full], sets[incremental]
        assert (child.parent_id, child.parent_position) == (parent.set_id, parent.start_position)
        assert (parent.parent_id, parent.form, parent.level) == (None, "tar" if full == "tar" else "plain", Level.FULL)
    for s in sets.values():
        assert s.is_usable
        assert s.start_position < s.stop_position
        assert s.started_at <= s.finished_at < world.now
        assert [(t.name, bool(t.place)) for t in s.tablespaces] == [("", True)]
    assert len({s.system_id for s in sets.values()}) == 1


def test_all_bytes_of_a_sound_world_are_read(world: World) -> None:
    source, seen = source_of(world.places), []
    for s in look(world.places).values():
        read = source.read_set(s, seen.append)
        assert (read.findings, read.set_id) == ((), s.set_id)
        left_out = (Path(s.place) / "backup_manifest").stat().st_size if s.form == "tar" else 0
        assert read.read_bytes == s.total_bytes - left_out
        assert sum(seen) == read.read_bytes
        assert read.files > 500
        seen.clear()
    for log_range in source.survey_logs(datetime.now(UTC)).ranges:
        read = source.read_logs(log_range, seen.append)
        assert (read.findings, read.files, read.read_bytes) == ((), log_range.segments, log_range.total_bytes)
        assert sum(seen) == log_range.total_bytes


def test_a_past_day_sees_only_what_was_there(world: World) -> None:
    full = look(world.places)["full"]
    source = source_of(world.places)
    assert [s.set_id for s in source.survey_sets(full.finished_at + timedelta(hours=1))] == [full.set_id]
    assert source.survey_sets(full.started_at - timedelta(hours=1)) == ()
    assert source.survey_logs(full.started_at - timedelta(days=9)).segments == 0


def test_sets_in_folders_by_month_and_a_link_to_the_latest(places: BackupPlaces) -> None:
    full = Path(look(places)["full"].place)
    (places.sets / "2026" / "11").mkdir(parents=True)
    full.rename(places.sets / "2026" / "11" / "a")
    (places.sets / "latest").symlink_to(places.sets / "2026" / "11" / "a")
    assert "2026/11/a" in {s.set_id for s in look(places).values()}
    assert len(source_of(places).survey_sets(datetime.now(UTC))) == 4


def test_a_single_set_can_be_the_place(places: BackupPlaces) -> None:
    full = look(places)["full"]
    (found,) = source_of(places, sets=full.place).survey_sets(datetime.now(UTC))
    assert (found.set_id, found.problems) == (full.set_id, ())


def test_a_place_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="nowhere"):
        source_of(BackupPlaces(tmp_path / "nowhere")).survey_sets(datetime.now(UTC))


# ---- what the survey sees ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda p: p.unlink(), "set_file_missing"),
        (lambda p: os.truncate(own(p), 8192), "set_file_size"),
        (lambda p: os.truncate(own(p), 0), "set_file_empty"),
        (lambda p: (p.parent / "extra").touch(mode=0o600), "set_file_extra"),
    ],
)
def test_each_wrong_file_is_named(places: BackupPlaces, damage: Callable[[Path], None], code: str) -> None:
    full = look(places)["full"]
    path = data_file(full)
    damage(path)
    name = "extra" if code == "set_file_extra" else path.name
    damaged = look(places)["full"]
    assert told(damaged.problems) == [(code, f"{full.set_id}/{path.parent.relative_to(full.place)}/{name}", Status.FAIL)]
    assert damaged.is_usable == (code == "set_file_extra")
    assert [look(places)[k].problems for k in ("incremental", "tar")] == [(), ()]


def test_many_missing_files_are_folded(places: BackupPlaces) -> None:
    full = look(places)["full"]
    folder = data_file(full).parent
    shutil.rmtree(folder)
    problems = look(places)["full"].problems
    assert len(problems) == 21
    assert problems[-1].code == "more_set_problems"
    assert problems[-1].values["count"] > 200


def test_wal_of_the_set_is_counted_too(places: BackupPlaces) -> None:
    full = look(places)["full"]
    (segment,) = Path(full.place, "pg_wal").glob("0*")
    os.truncate(own(segment), 0)
    assert told(look(places, logs=None)["full"].problems) == [("set_file_missing", f"{full.set_id}/pg_wal", Status.FAIL)]
    segment.unlink()
    assert look(places)["full"].problems == ()  # made without WAL, to be restored from the archive
    assert told(look(places, logs=None)["full"].problems) == [("set_file_missing", f"{full.set_id}/pg_wal", Status.FAIL)]


def test_manifest_missing_damaged_and_of_the_wrong_form(places: BackupPlaces) -> None:
    full = look(places)["full"]
    manifest = Path(full.place, "backup_manifest")
    whole = manifest.read_bytes()
    flip(manifest, len(whole) // 2)
    assert told(look(places)["full"].problems) == [("manifest_damaged", f"{full.set_id}/backup_manifest", Status.FAIL)]
    manifest.write_bytes(whole[:-100])
    assert told(look(places)["full"].problems) == [("manifest_damaged", f"{full.set_id}/backup_manifest", Status.FAIL)]
    manifest.unlink()
    aged = datetime.now().timestamp() - 7200
    for path in (*Path(full.place).rglob("*"), Path(full.place)):
        os.utime(own(path) if path.is_file() else path, (aged, aged), follow_symlinks=False)
    assert told(look(places)["full"].problems) == [("manifest_missing", f"{full.set_id}/backup_manifest", Status.FAIL)]


def test_label_missing_and_damaged(places: BackupPlaces) -> None:
    full = look(places)["full"]
    label = Path(full.place, "backup_label")
    own(label).write_text(label.read_text().replace("START WAL LOCATION", "START WAL  LOCATION"))
    assert ("label_damaged", f"{full.set_id}/backup_label", Status.FAIL) in told(look(places)["full"].problems)
    label.unlink()
    damaged = look(places)["full"]
    assert told(damaged.problems) == [("label_missing", f"{full.set_id}/backup_label", Status.FAIL)]
    assert (damaged.start_position, damaged.timeline) == (full.start_position, full.timeline)  # from the manifest


def test_a_part_of_a_set(places: BackupPlaces) -> None:
    full = look(places)["full"]
    Path(full.place, "backup_manifest").unlink()
    Path(full.place, "global", "pg_control").unlink()
    running = look(places)["full"]
    assert told(running.problems) == [("set_unfinished", full.set_id, Status.WARN)]
    assert (running.finished_at, running.is_usable) == (None, False)
    later = source_of(places).survey_sets(datetime.now(UTC) + timedelta(hours=1))
    left = next(s for s in later if s.set_id == full.set_id)
    assert told(left.problems) == [("set_unfinished", full.set_id, Status.FAIL)]


def test_a_tablespace_that_is_gone_or_elsewhere(places: BackupPlaces, tmp_path: Path) -> None:
    full = look(places)["full"]
    (link,) = Path(full.place, "pg_tblspc").iterdir()
    target, elsewhere = link.readlink(), tmp_path / "elsewhere" / "ts"
    elsewhere.parent.mkdir()
    target.rename(elsewhere)
    (problem,) = look(places)["full"].problems
    assert told((problem,)) == [("tablespace_missing", f"{full.set_id}/pg_tblspc/{link.name}", Status.FAIL)]
    assert problem.values["location"] == str(target)
    link.unlink()
    assert [p.code for p in look(places)["full"].problems] == ["tablespace_missing"]
    link.symlink_to(elsewhere)
    assert told(look(places)["full"].problems) == [("tablespace_outside", f"{full.set_id}/pg_tblspc/{link.name}", Status.WARN)]


@pytest.mark.skipif(not AS_ROOT, reason="only root can give files away")
def test_a_wrong_owner(places: BackupPlaces) -> None:
    full = look(places)["full"]
    path = data_file(full)
    os.chown(own(path), 12345, -1)
    damaged = look(places)["full"]
    assert told(damaged.problems) == [("set_owner", f"{full.set_id}/{path.relative_to(full.place)}", Status.FAIL)]
    assert (damaged.problems[0].values, damaged.is_usable) == ({"owner_id": 12345, "expected_id": 0}, True)
    assert {p.code for p in look(places, owner="nobody")["full"].problems} == {"set_owner", "more_set_problems"}
    assert ("set_owner_unknown", full.set_id, Status.UNKNOWN) in told(look(places, owner="no_such_user")["full"].problems)


@pytest.mark.parametrize(("mode", "status"), [(0o666, Status.FAIL), (0o644, Status.WARN), (0o060, Status.FAIL)])
def test_a_wrong_mode(places: BackupPlaces, mode: int, status: Status) -> None:
    full = look(places)["full"]
    path = data_file(full)
    own(path).chmod(mode)
    assert told(look(places)["full"].problems) == [("set_mode", f"{full.set_id}/{path.relative_to(full.place)}", status)]


def test_a_folder_that_everybody_may_write(places: BackupPlaces) -> None:
    full = look(places)["full"]
    Path(full.place).chmod(0o777)
    assert told(look(places)["full"].problems) == [("set_mode", full.set_id, Status.FAIL)]


@pytest.mark.parametrize("kind", ["base", "tablespace"])
def test_a_truncated_and_a_missing_archive(places: BackupPlaces, kind: str) -> None:
    tar = look(places)["tar"]
    path = Path(tar.place, "base.tar") if kind == "base" else next(Path(tar.place).glob("1*.tar"))
    os.truncate(own(path), path.stat().st_size // 2 + 100)
    assert ("set_archive_damaged", f"{tar.set_id}/{path.name}", Status.FAIL) in told(look(places)["tar"].problems)
    os.truncate(path, 0)
    assert "set_archive_damaged" in {p.code for p in look(places)["tar"].problems}
    path.unlink()
    codes = {p.code for s in source_of(places).survey_sets(datetime.now(UTC)) for p in s.problems}
    assert ("tablespace_missing" if kind == "tablespace" else "set_file_missing") in codes


def test_gzip_archives(places: BackupPlaces) -> None:
    tar = pack(places, ".gz")
    assert tar.problems == ()
    assert source_of(places).read_set(tar).findings == ()
    path = Path(tar.place, "base.tar.gz")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert told(look(places)["tar"].problems)[0] == ("set_archive_damaged", f"{tar.set_id}/base.tar.gz", Status.FAIL)
    assert "set_archive_damaged" in {f.code for f in source_of(places).read_set(tar).findings}


def test_archives_that_cannot_be_read_here_are_unknown(places: BackupPlaces) -> None:
    tar = look(places)["tar"]
    Path(tar.place, "base.tar").rename(Path(tar.place, "base.tar.zst"))
    seen = look(places)["tar"]
    assert told(seen.problems) == [("source_unsupported", f"{tar.set_id}/base.tar.zst", Status.UNKNOWN)]
    assert ("source_unsupported", f"{tar.set_id}/base.tar.zst", Status.UNKNOWN) in told(source_of(places).read_set(seen).findings)


def pack(places: BackupPlaces, suffix: str) -> BackupSet:
    """Compress the archives of the tar set; returns it as surveyed then."""
    for path in Path(look(places)["tar"].place).glob("*.tar"):
        path.with_name(path.name + suffix).write_bytes(gzip.compress(path.read_bytes(), 1))
        path.with_name(path.name + suffix).chmod(0o600)
        path.unlink()
    return look(places)["tar"]


# ---- what reading the bytes of a set finds --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["full", "incremental"])
def test_a_flipped_byte_is_found(places: BackupPlaces, kind: str) -> None:
    s = look(places)[kind]
    path = data_file(s, smallest=8192)
    flip(path, 5000)
    assert look(places)[kind].problems == ()
    read = source_of(places).read_set(s)
    assert told(read.findings) == [("set_checksum", f"{s.set_id}/{path.relative_to(s.place)}", Status.FAIL)]
    assert read.findings[0].values["algorithm"] == "CRC32C"


def test_a_flipped_byte_in_a_tablespace_is_found(places: BackupPlaces) -> None:
    full = look(places)["full"]
    (link,) = Path(full.place, "pg_tblspc").iterdir()
    path = next(p for p in link.rglob("*") if p.is_file() and p.stat().st_size)
    flip(path, 100)
    (finding,) = source_of(places).read_set(full).findings
    assert (finding.code, finding.place) == ("set_checksum", f"{full.set_id}/pg_tblspc/{link.name}/{path.relative_to(link)}")


def test_a_flipped_byte_in_an_archive_is_found(places: BackupPlaces) -> None:
    tar = look(places)["tar"]
    with tarfile.open(Path(tar.place, "base.tar")) as archive:
        member = next(m for m in archive if m.name.startswith("base/1/") and m.size >= 16384)
    flip(Path(tar.place, "base.tar"), member.offset_data + 9000)
    assert told(source_of(places).read_set(tar).findings) == [("set_checksum", f"{tar.set_id}/{member.name}", Status.FAIL)]


def test_what_went_wrong_between_survey_and_reading(places: BackupPlaces) -> None:
    full = look(places)["full"]
    cut, gone, pipe = (Path(full.place, "global", n) for n in ("1262", "1260", "1261"))
    os.truncate(own(cut), 100)
    gone.unlink()
    pipe.unlink()
    os.mkfifo(pipe)
    assert sorted(told(source_of(places).read_set(full).findings)) == [
        ("set_file_unreadable", f"{full.set_id}/global/1260", Status.FAIL),
        ("set_file_unreadable", f"{full.set_id}/global/1261", Status.FAIL),
        ("set_read_mismatch", f"{full.set_id}/global/1262", Status.FAIL),
    ]


@pytest.mark.parametrize("kind", ["full", "tar"])
def test_damaged_wal_inside_a_set_is_found(places: BackupPlaces, kind: str) -> None:
    s = look(places)[kind]
    offset = s.start_position % MIB + 40
    if kind == "full":
        (path,) = Path(s.place, "pg_wal").glob("0*")
        flip(path, offset)
    else:
        with tarfile.open(Path(s.place, "pg_wal.tar")) as archive:
            member = next(m for m in archive if m.isreg())
        flip(Path(s.place, "pg_wal.tar"), member.offset_data + offset)
    (finding,) = source_of(places).read_set(s).findings
    assert finding.code == "log_damaged"
    assert finding.place.startswith(f"{s.set_id}/pg_wal/0000000100000000")


def test_without_a_manifest_nothing_is_compared_and_that_is_said(places: BackupPlaces) -> None:
    full = look(places)["full"]
    Path(full.place, "backup_manifest").unlink()
    read = source_of(places).read_set(full)
    assert told(read.findings) == [("set_unchecked", full.set_id, Status.UNKNOWN)]
    assert read.read_bytes > 0


@pytest.mark.parametrize("algorithm", ["SHA224", "SHA256", "SHA384", "SHA512", "NONE"])
def test_other_checksums(places: BackupPlaces, algorithm: str) -> None:
    full = look(places)["full"]
    root = Path(full.place)

    def change(content: dict) -> None:
        for file in content["Files"]:
            file.pop("Checksum"), file.pop("Checksum-Algorithm")
            if algorithm != "NONE":
                digest = hashlib.new(algorithm.lower(), (root / file["Path"]).read_bytes()).hexdigest()
                file |= {"Checksum-Algorithm": algorithm, "Checksum": digest}

    reseal(root, change)
    expected = [("set_unchecked", full.set_id, Status.WARN)] if algorithm == "NONE" else []
    assert told(source_of(places).read_set(full).findings) == expected
    flip(data_file(full), 7)
    assert ("set_checksum" in {f.code for f in source_of(places).read_set(full).findings}) == (algorithm != "NONE")


def test_a_manifest_edited_to_match_a_damaged_file_hides_it(places: BackupPlaces) -> None:
    """Reading cannot see this: only a restore drill, which checks pages and rows, can."""
    full = look(places)["full"]
    path = data_file(full)
    flip(path, 5000)

    def forge(content: dict) -> None:
        file = next(f for f in content["Files"] if f["Path"] == str(path.relative_to(full.place)))
        file |= {"Checksum-Algorithm": "SHA256", "Checksum": hashlib.sha256(path.read_bytes()).hexdigest()}

    reseal(Path(full.place), forge)
    assert source_of(places).read_set(full).findings == ()


# ---- what reading archived logs finds -------------------------------------------------------------------------------


def segments(places: BackupPlaces) -> list[Path]:
    return sorted(p for p in places.wal.iterdir() if len(p.name) == 24)


def read_all_logs(places: BackupPlaces) -> list[tuple[str, str, Status]]:
    source = source_of(places)
    return [t for r in scan_archive(places.wal, datetime.now(UTC)).ranges for t in told(source.read_logs(r).findings)]


def test_a_flipped_byte_in_each_part_of_a_segment_is_found(places: BackupPlaces) -> None:
    path = segments(places)[3]
    whole = path.read_bytes()
    used = len(whole.rstrip(b"\0"))
    assert used < MIB - 3 * 8192, "the test needs a segment that was switched early"
    for offset in (4, 9, 100, 8192 + 5, used - 20, used - 3, used + 5, MIB // 2 + 8195, MIB - 1):
        flip(path, offset)
        assert [(code, place) for code, place, _ in read_all_logs(places)] in (
            [("log_damaged", path.name)],
            [("log_misnamed", path.name)],
        ), offset
        path.write_bytes(whole)
    assert read_all_logs(places) == []


def test_every_damaged_segment_is_named(places: BackupPlaces) -> None:
    first, second = segments(places)[2], segments(places)[6]
    for path in (first, second):
        flip(path, 200)
    assert read_all_logs(places) == [("log_damaged", p.name, Status.FAIL) for p in (first, second)]


def test_segments_packed_by_gzip_are_read(places: BackupPlaces) -> None:
    packed = segments(places)[1:5]
    for path in packed:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert read_all_logs(places) == []
    damaged = packed[1].with_name(packed[1].name + ".gz")
    content = bytearray(gzip.decompress(damaged.read_bytes()))
    content[300] ^= 1
    damaged.write_bytes(gzip.compress(content))
    cut = packed[3].with_name(packed[3].name + ".gz")
    cut.write_bytes(cut.read_bytes()[:-20])
    assert read_all_logs(places) == [("log_damaged", p.name, Status.FAIL) for p in (packed[1], packed[3])]


def test_other_compressions_are_unknown_not_read(places: BackupPlaces) -> None:
    path = segments(places)[2]
    path.rename(path.with_name(path.name + ".zst"))
    log_range = max(scan_archive(places.wal, datetime.now(UTC)).ranges, key=lambda r: r.segments)
    read = source_of(places).read_logs(log_range)
    assert told(read.findings) == [("log_compression", path.name, Status.UNKNOWN)]
    assert read.files == log_range.segments - 1


def test_a_segment_under_another_name_and_of_another_system(places: BackupPlaces) -> None:
    source, found = source_of(places), segments(places)
    log_range = scan_archive(places.wal, datetime.now(UTC)).ranges[0]
    shutil.copy2(found[2], own(found[3]))
    with own(found[5]).open("r+b") as file:
        file.seek(24)
        file.write(b"\x01")
    findings = {f.place: f for f in source.read_logs(log_range).findings}
    assert {place: f.code for place, f in findings.items()} == {found[3].name: "log_misnamed", found[5].name: "foreign_backup"}
    assert found[2].name in findings[found[3].name].values["reason"]


def test_segments_that_went_since_the_survey(places: BackupPlaces) -> None:
    source, found = source_of(places), segments(places)
    log_range = scan_archive(places.wal, datetime.now(UTC)).ranges[0]
    found[0].unlink()  # expired: the oldest may go at any time
    assert source.read_logs(log_range).findings == ()
    found[4].unlink()
    assert told(source.read_logs(log_range).findings) == [("log_unreadable", found[4].name, Status.FAIL)]
    shutil.rmtree(places.wal)
    places.wal.mkdir()
    with pytest.raises(SourceGone):
        source.read_logs(log_range)


def test_logs_of_a_version_without_tools_are_unknown(places: BackupPlaces) -> None:
    with suppress(BinariesMissing):
        find_binaries(16)
        pytest.skip("PostgreSQL 16 is installed here")
    for path in segments(places):
        with own(path).open("r+b") as file:
            file.write((0xD113).to_bytes(2, "little"))
    assert [(code, status) for code, _, status in read_all_logs(places)] == [("log_tool_missing", Status.UNKNOWN)]


def copy_in(area: Path) -> Path:
    """Where a restored copy goes. A restore makes no folder above it: who removed those has ended it."""
    area.mkdir(exist_ok=True)
    return area / "data"


# ---- restore --------------------------------------------------------------------------------------------------------


def verify(data_dir: Path, manifest: Path) -> None:
    """With PostgreSQL's own tool. The map of tablespaces is left out on purpose: the links are ours."""
    options = ["--no-parse-wal", "--ignore=tablespace_map", f"--manifest-path={manifest}"]
    command = [find_binaries().tool("pg_verifybackup"), *options, data_dir]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kinds", [("full",), ("tar",), ("full", "incremental"), ("tar", "tar incremental")])
def test_a_restored_chain_is_whole_and_at_home(places: BackupPlaces, tmp_path: Path, kinds: tuple[str, ...]) -> None:
    sets = look(places)
    chain = tuple(sets[k] for k in kinds)
    restored_bytes = source_of(places).restore(chain, copy_in(tmp_path / "copy"))
    data_dir = copy_in(tmp_path / "copy")
    manifest = Path(chain[-1].place) if len(chain) == 1 else data_dir
    verify(data_dir, manifest / "backup_manifest")
    (link,) = (data_dir / "pg_tblspc").iterdir()
    assert link.readlink() == tablespaces_dir(data_dir) / link.name
    assert any(link.rglob("*"))
    assert (data_dir.stat().st_mode & 0o777, (data_dir / "tablespace_map").exists()) == (0o700, False)
    assert restored_bytes > 12 * MIB
    assert {p.name for p in data_dir.parent.iterdir()} == {"data", "data.tblspc"}
    assert not [p for p in places.sets.rglob("*") if p.is_symlink() and "copy" in str(p.readlink())]


def test_a_damaged_chain_is_refused(places: BackupPlaces, tmp_path: Path) -> None:
    sets = look(places)
    Path(sets["full"].place, "global", "1262").unlink()
    with pytest.raises(RestoreFailed, match="1262"):
        source_of(places).restore((sets["full"], sets["incremental"]), copy_in(tmp_path / "copy"))


def test_an_archive_that_leads_out_is_refused(places: BackupPlaces, tmp_path: Path) -> None:
    tar = look(places)["tar"]
    for name in ("../outside", "/tmp/outside", "base/../../outside"):
        with tarfile.open(own(Path(tar.place, "base.tar")), "w") as archive:
            archive.addfile(tarfile.TarInfo(name))
        with pytest.raises(RestoreFailed, match="leads out"):
            source_of(places).restore((tar,), copy_in(tmp_path / f"{len(name)}"))
    assert not (tmp_path / "outside").exists()


def test_links_in_an_archive_are_not_made(places: BackupPlaces, tmp_path: Path) -> None:
    tar = look(places)["tar"]
    with tarfile.open(own(Path(tar.place, "base.tar")), "w") as archive:
        link = tarfile.TarInfo("base")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
        archive.addfile(link)
    source_of(places).restore((tar,), copy_in(tmp_path / "copy"))
    assert not (copy_in(tmp_path / "copy") / "base").exists()


@pytest.mark.parametrize("folder", ["wal", "it's 100% wal $(x)"])
def test_the_command_that_fetches_logs(tmp_path: Path, folder: str) -> None:
    archive = tmp_path / folder
    archive.mkdir()
    (archive / "A").write_bytes(b"plain")
    (archive / "B.gz").write_bytes(gzip.compress(b"packed"))
    command = PgBasebackupSource(Places(sets=str(tmp_path), logs=str(archive)), ZONE).fetch_log_command()
    found = {}
    for name in "ABC":
        # as the server replaces them: %% is one percent sign
        text = command.replace("%%", "\0").replace("%f", name).replace("%p", str(tmp_path / f"got{name}")).replace("\0", "%")
        code = subprocess.run(["sh", "-c", text], check=False, capture_output=True).returncode
        found[name] = (code, (tmp_path / f"got{name}").read_bytes() if code == 0 else b"")
    assert found == {"A": (0, b"plain"), "B": (0, b"packed"), "C": (1, b"")}


# ---- the database itself --------------------------------------------------------------------------------------------


def test_a_database_tells_what_it_is(world: World) -> None:
    target = survey_target(world.endpoint)
    assert (target.reachable, target.error, target.role, target.timeline) == (True, "", "primary", 1)
    assert target.system_id == look(world.places)["full"].system_id
    assert (target.archiver.mode, target.archiver.timeout_s, target.archiver.failed_count) == ("on", 60, 0)
    assert target.archiver.archived_count > 0
    assert abs((target.clock_at - target.asked_at).total_seconds()) < 5
    assert target.total_bytes > 12 * MIB
    assert [t.name for t in target.tablespaces] == ["spc"]
    assert target.position > look(world.places)["incremental"].stop_position


def test_a_standby_tells_that_it_is_one(world: World, tmp_path: Path) -> None:
    data_dir = copy_in(tmp_path / "standby")
    source = source_of(world.places)
    source.restore((look(world.places)["full"],), data_dir)
    (data_dir / "standby.signal").touch()
    give_to_server(data_dir.parent)
    server = PostgresServer(find_binaries(), data_dir)
    server.start(options={"restore_command": source.fetch_log_command(), "hot_standby": "on", "archive_mode": "off"})
    try:
        server.wait_ready()
        e = world.endpoint
        target = survey_target(Endpoint(LOCALHOST, server.port, e.user, e.password, e.dbname))
    finally:
        server.stop()
    assert (target.reachable, target.role, target.timeline, target.archiver.mode) == (True, "standby", 1, "off")
    assert target.position > 0


def test_a_database_that_is_down_is_told_and_not_raised() -> None:
    target = survey_target(Endpoint(LOCALHOST, free_port(), "drydock", "secret-word"))
    assert not target.reachable
    assert target.error.startswith("unreachable: ")
    assert "secret-word" not in target.error + repr(Endpoint("h", 1, "u", "secret-word"))


def test_a_refused_login_is_told_and_not_tried_again(world: World) -> None:
    e = world.endpoint
    target = survey_target(Endpoint(e.host, e.port, e.user, "wrong", e.dbname))
    assert (target.reachable, target.error.partition(":")[0]) == (False, "login_refused")


def test_sessions_can_only_read_and_say_who_they_are(world: World) -> None:
    with connect(world.endpoint, purpose="test") as connection:
        assert connection.execute("show application_name").fetchone() == {"application_name": "drydock/test"}
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction) as refused:
            connection.execute("create table x (n int)")
        assert classify(refused.value).kind == "read_only"
        with pytest.raises(psycopg.errors.UndefinedTable) as unknown:
            connection.execute("table no_such_table")
        assert (classify(unknown.value).kind, classify(unknown.value).retry) == ("statement", False)
    with connect(world.endpoint, purpose="test", statement_timeout_s=1) as connection:
        with pytest.raises(psycopg.errors.QueryCanceled) as late:
            connection.execute("select pg_sleep(3)")
        assert classify(late.value).kind == "timeout"


@pytest.mark.parametrize(
    ("state", "kind", "retry"),
    [
        ("57P03", "starting", True),
        ("53300", "resources", True),
        ("53100", "disk_full", False),
        ("40001", "conflict", True),
        ("28P01", "login_refused", False),
        ("42501", "privilege", False),
        ("08006", "unreachable", True),
        ("22012", "unknown", False),
    ],
)
def test_errors_are_told_apart_by_sqlstate(state: str, kind: str, retry: bool) -> None:
    error = psycopg.errors.lookup(state)("x")
    assert (classify(error).kind, classify(error).retry) == (kind, retry)


@pytest.mark.parametrize("path", [p for p in all_sql_files() if p.parts[-3:-1] == ("postgresql", "backup")], ids=lambda p: p.stem)
def test_read_files_return_the_columns_of_their_header(pg_server: Endpoint, path: Path) -> None:
    file = parse_sql_file(path)
    if file.kind != "read" or "{" in file.statement:
        assert file.binds or file.kind != "read"  # composed with identifiers: run where they are used
        return
    with connect(pg_server, purpose="test") as connection:
        cursor = connection.execute(file.statement.encode(), dict.fromkeys(file.binds) or None)
        assert [c.name for c in cursor.description] == list(file.columns)


def test_binds_are_checked_before_the_question_is_asked(pg_server: Endpoint) -> None:
    with connect(pg_server, purpose="test") as connection, pytest.raises(SqlFileInvalid):
        fetch_rows(connection, sql_file("postgresql", "backup", "tablespaces"), {"oid": 1})

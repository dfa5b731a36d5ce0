"""Trouble around a backup rather than in it: no scratch space, storage that stumbles, pipes and links in its place, sets
that expire or are finished while they are looked at. None of it may hang a run or accuse a sound backup."""

from __future__ import annotations

import errno
import gzip
import os
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from drydock.backup.facts import BackupSet, LogRange
from drydock.backup.job_log import read_job_log
from drydock.backup.postgres import restoring, set_evidence
from drydock.backup.postgres.manifest import LARGEST_BYTES, ManifestDamaged, read_manifest
from drydock.backup.postgres.set_files import FileTree
from drydock.backup.postgres.wal_archive import scan_archive
from drydock.backup.postgres.wal_reading import _check_batch, _inspect_range
from drydock.backup.reading_scratch import ScratchFile, ScratchUnusable
from drydock.backup.regular_files import NotRegular, open_regular, read_patiently
from drydock.backup.source import RestoreFailed, SourceGone
from drydock.verdicts import Finding, Status
from tests.unit.made_sets import CONTENT, make_plain, make_tar, manifest_bytes, source_of
from tests.unit.test_wal_records import FIRST, MIB, put_segments


@pytest.fixture(autouse=True)
def _limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A scratch area of its own, and an end to what hangs."""
    monkeypatch.setenv("DRYDOCK_STATE", str(tmp_path / "state"))
    signal.alarm(60)
    yield
    signal.alarm(0)


@pytest.fixture(params=["plain", "tar", "tar.gz"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    root = tmp_path / "sets" / "night"
    return make_plain(root) if request.param == "plain" else make_tar(root, suffix=".gz" if "gz" in request.param else "")


def now() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=5)


def only_set(tmp_path: Path) -> BackupSet:
    (found,) = source_of(tmp_path).survey_sets(now())
    return found


def only_range(tmp_path: Path) -> LogRange:
    (found,) = scan_archive(tmp_path / "wal", now()).ranges
    return found


def told(findings: tuple[Finding, ...]) -> list[tuple[str, str, Status]]:
    return [(f.code, f.place, f.status) for f in findings]


def put_packed(tmp_path: Path) -> list[Path]:
    source_of(tmp_path)
    paths = put_segments(tmp_path / "wal")
    for path in paths:
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 1))
        path.unlink()
    return paths


def replace_by_pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path, 0o600)


def replace_by_link(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.symlink_to(path.with_name("moved"))


def test_a_sound_set_is_silent(made: Path, tmp_path: Path) -> None:
    found = only_set(tmp_path)
    read = source_of(tmp_path).read_set(found)
    assert (found.problems, read.findings) == ((), ())
    assert read.files >= len(CONTENT)
    assert read.read_bytes > 0


# ---- scratch space is ours -----------------------------------------------------------------------------------------


@pytest.fixture
def _no_scratch(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the scratch areas belong")


@pytest.mark.usefixtures("_no_scratch")
def test_a_set_is_not_accused_when_there_is_no_scratch(tmp_path: Path) -> None:
    make_tar(tmp_path / "sets" / "night")
    read = source_of(tmp_path).read_set(only_set(tmp_path))
    assert (told(read.findings), read.read_bytes) == ([("read_space", "night", Status.UNKNOWN)], 0)


@pytest.mark.usefixtures("_no_scratch")
def test_logs_are_not_accused_when_there_is_no_scratch(tmp_path: Path) -> None:
    put_packed(tmp_path)
    read = source_of(tmp_path).read_logs(only_range(tmp_path))
    assert told(read.findings) == [("read_space", str(tmp_path / "wal"), Status.UNKNOWN)]
    assert (read.read_bytes, read.files) == (0, 0)


def test_packed_logs_are_read_where_there_is_scratch(tmp_path: Path) -> None:
    put_packed(tmp_path)
    read = source_of(tmp_path).read_logs(only_range(tmp_path))
    assert (told(read.findings), read.files) == ([], 4)


def test_logs_are_not_accused_when_scratch_fills_up_while_unpacking(tmp_path: Path) -> None:
    put_packed(tmp_path)
    log_range = only_range(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MIB // 2, limits[1]))
    try:
        read = source_of(tmp_path).read_logs(log_range)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert told(read.findings) == [("read_space", str(tmp_path / "wal"), Status.UNKNOWN)]


def test_a_full_file_system_is_told_as_ours() -> None:
    with pytest.raises(ScratchUnusable, match="No space left"), ScratchFile(Path("/dev/full")) as out:
        out.write(b"x")


def test_a_segment_that_unpacks_to_more_than_a_segment_is_damage_and_fills_nothing(tmp_path: Path) -> None:
    first = put_packed(tmp_path)[0]
    packed = first.with_name(f"{first.name}.gz")
    packed.write_bytes(gzip.compress(gzip.decompress(packed.read_bytes()) + bytes(64 * MIB), 1))
    assert told(source_of(tmp_path).read_logs(only_range(tmp_path)).findings) == [("log_damaged", first.name, Status.FAIL)]


# ---- storage that stumbles -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 2])
def test_a_read_is_tried_again(times: int) -> None:
    errors = [OSError(errno.ESTALE, "Stale file handle")] * times

    def read() -> str:
        if errors:
            raise errors.pop()
        return "read"

    assert read_patiently(read) == "read"


@pytest.mark.parametrize(("number", "tries"), [(errno.EIO, 3), (errno.EACCES, 1)])
def test_what_stays_is_raised_and_what_will_not_pass_is_not_tried_again(number: int, tries: int) -> None:
    seen = []

    def read() -> None:
        seen.append(1)
        raise OSError(number, os.strerror(number))

    with pytest.raises(OSError, match=os.strerror(number)):
        read_patiently(read)
    assert len(seen) == tries


@pytest.mark.parametrize(("failures", "codes"), [(2, []), (1000, ["set_file_unreadable"])])
def test_a_file_that_storage_gives_late_is_no_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failures: int, codes: list[str]
) -> None:
    root = make_plain(tmp_path / "sets" / "night")
    found, inode, real_read, left = only_set(tmp_path), (root / "base/5/1259").stat().st_ino, os.readv, [None] * failures

    def read(fd: int, buffers: list[memoryview]) -> int:
        if left and os.fstat(fd).st_ino == inode:
            left.pop()
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real_read(fd, buffers)

    monkeypatch.setattr(os, "readv", read)
    assert [f.code for f in source_of(tmp_path).read_set(found).findings] == codes


# ---- what is no regular file ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("replace", [replace_by_pipe, replace_by_link])
@pytest.mark.parametrize("name", ["backup_manifest", "backup_label", "global/pg_control"])
def test_a_pipe_or_link_in_a_set_is_told_and_not_waited_for(tmp_path: Path, replace: Callable[[Path], None], name: str) -> None:
    root = make_plain(tmp_path / "sets" / "night")
    replace(root / name)
    found = only_set(tmp_path)
    assert {f.code for f in found.problems} & {"manifest_damaged", "label_missing", "set_file_missing"}
    assert any(f.status.is_red for f in source_of(tmp_path).read_set(found).findings)


@pytest.mark.parametrize("replace", [replace_by_pipe, replace_by_link])
def test_a_pipe_or_link_named_like_a_segment(tmp_path: Path, replace: Callable[[Path], None]) -> None:
    source = source_of(tmp_path)
    last = put_segments(tmp_path / "wal")[-1]
    whole = only_range(tmp_path)
    replace(last)
    archive = scan_archive(tmp_path / "wal", now())
    assert told(archive.problems) == [("log_unreadable", last.name, Status.FAIL)]
    assert [r.segments for r in archive.ranges] == [3]
    assert told(source.read_logs(whole).findings) == [("log_unreadable", last.name, Status.FAIL)]


def test_a_pipe_named_like_a_history(tmp_path: Path) -> None:
    source_of(tmp_path)
    put_segments(tmp_path / "wal")
    for name in ("00000002.history", "000000010000000000000005.00000028.backup"):
        os.mkfifo(tmp_path / "wal" / name)
    assert told(scan_archive(tmp_path / "wal", now()).problems) == [("history_damaged", "00000002.history", Status.FAIL)]
    assert source_of(tmp_path).survey_sets(now()) == ()


def test_a_pipe_in_place_of_the_job_log(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "job.log")
    assert [p.code for p in read_job_log(tmp_path / "job.log", ZoneInfo("UTC"), now()).problems] == ["job_log_unreadable"]


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    for path, kind in ((tmp_path / "link", "symbolic link"), (tmp_path, "folder"), (Path("/dev/zero"), "device")):
        with pytest.raises(NotRegular, match=kind):
            open_regular(path)


def test_a_manifest_too_large_to_be_one_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "backup_manifest").touch()
    os.truncate(tmp_path / "backup_manifest", LARGEST_BYTES + 1)
    with pytest.raises(ManifestDamaged, match="not a manifest"):
        read_manifest(tmp_path / "backup_manifest")


# ---- what comes and goes meanwhile ---------------------------------------------------------------------------------


def test_a_set_that_expired_is_gone_and_not_damaged(made: Path, tmp_path: Path) -> None:
    found = only_set(tmp_path)
    shutil.rmtree(made)
    with pytest.raises(SourceGone, match="night"):
        source_of(tmp_path).read_set(found)
    assert source_of(tmp_path)._survey_set(made, [], now()) is None


def test_logs_that_expired_are_gone_and_not_damaged(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    paths = put_segments(tmp_path / "wal")
    log_range = only_range(tmp_path)
    for path in paths:
        path.unlink()
    with pytest.raises(SourceGone, match=paths[0].name):
        source.read_logs(log_range)


def test_the_rest_of_a_run_is_read_when_its_head_expires_meanwhile(tmp_path: Path) -> None:
    source_of(tmp_path)
    paths = put_segments(tmp_path / "wal")
    findings: dict[tuple[str, str], Finding] = {}
    batch = [s for s in _inspect_range(tmp_path / "wal", only_range(tmp_path), findings) if s]
    for path in paths[:2]:
        path.unlink()
    portion = _check_batch(tmp_path / "wal", 0, batch)
    assert (portion.findings, portion.files, portion.read_bytes) == ([], 2, 2 * MIB)


def test_a_segment_that_went_from_the_middle_is_told(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    paths = put_segments(tmp_path / "wal")
    log_range = only_range(tmp_path)
    paths[1].unlink()
    assert told(source.read_logs(log_range).findings) == [("log_unreadable", paths[1].name, Status.FAIL)]
    assert log_range.first_position == FIRST * MIB


def test_a_set_that_is_finished_while_it_is_listed_lacks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_plain(tmp_path / "sets" / "night")
    for name in ("backup_manifest", "base/5/1259"):
        (root / name).unlink()
    list_files = set_evidence.list_files

    def list_then_finish(folder: Path) -> FileTree:
        tree = list_files(folder)
        (root / "base/5/1259").write_bytes(CONTENT["base/5/1259"])
        (root / "backup_manifest").write_bytes(manifest_bytes())
        return tree

    monkeypatch.setattr(set_evidence, "list_files", list_then_finish)
    assert told(only_set(tmp_path).problems) == [("set_unfinished", "night", Status.WARN)]


# ---- sizes and names that are not what they should be ---------------------------------------------------------------


def test_what_an_archive_unpacks_to_is_known_before(made: Path, tmp_path: Path) -> None:
    found, content_bytes = only_set(tmp_path), sum(map(len, CONTENT.values()))
    usual_segment = 16 * MIB  # of the WAL range, which only reading a packed archive would tell
    expected = {"base.tar": content_bytes, "base.tar.gz": content_bytes + usual_segment}
    assert found.restored_bytes == next((expected[p.name] for p in made.glob("base.tar*")), None)


def test_an_archive_that_unpacks_to_what_its_manifest_says_is_restored(made: Path, tmp_path: Path) -> None:
    restored_bytes = source_of(tmp_path).restore((only_set(tmp_path),), tmp_path / "copy")
    assert restored_bytes >= sum(map(len, CONTENT.values()))
    assert (tmp_path / "copy" / "base/5/1259").read_bytes() == CONTENT["base/5/1259"]


def test_an_archive_that_unpacks_to_far_more_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restoring, "SEGMENTS_SLACK_BYTES", 0)
    make_tar(tmp_path / "sets" / "night", CONTENT | {"base/5/bomb": bytes(64 * MIB)}, ".gz")
    with pytest.raises(RestoreFailed, match="far more than its manifest says"):
        source_of(tmp_path).restore((only_set(tmp_path),), tmp_path / "copy")
    assert not (tmp_path / "copy" / "base/5/bomb").exists()


@pytest.mark.parametrize("name", [b"night\xff", b"night\x01", b"/".join([b"n" * 250, b"m" * 250])])
def test_a_set_whose_path_no_record_can_hold_is_told_and_no_other_folder_is_read(tmp_path: Path, name: bytes) -> None:
    source_of(tmp_path)
    root = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path / "sets"), name)))  # noqa: PTH118
    make_plain(root)
    found = only_set(tmp_path)
    assert [(f.code, f.status) for f in found.problems] == [("source_unreadable", Status.UNKNOWN)]
    assert (found.place, found.is_usable) == ("", False)
    with pytest.raises(SourceGone):
        source_of(tmp_path).read_set(found)
    with pytest.raises(RestoreFailed, match="cannot be kept"):
        source_of(tmp_path).restore((found,), tmp_path / "copy")

"""Faults in base backups of tar format, whose files are members of archives."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from tests.faults.damage import FIRST_USER_OID, edit_tar, flip_byte, gzip_file, remove, timeless, truncate
from tests.faults.judging import Case

NEWEST, FIRST = -1, 0


def contradicted(case: Case) -> str:
    return f"executed FAIL job_success_contradicted {case.slot(NEWEST)}"


def archive(case: Case, name: str = "base") -> Path:
    return case.set_dir(NEWEST) / f"{name}.tar"


def tablespace(case: Case) -> Path:
    """The archive of the tablespace."""
    (found,) = (p for p in case.set_dir(NEWEST).glob("*.tar") if p.stem.isdigit())
    return found


def gzipped(case: Case) -> list[Path]:
    """The archives of the newest set, compressed as --gzip does."""
    return [gzip_file(path) for path in sorted(case.set_dir(NEWEST).glob("*.tar"))]


def member(path: Path) -> tarfile.TarInfo:
    """The largest file of a user's table."""
    with tarfile.open(path) as tar:
        users = [m for m in tar if m.isreg() and m.name.count("/") == 2 and m.name.rpartition("/")[2].isdigit()]
    return max((m for m in users if int(m.name.rpartition("/")[2]) >= FIRST_USER_OID), key=lambda m: m.size)


def test_a_flipped_byte(tar: Case) -> None:
    file = member(archive(tar))
    flip_byte(archive(tar), file.offset_data + 100)
    assert tar.told() == {f"valid FAIL set_checksum {tar.sets[NEWEST]}/{file.name}"}


def test_a_flipped_byte_in_a_tablespace(tar: Case) -> None:
    path = tablespace(tar)
    file = member(path)
    flip_byte(path, file.offset_data + 100)
    assert tar.told() == {f"valid FAIL set_checksum {tar.sets[NEWEST]}/pg_tblspc/{path.stem}/{file.name}"}


def test_a_flipped_byte_in_the_log_inside_a_set(tar: Case) -> None:
    path = archive(tar, "pg_wal")
    with tarfile.open(path) as members:
        first = next(m for m in members if m.isreg())
    flip_byte(path, first.offset_data + 90)
    assert tar.told() == {f"valid FAIL log_damaged {tar.sets[NEWEST]}/pg_wal/{first.name}"}


def test_a_missing_member(tar: Case) -> None:
    lost = member(archive(tar)).name
    edit_tar(archive(tar), lambda m, data: None if m.name == lost else data)
    where = f"{tar.sets[NEWEST]}/{lost}"
    assert tar.told() == {
        f"complete FAIL set_file_missing {where}",
        f"valid FAIL set_file_unreadable {where}",
        contradicted(tar),
    }


@pytest.mark.parametrize(("size_bytes", "code"), [(8192, "set_file_size"), (0, "set_file_empty")])
def test_a_truncated_or_empty_member(tar: Case, size_bytes: int, code: str) -> None:
    cut = member(archive(tar)).name
    edit_tar(archive(tar), lambda m, data: data[:size_bytes] if m.name == cut else data)
    where = f"{tar.sets[NEWEST]}/{cut}"
    assert tar.told() == {
        f"complete FAIL {code} {where}",
        f"valid FAIL set_read_mismatch {where}",
        contradicted(tar),
    }


def test_an_extra_member(tar: Case) -> None:
    with timeless(archive(tar)), tarfile.open(archive(tar), "a") as members:
        extra = tarfile.TarInfo("base/17000.sql")
        extra.size = 3
        members.addfile(extra, io.BytesIO(b"-- "))
    assert tar.told() == {f"complete FAIL set_file_extra {tar.sets[NEWEST]}/base/17000.sql"}


def test_a_truncated_archive(tar: Case) -> None:
    truncate(archive(tar), archive(tar).stat().st_size * 2 // 3)
    where = f"{tar.sets[NEWEST]}/base.tar"
    assert tar.told() == {
        f"complete FAIL set_archive_damaged {where}",
        f"valid FAIL set_archive_damaged {where}",
        contradicted(tar),
    }


def test_an_empty_archive(tar: Case) -> None:
    truncate(archive(tar), 0)
    newest = tar.sets[NEWEST]
    assert tar.told() == {
        f"complete FAIL set_archive_damaged {newest}/base.tar",
        f"complete FAIL label_damaged {newest}/backup_label",
        f"valid FAIL set_archive_damaged {newest}/base.tar",
        contradicted(tar),
    }


def test_a_missing_archive(tar: Case) -> None:
    remove(archive(tar))
    newest = tar.sets[NEWEST]
    assert tar.told() == {
        f"complete FAIL set_file_missing {newest}/base.tar",
        f"valid FAIL set_file_unreadable {newest}/base.tar",
        contradicted(tar),
    }


def test_a_missing_archive_of_a_tablespace(tar: Case) -> None:
    path = tablespace(tar)
    with tarfile.open(path) as members:
        files = [m.name for m in members if m.isreg()]
    remove(path)
    newest = tar.sets[NEWEST]
    assert tar.told() == {
        f"complete FAIL tablespace_missing {newest}/{path.name}",
        *(f"valid FAIL set_file_unreadable {newest}/pg_tblspc/{path.stem}/{name}" for name in files),
        contradicted(tar),
    }


def test_a_flipped_byte_in_a_compressed_archive(tar: Case) -> None:
    """The bytes behind it unpack to something else or to nothing, which gzip's own checksum tells at the end."""
    (packed,) = (p for p in gzipped(tar) if p.name == "base.tar.gz")
    assert tar.told() == set()
    flip_byte(packed, packed.stat().st_size // 2)
    newest = tar.sets[NEWEST]
    damaged = f"valid FAIL set_archive_damaged {newest}/base.tar.gz"
    told = tar.told()
    assert damaged in told
    assert {line.split("/")[0] for line in told - {damaged}} <= {f"valid FAIL set_checksum {newest}"}


@pytest.mark.parametrize("share", [0.5, 0.0])
def test_a_truncated_or_empty_compressed_archive(tar: Case, share: float) -> None:
    (packed,) = (p for p in gzipped(tar) if p.name == "base.tar.gz")
    truncate(packed, int(packed.stat().st_size * share))
    newest = tar.sets[NEWEST]
    told = {
        f"complete FAIL set_archive_damaged {newest}/base.tar.gz",
        f"valid FAIL set_archive_damaged {newest}/base.tar.gz",
        contradicted(tar),
    }
    assert tar.told() == told | (set() if share else {f"complete FAIL label_damaged {newest}/backup_label"})


def test_a_compression_that_cannot_be_read_here(tar: Case) -> None:
    """Not to know is no proof against the job."""
    archive(tar).rename(archive(tar).with_name("base.tar.zst"))
    where = f"{tar.sets[NEWEST]}/base.tar.zst"
    assert tar.told() == {f"{question} UNKNOWN source_unsupported {where}" for question in ("complete", "valid")}
    first = tar.set_dir(FIRST)
    (first / "base.tar").rename(first / "base.tar.zst")
    assert f"complete UNKNOWN no_full_backup {tar.places.sets}" in tar.told()


def test_no_room_to_read_the_logs_inside(tar: Case, small_disk: Path) -> None:
    """The records of their logs could not be checked, which is not the fault of the backups."""
    assert tar.but(state=small_disk).told() == {f"valid UNKNOWN read_space {name}" for name in tar.sets}

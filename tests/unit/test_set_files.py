"""The files of a set on disk: hostile links lead nowhere, and many findings become few."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from drydock.backup.folding import MOST_PLACES, fold_findings
from drydock.backup.postgres.set_files import check_permissions, list_files
from drydock.verdicts import Finding, Status


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data directory of three files and one tablespace beside it."""
    root = tmp_path / "set"
    for folder in ("base/5", "pg_tblspc", "pg_wal/archive_status"):
        (root / folder).mkdir(parents=True)
    for path in ("PG_VERSION", "base/5/1259", "pg_wal/000000010000000000000001"):
        (root / path).touch(mode=0o600)
    database = tmp_path / "ts" / "PG_18_202506291" / "5"
    database.mkdir(parents=True)
    (database / "16400").touch(mode=0o600)
    (root / "pg_tblspc" / "16384").symlink_to(tmp_path / "ts")
    return root


def test_files_are_listed_by_their_path_in_the_data_directory(root: Path) -> None:
    tree = list_files(root)
    assert set(tree.files) == {
        "PG_VERSION",
        "base/5/1259",
        "pg_wal/000000010000000000000001",
        "pg_tblspc/16384/PG_18_202506291/5/16400",
    }
    assert tree.tablespaces == {16384: root.parent / "ts"}
    assert "pg_wal/archive_status" in tree.folders


def test_a_tablespace_kept_inside_the_set_is_listed_once(root: Path) -> None:
    (root.parent / "ts").rename(root / "ts")
    (root / "pg_tblspc" / "16384").unlink()
    (root / "pg_tblspc" / "16384").symlink_to(root / "ts")
    assert [p for p in list_files(root).files if p.endswith("16400")] == ["pg_tblspc/16384/PG_18_202506291/5/16400"]


def test_links_of_a_hostile_set_lead_nowhere(root: Path) -> None:
    (root / "pg_tblspc" / "1").symlink_to("/")
    (root / "base" / "1").symlink_to("/etc")
    (root / "global").symlink_to("/usr")
    for path in (root / "pg_wal" / "000000010000000000000001", root / "pg_wal" / "archive_status"):
        path.unlink() if path.is_file() else path.rmdir()
    (root / "pg_wal").rmdir()
    (root / "pg_wal").symlink_to("/usr")
    tree = list_files(root)
    assert not any(f.is_regular for p, f in tree.files.items() if p not in ("PG_VERSION", "base/5/1259") and "16400" not in p)
    assert len(tree.files) < 100, "a walk through /usr or / would list thousands"


def test_a_pipe_is_no_regular_file(root: Path) -> None:
    os.mkfifo(root / "base" / "5" / "1260")
    assert not list_files(root).files["base/5/1260"].is_regular


def test_sound_permissions_have_no_finding(root: Path) -> None:
    assert list(check_permissions("set", list_files(root), os.geteuid())) == []
    (root / "base").chmod(0o755)  # a folder made by hand
    assert list(check_permissions("set", list_files(root), os.geteuid())) == []


def test_many_findings_become_few_and_a_count_for_each_kind_and_status() -> None:
    missing = [Finding(code="set_file_missing", status=Status.FAIL, place=f"a/{n:03}") for n in range(25)]
    modes = [Finding(code="set_mode", status=Status.WARN, place=f"b/{n:03}") for n in range(MOST_PLACES)]
    folded = fold_findings([*reversed(missing), *modes], "a", "more_set_problems")
    assert len(folded) == 2 * MOST_PLACES + 1
    (rest,) = [f for f in folded if f.code == "more_set_problems"]
    assert (rest.status, rest.values) == (Status.FAIL, {"kind": "set_file_missing", "count": 5})
    assert [f.place for f in folded[:3]] == ["a/000", "a/001", "a/002"]
    assert fold_findings([], "a", "more_set_problems") == ()

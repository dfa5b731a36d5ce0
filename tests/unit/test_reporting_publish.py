"""Publishing: all or nothing, names that file systems take, versions that count, checksums that are true."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import docx
import pytest

from drydock.reporting import publish as publishing
from drydock.reporting.backup_record import build_backup_record
from drydock.reporting.document import Document
from drydock.reporting.publish import publish
from tests.unit.report_samples import DAY, HEALTHY, make_estate, make_healthy, make_record

BASE = "广州国际贸易单一窗口运维服务项目-备份检查记录-20261121"


def names(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


def version_rows(path: Path) -> list[list[str]]:
    table = next(t for t in docx.Document(str(path)).tables if t.rows[0].cells[0].text == "版本")
    return [[c.text for c in row.cells[:3]] for row in table.rows[1:]]


def other_record() -> Document:
    return build_backup_record(DAY, {HEALTHY: make_healthy()}, {}, {}, make_estate(), "zh")


def test_three_files_with_true_checksums(tmp_path: Path) -> None:
    files = publish(make_record("zh"), tmp_path / "2026-11-21")
    assert [f.format for f in files] == ["xlsx", "docx", "html"]
    assert (
        {f.path.name for f in files} == {f"{BASE}-V1.0.{e}" for e in ("xlsx", "docx", "html")} == names(tmp_path / "2026-11-21")
    )
    for file in files:
        content = file.path.read_bytes()
        assert (file.sha256, file.bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    annex = files[0].sha256
    assert annex in files[2].path.read_text(encoding="utf-8")
    told = [c.text for t in docx.Document(str(files[1].path)).tables for c in t._cells]
    assert annex in told
    assert f"{BASE}-V1.0.xlsx" in told


def test_same_content_keeps_its_version_and_other_content_counts_up(tmp_path: Path) -> None:
    first = publish(make_record("zh"), tmp_path)
    assert publish(make_record("zh"), tmp_path) == first
    second = publish(other_record(), tmp_path)
    assert {f.path.name for f in second} == {f"{BASE}-V1.1.{e}" for e in ("xlsx", "docx", "html")}
    assert len(names(tmp_path)) == 6  # a version that was handed out stays
    assert version_rows(second[1].path) == [
        ["V1.0", "2026-11-21", "首次编制"],
        ["V1.1", "2026-11-21", "当日数据有变化，重新编制"],
    ]


def test_a_draft_is_replaced_under_its_own_number(tmp_path: Path) -> None:
    publish(make_record("zh"), tmp_path)
    files = publish(other_record(), tmp_path, formats=("html",), over_draft=True)
    assert [f.path.name for f in files] == [f"{BASE}-V1.0.xlsx", f"{BASE}-V1.0.html"]


@pytest.mark.parametrize("format_", ["docx", "html"])
def test_a_failing_writer_leaves_the_folder_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_: str) -> None:
    publish(make_record("zh"), tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    def fail(_: Document) -> bytes:
        raise RuntimeError("the font is gone")

    monkeypatch.setitem(publishing.WRITERS, format_, fail)
    with pytest.raises(RuntimeError, match="the font is gone"):
        publish(other_record(), tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = os.fsync, []

    def full_disk(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(publishing.os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        publish(make_record("zh"), tmp_path)
    assert names(tmp_path) == set()


def test_hostile_names_stay_inside_the_folder(tmp_path: Path) -> None:
    hostile = make_record("zh").model_copy(update={"short_name": "../../etc/项目\x00" + "很长" * 80})
    (file, *_) = publish(hostile, tmp_path, formats=("xlsx",))
    assert file.path.parent == tmp_path
    assert file.path.name.startswith("etc_项目")
    assert len(file.path.name.encode("utf-8")) < 255


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown format 'pdf'"):
        publish(make_record("zh"), tmp_path / "none", formats=("pdf",))
    assert not (tmp_path / "none").exists()

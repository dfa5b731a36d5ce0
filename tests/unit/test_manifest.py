"""backup_manifest: what is believed, what is not, and that nothing in it leads out of the backup."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drydock.backup.postgres.manifest import ManifestDamaged, ManifestFile, is_safe_path, parse_manifest

FILE = {"Path": "base/5/1259", "Size": 8192, "Checksum-Algorithm": "CRC32C", "Checksum": "6E40a629"}
RANGE = {"Timeline": 1, "Start-LSN": "0/C00028", "End-LSN": "1/00000120"}


def sealed(body: str) -> bytes:
    """A manifest with its checksum line, laid out as the server writes it."""
    text = body.encode()
    return text + b'"Manifest-Checksum": "%s"}\n' % hashlib.sha256(text).hexdigest().encode()


def manifest_bytes(files: list[dict] | None = None, ranges: list[dict] | None = None, version: int = 2, **extra: object) -> bytes:
    head = {"PostgreSQL-Backup-Manifest-Version": version} | ({"System-Identifier": 7710757170801504192} if version == 2 else {})
    head |= {"Files": [FILE] if files is None else files, "WAL-Ranges": [RANGE] if ranges is None else ranges} | extra
    return sealed(json.dumps(head)[:-1] + ",\n")


def test_version_2_says_all_it_holds() -> None:
    manifest = parse_manifest(manifest_bytes())
    assert (manifest.version, manifest.system_id) == (2, "7710757170801504192")
    assert manifest.files == {"base/5/1259": ManifestFile("base/5/1259", 8192, "CRC32C", "6e40a629")}
    assert manifest.total_bytes == 8192
    assert manifest.stop_position == (1 << 32) + 0x120
    assert (manifest.wal_ranges[0].timeline, manifest.wal_ranges[0].start_position) == (1, 0xC00028)


def test_version_1_has_no_system_identifier() -> None:
    assert parse_manifest(manifest_bytes(version=1)).system_id is None


def test_a_file_without_checksum_is_of_algorithm_none() -> None:
    manifest = parse_manifest(manifest_bytes([{"Path": "PG_VERSION", "Size": 3}]))
    assert manifest.files["PG_VERSION"] == ManifestFile("PG_VERSION", 3, "NONE", "")


def test_an_encoded_path_keeps_bytes_that_are_no_utf8() -> None:
    manifest = parse_manifest(manifest_bytes([FILE | {"Path": None, "Encoded-Path": b"a/\xb1\xb8".hex()}]))
    assert [p.encode("utf-8", "surrogateescape") for p in manifest.files] == [b"a/\xb1\xb8"]


@pytest.mark.parametrize("position", [0, 60, 150, -40, -2])
def test_one_flipped_byte_anywhere_is_seen(position: int) -> None:
    raw = bytearray(manifest_bytes())
    raw[position] ^= 1
    with pytest.raises(ManifestDamaged):
        parse_manifest(bytes(raw))


def test_a_cut_manifest_is_seen() -> None:
    with pytest.raises(ManifestDamaged, match="truncated"):
        parse_manifest(manifest_bytes()[:-30])


def test_an_edited_size_is_told_as_a_change_after_the_backup() -> None:
    with pytest.raises(ManifestDamaged, match="changed after the backup"):
        parse_manifest(manifest_bytes().replace(b"8192", b"8193"))


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([FILE | {"Path": "/etc/passwd"}], "leads out"),
        ([FILE | {"Path": "base/../../x"}], "leads out"),
        ([FILE | {"Path": "base//x"}], "leads out"),
        ([FILE | {"Path": ""}], "leads out"),
        ([FILE | {"Path": "a\x00b"}], "leads out"),
        ([FILE | {"Path": "\ud800"}], "leads out"),
        ([FILE, FILE], "twice"),
        ([FILE | {"Size": -1}], "size -1"),
        ([FILE | {"Size": "8192"}], "size '8192'"),
        ([FILE | {"Size": True}], "size True"),
        ([FILE | {"Checksum": "6e40a6"}], "checksum"),
        ([FILE | {"Checksum": "6e40a62z"}], "checksum"),
        ([FILE | {"Checksum-Algorithm": "MD5"}], "checksum"),
        ([{"Size": 1}], "not a backup manifest"),
        ("no list", "not a backup manifest"),
    ],
)
def test_what_a_hostile_manifest_may_not_say(files: object, reason: str) -> None:
    with pytest.raises(ManifestDamaged, match=reason):
        parse_manifest(manifest_bytes(files))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b"null\n",
        sealed("[" * 100_000 + "\n"),
        sealed('{"PostgreSQL-Backup-Manifest-Version": 9,\n'),
        manifest_bytes(ranges=[{"Timeline": 1, "Start-LSN": "0/2", "End-LSN": "0/1"}]),
        manifest_bytes(ranges=[{"Timeline": 1, "Start-LSN": "x", "End-LSN": "0/1"}]),
    ],
)
def test_what_is_no_manifest(raw: bytes) -> None:
    with pytest.raises(ManifestDamaged):
        parse_manifest(raw)


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    with pytest.raises(ManifestDamaged):
        parse_manifest(raw)


@given(st.lists(st.sampled_from(["a", "..", ".", "", "base", "日"]), min_size=1, max_size=5).map("/".join))
def test_a_safe_path_stays_inside(path: str) -> None:
    parts = path.split("/")
    assert is_safe_path(path) == all(p not in ("", ".", "..") for p in parts)

"""Records of WAL that reach over archived segments: every byte is checked, wherever the reading is cut and on whichever day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drydock.backup.facts import LogRange
from drydock.backup.log_pieces import cut_range
from drydock.backup.postgres.wal import read_segment_header
from drydock.backup.postgres.wal_archive import scan_archive
from drydock.backup.postgres.wal_reading import read_logs
from drydock.backup.source import no_progress
from sandbox.world import World, build_world

MIB = 1024 * 1024
LONG_MIB = 24


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world whose newest logs are mostly one message of 24 MiB, in segments of 1 MiB."""
    world = build_world(tmp_path_factory.mktemp("long"), days=1, after="past")
    try:
        with world.connect() as connection:
            connection.execute("select pg_logical_emit_message(false, 'long', repeat('x', %s))", [LONG_MIB * MIB])
        world.switch_log(world.now + timedelta(hours=1))
    finally:
        world.close()
    return world


def findings_of(wal: Path, *parts: LogRange) -> list[str]:
    ranges = parts or scan_archive(wal, datetime.now(UTC)).ranges
    return [f.code for r in ranges for f in read_logs(wal, r, no_progress).findings]


def cut_after(wal: Path, segments: int) -> tuple[LogRange, LogRange]:
    """The only range of an archive in two parts, as two days read it."""
    (whole,) = scan_archive(wal, datetime.now(UTC)).ranges
    border = whole.first_position + segments * MIB
    return cut_range(whole, whole.first_position, border, MIB), cut_range(whole, border, whole.end_position, MIB)


def filled_segments(wal: Path) -> list[Path]:
    """Segments of which the long record covers every byte."""
    paths = sorted(p for p in wal.iterdir() if len(p.name) == 24)
    return [p for p in paths if read_segment_header(p.read_bytes()[:64]).continued_bytes > MIB]


def test_a_long_record_is_no_damage(world: World) -> None:
    assert len(filled_segments(world.places.wal)) >= LONG_MIB - 2
    assert findings_of(world.places.wal) == []


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_one_wrong_byte_in_a_long_record_is_found_wherever_it_lies(world: World, tmp_path: Path, share: float) -> None:
    wal = world.copy_backups(tmp_path / "backups").wal
    paths = filled_segments(wal)
    damaged = paths[int(share * len(paths))]
    content = bytearray(damaged.read_bytes())
    content[MIB // 2] ^= 0x55
    damaged.write_bytes(content)
    assert findings_of(wal) == ["log_damaged"]


def test_the_rest_of_a_record_is_checked_by_the_part_that_it_reaches_into(world: World, tmp_path: Path) -> None:
    wal = world.copy_backups(tmp_path / "backups").wal
    paths = sorted(p for p in wal.iterdir() if len(p.name) == 24)
    number, path = next((n, p) for n, p in enumerate(paths) if n and read_segment_header(p.read_bytes()[:64]).continued_bytes)
    first, second = cut_after(wal, number)
    assert (second.first, findings_of(wal, first, second)) == (path.name, [])
    content = bytearray(path.read_bytes())
    content[48] ^= 0x55  # of the record that began in the segment before
    path.write_bytes(content)
    assert (findings_of(wal, first), findings_of(wal, second)) == ([], ["log_damaged"])


def test_what_went_before_is_not_missed_when_it_expired(world: World, tmp_path: Path) -> None:
    wal = world.copy_backups(tmp_path / "backups").wal
    inside = filled_segments(wal)[LONG_MIB // 2]
    names = sorted(p.name for p in wal.iterdir() if len(p.name) == 24)
    _, second = cut_after(wal, names.index(inside.name))
    for name in names[: names.index(inside.name)]:
        (wal / name).unlink()
    assert findings_of(wal, second) == []
    assert read_logs(wal, second, no_progress).files == second.segments

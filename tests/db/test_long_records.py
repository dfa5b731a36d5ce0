"""One record of WAL that reaches over many archived segments: every byte of it is checked, wherever the reading is cut."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

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


def findings_of(wal: Path) -> list[str]:
    return [f.code for r in scan_archive(wal, datetime.now(UTC)).ranges for f in read_logs(wal, r, no_progress).findings]


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

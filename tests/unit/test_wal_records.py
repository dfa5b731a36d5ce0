"""A record that fills whole segments: pages that carry it on are believed, a wrong length in one of them never is."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from drydock.backup.facts import LogRange
from drydock.backup.postgres.wal import Segment
from drydock.backup.postgres.wal_reading import read_logs
from drydock.backup.results import Read
from drydock.backup.source import no_progress
from tests.unit.build import AS_OF

MIB = 1024 * 1024
FIRST, COUNT = 5, 4
RECORD_BYTES = 100 * MIB  # still to come at the start of the first segment


def put_segments(place: Path) -> list[Path]:
    """Segments that are nothing but the middle of one record, as the server writes its pages."""
    paths, remaining = [], RECORD_BYTES
    for number in range(FIRST, FIRST + COUNT):
        pages = []
        for position in range(number * MIB, (number + 1) * MIB, 8192):
            is_first = position % MIB == 0
            head = struct.pack("<HHIQIxxxx", 0xD118, 3 if is_first else 1, 1, position, remaining)
            head += struct.pack("<QII", 7710757170801504192, MIB, 8192) if is_first else b""
            pages.append(head.ljust(8192, b"x"))
            remaining -= 8192 - len(head)
        paths.append(place / Segment(1, number).name(MIB))
        paths[-1].write_bytes(b"".join(pages))
    return paths


def overwrite(path: Path, offset: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


def read(paths: list[Path]) -> Read:
    log_range = LogRange(
        timeline=1,
        first=paths[0].name,
        last=paths[-1].name,
        first_position=FIRST * MIB,
        end_position=(FIRST + COUNT) * MIB,
        segments=COUNT,
        total_bytes=COUNT * MIB,
        first_at=AS_OF,
        last_at=AS_OF,
    )
    return read_logs(paths[0].parent, log_range, no_progress)


def test_a_record_longer_than_the_segments_is_no_damage(tmp_path: Path) -> None:
    result = read(put_segments(tmp_path))
    assert (result.findings, result.files, result.read_bytes) == ((), COUNT, COUNT * MIB)


@pytest.mark.parametrize(
    ("offset", "content"),
    [
        (19, b"\x80"),  # the top bit of xlp_rem_len: longer than any record
        (19, b"\x20"),  # a length that could be, which the next page contradicts
        (2, b"\x02"),  # a length without the flag of a continuation
        (3 * 8192, b"\0" * 8192),
        (3 * 8192 + 8, b"\x07"),  # a page of another place
    ],
)
def test_a_wrong_bit_does_not_switch_the_check_off(tmp_path: Path, offset: int, content: bytes) -> None:
    paths = put_segments(tmp_path)
    overwrite(paths[0], offset, content)
    assert [(f.code, f.place) for f in read(paths).findings] == [("log_damaged", paths[0].name)]


def test_pages_of_garbage_behind_a_believable_length_are_damage(tmp_path: Path) -> None:
    paths = put_segments(tmp_path)
    for path in paths:
        overwrite(path, 8192, b"\xa5" * (MIB - 8192))
    assert {f.place for f in read(paths).findings} == {p.name for p in paths}

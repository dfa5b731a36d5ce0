"""WAL names, headers, histories, and the scan of an archive folder. Segments are made up: only their first bytes matter."""

from __future__ import annotations

import gzip
import os
import struct
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drydock.backup.postgres.backup_label import LabelDamaged
from drydock.backup.postgres.wal import (
    HeaderDamaged,
    Segment,
    describe_mismatch,
    parse_backup_history,
    parse_segment,
    parse_timeline_history,
    read_segment_header,
    segment_at,
)
from drydock.backup.postgres.wal_archive import read_backup_histories, scan_archive
from drydock.backup.source import SourceUnreadable
from drydock.verdicts import Status

MIB = 1024 * 1024
SYSTEM = 7710757170801504192
NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
SIZES = st.integers(20, 30).map(lambda power: 2**power)


def header(timeline: int = 1, number: int = 5, segment_bytes: int = MIB, system_id: int = SYSTEM, magic: int = 0xD118) -> bytes:
    return struct.pack("<HHIQIxxxxQII", magic, 2, timeline, number * segment_bytes, 0, system_id, segment_bytes, 8192)


def put(folder: Path, timeline: int, number: int, suffix: str = "", age_s: float = 3600, size: int = MIB, **changed: int) -> Path:
    """A segment of one MiB with a right header, mostly a hole."""
    path = folder / (Segment(timeline, number).name(MIB) + suffix)
    head = header(**{"timeline": timeline, "number": number} | changed)
    path.write_bytes(gzip.compress(head + bytes(100)) if suffix == ".gz" else head)
    if not suffix:
        os.truncate(path, size)
    moment = NOW.timestamp() - age_s
    os.utime(path, (moment, moment))
    return path


@given(st.integers(1, 2**31 - 1), st.integers(0, 2**32), SIZES)
def test_names_and_numbers_for_any_segment_size(timeline: int, number: int, segment_bytes: int) -> None:
    segment = Segment(timeline, number % (2**64 // segment_bytes))
    name = segment.name(segment_bytes)
    assert parse_segment(name, segment_bytes) == segment
    assert segment_at(timeline, segment.start_position(segment_bytes), segment_bytes) == segment
    assert segment_at(timeline, segment.end_position(segment_bytes) - 1, segment_bytes) == segment


@given(st.integers(0, 2**40), SIZES)
def test_the_next_segment_has_the_next_name(number: int, segment_bytes: int) -> None:
    number %= 2**64 // segment_bytes - 1
    assert Segment(1, number).name(segment_bytes) < Segment(1, number + 1).name(segment_bytes)
    assert Segment(1, number).end_position(segment_bytes) == Segment(1, number + 1).start_position(segment_bytes)


def test_the_documented_names() -> None:
    assert Segment(1, 0x100).name(16 * MIB) == "000000010000000100000000"
    assert Segment(1, 0x100).name(MIB) == "000000010000000000000100"
    assert Segment(0x2A, 4).name(1024 * MIB) == "0000002A0000000100000000"


@pytest.mark.parametrize("name", ["", "0" * 24, "000000010000000000000100", "00000001000000000000000g", "0" * 23 + "1" + ".gz"])
def test_names_that_no_segment_of_16_mib_has(name: str) -> None:
    with pytest.raises(ValueError, match="segment"):
        parse_segment(name, 16 * MIB)


def test_a_header_tells_who_wrote_it() -> None:
    found = read_segment_header(header())
    assert (found.timeline, found.position, found.system_id, found.segment_bytes) == (1, 5 * MIB, str(SYSTEM), MIB)
    assert found.major == 18
    assert read_segment_header(header(magic=0xD110)).major == 15
    assert read_segment_header(header(magic=0xD1F0)).major is None


@pytest.mark.parametrize(
    "head",
    [b"", bytes(40), header()[:39], header(magic=0x1234), header(segment_bytes=3 * MIB), header()[:2] + b"\x00" + header()[3:]],
)
def test_a_damaged_header(head: bytes) -> None:
    with pytest.raises(HeaderDamaged):
        read_segment_header(head)


def test_a_header_against_its_name() -> None:
    assert describe_mismatch(read_segment_header(header()), Segment(1, 5), MIB) is None
    # a timeline begins in a copy of its parent's segment
    assert describe_mismatch(read_segment_header(header()), Segment(2, 5), MIB) is None
    assert "timeline 3" in describe_mismatch(read_segment_header(header(timeline=3)), Segment(2, 5), MIB)
    assert "000000010000000000000005" in describe_mismatch(read_segment_header(header()), Segment(1, 6), MIB)
    assert "segment size" in describe_mismatch(read_segment_header(header()), Segment(1, 5), 16 * MIB)


def test_a_history_tells_of_all_ancestors() -> None:
    text = "1\t0/A000198\tno recovery target specified\n\n2\t1/5000000\tbefore 2026-11-20\n"
    assert parse_timeline_history(5, text) == [(2, 1, 0xA000198), (5, 2, 0x1_05000000)]


@pytest.mark.parametrize("text", ["", "# nothing\n", "x\t0/1\n", "1\n", "5\t0/1\n", "2\t0/1\n1\t0/2\n", "1\tnowhere\n"])
def test_a_damaged_history(text: str) -> None:
    with pytest.raises(LabelDamaged):
        parse_timeline_history(5, text)


def test_a_backup_history_file() -> None:
    text = "START WAL LOCATION: 0/C00028 (file x)\nSTOP WAL LOCATION: 0/C00120 (file x)\nSTART TIME: 2026-11-22 06:35:55 CST\n"
    text += "LABEL: nightly\nSTOP TIME: 2026-11-22 06:40:00 CST\nSTOP TIMELINE: 2\n"
    found = parse_backup_history(text, ZoneInfo("Asia/Shanghai"))
    assert (found.start_position, found.stop_position, found.timeline, found.label) == (0xC00028, 0xC00120, 2, "nightly")
    assert (found.finished_at - found.started_at).total_seconds() == 245
    with pytest.raises(LabelDamaged):
        parse_backup_history("LABEL: nightly\n", ZoneInfo("Asia/Shanghai"))


def test_a_whole_archive_is_one_range(tmp_path: Path) -> None:
    for number in range(3, 9):
        put(tmp_path, 1, number, age_s=(9 - number) * 60)
    archive = scan_archive(tmp_path, NOW)
    (found,) = archive.ranges
    assert (archive.problems, archive.timelines, archive.segment_bytes) == ((), {}, MIB)
    assert (found.first, found.last, found.segments) == ("000000010000000000000003", "000000010000000000000008", 6)
    assert (found.first_position, found.end_position, found.total_bytes) == (3 * MIB, 9 * MIB, 6 * MIB)
    assert (found.first_at, found.last_at) == (NOW - timedelta(minutes=6), NOW - timedelta(minutes=1))
    assert found.system_id == str(SYSTEM)
    assert archive.free_bytes > 0


def test_a_missing_number_splits_the_range(tmp_path: Path) -> None:
    for number in (1, 2, 4):
        put(tmp_path, 1, number)
    assert [(r.first[-1], r.last[-1], r.segments) for r in scan_archive(tmp_path, NOW).ranges] == [("1", "2", 2), ("4", "4", 1)]


def test_timelines_are_ranges_of_their_own_with_their_branch(tmp_path: Path) -> None:
    for timeline, number in ((1, 1), (1, 2), (2, 2), (2, 3)):
        put(tmp_path, timeline, number)
    history = tmp_path / "00000002.history"
    history.write_text("1\t0/200100\tno recovery target specified\n")
    os.utime(history, (0, 0))
    archive = scan_archive(tmp_path, NOW)
    assert [(r.timeline, r.segments) for r in archive.ranges] == [(1, 2), (2, 2)]
    assert archive.timelines == {2: (1, 0x200100)}
    assert archive.problems == ()


def test_a_timeline_without_its_history_is_told(tmp_path: Path) -> None:
    put(tmp_path, 3, 4)
    (problem,) = scan_archive(tmp_path, NOW).problems
    assert (problem.code, problem.place, problem.status) == ("history_missing", "00000003.history", Status.FAIL)


def test_a_damaged_history_is_told(tmp_path: Path) -> None:
    put(tmp_path, 2, 4)
    (tmp_path / "00000002.history").write_bytes(b"\x00\xff")
    os.utime(tmp_path / "00000002.history", (0, 0))
    assert {p.code for p in scan_archive(tmp_path, NOW).problems} == {"history_damaged", "history_missing"}


@pytest.mark.parametrize(("size", "number"), [(0, 2), (4096, 2), (2 * MIB, 2), (0, 4)])
def test_a_segment_of_the_wrong_size_is_told_and_is_a_gap(tmp_path: Path, size: int, number: int) -> None:
    for other in {1, 2, 3, 4} - {number}:
        put(tmp_path, 1, other)
    path = put(tmp_path, 1, number, size=size)
    archive = scan_archive(tmp_path, NOW)
    (problem,) = archive.problems
    assert (problem.code, problem.place, problem.values["actual_bytes"]) == ("log_size", path.name, size)
    assert archive.segments == 3


def test_the_newest_segment_may_be_in_the_middle_of_its_copy(tmp_path: Path) -> None:
    put(tmp_path, 1, 1)
    put(tmp_path, 1, 2, size=4096, age_s=5)
    archive = scan_archive(tmp_path, NOW)
    assert (archive.problems, archive.segments) == ((), 1)


def test_compressed_segments_are_there(tmp_path: Path) -> None:
    put(tmp_path, 1, 1)
    put(tmp_path, 1, 2, ".gz")
    put(tmp_path, 1, 3, ".zst")
    put(tmp_path, 1, 4, ".lz4")
    archive = scan_archive(tmp_path, NOW)
    assert (archive.segments, archive.problems) == (4, ())


def test_files_of_other_kinds_are_passed_over(tmp_path: Path) -> None:
    put(tmp_path, 1, 1)
    for name in (
        "000000010000000000000002.partial",
        ".000000010000000000000003.part",
        "README",
        "000000010000000000000001.00000028.backup",
    ):
        (tmp_path / name).write_bytes(b"x")
    archive = scan_archive(tmp_path, NOW)
    assert (archive.segments, archive.problems) == (1, ())


def test_what_came_later_was_not_there(tmp_path: Path) -> None:
    put(tmp_path, 1, 1)
    put(tmp_path, 1, 2, age_s=-10)
    assert scan_archive(tmp_path, NOW).segments == 1
    assert scan_archive(tmp_path, NOW + timedelta(minutes=1)).segments == 2


def test_a_renamed_segment_is_told(tmp_path: Path) -> None:
    put(tmp_path, 1, 1)
    path = put(tmp_path, 1, 7)
    path.rename(tmp_path / "000000010000000000000002")
    (problem,) = scan_archive(tmp_path, NOW).problems
    assert (problem.code, problem.place) == ("log_misnamed", "000000010000000000000002")
    assert "000000010000000000000007" in problem.values["reason"]


def test_a_segment_of_another_system_is_told(tmp_path: Path) -> None:
    put(tmp_path, 1, 1)
    put(tmp_path, 1, 2, system_id=99)
    (problem,) = scan_archive(tmp_path, NOW).problems
    assert (problem.code, problem.place) == ("foreign_backup", "000000010000000000000002")
    assert problem.values == {"system_id": "99", "expected": str(SYSTEM)}


def test_a_segment_without_header_is_told(tmp_path: Path) -> None:
    put(tmp_path, 1, 1)
    put(tmp_path, 1, 2, magic=0)
    (problem,) = scan_archive(tmp_path, NOW).problems
    assert (problem.code, problem.place, problem.status) == ("log_damaged", "000000010000000000000002", Status.FAIL)


def test_an_empty_archive_has_no_range(tmp_path: Path) -> None:
    archive = scan_archive(tmp_path, NOW)
    assert (archive.ranges, archive.problems) == ((), ())


def test_an_archive_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="nowhere"):
        scan_archive(tmp_path / "nowhere", NOW)
    assert read_backup_histories(tmp_path / "nowhere", ZoneInfo("UTC")) == []


def test_many_problems_are_folded(tmp_path: Path) -> None:
    for number in range(1, 60):
        put(tmp_path, 1, number, size=0)
    problems = scan_archive(tmp_path, NOW).problems
    assert len(problems) == 21
    assert (problems[-1].code, problems[-1].values) == ("more_set_problems", {"kind": "log_size", "count": 39})


def test_20000_segments_are_scanned_quickly(tmp_path: Path) -> None:
    first = put(tmp_path, 1, 1)
    for number in range(2, 20_001):
        os.link(first, tmp_path / Segment(1, number).name(MIB))
    last = tmp_path / Segment(1, 20_000).name(MIB)
    last.unlink()
    put(tmp_path, 1, 20_000)
    began = time.process_time()
    archive = scan_archive(tmp_path, NOW)
    assert (archive.segments, len(archive.ranges), archive.problems) == (20_000, 1, ())
    assert time.process_time() - began < 2  # a tenth of it on an idle machine

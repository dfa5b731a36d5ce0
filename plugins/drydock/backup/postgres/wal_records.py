"""Checks every record of a run of WAL segments with PostgreSQL's own reader, pg_waldump, of the version that wrote them.

pg_waldump stops at the first bad record; here it goes on behind it, so that each damaged segment is named. What no
reader looks at is looked at too: after a switch the rest of a segment must be zeros. Not covered are the up to seven
bytes between two records, which carry nothing. Source: PostgreSQL manual, "pg_waldump"; `access/xlogrecord.h`.
"""

from __future__ import annotations

import errno
import os
import re
import struct
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import crc32c

from drydock.backup.postgres.backup_label import LabelDamaged, format_lsn, parse_lsn
from drydock.backup.postgres.wal import (
    LONG_HEADER_BYTES,
    MAGIC_RANGE,
    SegmentHeader,
    parse_segment,
    segment_at,
)
from drydock.backup.regular_files import PASSING_ERRORS, is_gone
from drydock.engines.postgres_binaries import BinariesMissing, all_binaries, find_binaries
from drydock.verdicts import Finding, Status

PAGE_BYTES = 8192
CHUNK_BYTES = 256 * 1024
SHORT_HEADER_BYTES = 24
MOST_DAMAGED = 20  # of one run; a run with more is not worth more names
SLOWEST_BYTES_PER_S = 2 * 1024 * 1024
SMALLEST_TIMEOUT_S = 120
_RECORD = struct.Struct("<IIQBBxxI")  # tot_len xid prev info rmid (pad) crc
_XLOG_SWITCH, _RM_XLOG = 0x40, 0
_PAGE = struct.Struct("<HHIQI")  # magic info tli pageaddr rem_len
_IS_CONTINUATION = 0x0001
LONGEST_RECORD_BYTES = 1020 * 1024 * 1024  # XLogRecordMaxSize (access/xlogrecord.h)
_IN_SEGMENT = re.compile(r"(?:WAL|log) segment ([0-9A-F]{24})")
_LATE_ERROR = "out-of-sequence timeline ID"
_POSITION = re.compile(r"\b([0-9A-F]{1,8}/[0-9A-F]{1,8})\b")


class WaldumpFailed(Exception):
    """Something is wrong, in the words of pg_waldump or of our own look at the headers of pages.

    `position` is where, None when that is not known.
    """

    def __init__(self, reason: str, segment: str | None, position: int | None) -> None:
        super().__init__(reason)
        self.segment, self.position = segment, position


def check_records(folder: Path, names: Sequence[str], header: SegmentHeader) -> Iterator[Finding]:
    """`log_damaged` for each segment with a bad record, of segments that follow each other on one timeline.

    Raises BinariesMissing where there is no pg_waldump of the version that wrote them, FileNotFoundError where the first
    of them expired meanwhile, OSError of the storage.
    """
    waldump = find_waldump(header)
    rest = list(names)
    for _ in range(MOST_DAMAGED):
        if not rest:
            return
        timeout_s = SMALLEST_TIMEOUT_S + len(rest) * header.segment_bytes / SLOWEST_BYTES_PER_S
        try:
            if _is_one_record(folder, rest, header.segment_bytes):
                _check_continuation(folder, rest, header.segment_bytes)
            else:
                run_waldump(waldump, [f"--path={folder}", rest[0], rest[-1]], timeout_s)
            return
        except WaldumpFailed as failure:
            if is_gone(folder / rest[0]):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), rest[0]) from failure
            name = _damaged_segment(folder, failure, rest, header.segment_bytes)
            yield damaged(name, str(failure), failure.position)
            rest = rest[rest.index(name) + 1 :]


def check_range(folder: Path, timeline: int, start: int, end: int, header: SegmentHeader) -> Finding | None:
    """The first bad record from `start` to `end`, as pg_verifybackup looks for it. Raises BinariesMissing."""
    timeout_s = SMALLEST_TIMEOUT_S + (end - start) / SLOWEST_BYTES_PER_S
    options = [f"--path={folder}", f"--timeline={timeline}", f"--start={format_lsn(start)}", f"--end={format_lsn(end)}"]
    try:
        run_waldump(find_waldump(header), options, timeout_s)
    except WaldumpFailed as failure:
        at = failure.position if failure.position is not None else start
        return damaged(
            failure.segment or segment_at(timeline, at, header.segment_bytes).name(header.segment_bytes), str(failure), at
        )
    return None


def find_waldump(header: SegmentHeader) -> Path:
    """pg_waldump of the major version that wrote the segment, the newest for a version not known. Raises BinariesMissing."""
    newest = max(all_binaries(), key=lambda b: b.major, default=None)
    binaries = newest if header.major is None and newest else find_binaries(header.major)
    return binaries.tool("pg_waldump")


def run_waldump(waldump: Path, options: Sequence[str], timeout_s: float) -> None:
    """Read records and say nothing. Raises WaldumpFailed; BinariesMissing where it cannot run, OSError of the storage."""
    environment = {"PATH": os.defpath, "LC_ALL": "C", "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", "")}
    command = [str(waldump), "--quiet", *options]
    try:
        done = subprocess.run(command, capture_output=True, timeout=timeout_s, check=False, env=environment)
    except subprocess.TimeoutExpired as e:
        raise WaldumpFailed(f"pg_waldump did not end within {timeout_s:.0f} s", None, None) from e
    except OSError as e:
        raise BinariesMissing(f"pg_waldump cannot be run: {e}") from e
    if done.returncode < 0:
        raise BinariesMissing(f"pg_waldump was ended by signal {-done.returncode}")
    if done.returncode != 0:
        text = done.stderr.decode("utf-8", "replace").strip().removeprefix("pg_waldump: error: ")
        if passing := next((e for e in PASSING_ERRORS if os.strerror(e) in text), None):
            raise OSError(passing, os.strerror(passing))  # the storage, not what is stored
        raise WaldumpFailed(text, *_place_of_error(text))


def check_tail(path: Path) -> str | None:
    """What stands behind the end of the log in a segment that was switched early, where only zeros belong; or None."""
    with path.open("rb", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        end = _last_nonzero(file.fileno(), size)
        page_start = end // PAGE_BYTES * PAGE_BYTES
        page = os.pread(file.fileno(), PAGE_BYTES, page_start)
    if int.from_bytes(page[:2], "little") not in MAGIC_RANGE:
        return f"bytes behind the end of the log at offset {end}"
    if end >= size - SHORT_HEADER_BYTES:
        return None  # written to its very end
    switch_end = _end_of_switch(page, LONG_HEADER_BYTES if page_start == 0 else SHORT_HEADER_BYTES)
    if switch_end is not None and end >= page_start + switch_end:
        return f"bytes behind the switch record at offset {end}"
    return None


def damaged(name: str, reason: str, position: int | None = None) -> Finding:
    values = {"reason": reason, "position": "" if position is None else format_lsn(position)}
    return Finding(code="log_damaged", status=Status.FAIL, place=name, values=values)


def _last_nonzero(fd: int, size: int) -> int:
    """Offset of the last byte that is not zero; 0 where there is none."""
    zeros = bytes(CHUNK_BYTES)
    start = size
    while start > 0:
        length = min(CHUNK_BYTES, start)
        start -= length
        chunk = os.pread(fd, length, start)
        if chunk != zeros[: len(chunk)]:
            return start + len(chunk.rstrip(b"\0")) - 1
    return 0


def _end_of_switch(page: bytes, header_bytes: int) -> int | None:
    """Where in a page the switch record ends; None where there is none or it began on the page before."""
    for offset in range(header_bytes, len(page) - _RECORD.size + 1, 8):
        length, _, _, info, rmid, crc = _RECORD.unpack_from(page, offset)
        is_switch = (length, info, rmid) == (_RECORD.size, _XLOG_SWITCH, _RM_XLOG)
        if is_switch and crc32c.crc32c(page[offset : offset + _RECORD.size - 4]) == crc:
            return offset + _RECORD.size
    return None


def _place_of_error(text: str) -> tuple[str | None, int | None]:
    """Segment and position from the text of an error. The position named last is that of the bad record itself."""
    segment = _IN_SEGMENT.search(text)
    positions = _POSITION.findall(text)
    try:
        return segment[1] if segment else None, parse_lsn(positions[-1]) if positions else None
    except LabelDamaged:
        return segment[1] if segment else None, None


def _damaged_segment(folder: Path, failure: WaldumpFailed, names: Sequence[str], segment_bytes: int) -> str:
    if _LATE_ERROR in str(failure):  # told at the first sound page after the one that is wrong
        return next((n for n in names if _has_foreign_page(folder / n)), names[0])
    if failure.segment in names:
        return failure.segment
    if failure.position is not None:
        timeline = parse_segment(names[0], segment_bytes).timeline
        name = segment_at(timeline, failure.position, segment_bytes).name(segment_bytes)
        if name in names:
            return name
    return names[0]


def _has_foreign_page(path: Path) -> bool:
    """Whether a page of the segment claims a timeline that is younger than the segment."""
    timeline = int(path.name[:8], 16)
    with path.open("rb") as file:
        while page := file.read(PAGE_BYTES):
            if int.from_bytes(page[4:8], "little") > timeline:
                return True
    return False


def _is_one_record(folder: Path, names: Sequence[str], segment_bytes: int) -> bool:
    """True where one record reaches over all these segments: then there is no record start to begin with.

    Raises WaldumpFailed where the first page claims a continuation that cannot be.
    """
    with (folder / names[0]).open("rb") as file:
        _, info, _, position, remaining = _PAGE.unpack(file.read(_PAGE.size))
    if remaining > LONGEST_RECORD_BYTES or (remaining and not info & _IS_CONTINUATION):
        raise WaldumpFailed(f"impossible length of a continued record: {remaining} bytes", names[0], position)
    usable = segment_bytes // PAGE_BYTES * (PAGE_BYTES - SHORT_HEADER_BYTES) - (LONG_HEADER_BYTES - SHORT_HEADER_BYTES)
    return remaining >= usable * len(names)


def _check_continuation(folder: Path, names: Sequence[str], segment_bytes: int) -> None:
    """Each page of segments that one record fills: all that can be told of them. Raises WaldumpFailed.

    A page says how much of the record is still to come, so one wrong length anywhere shows on the page after it.
    """
    expected: tuple[int, int] | None = None
    for name in names:
        start = parse_segment(name, segment_bytes).start_position(segment_bytes)
        with (folder / name).open("rb") as file:
            for offset in range(0, segment_bytes, PAGE_BYTES):
                page = file.read(PAGE_BYTES)
                magic, info, _, position, remaining = _PAGE.unpack_from(page.ljust(_PAGE.size, b"\0"))
                expected = expected or (magic, remaining)
                if (magic, remaining) != expected or position != start + offset or not info & _IS_CONTINUATION:
                    raise WaldumpFailed(f"a page does not continue the record, at offset {offset}", name, start + offset)
                header_bytes = SHORT_HEADER_BYTES if offset else LONG_HEADER_BYTES
                expected = (magic, remaining - (PAGE_BYTES - header_bytes))

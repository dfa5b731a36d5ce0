"""The folder of archived logs: what is there, by names, sizes and the headers at the ends of each range.

Only names and sizes of all files are looked at, so a folder of 100,000 segments takes about a second; their bytes are
read elsewhere (`wal_reading`). Source: PostgreSQL manual, "Continuous Archiving and Point-in-Time Recovery".
"""

from __future__ import annotations

import contextlib
import gzip
import os
import re
import shutil
import stat
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from drydock.backup.facts import LogArchive, LogRange
from drydock.backup.folding import fold_findings
from drydock.backup.postgres.backup_label import LONGEST_LABEL_BYTES, LabelDamaged
from drydock.backup.postgres.wal import (
    BACKUP_HISTORY_NAME,
    DEFAULT_SEGMENT_BYTES,
    HISTORY_NAME,
    LONG_HEADER_BYTES,
    BackupHistory,
    HeaderDamaged,
    Segment,
    SegmentHeader,
    describe_mismatch,
    is_segment_bytes,
    parse_backup_history,
    parse_segment,
    parse_timeline_history,
    read_segment_header,
)
from drydock.backup.regular_files import open_regular, read_patiently
from drydock.backup.source import SourceUnreadable
from drydock.verdicts import Finding, Status

READABLE_SUFFIXES = ("", ".gz")
OTHER_SUFFIXES = (".lz4", ".zst", ".bz2", ".xz")
ARCHIVED_NAME = re.compile(r"([0-9A-F]{24})(\.gz|\.lz4|\.zst|\.bz2|\.xz)?")
STILL_COPIED_S = 120.0  # the newest segment may be in the middle of its copy for this long
HEADERS_TRIED = 8


class ArchivedSegment(NamedTuple):
    """A segment file. `suffix` is that of its compression, or empty."""

    name: str
    suffix: str
    size_bytes: int
    modified_s: float


class Listing(NamedTuple):
    """Files of an archive by kind: one file for each segment name, the uncompressed one where there are two."""

    segments: dict[str, ArchivedSegment]
    histories: dict[int, str]
    backup_histories: list[str]
    not_regular: list[str]


def list_archive(place: Path, as_of: datetime) -> Listing:
    """Names, sizes and times of what was there at `as_of`. Raises SourceUnreadable."""
    listing = Listing({}, {}, [], [])
    until_s = as_of.timestamp()
    try:
        with os.scandir(place) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):  # expired or renamed meanwhile
                    _list_entry(entry, until_s, listing)
    except OSError as e:
        raise SourceUnreadable(f"{place}: {e.strerror or e}") from e
    return listing


def scan_archive(place: Path, as_of: datetime) -> LogArchive:
    """The archive as ranges without a gap. Raises SourceUnreadable.

    A segment whose size is wrong does not count as there: it is a finding, and its place is a gap.
    """
    listing = list_archive(place, as_of)
    segment_bytes = find_segment_bytes(place, listing)
    whole, problems = _whole_segments(listing, segment_bytes, as_of)
    ranges = log_ranges(whole, segment_bytes)
    checked = [_check_ends(place, r, listing, segment_bytes) for r in ranges]
    timelines, history_problems = _read_histories(place, listing)
    problems += [_problem("log_unreadable", n, reason="not a regular file") for n in sorted(listing.not_regular)]
    problems += history_problems + [p for _, found in checked for p in found]
    problems += missing_histories({r.timeline for r in ranges}, timelines)
    return LogArchive(
        place=str(place),
        segment_bytes=segment_bytes,
        ranges=tuple(r for r, _ in checked),
        timelines=timelines,
        free_bytes=shutil.disk_usage(place).free,
        problems=fold_findings(problems, str(place), "more_set_problems"),
    )


def log_ranges(segments: list[tuple[Segment, ArchivedSegment]], segment_bytes: int) -> list[LogRange]:
    """Segments in order, as runs without a gap."""
    return [_log_range(run, segment_bytes) for run in _runs_without_gap(segments)]


def find_segment_bytes(place: Path, listing: Listing) -> int:
    """Segment size from the first readable header, else from the size that most files have, else 16 MiB."""
    newest = sorted(listing.segments.values(), key=lambda s: -s.modified_s)
    for segment in newest[:HEADERS_TRIED]:
        try:
            return read_header(place, segment).segment_bytes
        except (HeaderDamaged, OSError):
            continue
    sizes = [s.size_bytes for s in newest if not s.suffix and is_segment_bytes(s.size_bytes)]
    return max(set(sizes), key=sizes.count) if sizes else DEFAULT_SEGMENT_BYTES


def read_header(place: Path, segment: ArchivedSegment) -> SegmentHeader:
    """Header of one archived segment. Raises HeaderDamaged, OSError."""
    path = place / (segment.name + segment.suffix)
    if segment.suffix not in READABLE_SUFFIXES:
        raise HeaderDamaged(f"compressed ({segment.suffix[1:]})")
    try:
        with open_regular(path) as raw:
            file = gzip.GzipFile(fileobj=raw) if segment.suffix else raw
            return read_segment_header(file.read(LONG_HEADER_BYTES))
    except (EOFError, zlib.error, gzip.BadGzipFile) as e:
        raise HeaderDamaged(f"not a whole gzip file: {e}") from e


def read_backup_histories(place: Path, zone: ZoneInfo) -> list[BackupHistory]:
    """All `.backup` files of an archive that can be read; an archive that is not there has none."""
    found = []
    try:
        with os.scandir(place) as entries:
            names = [e.name for e in entries if BACKUP_HISTORY_NAME.fullmatch(e.name)]
    except OSError:
        return []
    for name in names:
        try:
            found.append(parse_backup_history(_read_text(place / name), zone))
        except (LabelDamaged, OSError):
            continue  # it only refines a time that is also known from the manifest
    return found


def _list_entry(entry: os.DirEntry[str], until_s: float, listing: Listing) -> None:
    name = entry.name
    if match := ARCHIVED_NAME.fullmatch(name):
        status = entry.stat(follow_symlinks=False)
        segment = ArchivedSegment(match[1], match[2] or "", status.st_size, status.st_mtime)
        if not stat.S_ISREG(status.st_mode):
            listing.not_regular.append(name)
        elif status.st_mtime <= until_s and (segment.name not in listing.segments or not segment.suffix):
            listing.segments[segment.name] = segment
    elif match := HISTORY_NAME.fullmatch(name):
        if entry.stat(follow_symlinks=False).st_mtime <= until_s:
            listing.histories[int(match[1], 16)] = name
    elif BACKUP_HISTORY_NAME.fullmatch(name):
        listing.backup_histories.append(name)


def _whole_segments(
    listing: Listing, segment_bytes: int, as_of: datetime
) -> tuple[list[tuple[Segment, ArchivedSegment]], list[Finding]]:
    """Segments of the right size in order, and a finding for each other one."""
    whole: list[tuple[Segment, ArchivedSegment]] = []
    short: list[ArchivedSegment] = []
    problems: list[Finding] = []
    for file in listing.segments.values():
        try:
            segment = parse_segment(file.name, segment_bytes)
        except ValueError:
            problems.append(_problem("log_misnamed", file.name, reason=f"no segment of {segment_bytes} bytes has this name"))
            continue
        right = file.size_bytes > 0 if file.suffix else file.size_bytes == segment_bytes
        if right:
            whole.append((segment, file))
        else:
            short.append(file)
    whole.sort()
    newest = max(listing.segments.values(), key=lambda s: s.modified_s, default=None)
    for file in short:
        if file is newest and as_of.timestamp() - file.modified_s < STILL_COPIED_S:
            continue
        values = {"expected_bytes": segment_bytes, "actual_bytes": file.size_bytes}
        problems.append(_problem("log_size", file.name, **values))
    return whole, problems


def _runs_without_gap(segments: list[tuple[Segment, ArchivedSegment]]) -> Iterator[list[tuple[Segment, ArchivedSegment]]]:
    if not segments:
        return
    start = 0
    for i, ((a, _), (b, _)) in enumerate(pairwise(segments), start=1):
        if a.timeline != b.timeline or a.number + 1 != b.number:
            yield segments[start:i]
            start = i
    yield segments[start:]


def _log_range(run: list[tuple[Segment, ArchivedSegment]], segment_bytes: int) -> LogRange:
    (first, first_file), (last, last_file) = run[0], run[-1]
    return LogRange(
        timeline=first.timeline,
        first=first_file.name,
        last=last_file.name,
        first_position=first.start_position(segment_bytes),
        end_position=last.end_position(segment_bytes),
        segments=len(run),
        total_bytes=sum(f.size_bytes for _, f in run),
        first_at=datetime.fromtimestamp(first_file.modified_s, UTC),
        last_at=datetime.fromtimestamp(last_file.modified_s, UTC),
    )


def _check_ends(place: Path, log_range: LogRange, listing: Listing, segment_bytes: int) -> tuple[LogRange, list[Finding]]:
    """The range with its system identifier, and what the headers of its first and last segment contradict."""
    problems: list[Finding] = []
    system_id = None
    for name in dict.fromkeys((log_range.first, log_range.last)):
        file = listing.segments[name]
        if file.suffix not in READABLE_SUFFIXES:
            continue
        try:
            header = read_patiently(partial(read_header, place, file))
        except FileNotFoundError:
            continue  # expired meanwhile
        except (HeaderDamaged, OSError) as e:
            problems.append(_problem("log_damaged", name, reason=str(e), position=""))
            continue
        if mismatch := describe_mismatch(header, parse_segment(name, segment_bytes), segment_bytes):
            problems.append(_problem("log_misnamed", name, reason=mismatch))
        elif system_id and header.system_id != system_id:
            problems.append(_problem("foreign_backup", name, system_id=header.system_id, expected=system_id))
        system_id = system_id or header.system_id
    return log_range.model_copy(update={"system_id": system_id}), problems


def _read_histories(place: Path, listing: Listing) -> tuple[dict[int, tuple[int, int]], list[Finding]]:
    """Timeline -> (parent, branch position); a history also tells of all its ancestors."""
    timelines: dict[int, tuple[int, int]] = {}
    problems = []
    for timeline in sorted(listing.histories, reverse=True):
        name = listing.histories[timeline]
        try:
            for child, parent, position in parse_timeline_history(timeline, read_patiently(partial(_read_text, place / name))):
                timelines[child] = (parent, position)
        except FileNotFoundError:
            continue  # told as missing where it is needed
        except (LabelDamaged, OSError) as e:
            problems.append(_problem("history_damaged", name, reason=str(e)))
    return timelines, problems


def missing_histories(present: set[int], timelines: dict[int, tuple[int, int]]) -> list[Finding]:
    """A finding for each timeline whose branch point no history file tells."""
    missing = sorted(t for t in present if t > 1 and t not in timelines)
    return [_problem("history_missing", f"{t:08X}.history", timeline=t) for t in missing]


def _read_text(path: Path) -> str:
    with open_regular(path) as file:
        return file.read(LONGEST_LABEL_BYTES).decode("utf-8", "replace")


def _problem(code: str, place: str, **values: str | int) -> Finding:
    return Finding(code=code, status=Status.FAIL, place=place, values=values)

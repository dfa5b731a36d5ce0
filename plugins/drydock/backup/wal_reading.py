"""Reads back a run of archived segments: the header of each against its name, then every record.

Runs of 256 MiB are checked two at a time. Segments compressed with gzip are unpacked into a scratch area, one run at a
time; other compressions cannot be read here and are told as UNKNOWN, never as read.
"""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from drydock import settings
from drydock.backup.facts import LogRange
from drydock.backup.folding import fold_findings
from drydock.backup.results import Read, ReadUnit
from drydock.backup.scratch import ScratchTooSmall, close_scratch, open_scratch
from drydock.backup.set_comparison import READERS, Portion
from drydock.backup.sources import Progress
from drydock.backup.tar_archive import BUFFER_BYTES, GzipStream
from drydock.backup.wal import HeaderDamaged, Segment, SegmentHeader, describe_mismatch, parse_segment
from drydock.backup.wal_archive import OTHER_SUFFIXES, READABLE_SUFFIXES, ArchivedSegment, read_header
from drydock.backup.wal_records import check_records, check_tail, damaged
from drydock.engines.postgres_binaries import BinariesMissing
from drydock.verdicts import Finding, Status

BATCH_BYTES = 256 * 1024**2  # one run of pg_waldump; also the scratch space that one run needs at most


class _Readable(NamedTuple):
    """A segment whose header agrees with its name."""

    file: ArchivedSegment
    header: SegmentHeader


def read_logs(place: Path, log_range: LogRange, progress: Progress) -> Read:
    """Read every record of a range of segments.

    Findings: log_damaged, log_misnamed, foreign_backup and log_unreadable (FAIL), log_compression, log_tool_missing and
    read_space (UNKNOWN). Segments at the old end that expired since the survey are left out.
    """
    started_at = datetime.now(UTC)
    findings: dict[tuple[str, str], Finding] = {}
    read_bytes = files = 0
    with ThreadPoolExecutor(READERS) as pool:
        batches = _batches(_inspect_range(place, log_range, findings))
        for checked in as_completed([pool.submit(_check_batch, place, *batch) for batch in batches]):
            portion = checked.result()
            for finding in portion.findings:
                findings.setdefault(finding.key, finding)
            files, read_bytes = files + portion.files, read_bytes + portion.read_bytes
            progress(portion.read_bytes)
    if not files and not findings:
        findings["", ""] = _finding("log_unreadable", log_range.first, Status.FAIL, reason="not there any more")
    return Read(
        unit=ReadUnit.LOGS,
        subject=f"{log_range.first}..{log_range.last}",
        timeline=log_range.timeline,
        first_position=log_range.first_position,
        end_position=log_range.end_position,
        read_bytes=read_bytes,
        files=files,
        started_at=started_at,
        ended_at=datetime.now(UTC),
        findings=fold_findings(findings.values(), log_range.first, "more_read_problems"),
    )


def _inspect_range(place: Path, log_range: LogRange, findings: dict[tuple[str, str], Finding]) -> Iterator[_Readable | None]:
    """Each segment of the range, or None where it cannot be read, which then is in `findings`."""
    segment_bytes = (log_range.end_position - log_range.first_position) // log_range.segments
    first = parse_segment(log_range.first, segment_bytes)
    system_id, seen = log_range.system_id, False
    for number in range(first.number, first.number + log_range.segments):
        segment = Segment(first.timeline, number)
        found = _inspect_segment(place, segment, segment_bytes, system_id)
        if isinstance(found, _Readable):
            system_id, seen = system_id or found.header.system_id, True
            yield found
        elif found is not None or seen:
            name = segment.name(segment_bytes)
            finding = found or _finding("log_unreadable", name, Status.FAIL, reason="not there any more")
            findings[finding.key] = finding
            seen = True
            yield None


def _inspect_segment(place: Path, segment: Segment, segment_bytes: int, system_id: str | None) -> _Readable | Finding | None:
    """The segment, what is wrong with it, or None where it is not there."""
    name = segment.name(segment_bytes)
    file = _find_file(place, name)
    if file is None:
        return None
    if file.suffix not in READABLE_SUFFIXES:
        return _finding("log_compression", name, Status.UNKNOWN, compression=file.suffix[1:])
    try:
        header = read_header(place, file)
    except HeaderDamaged as e:
        return damaged(name, str(e))
    except OSError as e:
        return _finding("log_unreadable", name, Status.FAIL, reason=e.strerror or str(e))
    if mismatch := describe_mismatch(header, segment, segment_bytes):
        return _finding("log_misnamed", name, Status.FAIL, reason=mismatch)
    if system_id and header.system_id != system_id:
        return _finding("foreign_backup", name, Status.FAIL, system_id=header.system_id, expected=system_id)
    return _Readable(file, header)


def _find_file(place: Path, name: str) -> ArchivedSegment | None:
    for suffix in (*READABLE_SUFFIXES, *OTHER_SUFFIXES):
        try:
            status = (place / (name + suffix)).stat()
        except FileNotFoundError:
            continue
        return ArchivedSegment(name, suffix, status.st_size, status.st_mtime)
    return None


def _batches(segments: Iterable[_Readable | None]) -> Iterator[tuple[int, list[_Readable]]]:
    """Runs of segments to check at once, and how many at the head of each were in the run before.

    The last segment of a run is read again with the next one: a record may reach over the border.
    """
    overlap, run = 0, []
    for segment in segments:
        if segment is None:
            if len(run) > overlap:
                yield overlap, run
            overlap, run = 0, []
            continue
        run.append(segment)
        if len(run) > 1 and len(run) * segment.header.segment_bytes >= BATCH_BYTES:
            yield overlap, run
            overlap, run = 1, [segment]
    if len(run) > overlap:
        yield overlap, run


def _check_batch(place: Path, overlap: int, batch: Sequence[_Readable]) -> Portion:
    """Check one run of segments; those at its head that the run before had are not counted again."""
    fresh = batch[overlap:]
    portion = Portion(read_bytes=sum(r.file.size_bytes for r in fresh), files=len(fresh))
    needed_bytes = sum(r.header.segment_bytes for r in batch if r.file.suffix)
    try:
        with _unpacked(place, batch, needed_bytes) as (folder, broken):
            portion.findings += broken
            for run in _split_at(batch, {f.place for f in broken}):
                portion.findings += check_records(folder, [r.file.name for r in run], run[0].header)
                tails = ((r.file.name, check_tail(folder / r.file.name)) for r in run)
                portion.findings += [damaged(name, reason) for name, reason in tails if reason]
    except BinariesMissing as e:
        # one for the whole range: it is named after the version, not after a segment
        place_name = f"PostgreSQL {batch[0].header.major}"
        portion.findings.append(_finding("log_tool_missing", place_name, Status.UNKNOWN, reason=str(e)))
    except ScratchTooSmall as e:
        values = {"needed_bytes": needed_bytes, "free_bytes": e.free_bytes}
        portion.findings.append(_finding("read_space", str(place), Status.UNKNOWN, **values))
    except OSError as e:
        reason = e.strerror or str(e)
        portion.findings.append(_finding("log_unreadable", batch[0].file.name, Status.FAIL, reason=reason))
    return portion


@contextmanager
def _unpacked(place: Path, batch: Sequence[_Readable], needed_bytes: int) -> Iterator[tuple[Path, list[Finding]]]:
    """A folder that holds the segments uncompressed, and findings for those that could not be unpacked.

    Raises ScratchTooSmall. Where nothing is compressed it is the archive itself.
    """
    if not needed_bytes:
        yield place, []
        return
    area = open_scratch(settings.scratch_dir(), needed_bytes, 1.0)
    try:
        broken = []
        for r in batch:
            try:
                _unpack(place, r.file, area.path / r.file.name)
            except (zlib.error, EOFError, OSError) as e:
                broken.append(damaged(r.file.name, f"cannot be unpacked: {e}"))
        yield area.path, broken
    finally:
        close_scratch(area)


def _unpack(place: Path, file: ArchivedSegment, target: Path) -> None:
    source = place / (file.name + file.suffix)
    if not file.suffix:
        target.symlink_to(source)
        return
    with source.open("rb", buffering=0) as packed, target.open("wb") as out:
        shutil.copyfileobj(GzipStream(packed), out, BUFFER_BYTES)


def _split_at(batch: Sequence[_Readable], left_out: set[str]) -> Iterator[list[_Readable]]:
    """Runs of a batch between the segments that are left out."""
    run: list[_Readable] = []
    for r in batch:
        if r.file.name not in left_out:
            run.append(r)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _finding(code: str, place: str, status: Status, **values: str | int) -> Finding:
    return Finding(code=code, status=status, place=place, values=values)

"""Reads back a run of archived segments: the header of each against its name, then every record.

Runs of at most 256 MiB are checked two at a time. Segments compressed with gzip are unpacked into a scratch area, one
run at a time; other compressions cannot be read here and are told as UNKNOWN, never as read.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from drydock.backup.facts import LogRange
from drydock.backup.folding import fold_findings
from drydock.backup.postgres.set_comparison import READERS, Portion, reader_threads
from drydock.backup.postgres.tar_archive import BUFFER_BYTES, GzipStream
from drydock.backup.postgres.wal import HeaderDamaged, Segment, SegmentHeader, describe_mismatch, parse_segment
from drydock.backup.postgres.wal_archive import OTHER_SUFFIXES, READABLE_SUFFIXES, ArchivedSegment, read_header
from drydock.backup.postgres.wal_records import check_records, check_tail, damaged
from drydock.backup.reading_scratch import ScratchFile, ScratchUnusable, link_in_scratch, reading_scratch
from drydock.backup.regular_files import open_regular, read_patiently
from drydock.backup.results import Read, ReadUnit
from drydock.backup.source import Progress, SourceGone
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
    read_space (UNKNOWN). Segments at the old end that expired since the survey are left out; raises SourceGone where
    nothing is left.
    """
    started_at = datetime.now(UTC)
    findings: dict[tuple[str, str], Finding] = {}
    read_bytes = files = 0
    with reader_threads() as pool:
        before = _segments_before(place, log_range)
        batches = _batches(before, _inspect_range(place, log_range, findings), _longest_run(log_range))
        for checked in as_completed([pool.submit(_check_batch, place, *batch) for batch in batches]):
            portion = checked.result()
            for finding in portion.findings:
                findings.setdefault(finding.key, finding)
            files, read_bytes = files + portion.files, read_bytes + portion.read_bytes
            progress(portion.read_bytes)
    told = _without_expired(place, log_range, findings.values())
    if not files and not told:
        raise SourceGone(f"{log_range.first}..{log_range.last}")
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
        findings=fold_findings(told, log_range.first, "more_read_problems"),
    )


def _inspect_range(place: Path, log_range: LogRange, findings: dict[tuple[str, str], Finding]) -> Iterator[_Readable | None]:
    """Each segment of the range, or None where it cannot be read, which then is in `findings`."""
    segment_bytes = _segment_bytes(log_range)
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


def _segments_before(place: Path, log_range: LogRange) -> list[_Readable]:
    """Segments before the range in which the record begins that reaches into it, oldest first.

    What was read when they were the newest ended with them, so that record is checked here or nowhere.
    """
    segment_bytes, before = _segment_bytes(log_range), []
    segment = parse_segment(log_range.first, segment_bytes)
    found = _inspect_segment(place, segment, segment_bytes, log_range.system_id)
    while isinstance(found, _Readable) and found.header.continued_bytes:
        if before and _begins_record(found):
            break
        segment = Segment(segment.timeline, segment.number - 1)
        found = _inspect_segment(place, segment, segment_bytes, log_range.system_id) if segment.number >= 0 else None
        before += [found] if isinstance(found, _Readable) else []
    return before[::-1]


def _begins_record(readable: _Readable) -> bool:
    """False where a record that began before may reach over all of the segment."""
    return readable.header.continued_bytes < readable.header.segment_bytes // 2


def _segment_bytes(log_range: LogRange) -> int:
    return (log_range.end_position - log_range.first_position) // log_range.segments


def _without_expired(place: Path, log_range: LogRange, findings: Iterable[Finding]) -> list[Finding]:
    """Findings but those about segments that are gone together with all that were older: retention took them meanwhile."""
    found = list(findings)
    if not any(f.status is Status.FAIL for f in found):
        return found
    segment_bytes = _segment_bytes(log_range)
    first = parse_segment(log_range.first, segment_bytes)
    numbers = range(first.number, first.number + log_range.segments)
    names = [Segment(first.timeline, n).name(segment_bytes) for n in numbers]
    expired = set(takewhile(lambda name: _find_file(place, name) is None, names))
    return [f for f in found if f.place not in expired]


def _inspect_segment(place: Path, segment: Segment, segment_bytes: int, system_id: str | None) -> _Readable | Finding | None:
    """The segment, what is wrong with it, or None where it is not there."""
    name = segment.name(segment_bytes)
    file = _find_file(place, name)
    if file is None:
        return None
    if file.suffix not in READABLE_SUFFIXES:
        return _finding("log_compression", name, Status.UNKNOWN, compression=file.suffix[1:])
    try:
        header = read_patiently(partial(read_header, place, file))
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


def _longest_run(log_range: LogRange) -> int:
    """Segments that are checked at once: an even share for each thread, and at most BATCH_BYTES."""
    share = -(-(log_range.segments + READERS - 1) // READERS)
    return max(min(share, BATCH_BYTES // _segment_bytes(log_range)), 2)


def _batches(
    before: list[_Readable], segments: Iterable[_Readable | None], longest: int
) -> Iterator[tuple[int, list[_Readable]]]:
    """Runs of segments to check at once, and how many at the head of each were in the run or the range before.

    The last segment of a run is read again with the next one: a record may reach over the border. So a run ends with a
    segment in which a record begins, and is longer where one record reaches over all of the last.
    """
    overlap, run = len(before), before
    for segment in segments:
        if segment is None:
            if len(run) > overlap:
                yield overlap, run
            overlap, run = 0, []
            continue
        run.append(segment)
        if len(run) >= longest and _begins_record(segment):
            yield overlap, run
            overlap, run = 1, [segment]
    if len(run) > overlap:
        yield overlap, run


def _check_batch(place: Path, overlap: int, batch: Sequence[_Readable]) -> Portion:
    """Check one run of segments; those at its head that the run before had are not counted again.

    A run that could not be checked counts as nothing read.
    """
    fresh = batch[overlap:]
    needed_bytes = sum(r.header.segment_bytes for r in batch if r.file.suffix)
    try:
        findings = read_patiently(partial(_find_damage, place, batch, needed_bytes))
        return Portion(read_bytes=sum(r.file.size_bytes for r in fresh), files=len(fresh), findings=findings)
    except BinariesMissing as e:
        # one for the whole range: it is named after the version, not after a segment
        place_name = f"PostgreSQL {batch[0].header.major}"
        finding = _finding("log_tool_missing", place_name, Status.UNKNOWN, reason=str(e))
    except ScratchUnusable as e:
        finding = e.finding(str(place), needed_bytes)
    except OSError as e:
        gone = sum(1 for _ in takewhile(lambda r: _find_file(place, r.file.name) is None, batch))
        if gone:  # expired meanwhile; the others are still to be read
            return _check_batch(place, max(overlap - gone, 0), batch[gone:]) if batch[gone:] else Portion()
        finding = _finding("log_unreadable", batch[0].file.name, Status.FAIL, reason=e.strerror or str(e))
    return Portion(findings=[finding])


def _find_damage(place: Path, batch: Sequence[_Readable], needed_bytes: int) -> list[Finding]:
    """What is wrong with the records of a run. Raises BinariesMissing, ScratchUnusable, OSError."""
    with _unpacked(place, batch, needed_bytes) as (folder, broken):
        findings = list(broken)
        for run in _split_at(batch, {f.place for f in broken}):
            findings += check_records(folder, [r.file.name for r in run], run[0].header)
            tails = ((r.file.name, check_tail(folder / r.file.name)) for r in run)
            findings += [damaged(name, reason) for name, reason in tails if reason]
        return findings


@contextmanager
def _unpacked(place: Path, batch: Sequence[_Readable], needed_bytes: int) -> Iterator[tuple[Path, list[Finding]]]:
    """A folder that holds the segments uncompressed, and findings for those that could not be unpacked.

    Raises ScratchUnusable, OSError. Where nothing is compressed it is the archive itself.
    """
    if not needed_bytes:
        yield place, []
        return
    with reading_scratch(needed_bytes) as folder:
        broken = []
        for r in batch:
            try:
                read_patiently(partial(_unpack, place, r, folder / r.file.name))
            except (zlib.error, EOFError) as e:
                broken.append(damaged(r.file.name, f"cannot be unpacked: {e}"))
            except OSError as e:
                broken.append(_finding("log_unreadable", r.file.name, Status.FAIL, reason=e.strerror or str(e)))
        yield folder, broken


def _unpack(place: Path, segment: _Readable, target: Path) -> None:
    """Raises zlib.error and EOFError for damage, also where more comes out than a segment holds; ScratchUnusable, OSError."""
    source = place / (segment.file.name + segment.file.suffix)
    if not segment.file.suffix:
        link_in_scratch(target, source)
        return
    with open_regular(source) as packed, ScratchFile(target) as out:
        stream, rest_bytes = GzipStream(packed), segment.header.segment_bytes
        while piece := stream.read(BUFFER_BYTES):
            rest_bytes -= len(piece)
            if rest_bytes < 0:
                raise zlib.error(f"more than the {segment.header.segment_bytes} bytes of a segment")
            out.write(piece)


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

"""Reads back a base backup in tar format, archive by archive and member by member, each byte once.

An archive is one stream, so two archives are read at a time. Segments of WAL are kept in a scratch area until their
records are checked. Source: PostgreSQL manual, "pg_verifybackup" (--format=tar) and "pg_basebackup".
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from pathlib import Path

from drydock.backup.postgres.checksums import PIECE_BYTES, Hasher, new_hasher
from drydock.backup.postgres.manifest import Manifest
from drydock.backup.postgres.set_comparison import Expectation, Portion, run_work, tell_unread
from drydock.backup.postgres.set_evidence import SetPlace
from drydock.backup.postgres.set_files import WAL_DIR, problem
from drydock.backup.postgres.set_wal import read_set_wal
from drydock.backup.postgres.tar_archive import BASE_ARCHIVE, MemberStream, TarDamaged, TarFile, list_archives, members
from drydock.backup.postgres.wal import SEGMENT_NAME
from drydock.backup.reading_scratch import ScratchFile, ScratchUnusable, reading_scratch
from drydock.backup.regular_files import read_patiently
from drydock.backup.source import Progress
from drydock.verdicts import Status

WAL_SCRATCH_BYTES = 256 * 1024 * 1024  # for the segments around the WAL ranges of a manifest


def read_archives(place: SetPlace, expectation: Expectation, total: Portion, progress: Progress) -> None:
    """Read all archives of a set, then the WAL that was in them. Raises OSError when the set cannot be listed."""
    found = read_patiently(partial(list_archives, place.root))
    archives = found.values()
    if "base" not in found:
        total.findings.append(problem("set_file_unreadable", f"{place.set_id}/{BASE_ARCHIVE}", reason="not there"))
    for archive in archives:
        if not archive.is_readable:
            where = f"{place.set_id}/{archive.path.name}"
            total.findings.append(problem("source_unsupported", where, Status.UNKNOWN, what=archive.suffix[1:]))
    try:
        with reading_scratch(_wal_bytes(expectation.manifest)) as wal_folder:
            run_work([partial(_read_archive, expectation, a, wal_folder) for a in archives if a.is_readable], total, progress)
            damaged = {f.place for f in total.findings if f.code in ("set_archive_damaged", "source_unsupported")}
            left_out = tuple(a.prefix for a in archives if f"{place.set_id}/{a.path.name}" in damaged)
            left_out += () if "base" in found else ("",)
            tell_unread(expectation, total, left_out)
            if not f"{WAL_DIR}/".startswith(left_out):
                run_work([partial(read_set_wal, expectation, wal_folder, place.has_log_archive)], total, progress)
    except ScratchUnusable as e:
        total.findings.append(e.finding(place.set_id, _wal_bytes(expectation.manifest)))


def _wal_bytes(manifest: Manifest | None) -> int:
    ranges = manifest.wal_ranges if manifest else ()
    return WAL_SCRATCH_BYTES + sum(r.end_position - r.start_position for r in ranges)


def _read_archive(expectation: Expectation, archive: TarFile, wal_folder: Path) -> Portion:
    """One archive as a piece of work. Raises ScratchUnusable."""
    try:
        return read_patiently(partial(_stream_archive, expectation, archive, wal_folder))
    except OSError as e:
        where = f"{expectation.set_id}/{archive.path.name}"
        return Portion(findings=[problem("set_archive_damaged", where, reason=e.strerror or str(e))])


def _stream_archive(expectation: Expectation, archive: TarFile, wal_folder: Path) -> Portion:
    portion = Portion(read_bytes=archive.size_bytes)
    try:
        for path, _, stream in members(archive):
            if stream is None:
                continue
            expected = expectation.file(path)
            hasher = new_hasher(expected.algorithm if expected else "NONE")
            size = _drain(stream, hasher, _wal_target(path, wal_folder))
            portion.findings += expectation.compare(path, size, hasher.hexdigest())
            portion.paths.add(path)
            portion.files += 1
    except TarDamaged as e:
        where = f"{expectation.set_id}/{archive.path.name}"
        portion.findings.append(problem("set_archive_damaged", where, reason=str(e)))
    return portion


def _wal_target(path: str, wal_folder: Path) -> Path | None:
    """Where a member is kept, for a segment of WAL; its name is checked, so it cannot lead out of the folder."""
    folder, _, name = path.rpartition("/")
    return wal_folder / name if folder == WAL_DIR and SEGMENT_NAME.fullmatch(name) else None


def _drain(stream: MemberStream, hasher: Hasher, target: Path | None) -> int:
    """Read a member to its end; returns its size."""
    size = 0
    with ScratchFile(target) if target else nullcontext() as out:
        while piece := stream.read(PIECE_BYTES):
            hasher.update(piece)
            size += len(piece)
            if out:
                out.write(piece)
    return size

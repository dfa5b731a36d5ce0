"""The WAL that a base backup carries itself, without which it does not start: `pg_wal` or pg_wal.tar.

Checked as pg_verifybackup does: every record of the WAL ranges that the manifest declares.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from drydock.backup.postgres.manifest import Manifest
from drydock.backup.postgres.set_comparison import Expectation, Portion
from drydock.backup.postgres.set_evidence import wal_names
from drydock.backup.postgres.set_files import WAL_DIR, problem
from drydock.backup.postgres.wal import LONG_HEADER_BYTES, SEGMENT_NAME, HeaderDamaged, SegmentHeader, read_segment_header
from drydock.backup.postgres.wal_records import check_range
from drydock.backup.regular_files import open_regular, read_patiently
from drydock.engines.postgres_binaries import BinariesMissing
from drydock.verdicts import Finding, Status


def read_set_wal(expectation: Expectation, folder: Path, has_log_archive: bool) -> Portion:
    """The check of a set's WAL as a piece of work; its bytes are counted where the files are read."""
    manifest = expectation.manifest
    if manifest is None:
        return Portion()
    return Portion(findings=list(check_set_wal(expectation.set_id, folder, manifest, has_log_archive)))


def check_set_wal(set_id: str, folder: Path, manifest: Manifest, has_log_archive: bool) -> Iterator[Finding]:
    """`log_damaged` for a bad record, `set_file_unreadable` for a segment that is not there.

    A set without any segment is made to be restored from the archive, where there is one.
    """
    entries = folder.iterdir() if folder.is_dir() else ()
    present = {p.name for p in entries if SEGMENT_NAME.fullmatch(p.name) and p.is_file() and not p.is_symlink()}
    where = f"{set_id}/{WAL_DIR}"
    if not present:
        if manifest.wal_ranges and not has_log_archive:
            yield problem("set_file_unreadable", where, reason="no WAL in the set and no archive")
        return
    first = min(present)
    try:
        header = read_patiently(partial(_read_header, folder / first))
    except (HeaderDamaged, OSError) as e:
        yield problem("log_damaged", f"{where}/{first}", reason=str(e), position="")
        return
    if manifest.system_id and header.system_id != manifest.system_id:
        yield problem("foreign_backup", f"{where}/{first}", system_id=header.system_id, expected=manifest.system_id)
    missing = [n for n in wal_names(manifest, header.segment_bytes) if n not in present]
    yield from (problem("set_file_unreadable", f"{where}/{n}", reason="not there") for n in missing)
    if not missing:
        yield from _check_ranges(where, folder, manifest, header)


def _check_ranges(where: str, folder: Path, manifest: Manifest, header: SegmentHeader) -> Iterator[Finding]:
    try:
        for r in manifest.wal_ranges:
            check = partial(check_range, folder, r.timeline, r.start_position, r.end_position, header)
            if finding := read_patiently(check):
                yield finding.model_copy(update={"place": f"{where}/{finding.place}"})
    except BinariesMissing as e:
        yield problem("log_tool_missing", where, Status.UNKNOWN, reason=str(e))
    except OSError as e:
        yield problem("set_file_unreadable", where, reason=e.strerror or str(e))


def _read_header(path: Path) -> SegmentHeader:
    with open_regular(path) as file:
        return read_segment_header(file.read(LONG_HEADER_BYTES))

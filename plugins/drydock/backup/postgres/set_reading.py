"""Reads back every byte of a base backup and compares it with the manifest, then checks the records of its WAL.

Each file is read once, by two threads; memory is flat. Only regular files are opened, and no link is followed.
Source: PostgreSQL manual, "pg_verifybackup", whose comparisons these are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

from drydock.backup.facts import BackupSet
from drydock.backup.folding import fold_findings
from drydock.backup.postgres import manifest as manifests
from drydock.backup.postgres.checksums import hash_file
from drydock.backup.postgres.manifest import ManifestDamaged
from drydock.backup.postgres.set_comparison import Expectation, Portion, run_work, tell_unread
from drydock.backup.postgres.set_evidence import SetPlace
from drydock.backup.postgres.set_files import WAL_DIR, FoundFile, list_files, problem
from drydock.backup.postgres.set_wal import read_set_wal
from drydock.backup.postgres.tar_reading import read_archives
from drydock.backup.regular_files import is_gone, read_patiently
from drydock.backup.results import Read, ReadUnit
from drydock.backup.source import Progress, SourceGone
from drydock.verdicts import Status

BATCH_FILES, BATCH_BYTES = 64, 32 * 1024 * 1024  # work of one thread at a time


def read_set(backup_set: BackupSet, place: SetPlace, progress: Progress) -> Read:
    """Read one set, plain or tar. What cannot be read or compared is a finding; nothing is raised for it.

    Raises SourceGone for a set that expired meanwhile.
    """
    started_at = datetime.now(UTC)
    expectation, total = _expect(backup_set.set_id, place)
    read = read_archives if backup_set.form == "tar" else _read_files
    try:
        read(place, expectation, total, progress)
    except OSError as e:
        total.findings.append(problem("set_file_unreadable", backup_set.set_id, reason=e.strerror or str(e)))
    if total.findings and is_gone(place.root):
        raise SourceGone(backup_set.set_id)
    return Read(
        unit=ReadUnit.SET,
        subject=backup_set.set_id,
        set_id=backup_set.set_id,
        timeline=backup_set.timeline,
        first_position=backup_set.start_position,
        end_position=backup_set.stop_position,
        read_bytes=total.read_bytes,
        files=total.files,
        started_at=started_at,
        ended_at=datetime.now(UTC),
        findings=fold_findings(total.findings, backup_set.set_id, "more_read_problems"),
    )


def _expect(set_id: str, place: SetPlace) -> tuple[Expectation, Portion]:
    """The manifest to compare with, and the finding where there is none or it has no checksums."""
    total = Portion()
    manifest = None
    try:
        manifest = read_patiently(partial(manifests.read_manifest, place.root / manifests.FILE_NAME))
        unsummed = sum(f.algorithm == "NONE" for f in manifest.files.values())
        if unsummed:
            total.findings.append(problem("set_unchecked", set_id, Status.WARN, files=unsummed, reason="checksum NONE"))
    except (ManifestDamaged, OSError) as e:
        total.findings.append(problem("set_unchecked", set_id, Status.UNKNOWN, files=0, reason=str(e)))
    return Expectation(set_id, manifest), total


def _read_files(place: SetPlace, expectation: Expectation, total: Portion, progress: Progress) -> None:
    tree = read_patiently(partial(list_files, place.root))
    work: list[Callable[[], Portion]] = []
    if expectation.manifest:
        work.append(partial(read_set_wal, expectation, place.root / WAL_DIR, place.has_log_archive))
    work += [partial(_read_batch, expectation, batch) for batch in _batches(tree.files)]
    run_work(work, total, progress)
    for path, reason in tree.unreadable.items():
        total.findings.append(problem("set_file_unreadable", f"{place.set_id}/{path}", reason=reason))
    tell_unread(expectation, total)


def _read_batch(expectation: Expectation, batch: list[tuple[str, FoundFile]]) -> Portion:
    portion = Portion()
    for path, found in batch:
        expected = expectation.file(path)
        try:
            algorithm = expected.algorithm if expected else "NONE"
            size, checksum = read_patiently(partial(hash_file, found.full_path, algorithm, found.size_bytes))
        except OSError as e:
            where = f"{expectation.set_id}/{path}"
            portion.findings.append(problem("set_file_unreadable", where, reason=e.strerror or str(e)))
        else:
            portion.findings += expectation.compare(path, size, checksum)
            portion.read_bytes += size
            portion.files += 1
        portion.paths.add(path)
    return portion


def _batches(files: dict[str, FoundFile]) -> Iterator[list[tuple[str, FoundFile]]]:
    """Regular files in the order of their paths, which is about that on disk."""
    batch: list[tuple[str, FoundFile]] = []
    batch_bytes = 0
    for path in sorted(files):
        if files[path].is_regular:
            batch.append((path, files[path]))
            batch_bytes += files[path].size_bytes
        if len(batch) >= BATCH_FILES or batch_bytes >= BATCH_BYTES:
            yield batch
            batch, batch_bytes = [], 0
    yield batch

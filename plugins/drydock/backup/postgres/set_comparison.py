"""What reading a base backup is compared with, and what a piece of that work brings home."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field

from drydock.backup.postgres.manifest import Manifest, ManifestFile
from drydock.backup.postgres.set_files import NOT_COMPARED, problem
from drydock.backup.source import Progress
from drydock.verdicts import Finding

READERS = 2  # threads; a disk gains little from more


@dataclass
class Portion:
    """What one piece of work read."""

    read_bytes: int = 0
    files: int = 0
    paths: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Expectation:
    """What a set must hold. Without a believable manifest `files` is empty and nothing can be compared."""

    set_id: str
    manifest: Manifest | None

    def file(self, path: str) -> ManifestFile | None:
        return self.manifest.files.get(path) if self.manifest and path not in NOT_COMPARED else None

    def compare(self, path: str, size_bytes: int, checksum: str) -> Iterator[Finding]:
        expected = self.file(path)
        if expected is None:
            return
        where = f"{self.set_id}/{path}"
        if size_bytes != expected.size_bytes:
            yield problem("set_read_mismatch", where, expected_bytes=expected.size_bytes, actual_bytes=size_bytes)
        elif checksum != expected.checksum:
            values = {"algorithm": expected.algorithm, "expected": expected.checksum, "actual": checksum}
            yield problem("set_checksum", where, **values)


@contextmanager
def reader_threads() -> Iterator[ThreadPoolExecutor]:
    """Two threads. When the work is broken off what they have not begun is dropped, or a stop would wait for terabytes."""
    pool = ThreadPoolExecutor(READERS)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def run_work(work: Iterable[Callable[[], Portion]], total: Portion, progress: Progress) -> None:
    """Do pieces of work with two threads and add them up; progress is told as each ends."""
    with reader_threads() as pool:
        for future in as_completed([pool.submit(piece) for piece in work]):
            portion = future.result()
            total.read_bytes += portion.read_bytes
            total.files += portion.files
            total.paths |= portion.paths
            total.findings += portion.findings
            progress(portion.read_bytes)


def tell_unread(expectation: Expectation, total: Portion, left_out: tuple[str, ...] = ()) -> None:
    """A finding for each file of the manifest that was not met. `left_out` are beginnings of paths told of otherwise."""
    expected = expectation.manifest.files.keys() - NOT_COMPARED if expectation.manifest else set()
    for path in expected - total.paths:
        if not path.startswith(left_out):
            total.findings.append(problem("set_file_unreadable", f"{expectation.set_id}/{path}", reason="not there"))

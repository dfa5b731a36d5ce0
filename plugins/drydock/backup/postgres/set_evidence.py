"""What one base backup shows of itself: its manifest, its label, its files and archives, and what is wrong with each.

Plain format and tar format differ in where the label, the tablespaces and the sizes of files come from. No byte of data
is read: of an archive only the head, and of an uncompressed one the headers of its members.
Source: PostgreSQL manual, "pg_basebackup", "Backup Manifest Format", "pg_verifybackup".
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from drydock.backup.postgres import manifest as manifests
from drydock.backup.postgres.backup_label import (
    LONGEST_LABEL_BYTES,
    BackupLabel,
    LabelDamaged,
    parse_backup_label,
    parse_tablespace_map,
)
from drydock.backup.postgres.manifest import Manifest, ManifestDamaged
from drydock.backup.postgres.set_files import LABEL, TABLESPACE_DIR, WAL_DIR, FileTree, compare_sizes, list_files, problem
from drydock.backup.postgres.tar_archive import (
    BASE_ARCHIVE,
    TABLESPACE_MAP,
    TarDamaged,
    TarFile,
    gzip_is_truncated,
    list_archives,
    list_members,
    read_first_bytes,
    read_small_files,
)
from drydock.backup.postgres.wal import (
    LONG_HEADER_BYTES,
    SEGMENT_NAME,
    HeaderDamaged,
    is_segment_bytes,
    read_segment_header,
    segment_at,
)
from drydock.backup.regular_files import open_regular, read_patiently
from drydock.verdicts import Finding, Status

VERSION_FILE = "PG_VERSION"
CONTROL_FILE = "global/pg_control"  # the server sends it last: a set without it is a part of one


@dataclass(frozen=True)
class SetPlace:
    """Where a set lies and what is needed to judge it."""

    root: Path
    set_id: str
    sets_root: Path
    zone: ZoneInfo
    owner: str | None = None
    has_log_archive: bool = True


@dataclass
class Evidence:
    """What was found in one set. `sizes` are the data files with their size, None where only reading would tell."""

    tree: FileTree
    archives: dict[str, TarFile] = field(default_factory=dict)
    manifest: Manifest | None = None
    manifest_at: datetime | None = None
    label: BackupLabel | None = None
    source_locations: dict[int, str] = field(default_factory=dict)
    sizes: dict[str, int] | None = None
    system_id: str | None = None
    problems: list[Finding] = field(default_factory=list)

    @property
    def is_tar(self) -> bool:
        """True also where base.tar is lost; an archive beside the files of a plain set is an extra file there."""
        return bool(self.archives) and VERSION_FILE not in self.tree.files


def gather_evidence(place: SetPlace) -> Evidence:
    """Look at one set. Raises OSError when its folder cannot be listed.

    The manifest is written last, so it is read first: what it speaks of is there when the files are listed.
    """
    manifest_at, manifest, problems = _read_manifest(place)
    evidence = Evidence(list_files(place.root), list_archives(place.root), manifest, manifest_at, problems=problems)
    _read_label(place, evidence)
    _find_sizes(place, evidence)
    evidence.problems += _compare(place, evidence)
    evidence.system_id = _system_id(place, evidence)
    return evidence


def wal_names(manifest: Manifest, segment_bytes: int) -> list[str]:
    """Names of the segments that the WAL ranges of a manifest lie in."""
    names = []
    for r in manifest.wal_ranges:
        last_byte = max(r.start_position, r.end_position - 1)
        for position in range(r.start_position // segment_bytes * segment_bytes, last_byte + 1, segment_bytes):
            names.append(segment_at(r.timeline, position, segment_bytes).name(segment_bytes))
    return names


def _read_manifest(place: SetPlace) -> tuple[datetime | None, Manifest | None, list[Finding]]:
    """When it was written, what it says, and what is wrong with it."""
    path = place.root / manifests.FILE_NAME
    where = f"{place.set_id}/{manifests.FILE_NAME}"
    manifest_at = None
    try:
        manifest_at = datetime.fromtimestamp(path.stat(follow_symlinks=False).st_mtime, UTC)
        return manifest_at, read_patiently(partial(manifests.read_manifest, path)), []
    except FileNotFoundError:
        return None, None, [problem("manifest_missing", where)]
    except (ManifestDamaged, OSError) as e:
        return manifest_at, None, [problem("manifest_damaged", where, reason=str(e))]


def _read_label(place: SetPlace, evidence: Evidence) -> None:
    where = f"{place.set_id}/{LABEL}"
    base = evidence.archives.get("base")
    if evidence.is_tar and not (base and base.is_readable):
        return  # told by _find_sizes
    try:
        texts = read_small_files(base) if evidence.is_tar else _plain_small_files(place.root)
        evidence.source_locations = parse_tablespace_map(texts.get(TABLESPACE_MAP, ""))
        if LABEL in texts:
            evidence.label = parse_backup_label(texts[LABEL], place.zone)
        else:
            evidence.problems.append(problem("label_missing", where))
    except (LabelDamaged, TarDamaged, OSError) as e:
        evidence.problems.append(problem("label_damaged", where, reason=str(e)))


def _plain_small_files(root: Path) -> dict[str, str]:
    texts = {}
    for name in (LABEL, TABLESPACE_MAP):
        path = root / name
        if path.is_file() and not path.is_symlink():
            with open_regular(path) as file:
                texts[name] = file.read(LONGEST_LABEL_BYTES).decode("utf-8", "replace")
    return texts


def _system_id(place: SetPlace, evidence: Evidence) -> str | None:
    """From the manifest (version 2), else from the control file or the head of the first WAL segment in the set."""
    if evidence.manifest and evidence.manifest.system_id:
        return evidence.manifest.system_id
    try:
        if not evidence.is_tar:
            return read_control_system_id(place.root / CONTROL_FILE)
        wal = evidence.archives.get("pg_wal")
        return read_segment_header(read_first_bytes(wal, LONG_HEADER_BYTES)).system_id if wal and wal.is_readable else None
    except (TarDamaged, HeaderDamaged, OSError):
        return None  # an unknown system is not a foreign one; the damage itself is found where files are compared and read


def read_control_system_id(path: Path) -> str:
    """The system identifier: the first eight bytes of pg_control (catalog/pg_control.h). Raises HeaderDamaged, OSError."""
    with open_regular(path) as file:
        head = file.read(8)
    if len(head) < 8:
        raise HeaderDamaged("pg_control is too short")
    return str(int.from_bytes(head, "little"))


def _find_sizes(place: SetPlace, evidence: Evidence) -> None:
    if not evidence.is_tar:
        evidence.sizes = {p: f.size_bytes for p, f in evidence.tree.files.items() if f.is_regular}
        return
    sizes: dict[str, int] | None = {}
    if "base" not in evidence.archives:
        expected_bytes = evidence.manifest.total_bytes if evidence.manifest else 0
        evidence.problems.append(problem("set_file_missing", f"{place.set_id}/{BASE_ARCHIVE}", expected_bytes=expected_bytes))
        sizes = None
    for archive in evidence.archives.values():
        where = f"{place.set_id}/{archive.path.name}"
        try:
            listed = _archive_sizes(archive)
        except (TarDamaged, OSError) as e:
            evidence.problems.append(problem("set_archive_damaged", where, reason=str(e)))
            listed = None
        if not archive.is_readable:
            evidence.problems.append(problem("source_unsupported", where, Status.UNKNOWN, what=archive.suffix[1:]))
        sizes = sizes | listed if sizes is not None and listed is not None else None
    evidence.sizes = sizes


def _archive_sizes(archive: TarFile) -> dict[str, int] | None:
    """Sizes of the members of an uncompressed archive; None for a compressed one. Raises TarDamaged, OSError."""
    if not archive.size_bytes:
        raise TarDamaged("empty")
    if not archive.suffix:
        return list_members(archive)
    if archive.suffix == ".gz" and gzip_is_truncated(archive):
        raise TarDamaged("gzip file ends early")
    return None


def _compare(place: SetPlace, evidence: Evidence) -> Iterator[Finding]:
    manifest = evidence.manifest
    missing = dict(_missing_tablespaces(place, evidence))
    yield from missing.values()
    yield from _outside_tablespaces(place, evidence)
    if manifest is None or evidence.sizes is None:
        return
    hidden = [f"{TABLESPACE_DIR}/{oid}/" for oid in missing]
    hidden += [LABEL] if any(p.code == "label_missing" for p in evidence.problems) else []
    yield from compare_sizes(place.set_id, evidence.sizes, manifest, hidden)
    yield from _missing_wal(place, evidence.sizes, manifest)


def _missing_tablespaces(place: SetPlace, evidence: Evidence) -> Iterator[tuple[int, Finding]]:
    """Tablespaces that manifest, map or links speak of and whose files are not in the backup."""
    links, locations = evidence.tree.tablespaces, evidence.source_locations
    for oid in sorted(_manifest_tablespaces(evidence.manifest) | set(locations) | set(links)):
        if evidence.is_tar:
            there, where = str(oid) in evidence.archives, f"{oid}.tar"
        else:
            there, where = (place.root / TABLESPACE_DIR / str(oid)).is_dir(), f"{TABLESPACE_DIR}/{oid}"
        if not there:
            values = {"oid": oid, "name": str(oid), "location": str(links.get(oid) or locations.get(oid, ""))}
            yield oid, problem("tablespace_missing", f"{place.set_id}/{where}", **values)


def _manifest_tablespaces(manifest: Manifest | None) -> set[int]:
    prefix = f"{TABLESPACE_DIR}/"
    oids = {p.split("/", 2)[1] for p in manifest.files if p.startswith(prefix)} if manifest else set()
    return {int(oid) for oid in oids if oid.isascii() and oid.isdigit()}


def _outside_tablespaces(place: SetPlace, evidence: Evidence) -> Iterator[Finding]:
    """Links that lead away from the backups: those files may be the living ones."""
    homes = {place.sets_root, place.sets_root.parent, place.root.parent, place.root.parent.parent} - {Path("/")}
    below_homes = tuple(os.path.realpath(home) + "/" for home in homes)
    for oid, target in evidence.tree.tablespaces.items():
        if target.is_dir() and not os.path.realpath(target).startswith(below_homes):
            where = f"{place.set_id}/{TABLESPACE_DIR}/{oid}"
            yield problem("tablespace_outside", where, Status.WARN, location=str(target))


def _missing_wal(place: SetPlace, sizes: dict[str, int], manifest: Manifest) -> Iterator[Finding]:
    """Segments that the manifest's WAL ranges need. A set without any is made to be restored from the archive."""
    prefix = f"{WAL_DIR}/"
    present = {p.removeprefix(prefix): s for p, s in sizes.items() if p.startswith(prefix)}
    present = {name: size for name, size in present.items() if SEGMENT_NAME.fullmatch(name)}
    if not present and place.has_log_archive:
        return
    segment_bytes = max((s for s in present.values() if is_segment_bytes(s)), default=0)
    if not segment_bytes:
        yield problem("set_file_missing", f"{place.set_id}/{WAL_DIR}", expected_bytes=0)
        return
    for name in wal_names(manifest, segment_bytes):
        where, actual = f"{place.set_id}/{WAL_DIR}/{name}", present.get(name)
        if actual is None:
            yield problem("set_file_missing", where, expected_bytes=segment_bytes)
        elif actual != segment_bytes:
            code = "set_file_size" if actual else "set_file_empty"
            yield problem(code, where, expected_bytes=segment_bytes, actual_bytes=actual)

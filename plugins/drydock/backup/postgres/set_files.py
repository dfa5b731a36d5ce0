"""The files of a base backup as they lie on disk, compared with its manifest without reading a byte of them.

Follows pg_verifybackup: the manifest itself, `pg_wal` and the files that a restore may add are not compared. No
symbolic link is followed but those that PostgreSQL itself makes: `pg_tblspc/<oid>` and `pg_wal`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from drydock.backup.postgres import manifest as manifests
from drydock.backup.postgres.manifest import Manifest
from drydock.verdicts import Finding, Status

# pg_verifybackup ignores these: WAL is verified by its records, the others are changed when a backup is put to use
NOT_COMPARED = frozenset({manifests.FILE_NAME, "postgresql.auto.conf", "recovery.signal", "standby.signal"})
WAL_DIR = "pg_wal"
TABLESPACE_DIR = "pg_tblspc"
LABEL = "backup_label"
WAL_FOLDERS = ("archive_status", "summaries")
VERSION_FOLDER = "PG_"  # the only thing that PostgreSQL keeps in a tablespace (PG_18_202506291)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """One entry on disk. `is_regular` is False for what a backup never holds: links, pipes, devices, sockets."""

    full_path: str
    size_bytes: int
    mode: int
    owner_id: int
    modified_s: float
    is_regular: bool


@dataclass
class FileTree:
    """Files by their path in the data directory, folders with their mode, and where tablespaces point to."""

    files: dict[str, FoundFile] = field(default_factory=dict)
    folders: dict[str, FoundFile] = field(default_factory=dict)
    tablespaces: dict[int, Path] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)

    @property
    def total_bytes(self) -> int:
        return sum(f.size_bytes for f in self.files.values())

    @property
    def newest_s(self) -> float:
        """Time of the last change to anything in it."""
        return max((f.modified_s for f in (*self.files.values(), *self.folders.values())), default=0.0)


def list_files(root: Path) -> FileTree:
    """Every file of a plain base backup, tablespaces included. Raises OSError when `root` itself cannot be listed."""
    tree = FileTree(tablespaces=_tablespace_links(root))
    own = {os.path.realpath(target) for target in tree.tablespaces.values()}
    tree.folders[""] = _found(str(root), root.stat())
    pending = [("", str(root))]
    for oid, target in tree.tablespaces.items():
        if target.is_dir():
            pending.append((f"{TABLESPACE_DIR}/{oid}/", str(target)))
    while pending:
        prefix, folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    _list_entry(prefix, entry, tree, pending, own)
        except OSError as e:
            if not prefix:
                raise
            tree.unreadable[prefix.rstrip("/")] = e.strerror or str(e)
    return tree


def compare_sizes(set_id: str, sizes: Mapping[str, int], manifest: Manifest, hidden: Iterable[str]) -> Iterator[Finding]:
    """Missing, truncated, empty and extra files. `hidden` are beginnings of paths that other findings already tell of."""
    told = tuple(hidden)
    for path, expected in manifest.files.items():
        actual = sizes.get(path)
        if actual == expected.size_bytes or path in NOT_COMPARED or path.startswith(told):
            continue
        place = f"{set_id}/{path}"
        if actual is None:
            yield problem("set_file_missing", place, expected_bytes=expected.size_bytes)
        else:
            code = "set_file_size" if actual else "set_file_empty"
            yield problem(code, place, expected_bytes=expected.size_bytes, actual_bytes=actual)
    for path in sizes.keys() - manifest.files.keys() - NOT_COMPARED:
        if not path.startswith(f"{WAL_DIR}/"):
            yield problem("set_file_extra", f"{set_id}/{path}", actual_bytes=sizes[path])


def check_permissions(set_id: str, tree: FileTree, owner_id: int) -> Iterator[Finding]:
    """Entries of another owner, that everybody may write (FAIL) or read (WARN), or that their owner cannot read."""
    for path, found in (*tree.folders.items(), *tree.files.items()):
        place = f"{set_id}/{path}".rstrip("/")
        if found.owner_id != owner_id:
            yield problem("set_owner", place, owner_id=found.owner_id, expected_id=owner_id)
        if (status := _mode_status(found)) is not None:
            yield problem("set_mode", place, status, mode=f"{stat.S_IMODE(found.mode):04o}")
    for path, reason in tree.unreadable.items():
        yield problem("set_mode", f"{set_id}/{path}", mode=reason)


def problem(code: str, place: str, status: Status = Status.FAIL, **values: str | int) -> Finding:
    """A finding of the survey; FAIL unless told otherwise."""
    return Finding(code=code, status=status, place=place, values=values)


def _mode_status(found: FoundFile) -> Status | None:
    if found.mode & stat.S_IWOTH or not found.mode & stat.S_IRUSR:
        return Status.FAIL
    # a folder that others may list is usual for one made by hand; a data file that others may read is a leak
    return Status.WARN if found.mode & stat.S_IROTH and found.is_regular else None


def _tablespace_links(root: Path) -> dict[int, Path]:
    links = {}
    folder = root / TABLESPACE_DIR
    for entry in folder.iterdir() if folder.is_dir() and not folder.is_symlink() else ():
        if entry.is_symlink() and entry.name.isascii() and entry.name.isdigit():
            links[int(entry.name)] = folder / entry.readlink()
    return links


def _list_entry(prefix: str, entry: os.DirEntry[str], tree: FileTree, pending: list[tuple[str, str]], own: set[str]) -> None:
    path = prefix + entry.name
    follow = path == WAL_DIR
    if _is_strange(prefix, entry, tree):
        return
    if entry.is_symlink() and prefix == TABLESPACE_DIR + "/" and _oid_or_none(entry.name) in tree.tablespaces:
        return
    if entry.is_dir(follow_symlinks=follow):
        if os.path.realpath(entry.path) in own and prefix != TABLESPACE_DIR + "/":
            return  # a tablespace kept inside the set is listed under its link
        tree.folders[path] = _found(entry.path, entry.stat(follow_symlinks=follow))
        pending.append((path + "/", entry.path))
    else:
        tree.files[path] = _found(entry.path, entry.stat(follow_symlinks=False))


def _is_strange(prefix: str, entry: os.DirEntry[str], tree: FileTree) -> bool:
    """Behind a link only what PostgreSQL keeps there is looked at, wherever the link may lead."""
    if prefix == f"{WAL_DIR}/":
        return entry.is_dir() and entry.name not in WAL_FOLDERS
    folder, _, oid = prefix.rstrip("/").rpartition("/")
    return folder == TABLESPACE_DIR and _oid_or_none(oid) in tree.tablespaces and not entry.name.startswith(VERSION_FOLDER)


def _oid_or_none(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _found(full_path: str, status: os.stat_result) -> FoundFile:
    mode = status.st_mode
    size = status.st_size if stat.S_ISREG(mode) else 0
    return FoundFile(full_path, size, mode, status.st_uid, status.st_mtime, stat.S_ISREG(mode))

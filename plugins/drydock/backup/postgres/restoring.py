"""Puts a chain of base backups into an empty folder, tablespaces beside it, WAL as it lies in the set.

A full alone is copied or unpacked; with increments pg_combinebackup puts it together. No path in a backup is trusted:
nothing is written outside the folder, and no link of a backup is followed but `pg_tblspc/<oid>` and `pg_wal`.
Source: PostgreSQL manual, "pg_combinebackup" (--tablespace-mapping), "Recovering Using a Continuous Archive Backup".
"""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path

from drydock.backup.facts import BackupSet
from drydock.backup.postgres.manifest import FILE_NAME as MANIFEST
from drydock.backup.postgres.manifest import ManifestDamaged, is_safe_path, read_manifest
from drydock.backup.postgres.set_files import TABLESPACE_DIR, list_files
from drydock.backup.postgres.tar_archive import BUFFER_BYTES, TABLESPACE_MAP, MemberStream, TarDamaged, list_archives, members
from drydock.backup.scratch import COMBINE
from drydock.backup.source import Progress, RestoreFailed
from drydock.engines.postgres_binaries import BinariesMissing, find_binaries

FOLDER_MODE = 0o700
BUDGET_FACTOR = 1.1  # of what the manifest says that an archive unpacks to
SEGMENTS_SLACK_BYTES = 2 * 1024**3  # WAL is not in the manifest: at each end of its ranges a segment of the largest size
LONGEST_VERSION = 16  # characters of PG_VERSION


def restore_chain(chain: tuple[BackupSet, ...], data_dir: Path, progress: Progress) -> int:
    """Restore a chain (full first); tablespaces go to `<data_dir>.tblspc/<oid>`. Returns the bytes of the result.

    Raises RestoreFailed, OSError.
    """
    if not chain:
        raise RestoreFailed("nothing to restore: the chain is empty")
    if unknown := next((s.set_id for s in chain if not s.place), None):
        raise RestoreFailed(f"{unknown}: its folder has a name that cannot be kept")
    if len(chain) == 1:
        return _restore_one(chain[0], data_dir, progress)
    unpacked: list[Path] = []
    try:
        folders = []
        for number, s in enumerate(chain):
            if s.form == "tar":
                unpacked.append(data_dir.with_name(f"{data_dir.name}.part{number}"))
                _restore_one(s, unpacked[-1], progress)
            folders.append(unpacked[-1] if s.form == "tar" else Path(s.place))
        return _combine(folders, data_dir, progress)
    finally:
        for folder in unpacked:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(tablespaces_dir(folder), ignore_errors=True)


def tablespaces_dir(data_dir: Path) -> Path:
    """Where the tablespaces of a restored copy lie."""
    return data_dir.with_name(f"{data_dir.name}.tblspc")


def _restore_one(backup_set: BackupSet, data_dir: Path, progress: Progress) -> int:
    data_dir.mkdir(mode=FOLDER_MODE, exist_ok=True)
    if any(data_dir.iterdir()):
        raise RestoreFailed(f"{data_dir} is not empty")
    try:
        unpack = _unpack_set if backup_set.form == "tar" else _copy_set
        restored_bytes = unpack(Path(backup_set.place), data_dir, progress)
    except TarDamaged as e:
        raise RestoreFailed(str(e)) from e
    # the links are ours already; the server would re-create those of the source host from this map
    (data_dir / TABLESPACE_MAP).unlink(missing_ok=True)
    return restored_bytes


def _copy_set(root: Path, data_dir: Path, progress: Progress) -> int:
    tree = list_files(root)
    for oid in tree.tablespaces:
        _link_tablespace(data_dir, oid)
    for path in sorted(tree.folders):
        _make_folder(data_dir, Path(path))
    return sum(_copy_file(found.full_path, data_dir / path, progress) for path, found in tree.files.items() if found.is_regular)


def _unpack_set(root: Path, data_dir: Path, progress: Progress) -> int:
    restored_bytes, budget_bytes = 0, _budget_bytes(root)
    for archive in list_archives(root).values():
        if not archive.is_readable:
            raise RestoreFailed(f"{archive.path.name}: {archive.suffix[1:]} cannot be unpacked here")
        if archive.kind.isdigit():
            _link_tablespace(data_dir, int(archive.kind))
        for path, member, stream in members(archive):
            if restored_bytes + member.size > budget_bytes:
                raise RestoreFailed(f"{archive.path.name}: unpacks to far more than its manifest says, stopped at {path[:100]!r}")
            restored_bytes += _unpack_member(path, member, stream, data_dir, progress)
    if (root / MANIFEST).is_file():  # pg_combinebackup wants it in each of its folders
        shutil.copyfile(root / MANIFEST, data_dir / MANIFEST)
    return restored_bytes


def _budget_bytes(root: Path) -> float:
    """Bytes that the archives of a set may unpack to. Without a manifest to believe there is no limit but the disk's."""
    try:
        manifest = read_manifest(root / MANIFEST)
    except (ManifestDamaged, OSError):
        return float("inf")
    return BUDGET_FACTOR * (manifest.total_bytes + manifest.wal_bytes) + SEGMENTS_SLACK_BYTES


def _unpack_member(path: str, member: tarfile.TarInfo, stream: MemberStream | None, data_dir: Path, progress: Progress) -> int:
    """Folders and regular files only: the links that belong there are made by us."""
    if not is_safe_path(path):
        raise RestoreFailed(f"member {path[:100]!r} leads out of the backup")
    target = data_dir / path
    if member.isdir():
        _make_folder(data_dir, Path(path))
    if stream is None:
        return 0
    _make_folder(data_dir, Path(path).parent)
    with target.open("wb") as out:
        shutil.copyfileobj(stream, out, BUFFER_BYTES)
    progress(member.size)
    return member.size


def _make_folder(data_dir: Path, path: Path) -> None:
    """With the folders above it, but never those above the copy: who removed them has ended the restore."""
    folder = data_dir
    for part in path.parts:
        folder /= part
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)


def _make_home_of_tablespaces(data_dir: Path) -> Path:
    home = tablespaces_dir(data_dir.absolute())
    home.mkdir(mode=FOLDER_MODE, exist_ok=True)
    return home


def _copy_file(source: str, target: Path, progress: Progress) -> int:
    shutil.copyfile(source, target, follow_symlinks=False)
    size = target.stat().st_size
    progress(size)
    return size


def _link_tablespace(data_dir: Path, oid: int) -> None:
    home = _make_home_of_tablespaces(data_dir) / str(oid)
    home.mkdir(mode=FOLDER_MODE, exist_ok=True)
    link = data_dir / TABLESPACE_DIR / str(oid)
    link.parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
    link.symlink_to(home)


def _combine(folders: list[Path], data_dir: Path, progress: Progress) -> int:
    """pg_combinebackup of the major version of the newest set."""
    newest = folders[-1]
    options = [f"--tablespace-mapping={_escape(old)}={_escape(new)}" for old, new in _tablespace_mapping(newest, data_dir)]
    try:
        program = find_binaries(_major(newest)).tool(COMBINE)
    except BinariesMissing as e:
        raise RestoreFailed(str(e)) from e
    output = f"--output={data_dir.absolute()}"
    command = [str(program), "--no-sync", *options, output, "--", *(str(folder.absolute()) for folder in folders)]
    done = subprocess.run(command, capture_output=True, check=False, cwd=data_dir.parent)  # where a stop looks for it
    if done.returncode != 0:
        raise RestoreFailed(done.stderr.decode("utf-8", "replace").strip()[-1000:])
    restored_bytes = list_files(data_dir).total_bytes
    progress(restored_bytes)
    return restored_bytes


def _tablespace_mapping(newest: Path, data_dir: Path) -> list[tuple[str, str]]:
    """As the links of the newest set say, which is what pg_combinebackup compares with."""
    folder = newest / TABLESPACE_DIR
    links = [entry for entry in folder.iterdir() if entry.is_symlink()] if folder.is_dir() else []
    home = _make_home_of_tablespaces(data_dir)
    return [(str(link.readlink()), str(home / link.name)) for link in links]


def _escape(path: str) -> str:
    return path.replace("\\", "\\\\").replace("=", "\\=")


def _major(root: Path) -> int:
    try:
        with (root / "PG_VERSION").open() as file:
            return int(file.read(LONGEST_VERSION))
    except (OSError, ValueError) as e:
        raise RestoreFailed(f"{root.name}: PG_VERSION cannot be read ({e})") from e

"""Makes small base backups by hand, right in all that a survey and a reading look at but for the records of WAL."""

from __future__ import annotations

import json
import tarfile
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from drydock.backup.sources.pg_basebackup import PgBasebackupSource
from drydock.estate import Places

SYSTEM_ID = 7710757170801504192
LABEL = (
    "START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\n"
    "CHECKPOINT LOCATION: 0/2000080\nBACKUP METHOD: streamed\nBACKUP FROM: primary\n"
    "START TIME: 2026-11-20 01:30:00 UTC\nLABEL: night\nSTART TIMELINE: 1\n"
)
CONTENT = {
    "backup_label": LABEL.encode(),  # at the head, where the server puts it
    "PG_VERSION": b"18\n",
    "base/5/1259": b"rows" * 1000,
    "global/pg_control": SYSTEM_ID.to_bytes(8, "little").ljust(8192, b"\0"),
}


def manifest_bytes(content: dict[str, bytes] = CONTENT) -> bytes:
    rows = [
        {"Path": p, "Size": len(b), "Checksum-Algorithm": "SHA256", "Checksum": sha256(b).hexdigest()} for p, b in content.items()
    ]
    ranges = [{"Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000120"}]
    head = {"PostgreSQL-Backup-Manifest-Version": 2, "System-Identifier": SYSTEM_ID, "Files": rows, "WAL-Ranges": ranges}
    text = (json.dumps(head)[:-1] + ",\n").encode()
    return text + b'"Manifest-Checksum": "%s"}\n' % sha256(text).hexdigest().encode()


def make_plain(root: Path) -> Path:
    """A full in plain format, private to its owner."""
    for path, content in (CONTENT | {"backup_manifest": manifest_bytes()}).items():
        target = root / path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.touch(mode=0o600)
        target.write_bytes(content)
    return root


def make_tar(root: Path, members: dict[str, bytes] = CONTENT, suffix: str = "") -> Path:
    """A full in tar format; `members` may hold more than the manifest says."""
    root.mkdir(mode=0o700, parents=True)
    for name, content in {"backup_manifest": manifest_bytes(), f"base.tar{suffix}": b""}.items():
        (root / name).touch(mode=0o600)
        (root / name).write_bytes(content)
    with tarfile.open(root / f"base.tar{suffix}", "w:gz" if suffix else "w") as tar:
        for path, content in members.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            tar.addfile(info, BytesIO(content))
    return root


def source_of(tmp_path: Path) -> PgBasebackupSource:
    """The source of `sets` and `wal` below a folder; both are made where they are not there."""
    for name in ("sets", "wal"):
        (tmp_path / name).mkdir(mode=0o700, exist_ok=True)
    return PgBasebackupSource(Places(sets=str(tmp_path / "sets"), logs=str(tmp_path / "wal")), ZoneInfo("UTC"))

"""What pgBackRest says of a repository, as facts: `info --output=json`, `repo-ls --output=json` and `verify`.

`verify` ends with exit code 0 whatever it found and prints a text: counts per backup on standard output, names of
files on standard error. Even `status: ok` is said over a backup without a manifest, so every line is read.
Sources: pgBackRest command reference ("info", "verify", "repo-ls"); src/command/verify/verify.c of release 2.45.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from drydock.backup.facts import BackupSet, Level
from drydock.backup.postgres.backup_label import parse_lsn
from drydock.backup.postgres.wal import DEFAULT_SEGMENT_BYTES, is_segment_bytes, segment_at
from drydock.backup.postgres.wal_archive import ArchivedSegment, Listing
from drydock.verdicts import Finding, Status

ARCHIVED = re.compile(r"(?P<id>[^/]+)/[0-9A-F]{16}/(?P<name>[0-9A-F]{24})-[0-9a-f]{40}(?P<suffix>\.\w+)?")
HISTORY = re.compile(r"(?P<id>[^/]+)/(?P<timeline>[0-9A-F]{8})\.history")
COUNTS = re.compile(r"missing: (\d+), checksum invalid: (\d+), size invalid: (\d+), other: (\d+)")
BACKUP_LINE = re.compile(r"\s*backup: (?P<label>\S+), status: (?P<status>[\w -]+), total files checked: (?P<files>\d+)")
ARCHIVE_LINE = re.compile(r"\s*archiveId: (?P<id>\S+), total WAL checked: (?P<files>\d+)")
FILE_LINES = {
    "missing": re.compile(r"file missing '(?P<file>[^']+)'"),
    "checksum": re.compile(r"invalid checksum '(?P<file>[^']+)'"),
    "size": re.compile(r"invalid size '(?P<file>[^']+)'"),
    "other": re.compile(r"invalid (?:result|verify) '?(?P<file>[^':\s]+)'?: (?P<reason>.*)"),
}
KINDS = tuple(FILE_LINES)
REASONS = {"missing": "not there", "size": "wrong size", "other": "not readable"}


@dataclass
class Verified:
    """What `verify` says of one backup or of the archive: files checked, and how many are bad for which reason."""

    status: str = ""
    files: int = 0
    counts: dict[str, int] = field(default_factory=dict)


@dataclass
class Verification:
    """One run of `verify`. `bad_files`: (kind, path in backup/<stanza> or archive/<stanza>, reason)."""

    started_at: datetime
    ended_at: datetime
    backups: dict[str, Verified] = field(default_factory=dict)
    archives: dict[str, Verified] = field(default_factory=dict)
    bad_files: list[tuple[str, str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def parse_verification(report: str, details: str, started_at: datetime, ended_at: datetime) -> Verification:
    """The text of `verify --output=text --verbose` with its details on standard error."""
    found = Verification(started_at, ended_at)
    current: Verified | None = None
    for line in report.splitlines():
        if match := BACKUP_LINE.match(line):
            current = found.backups[match["label"]] = Verified(match["status"].strip(), int(match["files"]))
        elif match := ARCHIVE_LINE.match(line):
            current = found.archives[match["id"]] = Verified("", int(match["files"]))
        elif (match := COUNTS.search(line)) and current is not None:
            current.counts = dict(zip(KINDS, map(int, match.groups()), strict=True))
        elif line.strip() and not line.startswith(("stanza:", "status:")):
            found.errors.append(line.strip())
    for line in details.splitlines():
        for kind, pattern in FILE_LINES.items():
            if match := pattern.search(line):
                found.bad_files.append((kind, match["file"], match.groupdict().get("reason") or REASONS.get(kind, "")))
    return found


def set_findings(verification: Verification, label: str) -> list[Finding]:
    """What is wrong with a set. It may refer to files of its full backup and of that one's other increments.

    The text says how many bad files a set refers to but not which; they are named where the number leaves no choice.
    """
    verified = verification.backups.get(label)
    if verified is None or verified.status == "manifest missing":
        return [_finding("manifest_missing", f"{label}/backup.manifest")]
    findings = []
    for kind, count in verified.counts.items():
        named = [(f, why) for k, f, why in verification.bad_files if k == kind and _full_of(f) == _full_of(label)]
        if count and len(named) == count:
            findings += [_bad_file(kind, file, reason) for file, reason in named]
        elif count:
            findings.append(_bad_file(kind, label, f"{count} files: {REASONS.get(kind, 'checksum')}"))
    if verified.status != "valid" and not findings:
        findings.append(_finding("set_file_unreadable", label, reason=verified.status))
    return findings


def _full_of(path: str) -> str:
    """Label of the full backup to which a path or label belongs: labels of increments begin with it."""
    return re.split("[_/]", path, maxsplit=1)[0]


def log_findings(verification: Verification, archive_id: str) -> list[tuple[str, Finding]]:
    """(segment name, finding) for each damaged file of the archive; an empty name where the text does not tell it."""
    named = []
    for kind, file, reason in verification.bad_files:
        if file.startswith(f"{archive_id}/") and (match := ARCHIVED.fullmatch(file)):
            text = reason or f"{kind} invalid"
            named.append((match["name"], _finding("log_damaged", match["name"], reason=text, position="")))
    bad = sum(verification.archives[archive_id].counts.values()) if archive_id in verification.archives else 0
    if bad > len(named):
        named.append(("", _finding("log_damaged", archive_id, reason=f"{bad - len(named)} segments not named", position="")))
    return named


def parse_info(text: str, stanza: str) -> dict[str, Any]:
    """The stanza's part of `info --output=json`. Raises ValueError with what pgBackRest says where there is none."""
    stanzas = [s for s in json.loads(text) if s.get("name") == stanza]
    if not stanzas:
        raise ValueError(f"no stanza {stanza}")
    found = stanzas[0]
    if not found.get("backup") and found["status"]["code"] not in (0, 2):  # 2: no valid backups
        raise ValueError(f"stanza {stanza}: {found['status']['message']}")
    return found


def backup_sets(info: Mapping[str, Any], stanza: str) -> list[BackupSet]:
    """The sets that the repository's catalogue lists, in its order (oldest first)."""
    systems = {(db["id"], db.get("repo-key")): str(db["system-id"]) for db in info.get("db", [])}
    starts = {b["label"]: _position(b, "start") for b in info["backup"]}
    return [_backup_set(b, stanza, systems, starts) for b in info["backup"]]


def _backup_set(
    backup: Mapping[str, Any], stanza: str, systems: Mapping[tuple[int, int], str], starts: Mapping[str, int | None]
) -> BackupSet:
    label, figures, database = backup["label"], backup["info"], backup["database"]
    prior = backup.get("prior")
    return BackupSet(
        set_id=label,
        level=Level.FULL if backup["type"] == "full" else Level.INCREMENTAL,
        parent_id=prior if prior in starts else None,
        parent_position=starts.get(prior) if prior else None,
        place=f"repo{database.get('repo-key', 1)}:backup/{stanza}/{label}",
        form="repository",
        system_id=systems.get((database["id"], database.get("repo-key"))),
        timeline=int(backup["archive"]["start"][:8], 16) if backup["archive"].get("start") else None,
        start_position=starts[label],
        stop_position=_position(backup, "stop"),
        started_at=datetime.fromtimestamp(backup["timestamp"]["start"], UTC),
        finished_at=datetime.fromtimestamp(backup["timestamp"]["stop"], UTC),
        total_bytes=figures.get("repository", {}).get("delta") or figures.get("delta") or 0,
        restored_bytes=figures.get("size"),
        problems=(_finding("set_page_errors", label),) if backup.get("error") else (),
    )


def _position(backup: Mapping[str, Any], end: str) -> int | None:
    lsn = (backup.get("lsn") or {}).get(end)
    return parse_lsn(lsn) if lsn else None


def find_segment_bytes(info: Mapping[str, Any]) -> int:
    """Segment size, from the positions of backups and the names of the segments that hold them; else 16 MiB."""
    pairs = [(_position(b, end), b["archive"].get(end)) for b in info["backup"] for end in ("start", "stop")]
    known = [(position, name) for position, name in pairs if position and name]
    sizes = [2**bits for bits in (24, *range(20, 31))]
    for size in (s for s in sizes if is_segment_bytes(s)):
        if known and all(segment_at(int(n[:8], 16), p, size).name(size) == n for p, n in known):
            return size
    return DEFAULT_SEGMENT_BYTES


def parse_archive(text: str, archive_id: str, as_of: datetime) -> Listing:
    """Segments and timeline histories of one archive id that were there at `as_of`, from `repo-ls --recurse`."""
    listing = Listing({}, {}, [], [])
    for path, entry in json.loads(text).items():
        if entry.get("type") != "file" or entry.get("time", 0) > as_of.timestamp():
            continue
        if (match := ARCHIVED.fullmatch(path)) and match["id"] == archive_id:
            segment = ArchivedSegment(match["name"], match["suffix"] or "", entry["size"], float(entry["time"]))
            listing.segments[segment.name] = segment
        elif (match := HISTORY.fullmatch(path)) and match["id"] == archive_id:
            listing.histories[int(match["timeline"], 16)] = path
    return listing


def _bad_file(kind: str, place: str, reason: str) -> Finding:
    if kind == "checksum":
        return _finding("set_checksum", place, algorithm="SHA-1", expected="", actual="")
    return _finding("set_file_unreadable", place, reason=reason)


def _finding(code: str, place: str, **values: str) -> Finding:
    return Finding(code=code, status=Status.FAIL, place=place, values=values)

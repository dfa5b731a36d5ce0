"""The small text files of a base backup: `backup_label` and `tablespace_map`, and how PostgreSQL writes positions and times.

Source: PostgreSQL manual, "Making a Base Backup Using the Low Level API" and `pg_backup_start`; the keys are those of
`access/xlogbackup.c`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

LONGEST_LABEL_BYTES = 64 * 1024  # what is read of such a file; a real one has a few hundred

_LSN = re.compile(r"([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)? (\S+)")
_NUMERIC_ZONE = re.compile(r"([+-])(\d\d):?(\d\d)?")
_UTC_NAMES = ("UTC", "GMT", "Z", "UCT")


class LabelDamaged(ValueError):
    """A label, map or history file that does not say what it must."""


@dataclass(frozen=True)
class BackupLabel:
    """`backup_label`. Positions in bytes; `parent_position` only in an incremental backup (PostgreSQL 17 on)."""

    start_position: int
    timeline: int
    started_at: datetime | None
    method: str
    taken_from: str
    label: str
    parent_position: int | None = None
    parent_timeline: int | None = None


def parse_lsn(text: str) -> int:
    """'0/C00028' as a position in bytes. Raises LabelDamaged."""
    match = _LSN.fullmatch(text.strip())
    if not match:
        raise LabelDamaged(f"{text[:40]!r} is not a log position")
    return int(match[1], 16) << 32 | int(match[2], 16)


def format_lsn(position: int) -> str:
    """A position as PostgreSQL writes it."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


def label_fields(text: str) -> dict[str, str]:
    """'KEY: value' lines; the first of two equal keys counts."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(": ")
        if colon:
            fields.setdefault(key, value.strip())
    return fields


def parse_backup_label(text: str, zone: ZoneInfo) -> BackupLabel:
    """The label of a base backup. Raises LabelDamaged.

    `zone` is the database's time zone, which gives its abbreviation a meaning (CST is also US Central time).
    """
    fields = label_fields(text)
    try:
        start = parse_lsn(fields["START WAL LOCATION"].split(" ")[0])
        timeline = int(fields["START TIMELINE"])
        parent = fields.get("INCREMENTAL FROM LSN")
        parent_timeline = int(fields["INCREMENTAL FROM TLI"]) if parent else None
    except (KeyError, ValueError) as e:
        raise LabelDamaged(f"backup_label: {e}") from e
    return BackupLabel(
        start_position=start,
        timeline=timeline,
        started_at=parse_postgres_time(fields.get("START TIME", ""), zone),
        method=fields.get("BACKUP METHOD", ""),
        taken_from=fields.get("BACKUP FROM", ""),
        label=fields.get("LABEL", ""),
        parent_position=parse_lsn(parent) if parent else None,
        parent_timeline=parent_timeline,
    )


def parse_postgres_time(text: str, zone: ZoneInfo) -> datetime | None:
    """'2026-11-22 06:35:55 CST' as an aware time, or None where the abbreviation cannot be told.

    The server writes such times in its log_timezone. An abbreviation is believed when the database's own zone uses it
    at that time; in the hour that a clock change repeats, it also tells which of the two is meant.
    """
    match = _TIME.fullmatch(text.strip())
    if not match:
        return None
    try:
        local = datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S")
    except ValueError:
        return None
    abbreviation = match[2]
    if abbreviation in _UTC_NAMES:
        return local.replace(tzinfo=UTC)
    if numeric := _NUMERIC_ZONE.fullmatch(abbreviation):
        offset = timedelta(hours=int(numeric[2]), minutes=int(numeric[3] or 0))
        return local.replace(tzinfo=timezone(-offset if numeric[1] == "-" else offset))
    candidates = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    return next((t for t in candidates if t.tzname() == abbreviation), None)


def parse_tablespace_map(text: str) -> dict[int, str]:
    """OID -> location on the source host. In a location a backslash escapes the character after it (a line end).

    Raises LabelDamaged for a line without both.
    """
    locations: dict[int, str] = {}
    for line in re.findall(r"(?:[^\n\\]|\\.)+", text, re.DOTALL):
        oid, blank, location = line.partition(" ")
        if not (blank and oid.isascii() and oid.isdigit() and location):
            raise LabelDamaged(f"tablespace_map: {line[:60]!r}")
        locations[int(oid)] = re.sub(r"\\(.)", r"\1", location, flags=re.DOTALL)
    return locations

"""Write-ahead log by name and by header: segments, positions, timeline histories and backup history files.

A segment name is 24 hex digits: timeline, then the segment number split at 4 GiB, so the same name means another place
for another segment size. Sources: PostgreSQL manual, "WAL Internals" and "Continuous Archiving"; the layout of page
headers is `access/xlog_internal.h`, unchanged from PostgreSQL 9.5 on except for the magic number.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from drydock.backup.postgres.backup_label import LabelDamaged, label_fields, parse_lsn, parse_postgres_time

DEFAULT_SEGMENT_BYTES = 16 * 1024 * 1024
SEGMENT_NAME = re.compile(r"[0-9A-F]{24}")
HISTORY_NAME = re.compile(r"([0-9A-F]{8})\.history")
BACKUP_HISTORY_NAME = re.compile(r"([0-9A-F]{24})\.([0-9A-F]{8})\.backup")
LONG_HEADER_BYTES = 40
LARGEST_TIMELINE = 2**31

_LONG_HEADER = struct.Struct("<HHIQIxxxxQII")  # magic info tli pageaddr rem_len (pad) sysid seg_size blcksz
_IS_LONG = 0x0002
_FLAGS = 0x000F  # the bits that xlp_info may have

# xlp_magic of each major version (access/xlog_internal.h)
MAGIC_MAJORS = {0xD10D: 14, 0xD110: 15, 0xD113: 16, 0xD116: 17, 0xD118: 18}
MAGIC_RANGE = range(0xD100, 0xD200)  # of any version since 13, and of those to come


class HeaderDamaged(ValueError):
    """The first bytes are not those of a WAL segment."""


@dataclass(frozen=True, order=True)
class Segment:
    """One segment by its name: `number` counts segments from the beginning of the log, whatever the timeline."""

    timeline: int
    number: int

    def name(self, segment_bytes: int) -> str:
        high, low = divmod(self.number, segments_per_4gib(segment_bytes))
        return f"{self.timeline:08X}{high:08X}{low:08X}"

    def start_position(self, segment_bytes: int) -> int:
        return self.number * segment_bytes

    def end_position(self, segment_bytes: int) -> int:
        return (self.number + 1) * segment_bytes


@dataclass(frozen=True)
class SegmentHeader:
    """The long page header at the start of a segment."""

    magic: int
    timeline: int
    position: int
    system_id: str
    segment_bytes: int
    continued_bytes: int = 0  # of a record that began before this segment, still to come

    @property
    def major(self) -> int | None:
        """Major version of the server that wrote it; None for a version this module does not know."""
        return MAGIC_MAJORS.get(self.magic)


@dataclass(frozen=True)
class BackupHistory:
    """A `.backup` file: what the server wrote into the archive when a base backup ended."""

    timeline: int
    start_position: int
    stop_position: int
    started_at: datetime | None
    finished_at: datetime | None
    label: str


def is_segment_bytes(segment_bytes: int) -> bool:
    """A power of two from 1 MiB to 1 GiB (initdb --wal-segsize)."""
    return 2**20 <= segment_bytes <= 2**30 and segment_bytes & (segment_bytes - 1) == 0


def segments_per_4gib(segment_bytes: int) -> int:
    if not is_segment_bytes(segment_bytes):
        raise ValueError(f"{segment_bytes} is not a WAL segment size: a power of two from 1 MiB to 1 GiB")
    return 2**32 // segment_bytes


def parse_segment(name: str, segment_bytes: int) -> Segment:
    """The segment of that name. Raises ValueError for a name that no segment of this size can have."""
    if not SEGMENT_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a segment name")
    timeline, high, low = (int(name[i : i + 8], 16) for i in (0, 8, 16))
    per_4gib = segments_per_4gib(segment_bytes)
    if low >= per_4gib or not 0 < timeline < LARGEST_TIMELINE:
        raise ValueError(f"{name!r} cannot be a segment of {segment_bytes} bytes")
    return Segment(timeline, high * per_4gib + low)


def segment_at(timeline: int, position: int, segment_bytes: int) -> Segment:
    """The segment that holds the byte at `position`."""
    return Segment(timeline, position // segment_bytes)


def read_segment_header(head: bytes) -> SegmentHeader:
    """Header from the first 40 bytes of a segment. Raises HeaderDamaged with what is wrong."""
    if len(head) < LONG_HEADER_BYTES:
        raise HeaderDamaged(f"{len(head)} bytes, a header has {LONG_HEADER_BYTES}")
    magic, info, timeline, position, continued, system_id, segment_bytes, block_bytes = _LONG_HEADER.unpack_from(head)
    if magic not in MAGIC_RANGE:
        raise HeaderDamaged(f"magic number {magic:04X}")
    if not info & _IS_LONG or info & ~_FLAGS:
        raise HeaderDamaged(f"flags {info:04X}")
    if not is_segment_bytes(segment_bytes) or block_bytes & (block_bytes - 1) or not 1024 <= block_bytes <= 65536:
        raise HeaderDamaged(f"segment size {segment_bytes}, block size {block_bytes}")
    return SegmentHeader(magic, timeline, position, str(system_id), segment_bytes, continued)


def describe_mismatch(header: SegmentHeader, segment: Segment, segment_bytes: int) -> str | None:
    """What in the header contradicts the name, or None. The segment in which a timeline begins still starts with the
    pages of the parent, so a lower timeline is allowed here."""
    if header.segment_bytes != segment_bytes:
        return f"segment size {header.segment_bytes}, expected {segment_bytes}"
    if header.position != segment.start_position(segment_bytes):
        at = segment_at(segment.timeline, header.position, segment_bytes)
        return f"holds the log of {at.name(segment_bytes)}"
    if not 0 < header.timeline <= segment.timeline:
        return f"written on timeline {header.timeline}"
    return None


def parse_timeline_history(timeline: int, text: str) -> list[tuple[int, int, int]]:
    """(child, parent, position where it branched off) for each line of `<timeline>.history`, oldest first.

    A history tells of all ancestors: its last line is the parent of `timeline` itself. Raises LabelDamaged.
    """
    lines = [line.split(None, 2) for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines or any(len(words) < 2 or not (words[0].isascii() and words[0].isdigit()) for words in lines):
        raise LabelDamaged("no line with parent timeline and branch position")
    parents = [int(words[0]) for words in lines]
    if parents != sorted(set(parents)) or parents[-1] >= timeline:
        raise LabelDamaged(f"timelines {parents[:9]} do not lead to {timeline}")
    return [(c, p, parse_lsn(w[1])) for c, p, w in zip([*parents[1:], timeline], parents, lines, strict=True)]


def parse_backup_history(text: str, zone: ZoneInfo) -> BackupHistory:
    """A `.backup` file. Raises LabelDamaged. Times are None where their zone abbreviation is not known."""
    fields = label_fields(text)
    started_at = parse_postgres_time(fields.get("START TIME", ""), zone)
    finished_at = parse_postgres_time(fields.get("STOP TIME", ""), zone)
    try:
        start, stop = (parse_lsn(fields[key].split()[0]) for key in ("START WAL LOCATION", "STOP WAL LOCATION"))
        timeline = int(fields["STOP TIMELINE"]) if "STOP TIMELINE" in fields else 1
    except (KeyError, IndexError, ValueError) as e:
        raise LabelDamaged(f"backup history file: {e}") from e
    return BackupHistory(timeline, start, stop, started_at, finished_at, fields.get("LABEL", ""))

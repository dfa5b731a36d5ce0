"""The customer's own backup log: what the job says it did. It is a witness, not proof.

One line per event: `<ISO time> START|SUCCESS|FAILED` with level and set: `2026-11-20T01:30:00+08:00 full START full_1120`.
Lines of another form are counted and passed over. A long log is entered near the end, by its times, and read as a
stream, so memory depends on the number of runs and not on the size of the file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

from drydock.backup.facts import JobLog, JobRun, JobState, Level
from drydock.backup.regular_files import open_target
from drydock.verdicts import Finding, Status

LONGEST_LINE_BYTES = 16 * 1024  # what is looked at of one line
SEARCHED_FROM_BYTES = 4 * 1024 * 1024  # a longer log is not read from its beginning
KEPT = timedelta(days=400)
LEVELS = {"full": Level.FULL, "incremental": Level.INCREMENTAL, "incr": Level.INCREMENTAL, "log": Level.LOG, "wal": Level.LOG}
STATES = {"SUCCESS": JobState.SUCCEEDED, "FAILED": JobState.FAILED}

_LINE = re.compile(
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?)\s*(Z|[+-]\d\d:?\d\d)?\s+(\w+)\s+(START|SUCCESS|FAILED)\s+(\S+)\s*(.*)"
)


@dataclass(frozen=True)
class LogEntry:
    """One line of the log."""

    at: datetime
    level: Level
    event: str
    set_id: str
    message: str


@dataclass
class _Runs:
    """Runs in the making: a start waits for its end, by level and set."""

    open: dict[tuple[Level, str], LogEntry] = field(default_factory=dict)
    done: list[JobRun] = field(default_factory=list)

    def add(self, entry: LogEntry) -> None:
        key = (entry.level, entry.set_id)
        if entry.event == "START":
            if key in self.open:  # it was started again without an end
                self.done.append(_run(self.open[key], None))
            self.open[key] = entry
        else:
            self.done.append(_run(self.open.pop(key, entry), entry))

    def all(self) -> tuple[JobRun, ...]:
        return tuple(sorted([*self.done, *(_run(e, None) for e in self.open.values())], key=lambda r: r.started_at))


def read_job_log(path: Path, zone: ZoneInfo, as_of: datetime) -> JobLog:
    """What the log said at `as_of`. Times without an offset are in `zone`. Never raises: trouble is in `problems`."""
    try:
        with open_target(path) as file:
            return _read(path, file, zone, as_of)
    except FileNotFoundError:
        return JobLog(place=str(path), problems=(_problem("job_log_missing", path),))
    except OSError as e:
        return JobLog(place=str(path), problems=(_problem("job_log_unreadable", path, e.strerror or str(e)),))


def parse_entry(line: str, zone: ZoneInfo, after: datetime | None = None) -> LogEntry | None:
    """One line, or None where it is none of the job's events. `after` is the time of the line before."""
    match = _LINE.match(line)
    if not match or (level := LEVELS.get(match[3].lower())) is None:
        return None
    offset = {"Z": "+00:00", None: ""}.get(match[2], match[2])
    try:
        at = datetime.fromisoformat(match[1].replace(",", ".").replace(" ", "T") + (offset or ""))
    except ValueError:
        return None
    return LogEntry(at if at.tzinfo else _in_zone(at, zone, after), level, match[4], match[5], match[6].strip())


def _in_zone(local: datetime, zone: ZoneInfo, after: datetime | None) -> datetime:
    """A local time with its offset. In the hour that a change of the clock repeats, the second one is meant where time
    would run backwards otherwise. The offset is fixed: times of one ZoneInfo are compared and subtracted without it.
    """
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    moment = second if after is not None and first < after else first
    return moment.astimezone(timezone(moment.astimezone(zone).utcoffset() or timedelta()))


def _read(path: Path, file: BinaryIO, zone: ZoneInfo, as_of: datetime) -> JobLog:
    horizon = next(_entries(file, zone, []), None)
    unread: list[int] = []
    runs = _Runs()
    _seek_near(file, zone, as_of - KEPT)
    for entry in _entries(file, zone, unread):
        if entry.at <= as_of:
            runs.add(entry)
    # where not one line is understood nothing is known, which is not the same as nothing was done
    problems = (_problem("job_log_unreadable", path, "no line has the expected form"),) if horizon is None and unread else ()
    return JobLog(
        place=str(path),
        horizon_at=horizon.at if horizon and horizon.at <= as_of else None,
        runs=runs.all(),
        unread_lines=len(unread),
        problems=problems,
    )


def _entries(file: BinaryIO, zone: ZoneInfo, unread: list[int]) -> Iterator[LogEntry]:
    """Entries from the file's position on; lines that are none are counted in `unread`."""
    after = None
    while raw := file.readline(LONGEST_LINE_BYTES):
        _skip_rest_of_line(file, raw)
        line = raw.decode("utf-8", "replace").strip()
        entry = parse_entry(line, zone, after)
        if entry is not None:
            after = entry.at
            yield entry
        elif line:
            unread.append(len(raw))


def _skip_rest_of_line(file: BinaryIO, raw: bytes) -> None:
    while raw and not raw.endswith(b"\n"):
        raw = file.readline(LONGEST_LINE_BYTES)


def _seek_near(file: BinaryIO, zone: ZoneInfo, since: datetime) -> None:
    """Go to a line before the first entry at `since`, by halving: the lines of a log are in the order of their times."""
    size = file.seek(0, os.SEEK_END)
    low, high = 0, size
    while high - low > SEARCHED_FROM_BYTES:
        middle = (low + high) // 2
        file.seek(middle)
        _skip_rest_of_line(file, b"-")
        entry = next(_entries(file, zone, []), None)
        if entry is None or entry.at >= since:
            high = middle
        else:
            low = middle
    file.seek(low)
    if low:
        _skip_rest_of_line(file, b"-")


def _run(start: LogEntry, end: LogEntry | None) -> JobRun:
    return JobRun(
        level=start.level,
        state=STATES[end.event] if end else JobState.RUNNING,
        started_at=start.at,
        ended_at=end.at if end else None,
        set_id=start.set_id,
        message=end.message if end else start.message,
    )


def _problem(code: str, path: Path, reason: str = "") -> Finding:
    return Finding(code=code, status=Status.UNKNOWN, place=str(path), values={"reason": reason} if reason else {})

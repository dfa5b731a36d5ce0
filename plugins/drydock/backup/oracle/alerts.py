"""The alert log of the last 24 hours: what it means for *complete* and *valid*.

An event of the log is the past: WARN. It is FAIL where it is critical and of what no view can show to be over: a redo log,
a control file, a data file or a backup that was damaged, and corrupt blocks. What a view tells as well is told once, by the
view, which knows the present. Only statements of the log are used, never its silence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

from drydock.backup.facts import Survey
from drydock.backup.oracle.alert_state import AlertMatter, AlertState
from drydock.oracle_logs.alert_log import read_alert_log
from drydock.oracle_logs.alert_results import AlertEvent, Severity
from drydock.oracle_logs.alert_times import parse_time
from drydock.verdicts import Finding, Status

REACH = timedelta(hours=24)
MOST_CODES = 5
LONGEST_TIME_BYTES = 80

# class of docs/read-alert.md -> codes of findings by which a view has told the same already
COMPLETE: dict[str, frozenset[str]] = {
    "archiver_stuck": frozenset({"archive_dest_failed", "log_groups_waiting", "archiver_off", "fra_critical"}),
    "recovery_area_full": frozenset({"fra_critical", "fra_high", "archive_dest_failed"}),
    "write_failed": frozenset({"archive_dest_failed"}),
    "redo_damaged": frozenset(),
    "control_file": frozenset(),
    "control_file_backup": frozenset({"controlfile_missing", "controlfile_older", "autobackup_off"}),
    "datafile_lost": frozenset({"datafile_offline"}),
    "data_failure": frozenset(),
    "io_error": frozenset(),
    "disk_full": frozenset({"fra_critical", "fra_beyond_disk"}),
    "space": frozenset(),
    "asm": frozenset(),
    "keystore": frozenset({"keystore_closed"}),
    "no_archivelog": frozenset({"archiver_off"}),
    "instance_failed": frozenset(),
}
VALID: dict[str, frozenset[str]] = {
    "corrupt_block": frozenset({"blocks_corrupt", "backup_carries_corruption", "rman_corrupt_blocks"}),
    "nologging_block": frozenset({"blocks_nonlogged"}),
    "backup_piece_damaged": frozenset({"rman_read_failed", "rman_corrupt_blocks"}),
}
FAILS = frozenset(
    {"redo_damaged", "control_file", "datafile_lost", "data_failure", "corrupt_block", "nologging_block", "backup_piece_damaged"}
)
"""Classes whose critical events are about the way back to the data, and of which no view says that they are over."""


def read_newest(tail: bytes, is_whole: bool, now: datetime, zone: ZoneInfo) -> AlertState:
    """The events of the last 24 hours in the end of an alert log. `zone`: of times that are written without one."""
    since = now - REACH
    start, reaches_back = _first_of_day(tail, since, zone)
    log = read_alert_log(BytesIO(tail[start:]))
    by_kind: dict[str, list[AlertEvent]] = defaultdict(list)
    for event in log.events:
        if event.class_ in (COMPLETE.keys() | VALID.keys()) and event.severity.weight >= Severity.WARNING.weight:
            by_kind[event.class_].append(event)
    matters = tuple(_matter(kind, events) for kind, events in sorted(by_kind.items()))
    return AlertState(since=since, messages=log.messages, is_partial=not (is_whole or reaches_back), matters=matters)


def _first_of_day(tail: bytes, since: datetime, zone: ZoneInfo) -> tuple[int, bool]:
    """Where the first message from `since` on begins, and whether an older one stands before it."""
    start, has_older = 0, False
    for line in tail.splitlines(keepends=True):
        at = _time_of(line, zone)
        if at is not None and at >= since:
            return start, has_older
        has_older |= at is not None
        start += len(line)
    return len(tail), has_older


def _time_of(line: bytes, zone: ZoneInfo) -> datetime | None:
    found = parse_time(line[:LONGEST_TIME_BYTES]) if b":" in line[:LONGEST_TIME_BYTES] else None
    try:
        at = datetime.fromisoformat(found[0]) if found else None
        return at.replace(tzinfo=at.tzinfo or zone) if at else None
    except ValueError:
        return None


def _matter(kind: str, events: list[AlertEvent]) -> AlertMatter:
    events.sort(key=lambda e: (-e.severity.weight, e.line_number))
    worst = events[0]
    return AlertMatter(
        kind=kind,
        severity=worst.severity.value,
        codes=tuple(e.code for e in events if e.code)[:MOST_CODES],
        count=sum(e.count for e in events),
        last=max((e.last for e in events if e.last), default=""),
        line=worst.line,
        percent=max((e.percent for e in events if e.percent is not None), default=None),
    )


def complete_alerts(survey: Survey, told: Iterable[str] = ()) -> Iterator[Finding]:
    """Findings of *complete*. `told`: codes of findings that are there already."""
    yield from _findings(survey, COMPLETE, set(told), "alert_critical", "alert_warning")


def valid_alerts(survey: Survey, told: Iterable[str] = ()) -> Iterator[Finding]:
    """Findings of *valid*: corruption that the database met by itself."""
    yield from _findings(survey, VALID, set(told), "alert_corruption", "alert_corruption")


def _findings(survey: Survey, kinds: dict[str, frozenset[str]], told: set[str], critical: str, warning: str) -> Iterator[Finding]:
    for matter in survey.alerts.matters if survey.alerts else ():
        if matter.kind not in kinds or kinds[matter.kind] & told:
            continue
        fails = matter.severity == Severity.CRITICAL.value and matter.kind in FAILS
        values = {
            "kind": matter.kind,
            "codes": ", ".join(matter.codes),
            "count": matter.count,
            "last": matter.last,
            "line": matter.line,
        }
        place = f"{survey.database}/alert/{matter.kind}"
        code, status = (critical, Status.FAIL) if fails else (warning, Status.WARN)
        yield Finding(code=code, status=status, place=place, values=values)

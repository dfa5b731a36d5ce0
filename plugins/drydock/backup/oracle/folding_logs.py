"""Archived logs as runs of consecutive sequence numbers: one pass over the rows of V$ARCHIVED_LOG and V$BACKUP_REDOLOG."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from drydock.backup.oracle.catalogue import LogSpan, RmanSet
from drydock.backup.oracle.records import Row, Times, whole

Key = tuple[int, int, int]
"""(THREAD#, RESETLOGS_CHANGE#, SEQUENCE#)."""


@dataclass(slots=True)
class Log:
    """One archived log, wherever it is kept. `sets`: positions of available sets in their order."""

    first_scn: int
    next_scn: int
    first_at: datetime
    next_at: datetime
    total_bytes: int
    on_disk: bool
    sets: tuple[str, ...] = ()


def fold_logs(archived: Iterable[Row], backed_up: Iterable[Row], sets: Iterable[RmanSet], times: Times) -> tuple[LogSpan, ...]:
    """Spans by thread, incarnation and sequence. Only sets with all their pieces count; logs kept nowhere are told as well."""
    available = {(s.stamp, s.count): s.set_id for s in sets if s.is_available}
    logs: dict[Key, Log] = {}
    for row in archived:
        logs[_key(row)] = _log(row, bool(row["on_disk"]))
    for row in backed_up:
        key, set_id = _key(row), available.get((whole(row["set_stamp"]), whole(row["set_count"])))
        known = logs.get(key)
        if known is None:
            known = logs[key] = _log(row, False)
        if set_id and set_id not in known.sets:
            known.sets = (*known.sets, set_id) if not known.sets else tuple(sorted((*known.sets, set_id)))
    return _spans(logs, times)


def without_namesakes(rows: Iterable[Row], incarnations: Iterable[Row]) -> list[Row]:
    """Rows without those of orphans: after two flashbacks to one restore point, two incarnations begin at one SCN."""
    told = [(i["status"] == "ORPHAN", (whole(i["resetlogs_scn"]), i["resetlogs_at"])) for i in incarnations]
    left = {begin for is_orphan, begin in told if is_orphan} - {begin for is_orphan, begin in told if not is_orphan}
    return [r for r in rows if (whole(r["resetlogs_scn"]), r["resetlogs_at"]) not in left] if left else list(rows)


def _key(row: Row) -> Key:
    return whole(row["thread"]), whole(row["resetlogs_scn"]), whole(row["sequence_number"])


def _log(row: Row, on_disk: bool) -> Log:
    scns = whole(row["first_scn"]), whole(row["next_scn"])
    return Log(*scns, row["first_at"], row["next_at"], whole(row["total_bytes"]), on_disk)


def _spans(logs: dict[Key, Log], times: Times) -> tuple[LogSpan, ...]:
    found: list[LogSpan] = []
    begin: Key | None = None
    first = last = None
    total_bytes = 0
    last_key: Key = (0, 0, 0)
    for key in sorted(logs):
        log = logs[key]
        goes_on = begin and key[:2] == begin[:2] and key[2] == last_key[2] + 1
        if goes_on and log.on_disk == last.on_disk and log.sets == last.sets:
            total_bytes += log.total_bytes
        else:
            if begin:
                found.append(_span(begin, last_key, first, last, total_bytes, times))
            begin, first, total_bytes = key, log, log.total_bytes
        last, last_key = log, key
    if begin:
        found.append(_span(begin, last_key, first, last, total_bytes, times))
    return tuple(found)


def _span(begin: Key, end: Key, first: Log, last: Log, total_bytes: int, times: Times) -> LogSpan:
    return LogSpan(
        thread=begin[0],
        resetlogs_scn=begin[1],
        first_sequence=begin[2],
        last_sequence=end[2],
        first_scn=first.first_scn,
        next_scn=last.next_scn,
        first_at=times.at(first.first_at),
        next_at=times.at(last.next_at),
        total_bytes=total_bytes,
        on_disk=first.on_disk,
        set_ids=first.sets,
    )

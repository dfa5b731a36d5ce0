"""Makes the catalogue of one healthy Oracle database by hand, small enough to see through; tests change what they want found.

Two threads' worth of words, one thread of logs: three files, level 0 on the nights 0 and 7, level 1 on the others, twelve
nights in all; a log every hour, each backed up in a set of its own; a control file and spfile after every run.
The SCN is the number of minutes since the first night times ten.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from drydock.backup.facts import Survey
from drydock.backup.oracle.catalogue import (
    DatabaseFacts,
    Datafile,
    FileBackup,
    Incarnation,
    LogSpan,
    OracleCatalogue,
    Piece,
    RedoThread,
    RmanJob,
    RmanSet,
    SetKind,
)
from drydock.backup.oracle.survey import survey_of
from drydock.estate import BackupPlan, Database
from drydock.policy import BackupPolicy
from drydock.verdicts import Finding, Verdict

ZONE = ZoneInfo("Asia/Shanghai")
FIRST_NIGHT = datetime(2026, 11, 1, 1, 0, tzinfo=ZONE)  # a Sunday
NOW = datetime(2026, 11, 12, 7, 30, tzinfo=ZONE)  # a Thursday
NIGHTS, FILES, HOURS = 12, (1, 2, 3), 11 * 24 + 6
RESETLOGS, CREATION = 1, 5
POLICY = BackupPolicy()


def scn(moment: datetime) -> int:
    return 1000 + int((moment - FIRST_NIGHT).total_seconds() // 6)


def night(n: float) -> datetime:
    return FIRST_NIGHT + timedelta(days=n)


def a_piece(number: int = 1, **changes: Any) -> Piece:
    values = {"piece": number, "handle": f"/backup/set/p{number}.bkp", "status": "A", "total_bytes": 2 * 1024**3}
    return Piece.model_validate(values | changes)


def a_set(stamp: int, count: int, kind: SetKind, at: datetime, level: int | None = None, **changes: Any) -> RmanSet:
    times = {"started_at": at, "completed_at": at + timedelta(minutes=10)}
    values = {"stamp": stamp, "count": count, "recid": count, "kind": kind, "level": level, "pieces": (a_piece(),)} | times
    return RmanSet.model_validate(values | changes)


def data_set(n: int, **changes: Any) -> RmanSet:
    """The set of one night: level 0 on every seventh, with all three files."""
    level = 0 if n % 7 == 0 else 1
    kind = SetKind.INCREMENTAL  # V$BACKUP_SET says I for both levels of an incremental strategy
    return a_set(1000 + n, n + 1, kind, night(n), level, **changes)


def control_set(n: int, **changes: Any) -> RmanSet:
    at = night(n) + timedelta(minutes=12)
    return a_set(2000 + n, 100 + n, SetKind.FULL, at, has_controlfile=True, has_spfile=True, **changes)


def backup_of(file: int, n: int, **changes: Any) -> FileBackup:
    """One file in the set of one night."""
    level = 0 if n % 7 == 0 else 1
    at = night(n)
    values = {
        "stamp": 1000 + n,
        "count": n + 1,
        "file": file,
        "creation_scn": CREATION,
        "resetlogs_scn": RESETLOGS,
        "level": level,
        "incremental_scn": 0 if level == 0 else scn(night(n - 1)),
        "checkpoint_scn": scn(at),
        "checkpoint_at": at,
        "completed_at": at + timedelta(minutes=10),
        "blocks": 1000,
        "datafile_blocks": 262144,
        "blocks_read": 2000,
        "used_change_tracking": level == 1,
    }
    return FileBackup.model_validate(values | changes)


def control_backup(n: int, **changes: Any) -> FileBackup:
    at = night(n) + timedelta(minutes=12)
    values = {"stamp": 2000 + n, "count": 100 + n, "file": 0, "creation_scn": 0, "resetlogs_scn": RESETLOGS}
    values |= {"checkpoint_scn": scn(at), "checkpoint_at": at, "completed_at": at}
    return FileBackup.model_validate(values | changes)


def a_span(first: int, last: int, thread: int = 1, **changes: Any) -> LogSpan:
    """Logs of the hours from `first` to `last`; sequence 1 is the hour before the first night."""
    begin, end = FIRST_NIGHT + timedelta(hours=first - 2), FIRST_NIGHT + timedelta(hours=last - 1)
    values = {
        "thread": thread,
        "resetlogs_scn": RESETLOGS,
        "first_sequence": first,
        "last_sequence": last,
        "first_scn": scn(begin),
        "next_scn": scn(end),
        "first_at": begin,
        "next_at": end,
        "total_bytes": (last - first + 1) * 10**8,
        "set_ids": (f"set-3000-{thread}",),
    }
    return LogSpan.model_validate(values | changes)


def log_set(thread: int = 1, **changes: Any) -> RmanSet:
    return a_set(3000, thread, SetKind.LOG, NOW - timedelta(minutes=25), **changes)


def a_file(file: int, **changes: Any) -> Datafile:
    values = {
        "file": file,
        "creation_scn": CREATION,
        "created_at": night(-100),
        "name": f"/u02/oradata/f{file}.dbf",
        "tablespace": f"TS{file}",
        "checkpoint_scn": scn(NOW - timedelta(minutes=5)),
        "total_bytes": 2 * 1024**3,
    }
    return Datafile.model_validate(values | changes)


def a_thread(thread: int = 1, **changes: Any) -> RedoThread:
    values = {"thread": thread, "is_open": True, "is_enabled": True, "sequence": HOURS + 1, "last_redo_at": NOW}
    return RedoThread.model_validate(values | {"groups": 3, "unarchived_groups": 1} | changes)


def a_job(n: int, **changes: Any) -> RmanJob:
    at = night(n) - timedelta(minutes=1)
    values = {"session_recid": n + 1, "session_stamp": 5000 + n, "started_at": at, "ended_at": at + timedelta(minutes=15)}
    values |= {"status": "COMPLETED", "input_type": "DB INCR", "input_bytes": 10**9, "output_bytes": 10**9}
    return RmanJob.model_validate(values | changes)


def facts(**changes: Any) -> DatabaseFacts:
    values = {
        "dbid": 4711,
        "name": "GZ",
        "unique_name": "GZ",
        "version": "19.25.0.0.0",
        "current_scn": scn(NOW),
        "resetlogs_scn": RESETLOGS,
        "sysdate_at": NOW,
        "created_at": night(-100),
        "controlfile_created_at": night(-100),
        "keep_days": 30,
        "rman_configuration": {"CONTROLFILE AUTOBACKUP": "ON", "SNAPSHOT CONTROLFILE NAME": "'/u03/fra/snapcf.f'"},
    }
    return DatabaseFacts.model_validate(values | changes)


INCARNATION = Incarnation(number=1, resetlogs_scn=RESETLOGS, resetlogs_at=night(-100), status="CURRENT")
SETS = (*(data_set(n) for n in range(NIGHTS)), *(control_set(n) for n in range(NIGHTS)), log_set())
BACKUPS = (*(backup_of(f, n) for n in range(NIGHTS) for f in FILES), *(control_backup(n) for n in range(NIGHTS)))


def catalogue(**changes: Any) -> OracleCatalogue:
    """The healthy catalogue, with what the test changes."""
    values = {
        "facts": facts(),
        "horizon_at": night(-20),
        "incarnations": (INCARNATION,),
        "datafiles": tuple(a_file(f) for f in FILES),
        "threads": (a_thread(),),
        "sets": SETS,
        "file_backups": BACKUPS,
        "log_spans": (a_span(1, HOURS),),
        "jobs": tuple(a_job(n) for n in range(NIGHTS)),
    }
    return OracleCatalogue.model_validate(values | changes)


def survey(**changes: Any) -> Survey:
    """The survey of the healthy catalogue; `past_sets` and `problems` go to the survey, all else to the catalogue."""
    own = {k: changes.pop(k) for k in ("past_sets", "problems") if k in changes}
    made = survey_of("gz_main", catalogue(**changes), NOW, NOW)
    return made.model_copy(update=own)


def without(stamp: int, sets: Iterable[RmanSet] = SETS) -> tuple[RmanSet, ...]:
    """All sets but that of one stamp."""
    return tuple(s for s in sets if s.stamp != stamp)


def changed(stamp: int, **changes: Any) -> tuple[RmanSet, ...]:
    """All sets, that of one stamp changed."""
    return tuple(s.model_copy(update=changes) if s.stamp == stamp else s for s in SETS)


def plan(**changes: Any) -> BackupPlan:
    values = {
        "source": "rman",
        "places": {"sets": "/backup/sets"},
        "plan": [{"level": "full", "cron": "0 1 * * 0"}, {"level": "incremental", "cron": "0 1 * * 1-6"}],
        "retention_days": 8,
        "rpo_minutes": 90,
        "rto_minutes": 240,
    }
    return BackupPlan.model_validate(values | changes)


def database(**changes: Any) -> Database:
    values = {
        "id": "gz_main",
        "name_zh": "主库",
        "name_en": "Main",
        "platform": "main",
        "engine": "oracle",
        "connection": "db_main",
        "role": "primary",
        "owner": "dba",
        "low_peak_windows": [{"days": ["sat"], "start": "01:00", "end": "05:00"}],
        "backup": plan(),
    }
    return Database.model_validate(values | changes)


def told(verdict: Verdict) -> dict[str, str]:
    """Codes and places of a verdict's findings."""
    return {f.code: f.place for f in verdict.findings}


def only(verdict: Verdict, code: str) -> Finding:
    """The one finding of that code. Raises ValueError where there is none or more than one."""
    (found,) = [f for f in verdict.findings if f.code == code]
    return found

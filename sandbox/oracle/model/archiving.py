"""Redo at work: logs fill at a varying rate, are switched and archived; threads open and close; incarnations begin.

Administrator's Guide, "Managing the Redo Log" and "Managing Archived Redo Log Files"; Backup and Recovery User's Guide,
"Performing Flashback and Database Point-in-Time Recovery" (OPEN RESETLOGS).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sandbox.oracle.model.redo import LOG_BLOCK_BYTES, ArchivedLog, Incarnation, RedoGroup, RedoThread
from sandbox.oracle.model.repository import ArchiveDestination, Repository

LAG_TARGET = "archive_lag_target"


def omf_ending(repository: Repository) -> str:
    """The eight letters with which Oracle Managed Files makes a name unique."""
    return f"{repository.random.getrandbits(32):08x}"


def redo_bytes(repository: Repository, thread: RedoThread, since: datetime, until: datetime) -> int:
    """Redo that a thread makes between two moments, bytes."""
    return int(thread.redo_bytes_per_s * repository.scn.work_between(since, until))


def next_switch(repository: Repository, thread: RedoThread, since: datetime) -> datetime:
    """When a log begun at `since` will be full, or older than ARCHIVE_LAG_TARGET."""
    wanted = thread.log_bytes * repository.random.uniform(0.86, 0.99)
    lag_s = int(repository.database.parameters.get(LAG_TARGET, "0") or 0)
    latest = since + timedelta(seconds=lag_s) if lag_s else since + timedelta(days=30)
    full_at = repository.scn.when_done(since, wanted / thread.redo_bytes_per_s, latest)
    return max(full_at, since.replace(microsecond=0) + timedelta(seconds=1))


def start_log(repository: Repository, thread: RedoThread, sequence: int, at: datetime, scn: int) -> None:
    """The thread's next group becomes CURRENT with this sequence."""
    group = thread.groups[sequence % len(thread.groups)]
    group.sequence, group.status, group.archived = sequence, "CURRENT", False
    group.first_scn, group.first_at, group.next_scn, group.next_at = scn, at, 0, None
    thread.sequence, thread.first_scn, thread.first_at = sequence, scn, at
    thread.switch_at = next_switch(repository, thread, at)


def switch_log(repository: Repository, thread: RedoThread, at: datetime) -> None:
    """ALTER SYSTEM SWITCH LOGFILE: the current log is closed at this moment's SCN, archived, and the next one begins."""
    scn = max(repository.scn.at(at), thread.first_scn + 1)
    group = thread.current
    group.status, group.next_scn, group.next_at, group.archived = "INACTIVE", scn, at, repository.log_mode == "ARCHIVELOG"
    thread.last_redo_scn, thread.last_redo_at = scn - 1, at
    if repository.log_mode == "ARCHIVELOG":
        archive(repository, thread, group, at)
    start_log(repository, thread, thread.sequence + 1, at, scn)


def archive(repository: Repository, thread: RedoThread, group: RedoGroup, at: datetime) -> None:
    """One row of V$ARCHIVED_LOG for each destination (Reference, "V$ARCHIVED_LOG": DEST_ID, STANDBY_DEST)."""
    redo = redo_bytes(repository, thread, group.first_at, at)
    blocks = max(2, min(redo, group.total_bytes) // LOG_BLOCK_BYTES)
    for destination in repository.destinations:
        if destination.status == "VALID":
            log = archived_log(repository, thread, group, destination, blocks)
            repository.archived_logs.append(log)
            if not log.standby_dest:
                repository.disk_logs.append(log)


def archived_log(
    repository: Repository, thread: RedoThread, group: RedoGroup, destination: ArchiveDestination, blocks: int
) -> ArchivedLog:
    """The row and the file of one log at one destination."""
    completed_at = group.next_at + timedelta(seconds=1 + blocks * LOG_BLOCK_BYTES // 400_000_000)
    to_standby = destination.target == "STANDBY"
    return ArchivedLog(
        recid=repository.recid("log"),
        stamp=repository.stamp(completed_at),
        name=log_name(repository, thread, group, destination),
        dest=destination.dest,
        thread=thread.number,
        sequence=group.sequence,
        incarnation=repository.incarnation,
        first_scn=group.first_scn,
        first_at=group.first_at,
        next_scn=group.next_scn,
        next_at=group.next_at,
        blocks=blocks,
        completed_at=completed_at,
        applied="YES" if to_standby or repository.is_standby else "NO",
        standby_dest=to_standby,
        in_fra=destination.in_fra,
        creator="LGWR" if to_standby else "ARCH",
    )


def log_name(repository: Repository, thread: RedoThread, group: RedoGroup, destination: ArchiveDestination) -> str:
    """An OMF name in the recovery area, else LOG_ARCHIVE_FORMAT %t_%s_%r.dbf; a standby destination gives its service."""
    if destination.target == "STANDBY":
        return destination.destination
    unique = repository.database.unique_name or repository.database.name
    if destination.in_fra:
        day = repository.local(group.next_at).strftime("%Y_%m_%d")
        ending = omf_ending(repository)
        return f"{repository.recovery_area.name}/{unique}/archivelog/{day}/o1_mf_{thread.number}_{group.sequence}_{ending}_.arc"
    return f"{destination.destination}/{thread.number}_{group.sequence}_{repository.incarnation.resetlogs_id}.dbf"


def run_redo(repository: Repository, until: datetime) -> None:
    """Let every open thread write redo up to a moment, with the log switches that fall into it, in the order of time."""
    running = [t for t in repository.threads if t.is_open]
    while running:
        thread = min(running, key=lambda t: t.switch_at)
        if thread.switch_at > until:
            return
        switch_log(repository, thread, thread.switch_at)


def archive_log_current(repository: Repository, at: datetime) -> None:
    """ALTER SYSTEM ARCHIVE LOG CURRENT, as RMAN's PLUS ARCHIVELOG does: every enabled thread's log is switched and archived."""
    for thread in repository.threads:
        if thread.is_open and thread.first_at < at:
            switch_log(repository, thread, at)


def add_thread(repository: Repository, number: int, at: datetime, groups: int = 3, log_bytes: int = 512 * 1024**2) -> RedoThread:
    """ALTER DATABASE ADD LOGFILE THREAD n and ENABLE THREAD n, then open it."""
    unique = repository.database.unique_name or repository.database.name
    thread = RedoThread(number, f"{repository.database.name.lower()}{number}", log_bytes=log_bytes)
    first = 1 + sum(len(t.groups) for t in repository.threads)
    for index in range(groups):
        member = f"{data_folder(repository)}/{unique}/onlinelog/redo{first + index:02d}.log"
        thread.groups.append(RedoGroup(first + index, log_bytes, (member,)))
    thread.opened_at, thread.enabled_scn = at, repository.scn.at(at)
    repository.threads.append(thread)
    start_log(repository, thread, 1, at, thread.enabled_scn)
    return thread


def data_folder(repository: Repository) -> str:
    return repository.database.parameters.get("db_create_file_dest", "") or "/u02/oradata"


def close_thread(repository: Repository, number: int, at: datetime | None = None) -> None:
    """SHUTDOWN of one RAC instance: its last log is archived; afterwards it has no redo and its SCN range has a hole."""
    at = at or repository.now
    thread = next(t for t in repository.threads if t.number == number)
    switch_log(repository, thread, at)
    thread.is_open, thread.closed_scn, thread.closed_at = False, repository.scn.at(at), at
    thread.last_redo_at = at


def open_thread(repository: Repository, number: int, at: datetime | None = None) -> None:
    """STARTUP of a RAC instance: its thread goes on with the next sequence at this moment's SCN."""
    at = at or repository.now
    thread = next(t for t in repository.threads if t.number == number)
    thread.is_open, thread.opened_at, thread.closed_at = True, at, None
    start_log(repository, thread, thread.sequence, at, repository.scn.at(at))


def open_resetlogs(repository: Repository, at: datetime | None = None, until_scn: int = 0) -> Incarnation:
    """OPEN RESETLOGS: the current incarnation becomes PARENT, sequences begin at 1 (B&R User's Guide, "Database Incarnations").

    With `until_scn` the SCN goes back to it: an incomplete recovery. Incarnations that branched off after it become ORPHAN.
    """
    at = at or repository.now
    for thread in repository.threads:
        if thread.is_open and not until_scn:  # the online logs are archived before they are reset
            switch_log(repository, thread, at)
            repository.archived_logs[-1].end_of_redo_type = "RESETLOGS"
    old = repository.incarnation
    old.status = "PARENT"
    scn = (until_scn or repository.scn.at(at)) + 1
    parent = next(i for i in reversed(repository.incarnations) if i.status == "PARENT" and i.resetlogs_scn < scn)
    for incarnation in repository.incarnations:
        if incarnation.resetlogs_scn >= scn or incarnation.number > parent.number:
            incarnation.status = "ORPHAN"
    if until_scn:
        repository.scn.go_back_to(scn, at)
    new = Incarnation(
        number=len(repository.incarnations) + 1,
        resetlogs_scn=scn,
        resetlogs_at=at,
        resetlogs_id=repository.stamp(at),
        prior_number=parent.number,
        prior_resetlogs_scn=parent.resetlogs_scn,
        prior_resetlogs_at=parent.resetlogs_at,
    )
    repository.incarnations.append(new)
    for thread in repository.threads:
        for group in thread.groups:
            group.status, group.sequence, group.archived = "UNUSED", 0, True
        start_log(repository, thread, 1, at, scn)
    known = repository.latest, repository.latest_base
    for records in known:  # what an incremental may not build on: backups of a branch that was left
        for file in [f for f, r in records.items() if r.checkpoint_scn > scn]:
            del records[file]
    return new

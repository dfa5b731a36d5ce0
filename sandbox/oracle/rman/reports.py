"""What RMAN tells from its records alone: LIST, REPORT, SHOW, and CROSSCHECK, which changes them.

Backup and Recovery Reference 19c: LIST, REPORT, SHOW, CROSSCHECK.
"""

from __future__ import annotations

import re
from datetime import timedelta

from sandbox.oracle.model.files import Datafile
from sandbox.oracle.model.repository import Repository
from sandbox.oracle.model.repository_records import BackupSet, DatafileCopy, FileInSet
from sandbox.oracle.model.repository_upkeep import piece_state
from sandbox.oracle.rman.session import RmanError, RmanSession

STATUS_WORDS = {"A": "AVAILABLE", "X": "EXPIRED", "U": "UNAVAILABLE", "D": "DELETED"}
DEFAULTS = {
    "RETENTION POLICY": "TO REDUNDANCY 1",
    "BACKUP OPTIMIZATION": "OFF",
    "DEFAULT DEVICE TYPE": "TO DISK",
    "CONTROLFILE AUTOBACKUP": "ON",
    "CONTROLFILE AUTOBACKUP FORMAT FOR DEVICE TYPE": "DISK TO '%F'",
    "DEVICE TYPE": "DISK PARALLELISM 1 BACKUP TYPE TO BACKUPSET",
    "MAXSETSIZE": "TO UNLIMITED",
    "ENCRYPTION FOR DATABASE": "OFF",
    "COMPRESSION ALGORITHM": "'BASIC' AS OF RELEASE 'DEFAULT' OPTIMIZE FOR LOAD TRUE",
    "ARCHIVELOG DELETION POLICY": "TO NONE",
}


def need_backup(session: RmanSession) -> None:
    """REPORT NEED BACKUP: exit code 0 with rows and without. Raises RmanError RMAN-06525 under no policy."""
    repository = session.repository
    session.say("policy_applied")
    policy = repository.configuration.get("RETENTION POLICY", DEFAULTS["RETENTION POLICY"])
    if "NONE" in policy:
        raise RmanError(("RMAN-06525", {}))
    number = int((re.search(r"\d+", policy) or ["1"])[0])
    is_window = "WINDOW" in policy
    session.say("policy_window" if is_window else "policy_redundancy", number=number)
    session.say("need_window" if is_window else "need_redundancy", number=number)
    session.lines(
        f"File {'Days ' if is_window else '#bkps'} Name", "---- ----- -----------------------------------------------------"
    )
    with repository.database.lock:
        records = backups_by_file(repository)
        rows = [
            _need_row(repository, f, records.get((f.file, f.creation_scn), []), number, is_window) for f in judged(repository)
        ]
    session.lines(*[row for row in rows if row], "")


def _need_row(repository: Repository, datafile: Datafile, records: list[FileInSet], number: int, is_window: bool) -> str:
    if is_window:
        newest = max((r.checkpoint_at for r in records), default=datafile.created_at)
        age = repository.now - newest
        return (
            f"{datafile.file:<4} {age.days:<5} {datafile.name}"
            if age > timedelta(days=number) and not _stands(datafile, records)
            else ""
        )
    bases = [r for r in records if r.level != 1]
    return f"{datafile.file:<4} {len(bases):<5} {datafile.name}" if len(bases) < number else ""


def _stands(datafile: Datafile, records: list[FileInSet]) -> bool:
    """A file that stands still and was backed up since needs no other backup, however old that one is."""
    return datafile.is_standing_still and any(r.checkpoint_scn >= (datafile.stop_scn or 0) for r in records)


def judged(repository: Repository) -> list[Datafile]:
    return [f for f in repository.living_files() if f.tablespace.is_included]


def backups_by_file(repository: Repository) -> dict[tuple[int, int], list[FileInSet]]:
    """(FILE#, CREATION_CHANGE#) -> records of available sets and copies of this line of incarnations."""
    found: dict[tuple[int, int], list[FileInSet]] = {}
    records = [r for s in repository.sets if s.kind in "DI" and s.is_available for r in s.files]
    records += [c.content for c in repository.copies if c.status == "A"]
    for record in records:
        if record.file and record.incarnation.status != "ORPHAN":
            found.setdefault((record.file, record.creation_scn), []).append(record)
    return found


def unrecoverable(session: RmanSession) -> None:
    """REPORT UNRECOVERABLE: files with changes without redo since their newest backup."""
    session.say("unrecoverable")
    session.lines("File Type of Backup Required Name", "---- ----------------------- -----------------------------------")
    with session.repository.database.lock:
        records = backups_by_file(session.repository)
        for f in session.repository.living_files():
            newest = max((r.checkpoint_scn for r in records.get((f.file, f.creation_scn), [])), default=0)
            if f.unrecoverable_scn and f.unrecoverable_scn > newest:
                session.send(f"{f.file:<4} {'full or incremental':23} {f.name}")
    session.send("")


def crosscheck(session: RmanSession) -> None:
    """CROSSCHECK BACKUP: looks whether pieces are there, and writes EXPIRED or AVAILABLE into the repository.

    A share that is not mounted makes all its pieces EXPIRED: RMAN cannot tell it from a loss.
    """
    session.channel()
    count = 0
    with session.repository.database.lock:
        pieces = [p for s in session.repository.sets for p in s.pieces if p.status in "AX"]
        for piece in pieces:
            piece.status = "X" if piece_state(session.repository, piece) in ("missing", "unreadable") else "A"
    for piece in pieces:
        status = STATUS_WORDS[piece.status]
        session.say("crosschecked", status=status, handle=piece.handle, recid=piece.recid, stamp=piece.stamp)
        count += 1
    session.say("crosschecked_all", count=count)
    session.send("")


def list_summary(session: RmanSession) -> None:
    """LIST BACKUP SUMMARY."""
    with session.repository.database.lock:
        sets = [s for s in session.repository.sets if not s.is_deleted]
    list_sets(session, sets, is_summary=True)


def list_sets(session: RmanSession, sets: list[BackupSet], is_summary: bool) -> None:
    if is_summary:
        session.lines(
            "",
            "List of Backups",
            "===============",
            "Key     TY LV S Device Type Completion Time #Pieces #Copies Compressed Tag",
            "------- -- -- - ----------- --------------- ------- ------- ---------- ---",
        )
        session.lines(*(_summary_row(session, s) for s in sets), "")
        return
    session.lines("", "List of Backup Sets", "===================", "")
    for backup in sets:
        session.lines(*_set_lines(session, backup))


def _summary_row(session: RmanSession, backup: BackupSet) -> str:
    kind = "A" if backup.kind == "L" else "B"
    level = "A" if backup.kind == "L" else "F" if backup.level is None else str(backup.level)
    states = {p.status for p in backup.pieces}
    state = states.pop() if len(states) == 1 else "*"
    copies = max((p.copy for p in backup.pieces), default=1)
    compressed = "YES" if any(p.is_compressed for p in backup.pieces) else "NO"
    at = session.date(backup.completed_at)
    head = f"{backup.recid:<7} {kind:2} {level:2} {state:1} DISK        {at:15}"
    return f"{head} {backup.pieces_expected:<7} {copies:<7} {compressed:10} {backup.tag}"


def _set_lines(session: RmanSession, backup: BackupSet) -> list[str]:
    kind = "Incr" if backup.level is not None else "Full"
    size = f"{backup.total_bytes / 1024**2:.2f}M"
    level = "" if backup.level is None else backup.level
    elapsed = session.elapsed((backup.completed_at - backup.started_at).total_seconds())
    at = session.date(backup.completed_at)
    lines = [
        "BS Key  Type LV Size       Device Type Elapsed Time Completion Time",
        "------- ---- -- ---------- ----------- ------------ ---------------",
        f"{backup.recid:<7} {kind:4} {level!s:2} {size:10} DISK        {elapsed:12} {at:15}",
    ]
    for piece in backup.pieces:
        compressed = "YES" if piece.is_compressed else "NO"
        lines += [
            f"        BP Key: {piece.recid}   Status: {STATUS_WORDS[piece.status]}  Compressed: {compressed}  Tag: {piece.tag}",
            f"        Piece Name: {piece.handle}",
        ]
    lines += [
        f"  List of Datafiles in backup set {backup.recid}",
        "  File LV Type Ckp SCN    Ckp Time        Abs Fuz SCN Sparse Name",
        "  ---- -- ---- ---------- --------------- ----------- ------ ----",
    ]
    for record in backup.files:
        name = record.datafile.name if record.datafile else ""
        row = f"  {record.file:<4} {level!s:2} {kind:4} {record.checkpoint_scn:<10} {session.date(record.checkpoint_at):15}"
        lines.append(f"{row} {record.fuzzy_scn or '':<11} NO     {name}")
    return [*lines, ""]


def list_copies(session: RmanSession, copies: list[DatafileCopy]) -> None:
    """The image copies of a preview."""
    if not copies:
        return
    session.lines(
        "List of Datafile Copies",
        "=======================",
        "",
        "Key     File S Completion Time Ckp SCN    Ckp Time        Sparse",
        "------- ---- - --------------- ---------- --------------- ------",
    )
    for copy in copies:
        record = copy.content
        head = f"{copy.recid:<7} {record.file:<4} {copy.status} {session.date(record.completed_at):15}"
        session.lines(
            f"{head} {record.checkpoint_scn:<10} {session.date(record.checkpoint_at):15} NO", f"        Name: {copy.name}", ""
        )


def show_all(session: RmanSession) -> None:
    """SHOW ALL: what is configured, and the defaults marked as such."""
    session.say("configuration", name=session.repository.database.unique_name or session.repository.database.name)
    chosen = session.repository.configuration
    for name, value in (DEFAULTS | chosen).items():
        session.send(f"CONFIGURE {name} {value};{'' if name in chosen else ' # default'}")
    session.send("")

"""RESTORE ... VALIDATE and RESTORE DATABASE PREVIEW: RMAN chooses what it would restore from, and only reads that.

It takes level 0 and full sets and copies, never a level 1; it skips read-only files that are in place; it prefers archived
logs on disk to their backups (Backup and Recovery Reference, RESTORE; User's Guide, "Previewing Backups Used in Restore").
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.oracle.model.files import Datafile
from sandbox.oracle.model.redo import ArchivedLog
from sandbox.oracle.model.repository_records import BackupSet, DatafileCopy, FileInSet
from sandbox.oracle.rman.reading import read_set, trouble_of_copy
from sandbox.oracle.rman.reports import list_copies, list_sets
from sandbox.oracle.rman.session import RmanError, RmanSession, StackLine
from sandbox.oracle.rman.words import NO_FILE


@dataclass
class Choice:
    """What files are to come from: a set or a copy."""

    source: BackupSet | DatafileCopy
    files: list[FileInSet] = field(default_factory=list)


def restore_database(session: RmanSession, until_scn: int | None) -> None:
    """RESTORE DATABASE [UNTIL SCN n] VALIDATE. Raises RmanError where a file cannot be restored from anything."""
    session.say("starting", what="restore", at=session.date(session.now))
    session.channel()
    with session.repository.database.lock:
        files = session.repository.living_files()
    wanted = [f for f in files if not is_in_place(f) and not is_left_out(f)]
    for datafile in files:
        if is_in_place(datafile):
            session.say("skipping", file=datafile.file, name=datafile.name)
    refused: set[int] = set()
    while wanted:
        wanted = read_choices(session, wanted, until_scn, refused)
    session.say("finished", what="restore", at=session.date(session.now))


def is_in_place(datafile: Datafile) -> bool:
    """A read-only file stands where it was: RMAN believes its header and reads no backup of it."""
    return datafile.enabled == "READ ONLY" and datafile.is_standing_still


def is_left_out(datafile: Datafile) -> bool:
    return not datafile.tablespace.is_included


def read_choices(session: RmanSession, wanted: list[Datafile], until_scn: int | None, refused: set[int]) -> list[Datafile]:
    """Read the best backup of each file; returns the files whose backup failed, to be tried with an older one."""
    again: list[Datafile] = []
    by_file = {f.file: f for f in wanted}
    for choice in choose(session, wanted, until_scn, refused):
        try:
            if isinstance(choice.source, DatafileCopy):
                read_copy(session, choice.source)
            else:
                session.say("validated", elapsed=read_set(session, choice.source, stops_at_corruption=True))
        except RmanError as e:
            session.tell_codes(*e.stack)
            session.say("failover")
            refused.add(id(choice.source))
            again += [by_file[r.file] for r in choice.files]
    return again


def read_copy(session: RmanSession, copy: DatafileCopy) -> None:
    session.say("start_copy")
    session.say("scanning_copy", name=copy.name)
    trouble = trouble_of_copy(session, copy)
    if not trouble and copy.corrupt_blocks:
        block = {"block": copy.corrupt_blocks[0][1], "kind": "datafile copy", "name": copy.name}
        trouble = (("ORA-19599", block),)
    if trouble:
        raise RmanError(*trouble, on_channel=True)
    session.say("validated", elapsed=session.elapsed(session.read(copy.total_bytes)))


def choose(session: RmanSession, files: list[Datafile], until_scn: int | None, refused: set[int]) -> list[Choice]:
    """The newest base of each file, gathered by set. Raises RmanError RMAN-06026 with one RMAN-06023 per file without."""
    choices: dict[int, Choice] = {}
    missing: list[StackLine] = []
    with session.repository.database.lock:
        bases = bases_by_file(session, until_scn, refused)
    for datafile in files:
        found = bases.get((datafile.file, datafile.creation_scn))
        if found is None:
            missing.append(("RMAN-06023", {"file": datafile.file}))
            continue
        source, record = found
        choices.setdefault(id(source), Choice(source)).files.append(record)
    if missing:
        raise RmanError(("RMAN-06026", {}), *missing)
    return list(choices.values())


def bases_by_file(
    session: RmanSession, until_scn: int | None, refused: set[int]
) -> dict[tuple[int, int], tuple[BackupSet | DatafileCopy, FileInSet]]:
    """(FILE#, CREATION_CHANGE#) -> the newest usable full, level 0 or copy of this line of incarnations."""
    repository = session.repository
    sources: list[tuple[BackupSet | DatafileCopy, FileInSet]] = [
        (s, r) for s in repository.sets if s.kind == "D" and s.is_available and id(s) not in refused for r in s.files
    ]
    sources += [(c, c.content) for c in repository.copies if c.status == "A" and id(c) not in refused]
    best: dict[tuple[int, int], tuple[BackupSet | DatafileCopy, FileInSet]] = {}
    for source, record in sources:
        usable = record.incarnation.status != "ORPHAN" and (until_scn is None or record.checkpoint_scn <= until_scn)
        key = (record.file, record.creation_scn)
        newest = best.get(key)
        if usable and (newest is None or record.checkpoint_scn >= newest[1].checkpoint_scn):
            best[key] = (source, record)
    return best


def restore_controlfile(session: RmanSession, from_autobackup: bool) -> None:
    """RESTORE CONTROLFILE VALIDATE: the newest set that has one. Raises RmanError RMAN-06024."""
    sets = [s for s in newest_first(session) if s.has_controlfile and (s.is_autobackup or not from_autobackup)]
    restore_small(session, sets, from_autobackup, "RMAN-06024")


def restore_spfile(session: RmanSession, from_autobackup: bool) -> None:
    """RESTORE SPFILE VALIDATE. Raises RmanError RMAN-06729."""
    sets = [s for s in newest_first(session) if s.spfiles and (s.is_autobackup or not from_autobackup)]
    restore_small(session, sets, from_autobackup, "RMAN-06729")


def newest_first(session: RmanSession) -> list[BackupSet]:
    with session.repository.database.lock:
        return sorted((s for s in session.repository.sets if s.is_available), key=lambda s: s.completed_at, reverse=True)


def restore_small(session: RmanSession, sets: list[BackupSet], from_autobackup: bool, missing: str) -> None:
    session.say("starting", what="restore", at=session.date(session.now))
    session.channel()
    for backup in sets:
        try:
            if from_autobackup:
                session.say("looking", day=f"{backup.completed_at:%Y%m%d}")
                session.say("autobackup_found", handle=backup.pieces[0].handle)
            session.say("validated", elapsed=read_set(session, backup, stops_at_corruption=True))
            break
        except RmanError as e:
            session.tell_codes(*e.stack)
            session.say("failover")
    else:
        raise RmanError(("RMAN-06026", {}), (missing, {}))
    session.say("finished", what="restore", at=session.date(session.now))


@dataclass(frozen=True)
class LogRange:
    """Which archived logs; None: no limit."""

    first: int | None = None
    last: int | None = None
    thread: int | None = None
    first_scn: int | None = None
    last_scn: int | None = None

    def holds(self, log: ArchivedLog) -> bool:
        return (
            (self.thread is None or log.thread == self.thread)
            and (self.first is None or log.sequence >= self.first)
            and (self.last is None or log.sequence <= self.last)
            and (self.first_scn is None or log.next_scn > self.first_scn)
            and (self.last_scn is None or log.first_scn <= self.last_scn)
        )


def restore_logs(session: RmanSession, wanted: LogRange) -> None:
    """RESTORE ARCHIVELOG ... VALIDATE: a log on disk is read there and its backup is not opened.

    Raises RmanError RMAN-20242 (no such log), RMAN-06025 (no copy of it left) or ORA-19625 (believed in, but gone).
    """
    session.say("starting", what="restore", at=session.date(session.now))
    session.channel()
    on_disk, in_sets = find_logs(session, wanted)
    for log in on_disk:
        session.say("scanning_log", name=log.name)
        if not log.on_disk or not session.repository.disk_folder_is_mounted(log.name or ""):
            raise RmanError(("ORA-19625", {"name": log.name}), ("ORA-27037", {}), *NO_FILE, on_channel=True)
        if log.corrupt_blocks or log.is_unreadable:
            raise RmanError(("ORA-19599", {"block": 2, "kind": "archived log", "name": log.name}), on_channel=True)
        session.say("validated", elapsed=session.elapsed(session.read(log.total_bytes)))
    for backup in in_sets:
        session.say("validated", elapsed=read_set(session, backup, stops_at_corruption=True))
    session.say("finished", what="restore", at=session.date(session.now))


def find_logs(session: RmanSession, wanted: LogRange) -> tuple[list[ArchivedLog], list[BackupSet]]:
    """Logs to be read on disk, and the sets for the others."""
    repository = session.repository
    with repository.database.lock:
        own = [g for g in repository.archived_logs if not g.standby_dest and g.incarnation is repository.incarnation]
        known = {g.key: g for g in own if wanted.holds(g)}
        live = {g.key: g for g in own if g.key in known and g.is_live}
        held = {r.log.key: s for s in repository.sets if s.kind == "L" and s.is_available for r in s.logs}
        known |= {r.log.key: r.log for s in repository.sets if s.kind == "L" for r in s.logs if wanted.holds(r.log)}
    if not known:
        raise RmanError(("RMAN-20242", {}))
    lost = [g for key, g in sorted(known.items()) if key not in live and key not in held]
    if lost:
        told = [("RMAN-06025", {"thread": g.thread, "sequence": g.sequence, "scn": g.first_scn}) for g in lost]
        raise RmanError(("RMAN-06026", {}), *told)
    sets = {id(held[key]): held[key] for key in sorted(known) if key not in live}
    return [live[key] for key in sorted(live)], list(sets.values())


def preview(session: RmanSession, until_scn: int | None, is_summary: bool) -> None:
    """RESTORE DATABASE PREVIEW [SUMMARY]: reads records, no media."""
    session.say("starting", what="restore", at=session.date(session.now))
    session.channel()
    files = [f for f in session.repository.living_files() if not is_left_out(f)]
    choices = choose(session, files, until_scn, set())
    list_sets(session, [c.source for c in choices if isinstance(c.source, BackupSet)], is_summary)
    list_copies(session, [c.source for c in choices if isinstance(c.source, DatafileCopy)])
    records = [r for c in choices for r in c.files]
    session.say("start_scn", scn=min(r.checkpoint_scn for r in records))
    session.say("beyond_scn", scn=max(max(r.checkpoint_scn, r.fuzzy_scn) for r in records))
    session.say("finished", what="restore", at=session.date(session.now))

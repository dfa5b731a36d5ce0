"""Reading backups: what VALIDATE BACKUPSET and RESTORE ... VALIDATE find, from what lies on the simulated media.

VALIDATE tells of corrupt blocks in a table, without a code and with exit code 0; RESTORE ... VALIDATE stops at such a piece,
tells ORA-19870 and takes an older backup (Backup and Recovery User's Guide, ch. 16 "Validating Database Files and Backups").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from sandbox.oracle.model.files import Datafile
from sandbox.oracle.model.repository_records import BackupSet, DatafileCopy, Piece
from sandbox.oracle.model.repository_upkeep import piece_state
from sandbox.oracle.rman.session import RmanError, RmanSession, StackLine
from sandbox.oracle.rman.words import IO_FAILED, NO_FILE

PIECE_BLOCK_BYTES = 8192


def validate_backupset(session: RmanSession, keys: Sequence[int]) -> None:
    """VALIDATE BACKUPSET. All keys are looked up first: one that is missing ends the command before any set is read."""
    session.say("starting", what="validate", at=session.date(session.now))
    session.channel()
    sets = [find_set(session, key) for key in keys]
    bad = False
    for backup in sets:
        elapsed = read_set(session, backup)
        session.say("validated", elapsed=elapsed)
        bad |= tell_blocks(session, backup)
    if bad:
        session.say("found_corrupt", trace=trace_file(session))
    session.say("finished", what="validate", at=session.date(session.now))


def find_set(session: RmanSession, key: int) -> BackupSet:
    """The set of a key with every piece available. Raises RmanError RMAN-06160."""
    for backup in session.repository.sets:
        if backup.recid == key and backup.is_available:
            return backup
    raise RmanError(("RMAN-06160", {"key": key}))


def read_set(session: RmanSession, backup: BackupSet, stops_at_corruption: bool = False) -> str:
    """Read every piece of a set; the elapsed time. Raises RmanError where a piece cannot be read."""
    session.say("start_logs" if backup.kind == "L" else "start_files")
    elapsed_s = 0.0
    for number in range(1, backup.pieces_expected + 1):
        copies = [p for p in backup.pieces if p.piece == number and p.status == "A"]
        for last, piece in _with_last(copies):
            session.say("reading", handle=piece.handle)
            trouble = trouble_of(session, piece, stops_at_corruption)
            if not trouble:
                break
            if last:
                raise RmanError(*trouble, on_channel=True)
            session.tell_codes(*trouble)
            session.say("failover_copy")
        elapsed_s += session.read(piece.total_bytes)
        session.say("piece", handle=piece.handle, tag=piece.tag)
        session.say("restored", piece=number)
    return session.elapsed(elapsed_s)


def trouble_of(session: RmanSession, piece: Piece, stops_at_corruption: bool) -> tuple[StackLine, ...]:
    """The stack that reading a piece gives; empty where it can be read."""
    outer = ("ORA-19870", {"handle": piece.handle})
    where = {"name": piece.handle, "block_bytes": PIECE_BLOCK_BYTES}
    with session.repository.database.lock:
        state = piece_state(session.repository, piece)
        corrupt = list(piece.corrupt_blocks)
    if state == "missing":
        return (outer, ("ORA-19505", where), ("ORA-27037", {}), *NO_FILE)
    if state == "unreadable":
        return (outer, ("ORA-19501", where | {"block": 1}), ("ORA-27072", {}), *IO_FAILED)
    if state == "truncated":
        return (outer, ("ORA-19501", where | {"block": (piece.kept_bytes or 0) // PIECE_BLOCK_BYTES + 1}))
    if state == "no key":
        return (outer, ("ORA-19913", {}), ("ORA-28365", {}))
    if state == "corrupt" and stops_at_corruption:
        return (outer, *corruption_codes(corrupt, piece.handle))
    return ()


def corruption_codes(corrupt: Iterable[tuple[int, int]], handle: str) -> list[StackLine]:
    blocks = sorted(corrupt)
    files = sorted({file for file, _ in blocks})
    if files == [0]:
        return [("ORA-19599", {"block": blocks[0][1], "kind": "backup piece", "name": handle})]
    return [("ORA-19612", {"file": file}) for file in files if file]


def tell_blocks(session: RmanSession, backup: BackupSet) -> bool:
    """The tables of a set in which blocks are corrupt; a sound set has none. True where there are such blocks."""
    with session.repository.database.lock:
        failing = Counter(file for piece in backup.pieces if piece.status == "A" for file, _ in piece.corrupt_blocks)
    if not failing:
        return False
    records = [r for r in backup.files if r.file]
    if records:
        datafile_heading(session)
        for record in records:
            name = record.datafile.name if record.datafile else ""
            datafile_rows(session, record.file, name, record.blocks, record.checkpoint_scn, failing[record.file])
    if backup.has_controlfile:
        blocks = next(r.blocks for r in backup.files if r.file == 0)
        control_file_table(session, failing[0], blocks, bool(backup.spfiles))
    if backup.kind == "L":
        log_table(session, backup, sum(failing.values()))
    session.send("")
    return True


def datafile_heading(session: RmanSession) -> None:
    session.lines(
        "List of Datafiles",
        "=================",
        "File Status Marked Corrupt Empty Blocks Blocks Examined High SCN",
        "---- ------ -------------- ------------ --------------- ----------",
    )


def datafile_rows(session: RmanSession, file: int, name: str, blocks: int, high_scn: int, failing: int) -> None:
    """One file of the table. Marked Corrupt is 0 for what VALIDATE finds: the failing blocks stand below it."""
    data, index = blocks * 6 // 10, blocks * 2 // 10
    session.lines(
        f"{file:<4} {'FAILED' if failing else 'OK':6} {0:<14} {blocks // 10:<12} {blocks:<15} {high_scn:<10}",
        f"  File Name: {name}",
        "  Block Type Blocks Failing Blocks Processed",
        "  ---------- -------------- ----------------",
        f"  Data       {failing:<14} {data:<16}",
        f"  Index      {0:<14} {index:<16}",
        f"  Other      {0:<14} {blocks - blocks // 10 - data - index:<16}",
    )


def control_file_table(session: RmanSession, failing: int, blocks: int, has_spfile: bool) -> None:
    session.lines(
        "List of Control File and SPFILE",
        "===============================",
        "File Type    Status Blocks Failing Blocks Examined",
        "------------ ------ -------------- ---------------",
        *([f"SPFILE       OK     {0:<14} {2:<15}"] if has_spfile else []),
        f"Control File {'FAILED' if failing else 'OK':6} {failing:<14} {blocks:<15}",
    )


def log_table(session: RmanSession, backup: BackupSet, failing: int) -> None:
    session.lines(
        "List of Archived Logs",
        "=====================",
        "Thrd Seq     Status Blocks Failing Blocks Examined Name",
        "---- ------- ------ -------------- --------------- ---------------",
    )
    for n, record in enumerate(backup.logs):
        bad = failing if n == 0 else 0
        log = record.log
        session.send(
            f"{log.thread:<4} {log.sequence:<7} {'FAILED' if bad else 'OK':6} {bad:<14} {log.blocks:<15} {log.name or ''}"
        )


def validate_copy(session: RmanSession, key: int) -> None:
    """VALIDATE DATAFILECOPY of a key. Raises RmanError where there is none, or its file cannot be read."""
    session.say("starting", what="validate", at=session.date(session.now))
    session.channel()
    copy = next((c for c in session.repository.copies if c.recid == key and c.status == "A"), None)
    if copy is None:
        raise RmanError(("RMAN-20230", {}))
    session.say("start_copy")
    session.say("input_copy", recid=copy.recid, stamp=copy.stamp, name=copy.name)
    if trouble := trouble_of_copy(session, copy):
        raise RmanError(*trouble, on_channel=True)
    session.say("validated", elapsed=session.elapsed(session.read(copy.total_bytes)))
    datafile_heading(session)
    record = copy.content
    datafile_rows(session, record.file, copy.name, record.datafile_blocks, record.checkpoint_scn, len(copy.corrupt_blocks))
    session.send("")
    if copy.corrupt_blocks:
        session.say("found_corrupt", trace=trace_file(session))
    session.say("finished", what="validate", at=session.date(session.now))


def trouble_of_copy(session: RmanSession, copy: DatafileCopy) -> tuple[StackLine, ...]:
    if not copy.on_disk or not session.repository.disk_folder_is_mounted(copy.name):
        return (("ORA-19625", {"name": copy.name}), ("ORA-27037", {}), *NO_FILE)
    if copy.is_unreadable:
        where = {"name": copy.name, "block": 1, "block_bytes": copy.content.block_bytes}
        return (("ORA-19501", where), ("ORA-27072", {}), *IO_FAILED)
    return ()


def validate_database(session: RmanSession) -> None:
    """VALIDATE DATABASE reads the living files, not their backups."""
    session.say("starting", what="validate", at=session.date(session.now))
    session.channel()
    files: list[Datafile] = session.repository.living_files()
    failing: Counter[int] = Counter()
    for blocks in session.repository.corrupt_blocks:
        failing[blocks.file] += blocks.blocks
    session.say("start_copy")
    session.say("specifying")
    for datafile in files:
        session.say("input_file", file=datafile.file, name=datafile.name)
    session.say("validated", elapsed=session.elapsed(session.read(sum(f.total_bytes for f in files))))
    datafile_heading(session)
    for datafile in files:
        scn = datafile.checkpoint_scn or datafile.creation_scn
        datafile_rows(session, datafile.file, datafile.name, datafile.blocks, scn, failing[datafile.file])
    session.send("")
    if any(failing[f.file] for f in files):
        session.say("found_corrupt", trace=trace_file(session))
    session.say("finished", what="validate", at=session.date(session.now))


def trace_file(session: RmanSession) -> str:
    name = session.repository.database.name.lower()
    return f"/u01/app/oracle/diag/rdbms/{name}/{name}/trace/{name}_ora_4711.trc"


def _with_last(pieces: Sequence[Piece]) -> Iterable[tuple[bool, Piece]]:
    return ((n == len(pieces) - 1, piece) for n, piece in enumerate(pieces))

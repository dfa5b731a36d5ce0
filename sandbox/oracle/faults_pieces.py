"""Faults of backup sets: pieces that RMAN misses or only believes in, files that are in no set, chains without a beginning."""

from __future__ import annotations

from datetime import timedelta

from sandbox.oracle.model.building import add_tablespace
from sandbox.oracle.model.files import SEED, BlockRange
from sandbox.oracle.model.operations import recreate_tablespace, unmount
from sandbox.oracle.model.repository import Repository
from sandbox.oracle.model.repository_records import BackupSet, Piece
from sandbox.oracle.planting import (
    autobackups,
    delete_sets,
    fault,
    newest_level0,
    newest_run,
    remove_sets,
    sets_of,
    sets_of_level,
)


@fault(world="multi_piece")
def piece_expired(repository: Repository) -> None:
    """LIST BACKUP shows one piece of several EXPIRED. Expect: the set is not restorable, its files need another backup."""
    piece = _second_piece(repository)
    piece.status, piece.on_disk = "X", False


@fault(world="multi_piece")
def piece_deleted(repository: Repository) -> None:
    """One piece of several was deleted by RMAN. Expect: the set lacks a piece."""
    _second_piece(repository).delete()


@fault(world="multi_piece")
def piece_unavailable(repository: Repository) -> None:
    """CHANGE BACKUPPIECE ... UNAVAILABLE on one piece. Expect: the set lacks a piece."""
    _second_piece(repository).status = "U"


@fault(world="multi_piece")
def piece_gone_from_disk(repository: Repository) -> None:
    """rm of one piece; RMAN's record still says A. Expect: complete by the records, not valid (ORA-19505 when read)."""
    _second_piece(repository).on_disk = False


@fault(world="multi_section")
def section_missing(repository: Repository) -> None:
    """One section of a multisection set EXPIRED. Expect: the file in it has no usable newest level 0."""
    backup = next(s for s in newest_level0(repository) if s.is_multi_section)
    backup.pieces[0].status, backup.pieces[0].on_disk = "X", False


@fault(world="duplexed")
def both_copies_expired(repository: Repository) -> None:
    """Both copies of a piece EXPIRED. Expect: the set lacks a piece (one lost copy alone would be no fault)."""
    backup = newest_level0(repository)[0]
    for piece in backup.pieces:
        if piece.piece == 1:
            piece.status, piece.on_disk = "X", False


@fault()
def piece_with_corrupt_blocks(repository: Repository) -> None:
    """Blocks of a file are corrupt inside a piece, nobody knows. Expect: VALIDATE finds blocks failing; no code is printed."""
    backup = newest_level0(repository)[0]
    backup.pieces[0].corrupt_blocks = [(backup.files[0].file, block) for block in (1290, 1291, 40_017)]


@fault()
def piece_truncated(repository: Repository) -> None:
    """A piece is 60 % of its length. Expect: ORA-19870, ORA-19501 when it is read."""
    piece = newest_level0(repository)[0].pieces[0]
    piece.kept_bytes = int(piece.total_bytes * 0.6) // 512 * 512


@fault()
def piece_unreadable(repository: Repository) -> None:
    """The medium gives an I/O error on a piece. Expect: not valid, ORA-19870 with ORA-27072."""
    newest_level0(repository)[-1].pieces[0].is_unreadable = True


@fault()
def autobackup_corrupt(repository: Repository) -> None:
    """The newest autobackup is corrupt. Expect: the control file piece is not valid, data is."""
    autobackups(repository)[-1].pieces[0].corrupt_blocks = [(0, 17)]


@fault(world="compressed")
def destination_unmounted(repository: Repository) -> None:
    """The backup file system is not mounted. Expect: unknown or failed by the canary, no crosscheck, nothing marked expired."""
    unmount(repository, "/backup/gzmain")


@fault()
def many_expired(repository: Repository) -> None:
    """Someone crosschecked while the share was away: half of all sets EXPIRED. Expect: expired sets, not restorable."""
    for backup in repository.kept_sets[::2] + newest_level0(repository):
        for piece in backup.pieces:
            piece.status, piece.on_disk = "X", False


@fault()
def level1_without_parent(repository: Repository) -> None:
    """The newest level 0 was deleted, the level 1 that builds on it was not. Expect: a level 1 without parent."""
    delete_sets(repository, newest_level0(repository))


@fault()
def no_level0_left(repository: Repository) -> None:
    """All level 0 are deleted. Expect: no file can be restored."""
    delete_sets(repository, sets_of_level(repository, 0))


@fault(days_before=0.3)
def file_number_used_again(repository: Repository) -> None:
    """USERS was dropped and created again under the same FILE#; every backup is of the old file. Expect: file without backup."""
    recreate_tablespace(repository, "USERS")


@fault()
def new_file_never_backed_up(repository: Repository) -> None:
    """A tablespace of three days ago that is in no backup. Expect: file without backup."""
    add_tablespace(repository, "NEW_DATA", (2.0,), at=repository.now - timedelta(days=3))


@fault()
def file_missing_last_time(repository: Repository) -> None:
    """A file that was in every backup is not in the newest two. Expect: the file's backup is old, or missing from the run."""
    for session in {id(s.session): s.session for s in newest_level0(repository) + sets_of_level(repository, 1)[-2:]}.values():
        _leave_out(repository, sets_of(repository, session), 6)


@fault(world="containers")
def seed_missing(repository: Repository) -> None:
    """PDB$SEED is in no backup. Expect: files of the seed without backup."""
    _leave_out_container(repository, SEED)


@fault(world="containers")
def pdb_never_backed_up(repository: Repository) -> None:
    """The PDB HR is in no backup. Expect: its files without backup."""
    _leave_out_container(repository, SEED + 2)


@fault(world="image_copies_merged")
def copy_lost(repository: Repository) -> None:
    """One image copy was deleted: its level 1 has nothing to be merged into. Expect: a file without base."""
    copy = next(c for c in reversed(repository.copies) if c.status == "A" and c.content.file == 5)
    copy.delete()


@fault(world="encrypted")
def keystore_closed(repository: Repository) -> None:
    """Encrypted pieces and a closed keystore. Expect: the keystore is named, not the pieces."""
    for wallet in repository.wallets:
        wallet.status = "CLOSED"


@fault()
def backup_carries_corruption(repository: Repository) -> None:
    """SET MAXCORRUPT let three blocks through: V$BACKUP_CORRUPTION has them. Expect: that backup carries corruption."""
    record = newest_level0(repository)[0].files[0]
    record.media_corrupt = 3
    record.corruption.append(BlockRange(record.file, 5121, 3, record.checkpoint_scn - 100, "CHECKSUM", con_id=record.con_id))


@fault()
def level0_half_the_size(repository: Repository) -> None:
    """The newest level 0 wrote half of what it did before, no file was dropped. Expect: an abnormal size."""
    for backup in newest_level0(repository):
        for piece in backup.pieces:
            piece.total_bytes //= 2
        for record in backup.files:
            record.blocks //= 2
    session = newest_run(repository, "LEVEL0")
    session.output_bytes //= 2


@fault()
def level1_read_all_blocks(repository: Repository) -> None:
    """Change tracking is on, yet last night's level 1 read every block. Expect: USED_CHANGE_TRACKING is NO."""
    for backup in sets_of(repository, newest_run(repository, "LEVEL1")):
        for record in backup.files:
            record.used_change_tracking, record.blocks_read = False, record.datafile_blocks


@fault()
def piece_tiny(repository: Repository) -> None:
    """A level 0 piece of 48 KiB. Expect: a piece below 1 MB for a set of datafiles."""
    newest_level0(repository)[0].pieces[0].total_bytes = 48 * 1024


@fault()
def same_file_system(repository: Repository) -> None:
    """The newest level 0 lies beside the datafiles. Expect: backup on the datafiles' file system."""
    for backup in newest_level0(repository):
        for piece in backup.pieces:
            folder = repository.living_files()[0].directory
            piece.handle, piece.in_fra = f"{folder}/backup/{piece.handle.rpartition('/')[2]}", False


@fault()
def handle_moved(repository: Repository) -> None:
    """Since last night backups go to another folder. Expect: the path changed."""
    for backup in sets_of(repository, newest_run(repository, "LEVEL1")):
        for piece in backup.pieces:
            piece.handle, piece.in_fra = f"/tmp/rman/{piece.handle.rpartition('/')[2]}", False


@fault(world="encrypted")
def encryption_dropped(repository: Repository) -> None:
    """Last night's backup is not encrypted, all before were. Expect: the ENCRYPTED flag changed."""
    for backup in sets_of(repository, newest_run(repository, "LEVEL1")):
        for piece in backup.pieces:
            piece.is_encrypted = False


@fault(world="read_only_old_backup")
def read_only_backup_lost(repository: Repository) -> None:
    """The only backups of a read-only tablespace were deleted as obsolete. Expect: read-only files without backup."""
    files = {f.file for f in repository.files_of("USERS")}
    for file in files:
        _leave_out(repository, repository.sets, file)


def _second_piece(repository: Repository) -> Piece:
    """Piece 2 of a newest level 0 set of several pieces."""
    backup = next(s for s in newest_level0(repository) if s.pieces_expected > 1)
    return next(p for p in backup.pieces if p.piece == 2)


def _leave_out_container(repository: Repository, con_id: int) -> None:
    remove_sets(repository, [s for s in repository.sets if s.con_id == con_id])


def _leave_out(repository: Repository, sets: list[BackupSet], file: int) -> None:
    """As if these sets had been made without a file."""
    for backup in list(sets):
        backup.files = [r for r in backup.files if r.file != file]
        if not backup.files and backup.kind in "DI":
            remove_sets(repository, [backup])

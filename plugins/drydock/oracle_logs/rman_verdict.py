"""The verdict on an RMAN log. The exit status of rman and its closing words prove nothing (a.11 of the operating rules:
corrupt blocks, skipped files, expired pieces and need-backup rows all leave it 0), so each is looked at by itself."""

from __future__ import annotations

from collections.abc import Iterator

from drydock.oracle_logs.rman_pieces import Pieces
from drydock.oracle_logs.rman_results import RmanVerdict
from drydock.oracle_logs.rman_stacks import Codes
from drydock.oracle_logs.rman_tables import Tables


def judge(codes: Codes, tables: Tables, pieces: Pieces, sessions: int, complete: bool) -> tuple[RmanVerdict, tuple[str, ...]]:
    """The verdict and why it is not better, worst reasons first."""
    failures = tuple(_failures(codes, tables, pieces))
    unknowns = tuple(_unknowns(codes, tables, pieces, sessions, complete))
    warnings = tuple(_warnings(codes, tables, pieces))
    reasons = (*failures, *unknowns, *warnings)
    if failures:
        return RmanVerdict.FAIL, reasons
    if unknowns:
        return RmanVerdict.UNKNOWN, reasons
    return (RmanVerdict.WARN if warnings else RmanVerdict.PASS), reasons


def _failures(codes: Codes, tables: Tables, pieces: Pieces) -> Iterator[str]:
    stacks = [s.result() for s in codes.stacks if s.kind == "stack" and s.codes]
    if codes.real_stacks:
        only = (
            stacks
            and all(s.control_file_only for s in stacks)
            and codes.real_stacks == len(stacks)
            and pieces.pieces_written.count
        )
        causes = ", ".join(dict.fromkeys(s.cause for s in stacks[:10]))
        part = " (only the automatic backup of the control file failed)" if only else ""
        yield f"{codes.real_stacks} error stack(s), deepest cause {causes}{part}"
    if codes.loose:
        loose = [s.result().cause for s in codes.stacks if s.kind == "channel" and not s.overcome and s.codes]
        yield f"errors outside a stack that nothing made good: {', '.join(dict.fromkeys(loose[:10]))}"
    elif pieces.recreated and any(s.kind == "channel" for s in codes.stacks):
        yield "a data file was created empty, since its backup could not be read"
    failed = sorted(n for n, check in tables.files.items() if check.failed)
    if failed:
        yield f"corrupt blocks in data file(s) {', '.join(map(str, failed[:20]))}"
    if tables.other_failed:
        yield f"corrupt blocks in {tables.other_failed} control file(s), spfile(s) or archived log(s)"
    if tables.said_corrupt and not (failed or tables.other_failed):
        yield "RMAN said that it found corrupt blocks"


def _unknowns(codes: Codes, tables: Tables, pieces: Pieces, sessions: int, complete: bool) -> Iterator[str]:
    if not sessions:
        yield "nothing in it is known as RMAN's output"
        return
    if not complete:
        yield "the log does not reach its end: it was cut off, or RMAN was stopped"
    if tables.unread:
        yield f"{tables.unread} table(s) or rows of checked files could not be read"
    told = codes.warnings or codes.warnings_without_code or tables.open_failures or tables.listed_corruptions
    if not (pieces.worked or pieces.logs_scanned or tables.rows or tables.asked_need or told or codes.codes):
        yield "nothing was read, written, checked or reported on"


def _warnings(codes: Codes, tables: Tables, pieces: Pieces) -> Iterator[str]:
    if any(s.kind == "channel" and s.overcome for s in codes.stacks):
        yield "a backup could not be read and RMAN took another one: the database holds one backup less than it counts"
    if pieces.unreadable:
        yield "a copy of a backup piece could not be read and RMAN took another copy"
    if codes.warnings:
        yield f"warnings {', '.join(list(codes.warnings)[:20])}"
    if codes.warnings_without_code:
        yield f"{codes.warnings_without_code} warning(s) without a code"
    if pieces.expired:
        yield f"{pieces.expired} expired piece(s), copies or logs"
    if tables.need_backup:
        yield f"data file(s) {', '.join(map(str, sorted(tables.need_backup)[:20]))} need a backup"
    if pieces.datafiles_skipped:
        yield f"data file(s) {', '.join(map(str, sorted(pieces.datafiles_skipped)[:20]))} were skipped"
    if any(check.marked for check in tables.files.values()):
        yield "blocks are marked corrupt, for example after changes without redo"
    if tables.listed_corruptions or tables.open_failures:
        yield "the database lists corrupt blocks or open failures"

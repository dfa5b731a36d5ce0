"""What the RMAN log reader says of a log: the JSON of `python -m drydock read-rman` (docs/read-rman.md is tested against it)."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from drydock.verdicts import CleanText, Model


class RmanVerdict(StrEnum):
    """The four answers; `FAIL` outweighs `UNKNOWN`, which outweighs `WARN`, which outweighs `PASS`."""

    PASS = "PASS"
    WARN = "WARN"
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"


class RmanEvidence(Model):
    """One line of the log and what it was taken for."""

    line_number: int = Field(ge=1, description="counted from 1, as an editor counts")
    text: CleanText = Field(description="the line: control characters taken out, passwords masked, at most 500 characters")
    why: str = Field(description="what the line was taken for")


class RmanStack(Model):
    """One error stack, from its banner to the next line that is no part of it; or the errors of one channel."""

    line_number: int = Field(ge=1, description="line of its first code")
    kind: str = Field(description="`stack` under a banner, `channel` for errors that a channel printed without one")
    codes: tuple[str, ...] = Field(description="its codes in the order of the log, without RMAN-00569 and RMAN-00571")
    cause: str = Field(description="the deepest code that is not a mere place (ORA-06512, ORA-01110, RMAN-01007 ...)")
    overcome: bool = Field(False, description="RMAN went on by itself, for example with an older backup")
    control_file_only: bool = Field(False, description="only the automatic backup of control file and spfile failed")


class RmanLog(Model):
    """The whole answer. Numbers of data files are sorted; codes stand in the order of their first appearance."""

    verdict: RmanVerdict = Field(description="PASS, WARN, FAIL or UNKNOWN; see Verdicts")
    reasons: tuple[str, ...] = Field(description="why the verdict is not better, worst first; empty on PASS")
    codes: tuple[str, ...] = Field(
        description="every RMAN-, ORA- and LRM- code of an error stack or of a channel error, without RMAN-00569 and RMAN-00571"
    )
    warnings: tuple[str, ...] = Field(
        description="codes of warnings; RMAN-06207 stands for its whole block RMAN-06207 to RMAN-06214"
    )
    sets_read: int = Field(ge=0, description="backup sets read to their end, each once")
    pieces_read: int = Field(ge=0, description="backup pieces read, by distinct handle")
    datafiles_read: tuple[int, ...] = Field(description="data files examined block by block or restored; failed ones included")
    datafiles_failed: tuple[int, ...] = Field(description="data files with corrupt blocks, or named as unusable by a stack")
    datafiles_skipped: tuple[int, ...] = Field(description="data files that RMAN left out, such as read-only ones in place")
    corrupt_blocks: int = Field(
        ge=0, description="sum of Blocks Failing; a file with Status FAILED counts at least 1; Marked Corrupt does not count"
    )
    files_need_backup: tuple[int, ...] = Field(
        description="files that REPORT NEED BACKUP or REPORT UNRECOVERABLE listed, in any layout"
    )
    expired: int = Field(ge=0, description="pieces, copies and logs that a crosscheck did not find")
    complete: bool = Field(description="the log reaches its end; false: cut off, killed, or the connection failed")
    evidence: tuple[RmanEvidence, ...] = Field(description="the lines behind the answer, at most 200")
    evidence_left_out: int = Field(0, ge=0, description="further lines that were not kept")
    stacks: tuple[RmanStack, ...] = Field((), description="each error stack apart, at most 100")
    marked_corrupt: int = Field(0, ge=0, description="sum of Marked Corrupt in files with Status OK, such as nologging blocks")
    archived_logs_read: int = Field(0, ge=0, description="archived logs scanned on disk or listed as examined")
    crosschecked: int = Field(0, ge=0, description="pieces, copies and logs that a crosscheck looked for")
    datafiles_backed_up: tuple[int, ...] = Field((), description="data files written to a backup; that is not reading one")
    pieces_written: int = Field(0, ge=0, description="backup pieces written, by distinct handle")
    pieces: tuple[CleanText, ...] = Field((), description="handles of the pieces read, the first 1000")
    dbid: int | None = Field(None, description="of the first connection that named one")
    database: CleanText | None = Field(None, description="its name in the same line")
    rman_version: str | None = Field(None, description="of the client, the longer form where the log has two")
    language: str | None = Field(None, description="guess: de, en, es, fr, ja, ko, pt, zh")
    sessions: int = Field(0, ge=0, description="RMAN sessions in the log")
    lines: int = Field(0, ge=0, description="lines of the log, blank ones included")

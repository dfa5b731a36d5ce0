"""Tables that RMAN prints: blocks of data files, control files and archived logs, and files that need a backup.

The headings stay English in most languages, the row of dashes under them in all: the widths of its columns tell the
table (Backup and Recovery Reference, VALIDATE and REPORT). Rows are told by their numbers. A file has failed when its
Status is not OK or a row of Blocks Failing is above 0; "Marked Corrupt" says nothing about that. A table without a row
that can be read, and what stands in one and is no row although it looks like one, are counted: nothing is known of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from drydock.oracle_logs import rman_phrases as phrases

DATAFILE_ROW = re.compile(rb"\s*(\d{1,5})\s+(OK|FAILED|[\x80-\xff]+)\s+(\d+)\s+(\d+)\s+(\d+)(?=\s|$)")
CONTROL_ROW = re.compile(rb"\s*([A-Za-z\x80-\xff][^\d]{0,40}?)\s+(OK|FAILED|[\x80-\xff]+)\s+(\d+)\s+(\d+)\s*$")
LOG_ROW = re.compile(rb"\s*(\d{1,5})\s+(\d+)\s+(OK|FAILED|[\x80-\xff]+)\s+(\d+)\s+(\d+)(?=\s|$)")
BLOCK_ROW = re.compile(rb"\s*([A-Za-z\x80-\xff][^\d]{0,40}?)\s+(\d+)\s+(\d+)(?=\s|$)")
NEED_ROW = re.compile(rb"\s*(\d{1,5})\s+(\d+)\s+(\S*[/+\\:@]\S.*|MISSING\d+\S*)$")
LOST_ROW = re.compile(rb"\s*(\d{1,5})\s+([^\d\s]\D{2,60}?)\s+(\S*[/+\\:@]\S.*|MISSING\d+\S*)$")
CORRUPTION_ROW = re.compile(rb"\s*(\d{1,5})\s+(\d+)\s+(\d+)(?:\s+\d+)?\s+([A-Z][A-Z ]+?)(?:\s+\d+)?\s*$")
FAILURE_ROW = re.compile(rb"\s*\d+\s+(?:CRITICAL|HIGH|LOW)\s+OPEN\s")
_DASH_STARTS = frozenset(b" \t-")
_ROW_STARTS = frozenset(b" \t0123456789-SCDIO")
BARE_STATUS = (b"OK", b"FAILED")
KINDS_OF_BLOCKS = (b"Data", b"Index", b"Other")
COLUMNS = re.compile(rb"\d\s{2,}\d")
UNREAD = "a row that cannot be read"


class Reads(Enum):
    """What reads() tells of a shape of lines."""

    ROW = auto()


class Table(Enum):
    DATAFILES = auto()
    BLOCKS = auto()
    CONTROL_FILES = auto()
    LOGS = auto()
    NEED_BACKUP = auto()
    UNRECOVERABLE = auto()
    CORRUPTION = auto()

    __hash__ = object.__hash__  # asked for at each row; that of Enum is Python


NEVER_EMPTY = (Table.DATAFILES, Table.CONTROL_FILES, Table.LOGS)  # RMAN prints no such heading without a row


@dataclass
class FileCheck:
    """What the last command said of one data file."""

    command: int
    failed: bool = False
    failing: int = 0
    marked: int = 0
    worst: int = 0  # blocks, over the commands of the log: a file checked twice is not twice as corrupt

    @property
    def blocks(self) -> int:
        return max(self.worst, self.failing, int(self.failed))


class Tables:
    """Every table of a log. feed() returns why a row matters, "" for a row that does not, None for no row."""

    def __init__(self) -> None:
        self.files: dict[int, FileCheck] = {}
        self.need_backup: set[int] = set()
        self.asked_need = False
        self.rows = 0
        self.logs_examined = 0
        self.other_failing = 0  # blocks of control files, spfiles and archived logs
        self.other_failed = 0
        self.listed_corruptions = 0
        self.open_failures = 0
        self.said_corrupt = False
        self.unread = 0  # rows that cannot be read, and tables without one
        self.awaits_row = False  # a heading stands there, and no row yet
        self.command = 0
        self.table: Table | None = None  # the next line may be a row of it
        self.header = b""  # the line before, which may be the heading of a table
        self._file: int | None = None
        self._readers = {
            Table.BLOCKS: self._blocks,
            Table.CONTROL_FILES: self._control_file,
            Table.LOGS: self._log,
            Table.NEED_BACKUP: self._need,
            Table.UNRECOVERABLE: self._lost,
            Table.CORRUPTION: self._corruption,
        }

    def feed(self, line: bytes) -> str | None:
        header, self.header = self.header, line
        first = line[0]
        if self.table is None and first not in _ROW_STARTS:
            return self._said(line) if b"corrupt" in line else None
        if first in _DASH_STARTS and phrases.DASHES.match(line):
            self._open(line, header)
            return ""
        return self._row(line)

    def _said(self, line: bytes) -> str | None:
        if b"found one or more corrupt blocks" not in line:
            return None
        self.said_corrupt = True
        return "RMAN says that it found corrupt blocks"

    def end(self) -> None:
        """A prompt or a line of another kind."""
        self.table = None

    def blank(self) -> None:
        """A blank line ends a table, but the reports stay open: some terminals put a blank line after each row."""
        if self.table not in (Table.NEED_BACKUP, Table.UNRECOVERABLE):
            self.table = None

    def next_command(self) -> None:
        self.command += 1
        self.table = None
        self._file = None
        self.close()

    def close(self) -> None:
        """No more rows come: a heading without one is a table that could not be read."""
        self.unread += self.awaits_row
        self.awaits_row = False

    def _open(self, line: bytes, header: bytes) -> None:
        widths = [len(group) for group in line.split()]
        self.table = _kind(widths, header)
        self.close()
        self.awaits_row = self.table in NEVER_EMPTY
        if self.table in (Table.NEED_BACKUP, Table.UNRECOVERABLE):
            self.asked_need = True

    def _row(self, line: bytes) -> str | None:
        if b"corrupt blocks" in line and (said := self._said(line)):
            return said
        if b"OPEN" in line and FAILURE_ROW.match(line):
            self.open_failures += 1
            return "open failure of the database"
        found = DATAFILE_ROW.match(line) if b"OK" in line or b"FAILED" in line or not line.isascii() else None
        if found and (self.table is Table.DATAFILES or (found.group(2) in BARE_STATUS and self.table is not Table.LOGS)):
            return self._datafile(found)
        return self._readers[self.table](line) if self.table in self._readers else self._bare(line)

    def _bare(self, line: bytes) -> str | None:
        """Rows whose heading was lost: a filtered log."""
        log = LOG_ROW.match(line) if b"OK" in line or b"FAILED" in line else None
        if log and log.group(3) in BARE_STATUS:
            return self._log(line)
        if line[0] in b"0123456789":
            return None
        if self._file is not None and line.split(maxsplit=1)[0] in KINDS_OF_BLOCKS:
            return self._blocks(line)
        found = CONTROL_ROW.match(line) if b"OK" in line or b"FAILED" in line else None
        if found and found.group(2) in BARE_STATUS and found.group(1).strip() in (b"SPFILE", b"Control File"):
            return self._control_file(line)
        return None

    def _datafile(self, found: re.Match[bytes]) -> str | None:
        number, status, marked = int(found.group(1)), found.group(2), int(found.group(3)[:18])
        check = self.files.setdefault(number, FileCheck(self.command))
        if check.command != self.command:
            check.worst, check.failing, check.command = check.blocks, 0, self.command
        check.failed |= status != b"OK"
        check.marked = max(check.marked, marked if status == b"OK" else 0)
        self._file = number
        self.rows += 1
        self.awaits_row = False
        if status != b"OK":
            return "data file with Status FAILED"
        return "blocks marked corrupt in a file with Status OK" if marked else ""

    def _blocks(self, line: bytes) -> str | None:
        found = BLOCK_ROW.match(line)
        if not found and is_broken_row(line, Table.BLOCKS):
            return self._unread()
        if found and not (line[:1].isspace() or found.group(1) in KINDS_OF_BLOCKS):
            return None
        failing = int(found.group(2)[:18]) if found else 0
        if not failing or self._file is None:
            return "" if found else None
        check = self.files[self._file]
        check.failing += failing
        check.failed = True
        return "Blocks Failing above 0"

    def _control_file(self, line: bytes) -> str | None:
        found = CONTROL_ROW.match(line)
        if not found:
            return self._unread() if is_broken_row(line, Table.CONTROL_FILES) else None
        return self._other(found.group(2), int(found.group(3)[:18]), "control file or spfile")

    def _log(self, line: bytes) -> str | None:
        found = LOG_ROW.match(line)
        if not found:
            return self._unread() if is_broken_row(line, Table.LOGS) else None
        self.logs_examined += 1
        return self._other(found.group(3), int(found.group(4)[:18]), "archived log")

    def _unread(self) -> str:
        self.unread += 1
        return UNREAD

    def _other(self, status: bytes, failing: int, what: str) -> str | None:
        self.rows += 1
        self.awaits_row = False
        if status == b"OK" and not failing:
            return ""
        self.other_failed += 1
        self.other_failing += max(1, failing)
        return f"{what} with corrupt blocks"

    def _need(self, line: bytes) -> str | None:
        found = NEED_ROW.match(line)
        return self._needs(found, "file needs a backup") if found else self._lost(line)

    def _lost(self, line: bytes) -> str | None:
        found = LOST_ROW.match(line)
        return self._needs(found, "file needs a backup after unrecoverable changes") if found else None

    def _needs(self, found: re.Match[bytes], why: str) -> str:
        self.need_backup.add(int(found.group(1)))
        return why

    def _corruption(self, line: bytes) -> str | None:
        if not CORRUPTION_ROW.match(line):
            return None
        self.listed_corruptions += 1
        return "the database lists corrupt blocks"


_STATUS_ROWS = (DATAFILE_ROW, CONTROL_ROW, LOG_ROW)
_ROWS = {
    Table.CONTROL_FILES: (CONTROL_ROW,),
    Table.LOGS: (LOG_ROW,),
    Table.NEED_BACKUP: (NEED_ROW, LOST_ROW),
    Table.UNRECOVERABLE: (LOST_ROW,),
    Table.CORRUPTION: (CORRUPTION_ROW,),
}


def is_broken_row(line: bytes, table: Table | None) -> bool:
    """Whether a line that is no row of the table looks like one: it begins like one, holds a status or columns of numbers."""
    words = line.split()
    if table is Table.BLOCKS:
        return words[:1] != [] and words[0] in KINDS_OF_BLOCKS
    is_one = table in (Table.CONTROL_FILES, Table.LOGS)
    return is_one and (not {*BARE_STATUS}.isdisjoint(words) or bool(COLUMNS.search(line)))


def reads(line: bytes, table: Table | None) -> Reads | re.Match[bytes] | None:
    """What feed() may do with a line like this, whatever its digits are, while `table` is open.

    ROW: it must look. A row of blocks: nothing, where its second group is 0. None: it does nothing but keep the line as a
    heading, and returns None (or "", where no other reader would have found anything either).
    """
    if b"corrupt" in line:
        return Reads.ROW
    if table is None and line[0] not in _ROW_STARTS:
        return None
    if (line[0] in _DASH_STARTS and phrases.DASHES.match(line)) or (b"OPEN" in line and FAILURE_ROW.match(line)):
        return Reads.ROW
    is_status = b"OK" in line or b"FAILED" in line or not line.isascii()
    if any(pattern.match(line) for pattern in (*(_STATUS_ROWS if is_status else ()), *_ROWS.get(table, ()))):
        return Reads.ROW
    is_bare = table in (None, Table.DATAFILES) and line.split(maxsplit=1)[0] in KINDS_OF_BLOCKS
    row = BLOCK_ROW.match(line) if is_bare or table is Table.BLOCKS else None
    return Reads.ROW if row is None and is_broken_row(line, table) else row


def _kind(widths: list[int], header: bytes) -> Table | None:
    """The table under a row of dashes, by the widths of its columns or by its heading."""
    match widths:
        case [4, 6, 14, 12, 15, *_]:
            return Table.DATAFILES
        case [10, 14, 16]:
            return Table.BLOCKS
        case [12, 6, 14, 15]:
            return Table.CONTROL_FILES
        case [4, 7, 6, 14, 15, *_]:
            return Table.LOGS
    return _kind_by_heading(widths, header)


def _kind_by_heading(widths: list[int], header: bytes) -> Table | None:
    words = header.split()
    if words[:2] == [b"File", b"Status"]:
        return Table.DATAFILES
    if words[:4] == [b"Block", b"Type", b"Blocks", b"Failing"]:
        return Table.BLOCKS
    if words[:3] == [b"File", b"Type", b"Status"]:
        return Table.CONTROL_FILES
    if words[:4] == [b"File", b"Type", b"of", b"Backup"]:
        return Table.UNRECOVERABLE
    if b"FILE#" in header and b"BLOCK#" in header and b"CORRUPTI" in header:
        return Table.CORRUPTION
    if b"#bkps" in header or (words[:1] == [b"File"] and words[1:2] in ([b"Days"], [b"Incrementals"])):
        return Table.NEED_BACKUP
    if len(widths) == 3 and widths[0] <= 8 and widths[2] >= 30:  # a translated heading
        return Table.NEED_BACKUP
    return None

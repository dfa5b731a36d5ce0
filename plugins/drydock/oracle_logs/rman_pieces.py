"""What the channels did: sets and pieces read, pieces written, data files in them, what was skipped or crosschecked.

A channel line holds the channel's name and a colon in every language. A piece that was read is named on a channel line
with two fields (handle, tag); a piece that was written on a line without a channel that ends with its comment (NONE or
the media manager's). An elapsed time at the end of a channel line closes the work on one set.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from drydock.oracle_logs import rman_phrases as phrases

MOST_REMEMBERED = 200_000  # distinct handles and sets kept as numbers; beyond, each counts as new
MOST_NAMED = 1000
MOST_CHANNELS = 256
MOST_JOINED = 3  # lines that a console broke in the middle of a handle

FIXED_CHANNEL = re.compile(rb"ORA_(?:AUX_|MAINT_)?(?:DISK|SBT(?:_TAPE)?)_\d{1,4}")
NAMED_CHANNEL = re.compile(rb"(?<![\w$#])([A-Za-z_][\w$#]{0,39})\s?:(?=\s)")
_ENGLISH_CHANNEL = re.compile(rb"\s*channel (\S{1,40}?)\s?: ")
_SID = re.compile(rb"(?<![\w$#])([A-Za-z_][\w$#]{0,39})\s?(?:[\x80-\xff][\x80-\xff\s]{0,24})?:\s+(?:SID|sid)\s?=\s?\d")
READ = re.compile(rb"=\s?([^\s=][^=]*?)[,;]?\s+([^\s=]+)\s?=\s?([^\s=]+)(?:\s+params\s?=\s?\S+)?\s*$")
GLUED = re.compile(rb"=\s?([\x21-\x3c\x3e-\x7e]{3,})([\x80-\xff][^=\s]*)\s?=\s?([^\s=]+)\s*$")  # by a console of Windows
WRITTEN = re.compile(rb"=\s?([^\s=][^=]*?)[,;]?\s+[^=]*=\s?(?:NONE|API Version\b.*)\s*$")
INPUT = re.compile(rb"^[^=]*=\s?(\d{5})[,;]?\s+[^=]{1,60}=\s?\S*[/+\\@:]")
RESTORED = re.compile(rb"(?<![\w./\\=:+-])(0\d{4})(?![\w.\\+-])|datafile (\d{5})(?!\d)")
RESTORING_OTHER = re.compile(rb"restoring (?:control file|SPFILE|foreign)")
_LISTED_EXPIRED = re.compile(rb"^\s*\d+\s.*\sEXPIRED\s|Status:? EXPIRED")
_RECORD = re.compile(rb"(?:RECID|recid)\s?=\s?\d+\s+(?:STAMP|stamp)\s?=\s?\d+")
PATH = re.compile(rb"(?:[/+]|[A-Za-z]:\\)[\x21-\x7e]{3,}")
HANDLE = re.compile(rb"=\s?((?:[/+\\]|[A-Za-z]:\\)[\x21-\x7e]{3,}|(?=[/+\\]|[A-Za-z]:\\)|$)")
COMPLETE_WITHOUT_TIME = (b": restore complete", b": validation complete")  # up to 10.1
_LOG_RECORD = re.compile(rb"=\d+\s+\S+=\d+\s+RECID")
_HAS_PATH = re.compile(rb"[/+\\]")
SECTION = re.compile(rb" section \d+ of \d+")
TAG = re.compile(rb"TAG\d{8}T\d{6}")
_STEM = re.compile(rb"_\d+_\d+$")
_AUTOBACKUP = re.compile(rb"AUTOBACKUP\S*\s(?:[^/+\\]*?\s)?(\S*[/+\\]\S+|c-\d+-\d{8}-\w\w)", re.I)
SKIPPED = (
    re.compile(rb"skipping datafile (\d{1,5})"),
    re.compile(rb"datafile (\d{1,5}) is already restored to file"),
    re.compile(rb"datafile (\d{1,5}) not processed because"),
    re.compile(rb"file (\d{1,5}) is excluded from whole database backup"),
    re.compile(rb"skipping (?:offline|read.only|inaccessible) (?:data)?file (\d{1,5})"),
    phrases.SKIPPED_FILE,
    re.compile(rb"^[^=/+\\:\d]{0,60}?(\d{1,5})[^\d=;:/+\\]{0,40}(?:;|\xef\xbc\x9b|\xa3\xbb|\x81\x47)[^=]*(?:[/+\\]\S|\xa5)"),
)


@dataclass
class Channel:
    """One channel's work since its last elapsed time."""

    handles: list[bytes] = field(default_factory=list)
    begun: list[bytes] = field(default_factory=list)
    inputs: set[int] = field(default_factory=set)
    restoring: set[int] = field(default_factory=set)
    written: bool = False
    section: bool = False
    control_file: bool = False
    autobackup: bytes | None = None

    def reset(self) -> None:
        self.__init__()

    def begin(self, piece: bytes) -> None:
        self.begun = [*self.begun[-MOST_JOINED:], piece]


class Distinct:
    """Counts distinct values in bounded memory."""

    def __init__(self) -> None:
        self.count = 0
        self._seen: set[int] = set()

    def add(self, value: object) -> bool:
        key = hash(value)
        if key in self._seen:
            return False
        if len(self._seen) < MOST_REMEMBERED:
            self._seen.add(key)
        self.count += 1
        return True


class Pieces:
    """The work of all channels of a log."""

    def __init__(self) -> None:
        self.sets_read, self.pieces_read, self.pieces_written = Distinct(), Distinct(), Distinct()
        self._expired, self._listed_expired = Distinct(), Distinct()
        self.names: list[bytes] = []
        self.datafiles_read: set[int] = set()
        self.datafiles_backed_up: set[int] = set()
        self.datafiles_skipped: set[int] = set()
        self.logs_scanned = 0
        self.crosschecked = 0
        self.worked = False
        self.recreated = False
        self.unreadable = False
        self.command = 0
        self.channels: dict[bytes, Channel] = {}
        self.current: Channel | None = None
        self.checked: bool | None = None  # a crosscheck line waits for the line that names its object
        self.broken = b""
        self._joined = 0

    def channel_of(self, line: bytes) -> bytes | None:
        """Name of the channel that the line is about, or None."""
        if name := channel_told_by(line):
            return name
        if self.channels and b":" in line and (found := NAMED_CHANNEL.search(line)) and found.group(1) in self.channels:
            return found.group(1)
        return None

    def feed(self, line: bytes, channel: bytes | None) -> str | None:
        """Take one line that is no code, echo or table row; say why it matters, or None."""
        if self.broken:
            line, channel = self._continued(line, channel)
        if channel is not None:
            return self._channel_line(line, channel)
        if self.checked is not None and is_record(line):
            return self._settle(line)
        if (self.checked is not None or may_be_check(line)) and (why := self._crosscheck_line(line)):
            return why
        return self._field_line(line) if b"=" in line else self._plain_line(line)

    def next_command(self) -> None:
        self.command += 1
        self._settle(None)
        self.broken = b""
        self.current = None
        for state in self.channels.values():
            state.reset()

    def _channel_line(self, line: bytes, name: bytes) -> str | None:
        state = self.channels.get(name)
        if state is None:
            state = Channel()
            if len(self.channels) < MOST_CHANNELS:
                self.channels[name] = state
        self.current = state
        if b"=" in line:
            return self._handle(line, state)
        if b"AUTOBACKUP" in line:
            return self._from_autobackup(line, state)
        if phrases.ends_in_elapsed(line) or line.rstrip().endswith(COMPLETE_WITHOUT_TIME):
            return self.completed(state)
        return self._channel_text(line, state)

    def _channel_text(self, line: bytes, state: Channel) -> str | None:
        if b": scanning " in line:
            self.logs_scanned += b"archived log" in line
            self.worked = True
            return None
        reading = line.find(b"reading from backup piece")
        state.section |= b" section " in line and bool(SECTION.search(line))
        state.control_file |= b"restoring control file" in line or b"restoring SPFILE" in line
        if reading < 0 and may_name_a_file(line) and (found := RESTORED.search(line)):
            state.restoring.add(int(found.group(1) or found.group(2)))
        elif b"restoring foreign" not in line and (found := PATH.search(line, max(0, reading))):
            state.begin(found.group())
        return None

    def _handle(self, line: bytes, state: Channel) -> str | None:
        if b"errors found reading piece" in line:
            self.unreadable = True
            return "a backup piece could not be read"
        fields = fields_in(line)
        found = (READ.search(line) or GLUED.search(line)) if fields == 2 else None
        if found and is_piece(found):
            self.read_piece(found.group(1), state)
            return "failover to another copy of the piece" if b"failover" in line else None
        if fields == 1 and b"SID" not in line and (found := HANDLE.search(line)):
            self.broken, self._joined = line, 0
            if found.group(1):
                state.begin(found.group(1))
        return None

    def read_piece(self, handle: bytes, state: Channel) -> None:
        state.handles.append(handle)
        del state.handles[:-MOST_NAMED]
        if self.pieces_read.add(handle) and len(self.names) < MOST_NAMED:
            self.names.append(handle)

    def _continued(self, line: bytes, channel: bytes | None) -> tuple[bytes, bytes | None]:
        """Join a line to the one that a console of 80 columns broke before it."""
        broken, self.broken = self.broken, b""
        if channel is not None or self._joined >= MOST_JOINED or line.count(b"=") > 1:
            return line, channel
        joined, self._joined = broken + line, self._joined + 1
        name = self.channel_of(joined)
        if name is None:
            return line, channel
        if joined.count(b"=") < 2 or joined.endswith(b"="):
            self.broken, joined = joined, b""
        return joined, name

    def _from_autobackup(self, line: bytes, state: Channel) -> str | None:
        found = _AUTOBACKUP.search(line)
        if found:
            state.autobackup = found.group(1)
        elif state.autobackup and b'"' not in line and b":" in line:
            self.read_piece(state.autobackup, state)
            self.sets_read.add(state.autobackup)
            self.worked = True
            state.reset()
        return None

    def completed(self, state: Channel) -> str | None:
        """An elapsed time ended the channel's work: it read a set, wrote one, or read live files."""
        self.worked = True
        if not (state.handles or state.inputs or state.written):
            for piece in _named_twice(state.begun):  # no line holds handle and tag, or it was broken beyond repair
                self.read_piece(piece, state)
        if state.handles:
            stems = frozenset(_STEM.sub(b"", h) for h in state.handles) if state.section else frozenset(state.handles)
            self.sets_read.add(stems)
            self.datafiles_read |= state.restoring
        elif state.control_file:
            self.sets_read.add(("control file", self.command))
        elif state.written:
            self.datafiles_backed_up |= state.inputs
        else:
            self.datafiles_read |= state.inputs
        state.reset()
        return None

    def _field_line(self, line: bytes) -> str | None:
        if is_record(line):
            self.recorded(is_record_of_work(line))
            return None
        if found := INPUT.match(line):
            if self.current is not None:
                self.current.inputs.add(int(found.group(1)))
            return None
        if found := WRITTEN.search(line):
            self.written(found.group(1))
            return None
        found = READ.search(line) if fields_in(line) == 2 else None
        if found and is_piece(found) and (found.group(2) == b"tag" or TAG.match(found.group(3))):
            self._piece_or_copy(line, found.group(1))
        if b"creating datafile file number" in line:
            self.recreated = True
        return None

    def _piece_or_copy(self, line: bytes, name: bytes) -> None:
        """10g names a piece that was read without its channel; an active duplicate names a copy it wrote the same way."""
        copying = [channel for channel in self.channels.values() if channel.inputs]
        for channel in copying:
            channel.written = True
        if not copying and b"output file" not in line:
            self.read_piece(name, self.current or Channel())

    def written(self, handle: bytes) -> None:
        """The channel that is at work wrote a piece."""
        self.pieces_written.add(handle)
        self.recorded(of_work=True)

    def recorded(self, of_work: bool) -> None:
        """A line names a record, as that of an image copy does."""
        self.worked |= of_work
        if self.current is not None:
            self.current.written = True

    def _plain_line(self, line: bytes) -> str | None:
        if may_say_skipped(line):
            for pattern in SKIPPED:
                if found := pattern.search(line):
                    self.datafiles_skipped.add(int(found.group(1)))
                    return "data file skipped"
        if phrases.ends_in_elapsed(line):
            self.worked = True  # media recovery
        elif self.current is not None and may_restore(line) and (found := file_with_path(line)):
            self.current.restoring.add(int(found.group(1) or found.group(2)))
        return None

    def _crosscheck_line(self, line: bytes) -> str | None:
        """A crosscheck says what it found on one line and names the object on the next."""
        expired = b"'EXPIRED'" in line or b'"EXPIRED"' in line or says_expired(line)
        if expired or b"'AVAILABLE'" in line or b'"AVAILABLE"' in line or b"validation succeeded for " in line:
            why = self._settle(None)
            self.checked = expired
            return self._settle(line) if is_record(line) else why
        if b"EXPIRED" in line and _LISTED_EXPIRED.search(line):
            self._listed_expired.add(line.split()[-1])
            return "listed as EXPIRED"
        return self._settle(line) if self.checked is not None and b"=" in line else None

    def _settle(self, line: bytes | None) -> str | None:
        """Count the object of a crosscheck; a preview prints "validation succeeded" without an object."""
        expired, self.checked = self.checked, None
        named = line is not None and is_record(line)
        if expired is None or not (named or expired):
            return None
        self.crosschecked += 1
        self.worked = True
        if expired:
            self._expired.add(line.strip() if named else ("nameless", self.crosschecked))
            return "crosscheck did not find it: EXPIRED"
        return None

    @property
    def expired(self) -> int:
        """What crosschecks did not find; where the log has none, what its lists call EXPIRED."""
        return self._expired.count if self.crosschecked else self._listed_expired.count


def channel_told_by(line: bytes) -> bytes | None:
    """Name of the channel, where the line by itself shows that there is one."""
    if b"ORA_" in line and (found := FIXED_CHANNEL.search(line)):
        return found.group()
    if b"channel " in line[:40] and (found := _ENGLISH_CHANNEL.match(line)):
        return found.group(1)
    if (b"SID" in line or b"sid" in line) and (found := _SID.search(line)):
        return found.group(1)
    return None


def fields_in(line: bytes) -> int:
    """How many `name=value` the line has, without the `params=` that old releases put last."""
    return line.count(b"=") - line.count(b" params=")


def _named_twice(paths: list[bytes]) -> list[bytes]:
    """Paths that two lines name (piece begun, its handle); all, where none is."""
    return list(dict.fromkeys(p for p in paths if paths.count(p) > 1)) or paths


def is_record(line: bytes) -> bool:
    """The line names a record of the repository: RECID and STAMP."""
    return (b"STAMP" in line or b"stamp" in line) and bool(_RECORD.search(line))


def is_record_of_work(line: bytes) -> bool:
    """The record is of a copy that was made, not of a log that is read."""
    return b"thread=" not in line and b"sequence=" not in line and not _LOG_RECORD.search(line)


def says_expired(line: bytes) -> bool:
    return (b"alid" in line or not line.isascii()) and bool(phrases.EXPIRED_WORDS.search(line))


def may_name_a_file(line: bytes) -> bool:
    """A quick look before the pattern of a file number of five digits."""
    return b" 0" in line or b"datafile " in line or not line.isascii()


def file_with_path(line: bytes) -> re.Match[bytes] | None:
    return RESTORED.search(line) if _HAS_PATH.search(line) else None


def may_say_skipped(line: bytes) -> bool:
    """A quick look before the patterns of skipped files."""
    signs = b";" in line or b"skip" in line or b"already" in line or b"not processed" in line or b"excluded" in line
    return signs or not line.isascii()


def may_restore(line: bytes) -> bool:
    """A quick look before the pattern of a file and its path."""
    return b"datafile" in line or not line.isascii()


def may_be_check(line: bytes) -> bool:
    """A quick look before the words of all languages."""
    return b"EXPIRED" in line or b"AVAILABLE" in line or b"validation" in line or not line.isascii()


def is_piece(found: re.Match[bytes]) -> bool:
    """The two fields are a handle and a tag, not a number and a name, nor a session and its device."""
    handle, value = found.group(1), found.group(3)
    return not handle.isdigit() and not value.isdigit() and value not in (b"DISK", b"SBT_TAPE", b"SBT", b"NONE", b"disk")

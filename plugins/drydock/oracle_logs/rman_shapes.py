"""What a line of RMAN changes, told from its shape: the line with each digit turned to 0.

Most lines of a large log stand in it a thousand times with other numbers. What a line does to the answer depends on its
shape alone, apart from the numbers and names at fixed places in it, as the patterns of the readers ask for digits and
hardly ever for a certain one. So each shape is looked at closely once. Here stands what the readers (rman_pieces,
rman_tables) would do with a line of the shape; where that is not certain, the answer is that they must look themselves.
"""

from __future__ import annotations

import re
from collections.abc import Container
from enum import Enum, auto
from typing import NamedTuple

from drydock.oracle_logs import rman_phrases as phrases
from drydock.oracle_logs import rman_pieces as pieces
from drydock.oracle_logs.rman_tables import Reads, Table, reads

SHAPE = bytes.maketrans(b"123456789", b"000000000")
DEBUG = re.compile(rb"DBG[A-Za-z]*:")
_LETTERS = bytes.maketrans(
    b"abcdefghijklmnopqrstuvwyzABCDEFGHIJKLMNOPQRSTUVWYZ", b"xxxxxxxxxxxxxxxxxxxxxxxxxXXXXXXXXXXXXXXXXXXXXXXXXX"
)
# The last part of a path, or a handle: what Oracle (OMF, %U) and media managers make up anew for each file.
_MADE_UP = re.compile(rb"[/\\=]0{0,9}[A-Za-z_][\w.-]{6,}+(?=\s[^:=]|\s?$)")
# Words, or first words, that a pattern may look for in such a name (ORA, SID, DISK, EXPIRED, Release, Failover, datafile,
# restoring, validation ...); only a name without them is as good as any other. By first letters, as it is asked often.
_WORDS = re.compile(
    rb"[A-Z]{3}|s(?:id|tamp|tarting|kip|ection|canning)|r(?:ecid|estor|eading)|a(?:ilover|lid|lready|rchived)|f(?:ile|allo|alha)"
    rb"|e(?:lease|rsion|rrors|xcluded)|anager|disk|basculement|bersprungen|will|not|c(?:orrupt|reating)|params"
)


class What(Enum):
    """What a line changes."""

    CLOSELY = auto()  # only the reader itself can tell
    DROPPED = auto()  # nothing at all: blank, debug
    NOTHING = auto()  # nothing, but it may be the heading of a table
    ROW = auto()  # the readers of tables and pieces take it; it holds no code, prompt or channel
    NO_BLOCKS = auto()  # a row of blocks, of which none is failing
    WORK = auto()  # the reader of pieces takes it; a line of a channel
    CHANNEL = auto()  # nothing but the channel that is at work
    SCANNED = auto()
    BEGUN = auto()
    RESTORING = auto()
    READ = auto()
    COMPLETED = auto()
    INPUT = auto()
    WRITTEN = auto()
    RECORD = auto()
    AVAILABLE = auto()
    FIELD = auto()  # nothing, unless a crosscheck waits for its object


class Told(NamedTuple):
    """What a line changes, and where in it the name of the channel and the number or name that matters stand."""

    what: What
    channel: slice | None = None
    value: slice | None = None
    flag: bool = False  # SCANNED: an archived log; RECORD: of work that was done, not of a log that is read


CLOSELY, DROPPED, NOTHING = Told(What.CLOSELY), Told(What.DROPPED), Told(What.NOTHING)
ROW, FIELD = Told(What.ROW), Told(What.FIELD)


def rough(shape: bytes) -> bytes:
    """The shape with the letters of made-up names turned to x: as long, with the same letter case, and read alike."""
    return _MADE_UP.sub(_letters_away, shape)


def _letters_away(name: re.Match[bytes]) -> bytes:
    text = name.group()
    return text if _WORDS.search(text) else text.translate(_LETTERS)


def told_by(shape: bytes, table: Table | None, name: bytes, channels: Container[bytes]) -> Told:
    """What a line of the shape changes.

    The shape has no prefix of a collector or wrapper. `table`: the one that is open. `name`: of the program, as its
    banner gives it, and `channels`: names so far, both as shapes.
    """
    if not shape or shape.isspace():
        return DROPPED if table is None else CLOSELY
    if DEBUG.match(shape):
        return DROPPED
    if _is_special(shape, name):
        return CLOSELY
    if found := phrases.CHANNEL_LINE.match(shape):
        return _of_channel(shape, found)
    if _names_a_channel(shape, channels):
        return CLOSELY
    return _of_output(shape, table)


def _is_special(shape: bytes, name: bytes) -> bool:
    """A prompt, banner, code, warning or closing line may be in it, or words that RMAN went on by itself."""
    if b"-" in shape and (b"RMAN-" in shape or b"ORA-" in shape or b"LRM-" in shape):
        return True
    if (name and shape[0] == name[0]) or (phrases.may_be_special(shape) and phrases.SPECIAL.match(shape)):
        return True
    if b"Release " in shape or b"Version " in shape or b"Manager" in shape or b"DBID=" in shape:
        return True
    return shape[:8].lower() == b"warning:" or bool(phrases.OVERCOME.search(shape))


def _names_a_channel(shape: bytes, channels: Container[bytes]) -> bool:
    """A line about a channel in another form than most; the names of two channels may have one shape."""
    found = pieces.NAMED_CHANNEL.search(shape) if b":" in shape else None
    return bool(found and found.group(1) in channels) or pieces.channel_told_by(shape) is not None


def _of_channel(shape: bytes, line: re.Match[bytes]) -> Told:
    channel = slice(*line.span(1 if line.group(1) else 2))
    fixed = pieces.FIXED_CHANNEL.search(shape)
    if fixed and fixed.span() != (channel.start, channel.stop):  # a name of two channels, or one in the name of a file
        return CLOSELY
    work = Told(What.WORK, channel)
    if b"=" in shape:
        return _of_handle(shape, channel) or work
    if b"AUTOBACKUP" in shape:
        return work
    if phrases.ends_in_elapsed(shape) or shape.rstrip().endswith(pieces.COMPLETE_WITHOUT_TIME):
        return Told(What.COMPLETED, channel)
    if b": scanning " in shape:
        return Told(What.SCANNED, channel, flag=b"archived log" in shape)
    if pieces.SECTION.search(shape) or pieces.RESTORING_OTHER.search(shape):
        return work
    return _of_begun(shape, channel) or work


def _of_handle(shape: bytes, channel: slice) -> Told | None:
    """A line of a channel with fields; None where its piece may go on in the next line."""
    if b"errors found reading piece" in shape:
        return None
    fields = pieces.fields_in(shape)
    found = (pieces.READ.search(shape) or pieces.GLUED.search(shape)) if fields == 2 else None
    if found and pieces.is_piece(found):
        return Told(What.READ, channel, slice(*found.span(1)))
    return None if fields == 1 and b"SID" not in shape else Told(What.CHANNEL, channel)


def _of_begun(shape: bytes, channel: slice) -> Told | None:
    """A line of a channel that names a piece, a data file or nothing; None where its digits decide."""
    reading = shape.find(b"reading from backup piece")
    if reading < 0 and pieces.may_name_a_file(shape) and (file := pieces.RESTORED.search(shape)):
        return Told(What.RESTORING, channel, slice(*file.span(2))) if file.group(2) else None
    found = pieces.PATH.search(shape, max(0, reading))
    return Told(What.BEGUN, channel, slice(*found.span())) if found else Told(What.CHANNEL, channel)


def _of_output(shape: bytes, table: Table | None) -> Told:
    row = reads(shape, table)
    if row is Reads.ROW:
        return ROW
    told = _of_pieces(shape)
    if row is None:
        return told
    return Told(What.NO_BLOCKS, value=slice(*row.span(2))) if told is NOTHING else ROW


def _of_pieces(shape: bytes) -> Told:
    """What the reader of pieces does with a line that is about no channel."""
    is_record = pieces.is_record(shape)
    if pieces.may_be_check(shape):
        if b"EXPIRED" in shape or pieces.says_expired(shape):
            return ROW
        if b"'AVAILABLE'" in shape or b'"AVAILABLE"' in shape or b"validation succeeded for " in shape:
            is_more = is_record or b"=" in shape or _of_words(shape) is not NOTHING
            return ROW if is_more else Told(What.AVAILABLE)
    if is_record:
        return Told(What.RECORD, flag=pieces.is_record_of_work(shape))
    return _of_fields(shape) if b"=" in shape else _of_words(shape)


def _of_fields(shape: bytes) -> Told:
    if found := pieces.INPUT.match(shape):
        return Told(What.INPUT, value=slice(*found.span(1)))
    if found := pieces.WRITTEN.search(shape):
        return Told(What.WRITTEN, value=slice(*found.span(1)))
    if (pieces.fields_in(shape) == 2 and pieces.READ.search(shape)) or b"creating datafile file number" in shape:
        return ROW
    return FIELD


def _of_words(shape: bytes) -> Told:
    if pieces.may_say_skipped(shape) and any(pattern.search(shape) for pattern in pieces.SKIPPED):
        return ROW
    if phrases.ends_in_elapsed(shape):
        return ROW
    return ROW if pieces.may_restore(shape) and pieces.file_with_path(shape) else NOTHING

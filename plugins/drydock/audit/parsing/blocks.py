"""Putting lines together into records: positions, noise, pieces set aside, and what a reader remembers between records."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drydock.audit.parsing.fields import Place
from drydock.audit.parsing.lengths import Fields, read_fields
from drydock.audit.parsing.lines import LONGEST_LINE, Line, Lines
from drydock.audit.parsing.records import AuditRecord, Kind, Piece
from drydock.audit.parsing.times import Clock

if TYPE_CHECKING:
    from drydock.audit.parsing.mappings import Mapping
    from drydock.audit.parsing.tables import Table

MOST_WASTED = 32 * 1024 * 1024  # bytes looked at ahead for wrong lengths; then no length is followed out of its block
FIRST_LOOK = 64 * 1024  # bytes of a block before it is looked at whether it ended


@dataclass
class Context:
    """What readers share over one input."""

    clock: Clock
    mapping: Mapping | None = None
    banner: dict[str, str] = field(default_factory=dict)  # of an .aud file: instance, server, process_id
    table: Table | None = None  # the header of the CSV at hand
    wasted: int = 0
    is_after_broken: bool = False  # the line before began like a record and was none


def place_of(block: Sequence[Line], encoding: str = "utf-8", lines: int | None = None) -> Place:
    return Place(block[0].number, len(block) if lines is None else lines, block[0].offset, encoding)


def record_piece(block: Sequence[Line], record: AuditRecord) -> Piece:
    return Piece(Kind.RECORD, block[0].number, record.lines, block[0].offset, sum(line.size for line in block), record)


def noise(block: Sequence[Line], why: str) -> Piece:
    """Lines that are known and hold no record."""
    return Piece(Kind.NOISE, block[0].number, len(block), block[0].offset, sum(line.size for line in block), why=why)


def aside(block: Sequence[Line], reason: str) -> Piece:
    """Lines that no reader understands: told by position, size and a hash; the text may hold secrets."""
    digest = hashlib.sha256()
    for line in block:
        digest.update(line.text + b"\n")
    size = sum(line.size for line in block)
    return Piece(
        Kind.SET_ASIDE, block[0].number, len(block), block[0].offset, size, why=reason, sample_hash=digest.hexdigest()[:16]
    )


def joined(block: Sequence[Line], keep_ends: bool) -> bytes:
    """The bytes of a block; line ends as they were, or each as one line feed."""
    if not keep_ends:
        return b"\n".join(line.text for line in block)
    return b"".join(line.text + (b"\r\n" if line.size - len(line.text) > 1 else b"\n") for line in block[:-1]) + block[-1].text


def gather(first: Line, lines: Lines, is_start: Callable[[bytes], bool], most: int) -> list[Line]:
    """The first line and those after it, up to the next that starts something, the end, or `most` bytes."""
    block, size = [first], first.size
    while size < most and (line := lines.peek()) is not None and not is_start(line.text):
        block.append(lines.take())
        size += line.size
    return block


def length_fields(
    first: Line, start: int, lines: Lines, is_start: Callable[[bytes], bool], context: Context
) -> tuple[list[Line], Fields]:
    """The block of a record of length-prefixed fields that begins at byte `start` of `first`, and its fields.

    The block grows over lines that look like another record as long as the lengths say that they are inside a value. Lines
    after the last field are given back.
    """
    most = FIRST_LOOK
    block = gather(first, lines, is_start, most)
    while True:
        fields = _best(block, start, may_grow=True)
        if fields.needs:
            if _grow_to(block, fields.needs, start, lines, context):
                block += _rest(lines, is_start, most)
                continue
            fields = _best(block, start, may_grow=False)
        size = sum(line.size for line in block)
        if size < most or size > LONGEST_LINE or not _goes_on(block, fields):
            break
        most = size * 2
        block += _rest(lines, is_start, most)
    return _trimmed(block, fields, lines), fields


def _goes_on(block: list[Line], fields: Fields) -> bool:
    """True where the fields reach to the end of what was taken so far."""
    return fields.is_open or not joined(block, keep_ends=True)[fields.end :].strip()


def _rest(lines: Lines, is_start: Callable[[bytes], bool], most: int) -> list[Line]:
    following = lines.peek()
    if following is None or is_start(following.text):
        return []
    return gather(lines.take(), lines, is_start, most)


def _best(block: list[Line], start: int, may_grow: bool) -> Fields:
    """By the line ends as they were, or as line feeds where the file was made on another system."""
    fields = read_fields(joined(block, keep_ends=True), start, may_grow)
    if not (fields.needs or fields.broken_lengths or fields.is_open) or not any(n.size - len(n.text) > 1 for n in block):
        return fields
    other = read_fields(joined(block, keep_ends=False), start, may_grow)
    return (
        other
        if (other.broken_lengths, bool(other.needs), other.is_open)
        < (
            fields.broken_lengths,
            bool(fields.needs),
            fields.is_open,
        )
        else fields
    )


def _grow_to(block: list[Line], needed: int, start: int, lines: Lines, context: Context) -> bool:
    """Take lines until the length can be judged; True where it is right. Else all is given back."""
    if needed > LONGEST_LINE or context.wasted > MOST_WASTED:
        return False
    more: list[Line] = []
    size = sum(line.size for line in block)
    while size < needed + 2 and lines.peek() is not None:
        more.append(lines.take())
        size += more[-1].size
    if more:
        before = _best(block, start, may_grow=True)
        after = _best(block + more, start, may_grow=True)
        if len(after.found) > len(before.found) and after.broken_lengths <= before.broken_lengths:
            block += more
            return True
    context.wasted += sum(line.size for line in more)
    lines.give_back(more)
    return False


def _trimmed(block: list[Line], fields: Fields, lines: Lines) -> list[Line]:
    """Give back the lines that begin after the end of the fields."""
    kept, at = 1, len(block[0].text) + 1
    while kept < len(block) and at < fields.end:
        at += max(block[kept].size, 1)
        kept += 1
    lines.give_back(block[kept:])
    return block[:kept]

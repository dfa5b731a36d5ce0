"""Oracle's XML audit files, with and without namespace: read record by record, for their end may still be written.

Tags as in dbserver_audittrail-11_2.xsd and -12_2.xsd. Text is escaped by Oracle, so `<AuditRecord>` inside a value cannot be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from drydock.audit.parsing.blocks import Context, aside, noise, place_of, record_piece
from drydock.audit.parsing.fields import Place, held_of, record_of
from drydock.audit.parsing.lines import LONGEST_LINE, Line, Lines
from drydock.audit.parsing.records import AuditRecord, Piece
from drydock.audit.parsing.texts import decode

_OPEN = re.compile(rb"<(?:\w+:)?AuditRecord(?:\s[^>]*)?>", re.IGNORECASE)
_CLOSE = re.compile(rb"</(?:\w+:)?AuditRecord\s*>", re.IGNORECASE)
_TAG = re.compile(r"<(?:\w+:)?([A-Za-z_][\w.]*)(?:\s[^>]*)?(?:/>|>(.*?)</(?:\w+:)?\1\s*>)", re.DOTALL)
_FRAME = re.compile(
    rb"\s*(?:<\?xml\b|</?(?:\w+:)?Audit(?:\s|>|$)|xmlns(?::\w+)?\s*=|xsi:schemaLocation\s*=|</?(?:\w+:)?Version>|</?data>|\Z)",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:(lt|gt|amp|quot|apos)|#(\d{1,7})|#[xX]([0-9A-Fa-f]{1,6}));")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}


def is_xml(text: bytes) -> bool:
    """True for a line of an XML audit file."""
    return text.lstrip()[:1] in (b"<", b"x") and (_OPEN.search(text) is not None or _FRAME.match(text) is not None)


def is_embedded(text: bytes) -> bool:
    """True where a record begins behind something else, such as the header of a collector."""
    return b"uditrecord" in text.lower()[:4096] and _OPEN.search(text) is not None and _CLOSE.search(text) is not None


def read_xml(lines: Lines, context: Context) -> Iterator[Piece]:
    """The records that begin on this line, or one line of the frame around them."""
    first = lines.take()
    if _OPEN.search(first.text) is None:
        yield noise([first], "frame of an XML audit file")
        return
    block, size = [first], first.size
    while not _is_whole(block):
        following = lines.peek()
        if following is None or size > LONGEST_LINE or _OPEN.match(following.text.lstrip()):
            reason = "the file ends inside this XML record" if following is None else "this XML record has no end"
            yield from _whole_part(block, context, reason)
            return
        block.append(lines.take())
        size += following.size
    yield from _whole_part(block, context, "")


def _is_whole(block: Sequence[Line]) -> bool:
    """The last record that was opened is closed; only the last line has to be looked at, or a one-line block."""
    text = block[-1].text
    opened = [m.start() for m in _OPEN.finditer(text)]
    closed = [m.start() for m in _CLOSE.finditer(text)]
    return bool(closed) and (not opened or closed[-1] > opened[-1])


def _whole_part(block: list[Line], context: Context, reason: str) -> Iterator[Piece]:
    data = b"\n".join(line.text for line in block)
    text, encoding = decode(data)
    found = list(_records(text))
    if not found:
        yield aside(block, reason or "an XML record that cannot be read")
        return
    for number, inner in enumerate(found):
        place = place_of(block, encoding, len(block) if number == 0 else 0)
        doubts = (
            [reason.replace("this XML record", "an XML record after this one")] if reason and number == len(found) - 1 else []
        )
        piece = record_piece(block, _record(inner, place, context, doubts))
        yield piece if number == 0 else piece._replace(size=0)


_PAIR = re.compile(r"<(?:\w+:)?AuditRecord(?:\s[^>]*)?>(.*?)</(?:\w+:)?AuditRecord\s*>", re.DOTALL | re.IGNORECASE)


def _records(text: str) -> Iterator[str]:
    for found in _PAIR.finditer(text):
        yield found[1]


def _record(inner: str, place: Place, context: Context, doubts: list[str]) -> AuditRecord:
    fields = [(m[1], _plain(m[2] or "")) for m in _TAG.finditer(inner)]
    held = held_of(fields)
    kind = held.get("audit_type", "")
    dialect = {"1": "standard", "2": "fga", "4": "sys", "8": "mandatory"}.get(kind, "standard")
    return record_of(held, place, context.clock, doubts, format="oracle_xml", source="oracle", dialect=dialect)


def _plain(value: str) -> str:
    if value.startswith("<![CDATA[") and value.endswith("]]>"):
        return value[9:-3]
    return _ENTITY.sub(_character, value) if "&" in value else value


def _character(found: re.Match[str]) -> str:
    if found[1]:
        return _NAMED[found[1]]
    number = int(found[2]) if found[2] else int(found[3], 16)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"

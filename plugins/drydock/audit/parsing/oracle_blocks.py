"""Oracle's operating-system trail: .aud files in both dialects, and what the traditional and unified trails send to syslog.

Oracle Database Security Guide 19c, "Administering the Audit Trail" (AUDIT_FILE_DEST, AUDIT_SYSLOG_LEVEL,
UNIFIED_AUDIT_SYSTEMLOG). Real files: a banner, then blocks of a time line, LENGTH, and fields. Syslog adds its own header.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from drydock.audit.parsing.blocks import Context, aside, joined, length_fields, noise, place_of, record_piece
from drydock.audit.parsing.fields import Held, held_of, record_of
from drydock.audit.parsing.lengths import Fields, read_fields
from drydock.audit.parsing.lines import Line, Lines
from drydock.audit.parsing.names import action_number
from drydock.audit.parsing.records import Piece
from drydock.audit.parsing.texts import decode
from drydock.audit.parsing.times import NOWHEN, Moment

_TIME = (
    rb"[A-Z][a-z]{2} [A-Z][a-z]{2} +\d{1,2} +\d\d:\d\d:\d\d(?: [A-Z]{3,4})? \d{4}(?: ?[+-]\d\d:?\d\d| \d\d:\d\d[+-])?"
    rb"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?: ?[+-]\d\d:?\d\d|Z)?"
)
_FIELD = rb"(?:LENGTH|ACTION|SESSIONID|AUDIT TYPE|TYPE)\s*:\s*(?:\[\d*\]\s*)?['\"]"
_BLOCK = re.compile(rb"\s*(?:(?P<time>" + _TIME + rb")\s*(?::?\s*\Z|:?\s+(?=" + _FIELD + rb"))|(?=" + _FIELD + rb"))")
_BANNER = re.compile(
    rb"\s*(?:Audit file |Oracle (?:Database|9i|10g|11g|8i)|Oracle\d+[a-z] |With the |and Real Application|JServer Release|"
    rb"Version \d|ORACLE_HOME|System name:|Node name:|Release:|Version:|Machine:|VM name:|Instance name:|Redo thread mounted|"
    rb"Oracle process number:|Unix process pid:|Windows thread id:|Build label:|Windows NT|CPU\s+:|Process Affinity|Memory \(|"
    rb"Dump file|\*\*\* |CLIENT ID:|OLAP, |Data Mining|Partitioning)"
)
_FACTS = (
    ("instance", re.compile(rb"\s*Instance name:\s*(\S+)")),
    ("server", re.compile(rb"\s*Node name:\s*(\S+)")),
    ("process_id", re.compile(rb"\s*(?:Unix process pid|Windows thread id):\s*(\d+)")),
)
_STAMP = (
    rb"(?:[A-Z][a-z]{2} [ \d]?\d (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d+)?(?: \d{4}\b)?(?: [A-Z]{3,4}:)?"
    rb"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)"
)
_HEADER = re.compile(rb"\s*(?:<\d{1,3}>)?(?:\d )?(?P<time>" + _STAMP + rb")\s+(?:Message forwarded from )?(?P<host>[^\s\[]+)?\s?")
_SECOND = re.compile(rb"(?:<\d{1,3}>)?(?P<time>" + _STAMP + rb")\s")
_SENDER = re.compile(rb"\b(?:Oracle )?(?P<unified>Unified )?Audit\[(?P<pid>\d+)\]\s*:?\s*(?:\[ID \d+ [\w.]+\]\s*)?")
_BODY = re.compile(_FIELD)
_OTHER = re.compile(_HEADER.pattern + rb"(?:\w\S{0,60}?(?:\[\d+\])?:|\S+ \S+ \S+ (?:-|\[))")
_ESCAPED = re.compile(rb"#(0[0-3]\d|177)")


def is_block(text: bytes) -> bool:
    """True for the first line of a block of an .aud file: its time, or its first field."""
    return _BLOCK.match(text) is not None


def is_banner(text: bytes) -> bool:
    return _BANNER.match(text) is not None


def is_syslog(text: bytes) -> bool:
    """True for a line of Oracle in a syslog, with or without the header."""
    head = text[:1000]
    sender = _SENDER.search(head)
    if sender is not None:
        return _BODY.match(head, sender.end()) is not None or b"Oracle" in sender[0]
    header = _HEADER.match(head)
    return header is not None and b"LENGTH" in head and (b"SESSIONID:" in head or b"ACTION :" in head or b"STMTID:" in head)


def is_other_syslog(text: bytes) -> bool:
    """True for a line with the header of syslog and a program's name."""
    return _OTHER.match(text[:1000]) is not None


def read_banner(lines: Lines, context: Context) -> Iterator[Piece]:
    """One line of the head of an .aud file; it tells instance, host and process of the blocks below."""
    line = lines.take()
    if line.text.lstrip().startswith(b"Audit file "):
        context.banner.clear()
    for name, pattern in _FACTS:
        if found := pattern.match(line.text):
            context.banner[name] = found[1].decode("latin-1")
    yield noise([line], "banner of an .aud file")


def _is_boundary(text: bytes) -> bool:
    """A line that ends a block. Fields without a time before them do not: they go on, or are the next record of the block."""
    found = _BLOCK.match(text)
    if found is not None and found["time"] is not None:
        return True
    return text.startswith((b"Audit file ", b"<AuditRecord", b"<?xml")) or (b"Audit[" in text[:200] and is_syslog(text))


def read_aud(lines: Lines, context: Context) -> Iterator[Piece]:
    """One block of an .aud file; several records where their fields follow each other."""
    first = lines.take()
    start = _BLOCK.match(first.text)
    assert start is not None
    time = start["time"]
    if time is not None and start.end() >= len(first.text) and not _has_fields_below(lines):
        yield aside([first], "a time without a record")
        return
    block, fields = length_fields(first, start.end(), lines, _is_boundary, context)
    if not fields.found:
        lines.give_back(block[1:])
        yield aside(block[:1], "begins like a record of an .aud file and holds no field")
        return
    moment = context.clock.read(time.decode("latin-1")) if time else NOWHEN._replace(doubt="no time stands before the record")
    yield from _records(block, fields, moment, context, "oracle_aud", dict(context.banner))


def _has_fields_below(lines: Lines) -> bool:
    below = lines.peek()
    return below is not None and read_fields(below.text, 0, may_grow=True)[:3] != ([], 0, 0)


def read_syslog(lines: Lines, context: Context) -> Iterator[Piece]:
    """One record that Oracle sent to syslog; over several lines where the values say so."""
    first = lines.take()
    text = first.text
    header, sender = _HEADER.match(text), _SENDER.search(text[:1000])
    start = sender.end() if sender else 0
    body = _BODY.search(text, start)
    if body is None:
        yield noise([first], "a syslog line of Oracle without a record")
        return
    block, fields = length_fields(first, body.start(), lines, _is_stamped, context)
    if fields.broken_lengths and _ESCAPED.search(text):
        plain = _ESCAPED.sub(lambda m: bytes([int(m[1], 8)]), text[body.start() :])
        other = read_fields(plain, 0, may_grow=False)
        fields = other if other.broken_lengths < fields.broken_lengths else fields
    second = _last_stamp(text, header, body.start())
    moment = context.clock.read((second or header)["time"].decode("latin-1")) if header else NOWHEN
    if moment.time is None:
        moment = moment._replace(doubt="no time can be read in the line's header")
    facts = {"server": _host(text, header, second), "process_id": sender["pid"].decode() if sender else ""}
    if second is not None and header is not None:
        facts["received_time"] = context.clock.read(header["time"].decode("latin-1")).time
    yield from _records(block, fields, moment, context, "oracle_syslog", facts)


def _is_stamped(text: bytes) -> bool:
    return _HEADER.match(text[:200]) is not None or is_syslog(text) or is_block(text)


def _last_stamp(text: bytes, header: re.Match[bytes] | None, before: int) -> re.Match[bytes] | None:
    """A relay puts its own header before the sender's."""
    if header is None:
        return None
    later = list(_SECOND.finditer(text, header.end("time"), before))
    return later[-1] if later else None


def _host(text: bytes, header: re.Match[bytes] | None, second: re.Match[bytes] | None) -> str:
    if second is not None:
        found = re.compile(rb"([^\s\[:]+)\s").match(text, second.end())
        return found[1].decode("latin-1") if found else ""
    host = (header["host"] or b"").rstrip(b":").decode("latin-1") if header else ""
    return "" if host in ("Oracle", "journal", "Unified") else host


def _records(block: Sequence[Line], fields: Fields, moment: Moment, context: Context, form: str, facts: dict) -> Iterator[Piece]:
    """A record for each run of fields: where LENGTH or SESSIONID comes again, the next record begins."""
    runs: list[list[tuple[str, bytes]]] = [[]]
    for name, value in fields.found:
        if name in ("LENGTH", "SESSIONID") and any(name == known for known, _ in runs[-1]):
            runs.append([])
        runs[-1].append((name, value))
    doubts = [f"{fields.broken_lengths} lengths do not agree with their values"] if fields.broken_lengths else []
    if _leftover(block, fields):
        doubts.append("text that is no field stands behind the last field")
    if fields.is_open:
        doubts.append("the last value has no end: the record is cut")
    for number, run in enumerate(runs):
        held, encoding, dialect = _held(run)
        place = place_of(block, encoding, len(block) if number == 0 else 0)
        known = {"format": form, "source": "oracle", "dialect": dialect, "moment": moment, **facts}
        piece = record_piece(block, record_of(held, place, context.clock, doubts, **known))
        yield piece if number == 0 else piece._replace(size=0)


def _leftover(block: Sequence[Line], fields: Fields) -> bool:
    """True where the line of the last field goes on with something else."""
    ends = joined(block, keep_ends=True)
    stop = ends.find(b"\n", fields.end)
    return bool(ends[fields.end : stop if stop >= 0 else len(ends)].strip(b" \t\r,\0"))


def _held(run: list[tuple[str, bytes]]) -> tuple[Held, str, str]:
    """What the fields hold, their encoding, and the dialect: sys, unified or standard."""
    names = {name for name, _ in run}
    texts, encodings = [], set[str]()
    for name, value in run:
        text, encoding = decode(value)
        encodings.add(encoding)
        texts.append((_meaning(name, text), text))
    dialect = "sys" if "DATABASE USER" in names else "unified" if names & {"DBUSER", "STMTID", "PDB_GUID"} else "standard"
    encoding = next((e for e in ("latin-1", "gb18030") if e in encodings), "utf-8")
    fields = [(name, text) for name, text in texts if name not in ("LENGTH", "ROLE")]
    return held_of(fields, {"TYPE": "audit_type", "STATEMENT": "statement_id"}), encoding, dialect


def _meaning(name: str, text: str) -> str:
    """ACTION is a number, a name, or the whole statement of a SYS operation."""
    if name != "ACTION" or text.strip().isdigit():
        return name
    known = text.strip().upper()
    return "ACTION_NAME" if known in ("CONNECT", "DISCONNECT") or action_number(known) is not None else "SQL_TEXT"

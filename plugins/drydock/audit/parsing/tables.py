"""CSV of audit records: views of Oracle, exports of audit products, files of a SIEM; recognised by the header's words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from drydock.audit.parsing.blocks import Context, aside, noise, place_of, record_piece
from drydock.audit.parsing.cells import split_line, take_row, whole
from drydock.audit.parsing.fields import Held, Place, held_of, record_of
from drydock.audit.parsing.lines import Line, Lines
from drydock.audit.parsing.mappings import Mapping, own_mappings
from drydock.audit.parsing.names import columns, folded
from drydock.audit.parsing.records import AuditRecord, Piece
from drydock.audit.parsing.texts import decode
from drydock.audit.parsing.times import Clock

DELIMITERS = (b",", b";", b"\t", b"|", b"\x01")
_COMPLETED = ("server", "database", "session_id", "account", "client_host", "client_address", "program", "os_user")
_RAW_NAMES = (
    "_raw",
    "event_message",
    "raw",
    "log",
    "raw_log",
    "raw_message",
    "message",
    "msg",
    "event.original",
    "payload",
    "raw_event",
)
_RAW = frozenset(folded(name) for name in (*_RAW_NAMES, "原始日志", "日志内容", "原始报文", "原文", "日志原文"))
_TIMES = frozenset({"event_time", "event_time_utc"})
_ACTED = frozenset({"action", "action_number", "statement", "return_code", "object_name", "client_address"})
_FOOT = re.compile(
    rb"\s*(?:\d+ rows? (?:selected|returned|fetched)\b|SQL>|\(\d+ rows?\)|[-+= ,|]*-{3,}[-+= ,|]*\Z|"
    + "已选择".encode()
    + rb"\s*\d+)",
    re.IGNORECASE,
)
_SHAPE = re.compile(r"[\w$#.@() /%（）\-]{1,64}\Z")
_DIALECTS = (
    ("unified", {"EVENTTIMESTAMP", "EVENTTIMESTAMPUTC", "UNIFIEDAUDITPOLICIES", "DBUSERNAME"}),
    ("fga", {"POLICYNAME", "SQLBIND"}),
    ("fga", {"POLICYNAME", "STATEMENTTYPE"}),
    ("fga", {"POLICYNAME", "OBJECTSCHEMA"}),
    ("aud$", {"NTIMESTAMP", "RETURNCODE"}),
    ("aud$", {"USERID", "RETURNCODE", "USERHOST"}),
    ("dba_audit_trail", {"OSUSERNAME", "USERHOST", "RETURNCODE"}),
    ("dba_audit_trail", {"USERNAME", "RETURNCODE", "ACTIONNAME"}),
    ("dba_audit_trail", {"EXTENDEDTIMESTAMP", "RETURNCODE"}),
)


@dataclass(frozen=True)
class Table:
    """The header at hand."""

    delimiter: bytes
    names: tuple[str, ...]
    form: str
    source: str
    dialect: str
    mapping: Mapping | None = None
    raw: int = -1  # the column that holds the database's own record
    has_columns: bool = True  # beside `raw`, enough to make a record of


def table_of(text: bytes, context: Context) -> Table | None:
    """The table a line is the header of; None for a line that is no header."""
    if len(text) > 64 * 1024 or not any(d in text for d in DELIMITERS):
        return None
    for delimiter in sorted((d for d in DELIMITERS if d in text), key=text.count, reverse=True)[:3]:
        names = tuple(decode(cell)[0].strip().lstrip("\ufeff") for cell in split_line(text, delimiter))
        if len(names) > 1 and all(_SHAPE.match(n) or not n for n in names) and (table := _known(delimiter, names, context)):
            return table
    return None


def may_be_header(text: bytes, table: Table) -> bool:
    """A cheap look at a line below a header: its first word is the name of a column."""
    delimiter = next((d for d in (table.delimiter, *DELIMITERS) if d in text), b"")
    first = decode(text[: text.find(delimiter) if delimiter else 0][:100])[0]
    return bool(first) and folded(first.strip("\ufeff")) in columns()


def _known(delimiter: bytes, names: tuple[str, ...], context: Context) -> Table | None:
    keys = [folded(name) for name in names]
    raw = next((n for n, key in enumerate(keys) if key in _RAW), -1)
    for mapping in (context.mapping, *own_mappings()):
        if mapping is not None and mapping.fits(list(names)):
            named = keys.index(folded(mapping.raw_column)) if folded(mapping.raw_column) in keys else -1
            return Table(delimiter, names, "mapped_csv", mapping.product, "mapping", mapping, named)
    known = columns()
    held = [known[key][0] for key in keys if key in known]
    for dialect, needed in _DIALECTS:
        if len(needed & set(keys)) >= (2 if dialect == "unified" else len(needed)) and len(held) >= 3:
            return Table(delimiter, names, "oracle_csv", "oracle", dialect)
    is_table = len(set(held)) >= 3 and bool(_TIMES & set(held)) and bool(_ACTED & set(held))
    if is_table or (raw >= 0 and (_TIMES | {"received_time"}) & set(held)):
        return Table(delimiter, names, "csv", "unknown", "by the header's words", None, raw, is_table)
    return None


def is_foot(text: bytes) -> bool:
    """True for what a client writes around a CSV: counts of rows, rules, prompts, the separator line of a spreadsheet."""
    return _FOOT.match(text) is not None or text.strip().lower()[:4] == b"sep="


Inner = Callable[[bytes, Context], AuditRecord | str | None]
"""Reads one record in its own format out of a cell; the name of the noise where it is known noise, None where it is neither."""


def read_header(lines: Lines, context: Context, table: Table) -> Iterator[Piece]:
    """Take the header's line; the rows below are read by it."""
    context.table = table
    yield noise([lines.take()], "header of a CSV")


def read_row(lines: Lines, context: Context, inner: Inner) -> Iterator[Piece] | None:
    """The pieces of the next row, or None where the line is no row of the table: nothing is taken then."""
    table = context.table
    assert table is not None
    row, cells = take_row(lines, table.delimiter, len(table.names) + 1)
    if len(cells) == len(table.names) + 1 and not cells[-1].strip():
        cells.pop()
    if len(cells) != len(table.names):
        lines.give_back(row)
        return None
    return iter((_piece(row, cells, context, table, inner),))


def why_no_row(lines: Lines, context: Context) -> Piece:
    """Take a line that is no row of the table, and say why."""
    table = context.table
    assert table is not None
    row, cells = take_row(lines, table.delimiter, len(table.names) + 1)
    if is_foot(row[0].text):
        lines.give_back(row[1:])
        return noise(row[:1], "foot or rule of a spooled CSV")
    if not cells:
        return aside(row, "a quote opens in this row and never closes")
    return aside(row, f"a row of {len(cells)} cells where the header has {len(table.names)}")


def _piece(row: list[Line], cells: list[bytes], context: Context, table: Table, inner: Inner) -> Piece:
    encoding = decode(whole(row))[1]
    values = [cell.decode(encoding, "replace") for cell in cells]
    if [v.strip().lstrip("\ufeff") for v in values] == list(table.names):
        return noise(row, "header of a CSV, again")
    if not any(v.strip() for v in values):
        return noise(row, "a row of empty cells")
    if _is_noise(values, table):
        return noise(row, "noise by the mapping file")
    fields = [(name, value.replace("\r\n", "\n")) for name, value in zip(table.names, values, strict=True)]
    held = held_of(fields, table.mapping.own if table.mapping else None)
    found = inner(cells[table.raw].strip(), context) if table.raw >= 0 else None
    if isinstance(found, AuditRecord):
        clock = table.mapping.clock(context.clock) if table.mapping else context.clock
        return record_piece(row, completed(found, held, place_of(row, encoding), clock))
    if found is not None:
        return noise(row, f"a row with {found}")
    if table.raw >= 0 and not table.has_columns:
        if not cells[table.raw].strip():
            return noise(row, "a row without text")
        return aside(row, "a row whose raw text is no audit record")
    return _by_columns(row, held, context, table, encoding)


def _by_columns(row: list[Line], held: Held, context: Context, table: Table, encoding: str) -> Piece:
    if not (held.keys() & (_ACTED | {"account"})):
        return aside(row, "a row without account, action, object or statement")
    clock = table.mapping.clock(context.clock) if table.mapping else context.clock
    if table.mapping:
        held.update(_translated(held, table.mapping))
    form, source, dialect = table.form, table.source, table.dialect
    return record_piece(row, record_of(held, place_of(row, encoding), clock, (), format=form, source=source, dialect=dialect))


def _translated(held: Held, mapping: Mapping) -> Held:
    told = {}
    for what, words in (("return_code", mapping.outcomes), ("action", mapping.actions)):
        if held.get(what, "") in words:
            told[what] = words[held[what]]
    return told


def _is_noise(values: list[str], table: Table) -> bool:
    rules = table.mapping.noise if table.mapping else ()
    by_name = {folded(name): value.strip() for name, value in zip(table.names, values, strict=True)}
    return any(by_name.get(folded(rule.column)) in rule.values for rule in rules)


def completed(record: AuditRecord, held: Held, place: Place, clock: Clock) -> AuditRecord:
    """The record inside, at the place of what held it. The outer time is when it was received, or its time where it has none."""
    outer = clock.read(held.get("received_time") or held.get("event_time_utc") or held.get("event_time", ""))
    known: dict[str, object] = {**place._asdict(), "received_time": record.received_time or outer.time}
    if record.event_time is None:
        known |= {"event_time": outer.time, "zone": outer.zone, "received_time": None}
    known |= {name: held[name] for name in _COMPLETED if name in held and not getattr(record, name)}
    return record.model_copy(update=known)

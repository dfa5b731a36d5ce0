"""PostgreSQL's log in its three formats: csvlog, jsonlog (15 and later) and stderr with the usual prefixes, also over syslog.

In stderr format the server indents every further line of a message with a tab; a line end in a name of the prefix is not: what
follows it is told with a doubt.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

from drydock.audit.parsing.blocks import Context, aside, noise, place_of, record_piece
from drydock.audit.parsing.cells import take_row, whole
from drydock.audit.parsing.lines import Line, Lines
from drydock.audit.parsing.postgres_rows import Row, is_finished, is_unfinished, read_row
from drydock.audit.parsing.records import Piece
from drydock.audit.parsing.texts import decode

CSV_NAMES = (
    "log_time",
    "user_name",
    "database_name",
    "process_id",
    "connection_from",
    "session_id",
    "session_line_num",
    "command_tag",
    "session_start_time",
    "virtual_transaction_id",
    "transaction_id",
    "error_severity",
    "sql_state_code",
    "message",
    "detail",
    "hint",
    "internal_query",
    "internal_query_pos",
    "context",
    "query",
    "query_pos",
    "location",
    "application_name",
    "backend_type",
    "leader_pid",
    "query_id",
)
CSV_WIDTHS = (22, 23, 24, 26)  # 8.4, 9.0 to 12, 13, 14 and later
_AUDIT_NAMES = (
    "audit_type",
    "statement_id",
    "substatement_id",
    "class",
    "command",
    "object_type",
    "object_name",
    "statement",
    "parameter",
)
_JSON_NAMES = {
    "timestamp": "log_time",
    "user": "user_name",
    "dbname": "database_name",
    "pid": "process_id",
    "line_num": "session_line_num",
    "ps": "command_tag",
    "txid": "transaction_id",
    "state_code": "sql_state_code",
    "statement": "query",
}
_SEVERITIES = {
    "日志": "LOG",
    "错误": "ERROR",
    "致命错误": "FATAL",
    "严重": "PANIC",
    "警告": "WARNING",
    "注意": "NOTICE",
    "信息": "INFO",
}
_SEVERITIES |= {"语句": "STATEMENT", "详细信息": "DETAIL", "描述": "DETAIL", "提示": "HINT", "上下文": "CONTEXT", "查询": "QUERY"}
_WORDS = "LOG|ERROR|FATAL|PANIC|WARNING|NOTICE|INFO|DEBUG[1-5]?|STATEMENT|DETAIL|HINT|CONTEXT|QUERY|LOCATION|BACKTRACE"
_CSV_START = re.compile(rb'"?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? ?[A-Za-z0-9+:/_-]{1,32}"?,')
_CSV_SURE = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [A-Za-z0-9+:/_-]{1,32},")
_CLOCK = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?[A-Z]{2,5}\b| ?[+-]\d\d(?::?\d\d)?|Z)?)"
    r"|\b(?P<epoch>1\d{9}\.\d{3})\b"
)
_ALL_WORDS = "|".join([_WORDS, *_SEVERITIES])
_MARK = re.compile(rf"(?<![A-Za-z_\"'=])(?P<word>{_ALL_WORDS})[:：] {{0,2}}(?:(?P<state>(?=[A-Z]{{0,4}}\d)[0-9A-Z]{{5}}): )?")
_LEAST = re.compile(rb"(?:[\w.-]{1,80} +\| )?\s*[<\[({]?\s*(?:\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d|1\d{9}\.\d{3})")
_SYSLOG = re.compile(
    r"(?:<\d{1,3}>)?(?:1 )?(?P<time>[A-Z][a-z]{2} [ \d]?\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*) (?:(?P<host>\S+) )?"
    r"(?:postgres(?:ql)?\S*?)\[(?P<pid>\d+)\]: (?:\[(?P<part>\d+)-(?P<n>\d+)\] )?"
)
_FIELDS = (
    ("user_name", re.compile(r"(?:\buser|\busr|\bu)=(.*?)(?=,|\s|\||\Z)")),
    ("database_name", re.compile(r"(?:\bdb|\bdatabase|\bd)=(.*?)(?=,|\s|\||\Z)")),
    ("application_name", re.compile(r"(?:\bapp|\bapplication|\ba)=(.*?)(?=,\w+=|\s+\w+=|\||\s*\Z)")),
    ("remote_host", re.compile(r"(?:\bclient|\bhost|\bremote|\bh|\br)=([^\s,|(]*)")),
    ("session_id", re.compile(r"(?:\bsession|\bsess|\bc)=(\S+?)(?=,|\s|\Z)")),
    ("session_id", re.compile(r"[\[\s|,]([0-9a-f]{8}\.[0-9a-f]{1,8})[\]\s|,]")),
    ("process_id", re.compile(r"\[(\d{1,7})(?:-\d+)?\]|\bpid[=:]\s*(\d{1,7})|\bp=(\d{1,7})")),
    ("transaction_id", re.compile(r"\b(?:xid|tx|txid)=(\d+)")),
)
_AT = re.compile(r"(?:^|[\s:\[(|])([^\s@:=,\[\]|]+)@([^\s:=,\[\]|/]+)(?:/(\S+))?")
_STATE_BEFORE = re.compile(r" ((?=[A-Z]{0,4}\d)[0-9A-Z]{5}) \Z")
_AUDIT = re.compile(r"AUDIT: (?:SESSION|OBJECT),\d")
_BARE = re.compile(r"(?:\[unknown\]|[A-Za-z_][\w$.-]*)\Z")
_TIMELESS = re.compile(
    rb"(?:\S{1,128}@\S{1,128} )?(?:LOG|ERROR|FATAL|PANIC|WARNING|NOTICE|STATEMENT|DETAIL|HINT|CONTEXT):  "
    rb"|AUDIT: (?:SESSION|OBJECT),\d"
)
_ADDRESS = re.compile(
    r"(?<![\w.])(\d{1,3}(?:\.\d{1,3}){3}|(?=[0-9a-fA-F]*:[0-9a-fA-F]*:)[0-9a-fA-F:]{2,39}|\[local\])(?:\((\d{1,5})\))?"
)
_EXTRA = {"STATEMENT": "query", "DETAIL": "detail", "HINT": "hint", "CONTEXT": "context", "QUERY": "internal_query"}
MOST_LINES = 200_000
MOST_UNTABBED = 400
_AFTER_BROKEN = "follows a line that breaks off: it may be written by a name that holds a line end"


def is_csv_row(text: bytes) -> bool:
    return _CSV_START.match(text) is not None and (text.count(b",") >= 8 or text.count(b'"') % 2 == 1)


def is_sure_csv_row(text: bytes) -> bool:
    """True for a row that begins with a time exactly as the server writes it."""
    return _CSV_SURE.match(text) is not None and is_csv_row(text)


def row_inside(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The log row that an object is, or holds as `record` (CloudNativePG); None for another object."""
    inside = document.get("record")
    if isinstance(inside, Mapping) and "error_severity" in inside and ("message" in inside or "audit" in inside):
        audit = inside.get("audit")
        return {**inside, "message": _audit_message(audit)} if isinstance(audit, Mapping) else inside
    return document if is_json_row(document) else None


def _audit_message(audit: Mapping[str, Any]) -> str:
    """The row of pgaudit that was taken apart into an object."""
    line = io.StringIO()
    csv.writer(line).writerow([audit.get(name) or "" for name in _AUDIT_NAMES])
    return "AUDIT: " + line.getvalue().rstrip("\r\n")


def is_json_row(document: Mapping[str, Any]) -> bool:
    return "timestamp" in document and "message" in document and ("error_severity" in document or "backend_type" in document)


def is_stderr(text: bytes) -> bool:
    """True for a line with a time and a severity, or one that PostgreSQL sent to syslog."""
    head = text[:600]
    if _TIMELESS.match(head) is not None:
        return True
    if _LEAST.match(head) is None and b"postgres" not in head:
        return False
    told = decode(head)[0]
    if _LEAST.match(head) is not None and (_MARK.search(told) or _AUDIT.search(told)) is not None:
        return True
    return _SYSLOG.match(told) is not None


def is_broken(text: bytes) -> bool:
    """A line with a time and without a severity: a name of its prefix may hold a line end."""
    return _LEAST.match(text[:200]) is not None


def read_csv(lines: Lines, context: Context) -> Iterator[Piece]:
    """One row of csvlog."""
    row, cells = take_row(lines, b",", CSV_WIDTHS[-1])
    if len(cells) not in CSV_WIDTHS:
        why = f"begins like a row of csvlog and has {len(cells)} cells" if cells else "a quote opens in this row and never closes"
        lines.give_back(row[1:])
        yield aside(row[:1], why)
        return
    _, encoding = decode(whole(row))
    values = dict(zip(CSV_NAMES, (cell.decode(encoding, "replace") for cell in cells), strict=False))
    host, _, port = values.pop("connection_from").rpartition(":")
    values |= {"remote_host": host or port, "remote_port": port if host else ""}
    values["error_severity"] = _SEVERITIES.get(values["error_severity"], values["error_severity"])
    yield _piece(row, values, context, "postgres_csvlog", encoding)


def json_piece(row: list[Line], document: Mapping[str, Any], context: Context, encoding: str) -> Piece:
    """One object of jsonlog."""
    values = {_JSON_NAMES.get(name, name): "" if value is None else str(value) for name, value in document.items()}
    if "connection_from" in values:
        host, _, port = values["connection_from"].rpartition(":")
        values |= {"remote_host": host or port, "remote_port": port if host else ""}
    values["error_severity"] = _SEVERITIES.get(values.get("error_severity", ""), values.get("error_severity", ""))
    return _piece(row, values, context, "postgres_jsonlog", encoding)


def _piece(row: list[Line], values: Row, context: Context, form: str, encoding: str, doubts: tuple[str, ...] = ()) -> Piece:
    answer = read_row(values, place_of(row, encoding), context.clock, form, doubts)
    return noise(row, answer) if isinstance(answer, str) else record_piece(row, answer)


def read_stderr(lines: Lines, context: Context) -> Iterator[Piece]:
    """One message of the log in stderr format: its first line, the lines below, and its STATEMENT, DETAIL, … lines."""
    first = lines.take()
    text, encoding = decode(first.text)
    values, word, rest, via_syslog = _begin(text)
    block, parts = [first], [rest, *_below(lines, via_syslog, values)]
    block += parts.pop()  # type: ignore[arg-type]
    if word in _EXTRA:
        why = f"a {word} line without its message"
        yield aside(block, why) if word in ("STATEMENT", "QUERY") else noise(block, why)
        return
    values["message"] = "\n".join(parts)
    doubts = (_AFTER_BROKEN,) if context.is_after_broken else ()
    if is_unfinished(values["message"]) and (rest_of := _without_tabs(values["message"], lines)):
        block += rest_of
        values["message"] = "\n".join([values["message"], *(decode(line.text)[0] for line in rest_of)])
        doubts += ("goes on in lines without the tab that the server writes",)
    while (extra := _extra(lines, values)) is not None:
        more, name, told = extra
        block += more
        values.setdefault(name, told)
    form = "postgres_syslog" if via_syslog else "postgres_stderr"
    yield _piece(block, values, context, form, encoding, doubts)


def _without_tabs(message: str, lines: Lines) -> list[Line]:
    """The lines that finish a row of pgaudit, where a collector took the tabs away; none where nothing finishes it."""
    taken: list[Line] = []
    text = message
    while (
        (line := lines.peek(len(taken))) is not None
        and len(taken) < MOST_UNTABBED
        and not (is_broken(line.text) or is_stderr(line.text))
    ):
        taken.append(line)
        text += "\n" + decode(line.text)[0]
        if is_finished(text):
            return [lines.take() for _ in taken]
    return []


def _begin(text: str) -> tuple[Row, str, str, bool]:
    """Columns of the prefix, the severity's word, the message's first line, and whether it came over syslog."""
    values: Row = {}
    via = _SYSLOG.match(text)
    if via is not None:
        values |= {"log_time": via["time"], "server": via["host"] or "", "process_id": via["pid"]}
        text = text[via.end() :].replace("#011", "\t").replace("#012", "\n")
    mark = _MARK.search(text[:2000])
    if mark is None and (audit := _AUDIT.search(text[:2000])):
        return (
            values | _prefixed(text[: audit.start()]) | {"error_severity": "LOG"},
            "LOG",
            text[audit.start() :],
            via is not None,
        )
    if mark is None:
        return values | {"error_severity": "LOG"}, "LOG", text, via is not None
    prefix = text[: mark.start("word")]
    word = _SEVERITIES.get(mark["word"], mark["word"])
    values |= _prefixed(prefix)
    if state := mark["state"] or next(iter(_STATE_BEFORE.findall(prefix)), ""):
        values["sql_state_code"] = state
    return values | {"error_severity": word}, word, text[mark.end() :], via is not None


def _prefixed(prefix: str) -> Row:
    values: Row = {}
    clock = _CLOCK.search(prefix)
    if clock is not None:
        values["log_time"] = clock[0]
        prefix = prefix[: clock.start()] + " " + prefix[clock.end() :]
    for name, pattern in _FIELDS:
        if name not in values and (found := pattern.search(prefix)):
            values[name] = next(group for group in found.groups() if group is not None)
    if "user_name" not in values and (found := _AT.search(prefix)):
        values |= {"user_name": found[1], "database_name": found[2]}
        values.setdefault("application_name", found[3] or "")
    if "user_name" not in values:
        values |= _by_place(prefix)
    if not values.get("remote_host") and (found := _ADDRESS.search(prefix)):
        values |= {"remote_host": found[1], "remote_port": found[2] or ""}
    return {name: "" if value in ("[unknown]", "[未知]") else value for name, value in values.items()}


def _by_place(prefix: str) -> Row:
    """User and database where the prefix tells them without names: `time user db [pid]:`, `time|user|db|session|`."""
    parts = prefix.split("|") if prefix.count("|") > 1 else prefix.split()
    bare = [part.strip() for part in parts if _BARE.match(part.strip())]
    return {"user_name": bare[0], "database_name": bare[1]} if len(bare) == 2 else {}


def _below(lines: Lines, via_syslog: bool, values: Row) -> list[Any]:
    """Texts of the lines that go on with a message, and as last entry those lines."""
    texts: list[Any] = []
    block: list[Line] = []
    while (line := lines.peek()) is not None and len(block) < MOST_LINES:
        if via_syslog:
            told = _further_part(decode(line.text)[0], values)
            if told is None:
                break
        elif line.text.startswith(b"\t"):
            told = decode(line.text)[0][1:]
        elif line.text.startswith(b" ") and line.text.strip() and not is_stderr(line.text):
            told = decode(line.text)[0]
        else:
            break
        texts.append(told)
        block.append(lines.take())
    return [*texts, block]


def _further_part(text: str, values: Row) -> str | None:
    """The text of part n > 1 of the same message of the same process."""
    via = _SYSLOG.match(text)
    if via is None or via["pid"] != values.get("process_id") or via["n"] in (None, "1"):
        return None
    return text[via.end() :].replace("#011", "", 1) if _MARK.search(text[via.end() :][:200]) is None else None


def _extra(lines: Lines, values: Row) -> tuple[list[Line], str, str] | None:
    """The next line where it is STATEMENT, DETAIL, … of this message; of the same process where the prefix names it."""
    line = lines.peek()
    if line is None or not is_stderr(line.text):
        return None
    own, word, rest, via_syslog = _begin(decode(line.text)[0])
    if word not in (*_EXTRA, "LOCATION", "BACKTRACE") or own.get("process_id", "") != values.get("process_id", ""):
        return None
    block, parts = [lines.take()], [rest, *_below(lines, via_syslog, own)]
    block += parts.pop()
    return block, _EXTRA.get(word, "location"), "\n".join(parts)

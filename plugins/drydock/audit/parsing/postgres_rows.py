"""What PostgreSQL's log says, row by row, whatever format it was written in: pgaudit, statements, plans, sessions, failures.

PostgreSQL 17 manual, "Error Reporting and Logging" (csvlog, jsonlog); pgaudit README, "Format". Values of parameters and the
DETAIL of errors may be data of the business: they are never told.
"""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

from drydock.audit.parsing.fields import Place
from drydock.audit.parsing.records import AuditRecord, Zone
from drydock.audit.parsing.texts import mask_secrets, split_name, verb_of
from drydock.audit.parsing.times import Clock, Moment

Row = dict[str, str]
"""Columns of a log row by the names of csvlog: log_time, user_name, database_name, process_id, remote_host, …"""

_IDLE = frozenset({"", "idle", "idle in transaction", "authentication", "startup", "PARSE", "BIND", "initializing"})
_DURATION = re.compile(r"(?:duration|持续时间|执行时间)[:：]\s*(\d{1,15}(?:\.\d{1,9})?) (?:ms|毫秒)\s*")
_STATEMENT = re.compile(
    r"(?:statement|语句|(?:execute|bind|parse|执行|绑定|解析) (?:fetch from )?(?:<[^>]*>|\S*))[:：]\s+", re.IGNORECASE
)
_PLAN = re.compile(r"plan:\s*")
_CONNECTION = re.compile(r"(?:replication )?connection (received|authenticated|authorized): ")
_DISCONNECTION = re.compile(r"disconnection: session time: (?:(\d{1,9}):)?(\d{1,9}):(\d{1,9}(?:\.\d{0,9})?) ")
_PARAMETER = re.compile(
    r'(?:parameter|参数) ?"([^"]{1,100})" ?'
    r'(?:changed to|removed from configuration file, reset to default|被改变?为|已?更改为)(?: ?"(.*)")?',
    re.DOTALL,
)
_PAIR = re.compile(r'(user|database|db|host|port|application_name|identity|method)=(?:"((?:[^"]|"")*)"|(\S*))')
_FAILED_USER = re.compile(r'(?:for |role |user )(?:user )?"([^"]*)"|用户 ?"([^"]*)"|角色 ?"([^"]*)"')
_FAILED_HOST = re.compile(r'host "([^"]{1,100})"')
_GUESSED = (
    ("42501", re.compile(r"permission denied|must be (?:owner|superuser|member)|权限不够|权限被拒绝|必须是")),
    ("28P01", re.compile(r"(?:password|SCRAM|MD5) authentication failed|Password 认证失败|密码认证失败", re.IGNORECASE)),
    (
        "28000",
        re.compile(r'no pg_hba\.conf entry|role ".*" does not exist|authentication failed|is not permitted to log in|pg_hba'),
    ),
    ("3D000", re.compile(r'database ".*" does not exist')),
    ("53300", re.compile(r"too many (?:connections|clients)|remaining connection slots")),
    ("57014", re.compile(r"canceling statement due to")),
    ("57P01", re.compile(r"terminating connection due to administrator command")),
    ("57P03", re.compile(r"the database system is (?:starting up|shutting down|in recovery)")),
    ("42P01", re.compile(r'relation ".*" does not exist')),
    ("42703", re.compile(r'column ".*" does not exist')),
    ("42601", re.compile(r"syntax error at|语法错误")),
    ("23505", re.compile(r"duplicate key value violates")),
    ("40P01", re.compile(r"deadlock detected")),
)
_LOGON_STATES = frozenset({"28P01", "28000", "3D000", "53300", "57P03", "08P01"})
_FAILED = frozenset({"ERROR", "FATAL", "PANIC"})
_ENDS = re.compile(r"(?:>|\"|,\[not logged\]|[>\"],\d{1,15})\s*\Z")
_NOT_TOLD = frozenset({"<none>", "<not logged>", ""})


def read_row(row: Row, place: Place, clock: Clock, form: str, doubts: tuple[str, ...] = ()) -> AuditRecord | str:
    """The record of a row, or the name of the noise that it is."""
    message = row.get("message", "")
    if (at := message.find("AUDIT: ")) >= 0 and at < 3:
        facts = _pgaudit(message[at + 7 :])
    elif row.get("error_severity", "") in _FAILED:
        facts = _failure(row, message)
    else:
        facts = _event(row, message)
    if isinstance(facts, str):
        return facts
    moment = clock.read(row.get("log_time", ""))
    told = tuple(dict.fromkeys(d for d in (*doubts, facts.pop("doubt", ""), moment.doubt, _no_time(row, moment)) if d))
    return AuditRecord(**(_who(row) | _timed(moment) | facts), format=form, source="postgresql", **place._asdict(), doubts=told)


def is_unfinished(message: str) -> bool:
    """True for a row of pgaudit that ends inside a quote, or before its parameters."""
    if not message.startswith("AUDIT: "):
        return False
    return message.count('"') % 2 == 1 or (message.count(",") < 8 and not _ENDS.search(message))


def is_finished(message: str) -> bool:
    """True for a row of pgaudit that ends with its parameters."""
    return message.count('"') % 2 == 0 and _ENDS.search(message) is not None


def _no_time(row: Row, moment: Moment) -> str:
    return "the time cannot be read" if moment.time is None and row.get("log_time") else ""


def _timed(moment: Moment) -> dict[str, Any]:
    return {"event_time": moment.time, "zone": moment.zone if moment.time else Zone.NONE, "year_assumed": moment.year_assumed}


def _who(row: Row) -> dict[str, Any]:
    transaction = row.get("transaction_id", "")
    return {
        "server": row.get("server", ""),
        "account": row.get("user_name", ""),
        "database": row.get("database_name", ""),
        "process_id": row.get("process_id", ""),
        "session_id": row.get("session_id", ""),
        "entry_id": row.get("session_line_num", ""),
        "transaction_id": "" if transaction == "0" else transaction,
        "client_address": row.get("remote_host", ""),
        "client_port": _port(row.get("remote_port", "")),
        "program": row.get("application_name", ""),
        "severity": row.get("error_severity", ""),
    }


def _port(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _pgaudit(text: str) -> dict[str, Any] | str:
    """A row of pgaudit: SESSION,statement,substatement,class,command,type,object,statement,parameters[,rows]."""
    cells, doubt = _cells(text), ""
    if len(cells) < 8:
        return {"dialect": "pgaudit", "comment": mask_secrets(text), "doubt": "a row of pgaudit with too few fields"}
    if len(cells) > 10:
        cells = [*cells[:7], ",".join(cells[7:-1]), cells[-1]]
        doubt = "a row of pgaudit with unquoted commas"
    rows = cells[9] if len(cells) > 9 else ""
    schema, name = split_name(cells[6])
    parameters = cells[8] if len(cells) > 8 else ""
    facts: dict[str, Any] = {
        "dialect": "pgaudit",
        "kind": cells[3],
        "statement_id": cells[1],
        "entry_id": cells[2],
        "doubt": doubt,
    }
    facts |= {"policies": (cells[0],), "action": " ".join(cells[4].upper().split()), "object_type": cells[5]}
    facts |= {"object_schema": schema, "object_name": name}
    facts |= {"statement": "" if cells[7] in ("<previously logged>", "<not logged>") else mask_secrets(cells[7])}
    facts |= {"binds_present": None if parameters == "<not logged>" else parameters not in _NOT_TOLD, "succeeded": None}
    return facts | ({"rows": int(rows)} if rows.isascii() and rows.isdigit() and len(rows) < 16 else {})


def _cells(text: str) -> list[str]:
    try:
        return _cells_over_lines(text)
    except csv.Error:
        return text.split(",")


def _cells_over_lines(text: str) -> list[str]:
    rows = list(csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)) or [[]]
    cells = rows[0]
    for row in rows[1:]:  # an unquoted line end: pgaudit quotes them, other hands do not
        cells = [*cells[:-1], f"{cells[-1] if cells else ''}\n{row[0]}", *row[1:]] if row else cells
    return cells


def _failure(row: Row, message: str) -> dict[str, Any]:
    """ERROR, FATAL and PANIC: by SQLSTATE, or by the message's words where the log has none."""
    state, doubt = row.get("sql_state_code", ""), ""
    if not state:
        state = next((code for code, words in _GUESSED if words.search(message)), "")
        doubt = "SQLSTATE by the words of the message" if state else "no SQLSTATE stands in this log"
    statement = row.get("query", "")
    facts: dict[str, Any] = {"dialect": "error", "kind": "ERROR", "return_code": state, "succeeded": False, "doubt": doubt}
    facts |= {"comment": mask_secrets(message), "statement": mask_secrets(statement), "action": _verb(row, statement)}
    if row.get("error_severity") == "FATAL" and not statement and state in _LOGON_STATES:
        facts |= {"action": "LOGON", "kind": "CONNECTION"}
        if not row.get("remote_host") and (host := _FAILED_HOST.search(message)):
            facts["client_address"] = host[1]
        if not row.get("user_name") and (found := _FAILED_USER.search(message)):
            facts["account"] = found[1] or found[2] or found[3] or ""
    return facts


def _verb(row: Row, statement: str) -> str:
    tag = row.get("command_tag", "")
    return tag.upper() if tag not in _IDLE else verb_of(statement)


def _event(row: Row, message: str) -> dict[str, Any] | str:
    """A message that is no failure: a statement, a plan, a session's begin or end; else it is noise."""
    if found := _DURATION.match(message):
        rest = message[found.end() :]
        if not rest:
            return "a duration without its statement"
        if plan := _PLAN.match(rest):
            return _plan(row, rest[plan.end() :], float(found[1]))
        if text := _STATEMENT.match(rest):
            return _statement(row, rest[text.end() :], {"duration_ms": float(found[1])})
    if text := _STATEMENT.match(message):
        return _statement(row, message[text.end() :], {})
    if found := _CONNECTION.match(message):
        action = {"received": "CONNECTION", "authenticated": "AUTHENTICATE", "authorized": "LOGON"}[found[1]]
        return _session(row, message[found.end() :], action, {})
    if found := _DISCONNECTION.match(message):
        seconds = int(found[1] or 0) * 3600 + int(found[2]) * 60 + float(found[3])
        return _session(row, message[found.end() :], "LOGOFF", {"duration_ms": seconds * 1000})
    if found := _PARAMETER.match(message):
        return {"dialect": "server", "kind": "CONFIGURATION", "action": "SET PARAMETER", "object_type": "PARAMETER"} | (
            {"object_name": found[1], "comment": mask_secrets(f"{found[1]} = {found[2] or ''}"), "succeeded": True}
        )
    return f"a message of the server ({row.get('error_severity', '') or 'LOG'})"


def _statement(row: Row, text: str, facts: dict[str, Any]) -> dict[str, Any]:
    detail = row.get("detail", "")
    binds = True if re.match(r"(?:parameters|Parameters|参数)", detail) else None
    verb = _verb(row, text)
    return facts | {"dialect": "log_statement", "action": verb, "statement": mask_secrets(text), "binds_present": binds}


_SESSION_WORDS = (
    ("account", "user_name", "user"),
    ("database", "database_name", "db"),
    ("database", "database_name", "database"),
    ("client_address", "remote_host", "host"),
    ("program", "application_name", "application_name"),
)


def _session(row: Row, text: str, action: str, facts: dict[str, Any]) -> dict[str, Any]:
    """Who came how. The log's own columns go before its words, and the first word before a later one: names hold anything."""
    told: dict[str, str] = {}
    for m in _PAIR.finditer(text):
        told.setdefault(m[1], m[2] if m[2] is not None else m[3])
    facts |= {"dialect": "connection", "kind": "CONNECTION", "action": action, "comment": mask_secrets(text)}
    facts["succeeded"] = None if action == "CONNECTION" else True
    for name, column, key in _SESSION_WORDS:
        if told.get(key) and not row.get(column):
            facts.setdefault(name, told[key])
    if told.get("identity"):
        facts |= {"external_user": told["identity"], "authentication": told.get("method", "")}
    if (port := _port(told.get("port", ""))) is not None:
        facts["client_port"] = port
    return facts


_TEXT_NODE = re.compile(
    r"(?:Scan(?: Backward)?(?: using \S+)?|Insert|Update|Delete|Merge) on (\"[^\"]+\"(?:\.\"[^\"]+\")?|[^\s(]+)"
)
_TEXT_ROWS = re.compile(r"^([^\n(]{0,300}).{0,100}?\(actual [^)]{0,60}\brows=(\d{1,15})(?:\.\d{1,3})? ", re.MULTILINE)
_TEXT_CHANGE = re.compile(r"^\s*(?:->\s+)?(Insert|Update|Delete|Merge) on ", re.MULTILINE)
_CHANGES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
_CHANGE_NODE = re.compile(r"\s*(?:Insert|Update|Delete|Merge) on ")
_QUERY_TEXT = re.compile(
    r"Query Text: (.*?)(?=\n(?:Query (?:Parameters|Identifier): |\S.*\(cost=|\S+(?: \S+)* on |\Z)|\Z)", re.DOTALL
)


def _plan(row: Row, text: str, duration_ms: float) -> dict[str, Any]:
    """A plan of auto_explain, as JSON or as text: statement and every relation that it reads or writes."""
    facts: dict[str, Any] = {"dialect": "auto_explain", "duration_ms": duration_ms}
    try:
        plan = json.loads(text) if text.lstrip().startswith("{") else None
    except (ValueError, RecursionError):
        plan, facts["doubt"] = None, "a plan that is no JSON"
    if isinstance(plan, dict):
        query, (objects, changes) = str(plan.get("Query Text", "")), _relations(plan.get("Plan"))
        facts["rows"] = _actual_rows(plan.get("Plan"))
        facts["binds_present"] = True if plan.get("Query Parameters") else None
    else:
        found = _QUERY_TEXT.search(text)
        query, objects = found[1] if found else "", [m[1] for m in _TEXT_NODE.finditer(text)]
        changes = _TEXT_CHANGE.findall(text, found.end() if found else 0)
        facts["binds_present"] = True if "\nQuery Parameters: " in text else None
        facts["rows"] = next((int(m[2]) for m in _TEXT_ROWS.finditer(text) if not _CHANGE_NODE.match(m[1])), None)
    objects = list(dict.fromkeys(objects))
    schema, name = split_name(objects[0]) if objects else ("", "")
    facts |= {"statement": mask_secrets(query.strip()), "action": _deed_of_plan(row, query, changes), "objects": tuple(objects)}
    return facts | {"object_schema": schema, "object_name": name, "object_type": "TABLE" if name else ""}


def _deed_of_plan(row: Row, query: str, changes: list[str]) -> str:
    """What the plan itself does: the log tells the session's command, which is another one inside functions and in WITH."""
    if changes:
        return changes[0].upper()
    told = _verb(row, query)
    return "SELECT" if told in _CHANGES else told


def _actual_rows(top: Any) -> int | None:
    """Rows that a statement read or changed, where the plan was measured: a change itself returns none, its source does."""
    while isinstance(top, dict) and top.get("Node Type") == "ModifyTable" and isinstance(top.get("Plans"), list) and top["Plans"]:
        top = top["Plans"][0]
    rows, loops = (top.get("Actual Rows"), top.get("Actual Loops", 1)) if isinstance(top, dict) else (None, 1)
    if not isinstance(rows, int | float) or not isinstance(loops, int | float) or not 0 <= rows * loops < 1e15:
        return None
    return int(rows * loops)


def _relations(top: Any) -> tuple[list[str], list[str]]:
    """schema.name of every node that has a relation, a changed table first, and the changes. No recursion: plans can be deep."""
    changed, read, deeds, todo = [], [], [], [top]
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo += reversed(node)
        elif isinstance(node, dict):
            if name := node.get("Relation Name"):
                full = f"{node['Schema']}.{name}" if node.get("Schema") else str(name)
                (changed if node.get("Node Type") == "ModifyTable" else read).append(full)
            if node.get("Node Type") == "ModifyTable" and str(node.get("Operation", "")).upper() in _CHANGES:
                deeds.append(str(node["Operation"]))
            todo.append(node.get("Plans"))
    return changed + read, deeds

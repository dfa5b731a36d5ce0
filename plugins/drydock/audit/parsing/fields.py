"""From named fields to a record: one way for every trail and export that names its fields.

A field's name says what it holds (include/audit/columns.yaml); the first name with a value wins. Oracle Database Reference:
UNIFIED_AUDIT_TRAIL, DBA_AUDIT_TRAIL, DBA_FGA_AUDIT_TRAIL, V$XML_AUDIT_TRAIL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from drydock.audit.parsing.names import action_name, action_number, columns, folded, privilege_name, words
from drydock.audit.parsing.records import AuditRecord
from drydock.audit.parsing.texts import mask_secrets, split_name, verb_of
from drydock.audit.parsing.times import NOWHEN, Clock, Moment

MOST_EXTRA, LONGEST_NAME, LONGEST_EXTRA = 60, 100, 4_000
_NOTHING = frozenset({"", "NULL", "null", "(null)", "\\N", "<NULL>", "<null>"})
_HOST = re.compile(r"\(\s*HOST\s*=\s*([^)]{1,300}?)\s*\)", re.IGNORECASE)
_PORT = re.compile(r"\(\s*PORT\s*=\s*(\d{1,5})\s*\)", re.IGNORECASE)
_PROXY = re.compile(r"Authenticated by: PROXY:? *([^;,]+)|\(PROXY=\(?([^)]+)\)", re.IGNORECASE)
_CODE = re.compile(r"\s*(?:ORA-)?0*(\d{1,9})\s*\Z|\s*ORA-0*(\d{1,5})\b", re.IGNORECASE)
_SQLSTATE = re.compile(r"[0-9A-Z]{5}\Z")
_WORDS = words("outcomes.yaml")
_GOOD = frozenset(_WORDS["good"])
_BAD = frozenset(_WORDS["bad"])
_ACTION_WORDS = {word: name for name, listed in words("action_words.yaml").items() for word in listed}
_STATEMENT_TYPES = {1: "SELECT", 2: "INSERT", 4: "UPDATE", 8: "DELETE"}
_KINDS = {"1": "Standard", "2": "FineGrainedAudit", "4": "SYS", "8": "Mandatory"}
_COPIED = tuple(
    name
    for name in AuditRecord.model_fields
    if name in {held for held, _ in columns().values()}
    and name not in ("event_time", "received_time", "rows", "policies", "statement", "comment", "client_port", "privilege")
    and name not in ("action", "action_number", "return_code", "object_schema", "object_name", "client_address", "database_id")
)


class Place(NamedTuple):
    """Where a record stands in the input, and how its bytes were read."""

    line: int
    lines: int
    offset: int
    encoding: str = "utf-8"


class Held(dict[str, str]):
    """What is held, by its name of columns.yaml; `extra` has the fields that have no name there, or lost to a better one."""

    def __init__(self, *args: Any, **named: str) -> None:
        super().__init__(*args, **named)
        self.extra: dict[str, str] = {}

    def put_aside(self, name: str, value: str) -> None:
        if len(self.extra) < MOST_EXTRA:
            self.extra[name[:LONGEST_NAME]] = mask_secrets(value[:LONGEST_EXTRA])


def held_of(fields: Iterable[tuple[str, str]], own: dict[str, str] | None = None) -> Held:
    """Sort named fields by what they hold; `own` (folded names) is a mapping file's word and goes before the list."""
    known, held, ranks, names = columns(), Held(), dict[str, int](), dict[str, str]()
    for name, value in fields:
        key = folded(name)
        what, rank = (own[key], -1) if own and key in own else known.get(key, ("", 0))
        value = value.strip()
        if value in _NOTHING:
            if what == "binds":
                held.setdefault("binds", "")
        elif not what:
            held.put_aside(name, value)
        elif what not in held or rank < ranks.get(what, 1_000) or not held[what]:
            if held.get(what) and what != "binds":
                held.put_aside(names[what], held[what])
            held[what], ranks[what], names[what] = value, rank, name
        elif value != held[what] and what != "binds":
            held.put_aside(name, value)
    return held


def moment_of(held: Held, clock: Clock) -> Moment:
    """The event's time: a column that is UTC by definition goes before all others."""
    if utc := held.get("event_time_utc"):
        moment = clock.read(utc, is_utc=True)
        if moment.time is not None:
            return moment
    told = held.get("event_time", "")
    moment = clock.read(told)
    if told and moment.time is None:
        return NOWHEN._replace(doubt="the time cannot be read")
    return moment


def record_of(held: Held, place: Place, clock: Clock, doubts: Iterable[str] = (), **facts: Any) -> AuditRecord:
    """The record of what is held. `facts` (format, source, dialect, server, process_id, …) hold where the fields say nothing."""
    moment = facts.pop("moment", None) or moment_of(held, clock)
    received = clock.read(held["received_time"]) if "received_time" in held else None
    values: dict[str, Any] = {name: held[name] for name in _COPIED if name in held}
    values |= _action(held) | _outcome(held) | _object(held) | _client(held, values) | _figures(held)
    values["database_id"] = held.get("database_id", "")
    values["privilege"] = _privilege(held.get("privilege", ""))
    values["policies"] = _policies(held)
    values["kind"] = held.get("audit_type", "")
    if facts.get("format") == "oracle_xml":
        values["kind"] = _KINDS.get(values["kind"], values["kind"])
    values["extra"] = held.extra
    values["comment"] = mask_secrets(held.get("comment", ""))
    values["binds_present"] = bool(held["binds"]) if "binds" in held else None
    values |= {"event_time": moment.time, "zone": moment.zone, "year_assumed": moment.year_assumed}
    values["received_time"] = facts.pop("received_time", None) or (received.time if received else None)
    for name, fact in facts.items():
        values[name] = values.get(name) or fact
    told = tuple(dict.fromkeys(d for d in (*doubts, moment.doubt, values.pop("doubt", "")) if d))
    return AuditRecord(**values, **place._asdict(), doubts=told)


def _action(held: Held) -> dict[str, Any]:
    """Name and number of the action, and the statement: SYS records carry the statement as ACTION."""
    statement, name, number = held.get("statement", ""), held.get("action", ""), None
    told = held.get("action_number", "")
    if told.isascii() and told.isdigit() and len(told) < 6:
        number = int(told)
        name = name or action_name(number)
    elif told and (told.upper() in ("CONNECT", "DISCONNECT") or action_number(told.upper()) is not None):
        name = name or told
    elif told:
        statement = statement or told
    if name.isascii() and name.isdigit() and len(name) < 6:
        number, name = int(name), action_name(int(name))
    kind = held.get("statement_type_number", "")
    if not name and not number and kind.isascii() and kind.isdigit() and len(kind) < 4:
        name = _STATEMENT_TYPES.get(int(kind), "")
    name = " ".join(name.upper().split()) or verb_of(statement)
    name = _ACTION_WORDS.get(name, name)
    return {
        "action": name,
        "action_number": number if number is not None else action_number(name),
        "statement": mask_secrets(statement),
    }


def _outcome(held: Held) -> dict[str, Any]:
    told = held.get("return_code", "")
    if not told:
        return {}
    if found := _CODE.match(told):
        code = str(int(found[1] or found[2]))
        return {"return_code": code, "succeeded": code == "0"}
    word = told.lower()
    if word in _GOOD or word in _BAD:
        return {"return_code": "0" if word in _GOOD else "", "succeeded": word in _GOOD}
    if _SQLSTATE.match(told):
        return {"return_code": told, "succeeded": False}
    return {"return_code": told}


def _object(held: Held) -> dict[str, Any]:
    schema, name = held.get("object_schema", ""), held.get("object_name", "")
    if not schema and "." in name and "," not in name and " " not in name and "/" not in name:
        schema, name = split_name(name)
    return {"object_schema": schema, "object_name": name}


def _client(held: Held, values: dict[str, Any]) -> dict[str, Any]:
    """Address and port: in a column of its own, or inside the authentication or the comment."""
    client: dict[str, Any] = {}
    for text in (held.get("client_address", ""), held.get("authentication", ""), held.get("comment", "")):
        if found := _HOST.search(text):
            client["client_address"] = found[1]
            port = _PORT.search(text, found.start())
            client["client_port"] = int(port[1]) if port else None
            break
        if text and text is held.get("client_address") and not text.startswith("("):
            client["client_address"] = text
            break
    if "client_port" not in client and held.get("client_port", "").isdigit() and len(held["client_port"]) < 6:
        client["client_port"] = int(held["client_port"])
    if not values.get("proxy_user") and (found := _PROXY.search(held.get("authentication") or held.get("comment", ""))):
        client["proxy_user"] = (found[1] or found[2]).strip()
    return client


def _figures(held: Held) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name, factor in (("duration_us", 0.001), ("duration_ms", 1.0), ("duration_s", 1000.0)):
        if (value := _number(held.get(name, ""))) is not None:
            figures["duration_ms"] = value * factor
    if (rows := _number(held.get("rows", ""))) is not None and abs(rows) < 1e15:
        figures["rows"] = int(rows)
    return figures


def _number(text: str) -> float | None:
    text = text.replace(",", "")
    return float(text) if re.fullmatch(r"-?\d{1,15}(\.\d{1,9})?", text, re.ASCII) else None


def _privilege(told: str) -> str:
    if told.isascii() and told.lstrip("-").isdigit() and len(told) < 6:
        return privilege_name(abs(int(told))) or told
    return "" if told.upper() == "NONE" else told


def _policies(held: Held) -> tuple[str, ...]:
    names = [name.strip() for name in held.get("policies", "").split(",")] + [held.get("fga_policy", "")]
    return tuple(dict.fromkeys(name for name in names if name))

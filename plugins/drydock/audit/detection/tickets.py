"""Change tickets of the site, a CSV that is exported from its own system: who was allowed to do what, when, to what.

Columns (English or Chinese header, any order): `ticket` 工单号, `begin` 开始时间, `end` 结束时间 (local time of the database, or
with an offset), `accounts` 账号, `objects` 对象, `actions` 操作 (shell patterns, separated by `;` or `、`; empty: any),
`database` 数据库 (id in the estate; empty: any), `approver` 批准人, `title` 标题. A ticket without approver or accounts explains
nothing.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import AwareDatetime

from drydock import settings
from drydock.audit.parsing.texts import decode
from drydock.estate import Database
from drydock.verdicts import CleanText, Model

NAMES = {
    "ticket": ("ticket", "id", "number", "工单号", "编号"),
    "begin": ("begin", "start", "from", "开始时间", "计划开始时间"),
    "end": ("end", "finish", "to", "结束时间", "计划结束时间"),
    "accounts": ("accounts", "account", "账号", "数据库账号"),
    "objects": ("objects", "object", "对象", "操作对象"),
    "actions": ("actions", "action", "操作", "操作类型"),
    "database": ("database", "db", "数据库"),
    "approver": ("approver", "approved_by", "批准人", "审批人"),
    "title": ("title", "subject", "标题", "事由"),
}
MOST_BYTES = 64 * 1024 * 1024


class Ticket(Model):
    """One approved change. Patterns are empty where the ticket leaves them open."""

    ticket: CleanText
    begin: AwareDatetime
    end: AwareDatetime
    accounts: tuple[str, ...]
    objects: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    approver: CleanText
    title: CleanText = ""


class Tickets(NamedTuple):
    """The tickets of a database, and what could not be used: line and reason, or the file's."""

    tickets: tuple[Ticket, ...]
    unused: tuple[str, ...]


def no_tickets() -> Tickets:
    return Tickets((), ())


def read_tickets(place: str, database: Database) -> Tickets:
    """The tickets of that database in the CSV at `place` (`${DRYDOCK_STATE}` is filled in). Never raises: `unused` tells."""
    if not place:
        return no_tickets()
    path = Path(place.replace("${DRYDOCK_STATE}", str(settings.state_dir())))
    try:
        if path.stat().st_size > MOST_BYTES:
            return Tickets((), (f"{path.name}: larger than {MOST_BYTES} bytes",))
        text, _ = decode(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
        return _read(text, path.name, database)
    except (OSError, csv.Error) as e:
        return Tickets((), (f"{path.name}: cannot be read ({getattr(e, 'strerror', None) or type(e).__name__})",))


def _read(text: str, name: str, database: Database) -> Tickets:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    columns = _columns(next(rows, []))
    missing = [field for field in ("ticket", "begin", "end", "accounts", "approver") if field not in columns]
    if missing:
        return Tickets((), (f"{name}: no column for {', '.join(missing)}",))
    tickets, unused = [], []
    for cells in rows:
        told = {field: cells[at].strip() if at < len(cells) else "" for field, at in columns.items()}
        if not any(told.values()) or told.get("database", "") not in ("", database.id):
            continue
        made = _ticket(told, database)
        (tickets.append(made) if isinstance(made, Ticket) else unused.append(f"{name} line {rows.line_num}: {made}"))
    return Tickets(tuple(tickets), tuple(unused))


def _delimiter(text: str) -> str:
    head = text.split("\n", 1)[0]
    return max(",;\t", key=head.count)


def _columns(header: list[str]) -> dict[str, int]:
    """Field -> place of its column."""
    plain = [re.sub(r"[\s_]+", "", cell).lower() for cell in header]
    found = {}
    for field, names in NAMES.items():
        at = next((plain.index(n.replace("_", "")) for n in names if n.replace("_", "") in plain), None)
        if at is not None:
            found[field] = at
    return found


def _ticket(told: dict[str, str], database: Database) -> Ticket | str:
    """The ticket of a row, or why it explains nothing."""
    if not told["ticket"]:
        return "it has no number"
    if not told["approver"]:
        return "nobody approved it"
    accounts = tuple(_patterns(told["accounts"]))
    if not accounts or accounts == ("*",):
        return "it names no account"
    begin, end = (_time(told[field], database) for field in ("begin", "end"))
    if begin is None or end is None or end <= begin:
        return "its begin and end are no span of time"
    open_ends = {"objects": tuple(_patterns(told.get("objects", ""))), "actions": tuple(_actions(told.get("actions", "")))}
    return Ticket(
        ticket=told["ticket"],
        begin=begin,
        end=end,
        accounts=accounts,
        **open_ends,
        approver=told["approver"],
        title=told.get("title", ""),
    )


def _patterns(cell: str) -> Iterator[str]:
    return (part.lower() for part in re.split(r"[\s;；、,，|]+", cell) if part)


def _actions(cell: str) -> Iterator[str]:
    """Names of actions hold blanks: CREATE INDEX is one."""
    return (" ".join(part.lower().split()) for part in re.split(r"[;；、,，|\r\n]+", cell) if part.strip())


def _time(cell: str, database: Database) -> datetime | None:
    try:
        time = datetime.fromisoformat(cell.replace("/", "-"))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=database.zone)

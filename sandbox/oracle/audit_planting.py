"""Auditing of the sandbox's Oracle target: policies, a trail of some days with misdeeds on the last, and what comes later.

The rows of a day are the same however often they are made. What real sessions do (Drydock's own, or those of whoever logs on) is
written to a file beside, so that a warm start knows it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from sandbox.oracle.audit_deeds import PLANTED
from sandbox.oracle.audit_life import CORE, LOGONS, SENSITIVE, Deed, Did, Scribe, Way, rows_of_day
from sandbox.oracle.model.auditing import Policy, Row, at, auditing_of, take_room
from sandbox.oracle.model.database import Account, OracleDatabase, SessionState
from sandbox.oracle.model.storage import storage_of

SPACE, PAST_ROWS = "SYSAUX", 20_000
ACTIONS = [
    "LOGON",
    "LOGOFF",
    "GRANT",
    "REVOKE",
    "CREATE USER",
    "ALTER USER",
    "DROP USER",
    "ALTER SYSTEM",
    "SET ROLE",
    "CREATE TABLE",
]
ACTIONS += ["CREATE INDEX", "TRUNCATE TABLE", "ALTER TRIGGER", "CREATE DATABASE LINK"]
TABLES = ("DEC_HEAD", "DEC_RECEIPT", "DEC_CONTAINER", "ENT_CORP_REG", "EXCH_MSG_LOG", "MFT_BILL")
POLICIES = (
    (CORE, ACTIONS),
    (LOGONS, ["LOGON"]),
    (SENSITIVE, [(verb, "GZ_MAIN", table) for verb in ("SELECT", "INSERT", "UPDATE", "DELETE") for table in TABLES]),
)
ADDRESS = "127.0.0.1"

IsWorkday = Callable[[date], bool]


@dataclass
class TrailLife:
    """How the trail of one database goes on. `misdeeds`: what is done on which day."""

    database: OracleDatabase
    is_workday: IsWorkday
    misdeeds: dict[date, list[tuple[time, Deed]]] = field(default_factory=dict)
    silent: dict[date, tuple[int, ...]] = field(default_factory=dict)
    instances: tuple[int, ...] = (1,)
    lived_until: datetime | None = None

    def rows(self, day: date) -> list[Row]:
        database, more = self.database, self.misdeeds.get(day, ())
        known = (day, database.zone, database.dbid, self.is_workday(day))
        return rows_of_day(*known, more, self.silent.get(day, ()), self.instances)

    def live_until(self, moment: datetime) -> None:
        """Add what was written since; nothing where it is past already."""
        since = self.lived_until
        if since is None or moment <= since:
            return
        zone, found = self.database.zone, []
        day, last = since.astimezone(zone).date(), moment.astimezone(zone).date()
        while day <= last:
            found += [row for row in self.rows(day) if since <= at(row) < moment]
            day += timedelta(days=1)
        with self.database.lock:
            auditing_of(self.database).unified += found
            self.lived_until = moment

    def catch_up(self) -> None:
        """Up to the next full minute that is over: a second has nothing of its own."""
        moment = self.database.clock.now().replace(second=0, microsecond=0)
        if self.lived_until is None or moment > self.lived_until:
            self.live_until(moment)


def plant_trail(
    database: OracleDatabase, born_at: datetime, days: int, is_workday: IsWorkday, folder: Path | None = None
) -> TrailLife:
    """Auditing as the sandbox's policy declares it, whole days before the birth, the newest of them with every misdeed."""
    switch_on(database)
    today = born_at.astimezone(database.zone).date()
    life = TrailLife(database, is_workday, {today - timedelta(days=1): [(p.at, p.do) for p in PLANTED]})
    life.lived_until = datetime.combine(today - timedelta(days=days), time(0), database.zone)
    life.live_until(database.clock.now().replace(second=0, microsecond=0))
    if folder is not None:
        keep_sessions(database, folder / "audited")
    return life


def switch_on(database: OracleDatabase) -> None:
    """Pure unified auditing with policies of the site, and room for years in SYSAUX."""
    database.options["Unified Auditing"] = True
    database.parameters |= {
        "audit_trail": "NONE",
        "audit_sys_operations": "TRUE",
        "audit_file_dest": "/u01/app/oracle/admin/adump",
    }
    database.accounts.setdefault("AUDSYS", Account("AUDSYS", "", set(), "LOCKED"))
    auditing_of(database).policies = [Policy(name, list(actions)) for name, actions in POLICIES]
    take_room(database, PAST_ROWS, SPACE if SPACE in storage_of(database).spaces else "")


def keep_sessions(database: OracleDatabase, file: Path) -> None:
    """Audit real sessions: what the file remembers comes back, and each LOGON and LOGOFF is added to both."""
    trail = auditing_of(database)
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        trail.unified.append(_row_of(database, json.loads(line)))

    def write(session: SessionState, action: str) -> None:
        told = {"at": database.clock.now().isoformat(), "account": session.user, "action": action, "client": session.client}
        told |= {"number": session.sid * 10_000 + session.serial}
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(told) + "\n")
        trail.unified.append(_row_of(database, told))

    trail.write_session = write


def _row_of(database: OracleDatabase, told: dict[str, Any]) -> Row:
    client, moment = told["client"], datetime.fromisoformat(told["at"])
    way = Way(told["account"], client["program"][:48], client["machine"], client["osuser"], ADDRESS)
    scribe = Scribe(moment.astimezone(database.zone).date(), database.zone, database.dbid)
    scribe.now = moment
    entry = 1 if told["action"] == "LOGON" else 2
    scribe.write(
        way, Did(told["action"]), {"SESSIONID": told["number"], "ENTRY_ID": entry, "STATEMENT_ID": entry, "INSTANCE_ID": 1}
    )
    return scribe.rows[0]

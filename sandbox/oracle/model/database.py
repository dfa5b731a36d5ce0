"""One simulated Oracle database: who may log on, what time it is, and the parts that hold its state.

The parts are made by their own modules (backup repository, tables and their storage); views, PL/SQL procedures and
statements find them here. Everything that reads or changes state holds `lock`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo


class Clock:
    """The database's clock. It runs with the machine's, moved by `offset`; a test lets time pass with `advance`."""

    def __init__(self, start: datetime | None = None) -> None:
        self.offset = (start - datetime.now(UTC)) if start else timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def advance(self, span: timedelta) -> None:
        self.offset += span


@dataclass
class Account:
    """A user: `privileges` are system privileges ('CREATE SESSION') and object ones ('SELECT V_$DATABASE')."""

    name: str
    password: str
    privileges: set[str] = field(default_factory=set)
    status: str = "OPEN"


@dataclass
class SessionState:
    """A logged-on session, a row of V$SESSION."""

    sid: int
    serial: int
    user: str
    service: str
    logged_on_at: datetime
    client: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    backend: Any = None
    is_killed: bool = False


@dataclass
class ScriptedError:
    """An error that a test wants: the next `times` statements that match `pattern` (a regular expression) fail with it."""

    pattern: str
    code: int
    message: str
    times: int = 1


@dataclass
class OracleDatabase:
    """The whole. `parameters`: V$PARAMETER by name; `options`: V$OPTION by name."""

    name: str
    dbid: int
    unique_name: str = ""
    version: str = "19.25.0.0.0"
    edition: str = "EE"
    is_cdb: bool = False
    time_zone: str = "Asia/Shanghai"
    service: str = ""
    clock: Clock = field(default_factory=Clock)
    accounts: dict[str, Account] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    options: dict[str, bool] = field(default_factory=dict)
    sessions: dict[int, SessionState] = field(default_factory=dict)
    scripted_errors: list[ScriptedError] = field(default_factory=list)
    parts: dict[str, Any] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def sysdate(self) -> datetime:
        """The host's local time without a zone, in whole seconds: what SYSDATE gives."""
        return self.clock.now().astimezone(self.zone).replace(tzinfo=None, microsecond=0)

    def local(self, moment: datetime | None) -> datetime | None:
        """An aware moment as a DATE of this host."""
        return moment and moment.astimezone(self.zone).replace(tzinfo=None, microsecond=0)

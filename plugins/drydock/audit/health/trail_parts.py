"""What the parts of a trail's health are made of, whatever the engine: what was looked at, what was found, who asked in vain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import oracledb
import psycopg
from polars.exceptions import PolarsError

from drydock.audit.oracle.versions import ask_by_version
from drydock.engines.oracle import LogonFailed
from drydock.engines.oracle_admission import NotForThisTarget
from drydock.engines.oracle_errors import code_of
from drydock.verdicts import Figure, Finding, Status

if TYPE_CHECKING:
    from drydock.audit.run import AuditRun

REFUSALS = (psycopg.Error, oracledb.Error, LogonFailed, NotForThisTarget, OSError)
Row = dict[str, Any]


class NotAsked(Exception):
    """A question that the target did not answer; `why` is the code of the error, never its words."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name, self.why = name, why


class Part(NamedTuple):
    """What one question came to: things looked at, findings, figures."""

    examined: int
    findings: tuple[Finding, ...] = ()
    evidence: Mapping[str, Figure] = {}


class Guardian(NamedTuple):
    """An account that can alter the trail, and through what: a role, an attribute, a grant."""

    account: str
    through: str


class Clocks(NamedTuple):
    """The server's clock between two looks at ours."""

    before: datetime
    server: datetime
    after: datetime

    @property
    def apart_s(self) -> float:
        """Seconds that the server is ahead (below 0: behind); 0 where the time that the question took may explain it."""
        if self.server > self.after:
            return (self.server - self.after).total_seconds()
        return min((self.server - self.before).total_seconds(), 0.0)


class Look(Protocol):
    """One engine's answers about its own trail, as it is now. Each raises NotAsked."""

    def on(self) -> Part:
        """Is anything written down at all, for everybody, and with what is needed."""

    def settings(self) -> dict[str, str]:
        """What may be declared: setting or policy -> its value."""

    def spilled(self) -> Part:
        """Records of the interval that the source's own view does not hold where it should."""

    def growth(self) -> Part:
        """Bytes, bytes a day, and days until the room is full."""

    def kept(self) -> Part:
        """Whether the source keeps records until they are collected."""

    def guardians(self) -> tuple[Guardian, ...]: ...

    def account(self) -> str:
        """Who asks."""

    def clocks(self) -> Clocks: ...


def ask(run: AuditRun, name: str, binds: Mapping[str, Any] | None = None) -> list[Row]:
    """Rows of `include/sql/<engine>/audit/<name>.sql`. Raises NotAsked."""
    if run.rows is None:
        raise NotAsked(name, "no connection")
    try:
        return ask_by_version(run.rows, name, binds or {})
    except REFUSALS as e:
        raise NotAsked(name, _code(e)) from e


def told(answer: Callable[[], Part]) -> Part:
    """The answer; where the target refused it, that is what was found."""
    try:
        return answer()
    except NotAsked as e:
        return Part(0, (not_asked(e),))


def stored(answer: Callable[[], Part]) -> Part:
    """What the store's records say; where its files cannot be read, that is what was found (the chain names the file)."""
    try:
        return answer()
    except (PolarsError, OSError) as e:
        return Part(0, (Finding(code="trail_store_unread", status=Status.UNKNOWN, values={"why": type(e).__name__}),))


def not_asked(error: NotAsked) -> Finding:
    return Finding(code="trail_not_asked", status=Status.UNKNOWN, place=error.name, values={"why": error.why})


def _code(error: Exception) -> str:
    """What an error is called, without its words: those may hold values."""
    if isinstance(error, psycopg.Error):
        return error.sqlstate or type(error).__name__
    if isinstance(error, oracledb.Error):
        return code_of(error) or type(error).__name__
    return getattr(error, "code", "") or type(error).__name__

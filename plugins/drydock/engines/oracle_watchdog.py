"""Stops a statement that runs past its deadline, from a second session, and records what it did.

From 18c on ALTER SYSTEM CANCEL SQL ends the statement alone, named by its SQL_ID, so that a later one is never hit;
before, the session is killed. When the second session cannot do it, the driver breaks the call (SQL Language Reference
19c, ALTER SYSTEM; python-oracledb User Guide, Connection.cancel).
"""

from __future__ import annotations

import hashlib
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import oracledb
from pydantic import AwareDatetime

from drydock.engines.oracle import Connect, LogonFailed, OracleSession, RunIdentity, execute, fetch_rows, open_session
from drydock.engines.oracle_errors import classify, code_of
from drydock.engines.oracle_statements import Statement, cancel_sql, kill_session
from drydock.sqlfiles import sql_file
from drydock.verdicts import CleanText, Model

CANCEL_SQL_SINCE = (18,)
_DIGITS = "0123456789abcdfghjkmnpqrstuvwxyz"  # of an SQL_ID: no e, i, l, o


class Intervention(Model):
    """What the watchdog did: `how` it ended the statement, and why it could not do better."""

    how: Literal["cancel_sql", "kill_session", "break", "failed"]
    at: AwareDatetime
    deadline_s: float
    sid: int
    serial: int
    sql_id: str
    refused: CleanText = ""


@dataclass
class Watchdog:
    """Watches one session. `connect` logs on as the account that may stop statements (ALTER SYSTEM)."""

    session: OracleSession
    connect: Connect = field(repr=False)
    interventions: list[Intervention] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _refusal: str = field(
        init=False, repr=False, default=""
    )  # a logon that was refused is not tried again: it would lock the account

    @contextmanager
    def watching(self, text: str, deadline_s: float) -> Iterator[None]:
        """While this block runs the statement `text`, stop it after `deadline_s` seconds.

        The statement's own error (ORA-01013, ORA-00028) then comes up in the block.
        """
        instance = _instance(self.session)
        watched, over = self.session.connection, threading.Event()
        timer = threading.Timer(deadline_s, self._intervene, (text, deadline_s, instance, watched, over))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            with self._lock:  # an intervention that has begun is waited for: it must not reach the next statement
                over.set()
            timer.cancel()

    def _intervene(
        self, text: str, deadline_s: float, instance: int | None, watched: oracledb.Connection, over: threading.Event
    ) -> None:
        with self._lock:
            if over.is_set():
                return
            connection = self.session.connection
            sid, serial, statement_id = connection.session_id, connection.serial_num, sql_id(text)
            if connection is watched:
                how, refused = self._stop(sid, serial, instance, statement_id)
            else:  # it logged on anew, perhaps to another instance, where its old numbers are somebody else's
                how, refused = self._break("the session was renewed")
            self.interventions.append(
                Intervention(
                    how=how,
                    at=datetime.now(UTC),
                    deadline_s=deadline_s,
                    sid=sid,
                    serial=serial,
                    sql_id=statement_id,
                    refused=refused,
                )
            )

    def _stop(
        self, sid: int, serial: int, instance: int | None, statement_id: str
    ) -> tuple[Literal["cancel_sql", "kill_session", "break", "failed"], str]:
        is_cancel = self.session.version >= CANCEL_SQL_SINCE
        stop = cancel_sql(sid, serial, instance, statement_id) if is_cancel else kill_session(sid, serial, instance)
        if self._refusal:
            return self._break(self._refusal)
        try:
            self._tell(stop)
        except LogonFailed as e:
            self._refusal = "" if e.may_pass else e.code
            return self._break(e.code)
        except oracledb.Error as e:
            return self._break(code_of(e))
        return ("cancel_sql" if is_cancel else "kill_session"), ""

    def _tell(self, stop: Statement) -> None:
        with open_session(self.connect, RunIdentity("watchdog", self.session.identity.run), limits=self.session.limits) as second:
            execute(second, stop)

    def _break(self, refused: str) -> tuple[Literal["break", "failed"], str]:
        try:
            self.session.connection.cancel()
        except oracledb.Error as e:
            return "failed", f"{refused}, {code_of(e)}"
        return "break", refused


def sql_id(text: str) -> str:
    """The SQL_ID that Oracle gives a statement: the last 64 bits of the MD5 of text and a NUL, in base 32.

    Source of the method: T. Poder, "SQL_ID is just a fancy representation of hash value" (2009).
    """
    high, low = struct.unpack("<8xII", hashlib.md5(text.encode() + b"\0", usedforsecurity=False).digest())
    number = high << 32 | low
    return "".join(_DIGITS[number >> shift & 31] for shift in range(60, -1, -5))


def _instance(session: OracleSession) -> int | None:
    """The instance of the session, for a second session that may land on another one; None: a database that does not tell."""
    try:
        return int(fetch_rows(session, sql_file("oracle", "session", "own_session"))[0]["instance"])
    except oracledb.Error as e:
        if classify(e).retry:
            raise
        return None

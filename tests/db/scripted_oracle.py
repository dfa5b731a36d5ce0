"""A listener whose answers a test writes by hand: for what no database does on demand (slow calls, cut lines, bad logons)."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sandbox.oracle.backend import Bind, Column, OracleError, OraType, Result
from sandbox.oracle.server import OracleServer

USER, PASSWORD, SERVICE = "LOOK", "Look-1", "gzmain"
Answer = Callable[["ScriptedSession", str, Sequence[Bind]], Result]


def table(columns: str, *rows: Sequence[object], kind: OraType = OraType.VARCHAR2, **described: int) -> Result:
    """A result of columns of one type: `table("name value", ("a", "b"))`."""
    return Result([Column(name.upper(), kind, **described) for name in columns.split()], rows)


@dataclass
class Script:
    """Answers by pattern of the statement, first match first; and what was asked, by session."""

    answers: list[tuple[str, Answer | Result]] = field(default_factory=list)
    asked: list[tuple[int, str]] = field(default_factory=list)
    logons: int = 0
    logon_error: OracleError | None = None
    sessions: list[ScriptedSession] = field(default_factory=list)
    sids: Iterator[int] = field(default_factory=lambda: itertools.count(41))

    def on(self, pattern: str, answer: Answer | Result) -> None:
        self.answers.insert(0, (pattern, answer))

    def asked_for(self, word: str) -> list[str]:
        return [sql for _, sql in self.asked if re.search(word, sql, re.I)]

    # the contract of sandbox.oracle.backend.Accounts
    def password_of(self, user: str) -> str | None:
        self.logons += 1
        if self.logon_error:
            raise self.logon_error
        return PASSWORD if user == USER else None

    def service_exists(self, service: str) -> bool:
        return service == SERVICE

    def open_session(self, user: str, service: str, client: dict[str, str]) -> tuple[ScriptedSession, int, int]:
        sid = next(self.sids)
        session = ScriptedSession(self, sid)
        self.sessions.append(session)
        return session, sid, sid + 1000


@dataclass
class ScriptedSession:
    """The contract of sandbox.oracle.backend.Backend over a script."""

    script: Script
    sid: int
    attributes: dict[str, str] = field(default_factory=dict)
    in_transaction: bool = False
    cancelled: threading.Event = field(default_factory=threading.Event)

    def describe(self, sql: str) -> Sequence[Column] | None:
        return self._answer(sql, ()).columns

    def execute(self, sql: str, binds: Sequence[Bind]) -> Result:
        self.script.asked.append((self.sid, sql))
        return self._answer(sql, binds)

    def _answer(self, sql: str, binds: Sequence[Bind]) -> Result:
        for pattern, answer in self.script.answers:
            if re.search(pattern, sql, re.I | re.S):
                return answer(self, sql, binds) if callable(answer) else answer
        if sql.upper().startswith("ALTER SESSION"):
            return Result()
        raise OracleError(942, "table or view does not exist")

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def cancel(self) -> None:
        self.cancelled.set()

    def close(self) -> None: ...


def runs_for(seconds: float) -> Answer:
    """An answer that takes its time, unless it is cancelled."""

    def answer(session: ScriptedSession, sql: str, binds: Sequence[Bind]) -> Result:
        if session.cancelled.wait(seconds):
            session.cancelled.clear()
            raise OracleError(1013, "user requested cancel of current operation")
        return table("a", ("done",))

    return answer


def fails(*errors: Exception, then: Result) -> Answer:
    """An answer that fails with each error once before it comes."""
    left = list(errors)

    def answer(session: ScriptedSession, sql: str, binds: Sequence[Bind]) -> Result:
        if left:
            raise left.pop(0)
        return then

    return answer


@contextmanager
def scripted_server(version: str = "19.25.0.0.0") -> Iterator[tuple[Script, OracleServer]]:
    script = Script()
    with OracleServer(script, version=version) as server:
        yield script, server

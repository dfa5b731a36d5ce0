"""What the pipelines are given to look and to change with, whatever the engine. A pipeline never holds a connection.

`Eyes` only read. `Hands` are made by the gate (`drydock.gate`) for one item: each change goes through it, is written down
before and after, and is refused when an interlock has closed meanwhile. The statements themselves are values of the
engine (`engines.postgres_statements.Statement`, `engines.oracle_statements.Statement`): a file, quoted names, binds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from drydock.estate import Database
from drydock.outcomes import Outcome, PastWork, StatementDone, Verification, Watched
from drydock.plans import Candidate, Found, ObjectRef, WorkItem
from drydock.policy import ChangePolicy
from drydock.sqlfiles import SqlFile
from drydock.verdicts import Figure, Finding, Model, Verdict

Row = dict[str, Any]
PRIVILEGE = "privilege"
"""The engines' word for an error that a missing right gives: it lasts until somebody grants it."""
LOGIN_REFUSED = "login_refused"
"""The word for an account that is not let in: trying again locks it, and mends nothing."""
LASTING = {PRIVILEGE: "privilege_missing", LOGIN_REFUSED: "login_refused"}
"""Of errors that last until somebody does what `needs` tells: class -> reason that an outcome gives."""


class Statement(Protocol):
    """One change as a value: the file it was rendered from; the engine knows how to send it."""

    file: SqlFile


class TargetFigures(Model):
    """What the target says of itself at this moment; None: it does not tell. The interlocks judge these."""

    role: str = ""
    """primary, standby; empty: not known, which closes the gate"""
    open_mode: str = ""
    """read_write, read_only, mounted; empty: not known"""
    sessions_per_core: float | None = None
    longest_transaction_s: float | None = None
    waiting_sessions: int | None = None
    """sessions that wait for a lock"""
    log_position: int | None = None
    """bytes of redo or WAL ever written, as a counter that only grows"""
    archive_free_bytes: int | None = None
    archives_unseen: int = 0
    """places that logs are archived to whose free space nobody can tell; any of them closes the gate"""
    recovery_area_free_bytes: int | None = None
    logs_waiting: int | None = None
    """full redo logs that are not archived yet; 0 where nothing is archived; PostgreSQL does not tell"""
    archivers_down: int | None = None
    """instances whose archiver stands, or failed at its last log; PostgreSQL does not tell"""
    has_standby: bool | None = None
    standby_lag_s: float | None = None
    free_bytes: int | None = None
    """for new segments or files"""
    beside: tuple[str, ...] = ()
    """codes of what runs that must not run beside a change: backup_running, statistics_running, masking_running"""


class GateClosed(Exception):
    """An interlock closed before or during an item. Not an error: the answer is SKIPPED or stopped, with the reason."""

    def __init__(self, answer: Any) -> None:
        super().__init__(answer.reason)
        self.answer = answer


class ChangeFailed(Exception):
    """A statement of an item failed. `code` is the SQLSTATE or ORA- code, `kind` the engine's word for its class."""

    def __init__(self, code: str, kind: str, retry: bool, cause: BaseException | None = None) -> None:
        super().__init__(f"{code} ({kind})")
        self.code, self.kind, self.retry = code, kind, retry
        self.done: StatementDone | None = None  # what the statement cost until it failed, where one was sent
        self.needs = ""  # of a missing right: what must be granted, in the words of a DBA
        self.__cause__ = cause


@contextmanager
def naming_right(file: SqlFile) -> Iterator[None]:
    """Where a right is missing, say which: what the file's header tells that it needs."""
    try:
        yield
    except ChangeFailed as e:
        if e.kind == PRIVILEGE and not e.needs:
            e.needs = f"{file.privileges} ({file.name})"
        raise


class Eyes(Protocol):
    """A session that can only read, on one target."""

    database: Database

    def rows(self, pipeline: str, name: str, binds: Mapping[str, Any] | None = None) -> list[Row]:
        """Rows of `include/sql/<engine>/<pipeline>/<name>.sql`. Raises ChangeFailed."""

    def ask(self, statement: Statement) -> Row:
        """OUT values of a block that only reads (Oracle: DBMS_SPACE, a row probe; its builder says `only_reads`).

        Raises ChangeFailed; ValueError for a statement that may change something, and on an engine without such blocks.
        """

    def figures(self) -> TargetFigures: ...

    def close(self) -> None: ...


class Target(Eyes, Protocol):
    """The session that the gate changes a target with. Only the gate holds one."""

    def take_change_lock(self) -> bool:
        """Take the one lock for changes of this database, at once or not at all; it dies with the session.

        PostgreSQL: an advisory lock of the session; Oracle: DBMS_LOCK.REQUEST, exclusive, not released on commit.
        """

    def send(self, statement: Statement, *, lock_wait_s: float, deadline_s: float) -> StatementDone:
        """Run one change, once. Stopped from a second session at the deadline. Raises ChangeFailed."""

    def transaction(self, *, repeatable: bool = False) -> AbstractContextManager[None]:
        """The changes sent inside are done all or none (PostgreSQL). Raises ChangeFailed where the engine cannot."""

    def text_of(self, statement: Statement) -> str:
        """The statement as a person may read it: names in, literals and binds out, cleaned, bounded."""


class Hands(Eyes, Protocol):
    """The session of one item, behind the gate, while the target's change lock is held."""

    item: WorkItem
    plan_id: int
    """of the plan that is worked: what attempts at another one wrote down is not how things are now"""
    policy: ChangePolicy
    """of this database and pipeline: how long a lock may be waited for, and how often it is tried for"""

    def change(
        self,
        *statements: Statement,
        deadline_s: float | None = None,
        lock_wait_s: float | None = None,
        together: bool = False,
        repeatable: bool = False,
        tries: int = 1,
        abreast: int = 1,
    ) -> tuple[StatementDone, ...]:
        """Run changes, once each, in order. `together`: in one transaction (PostgreSQL), all or none.

        `abreast`: so many at a time, each begun in order as soon as one of as many sessions is free (PostgreSQL); only for
        what holds no lock that another one of them needs. One that fails stops those beside it.

        `repeatable`: that transaction sees the database as its first statement did. `tries`: how often a lock that is not
        had in time is tried for; only for what then leaves nothing behind (a transaction, never CONCURRENTLY).
        `deadline_s` default: what is left of the window. `lock_wait_s` default: the policy's. Raises GateClosed before a
        statement when an interlock has closed, ChangeFailed when a statement fails.
        """

    def put_back(
        self, *statements: Statement, lock_wait_s: float | None = None, deadline_s: float | None = None
    ) -> tuple[StatementDone, ...]:
        """Run what sets something back or cleans up: also outside the window and above the budget.

        `deadline_s`: of each; for what reads a whole table, by its size. Default: ten minutes. Raises ChangeFailed.
        """

    def ask_gate(self) -> None:
        """Ask the short list as before a change, and change nothing: for who waits. Raises GateClosed."""

    def remember(self, **state: Figure) -> None:
        """Write down, before it is changed, what must be set back or be found by a later attempt."""

    def remembered(self) -> dict[str, Figure]:
        """What this item's attempts wrote down, the newest of each name; kept across kills and runs until the item's outcome."""

    def progress(self, text: str, ratio: float | None = None) -> None:
        """Tell a person how far it is; `text` holds no values of the database's data."""


@dataclass(frozen=True)
class SurveyContext:
    """What a survey may know beside the target: the policy and what the ledger remembers."""

    database: Database
    policy: ChangePolicy
    now: datetime
    regrown: frozenset[str] = frozenset()
    """keys of objects (ObjectRef.key) that grew back after an earlier run: left alone, with that reason"""


class Trade(Protocol):
    """One pipeline on one engine: what `changing.steps` calls. Registered in `changing.trades`."""

    def find_candidates(self, eyes: Eyes, context: SurveyContext) -> Found:
        """Look, decide, and say why for everything that is left alone. Changes nothing."""

    def is_same(self, eyes: Eyes, item: WorkItem) -> str:
        """Empty when the object is still the one that was planned; else a message code (object_gone, object_rewritten)."""

    def repair(self, hands: Hands) -> tuple[str, ...]:
        """Find what earlier attempts left on this item's object and put it right; codes of what was found. Safe to repeat."""

    def work(self, hands: Hands) -> Outcome:
        """Do the item. Raises GateClosed, ChangeFailed with the object unharmed or repairable by `repair`."""

    def verify(self, eyes: Eyes, outcomes: Sequence[Outcome], before: Mapping[str, Figure]) -> Sequence[Finding]:
        """Look again after the run: no new invalid or unusable index, no leftover, settings back, bytes smaller."""

    def world(self, eyes: Eyes) -> dict[str, Figure]:
        """What `verify` compares: taken before the first item (invalid indexes, invalid objects, constraints, leftovers)."""


@runtime_checkable
class MeasuringTrade(Protocol):
    """A trade that can also tell sizes: without it, what grew back is seen only where the object is a candidate again."""

    def sizes(self, eyes: Eyes, objects: Sequence[ObjectRef]) -> dict[str, int]:
        """Bytes now of objects, by ObjectRef.key, in the measure of `Outcome.before`; what is gone is left out."""


@runtime_checkable
class WatchingTrade(Protocol):
    """A trade whose engine tells, days later, how statements do on what was worked on."""

    def watch(self, eyes: Eyes, past: Sequence[PastWork]) -> Watched:
        """Compare what was written down before the work with what is so now. Raises ChangeFailed."""


@runtime_checkable
class JudgingTrade(Protocol):
    """A trade whose work is checked by questions of its own, not by what became smaller and what is unharmed."""

    def verdicts(self, eyes: Eyes, outcomes: Sequence[Outcome]) -> Sequence[Verdict]:
        """The answers, each with what it looked at. Raises ChangeFailed."""


__all__ = [
    "Candidate",
    "ChangeFailed",
    "Eyes",
    "GateClosed",
    "Hands",
    "JudgingTrade",
    "MeasuringTrade",
    "Row",
    "Statement",
    "SurveyContext",
    "Target",
    "TargetFigures",
    "Trade",
    "Verification",
    "WatchingTrade",
]

"""Sessions of masking: eyes that read the source and look at the copy, and the target, which is the copy's database alone.

The source is only ever read, by sessions that say so to the server beside having no right to more. The gate holds a
`MaskingTarget`: everything that changes goes to the copy, through it. Key and passwords never show in a repr.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.abc import Query

from drydock.changing.hands import PRIVILEGE, ChangeFailed, Row, TargetFigures, naming_right
from drydock.changing.rates import Rates
from drydock.engines.postgres import Endpoint, fetch_rows
from drydock.engines.postgres_figures import server_figures
from drydock.engines.postgres_statements import Part, Statement, statement
from drydock.engines.postgres_work import (
    FIRST_WITH_TRANSACTION_TIMEOUT,
    Places,
    PostgresEyes,
    PostgresTarget,
    Session,
    open_reading,
    told_apart,
)
from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.copy_checks.verifying import CopyVerification
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.policies.schema import object_name
from drydock.masking.postgres.streams import MaskedCopy, StreamLost, Streams
from drydock.masking.postgres_schema import Ask
from drydock.outcomes import Outcome, StatementDone
from drydock.plans import Candidate, Plan
from drydock.sqlfiles import sql_file
from drydock.verdicts import Model

log = logging.getLogger(__name__)

PIPELINE = "masking"
RETURNS_WITHIN_S = 30.0
MOST_NAMED = 10
"""Tables that a message names; the rest are counted."""
COMES_BACK = ("unreachable", "shut_down", "starting")


class Picture(Model):
    """What a holder exported. `xids`: digest of which transactions are visible; equal ones see the same rows."""

    snapshot: str
    xids: str
    identity: str
    generation: int


@dataclass(frozen=True)
class RunFacts:
    """What the sessions of one run may ask of it; `postgres.facts_of_run.facts_of` makes it from the ledger."""

    run_id: int
    run_key: str
    day: date
    plan: Callable[[], Plan]
    picture: Callable[[], Picture | None]
    outcomes: Callable[[], Mapping[str, Outcome]]
    """item key -> its newest outcome in this run"""
    save_verified: Callable[[int, CopyVerification], None]
    """generation and what the second net said of it, for the ledger"""
    why_undelivered: Callable[[int], str]
    """generation -> empty where the copy of that generation was verified without red; else a message code"""
    known: Callable[[], Mapping[str, str]]
    """identity of a server -> where it is known from: databases under care, which no copy may be written to"""
    connections: Callable[[], frozenset[str]] = frozenset
    """Airflow connections of databases under care"""
    databases: Callable[[], frozenset[str]] = frozenset
    """their ids in the estate"""
    folder: Path | None = None
    """where pages of the second net go"""
    expected_s: Callable[[Sequence[Candidate]], float] = lambda candidates: math.fsum(
        e.expected_s for e in Rates({}).estimate_all(candidates)
    )
    """seconds that items will take, as earlier runs of this database took"""


@dataclass(frozen=True)
class Given:
    """What the trade is given beside its hands: nothing of it can change anything."""

    policy: MaskingPolicyFile
    key: MaskingKey = field(repr=False)
    facts: RunFacts = field(repr=False)
    source: Callable[[], PostgresEyes] = field(repr=False)


@dataclass
class MaskingEyes(PostgresEyes):
    """Reads the source as an account that can only read; the copy is looked at by a second session, opened when asked for."""

    policy: MaskingPolicyFile = field(kw_only=True)
    copy: Endpoint = field(kw_only=True, repr=False)
    facts: RunFacts = field(kw_only=True, repr=False)
    key: MaskingKey = field(kw_only=True, repr=False)
    """what a subset's percentages were drawn by, so that the copy is held against the rows that were taken"""
    _copy_session: Session | None = field(init=False, repr=False, default=None)

    def copy_rows(self, pipeline: str, name: str, binds: Mapping[str, Any] | None = None) -> list[Row]:
        """Rows of a read file, asked of the copy's database. Raises ChangeFailed."""
        if self._copy_session is None:
            self._copy_session = open_reading(self.copy, f"masking.copy {self.facts.run_key}")
        file = sql_file("postgresql", pipeline, name)
        with naming_right(file), told_apart():
            return fetch_rows(self._copy_session, file, binds)

    def asked(self, name: str, names: Mapping[str, Part]) -> list[Row]:
        """Rows of a read file of masking with names in it. Raises ChangeFailed."""
        with told_apart():
            return self.session.execute(statement(PIPELINE, name, names).composed).fetchall()

    def is_living(self, snapshot: str) -> bool:
        """Whether the picture's holder still lives: its snapshot can be taken over. Raises ChangeFailed."""
        with told_apart():
            self.session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            try:
                with self.session.transaction(force_rollback=True):
                    send(self.session, statement(PIPELINE, "import_snapshot", literals={"snapshot": snapshot}))
            except (psycopg.errors.InvalidParameterValue, psycopg.errors.UndefinedObject, psycopg.errors.UndefinedFile):
                return False
            finally:
                self.session.isolation_level = None
        return True

    def figures(self) -> TargetFigures:
        """Of the source. Its archive is not looked at: nothing is written there."""
        own = [row["pid"] for row in self.rows(PIPELINE, "own_sessions")]
        return server_figures(self, own, self.places).model_copy(update={"archive_free_bytes": None})

    def close(self) -> None:
        if self._copy_session is not None:
            self._copy_session.close()
        super().close()


@dataclass
class MaskingTarget(PostgresTarget):
    """The copy's database, with eyes on the source and the children that copy. `database` is the source in the estate.

    `endpoint` is the copy's; `source_places`: what the estate adds to what the source tells of its load.
    """

    policy: MaskingPolicyFile = field(kw_only=True)
    source: Endpoint = field(kw_only=True, repr=False)
    key: MaskingKey = field(kw_only=True, repr=False)
    facts: RunFacts = field(kw_only=True, repr=False)
    source_places: Places = field(kw_only=True, default=Places())
    streams: Streams = field(init=False, repr=False)
    _source_eyes: PostgresEyes | None = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        """Opens the sessions; a server that is just coming back is waited for. Raises ChangeFailed."""
        give_up_at = time.monotonic() + RETURNS_WITHIN_S
        while True:
            try:
                super().__post_init__()
                break
            except ChangeFailed as e:
                if e.kind not in COMES_BACK or time.monotonic() > give_up_at:
                    raise
            time.sleep(1.0)
        self.streams = Streams(self.source, self.endpoint, self.key, self.facts.run_key)

    @property
    def given(self) -> Given:
        """For the trade; see `Given`."""
        return Given(self.policy, self.key, self.facts, lambda: self.source_eyes)

    @property
    def source_eyes(self) -> PostgresEyes:
        """A session that reads the source, opened when it is asked for, and anew where it died. Raises ChangeFailed."""
        if self._source_eyes is None or self._source_eyes.session.closed:
            name = f"masking.eyes {self.facts.run_key}"
            self._source_eyes = PostgresEyes(self.database, self.source, name, self.source_places)
        return self._source_eyes

    def figures(self) -> TargetFigures:
        """Of the copy; load and waiting are those of whichever server is busier. Our own sessions do not count."""
        ours = [row["pid"] for row in self.rows(PIPELINE, "own_sessions")]
        own = [*ours, self.session.info.backend_pid, self.work.info.backend_pid]
        told, eyes = server_figures(self, own, self.places), self.source_eyes
        of_source = server_figures(eyes, [row["pid"] for row in eyes.rows(PIPELINE, "own_sessions")], eyes.places)
        busier = {name: _larger(told, of_source, name) for name in ("sessions_per_core", "waiting_sessions")}
        return told.model_copy(update=busier)

    def why_refused(self) -> str:
        """Why nothing may be written to this server at all; empty where it may. Raises ChangeFailed."""
        from drydock.masking.postgres.targets_allowed import refusal

        identity = self.source_eyes.rows(PIPELINE, "server")[0]["identity"]
        found = refusal(self.policy, identity, self.rows(PIPELINE, "copy_state")[0], self.facts)
        return found.code if found else ""

    def send(self, told: Any, *, lock_wait_s: float, deadline_s: float) -> StatementDone:
        """As `PostgresTarget.send`; a `MaskedCopy` is worked by the streams, which are ended at the deadline."""
        if not isinstance(told, MaskedCopy):
            return super().send(told, lock_wait_s=lock_wait_s, deadline_s=deadline_s)
        began_at, began, before = datetime.now(UTC), time.monotonic(), self.watch.log_position()
        error: ChangeFailed | None = None
        with told_apart():
            send(self.work, statement(PIPELINE, "still_here"))  # the change lock is held by a session that lives
        try:
            self.streams.copy(told, deadline_s)
        except StreamLost as e:
            self._end_sessions()
            error = ChangeFailed(e.code, e.kind, retry=False)
            error.needs = self._missing_rights() if e.kind == PRIVILEGE else e.needs
        except BaseException:  # we are being stopped: the children go with us
            self.streams.close()
            self._end_sessions()
            raise
        after = self.watch.log_position()
        done = StatementDone(
            statement=self.text_of(told),
            started_at=began_at,
            elapsed_s=time.monotonic() - began,
            log_bytes=None if before is None or after is None else max(0, after - before),
            error=error.code if error else "",
        )
        if error:
            error.done = done
            raise error
        return done

    def text_of(self, told: Any) -> str:
        return told.shown if isinstance(told, MaskedCopy) else super().text_of(told)

    def renew(self) -> bool:
        self.streams.close()
        return super().renew()

    def close(self) -> None:
        self.streams.close()
        if self._source_eyes is not None:
            self._source_eyes.close()
        super().close()

    def _missing_rights(self) -> str:
        """What the reading account lacks on the source; the account of the copies owns all that it writes to."""
        return missing_rights(lambda name, binds: self.source_eyes.rows(PIPELINE, name, binds), self.facts.plan())

    def _end_sessions(self) -> None:
        """End what the children had open on both servers: a server sees a closed connection only when it next looks."""
        for eyes, pids in ((self, self.streams.target_pids()), (self.source_eyes, self.streams.source_pids())):
            for pid in pids:
                try:
                    eyes.rows("gate", "end_session", {"pid": pid})
                except ChangeFailed as e:
                    log.warning("session %d of a stream could not be ended: %s", pid, e.kind)


def _larger(first: TargetFigures, second: TargetFigures, name: str) -> float | None:
    """The larger figure; None where either is not known."""
    values = [getattr(first, name), getattr(second, name)]
    return None if None in values else max(values)


def missing_rights(ask: Ask, plan: Plan) -> str:
    """What must be granted to read the plan's tables and their partitions, as a DBA would write it; empty: all is there.

    Raises what asking raises.
    """
    pieces = [p for i in plan.items for p in i.candidate.pieces]
    wanted = {p.place[:2] for p in pieces} | {(p.root_schema, p.root_table) for p in pieces}
    rows = ask("unreadable", {"schemas": sorted({schema for schema, _ in wanted})})
    lacking = [row for row in rows if (row["schema_name"], row["name"]) in wanted]
    closed = sorted({row["schema_name"] for row in lacking if not row["may_enter"]})
    tables = [object_name(row["schema_name"], row["name"]) for row in lacking if row["may_enter"]]
    told = [f"USAGE ON SCHEMA {name}" for name in closed] + ([f"SELECT ON {', '.join(tables[:MOST_NAMED])}"] if tables else [])
    return "; ".join(told) + (f" and {len(tables) - MOST_NAMED} more" if len(tables) > MOST_NAMED else "")


def open_source(endpoint: Endpoint, run: str) -> Session:
    """A session that reads the source for as long as it takes. Raises ChangeFailed."""
    session = open_reading(endpoint, run)
    if session.info.server_version >= FIRST_WITH_TRANSACTION_TIMEOUT:
        send(session, statement("gate", "set_no_transaction_timeout"))
    return session


def send(session: Session, told: Statement) -> psycopg.Cursor[Row]:
    """Run a statement as it is. Raises psycopg.Error."""
    query: Query = told.composed
    return session.execute(query, told.binds or None)


def ask_of(session: Session) -> Ask:
    """Asks the read files of masking of one session. Raises psycopg.Error."""
    return lambda name, binds: fetch_rows(session, sql_file("postgresql", PIPELINE, name), binds)

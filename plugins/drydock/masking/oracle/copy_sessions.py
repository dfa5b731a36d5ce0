"""Sessions of a masked copy from Oracle to Oracle. The copy stands in the schema of the account that logs on to it.

The gate holds a target that is that account. Its own tables tell which picture the copy is filled from and which parts are
there; a second session loads, so that the change lock stays with the first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

import oracledb

from drydock.changing.hands import ChangeFailed, Row, TargetFigures
from drydock.engines.oracle import Connect, OracleSession, RunIdentity, open_session
from drydock.engines.oracle_gate_figures import oracle_target_figures
from drydock.engines.oracle_work import OracleEyes, OracleTarget, lock_id, told_apart
from drydock.estate import Engine
from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.oracle import copy_statements as st
from drydock.masking.oracle.copy_loading import DirectRows, copy_to_oracle
from drydock.masking.oracle.sessions import (
    PIPELINE,
    ROWS_TIMEOUT_S,
    GivenOracle,
    OracleMaskingEyes,
    SourcePicture,
    source_figures,
)
from drydock.masking.oracle.streams import source_told_apart
from drydock.masking.oracle.translating import Translated
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.postgres.sessions import RunFacts
from drydock.masking.postgres.targets_allowed import refusal
from drydock.outcomes import StatementDone
from drydock.plans import Candidate

NO_TABLE = 942
RUN_NOW = ("run_id", "generation", "xids", "identity")
PARTS_NOW = ("run_id", "generation", "schema_name", "name", "first_page", "end_page", "rows_copied", "bytes_copied", "elapsed_s")


def own_rows(session: OracleSession, name: str, binds: Mapping[str, Any] | None) -> list[Row]:
    """What the copy knows of a run, as the files of the same names tell it on PostgreSQL. Raises ChangeFailed."""
    table, columns = (st.RUNS, RUN_NOW) if name == "run_now" else (st.PARTS, PARTS_NOW)
    try:
        with session.connection.cursor() as cursor:
            rows = cursor.execute(st.own_question(table, columns)).fetchall()
    except oracledb.DatabaseError as e:
        if getattr(e.args[0], "code", 0) == NO_TABLE:
            return []
        with told_apart():
            raise
    found = [{n.removesuffix("_copied"): _plain(v) for n, v in zip(columns, row, strict=True)} for row in rows]
    wanted = (binds or {}).get("run_id")
    return sorted((r for r in found if r["run_id"] == wanted), key=lambda r: str((r.get("name"), r.get("first_page"))))


def ends_now(session: OracleSession, owner: str, binds: Mapping[str, Any]) -> Row:
    """The least and the greatest number of a column of the copy, exactly. Raises ChangeFailed."""
    question = st.ends_question(owner, binds["table"], binds["column"])
    with told_apart(), session.connection.cursor() as cursor:
        least, most = cursor.execute(question, fetch_decimals=True).fetchone()
    return {"least": None if least is None else int(least), "most": None if most is None else int(most)}


def _plain(value: Any) -> Any:
    return "" if value is None else int(value) if isinstance(value, float) and value.is_integer() else value


def copy_state(eyes: OracleEyes) -> Row:
    """As `copy_state.sql` on PostgreSQL: whose the account is, and what else its schema holds. Raises ChangeFailed."""
    server, owner = eyes.rows(PIPELINE, "server")[0], owner_of(eyes)
    names = {row["name"] for row in eyes.rows(PIPELINE, "tables", {"owner": owner})}
    return {
        "identity": str(server["identity"]),
        "database": f"{server['database']}.{owner}",
        "is_marked": st.RUNS in names,
        "is_marker_own": st.RUNS in names,
        "user_tables": len(names),
        "is_standby": server["role"] != "PRIMARY",
    }


def owner_of(eyes: OracleEyes) -> str:
    """The account, which is the schema of the copy."""
    return str(eyes.session.connection.username).upper()


@dataclass
class OracleCopyEyes(OracleMaskingEyes):
    """Reads the source; the copy is looked at by a second session of the account that owns it. `copy`: how it logs on."""

    copy_engine: ClassVar[Engine] = Engine.ORACLE
    copy: Connect = field(kw_only=True, repr=False)  # type: ignore[assignment]
    _copy_eyes: OracleEyes | None = field(init=False, repr=False, default=None)

    @property
    def copy_eyes(self) -> OracleEyes:
        """Raises ChangeFailed."""
        if self._copy_eyes is None:
            self._copy_eyes = OracleEyes(self.database, self.copy, RunIdentity("masking.copy", self.facts.run_key))
        return self._copy_eyes

    def copy_rows(self, pipeline: str, name: str, binds: Mapping[str, Any] | None = None) -> list[Row]:
        """Rows of a question to the copy. Raises ChangeFailed."""
        if name in ("run_now", "parts_now"):
            return own_rows(self.copy_eyes.session, name, binds)
        return [copy_state(self.copy_eyes)] if name == "copy_state" else self.copy_eyes.rows(pipeline, name, binds)

    def close(self) -> None:
        if self._copy_eyes is not None:
            self._copy_eyes.close()
        super().close()


@dataclass
class OracleCopy(OracleTarget):
    """The account of the copy, with eyes on the source. `database` is the source in the estate, `connect` the copy's."""

    policy: MaskingPolicyFile = field(kw_only=True)
    source: Connect = field(kw_only=True, repr=False)
    key: MaskingKey = field(kw_only=True, repr=False)
    facts: RunFacts = field(kw_only=True, repr=False)
    take_picture: Callable[[OracleMaskingEyes, str], SourcePicture] = field(kw_only=True, repr=False)
    engine: ClassVar[Engine] = Engine.ORACLE
    _eyes: OracleMaskingEyes | None = field(init=False, repr=False, default=None)
    _readers: list[OracleSession] = field(init=False, repr=False, default_factory=list)
    _translated: Translated | None = field(init=False, repr=False, default=None)

    @property
    def owner(self) -> str:
        return owner_of(self)

    @property
    def given(self) -> GivenOracle:
        """For the trade; names of the copy are those of the source."""
        return GivenOracle(
            self.policy,
            self.key,
            self.facts,
            lambda: self.source_eyes,  # type: ignore[return-value,arg-type]
            source_policy=self.policy,
            take_picture=lambda gone: self.take_picture(self.source_eyes, gone),
            translated=self.translated,
            owner=self.owner,
        )

    @property
    def source_eyes(self) -> OracleMaskingEyes:
        """A session that reads the dictionary of the source, opened when it is asked for. Raises ChangeFailed."""
        if self._eyes is None or not self._eyes.session.connection.is_healthy():
            told = {"policy": self.policy, "copy": self.connect, "facts": self.facts, "key": self.key}
            self._eyes = OracleCopyEyes(self.database, self.source, RunIdentity("masking.eyes", self.facts.run_key), **told)
        return self._eyes

    def translated(self) -> Translated:
        if self._translated is None:
            self._translated = Translated(self.source_eyes.source_schema(), self.policy)
        return self._translated

    def rows(self, pipeline: str, name: str, binds: Mapping[str, Any] | None = None) -> list[Row]:
        if pipeline == PIPELINE and name in ("run_now", "parts_now"):
            return own_rows(self.session, name, binds)
        if pipeline == PIPELINE and name == "copy_state":
            return [copy_state(self)]
        if pipeline == PIPELINE and name == "ends":
            return [ends_now(self.session, self.owner, binds or {})]
        return super().rows(pipeline, name, binds)

    def figures(self) -> TargetFigures:
        """Of the copy; load is that of whichever server is busier."""
        told = oracle_target_figures(self, lock_id(PIPELINE), None, self.archive_free_bytes)
        busy = (told.sessions_per_core, source_figures(self.source_eyes).sessions_per_core)
        return told.model_copy(update={"sessions_per_core": None if None in busy else max(busy)})  # type: ignore[type-var]

    def free_bytes_for(self, candidate: Candidate) -> int | None:
        """What the copy's DBA vouches for (`room_bytes` of the policy's target); None where nobody does."""
        return self.policy.chosen_target().room_bytes

    def why_refused(self) -> str:
        """Why nothing may be written to this account at all; empty where it may. Raises ChangeFailed."""
        identity = str(self.source_eyes.rows(PIPELINE, "server")[0]["identity"])
        found = refusal(self.policy, identity, copy_state(self), self.facts, Engine.ORACLE)
        return found.code if found else ""

    def send(self, statement: Any, *, lock_wait_s: float, deadline_s: float) -> StatementDone:
        """As `OracleTarget.send`, committed; `DirectRows` are read, masked, loaded and taken over."""
        if not isinstance(statement, DirectRows):
            done = super().send(statement, lock_wait_s=lock_wait_s, deadline_s=deadline_s)
            with told_apart():
                self.session.connection.commit()
            return done
        began_at, began, error = datetime.now(UTC), time.monotonic(), None
        try:
            with source_told_apart():
                source, copy = self._two_sessions(deadline_s)
                copy_to_oracle(source.connection, copy.connection, statement, self.key, deadline_s)
        except ChangeFailed as e:
            error = e
        elapsed_s, code = time.monotonic() - began, error.code if error else ""
        done = StatementDone(statement=statement.shown, started_at=began_at, elapsed_s=elapsed_s, error=code)
        if error:
            error.done = done
            raise error
        return done

    def _two_sessions(self, deadline_s: float) -> tuple[OracleSession, OracleSession]:
        """Sessions that read the source and fill the copy, anew where one died; no call lasts past the deadline."""
        if any(not s.connection.is_healthy() for s in self._readers):
            self._close_readers()
        if not self._readers:
            self._readers = [
                open_session(connect, RunIdentity(action, self.facts.run_key))
                for connect, action in ((self.source, "masking.rows"), (self.connect, "masking.load"))
            ]
        for session in self._readers:
            session.connection.call_timeout = max(1, round(min(deadline_s, ROWS_TIMEOUT_S) * 1000))
        return self._readers[0], self._readers[1]

    def _close_readers(self) -> None:
        for session in self._readers:
            session.close()
        self._readers = []

    def text_of(self, statement: Any) -> str:
        return statement.shown if isinstance(statement, DirectRows) else super().text_of(statement)

    def close(self) -> None:
        self._close_readers()
        if self._eyes is not None:
            self._eyes.close()
        super().close()

"""Sessions of a masked copy that comes from Oracle: eyes that read the source and look at the copy, and the copy's database.

The source is only ever read. Rows come through a session of their own that is opened when the first part is read and anew
where it died. The gate holds the target, which is the copy's database alone. Key and passwords never show in a repr.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from drydock.changing.hands import PRIVILEGE, ChangeFailed, Row, TargetFigures, naming_right
from drydock.engines.oracle import Connect, OracleSession, RunIdentity, open_session
from drydock.engines.oracle_work import OracleEyes
from drydock.engines.postgres import Endpoint, fetch_rows
from drydock.engines.postgres_figures import server_figures
from drydock.engines.postgres_work import GRACE_S, PostgresTarget, Session, open_reading, told_apart
from drydock.estate import Engine
from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.oracle.reading import read_oracle_schema
from drydock.masking.oracle.streams import OracleRows, copy_to_postgres, source_told_apart
from drydock.masking.oracle.translating import Translated
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.policies.schema import Schema, object_name
from drydock.masking.postgres.sessions import Given, Picture, RunFacts
from drydock.masking.postgres.targets_allowed import refusal
from drydock.outcomes import StatementDone
from drydock.plans import Piece
from drydock.sqlfiles import sql_file

PIPELINE = "masking"
ROWS_TIMEOUT_S = 3600.0
"""Of one round trip for rows of the source."""


class SourcePicture(Picture):
    """The SCN of a copy, as text, and by table a digest of which segments its ROWIDs name and when each was last changed."""

    segments: Mapping[str, str] = {}

    @property
    def scn(self) -> int:
        return int(self.snapshot)


@dataclass(frozen=True)
class GivenOracle(Given):
    """Beside what PostgreSQL gives: `policy` is that of the copy, with its names; the source has its own."""

    source_policy: MaskingPolicyFile
    take_picture: Callable[[str], SourcePicture] = field(repr=False)
    """the newest picture, or where that is the given one that is gone, a new one. Raises PictureRefused, ChangeFailed"""
    translated: Callable[[], Translated] = field(repr=False)
    owner: str = ""
    """of a copy on Oracle: the account, which is its schema"""


@dataclass
class OracleMaskingEyes(OracleEyes):
    """Reads the dictionary of the source as an account that can only read; the copy is looked at by a second session."""

    copy_engine: ClassVar[Engine] = Engine.POSTGRESQL
    policy: MaskingPolicyFile = field(kw_only=True)
    copy: Endpoint = field(kw_only=True, repr=False)
    facts: RunFacts = field(kw_only=True, repr=False)
    key: MaskingKey | None = field(kw_only=True, repr=False, default=None)
    _copy_session: Session | None = field(init=False, repr=False, default=None)

    def copy_rows(self, pipeline: str, name: str, binds: Mapping[str, Any] | None = None) -> list[Row]:
        """Rows of a read file, asked of the copy's database. Raises ChangeFailed."""
        if self._copy_session is None:
            self._copy_session = open_reading(self.copy, f"masking.copy {self.facts.run_key}")
        file = sql_file("postgresql", pipeline, name)
        with naming_right(file), told_apart():
            return fetch_rows(self._copy_session, file, binds)

    def source_schema(self) -> Schema:
        """Raises NoSuchSchema, ChangeFailed."""
        return read_oracle_schema(lambda name, binds: self.rows(PIPELINE, name, binds or None), self.policy.source.schemas)

    def figures(self) -> TargetFigures:
        """How busy the source is; nothing is written there."""
        return source_figures(self)

    def close(self) -> None:
        if self._copy_session is not None:
            self._copy_session.close()
        super().close()


@dataclass
class CopyOfOracle(PostgresTarget):
    """A copy's PostgreSQL database whose source is Oracle. `database` is the source in the estate, `endpoint` the copy's."""

    policy: MaskingPolicyFile = field(kw_only=True)
    source: Connect = field(kw_only=True, repr=False)
    key: MaskingKey = field(kw_only=True, repr=False)
    facts: RunFacts = field(kw_only=True, repr=False)
    take_picture: Callable[[OracleMaskingEyes, str], SourcePicture] = field(kw_only=True, repr=False)
    engine: ClassVar[Engine] = Engine.POSTGRESQL
    """of what is changed"""
    _eyes: OracleMaskingEyes | None = field(init=False, repr=False, default=None)
    _rows: OracleSession | None = field(init=False, repr=False, default=None)
    _translated: Translated | None = field(init=False, repr=False, default=None)

    @property
    def given(self) -> GivenOracle:
        """For the trade; see `GivenOracle`."""
        return GivenOracle(
            self.translated().policy,
            self.key,
            self.facts,
            lambda: self.source_eyes,  # type: ignore[return-value,arg-type]
            source_policy=self.policy,
            take_picture=lambda gone: self.take_picture(self.source_eyes, gone),
            translated=self.translated,
        )

    @property
    def source_eyes(self) -> OracleMaskingEyes:
        """A session that reads the dictionary of the source, opened when it is asked for. Raises ChangeFailed."""
        if self._eyes is None or not self._eyes.session.connection.is_healthy():
            told = {"policy": self.policy, "copy": self.endpoint, "facts": self.facts, "key": self.key}
            identity = RunIdentity("masking.eyes", self.facts.run_key)
            self._eyes = OracleMaskingEyes(self.database, self.source, identity, **told)
        return self._eyes

    def translated(self) -> Translated:
        """Source and copy side by side, as the source is: the picture has seen that it is the one that was planned."""
        if self._translated is None:
            self._translated = Translated(self.source_eyes.source_schema(), self.policy)
        return self._translated

    def figures(self) -> TargetFigures:
        """Of the copy; load is that of whichever server is busier. Our own sessions do not count."""
        ours = [row["pid"] for row in self.rows(PIPELINE, "own_sessions")]
        told = server_figures(self, [*ours, self.session.info.backend_pid, self.work.info.backend_pid], self.places)
        busy = (told.sessions_per_core, source_figures(self.source_eyes).sessions_per_core)
        return told.model_copy(update={"sessions_per_core": None if None in busy else max(busy)})  # type: ignore[type-var]

    def why_refused(self) -> str:
        """Why nothing may be written to this server at all; empty where it may. Raises ChangeFailed."""
        identity = str(self.source_eyes.rows(PIPELINE, "server")[0]["identity"])
        found = refusal(self.policy, identity, self.rows(PIPELINE, "copy_state")[0], self.facts)
        return found.code if found else ""

    def send(self, told: Any, *, lock_wait_s: float, deadline_s: float) -> StatementDone:
        """As `PostgresTarget.send`; `OracleRows` are read from the source, masked, and written in one transaction."""
        if not isinstance(told, OracleRows):
            return super().send(told, lock_wait_s=lock_wait_s, deadline_s=deadline_s)
        began_at, began, before = datetime.now(UTC), time.monotonic(), self.watch.log_position()
        error: ChangeFailed | None = None
        try:
            with told_apart(), source_told_apart():
                self._bound(self.work, lock_wait_s, deadline_s + GRACE_S)
                with self.watch.watching(self.work, deadline_s):
                    copy_to_postgres(self.rows_session().connection, self.work, told, self.key, deadline_s)
        except ChangeFailed as e:
            error = e
            error.needs = right_to_read(told.part) if e.kind == PRIVILEGE else ""
        after = self.watch.log_position()
        done = StatementDone(
            statement=told.shown,
            started_at=began_at,
            elapsed_s=time.monotonic() - began,
            log_bytes=None if before is None or after is None else max(0, after - before),
            error=error.code if error else "",
        )
        if error:
            error.done = done
            raise error
        return done

    def rows_session(self) -> OracleSession:
        """The session that rows are read with. Raises LogonFailed, oracledb.Error."""
        if self._rows is None or not self._rows.connection.is_healthy():
            self._rows = open_session(self.source, RunIdentity("masking.rows", self.facts.run_key))
            self._rows.connection.call_timeout = round(ROWS_TIMEOUT_S * 1000)
        return self._rows

    def text_of(self, told: Any) -> str:
        return told.shown if isinstance(told, OracleRows) else super().text_of(told)

    def close(self) -> None:
        for session in (self._eyes, self._rows):
            if session is not None:
                session.close()
        super().close()


def right_to_read(part: Piece) -> str:
    """What reading the rows of a part at an SCN takes; the account of the copies owns all that it writes to."""
    return f"READ, FLASHBACK ON {object_name(part.root_schema, part.root_table)}"


def source_figures(eyes: OracleEyes) -> TargetFigures:
    """Active sessions per processor of the source. Raises ChangeFailed."""
    load = eyes.rows("session", "load")[0]
    return TargetFigures(sessions_per_core=float(load["active_sessions"]) / float(load["cpus"]) if load["cpus"] else None)

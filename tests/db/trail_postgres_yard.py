"""A PostgreSQL server that logs as an audited one should, and a run that judges its trail; tests damage it and put it back."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import psycopg
from psycopg import sql

from drydock.audit.policy import AuditPolicy, AuditSource
from drydock.audit.run import AuditRun
from drydock.audit.storage.columns import RECORDS
from drydock.engines.postgres import Endpoint, connect, fetch_rows
from drydock.engines.postgres_server import PostgresServer
from drydock.sqlfiles import sql_file
from tests.db.test_work_grants import run_grants
from tests.unit.build import database

LOGGING = {
    "logging_collector": "on",
    "log_destination": "csvlog",
    "log_filename": "postgresql-%Y-%m-%d.log",
    "log_statement": "mod",
    "log_connections": "on",
    "log_truncate_on_rotation": "off",
    "shared_preload_libraries": "",  # a line that is not there is, once it was, pending for ever
}
DECLARED = {"log_statement": "mod", "logging_collector": "true", "log_destination": "csvlog"}
SETTLES_S = 20.0


class LoggingServer(PostgresServer):
    """The product's scratch servers never collect logs; this one does."""

    def _settings(self, options: Mapping[str, str]) -> list[str]:
        return [*super()._settings(options), "-c", "logging_collector=on"]


@dataclass
class Yard:
    """`admin` damages, `looker` is the account of the pipeline with no more than its grants file."""

    admin: psycopg.Connection
    looker: Endpoint
    log_folder: Path
    shift: timedelta = field(default=timedelta())

    def policy(self, **changes: Any) -> AuditPolicy:
        values = {"sources": (self.source(),), "declared_trail": DECLARED, "administrators": ("postgres",)}
        return AuditPolicy.model_validate(values | changes)

    def source(self) -> AuditSource:
        return AuditSource(id="log", kind="files", folder=str(self.log_folder), names=("*.csv",))

    def run(self, **changes: Any) -> AuditRun:
        """A run of today, without store and ledger: what is asked of the server alone."""
        now = datetime.now(UTC)
        begin = now - timedelta(days=1)
        return AuditRun(
            configuration=None, ledger=None, database=database(), policy=self.policy(**changes), run_id=1, store=empty_store(),
            begin=begin, end=now, now=now, rows=self.rows,
        )  # fmt: skip

    def rows(self, name: str, binds: Mapping[str, Any]) -> list[dict[str, Any]]:
        with connect(self.looker, purpose="audit.trail") as session:
            found = fetch_rows(session, sql_file("postgresql", "audit", name), binds)
        return [{**row, "now_at": row["now_at"] + self.shift} if "now_at" in row else row for row in found]

    @contextmanager
    def setting(self, **values: str) -> Iterator[None]:
        """Settings of the whole server, in force before the body runs, and put back after it."""
        try:
            for name, value in values.items():
                self._alter("SET {} = {}", sql.Identifier(name), sql.Literal(value))
            self._reload(values)
            yield
        finally:
            for name in values:
                self._alter("RESET {}", sql.Identifier(name))
            self._reload(dict.fromkeys(values))

    @contextmanager
    def done(self, deed: str, undo: str) -> Iterator[None]:
        self.admin.execute(deed.encode())
        try:
            yield
        finally:
            self.admin.execute(undo.encode())

    def _alter(self, text: str, *parts: sql.Composable) -> None:
        self.admin.execute(sql.SQL("ALTER SYSTEM " + text).format(*parts))

    def _reload(self, values: Mapping[str, str | None]) -> None:
        """Until a new session sees each new value; what waits for a restart is then pending."""
        self.admin.execute("SELECT pg_reload_conf()")
        asked = "SELECT count(*) FROM pg_settings WHERE name = ANY(%s) AND (pending_restart OR setting = ANY(%s))"
        wanted = [v for v in values.values() if v is not None]
        give_up_at = time.monotonic() + SETTLES_S
        while time.monotonic() < give_up_at:
            with psycopg.connect(**asdict(self.looker), autocommit=True) as session:
                if not wanted and self._is_back(session, values):
                    return
                if wanted and session.execute(asked, (list(values), wanted)).fetchone()[0] == len(values):
                    return
            time.sleep(0.02)
        raise TimeoutError(f"{dict(values)} did not come into force")

    @staticmethod
    def _is_back(session: psycopg.Connection, values: Mapping[str, None]) -> bool:
        left = "SELECT count(*) FROM pg_settings WHERE name = ANY(%s) AND (pending_restart OR sourcefile LIKE '%%auto.conf')"
        given = {name: LOGGING[name] for name in values if name in LOGGING}
        same = "SELECT count(*) FROM pg_settings WHERE name = %s AND setting = %s"
        back = all(session.execute(same, pair).fetchone()[0] for pair in given.items())
        return back and session.execute(left, (list(values),)).fetchone()[0] == 0


def empty_store() -> Any:
    """A store that holds no record."""
    return SimpleNamespace(scan=lambda part, begin, end: pl.LazyFrame(schema=RECORDS))


def make_yard(server: PostgresServer, password: str) -> Yard:
    """Write the settings where ALTER SYSTEM cannot be stopped by the command line, and make the looking account."""
    endpoint = Endpoint("127.0.0.1", server.port, "postgres", password, "postgres")
    admin = psycopg.connect(**asdict(endpoint), autocommit=True)
    admin.execute(sql.SQL("CREATE ROLE looker LOGIN PASSWORD {}").format(password))
    admin.execute("CREATE ROLE app LOGIN")
    run_grants(admin, "audit", role="looker")
    folder = Path(server.data_dir) / "log"
    return Yard(admin, Endpoint("127.0.0.1", server.port, "looker", password, "postgres"), folder)


def write_settings(data_dir: Path) -> None:
    """Into the server's own file: the command line would win over ALTER SYSTEM."""
    with (data_dir / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in LOGGING.items() if name != "logging_collector")


def size_file(path: Path, size_bytes: int) -> None:
    """A file of that length without a byte on the disk."""
    path.touch()
    os.truncate(path, size_bytes)

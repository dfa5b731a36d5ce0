"""An Oracle source for `python -m drydock masking-policy`: its schema and some of its rows, by an account that only reads.

The password comes from DRYDOCK_SOURCE_PASSWORD, so that it stands in no command line.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import oracledb
import typer

from drydock.engines.oracle import LogonFailed, OracleEndpoint, OracleSession, RunIdentity, fetch_rows, open_session
from drydock.engines.oracle_admission import NotForThisTarget
from drydock.engines.oracle_errors import classify, code_of
from drydock.masking.oracle.reading import read_oracle_schema
from drydock.masking.oracle.rows import sample_question
from drydock.masking.policies.schema import Column, Schema, Table
from drydock.masking.postgres_schema import NoSuchSchema
from drydock.sqlfiles import sql_file

SCHEME = "oracle"
PASSWORD = "DRYDOCK_SOURCE_PASSWORD"
PORT = 1521


@dataclass(frozen=True)
class OracleSource:
    """One session."""

    session: OracleSession

    def schema(self, schemas: Sequence[str]) -> Schema:
        """Raises NoSuchSchema, oracledb.Error."""
        return read_oracle_schema(
            lambda name, binds: fetch_rows(self.session, sql_file("oracle", "masking", name), dict(binds) or None), schemas
        )

    def sampler(self, rows: int) -> Callable[[Table, Sequence[Column]], list[dict[str, Any]]]:
        """Gives some rows of a table. Raises oracledb.Error."""

        def sample(table: Table, columns: Sequence[Column]) -> list[dict[str, Any]]:
            names = [c.name for c in columns]
            question = sample_question(table.schema_name, table.name, names)
            with self.session.connection.cursor() as cursor:
                found = cursor.execute(question, {"most": rows}, fetch_lobs=False, fetch_decimals=True).fetchall()
            return [dict(zip(names, row, strict=True)) for row in found]

        return sample


@contextmanager
def opened(url: str) -> Iterator[OracleSource]:
    """A session for oracle://user@host:port/service. Raises BadParameter with one clear line."""
    endpoint = _endpoint(url)
    try:
        with open_session(endpoint.connect, RunIdentity("masking.policy", "shell")) as session:
            yield OracleSource(session)
    except NoSuchSchema as e:
        raise typer.BadParameter(f"{e}; name those of the source with --schema, as the dictionary spells them") from e
    except LogonFailed as e:
        raise typer.BadParameter(f"the source cannot be reached: {e}; look at --url and {PASSWORD}") from None
    except (oracledb.Error, NotForThisTarget) as e:
        code = code_of(e) or type(e).__name__
        grants = "run include/sql/oracle/grants/session.sql and masking.sql for this account, and grant READ on its tables"
        fix = grants if isinstance(e, oracledb.Error) and classify(e).kind == "privilege" else "look at the server's alert log"
        raise typer.BadParameter(f"the source cannot be read ({code}); {fix}") from None


def _endpoint(url: str) -> OracleEndpoint:
    parts = urlsplit(url)
    if parts.password:
        raise typer.BadParameter(f"--url holds a password, which every process can see; put it into {PASSWORD}")
    service = parts.path.strip("/")
    try:
        port = parts.port or PORT
    except ValueError:
        port = 0
    if not (parts.hostname and parts.username and service and port):
        raise typer.BadParameter("--url cannot be read; write oracle://user@host:port/service")
    return OracleEndpoint(parts.hostname, port, service, unquote(parts.username), os.environ.get(PASSWORD, ""))

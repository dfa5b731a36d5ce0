"""`python -m drydock masking-policy`: propose a policy from a source, confirm it, and see what changed since.

A PostgreSQL source is reached with libpq's own means: a URL or connection string without a password, which comes from
PGPASSWORD, PGPASSFILE or ~/.pgpass, so that it stands in no command line. Everything is read in one transaction that can only
read. An Oracle source is oracle://user@host:port/service (`oracle.command_source`).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import typer
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from drydock import settings
from drydock.configuration import ConfigurationError, estate_names, load_estate, load_masking_policy
from drydock.engines.postgres import fetch_rows
from drydock.engines.postgres_statements import Columns, statement
from drydock.masking.discovering.proposing import proposed_policy
from drydock.masking.policies.confirmed import confirmed_of, load_confirmed, save_confirmed
from drydock.masking.policies.drift import drift
from drydock.masking.policies.fitness import unfit
from drydock.masking.policies.schema import Column, Schema, Table
from drydock.masking.postgres_schema import NoSuchSchema, read_postgres_schema
from drydock.messages import message
from drydock.problems import short_path, suggest
from drydock.sqlfiles import sql_file
from drydock.verdicts import Finding, clean_text

GOOD, PROBLEMS = 0, 1
CONNECT_TIMEOUT_S = 10
STATEMENT_TIMEOUT_S = 300


def propose(database: str, url: str, schemas: Sequence[str], rows: int, out: Path | None) -> int:
    """Write a policy file as discovery proposes it. Raises BadParameter."""
    _known(database)
    path = out or settings.config_dir() / "masking" / f"{database}.yaml"
    if path.exists():
        fix = "it may hold what a person confirmed: name another file with --out, or move it away first"
        raise typer.BadParameter(f"{short_path(path)} is there already; {fix}")
    with _source(url) as source:
        found = source.schema(schemas)
        text = proposed_policy(found, database, f"read_{database}", source.sampler(rows), rows, _today())
    _write(path, text)
    columns = sum(len(t.columns) for t in found.tables)
    typer.echo(f"{short_path(path)}: {len(found.tables)} tables, {columns} columns proposed; nothing of it is confirmed yet")
    return GOOD


def confirm(database: str, url: str, by: str, on: date | None) -> int:
    """Save the fingerprint of the schema that the policy fits; returns the exit code. Raises BadParameter.

    Nothing is saved while the policy has a problem, a column has no rule, or a rule does not fit: each is told.
    """
    name, day = _reviewer(by), on or _today()
    if day > _today():
        raise typer.BadParameter(f"--on {day}: a review is a thing of the past: {_today()} or earlier")
    policy, found = _policy_and_schema(database, url)
    seen = confirmed_of(found, database, name, day)
    told = [*drift(policy, found, seen), *unfit(policy, found)]
    _tell(told)
    if any(f.status.is_red for f in told):
        return PROBLEMS
    path = short_path(save_confirmed(seen))
    typer.echo(f"{path}: {len(found.tables)} tables, confirmed by {clean_text(name)} on {day}; commit it with the policy")
    return GOOD


def fingerprint(database: str, url: str) -> int:
    """Tell what differs from the saved fingerprint; returns the exit code. Raises BadParameter."""
    policy, found = _policy_and_schema(database, url)
    saved = _told_as_usage(lambda: load_confirmed(database))
    differs = drift(policy, found, saved)
    if saved is not None:
        typer.echo(f"confirmed by {clean_text(saved.confirmed_by)} on {saved.confirmed_on}, {len(saved.tables)} tables")
    _tell(differs)
    typer.echo(f"{len(differs)} difference(s)")
    return PROBLEMS if differs else GOOD


def _policy_and_schema(database: str, url: str) -> tuple[Any, Schema]:
    policy = _told_as_usage(lambda: load_masking_policy(database))
    with _source(url) as source:
        return policy, source.schema(policy.source.schemas)


def _told_as_usage(read: Any) -> Any:
    """What `read` gives; every problem of a configuration file as one error of the command."""
    try:
        return read()
    except ConfigurationError as e:
        raise typer.BadParameter("\n  ".join(map(str, e.problems))) from e


def _known(database: str) -> None:
    """Raises BadParameter for an id that no estate has."""
    known = {d.id for name in estate_names() for d in _told_as_usage(lambda name=name: load_estate(name)).databases}
    if database not in known:
        raise typer.BadParameter(f"no estate has the database {database!r}; {suggest(database, known, 'databases')}")


def _reviewer(name: str) -> str:
    if not name.strip():
        raise typer.BadParameter("--by is empty: write the name of the person who answers for the policy")
    return name.strip()


@contextmanager
def _source(url: str) -> Iterator[Any]:
    """The source of a URL, by its scheme. Raises BadParameter with one clear line."""
    if url.partition(":")[0] != "oracle":
        with _postgres(url) as session:
            yield PostgresSource(session)
        return
    from drydock.masking.oracle.command_source import opened  # its driver may not be there

    with opened(url) as source:
        yield source


@contextmanager
def _postgres(url: str) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """A session that can only read, in one transaction. Raises BadParameter with one clear line."""
    try:
        told = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise typer.BadParameter("--url cannot be read; write postgresql://user@host:port/dbname") from None
    if told.get("password"):
        raise typer.BadParameter("--url holds a password, which every process can see; put it into PGPASSWORD or ~/.pgpass")
    options = f"-c default_transaction_read_only=on -c statement_timeout={STATEMENT_TIMEOUT_S}s"
    told |= {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "drydock/masking-policy", "options": options}
    try:
        with psycopg.connect(**told, row_factory=dict_row) as session:
            session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            yield session
    except NoSuchSchema as e:
        raise typer.BadParameter(f"{e}; name those of the source with --schema") from e
    except psycopg.errors.InsufficientPrivilege as e:
        fix = "run include/sql/postgresql/grants/masking_source.sql for this account"
        raise typer.BadParameter(f"the account may not read the source ({e.sqlstate}); {fix}") from None
    except psycopg.OperationalError as e:
        fix = "look at --url, PGPASSWORD and ~/.pgpass"
        raise typer.BadParameter(f"the source cannot be reached: {_first_line(e)}; {fix}") from None


def _first_line(error: Exception) -> str:
    return str(clean_text((str(error).splitlines() or [type(error).__name__])[0]))


@dataclass(frozen=True)
class PostgresSource:
    """One session."""

    session: psycopg.Connection[dict[str, Any]]

    def schema(self, schemas: Sequence[str]) -> Schema:
        """Raises NoSuchSchema, psycopg.Error."""
        return read_postgres_schema(
            lambda name, binds: fetch_rows(self.session, sql_file("postgresql", "masking", name), binds), schemas
        )

    def sampler(self, rows: int) -> Callable[[Table, Sequence[Column]], list[dict[str, Any]]]:
        """Gives some rows of a table. Raises psycopg.Error."""

        def sample(table: Table, columns: Sequence[Column]) -> list[dict[str, Any]]:
            listed = Columns(tuple(c.name for c in columns), "t")
            names = {"columns": listed, "table": (table.schema_name, table.name), "rows": rows}
            return self.session.execute(statement("masking", "sample_rows", names).composed).fetchall()

        return sample


def _tell(findings: Sequence[Finding]) -> None:
    for found in findings:
        typer.echo(f"{found.code}: {message(found, settings.language())}", err=found.status.is_red)


def _today() -> date:
    return datetime.now(UTC).date()


def _write(path: Path, text: str) -> None:
    """Whole or not at all, readable as the other files of the folder are. Raises BadParameter."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=".proposed", delete=False) as file:
            file.write(text)
        Path(file.name).chmod(0o644)
        os.link(file.name, path)  # unlike a rename it never takes the place of a file that somebody made meanwhile
        Path(file.name).unlink()
    except OSError as e:
        raise typer.BadParameter(f"{short_path(path)}: {e.strerror or e}; name a file that can be written with --out") from e

"""Builds the ledger and grants what each account may: the maintainer adds and reads, the reader reads, nobody changes.

The two roles are groups without login. The site gives its logins to them: `GRANT drydock_maintainer TO …`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from psycopg import errors, sql
from sqlalchemy import URL, Connection, column, func, inspect, select, table
from sqlalchemy.schema import CreateSchema

from drydock import settings
from drydock.ledger import audit_models  # noqa: F401  its tables are then among those of Base
from drydock.ledger.change_models import Base  # from here: the tables of changes are then among its tables too
from drydock.ledger.connect import ledger_engine, lock_key
from drydock.ledger.models import SCHEMA

log = logging.getLogger(__name__)


def _is_ours(name: str | None, kind: str, _parents: dict[str, str | None]) -> bool:
    """Only the ledger's schema is looked at: the database may hold other things too."""
    return kind != "schema" or name == SCHEMA


COMPARED = {
    "target_metadata": Base.metadata,
    "version_table_schema": SCHEMA,
    "include_schemas": True,
    "include_name": _is_ours,
}
"""What Alembic compares with what, and where it notes the shape that the ledger has."""


class LedgerRoleMissing(Exception):
    """A role that the grants need does not exist, and this account may not create it."""


def migrate(url: str | URL, maintainer_role: str = "drydock_maintainer", reader_role: str = "drydock_reader") -> None:
    """Bring the ledger to the newest shape and set its grants, in one transaction; run again it changes nothing.

    The account must own the schema or be allowed to create it. Raises LedgerRoleMissing when a role is not there and
    may not be created.
    """
    with _migrating(url) as connection:
        if not inspect(connection).has_schema(SCHEMA):
            connection.execute(CreateSchema(SCHEMA))
        command.upgrade(_alembic(connection), "head")
        for role, grant in ((maintainer_role, "grant_insert"), (reader_role, "grant_select")):
            _ensure_role(connection, role)
            _grant(connection, role, grant)


def downgrade(url: str | URL, revision: str = "base") -> None:
    """Take the ledger back to an older shape. Raises RuntimeError where that would drop history."""
    with _migrating(url) as connection:
        command.downgrade(_alembic(connection), revision)


@contextmanager
def _migrating(url: str | URL) -> Iterator[Connection]:
    """One transaction, one migration at a time, without the statement timeout of daily work."""
    engine = ledger_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(select(func.set_config("statement_timeout", "0", True)))
            connection.execute(select(func.pg_advisory_xact_lock(lock_key("migrate"))))
            yield connection
    finally:
        engine.dispose()


def _alembic(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _ensure_role(connection: Connection, role: str) -> None:
    roles = table("pg_roles", column("rolname"), schema="pg_catalog")
    if connection.execute(select(roles.c.rolname).where(roles.c.rolname == role)).first():
        return
    try:
        _run_file(connection, "create_group_role", role=sql.Identifier(role))
    except errors.InsufficientPrivilege as e:
        raise LedgerRoleMissing(
            f"role {role!r} does not exist and this account may not create it; ask for it, or name another one"
        ) from e
    log.info("created the role %s", role)


def _grant(connection: Connection, role: str, grant: str) -> None:
    """Set the role's rights on the ledger to exactly these, table by table: what is not listed is not granted."""
    named = sql.Identifier(role)
    _run_file(connection, "grant_schema_usage", role=named)
    for t in Base.metadata.sorted_tables:
        place = sql.Identifier(SCHEMA, t.name)
        _run_file(connection, "revoke_all", role=named, table=place)
        _run_file(connection, grant, role=named, table=place)


def _run_file(connection: Connection, name: str, **identifiers: sql.Identifier) -> None:
    text = (settings.include_dir() / "sql" / "postgresql" / "ledger" / f"{name}.sql").read_text(encoding="utf-8")
    connection.connection.driver_connection.execute(sql.SQL(text).format(**identifiers))

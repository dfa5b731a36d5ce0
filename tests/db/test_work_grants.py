"""The grants files of the changing pipelines on a real PostgreSQL: enough for the gate and for the tables, and no superuser."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict

import psycopg
import pytest
from psycopg import sql

from drydock.changing.hands import ChangeFailed
from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_work import PostgresTarget
from drydock.sqlfiles import sql_file, statements
from tests.db.test_postgres_work import made
from tests.unit.build import database

BOUNDS = {"lock_wait_s": 1.0, "deadline_s": 20.0}


def run_grants(connection: psycopg.Connection, name: str, **names: str) -> None:
    """Run a grants file as psql does with these variables."""
    for text in statements(sql_file("postgresql", "grants", name)):
        connection.execute(re.sub(r':"([a-z]+)"', lambda m: sql.Identifier(names[m[1]]).as_string(connection), text).encode())


@pytest.fixture(scope="module")
def site(pg_server: Endpoint, make_database: Callable[[str], object], superuser: psycopg.Connection) -> dict[str, Endpoint]:
    """A database whose tables belong to an application, and an account for each pipeline."""
    make_database("site")
    for role in ("app owner", "reclaim worker", "reindex worker", "nobody"):
        superuser.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), pg_server.password))
    inside = asdict(pg_server) | {"dbname": "site"}
    with psycopg.connect(**inside, autocommit=True) as c:
        c.execute("CREATE EXTENSION amcheck")
        c.execute('CREATE SCHEMA app AUTHORIZATION "app owner"')
        c.execute('SET ROLE "app owner"')
        c.execute("CREATE TABLE app.bills (id int PRIMARY KEY)")
        c.execute("RESET ROLE")
        run_grants(c, "reclaim", role="reclaim worker", owner="app owner", database="site")
        run_grants(c, "reindex", role="reindex worker", owner="app owner")
    roles = ("reclaim worker", "reindex worker", "nobody")
    return {role: Endpoint(pg_server.host, pg_server.port, role, pg_server.password, "site") for role in roles}


def opened(endpoint: Endpoint) -> PostgresTarget:
    return PostgresTarget(database(), endpoint, "grants")


def test_the_gate_sees_what_it_asks(site: dict[str, Endpoint]) -> None:
    for role in ("reclaim worker", "reindex worker"):
        target = opened(site[role])
        told = target.figures()
        assert None not in (told.sessions_per_core, told.longest_transaction_s, told.waiting_sessions, told.has_standby)
        target.close()


def test_tables_of_the_owner_can_be_rewritten(site: dict[str, Endpoint]) -> None:
    target = opened(site["reclaim worker"])
    for text in (
        "VACUUM (FULL) app.bills",
        "CREATE SCHEMA drydock_reclaim",
        "CREATE TABLE app.bills_copy (LIKE app.bills INCLUDING ALL)",
        'ALTER TABLE app.bills_copy OWNER TO "app owner"',
        "DROP TABLE app.bills_copy",
        "DROP SCHEMA drydock_reclaim",
    ):
        assert target.send(made(text), **BOUNDS).error == ""
    target.close()


def test_indexes_of_the_owner_can_be_rebuilt_and_checked(site: dict[str, Endpoint]) -> None:
    target = opened(site["reindex worker"])
    for text in ("REINDEX INDEX CONCURRENTLY app.bills_pkey", "SELECT bt_index_check('app.bills_pkey', true)"):
        assert target.send(made(text), **BOUNDS).error == ""
    target.close()


@pytest.mark.parametrize(
    "text", ["ALTER TABLE app.bills SET (fillfactor = 90)", "REINDEX INDEX app.bills_pkey", "CREATE SCHEMA drydock_reclaim"]
)
def test_without_the_grants_nothing_can_be_changed(site: dict[str, Endpoint], text: str) -> None:
    target = opened(site["nobody"])
    with pytest.raises(ChangeFailed) as failed:
        target.send(made(text), **BOUNDS)
    assert failed.value.kind == "privilege"
    target.close()


def test_the_accounts_are_no_superusers_and_are_bounded(site: dict[str, Endpoint], superuser: psycopg.Connection) -> None:
    query = "SELECT rolsuper, rolcreaterole, rolbypassrls, rolconnlimit FROM pg_roles WHERE rolname = %s"
    for role in ("reclaim worker", "reindex worker"):
        assert superuser.execute(query, [role]).fetchone() == (False, False, False, 6)

"""One PostgreSQL server for all tests of this folder, and on it a migrated ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL, Engine

from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_binaries import find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, initialise
from drydock.ledger.connect import ledger_engine, ledger_url_from
from drydock.ledger.migrate import migrate


@pytest.fixture(scope="session")
def pg_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """A running server, as its superuser; every test makes databases of its own in it."""
    data_dir, password = tmp_path_factory.mktemp("server") / "data", "p@ss:w/o%rd 'x'"
    initialise(find_binaries(), data_dir, password=password)
    server = PostgresServer(find_binaries(), data_dir)
    server.start(options={"fsync": "off", "max_connections": "100"})
    server.wait_ready()
    yield Endpoint(LOCALHOST, server.port, "postgres", password, "postgres")
    server.stop()


@pytest.fixture(scope="session")
def superuser(pg_server: Endpoint) -> Iterator[psycopg.Connection]:
    """A session of the superuser in the database postgres; every statement is a transaction of its own."""
    with psycopg.connect(**asdict(pg_server), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def make_database(pg_server: Endpoint, superuser: psycopg.Connection) -> Callable[[str], URL]:
    """Makes an empty database of that name and returns its URL as the superuser."""

    def make(name: str) -> URL:
        superuser.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return ledger_url_from(pg_server.host, pg_server.port, pg_server.user, pg_server.password, name)

    return make


@pytest.fixture(scope="session")
def make_login(pg_server: Endpoint, superuser: psycopg.Connection) -> Callable[[URL, str, str], URL]:
    """Makes a login that holds the given role and nothing else; returns the URL of the same database as that login."""

    def make(url: URL, user: str, role: str) -> URL:
        create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE {}")
        superuser.execute(create.format(sql.Identifier(user), pg_server.password, sql.Identifier(role)))
        return url.set(username=user)

    return make


@pytest.fixture(scope="session")
def ledger_owner_url(make_database: Callable[[str], URL]) -> URL:
    """A fresh migrated ledger, as its owner."""
    url = make_database("ledger")
    migrate(url)
    return url


@pytest.fixture(scope="session")
def ledger_url(ledger_owner_url: URL, make_login: Callable[[URL, str, str], URL]) -> URL:
    """The same ledger as the maintainer, who may add and read."""
    return make_login(ledger_owner_url, "ledger_maintainer", "drydock_maintainer")


@pytest.fixture(scope="session")
def ledger(ledger_url: URL) -> Iterator[Engine]:
    """The ledger opened as the maintainer. It is never emptied: tests keep apart by database ids of their own."""
    engine = ledger_engine(ledger_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def work_endpoint(pg_server: Endpoint, make_database: Callable[[str], URL], superuser: psycopg.Connection) -> Endpoint:
    """A database with one table, for an account of work: it owns the table and sees other sessions."""
    make_database("work")
    superuser.execute(sql.SQL("CREATE ROLE worker LOGIN PASSWORD {} IN ROLE pg_read_all_stats").format(pg_server.password))
    superuser.execute("GRANT CREATE ON DATABASE work TO worker")
    found = Endpoint(pg_server.host, pg_server.port, "worker", pg_server.password, "work")
    with psycopg.connect(**asdict(found), autocommit=True) as c:
        c.execute("CREATE SCHEMA own")
        c.execute("CREATE TABLE own.rows AS SELECT n, repeat('x', 100) AS t FROM generate_series(1, 2000) AS n")
    return found

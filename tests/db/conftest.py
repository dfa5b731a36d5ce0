"""One PostgreSQL server for all tests of this folder, and on it a migrated ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import pytest
from drydock.engines.postgres_binaries import find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, initialise
from drydock.ledger.connect import ledger_engine, ledger_url_from
from drydock.ledger.migrate import migrate
from psycopg import sql
from sqlalchemy import URL, Engine

PASSWORD = "p@ss:w/o%rd 'x'"


@dataclass(frozen=True)
class Endpoint:
    """A running server as its superuser."""

    host: str
    port: int
    user: str
    password: str
    dbname: str

    def url(self, dbname: str, user: str | None = None) -> URL:
        return ledger_url_from(self.host, self.port, user or self.user, self.password, dbname)


@pytest.fixture(scope="session")
def pg_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """A server that lives as long as the session; every test makes databases of its own in it."""
    data_dir = tmp_path_factory.mktemp("server") / "data"
    initialise(find_binaries(), data_dir, password=PASSWORD)
    server = PostgresServer(find_binaries(), data_dir)
    server.start(options={"fsync": "off", "max_connections": "100"})
    server.wait_ready()
    yield Endpoint(LOCALHOST, server.port, "postgres", PASSWORD, "postgres")
    server.stop()


@pytest.fixture(scope="session")
def make_database(pg_server: Endpoint) -> Callable[[str], URL]:
    """Makes an empty database of that name and returns its URL as superuser."""

    def make(name: str) -> URL:
        with connect(pg_server) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return pg_server.url(name)

    return make


def connect(server: Endpoint) -> psycopg.Connection:
    return psycopg.connect(
        host=server.host,
        port=server.port,
        user=server.user,
        password=server.password,
        dbname=server.dbname,
        autocommit=True,
    )


@pytest.fixture(scope="session")
def ledger_url(pg_server: Endpoint, make_database: Callable[[str], URL]) -> URL:
    """A fresh migrated ledger, as a login that holds the maintainer role and nothing else."""
    migrate(make_database("ledger"))
    login = sql.SQL("CREATE ROLE ledger_maintainer LOGIN PASSWORD {} IN ROLE drydock_maintainer").format(PASSWORD)
    with connect(pg_server) as connection:
        connection.execute(login)
    return pg_server.url("ledger", "ledger_maintainer")


@pytest.fixture(scope="session")
def ledger(ledger_url: URL) -> Iterator[Engine]:
    """The migrated ledger, opened as the maintainer. Tests keep apart by using database ids of their own."""
    engine = ledger_engine(ledger_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def make_engine(pg_server: Endpoint, ledger_url: URL) -> Iterator[Callable[[str], Engine]]:
    """Opens the ledger as a new login that holds one role."""
    engines = []

    def make(role: str) -> Engine:
        user = f"login_of_{role}"
        login = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE {}")
        with connect(pg_server) as connection:
            connection.execute(login.format(sql.Identifier(user), PASSWORD, sql.Identifier(role)))
        engines.append(ledger_engine(pg_server.url("ledger", user)))
        return engines[-1]

    yield make
    for engine in engines:
        engine.dispose()

"""A small world whose server runs, and a ledger on a server of its own: what is killed is never what remembers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL

from drydock.engines.postgres_binaries import find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, initialise
from drydock.ledger.connect import ledger_url_from
from drydock.ledger.migrate import migrate
from sandbox.clock import ZONE
from sandbox.world import World, build_world
from tests.faults.backup_run import Port

LEDGER_PASSWORD = "ledger"


@pytest.fixture(scope="session")
def new_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], URL]]:
    """Makes migrated empty ledgers, each a copy of one and a database of its own on one server."""
    data_dir = tmp_path_factory.mktemp("ledger") / "data"
    initialise(find_binaries(), data_dir, password=LEDGER_PASSWORD)
    server = PostgresServer(find_binaries(), data_dir)
    server.start(options={"fsync": "off"})
    try:
        server.wait_ready()
        url = ledger_url_from(LOCALHOST, server.port, "postgres", LEDGER_PASSWORD, "postgres")
        migrate(url)
        numbers = count(1)
        yield lambda: _copy_of(url, f"ledger_{next(numbers)}")
    finally:
        server.stop()


def _copy_of(url: URL, name: str) -> URL:
    login = {"host": url.host, "port": url.port, "user": url.username, "password": url.password}
    with psycopg.connect(**login, dbname="template1", autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(url.database)))
    return url.set(database=name)


@pytest.fixture(scope="session")
def run_ledger_url(new_ledger: Callable[[], URL]) -> URL:
    """A ledger for many tests. It is never emptied: runs keep apart by database ids of their own."""
    return new_ledger()


@pytest.fixture(scope="module")
def living_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two nights, a full and an increment, up to a morning that has passed; the server runs on with the real clock."""
    last_day = (datetime.now(ZONE) - timedelta(hours=8)).date()
    world = build_world(tmp_path_factory.mktemp("world") / "world", days=2, last_day=last_day, after="present")
    try:
        yield world
    finally:
        world.close()


@pytest.fixture
def port(living_world: World, new_ledger: Callable[[], URL]) -> Iterator[Port]:
    """Runs on the world with a ledger of the test's own: the reports of a day tell of every database in the ledger."""
    port = Port(living_world, new_ledger())
    yield port
    port.ledger.dispose()


@pytest.fixture
def run_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of the test's own: reports and scratch areas lie in it."""
    monkeypatch.setenv("DRYDOCK_STATE", str(tmp_path / "state"))
    return tmp_path / "state"

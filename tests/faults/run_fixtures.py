"""A small world whose server runs, and a ledger on a server of its own: what is killed is never what remembers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL

from drydock.engines.postgres_binaries import find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, initialise
from drydock.ledger.connect import ledger_url_from
from drydock.ledger.migrate import migrate
from sandbox.clock import ZONE
from sandbox.world import build_world
from tests.faults.backup_run import Port

LEDGER_PASSWORD = "ledger"


@pytest.fixture(scope="session")
def run_ledger_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    """A migrated ledger. It is never emptied: runs keep apart by database ids of their own."""
    data_dir = tmp_path_factory.mktemp("ledger") / "data"
    initialise(find_binaries(), data_dir, password=LEDGER_PASSWORD)
    server = PostgresServer(find_binaries(), data_dir)
    server.start(options={"fsync": "off"})
    try:
        server.wait_ready()
        url = ledger_url_from(LOCALHOST, server.port, "postgres", LEDGER_PASSWORD, "postgres")
        migrate(url)
        yield url
    finally:
        server.stop()


@pytest.fixture(scope="module")
def port(run_ledger_url: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    """Two nights, a full and an increment, up to a morning that has passed; the server runs on with the real clock."""
    last_day = (datetime.now(ZONE) - timedelta(hours=8)).date()
    world = build_world(tmp_path_factory.mktemp("world") / "world", days=2, last_day=last_day, after="present")
    port = Port(world, run_ledger_url)
    try:
        yield port
    finally:
        port.ledger.dispose()
        world.close()


@pytest.fixture
def run_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of the test's own: reports and scratch areas lie in it."""
    monkeypatch.setenv("DRYDOCK_STATE", str(tmp_path / "state"))
    return tmp_path / "state"

"""A server of its own for faults of index rebuild: it is stopped, killed and damaged. Workers are forked processes."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psycopg

from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_binaries import find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, initialise
from drydock.engines.postgres_statements import Statement
from drydock.engines.postgres_work import PostgresTarget
from drydock.outcomes import StatementDone
from drydock.plans import Candidate, LockKind, ObjectKind, ObjectRef, WorkItem
from drydock.reindex.postgres.facts import facts_of
from tests.db.plain_hands import PlainHands, an_item
from tests.unit.build import database

SETTINGS = {"fsync": "off", "max_connections": "60", "autovacuum": "off", "jit": "off", "shared_buffers": "32MB"}
PASSWORD = "yard"


@dataclass
class Yard:
    """One server. `target` opens the sessions of a worker on it."""

    server: PostgresServer
    dbname: str = "postgres"

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(LOCALHOST, self.server.port, "postgres", PASSWORD, self.dbname)

    def start(self) -> None:
        self.server.start(self.server.port or None, SETTINGS)
        self.server.wait_ready()

    def stop_at_once(self) -> None:
        """Immediate shutdown: no checkpoint, every session cut off."""
        pid = self.server.postmaster_pid()
        assert pid
        os.kill(pid, signal.SIGQUIT)
        deadline = time.monotonic() + 20
        while self.server.is_running() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.server.stop()

    def connect(self, **changed: object) -> psycopg.Connection:
        return psycopg.connect(**asdict(self.endpoint), **{"autocommit": True, **changed})

    def target(self, run: str = "yard") -> PostgresTarget:
        return PostgresTarget(database(), self.endpoint, run)


@contextmanager
def a_yard(place: Path) -> Iterator[Yard]:
    initialise(find_binaries(), place / "data", password=PASSWORD)
    yard = Yard(PostgresServer(find_binaries(), place / "data"))
    yard.start()
    with yard.connect() as c:
        c.execute("CREATE EXTENSION pgstattuple")
        c.execute("CREATE EXTENSION amcheck")
    yield yard
    yard.server.stop()


def item_of(target: PostgresTarget, name: str, schema: str = "public", action: str = "reindex_concurrently") -> WorkItem:
    """An item of a plan that was made just now."""
    facts = facts_of(target, schema, name)
    assert facts
    return an_item_on(name, facts.table_name, facts.identity, schema, action)


def an_item_on(name: str, table: str, identity: str, schema: str = "public", action: str = "reindex_concurrently") -> WorkItem:
    """An item on one index, of no size that matters."""
    ref = ObjectRef(kind=ObjectKind.INDEX, owner=schema, name=name, parent=table, identity=identity)
    sizes = {"size_bytes": 0, "work_bytes": 0, "freed_bytes": 0}
    return an_item(Candidate(object=ref, action=action, reason="mass_delete", lock=LockKind.NONE, **sizes))


@dataclass
class Hands(PlainHands):
    """`before_change`: called when the trade has looked and is about to change, `after_change` when it has changed."""

    before_change: Callable[[], object] = field(default=lambda: None)
    after_change: Callable[[], object] = field(default=lambda: None)

    def change(self, *statements: Statement, **bounds: object) -> tuple[StatementDone, ...]:
        done = super().change(*statements, **bounds)
        self.after_change()
        return done

    def remember(self, **state: object) -> None:
        super().remember(**state)
        self.before_change()


class FileMemory(MutableMapping):
    """What a worker wrote down, on disk: it outlives a kill."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def _all(self) -> dict:
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def update(self, values: dict) -> None:  # type: ignore[override]
        unfinished = self.path.with_suffix(".new")
        unfinished.write_text(json.dumps(self._all() | values))
        unfinished.replace(self.path)

    def __getitem__(self, key: str) -> object:
        return self._all()[key]

    def __setitem__(self, key: str, value: object) -> None:
        self.update({key: value})

    def __delitem__(self, key: str) -> None:
        raise NotImplementedError

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def invalid_indexes(c: psycopg.Connection) -> list[str]:
    return [row[0] for row in c.execute("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid").fetchall()]

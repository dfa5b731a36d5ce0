"""The simulator that the server is held against: a healthy world of this repository, prepared like the server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from secrets import token_hex

from sandbox.oracle import worlds
from sandbox.oracle.model.database import Account, OracleDatabase
from sandbox.oracle.sessions import open_simulator
from tests.oracle.live_target import LiveTarget
from tests.oracle.yard import Yard, facts_of, make_yard

SEED, DAYS = 7, 4
ADMIN = "SYS"


def simulated_database(password: str) -> OracleDatabase:
    """The world that stands for a server: healthy backups of a few days, and an account that may do everything."""
    database = worlds.lived(SEED, ends_at=datetime.now(UTC), days=DAYS)
    database.options |= {"Partitioning": True, "Online Index Build": True, "Online Redefinition": True}
    database.options["Real Application Clusters"] = False
    database.parameters.setdefault("control_management_pack_access", "NONE")
    database.accounts[ADMIN] = Account(ADMIN, password, {"SYSDBA", "DBA", "CREATE SESSION"})
    return database


@contextmanager
def simulator_yard() -> Iterator[Yard]:
    """A prepared simulator of its own."""
    password = token_hex(12)
    database = simulated_database(password)
    with open_simulator(database) as server:
        target = LiveTarget("127.0.0.1", server.port, database.service, ADMIN, password, is_a_test=True)
        admin = target.connect_as_admin()
        yard = make_yard(target, admin, facts_of(admin))
        try:
            yield yard
        finally:
            yard.close()

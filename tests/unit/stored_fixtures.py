"""Small tables with storage in a simulated database."""

from __future__ import annotations

import pytest

from sandbox.oracle.model import making, statistics
from sandbox.oracle.model.building import ENDS_AT, Shape, new_database
from sandbox.oracle.model.database import Account, OracleDatabase
from sandbox.oracle.model.files import MIB
from sandbox.oracle.model.repository import repository_of
from sandbox.oracle.model.storage import Storage, storage_of
from sandbox.oracle.model.stored import Partitioning, StoredTable
from sandbox.oracle.sessions import SqlBackend
from tests.unit.made_storage import (
    COLUMNS,
    ROWS,
    logged_on,
)


@pytest.fixture
def database() -> OracleDatabase:
    database = OracleDatabase("SIM", 1, service="sim")
    for name, privileges in {
        "APP": {"CREATE SESSION"},
        "MAINT": {"CREATE SESSION", "DBA"},
        "READER": {"CREATE SESSION", "SELECT APP.T"},
    }.items():
        database.accounts[name] = Account(name, "x", privileges)
    return database


@pytest.fixture
def storage(database: OracleDatabase) -> Storage:
    return storage_of(database)


@pytest.fixture
def table(storage: Storage) -> StoredTable:
    """T: partitions P0 to P2 with 60,000 rows each, a local index, a global primary key."""
    table = making.add_table(storage, "APP", "T", COLUMNS, partitioning=Partitioning("RANGE", ("D",)))
    for n in range(3):
        making.add_partition(storage, table, f"P{n}", f"TO_DATE('2026-0{n + 2}-01')")
    making.add_index(storage, table, "T_IX", ["NAME"], is_local=True)
    making.add_key(storage, table, "T_PK", ["ID"])
    for n in range(3):
        making.grow(storage, table, ROWS, f"P{n}")
    statistics.gather(storage, table)
    return table


@pytest.fixture
def plain(storage: Storage) -> StoredTable:
    """H: a table without partitions, 60,000 rows, two indexes, row movement on."""
    table = making.add_table(storage, "APP", "H", COLUMNS, row_movement=True)
    making.add_index(storage, table, "H_IX", ["NAME"])
    making.add_key(storage, table, "H_PK", ["ID"])
    making.grow(storage, table, ROWS)
    return table


@pytest.fixture
def backend(database: OracleDatabase) -> SqlBackend:
    return logged_on(database)


@pytest.fixture
def served() -> OracleDatabase:
    """A database with a recovery area, and H in it."""
    database = new_database(3, Shape(spaces={"USERS": (8.0,)}, log_bytes=64 * MIB), ENDS_AT)
    database.accounts["MAINT"] = Account("MAINT", "x", {"CREATE SESSION", "DBA"})
    for datafile in repository_of(database).living_files():
        datafile.used_blocks = 256
    storage = storage_of(database)
    table = making.add_table(storage, "APP", "H", COLUMNS, row_movement=True)
    making.add_index(storage, table, "H_IX", ["NAME"])
    making.grow(storage, table, 2_000_000)
    return database

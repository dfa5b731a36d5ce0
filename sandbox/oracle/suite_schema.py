"""The schema of the live suite in the model: what tests/oracle/schema.py makes by SQL on a server, planted here.

The simulator's SQL has no CREATE TABLE. With the same tables in it, each change that the suite tries on a server can be held
against what the simulator does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.oracle.backend import Lob, OraType, YearMonth
from sandbox.oracle.model import making
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.real_rows import adopt_tables
from sandbox.oracle.model.storage import Storage, storage_of
from sandbox.oracle.model.stored import Attributes, Partitioning
from sandbox.oracle.model.tables import Table, TableColumn, UniqueKey, tables_of

ROWS = 4000
KEY = Decimal("12345678901234567890123456789012345678")
NAMES = ("SELECT", "a'b", "x; DROP TABLE y --", "报关单", "with space", "MiXeD", "{brace}", ":bind", "%s", "N" * 128)
STEPS = ("declarations", "lob", "holes", "unusable", "nologging", "locked", "hostile", "types", "partitioned")
"""Those of tests/oracle/schema.py that are planted; what is missing here is a gap there."""

NUMBER, TEXT, CLOB = OraType.NUMBER, OraType.VARCHAR2, OraType.CLOB
ID = TableColumn("ID", NUMBER)
ID12 = TableColumn("ID", NUMBER, precision=12, scale=0, nullable=False)


def plant(database: OracleDatabase, owner: str) -> tuple[str, ...]:
    """Plants all of it anew for an account; returns the names of the steps. The caller holds no lock."""
    with database.lock:
        storage = storage_of(database)
        forget(storage, owner)
        declarations(storage, owner)
        small_tables(storage, owner)
        every_type(database, owner)
        for name in NAMES:
            columns = [TableColumn("K", NUMBER), TableColumn("T", TEXT, size=400)]
            made(database, owner, name, columns, [(KEY, name)])
        partitioned(storage, owner)
        adopt_tables(storage)
    return STEPS


def forget(storage: Storage, owner: str) -> None:
    """Storage that an earlier planting has left for the account."""
    for key, stored in [(key, stored) for key, stored in storage.tables.items() if key[0] == owner]:
        tables_of(storage.database).drop(*key)
        for segment in stored.segments():
            segment.drop()
        del storage.tables[key]


def made(
    database: OracleDatabase, owner: str, name: str, columns: Sequence[TableColumn], rows: Iterable[Sequence[Any]], **more: Any
) -> Table:
    table = tables_of(database).create(owner, name, columns, **more)
    table.plant(rows)
    return table


def declarations(storage: Storage, owner: str) -> None:
    """Rows of some 430 bytes, of which three of four have gone: holes everywhere below the high-water mark."""
    name, filler = TableColumn("NAME", TEXT, size=60), TableColumn("FILLER", TEXT, size=500)
    columns = [ID12, TableColumn("KEY38", NUMBER, precision=38, scale=0), name, filler]
    rows = [(n, KEY - n, f"name {n}", "x" * 400) for n in range(1, ROWS + 1)]
    keys = (UniqueKey("DECLARATIONS_PK", ("ID",), True),)
    table = made(storage.database, owner, "DECLARATIONS", columns, rows, keys=keys)
    adopt_tables(storage)
    making.add_index(storage, storage.tables[owner, "DECLARATIONS"], "DECLARATIONS_NAME", ("NAME",))
    table.apply({rowid: None for rowid, row in table.rows.items() if row[0] % 4})


def small_tables(storage: Storage, owner: str) -> None:
    """A LOB, an index that is unusable, a load without redo, a row to be locked."""
    database = storage.database
    made(database, owner, "PAPERS", [ID, TableColumn("BODY", CLOB)], [(1, Lob("y" * 3000))])
    made(database, owner, "LOCKED", [ID], [(1,)])
    made(database, owner, "BROKEN", [ID], [])
    made(database, owner, "LOADED", [ID], [(n,) for n in range(1, 1001)])
    adopt_tables(storage)
    storage.tables[owner, "LOADED"].attributes.is_logging = False
    for piece in storage.tables[owner, "LOADED"].pieces:
        piece.attributes = Attributes(is_logging=False)
    index = making.add_index(storage, storage.tables[owner, "BROKEN"], "BROKEN_IX", ("ID",), is_unique=True)
    for piece in index.pieces:
        piece.is_usable = False


def every_type(database: OracleDatabase, owner: str) -> None:
    """One column of each type that the wire knows, a to s as in the suite."""
    day, moment = datetime(2026, 11, 20), datetime(2026, 11, 20, 7, 30)
    told: list[tuple[OraType, Any]] = [
        (OraType.VARCHAR2, "text"),
        (OraType.CHAR, "fixed"),
        (OraType.VARCHAR2, "国"),
        (NUMBER, Decimal("0.1")),
        (NUMBER, KEY),
        (NUMBER, Decimal("2.5")),
        (OraType.BINARY_FLOAT, 1.5),
        (OraType.BINARY_DOUBLE, 2.25),
        (OraType.DATE, day),
        (OraType.TIMESTAMP, moment.replace(microsecond=123456)),
        (OraType.TIMESTAMP_TZ, moment.replace(tzinfo=UTC)),
        (OraType.TIMESTAMP_LTZ, moment.replace(tzinfo=UTC)),
        (OraType.INTERVAL_YM, YearMonth(2, 3)),
        (OraType.INTERVAL_DS, timedelta(days=4, hours=5, minutes=6, seconds=7.5)),
        (OraType.RAW, b"\x00\xff"),
        (CLOB, Lob("clob")),
        (CLOB, Lob("大对象")),
        (OraType.BLOB, Lob(b"\xca\xfe")),
        (OraType.LONG, "long"),
    ]
    sizes = {OraType.CHAR: 5, OraType.VARCHAR2: 20, OraType.RAW: 8}
    columns = [TableColumn(chr(65 + n), kind, size=sizes.get(kind, 4000)) for n, (kind, _) in enumerate(told)]
    made(database, owner, "EVERY_TYPE", columns, [tuple(value for _, value in told)])


def partitioned(storage: Storage, owner: str) -> None:
    columns = [ID12, TableColumn("NAME", TEXT, size=60)]
    table = making.add_table(storage, owner, "MOVES", columns, partitioning=Partitioning("RANGE", ("ID",)))
    for name, upper in (("P1", 1000), ("P2", 2000)):
        making.add_partition(storage, table, name, str(upper), upper=upper)
    made(storage.database, owner, "MOVES", columns, [(n, f"move {n}") for n in range(1, 1901)])
    adopt_tables(storage)
    making.add_index(storage, table, "MOVES_ID", ("ID",), is_local=True)

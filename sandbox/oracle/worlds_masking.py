"""A schema with real rows in the simulated Oracle target: an archive of declarations, with one made-up subject to look for.

The platform's own schema has counted rows, which nobody can copy. Here are the same tables with rows of three days in the
past, of the same made-up firms as the PostgreSQL source of that platform has, so that masked copies of both can be joined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import polars as pl

from sandbox.canaries import canary_of
from sandbox.oracle.backend import Lob, OraType
from sandbox.oracle.model import making, statistics
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.real_rows import adopt_tables
from sandbox.oracle.model.storage import Storage, storage_of
from sandbox.oracle.model.stored import Constraint, Sequence
from sandbox.oracle.model.tables import TableColumn, UniqueKey, tables_of
from sandbox.oracle.worlds_storage import PLATFORM, column_of
from sandbox.rows import platform_rows
from sandbox.tables import Table, catalog

OWNER = "GZ_HIST"
TABLES = ("ent_corp_reg", "dec_head", "dec_list", "dec_container", "dec_receipt", "exch_msg_log")
DETAILS = ("dec_list", "dec_container", "dec_receipt")
"""Tables whose rows name a declaration; in Oracle the key of the head needs no column of a partition beside it."""
DAYS = (date(2025, 9, 1), date(2025, 9, 3))
SCALE = 0.05
MESSAGES_SINCE = datetime(2025, 9, 1)


def plant_archive(database: OracleDatabase, seed: int) -> None:
    """Makes the schema and its rows; they are the same for each seed, whatever day it is."""
    with database.lock:
        storage = storage_of(database)
        made = [_create(database, catalog().table(name)) for name in TABLES]
        adopt_tables(storage)
        for frames in platform_rows(PLATFORM, SCALE, seed, *DAYS):
            for name in (n for n in TABLES if n in frames):
                tables_of(database).by_name[OWNER, name.upper()].plant(_rows(catalog().table(name), frames[name]))
        _plant_subject(database)
        for name in made:
            _define(storage, name)
        storage.touch()


def _create(database: OracleDatabase, table: Table) -> str:
    name, key = table.name.upper(), tuple(c.upper() for c in table.primary_key)
    keys = [UniqueKey(f"PK_{name}", key, True)]
    keys += [
        UniqueKey("_".join(["UK", name, *i.columns]).upper(), tuple(c.upper() for c in i.columns))
        for i in table.indexes
        if i.unique
    ]
    columns = [_column(c.name.upper(), c.type, c.comment_zh, key) for c in table.columns]
    tables_of(database).create(OWNER, name, columns, keys=tuple(keys), comment=table.comment_zh)
    return name


def _column(name: str, text: str, comment: str, key: tuple[str, ...]) -> TableColumn:
    made = column_of(name, text, comment)
    return TableColumn(made.name, made.type, made.size, made.precision, made.scale, name not in key, comment)


def _rows(table: Table, frame: pl.DataFrame) -> Iterator[tuple[Any, ...]]:
    if "recv_time" in frame.columns:  # the log has a month's remainder before the first day, for the platform's purge
        frame = frame.filter(pl.col("recv_time") >= MESSAGES_SINCE)
    reads = [_reader(column_of(c.name, c.type, "").type) for c in table.columns]
    for row in frame.iter_rows():
        yield tuple(None if value is None else read(value) for read, value in zip(reads, row, strict=True))


def _reader(kind: OraType) -> Callable[[Any], Any]:
    """How a generated value is kept: numbers exactly, days with a time of day, long texts as LOBs."""
    if kind is OraType.NUMBER:
        return lambda value: Decimal(str(value))
    if kind in (OraType.DATE, OraType.TIMESTAMP):
        return lambda value: value if isinstance(value, datetime) else datetime.combine(value, time())
    return Lob if kind is OraType.CLOB else str


def _plant_subject(database: OracleDatabase) -> None:
    """The subject that the policy names; see sandbox/canaries.py."""
    row = {name.upper(): value for name, value in canary_of("ent_corp_reg").items()}
    tables_of(database).by_name[OWNER, "ENT_CORP_REG"].plant([{**row, "CORP_ID": Decimal(row["CORP_ID"])}])


def _define(storage: Storage, name: str) -> None:
    """What else a real schema has: foreign keys, a check, indexes, a sequence; statistics of last night."""
    stored, table = storage.tables[OWNER, name], catalog().table(name.lower())
    if table.name in DETAILS:
        stored.constraints.append(Constraint(f"FK_{name}", "R", ("DEC_ID",), refers_to=(OWNER, "PK_DEC_HEAD")))
    if table.name == "dec_head":
        stored.constraints.append(Constraint("CK_DEC_HEAD_IE", "C", ("IE_FLAG",), condition="IE_FLAG IN ('I', 'E')"))
    if table.name == "ent_corp_reg":
        last = max(row[0] for row in stored.real.rows.values())
        storage.sequences.append(Sequence(OWNER, "SEQ_CORP_ID", last_number=int(last) + 21))
    for index in (i for i in table.indexes if not i.unique):
        columns = [c.upper() for c in index.columns]
        making.add_index(storage, stored, "_".join(["IX", name, *columns]), columns)
    statistics.gather(storage, stored)

"""Loads a platform's tables into a PostgreSQL database, and adds a day's new rows to it.

Rows go in by COPY before keys and indexes are made, as the manual advises ("Populating a Database"). Each table is made,
and each index built, in a transaction of its own: hundreds of daily partitions at once would not fit in the lock table.
The account that loads must be a superuser, for it makes the application role that owns everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

import polars as pl
import psycopg
from psycopg import sql

from sandbox import days, tables
from sandbox.days import MESSAGE_LOG, REWRITES, DayPlan
from sandbox.rows import Frames, chunk_rows, platform_rows
from sandbox.tables import Table, catalog, qualified

# 45 days at these scales load in about 8 s (2 cores) and make databases of 60, 80 and 45 MB; scale 1 is the volume of the YAML
DEFAULT_SCALES = {"gz-main": 0.03, "gz-cbec": 0.005, "gz-market": 0.1}
DEFAULT_DAYS = 45
TIME_ZONE = "Asia/Shanghai"
COPY_ROWS = 50_000  # per piece of text, to keep memory flat
# columns that end in the serial of the day, ten digits
SERIAL_COLUMNS = {
    "dec_head": "dec_id",
    "mft_bill": "mft_bill_id",
    "ceb_order": "order_no",
    "mpt_trade": "trade_id",
    MESSAGE_LOG: "msg_id",
}


def load_platform(conninfo: str, platform: str, scale: float, seed: int, first_day: date, last_day: date) -> dict[str, int]:
    """Make and fill the platform's schema in an existing database; answers the rows of each table.

    Raises psycopg.errors.DuplicateSchema where the schema is there already, KeyError for an unknown platform, ValueError for
    an empty range of days. A load that was broken off leaves a part: drop the database and load again.
    """
    plans = days.plan_days(platform, scale, first_day, last_day)
    with psycopg.connect(conninfo) as connection:
        _make_schema(connection, platform)
        _make_tables(connection, platform, plans)
        for frames in platform_rows(platform, scale, seed, first_day, last_day):
            _copy(connection, platform, frames)
            connection.commit()
        _make_keys_and_indexes(connection, platform)
        _empty_old_partitions(connection, platform, days.emptied_days(last_day))
        _rewrite_in_place(connection, platform, days.rewritten_partitions(platform, first_day, last_day))
        for table in catalog().of_platform(platform):
            connection.execute(sql.SQL("ANALYZE {}").format(qualified(platform, table.name)))
            connection.commit()
        return {table.name: _count(connection, platform, table) for table in catalog().of_platform(platform)}


def day_changes(conninfo: str, platform: str, day: date, seed: int, rows: int) -> int:
    """Add about `rows` new rows of one day to a loaded platform, and the partitions they need; answers how many.

    May be called again for the same day: serials go on where the day's rows end. One transaction.
    """
    count = max(1, round(rows / days.rows_per_document(platform)))
    messages = max(1, round(count * days.messages_per_document(platform)))
    with psycopg.connect(conninfo) as connection:
        _act_as_owner(connection, platform)
        serials = {
            t.name: _first_free_serial(connection, platform, t, day)
            for t in catalog().of_platform(platform)
            if t.name in SERIAL_COLUMNS
        }
        plan = DayPlan(day, count, messages, first_serials=serials)
        for table in catalog().of_platform(platform):
            _make_partitions(connection, platform, table, [plan])
        return _copy(connection, platform, chunk_rows(platform, seed, [plan], serials[days.HEAD_TABLES[platform]]))


def _make_schema(connection: psycopg.Connection, platform: str) -> None:
    """The application role, its schema marked as made up, and the database's time zone; then act as that role."""
    owner, schema = tables.owner_name(platform), tables.schema_name(platform)
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [owner]).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(owner)))
    database = sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("ALTER DATABASE {} SET timezone = {}").format(database, sql.Literal(TIME_ZONE)))
    connection.execute(sql.SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(sql.Identifier(schema), sql.Identifier(owner)))
    connection.execute(sql.SQL("COMMENT ON SCHEMA {} IS {}").format(sql.Identifier(schema), sql.Literal(tables.SYNTHETIC)))
    _act_as_owner(connection, platform)
    connection.commit()


def _act_as_owner(connection: psycopg.Connection, platform: str) -> None:
    connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(tables.owner_name(platform))))


def _make_tables(connection: psycopg.Connection, platform: str, plans: Sequence[DayPlan]) -> None:
    for table in catalog().of_platform(platform):
        statements = [tables.table_statement(platform, table), *tables.comment_statements(platform, table)]
        connection.execute(sql.SQL("; ").join(statements))
        _make_partitions(connection, platform, table, plans)
        connection.commit()


def _make_partitions(connection: psycopg.Connection, platform: str, table: Table, plans: Iterable[DayPlan]) -> None:
    """The partitions that these days need: the log's where there are messages, the others' where documents are kept."""
    if table.partitioning is None:
        return
    wanted = [plan.day for plan in plans if (plan.messages if table.name == MESSAGE_LOG else plan.in_tables)]
    first_days = sorted({tables.partition_bounds(table.partitioning.span, day)[0] for day in wanted})
    connection.execute(sql.SQL("; ").join(tables.partition_statement(platform, table, day) for day in first_days))


def _copy(connection: psycopg.Connection, platform: str, frames: Frames) -> int:
    """COPY the rows of each table, heads before details; answers how many rows went in."""
    rows = 0
    for table in catalog().of_platform(platform):
        if table.name in frames:
            rows += _copy_table(connection, platform, table, frames[table.name])
    return rows


def _copy_table(connection: psycopg.Connection, platform: str, table: Table, frame: pl.DataFrame) -> int:
    columns = sql.SQL(", ").join(map(sql.Identifier, frame.columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(qualified(platform, table.name), columns)
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for part in frame.iter_slices(COPY_ROWS):
                copy.write(part.write_csv(include_header=False))
        return cursor.rowcount


def _make_keys_and_indexes(connection: psycopg.Connection, platform: str) -> None:
    """Primary keys and indexes of all tables, then the foreign keys that need them."""
    here = catalog().of_platform(platform)
    for table in here:
        for statement in [tables.key_statement(platform, table), *tables.index_statements(platform, table)]:
            connection.execute(statement)
            connection.commit()
    for table in here:
        if table.detail_of:
            connection.execute(tables.foreign_key_statement(platform, table))
            connection.commit()


def _empty_old_partitions(connection: psycopg.Connection, platform: str, emptied: Iterable[date]) -> None:
    """DELETE all rows of some daily partitions of the message log: the planted fault of the reclaim pipeline.

    vacuum_truncate is off there, else autovacuum would give the empty pages back and the high water mark would be gone.
    """
    log = catalog().table(MESSAGE_LOG)
    for day in emptied:
        partition = qualified(platform, tables.partition_name(log, day))
        connection.execute(sql.SQL("ALTER TABLE {} SET (vacuum_truncate = off, toast.vacuum_truncate = off)").format(partition))
        connection.execute(sql.SQL("DELETE FROM {}").format(partition))
    connection.commit()


def _rewrite_in_place(connection: psycopg.Connection, platform: str, partitions: Mapping[str, date]) -> None:
    """UPDATE all rows of some partitions to what they are, again and again: the other planted fault of the weekly work.

    No row changes. What is left is a partition that is free in its first two thirds, where no vacuum can cut anything
    off, and indexes with room for each version.
    """
    for name, day in partitions.items():
        table = catalog().table(name)
        partition, column = qualified(platform, tables.partition_name(table, day)), sql.Identifier(table.partitioning.column)
        for _ in range(REWRITES):
            connection.execute(sql.SQL("UPDATE {} SET {} = {}").format(partition, column, column))
            connection.commit()


def _count(connection: psycopg.Connection, platform: str, table: Table) -> int:
    return connection.execute(sql.SQL("SELECT count(*) FROM {}").format(qualified(platform, table.name))).fetchone()[0]


def _first_free_serial(connection: psycopg.Connection, platform: str, table: Table, day: date) -> int:
    """One past the largest serial that the day's rows carry; 0 on a day without rows."""
    question = sql.SQL("SELECT coalesce(max(right({}::text, %s)::bigint) + 1, 0) FROM {} WHERE {} >= %s AND {} < %s")
    when = sql.Identifier(table.partitioning.column)
    composed = question.format(sql.Identifier(SERIAL_COLUMNS[table.name]), qualified(platform, table.name), when, when)
    return connection.execute(composed, [days.SERIAL_DIGITS, day, day + timedelta(days=1)]).fetchone()[0]

"""The sandbox's tables: typed models of `domain/sandbox_tables.yaml`, and the PostgreSQL DDL made from them.

The YAML speaks Oracle, as the real platforms do. What becomes of it in PostgreSQL 14 and later:

- NUMBER(p) is smallint, integer, bigint or numeric(p,0), the smallest that holds p digits (NUMBER(19) and more do not fit
  a bigint); NUMBER(p,s) is numeric(p,s); VARCHAR2(n) is varchar(n), CHAR(n) is char(n), CLOB is text.
- DATE is timestamp(0) and TIMESTAMP is timestamp(6), both without time zone: Oracle's DATE carries a time of day, so
  PostgreSQL's date would lose it, and neither Oracle type carries a zone. Both hold the local time of the platform;
  `load.py` sets the time zone of the database to Asia/Shanghai, so that comparisons with now() come out right.
- INTERVAL partitions are named `<table>_p202611` and `<table>_p20261111`; there is no automatic interval in PostgreSQL,
  so the loader makes the partitions it needs. REFERENCE partitioning becomes RANGE on the detail's copy of the head's key.
- A primary or unique key of a partitioned table must contain the partition key (PostgreSQL manual, "Partitioning",
  limitations), so `widened` adds it: dec_head's key is (dec_id, d_date), its unique index (entry_id, d_date), and so on.
  What Oracle calls a global unique index is therefore unique per partition only.
- Foreign keys lead from detail to head along the head's widened key: dec_list and dec_container to dec_head (dec_id,
  d_date), mft_container to mft_bill (mft_bill_id, create_time), ceb_inv_list to ceb_inv_head (guid, app_time),
  mpt_trade_item to mpt_trade (trade_id, create_time). dec_receipt has no column for the head's d_date, and the four CBEC
  documents meet in order_no, which is no key by itself: those joins stay undeclared, as on the real platforms.

Every statement is composed with psycopg.sql, so that names and comments are quoted by the driver.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Literal

from psycopg import sql
from pydantic import Field, field_validator
from ruamel.yaml import YAML

from drydock.verdicts import Model

CATALOG_FILE = Path(__file__).parent / "domain" / "sandbox_tables.yaml"
PLATFORMS = ("gz-main", "gz-cbec", "gz-market")
SYNTHETIC = "模拟数据"

_TYPE = re.compile(r"(NUMBER|VARCHAR2|CHAR|DATE|TIMESTAMP|CLOB)(?:\((\d+)(?:,(\d+))?\))?")
_PARTITION = re.compile(r"RANGE\((\w+)\) INTERVAL 1 (month|day)")
_INDEX = re.compile(r"(UK|IX) ([\w,]+)(?: \(([\w ]+)\))?")
_WHOLE_NUMBERS = ((4, "smallint"), (9, "integer"), (18, "bigint"))

Span = Literal["month", "day"]


class Column(Model):
    name: str
    type: str
    comment_zh: str
    kind: str | None = Field(None, description="kind of sensitive value, if it holds one")

    @property
    def postgres_type(self) -> str:
        """The PostgreSQL type. Raises ValueError for an Oracle type that the sandbox does not use."""
        match = _TYPE.fullmatch(self.type)
        if not match:
            raise ValueError(f"column {self.name}: type {self.type!r} has no PostgreSQL counterpart here")
        name, size, scale = match.groups()
        if name == "NUMBER":
            return _number_type(int(size), scale)
        sized = {"VARCHAR2": f"varchar({size})", "CHAR": f"char({size})"}
        return sized.get(name) or {"DATE": "timestamp(0)", "TIMESTAMP": "timestamp(6)", "CLOB": "text"}[name]


def _number_type(digits: int, scale: str | None) -> str:
    if scale and int(scale):
        return f"numeric({digits},{scale})"
    return next((name for fits, name in _WHOLE_NUMBERS if digits <= fits), f"numeric({digits},0)")


class Index(Model):
    unique: bool
    columns: tuple[str, ...]


class Partitioning(Model):
    column: str
    span: Span


class Table(Model):
    name: str
    comment_zh: str
    platform: str
    primary_key: tuple[str, ...]
    detail_of: str | None = None
    partition: str
    volume_field_scale: str
    volume_sandbox_default: str
    reason: str
    indexes: tuple[Index, ...]
    columns: tuple[Column, ...]

    @field_validator("primary_key", mode="before")
    @classmethod
    def _split_key(cls, key: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in key.split(","))

    @field_validator("volume_field_scale", "volume_sandbox_default", mode="before")
    @classmethod
    def _as_text(cls, volume: object) -> str:
        return str(volume)

    @field_validator("indexes", mode="before")
    @classmethod
    def _read_indexes(cls, lines: list[str]) -> list[dict]:
        return [_read_index(line) for line in lines]

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def volume(self) -> int:
        """Rows at scale 1: per day, or in all for a table without partitions."""
        return int(self.volume_sandbox_default.split("/")[0].replace(",", ""))

    @property
    def partitioning(self) -> Partitioning | None:
        """How the table is divided; a detail table is divided as its head is. None: not at all."""
        if self.partition.startswith("none"):
            return None
        if self.partition.startswith("REFERENCE"):
            return catalog().table(str(self.detail_of)).partitioning
        column, span = _PARTITION.fullmatch(self.partition).groups()
        return Partitioning(column=column, span=span)

    def widened(self, key: tuple[str, ...]) -> tuple[str, ...]:
        """A unique key with the partition column added where it is missing, as PostgreSQL demands."""
        divided = self.partitioning
        return key if divided is None or divided.column in key else (*key, divided.column)


def _read_index(line: str) -> dict:
    match = _INDEX.fullmatch(line)
    if not match:
        raise ValueError(f"index {line!r} is not written as 'UK a,b (local)' or 'IX a'")
    return {"unique": match[1] == "UK", "columns": tuple(match[2].split(","))}


class Catalog(Model):
    schema_: Literal["sw-sandbox-tables/1"] = Field(alias="schema")
    codes: dict[str, dict[str, str]]
    planted_faults: tuple[str, ...]
    tables: tuple[Table, ...]

    def table(self, name: str) -> Table:
        """The table of that name. Raises KeyError."""
        found = next((table for table in self.tables if table.name == name), None)
        if found is None:
            raise KeyError(f"no table {name!r} in {CATALOG_FILE.name}")
        return found

    def of_platform(self, platform: str) -> tuple[Table, ...]:
        """The tables of one platform, heads before details; exch_msg_log exists in each. Raises KeyError."""
        if platform not in PLATFORMS:
            raise KeyError(f"no platform {platform!r}; there are: {', '.join(PLATFORMS)}")
        return tuple(table for table in self.tables if table.platform in (platform, "all"))


@cache
def catalog() -> Catalog:
    """The tables as the YAML describes them, read once per process. Raises pydantic.ValidationError."""
    with CATALOG_FILE.open(encoding="utf-8") as file:
        return Catalog.model_validate(YAML(typ="safe").load(file))


def schema_name(platform: str) -> str:
    return platform.replace("-", "_")


def owner_name(platform: str) -> str:
    """The application role that owns the platform's schema; it cannot log in."""
    return f"{schema_name(platform)}_app"


def qualified(platform: str, relation: str) -> sql.Identifier:
    return sql.Identifier(schema_name(platform), relation)


def table_statement(platform: str, table: Table) -> sql.Composed:
    """CREATE TABLE without keys and indexes: those come after the rows, when making them is cheaper."""
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.postgres_type)) for column in table.columns
    )
    statement = sql.SQL("CREATE TABLE {} ({})").format(qualified(platform, table.name), columns)
    if table.partitioning:
        statement += sql.SQL(" PARTITION BY RANGE ({})").format(sql.Identifier(table.partitioning.column))
    return statement


def comment_statements(platform: str, table: Table) -> list[sql.Composed]:
    """The Chinese comments of the table and of all its columns."""
    name = qualified(platform, table.name)
    comments = [sql.SQL("COMMENT ON TABLE {} IS {}").format(name, sql.Literal(table.comment_zh))]
    for column in table.columns:
        place = sql.Identifier(schema_name(platform), table.name, column.name)
        comments.append(sql.SQL("COMMENT ON COLUMN {} IS {}").format(place, sql.Literal(column.comment_zh)))
    return comments


def partition_bounds(span: Span, day: date) -> tuple[date, date]:
    """First day of the partition that holds `day`, and first day of the next one."""
    if span == "day":
        return day, day + timedelta(days=1)
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


def partition_name(table: Table, day: date) -> str:
    """Name of the partition of `day`, for example dec_head_p202611 or ceb_order_p20261111."""
    return f"{table.name}_p{day:%Y%m}" if table.partitioning.span == "month" else f"{table.name}_p{day:%Y%m%d}"


def partition_statement(platform: str, table: Table, day: date) -> sql.Composed:
    """CREATE TABLE IF NOT EXISTS of the partition that holds `day`; keys and indexes of the parent come with it."""
    low, high = partition_bounds(table.partitioning.span, day)
    return sql.SQL("CREATE TABLE IF NOT EXISTS {} PARTITION OF {} FOR VALUES FROM ({}) TO ({})").format(
        qualified(platform, partition_name(table, day)),
        qualified(platform, table.name),
        sql.Literal(low.isoformat()),
        sql.Literal(high.isoformat()),
    )


def key_statement(platform: str, table: Table) -> sql.Composed:
    """ALTER TABLE that adds the (widened) primary key."""
    return sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} PRIMARY KEY ({})").format(
        qualified(platform, table.name), sql.Identifier(f"pk_{table.name}"), _names(table.widened(table.primary_key))
    )


def index_name(table: Table, index: Index) -> str:
    return "_".join(["uk" if index.unique else "ix", table.name, *index.columns])


def index_statements(platform: str, table: Table) -> list[sql.Composed]:
    """CREATE INDEX for each index of the YAML, the unique ones widened; made on the parent, so each partition gets its own."""
    return [
        sql.SQL("CREATE {} {} ON {} ({})").format(
            sql.SQL("UNIQUE INDEX" if index.unique else "INDEX"),
            sql.Identifier(index_name(table, index)),
            qualified(platform, table.name),
            _names(table.widened(index.columns) if index.unique else index.columns),
        )
        for index in table.indexes
    ]


def foreign_key_statement(platform: str, table: Table) -> sql.Composed:
    """ALTER TABLE that binds a detail table to its head along the head's widened primary key."""
    head = catalog().table(str(table.detail_of))
    key = _names(head.widened(head.primary_key))
    return sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({})").format(
        qualified(platform, table.name), sql.Identifier(f"fk_{table.name}_{head.name}"), key, qualified(platform, head.name), key
    )


def _names(columns: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))

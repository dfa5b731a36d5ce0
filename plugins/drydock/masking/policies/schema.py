"""What a source looks like: tables, columns, constraints, partitions and types, as values that no engine is in.

Drift and fitness judge these, the copy is built from them. Comments, defaults, labels, bounds and expressions are kept as
the database writes them: they may hold originals, so they are never logged and never stored but as digests.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Literal

from pydantic import Field

from drydock.estate import Engine
from drydock.masking.postgres.facts import Definitions
from drydock.verdicts import Model

Family = Literal[
    "text", "number", "date", "time", "boolean", "binary", "json", "xml", "array", "enum", "uuid", "network", "search", "other"
]
_PLAIN = re.compile(r"[^\W\d][\w$#]*\Z")


def object_name(*parts: str) -> str:
    """`schema.table` as policies write it; a part that is no plain word stands in double quotes."""
    return ".".join(part if _PLAIN.match(part) else '"' + part.replace('"', '""') + '"' for part in parts)


class DataType(Model):
    """The type of a column, of its domain's base where it has a domain."""

    name: str = Field(description="as the engine writes it")
    family: Family
    length: int | None = Field(None, description="most characters or bytes; None: no limit")
    unit: Literal["char", "byte"] = "char"
    precision: int | None = None
    scale: int | None = None
    element: Family | None = Field(None, description="of an array: what it holds")


class Check(Model):
    """A condition that rows must meet; NULL meets it."""

    name: str
    expression: str
    columns: tuple[str, ...] = ()
    is_validated: bool = True
    is_of_partition: bool = False


class Column(Model):
    name: str
    position: int
    type: DataType
    nullable: bool = Field(description="neither the column nor its domain refuses NULL")
    default: str = Field("", description="expression; of a generated column what it is made of")
    generated: Literal["", "stored", "virtual"] = ""
    identity: Literal["", "always", "by default"] = ""
    collation: str = ""
    comment: str = ""
    domain: str = Field("", description="object name of its domain")
    domain_checks: tuple[Check, ...] = Field((), description="of the domain and those below it; VALUE is the value")
    enum: str = Field("", description="object name of its enum type")
    labels: tuple[str, ...] = Field((), description="of its enum type")


class UniqueKey(Model):
    """A primary key, unique constraint or unique index."""

    name: str
    columns: tuple[str, ...] = Field(description="plain columns of the key")
    expression_columns: tuple[str, ...] = Field((), description="columns that its expressions and its predicate use")
    has_expression: bool = False
    is_primary: bool = False
    is_constraint: bool = True
    nulls_distinct: bool = Field(True, description="two NULLs differ")
    predicate: str = Field("", description="of a partial unique index")
    is_of_partition: bool = False
    definition: str = ""


class ForeignKey(Model):
    name: str
    columns: tuple[str, ...]
    parent: str = Field(description="object name of the table")
    parent_columns: tuple[str, ...]
    match_full: bool = False
    is_deferrable: bool = False
    is_validated: bool = True
    is_of_partition: bool = False
    definition: str = ""


class Exclusion(Model):
    """An exclusion constraint: no two rows may meet it."""

    name: str
    columns: tuple[str, ...]
    definition: str = ""


class Index(Model):
    """An index that no constraint made."""

    name: str
    columns: tuple[str, ...] = Field(description="plain columns")
    used_columns: tuple[str, ...] = Field((), description="with those of expressions and predicate")
    method: str = ""
    definition: str = ""
    is_of_partition: bool = False


class Partition(Model):
    name: str = Field(description="object name")
    own_name: str = Field("", description="on Oracle, where a partition is no object of its own: its name alone")
    parent: str = Field("", description="name of the table just above")
    level: int = 1
    is_leaf: bool = True
    bound: str = ""
    is_default: bool = False
    strategy: str = ""
    columns: tuple[str, ...] = ()


class Partitioning(Model):
    strategy: Literal["range", "list", "hash", "reference", "other"]
    columns: tuple[str, ...] = Field(description="plain columns of the partition key")
    has_expression: bool = False
    grows: bool = Field(False, description="the engine makes a partition for a value that has none (Oracle INTERVAL)")
    interval: str = Field("", description="how wide such a partition is, as the dictionary writes it")
    partitions: tuple[Partition, ...] = ()

    @property
    def has_default(self) -> bool:
        return any(partition.is_default for partition in self.partitions if partition.level == 1)

    @property
    def divided_by(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Strategy and columns of every level."""
        inner = {(part.strategy, part.columns) for part in self.partitions if part.strategy}
        return ((self.strategy, self.columns), *sorted(inner))


class Table(Model):
    schema_name: str
    name: str
    kind: Literal["table", "partitioned", "foreign"] = "table"
    comment: str = ""
    columns: tuple[Column, ...]
    checks: tuple[Check, ...] = ()
    keys: tuple[UniqueKey, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    indexes: tuple[Index, ...] = ()
    partitioning: Partitioning | None = None
    keys_off: tuple[str, ...] = Field((), description="on Oracle: keys that no row need meet: switched off, or not validated")
    hides_rows: bool = Field(False, description="row security: the reader may not see all rows")
    is_inherited: bool = False
    has_triggers: bool = False
    estimated_rows: int = Field(-1, description="of the last statistics; -1: not known")
    total_bytes: int = 0

    @property
    def key(self) -> str:
        """Its object name, as policies write it."""
        return object_name(self.schema_name, self.name)

    @cached_property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}


class Sequence(Model):
    """A sequence; its value is known of Oracle alone."""

    schema_name: str
    name: str
    data_type: str = "bigint"
    start: int = 1
    increment: int = 1
    minimum: int = 1
    maximum: int = 2**63 - 1
    cycles: bool = False
    cache: int = 1
    owner_table: str = Field("", description="object name of the table whose column owns it")
    owner_column: str = ""
    is_identity: bool = False
    last_value: int | None = Field(None, description="how far it is by now, at most; None: not read here")


class EnumType(Model):
    name: str = Field(description="object name")
    labels: tuple[str, ...]
    comment: str = ""


class Domain(Model):
    name: str = Field(description="object name")
    base: str = Field(description="type, as the engine writes it")
    not_null: bool = False
    default: str = ""
    checks: tuple[Check, ...] = ()
    comment: str = ""


class Schema(Model):
    """One database, as far as it is in scope."""

    engine: Engine
    database: str
    version: str = ""
    encoding: str = "UTF8"
    identity: str = Field("", description="what the server says of itself: system identifier, DBID")
    is_standby: bool = False
    schemas: tuple[str, ...] = ()
    tables: tuple[Table, ...]
    enums: tuple[EnumType, ...] = ()
    domains: tuple[Domain, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    definitions: Definitions = Field(Definitions(), repr=False, description="of a PostgreSQL source: what its copy is built from")

    @cached_property
    def by_key(self) -> dict[str, Table]:
        """The tables by their object names."""
        return {table.key: table for table in self.tables}

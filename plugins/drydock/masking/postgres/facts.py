"""What the definitions of a PostgreSQL schema say, each thing as CREATE needs it. The texts are those of the server.

They are read with an empty search_path, so that every name but those of pg_catalog stands in them with its schema. They may
hold originals (defaults, labels, bounds, conditions, comments): they are never logged and never kept.
"""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from pydantic import Field

from drydock.verdicts import Model

Name = tuple[str, str]
"""Schema and name."""


class SchemaDef(Model):
    name: str
    comment: str = ""
    owner: str = ""
    open_to: tuple[str, ...] = Field((), description="roles beside the owner that may use it; PUBLIC: everybody")


class ConstraintDef(Model):
    """A constraint of a table or a domain. `definition` as pg_get_constraintdef writes it, after the name."""

    table: Name = Field(description="the table or the domain")
    name: str
    kind: Literal["check", "primary", "unique", "exclusion", "foreign", "not_null"]
    definition: str
    parent: str = Field("", description="of a part of a constraint above: its name there, for an index of its own")
    columns: tuple[str, ...] = ()
    other: Name | None = Field(None, description="foreign key: the table that it refers to")
    comment: str = ""


class EnumDef(Model):
    name: Name
    labels: tuple[str, ...]
    comment: str = ""


class DomainDef(Model):
    name: Name
    base: str
    below: Name | None = Field(None, description="its base type, where that is no type of pg_catalog")
    collation: str = Field("", description="as SQL writes it; empty: that of the base type")
    default: str = ""
    not_null: bool = False
    comment: str = ""
    checks: tuple[ConstraintDef, ...] = ()


class SequenceDef(Model):
    name: Name
    data_type: str
    start: int
    increment: int
    minimum: int
    maximum: int
    cache: int
    cycles: bool
    last_value: int | None = Field(None, description="None: never called, or not readable")
    is_readable: bool = True
    owner: Name | None = None
    owner_column: str = ""
    is_identity: bool = False
    comment: str = ""


class ColumnDef(Model):
    name: str
    type: str
    family: str = Field("", description="pg_type.typcategory: N number, S text, ...")
    not_null: bool = False
    default: str = Field("", description="of a generated column what it is made of")
    generated: Literal["", "stored", "virtual"] = ""
    identity: Literal["", "always", "by default"] = ""
    collation: str = Field("", description="as SQL writes it; empty: that of the type")
    storage: str = Field("", description="empty: that of the type")
    compression: str = ""
    target: int = Field(-1, description="statistics target; -1: that of the server")
    options: dict[str, str] = Field(default_factory=dict, description="n_distinct, ...")
    uses: tuple[Name, ...] = Field((), description="sequences that its default calls")
    comment: str = ""


class TableDef(Model):
    """A table, a partitioned table, or a partition."""

    name: Name
    kind: Literal["table", "partitioned", "foreign"]
    parent: Name | None = Field(None, description="of a partition: the table just above")
    root: Name
    level: int = 0
    bound: str = ""
    division: str = Field("", description="PARTITION BY ...: what stands after it")
    columns: tuple[ColumnDef, ...]
    method: str = Field("", description="table access method; empty: heap or none")
    is_unlogged: bool = False
    options: dict[str, str] = Field(default_factory=dict, description="storage parameters, those of TOAST as toast.x")
    identity: Literal["default", "nothing", "full", "index"] = Field("default", description="replica identity")
    identity_index: str = ""
    is_inherited: bool = Field(False, description="a parent or child by INHERITS")
    is_typed: bool = Field(False, description="CREATE TABLE ... OF type")
    comment: str = ""


class IndexDef(Model):
    """An index. `body`: what stands in CREATE INDEX from USING on."""

    table: Name
    name: str
    is_unique: bool
    body: str
    parent: str = Field("", description="name of the index above, whose part it is")
    constraint: str = Field("", description="the constraint that made it")
    is_clustered: bool = False
    targets: dict[int, int] = Field(default_factory=dict, description="number of an expression column -> statistics target")
    comment: str = ""


class StatisticsDef(Model):
    """Extended statistics, the definition alone. `body`: what stands in CREATE STATISTICS after the name."""

    name: Name
    table: Name
    body: str
    target: int = -1
    comment: str = ""


class LeftDef(Model):
    """A sort of thing that a copy does not get, and how many of it there are in one schema."""

    what: str
    place: str
    count: int


class Definitions(Model):
    """The definitions of some schemas of one database."""

    version: int = Field(0, description="server_version_num")
    role: str = Field("", description="who read it")
    default_readers: tuple[str, ...] = Field((), description="roles that get a right on every new schema of this role")
    schemas: tuple[SchemaDef, ...] = ()
    enums: tuple[EnumDef, ...] = ()
    domains: tuple[DomainDef, ...] = ()
    odd_types: tuple[Name, ...] = Field((), description="composite and range types")
    sequences: tuple[SequenceDef, ...] = ()
    tables: tuple[TableDef, ...] = Field((), description="a parent stands before its partitions")
    constraints: tuple[ConstraintDef, ...] = ()
    indexes: tuple[IndexDef, ...] = ()
    statistics: tuple[StatisticsDef, ...] = ()
    of_extensions: dict[str, str] = Field(default_factory=dict, description="schema.name of what belongs to one -> extension")
    left: tuple[LeftDef, ...] = ()

    @cached_property
    def by_name(self) -> dict[Name, TableDef]:
        return {table.name: table for table in self.tables}

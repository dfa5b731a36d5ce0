"""Reads the schema of a PostgreSQL source from the files of `include/sql/postgresql/masking`. Nothing of a row is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from drydock.estate import Engine
from drydock.masking.policies import schema as s
from drydock.masking.postgres.reading import read_definitions
from drydock.masking.postgres_types import postgres_type

Row = dict[str, Any]
Ask = Callable[[str, Mapping[str, Any]], Sequence[Row]]
"""Name of a file of this pipeline and its binds -> its rows."""
_KINDS = {"r": "table", "p": "partitioned", "f": "foreign"}


class NoSuchSchema(LookupError):
    """A schema of the policy is not in the database, or holds no table."""


def read_postgres_schema(ask: Ask, schemas: Sequence[str]) -> s.Schema:
    """Everything in these schemas. Raises NoSuchSchema, and what `ask` raises.

    All files should be asked in one transaction of isolation REPEATABLE READ, so that tables and columns agree.
    """
    binds = {"schemas": list(schemas)}
    server, tables = ask("server", {})[0], ask("tables", binds)
    missing = set(schemas) - {row["schema_name"] for row in tables}
    if missing:
        raise NoSuchSchema(f"no table in {', '.join(sorted(missing))} of database {server['database']}")
    facts = _Facts(ask, binds, tables)
    return s.Schema(
        engine=Engine.POSTGRESQL,
        **{name: server[name] for name in ("database", "version", "encoding", "identity", "is_standby")},
        schemas=tuple(schemas),
        tables=tuple(facts.table(row) for row in tables),
        enums=tuple(facts.enums.values()),
        domains=tuple(_domain(row) for row in facts.domains.values()),
        sequences=tuple(facts.sequence(row) for row in ask("sequences", binds)),
        definitions=read_definitions(ask, schemas),
    )


class _Facts:
    """The rows of all files, by table."""

    def __init__(self, ask: Ask, binds: Mapping[str, Any], tables: Sequence[Row]) -> None:
        self.names = {row["table_oid"]: s.object_name(row["schema_name"], row["name"]) for row in tables}
        self.enums = {row["type_oid"]: _enum(row) for row in ask("enums", binds)}
        self.domains = {row["type_oid"]: row for row in ask("domains", {})}
        self.columns = _by_table(ask("columns", binds))
        self.constraints = _by_table(ask("constraints", binds))
        self.indexes = _by_table(ask("indexes", binds))
        self.partitions = _by_table(ask("partitions", binds))

    def table(self, row: Row) -> s.Table:
        oid = row["table_oid"]
        constraints, indexes = self.constraints[oid], self.indexes[oid]
        free = [i for i in indexes if i["is_unique"] and not i["is_of_constraint"]]
        return s.Table(
            **{name: row[name] for name in ("schema_name", "name", "comment", "is_inherited", "has_triggers")},
            kind=_KINDS[row["kind"]],
            columns=tuple(self.column(c) for c in self.columns[oid]),
            checks=tuple(_check(c) for c in constraints if c["kind"] == "c"),
            keys=(*(_key(c) for c in constraints if c["kind"] in "pu"), *(_unique_index(i) for i in free)),
            foreign_keys=tuple(_foreign_key(c) for c in constraints if c["kind"] == "f"),
            exclusions=tuple(_exclusion(c) for c in constraints if c["kind"] == "x"),
            indexes=tuple(_index(i) for i in indexes if not i["is_of_constraint"] and not i["is_unique"]),
            partitioning=_partitioning(row, self.partitions[oid]),
            hides_rows=row["has_row_security"],
            estimated_rows=row["estimated_rows"] if row["estimated_rows"] is not None else -1,
            total_bytes=row["total_bytes"] or 0,
        )

    def column(self, row: Row) -> s.Column:
        chain = list(self._domains_of(row["type_oid"]))
        lowest = chain[-1] if chain else None
        base_oid = lowest["base_oid"] if lowest else row["type_oid"]
        base = postgres_type(lowest["base_type"], lowest["base_kind"]) if lowest else postgres_type(row["type"], row["type_kind"])
        enum = self.enums.get(base_oid)
        return s.Column(
            **{name: row[name] for name in ("name", "position", "generated", "identity", "collation", "comment")},
            type=base.model_copy(update={"name": row["type"]}),
            nullable=row["nullable"] and not any(domain["not_null"] for domain in chain),
            default=row["default_expression"],
            domain=s.object_name(chain[0]["schema_name"], chain[0]["name"]) if chain else "",
            domain_checks=tuple(check for domain in chain for check in _domain_checks(domain)),
            enum=enum.name if enum else "",
            labels=enum.labels if enum else (),
        )

    def sequence(self, row: Row) -> s.Sequence:
        same = ("schema_name", "name", "data_type", "increment", "minimum", "maximum", "cycles", "is_identity")
        return s.Sequence(
            **{name: row[name] for name in same},
            start=row["start_value"],
            cache=row["cache_size"],
            owner_table=self.names.get(row["owner_table_oid"], ""),
            owner_column=row["owner_column"] or "",
        )

    def _domains_of(self, type_oid: int) -> Iterable[Row]:
        """The domain of a type and those below it, the uppermost first."""
        while type_oid in self.domains:
            yield self.domains[type_oid]
            type_oid = self.domains[type_oid]["base_oid"]


def _by_table(rows: Iterable[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["table_oid"]].append(row)
    return found


def _enum(row: Row) -> s.EnumType:
    return s.EnumType(name=s.object_name(row["schema_name"], row["name"]), labels=tuple(row["labels"]), comment=row["comment"])


def _domain_checks(row: Row) -> tuple[s.Check, ...]:
    pairs = zip(row["check_names"], row["check_expressions"], strict=True)
    return tuple(s.Check(name=name, expression=text, columns=("VALUE",)) for name, text in pairs)


def _domain(row: Row) -> s.Domain:
    return s.Domain(
        name=s.object_name(row["schema_name"], row["name"]),
        base=row["base_type"],
        not_null=row["not_null"],
        default=row["default_expression"],
        checks=_domain_checks(row),
        comment=row["comment"],
    )


def _check(row: Row) -> s.Check:
    same = ("name", "expression", "is_validated", "is_of_partition")
    return s.Check(**{name: row[name] for name in same}, columns=tuple(row["columns"]))


def _key(row: Row) -> s.UniqueKey:
    same = ("name", "nulls_distinct", "is_of_partition", "definition")
    return s.UniqueKey(**{name: row[name] for name in same}, columns=tuple(row["columns"]), is_primary=row["kind"] == "p")


def _unique_index(row: Row) -> s.UniqueKey:
    plain = tuple(name for name in row["columns"] if name is not None)
    in_expressions = tuple(name for name in row["used_columns"] if name not in plain)
    same = ("name", "nulls_distinct", "predicate", "is_of_partition", "definition")
    return s.UniqueKey(
        **{name: row[name] for name in same},
        columns=plain,
        expression_columns=in_expressions,
        has_expression=None in row["columns"],
        is_constraint=False,
    )


def _foreign_key(row: Row) -> s.ForeignKey:
    same = ("name", "match_full", "is_deferrable", "is_validated", "is_of_partition", "definition")
    return s.ForeignKey(
        **{name: row[name] for name in same},
        columns=tuple(row["columns"]),
        parent=s.object_name(row["parent_schema"], row["parent_table"]),
        parent_columns=tuple(row["parent_columns"]),
    )


def _exclusion(row: Row) -> s.Exclusion:
    return s.Exclusion(name=row["name"], columns=tuple(row["columns"]), definition=row["definition"])


def _index(row: Row) -> s.Index:
    plain = tuple(name for name in row["columns"] if name is not None)
    same = ("name", "method", "definition", "is_of_partition")
    return s.Index(**{name: row[name] for name in same}, columns=plain, used_columns=tuple(row["used_columns"]))


def _partitioning(row: Row, partitions: Sequence[Row]) -> s.Partitioning | None:
    if not row["strategy"]:
        return None
    return s.Partitioning(
        strategy=row["strategy"],
        columns=tuple(name for name in row["partition_columns"] if name is not None),
        has_expression=None in row["partition_columns"],
        partitions=tuple(_partition(part) for part in partitions),
    )


def _partition(row: Row) -> s.Partition:
    return s.Partition(
        **{name: row[name] for name in ("parent", "level", "is_leaf", "bound", "is_default", "strategy")},
        name=s.object_name(row["schema_name"], row["name"]),
        columns=tuple(name for name in row["partition_columns"] if name is not None),
    )

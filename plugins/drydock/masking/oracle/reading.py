"""Reads the schema of an Oracle source from the files of `include/sql/oracle/masking`. Nothing of a row is read."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from drydock.engines.oracle_admission import version_of
from drydock.estate import Engine
from drydock.masking.oracle.types import oracle_type
from drydock.masking.policies import schema as s
from drydock.masking.postgres_schema import Ask, NoSuchSchema, Row

FIRST_WITH_IDENTITY = (12, 1)
"""Identity columns, invisible columns and redaction came with 12.1."""
_QUOTED = re.compile(r'"((?:[^"]|"")+)"')
_NOT_NULL = re.compile(r'\s*"?(?P<name>[^"]+?)"?\s+IS\s+NOT\s+NULL\s*\Z', re.IGNORECASE)
_STRATEGIES = ("range", "list", "hash", "reference")


def read_oracle_schema(ask: Ask, schemas: Sequence[str]) -> s.Schema:
    """Everything in these schemas. Raises NoSuchSchema, and what `ask` raises.

    Oracle has no picture of the dictionary across statements that a reader could hold: what changes meanwhile is seen by
    the fingerprint of the next look, and by LAST_DDL_TIME at the end of the copy.
    """
    server = ask("server", {})[0]
    parts = [_OwnedBy(ask, schema, version_of(server["version"]) >= FIRST_WITH_IDENTITY) for schema in schemas]
    missing = [part.owner for part in parts if not part.tables]
    if missing:
        raise NoSuchSchema(f"no table in {', '.join(sorted(missing))} of database {server['database']}")
    keys = {(part.owner, name): found for part in parts for name, found in part.keys_by_name.items()}
    return s.Schema(
        engine=Engine.ORACLE,
        database=server["database"],
        version=server["version"],
        encoding=server["character_set"] or "",
        identity=str(server["identity"]),
        is_standby=server["role"] != "PRIMARY",
        schemas=tuple(schemas),
        tables=tuple(part.table(row, keys) for part in parts for row in part.tables),
        sequences=tuple(part.sequence(row) for part in parts for row in part.sequences),
    )


class _OwnedBy:
    """The rows of all files for one schema."""

    def __init__(self, ask: Ask, owner: str, is_new: bool) -> None:
        binds = {"owner": owner}
        self.owner = owner
        self.tables = [row for row in ask("tables", binds) if row["temporary"] == "N" and row["nested"] == "NO"]
        self.columns = _by(ask("columns", binds), "table_name")
        self.constraints = _by(ask("constraints", binds), "table_name")
        self.members = _by(ask("constraint_columns", binds), "name")
        self.indexes = _by(ask("indexes", binds), "table_name")
        self.index_members = _by(ask("index_columns", binds), "owner", "name")
        self.divided = {row["name"]: row for row in ask("partitioned_tables", binds)}
        self.divided_by = _by(ask("partition_keys", binds), "name")
        self.partitions = _by(ask("partitions", binds), "table_name")
        self.sequences = list(ask("sequences", binds))
        self._read_what_is_new(ask, binds, is_new)

    def _read_what_is_new(self, ask: Ask, binds: Mapping[str, Any], is_new: bool) -> None:
        hidden = list(ask("row_policies", binds)) + (list(ask("redaction_policies", binds)) if is_new else [])
        self.hides_rows = {row["name"] for row in hidden}
        identities = ask("identity_columns", binds) if is_new else ()
        self.identities = {(row["table_name"], row["name"]): row for row in identities}
        self.identity_of = {row["sequence_name"]: row for row in identities}
        self.invisible = {(r["table_name"], r["name"]) for r in ask("invisible_columns", binds)} if is_new else set()

    @property
    def keys_by_name(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Primary and unique constraints by name: their table and columns."""
        rows = [row for of_table in self.constraints.values() for row in of_table if row["kind"] in ("P", "U")]
        return {row["name"]: (row["table_name"], self.members_of(row["name"])) for row in rows}

    def members_of(self, constraint: str) -> tuple[str, ...]:
        return tuple(row["column_name"] for row in self.members[constraint])

    def table(self, row: Row, keys: Mapping[tuple[str, str], tuple[str, tuple[str, ...]]]) -> s.Table:
        name = row["name"]
        columns = tuple(self.column(c) for c in self.columns[name] if self._is_copied(c))
        constraints = self.constraints[name]
        unique = [c for c in constraints if c["kind"] in ("P", "U")]
        return s.Table(
            schema_name=self.owner,
            name=name,
            kind="partitioned" if row["is_partitioned"] == "YES" else "table",
            comment=row["comments"] or "",
            columns=columns,
            checks=tuple(self.check(c) for c in constraints if c["kind"] == "C" and not self._is_not_null(c)),
            keys=(*(self.key(c) for c in unique if _holds(c)), *self.unique_indexes(name, columns)),
            keys_off=tuple(c["name"] for c in unique if not _holds(c)),
            foreign_keys=tuple(self.foreign_key(c, keys) for c in constraints if c["kind"] == "R"),
            indexes=tuple(self.index(i, columns) for i in self._free_indexes(name) if i["uniqueness"] != "UNIQUE"),
            partitioning=self.partitioning(name),
            hides_rows=name in self.hides_rows,
            estimated_rows=-1 if row["estimated_rows"] is None else int(row["estimated_rows"]),
        )

    def _is_copied(self, row: Row) -> bool:
        """Columns that hold values of rows, or are computed from them before a reader's eyes; none of the engine's own."""
        return row["is_hidden"] == "NO" or (row["table_name"], row["name"]) in self.invisible

    def column(self, row: Row) -> s.Column:
        identity = self.identities.get((row["table_name"], row["name"]))
        return s.Column(
            name=row["name"],
            position=int(row["position"]),
            type=oracle_type(row),
            nullable=row["nullable"] == "Y",
            default=str(row["default_expression"] or "").strip(),
            generated="virtual" if row["is_virtual"] == "YES" else "",
            identity="" if identity is None else "always" if identity["generation"] == "ALWAYS" else "by default",
            comment=row["comments"] or "",
        )

    def _is_not_null(self, row: Row) -> bool:
        """NOT NULL is a check constraint in the dictionary; the column's NULLABLE tells it already."""
        match = _NOT_NULL.match(str(row["condition"] or ""))
        return match is not None and self.members_of(row["name"]) == (match["name"].replace('""', '"'),)

    def check(self, row: Row) -> s.Check:
        return s.Check(
            name=row["name"],
            expression=str(row["condition"] or ""),
            columns=tuple(sorted(self.members_of(row["name"]))),
            is_validated=_holds(row),
        )

    def key(self, row: Row) -> s.UniqueKey:
        return s.UniqueKey(name=row["name"], columns=self.members_of(row["name"]), is_primary=row["kind"] == "P")

    def foreign_key(self, row: Row, keys: Mapping[tuple[str, str], tuple[str, tuple[str, ...]]]) -> s.ForeignKey:
        """A parent outside of the schemas in scope is told by its schema and the name of its key: its table is not read."""
        parent, columns = keys.get((row["parent_owner"], row["parent_key"]), (row["parent_key"], ()))
        return s.ForeignKey(
            name=row["name"],
            columns=self.members_of(row["name"]),
            parent=s.object_name(row["parent_owner"], parent),
            parent_columns=columns,
            is_deferrable=row["deferrable"] == "DEFERRABLE",
            is_validated=_holds(row),
            definition="" if row["delete_rule"] in (None, "NO ACTION") else f"ON DELETE {row['delete_rule']}",
        )

    def _free_indexes(self, table: str) -> list[Row]:
        """Indexes that no constraint of the table uses."""
        used = {(row["index_owner"] or self.owner, row["index_name"]) for row in self.constraints[table] if row["index_name"]}
        return [row for row in self.indexes[table] if (row["owner"], row["name"]) not in used]

    def unique_indexes(self, table: str, columns: Sequence[s.Column]) -> list[s.UniqueKey]:
        found = []
        for row in self._free_indexes(table):
            if row["uniqueness"] == "UNIQUE":
                plain, inside = self._columns_of(row, columns)
                key = {"has_expression": bool(inside), "expression_columns": tuple(c for c in inside if c not in plain)}
                found.append(s.UniqueKey(name=row["name"], columns=plain, is_constraint=False, **key))
        return found

    def index(self, row: Row, columns: Sequence[s.Column]) -> s.Index:
        plain, inside = self._columns_of(row, columns)
        used = tuple(dict.fromkeys((*plain, *inside)))
        return s.Index(name=row["name"], columns=plain, used_columns=used, method=str(row["type"]).lower())

    def _columns_of(self, row: Row, columns: Sequence[s.Column]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Plain columns of an index, and columns that its expressions use: those are the engine's own hidden columns."""
        names = {column.name for column in columns}
        members = [m["column_name"] for m in self.index_members[row["owner"], row["name"]]]
        expressions = {c["name"]: str(c["default_expression"] or "") for c in self.columns[row["table_name"]]}
        inside = [n.replace('""', '"') for m in members if m not in names for n in _QUOTED.findall(expressions.get(m, ""))]
        return tuple(m for m in members if m in names), tuple(dict.fromkeys(n for n in inside if n in names))

    def partitioning(self, table: str) -> s.Partitioning | None:
        row = self.divided.get(table)
        if row is None:
            return None
        strategy = str(row["strategy"]).lower()
        return s.Partitioning(
            strategy=strategy if strategy in _STRATEGIES else "other",  # type: ignore[arg-type]
            columns=tuple(key["column_name"] for key in self.divided_by[table]),
            grows=bool(row["interval"]),
            interval=str(row["interval"] or "").strip(),
            partitions=tuple(self.partition(part, strategy) for part in self.partitions[table]),
        )

    def partition(self, row: Row, strategy: str) -> s.Partition:
        bound = str(row["bound"] or "").strip()
        takes_the_rest = {"list": "DEFAULT", "range": "MAXVALUE"}.get(strategy)
        return s.Partition(
            name=s.object_name(self.owner, row["name"]),
            own_name=row["name"],
            parent=row["table_name"],
            is_leaf=not row["subpartitions"],
            bound=bound,
            is_default=bound.upper() == takes_the_rest,
        )

    def sequence(self, row: Row) -> s.Sequence:
        owner = self.identity_of.get(row["name"])
        return s.Sequence(
            schema_name=self.owner,
            name=row["name"],
            data_type="NUMBER",
            start=int(row["minimum"] if row["increment_by"] > 0 else row["maximum"]),
            increment=int(row["increment_by"]),
            minimum=int(row["minimum"]),
            maximum=int(row["maximum"]),
            cycles=row["cycles"] == "Y",
            cache=int(row["cache_size"]),
            owner_table=s.object_name(self.owner, owner["table_name"]) if owner else "",
            owner_column=owner["name"] if owner else "",
            is_identity=owner is not None,
            last_value=int(row["last_number"]),
        )


def _holds(row: Row) -> bool:
    """A constraint that all rows meet."""
    return row["status"] == "ENABLED" and row["validated"] == "VALIDATED"


def _by(rows: Iterable[Row], *names: str) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[names[0]] if len(names) == 1 else tuple(row[name] for name in names)].append(row)
    return found

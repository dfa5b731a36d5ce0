"""What a copy on Oracle is made of: tables, keys, indexes, comments, links, sequences; each list is what is missing.

Definitions are those that a copy on PostgreSQL gets as well (`expressions`), by the names of the source, all in one schema.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from drydock.engines.oracle_names import qualified
from drydock.engines.oracle_statements import Statement
from drydock.masking.oracle import copy_statements as st
from drydock.masking.oracle.expressions import ColumnThere, condition_there, default_there, sequence_of
from drydock.masking.oracle.partitioning import NotDivided, divided, oracle_clause
from drydock.masking.policies import schema as s
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.postgres.facts import LeftDef
from drydock.masking.postgres.holding import scrubbed

OF_IDENTITY = "ISEQ$$_"
"""Begins the name of a sequence that the server made for an identity column."""


def as_made(schema: s.Schema) -> s.Schema:
    """The tables with the columns that their copies have."""
    tables = (t.model_copy(update={"columns": tuple(c for c in t.columns if not c.generated)}) for t in schema.tables)
    return schema.model_copy(update={"tables": tuple(tables)})


def left_on_oracle(policy: MaskingPolicyFile, schema: s.Schema) -> Iterator[LeftDef]:
    """What a copy on Oracle does not get, by table."""
    for table in (t for key, t in schema.by_key.items() if key in policy.tables):
        found: Counter[str] = Counter()
        if table.partitioning is not None:
            found["subpartitioning"] += any(not p.is_leaf for p in table.partitioning.partitions)
            try:
                divided(table)
            except NotDivided as e:
                found[e.code] += 1
        columns = {c.name: ColumnThere(c.name, c.type.family) for c in table.columns}
        found["check"] += sum(not (c.is_validated and condition_there(c.expression, columns, "oracle")) for c in table.checks)
        found["default"] += sum(default_there(c.default, "oracle") is None for c in table.columns if _has_default(c))
        found["virtual_column"] += sum(bool(c.generated) for c in table.columns)
        yield from (LeftDef(what=what, place=table.key, count=n) for what, n in sorted(found.items()) if n)


def _has_default(column: s.Column) -> bool:
    return bool(column.default) and not column.generated and sequence_of(column.default) is None


@dataclass(frozen=True)
class Present:
    """What the account has by now: names of tables, indexes, constraints and sequences, and comments by table and column."""

    tables: frozenset[str]
    indexes: frozenset[str] = frozenset()
    constraints: frozenset[str] = frozenset()
    sequences: frozenset[str] = frozenset()


@dataclass(frozen=True)
class OracleBuild:
    """One copy in one account. `policy`, `schema`: of the source."""

    owner: str
    policy: MaskingPolicyFile
    schema: s.Schema

    @cached_property
    def tables(self) -> tuple[s.Table, ...]:
        """Those that the copy has, in the order in which their pieces are numbered."""
        return tuple(t for key, t in self.schema.by_key.items() if key in self.policy.tables)

    def piece_of(self, table: s.Table) -> str:
        """The table that its parts are loaded into first."""
        return f"{st.PIECE}{self.tables.index(table)}"

    def machinery(self, present: Present) -> Iterator[Statement]:
        for name, columns in st.MACHINERY.items():
            if name not in present.tables:
                yield st.create_table(self.owner, name, columns)

    def create(self, present: Present) -> Iterator[Statement]:
        """Empty tables, and for each a piece without NOT NULL."""
        for table in self.tables:
            if table.name not in present.tables:
                columns = st.columns_of(table, self._defaults(table))
                yield st.create_table(self.owner, table.name, columns, self._division(table))
            if self.piece_of(table) not in present.tables:
                yield st.create_table(self.owner, self.piece_of(table), st.columns_of(table, {}, plain=True))

    def _division(self, table: s.Table) -> str:
        """As the source's, without subpartitions; empty for a plain table, and for what cannot be read (`left_on_oracle`)."""
        try:
            return oracle_clause(table, divided(table)) if table.partitioning else ""
        except NotDivided:
            return ""

    def _defaults(self, table: s.Table) -> Mapping[str, str]:
        """Literals and words; what draws from a sequence is set by who writes rows there."""
        found = {}
        for column in table.columns:
            default = "" if sequence_of(column.default) else default_there(column.default, "oracle") if column.default else ""
            if default and not column.generated:
                found[column.name] = default
        return found

    def empty(self) -> Iterator[Statement]:
        """All rows out, for a new picture of the source."""
        for table in self.tables:
            yield st.empty_table(self.owner, table.name)

    def finish(self, table: s.Table, present: Present) -> Iterator[Statement]:
        """Keys, checks, indexes and comments of one table."""
        for key in (k for k in table.keys if k.is_constraint and k.name not in present.constraints):
            word = "PRIMARY KEY" if key.is_primary else "UNIQUE"
            yield st.add_constraint(self.owner, table.name, key.name, f"{word} ({st.listed(key.columns)})")
        columns = {c.name: ColumnThere(c.name, c.type.family) for c in table.columns}
        for check in (c for c in table.checks if c.is_validated and c.name not in present.constraints):
            if condition := condition_there(check.expression, columns, "oracle"):
                yield st.add_constraint(self.owner, table.name, check.name, f"CHECK ({condition})")
        plain = [(k.name, k.columns, True) for k in table.keys if not k.is_constraint and not k.has_expression]
        plain += [(i.name, i.columns, False) for i in table.indexes if i.used_columns == i.columns]
        for name, names, unique in plain:
            if name not in present.indexes:
                yield st.create_index(self.owner, table.name, name, names, unique=unique)
        for column, text in (("", table.comment), *((c.name, c.comment) for c in table.columns if not c.generated)):
            if wanted := scrubbed(text):
                yield st.comment_on(self.owner, table.name, column, wanted)

    def link(self, present: Present) -> Iterator[Statement]:
        """Foreign keys between tables that have rows, and sequences past what the source's has drawn."""
        copied = {t.key: t for t in self.tables}
        for table in self.tables:
            for key in (k for k in table.foreign_keys if k.name not in present.constraints):
                parent = copied.get(key.parent)
                if parent is not None and key.is_validated and not self._is_empty(parent, table):
                    to = qualified(self.owner, parent.name)
                    told = f"FOREIGN KEY ({st.listed(key.columns)}) REFERENCES {to} ({st.listed(key.parent_columns)})"
                    told += f" {key.definition}" if key.definition in ("ON DELETE CASCADE", "ON DELETE SET NULL") else ""
                    yield st.add_constraint(self.owner, table.name, key.name, f"{told} ENABLE VALIDATE")
        for one in self.schema.sequences:
            if not one.is_identity and one.name not in present.sequences:
                yield st.create_sequence(self.owner, one, self._start(one))
        for table in self.tables:
            identity = next((c for c in table.columns if c.identity), None)
            if identity is not None:
                yield st.identity_past_rows(self.owner, table.name, identity)

    def _start(self, sequence: s.Sequence) -> int:
        """Past what the source's has drawn; where a masked column draws from it that number is an original: then at its start."""
        name = (sequence.schema_name, sequence.name)
        for table in self.tables:
            for column in table.columns:
                used = sequence_of(column.default)
                if used and (used.owner or table.schema_name, used.name) == name and self.policy.changes(table.key, column.name):
                    return sequence.minimum
        return max(sequence.minimum, sequence.last_value or sequence.minimum)

    def _is_empty(self, parent: s.Table, child: s.Table) -> bool:
        return self.policy.tables[parent.key].structure_only and not self.policy.tables[child.key].structure_only

    def clear_pieces(self, present: Present) -> Iterator[Statement]:
        for name in sorted(present.tables):
            if name.startswith(st.PIECE):
                yield st.drop_table(self.owner, name)

    def drop_all(self, present: Present) -> Iterator[Statement]:
        """What an earlier copy left: its tables with their grants, its sequences."""
        for name in sorted(present.tables - set(st.MACHINERY)):
            yield st.drop_table(self.owner, name)
        for name in sorted(present.sequences):
            if not name.startswith(OF_IDENTITY):  # they go with their tables
                yield st.drop_sequence(self.owner, name)

"""Which definitions of a source go into its copy: those of the tables of the policy, with types and sequences around them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from psycopg import sql

from drydock.masking.policies.policy import MaskingPolicyFile, ResolvedRule
from drydock.masking.policies.schema import Schema, object_name
from drydock.masking.postgres import facts as f
from drydock.masking.postgres.retarget import retargeted


@dataclass(frozen=True)
class Scope:
    """The definitions that are copied. `names`: schema of the source -> schema of the copy; empty where nothing is built."""

    policy: MaskingPolicyFile
    found: f.Definitions
    schemas: tuple[str, ...]
    names: Mapping[str, str]

    @cached_property
    def tables(self) -> tuple[f.TableDef, ...]:
        """Tables and partitions, a parent before its partitions."""
        return tuple(table for table in self.found.tables if object_name(*table.root) in self.policy.tables)

    @cached_property
    def roots(self) -> tuple[f.TableDef, ...]:
        return tuple(table for table in self.tables if table.parent is None)

    @cached_property
    def by_name(self) -> dict[f.Name, f.TableDef]:
        return {table.name: table for table in self.tables}

    @cached_property
    def constraints(self) -> tuple[f.ConstraintDef, ...]:
        return tuple(c for c in self.found.constraints if c.table in self.by_name)

    @cached_property
    def indexes(self) -> tuple[f.IndexDef, ...]:
        return tuple(i for i in self.found.indexes if i.table in self.by_name)

    @cached_property
    def _by_table(self) -> tuple[dict[f.Name, list[f.ConstraintDef]], dict[f.Name, list[f.IndexDef]]]:
        constraints: dict[f.Name, list[f.ConstraintDef]] = defaultdict(list)
        indexes: dict[f.Name, list[f.IndexDef]] = defaultdict(list)
        for constraint in self.constraints:
            constraints[constraint.table].append(constraint)
        for index in self.indexes:
            indexes[index.table].append(index)
        return constraints, indexes

    def constraints_of(self, table: f.Name) -> list[f.ConstraintDef]:
        return self._by_table[0].get(table, [])

    def indexes_of(self, table: f.Name) -> list[f.IndexDef]:
        return self._by_table[1].get(table, [])

    def tree(self, root: f.Name) -> tuple[f.TableDef, ...]:
        """A table and its partitions, a parent before its partitions."""
        return tuple(table for table in self.tables if table.root == root)

    @cached_property
    def statistics(self) -> tuple[f.StatisticsDef, ...]:
        return tuple(s for s in self.found.statistics if s.table in self.by_name)

    @cached_property
    def sequences(self) -> tuple[f.SequenceDef, ...]:
        """Those of the copied tables, and those of no table."""
        used = {name for table in self.tables for column in table.columns for name in column.uses}
        return tuple(s for s in self.found.sequences if s.owner is None or s.owner in self.by_name or s.name in used)

    @cached_property
    def known(self) -> frozenset[f.Name]:
        """What the copy has when tables are made: tables, types and sequences."""
        types = {d.name for d in (*self.found.enums, *self.found.domains)}
        return frozenset({*self.by_name, *types, *(s.name for s in self.sequences)})

    def is_empty(self, table: f.Name) -> bool:
        """The table is made and stays empty."""
        root = self.by_name[table].root
        return self.policy.tables[object_name(*root)].structure_only

    def rules(self, table: f.TableDef) -> dict[str, ResolvedRule]:
        """By column, the rules that change its values."""
        key = object_name(*table.root)
        found = {column.name: self.policy.changes(key, column.name) for column in table.columns}
        return {name: rule for name, rule in found.items() if rule is not None}

    def to(self, name: f.Name) -> f.Name:
        """The same thing in the copy."""
        return self.names[name[0]], name[1]

    def text(self, definition: str) -> str:
        """The definition as the copy needs it. Raises NoExpression."""
        return retargeted(definition, self.names)

    def uses_of(self, sequence: f.SequenceDef) -> tuple[tuple[f.TableDef, f.ColumnDef], ...]:
        """The columns that take their values from a sequence, of whole trees told once: by the uppermost table."""
        found = []
        for table in self.roots:
            for column in table.columns:
                owns = sequence.is_identity and (sequence.owner, sequence.owner_column) == (table.name, column.name)
                if owns or sequence.name in column.uses:
                    found.append((table, column))
        return tuple(found)


def scope_of(policy: MaskingPolicyFile, schema: Schema, names: Mapping[str, str] | None = None) -> Scope:
    """What of the schema is copied under this policy."""
    return Scope(policy, schema.definitions, tuple(policy.source.schemas), dict(names or {}))


def quoted(name: f.Name) -> str:
    """Schema and name as one text that regclass reads."""
    return sql.Identifier(*name).as_string(None)

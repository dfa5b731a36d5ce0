"""An Oracle source as its PostgreSQL copy will be: the same schema and policy with the names and types of the copy.

Names that Oracle keeps in capitals because nobody quoted them become small ones, which is what unquoted SQL means on
PostgreSQL; names that were quoted stay as they are. The definitions are written as `postgres.facts`, so that the copy is
built, finished, linked, delivered and destroyed by the code that does it for a PostgreSQL source. What PostgreSQL would do
otherwise is left out and counted (`Definitions.left`); how partitions come along: `dividing`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from psycopg import sql

from drydock.engines.postgres_statements import LONGEST_NAME_BYTES
from drydock.estate import Engine
from drydock.masking.oracle.dividing import division_of, indexes_below, keys_below, partitions_of
from drydock.masking.oracle.equivalents import NoEquivalent, postgres_equivalent
from drydock.masking.oracle.expressions import ColumnThere, condition_there, default_there, sequence_of, sum_there
from drydock.masking.oracle.refused import names_on_oracle, of_empty_column, of_type
from drydock.masking.policies import schema as s
from drydock.masking.policies.fitness_scope import finding
from drydock.masking.policies.policy import MaskingPolicyFile, TableRules
from drydock.masking.postgres import facts as f
from drydock.masking.postgres.definitions import NUMBERS
from drydock.verdicts import Finding

_UNQUOTED = re.compile(r"[A-Z][A-Z0-9_$#]*\Z")
_WHOLE = 2**63 - 1


def copy_name(name: str) -> str:
    """How a thing is called in the copy."""
    return name.lower() if _UNQUOTED.match(name) else name


@dataclass(frozen=True)
class Translated:
    """Source and copy side by side. Only tables of the policy are in the copy."""

    source: s.Schema
    source_policy: MaskingPolicyFile
    left: Counter[tuple[str, str]] = field(default_factory=Counter, compare=False)
    """(what, table) -> how many of them the copy does not get"""

    @cached_property
    def keys(self) -> dict[str, str]:
        """Key of a table in the source -> its key in the copy."""
        return {key: s.object_name(copy_name(t.schema_name), copy_name(t.name)) for key, t in self.source.by_key.items()}

    @cached_property
    def policy(self) -> MaskingPolicyFile:
        """The policy with the names of the copy; which rows are chosen is asked of the source alone."""
        told = self.source_policy
        return told.model_copy(
            update={
                "source": told.source.model_copy(update={"schemas": tuple(map(copy_name, told.source.schemas))}),
                "tables": {self.keys.get(key, key): _rules(rules) for key, rules in told.tables.items()},
                "left_out": {self.keys.get(key, key): why for key, why in told.left_out.items()},
                "subset": (),
                "joins": tuple(self._with_names(j, ("child", "parent"), ("columns", "parent_columns")) for j in told.joins),
                "quasi_identifiers": tuple(
                    self._with_names(q, ("table",), ("columns", "sensitive")) for q in told.quasi_identifiers
                ),
                "canaries": tuple(
                    self._with_names(c, ("table",), ("columns",)).model_copy(update={"key": _renamed(c.key)})
                    for c in told.canaries
                ),
            }
        )

    def _with_names(self, told, tables: tuple[str, ...], columns: tuple[str, ...]):  # type: ignore[no-untyped-def]
        changes = {name: self.keys.get(getattr(told, name), getattr(told, name)) for name in tables}
        return told.model_copy(update=changes | {name: tuple(map(copy_name, getattr(told, name))) for name in columns})

    @cached_property
    def schema(self) -> s.Schema:
        """The source with the names, types and definitions that its copy has."""
        made = [_Made(self, table) for key, table in self.source.by_key.items() if key in self.source_policy.tables]
        sequences = tuple(self._sequences())
        names = _Names()
        for one in (*(m.table for m in made), *sequences):
            names.take(copy_name(one.schema_name) if isinstance(one, s.Table) else one.name[0], _own(one))
        trees = [m.tables(names) for m in made]
        constraints, indexes = [], []
        for one, (_, *parts) in zip(made, trees, strict=True):
            own = [*one.constraints(names)], [*one.indexes(names)]
            below = list(keys_below(parts, own[0], _quoted_list, names.take)) if parts else []
            constraints += [*own[0], *(key for key, _ in below if key)]
            indexes += [*own[1], *(index for _, index in below), *indexes_below(parts, own[1], names.take)]
        definitions = f.Definitions(
            tables=tuple(table for tree in trees for table in tree),
            constraints=tuple(constraints),
            indexes=tuple(indexes),
            sequences=sequences,
            left=tuple(f.LeftDef(what=what, place=place, count=n) for (what, place), n in sorted(self.left.items())),
        )
        return s.Schema(
            engine=Engine.POSTGRESQL,
            database=self.source.database,
            version=self.source.version,
            encoding="UTF8",
            identity=self.source.identity,
            schemas=self.policy.source.schemas,
            tables=tuple(m.there for m in made),
            definitions=definitions,
        )

    def _sequences(self) -> Iterator[f.SequenceDef]:
        owned = self._owned
        for one in self.source.sequences:
            owner, column = owned.get((one.schema_name, one.name), (None, ""))
            if one.is_identity and owner is None:
                continue  # of a table that is not copied
            yield f.SequenceDef(
                name=(copy_name(one.schema_name), copy_name(one.name)),
                data_type="bigint",
                start=_bounded(one.start),
                increment=_bounded(one.increment),
                minimum=_bounded(one.minimum),
                maximum=_bounded(one.maximum),
                cache=max(1, one.cache),
                cycles=one.cycles,
                last_value=None
                if one.last_value is None
                else max(_bounded(one.minimum), min(_bounded(one.maximum), one.last_value)),
                owner=owner,
                owner_column=column,
            )

    @cached_property
    def _owned(self) -> dict[tuple[str, str], tuple[f.Name, str]]:
        """Sequences of identity columns -> the column of the copy that owns them."""
        by_key = {key: t for key, t in self.source.by_key.items() if key in self.source_policy.tables}
        return {
            (q.schema_name, q.name): (table_name(by_key[q.owner_table]), copy_name(q.owner_column))
            for q in self.source.sequences
            if q.is_identity and q.owner_table in by_key
        }

    def draws(self, table: s.Table, column: s.Column) -> f.Name | None:
        """The sequence that a column's default or identity draws from."""
        for one in self.source.sequences:
            if one.is_identity and (one.owner_table, one.owner_column) == (table.key, column.name):
                return copy_name(one.schema_name), copy_name(one.name)
        used = None if column.generated else sequence_of(column.default)
        known = {(q.schema_name, q.name) for q in self.source.sequences}
        if used is None or (used.owner or table.schema_name, used.name) not in known:
            return None
        return copy_name(used.owner or table.schema_name), copy_name(used.name)

    def findings(self, target: Engine = Engine.POSTGRESQL) -> Iterator[Finding]:
        """What stops the copy, or must be looked at: names that meet or are too long, types that cannot be carried."""
        yield from self._names() if target is Engine.POSTGRESQL else names_on_oracle(self.source, self.source_policy)
        for key, rules in self.source_policy.tables.items():
            table = self.source.by_key.get(key)
            for column in table.columns if table else ():
                if not rules.structure_only:
                    yield from of_type(key, column, target)
                elif target is Engine.ORACLE:
                    yield from of_empty_column(key, column)

    def _names(self) -> Iterator[Finding]:
        copied = [t for key, t in self.source.by_key.items() if key in self.source_policy.tables]
        names = Counter(self.keys[t.key] for t in copied) + Counter(
            s.object_name(copy_name(q.schema_name), copy_name(q.name)) for q in self.source.sequences
        )
        names += Counter(f"{self.keys[t.key]}.{copy_name(c.name)}" for t in copied for c in t.columns)
        yield from (finding("masking_names_meet", name, count=n) for name, n in names.items() if n > 1)
        for table in copied:
            for name in (table.name, *(c.name for c in table.columns)):
                if len(copy_name(name).encode()) > LONGEST_NAME_BYTES:
                    place = table.key if name == table.name else f"{table.key}.{name}"
                    yield finding("masking_name_too_long", place, bytes=len(name.encode()), limit=LONGEST_NAME_BYTES)


def table_name(table: s.Table) -> f.Name:
    """Schema and name in the copy."""
    return copy_name(table.schema_name), copy_name(table.name)


class _Names:
    """Names of things that share one room in a schema of PostgreSQL: tables, sequences, indexes."""

    def __init__(self) -> None:
        self.taken: set[f.Name] = set()

    def take(self, schema: str, wanted: str) -> str:
        """The name, or where something has it already, the name with a number."""
        name, number = wanted.encode()[:LONGEST_NAME_BYTES].decode("utf-8", "ignore"), 1
        while (schema, name) in self.taken:
            number += 1
            tail = f"_{number}"
            name = wanted.encode()[: LONGEST_NAME_BYTES - len(tail)].decode("utf-8", "ignore") + tail
        self.taken.add((schema, name))
        return name


def _own(one: s.Table | f.SequenceDef) -> str:
    return copy_name(one.name) if isinstance(one, s.Table) else one.name[1]


class _Made:
    """One table of the source, as the copy has it."""

    def __init__(self, whole: Translated, table: s.Table) -> None:
        self.whole, self.table, self.name = whole, table, table_name(table)
        self.key = s.object_name(*self.name)
        self.by_name = {c.name: ColumnThere(copy_name(c.name), c.type.family) for c in table.columns}
        self.division = division_of(table)
        whole.left.update((what, self.key) for what in self.division.left)

    @cached_property
    def columns(self) -> tuple[tuple[s.Column, f.ColumnDef], ...]:
        return tuple(pair for c in self.table.columns if (pair := self._column(c)))

    def _column(self, column: s.Column) -> tuple[s.Column, f.ColumnDef] | None:
        try:
            kind = postgres_equivalent(column.type)
        except NoEquivalent:
            kind = s.DataType(name="text", family="other")  # the survey refuses it; nothing is built
        told, uses = {"default": "", "generated": ""}, self.whole.draws(self.table, column)
        if column.generated:
            made = sum_there(column.default, self.by_name)
            if made is None:
                self.whole.left["virtual_column", self.key] += 1
                return None
            told = {"default": made, "generated": "stored"}
        elif uses:
            told["default"] = f"nextval({_text(_quoted(*uses))}::regclass)"
        elif column.default:
            default = default_there(column.default)
            if default is None:
                self.whole.left["default", self.key] += 1
            told["default"] = default or ""
        name = copy_name(column.name)
        there = column.model_copy(update={"name": name, "type": kind, "identity": "", **told})
        category = NUMBERS if kind.family == "number" else ""
        draws = (uses,) if uses else ()
        more = {"comment": column.comment, "family": category, "uses": draws}
        return there, f.ColumnDef(name=name, type=kind.name, not_null=not column.nullable, **more, **told)  # type: ignore[arg-type]

    @cached_property
    def definition(self) -> f.TableDef:
        columns = tuple(d for _, d in self.columns)
        return f.TableDef(name=self.name, kind="table", root=self.name, columns=columns, comment=self.table.comment)

    def tables(self, names: _Names) -> tuple[f.TableDef, ...]:
        """The table, and its partitions after it."""
        if self.division.how is None:
            return (self.definition,)
        return partitions_of(self.definition, self.division.how, copy_name, names.take)

    @cached_property
    def there(self) -> s.Table:
        """As fitness and the second net look at it."""
        table, rename = self.table, _names_of
        checks = (c.model_copy(update={"columns": rename(c.columns)}) for c in table.checks)
        keys = (k.model_copy(update={"columns": rename(k.columns)}) for k in table.keys if not k.has_expression)
        links = (
            k.model_copy(
                update={
                    "columns": rename(k.columns),
                    "parent": self.whole.keys.get(k.parent, k.parent),
                    "parent_columns": rename(k.parent_columns),
                }
            )
            for k in table.foreign_keys
        )
        names = {"schema_name": self.name[0], "name": self.name[1], "kind": "table", "partitioning": None}
        parts = {"columns": tuple(c for c, _ in self.columns), "checks": tuple(checks), "keys": tuple(keys)}
        return table.model_copy(update={**names, **parts, "foreign_keys": tuple(links), "indexes": ()})

    def constraints(self, names: _Names) -> Iterator[f.ConstraintDef]:
        """Keys by the names of their indexes, checks as far as they mean the same, foreign keys."""
        if self.table.keys_off:
            self.whole.left["key_not_validated", self.key] += len(self.table.keys_off)
        for key in (k for k in self.table.keys if k.is_constraint):
            kind = "primary" if key.is_primary else "unique"
            word = "PRIMARY KEY" if key.is_primary else "UNIQUE"
            yield self._constraint(
                names.take(self.name[0], copy_name(key.name)), kind, f"{word} ({_listed(key.columns)})", key.columns
            )
        for check in self.table.checks:
            condition = condition_there(check.expression, self.by_name) if check.is_validated else None
            if condition is None:
                self.whole.left["check", self.key] += 1
            else:
                yield self._constraint(copy_name(check.name), "check", f"CHECK ({condition})", check.columns)
        for link in self.table.foreign_keys:
            yield from self._link(link)

    def _link(self, link: s.ForeignKey) -> Iterator[f.ConstraintDef]:
        parent = self.whole.source.by_key.get(link.parent)
        if parent is None or not link.parent_columns:
            self.whole.left["link_out_of_scope", self.key] += 1
            return
        no_key = link.parent_columns not in {k.columns for k in parent.keys if k.is_constraint}
        if no_key or (self.division.how and not link.is_validated):  # PostgreSQL has no NOT VALID link of a divided table
            self.whole.left["link_not_validated", self.key] += 1
            return
        to = table_name(parent)
        text = f"FOREIGN KEY ({_listed(link.columns)}) REFERENCES {_quoted(*to)} ({_listed(link.parent_columns)})"
        text += "".join(f" {more}" for more in (link.definition, "DEFERRABLE" * link.is_deferrable) if more)
        text += "" if link.is_validated else " NOT VALID"
        yield self._constraint(copy_name(link.name), "foreign", text, link.columns).model_copy(update={"other": to})

    def _constraint(self, name: str, kind: str, text: str, columns: tuple[str, ...]) -> f.ConstraintDef:
        told = {"kind": kind, "definition": text, "columns": _names_of(columns)}
        return f.ConstraintDef(table=self.name, name=name, **told)  # type: ignore[arg-type]

    def indexes(self, names: _Names) -> Iterator[f.IndexDef]:
        """Plain ones; expressions, texts and other sorts are left out. A bitmap index becomes a usual one."""
        plain = [(k.name, k.columns, True) for k in self.table.keys if not k.is_constraint and not k.has_expression]
        plain += [(i.name, i.columns, False) for i in self.table.indexes if self._is_plain(i)]
        odd = sum(not self._is_plain(i) for i in self.table.indexes)
        odd += sum(k.has_expression for k in self.table.keys if not k.is_constraint)
        if odd:
            self.whole.left["index", self.key] += odd
        for name, columns, is_unique in plain:
            taken = names.take(self.name[0], copy_name(name))
            yield f.IndexDef(table=self.name, name=taken, is_unique=is_unique, body=f"USING btree ({_listed(columns)})")

    def _is_plain(self, index: s.Index) -> bool:
        return index.used_columns == index.columns and index.method in ("normal", "normal/rev", "bitmap")


def _rules(rules: TableRules) -> TableRules:
    columns = {
        copy_name(name): rule.model_copy(update={"parameters": _parameters(rule.parameters)})
        for name, rule in rules.columns.items()
    }
    return rules.model_copy(update={"columns": columns, "keep": _renamed(rules.keep)})


def _parameters(told):  # type: ignore[no-untyped-def]
    return told.model_copy(update={name: copy_name(value) for name in ("subject", "group") if (value := getattr(told, name))})


def _renamed(by_name: Mapping[str, object]) -> dict[str, object]:
    return {copy_name(name): value for name, value in by_name.items()}


def _names_of(columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(copy_name, columns))


def _listed(columns: tuple[str, ...]) -> str:
    return ", ".join(_quoted(copy_name(c)) for c in columns)


def _quoted_list(columns: tuple[str, ...]) -> str:
    """Of names of the copy."""
    return ", ".join(map(_quoted, columns))


def _quoted(*name: str) -> str:
    return sql.Identifier(*name).as_string(None)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _bounded(value: int) -> int:
    return max(-_WHOLE - 1, min(_WHOLE, value))

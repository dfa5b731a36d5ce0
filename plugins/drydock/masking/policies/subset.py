"""Which rows a subset takes, as one condition for each table, so that every foreign key of the copy stays whole.

A table with a rule starts with the rows of its rules. A table without one that refers to such tables starts with the rows
that refer to what those start with. To both come all rows that selected rows refer to, over any number of steps. Joins
that the policy declares count like foreign keys; NULL refers to nothing. A table that neither has a rule nor hangs on one
is copied whole. Tables that refer to each other in a circle, or to themselves by several keys, are walked (`subset_walks`).

The conditions are built as expression trees and written by the dialect of the engine, which quotes names and texts. Each
inner question refers to nothing outside of it, so a server answers it once for a chunk: the cost is one reading of the
referring tables for each chunk of a table, whatever the number of its rows.

Source: PostgreSQL manual, Subquery Expressions (IN over a row list, hashed subplans); WITH RECURSIVE with UNION.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property, partial, reduce

from sqlglot import exp

from drydock.estate import Engine
from drydock.masking.policies.fitness_scope import finding
from drydock.masking.policies.policy import Join, MaskingPolicyFile, SubsetRule
from drydock.masking.policies.schema import Schema, Table
from drydock.masking.policies.subset_walks import Step, Walk, circles
from drydock.masking.policies.typed_values import could_hold, do_compare
from drydock.verdicts import Finding, Model

ALIAS = "t"
"""How the reader of a chunk must call the table (or its partition)."""

DIALECTS = {Engine.POSTGRESQL: "postgres", Engine.ORACLE: "oracle"}
TEXTS = {Engine.POSTGRESQL: "text", Engine.ORACLE: "varchar(4000)"}
DRAWS = 1_000_000
LONGEST_CONDITION = 200_000


class Selection(Model):
    """The rows of one table. `where`: condition on the alias t; empty: all rows."""

    table: str
    where: str = ""
    because: tuple[str, ...] = ()
    """rule, or names of the tables that its rows hang on or are referred to by"""


class Unselectable(ValueError):
    """A subset that cannot be taken; all reasons at once."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(f"{f.code} {f.place}" for f in findings))
        self.findings = tuple(findings)


@dataclass(frozen=True)
class Edge:
    """Columns of `child` that refer to columns of `parent`; both are object names."""

    child: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    is_whole: bool = True
    """False: a foreign key of one partition. What it refers to comes along, but no row of the child starts by it."""
    as_text: bool = False
    """a declared join of types that do not compare, a number with a text: compared as they are written"""


def selections(policy: MaskingPolicyFile, schema: Schema, run_date: date, seed: int) -> dict[str, Selection]:
    """The rows of every table that is copied with its rows, by object name.

    `seed`: a number below 2**63 that percentages are drawn by; the same seed draws the same rows. Raises Unselectable.
    """
    wanted = _Subset(policy, schema, run_date, seed)
    if policy.subset and (found := wanted.problems()):
        raise Unselectable(found)
    return {key: wanted.selection(key) for key in wanted.copied}


def unselectable(policy: MaskingPolicyFile, schema: Schema) -> tuple[Finding, ...]:
    """Why the policy's subset cannot be taken from this schema; empty where it can. Reads no row."""
    return _Subset(policy, schema, date(2000, 1, 1), 0).problems() if policy.subset else ()


@dataclass
class _Subset:
    policy: MaskingPolicyFile
    schema: Schema
    run_date: date
    seed: int
    names: int = field(default=0, init=False)

    @cached_property
    def copied(self) -> dict[str, Table]:
        """Tables whose rows are in the copy."""
        rules = self.policy.tables
        return {k: t for k, t in self.schema.by_key.items() if k in rules and not rules[k].structure_only}

    @cached_property
    def rules(self) -> Mapping[str, list[SubsetRule]]:
        found: dict[str, list[SubsetRule]] = defaultdict(list)
        for rule in self.policy.subset:
            found[rule.table].append(rule)
        return found

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """Foreign keys and declared joins between copied tables."""
        keys = [
            Edge(key, fk.columns, fk.parent, fk.parent_columns, not fk.is_of_partition)
            for key, table in self.copied.items()
            for fk in table.foreign_keys
        ]
        joins = [Edge(j.child, j.columns, j.parent, j.parent_columns, True, self._is_unlike(j)) for j in self.policy.joins]
        return tuple(e for e in dict.fromkeys((*keys, *joins)) if e.child in self.copied and e.parent in self.copied)

    def _is_unlike(self, join: Join) -> bool:
        child, parent = self.copied.get(join.child), self.copied.get(join.parent)
        if child is None or parent is None:
            return False
        ends = zip(map(child.by_name.get, join.columns), map(parent.by_name.get, join.parent_columns), strict=True)
        return any(one and other and not do_compare(one, other) for one, other in ends)

    @cached_property
    def restricted(self) -> frozenset[str]:
        """Tables of which not all rows are taken: those with a rule, and all that refer to them over any number of steps."""
        found, grew = {key for key in self.rules if key in self.copied}, True
        while grew:
            more = {e.child for e in self.edges if e.parent in found and e.is_whole} - found
            found, grew = found | more, bool(more)
        return frozenset(found)

    def problems(self) -> tuple[Finding, ...]:
        found = [p for rule in self.policy.subset for p in self._of_rule(rule)]
        return (*found, *self._of_circles(), *(self._of_lengths() if not found else ()))

    def _of_rule(self, rule: SubsetRule) -> list[Finding]:
        table = self.copied.get(rule.table)
        if table is None:
            return [finding("masking_subset_no_table", rule.table)]
        if rule.column and rule.column not in table.by_name:
            return [finding("masking_column_unknown", f"{rule.table}.{rule.column}", part="subset")]
        if rule.by == "percentage" and not self._drawn_by(rule, table):
            return [finding("masking_subset_no_key", rule.table)]
        if rule.by == "dates" and table.by_name[rule.column or ""].type.family != "date":
            return [finding("masking_subset_no_date", f"{rule.table}.{rule.column}")]
        if rule.by == "rows" and (odd := sum(not could_hold(table.by_name[rule.column or ""].type, v) for v in rule.values)):
            column = table.by_name[rule.column or ""]
            return [finding("masking_subset_no_value", f"{rule.table}.{rule.column}", count=odd, type=column.type.name)]
        return []

    def _of_circles(self) -> list[Finding]:
        """On Oracle, tables that refer to each other in a circle: their rows cannot be told by one condition each."""
        if self.schema.engine is not Engine.ORACLE:
            return []
        told = {tables for key, tables in self._rounds.items() if self._goes_round(key)}
        return [finding("masking_subset_circle", min(one), tables=" -> ".join(sorted(one))) for one in sorted(told, key=min)]

    @cached_property
    def _rounds(self) -> dict[str, frozenset[str]]:
        """Table -> those that it refers to, over any number of steps, and that refer back to it."""
        return circles((e.child, e.parent) for e in self.edges if {e.child, e.parent} <= self.restricted)

    @cached_property
    def _hanging(self) -> dict[str, frozenset[str]]:
        """The same of tables without a rule: what they start with hangs on what the others start with."""
        return circles((e.child, e.parent) for e in self.edges if self._is_hanging(e))

    def _is_hanging(self, edge: Edge) -> bool:
        is_free = edge.is_whole and edge.child != edge.parent
        return is_free and edge.parent in self.restricted and edge.child not in self.rules

    def _goes_round(self, key: str) -> bool:
        """Rows of the table lead to others of it on more than one way: over other tables, or by several keys of its own."""
        own = [e for e in self.edges if e.child == e.parent == key]
        return len(own) > 1 or any(e.as_text for e in own) or len(self._rounds.get(key, ())) > 1

    def _of_lengths(self) -> list[Finding]:
        """Many ways between the same tables make a condition long; one that no server would plan in time is told before."""
        if self._of_circles():
            return []
        long = [key for key in self.copied if len(self.selection(key).where) > LONGEST_CONDITION]
        return [finding("masking_subset_too_long", key, characters=LONGEST_CONDITION) for key in long]

    def selection(self, key: str) -> Selection:
        if key not in self.restricted:
            return Selection(table=key)
        where = self._chosen(key, ALIAS).sql(dialect=DIALECTS[self.schema.engine])
        hangs_on = [e.parent for e in self.edges if e.child == key and self._is_hanging(e)]
        referred = [e.child for e in self.edges if e.parent == key and e.child in self.restricted]
        reasons = (*(("rule",) if key in self.rules else ()), *hangs_on, *referred)
        return Selection(table=key, where=where, because=tuple(dict.fromkeys(reasons)))

    def _chosen(self, key: str, alias: str) -> exp.Expression:
        """What a row starts with, or is referred to by a chosen row of another table or of this one."""
        if self._goes_round(key):
            return self._gone_round(key, alias)
        parts = self._begun(key, alias, frozenset({key}))
        parts += [self._above(key, alias, edge, list(parts)) for edge in self.edges if edge.child == edge.parent == key]
        return _or(*parts)

    def _begun(self, key: str, alias: str, circle: frozenset[str]) -> list[exp.Expression]:
        """What a row starts with, or is referred to by a chosen row of a table outside of the circle."""
        start = self._start(key, alias)
        parts = [start] if start is not None else []
        for edge in self._edges_to(key):
            if edge.child not in circle:
                inner = self._name()
                chosen = [self._chosen(edge.child, inner)] if edge.child in self.restricted else []
                referring = _and(*chosen, *_present(inner, edge.columns))
                question = self._rows(edge.child, inner, edge.columns, referring, edge.as_text)
                parts.append(self._is_in(alias, edge.parent_columns, question, edge.as_text))
        return parts

    def _gone_round(self, key: str, alias: str) -> exp.Expression:
        """The rows of a circle of tables that chosen rows refer to, over any number of rounds."""
        circle = self._rounds[key]
        steps = [
            Step(e.child, e.columns, e.parent, e.parent_columns, self._text(e))
            for e in self.edges
            if {e.child, e.parent} <= circle
        ]
        bases = {one: partial(self._base, one, circle) for one in sorted(circle)}
        return Walk(bases, steps, self._table, self._name).reaches(key, alias)

    def _base(self, key: str, circle: frozenset[str], alias: str) -> exp.Expression | None:
        parts = self._begun(key, alias, circle)
        return _or(*parts) if parts else None

    def _edges_to(self, key: str) -> list[Edge]:
        """Those of rows that are not all taken, and those that all rows of a table may have."""
        return [e for e in self.edges if e.parent == key and e.child != key and (e.child in self.restricted or not e.is_whole)]

    def _start(self, key: str, alias: str) -> exp.Expression | None:
        """None: the table has no rule, and hangs on none but those of the circle that it was asked in."""
        rules = self.rules.get(key)
        if rules:
            return _or(*(self._by_rule(rule, self.copied[key], alias) for rule in rules))
        circle = self._hanging.get(key, frozenset({key}))
        if len(circle) > 1:
            edges = [e for e in self.edges if {e.child, e.parent} <= circle and self._is_hanging(e)]
            steps = [Step(e.parent, e.parent_columns, e.child, e.columns, self._text(e)) for e in edges]
            bases = {one: partial(self._hangs, one, circle) for one in sorted(circle)}
            return Walk(bases, steps, self._table, self._name).reaches(key, alias)
        return self._hangs(key, circle, alias)

    def _hangs(self, key: str, circle: frozenset[str], alias: str) -> exp.Expression | None:
        """Rows that refer to what tables outside of the circle start with."""
        edges = [e for e in self.edges if e.child == key and self._is_hanging(e) and e.parent not in circle]
        return _or(*(self._hangs_on(edge, alias) for edge in edges)) if edges else None

    def _hangs_on(self, edge: Edge, alias: str) -> exp.Expression:
        inner = self._name()
        question = self._rows(edge.parent, inner, edge.parent_columns, self._start(edge.parent, inner), edge.as_text)
        return self._is_in(alias, edge.columns, question, edge.as_text)

    def _is_in(self, alias: str, columns: Sequence[str], question: exp.Query, as_text: bool) -> exp.Expression:
        listed = self._listed(alias, columns, as_text)
        row = listed[0] if len(listed) == 1 else exp.Tuple(expressions=listed)
        return exp.In(this=row, query=exp.Subquery(this=question))

    def _listed(self, alias: str, columns: Sequence[str], as_text: bool) -> list[exp.Expression]:
        return [self._written(alias, name) if as_text else _column(alias, name) for name in columns]

    def _written(self, alias: str, name: str) -> exp.Expression:
        """A value as text."""
        return exp.cast(_column(alias, name), TEXTS[self.schema.engine])

    def _text(self, edge: Edge) -> str:
        return TEXTS[self.schema.engine] if edge.as_text else ""

    def _above(self, key: str, alias: str, edge: Edge, parts: Sequence[exp.Expression]) -> exp.Expression:
        """Rows that chosen rows of the same table refer to, and those that these refer to, up to the top."""
        first, step, up = self._name(), self._name(), self._name()
        names = [f"c{n}" for n in range(len(edge.columns))]
        begin = self._renamed(parts, alias, first)
        chosen = self._rows(key, first, edge.columns, _and(_or(*begin), *_present(first, edge.columns)))
        joined = _and(*(_same(step, p, up, n) for p, n in zip(edge.parent_columns, names, strict=True)))
        further = self._rows(key, step, edge.columns, None).join(exp.to_table(up, quoted=False), on=joined, copy=False)
        further = further.where(*_present(step, edge.columns), copy=False)
        listed = exp.select(*(_column(up, n) for n in names)).from_(exp.to_table(up))
        table = exp.TableAlias(this=exp.to_identifier(up), columns=[exp.to_identifier(n) for n in names])
        closure = exp.CTE(this=exp.Union(this=chosen, expression=further, distinct=True), alias=table)
        listed.set("with_", exp.With(expressions=[closure], recursive=True))
        return self._is_in(alias, edge.parent_columns, listed, as_text=False)

    def _renamed(self, parts: Sequence[exp.Expression], old: str, new: str) -> list[exp.Expression]:
        """Copies of conditions on one alias as conditions on another; every alias of a condition is used once."""
        copies = [part.copy() for part in parts]
        for part in copies:
            for column in part.find_all(exp.Column):
                if column.table == old:
                    column.set("table", exp.to_identifier(new))
        return copies

    def _rows(
        self, key: str, alias: str, columns: Sequence[str], where: exp.Expression | None, as_text: bool = False
    ) -> exp.Select:
        question = exp.Select(expressions=self._listed(alias, columns, as_text)).from_(self._table(key, alias), copy=False)
        return question.where(where, copy=False) if where is not None else question

    def _table(self, key: str, alias: str) -> exp.Table:
        table = self.copied[key]
        return exp.Table(
            this=exp.to_identifier(table.name, quoted=True),
            db=exp.to_identifier(table.schema_name, quoted=True),
            alias=exp.TableAlias(this=exp.to_identifier(alias)),
            version=self._picture(),
        )

    def _picture(self) -> exp.Version | None:
        """On Oracle every table of a question is read at the copy's SCN; a snapshot of PostgreSQL holds for all by itself."""
        if self.schema.engine is not Engine.ORACLE:
            return None
        return exp.Version(this=exp.var("SCN"), kind="AS OF", expression=exp.Placeholder(this="scn"))

    def _by_rule(self, rule: SubsetRule, table: Table, alias: str) -> exp.Expression:
        if rule.by == "rows":
            texts = [exp.Literal.string(str(value)) for value in rule.values]
            return exp.In(this=_column(alias, rule.column or ""), expressions=texts)
        if rule.by == "dates":
            return self._by_dates(rule, alias)
        return self._by_draw(rule, self._drawn_by(rule, table), alias)

    def _by_dates(self, rule: SubsetRule, alias: str) -> exp.Expression:
        column = _column(alias, rule.column or "")
        since = rule.since if rule.newest_days is None else self.run_date - timedelta(days=rule.newest_days)
        parts: list[exp.Expression] = []
        if since:
            parts.append(exp.GTE(this=column, expression=_day(since)))
        if rule.until:
            parts.append(exp.LT(this=column.copy(), expression=_day(rule.until)))
        return _and(*parts)

    def _drawn_by(self, rule: SubsetRule, table: Table) -> tuple[str, ...]:
        if rule.column:
            return (rule.column,)
        return next((key.columns for key in table.keys if key.is_primary and not key.has_expression), ())

    def _by_draw(self, rule: SubsetRule, columns: Sequence[str], alias: str) -> exp.Expression:
        """Drawn by a hash of the key with a seed: the same rows in each run of one epoch, others in the next."""
        drawn = exp.Literal.number(round((rule.percent or 0) * DRAWS / 100))
        return exp.LT(this=self._draw(columns, alias), expression=drawn)

    def _draw(self, columns: Sequence[str], alias: str) -> exp.Expression:
        texts = [self._written(alias, name) for name in columns]
        joined = reduce(lambda a, b: exp.DPipe(this=exp.DPipe(this=a, expression=exp.Literal.string("|")), expression=b), texts)
        if self.schema.engine is Engine.ORACLE:
            most, seed = exp.Literal.number(DRAWS - 1), exp.Literal.number(self.seed % 2**32)
            return exp.Anonymous(this="ORA_HASH", expressions=[joined, most, seed])
        hashed = exp.Anonymous(this="hashtextextended", expressions=[joined, exp.Literal.number(self.seed)])
        positive = exp.Paren(this=exp.BitwiseAnd(this=hashed, expression=exp.Literal.number(2**63 - 1)))
        return exp.Mod(this=positive, expression=exp.Literal.number(DRAWS))

    def _name(self) -> str:
        self.names += 1
        return f"s{self.names}"


def _column(alias: str, name: str) -> exp.Column:
    return exp.Column(this=exp.to_identifier(name, quoted=True), table=exp.to_identifier(alias))


def _same(left_alias: str, left: str, right_alias: str, right: str) -> exp.Expression:
    right_column = exp.Column(this=exp.to_identifier(right), table=exp.to_identifier(right_alias))
    return exp.EQ(this=_column(left_alias, left), expression=right_column)


def _present(alias: str, columns: Sequence[str]) -> list[exp.Expression]:
    """None of the columns is NULL: a key with one refers to nothing."""
    return [exp.Not(this=exp.Is(this=_column(alias, c), expression=exp.Null())) for c in columns]


def _day(day: date) -> exp.Expression:
    return exp.cast(exp.Literal.string(day.isoformat()), "date")


def _and(*parts: exp.Expression) -> exp.Expression:
    return exp.and_(*parts, copy=False)


def _or(*parts: exp.Expression) -> exp.Expression:
    return exp.or_(*parts, copy=False)

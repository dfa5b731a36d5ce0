"""Gives the things of a copy the comments of the source, scrubbed; one that is there already is not given again."""

from __future__ import annotations

from collections.abc import Iterator

from drydock.engines.postgres_statements import Part, Statement, Text, Word
from drydock.masking.postgres import facts as f
from drydock.masking.postgres.holding import scrubbed
from drydock.masking.postgres.making import make
from drydock.masking.postgres.scope import Scope


def comments_before_rows(scope: Scope, present: f.Definitions) -> Iterator[Statement]:
    """Of schemas, types, sequences, tables and columns."""
    schemas = {schema.name: schema.comment for schema in present.schemas}
    for schema in scope.found.schemas:
        name = scope.names[schema.name]
        yield from _comment(Word.SCHEMA, name, schema.comment, schemas.get(name, ""))
    types = {d.name: d.comment for d in (*present.enums, *present.domains)}
    for kind, things in ((Word.TYPE, scope.found.enums), (Word.DOMAIN, scope.found.domains)):
        for thing in things:
            yield from _comment(kind, scope.to(thing.name), thing.comment, types.get(scope.to(thing.name), ""))
    sequences = {s.name: s.comment for s in present.sequences}
    for sequence in scope.sequences:
        name = scope.to(sequence.name)
        yield from _comment(Word.SEQUENCE, name, sequence.comment, sequences.get(name, ""))
    yield from _of_domain_checks(scope, present)
    for table in scope.tables:
        yield from _of_table(scope, table, present.by_name.get(scope.to(table.name)))


def comments_after_rows(scope: Scope, present: f.Definitions, tree: tuple[f.TableDef, ...]) -> Iterator[Statement]:
    """Of constraints but foreign keys, indexes and statistics of one table and its partitions."""
    names = {table.name for table in tree}
    yield from comments_of_constraints(scope, present, [c for n in names for c in scope.constraints_of(n) if c.kind != "foreign"])
    indexes = {(i.table, i.name): i.comment for i in present.indexes}
    for index in (i for name in sorted(names) for i in scope.indexes_of(name)):
        table = scope.to(index.table)
        yield from _comment(Word.INDEX, (table[0], index.name), index.comment, indexes.get((table, index.name), ""))
    statistics = {s.name: s.comment for s in present.statistics}
    for one in (s for s in scope.statistics if s.table in names):
        yield from _comment(Word.STATISTICS, scope.to(one.name), one.comment, statistics.get(scope.to(one.name), ""))


def comments_of_constraints(scope: Scope, present: f.Definitions, constraints: list[f.ConstraintDef]) -> Iterator[Statement]:
    before = {(c.table, c.name): c.comment for c in present.constraints}
    for one in constraints:
        table, wanted = scope.to(one.table), scrubbed(one.comment)
        if wanted and before.get((table, one.name)) != wanted:
            yield _on_constraint(one.name, Word.NONE, table, wanted)


def _of_domain_checks(scope: Scope, present: f.Definitions) -> Iterator[Statement]:
    before = {(c.table, c.name): c.comment for domain in present.domains for c in domain.checks}
    for check in (check for domain in scope.found.domains for check in domain.checks):
        name, wanted = scope.to(check.table), scrubbed(check.comment)
        if wanted and before.get((name, check.name)) != wanted:
            yield _on_constraint(check.name, Word.DOMAIN, name, wanted)


def _of_table(scope: Scope, table: f.TableDef, there: f.TableDef | None) -> Iterator[Statement]:
    name = scope.to(table.name)
    yield from _comment(Word.TABLE, name, table.comment, there.comment if there else "")
    before = {column.name: column.comment for column in there.columns} if there else {}
    for column in table.columns:
        yield from _comment(Word.COLUMN, (*name, column.name), column.comment, before.get(column.name, ""))


def _comment(what: Word, thing: Part, comment: str, before: str) -> Iterator[Statement]:
    wanted = scrubbed(comment)
    if wanted and wanted != before:
        yield make("comment_on", what=what, object=thing, comment=Text(wanted))


def _on_constraint(name: str, what: Word, thing: f.Name, wanted: str) -> Statement:
    return make("comment_on_constraint", name=name, what=what, object=thing, comment=Text(wanted))

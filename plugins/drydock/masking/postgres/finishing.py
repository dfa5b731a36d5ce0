"""Finishes one table of a copy once its rows are there: keys, indexes, checks, statistics, and ANALYZE.

Built after the rows, each is made in one reading of a table that nobody writes to. A partitioned table's key or index is made
for the table alone first and for every partition with the name it has in the source, then each is put under the one above, as
pg_dump does. The foreign keys come when all tables are finished (`linking`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from drydock.engines.postgres_statements import Clauses, Definition, Part, Statement, Word
from drydock.engines.postgres_tokens import Sort, tokens
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.policies.schema import Schema, object_name
from drydock.masking.postgres import facts as f
from drydock.masking.postgres.building import is_unchecked
from drydock.masking.postgres.commenting import comments_after_rows
from drydock.masking.postgres.making import make
from drydock.masking.postgres.scope import Scope, scope_of

KEYS = ("primary", "unique", "exclusion")
_REPLICA_IDENTITY = {"nothing": Word.NOTHING, "full": Word.FULL}


def finish_table(
    policy: MaskingPolicyFile, schema: Schema, names: Mapping[str, str], present: f.Definitions, table: str
) -> tuple[Statement, ...]:
    """What is missing of one table (its key in the policy) with all its partitions; ANALYZE stands last, always.

    Raises KeyError for a table that is not copied.
    """
    scope = scope_of(policy, schema, names)
    root = {object_name(*one.name): one for one in scope.roots}[table]
    tree = scope.tree(root.name)
    return (
        *_keys(scope, present, tree),
        *_indexes(scope, present, tree),
        *_attached(scope, present, tree),
        *_checks(scope, present, tree),
        *_marks(scope, present, tree),
        *_statistics(scope, present, tree),
        *comments_after_rows(scope, present, tree),
        make("analyze_copy", table=scope.to(root.name)),
    )


def _keys(scope: Scope, present: f.Definitions, tree: tuple[f.TableDef, ...]) -> Iterator[Statement]:
    there = made(present)
    for table in tree:
        bodies = {index.constraint: index.body for index in scope.indexes_of(table.name) if index.constraint}
        for constraint in scope.constraints_of(table.name):
            if constraint.kind in KEYS and (scope.to(table.name), constraint.name) not in there:
                changes = Clauses((added(scope, stored_as(constraint, bodies.get(constraint.name, ""))),))
                yield make("alter_staging_table", table=scope.to(table.name), changes=changes)


def stored_as(constraint: f.ConstraintDef, body: str) -> f.ConstraintDef:
    """The key with the storage parameters of its index: the server writes them into the definition of an exclusion alone."""
    storage = part_of(body, ("WITH",), ("WHERE",))
    if not storage or constraint.kind == "exclusion":
        return constraint
    at = len(constraint.definition) - len(part_of(constraint.definition, ("DEFERRABLE",), ()))
    before, after = constraint.definition[:at].rstrip(), constraint.definition[at:]
    return constraint.model_copy(update={"definition": f"{before} {storage} {after}".rstrip()})


def part_of(text: str, first: tuple[str, ...], end: tuple[str, ...]) -> str:
    """What stands outside of brackets from one of the keywords up to another one, or to the end; empty: it is not there.

    The server writes keywords in capitals, names never so.
    """
    kept, depth, is_inside = [], 0, False
    for token in tokens(text):
        depth += {"(": 1, ")": -1}.get(token.written, 0) if token.sort is Sort.SIGN else 0
        if depth == 0 and token.written in end:
            break
        is_inside = is_inside or (depth == 0 and token.written in first)
        kept += [token.written] if is_inside else []
    return "".join(kept).strip() if is_inside else ""


def made(present: f.Definitions) -> set[tuple[f.Name, str]]:
    """The constraints that are there already."""
    return {(constraint.table, constraint.name) for constraint in present.constraints}


def added(scope: Scope, constraint: f.ConstraintDef) -> tuple[Part, ...]:
    return (Word.ADD_CONSTRAINT, constraint.name, Definition(scope.text(constraint.definition), commas=False))


def _indexes(scope: Scope, present: f.Definitions, tree: tuple[f.TableDef, ...]) -> Iterator[Statement]:
    there = {(index.table, index.name) for index in present.indexes}
    for table in tree:
        for index in scope.indexes_of(table.name):
            if not index.constraint and (scope.to(table.name), index.name) not in there:
                yield make(
                    "create_index",
                    unique=Word.UNIQUE if index.is_unique else Word.NONE,
                    index=index.name,
                    only=Word.ONLY if table.kind == "partitioned" else Word.NONE,
                    table=scope.to(table.name),
                    body=Definition(scope.text(index.body)),
                )


def _attached(scope: Scope, present: f.Definitions, tree: tuple[f.TableDef, ...]) -> Iterator[Statement]:
    """The lowest indexes first: one is finished when all below it are."""
    there = {(index.table, index.name): index.parent for index in present.indexes}
    for table in reversed(tree):
        for index in scope.indexes_of(table.name):
            if index.parent and table.parent and not there.get((scope.to(table.name), index.name)):
                above, own = scope.to(table.parent)[0], scope.to(table.name)[0]
                yield make("attach_index", parent=(above, index.parent), index=(own, index.name))


def _checks(scope: Scope, present: f.Definitions, tree: tuple[f.TableDef, ...]) -> Iterator[Statement]:
    """All checks of a table at once, so that its rows are read once; those that only a partition has, of the partition."""
    there = made(present)
    for table in tree:
        wanted = [c for c in scope.constraints_of(table.name) if _comes_after(scope, present, c)]
        missing = [added(scope, c) for c in wanted if (scope.to(table.name), c.name) not in there]
        if missing:
            yield make("alter_staging_tree", table=scope.to(table.name), changes=Clauses(tuple(missing)))


def _comes_after(scope: Scope, present: f.Definitions, constraint: f.ConstraintDef) -> bool:
    return constraint.kind == "check" or (constraint.kind == "not_null" and is_unchecked(constraint))


def _marks(scope: Scope, present: f.Definitions, tree: tuple[f.TableDef, ...]) -> Iterator[Statement]:
    """Replica identity, the order of CLUSTER, statistics targets of index expressions."""
    indexes = {(index.table, index.name): index for index in present.indexes}
    for table in tree:
        name, there = scope.to(table.name), present.by_name.get(scope.to(table.name))
        before = (there.identity, there.identity_index) if there else ("default", "")
        changes: list[tuple[Part, ...]] = []
        if table.identity != "default" and (table.identity, table.identity_index) != before:
            by_index = (Word.USING_INDEX, table.identity_index)
            changes.append(
                (Word.REPLICA_IDENTITY, *((_REPLICA_IDENTITY[table.identity],) if not table.identity_index else by_index))
            )
        for index in scope.indexes_of(table.name):
            was = indexes.get((name, index.name))
            if index.is_clustered and not (was and was.is_clustered):
                changes.append((Word.CLUSTER_ON, index.name))
            for number, target in index.targets.items():
                if was is None or was.targets.get(number) != target:
                    yield make("set_index_target", index=(name[0], index.name), number=number, target=target)
        yield from (make("alter_staging_table", table=name, changes=Clauses((change,))) for change in changes)


def _statistics(scope: Scope, present: f.Definitions, tree: tuple[f.TableDef, ...]) -> Iterator[Statement]:
    there, names = {one.name: one for one in present.statistics}, {table.name for table in tree}
    for one in (s for s in scope.statistics if s.table in names):
        name = scope.to(one.name)
        if name not in there:
            yield make("create_statistics", statistics=name, body=Definition(scope.text(one.body), commas=True))
        if one.target >= 0 and not (name in there and there[name].target == one.target):
            yield make("set_statistics_target", statistics=name, target=one.target)

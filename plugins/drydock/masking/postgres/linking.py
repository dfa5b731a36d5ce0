"""Links the tables of a copy: foreign keys, and sequences that go on past what is there.

A foreign key to a table that is not in the copy, or is empty there, is left out and told (`masking_link_left_out`). How far a
sequence must be is said in `holding.carried_value`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from drydock.engines.postgres_statements import Clauses, Statement
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.policies.schema import Schema
from drydock.masking.postgres import facts as f
from drydock.masking.postgres.commenting import comments_of_constraints
from drydock.masking.postgres.definitions import NUMBERS, links_left_out
from drydock.masking.postgres.finishing import added, made
from drydock.masking.postgres.holding import carried_value
from drydock.masking.postgres.making import make
from drydock.masking.postgres.scope import Scope, quoted, scope_of


def link_tables(
    policy: MaskingPolicyFile, schema: Schema, names: Mapping[str, str], present: f.Definitions
) -> tuple[Statement, ...]:
    """The foreign keys that are missing, each alone; and every sequence, always: setting one again does no harm."""
    scope = scope_of(policy, schema, names)
    left = {(constraint.table, constraint.name) for constraint, _ in links_left_out(scope)}
    keys = [c for c in scope.constraints if c.kind == "foreign" and (c.table, c.name) not in left]
    return (
        *_foreign_keys(scope, present, keys),
        *comments_of_constraints(scope, present, keys),
        *_sequences(scope),
    )


def _foreign_keys(scope: Scope, present: f.Definitions, keys: list[f.ConstraintDef]) -> Iterator[Statement]:
    there = made(present)
    for key in keys:
        if (scope.to(key.table), key.name) not in there:
            yield make("alter_staging_tree", table=scope.to(key.table), changes=Clauses((added(scope, key),)))


def _sequences(scope: Scope) -> Iterator[Statement]:
    """As far as the source's where its values are kept, and past the rows of every column that draws from it."""
    for sequence in scope.sequences:
        name = quoted(scope.to(sequence.name))
        carried = carried_value(scope, sequence)
        if carried is not None:
            yield make("set_sequence", {"sequence": name, "value": carried})
        for table, column in scope.uses_of(sequence):
            if column.family == NUMBERS:
                yield make("raise_sequence", {"sequence": name}, column=column.name, table=scope.to(table.name))

"""How far the sequences of a copy on Oracle must be: past what the source's have drawn, and past every number in the copy.

Where a masked column draws from a sequence, the newest number of the source is an original and is not carried; the pseudonyms
of its rows may be larger than any number that was ever drawn. Source: SQL Language Reference 19c, CREATE SEQUENCE (START WITH
between MINVALUE and MAXVALUE, ORA-04006, ORA-04008); Database Reference 19c, DBA_SEQUENCES.LAST_NUMBER (of a sequence that is
used up it lies one step past the end).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from drydock.masking.oracle.expressions import sequence_of
from drydock.masking.policies import schema as s
from drydock.masking.policies.policy import MaskingPolicyFile


class Draw(NamedTuple):
    """A column that takes its values from a sequence by its default."""

    table: s.Table
    column: s.Column
    sequence: s.Sequence
    is_masked: bool


class Ends(NamedTuple):
    """The least and the greatest number of a column in the copy; None: no row has one."""

    least: int | None
    most: int | None


def draws_of(policy: MaskingPolicyFile, tables: Iterable[s.Table], sequences: Iterable[s.Sequence]) -> Iterator[Draw]:
    """Identity columns are not among them: the server itself looks for the end of theirs."""
    known = {(q.schema_name, q.name): q for q in sequences if not q.is_identity}
    for table in tables:
        for column in (c for c in table.columns if not c.generated and not c.identity):
            used = sequence_of(column.default) if column.default else None
            found = known.get((used.owner or table.schema_name, used.name)) if used else None
            if found is not None:
                yield Draw(table, column, found, policy.changes(table.key, column.name) is not None)


def start_of(one: s.Sequence, ends: Iterable[Ends], *, is_masked: bool) -> int:
    """The first number that the copy's sequence draws. `ends`: of the columns that draw from it, in the copy."""
    rises = one.increment >= 0
    first = one.minimum if rises else one.maximum
    at = first if is_masked or one.last_value is None else one.last_value
    for end in ends:
        last = end.most if rises else end.least
        behind = -1 if last is None else last - at if rises else at - last
        if behind >= 0:
            at += one.increment * (behind // abs(one.increment) + 1)
    if one.minimum <= at <= one.maximum:
        return at
    return first if one.cycles else one.maximum if rises else one.minimum

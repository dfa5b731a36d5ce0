"""CHECK conditions, parsed by sqlglot and tried on values in SQL's three-valued logic: true, false, or NULL (None).

What simple checks are made of is known: comparisons, ranges, lists, lengths, patterns, case, parts of a text, IS NULL, AND,
OR, NOT. Anything else raises Unjudgeable, and the person is told, rather than a guess being made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from drydock.estate import Engine
from drydock.masking.policies.database_regex import as_python
from drydock.masking.policies.three_valued import Evaluation, Row, Unjudgeable, Value, as_moment, column_name

__all__ = ["Condition", "Row", "Unjudgeable", "Value", "as_moment", "parse"]

_DIALECTS = {Engine.POSTGRESQL: "postgres", Engine.ORACLE: "oracle"}


@dataclass(frozen=True)
class Condition:
    """One condition on the columns of one row."""

    root: exp.Expression
    engine: Engine

    def holds(self, row: Row) -> bool | None:
        """True, False, or None for NULL, which a CHECK lets pass. Raises Unjudgeable."""
        value = Evaluation(self.engine, row).of(self.root)
        if value is not None and not isinstance(value, bool):
            raise Unjudgeable("a condition that is no truth value")
        return value

    @cached_property
    def columns(self) -> frozenset[str]:
        """The columns that it reads."""
        return frozenset(column_name(node, self.engine) for node in self.root.find_all(exp.Column))

    def parts(self) -> Iterator[Condition]:
        """What must hold each by itself: the sides of AND at the top."""
        root = self.root.unnest()
        if isinstance(root, exp.And):
            yield from Condition(root.left, self.engine).parts()
            yield from Condition(root.right, self.engine).parts()
        else:
            yield Condition(root, self.engine)

    def only_null_matters(self, column: str) -> bool:
        """Whether the column is asked for nothing but being NULL."""
        nodes = [node for node in self.root.find_all(exp.Column) if column_name(node, self.engine) == column]
        return all(isinstance(_above(node), exp.Is) for node in nodes)

    def patterns(self) -> Iterator[re.Pattern[str]]:
        """The regular expressions in it that values are to match."""
        for node in self.root.find_all(exp.RegexpLike, exp.RegexpILike):
            text = node.expression.unnest()
            text = text.this if isinstance(text, exp.Cast) else text
            if isinstance(text, exp.Literal):
                yield as_python(text.this, self.engine, isinstance(node, exp.RegexpILike))

    def literals(self) -> Iterator[str]:
        """Every constant in it, as written."""
        for node in self.root.find_all(exp.Literal):
            sign = "-" if isinstance(node.parent, exp.Neg) else ""
            yield sign + node.this


def parse(expression: str, engine: Engine) -> Condition:
    """The condition. Raises Unjudgeable where it cannot be parsed."""
    try:
        return Condition(sqlglot.parse_one(expression, dialect=_DIALECTS[engine]), engine)
    except (SqlglotError, RecursionError) as e:
        raise Unjudgeable("an expression that cannot be parsed") from e


def _above(node: exp.Expression) -> exp.Expression | None:
    """What a column stands in, parentheses and casts left out."""
    above = node.parent
    while isinstance(above, exp.Paren | exp.Cast):
        above = above.parent
    return above

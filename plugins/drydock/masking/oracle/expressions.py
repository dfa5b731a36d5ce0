"""Expressions of Oracle's dictionary (defaults, conditions of checks, virtual columns) as PostgreSQL writes them.

Only what means the same on both engines is translated: a closed list of forms. Everything else is left out of the copy and
told, never guessed. Sources: SQL Language Reference 19c, Expressions and Conditions; PostgreSQL manual, Functions and
Operators; sqlglot, whose trees are checked node by node before they are written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from drydock.masking.policies.schema import Family

NOW = {
    "SYSDATE": "LOCALTIMESTAMP(0)",
    "SYSTIMESTAMP": "CURRENT_TIMESTAMP",
    "CURRENT_TIMESTAMP": "CURRENT_TIMESTAMP",
    "LOCALTIMESTAMP": "LOCALTIMESTAMP",
    "USER": "CURRENT_USER",
    "SYS_GUID()": "uuid_send(gen_random_uuid())",
}
"""Defaults that are one word. SYS_GUID gives 16 bytes; what draws them differs, that they are unlike does not."""
_LOGIC = (exp.And, exp.Or, exp.Not, exp.Paren)
_TESTS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between, exp.Is, exp.Null, exp.Like, exp.RegexpLike)
_VALUES = (exp.Column, exp.Identifier, exp.Literal, exp.Neg, exp.Upper, exp.Lower, exp.Length)
_SUMS = (exp.Add, exp.Sub, exp.Mul, exp.Paren, exp.Column, exp.Identifier, exp.Literal, exp.Neg)
_OF_TEXT = (exp.Like, exp.RegexpLike, exp.Upper, exp.Lower, exp.Length)
_MADE = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.DPipe, exp.Case, exp.If, exp.Coalesce, exp.Substring, exp.Round, exp.Abs)
"""What a virtual column may be made of on the same engine, beside logic, tests and values: nothing that anybody wrote."""


Dialect = Literal["postgres", "oracle"]


class ColumnThere(NamedTuple):
    """How a column is called in the copy, and what it holds."""

    name: str
    family: Family


class SequenceUse(NamedTuple):
    """A default that draws from a sequence: owner (empty: that of the table) and name."""

    owner: str
    name: str


def sequence_of(default: str) -> SequenceUse | None:
    """The sequence of a default like "APP"."ORDER_NO"."NEXTVAL"; None for any other."""
    tree = _parsed(default)
    if not isinstance(tree, exp.Column) or tree.name.upper() != "NEXTVAL" or not tree.table:
        return None
    return SequenceUse(_plain(tree.args.get("db")), _plain(tree.args.get("table")))


def default_there(default: str, dialect: Dialect = "postgres") -> str | None:
    """The default; empty where it is NULL, None where it means something that the copy's engine would not do alike."""
    text = default.strip()
    if (word := " ".join(text.upper().split())) in NOW:
        return word if dialect == "oracle" else NOW[word]
    tree = _parsed(text)
    if isinstance(tree, exp.Null):
        return ""
    value = tree.this if isinstance(tree, exp.Neg) else tree
    return tree.sql(dialect=dialect) if tree is not None and isinstance(value, exp.Literal) else None


def condition_there(condition: str, columns: Mapping[str, ColumnThere], dialect: Dialect = "postgres") -> str | None:
    """The condition of a check with the names of the copy; None where a part of it is not on the list."""
    return _written(condition, (*_LOGIC, *_TESTS, *_VALUES), columns, dialect)


def sum_there(expression: str, columns: Mapping[str, ColumnThere]) -> str | None:
    """What a virtual column of numbers is made of; None where it is more than sums and products of columns of numbers."""
    made = _written(expression, _SUMS, columns)
    tree = _parsed(expression)
    used = [columns[_plain(c.this)] for c in tree.find_all(exp.Column)] if tree is not None and made else []
    return made if used and all(column.family == "number" for column in used) else None


def virtual_there(expression: str, columns: Mapping[str, ColumnThere]) -> str | None:
    """What a virtual column of a copy on Oracle is made of; None where a part of it is not on the list, or it names no column."""
    tree = _parsed(expression)
    known = (*_LOGIC, *_TESTS, *_VALUES, *_MADE)
    if tree is None or not all(isinstance(node, known) and _is_of_copy(node, columns) for node in tree.walk()):
        return None
    if tree.find(exp.Column) is None:
        return None
    return tree.transform(lambda node: _renamed(node, columns)).sql(dialect="oracle", identify=True)


def _is_of_copy(node: exp.Expression, columns: Mapping[str, ColumnThere]) -> bool:
    """Columns that the copy has, and no questions. Conversions are the engine's own on both sides."""
    if isinstance(node, exp.Column):
        return _plain(node.this) in columns and not node.table
    return not (isinstance(node, exp.In) and (node.args.get("query") or node.args.get("unnest") or node.args.get("field")))


def literals_in(expression: str) -> tuple[str, ...]:
    """Texts and numbers that stand in an expression."""
    tree = _parsed(expression)
    return tuple(literal.name for literal in tree.find_all(exp.Literal)) if tree is not None else ()


def _parsed(text: str) -> exp.Expression | None:
    try:
        return sqlglot.parse_one(text, dialect="oracle") if text.strip() else None
    except SqlglotError:
        return None


def _written(
    text: str, known: tuple[type[exp.Expression], ...], columns: Mapping[str, ColumnThere], dialect: Dialect = "postgres"
) -> str | None:
    tree = _parsed(text)
    if tree is None or not all(isinstance(node, known) and _is_alike(node, columns) for node in tree.walk()):
        return None
    renamed = tree.transform(lambda node: _renamed(node, columns))
    return renamed.sql(dialect=dialect, identify=True)


def _renamed(node: exp.Expression, columns: Mapping[str, ColumnThere]) -> exp.Expression:
    if not isinstance(node, exp.Column):
        return node
    return exp.Column(this=exp.to_identifier(columns[_plain(node.this)].name, quoted=True))


def _is_alike(node: exp.Expression, columns: Mapping[str, ColumnThere]) -> bool:
    """Columns that the copy has; no flags; no value of one sort beside a column of another, which Oracle converts unasked."""
    if isinstance(node, exp.Column):
        return _plain(node.this) in columns and not node.table
    if isinstance(node, exp.RegexpLike) and node.args.get("flag"):
        return False
    if isinstance(node, exp.In) and (node.args.get("query") or node.args.get("unnest") or node.args.get("field")):
        return False
    if isinstance(node, (exp.Binary, exp.In, exp.Between)) and not isinstance(node, exp.Connector):
        return len(set(_sorts(node, columns))) <= 1
    return True


def _sorts(node: exp.Expression, columns: Mapping[str, ColumnThere]) -> list[str]:
    """What the sides of a comparison are: text, number, or the family of a column."""
    found = []
    for side in node.iter_expressions():
        value = side.this if isinstance(side, (exp.Neg, exp.Paren)) else side
        if isinstance(value, exp.Length):
            found.append("number")
        elif isinstance(value, exp.Literal):
            found.append("text" if value.is_string else "number")
        elif isinstance(value, _OF_TEXT):
            found.append("text")
        elif isinstance(value, exp.Column) and _plain(value.this) in columns:
            found.append(columns[_plain(value.this)].family)
    return found


def _plain(identifier: exp.Expression | None) -> str:
    """A name as the dictionary has it: unquoted ones are in capitals there."""
    if not isinstance(identifier, exp.Identifier):
        return ""
    return identifier.name if identifier.quoted else identifier.name.upper()

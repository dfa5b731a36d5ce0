"""Gives the text of a definition other schemas: those of the copy instead of those of the source, by tokens, never by search.

A text of the server names a schema in two ways: as a name before a dot (`decl.state`, `OPERATOR(decl.+)`), and inside a text
literal that is cast to the type of a name (`'decl.numbers'::regclass`). Any other literal stays as it is, and so do columns
and fields of the same name: the server writes a column of the one table of an expression without its table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

from psycopg import sql

from drydock.engines.postgres_tokens import NoExpression, Sort, Token, tokens

_OF_NAMES = frozenset(
    ("regclass", "regtype", "regproc", "regprocedure", "regoper", "regoperator", "regconfig", "regdictionary", "regcollation")
)
_OF_SCHEMAS = "regnamespace"


class Reference(NamedTuple):
    """A thing that a definition names with its schema."""

    schema: str
    name: str
    is_called: bool = False


def retargeted(text: str, names: Mapping[str, str]) -> str:
    """The text with the schemas of `names` replaced (source -> copy). Raises NoExpression."""
    found = tokens(text)
    return "".join(_written(found, at, names) for at in range(len(found)))


def references(text: str) -> tuple[Reference, ...]:
    """What the text names with a schema, literals of names included. Raises NoExpression."""
    return tuple(_references(tokens(text)))


def literals(text: str) -> tuple[str, ...]:
    """What the texts and numbers of an expression stand for, in their order; what is cast to a name is none."""
    found = tokens(text)
    data = (Sort.TEXT, Sort.NUMBER)
    return tuple(token.value for at, token in enumerate(found) if token.sort in data and not _cast_to(found, at))


def _written(found: list[Token], at: int, names: Mapping[str, str]) -> str:
    token = found[at]
    if _is_schema(found, at) and token.value in names:
        return sql.Identifier(names[token.value]).as_string(None)
    cast = _cast_to(found, at)
    if not cast:
        return token.written
    inner = token.value
    try:
        new = names.get(_plain(inner), inner) if cast == _OF_SCHEMAS else retargeted(inner, names)
    except NoExpression:
        return token.written
    return token.written if new == inner else "'" + new.replace("'", "''") + "'"


def _references(found: list[Token]) -> Iterator[Reference]:
    for at, token in enumerate(found):
        if _is_schema(found, at):
            named = found[at + 2]
            is_called = at + 3 < len(found) and found[at + 3].written == "("
            yield Reference(token.value, named.value, is_called)
        elif _cast_to(found, at) not in ("", _OF_SCHEMAS):
            with suppress(NoExpression):
                yield from references(token.value)


def _is_schema(found: list[Token], at: int) -> bool:
    """A name, a dot and then a name or an operator; nothing of a longer path before it."""
    if found[at].sort is not Sort.NAME or at + 2 >= len(found) or found[at + 1].written != ".":
        return False
    if at and found[at - 1].written == ".":
        return False
    after = found[at + 2]
    of_operator = at >= 2 and found[at - 1].written == "(" and found[at - 2].written == "OPERATOR"
    return after.sort is Sort.NAME or (of_operator and after.sort is Sort.SIGN)


def _cast_to(found: list[Token], at: int) -> str:
    """The type of names that a text literal is cast to; empty: it is data."""
    if found[at].sort is not Sort.TEXT or at + 2 >= len(found) or found[at + 1].written != "::":
        return ""
    cast = found[at + 2].value
    return cast if cast in _OF_NAMES or cast == _OF_SCHEMAS else ""


def _plain(text: str) -> str:
    found = tokens(text)
    return found[0].value if len(found) == 1 else text

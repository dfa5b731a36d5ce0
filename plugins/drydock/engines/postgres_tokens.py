"""Cuts an expression of PostgreSQL into its tokens, nothing lost, so that names and literals are told apart for certain.

For texts that the server itself wrote (pg_get_expr, pg_get_constraintdef, pg_get_indexdef, format_type): what those never
hold (comments, dollar quotes, parameters, a semicolon, an open bracket or quote) is refused, since a text that comes from
another database becomes part of a statement. Source: PostgreSQL manual, Lexical Structure; src/backend/parser/scan.l.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

LONGEST_CHARACTERS = 1_000_000
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n\f\v]+)
    |(?P<escaped>[eE]'(?:[^'\\]|''|\\.)*')
    |(?P<bits>[bBxX]'[0-9A-Fa-f]*')
    |(?P<text>'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")+")
    |(?P<word>[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_$\u0080-\U0010ffff]*)
    |(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<cast>::)
    |(?P<bracket>[()\[\]])
    |(?P<sign>[-+*/<>=~!@#%^&|`?]+|[.,:])""",
    re.VERBOSE | re.DOTALL,
)
_CLOSED_BY = {"(": ")", "[": "]"}
_BACKSLASH = re.compile(r"\\(x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[0-7]{1,3}|.)", re.DOTALL)
_CONTROLS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class NoExpression(ValueError):
    """A text that is no expression of one piece; the words never hold a part of it."""


class Sort(Enum):
    SPACE = "space"
    TEXT = "text"
    """a text or bit literal, as it is written"""
    NUMBER = "number"
    NAME = "name"
    """an identifier or a keyword"""
    SIGN = "sign"


_SORTS = {
    "space": Sort.SPACE,
    **dict.fromkeys(("escaped", "bits", "text"), Sort.TEXT),
    **dict.fromkeys(("quoted", "word"), Sort.NAME),
    "number": Sort.NUMBER,
    **dict.fromkeys(("cast", "bracket", "sign"), Sort.SIGN),
}


class Token(NamedTuple):
    sort: Sort
    written: str

    @property
    def value(self) -> str:
        """What a name or a literal stands for."""
        first = self.written[:1]
        if first == '"':
            return self.written[1:-1].replace('""', '"')
        if first == "'":
            return self.written[1:-1].replace("''", "'")
        if self.sort is Sort.TEXT and first in "eE":
            return _BACKSLASH.sub(_unescaped, self.written[2:-1].replace("''", "'"))
        if self.sort is Sort.TEXT:
            return self.written[2:-1]
        return self.written.lower() if self.sort is Sort.NAME and self.written.isascii() else self.written


def tokens(text: str) -> list[Token]:
    """All tokens, in order; joined they are the text again. Raises NoExpression."""
    if len(text) > LONGEST_CHARACTERS:
        raise NoExpression(f"a definition of more than {LONGEST_CHARACTERS} characters")
    found = list(_cut(text))
    _check_brackets(found)
    return found


def without_literals(text: str) -> str:
    """The expression as a person may see it: texts and numbers are data. Raises NoExpression."""
    hidden = {Sort.TEXT: "'…'", Sort.NUMBER: "0"}
    return "".join(hidden.get(token.sort, token.written) for token in tokens(text))


def _cut(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise NoExpression(f"what stands at character {at + 1} of a definition is no token of an expression")
        if match.lastgroup == "sign" and ("--" in match[0] or "/*" in match[0]):
            raise NoExpression("a comment inside a definition")
        yield Token(_SORTS[match.lastgroup], match[0])
        at = match.end()


def _check_brackets(found: list[Token]) -> None:
    """Every bracket is closed in its turn, so that nothing of a text reaches what stands around it in the statement."""
    expected: list[str] = []
    for token in found:
        if token.written in _CLOSED_BY and token.sort is Sort.SIGN:
            expected.append(_CLOSED_BY[token.written])
        elif token.sort is Sort.SIGN and token.written in ")]" and (not expected or expected.pop() != token.written):
            raise NoExpression("a bracket that nothing opened")
    if expected:
        raise NoExpression("a bracket that is not closed")


def _unescaped(match: re.Match[str]) -> str:
    told = match[1]
    if told[0] in "xuU" and len(told) > 1:
        return chr(min(int(told[1:], 16), 0x10FFFF))
    if told[0] in "01234567":
        return chr(int(told, 8) & 0xFF)
    return _CONTROLS.get(told, told)

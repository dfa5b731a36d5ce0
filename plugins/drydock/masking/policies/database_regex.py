"""Regular expressions of databases (PostgreSQL's ARE, Oracle's POSIX with Perl's classes) as Python's.

Only what means the same in both is translated; the rest raises, so that nothing is judged by a pattern that was misread.
Sources: PostgreSQL manual 9.7.3; Oracle SQL Language Reference, appendix Oracle Regular Expression Support.
"""

from __future__ import annotations

import re
from functools import lru_cache

from drydock.estate import Engine
from drydock.masking.values.kinds import HAN

_NAMED = {
    "digit": "0-9",
    "alpha": f"A-Za-z{HAN}",
    "alnum": f"0-9A-Za-z{HAN}",
    "upper": "A-Z",
    "lower": "a-z",
    "xdigit": "0-9A-Fa-f",
    "space": " \\t\\n\\r\\f\\v",
    "blank": " \\t",
}
_CLASSES = {"d": "0-9", "w": f"0-9A-Za-z_{HAN}", "s": " \\t\\n\\r\\f\\v"}
_LITERAL_ESCAPES = set(".[]{}()*+?^$|\\/-\"'#@:,;!%&=<>~`_ ")
_TOKEN = re.compile(r"\\.|\[:[^\]]*\]|\[[.=]|\(\?|.", re.DOTALL)


class Untranslatable(ValueError):
    """A pattern that may mean something else in Python."""


@lru_cache
def as_python(pattern: str, engine: Engine = Engine.POSTGRESQL, ignore_case: bool = False) -> re.Pattern[str]:
    """The pattern, to be used with `search`. Raises Untranslatable."""
    if pattern.startswith("***"):
        raise Untranslatable("director ***")
    tokens = [match[0] for match in _TOKEN.finditer(pattern)]
    text, at = "", 0
    while at < len(tokens):
        if tokens[at] == "[":
            made, at = _bracket(tokens, at + 1)
            text += made
        else:
            text += _outside(tokens[at])
            at += 1
    flags = (re.IGNORECASE if ignore_case else 0) | (re.DOTALL if engine is Engine.POSTGRESQL else 0)
    try:
        return re.compile(text, flags)
    except (re.error, OverflowError) as e:
        raise Untranslatable(str(e)) from e


def _outside(token: str) -> str:
    """One token outside of brackets."""
    if token == "$":
        return r"\Z"
    if token in ("(?", "[.", "[=") or token.startswith("[:"):
        raise Untranslatable(token)
    if not token.startswith("\\"):
        return token
    letter = token[1]
    if letter.lower() in _CLASSES:
        return f"[{'^' if letter.isupper() else ''}{_CLASSES[letter.lower()]}]"
    if letter in _LITERAL_ESCAPES:
        return re.escape(letter)
    raise Untranslatable(token)


def _bracket(tokens: list[str], at: int) -> tuple[str, int]:
    """A bracket expression, from the token after its `[`; and the place after its `]`."""
    start, text = at, "["
    if at < len(tokens) and tokens[at] == "^":
        text, at, start = "[^", at + 1, at + 1
    while at < len(tokens) and (tokens[at] != "]" or at == start):
        text += _inside(tokens[at])
        at += 1
    if at == len(tokens):
        raise Untranslatable("[ without ]")
    return text + "]", at + 1


def _inside(token: str) -> str:
    if token.startswith("[:"):
        name = token[2:-2]
        if name not in _NAMED:
            raise Untranslatable(token)
        return _NAMED[name]
    if token in ("[.", "[="):
        raise Untranslatable(token)
    if token.startswith("\\"):
        if token[1] in _CLASSES:
            return _CLASSES[token[1]]
        if token[1] in _LITERAL_ESCAPES:
            return "\\" + token[1]
        raise Untranslatable(token)
    return "\\" + token if token in "[]" else token

"""Statements without literals, comments and white space: what makes two statements the same.

One pass over the text for Oracle and PostgreSQL alike, with no grammar: a literal or bind is `?`, lists and repeated rows of them
are one, words are in lower case (ASCII), quoted names stay. What might be a literal and is not surely a name becomes `?`.
The compiled pass (kernel/forms.c) tells the same; tests hold the two against each other.
"""

from __future__ import annotations

import re
from enum import IntEnum, IntFlag
from typing import NamedTuple


class Seen(IntFlag):
    """What goes with the literals and comments, and a mark needs to know."""

    LINE_TAIL = 1  # the text ends inside a comment of a line
    OPEN_COMMENT = 2  # never closes
    HEX = 4  # 32 hexadecimal digits at the beginning of a literal that says it is hexadecimal
    NESTED = 8  # a comment inside a comment: Oracle and PostgreSQL read on from different places
    OPEN_QUOTE = 16  # never closes


class Normalised(NamedTuple):
    text: str
    seen: Seen


LONGEST_NAME = 128  # bytes; Oracle's limit, PostgreSQL's is 63
MOST_DEPTH = 64  # brackets that are followed for repeated rows
_KEYWORDS = (
    "all alter and any as asc begin between by call case create cross declare delete desc distinct do drop else elsif end "
    "escape except execute exists fetch first for from full grant group having if ilike in inner insert intersect into is "
    "join lateral left like limit loop merge minus natural next not offset on only or order outer over partition recursive "
    "return returning revoke right row rows select set similar some table then to truncate union update using values when "
    "where with"
)
KEYWORDS = frozenset(_KEYWORDS.split())
_VALUES = frozenset({"null", "true", "false", "default"})
_TEXT = (
    r"[nN]?[qQ]'(?:\[.*?(?:\]'|\Z)|\{.*?(?:\}'|\Z)|\(.*?(?:\)'|\Z)|<.*?(?:>'|\Z)|(?P<q>[^ \t\n\r\f\v\0\[{(<]).*?(?:(?P=q)'|\Z))"
    r"|[eE]'[^'\\]*(?:(?:\\(?:.|\Z)|'')[^'\\]*)*(?:'|\Z)"
    r"|(?:[nNbBxX]|[uU]&)?'[^']*(?:''[^']*)*(?:'|\Z)"
    r"|\$(?P<tag>(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?)\$.*?(?:\$(?P=tag)\$|\Z)"
)
_NUMBER = (
    r"0[xX][0-9A-Fa-f_]+|0[oO][0-7_]+|0[bB][01_]+"
    r"|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?(?:[fFdD](?![A-Za-z0-9_$#\x80-\U0010ffff]))?"
)
_TOKEN = re.compile(
    r"(?P<space>[ \t\n\r\f\v\0]+)"
    r"|(?P<line>--[^\n]*)"
    r"|(?P<block>/\*.*?(?:\*/|\Z))"
    rf"|(?P<text>{_TEXT})"
    rf"|(?P<number>{_NUMBER})"
    r"|(?P<bind>\$[0-9]+|:[A-Za-z0-9_\x80-\U0010ffff][A-Za-z0-9_$#\x80-\U0010ffff]*|\?|\*\*\*)"
    r"|(?P<word>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$#\x80-\U0010ffff]*)"
    r'|(?P<quoted>"[^"]*(?:""[^"]*)*(?:"|\Z))'
    r"|(?P<sign>[+-](?=[ \t\n\r\f\v\0]*\.?[0-9]))"
    r"|(?P<operator>::|.)",
    re.DOTALL,
)
_HEX = re.compile(r"(?:0[xX]|[xX]'|[eE]?'(?:\\{1,2}|0)[xX])[0-9A-Fa-f]{32}")
_LOWER = {upper: upper + 32 for upper in range(65, 91)}


class Kind(IntEnum):
    START = 0
    VALUE = 1
    NAME = 2
    KEYWORD = 3
    OPEN = 4
    CLOSE = 5
    COMMA = 6
    DOT = 7
    SEMICOLON = 8
    OPERATOR = 9


_SINGLE = {"(": Kind.OPEN, "[": Kind.OPEN, "{": Kind.OPEN, ")": Kind.CLOSE, "]": Kind.CLOSE, "}": Kind.CLOSE}
_SINGLE |= {",": Kind.COMMA, ".": Kind.DOT, ";": Kind.SEMICOLON}
_OPERANDS = frozenset({Kind.VALUE, Kind.NAME, Kind.CLOSE})
_BEFORE_VALUES = frozenset({Kind.OPEN, Kind.COMMA, Kind.OPERATOR})
_NO_SPACE_AFTER = frozenset({Kind.START, Kind.OPEN, Kind.DOT})
_NO_SPACE_BEFORE = frozenset({Kind.OPEN, Kind.CLOSE, Kind.COMMA, Kind.DOT, Kind.SEMICOLON})
_NOWHERE = (-1, -1)


class _Group(NamedTuple):
    """An open bracket: where it stands, whether it may repeat, and the group before it that it may repeat."""

    begin: int
    is_plain: bool
    before: tuple[int, int]


class _Written:
    """What was written so far, in pieces; a comma after a value and a semicolon wait for what follows."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.last = Kind.START
        self.waiting = ""
        self.open: list[_Group] = []
        self.depth = 0
        self.group = self.before_comma = _NOWHERE
        self.is_plain = False

    @property
    def previous(self) -> Kind:
        """The kind of the token before, also while it waits."""
        return _SINGLE[self.waiting] if self.waiting else self.last

    def put(self, kind: Kind, text: str) -> None:
        if self.waiting:
            waiting, self.waiting = self.waiting, ""
            self._put(_SINGLE[waiting], waiting)
        self._put(kind, text)

    def _put(self, kind: Kind, text: str) -> None:
        is_joined = kind is Kind.OPERATOR and self.last is Kind.OPERATOR
        tight = self.last in _NO_SPACE_AFTER or kind in _NO_SPACE_BEFORE or is_joined
        self.pieces.append(text if tight else " " + text)
        self.last = kind

    def value(self) -> None:
        if self.last is Kind.VALUE and self.waiting != ";":
            self.waiting = ""
            return
        self.put(Kind.VALUE, "?")

    def single(self, kind: Kind, text: str) -> None:
        if kind is Kind.SEMICOLON:
            self.semicolon()
        elif kind is Kind.COMMA:
            self.comma()
        elif kind is Kind.OPEN:
            self.opened(text)
        elif kind is Kind.CLOSE:
            self.closed(text)
        else:
            self.put(kind, text)

    def semicolon(self) -> None:
        if self.waiting == ",":
            self.put(Kind.SEMICOLON, ";")
        elif self.last not in (Kind.START, Kind.SEMICOLON):
            self.waiting = ";"

    def comma(self) -> None:
        is_after_group = self.last is Kind.CLOSE and self.group[1] == len(self.pieces) and self.is_plain
        self.before_comma = self.group if is_after_group and not self.waiting else _NOWHERE
        if self.last is Kind.VALUE and not self.waiting:
            self.waiting = ","
        else:
            self.put(Kind.COMMA, ",")

    def opened(self, text: str) -> None:
        is_plain = self.previous is not Kind.NAME
        before = self.before_comma if self.previous is Kind.COMMA else _NOWHERE
        self.put(Kind.OPEN, text)
        self.depth += 1
        if self.depth <= MOST_DEPTH:
            self.open.append(_Group(len(self.pieces) - 1, is_plain, before))

    def closed(self, text: str) -> None:
        self.put(Kind.CLOSE, text)
        self.group = _NOWHERE
        if self.depth and self.depth <= MOST_DEPTH:
            begin, self.is_plain, (start, end) = self.open.pop()
            self.group = (begin, len(self.pieces))
            if start >= 0 and "".join(self.pieces[start:end]) == "".join(self.pieces[begin:]):
                del self.pieces[end:]
                self.group, self.is_plain = (start, end), True
        self.depth = max(self.depth - 1, 0)


def normalise(text: str) -> Normalised:
    """The statement without what may differ, and what was seen on the way. Never raises."""
    written, seen = _Written(), Seen(0)
    for found in _TOKEN.finditer(text):
        kind, token = found.lastgroup, found[0]
        if kind == "space":
            continue
        if kind == "line":
            seen |= Seen.LINE_TAIL if found.end() == len(text) else Seen(0)
        elif kind == "block":
            seen |= _comment(token)
        elif kind == "word":
            _word(written, token, seen)
        elif kind == "operator":
            written.single(_SINGLE[token], token) if token in _SINGLE else written.put(Kind.OPERATOR, token)
        elif kind == "quoted":
            seen |= _quoted(written, token, seen)
        elif kind == "sign":
            if written.previous in _OPERANDS:
                written.put(Kind.OPERATOR, token)
        else:
            written.value()
            seen |= _literal(kind or "", token)
    if written.waiting == ",":
        written.put(Kind.COMMA, "")
    return Normalised("".join(written.pieces), seen)


def _comment(token: str) -> Seen:
    nested = Seen.NESTED if "/*" in token[2:] else Seen(0)
    return nested | (Seen(0) if len(token) > 3 and token.endswith("*/") else Seen.OPEN_COMMENT)


def _word(written: _Written, token: str, seen: Seen) -> None:
    word = token.lower() if token.isascii() else token.translate(_LOWER)
    if word in KEYWORDS:
        written.put(Kind.KEYWORD, word)
    elif Seen.NESTED in seen or (word in _VALUES and written.previous in _BEFORE_VALUES):
        written.value()
    else:
        written.put(Kind.NAME, word)


def _quoted(written: _Written, token: str, seen: Seen) -> Seen:
    is_closed = token.count('"') % 2 == 0
    if is_closed and Seen.NESTED not in seen and "\n" not in token and len(token.encode("utf-8", "replace")) <= LONGEST_NAME + 2:
        written.put(Kind.NAME, token)
    else:
        written.value()
    return Seen(0) if is_closed else Seen.OPEN_QUOTE


_CLOSERS = {"[": "]", "{": "}", "(": ")", "<": ">"}


def _literal(kind: str, token: str) -> Seen:
    """What a literal shows: hexadecimal, or open to the end of the text."""
    seen = Seen.HEX if _HEX.match(token) else Seen(0)
    return seen | (Seen.OPEN_QUOTE if kind == "text" and not _is_closed(token) else Seen(0))


def _is_closed(token: str) -> bool:
    if token.startswith("$"):
        tag = token[: token.index("$", 1) + 1]
        return len(token) >= 2 * len(tag) and token.endswith(tag)
    body = token[token.index("'") + 1 :]
    prefix = token[: token.index("'")]
    if prefix[-1:] in ("q", "Q"):
        return len(body) > 2 and body.endswith(_CLOSERS.get(body[0], body[0]) + "'")
    if prefix in ("e", "E"):
        body = re.sub(r"\\.", "", body, flags=re.DOTALL)
    return body.count("'") % 2 == 1


def literals(text: str) -> list[tuple[str, str]]:
    """Kind and text of each token that is no comment and no white space, as it stands."""
    return [(found.lastgroup or "", found[0]) for found in _TOKEN.finditer(text) if found.lastgroup not in _UNSEEN]


_UNSEEN = frozenset({"space", "line", "block"})

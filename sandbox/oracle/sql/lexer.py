"""A statement as characters: comments, quotes and binds (SQL Language Reference 19c, "Lexical Conventions")."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sandbox.oracle.backend import OracleError

PIECES = re.compile(
    r"""(?P<comment>--[^\n]*|/\*(?!\+).*?\*/)|(?P<hint>/\*\+.*?\*/)|(?P<qquote>n?q'(?P<open>.)(?:.*?)(?P<close>[\])}>]|(?P=open))')
    |(?P<string>n?'(?:[^']|'')*')|(?P<quoted>"[^"]*")|(?P<assign>:=)|(?P<bind>:\s*(?:"[^"]+"|\w[\w$#]*))|(?P<other>[\w$#]+|\s+|.)""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
CLOSING = {"[": "]", "(": ")", "{": "}", "<": ">"}
Q_QUOTE = re.compile(r"n?q'(.)", re.IGNORECASE | re.DOTALL)


@dataclass
class Scanned:
    """A statement whose binds are named B0, B1, ... by occurrence. `names`: their names as written, upper case."""

    text: str
    names: list[str] = field(default_factory=list)
    shifts: list[tuple[int, int]] = field(default_factory=list)

    def original(self, position: int) -> int:
        """The offset in the statement as it was sent, for an offset in `text`."""
        return position - sum(grown for at, grown in self.shifts if at < position)


def end_of_q_quote(sql: str, start: int) -> int:
    opening = Q_QUOTE.match(sql, start)
    mark = opening[1]
    end = sql.find(CLOSING.get(mark, mark) + "'", opening.end())
    if end < 0:
        raise OracleError(1756, "quoted string not properly terminated", start)
    return end + 2


def pieces(sql: str) -> list[tuple[str, str]]:
    """(kind, text) of each piece; an unclosed quote raises ORA-01756."""
    found, at = [], 0
    while at < len(sql):
        if Q_QUOTE.match(sql, at) and (at == 0 or not (sql[at - 1].isalnum() or sql[at - 1] in "_$#")):
            end = end_of_q_quote(sql, at)
            found.append(("string", sql[at:end]))
            at = end
            continue
        piece = PIECES.match(sql, at)
        if piece.lastgroup == "other" and piece[0] == "'":
            raise OracleError(1756, "quoted string not properly terminated", at)
        if piece.lastgroup == "other" and piece[0] == '"':
            raise OracleError(1740, "missing double quote in identifier", at)
        found.append((piece.lastgroup, piece[0]))
        at = piece.end()
    return found


def bind_name(text: str) -> str:
    name = text[1:].strip()
    return name[1:-1] if name.startswith('"') else name.upper()


def scan(sql: str) -> Scanned:
    """Comments go (as a blank, so that words stay apart), hints too, binds are numbered."""
    scanned, out, length, origin = Scanned(""), [], 0, 0
    for kind, text in pieces(sql):
        new = text
        if kind == "bind":
            new = f":B{len(scanned.names)}"
            scanned.names.append(bind_name(text))
        elif kind in ("comment", "hint"):
            new = " "
        out.append(new)
        length, origin = length + len(new), origin + len(text)
        if len(new) != len(text):
            scanned.shifts.append((length - 1, len(new) - len(text)))
    scanned.text = "".join(out).rstrip()
    return scanned


def first_words(text: str, count: int = 2) -> list[str]:
    return [word.upper() for word in re.findall(r"[A-Za-z_$#][\w$#]*", text[:400])[:count]]

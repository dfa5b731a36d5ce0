"""What a normalised statement says of itself: its verb, the objects it names, whether it has a WHERE, shapes of injection.

A scan over words and brackets that knows Oracle's and PostgreSQL's clauses; no grammar, so that what no parser accepts (PL/SQL,
cut texts, attacks) is told as well, and in a time that grows with the text alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from drydock.audit.parsing.texts import verb_of

LONGEST_SCANNED = 65_536  # characters of a normalised statement
LONGEST_KEPT = 4_096  # characters of one whose facts are remembered
MOST_OBJECTS = 64
_PIECE = re.compile(
    r'"[^"]*(?:""[^"]*)*"|[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$#\x80-\U0010ffff]*|\?|[(),;.\[\]{}]|[^\sA-Za-z0-9_"?(),;.\[\]{}]+'
)
_NAME = re.compile(r'"|[A-Za-z_\x80-\U0010ffff]')
_MAIN = frozenset({"select", "insert", "update", "delete", "merge"})
_CLAUSE_WORDS = (
    "where group order having union intersect except minus limit offset fetch for window connect start set returning values "
    "select model pivot unpivot qualify"
)
_CLAUSES = frozenset(_CLAUSE_WORDS.split())
_SKIPPED = frozenset({"only", "if", "not", "exists", "lateral", "concurrently", "table", "view", "materialized", "into"})
_OF_UPKEEP = frozenset({"full", "freeze", "verbose", "analyze"})
_NO_OBJECT = frozenset({"?", "select", "stdin", "stdout", "program", "on", "where", "set", "values", "as", "from", "to"})
_LISTING = frozenset({"LOCK", "TRUNCATE TABLE", *(f"DROP {kind}" for kind in ("TABLE", "VIEW"))})
_INSIDE = frozenset({"extract", "trim", "substring", "overlay", "position"})
_NAMED_BY_ON = frozenset({"GRANT", "REVOKE", "COMMENT", "CREATE INDEX", "CREATE TRIGGER", "DROP TRIGGER", "CREATE POLICY"})
_BY_FIRST_WORD = {"truncate": "TRUNCATE", "copy": "COPY", "analyze": "ANALYZE", "vacuum": "VACUUM", "lock": "LOCK"}
_NO_FROM = frozenset({"COPY", "REVOKE", "FETCH", "MOVE", "CLOSE", "SHOW"})
_BEFORE_TABLE = frozenset(
    {"create", "alter", "drop", "lock", "temp", "temporary", "unlogged", "replace", "materialized", "foreign"}
)


class Facts(NamedTuple):
    """What a normalised statement says."""

    verb: str
    objects: tuple[str, ...]
    has_where: bool | None
    marks: tuple[str, ...]  # that hold for every text of this form
    is_doubtful: bool  # the values of a text decide on further marks


def facts_of(normalised: str) -> Facts:
    """The facts of a normalised statement. Never raises."""
    return _kept(normalised) if len(normalised) <= LONGEST_KEPT else _facts(normalised)


@lru_cache(maxsize=20_000)
def _kept(normalised: str) -> Facts:
    return _facts(normalised)


def _facts(normalised: str) -> Facts:
    pieces = _PIECE.findall(normalised[:LONGEST_SCANNED])
    verb = _verb(pieces, normalised)
    own = _at_top(pieces)
    has_where = "where" in own if verb in ("SELECT", "UPDATE", "DELETE") else None
    marks = [mark for mark, shape in _SHAPES if shape.search(normalised[:LONGEST_SCANNED])]
    if _is_stacked(verb, pieces):
        marks.append("stacked")
    if any(_changes_all(clause) for clause in changes(pieces)):
        marks.append("all_rows")
    is_doubtful = any(shape.search(normalised[:LONGEST_SCANNED]) for shape in (_MAY_BE_TRUE, MAY_SET))
    return Facts(verb, objects_of(pieces, verb), has_where, tuple(marks), is_doubtful)


def _verb(pieces: Sequence[str], normalised: str) -> str:
    """As the readers tell it; of a statement that begins with WITH, the verb that the names serve."""
    verb = verb_of(normalised)
    if verb.startswith("TRUNCATE ") and verb != "TRUNCATE CLUSTER":
        return "TRUNCATE TABLE"
    return next((piece.upper() for piece in _at_top(pieces) if piece in _MAIN), verb) if verb == "WITH" else verb


def _at_top(pieces: Sequence[str]) -> list[str]:
    """The pieces of the first statement that stand in no bracket, a bracket around all of it left out of account."""
    first = pieces[: pieces.index(";")] if ";" in pieces else pieces
    while first and first[0] == "(":
        first = first[1:]
    depth, top = 0, []
    for piece in first:
        depth += (piece in ("(", "[")) - (piece in (")", "]"))
        if depth < 0:
            break
        if depth == 0:
            top.append(piece)
    return top


class _Scan:
    """Walks over the pieces; which bracket holds a list of tables is kept by depth."""

    def __init__(self, pieces: Sequence[str], verb: str) -> None:
        self.pieces, self.verb = pieces, verb
        self.found: dict[str, None] = {}
        self.lists: list[bool] = [False]
        self.functions: list[bool] = [False]
        self.is_returning = False

    def run(self) -> tuple[str, ...]:
        at = 0
        while at < len(self.pieces) and len(self.found) < MOST_OBJECTS:
            at = self.step(at)
        hidden = set(_own_names(self.pieces))
        return tuple(name for name in self.found if name not in hidden)

    def step(self, at: int) -> int:
        """Look at one piece; the position to go on from."""
        piece = self.pieces[at]
        before = self.pieces[at - 1] if at else ";"
        if piece == "(":
            self.lists.append(False)
            self.functions.append(before in _INSIDE)
        elif piece == ")":
            if len(self.lists) > 1:
                self.lists.pop()
                self.functions.pop()
        elif piece in _CLAUSES:
            self.lists[-1] = False
            self.is_returning = piece == "returning" or (self.is_returning and piece not in _MAIN)
        elif piece == ";":
            self.lists, self.functions, self.is_returning = [False], [False], False
        if piece == "," and self.lists[-1]:
            return self.take(at + 1, is_from=True)
        if self.introduces(piece, before):
            return self.take(at + 1, is_from=piece in ("from", "join", "using"))
        return at + 1

    def introduces(self, piece: str, before: str) -> bool:
        if piece == "from":
            return before != "distinct" and not self.functions[-1] and self.verb not in _NO_FROM
        if piece == "join":
            return True
        if piece == "using":
            return self.verb in ("MERGE", "DELETE")
        if piece == "into":
            return before in ("insert", "merge", "overwrite") or (self.verb == "SELECT" and not self.is_returning)
        if piece == "update":
            return before in (";", "(", ")", "begin", "then", "loop", "else", "explain", "analyze")
        if piece in ("table", "view"):
            return before in _BEFORE_TABLE
        if piece == "on":
            return self.verb in _NAMED_BY_ON
        return before == ";" and self.verb.partition(" ")[0] == _BY_FIRST_WORD.get(piece, "")

    def take(self, at: int, is_from: bool) -> int:
        """The name at a position where one is expected; the position behind it."""
        if self.verb in ("VACUUM", "ANALYZE") and self.pieces[at : at + 1] == ["("] and ")" in self.pieces[at:]:
            at += self.pieces[at:].index(")") + 1
        skipped = _SKIPPED | _OF_UPKEEP if self.verb in ("VACUUM", "ANALYZE") else _SKIPPED
        while at < len(self.pieces) and self.pieces[at] in skipped:
            at += 1
        if at >= len(self.pieces):
            return at
        if self.pieces[at] == "(" and is_from:
            self.lists[-1] = True
            self.lists.append(True)
            self.functions.append(False)
            return at + 1
        name, end = _name_at(self.pieces, at)
        if not name or name in _NO_OBJECT:
            return at
        self.lists[-1] = is_from or self.verb in _LISTING
        if not (is_from and end < len(self.pieces) and self.pieces[end] == "("):
            self.found[name] = None
        return end


def objects_of(pieces: Sequence[str], verb: str) -> tuple[str, ...]:
    """The tables and views that are named, as they are written, the first one first; functions and own names left out."""
    return _Scan(pieces, verb).run()


def _name_at(pieces: Sequence[str], at: int) -> tuple[str, int]:
    """The dotted name at a position and the position behind it; "" where no name stands."""
    if not _NAME.match(pieces[at]):
        return "", at
    parts, at = [pieces[at]], at + 1
    while at + 1 < len(pieces) and pieces[at] == "." and _NAME.match(pieces[at + 1]):
        parts.append(pieces[at + 1])
        at += 2
    return ".".join(part[1:-1].replace('""', '"') if part.startswith('"') else part for part in parts), at


def _own_names(pieces: Sequence[str]) -> Iterator[str]:
    """Names that WITH gives."""
    if "with" not in pieces:
        return
    for at, piece in enumerate(pieces[:-2]):
        if pieces[at - 1] in ("with", ",", "recursive") and _NAME.match(piece):
            end = at + 1
            if pieces[end] == "(" and ")" in pieces[end:]:
                end += pieces[end:].index(")") + 1
            if pieces[end : end + 1] == ["as"]:
                yield piece.strip('"')


def changes(pieces: Sequence[str]) -> Iterator[list[str]]:
    """The pieces of each UPDATE or DELETE, in whatever bracket, up to the end of its own, without what stands in inner ones."""
    for at, piece in enumerate(pieces):
        begins = at == 0 or pieces[at - 1] in (";", "(", ")", "begin", "then", "loop", "else", "analyze", "explain", "as")
        if (piece == "delete" or (piece == "update" and pieces[at + 1 : at + 2] != ["set"])) and begins:
            yield _at_top(pieces[at:])


def condition(clause: Sequence[str]) -> list[str] | None:
    """What stands behind WHERE; None where there is none."""
    if "where" not in clause:
        return None
    rest = list(clause[clause.index("where") + 1 :])
    return rest[: rest.index("returning")] if "returning" in rest else rest


def _changes_all(clause: Sequence[str]) -> bool:
    """True for a change without WHERE, or with one that is true whatever the row."""
    if len(clause) < 2 or clause[1:2] == ["on"]:
        return False
    where = condition(clause)
    if where is None or where in (["true"], ["not", "false"]):
        return True
    text = " ".join(where).replace(" . ", ".")
    return "or true" in text or _ALWAYS.match(text.removesuffix(" ;")) is not None


_BLOCKS = re.compile(r"(?:DECLARE|DO|CALL|CREATE (?:FUNCTION|PROCEDURE|PACKAGE|TRIGGER|TYPE))\b")


def _is_stacked(verb: str, pieces: Sequence[str]) -> bool:
    """Several statements in one, where it is no block of PL/SQL."""
    if ";" not in pieces or _BLOCKS.match(verb):
        return False
    return verb != "BEGIN" or list(pieces[:2]) == ["begin", ";"]


_WORD = r'"?[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$#.\x80-\U0010ffff]*"?'
_DICTIONARY = r"(?:information_schema|pg_catalog|pg_shadow|pg_authid|pg_user|all_tables|all_users|dba_users|v\$\w+|user_tables)"
_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (mark, re.compile(shape))
    for mark, shape in (
        ("tautology", rf"\bor \(*(?:true\b|not false\b|(?P<a>{_WORD}) (?:=|<=|>=|like) (?P=a)(?![\w$#.(]))"),
        ("union_select", r"\bunion (?:all |distinct )?\(*select (?:distinct )?\(*(?:\?|null\b)"),
        ("union_select", rf"\bunion (?:all |distinct )?\(*select\b[^;]*?\bfrom\b {_DICTIONARY}"),
        ("time_delay", r"\b(?:pg_sleep(?:_for|_until)?|dbms_(?:lock|session)\.sleep|user_lock\.sleep|benchmark)\("),
        ("time_delay", r"\bdbms_pipe\.receive_message\b|\bwaitfor delay\b"),
        ("out_of_band", r"\b(?:utl_(?:http|inaddr|tcp|smtp|mail|dbws)|dbms_ldap)\b|\bhttpuritype\(|\bdblink(?:_\w+)?\("),
        ("out_of_band", r"\bcopy\b.* (?:from|to) program\b|\bextractvalue\(xmltype\("),
        ("hex_blob", r"(?:\bchr\(\?\)\s?(?:\|\||\+)\s?){3}chr\(\?\)"),
        ("export", r"\Acopy\b.*\bto (?:\?|program\b|stdout\b|stdin\b)|\binto (?:outfile|dumpfile)\b"),
        ("export", r"\b(?:dbms_datapump|utl_file|dbms_xslprocessor|lo_export|sys_export_\w+|ku\$_\w+|dbms_metadata_util)\b"),
        ("export", r"\Acreate (?:or replace )?directory\b|\Acreate table .*\borganization external\b"),
    )
)
_ALWAYS = re.compile(
    rf"(?P<a>{_WORD}) (?:=|<=|>=|like) (?P=a)\Z|(?P<b>{_WORD}) is null or (?P=b) is not null\Z"
    rf"|(?P<c>{_WORD}) is not null or (?P=c) is null\Z"
)
_COMPARED = r"\? (?:=|<>|!=|<|>|<=|>=|like) \?"
_MAY_BE_TRUE = re.compile(
    rf"(?:\bor|\|\|) ?\(*{_COMPARED}|\bwhere ?\(*{_COMPARED}\)*(?:\Z|;| (?:or|returning)\b)"
    rf"|\Amerge\b.*\bon ?\(*{_COMPARED}\)* when\b"
)
MAY_SET = re.compile(r"\bset_config\b|\Ado\b|\Aexecute immediate\b|\Aupdate (?:pg_catalog\.)?pg_settings\b")
"""Statements that change a setting whose name is a value, or do what stands in a text."""

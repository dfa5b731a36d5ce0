"""An open cursor: the statement, what is known of its binds, and the rows that were not fetched yet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sandbox.oracle.backend import Column, OracleError, OraType
from sandbox.oracle.wire.columns import BLOB, CHAR, CLOB, LONG, LONG_RAW, NUMBER_OF, RAW, VARCHAR, BindType, Writer

MOST_OPEN = 1000
SKIPPED = r"\s+|--[^\n]*(?:\n|\Z)|/\*.*?(?:\*/|\Z)"
FIRST_WORD = re.compile(rf"(?:{SKIPPED}|\(|<<[^>]*>>)*([a-zA-Z]+)", re.DOTALL)
QUOTED = r"""[nN]?[qQ]'(?:\[.*?\]'|\{.*?\}'|<.*?>'|\(.*?\)'|(\S).*?\1')|'(?:[^']|'')*'|"[^"]*\""""
PLACEHOLDER = r""":\s*(?:\w+|"[^"]*")"""
TOKENS = re.compile(rf"(?:{SKIPPED})|{QUOTED}|(?P<bind>{PLACEHOLDER})|(?P<word>[\w$#]+)|.", re.DOTALL)


LONG_FORM = {(known, CLOB): LONG for known in (VARCHAR, CHAR, LONG)} | {(known, BLOB): LONG_RAW for known in (RAW, LONG_RAW)}


class Kind(Enum):
    """All that the wire must know of SQL: whether rows come, whether values come back, whether a parse changes things."""

    QUERY = "query"
    PLSQL = "plsql"
    DML = "dml"
    OTHER = "other"


KIND_OF = dict.fromkeys(("SELECT", "WITH"), Kind.QUERY) | dict.fromkeys(("BEGIN", "DECLARE", "CALL"), Kind.PLSQL)
KIND_OF |= dict.fromkeys(("INSERT", "UPDATE", "DELETE", "MERGE"), Kind.DML)


def kind_of(sql: str) -> Kind:
    """By the first word, as the client decides it too."""
    found = FIRST_WORD.match(sql)
    return KIND_OF.get(found[1].upper(), Kind.OTHER) if found else Kind.OTHER


def returned_binds(sql: str) -> set[int]:
    """Places of the binds after RETURNING ... INTO: the client sends no values for them."""
    places, seen, is_returning, is_after_into = set(), 0, False, False
    for token in TOKENS.finditer(sql):
        if token["bind"]:
            places |= {seen} if is_after_into else set()
            seen += 1
        elif token["word"]:
            word = token["word"].upper()
            is_returning |= word in ("RETURNING", "RETURN")
            is_after_into |= is_returning and word == "INTO"
    return places


@dataclass
class Cursor:
    """`binds`: types as last sent; `defined`: type numbers the client asked for, None for those described."""

    number: int
    sql: str = ""
    kind: Kind = Kind.OTHER
    binds: list[BindType] = field(default_factory=list)
    bind_types: list[OraType] = field(default_factory=list)
    returned: set[int] = field(default_factory=set)
    columns: Sequence[Column] | None = None
    told_columns: Sequence[Column] | None = None
    defined: list[int] | None = None
    rows: Iterator[Sequence[Any]] = field(default_factory=lambda: iter(()))
    writers: list[Writer] | None = None
    fetched: int = 0
    wants_row_counts: bool = False

    def prepare(self, sql: str) -> None:
        """A statement was sent: the cursor begins anew."""
        self.sql, self.kind, self.binds = sql, kind_of(sql), []
        self.returned = returned_binds(sql) if self.kind is Kind.DML else set()
        self.told_columns, self.defined = None, None

    def open_rows(self, columns: Sequence[Column], rows: Iterator[Sequence[Any]]) -> None:
        if self.told_columns is not None and list(columns) != list(self.told_columns):
            self.defined = self._kept_forms(columns)
            self.told_columns = None
        self.columns, self.rows, self.writers, self.fetched = columns, rows, None, 0

    def _kept_forms(self, columns: Sequence[Column]) -> list[int] | None:
        """Where a column of text or bytes became a LOB, the client goes on expecting text or bytes: as LONG or LONG RAW."""
        before = dict(enumerate(self.type_numbers))
        now = [NUMBER_OF[column.type] for column in columns]
        kept = [LONG_FORM.get((before.get(place, 0), number), number) for place, number in enumerate(now)]
        return kept if kept != now else None

    @property
    def type_numbers(self) -> list[int]:
        columns = self.columns or ()
        described = [NUMBER_OF[column.type] for column in columns]
        return self.defined if self.defined and len(self.defined) == len(described) else described


class Cursors:
    """The open cursors of a session by number."""

    def __init__(self) -> None:
        self.open: dict[int, Cursor] = {}
        self.last = 0

    def new(self) -> Cursor:
        """Raises OracleError 1000 when far too many are open."""
        if len(self.open) >= MOST_OPEN:
            raise OracleError(1000, "maximum open cursors exceeded")
        self.last = self.last % 65000 + 1
        while self.last in self.open:
            self.last += 1
        self.open[self.last] = Cursor(self.last)
        return self.open[self.last]

    def get(self, number: int) -> Cursor:
        """Raises OracleError 1001 for a cursor that is not open."""
        if number not in self.open:
            raise OracleError(1001, "invalid cursor")
        return self.open[number]

    def close(self, number: int) -> None:
        self.open.pop(number, None)

"""Changes of PostgreSQL as values: a file, its places `{name}` filled with quoted names, bounded numbers and known words.

No caller gives text that becomes part of a statement. A place takes a name (`str`, or a tuple: schema and name), a list of
columns, a whole number, a word of a closed list, storage parameters, or a text as a literal where the grammar takes no
bind (COMMENT, bodies of functions). Values go as binds `%(name)s`; statements that define something take none (PostgreSQL
manual, PREPARE: only SELECT, INSERT, UPDATE, DELETE, MERGE and VALUES have parameters).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from psycopg import sql

from drydock.engines.postgres_tokens import NoExpression, Sort, tokens, without_literals
from drydock.sqlfiles import SqlFile, check_binds, sql_file
from drydock.verdicts import clean_text

LONGEST_NAME_BYTES = 63  # NAMEDATALEN - 1; the server cuts longer ones off, and then it is another name
HIGHEST_NUMBER = 2**63 - 1
LONGEST_SHOWN = 4000  # characters of a statement that a person is shown
# what is quoted or a comment is passed over: a name filled in there would not be a name
_PLACE = re.compile(r"'(?:[^']|'')*'|\$\$.*?\$\$|--[^\n]*|/\*.*?\*/|\{([a-z_][a-z0-9_]*)\}", re.DOTALL)
_HIDDEN = "'…'"


class StatementRefused(ValueError):
    """An argument that no statement may carry; the text names it."""


class Word(StrEnum):
    """The keywords that a place may take; a statement that needs another has it in its file."""

    NONE = ""
    ENABLE = "ENABLE"
    DISABLE = "DISABLE"
    ON = "ON"
    OFF = "OFF"
    TRUE = "TRUE"
    FALSE = "FALSE"
    ORIGIN = "ORIGIN"
    REPLICA = "REPLICA"
    ALWAYS = "ALWAYS"
    DEFAULT = "DEFAULT"
    FULL = "FULL"
    NOTHING = "NOTHING"
    UNIQUE = "UNIQUE"
    CONCURRENTLY = "CONCURRENTLY"
    LOGGED = "LOGGED"
    UNLOGGED = "UNLOGGED"
    PLAIN = "PLAIN"
    EXTERNAL = "EXTERNAL"
    EXTENDED = "EXTENDED"
    MAIN = "MAIN"
    ONLY = "ONLY"
    USING = "USING"
    WITH = "WITH"
    COLLATE = "COLLATE"
    NOT_NULL = "NOT NULL"
    GENERATED = "GENERATED ALWAYS AS"
    STORED = "STORED"
    VIRTUAL = "VIRTUAL"
    BY_DEFAULT = "BY DEFAULT"
    CONSTRAINT = "CONSTRAINT"
    ADD_CONSTRAINT = "ADD CONSTRAINT"
    ALTER_COLUMN = "ALTER COLUMN"
    SET = "SET"
    SET_STORAGE = "SET STORAGE"
    SET_COMPRESSION = "SET COMPRESSION"
    SET_STATISTICS = "SET STATISTICS"
    REPLICA_IDENTITY = "REPLICA IDENTITY"
    USING_INDEX = "USING INDEX"
    CLUSTER_ON = "CLUSTER ON"
    PARTITION_BY = "PARTITION BY"
    CYCLE = "CYCLE"
    NO_CYCLE = "NO CYCLE"
    SCHEMA = "SCHEMA"
    TYPE = "TYPE"
    DOMAIN = "DOMAIN"
    SEQUENCE = "SEQUENCE"
    TABLE = "TABLE"
    COLUMN = "COLUMN"
    INDEX = "INDEX"
    STATISTICS = "STATISTICS"
    PUBLIC = "PUBLIC"


STORAGE_PARAMETERS = re.compile(
    r"(toast\.)?(fillfactor|parallel_workers|log_autovacuum_min_duration|vacuum_index_cleanup|vacuum_truncate|user_catalog_table"
    r"|toast_tuple_target|vacuum_max_eager_freeze_failure_rate|deduplicate_items|pages_per_range|autosummarize|fastupdate|buffering"
    r"|gin_pending_list_limit|autovacuum_(enabled|[a-z_]{1,50})|n_distinct(_inherited)?)"
)
"""Names of storage parameters (PostgreSQL manual, CREATE TABLE and CREATE INDEX, Storage Parameters)."""


@dataclass(frozen=True)
class Columns:
    """Columns, parted by commas: "a", "b"; with `of` as n."a", n."b"."""

    names: tuple[str, ...]
    of: str = ""


@dataclass(frozen=True)
class Assignments:
    """SET list that takes each column from `of`: "a" = n."a", "b" = n."b"."""

    names: tuple[str, ...]
    of: str


@dataclass(frozen=True)
class Matches:
    """Each column equal on both sides, nothing else: l."a" = r."a" AND ...; `distinct`: IS NOT DISTINCT FROM."""

    names: tuple[str, ...]
    left: str
    right: str
    distinct: bool = False


@dataclass(frozen=True)
class Storage:
    """Storage parameters with their values, as pg_options_to_table tells them: fillfactor = '70', ..."""

    values: Mapping[str, str]


@dataclass(frozen=True)
class StorageNames:
    """Names of storage parameters alone, for RESET."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Body:
    """Another statement as a text literal: what a function or a DO block runs. `language` stands in the file."""

    statement: Statement


@dataclass(frozen=True)
class Text:
    """A text as a literal, where the grammar takes no bind. A person sees it only with `shown`: it may be data."""

    value: str
    shown: bool = False


@dataclass(frozen=True)
class Definition:
    """An expression, a type or the rest of a definition, as a server wrote it. It is of one piece, or it is refused.

    `commas`: it may hold commas outside of brackets, as a list does. A person sees it without its literals: they are data.
    """

    value: str
    commas: bool = False


@dataclass(frozen=True)
class Clauses:
    """Parts one after the other, parted by blanks; of several clauses with commas between: what ALTER TABLE may do at once."""

    clauses: tuple[tuple[Part, ...], ...]
    in_brackets: bool = False


Part = (  # of the two last ones the parts are parts again
    str
    | tuple[str, ...]
    | int
    | Word
    | Columns
    | Assignments
    | Matches
    | Storage
    | StorageNames
    | Body
    | Text
    | Definition
    | Clauses
)


@dataclass(frozen=True)
class Statement:
    """One statement, ready to be sent. `shown`: as a person may read it, literals out."""

    file: SqlFile
    composed: sql.Composed
    binds: dict[str, Any] = field(default_factory=dict)
    shown: str = ""

    @property
    def text(self) -> str:
        """As it is sent; where binds go with it, a percent sign of a name is doubled (psycopg reads it as a place)."""
        return self.composed.as_string(None)


def statement(
    pipeline: str,
    name: str,
    names: Mapping[str, Part] | None = None,
    binds: Mapping[str, Any] | None = None,
    literals: Mapping[str, str] | None = None,
) -> Statement:
    """The file `include/sql/postgresql/<pipeline>/<name>.sql` with its places filled, each once and never looked at again.

    `names` fills places with names and the other kinds of parts, `literals` with text literals. Raises StatementRefused,
    SqlFileInvalid for places or binds that are not those of the file.
    """
    file = sql_file("postgresql", pipeline, name)
    parts = {**(names or {}), **{place: Text(text) for place, text in (literals or {}).items()}}
    check_binds(file, {*parts, *(binds or {})})
    if nothing := [place for place, part in parts.items() if part is None]:
        raise StatementRefused(f"{nothing[0]}: nothing is no part of a statement")
    pieces = [(text, None if place is None else parts[place]) for text, place in _pieces(file.statement)]
    composed = sql.Composed([_piece(text, part, bool(binds)) for text, part in pieces])
    shown = "".join(text if part is None else _shown(part) for text, part in pieces)
    return Statement(file, composed, dict(binds or {}), shown)


def shown_text(told: Statement) -> str:
    """The file's name and its text for a person: names in, literals and binds out, cleaned, bounded."""
    text = " ".join(told.shown.split())
    kept = text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
    return str(clean_text(f"{told.file.name}: {kept}"))


def identifier(name: str | tuple[str, ...]) -> sql.Identifier:
    """The name, quoted. Raises StatementRefused for a name that PostgreSQL cannot hold."""
    parts = (name,) if isinstance(name, str) else name
    for part in parts:
        if not part or "\0" in part:
            raise StatementRefused(f"the name {part[:40]!a} is empty or holds NUL")
        if len(part.encode("utf-8", "surrogatepass")) > LONGEST_NAME_BYTES:
            raise StatementRefused(f"the name {part[:40]!a}... is longer than {LONGEST_NAME_BYTES} bytes")
    return sql.Identifier(*parts)


def whole_number(value: int, lowest: int = 0, highest: int = HIGHEST_NUMBER) -> int:
    """The number, when it is whole and inside the bounds. Raises StatementRefused."""
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise StatementRefused(f"{value!r} is not a whole number from {lowest} to {highest}")
    return value


def _pieces(text: str) -> Iterator[tuple[str, str | None]]:
    """The text in order: pieces that stay as they are, and the names of places."""
    at = 0
    for match in _PLACE.finditer(text):
        if match[1] is not None:
            yield text[at : match.start()], None
            yield "", match[1]
            at = match.end()
    yield text[at:], None


def _piece(text: str, part: Part | None, double: bool) -> sql.SQL:
    if part is None:
        return sql.SQL(text)
    filled = _rendered(part).as_string(None)
    return sql.SQL(filled.replace("%", "%%") if double else filled)


def _shown(part: Part) -> str:
    if isinstance(part, Text) and not part.shown:
        return _HIDDEN
    if isinstance(part, Body):
        return f"$$ {' '.join(part.statement.shown.split())} $$"
    if isinstance(part, Definition):
        return without_literals(part.value)
    if isinstance(part, Clauses):
        shown = ", ".join(" ".join(_shown(piece) for piece in clause) for clause in part.clauses)
        return f"({shown})" if part.in_brackets else shown
    return _rendered(part).as_string(None)


def _rendered(part: Part) -> sql.Composable:
    """One part as text of a statement. What is of no known kind is refused: nothing else becomes text."""
    if isinstance(part, Word):
        return sql.SQL(part.value)
    if isinstance(part, str | tuple):
        return identifier(part)
    if isinstance(part, int):
        return sql.Literal(whole_number(part))
    if isinstance(part, Text):
        return _literal(part.value)
    if isinstance(part, Body):
        return _body(part)
    if isinstance(part, Definition):
        return _definition(part)
    if isinstance(part, Clauses):
        rendered = _joined(", ", (_joined(" ", map(_rendered, clause)) for clause in part.clauses))
        return sql.SQL("({})").format(rendered) if part.in_brackets else rendered
    if isinstance(part, Storage):
        return _joined(", ", (sql.SQL("{} = {}").format(_parameter(k), _literal(v)) for k, v in part.values.items()))
    if isinstance(part, StorageNames):
        return _joined(", ", (_parameter(n) for n in part.names))
    return _of_columns(part)


def _of_columns(part: Any) -> sql.Composable:
    if isinstance(part, Columns):
        return _joined(", ", (identifier((part.of, n) if part.of else n) for n in part.names))
    if isinstance(part, Assignments):
        return _joined(", ", (sql.SQL("{} = {}").format(identifier(n), identifier((part.of, n))) for n in part.names))
    if isinstance(part, Matches):
        is_same = sql.SQL("{} IS NOT DISTINCT FROM {}" if part.distinct else "{} = {}")
        return _joined(" AND ", (is_same.format(identifier((part.left, n)), identifier((part.right, n))) for n in part.names))
    raise StatementRefused(f"{type(part).__name__} is no part of a statement")


def _joined(between: str, parts: Any) -> sql.Composed:
    found = list(parts)
    if not found:
        raise StatementRefused("an empty list")
    return sql.SQL(between).join(found)


def _parameter(name: str) -> sql.Composable:
    if not STORAGE_PARAMETERS.fullmatch(name):
        raise StatementRefused(f"{name[:60]!a} is no storage parameter that is known")
    return sql.SQL(name)


def _literal(text: str) -> sql.Literal:
    if "\0" in text:
        raise StatementRefused("a text literal cannot hold NUL")
    return sql.Literal(text)


def _definition(part: Definition) -> sql.SQL:
    """Raises StatementRefused for what could reach further than its place."""
    try:
        found, depth = tokens(part.value), 0
    except NoExpression as e:
        raise StatementRefused(str(e)) from e
    for token in found:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.written, 0) if token.sort is Sort.SIGN else 0
        if token.written == "," and depth == 0 and not part.commas:
            raise StatementRefused("a comma outside of brackets in a definition")
    if all(token.sort is Sort.SPACE for token in found):
        raise StatementRefused("an empty definition")
    return sql.SQL(part.value)


def _body(part: Body) -> sql.Literal:
    if part.statement.binds:
        raise StatementRefused("the body of a function has no binds")
    return sql.Literal(part.statement.text)

"""From Oracle's tree to the engine's SQL: who knows which node, and what names stand for.

Functions register by node or name: VALUES (an expression), CONDITIONS (a predicate, which is no value in 19c), FUNCTIONS
(scalar functions), AGGREGATES. What nobody registered is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Any

from sqlglot import exp

from sandbox.oracle.backend import OracleError
from sandbox.oracle.model.database import OracleDatabase, SessionState
from sandbox.oracle.sql.errors import illegal_long, invalid_identifier, not_enough_arguments, unsupported, wrong_datatype
from sandbox.oracle.sql.kinds import Expr, Kind, zone_named
from sandbox.oracle.sql.lexer import Scanned
from sandbox.oracle.sql.relations import Relation

Arguments = list[exp.Expression]


def name_of(node: exp.Expression | None) -> str:
    """An identifier as Oracle keeps it: upper case unless it was quoted."""
    if node is None:
        return ""
    if isinstance(node, exp.Identifier):
        return node.this if node.args.get("quoted") else node.this.upper()
    return (
        node.name if getattr(node, "this", None) is not None and not isinstance(node.this, exp.Identifier) else name_of(node.this)
    )


@dataclass
class Source:
    """One item of a FROM clause: its alias, its visible columns in order, and how a column is said to the engine."""

    alias: str
    names: Sequence[str]
    lookup: Callable[[str], Expr | None]


@dataclass
class Scope:
    """The names one query block sees. `picked`: where ROWNUM wraps the block, the columns taken through the wrap."""

    parent: Scope | None = None
    sources: list[Source] = field(default_factory=list)
    picked: dict[tuple[str, str], tuple[Expr, str]] | None = None
    level: Expr | None = None
    rownum: str = ""
    wrap: str = ""
    ctes: dict[str, Query] = field(default_factory=dict)

    def matches(self, table: str, name: str) -> list[tuple[Source, Expr]]:
        found = []
        for source in self.sources:
            if table and source.alias != table:
                continue
            expr = source.lookup(name)
            if expr is not None:
                found.append((source, expr))
        return found

    def find(self, table: str, name: str) -> Expr | None:
        """The column, or None; ORA-00918 where two sources have it."""
        found = self.matches(table, name)
        if len(found) > 1:
            raise OracleError(918, "column ambiguously defined")
        if not found:
            return None
        source, expr = found[0]
        return expr if self.picked is None else self.through(source.alias, name, expr)

    def through(self, alias: str, name: str, expr: Expr) -> Expr:
        """The column as the wrapping block names it."""
        key = (alias, name)
        if key not in self.picked:
            self.picked[key] = (expr, f"p{len(self.picked)}")
        return replace(expr, sql=f'{self.wrap}."{self.picked[key][1]}"')


@dataclass
class Query:
    """A compiled query block: its SQL names its columns c1, c2, ...; `columns` says what each is called and is."""

    sql: str
    columns: list[tuple[str, Expr]]


@dataclass
class Compiler:
    """One statement on its way to the engine."""

    database: OracleDatabase
    session: SessionState
    binds: Sequence[Expr]
    now: datetime
    scanned: Scanned
    relation_of: Callable[[str, str, int | None], Relation]
    is_described: bool = False
    relations: dict[str, Relation] = field(default_factory=dict)
    known: dict[tuple[str, str, int | None], str] = field(default_factory=dict)
    serial: int = 0
    has_groups: bool = False

    @property
    def zone_name(self) -> str:
        """The session's time zone: TIME_ZONE as it was set, else the database host's."""
        return getattr(self.session.backend, "settings", {}).get("TIME_ZONE") or self.database.time_zone

    @property
    def zone(self) -> tzinfo:
        return zone_named(self.zone_name)

    def unique(self, prefix: str) -> str:
        self.serial += 1
        return f"{prefix}{self.serial}"

    def value(self, node: exp.Expression, scope: Scope) -> Expr:
        """Any expression; a LONG column too, which only a select list may show."""
        handler = VALUES.get(type(node))
        if handler is None:
            if type(node) in CONDITIONS:
                raise OracleError(923, "FROM keyword not found where expected")
            raise unsupported(said(node))
        return handler(self, node, scope)

    def operand(self, node: exp.Expression, scope: Scope) -> Expr:
        """An expression in WHERE, GROUP BY, ORDER BY or an operation: LONG is ORA-00997 there."""
        found = self.value(node, scope)
        if found.kind is Kind.LONG:
            raise illegal_long()
        return found

    def argument(self, node: exp.Expression, scope: Scope) -> Expr:
        """An argument of a function: LONG is ORA-00932 there."""
        found = self.value(node, scope)
        if found.kind is Kind.LONG:
            raise wrong_datatype("CHAR", "LONG")
        return found

    def condition(self, node: exp.Expression, scope: Scope) -> str:
        """A predicate as engine SQL; a plain value in its place is ORA-00920."""
        handler = CONDITIONS.get(type(node))
        if handler is None:
            if type(node) in VALUES:
                raise OracleError(920, "invalid relational operator")
            raise unsupported(said(node))
        return handler(self, node, scope)

    def query(self, node: exp.Expression, parent: Scope | None, ctes: dict[str, Query]) -> Query:
        handler = QUERIES.get(type(node))
        if handler is None:
            raise unsupported(said(node))
        return handler(self, node, parent, ctes)

    def position(self, node: exp.Expression) -> int:
        return self.scanned.original(node.meta.get("start", 0)) if isinstance(node, exp.Identifier) else 0


ValueOf = Callable[[Compiler, Any, Scope], Expr]
VALUES: dict[type, ValueOf] = {}
CONDITIONS: dict[type, Callable[[Compiler, Any, Scope], str]] = {}
QUERIES: dict[type, Callable[[Compiler, Any, Scope | None, dict[str, Query]], Query]] = {}
FUNCTIONS: dict[str, Callable[[Compiler, Arguments, Scope], Expr]] = {}
CONDITION_FUNCTIONS: dict[str, Callable[[Compiler, Arguments, Scope], str]] = {}
AGGREGATES: dict[str, Callable[[Compiler, exp.Anonymous, Scope], Expr]] = {}


def register(table: dict, *keys: Any) -> Callable[[Callable], Callable]:
    def add(function: Callable) -> Callable:
        table.update(dict.fromkeys(keys, function))
        return function

    return add


def function(*names: str, least: int = 1, most: int = 1) -> Callable[[Callable], Callable]:
    """Registers a scalar function that takes compiled arguments, `least` to `most` of them."""

    def add(build: Callable[..., Expr]) -> Callable[..., Expr]:
        def compiled(c: Compiler, nodes: Arguments, scope: Scope) -> Expr:
            if not least <= len(nodes) <= most:
                raise not_enough_arguments()
            return build(c, *(c.argument(node, scope) for node in nodes))

        FUNCTIONS.update(dict.fromkeys(names, compiled))
        return build

    return add


def said(node: exp.Expression) -> str:
    """A node in the user's words, cut short."""
    try:
        words = node.sql(dialect="oracle")
    except Exception:
        words = ""
    return f"{type(node).__name__} ({words[:120]})" if words else type(node).__name__


def unresolved(c: Compiler, table: str, column: exp.Column) -> OracleError:
    name = name_of(column.this)
    owner = name_of(column.args.get("db"))
    return invalid_identifier(*filter(None, (owner, table, name)), position=c.position(column.this))

"""One query from text to rows: judge the names, compile, run, turn values into what the wire sends."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, timedelta
from decimal import Context, Decimal
from typing import Any

from sqlglot import exp

from sandbox.oracle.backend import Bind, Column, Lob, OracleError, Result, YearMonth
from sandbox.oracle.model.database import OracleDatabase, SessionState
from sandbox.oracle.sql import aggregates, arithmetic, conditions, context, dates, functions, scalar  # noqa: F401 - they register what they know
from sandbox.oracle.sql.compiler import Compiler, Query, Scope
from sandbox.oracle.sql.engine import Running
from sandbox.oracle.sql.kinds import KIND_OF, Expr, Kind, literal, number_literal, zone_named
from sandbox.oracle.sql.lexer import Scanned
from sandbox.oracle.sql.query import outward
from sandbox.oracle.sql.relations import Relation

EXACT = Context(prec=60)
KEPT_WIDE = ("(SELECT", "WITH ", "GROUP BY", "DISTINCT", "UNION")  # the text of a column must stay that of another place
WIDENED = re.compile(r'CAST\(("t\d+"\.k\d+) AS HUGEINT\) AS(?= "c\d+"[ ,])')
RelationOf = Callable[[str, str, int | None], Relation]


def bound(bind: Bind) -> Expr:
    """A bind's value as a constant of its type. A float is the number that it prints as."""
    kind = KIND_OF.get(bind.type, Kind.STR)
    if isinstance(bind.value, float) and kind is not Kind.DOUBLE:
        return number_literal(Decimal(repr(bind.value)))
    return literal(bind.value, kind)


def placed(names: Sequence[str], binds: Sequence[Bind]) -> list[Expr]:
    """Binds by occurrence; a request that brings one per name has them spread over the occurrences. ORA-01008, ORA-01036."""
    given = [bound(b) for b in binds]
    unique = list(dict.fromkeys(names))
    if len(given) == len(unique) < len(names):
        return [given[unique.index(name)] for name in names]
    if len(given) < len(names):
        raise OracleError(1008, "not all variables bound")
    if len(given) > len(names):
        raise OracleError(1036, "illegal variable name/number")
    return given


def compiler(
    database: OracleDatabase,
    session: SessionState,
    scanned: Scanned,
    binds: list[Expr],
    relation_of: RelationOf,
    is_described: bool = False,
) -> Compiler:
    return Compiler(database, session, binds, database.sysdate(), scanned, relation_of, is_described)


def shown_in(zone: Any) -> Callable[[Any], Any]:
    return lambda value: value.replace(tzinfo=UTC).astimezone(zone)


def converters(columns: Sequence[tuple[str, Expr]], zone: Any) -> list[Callable[[Any], Any] | None]:
    """How each column's engine value becomes the wire's; None where it is the same."""
    table: dict[Kind, Callable[[Any], Any]] = {
        Kind.DEC: shortened,
        Kind.DS: lambda v: timedelta(microseconds=v),
        Kind.YM: lambda v: YearMonth(int(v / 12), int(v - int(v / 12) * 12)),
        Kind.CLOB: Lob,
        Kind.BLOB: Lob,
    }
    own = [shown_in(zone_named(e.zone) if e.zone else zone) if e.kind is Kind.TZ else None for _, e in columns]
    return [own_zone or table.get(expr.kind) for own_zone, (_, expr) in zip(own, columns, strict=True)]


def shortened(value: Decimal) -> int | Decimal:
    """A number as Oracle gives it: whole, or without trailing zeros."""
    return int(value) if value == value.to_integral_value() else value.normalize(EXACT)


def finished(rows: Sequence[tuple[Any, ...]], columns: Sequence[tuple[str, Expr]], zone: Any) -> list[tuple[Any, ...]]:
    convert = converters(columns, zone)
    if not any(convert):
        return list(rows)
    return [tuple(v if f is None or v is None else f(v) for f, v in zip(convert, row, strict=True)) for row in rows]


def described(query: Query) -> list[Column]:
    return [expr.column(name) for name, expr in query.columns]


def fetched(c: Compiler, sql: str, running: Running) -> list[tuple[Any, ...]]:
    """The engine's rows. Without any GROUP BY a stray column beside an aggregate is ORA-00937, not 00979."""
    try:
        return running.fetch(sql, c.relations)
    except OracleError as e:
        if e.code == 979 and not c.has_groups:
            raise OracleError(937, "not a single-group group function") from e
        raise


def narrowed(sql: str) -> str:
    """Stored whole numbers that go out as they are need no 38 digits: the engine hands them over twice as fast."""
    return sql if any(word in sql for word in KEPT_WIDE) else WIDENED.sub(r"\1 AS", sql)


def run(c: Compiler, query: Query, running: Running) -> Result:
    rows = fetched(c, narrowed(query.sql), running)
    return Result(columns=described(query), rows=finished(rows, query.columns, c.database.zone), rowcount=len(rows))


def rows_of(c: Compiler, expressions: Sequence[Expr], block: str, running: Running) -> Iterator[tuple[Any, ...]]:
    """Values of compiled expressions over a FROM ... WHERE text, as Python values."""
    columns = [("", e) for e in expressions]
    shown = ", ".join(e.sql for e in expressions)
    yield from finished(fetched(c, f"SELECT {shown} FROM {block}", running), columns, c.database.zone)


def compiled_query(c: Compiler, tree: exp.Expression) -> Query:
    return c.query(tree, None, {})


__all__ = ["Scope", "bound", "compiled_query", "compiler", "described", "outward", "placed", "rows_of", "run"]

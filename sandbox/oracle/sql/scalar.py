"""Columns, literals, operators and CASE (SQL Language Reference 19c, "Expressions" and "Operators")."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sqlglot import exp

from sandbox.oracle import registry
from sandbox.oracle.backend import OracleError
from sandbox.oracle.sql.compiler import (
    AGGREGATES,
    FUNCTIONS,
    VALUES,
    Compiler,
    Scope,
    name_of,
    register,
    said,
    unresolved,
)
from sandbox.oracle.sql.conversion import (
    as_kind,
    common_kind,
    to_text,
    to_time,
    zoned,
)
from sandbox.oracle.sql.errors import unsupported
from sandbox.oracle.sql.formats import parse_date
from sandbox.oracle.sql.kinds import (
    NUMBERS,
    Expr,
    Kind,
    literal,
    null,
    number,
    number_literal,
    quote,
    text,
    time_literal,
    zone_named,
)
from sandbox.oracle.sql.query import Compiled


@register(VALUES, exp.Column, exp.Pseudocolumn)
def column(c: Compiler, node: exp.Column, scope: Scope) -> Expr:
    """A column of this block or of one around it, else a pseudocolumn; ORA-00904 for neither."""
    table, name = name_of(node.args.get("table")), name_of(node.this)
    at: Scope | None = scope
    while at:
        found = at.find(table, name)
        if found is not None:
            return found
        at = at.parent
    if not table and name in PSEUDO and not node.this.args.get("quoted"):
        return PSEUDO[name](c, scope)
    if table and f"{table}.{name}" in registry.PROCEDURES:
        return call(c, f"{table}.{name}", [], scope)
    if table and name in ("NEXTVAL", "CURRVAL"):
        raise OracleError(2289, "sequence does not exist")
    raise unresolved(c, table, node)


def rownum(c: Compiler, scope: Scope) -> Expr:
    if not scope.rownum:
        raise unsupported("ROWNUM here")
    return number(f"CAST({scope.rownum} AS HUGEINT)")


def level(c: Compiler, scope: Scope) -> Expr:
    if scope.level is None:
        raise OracleError(1788, "CONNECT BY clause required in this query block")
    return scope.level if scope.picked is None else scope.through(" ", "LEVEL", scope.level)


def zone_offset(c: Compiler) -> str:
    offset = c.database.clock.now().astimezone(c.zone).strftime("%z")
    return f"{offset[:3]}:{offset[3:]}"


PSEUDO = {
    "ROWNUM": rownum,
    "LEVEL": level,
    "USER": lambda c, scope: literal(c.session.user),
    "UID": lambda c, scope: number_literal(
        0 if c.session.user == "SYS" else 100 + sorted(c.database.accounts).index(c.session.user)
    ),
    "SESSIONTIMEZONE": lambda c, scope: literal(zone_offset(c)),
    "DBTIMEZONE": lambda c, scope: literal("+00:00"),
    "SYSDATE": lambda c, scope: time_literal(c.database.sysdate(), Kind.DATE),
}


@register(VALUES, exp.CurrentTimestamp)
def current(c: Compiler, node: exp.CurrentTimestamp, scope: Scope) -> Expr:
    if node.args.get("sysdate"):
        return time_literal(c.now, Kind.DATE)
    return systimestamp(c, node, scope)


@register(VALUES, exp.Systimestamp)
def systimestamp(c: Compiler, node: exp.Expression, scope: Scope) -> Expr:
    return time_literal(c.database.clock.now().astimezone(c.database.zone), Kind.TZ)


@register(VALUES, exp.CurrentDate)
def current_date(c: Compiler, node: exp.Expression, scope: Scope) -> Expr:
    return time_literal(c.database.clock.now().astimezone(c.zone).replace(tzinfo=None, microsecond=0), Kind.DATE)


@register(VALUES, exp.Localtimestamp)
def local_timestamp(c: Compiler, node: exp.Expression, scope: Scope) -> Expr:
    return time_literal(c.database.clock.now().astimezone(c.zone).replace(tzinfo=None), Kind.TS)


@register(VALUES, exp.Literal)
def constant(c: Compiler, node: exp.Literal, scope: Scope) -> Expr:
    return literal(node.this) if node.is_string else number_literal(Decimal(node.this))


@register(VALUES, exp.National, exp.RawString)
def other_string(c: Compiler, node: exp.Expression, scope: Scope) -> Expr:
    return literal(node.name)


@register(VALUES, exp.Null)
def no_value(c: Compiler, node: exp.Null, scope: Scope) -> Expr:
    return null()


@register(VALUES, exp.Placeholder)
def bind(c: Compiler, node: exp.Placeholder, scope: Scope) -> Expr:
    """The bind at its place; ORA-01008 where the request brought none."""
    place = int(node.this[1:])
    if place < len(c.binds):
        return c.binds[place]
    if c.is_described:
        return null()
    raise OracleError(1008, "not all variables bound")


@register(VALUES, exp.Paren)
def parenthesis(c: Compiler, node: exp.Paren, scope: Scope) -> Expr:
    inner = c.value(node.this, scope)
    return replace(inner, sql=f"({inner.sql})")


@register(VALUES, Compiled)
def compiled(c: Compiler, node: Compiled, scope: Scope) -> Expr:
    return node.args["expr"]


@register(VALUES, exp.Subquery, exp.Select)
def scalar_subquery(c: Compiler, node: exp.Expression, scope: Scope) -> Expr:
    """One column, one row; none is NULL, more are ORA-01427."""
    query = c.query(node if isinstance(node, exp.Select) else node.this, scope, scope.ctes)
    if len(query.columns) != 1:
        raise OracleError(913, "too many values")
    return replace(query.columns[0][1], sql=f"({query.sql})")


@register(VALUES, exp.DPipe)
def concatenation(c: Compiler, node: exp.DPipe, scope: Scope) -> Expr:
    """NULL adds nothing; nothing at all is NULL."""
    parts = [to_text(c, c.argument(n, scope)) for n in node.flatten()]
    joined = " || ".join(f"coalesce({p.sql}, '')" for p in parts)
    kind = Kind.CLOB if any(p.kind is Kind.CLOB for p in parts) else Kind.STR
    return Expr(f"nullif({joined}, '')", kind, min(sum(p.size for p in parts), 32767))


@register(VALUES, exp.Case)
def case(c: Compiler, node: exp.Case, scope: Scope) -> Expr:
    """Searched or simple; all results take the first one's type, or ORA-00932."""
    tests = [
        c.condition(exp.EQ(this=node.this.copy(), expression=i.this.copy()) if node.this else i.this, scope)
        for i in node.args["ifs"]
    ]
    results = [c.argument(i.args["true"], scope) for i in node.args["ifs"]]
    rest = c.argument(node.args["default"], scope) if node.args.get("default") else null()
    return choice(c, tests, [*results, rest], is_strict=True)


def choice(c: Compiler, tests: list[str], results: list[Expr], is_strict: bool = False) -> Expr:
    """CASE over engine conditions; one result more than tests: the rest."""
    kind = common_kind(results if is_strict else results[:1] if results[0].kind is not Kind.NULL else results, is_strict)
    if kind in NUMBERS and all(r.kind in NUMBERS | {Kind.NULL} for r in results):
        kind = common_kind(results)
    done = [as_kind(c, r, kind) for r in results]
    whens = " ".join(f"WHEN {t} THEN {r.sql}" for t, r in zip(tests, done, strict=False))
    return Expr(f"CASE {whens} ELSE {done[-1].sql} END", kind, max(r.size for r in done))


SPAN = re.compile(r"(\d+) (\d{1,2})(?::(\d{1,2})(?::(\d{1,2}(?:\.\d+)?))?)?")


@register(VALUES, exp.Interval)
def interval(c: Compiler, node: exp.Interval, scope: Scope) -> Expr:
    """INTERVAL '3' DAY, HOUR, MINUTE or SECOND; and '1 02:03:04' DAY TO SECOND or shorter."""
    unit = node.args["unit"]
    if isinstance(unit, exp.IntervalSpan):
        parts = SPAN.fullmatch(node.this.name) if unit.this.name.upper() == "DAY" else None
        if not parts:
            raise unsupported(said(node))
        days, hours, minutes, seconds = (float(p or 0) for p in parts.groups())
        return literal(timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds))
    size = {"DAY": 86400, "HOUR": 3600, "MINUTE": 60, "SECOND": 1}.get(unit.name.upper())
    if size is None:
        raise unsupported(said(node))
    return literal(timedelta(seconds=float(Decimal(node.this.name)) * size))


@register(VALUES, exp.DateStrToDate)
def date_literal(c: Compiler, node: exp.DateStrToDate, scope: Scope) -> Expr:
    return time_literal(parse_date(node.this.name, "YYYY-MM-DD", c.now), Kind.DATE)


@register(VALUES, exp.StrToTime)
def timestamp_literal(c: Compiler, node: exp.StrToTime, scope: Scope) -> Expr:
    words = node.this.name
    zone = " TZH:TZM" if words.count(" ") > 1 or "+" in words else ""
    value = parse_date(words, f"YYYY-MM-DD HH24:MI:SSXFF{zone}", c.now)
    return time_literal(value, Kind.TZ if value.tzinfo else Kind.TS)


@register(VALUES, exp.AtTimeZone)
def at_time_zone(c: Compiler, node: exp.AtTimeZone, scope: Scope) -> Expr:
    """The same instant, shown in a fixed zone. The engine holds instants alone: a zone that differs by row is not kept."""
    value, zone = zoned(c, to_time(c, c.operand(node.this, scope), Kind.TS)), c.argument(node.args["zone"], scope)
    if not zone.is_constant:
        return Expr(f"CASE WHEN {zone.sql} IS NOT NULL THEN {value.sql} END", Kind.TZ)
    name = constant_text(zone, "a time zone")
    zone_named(name)
    return Expr(value.sql, Kind.TZ, zone=name)


@register(VALUES, exp.Anonymous)
def function_call(c: Compiler, node: exp.Anonymous, scope: Scope) -> Expr:
    name = node.name.upper()
    if name in AGGREGATES:
        return AGGREGATES[name](c, node, scope)
    if name in FUNCTIONS:
        return FUNCTIONS[name](c, node.expressions, scope)
    if name in registry.PROCEDURES:
        return call(c, name, node.expressions, scope)
    if name in KNOWN_TO_ORACLE.split():
        raise unsupported(f"the function {name}")
    raise OracleError(904, f'"{name}": invalid identifier')


KNOWN_TO_ORACLE = """
    APPROX_COUNT_DISTINCT BITAND COLLECT CORR COVAR_POP CUME_DIST DUMP EMPTY_BLOB EMPTY_CLOB EXP
    EXTRACTVALUE GROUPING GROUPING_ID JSON_EXISTS JSON_OBJECT JSON_QUERY JSON_TABLE JSON_VALUE LN LOG
    NANVL NEW_TIME NEXT_DAY NLSSORT NTH_VALUE ORA_HASH ORA_ROWSCN PERCENTILE_DISC PERCENT_RANK
    REGEXP_INSTR REMAINDER ROWIDTOCHAR SCN_TO_TIMESTAMP SIN SOUNDEX STANDARD_HASH STATS_MODE SYS_CONNECT_BY_PATH
    SYS_GUID TIMESTAMP_TO_SCN TO_BINARY_DOUBLE TO_BLOB TO_DSINTERVAL TO_YMINTERVAL TZ_OFFSET VAR_POP VAR_SAMP
    VSIZE WIDTH_BUCKET XMLAGG XMLELEMENT XMLTYPE
"""


def call(c: Compiler, name: str, nodes: list[exp.Expression], scope: Scope) -> Expr:
    """A packaged function in a query: run once, with fixed arguments."""
    arguments: dict[str, object] = {}
    signature = registry.SIGNATURES.get(name, ())
    for place, node in enumerate(nodes, 1):
        is_named = isinstance(node, exp.Kwarg)
        given = c.argument(node.expression if is_named else node, scope)
        if not given.is_constant:
            raise unsupported(f"{name} with arguments that differ by row")
        positional = signature[place - 1] if place <= len(signature) else str(place)
        arguments[node.this.name.upper() if is_named else positional] = given.constant
    return null() if c.is_described else literal(registry.PROCEDURES[name](c.database, c.session, arguments))


@register(VALUES, exp.Dot)
def packaged(c: Compiler, node: exp.Dot, scope: Scope) -> Expr:
    """pkg.function(...) and owner.pkg.function(...)."""
    called = node.expression
    parts = [name_of(p) for p in node.this.find_all(exp.Identifier)]
    parts = parts[1:] if parts[:1] == ["SYS"] else parts
    if not isinstance(called, exp.Anonymous):
        raise unsupported(said(node))
    name = ".".join([*parts, called.name.upper()])
    if name in FUNCTIONS:
        return FUNCTIONS[name](c, called.expressions, scope)
    if name not in registry.PROCEDURES:
        raise OracleError(904, f'"{parts[0]}"."{called.name.upper()}": invalid identifier')
    return call(c, name, called.expressions, scope)


def constant_text(expr: Expr, what: str) -> str:
    if not isinstance(expr.constant, str):
        raise unsupported(f"{what} that is not fixed")
    return expr.constant


def quoted(expr: Expr) -> str:
    return quote(constant_text(expr, "text"))


def plain(sql: str, size: int = 4000) -> Expr:
    return text(f"nullif({sql}, '')", size)

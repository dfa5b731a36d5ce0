"""Query blocks: FROM, WHERE, GROUP BY, ORDER BY, row limits, WITH, set operations (SQL Language Reference 19c, "SELECT")."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from sqlglot import exp

from sandbox.oracle.backend import OracleError
from sandbox.oracle.sql.compiler import QUERIES, Compiler, Query, Scope, Source, name_of, register, said
from sandbox.oracle.sql.conversion import as_kind, common_kind
from sandbox.oracle.sql.errors import illegal_long, invalid_identifier, unsupported
from sandbox.oracle.sql.joins import from_clause
from sandbox.oracle.sql.kinds import Expr, Kind
from sandbox.oracle.sql.rownum import limit_of, uses_rownum

REFUSED = (
    "laterals",
    "pivots",
    "windows",
    "qualify",
    "sample",
    "match",
    "into",
    "cluster",
    "distribute",
    "sort",
    "prewhere",
    "settings",
)
SPACES = re.compile(r"""('(?:[^']|'')*'|"[^"]*")|\s+""")


def heading(c: Compiler, node: exp.Expression) -> str:
    """A column's name where the user gave none: the expression's text without blanks, upper case."""
    if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
        return name_of(node.this)
    words = node.sql(dialect="oracle")
    words = re.sub(r":B(\d+)", lambda m: ":" + c.scanned.names[int(m[1])], words)
    parts = SPACES.split(words)
    return "".join(p if p[0] in "'\"" else p.upper() for p in parts if p)[:128]


def expanded(c: Compiler, node: exp.Expression, scope: Scope) -> list[tuple[str, Expr]]:
    """The columns that one item of a select list gives: `*` and `t.*` give many."""
    is_qualified = isinstance(node, exp.Column) and isinstance(node.this, exp.Star)
    if isinstance(node, exp.Star) or is_qualified:
        alias = name_of(node.args.get("table")) if is_qualified else ""
        sources = [s for s in scope.sources if not alias or s.alias == alias]
        if not sources:
            raise invalid_identifier(alias)
        return [(n, starred(scope, s, n)) for s in sources for n in s.names]
    if isinstance(node, exp.Alias):
        return [(name_of(node.args["alias"]), c.value(node.this, scope))]
    return [(heading(c, node), c.value(node, scope))]


def starred(scope: Scope, source: Source, name: str) -> Expr:
    expr = source.lookup(name)
    return expr if scope.picked is None else scope.through(source.alias, name, expr)


def with_clause(c: Compiler, node: exp.Expression, parent: Scope | None, ctes: dict[str, Query]) -> tuple[str, dict[str, Query]]:
    """The WITH of a query: its text, and the queries that may be named from here on."""
    clause = node.args.get("with_")
    if not clause:
        return "", ctes
    if clause.args.get("recursive"):
        raise unsupported("a recursive WITH")
    ctes, parts = dict(ctes), []
    for cte in clause.expressions:
        name = name_of(cte.args["alias"].this)
        query = c.query(cte.this, parent, ctes)
        renamed = [name_of(i) for i in cte.args["alias"].args.get("columns") or []]
        if renamed and len(renamed) != len(query.columns):
            raise OracleError(32039, "recursive WITH clause must have column alias list")
        columns = [(renamed[n] if renamed else name_, e) for n, (name_, e) in enumerate(query.columns)]
        said_as = c.unique("cte")
        parts.append(f"{said_as} AS ({query.sql})")
        ctes[name] = Query(said_as, columns)
    return "WITH " + ", ".join(parts) + " ", ctes


def grouping(c: Compiler, node: exp.Select, scope: Scope) -> str:
    group = node.args.get("group")
    if not group:
        return ""
    c.has_groups = True
    if odd := next((k for k, v in group.args.items() if k != "expressions" and v), None):
        raise unsupported(f"GROUP BY {odd}")
    parts = []
    for item in group.expressions:
        if isinstance(item, exp.Rollup | exp.Cube | exp.GroupingSets | exp.Tuple):
            if not isinstance(item, exp.Rollup | exp.Cube):
                raise unsupported(said(item))
            inner = ", ".join(c.operand(e, scope).sql for e in item.expressions)
            parts.append(f"{type(item).__name__.upper()}({inner})")
        else:
            parts.append(c.operand(item, scope).sql)
    return " GROUP BY " + ", ".join(parts)


def ordered(item: exp.Ordered, sql: str) -> str:
    direction = "DESC" if item.args.get("desc") else "ASC"
    return f"{sql} {direction} NULLS {'FIRST' if item.args.get('nulls_first') else 'LAST'}"


def order_key(c: Compiler, node: exp.Expression, scope: Scope | None, columns: list[tuple[str, Expr]]) -> str:
    """One key of ORDER BY: a place in the select list, an alias of it, or an expression (aliases inside it too)."""
    if isinstance(node, exp.Literal) and not node.is_string:
        if not 1 <= int(node.this) <= len(columns):
            raise OracleError(1785, "ORDER BY item must be the number of a SELECT-list expression")
        key = columns[int(node.this) - 1][1]
    else:
        key = by_alias(node, columns) or (c.operand(with_aliases(node, columns), scope) if scope else None)
    if key is None:
        raise invalid_identifier(name_of(node.this)) if isinstance(node, exp.Column) else unsupported(f"ORDER BY {said(node)}")
    if key.kind is Kind.LONG:
        raise illegal_long()
    if scope:
        return key.sql
    return str(1 + next(n for n, (_, e) in enumerate(columns) if e is key))


def by_alias(node: exp.Expression, columns: list[tuple[str, Expr]]) -> Expr | None:
    if isinstance(node, exp.Column) and not node.args.get("table"):
        found = [e for name, e in columns if name == name_of(node.this)]
        return found[0] if found else None
    return None


class Compiled(exp.Expression):
    """A column of the select list, already compiled, inside a key of ORDER BY."""

    arg_types = {"expr": True}


def with_aliases(node: exp.Expression, columns: list[tuple[str, Expr]]) -> exp.Expression:
    def swap(part: exp.Expression) -> exp.Expression:
        found = by_alias(part, columns)
        return Compiled(expr=found) if found is not None else part

    return node.copy().transform(swap) if node.find(exp.Column) else node


def order_clause(c: Compiler, node: exp.Expression, scope: Scope | None, columns: list[tuple[str, Expr]]) -> str:
    order = node.args.get("order")
    if not order:
        return ""
    if order.args.get("siblings"):
        raise unsupported("ORDER SIBLINGS BY")
    return " ORDER BY " + ", ".join(ordered(i, order_key(c, i.this, scope, columns)) for i in order.expressions)


def check_distinct_order(c: Compiler, node: exp.Select, scope: Scope, columns: list[tuple[str, Expr]]) -> None:
    """What DISTINCT has folded can only be ordered by what it shows."""
    known = {expr.sql for _, expr in columns}
    if any(order_key(c, i.this, scope, columns) not in known for i in node.args["order"].expressions):
        raise OracleError(1791, "not a SELECTed expression")


def shown(columns: list[tuple[str, Expr]]) -> str:
    return ", ".join(f'{expr.sql} AS "c{n}"' for n, (_, expr) in enumerate(columns, 1))


def outward(columns: list[tuple[str, Expr]], alias: str = "") -> list[tuple[str, Expr]]:
    """The columns as the enclosing block says them."""
    prefix = f'"{alias}".' if alias else ""
    return [(name, replace(e, sql=f'{prefix}"c{n}"')) for n, (name, e) in enumerate(columns, 1)]


@register(QUERIES, exp.Select)
def select(c: Compiler, node: exp.Select, parent: Scope | None, ctes: dict[str, Query]) -> Query:
    """One query block."""
    if odd := next((k for k in REFUSED if node.args.get(k)), None):
        raise unsupported(f"{odd.upper()} in a query")
    prefix, ctes = with_clause(c, node, parent, ctes)
    scope = Scope(parent, ctes=ctes)
    block = from_clause(c, node, scope, ctes)
    conditions = conditions_of(node)
    block += filtered(c, [x for x in conditions if not uses_rownum(x)], scope)
    if any(uses_rownum(x) for x in (*conditions, *block_parts(node))):
        scope.picked, scope.wrap = {}, c.unique("w")
        scope.rownum = f'{scope.wrap}."rn"'
    columns = [item for e in node.expressions for item in expanded(c, e, scope)]
    if node.args.get("distinct") and any(e.kind in (Kind.LONG, Kind.CLOB) for _, e in columns):
        raise (
            illegal_long()
            if any(e.kind is Kind.LONG for _, e in columns)
            else OracleError(932, "inconsistent datatypes: expected - got CLOB")
        )
    groups = grouping(c, node, scope)
    having = f" HAVING {c.condition(node.args['having'].this, scope)}" if node.args.get("having") else ""
    order = order_clause(c, node, scope, columns)
    if node.args.get("distinct") and order:
        check_distinct_order(c, node, scope, columns)
    if scope.picked is not None:
        block = wrapped(scope, block, limit_of(c, [x for x in conditions if uses_rownum(x)], scope))
    distinct = "DISTINCT " if node.args.get("distinct") else ""
    sql = f"{prefix}SELECT {distinct}{shown(columns)} FROM {block}{groups}{having}"
    return Query(limited(c, node, sql, order, scope), outward(columns))


def conditions_of(node: exp.Select) -> list[exp.Expression]:
    where = node.args.get("where")
    return list(where.this.flatten() if isinstance(where.this, exp.And) else [where.this]) if where else []


def block_parts(node: exp.Select) -> list[exp.Expression]:
    return [*node.expressions, *(node.args[k] for k in ("group", "having", "order") if node.args.get(k))]


def filtered(c: Compiler, conditions: list[exp.Expression], scope: Scope) -> str:
    kept = [x for x in conditions if not any(col.args.get("join_mark") for col in x.find_all(exp.Column))]
    return " WHERE " + " AND ".join(f"({c.condition(x, scope)})" for x in kept) if kept else ""


def wrapped(scope: Scope, block: str, limit: str) -> str:
    """The joined and filtered rows, numbered as they pass: ROWNUM comes before grouping and ordering."""
    taken = "".join(f'{expr.sql} AS "{said_as}", ' for expr, said_as in scope.picked.values())
    return f'(SELECT {taken}row_number() OVER () AS "rn" FROM {block}{limit}) AS {scope.wrap}'


def count_of(c: Compiler, node: exp.Expression, scope: Scope) -> int:
    expr = c.value(node, scope)
    if c.is_described and not isinstance(expr.constant, int):
        return 0
    if not isinstance(expr.constant, int):
        raise unsupported("a row limit that is no whole number")
    return max(expr.constant, 0)


def limited(c: Compiler, node: exp.Expression, sql: str, order: str, scope: Scope | None) -> str:
    """OFFSET and FETCH FIRST; WITH TIES by the rank of the ordering, PERCENT refused."""
    fetch, offset = node.args.get("limit"), node.args.get("offset")
    skipped = count_of(c, offset.expression, scope or Scope()) if offset else 0
    if fetch is None:
        return sql + order + (f" OFFSET {skipped}" if offset else "")
    options: Any = fetch.args.get("limit_options")
    if options and options.args.get("percent"):
        raise unsupported("FETCH FIRST n PERCENT")
    count = count_of(c, fetch.args["count"], scope or Scope()) if fetch.args.get("count") else 1
    if not (options and options.args.get("with_ties") and order):
        return f"{sql}{order} LIMIT {count} OFFSET {skipped}"
    if skipped:
        raise unsupported("OFFSET with FETCH WITH TIES")
    if node.args.get("group") or node.args.get("distinct") or not isinstance(node, exp.Select):
        raise unsupported("FETCH WITH TIES of a grouped query")
    return f"{sql} QUALIFY rank() OVER ({order.strip()}) <= {count}{order}"


SET_WORDS = {exp.Union: "UNION", exp.Except: "EXCEPT", exp.Intersect: "INTERSECT"}


@register(QUERIES, exp.Union, exp.Except, exp.Intersect)
def set_operation(c: Compiler, node: exp.SetOperation, parent: Scope | None, ctes: dict[str, Query]) -> Query:
    """UNION [ALL], MINUS, INTERSECT: columns must agree in number (ORA-01789) and type (ORA-01790)."""
    prefix, ctes = with_clause(c, node, parent, ctes)
    left, right = c.query(node.this, parent, ctes), c.query(node.expression, parent, ctes)
    if len(left.columns) != len(right.columns):
        raise OracleError(1789, "query block has incorrect number of result columns")
    pairs = [unified(c, a, b) for (_, a), (_, b) in zip(left.columns, right.columns, strict=True)]
    sides = [f"SELECT {shown([('', p[n]) for p in pairs])} FROM ({q.sql})" for n, q in enumerate((left, right))]
    word = SET_WORDS[type(node)] + ("" if node.args.get("distinct") else " ALL")
    columns = outward([(name, pair[0]) for (name, _), pair in zip(left.columns, pairs, strict=True)])
    sql = f"{prefix}({sides[0]}) {word} ({sides[1]})"
    return Query(limited(c, node, sql, order_clause(c, node, None, columns), None), columns)


def unified(c: Compiler, left: Expr, right: Expr) -> tuple[Expr, Expr]:
    if Kind.LONG in (left.kind, right.kind):
        raise illegal_long()
    try:
        kind = common_kind([left, right], is_strict=True)
    except OracleError:
        raise OracleError(1790, "expression must have same datatype as corresponding expression") from None
    size = max(left.size, right.size)
    return tuple(replace(as_kind(c, e, kind), size=size, oracle_type=left.oracle_type) for e in (left, right))


@register(QUERIES, exp.Subquery)
def parenthesised(c: Compiler, node: exp.Subquery, parent: Scope | None, ctes: dict[str, Query]) -> Query:
    inner = c.query(node.this, parent, ctes)
    order = order_clause(c, node, None, inner.columns)
    if not order and not node.args.get("limit") and not node.args.get("offset"):
        return inner
    sql = f"SELECT * FROM ({inner.sql})"
    return Query(limited(c, node, sql, order, None), inner.columns)

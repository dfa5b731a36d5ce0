"""Predicates (SQL Language Reference 19c, "Conditions"). Three-valued logic is the engine's own."""

from __future__ import annotations

from sqlglot import exp

from sandbox.oracle.backend import OracleError, OraType
from sandbox.oracle.model.tables import ALPHABET
from sandbox.oracle.sql.compiler import CONDITION_FUNCTIONS, CONDITIONS, Compiler, Query, Scope, register, said
from sandbox.oracle.sql.conversion import alike, to_text
from sandbox.oracle.sql.errors import unsupported
from sandbox.oracle.sql.kinds import Expr

COMPARISONS = {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}


def compared(c: Compiler, left: Expr, right: Expr, sign: str) -> str:
    are_rowids = OraType.ROWID in (left.oracle_type, right.oracle_type)
    left, right = alike(c, left, right)
    if are_rowids:  # their digits are A-Z, a-z, 0-9, + and / in this order, which is not that of the letters
        return f"({in_order(left)} {sign} {in_order(right)})"
    return f"({left.sql} {sign} {right.sql})"


def in_order(rowid: Expr) -> str:
    return f"translate({rowid.sql}, '{ALPHABET}', '{''.join(sorted(ALPHABET))}')"


@register(CONDITIONS, *COMPARISONS)
def comparison(c: Compiler, node: exp.Binary, scope: Scope) -> str:
    sign = COMPARISONS[type(node)]
    if isinstance(node.this, exp.Tuple):
        return tuple_comparison(c, node, scope, sign)
    if isinstance(node.expression, exp.Any | exp.All) or (
        isinstance(node.expression, exp.Anonymous) and node.expression.name.upper() in ("ALL", "SOME")
    ):
        return quantified(c, node, scope, sign)
    return compared(c, c.operand(node.this, scope), c.operand(node.expression, scope), sign)


def tuple_comparison(c: Compiler, node: exp.Binary, scope: Scope, sign: str) -> str:
    if sign not in ("=", "<>") or not isinstance(node.expression, exp.Tuple):
        raise unsupported(said(node))
    pairs = zip(node.this.expressions, node.expression.expressions, strict=True)
    same = " AND ".join(compared(c, c.operand(a, scope), c.operand(b, scope), "=") for a, b in pairs)
    return f"({same})" if sign == "=" else f"(NOT ({same}))"


def quantified(c: Compiler, node: exp.Binary, scope: Scope, sign: str) -> str:
    """ANY and ALL over a list; over a subquery they are refused."""
    inside, left = node.expression, c.operand(node.this, scope)
    is_all = isinstance(inside, exp.All) or inside.name.upper() == "ALL"
    items = inside.expressions or (inside.this.expressions if isinstance(inside.this, exp.Tuple) else [inside.this])
    items = [i.this if isinstance(i, exp.Paren) else i for i in items]
    if any(isinstance(i, exp.Query) for i in items):
        raise unsupported("ANY or ALL of a subquery")
    return "(" + (" AND " if is_all else " OR ").join(compared(c, left, c.operand(i, scope), sign) for i in items) + ")"


@register(CONDITIONS, exp.And, exp.Or)
def logic(c: Compiler, node: exp.Connector, scope: Scope) -> str:
    word = " AND " if isinstance(node, exp.And) else " OR "
    return "(" + word.join(c.condition(part, scope) for part in node.flatten()) + ")"


@register(CONDITIONS, exp.Not)
def negation(c: Compiler, node: exp.Not, scope: Scope) -> str:
    return f"(NOT {c.condition(node.this, scope)})"


@register(CONDITIONS, exp.Paren)
def parenthesis(c: Compiler, node: exp.Paren, scope: Scope) -> str:
    return f"({c.condition(node.this, scope)})"


@register(CONDITIONS, exp.Is)
def is_null(c: Compiler, node: exp.Is, scope: Scope) -> str:
    if not isinstance(node.expression, exp.Null):
        raise unsupported(said(node))
    return f"({c.value(node.this, scope).sql} IS NULL)"


@register(CONDITIONS, exp.Between)
def between(c: Compiler, node: exp.Between, scope: Scope) -> str:
    value, low, high = (c.operand(node.args[k], scope) for k in ("this", "low", "high"))
    return f"({compared(c, value, low, '>=')} AND {compared(c, value, high, '<=')})"


@register(CONDITIONS, exp.Like)
def like(c: Compiler, node: exp.Like, scope: Scope) -> str:
    return pattern_match(c, node, scope, "")


@register(CONDITIONS, exp.Escape)
def escaped(c: Compiler, node: exp.Escape, scope: Scope) -> str:
    if not isinstance(node.this, exp.Like):
        raise unsupported(said(node))
    mark = c.operand(node.expression, scope)
    if not isinstance(mark.constant, str) or len(mark.constant) != 1:
        raise OracleError(1425, "escape character must be character string of length 1")
    return pattern_match(c, node.this, scope, f" ESCAPE {mark.sql}")


def pattern_match(c: Compiler, node: exp.Like, scope: Scope, escape: str) -> str:
    left, right = to_text(c, c.operand(node.this, scope)), to_text(c, c.operand(node.expression, scope))
    return f"({left.sql} {'NOT ' if node.args.get('negate') else ''}LIKE {right.sql}{escape})"


@register(CONDITIONS, exp.Exists)
def exists(c: Compiler, node: exp.Exists, scope: Scope) -> str:
    return f"EXISTS ({c.query(node.this, scope, scope.ctes).sql})"


@register(CONDITIONS, exp.In)
def membership(c: Compiler, node: exp.In, scope: Scope) -> str:
    lefts = [c.operand(n, scope) for n in (node.this.expressions if isinstance(node.this, exp.Tuple) else [node.this])]
    if node.args.get("query"):
        inner = node.args["query"]
        query = c.query(inner.this if isinstance(inner, exp.Subquery) else inner, scope, scope.ctes)
        return in_query(c, lefts, query)
    if len(node.expressions) > 1000:
        raise OracleError(1795, "maximum number of expressions in a list is 1000")
    tests = []
    for item in node.expressions:
        rights = item.expressions if isinstance(item, exp.Tuple) else [item]
        if len(rights) != len(lefts):
            raise OracleError(947, "not enough values") if len(rights) < len(lefts) else OracleError(913, "too many values")
        tests.append(" AND ".join(compared(c, a, c.operand(b, scope), "=") for a, b in zip(lefts, rights, strict=True)))
    return "(" + " OR ".join(f"({t})" for t in tests) + ")"


def in_query(c: Compiler, lefts: list[Expr], query: Query) -> str:
    """IN (SELECT ...), each column drawn to the type that the comparison needs."""
    if len(query.columns) != len(lefts):
        raise OracleError(947, "not enough values") if len(query.columns) < len(lefts) else OracleError(913, "too many values")
    pairs = [alike(c, left, right) for left, (_, right) in zip(lefts, query.columns, strict=True)]
    if len(pairs) == 1:
        return f"({pairs[0][0].sql} IN (SELECT {pairs[0][1].sql} FROM ({query.sql})))"
    return row_in(" AND ".join(f"{left.sql} = {right.sql}" for left, right in pairs), query)


def row_in(same: str, query: Query) -> str:
    """Several columns IN a subquery. The engine's own rows take NULL for a value, so unknown is spelled out."""
    matched, unknown = (f"EXISTS (SELECT 1 FROM ({query.sql}) WHERE ({same}){test})" for test in ("", " IS NULL"))
    return f"(CASE WHEN {matched} THEN TRUE WHEN {unknown} THEN NULL ELSE FALSE END)"


@register(CONDITIONS, exp.Anonymous)
def condition_function(c: Compiler, node: exp.Anonymous, scope: Scope) -> str:
    name = node.name.upper()
    if name not in CONDITION_FUNCTIONS:
        raise OracleError(920, "invalid relational operator")
    return CONDITION_FUNCTIONS[name](c, node.expressions, scope)


@register(CONDITION_FUNCTIONS, "REGEXP_LIKE")
def regexp_like(c: Compiler, nodes: list[exp.Expression], scope: Scope) -> str:
    value, pattern, *more = [to_text(c, c.argument(n, scope)) for n in nodes]
    flags = more[0].constant if more else ""
    if more and (not isinstance(flags, str) or set(flags) - set("icnm")):
        raise unsupported("REGEXP_LIKE with this match parameter")
    engine = "".join({"i": "i", "c": "c", "n": "s", "m": "m"}[f] for f in flags)
    return f"regexp_matches({value.sql}, {pattern.sql}{f', {chr(39)}{engine}{chr(39)}' if engine else ''})"

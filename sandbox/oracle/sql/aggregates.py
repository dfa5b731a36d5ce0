"""Aggregate and analytic functions (SQL Language Reference 19c, "Aggregate Functions", "Analytic Functions")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from sandbox.oracle.backend import OracleError
from sandbox.oracle.sql.compiler import AGGREGATES, VALUES, Compiler, Scope, register, said
from sandbox.oracle.sql.conversion import as_kind, decimal, integer, to_number, to_text
from sandbox.oracle.sql.errors import not_enough_arguments, unsupported
from sandbox.oracle.sql.kinds import NUMBERS, TIMES, Expr, Kind, number
from sandbox.oracle.sql.query import ordered


@dataclass
class Call:
    """An aggregate's compiled arguments. `over`: its window as engine SQL, '' for none; `order`: WITHIN GROUP (ORDER BY ...)."""

    args: list[Expr]
    distinct: str = ""
    over: str = ""
    order: str = ""
    nulls: str = ""
    keys: tuple[Expr, ...] = ()


Build = Callable[[Compiler, Call], Expr]
BUILDERS: dict[str, Build] = {}


def compiled_call(c: Compiler, node: exp.Anonymous, scope: Scope, **more: object) -> Expr:
    """An aggregate with its arguments; `more` as in Call."""
    nodes, distinct = node.expressions, ""
    if len(nodes) == 1 and isinstance(nodes[0], exp.Distinct):
        nodes, distinct = nodes[0].expressions, "DISTINCT "
    if nodes and isinstance(nodes[0], exp.IgnoreNulls | exp.RespectNulls):
        more["nulls"] = " IGNORE NULLS" if isinstance(nodes[0], exp.IgnoreNulls) else ""
        nodes = [nodes[0].this, *nodes[1:]]
    args = [Expr("*", Kind.INT) if isinstance(n, exp.Star) else c.argument(n, scope) for n in nodes]
    return BUILDERS[node.name.upper()](c, Call(args, distinct, **more))


def aggregate(*names: str) -> Callable[[Build], Build]:
    def add(build: Build) -> Build:
        for name in names:
            BUILDERS[name] = build
            AGGREGATES[name] = compiled_call
        return build

    return add


def only(call: Call) -> Expr:
    if len(call.args) != 1:
        raise not_enough_arguments()
    return call.args[0]


@aggregate("COUNT")
def count(c: Compiler, call: Call) -> Expr:
    return number(f"CAST(count({call.distinct}{only(call).sql}){call.over} AS HUGEINT)")


@aggregate("SUM")
def total(c: Compiler, call: Call) -> Expr:
    value = to_number(only(call))
    cast = "HUGEINT" if value.kind is Kind.INT else value.kind.duck
    return Expr(f"CAST(sum({call.distinct}{value.sql}){call.over} AS {cast})", value.kind)


@aggregate("AVG")
def average(c: Compiler, call: Call) -> Expr:
    value = decimal(only(call)).sql
    parts = [f"{word}({call.distinct}{value}){call.over}" for word in ("sum", "count")]
    return Expr(f"ora_divide(CAST({parts[0]} AS DECIMAL(38,18)), CAST(nullif({parts[1]}, 0) AS DECIMAL(38,18)))", Kind.DEC)


def extreme(word: str, name: str) -> None:
    def build(c: Compiler, call: Call) -> Expr:
        value = only(call)
        if value.kind in (Kind.CLOB, Kind.BLOB):
            raise OracleError(932, "inconsistent datatypes: expected - got CLOB")
        return Expr(f"{word}({value.sql}){call.over}", value.kind, value.size, oracle_type=value.oracle_type)

    aggregate(name)(build)


extreme("max", "MAX")
extreme("min", "MIN")


@aggregate("MEDIAN")
def median(c: Compiler, call: Call) -> Expr:
    return between_ranks(c, call, only(call), "CAST(0.5 AS DECIMAL(38,18))")


@aggregate("PERCENTILE_CONT")
def percentile(c: Compiler, call: Call) -> Expr:
    if len(call.keys) != 1:
        raise OracleError(30491, "missing ORDER BY clause")
    descending = " DESC " in call.order
    share = decimal(only(call)).sql
    return between_ranks(c, call, call.keys[0], f"(1 - {share})" if descending else share)


def between_ranks(c: Compiler, call: Call, value: Expr, share: str) -> Expr:
    """The value at a share of the ordered rows, read off the line between its two neighbours."""
    if value.kind in TIMES or call.over:
        raise unsupported("a percentile of dates or over a window")
    return Expr(f"ora_percentile(list({decimal(value).sql}), CAST({share} AS DECIMAL(38,18)))", Kind.DEC)


def spread(word: str, *names: str) -> None:
    def build(c: Compiler, call: Call) -> Expr:
        if call.over:
            raise unsupported(f"{names[0]} over a window")
        return Expr(f"ora_spread(list({call.distinct}{decimal(only(call)).sql}), '{word}')", Kind.DEC)

    aggregate(*names)(build)


spread("stddev", "STDDEV")
spread("stddev_samp", "STDDEV_SAMP")
spread("stddev_pop", "STDDEV_POP")
spread("variance", "VARIANCE")


@aggregate("LISTAGG")
def listagg(c: Compiler, call: Call) -> Expr:
    """Texts joined in order; NULL ones are left out; the window, if any, is a partition only."""
    value = to_text(c, call.args[0])
    mark = to_text(c, call.args[1]).sql if len(call.args) > 1 else "''"
    return Expr(
        f"nullif(string_agg({call.distinct}{value.sql}, coalesce({mark}, '') {call.order}){call.over}, '')", Kind.STR, 4000
    )


def ranking(word: str) -> None:
    def build(c: Compiler, call: Call) -> Expr:
        if not call.over or call.args:
            raise unsupported(f"{word} without a window")
        return number(f"CAST({word.lower()}(){call.over} AS HUGEINT)")

    aggregate(word)(build)


for ranked in ("ROW_NUMBER", "RANK", "DENSE_RANK"):
    ranking(ranked)


@aggregate("NTILE")
def ntile(c: Compiler, call: Call) -> Expr:
    return number(f"CAST(ntile(CAST({integer(only(call)).sql} AS BIGINT)){call.over} AS HUGEINT)")


def neighbour(word: str) -> None:
    def build(c: Compiler, call: Call) -> Expr:
        if not call.over:
            raise OracleError(30484, "missing window specification for this function")
        value, *rest = call.args
        more = f", CAST({integer(rest[0]).sql} AS BIGINT)" if rest else ""
        if len(rest) > 1:
            more += f", {as_kind(c, rest[1], value.kind).sql}"
        return Expr(f"{word}({value.sql}{more}{call.nulls}){call.over}", value.kind, value.size)

    aggregate(word.upper())(build)


neighbour("lag")
neighbour("lead")


def framed(word: str) -> None:
    def build(c: Compiler, call: Call) -> Expr:
        if not call.over:
            raise OracleError(30484, "missing window specification for this function")
        value = only(call)
        return Expr(f"{word}({value.sql}{call.nulls}){call.over}", value.kind, value.size)

    aggregate(word.upper())(build)


framed("first_value")
framed("last_value")


@aggregate("RATIO_TO_REPORT")
def ratio_to_report(c: Compiler, call: Call) -> Expr:
    value = decimal(only(call)).sql
    return Expr(f"ora_divide({value}, CAST(nullif(sum({value}){call.over}, 0) AS DECIMAL(38,18)))", Kind.DEC)


def order_text(c: Compiler, order: exp.Order, scope: Scope) -> tuple[str, tuple[Expr, ...]]:
    keys = tuple(c.operand(i.this, scope) for i in order.expressions)
    return "ORDER BY " + ", ".join(ordered(i, k.sql) for i, k in zip(order.expressions, keys, strict=True)), keys


@register(VALUES, exp.WithinGroup)
def within_group(c: Compiler, node: exp.WithinGroup, scope: Scope, over: str = "") -> Expr:
    order, keys = order_text(c, node.expression, scope)
    return compiled_call(c, known(node.this), scope, order=order, keys=keys, over=over)


def known(node: exp.Expression) -> exp.Anonymous:
    if not isinstance(node, exp.Anonymous) or node.name.upper() not in BUILDERS:
        raise unsupported(said(node))
    return node


FRAME_WORDS = {"UNBOUNDED": "UNBOUNDED", "CURRENT ROW": "CURRENT ROW"}


def bound_of(c: Compiler, edge: object, side: str | None, scope: Scope) -> str:
    if isinstance(edge, str):
        return f"{FRAME_WORDS[edge.upper()]} {(side or '').upper()}".strip()
    value = c.operand(edge, scope)
    if value.kind is not Kind.INT or not value.is_constant:
        raise unsupported("a window frame by other than whole numbers")
    return f"{value.constant} {side.upper()}"


def frame(c: Compiler, spec: exp.WindowSpec | None, scope: Scope) -> str:
    if spec is None:
        return ""
    kind = spec.args["kind"].upper()
    edges = [bound_of(c, spec.args.get(k), spec.args.get(f"{k}_side"), scope) for k in ("start", "end") if spec.args.get(k)]
    if kind == "RANGE" and any(e[0].isdigit() for e in edges):
        raise unsupported("a RANGE window by value")
    return f" {kind} BETWEEN {edges[0]} AND {edges[1] if len(edges) > 1 else 'CURRENT ROW'}"


@register(VALUES, exp.Window)
def window(c: Compiler, node: exp.Window, scope: Scope) -> Expr:
    """An analytic function, or KEEP (DENSE_RANK FIRST | LAST ORDER BY ...)."""
    if str(node.args.get("over")).upper() == "KEEP":
        return keep(c, node, scope)
    if isinstance(node.this, exp.Window):
        raise unsupported("KEEP over a window")
    parts = ", ".join(c.operand(p, scope).sql for p in node.args.get("partition_by") or [])
    order = order_text(c, node.args["order"], scope)[0] if node.args.get("order") else ""
    inside = " ".join(filter(None, (f"PARTITION BY {parts}" if parts else "", order)))
    over = f" OVER ({inside}{frame(c, node.args.get('spec'), scope)})"
    inner, nulls = node.this, ""
    if isinstance(inner, exp.WithinGroup):
        return within_group(c, inner, scope, over)
    if isinstance(inner, exp.IgnoreNulls | exp.RespectNulls):
        inner, nulls = inner.this, " IGNORE NULLS" if isinstance(inner, exp.IgnoreNulls) else ""
    return compiled_call(c, known(inner), scope, over=over, nulls=nulls)


def keep(c: Compiler, node: exp.Window, scope: Scope) -> Expr:
    """MAX, MIN, SUM, COUNT of the rows that come first or last in an order, ties included."""
    call = known(node.this)
    order = node.args["order"].expressions
    if call.name.upper() not in ("MAX", "MIN") or len(order) != 1 or len(call.expressions) != 1:
        raise unsupported(said(node))
    key, value = c.operand(order[0].this, scope), c.argument(call.expressions[0], scope)
    if key.kind not in NUMBERS | TIMES:
        raise unsupported("KEEP by an order of text")
    is_last = not node.args.get("first")
    return Expr(f"{kept(order[0], key, value, call.name.lower(), is_last)}", value.kind, value.size)


def kept(item: exp.Ordered, key: Expr, value: Expr, word: str, is_last: bool) -> str:
    """The best key wins, then the value: one ordering of pairs. NULL keys come last in ascending order."""
    takes_greatest = is_last != bool(item.args.get("desc"))
    nulls = "FIRST" if item.args.get("nulls_first") != is_last else "LAST"
    side = "DESC" if word == "max" else "ASC"
    order = f"{key.sql} {'DESC' if takes_greatest else 'ASC'} NULLS {nulls}, {value.sql} {side} NULLS LAST"
    return f"first({value.sql} ORDER BY {order})"

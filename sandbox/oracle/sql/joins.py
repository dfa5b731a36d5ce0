"""FROM: views, tables, inline views and how they join, Oracle's (+) among them (SQL Language Reference 19c, "Joins")."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from sqlglot import exp

from sandbox.oracle.backend import OracleError
from sandbox.oracle.model.tables import TableColumn
from sandbox.oracle.sql.compiler import Compiler, Query, Scope, Source, name_of, said
from sandbox.oracle.sql.errors import invalid_identifier, unsupported
from sandbox.oracle.sql.kinds import ORACLE_TYPE, Expr, Kind, identifier, number
from sandbox.oracle.sql.relations import Relation

TABLE_PARTS = {"this", "db", "alias", "joins", "version"}


def column_expr(alias: str, relation: Relation, column: TableColumn) -> Expr:
    """A stored column as an expression; whole numbers are widened so that arithmetic has Oracle's 38 digits."""
    kind = relation.kind(column.name)
    sql = f"{identifier(alias)}.{relation.said(column.name)}"
    if kind is Kind.INT:
        sql = f"CAST({sql} AS HUGEINT)"
    oracle = column.type if column.type is not ORACLE_TYPE[kind] else None
    return Expr(sql, kind, column.size, column.precision, column.scale, oracle_type=oracle, nullable=column.nullable)


def relation_source(alias: str, said_as: str, relation: Relation) -> Source:
    names = [n for n in relation.columns if n != "ROWID"]

    def lookup(name: str) -> Expr | None:
        column = relation.columns.get(name)
        return column and column_expr(said_as, relation, column)

    return Source(alias, names, lookup)


def query_source(alias: str, said_as: str, query: Query) -> Source:
    by_name: dict[str, list[Expr]] = {}
    for n, (name, expr) in enumerate(query.columns, 1):
        plain = replace(expr, sql=f'{identifier(said_as)}."c{n}"')
        by_name.setdefault(name, []).append(plain)

    def lookup(name: str) -> Expr | None:
        found = by_name.get(name, [])
        if len(found) > 1:
            raise OracleError(918, "column ambiguously defined")
        return found[0] if found else None

    return Source(alias, [name for name, _ in query.columns], lookup)


def registered(c: Compiler, owner: str, name: str, scn: int | None, node: exp.Table) -> tuple[str, Relation]:
    """The relation of a name, read once per statement however often it is named."""
    key = (owner, name, scn)
    if key not in c.known:
        try:
            relation = c.relation_of(*key)
        except OracleError as e:
            raise OracleError(e.code, str(e).partition(": ")[2], c.position(node.this)) from None
        c.known[key] = c.unique("r")
        c.relations[c.known[key]] = relation
    return c.known[key], c.relations[c.known[key]]


def scn_of(c: Compiler, node: exp.Table, scope: Scope) -> int | None:
    """The number behind AS OF SCN; None for the rows of now."""
    version = node.args.get("version")
    if version is None or c.is_described:
        return None
    if version.name != "SCN" or version.args.get("kind") != "AS OF":
        raise unsupported("a flashback by anything but AS OF SCN")
    told = c.value(version.expression, scope).constant
    if not isinstance(told, int | Decimal):
        raise OracleError(8181, "specified number is not a valid system change number")
    return int(told)


def table_item(c: Compiler, node: exp.Table, scope: Scope, ctes: dict[str, Query]) -> tuple[str, Source]:
    if isinstance(node.this, exp.Anonymous):
        raise unsupported(f"a table function ({said(node.this)})")
    if odd := next((k for k, v in node.args.items() if v and k not in TABLE_PARTS), None):
        raise unsupported(f"{odd.upper()} of a table in FROM")
    name, owner = name_of(node.this), name_of(node.args.get("db"))
    alias = name_of(node.args["alias"].this) if node.args.get("alias") else name
    said_as = c.unique("t")
    if not owner and name in ctes:
        query = ctes[name]
        return f"{query.sql} AS {said_as}", query_source(alias, said_as, query)
    relation_name, relation = registered(c, owner, name, scn_of(c, node, scope), node)
    return f"{identifier(relation_name)} AS {said_as}", relation_source(alias, said_as, relation)


def item(c: Compiler, node: exp.Expression, scope: Scope, ctes: dict[str, Query]) -> tuple[str, Source]:
    if isinstance(node, exp.Table):
        return table_item(c, node, scope, ctes)
    if isinstance(node, exp.Subquery):
        query = c.query(node.this, scope.parent, ctes)
        alias = name_of(node.args["alias"].this) if node.args.get("alias") else ""
        said_as = c.unique("q")
        return f"({query.sql}) AS {said_as}", query_source(alias, said_as, query)
    raise unsupported(said(node))


def marked(node: exp.Expression) -> list[exp.Column]:
    return [column for column in node.find_all(exp.Column) if column.args.get("join_mark")]


def is_comma(join: exp.Join) -> bool:
    return not any(join.args.get(k) for k in ("side", "kind", "method", "on", "using"))


def join_words(c: Compiler, join: exp.Join) -> str:
    if join.args.get("method") or join.args.get("using"):
        raise unsupported("NATURAL JOIN and USING")
    words = f"{join.args.get('side') or ''} {join.args.get('kind') or ''}".split()
    if set(words) - {"LEFT", "RIGHT", "FULL", "OUTER", "INNER", "CROSS"}:
        raise unsupported(f"{' '.join(words)} JOIN")
    if "CROSS" not in words and not join.args.get("on"):
        raise OracleError(905, "missing keyword")
    return " ".join([*words, "JOIN"])


def from_clause(c: Compiler, node: exp.Select, scope: Scope, ctes: dict[str, Query]) -> str:
    """The FROM of a block, its sources put into `scope`. With CONNECT BY LEVEL it is the row generator of DUAL."""
    first, joins = node.args["from_"].this, [*(node.args.get("joins") or [])]
    joins = [*(first.args.get("joins") or []), *joins]
    if node.args.get("connect"):
        return generator(c, node, scope, ctes)
    where = node.args.get("where")
    outer = [
        x
        for x in (where.this.flatten() if where and isinstance(where.this, exp.And) else [where.this] if where else [])
        if marked(x)
    ]
    if not outer:
        return joined(c, first, joins, scope, ctes)
    if not all(is_comma(j) for j in joins):
        raise OracleError(25156, "old style outer join (+) cannot be used with ANSI joins")
    items = [item(c, n, scope, ctes) for n in (first, *(j.this for j in joins))]
    scope.sources.extend(source for _, source in items)
    return outer_joined(c, items, outer, scope)


def joined(c: Compiler, first: exp.Expression, joins: list[exp.Join], scope: Scope, ctes: dict[str, Query]) -> str:
    text, source = item(c, first, scope, ctes)
    scope.sources.append(source)
    for join in joins:
        words = ", " if is_comma(join) else f" {join_words(c, join)} "
        more, source = item(c, join.this, scope, ctes)
        scope.sources.append(source)
        on = f" ON {c.condition(join.args['on'], scope)}" if join.args.get("on") else ""
        text += f"{words}{more}{on}"
    return text


def owner_of(scope: Scope, column: exp.Column) -> str:
    """The alias of the source that a column belongs to."""
    table = name_of(column.args.get("table"))
    found = scope.matches(table, name_of(column.this))
    if len(found) > 1:
        raise OracleError(918, "column ambiguously defined")
    if not found:
        raise invalid_identifier(*filter(None, (table, name_of(column.this))))
    return found[0][0].alias


def outer_conditions(scope: Scope, conditions: list[exp.Expression]) -> dict[str, list[exp.Expression]]:
    """Conditions with (+) by the table that they make optional; ORA-01468 where one names two, ORA-01719 under OR."""
    by_table: dict[str, list[exp.Expression]] = {}
    for condition in conditions:
        if any(marked(x) for x in condition.find_all(exp.Or, exp.In)):
            raise OracleError(1719, "outer join operator (+) not allowed in operand of OR or IN")
        tables = {owner_of(scope, column) for column in marked(condition)}
        if len(tables) > 1:
            raise OracleError(1468, "a predicate may reference only one outer-joined table")
        by_table.setdefault(tables.pop(), []).append(condition)
    return by_table


def outer_joined(c: Compiler, items: list[tuple[str, Source]], conditions: list[exp.Expression], scope: Scope) -> str:
    """Tables without a mark first, then each marked one as LEFT JOIN as soon as those that its conditions name are there."""
    by_table = outer_conditions(scope, conditions)
    plain = [(text, s.alias) for text, s in items if s.alias not in by_table]
    waiting = [(text, s.alias) for text, s in items if s.alias in by_table]
    if not plain:
        raise OracleError(1416, "two tables cannot be outer-joined to each other")
    block, present = " CROSS JOIN ".join(text for text, _ in plain), {alias for _, alias in plain}
    inner = [s for _, s in items]
    while waiting:
        ready = next((w for w in waiting if needed(scope, by_table[w[1]], w[1]) <= present), None)
        if ready is None:
            raise OracleError(1416, "two tables cannot be outer-joined to each other")
        on = " AND ".join(c.condition(x, Scope(scope.parent, inner, ctes=scope.ctes)) for x in by_table[ready[1]])
        block += f" LEFT JOIN {ready[0]} ON {on}"
        present.add(ready[1])
        waiting.remove(ready)
    return block


def needed(scope: Scope, conditions: list[exp.Expression], own: str) -> set[str]:
    columns = [col for x in conditions for col in x.find_all(exp.Column)]
    named = {owner_of(scope, col) for col in columns if scope.matches(name_of(col.args.get("table")), name_of(col.this))}
    return named - {own}


def generator(c: Compiler, node: exp.Select, scope: Scope, ctes: dict[str, Query]) -> str:
    """SELECT ... FROM DUAL CONNECT BY LEVEL <= n: n rows, one at least. Other hierarchies are refused."""
    connect = node.args["connect"]
    test, table = connect.args["connect"], node.args["from_"].this
    is_level = (
        isinstance(test, exp.LTE | exp.LT)
        and isinstance(test.this, exp.Column)
        and name_of(test.this.this) in ("LEVEL", "ROWNUM")
    )
    is_dual = isinstance(table, exp.Table) and name_of(table.this) == "DUAL" and not node.args.get("joins")
    if not (is_level and is_dual) or connect.args.get("start") or node.args.get("where"):
        raise unsupported("CONNECT BY other than FROM DUAL CONNECT BY LEVEL <= n")
    count = c.operand(test.expression, Scope(scope.parent, ctes=ctes))
    if count.kind is not Kind.INT:
        raise unsupported("CONNECT BY LEVEL with a limit that is no whole number")
    last = f"{count.sql} - 1" if isinstance(test, exp.LT) else count.sql
    said_as = c.unique("g")
    _, source = table_item(c, table, scope, ctes)
    scope.sources.append(Source(source.alias, ["DUMMY"], lambda name: Expr("'X'", Kind.STR, 1) if name == "DUMMY" else None))
    scope.level = number(f'CAST({said_as}."n" AS HUGEINT)')
    return f'(SELECT unnest(generate_series(1, greatest(1, CAST({last} AS BIGINT)))) AS "n") AS {said_as}'

"""INSERT, UPDATE, DELETE and SELECT FOR UPDATE on user tables: computed by the query engine, kept in the session's transaction.

A statement that fails leaves nothing behind. One that meets another session's row waits for it and starts again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from sandbox.oracle.backend import Bind, Lob, OracleError, OraType, Result
from sandbox.oracle.model.tables import Row, Table, TableColumn
from sandbox.oracle.sql.compiler import Compiler, Scope, name_of
from sandbox.oracle.sql.conversion import as_kind, to_number
from sandbox.oracle.sql.dialect import parsed
from sandbox.oracle.sql.dictionary import view_named
from sandbox.oracle.sql.errors import invalid_identifier, missing_privilege, no_such_table, unsupported
from sandbox.oracle.sql.kinds import KIND_OF, Expr, Kind, literal
from sandbox.oracle.sql.statement import compiled_query, compiler, placed, rows_of
from sandbox.oracle.sql.statements import VERBS

if TYPE_CHECKING:
    from sandbox.oracle.sessions import SqlBackend

Changes = dict[str, Row | None]

EXACT = Context(prec=60)  # 38 digits and what is cut off behind them


@dataclass
class Work:
    """What one statement will do: `changes` by ROWID, `locks` the rows it must hold, `count` for the client."""

    changes: Changes
    locks: list[str]
    count: int


Plan = Callable[["SqlBackend", Compiler, Table, Any], Work]


def target(backend: SqlBackend, node: exp.Table, verb: str) -> Table:
    """The table that a statement changes; a view of the dictionary cannot be changed (ORA-01031)."""
    if odd := next((k for k, v in node.args.items() if v and k not in ("this", "db", "alias")), None):
        raise unsupported(f"{odd.upper()} of a table in {verb}")
    owner, name = name_of(node.args.get("db")), name_of(node.this)
    found = backend.table(owner, name, verb)
    if found is not None:
        return found
    if view_named(name):
        backend.relation_of(owner, name)
        raise missing_privilege()
    raise no_such_table()


def column_named(table: Table, node: exp.Expression) -> TableColumn:
    name = name_of(node.this if isinstance(node, exp.Column) else node)
    found = next((c for c in table.columns if c.name == name), None)
    if found is None:
        raise invalid_identifier(name)
    return found


def fitting(c: Compiler, expr: Expr, column: TableColumn) -> Expr:
    """The expression in the column's type; numbers keep their own form."""
    kind = KIND_OF[column.type]
    if kind is Kind.INT:
        return to_number(expr)
    return literal(None, kind) if expr.kind is Kind.NULL else as_kind(c, expr, kind)


def stored(table: Table, column: TableColumn, value: Any, verb: str) -> Any:
    """The value as the table keeps it. Raises ORA-01400 or ORA-01407 (NULL), ORA-12899 (too long), ORA-01438 (too large)."""
    full = f'"{table.owner}"."{table.name}"."{column.name}"'
    value = value.data if isinstance(value, Lob) else value
    if value is None or value == "":
        if column.nullable:
            return None
        raise (
            OracleError(1400, f"cannot insert NULL into ({full})")
            if verb == "INSERT"
            else OracleError(1407, f"cannot update ({full}) to NULL")
        )
    if column.type is OraType.NUMBER:
        return stored_number(column, value)
    if column.type in (OraType.VARCHAR2, OraType.CHAR, OraType.RAW):
        size = len(value.encode() if isinstance(value, str) else value)
        if size > column.size:
            raise OracleError(12899, f"value too large for column {full} (actual: {size}, maximum: {column.size})")
        return value.ljust(column.size) if column.type is OraType.CHAR else value
    if column.type is OraType.DATE and isinstance(value, datetime):
        return value.replace(microsecond=0)
    return value


def stored_number(column: TableColumn, value: Any) -> int | Decimal:
    exact = value if isinstance(value, int) else Decimal(value)
    if column.scale == -127:
        return exact
    rounded = Decimal(exact).quantize(Decimal(1).scaleb(-column.scale), ROUND_HALF_UP, EXACT)
    if column.precision and abs(rounded) >= Decimal(10) ** (column.precision - column.scale):
        raise OracleError(1438, "value larger than specified precision allowed for this column")
    return int(rounded) if rounded == rounded.to_integral_value() else rounded


def insert_columns(table: Table, node: exp.Insert) -> tuple[exp.Table, list[TableColumn]]:
    if isinstance(node.this, exp.Schema):
        return node.this.this, [column_named(table, n) for n in node.this.expressions]
    return node.this, list(table.columns)


def insert_work(backend: SqlBackend, c: Compiler, table: Table, node: exp.Insert) -> Work:
    _, columns = insert_columns(table, node)
    source = node.expression
    if isinstance(source, exp.Values):
        rows = [values_row(backend, c, columns, row) for row in source.expressions]
    else:
        rows = query_rows(backend, c, columns, source)
    changes: Changes = {}
    for row in rows:
        given = dict(zip((col.name for col in columns), row, strict=True))
        changes[table.new_rowid()] = tuple(
            stored(table, col, given.get(col.name, col.default), "INSERT") for col in table.columns
        )
    return Work(changes, [], len(changes))


def values_row(backend: SqlBackend, c: Compiler, columns: list[TableColumn], row: exp.Tuple) -> list[Any]:
    """One VALUES list. Plain literals and binds need no engine."""
    nodes = row.expressions if isinstance(row, exp.Tuple) else [row]
    if len(nodes) != len(columns):
        raise OracleError(947, "not enough values") if len(nodes) < len(columns) else OracleError(913, "too many values")
    pairs = [(col, default_or(c, col, n)) for col, n in zip(columns, nodes, strict=True)]
    exprs = [fitting(c, e, col) for col, e in pairs]
    if all(e.is_constant for e in exprs):
        return [e.constant for e in exprs]
    return list(next(rows_of(c, exprs, "(SELECT 1)", backend.start())))


def default_or(c: Compiler, column: TableColumn, node: exp.Expression) -> Expr:
    if isinstance(node, exp.Var) and node.name.upper() == "DEFAULT":
        return literal(column.default, KIND_OF[column.type])
    return c.operand(node, Scope())


def query_rows(backend: SqlBackend, c: Compiler, columns: list[TableColumn], source: exp.Expression) -> list[Sequence[Any]]:
    query = compiled_query(c, source)
    if len(query.columns) != len(columns):
        raise OracleError(947, "not enough values") if len(query.columns) < len(columns) else OracleError(913, "too many values")
    exprs = [fitting(c, e, col) for (_, e), col in zip(query.columns, columns, strict=True)]
    return list(rows_of(c, exprs, f"({query.sql})", backend.start()))


def selecting(node: exp.Expression, source: exp.Table, expressions: list[exp.Expression]) -> exp.Select:
    """SELECT ROWID and the new values of the rows that a statement is about: WHERE means the same there."""
    rowid = exp.Column(this=exp.Identifier(this="ROWID", quoted=False))
    parts: dict[str, Any] = {"expressions": [rowid, *(e.copy() for e in expressions)], "from_": exp.From(this=source.copy())}
    if node.args.get("where"):
        parts["where"] = node.args["where"].copy()
    return exp.Select(**parts)


def update_work(backend: SqlBackend, c: Compiler, table: Table, node: exp.Update) -> Work:
    if any(not isinstance(e, exp.EQ) or not isinstance(e.this, exp.Column) for e in node.expressions):
        raise unsupported("UPDATE of several columns by one subquery")
    columns = [column_named(table, e.this) for e in node.expressions]
    query = compiled_query(c, selecting(node, node.this, [e.expression for e in node.expressions]))
    exprs = [query.columns[0][1], *(fitting(c, e, col) for (_, e), col in zip(query.columns[1:], columns, strict=True))]
    places = [table.position(col.name) for col in columns]
    visible, changes = backend.transaction.visible(table), {}
    for rowid, *values in list(rows_of(c, exprs, f"({query.sql})", backend.start())):
        row = list(visible[rowid])
        for place, col, value in zip(places, columns, values, strict=True):
            row[place] = stored(table, col, value, "UPDATE")
        changes[rowid] = tuple(row)
    return Work(changes, list(changes), len(changes))


def target_of_delete(node: exp.Delete) -> exp.Table:
    """DELETE t and DELETE FROM t stand in different places of the tree."""
    return node.this if isinstance(node.this, exp.Table) else node.args["tables"][0]


def delete_work(backend: SqlBackend, c: Compiler, table: Table, node: exp.Delete) -> Work:
    query = compiled_query(c, selecting(node, target_of_delete(node), []))
    rowids = [row[0] for row in rows_of(c, [query.columns[0][1]], f"({query.sql})", backend.start())]
    return Work(dict.fromkeys(rowids), rowids, len(rowids))


def key_of(table: Table, columns: Sequence[str], row: Row) -> tuple[Any, ...] | None:
    values = tuple(row[table.position(name)] for name in columns)
    return None if all(v is None for v in values) else values


def check_keys(backend: SqlBackend, table: Table, changes: Mapping[str, Row | None]) -> Any:
    """ORA-00001 for a key that is there already; the other transaction, where one holds the same key uncommitted."""
    tx = backend.transaction
    for key in table.keys:
        seen: set[tuple[Any, ...]] = set()
        for row in changes.values():
            value = key_of(table, key.columns, row) if row else None
            if value is None:
                continue
            holder = table.claims.get((key.name, value))
            if holder is not None and holder is not tx:
                return holder
            if value in seen or tx.has_key(table, key, value, changes):
                raise OracleError(1, f"unique constraint ({table.owner}.{key.name}) violated")
            seen.add(value)
    return None


def attempt(backend: SqlBackend, sql: str, binds: Sequence[Bind], plan: Plan, verb: str) -> tuple[int, Any]:
    """One try: the count, or the transaction that is in the way."""
    tree, scanned = parsed(sql)
    if tree.args.get("returning"):
        raise unsupported("RETURNING")
    with backend.database.lock:
        node = target_of_delete(tree) if isinstance(tree, exp.Delete) else tree.this
        table = target(backend, node.this if isinstance(node, exp.Schema) else node, verb)
        if lock := next((found for asked in table.on_write if (found := asked(backend.session, verb))), None):
            return 0, lock
        c = compiler(backend.database, backend.session, scanned, placed(scanned.names, binds), backend.relation_of)
        try:
            work = plan(backend, c, table, tree)
        finally:
            backend.running = None
        holder = backend.transaction.take(table, work.locks) or check_keys(backend, table, work.changes)
        if holder is None:
            backend.transaction.keep(table, work.changes)
        return work.count, holder


def changing(verb: str, plan: Plan) -> Callable[[SqlBackend, str, Sequence[Bind]], Result]:
    def execute(backend: SqlBackend, sql: str, binds: Sequence[Bind]) -> Result:
        while True:
            count, holder = attempt(backend, sql, binds, plan, verb)
            if holder is None:
                return Result(rowcount=count)
            backend.transaction.wait(holder, backend.stop.is_set, None)

    return execute


VERBS["INSERT"] = changing("INSERT", insert_work)
VERBS["UPDATE"] = changing("UPDATE", update_work)
VERBS["DELETE"] = changing("DELETE", delete_work)


def lock_rows(backend: SqlBackend, tree: exp.Select, c: Compiler) -> tuple[Any, float | None]:
    """Locks the rows of a SELECT ... FOR UPDATE on one table. Gives the transaction in the way, and how long to wait for it."""
    lock, source = tree.args["locks"][0], tree.args["from_"].this
    plain = isinstance(source, exp.Table) and not any(tree.args.get(k) for k in ("joins", "group", "distinct", "limit"))
    wait = lock.args.get("wait")
    if not plain or wait is False:
        raise unsupported("FOR UPDATE of more than one table, of groups, or SKIP LOCKED")
    table = target(backend, source, "UPDATE")
    query = compiled_query(c, selecting(tree, source, []))
    rowids = [row[0] for row in rows_of(c, [query.columns[0][1]], f"({query.sql})", backend.start())]
    seconds = None if wait is None else 0.0 if wait is True else float(wait.name)
    return backend.transaction.take(table, rowids), seconds


def select_for_update(backend: SqlBackend, tree: exp.Select, make: Callable[[], Compiler]) -> None:
    """Holds the rows before the query reads them. NOWAIT is ORA-00054, WAIT n is ORA-30006 after n seconds."""
    while True:
        with backend.database.lock:
            holder, seconds = lock_rows(backend, tree, make())
        if holder is None:
            return
        if seconds == 0.0:
            raise OracleError(54, "resource busy and acquire with NOWAIT specified or timeout expired")
        backend.transaction.wait(holder, backend.stop.is_set, seconds)

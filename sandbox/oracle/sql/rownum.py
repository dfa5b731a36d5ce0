"""ROWNUM (SQL Language Reference 19c, "ROWNUM Pseudocolumn"): rows are numbered as they pass WHERE, before ORDER BY."""

from __future__ import annotations

from sqlglot import exp

from sandbox.oracle.sql.compiler import Compiler, Scope, name_of, said
from sandbox.oracle.sql.conversion import to_number
from sandbox.oracle.sql.errors import unsupported

MIRRORED = {exp.LT: exp.GT, exp.GT: exp.LT, exp.LTE: exp.GTE, exp.GTE: exp.LTE, exp.EQ: exp.EQ}


def is_rownum(node: exp.Expression | None) -> bool:
    if isinstance(node, exp.Pseudocolumn | exp.Column):
        return name_of(node.this) == "ROWNUM" and not node.args.get("table")
    return False


def uses_rownum(node: exp.Expression) -> bool:
    """Whether an expression names the ROWNUM of its own block, not of a block inside it."""
    return is_rownum(node) or any(uses_rownum(child) for child in node.iter_expressions() if not isinstance(child, exp.Query))


def limit_of(c: Compiler, conditions: list[exp.Expression], scope: Scope) -> str:
    """A LIMIT for conditions on ROWNUM. A row that fails is never numbered, so `ROWNUM > 1` and `ROWNUM = 2` give nothing."""
    limits = [limit for condition in conditions if (limit := one_limit(c, condition, scope)) is not None]
    return f" LIMIT {max(min(limits), 0)}" if limits else ""


def one_limit(c: Compiler, condition: exp.Expression, scope: Scope) -> int | None:
    left, right, kind = condition.this, condition.expression, type(condition)
    if is_rownum(right):
        left, right, kind = right, left, MIRRORED.get(kind)
    if kind not in MIRRORED or not is_rownum(left) or uses_rownum(right):
        raise unsupported(f"ROWNUM in {said(condition)}")
    bound = to_number(c.operand(right, scope))
    if c.is_described:
        return 0
    if not bound.is_constant or bound.constant is None:
        if bound.is_constant:
            return 0
        raise unsupported(f"ROWNUM against a value that is not fixed ({said(condition)})")
    return rows_that_pass(kind, bound.constant)


def rows_that_pass(kind: type, bound: int) -> int | None:
    """How many rows pass `ROWNUM <kind> bound`; None where all do."""
    if kind is exp.EQ:
        return 1 if bound == 1 else 0
    if kind in (exp.GT, exp.GTE):
        return None if (bound < 1 if kind is exp.GT else bound <= 1) else 0
    whole = int(bound // 1)
    return whole - 1 if kind is exp.LT and whole == bound else whole

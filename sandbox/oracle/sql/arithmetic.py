"""Arithmetic of numbers, dates and intervals (SQL Language Reference 19c, "Arithmetic Operators", "Datetime Arithmetic")."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlglot import exp

from sandbox.oracle.backend import OracleError
from sandbox.oracle.sql.compiler import VALUES, Compiler, Scope, register
from sandbox.oracle.sql.conversion import decimal, local, numbers_alike, to_number, to_time, type_name, zoned
from sandbox.oracle.sql.errors import unsupported, wrong_datatype
from sandbox.oracle.sql.kinds import TEXTS, TIMES, Expr, Kind, literal, number, number_literal, time_literal

DAY_MICROSECONDS = 86_400_000_000


@register(VALUES, exp.Neg)
def negative(c: Compiler, node: exp.Neg, scope: Scope) -> Expr:
    inner = c.operand(node.this, scope)
    if inner.kind is Kind.DS:
        return Expr(f"(-{inner.sql})", Kind.DS)
    inner = to_number(inner)
    if inner.is_constant and inner.constant is not None:
        return literal(-inner.constant)
    return Expr(f"(-{inner.sql})", inner.kind)


@register(VALUES, exp.Add)
def add(c: Compiler, node: exp.Add, scope: Scope) -> Expr:
    left, right = c.operand(node.this, scope), c.operand(node.expression, scope)
    for one, other in ((left, right), (right, left)):
        if one.kind in TIMES and other.kind in TIMES:
            raise OracleError(975, "date + date not allowed")
        if one.kind in TIMES:
            return moved(c, one, other, "+")
    if Kind.DS in (left.kind, right.kind):
        return spans(left, right, "+")
    return arithmetic(left, right, "+")


@register(VALUES, exp.Sub)
def subtract(c: Compiler, node: exp.Sub, scope: Scope) -> Expr:
    left, right = c.operand(node.this, scope), c.operand(node.expression, scope)
    if left.kind in TIMES and right.kind in TIMES:
        return difference(c, left, right)
    if left.kind in TIMES:
        return moved(c, left, right, "-")
    if right.kind in TIMES and left.kind in TEXTS | {Kind.NULL}:
        return difference(c, to_time(c, left), right)
    if Kind.DS in (left.kind, right.kind):
        return spans(left, right, "-")
    return arithmetic(left, right, "-")


def spans(left: Expr, right: Expr, sign: str) -> Expr:
    if left.kind is not right.kind:
        raise wrong_datatype(type_name(left), type_name(right))
    return Expr(f"({left.sql} {sign} {right.sql})", Kind.DS)


def arithmetic(left: Expr, right: Expr, sign: str) -> Expr:
    left, right = numbers_alike(to_number(left), to_number(right))
    return Expr(f"({left.sql} {sign} {right.sql})", left.kind)


def difference(c: Compiler, left: Expr, right: Expr) -> Expr:
    """DATE - DATE is a number of days; with a TIMESTAMP on either side it is an interval."""
    if Kind.TZ in (left.kind, right.kind):
        left, right = zoned(c, left), zoned(c, right)
    span = f"(epoch_us({left.sql}) - epoch_us({right.sql}))"
    if left.kind is right.kind is Kind.DATE:
        return quotient(number(f"CAST({span} AS HUGEINT)"), number_literal(DAY_MICROSECONDS))
    return Expr(span, Kind.DS)


def moved(c: Compiler, time: Expr, by: Expr, sign: str) -> Expr:
    """A date moved by days (a TIMESTAMP becomes a DATE by that) or by an interval."""
    if by.kind is Kind.YM:
        raise unsupported("a date moved by an INTERVAL YEAR TO MONTH")
    if by.kind is Kind.DS:
        shifted = shift(time, by.constant, sign)
        return shifted or Expr(f"({time.sql} {sign} to_microseconds({by.sql}))", time.kind)
    days = to_number(by)
    base = local(c, time, Kind.DATE)
    if days.kind is Kind.INT:
        return Expr(f"({base.sql} {sign} to_days(CAST({days.sql} AS INTEGER)))", Kind.DATE)
    if days.kind is Kind.DOUBLE:
        raise unsupported("a date moved by a BINARY_DOUBLE")
    seconds = f"CAST(round({days.sql} * CAST(86400 AS DECIMAL(5,0))) AS BIGINT)"
    return Expr(f"({base.sql} {sign} to_seconds({seconds}))", Kind.DATE)


def shift(time: Expr, span: object, sign: str) -> Expr | None:
    if isinstance(time.constant, datetime) and isinstance(span, timedelta):
        return time_literal(time.constant + (span if sign == "+" else -span), time.kind)
    return None


@register(VALUES, exp.Mul)
def multiply(c: Compiler, node: exp.Mul, scope: Scope) -> Expr:
    left, right = c.operand(node.this, scope), c.operand(node.expression, scope)
    if Kind.DS in (left.kind, right.kind):
        span, factor = (left, right) if left.kind is Kind.DS else (right, left)
        return Expr(f"CAST(round({span.sql} * {decimal(factor).sql}) AS BIGINT)", Kind.DS)
    return product(to_number(left), to_number(right))


def product(left: Expr, right: Expr) -> Expr:
    """Whole times anything stays in the engine; two fractions need more digits than its decimals have."""
    if Kind.DOUBLE in (left.kind, right.kind) or left.kind is right.kind is Kind.INT:
        return arithmetic(left, right, "*")
    if left.kind is right.kind is Kind.DEC:
        return Expr(f"ora_multiply({left.sql}, {right.sql})", Kind.DEC)
    whole, fraction = (left, right) if left.kind is Kind.INT else (right, left)
    return Expr(f"CAST((CAST({whole.sql} AS DECIMAL(38,0)) * {fraction.sql}) AS DECIMAL(38,18))", Kind.DEC)


@register(VALUES, exp.Div)
def divide(c: Compiler, node: exp.Div, scope: Scope) -> Expr:
    left, right = c.operand(node.this, scope), c.operand(node.expression, scope)
    if left.kind is Kind.DS:
        return Expr(f"CAST(ora_divide(CAST({left.sql} AS DECIMAL(38,18)), {decimal(right).sql}) AS BIGINT)", Kind.DS)
    return quotient(to_number(left), to_number(right))


def quotient(left: Expr, right: Expr) -> Expr:
    """A division to 18 decimals, rounded half away from zero; by zero it is ORA-01476."""
    if Kind.DOUBLE in (left.kind, right.kind):
        return arithmetic(left, right, "/")
    if right.is_constant and right.constant == 0:
        raise OracleError(1476, "divisor is equal to zero")
    if right.kind is Kind.INT and right.is_constant and right.constant and abs(right.constant) < 10**15:
        unscaled = f"({left.sql} * 1000000000000000000::HUGEINT)"
        if left.kind is Kind.DEC:
            unscaled = f"CAST(replace(CAST({left.sql} AS VARCHAR), '.', '') AS HUGEINT)"
        return Expr(f"ora_ratio({unscaled}, {right.constant}::HUGEINT)", Kind.DEC)
    return Expr(f"ora_divide({decimal(left).sql}, {decimal(right).sql})", Kind.DEC)

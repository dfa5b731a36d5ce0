"""Implicit conversion: text that meets a number or a date becomes one (SQL Language Reference 19c, "Data Conversion")."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from sandbox.oracle.backend import OracleError
from sandbox.oracle.sql.compiler import Compiler
from sandbox.oracle.sql.errors import unsupported, wrong_datatype
from sandbox.oracle.sql.formats import date_text, nls_format, parse_date
from sandbox.oracle.sql.kinds import (
    NUMBERS,
    ORACLE_TYPE,
    TEXTS,
    TIMES,
    Expr,
    Kind,
    literal,
    null,
    number_literal,
    quote,
    time_literal,
)

NUMBER_TEXT = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$")


def type_name(expr: Expr) -> str:
    return {Kind.STR: "CHAR", Kind.NULL: "CHAR"}.get(expr.kind, ORACLE_TYPE[expr.kind].value)


def parsed_number(text: str) -> Decimal:
    if not NUMBER_TEXT.match(text):
        raise OracleError(1722, "invalid number")
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        raise OracleError(1722, "invalid number") from None


def to_number(expr: Expr) -> Expr:
    """A number of text, ORA-01722 where it is none; of dates ORA-00932."""
    if expr.kind in NUMBERS:
        return expr
    if expr.kind is Kind.NULL:
        return null(Kind.INT)
    if expr.kind not in TEXTS:
        raise wrong_datatype("NUMBER", type_name(expr))
    if expr.is_constant:
        return number_literal(parsed_number(expr.constant)) if expr.constant is not None else null(Kind.INT)
    return Expr(f"ora_number({expr.sql})", Kind.DEC)


def decimal(expr: Expr) -> Expr:
    """The number as DECIMAL(38,18)."""
    expr = to_number(expr)
    if expr.kind is Kind.DEC:
        return expr
    return replace(expr, sql=f"CAST({expr.sql} AS DECIMAL(38,18))", kind=Kind.DEC)


def integer(expr: Expr) -> Expr:
    """The number without its fraction, as functions take counts and places (SUBSTR, ADD_MONTHS)."""
    expr = to_number(expr)
    return expr if expr.kind is Kind.INT else Expr(f"CAST(trunc({expr.sql}) AS HUGEINT)", Kind.INT)


def to_text(c: Compiler, expr: Expr) -> Expr:
    """What Oracle prints of a value by default: numbers without needless zeros, dates by NLS_DATE_FORMAT."""
    if expr.kind in (Kind.STR, Kind.CLOB):
        return expr
    if expr.kind in (Kind.NULL, Kind.LONG):
        return replace(expr, kind=Kind.STR)
    if expr.kind is Kind.INT:
        return Expr(f"CAST({expr.sql} AS VARCHAR)", Kind.STR, 40)
    if expr.kind is Kind.DEC:
        return Expr(f"ora_number_text({expr.sql})", Kind.STR, 40)
    if expr.kind in TIMES:
        return date_text(c, expr, nls_format(c, expr.kind))
    if expr.kind is Kind.RAW:
        return Expr(f"hex({expr.sql})", Kind.STR, expr.size * 2)
    raise unsupported(f"{type_name(expr)} turned into text")


def zoned(c: Compiler, expr: Expr) -> Expr:
    """A local time as an instant (held in UTC), by the session's zone."""
    if expr.kind is Kind.TZ:
        return expr
    if isinstance(expr.constant, datetime):
        return time_literal(expr.constant.replace(tzinfo=c.zone), Kind.TZ)
    return Expr(f"ora_to_utc({expr.sql}, {quote(c.zone_name)})", Kind.TZ, zone=c.zone_name)


def local(c: Compiler, expr: Expr, kind: Kind = Kind.TS) -> Expr:
    """An instant as local time of its own zone (SYSTIMESTAMP: the host's); DATE loses fractions."""
    if expr.kind is Kind.TZ:
        expr = Expr(f"ora_from_utc({expr.sql}, {quote(expr.zone or c.database.time_zone)})", Kind.TS)
    if kind is Kind.DATE and expr.kind is Kind.TS:
        return Expr(f"date_trunc('second', {expr.sql})", Kind.DATE)
    return replace(expr, kind=kind)


def to_time(c: Compiler, expr: Expr, kind: Kind = Kind.DATE) -> Expr:
    """A date of text by NLS_DATE_FORMAT; other kinds than time and text are ORA-00932."""
    if expr.kind in TIMES:
        return expr
    if expr.kind is Kind.NULL:
        return null(kind)
    if expr.kind is not Kind.STR:
        raise wrong_datatype("DATE", type_name(expr))
    model = nls_format(c, kind)
    if expr.is_constant:
        return literal(parse_date(expr.constant, model, c.now), kind) if expr.constant is not None else null(kind)
    return Expr(f"ora_date({expr.sql}, {quote(model)}, {time_literal(c.now, Kind.DATE).sql})", kind)


def alike(c: Compiler, left: Expr, right: Expr) -> tuple[Expr, Expr]:
    """Two values made comparable: a number draws text to it, so does a date; zones meet in UTC."""
    kinds = {left.kind, right.kind}
    for expr in (left, right):
        if expr.kind in (Kind.CLOB, Kind.BLOB):
            raise wrong_datatype("-", type_name(expr))
    if kinds & NUMBERS:
        return numbers_alike(to_number(left), to_number(right))
    if kinds & TIMES:
        left, right = to_time(c, left), to_time(c, right)
        return (zoned(c, left), zoned(c, right)) if Kind.TZ in (left.kind, right.kind) else (left, right)
    if Kind.RAW in kinds and kinds != {Kind.RAW}:
        return to_text(c, left), to_text(c, right)
    if kinds & {Kind.DS, Kind.YM} and len(kinds - {Kind.NULL}) > 1:
        raise wrong_datatype(type_name(left), type_name(right))
    return left, right


def numbers_alike(left: Expr, right: Expr) -> tuple[Expr, Expr]:
    if left.kind is right.kind:
        return left, right
    if Kind.DOUBLE in (left.kind, right.kind):
        return tuple(e if e.kind is Kind.DOUBLE else Expr(f"CAST({e.sql} AS DOUBLE)", Kind.DOUBLE) for e in (left, right))
    return decimal(left), decimal(right)


def as_kind(c: Compiler, expr: Expr, kind: Kind) -> Expr:
    """Converted to the kind that another value set: the first branch of a CASE, the column of a UNION."""
    if expr.kind is kind:
        return expr
    if expr.kind is Kind.NULL:
        return replace(null(kind), size=expr.size)
    if kind in NUMBERS:
        return numbers_alike(to_number(expr), Expr("", kind))[0]
    if kind in TIMES:
        return zoned(c, to_time(c, expr)) if kind is Kind.TZ else local(c, to_time(c, expr), kind)
    if kind in TEXTS:
        return replace(to_text(c, expr), kind=kind)
    raise wrong_datatype(type_name(Expr("", kind)), type_name(expr))


def common_kind(exprs: Sequence[Expr], is_strict: bool = False) -> Kind:
    """The kind of a CASE or COALESCE: its first typed value's, widened among numbers and times; ORA-00932 where `is_strict`."""
    kinds = [e.kind for e in exprs if e.kind is not Kind.NULL]
    if not kinds:
        return Kind.STR
    first = kinds[0]
    for family, order in ((NUMBERS, (Kind.INT, Kind.DEC, Kind.DOUBLE)), (TIMES, (Kind.DATE, Kind.TS, Kind.TZ))):
        if first in family:
            odd = next((e for e in exprs if e.kind not in family and e.kind is not Kind.NULL), None)
            if odd and is_strict:
                raise wrong_datatype("NUMBER" if family is NUMBERS else "DATE", type_name(odd))
            return max((k for k in kinds if k in family), key=order.index)
    if is_strict and any(k is not first and not {k, first} <= TEXTS for k in kinds):
        odd = next(e for e in exprs if e.kind not in (first, Kind.NULL))
        raise wrong_datatype(type_name(Expr("", first)), type_name(odd))
    return Kind.CLOB if Kind.CLOB in kinds else first


def utc(value: datetime) -> datetime:
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value

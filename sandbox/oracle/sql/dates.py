"""Functions of dates, timestamps and intervals (SQL Language Reference 19c, "Datetime Functions")."""

from __future__ import annotations

from datetime import datetime

from sqlglot import exp

from sandbox.oracle.backend import OracleError
from sandbox.oracle.sql.compiler import FUNCTIONS, VALUES, Compiler, Scope, function, register
from sandbox.oracle.sql.conversion import decimal, integer, local, to_number, to_text, to_time, type_name, zoned
from sandbox.oracle.sql.errors import unsupported, wrong_datatype
from sandbox.oracle.sql.formats import UNITS, nls_format, parse_date
from sandbox.oracle.sql.kinds import TIMES, Expr, Kind, null, number, quote, time_literal, zone_named
from sandbox.oracle.sql.scalar import constant_text

SECONDS = {"DAY": 86400, "HOUR": 3600, "MINUTE": 60, "SECOND": 1}


def unit_of(model: Expr | None) -> str:
    word = constant_text(model, "a unit of TRUNC").upper() if model is not None else "DD"
    if word not in UNITS:
        raise (
            unsupported(f"the unit {word} of TRUNC")
            if word in ("D", "DAY", "DY", "W", "WW", "I", "IY")
            else OracleError(1898, "too many precision specifiers")
        )
    return UNITS[word]


def trunc_date(c: Compiler, value: Expr, model: Expr | None) -> Expr:
    base = local(c, value, Kind.DATE)
    return Expr(f"CAST(date_trunc('{unit_of(model)}', {base.sql}) AS TIMESTAMP)", Kind.DATE)


HALVES = {"day": "INTERVAL 12 HOUR", "hour": "INTERVAL 30 MINUTE", "minute": "INTERVAL 30 SECOND"}


def round_date(c: Compiler, value: Expr, model: Expr | None) -> Expr:
    """Rounded up from noon, from the 30th minute and so on; months from the 16th day, years from July."""
    unit, base = unit_of(model), local(c, value, Kind.DATE).sql
    if unit in HALVES:
        return Expr(f"CAST(date_trunc('{unit}', {base} + {HALVES[unit]}) AS TIMESTAMP)", Kind.DATE)
    late = {"month": f"day({base}) >= 16", "year": f"month({base}) >= 7"}.get(unit)
    if late is None:
        raise unsupported(f"ROUND of a date to {unit}")
    start = f"date_trunc('{unit}', {base})"
    return Expr(f"CAST(CASE WHEN {late} THEN {start} + INTERVAL 1 {unit.upper()} ELSE {start} END AS TIMESTAMP)", Kind.DATE)


FUNCTIONS["TRUNC DATE"], FUNCTIONS["ROUND DATE"] = trunc_date, round_date


def parsing(name: str, kind: Kind, zoned_kind: Kind) -> None:
    def build(c: Compiler, value: Expr, model: Expr | None = None) -> Expr:
        if value.kind in TIMES and name != "TO_TIMESTAMP_TZ":
            return local(c, value, kind)
        shown = to_text(c, value)
        by = (
            constant_text(model, f"the format of {name}")
            if model is not None and not (c.is_described and model.constant is None)
            else nls_format(c, kind)
        )
        if shown.is_constant:
            return null(kind) if shown.constant is None else parsed_constant(c, shown.constant, by, kind)
        if kind is Kind.TZ:
            raise unsupported(f"{name} of a column")
        return Expr(f"ora_date({shown.sql}, {quote(by)}, {time_literal(c.now, Kind.DATE).sql})", kind)

    function(name, least=1, most=2)(build)


def parsed_constant(c: Compiler, words: str, model: str, kind: Kind) -> Expr:
    value = parse_date(words, model, c.now)
    if kind is Kind.TZ:
        return time_literal(value if value.tzinfo else value.replace(tzinfo=c.zone), Kind.TZ)
    return time_literal(value.replace(tzinfo=None), kind)


parsing("TO_DATE", Kind.DATE, Kind.DATE)
parsing("TO_TIMESTAMP", Kind.TS, Kind.TS)
parsing("TO_TIMESTAMP_TZ", Kind.TZ, Kind.TZ)


@function("ADD_MONTHS", least=2, most=2)
def add_months(c: Compiler, value: Expr, months: Expr) -> Expr:
    """The last day of a month moves to the last day; other days stay, but never beyond the month's end."""
    base, count = local(c, to_time(c, value), Kind.DATE).sql, f"to_months(CAST({integer(months).sql} AS INTEGER))"
    moved = f"({base} + {count})"
    rest = f"({base} - date_trunc('day', {base}))"
    last = f"(CAST(last_day({moved}) AS TIMESTAMP) + {rest})"
    return Expr(f"CASE WHEN day({base}) = day(last_day({base})) THEN {last} ELSE {moved} END", Kind.DATE)


@function("LAST_DAY")
def last_day(c: Compiler, value: Expr) -> Expr:
    base = local(c, to_time(c, value), Kind.DATE).sql
    return Expr(f"(CAST(last_day({base}) AS TIMESTAMP) + ({base} - date_trunc('day', {base})))", Kind.DATE)


@function("MONTHS_BETWEEN", least=2, most=2)
def months_between(c: Compiler, later: Expr, earlier: Expr) -> Expr:
    one, two = (local(c, to_time(c, e), Kind.DATE).sql for e in (later, earlier))
    return Expr(f"ora_months_between({one}, {two})", Kind.DEC)


@function("NUMTODSINTERVAL", least=2, most=2)
def number_to_interval(c: Compiler, value: Expr, unit: Expr) -> Expr:
    word = constant_text(unit, "the unit of NUMTODSINTERVAL").strip().upper()
    if word not in SECONDS:
        raise OracleError(1760, "illegal argument for function")
    micros = SECONDS[word] * 1_000_000
    value = to_number(value)
    if value.kind is Kind.INT:
        return Expr(f"CAST({value.sql} * {micros} AS BIGINT)", Kind.DS)
    return Expr(f"CAST(round({decimal(value).sql} * CAST({micros} AS DECIMAL(11,0))) AS BIGINT)", Kind.DS)


@function("NUMTOYMINTERVAL", least=2, most=2)
def number_to_months(c: Compiler, value: Expr, unit: Expr) -> Expr:
    word = constant_text(unit, "the unit of NUMTOYMINTERVAL").strip().upper()
    if word not in ("YEAR", "MONTH"):
        raise OracleError(1760, "illegal argument for function")
    months = f"round({decimal(to_number(value)).sql} * {12 if word == 'YEAR' else 1})"
    return Expr(f"CAST({months} AS BIGINT)", Kind.YM)


@function("FROM_TZ", least=2, most=2)
def from_zone(c: Compiler, value: Expr, zone: Expr) -> Expr:
    """A local time as an instant, by a fixed zone (ORA-00932 for what is no TIMESTAMP)."""
    if value.kind is Kind.NULL:
        return null(Kind.TZ)
    if value.kind is not Kind.TS:
        raise wrong_datatype("TIMESTAMP", type_name(value))
    name = constant_text(zone, "the zone of FROM_TZ")
    zone_named(name)
    return Expr(f"ora_to_utc({value.sql}, {quote(name)})", Kind.TZ, zone=name)


@function("SYS_EXTRACT_UTC")
def extract_utc(c: Compiler, value: Expr) -> Expr:
    instant = zoned(c, to_time(c, value, Kind.TS))
    if isinstance(instant.constant, datetime):
        from sandbox.oracle.sql.conversion import utc

        return time_literal(utc(instant.constant), Kind.TS)
    return Expr(instant.sql, Kind.TS)


@register(VALUES, exp.Extract)
def extract(c: Compiler, node: exp.Extract, scope: Scope) -> Expr:
    """EXTRACT(part FROM time or interval). HOUR and less need a TIMESTAMP (ORA-30076 on a DATE)."""
    part, value = node.this.name.upper(), c.argument(node.expression, scope)
    if value.kind is Kind.DS:
        return span_part(part, value)
    if value.kind is Kind.YM:
        if part not in ("YEAR", "MONTH"):
            raise OracleError(30076, "invalid extract field for extract source")
        return number(f"CAST(({value.sql}) {'//' if part == 'YEAR' else '%'} 12 AS HUGEINT)")
    if value.kind not in TIMES:
        raise wrong_datatype("DATE", "CHAR")
    if part not in ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"):
        raise unsupported(f"EXTRACT({part})")
    if part in ("HOUR", "MINUTE", "SECOND") and value.kind is Kind.DATE:
        raise OracleError(30076, "invalid extract field for extract source")
    base = value.sql if value.kind is Kind.TZ else local(c, value).sql
    if part == "SECOND":
        return Expr(f"CAST((epoch_us({base}) % 60000000) AS DECIMAL(38,18)) * CAST('0.000001' AS DECIMAL(7,6))", Kind.DEC)
    return number(f"CAST({part.lower()}({base}) AS HUGEINT)")


def span_part(part: str, value: Expr) -> Expr:
    sizes = {"DAY": (86_400_000_000, 10**9), "HOUR": (3_600_000_000, 24), "MINUTE": (60_000_000, 60)}
    if part == "SECOND":
        rest = f"CAST(({value.sql} % 60000000) AS DECIMAL(20,0))"
        return Expr(f"CAST(({rest} * CAST('0.000001' AS DECIMAL(7,6))) AS DECIMAL(38,18))", Kind.DEC)
    if part not in sizes:
        raise OracleError(30076, "invalid extract field for extract source")
    unit, modulo = sizes[part]
    return number(f"CAST((({value.sql}) // {unit}) % {modulo} AS HUGEINT)")

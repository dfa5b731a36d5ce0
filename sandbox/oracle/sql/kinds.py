"""Kinds of value: an Oracle type, how the engine holds it, and how a Python value becomes one and comes back.

NUMBER is never a double: whole numbers are HUGEINT, others DECIMAL(38,18). A zoned timestamp is held in UTC, an interval
in microseconds. The empty string does not exist: it is NULL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import ROUND_HALF_UP, Decimal, localcontext
from enum import Enum
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.oracle.backend import Column, Lob, OracleError, OraType, YearMonth


class Kind(Enum):
    """What an expression is. The value is how the engine declares it."""

    INT = "HUGEINT"
    DEC = "DECIMAL(38,18)"
    DOUBLE = "DOUBLE"
    STR = "VARCHAR"
    DATE = "TIMESTAMP"
    TS = "TIMESTAMP "
    TZ = "TIMESTAMP  "  # UTC
    DS = "BIGINT"  # microseconds
    YM = "BIGINT "  # months
    RAW = "BLOB"
    CLOB = "VARCHAR "
    BLOB = "BLOB "
    LONG = "VARCHAR  "
    NULL = "VARCHAR   "

    @property
    def duck(self) -> str:
        return self.value.strip()


NUMBERS = {Kind.INT, Kind.DEC, Kind.DOUBLE}
TIMES = {Kind.DATE, Kind.TS, Kind.TZ}
TEXTS = {Kind.STR, Kind.CLOB, Kind.LONG}
ORACLE_TYPE = {
    Kind.INT: OraType.NUMBER,
    Kind.DEC: OraType.NUMBER,
    Kind.DOUBLE: OraType.BINARY_DOUBLE,
    Kind.STR: OraType.VARCHAR2,
    Kind.DATE: OraType.DATE,
    Kind.TS: OraType.TIMESTAMP,
    Kind.TZ: OraType.TIMESTAMP_TZ,
    Kind.DS: OraType.INTERVAL_DS,
    Kind.YM: OraType.INTERVAL_YM,
    Kind.RAW: OraType.RAW,
    Kind.CLOB: OraType.CLOB,
    Kind.BLOB: OraType.BLOB,
    Kind.LONG: OraType.LONG,
    Kind.NULL: OraType.VARCHAR2,
}
KIND_OF = {kind: name for name, kind in reversed(ORACLE_TYPE.items())} | {
    OraType.VARCHAR2: Kind.STR,
    OraType.CHAR: Kind.STR,
    OraType.ROWID: Kind.STR,
    OraType.BINARY_FLOAT: Kind.DOUBLE,
    OraType.TIMESTAMP_LTZ: Kind.TZ,
    OraType.NUMBER: Kind.INT,
}
UNKNOWN = object()
FRACTION = Decimal(1).scaleb(-18)


@dataclass(frozen=True)
class Expr:
    """A compiled expression: engine SQL, its kind, what is known of it. `constant`: its value, if a literal or bind.

    `zone`: of an instant, the zone that it shows; '' is the database host's.
    """

    sql: str
    kind: Kind
    size: int = 4000
    precision: int = 0
    scale: int = -127
    constant: Any = UNKNOWN
    oracle_type: OraType | None = None
    nullable: bool = True
    zone: str = ""

    @property
    def is_constant(self) -> bool:
        return self.constant is not UNKNOWN

    def column(self, name: str) -> Column:
        kind = self.oracle_type or ORACLE_TYPE[self.kind]
        size = {OraType.ROWID: 18, OraType.NUMBER: 22, OraType.DATE: 7}.get(kind, self.size)
        return Column(name, kind, size, self.precision, self.scale, self.nullable)


def number(sql: str, kind: Kind = Kind.INT) -> Expr:
    return Expr(sql, kind)


def text(sql: str, size: int = 4000) -> Expr:
    return Expr(sql, Kind.STR, size)


def null(kind: Kind = Kind.NULL) -> Expr:
    return Expr(f"CAST(NULL AS {kind.duck})", kind, size=1, constant=None)


def quote(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def whole(value: Decimal) -> bool:
    return value == value.to_integral_value()


def fitted(value: Decimal) -> Decimal:
    """Rounded to 18 decimals, as the engine keeps it."""
    with localcontext() as context:
        context.prec = 60
        return value.quantize(FRACTION, ROUND_HALF_UP)


def number_literal(value: int | Decimal) -> Expr:
    if isinstance(value, int) or whole(value):
        if abs(int(value)) >= 10**38:
            raise OracleError(1426, "numeric overflow")
        return Expr(f"CAST({int(value)} AS HUGEINT)", Kind.INT, constant=int(value))
    kept = fitted(value)
    return Expr(f"CAST({quote(f'{kept:f}')} AS DECIMAL(38,18))", Kind.DEC, constant=value)


def time_literal(value: datetime, kind: Kind) -> Expr:
    naive = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    zone = value.strftime("%z") if value.tzinfo else ""
    return Expr(f"CAST('{naive.isoformat(sep=' ')}' AS TIMESTAMP)", kind, constant=value, zone=zone and f"{zone[:3]}:{zone[3:5]}")


def literal(value: Any, like: Kind = Kind.NULL) -> Expr:
    """A Python value as an expression; `like` names the kind of a NULL, and DATE or TIMESTAMP of a datetime."""
    match value:
        case None | "" | b"":
            return null(like)
        case bool():
            return number_literal(int(value))
        case int() | Decimal():
            return number_literal(value)
        case float():
            return Expr(f"CAST({value!r} AS DOUBLE)", Kind.DOUBLE, constant=value)
        case str():
            return Expr(quote(value), Kind.STR, size=len(value.encode()), constant=value)
        case datetime():
            naive = Kind.TS if like is Kind.TS or value.microsecond else Kind.DATE
            return time_literal(value, Kind.TZ if value.tzinfo else naive)
        case timedelta():
            return Expr(f"CAST({microseconds(value)} AS BIGINT)", Kind.DS, constant=value)
        case YearMonth():
            return Expr(f"CAST({value.years * 12 + value.months} AS BIGINT)", Kind.YM, constant=value)
        case bytes():
            return Expr(f"unhex('{value.hex()}')", Kind.RAW, size=len(value), constant=value)
        case Lob():
            return replace(literal(value.data), kind=Kind.BLOB if isinstance(value.data, bytes) else Kind.CLOB)
    raise OracleError(932, f"inconsistent datatypes: the simulator takes no {type(value).__name__}")


def microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


@lru_cache(maxsize=50)
def zone_named(name: str) -> tzinfo:
    """A zone by its name or offset ('+08:00'); ORA-01882 for neither."""
    if offset := re.fullmatch(r"([+-]?)(\d{1,2}):(\d{2})", name):
        span = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(-span if offset[1] == "-" else span)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise OracleError(1882, "timezone region not found") from None

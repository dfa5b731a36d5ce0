"""The engine: one DuckDB in memory for the process, one cursor per running statement, and Oracle's arithmetic as functions in it.

One thread per statement: the rows' order is then what the statement says, and two cores are left to others.
"""

from __future__ import annotations

import atexit
import re
import statistics
import threading
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, localcontext
from functools import lru_cache, wraps
from typing import Any

import duckdb

from sandbox.oracle.backend import OracleError
from sandbox.oracle.sql.conversion import parsed_number
from sandbox.oracle.sql.errors import cancelled, from_engine
from sandbox.oracle.sql.formats import formatted_number, number_text, parse_date
from sandbox.oracle.sql.kinds import fitted, zone_named
from sandbox.oracle.sql.relations import Relation

DEC = "DECIMAL(38,18)"
UDF: list[tuple[str, list[str], str, Callable[..., Any]]] = []
MACROS = (
    "CREATE OR REPLACE MACRO ora_ratio(a, b) AS CAST(CAST((abs(a) + abs(b) // 2) // abs(b) * sign(a) * sign(b) AS DECIMAL(38,0))"
    " * CAST('0.000000000000000001' AS DECIMAL(18,18)) AS DECIMAL(38,18))",
    "CREATE OR REPLACE MACRO ora_substr2(s, p) AS nullif(CASE WHEN p >= 0 THEN substring(s, greatest(p, 1))"
    " WHEN -p > length(s) THEN NULL ELSE substring(s, length(s) + p + 1) END, '')",
    "CREATE OR REPLACE MACRO ora_substr3(s, p, n) AS nullif(CASE WHEN n < 1 THEN NULL"
    " WHEN p >= 0 THEN substring(s, greatest(p, 1), n)"
    " WHEN -p > length(s) THEN NULL ELSE substring(s, length(s) + p + 1, n) END, '')",
)


def udf(name: str, takes: str, gives: str) -> Callable[[Callable], Callable]:
    """A function in the engine, written in Python. NULL in any argument gives NULL; `takes` are types apart by blanks."""

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def guarded(*args: Any) -> Any:
            if any(a is None for a in args):
                return None
            with localcontext() as context:
                context.prec = 60
                result = function(*args)
                return fitted(result) if isinstance(result, Decimal) else result

        UDF.append((name, [DEC if t == "DEC" else t for t in takes.split()], DEC if gives == "DEC" else gives, guarded))
        return function

    return add


@udf("ora_divide", "DEC DEC", "DEC")
def divided(a: Decimal, b: Decimal) -> Decimal:
    if not b:
        raise OracleError(1476, "divisor is equal to zero")
    return a / b


@udf("ora_multiply", "DEC DEC", "DEC")
def multiplied(a: Decimal, b: Decimal) -> Decimal:
    return a * b


@udf("ora_power", "DEC DEC", "DEC")
def powered(a: Decimal, b: Decimal) -> Decimal:
    return a**b


@udf("ora_round", "DEC INTEGER", "DEC")
def rounded(a: Decimal, places: int) -> Decimal:
    return a.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


@udf("ora_trunc", "DEC INTEGER", "DEC")
def truncated(a: Decimal, places: int) -> Decimal:
    return a.quantize(Decimal(1).scaleb(-places), ROUND_DOWN)


@udf("ora_fit", "DEC INTEGER INTEGER", "DEC")
def within_precision(a: Decimal, precision: int, scale: int) -> Decimal:
    if abs(a) >= Decimal(10) ** (precision - scale):
        raise OracleError(1438, "value larger than specified precision allowed for this column")
    return a


@udf("ora_number", "VARCHAR", "DEC")
def number_of(text: str) -> Decimal:
    return parsed_number(text)


@udf("ora_number_text", "DEC", "VARCHAR")
def text_of(a: Decimal) -> str:
    return number_text(a)


@udf("ora_number_format", "DEC VARCHAR", "VARCHAR")
def text_by_model(a: Decimal, model: str) -> str:
    return formatted_number(a, model)


@udf("ora_number_by", "VARCHAR VARCHAR", "DEC")
def number_by_model(text: str, model: str) -> Decimal:
    if not re.fullmatch(r"(FM)?\$?[09,.DG]+", model, re.IGNORECASE):
        raise OracleError(3001, f"unimplemented feature: the simulator has no meaning for the number format {model}")
    return parsed_number(re.sub(r"[,$]", "", text))


@udf("ora_date", "VARCHAR VARCHAR TIMESTAMP", "TIMESTAMP")
def date_of(text: str, model: str, now: datetime) -> datetime:
    return parse_date(text, model, now)


@udf("ora_initcap", "VARCHAR", "VARCHAR")
def capitalised(text: str) -> str:
    return re.sub(r"[^\W_]+", lambda m: m[0][:1].upper() + m[0][1:].lower(), text)


@udf("ora_instr", "VARCHAR VARCHAR BIGINT BIGINT", "BIGINT")
def place_of(text: str, part: str, start: int, occurrence: int) -> int:
    if occurrence < 1:
        raise OracleError(1428, f"argument '{occurrence}' is out of range")
    if start == 0:
        return 0
    at = start - 1 if start > 0 else len(text) + start
    for turn in range(occurrence):
        if start > 0:
            at = text.find(part, at + bool(turn))
        else:
            at = text.rfind(part, 0, max(at - bool(turn) + len(part), 0)) if at - bool(turn) >= 0 else -1
        if at < 0:
            return 0
    return at + 1


@udf("ora_to_utc", "TIMESTAMP VARCHAR", "TIMESTAMP")
def to_utc(value: datetime, name: str) -> datetime:
    return value.replace(tzinfo=zone_named(name)).astimezone(UTC).replace(tzinfo=None)


@udf("ora_from_utc", "TIMESTAMP VARCHAR", "TIMESTAMP")
def from_utc(value: datetime, name: str) -> datetime:
    return value.replace(tzinfo=UTC).astimezone(zone_named(name)).replace(tzinfo=None)


@udf("ora_zone", "TIMESTAMP VARCHAR VARCHAR", "VARCHAR")
def zone_text(value: datetime, name: str, part: str) -> str:
    offset = value.replace(tzinfo=UTC).astimezone(zone_named(name)).strftime("%z")
    return {"TZH": offset[:3], "TZM": offset[3:]}.get(part, f"{offset[:3]}:{offset[3:]}")


@udf("ora_months_between", "TIMESTAMP TIMESTAMP", "DEC")
def months_apart(later: datetime, earlier: datetime) -> Decimal:
    """Whole when both are the same day of the month or both the last; else the rest is days of 31."""
    months = Decimal((later.year - earlier.year) * 12 + later.month - earlier.month)
    ends = all(t.day == monthrange(t.year, t.month)[1] for t in (later, earlier))
    if later.day == earlier.day or ends:
        return months
    seconds = [t.day * 86400 + t.hour * 3600 + t.minute * 60 + t.second for t in (later, earlier)]
    return months + Decimal(seconds[0] - seconds[1]) / (31 * 86400)


@udf("ora_percentile", f"{DEC}[] DEC", "DEC")
def percentile(values: Sequence[Decimal], share: Decimal) -> Decimal | None:
    kept = sorted(v for v in values if v is not None)
    if not kept:
        return None
    place = share * (len(kept) - 1)
    low = int(place)
    high = min(low + 1, len(kept) - 1)
    return kept[low] + (kept[high] - kept[low]) * (place - low)


@udf("ora_spread", f"{DEC}[] VARCHAR", "DEC")
def spread(values: Sequence[Decimal], word: str) -> Decimal | None:
    """STDDEV and VARIANCE of one value are 0, STDDEV_SAMP of one is NULL."""
    kept = [v for v in values if v is not None]
    if not kept or (len(kept) == 1 and word == "stddev_samp"):
        return None
    if len(kept) == 1:
        return Decimal(0)
    measure = {"stddev": statistics.stdev, "stddev_samp": statistics.stdev, "stddev_pop": statistics.pstdev}
    return measure.get(word, statistics.variance)(kept)


@lru_cache(maxsize=1)
def shared() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:", config={"threads": 1})
    for name, takes, gives, function in UDF:
        connection.create_function(name, function, takes, gives, null_handling="special")
    for macro in MACROS:
        connection.execute(macro)
    atexit.register(connection.close)
    return connection


STARTING = threading.Lock()


class Running:
    """One statement on the engine; `cancel` from another thread makes `fetch` end with ORA-01013."""

    def __init__(self) -> None:
        with STARTING:
            self.cursor = shared().cursor()
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True
        with suppress(duckdb.Error):
            self.cursor.interrupt()

    def fetch(self, sql: str, relations: Mapping[str, Relation]) -> list[tuple[Any, ...]]:
        """All rows. Raises OracleError for whatever the engine raises."""
        try:
            for name, relation in relations.items():
                self.cursor.register(name, relation.arrow())
            if self.is_cancelled:
                raise cancelled()
            return self.cursor.execute(sql).fetchall()
        except duckdb.Error as e:
            raise (cancelled() if self.is_cancelled else from_engine(e)) from e
        finally:
            self.cursor.close()

"""How a table of an Oracle source is divided, read from its dictionary and written anew for a copy on either engine.

A bound is read into values by a closed list of forms and never carried as text. What cannot be read, or what PostgreSQL cannot
hold, is told by a code, and the copy gets one plain table. Subpartitions are not made: their rows stand in the partition.

NULL sorts above all in Oracle and goes to the partition with MAXVALUE; PostgreSQL puts it into the default partition alone, so
MAXVALUE becomes DEFAULT there. INTERVAL makes partitions for rows that have none: PostgreSQL gets the ranges that are there and
a default partition. Sources: SQL Language Reference 19c, CREATE TABLE, table_partitioning_clauses; Database Reference 19c,
DBA_TAB_PARTITIONS.HIGH_VALUE; PostgreSQL manual, Table Partitioning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum

from drydock.engines.oracle_names import quote_name, text_literal
from drydock.masking.oracle.types import plain_type
from drydock.masking.policies import schema as s

_VALUE = re.compile(
    r"\s*(?:(?P<word>MAXVALUE|DEFAULT|NULL)\b"
    r"|(?P<number>[+-]?\d+(?:\.\d+)?)(?![\w.])"
    r"|TO_DATE\(\s*'\s*(?P<date>\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d)?)'\s*,\s*'S?YYYY-MM-DD(?: HH24:MI:SS)?'"
    r"(?:\s*,\s*'NLS_CALENDAR=GREGORIAN')?\s*\)"
    r"|TIMESTAMP\s*'\s*(?P<moment>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})?)'"
    r"|N?'(?P<text>(?:[^']|'')*)')\s*(?P<end>,|\Z)",
    re.IGNORECASE,
)
_INTERVAL = re.compile(
    r"\s*(?:NUMTO(?P<kind>YM|DS)INTERVAL\(\s*(?P<size>\d+)\s*,\s*'(?P<unit>YEAR|MONTH|DAY|HOUR|MINUTE|SECOND)'\s*\)|(?P<step>\d+))\s*",
    re.IGNORECASE,
)
FAMILIES = ("number", "text", "date")


class Word(Enum):
    MAXVALUE = "MAXVALUE"
    DEFAULT = "DEFAULT"
    NULL = "NULL"


Value = Word | Decimal | datetime | str


class NotDivided(ValueError):
    """Why a copy gets a plain table: the code that the plan tells."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Part:
    """A partition. `values`: of a range its upper end, which does not belong to it; of a list its values; of a hash none."""

    name: str
    values: tuple[Value, ...] = ()

    @property
    def takes_the_rest(self) -> bool:
        return bool(self.values) and all(v in (Word.MAXVALUE, Word.DEFAULT) for v in self.values)


@dataclass(frozen=True)
class Divided:
    """`interval`: what INTERVAL says, written anew; empty: none."""

    strategy: str
    columns: tuple[str, ...]
    parts: tuple[Part, ...]
    interval: str = ""
    grows: bool = False


def divided(table: s.Table) -> Divided:
    """How the copy is divided. Raises NotDivided."""
    told = table.partitioning
    if told is None or told.strategy not in ("range", "list", "hash") or not told.columns or not told.partitions:
        raise NotDivided("partitioning_strategy")
    columns = [table.by_name.get(name) for name in told.columns]
    if any(c is None or c.generated for c in columns):
        raise NotDivided("partitioning_virtual_key")
    if any(c is not None and (c.type.family not in FAMILIES or "TIME ZONE" in c.type.name) for c in columns):
        raise NotDivided("partitioning_key_type")
    parts = tuple(Part(p.own_name, _values(p.bound, told, columns)) for p in told.partitions if p.level == 1)  # type: ignore[arg-type]
    return Divided(told.strategy, told.columns, parts, _interval(told.interval), told.grows)


def _values(bound: str, told: s.Partitioning, columns: Sequence[s.Column]) -> tuple[Value, ...]:
    """Raises NotDivided for a text that is not one of the known forms, and for a value of another sort than its column."""
    if told.strategy == "hash":
        return ()
    values, at = [], 0
    while True:
        match = _VALUE.match(bound, at)
        if match is None:
            raise NotDivided("partitioning_bound")
        values.append(_value(match))
        at = match.end()
        if not match["end"]:
            break
    if told.strategy == "list" and len(columns) > 1:
        raise NotDivided("partitioning_bound")
    if told.strategy == "range" and len(values) != len(columns):
        raise NotDivided("partitioning_bound")
    of = columns if told.strategy == "range" else [columns[0]] * len(values)
    if not all(_fits(value, column) for value, column in zip(values, of, strict=True)):
        raise NotDivided("partitioning_bound")
    return tuple(values)


def _value(match: re.Match[str]) -> Value:
    if match["word"]:
        return Word(match["word"].upper())
    if match["number"]:
        return Decimal(match["number"])
    if moment := match["date"] or match["moment"]:
        try:
            return datetime.fromisoformat(moment)
        except ValueError:
            raise NotDivided("partitioning_bound") from None
    return match["text"].replace("''", "'") or Word.NULL  # an empty text is NULL


def _fits(value: Value, column: s.Column) -> bool:
    kinds = {"number": Decimal, "text": str, "date": datetime}
    return isinstance(value, Word | kinds[column.type.family])  # type: ignore[arg-type]


def _interval(text: str) -> str:
    """INTERVAL's expression, written anew. Raises NotDivided for a form that is not known."""
    if not text:
        return ""
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise NotDivided("partitioning_bound")
    if match["step"]:
        return str(int(match["step"]))
    return f"NUMTO{match['kind'].upper()}INTERVAL({int(match['size'])}, '{match['unit'].upper()}')"


def oracle_clause(table: s.Table, how: Divided) -> str:
    """What stands in CREATE TABLE after the columns."""
    names = ", ".join(quote_name(c) for c in how.columns)
    interval = f" INTERVAL ({how.interval})" if how.interval else ""
    types = [plain_type(table.by_name[c].type.name) for c in how.columns]
    parts = ", ".join(f"PARTITION {quote_name(p.name)}{_oracle_bound(how, p, types)}" for p in how.parts)
    return f"PARTITION BY {how.strategy.upper()} ({names}){interval} ({parts})"


def _oracle_bound(how: Divided, part: Part, types: Sequence[str]) -> str:
    if how.strategy == "hash":
        return ""
    of = types if how.strategy == "range" else [types[0]] * len(part.values)
    values = ", ".join(_oracle_value(v, kind) for v, kind in zip(part.values, of, strict=True))
    return f" VALUES {'LESS THAN ' if how.strategy == 'range' else ''}({values})"


def _oracle_value(value: Value, kind: str) -> str:
    if isinstance(value, Word):
        return value.value
    if isinstance(value, datetime):
        if kind == "DATE":
            return f"TO_DATE('{value:%Y-%m-%d %H:%M:%S}', 'YYYY-MM-DD HH24:MI:SS')"
        return f"TIMESTAMP '{value:%Y-%m-%d %H:%M:%S.%f}'"
    if isinstance(value, str):
        return ("N" if kind.startswith("N") else "") + text_literal(value)
    return f"{value:f}"


def refuse_on_postgres(table: s.Table, how: Divided) -> None:
    """Raises NotDivided for what PostgreSQL cannot hold alike: ranges of texts, whose order is a collation's; a key without the
    columns that rows are divided by; ranges of several columns that may be NULL, or that several partitions end."""
    if how.strategy == "range" and any(table.by_name[c].type.family == "text" for c in how.columns):
        raise NotDivided("partitioning_text_range")
    whole = [k for k in table.keys if not k.has_expression]
    if any(not set(how.columns) <= set(k.columns) for k in whole):
        raise NotDivided("partitioning_unique_key")
    if how.strategy == "range" and len(how.columns) > 1 and any(table.by_name[c].nullable for c in how.columns):
        raise NotDivided("partitioning_bound")
    if sum(p.takes_the_rest for p in how.parts) > 1:
        raise NotDivided("partitioning_bound")


def postgres_bounds(how: Divided) -> Iterator[tuple[str, str]]:
    """(name of the partition in the source, what stands behind PARTITION ... in PostgreSQL); '' names one of our own."""
    before = ["MINVALUE"] * len(how.columns)
    for number, part in enumerate(how.parts):
        if how.strategy == "hash":
            yield part.name, f"FOR VALUES WITH (modulus {len(how.parts)}, remainder {number})"
        elif part.takes_the_rest:
            yield part.name, "DEFAULT"
        elif how.strategy == "list":
            yield part.name, f"FOR VALUES IN ({', '.join(map(_postgres_value, part.values))})"
        else:
            end = [_postgres_value(v) for v in part.values]
            yield part.name, f"FOR VALUES FROM ({', '.join(before)}) TO ({', '.join(end)})"
            before = end
    if how.grows and not any(p.takes_the_rest for p in how.parts):
        yield "", "DEFAULT"


def _postgres_value(value: Value) -> str:
    if isinstance(value, Word):
        return value.value
    if isinstance(value, datetime):
        return f"'{value.isoformat(sep=' ')}'"
    return f"{value:f}" if isinstance(value, Decimal) else "'" + value.replace("'", "''") + "'"

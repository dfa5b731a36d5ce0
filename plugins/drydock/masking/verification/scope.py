"""What is read of a target, under which names it is told, and the pieces that it is read in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any

from drydock.engines.postgres import fetch_rows
from drydock.masking.verification.results import Unread
from drydock.sqlfiles import sql_file

PART_BYTES = 64 << 20  # of a table that several processes read
BLOCK = 8192  # bytes of a block in PostgreSQL's usual build; another size only changes the parts
LONG_NUMBER = re.compile(r"[0-9]{11,}[Xx]?")  # a phone, a card, a resident id
LAST_BLOCK = 2**32 - 1
CANNOT_HOLD = {"B", "D", "T"}  # categories of types: boolean, dates and times, time spans
CANNOT_HOLD_TYPES = {"float4", "oid", "xid", "xid8", "cid", "tid", "pg_lsn", "int2"}


@dataclass(frozen=True)
class Scope:
    """`left_out`: schemas that are not read. `told_as`: schema -> name in its stead. `share`: of the blocks of each table that
    are read, each drawn by itself with `seed`; definitions and large objects are always read whole."""

    left_out: tuple[str, ...] = ()
    told_as: Mapping[str, str] = field(default_factory=dict)
    share: float = 1.0
    seed: int = 0

    def schema(self, name: str) -> str:
        return self.told_as.get(name, name)

    def told(self, place: str) -> str:
        """The place of a definition with the names that people know; what in a name may be a value itself is not shown."""
        named = self._names.sub(lambda m: self.told_as[m[0]], place) if self._names else place
        return LONG_NUMBER.sub("#", named)

    @cached_property
    def _names(self) -> re.Pattern[str] | None:
        names = "|".join(re.escape(name) for name in sorted(self.told_as, key=len, reverse=True))
        return re.compile(rf"(?<!\w)(?:{names})(?!\w)") if names else None


WHOLE = Scope()


@dataclass(frozen=True)
class Part:
    """Some blocks of one table, [first, behind), with the columns to read as (name, place). `whole_numbers`: names of the
    columns of which whole numbers alone are read: no value is one with a fraction."""

    relation: tuple[str, str]
    columns: tuple[tuple[str, str], ...]
    first: int = 0
    behind: int = LAST_BLOCK
    whole_numbers: frozenset[str] = frozenset()
    is_sequence: bool = False

    @property
    def is_whole(self) -> bool:
        return self.first == 0 and self.behind == LAST_BLOCK

    @property
    def places(self) -> tuple[str, ...]:
        return tuple(place for _, place in self.columns)


def columns_of(connection: Any, left_out: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Every column that holds rows, by table. Raises psycopg.Error."""
    return fetch_rows(connection, sql_file("postgresql", "verification", "columns"), {"left_out": list(left_out)})


def parts_of(connection: Any, scope: Scope, *, split: bool = False) -> tuple[list[Part], list[Unread]]:
    """The tables of the database as parts, and the columns that are not read. `split`: large tables as several parts."""
    parts: list[Part] = []
    unread: list[Unread] = []
    columns = columns_of(connection, scope.left_out)
    for relation, found in groupby(columns, key=lambda c: (c["schema_name"], c["table_name"])):
        rows = list(found)
        reasons = {place_of(c, scope): why_unread(c) for c in rows}
        unread += [Unread(place=place, reason=why) for place, why in reasons.items() if why]
        names = tuple((c["column_name"], place_of(c, scope)) for c in rows if not reasons[place_of(c, scope)])
        if names:
            pages = int(rows[0]["pages"]) if split and scope.share >= 1 else 0
            whole = frozenset(c["column_name"] for c in rows if c["type_name"] == "float8")
            is_sequence = rows[0]["relation_kind"] == "S"
            parts += [Part(relation, names, first, behind, whole, is_sequence) for first, behind in _ranges(pages)]
    return parts, unread


def place_of(column: Mapping[str, Any], scope: Scope) -> str:
    """The column as findings tell it, by the root of its partitions."""
    return LONG_NUMBER.sub("#", f"{scope.schema(column['place_schema'])}.{column['place_table']}.{column['column_name']}")


def why_unread(column: Mapping[str, Any]) -> str:
    """The message code of why a column is not read; empty where it is."""
    if column["relation_kind"] == "f":
        return "unread_foreign"
    if not column["may_read"]:
        return "unread_privilege"
    if column["category"] in CANNOT_HOLD or column["type_name"] in CANNOT_HOLD_TYPES:
        return "unread_type"
    return ""


def _ranges(pages: int) -> Iterator[tuple[int, int]]:
    """Ranges of blocks of about PART_BYTES; the last one is open, so that nothing behind it is left out."""
    step = max(1, PART_BYTES // BLOCK)
    starts = list(range(0, max(pages, 1), step))
    return zip(starts, [*starts[1:], LAST_BLOCK], strict=True)

"""Figures of tables on Oracle, of a source at its SCN or of a copy: each question is a file of `masking_verify`.

What great-expectations asks PostgreSQL is asked here in the database's own SQL; no row leaves it. Sources: SQL Language
Reference 19c, Aggregate Functions, Data Type Comparison Rules (large objects are neither compared nor grouped).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import oracledb

from drydock.engines.oracle_names import qualified, quote_name, text_literal
from drydock.engines.oracle_statements import compose
from drydock.masking.copy_checks.expectations import Place
from drydock.masking.copy_checks.expectations_figures import UNASKED, Aggregate, Link
from drydock.masking.oracle.rows import condition_at
from drydock.masking.oracle.streams import source_told_apart
from drydock.masking.oracle.types import plain_type
from drydock.masking.policies import schema as s
from drydock.sqlfiles import sql_file

FOLDER = "masking_verify"
LARGE = ("CLOB", "NCLOB", "BLOB", "BFILE", "LONG", "LONG RAW", "XMLTYPE", "JSON")
"""Types whose values can be counted, and neither compared nor told apart."""
_LOBS = ("CLOB", "NCLOB", "BLOB")
_WHERE_ALL = "1 = 1"


@dataclass(frozen=True)
class Side:
    """One table. `columns`: name by which it is asked for -> column there; `condition`: of rows that count, on the alias t."""

    owner: str
    name: str
    columns: Mapping[str, s.Column]
    condition: str = ""


@dataclass(frozen=True)
class OracleFigures:
    """The tables of one database by their keys in the policy. `scn` None: as they are now."""

    connection: oracledb.Connection
    sides: Mapping[str, Side]
    scn: int | None = None

    def figures(self, place: Place, asked: Sequence[Aggregate]) -> Sequence[Any]:
        """As `expectations.Source`. Raises ChangeFailed."""
        return self.of_table(place.table.key, asked)

    def orphans(self, place: Place, link: Link) -> int:
        """As `expectations.Source`. Raises ChangeFailed."""
        return self.of_link(place.table.key, link)

    def of_table(self, key: str, asked: Sequence[Aggregate]) -> list[Any]:
        """The answers in the order of the figures; those of one reading are asked at once. Raises ChangeFailed."""
        written = _Written(self.sides[key])
        texts = {one: written.aggregate(one) for one in dict.fromkeys(asked)}
        at_once = [one for one, text in texts.items() if text]
        known: dict[Aggregate, Any] = {}
        if at_once:
            named = ", ".join(f"{texts[one]} AS f{n}" for n, one in enumerate(at_once))
            row = self._row("figures", key, figures=named)
            known = {one: _plain(value) for one, value in zip(at_once, row, strict=True)}
        return [known[one] if one in known else self._alone(key, one, written) for one in asked]

    def of_link(self, key: str, link: Link) -> int:
        """Rows without the parent that they refer to. Raises ChangeFailed."""
        here, there = _Written(self.sides[key], "c"), _Written(self.sides[link.parent], "p")
        mine, other = [here.column(n) for n in link.columns], [there.column(n) for n in link.parent_columns]
        return self._found(
            "orphans",
            child=self._relation(key, "c"),
            parent=self._relation(link.parent, "p"),
            present=" AND ".join(f"{name} IS NOT NULL" for name in mine),
            same=" AND ".join(f"{b} = {a}" for a, b in zip(mine, other, strict=True)),
        )

    def _alone(self, key: str, asked: Aggregate, written: _Written) -> Any:
        """A figure with a question of its own."""
        if asked.what == "wrong" and not written.is_large(asked.column):
            return int(self._row(f"wrong_{asked.told}", key, value=written.text(asked.column))[0])
        if asked.what == "repeated" and not any(written.is_large(n) for n in asked.told):
            names = [written.column(n) for n in asked.told]
            present = " AND ".join(f"{name} IS NOT NULL" for name in names)
            return self._found("repeated", relation=self._relation(key), present=present, columns=", ".join(names))
        return UNASKED

    def _found(self, name: str, **parts: str) -> int:
        return int(self._asked(name, parts)[0])

    def _row(self, name: str, key: str, **parts: str) -> Sequence[Any]:
        condition = self.sides[key].condition
        chosen = f"({condition_at(condition, self.scn is not None)})" if condition else _WHERE_ALL
        return self._asked(name, parts | {"relation": self._relation(key), "condition": chosen})

    def _asked(self, name: str, parts: Mapping[str, str]) -> Sequence[Any]:
        text = compose(sql_file("oracle", FOLDER, name), parts)
        binds = {} if self.scn is None else {"scn": self.scn}
        with source_told_apart(), self.connection.cursor() as cursor:
            return cursor.execute(text, binds or None, fetch_decimals=True).fetchall()[0]

    def _relation(self, key: str, alias: str = "t") -> str:
        side = self.sides[key]
        return f"{qualified(side.owner, side.name)}{'' if self.scn is None else ' AS OF SCN :scn'} {alias}"


@dataclass(frozen=True)
class _Written:
    """Figures of one table in Oracle's SQL."""

    side: Side
    alias: str = "t"

    def column(self, name: str) -> str:
        return f"{self.alias}.{quote_name(self.side.columns[name].name)}"

    def is_large(self, name: str) -> bool:
        return plain_type(self.side.columns[name].type.name) in LARGE

    def text(self, name: str) -> str:
        """As the copy shows it: a number by its digits, a CHAR without the blanks that fill it up."""
        column, kind = self.column(name), self.side.columns[name].type
        if kind.family == "number":
            return f"TO_CHAR({column})"
        return f"RTRIM({column})" if plain_type(kind.name) in ("CHAR", "NCHAR") else column

    def aggregate(self, asked: Aggregate) -> str:
        """One that is asked beside others of its table; empty for all that is not."""
        if asked.what == "rows":
            return "COUNT(*)"
        if asked.what in ("wrong", "repeated", "odd_columns", "odd_types", "letters"):
            return ""
        column, present = self.column(asked.column), self._present(asked.column)
        if asked.what in ("distinct", "total", "total_distance", "mean_moment", "at_least") and self.is_large(asked.column):
            return ""
        plain = {
            "present": present,
            "filled": self._filled(asked.column),
            "distinct": f"COUNT(DISTINCT {column})",
            "total": f"SUM({column})",
            "total_distance": f"SUM(ABS({column}))",
            "present_share": f"{present} / NULLIF(COUNT(*), 0)",
        }
        return plain[asked.what] if asked.what in plain else self._measured(asked, present)

    def _measured(self, asked: Aggregate, present: str) -> str:
        column = self.column(asked.column)
        if asked.what == "mean_moment":
            return f"AVG({self._seconds(column, self.side.columns[asked.column].type.name)})"
        if asked.what == "at_least":
            return _counted(f"{column} >= {Decimal(repr(asked.told)):f}")
        matching = _counted(f"REGEXP_LIKE({self.text(asked.column)}, {text_literal(asked.told)})")
        return matching if asked.what == "matching" else f"{matching} / NULLIF({present}, 0)"

    def _seconds(self, column: str, kind: str) -> str:
        """Since 1970, to the fraction: of a TIMESTAMP made a DATE some servers round it and others cut it off."""
        if kind == "DATE":
            return f"({column} - DATE '1970-01-01') * 86400"
        moment = f"SYS_EXTRACT_UTC({column})" if "TIME ZONE" in kind else column
        parts = ((3600, "HOUR"), (60, "MINUTE"), (1, "SECOND"))
        of_day = " + ".join(f"EXTRACT({part} FROM {moment}) * {size}" for size, part in parts)
        return f"(TRUNC({moment}) - DATE '1970-01-01') * 86400 + {of_day}"

    def _present(self, name: str) -> str:
        return _counted(f"{self.column(name)} IS NOT NULL")

    def _filled(self, name: str) -> str:
        is_lob = plain_type(self.side.columns[name].type.name) in _LOBS
        return _counted(f"DBMS_LOB.GETLENGTH({self.column(name)}) > 0") if is_lob else self._present(name)


def _counted(condition: str) -> str:
    return f"COUNT(CASE WHEN {condition} THEN 1 END)"


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value

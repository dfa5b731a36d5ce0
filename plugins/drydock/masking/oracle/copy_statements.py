"""What makes, fills and delivers a masked copy on Oracle, as statements of the gate: files with quoted names in their places.

Texts of the source's dictionary never become part of a statement: types are written from the facts that were read of them,
defaults and conditions are parsed and written anew (`expressions`), names are quoted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlglot import exp

from drydock.engines.oracle_names import qualified, quote_name, text_literal
from drydock.engines.oracle_statements import Statement, compose
from drydock.masking import schema as s
from drydock.masking.oracle.types import FAMILIES
from drydock.sqlfiles import sql_file

PIPELINE, FOLDER = "masking", "masking_copy"
RUNS, PARTS = "DRYDOCK_RUNS", "DRYDOCK_PARTS"
MACHINERY = {
    RUNS: "run_id NUMBER(18) NOT NULL, generation NUMBER(9) NOT NULL, xids VARCHAR2(64), identity VARCHAR2(64)",
    PARTS: (
        "run_id NUMBER(18) NOT NULL, generation NUMBER(9) NOT NULL, schema_name VARCHAR2(128) NOT NULL, "
        "name VARCHAR2(400) NOT NULL, first_page NUMBER(18) NOT NULL, end_page NUMBER(18) NOT NULL, "
        "rows_copied NUMBER(18) NOT NULL, bytes_copied NUMBER(18) NOT NULL, elapsed_s NUMBER"
    ),
}
"""Drydock's own tables in the account of the copy: having them marks it as one for copies."""
PIECE = "DRYDOCK_PIECE_"
_TYPE = re.compile(r"(?P<plain>[A-Z][A-Z0-9_ ]*?)(?P<sizes>\([0-9*, -]+(?: BYTE| CHAR)?\))?(?P<after>[A-Z ()0-9]*)\Z")


class TypeRefused(ValueError):
    """A type that no column of a copy is given; the text names it."""


def create_table(owner: str, name: str, columns: str, division: str = "") -> Statement:
    """`division`: what `partitioning.oracle_clause` wrote; empty: one plain table."""
    return made("table_create", table=qualified(owner, name), columns=columns, division=division)


def columns_of(table: s.Table, defaults: Mapping[str, str], *, plain: bool = False) -> str:
    """Names, types, defaults and NOT NULL of the columns that hold values. `plain`: names and types alone."""
    return ", ".join(_column(c, "" if plain else defaults.get(c.name, ""), plain) for c in table.columns if not c.generated)


def _column(column: s.Column, default: str, plain: bool) -> str:
    parts = [quote_name(column.name), type_text(column.type)]
    parts += [f"DEFAULT {default}"] if default else []
    parts += ["NOT NULL"] if not column.nullable and not plain else []
    return " ".join(parts)


def type_text(kind: s.DataType) -> str:
    """The type as CREATE TABLE takes it. Raises TypeRefused for one that is not of the engine's own."""
    match = _TYPE.fullmatch(kind.name)
    plain = re.sub(r" +", " ", re.sub(r"\([^)]*\)", "", kind.name)).strip()
    if match is None or plain not in FAMILIES or kind.family == "other":
        raise TypeRefused(kind.name[:60])
    return kind.name


def drop_table(owner: str, name: str) -> Statement:
    return made("table_drop", table=qualified(owner, name))


def empty_table(owner: str, name: str) -> Statement:
    return made("table_empty", table=qualified(owner, name))


def add_constraint(owner: str, table: str, name: str, definition: str) -> Statement:
    """`definition` is made of quoted names and of what `expressions` wrote."""
    return made("constraint_add", table=qualified(owner, table), name=quote_name(name), definition=definition)


def create_index(owner: str, table: str, name: str, columns: Sequence[str], *, unique: bool) -> Statement:
    told = {"unique": "UNIQUE" if unique else "", "index": qualified(owner, name), "table": qualified(owner, table)}
    return made("index_create", **told, columns=listed(columns))


def create_sequence(owner: str, one: s.Sequence, start: int) -> Statement:
    figures = {"start": start, "step": one.increment, "least": one.minimum, "most": one.maximum}
    told = {name: str(int(value)) for name, value in figures.items()}
    cache = f"CACHE {int(one.cache)}" if one.cache > 1 else "NOCACHE"
    return made(
        "sequence_create", sequence=qualified(owner, one.name), cycle="CYCLE" if one.cycles else "NOCYCLE", cache=cache, **told
    )


def drop_sequence(owner: str, name: str) -> Statement:
    return made("sequence_drop", sequence=qualified(owner, name))


def comment_on(owner: str, table: str, column: str, text: str) -> Statement:
    thing = qualified(owner, table) + (f".{quote_name(column)}" if column else "")
    return made("comment_on", what="COLUMN" if column else "TABLE", thing=thing, text=text_literal(text))


def take_rows(owner: str, table: str, piece: str, columns: Sequence[str]) -> Statement:
    return made("rows_take", table=qualified(owner, table), piece=qualified(owner, piece), columns=listed(columns))


def insert_rows(owner: str, table: str, columns: Sequence[str]) -> Statement:
    values = ", ".join(f":{n}" for n, _ in enumerate(columns, 1))
    return made("rows_insert", table=qualified(owner, table), columns=listed(columns), values=values)


def deliver(owner: str, names: Sequence[str], readers: Sequence[str]) -> Statement:
    """All grants in one transaction: the copy is seen whole or not at all."""
    to = ", ".join(quote_name(reader) for reader in readers)
    grants = " ".join(f"GRANT SELECT ON {qualified(owner, name)} TO {to}" for name in names)
    return made("deliver", owner=quote_name(owner), grants=grants)


def written(name: str, /, **binds: Any) -> Statement:
    """A row of Drydock's own tables."""
    file = sql_file("oracle", FOLDER, name)
    return Statement(file, compose(file), binds)


def made(name: str, /, **parts: str) -> Statement:
    """Only for this package: `parts` come out of quoting functions."""
    file = sql_file("oracle", FOLDER, name)
    return Statement(file, compose(file, parts))


def listed(columns: Sequence[str]) -> str:
    return ", ".join(quote_name(c) for c in columns)


def own_question(table: str, columns: Sequence[str]) -> str:
    """All rows of one of Drydock's own tables, or (of `*`) their number."""
    chosen = [exp.Count(this=exp.Star())] if not columns else [exp.column(c) for c in columns]
    return exp.Select(expressions=chosen).from_(exp.to_table(table)).sql(dialect="oracle")

"""Reads the definitions of schemas: of a source, what its copy is built from; of a copy, what is built there already.

Every name but those of pg_catalog is asked for with its schema, and every value as this session would read it again, whatever
the site has set for the account. How the session wrote before is put back. Nothing of a row is read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from drydock.engines.postgres_tokens import NoExpression, Sort, tokens
from drydock.masking.postgres import facts as f

Row = dict[str, Any]
Ask = Callable[[str, Mapping[str, Any]], Sequence[Row]]
"""Name of a file of this pipeline and its binds -> its rows."""
PLAIN = {
    "search_path": "",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "extra_float_digits": "1",
    "standard_conforming_strings": "on",
    "quote_all_identifiers": "off",
    "bytea_output": "hex",
}
_KINDS = {"r": "table", "p": "partitioned", "f": "foreign"}
_CONSTRAINTS = {"c": "check", "p": "primary", "u": "unique", "x": "exclusion", "f": "foreign", "n": "not_null"}
_IDENTITIES = {"d": "default", "n": "nothing", "f": "full", "i": "index"}


def read_definitions(ask: Ask, schemas: Sequence[str]) -> f.Definitions:
    """The definitions of these schemas; of one that is not there, nothing. Raises what `ask` raises."""
    binds = {"schemas": list(schemas)}
    with _plainly(ask):
        rows = {name: ask(f"definition_{name}", binds) for name in _FILES}
        session, extensions = ask("definition_session", {})[0], ask("definition_extensions", {})
    types, columns = rows["types"], _by_table(rows["columns"])
    return f.Definitions(
        version=session["version"],
        role=session["role"],
        default_readers=tuple(session["default_readers"]),
        schemas=tuple(f.SchemaDef(open_to=row["open_to"], **_same(row, "name", "comment", "owner")) for row in rows["schemas"]),
        enums=tuple(_enum(row) for row in types if row["kind"] == "e"),
        domains=tuple(_domain(row) for row in types if row["kind"] == "d"),
        odd_types=tuple(_name(row) for row in types if row["kind"] not in "ed"),
        sequences=tuple(_sequence(row) for row in rows["sequences"]),
        tables=tuple(_table(row, columns[_name(row)]) for row in rows["tables"]),
        constraints=tuple(_constraint(row) for row in rows["constraints"]),
        indexes=tuple(_index(row) for row in rows["indexes"]),
        statistics=tuple(_statistics(row) for row in rows["statistics"]),
        of_extensions={f"{row['schema_name']}.{row['name']}": row["extension"] for row in extensions},
        left=tuple(f.LeftDef(what=row["what"], place=row["place"], count=row["amount"]) for row in rows["left"]),
    )


_FILES = ("schemas", "types", "sequences", "tables", "columns", "constraints", "indexes", "statistics", "left")


@contextmanager
def _plainly(ask: Ask) -> Iterator[None]:
    before = ask("reading_settings", {})[0]
    ask("set_reading_settings", PLAIN)
    try:
        yield
    finally:
        ask("set_reading_settings", {name: before[name] for name in PLAIN})


def _name(row: Row, of: str = "") -> f.Name:
    return (row[f"{of}_schema"], row[f"{of}_name"]) if of else (row["schema_name"], row["name"])


def _name_or_none(row: Row, of: str) -> f.Name | None:
    return None if row[f"{of}_schema"] is None else _name(row, of)


def _by_table(rows: Sequence[Row]) -> dict[f.Name, list[Row]]:
    found: dict[f.Name, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["schema_name"], row["table_name"]].append(row)
    return found


def _options(texts: Sequence[str], before: str = "") -> dict[str, str]:
    return {before + name: value for name, _, value in (text.partition("=") for text in texts)}


def _same(row: Row, *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _enum(row: Row) -> f.EnumDef:
    return f.EnumDef(name=_name(row), labels=tuple(row["labels"]), comment=row["comment"])


def _domain(row: Row) -> f.DomainDef:
    checks = zip(row["check_names"], row["check_definitions"], row["check_comments"], strict=True)
    return f.DomainDef(
        name=_name(row),
        below=_name_or_none(row, "base"),
        default=row["default_expression"],
        checks=tuple(
            f.ConstraintDef(table=_name(row), name=name, kind="check", definition=text, comment=comment)
            for name, text, comment in checks
        ),
        **_same(row, "base", "collation", "not_null", "comment"),
    )


def _sequence(row: Row) -> f.SequenceDef:
    same = (
        "data_type",
        "start",
        "increment",
        "minimum",
        "maximum",
        "cache",
        "cycles",
        "last_value",
        "is_readable",
        "is_identity",
    )
    owner = (row["owner_schema"], row["owner_table"]) if row["owner_table"] is not None else None
    return f.SequenceDef(
        name=_name(row),
        owner=owner,
        owner_column=row["owner_column"] or "",
        **_same(row, *same, "is_readable", "is_identity", "comment"),
    )


def _table(row: Row, columns: Sequence[Row]) -> f.TableDef:
    same = ("level", "bound", "division", "method", "is_unlogged", "is_inherited", "is_typed", "comment")
    return f.TableDef(
        name=_name(row),
        kind=_KINDS[row["kind"]],
        parent=_name_or_none(row, "parent"),
        root=_name(row, "root"),
        columns=tuple(_column(column) for column in columns),
        options=_options(row["options"]) | _options(row["toast_options"], "toast."),
        identity=_IDENTITIES[row["replica_identity"]],
        identity_index=row["identity_index"] or "",
        **_same(row, *same),
    )


def _column(row: Row) -> f.ColumnDef:
    same = (
        "name",
        "type",
        "family",
        "not_null",
        "generated",
        "identity",
        "collation",
        "storage",
        "compression",
        "target",
        "comment",
    )
    return f.ColumnDef(
        default=row["default_expression"],
        options=_options(row["options"]),
        uses=tuple((schema, name) for schema, name in row["uses"]),
        **_same(row, *same, "comment"),
    )


def _constraint(row: Row) -> f.ConstraintDef:
    return f.ConstraintDef(
        table=(row["schema_name"], row["table_name"]),
        kind=_CONSTRAINTS[row["kind"]],
        parent=row["parent"] or "",
        columns=tuple(row["columns"]),
        other=_name_or_none(row, "other"),
        **_same(row, "name", "definition", "comment"),
    )


def _index(row: Row) -> f.IndexDef:
    return f.IndexDef(
        table=(row["schema_name"], row["table_name"]),
        body=_from_using(row["definition"]),
        parent=row["parent"] or "",
        constraint=row["constraint_name"] or "",
        targets=dict(tuple(pair) for pair in row["targets"]),
        **_same(row, "name", "is_unique", "is_clustered", "comment"),
    )


def _statistics(row: Row) -> f.StatisticsDef:
    return f.StatisticsDef(
        name=_name(row),
        table=(row["table_schema"], row["table_name"]),
        body=_after_name(row["definition"]),
        **_same(row, "target", "comment"),
    )


def _from_using(definition: str) -> str:
    """What stands in CREATE INDEX from the keyword USING on: the server writes keywords in capitals, names never so."""
    found = tokens(definition)
    at = next((at for at, token in enumerate(found) if token.written == "USING"), None)
    if at is None:
        raise NoExpression("an index definition without USING")
    return "".join(token.written for token in found[at:])


def _after_name(definition: str) -> str:
    """What stands in CREATE STATISTICS after schema and name."""
    found = tokens(definition)
    words = [at for at, token in enumerate(found) if token.sort is not Sort.SPACE]
    if len(words) < 6 or found[words[3]].written != ".":
        raise NoExpression("a definition of statistics without its name")
    return "".join(token.written for token in found[words[5] :])

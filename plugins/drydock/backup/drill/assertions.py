"""What a restored copy must say to be believed: declared questions with declared answers, asked of the copy itself.

An empty table is a fault unless the declaration says that empty is right; a foreign key is asked of the rows, not of
the constraint; and a table that cannot be asked leaves the answer UNKNOWN. Only counts and times leave the copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from drydock.backup.drill.restored_copy import question
from drydock.estate import Assertion
from drydock.verdicts import Finding, Status

DEFAULT_SCHEMA = "public"
READABLE_KINDS = ("r", "p", "m")  # table, partitioned table, materialised view: reading runs no code and stays inside
CLOCK_TOLERANCE = timedelta(minutes=10)  # an application's clock may run ahead of the commit that it writes
OPERATOR_NAME = re.compile(r"[-+*/<>=~!@#%^&|`?]{1,63}")

Connection = psycopg.Connection[dict]


def check_assertions(
    connection: Connection, assertions: Iterable[Assertion], reference: datetime, zone: ZoneInfo
) -> list[Finding]:
    """Ask every declared question; returns what was answered wrongly.

    `reference`: the point to which the copy was recovered; `zone`: of columns without a time zone, and of the session.
    Raises psycopg.Error only where the connection is lost.
    """
    findings: list[Finding] = []
    for assertion in assertions:
        try:
            findings += _check(connection, assertion, reference, zone)
        except psycopg.Error as e:
            if connection.broken:
                raise
            findings.append(_failed(assertion, Status.FAIL, "answer", _first_line(e)))
    return findings


def _check(connection: Connection, assertion: Assertion, reference: datetime, zone: ZoneInfo) -> list[Finding]:
    schema, table = split_name(assertion.table)
    found = connection.execute(question("drill_table"), {"schema": schema, "table": table}).fetchone()
    if found is None:
        return [_failed(assertion, Status.FAIL, "table exists", "no such table")]
    if found["kind"] not in READABLE_KINDS or found["foreign_parts"]:
        kind = f"relkind = {found['kind']}, foreign tables below it = {found['foreign_parts']}"
        return [_failed(assertion, Status.UNKNOWN, f"relkind in {', '.join(READABLE_KINDS)}", kind)]
    name = sql.Identifier(schema, table)
    if assertion.kind == "row_count":
        return _check_row_count(connection, assertion, name)
    if assertion.kind == "newest_row":
        return _check_newest_row(connection, assertion, name, reference, zone)
    return _check_foreign_keys(connection, assertion, name, found["oid"])


def split_name(table: str) -> tuple[str, str]:
    """Schema and table of a declared name, exactly as it is written; without a schema it is `public`."""
    schema, dot, name = table.partition(".")
    return (schema, name) if dot else (DEFAULT_SCHEMA, schema)


def _check_row_count(connection: Connection, assertion: Assertion, name: sql.Identifier) -> list[Finding]:
    rows = connection.execute(question("drill_row_count").format(table=name)).fetchone()["rows"]
    if rows >= assertion.at_least:
        return []
    return [_failed(assertion, Status.FAIL, f"rows >= {assertion.at_least}", f"rows = {rows}")]


def _check_newest_row(
    connection: Connection, assertion: Assertion, name: sql.Identifier, reference: datetime, zone: ZoneInfo
) -> list[Finding]:
    """Rows dated after the copy's own time are no proof of fresh data: one of the year 2099 would do for ever."""
    query = question("drill_newest_row").format(table=name, column=sql.Identifier(assertion.column))
    binds = {"latest": reference + CLOCK_TOLERANCE}
    newest = _aware(connection.execute(query, binds).fetchone()["newest"], zone)
    oldest = reference - timedelta(hours=assertion.no_older_than_hours)
    if newest is not None and newest >= oldest:
        return []
    found = f"{newest.astimezone(zone):%Y-%m-%d %H:%M %z}" if newest else "NULL"
    expected = f"max({assertion.column}) >= {oldest.astimezone(zone):%Y-%m-%d %H:%M %z}"
    return [_failed(assertion, Status.FAIL, expected, f"max({assertion.column}) = {found}")]


def _aware(value: object, zone: ZoneInfo) -> datetime | None:
    """A time column's value as an aware time: a date counts to its end, a local time is in `zone`."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=zone)
    if isinstance(value, date):
        return datetime.combine(value, time.max, tzinfo=zone)
    if value is None:
        return None
    raise psycopg.DataError(f"the column is not a time but {type(value).__name__}")


def _check_foreign_keys(connection: Connection, assertion: Assertion, child: sql.Identifier, oid: int) -> list[Finding]:
    """Re-check every foreign key of the table against the rows of its parent."""
    keys = connection.execute(question("drill_foreign_keys"), {"oid": oid}).fetchall()
    if not keys:
        return [_failed(assertion, Status.UNKNOWN, "foreign keys > 0", "foreign keys = 0")]
    findings = []
    for key in keys:
        orphans = connection.execute(orphans_query(child, key)).fetchone()["orphans"]
        if orphans:
            findings.append(_failed(assertion, Status.FAIL, "orphans = 0", f"orphans = {orphans}", key["name"]))
    return findings


def orphans_query(child: sql.Identifier, key: dict) -> sql.Composed:
    """The anti-join of one foreign key, with the key's own operators and every name quoted by the driver."""
    columns = list(zip(key["child_columns"], key["parent_columns"], key["operator_schemas"], key["operators"], strict=True))
    present = sql.SQL(" AND ").join(sql.SQL("c.{} IS NOT NULL").format(sql.Identifier(column)) for column, *_ in columns)
    match = sql.SQL(" AND ").join(_equality(*column) for column in columns)
    parent = sql.Identifier(key["parent_schema"], key["parent_table"])
    return question("drill_orphans").format(child=child, parent=parent, present=present, match=match)


def _equality(child_column: str, parent_column: str, operator_schema: str, operator: str) -> sql.Composed:
    if not OPERATOR_NAME.fullmatch(operator):
        raise psycopg.DataError("the dictionary names an operator that cannot be one")
    return sql.SQL("p.{} OPERATOR({}.{}) c.{}").format(
        sql.Identifier(parent_column), sql.Identifier(operator_schema), sql.SQL(operator), sql.Identifier(child_column)
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _failed(assertion: Assertion, status: Status, expected: str, found: str, detail: str = "") -> Finding:
    place = f"{assertion.table}: {assertion.name}" + (f" ({detail})" if detail else "")
    values = {"assertion": assertion.name, "table": assertion.table, "expected": expected, "found": found}
    return Finding(code="assertion_failed", status=status, place=place, values=values)

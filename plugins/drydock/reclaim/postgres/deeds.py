"""The changes of `reclaim` as values, each from its file; tables by oid where a function of ours does it, else by name."""

from __future__ import annotations

from drydock.engines.postgres_statements import Statement, statement
from drydock.reclaim.postgres.facts import PIPELINE

MACHINERY, ROOM = "drydock_reclaim", "drydock_reclaim_new"
"""Schemas of ours: functions, log and state; and the copy, which has the table's own name there."""
FUNCTIONS = (
    "key_of",
    "key_condition",
    "key_columns",
    "row_columns",
    "column_numbers",
    "full_name",
    "grant_like",
    "describe",
    "has_dependents",
    "violated_keys",
    "make_shadow",
    "start_log",
    "copy_pages",
    "drain_text",
    "drain",
    "build_index",
    "finish_index",
    "finish_shadow",
    "refuse",
    "take_over",
)


def set_up() -> tuple[Statement, ...]:
    """Schemas, state and functions of one copy; together, so that there is all of it or nothing."""
    schemas = [statement(PIPELINE, "create_schema", {"schema": name}) for name in (MACHINERY, ROOM)]
    tables = [statement(PIPELINE, name) for name in ("create_state", "create_pending", "create_violated")]
    return (*schemas, *tables, *(statement(PIPELINE, f"function_{name}") for name in FUNCTIONS))


def call(name: str, table_oid: int, **more: int) -> Statement:
    """One of the functions on a table: make_shadow, start_log, copy_all, copy_pages, drain, build_index, finish_shadow, ..."""
    return statement(PIPELINE, name, binds={"table": table_oid, **more})


def tear_down() -> tuple[Statement, ...]:
    """The machinery first, and with it the trigger: from then on nobody writes into the log."""
    return tuple(statement(PIPELINE, "drop_schema", {"schema": name}) for name in (MACHINERY, ROOM))


def drop_old(table: str) -> Statement:
    """The table that a copy has replaced. RESTRICT: what others hung on it stays, and it with that."""
    return statement(PIPELINE, "drop_old_table", {"table": (MACHINERY, table)})


def validate(schema: str, table: str, name: str) -> Statement:
    return statement(PIPELINE, "validate_foreign_key", {"table": (schema, table), "name": name})


def on_table(action: str, schema: str, table: str) -> Statement:
    """vacuum_truncate, vacuum_full, repack_concurrently."""
    return statement(PIPELINE, action, {"table": (schema, table)})

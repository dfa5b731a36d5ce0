"""Every typed change of the product, as it is tried on the seeded schema: what it needs, and what it must end with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import oracledb

from drydock.engines import oracle_statements as made
from drydock.engines.oracle_statements import Segment, Statement
from tests.oracle import copy_changes, schema
from tests.oracle.yard import Yard

Build = Callable[[str], Statement]


@dataclass(frozen=True)
class Change:
    """One rendering. `build` takes the owner of the schema; `code`: the error it must end with, '' for success.

    `code_without`: the error where Partitioning or online operations are not there. `outs`: what its OUT values must hold.
    """

    name: str
    build: Build = field(repr=False)
    needs: tuple[str, ...] = ("declarations",)
    code: str = ""
    option: str = ""
    outs: Callable[[dict], bool] = field(default=lambda outs: True, repr=False)


def _table(name: str = "DECLARATIONS", partition: str = "") -> Callable[[str], Segment]:
    return lambda owner: Segment(owner, name, partition)


TABLE, INDEX = _table(), _table("DECLARATIONS_NAME")
PART, LOCAL = _table("MOVES", "P1"), _table("MOVES_ID", "P1")
PARTITIONED = ("partitioned",)
HOLES = ("declarations", "holes")
ONLINE = "Online Index Build"


def _changes() -> list[Change]:
    """In this order: a table is shrunk only while its rows may move, an index is rebuilt online after it was built anew."""
    return [
        Change(
            "space_usage/table with holes",
            lambda o: made.space_usage(TABLE(o), "TABLE"),
            HOLES,
            outs=lambda outs: (outs["fs3_blocks"] or 0) + (outs["fs4_blocks"] or 0) > 50,
        ),
        Change("table_shrink/rows may not move", lambda o: made.shrink(TABLE(o)), HOLES, "ORA-10636"),
        Change("row_movement/on", lambda o: made.row_movement(TABLE(o), enabled=True)),
        Change("table_shrink/compact", lambda o: made.shrink(TABLE(o), compact=True), HOLES),
        Change("table_shrink/cascade", lambda o: made.shrink(TABLE(o), cascade=True), HOLES),
        Change(
            "space_usage/after the shrink",
            lambda o: made.space_usage(TABLE(o), "TABLE"),
            HOLES,
            outs=lambda outs: (outs["fs3_blocks"] or 0) + (outs["fs4_blocks"] or 0) < 20,
        ),
        Change("shrink_check/it can", lambda o: made.shrink_check(TABLE(o)), HOLES, "ORA-10655"),
        Change("row_movement/off", lambda o: made.row_movement(TABLE(o), enabled=False)),
        Change("shrink_check/rows may not move", lambda o: made.shrink_check(TABLE(o)), HOLES, "ORA-10636"),
        Change("unused_space/table", lambda o: made.unused_space(TABLE(o), "TABLE"), outs=lambda outs: outs["total_blocks"] > 0),
        Change(
            "create_index_cost/table",
            lambda o: made.create_index_cost(TABLE(o), ["NAME"]),
            outs=lambda outs: outs["alloc_bytes"] >= outs["used_bytes"] >= 0,
        ),
        Change("has_row/table", lambda o: made.has_row(TABLE(o)), outs=lambda outs: outs["found"] == 1),
        Change("deallocate_unused/table", lambda o: made.deallocate_unused(TABLE(o))),
        Change("table_move/offline", lambda o: made.move(TABLE(o), online=False)),
        Change("index_rebuild/offline", lambda o: made.rebuild(INDEX(o), online=False)),
        Change("index_rebuild/primary key", lambda o: made.rebuild(_table("DECLARATIONS_PK")(o), online=False)),
        Change("index_rebuild/online, parallel", lambda o: made.rebuild(INDEX(o), online=True, degree=2), option=ONLINE),
        Change("index_degree/none", lambda o: made.index_degree(INDEX(o), None)),
        Change("index_degree/two", lambda o: made.index_degree(INDEX(o), 2)),
        Change("index_logging/off", lambda o: made.index_logging(INDEX(o), logging=False)),
        Change("index_logging/on", lambda o: made.index_logging(INDEX(o), logging=True)),
        Change("index_coalesce/plain", lambda o: made.coalesce(INDEX(o))),
        Change("index_shrink/compact", lambda o: made.shrink_index(INDEX(o), compact=True)),
        Change("index_shrink/plain", lambda o: made.shrink_index(INDEX(o))),
        Change("index_degree/default", lambda o: made.index_degree(INDEX(o), "DEFAULT")),
        Change("index_degree/none again", lambda o: made.index_degree(INDEX(o), None)),
        Change("index_rebuild/no such index", lambda o: made.rebuild(_table("NOTHING")(o), online=False), (), "ORA-01418"),
        Change("table_move/no such table", lambda o: made.move(_table("NOTHING")(o), online=False), (), "ORA-00942"),
        Change("gather_table_stats/cascade", lambda o: made.gather_table_stats(TABLE(o), cascade=True)),
        Change("row_movement/partitioned", lambda o: made.row_movement(_table("MOVES")(o), enabled=True), PARTITIONED),
        Change("partition_shrink/plain", lambda o: made.shrink(PART(o)), PARTITIONED),
        Change("partition_move/offline", lambda o: made.move(PART(o), online=False), PARTITIONED),
        Change("index_partition_rebuild/offline", lambda o: made.rebuild(LOCAL(o), online=False), PARTITIONED),
        Change(
            "partition_move/online", lambda o: made.move(PART(o), online=True, update_indexes=True), PARTITIONED, option=ONLINE
        ),
        Change("index_partition_rebuild/online", lambda o: made.rebuild(LOCAL(o), online=True), PARTITIONED, option=ONLINE),
        Change("index_partition_coalesce/plain", lambda o: made.coalesce(LOCAL(o)), PARTITIONED),
        Change("gather_table_stats/partition", lambda o: made.gather_table_stats(PART(o), granularity="PARTITION"), PARTITIONED),
        Change("space_usage/partition", lambda o: made.space_usage(PART(o), "TABLE PARTITION"), PARTITIONED),
        Change("shrink_check/partition", lambda o: made.shrink_check(PART(o)), PARTITIONED, "ORA-10655"),
        Change("deallocate_unused/partition", lambda o: made.deallocate_unused(PART(o)), PARTITIONED),
        Change("has_row/partition", lambda o: made.has_row(PART(o)), PARTITIONED, outs=lambda outs: outs["found"] in (0, 1)),
        Change("truncate_partition/plain", lambda o: made.truncate_partition(PART(o)), PARTITIONED),
        Change("shrink_lob/no such table", lambda o: made.shrink_lob(_table("NOTHING")(o), "C"), (), "ORA-00942"),
        Change("shrink_lob/no such partition table", lambda o: made.shrink_lob(_table("NOTHING", "P")(o), "C"), (), "ORA-00942"),
        Change(
            "move_lob/no such table", lambda o: made.move_lob(_table("NOTHING")(o), "C", "USERS", online=False), (), "ORA-00942"
        ),
        Change(
            "move_lob/no such partition table",
            lambda o: made.move_lob(_table("NOTHING", "P")(o), "C", "USERS", online=False),
            (),
            "ORA-00942",
        ),
        Change("securefile_usage/no such LOB", lambda o: made.securefile_usage(_table("NOTHING")(o), "LOB"), (), "ORA-00942"),
        Change("index_rebuild/unusable", lambda o: made.rebuild(_table("BROKEN_IX")(o), online=False), ("unusable",)),
    ]


def _hostile_changes() -> list[Change]:
    """The same few statements on names that try to end them."""
    found = []
    for name in (*schema.HOSTILE_NAMES, schema.LONGEST_SINCE_12_2):
        short = name if len(name) < 40 else f"{len(name)} characters"
        found += [
            Change(f"row_movement/{short}", lambda o, n=name: made.row_movement(_table(n)(o), enabled=True), ("hostile",)),
            Change(f"table_shrink/{short}", lambda o, n=name: made.shrink(_table(n)(o)), ("hostile",)),
            Change(f"gather_table_stats/{short}", lambda o, n=name: made.gather_table_stats(_table(n)(o)), ("hostile",)),
            Change(f"space_usage/{short}", lambda o, n=name: made.space_usage(_table(n)(o), "TABLE"), ("hostile",)),
        ]
    return found


def catalogue() -> list[Change]:
    """All of them, in order."""
    copies = [Change(name, build, (), code) for name, build, code in copy_changes.steps()]
    return _changes() + _hostile_changes() + copies


def execute_text(connection: oracledb.Connection, statement: Statement) -> dict:
    """Send the rendered text as the engine does, without the guard of editions; returns the OUT values."""
    with connection.cursor() as cursor:
        outs = {name: cursor.var(kind) for name, kind in statement.outs.items()}
        cursor.execute(statement.text, {**statement.binds, **outs}, fetch_lobs=False, fetch_decimals=True)
        return {name: variable.getvalue() for name, variable in outs.items()}


def why_not(yard: Yard, change: Change) -> str:
    """Why a change cannot be tried on this server; '' where it can."""
    if "partitioned" in change.needs and "Partitioning" not in yard.facts.options:
        return "this server has no Partitioning"
    if change.option and change.option not in yard.facts.options:
        return f"this server lacks the option {change.option}"
    if "128 characters" in change.name and yard.facts.version < (12, 2):
        return "names of 128 bytes come with 12.2"
    missing = next((step for step in change.needs if not yard.can(step)), "")
    return f"the server is a simulator and cannot {missing}: {yard.gaps[missing]}" if missing else ""

"""Columns, comments, constraints, objects and LOBs in the dictionary (Database Reference 19c)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sandbox.oracle.backend import OraType
from sandbox.oracle.model.making import column_bytes
from sandbox.oracle.model.storage import Storage
from sandbox.oracle.model.stored import Constraint, LobColumn, Piece, StoredTable
from sandbox.oracle.model.tables import TableColumn
from sandbox.oracle.views_storage_tables import Row, storage_view, yes

LENGTHS = {OraType.NUMBER: 22, OraType.DATE: 7, OraType.TIMESTAMP: 11, OraType.CLOB: 4000, OraType.BLOB: 4000}
CHARACTERS = (OraType.VARCHAR2, OraType.CHAR)
SCALED = {OraType.TIMESTAMP: "TIMESTAMP(6)", OraType.TIMESTAMP_TZ: "TIMESTAMP(6) WITH TIME ZONE"}


@storage_view("DBA_TAB_COLUMNS")
def dba_tab_columns(storage: Storage) -> Iterator[Row]:
    """Lengths from the declaration; figures of values once the table was analysed."""
    for table in storage.tables.values():
        lobs = {o.column for o in table.lobs}
        for position, column in enumerate(table.columns, 1):
            yield column_row(storage, table, column, position, column.name in lobs)
        yield from odd_columns(table)


def odd_columns(table: StoredTable) -> Iterator[Row]:
    """Columns that the model keeps no values of: a LONG, and one of an object type."""
    row = {"OWNER": table.owner, "TABLE_NAME": table.name, "NULLABLE": "Y", "DATA_LENGTH": 0}
    if table.has_long:
        yield row | {"COLUMN_NAME": "LONG_TEXT", "DATA_TYPE": "LONG", "COLUMN_ID": len(table.columns) + 1}
    if table.has_object_type:
        odd = {"COLUMN_NAME": "PLACE", "DATA_TYPE": "SDO_GEOMETRY", "DATA_TYPE_OWNER": "MDSYS"}
        yield row | odd | {"COLUMN_ID": len(table.columns) + 2}


def column_row(storage: Storage, table: StoredTable, column: TableColumn, position: int, is_lob: bool) -> Row:
    is_number, is_text = column.type is OraType.NUMBER, column.type in CHARACTERS
    at = table.columns_gathered_at
    return {
        "OWNER": table.owner,
        "TABLE_NAME": table.name,
        "COLUMN_NAME": column.name,
        "DATA_TYPE": SCALED.get(column.type, column.type.value),
        "DATA_LENGTH": LENGTHS.get(column.type, column.size),
        "DATA_PRECISION": (column.precision or None) if is_number else None,
        "DATA_SCALE": column.scale if is_number and column.scale != -127 else None,
        "NULLABLE": "Y" if column.nullable else "N",
        "COLUMN_ID": position,
        "DATA_DEFAULT": None if column.default is None else str(column.default),
        "DEFAULT_LENGTH": None if column.default is None else len(str(column.default)),
        "CHARACTER_SET_NAME": "CHAR_CS" if is_text else None,
        "CHAR_LENGTH": column.size if is_text else 0,
        "CHAR_USED": "B" if is_text else None,
        "AVG_COL_LEN": round(column_bytes(column)) if at else None,
        "NUM_DISTINCT": max(1, table.rows // 10) if at else None,
        "NUM_NULLS": 0 if at else None,
        "HISTOGRAM": "NONE",
        "LAST_ANALYZED": at and storage.database.local(at),
        "IDENTITY_COLUMN": "NO",
        "DEFAULT_ON_NULL": "NO",
    }


@storage_view("DBA_TAB_COMMENTS")
def dba_tab_comments(storage: Storage) -> Iterator[Row]:
    for table in storage.tables.values():
        row = {"OWNER": table.owner, "TABLE_NAME": table.name, "TABLE_TYPE": "TABLE"}
        yield row | {"COMMENTS": table.comment or None, "ORIGIN_CON_ID": 0}


@storage_view("DBA_COL_COMMENTS")
def dba_col_comments(storage: Storage) -> Iterator[Row]:
    for table in storage.tables.values():
        for column in table.columns:
            row = {"OWNER": table.owner, "TABLE_NAME": table.name, "COLUMN_NAME": column.name}
            yield row | {"COMMENTS": column.comment or None, "ORIGIN_CON_ID": 0}


@storage_view("DBA_CONSTRAINTS")
def dba_constraints(storage: Storage) -> Iterator[Row]:
    for table in storage.tables.values():
        for constraint in table.constraints:
            yield constraint_row(storage, table, constraint)


def constraint_row(storage: Storage, table: StoredTable, constraint: Constraint) -> Row:
    owner, key = constraint.refers_to or (None, None)
    return {
        "OWNER": table.owner,
        "CONSTRAINT_NAME": constraint.name,
        "CONSTRAINT_TYPE": constraint.kind,
        "TABLE_NAME": table.name,
        "SEARCH_CONDITION": constraint.condition or None,
        "SEARCH_CONDITION_VC": constraint.condition or None,
        "R_OWNER": owner,
        "R_CONSTRAINT_NAME": key,
        "DELETE_RULE": "NO ACTION" if constraint.kind == "R" else None,
        "STATUS": "ENABLED" if constraint.is_enabled else "DISABLED",
        "DEFERRABLE": "NOT DEFERRABLE",
        "DEFERRED": "IMMEDIATE",
        "VALIDATED": "VALIDATED" if constraint.is_enabled else "NOT VALIDATED",
        "GENERATED": "GENERATED NAME" if constraint.is_generated else "USER NAME",
        "LAST_CHANGE": storage.database.local(table.created_at),
        "INDEX_OWNER": table.owner if constraint.index_name else None,
        "INDEX_NAME": constraint.index_name or None,
        "ORIGIN_CON_ID": 0,
    }


@storage_view("DBA_CONS_COLUMNS")
def dba_cons_columns(storage: Storage) -> Iterator[Row]:
    for table in storage.tables.values():
        for constraint in table.constraints:
            for position, column in enumerate(constraint.columns, 1):
                yield {
                    "OWNER": table.owner,
                    "CONSTRAINT_NAME": constraint.name,
                    "TABLE_NAME": table.name,
                    "COLUMN_NAME": column,
                    "POSITION": position if constraint.kind != "C" else None,
                }


@storage_view("DBA_OBJECTS")
def dba_objects(storage: Storage) -> Iterator[Row]:
    """Tables, indexes, LOBs with their partitions, and what killed sessions left. An object in pieces has no
    DATA_OBJECT_ID of its own."""
    for table in storage.tables.values():
        of = (table.owner, table.created_at, table.changed_at)
        own = None if table.is_partitioned else table.pieces[0].segment
        yield object_row(storage, of, table.name, None, table.object_id, own and own.data_object_id, "TABLE")
        for piece in pieces(table):
            kind = "TABLE SUBPARTITION" if piece.parent else "TABLE PARTITION"
            data = piece.segment and piece.segment.data_object_id
            yield object_row(storage, of, table.name, piece.name, piece.object_id, data, kind)
        for lob in table.lobs:
            yield from lob_objects(storage, table, lob)
        yield from index_objects(storage, table)
    for leftover in storage.leftovers:
        if leftover.kind != "TEMPORARY":
            of = (leftover.owner, leftover.since, leftover.since)
            yield object_row(storage, of, leftover.name, None, leftover.object_id, leftover.object_id, "TABLE")


def lob_objects(storage: Storage, table: StoredTable, lob: LobColumn) -> Iterator[Row]:
    """The LOB, and a partition of it for each of the table's. Their OBJECT_ID follows from the LOB's and their place."""
    of = (table.owner, table.created_at, table.changed_at)
    own = None if table.is_partitioned else table.pieces[0].lobs.get(lob.column)
    yield object_row(storage, of, lob.segment_name, None, lob.object_id, own and own.data_object_id, "LOB")
    for piece in pieces(table):
        kind = "LOB SUBPARTITION" if piece.parent else "LOB PARTITION"
        segment = piece.lobs.get(lob.column)
        number = lob.object_id * 10_000 + piece.object_id % 10_000
        yield object_row(storage, of, lob.segment_name, piece.name, number, segment and segment.data_object_id, kind)


def pieces(table: StoredTable) -> Iterator[Piece]:
    for piece in table.pieces if table.is_partitioned else ():
        yield piece
        yield from piece.children


def index_objects(storage: Storage, table: StoredTable) -> Iterator[Row]:
    for index in table.indexes:
        of = (index.owner, index.created_at, index.changed_at)
        own = None if index.is_partitioned else index.pieces[0].segment
        yield object_row(storage, of, index.name, None, index.object_id, own and own.data_object_id, "INDEX")
        for piece in index.pieces if index.is_partitioned else ():
            kind = "INDEX SUBPARTITION" if piece.parent else "INDEX PARTITION"
            data = piece.segment and piece.segment.data_object_id
            yield object_row(storage, of, index.name, piece.name, piece.object_id, data, kind)


def object_row(
    storage: Storage, of: tuple[str, datetime, datetime], name: str, part: str | None, number: int, data: Any, kind: str
) -> Row:
    owner, created, changed = of
    return {
        "OWNER": owner,
        "OBJECT_NAME": name,
        "SUBOBJECT_NAME": part,
        "OBJECT_ID": number,
        "DATA_OBJECT_ID": data,
        "OBJECT_TYPE": kind,
        "CREATED": storage.database.local(created),
        "LAST_DDL_TIME": storage.database.local(changed),
        "TIMESTAMP": storage.database.local(changed).strftime("%Y-%m-%d:%H:%M:%S"),
        "STATUS": "VALID",
        "TEMPORARY": "N",
        "GENERATED": "N",
        "SECONDARY": "N",
        "NAMESPACE": 4 if kind.startswith("INDEX") else 8 if kind.startswith("LOB") else 1,
        "SHARING": "NONE",
        "ORACLE_MAINTAINED": "N",
    }


def lob_figures(lob: LobColumn) -> Row:
    return {
        "CHUNK": lob.chunk_bytes,
        "PCTVERSION": None if lob.is_securefile else 10,
        "CACHE": "NO",
        "LOGGING": "YES",
        "ENCRYPT": "NO" if lob.is_securefile else "NONE",
        "COMPRESSION": "NO" if lob.is_securefile else "NONE",
        "DEDUPLICATION": "NO" if lob.is_securefile else "NONE",
        "IN_ROW": "YES",
        "SECUREFILE": yes(lob.is_securefile),
    }


@storage_view("DBA_LOBS")
def dba_lobs(storage: Storage) -> Iterator[Row]:
    for table in storage.tables.values():
        for lob in table.lobs:
            yield {
                "OWNER": table.owner,
                "TABLE_NAME": table.name,
                "COLUMN_NAME": lob.column,
                "SEGMENT_NAME": lob.segment_name,
                "INDEX_NAME": lob.index_name,
                "TABLESPACE_NAME": table.space_name,
                **lob_figures(lob),
                "FORMAT": "ENDIAN NEUTRAL",
                "PARTITIONED": yes(table.is_partitioned),
                "SEGMENT_CREATED": "N/A" if table.is_partitioned else yes(table.pieces[0].lobs),
                "RETENTION_TYPE": "DEFAULT" if lob.is_securefile else "NO",
            }


@storage_view("DBA_LOB_PARTITIONS")
def dba_lob_partitions(storage: Storage) -> Iterator[Row]:
    for table in storage.tables.values():
        for lob in table.lobs if table.is_partitioned else ():
            for piece in table.pieces:
                yield {
                    "TABLE_OWNER": table.owner,
                    "TABLE_NAME": table.name,
                    "COLUMN_NAME": lob.column,
                    "LOB_NAME": lob.segment_name,
                    "PARTITION_NAME": piece.name,
                    "LOB_PARTITION_NAME": piece.name,
                    "PARTITION_POSITION": piece.position,
                    "COMPOSITE": yes(piece.children),
                    "TABLESPACE_NAME": piece.space.name,
                    **lob_figures(lob),
                    "SEGMENT_CREATED": yes(lob.column in piece.lobs),
                }


@storage_view("DBA_LOB_SUBPARTITIONS")
def dba_lob_subpartitions(storage: Storage) -> Iterator[Row]:
    for table in storage.tables.values():
        for lob in table.lobs if table.is_partitioned else ():
            for piece in (child for parent in table.pieces for child in parent.children):
                yield {
                    "TABLE_OWNER": table.owner,
                    "TABLE_NAME": table.name,
                    "COLUMN_NAME": lob.column,
                    "LOB_NAME": lob.segment_name,
                    "LOB_PARTITION_NAME": piece.parent,
                    "SUBPARTITION_NAME": piece.name,
                    "LOB_SUBPARTITION_NAME": piece.name,
                    "SUBPARTITION_POSITION": piece.position,
                    "TABLESPACE_NAME": piece.space.name,
                    **lob_figures(lob),
                    "SEGMENT_CREATED": yes(lob.column in piece.lobs),
                }

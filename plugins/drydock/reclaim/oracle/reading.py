"""Rows of the dictionary as facts: once for the whole database, and once more for each table that is worth it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from drydock.changing.hands import Eyes, Row
from drydock.engines.oracle_admission import edition_of, version_of
from drydock.reclaim.oracle.facts import LOB_TYPES, IndexFacts, Piece, Statistics, TableFacts, Tablespace, TargetFacts

PIPELINE = "reclaim"
ONLINE_OPTIONS = ("Online Redefinition", "Online Index Build")
MARKS_SINCE, SCHEMAS_SINCE, IMMUTABLE_SINCE = (12, 2), (12, 1), (21,)
# file of the reads -> what a table named in it is
MARKING = {
    "queue_tables": "queue_table",
    "materialized_views": "view_container",
    "log_groups": "table_is_replicated",
    "archived_tables": "flashback_archived",
    "policies": "has_policy",
}
Key = tuple[str, str]


@dataclass
class Dictionary:
    """What was read once for the whole database. `pieces`: over the floor, the largest first."""

    target: TargetFacts
    tablespaces: dict[str, Tablespace]
    pieces: list[Piece]
    segments: int
    system_schemas: frozenset[str]
    floor_bytes: int = 0
    tables: dict[Key, TableFacts] = field(default_factory=dict)
    rows: dict[Key, Row] = field(default_factory=dict)
    read_only: frozenset[tuple[str, str, str]] = frozenset()

    def table(self, owner: str, name: str) -> TableFacts:
        """The table, or one that says that DBA_TABLES does not know it."""
        return self.tables.get((owner, name)) or TableFacts(owner, name, is_known=False)


def read_target(eyes: Eyes) -> TargetFacts:
    """Version, edition, options, and whether redo is mined. Raises ChangeFailed."""
    version = version_of(str(eyes.rows("session", "instance")[0]["version"]))
    edition = next((e for row in eyes.rows("session", "banner") if (e := edition_of(row["banner"]))), "")
    options = {row["name"] for row in eyes.rows("session", "options") if row["value"] == "TRUE"}
    mined = eyes.rows(PIPELINE, "replication")[0]
    return TargetFacts(
        version=version,
        edition=edition,
        has_partitioning="Partitioning" in options and edition == "EE",
        has_online=all(name in options for name in ONLINE_OPTIONS) and edition == "EE",
        mines_redo=mined["supplemental"] not in ("NO", None),
        captures=int(mined["captures"]) + (mined["supplemental_keys"] == "YES"),
    )


def read_dictionary(eyes: Eyes, floor_bytes: int) -> Dictionary:
    """Everything that is asked once. Raises ChangeFailed."""
    target = read_target(eyes)
    tablespaces = read_tablespaces(eyes)
    lobs = {(row["owner"], row["segment_name"]): row for row in eyes.rows(PIPELINE, "lobs")}
    rows = sorted(eyes.rows(PIPELINE, "segments", {"floor_bytes": floor_bytes}), key=lambda row: -int(row["bytes"]))
    schemas = eyes.rows(PIPELINE, "oracle_schemas") if target.version >= SCHEMAS_SINCE else []
    known = Dictionary(
        target=target,
        tablespaces=tablespaces,
        pieces=[_piece(row, tablespaces, lobs) for row in rows],
        segments=int(eyes.rows(PIPELINE, "segment_count")[0]["segments"]),
        system_schemas=frozenset(row["owner"] for row in schemas),
        floor_bytes=floor_bytes,
    )
    _read_tables(eyes, known, lobs_of_tables(lobs.values()))
    return known


def lobs_of_tables(rows: Iterable[Row]) -> set[Key]:
    """The tables that have LOB segments."""
    return {(row["owner"], row["table_name"]) for row in rows}


def read_tablespaces(eyes: Eyes) -> dict[str, Tablespace]:
    """All permanent tablespaces by name. Raises ChangeFailed."""
    return {
        row["name"]: Tablespace(
            name=row["name"],
            block_bytes=int(row["block_bytes"]),
            is_assm=row["management"] == "AUTO",
            status=row["status"],
            file_bytes=int(row["file_bytes"]),
            growable_bytes=int(row["growable_bytes"]),
            free_bytes=int(row["free_bytes"]),
        )
        for row in eyes.rows(PIPELINE, "tablespaces")
    }


def _piece(row: Row, tablespaces: Mapping[str, Tablespace], lobs: Mapping[Key, Row]) -> Piece:
    lob = lobs.get((row["owner"], row["name"])) if row["type"] in LOB_TYPES else None
    return Piece(
        type=row["type"],
        owner=row["owner"],
        table=lob["table_name"] if lob else row["name"],
        segment=row["name"],
        tablespace=tablespaces.get(row["tablespace"]) or Tablespace(row["tablespace"], status="UNKNOWN"),
        bytes=int(row["bytes"]),
        blocks=int(row["blocks"]),
        partition="" if lob else row["partition"] or "",
        segment_partition=row["partition"] or "",
        is_subpartition=row["type"] in ("TABLE SUBPARTITION", "LOB SUBPARTITION"),
        column=lob["column_name"] if lob else "",
        is_securefile=bool(lob) and lob["securefile"] == "YES",
    )


def _read_tables(eyes: Eyes, known: Dictionary, with_lobs: set[Key]) -> None:
    """Each table that has a segment over the floor."""
    wanted = {(p.owner, p.table) for p in known.pieces}
    marks = _read_marks(eyes, known)
    divided = {(r["owner"], r["name"]): r for r in eyes.rows(PIPELINE, "partitionings")}
    for row in eyes.rows(PIPELINE, "tables"):
        key = (row["owner"], row["name"])
        if key in wanted:
            known.rows[key] = row
            how = divided.get(key)
            known.tables[key] = _table(row, how, frozenset(marks.get(key, ())), key in with_lobs)


def _table(row: Row, how: Row | None, marks: frozenset[str], has_lobs: bool) -> TableFacts:
    return TableFacts(
        owner=row["owner"],
        name=row["name"],
        cluster=row["cluster_name"] or "",
        iot_type=row["iot_type"] or "",
        is_temporary=row["temporary"] == "Y",
        is_nested=row["nested"] == "YES",
        is_dropped=row["dropped"] == "YES",
        is_partitioned=row["partitioned"] == "YES",
        row_movement=row["row_movement"] == "ENABLED",
        is_read_only=row["read_only"] == "YES",
        partitioning=how["type"] if how else "",
        interval=(how["interval_expression"] or "") if how else "",
        def_compression=bool(how) and how["def_compression"] == "ENABLED",
        marks=marks,
        has_lobs=has_lobs,
    )


def _read_marks(eyes: Eyes, known: Dictionary) -> dict[Key, set[str]]:
    """What tables are beside being tables, by the lists of the dictionary."""
    marks: dict[Key, set[str]] = {}
    for name, mark in MARKING.items():
        for row in eyes.rows(PIPELINE, name):
            marks.setdefault((row["owner"], row["name"]), set()).add(mark)
    for row in eyes.rows(PIPELINE, "masters"):
        if row["refresh_mode"] == "COMMIT":
            marks.setdefault((row["owner"], row["name"]), set()).add("on_commit_view")
    for row in eyes.rows(PIPELINE, "view_logs"):
        marks.setdefault((row["owner"], row["log_table"]), set()).add("view_container")
        if row["rowids"] == "YES":
            marks.setdefault((row["owner"], row["name"]), set()).add("rowid_view")
    if known.target.version >= IMMUTABLE_SINCE:
        for row in eyes.rows(PIPELINE, "immutable_tables"):
            marks.setdefault((row["owner"], row["name"]), set()).add("immutable_table")
    if known.target.version >= MARKS_SINCE:
        rows = eyes.rows(PIPELINE, "marked_pieces")
        known.read_only = frozenset((r["owner"], r["name"], r["partition"] or "") for r in rows if r["read_only"] == "YES")
        for row in rows:
            if row["inmemory"] == "ENABLED":
                marks.setdefault((row["owner"], row["name"]), set()).add("in_memory")
    return marks


def read_table(eyes: Eyes, known: Dictionary, table: TableFacts, pieces: list[Piece]) -> tuple[TableFacts, list[Piece]]:
    """The table with what forbids a method, and its pieces with statistics, changes, scans and identity."""
    binds = {"owner": table.owner, "name": table.name}
    odd = eyes.rows(PIPELINE, "odd_columns", binds)
    leaves = eyes.rows(PIPELINE, "leaves", binds) if table.is_partitioned else []
    detailed = replace(
        table,
        has_long=any(row["type"] in ("LONG", "LONG RAW") for row in odd),
        has_object_type=any(row["type_owner"] for row in odd),
        indexes=read_indexes(eyes, binds),
        referring_keys=len(eyes.rows(PIPELINE, "referring_keys", binds)),
        last_position=max((int(row["position"]) for row in leaves), default=0),
    )
    told = {row["name"]: row for row in leaves} if leaves else {"": known.rows.get((table.owner, table.name), {})}
    changes = {row["partition"] or "": row for row in eyes.rows(PIPELINE, "modifications", binds)}
    scans = {row["partition"] or "": int(row["scans"] or 0) for row in eyes.rows(PIPELINE, "scans", binds)}
    places = _lob_places(eyes, binds) if any(p.is_lob and p.segment_partition for p in pieces) else {}
    made = [_placed(piece, places) for piece in pieces]
    sizes = {p.partition: p.bytes for p in made if not p.is_lob}
    made = [replace(p, table_bytes=sizes.get(p.partition, known.floor_bytes)) if p.is_lob else p for p in made]
    return detailed, [_detailed(known, p, told, changes, scans) for p in made]


def read_indexes(eyes: Eyes, table: Mapping[str, Any]) -> tuple[IndexFacts, ...]:
    """The indexes of one table, by its owner and name. Raises ChangeFailed."""
    return tuple(_index(row) for row in eyes.rows(PIPELINE, "indexes", table))


def _index(row: Row) -> IndexFacts:
    return IndexFacts(
        owner=row["owner"],
        name=row["name"],
        type=row["type"],
        is_join=row["join_index"] == "YES",
        is_local=row["locality"] == "LOCAL",
        bytes=int(row["bytes"] or 0),
        largest_bytes=int(row["largest_bytes"] or 0),
        tablespace=row["tablespace"] or "",
    )


def _lob_places(eyes: Eyes, binds: Mapping[str, Any]) -> dict[Key, str]:
    """(LOB segment, its partition) -> the partition of the table."""
    rows = eyes.rows(PIPELINE, "lob_pieces", binds)
    return {(row["segment_name"], row["lob_partition"]): row["partition"] for row in rows}


def _placed(piece: Piece, places: Mapping[Key, str]) -> Piece:
    if not piece.is_lob or not piece.segment_partition:
        return piece
    return replace(piece, partition=places.get((piece.segment, piece.segment_partition), ""))


def _detailed(
    known: Dictionary, piece: Piece, told: Mapping[str, Row], changes: Mapping[str, Row], scans: Mapping[str, int]
) -> Piece:
    row, change = told.get(piece.partition, {}), changes.get(piece.partition, {})
    compressed = row.get("compression") == "ENABLED"
    return replace(
        piece,
        pct_free=int(row.get("pct_free") if row.get("pct_free") is not None else 10),
        is_compressed=compressed,
        position=int(row.get("position") or 0),
        is_interval=row.get("is_interval") == "YES",
        is_read_only=(piece.owner, piece.table, piece.partition) in known.read_only,
        statistics=_statistics(row, change),
        scans=0 if piece.is_lob else scans.get(piece.partition, 0),
    )


def _statistics(row: Row, change: Row) -> Statistics:
    """Changes that were flushed before the last gathering are part of it."""
    analyzed, flushed = row.get("last_analyzed"), change.get("flushed_at")
    counts = bool(change) and not (analyzed and flushed and flushed < analyzed)
    return Statistics(
        rows=_whole(row.get("num_rows")) if analyzed else None,
        blocks=_whole(row.get("blocks")),
        row_bytes=_whole(row.get("avg_row_len")),
        analyzed_at=analyzed,
        inserts=int(change["inserts"] or 0) if counts else 0,
        deletes=int(change["deletes"] or 0) if counts else 0,
        is_truncated=counts and change["truncated"] == "YES",
        changed_at=flushed if change else None,
    )


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def identity_of(eyes: Eyes, owner: str, name: str, partition: str) -> str:
    """OBJECT_ID:DATA_OBJECT_ID of a table, LOB or one piece of it; '' where it is not there."""
    rows = eyes.rows(PIPELINE, "objects", {"owner": owner, "name": name})
    found = next((row for row in rows if (row["partition"] or "") == partition), None)
    return f"{found['object_id']}:{found['data_object_id'] or 0}" if found else ""

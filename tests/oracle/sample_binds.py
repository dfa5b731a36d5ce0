"""Values for every bind of a read file: `tests/unit/test_oracle_suite.py` fails when a file comes without its line here."""

from __future__ import annotations

from typing import Any

from drydock.sqlfiles import SqlFile, all_sql_files, parse_sql_file

UTC_DAY = {"begin_utc": "2026-11-20 16:00:00.000000", "end_utc": "2026-11-21 16:00:00.000000"}
ZONED_DAY = {f"{name.removesuffix('_utc')}_at": f"{text} +00:00" for name, text in UTC_DAY.items()}

SAMPLES: dict[str, dict[str, Any]] = {
    "audit/fga_count": ZONED_DAY,
    "audit/fga_records": ZONED_DAY,
    "audit/standard_count": ZONED_DAY,
    "audit/standard_records": ZONED_DAY,
    "audit/unified_count": UTC_DAY,
    "audit/unified_records": UTC_DAY,
    "audit/unified_count_12": UTC_DAY,
    "audit/unified_records_12": UTC_DAY,
    "changing/modifications": {"owner": "NOBODY", "name": "NOTHING"},
    "changing/plans": {"owner": "NOBODY", "name": "NOTHING"},
    "gate/running_beside": {"masking_id": 7},
    "gate/segment_room": {"owner": "SYS", "name": "TAB$", "partition": None},
    "masking/columns": {"owner": "NOBODY"},
    "masking/constraint_columns": {"owner": "NOBODY"},
    "masking/constraints": {"owner": "NOBODY"},
    "masking/extents": {"owner": "NOBODY", "name": "NOTHING"},
    "masking/identity_columns": {"owner": "NOBODY"},
    "masking/index_columns": {"owner": "NOBODY"},
    "masking/indexes": {"owner": "NOBODY"},
    "masking/invisible_columns": {"owner": "NOBODY"},
    "masking/partition_keys": {"owner": "NOBODY"},
    "masking/partitioned_tables": {"owner": "NOBODY"},
    "masking/partitions": {"owner": "NOBODY"},
    "masking/redaction_policies": {"owner": "NOBODY"},
    "masking/row_policies": {"owner": "NOBODY"},
    "masking/segments": {"owner": "NOBODY", "name": "NOTHING"},
    "masking/sequences": {"owner": "NOBODY"},
    "masking/tables": {"owner": "NOBODY"},
    "masking/external_tables": {"owner": "NOBODY"},
    "masking/write_rights": {"owner": "NOBODY"},
    "reclaim/constraints": {"owner": "NOBODY", "name": "NOTHING"},
    "reclaim/file_ends": {"tablespace": "USERS"},
    "reclaim/indexes": {"owner": "NOBODY", "name": "NOTHING"},
    "reclaim/leaves": {"owner": "NOBODY", "name": "NOTHING"},
    "reclaim/lob_pieces": {"owner": "NOBODY", "name": "NOTHING"},
    "reclaim/locked_statistics": {"owner": "NOBODY", "name": "NOTHING"},
    "reclaim/objects": {"owner": "NOBODY", "name": "NOTHING"},
    "reclaim/odd_columns": {"owner": "NOBODY", "name": "NOTHING"},
    "reclaim/referring_keys": {"owner": "NOBODY", "name": "NOTHING"},
    "reclaim/scans": {"owner": "NOBODY", "name": "NOTHING"},
    "reclaim/segment_now": {"owner": "NOBODY", "name": "NOTHING", "partition": None},
    "reclaim/segments": {"floor_bytes": 65536},
    "reclaim/table_now": {"owner": "NOBODY", "name": "NOTHING"},
    "reclaim/transactions": {"owner": "NOBODY", "name": "NOTHING"},
    "reclaim/unusable_indexes": {"owner": "NOBODY", "name": "NOTHING"},
    "reindex/index_now": {"owner": "NOBODY", "name": "NOTHING"},
    "reindex/key_columns": {"owner": "NOBODY", "name": "NOTHING"},
    "reindex/objects": {"owner": "NOBODY", "name": "NOTHING"},
    "reindex/pieces_now": {"owner": "NOBODY", "name": "NOTHING"},
    "reindex/reads": {"owner": "NOBODY", "name": "NOTHING"},
    "reindex/segments": {"owner": "NOBODY", "name": "NOTHING"},
    "reindex/table_facts": {"owner": "NOBODY", "name": "NOTHING"},
    "reindex/transactions": {"owner": "NOBODY", "name": "NOTHING"},
    "session/load_from_awr": {"hours": 24},
    "session/load_from_statspack": {"hours": 24},
}


def key_of(file: SqlFile) -> str:
    return f"{file.pipeline}/{file.name}"


def oracle_files(*kinds: str) -> list[SqlFile]:
    """Every file of include/sql/oracle of these kinds, in order."""
    files = [parse_sql_file(path) for path in all_sql_files() if path.parents[1].name == "oracle"]
    return [file for file in files if file.kind in kinds]


def binds_of(file: SqlFile) -> dict[str, Any]:
    return SAMPLES.get(key_of(file), {})

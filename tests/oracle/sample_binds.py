"""Values for every bind of a read file: `tests/unit/test_oracle_suite.py` fails when a file comes without its line here."""

from __future__ import annotations

from typing import Any

from drydock.sqlfiles import SqlFile, all_sql_files, parse_sql_file

SAMPLES: dict[str, dict[str, Any]] = {
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

"""The model of an Oracle database's backups: its views give only columns that exist, its arithmetic agrees with itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox.oracle import registry, views_backup  # noqa: F401  importing registers the views
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.worlds import healthy_worlds

DICTIONARY = Path(__file__).parents[2] / "include" / "oracle"


@pytest.fixture(scope="module")
def database() -> OracleDatabase:
    return healthy_worlds()["plain"](7)


def known_columns() -> dict[str, set[str]]:
    known: dict[str, set[str]] = {}
    for name in ("dictionary.json", "dictionary_supplement.json"):
        path = DICTIONARY / name
        views = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        views = views.get("views", views)
        known.update({view: set(entry["columns"]) for view, entry in views.items() if "columns" in entry})
    return known


def test_views_give_only_columns_of_the_dictionary(database: OracleDatabase) -> None:
    known = known_columns()
    unknown = {}
    for name, function in registry.VIEWS.items():
        if name in known:
            extra = {c for row in function(database) for c in row} - known[name]
            unknown |= {name: extra} if extra else {}
    assert unknown == {}

"""Airflow's pools: those of `include/config/pools.json`, and one slot per database, so that its changes never run side by side.

The slot of a database is held by one item of work at a time, of either changing pipeline, and by nothing that waits.
"""

from __future__ import annotations

import json
from typing import Any

from drydock import settings
from drydock.estate import Database, Estate


def pool_of(database: Database) -> str:
    """The pool that only one change of this database fits in."""
    return f"target__{database.id}"


def pools_of(estate: Estate) -> dict[str, dict[str, Any]]:
    """All pools of an estate, as `airflow pools import` reads them."""
    shared = json.loads((settings.config_dir() / "pools.json").read_text(encoding="utf-8"))
    return shared | {pool_of(d): _one_slot(d) for d in estate.databases}


def _one_slot(database: Database) -> dict[str, Any]:
    told = f"{database.name_zh}：同一时刻只做一项变更 · one change of {database.name_en} at a time"
    return {"slots": 1, "description": told, "include_deferred": False}

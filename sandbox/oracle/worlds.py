"""Healthy worlds: databases whose backups lack nothing, each with its own ways. Drydock must find nothing wrong in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sandbox.oracle.model.building import ENDS_AT, Shape, new_database, start_of
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.jobs import Plan, live_until, take_backup, weekly_plan
from sandbox.oracle.model.recovery_area import fit
from sandbox.oracle.model.repository import repository_of

World = Callable[..., OracleDatabase]


def lived(
    seed: int, shape: Shape, plan: Plan, ends_at: datetime = ENDS_AT, days: float = 16, first: str = "level0"
) -> OracleDatabase:
    """A database of this shape that lived `days` up to `ends_at` under a plan, with its first backup right after birth."""
    database = new_database(seed, shape, start_of(ends_at, days))
    repository = repository_of(database)
    live_until(database, repository.created_at + timedelta(hours=1), replace(plan, jobs=()))
    take_backup(database, first, manner=plan.manner)
    live_until(database, ends_at, plan)
    if repository.recovery_area:
        fit(repository)
    return database


def plain(seed: int, ends_at: datetime = ENDS_AT) -> OracleDatabase:
    """One instance, level 0 on Sundays, level 1 on other nights, logs each hour, all in the recovery area."""
    return lived(seed, Shape(), weekly_plan(60), ends_at)


def healthy_worlds() -> dict[str, World]:
    """Name -> builder: called with a seed and, where wanted, `ends_at` (the database's clock afterwards, aware)."""
    return {"plain": plain}

"""Healthy worlds: databases whose backups lack nothing, each with its own ways. Drydock must find nothing wrong in them.

A builder takes a seed and, by keyword, `ends_at`: the database's clock when it is ready. The same seed and moment give the
same world. `noted_worlds` can be restored just as well, but hold something that a DBA should be told of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sandbox.oracle.model.building import ENDS_AT, Shape, new_database, start_of
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.jobs import Plan, live_until, take_backup, weekly_plan
from sandbox.oracle.model.recovery_area import fit
from sandbox.oracle.model.repository import Repository, repository_of

World = Callable[..., OracleDatabase]
Act = Callable[[OracleDatabase, Repository], None]
LOG_PAUSE_MIN = 180  # between two backups of logs; what is asked of a world takes as long as it has logs and sets


def lived(
    seed: int,
    shape: Shape | None = None,
    plan: Plan | None = None,
    ends_at: datetime = ENDS_AT,
    days: float = 16,
    at_birth: Act | None = None,
    acts: tuple[tuple[float, Act], ...] = (),
    used_share: float = 0.6,
) -> OracleDatabase:
    """A database that lived `days` up to `ends_at` under a plan, with a level 0 an hour after its birth.

    `at_birth` changes it before anything happens; `acts` are (days before the end, what is done then), oldest first.
    """
    plan = plan or weekly_plan(LOG_PAUSE_MIN)
    database = new_database(seed, shape or Shape(), start_of(ends_at, days))
    repository = repository_of(database)
    if at_birth:
        at_birth(database, repository)
    live_until(database, repository.created_at + timedelta(hours=1), replace(plan, jobs=()))
    take_backup(database, "merge" if plan.jobs[0].command == "merge" else "level0", manner=plan.manner)
    repository.plan = None
    live_until(database, repository.lived_until, plan)
    for days_before, act in acts:
        live_until(database, ends_at - timedelta(days=days_before))
        act(database, repository)
    live_until(database, ends_at)
    if repository.recovery_area:
        fit(repository, used_share)
    return database


def world(build: Callable[[], dict[str, object]]) -> World:
    """Makes a builder of a function that says what `lived` is to be called with, anew for every database.

    `extra`: one more act, as in `lived`: what a fault does to this world some days before the end.
    """

    def builder(seed: int, ends_at: datetime = ENDS_AT, extra: tuple[float, Act] | None = None) -> OracleDatabase:
        told = build()
        acts = (*told.pop("acts", ()), *([extra] if extra else ()))
        return lived(seed, ends_at=ends_at, acts=tuple(sorted(acts, key=lambda act: -act[0])), **told)

    builder.__doc__, builder.__name__ = build.__doc__, build.__name__
    return builder


def healthy_worlds() -> dict[str, World]:
    """Name -> builder."""
    from sandbox.oracle import worlds_plans, worlds_states

    return {**worlds_plans.WORLDS, **worlds_states.WORLDS}


def noted_worlds() -> dict[str, World]:
    """Worlds that are restorable and not quite as they should be: expect a note or a warning, nothing red."""
    from sandbox.oracle import worlds_states

    return dict(worlds_states.NOTED)


def plain(seed: int, ends_at: datetime = ENDS_AT) -> OracleDatabase:
    """The world most tests begin with: one instance, weekly level 0, daily level 1, logs every three hours, all in the FRA."""
    return lived(seed, ends_at=ends_at)


def big(seed: int, days: int = 60, ends_at: datetime = ENDS_AT) -> OracleDatabase:
    """About 10,000 sets and 100,000 archived logs: four busy threads, logs backed up every 15 minutes, records kept."""
    spaces = {f"APP_{n:02d}": (30.0,) * 4 for n in range(10)}
    shape = Shape("GZBIG", threads=4, redo_bytes_per_s=2_400_000, log_bytes=512 * 1024**2, spaces=spaces, keep_days=days + 5)
    return lived(seed, shape, weekly_plan(15, keep_log_hours=6, policy="TO RECOVERY WINDOW OF 15 DAYS"), ends_at, days)

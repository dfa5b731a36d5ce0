"""Statements in the shared pool with their plans, jobs of the scheduler, and index usage tracking (Database Reference 19c).

The simulator plans nothing: a test says which statements touch which objects, and what plan each has. A healthy world has
none, and no job of the scheduler.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.registry import view
from sandbox.oracle.views_storage_tables import Row

SELECT = 3
CLEANUP_JOB = "CLEANUP_ONLINE_IND_BUILD"


@dataclass
class Cursor:
    """One child cursor: its plan reads `objects`, (owner, name) each.

    `made_at`: when it was parsed. `status`: VALID, or INVALID_UNAUTH after DDL.
    """

    sql_id: str
    plan: int
    objects: tuple[tuple[str, str], ...]
    made_at: datetime
    child: int = 0
    elapsed_us: int = 1_000_000
    schema: str = "APP"
    command: int = SELECT
    status: str = "VALID"


@dataclass
class Job:
    """A job of SYS: hourly, unless it is disabled."""

    name: str
    next_at: datetime | None
    state: str = "SCHEDULED"
    is_enabled: bool = True


@dataclass
class Pool:
    """What is planted in a database."""

    cursors: list[Cursor] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    tracks_use: bool = True
    is_sampled: bool = True


def pool_of(database: OracleDatabase) -> Pool:
    return database.parts.setdefault("pool", Pool())


def plant_job(database: OracleDatabase, in_s: float, name: str = CLEANUP_JOB, state: str = "SCHEDULED") -> Job:
    """A job of SYS that is due in so many seconds."""
    job = Job(name, database.clock.now() + timedelta(seconds=in_s), state)
    pool_of(database).jobs.append(job)
    return job


@view("V$SQL")
def sql_rows(database: OracleDatabase) -> Iterator[Row]:
    for cursor in pool_of(database).cursors:
        yield {
            "SQL_ID": cursor.sql_id,
            "CHILD_NUMBER": cursor.child,
            "PLAN_HASH_VALUE": cursor.plan,
            "COMMAND_TYPE": cursor.command,
            "PARSING_SCHEMA_NAME": cursor.schema,
            "ELAPSED_TIME": cursor.elapsed_us,
            "EXECUTIONS": 1,
            "OBJECT_STATUS": cursor.status,
            "LAST_LOAD_TIME": database.local(cursor.made_at).strftime("%Y-%m-%d/%H:%M:%S"),
            "CON_ID": 0,
        }


@view("V$SQL_PLAN")
def plan_rows(database: OracleDatabase) -> Iterator[Row]:
    """A first line without an object, and one for each object."""
    for cursor in pool_of(database).cursors:
        for number, (owner, name) in enumerate(((None, None), *cursor.objects)):
            yield {
                "SQL_ID": cursor.sql_id,
                "CHILD_NUMBER": cursor.child,
                "PLAN_HASH_VALUE": cursor.plan,
                "TIMESTAMP": database.local(cursor.made_at),
                "OBJECT_OWNER": owner,
                "OBJECT_NAME": name,
                "ID": number,
                "CON_ID": 0,
            }


@view("DBA_SCHEDULER_JOBS")
def scheduler_jobs(database: OracleDatabase) -> Iterator[Row]:
    for job in pool_of(database).jobs:
        yield {
            "OWNER": "SYS",
            "JOB_NAME": job.name,
            "ENABLED": "TRUE" if job.is_enabled else "FALSE",
            "STATE": job.state if job.is_enabled else "DISABLED",
            "REPEAT_INTERVAL": "FREQ=HOURLY;INTERVAL=1",
            "NEXT_RUN_DATE": job.next_at,
            "SYSTEM": "TRUE",
        }


@view("V$INDEX_USAGE_INFO")
def index_usage_info(database: OracleDatabase) -> Iterator[Row]:
    pool = pool_of(database)
    yield {"INDEX_STATS_ENABLED": int(pool.tracks_use), "INDEX_STATS_COLLECTION_TYPE": int(pool.is_sampled), "CON_ID": 0}

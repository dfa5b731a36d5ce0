"""Sessions of the changing pipelines, made from Airflow's connections: eyes that only read, and targets for the gate alone."""

from __future__ import annotations

import shutil
from functools import partial
from typing import TYPE_CHECKING

from drydock.changing.hands import Eyes, GateClosed, Target
from drydock.estate import Database, Engine
from drydock.orchestration.connections import endpoint_of
from drydock.outcomes import Answer, Interlock
from drydock.plans import Pipeline

if TYPE_CHECKING:
    from drydock.engines.postgres_work import Places


def eyes_of(database: Database, pipeline: Pipeline, run_key: str) -> Eyes:
    """A session that only reads: as the account that may change where there is one, since it has the pipeline's rights.

    Raises AirflowNotFoundException for a connection that is not defined, and what the engine raises for a refused logon.
    """
    connection = database.work_connection or database.connection
    if database.engine is Engine.POSTGRESQL:
        from drydock.engines.postgres_work import PostgresEyes

        return PostgresEyes(database, endpoint_of(database, connection), f"{pipeline}.look {run_key}", places_of(database))
    from drydock.engines.oracle_work import OracleEyes

    free = partial(free_bytes, database.backup.places.logs)
    return OracleEyes(database, _oracle_connect(connection), _identity(pipeline, "look", run_key), archive_free_bytes=free)


def target_of(database: Database, pipeline: Pipeline, run_key: str) -> Target:
    """The session that changes. Raises GateClosed where the estate names no account that may, and as `eyes_of`."""
    connection = database.work_connection
    if connection is None:
        raise GateClosed(Answer(interlock=Interlock.ACTION_ALLOWED, is_open=False, reason="no_work_account"))
    if database.engine is Engine.POSTGRESQL:
        from drydock.engines.postgres_work import PostgresTarget

        return PostgresTarget(database, endpoint_of(database, connection), f"{pipeline}.work {run_key}", places_of(database))
    from drydock.engines.oracle_work import OracleTarget

    watchdog = _oracle_connect(database.watchdog_connection) if database.watchdog_connection else None
    identity, free = _identity(pipeline, "work", run_key), partial(free_bytes, database.backup.places.logs)
    return OracleTarget(database, _oracle_connect(connection), identity, watchdog, archive_free_bytes=free)


def _oracle_connect(connection: str):
    from drydock.orchestration.connections import oracle_connect_of

    return oracle_connect_of(connection)


def _identity(pipeline: Pipeline, what: str, run_key: str):
    from drydock.engines.oracle import RunIdentity

    return RunIdentity(f"{pipeline}.{what}", run_key)


def places_of(database: Database) -> Places:
    """What the estate and the worker's own view of the disks add to what a PostgreSQL server tells of itself."""
    from drydock.engines.postgres_work import Places

    logs = database.backup.places.logs
    return Places(database.cores, partial(free_bytes, database.data_folder), partial(free_bytes, logs))


def free_bytes(folder: str | None) -> int | None:
    """Free bytes of the disk of a folder; None where there is no such folder here."""
    try:
        return shutil.disk_usage(folder).free if folder else None
    except OSError:
        return None

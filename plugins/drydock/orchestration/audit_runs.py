"""What a task of the pipeline `audit` starts from: which day or quarter, the store, the ledger, and how to ask the database."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook, get_current_context
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException

from drydock.audit.spans import (
    Quarter,
    Span,
    SpanNotYet,
    day_wanted,
    quarter_ended_by,
    quarter_named,
    quarter_span,
    span_of_day,
)
from drydock.audit.storage.places import store_place
from drydock.configuration import Configuration, load_all
from drydock.estate import Database, Engine
from drydock.ledger import record
from drydock.ledger.history import find_run
from drydock.orchestration.change_runs import is_backfill
from drydock.orchestration.connections import endpoint_of, open_ledger
from drydock.orchestration.store_places import object_place
from drydock.sqlfiles import sql_file

if TYPE_CHECKING:
    from drydock.audit.run import AuditRun, Rows
    from drydock.engines.oracle import OracleSession

log = logging.getLogger(__name__)

PIPELINE = "audit"


@dataclass(frozen=True)
class Asked:
    """What this run is of: a day, a quarter, or the day that ends a quarter and then that quarter."""

    day: date | None
    quarter: Quarter | None
    makes_up: bool  # days that were missed, too
    accepted_by: str = ""  # who accepts that a source holds fewer records than are stored; empty: nobody

    @property
    def newest_day(self) -> date:
        """For the run's row in the ledger."""
        return self.day or (self.quarter.last_day if self.quarter else date.max)


def asked_of(database: Database, settling_lag: timedelta, context: Mapping[str, Any]) -> Asked:
    """From the parameters and the data interval. Raises AirflowFailException: trying again mends no wrong parameter."""
    chosen, dag_run, now = context["params"], context["dag_run"], datetime.now(UTC)
    try:
        quarter = quarter_named(chosen["quarter"]) if chosen.get("quarter") else None
        day = date.fromisoformat(chosen["day"]) if chosen.get("day") else None
        if quarter is not None:
            quarter_span(quarter, now, database.zone, settling_lag)  # refused here where none of it is over
        accepted_by = _accepted_by(chosen, dag_run)
        if quarter is not None and day is None:
            return Asked(None, quarter, False)
        began_at = dag_run.start_date or now  # a retry after midnight is still of the day that the run is of
        wanted = day_wanted(day, _interval_start(dag_run), began_at, database.zone, settling_lag)
    except ValueError as e:
        raise AirflowFailException(str(e)) from None
    return Asked(wanted, quarter or quarter_ended_by(wanted), day is None and not is_backfill(dag_run), accepted_by)


def _accepted_by(chosen: Mapping[str, Any], dag_run: Any) -> str:
    """Who accepts fewer records of the chosen day, "" for nobody. Raises ValueError without a day or a person."""
    if not chosen.get("accept_fewer"):
        return ""
    if not chosen.get("day"):
        raise ValueError("接受更少的记录须填写日期。accept_fewer needs the day: it is accepted of that day alone")
    return person_of(dag_run)


def person_of(dag_run: Any) -> str:
    """Who triggered the run. Raises ValueError for nobody."""
    name = str(getattr(dag_run, "triggering_user_name", None) or "").strip()
    if not name:
        raise ValueError("须由具名人员触发。Nobody is named as the one who triggered this run: a person must answer for it")
    return name


def _interval_start(dag_run: Any) -> datetime | None:
    """The beginning of a planned interval; a run that a person triggers is of the newest whole day."""
    kind = str(getattr(dag_run.run_type, "value", dag_run.run_type))
    return None if kind == "manual" else dag_run.data_interval_start


def asked_here(database_id: str) -> tuple[Configuration, Database, Asked]:
    """Configuration, database, and what this task's run is of."""
    configuration = load_all()
    database = configuration.estate.database(database_id)
    lag = timedelta(minutes=configuration.audit.of(database_id).settling_lag_minutes)
    return configuration, database, asked_of(database, lag, get_current_context())


def open_day_run(database_id: str, day: date | None = None, with_rows: bool = False) -> AuditRun:
    """This task's run over its day, or over another day that it makes up for. Raises LookupError where it is of no day."""
    configuration, database, asked = asked_here(database_id)
    wanted = day or asked.day
    if wanted is None:
        raise LookupError("this run is of a quarter alone")
    return _opened(configuration, database, asked, span_of_day(wanted, database.zone), with_rows)


def open_quarter_run(database_id: str) -> tuple[AuditRun, Quarter]:
    """This task's run over the quarter that it is of. Raises LookupError where it ends none."""
    configuration, database, asked = asked_here(database_id)
    if asked.quarter is None:
        raise LookupError("this run ends no quarter")
    lag = timedelta(minutes=configuration.audit.of(database_id).settling_lag_minutes)
    try:
        span = quarter_span(asked.quarter, datetime.now(UTC), database.zone, lag)
    except SpanNotYet as e:
        raise AirflowFailException(str(e)) from None
    return _opened(configuration, database, asked, span, with_rows=False), asked.quarter


def _opened(configuration: Configuration, database: Database, asked: Asked, span: Span, with_rows: bool) -> AuditRun:
    from drydock.audit.run import AuditRun
    from drydock.audit.storage.store import Store  # polars: no parse of the DAG file should pay for it

    dag_run, ledger = get_current_context()["dag_run"], open_ledger()
    run_id = find_run(ledger, PIPELINE, database.id, dag_run.run_id)
    if run_id is None:
        run_id = record.open_run(ledger, PIPELINE, database.id, asked.newest_day, dag_run.run_id).run_id
    return AuditRun(
        configuration=configuration,
        ledger=ledger,
        database=database,
        policy=configuration.audit.of(database.id),
        run_id=run_id,
        store=Store(store_root(configuration), database.id, ledger),
        begin=span[0],
        end=span[1],
        now=datetime.now(UTC),
        rows=rows_of(database, dag_run.run_id) if with_rows else None,
    )


def store_root(configuration: Configuration) -> Any:
    """The store's folder, or its place on Airflow's object storage where the policy names a URL."""
    place = store_place(configuration.audit)
    if "://" not in place:
        return Path(place)
    return object_place(place, configuration.audit.store_connection)


def rows_of(database: Database, run_key: str) -> Rows | None:
    """What asks the files of `include/sql/<engine>/audit/` on the target; None where no connection is defined."""
    return _postgres_rows(database) if database.engine is Engine.POSTGRESQL else _oracle_rows(database, run_key)


def _is_defined(database: Database) -> bool:
    """Whether Airflow knows the database's connection."""
    try:
        BaseHook.get_connection(database.connection)
    except AirflowNotFoundException:
        log.error("connection %s is not defined: the database cannot be asked", database.connection)
        return False
    return True


def _postgres_rows(database: Database) -> Rows | None:
    from drydock.engines.postgres import connect, fetch_rows

    if not _is_defined(database):
        return None
    endpoint = endpoint_of(database)

    def ask(name: str, binds: Mapping[str, Any]) -> list[dict[str, Any]]:
        with connect(endpoint, purpose="audit") as connection:
            return fetch_rows(connection, sql_file(Engine.POSTGRESQL.value, PIPELINE, name), binds)

    return ask


def _oracle_rows(database: Database, run_key: str) -> Rows | None:
    """One session for all questions of a task, opened at the first: a refused logon is told by who asks."""
    if not _is_defined(database):
        return None
    opened: list[OracleSession] = []

    def ask(name: str, binds: Mapping[str, Any]) -> list[dict[str, Any]]:
        from drydock.engines.oracle import RunIdentity, fetch_rows
        from drydock.orchestration.connections import oracle_session_of

        if not opened:
            opened.append(oracle_session_of(database, RunIdentity("audit.look", run_key)))
        return fetch_rows(opened[0], sql_file(Engine.ORACLE.value, PIPELINE, name), binds)

    return ask

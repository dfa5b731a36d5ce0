"""Airflow Connections become endpoints, sessions and the ledger; secrets stay in Airflow or its secrets backend."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook, Connection
from sqlalchemy import Engine

from drydock.engines.postgres import Endpoint
from drydock.estate import Database
from drydock.ledger.connect import ledger_engine, ledger_url_from

if TYPE_CHECKING:
    import oracledb

    from drydock.engines.oracle import Connect, OracleSession, RunIdentity, SessionLimits

LEDGER = "drydock_ledger"


def endpoint_of(database: Database, connection: str | None = None) -> Endpoint:
    """Where the database answers, as the looking account or another's connection. Raises AirflowNotFoundException."""
    c = BaseHook.get_connection(connection or database.connection)
    return Endpoint(host=c.host, port=c.port or 5432, user=c.login, password=c.password or "", dbname=c.schema or "postgres")


def _probing_hook(connection_id: str) -> Any:
    """The provider's hook with a probe that keeps the connection known to firewalls, unless the connection says otherwise.

    The service stands in the connection's extra (service_name) or its Schema field; `"thick_mode": true` in the extra
    loads the Oracle Client, which databases before 12.1 need.
    """
    # driver and provider: half a second that only a task which logs on to Oracle should pay
    from airflow.providers.oracle.hooks.oracle import OracleHook

    from drydock.engines.oracle import EXPIRE_TIME_MINUTES

    class ProbingHook(OracleHook):
        @classmethod
        def get_connection(cls, conn_id: str) -> Connection:
            found = super().get_connection(conn_id)
            extra = {"expire_time": EXPIRE_TIME_MINUTES, **found.extra_dejson}
            found.extra = json.dumps(extra)
            return found

    return ProbingHook(oracle_conn_id=connection_id)


def oracle_connect_of(connection_id: str) -> Connect:
    """A function that logs on once through the provider's hook. Raises oracledb.Error, AirflowNotFoundException when called."""

    def connect() -> oracledb.Connection:
        return _probing_hook(connection_id).get_conn()

    return connect


def oracle_session_of(database: Database, identity: RunIdentity, limits: SessionLimits | None = None) -> OracleSession:
    """A session on the database, named after the run, with the licences that its owner attests.

    Raises LogonFailed, AirflowNotFoundException when its connection is not defined.
    """
    from drydock.engines.oracle import open_session

    attested = frozenset(database.licences)
    return open_session(oracle_connect_of(database.connection), identity, limits=limits, attested=attested)


def open_ledger() -> Engine:
    """The ledger, as the maintenance account that may add and never change."""
    c = BaseHook.get_connection(LEDGER)
    return ledger_engine(ledger_url_from(c.host, c.port, c.login, c.password, c.schema))

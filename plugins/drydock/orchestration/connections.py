"""Airflow Connections become endpoints and the ledger; secrets stay in Airflow or its secrets backend."""

from __future__ import annotations

from airflow.sdk import BaseHook
from sqlalchemy import Engine

from drydock.engines.postgres import Endpoint
from drydock.estate import Database
from drydock.ledger.connect import ledger_engine, ledger_url_from

LEDGER = "drydock_ledger"


def endpoint_of(database: Database) -> Endpoint:
    """Where the database answers. Raises AirflowNotFoundException when its connection is not defined."""
    c = BaseHook.get_connection(database.connection)
    return Endpoint(host=c.host, port=c.port or 5432, user=c.login, password=c.password or "", dbname=c.schema or "postgres")


def open_ledger() -> Engine:
    """The ledger, as the maintenance account that may add and never change."""
    c = BaseHook.get_connection(LEDGER)
    return ledger_engine(ledger_url_from(c.host, c.port, c.login, c.password, c.schema))

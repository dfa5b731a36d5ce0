"""The store on Airflow's object storage: one opener for tasks and for the command line."""

from __future__ import annotations

from typing import Any

from airflow.sdk import ObjectStoragePath


def object_place(url: str, connection: str | None) -> Any:
    """The place of a URL, with the credentials of an Airflow connection, or with those of the account that runs this."""
    return ObjectStoragePath(url, conn_id=connection)

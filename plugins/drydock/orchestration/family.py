"""One DAG per pipeline and database, made by an explicit loop in the pipeline's DAG file.

A task start parses the DAG file again, so the loop builds only the DAG that is asked for (`get_parsing_context`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

from airflow.sdk import get_parsing_context

from drydock import settings
from drydock.audit.policy import AuditPolicyFile
from drydock.configuration import (
    ChangePolicyFile,
    ConfigurationError,
    load_audit_policy,
    load_change_policy,
    load_estate,
    masking_names,
)
from drydock.estate import Database
from drydock.plans import Pipeline

log = logging.getLogger(__name__)


def dag_id_of(pipeline: str, database_id: str) -> str:
    return f"{pipeline}__{database_id}"


def each_database(pipeline: str) -> Iterator[Database]:
    """The databases of the estate whose DAG is wanted now. A wrong estate shows in the UI as an import error."""
    asked_for = get_parsing_context().dag_id
    for database in _databases():
        if asked_for is None or asked_for == dag_id_of(pipeline, database.id):
            yield database


def _databases() -> tuple[Database, ...]:
    try:
        return load_estate().databases
    except ConfigurationError:
        log.error("the estate cannot be read; `python -m drydock check` shows every problem with file and line")
        raise


def each_masked_database() -> Iterator[Database]:
    """Those of the estate that have a masking policy; what stands in it is read when a run begins."""
    with_policy = set(masking_names())
    return (database for database in each_database("masking") if database.id in with_policy)


def change_policy(pipeline: Pipeline) -> ChangePolicyFile:
    """The limits of a changing pipeline. A wrong file shows in the UI as an import error."""
    return load_change_policy(pipeline)


def audit_policy() -> AuditPolicyFile:
    """The policy of the audit. A wrong file shows in the UI as an import error."""
    return load_audit_policy()


def looking_defaults(database: Database) -> dict[str, object]:
    """Defaults of tasks that only look: reads are retried, with growing pauses."""
    return {
        "owner": database.owner,
        "retries": 2,
        "retry_delay": timedelta(seconds=settings.retry_delay_s()),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=10),
    }


def tags_of(pipeline: str, database: Database) -> list[str]:
    return [pipeline, database.engine.value, database.platform]

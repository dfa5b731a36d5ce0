"""What a task of a changing pipeline starts from: its run, with everything that a person or Airflow said about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import Variable, get_current_context

from drydock import kill_switch
from drydock.changing.run import ChangeRun
from drydock.configuration import load_all
from drydock.orchestration.connections import open_ledger
from drydock.orchestration.targets import eyes_of, target_of
from drydock.plans import Pipeline


def open_change_run(database_id: str, pipeline: Pipeline) -> ChangeRun:
    """This task's run: database, limits, ledger, and how to look at and change the target. Opens the ledger only."""
    context = get_current_context()
    configuration, dag_run = load_all(), context["dag_run"]
    database, run_key = configuration.estate.database(database_id), dag_run.run_id
    ids = [d.id for d in configuration.estate.databases]
    run = ChangeRun(
        configuration=configuration,
        ledger=open_ledger(),
        database=database,
        pipeline=pipeline,
        run_key=run_key,
        began_at=dag_run.start_date or datetime.now(UTC),
        dry_run=bool(context["params"].get("dry_run")),
        is_backfill=is_backfill(dag_run),
        triggered_by=str(getattr(dag_run, "triggering_user_name", None) or ""),
        kill_switch=lambda: kill_switch.says(Variable.get(kill_switch.VARIABLE, default=""), database_id, ids),
        open_eyes=lambda: eyes_of(database, pipeline, run_key),
        open_target=lambda: target_of(database, pipeline, run_key),
    )
    if pipeline == "audit":
        from drydock.orchestration.audit_purge import with_purge  # the others need no store

        return with_purge(run)
    if pipeline != "masking":
        return run
    from drydock.orchestration.masking_sessions import with_masking  # the other pipelines need neither policy nor key

    return with_masking(run)


def is_backfill(dag_run: Any) -> bool:
    return str(getattr(dag_run.run_type, "value", dag_run.run_type)) == "backfill"

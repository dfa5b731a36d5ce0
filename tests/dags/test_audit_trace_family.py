"""The DAGs that trace: one for each database, only a person's, and what they may be asked for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import ParamValidationError

from drydock.audit.quarterly.tracing import TraceError
from drydock.configuration import load_all
from drydock.orchestration import audit_trace

ROOT = Path(__file__).parents[2]
GOOD = {"begin": "2026-11-20T18:00", "end": "2026-11-21T08:00", "account": "report_ro", "why": "工单 4711", "format": "csv"}


@pytest.fixture(scope="module")
def bag():
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=str(ROOT / "dags" / "audit_trace.py"))


def test_every_database_has_its_own_and_nothing_starts_it_but_a_person(bag) -> None:
    databases = load_all("sandbox").estate.databases
    assert bag.import_errors == {} and set(bag.dags) == {f"audit_trace__{d.id}" for d in databases}
    for dag in bag.dags.values():
        assert dag.dag_display_name.startswith("审计溯源导出 · ") and dag.description.startswith("Tracing of audit records of ")
        assert not dag.timetable.can_be_scheduled and not dag.is_paused_upon_creation and "audit" in dag.tags
        (task,) = dag.tasks
        assert task.retries == 0 and task.execution_timeout and task.python_callable.__doc__


def test_its_form_is_in_both_languages_and_can_be_stored(bag) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    dag = next(iter(bag.dags.values()))
    stored = DagSerialization.deserialize_dag(json.loads(json.dumps(DagSerialization.to_dict(dag)))["dag"])
    forms = {name: dag.params.get_param(name).schema for name in dag.params}
    assert set(forms) == {"begin", "end", *audit_trace.WHOSE, "why", "format", "with_statements"} == set(stored.params)
    assert all(" · " in form["title"] and not form["title"].isascii() for form in forms.values())
    with pytest.raises(ParamValidationError):
        dag.params.validate()


def asked(user: str | None = "wang", **chosen: Any):
    run = SimpleNamespace(database=load_all("sandbox").estate.database("gz_main"))
    return audit_trace.asked_of(run, GOOD | chosen, SimpleNamespace(run_id="manual__1", triggering_user_name=user))  # type: ignore[arg-type]


def test_what_was_asked_for() -> None:
    told = asked()
    assert (told.asked_by, told.asked_through, told.run_key, told.why) == ("wang", "dag", "manual__1", "工单 4711")
    assert told.begin == datetime(2026, 11, 20, 10, tzinfo=UTC), "a time without a zone is local to the database"
    assert asked(begin="2026-11-20T10:00:00.000Z").begin == told.begin and not told.with_statements
    assert told.wanted.model_dump() == {"account": "report_ro", "object": "", "host": "", "fingerprint": ""}


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        ({"account": None}, "Name an account"),
        ({"account": "  "}, "Name an account"),
        ({"why": " "}, "Say why"),
        ({"begin": "yesterday"}, "is no time"),
        ({"end": None}, "is no time"),
        ({"user": None}, "a person must answer"),
        ({"user": " "}, "a person must answer"),
    ],
)
def test_what_cannot_be_asked_for_is_one_clear_error(chosen: dict[str, Any], why: str) -> None:
    with pytest.raises((TraceError, ValueError), match=why):
        asked(**chosen)

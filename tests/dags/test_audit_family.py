"""The family of audit DAGs: one for each database, wired in the vital order; which day or quarter a run is of."""

from __future__ import annotations

import json
import shutil
import socket
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import ObjectStoragePath
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException, AirflowSkipException

from drydock.audit.spans import Quarter
from drydock.configuration import load_all
from drydock.orchestration import audit, audit_runs
from drydock.orchestration.audit_review import AskAgain, ReviewPage, reviewer_of
from drydock.verdicts import Finding, Status, judge, skip

ROOT = Path(__file__).parents[2]
CHAIN = ["collect", "digest", "detect", "judge", "analyse", "review", "report", "outcome"]
LAG = timedelta(minutes=15)


@pytest.fixture(scope="module")
def bag():
    """The DAGs of the file, parsed while every attempt to open a connection is an error."""
    from airflow.dag_processing.dagbag import DagBag

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("parsing opened a connection")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "create_connection", refuse)
        yield DagBag(dag_folder=str(ROOT / "dags" / "audit.py"))


@pytest.fixture(params=["gz_cbec", "gz_main_sim"])
def dag(request: pytest.FixtureRequest, bag):
    return bag.dags[f"audit__{request.param}"]


def test_every_database_has_its_dag(bag) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == {f"audit__{d.id}" for d in load_all("sandbox").estate.databases}


def test_it_says_what_it_is_in_both_languages(dag) -> None:
    assert dag.dag_display_name.startswith("审计日志分析 · ") and dag.description.startswith("Audit-log analysis of ")
    assert "runbooks/audit.md" in dag.doc_md and all(f"| `{name}` |" in dag.doc_md for name in CHAIN)
    assert set(dag.params) == {"day", "quarter", "accept_fewer"} and "audit" in dag.tags


def test_a_waiting_review_holds_back_no_day(dag) -> None:
    assert dag.max_active_runs > 1 and dag.dagrun_timeout > timedelta(days=10) and dag.catchup is False
    assert dag.start_date is None and dag.is_paused_upon_creation
    assert {dag.get_task(name).max_active_tis_per_dag for name in ("collect", "digest", "detect")} == {1}, "one writer at a time"


def test_the_interval_of_a_run_begins_on_its_day(dag) -> None:
    """So that a backfill of the 20th is of the 20th."""
    database = load_all("sandbox").estate.database(dag.dag_id.partition("__")[2])
    assert str(dag.timetable._timezone) == database.time_zone
    at = datetime(2026, 11, 21, 1, 20, tzinfo=database.zone)
    assert dag.timetable.infer_manual_data_interval(run_after=at).start == at - timedelta(days=1)


def test_vital_order(dag) -> None:
    assert set(dag.task_ids) == set(CHAIN)
    for n, name in enumerate(CHAIN):
        assert {t.task_id for t in dag.get_task(name).get_flat_relatives(upstream=True)} == set(CHAIN[:n]), name
    rules = {name: dag.get_task(name).trigger_rule for name in CHAIN}
    assert {name for name, rule in rules.items() if rule == "all_done"} == {"report", "outcome"}
    assert rules["analyse"] == "none_failed", "a quarter alone skips what is before it"


def test_every_task_has_an_owner_docs_and_a_bound(dag) -> None:
    for name in dag.task_ids:
        task = dag.get_task(name)
        assert task.owner not in ("", "airflow") and task.retries >= 2, name
        assert name == "review" or task.execution_timeout is not None, f"{name} may hang for ever"
        assert task.is_mapped or task.doc_md or task.python_callable.__doc__, f"{name} has no docs"
    review = dag.get_task("review")
    assert review.is_mapped and review.partial_kwargs["response_timeout"] == timedelta(days=10)


def test_it_can_be_stored_and_read_back_by_the_scheduler(dag) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    stored = DagSerialization.deserialize_dag(json.loads(json.dumps(DagSerialization.to_dict(dag)))["dag"])
    review = stored.get_task("review")
    assert review.is_mapped and review.partial_kwargs["database_id"] == dag.dag_id.partition("__")[2]
    assert stored.timetable.summary == dag.timetable.summary


def test_who_does_not_answer_has_said_nothing() -> None:
    page = {"number": 1, "pages": 1, "patterns": []}
    task = ReviewPage(task_id="review", database_id="gz_main", page=page)
    assert task.defaults == [ReviewPage.LATER] and task.multiple is False


@pytest.mark.parametrize("who", [{}, {"id": ""}, {"id": "mallory"}, {"id": None, "name": "zhao"}])
def test_only_a_named_reviewer_of_the_policy_is_recorded(who: dict) -> None:
    run = SimpleNamespace(policy=SimpleNamespace(reviewers=("zhao", "li")))
    assert reviewer_of({"id": "zhao", "name": "Zhao"}, run) == "zhao"
    with pytest.raises(ValueError, match="recorded"):
        reviewer_of(who, run)


def test_an_answer_that_cannot_be_taken_is_asked_for_again_at_once() -> None:
    from drydock.audit.quarterly.review_page import AnswerInvalid

    again, other = (AskAgain().evaluate(e, 1, 12) for e in (AnswerInvalid("reason: …"), ConnectionError("away")))
    assert again.retry_delay == timedelta(seconds=1) and again.reason == "reason: …" and other.retry_delay is None


def asked(kind: str, start: str | None = None, user: str | None = None, **chosen: Any) -> audit_runs.Asked:
    """What a run of that kind is of; it began on 22 November 2026, 10:00 in Shanghai."""
    database, zone = load_all("sandbox").estate.database("gz_main"), UTC
    interval = datetime.fromisoformat(start).astimezone(zone) if start else None
    began_at = datetime(2026, 11, 22, 2, tzinfo=UTC)
    dag_run = SimpleNamespace(run_type=kind, data_interval_start=interval, start_date=began_at, triggering_user_name=user)
    return audit_runs.asked_of(database, LAG, {"params": chosen, "dag_run": dag_run})


def test_what_a_run_is_of() -> None:
    planned = asked("scheduled", "2026-11-20T01:20+08:00")
    assert (planned.day, planned.quarter, planned.makes_up) == (date(2026, 11, 20), None, True)
    backfill = asked("backfill", "2026-09-30T01:20+08:00")
    assert (backfill.day, backfill.quarter, backfill.makes_up) == (date(2026, 9, 30), Quarter(2026, 3), False)
    by_hand = asked("manual", "2026-11-20T01:20+08:00")
    assert (by_hand.day, by_hand.makes_up) == (date(2026, 11, 21), True), "the newest whole day"
    assert asked("manual", day="2026-08-01") == audit_runs.Asked(date(2026, 8, 1), None, False)
    assert asked("manual", quarter="2026Q3") == audit_runs.Asked(None, Quarter(2026, 3), False)


def test_fewer_records_are_accepted_by_a_person_and_of_one_day_alone() -> None:
    assert asked("manual", user="wang", day="2026-08-01", accept_fewer=True).accepted_by == "wang"
    assert asked("manual", user="wang", day="2026-08-01", accept_fewer=False).accepted_by == ""
    for told in ({"user": "wang"}, {"day": "2026-08-01"}, {"user": "wang", "quarter": "2026Q3"}):
        with pytest.raises(AirflowFailException, match=r"needs the day|a person must answer"):
            asked("manual", accept_fewer=True, **told)


@pytest.mark.parametrize("chosen", [{"day": "2026-11-22"}, {"day": "2099-01-01"}, {"quarter": "2027Q1"}, {"quarter": "Q9"}])
def test_what_is_not_over_is_refused_at_once(chosen: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    class Then(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime(2026, 11, 22, 2, tzinfo=UTC)

    monkeypatch.setattr(audit_runs, "datetime", Then)
    with pytest.raises(AirflowFailException):
        asked("manual", **chosen)


def test_the_store_is_a_folder_or_a_place_on_object_storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRYDOCK_STATE", str(tmp_path))
    configuration = load_all("sandbox")
    assert audit_runs.store_root(configuration) == tmp_path / "audit"
    elsewhere = replace(configuration, audit=configuration.audit.model_copy(update={"store": f"file://{tmp_path}/bucket"}))
    root = audit_runs.store_root(elsewhere)
    assert isinstance(root, ObjectStoragePath) and (root / "a").name == "a" and not (root / "a").exists()


@pytest.mark.parametrize("database", ["gz_main", "gz_main_sim"])
def test_without_a_connection_nobody_is_asked(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise AirflowNotFoundException("not defined")

    monkeypatch.setattr(audit_runs.BaseHook, "get_connection", missing)
    assert audit_runs.rows_of(load_all("sandbox").estate.database(database), "r1") is None


GOOD = (judge("collected", 5, ()), judge("alarms", 3, ()))


def ended(verdicts: tuple | None, quarter: Quarter | None = None, report: object = None) -> str:
    database = load_all("sandbox").estate.database("gz_main")
    context = {"ti": SimpleNamespace(xcom_pull=lambda task_ids: report)}
    return audit.end(database, audit_runs.Asked(date(2026, 11, 20), quarter, True), verdicts, context)


def test_how_a_run_ends() -> None:
    assert "PASS" in ended(GOOD) and ended(None, Quarter(2026, 3), ["a.docx"]) == "2026Q3"
    assert "trail_growth SKIPPED" in ended((*GOOD, skip("trail_growth", "no_rows")))
    bad = judge("alarms", 3, [Finding(code="audit_alarm", status=Status.FAIL)])
    for verdicts, quarter, words in [
        ((*GOOD, bad), None, "audit_alarm"),
        ((judge("collected", 0, ()),), None, "nothing_examined"),
        ((), None, "Nothing was judged"),
        (GOOD, Quarter(2026, 3), "report was not written"),
        (None, Quarter(2026, 3), "report was not written"),
    ]:
        with pytest.raises(AirflowFailException, match=words):
            ended(verdicts, quarter)


def test_a_day_that_ends_no_quarter_goes_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "asked_here", lambda _: (None, None, audit_runs.Asked(date(2026, 11, 20), None, True)))
    for step in (audit.analyse, audit.report):
        with pytest.raises(AirflowSkipException):
            step.function("gz_main")
    monkeypatch.setattr(audit, "asked_here", lambda _: (None, None, audit_runs.Asked(None, Quarter(2026, 3), False)))
    with pytest.raises(AirflowSkipException):
        audit.collect.function("gz_main")


def test_a_wrong_policy_shows_as_an_import_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.dag_processing.dagbag import DagBag

    shutil.copytree(ROOT / "include/config", tmp_path / "config")
    (tmp_path / "config/audit.yaml").write_text("schema: drydock-audit-policy/1\ndefaults: {bulk_row: 3}\n", encoding="utf-8")
    monkeypatch.setenv("DRYDOCK_CONFIG", str(tmp_path / "config"))
    bag = DagBag(dag_folder=str(ROOT / "dags" / "audit.py"))
    assert "bulk_row" in next(iter(bag.import_errors.values()))

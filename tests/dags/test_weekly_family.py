"""The families of reclaim and reindex DAGs: every member exists, says what it is, and is wired in the vital order."""

from __future__ import annotations

import shutil
import socket
from datetime import timedelta
from pathlib import Path

import pytest

from drydock.configuration import load_all, load_estate
from drydock.orchestration.approval import PlanApproval
from drydock.orchestration.changing import WindowWait
from drydock.pools import pool_of, pools_of

ROOT = Path(__file__).parents[2]
TASKS = ["survey", "plan", "approve", "window", "work", "verify", "report", "outcome"]
NAMES = {"reclaim": "空间回收 · ", "reindex": "索引重建 · "}


@pytest.fixture(scope="module")
def bag():
    """The DAGs of both files, parsed while every attempt to open a connection is an error."""
    from airflow.dag_processing.dagbag import DagBag

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("parsing opened a connection")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "create_connection", refuse)
        yield DagBag(dag_folder=str(ROOT / "dags"))


@pytest.fixture(params=["reclaim", "reindex"])
def family(request: pytest.FixtureRequest, bag) -> tuple[str, list]:
    dags = [dag for dag_id, dag in sorted(bag.dags.items()) if dag_id.startswith(f"{request.param}__")]
    assert dags, "a loop over no DAG would prove nothing"
    return request.param, dags


def test_every_file_parses(bag) -> None:
    assert bag.import_errors == {}


def test_every_database_has_its_dag(family) -> None:
    pipeline, dags = family
    assert {dag.dag_id for dag in dags} == {f"{pipeline}__{d.id}" for d in load_estate("sandbox").databases}


def test_every_dag_says_what_it_is(family) -> None:
    pipeline, dags = family
    for dag in dags:
        assert dag.dag_display_name.startswith(NAMES[pipeline]), "a DBA reads Chinese names in the grid"
        assert f"runbooks/{pipeline}.md" in dag.doc_md, "say what to do when it fails"
        assert "drydock_kill_switch" in dag.doc_md, "and how everything is stopped"
        assert dag.description and pipeline in dag.tags and {"postgresql", "oracle"} & set(dag.tags)
        assert set(dag.params) == {"dry_run", "note"} and dag.params["dry_run"] is False


def test_it_runs_weekly_one_run_at_a_time_in_the_time_of_the_database(family) -> None:
    pipeline, dags = family
    configuration = load_all("sandbox")
    for dag in dags:
        database = configuration.estate.database(dag.dag_id.partition("__")[2])
        assert dag.timetable.summary == getattr(configuration, pipeline).of(database.id).plan_cron
        assert str(dag.timetable._timezone) == database.time_zone
        assert dag.catchup is False and dag.max_active_runs == 1 and dag.start_date is None
        assert timedelta(days=1) < dag.dagrun_timeout < timedelta(days=7), "a run that hangs must not hold back the next week's"


def test_the_two_pipelines_do_not_plan_at_the_same_time() -> None:
    configuration = load_all("sandbox")
    for database in configuration.estate.databases:
        assert configuration.reclaim.of(database.id).plan_cron != configuration.reindex.of(database.id).plan_cron


def test_vital_order(family) -> None:
    """Nothing is worked before it was planned, asked and waited for; the run turns red only after its report was written."""
    for dag in family[1]:
        assert set(dag.task_ids) == set(TASKS)
        for n, name in enumerate(TASKS):
            assert {t.task_id for t in dag.get_task(name).get_flat_relatives(upstream=True)} == set(TASKS[:n]), name
        assert dag.get_task("outcome").downstream_task_ids == set(), "outcome is a leaf: it decides the colour of the run"
        after = ("verify", "report", "outcome")
        assert {dag.get_task(name).trigger_rule for name in after} == {"all_done"}
        assert {dag.get_task(name).trigger_rule for name in TASKS if name not in after} == {"all_success"}


def test_work_is_mapped_one_item_at_a_time_in_the_pool_of_its_database(family) -> None:
    estate = load_estate("sandbox")
    for dag in family[1]:
        work, database = dag.get_task("work"), estate.database(dag.dag_id.partition("__")[2])
        assert work.is_mapped and work.max_active_tis_per_dagrun == 1
        assert work.pool == pool_of(database) and work.pool in pools_of(estate)
        assert "label" in work.partial_kwargs["map_index_template"]
        others = {dag.get_task(name).pool for name in TASKS if name != "work"}
        assert others == {"default_pool"}, "what waits holds no slot of the database"


def test_waiting_holds_no_worker(family) -> None:
    for dag in family[1]:
        approve, window = dag.get_task("approve"), dag.get_task("window")
        assert isinstance(approve, PlanApproval) and isinstance(window, WindowWait)
        assert approve.defaults == [PlanApproval.REJECT], "who does not answer has not said yes"
        assert approve.execution_timeout is None, "a question may stand for days"


def test_every_task_has_an_owner_docs_and_a_bound(family) -> None:
    for dag in family[1]:
        for name in TASKS:
            task = dag.get_task(name)
            assert task.owner not in ("", "airflow"), f"{name} has no owner"
            assert task.retries == 2
            if name not in ("approve", "window"):
                assert task.execution_timeout is not None, f"{name} may hang for ever"
            assert task.is_mapped or task.doc_md or task.python_callable.__doc__, f"{name} has no docs"


def test_other_estates_parse_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setenv("DRYDOCK_ESTATE", "guangzhou")
    bag = DagBag(dag_folder=str(ROOT / "dags"))
    assert bag.import_errors == {}
    assert [sum(dag_id.startswith(p) for dag_id in bag.dags) for p in ("reclaim__", "reindex__")] == [13, 13]


def test_a_wrong_policy_shows_as_an_import_error_of_its_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.dag_processing.dagbag import DagBag

    shutil.copytree(ROOT / "include/config", tmp_path / "config")
    (tmp_path / "config/reclaim.yaml").write_text("schema: drydock-reclaim-policy/1\ndefaults: {max_itms: 3}\n", encoding="utf-8")
    monkeypatch.setenv("DRYDOCK_CONFIG", str(tmp_path / "config"))
    bag = DagBag(dag_folder=str(ROOT / "dags"))
    assert [Path(name).name for name in bag.import_errors] == ["reclaim.py"]
    assert "max_itms" in next(iter(bag.import_errors.values())) and "reindex__gz_main" in bag.dags

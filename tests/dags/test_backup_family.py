"""The family of backup DAGs: every member exists, says what it is, and is wired in the vital order."""

from __future__ import annotations

import ast
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from drydock.configuration import load_estate

ROOT = Path(__file__).parents[2]
TASKS = ["survey", "read", "drill", "judge", "prove", "report", "outcome"]


@pytest.fixture(scope="module")
def bag():
    """All DAGs, parsed while every attempt to open a connection is an error."""
    from airflow.dag_processing.dagbag import DagBag

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("parsing opened a connection")

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", refuse)
    patch.setattr(socket, "create_connection", refuse)
    try:
        yield DagBag(dag_folder=str(ROOT / "dags"))
    finally:
        patch.undo()


def members(bag) -> list:
    found = [dag for dag_id, dag in sorted(bag.dags.items()) if dag_id.startswith("backup__")]
    assert found, "a loop over no DAG would prove nothing"
    return found


def test_every_file_parses(bag) -> None:
    assert bag.import_errors == {}


def test_every_database_has_its_dag(bag) -> None:
    wanted = {f"backup__{d.id}" for d in load_estate("sandbox").databases}
    assert len(wanted) >= 3
    assert {dag.dag_id for dag in members(bag)} == wanted


def test_every_dag_says_what_it_is(bag) -> None:
    for dag in members(bag):
        assert dag.dag_display_name.startswith("备份检查 · "), "a DBA reads Chinese names in the grid"
        assert "runbooks/backup.md" in dag.doc_md, "say what to do when it fails"
        assert dag.description and "backup" in dag.tags and {"postgresql", "oracle"} & set(dag.tags)
        assert dag.catchup is False and dag.max_active_runs == 1 and dag.start_date is None
        assert set(dag.params) == {"day", "depth", "force_drill"}


def test_every_task_is_tried_again(bag) -> None:
    """Also `outcome`, when its worker was killed: a red verdict itself is an AirflowFailException, which is final."""
    for dag in members(bag):
        for task in dag.tasks:
            assert task.execution_timeout is not None, f"{task.task_id} may hang for ever, and every later day behind it"
            assert task.owner not in ("", "airflow"), f"{task.task_id} has no owner"
            assert task.doc_md or task.doc or task.python_callable.__doc__, f"{task.task_id} has no docs"
            assert task.retries == 2
        assert dag.get_task("survey").retry_exponential_backoff


def test_vital_order(bag) -> None:
    """Nothing is judged before it was surveyed and read; the run turns red only after its report was written."""
    for dag in members(bag):
        assert [t.task_id for t in dag.topological_sort()] != []
        assert set(dag.task_ids) == set(TASKS)
        before = {t: {u.task_id for u in dag.get_task(t).get_flat_relatives(upstream=True)} for t in TASKS}
        assert before["judge"] == {"survey", "read", "drill"}
        assert before["report"] == {"survey", "read", "drill", "judge"}
        assert before["outcome"] == {"survey", "read", "drill", "judge", "report"}
        assert "judge" in before["prove"]
        assert dag.get_task("outcome").downstream_task_ids == set(), "outcome is a leaf: it decides the colour of the run"
        assert dag.get_task("report").trigger_rule == "all_done" and dag.get_task("outcome").trigger_rule == "all_done"


def test_the_asset_of_a_proved_backup(bag) -> None:
    for dag in members(bag):
        database = dag.dag_id.removeprefix("backup__")
        outlets = [asset.uri for task in dag.tasks for asset in task.outlets]
        assert outlets == [f"drydock://{database}/backup-proved"]


def test_a_task_start_builds_only_its_own_dag(monkeypatch: pytest.MonkeyPatch) -> None:
    from drydock.orchestration.family import each_database

    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "backup__gz_cbec")
    assert [d.id for d in each_database("backup")] == ["gz_cbec"]
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "reclaim__gz_cbec")
    assert [d.id for d in each_database("backup")] == []


def airflow_imports(root: Path) -> list[str]:
    """Files below plugins/drydock that import airflow outside orchestration/."""
    found = []
    for path in sorted((root / "plugins/drydock").rglob("*.py")):
        if "orchestration" in path.parts:
            continue
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "airflow" in text else ():
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [f"{path.name}: {n}" for n in names if n.split(".")[0] == "airflow"]
    return found


def test_only_orchestration_imports_airflow(tmp_path: Path) -> None:
    assert airflow_imports(ROOT) == []
    (tmp_path / "plugins/drydock").mkdir(parents=True)
    (tmp_path / "plugins/drydock/stray.py").write_text("def f():\n    from airflow.sdk import task\n")
    assert airflow_imports(tmp_path) == ["stray.py: airflow.sdk"]


def test_dag_files_are_short_and_hold_no_logic() -> None:
    for path in (ROOT / "dags").glob("*.py"):
        assert len(path.read_text().splitlines()) <= 150, f"{path.name}: a DAG file is a table of contents"


def test_the_plugin_loader_leaves_the_package_alone() -> None:
    """Without plugins/.airflowignore the loader would import every module by its bare name."""
    code = (
        "import sys\n"
        "from airflow import plugins_manager\n"
        "import airflow.plugins_manager as p\n"
        "getattr(p, 'ensure_plugins_loaded', getattr(p, '_get_plugins', None))()\n"
        "names = [m for m in ('verdicts', 'estate', 'policy', 'calendar') if m in sys.modules]\n"
        "stray = [m for m in names if 'drydock' in str(sys.modules[m].__file__)]\n"
        "print('stray', stray)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=os.environ.copy(), capture_output=True, text=True, check=False)
    assert "stray []" in done.stdout, done.stdout + done.stderr[-2000:]


def test_the_page_of_dags_is_fresh() -> None:
    from drydock.pages import stale_pages

    assert stale_pages() == [], "run `make docs`"

"""A wrong configuration file turns a DAG of its own red, since the DAGs that it makes no longer can."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]


class TaskInstance:
    task_id = "check"

    def __init__(self) -> None:
        self.pushed: dict[str, dict] = {}

    def xcom_push(self, key: str, value: dict) -> None:
        self.pushed[key] = value


def run_check(monkeypatch: pytest.MonkeyPatch) -> TaskInstance:
    from drydock.orchestration import configuration

    ti = TaskInstance()
    context = {"ti": ti, "dag_run": SimpleNamespace(run_id="r1")}
    monkeypatch.setattr(configuration, "get_current_context", lambda: context)
    configuration.check.function()
    return ti


def test_the_shipped_configuration_is_green(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRYDOCK_ESTATE", "sandbox")
    assert run_check(monkeypatch).pushed["notice"]["status"] == "PASS"


def test_a_wrong_estate_is_red_and_names_file_line_and_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    shutil.copytree(ROOT / "include/config", tmp_path / "config")
    estate = tmp_path / "config/estate/sandbox.yaml"
    estate.write_text(estate.read_text(encoding="utf-8").replace("Asia/Shanghai", "Asia/Shangai", 1), encoding="utf-8")
    monkeypatch.setenv("DRYDOCK_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("DRYDOCK_ESTATE", "sandbox")
    with pytest.raises(AirflowFailException, match=r"sandbox\.yaml:\d+ .*Shangai"):
        run_check(monkeypatch)


def test_its_dag_does_not_need_the_estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setenv("DRYDOCK_CONFIG", str(tmp_path))
    bag = DagBag(dag_folder=str(ROOT / "dags"))
    assert list(bag.dags) == ["configuration__check"]
    families = ["audit.py", "audit_purge.py", "audit_trace.py", "backup.py", "masking.py", "reclaim.py", "reindex.py"]
    assert sorted(Path(name).name for name in bag.import_errors) == families
    dag = bag.dags["configuration__check"]
    assert dag.dag_display_name == "配置检查" and "runbooks/configuration.md" in dag.doc_md

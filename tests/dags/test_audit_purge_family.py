"""The DAGs that clean audit trails: only where the policy says so, wired as every change, as the account that cleans."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from drydock.audit.policy import AuditPolicyFile
from drydock.changing.hands import GateClosed
from drydock.changing.run import ChangeRun
from drydock.configuration import load_estate
from drydock.orchestration import audit_purge
from drydock.orchestration.audit_purge import each_purged_database, with_purge

ROOT = Path(__file__).parents[2]
TASKS = ["survey", "plan", "approve", "window", "work", "verify", "report", "outcome"]


def policy(**databases: dict[str, object]) -> AuditPolicyFile:
    return AuditPolicyFile.model_validate({"schema": "drydock-audit-policy/1", "databases": databases})


@pytest.fixture(scope="module")
def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit_purge_dags", ROOT / "dags" / "audit_purge.py")
    assert spec and spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def an_oracle_database():
    found = [d for d in load_estate("sandbox").databases if d.engine.value == "oracle"]
    database = found[0] if found else load_estate("sandbox").databases[0].model_copy(update={"engine": "oracle"})
    return database.model_copy(update={"engine": type(database.engine)("oracle")})


def test_only_where_the_policy_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    oracle = an_oracle_database()
    other = load_estate("sandbox").databases[1].model_copy(update={"engine": type(oracle.engine)("postgresql")})
    monkeypatch.setattr(audit_purge, "each_database", lambda _: iter((oracle, other)))
    says = {"purge_source": True, "purge_connection": "purge_it"}
    assert list(each_purged_database(policy())) == []
    assert list(each_purged_database(policy(**{oracle.id: says, other.id: says}))) == [oracle]


def test_the_estate_as_it_is_shipped_cleans_nothing(module: ModuleType) -> None:
    assert [name for name in vars(module) if name.startswith("audit_purge__")] == []


def test_it_is_wired_as_every_change(module: ModuleType) -> None:
    database = an_oracle_database()
    dag = module.build(database, policy().of(database.id).purge)
    assert dag.dag_id == f"audit_purge__{database.id}"
    assert {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks}["approve"] == ["window"]
    order = [task.task_id for task in dag.topological_sort()]
    assert order == TASKS
    assert dag.is_paused_upon_creation and not dag.catchup and dag.max_active_runs == 1
    assert "drydock_kill_switch" in dag.doc_md and "runbooks/audit.md" in dag.doc_md


def a_run(**audit: object) -> ChangeRun:
    database = an_oracle_database()
    configuration = SimpleNamespace(audit=policy(**{database.id: audit}))
    began_at = datetime(2026, 11, 20, tzinfo=UTC)
    return ChangeRun(configuration, None, database, "audit", "scheduled__1", began_at=began_at)  # type: ignore[arg-type]


def test_its_run_is_not_the_audits_and_its_limits_are_those_of_the_cleaning() -> None:
    run = with_purge(a_run(purge={"max_items": 3}))
    assert run.run_key == "purge scheduled__1"
    assert run.policy.max_items == 3


def test_without_an_account_that_cleans_the_gate_is_closed() -> None:
    with pytest.raises(GateClosed) as closed:
        with_purge(a_run()).open_target()
    assert closed.value.answer.reason == "no_work_account"

"""The family of masking DAGs: one for each database with a policy, wired so that nothing is delivered before its check."""

from __future__ import annotations

import json
import secrets
import shutil
import socket
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from drydock.changing.hands import ChangeFailed
from drydock.changing.run import RunRefused
from drydock.configuration import load_all, load_masking_policy, masking_names
from drydock.masking.ciphers.keys import Family
from drydock.masking.policies.fitness_scope import finding
from drydock.masking.policies.policy import KeyReference, Target
from drydock.orchestration import masking
from drydock.orchestration.approval import PlanApproval
from drydock.orchestration.masking_keys import KeyUnusable, key_held, masking_key_of
from drydock.orchestration.masking_sessions import places_of_copy
from drydock.outcomes import Outcome, StopReason
from drydock.pools import pool_of, pools_of
from drydock.verdicts import Status
from tests.unit.test_approvals import a_plan, an_item

ROOT = Path(__file__).parents[2]
CHAIN = ["survey", "plan", "approve", "window", "work", "verify", "deliver", "destroy", "report", "outcome"]
SECRET = secrets.token_hex(32)


@pytest.fixture(scope="module")
def bag():
    """The DAGs of the file, parsed while every attempt to open a connection is an error."""
    from airflow.dag_processing.dagbag import DagBag

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("parsing opened a connection")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "create_connection", refuse)
        yield DagBag(dag_folder=str(ROOT / "dags" / "masking.py"))


@pytest.fixture(params=["gz_cbec", "gz_main", "gz_main_sim", "gz_market"])
def dag(request: pytest.FixtureRequest, bag):
    return bag.dags[f"masking__{request.param}"]


def test_every_database_with_a_policy_has_its_dag(bag) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == {f"masking__{name}" for name in masking_names()} and "masking__gz_main_sim" in bag.dags


def test_it_says_what_it_is_in_both_languages(dag) -> None:
    assert dag.dag_display_name.startswith("脱敏复制 · ") and dag.description.startswith("Masked copy of ")
    assert "runbooks/masking.md" in dag.doc_md and "drydock_kill_switch" in dag.doc_md and "masking" in dag.tags
    assert all(f"| `{name}` |" in dag.doc_md for name in (*CHAIN, "picture")), "a table of contents of all tasks"
    assert set(dag.params) == {"dry_run", "note"} and dag.params["dry_run"] is False


def test_it_runs_quarterly_one_run_at_a_time_in_the_time_of_the_database(dag) -> None:
    configuration = load_all("sandbox")
    database = configuration.estate.database(dag.dag_id.partition("__")[2])
    assert dag.timetable.summary == configuration.masking.of(database.id).plan_cron == "0 16 1 1,4,7,10 *"
    assert str(dag.timetable._timezone) == database.time_zone
    assert dag.catchup is False and dag.max_active_runs == 1 and dag.start_date is None


def test_vital_order(dag) -> None:
    """Nothing is copied before a yes, nothing delivered before the check; what clears away runs whatever happened."""
    assert set(dag.task_ids) == {*CHAIN, "picture"}
    for n, name in enumerate(CHAIN[:-1]):
        assert {t.task_id for t in dag.get_task(name).get_flat_relatives(upstream=True)} == set(CHAIN[:n]), name
    assert {t.task_id for t in dag.get_task("picture").get_flat_relatives(upstream=True)} == set(CHAIN[:4]), "beside the work"
    assert dag.get_task("picture").downstream_task_ids == {"outcome"}, "the check must not wait for what waits for the check"
    assert dag.get_task("outcome").downstream_task_ids == set()
    always = {"verify", "destroy", "report", "outcome"}
    assert {name for name in dag.task_ids if dag.get_task(name).trigger_rule == "all_done"} == always
    assert {dag.get_task(name).trigger_rule for name in set(dag.task_ids) - always} == {"all_success"}


def test_work_is_mapped_one_item_at_a_time_and_tried_again(dag) -> None:
    configuration = load_all("sandbox")
    work, database = dag.get_task("work"), configuration.estate.database(dag.dag_id.partition("__")[2])
    assert work.is_mapped and work.max_active_tis_per_dagrun == 1
    assert work.pool == pool_of(database) and work.pool in pools_of(configuration.estate)
    assert "label" in work.partial_kwargs["map_index_template"]
    assert work.retries == dag.get_task("picture").retries == masking.TRIES, "a lost server costs a try, not the copy"
    assert dag.get_task("picture").retry_delay <= timedelta(seconds=10), "chunks wait for it"
    assert {dag.get_task(name).pool for name in dag.task_ids if name != "work"} == {"default_pool"}


def test_every_task_has_an_owner_docs_and_a_bound(dag) -> None:
    for name in dag.task_ids:
        task = dag.get_task(name)
        assert task.owner not in ("", "airflow") and task.retries >= 2, name
        assert name in ("approve", "window") or task.execution_timeout is not None, f"{name} may hang for ever"
        assert task.is_mapped or task.doc_md or task.python_callable.__doc__, f"{name} has no docs"
    assert dag.get_task("approve").defaults == [PlanApproval.REJECT], "who does not answer has not said yes"


def test_a_yes_is_for_the_whole_copy_whatever_a_form_says() -> None:
    approval = masking.approve(load_all("sandbox").estate.database("gz_main"))
    plan = a_plan(an_item(1), an_item(2), an_item(3))
    assert dict(approval.form(plan)) == {} and approval.chosen(plan, {"items": ["2"]}) == (1, 2, 3)


def test_only_what_is_worked_before_the_check_is_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    actions = ("mask_tables", "mask_chunk", "mask_links", masking.DELIVER, masking.DESTROY)
    items = tuple(an_item(n, action=action) for n, action in enumerate(actions, 1))
    monkeypatch.setattr(masking, "open_change_run", lambda *_: None)
    monkeypatch.setattr(masking.steps, "make_plan", lambda _: a_plan(*items))
    assert [entry["number"] for entry in masking.plan.function("gz_main")] == [1, 2, 3]


def test_a_refused_survey_names_everything_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = (finding("masking_rule_target_gone", "app.a.b"), finding("masking_table_without_policy", "app.c", columns=3))

    def survey(_run: object) -> None:
        raise RunRefused(refused)

    monkeypatch.setattr(masking, "open_change_run", lambda *_: SimpleNamespace(is_backfill=False, ledger=None, run_id=1))
    monkeypatch.setattr(masking, "load_masking_policy", lambda _: None)
    monkeypatch.setattr(masking, "checked_key", lambda *_: None)
    monkeypatch.setattr(masking.changing, "told_by_person", lambda _: {})
    monkeypatch.setattr(masking.record, "add_event", lambda *_: None)
    monkeypatch.setattr(masking.steps, "take_survey", survey)
    with pytest.raises(AirflowFailException) as failed:
        masking.survey.function("gz_main")
    assert "masking_rule_target_gone" in str(failed.value) and "app.a.b" in str(failed.value)
    assert "app.c" in str(failed.value) and "3" in str(failed.value)


@pytest.mark.parametrize(
    ("status", "ends"),
    [(Status.SKIPPED, AirflowSkipException), (Status.FAIL, AirflowFailException), (Status.UNKNOWN, AirflowFailException)],
)
def test_a_delivery_that_did_not_happen_is_never_green(status: Status, ends: type[Exception]) -> None:
    at = "2026-11-22T00:00:00+00:00"
    told = {"item_key": "k", "number": 9, "status": status, "reason": "copy_not_verified", "stop": StopReason.INTERLOCK}
    outcome = Outcome(**told, elapsed_s=1, started_at=at, ended_at=at)
    with pytest.raises(ends, match="copy_not_verified"):
        masking._ended(outcome, "9 mask_deliver")


def test_a_server_that_was_lost_between_two_questions_is_tried_again() -> None:
    at = "2026-11-22T00:00:00+00:00"
    told = {"item_key": "k", "number": 2, "status": Status.SKIPPED, "reason": "target_silent", "stop": StopReason.INTERLOCK}
    with pytest.raises(ConnectionError, match="target_silent"):
        masking._ended(Outcome(**told, elapsed_s=1, started_at=at, ended_at=at), "2 mask_chunk")


def test_a_right_that_is_missing_is_never_tried_again() -> None:
    """Whether the gate or a statement met it: the task fails at once and says what must be granted."""
    at = "2026-11-22T00:00:00+00:00"
    told = {"item_key": "k", "number": 2, "reason": "privilege_missing", "elapsed_s": 1, "started_at": at, "ended_at": at}
    for status in (Status.SKIPPED, Status.FAIL):
        with pytest.raises(AirflowFailException, match=r"privilege_missing.*SELECT ON app\.people"):
            masking._ended(Outcome(**told, status=status, after={"needs": "SELECT ON app.people"}), "2 mask_chunk")


@pytest.mark.parametrize(("kind", "ends"), [("privilege", AirflowFailException), ("unreachable", ChangeFailed)])
def test_a_survey_without_a_right_ends_at_once(monkeypatch: pytest.MonkeyPatch, kind: str, ends: type[Exception]) -> None:
    failed = ChangeFailed("42501", kind, retry=False)
    failed.needs = "SELECT ON app.people"
    monkeypatch.setattr(masking, "open_change_run", lambda *_: SimpleNamespace(is_backfill=False, ledger=None, run_id=1))
    monkeypatch.setattr(masking, "load_masking_policy", lambda _: None)
    monkeypatch.setattr(masking, "checked_key", lambda *_: None)
    monkeypatch.setattr(masking.changing, "told_by_person", lambda _: {})
    monkeypatch.setattr(masking.record, "add_event", lambda *_: None)

    def survey(_run: object) -> None:
        raise failed

    monkeypatch.setattr(masking.steps, "take_survey", survey)
    with pytest.raises(ends) as e:
        masking.survey.function("gz_main")
    assert ("SELECT ON app.people" in str(e.value)) is (kind == "privilege")


def a_connection(monkeypatch: pytest.MonkeyPatch, **fields: object) -> KeyReference:
    monkeypatch.setenv("AIRFLOW_CONN_MASK_KEY_T", json.dumps({"conn_type": "generic", **fields}))
    return KeyReference(connection="mask_key_t", epoch="2026Q4")


def test_a_key_is_the_password_of_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    key = masking_key_of(a_connection(monkeypatch, password=SECRET, extra={"epoch": "2026Q4", "family": "sha2_aes"}))
    assert key.secret.get_secret_value().hex() == SECRET and (key.epoch, key.family) == ("2026Q4", Family.SHA2_AES)
    assert SECRET not in repr(key)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"password": ""}, "is empty"),
        ({"password": SECRET[:-2]}, "too short: 31 bytes, not 32"),
        ({"password": SECRET + "00"}, "too long: 33 bytes"),
        ({"password": "密钥在此"}, "neither hexadecimal nor base64"),
        ({"password": "ab" * 32}, "was not drawn"),
        ({"password": SECRET, "extra": {"epoch": "2026Q3"}}, "epoch '2026Q3'"),
        ({"password": SECRET, "extra": {"family": "sm3_sm4"}}, "family 'sm3_sm4'"),
    ],
)
def test_a_key_that_cannot_be_used_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, fields: dict, said: str) -> None:
    """It names connection, field and fix, and holds nothing of the key."""
    with pytest.raises(KeyUnusable, match=said) as unusable:
        masking_key_of(a_connection(monkeypatch, **fields))
    told = str(unusable.value)
    assert "'mask_key_t'" in told and ("field password" in told or "field extra" in told) and "\n" not in told
    assert "openssl rand" in told or "put the key of" in told
    assert len(fields["password"]) < 8 or fields["password"][:16] not in told


def test_a_connection_that_is_not_there_is_told_with_its_fix() -> None:
    with pytest.raises(KeyUnusable, match=r"'no_such_key'.*not defined.*Generic.*password"):
        masking_key_of(KeyReference(connection="no_such_key", epoch="2026Q4"))
    assert key_held("no_such_key", "2026Q4", Family.SHA2_AES) is None


def test_no_log_can_show_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.sdk.log import redact

    key = masking_key_of(a_connection(monkeypatch, password=SECRET))
    assert SECRET not in redact(f"the key is {SECRET}") and SECRET.upper() not in redact(f"or {SECRET.upper()}")
    assert key.secret.get_secret_value().hex() not in redact(key.secret.get_secret_value().hex())


def test_the_room_of_a_copy_is_what_is_seen_and_vouched_for(tmp_path: Path) -> None:
    told = {"id": "copy", "connection": "c1", "engine": "postgresql", "environment": "test"}
    seen = places_of_copy(Target(**told, data_folder=str(tmp_path))).free_bytes()
    assert seen > 0 and places_of_copy(Target(**told)).free_bytes() is None
    assert places_of_copy(Target(**told, room_bytes=7)).free_bytes() == 7
    assert places_of_copy(Target(**told, room_bytes=7, data_folder=str(tmp_path))).free_bytes() == 7
    assert places_of_copy(Target(**told, room_bytes=7, data_folder=str(tmp_path / "not_mounted"))).free_bytes() == 7


def test_the_sandbox_rules_every_column_of_its_tables() -> None:
    """All 316: a rule or a reason for each, and the canaries' columns are masked."""
    from sandbox.canaries import KEYS, TABLES
    from sandbox.tables import catalog, schema_name

    seen = set()
    for platform in ("gz-main", "gz-cbec", "gz-market"):
        name = schema_name(platform)
        policy = load_masking_policy(name)
        for table in catalog().of_platform(platform):
            rules = policy.tables[f"{name}.{table.name}"]
            assert set(rules.columns) | set(rules.keep) == set(table.column_names) and not set(rules.columns) & set(rules.keep)
            seen |= {(table.name, column) for column in table.column_names}
        (canary,) = policy.canaries
        assert canary.table == f"{name}.{TABLES[name]}" and list(canary.key.values()) == [KEYS[TABLES[name]]]
    assert len(seen) == 316


def test_a_wrong_limit_shows_as_an_import_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.dag_processing.dagbag import DagBag

    shutil.copytree(ROOT / "include/config", tmp_path / "config")
    wrong = "schema: drydock-masking-limits/1\ndefaults: {chunk_byts: 3}\n"
    (tmp_path / "config/masking.yaml").write_text(wrong, encoding="utf-8")
    monkeypatch.setenv("DRYDOCK_CONFIG", str(tmp_path / "config"))
    bag = DagBag(dag_folder=str(ROOT / "dags" / "masking.py"))
    assert "chunk_byts" in next(iter(bag.import_errors.values()))


def test_the_data_docs_of_a_run_are_told_where_there_are_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from drydock.masking.reports import data_docs

    monkeypatch.setenv("DRYDOCK_STATE", str(tmp_path))
    run = SimpleNamespace(day=date(2026, 11, 22), database=SimpleNamespace(id="gz_main"), run_id=7)
    assert data_docs(run) == ()
    page = tmp_path / "reports" / "2026-11-22" / "masking_gz_main_7" / "expectations" / "index.html"
    page.parent.mkdir(parents=True)
    page.touch()
    assert data_docs(run) == (page,)


@pytest.mark.parametrize(
    ("tries", "why"),
    [
        ([], ""),
        ([("mask_chunk [x]", "copy_broken_before")], ""),
        (
            [("mask_deliver [x]", "copy_not_verified"), ("mask_deliver [x]", "copy_failed_verification")],
            "copy_failed_verification",
        ),
        ([("mask_deliver [x]", "copy_not_verified"), ("mask_deliver [x]", "")], ""),
        ([("mask_deliver [x]", "rejected")], ""),
    ],
)
def test_the_outcome_says_why_a_copy_stays_in_quarantine(tries: list, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = [SimpleNamespace(item_key=key, reason=reason) for key, reason in tries]
    monkeypatch.setattr(masking.change_history, "outcomes_of_run", lambda *_: tried)
    assert masking.why_undelivered(SimpleNamespace(ledger=None, run_id=1)) == why


def test_the_outcome_says_where_a_dba_finds_the_quarantined_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRYDOCK_ESTATE", "sandbox")
    told = masking.quarantine_of(SimpleNamespace(database=SimpleNamespace(id="gz_market"), run_id=9))
    assert "gz_market_test" in told and "copy_gz_market" in told and "drydock_staging_9_*" in told
